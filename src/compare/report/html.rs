//! The report as one HTML file that needs nothing else: no scripts, styles and figures inside.

use std::fmt::Write;

use super::super::{Comparison, Facts, Report, Verdict};
use super::{figures, name, notes, percent, place, short, significance, verdict, with_brackets};

const STYLE: &str = "
:root { color-scheme: light dark; --ink: #1d2127; --soft: #5c6570; --line: #d5dae0; --page: #ffffff;
  --card: #f5f7f9; --good: #14713d; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ed; --soft: #a3adb8; --line: #3a424b;
  --page: #14171a; --card: #1e2328; --good: #5fd08f; --bad: #ff8a80; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page); margin: 0 auto;
  max-width: 1240px; padding: 1.5rem; }
h1 { font-size: 1.5rem; margin: 0 0 .3rem; } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
p { margin: .3rem 0; } .soft { color: var(--soft); }
.verdict { border-left: .35rem solid var(--soft); background: var(--card); padding: .6rem 1rem; margin: 1rem 0;
  font-weight: 600; }
.verdict.good { border-color: var(--good); } .verdict.bad { border-color: var(--bad); }
.good { color: var(--good); } .bad { color: var(--bad); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .2rem .8rem .2rem 0; border-bottom: 1px solid var(--line);
  white-space: nowrap; vertical-align: top; }
th { color: var(--soft); font-weight: 600; } td.wrap { white-space: normal; overflow-wrap: anywhere; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 34rem), 1fr)); gap: 1rem;
  margin: .8rem 0; }
.figures figure { margin: 0; background: #ffffff; border: 1px solid var(--line); border-radius: .4rem;
  padding: .3rem; }
.figures svg { width: 100%; height: auto; display: block; }
a { color: inherit; }
";

/// The report as a page.
pub fn html(report: &Report) -> String {
    let mut body = summary(report);
    body += &thresholds(report);
    for comparisons in panels(report) {
        body += &panel(report, &comparisons);
    }
    body += &list("Not compared", &super::skipped(report));
    body += &list("Only in the reference", &report.only_in_reference);
    body += "<h2>Files</h2>\n<div class=\"scroll\">";
    body += &facts("reference", &report.reference);
    body += &facts("other", &report.other);
    body += "</div>\n";
    page("Comparison with a reference", &body, &format!("tolman compare {}", report.program_version))
}

/// A page that needs nothing else, made by `program`.
pub(crate) fn page(title: &str, body: &str, program: &str) -> String {
    let mut page = String::from("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    page += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
    let (title, program) = (escape(title), escape(program));
    let _ = write!(page, "<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{body}");
    let _ = write!(page, "<p class=\"soft\">Made by {program}.</p>\n</body>\n</html>\n");
    page
}

/// Text as HTML.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\'' => escaped += "&#39;",
            c => escaped.push(c),
        }
    }
    escaped
}

fn summary(report: &Report) -> String {
    let class = match report.verdict {
        Verdict::NoThresholds => "",
        Verdict::Met => " good",
        Verdict::Exceeded => " bad",
    };
    let title = report.reference.iter().find(|fact| fact.0 == "title");
    let title = title.map_or("Comparison with a reference", |fact| fact.1.as_str());
    let mut text =
        format!("<h1>{}</h1>\n<p class=\"verdict{class}\">{}</p>\n", escape(title), escape(&verdict(report)));
    for note in notes(report) {
        let _ = writeln!(text, "<p class=\"soft\">{}</p>", escape(&note));
    }
    text += "<h2>Summary</h2>\n";
    let all: Vec<&Comparison> = report.comparisons.iter().collect();
    text + &numbers(report, &all, true)
}

/// The table of norms.
fn numbers(report: &Report, comparisons: &[&Comparison], linked: bool) -> String {
    let mut text = String::from("<div class=\"scroll\"><table>\n<tr>");
    for head in [
        "quantity",
        "points",
        "L1",
        "L2",
        "mean",
        "max",
        "where",
        "other",
        "reference",
        "its error",
        "significant",
        "pointwise max",
    ] {
        let _ = write!(text, "<th>{head}</th>");
    }
    text += "</tr>\n";
    for comparison in comparisons {
        let metrics = &comparison.metrics;
        let error = metrics.max.reference_error;
        let label = escape(&with_brackets(comparison));
        let label = if linked { format!("<a href=\"#{}\">{label}</a>", anchor(comparison)) } else { label };
        let pointwise = metrics.pointwise.map_or("-".to_owned(), |worst| {
            format!("{} at {}", percent(worst.relative, true), place(report, &worst))
        });
        let cells = [
            metrics.points.to_string(),
            percent(metrics.l1, false),
            percent(metrics.l2, false),
            percent(metrics.mean, true),
            percent(metrics.max.relative_to_largest, true),
            place(report, &metrics.max),
            short(metrics.max.other),
            short(metrics.max.reference),
            error.map_or("unknown".to_owned(), short),
            significance(comparison),
            pointwise,
        ];
        let _ = write!(text, "<tr><td>{label}</td>");
        for cell in cells {
            let _ = write!(text, "<td>{}</td>", escape(&cell));
        }
        text += "</tr>\n";
    }
    text + "</table></div>\n"
}

