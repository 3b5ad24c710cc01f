//! All problems at once: one number per method and problem.

use std::path::Path;

use serde::Serialize;

use super::report::grid;
use super::{Cell, Measure, Outcome, Score, Settings, Solver, score};
use crate::compare::report::html::{escape, list, page};
use crate::compare::report::{aligned, percent};
use crate::error::{Error, Result};
use crate::output::dataset::Dataset;
use crate::output::summary::significant;
use crate::problem::external::needs_external_data;
use crate::problem::folder::problems;
use crate::problem::{LoadOptions, Loaded, load};
use crate::progress::{Event, Observer};

/// A number that stands for a scheme on a problem: of the species with the largest error.
struct Headline {
    name: &'static str,
    quantity: &'static str,
    measure: Measure,
    title: &'static str,
}

const HEADLINES: [Headline; 3] = [
    Headline {
        name: "luminosity",
        quantity: "luminosity_infinity",
        measure: Measure::AtRadius,
        title: "Luminosity at infinity at the outer edge, relative error",
    },
    Headline {
        name: "mean_energy",
        quantity: "mean_energy_infinity",
        measure: Measure::AtRadius,
        title: "Mean energy at infinity at the outer edge, relative error",
    },
    Headline {
        name: "flux_factor",
        quantity: "flux_factor",
        measure: Measure::L1,
        title: "Flux factor, L1 over radius",
    },
];

/// A scheme on a problem.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entry {
    /// One for each headline; `None` where there is none.
    pub values: Vec<Option<f64>>,
    pub cost: Option<f64>,
    /// Why there are no values, or did not converge.
    pub outcome: Outcome,
}

/// A problem with all schemes, or why there are no numbers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    pub problem: String,
    pub title: String,
    pub entries: std::result::Result<Vec<Entry>, Reason>,
}

/// Why a problem was not scored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Reason {
    /// It needs data that are not there.
    External(String),
    /// The problem file or a file that goes with it is invalid.
    Invalid(String),
    /// The reference has no converged result.
    NotConverged(String),
}

impl Reason {
    fn text(&self) -> &str {
        let (Self::External(text) | Self::Invalid(text) | Self::NotConverged(text)) = self;
        text
    }
}

/// Methods and problems.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Matrix {
    pub program_version: String,
    pub methods: Vec<String>,
    pub lines: Vec<Line>,
}

impl Matrix {
    /// Whether every run that could be made has converged.
    pub fn all_converged(&self) -> bool {
        let converged = |line: &Line| match &line.entries {
            Ok(entries) => !entries.iter().any(|entry| matches!(entry.outcome, Outcome::NotConverged(_))),
            Err(reason) => !matches!(reason, Reason::NotConverged(_)),
        };
        self.lines.iter().all(converged)
    }

    /// Whether a problem of the folder is invalid.
    pub fn has_invalid(&self) -> bool {
        self.lines.iter().any(|line| matches!(line.entries, Err(Reason::Invalid(_))))
    }
}

/// Scores all problem files in `folder`; `save` gets the lines so far after each of them.
///
/// # Errors
/// The folder has no problem files; [`Error::Interrupted`]. What is wrong with one problem is the [`Reason`] that
/// it has no numbers.
pub fn matrix(
    folder: &Path,
    options: &LoadOptions,
    settings: &Settings,
    solver: &Solver,
    observer: &dyn Observer,
    save: &mut dyn FnMut(&Matrix) -> Result<()>,
) -> Result<Matrix> {
    let problems = problems(folder)?;
    let methods = settings.methods.iter().map(ToString::to_string).collect();
    let program_version = env!("CARGO_PKG_VERSION").to_owned();
    let mut matrix = Matrix { program_version, methods, lines: Vec::new() };
    for (index, (name, title)) in problems.iter().enumerate() {
        observer.report(Event::Done { what: "problems", done: index, total: problems.len() });
        let path = folder.join(name).with_extension("ron");
        let entries = match problem_entries(&path, options, settings, solver, observer) {
            Err(Error::Interrupted) => return Err(Error::Interrupted),
            Err(error @ Error::Numerical(_)) => Err(Reason::NotConverged(error.to_string())),
            Err(error) => Err(Reason::Invalid(error.to_string())),
            Ok(entries) => entries,
        };
        matrix.lines.push(Line { problem: name.clone(), title: title.clone(), entries });
        save(&matrix)?;
    }
    Ok(matrix)
}

fn problem_entries(
    path: &Path,
    options: &LoadOptions,
    settings: &Settings,
    solver: &Solver,
    observer: &dyn Observer,
) -> Result<std::result::Result<Vec<Entry>, Reason>> {
    let mut problem: Loaded = load(path, options)?;
    if options.data.is_none() && needs_external_data(&problem.file) {
        let why = "its data are external: --data DIR or TOLMAN_DATA";
        return Ok(Err(Reason::External(why.to_owned())));
    }
    problem.file.outputs.distribution = false;
    let found = score(&problem, settings, solver, observer)?;
    let entry = |(index, scheme): (usize, &super::Scheme)| Entry {
        values: HEADLINES.iter().map(|headline| value(&found, headline, index)).collect(),
        cost: scheme.cost,
        outcome: scheme.outcome.clone(),
    };
    Ok(Ok(found.schemes.iter().enumerate().map(entry).collect()))
}

