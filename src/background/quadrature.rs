//! Indefinite integrals to round-off: adaptive piecewise Legendre series.

use std::num::NonZeroUsize;

use gauss_quad::GaussLegendre;

/// Gauss points per piece; a piece is accepted when its last two Legendre coefficients have fallen to
/// [`RELATIVE_TOLERANCE`].
const POINTS: NonZeroUsize = NonZeroUsize::new(12).unwrap();
/// Admitted contribution of a piece's last coefficients, relative to ∫|f|. The series converges
/// geometrically, so what is left out is smaller still.
const RELATIVE_TOLERANCE: f64 = 1e-14;
/// Halvings of an interval before the integrand is called not integrable.
const LARGEST_DEPTH: usize = 40;

/// F(r) = ∫ f dr from the first break.
#[derive(Debug, Clone)]
pub(crate) struct Antiderivative {
    edges: Vec<f64>,
    /// Legendre coefficients of F on each piece.
    series: Vec<Vec<f64>>,
}

impl Antiderivative {
    /// Integrates `f`, which is smooth between neighbouring `breaks` (ascending, at least two).
    ///
    /// # Errors
    /// The radius near which `f` is not finite or cannot be resolved.
    pub(crate) fn new(breaks: &[f64], f: impl Fn(f64) -> f64) -> Result<Self, f64> {
        let rule = GaussLegendre::new(POINTS);
        // What is not finite is found below, with its radius.
        let absolute: f64 = breaks
            .windows(2)
            .map(|pair| rule.integrate(pair[0], pair[1], |r| f(r).abs()))
            .filter(|part| part.is_finite())
            .sum();
        let mut integral =
            Self { edges: breaks.first().map(|&first| vec![first]).unwrap_or_default(), series: Vec::new() };
        for pair in breaks.windows(2) {
            integral.append(&rule, &f, (pair[0], pair[1]), RELATIVE_TOLERANCE * absolute, LARGEST_DEPTH)?;
        }
        Ok(integral)
    }

    fn append(
        &mut self,
        rule: &GaussLegendre,
        f: &impl Fn(f64) -> f64,
        (left, right): (f64, f64),
        tolerance: f64,
        depth: usize,
    ) -> Result<(), f64> {
        let (middle, half) = (0.5 * (left + right), 0.5 * (right - left));
        let coefficients = legendre_coefficients(rule, |x| finite(f, middle + half * x))?;
        let tail: f64 = coefficients.iter().rev().take(2).map(|c| c.abs() * half).sum();
        if tail <= tolerance {
            let start = self.total();
            self.series.push(integrated(&coefficients, half, start));
            self.edges.push(right);
            return Ok(());
        }
        if depth == 0 {
            return Err(middle);
        }
        self.append(rule, f, (left, middle), tolerance, depth - 1)?;
        self.append(rule, f, (middle, right), tolerance, depth - 1)
    }

    /// F at the last edge.
    pub(crate) fn total(&self) -> f64 {
        self.series.last().map_or(0.0, |series| series.iter().sum())
    }

    /// F(r); 0 before the first edge and the total behind the last.
    pub(crate) fn evaluate(&self, r: f64) -> f64 {
        let above = self.edges.partition_point(|&edge| edge <= r);
        let (Some(piece), Some(&right)) = (above.checked_sub(1), self.edges.get(above)) else {
            return if above == 0 { 0.0 } else { self.total() };
        };
        let left = self.edges[piece];
        legendre_sum(&self.series[piece], (2.0 * r - left - right) / (right - left))
    }
}

/// c_k = (2k+1)/2 ∫ f P_k dx on [−1, 1].
fn legendre_coefficients(rule: &GaussLegendre, f: impl Fn(f64) -> Result<f64, f64>) -> Result<Vec<f64>, f64> {
    let mut coefficients = vec![0.0; POINTS.get()];
    for (x, weight) in rule.as_node_weight_pairs() {
        let weighted = weight * f(*x)?;
        let (mut before, mut polynomial) = (0.0, 1.0);
        for (k, coefficient) in coefficients.iter_mut().enumerate() {
            let k = k as f64;
            *coefficient += (k + 0.5) * weighted * polynomial;
            (before, polynomial) = (polynomial, ((2.0 * k + 1.0) * x * polynomial - k * before) / (k + 1.0));
        }
    }
    Ok(coefficients)
}

/// f(r), or `r` where that is not finite.
fn finite(f: &impl Fn(f64) -> f64, r: f64) -> Result<f64, f64> {
    let value = f(r);
    if value.is_finite() { Ok(value) } else { Err(r) }
}

/// Series of `start` + `half` ∫₋₁ˣ: (2k+1) ∫P_k = P_{k+1} − P_{k−1}, and ∫P₀ = P₁ + P₀.
fn integrated(coefficients: &[f64], half: f64, start: f64) -> Vec<f64> {
    let mut series = vec![0.0; coefficients.len() + 1];
    series[0] = start;
    for (k, coefficient) in coefficients.iter().enumerate() {
        let part = half * coefficient / (2 * k + 1) as f64;
        series[k + 1] += part;
        series[k.saturating_sub(1)] += if k == 0 { part } else { -part };
    }
    series
}

fn legendre_sum(series: &[f64], x: f64) -> f64 {
    let (mut before, mut polynomial, mut sum) = (0.0, 1.0, 0.0);
    for (k, coefficient) in series.iter().enumerate() {
        let k = k as f64;
        sum += coefficient * polynomial;
        (before, polynomial) = (polynomial, ((2.0 * k + 1.0) * x * polynomial - k * before) / (k + 1.0));
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smooth_and_kinked_integrands_reach_round_off() {
        let sine = Antiderivative::new(&[0.0, 2.0, 20.0], f64::cos).unwrap();
        for r in [0.0, 1e-9, 0.3, 2.0, 7.7, 19.99, 20.0] {
            assert!((sine.evaluate(r) - r.sin()).abs() < 2e-14, "r = {r}: {}", sine.evaluate(r) - r.sin());
        }
        assert_eq!(sine.evaluate(-1.0), 0.0);
        assert_eq!(sine.evaluate(30.0), sine.total());
        let kink = Antiderivative::new(&[0.0, 1.0, 3.0], |r| (r - 1.0).abs()).unwrap();
        assert!((kink.evaluate(2.5) - (0.5 + 1.125)).abs() < 1e-15);
    }

    /// ∫₀ʳ dx/√(1−x²) = asin r up to close to the singularity, which needs the bisection.
    #[test]
    fn steep_integrands_are_bisected() {
        let arcsine = Antiderivative::new(&[0.0, 0.9999], |x| 1.0 / (1.0 - x * x).sqrt()).unwrap();
        for r in [0.1, 0.5, 0.9, 0.999, 0.9999_f64] {
            assert!((arcsine.evaluate(r) - r.asin()).abs() < 1e-13, "r = {r}");
        }
    }

    #[test]
    fn what_cannot_be_integrated_is_refused() {
        let near = Antiderivative::new(&[0.0, 1.0], |r| if r < 0.5 { 1.0 } else { f64::NAN }).unwrap_err();
        assert!((0.5..=1.0).contains(&near));
        assert!(Antiderivative::new(&[0.0, 1.0], |r| 1.0 / (r - 0.3)).is_err());
    }
}
