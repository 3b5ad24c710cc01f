//! Results of this program as the other one.

use std::path::Path;

use super::super::quantity::{Frame, Over, QUANTITIES, Quantity, Sense};
use super::super::spectrum::EnergyAxis;
use super::super::tolman_file::{self, Facts};
use super::mapping::grid;
use super::{Context, Grid, Other, Series};
use crate::error::{Error, Result};
use crate::output::TIME;
use crate::output::dataset::{Dataset, Values};

/// Reads a result of this program.
///
/// # Errors
/// [`Error::File`]: damaged, or without species or units in common with the reference.
pub(super) fn read(path: &Path, context: Context, time: Option<f64>) -> Result<Other> {
    let (data, facts) = tolman_file::open(path, time)?;
    of_dataset(&data, facts, path, context)
}

/// One state of a sound result of this program; `path` stands for it in messages.
///
/// # Errors
/// See [`read`].
pub(super) fn of_dataset(data: &Dataset, facts: Facts, path: &Path, context: Context) -> Result<Other> {
    if tolman_file::unit_system(data, path)? != context.units {
        let what = "one of the two results is physical and the other dimensionless; valid: the same units";
        return Err(Error::file(path, what));
    }
    let in_file = |error: Error| Error::file(path, error.to_string());
    let names = data.texts("species").map_err(in_file)?;
    let species: Vec<Option<usize>> =
        names.iter().map(|name| context.species.iter().position(|known| known == name)).collect();
    if species.iter().all(Option::is_none) {
        let (theirs, ours) = (names.join(", "), context.species.join(", "));
        return Err(Error::file(path, format!("no common species: it has {theirs}, the reference {ours}")));
    }
    let gray = data.length("energy") == Some(1);
    if gray != context.gray {
        let what = "one of the two results is gray and the other has energies; valid: the same";
        return Err(Error::file(path, what));
    }
    let edges = |name: &str| data.reals(name).map(<[f64]>::to_vec).map_err(in_file);
    let energy = EnergyAxis { centres: edges("energy")?, edges: None, frame: Frame::Comoving };
    let mut other = Other { facts, r: edges("r")?, energy: Some(energy), ..Other::default() };
    other.time = data.scalar(TIME);
    for quantity in QUANTITIES {
        check_dimensions(data, quantity, path)?;
        other.series.extend(series(data, quantity, &species, context));
    }
    Ok(other)
}

/// Whether the quantity, where the file has it, is over the dimensions that it is documented to have.
fn check_dimensions(data: &Dataset, quantity: &Quantity, path: &Path) -> Result<()> {
    let Some(variable) = data.get(quantity.name) else { return Ok(()) };
    let species: &[&str] = if quantity.by_species { &["species"] } else { &[] };
    let rest: &[&str] = match quantity.over {
        Over::Radius => &["r"],
        Over::RadiusAndEnergy(_) => &["energy", "r"],
        Over::Energy => &["energy"],
        Over::Nothing => &[],
    };
    let valid = [species, rest].concat();
    if variable.dimensions == valid {
        return Ok(());
    }
    let (name, found) = (&variable.name, &variable.dimensions);
    Err(Error::file(path, format!("dataset `{name}`: found the dimensions {found:?}; valid: {valid:?}")))
}

/// The series of `quantity`, one for each species that the reference has.
fn series(
    data: &Dataset,
    quantity: &'static Quantity,
    species: &[Option<usize>],
    context: Context,
) -> Vec<Series> {
    let grid = match quantity.over {
        Over::Energy if context.gray => return Vec::new(),
        _ => grid(quantity, Sense::Pointwise, context),
    };
    let one = |species: Option<usize>, values: Vec<f64>| Series {
        quantity,
        species,
        grid,
        values,
        source: quantity.name.to_owned(),
    };
    if !quantity.by_species {
        let values = match data.get(quantity.name).map(|variable| &variable.values) {
            Some(Values::Real(values)) => Some(values.clone()),
            _ => data.scalar(quantity.name).map(|value| vec![value]),
        };
        return values.into_iter().map(|values| one(None, values)).collect();
    }
    let Ok(array) = data.array(quantity.name) else { return Vec::new() };
    let rows = array.outer_iter().zip(species).filter_map(|(row, species)| Some((row, (*species)?)));
    rows.map(|(row, index)| {
        // From (energy, r) to (r, energy).
        let row = if grid == Grid::Radii { row } else { row.reversed_axes() };
        one(Some(index), row.iter().copied().collect())
    })
    .collect()
}
