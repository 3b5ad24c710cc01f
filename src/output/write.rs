//! From a dataset in memory to a file.
//!
//! The HDF5 file is made in memory and then written at once (see [`replace`]), so that what the system
//! says about a full disk or a forbidden folder reaches the user.

use std::collections::HashMap;
use std::ffi::c_void;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use hdf5::plist::file_create::{AttrCreationOrder, LinkCreationOrder};
use hdf5::types::VarLenUnicode;
use hdf5::{Extent, Extents, Group, H5Type, Location};
use hdf5_sys::h5f::H5Fget_file_image;
use ndarray::ArrayView1;

use super::dataset::{Attribute, Dataset, Values, Variable};
use super::replace::replace;
use super::{FORMAT_VERSION, VERSION_ATTRIBUTE, scales};
use crate::error::{Error, Result};

/// Variables of at least this many bytes are compressed: below, the bookkeeping outweighs the gain.
const COMPRESSED_FROM: usize = 1 << 16;
/// Larger variables are written as they are: f of a large run has noisy digits, and a tenth of its size
/// would cost seconds.
const COMPRESSED_TO: usize = 1 << 24;
/// Largest chunk: what is read and decompressed together.
const CHUNK_BYTES: usize = 1 << 20;

/// Writes `dataset` to `path`, which is replaced if it exists; a symbolic link stays and its file is
/// replaced. Equal datasets give equal bytes.
///
/// The attribute `format_version` is added where the dataset does not have it.
///
/// # Errors
/// What [`Dataset::validate`] finds; [`Error::File`] when the folder does not exist or is not writable
/// or the disk is full, or where `path` is a folder or a device. `path` is then as it was before.
pub fn write(dataset: &Dataset, path: &Path) -> Result<()> {
    dataset.validate()?;
    check_version(dataset, path)?;
    let image = image(dataset).map_err(|e| Error::file(path, format!("cannot be written as HDF5: {e}")))?;
    replace(path, &image)
}

fn check_version(dataset: &Dataset, path: &Path) -> Result<()> {
    match dataset.get_attribute(VERSION_ATTRIBUTE) {
        None | Some(Attribute::Integer(FORMAT_VERSION)) => Ok(()),
        Some(other) => {
            let what = format!("{VERSION_ATTRIBUTE} is {other:?}; this program writes {FORMAT_VERSION}");
            Err(Error::file(path, what))
        }
    }
}

/// The bytes of the HDF5 file.
fn image(dataset: &Dataset) -> hdf5::Result<Vec<u8>> {
    in_memory(payload(dataset).clamp(1 << 16, 1 << 26), |file| {
        if dataset.get_attribute(VERSION_ATTRIBUTE).is_none() {
            write_attribute(file, VERSION_ATTRIBUTE, &Attribute::Integer(FORMAT_VERSION))?;
        }
        write_group(dataset, file, &HashMap::new(), &mut 0)
    })
}

/// The bytes of an HDF5 file that `fill` writes; its memory grows in steps of `increment` bytes.
pub(crate) fn in_memory(
    increment: usize,
    fill: impl FnOnce(&hdf5::File) -> hdf5::Result<()>,
) -> hdf5::Result<Vec<u8>> {
    // The library takes two files in memory with one name for the same file.
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let name = format!("tolman-{}", COUNT.fetch_add(1, Ordering::Relaxed));
    let file = hdf5::File::with_options()
        .with_fapl(|access| access.core_options(increment, false).libver_v18())
        .with_fcpl(|create| {
            create
                .obj_track_times(false)
                .link_creation_order(LinkCreationOrder::Indexed)
                .attr_creation_order(AttrCreationOrder::Indexed)
        })
        .create(&name)?;
    fill(&file)?;
    file.flush()?;
    file_image(&file)
}

/// Bytes of all values.
fn payload(dataset: &Dataset) -> usize {
    let own: usize = dataset.variables.iter().map(|v| 8 * v.values.len()).sum();
    own + dataset.groups.iter().map(|(_, group)| payload(group)).sum::<usize>()
}

fn file_image(file: &hdf5::File) -> hdf5::Result<Vec<u8>> {
    hdf5::sync::sync(|| {
        // SAFETY: the file is open and `sync` holds the library's lock; a null buffer asks for the size.
        let size = unsafe { H5Fget_file_image(file.id(), std::ptr::null_mut(), 0) };
        let Ok(size) = usize::try_from(size) else {
            return Err(hdf5::Error::query()?);
        };
        let mut bytes = vec![0_u8; size];
        // SAFETY: as above, and the buffer has the length that is passed.
        let got = unsafe { H5Fget_file_image(file.id(), bytes.as_mut_ptr().cast::<c_void>(), size) };
        if usize::try_from(got) == Ok(size) { Ok(bytes) } else { Err(hdf5::Error::query()?) }
    })
}

/// A dimension that variables of a group can have: its scale, and what decides how they are stored.
#[derive(Clone)]
struct Dimension {
    scale: hdf5::Dataset,
    length: usize,
    unlimited: bool,
}

