//! The runs of a scorecard: limited in time, and kept in a folder where one is given, so that what is finished
//! need not be made again.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::Solver;
use super::dataset::group_name;
use crate::error::{Error, Result};
use crate::methods::name::Method;
use crate::output::dataset::Dataset;
use crate::output::{FORMAT_VERSION, read, state, write};
use crate::problem::Loaded;
use crate::progress::{Event, Observer};
use crate::run::{Finished, commit};
use crate::solvers::krylov::Status;

/// Where finished runs are kept, and how long one may take.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Runs {
    /// Folder of the finished runs, `<problem>/<method>.h5`; none are kept where `None`.
    pub folder: Option<PathBuf>,
    /// Whether a run in the folder is taken instead of made again: one of the same text of the problem, the
    /// same resolution, method and build of the program. One that the limit of time has ended is taken only
    /// where the limit is not longer now.
    pub resume: bool,
    /// Longest duration of a run.
    pub time_limit: Option<Duration>,
}

/// How a run has ended.
#[derive(Debug)]
pub(super) enum End {
    /// Its last state.
    Converged(Box<Dataset>),
    /// Why there is no converged result.
    NotConverged(String),
    /// Ended by [`Runs::time_limit`].
    TimeLimit(String),
    /// The method or the problem does not allow the run.
    Refused(Error),
}

/// A run.
#[derive(Debug)]
pub(super) struct Run {
    pub end: End,
    /// \[s\]; `None` where it has not begun.
    pub wall_time_s: Option<f64>,
}

/// Attributes of a kept run that has no result.
const FAILURE: &str = "failure";
const TIME_LIMIT: &str = "time_limit_s";
/// Duration of a run, also in results.
const WALL_TIME: &str = "wall_time_s";

impl Runs {
    /// Solves `problem` by `method`, or takes the run that is kept.
    ///
    /// # Errors
    /// [`Error::Interrupted`]; [`Error::File`]: files that cannot be read or written. Other errors are an [`End`].
    pub(super) fn solve(
        &self,
        problem: &Loaded,
        method: Method,
        solver: &Solver,
        observer: &dyn Observer,
    ) -> Result<Run> {
        let path = self.path(problem, method);
        if let Some(kept) =
            path.as_deref().filter(|_| self.resume).and_then(|p| self.kept(p, problem, method))
        {
            tracing::info!(%method, "taken from an earlier run");
            return Ok(kept);
        }
        let limited = Limited::new(observer, self.time_limit);
        let started = Instant::now();
        let solved = solver(problem, method, &limited);
        let seconds = started.elapsed().as_secs_f64();
        let run = self.ended(solved, seconds, &limited, path.as_deref(), problem, method)?;
        tracing::info!(%method, seconds, outcome = run.end.name(), "run has ended");
        Ok(run)
    }

    /// Where the run is kept.
    fn path(&self, problem: &Loaded, method: Method) -> Option<PathBuf> {
        let name = problem.path.file_stem().unwrap_or(problem.path.as_os_str());
        let file = group_name(&method.to_string());
        Some(self.folder.as_ref()?.join(name).join(file).with_extension("h5"))
    }

