//! HDF5 dimension scales, which give the axes of a variable their names (and netCDF its dimensions).

use std::ffi::{CString, c_char, c_uint};

use hdf5::types::{FixedAscii, VarLenArray};
use hdf5::{Location, ObjectReference1, ReferencedObject};
use hdf5_sys::h5::herr_t;
use hdf5_sys::h5i::hid_t;

// The dimension-scale part of the HDF5 high-level library, which hdf5-sys links but does not declare.
unsafe extern "C" {
    fn H5DSset_scale(dsid: hid_t, dimname: *const c_char) -> herr_t;
    fn H5DSattach_scale(did: hid_t, dsid: hid_t, idx: c_uint) -> herr_t;
}

/// Attribute with which netCDF keeps the order of dimensions.
const DIMENSION_ORDER: &str = "_Netcdf4Dimid";
/// How netCDF marks a dimension without coordinate values; the length follows.
const WITHOUT_COORDINATE: &str = "This is a netCDF dimension but not a netCDF variable.";
/// Attributes that belong to the layout rather than to the content.
const BOOKKEEPING: [&str; 6] =
    ["CLASS", "NAME", "DIMENSION_LIST", "REFERENCE_LIST", DIMENSION_ORDER, "_NCProperties"];

/// The scale's name that says that `length` entries have no coordinate values.
pub fn name_without_coordinate(length: usize) -> String {
    format!("{WITHOUT_COORDINATE} {length:>10}")
}

/// Turns `dataset` into the dimension scale of the dimension `name`, the `order`-th of the file.
pub fn set(dataset: &hdf5::Dataset, name: &str, order: i32) -> hdf5::Result<()> {
    let c_name = CString::new(name).map_err(|e| hdf5::Error::Internal(e.to_string()))?;
    // SAFETY: the identifier is that of an open dataset, the name is NUL-terminated and outlives the
    // call, and `sync` holds the library's lock.
    let status = hdf5::sync::sync(|| unsafe { H5DSset_scale(dataset.id(), c_name.as_ptr()) });
    check(status)?;
    dataset.new_attr::<i32>().create(DIMENSION_ORDER)?.write_scalar(&order)
}

/// Makes `scale` the dimension of `dataset`'s axis `axis`.
pub fn attach(dataset: &hdf5::Dataset, scale: &hdf5::Dataset, axis: usize) -> hdf5::Result<()> {
    let axis = c_uint::try_from(axis).map_err(|e| hdf5::Error::Internal(e.to_string()))?;
    // SAFETY: both identifiers are those of open datasets, and `sync` holds the library's lock.
    check(hdf5::sync::sync(|| unsafe { H5DSattach_scale(dataset.id(), scale.id(), axis) }))
}

fn check(status: herr_t) -> hdf5::Result<()> {
    if status >= 0 { Ok(()) } else { Err(hdf5::Error::query()?) }
}

/// Place of `dataset` among the dimensions of the file, where it is a dimension scale.
pub fn order(dataset: &hdf5::Dataset) -> Option<i32> {
    dataset.attr(DIMENSION_ORDER).ok()?.read_scalar().ok()
}

/// True where `dataset` only stands for a dimension and holds no values.
pub fn is_without_coordinate(dataset: &hdf5::Dataset) -> bool {
    let name = dataset.attr("NAME").and_then(|attribute| attribute.read_scalar::<FixedAscii<80>>());
    name.is_ok_and(|name| name.starts_with(WITHOUT_COORDINATE))
}

/// Names of the dimensions of `dataset`, which may be those of an outer group.
pub fn dimensions(dataset: &hdf5::Dataset, own_name: &str) -> hdf5::Result<Vec<String>> {
    if dataset.ndim() == 0 {
        return Ok(Vec::new());
    }
    if order(dataset).is_some() {
        return Ok(vec![own_name.to_owned()]);
    }
    let attached = dataset.attr("DIMENSION_LIST")?.read_raw::<VarLenArray<ObjectReference1>>()?;
    attached.iter().map(|scales| referenced_name(dataset, scales)).collect()
}

fn referenced_name(dataset: &Location, scales: &[ObjectReference1]) -> hdf5::Result<String> {
    let first = scales.first().ok_or("an axis without dimension")?;
    match dataset.dereference(first)? {
        ReferencedObject::Dataset(scale) => {
            let path = scale.name();
            Ok(path.rsplit('/').next().unwrap_or(&path).to_owned())
        }
        _ => Err("an axis whose dimension is not a dataset".into()),
    }
}

/// True for attributes that the HDF5 and netCDF libraries keep for themselves.
pub fn is_bookkeeping(attribute: &str) -> bool {
    BOOKKEEPING.contains(&attribute)
}
