//! RON files other than problems, read as strictly and with errors that are located in the same way.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::error::Complaint;
use super::{read, syntax};
use crate::error::{Error, Result};

/// A RON file and what it says.
#[derive(Debug, Clone)]
pub struct RonFile<T> {
    pub path: PathBuf,
    pub text: String,
    pub value: T,
}

impl<T: DeserializeOwned> RonFile<T> {
    /// Reads the file at `path` by the schema `T`.
    ///
    /// # Errors
    /// [`Error::File`] where it cannot be read; [`Error::Problem`], with line and column, where it is not
    /// RON or does not follow the schema.
    pub fn open(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Error::file(path, format!("cannot be read: {error}")))?;
        let value = read::read(&text).map_err(|complaint| complaint.in_file(path, &text))?;
        Ok(Self { path: path.to_owned(), text, value })
    }
}

impl<T> RonFile<T> {
    /// Adds file, line and column to an [`Error::Field`]; other errors stay as they are.
    pub fn locate(&self, error: Error) -> Error {
        let Error::Field { path, found, valid } = error else { return error };
        let place = syntax::parse(&self.text).ok().zip(syntax::parse_path(&path));
        let span = place.map_or(0..0, |(tree, steps)| tree.deepest(&steps).0.span.clone());
        let what = format!("found {found}; valid: {valid}");
        Complaint { path, span, what, help: None }.in_file(&self.path, &self.text)
    }
}
