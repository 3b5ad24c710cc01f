//! Thresholds: what of a comparison has to be met.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::norms::{Entry, Measure, Metrics};
use super::quantity;
use super::region::Region;
use super::{Comparison, Skipped};
use crate::error::{Error, Result};
use crate::problem::finite;
use crate::problem::ron_file::RonFile;
use crate::units::UnitSystem;

/// A threshold.
#[derive(Debug, Clone, PartialEq)]
pub struct Threshold {
    /// `None`: every quantity that no other threshold names.
    quantity: Option<String>,
    species: Option<String>,
    region: Option<Region>,
    measure: Measure,
    relative: f64,
    /// Where it was given, for messages.
    origin: String,
}

/// The file of thresholds, as serde reads it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: u32,
    /// For every quantity that is not named.
    #[serde(default, deserialize_with = "finite::option")]
    default: Option<f64>,
    #[serde(default)]
    thresholds: Vec<Item>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Item {
    quantity: String,
    #[serde(default)]
    species: Option<String>,
    #[serde(default)]
    region: Option<String>,
    #[serde(default)]
    measure: Measure,
    #[serde(deserialize_with = "finite::number")]
    relative: f64,
}

/// Outcome of a threshold for one comparison.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Check {
    pub quantity: String,
    pub species: Option<String>,
    pub region: Option<String>,
    pub measure: Measure,
    /// Infinite (null in JSON) where the reference is 0 and the other result is not.
    pub value: f64,
    pub threshold: f64,
    pub met: bool,
}

/// Reads `NAME=VALUE`, `NAME:SPECIES=VALUE` or `*=VALUE`.
///
/// # Errors
/// [`Error::Field`] with what is valid.
pub fn parse(text: &str) -> Result<Threshold> {
    let valid = "NAME=VALUE, NAME:SPECIES=VALUE or *=VALUE, as in luminosity_infinity=0.05";
    let fail = |found: &str, valid: &str| Error::field("--tolerance", found, valid);
    let (name, value) = text.split_once('=').ok_or_else(|| fail(&format!("\"{text}\""), valid))?;
    let relative = value.trim().parse::<f64>().ok().filter(|value| is_threshold(*value));
    let relative = relative
        .ok_or_else(|| fail(&format!("\"{text}\""), "a finite relative difference that is not negative"))?;
    let (name, species) = match name.trim().split_once(':') {
        Some((name, species)) => (name, Some(species.to_owned())),
        None => (name.trim(), None),
    };
    if name != "*" && quantity::find(name).is_none() {
        return Err(fail(&format!("\"{text}\""), &quantity::unknown(name)));
    }
    let quantity = (name != "*").then(|| name.to_owned());
    let origin = format!("--tolerance {text}");
    Ok(Threshold { quantity, species, region: None, measure: Measure::default(), relative, origin })
}

fn is_threshold(value: f64) -> bool {
    value.is_finite() && value >= 0.0
}

/// Reads a file of thresholds.
///
/// # Errors
/// [`Error::File`], [`Error::Problem`] with line and column.
pub fn read(path: &Path, units: UnitSystem) -> Result<Vec<Threshold>> {
    let file: RonFile<File> = RonFile::open(path)?;
    thresholds(&file.value, path, units).map_err(|error| file.locate(error))
}

