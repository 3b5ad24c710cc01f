//! `tolman compare`: another code's result against a reference.

use std::path::PathBuf;
use std::process::ExitCode;

use super::print::print;
use crate::compare::report::{html, json, table};
use crate::compare::{Request, Verdict, Weight, compare};
use crate::error::Result;
use crate::output::{check_writable, replace};

/// Compare another code's result with a reference: norms, worst points, significance, a report with plots.
#[derive(Debug, clap::Args)]
#[command(after_help = "OTHER is a result of tolman, a CSV file whose header has names and units\n\
    (r [km], luminosity_nue [1e52 erg/s], flux_factor_nue), or any CSV, blank-separated or HDF5 file that a\n\
    mapping file describes (docs/compare.md, docs/tutorial-compare.md).\n\n\
    Examples:\n  \
    tolman compare reference.h5 mine.csv --html report.html\n  \
    tolman compare reference.h5 mine.h5 --mapping map.ron --region 150km..500km --json report.json\n  \
    tolman compare reference.h5 mine.csv --tolerance luminosity_infinity=0.05 --tolerance '*=0.2'\n\n\
    Exit status: 0 compared, and every threshold met (or none given); 1 a threshold exceeded; 2 invalid input,\n\
    nothing that can be compared, or a threshold for what cannot be compared.")]
pub struct Args {
    /// Result of `tolman run`, or a reference solution with errors.
    #[arg(value_name = "REFERENCE")]
    pub reference: PathBuf,
    /// The result to compare.
    #[arg(value_name = "OTHER")]
    pub other: PathBuf,
    /// RON file that says what the columns or datasets of OTHER are.
    #[arg(long, value_name = "FILE.ron")]
    pub mapping: Option<PathBuf>,
    /// Time of the state to compare, of evolutions, in the file's unit (s) [default: the last].
    #[arg(long, value_name = "TIME", allow_negative_numbers = true)]
    pub time: Option<f64>,
    /// Only radii in this range, as in 150km..500km.
    #[arg(long, value_name = "INNER..OUTER", allow_hyphen_values = true)]
    pub region: Option<String>,
    /// How radii count in L1, L2 and the mean.
    #[arg(long, value_enum, default_value_t)]
    pub weight: Weight,
    /// A difference is significant beyond this many times the reference's error.
    #[arg(long, value_name = "FACTOR", default_value_t = 2.0, allow_negative_numbers = true)]
    pub factor: f64,
    /// Allowed largest difference, relative to the reference's largest value; * for all that is not named.
    #[arg(long, value_name = "NAME[:SPECIES]=VALUE")]
    pub tolerance: Vec<String>,
    /// RON file of thresholds by quantity, species, region and measure.
    #[arg(long, value_name = "FILE.ron")]
    pub thresholds: Option<PathBuf>,
    /// Writes the report as JSON.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Writes the report with plots as one HTML file.
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}

/// Compares, prints the table and writes the reports.
///
/// # Errors
/// See [`compare`]; a report cannot be written.
pub fn execute(args: &Args) -> Result<ExitCode> {
    for path in [&args.json, &args.html].into_iter().flatten() {
        check_writable(path)?;
    }
    let report = compare(&Request {
        reference: args.reference.clone(),
        other: args.other.clone(),
        mapping: args.mapping.clone(),
        time: args.time,
        region: args.region.clone(),
        weight: args.weight,
        factor: args.factor,
        tolerances: args.tolerance.clone(),
        thresholds: args.thresholds.clone(),
    })?;
    print(&table(&report))?;
    if let Some(path) = &args.json {
        replace(path, json(&report)?.as_bytes())?;
    }
    if let Some(path) = &args.html {
        replace(path, html(&report).as_bytes())?;
        print(&format!("Report: {}\n", path.display()))?;
    }
    Ok(match report.verdict {
        Verdict::Exceeded => ExitCode::FAILURE,
        Verdict::NoThresholds | Verdict::Met => ExitCode::SUCCESS,
    })
}
