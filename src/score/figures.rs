//! Figures of a scorecard: the reference and all schemes over radius or energy, and their differences.

use super::quantities::spectrum;
use super::{Measure, Score};
use crate::compare::report::figures::{axis_of, band, deviations, heading, overlay, svg};
use crate::compare::{Comparison, Entry};
use crate::extremes::largest;
use crate::plot::Figure;
use crate::plot::chart::{Series, Style, colour};

/// The reference's colour; those of the schemes come from the palette.
const REFERENCE: &str = "#000000";

/// A quantity of one species, at one radius where it is a spectrum.
pub(super) struct Panel {
    /// Unique on a page.
    pub anchor: String,
    pub title: String,
    /// SVG.
    pub figures: Vec<String>,
}

/// One scheme's points of a panel.
struct Curve<'a> {
    label: &'a str,
    colour: &'static str,
    comparison: &'a Comparison,
    entries: Vec<Entry>,
}

/// The panels of all rows that have curves, in the order of the rows.
pub(super) fn panels(score: &Score) -> Vec<Panel> {
    let mut panels: Vec<Panel> = Vec::new();
    for row in &score.rows {
        let (suffix, spectrum_at) = match row.measure {
            Measure::L1 | Measure::L1Gain | Measure::L1Energy => (String::new(), None),
            Measure::L1Spectrum(r) => (format!(", r = {}", score.length(r)), Some(r)),
            Measure::AtRadius | Measure::Single | Measure::Max => continue,
        };
        let species = row.species.as_deref();
        let curves = curves(score, &row.quantity, species, spectrum_at);
        let Some(first) = curves.first() else { continue };
        let of = species.map_or(String::new(), |species| format!(" {species}"));
        let title = format!("{}{of}{suffix}", heading(first.comparison));
        let figures = draw(score, &title, &curves);
        panels.push(Panel { anchor: format!("panel-{}", panels.len()), title, figures });
    }
    panels
}

fn curves<'a>(score: &'a Score, quantity: &str, species: Option<&str>, r: Option<f64>) -> Vec<Curve<'a>> {
    let schemes = score.schemes.iter().enumerate();
    let curve = |(index, scheme): (usize, &'a super::Scheme)| {
        let of = |c: &&Comparison| c.quantity == quantity && c.species.as_deref() == species;
        let comparison = scheme.comparisons.iter().find(of)?;
        let entries = match r {
            Some(r) => spectrum(&comparison.entries, r),
            None => comparison.entries.clone(),
        };
        Some(Curve { label: &scheme.method, colour: colour(index), comparison, entries })
    };
    schemes.filter_map(curve).collect()
}

/// Values and differences.
fn draw(score: &Score, title: &str, curves: &[Curve]) -> Vec<String> {
    let Some(first) = curves.first() else { return Vec::new() };
    let over_energy = first.entries.iter().any(|entry| entry.energy.is_some());
    let energy_unit = if score.length_unit == "1" { "1" } else { "MeV" };
    let all = curves.iter().flat_map(|curve| curve.entries.iter());
    let (x, place) = axis_of(all, &score.length_unit, energy_unit, over_energy);
    let mut values = vec![Series {
        label: "reference".to_owned(),
        colour: REFERENCE.to_owned(),
        style: Style::Solid,
        points: first.entries.iter().map(|entry| (place(entry), entry.reference)).collect(),
    }];
    values.extend(curves.iter().map(|curve| series(curve, Style::Dashed, &|e| (place(e), e.other))));
    let largest = largest(first.entries.iter().map(|entry| entry.reference.abs()));
    let share = |value: f64| if largest > 0.0 { 100.0 * value / largest } else { value };
    let differences: Vec<Series> =
        curves.iter().map(|c| series(c, Style::Solid, &|e| (place(e), share(e.difference())))).collect();
    let errors: Option<Vec<f64>> = first.entries.iter().map(|entry| entry.error.map(share)).collect();
    let points: Vec<(f64, f64)> = first.entries.iter().map(|entry| (place(entry), 0.0)).collect();
    let bands = errors.filter(|_| points.len() > 1).map(|errors| band(&points, &errors, "#888888"));
    let drawn = [
        overlay(title.to_owned(), first.comparison, x.clone(), values),
        deviations(
            "scheme − reference".to_owned(),
            &first.comparison.quantity,
            x,
            differences,
            bands.into_iter().collect(),
        ),
    ];
    drawn.into_iter().filter_map(svg_of).collect()
}

/// The figure as text, where there is something to draw.
pub(super) fn svg_of(figure: crate::error::Result<Figure>) -> Option<String> {
    svg(figure.ok()?).ok()
}

fn series(curve: &Curve, style: Style, point: &dyn Fn(&Entry) -> (f64, f64)) -> Series {
    Series {
        label: curve.label.to_owned(),
        colour: curve.colour.to_owned(),
        style,
        points: curve.entries.iter().map(point).collect(),
    }
}
