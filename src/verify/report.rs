//! The reports of a verification as text, JSON and JUnit XML.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use serde::Serialize;

use super::{CaseReport, FACTOR, Outcome};
use crate::difference::Check;
use crate::error::{Error, Result};

/// Rows of a problem in the table: all that fail, and at least so many.
const SHOWN: usize = 3;

/// One problem as lines of a table.
pub fn table(report: &CaseReport) -> String {
    let head = match &report.outcome {
        Outcome::Passed => format!("ok       {} ({} variables)", report.name, report.checks.len()),
        Outcome::Failed(why) => format!("FAILED   {}: {why}", report.name),
        Outcome::Skipped(why) => format!("skipped  {}: {why}", report.name),
        Outcome::Invalid(why) => format!("INVALID  {}: {why}", report.name),
    };
    let shown = report.checks.iter().filter(|check| !check.met()).count().max(SHOWN);
    let rows: String = report.checks.iter().take(shown).map(row).collect();
    format!("{head}, {:.1} s\n{rows}", report.seconds)
}

/// What the columns of [`table`] are.
pub fn heading() -> String {
    format!(
        "         {:<28} {:>14} {:>14} {:>9} {:>9} {:>7}  where\n",
        "variable", "value", "reference", "diff.", "allowed", "ratio"
    )
}

fn row(check: &Check) -> String {
    format!(
        "  {:<6} {:<28} {:>14.7e} {:>14.7e} {:>9.1e} {:>9.1e} {:>7.2}  {} [{}]\n",
        if check.met() { "" } else { "beyond" },
        check.variable,
        check.value,
        check.reference,
        check.difference,
        check.allowed,
        check.ratio(),
        check.place,
        check.units,
    )
}

/// The closing line.
pub fn summary(reports: &[CaseReport]) -> String {
    let count = |wanted: fn(&Outcome) -> bool| reports.iter().filter(|r| wanted(&r.outcome)).count();
    format!(
        "{} passed, {} failed, {} invalid, {} skipped; allowed are {FACTOR} x the stored errors\n",
        count(|o| matches!(o, Outcome::Passed)),
        count(|o| matches!(o, Outcome::Failed(_))),
        count(|o| matches!(o, Outcome::Invalid(_))),
        count(|o| matches!(o, Outcome::Skipped(_))),
    )
}

#[derive(Serialize)]
struct JsonCase<'a> {
    problem: &'a str,
    outcome: &'static str,
    reason: Option<&'a str>,
    seconds: f64,
    checks: &'a [Check],
}

/// All reports as a JSON list.
///
/// # Errors
/// A number that is not finite.
pub fn json(reports: &[CaseReport]) -> Result<String> {
    let cases: Vec<_> = reports
        .iter()
        .map(|report| {
            let (outcome, reason) = named(&report.outcome);
            JsonCase {
                problem: &report.name,
                outcome,
                reason,
                seconds: report.seconds,
                checks: &report.checks,
            }
        })
        .collect();
    serde_json::to_string_pretty(&cases).map_err(|e| Error::Numerical(format!("JSON: {e}")))
}

fn named(outcome: &Outcome) -> (&'static str, Option<&str>) {
    match outcome {
        Outcome::Passed => ("passed", None),
        Outcome::Failed(why) => ("failed", Some(why)),
        Outcome::Skipped(why) => ("skipped", Some(why)),
        Outcome::Invalid(why) => ("invalid", Some(why)),
    }
}

/// All reports as JUnit XML, one test case per problem.
///
/// # Errors
/// The text cannot be written as XML.
pub fn junit(reports: &[CaseReport]) -> Result<String> {
    let mut suite = TestSuite::new("verify");
    for report in reports {
        let mut case = TestCase::new(report.name.as_str(), status(report));
        case.set_time(Duration::try_from_secs_f64(report.seconds).unwrap_or_default());
        case.set_classname("tolman.verify");
        suite.add_test_case(case);
    }
    let mut all = Report::new("tolman verify");
    all.add_test_suite(suite);
    all.to_string().map_err(|e| Error::Numerical(format!("JUnit: {e}")))
}

fn status(report: &CaseReport) -> TestCaseStatus {
    let mut status = match &report.outcome {
        Outcome::Passed => return TestCaseStatus::success(),
        Outcome::Skipped(_) => TestCaseStatus::skipped(),
        Outcome::Failed(_) => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Outcome::Invalid(_) => TestCaseStatus::non_success(NonSuccessKind::Error),
    };
    let (_, reason) = named(&report.outcome);
    status.set_message(reason.unwrap_or_default());
    status.set_description(format!("{}{}", heading(), table(report)));
    status
}
