//! A result in memory: named dimensions, and variables with units over them. The writer, the reader,
//! `show`, `plot` and comparisons all work on this.

use std::collections::{BTreeMap, HashSet};

use ndarray::{ArrayViewD, Axis, IxDyn};

use crate::error::{Error, Result};

/// Values of a variable or an attribute.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    Real(Vec<f64>),
    Text(Vec<String>),
}

impl Values {
    /// Number of values.
    pub fn len(&self) -> usize {
        match self {
            Self::Real(values) => values.len(),
            Self::Text(values) => values.len(),
        }
    }

    /// True where there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A variable over named dimensions (row-major, last dimension fastest).
#[derive(Debug, Clone, PartialEq)]
pub struct Variable {
    pub name: String,
    pub dimensions: Vec<String>,
    pub values: Values,
    /// Unit, "1" where dimensionless, empty for text.
    pub units: String,
    pub long_name: String,
    /// Further attributes (definition used, sign conventions, …).
    pub attributes: BTreeMap<String, Attribute>,
}

impl Variable {
    /// Adds an attribute, e.g. `definition`.
    pub fn attribute(&mut self, name: &str, value: impl Into<Attribute>) -> &mut Self {
        self.attributes.insert(name.to_owned(), value.into());
        self
    }

    /// True for the coordinate variable of a dimension: its name is that of its only dimension.
    pub fn is_coordinate(&self) -> bool {
        matches!(self.dimensions.as_slice(), [only] if *only == self.name)
    }
}

/// An attribute of the file or of a variable.
#[derive(Debug, Clone, PartialEq)]
pub enum Attribute {
    Text(String),
    Real(f64),
    Reals(Vec<f64>),
    Integer(i64),
}

impl From<&str> for Attribute {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Attribute {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<f64> for Attribute {
    fn from(value: f64) -> Self {
        Self::Real(value)
    }
}

impl From<Vec<f64>> for Attribute {
    fn from(values: Vec<f64>) -> Self {
        Self::Reals(values)
    }
}

impl From<i64> for Attribute {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

/// Dimensions, variables, attributes and sub-groups, in the order in which they were added.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Dataset {
    /// (name, length, unlimited).
    pub dimensions: Vec<(String, usize, bool)>,
    pub variables: Vec<Variable>,
    pub attributes: Vec<(String, Attribute)>,
    /// e.g. `samples`: the result at the radii asked for. A group also sees the dimensions of the
    /// dataset that it is in.
    pub groups: Vec<(String, Dataset)>,
}

/// Building.
impl Dataset {
    /// An empty dataset.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a dimension of fixed length.
    pub fn dimension(&mut self, name: &str, length: usize) -> &mut Self {
        self.dimensions.push((name.to_owned(), length, false));
        self
    }

    /// Adds a dimension to which entries may be appended in the file (`time`).
    pub fn unlimited(&mut self, name: &str, length: usize) -> &mut Self {
        self.dimensions.push((name.to_owned(), length, true));
        self
    }

    /// Adds a variable of numbers; returns it for further attributes. `values` is row-major over
    /// `dimensions`. What does not fit is found by [`Dataset::validate`].
    pub fn real(
        &mut self,
        name: &str,
        dimensions: &[&str],
        units: &str,
        long_name: &str,
        values: Vec<f64>,
    ) -> &mut Variable {
        self.push(name, dimensions, units, long_name, Values::Real(values))
    }

    /// Adds a variable of texts; returns it for further attributes.
    pub fn text(
        &mut self,
        name: &str,
        dimensions: &[&str],
        long_name: &str,
        values: Vec<String>,
    ) -> &mut Variable {
        self.push(name, dimensions, "", long_name, Values::Text(values))
    }

    fn push(
        &mut self,
        name: &str,
        dimensions: &[&str],
        units: &str,
        long_name: &str,
        values: Values,
    ) -> &mut Variable {
        let index = self.variables.len();
        self.variables.push(Variable {
            name: name.to_owned(),
            dimensions: dimensions.iter().map(|&d| d.to_owned()).collect(),
            values,
            units: units.to_owned(),
            long_name: long_name.to_owned(),
            attributes: BTreeMap::new(),
        });
        &mut self.variables[index]
    }

