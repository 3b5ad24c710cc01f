//! Thresholds of the numerical methods, each with its reason.

/// An energy speed that is smaller than this times the sum of the absolute values of the terms that it
/// is the difference of is round-off: in flat space at rest it is exactly zero. Three terms of a few
/// hundred roundings each stay below it.
pub const ENERGY_SPEED_ROUND_OFF: f64 = 1e-13;

/// Energy nodes in one group of the preconditioner that is swept one after the other; groups are swept
/// side by side. A fixed number, so that the result does not depend on the number of threads.
pub const SWEEP_GROUP: usize = 20;

/// Krylov vectors before a restart. Two vectors are kept for each.
pub const KRYLOV_RESTART: usize = 12;

/// A Krylov cycle that shrinks the residual by less than this factor has stalled.
pub const STALL_FACTOR: f64 = 0.5;
