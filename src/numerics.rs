//! Thresholds of the numerical methods, each with its reason, and a maximum that keeps NaN.

/// An energy speed that is smaller than this times the sum of the absolute values of the terms that it
/// is the difference of is round-off: in flat space at rest it is exactly zero. Three terms of a few
/// hundred roundings each stay below it.
pub const ENERGY_SPEED_ROUND_OFF: f64 = 1e-13;

/// Energy nodes in one group of the preconditioner that is swept one after the other; groups are swept
/// side by side. A fixed number, so that the result does not depend on the number of threads.
pub const SWEEP_GROUP: usize = 20;

/// Krylov vectors before a restart: at least the first number, at most the second, as many as fit into
/// the third number of bytes at two vectors each. Long cycles pay where energies act on each other
/// strongly (trapped radiation); short ones keep millions of unknowns in memory.
pub const KRYLOV_RESTART: (usize, usize, usize) = (12, 120, 600_000_000);

/// Krylov vectors before a restart for `unknowns` unknowns.
pub fn krylov_restart(unknowns: usize) -> usize {
    let (least, most, bytes) = KRYLOV_RESTART;
    (bytes / (16 * unknowns.max(1))).clamp(least, most)
}

/// A Krylov cycle that shrinks the residual by less than this factor has stalled.
pub const STALL_FACTOR: f64 = 0.5;

/// Share of all neutrinos and antineutrinos of a flavour below which an excess of one over the other in a
/// range of directions is no crossing: solutions have residuals up to about 1e-9 of f, and their
/// differences are no more accurate than that.
pub const CROSSING_SHARE: f64 = 1e-8;

/// Times the number density by which f is below 0 that an excess of one sign needs to be a crossing.
/// Where f jumps between directions its polynomials oscillate, above the solution as much as below, and
/// where f is small they take it below 0. In a forward-peaked atmosphere of two resolutions the largest
/// excess that came from these oscillations was 2.7 times that.
pub const CROSSING_UNDERSHOOT: f64 = 3.0;

/// The larger one, NaN where one is: [`f64::max`] drops it.
pub fn worse(a: f64, b: f64) -> f64 {
    if a.is_nan() || a > b { a } else { b }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_is_not_dropped() {
        assert_eq!([2.0, 3.0, 1.0].into_iter().fold(0.0, worse), 3.0);
        for values in [[f64::NAN, 1.0], [1.0, f64::NAN]] {
            assert!(values.into_iter().fold(0.0, worse).is_nan());
        }
    }
}