fn write_group(
    dataset: &Dataset,
    group: &Group,
    inherited: &HashMap<String, Dimension>,
    order: &mut i32,
) -> hdf5::Result<()> {
    for (name, attribute) in &dataset.attributes {
        write_attribute(group, name, attribute)?;
    }
    let mut dimensions = inherited.clone();
    for (name, length, unlimited) in &dataset.dimensions {
        let scale = write_scale(dataset, group, name, (*length, *unlimited))?;
        scales::set(&scale.1, &scale.0, *order)?;
        *order += 1;
        let dimension = Dimension { scale: scale.1, length: *length, unlimited: *unlimited };
        dimensions.insert(name.clone(), dimension);
    }
    for variable in dataset.variables.iter().filter(|v| !v.is_coordinate()) {
        let axes: Vec<_> = variable.dimensions.iter().filter_map(|name| dimensions.get(name)).collect();
        let extents: Vec<_> = axes.iter().map(|d| (d.length, d.unlimited)).collect();
        let written = write_variable(group, variable, &extents)?;
        for (axis, dimension) in axes.iter().enumerate() {
            scales::attach(&written, &dimension.scale, axis)?;
        }
    }
    for (name, content) in &dataset.groups {
        let inner = group
            .create_group_builder()
            .obj_track_times(false)
            .with_gcpl(|create| {
                create
                    .link_creation_order(LinkCreationOrder::Indexed)
                    .attr_creation_order(AttrCreationOrder::Indexed)
            })
            .create(name.as_str())?;
        write_group(content, &inner, &dimensions, order)?;
    }
    Ok(())
}

/// Writes the HDF5 dataset that stands for a dimension: its coordinate variable, or one without values.
/// Returns the name of the scale and the dataset.
fn write_scale(
    dataset: &Dataset,
    group: &Group,
    name: &str,
    extent: (usize, bool),
) -> hdf5::Result<(String, hdf5::Dataset)> {
    if let Some(variable) = dataset.variables.iter().find(|v| v.is_coordinate() && v.name == name) {
        return Ok((name.to_owned(), write_variable(group, variable, &[extent])?));
    }
    let scale = create::<f32>(group, name, &[extent])?;
    Ok((scales::name_without_coordinate(extent.0), scale))
}

fn write_variable(
    group: &Group,
    variable: &Variable,
    extents: &[(usize, bool)],
) -> hdf5::Result<hdf5::Dataset> {
    let written = match &variable.values {
        Values::Real(values) => {
            let written = create::<f64>(group, &variable.name, extents)?;
            written.write_raw(ArrayView1::from(values))?;
            written
        }
        Values::Text(values) => {
            let written = create::<VarLenUnicode>(group, &variable.name, extents)?;
            let texts = values.iter().map(|t| text(t)).collect::<hdf5::Result<Vec<_>>>()?;
            written.write_raw(ArrayView1::from(&texts))?;
            written
        }
    };
    for (name, value) in [("units", &variable.units), ("long_name", &variable.long_name)] {
        if !value.is_empty() {
            write_attribute(&written, name, &Attribute::Text(value.clone()))?;
        }
    }
    for (name, attribute) in &variable.attributes {
        write_attribute(&written, name, attribute)?;
    }
    Ok(written)
}

fn create<T: H5Type>(group: &Group, name: &str, extents: &[(usize, bool)]) -> hdf5::Result<hdf5::Dataset> {
    let entries: usize = extents.iter().map(|e| e.0).product();
    let compressed = (COMPRESSED_FROM..COMPRESSED_TO).contains(&(entries * size_of::<T>()));
    let mut builder = group
        .new_dataset_builder()
        .with_dcpl(|create| create.attr_creation_order(AttrCreationOrder::Indexed));
    if !extents.is_empty() && (compressed || extents.iter().any(|e| e.1)) {
        builder = builder.chunk(chunk(extents, size_of::<T>()));
    }
    if compressed {
        // Level 1 takes most of what can be gained from numbers with noisy last digits.
        builder = builder.shuffle().deflate(1);
    }
    builder.empty::<T>().shape(file_extents(extents)).create(name)
}

fn file_extents(extents: &[(usize, bool)]) -> Extents {
    if extents.is_empty() {
        return Extents::scalar();
    }
    let extent = |&(length, unlimited): &(usize, bool)| Extent::new(length, (!unlimited).then_some(length));
    Extents::simple(extents.iter().map(extent).collect::<Vec<_>>())
}

/// Shape of a chunk: one entry of unlimited dimensions if there are others, then halved from the
/// first dimension on until it has at most [`CHUNK_BYTES`].
fn chunk(extents: &[(usize, bool)], item: usize) -> Vec<usize> {
    let only_unlimited = extents.iter().all(|e| e.1);
    let mut shape: Vec<usize> = extents
        .iter()
        .map(|&(length, unlimited)| if unlimited && !only_unlimited { 1 } else { length })
        .collect();
    for axis in 0..shape.len() {
        while shape[axis] > 1 && shape.iter().product::<usize>() * item > CHUNK_BYTES {
            shape[axis] = shape[axis].div_ceil(2);
        }
    }
    shape
}

fn write_attribute(location: &Location, name: &str, attribute: &Attribute) -> hdf5::Result<()> {
    match attribute {
        Attribute::Text(value) => {
            location.new_attr::<VarLenUnicode>().create(name)?.write_scalar(&text(value)?)
        }
        Attribute::Real(value) => location.new_attr::<f64>().create(name)?.write_scalar(value),
        Attribute::Integer(value) => location.new_attr::<i64>().create(name)?.write_scalar(value),
        Attribute::Reals(values) => {
            let created = location.new_attr::<f64>().shape(values.len()).create(name)?;
            if values.is_empty() { Ok(()) } else { created.write_raw(ArrayView1::from(values)) }
        }
    }
}

fn text(value: &str) -> hdf5::Result<VarLenUnicode> {
    value.parse().map_err(|e: hdf5::types::StringError| hdf5::Error::Internal(e.to_string()))
}
