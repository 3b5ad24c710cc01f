//! Time evolution of the moments: M ∂_t(J + vH, H + vK) = right sides, by the same singly diagonally implicit
//! Runge-Kutta methods and step control as the Boltzmann method.

use rayon::prelude::*;

use crate::diagnostics::moments::Moments;
use crate::error::Result;
use crate::extremes::largest;
use crate::methods::boltzmann::energy_redistribution::EnergyRedistribution;
use crate::methods::boltzmann::inelastic::Pair;
use crate::methods::closures::Closure;
use crate::methods::setup::Setup;
use crate::methods::steps::{Clock, Plan, Stepper};
use crate::parallel::in_order;
use crate::phase_space::PhaseSpace;
use crate::progress::Observer;
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
    pub clock: Clock,
    /// J and H at (cell, species, energy), energy fastest.
    pub moments: Vec<Pair>,
    /// J, H, K of the fluxes through the radial faces in the last stage, at (species, energy, face).
    pub faces: Vec<[f64; 3]>,
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
        let cells = self.setup.phase_space.radial.nodes.len();
        let count = moments.len() / cells;
        let closed = |cell: usize, member: usize| Closed::new(self.closure, moments[cell * count + member]);
        // The mean of the cells on both sides.
        let face = |face: usize, member: usize| {
            let (below, above) = (closed(face.max(1) - 1, member), closed(face.min(cells - 1), member));
            [below.j + above.j, below.h + above.h, below.k + above.k].map(|sum| 0.5 * sum)
        };
        let faces = (0..count).flat_map(|member| (0..=cells).map(move |n| (n, member)));
        let faces = faces.map(|(n, member)| face(n, member)).collect();
        State { clock: Clock::new(self.plan), moments, faces, newton_steps: 0, status: Status::Converged }
    }

    /// Moments at the nodes and at the element edges of `target`, the problem's own grid, as
    /// [`crate::diagnostics::result::dataset_of_moments`] takes them.
    pub fn moments(&self, state: &State, target: &PhaseSpace) -> (Moments, Moments) {
        let cells = &self.setup.phase_space;
        let moments = nodes::moments_on(cells, target, self.closure, &state.moments, &state.faces);
        (moments, nodes::edges_on(cells, target, &state.faces))
    }

    fn shared(&self, time: f64, shift: f64) -> Result<Shared<'_>> {
        super::refuse_overfull(self.setup, self.closure, time)?;
        let (inner, outer) = outside(self.setup, time)?;
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

    /// Makes `known` the moments of an f ≥ 0, which the stages of a method of higher order need not be at the front of
    /// a pulse: what J + vH lacks to 0 is taken from all others of its member in proportion, so that their number
    /// stays.
    fn fill(&self, known: &mut [Pair]) {
        let radii = self.flow.velocity.len();
        let count = known.len() / radii;
        let weights = &self.setup.phase_space.radial.weights;
        for member in 0..count {
            let (mut there, mut missing) = (0.0, 0.0);
            for i in 0..radii {
                let number =
                    weights[i] * self.flow.volume[i] * self.flow.clock[i] * known[i * count + member].j;
                there += number.max(0.0);
                missing -= number.min(0.0);
            }
            let share = if missing > 0.0 { (1.0 - missing / there).max(0.0) } else { 1.0 };
            for pair in known.iter_mut().skip(member).step_by(count) {
                let j = share * if pair.j < 0.0 { 0.0 } else { pair.j };
                let h = if pair.h.abs() > j { j.copysign(pair.h) } else { pair.h };
                *pair = Pair { j, h };
            }
        }
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
        let mut groups = groups(self.setup.inelastic.as_ref(), &shared);
        let solved = in_order(groups.par_iter_mut().map(|equations| {
            let members = places(equations);
            equations.known = gather(known, count, &members);
            self.solve_group(equations, gather(moments, count, &members), step)
        }))?;
        for (equations, solved) in groups.iter().zip(solved) {
            let members = places(equations);
            scatter(&solved.moments, moments, count, &members);
            for (faces, member) in solved.faces.chunks_exact(faces).zip(members) {
                all_faces[member * faces.len()..][..faces.len()].copy_from_slice(faces);
            }
            state.newton_steps += solved.steps;
            state.status = state.status.and(solved.status);
        }
        Ok(all_faces)
    }

    /// One stage of one group, from `start` on.
    fn solve_group(&self, equations: &Equations, start: Vec<Pair>, step: f64) -> Result<Stage> {
        let Limits { tolerance, .. } = self.plan.limits;
        let tolerance = tolerance.max(super::TOLERANCE);
        let brightest = largest(equations.known.iter().map(|known| known.j.abs()));
        let floor = (FLOOR * brightest).max(FLOOR * FLOOR);
        let moments = start.iter().map(|pair| within_bounds(*pair, floor)).collect();
        let mut stage = Stage { moments, faces: Vec::new(), steps: 0, status: Status::Converged };
        let start = Start { step: f64::INFINITY, cautious: step, floor };
        self.improve(equations, &mut stage, start, FIRST_ROUND.max(tolerance))?;
        let reconstruction = self.improve(equations, &mut stage, start, tolerance)?;
        let evaluated = equations.evaluate(&stage.moments, &reconstruction, false);
        let faces = equations.shared.space.radial.edges.len();
        for c in 0..equations.members.len() {
            stage.faces.extend((0..faces).map(|face| evaluated.face_moments(face, c)));
        }
        Ok(stage)
    }

    /// Solves `stage` to `tolerance` with the reconstruction of its moments, which is given back.
    fn improve(
        &self,
        equations: &Equations,
        stage: &mut Stage,
        start: Start,
        tolerance: f64,
    ) -> Result<Reconstruction> {
        let reconstruction = Reconstruction::of(equations, &stage.moments);
        let limits = Limits { tolerance, iterations: super::MOST_STEPS };
        let mut go_on = |_: f64| !self.observer.stop_requested();
        let moments = &mut stage.moments;
        let outcome = newton::solve(equations, &reconstruction, moments, start, limits, &mut go_on)?;
        tracing::debug!(steps = outcome.steps, status = outcome.status.name(), tolerance, "stage");
        stage.steps += outcome.steps;
        stage.status = stage.status.and(outcome.status);
        Ok(reconstruction)
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

/// What a tried step ends with, as in [`State`].
pub struct Trial {
    moments: Vec<Pair>,
    faces: Vec<[f64; 3]>,
}

impl Stepper for Evolution<'_> {
    type State = State;
    type Trial = Trial;

    fn clock(state: &mut State) -> &mut Clock {
        &mut state.clock
    }

    /// All stages of one step.
    fn try_step(&mut self, state: &mut State, step: f64) -> Result<(Trial, f64)> {
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
            self.fill(&mut known);
            let time = state.clock.time + tableau.abscissa(stage) * step;
            faces = self.solve_stage(state, &known, &mut moments, time, step)?;
            let rate = 1.0 / (tableau.gamma * step);
            let after = self.conserved(&moments);
            let slope = after.iter().zip(&known);
            slopes.push(slope.map(|(a, k)| Pair { j: rate * (a.j - k.j), h: rate * (a.h - k.h) }).collect());
        }
        let error = self.error(&before, &self.conserved(&moments), &slopes, step);
        Ok((Trial { moments, faces }, error))
    }

    fn accept(&mut self, state: &mut State, trial: Trial) {
        (state.moments, state.faces) = (trial.moments, trial.faces);
    }
}

/// A group at the end of a stage.
struct Stage {
    moments: Vec<Pair>,
    /// J, H, K of the fluxes through the radial faces, at (member, face).
    faces: Vec<[f64; 3]>,
    /// Newton steps.
    steps: usize,
    status: Status,
}

/// The moments next to `pair` that are those of an f > 0.
fn within_bounds(pair: Pair, floor: f64) -> Pair {
    let j = pair.j.max(1e-3 * floor);
    Pair { j, h: pair.h.clamp(-j, j) }
}
