//! The formal solution through a piece of a ray at once: the source function is a polynomial in the
//! optical depth, which is integrated exactly.
//!
//! Where a piece is opaque f = S − S′ + S″ − … at its end, the derivatives being those in the optical
//! depth; S′ cancels between the two directions of flight, and what is left over makes neutrinos diffuse. Errors of S′
//! are multiplied by the optical depth relative to that: a parabola along the ray is not enough
//! (Larsen, Morel & Miller 1987, J. Comput. Phys. 69, 283, for the limit).

use crate::phase_space::basis::gauss_legendre;

use super::field::Nodal;
use super::trace::Sample;

/// Points of a piece at which the source is taken, both ends included.
pub const POINTS: usize = 5;
/// Below this optical depth the highest moment is taken by its series, and the others from it.
const SERIES_DEPTH: f64 = 2.0;
/// Terms of the series: 2³⁰/30! is beyond round-off.
const TERMS: usize = 30;
/// The optical depth of no part differs from its share of the piece by more than this factor where the source
/// is a polynomial.
const UNEVEN: f64 = 4.0;

/// A short piece of a ray within one panel.
pub struct Segment {
    /// At the points of a [`SegmentRule`].
    pub samples: [Sample; POINTS],
    /// D dl/dx there, x running from 0 to 1.
    pub lengths: [f64; POINTS],
}

/// Points of a piece and integrals between them.
#[derive(Debug, Clone)]
pub struct SegmentRule {
    /// From 0 to 1.
    pub points: [f64; POINTS],
    /// ∫₀^{x_i} ℓ_j dx, row i.
    running: [[f64; POINTS]; POINTS],
    /// Whether the source is linear between the points in any case.
    linear: bool,
}

impl SegmentRule {
    /// The rule on Chebyshev points of the second kind; with sources that are linear between the points where
    /// `linear`, which is less exact.
    pub fn new(linear: bool) -> Self {
        let nodal = Nodal::with_ends(POINTS);
        let (x, w) = gauss_legendre(POINTS);
        let points: [f64; POINTS] = std::array::from_fn(|i| 0.5 * (1.0 + nodal.nodes[i]));
        let integral = |to: f64, j: usize| -> f64 {
            let part = x.iter().zip(&w).map(|(x, w)| w * nodal.weights((1.0 + x) * to - 1.0)[j]);
            0.5 * to * part.sum::<f64>()
        };
        let running = points.map(|to| std::array::from_fn(|j| integral(to, j)));
        Self { points, running, linear }
    }

    /// ∫₀¹ of the values at the points.
    pub fn integral(&self, values: &[f64; POINTS]) -> f64 {
        self.running[POINTS - 1].iter().zip(values).map(|(a, v)| a * v).sum()
    }

    /// Optical depth of a piece, and the weights of the source function at its points in
    /// ∫ S e^{−(τ−t)} dt; `depths` is dτ/dx at the points.
    pub fn weights(&self, depths: &[f64; POINTS]) -> (f64, [f64; POINTS]) {
        let at = self.running.map(|row| row.iter().zip(depths).map(|(a, d)| a * d).sum::<f64>());
        let depth = at[POINTS - 1];
        if depth.is_nan() || depth <= 0.0 {
            return (depth, depths.map(|_| depth));
        }
        let shares = at.map(|at| at / depth);
        let even = (1..POINTS).all(|i| {
            let stretch = (shares[i] - shares[i - 1]) / (self.points[i] - self.points[i - 1]);
            (1.0 / UNEVEN..=UNEVEN).contains(&stretch)
        });
        if even && !self.linear {
            (depth, polynomial_weights(depth, &shares))
        } else {
            self.linear_weights(depths)
        }
    }

    /// The same with a source function that is linear between the points, and the extinction too: never
    /// negative, for pieces within which the extinction jumps.
    fn linear_weights(&self, depths: &[f64; POINTS]) -> (f64, [f64; POINTS]) {
        let mut weights = [0.0; POINTS];
        let mut total = 0.0;
        for i in 1..POINTS {
            let depth = 0.5 * (depths[i] + depths[i - 1]) * (self.points[i] - self.points[i - 1]);
            let transmission = (-depth).exp();
            weights.iter_mut().for_each(|w| *w *= transmission);
            let [m0, m1, ..] = exponential_moments(depth);
            weights[i - 1] += m0 - m1;
            weights[i] += m1;
            total += depth;
        }
        (total, weights)
    }
}

