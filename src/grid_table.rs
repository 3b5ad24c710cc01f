//! Tables on rectangular grids: places on axes and multilinear interpolation.

use std::path::Path;

use crate::error::{Error, Result};

/// Share of an axis by which points may lie beyond its ends (round-off).
const EDGE_SLACK: f64 = 1e-12;

/// One axis of a table.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Axis {
    pub name: &'static str,
    pub unit: &'static str,
    /// Increasing; at least two.
    pub points: Vec<f64>,
    /// Whether interpolation is in the logarithm of the points.
    pub logarithmic: bool,
}

/// Lower neighbour on an axis and the weight of the upper one.
pub(crate) type Place = (usize, f64);

impl Axis {
    /// Where `value` lies; `None` beyond the ends and for NaN.
    pub fn place(&self, value: f64) -> Option<Place> {
        let (first, last) = (*self.points.first()?, *self.points.last()?);
        let slack = EDGE_SLACK * (last - first);
        if !(value >= first - slack && value <= last + slack) {
            return None;
        }
        let value = value.clamp(first, last);
        let above = self.points.partition_point(|point| *point <= value).clamp(1, self.points.len() - 1);
        let (lower, upper) = (self.points[above - 1], self.points[above]);
        let weight = if self.logarithmic {
            (value / lower).ln() / (upper / lower).ln()
        } else {
            (value - lower) / (upper - lower)
        };
        Some((above - 1, weight))
    }

    fn range(&self) -> String {
        let (first, last) = (self.points[0], self.points[self.points.len() - 1]);
        format!("`{}` covers {first:e} to {last:e}{}", self.name, self.unit)
    }
}

/// Places of `values` on `axes`.
///
/// # Errors
/// The point with all its coordinates, and the range of the first axis that it leaves.
pub(crate) fn locate<const N: usize>(file: &Path, axes: [&Axis; N], values: [f64; N]) -> Result<[Place; N]> {
    let mut places = [(0, 0.0); N];
    for ((place, axis), value) in places.iter_mut().zip(axes).zip(values) {
        *place = axis.place(value).ok_or_else(|| {
            let point: Vec<String> = axes
                .iter()
                .zip(values)
                .map(|(axis, value)| format!("{} = {value:e}{}", axis.name, axis.unit))
                .collect();
            Error::file(file, format!("is asked for the point {}; its {}", point.join(", "), axis.range()))
        })?;
    }
    Ok(places)
}

/// Multilinear interpolation of `at(indices)`.
pub(crate) fn interpolate<const N: usize>(places: &[Place; N], at: impl Fn([usize; N]) -> f64) -> f64 {
    let mut sum = 0.0;
    for corner in 0..1_usize << N {
        let mut weight = 1.0;
        let mut indices = [0; N];
        for (axis, &(lower, upper_weight)) in places.iter().enumerate() {
            let upper = corner >> axis & 1;
            indices[axis] = lower + upper;
            weight *= if upper == 1 { upper_weight } else { 1.0 - upper_weight };
        }
        if weight != 0.0 {
            sum += weight * at(indices);
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(points: &[f64], logarithmic: bool) -> Axis {
        Axis { name: "x", unit: " cm", points: points.to_vec(), logarithmic }
    }

    #[test]
    fn places_are_between_neighbours() {
        let linear = axis(&[1.0, 2.0, 4.0], false);
        assert_eq!(linear.place(3.0), Some((1, 0.5)));
        assert_eq!(linear.place(4.0), Some((1, 1.0)));
        assert_eq!((linear.place(0.9), linear.place(4.1), linear.place(f64::NAN)), (None, None, None));
        let (lower, weight) = axis(&[1.0, 100.0], true).place(10.0).unwrap();
        assert!(lower == 0 && (weight - 0.5).abs() < 1e-15);
    }

    /// Multilinear functions come back.
    #[test]
    fn interpolation_is_exact_for_multilinear_functions() {
        let (x, y) = (axis(&[0.0, 1.0, 3.0], false), axis(&[0.0, 2.0], false));
        let places = locate(Path::new("t"), [&x, &y], [1.7, 0.4]).unwrap();
        let value = interpolate(&places, |[i, j]| 2.0 + x.points[i] - 3.0 * x.points[i] * y.points[j]);
        assert!((value - (2.0 + 1.7 - 3.0 * 1.7 * 0.4)).abs() < 1e-14);
    }

    #[test]
    fn points_outside_are_named() {
        let (x, y) = (axis(&[0.0, 1.0], false), Axis { name: "y", ..axis(&[1.0, 2.0], true) });
        let message = locate(Path::new("t.h5"), [&x, &y], [0.5, 3.0]).unwrap_err().to_string();
        assert_eq!(
            message,
            "t.h5: is asked for the point x = 5e-1 cm, y = 3e0 cm; its `y` covers 1e0 to 2e0 cm"
        );
    }
}
