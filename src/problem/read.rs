//! From the text of a problem file to its schema, with errors that say what was found and what is valid.

use std::ops::Range;

use ron::extensions::Extensions;
use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;

use super::error::{Complaint, excerpt, suggestion};
use super::syntax::{self, Node, Shape, Step};

type Result<T> = std::result::Result<T, Complaint>;

/// How problem files are read: optional fields need no `Some(…)`.
pub(super) fn options() -> ron::Options {
    ron::Options::default().with_default_extension(Extensions::IMPLICIT_SOME)
}

/// Reads a schema, such as [`ProblemFile`](super::file::ProblemFile), from `text`.
pub(super) fn read<T: DeserializeOwned>(text: &str) -> Result<T> {
    let tree = syntax::parse(text).map_err(|error| broken(text, &error))?;
    let mut deserializer = ron::Deserializer::from_str_with_options(text, &options())
        .map_err(|error| refused(text, &tree, Vec::new(), error))?;
    match serde_path_to_error::deserialize(&mut deserializer) {
        Ok(file) => Ok(file),
        Err(error) => {
            let steps = steps(error.path());
            let error = deserializer.span_error(error.into_inner());
            Err(refused(text, &tree, steps, error))
        }
    }
}

/// The path without the names of enum variants.
fn steps(path: &serde_path_to_error::Path) -> Vec<Step> {
    path.iter()
        .filter_map(|segment| match segment {
            Segment::Map { key } => Some(Step::Field(key.clone())),
            Segment::Seq { index } => Some(Step::Index(*index)),
            Segment::Enum { .. } | Segment::Unknown => None,
        })
        .collect()
}

/// A text without RON shape.
pub(super) fn broken(text: &str, error: &syntax::SyntaxError) -> Complaint {
    let rest = text.get(error.offset..).unwrap_or("");
    let word: String = rest.chars().take_while(|c| !c.is_whitespace()).take(20).collect();
    let found = if word.is_empty() { "the end of the text".to_owned() } else { format!("`{word}`") };
    Complaint {
        path: String::new(),
        span: error.offset..error.offset + word.len(),
        what: format!("found {found}; valid: {}", error.expected),
        help: None,
    }
}

/// An error of ron, at the value that `steps` lead to.
fn refused(text: &str, tree: &Node, mut steps: Vec<Step>, error: ron::error::SpannedError) -> Complaint {
    if is_left_over(&error.code) {
        let end = error.span.end;
        steps = tree.steps_to(syntax::offset_of(text, end.line, end.col));
        leave_tuple(tree, &mut steps);
    }
    let (node, _) = tree.deepest(&steps);
    let (what, span, help) = describe(text, node, &error.code);
    Complaint { path: syntax::write_path(&steps), span, what, help }
}

/// From a value that is one too many in the parentheses of a variant to the variant.
fn leave_tuple(tree: &Node, steps: &mut Vec<Step>) {
    if let Some((Step::Index(_), above)) = steps.split_last()
        && matches!(tree.deepest(above).0.inner().shape, Shape::Tuple(_))
    {
        steps.pop();
    }
}

/// Whether ron stopped in the middle of a value: the brackets and commas are right (the tree stands), so
/// the value is of another type than expected.
fn is_left_over(code: &ron::Error) -> bool {
    use ron::Error::{
        ExpectedArrayEnd, ExpectedComma, ExpectedOptionEnd, ExpectedStructLikeEnd, TrailingCharacters,
    };
    matches!(
        code,
        ExpectedComma | ExpectedArrayEnd | ExpectedStructLikeEnd | ExpectedOptionEnd | TrailingCharacters
    )
}

type Description = (String, Range<usize>, Option<String>);

/// What is wrong with `node`, where exactly, and a suggestion.
fn describe(text: &str, node: &Node, code: &ron::Error) -> Description {
    let found = excerpt(text, node);
    let whole = node.span.clone();
    match code {
        ron::Error::NoSuchStructField { expected, found, .. } => (
            format!("found the unknown field `{found}`; valid: {}", one_of(expected, "no fields")),
            field_span(node, found, 0),
            suggestion(found, expected),
        ),
        ron::Error::NoSuchEnumVariant { expected, found, .. } => (
            format!("found the unknown variant `{found}`; valid: {}", one_of(expected, "no variants")),
            whole,
            suggestion(found, expected),
        ),
        ron::Error::MissingStructField { field, .. } => {
            (format!("found no field `{field}`; valid: a value for `{field}`"), whole, None)
        }
        ron::Error::DuplicateStructField { field, .. } => {
            (format!("found `{field}` twice; valid: one value"), field_span(node, field, 1), None)
        }
        ron::Error::InvalidValueForType { expected, found } => {
            (format!("found {found}; valid: {expected}"), whole, None)
        }
        code if is_left_over(code) => (format!("found {found}; valid: {}", shorter(text, node)), whole, None),
        code => (format!("found {found}; valid: {}", expected(code)), whole, None),
    }
}

/// What a value should have been of which ron understood only the beginning.
fn shorter(text: &str, node: &Node) -> String {
    let written = text.get(node.span.clone()).unwrap_or("");
    let name = written.split('(').next().unwrap_or("").trim();
    match node.shape {
        Shape::Scalar if written.parse::<f64>().is_ok() => "an integer".to_owned(),
        Shape::Fields { .. } | Shape::Tuple(_) if !name.is_empty() => {
            format!("`{name}` without parentheses, or with fewer values in them")
        }
        _ => "a value of another type".to_owned(),
    }
}

/// ron's words for what it expected, without its "Expected".
fn expected(code: &ron::Error) -> String {
    match code {
        ron::Error::ExpectedStructLike | ron::Error::ExpectedNamedStructLike(_) => {
            "fields in parentheses, as in `(name: value)` or `Variant(name: value)`".to_owned()
        }
        ron::Error::ExpectedInteger => "an integer".to_owned(),
        ron::Error::IntegerOutOfBounds => "an integer within the range of the field".to_owned(),
        ron::Error::ExpectedFloat => "a number".to_owned(),
        ron::Error::ExpectedString => "a string in double quotes".to_owned(),
        ron::Error::ExpectedBoolean => "true or false".to_owned(),
        ron::Error::ExpectedArray => "a list in square brackets".to_owned(),
        ron::Error::ExpectedIdentifier
        | ron::Error::InvalidIdentifier(_)
        | ron::Error::SuggestRawIdentifier(_) => "the name of a variant, as in `Name(…)`".to_owned(),
        ron::Error::InvalidEscape(reason) => format!("a string with valid escapes ({reason})"),
        other => {
            let words = other.to_string();
            words.strip_prefix("Expected ").map_or(words.clone(), str::to_owned)
        }
    }
}

fn one_of(names: &[&str], none: &str) -> String {
    if names.is_empty() { none.to_owned() } else { names.join(", ") }
}

/// Where the name of a field stands, the `occurrence`-th time.
fn field_span(node: &Node, name: &str, occurrence: usize) -> Range<usize> {
    match &node.inner().shape {
        Shape::Fields { fields, .. } => fields
            .iter()
            .filter(|field| field.name == name)
            .nth(occurrence)
            .map_or(node.span.clone(), |field| field.name_span.clone()),
        _ => node.span.clone(),
    }
}
