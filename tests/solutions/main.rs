//! Solutions of the reference methods against exact answers, criteria, orders and stated errors.

mod between_nodes;
mod characteristics;
mod convergence;
mod error_estimates;
mod exact_answers;
mod problems;

#[path = "../support/exact/mod.rs"]
mod exact;
