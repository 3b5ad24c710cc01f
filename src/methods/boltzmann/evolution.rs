//! Time evolution M ∂f/∂t + A f = q with singly diagonally implicit Runge-Kutta methods. Every stage solves the
//! same linear problem as a steady state, with the shift 1/(γΔt).

use rayon::prelude::*;

use crate::diagnostics::moments::Moments;
use crate::diagnostics::{balance, exchange};
use crate::error::Result;
use crate::extremes::larger;
use crate::methods::setup::Setup;
use crate::methods::steps::{Clock, Plan, Stepper, march};
use crate::progress::Observer;
use crate::solvers::block_tridiagonal::Structure;
use crate::solvers::dense::Precision;
use crate::solvers::krylov::Status;

use super::implicit::{ImplicitSolver, structure};
use super::inelastic::Inelastic;
use super::newton::NonlinearSystem;
use super::operator::Operator;

/// The state of an evolution.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    pub clock: Clock,
    /// f at (species, energy node, radial node, ordinate), ordinate fastest.
    pub f: Vec<f64>,
    pub factorisations: usize,
    /// Steps of Newton's method, with inelastic collisions.
    pub newton_steps: usize,
    pub iterations: usize,
    /// Largest final residual of any stage.
    pub residual: f64,
    pub status: Status,
    /// Per species: neutrinos gained since the start by the balance of the scheme's own fluxes.
    pub gained: Vec<f64>,
}

impl State {
    /// The state at the start of an evolution.
    pub fn new(setup: &Setup, plan: &Plan, f: Vec<f64>) -> Self {
        Self {
            clock: Clock::new(plan),
            f,
            factorisations: 0,
            newton_steps: 0,
            iterations: 0,
            residual: 0.0,
            status: Status::Converged,
            gained: vec![0.0; setup.phase_space.species.len()],
        }
    }
}

/// Integrates from `state` over the times of `plan` that lie after it, handing each reached state to
/// `reached`.
///
/// # Errors
/// [`crate::error::Error::Interrupted`] when the observer asks to stop (what was handed out is complete);
/// [`crate::error::Error::Numerical`] where a step cannot be solved or the step size vanishes.
pub fn evolve(
    setup: &Setup,
    operator: &Operator,
    plan: &Plan,
    state: &mut State,
    observer: &dyn Observer,
    reached: &mut dyn FnMut(&State) -> Result<()>,
) -> Result<()> {
    let structure = structure(&operator.connection, &setup.phase_space);
    if operator.couples_energies() {
        let mut integrator = Integrator::<f32>::new(setup, operator, &structure, plan, observer);
        march(&mut integrator, plan, state, observer, &mut |_, state| reached(state))
    } else {
        let mut integrator = Integrator::<f64>::new(setup, operator, &structure, plan, observer);
        march(&mut integrator, plan, state, observer, &mut |_, state| reached(state))
    }
}

/// Steps whose relative difference is smaller are the same: the sum of many such differences stays far
/// below the error of one step.
const SAME_STEP: f64 = 1e-9;

struct Integrator<'a, T> {
    setup: &'a Setup,
    operator: &'a Operator<'a>,
    structure: &'a Structure,
    plan: &'a Plan,
    observer: &'a dyn Observer,
    /// Factors of all species for one step.
    solvers: Option<(f64, Vec<ImplicitSolver<'a, T>>)>,
    /// Slope of the last step, which backward Euler's error estimate needs.
    last_slope: Option<Vec<f64>>,
}

/// Result of a tried step.
struct Trial {
    f: Vec<f64>,
    gained: Vec<f64>,
    slope: Vec<f64>,
}

impl<T: Precision> Stepper for Integrator<'_, T> {
    type State = State;
    type Trial = Trial;

    fn clock(state: &mut State) -> &mut Clock {
        &mut state.clock
    }

    /// The step that there are factors for, where it differs from `step` by rounding only.
    fn length(&self, step: f64) -> f64 {
        match &self.solvers {
            Some((done, _)) if (done - step).abs() <= SAME_STEP * step => *done,
            _ => step,
        }
    }

    fn try_step(&mut self, state: &mut State, step: f64) -> Result<(Trial, f64)> {
        self.prepare(state, step)?;
        let tableau = &self.plan.tableau;
        let mut slopes: Vec<Vec<f64>> = Vec::with_capacity(tableau.stages());
        let mut gained = vec![0.0; state.gained.len()];
        let mut f = state.f.clone();
        for stage in 0..tableau.stages() {
            let mut known = state.f.clone();
            for (slope, a) in slopes.iter().zip(&tableau.below[stage]) {
                known.par_iter_mut().zip(slope).for_each(|(g, k)| *g += step * a * k);
            }
            let time = state.clock.time + tableau.abscissa(stage) * step;
            let inflow = self.setup.boundaries.inflow(&self.setup.phase_space, time)?;
            self.solve_stage(state, &known, &mut f, step, &inflow)?;
            let weight = step * tableau.weight(stage) * self.setup.units.time_unit();
            let exchange = exchange::of_setup(self.setup, &Moments::new(&self.setup.phase_space, &f))?;
            let rates = balance::rates(self.setup, self.operator, &f, &exchange, (&inflow.0, &inflow.1));
            gained.iter_mut().zip(&rates).for_each(|(sum, rates)| *sum += weight * rates.number_gain());
            let scale = 1.0 / (tableau.gamma * step);
            let slope = f.par_iter().zip(&known).map(|(f, g)| (f - g) * scale).collect();
            slopes.push(slope);
        }
        let error = self.error_norm(&state.f, &f, &slopes, step);
        let slope = slopes.pop().unwrap_or_default();
        Ok((Trial { f, gained, slope }, error))
    }

    fn accept(&mut self, state: &mut State, trial: Trial) {
        state.f = trial.f;
        state.gained.iter_mut().zip(&trial.gained).for_each(|(sum, gained)| *sum += gained);
        self.last_slope = Some(trial.slope);
    }
}