/// Weights of a polynomial in the optical depth through values at `shares` of `depth`: they give every
/// power its moment (a transposed Vandermonde system; Björck & Pereyra 1970, Math. Comp. 24, 893).
fn polynomial_weights(depth: f64, shares: &[f64; POINTS]) -> [f64; POINTS] {
    let mut w = exponential_moments(depth);
    for (k, share) in shares[..POINTS - 1].iter().enumerate() {
        for i in (k + 1..POINTS).rev() {
            w[i] -= share * w[i - 1];
        }
    }
    for k in (0..POINTS - 1).rev() {
        for i in k + 1..POINTS {
            w[i] /= shares[i] - shares[i - k - 1];
        }
        for i in k..POINTS - 1 {
            w[i] -= w[i + 1];
        }
    }
    w
}

/// ∫₀^τ (t/τ)ⁿ e^{−(τ−t)} dt for n = 0, 1, …: m_n = 1 − n m_{n−1}/τ, upward where τ is large, downward
/// from the series τ Σ (−τ)^j n!/(n+j+1)! of the last one where it is small.
fn exponential_moments(depth: f64) -> [f64; POINTS] {
    let mut moments = [0.0; POINTS];
    if depth >= SERIES_DEPTH {
        moments[0] = -(-depth).exp_m1();
        for n in 1..POINTS {
            moments[n] = 1.0 - n as f64 * moments[n - 1] / depth;
        }
        return moments;
    }
    let last = POINTS - 1;
    let mut term = depth / POINTS as f64;
    for j in 1..=TERMS {
        moments[last] += term;
        term *= -depth / (POINTS + j) as f64;
    }
    for n in (1..POINTS).rev() {
        moments[n - 1] = (1.0 - moments[n]) * depth / n as f64;
    }
    moments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_of_the_exponential_are_exact() {
        let (x, w) = gauss_legendre(30);
        for depth in [1e-8, 1e-3, 0.1, 1.0, 1.999, 2.001, 7.0] {
            for (n, found) in exponential_moments(depth).into_iter().enumerate() {
                let moment = |(x, w): (&f64, &f64)| {
                    let t = 0.5 * (1.0 + x);
                    0.5 * w * depth * t.powi(n as i32) * (-(depth * (1.0 - t))).exp()
                };
                let exact: f64 = x.iter().zip(&w).map(moment).sum();
                assert!((found - exact).abs() < 1e-13 * exact, "{n} {depth}: {found:e} {exact:e}");
            }
        }
    }

    /// With dτ/dx = 1 + x and S a polynomial of degree 2 in τ, hence of degree 4 in x.
    #[test]
    fn polynomials_in_the_optical_depth_are_integrated() {
        let rule = SegmentRule::new(false);
        for scale in [1e-6, 1e-2, 1.0, 1e3] {
            let (depth, weights) = rule.weights(&rule.points.map(|x| scale * (1.0 + x)));
            assert!((depth - 1.5 * scale).abs() < 1e-14 * depth);
            let share = |x: f64| (x + 0.5 * x * x) / 1.5;
            let source = |u: f64| 2.0 - u + 3.0 * u * u;
            let found: f64 = weights.iter().zip(rule.points).map(|(w, x)| w * source(share(x))).sum();
            let [m0, m1, m2, ..] = exponential_moments(depth);
            let exact = 2.0 * m0 - m1 + 3.0 * m2;
            assert!((found - exact).abs() < 1e-12 * exact, "{scale:e}: {found:e} {exact:e}");
        }
    }

    #[test]
    fn jumps_of_the_extinction_make_no_weight_negative() {
        let rule = SegmentRule::new(false);
        for scale in [1e-3, 1.0, 1e3] {
            let (depth, weights) = rule.weights(&[scale, scale, scale, 1e3 * scale, 1e3 * scale]);
            assert!(weights.iter().all(|&w| w >= 0.0), "{weights:?}");
            let sum: f64 = weights.iter().sum();
            assert!((sum + (-depth).exp_m1()).abs() < 1e-14, "{sum} {depth}");
        }
        assert_eq!(rule.weights(&[0.0; POINTS]), (0.0, [0.0; POINTS]));
        assert!(rule.weights(&[f64::NAN; POINTS]).1[0].is_nan());
    }
}
