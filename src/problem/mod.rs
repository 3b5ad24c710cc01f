//! From a RON file to something that can be solved.

pub mod expression;
pub mod file;
pub mod finite;
pub mod quantity;

use std::path::PathBuf;

use crate::units::UnitSystem;

/// An invalid problem file, with its place in the text.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[error("{message}")]
pub struct ProblemError {
    pub message: String,
}

/// What the parts of a problem need to know of each other while they are built.
#[derive(Debug, Clone)]
pub struct BuildContext {
    pub units: UnitSystem,
    /// Folder of the problem file: relative paths start here.
    pub folder: PathBuf,
    /// Folder of external data (`--data`, `TOLMAN_DATA`): paths that begin with `data:` start here.
    pub data: Option<PathBuf>,
}
