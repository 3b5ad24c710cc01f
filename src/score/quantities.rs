//! What is scored: the list of quantities, and each scheme's error of them.

use std::path::Path;

use serde::Serialize;

use super::{Outcome, Solved};
use crate::compare::{
    Comparison, Entry, Metrics, Over, QUANTITIES, Quantity, Reference, error_share, parse_length, unit,
};
use crate::error::{Error, Result};
use crate::output::dataset::Dataset;
use crate::resample::edge_name;

/// A reference whose own error is more than this share of it is 0 as far as it knows: nothing is relative to it.
const UNKNOWN: f64 = 0.5;
/// Largest flux factor of radiation without net flux, such as that of equilibrium: what is left is rounding.
const NO_FLUX: f64 = 1e-6;
/// Quantities that mean nothing without a net flux.
const OF_FLUX: [&str; 3] = ["luminosity_infinity", "mean_energy_infinity", "flux_factor"];

/// What of a quantity is scored.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub enum Measure {
    /// The value at the radius of the scorecard.
    AtRadius,
    /// The value of something that is one number.
    Single,
    /// Σw|scheme − reference| / Σw|reference| over radius, weighted by ln r.
    L1,
    /// The largest difference over radius; relative to the reference's largest value.
    Max,
    /// L1 over the radii of the reference's gain region, over all where it has none.
    L1Gain,
    /// L1 over energy, of what depends on energy alone.
    L1Energy,
    /// L1 over energy at the radius (of the scheme's node that is nearest to it).
    L1Spectrum(f64),
}

/// A quantity, and what of it is scored. Spectra are at the sample radii of the problem.
struct Item {
    quantity: &'static str,
    measures: &'static [Measure],
    spectra: bool,
}

const fn item(quantity: &'static str, measures: &'static [Measure]) -> Item {
    Item { quantity, measures, spectra: false }
}

use Measure::{AtRadius, L1, L1Energy, L1Gain, Max, Single};

/// Names are those of docs/reference_format.md and docs/compare.md.
const ITEMS: [Item; 16] = [
    item("luminosity_infinity", &[AtRadius, L1, Max]),
    item("mean_energy_infinity", &[AtRadius]),
    item("mean_energy", &[AtRadius, L1]),
    item("rms_energy", &[AtRadius, L1]),
    item("flux_factor", &[AtRadius, L1, Max]),
    item("eddington_factor", &[AtRadius, L1, Max]),
    Item { quantity: "energy_density_spectrum", measures: &[], spectra: true },
    item("energy_sphere_mean", &[Single]),
    item("transport_sphere_mean", &[Single]),
    item("energy_sphere", &[L1Energy]),
    item("transport_sphere", &[L1Energy]),
    item("gain_radius", &[Single]),
    item("gain_heating", &[Single]),
    item("heating_net", &[L1Gain]),
    item("ye_rate", &[L1Gain]),
    item("ye_equilibrium", &[L1Gain]),
];

/// A scheme's number for a row.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Scored {
    /// The scheme's value; none of a norm.
    pub value: Option<f64>,
    /// value − reference.
    pub difference: Option<f64>,
    /// The difference over the reference's value (of Max: over its largest value), or the norm. `None` where
    /// the reference is 0 within its error.
    pub relative: Option<f64>,
    /// The reference's own error in the unit of the difference; of a norm that of the norm.
    pub reference_error: Option<f64>,
    /// The size of the difference over the reference's own error.
    pub in_errors: Option<f64>,
    /// Whether the difference is beyond the reference's error; unknown where that is.
    pub significant: Option<bool>,
    /// Where the largest difference is.
    pub r: Option<f64>,
}

/// An entry of the scorecard.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum Cell {
    Scored(Scored),
    /// There is no number: why.
    Missing(String),
}

/// A line of the scorecard.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    pub quantity: String,
    pub title: String,
    pub units: String,
    pub species: Option<String>,
    pub measure: Measure,
    /// The reference's value; none of a norm.
    pub reference: Option<f64>,
    /// Its own error, where that is known.
    pub reference_error: Option<f64>,
    /// In the order of the schemes.
    pub cells: Vec<Cell>,
}

