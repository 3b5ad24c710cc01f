//! Figures of a comparison: both curves, and their difference with the reference's error.

use kuva::plot::BandPlot;
use kuva::render::plots::Plot;

use super::super::norms::Entry;
use super::super::{Comparison, Report};
use super::{radius, short};
use crate::error::Result;
use crate::plot::axis::{self, Axis};
use crate::plot::chart::{Chart, Series, Style, colour};
use crate::plot::{Figure, Format};

/// A range of more than this factor is drawn logarithmically.
const LOGARITHMIC_FROM: f64 = 30.0;
/// Decades of values that a figure shows.
const DECADES: i32 = 6;
/// Values that differ by less than this share are drawn as a flat line.
const FLAT: f64 = 1e-9;
/// Spectra in a figure.
const SPECTRA: usize = 4;

/// A line of the figures: points of one species, or of one radius.
struct Curve<'a> {
    label: String,
    entries: Vec<&'a Entry>,
    /// What "relative to the largest" means for it.
    largest: f64,
}

/// SVG of values and of differences for comparisons of one quantity; none where there is nothing to draw
/// (single numbers).
pub fn figures(report: &Report, comparisons: &[&Comparison]) -> Vec<String> {
    let Some(first) = comparisons.first() else { return Vec::new() };
    let over_energy = first.entries.iter().any(|entry| entry.energy.is_some());
    let curves: Vec<Curve> = comparisons.iter().flat_map(|comparison| curves(report, comparison)).collect();
    let drawn =
        [values(report, first, &curves, over_energy), differences(report, first, &curves, over_energy)];
    drawn.into_iter().filter_map(|figure| svg(figure.ok()?).ok()).collect()
}

/// The figure as text.
pub(crate) fn svg(figure: Figure) -> Result<String> {
    figure.render(Format::Svg).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

fn curves<'a>(report: &Report, comparison: &'a Comparison) -> Vec<Curve<'a>> {
    let species = comparison.species.clone().unwrap_or_else(|| comparison.quantity.clone());
    let largest = comparison.metrics.largest;
    let (with_r, with_energy) =
        comparison.entries.first().map_or((false, false), |e| (e.r.is_some(), e.energy.is_some()));
    if !(with_r && with_energy) {
        return vec![Curve { label: species, entries: comparison.entries.iter().collect(), largest }];
    }
    let chosen = radii(comparison).into_iter().map(|r| Curve {
        label: format!("{species} {}", radius(report, r)),
        entries: comparison.entries.iter().filter(|entry| entry.r == Some(r)).collect(),
        largest,
    });
    chosen.collect()
}

/// Radii of which spectra are drawn: that of the largest difference, and some over the range.
fn radii(comparison: &Comparison) -> Vec<f64> {
    let mut all: Vec<f64> = comparison.entries.iter().filter_map(|entry| entry.r).collect();
    all.dedup();
    let last = all.len().saturating_sub(1);
    let mut chosen: Vec<f64> = (0..SPECTRA - 1).map(|i| all[i * last / (SPECTRA - 2)]).collect();
    chosen.extend(comparison.metrics.max.r);
    chosen.sort_by(f64::total_cmp);
    chosen.dedup();
    chosen
}

/// The coordinate of an entry on the horizontal axis.
pub(crate) type Place = Box<dyn Fn(&Entry) -> f64>;

/// The horizontal axis and the place of an entry on it.
fn horizontal(report: &Report, curves: &[Curve], over_energy: bool) -> (Axis, Place) {
    let entries = curves.iter().flat_map(|curve| curve.entries.iter().copied());
    axis_of(entries, &report.length_unit, &report.energy_unit, over_energy)
}

