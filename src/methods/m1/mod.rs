//! The two-moment method (M1): the equations of J and H of every energy and species in the same comoving
//! frame and with the same connection terms and collisions as the Boltzmann method, closed by an assumed
//! relation of K and L to J and H (docs/m1.md). Its error against the Boltzmann method is the closure's.

mod closed;
mod equations;
pub mod evolution;
mod flow;
mod guess;
mod linear;
mod newton;
mod nodes;
mod reconstruction;
mod steady;

use crate::diagnostics::moments::Moments;
use crate::error::{Error, Result};
use crate::extremes::largest;
use crate::methods::boltzmann::inelastic::Pair;
use crate::methods::boundary::Boundary;
use crate::methods::closures::Closure;
use crate::methods::setup::Setup;
use crate::phase_space::{EnergyGrid, PhaseSpace};
use crate::progress::Observer;
use crate::solvers::krylov::{Limits, Status};

use equations::{Outside, Shared};
use flow::Flow;

/// Smaller tolerances are not asked for: where the closure's characteristics coincide, in free streaming, the
/// equations amplify rounding, and the closure's own error is of the order of per cents.
pub const TOLERANCE: f64 = 1e-8;
/// Newton steps of one group with the same cells at most.
pub const MOST_STEPS: usize = 600;

/// Moments of one state, and how they were found.
#[derive(Debug, Clone, PartialEq)]
pub struct M1Solution {
    /// J, H, K, L at (species, energy node, radial node) of the problem's own grid, radial node fastest.
    pub moments: Moments,
    /// J, H, K that the numerical fluxes carry through the element edges, at (species, energy node, edge).
    pub edges: Moments,
    pub status: Status,
    /// Newton steps of the slowest group of energies and species that are solved together.
    pub steps: usize,
    pub residuals: Vec<f64>,
    /// Largest relative change of J by the last reconstruction.
    pub reconstruction_change: f64,
}

/// Steady state on the `cells` ([`super::moment_grid::on_cells`]) with `closure`, to the relative residual
/// `limits.tolerance`, given at the nodes of `target`, the problem's own grid.
///
/// # Errors
/// Moving matter without a spectrum, a closure with f ≤ 1 and f_eq > 1, [`Error::Interrupted`].
pub fn solve(
    cells: &Setup,
    target: &PhaseSpace,
    closure: Closure,
    limits: Limits,
    observer: &dyn Observer,
) -> Result<M1Solution> {
    refuse_gray_motion(cells)?;
    let space = &cells.phase_space;
    let flow = Flow::new(&cells.geometry, space, cells.background.discontinuities());
    refuse_overfull(cells, closure, 0.0)?;
    let (inner, outer) = outside(cells, 0.0)?;
    let coefficients = &cells.coefficients;
    let shared = Shared { space, flow: &flow, coefficients, closure, inner, outer, shift: 0.0 };
    let solved = steady::solve(cells, &shared, limits, observer)?;
    Ok(M1Solution {
        moments: nodes::moments_on(space, target, closure, &solved.moments, &solved.faces),
        edges: nodes::edges_on(space, target, &solved.faces),
        status: solved.status,
        steps: solved.steps,
        residuals: solved.residuals,
        reconstruction_change: solved.reconstruction_change,
    })
}

/// Bytes that a solution on `cells` needs at its peak, with the opacities and kernels.
pub fn memory_estimate(cells: &Setup) -> u64 {
    let space = &cells.phase_space;
    let all = (space.species.len() * space.energy.len()) as u64;
    let radii = space.radial.nodes.len() as u64;
    // States, fluxes with derivatives and reconstructions of each (cell, member), with room for the Krylov basis.
    let states = 8 * 200 * all * radii;
    let elimination = 8 * radii * (2 * all) * (2 * all);
    match &cells.inelastic {
        Some(inelastic) => states + elimination + 2 * inelastic.bytes(),
        None => states,
    }
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

/// A closure with f ≤ 1 has no solution where matter, or a boundary at `time`, asks for more.
fn refuse_overfull(setup: &Setup, closure: Closure, time: f64) -> Result<()> {
    if !closure.depends_on_occupation() {
        return Ok(());
    }
    let space = &setup.phase_space;
    let members = (0..space.species.len()).flat_map(|s| (0..space.energy.len()).map(move |k| (s, k)));
    let inside = members.flat_map(|(s, k)| setup.coefficients.slab(s, k)).map(guess::equilibrium);
    let (inner, outer) = setup.boundaries.inflow(space, time)?;
    let fullest = largest(inside.chain(inner).chain(outer));
    if fullest <= 1.0 + FULL {
        return Ok(());
    }
    let valid = format!("a closure without the bound f <= 1: equilibrium or a boundary has f = {fullest:e}");
    Err(Error::field("closure", closure.name(), valid))
}

/// Rounding of f = 1.
const FULL: f64 = 1e-9;

/// The conditions at the two ends at `time`.
fn outside(setup: &Setup, time: f64) -> Result<(Outside, Outside)> {
    let [inner, outer] = setup.boundaries.entering(&setup.phase_space, time)?;
    let condition = |boundary: &Boundary, entering: Vec<Pair>| match boundary {
        Boundary::Vacuum => Outside::Vacuum,
        Boundary::Reflecting => Outside::Reflecting,
        Boundary::Given(_) => Outside::Given(entering),
    };
    Ok((condition(&setup.boundaries.inner, inner), condition(&setup.boundaries.outer, outer)))
}

/// J and H of `moments` at (cell, species, energy), energy fastest.
pub fn pairs(setup: &Setup, moments: &Moments) -> Vec<Pair> {
    let radii = setup.phase_space.radial.nodes.len();
    let count = moments.j.len() / radii;
    let at = |i: usize, member: usize| member * radii + i;
    (0..radii)
        .flat_map(|i| (0..count).map(move |member| at(i, member)))
        .map(|n| Pair { j: moments.j[n], h: moments.h[n] })
        .collect()
}
