//! The text of a problem file as a tree with places: which bytes each value of the file stands in.
//! ron's own parser gives values without places, so errors of later stages could not be located, and
//! single values could not be overridden with everything else left as it was written.
//!
//! The tree knows RON's shapes but no types; what it lets through, ron still checks.

use std::ops::Range;

/// A value and the bytes it stands in.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    pub span: Range<usize>,
    pub shape: Shape,
}

/// What a value looks like.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// `(a: 1, b: 2)` or `Name(a: 1)`; `open` is the byte behind the opening parenthesis.
    Fields { open: usize, fields: Vec<Field> },
    /// `(1, 2)` or `Name(1)`.
    Tuple(Vec<Node>),
    /// `[1, 2]`.
    List(Vec<Node>),
    /// Numbers, booleans, characters, names without parentheses, and maps, which problems do not have.
    Scalar,
    /// `"…"` or `r#"…"#`.
    Text,
}

/// One field of a struct.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    pub name: String,
    pub name_span: Range<usize>,
    pub value: Node,
}

/// One step of a path: `.name` or `[index]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    Field(String),
    Index(usize),
}

/// A text that has no RON shape; `offset` is the byte where it stops making sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    pub offset: usize,
    pub expected: &'static str,
}

type Result<T> = std::result::Result<T, SyntaxError>;

/// The tree of a whole file, behind its `#![enable(…)]` attributes.
pub fn parse(text: &str) -> Result<Node> {
    let mut scanner = Scanner { text, at: 0, depth: 0 };
    scanner.attributes()?;
    let node = scanner.value()?;
    scanner.blanks()?;
    if scanner.at < text.len() { Err(scanner.error("the end of the file")) } else { Ok(node) }
}

impl Node {
    /// The value behind newtype variants and `Some`: in `Constant(4.0)`, `Profile((…))` and
    /// `Some([…])` the value in the parentheses.
    pub fn inner(&self) -> &Self {
        match &self.shape {
            Shape::Tuple(items) => match items.as_slice() {
                [only] => only.inner(),
                _ => self,
            },
            _ => self,
        }
    }

    /// The value one step below, if there is one. Names of enum variants are not steps.
    pub fn child(&self, step: &Step) -> Option<&Self> {
        match (&self.inner().shape, step) {
            (Shape::Fields { fields, .. }, Step::Field(name)) => {
                fields.iter().find(|field| field.name == *name).map(|field| &field.value)
            }
            (Shape::List(items) | Shape::Tuple(items), Step::Index(index)) => items.get(*index),
            _ => None,
        }
    }

    /// The deepest value on the way along `steps`, and how many of them lead to it.
    pub fn deepest(&self, steps: &[Step]) -> (&Self, usize) {
        let mut node = self;
        for (depth, step) in steps.iter().enumerate() {
            match node.child(step) {
                Some(child) => node = child,
                None => return (node, depth),
            }
        }
        (node, steps.len())
    }
}

impl Node {
    /// Steps to the deepest value that holds the byte `offset` (or ends there).
    pub fn steps_to(&self, offset: usize) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut node = self;
        while let Some((step, child)) = node.child_at(offset) {
            steps.push(step);
            node = child;
        }
        steps
    }

    fn child_at(&self, offset: usize) -> Option<(Step, &Self)> {
        let holds = |node: &Self| (node.span.start..=node.span.end).contains(&offset);
        match &self.inner().shape {
            Shape::Fields { fields, .. } => fields
                .iter()
                .find(|field| holds(&field.value))
                .map(|field| (Step::Field(field.name.clone()), &field.value)),
            Shape::List(items) | Shape::Tuple(items) => {
                items.iter().enumerate().find(|(_, item)| holds(item)).map(|(i, item)| (Step::Index(i), item))
            }
            Shape::Scalar | Shape::Text => None,
        }
    }
}

