//! What can be said against a problem file before anything is built from it. What depends on data files
//! or on the values of formulas is checked by the parts that build from them.

mod background;
mod criteria;
mod mode;
mod opacities;
mod phase_space;

use std::collections::BTreeSet;

pub use self::criteria::CRITERION_VARIABLES;

use super::expression::Expression;
use super::file::{MatterFile, ProblemFile, RegionFile, Units};
use super::quantity::{Quantity, QuantityList};
use crate::error::{Error, Result};
use crate::units::{Dimension, UnitSystem};

/// Checks everything in `file` that needs no building.
///
/// # Errors
/// [`Error::Field`] with the path of the first field that is invalid. Names of enum variants are no part
/// of paths: `background.metric.compactness`.
pub fn validate(file: &ProblemFile) -> Result<()> {
    let units = match file.units {
        Units::Physical => UnitSystem::PHYSICAL,
        Units::Dimensionless => UnitSystem::DIMENSIONLESS,
    };
    let validator = Validator { file, units };
    validator.heading()?;
    validator.background()?;
    validator.species()?;
    validator.phase_space()?;
    validator.opacities()?;
    validator.boundary()?;
    validator.mode()?;
    validator.outputs()?;
    validator.criteria()
}

struct Validator<'a> {
    file: &'a ProblemFile,
    units: UnitSystem,
}

impl Validator<'_> {
    fn heading(&self) -> Result<()> {
        ensure(self.file.format == 1, "format", self.file.format, "1, the version that this program reads")?;
        not_empty(&self.file.title, "title")
    }

    fn species(&self) -> Result<()> {
        ensure(!self.file.species.is_empty(), "species", "[]", "at least one species")?;
        let mut names = BTreeSet::new();
        for (index, species) in self.file.species.iter().enumerate() {
            let path = format!("species[{index}]");
            not_empty(&species.name, &format!("{path}.name"))?;
            let new = names.insert(species.name.as_str());
            ensure(new, &format!("{path}.name"), quoted(&species.name), "a name that no other species has")?;
            positive(species.multiplicity, &format!("{path}.multiplicity"))?;
        }
        Ok(())
    }

    /// `name` is a species of the problem.
    fn species_name(&self, name: &str, path: &str) -> Result<()> {
        let known = self.file.species.iter().any(|species| species.name == name);
        let names: Vec<&str> = self.file.species.iter().map(|species| species.name.as_str()).collect();
        ensure(known, path, quoted(name), format!("one of the species {}", names.join(", ")))
    }

    fn has_matter(&self) -> bool {
        !matches!(self.file.background.matter, MatterFile::None)
    }

    fn physical_units_needed(&self, path: &str, found: &str) -> Result<()> {
        let valid = "units: Physical, as this works in MeV, cm and g";
        ensure(self.units.physical, path, format!("{found} in a dimensionless problem"), valid)
    }

    fn positive(&self, quantity: &Quantity, dimension: Dimension, path: &str) -> Result<f64> {
        let value = quantity.convert(dimension, self.units, path)?;
        ensure(value > 0.0, path, quantity, format!("a positive {}", dimension.name()))?;
        Ok(value)
    }

    fn non_negative(&self, quantity: &Quantity, dimension: Dimension, path: &str) -> Result<f64> {
        let value = quantity.convert(dimension, self.units, path)?;
        ensure(value >= 0.0, path, quantity, format!("a {} of at least 0", dimension.name()))?;
        Ok(value)
    }

    fn positive_if_given(&self, quantity: Option<&Quantity>, dimension: Dimension, path: &str) -> Result<()> {
        quantity.map_or(Ok(()), |quantity| self.positive(quantity, dimension, path).map(|_| ()))
    }

    /// Values from 0 that increase strictly.
    fn increasing(&self, list: &QuantityList, dimension: Dimension, path: &str) -> Result<Vec<f64>> {
        let values = list.convert(dimension, self.units, path)?;
        increasing(&list.values, &list_path(list, path))?;
        let from_zero = list.values.first().is_none_or(|first| *first >= 0.0);
        ensure(from_zero, path, list, format!("values of at least 0 for a {}", dimension.name()))?;
        Ok(values)
    }

    /// Limits of a region, the inner one below the outer one.
    fn region(&self, region: Option<&RegionFile>, path: &str) -> Result<()> {
        let Some(region) = region else { return Ok(()) };
        let limit = |quantity: Option<&Quantity>, name: &str| {
            quantity
                .map(|quantity| self.non_negative(quantity, Dimension::Length, &format!("{path}.{name}")))
                .transpose()
        };
        let inner = limit(region.inner.as_ref(), "inner")?;
        let outer = limit(region.outer.as_ref(), "outer")?;
        match (inner, outer, &region.outer) {
            (Some(inner), Some(outer), Some(written)) if inner >= outer => {
                Err(Error::field(format!("{path}.outer"), written, "a radius beyond `inner`"))
            }
            _ => Ok(()),
        }
    }

    /// Radii lie in the domain, where the file alone says how far that reaches.
    fn in_domain(&self, radius: f64, found: impl ToString, path: &str) -> Result<()> {
        let Some((start, end)) = self.domain() else { return Ok(()) };
        // The same radius written in km and cm may differ by a rounding.
        let slack = 1e-12 * end;
        let inside = radius >= start - slack && radius <= end + slack;
        ensure(inside, path, found, "a radius within the radial grid (phase_space.r)")
    }
}

fn ensure(holds: bool, path: &str, found: impl ToString, valid: impl Into<String>) -> Result<()> {
    if holds { Ok(()) } else { Err(Error::field(path, found, valid)) }
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

fn not_empty(text: &str, path: &str) -> Result<()> {
    ensure(!text.trim().is_empty(), path, quoted(text), "a text that is not empty")
}

fn positive(value: f64, path: &str) -> Result<()> {
    ensure(value > 0.0, path, value, "a positive number")
}

fn fraction(value: f64, path: &str) -> Result<()> {
    ensure((0.0..=1.0).contains(&value), path, value, "a number from 0 to 1")
}

/// A tolerance: between 0 and 1, both excluded.
fn tolerance(value: f64, path: &str) -> Result<()> {
    ensure(value > 0.0 && value < 1.0, path, value, "a tolerance between 0 and 1, both excluded")
}

/// A number of things, bounded so that a slip of the pen does not ask for more than any memory.
fn count(value: usize, least: usize, path: &str) -> Result<()> {
    const MOST: usize = 1_000_000;
    ensure((least..=MOST).contains(&value), path, value, format!("a number from {least} to {MOST}"))
}

/// Every value is larger than the one before.
fn increasing(values: &[f64], path: &str) -> Result<()> {
    for (index, pair) in values.windows(2).enumerate() {
        if let [before, value] = pair {
            let found = format!("{value} after {before}");
            ensure(value > before, &format!("{path}[{}]", index + 1), found, "strictly increasing values")?;
        }
    }
    Ok(())
}

/// Where the numbers of a list stand.
fn list_path(list: &QuantityList, path: &str) -> String {
    if list.unit.is_some() { format!("{path}.values") } else { path.to_owned() }
}

fn formula(text: &str, variables: &[&str], path: &str) -> Result<()> {
    Expression::parse(text, variables, path).map(|_| ())
}