/// Where values, spectra and norms are taken.
pub(super) struct Places {
    pub radius: f64,
    pub samples: Vec<f64>,
    pub gain_region: Option<(f64, f64)>,
}

/// A scheme as the rows see it.
pub(super) struct Candidate<'a> {
    solved: Option<&'a Solved>,
    /// Its values between nodes by the polynomials of its elements, where it has elements.
    polynomials: Option<Reference>,
    /// Why there are no numbers, where there are none.
    why: String,
}

impl<'a> Candidate<'a> {
    /// `solved` is the scheme's result, if there is one; `path` stands for it in messages.
    ///
    /// # Errors
    /// A damaged result.
    pub fn new(path: &Path, solved: Option<&'a Solved>, outcome: &Outcome) -> Result<Self> {
        let polynomials = match solved {
            Some(solved) if solved.data.get(&edge_name("r")).is_some() => {
                Some(Reference::new(path, solved.data.clone(), Vec::new())?)
            }
            _ => None,
        };
        let why = match outcome {
            Outcome::Scored => String::new(),
            Outcome::CannotTreat(_) => "the scheme cannot treat the problem".to_owned(),
            Outcome::NotConverged(_) => "the scheme did not converge".to_owned(),
            Outcome::TimeLimit(_) => "the scheme reached the time limit".to_owned(),
        };
        Ok(Self { solved, polynomials, why })
    }

    /// Outermost radius at which it has values.
    fn outermost(&self) -> Option<f64> {
        let solved = self.solved?;
        match &self.polynomials {
            Some(polynomials) => Some(polynomials.range().1),
            None => solved.data.reals("r").ok()?.last().copied(),
        }
    }

    /// The value of `name` at `r`; linear between nodes where the scheme has no elements.
    fn at(&self, name: &str, species: Option<&str>, r: f64) -> Result<Option<f64>> {
        let Some(solved) = self.solved else { return Ok(None) };
        let index = match species {
            None => None,
            Some(species) => {
                let names = solved.data.texts("species")?;
                let Some(index) = names.iter().position(|name| name == species) else { return Ok(None) };
                Some(index)
            }
        };
        match &self.polynomials {
            Some(polynomials) => {
                let inside = (polynomials.range().0..=polynomials.range().1).contains(&r);
                let found = if inside { polynomials.radial(name, index, &[r])? } else { None };
                Ok(found.and_then(|found| found.values.first().copied()))
            }
            None => linear(&solved.data, name, index.unwrap_or(0), r),
        }
    }

    /// The comparison of `quantity`, or why there is none.
    fn comparison(
        &self,
        quantity: &str,
        species: Option<&str>,
    ) -> std::result::Result<&'a Comparison, String> {
        let Some(solved) = self.solved else { return Err(self.why.clone()) };
        let same = |name: &str, of: &Option<String>| name == quantity && of.as_deref() == species;
        if let Some(found) = solved.comparisons.iter().find(|c| same(&c.quantity, &c.species)) {
            return Ok(found);
        }
        let skipped = solved.skipped.iter().find(|s| same(&s.quantity, &s.species));
        let reason = skipped.map(|skipped| skipped.reason.replace("the other", "the scheme"));
        Err(reason.unwrap_or_else(|| "the scheme does not have it".to_owned()))
    }
}

/// Nodal values of `name` at `r` by straight lines between nodes; `None` outside of them.
fn linear(data: &Dataset, name: &str, species: usize, r: f64) -> Result<Option<f64>> {
    let radii = data.reals("r")?;
    let (Some(variable), above) = (data.get(name), radii.partition_point(|node| *node < r)) else {
        return Ok(None);
    };
    let row = if variable.dimensions.len() == 2 { species } else { 0 };
    let Some(values) = data.reals(name)?.get(row * radii.len()..(row + 1) * radii.len()) else {
        return Ok(None);
    };
    if radii.get(above) == Some(&r) {
        return Ok(Some(values[above]));
    }
    if above == 0 || above == radii.len() {
        return Ok(None);
    }
    let share = (r - radii[above - 1]) / (radii[above] - radii[above - 1]);
    Ok(Some(values[above - 1] + share * (values[above] - values[above - 1])))
}

