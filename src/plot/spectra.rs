//! Spectra at several radii.

use kuva::plot::ColorMap;

use super::Figure;
use super::axis;
use super::chart::{Chart, Series, Style, subtitle};
use crate::error::{Error, Result};
use crate::output::dataset::Dataset;

/// Radii in a figure, at most.
const RADII: usize = 6;
/// Decades of the spectrum that a figure shows.
const DECADES: i32 = 5;

/// ε² J over energy at several radii, a figure per species: at the radii asked for where the result has
/// them (group `samples`), else at nodes that are evenly spaced in the logarithm of r.
pub fn spectra(state: &Dataset) -> Result<Vec<Figure>> {
    let samples = state.get_group("samples").filter(|group| group.get("j").is_some());
    let (source, radius) = match &samples {
        Some(group) => (group, "r_sample"),
        None => (state, "r"),
    };
    let energies = source.reals("energy")?;
    if energies.len() < 2 {
        return Err(Error::dataset("energy", "one energy only: there is no spectrum"));
    }
    let radii = source.reals(radius)?;
    let names = source.texts("species")?;
    let j = source.array("j")?;
    if j.shape() != [names.len(), energies.len(), radii.len()] {
        return Err(Error::dataset(
            "j",
            format!("has shape {:?}, not (species, energy, {radius})", j.shape()),
        ));
    }
    let chosen = if samples.is_some() { evenly(radii.len()) } else { by_logarithm(radii) };
    let units = (&*source.require("energy")?.units, &*source.require(radius)?.units);
    let mut figures = Vec::new();
    for (species, name) in names.iter().enumerate() {
        let value = |e: usize, r: usize| energies[e].powi(2) * j[[species, e, r]];
        let points = |r: usize| (0..energies.len()).map(|e| (energies[e], value(e, r))).collect();
        let lines = chosen.iter().map(|&r| (radius_label(radii[r], units.1), points(r)));
        let mut chart = chart(name, lines.collect(), units.0);
        chart.subtitle = subtitle(state);
        figures.push(chart.figure(&format!("spectrum_{}", file_part(name)))?);
    }
    Ok(figures)
}

fn chart(species: &str, lines: Vec<(String, Vec<(f64, f64)>)>, units: &str) -> Chart {
    let values = || lines.iter().flat_map(|line| line.1.iter().map(|p| p.1));
    let scale = axis::scale_of(values());
    let factor = 10_f64.powi(-scale);
    let square = if units == "1" { "1".to_owned() } else { format!("{units}2") };
    let label = axis::labelled("ε² J", scale, &square);
    let y = axis::logarithmic(label, values().map(|v| v * factor), DECADES);
    let reached = lines.iter().flat_map(|line| &line.1).filter(|p| p.1 * factor >= y.min).map(|p| p.0);
    let mut x = axis::linear(axis::labelled("ε", 0, units), reached);
    x.min = 0.0;
    let count = lines.len();
    let series = lines.into_iter().enumerate().map(|(i, (label, points))| Series {
        label,
        colour: ColorMap::Viridis.map(0.9 * i as f64 / count.max(2) as f64),
        style: Style::Solid,
        points: points.into_iter().map(|(e, v)| (e, v * factor)).collect(),
    });
    let series = series.collect();
    let title = format!("Spectra of {species}");
    Chart { title, subtitle: String::new(), x, y, series, levels: vec![], places: vec![] }
}

/// At most [`RADII`] of `count` indices, first and last among them.
fn evenly(count: usize) -> Vec<usize> {
    let wanted = RADII.min(count);
    let mut chosen: Vec<_> = (0..wanted).map(|i| i * (count - 1) / (wanted - 1).max(1)).collect();
    chosen.dedup();
    chosen
}

/// Indices of radii nearest to [`RADII`] values that are evenly spaced in the logarithm.
fn by_logarithm(radii: &[f64]) -> Vec<usize> {
    let (Some(first), Some(&last)) = (radii.iter().position(|r| *r > 0.0), radii.last()) else {
        return evenly(radii.len());
    };
    let mut chosen: Vec<_> = (0..RADII)
        .map(|i| {
            let target = radii[first] * (last / radii[first]).powf(i as f64 / (RADII - 1) as f64);
            radii.partition_point(|r| *r < target * (1.0 - 1e-12)).min(radii.len() - 1)
        })
        .collect();
    chosen.dedup();
    chosen
}

fn radius_label(radius: f64, units: &str) -> String {
    match units {
        "cm" => format!("r = {} km", rounded(radius / 1e5)),
        "1" | "" => format!("r = {}", rounded(radius)),
        other => format!("r = {} {other}", rounded(radius)),
    }
}

/// Three significant digits.
fn rounded(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    let digit = 10_f64.powf(value.abs().log10().floor() - 2.0);
    let rounded = (value / digit).round() * digit;
    if (1e-3..1e6).contains(&rounded.abs()) {
        let decimals = (-digit.log10().round()).max(0.0) as usize;
        let fixed = format!("{rounded:.decimals$}");
        if fixed.contains('.') { fixed.trim_end_matches('0').trim_end_matches('.').to_owned() } else { fixed }
    } else {
        format!("{rounded:.2e}")
    }
}

/// A species' name as part of a file name.
pub fn file_part(name: &str) -> String {
    name.chars().map(|c| if c.is_alphanumeric() || c == '-' { c } else { '_' }).collect()
}
