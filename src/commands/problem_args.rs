//! Options of the commands that read a problem file.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::problem::Loaded;
use crate::problem::load::{LoadOptions, Resolution, load};

/// A problem file and what the command line changes in it.
#[derive(Debug, Clone, clap::Args)]
pub struct ProblemArgs {
    /// Problem file.
    #[arg(value_name = "PROBLEM.ron")]
    pub problem: PathBuf,
    #[command(flatten)]
    pub changes: ChangeArgs,
}

/// What the command line changes in problem files.
#[derive(Debug, Clone, clap::Args)]
pub struct ChangeArgs {
    /// Number of elements relative to the file's.
    #[arg(long, value_enum, default_value_t)]
    pub resolution: Resolution,
    /// Replace a value of the file, e.g. `phase_space.mu.outward=20`; may be given several times.
    #[arg(long = "set", value_name = "PATH=VALUE", value_parser = path_and_value)]
    pub overrides: Vec<(String, String)>,
    /// Folder of external data, for paths that begin with `data:`.
    #[arg(long, value_name = "DIR", env = "TOLMAN_DATA")]
    pub data: Option<PathBuf>,
}

impl ProblemArgs {
    /// Reads and validates the file.
    ///
    /// # Errors
    /// See [`load`].
    pub fn load(&self) -> Result<Loaded> {
        load(&self.problem, &self.changes.options()?)
    }
}

impl ChangeArgs {
    /// What is to be changed.
    ///
    /// # Errors
    /// The folder of external data is none.
    pub fn options(&self) -> Result<LoadOptions> {
        check_data_folder(self.data.as_deref())?;
        Ok(LoadOptions {
            overrides: self.overrides.clone(),
            resolution: self.resolution,
            data: self.data.clone(),
        })
    }
}

/// Whether the folder of external data, where one is given, is there.
///
/// # Errors
/// [`Error::File`] where it is not.
pub(super) fn check_data_folder(data: Option<&Path>) -> Result<()> {
    match data {
        Some(data) if !data.is_dir() => Err(Error::file(data, "is no folder (--data, TOLMAN_DATA)")),
        _ => Ok(()),
    }
}

/// `PATH=VALUE` of `--set`.
pub(super) fn path_and_value(text: &str) -> std::result::Result<(String, String), String> {
    let (path, value) = text.split_once('=').ok_or("expected PATH=VALUE")?;
    Ok((path.trim().to_owned(), value.trim().to_owned()))
}
