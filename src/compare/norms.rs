//! Differences as numbers: norms, the worst points, and whether they exceed the reference's own error.

use serde::{Deserialize, Serialize};

use super::spectrum::trapezoid;
use crate::extremes::largest;

/// Points whose reference value is below this share of the largest one have no pointwise relative
/// difference: they are near a zero, where it says nothing.
pub const RELATIVE_FLOOR: f64 = 1e-3;

/// Differences below this share of the reference's value are round-off of the evaluation, and never
/// significant: interpolation weights of degree 5 amplify the last bit less than a thousandfold.
const ROUND_OFF: f64 = 1e-12;

/// How radii count in the norms.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, clap::ValueEnum)]
pub enum Weight {
    /// Each factor of r counts the same: weight d ln r.
    #[default]
    LogRadius,
    /// Each volume counts the same: weight r² dr.
    Volume,
}

impl Weight {
    /// For people.
    pub fn text(self) -> &'static str {
        match self {
            Self::LogRadius => "log-radius (d ln r)",
            Self::Volume => "volume (r² dr)",
        }
    }

    /// Weights of `radii`, which are ascending and positive.
    pub fn of(self, radii: &[f64]) -> Vec<f64> {
        let coordinate = |r: &f64| match self {
            Self::LogRadius => r.ln(),
            Self::Volume => r.powi(3) / 3.0,
        };
        trapezoid(&radii.iter().map(coordinate).collect::<Vec<_>>())
    }
}

/// One point that both results have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Entry {
    pub r: Option<f64>,
    pub energy: Option<f64>,
    pub weight: f64,
    pub reference: f64,
    /// Numerical error of the reference, where it is known.
    pub error: Option<f64>,
    pub other: f64,
}

impl Entry {
    /// other − reference.
    pub fn difference(&self) -> f64 {
        self.other - self.reference
    }

    /// Unknown where the error is, also where it has left the range of numbers.
    fn exceeds(&self, factor: f64) -> Option<bool> {
        let round_off = ROUND_OFF * self.reference.abs();
        let error = self.error.filter(|error| !error.is_nan())?;
        Some(self.difference().abs() > (factor * error).max(round_off))
    }
}

/// A point with its values.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Worst {
    pub r: Option<f64>,
    pub energy: Option<f64>,
    pub reference: f64,
    pub other: f64,
    /// other − reference.
    pub difference: f64,
    /// The difference over the reference's largest absolute value.
    pub relative_to_largest: f64,
    /// The difference over the reference's value there; infinite (null in JSON) where that is 0.
    pub relative: f64,
    pub reference_error: Option<f64>,
    /// Whether the difference exceeds the factor times the error; unknown without an error.
    pub significant: Option<bool>,
}

/// How far two curves are apart.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Metrics {
    pub points: usize,
    /// Largest absolute value of the reference at these points: what "relative to the largest" means.
    pub largest: f64,
    /// Σw|d| / Σw|reference|.
    pub l1: f64,
    /// (Σwd² / Σw reference²)^½.
    pub l2: f64,
    /// Σwd / Σw|reference|: the sign says on which side the other result is.
    pub mean: f64,
    /// Where |d| is largest.
    pub max: Worst,
    /// Where |d / reference| is largest among points above [`RELATIVE_FLOOR`].
    pub pointwise: Option<Worst>,
    /// Share of points whose difference exceeds the factor times the reference's error.
    pub significant_share: Option<f64>,
}

/// A number that a threshold can bound.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Measure {
    L1,
    L2,
    /// Largest difference over the reference's largest value.
    #[default]
    Max,
    /// Largest pointwise relative difference.
    Pointwise,
}

impl Metrics {
    /// The metrics of `entries`; `None` for none.
    pub fn new(entries: &[Entry], factor: f64) -> Option<Self> {
        let largest = largest(entries.iter().map(|entry| entry.reference.abs()));
        let worst = |entry: &Entry| Worst {
            r: entry.r,
            energy: entry.energy,
            reference: entry.reference,
            other: entry.other,
            difference: entry.difference(),
            relative_to_largest: share(entry.difference(), largest),
            relative: share(entry.difference(), entry.reference.abs()),
            reference_error: entry.error,
            significant: entry.exceeds(factor),
        };
        // Scaled first: squares of luminosities in erg/s would leave the range of numbers.
        let scale = if largest > 0.0 { largest } else { 1.0 };
        let sum = |term: &dyn Fn(&Entry) -> f64| entries.iter().map(|e| e.weight * term(e)).sum::<f64>();
        let size = sum(&|e| (e.reference / scale).abs());
        let square = sum(&|e| (e.reference / scale).powi(2));
        let by_size = |a: &&Entry, b: &&Entry| a.difference().abs().total_cmp(&b.difference().abs());
        let relevant =
            entries.iter().filter(|e| e.reference.abs() >= RELATIVE_FLOOR * largest && largest > 0.0);
        let pointwise = relevant.map(worst).max_by(|a, b| a.relative.abs().total_cmp(&b.relative.abs()));
        let exceeding: Option<Vec<bool>> = entries.iter().map(|entry| entry.exceeds(factor)).collect();
        Some(Self {
            points: entries.len(),
            largest,
            l1: share(sum(&|e| (e.difference() / scale).abs()), size),
            l2: share(sum(&|e| (e.difference() / scale).powi(2)), square).sqrt(),
            mean: share(sum(&|e| e.difference() / scale), size),
            max: worst(entries.iter().max_by(by_size)?),
            pointwise,
            significant_share: exceeding
                .map(|all| all.iter().filter(|exceeds| **exceeds).count() as f64 / all.len() as f64),
        })
    }

