//! Backgrounds, rates, tables and collisions with matter.

mod background;
mod equation_of_state;
mod inelastic;
mod kernels;
mod kernels_nulib;
mod lepton_number;
mod microphysics;
mod nulib;
mod nulib_round_trip;
mod nulib_table;
mod opacities;
mod zone_table;
