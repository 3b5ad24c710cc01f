//! The two-moment method (M1): the equations of J and H of every energy and species in the same comoving
//! frame and with the same connection terms and collisions as the Boltzmann method, closed by an assumed
//! relation of K and L to J and H (docs/m1.md). Its error against the Boltzmann method is the closure's.

mod cells;
mod closed;
mod equations;
pub mod evolution;
mod flow;
mod newton;
mod steady;

use crate::diagnostics::moments::Moments;
use crate::error::{Error, Result};
use crate::methods::boltzmann::inelastic::Pair;
use crate::methods::boundary::Boundary;
use crate::methods::closures::Closure;
use crate::methods::setup::Setup;
use crate::phase_space::EnergyGrid;
use crate::progress::Observer;
use crate::solvers::krylov::{Limits, Status};

use closed::Closed;
use equations::{Outside, Shared};
use flow::Flow;

/// Smaller tolerances are not asked for: where the closure's characteristics coincide, in free streaming, the
/// equations amplify rounding, and the closure's own error is of the order of per cents.
pub const TOLERANCE: f64 = 1e-8;
/// Newton steps of one group with the same cells at most.
pub const MOST_STEPS: usize = 200;

/// Moments of one state, and how they were found.
#[derive(Debug, Clone, PartialEq)]
pub struct M1Solution {
    /// J, H, K, L at (species, energy node, radial node), radial node fastest.
    pub moments: Moments,
    /// J, H, K that the numerical fluxes through the element edges carry, at (species, energy node, edge).
    pub edges: Moments,
    pub status: Status,
    /// Newton steps of the slowest group of energies and species that are solved together.
    pub steps: usize,
    pub residuals: Vec<f64>,
    /// Share of the radial elements with first-order cells at (species, energy).
    pub reduced: Vec<f64>,
}

/// Steady state of `setup` with `closure`, to the relative residual `limits.tolerance`.
///
/// # Errors
/// Moving matter without a spectrum, [`Error::Interrupted`], a singular Jacobian.
pub fn solve(setup: &Setup, closure: Closure, limits: Limits, observer: &dyn Observer) -> Result<M1Solution> {
    refuse_gray_motion(setup)?;
    let space = &setup.phase_space;
    let flow = Flow::new(&setup.geometry, space);
    let (inner, outer) = outside(setup, closure, 0.0)?;
    let coefficients = &setup.coefficients;
    let shared = Shared { space, flow: &flow, coefficients, closure, inner, outer, shift: 0.0 };
    let solved = steady::solve(setup, &shared, limits, observer)?;
    Ok(M1Solution {
        moments: closed_moments(setup, closure, &solved.moments),
        edges: edge_moments(&solved.edges),
        status: solved.status,
        steps: solved.steps,
        residuals: solved.residuals,
        reduced: solved.reduced,
    })
}

/// Bytes that the elimination of the largest group needs at its peak, with the opacities and kernels.
pub fn memory_estimate(setup: &Setup) -> u64 {
    let space = &setup.phase_space;
    let flow = Flow::new(&setup.geometry, space);
    let all = space.species.len() * space.energy.len();
    let members = match (&setup.inelastic, flow.shifts_energies()) {
        (Some(_), _) => all,
        (None, true) => space.energy.len(),
        (None, false) => 1,
    };
    let channels = 2 * members as u64;
    let size = space.radial.per_element() as u64 * channels;
    let groups = (all / members).min(rayon::current_num_threads()) as u64;
    let elimination = 8 * groups * (2 * size * size + space.radial.elements() as u64 * size * channels);
    let opacities = 32 * (all * space.radial.nodes.len()) as u64;
    elimination + opacities + setup.inelastic.as_ref().map_or(0, |inelastic| inelastic.bytes())
}

/// Without a spectrum the energy at infinity αWε(1+vμ) is the variable, and its powers are no polynomials
/// of μ in moving matter: two moments do not give the energy flux.
fn refuse_gray_motion(setup: &Setup) -> Result<()> {
    let moves = setup.geometry.velocity.iter().any(|&v| v != 0.0);
    if moves && matches!(setup.phase_space.energy, EnergyGrid::Gray) {
        let valid =
            "elements in energy: moments of a gray distribution do not tell its flux in moving matter";
        return Err(Error::field("phase_space.energy", "Gray with a velocity", valid));
    }
    Ok(())
}

/// The conditions at the two ends at `time`.
fn outside(setup: &Setup, closure: Closure, time: f64) -> Result<(Outside, Outside)> {
    let (inner, outer) = setup.boundaries.inflow(&setup.phase_space, time)?;
    let condition = |boundary: &Boundary, f: &[f64]| match boundary {
        Boundary::Vacuum => Outside::Vacuum,
        Boundary::Reflecting => Outside::Reflecting,
        Boundary::Given(_) => Outside::Given(given(setup, closure, f)),
    };
    Ok((condition(&setup.boundaries.inner, &inner), condition(&setup.boundaries.outer, &outer)))
}

/// Moments of f at (energy node, ordinate); the speeds are the closure's, the moments are f's own.
fn given(setup: &Setup, closure: Closure, f: &[f64]) -> Vec<Closed> {
    let angular = &setup.phase_space.angular;
    f.chunks_exact(angular.nodes.len())
        .map(|f| {
            let moment = |power: i32| -> f64 {
                let ordinates = f.iter().zip(&angular.weights).zip(&angular.nodes);
                ordinates.map(|((f, w), mu)| 0.5 * w * f * mu.powi(power)).sum()
            };
            let closed = Closed::new(closure, Pair { j: moment(0), h: moment(1) });
            Closed { k: moment(2), l: moment(3), ..closed }
        })
        .collect()
}

fn edge_moments(edges: &[[f64; 3]]) -> Moments {
    let pick = |n: usize| edges.iter().map(|moments| moments[n]).collect();
    Moments { j: pick(0), h: pick(1), k: pick(2), l: vec![0.0; edges.len()] }
}

/// J and H of `moments` at (radial node, species, energy node), energy fastest.
pub fn pairs(setup: &Setup, moments: &Moments) -> Vec<Pair> {
    let radii = setup.phase_space.radial.nodes.len();
    let count = moments.j.len() / radii;
    let at = |i: usize, member: usize| member * radii + i;
    (0..radii)
        .flat_map(|i| (0..count).map(move |member| at(i, member)))
        .map(|n| Pair { j: moments.j[n], h: moments.h[n] })
        .collect()
}

/// From (radial node, species, energy) to (species, energy, radial node), with K and L.
fn closed_moments(setup: &Setup, closure: Closure, pairs: &[Pair]) -> Moments {
    let radii = setup.phase_space.radial.nodes.len();
    let count = pairs.len() / radii;
    let mut moments = Moments::default();
    for member in 0..count {
        for i in 0..radii {
            let closed = Closed::new(closure, pairs[i * count + member]);
            moments.j.push(closed.j);
            moments.h.push(closed.h);
            moments.k.push(closed.k);
            moments.l.push(closed.l);
        }
    }
    moments
}
