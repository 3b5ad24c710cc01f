//! From a RON file to something that can be solved.

mod error;
pub mod expression;
pub mod external;
pub mod file;
pub mod finite;
pub mod folder;
pub mod load;
pub mod overrides;
pub mod quantity;
mod read;
pub mod ron_file;
pub mod size;
pub mod syntax;
pub mod validate;
pub mod variables;

use std::path::PathBuf;

pub use self::error::ProblemError;
pub use self::load::{LoadOptions, Loaded, Resolution, load};

use crate::error::{Error, Result};
use crate::units::UnitSystem;

/// What the parts of a problem need to know of each other while they are built.
#[derive(Debug, Clone)]
pub struct BuildContext {
    pub units: UnitSystem,
    /// Folder of the problem file: relative paths start here.
    pub folder: PathBuf,
    /// Folder of external data (`--data`, `TOLMAN_DATA`): paths that begin with `data:` start here.
    pub data: Option<PathBuf>,
}

impl BuildContext {
    /// Where the data file `name` of the problem is; `path` is the field that names it.
    ///
    /// Errors where `name` begins with `data:` and no data folder is known.
    pub fn data_file(&self, name: &str, path: &str) -> Result<PathBuf> {
        match (name.strip_prefix("data:"), &self.data) {
            (None, _) => Ok(self.folder.join(name)),
            (Some(below), Some(data)) => Ok(data.join(below)),
            (Some(_), None) => Err(Error::field(
                path,
                format!("\"{name}\" without a data folder"),
                "a data folder given by --data DIR or the environment variable TOLMAN_DATA",
            )),
        }
    }
}
