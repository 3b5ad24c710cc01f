//! Opacities over energy, a line per process.

use super::Figure;
use super::axis;
use super::chart::{Chart, Series, Style, colour};
use crate::error::Result;
use crate::rates::PlaceRates;
use crate::rates::report::{Value, is_total, processes, series};

/// Decades that a figure shows.
const DECADES: i32 = 10;

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
    let points = || lines.iter().flat_map(|line| line.points.iter().copied());
    let x = axis::logarithmic("ε [MeV]".to_owned(), points().map(|p| p.0), DECADES);
    let y = axis::logarithmic("opacity [cm⁻¹]".to_owned(), points().map(|p| p.1), DECADES);
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
