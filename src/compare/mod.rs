//! Comparison of another code's result with a reference. Knows files and datasets only.
//!
//! The reference is evaluated at the points of the other result by its elements' polynomials, in the
//! other's frame and units (docs/compare.md).

mod norms;
mod other;
mod quantity;
mod reference;
mod region;
pub mod report;
mod rules;
mod spectrum;
mod stencil;
mod thresholds;
mod tolman_file;

use std::path::{Path, PathBuf};

use serde::Serialize;

pub(crate) use self::norms::{Entry, error_share};
pub use self::norms::{Measure, Metrics, RELATIVE_FLOOR, Weight, Worst};
pub use self::quantity::{Frame, QUANTITIES, Quantity, Sense};
pub(crate) use self::reference::Reference;
pub(crate) use self::region::length as parse_length;
pub use self::thresholds::Check;
pub use self::tolman_file::Facts;
pub(crate) use self::tolman_file::checked;

use self::other::{Grid, Other, Series};
use self::quantity::BACKGROUND;
pub(crate) use self::quantity::Over;
use self::reference::Evaluated;
use self::region::Region;
use self::spectrum::EnergyAxis;
use crate::error::{Error, Result};
use crate::output::dataset::Dataset;
use crate::units::{Dimension, UnitSystem};

/// What is compared, and how.
#[derive(Debug, Clone)]
pub struct Request {
    pub reference: PathBuf,
    pub other: PathBuf,
    /// RON file that says what is in `other`.
    pub mapping: Option<PathBuf>,
    /// State of an evolution, in the file's unit (s).
    pub time: Option<f64>,
    /// `inner..outer` with units.
    pub region: Option<String>,
    pub weight: Weight,
    /// A difference is significant beyond this many times the reference's error.
    pub factor: f64,
    /// `NAME=VALUE` each.
    pub tolerances: Vec<String>,
    /// RON file of thresholds.
    pub thresholds: Option<PathBuf>,
}

/// One quantity of one species in both results.
#[derive(Debug, Clone, Serialize)]
pub struct Comparison {
    pub quantity: String,
    pub title: String,
    pub species: Option<String>,
    pub frame: Frame,
    pub units: String,
    /// What the values are over energy, where they depend on it.
    pub sense: Option<Sense>,
    /// Column, dataset or relation of the other result.
    pub other_source: String,
    /// Variable or relation of the reference.
    pub reference_source: String,
    /// Points that were left out, and why.
    pub excluded: Vec<String>,
    pub metrics: Metrics,
    #[serde(skip)]
    pub(crate) entries: Vec<Entry>,
}

/// Something that was not compared.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Skipped {
    pub quantity: String,
    pub species: Option<String>,
    pub reason: String,
}

/// Outcome of the thresholds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Verdict {
    NoThresholds,
    Met,
    Exceeded,
}

/// A comparison of two results.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    pub program_version: String,
    pub verdict: Verdict,
    pub reference: Facts,
    pub other: Facts,
    /// Whether the reference knows its numerical errors.
    pub reference_has_errors: bool,
    pub significance_factor: f64,
    pub weight: Weight,
    pub region: Option<String>,
    /// Unit of the radii, "1" in dimensionless problems.
    pub length_unit: String,
    pub energy_unit: String,
    pub checks: Vec<Check>,
    pub comparisons: Vec<Comparison>,
    pub not_compared: Vec<Skipped>,
    /// Quantities that only the reference has.
    pub only_in_reference: Vec<String>,
}

/// Compares two results.
///
/// # Errors
/// A file that cannot be read or says something invalid; nothing that both have; a threshold for what
/// cannot be compared.
pub fn compare(request: &Request) -> Result<Report> {
    if !(request.factor.is_finite() && request.factor > 0.0) {
        return Err(Error::field("--factor", request.factor, "a positive number"));
    }
    let reference = Reference::open(&request.reference, request.time)?;
    let region = request.region.as_deref().map(|text| {
        Region::parse(text, reference.units)
            .map_err(|valid| Error::field("--region", format!("\"{text}\""), valid))
    });
    let region = region.transpose()?;
    let mut thresholds =
        request.tolerances.iter().map(|text| thresholds::parse(text)).collect::<Result<Vec<_>>>()?;
    if let Some(path) = &request.thresholds {
        thresholds.extend(thresholds::read(path, reference.units)?);
    }
    let mut other = other::read(&request.other, request.mapping.as_deref(), &reference, request.time)?;
    check_times(request, &reference, &other)?;
    other.complete(reference.units);
    let (weight, factor) = (request.weight, request.factor);
    let comparer = Comparer { reference: &reference, other: &other, region, weight, factor };
    let (comparisons, not_compared) = comparer.all()?;
    if comparisons.is_empty() {
        return Err(Error::file(&request.other, nothing(&not_compared)));
    }
    let checks = thresholds::check(&thresholds, &comparisons, &not_compared, request.factor)?;
    Ok(comparer.report(comparisons, not_compared, checks))
}

