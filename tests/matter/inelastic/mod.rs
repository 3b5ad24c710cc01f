//! Inelastic collisions in the solver: equilibrium, conservation, entropy and final states of one zone,
//! the exchange with matter, order in time, threads and restart. The oracles are written here from the
//! formulas of docs/equations.md and share no code with the solver.

mod common;
mod equilibrium;
mod exchange;
mod one_zone;
mod running;
