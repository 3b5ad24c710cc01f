//! Two results on the same grid against the errors that they are known to have, variable by variable.

use crate::error::{Error, Result};
use crate::output::dataset::{Attribute, Dataset, Values, Variable};

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

    /// [`Check::ratio`] with NaN as the worst.
    fn rank(&self) -> f64 {
        if self.ratio().is_nan() { f64::INFINITY } else { self.ratio() }
    }

    /// Whether the difference is allowed; never for NaN.
    pub fn met(&self) -> bool {
        self.ratio() <= 1.0
    }
}

/// The differences that are allowed for the variable `name` of (result, reference), over its points; none
/// where it is not compared.
pub type Allowed<'a> = dyn Fn(&Dataset, &Dataset, &str) -> Option<Vec<f64>> + 'a;

/// Values of the error variable or attribute `name`, which is a list of one for a scalar.
pub fn error_values(dataset: &Dataset, name: &str) -> Option<Vec<f64>> {
    match dataset.get(name).map(|variable| &variable.values) {
        Some(Values::Real(values)) => Some(values.clone()),
        Some(Values::Text(_)) => None,
        None => dataset.scalar(name).map(|value| vec![value]),
    }
}

/// One check for each variable and scalar of `reference` for which differences are allowed, worst first.
///
/// # Errors
/// The two are not on the same grid, or `result` lacks a variable of the reference, or nothing can be
/// compared.
pub fn checks(result: &Dataset, reference: &Dataset, allowed: &Allowed) -> Result<Vec<Check>> {
    let mut found = within(result, reference, "", allowed)?;
    for (name, _) in &reference.groups {
        let (Some(group), Some(stored)) = (result.get_group(name), reference.get_group(name)) else {
            continue;
        };
        found.extend(within(&group, &stored, &format!("{name}/"), allowed)?);
    }
    if found.is_empty() {
        return Err(Error::dataset("error", "no variable has a known error beside it"));
    }
    found.sort_by(|a, b| b.rank().total_cmp(&a.rank()));
    Ok(found)
}

fn within(result: &Dataset, reference: &Dataset, group: &str, allowed: &Allowed) -> Result<Vec<Check>> {
    let mut found = Vec::new();
    for variable in &reference.variables {
        let Some(allowed) = allowed(result, reference, &variable.name) else { continue };
        same_points(result, reference, variable)?;
        let worst = worst_point(result, reference, variable, &allowed)?;
        found.push(Check { variable: format!("{group}{}", variable.name), ..worst });
    }
    for (name, _) in &reference.attributes {
        if let Some(&[allowed]) = allowed(result, reference, name).as_deref() {
            found.push(scalar(result, reference, name, allowed)?);
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

fn worst_point(result: &Dataset, reference: &Dataset, variable: &Variable, allowed: &[f64]) -> Result<Check> {
    let name = &variable.name;
    let (now, stored) = (result.reals(name)?, reference.reals(name)?);
    if now.len() != stored.len() || allowed.len() != stored.len() || stored.is_empty() {
        return Err(Error::dataset(name, "has another shape than in the reference"));
    }
    let check = |index: usize| Check {
        variable: name.clone(),
        place: String::new(),
        units: variable.units.clone(),
        value: now[index],
        reference: stored[index],
        difference: (now[index] - stored[index]).abs(),
        allowed: allowed[index],
    };
    let mut worst = (0, check(0));
    for index in 1..now.len() {
        let next = check(index);
        if next.rank() > worst.1.rank() {
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

fn scalar(result: &Dataset, reference: &Dataset, name: &str, allowed: f64) -> Result<Check> {
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
        allowed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(values: [f64; 4]) -> Dataset {
        let mut data = Dataset::new();
        data.dimension("species", 2).dimension("r", 2);
        data.text("species", &["species"], "names", vec!["nue".into(), "nux".into()]);
        data.real("r", &["r"], "cm", "radius", vec![1.0, 2.0]);
        data.real("j", &["species", "r"], "1", "mean occupation", values.to_vec());
        data.attribute("gain_radius", 3.0);
        data
    }

    fn with_error(mut data: Dataset, error: [f64; 4]) -> Dataset {
        data.real("j_error", &["species", "r"], "1", "error of j", error.to_vec());
        data.attribute("gain_radius_error", 0.5);
        data
    }

    fn compare(result: &Dataset, reference: &Dataset) -> Result<Vec<Check>> {
        checks(result, reference, &|_, reference, name| error_values(reference, &format!("{name}_error")))
    }

    #[test]
    fn the_worst_point_is_found_with_its_place() {
        let reference = with_error(sample([1.0, 2.0, 3.0, 4.0]), [0.1, 0.1, 1.0, 0.1]);
        let found = compare(&sample([1.0, 2.05, 3.4, 4.2]), &reference).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].variable.as_str(), found[0].place.as_str()), ("j", "nux, r 2.00000e0 cm"));
        assert!((found[0].ratio() - 2.0).abs() < 1e-12 && !found[0].met());
        assert_eq!(found[1].variable, "gain_radius");
        assert!(found[1].met());
    }

    #[test]
    fn undefined_values_and_differences_without_an_error_never_pass() {
        let reference = with_error(sample([1.0, 2.0, 3.0, 4.0]), [0.0, 0.1, 0.1, 0.1]);
        for wrong in [[1.0, f64::NAN, 3.0, 4.0], [1.0 + 1e-15, 2.0, 3.0, 4.0]] {
            assert!(!compare(&sample(wrong), &reference).unwrap()[0].met());
        }
        assert!(compare(&sample([1.0, 2.0, 3.0, 4.0]), &reference).unwrap()[0].met());
    }

    #[test]
    fn other_grids_missing_variables_and_missing_errors_are_refused() {
        let reference = with_error(sample([1.0; 4]), [0.1; 4]);
        let message =
            |result: &Dataset, reference: &Dataset| compare(result, reference).unwrap_err().to_string();
        let mut moved = sample([1.0; 4]);
        moved.variables[1].values = Values::Real(vec![1.0, 2.1]);
        assert!(message(&moved, &reference).contains("another grid"));
        let mut renamed = sample([1.0; 4]);
        renamed.variables[0].values = Values::Text(vec!["nue".into(), "nueb".into()]);
        assert!(message(&renamed, &reference).contains("another grid"));
        let mut lacking = sample([1.0; 4]);
        lacking.variables.retain(|v| v.name != "j");
        assert!(message(&lacking, &reference).contains("no such variable"));
        assert!(message(&sample([1.0; 4]), &sample([1.0; 4])).contains("no variable has a known error"));
    }
}
