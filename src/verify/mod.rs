//! Reruns problems at their own resolution and holds every number to its stored reference.
//!
//! A reference (docs/reference_solutions.md) has beside each variable `x` the numerical error of a run at
//! the problem's own resolution, `x_standard_error`, which contains the error of the reference itself. A
//! rerun passes where every value is within [`FACTOR`] times that error.

pub mod report;

use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::difference::{Check, checks, error_values};
use crate::error::{Error, Result};
use crate::output::dataset::Dataset;
use crate::output::read;
use crate::problem::external::needs_external_data;
use crate::problem::{LoadOptions, Loaded, Resolution, load};
use crate::progress::Observer;
use crate::run::{Resources, run};
use crate::solvers::krylov::Status;

/// Allowed difference in units of the stored error. The errors are estimates, good to this factor.
pub const FACTOR: f64 = 2.0;
/// Suffix of a variable's error at the problem's own resolution.
const ERROR: &str = "_standard_error";
/// In a fast verification: largest processor time [s] of a problem's stored run.
const FAST_PROBLEM: f64 = 12.0;

/// A problem and its reference.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    pub name: String,
    pub problem: PathBuf,
    pub reference: PathBuf,
}

/// What came out for one problem.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Every variable is within what is allowed.
    Passed,
    /// Some are not, or the run did not converge.
    Failed(String),
    /// External data are absent.
    Skipped(String),
    /// There is no usable pair of problem and reference.
    Invalid(String),
}

/// One problem's checks.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseReport {
    pub name: String,
    pub outcome: Outcome,
    /// The worst point of each variable, worst variable first.
    pub checks: Vec<Check>,
    pub seconds: f64,
}

/// Where the files are, and what is wanted of them.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    pub problems: PathBuf,
    pub references: PathBuf,
    /// Names without `.ron`; all where empty.
    pub names: Vec<String>,
    /// Only problems that are quick to rerun.
    pub fast: bool,
    pub data: Option<PathBuf>,
    /// Bytes of memory that a run may use.
    pub memory: u64,
}

/// Reruns what `plan` says, one problem after the other; `done` gets each report as it comes.
///
/// # Errors
/// A folder that cannot be read, a name that is neither a problem nor a reference;
/// [`Error::Interrupted`]. What is wrong with one problem is its [`Outcome`].
pub fn verify(
    plan: &Plan,
    observer: &dyn Observer,
    done: &mut dyn FnMut(&CaseReport) -> Result<()>,
) -> Result<Vec<CaseReport>> {
    let mut reports = Vec::new();
    for case in cases(plan)? {
        let Some(report) = case_report(&case, plan, observer)? else { continue };
        done(&report)?;
        reports.push(report);
    }
    Ok(reports)
}

/// The pairs asked for; an orphan on either side is a case too, and fails.
///
/// # Errors
/// See [`verify`].
pub fn cases(plan: &Plan) -> Result<Vec<Case>> {
    let mut names = stems(&plan.problems, "ron")?;
    names.extend(stems(&plan.references, "h5")?);
    names.sort();
    names.dedup();
    if let Some(unknown) = plan.names.iter().find(|name| !names.contains(name)) {
        let what = format!("has no problem {unknown}; there are: {}", names.join(", "));
        return Err(Error::file(&plan.problems, what));
    }
    names.retain(|name| plan.names.is_empty() || plan.names.contains(name));
    let case = |name: String| Case {
        problem: plan.problems.join(format!("{name}.ron")),
        reference: plan.references.join(format!("{name}.h5")),
        name,
    };
    Ok(names.into_iter().map(case).collect())
}

/// Names without extension of the files in `folder` with the extension `extension`.
fn stems(folder: &Path, extension: &str) -> Result<Vec<String>> {
    let unreadable = |e: std::io::Error| Error::file(folder, format!("the folder cannot be read: {e}"));
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|e| e == extension) {
            names.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
        }
    }
    Ok(names)
}

/// The report of `case`; `None` where it is too slow for a fast verification.
fn case_report(case: &Case, plan: &Plan, observer: &dyn Observer) -> Result<Option<CaseReport>> {
    let started = Instant::now();
    let report = |outcome, checks| {
        let seconds = started.elapsed().as_secs_f64();
        Ok(Some(CaseReport { name: case.name.clone(), outcome, checks, seconds }))
    };
    let (problem, reference) = match pair(case, plan) {
        Ok(pair) => pair,
        Err(error) => return report(Outcome::Invalid(error.to_string()), Vec::new()),
    };
    if plan.fast && processor_time(&reference).is_none_or(|seconds| seconds > FAST_PROBLEM) {
        return Ok(None);
    }
    if plan.data.is_none() && needs_external_data(&problem.file) {
        let why = "its data are external: --data DIR or TOLMAN_DATA".to_owned();
        return report(Outcome::Skipped(why), Vec::new());
    }
    match rerun(&problem, &reference, plan, observer) {
        Ok((outcome, checks)) => report(outcome, checks),
        Err(Error::Interrupted) => Err(Error::Interrupted),
        Err(error @ Error::Numerical(_)) => report(Outcome::Failed(error.to_string()), Vec::new()),
        Err(error) => report(Outcome::Invalid(error.to_string()), Vec::new()),
    }
}

/// The problem and its reference, which must have been made from it.
fn pair(case: &Case, plan: &Plan) -> Result<(Loaded, Dataset)> {
    if !case.problem.is_file() {
        return Err(Error::file(&case.reference, format!("there is no problem {}", case.problem.display())));
    }
    let options =
        LoadOptions { overrides: Vec::new(), resolution: Resolution::Standard, data: plan.data.clone() };
    let problem = load(&case.problem, &options)?;
    if !case.reference.is_file() {
        let what = format!("has no reference {}; `tolman refine --store` makes it", case.reference.display());
        return Err(Error::file(&case.problem, what));
    }
    let reference = read(&case.reference)?;
    let hash = format!("{:016x}", problem.hash);
    match reference.text_attribute("problem_hash") {
        Some(stored) if stored == hash => Ok((problem, reference)),
        stored => Err(Error::file(
            &case.reference,
            format!(
                "was made from another text of {} (problem_hash {}, now {hash}); `tolman refine --store` \
                 makes it anew",
                case.problem.display(),
                stored.unwrap_or("missing")
            ),
        )),
    }
}

/// Processor time of the stored run at the problem's own resolution.
fn processor_time(reference: &Dataset) -> Option<f64> {
    Some(reference.scalar("standard_wall_time_s")? * reference.scalar("threads")?)
}

fn rerun(
    problem: &Loaded,
    reference: &Dataset,
    plan: &Plan,
    observer: &dyn Observer,
) -> Result<(Outcome, Vec<Check>)> {
    let resources = Resources { memory: plan.memory, restart: None };
    let finished = run(problem, &resources, observer, &mut |_| Ok(()))?;
    if finished.status == Status::Interrupted {
        return Err(Error::Interrupted);
    }
    let allowed = |_: &Dataset, reference: &Dataset, name: &str| {
        let errors = error_values(reference, &format!("{name}{ERROR}"))?;
        Some(errors.iter().map(|error| FACTOR * error).collect())
    };
    let checks = checks(&finished.dataset, reference, &allowed)?;
    let beyond = checks.iter().filter(|check| !check.met()).count();
    let outcome = match finished.status {
        Status::Converged if beyond == 0 => Outcome::Passed,
        Status::Converged => Outcome::Failed(format!("{beyond} of {} variables differ", checks.len())),
        status => Outcome::Failed(format!("the run did not converge: {}", status.name())),
    };
    Ok((outcome, checks))
}
