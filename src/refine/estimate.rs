//! Differences and orders of three levels of refinement in one direction.
//!
//! With results u at resolution h, u′ at 2h and u″ at 4h, the differences D₁ = |u − u′| and D₂ = |u′ − u″|
//! show the order p = log₂(D₂/D₁) at which they fall, and u is off by D₁/(2^p − 1) where they go on to fall
//! like that (Richardson 1911). Differences are taken as their largest values over an element ([`spread`]), so that
//! a change of sign is no zero of the error.

use ndarray::{ArrayD, Axis};

use crate::extremes::largest;

/// Smallest observed order at which the geometric sum of further differences is trusted.
pub const LEAST_ORDER: f64 = 1.0;

/// One direction's result at all points of a variable.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// Largest difference in the element between the finest and the next level.
    pub difference: ArrayD<f64>,
    /// What Richardson's extrapolation adds to the finest result; 0 where orders are not trusted.
    pub correction: ArrayD<f64>,
    /// Share of the points where the observed order is trusted.
    pub trusted: f64,
    /// Order of the differences' means.
    pub order: f64,
}

/// Nodes per element along each axis of a variable; 0 for axes without elements (species, time).
pub type Elements = [usize];

/// Compares the `finest` result with those at half and a quarter of the resolution; no order counts for
/// more than `formal`.
pub fn estimate(
    finest: &ArrayD<f64>,
    half: &ArrayD<f64>,
    quarter: &ArrayD<f64>,
    elements: &Elements,
    formal: f64,
) -> Estimate {
    let signed = finest - half;
    let near = spread(&signed, finest, elements);
    let far = spread(&(half - quarter), finest, elements);
    // Without a difference there is nothing left to fall; where only the finer two differ it has grown.
    let order =
        |near: f64, far: f64| if near == 0.0 { formal } else { (far / near).log2().clamp(-formal, formal) };
    let mut correction = signed;
    let mut trusted = 0usize;
    ndarray::Zip::from(&mut correction).and(&near).and(&far).for_each(|correction, &near, &far| {
        let p = order(near, far);
        if p >= LEAST_ORDER {
            *correction /= p.exp2() - 1.0;
            trusted += 1;
        } else {
            // The differences do not fall as they should.
            *correction = 0.0;
        }
    });
    let mean = |a: &ArrayD<f64>| a.mean().unwrap_or(0.0);
    let order = order(mean(&near), mean(&far));
    let trusted = trusted as f64 / near.len().max(1) as f64;
    Estimate { difference: near, correction, trusted, order }
}

/// In an element where values of one sign differ by more than this factor, differences are relative.
const STEEP: f64 = 3.0;

/// What `differences` of `values` amount to at any point of an element: the largest absolute one; in the tail of a
/// spectrum, which falls by powers of ten within an element, the value times the largest relative one where that is
/// less.
pub fn spread(differences: &ArrayD<f64>, values: &ArrayD<f64>, elements: &Elements) -> ArrayD<f64> {
    let mut spread = envelope(&differences.mapv(f64::abs), elements);
    let mut relative = differences / values;
    relative.mapv_inplace(f64::abs);
    let relative = envelope(&relative, elements);
    let steep = steep(values, elements);
    ndarray::Zip::from(&mut spread).and(&relative).and(values).and(&steep).for_each(
        |spread, &relative, &value, &steep| {
            if steep && value.abs() * relative < *spread {
                *spread = value.abs() * relative;
            }
        },
    );
    spread
}

/// Whether `values` are steep in their element.
fn steep(values: &ArrayD<f64>, elements: &Elements) -> ArrayD<bool> {
    let highest = envelope(&values.mapv(|value| value.max(0.0)), elements);
    let deepest = envelope(&values.mapv(|value| (-value).max(0.0)), elements);
    let smallest = envelope(&values.mapv(|value| 1.0 / value.abs()), elements).mapv(f64::recip);
    let mut steep = ArrayD::from_elem(values.raw_dim(), false);
    ndarray::Zip::from(&mut steep).and(&highest).and(&deepest).and(&smallest).for_each(
        |steep, &highest, &deepest, &smallest| {
            let one_sign = highest == 0.0 || deepest == 0.0;
            *steep = one_sign && smallest > 0.0 && highest + deepest > STEEP * smallest;
        },
    );
    steep
}

