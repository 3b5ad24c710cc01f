//! Opening of HDF5 files that users name.

use std::path::{Path, PathBuf};

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

/// An HDF5 file whose datasets of numbers are checked while they are read.
#[derive(Debug)]
pub struct NumberFile {
    path: PathBuf,
    file: hdf5::File,
}

impl NumberFile {
    /// [`open`].
    ///
    /// # Errors
    /// Those of [`open`].
    pub fn open(path: &Path) -> Result<Self> {
        Ok(Self { path: path.to_owned(), file: open(path)? })
    }

    /// Whether there is a dataset of this name.
    pub fn has(&self, name: &str) -> bool {
        self.file.link_exists(name)
    }

    /// An error about a dataset.
    pub fn error(&self, dataset: &str, what: impl std::fmt::Display) -> Error {
        Error::file(&self.path, format!("dataset `{dataset}` {what}"))
    }

    /// The only number of `name`, at least `least`.
    ///
    /// # Errors
    /// No such dataset, more than one number, a smaller one.
    pub fn count(&self, name: &str, least: usize) -> Result<usize> {
        let value = self.values(name, &[1])?.first().copied().unwrap_or(f64::NAN);
        let count = value as usize;
        if count as f64 == value && count >= least {
            Ok(count)
        } else {
            Err(self.error(name, format!("is {value}; valid: a whole number of at least {least}")))
        }
    }

    /// All numbers of `name` in the file's order.
    ///
    /// # Errors
    /// No such dataset, another shape, numbers that are not finite (with their index), damage.
    pub fn values(&self, name: &str, shape: &[usize]) -> Result<Vec<f64>> {
        if !self.has(name) {
            return Err(Error::file(&self.path, format!("has no dataset `{name}`")));
        }
        let damaged = |error: hdf5::Error| self.error(name, format!("cannot be read: {error}"));
        let dataset = self.file.dataset(name).map_err(damaged)?;
        if dataset.shape() != shape {
            return Err(self.error(name, format!("has the shape {:?}; valid: {shape:?}", dataset.shape())));
        }
        let values = dataset.read_raw::<f64>().map_err(damaged)?;
        match values.iter().position(|value| !value.is_finite()) {
            Some(at) => Err(self.invalid(name, at, shape, values[at], "finite numbers")),
            None => Ok(values),
        }
    }

    /// As [`NumberFile::values`], all of which `good` accepts.
    ///
    /// # Errors
    /// Also numbers that are not `valid`, with their index.
    pub fn checked(
        &self,
        name: &str,
        shape: &[usize],
        good: impl Fn(f64) -> bool,
        valid: &str,
    ) -> Result<Vec<f64>> {
        let values = self.values(name, shape)?;
        match values.iter().position(|value| !good(*value)) {
            Some(at) => Err(self.invalid(name, at, shape, values[at], valid)),
            None => Ok(values),
        }
    }

    /// `count` increasing numbers that `good` accepts.
    ///
    /// # Errors
    /// Also numbers that do not increase, with their index.
    pub fn axis(
        &self,
        name: &str,
        count: usize,
        good: impl Fn(f64) -> bool,
        valid: &str,
    ) -> Result<Vec<f64>> {
        let values = self.checked(name, &[count], good, valid)?;
        match values.windows(2).position(|pair| pair[1] <= pair[0]) {
            Some(at) => Err(self.invalid(name, at + 1, &[count], values[at + 1], "increasing numbers")),
            None => Ok(values),
        }
    }

    fn invalid(&self, name: &str, at: usize, shape: &[usize], value: f64, valid: &str) -> Error {
        self.error(name, format!("has {value:e} at {}; valid: {valid}", index(at, shape)))
    }
}

/// `[i, j, …]` of the flat position `at` in an array of the given shape.
pub fn index(at: usize, shape: &[usize]) -> String {
    let mut rest = at;
    let mut digits: Vec<String> = shape
        .iter()
        .rev()
        .map(|&length| {
            let digit = rest % length.max(1);
            rest /= length.max(1);
            digit.to_string()
        })
        .collect();
    digits.reverse();
    format!("[{}]", digits.join(", "))
}
