//! A result in memory: named dimensions, and variables with units over them. The writer, the reader,
//! `show`, `plot` and comparisons all work on this.

use std::collections::BTreeMap;

/// Values of a variable or an attribute.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    Real(Vec<f64>),
    Text(Vec<String>),
}

/// A variable over named dimensions (row-major, last dimension fastest).
#[derive(Debug, Clone, PartialEq)]
pub struct Variable {
    pub name: String,
    pub dimensions: Vec<String>,
    pub values: Values,
    /// Unit, "1" where dimensionless.
    pub units: String,
    pub long_name: String,
    /// Further attributes (definition used, sign conventions, …).
    pub attributes: BTreeMap<String, Attribute>,
}

/// An attribute of the file or of a variable.
#[derive(Debug, Clone, PartialEq)]
pub enum Attribute {
    Text(String),
    Real(f64),
    Reals(Vec<f64>),
    Integer(i64),
}

/// Dimensions, variables, attributes and sub-groups, in the order in which they were added.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Dataset {
    /// (name, length, unlimited).
    pub dimensions: Vec<(String, usize, bool)>,
    pub variables: Vec<Variable>,
    pub attributes: Vec<(String, Attribute)>,
    /// e.g. `samples`: the result at the radii asked for.
    pub groups: Vec<(String, Dataset)>,
}
