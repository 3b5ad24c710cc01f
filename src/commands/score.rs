//! `tolman score`: approximate schemes against the reference.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use super::print::print;
use super::problem_args::ChangeArgs;
use super::run::available_memory;
use super::terminal::Terminal;
use crate::error::{Error, Result};
use crate::methods::name::Method;
use crate::methods::{characteristics, leakage};
use crate::output::{check_writable, replace, write};
use crate::problem::{Loaded, load};
use crate::progress::Observer;
use crate::run::{Finished, Resources, run, run_approximate, run_characteristics, run_leakage};
use crate::score::matrix::{self, Matrix, matrix};
use crate::score::{Runs, Score, Settings, Source, dataset, methods, report, score, table};

/// Solve a problem by the reference and by approximate schemes, and score their errors.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Every scheme is solved on the background, opacities, species and boundaries of the problem,\n\
    so that what differs is the scheme's own error (docs/score.md).\n\n\
    Examples:\n  \
    tolman score problems/pns_atmosphere.ron\n  \
    tolman score problems/homogeneous_sphere.ron --methods m1:minerbo,m1:levermore --refine\n  \
    tolman score problems/pns_atmosphere.ron --methods all --radius 200km --format json\n  \
    tolman score problems/oven.ron --reference oven.refined.h5 -o oven.h5 --html oven.html\n  \
    tolman score --all --resolution coarse\n  \
    tolman score --all --resume --time-limit 600\n\n\
    Exit status: 0 every scheme that can treat the problem has converged; 1 a run did not converge; 2 invalid\n\
    input (with --all a problem file), or no scheme can treat the problem; 130 interrupted."
)]
pub struct Args {
    /// Problem file.
    #[arg(value_name = "PROBLEM.ron", required_unless_present = "all", conflicts_with = "all")]
    pub problem: Option<PathBuf>,
    /// All problems of the folder whose data are there, as a matrix of methods and problems.
    #[arg(long, conflicts_with_all = ["reference", "refine", "radius"])]
    pub all: bool,
    /// Folder of the problem files, for --all.
    #[arg(long, value_name = "DIR", default_value = "problems")]
    pub problems: PathBuf,
    /// Schemes, such as m1 or m1:levermore, or `all` [default: the usual ones of each family].
    #[arg(long, value_name = "METHOD,...", value_delimiter = ',')]
    pub methods: Vec<String>,
    /// Result of `tolman run` or `tolman refine` on the same problem [default: solved here].
    #[arg(long, value_name = "FILE.h5", conflicts_with = "refine")]
    pub reference: Option<PathBuf>,
    /// Estimate the reference's own errors by a ladder of runs.
    #[arg(long)]
    pub refine: bool,
    /// Folder of stored references, whose errors are those of the reference that is solved here.
    #[arg(long, value_name = "DIR", default_value = "reference_solutions")]
    pub references: PathBuf,
    /// Longest duration of a run in s; what takes longer has no numbers [default: none; 120 with --all].
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    pub time_limit: Option<f64>,
    /// Take the finished runs of an earlier `score --all` of this program instead of making them again.
    #[arg(long, requires = "all")]
    pub resume: bool,
    /// Factor f_heat of the heating of leakage:oconnor_ott, 0 or more.
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, allow_negative_numbers = true)]
    #[arg(conflicts_with = "resume")]
    pub heating_factor: f64,
    /// Radius of the single values, as in 200km [default: the outer edge].
    #[arg(long, value_name = "RADIUS", allow_hyphen_values = true)]
    pub radius: Option<String>,
    /// A difference is significant beyond this many times the reference's error.
    #[arg(long, value_name = "FACTOR", default_value_t = 2.0, allow_negative_numbers = true)]
    pub factor: f64,
    #[command(flatten)]
    pub changes: ChangeArgs,
    /// Results and scores [default: the problem's name with _score.h5; scores.h5 with --all].
    #[arg(short, long, value_name = "OUT.h5")]
    pub output: Option<PathBuf>,
    /// Report with plots [default: as the output, with .html].
    #[arg(long, value_name = "OUT.html")]
    pub html: Option<PathBuf>,
    /// Form of what is printed.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// Longest duration of a run with --all, where none is asked for [s].
const TIME_LIMIT: f64 = 120.0;

/// Form of what is printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// A table for people.
    #[default]
    Text,
    Json,
}

/// Solves, scores, writes and reports.
///
/// # Errors
/// See [`score()`] and [`matrix()`]; an output that cannot be written.
pub fn execute(args: &Args) -> Result<ExitCode> {
    let settings = settings(args)?;
    match &args.problem {
        Some(path) => one(args, &settings, path),
        None => all(args, &settings),
    }
}

fn settings(args: &Args) -> Result<Settings> {
    if !(args.heating_factor.is_finite() && args.heating_factor >= 0.0) {
        return Err(Error::field("--heating-factor", args.heating_factor, "a number that is not negative"));
    }
    let source = match &args.reference {
        Some(path) => Source::File(path.clone()),
        None if args.refine => Source::Refined,
        None => Source::Run { references: args.references.clone() },
    };
    Ok(Settings {
        methods: methods(&args.methods)?,
        source,
        radius: args.radius.clone(),
        factor: args.factor,
        memory: available_memory(),
        runs: Runs { folder: None, resume: args.resume, time_limit: time_limit(args)? },
    })
}