/// The steps of `a.b[2].c`.
pub fn parse_path(path: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    for part in path.split('.') {
        let (name, indices) = match part.find('[') {
            Some(bracket) => part.split_at(bracket),
            None => (part, ""),
        };
        if name.is_empty() || !name.chars().all(is_name) {
            return None;
        }
        steps.push(Step::Field(name.to_owned()));
        for index in indices.split_terminator(']') {
            steps.push(Step::Index(index.strip_prefix('[')?.parse().ok()?));
        }
        if !indices.is_empty() && !indices.ends_with(']') {
            return None;
        }
    }
    Some(steps)
}

/// `steps` as they are written: the inverse of [`parse_path`].
pub fn write_path(steps: &[Step]) -> String {
    let mut path = String::new();
    for step in steps {
        match step {
            Step::Field(name) if path.is_empty() => path.push_str(name),
            Step::Field(name) => path.extend([".", name]),
            Step::Index(index) => path.push_str(&format!("[{index}]")),
        }
    }
    path
}

/// Line and column of a byte, from 1; columns count characters.
pub fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (1 + before.matches('\n').count(), 1 + before[line_start..].chars().count())
}

/// Byte of a line and column, from 1; the end of the text where they lie beyond it.
pub fn offset_of(text: &str, line: usize, column: usize) -> usize {
    let line_start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let rest = text.get(line_start..).unwrap_or("");
    let within: usize = rest.chars().take(column.saturating_sub(1)).map(char::len_utf8).sum();
    line_start + within
}

fn is_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Deeper nesting than this is not a problem file; the bound keeps the recursion finite.
const DEEPEST: usize = 100;

