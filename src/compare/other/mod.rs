//! The result that is compared: read strictly, in the units of the reference.

mod hdf5_data;
mod mapping;
mod text;
mod tolman;

use std::path::Path;

use self::mapping::Mapping;
use super::quantity::{self, Over, QUANTITIES, Quantity, Sense};
use super::reference::Reference;
use super::rules::{self, SAME_FRAME};
use super::spectrum::EnergyAxis;
use super::tolman_file::Facts;
use crate::error::{Error, Result};
use crate::output::dataset::Dataset;
use crate::problem::file::TableLayout;
use crate::problem::ron_file::RonFile;
use crate::units::{Dimension, UnitSystem, scaled_unit_factor};

/// What the values of a series are over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grid {
    Radii,
    /// (radius, energy), the energy fastest.
    Spectrum(Sense),
    Energies,
    Single,
}

/// One quantity of one species.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    pub quantity: &'static Quantity,
    /// Index in the reference's species.
    pub species: Option<usize>,
    pub grid: Grid,
    /// Finite, in the units of the reference.
    pub values: Vec<f64>,
    /// Column, dataset or relation.
    pub source: String,
}

/// All that is read of a result.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Other {
    pub facts: Facts,
    /// Ascending, in the length unit of the reference; empty where nothing is over r.
    pub r: Vec<f64>,
    pub energy: Option<EnergyAxis>,
    pub series: Vec<Series>,
    /// Time of the state, where the file says it.
    pub time: Option<f64>,
}

/// What the reader has to know of the reference.
#[derive(Debug, Clone, Copy)]
struct Context<'a> {
    species: &'a [String],
    units: UnitSystem,
    gray: bool,
    /// Centimetres in the length unit of a dimensionless reference.
    length: Option<f64>,
}

impl<'a> Context<'a> {
    fn of(reference: &'a Reference) -> Self {
        let (species, gray) = (&reference.species, reference.is_gray());
        Self { species, units: reference.units, gray, length: None }
    }

    /// Factor from `unit` to the unit of the reference; the error says what is valid.
    fn factor(&self, unit: Option<&str>, dimension: Dimension) -> std::result::Result<f64, String> {
        if self.units.physical {
            let unit = match (unit, dimension) {
                (Some(unit), _) => unit,
                (None, Dimension::Number) => "1",
                (None, _) => "",
            };
            return scaled_unit_factor(unit, dimension)
                .ok_or_else(|| format!("a unit of {}: {}", dimension.name(), dimension.unit_names()));
        }
        let plain = scaled_unit_factor(unit.unwrap_or("1"), Dimension::Number);
        let length = (dimension == Dimension::Length)
            .then(|| Some(scaled_unit_factor(unit?, dimension)? / self.length?))
            .flatten();
        plain.or(length).ok_or_else(|| {
            let hint =
                if dimension == Dimension::Length { "; or give `length_unit` in a mapping" } else { "" };
            format!("the unit 1 or none, as the reference is dimensionless{hint}")
        })
    }
}

/// Reads the file at `path`, with the mapping file where there is one; `time` picks the state of an
/// evolution of this program.
///
/// # Errors
/// [`Error::File`] or [`Error::Problem`] with the place of what is wrong.
pub fn read(path: &Path, mapping: Option<&Path>, reference: &Reference, time: Option<f64>) -> Result<Other> {
    let context = Context::of(reference);
    let mut other = match mapping {
        Some(mapping) => {
            let mapping: RonFile<Mapping> = RonFile::open(mapping)?;
            mapped(path, &mapping, context)?
        }
        None if is_hdf5(path)? => tolman::read(path, context, time)?,
        None => text::read_csv(path, context)?,
    };
    if other.facts.is_empty() {
        other.facts = super::tolman_file::file_facts(path)?;
    }
    if let Some(mapping) = mapping {
        other.facts.push(("mapping".to_owned(), mapping.display().to_string()));
    }
    other.arrange(path)?;
    Ok(other)
}

