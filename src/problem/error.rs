//! Errors of a problem file, shown with their place in its text.

use std::ops::Range;
use std::path::Path;

use miette::{NamedSource, SourceSpan};

use super::syntax::{self, Node};

/// An invalid problem file. The message alone names file, line, column, field, what was found and what
/// is valid; miette's report adds the lines of the text.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[error("{message}")]
pub struct ProblemError {
    pub message: String,
    #[help]
    pub help: Option<String>,
    #[source_code]
    pub text: NamedSource<String>,
    #[label("here")]
    pub place: Option<SourceSpan>,
}

/// What is wrong, before it is known in which file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Complaint {
    /// Field path; empty where the text as a whole is meant.
    pub path: String,
    /// Bytes of the text that are meant.
    pub span: Range<usize>,
    pub what: String,
    pub help: Option<String>,
}

impl Complaint {
    /// The error for the file at `path` with the given text.
    pub fn in_file(self, path: &Path, text: &str) -> crate::error::Error {
        let name = path.display().to_string();
        let (line, column) = syntax::line_and_column(text, self.span.start);
        let field = if self.path.is_empty() { String::new() } else { format!("{}: ", self.path) };
        Box::new(ProblemError {
            message: format!("{name}:{line}:{column}: {field}{}", self.what),
            help: self.help,
            text: NamedSource::new(name, text.to_owned()),
            place: Some(first_line(text, &self.span).into()),
        })
        .into()
    }
}

/// The part of `span` on its first line: a struct of many lines is marked by its opening.
fn first_line(text: &str, span: &Range<usize>) -> Range<usize> {
    let marked = text.get(span.clone()).unwrap_or("");
    let end = marked.find('\n').unwrap_or(marked.len());
    span.start..span.start + marked[..end].trim_end().len()
}

/// The text of `node` for messages: its first line, cut where it is long.
pub(super) fn excerpt(text: &str, node: &Node) -> String {
    let line = text.get(first_line(text, &node.span)).unwrap_or("");
    let short: String = line.chars().take(60).collect();
    let whole = short.len() == node.span.len();
    if whole { short } else { format!("{short}…") }
}

/// "did you mean …?" for the most similar of the valid names.
pub(super) fn suggestion(found: &str, valid: &[&str]) -> Option<String> {
    /// Similarity (Jaro-Winkler, 0 to 1) below which a name is no misspelling.
    const SIMILAR: f64 = 0.8;
    let similarity = |name: &str| strsim::jaro_winkler(&found.to_lowercase(), &name.to_lowercase());
    valid
        .iter()
        .map(|name| (similarity(name), *name))
        .filter(|(similarity, _)| *similarity >= SIMILAR)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| format!("did you mean `{name}`?"))
}
