//! From f to what users read.

pub mod balance;
pub mod beta_equilibrium;
pub mod closure_test;
pub mod equilibrium_ye;
pub mod exchange;
pub mod heating;
pub mod integrated;
pub mod lepton_number;
pub mod light_travel;
pub mod moments;
pub mod neutrinosphere;
pub mod reconstruction;
pub mod result;
pub mod sign_change;
