//! Time evolution of the moments: M ∂_t(J + vH, H + vK) = right sides, by the same singly diagonally implicit
//! Runge-Kutta methods and step control as the Boltzmann method.

use crate::diagnostics::moments::Moments;
use crate::error::Result;
use crate::extremes::largest;
use crate::methods::boltzmann::energy_redistribution::EnergyRedistribution;
use crate::methods::boltzmann::evolution::{Plan, equal_steps};
use crate::methods::boltzmann::inelastic::Pair;
use crate::methods::closures::Closure;
use crate::methods::setup::Setup;
use crate::phase_space::PhaseSpace;
use crate::progress::{Event, Observer};
use crate::solvers::krylov::{Limits, Status};

use super::closed::Closed;
use super::equations::{Equations, Shared, conserved};
use super::flow::Flow;
use super::newton::{self, Start};
use super::nodes;
use super::outside;
use super::reconstruction::Reconstruction;
use super::steady::{gather, groups, places, scatter};

/// The state of an evolution.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    pub time: f64,
    /// J and H at (cell, species, energy), energy fastest.
    pub moments: Vec<Pair>,
    /// J, H, K of the fluxes through the radial faces in the last stage, at (species, energy, face).
    pub faces: Vec<[f64; 3]>,
    /// The step that comes next.
    pub step: f64,
    pub steps: usize,
    pub rejected: usize,
    pub newton_steps: usize,
    pub status: Status,
}

/// An evolution with one closure on cells ([`crate::methods::moment_grid::on_cells`]).
pub struct Evolution<'a> {
    setup: &'a Setup,
    plan: &'a Plan,
    closure: Closure,
    flow: Flow,
    observer: &'a dyn Observer,
}

/// A stage is solved twice: with the reconstruction of the state before to this, and with that of the first
/// solution to the wanted residual.
const FIRST_ROUND: f64 = 1e-3;
/// J below this share of the largest does not matter.
const FLOOR: f64 = 1e-9;

impl<'a> Evolution<'a> {
    /// # Errors
    /// Moving matter without a spectrum.
    pub fn new(
        setup: &'a Setup,
        plan: &'a Plan,
        closure: Closure,
        observer: &'a dyn Observer,
    ) -> Result<Self> {
        super::refuse_gray_motion(setup)?;
        let flow = Flow::new(&setup.geometry, &setup.phase_space, setup.background.discontinuities());
        Ok(Self { setup, plan, closure, flow, observer })
    }

    /// The state at the start, from J and H at (cell, species, energy).
    pub fn start(&self, moments: Vec<Pair>) -> State {
        let faces = self.setup.phase_space.radial.edges.len();
        let count = moments.len() / self.setup.phase_space.radial.nodes.len();
        State {
            time: self.plan.start,
            moments,
            faces: vec![[0.0; 3]; count * faces],
            step: self.plan.first_step(),
            steps: 0,
            rejected: 0,
            newton_steps: 0,
            status: Status::Converged,
        }
    }

    /// Moments at the nodes and at the element edges of `target`, the problem's own grid, as
    /// [`crate::diagnostics::result::dataset_of_moments`] takes them.
    pub fn moments(&self, state: &State, target: &PhaseSpace) -> (Moments, Moments) {
        let cells = &self.setup.phase_space;
        let moments = nodes::moments_on(cells, target, self.closure, &state.moments);
        (moments, nodes::edges_on(cells, target, &state.faces))
    }

