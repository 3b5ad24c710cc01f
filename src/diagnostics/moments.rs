//! Angular moments of f and what follows from them at one energy.

use rayon::prelude::*;

use crate::extremes::larger;
use crate::phase_space::PhaseSpace;

/// J, H, K, L = ½∫f {1, μ, μ², μ³} dμ at (species, energy node, radius), radius fastest.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Moments {
    pub j: Vec<f64>,
    pub h: Vec<f64>,
    pub k: Vec<f64>,
    pub l: Vec<f64>,
}

impl Moments {
    /// Moments of f at (species, energy node, radius, ordinate), ordinate fastest, with the ordinates of
    /// `phase_space`.
    pub fn new(phase_space: &PhaseSpace, f: &[f64]) -> Self {
        let angular = &phase_space.angular;
        let all: Vec<[f64; 4]> = f
            .par_chunks(angular.nodes.len())
            .map(|f| {
                let mut sums = [0.0; 4];
                for ((f, w), mu) in f.iter().zip(&angular.weights).zip(&angular.nodes) {
                    let mut term = 0.5 * w * f;
                    for sum in &mut sums {
                        *sum += term;
                        term *= mu;
                    }
                }
                sums
            })
            .collect();
        let pick = |n: usize| all.iter().map(|sums| sums[n]).collect();
        Self { j: pick(0), h: pick(1), k: pick(2), l: pick(3) }
    }
}

/// Largest −f and largest f − 1: how far the bounds 0 ≤ f ≤ 1 are violated (0 where they are not), NaN where
/// f is.
pub fn bound_violation(f: &[f64]) -> (f64, f64) {
    let low = f.par_iter().map(|f| -f).reduce(|| 0.0, larger);
    let high = f.par_iter().map(|f| f - 1.0).reduce(|| 0.0, larger);
    (low, high)
}

#[cfg(test)]
mod tests {
    use super::bound_violation;

    #[test]
    fn bounds_that_hold_are_not_violated_and_nan_is_not_overlooked() {
        assert_eq!(bound_violation(&[0.0, 0.25, 1.0]), (0.0, 0.0));
        assert_eq!(bound_violation(&[-0.25, 1.5, 0.5]), (0.25, 0.5));
        let (low, high) = bound_violation(&[-0.25, f64::NAN, 0.5]);
        assert!(low.is_nan() && high.is_nan());
    }
}
