//! `tolman refine`: the errors of a result, and reference files.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::print::print;
use super::problem_args::check_data_folder;
use super::run::available_memory;
use super::terminal::Terminal;
use crate::criteria::{self, Verdict};
use crate::error::{Error, Result};
use crate::output;
use crate::problem::Loaded;
use crate::problem::load::{LoadOptions, Resolution, load};
use crate::refine::ladder::{Direction, Workplace};
use crate::refine::store::{Provenance, check_fit, store};
use crate::refine::{Refined, Settings, refine, report};
use crate::run::{Resources, commit};

/// Estimate the numerical error of every number by refining each direction by itself.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    tolman refine problems/homogeneous_sphere.ron\n  \
    tolman refine my.ron -o my.h5 --finest 4 --directions r,mu\n  \
    tolman refine --store problems/*.ron\n  \
    tolman refine --store problems/oven.ron --reason \"reflecting edge corrected\"\n\n\
    Finished runs are kept beside the output (OUT.ladder) until all are done, and taken from there when the\n\
    same command is given again.\n\n\
    Exit status: 0 done; 1 a run did not converge or a criterion of the problem failed; 2 invalid input;\n\
    130 interrupted.")]
pub struct Args {
    /// Problem files; several only with --store.
    #[arg(value_name = "PROBLEM.ron", required = true)]
    pub problems: Vec<PathBuf>,
    /// Replace a value of the file, e.g. `phase_space.mu.outward=20`; may be given several times.
    #[arg(long = "set", value_name = "PATH=VALUE", value_parser = super::problem_args::path_and_value)]
    pub overrides: Vec<(String, String)>,
    /// Folder of external data, for paths that begin with `data:`.
    #[arg(long, value_name = "DIR", env = "TOLMAN_DATA")]
    pub data: Option<PathBuf>,
    /// Where the result goes [default: the problem's name with .refined.h5, in the current folder].
    #[arg(short, long, value_name = "OUT.h5", conflicts_with = "store")]
    pub output: Option<PathBuf>,
    /// Elements of the finest run relative to the problem's: 2, 4 or 8; 1: twice as fine in one direction at a time
    /// only, for large problems [default: the problem's `resolutions.finest`].
    #[arg(long, value_name = "FACTOR", value_parser = finest)]
    pub finest: Option<usize>,
    /// Directions to refine [default: all].
    #[arg(long, value_enum, value_delimiter = ',', conflicts_with = "store")]
    pub directions: Option<Vec<Direction>>,
    /// Keep the finished runs of the ladder.
    #[arg(long)]
    pub keep: bool,
    /// Write a reference file for `tolman verify` instead.
    #[arg(long)]
    pub store: bool,
    /// Why the values of a reference change.
    #[arg(long, value_name = "TEXT", requires = "store")]
    pub reason: Option<String>,
    /// Folder of the references.
    #[arg(long, value_name = "DIR", default_value = "reference_solutions")]
    pub references: PathBuf,
}

fn finest(text: &str) -> std::result::Result<usize, String> {
    match text.parse() {
        Ok(factor @ (1 | 2 | 4 | 8)) => Ok(factor),
        _ => Err("expected 1, 2, 4 or 8".to_owned()),
    }
}

/// Refines, writes and sums up.
///
/// # Errors
/// Invalid input, a run without a solution, an output that cannot be written.
pub fn execute(args: &Args) -> Result<ExitCode> {
    if args.problems.len() > 1 && !args.store {
        return Err(Error::field("PROBLEM.ron", args.problems.len(), "one problem, or --store"));
    }
    let mut all_met = true;
    for path in &args.problems {
        all_met &= one(args, path)?;
    }
    Ok(if all_met { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// One problem; whether its criteria are met.
fn one(args: &Args, path: &Path) -> Result<bool> {
    let problem = loaded(args, path)?;
    let provenance = provenance(args);
    let output = output_path(args, &problem);
    output::check_writable(&output)?;
    if args.store {
        check_fit(&problem, &[], &provenance)?;
        if output.exists() && args.reason.is_none() {
            return Err(Error::file(&output, "exists: --reason \"...\" has to say why its values change"));
        }
    }
    let workplace = Workplace::beside(&output);
    let refined = run_ladder(args, &problem, &workplace)?;
    let verdicts = criteria::check(&problem, &refined.dataset)?;
    print(&format!("{}\n\n{}", problem.file.title, report::table(&refined)?))?;
    print_failures(&verdicts)?;
    let met = verdicts.iter().all(Verdict::met);
    if args.store {
        store(&problem, &refined, &verdicts, &provenance, &args.references)?;
    } else {
        output::write(&refined.dataset, &output)?;
    }
    if !args.keep {
        workplace.clear()?;
    }
    print(&format!("Result: {}\n\n", output.display()))?;
    Ok(met)
}

fn run_ladder(args: &Args, problem: &Loaded, workplace: &Workplace) -> Result<Refined> {
    let finest = args.finest.unwrap_or(problem.file.resolutions.finest) as f64;
    let settings = Settings { finest, directions: args.directions.clone() };
    let resources = Resources { memory: available_memory(), restart: None };
    let terminal = Terminal::start();
    let refined = refine(problem, &settings, workplace, &resources, &terminal);
    terminal.clear();
    refined
}

fn print_failures(verdicts: &[Verdict]) -> Result<()> {
    for verdict in verdicts.iter().filter(|verdict| !verdict.met()) {
        print(&format!("criterion FAILED: {} = {:e} ({})\n", verdict.what, verdict.value, verdict.expected))?;
    }
    Ok(())
}

fn loaded(args: &Args, path: &Path) -> Result<Loaded> {
    check_data_folder(args.data.as_deref())?;
    let options = LoadOptions {
        overrides: args.overrides.clone(),
        resolution: Resolution::Standard,
        data: args.data.clone(),
    };
    load(path, &options)
}

fn output_path(args: &Args, problem: &Loaded) -> PathBuf {
    let name = problem.path.file_stem().unwrap_or(problem.path.as_os_str());
    match &args.output {
        _ if args.store => args.references.join(name).with_extension("h5"),
        Some(path) => path.clone(),
        None => PathBuf::from(name).with_extension("refined.h5"),
    }
}

fn provenance(args: &Args) -> Provenance {
    let mut command = vec!["tolman".to_owned()];
    command.extend(std::env::args().skip(1));
    Provenance {
        command: command.join(" "),
        commit: commit(),
        date: chrono::Utc::now().format("%Y-%m-%dT%H:%M:%SZ").to_string(),
        reason: args.reason.clone(),
    }
}
