//! All problems at once: one number per method and problem.

use std::path::Path;

use serde::Serialize;

use super::report::grid;
use super::{Cell, Closures, Measure, Outcome, Score, Settings, Solver, score};
use crate::compare::report::html::{escape, list, page};
use crate::compare::report::{aligned, percent};
use crate::diagnostics::closure_test::ClosureErrors;
use crate::error::{Error, Result};
use crate::methods::closures::Closure;
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
    /// Duration of the run, also of one that did not converge \[s\].
    pub wall_time_s: Option<f64>,
    /// Why there are no values, or did not converge.
    pub outcome: Outcome,
}

/// A problem with all schemes, or why there are no numbers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    pub problem: String,
    pub title: String,
    pub numbers: std::result::Result<Numbers, Reason>,
}

/// The numbers of a problem.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Numbers {
    /// Duration of the reference's run \[s\].
    pub reference_wall_time_s: Option<f64>,
    /// In the order of the methods.
    pub entries: Vec<Entry>,
    /// Mean error of χ of each closure on the reference's own moments, in the order of [`Closure::ALL`], or why
    /// there is none.
    pub closures: std::result::Result<Vec<ClosureMeans>, String>,
    /// Median of the reference's own error of the energy-averaged χ.
    pub own_chi: Option<ClosureMeans>,
}

/// Mean errors of χ of a closure, or the median of the reference's.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ClosureMeans {
    /// Over all points that count.
    pub all: f64,
    /// Over those with flux factors from 0.1 to 0.9.
    pub transition: f64,
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

    /// In a few words, for a cell.
    fn short(&self) -> &'static str {
        match self {
            Self::External(_) => "no data",
            Self::Invalid(_) => "invalid",
            Self::NotConverged(_) => "no reference",
        }
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
        let converged = |line: &Line| match &line.numbers {
            Ok(numbers) => numbers.entries.iter().all(|entry| entry.outcome.is_converged()),
            Err(reason) => !matches!(reason, Reason::NotConverged(_)),
        };
        self.lines.iter().all(converged)
    }

    /// Whether a problem of the folder is invalid.
    pub fn has_invalid(&self) -> bool {
        self.lines.iter().any(|line| matches!(line.numbers, Err(Reason::Invalid(_))))
    }
}

/// Gets the lines so far after each problem, and the scorecard of the last one where it has one.
pub type Save<'a> = dyn FnMut(&Matrix, Option<&Score>) -> Result<()> + 'a;

/// Scores all problem files in `folder`, and calls `save` after each of them.
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
    save: &mut Save,
) -> Result<Matrix> {
    let problems = problems(folder)?;
    let methods = settings.methods.iter().map(ToString::to_string).collect();
    let program_version = env!("CARGO_PKG_VERSION").to_owned();
    let mut matrix = Matrix { program_version, methods, lines: Vec::new() };
    for (index, (name, title)) in problems.iter().enumerate() {
        observer.report(Event::Done { what: "problems", done: index, total: problems.len() });
        let path = folder.join(name).with_extension("ron");
        let (numbers, found) = match of_problem(&path, options, settings, solver, observer) {
            Err(Error::Interrupted) => return Err(Error::Interrupted),
            Err(error @ Error::Numerical(_)) => (Err(Reason::NotConverged(error.to_string())), None),
            Err(error) => (Err(Reason::Invalid(error.to_string())), None),
            Ok(None) => {
                let why = "its data are external: --data DIR or TOLMAN_DATA";
                (Err(Reason::External(why.to_owned())), None)
            }
            Ok(Some(found)) => (Ok(Numbers::new(&found)), Some(found)),
        };
        matrix.lines.push(Line { problem: name.clone(), title: title.clone(), numbers });
        save(&matrix, found.as_ref())?;
    }
    observer.report(Event::Done { what: "problems", done: problems.len(), total: problems.len() });
    Ok(matrix)
}

/// The scorecard of a problem; `None` where its data are external and not there.
fn of_problem(
    path: &Path,
    options: &LoadOptions,
    settings: &Settings,
    solver: &Solver,
    observer: &dyn Observer,
) -> Result<Option<Score>> {
    let mut problem: Loaded = load(path, options)?;
    if options.data.is_none() && needs_external_data(&problem.file) {
        return Ok(None);
    }
    problem.file.outputs.distribution = false;
    score(&problem, settings, solver, observer).map(Some)
}

