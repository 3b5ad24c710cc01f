//! HDF5 files of other codes, by a mapping.

use std::path::Path;

use ndarray::{ArrayD, ArrayViewD, Axis, Dimension as _, IxDyn};

use super::super::spectrum::EnergyAxis;
use super::mapping::{AxisName, Energy, Entry, Mapping, Resolved, Source};
use super::{Context, Grid, Other, Series, check_energies, check_radii};
use crate::background::table::units_attribute;
use crate::error::{Error, Result};
use crate::hdf5_file;
use crate::units::{Dimension, scaled_unit_factor};

/// An open file.
struct Data<'a> {
    path: &'a Path,
    file: hdf5::File,
    context: Context<'a>,
}

/// Reads what the mapping names.
///
/// # Errors
/// [`Error::File`] with the dataset, or [`Error::Field`] for the mapping.
pub(super) fn read(path: &Path, mapping: &Mapping, context: Context) -> Result<Other> {
    let data = Data { path, file: hdf5_file::open(path)?, context };
    let r = mapping.r.as_ref().map(|source| data.radii(source)).transpose()?.unwrap_or_default();
    let energy = mapping.energy.as_ref().map(|energy| data.energies(energy)).transpose()?;
    let lengths = Lengths { r: r.len(), energy: energy.as_ref().map(|axis| axis.centres.len()) };
    let mut series = Vec::new();
    for (i, entry) in mapping.quantities.iter().enumerate() {
        series.extend(data.series(entry, i, lengths)?);
    }
    Ok(Other { r, energy, series, ..Other::default() })
}

/// Lengths of the axes.
#[derive(Debug, Clone, Copy)]
struct Lengths {
    r: usize,
    energy: Option<usize>,
}