    /// What has become of a run, which is kept at `path`.
    fn ended(
        &self,
        solved: Result<Finished>,
        seconds: f64,
        limited: &Limited,
        path: Option<&Path>,
        problem: &Loaded,
        method: Method,
    ) -> Result<Run> {
        let mut failure = Dataset::new();
        let end = match solved {
            Ok(Finished { status: Status::Converged, dataset, .. }) => {
                keep(path, &dataset)?;
                let wall_time_s = dataset.scalar(WALL_TIME).or(Some(seconds));
                return Ok(Run { end: End::Converged(Box::new(state(&dataset, None)?)), wall_time_s });
            }
            Ok(Finished { status: Status::Interrupted, .. }) | Err(Error::Interrupted) => {
                let Some(limit) = limited.exceeded() else { return Err(Error::Interrupted) };
                failure.attribute(TIME_LIMIT, limit.as_secs_f64());
                End::TimeLimit(format!("stopped after {} s, the time limit of a run", limit.as_secs_f64()))
            }
            Ok(Finished { status, .. }) => End::NotConverged(format!("status {}", status.name())),
            Err(error @ (Error::Problem(_) | Error::Field { .. })) => {
                return Ok(Run { end: End::Refused(error), wall_time_s: None });
            }
            Err(error @ Error::File { .. }) => return Err(error),
            Err(error) => End::NotConverged(error.to_string()),
        };
        if let End::NotConverged(why) | End::TimeLimit(why) = &end {
            failure
                .attribute(FAILURE, why.as_str())
                .attribute(WALL_TIME, seconds)
                .attribute("format_version", FORMAT_VERSION);
            identity(problem, method).into_iter().for_each(|(name, value)| {
                failure.attribute(name, value);
            });
            keep(path, &failure)?;
        }
        Ok(Run { end, wall_time_s: Some(seconds) })
    }

    /// The run at `path`, where it is one of `problem` and `method` by this build of the program.
    fn kept(&self, path: &Path, problem: &Loaded, method: Method) -> Option<Run> {
        let stored = read(path).ok()?;
        let same = |(name, value): (&str, String)| stored.text_attribute(name) == Some(value.as_str());
        if !identity(problem, method).into_iter().all(same) {
            return None;
        }
        let wall_time_s = stored.scalar(WALL_TIME);
        let Some(why) = stored.text_attribute(FAILURE) else {
            let end = End::Converged(Box::new(state(&stored, None).ok()?));
            return Some(Run { end, wall_time_s });
        };
        let end = match stored.scalar(TIME_LIMIT) {
            None => End::NotConverged(why.to_owned()),
            Some(limit) if self.time_limit.is_some_and(|now| now.as_secs_f64() <= limit) => {
                End::TimeLimit(why.to_owned())
            }
            Some(_) => return None,
        };
        Some(Run { end, wall_time_s })
    }
}

impl End {
    fn name(&self) -> &'static str {
        match self {
            Self::Converged(_) => "converged",
            Self::NotConverged(_) => "not converged",
            Self::TimeLimit(_) => "time limit",
            Self::Refused(_) => "refused",
        }
    }
}

/// What the run of a problem is told from other runs by.
fn identity(problem: &Loaded, method: Method) -> [(&'static str, String); 5] {
    [
        ("problem_hash", format!("{:016x}", problem.hash)),
        ("resolution", problem.resolution.name().to_owned()),
        ("method", method.to_string()),
        ("program_version", env!("CARGO_PKG_VERSION").to_owned()),
        ("commit", commit()),
    ]
}

/// Writes `data` to `path`, whose folder is made.
///
/// # Errors
/// [`Error::File`].
fn keep(path: Option<&Path>, data: &Dataset) -> Result<()> {
    let Some(path) = path else { return Ok(()) };
    let folder = path.parent().unwrap_or(path);
    let made = std::fs::create_dir_all(folder);
    made.map_err(|error| Error::file(folder, format!("cannot be made: {error}")))?;
    write(data, path)
}

/// Passes reports on, and asks to stop when the time is over.
struct Limited<'a> {
    observer: &'a dyn Observer,
    started: Instant,
    limit: Option<Duration>,
}

impl<'a> Limited<'a> {
    fn new(observer: &'a dyn Observer, limit: Option<Duration>) -> Self {
        Self { observer, started: Instant::now(), limit }
    }

    /// The limit, where it is over and it is not the user who has stopped the run.
    fn exceeded(&self) -> Option<Duration> {
        self.limit.filter(|limit| self.started.elapsed() >= *limit && !self.observer.stop_requested())
    }
}

impl Observer for Limited<'_> {
    fn report(&self, event: Event) {
        self.observer.report(event);
    }

    fn stop_requested(&self) -> bool {
        self.observer.stop_requested() || self.exceeded().is_some()
    }
}
