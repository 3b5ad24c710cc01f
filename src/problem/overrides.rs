//! `--set path=value`: replaces single values in the text of a problem file and leaves everything else,
//! comments included, as it is written. Nothing is put on lines of its own, so line numbers stay.

use std::path::Path;

use serde::de::IgnoredAny;

use super::error::{Complaint, excerpt, suggestion};
use super::quantity::split_quantity;
use super::read;
use super::syntax::{self, Node, Shape, Step};
use crate::error::Result as LibraryResult;

type Result<T, E = Complaint> = std::result::Result<T, E>;

/// Sections that have a default and may therefore be missing in a file; one that a path leads through
/// is added.
const OPTIONAL_SECTIONS: [&str; 3] = ["boundary", "outputs", "resolutions"];

/// Splits `path=value`.
///
/// # Errors
/// A message for the command line where there is no `=` or no path before it.
pub fn split_assignment(assignment: &str) -> Result<(String, String), String> {
    match assignment.split_once('=') {
        Some((path, value)) if !path.trim().is_empty() => {
            Ok((path.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err(format!("found `{assignment}`; valid: path=value, such as phase_space.r.degree=3")),
    }
}

/// `text` with every (path, value) of `overrides` applied in turn; `file` is named by errors.
pub(super) fn apply_all(
    mut text: String,
    overrides: &[(String, String)],
    file: &Path,
) -> LibraryResult<String> {
    for (path, value) in overrides {
        text = apply(&text, path, value).map_err(|complaint| {
            let what = format!("--set {path}={value}: {}", complaint.what);
            Complaint { what, path: String::new(), ..complaint }.in_file(file, &text)
        })?;
    }
    Ok(text)
}

/// `text` with the value at `path` replaced by, or a new field with, `value`.
fn apply(text: &str, path: &str, value: &str) -> Result<String> {
    let tree = syntax::parse(text).map_err(|error| read::broken(text, &error))?;
    let steps = syntax::parse_path(path).ok_or_else(|| {
        complaint(
            &tree,
            format!("found the path `{path}`; valid: names and indices such as opacities[0].region"),
        )
    })?;
    let (node, depth) = tree.deepest(&steps);
    match &steps[depth..] {
        [] => {
            let value = written(value, Some(node)).ok_or_else(|| not_ron(node, value))?;
            let span = replaced(node, &value).span.clone();
            Ok(format!("{}{value}{}", &text[..span.start], &text[span.end..]))
        }
        missing => {
            let value = written(value, None).ok_or_else(|| not_ron(node, value))?;
            let (open, field) = inserted(node, missing, &value)
                .ok_or_else(|| no_place(text, node, &steps[..depth], &missing[0]))?;
            Ok(format!("{}{field}{}", &text[..open], &text[open..]))
        }
    }
}

fn complaint(node: &Node, what: String) -> Complaint {
    Complaint { path: String::new(), span: node.span.clone(), what, help: None }
}

fn not_ron(node: &Node, value: &str) -> Complaint {
    complaint(
        node,
        format!(
            "found the value `{value}`; valid: a number, a quantity such as 10 km, or a value as in the file"
        ),
    )
}

/// Where a new field goes, and its text.
fn inserted(node: &Node, missing: &[Step], value: &str) -> Option<(usize, String)> {
    let Shape::Fields { open, fields } = &node.inner().shape else { return None };
    let field = match missing {
        [Step::Field(name)] => format!("{name}: {value}"),
        [Step::Field(section), Step::Field(name)] if OPTIONAL_SECTIONS.contains(&section.as_str()) => {
            format!("{section}: ({name}: {value})")
        }
        _ => return None,
    };
    let separator = if fields.is_empty() { "" } else { ", " };
    Some((*open, field + separator))
}

/// The path ends at `node`, which has no `step`.
fn no_place(text: &str, node: &Node, exists: &[Step], step: &Step) -> Complaint {
    let place =
        if exists.is_empty() { "the file".to_owned() } else { format!("`{}`", syntax::write_path(exists)) };
    let (valid, help) = match (&node.inner().shape, step) {
        (Shape::Fields { fields, .. }, Step::Field(name)) => {
            let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
            (format!("the fields {}", names.join(", ")), suggestion(name, &names))
        }
        (Shape::Fields { fields, .. }, Step::Index(_)) => {
            let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
            (format!("the fields {}", names.join(", ")), None)
        }
        (Shape::List(items) | Shape::Tuple(items), _) => (format!("indices below {}", items.len()), None),
        (Shape::Scalar | Shape::Text, _) => {
            (format!("nothing below the value {}", excerpt(text, node)), None)
        }
    };
    let found = syntax::write_path(std::slice::from_ref(step));
    Complaint { help, ..complaint(node, format!("found no `{found}` in {place}; valid: {valid}")) }
}

/// The part of `node` that `value` takes the place of: a number, string or list replaces the number,
/// string or list in a newtype variant such as `Constant(4.0)`, anything else the whole value.
fn replaced<'a>(node: &'a Node, value: &str) -> &'a Node {
    let inner = node.inner();
    let fits = match &inner.shape {
        Shape::Scalar | Shape::Text => is_number(value) || is_string(value),
        Shape::List(_) => value.starts_with('['),
        Shape::Fields { .. } | Shape::Tuple(_) => false,
    };
    if fits { inner } else { node }
}

/// `value` as RON: as it is, or in quotes where it is a quantity with a unit or takes the place of a
/// string; `None` where it is neither.
fn written(value: &str, node: Option<&Node>) -> Option<String> {
    let value = value.trim();
    let quoted = || format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""));
    let is_ron = syntax::parse(value).is_ok() && read::options().from_str::<IgnoredAny>(value).is_ok();
    let replaces_text = node.is_some_and(|node| node.inner().shape == Shape::Text && !value.is_empty());
    let in_variant = node.is_some_and(|node| matches!(node.shape, Shape::Tuple(_)));
    let is_quantity = split_quantity(value)
        .is_some_and(|(_, unit)| unit.is_some_and(|unit| unit.starts_with(char::is_alphanumeric)));
    if is_ron && (!replaces_text || stands_for_itself(value, in_variant)) {
        Some(value.to_owned())
    } else if replaces_text || is_quantity {
        Some(quoted())
    } else {
        None
    }
}