fn thresholds(report: &Report) -> String {
    if report.checks.is_empty() {
        return "<h2>Thresholds</h2>\n<p>No thresholds were given.</p>\n".to_owned();
    }
    let mut text = String::from(
        "<h2>Thresholds</h2>\n<div class=\"scroll\"><table>\n<tr><th>quantity</th><th>species</th>\
         <th>radii</th><th>measure</th><th>value</th><th>allowed</th><th></th></tr>\n",
    );
    for check in &report.checks {
        let (class, outcome) = if check.met { ("good", "met") } else { ("bad", "exceeded") };
        let or_all = |text: &Option<String>| text.as_deref().map_or("all".to_owned(), escape);
        let _ = writeln!(
            text,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{:?}</td><td>{}</td><td>{}</td><td class=\"{class}\">{outcome}</td></tr>",
            escape(&check.quantity),
            check.species.as_deref().map_or("-".to_owned(), escape),
            or_all(&check.region),
            check.measure,
            percent(check.value, false),
            percent(check.threshold, false),
        );
    }
    text + "</table></div>\n"
}

/// Comparisons that are shown together: the species of a quantity; spectra each for itself.
fn panels(report: &Report) -> Vec<Vec<&Comparison>> {
    let mut panels: Vec<Vec<&Comparison>> = Vec::new();
    for comparison in &report.comparisons {
        let same = |panel: &&mut Vec<&Comparison>| {
            panel[0].quantity == comparison.quantity && comparison.sense.is_none()
        };
        match panels.last_mut().filter(same) {
            Some(panel) => panel.push(comparison),
            None => panels.push(vec![comparison]),
        }
    }
    panels
}

/// Name of a panel within the page.
fn anchor(comparison: &Comparison) -> String {
    match (&comparison.species, comparison.sense) {
        (Some(species), Some(_)) => escape(&format!("{}-{species}", comparison.quantity)),
        _ => comparison.quantity.clone(),
    }
}

fn panel(report: &Report, comparisons: &[&Comparison]) -> String {
    let Some(first) = comparisons.first() else { return String::new() };
    let species = match (&first.species, first.sense) {
        (Some(species), Some(_)) => format!(" {species}"),
        _ => String::new(),
    };
    let mut text = format!(
        "<h2 id=\"{}\">{}{} <span class=\"soft\">{}</span></h2>\n",
        anchor(first),
        escape(&first.quantity),
        escape(&species),
        escape(&subtitle(report, first))
    );
    let drawn = figures::figures(report, comparisons);
    text += &gallery(&drawn, &anchor(first));
    text += &numbers(report, comparisons, false);
    for comparison in comparisons {
        let _ = writeln!(
            text,
            "<p class=\"soft\">{}: other from {}, reference from {}</p>",
            escape(&name(comparison)),
            escape(&comparison.other_source),
            escape(&comparison.reference_source)
        );
    }
    let mut left_out: Vec<&String> = comparisons.iter().flat_map(|c| &c.excluded).collect();
    left_out.dedup();
    for reason in left_out {
        let _ = writeln!(text, "<p class=\"soft\">left out: {}</p>", escape(reason));
    }
    text
}

/// SVG figures side by side; `anchor` is what no other gallery of the page has.
pub(crate) fn gallery(figures: &[String], anchor: &str) -> String {
    if figures.is_empty() {
        return String::new();
    }
    let mut text = String::from("<div class=\"figures\">\n");
    for (index, svg) in figures.iter().enumerate() {
        let own = isolated(svg, &format!("{anchor}-{index}-"));
        let _ = writeln!(text, "<figure>{own}</figure>");
    }
    text + "</div>\n"
}

fn subtitle(report: &Report, comparison: &Comparison) -> String {
    let mut parts = vec![comparison.title.clone()];
    let sense = comparison.sense.map_or("", |sense| sense.text());
    let unit = if comparison.units == "1" { "" } else { &comparison.units };
    let spectra = figures::spectra_note(report, comparison).unwrap_or_default();
    parts.extend([comparison.frame.text(), unit, sense, &spectra].map(str::to_owned));
    parts.retain(|part| !part.is_empty());
    parts.join(", ")
}

/// The figure without an XML declaration, with ids that no other figure of the page has, and with a view
/// box, so that it scales with the page.
fn isolated(svg: &str, prefix: &str) -> String {
    let begin = svg.find("<svg").unwrap_or(0);
    let svg = &svg[begin..];
    let size = |name: &str| {
        let value = svg.split_once(&format!(" {name}=\""))?.1;
        value.split_once('"').map(|(number, _)| number)
    };
    let view = match (size("width"), size("height")) {
        (Some(width), Some(height)) if !svg.contains("viewBox") => {
            format!("<svg viewBox=\"0 0 {width} {height}\"")
        }
        _ => "<svg".to_owned(),
    };
    svg.replacen("<svg", &view, 1)
        .replace(" id=\"", &format!(" id=\"{prefix}"))
        .replace("url(#", &format!("url(#{prefix}"))
        .replace("href=\"#", &format!("href=\"#{prefix}"))
}

/// A section with `lines`; nothing where there are none.
pub(crate) fn list(title: &str, lines: &[String]) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let items: String = lines.iter().map(|line| format!("<li>{}</li>\n", escape(line))).collect();
    format!("<h2>{title}</h2>\n<ul>\n{items}</ul>\n")
}

fn facts(title: &str, facts: &Facts) -> String {
    let rows: String = facts
        .iter()
        .map(|(name, value)| {
            format!("<tr><td>{}</td><td class=\"wrap\">{}</td></tr>\n", escape(name), escape(value))
        })
        .collect();
    format!("<table>\n<tr><th colspan=\"2\">{title}</th></tr>\n{rows}</table><br>\n")
}
