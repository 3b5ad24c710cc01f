//! The errors that the library returns. Nothing in the library prints or exits: the commands do.

use std::path::PathBuf;

/// What went wrong, in a form that a command can show to a person.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[non_exhaustive]
pub enum Error {
    /// The problem file cannot be read or says something invalid; shown with its place in the text.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Problem(#[from] Box<crate::problem::ProblemError>),

    /// A value of a problem is invalid. [`crate::problem::load()`] turns it into [`Error::Problem`] by
    /// adding file, line and column.
    #[error("{path}: found {found}; valid: {valid}")]
    Field { path: String, found: String, valid: String },

    /// A data file (profile, opacity table, output file, checkpoint) cannot be used.
    #[error("{}: {what}", file.display())]
    File { file: PathBuf, what: String },

    /// A result in memory lacks what is asked of it or contradicts itself: which variable, and how.
    #[error("{variable}: {what}")]
    Dataset { variable: String, what: String },

    /// The method cannot give an answer (singular factor, non-finite value, memory beyond the machine).
    #[error("{0}")]
    Numerical(String),

    /// The run was stopped by the user.
    #[error("interrupted")]
    Interrupted,
}

/// Result of the library's fallible functions.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An invalid value at the field `path` of the problem file (e.g. `background.metric.compactness`).
    pub fn field(path: impl Into<String>, found: impl ToString, valid: impl Into<String>) -> Self {
        Self::Field { path: path.into(), found: found.to_string(), valid: valid.into() }
    }

    /// An unusable data file.
    pub fn file(file: impl Into<PathBuf>, what: impl Into<String>) -> Self {
        Self::File { file: file.into(), what: what.into() }
    }

    /// A variable of a [`crate::output::dataset::Dataset`] that is missing or wrong.
    pub fn dataset(variable: impl Into<String>, what: impl Into<String>) -> Self {
        Self::Dataset { variable: variable.into(), what: what.into() }
    }
}
