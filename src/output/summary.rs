//! What a person wants to know of a result, as plain text.

use std::fmt::Write;

use super::dataset::{Attribute, Dataset};
use super::series::{self, TIME};
use super::summary_leptons;
use crate::error::{Error, Result};
use crate::extremes::largest;

/// Variables that [`summary`] uses where they are there: what has to be read for it.
pub const VARIABLES: [&str; 30] = [
    "multiplicity",
    "luminosity_infinity",
    "number_luminosity_infinity",
    "mean_energy",
    "rms_energy",
    "flux_factor",
    "number_density",
    "energy_sphere_mean",
    "transport_sphere_mean",
    "heating_net",
    "time",
    "gain_radius",
    "number_balance",
    "energy_balance",
    "lepton_balance",
    "gain_mass",
    "gain_heating",
    "heating_efficiency",
    "bound_violation_low",
    "bound_violation_high",
    "number_sphere_mean",
    "electron_fraction",
    "lepton_fraction",
    "neutrino_potential",
    "neutrino_potential_equilibrium",
    "beta_equilibrium_radius",
    "ye_equilibrium",
    "lepton_number",
    "crossing_change",
    "growth_rate",
];

/// Summary of a result: status, grid, a table with a row per species (values at the outer edge),
/// neutrinospheres, heating, balances and bounds. Of a time series, the last state.
///
/// # Errors
/// [`Error::Dataset`] where `r`, `species` or a variable of the table is missing or misshapen.
pub fn summary(dataset: &Dataset) -> Result<String> {
    let state = series::state(dataset, None)?;
    let mut text = String::new();
    for section in [
        header(&state)?,
        species_table(&state)?,
        spheres(&state)?,
        heating(&state)?,
        summary_leptons::equilibrium(&state)?,
        summary_leptons::crossings(&state)?,
        quality(&state),
    ] {
        if !section.is_empty() {
            let separator = if text.is_empty() { "" } else { "\n" };
            // Writing to a String cannot fail.
            let _ = write!(text, "{separator}{section}");
        }
    }
    Ok(text)
}

fn header(state: &Dataset) -> Result<String> {
    let mut lines = vec![("status", status(state))];
    if let Some(time) = state.scalar(TIME) {
        let units = state.get(TIME).map_or("", |v| v.units.as_str());
        lines.push(("time", quantity(time, units)));
    }
    lines.push(("grid", grid(state)?));
    lines.push(("program", program(state)));
    let title = state.text_attribute("title").unwrap_or("Untitled result");
    Ok(format!("{title}\n{}", aligned(&lines)))
}

fn status(state: &Dataset) -> String {
    let status = state.text_attribute("status").unwrap_or("unknown");
    let mut line = status.to_owned();
    if status != "converged" {
        line += " - NOT CONVERGED";
    }
    if let Some(steps) = state.scalar("newton_steps") {
        line += &format!(", {steps} Newton steps");
    }
    if let Some(iterations) = state.scalar("iterations") {
        line += &format!(", {iterations} iterations");
    }
    if let Some(Attribute::Reals(history)) = state.get_attribute("residual_history")
        && let Some(last) = history.last()
    {
        line += &format!(", residual {last:.1e}");
    }
    line
}

fn grid(state: &Dataset) -> Result<String> {
    let parts = [("species", "species"), ("energy", "energies"), ("mu", "angles"), ("r", "radii")];
    let counts = parts.iter().filter_map(|(name, plural)| Some(format!("{} {plural}", state.length(name)?)));
    let r = state.reals("r")?;
    let range = match (r.first(), r.last()) {
        (Some(&first), Some(&last)) => {
            format!("r from {} to {}", length(first, state), length(last, state))
        }
        _ => return Err(Error::dataset("r", "has no values")),
    };
    Ok(format!("{}; {range}", counts.collect::<Vec<_>>().join(" x ")))
}

