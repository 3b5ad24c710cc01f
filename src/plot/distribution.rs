//! f over radius and angle.

use std::sync::Arc;

use kuva::plot::{ColorMap, Heatmap};
use kuva::render::layout::TickFormat;
use kuva::render::plots::Plot;
use ndarray::{ArrayViewD, Axis as Dimension};

use super::Figure;
use super::axis::{self, Axis};
use super::chart::{frame, subtitle};
use super::spectra::file_part;
use crate::error::{Error, Result};
use crate::output::dataset::Dataset;

/// Cells of the map over r and μ.
const COLUMNS: usize = 180;
const ROWS: usize = 100;

/// f(r, μ) at the energy of the largest energy flux at the outer edge, a figure per species.
pub fn distribution(state: &Dataset) -> Result<Vec<Figure>> {
    let names = state.texts("species")?;
    let energies = state.reals("energy")?;
    let (f, h) = (state.array("f")?, state.array("h")?);
    let (mu, (radius, radii)) = (state.reals("mu")?, axis::radius(state)?);
    if f.shape() != [names.len(), energies.len(), mu.len(), radii.len()] {
        return Err(Error::dataset("f", format!("has shape {:?}, not (species, energy, mu, r)", f.shape())));
    }
    if h.shape() != [names.len(), energies.len(), radii.len()] {
        return Err(Error::dataset("h", format!("has shape {:?}, not (species, energy, r)", h.shape())));
    }
    let units = &state.require("energy")?.units;
    let mut figures = Vec::new();
    for (species, name) in names.iter().enumerate() {
        let at_edge = |e: usize| energies[e].powi(3) * h[[species, e, radii.len() - 1]];
        let largest = (0..energies.len()).max_by(|&a, &b| at_edge(a).total_cmp(&at_edge(b)));
        let energy = largest.ok_or_else(|| Error::dataset("energy", "has no values"))?;
        let slice = f.index_axis(Dimension(0), species);
        let (cells, range) = cells(&slice.index_axis(Dimension(0), energy), mu, &radius, &radii)?;
        let place = match units.as_str() {
            "1" | "" => format!("{:.3}", energies[energy]),
            units => format!("{:.1} {units}", energies[energy]),
        };
        let title = format!("f of {name} at ε = {place}{range}");
        let name = format!("distribution_{}", file_part(name));
        figures.push(map(&name, (&title, &subtitle(state)), &radius, cells));
    }
    Ok(figures)
}

/// f on an even grid of μ (rows) and r or log r (columns), linear between the nodes and constant beyond
/// the outermost, and what the title says of its scale: the power of ten that is taken out, or the value
/// where it is the same everywhere.
fn cells(f: &ArrayViewD<f64>, mu: &[f64], radius: &Axis, radii: &[f64]) -> Result<(Vec<Vec<f64>>, String)> {
    if !f.iter().all(|value| value.is_finite()) {
        return Err(Error::dataset("f", "has values that are not finite: they cannot be drawn"));
    }
    let scale = axis::scale_of(f.iter().copied());
    let factor = 10_f64.powi(-scale);
    let (least, largest) = f.iter().fold((f64::INFINITY, 0.0_f64), |(a, b), v| (a.min(*v), b.max(*v)));
    let range = if largest - least <= 1e-9 * largest {
        format!(", {largest:.4} everywhere")
    } else if scale != 0 {
        format!(" {}", axis::labelled("", scale, "1").trim_start())
    } else {
        String::new()
    };
    let (low, high) = extent(radius);
    let columns: Vec<_> = (0..COLUMNS)
        .map(|i| low + (high - low) * (i as f64 + 0.5) / COLUMNS as f64)
        .map(|x| between(radii, if radius.logarithmic { 10_f64.powf(x) } else { x }))
        .collect();
    let rows = (0..ROWS).map(|i| between(mu, -1.0 + 2.0 * (i as f64 + 0.5) / ROWS as f64));
    let value = |(m, t): (usize, f64), (r, s): (usize, f64)| {
        let at = |m: usize, r: usize| factor * f[[m.min(mu.len() - 1), r.min(radii.len() - 1)]];
        (1.0 - t) * ((1.0 - s) * at(m, r) + s * at(m, r + 1))
            + t * ((1.0 - s) * at(m + 1, r) + s * at(m + 1, r + 1))
    };
    Ok((rows.map(|row| columns.iter().map(|&column| value(row, column)).collect()).collect(), range))
}

/// Index of the node before `x` and the share of the next one.
fn between(nodes: &[f64], x: f64) -> (usize, f64) {
    let after = nodes.partition_point(|node| *node <= x);
    match (after.checked_sub(1).map(|i| nodes[i]), nodes.get(after)) {
        (Some(before), Some(next)) => (after - 1, (x - before) / (next - before)),
        (None, _) => (0, 0.0),
        (_, None) => (nodes.len().saturating_sub(1), 0.0),
    }
}

/// Ends of the axis in the coordinate that is drawn evenly.
fn extent(radius: &Axis) -> (f64, f64) {
    if radius.logarithmic { (radius.min.log10(), radius.max.log10()) } else { (radius.min, radius.max) }
}

fn map(name: &str, (title, subtitle): (&str, &str), radius: &Axis, cells: Vec<Vec<f64>>) -> Figure {
    let (low, high) = extent(radius);
    let heatmap = Heatmap::new()
        .with_data(cells)
        .with_color_map(ColorMap::Viridis)
        .with_x_range(low, high)
        .with_y_range(-1.0, 1.0)
        .with_cell_size(1.0)
        .with_legend("f");
    let plots = vec![Plot::Heatmap(heatmap)];
    let mut layout = frame(title, subtitle, &plots)
        .with_x_label(radius.label.as_str())
        .with_y_label("μ")
        .with_x_axis_min(low)
        .with_x_axis_max(high)
        .with_y_axis_min(-1.0)
        .with_y_axis_max(1.0)
        .with_y_tick_step(0.5);
    if radius.logarithmic {
        let step = if high - low < 2.5 { 0.5 } else { 1.0 };
        let tick = |x: f64| axis::logarithmic_tick(two_digits(10_f64.powf(x)));
        layout = layout.with_x_tick_step(step).with_x_tick_format(TickFormat::Custom(Arc::new(tick)));
    }
    Figure::new(name, plots, layout)
}

fn two_digits(value: f64) -> f64 {
    let digit = 10_f64.powf(value.log10().floor() - 1.0);
    (value / digit).round() * digit
}
