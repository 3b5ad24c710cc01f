//! Time evolution of the moments: M ∂_t(J + vH, H + vK) = right sides, by the same singly diagonally implicit
//! Runge-Kutta methods and step control as the Boltzmann method.

use crate::diagnostics::moments::Moments;
use crate::error::{Error, Result};
use crate::extremes::larger;
use crate::methods::boltzmann::energy_redistribution::EnergyRedistribution;
use crate::methods::boltzmann::evolution::{Plan, equal_steps};
use crate::methods::boltzmann::inelastic::Pair;
use crate::methods::closures::Closure;
use crate::methods::setup::Setup;
use crate::progress::{Event, Observer};
use crate::solvers::krylov::{Limits, Status};

use super::cells::Cells;
use super::closed::Closed;
use super::equations::{Equations, Shared, conserved};
use super::flow::Flow;
use super::newton::{self, Path};
use super::{closed_moments, edge_moments, outside};

/// The state of an evolution.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    pub time: f64,
    /// J and H at (radial node, species, energy node), energy fastest.
    pub moments: Vec<Pair>,
    /// J, H, K of the fluxes through the element edges in the last stage, at (species, energy node, edge).
    pub edges: Vec<[f64; 3]>,
    /// The step that comes next.
    pub step: f64,
    pub steps: usize,
    pub rejected: usize,
    pub newton_steps: usize,
    /// Largest share of the radial elements with first-order cells in any step.
    pub reduced: f64,
    pub status: Status,
}

/// An evolution with one closure.
pub struct Evolution<'a> {
    setup: &'a Setup,
    plan: &'a Plan,
    closure: Closure,
    flow: Flow,
    observer: &'a dyn Observer,
}

