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
pub mod implicit;
pub mod operator;
mod radial_advection;
mod streaming;

#[cfg(test)]
mod tests;
