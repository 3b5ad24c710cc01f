//! The Boltzmann equation by a nodal discontinuous Galerkin method in r, μ and ε with upwind fluxes
//! (docs/discretisation.md). The terms of the equation are files:
//!
//! ```text
//! (W(1+vμ)/α) ∂_t f
//! + (1/(αXr²)) ∂_r[α r² W (μ+v) f]                          radial_advection
//! − (1/ε²) ∂_ε[ε³ (aμ + k_r μ² + k_⊥(1−μ²)) f]              energy_redistribution
//! + ∂_μ[(1−μ²)(l_⊥ − a + μ(k_⊥ − k_r)) f]    = B[f]         angular_redistribution, collisions
//! ```

mod angular_redistribution;
mod collisions;
pub mod connection;
pub mod energy_redistribution;
pub mod evolution;
pub mod implicit;
pub mod inelastic;
pub(crate) mod low_order;
pub mod newton;
pub mod operator;
mod radial_advection;
pub mod steady;
mod streaming;

use crate::extremes::largest;
use crate::methods::coefficients::Coefficients;
use crate::methods::geometry::Geometry;
use crate::methods::setup::Setup;
use crate::numerics::krylov_restart;
use crate::opacities::LocalOpacity;
use crate::phase_space::{EnergyGrid, PhaseSpace};
use low_order::LowOrder;
use operator::Operator;

/// Largest residual of f = 1 in the discrete left side over all ordinates, relative to the diagonal of
/// the operator: identity 1 of docs/equations.md, round-off on any background.
pub fn identity_residual(geometry: &Geometry, space: &PhaseSpace) -> f64 {
    let nothing = Coefficients::sample(space, |_, _, _| LocalOpacity::default());
    let operator = Operator::new(geometry, space, &nothing, (false, false));
    let ones = vec![1.0; space.unknowns_per_species()];
    let edge = vec![1.0; space.energy.len() * space.angular.nodes.len()];
    let mut left = vec![0.0; ones.len()];
    operator.apply(0, 0.0, &ones, &mut left);
    let right = operator.source(0, &edge, &edge, 1.0);
    let scale = operator.row_scale(0, 0.0);
    largest((0..left.len()).map(|n| ((left[n] - right[n]) * scale[n]).abs()))
}

/// Bytes that a steady-state run of `setup` needs at its peak: the solution, its copy for the file, the
/// opacities, and for one species the factors of its energies and the vectors of the iteration. With
/// inelastic collisions: the kernels, and for all species together the factors, the vectors and the moment
/// equations of a Newton step.
pub fn memory_estimate(setup: &Setup) -> u64 {
    let space = &setup.phase_space;
    let ordinates = space.angular.nodes.len() as u64;
    let size = space.radial.per_element() as u64 * ordinates;
    // A block and, for the half of the ordinates that flow inward, the columns of its elimination.
    let factors = space.radial.elements() as u64 * (size * size + size * ordinates / 2);
    let (unknowns, energies) = (space.unknowns_per_species() as u64, space.energy.len() as u64);
    let one_species = match space.energy {
        EnergyGrid::Gray => 8 * (factors + 6 * unknowns),
        EnergyGrid::Spectral(_) => {
            let vectors = 2 * krylov_restart(unknowns as usize) as u64 + 5;
            4 * factors * energies + 8 * unknowns * vectors
        }
    };
    let opacities = 32 * energies * space.radial.nodes.len() as u64;
    let species = space.species.len() as u64;
    let solution = species * (16 * unknowns + opacities);
    let Some(inelastic) = &setup.inelastic else { return solution + one_species };
    let moments = LowOrder::factor_bytes(space);
    let vectors = 2 * krylov_restart(space.unknowns()) as u64 + 8;
    // The opacities with the inelastic extinction are held twice: for the moments and for the sweeps.
    let newton = species * (4 * factors * energies + 2 * opacities + 8 * unknowns * vectors) + moments;
    solution + inelastic.bytes() + newton.max(one_species)
}

#[cfg(test)]
mod tests;