impl Data<'_> {
    fn error(&self, name: &str, what: &str) -> Error {
        Error::file(self.path, format!("dataset `{name}`: {what}"))
    }

    /// Finite numbers of the dataset `name`, whose `units`, where it has them, must agree with `unit`.
    fn array(&self, name: &str, unit: &str, dimension: Dimension) -> Result<ArrayD<f64>> {
        if !self.file.link_exists(name) {
            return Err(self.missing(name));
        }
        let failed = |error: hdf5::Error| self.error(name, &format!("cannot be read: {error}"));
        let dataset = self.file.dataset(name).map_err(failed)?;
        let array = dataset.read_dyn::<f64>().map_err(failed)?;
        if array.is_empty() {
            return Err(self.error(name, "has no values"));
        }
        if let Some((place, value)) = array.indexed_iter().find(|(_, value)| !value.is_finite()) {
            let what =
                format!("found {value} at {:?}; valid: finite numbers", place.as_array_view().to_vec());
            return Err(self.error(name, &what));
        }
        if let Some(written) = units_attribute(&dataset).map_err(failed)? {
            self.check_unit(name, &written, unit, dimension)?;
        }
        Ok(array)
    }

    fn missing(&self, name: &str) -> Error {
        let root = self.file.member_names().unwrap_or_default();
        Error::file(self.path, format!("has no dataset `{name}`; its root has: {}", root.join(", ")))
    }

    /// Dimensionless references compare scaled data, whose attributes are of the other code's own units.
    fn check_unit(&self, name: &str, written: &str, unit: &str, dimension: Dimension) -> Result<()> {
        let same = scaled_unit_factor(written, dimension) == scaled_unit_factor(unit, dimension);
        if same || !self.context.units.physical {
            return Ok(());
        }
        let what = format!("is in \"{written}\" by its attribute `units`, the mapping says \"{unit}\"");
        Err(self.error(name, &what))
    }

    fn line(&self, source: &Source, field: &str, dimension: Dimension) -> Result<Vec<f64>> {
        let name = source.name.as_deref().unwrap_or_default();
        let factor = source.factor(dimension, field, self.context)?;
        let array = self.array(name, &source.unit, dimension)?;
        if array.ndim() != 1 {
            let what = format!("found the shape {:?}; valid: one dimension", array.shape());
            return Err(self.error(name, &what));
        }
        Ok(array.iter().map(|value| value * factor).collect())
    }

    fn radii(&self, source: &Source) -> Result<Vec<f64>> {
        let radii = self.line(source, "r", Dimension::Length)?;
        let name = format!("dataset `{}`", source.name.as_deref().unwrap_or_default());
        check_radii(self.path, &name, &radii, &|i| format!("[{i}]"))?;
        Ok(radii)
    }

    fn energies(&self, energy: &Energy) -> Result<EnergyAxis> {
        let read = |source: &Option<Source>, field: &str| {
            source.as_ref().map(|source| self.line(source, field, Dimension::Energy)).transpose()
        };
        let listed = energy.edge_values.as_ref();
        let listed =
            listed.map(|list| list.convert(Dimension::Energy, self.context.units, "energy.edge_values"));
        let edges = read(&energy.edges, "energy.edges")?.or(listed.transpose()?);
        let middle = |pair: &[f64]| 0.5 * (pair[0] + pair[1]);
        let centres = match read(&energy.centres, "energy.centres")? {
            Some(centres) => centres,
            None => edges.as_ref().map_or(Vec::new(), |edges| edges.windows(2).map(middle).collect()),
        };
        let axis = EnergyAxis { centres, edges, frame: energy.frame };
        check_energies(self.path, &axis)?;
        Ok(axis)
    }

    /// The series of an entry, one for each species.
    fn series(&self, entry: &Entry, index: usize, lengths: Lengths) -> Result<Vec<Series>> {
        let resolved = entry.resolve(index, self.context)?;
        let name = entry.name.as_deref().unwrap_or_default();
        let sense = match resolved.grid {
            Grid::Spectrum(sense) => sense,
            _ => super::Sense::Pointwise,
        };
        let array = self.array(name, &resolved.unit, resolved.quantity.dimension(sense))?;
        let axes = entry.axes.clone().unwrap_or_else(|| default_axes(&resolved, array.ndim()));
        let field = format!("quantities[{index}].axes");
        let ordered = self.ordered(name, &array.view(), &axes, &resolved, lengths, &field)?;
        let row = ordered.len() / resolved.species.len();
        let one = |(i, &species): (usize, &Option<usize>)| Series {
            quantity: resolved.quantity,
            species,
            grid: resolved.grid,
            values: ordered.iter().skip(i * row).take(row).map(|value| value * resolved.factor).collect(),
            source: name.to_owned(),
        };
        Ok(resolved.species.iter().enumerate().map(one).collect())
    }

    /// The values over (species, r, energy), without the axes that the quantity does not have.
    fn ordered(
        &self,
        name: &str,
        array: &ArrayViewD<f64>,
        axes: &[AxisName],
        resolved: &Resolved,
        lengths: Lengths,
        field: &str,
    ) -> Result<ArrayD<f64>> {
        if axes.len() != array.ndim() {
            let valid =
                format!("one axis for each dimension of `{name}`, whose shape is {:?}", array.shape());
            return Err(Error::field(field, format!("{axes:?}"), valid));
        }
        let wanted = wanted_axes(resolved);
        let given: Vec<AxisName> =
            axes.iter().copied().filter(|a| !matches!(a, AxisName::Fixed(_))).collect();
        let missing = wanted.iter().any(|axis| !given.contains(axis));
        if missing || given.len() != wanted.len() {
            let valid = format!("{wanted:?} in any order for {}, and Fixed(i)", resolved.quantity.name);
            return Err(Error::field(field, format!("{axes:?}"), valid));
        }
        let mut view = array.clone();
        for (position, axis) in axes.iter().enumerate().rev() {
            if let AxisName::Fixed(entry) = *axis {
                if entry >= array.shape()[position] {
                    let valid = format!("less than {}", array.shape()[position]);
                    return Err(Error::field(field, format!("Fixed({entry})"), valid));
                }
                view.index_axis_inplace(Axis(position), entry);
            }
        }
        let order: Vec<usize> =
            wanted.iter().filter_map(|axis| given.iter().position(|a| a == axis)).collect();
        let view = view.permuted_axes(IxDyn(&order));
        let length = |axis: &AxisName| match axis {
            AxisName::Species => Some(resolved.species.len()),
            AxisName::Energy => lengths.energy,
            _ => Some(lengths.r),
        };
        let expected: Option<Vec<usize>> = wanted.iter().map(length).collect();
        match expected {
            None => Err(Error::field(field, "Energy", "an `energy` axis in the mapping")),
            Some(expected) if view.shape() == expected => Ok(view.as_standard_layout().into_owned()),
            Some(expected) => {
                let what = format!(
                    "found the shape {:?} over {wanted:?}; valid: {expected:?} (species named, radii, energies)",
                    view.shape()
                );
                Err(self.error(name, &what))
            }
        }
    }
}

/// The axes that a quantity has, in the order of [`Series::values`].
fn wanted_axes(resolved: &Resolved) -> Vec<AxisName> {
    let mut axes = Vec::new();
    if resolved.species.len() > 1 {
        axes.push(AxisName::Species);
    }
    match resolved.grid {
        Grid::Radii => axes.push(AxisName::R),
        Grid::Spectrum(_) => axes.extend([AxisName::R, AxisName::Energy]),
        Grid::Energies => axes.push(AxisName::Energy),
        Grid::Single => {}
    }
    axes
}

/// What a dataset without stated axes must be: one dimension or none.
fn default_axes(resolved: &Resolved, dimensions: usize) -> Vec<AxisName> {
    let wanted = wanted_axes(resolved);
    if wanted.len() == dimensions && dimensions <= 1 { wanted } else { Vec::new() }
}
