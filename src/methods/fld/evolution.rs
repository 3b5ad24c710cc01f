//! Time evolution of J by the singly diagonally implicit Runge-Kutta methods and the step control of the
//! Boltzmann method. (W/α)(J + vH) is what a stage conserves.

use crate::diagnostics::moments::Moments;
use crate::error::{Error, Result};
use crate::extremes::largest;
use crate::methods::setup::Setup;
use crate::methods::steps::{Clock, Plan, Stepper};
use crate::progress::{Observer, Silent};
use crate::solvers::krylov::{Limits, Status};

use super::discrete::Discrete;
use super::face::Face;
use super::iterate::Solved;
use super::limiter::Limiter;
use super::steady::{self, Stage};

/// The state of an evolution on the cells and lines of the scheme.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    pub clock: Clock,
    /// J at (radial node, member) of each group, and the fluxes of the last stage.
    j: Vec<Vec<f64>>,
    faces: Vec<Vec<Face>>,
    /// (W/α)(J + vH).
    stored: Vec<Vec<f64>>,
    /// Steps of Newton's method of the slowest groups of all stages.
    pub newton_steps: usize,
    pub status: Status,
    /// Largest |residual| of the number balance of a stage.
    pub imbalance: f64,
}

/// An evolution with one limiter.
pub struct Evolution<'a> {
    setup: &'a Setup,
    plan: &'a Plan,
    discrete: Discrete<'a>,
    observer: &'a dyn Observer,
}

/// What a tried step ends with: J, fluxes and what is conserved, as in [`State`].
pub struct Trial {
    j: Vec<Vec<f64>>,
    faces: Vec<Vec<Face>>,
    stored: Vec<Vec<f64>>,
}

impl Trial {
    /// From the J of `state` on.
    fn new(state: &State) -> Self {
        Self { j: state.j.clone(), faces: Vec::new(), stored: Vec::new() }
    }
}

/// J below 0 that is rounding, relative to the largest of the group.
const ROUNDING: f64 = 1e-12;

impl<'a> Evolution<'a> {
    /// # Errors
    /// A boundary condition that is negative or not finite.
    pub fn new(
        setup: &'a Setup,
        plan: &'a Plan,
        limiter: Limiter,
        observer: &'a dyn Observer,
    ) -> Result<Self> {
        Ok(Self { setup, plan, discrete: Discrete::new(setup, limiter, plan.start)?, observer })
    }

    /// The state at the start, from J and H at (species, energy node, radial node).
    pub fn start(&self, moments: &Moments) -> State {
        let Discrete { mesh, lines, groups, .. } = &self.discrete;
        let energies = self.setup.phase_space.energy.len();
        let (mut j, mut faces, mut stored) = (Vec::new(), Vec::new(), Vec::new());
        for group in groups {
            let places = (0..mesh.nodes).flat_map(|i| group.members.iter().map(move |&member| (i, member)));
            let at = |values: &dyn Fn(usize) -> f64| -> Vec<f64> {
                let value = |(i, (s, p)): (usize, (usize, usize))| {
                    lines.at_line(p, mesh.clock[i], |k| values((s * energies + k) * mesh.nodes + i))
                };
                places.clone().map(value).collect()
            };
            let velocity = &self.setup.geometry.velocity;
            let density = at(&|n| moments.j[n] + velocity[n % mesh.nodes] * moments.h[n]);
            let clock = |n: usize| mesh.time[n / group.members.len()];
            stored.push(density.iter().enumerate().map(|(n, density)| clock(n) * density).collect());
            j.push(at(&|n| moments.j[n]));
            faces.push(Vec::new());
        }
        for (g, group) in groups.iter().enumerate() {
            faces[g] = steady::system_of(&self.discrete, group).state(&j[g], &[]).faces;
        }
        State {
            clock: Clock::new(self.plan),
            j,
            faces,
            stored,
            newton_steps: 0,
            status: Status::Converged,
            imbalance: 0.0,
        }
    }

    /// Moments at the nodes of the setup.
    pub fn moments(&self, state: &State) -> Moments {
        let parts = state.j.iter().zip(&state.faces).map(|(j, faces)| (j.as_slice(), faces.as_slice()));
        steady::moments(&self.discrete, parts)
    }

    /// Neutrinos of each species on the slice t = const: (4π)²/(hc)³ ∫∫ X r² W (J + vH) ε² dε dr, by the cells
    /// of the scheme.
    pub fn number(&self, state: &State) -> Vec<f64> {
        let Discrete { mesh, lines, groups, .. } = &self.discrete;
        let mut number = vec![0.0; self.setup.phase_space.species.len()];
        for (group, stored) in groups.iter().zip(&state.stored) {
            for (n, stored) in stored.iter().enumerate() {
                let (s, p) = group.members[n % group.members.len()];
                number[s] += mesh.volume[n / group.members.len()] * lines.weight[p] * stored;
            }
        }
        let states = (4.0 * std::f64::consts::PI).powi(2) / self.setup.units.planck_c_cubed();
        number.iter().map(|number| number * states).collect()
    }

