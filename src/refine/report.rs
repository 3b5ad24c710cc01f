//! A refined result as a table for people.

use super::ladder::Direction;
use super::{ERROR, GROUP, OrderRow, Refined};
use crate::error::Result;
use crate::extremes::largest;
use crate::output::dataset::Dataset;
use crate::output::state;

/// One line per integrated quantity and species, and the observed orders.
///
/// # Errors
/// A damaged dataset.
pub fn table(refined: &Refined) -> Result<String> {
    let last = state(&refined.dataset, None)?;
    let mut text = runs(&last)?;
    text += &format!(
        "\n{:<28} {:<6} {:>14} {:>9} {:>9}  {:<18} mostly from\n",
        "variable", "", "at outer edge", "error", "largest", "at"
    );
    for variable in last.variables.iter().filter(|v| v.dimensions == ["species", "r"]) {
        let Ok(errors) = last.reals(&format!("{}{ERROR}", variable.name)) else { continue };
        text += &rows(&last, &variable.name, errors)?;
    }
    text += &orders(&refined.orders);
    Ok(text)
}

fn runs(last: &Dataset) -> Result<String> {
    let Some(group) = last.get_group(GROUP) else { return Ok(String::new()) };
    let mut text = format!("{:<36} {:>12} {:>10} {:>9}\n", "run", "unknowns", "iterations", "seconds");
    let columns =
        [group.reals("run_unknowns")?, group.reals("run_iterations")?, group.reals("run_wall_time")?];
    for (index, name) in group.texts("run_level")?.iter().enumerate() {
        let [unknowns, iterations, seconds] = columns.map(|column| column[index]);
        text += &format!("{name:<36} {unknowns:>12} {iterations:>10} {seconds:>9.2}\n");
    }
    Ok(text)
}

/// One line per species of `name`, whose errors are `errors`.
fn rows(last: &Dataset, name: &str, errors: &[f64]) -> Result<String> {
    let (r, values, species) = (last.reals("r")?, last.reals(name)?, last.texts("species")?);
    let unit = last.get("r").map_or("", |r| r.units.as_str());
    let mut text = String::new();
    for (index, species) in species.iter().enumerate() {
        let range = index * r.len()..(index + 1) * r.len();
        let (values, errors) = (&values[range.clone()], &errors[range.clone()]);
        let scale = largest(values.iter().map(|value| value.abs())).max(f64::MIN_POSITIVE);
        let worst = (0..errors.len()).max_by(|a, b| errors[*a].total_cmp(&errors[*b])).unwrap_or(0);
        let edge = r.len() - 1;
        text += &format!(
            "{name:<28} {species:<6} {:>14.7e} {:>9.1e} {:>9.1e}  {:<18} {}\n",
            values[edge],
            errors[edge],
            errors[worst] / scale,
            format!("{:.4e} {unit}", r[worst]),
            dominant(last, name, range.start + worst)?,
        );
    }
    Ok(text)
}

/// The direction with the largest part of the error at entry `index`.
fn dominant(last: &Dataset, name: &str, index: usize) -> Result<&'static str> {
    let Some(group) = last.get_group(GROUP) else { return Ok("") };
    let part = |direction: &Direction| -> f64 {
        let values = group.reals(&format!("{name}{ERROR}_{}", direction.name()));
        values.ok().and_then(|values| values.get(index).copied()).unwrap_or(f64::NEG_INFINITY)
    };
    let largest = Direction::ALL.into_iter().max_by(|a, b| part(a).total_cmp(&part(b)));
    Ok(largest.map_or("", Direction::name))
}

fn orders(rows: &[OrderRow]) -> String {
    let mut text = String::from("\nobserved orders (share of the points where the estimate uses them)\n");
    let mut names: Vec<&str> = rows.iter().map(|row| row.variable.as_str()).collect();
    names.dedup();
    for name in names {
        let cells: Vec<String> = rows
            .iter()
            .filter(|row| row.variable == name)
            .map(|row| {
                format!("{} {:>5.2} ({:>3.0} %)", row.direction.name(), row.order, 100.0 * row.trusted)
            })
            .collect();
        text += &format!("{name:<28} {}\n", cells.join("   "));
    }
    text
}