impl<'a, T: Precision> Integrator<'a, T> {
    fn new(
        setup: &'a Setup,
        operator: &'a Operator<'a>,
        structure: &'a Structure,
        plan: &'a Plan,
        observer: &'a dyn Observer,
    ) -> Self {
        Self { setup, operator, structure, plan, observer, solvers: None, last_slope: None }
    }

    /// Factorises for `step` unless that is what the factors are for.
    fn prepare(&mut self, state: &mut State, step: f64) -> Result<()> {
        // Newton's method makes its own factors at the state that it linearises about.
        let linear = self.setup.inelastic.is_none();
        if !linear || self.solvers.as_ref().is_some_and(|(done, _)| *done == step) {
            return Ok(());
        }
        // Free the old factors before the new ones are made.
        self.solvers = None;
        let shift = 1.0 / (self.plan.tableau.gamma * step);
        let species = self.setup.phase_space.species.len();
        let (operator, structure) = (self.operator, self.structure);
        let solvers = (0..species)
            .map(|species| ImplicitSolver::new(operator, structure, species, shift))
            .collect::<Result<_>>()?;
        state.factorisations += 1;
        self.solvers = Some((step, solvers));
        Ok(())
    }

    /// Solves (A + M/(γΔt)) f = q + M g/(γΔt) for every species, from the last `f` on.
    fn solve_stage(
        &self,
        state: &mut State,
        known: &[f64],
        f: &mut [f64],
        step: f64,
        (inner, outer): &(Vec<f64>, Vec<f64>),
    ) -> Result<()> {
        let shift = 1.0 / (self.plan.tableau.gamma * step);
        let time_factor = &self.operator.time_factor;
        let mut q = self.operator.sources(inner, outer);
        q.par_iter_mut().zip(known).enumerate().for_each(|(n, (q, g))| {
            *q += shift * time_factor[n % time_factor.len()] * g;
        });
        match &self.setup.inelastic {
            None => self.solve_linear_stage(state, &q, f),
            Some(inelastic) => self.solve_nonlinear_stage(state, &q, f, shift, inelastic),
        }
    }

    fn solve_linear_stage(&self, state: &mut State, q: &[f64], f: &mut [f64]) -> Result<()> {
        let Some((_, solvers)) = &self.solvers else { return Ok(()) };
        let unknowns = self.setup.phase_space.unknowns_per_species();
        for (solver, (f, q)) in solvers.iter().zip(f.chunks_exact_mut(unknowns).zip(q.chunks_exact(unknowns)))
        {
            let mut go_on = |_: f64| !self.observer.stop_requested();
            let outcome = solver.solve(q, f, self.plan.limits, &mut go_on)?;
            state.iterations += outcome.iterations;
            state.status = state.status.and(outcome.status);
            state.residual = larger(state.residual, outcome.residuals.last().copied().unwrap_or(0.0));
        }
        Ok(())
    }

    fn solve_nonlinear_stage(
        &self,
        state: &mut State,
        q: &[f64],
        f: &mut [f64],
        shift: f64,
        inelastic: &Inelastic,
    ) -> Result<()> {
        let system = NonlinearSystem {
            geometry: &self.setup.geometry,
            operator: self.operator,
            inelastic,
            reflecting: self.setup.boundaries.reflecting(),
            shift,
        };
        let mut go_on = |_: f64| !self.observer.stop_requested();
        let outcome = system.solve(q, f, self.plan.limits, &mut go_on)?;
        state.iterations += outcome.linear_iterations;
        state.newton_steps += outcome.newton_steps;
        state.factorisations += outcome.newton_steps;
        state.status = state.status.and(outcome.status);
        state.residual = larger(state.residual, outcome.residuals.last().copied().unwrap_or(0.0));
        Ok(())
    }

    /// ‖local error‖₂/‖f‖₂ by the embedded method; backward Euler compares the slopes of two steps, and
    /// takes the whole change for the error of the first.
    fn error_norm(&self, before: &[f64], after: &[f64], slopes: &[Vec<f64>], step: f64) -> f64 {
        let error = |n: usize| -> f64 {
            match (&self.plan.tableau.error_weights, &self.last_slope) {
                (Some(weights), _) => step * weights.iter().zip(slopes).map(|(w, k)| w * k[n]).sum::<f64>(),
                (None, Some(last)) => 0.5 * step * (slopes[0][n] - last[n]),
                (None, None) => after[n] - before[n],
            }
        };
        let squares = |range: std::ops::Range<usize>| -> [f64; 3] {
            range.fold([0.0; 3], |[e, b, a], n| {
                [e + error(n).powi(2), b + before[n].powi(2), a + after[n].powi(2)]
            })
        };
        // Chunks of fixed length, so that the sum does not depend on the number of threads.
        let parts: Vec<[f64; 3]> = (0..before.len().div_ceil(CHUNK))
            .into_par_iter()
            .map(|chunk| squares(chunk * CHUNK..((chunk + 1) * CHUNK).min(before.len())))
            .collect();
        let sums = parts.iter().fold([0.0; 3], |s, p| [s[0] + p[0], s[1] + p[1], s[2] + p[2]]);
        let size = sums[1].max(sums[2]);
        if sums[0] == 0.0 { 0.0 } else { (sums[0] / size.max(f64::MIN_POSITIVE)).sqrt() }
    }
}

/// Length of the pieces of sums.
const CHUNK: usize = 8192;
