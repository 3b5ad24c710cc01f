//! A comparison as text, JSON and HTML.

pub(crate) mod figures;
pub(crate) mod html;

use std::fmt::Write;

pub use self::html::html;

use super::{Check, Comparison, RELATIVE_FLOOR, Report, Verdict, Worst};
use crate::error::{Error, Result};
use crate::output::summary::significant;

/// The report as JSON; infinite numbers are null.
///
/// # Errors
/// A number that JSON cannot hold, which a report does not have.
pub fn json(report: &Report) -> Result<String> {
    serde_json::to_string_pretty(report)
        .map(|text| text + "\n")
        .map_err(|error| Error::Numerical(format!("the report as JSON: {error}")))
}

/// The report for a terminal.
pub fn table(report: &Report) -> String {
    let mut text = heading(report);
    let lines: Vec<[String; 10]> = report.comparisons.iter().map(|c| cells(report, c)).collect();
    text += &aligned(&COLUMNS.map(str::to_owned), &lines);
    for (title, lines) in [
        ("Left out", left_out(report)),
        ("Not compared", skipped(report)),
        ("Only in the reference", report.only_in_reference.clone()),
    ] {
        if !lines.is_empty() {
            let _ = write!(text, "\n{title}\n  {}\n", lines.join("\n  "));
        }
    }
    if !report.checks.is_empty() {
        text += "\nThresholds\n";
        for check in &report.checks {
            let _ = writeln!(text, "  {}", check_line(check));
        }
    }
    let _ = writeln!(text, "\n{}", verdict(report));
    text
}

const COLUMNS: [&str; 10] =
    ["quantity", "L1", "L2", "mean", "max", "pointwise", "where max", "other", "reference", "significant"];

fn heading(report: &Report) -> String {
    let file = |facts: &super::Facts| {
        facts.iter().find(|fact| fact.0 == "file").map_or(String::new(), |fact| fact.1.clone())
    };
    let mut text = format!("{} against the reference {}\n", file(&report.other), file(&report.reference));
    for note in notes(report) {
        let _ = writeln!(text, "{note}");
    }
    text + "\n"
}

/// What the numbers of a report mean.
fn notes(report: &Report) -> Vec<String> {
    let region = report.region.as_ref().map_or(String::new(), |region| format!("; radii {region}"));
    let mut notes = vec![format!(
        "L1, L2 and mean (other − reference) are over the same norm of the reference, weighted by {}{region}; \
         max is over the reference's largest value; {}.",
        report.weight.text(),
        floor_note()
    )];
    if report.reference_has_errors {
        notes.push(format!(
            "significant: beyond {} times the reference's own numerical error at the point of the maximum \
             (share of all points in parentheses).",
            report.significance_factor
        ));
    } else {
        notes.push(
            "The reference states no numerical errors: they are unknown, not 0, and so is whether a difference \
             is significant."
                .to_owned(),
        );
    }
    notes
}

fn cells(report: &Report, comparison: &Comparison) -> [String; 10] {
    let metrics = &comparison.metrics;
    [
        with_brackets(comparison),
        percent(metrics.l1, false),
        percent(metrics.l2, false),
        percent(metrics.mean, true),
        percent(metrics.max.relative_to_largest, true),
        metrics.pointwise.map_or("-".to_owned(), |worst| percent(worst.relative, true)),
        place(report, &metrics.max),
        short(metrics.max.other),
        short(metrics.max.reference),
        significance(comparison),
    ]
}

fn name(comparison: &Comparison) -> String {
    match &comparison.species {
        Some(species) => format!("{} {species}", comparison.quantity),
        None => comparison.quantity.clone(),
    }
}

/// Name and unit.
fn with_brackets(comparison: &Comparison) -> String {
    match comparison.units.as_str() {
        "1" => name(comparison),
        unit => format!("{} [{unit}]", name(comparison)),
    }
}

/// Whether the largest difference is significant, and the share of points where it is.
fn significance(comparison: &Comparison) -> String {
    let metrics = &comparison.metrics;
    match (metrics.max.significant, metrics.significant_share) {
        _ if metrics.max.difference == 0.0 => "no difference".to_owned(),
        (Some(significant), Some(share)) => {
            format!("{} ({:.0} %)", if significant { "yes" } else { "no" }, 100.0 * share)
        }
        _ => "unknown".to_owned(),
    }
}

