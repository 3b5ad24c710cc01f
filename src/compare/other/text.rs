//! Tables of text: CSV with a header of names and units, or any table by a mapping.

use std::path::Path;
use std::str::FromStr;

use super::super::quantity::{Frame, Quantity, Sense, find_with_species};
use super::super::spectrum::EnergyAxis;
use super::mapping::{Mapping, Source, grid};
use super::{Context, Grid, Other, Series, check_energies, check_radii};
use crate::background::table::{Row, blank_separated, comma_separated};
use crate::error::{Error, Result};
use crate::problem::file::TableLayout;
use crate::units::Dimension;

/// What a column is.
#[derive(Debug, Clone)]
enum Role {
    Radius,
    Energy,
    Quantity { quantity: &'static Quantity, species: Option<usize>, grid: Grid },
}

/// A column that is read.
#[derive(Debug, Clone)]
struct Column {
    /// For messages and the report.
    label: String,
    /// From 0.
    position: usize,
    factor: f64,
    role: Role,
}

struct Table<'a> {
    path: &'a Path,
    rows: Vec<Row>,
}

/// Reads a CSV file whose header has names and units, such as `r [km], luminosity_nue [erg/s]`.
///
/// # Errors
/// [`Error::File`] with line and column of what is wrong.
pub(super) fn read_csv(path: &Path, context: Context) -> Result<Other> {
    let mut table = Table::open(path, TableLayout::Csv)?;
    let header = table.header()?;
    let mut columns = Vec::new();
    for (position, field) in header.fields.iter().enumerate() {
        let column = column(field, position, context).map_err(|what| {
            Error::file(path, format!("line {}, column {} `{field}`: {what}", header.line, position + 1))
        })?;
        columns.push(column);
    }
    table.assemble(&columns, None, Frame::Comoving)
}

/// Reads a table as the mapping says.
///
/// # Errors
/// [`Error::File`], or [`Error::Field`] for the mapping.
pub(super) fn read_mapped(path: &Path, mapping: &Mapping, context: Context) -> Result<Other> {
    let mut table = Table::open(path, mapping.layout)?;
    let energy = mapping.energy.as_ref();
    let by_name = mapping.quantities.iter().any(|entry| entry.name.is_some())
        || mapping.r.as_ref().is_some_and(|r| r.name.is_some())
        || energy.and_then(|energy| energy.centres.as_ref()).is_some_and(|centres| centres.name.is_some());
    let header = if by_name { Some(table.header()?) } else { None };
    let width = table.rows.first().or(header.as_ref()).map_or(0, |row| row.fields.len());
    let place = |name: Option<&String>, number: Option<usize>| {
        table.place(header.as_ref(), width, name.map(String::as_str), number)
    };
    let axis = |source: &Source, field: &str, dimension: Dimension, role: Role| {
        let (position, label) = place(source.name.as_ref(), source.column)?;
        Ok::<_, Error>(Column { label, position, factor: source.factor(dimension, field, context)?, role })
    };
    let mut columns = Vec::new();
    if let Some(r) = &mapping.r {
        columns.push(axis(r, "r", Dimension::Length, Role::Radius)?);
    }
    if let Some(centres) = energy.and_then(|energy| energy.centres.as_ref()) {
        columns.push(axis(centres, "energy.centres", Dimension::Energy, Role::Energy)?);
    }
    for (i, entry) in mapping.quantities.iter().enumerate() {
        let resolved = entry.resolve(i, context)?;
        let (position, label) = place(entry.name.as_ref(), entry.column)?;
        let &[species] = resolved.species.as_slice() else {
            let found = format!("{} species", resolved.species.len());
            return Err(Error::field(format!("quantities[{i}].species"), found, "one for a column"));
        };
        let role = Role::Quantity { quantity: resolved.quantity, species, grid: resolved.grid };
        columns.push(Column { label, position, factor: resolved.factor, role });
    }
    let edges = energy.and_then(|energy| energy.edge_values.as_ref());
    let edges = edges.map(|list| list.convert(Dimension::Energy, context.units, "energy.edge_values"));
    table.assemble(&columns, edges.transpose()?, energy.map_or(Frame::Comoving, |energy| energy.frame))
}

