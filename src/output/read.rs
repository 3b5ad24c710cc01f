//! From a file to a dataset in memory.

use std::path::Path;

use hdf5::types::{FloatSize, TypeDescriptor, VarLenUnicode};
use hdf5::{Group, IndexType, IterationOrder, Location, LocationType};

use super::dataset::{Attribute, Dataset, Values, Variable};
use super::{FORMAT_VERSION, VERSION_ATTRIBUTE, scales};
use crate::error::{Error, Result};
use crate::hdf5_file;

/// Reads a file that [`write`](super::write) has written.
///
/// # Errors
/// [`Error::File`]: the file does not exist, is not HDF5, is truncated or damaged, is not an output of
/// this program, or has another format version.
pub fn read(path: &Path) -> Result<Dataset> {
    read_where(path, |_| true)
}

/// Reads the variables and groups `names` with their dimensions and coordinates, and the attributes of
/// the file.
///
/// # Errors
/// As [`read`], and where one of `names` is missing.
pub fn read_variables(path: &Path, names: &[&str]) -> Result<Dataset> {
    let file = open(path)?;
    let present = members(&file).map_err(|e| damaged(path, &e))?;
    if let Some(missing) = names.iter().find(|wanted| !present.iter().any(|name| name == **wanted)) {
        let what = format!("has no variable `{missing}`; it has: {}", present.join(", "));
        return Err(Error::file(path, what));
    }
    read_group(&file, &|name| names.contains(&name)).map_err(|e| damaged(path, &e))
}

/// Reads the variables and groups for whose names `wanted` is true, with dimensions, coordinates and
/// attributes: for readers that take what there is and spare the rest (such as `f`).
///
/// # Errors
/// As [`read`].
pub fn read_where(path: &Path, wanted: impl Fn(&str) -> bool) -> Result<Dataset> {
    let file = open(path)?;
    read_group(&file, &wanted).map_err(|e| damaged(path, &e))
}

fn open(path: &Path) -> Result<hdf5::File> {
    let file = hdf5_file::open(path)?;
    check_version(&file, path)?;
    Ok(file)
}

fn damaged(path: &Path, error: &hdf5::Error) -> Error {
    Error::file(path, format!("is damaged or not of this format: {error}"))
}

fn check_version(file: &hdf5::File, path: &Path) -> Result<()> {
    let version = file.attr(VERSION_ATTRIBUTE).and_then(|attribute| attribute.read_scalar::<i64>());
    match version {
        Ok(FORMAT_VERSION) => Ok(()),
        Ok(other) => {
            let what = format!("has format version {other}; this program reads {FORMAT_VERSION}");
            Err(Error::file(path, what))
        }
        Err(_) => {
            let what =
                format!("is HDF5 but not an output of tolman: it has no attribute `{VERSION_ATTRIBUTE}`");
            Err(Error::file(path, what))
        }
    }
}

/// Names of variables and groups in the order in which they were written, or where a program that
/// rewrote the file did not keep that, by name.
fn members(group: &Group) -> hdf5::Result<Vec<String>> {
    group
        .member_names_by(IndexType::CreationOrder, IterationOrder::Increasing)
        .or_else(|_| group.member_names_by(IndexType::Name, IterationOrder::Increasing))
}

/// Reads a group: every dimension and coordinate, and the other members that are `wanted`.
fn read_group(group: &Group, wanted: &dyn Fn(&str) -> bool) -> hdf5::Result<Dataset> {
    let mut result = Dataset { attributes: read_attributes(group)?, ..Dataset::default() };
    let mut dimensions = Vec::new();
    for name in members(group)? {
        if group.loc_type_by_name(&name)? == LocationType::Group {
            if wanted(&name) {
                result.groups.push((name.clone(), read_group(&group.group(&name)?, &|_| true)?));
            }
            continue;
        }
        let stored = group.dataset(&name)?;
        let order = scales::order(&stored);
        if let Some(order) = order {
            dimensions.push((order, (name.clone(), stored.size(), stored.is_resizable())));
        }
        let is_coordinate = order.is_some() && !scales::is_without_coordinate(&stored);
        if is_coordinate || (order.is_none() && wanted(&name)) {
            result.variables.push(read_variable(&stored, &name)?);
        }
    }
    dimensions.sort_by_key(|d| d.0);
    result.dimensions = dimensions.into_iter().map(|d| d.1).collect();
    Ok(result)
}

fn read_variable(stored: &hdf5::Dataset, name: &str) -> hdf5::Result<Variable> {
    let values = match stored.dtype()?.to_descriptor()? {
        TypeDescriptor::VarLenUnicode => {
            let texts = stored.read_raw::<VarLenUnicode>()?;
            Values::Text(texts.iter().map(|text| text.to_string()).collect())
        }
        TypeDescriptor::Float(_) | TypeDescriptor::Integer(_) => Values::Real(stored.read_raw::<f64>()?),
        other => return Err(format!("the variable {name} has the unknown type {other}").into()),
    };
    let mut variable = Variable {
        name: name.to_owned(),
        dimensions: scales::dimensions(stored, name)?,
        values,
        units: String::new(),
        long_name: String::new(),
        attributes: Default::default(),
    };
    for (attribute, value) in read_attributes(stored)? {
        match (attribute.as_str(), value) {
            ("units", Attribute::Text(text)) => variable.units = text,
            ("long_name", Attribute::Text(text)) => variable.long_name = text,
            (_, value) => drop(variable.attributes.insert(attribute, value)),
        }
    }
    Ok(variable)
}

/// Attributes of the types that the format has; others, which other programs may have added, are left.
fn read_attributes(location: &Location) -> hdf5::Result<Vec<(String, Attribute)>> {
    let mut attributes = Vec::new();
    for name in location.attr_names_by(IndexType::CreationOrder, IterationOrder::Increasing)? {
        if scales::is_bookkeeping(&name) {
            continue;
        }
        let stored = location.attr(&name)?;
        let value = match (stored.dtype()?.to_descriptor()?, stored.is_scalar()) {
            (TypeDescriptor::VarLenUnicode, true) => {
                Attribute::Text(stored.read_scalar::<VarLenUnicode>()?.to_string())
            }
            (TypeDescriptor::Float(FloatSize::U8), true) => Attribute::Real(stored.read_scalar()?),
            (TypeDescriptor::Integer(_), true) => Attribute::Integer(stored.read_scalar()?),
            (TypeDescriptor::Float(FloatSize::U8), false) => Attribute::Reals(stored.read_raw()?),
            _ => continue,
        };
        attributes.push((name, value));
    }
    Ok(attributes)
}