/// Everything that `other`, a sound result of this program, has in common with `reference`; radii are weighted
/// by their logarithm. `name` stands for `other` in messages.
///
/// # Errors
/// Results without species or units in common, or of different times.
pub(crate) fn compare_results(
    reference: &Reference,
    other: &Dataset,
    name: &Path,
    factor: f64,
) -> Result<(Vec<Comparison>, Vec<Skipped>)> {
    let other = other::of_dataset(other, name, reference)?;
    Comparer { reference, other: &other, region: None, weight: Weight::LogRadius, factor }.all()
}

/// Two evolutions are compared at the same time; steady states have none.
fn check_times(request: &Request, reference: &Reference, other: &Other) -> Result<()> {
    if let (None, None, Some(time)) = (reference.time(), other.time, request.time) {
        return Err(Error::field("--time", time, "none, as neither result is an evolution"));
    }
    if let (Some(ours), Some(theirs), None) = (reference.time(), other.time, request.time)
        && (ours - theirs).abs() > 1e-6 * ours.abs().max(theirs.abs())
    {
        let what = format!("its last state is of {theirs:e}, that of the reference of {ours:e}; give --time");
        return Err(Error::file(&request.other, what));
    }
    Ok(())
}

fn nothing(skipped: &[Skipped]) -> String {
    let mut reasons: Vec<String> =
        skipped.iter().map(|skipped| format!("{}: {}", skipped.quantity, skipped.reason)).collect();
    reasons.dedup();
    reasons.truncate(5);
    format!("nothing can be compared ({})", reasons.join("; "))
}

/// Name of the unit in which values are compared: the one of results of this program.
pub(crate) fn unit(dimension: Dimension, units: UnitSystem) -> &'static str {
    let physical = dimension.units().iter().find(|(name, factor)| *factor == 1.0 && !name.contains('/'));
    let name = physical.or(dimension.units().first()).map_or("1", |(name, _)| name);
    units.label(name)
}

struct Comparer<'a> {
    reference: &'a Reference,
    other: &'a Other,
    region: Option<Region>,
    weight: Weight,
    factor: f64,
}

/// Entries and what was left out, or why there are none.
type Outcome = std::result::Result<Points, String>;

struct Points {
    entries: Vec<Entry>,
    excluded: Vec<String>,
    source: String,
}

