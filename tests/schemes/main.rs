//! The approximate schemes, the closures behind them, their scores and the statements of docs/physics.

mod closure_test;
mod closures;
mod fld;
mod fld_limits;
mod leakage;
mod m1;
mod physics_examples;
mod score;

#[path = "../support/command.rs"]
mod command;
#[path = "../support/exact/mod.rs"]
mod exact;
#[path = "../support/small_problems.rs"]
mod small_problems;