/// The radius of the values "at R": the one asked for, or the outermost that all results have.
///
/// # Errors
/// [`Error::Field`]: no length, or one outside of a result.
pub(super) fn radius(reference: &Reference, candidates: &[Candidate], asked: Option<&str>) -> Result<f64> {
    let (inner, outer) = reference.range();
    let outer = candidates.iter().filter_map(Candidate::outermost).fold(outer, f64::min);
    let Some(text) = asked else { return Ok(outer) };
    let found = parse_length(text, reference.units).filter(|r| *r > 0.0 && (inner..=outer).contains(r));
    found.ok_or_else(|| {
        let label = reference.units.label("cm");
        let valid =
            format!("a radius from {inner:e} to {outer:e} {label}, as in 300km (plain where dimensionless)");
        Error::field("--radius", format!("\"{text}\""), valid)
    })
}

/// Radii from the reference's gain radius outward; `None` where it has none.
///
/// # Errors
/// A damaged reference.
pub(super) fn gain_region(reference: &Reference) -> Result<Option<(f64, f64)>> {
    let gain = reference.single("gain_radius", None)?.and_then(|found| found.values.first().copied());
    Ok(gain.filter(|r| *r > 0.0).map(|r| (r, reference.range().1)))
}

/// Quantities of which none is a value: what is not heated has no heating.
const NONE_IS_ZERO: [&str; 1] = ["gain_heating"];

/// All rows, and the names of the quantities that the reference does not have.
///
/// `own` is the reference as a scheme, whose norms have the reference's errors and no others.
///
/// # Errors
/// Damaged results.
pub(super) fn rows(
    reference: &Reference,
    own: &Candidate,
    candidates: &[Candidate],
    places: &Places,
    factor: f64,
) -> Result<(Vec<Row>, Vec<String>)> {
    let (mut rows, mut missing) = (Vec::new(), Vec::new());
    for item in &ITEMS {
        let Some(quantity) = QUANTITIES.iter().find(|quantity| quantity.name == item.quantity) else {
            continue;
        };
        if !has(reference, quantity)? {
            missing.push(item.quantity.to_owned());
            continue;
        }
        let species: Vec<Option<usize>> = match quantity.by_species {
            true => (0..reference.species.len()).map(Some).collect(),
            false => vec![None],
        };
        let spectra = places.samples.iter().filter(|_| item.spectra).map(|&r| Measure::L1Spectrum(r));
        let measures: Vec<Measure> = item.measures.iter().copied().chain(spectra).collect();
        for species in species {
            if OF_FLUX.contains(&quantity.name) && !flows(reference, species)? {
                let name = species.map_or("", |index| reference.species[index].as_str());
                missing.push(format!("{} {name} (there is no net flux)", quantity.name));
                continue;
            }
            for &measure in &measures {
                let scorer = Scorer { reference, own, quantity, species, measure, places, factor };
                rows.push(scorer.row(candidates)?);
            }
        }
    }
    Ok((rows, missing))
}

/// Whether there is a net flux of `species` at some radius; true where the reference has no flux factors.
fn flows(reference: &Reference, species: Option<usize>) -> Result<bool> {
    let found = reference.radial("flux_factor", species, reference.nodes())?;
    Ok(found.is_none_or(|found| found.values.iter().any(|value| value.abs() > NO_FLUX)))
}

