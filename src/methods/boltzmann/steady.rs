//! Steady state: A f = q for every species.

use crate::error::Result;
use crate::methods::setup::Setup;
use crate::progress::{Event, Observer};
use crate::solvers::block_tridiagonal::Structure;
use crate::solvers::krylov::{Limits, Outcome, Status};

use super::implicit::{ImplicitSolver, solve_uncoupled, structure};
use super::operator::Operator;

/// f at (species, energy node, radial node, ordinate), ordinate fastest, and how it was found.
#[derive(Debug, Clone, PartialEq)]
pub struct SteadySolution {
    pub f: Vec<f64>,
    /// One per species.
    pub outcomes: Vec<Outcome>,
}

impl SteadySolution {
    /// The worst status of all species.
    pub fn status(&self) -> Status {
        self.outcomes.iter().fold(Status::Converged, |worst, outcome| worst.and(outcome.status))
    }
}

/// Solves `setup` to `limits`, one species after the other (their energies are in work side by side).
///
/// # Errors
/// [`crate::error::Error::Interrupted`]; [`crate::error::Error::Numerical`] for a singular system.
pub fn solve(
    setup: &Setup,
    operator: &Operator,
    limits: Limits,
    observer: &dyn Observer,
) -> Result<SteadySolution> {
    let structure = structure(&operator.connection, &setup.phase_space);
    let (inner, outer) = setup.boundaries.inflow(&setup.phase_space, 0.0)?;
    let unknowns = setup.phase_space.unknowns_per_species();
    let mut f = vec![0.0; setup.phase_space.unknowns()];
    let mut outcomes = Vec::with_capacity(setup.phase_space.species.len());
    for (species, f) in f.chunks_mut(unknowns).enumerate() {
        let q = operator.source(species, &inner, &outer, 0.0);
        let name = setup.phase_space.species[species].name.as_str();
        let mut iteration = 0;
        let mut progress = |residual: f64| {
            let tolerance = limits.tolerance;
            observer.report(Event::Residual { species: name, iteration, residual, tolerance });
            iteration += 1;
            !observer.stop_requested()
        };
        outcomes.push(if operator.couples_energies() {
            solve_coupled(operator, &structure, species, &q, f, limits, &mut progress)?
        } else {
            solve_uncoupled(operator, &structure, species, &q, f, limits.tolerance, &mut progress)?
        });
    }
    Ok(SteadySolution { f, outcomes })
}

/// Iterates with factors in f32, and goes on with factors in f64 where those are not good enough.
fn solve_coupled(
    operator: &Operator,
    structure: &Structure,
    species: usize,
    q: &[f64],
    f: &mut [f64],
    limits: Limits,
    progress: &mut dyn FnMut(f64) -> bool,
) -> Result<Outcome> {
    let single = ImplicitSolver::<f32>::new(operator, structure, species, 0.0)?;
    let mut outcome = single.solve(q, f, limits, progress)?;
    drop(single);
    if outcome.status == Status::Stalled {
        let double = ImplicitSolver::<f64>::new(operator, structure, species, 0.0)?;
        let left = Limits { iterations: limits.iterations.saturating_sub(outcome.iterations), ..limits };
        let second = double.solve(q, f, left, progress)?;
        outcome.status = second.status;
        outcome.iterations += second.iterations;
        outcome.residuals.extend(second.residuals);
    }
    Ok(outcome)
}