/// Where a point is.
fn place(report: &Report, worst: &Worst) -> String {
    let energy = worst.energy.map(|energy| match report.energy_unit.as_str() {
        "1" => format!("ε = {}", short(energy)),
        unit => format!("ε = {} {unit}", short(energy)),
    });
    let parts: Vec<String> = worst.r.map(|r| radius(report, r)).into_iter().chain(energy).collect();
    if parts.is_empty() || worst.difference == 0.0 { "-".to_owned() } else { parts.join(", ") }
}

fn radius(report: &Report, r: f64) -> String {
    format!("r = {}", length(&report.length_unit, r))
}

/// A length that is stored in `unit`.
pub(crate) fn length(unit: &str, r: f64) -> String {
    match unit {
        "cm" => format!("{} km", short(r * 1e-5)),
        _ => short(r),
    }
}

/// Five significant digits, as people write them.
pub(crate) fn short(value: f64) -> String {
    significant(value, 5)
}

/// A relative number in per cent.
pub(crate) fn percent(value: f64, signed: bool) -> String {
    let hundred = 100.0 * value;
    if !hundred.is_finite() {
        return "infinite".to_owned();
    }
    match (signed, hundred.abs()) {
        (_, 0.0) => "0 %".to_owned(),
        (true, size) if size < 0.01 => format!("{hundred:+.1e} %"),
        (false, size) if size < 0.01 => format!("{hundred:.1e} %"),
        (true, _) => format!("{hundred:+.2} %"),
        (false, _) => format!("{hundred:.2} %"),
    }
}

fn left_out(report: &Report) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for comparison in &report.comparisons {
        for reason in &comparison.excluded {
            match lines.iter_mut().find(|line| line.ends_with(reason.as_str())) {
                Some(line) if !line.starts_with("several") => *line = format!("several: {reason}"),
                Some(_) => {}
                None => lines.push(format!("{}: {reason}", name(comparison))),
            }
        }
    }
    lines
}

fn skipped(report: &Report) -> Vec<String> {
    let species = |species: &Option<String>| species.as_ref().map_or(String::new(), |s| format!(" {s}"));
    report
        .not_compared
        .iter()
        .map(|skipped| format!("{}{}: {}", skipped.quantity, species(&skipped.species), skipped.reason))
        .collect()
}

fn check_line(check: &Check) -> String {
    let mark = if check.met { "ok      " } else { "EXCEEDED" };
    let species = check.species.as_ref().map_or(String::new(), |species| format!(" {species}"));
    let region = check.region.as_ref().map_or(String::new(), |region| format!(" in {region}"));
    let (value, threshold) = (percent(check.value, false), percent(check.threshold, false));
    format!("{mark} {}{species}{region}: {:?} {value} of {threshold} allowed", check.quantity, check.measure)
}

/// The outcome in one line.
fn verdict(report: &Report) -> String {
    let compared = report.comparisons.len();
    let exceeded = report.checks.iter().filter(|check| !check.met).count();
    match report.verdict {
        Verdict::NoThresholds => format!("{compared} comparisons; no thresholds were given."),
        Verdict::Met => format!("All {} thresholds met ({compared} comparisons).", report.checks.len()),
        Verdict::Exceeded => {
            format!("{exceeded} of {} thresholds exceeded ({compared} comparisons).", report.checks.len())
        }
    }
}

/// What the pointwise number leaves out.
fn floor_note() -> String {
    format!(
        "pointwise is the largest |other/reference − 1| among points above {RELATIVE_FLOOR} of the reference's \
         largest value"
    )
}

/// Lines of cells under their heads, in columns as wide as they need.
pub(crate) fn aligned<L: AsRef<[String]>>(head: &L, lines: &[L]) -> String {
    let width = |column: usize| {
        let cells = lines.iter().chain(std::iter::once(head)).filter_map(|line| line.as_ref().get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.as_ref().len()).map(width).collect();
    let mut text = String::new();
    for line in std::iter::once(head).chain(lines) {
        let padded = line.as_ref().iter().zip(&widths).map(|(cell, &width)| format!("{cell:<width$}"));
        let _ = writeln!(text, "  {}", padded.collect::<Vec<_>>().join("  ").trim_end());
    }
    text
}
