//! Steady state: A f = q for every species.

use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::methods::coefficients::Coefficients;
use crate::methods::setup::Setup;
use crate::opacities::LocalOpacity;
use crate::opacities::kernels::AngularMoments;
use crate::progress::{Event, Observer};
use crate::solvers::block_tridiagonal::Structure;
use crate::solvers::krylov::{Limits, Outcome, Status};

use super::implicit::{ImplicitSolver, solve_uncoupled, structure};
use super::inelastic::Inelastic;
use super::newton::{NewtonOutcome, NonlinearSystem};
use super::operator::Operator;

/// f at (species, energy node, radial node, ordinate), ordinate fastest, and how it was found.
#[derive(Debug, Clone, PartialEq)]
pub struct SteadySolution {
    pub f: Vec<f64>,
    /// One per species; with inelastic collisions those of the linear problem that Newton's method
    /// starts from.
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

/// Residual of the linear problem from which Newton's method starts.
const FIRST_GUESS: f64 = 1e-3;

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
    let q = source(setup, operator, &inner, &outer);
    let Some(inelastic) = &setup.inelastic else {
        let (f, outcomes) = solve_linear(setup, operator, &q, limits, observer)?;
        return Ok(SteadySolution { f, outcomes, newton: None });
    };
    let guess = Limits { tolerance: FIRST_GUESS.max(limits.tolerance), ..limits };
    let thermal = with_thermal_pairs(setup, inelastic)?;
    let reflecting = setup.boundaries.reflecting();
    let first = Operator::new(&setup.geometry, &setup.phase_space, &thermal, reflecting);
    let first_q = source(setup, &first, &inner, &outer);
    let (mut f, outcomes) = solve_linear(setup, &first, &first_q, guess, observer)?;
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

/// Emission and inflow of all species.
fn source(setup: &Setup, operator: &Operator, inner: &[f64], outer: &[f64]) -> Vec<f64> {
    let species = 0..setup.phase_space.species.len();
    species.flat_map(|species| operator.source(species, inner, outer, 0.0)).collect()
}

/// The opacities of the problem from which Newton's method starts: pair processes emit and absorb as with
/// partners in equilibrium, so that f comes out thermal where they are opaque. From f = 0 Newton's first
/// step would go far beyond.
fn with_thermal_pairs(setup: &Setup, inelastic: &Inelastic) -> Result<Coefficients> {
    let space = &setup.phase_space;
    let (species, energies) = (space.species.len(), space.energy.len());
    let pairs = (0..space.radial.nodes.len())
        .into_par_iter()
        .map(|i| {
            let j = equilibrium(setup, i);
            let none = vec![0.0; energies];
            let moments: Vec<AngularMoments> =
                j.chunks(energies).map(|j| AngularMoments { j, h: &none }).collect();
            let rates = |s: usize| inelastic.nodes()[i].pair_rates(s, &moments, inelastic.weight());
            (0..species).map(rates).collect::<Option<Vec<_>>>()
        })
        .collect::<Option<Vec<_>>>()
        .ok_or_else(|| Error::Numerical("inelastic kernels do not fit the energies".into()))?;
    Ok(Coefficients::sample(space, |s, k, i| {
        let (elastic, pair) = (setup.coefficients.at(setup.coefficients.first(s, k) + i), &pairs[i][s][k]);
        let (gain, loss) = (pair.gain[0], pair.loss[0]);
        LocalOpacity {
            absorption: elastic.absorption + gain + loss,
            emissivity: elastic.emissivity + gain,
            ..*elastic
        }
    }))
}

/// f_eq at (species, energy) of radial node `i`: of the opacities, or without any the Fermi-Dirac function
/// with the matter's temperature and no chemical potential.
fn equilibrium(setup: &Setup, i: usize) -> Vec<f64> {
    let space = &setup.phase_space;
    let temperature = setup.background.matter(space.radial.nodes[i]).map_or(0.0, |m| m.temperature);
    let thermal =
        |energy: f64| if temperature > 0.0 { 1.0 / ((energy / temperature).exp() + 1.0) } else { 0.0 };
    (0..space.species.len())
        .flat_map(|s| (0..space.energy.len()).map(move |k| (s, k)))
        .map(|(s, k)| {
            let local = setup.coefficients.at(setup.coefficients.first(s, k) + i);
            if local.absorption > 0.0 {
                local.emissivity / local.absorption
            } else {
                thermal(space.energy.node(k))
            }
        })
        .collect()
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
