//! Opacities over energy, a line per process.

use super::Figure;
use super::axis;
use super::chart::{Chart, Series, Style, colour};
use crate::error::Result;
use crate::rates::PlaceRates;
use crate::rates::report::{Value, is_total, processes, series};

/// Decades that a figure shows.
const DECADES: i32 = 9;

/// κ* (solid) and scattering (dashed) of `species` over energy at one place.
///
/// # Errors
/// Fewer than two energies, or no process with an opacity.
pub fn opacities(place: &PlaceRates, species: &str) -> Result<Figure> {
    let mut lines = Vec::new();
    let values: [(&str, Style, Value); 3] = [
        ("κ*", Style::Solid, |rate| rate.absorption),
        ("inelastic", Style::Dashed, |rate| rate.inelastic_scattering),
        ("σ₀", Style::Dashed, |rate| rate.scattering),
    ];
    for (symbol, style, value) in values {
        for process in processes(place, species, value).into_iter().filter(|process| !is_total(process)) {
            lines.push(Series {
                label: format!("{symbol} {}", process.replace('_', " ")),
                colour: colour(lines.len()).to_owned(),
                style,
                points: series(place, species, process, value),
            });
        }
    }
    let values = |lines: &[Series]| lines.iter().flat_map(|line| line.points.clone()).collect::<Vec<_>>();
    let scale = axis::scale_of(values(&lines).into_iter().map(|p| p.1));
    let factor = 10_f64.powi(-scale);
    for point in lines.iter_mut().flat_map(|line| &mut line.points) {
        point.1 *= factor;
    }
    let x = axis::logarithmic("ε [MeV]".to_owned(), values(&lines).into_iter().map(|p| p.0), DECADES);
    let label = axis::labelled("opacity", scale, "cm-1");
    let y = axis::logarithmic(label, values(&lines).into_iter().map(|p| p.1), DECADES);
    for point in lines.iter_mut().flat_map(|line| &mut line.points).filter(|point| point.1 < y.min) {
        // A gap: the drawing library would draw it on the axis.
        point.1 = f64::NAN;
    }
    let title = format!("Opacities of {species}");
    let subtitle = place.place.matter.map_or(String::new(), |matter| {
        format!(
            "ρ = {:.3e} g cm⁻³, T = {:.3} MeV, Yₑ = {:.3}",
            matter.density, matter.temperature, matter.electron_fraction
        )
    });
    Chart { title, subtitle, x, y, series: lines, levels: vec![], places: vec![] }
        .figure(&format!("opacities of {species}"))
}