/// Whether a valid RON value that takes the place of a string is meant as it is: numbers, strings,
/// options, and other variants in place of one that holds a string. Formulas such as `exp(r)` look like
/// variants, but variants begin with a capital.
fn stands_for_itself(value: &str, in_variant: bool) -> bool {
    let option = value == "None" || value.starts_with("Some(");
    let variant = in_variant && value.starts_with(|first: char| first.is_uppercase());
    is_number(value) || is_string(value) || option || variant
}

fn is_number(value: &str) -> bool {
    value.parse::<f64>().is_ok() || value == "true" || value == "false"
}

fn is_string(value: &str) -> bool {
    syntax::parse(value).is_ok_and(|node| node.shape == Shape::Text)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const FILE: &str = r#"(
    title: "old", // title: "not this"
    metric: UniformStar(radius: "10 km", compactness: 0.5),
    absorption: Constant(4.0),
    formula: Expression("r"),
    mu: Graded(degree: 2, finest: 1e-3),
    segments: [(end: 1, elements: 8), (end: 2, elements: 16)],
    edges: Edges([0, 1]),
    gray: Gray,
    mode: SteadyState(),
)"#;

    #[rstest]
    #[case("metric.compactness", "0.8", "compactness: 0.5", "compactness: 0.8")]
    #[case("metric.radius", "12 km", "\"10 km\"", "\"12 km\"")]
    #[case("metric.radius", "\"12 km\"", "\"10 km\"", "\"12 km\"")]
    #[case("metric.radius", "12", "\"10 km\"", "12")]
    #[case("metric.radius", "None", "\"10 km\"", "None")]
    #[case("metric", "Flat", "UniformStar(radius: \"10 km\", compactness: 0.5)", "Flat")]
    #[case("absorption", "250", "Constant(4.0)", "Constant(250)")]
    #[case("absorption", "4e-4 1/cm", "Constant(4.0)", "Constant(\"4e-4 1/cm\")")]
    #[case("absorption", "Expression(\"r^2\")", "Constant(4.0)", "Expression(\"r^2\")")]
    #[case("formula", "exp(r)*2", "\"r\"", "\"exp(r)*2\"")]
    #[case("formula", "exp(r)", "\"r\"", "\"exp(r)\"")]
    #[case("formula", "Constant(1)", "Expression(\"r\")", "Constant(1)")]
    #[case("mu.finest", "1e-4", "1e-3", "1e-4")]
    #[case("segments[1].elements", "32", "16", "32")]
    #[case("segments[0]", "(end: 3, elements: 1)", "(end: 1, elements: 8)", "(end: 3, elements: 1)")]
    #[case("edges", "[0, 2, 3]", "Edges([0, 1])", "Edges([0, 2, 3])")]
    #[case("edges[1]", "5", "[0, 1]", "[0, 5]")]
    #[case("gray", "Geometric(from: 1)", "gray: Gray", "gray: Geometric(from: 1)")]
    #[case("title", "new \"title\"", "\"old\"", "\"new \\\"title\\\"\"")]
    #[case("title", "New", "\"old\"", "\"New\"")]
    #[case("mu.ordinates", "8", "Graded(", "Graded(ordinates: 8, ")]
    #[case("mode.tolerance", "1e-8", "SteadyState()", "SteadyState(tolerance: 1e-8)")]
    #[case("units", "Physical", "(\n    title", "(units: Physical, \n    title")]
    #[case("outputs.distribution", "false", "(\n    title", "(outputs: (distribution: false), \n    title")]
    fn values_are_replaced(#[case] path: &str, #[case] value: &str, #[case] old: &str, #[case] new: &str) {
        assert_eq!(apply(FILE, path, value).unwrap(), FILE.replacen(old, new, 1));
    }

    #[rstest]
    #[case("metric.mass.unit", "1", "found no `mass` in `metric`; valid: the fields radius, compactness")]
    #[case("titel.x", "1", "found no `titel` in the file; valid: the fields title, metric")]
    #[case("segments[2].end", "1", "found no `[2]` in `segments`; valid: indices below 2")]
    #[case("segments.end", "1", "found no `end` in `segments`; valid: indices below 2")]
    #[case("metric[0]", "1", "found no `[0]` in `metric`; valid: the fields radius, compactness")]
    #[case("gray.degree", "1", "found no `degree` in `gray`; valid: nothing below the value Gray")]
    #[case("a..b", "1", "found the path `a..b`; valid: names and indices")]
    #[case("mu.finest", "1 +", "found the value `1 +`; valid: a number")]
    #[case("mu.finest", "", "found the value ``; valid: a number")]
    #[case("mu.new", "some words", "found the value `some words`; valid: a number")]
    fn what_has_no_place_is_refused(#[case] path: &str, #[case] value: &str, #[case] message: &str) {
        let what = apply(FILE, path, value).unwrap_err().what;
        assert!(what.starts_with(message), "{what}");
    }

    #[test]
    fn misspelt_fields_are_suggested() {
        let help = apply(FILE, "segmants[0].end", "1").unwrap_err().help;
        assert_eq!(help.as_deref(), Some("did you mean `segments`?"));
    }

    #[test]
    fn assignments_are_split_at_the_first_equals_sign() {
        assert_eq!(split_assignment("a.b = c=d").unwrap(), ("a.b".to_owned(), "c=d".to_owned()));
        assert!(split_assignment("a.b").unwrap_err().contains("valid: path=value"));
        assert!(split_assignment("=1").is_err());
    }
}