/// Rounds of order reduction in a stage before all elements are reduced.
const ROUNDS: usize = 4;

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
        let flow = Flow::new(&setup.geometry, &setup.phase_space);
        Ok(Self { setup, plan, closure, flow, observer })
    }

    /// The state at the start, from J and H at (radial node, species, energy node).
    pub fn start(&self, moments: Vec<Pair>) -> State {
        let edges = self.setup.phase_space.radial.edges.len();
        let count = moments.len() / self.setup.phase_space.radial.nodes.len();
        State {
            time: self.plan.start,
            moments,
            edges: vec![[0.0; 3]; count * edges],
            step: self.plan.first_step(),
            steps: 0,
            rejected: 0,
            newton_steps: 0,
            reduced: 0.0,
            status: Status::Converged,
        }
    }

    /// Moments at the nodes and at the element edges, as
    /// [`crate::diagnostics::result::dataset_of_moments`] takes them.
    pub fn moments(&self, state: &State) -> (Moments, Moments) {
        (closed_moments(self.setup, self.closure, &state.moments), edge_moments(&state.edges))
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
    /// [`Error::Interrupted`] when the observer asks to stop; [`Error::Numerical`] where a step cannot be
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
            let (moments, edges, error) = self.try_step(state, step)?;
            if self.plan.judge(error, step, &mut state.step) {
                state.time = if last { target } else { state.time + step };
                (state.moments, state.edges) = (moments, edges);
                state.steps += 1;
                return Ok(());
            }
            state.rejected += 1;
            self.plan.check_step(state.step, state.time)?;
        }
    }

    /// All stages of one step: moments, edge moments and the relative local error.
    fn try_step(&self, state: &mut State, step: f64) -> Result<(Vec<Pair>, Vec<[f64; 3]>, f64)> {
        let tableau = &self.plan.tableau;
        let before = self.conserved(&state.moments);
        let mut slopes: Vec<Vec<Pair>> = Vec::with_capacity(tableau.stages());
        let (mut moments, mut edges) = (state.moments.clone(), Vec::new());
        for stage in 0..tableau.stages() {
            let mut known = before.clone();
            for (slope, a) in slopes.iter().zip(&tableau.below[stage]) {
                known.iter_mut().zip(slope).for_each(|(known, slope)| {
                    known.j += step * a * slope.j;
                    known.h += step * a * slope.h;
                });
            }
            let time = state.time + tableau.abscissa(stage) * step;
            edges = self.solve_stage(state, &known, &mut moments, time, step)?;
            let rate = 1.0 / (tableau.gamma * step);
            let after = self.conserved(&moments);
            let slope = after.iter().zip(&known);
            slopes.push(slope.map(|(a, k)| Pair { j: rate * (a.j - k.j), h: rate * (a.h - k.h) }).collect());
        }
        let error = self.error(&before, &slopes, step);
        Ok((moments, edges, error))
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

    /// Solves one implicit stage for all groups, from `moments` on; gives the edge moments.
    fn solve_stage(
        &self,
        state: &mut State,
        known: &[Pair],
        moments: &mut [Pair],
        time: f64,
        step: f64,
    ) -> Result<Vec<[f64; 3]>> {
        let (setup, space) = (self.setup, &self.setup.phase_space);
        let (inner, outer) = outside(setup, self.closure, time)?;
        let shift = 1.0 / (self.plan.tableau.gamma * step);
        let coefficients = &setup.coefficients;
        let shared =
            Shared { space, flow: &self.flow, coefficients, closure: self.closure, inner, outer, shift };
        let energies = space.energy.len();
        let count = space.species.len() * energies;
        let edges = space.radial.edges.len();
        let mut all_edges = vec![[0.0; 3]; count * edges];
        for mut equations in super::steady::groups(setup, &shared) {
            let members: Vec<usize> = equations.members.iter().map(|&(s, k)| s * energies + k).collect();
            equations.known = super::steady::gather(known, count, &members);
            let start = super::steady::gather(moments, count, &members);
            let (solved, cells) = self.solve_group(state, &mut equations, start, step)?;
            let evaluated = equations.evaluate(&solved, &cells);
            for (c, &member) in members.iter().enumerate() {
                for (i, node) in solved.chunks_exact(members.len()).enumerate() {
                    moments[i * count + member] = node[c];
                }
                for edge in 0..edges {
                    all_edges[member * edges + edge] = evaluated.edge_moments(edge, c);
                }
            }
        }
        Ok(all_edges)
    }

    fn solve_group(
        &self,
        state: &mut State,
        equations: &mut Equations,
        start: Vec<Pair>,
        step: f64,
    ) -> Result<(Vec<Pair>, Cells)> {
        let space = equations.shared.space;
        let streaming = super::steady::streaming(space, &start);
        let mut cells = Cells::none(space, &self.flow, &streaming, equations.members.len());
        cells.mark_steep_spectra(equations, &start);
        let Limits { tolerance, .. } = self.plan.limits;
        let limits = Limits { tolerance: tolerance.max(super::TOLERANCE), iterations: super::MOST_STEPS };
        for round in 0..=ROUNDS {
            equations.energy = EnergyRedistribution::with_cells(&space.energy, &cells.energy);
            cells.follow(equations, &start);
            let mut u = start.clone();
            let mut go_on = |_: f64| !self.observer.stop_requested();
            let outcome =
                newton::solve(equations, &cells, &mut u, (Path::Free, 1e3 * step), limits, &mut go_on)?;
            state.newton_steps += outcome.steps;
            if outcome.status == Status::Interrupted {
                return Err(Error::Interrupted);
            }
            let before = cells.clone();
            let grown = cells.grow(equations, &u);
            let converged = outcome.status == Status::Converged;
            if round == ROUNDS || converged && !grown {
                state.status = state.status.and(outcome.status);
                state.reduced = larger(state.reduced, before.radial_share());
                return Ok((u, before));
            }
            if round + 1 == ROUNDS || !grown {
                cells = cells.everywhere();
            }
        }
        Err(Error::Numerical("the moment equations were given no round to be solved in".into()))
    }

    /// ‖local error‖₂/‖(J, H)‖₂ by the embedded method; backward Euler, which has none, takes half of the whole
    /// change for it.
    fn error(&self, before: &[Pair], slopes: &[Vec<Pair>], step: f64) -> f64 {
        let half = vec![0.5];
        let weights = self.plan.tableau.error_weights.as_ref().unwrap_or(&half);
        let (mut error, mut size) = (0.0, 0.0);
        for (n, pair) in before.iter().enumerate() {
            let sum = |of: fn(&Pair) -> f64| -> f64 {
                weights.iter().zip(slopes).map(|(weight, slope)| step * weight * of(&slope[n])).sum()
            };
            error += sum(|pair| pair.j).powi(2) + sum(|pair| pair.h).powi(2);
            size += pair.j * pair.j + pair.h * pair.h;
        }
        if error == 0.0 { 0.0 } else { (error / size.max(f64::MIN_POSITIVE)).sqrt() }
    }
}
