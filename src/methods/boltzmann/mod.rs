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
pub mod operator;
mod radial_advection;
pub mod steady;
mod streaming;

use crate::methods::setup::Setup;
use crate::numerics::krylov_restart;

/// Bytes that a run of `setup` needs at its peak when `at_once` species are in work together: the
/// solution, and per species the factors of its energies and the vectors of the iteration.
pub fn memory_estimate(setup: &Setup, at_once: usize) -> u64 {
    let space = &setup.phase_space;
    let size = (space.radial.per_element() * space.angular.nodes.len()) as u64;
    // A block and, for the half of the ordinates that flow inward, the columns of its elimination.
    let block = size * size + size * space.angular.nodes.len() as u64 / 2;
    let factors = space.radial.elements() as u64 * block;
    let unknowns = space.unknowns_per_species() as u64;
    let per_species = if space.energy.len() > 1 {
        4 * factors * space.energy.len() as u64
            + 8 * unknowns * (2 * krylov_restart(unknowns as usize) as u64 + 5)
    } else {
        8 * (factors + 6 * unknowns)
    };
    let species = space.species.len() as u64;
    // f, its transposed copy for the file, and the opacities.
    let held =
        8 * unknowns * species * 2 + 32 * species * (space.energy.len() * space.radial.nodes.len()) as u64;
    held + per_species * (at_once as u64).min(species)
}

#[cfg(test)]
mod tests;
