//! The acceptance criteria that a problem file carries, checked on a result.

use crate::error::{Error, Result};
use crate::extremes::largest;
use crate::output::dataset::Dataset;
use crate::output::state;
use crate::problem::Loaded;
use crate::problem::file::{CriterionFile, Expected};

/// One criterion and what was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// Variable, species and place.
    pub what: String,
    /// The value that decides: the one at the radius, or the worst of the region.
    pub value: f64,
    /// What it is compared with, as text.
    pub expected: String,
    /// Deviation in units of what is allowed: at most 1 where the criterion is met.
    pub deviation: f64,
}

impl Verdict {
    /// Whether the criterion is met; never for NaN.
    pub fn met(&self) -> bool {
        self.deviation <= 1.0
    }
}

/// Radii at which the result has to be sampled: those asked for and those of the criteria (internal).
///
/// # Errors
/// [`Error::Field`] for a quantity with a wrong unit.
pub fn sample_radii(problem: &Loaded) -> Result<Vec<f64>> {
    let units = problem.context.units;
    let mut radii = match &problem.file.outputs.sample_radii {
        Some(list) => list.lengths(units, "outputs.sample_radii")?,
        None => Vec::new(),
    };
    for (index, criterion) in problem.file.criteria.iter().enumerate() {
        if let Some(at) = &criterion.at {
            radii.push(at.length(units, &format!("criteria[{index}].at"))?);
        }
    }
    radii.sort_by(f64::total_cmp);
    radii.dedup();
    Ok(radii)
}

/// Checks all criteria of `problem` on its result.
///
/// # Errors
/// A criterion names a variable that the result does not have.
pub fn check(problem: &Loaded, result: &Dataset) -> Result<Vec<Verdict>> {
    let mut verdicts = Vec::new();
    for (index, criterion) in problem.file.criteria.iter().enumerate() {
        let path = format!("criteria[{index}]");
        let time = criterion.time.as_ref().map(|t| t.time(problem.context.units, &format!("{path}.time")));
        let time = time.transpose()?.map(|t| t * problem.context.units.time_unit());
        let state = state(result, time)?;
        let case = Case { problem, state: &state, criterion, path };
        verdicts.extend(case.verdicts()?);
    }
    Ok(verdicts)
}

struct Case<'a> {
    problem: &'a Loaded,
    state: &'a Dataset,
    criterion: &'a CriterionFile,
    path: String,
}

/// Values of a variable over radii.
struct Curve {
    name: String,
    r: Vec<f64>,
    values: Vec<f64>,
}