/// The horizontal axis of `entries` and the place of an entry on it.
pub(crate) fn axis_of<'a>(
    entries: impl Iterator<Item = &'a Entry>,
    length_unit: &str,
    energy_unit: &str,
    over_energy: bool,
) -> (Axis, Place) {
    let physical = length_unit == "cm";
    let factor = if physical { 1e-5 } else { 1.0 };
    let place = move |entry: &Entry| {
        if over_energy { entry.energy.unwrap_or(f64::NAN) } else { entry.r.map_or(f64::NAN, |r| r * factor) }
    };
    let label = match (over_energy, physical) {
        (true, _) => axis::labelled("ε", 0, energy_unit),
        (false, true) => "r [km]".to_owned(),
        (false, false) => "r".to_owned(),
    };
    let (min, max) = entries
        .map(&place)
        .filter(|x| x.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
    let logarithmic = !over_energy && min > 0.0 && max / min > LOGARITHMIC_FROM;
    (Axis { label, logarithmic, min, max }, Box::new(place))
}

fn values(report: &Report, first: &Comparison, curves: &[Curve], over_energy: bool) -> Result<Figure> {
    let (x, place) = horizontal(report, curves, over_energy);
    let mut series = Vec::new();
    for (index, curve) in curves.iter().enumerate() {
        type Value = fn(&Entry) -> f64;
        let kinds: [(&str, Style, Value); 2] =
            [("reference", Style::Solid, |e| e.reference), ("other", Style::Dashed, |e| e.other)];
        for (kind, style, value) in kinds {
            let points = curve.entries.iter().map(|entry| (place(entry), value(entry))).collect();
            let label = format!("{} {kind}", curve.label);
            series.push(Series { label, colour: colour(index).to_owned(), style, points });
        }
    }
    overlay(heading(first), first, x, series)
}

/// `series` of the values of the quantity of `first` over `x`.
pub(crate) fn overlay(title: String, first: &Comparison, x: Axis, mut series: Vec<Series>) -> Result<Figure> {
    let all = || series.iter().flat_map(|series| series.points.iter().map(|point| point.1));
    let scale = axis::scale_of(all());
    let factor = 10_f64.powi(-scale);
    let label = axis::labelled(&first.title, scale, &first.units);
    let (low, high) =
        all().fold((f64::INFINITY, 0.0), |(low, high): (f64, f64), v| (low.min(v), high.max(v)));
    let y = if low >= 0.0 && high > LOGARITHMIC_FROM * low && high > 0.0 {
        axis::logarithmic(label, all().map(|v| v * factor), DECADES)
    } else {
        axis::linear(label, all().map(|v| v * factor))
    };
    let y = at_least(y, FLAT * high.max(-low) * factor);
    series.iter_mut().flat_map(|series| &mut series.points).for_each(|point| point.1 *= factor);
    let subtitle = String::new();
    Chart { title, subtitle, x, y, series, levels: vec![], places: vec![] }.figure(&first.quantity)
}

fn differences(report: &Report, first: &Comparison, curves: &[Curve], over_energy: bool) -> Result<Figure> {
    let (x, place) = horizontal(report, curves, over_energy);
    let share =
        |curve: &Curve, value: f64| if curve.largest > 0.0 { 100.0 * value / curve.largest } else { value };
    let mut bands = Vec::new();
    let mut series = Vec::new();
    for (index, curve) in curves.iter().enumerate() {
        let points: Vec<(f64, f64)> =
            curve.entries.iter().map(|entry| (place(entry), share(curve, entry.difference()))).collect();
        let errors: Option<Vec<f64>> =
            curve.entries.iter().map(|e| e.error.map(|error| share(curve, error))).collect();
        if let Some(errors) = errors.filter(|_| points.len() > 1) {
            bands.push(band(&points, &errors, colour(index)));
        }
        let label = curve.label.clone();
        series.push(Series { label, colour: colour(index).to_owned(), style: Style::Solid, points });
    }
    let title = format!("{}: other − reference", heading(first));
    deviations(title, &first.quantity, x, series, bands)
}

/// `series` of differences in per cent of the largest value, over `bands` of the reference's error.
pub(crate) fn deviations(
    title: String,
    name: &str,
    x: Axis,
    series: Vec<Series>,
    bands: Vec<Plot>,
) -> Result<Figure> {
    let label = "difference [% of largest]".to_owned();
    let all = series.iter().flat_map(|series| series.points.iter().map(|point| point.1));
    let mut y = axis::linear(label, all.chain(std::iter::once(0.0)));
    if y.max <= 0.0 {
        y.max = -0.05 * y.min;
    }
    let y = at_least(y, 100.0 * FLAT);
    let subtitle =
        if bands.is_empty() { "error of the reference: unknown" } else { "shaded: error of the reference" };
    let levels = vec![(0.0, String::new())];
    let chart = Chart { title, subtitle: subtitle.to_owned(), x, y, series, levels, places: vec![] };
    chart.figure_over(name, bands)
}

/// The axis around the same middle, not shorter than `range`: round-off is not magnified.
fn at_least(mut axis: Axis, range: f64) -> Axis {
    if !axis.logarithmic && axis.max - axis.min < range {
        let middle = 0.5 * (axis.min + axis.max);
        (axis.min, axis.max) = (middle - 0.5 * range, middle + 0.5 * range);
    }
    axis
}

/// The range of ±`errors` around 0 at `points`.
pub(crate) fn band(points: &[(f64, f64)], errors: &[f64], shade: &str) -> Plot {
    let x = points.iter().map(|point| point.0);
    let (low, high) = (errors.iter().map(|error| -error), errors.iter().copied());
    Plot::Band(BandPlot::new(x, low, high).with_color(shade).with_opacity(0.25))
}

/// Title and frame.
pub(crate) fn heading(comparison: &Comparison) -> String {
    match comparison.frame.text() {
        "" => comparison.title.clone(),
        frame => format!("{}, {frame}", comparison.title),
    }
}

/// For texts under the figures: the radii of the spectra.
pub fn spectra_note(report: &Report, comparison: &Comparison) -> Option<String> {
    let both = comparison.entries.first().is_some_and(|e| e.r.is_some() && e.energy.is_some());
    both.then(|| {
        let chosen = radii(comparison);
        let worst = comparison.metrics.max.r.map_or(String::new(), |r| radius(report, r));
        format!("spectra at {} radii; the largest difference is at {worst}", short(chosen.len() as f64))
    })
}