    fn shared(&self, time: f64, shift: f64) -> Result<Shared<'_>> {
        let (inner, outer) = outside(self.setup, self.closure, time)?;
        let (space, coefficients) = (&self.setup.phase_space, &self.setup.coefficients);
        Ok(Shared { space, flow: &self.flow, coefficients, closure: self.closure, inner, outer, shift })
    }

    /// Neutrinos of each species on the slice t = const: (4π)²/(hc)³ ∫∫ X r² W (J + vH) ε² dε dr.
    pub fn number(&self, state: &State) -> Vec<f64> {
        let space = &self.setup.phase_space;
        let energies = space.energy.len();
        let weights = EnergyRedistribution::new(&space.energy).number_weight;
        let mut number = vec![0.0; space.species.len()];
        for (n, &pair) in state.moments.iter().enumerate() {
            let (i, member) = (n / (energies * number.len()), n % (energies * number.len()));
            let closed = Closed::new(self.closure, pair);
            let [density, _] = conserved(&closed, self.flow.velocity[i]);
            let volume = space.radial.weights[i] * self.flow.volume[i] * self.flow.clock[i];
            number[member / energies] += volume * weights[member % energies] * density;
        }
        let states = (4.0 * std::f64::consts::PI).powi(2) / self.setup.units.planck_c_cubed();
        number.iter().map(|number| number * states).collect()
    }

    /// Integrates from `state` over the times of the plan that lie after it, handing each reached state to
    /// `reached`.
    ///
    /// # Errors
    /// [`crate::error::Error::Interrupted`] when the observer asks to stop; [`crate::error::Error::Numerical`] where a step cannot be
    /// solved or its length vanishes.
    pub fn run(&self, state: &mut State, reached: &mut dyn FnMut(&State) -> Result<()>) -> Result<()> {
        let (start, started) = (self.plan.start, state.time);
        let end = self.plan.times.last().copied().unwrap_or(start);
        for &target in self.plan.times.iter().filter(|&&t| t > started) {
            while state.time < target {
                self.advance(state, target)?;
                let (time, step) = (state.time, state.step);
                self.observer.report(Event::Time { time, start, end, step });
            }
            reached(state)?;
        }
        Ok(())
    }

    /// One accepted step towards `target`.
    fn advance(&self, state: &mut State, target: f64) -> Result<()> {
        loop {
            let (step, last) = equal_steps(target - state.time, state.step);
            let (moments, faces, error) = self.try_step(state, step)?;
            if self.plan.judge(error, step, &mut state.step) {
                state.time = if last { target } else { state.time + step };
                (state.moments, state.faces) = (moments, faces);
                state.steps += 1;
                return Ok(());
            }
            state.rejected += 1;
            self.plan.check_step(state.step, state.time)?;
        }
    }

    /// All stages of one step: moments, moments at the faces and the relative local error.
    fn try_step(&self, state: &mut State, step: f64) -> Result<(Vec<Pair>, Vec<[f64; 3]>, f64)> {
        let tableau = &self.plan.tableau;
        let before = self.conserved(&state.moments);
        let mut slopes: Vec<Vec<Pair>> = Vec::with_capacity(tableau.stages());
        let (mut moments, mut faces) = (state.moments.clone(), Vec::new());
        for stage in 0..tableau.stages() {
            let mut known = before.clone();
            for (slope, a) in slopes.iter().zip(&tableau.below[stage]) {
                known.iter_mut().zip(slope).for_each(|(known, slope)| {
                    known.j += step * a * slope.j;
                    known.h += step * a * slope.h;
                });
            }
            let time = state.time + tableau.abscissa(stage) * step;
            faces = self.solve_stage(state, &known, &mut moments, time, step)?;
            let rate = 1.0 / (tableau.gamma * step);
            let after = self.conserved(&moments);
            let slope = after.iter().zip(&known);
            slopes.push(slope.map(|(a, k)| Pair { j: rate * (a.j - k.j), h: rate * (a.h - k.h) }).collect());
        }
        let error = self.error(&before, &self.conserved(&moments), &slopes, step);
        Ok((moments, faces, error))
    }

    /// J + vH and H + vK.
    fn conserved(&self, moments: &[Pair]) -> Vec<Pair> {
        let count = moments.len() / self.flow.velocity.len();
        let of = |(n, &pair): (usize, &Pair)| {
            let [j, h] = conserved(&Closed::new(self.closure, pair), self.flow.velocity[n / count]);
            Pair { j, h }
        };
        moments.iter().enumerate().map(of).collect()
    }

    /// Solves one implicit stage for all groups, from `moments` on; gives the moments at the faces.
    fn solve_stage(
        &self,
        state: &mut State,
        known: &[Pair],
        moments: &mut [Pair],
        time: f64,
        step: f64,
    ) -> Result<Vec<[f64; 3]>> {
        let shared = self.shared(time, 1.0 / (self.plan.tableau.gamma * step))?;
        let count = shared.space.species.len() * shared.space.energy.len();
        let faces = shared.space.radial.edges.len();
        let mut all_faces = vec![[0.0; 3]; count * faces];
        for mut equations in groups(self.setup.inelastic.as_ref(), &shared) {
            let members = places(&equations);
            equations.known = gather(known, count, &members);
            let start = gather(moments, count, &members);
            let (solved, reconstruction) = self.solve_group(state, &equations, start, step)?;
            let evaluated = equations.evaluate(&solved, &reconstruction);
            scatter(&solved, moments, count, &members);
            for (c, &member) in members.iter().enumerate() {
                for face in 0..faces {
                    all_faces[member * faces + face] = evaluated.face_moments(face, c);
                }
            }
        }
        Ok(all_faces)
    }

    fn solve_group(
        &self,
        state: &mut State,
        equations: &Equations,
        start: Vec<Pair>,
        step: f64,
    ) -> Result<(Vec<Pair>, Reconstruction)> {
        let Limits { tolerance, .. } = self.plan.limits;
        let limits = Limits { tolerance: tolerance.max(super::TOLERANCE), iterations: super::MOST_STEPS };
        let brightest = largest(equations.known.iter().map(|known| known.j.abs()));
        let floor = (FLOOR * brightest).max(FLOOR * FLOOR);
        let mut u: Vec<Pair> = start.iter().map(|pair| within_bounds(*pair, floor)).collect();
        // The stages of a method of higher order may ask for moments of no f ≥ 0 at the front of a pulse.
        let realizable = equations.known.iter().all(|known| known.h.abs() <= known.j + floor);
        let near = Limits { tolerance: FIRST_ROUND.max(limits.tolerance), ..limits };
        let mut solve = |u: &mut Vec<Pair>, limits: Limits| -> Result<Reconstruction> {
            let reconstruction = Reconstruction::of(equations, u);
            let start = Start { step: f64::INFINITY, cautious: step, floor, realizable };
            let mut go_on = |_: f64| !self.observer.stop_requested();
            let outcome = newton::solve(equations, &reconstruction, u, start, limits, &mut go_on)?;
            state.newton_steps += outcome.steps;
            state.status = state.status.and(outcome.status);
            Ok(reconstruction)
        };
        solve(&mut u, near)?;
        let reconstruction = solve(&mut u, limits)?;
        Ok((u, reconstruction))
    }

    /// ‖local error‖₂/‖(J, H)‖₂ by the embedded method; backward Euler, which has none, takes half of the whole
    /// change for it.
    fn error(&self, before: &[Pair], after: &[Pair], slopes: &[Vec<Pair>], step: f64) -> f64 {
        let half = vec![0.5];
        let weights = self.plan.tableau.error_weights.as_ref().unwrap_or(&half);
        let square = |pair: &Pair| pair.j * pair.j + pair.h * pair.h;
        let norm = |pairs: &[Pair]| -> f64 { pairs.iter().map(square).sum() };
        // Before there is anything, the error is relative to what comes.
        let (mut error, size) = (0.0, norm(before).max(norm(after)));
        for n in 0..before.len() {
            let sum = |of: fn(&Pair) -> f64| -> f64 {
                weights.iter().zip(slopes).map(|(weight, slope)| step * weight * of(&slope[n])).sum()
            };
            error += sum(|pair| pair.j).powi(2) + sum(|pair| pair.h).powi(2);
        }
        if error == 0.0 { 0.0 } else { (error / size.max(f64::MIN_POSITIVE)).sqrt() }
    }
}

/// The moments next to `pair` that are those of an f > 0.
fn within_bounds(pair: Pair, floor: f64) -> Pair {
    let j = pair.j.max(1e-3 * floor);
    Pair { j, h: pair.h.clamp(-j, j) }
}
