//! A rerun against its reference, variable by variable, on the same grid.

use super::FACTOR;
use crate::error::{Error, Result};
use crate::output::dataset::{Attribute, Dataset, Values, Variable};

/// Suffix of a variable's error at the problem's own resolution.
const ERROR: &str = "_standard_error";
/// Coordinates of two runs on the same grid agree to this share of their largest value.
const SAME_POINT: f64 = 1e-12;

/// The worst point of one variable.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Check {
    /// Name, with its group where it is in one.
    pub variable: String,
    /// Species, time, energy, angle and radius of the point.
    pub place: String,
    pub units: String,
    pub value: f64,
    pub reference: f64,
    /// |value − reference|.
    pub difference: f64,
    /// Largest difference that passes there.
    pub allowed: f64,
}

impl Check {
    /// Difference in units of what is allowed.
    pub fn ratio(&self) -> f64 {
        if self.difference == 0.0 { 0.0 } else { self.difference / self.allowed }
    }

    /// Whether the difference is allowed; never for NaN.
    pub fn met(&self) -> bool {
        self.ratio() <= 1.0
    }
}

/// One check for each variable and scalar of `reference` that has an error, worst first.
///
/// # Errors
/// The two are not on the same grid, or `result` lacks a variable of the reference, or the reference has
/// no errors.
pub fn checks(result: &Dataset, reference: &Dataset) -> Result<Vec<Check>> {
    let mut found = within(result, reference, "")?;
    for (name, _) in &reference.groups {
        let (Some(group), Some(stored)) = (result.get_group(name), reference.get_group(name)) else {
            continue;
        };
        found.extend(within(&group, &stored, &format!("{name}/"))?);
    }
    if found.is_empty() {
        return Err(Error::dataset(ERROR, "no variable of the reference has an error beside it"));
    }
    found.sort_by(|a, b| b.ratio().total_cmp(&a.ratio()));
    Ok(found)
}

fn within(result: &Dataset, reference: &Dataset, group: &str) -> Result<Vec<Check>> {
    let mut found = Vec::new();
    for variable in &reference.variables {
        let Some(error) = reference.get(&format!("{}{ERROR}", variable.name)) else { continue };
        same_points(result, reference, variable)?;
        let worst = worst_point(result, reference, variable, error)?;
        found.push(Check { variable: format!("{group}{}", variable.name), ..worst });
    }
    for (name, _) in &reference.attributes {
        if let Some(error) = reference.scalar(&format!("{name}{ERROR}")) {
            found.push(scalar(result, reference, name, error)?);
        }
    }
    Ok(found)
}

/// Whether both have the same coordinates along the dimensions of `variable`.
fn same_points(result: &Dataset, reference: &Dataset, variable: &Variable) -> Result<()> {
    for dimension in &variable.dimensions {
        let Some(stored) = reference.get(dimension) else { continue };
        let now = result.require(dimension)?;
        let same = match (&stored.values, &now.values) {
            (Values::Real(a), Values::Real(b)) => {
                let largest = a.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() <= SAME_POINT * largest)
            }
            (a, b) => a == b,
        };
        if !same {
            return Err(Error::dataset(dimension, "differs from the reference's: another grid"));
        }
    }
    Ok(())
}

fn worst_point(
    result: &Dataset,
    reference: &Dataset,
    variable: &Variable,
    error: &Variable,
) -> Result<Check> {
    let name = &variable.name;
    let (now, stored) = (result.reals(name)?, reference.reals(name)?);
    let errors = reference.reals(&error.name)?;
    if now.len() != stored.len() || errors.len() != stored.len() || stored.is_empty() {
        return Err(Error::dataset(name, "has another shape than in the reference"));
    }
    let check = |index: usize| Check {
        variable: name.clone(),
        place: String::new(),
        units: variable.units.clone(),
        value: now[index],
        reference: stored[index],
        difference: (now[index] - stored[index]).abs(),
        allowed: FACTOR * errors[index],
    };
    // NaN counts as the worst.
    let rank = |check: &Check| if check.ratio().is_nan() { f64::INFINITY } else { check.ratio() };
    let mut worst = (0, check(0));
    for index in 1..now.len() {
        let next = check(index);
        if rank(&next) > rank(&worst.1) {
            worst = (index, next);
        }
    }
    Ok(Check { place: place(reference, variable, worst.0)?, ..worst.1 })
}

/// Coordinates of entry `index` of `variable`, e.g. "nue, energy 12.3 MeV, r 1.5e6 cm".
fn place(dataset: &Dataset, variable: &Variable, index: usize) -> Result<String> {
    let mut rest = index;
    let mut parts = Vec::new();
    for (dimension, length) in variable.dimensions.iter().zip(dataset.shape(variable)?).rev() {
        let entry = rest % length;
        rest /= length;
        parts.push(match dataset.get(dimension).map(|c| (&c.values, c.units.as_str())) {
            Some((Values::Text(names), _)) => names[entry].clone(),
            Some((Values::Real(points), "1")) => format!("{dimension} {:.5e}", points[entry]),
            Some((Values::Real(points), units)) => format!("{dimension} {:.5e} {units}", points[entry]),
            None => format!("{dimension} {entry}"),
        });
    }
    parts.reverse();
    Ok(parts.join(", "))
}

fn scalar(result: &Dataset, reference: &Dataset, name: &str, error: f64) -> Result<Check> {
    let number = |dataset: &Dataset| match dataset.get_attribute(name) {
        Some(Attribute::Real(value)) => Ok(*value),
        _ => Err(Error::dataset(name, "is not a real attribute")),
    };
    let (value, stored) = (number(result)?, number(reference)?);
    Ok(Check {
        variable: name.to_owned(),
        place: String::new(),
        units: String::new(),
        value,
        reference: stored,
        difference: (value - stored).abs(),
        allowed: FACTOR * error,
    })
}