struct Scanner<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Scanner<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn error(&self, expected: &'static str) -> SyntaxError {
        SyntaxError { offset: self.at, expected }
    }

    fn take(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    /// Blanks and comments; block comments nest.
    fn blanks(&mut self) -> Result<()> {
        loop {
            let rest = self.rest();
            self.at += rest.len() - rest.trim_start().len();
            if self.rest().starts_with("//") {
                self.at += self.rest().find('\n').unwrap_or(self.rest().len());
            } else if self.rest().starts_with("/*") {
                self.block_comment()?;
            } else {
                return Ok(());
            }
        }
    }

    fn block_comment(&mut self) -> Result<()> {
        let mut open = 0;
        loop {
            if self.take("/*") {
                open += 1;
            } else if self.take("*/") {
                open -= 1;
            } else {
                let next = self.rest().chars().next().ok_or_else(|| self.error("`*/`"))?;
                self.at += next.len_utf8();
            }
            if open == 0 {
                return Ok(());
            }
        }
    }

    /// `#![enable(…)]`.
    fn attributes(&mut self) -> Result<()> {
        self.blanks()?;
        while self.rest().starts_with("#!") {
            self.at += self.rest().find(']').ok_or_else(|| self.error("`]`"))? + 1;
            self.blanks()?;
        }
        Ok(())
    }

    fn value(&mut self) -> Result<Node> {
        self.blanks()?;
        if self.depth == DEEPEST {
            return Err(self.error("less nesting"));
        }
        self.depth += 1;
        let start = self.at;
        let shape = self.shape();
        self.depth -= 1;
        Ok(Node { shape: shape?, span: start..self.at })
    }

    fn shape(&mut self) -> Result<Shape> {
        if self.raw_string()? || self.quoted('"')? {
            return Ok(Shape::Text);
        }
        if self.quoted('\'')? {
            return Ok(Shape::Scalar);
        }
        if self.take("[") {
            return Ok(Shape::List(self.values("]")?));
        }
        if self.take("{") {
            self.map()?;
            return Ok(Shape::Scalar);
        }
        let word = self.word();
        let named = word.starts_with(|first: char| first.is_alphabetic() || first == '_');
        let end_of_word = self.at;
        if named {
            self.blanks()?;
        }
        if (word.is_empty() || named) && self.take("(") {
            return self.parentheses();
        }
        self.at = end_of_word;
        if word.is_empty() { Err(self.error("a value")) } else { Ok(Shape::Scalar) }
    }

    /// A number or name: everything up to a delimiter, blank or comment.
    fn word(&mut self) -> &'a str {
        let rest = self.rest();
        let end = rest
            .char_indices()
            .find(|(at, c)| {
                c.is_whitespace()
                    || "()[]{},:\"'".contains(*c)
                    || rest[*at..].starts_with("//")
                    || rest[*at..].starts_with("/*")
            })
            .map_or(rest.len(), |(at, _)| at);
        self.at += end;
        &rest[..end]
    }

    /// `r"…"`, `r#"…"#`, and so on.
    fn raw_string(&mut self) -> Result<bool> {
        let Some(behind) = self.rest().strip_prefix('r') else { return Ok(false) };
        let content = behind.trim_start_matches('#');
        if !content.starts_with('"') {
            return Ok(false);
        }
        let closing = format!("\"{}", "#".repeat(behind.len() - content.len()));
        let opening = 1 + closing.len();
        let length = content[1..].find(&closing).ok_or_else(|| self.error("the end of the string"))?;
        self.at += opening + length + closing.len();
        Ok(true)
    }

    fn quoted(&mut self, quote: char) -> Result<bool> {
        if !self.rest().starts_with(quote) {
            return Ok(false);
        }
        let mut escaped = false;
        for (at, character) in self.rest().char_indices().skip(1) {
            if character == quote && !escaped {
                self.at += at + quote.len_utf8();
                return Ok(true);
            }
            escaped = character == '\\' && !escaped;
        }
        Err(self.error("the end of the string"))
    }

    /// Values separated by commas, up to `close`.
    fn values(&mut self, close: &'static str) -> Result<Vec<Node>> {
        let mut items = Vec::new();
        loop {
            self.blanks()?;
            if self.take(close) {
                return Ok(items);
            }
            items.push(self.value()?);
            self.separator(close)?;
        }
    }

    /// A comma, or `close` ahead.
    fn separator(&mut self, close: &'static str) -> Result<()> {
        self.blanks()?;
        if self.take(",") || self.rest().starts_with(close) {
            Ok(())
        } else if close == "]" {
            Err(self.error("`,` or `]`"))
        } else {
            Err(self.error("`,` or the closing bracket"))
        }
    }

    /// What follows an opening parenthesis: fields where the first thing is a name with a colon.
    fn parentheses(&mut self) -> Result<Shape> {
        let open = self.at;
        self.blanks()?;
        let start = self.at;
        let first = self.word();
        self.blanks()?;
        let named = !first.is_empty() && self.rest().starts_with(':');
        self.at = start;
        if named || self.rest().starts_with(')') {
            Ok(Shape::Fields { open, fields: self.fields()? })
        } else {
            Ok(Shape::Tuple(self.values(")")?))
        }
    }

    fn fields(&mut self) -> Result<Vec<Field>> {
        let mut fields = Vec::new();
        loop {
            self.blanks()?;
            if self.take(")") {
                return Ok(fields);
            }
            let start = self.at;
            let name = self.word().to_owned();
            let name_span = start..self.at;
            self.blanks()?;
            if name.is_empty() || !self.take(":") {
                return Err(self.error("a field `name: value`"));
            }
            fields.push(Field { name, name_span, value: self.value()? });
            self.separator(")")?;
        }
    }

    fn map(&mut self) -> Result<()> {
        loop {
            self.blanks()?;
            if self.take("}") {
                return Ok(());
            }
            self.value()?;
            self.blanks()?;
            if !self.take(":") {
                return Err(self.error("`:`"));
            }
            self.value()?;
            self.separator("}")?;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    const FILE: &str = r##"#![enable(implicit_some)]
// (a comment: [1])
(
    title: "a \" (quote", /* (nested /* comment */ */
    text: r#"raw " string"#,
    metric: UniformStar(radius: "10 km", compactness: Some(0.5)),
    flat: Flat,
    absorption: Constant(4.0),
    edges: Edges([0, 1, -2.5e-3]),
    profile: Profile((file: "x.csv", columns: (r: (name: "r")))),
    opacities: [Scattering(scattering: Constant(1)), Bruenn1985()], // end
)
"##;

    fn at(path: &str) -> &'static str {
        let tree = parse(FILE).unwrap();
        let steps = parse_path(path).unwrap();
        let (node, depth) = tree.deepest(&steps);
        assert_eq!(depth, steps.len(), "{path}");
        &FILE[node.span.clone()]
    }

    #[rstest]
    #[case("title", r#""a \" (quote""#)]
    #[case("text", r##"r#"raw " string"#"##)]
    #[case("metric", "UniformStar(radius: \"10 km\", compactness: Some(0.5))")]
    #[case("metric.compactness", "Some(0.5)")]
    #[case("flat", "Flat")]
    #[case("absorption", "Constant(4.0)")]
    #[case("edges[2]", "-2.5e-3")]
    #[case("profile.columns.r.name", "\"r\"")]
    #[case("opacities[0].scattering", "Constant(1)")]
    #[case("opacities[1]", "Bruenn1985()")]
    fn values_are_found(#[case] path: &str, #[case] text: &str) {
        assert_eq!(at(path), text);
    }

    #[test]
    fn paths_stop_where_the_file_does() {
        let tree = parse(FILE).unwrap();
        for (path, depth) in [("metric.mass.x", 1), ("flat.x", 1), ("nothing", 0), ("opacities[7].x", 1)] {
            assert_eq!(tree.deepest(&parse_path(path).unwrap()).1, depth, "{path}");
        }
    }

    #[test]
    fn places_lead_to_paths() {
        let tree = parse(FILE).unwrap();
        for path in ["title", "edges[2]", "profile.columns.r.name", "opacities[0].scattering"] {
            let steps = parse_path(path).unwrap();
            assert_eq!(tree.steps_to(tree.deepest(&steps).0.span.start), steps);
        }
    }

    #[test]
    fn paths_are_read_and_written() {
        let path = "opacities[0].r.segments[12].end";
        assert_eq!(write_path(&parse_path(path).unwrap()), path);
        assert_eq!(write_path(&parse_path("a[1][2]").unwrap()), "a[1][2]");
        for bad in ["", ".a", "a..b", "a[", "a[x]", "a]1[", "a[1]b", "a b", "[0]"] {
            assert_eq!(parse_path(bad), None, "{bad}");
        }
    }

    #[test]
    fn places_are_counted_in_characters() {
        let text = "aé\nβγδ\n";
        assert_eq!(line_and_column(text, 0), (1, 1));
        let gamma = text.find('γ').unwrap();
        assert_eq!(line_and_column(text, gamma), (2, 2));
        assert_eq!(offset_of(text, 2, 2), gamma);
        assert_eq!(offset_of(text, 9, 9), text.len());
    }

    #[rstest]
    #[case("(a: 1", "a closing bracket")]
    #[case("(a: \"x)", "an end of the string")]
    #[case("(a: [1 2])", "a comma")]
    #[case("(a: 1) b", "nothing more")]
    #[case("/* (a: 1)", "an end of the comment")]
    #[case("(a: )", "a value")]
    #[case("(a: {1 2})", "a colon")]
    #[case("", "a value")]
    fn broken_texts_are_refused(#[case] text: &str, #[case] lacks: &str) {
        assert!(parse(text).is_err(), "lacks {lacks}");
    }

    #[test]
    fn deep_nesting_is_refused() {
        assert!(parse(&"[".repeat(100_000)).is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[(){}\\[\\],:\"'/*r#a1é \n\\\\.]{0,40}") {
            let _ = parse(&text);
            let _ = parse_path(&text);
        }
    }
}