    /// Adds an attribute of the whole dataset, or replaces it.
    pub fn attribute(&mut self, name: &str, value: impl Into<Attribute>) -> &mut Self {
        let value = value.into();
        match self.attributes.iter_mut().find(|(n, _)| n == name) {
            Some((_, old)) => *old = value,
            None => self.attributes.push((name.to_owned(), value)),
        }
        self
    }

    /// Adds a sub-group.
    pub fn group(&mut self, name: &str, group: Dataset) -> &mut Self {
        self.groups.push((name.to_owned(), group));
        self
    }
}

/// Looking things up.
impl Dataset {
    /// The variable `name`.
    pub fn get(&self, name: &str) -> Option<&Variable> {
        self.variables.iter().find(|v| v.name == name)
    }

    /// The variable `name`.
    ///
    /// # Errors
    /// There is none; the message lists those that there are.
    pub fn require(&self, name: &str) -> Result<&Variable> {
        self.get(name).ok_or_else(|| {
            let names: Vec<_> = self.variables.iter().map(|v| v.name.as_str()).collect();
            Error::dataset(name, format!("no such variable; there are: {}", names.join(", ")))
        })
    }

    /// The numbers of the variable `name`, row-major.
    ///
    /// # Errors
    /// There is no such variable, or it holds text.
    pub fn reals(&self, name: &str) -> Result<&[f64]> {
        match &self.require(name)?.values {
            Values::Real(values) => Ok(values),
            Values::Text(_) => Err(Error::dataset(name, "holds text, not numbers")),
        }
    }

    /// The texts of the variable `name`.
    ///
    /// # Errors
    /// There is no such variable, or it holds numbers.
    pub fn texts(&self, name: &str) -> Result<&[String]> {
        match &self.require(name)?.values {
            Values::Text(values) => Ok(values),
            Values::Real(_) => Err(Error::dataset(name, "holds numbers, not text")),
        }
    }

    /// The numbers of the variable `name` over its dimensions.
    ///
    /// # Errors
    /// There is no such variable, it holds text, or its length does not fit its dimensions.
    pub fn array(&self, name: &str) -> Result<ArrayViewD<'_, f64>> {
        let shape = self.shape(self.require(name)?)?;
        ArrayViewD::from_shape(IxDyn(&shape), self.reals(name)?)
            .map_err(|_| Error::dataset(name, format!("its length does not fit its shape {shape:?}")))
    }

    /// Length of a dimension.
    pub fn length(&self, dimension: &str) -> Option<usize> {
        self.dimensions.iter().find(|(name, ..)| name == dimension).map(|&(_, length, _)| length)
    }

    /// Lengths of the variable's dimensions.
    ///
    /// # Errors
    /// A dimension is not declared.
    pub fn shape(&self, variable: &Variable) -> Result<Vec<usize>> {
        let length = |name: &String| {
            self.length(name).ok_or_else(|| undeclared(&variable.name, name, &self.dimensions))
        };
        variable.dimensions.iter().map(length).collect()
    }

    /// The attribute `name` of the whole dataset.
    pub fn get_attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|(n, _)| n == name).map(|(_, value)| value)
    }