/// The column of a header field `name [unit]`.
fn column(field: &str, position: usize, context: Context) -> std::result::Result<Column, String> {
    let (name, unit) = split(field)?;
    let wrong = |valid: String| match unit {
        Some(unit) => format!("found the unit \"{unit}\"; valid: {valid}"),
        None => format!("found no unit; valid: [unit] after the name, with {valid}"),
    };
    let (role, dimension) = match name {
        "r" => (Role::Radius, Dimension::Length),
        "energy" => (Role::Energy, Dimension::Energy),
        name => {
            let (quantity, species) = find_with_species(name, context.species)?;
            let grid = grid(quantity, Sense::Pointwise, context);
            (Role::Quantity { quantity, species, grid }, quantity.dimension)
        }
    };
    let factor = context.factor(unit, dimension).map_err(wrong)?;
    Ok(Column { label: name.to_owned(), position, factor, role })
}

/// Name and unit of `name [unit]`.
fn split(field: &str) -> std::result::Result<(&str, Option<&str>), String> {
    let Some((name, rest)) = field.split_once('[') else { return Ok((field.trim(), None)) };
    match rest.trim_end().strip_suffix(']') {
        Some(unit) => Ok((name.trim(), Some(unit.trim()))),
        None => Err("valid: a name and its unit in brackets, as in `r [km]`".to_owned()),
    }
}

impl<'a> Table<'a> {
    fn open(path: &'a Path, layout: TableLayout) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Error::file(path, format!("cannot be read as text: {error}")))?;
        let rows = match layout {
            TableLayout::Blanks => blank_separated(&text),
            _ => comma_separated(&text),
        };
        let rows = rows.map_err(|error| Error::file(path, format!("is not a table: {error}")))?;
        if rows.is_empty() {
            return Err(Error::file(path, "is empty; valid: a table with a header and rows of numbers"));
        }
        Ok(Self { path, rows })
    }

    /// Takes the first row, which must have names.
    fn header(&mut self) -> Result<Row> {
        let first = self.rows.remove(0);
        if first.fields.iter().all(|field| f64::from_str(field).is_ok()) {
            let what = format!(
                "line {}: found numbers where the header should be; valid: names and units, as in `r [km], \
                 luminosity_nue [erg/s]`, or a mapping by column numbers",
                first.line
            );
            return Err(Error::file(self.path, what));
        }
        Ok(first)
    }

    /// Position and label of a column by name or number.
    fn place(
        &self,
        header: Option<&Row>,
        width: usize,
        name: Option<&str>,
        number: Option<usize>,
    ) -> Result<(usize, String)> {
        if let Some(number) = number {
            if number > width {
                let what = format!("no column {number}; the table has {width} columns");
                return Err(Error::file(self.path, what));
            }
            return Ok((number - 1, format!("column {number}")));
        }
        let name = name.unwrap_or_default();
        let names = header.map_or(&[][..], |row| row.fields.as_slice());
        let is = |field: &&String| *field == name || split(field).is_ok_and(|(bare, _)| bare == name);
        match names.iter().filter(is).count() {
            1 => Ok((names.iter().position(|field| is(&field)).unwrap_or(0), name.to_owned())),
            0 => {
                let what = format!("no column `{name}`; the header has: {}", names.join(", "));
                Err(Error::file(self.path, what))
            }
            _ => Err(Error::file(self.path, format!("column `{name}` stands more than once in the header"))),
        }
    }