    /// All stages of one step by the plan's method, with its relative local error.
    fn stages(&mut self, state: &mut State, step: f64) -> Result<(Trial, f64)> {
        let tableau = &self.plan.tableau;
        let mut slopes: Vec<Vec<Vec<f64>>> = Vec::with_capacity(tableau.stages());
        let mut trial = Trial::new(state);
        for stage in 0..tableau.stages() {
            let mut known = state.stored.clone();
            for (slope, a) in slopes.iter().zip(&tableau.below[stage]) {
                add(&mut known, slope, step * a);
            }
            let time = state.clock.time + tableau.abscissa(stage) * step;
            self.solve_stage(state, &known, &mut trial, time, tableau.gamma * step)?;
            let mut slope = trial.stored.clone();
            add(&mut slope, &known, -1.0);
            slope.iter_mut().flatten().for_each(|slope| *slope /= tableau.gamma * step);
            slopes.push(slope);
        }
        // Backward Euler's error is half of the change of a slope, at most half of the whole change.
        let weights = tableau.error_weights.clone().unwrap_or_else(|| vec![0.5]);
        let mut error: Vec<Vec<f64>> = zeros(&state.stored);
        slopes.iter().zip(&weights).for_each(|(slope, weight)| add(&mut error, slope, step * weight));
        let error = relative(&error, &state.stored, &trial.stored);
        Ok((trial, error))
    }

    /// One step by backward Euler; its error is the difference to `other`.
    fn euler(&mut self, state: &mut State, mut other: Trial, step: f64) -> Result<(Trial, f64)> {
        let mut trial = Trial::new(state);
        let known = state.stored.clone();
        self.solve_stage(state, &known, &mut trial, state.clock.time + step, step)?;
        add(&mut other.stored, &trial.stored, -1.0);
        let error = relative(&other.stored, &state.stored, &trial.stored);
        Ok((trial, error))
    }

    /// Solves one implicit stage of length `length` that ends at `time`, from the J of `trial` on.
    fn solve_stage(
        &mut self,
        state: &mut State,
        known: &[Vec<f64>],
        trial: &mut Trial,
        time: f64,
        length: f64,
    ) -> Result<()> {
        self.discrete.set_time(time)?;
        let shift = 1.0 / length;
        let stage = Stage { shift, guess: &trial.j, known };
        let limits =
            Limits { tolerance: self.plan.limits.tolerance.max(super::TOLERANCE), ..self.plan.limits };
        let solved = steady::solve(&self.discrete, Some(&stage), limits, &Silent)?;
        if self.observer.stop_requested() {
            return Err(Error::Interrupted);
        }
        let outcome = steady::outcome(&solved);
        state.status = state.status.and(outcome.status);
        state.newton_steps += outcome.iterations;
        let balances = steady::balances(&self.discrete, Some(&stage), &solved);
        state.imbalance = largest([state.imbalance, largest(balances.iter().map(|b| b.residual().abs()))]);
        trial.stored = steady::stored(&self.discrete, &solved);
        (trial.j, trial.faces) = solved.into_iter().map(|Solved { j, state, .. }| (j, state.faces)).unzip();
        Ok(())
    }
}

impl Stepper for Evolution<'_> {
    type State = State;
    type Trial = Trial;

    fn clock(state: &mut State) -> &mut Clock {
        &mut state.clock
    }

    /// One step by the plan's method or, where that leaves J ≥ 0, by backward Euler, which does not.
    fn try_step(&mut self, state: &mut State, step: f64) -> Result<(Trial, f64)> {
        let (trial, error) = self.stages(state, step)?;
        if self.plan.tableau.stages() == 1 || !trial.j.iter().any(|j| goes_below_zero(j)) {
            return Ok((trial, error));
        }
        self.euler(state, trial, step)
    }

    fn accept(&mut self, state: &mut State, trial: Trial) {
        (state.j, state.faces, state.stored) = (trial.j, trial.faces, trial.stored);
    }
}

fn goes_below_zero(j: &[f64]) -> bool {
    let top = largest(j.iter().map(|j| j.abs()));
    j.iter().any(|&j| j < -ROUNDING * top)
}

fn zeros(like: &[Vec<f64>]) -> Vec<Vec<f64>> {
    like.iter().map(|group| vec![0.0; group.len()]).collect()
}

/// Adds `factor` × `other` to `sum`.
fn add(sum: &mut [Vec<f64>], other: &[Vec<f64>], factor: f64) {
    sum.iter_mut().flatten().zip(other.iter().flatten()).for_each(|(sum, other)| *sum += factor * other);
}

/// ‖error‖₂ over the larger of ‖before‖₂ and ‖after‖₂.
fn relative(error: &[Vec<f64>], before: &[Vec<f64>], after: &[Vec<f64>]) -> f64 {
    let square = |values: &[Vec<f64>]| values.iter().flatten().map(|v| v * v).sum::<f64>();
    let (error, size) = (square(error), square(before).max(square(after)));
    if error == 0.0 { 0.0 } else { (error / size.max(f64::MIN_POSITIVE)).sqrt() }
}
