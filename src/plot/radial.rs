//! Figures over radius.

use super::Figure;
use super::axis::{self, Axis};
use super::chart::{Chart, Series, Style, colour, subtitle};
use crate::error::{Error, Result};
use crate::output::dataset::Dataset;

/// Decades of heating rates that a figure shows.
const HEATING_DECADES: i32 = 6;

/// Luminosities at infinity, and in the comoving frame where they differ.
pub fn luminosity(state: &Dataset) -> Result<Figure> {
    let at_infinity = rows(state, "luminosity_infinity")?;
    let comoving = rows(state, "luminosity")?;
    let scale = axis::scale_of(at_infinity.iter().flatten().copied());
    let differs = |(a, b): (&Vec<f64>, &Vec<f64>)| {
        a.iter().zip(b).any(|(a, b)| (a - b).abs() > 1e-6 * (a.abs() + b.abs()))
    };
    let units = &state.require("luminosity_infinity")?.units;
    let (name, kinds) = if at_infinity.iter().zip(&comoving).any(differs) {
        let kinds = vec![(" at infinity", Style::Solid, at_infinity), (" comoving", Style::Dashed, comoving)];
        ("L", kinds)
    } else {
        ("L∞", vec![("", Style::Solid, at_infinity)])
    };
    let label = axis::labelled(name, scale, units);
    let chart = over_radius(state, "Luminosities", label, &kinds, 10_f64.powi(-scale))?;
    chart.figure("luminosity")
}

/// Mean and rms energies.
pub fn energy(state: &Dataset) -> Result<Figure> {
    let kinds = [
        (" mean", Style::Solid, rows(state, "mean_energy")?),
        (" rms", Style::Dashed, rows(state, "rms_energy")?),
    ];
    let label = axis::labelled("energy", 0, &state.require("mean_energy")?.units);
    over_radius(state, "Mean and rms energies", label, &kinds, 1.0)?.figure("energy")
}

/// Flux and Eddington factors.
pub fn factors(state: &Dataset) -> Result<Figure> {
    let kinds = [
        (" H/J", Style::Solid, rows(state, "flux_factor")?),
        (" K/J", Style::Dashed, rows(state, "eddington_factor")?),
    ];
    let title = "Flux and Eddington factors";
    let mut chart = over_radius(state, title, "H/J, K/J".to_owned(), &kinds, 1.0)?;
    chart.levels.push((1.0 / 3.0, "1/3".to_owned()));
    chart.figure("factors")
}

/// Absorbed, emitted and net heating, the gain radius.
pub fn heating(state: &Dataset) -> Result<Figure> {
    let (x, radii) = axis::radius(state)?;
    let units = &state.require("heating_net")?.units;
    let net = state.reals("heating_net")?;
    let kinds: [(&str, Style, Vec<f64>); 4] = [
        ("net heating", Style::Solid, net.to_vec()),
        ("net cooling", Style::Solid, net.iter().map(|q| -q).collect()),
        ("absorbed", Style::Dashed, state.reals("heating_absorbed")?.to_vec()),
        ("emitted", Style::Dashed, state.reals("heating_emitted")?.to_vec()),
    ];
    let all = kinds.iter().flat_map(|kind| kind.2.iter().copied());
    let y = axis::logarithmic(axis::labelled("|q|", 0, units), all, HEATING_DECADES);
    let shades = [colour(1), colour(0), colour(4), colour(5)];
    let series = kinds.into_iter().zip(shades).map(|((label, style, values), shade)| Series {
        label: label.to_owned(),
        colour: shade.to_owned(),
        style,
        points: radii.iter().copied().zip(values).collect(),
    });
    let series = series.collect();
    let places = gain_radius(state, &x, &radii)?;
    let title = "Heating and cooling".to_owned();
    Chart { title, subtitle: subtitle(state), x, y, series, levels: vec![], places }.figure("heating")
}

fn gain_radius(state: &Dataset, x: &Axis, radii: &[f64]) -> Result<Vec<(f64, String)>> {
    // From the unit of the file to that of the axis.
    let factor = match (state.reals("r")?.last(), radii.last()) {
        (Some(stored), Some(shown)) if *stored > 0.0 => shown / stored,
        _ => return Ok(Vec::new()),
    };
    let gain = state.scalar("gain_radius").map(|gain| gain * factor);
    Ok(gain
        .filter(|r| (x.min..=x.max).contains(r))
        .map(|r| (r, "gain radius".to_owned()))
        .into_iter()
        .collect())
}

/// Values over r for each species.
fn rows(state: &Dataset, variable: &str) -> Result<Vec<Vec<f64>>> {
    let array = state.array(variable)?;
    let expected = [state.texts("species")?.len(), state.reals("r")?.len()];
    if array.shape() != expected {
        let what = format!("has shape {:?}, not (species, r) = {expected:?}", array.shape());
        return Err(Error::dataset(variable, what));
    }
    Ok(array.outer_iter().map(|row| row.iter().copied().collect()).collect())
}

/// A chart with a line for each species and kind (suffix of the label, style, values by species).
fn over_radius(
    state: &Dataset,
    title: &str,
    label: String,
    kinds: &[(&str, Style, Vec<Vec<f64>>)],
    factor: f64,
) -> Result<Chart> {
    let (x, radii) = axis::radius(state)?;
    let names = state.texts("species")?;
    let mut series = Vec::new();
    for (suffix, style, by_species) in kinds {
        for (index, (name, values)) in names.iter().zip(by_species).enumerate() {
            let scaled = values.iter().map(|value| value * factor);
            series.push(Series {
                label: format!("{name}{suffix}"),
                colour: colour(index).to_owned(),
                style: *style,
                points: radii.iter().copied().zip(scaled).collect(),
            });
        }
    }
    let y = axis::linear(label, series.iter().flat_map(|s| s.points.iter().map(|p| p.1)));
    let (title, subtitle) = (title.to_owned(), subtitle(state));
    Ok(Chart { title, subtitle, x, y, series, levels: vec![], places: vec![] })
}