/// Longest duration of a run.
fn time_limit(args: &Args) -> Result<Option<Duration>> {
    let seconds = args.time_limit.or(args.all.then_some(TIME_LIMIT));
    let Some(seconds) = seconds else { return Ok(None) };
    match Duration::try_from_secs_f64(seconds) {
        Ok(limit) if !limit.is_zero() => Ok(Some(limit)),
        _ => Err(Error::field("--time-limit", seconds, "a positive number of seconds")),
    }
}

fn one(args: &Args, settings: &Settings, path: &Path) -> Result<ExitCode> {
    let mut problem = load(path, &args.changes.options()?)?;
    // No score needs f, which is most of a file.
    problem.file.outputs.distribution = false;
    let stem = path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy();
    let (output, page) = outputs(args, &format!("{stem}_score"))?;
    let terminal = Terminal::start();
    let solver = |problem: &Loaded, method: Method, observer: &dyn Observer| {
        solve(args, problem, method, settings.memory, observer)
    };
    let found = score(&problem, settings, &solver, &terminal);
    terminal.clear();
    let found = found?;
    write(&dataset::dataset(&found), &output)?;
    replace(&page, report::html(&found).as_bytes())?;
    print(&match args.format {
        Format::Text => table::table(&found) + &written(&output, &page),
        Format::Json => table::json(&found)?,
    })?;
    Ok(exit_code(&found))
}

fn all(args: &Args, settings: &Settings) -> Result<ExitCode> {
    let (output, page) = outputs(args, "scores")?;
    let options = args.changes.options()?;
    let terminal = Terminal::start();
    let solver = |problem: &Loaded, method: Method, observer: &dyn Observer| {
        solve(args, problem, method, settings.memory, observer)
    };
    // Runs are kept one by one, and the matrix after each problem: an interruption loses the run it stops.
    let stem = page.file_stem().unwrap_or(page.as_os_str()).to_string_lossy();
    let folder = page.with_file_name(format!("{stem}_cards"));
    let mut settings = settings.clone();
    settings.runs.folder = Some(folder.join("runs"));
    make_folder(&folder)?;
    let link = |problem: &str| {
        let own = folder.join(problem).with_extension("html");
        own.is_file().then(|| format!("{stem}_cards/{problem}.html"))
    };
    let mut save = |found: &Matrix, last: Option<&Score>| {
        if let Some(score) = last {
            replace(&folder.join(&score.problem).with_extension("html"), report::html(score).as_bytes())?;
            replace(&folder.join(&score.problem).with_extension("json"), table::json(score)?.as_bytes())?;
        }
        write(&matrix::dataset(found), &output)?;
        replace(&page, matrix::html(found, &link).as_bytes())
    };
    let found = matrix(&args.problems, &options, &settings, &solver, &terminal, &mut save);
    if matches!(found, Err(Error::Interrupted)) {
        tracing::warn!("finished runs are in {}: --resume goes on from there", folder.display());
    }
    terminal.clear();
    let found = found?;
    print(&match args.format {
        Format::Text => {
            matrix::table(&found) + &written(&output, &page) + &format!("Scorecards: {}\n", folder.display())
        }
        Format::Json => matrix::json(&found)?,
    })?;
    Ok(match (found.has_invalid(), found.all_converged()) {
        (true, _) => ExitCode::from(2),
        (false, false) => ExitCode::FAILURE,
        (false, true) => ExitCode::SUCCESS,
    })
}

/// Makes the folder of the scorecards.
fn make_folder(folder: &Path) -> Result<()> {
    let made = std::fs::create_dir_all(folder);
    made.map_err(|error| Error::file(folder, format!("cannot be made: {error}")))
}

/// Where results and report go; both can be written.
fn outputs(args: &Args, name: &str) -> Result<(PathBuf, PathBuf)> {
    let output = args.output.clone().unwrap_or_else(|| PathBuf::from(format!("{name}.h5")));
    let page = args.html.clone().unwrap_or_else(|| output.with_extension("html"));
    if output == page {
        return Err(Error::file(&page, "results and report go to the same file (-o, --html)"));
    }
    check_writable(&output)?;
    check_writable(&page)?;
    Ok((output, page))
}

fn written(output: &Path, page: &Path) -> String {
    format!("\nResults: {}\nReport: {}\n", output.display(), page.display())
}

/// Solves `problem` by any method.
fn solve(
    args: &Args,
    problem: &Loaded,
    method: Method,
    memory: u64,
    observer: &dyn Observer,
) -> Result<Finished> {
    let resources = Resources { memory, restart: None };
    let mut save = |_: &_| Ok(());
    match method {
        Method::Boltzmann => run(problem, &resources, observer, &mut save),
        Method::Characteristics => {
            run_characteristics(problem, &characteristics::Settings::default(), observer)
        }
        Method::Leakage(scheme) => {
            let settings = leakage::Settings { heating_factor: args.heating_factor };
            run_leakage(problem, scheme, settings)
        }
        method => run_approximate(problem, method, &resources, observer, &mut save),
    }
}

fn exit_code(score: &Score) -> ExitCode {
    match (score.all_converged(), score.has_scores()) {
        (false, _) => ExitCode::FAILURE,
        (true, false) => ExitCode::from(2),
        (true, true) => ExitCode::SUCCESS,
    }
}
