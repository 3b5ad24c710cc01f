//! A scorecard as a dataset: the results in full, and the scores as arrays.

use super::table::measure;
use super::{Cell, Outcome, Row, Score, Scored};
use crate::output::dataset::Dataset;

/// Groups `reference` (with the group `closure_test`), one for each scheme with a result (its name with `_` for what a name of a group cannot
/// have), and `score` (docs/score.md).
pub fn dataset(score: &Score) -> Dataset {
    let mut all = Dataset::new();
    all.attribute("title", score.title.as_str())
        .attribute("program", env!("CARGO_PKG_NAME"))
        .attribute("program_version", score.program_version.as_str())
        .attribute("commit", crate::run::commit())
        .attribute("problem_hash", score.problem_hash.as_str());
    let mut reference = score.reference_data.clone();
    if let Ok(closures) = &score.closures {
        closures.test.add_to(&mut reference);
    }
    all.group("reference", reference);
    for scheme in &score.schemes {
        if let Some(data) = &scheme.data {
            all.group(&group_name(&scheme.method), data.clone());
        }
    }
    all.group("score", scores(score));
    all
}

/// The name of a method's group: `m1_minerbo` for `m1:minerbo`.
pub fn group_name(method: &str) -> String {
    method.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

fn scores(score: &Score) -> Dataset {
    let mut data = Dataset::new();
    data.dimension("row", score.rows.len()).dimension("scheme", score.schemes.len());
    add_schemes(&mut data, score);
    add_rows(&mut data, score);
    add_cells(&mut data, score);
    data.attribute("reference", score.reference.as_str())
        .attribute("reference_errors", score.reference_errors.as_str())
        .attribute("radius", score.radius)
        .attribute("length_unit", score.length_unit.as_str())
        .attribute("significance_factor", score.significance_factor);
    if let Some((inner, outer)) = score.gain_region {
        data.attribute("gain_region_inner", inner).attribute("gain_region_outer", outer);
    }
    if let Some(time) = score.reference_wall_time_s {
        data.attribute("reference_wall_time_s", time);
    }
    data
}

fn add_schemes(data: &mut Dataset, score: &Score) {
    let schemes = &score.schemes;
    let names = schemes.iter().map(|scheme| scheme.method.clone()).collect();
    data.text("scheme", &["scheme"], "approximate method", names);
    let outcome = |outcome: &Outcome| match outcome.reason() {
        None => outcome.name().to_owned(),
        Some(why) => format!("{}: {why}", outcome.name().to_lowercase()),
    };
    let outcomes = schemes.iter().map(|scheme| outcome(&scheme.outcome)).collect();
    data.text("outcome", &["scheme"], "what became of it", outcomes);
    let or_zero = |values: Vec<Option<f64>>| values.into_iter().map(|value| value.unwrap_or(0.0)).collect();
    let times = or_zero(schemes.iter().map(|scheme| scheme.wall_time_s).collect());
    data.real("wall_time", &["scheme"], "s", "duration of its run, 0 where there is none", times);
    let costs = or_zero(schemes.iter().map(|scheme| scheme.cost).collect());
    let meaning = "duration over that of the reference's run, 0 where there is none";
    data.real("cost", &["scheme"], "1", meaning, costs);
}

fn add_rows(data: &mut Dataset, score: &Score) {
    let rows = &score.rows;
    let mut text = |name: &str, meaning: &str, value: &dyn Fn(&Row) -> String| {
        data.text(name, &["row"], meaning, rows.iter().map(value).collect());
    };
    text("quantity", "name as in docs/reference_format.md", &|row| row.quantity.clone());
    text("species", "species, empty where there is none", &|row| row.species.clone().unwrap_or_default());
    text("measure", "what of it is scored", &|row| measure(score, row.measure));
    text("row_units", "unit of values and differences", &|row| row.units.clone());
    let mut real = |name: &str, meaning: &str, value: &dyn Fn(&Row) -> Option<f64>| {
        let (flags, values) = split(rows.iter().map(value));
        data.real(name, &["row"], "1", &format!("{meaning}, in row_units"), values);
        data.real(&format!("has_{name}"), &["row"], "1", &format!("1 where there is a {name}"), flags);
    };
    real("reference", "value of the reference", &|row| row.reference);
    real("reference_error", "the reference's own error (relative where there is no value)", &|row| {
        row.reference_error
    });
}

fn add_cells(data: &mut Dataset, score: &Score) {
    let cells = || score.rows.iter().flat_map(|row| &row.cells);
    let why = |cell: &Cell| match cell {
        Cell::Scored(_) => String::new(),
        Cell::Missing(why) => why.clone(),
    };
    let dimensions = ["row", "scheme"];
    data.text(
        "missing",
        &dimensions,
        "why there is no number, empty where there is",
        cells().map(why).collect(),
    );
    let mut add = |name: &str, meaning: &str, value: &dyn Fn(&Scored) -> Option<f64>| {
        let found = cells().map(|cell| match cell {
            Cell::Scored(scored) => value(scored),
            Cell::Missing(_) => None,
        });
        let (flags, values) = split(found);
        data.real(name, &dimensions, "1", meaning, values);
        data.real(&format!("has_{name}"), &dimensions, "1", &format!("1 where there is a {name}"), flags);
    };
    add("value", "value of the scheme, in row_units", &|scored| scored.value);
    add("difference", "value - reference, in row_units", &|scored| scored.difference);
    add("relative_error", "difference over the reference, or the norm", &|scored| scored.relative);
    add("own_error", "the reference's own error of what is compared", &|scored| scored.reference_error);
    add("error_ratio", "size of the difference over the reference's own error", &|scored| scored.in_errors);
    add("significant", "1 where the difference is beyond the reference's error, 0 where not", &|scored| {
        scored.significant.map(f64::from)
    });
    add("place", "radius of the largest difference, in length_unit", &|scored| scored.r);
}

/// 1 and the value where there is one, 0 and 0 elsewhere: NaN is never stored.
pub(super) fn split(values: impl Iterator<Item = Option<f64>>) -> (Vec<f64>, Vec<f64>) {
    let finite = values.map(|value| value.filter(|value| value.is_finite()));
    finite.map(|value| (f64::from(value.is_some()), value.unwrap_or(0.0))).unzip()
}