fn program(state: &Dataset) -> String {
    let text = |name: &str| state.text_attribute(name).unwrap_or("?");
    let commit: String = text("commit").chars().take(10).collect();
    let mut line = format!("{} {} (commit {commit})", text("program"), text("program_version"));
    if let (Some(time), Some(threads)) = (state.scalar("wall_time_s"), state.scalar("threads")) {
        line += &format!(", {} s on {threads} threads", significant(time, 3));
    }
    line
}

/// What a column shows of a variable's values over r.
type Shown = fn(&[f64]) -> f64;

/// Columns of the table of species: variable, heading, and what is shown.
const COLUMNS: [(&str, &str, Shown); 6] = [
    ("luminosity_infinity", "L inf", last),
    ("number_luminosity_infinity", "N-L inf", last),
    ("mean_energy", "mean energy", last),
    ("rms_energy", "rms energy", last),
    ("flux_factor", "flux factor", last),
    ("number_density", "largest n", |values| largest(values.iter().copied())),
];

pub(super) fn last(values: &[f64]) -> f64 {
    values.last().copied().unwrap_or(0.0)
}

fn species_table(state: &Dataset) -> Result<String> {
    let names = state.texts("species")?;
    let mut table = vec![vec!["species".to_owned()]];
    table.extend(names.iter().map(|name| vec![name.clone()]));
    if let Ok(multiplicity) = state.reals("multiplicity") {
        add_column(&mut table, "times", multiplicity.iter().map(|&m| significant(m, 4)));
    }
    for (variable, heading, shown) in COLUMNS {
        let rows = per_row(state, variable, names.len())?;
        let heading = with_units(heading, &state.require(variable)?.units);
        add_column(&mut table, &heading, rows.iter().map(|row| significant(shown(row), 5)));
    }
    let edge = length(last(state.reals("r")?), state);
    Ok(format!("At the outer edge, r = {edge} (one of each species; n over all radii)\n{}", columns(&table)))
}

/// Values over the radii for each of `rows` species (or lepton numbers).
pub(crate) fn per_row<'a>(state: &'a Dataset, variable: &str, rows: usize) -> Result<Vec<&'a [f64]>> {
    let shape = state.shape(state.require(variable)?)?;
    let values = state.reals(variable)?;
    match shape.as_slice() {
        [first, columns] if *first == rows && first * columns == values.len() && *columns > 0 => {
            Ok(values.chunks(*columns).collect())
        }
        _ => Err(Error::dataset(variable, format!("has shape {shape:?}, not (species, r)"))),
    }
}

fn spheres(state: &Dataset) -> Result<String> {
    let mut table = vec![vec!["species".to_owned()]];
    table.extend(state.texts("species")?.iter().map(|name| vec![name.clone()]));
    for (variable, heading) in [
        ("number_sphere_mean", "number"),
        ("energy_sphere_mean", "energy"),
        ("transport_sphere_mean", "transport"),
    ] {
        if let Ok(radii) = state.reals(variable) {
            let radius = |&r: &f64| if r > 0.0 { length(r, state) } else { "none".to_owned() };
            add_column(&mut table, heading, radii.iter().map(radius));
        }
    }
    if table[0].len() == 1 {
        return Ok(String::new());
    }
    Ok(format!("Neutrinospheres (spectrum-averaged, optical depth 2/3)\n{}", columns(&table)))
}

