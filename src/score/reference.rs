//! The reference of a scorecard, with its own errors where they are known.

use std::path::{Path, PathBuf};

use super::runs::End;
use super::{Settings, Solver};
use crate::compare::checked;
use crate::error::{Error, Result};
use crate::methods::name::Method;
use crate::output::dataset::{Dataset, Variable};
use crate::output::{read, state};
use crate::problem::Loaded;
use crate::progress::Observer;
use crate::refine::ladder::Workplace;
use crate::refine::{self, ERROR, STANDARD_ERROR, refine};
use crate::run::Resources;

/// Where the reference is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A run of the Boltzmann method; its errors from the file of the same name in this folder
    /// (docs/reference_solutions.md), where that is of the same problem.
    Run { references: PathBuf },
    /// A result of `tolman run` or `tolman refine`.
    File(PathBuf),
    /// A ladder of runs.
    Refined,
}

/// A reference.
pub(super) struct Found {
    /// Stands for it in messages.
    pub path: PathBuf,
    /// The last state.
    pub data: Dataset,
    pub source: String,
    /// Where its errors are from.
    pub errors: String,
    /// Duration of the run at the problem's own resolution, or of that of the file [s].
    pub wall_time_s: Option<f64>,
}

/// What is said where a reference has no errors.
const NOT_STATED: &str = "not stated";

/// Solves or reads the reference of `problem`.
///
/// # Errors
/// [`Error::File`]: a file that is damaged, not converged or of another problem; [`Error::Numerical`]: a run
/// that does not converge; [`Error::Interrupted`].
pub(super) fn solve(
    problem: &Loaded,
    settings: &Settings,
    solver: &Solver,
    observer: &dyn Observer,
) -> Result<Found> {
    let mut found = match &settings.source {
        Source::Run { references } => run(problem, references, settings, solver, observer)?,
        Source::File(path) => open(problem, path)?,
        Source::Refined => refined(problem, settings.memory, observer)?,
    };
    // No score needs it, and it is most of a file.
    drop_distribution(&mut found.data);
    Ok(found)
}

/// Removes f and its errors, also from groups.
fn drop_distribution(data: &mut Dataset) {
    data.variables.retain(|variable| !["f", "f_error", "f_standard_error"].contains(&variable.name.as_str()));
    data.groups.iter_mut().for_each(|(_, group)| drop_distribution(group));
}

fn run(
    problem: &Loaded,
    references: &Path,
    settings: &Settings,
    solver: &Solver,
    observer: &dyn Observer,
) -> Result<Found> {
    let run = settings.runs.solve(problem, Method::Boltzmann, solver, observer)?;
    let data = match run.end {
        End::Converged(data) => *data,
        End::Refused(error) => return Err(error),
        End::NotConverged(why) | End::TimeLimit(why) => {
            let what = format!("{}: the reference did not converge: {why}", problem.path.display());
            return Err(Error::Numerical(what));
        }
    };
    let path = PathBuf::from("reference");
    let mut data = checked(data, &path)?;
    let errors = add_stored_errors(&mut data, problem, references)?;
    let source = format!("tolman run, {} resolution", problem.resolution.name());
    Ok(Found { path, data, source, errors, wall_time_s: run.wall_time_s })
}

fn hash(problem: &Loaded) -> String {
    format!("{:016x}", problem.hash)
}

/// Adds to a run at the problem's own resolution the errors that its stored reference states for such runs;
/// where they are from, or why there are none.
///
/// # Errors
/// The stored reference is damaged.
fn add_stored_errors(data: &mut Dataset, problem: &Loaded, folder: &Path) -> Result<String> {
    let name = problem.path.file_stem().unwrap_or(problem.path.as_os_str());
    let path = folder.join(name).with_extension("h5");
    if !path.is_file() {
        return Ok(NOT_STATED.to_owned());
    }
    let stored = read(&path)?;
    let is = |name: &str, value: &str| stored.text_attribute(name) == Some(value);
    if !(is("problem_hash", &hash(problem)) && is("resolution", problem.resolution.name())) {
        return Ok(format!("{NOT_STATED} ({} is of another problem or resolution)", path.display()));
    }
    let stored = state(&stored, None)?;
    let errors: Vec<Variable> =
        data.variables.iter().filter_map(|variable| error_of(&stored, variable)).collect();
    let scalars: Vec<(String, f64)> = data
        .attributes
        .iter()
        .filter_map(|(name, _)| Some((name.clone(), stored.scalar(&format!("{name}{STANDARD_ERROR}"))?)))
        .collect();
    data.variables.extend(errors);
    for (name, error) in scalars {
        data.attribute(&format!("{name}{ERROR}"), error);
    }
    Ok(format!("{} (errors of a run at this resolution)", path.display()))
}

/// The stored error of a run's `variable`, where it is over the same dimensions.
fn error_of(stored: &Dataset, variable: &Variable) -> Option<Variable> {
    let error = stored.get(&format!("{}{STANDARD_ERROR}", variable.name))?;
    let same = error.dimensions == variable.dimensions && error.values.len() == variable.values.len();
    same.then(|| Variable { name: format!("{}{ERROR}", variable.name), ..error.clone() })
}

fn open(problem: &Loaded, path: &Path) -> Result<Found> {
    let stored = read(path)?;
    if stored.text_attribute("problem_hash") != Some(hash(problem).as_str()) {
        return Err(Error::file(path, format!("is of another problem than {}", problem.path.display())));
    }
    let data = checked(state(&stored, None)?, path)?;
    let has_errors = data.variables.iter().any(|variable| variable.name.ends_with(ERROR));
    let errors = if has_errors { path.display().to_string() } else { NOT_STATED.to_owned() };
    let wall_time_s = data.scalar("standard_wall_time_s").or_else(|| data.scalar("wall_time_s"));
    Ok(Found { path: path.to_owned(), data, source: path.display().to_string(), errors, wall_time_s })
}

fn refined(problem: &Loaded, memory: u64, observer: &dyn Observer) -> Result<Found> {
    let folder = tempfile::tempdir().map_err(|e| Error::Numerical(format!("temporary folder: {e}")))?;
    let workplace = Workplace { folder: folder.path().join("ladder") };
    let settings = refine::Settings { finest: problem.file.resolutions.finest as f64, directions: None };
    let resources = Resources { memory, restart: None };
    let refined = refine(problem, &settings, &workplace, &resources, observer)?;
    let path = PathBuf::from("reference");
    let data = checked(state(&refined.dataset, None)?, &path)?;
    let (source, errors) = ("tolman refine".to_owned(), "tolman refine".to_owned());
    Ok(Found { path, data, source, errors, wall_time_s: refined.standard.scalar("wall_time_s") })
}
