//! What can be said against a problem file before anything is built from it.

use super::file::ProblemFile;
use crate::error::{Error, Result};

/// Checks `file`; the error is an [`Error::Field`].
pub fn validate(file: &ProblemFile) -> Result<()> {
    if file.format != 1 {
        return Err(Error::field("format", file.format, "1, the version that this program reads"));
    }
    Ok(())
}
