//! Opening of HDF5 files that users name.

use std::path::Path;

use hdf5::MinorErrorCode;

use crate::error::{Error, Result};

/// Opens the HDF5 file at `path` for reading.
///
/// # Errors
/// [`Error::File`]: it does not exist or is not readable, is a folder, is not HDF5, is truncated.
pub fn open(path: &Path) -> Result<hdf5::File> {
    let found = std::fs::metadata(path).map_err(|e| Error::file(path, format!("cannot be read: {e}")))?;
    if found.is_dir() {
        return Err(Error::file(path, "is a folder, not a file"));
    }
    std::fs::File::open(path).map_err(|e| Error::file(path, format!("cannot be read: {e}")))?;
    hdf5::File::open(path).map_err(|e| unreadable(path, &e))
}

fn unreadable(path: &Path, error: &hdf5::Error) -> Error {
    let what = if error.contains_minor(MinorErrorCode::NotHdf5) {
        "is not an HDF5 file".to_owned()
    } else if error.contains_minor(MinorErrorCode::Truncated) {
        "is truncated: it ends before the length that it states".to_owned()
    } else {
        format!("is truncated or damaged: {error}")
    };
    Error::file(path, what)
}
