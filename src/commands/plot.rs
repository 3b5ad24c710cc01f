//! `tolman plot`: figures of a result.

use std::path::PathBuf;
use std::process::ExitCode;

use super::print::print;
use super::show::in_file;
use crate::error::{Error, Result};
use crate::output::{read_where, state};
use crate::plot::{Format, Quantity, figures};

/// Draw figures of a result.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  tolman plot out.h5\n  \
    tolman plot out.h5 --out figures --format png\n  \
    tolman plot evolution.h5 --quantity luminosity,spectra --time 0.01")]
pub struct Args {
    /// Output file of `tolman run`.
    #[arg(value_name = "OUT.h5")]
    pub file: PathBuf,
    /// Folder for the figures [default: the name of OUT.h5 with `_figures`].
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// File formats.
    #[arg(long, value_enum, value_delimiter = ',', default_values = ["png", "svg"])]
    pub format: Vec<Format>,
    /// What to draw [default: all that the result has].
    #[arg(long, value_enum, value_delimiter = ',')]
    pub quantity: Vec<Quantity>,
    /// Time to draw, in the file's unit (s); the nearest stored one is taken [default: the last].
    #[arg(long, value_name = "TIME", allow_negative_numbers = true)]
    pub time: Option<f64>,
}

/// Draws the figures and prints the names of their files.
///
/// # Errors
/// The file cannot be read, has not what is asked for, or the figures cannot be written.
pub fn execute(args: &Args) -> Result<ExitCode> {
    let mut quantities =
        if args.quantity.is_empty() { Quantity::ALL.to_vec() } else { args.quantity.clone() };
    let needed = |name: &str| {
        ["samples", "gain_radius"].contains(&name) || quantities.iter().any(|q| q.variables().contains(&name))
    };
    let dataset = read_where(&args.file, needed)?;
    let state = state(&dataset, args.time).map_err(|error| in_file(&args.file, error))?;
    if args.quantity.is_empty() {
        quantities.retain(|quantity| quantity.is_in(&state));
    }
    if quantities.is_empty() {
        return Err(Error::file(&args.file, "has no variables that can be drawn"));
    }
    let folder = args.out.clone().unwrap_or_else(|| beside(&args.file));
    for quantity in quantities {
        for figure in figures(&state, quantity).map_err(|error| in_file(&args.file, error))? {
            for &format in &args.format {
                print(&format!("{}\n", figure.save(&folder, format)?.display()))?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn beside(file: &std::path::Path) -> PathBuf {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    file.with_file_name(format!("{stem}_figures"))
}
