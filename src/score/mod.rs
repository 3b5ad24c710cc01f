//! Approximate schemes scored against the reference on one problem (docs/score.md).
//!
//! The reference and every scheme are solved on the same background, opacities, species and boundaries; each
//! quantity then gets the scheme's error and, beside it, the reference's own.

pub mod dataset;
mod figures;
pub mod matrix;
mod quantities;
mod reference;
pub mod report;
pub mod table;

use std::path::{Path, PathBuf};

use serde::Serialize;

pub use self::quantities::{Cell, Measure, Row, Scored};
pub use self::reference::Source;

use self::quantities::{Candidate, gain_region, rows};
use crate::compare::{Comparison, Reference, Skipped, checked, compare_results};
use crate::error::{Error, Result};
use crate::methods::name::Method;
use crate::output::dataset::Dataset;
use crate::output::state;
use crate::problem::Loaded;
use crate::progress::{Event, Observer};
use crate::run::Finished;
use crate::solvers::krylov::Status;

/// How a problem is solved by a method: the functions of [`crate::run`] with the caller's resources.
pub type Solver<'a> = dyn Fn(&Loaded, Method) -> Result<Finished> + 'a;

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
}

/// What became of a scheme.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Outcome {
    Scored,
    /// The scheme cannot treat the problem: why.
    CannotTreat(String),
    /// It can, but there is no converged result: why.
    NotConverged(String),
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
    observer.report(Event::Run { index: 0, count, what: "reference" });
    let found = reference::solve(problem, settings, solver, observer)?;
    let reference = Reference::new(&found.path, found.data.clone(), Vec::new())?;
    let (mut schemes, mut results) = (Vec::new(), Vec::new());
    for (index, &method) in settings.methods.iter().enumerate() {
        let name = method.to_string();
        observer.report(Event::Run { index: index + 1, count, what: &name });
        let (mut scheme, solved) = run_scheme(problem, method, solver, &reference, settings.factor)?;
        scheme.cost = ratio(scheme.wall_time_s, found.wall_time_s);
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
    solver: &Solver,
    reference: &Reference,
    factor: f64,
) -> Result<(Scheme, Option<Solved>)> {
    let name = method.to_string();
    let (outcome, solved) = match solved(problem, method, solver, reference, factor) {
        Ok(Ok(solved)) => (Outcome::Scored, Some(solved)),
        Ok(Err(status)) => (Outcome::NotConverged(format!("status {}", status.name())), None),
        Err(Error::Interrupted) => return Err(Error::Interrupted),
        Err(Error::Problem(why)) => (Outcome::CannotTreat(why.to_string()), None),
        Err(error @ Error::Field { .. }) => (Outcome::CannotTreat(error.to_string()), None),
        Err(error @ Error::File { .. }) => return Err(error),
        Err(error) => (Outcome::NotConverged(error.to_string()), None),
    };
    let data = solved.as_ref().map(|solved| solved.data.clone());
    let wall_time_s = data.as_ref().and_then(|data| data.scalar("wall_time_s"));
    let comparisons = solved.as_ref().map_or_else(Vec::new, |solved| solved.comparisons.clone());
    Ok((Scheme { method: name, outcome, wall_time_s, cost: None, data, comparisons }, solved))
}

/// A converged result and its comparison, or the status of one that is not.
fn solved(
    problem: &Loaded,
    method: Method,
    solver: &Solver,
    reference: &Reference,
    factor: f64,
) -> Result<std::result::Result<Solved, Status>> {
    let data = match converged(solver(problem, method)?)? {
        Ok(data) => data,
        Err(status) => return Ok(Err(status)),
    };
    let name = PathBuf::from(method.to_string());
    let numerical = |error: Error| Error::Numerical(error.to_string());
    let data = checked(data, &name).map_err(numerical)?;
    let (comparisons, skipped) = compare_results(reference, &data, &name, factor).map_err(numerical)?;
    Ok(Ok(Solved { data, comparisons, skipped }))
}

/// The last state of a converged run, or the status of one that is not.
///
/// # Errors
/// [`Error::Interrupted`]; a damaged series.
fn converged(finished: Finished) -> Result<std::result::Result<Dataset, Status>> {
    match finished.status {
        Status::Converged => Ok(Ok(state(&finished.dataset, None)?)),
        Status::Interrupted => Err(Error::Interrupted),
        status => Ok(Err(status)),
    }
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
    let (rows, not_in_reference) =
        rows(reference, &results, &quantities::Places { radius, samples, gain_region }, settings.factor)?;
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
        not_in_reference,
        reference_data: found.data,
    })
}

impl Score {
    /// Whether every run that could be made has converged.
    pub fn all_converged(&self) -> bool {
        !self.schemes.iter().any(|scheme| matches!(scheme.outcome, Outcome::NotConverged(_)))
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
