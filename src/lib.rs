//! Tolman: reference solutions of neutrino transport on fixed spherical backgrounds.
//!
//! The library solves the energy- and angle-resolved general-relativistic Boltzmann equation with a
//! nodal discontinuous Galerkin method in radius, angle cosine and energy (see docs/equations.md and
//! docs/discretisation.md). docs/architecture.md shows how the modules follow the data.

pub mod agree;
pub mod background;
pub mod commands;
pub mod compare;
pub mod constants;
pub mod criteria;
pub mod diagnostics;
pub mod difference;
pub mod error;
mod extremes;
mod grid_table;
mod hdf5_file;
pub mod methods;
pub mod numerics;
pub mod opacities;
pub mod output;
mod parallel;
pub mod phase_space;
pub mod plot;
pub mod problem;
pub mod progress;
pub mod rates;
pub mod refine;
pub mod resample;
pub mod run;
pub mod score;
pub mod solvers;
pub mod units;
pub mod verify;