/// Whether the reference has the quantity, and it means something: mean energies say nothing in gray problems.
fn has(reference: &Reference, quantity: &Quantity) -> Result<bool> {
    let species = quantity.by_species.then_some(0);
    let energetic = quantity.name.contains("_energy") && !quantity.name.contains("sphere");
    let spectral = quantity.has_spectrum() || quantity.over == Over::Energy;
    if reference.is_gray() && (energetic || spectral) {
        return Ok(false);
    }
    if quantity.has_spectrum() {
        return Ok(reference.has_moments());
    }
    match quantity.over {
        Over::Radius => Ok(reference.radial(quantity.name, species, &[reference.range().1])?.is_some()),
        // Without inelastic reactions they are the same for all solutions.
        Over::Energy => Ok(reference.depends_on_solution(quantity.name)),
        _ => Ok(reference.stores(quantity)),
    }
}

/// One row being made.
struct Scorer<'a> {
    reference: &'a Reference,
    own: &'a Candidate<'a>,
    quantity: &'a Quantity,
    species: Option<usize>,
    measure: Measure,
    places: &'a Places,
    factor: f64,
}

impl Scorer<'_> {
    fn species_name(&self) -> Option<&str> {
        self.species.map(|index| self.reference.species[index].as_str())
    }

    fn row(&self, candidates: &[Candidate]) -> Result<Row> {
        let (reference, error) = self.reference_value()?;
        let cells: Vec<Cell> = candidates
            .iter()
            .map(|candidate| match self.measure {
                AtRadius => self.at_radius(candidate, reference, error),
                Single if NONE_IS_ZERO.contains(&self.quantity.name) => {
                    Ok(self.none_as_zero(candidate, reference, error))
                }
                _ => Ok(self.compared(candidate)),
            })
            .collect::<Result<_>>()?;
        // That of a largest difference is at the place of each scheme.
        let own = self.own.comparison(self.quantity.name, self.species_name()).ok();
        let own = own.filter(|_| self.measure != Max).map(|own| self.selected(&own.entries));
        let of_norm = own.and_then(|entries| error_share(&entries));
        Ok(Row {
            quantity: self.quantity.name.to_owned(),
            title: self.quantity.title.to_owned(),
            units: unit(self.quantity.dimension, self.reference.units).to_owned(),
            species: self.species_name().map(str::to_owned),
            measure: self.measure,
            reference,
            reference_error: if reference.is_some() { error } else { of_norm },
            cells,
        })
    }

    /// The reference's value and error, where the row is about values.
    fn reference_value(&self) -> Result<(Option<f64>, Option<f64>)> {
        let name = self.quantity.name;
        let found = match self.measure {
            AtRadius => self.reference.radial(name, self.species, &[self.places.radius])?,
            Single => self.reference.single(name, self.species)?,
            _ => None,
        };
        let found = found.filter(|found| !(self.quantity.zero_is_none && found.values.first() == Some(&0.0)));
        let first = |values: &Vec<f64>| values.first().copied();
        Ok(found.map_or((None, None), |found| {
            (first(&found.values), found.errors.as_ref().and_then(first).filter(|error| error.is_finite()))
        }))
    }

    fn at_radius(&self, candidate: &Candidate, reference: Option<f64>, error: Option<f64>) -> Result<Cell> {
        let missing = |why: &str| Ok(Cell::Missing(why.to_owned()));
        if candidate.solved.is_none() {
            return missing(&candidate.why);
        }
        let Some(reference) = reference else { return missing("the reference does not have it") };
        let found = candidate.at(self.quantity.name, self.species_name(), self.places.radius)?;
        let Some(other) = found else { return missing("the scheme does not have it") };
        let entry = Entry { r: None, energy: None, weight: 1.0, reference, error, other };
        Ok(self.value(&entry))
    }

    /// The cell of a single number that is 0 where the scheme has none.
    fn none_as_zero(&self, candidate: &Candidate, reference: Option<f64>, error: Option<f64>) -> Cell {
        let stored = candidate.solved.and_then(|solved| solved.data.scalar(self.quantity.name));
        match (stored, reference) {
            (Some(0.0), Some(reference)) => {
                self.value(&Entry { r: None, energy: None, weight: 1.0, reference, error, other: 0.0 })
            }
            _ => self.compared(candidate),
        }
    }

    /// The cell of one value; the reference's must be finite and the scheme's too.
    fn value(&self, entry: &Entry) -> Cell {
        if !(entry.reference.is_finite() && entry.other.is_finite()) {
            return Cell::Missing("a value is not finite".to_owned());
        }
        let Some(metrics) = Metrics::new(&[*entry], self.factor) else {
            return Cell::Missing("no value".to_owned());
        };
        let worst = metrics.max;
        let zero = entry.error.is_some_and(|error| error > UNKNOWN * entry.reference.abs());
        Cell::Scored(Scored {
            value: Some(entry.other),
            difference: Some(worst.difference),
            relative: (!zero).then_some(worst.relative).filter(|relative| relative.is_finite()),
            reference_error: entry.error,
            in_errors: in_errors(worst.difference, entry.error),
            significant: worst.significant,
            r: None,
        })
    }

    /// The cell of what [`Comparison`]s have.
    fn compared(&self, candidate: &Candidate) -> Cell {
        let comparison = match candidate.comparison(self.quantity.name, self.species_name()) {
            Ok(comparison) => comparison,
            Err(why) => return Cell::Missing(why),
        };
        let entries = &comparison.entries;
        match self.measure {
            AtRadius | Single => match entries.first() {
                Some(entry) => self.value(entry),
                None => Cell::Missing("no value".to_owned()),
            },
            Max => self.largest(entries),
            L1 | L1Energy | L1Gain | Measure::L1Spectrum(_) => self.norm(&self.selected(entries)),
        }
    }

    /// The entries that the measure is about.
    fn selected(&self, entries: &[Entry]) -> Vec<Entry> {
        match self.measure {
            L1Gain => {
                let region = self.places.gain_region.unwrap_or((0.0, f64::INFINITY));
                let inside = |entry: &&Entry| entry.r.is_some_and(|r| r >= region.0 && r <= region.1);
                entries.iter().filter(inside).copied().collect()
            }
            Measure::L1Spectrum(r) => spectrum(entries, r),
            AtRadius | Single | L1 | Max | L1Energy => entries.to_vec(),
        }
    }

    fn norm(&self, entries: &[Entry]) -> Cell {
        let Some(metrics) = Metrics::new(entries, self.factor).filter(|metrics| metrics.l1.is_finite())
        else {
            return Cell::Missing("the reference is 0 or has no points there".to_owned());
        };
        let own = error_share(entries);
        if own.is_some_and(|own| own > UNKNOWN) {
            return Cell::Missing("the reference is 0 within its own error".to_owned());
        }
        Cell::Scored(Scored {
            value: None,
            difference: None,
            relative: Some(metrics.l1),
            reference_error: own,
            in_errors: in_errors(metrics.l1, own),
            significant: own.map(|own| metrics.l1 > self.factor * own),
            r: None,
        })
    }

    fn largest(&self, entries: &[Entry]) -> Cell {
        let Some(metrics) = Metrics::new(entries, self.factor) else {
            return Cell::Missing("no common points".to_owned());
        };
        let worst = metrics.max;
        Cell::Scored(Scored {
            value: Some(worst.other),
            difference: Some(worst.difference),
            relative: Some(worst.relative_to_largest).filter(|relative| relative.is_finite()),
            reference_error: worst.reference_error,
            in_errors: in_errors(worst.difference, worst.reference_error),
            significant: worst.significant,
            r: worst.r,
        })
    }
}

/// The entries of the spectrum at the radius that is nearest to `r`.
pub(super) fn spectrum(entries: &[Entry], r: f64) -> Vec<Entry> {
    let distance = |entry: &&Entry| entry.r.map_or(f64::INFINITY, |at| (at - r).abs());
    let nearest = entries.iter().min_by(|a, b| distance(a).total_cmp(&distance(b))).and_then(|entry| entry.r);
    entries.iter().filter(|entry| entry.r == nearest).copied().collect()
}

/// |difference| / error, where there is an error.
fn in_errors(difference: f64, error: Option<f64>) -> Option<f64> {
    error.filter(|error| *error > 0.0).map(|error| difference.abs() / error).filter(|ratio| ratio.is_finite())
}