/// What `data`, a sound result of this program, has; `name` stands for it in messages.
///
/// # Errors
/// Nothing that could be compared with `reference`.
pub fn of_dataset(data: &Dataset, name: &Path, reference: &Reference) -> Result<Other> {
    let mut other = tolman::of_dataset(data, Facts::new(), name, Context::of(reference))?;
    other.arrange(name)?;
    other.complete(reference.units);
    other.complete_spectra(reference.units);
    Ok(other)
}

fn mapped(path: &Path, mapping: &RonFile<Mapping>, context: Context) -> Result<Other> {
    mapping.value.check().map_err(|error| mapping.locate(error))?;
    let length = mapping.value.length_unit(context.units).map_err(|error| mapping.locate(error))?;
    let context = Context { length, ..context };
    let read = match mapping.value.layout {
        TableLayout::Hdf5 => hdf5_data::read(path, &mapping.value, context),
        TableLayout::Csv | TableLayout::Blanks => text::read_mapped(path, &mapping.value, context),
    };
    read.map_err(|error| mapping.locate(error))
}

fn is_hdf5(path: &Path) -> Result<bool> {
    use std::io::Read;
    const SIGNATURE: &[u8] = b"\x89HDF\r\n\x1a\n";
    let cannot = |e: std::io::Error| Error::file(path, format!("cannot be read: {e}"));
    let mut begin = Vec::new();
    let file = std::fs::File::open(path).map_err(cannot)?;
    file.take(SIGNATURE.len() as u64).read_to_end(&mut begin).map_err(cannot)?;
    Ok(begin == SIGNATURE)
}

impl Other {
    /// Puts radii into ascending order and checks what all readers have in common.
    fn arrange(&mut self, path: &Path) -> Result<()> {
        if self.series.is_empty() {
            return Err(Error::file(
                path,
                "has no quantity that can be compared (docs/compare.md lists them)",
            ));
        }
        if let Some(twice) = self.first_duplicate() {
            return Err(Error::file(path, format!("gives {twice} twice; valid: once")));
        }
        let needs_r = |series: &Series| matches!(series.grid, Grid::Radii | Grid::Spectrum(_));
        if self.r.is_empty() && self.series.iter().any(needs_r) {
            return Err(Error::file(path, "has quantities over radius but no radii"));
        }
        if self.r.first() > self.r.last() {
            self.reverse();
        }
        Ok(())
    }

    /// Adds what follows exactly from the columns in their own frame (a luminosity from a flux, a mean
    /// energy from two densities) where it is not given.
    pub fn complete(&mut self, units: UnitSystem) {
        for rule in SAME_FRAME {
            let Some(quantity) = quantity::find(rule.result) else { continue };
            let mut species: Vec<Option<usize>> = self.series.iter().map(|series| series.species).collect();
            species.sort_unstable();
            species.dedup();
            for species in species {
                let find = |name: &str| {
                    let of = |s: &&Series| {
                        s.quantity.name == name && s.species == species && s.grid == Grid::Radii
                    };
                    self.series.iter().find(of).map(|series| series.values.as_slice())
                };
                let inputs: Option<Vec<&[f64]>> = rule.needs.iter().map(|need| find(need)).collect();
                let (Some(inputs), None) = (inputs, find(rule.result)) else { continue };
                let (c, erg) = (units.speed_of_light(), units.erg_per_energy());
                let values = rules::apply(rule, &inputs, &self.r, c, erg);
                let source = rule.formula.to_owned();
                if values.iter().all(|value| value.is_finite()) {
                    self.series.push(Series { quantity, species, grid: Grid::Radii, values, source });
                }
            }
        }
    }

