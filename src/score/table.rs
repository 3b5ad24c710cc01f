//! A scorecard for a terminal, and as JSON.

use std::fmt::Write;

use super::{Cell, Measure, Outcome, Row, Score, Scored, closures};
use crate::compare::report::{aligned, length, percent, short};
use crate::error::{Error, Result};
use crate::output::summary::significant;

/// What the marks behind errors mean.
const MARKS: &str = "errors are (scheme − reference) / reference; ~: not beyond the reference's own error times the \
                     factor; ?: that error is not stated; -: no value (reasons below)";

/// The scorecard as text.
pub fn table(score: &Score) -> String {
    let mut text = heading(score);
    text += &aligned(&scheme_head(), &score.schemes.iter().map(scheme_cells).collect::<Vec<_>>());
    text += "\n";
    let mut head: Vec<String> =
        ["quantity", "species", "of", "reference", "its error"].map(str::to_owned).to_vec();
    head.extend(score.schemes.iter().map(|scheme| scheme.method.clone()));
    let lines: Vec<Vec<String>> = score.rows.iter().map(|row| cells(score, row)).collect();
    text += &aligned(&head, &lines);
    let _ = writeln!(text, "\n{MARKS}; factor {}", short(score.significance_factor));
    text += &closure_table(score);
    for (title, lines) in [("Schemes without numbers", outcomes(score)), ("Missing", missing(score))] {
        if !lines.is_empty() {
            let _ = write!(text, "\n{title}\n  {}\n", lines.join("\n  "));
        }
    }
    text
}

/// The a-priori test of closures.
fn closure_table(score: &Score) -> String {
    match &score.closures {
        Ok(found) => {
            let lines = closures::lines(score, found);
            format!("\nClosures: {}\n\n{}", closures::note(found), aligned(&closures::head(found), &lines))
        }
        Err(why) => format!("\nClosures: no test on the reference's moments: {why}\n"),
    }
}

/// The scorecard as JSON; its units are those of the rows.
///
/// # Errors
/// A number that JSON cannot hold, which a scorecard does not have.
pub fn json(score: &Score) -> Result<String> {
    let text = serde_json::to_string_pretty(score);
    text.map(|text| text + "\n").map_err(|error| Error::Numerical(format!("the scorecard as JSON: {error}")))
}

fn heading(score: &Score) -> String {
    format!("{}\n{}\n\n", score.title, notes(score).join("\n"))
}

/// What the numbers of a scorecard mean.
pub(super) fn notes(score: &Score) -> Vec<String> {
    let region = match score.gain_region {
        Some((inner, outer)) => {
            format!("gain region of the reference: {} to {}", score.length(inner), score.length(outer))
        }
        None => "the reference has no gain region: norms of rates are over all radii".to_owned(),
    };
    let mut notes = vec![
        format!("reference: {}; its errors: {}", score.reference, score.reference_errors),
        format!(
            "R = {}; L1 and max are over radius (d ln r), L1 of spectra over energy at the scheme's node next \
             to the radius; {region}",
            score.length(score.radius)
        ),
    ];
    if !score.not_in_reference.is_empty() {
        notes.push(format!(
            "not in the reference, or without meaning there: {}",
            score.not_in_reference.join(", ")
        ));
    }
    notes
}

/// Heads of [`scheme_cells`].
pub(super) fn scheme_head() -> Vec<String> {
    ["scheme", "status", "wall time", "cost (reference = 1)"].map(str::to_owned).to_vec()
}

/// A scheme's status and cost.
pub(super) fn scheme_cells(scheme: &super::Scheme) -> Vec<String> {
    let status = scheme.outcome.name();
    let seconds = scheme.wall_time_s.map_or("-".to_owned(), |time| format!("{} s", significant(time, 3)));
    let cost = scheme.cost.map_or("-".to_owned(), |cost| significant(cost, 3));
    vec![scheme.method.clone(), status.to_owned(), seconds, cost]
}

fn cells(score: &Score, row: &Row) -> Vec<String> {
    let mut line = row_head(score, row);
    line.extend(row.cells.iter().map(|cell| shown(score, cell)));
    line
}

/// What a row is about, the reference's value and its relative error.
pub(super) fn row_head(score: &Score, row: &Row) -> Vec<String> {
    let unit = if row.units == "1" { String::new() } else { format!(" {}", row.units) };
    let value = row.reference.map_or("-".to_owned(), |value| match row.units.as_str() {
        "cm" => length("cm", value),
        _ => format!("{}{unit}", short(value)),
    });
    let species = row.species.clone().unwrap_or_default();
    vec![row.quantity.clone(), species, measure(score, row.measure), value, own_error(row)]
}

/// The reference's own error relative to its value; of a norm as it is.
fn own_error(row: &Row) -> String {
    match (row.reference, row.reference_error) {
        (None, _) if row.measure == Measure::Max => "at its place".to_owned(),
        (_, None) => "not stated".to_owned(),
        (Some(0.0), Some(error)) => short(error),
        (Some(value), Some(error)) => percent(error / value.abs(), false),
        (None, Some(error)) => percent(error, false),
    }
}

/// For people.
pub(super) fn measure(score: &Score, measure: Measure) -> String {
    match measure {
        Measure::AtRadius => "at R".to_owned(),
        Measure::Single => String::new(),
        Measure::L1 => "L1".to_owned(),
        Measure::Max => "max".to_owned(),
        Measure::L1Gain if score.gain_region.is_some() => "L1, gain region".to_owned(),
        Measure::L1Gain => "L1".to_owned(),
        Measure::L1Energy => "L1 over energy".to_owned(),
        Measure::L1Spectrum(r) => format!("L1 at {}", score.length(r)),
    }
}

/// A cell in short.
pub(super) fn shown(score: &Score, cell: &Cell) -> String {
    match cell {
        Cell::Missing(_) => "-".to_owned(),
        Cell::Scored(scored) => {
            let place = scored.r.map_or(String::new(), |r| format!(" at {}", score.length(r)));
            format!("{}{}{place}", relative(scored), mark(scored))
        }
    }
}

fn relative(scored: &Scored) -> String {
    match (scored.relative, scored.difference) {
        (Some(relative), difference) => percent(relative, difference.is_some()),
        (None, Some(difference)) => format!("{difference:+.1e} (reference 0)"),
        (None, None) => "-".to_owned(),
    }
}

fn mark(scored: &Scored) -> &'static str {
    match scored.significant {
        Some(true) => "",
        Some(false) => " ~",
        None => " ?",
    }
}

/// Why schemes have no numbers.
pub(super) fn outcomes(score: &Score) -> Vec<String> {
    let why = |scheme: &super::Scheme| Some(format!("{}: {}", scheme.method, scheme.outcome.reason()?));
    score.schemes.iter().filter_map(why).collect()
}

/// What schemes with numbers lack, and why: one line for each scheme and reason.
pub(super) fn missing(score: &Score) -> Vec<String> {
    let mut lines: Vec<(String, Vec<String>)> = Vec::new();
    for (index, scheme) in score.schemes.iter().enumerate().filter(|(_, s)| s.outcome == Outcome::Scored) {
        for row in &score.rows {
            let Some(Cell::Missing(why)) = row.cells.get(index) else { continue };
            let key = format!("{}: {why}", scheme.method);
            match lines.iter_mut().find(|line| line.0 == key) {
                Some(line) if line.1.contains(&row.quantity) => {}
                Some(line) => line.1.push(row.quantity.clone()),
                None => lines.push((key, vec![row.quantity.clone()])),
            }
        }
    }
    lines.into_iter().map(|(key, names)| format!("{key}: {}", names.join(", "))).collect()
}
