//! `tolman show`: the summary of a result.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::print::print;
use crate::error::{Error, Result};
use crate::output::{read_where, state, summary};

/// Show the summary of a result: luminosities, energies, neutrinospheres, heating, balances.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  tolman show out.h5\n  tolman show evolution.h5 --time 0.01")]
pub struct Args {
    /// Output file of `tolman run`.
    #[arg(value_name = "OUT.h5")]
    pub file: PathBuf,
    /// Time to show, in the file's unit (s); the nearest stored one is taken [default: the last].
    #[arg(long, value_name = "TIME", allow_negative_numbers = true)]
    pub time: Option<f64>,
}

/// Prints the summary.
///
/// # Errors
/// The file cannot be read, has not the variables that the summary needs, or has no times.
pub fn execute(args: &Args) -> Result<ExitCode> {
    let dataset = read_where(&args.file, |name| summary::VARIABLES.contains(&name))?;
    let text = state(&dataset, args.time).and_then(|state| summary::summary(&state));
    print(&text.map_err(|error| in_file(&args.file, error))?)?;
    Ok(ExitCode::SUCCESS)
}

/// `error`, which is about the dataset of `file`, with the name of the file.
pub(super) fn in_file(file: &Path, error: Error) -> Error {
    match error {
        Error::Dataset { .. } | Error::Numerical(_) => Error::file(file, error.to_string()),
        other => other,
    }
}