    /// The number that `measure` bounds.
    pub fn measure(&self, measure: Measure) -> f64 {
        match measure {
            Measure::L1 => self.l1,
            Measure::L2 => self.l2,
            Measure::Max => self.max.relative_to_largest.abs(),
            // Without a point above the floor the reference is 0 everywhere.
            Measure::Pointwise => {
                self.pointwise.map_or(self.max.relative.abs(), |worst| worst.relative.abs())
            }
        }
    }
}

/// Σw error / Σw|reference|: what the reference's own errors make of L1 at most. `None` where one is unknown.
pub fn error_share(entries: &[Entry]) -> Option<f64> {
    let errors =
        entries.iter().map(|e| e.error.filter(|error| error.is_finite()).map(|error| e.weight * error));
    let size: f64 = entries.iter().map(|e| e.weight * e.reference.abs()).sum();
    Some(share(errors.sum::<Option<f64>>()?, size))
}

/// a/b; 0 where there is no difference, infinite where there is one from nothing.
fn share(a: f64, b: f64) -> f64 {
    if a == 0.0 { 0.0 } else { a / b }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    fn entry(r: f64, reference: f64, other: f64, error: Option<f64>) -> Entry {
        Entry { r: Some(r), energy: None, weight: 1.0, reference, error, other }
    }

    #[test]
    fn norms_by_hand() {
        let entries = [entry(1.0, 3.0, 3.3, Some(0.1)), entry(2.0, -4.0, -4.0, Some(0.1))];
        let metrics = Metrics::new(&entries, 2.0).unwrap();
        assert_relative_eq!(metrics.l1, 0.3 / 7.0, max_relative = 1e-12);
        assert_relative_eq!(metrics.l2, 0.3 / 5.0, max_relative = 1e-12);
        assert_relative_eq!(metrics.mean, 0.3 / 7.0, max_relative = 1e-12);
        assert_relative_eq!(metrics.max.relative_to_largest, 0.3 / 4.0, max_relative = 1e-12);
        assert_relative_eq!(metrics.pointwise.unwrap().relative, 0.1, max_relative = 1e-12);
        assert_eq!((metrics.max.r, metrics.max.significant), (Some(1.0), Some(true)));
        assert_eq!(metrics.significant_share, Some(0.5));
    }

    #[test]
    fn unknown_errors_are_not_zero() {
        let metrics = Metrics::new(&[entry(1.0, 1.0, 2.0, None)], 2.0).unwrap();
        assert_eq!((metrics.significant_share, metrics.max.significant), (None, None));
        assert!(Metrics::new(&[], 2.0).is_none());
    }

    #[test]
    fn an_error_that_is_no_number_is_unknown() {
        let metrics = Metrics::new(&[entry(1.0, 1.0, 2.0, Some(f64::NAN))], 2.0).unwrap();
        assert_eq!((metrics.significant_share, metrics.max.significant), (None, None));
    }

    #[test]
    fn something_from_nothing_is_infinitely_wrong() {
        let metrics = Metrics::new(&[entry(1.0, 0.0, 2.0, None), entry(2.0, 0.0, 0.0, None)], 2.0).unwrap();
        for measure in [Measure::L1, Measure::L2, Measure::Max, Measure::Pointwise] {
            assert_eq!(metrics.measure(measure), f64::INFINITY);
        }
        let same = Metrics::new(&[entry(1.0, 0.0, 0.0, None)], 2.0).unwrap();
        assert_eq!(same.measure(Measure::Pointwise), 0.0);
    }

    #[test]
    fn luminosities_do_not_overflow() {
        let metrics = Metrics::new(&[entry(1.0, 1e200, 1.01e200, None)], 2.0).unwrap();
        assert_relative_eq!(metrics.l2, 0.01, max_relative = 1e-10);
    }

    /// ∫ d ln r and ∫ r² dr over the range.
    #[test]
    fn weights_add_up_to_the_range() {
        let r = [1.0, 1.5, 4.0];
        assert_relative_eq!(Weight::LogRadius.of(&r).iter().sum::<f64>(), 4f64.ln(), max_relative = 1e-12);
        assert_relative_eq!(Weight::Volume.of(&r).iter().sum::<f64>(), 21.0, max_relative = 1e-12);
    }
}