/// The largest value over each point's element, along every axis that has elements.
fn envelope(values: &ArrayD<f64>, elements: &Elements) -> ArrayD<f64> {
    let mut result = values.clone();
    for (axis, &per_element) in elements.iter().enumerate().filter(|(_, n)| **n > 0) {
        for mut lane in result.lanes_mut(Axis(axis)) {
            for mut element in lane.axis_chunks_iter_mut(Axis(0), per_element) {
                let largest = largest(element.iter().copied());
                element.fill(largest);
            }
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    fn line(values: impl Iterator<Item = f64>) -> ArrayD<f64> {
        let values: Vec<f64> = values.collect();
        ArrayD::from_shape_vec(vec![values.len()], values).unwrap()
    }

    /// u(h) = 1 + x hᵖ at twelve x.
    fn sequence(p: f64) -> [ArrayD<f64>; 3] {
        [1.0, 2.0, 4.0].map(|h: f64| line((1..=12).map(|x| 1.0 + f64::from(x) * 1e-3 * h.powf(p))))
    }

    #[test]
    fn a_power_law_is_extrapolated_to_its_limit() {
        for p in [1.5, 2.0, 3.0] {
            let [finest, half, quarter] = sequence(p);
            let estimate = estimate(&finest, &half, &quarter, &[3], 4.0);
            assert_relative_eq!(estimate.order, p, max_relative = 1e-10);
            assert_eq!(estimate.trusted, 1.0);
            for (index, difference) in estimate.difference.iter().enumerate() {
                // The largest of the element's three.
                let last = (index / 3 * 3 + 3) as f64;
                assert_relative_eq!(*difference, last * 1e-3 * (p.exp2() - 1.0), max_relative = 1e-10);
                assert_relative_eq!(finest[index] + estimate.correction[index], 1.0, epsilon = 1e-12);
            }
        }
    }

    #[test]
    fn orders_beyond_the_formal_one_are_not_used() {
        let [finest, half, quarter] = sequence(5.0);
        let limited = estimate(&finest, &half, &quarter, &[3], 2.0);
        assert_relative_eq!(limited.order, 2.0, max_relative = 1e-12);
        assert_relative_eq!(limited.correction[11], (finest[11] - half[11]) / 3.0);
    }

    #[test]
    fn differences_that_do_not_fall_are_not_extrapolated() {
        let [finest, half] = [1.0, 1.3].map(|v| line(std::iter::repeat_n(v, 6)));
        let quarter = line(std::iter::repeat_n(1.2, 6));
        let scattered = estimate(&finest, &half, &quarter, &[3], 4.0);
        assert_eq!(scattered.trusted, 0.0);
        assert_relative_eq!(scattered.difference[0], 0.3, max_relative = 1e-12);
        assert_eq!(scattered.correction[0], 0.0);
    }

    #[test]
    fn a_value_that_is_no_number_has_no_error() {
        let finest = line([1.0, f64::NAN, 1.0, 1.0, 1.0, 1.0].into_iter());
        let [half, quarter] = [1.1, 1.3].map(|v| line(std::iter::repeat_n(v, 6)));
        for [a, b] in [[&finest, &half], [&half, &finest]] {
            let found = estimate(a, b, &quarter, &[3], 4.0);
            assert!(found.difference.iter().take(3).all(|error| error.is_nan()), "{found:?}");
            assert!(found.difference.iter().skip(3).all(|error| error.is_finite()));
            assert!(found.trusted <= 0.5);
        }
    }

    #[test]
    fn differences_in_a_steep_tail_are_relative() {
        let values = line((0..6).map(|x| (-5.0 * f64::from(x)).exp()));
        let found = spread(&(&values * 1e-3), &values, &[6]);
        found.iter().zip(&values).for_each(|(found, value)| {
            assert_relative_eq!(*found, 1e-3 * value, max_relative = 1e-12);
        });
        // Absolute differences count where a value is zero, values change their sign, or are about the same.
        for values in [[0.0, 1e-9, 1.0], [-1e-3, 0.1, 1.0], [0.4, 0.5, 1.0]] {
            let differences = line([-1e-3, 1e-4, 1e-3].into_iter());
            let found = spread(&differences, &line(values.into_iter()), &[3]);
            assert_eq!(found, line([1e-3; 3].into_iter()));
        }
    }

    #[test]
    fn a_change_of_sign_is_no_zero_of_the_error() {
        let finest = line([0.0; 6].into_iter());
        let half = line([0.1, 0.0, -0.1, 0.1, 0.0, -0.1].into_iter());
        let quarter = line([0.4, 0.0, -0.4, 0.4, 0.0, -0.4].into_iter());
        let found = estimate(&finest, &half, &quarter, &[3], 4.0);
        assert!(found.difference.iter().all(|error| *error >= 0.1));
    }
}
