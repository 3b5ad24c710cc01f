//! Axes: what they show, in which scale, with which labels.

use std::sync::Arc;

use kuva::render::layout::{Layout, TickFormat};

use crate::error::{Error, Result};
use crate::output::dataset::Dataset;

/// A radius range of more than this factor is drawn logarithmically.
const LOGARITHMIC_FROM: f64 = 15.0;

/// An axis.
#[derive(Debug, Clone)]
pub struct Axis {
    pub label: String,
    pub logarithmic: bool,
    pub min: f64,
    pub max: f64,
}

impl Axis {
    /// Place of `value` on the axis, 0 at its start and 1 at its end.
    pub fn place(&self, value: f64) -> f64 {
        let coordinate = |v: f64| if self.logarithmic { v.ln() } else { v };
        (coordinate(value) - coordinate(self.min)) / (coordinate(self.max) - coordinate(self.min))
    }

    /// The value at a place.
    pub fn value(&self, place: f64) -> f64 {
        if self.logarithmic {
            self.min * (self.max / self.min).powf(place)
        } else {
            self.min + (self.max - self.min) * place
        }
    }

    /// True where `value` has a place on the axis.
    pub fn can_show(&self, value: f64) -> bool {
        value.is_finite() && (!self.logarithmic || value > 0.0)
    }
}

/// The radius axis, and radii in its unit.
pub fn radius(state: &Dataset) -> Result<(Axis, Vec<f64>)> {
    let units = &state.require("r")?.units;
    let (factor, label) = match units.as_str() {
        "cm" => (1e-5, "r [km]".to_owned()),
        "1" | "" => (1.0, "r".to_owned()),
        other => (1.0, format!("r [{other}]")),
    };
    let radii: Vec<f64> = state.reals("r")?.iter().map(|r| r * factor).collect();
    let positive = radii.iter().copied().filter(|r| *r > 0.0 && r.is_finite());
    let (min, max) =
        positive.fold((f64::INFINITY, 0.0), |(low, high): (f64, f64), r| (low.min(r), high.max(r)));
    if min >= max {
        return Err(Error::dataset("r", "fewer than two different radii: nothing can be drawn over them"));
    }
    let logarithmic = max / min > LOGARITHMIC_FROM;
    Ok((Axis { label, logarithmic, min, max }, radii))
}

/// A linear axis around `values`, from zero where that is near.
pub fn linear(label: String, values: impl Iterator<Item = f64>) -> Axis {
    let (low, high) = range(values);
    let low = if low > 0.0 && low < 0.7 * high { 0.0 } else { low };
    let pad = if high > low { 0.05 * (high - low) } else { 0.05 * high.abs().max(1.0) };
    let min = if low == 0.0 { 0.0 } else { low - pad };
    Axis { label, logarithmic: false, min, max: high + pad }
}

/// A logarithmic axis up to the largest of `values` and down to the smallest positive one, but not more
/// than `decades` below.
pub fn logarithmic(label: String, values: impl Iterator<Item = f64>, decades: i32) -> Axis {
    let (low, high) = range(values.filter(|v| *v > 0.0));
    let floor = high * 10_f64.powi(-decades);
    Axis { label, logarithmic: true, min: low.max(floor) * 0.8, max: high * 1.5 }
}

fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let finite = values.filter(|v| v.is_finite());
    finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)))
}

/// A power of ten that brings the largest of `values` between 1 and 10, where it is far from that.
pub fn scale_of(values: impl Iterator<Item = f64>) -> i32 {
    let (_, high) = range(values.map(f64::abs));
    if high > 0.0 && high.is_finite() && !(1e-2..1e4).contains(&high) {
        high.log10().floor() as i32
    } else {
        0
    }
}

/// `name [10ⁿ unit]`, without what is 1.
pub fn labelled(name: &str, scale: i32, units: &str) -> String {
    let units = pretty_units(units);
    match (scale, units.as_str()) {
        (0, "") => name.to_owned(),
        (0, units) => format!("{name} [{units}]"),
        (scale, "") => format!("{name} [{}]", power_of_ten(scale)),
        (scale, units) => format!("{name} [{} {units}]", power_of_ten(scale)),
    }
}

/// Exponents of units as superscripts: "erg s-1" as "erg s⁻¹".
fn pretty_units(units: &str) -> String {
    if units == "1" {
        return String::new();
    }
    let pretty = |word: &str| match word.find(['-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']) {
        Some(at) if at > 0 => format!("{}{}", &word[..at], superscript(&word[at..])),
        _ => word.to_owned(),
    };
    units.split(' ').map(pretty).collect::<Vec<_>>().join(" ")
}

fn superscript(digits: &str) -> String {
    let raised = |c: char| match c {
        '-' => '⁻',
        '0' => '⁰',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        '4' => '⁴',
        '5' => '⁵',
        '6' => '⁶',
        '7' => '⁷',
        '8' => '⁸',
        '9' => '⁹',
        other => other,
    };
    digits.chars().map(raised).collect()
}

fn power_of_ten(exponent: i32) -> String {
    format!("10{}", superscript(&exponent.to_string()))
}

/// Label of a tick of a logarithmic axis: plain numbers near 1, powers of ten elsewhere.
pub fn logarithmic_tick(value: f64) -> String {
    if value <= 0.0 {
        return String::new();
    }
    if (0.01..1e5).contains(&value) {
        return format!("{}", (value * 1e6).round() / 1e6);
    }
    let exponent = (value.log10() + 1e-9).floor();
    let mantissa = (value / 10_f64.powf(exponent)).round();
    let power = power_of_ten(exponent as i32);
    if mantissa == 1.0 { power } else { format!("{mantissa}·{power}") }
}

/// `layout` with the axes `x` and `y`.
pub fn apply(mut layout: Layout, x: &Axis, y: &Axis) -> Layout {
    layout = layout.with_x_label(x.label.as_str()).with_y_label(y.label.as_str());
    layout = layout.with_x_axis_min(x.min).with_x_axis_max(x.max);
    layout = layout.with_y_axis_min(y.min).with_y_axis_max(y.max);
    if x.logarithmic {
        layout = layout.with_log_x().with_x_tick_format(TickFormat::Custom(Arc::new(logarithmic_tick)));
    }
    if y.logarithmic {
        layout = layout.with_log_y().with_y_tick_format(TickFormat::Custom(Arc::new(logarithmic_tick)));
    }
    layout
}