    /// The text attribute `name` of the whole dataset.
    pub fn text_attribute(&self, name: &str) -> Option<&str> {
        match self.get_attribute(name) {
            Some(Attribute::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// A single number: an attribute, or a variable without dimensions.
    pub fn scalar(&self, name: &str) -> Option<f64> {
        match self.get_attribute(name) {
            Some(Attribute::Real(value)) => Some(*value),
            Some(Attribute::Integer(value)) => Some(*value as f64),
            Some(_) => None,
            None => match &self.get(name)?.values {
                Values::Real(values) => (values.len() == 1).then(|| values[0]),
                Values::Text(_) => None,
            },
        }
    }

    /// The sub-group `name` by itself, with the dimensions and coordinates that it inherits.
    pub fn get_group(&self, name: &str) -> Option<Dataset> {
        let mut group = self.groups.iter().find(|(n, _)| n == name).map(|(_, group)| group.clone())?;
        for dimension in &self.dimensions {
            if group.length(&dimension.0).is_none() {
                group.dimensions.push(dimension.clone());
            }
        }
        for variable in self.variables.iter().filter(|v| v.is_coordinate()) {
            if group.get(&variable.name).is_none() {
                group.variables.push(variable.clone());
            }
        }
        Some(group)
    }
}

/// Taking parts.
impl Dataset {
    /// The dataset at entry `index` of `dimension` (e.g. one time), without that dimension; its
    /// coordinate becomes a variable without dimensions. Variables that do not have it stay.
    ///
    /// # Errors
    /// No such dimension or entry, or a variable whose length does not fit its dimensions.
    pub fn at(&self, dimension: &str, index: usize) -> Result<Dataset> {
        let length = self.length(dimension).ok_or_else(|| Error::dataset(dimension, "no such dimension"))?;
        if index >= length {
            return Err(Error::dataset(dimension, format!("no entry {index}; it has {length}")));
        }
        let mut part = Dataset { attributes: self.attributes.clone(), ..Self::default() };
        part.dimensions = self.dimensions.iter().filter(|d| d.0 != dimension).cloned().collect();
        for variable in &self.variables {
            part.variables.push(self.variable_at(variable, dimension, index)?);
        }
        for (name, group) in &self.groups {
            let mut inherited = group.clone();
            let own = inherited.dimensions.len();
            inherited.dimensions.extend(self.dimensions.iter().cloned());
            let mut group = inherited.at(dimension, index)?;
            group.dimensions.truncate(own);
            part.groups.push((name.clone(), group));
        }
        Ok(part)
    }

    fn variable_at(&self, variable: &Variable, dimension: &str, index: usize) -> Result<Variable> {
        let Some(axis) = variable.dimensions.iter().position(|d| d == dimension) else {
            return Ok(variable.clone());
        };
        let shape = self.shape(variable)?;
        let misfit =
            || Error::dataset(&variable.name, format!("its length does not fit its shape {shape:?}"));
        let values = match &variable.values {
            Values::Real(values) => Values::Real(part(values, &shape, axis, index).ok_or_else(misfit)?),
            Values::Text(values) => Values::Text(part(values, &shape, axis, index).ok_or_else(misfit)?),
        };
        let mut dimensions = variable.dimensions.clone();
        dimensions.remove(axis);
        Ok(Variable { dimensions, values, ..variable.clone() })
    }
}

fn part<T: Clone>(values: &[T], shape: &[usize], axis: usize, index: usize) -> Option<Vec<T>> {
    let array = ArrayViewD::from_shape(IxDyn(shape), values).ok()?;
    Some(array.index_axis(Axis(axis), index).iter().cloned().collect())
}

/// Checking.
impl Dataset {
    /// Checks that the dataset can be written and says what it claims to: names are plain and unique,
    /// dimensions are declared and not empty, lengths fit, a variable with a dimension's name is its
    /// coordinate, and every number is finite.
    ///
    /// # Errors
    /// [`Error::Dataset`], or [`Error::Numerical`] for a number that is not finite, which names the
    /// variable and the entry.
    pub fn validate(&self) -> Result<()> {
        self.validate_within(&[])
    }

    fn validate_within(&self, inherited: &[(String, usize, bool)]) -> Result<()> {
        self.validate_names()?;
        let mut dimensions = self.dimensions.clone();
        dimensions.extend(inherited.iter().filter(|d| self.length(&d.0).is_none()).cloned());
        for (name, length, _) in &self.dimensions {
            if *length == 0 {
                return Err(Error::dataset(name, "a dimension without entries"));
            }
        }
        for variable in &self.variables {
            validate_variable(variable, &dimensions)?;
        }
        for (name, attribute) in &self.attributes {
            validate_attribute(name, attribute)?;
        }
        self.groups.iter().try_for_each(|(_, group)| group.validate_within(&dimensions))
    }

    fn validate_names(&self) -> Result<()> {
        let mut seen = HashSet::new();
        let dimensions = self.dimensions.iter().map(|d| &d.0);
        for name in dimensions.clone() {
            check_name(name)?;
            if !seen.insert(name) {
                return Err(Error::dataset(name, "two dimensions have this name"));
            }
        }
        let mut seen = HashSet::new();
        for name in self.variables.iter().map(|v| &v.name).chain(self.groups.iter().map(|g| &g.0)) {
            check_name(name)?;
            if !seen.insert(name) {
                return Err(Error::dataset(name, "two variables or groups have this name"));
            }
        }
        if let Some((name, _)) = self.groups.iter().find(|(g, _)| dimensions.clone().any(|d| d == g)) {
            return Err(Error::dataset(name, "a group and a dimension have this name"));
        }
        let mut seen = HashSet::new();
        match self.attributes.iter().find(|(name, _)| !seen.insert(name)) {
            Some((name, _)) => Err(Error::dataset(name, "two attributes have this name")),
            None => Ok(()),
        }
    }
}

fn check_name(name: &str) -> Result<()> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(plain) {
        return Ok(());
    }
    Err(Error::dataset(name, "a name must be ASCII letters, digits and _, with a letter first"))
}

fn undeclared(variable: &str, dimension: &str, declared: &[(String, usize, bool)]) -> Error {
    let names: Vec<_> = declared.iter().map(|d| d.0.as_str()).collect();
    Error::dataset(
        variable,
        format!("its dimension {dimension} is not declared; declared: {}", names.join(", ")),
    )
}

fn validate_variable(variable: &Variable, dimensions: &[(String, usize, bool)]) -> Result<()> {
    let name = &variable.name;
    let mut shape = Vec::new();
    for wanted in &variable.dimensions {
        let found = dimensions.iter().find(|d| d.0 == *wanted);
        shape.push(found.ok_or_else(|| undeclared(name, wanted, dimensions))?.1);
    }
    if variable.dimensions.iter().collect::<HashSet<_>>().len() < shape.len() {
        return Err(Error::dataset(name, "has a dimension twice"));
    }
    if dimensions.iter().any(|d| d.0 == *name) && !variable.is_coordinate() {
        return Err(Error::dataset(name, "has a dimension's name but is not over that dimension alone"));
    }
    let expected: usize = shape.iter().product();
    if variable.values.len() != expected {
        let what = format!("{} values over {shape:?} = {expected} entries", variable.values.len());
        return Err(Error::dataset(name, what));
    }
    for (attribute, value) in &variable.attributes {
        validate_attribute(&format!("{name}.{attribute}"), value)?;
    }
    match &variable.values {
        Values::Real(values) => check_finite(variable, &shape, values),
        Values::Text(values) => values.iter().try_for_each(|text| check_text(name, text)),
    }
}

fn check_finite(variable: &Variable, shape: &[usize], values: &[f64]) -> Result<()> {
    let Some(flat) = values.iter().position(|x| !x.is_finite()) else {
        return Ok(());
    };
    let mut rest = flat;
    let mut place = Vec::new();
    for (dimension, &length) in variable.dimensions.iter().zip(shape).rev() {
        place.push(format!("{dimension} {}", rest % length));
        rest /= length;
    }
    place.reverse();
    Err(Error::Numerical(format!(
        "{}: {} at entry [{}]; every value of a result must be finite",
        variable.name,
        values[flat],
        place.join(", ")
    )))
}

fn check_text(name: &str, text: &str) -> Result<()> {
    if text.contains('\0') {
        return Err(Error::dataset(name, "a text with a NUL character cannot be written"));
    }
    Ok(())
}

fn validate_attribute(name: &str, attribute: &Attribute) -> Result<()> {
    let finite = |values: &[f64]| match values.iter().find(|x| !x.is_finite()) {
        Some(value) => Err(Error::Numerical(format!("attribute {name}: {value} is not finite"))),
        None => Ok(()),
    };
    match attribute {
        Attribute::Text(text) => check_text(name, text),
        Attribute::Real(value) => finite(&[*value]),
        Attribute::Reals(values) => finite(values),
        Attribute::Integer(_) => Ok(()),
    }
}