    /// Adds spectra that are multiples of its moments at each energy.
    fn complete_spectra(&mut self, units: UnitSystem) {
        let Some(axis) = &self.energy else { return };
        let mut spectra = Vec::new();
        for quantity in QUANTITIES {
            let Over::RadiusAndEnergy(spectral) = quantity.over else { continue };
            let pointwise = Grid::Spectrum(Sense::Pointwise);
            let of = |s: &&Series| s.quantity.name == spectral.moment && s.grid == pointwise;
            let moments = self.series.iter().filter(of);
            spectra.extend(moments.filter(|_| spectral.moment != quantity.name).map(|moment| {
                let rows = moment.values.chunks(axis.centres.len()).zip(&self.r);
                let row = |(row, &r): (&[f64], &f64)| {
                    let factor = spectral.factor.value(r, units);
                    let at = row.iter().zip(&axis.centres);
                    at.map(|(value, energy)| factor * energy.powi(spectral.power) * value)
                        .collect::<Vec<f64>>()
                };
                let (values, source) = (rows.flat_map(row).collect(), format!("from {}", spectral.moment));
                Series { quantity, species: moment.species, grid: pointwise, values, source }
            }));
        }
        self.series.extend(spectra);
    }

    fn first_duplicate(&self) -> Option<String> {
        let key = |series: &Series| (series.quantity.name, series.species);
        let twice = |(i, series): &(usize, &Series)| self.series[..*i].iter().any(|s| key(s) == key(series));
        let found = self.series.iter().enumerate().find(twice)?.1;
        Some(format!("{} (`{}`)", found.quantity.name, found.source))
    }

    /// From outermost first to innermost first.
    fn reverse(&mut self) {
        self.r.reverse();
        let energies = self.energy.as_ref().map_or(1, |axis| axis.centres.len());
        for series in &mut self.series {
            let row = match series.grid {
                Grid::Radii => 1,
                Grid::Spectrum(_) => energies,
                Grid::Energies | Grid::Single => continue,
            };
            series.values = series.values.rchunks(row).flatten().copied().collect();
        }
    }
}

/// Checks that radii only grow or only fall and are not negative; `place` says where entry i stands.
fn check_radii(path: &Path, name: &str, radii: &[f64], place: &dyn Fn(usize) -> String) -> Result<()> {
    let fail = |i: usize, found: String, valid: &str| {
        Error::file(path, format!("{name} {}: found {found}; valid: {valid}", place(i)))
    };
    if let Some(i) = radii.iter().position(|r| *r < 0.0) {
        return Err(fail(i, format!("{}", radii[i]), "radii that are not negative"));
    }
    let falling = matches!(radii, [first, second, ..] if second < first);
    let wrong = |pair: &[f64]| if falling { pair[1] >= pair[0] } else { pair[1] <= pair[0] };
    match radii.windows(2).position(wrong) {
        Some(i) => {
            let what = if radii[i] == radii[i + 1] {
                format!("{} twice", radii[i])
            } else {
                format!("{} after {}", radii[i + 1], radii[i])
            };
            Err(fail(i + 1, what, "radii that only grow or only fall, each once"))
        }
        None => Ok(()),
    }
}

/// Checks energies: ascending, not negative, and each group around its centre.
fn check_energies(path: &Path, axis: &EnergyAxis) -> Result<()> {
    let fail = |what: String| Error::file(path, what);
    let lists = [("energies", Some(&axis.centres)), ("energy edges", axis.edges.as_ref())];
    for (name, values) in lists.into_iter().filter_map(|(name, list)| Some((name, list?))) {
        if let Some(i) = values.windows(2).position(|pair| pair[1] <= pair[0]) {
            let what =
                format!("{name}: found {} after {}; valid: ascending energies", values[i + 1], values[i]);
            return Err(fail(what));
        }
        if let Some(negative) = values.iter().find(|value| **value < 0.0) {
            return Err(fail(format!("{name}: found {negative}; valid: energies that are not negative")));
        }
    }
    let Some(edges) = &axis.edges else { return Ok(()) };
    if edges.len() != axis.centres.len() + 1 {
        let what =
            format!("{} energy edges for {} energies; valid: one more", edges.len(), axis.centres.len());
        return Err(fail(what));
    }
    let outside = |(i, e): (usize, &f64)| !(edges[i] <= *e && *e <= edges[i + 1]);
    match axis.centres.iter().enumerate().position(outside) {
        Some(i) => {
            let (low, high) = (edges[i], edges[i + 1]);
            Err(fail(format!("energy {} is not in its group from {low} to {high}", axis.centres[i])))
        }
        None => Ok(()),
    }
}
