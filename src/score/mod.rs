//! Approximate schemes scored against the reference on one problem (docs/score.md).
//!
//! The reference and every scheme are solved on the same background, opacities, species and boundaries; each
//! quantity then gets the scheme's error and, beside it, the reference's own.

pub mod closures;
pub mod dataset;
mod figures;
pub mod matrix;
mod quantities;
mod reference;
pub mod report;
mod runs;
pub mod table;

use std::path::{Path, PathBuf};

use serde::Serialize;

pub use self::closures::Closures;
pub use self::quantities::{Cell, Measure, Row, Scored};
pub use self::reference::Source;
pub use self::runs::Runs;

use self::quantities::{Candidate, gain_region, rows};
use self::runs::End;
use crate::compare::{Comparison, Reference, Skipped, checked, compare_results};
use crate::error::{Error, Result};
use crate::methods::name::Method;
use crate::output::dataset::Dataset;
use crate::problem::Loaded;
use crate::progress::{Event, Observer};
use crate::run::Finished;

/// How a problem is solved by a method: the functions of [`crate::run`] with the caller's resources. The observer
/// is the one that the run has to report to and be stopped by.
pub type Solver<'a> = dyn Fn(&Loaded, Method, &dyn Observer) -> Result<Finished> + 'a;

/// What is scored how.
#[derive(Debug, Clone)]
pub struct Settings {
    pub methods: Vec<Method>,
    /// Where the reference and its errors are from.
    pub source: Source,
    /// Radius of the values "at R", with a unit in physical problems; the outer edge where `None`.
    pub radius: Option<String>,
    /// A difference is significant beyond this many times the reference's error.
    pub factor: f64,
    /// Bytes of memory that a run may use.
    pub memory: u64,
    /// Where runs are kept, and their limit of time.
    pub runs: Runs,
}

/// What became of a scheme.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Outcome {
    Scored,
    /// The scheme cannot treat the problem: why.
    CannotTreat(String),
    /// It can, but there is no converged result: why.
    NotConverged(String),
    /// Its run was stopped by the limit of time.
    TimeLimit(String),
}

impl Outcome {
    /// Why there are no numbers.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Scored => None,
            Self::CannotTreat(why) | Self::NotConverged(why) | Self::TimeLimit(why) => Some(why),
        }
    }

    /// What stands in a table.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Scored => "converged",
            Self::CannotTreat(_) => "cannot treat the problem",
            Self::NotConverged(_) => "NOT CONVERGED",
            Self::TimeLimit(_) => "TIME LIMIT",
        }
    }

    /// The reason in a few words, for a cell.
    pub fn short(&self) -> &str {
        match self {
            Self::Scored => "converged",
            Self::CannotTreat(_) => "cannot treat",
            Self::NotConverged(why) => why.strip_prefix("status ").unwrap_or("failed"),
            Self::TimeLimit(_) => "time limit",
        }
    }

    fn is_converged(&self) -> bool {
        !matches!(self, Self::NotConverged(_) | Self::TimeLimit(_))
    }
}

/// A scheme and its run.
#[derive(Debug, Clone, Serialize)]
pub struct Scheme {
    pub method: String,
    pub outcome: Outcome,
    /// Duration of its run \[s\].
    pub wall_time_s: Option<f64>,
    /// The duration over that of the reference's run.
    pub cost: Option<f64>,
    /// Its last state.
    #[serde(skip)]
    pub data: Option<Dataset>,
    #[serde(skip)]
    comparisons: Vec<Comparison>,
}

/// The scorecard of a problem.
#[derive(Debug, Clone, Serialize)]
pub struct Score {
    pub program_version: String,
    pub problem: String,
    pub title: String,
    pub problem_hash: String,
    /// Where the reference is from.
    pub reference: String,
    /// Where its errors are from.
    pub reference_errors: String,
    pub reference_wall_time_s: Option<f64>,
    /// Radius of the values "at R", in `length_unit`.
    pub radius: f64,
    pub length_unit: String,
    /// Radii of the norms "in the gain region".
    pub gain_region: Option<(f64, f64)>,
    pub significance_factor: f64,
    pub schemes: Vec<Scheme>,
    pub rows: Vec<Row>,
    /// The closures on the reference's own moments, or why they cannot be tested on them.
    pub closures: std::result::Result<Closures, String>,
    /// Quantities of the list that the reference does not have.
    pub not_in_reference: Vec<String>,
    /// The reference's last state.
    #[serde(skip)]
    pub reference_data: Dataset,
}

/// A scheme's result beside its comparison with the reference.
struct Solved {
    data: Dataset,
    comparisons: Vec<Comparison>,
    skipped: Vec<Skipped>,
}

/// Reads names of methods, `all` being every approximate one; the usual ones where there are none.
///
/// # Errors
/// A name that is no method's; the message lists those that there are.
pub fn methods(names: &[String]) -> Result<Vec<Method>> {
    let mut methods = Vec::new();
    for name in names.iter().map(|name| name.trim()) {
        match name {
            "all" => methods.extend(Method::all_approximate()),
            name => methods.push(name.parse().map_err(|_| unknown_method(name))?),
        }
    }
    if names.is_empty() {
        methods = Method::default_approximate();
    }
    let mut seen = std::collections::HashSet::new();
    methods.retain(|method| seen.insert(*method));
    Ok(methods)
}

fn unknown_method(name: &str) -> Error {
    Error::field("--methods", format!("\"{name}\""), format!("all, {}", Method::names()))
}

