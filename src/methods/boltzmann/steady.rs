//! Steady state: A f = q for every species.

use crate::error::Result;
use crate::methods::setup::Setup;
use crate::progress::{Event, Observer};
use crate::solvers::block_tridiagonal::Structure;
use crate::solvers::krylov::{Limits, Outcome, Status};

use super::implicit::{ImplicitSolver, solve_uncoupled, structure};
use super::inelastic::{Inelastic, Pair};
use super::low_order::with_inelastic;
use super::newton::{NewtonOutcome, NonlinearSystem};
use super::operator::Operator;

/// f at (species, energy node, radial node, ordinate), ordinate fastest, and how it was found.
#[derive(Debug, Clone, PartialEq)]
pub struct SteadySolution {
    pub f: Vec<f64>,
    /// One per species; with inelastic collisions those of the last linear problem on the way to the
    /// first guess of Newton's method.
    pub outcomes: Vec<Outcome>,
    /// With inelastic collisions, which couple the species.
    pub newton: Option<NewtonOutcome>,
}

impl SteadySolution {
    /// The status of Newton's method, or the worst of all species.
    pub fn status(&self) -> Status {
        if let Some(newton) = &self.newton {
            return newton.status;
        }
        self.outcomes.iter().fold(Status::Converged, |worst, outcome| worst.and(outcome.status))
    }
}

/// Linear problems that lead to the first guess of Newton's method, and their residuals.
const GUESS_ROUNDS: usize = 3;
const GUESS_TOLERANCE: f64 = 1e-4;

/// Solves `setup` to `limits`.
///
/// # Errors
/// [`crate::error::Error::Interrupted`]; [`crate::error::Error::Numerical`] for a singular system.
pub fn solve(
    setup: &Setup,
    operator: &Operator,
    limits: Limits,
    observer: &dyn Observer,
) -> Result<SteadySolution> {
    let (inner, outer) = setup.boundaries.inflow(&setup.phase_space, 0.0)?;
    let q = operator.sources(&inner, &outer);
    let Some(inelastic) = &setup.inelastic else {
        let (f, outcomes) = solve_linear(setup, operator, &q, limits, observer)?;
        return Ok(SteadySolution { f, outcomes, newton: None });
    };
    let guess = Limits { tolerance: GUESS_TOLERANCE.max(limits.tolerance), ..limits };
    let (mut f, outcomes) = first_guess(setup, inelastic, (&inner, &outer), guess, observer)?;
    let system = NonlinearSystem {
        geometry: &setup.geometry,
        operator,
        inelastic,
        reflecting: setup.boundaries.reflecting(),
        shift: 0.0,
    };
    let mut progress = reporter("Newton", limits.tolerance, observer);
    let newton = system.solve(&q, &mut f, limits, &mut progress)?;
    drop(progress);
    Ok(SteadySolution { f, outcomes, newton: Some(newton) })
}

/// A distribution close enough for Newton's method to converge at once. Inelastic collisions emit and
/// absorb at the rates that given moments of f imply, so that each problem is linear with 0 ≤ f ≤ 1 as far
/// as the scheme keeps bounds: first the moments of equilibrium with the matter, which are exact in opaque
/// matter, and then twice those of the solution so far.
fn first_guess(
    setup: &Setup,
    inelastic: &Inelastic,
    inflow: (&[f64], &[f64]),
    limits: Limits,
    observer: &dyn Observer,
) -> Result<(Vec<f64>, Vec<Outcome>)> {
    let space = &setup.phase_space;
    let mut moments = inelastic.equilibrium(space, &setup.coefficients);
    for _ in 1..GUESS_ROUNDS {
        let (f, _) = solve_with_moments(setup, inelastic, &moments, inflow, limits, observer)?;
        moments = inelastic.moments(space, &f);
    }
    solve_with_moments(setup, inelastic, &moments, inflow, limits, observer)
}

/// Solves the linear problem in which inelastic collisions have the rates that `moments` imply.
fn solve_with_moments(
    setup: &Setup,
    inelastic: &Inelastic,
    moments: &[Pair],
    (inner, outer): (&[f64], &[f64]),
    limits: Limits,
    observer: &dyn Observer,
) -> Result<(Vec<f64>, Vec<Outcome>)> {
    let space = &setup.phase_space;
    let coefficients = with_inelastic(space, &setup.coefficients, &inelastic.rates(moments));
    let operator = Operator::new(&setup.geometry, space, &coefficients, setup.boundaries.reflecting());
    let q = operator.sources(inner, outer);
    solve_linear(setup, &operator, &q, limits, observer)
}

/// Solves without inelastic collisions, one species after the other (their energies are in work side by
/// side).
fn solve_linear(
    setup: &Setup,
    operator: &Operator,
    q: &[f64],
    limits: Limits,
    observer: &dyn Observer,
) -> Result<(Vec<f64>, Vec<Outcome>)> {
    let structure = structure(&operator.connection, &setup.phase_space);
    let unknowns = setup.phase_space.unknowns_per_species();
    let mut f = vec![0.0; setup.phase_space.unknowns()];
    let mut outcomes = Vec::with_capacity(setup.phase_space.species.len());
    for (species, (f, q)) in f.chunks_mut(unknowns).zip(q.chunks(unknowns)).enumerate() {
        let name = setup.phase_space.species[species].name.as_str();
        let mut progress = reporter(name, limits.tolerance, observer);
        outcomes.push(if q.iter().all(|&q| q == 0.0) {
            // Without sources f = 0, also where the operator alone is singular (a closed scattering box).
            Outcome { status: Status::Converged, iterations: 0, residuals: vec![0.0] }
        } else if operator.couples_energies() {
            solve_coupled(operator, &structure, species, q, f, limits, &mut progress)?
        } else {
            solve_uncoupled(operator, &structure, species, q, f, limits.tolerance, &mut progress)?
        });
    }
    Ok((f, outcomes))
}

/// Hands residuals on; false where the user wants to stop.
fn reporter<'a>(name: &'a str, tolerance: f64, observer: &'a dyn Observer) -> impl FnMut(f64) -> bool + 'a {
    let mut iteration = 0;
    move |residual| {
        observer.report(Event::Residual { species: name, iteration, residual, tolerance });
        iteration += 1;
        !observer.stop_requested()
    }
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