impl Case<'_> {
    /// One verdict for each species that the criterion is about.
    fn verdicts(&self) -> Result<Vec<Verdict>> {
        if let Some(value) = self.state.scalar(&self.criterion.variable) {
            return Ok(vec![self.verdict(self.criterion.variable.clone(), &[value], value.abs())]);
        }
        if self.state.get(&self.criterion.variable).is_some_and(|v| v.dimensions == ["species"]) {
            return self.per_species();
        }
        let samples = self.state.get_group("samples");
        let source = match (&self.criterion.at, &samples) {
            (Some(_), Some(samples)) => samples,
            (Some(_), None) => return Err(Error::dataset("samples", "the result has no such group")),
            (None, _) => self.state,
        };
        let radius = if self.criterion.at.is_some() { "r_sample" } else { "r" };
        let curves = self.curves(source, radius)?;
        curves
            .into_iter()
            .map(|curve| {
                let (place, values) = self.select(&curve)?;
                let maximum = largest(curve.values.iter().map(|value| value.abs()));
                Ok(self.verdict(format!("{} {place}", curve.name), &values, maximum))
            })
            .collect()
    }

    /// Verdicts on a variable that has one value for each species.
    fn per_species(&self) -> Result<Vec<Verdict>> {
        let name = &self.criterion.variable;
        let values = self.state.reals(name)?;
        let species = self.state.texts("species")?;
        let named = species.iter().zip(values).filter(|(species, _)| self.is_about(species));
        Ok(named
            .map(|(species, value)| self.verdict(format!("{name} {species}"), &[*value], value.abs()))
            .collect())
    }

    fn is_about(&self, species: &str) -> bool {
        self.criterion.species.as_deref().is_none_or(|wanted| wanted == species)
    }

    /// The values at the criterion's radius, or all in its region.
    fn select(&self, curve: &Curve) -> Result<(String, Vec<f64>)> {
        let units = self.problem.context.units;
        let length = |quantity: &crate::problem::quantity::Quantity, name: &str| {
            quantity.length(units, &format!("{}.{name}", self.path))
        };
        if let Some(at) = &self.criterion.at {
            let wanted = length(at, "at")?;
            let nearest = (0..curve.r.len())
                .min_by(|&a, &b| (curve.r[a] - wanted).abs().total_cmp(&(curve.r[b] - wanted).abs()));
            let values = nearest.map(|i| vec![curve.values[i]]).unwrap_or_default();
            return Ok((format!("at r = {at}"), values));
        }
        let region = self.criterion.region.as_ref();
        let inner = region.and_then(|r| r.inner.as_ref()).map(|q| length(q, "region.inner")).transpose()?;
        let outer = region.and_then(|r| r.outer.as_ref()).map(|q| length(q, "region.outer")).transpose()?;
        let inside = inner.unwrap_or(f64::NEG_INFINITY)..=outer.unwrap_or(f64::INFINITY);
        let values =
            curve.r.iter().zip(&curve.values).filter(|(r, _)| inside.contains(*r)).map(|(_, v)| *v).collect();
        Ok(("in its region".to_owned(), values))
    }

    /// The verdict on `values`; `maximum` is the largest |value| of the variable at any radius.
    fn verdict(&self, what: String, values: &[f64], maximum: f64) -> Verdict {
        let worst = |deviation: &dyn Fn(f64) -> f64| -> (f64, f64) {
            values
                .iter()
                .map(|&value| (value, deviation(value)))
                .reduce(|a, b| if a.1 >= b.1 || a.1.is_nan() { a } else { b })
                // A criterion without values is not met.
                .unwrap_or((0.0, f64::INFINITY))
        };
        let ((value, deviation), expected) = match &self.criterion.expected {
            Expected::Value { value: wanted, relative, absolute } => {
                let allowed = relative * wanted.abs() + absolute;
                (worst(&|v| (v - wanted).abs() / allowed), format!("{} +- {allowed:.1e}", short(*wanted)))
            }
            Expected::AtMost(limit) => {
                (worst(&|v| if v <= *limit { 0.0 } else { f64::INFINITY }), format!("at most {limit:e}"))
            }
            Expected::AtLeast(limit) => {
                (worst(&|v| if v >= *limit { 0.0 } else { f64::INFINITY }), format!("at least {limit:e}"))
            }
            Expected::ShareOfMaximum(share) => {
                let limit = share * maximum;
                // Nothing is a share of nothing.
                let deviation = |v: f64| if v == 0.0 { 0.0 } else { v.abs() / limit };
                (worst(&deviation), format!("within +- {limit:.1e}, {share:e} of the maximum"))
            }
            Expected::Constant { relative } => {
                let mean = values.iter().sum::<f64>() / values.len() as f64;
                (worst(&|v| (v / mean - 1.0).abs() / relative), format!("constant to {relative:.1e}"))
            }
        };
        Verdict { what, value, expected, deviation }
    }

    /// The criterion's variable over radii: one curve, or one per species.
    fn curves(&self, source: &Dataset, radius: &str) -> Result<Vec<Curve>> {
        let r = source.reals(radius)?.to_vec();
        let (stored, factor): (&str, fn(f64, f64) -> f64) = match self.criterion.variable.as_str() {
            "r2_h" => ("h", |r, _| r * r),
            "r2_h_redshifted" => ("h", |r, lapse| r * r / (lapse * lapse)),
            name => (name, |_, _| 1.0),
        };
        let lapse = source.reals("lapse")?;
        let variable = source.require(stored)?;
        let values = source.reals(stored)?;
        let scaled = |values: &[f64]| -> Vec<f64> {
            values.iter().zip(&r).zip(lapse).map(|((v, r), lapse)| v * factor(*r, *lapse)).collect()
        };
        let dimensions: Vec<&str> = variable.dimensions.iter().map(String::as_str).collect();
        let name = &self.criterion.variable;
        if dimensions == [radius] {
            return Ok(vec![Curve { name: name.clone(), r: r.clone(), values: scaled(values) }]);
        }
        let energies = match dimensions.as_slice() {
            ["species", last] if *last == radius => 1,
            ["species", "energy", last] if *last == radius => self.state.reals("energy")?.len(),
            _ => return Err(Error::dataset(stored, "is not a variable over species and radius")),
        };
        let wanted_energies = match (&self.criterion.energy, energies) {
            (Some(_), 2..) => {
                let nearest = self.energy_index()?;
                nearest..nearest + 1
            }
            _ => 0..energies,
        };
        let species = self.state.texts("species")?.iter().enumerate().filter(|(_, s)| self.is_about(s));
        let curve = |species_name: &str, row: usize| Curve {
            name: format!("{name} {species_name}"),
            r: r.clone(),
            values: scaled(&values[row * r.len()..(row + 1) * r.len()]),
        };
        Ok(species
            .flat_map(|(i, s)| wanted_energies.clone().map(move |k| (s, i * energies + k)))
            .map(|(s, row)| curve(s, row))
            .collect())
    }

    /// The energy node nearest to the criterion's energy.
    fn energy_index(&self) -> Result<usize> {
        let path = format!("{}.energy", self.path);
        let wanted =
            self.criterion.energy.as_ref().ok_or_else(|| {
                Error::field(&path, "nothing", "an energy, because the variable depends on it")
            })?;
        let wanted = wanted.energy(self.problem.context.units, &path)?;
        let energies = self.state.reals("energy")?;
        let distance = |k: &usize| (energies[*k] - wanted).abs();
        Ok((0..energies.len()).min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap_or(0))
    }
}

/// `value` without rows of zeros.
fn short(value: f64) -> String {
    let plain = value == 0.0 || (1e-4..1e6).contains(&value.abs());
    if plain { value.to_string() } else { format!("{value:e}") }
}