    fn assemble(self, columns: &[Column], edges: Option<Vec<f64>>, frame: Frame) -> Result<Other> {
        if self.rows.is_empty() {
            return Err(Error::file(self.path, "has a header but no rows of numbers"));
        }
        let only = |wanted: fn(&Role) -> bool, name: &str| {
            let found: Vec<&Column> = columns.iter().filter(|column| wanted(&column.role)).collect();
            match found.as_slice() {
                [] => Ok(None),
                [column] => Ok(Some(*column)),
                _ => Err(Error::file(self.path, format!("more than one column of {name}"))),
            }
        };
        let radius = only(|role| matches!(role, Role::Radius), "radii")?;
        let radius = radius.ok_or_else(|| {
            Error::file(self.path, "has no column of radii; valid: `r [km]`, or `r` in the mapping")
        })?;
        let energy = only(|role| matches!(role, Role::Energy), "energies")?;
        let mut radii = self.values(radius)?;
        let axis = match energy {
            Some(energy) => {
                let (r, axis) = self.rectangle(radius, &radii, energy, edges, frame)?;
                radii = r;
                Some(axis)
            }
            None => {
                let line = |i: usize| format!("in line {}", self.rows[i].line);
                check_radii(self.path, &format!("column `{}`", radius.label), &radii, &line)?;
                None
            }
        };
        let mut series = Vec::new();
        for column in columns {
            if let Role::Quantity { quantity, species, grid } = column.role {
                self.check_grid(column, quantity, grid, axis.is_some())?;
                let values = self.values(column)?;
                series.push(Series { quantity, species, grid, values, source: column.label.clone() });
            }
        }
        Ok(Other { r: radii, energy: axis, series, ..Other::default() })
    }

    /// Whether the rows are what the quantity depends on.
    fn check_grid(&self, column: &Column, quantity: &Quantity, grid: Grid, has_energy: bool) -> Result<()> {
        let what = match (grid, has_energy) {
            (Grid::Radii, false) | (Grid::Spectrum(_), true) => return Ok(()),
            (Grid::Radii, true) => "has one value for each radius, but the rows are for radii and energies",
            (Grid::Spectrum(_), false) => {
                "has a spectrum: the table needs a column of energies, as in `energy [MeV]`"
            }
            _ => "is not over radius, as the rows of a table are: HDF5 can hold it",
        };
        Err(Error::file(self.path, format!("column `{}`: {} {what}", column.label, quantity.name)))
    }

    /// Numbers of a column times its factor, each finite.
    fn values(&self, column: &Column) -> Result<Vec<f64>> {
        self.rows.iter().map(|row| self.number(row, column)).collect()
    }

    fn number(&self, row: &Row, column: &Column) -> Result<f64> {
        let fail = |found: String, valid: &str| {
            let place = format!("column `{}` in line {}", column.label, row.line);
            Error::file(self.path, format!("{place}: found {found}; valid: {valid}"))
        };
        let Some(text) = row.fields.get(column.position).filter(|text| !text.is_empty()) else {
            return Err(fail("nothing".to_owned(), "a number in each row"));
        };
        let width = self.rows.first().map_or(0, |first| first.fields.len());
        if row.fields.len() != width {
            let found = format!("a row of {} fields", row.fields.len());
            return Err(fail(found, &format!("{width} fields, as in line {}", self.rows[0].line)));
        }
        let value = f64::from_str(text).map_err(|_| fail(format!("\"{text}\""), "a number"))?;
        let converted = value * column.factor;
        if converted.is_finite() { Ok(converted) } else { Err(fail(text.clone(), "a finite number")) }
    }

    /// Radii and energies of rows that run through all energies at each radius.
    fn rectangle(
        &self,
        radius: &Column,
        radii: &[f64],
        energy: &Column,
        edges: Option<Vec<f64>>,
        frame: Frame,
    ) -> Result<(Vec<f64>, EnergyAxis)> {
        let energies = self.values(energy)?;
        let count = radii.iter().take_while(|r| **r == radii[0]).count();
        let centres = energies[..count].to_vec();
        for (i, row) in self.rows.iter().enumerate() {
            if radii[i] != radii[i - i % count] || energies[i] != centres[i % count] {
                let what = format!(
                    "line {}: found r = {}, energy = {}; valid: at each radius the same {count} energies in the \
                     same order, as at the first",
                    row.line, radii[i], energies[i]
                );
                return Err(Error::file(self.path, what));
            }
        }
        if !radii.len().is_multiple_of(count) {
            let what = format!("{} rows are not {count} energies at each radius", radii.len());
            return Err(Error::file(self.path, what));
        }
        let r: Vec<f64> = radii.iter().step_by(count).copied().collect();
        let line = |i: usize| format!("in line {}", self.rows[i * count].line);
        check_radii(self.path, &format!("column `{}`", radius.label), &r, &line)?;
        let axis = EnergyAxis { centres, edges, frame };
        check_energies(self.path, &axis)?;
        Ok((r, axis))
    }
}
