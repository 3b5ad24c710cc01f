//! `tolman run`: the main job.

use std::path::PathBuf;
use std::process::ExitCode;

use super::print::print;
use super::problem_args::ProblemArgs;
use super::terminal::Terminal;
use crate::criteria::Verdict;
use crate::error::{Error, Result};
use crate::methods::characteristics::Settings;
use crate::methods::name::Method;
use crate::output::{self, summary};
use crate::problem::Loaded;
use crate::problem::file::ModeFile;
use crate::run::{Finished, Resources, run, run_approximate, run_characteristics};
use crate::solvers::krylov::Status;

/// Solve a problem and write the result.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    tolman run problems/pns_atmosphere.ron\n  \
    tolman run problems/homogeneous_sphere.ron -o sphere.h5 --resolution fine\n  \
    tolman run problems/relativistic_star.ron --set background.metric.compactness=0.6\n  \
    tolman run problems/snapshot_nsy.ron --data ~/supernova-data\n  \
    tolman run problems/homogeneous_sphere.ron --method characteristics\n  \
    tolman run problems/homogeneous_sphere.ron --method m1:levermore -o m1.h5\n\n\
    Exit status: 0 converged and all criteria of the file met; 1 not converged, or a criterion failed;\n\
    2 invalid input or unusable file; 130 interrupted.")]
pub struct Args {
    #[command(flatten)]
    pub problem: ProblemArgs,
    /// Where the result goes [default: the problem's name with .h5, in the current folder].
    #[arg(short, long, value_name = "OUT.h5")]
    pub output: Option<PathBuf>,
    /// How the problem is solved: boltzmann; characteristics (formal solution along geodesics, steady states
    /// only, writes `<name>_error` beside each variable); or an approximate method, m1, fld or leakage,
    /// each with an optional variant as in m1:levermore.
    #[arg(long, default_value_t)]
    pub method: Method,
    #[arg(long, value_name = "TOLERANCE", help = tolerance_help())]
    pub tolerance: Option<Settings>,
    /// Go on from the last state of an earlier output of the same evolution.
    #[arg(long, value_name = "EARLIER.h5")]
    pub restart: Option<PathBuf>,
}

fn tolerance_help() -> String {
    format!("Relative tolerance of the method of characteristics [default: {}]", Settings::default())
}

/// Runs, writes and sums up.
///
/// # Errors
/// Invalid input, an output that cannot be written, no solution.
pub fn execute(args: &Args) -> Result<ExitCode> {
    let problem = args.problem.load()?;
    let path = args.output.clone().unwrap_or_else(|| default_output(&problem));
    output::check_writable(&path)?;
    check_options_of_methods(args)?;
    let resources = Resources { memory: available_memory(), restart: restart(args, &problem)? };
    let terminal = Terminal::start();
    let finished = match args.method {
        Method::Boltzmann => run(&problem, &resources, &terminal, &mut |series| output::write(series, &path)),
        Method::Characteristics => {
            run_characteristics(&problem, &args.tolerance.unwrap_or_default(), &terminal)
        }
        method => {
            let mut save = |series: &_| output::write(series, &path);
            run_approximate(&problem, method, &resources, &terminal, &mut save)
        }
    };
    terminal.clear();
    let finished = finished?;
    output::write(&finished.dataset, &path)?;
    tracing::info!("wrote {}", path.display());
    report(&finished)?;
    print(&format!("Result: {}\n", path.display()))?;
    Ok(exit_code(&finished))
}

/// An option that the method would not heed is refused.
fn check_options_of_methods(args: &Args) -> Result<()> {
    if args.method != Method::Boltzmann
        && let Some(path) = &args.restart
    {
        return Err(Error::file(path, "--restart goes with --method boltzmann only"));
    }
    if args.method != Method::Characteristics
        && let Some(tolerance) = args.tolerance
    {
        return Err(Error::field("--tolerance", tolerance, "only with --method characteristics"));
    }
    Ok(())
}

fn default_output(problem: &Loaded) -> PathBuf {
    let name = problem.path.file_stem().unwrap_or(problem.path.as_os_str());
    PathBuf::from(name).with_extension("h5")
}

fn restart(args: &Args, problem: &Loaded) -> Result<Option<output::dataset::Dataset>> {
    let Some(path) = &args.restart else { return Ok(None) };
    if matches!(problem.file.mode, ModeFile::SteadyState { .. }) {
        return Err(Error::file(path, "a steady state is not restarted: only an evolution goes on"));
    }
    Ok(Some(output::read(path)?))
}

/// Bytes that a run may take: what the system calls available, less a tenth; no limit where it does not
/// say.
pub(super) fn available_memory() -> u64 {
    let Ok(mut system) = sysinfo::System::new() else { return u64::MAX };
    system.refresh_memory();
    let free = system.available_memory();
    let available = system.cgroup_limits().map_or(free, |limits| limits.free_memory.min(free));
    available / 10 * 9
}

fn report(finished: &Finished) -> Result<()> {
    let last = output::state(&finished.dataset, None)?;
    print(&summary::summary(&last)?)?;
    if !finished.verdicts.is_empty() {
        print(&verdict_table(&finished.verdicts))?;
    }
    if finished.status != Status::Converged {
        print(&format!("NOT CONVERGED: status {}\n", finished.status.name()))?;
    }
    Ok(())
}

fn verdict_table(verdicts: &[Verdict]) -> String {
    let met = verdicts.iter().filter(|v| v.met()).count();
    let mut text = format!("\nCriteria of the problem file: {met} of {} met\n", verdicts.len());
    let width = verdicts.iter().map(|v| v.what.len()).max().unwrap_or(0);
    for verdict in verdicts {
        let mark = if verdict.met() { "ok    " } else { "FAILED" };
        text += &format!(
            "  {mark} {:width$}  {:.9e}  ({}; {:.2} of the allowed deviation)\n",
            verdict.what, verdict.value, verdict.expected, verdict.deviation
        );
    }
    text
}

fn exit_code(finished: &Finished) -> ExitCode {
    match finished.status {
        Status::Converged if finished.verdicts.iter().all(Verdict::met) => ExitCode::SUCCESS,
        Status::Interrupted => ExitCode::from(130),
        _ => ExitCode::FAILURE,
    }
}
