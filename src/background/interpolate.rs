//! Interpolation of tabulated profiles: monotone piecewise cubics and zone-wise constants.
//!
//! The published crates that offer monotone cubics are large frameworks or very young; the method is
//! short enough to stand here.

/// How a curve goes on between r = 0 and the first point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Centre {
    /// Even in r and constant inside the first point.
    Flat,
    /// Even in r, the parabola through the first two points: for what grows as r² (the lapse).
    Parabola,
    /// Odd in r, 0 at the centre: for velocities.
    Odd,
    /// No centre: constant inside the first point.
    Excised,
}

/// Piecewise cubic Hermite interpolant that is monotone wherever its data are (Fritsch & Carlson 1980,
/// SIAM J. Numer. Anal. 17, 238), constant outside its points.
#[derive(Debug, Clone)]
pub(super) struct MonotoneCubic {
    x: Vec<f64>,
    y: Vec<f64>,
    slope: Vec<f64>,
}

impl MonotoneCubic {
    /// `radii` ascending and not negative, as many finite `values`; continued to r = 0 as `centre` says.
    pub(super) fn new(radii: &[f64], values: &[f64], centre: Centre) -> Self {
        let (mut x, mut y) = mirrored(radii, values, centre);
        x.extend_from_slice(radii);
        y.extend_from_slice(values);
        let slope = limited_slopes(&x, &y);
        Self { x, y, slope }
    }

    pub(super) fn evaluate(&self, r: f64) -> f64 {
        let above = self.x.partition_point(|&x| x <= r);
        let (Some(below), Some(&x1)) = (above.checked_sub(1), self.x.get(above)) else {
            return if above == 0 { self.y[0] } else { self.y[self.y.len() - 1] };
        };
        let (x0, y0, y1) = (self.x[below], self.y[below], self.y[above]);
        let width = x1 - x0;
        let t = (r - x0) / width;
        let hermite = y0 * (1.0 + 2.0 * t) * (1.0 - t).powi(2)
            + y1 * t * t * (3.0 - 2.0 * t)
            + width * t * (1.0 - t) * (self.slope[below] * (1.0 - t) - self.slope[above] * t);
        // A monotone cubic stays between its ends; round-off may not.
        hermite.clamp(y0.min(y1), y0.max(y1))
    }
}

/// The points at r ≤ 0 that give the curve its symmetry about the centre.
fn mirrored(radii: &[f64], values: &[f64], centre: Centre) -> (Vec<f64>, Vec<f64>) {
    let starts_at_centre = radii.first() == Some(&0.0);
    let partner = usize::from(starts_at_centre);
    let (Some(&r), Some(&value)) = (radii.get(partner), values.get(partner)) else {
        return (Vec::new(), Vec::new());
    };
    match centre {
        Centre::Excised => (Vec::new(), Vec::new()),
        Centre::Odd if starts_at_centre => (vec![-r], vec![-value]),
        Centre::Odd => (vec![-r, 0.0], vec![-value, 0.0]),
        Centre::Parabola if !starts_at_centre && radii.len() > 1 => {
            let curvature = (values[1] - value) / (radii[1].powi(2) - r * r);
            (vec![-r, 0.0], vec![value, value - curvature * r * r])
        }
        Centre::Flat | Centre::Parabola => (vec![-r], vec![value]),
    }
}

/// Slopes of the parabolas through three neighbouring points, limited so that every interval is
/// monotone: (d₀/Δ)² + (d₁/Δ)² ≤ 9 and neither sign opposed to the secant Δ.
fn limited_slopes(x: &[f64], y: &[f64]) -> Vec<f64> {
    let n = x.len();
    if n < 2 {
        return vec![0.0; n];
    }
    let secant: Vec<f64> = (1..n).map(|i| (y[i] - y[i - 1]) / (x[i] - x[i - 1])).collect();
    let mut slope = parabolic_slopes(x, &secant);
    for (i, &delta) in secant.iter().enumerate() {
        for end in [i, i + 1] {
            if slope[end] * delta <= 0.0 {
                slope[end] = 0.0;
            }
        }
        let steepness = slope[i].hypot(slope[i + 1]);
        if steepness > 3.0 * delta.abs() {
            slope[i] *= 3.0 * delta.abs() / steepness;
            slope[i + 1] *= 3.0 * delta.abs() / steepness;
        }
    }
    slope
}

fn parabolic_slopes(x: &[f64], secant: &[f64]) -> Vec<f64> {
    let last = secant.len() - 1;
    if last == 0 {
        return vec![secant[0]; 2];
    }
    let curvature = |i: usize| (secant[i] - secant[i - 1]) / (x[i + 1] - x[i - 1]);
    let mut slope = vec![secant[0] - curvature(1) * (x[1] - x[0])];
    slope.extend((1..=last).map(|i| secant[i - 1] + curvature(i) * (x[i] - x[i - 1])));
    slope.push(secant[last] + curvature(last) * (x[last + 1] - x[last]));
    slope
}

/// A tabulated quantity as a function of radius.
#[derive(Debug, Clone)]
pub(super) enum Curve {
    Cubic(MonotoneCubic),
    /// The exponential of an interpolated logarithm.
    LogCubic(MonotoneCubic),
    /// `values[i]` between `edges[i]` and `edges[i + 1]`; the nearest zone's value outside.
    ZoneConstant {
        edges: Vec<f64>,
        values: Vec<f64>,
    },
}

