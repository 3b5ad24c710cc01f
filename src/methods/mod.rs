//! Methods that solve for the neutrino distribution. All see the same immutable samples of one problem,
//! so that a difference between two of them is due to the method.

pub mod boltzmann;
pub mod boundary;
pub mod characteristics;
pub mod closures;
pub mod coefficients;
pub mod fld;
pub mod geometry;
pub mod initial;
pub mod leakage;
pub mod m1;
pub mod moment_grid;
pub mod name;
pub mod setup;
pub mod steps;
