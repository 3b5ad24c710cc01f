//! A scorecard as one HTML file that needs nothing else.

use std::fmt::Write;

use super::figures::panels;
use super::table::{missing, notes, outcomes, row_head, scheme_cells, scheme_head, shown};
use super::{Cell, Row, Score, Scored, closures};
use crate::compare::report::html::{escape, gallery, list, page};
use crate::compare::report::short;

/// The scorecard as a page: schemes with their cost, all numbers, figures.
pub fn html(score: &Score) -> String {
    let mut body = format!("<h1>{}</h1>\n", escape(&score.title));
    for note in notes(score) {
        let _ = writeln!(body, "<p class=\"soft\">{}</p>", escape(&note));
    }
    body += "<h2>Schemes</h2>\n";
    let schemes: Vec<Vec<String>> = score.schemes.iter().map(scheme_cells).collect();
    body += &grid(&scheme_head(), &schemes);
    body += &list("Schemes without numbers", &outcomes(score));
    body += "<h2>Scores</h2>\n";
    body += &grid(&head(score), &score.rows.iter().map(|row| line(score, row)).collect::<Vec<_>>());
    let _ = writeln!(
        body,
        "<p class=\"soft\">Error of the scheme relative to the reference; in parentheses its value and the size of \
         the difference in units of the reference's own error. ~ not beyond {} times that error; ? the error is \
         not stated.</p>",
        short(score.significance_factor)
    );
    body += &closure_section(score);
    for panel in panels(score).iter().filter(|panel| !panel.figures.is_empty()) {
        let _ = writeln!(body, "<h2>{}</h2>", escape(&panel.title));
        body += &gallery(&panel.figures, &panel.anchor);
    }
    body += &list("Missing", &missing(score));
    page(&format!("Score: {}", score.title), &body, &format!("tolman score {}", score.program_version))
}

/// The a-priori test of closures, with its figures.
fn closure_section(score: &Score) -> String {
    let mut text = "<h2>Closures on the reference's moments</h2>\n".to_owned();
    let found = match &score.closures {
        Ok(found) => found,
        Err(why) => return text + &format!("<p class=\"soft\">no test: {}</p>\n", escape(why)),
    };
    let _ = writeln!(text, "<p class=\"soft\">{}</p>", escape(&closures::note(found)));
    text += &grid(&closures::head(found), &closures::lines(score, found));
    for panel in closures::panels(score, found).iter().filter(|panel| !panel.figures.is_empty()) {
        let _ = writeln!(text, "<h3>{}</h3>", escape(&panel.title));
        text += &gallery(&panel.figures, &panel.anchor);
    }
    text
}

fn head(score: &Score) -> Vec<String> {
    let fixed = ["quantity", "species", "of", "reference", "its error"].map(str::to_owned);
    fixed.into_iter().chain(score.schemes.iter().map(|scheme| scheme.method.clone())).collect()
}

fn line(score: &Score, row: &Row) -> Vec<String> {
    let mut line = row_head(score, row);
    line.extend(row.cells.iter().map(|cell| match cell {
        Cell::Missing(_) => "-".to_owned(),
        Cell::Scored(scored) => format!("{}{}", shown(score, cell), detail(scored)),
    }));
    line
}

/// The value and the size of its difference in units of the reference's error.
fn detail(scored: &Scored) -> String {
    let value = scored.value.map(short);
    let errors = scored.in_errors.map(|ratio| format!("{} errors", short_ratio(ratio)));
    let parts: Vec<String> = [value, errors].into_iter().flatten().collect();
    if parts.is_empty() { String::new() } else { format!(" ({})", parts.join("; ")) }
}

fn short_ratio(ratio: f64) -> String {
    crate::output::summary::significant(ratio, 2)
}

/// A table.
pub(super) fn grid(head: &[String], lines: &[Vec<String>]) -> String {
    let row = |tag: &str, cells: &[String]| {
        let cells: String = cells.iter().map(|cell| format!("<{tag}>{}</{tag}>", escape(cell))).collect();
        format!("<tr>{cells}</tr>\n")
    };
    let rows: String = lines.iter().map(|line| row("td", line)).collect();
    format!("<div class=\"scroll\"><table>\n{}{rows}</table></div>\n", row("th", head))
}