impl Numbers {
    fn new(found: &Score) -> Self {
        let entry = |(index, scheme): (usize, &super::Scheme)| Entry {
            values: HEADLINES.iter().map(|headline| value(found, headline, index)).collect(),
            cost: scheme.cost,
            wall_time_s: scheme.wall_time_s,
            outcome: scheme.outcome.clone(),
        };
        let mean =
            |errors: &ClosureErrors| ClosureMeans { all: errors.chi.mean, transition: errors.chi.transition };
        let means = |closures: &Closures| closures.test.errors.iter().map(mean).collect();
        Self {
            reference_wall_time_s: found.reference_wall_time_s,
            entries: found.schemes.iter().enumerate().map(entry).collect(),
            closures: found.closures.as_ref().map(means).map_err(Clone::clone),
            own_chi: found.closures.as_ref().ok().and_then(|closures| {
                let own = closures.test.own.as_ref()?;
                Some(ClosureMeans { all: own.median, transition: own.transition })
            }),
        }
    }
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

/// A table of the matrix.
struct Table {
    title: &'static str,
    head: Vec<String>,
    lines: Vec<Vec<String>>,
}

/// The lines of one headline: what `shown` makes of an entry, otherwise in a few words why there is no number,
/// and "-" where a scheme has a result without it.
fn cells(matrix: &Matrix, shown: &dyn Fn(&Entry) -> Option<String>) -> Vec<Vec<String>> {
    let cell = |entry: &Entry| match (shown(entry), entry.outcome.reason()) {
        (Some(text), _) => text,
        (None, Some(_)) => entry.outcome.short().to_owned(),
        (None, None) => "-".to_owned(),
    };
    let line = |line: &Line| {
        let entries: Vec<String> = match &line.numbers {
            Ok(numbers) => numbers.entries.iter().map(cell).collect(),
            Err(reason) => matrix.methods.iter().map(|_| reason.short().to_owned()).collect(),
        };
        std::iter::once(line.problem.clone()).chain(entries).collect()
    };
    matrix.lines.iter().map(line).collect()
}

/// The headlines, the durations and the closures.
fn tables(matrix: &Matrix) -> Vec<Table> {
    let table = |title, shown: &dyn Fn(&Entry) -> Option<String>| Table {
        title,
        head: head(matrix),
        lines: cells(matrix, shown),
    };
    let headline = |(index, headline): (usize, &Headline)| {
        let signed = headline.measure == Measure::AtRadius;
        table(headline.title, &|entry| entry.values.get(index).copied().flatten().map(|v| percent(v, signed)))
    };
    let mut tables: Vec<Table> = HEADLINES.iter().enumerate().map(headline).collect();
    tables.push(table("Cost: duration over that of the reference's run", &|entry| {
        entry.cost.map(|cost| significant(cost, 3))
    }));
    tables.push(durations(matrix));
    tables
        .push(closures(matrix, "Closures on the reference's own J and H: mean error of χ = K/J", |m| m.all));
    let title = "The same where the flux factor is from 0.1 to 0.9";
    tables.push(closures(matrix, title, |m| m.transition));
    tables
}

/// Duration of each run, also of those without a result; the reference's first.
fn durations(matrix: &Matrix) -> Table {
    let seconds = |time: Option<f64>| time.map_or("-".to_owned(), |time| significant(time, 3));
    let mut lines = cells(matrix, &|entry| entry.wall_time_s.map(|time| seconds(Some(time))));
    for (cells, line) in lines.iter_mut().zip(&matrix.lines) {
        let time = line.numbers.as_ref().ok().and_then(|numbers| numbers.reference_wall_time_s);
        cells.insert(1, seconds(time));
    }
    let mut head = head(matrix);
    head.insert(1, "reference".to_owned());
    Table { title: "Duration of the runs [s]", head, lines }
}

/// The closures on the moments of each reference.
fn closures(matrix: &Matrix, title: &'static str, of: fn(&ClosureMeans) -> f64) -> Table {
    let mut head: Vec<String> = ["problem", "reference (median)"].map(str::to_owned).to_vec();
    head.extend(Closure::ALL.iter().map(|closure| closure.name().to_owned()));
    let line = |line: &Line| {
        let dash = || "-".to_owned();
        let (own, means) = match &line.numbers {
            Ok(numbers) => (numbers.own_chi, numbers.closures.as_ref().ok()),
            Err(_) => (None, None),
        };
        let mean =
            |index: usize| means.and_then(|means| means.get(index)).map(|mean| percent(of(mean), false));
        let own = own.map_or_else(dash, |own| percent(of(&own), false));
        let means = (0..Closure::ALL.len()).map(|index| mean(index).unwrap_or_else(dash));
        [line.problem.clone(), own].into_iter().chain(means).collect()
    };
    let lines = matrix.lines.iter().map(line).collect();
    Table { title, head, lines }
}

/// Why there are no numbers.
fn reasons(matrix: &Matrix) -> Vec<String> {
    let mut reasons = Vec::new();
    for line in &matrix.lines {
        match &line.numbers {
            Err(reason) => reasons.push(format!("{}: {}", line.problem, reason.text())),
            Ok(numbers) => {
                for (method, entry) in matrix.methods.iter().zip(&numbers.entries) {
                    if let Some(why) = entry.outcome.reason() {
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
    for table in tables(matrix) {
        text += &format!("{}\n{}\n", table.title, aligned(&table.head, &table.lines));
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

/// The matrix as a page that needs nothing else. `link` gives the address of a problem's own page, where it has
/// one.
pub fn html(matrix: &Matrix, link: &dyn Fn(&str) -> Option<String>) -> String {
    let mut body = String::from("<h1>Methods and problems</h1>\n");
    body += "<p class=\"soft\">Numbers are those of the species with the largest error.</p>\n";
    for table in tables(matrix) {
        body += &format!("<h2>{}</h2>\n{}", escape(table.title), grid(&table.head, &table.lines));
    }
    let pages: Vec<String> = (matrix.lines.iter())
        .filter_map(|line| Some((line, link(&line.problem)?)))
        .map(|(line, page)| format!("<li><a href=\"{}\">{}</a></li>\n", escape(&page), escape(&line.title)))
        .collect();
    if !pages.is_empty() {
        body += &format!("<h2>Scorecards</h2>\n<ul>\n{}</ul>\n", pages.concat());
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
        let of = |line: &Line| match &line.numbers {
            Ok(numbers) => numbers.entries.iter().map(value).collect(),
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
    add("wall_time", "duration of the run in s, also of one without a result", &|entry| entry.wall_time_s);
    add_closures(&mut data, matrix);
    data.attribute("program", env!("CARGO_PKG_NAME"))
        .attribute("program_version", matrix.program_version.as_str())
        .attribute("commit", crate::run::commit())
        .attribute("reasons", reasons(matrix).join("\n"));
    data
}

/// Adds the mean errors of the closures over (problem, closure).
fn add_closures(data: &mut Dataset, matrix: &Matrix) {
    data.dimension("closure", Closure::ALL.len());
    let names = Closure::ALL.map(|closure| closure.name().to_owned()).to_vec();
    data.text("closure", &["closure"], "closure of the moment equations", names);
    let mut add = |name: &str, meaning: &str, value: fn(&ClosureMeans) -> f64| {
        let of = |line: &Line| match line.numbers.as_ref().map(|numbers| numbers.closures.as_ref()) {
            Ok(Ok(means)) => means.iter().map(|means| Some(value(means))).collect(),
            _ => vec![None; Closure::ALL.len()],
        };
        let (flags, values) = super::dataset::split(matrix.lines.iter().flat_map(of));
        data.real(name, &["problem", "closure"], "1", meaning, values);
        let meaning = format!("1 where there is a {name}");
        data.real(&format!("has_{name}"), &["problem", "closure"], "1", &meaning, flags);
    };
    add("closure_error", "mean error of K/J of the closure on the reference's own J and H", |means| {
        means.all
    });
    add("closure_error_transition", "the same at flux factors from 0.1 to 0.9", |means| means.transition);
}
