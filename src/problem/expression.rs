//! Formulas that users write into problem files.
//!
//! The grammar is exmex's (`+ - * / ^`, `sin`, `exp`, `ln`, `sqrt`, `tanh`, `min(a,b)`, `PI`, …) and
//! `step(x)`, which is 1 for x ≥ 0 and 0 otherwise. A leading minus has the precedence that people
//! expect: `-x^2` is −(x²).

use exmex::{Express, FlatEx, FloatOpsFactory, MakeOperators, MatchLiteral, Operator};

use crate::error::{Error, Result};

/// exmex's operators and the Heaviside step.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Operators;

impl MakeOperators<f64> for Operators {
    fn make<'a>() -> Vec<Operator<'a, f64>> {
        let mut operators = FloatOpsFactory::<f64>::make();
        operators.push(Operator::make_unary("step", |x| if x >= 0.0 { 1.0 } else { 0.0 }));
        operators
    }
}

exmex::literal_matcher_from_pattern!(Numbers, r"^([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?");

/// A parsed formula over a fixed list of variables.
#[derive(Debug, Clone)]
pub struct Expression {
    parsed: FlatEx<f64, Operators, Numbers>,
    /// Position in the caller's list of each variable that occurs, in exmex's order.
    positions: Vec<usize>,
    text: String,
}

impl Expression {
    /// Parses `text`, in which the names in `variables` may occur; `path` is the field it stands in.
    pub fn parse(text: &str, variables: &[&str], path: &str) -> Result<Self> {
        let invalid = |valid: String| Error::field(path, format!("\"{text}\""), valid);
        let parsed = FlatEx::<f64, Operators, Numbers>::parse(&with_usual_minus(text, path)?)
            .map_err(|error| invalid(format!("a formula ({error})")))?;
        let positions = parsed
            .var_names()
            .iter()
            .map(|name| {
                variables.iter().position(|known| known == name).ok_or_else(|| {
                    invalid(format!("a formula in {}; `{name}` is not one of them", variables.join(", ")))
                })
            })
            .collect::<Result<_>>()?;
        Ok(Self { parsed, positions, text: text.to_owned() })
    }

    /// Value for `values`, in the order of the variables given to [`Expression::parse`]. The value may
    /// be NaN where the formula has none: callers check it.
    pub fn evaluate(&self, values: &[f64]) -> f64 {
        let picked: Vec<f64> = self.positions.iter().map(|&position| values[position]).collect();
        self.parsed.eval(&picked).unwrap_or(f64::NAN)
    }

    /// The formula as written.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// exmex binds a unary minus tighter than `^`; a minus that opens an expression is therefore written
/// as `0-`, and one behind `*` or `/` is refused.
fn with_usual_minus(text: &str, path: &str) -> Result<String> {
    let mut rewritten = String::with_capacity(text.len() + 8);
    let mut before = '(';
    for character in text.chars() {
        if character == '-' && matches!(before, '(' | ',') {
            rewritten.push('0');
        }
        if character == '-' && matches!(before, '*' | '/') {
            return Err(Error::field(
                path,
                format!("\"{text}\""),
                "parentheses around a negative factor, as in a*(-b)",
            ));
        }
        rewritten.push(character);
        if !character.is_whitespace() {
            before = character;
        }
    }
    Ok(rewritten)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str, r: f64, energy: f64) -> f64 {
        Expression::parse(text, &["r", "energy"], "test").unwrap().evaluate(&[r, energy])
    }

    #[test]
    fn minus_has_its_usual_precedence() {
        assert_eq!(value("-r^2", 3.0, 0.0), -9.0);
        assert_eq!(value("exp(-r^2) + 2*(-r)^2", 0.5, 0.0), (-0.25f64).exp() + 0.5);
        assert_eq!(value("r^-2", 2.0, 0.0), 0.25);
        assert_eq!(value("1 - r - energy", 1.0, 3.0), -3.0);
    }

    #[test]
    fn numbers_may_have_exponents() {
        assert_eq!(value("2*r/1e8", 5e7, 0.0), 1.0);
        assert_eq!(value("1.5E-3 + 2.e+2*r - .5e1", 1.0, 0.0), 1.5e-3 + 200.0 - 5.0);
    }

    #[test]
    fn variables_keep_their_places_and_step_is_heaviside() {
        assert_eq!(value("energy / r", 2.0, 8.0), 4.0);
        assert_eq!(value("step(r-1)*energy", 1.0, 5.0), 5.0);
        assert_eq!(value("step(r-1)*energy", 0.9, 5.0), 0.0);
    }

    #[test]
    fn mistakes_are_named() {
        let unknown = Expression::parse("r*temperature", &["r"], "opacities[0]").unwrap_err().to_string();
        assert!(unknown.contains("opacities[0]") && unknown.contains("`temperature`"), "{unknown}");
        assert!(Expression::parse("r*-2", &["r"], "x").is_err());
        assert!(Expression::parse("r+*", &["r"], "x").is_err());
    }
}