fn thresholds(file: &File, path: &Path, units: UnitSystem) -> Result<Vec<Threshold>> {
    if file.format != 1 {
        return Err(Error::field("format", file.format, "1"));
    }
    if file.default.is_none() && file.thresholds.is_empty() {
        return Err(Error::field("thresholds", "no threshold", "`default`, or entries"));
    }
    let size = |field: String, value: f64| {
        let valid = "a relative difference that is not negative";
        if is_threshold(value) { Ok(value) } else { Err(Error::field(field, value, valid)) }
    };
    let mut result = Vec::new();
    for (i, item) in file.thresholds.iter().enumerate() {
        let field = |name: &str| format!("thresholds[{i}].{name}");
        if quantity::find(&item.quantity).is_none() {
            let why = quantity::unknown(&item.quantity);
            return Err(Error::field(field("quantity"), format!("\"{}\"", item.quantity), why));
        }
        let region = item.region.as_deref().map(|text| {
            Region::parse(text, units)
                .map_err(|valid| Error::field(field("region"), format!("\"{text}\""), valid))
        });
        result.push(Threshold {
            quantity: Some(item.quantity.clone()),
            species: item.species.clone(),
            region: region.transpose()?,
            measure: item.measure,
            relative: size(field("relative"), item.relative)?,
            origin: format!("{}, thresholds[{i}]", path.display()),
        });
    }
    if let Some(value) = file.default {
        result.push(Threshold {
            quantity: None,
            species: None,
            region: None,
            measure: Measure::default(),
            relative: size("default".to_owned(), value)?,
            origin: format!("{}, default", path.display()),
        });
    }
    Ok(result)
}

/// Holds the comparisons to the thresholds.
///
/// # Errors
/// A threshold for something that was not compared: it cannot be met.
pub fn check(
    thresholds: &[Threshold],
    comparisons: &[Comparison],
    skipped: &[Skipped],
    factor: f64,
) -> Result<Vec<Check>> {
    let mut checks = Vec::new();
    for threshold in thresholds {
        let named = |c: &Comparison| thresholds.iter().any(|t| t.quantity.is_some() && t.applies(c));
        let before = checks.len();
        for comparison in comparisons {
            let covered = threshold.quantity.is_none() && named(comparison);
            if threshold.applies(comparison) && !covered {
                checks.push(threshold.check(comparison, factor)?);
            }
        }
        let refused = threshold.refusal(skipped);
        if threshold.quantity.is_some() && (checks.len() == before || refused.is_some()) {
            let valid = "a quantity, and a species, that both results have";
            let found =
                format!("a threshold for what was not compared ({})", refused.unwrap_or("neither has it"));
            return Err(Error::field(&threshold.origin, found, valid));
        }
    }
    if let (false, true) = (thresholds.is_empty(), checks.is_empty()) {
        return Err(Error::field("--tolerance", "thresholds that apply to nothing", "one that applies"));
    }
    Ok(checks)
}

impl Threshold {
    fn applies(&self, comparison: &Comparison) -> bool {
        let named = |wanted: &Option<String>, found: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| Some(wanted) == found)
        };
        named(&self.quantity, Some(&comparison.quantity))
            && named(&self.species, comparison.species.as_deref())
    }

    /// Why something that the other result has, and that this threshold names, was not compared.
    fn refusal<'a>(&self, skipped: &'a [Skipped]) -> Option<&'a str> {
        let matching = |s: &&Skipped| {
            let species = match (&self.species, &s.species) {
                (Some(wanted), Some(found)) => wanted == found,
                _ => true,
            };
            self.quantity.as_deref() == Some(&*s.quantity) && species
        };
        skipped.iter().find(matching).map(|skipped| skipped.reason.as_str())
    }

    fn check(&self, comparison: &Comparison, factor: f64) -> Result<Check> {
        let metrics = match &self.region {
            None => comparison.metrics.clone(),
            Some(region) => {
                let inside = |e: &&Entry| e.r.is_some_and(|r| region.contains(r));
                let entries: Vec<Entry> = comparison.entries.iter().filter(inside).copied().collect();
                Metrics::new(&entries, factor).filter(|metrics| metrics.points > 1).ok_or_else(|| {
                    let found = format!("{} common points of {}", entries.len(), comparison.quantity);
                    Error::field(&self.origin, found, format!("two or more in {}", region.text))
                })?
            }
        };
        let value = metrics.measure(self.measure);
        Ok(Check {
            quantity: comparison.quantity.clone(),
            species: comparison.species.clone(),
            region: self.region.as_ref().map(|region| region.text.clone()),
            measure: self.measure,
            value,
            threshold: self.relative,
            met: value <= self.relative,
        })
    }
}
