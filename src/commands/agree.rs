//! `tolman agree`: both methods on one problem.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::print::print;
use super::problem_args::{check_data_folder, path_and_value};
use super::run::available_memory;
use super::terminal::Terminal;
use crate::agree::{Agreement, agreements};
use crate::error::{Error, Result};
use crate::methods::characteristics;
use crate::output::dataset::Dataset;
use crate::output::{check_writable, read, write};
use crate::problem::Loaded;
use crate::problem::load::{LoadOptions, Resolution, load};
use crate::refine::ladder::Workplace;
use crate::refine::{Settings, refine};
use crate::run::{Resources, characteristics_at_samples, run_characteristics};

/// Solve a problem by both independent methods and hold their differences to the errors that they state.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    tolman agree problems/relativistic_star.ron\n  \
    tolman agree problems/homogeneous_sphere.ron --refined homogeneous_sphere.refined.h5\n  \
    tolman agree problems/pns_atmosphere.ron --tolerance 1e-4 --samples\n\n\
    Exit status: 0 all quantities agree within twice the sum of both errors at the share of points asked\n\
    for; 1 some do not; 2 invalid input; 130 interrupted.")]
pub struct Args {
    /// Problem file (steady state).
    #[arg(value_name = "PROBLEM.ron")]
    pub problem: PathBuf,
    /// Result of `tolman refine` on the same problem [default: refined here].
    #[arg(long, value_name = "FILE.h5")]
    pub refined: Option<PathBuf>,
    /// Relative tolerance of the method of characteristics.
    #[arg(long, value_name = "TOLERANCE", default_value = "1e-7")]
    pub tolerance: characteristics::Settings,
    /// Compare at the problem's sample radii only: rays serve single points, so that this is much faster.
    #[arg(long)]
    pub samples: bool,
    /// Share of the points of each quantity that has to agree: errors are estimates.
    #[arg(long, value_name = "SHARE", default_value_t = 0.95, value_parser = share)]
    pub share: f64,
    /// Write all agreements as JSON.
    #[arg(long)]
    pub json: bool,
    /// Write the solution along rays, with its errors, to a file.
    #[arg(long, short, value_name = "FILE.h5")]
    pub output: Option<PathBuf>,
    /// Replace a value of the file, e.g. `phase_space.mu.outward=20`; may be given several times.
    #[arg(long = "set", value_name = "PATH=VALUE", value_parser = path_and_value)]
    pub overrides: Vec<(String, String)>,
    /// Folder of external data, for paths that begin with `data:`.
    #[arg(long, value_name = "DIR", env = "TOLMAN_DATA")]
    pub data: Option<PathBuf>,
}

fn share(text: &str) -> std::result::Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("expected a number from 0 to 1".to_owned()),
    }
}

/// Solves twice and compares.
///
/// # Errors
/// Invalid input, a method without a solution, results on different grids.
pub fn execute(args: &Args) -> Result<ExitCode> {
    check_data_folder(args.data.as_deref())?;
    let options = LoadOptions {
        overrides: args.overrides.clone(),
        resolution: Resolution::Standard,
        data: args.data.clone(),
    };
    let mut problem = load(&args.problem, &options)?;
    // f is not compared, and rays would be traced for each of its values.
    problem.file.outputs.distribution = false;
    if let Some(path) = &args.output {
        check_writable(path)?;
    }
    let stored = args.refined.as_deref().map(|path| refined_before(path, &problem)).transpose()?;
    let terminal = Terminal::start();
    let solved = characteristics(&problem, args, &terminal).and_then(|rays| {
        if let Some(path) = &args.output {
            write(&rays, path)?;
        }
        Ok((stored.map_or_else(|| refined(&problem, &terminal), Ok)?, rays))
    });
    terminal.clear();
    let (refined, rays) = solved?;
    let samples = if args.samples { refined.get_group("samples") } else { None };
    let found = agreements(samples.as_ref().unwrap_or(&refined), &rays)?;
    let agree = found.iter().all(|agreement| agreement.share >= args.share);
    if args.json {
        let text = serde_json::to_string_pretty(&found);
        print(&(text.map_err(|e| Error::Numerical(format!("JSON: {e}")))? + "\n"))?;
    } else {
        print(&table(&problem, &found, args.share))?;
    }
    Ok(if agree { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn characteristics(problem: &Loaded, args: &Args, terminal: &Terminal) -> Result<Dataset> {
    if args.samples {
        return characteristics_at_samples(problem, &args.tolerance, terminal);
    }
    Ok(run_characteristics(problem, &args.tolerance, terminal)?.dataset)
}

/// The Boltzmann solution with errors, from a ladder of runs.
fn refined(problem: &Loaded, terminal: &Terminal) -> Result<Dataset> {
    let folder = tempfile::tempdir().map_err(|e| Error::Numerical(format!("temporary folder: {e}")))?;
    let workplace = Workplace { folder: folder.path().join("ladder") };
    let settings = Settings { finest: problem.file.resolutions.finest as f64, directions: None };
    let resources = Resources { memory: available_memory(), restart: None };
    Ok(refine(problem, &settings, &workplace, &resources, terminal)?.dataset)
}

/// The same from the file at `path`, which has to be of this problem.
fn refined_before(path: &Path, problem: &Loaded) -> Result<Dataset> {
    let stored = read(path)?;
    let hash = format!("{:016x}", problem.hash);
    if stored.text_attribute("problem_hash") == Some(hash.as_str()) {
        return Ok(stored);
    }
    Err(Error::file(path, format!("is of another problem than {}", problem.path.display())))
}

fn table(problem: &Loaded, found: &[Agreement], share: f64) -> String {
    let mut text = format!("{}\n\n", problem.file.title);
    text += &format!(
        "{:<9} {:<28} {:>14} {:>14} {:>9} {:>9} {:>7} {:>7}  where the difference is largest\n",
        "", "variable", "boltzmann", "rays", "diff.", "errors", "within", "largest"
    );
    for agreement in found {
        let worst = &agreement.worst;
        text += &format!(
            "{:<9} {:<28} {:>14.7e} {:>14.7e} {:>9.1e} {:>9.1e} {:>6.1}% {:>7.0e}  {} [{}]\n",
            if agreement.share >= share { "agree" } else { "DISAGREE" },
            worst.variable,
            worst.reference,
            worst.value,
            worst.difference,
            worst.allowed,
            100.0 * agreement.share,
            agreement.largest,
            worst.place,
            worst.units,
        );
    }
    text += "\nerrors: twice the sum of those that both methods state there; within: share of the points where\nthe \
             difference is at most that; largest: largest difference over the largest value\n";
    text
}
