//! A refined result as a table for people.

use super::ladder::Direction;
use super::{ERROR, GROUP, OrderRow, Refined};
use crate::error::Result;
use crate::extremes::largest;
use crate::output::dataset::Dataset;
use crate::output::state;
use crate::output::summary::per_row;

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
        if last.get(&format!("{}{ERROR}", variable.name)).is_some() {
            text += &rows(&last, &variable.name)?;
        }
    }
    text += &orders(&refined.orders);
    Ok(text)
}

fn runs(last: &Dataset) -> Result<String> {
    let Some(group) = last.get_group(GROUP) else { return Ok(String::new()) };
    let mut text = format!("{:<36} {:>12} {:>10} {:>9}\n", "run", "unknowns", "iterations", "seconds");
    let columns =
        [group.reals("run_unknowns")?, group.reals("run_iterations")?, group.reals("run_wall_time")?];
    let [unknowns, iterations, seconds] = columns;
    let numbers = unknowns.iter().zip(iterations).zip(seconds);
    for (name, ((unknowns, iterations), seconds)) in group.texts("run_level")?.iter().zip(numbers) {
        text += &format!("{name:<36} {unknowns:>12} {iterations:>10} {seconds:>9.2}\n");
    }
    Ok(text)
}

/// One line per species of `name`, which has errors.
fn rows(last: &Dataset, name: &str) -> Result<String> {
    let (r, species) = (last.reals("r")?, last.texts("species")?);
    let unit = last.get("r").map_or("", |r| r.units.as_str());
    let values = per_row(last, name, species.len())?;
    let errors = per_row(last, &format!("{name}{ERROR}"), species.len())?;
    let mut text = String::new();
    for (index, (species, (values, errors))) in species.iter().zip(values.iter().zip(errors)).enumerate() {
        let worst = errors.iter().zip(r).enumerate().max_by(|a, b| a.1.0.total_cmp(b.1.0));
        let (Some((at, (largest_error, r))), Some(value), Some(error)) =
            (worst, values.last(), errors.last())
        else {
            continue;
        };
        let scale = largest(values.iter().map(|value| value.abs())).max(f64::MIN_POSITIVE);
        text += &format!(
            "{name:<28} {species:<6} {value:>14.7e} {error:>9.1e} {:>9.1e}  {:<18} {}\n",
            largest_error / scale,
            format!("{r:.4e} {unit}"),
            dominant(last, name, index * errors.len() + at)?,
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
    let mut text = String::from(
        "\nobserved orders (share of the points where they are trusted; errors are bounds from the differences elsewhere)\n",
    );
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

#[cfg(test)]
mod tests {
    use super::*;

    fn refined(errors: Vec<f64>) -> Refined {
        let mut dataset = Dataset::new();
        dataset.dimension("species", 1).dimension("r", 3);
        dataset.text("species", &["species"], "names", vec!["nu".into()]);
        dataset.real("r", &["r"], "cm", "radius", vec![1.0, 2.0, 3.0]);
        dataset.real("luminosity", &["species", "r"], "erg s-1", "luminosity", vec![4.0, 5.0, 2.0]);
        dataset.real("luminosity_error", &["species", "r"], "erg s-1", "its error", errors);
        Refined { standard: dataset.clone(), dataset, orders: Vec::new() }
    }

    #[test]
    fn errors_are_shown_at_the_edge_and_where_they_are_largest() {
        let text = table(&refined(vec![0.1, 0.5, 0.2])).unwrap();
        let line = text.lines().find(|line| line.starts_with("luminosity")).unwrap();
        let cells: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(cells, ["luminosity", "nu", "2.0000000e0", "2.0e-1", "1.0e-1", "2.0000e0", "cm"]);
    }

    #[test]
    fn a_damaged_result_is_an_error() {
        assert!(table(&refined(vec![0.1])).is_err());
    }
}
