//! Tolman: reference solutions of neutrino transport on fixed spherical backgrounds.
//!
//! The library solves the energy- and angle-resolved general-relativistic Boltzmann equation with a
//! nodal discontinuous Galerkin method in radius, angle cosine and energy (see docs/equations.md and
//! docs/discretisation.md). docs/architecture.md shows how the modules follow the data.

pub mod background;
pub mod commands;
pub mod constants;
pub mod error;
pub mod opacities;
pub mod output;
pub mod plot;
pub mod problem;
pub mod units;