/// Solves `problem` by the reference and by every scheme, and scores them.
///
/// # Errors
/// An invalid problem; a reference that cannot be used or does not converge; a radius outside of it;
/// [`Error::Interrupted`]. What is wrong with one scheme is its [`Outcome`].
pub fn score(
    problem: &Loaded,
    settings: &Settings,
    solver: &Solver,
    observer: &dyn Observer,
) -> Result<Score> {
    if !(settings.factor.is_finite() && settings.factor > 0.0) {
        return Err(Error::field("--factor", settings.factor, "a positive number"));
    }
    let count = settings.methods.len() + 1;
    let problem_name = problem.path.file_stem().unwrap_or(problem.path.as_os_str()).to_string_lossy();
    let what = |method: &str| format!("{problem_name}, {method}");
    observer.report(Event::Run { index: 0, count, what: &what("reference") });
    let found = reference::solve(problem, settings, solver, observer)?;
    let reference = Reference::new(&found.path, found.data.clone(), Vec::new())?;
    let (mut schemes, mut results) = (Vec::new(), Vec::new());
    for (index, &method) in settings.methods.iter().enumerate() {
        observer.report(Event::Run { index: index + 1, count, what: &what(&method.to_string()) });
        let (mut scheme, solved) = run_scheme(problem, method, settings, solver, &reference, observer)?;
        scheme.cost = ratio(scheme.wall_time_s, found.wall_time_s).filter(|_| scheme.data.is_some());
        schemes.push(scheme);
        results.push(solved);
    }
    assemble(problem, settings, found, &reference, schemes, &results)
}

fn ratio(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    Some(a? / b?).filter(|ratio| ratio.is_finite())
}

/// Solves `problem` by `method` and compares it with `reference`.
///
/// # Errors
/// [`Error::Interrupted`]; files that cannot be read.
fn run_scheme(
    problem: &Loaded,
    method: Method,
    settings: &Settings,
    solver: &Solver,
    reference: &Reference,
    observer: &dyn Observer,
) -> Result<(Scheme, Option<Solved>)> {
    let run = settings.runs.solve(problem, method, solver, observer)?;
    let (outcome, solved) = match run.end {
        End::Converged(data) => match compared(*data, method, reference, settings.factor) {
            Ok(solved) => (Outcome::Scored, Some(solved)),
            Err(error) => (Outcome::NotConverged(error.to_string()), None),
        },
        End::NotConverged(why) => (Outcome::NotConverged(why), None),
        End::TimeLimit(why) => (Outcome::TimeLimit(why), None),
        End::Refused(error) => (Outcome::CannotTreat(error.to_string()), None),
    };
    let data = solved.as_ref().map(|solved| solved.data.clone());
    let comparisons = solved.as_ref().map_or_else(Vec::new, |solved| solved.comparisons.clone());
    let (method, wall_time_s) = (method.to_string(), run.wall_time_s);
    Ok((Scheme { method, outcome, wall_time_s, cost: None, data, comparisons }, solved))
}

/// A scheme's result with its comparison.
///
/// # Errors
/// Values that are not finite; nothing that the reference has too.
fn compared(data: Dataset, method: Method, reference: &Reference, factor: f64) -> Result<Solved> {
    let name = PathBuf::from(method.to_string());
    let data = checked(data, &name)?;
    let (comparisons, skipped) = compare_results(reference, &data, &name, factor)?;
    Ok(Solved { data, comparisons, skipped })
}

fn assemble(
    problem: &Loaded,
    settings: &Settings,
    found: reference::Found,
    reference: &Reference,
    schemes: Vec<Scheme>,
    results: &[Option<Solved>],
) -> Result<Score> {
    let results: Vec<Candidate> = schemes
        .iter()
        .zip(results)
        .map(|(scheme, solved)| Candidate::new(Path::new(&scheme.method), solved.as_ref(), &scheme.outcome))
        .collect::<Result<_>>()?;
    let radius = quantities::radius(reference, &results, settings.radius.as_deref())?;
    let samples = crate::criteria::sample_radii(problem)?;
    let gain_region = gain_region(reference)?;
    let itself = compared(found.data.clone(), Method::Boltzmann, reference, settings.factor)?;
    let own = Candidate::new(&found.path, Some(&itself), &Outcome::Scored)?;
    let places = quantities::Places { radius, samples, gain_region };
    let (rows, not_in_reference) = rows(reference, &own, &results, &places, settings.factor)?;
    let name = problem.path.file_stem().unwrap_or(problem.path.as_os_str());
    Ok(Score {
        program_version: env!("CARGO_PKG_VERSION").to_owned(),
        problem: name.to_string_lossy().into_owned(),
        title: problem.file.title.clone(),
        problem_hash: format!("{:016x}", problem.hash),
        reference: found.source,
        reference_errors: found.errors,
        reference_wall_time_s: found.wall_time_s,
        radius,
        length_unit: reference.units.label("cm").to_owned(),
        gain_region,
        significance_factor: settings.factor,
        schemes,
        rows,
        closures: Closures::new(&found.data).map_err(|error| error.to_string()),
        not_in_reference,
        reference_data: found.data,
    })
}

impl Score {
    /// Whether every run that could be made has converged.
    pub fn all_converged(&self) -> bool {
        self.schemes.iter().all(|scheme| scheme.outcome.is_converged())
    }

    /// Whether there is a scheme with numbers.
    pub fn has_scores(&self) -> bool {
        self.schemes.iter().any(|scheme| scheme.outcome == Outcome::Scored)
    }

    /// The length as people write it.
    pub(crate) fn length(&self, r: f64) -> String {
        crate::compare::report::length(&self.length_unit, r)
    }
}
