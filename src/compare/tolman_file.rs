//! Results of this program: what is read of them, at which time.

use std::path::Path;

use super::quantity::QUANTITIES;
use crate::error::{Error, Result};
use crate::output::dataset::{Attribute, Dataset};
use crate::output::{TIME, read_where, state};
use crate::problem::load::fnv1a;
use crate::units::{UnitSystem, unit_factor};

/// What is known of a file: name and value, for the report.
pub type Facts = Vec<(String, String)>;

/// A state may be this share of the time asked for away from it.
const TIME_TOLERANCE: f64 = 0.01;

/// Reads the quantities of the file at `path`, at `time` (the last where none is given).
///
/// # Errors
/// [`Error::File`]: not a sound result of this program; a value that is not finite; no state near `time`.
pub fn open(path: &Path, time: Option<f64>) -> Result<(Dataset, Facts)> {
    let known = |name: &str| {
        let name = name.strip_suffix("_error").unwrap_or(name);
        // The absorption tells where luminosities are completed (see `Reference`).
        name == "absorption" || QUANTITIES.iter().any(|quantity| quantity.name == name)
    };
    let all = read_where(path, known)?;
    let in_file = |error: Error| match error {
        Error::File { .. } => error,
        other => Error::file(path, other.to_string()),
    };
    let all = checked(all, path)?;
    let chosen = at_time(&all, time, path).map_err(in_file)?;
    let facts = facts(&chosen, path, time)?;
    Ok((chosen, facts))
}

/// `data` where it is a sound result: values that are finite, in the documented units. `path` stands for it in
/// messages.
///
/// # Errors
/// [`Error::File`]: it is not.
pub fn checked(data: Dataset, path: &Path) -> Result<Dataset> {
    data.validate().map_err(|error| Error::file(path, error.to_string()))?;
    check_units(&data, path)?;
    Ok(data)
}

/// The state nearest to `time`.
fn at_time(data: &Dataset, time: Option<f64>, path: &Path) -> Result<Dataset> {
    let steady = data.length(TIME).is_none();
    let chosen = state(data, time.filter(|_| !steady))?;
    if let (Some(wanted), Some(found)) = (time, chosen.scalar(TIME))
        && (found - wanted).abs() > TIME_TOLERANCE * wanted.abs()
    {
        let units = data.get(TIME).map_or("", |v| v.units.as_str());
        let stored = data.reals(TIME)?;
        let (first, last) = (stored.first().unwrap_or(&found), stored.last().unwrap_or(&found));
        let what = format!(
            "--time {wanted:e}: the nearest stored time is {found:e} {units} (stored: {} from {first:e} to \
             {last:e}); valid: a time within 1 % of a stored one",
            stored.len()
        );
        return Err(Error::file(path, what));
    }
    Ok(chosen)
}

/// Whether the values are in the units that they are documented to have.
fn check_units(data: &Dataset, path: &Path) -> Result<()> {
    let dimensionless = unit_system(data, path)? == UnitSystem::DIMENSIONLESS;
    for variable in &data.variables {
        let name = variable.name.strip_suffix("_error").unwrap_or(&variable.name);
        let Some(quantity) = QUANTITIES.iter().find(|quantity| quantity.name == name) else { continue };
        let fits = if dimensionless {
            variable.units == "1"
        } else {
            unit_factor(&variable.units, quantity.dimension) == Some(1.0)
        };
        if !fits {
            let valid = if dimensionless { "1" } else { quantity.dimension.units()[0].0 };
            let what =
                format!("dataset `{}`: found the unit \"{}\"; valid: {valid}", variable.name, variable.units);
            return Err(Error::file(path, what));
        }
    }
    Ok(())
}

/// Whether the file is physical or dimensionless.
///
/// # Errors
/// It does not say.
pub fn unit_system(data: &Dataset, path: &Path) -> Result<UnitSystem> {
    match data.text_attribute("units") {
        Some("physical") => Ok(UnitSystem::PHYSICAL),
        Some("dimensionless") => Ok(UnitSystem::DIMENSIONLESS),
        other => {
            let found = other.unwrap_or("none");
            let what = format!("attribute `units`: found {found}; valid: physical, dimensionless");
            Err(Error::file(path, what))
        }
    }
}

fn facts(data: &Dataset, path: &Path, wanted: Option<f64>) -> Result<Facts> {
    let mut facts = file_facts(path)?;
    for name in ["title", "program", "program_version", "commit", "problem_hash", "status", "revision"] {
        match data.get_attribute(name) {
            Some(Attribute::Text(text)) => facts.push((name.to_owned(), text.clone())),
            Some(Attribute::Integer(value)) => facts.push((name.to_owned(), value.to_string())),
            _ => {}
        }
    }
    if let Some(time) = data.scalar(TIME) {
        let units = data.get(TIME).map_or("", |v| v.units.as_str());
        let asked = wanted
            .map_or("the last state".to_owned(), |t| format!("{:.3e} from the time asked for", time - t));
        facts.push((TIME.to_owned(), format!("{time:e} {units} ({asked})")));
    }
    Ok(facts)
}

/// Name, size and hash of a file.
///
/// # Errors
/// It cannot be read.
pub fn file_facts(path: &Path) -> Result<Facts> {
    let bytes = std::fs::read(path).map_err(|e| Error::file(path, format!("cannot be read: {e}")))?;
    Ok(vec![
        ("file".to_owned(), path.display().to_string()),
        ("size".to_owned(), format!("{} bytes", bytes.len())),
        ("hash (FNV-1a)".to_owned(), format!("{:016x}", fnv1a(&bytes))),
    ])
}