impl Curve {
    pub(super) fn evaluate(&self, r: f64) -> f64 {
        match self {
            Self::Cubic(cubic) => cubic.evaluate(r),
            Self::LogCubic(cubic) => cubic.evaluate(r).exp(),
            Self::ZoneConstant { edges, values } => {
                let zone = edges.partition_point(|&edge| edge <= r).saturating_sub(1);
                values[zone.min(values.len() - 1)]
            }
        }
    }

    /// Points between which the curve is smooth.
    pub(super) fn breaks(&self) -> &[f64] {
        match self {
            Self::Cubic(cubic) | Self::LogCubic(cubic) => &cubic.x,
            Self::ZoneConstant { edges, .. } => edges,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn points_are_met_and_straight_lines_are_exact() {
        let radii = [1.0, 2.0, 4.0, 7.0, 7.5];
        let values = radii.map(|r| 3.0 - 2.0 * r);
        let cubic = MonotoneCubic::new(&radii, &values, Centre::Excised);
        for r in [1.0, 1.3, 2.0, 3.9, 7.2, 7.5] {
            assert!((cubic.evaluate(r) - (3.0 - 2.0 * r)).abs() < 1e-13, "r = {r}");
        }
        assert_eq!(cubic.evaluate(0.1), values[0]);
        assert_eq!(cubic.evaluate(9.0), values[4]);
    }

    /// sin on [0, 1.5]: the error falls by about 2³ = 8 per halving (slopes of second order).
    #[test]
    fn smooth_data_converge_at_third_order() {
        let error = |n: usize| {
            let radii: Vec<f64> = (0..=n).map(|i| 1.5 * i as f64 / n as f64).collect();
            let values: Vec<f64> = radii.iter().map(|r| r.sin()).collect();
            let cubic = MonotoneCubic::new(&radii, &values, Centre::Odd);
            (0..1000)
                .map(|i| 0.0015 * i as f64)
                .fold(0.0_f64, |e, r| e.max((cubic.evaluate(r) - r.sin()).abs()))
        };
        let (coarse, fine) = (error(16), error(32));
        assert!(fine < 3e-6, "{fine}");
        assert!(coarse / fine > 6.0, "{coarse} {fine}");
    }

    #[test]
    fn symmetry_about_the_centre() {
        let (radii, values) = ([1.0, 3.0, 5.0], [1.0, 9.0, 25.0]);
        let odd = MonotoneCubic::new(&radii, &values, Centre::Odd);
        assert_eq!(odd.evaluate(0.0), 0.0);
        assert!(odd.evaluate(0.5) > 0.0 && odd.evaluate(0.5) < 1.0);
        let flat = MonotoneCubic::new(&radii, &values, Centre::Flat);
        assert_eq!(flat.evaluate(0.0), 1.0);
        assert_eq!(flat.evaluate(0.7), 1.0);
        let parabola = MonotoneCubic::new(&radii, &values, Centre::Parabola);
        assert!(parabola.evaluate(0.0).abs() < 1e-15);
        let from_zero = MonotoneCubic::new(&[0.0, 1.0, 2.0], &[0.0, 1.0, 4.0], Centre::Parabola);
        // Even: no slope at the centre, so quadratic to leading order.
        assert!(from_zero.evaluate(1e-4) < 1e-6);
    }

    #[test]
    fn zones_are_constant() {
        let zones = Curve::ZoneConstant { edges: vec![0.0, 1.0, 2.0], values: vec![5.0, 7.0] };
        assert_eq!(
            [0.0, 0.99, 1.0, 1.5, 2.0, 3.0].map(|r| zones.evaluate(r)),
            [5.0, 5.0, 7.0, 7.0, 7.0, 7.0]
        );
    }

    fn increasing(n: std::ops::Range<usize>) -> impl Strategy<Value = Vec<(f64, f64)>> {
        prop::collection::vec((1e-3..10.0_f64, 0.0..5.0_f64), n).prop_map(|steps| {
            steps
                .iter()
                .scan((0.0, -7.0), |at, (dx, dy)| {
                    // Rises of very different sizes, plateaus among them.
                    *at = (at.0 + dx, at.1 + if *dy < 1.0 { 0.0 } else { dy.powi(5) });
                    Some(*at)
                })
                .collect()
        })
    }

    proptest! {
        #[test]
        fn monotone_data_stay_monotone(points in increasing(2..30), falling in any::<bool>()) {
            let sign = if falling { -1.0 } else { 1.0 };
            let (radii, values): (Vec<f64>, Vec<f64>) =
                points.iter().map(|&(x, y)| (x, sign * y)).unzip();
            let cubic = MonotoneCubic::new(&radii, &values, Centre::Flat);
            let (first, last) = (radii[0], radii[radii.len() - 1]);
            let samples: Vec<f64> =
                (0..=2000).map(|i| sign * cubic.evaluate(first + (last - first) * i as f64 / 2000.0)).collect();
            let scale = samples[2000].abs().max(samples[0].abs());
            prop_assert!(samples.windows(2).all(|pair| pair[1] >= pair[0] - 4e-15 * scale));
            prop_assert_eq!(samples[0], sign * values[0]);
        }
    }
}