impl Comparer<'_> {
    fn all(&self) -> Result<(Vec<Comparison>, Vec<Skipped>)> {
        let (mut comparisons, mut skipped) = (Vec::new(), Vec::new());
        for quantity in QUANTITIES {
            for series in self.other.series.iter().filter(|series| series.quantity.name == quantity.name) {
                let species = series.species.map(|index| self.reference.species[index].clone());
                let outcome = self.points(series)?;
                match outcome.and_then(|points| self.comparison(series, species.clone(), points)) {
                    Ok(comparison) => comparisons.push(comparison),
                    Err(reason) => {
                        skipped.push(Skipped { quantity: quantity.name.to_owned(), species, reason });
                    }
                }
            }
        }
        Ok((comparisons, skipped))
    }

    fn comparison(
        &self,
        series: &Series,
        species: Option<String>,
        points: Points,
    ) -> std::result::Result<Comparison, String> {
        let enough = if series.grid == Grid::Single { 1 } else { 2 };
        if points.entries.len() < enough {
            let reasons = points.excluded.join("; ");
            let (count, because) = (points.entries.len(), if reasons.is_empty() { "" } else { ": " });
            return Err(format!("{count} common points{because}{reasons}; two are the least"));
        }
        if points.entries.iter().any(|entry| !entry.reference.is_finite()) {
            return Err("the reference's value leaves the range of numbers".to_owned());
        }
        let quantity = series.quantity;
        let sense = match series.grid {
            Grid::Spectrum(sense) => Some(sense),
            _ => None,
        };
        let metrics = Metrics::new(&points.entries, self.factor).ok_or("no common points")?;
        let dimension = quantity.dimension(sense.unwrap_or(Sense::Pointwise));
        Ok(Comparison {
            quantity: quantity.name.to_owned(),
            title: quantity.title.to_owned(),
            species,
            frame: quantity.frame,
            units: self.unit(dimension),
            sense,
            other_source: series.source.clone(),
            reference_source: points.source,
            excluded: points.excluded,
            metrics,
            entries: points.entries,
        })
    }

    fn unit(&self, dimension: Dimension) -> String {
        unit(dimension, self.reference.units).to_owned()
    }

    fn points(&self, series: &Series) -> Result<Outcome> {
        match (series.grid, series.quantity.over) {
            (Grid::Spectrum(sense), _) => self.spectrum(series, sense),
            (Grid::Radii, Over::RadiusAndEnergy(_)) => self.gray(series),
            (Grid::Radii, _) => self.radial(series),
            (Grid::Energies, _) => self.energies(series),
            (Grid::Single, _) => self.single(series),
        }
    }

    /// Indices of the other's radii that are compared, and the reasons for the others.
    fn common_radii(&self) -> std::result::Result<(Vec<usize>, Vec<String>), String> {
        let (low, high) = self.reference.range();
        let all = &self.other.r;
        let shown = |r: f64| report::length(&self.unit(Dimension::Length), r);
        let within = |r: f64| (low..=high).contains(&r);
        let outside = all.iter().filter(|r| !within(**r)).count();
        let zero = all.iter().filter(|r| **r == 0.0 && within(**r)).count();
        let wanted = |r: f64| self.region.as_ref().is_none_or(|region| region.contains(r));
        let kept: Vec<usize> =
            (0..all.len()).filter(|&i| within(all[i]) && all[i] > 0.0 && wanted(all[i])).collect();
        let mut excluded = Vec::new();
        if outside > 0 {
            excluded.push(format!(
                "{outside} of {} radii are outside of the reference's, {} to {}",
                all.len(),
                shown(low),
                shown(high)
            ));
        }
        if zero > 0 {
            excluded.push("r = 0, which has no weight".to_owned());
        }
        if kept.len() > 1 {
            return Ok((kept, excluded));
        }
        let (first, last) = (all.first().unwrap_or(&0.0), all.last().unwrap_or(&0.0));
        let region = self.region.as_ref().map_or(String::new(), |region| format!(" in {}", region.text));
        Err(match kept.len() {
            0 => format!(
                "no common radii{region}: the reference has {} to {}, the other {} to {}",
                shown(low),
                shown(high),
                shown(*first),
                shown(*last)
            ),
            _ => format!("a single common radius{region}, {}; two are the least", shown(all[kept[0]])),
        })
    }

    fn radial(&self, series: &Series) -> Result<Outcome> {
        let name = series.quantity.name;
        self.over_radius(series, |radii| {
            let mut found = self.reference.radial(name, series.species, radii)?;
            // The problem gives the background; how well polynomials follow it between nodes is not known.
            if let Some(found) = found.as_mut().filter(|_| BACKGROUND.contains(&name)) {
                found.errors = None;
            }
            Ok(found)
        })
    }

    fn gray(&self, series: &Series) -> Result<Outcome> {
        let species = series.species.unwrap_or(0);
        self.over_radius(series, |radii| self.reference.gray(series.quantity.name, species, radii))
    }

    fn over_radius(
        &self,
        series: &Series,
        evaluate: impl Fn(&[f64]) -> Result<Option<Evaluated>>,
    ) -> Result<Outcome> {
        let (kept, mut excluded) = match self.common_radii() {
            Ok(found) => found,
            Err(reason) => return Ok(Err(reason)),
        };
        let radii: Vec<f64> = kept.iter().map(|&i| self.other.r[i]).collect();
        let Some(found) = evaluate(&radii)? else {
            return Ok(Err("the reference neither has it nor what it follows from".to_owned()));
        };
        let weights = self.weight.of(&radii);
        let entry = |(k, &i): (usize, &usize)| Entry {
            r: Some(radii[k]),
            energy: None,
            weight: weights[k],
            reference: found.values[k],
            error: found.errors.as_ref().map(|errors| errors[k]),
            other: series.values[i],
        };
        let mut entries: Vec<Entry> = kept.iter().enumerate().map(entry).collect();
        if series.quantity.zero_is_none {
            let exists = self.reference.exists(series.quantity.name, series.species, &radii)?;
            let mut exists = exists.into_iter();
            entries.retain(|entry| exists.next() == Some(true) && entry.other != 0.0);
            note_missing(&mut excluded, radii.len() - entries.len(), radii.len());
        }
        Ok(Ok(Points { entries, excluded, source: found.source }))
    }

    fn spectrum(&self, series: &Series, sense: Sense) -> Result<Outcome> {
        let (Some(axis), Over::RadiusAndEnergy(spectral)) = (&self.other.energy, series.quantity.over) else {
            return Ok(Err("it has no energies".to_owned()));
        };
        let (kept, mut excluded) = match self.common_radii() {
            Ok(found) => found,
            Err(reason) => return Ok(Err(reason)),
        };
        let radii: Vec<f64> = kept.iter().map(|&i| self.other.r[i]).collect();
        let species = series.species.unwrap_or(0);
        let (values, source) = match self.reference.spectrum(&spectral, sense, species, &radii, axis)? {
            Ok(found) => found,
            Err(reason) => return Ok(Err(reason)),
        };
        let (weights, widths, count) = (self.weight.of(&radii), axis.widths(), axis.centres.len());
        let mut entries = Vec::new();
        for (k, &i) in kept.iter().enumerate() {
            for e in 0..count {
                let Some((reference, error)) = values[k * count + e] else { continue };
                let other = series.values[i * count + e];
                let weight = weights[k] * widths[e];
                let (r, energy) = (Some(radii[k]), Some(axis.centres[e]));
                entries.push(Entry { r, energy, weight, reference, error, other });
            }
        }
        note_missing(&mut excluded, values.len() - entries.len(), values.len());
        Ok(Ok(Points { entries, excluded, source }))
    }

    fn energies(&self, series: &Series) -> Result<Outcome> {
        let Some(axis) = &self.other.energy else { return Ok(Err("it has no energies".to_owned())) };
        let axis = EnergyAxis { edges: None, ..axis.clone() };
        if axis.frame != Frame::Comoving {
            return Ok(Err("the reference has it over comoving energies only".to_owned()));
        }
        let found = self.reference.over_energy(series.quantity.name, series.species.unwrap_or(0), &axis)?;
        let Some((values, source)) = found else {
            return Ok(Err("the reference does not have it".to_owned()));
        };
        let widths = axis.widths();
        let entry = |(e, value): (usize, &Option<(f64, Option<f64>)>)| {
            let (reference, error) = (*value)?;
            let other = series.values[e];
            let exists = other != 0.0 || !series.quantity.zero_is_none;
            let energy = Some(axis.centres[e]);
            exists.then_some(Entry { r: None, energy, weight: widths[e], reference, error, other })
        };
        let entries: Vec<Entry> = values.iter().enumerate().filter_map(entry).collect();
        let mut excluded = Vec::new();
        note_missing(&mut excluded, values.len() - entries.len(), values.len());
        Ok(Ok(Points { entries, excluded, source }))
    }

    fn single(&self, series: &Series) -> Result<Outcome> {
        let Some(found) = self.reference.single(series.quantity.name, series.species)? else {
            return Ok(Err("the reference does not have it".to_owned()));
        };
        let (reference, other) = (found.values[0], series.values[0]);
        if series.quantity.zero_is_none && (reference == 0.0 || other == 0.0) {
            return Ok(Err(match (reference == 0.0, other == 0.0) {
                (true, true) => "neither has one (0)".to_owned(),
                (true, false) => format!("the reference has none (0), the other {other:e}"),
                _ => format!("the other has none (0), the reference {reference:e}"),
            }));
        }
        let error = found.errors.as_ref().map(|errors| errors[0]);
        let entry = Entry { r: None, energy: None, weight: 1.0, reference, error, other };
        Ok(Ok(Points { entries: vec![entry], excluded: Vec::new(), source: found.source }))
    }

    fn report(&self, comparisons: Vec<Comparison>, not_compared: Vec<Skipped>, checks: Vec<Check>) -> Report {
        let verdict = match (checks.is_empty(), checks.iter().all(|check| check.met)) {
            (true, _) => Verdict::NoThresholds,
            (false, true) => Verdict::Met,
            (false, false) => Verdict::Exceeded,
        };
        Report {
            program_version: env!("CARGO_PKG_VERSION").to_owned(),
            verdict,
            reference: self.reference.facts.clone(),
            other: self.other.facts.clone(),
            reference_has_errors: self.reference.has_errors(),
            significance_factor: self.factor,
            weight: self.weight,
            region: self.region.as_ref().map(|region| region.text.clone()),
            length_unit: self.unit(Dimension::Length),
            energy_unit: self.unit(Dimension::Energy),
            checks,
            comparisons,
            not_compared,
            only_in_reference: self.only_in_reference(),
        }
    }

    fn only_in_reference(&self) -> Vec<String> {
        let mut missing = Vec::new();
        let results = QUANTITIES.iter().filter(|quantity| !BACKGROUND.contains(&quantity.name));
        for quantity in results.filter(|quantity| self.reference.stores(quantity)) {
            let has = |species: Option<usize>| {
                let of = |s: &Series| s.quantity.name == quantity.name && s.species == species;
                self.other.series.iter().any(of)
            };
            let species = &self.reference.species;
            let lacking: Vec<&str> =
                (0..species.len()).filter(|&s| !has(Some(s))).map(|s| species[s].as_str()).collect();
            if !quantity.by_species && !has(None) {
                missing.push(quantity.name.to_owned());
            } else if quantity.by_species && !lacking.is_empty() {
                missing.push(format!("{} ({})", quantity.name, lacking.join(", ")));
            }
        }
        missing
    }
}

fn note_missing(excluded: &mut Vec<String>, missing: usize, all: usize) {
    if missing > 0 {
        excluded.push(format!(
            "{missing} of {all} points, whose energies or groups are not within the reference's grid, or which \
             have no value"
        ));
    }
}