fn heating(state: &Dataset) -> Result<String> {
    let Ok(net) = state.reals("heating_net") else {
        return Ok(String::new());
    };
    let units = &state.require("heating_net")?.units;
    let r = state.reals("r")?;
    let mut lines = Vec::new();
    if let Some(gain) = state.scalar("gain_radius") {
        let shown = if gain > 0.0 { length(gain, state) } else { "none".to_owned() };
        lines.push(("gain radius", shown));
    }
    let outside = state.scalar("gain_radius").unwrap_or(0.0);
    let beyond = r.iter().zip(net).filter(|(r, _)| **r >= outside && outside > 0.0);
    if let Some((r, q)) = beyond.max_by(|a, b| a.1.total_cmp(b.1)) {
        lines.push(("strongest", format!("{} at r = {}", quantity(*q, units), length(*r, state))));
    }
    let scalars = [("gain_mass", "gain mass", "g"), ("gain_heating", "gain heating", "erg s-1")];
    for (name, label, units) in scalars {
        if let Some(value) = state.scalar(name) {
            lines.push((label, quantity(value, units)));
        }
    }
    if let Some(efficiency) = state.scalar("heating_efficiency") {
        lines.push(("efficiency", significant(efficiency, 4)));
    }
    Ok(if lines.is_empty() { String::new() } else { format!("Heating\n{}", aligned(&lines)) })
}

fn quality(state: &Dataset) -> String {
    let labels = [
        ("number_balance", "number balance"),
        ("lepton_balance", "lepton balance"),
        ("energy_balance", "energy balance"),
        ("bound_violation_low", "f below 0 by"),
        ("bound_violation_high", "f above 1 by"),
        ("largest_flux_factor", "grid's largest H/J"),
    ];
    let shown = |name: &str, value: f64| match name {
        "largest_flux_factor" => format!("{value:.6}"),
        _ if value == 0.0 => "0".to_owned(),
        _ => format!("{value:.1e}"),
    };
    let lines: Vec<_> =
        labels.iter().filter_map(|(name, label)| Some((*label, shown(name, state.scalar(name)?)))).collect();
    if lines.is_empty() {
        return String::new();
    }
    format!("Quality (balances are relative residuals)\n{}", aligned(&lines))
}

/// A length: in km where the file has cm.
pub(super) fn length(value: f64, state: &Dataset) -> String {
    let units = state.get("r").map_or("", |r| r.units.as_str());
    if units == "cm" { quantity(value / 1e5, "km") } else { quantity(value, units) }
}

pub(super) fn quantity(value: f64, units: &str) -> String {
    match units {
        "" | "1" => significant(value, 5),
        _ => format!("{} {units}", significant(value, 5)),
    }
}

fn with_units(heading: &str, units: &str) -> String {
    match units {
        "" | "1" => heading.to_owned(),
        _ => format!("{heading} [{units}]"),
    }
}

/// `digits` significant digits, with an exponent for very large and small numbers, without trailing
/// zeros after the point.
pub(crate) fn significant(value: f64, digits: usize) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let exponent = value.abs().log10().floor();
    if !(-3.0..6.0).contains(&exponent) {
        return format!("{value:.*e}", digits - 1);
    }
    let decimals = (digits as f64 - 1.0 - exponent).max(0.0) as usize;
    let fixed = format!("{value:.decimals$}");
    if !fixed.contains('.') {
        return fixed;
    }
    fixed.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn add_column(table: &mut [Vec<String>], heading: &str, values: impl Iterator<Item = String>) {
    let cells = std::iter::once(heading.to_owned()).chain(values);
    table.iter_mut().zip(cells).for_each(|(row, cell)| row.push(cell));
}

/// Rows as lines: the first column to the left, the others to the right.
pub(super) fn columns(table: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = table.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let cell = |(column, text): (usize, &String)| match column {
        0 => format!("  {text:<0$}", width(0)),
        _ => format!("  {text:>0$}", width(column)),
    };
    let line = |row: &Vec<String>| row.iter().enumerate().map(cell).collect::<String>();
    table.iter().map(|row| line(row).trim_end().to_owned() + "\n").collect()
}

pub(super) fn aligned(lines: &[(&str, String)]) -> String {
    let width = lines.iter().map(|(label, _)| label.len()).max().unwrap_or(0);
    lines.iter().map(|(label, value)| format!("  {label:<width$}  {value}\n")).collect()
}