/// The largest error of the scheme over the species, with its sign.
fn value(score: &Score, headline: &Headline, scheme: usize) -> Option<f64> {
    let rows = score.rows.iter().filter(|r| r.quantity == headline.quantity && r.measure == headline.measure);
    let relative = rows.filter_map(|row| match row.cells.get(scheme)? {
        Cell::Scored(scored) => scored.relative,
        Cell::Missing(_) => None,
    });
    relative.max_by(|a, b| a.abs().total_cmp(&b.abs()))
}

fn head(matrix: &Matrix) -> Vec<String> {
    std::iter::once("problem".to_owned()).chain(matrix.methods.iter().cloned()).collect()
}

/// The lines of one headline: per cent, "-" where there is no number.
fn cells(matrix: &Matrix, shown: &dyn Fn(&Entry) -> Option<String>) -> Vec<Vec<String>> {
    let dash = || "-".to_owned();
    let line = |line: &Line| {
        let entries: Vec<String> = match &line.entries {
            Ok(entries) => entries.iter().map(|entry| shown(entry).unwrap_or_else(dash)).collect(),
            Err(_) => matrix.methods.iter().map(|_| dash()).collect(),
        };
        std::iter::once(line.problem.clone()).chain(entries).collect()
    };
    matrix.lines.iter().map(line).collect()
}

/// Title and cells of each table: the headlines, then the cost.
fn tables(matrix: &Matrix) -> Vec<(&'static str, Vec<Vec<String>>)> {
    let headline = |(index, headline): (usize, &Headline)| {
        let signed = headline.measure == Measure::AtRadius;
        let shown = |entry: &Entry| entry.values.get(index).copied().flatten().map(|v| percent(v, signed));
        (headline.title, cells(matrix, &shown))
    };
    let mut tables: Vec<_> = HEADLINES.iter().enumerate().map(headline).collect();
    let cost = |entry: &Entry| entry.cost.map(|cost| significant(cost, 3));
    tables.push(("Cost: duration over that of the reference's run", cells(matrix, &cost)));
    tables
}

/// Why there are no numbers.
fn reasons(matrix: &Matrix) -> Vec<String> {
    let mut reasons = Vec::new();
    for line in &matrix.lines {
        match &line.entries {
            Err(reason) => reasons.push(format!("{}: {}", line.problem, reason.text())),
            Ok(entries) => {
                for (method, entry) in matrix.methods.iter().zip(entries) {
                    if let Outcome::CannotTreat(why) | Outcome::NotConverged(why) = &entry.outcome {
                        reasons.push(format!("{}, {method}: {why}", line.problem));
                    }
                }
            }
        }
    }
    reasons
}

/// The matrix for a terminal.
pub fn table(matrix: &Matrix) -> String {
    let mut text = String::new();
    for (title, lines) in tables(matrix) {
        text += &format!("{title}\n{}\n", aligned(&head(matrix), &lines));
    }
    text += "numbers are those of the species with the largest error\n";
    let reasons = reasons(matrix);
    if !reasons.is_empty() {
        text += &format!("\nWithout numbers\n  {}\n", reasons.join("\n  "));
    }
    text
}

/// The matrix as JSON.
///
/// # Errors
/// A number that JSON cannot hold.
pub fn json(matrix: &Matrix) -> Result<String> {
    let text = serde_json::to_string_pretty(matrix);
    text.map(|text| text + "\n").map_err(|error| Error::Numerical(format!("the matrix as JSON: {error}")))
}

/// The matrix as a page that needs nothing else.
pub fn html(matrix: &Matrix) -> String {
    let mut body = String::from("<h1>Methods and problems</h1>\n");
    body += "<p class=\"soft\">Numbers are those of the species with the largest error.</p>\n";
    for (title, lines) in tables(matrix) {
        body += &format!("<h2>{}</h2>\n{}", escape(title), grid(&head(matrix), &lines));
    }
    body += &list("Without numbers", &reasons(matrix));
    page("Methods and problems", &body, &format!("tolman score {}", matrix.program_version))
}

/// The matrix as arrays over problem and method.
pub fn dataset(matrix: &Matrix) -> Dataset {
    let mut data = Dataset::new();
    data.dimension("problem", matrix.lines.len()).dimension("scheme", matrix.methods.len());
    let names = matrix.lines.iter().map(|line| line.problem.clone()).collect();
    data.text("problem", &["problem"], "problem file", names);
    data.text("scheme", &["scheme"], "approximate method", matrix.methods.clone());
    let dimensions = ["problem", "scheme"];
    let mut add = |name: &str, meaning: &str, value: &dyn Fn(&Entry) -> Option<f64>| {
        let of = |line: &Line| match &line.entries {
            Ok(entries) => entries.iter().map(value).collect(),
            Err(_) => vec![None; matrix.methods.len()],
        };
        let all: Vec<Option<f64>> = matrix.lines.iter().flat_map(of).collect();
        let (flags, values) = super::dataset::split(all.into_iter());
        data.real(name, &dimensions, "1", meaning, values);
        data.real(&format!("has_{name}"), &dimensions, "1", &format!("1 where there is a {name}"), flags);
    };
    for (index, headline) in HEADLINES.iter().enumerate() {
        add(headline.name, headline.title, &|entry| entry.values.get(index).copied().flatten());
    }
    add("cost", "duration over that of the reference's run", &|entry| entry.cost);
    data.attribute("program", env!("CARGO_PKG_NAME"))
        .attribute("program_version", matrix.program_version.as_str())
        .attribute("commit", crate::run::commit())
        .attribute("reasons", reasons(matrix).join("\n"));
    data
}
