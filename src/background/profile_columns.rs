//! Columns of a profile's table: units, ranges and order checked; values in internal units, radii
//! ascending.

use std::path::Path;

use super::interpolate::{Centre, Curve, MonotoneCubic};
use super::table::Table;
use crate::error::{Error, Result};
use crate::problem::BuildContext;
use crate::problem::file::{Column, ProfileFile, ProfileInterpolation};
use crate::units::{Dimension, UnitSystem, unit_factor};

/// By how much a fraction of a table may leave [0, 1]; it is put back to the bound.
const FRACTION_TOLERANCE: f64 = 1e-3;
/// A profile without zone edges reaches the centre if its first radius is at most this many times the
/// first spacing: 0.5 for equal zones, 2.3 for equal masses, far more where a core is cut out.
const LARGEST_CENTRAL_GAP: f64 = 4.0;

/// Which values a column may hold.
#[derive(Debug, Clone, Copy)]
pub(super) enum Valid {
    Any,
    Positive,
    NotNegative,
    /// Between 0 and 1 within [`FRACTION_TOLERANCE`].
    Fraction,
}

impl Valid {
    fn holds(self, value: f64) -> bool {
        match self {
            Self::Any => true,
            Self::Positive => value > 0.0,
            Self::NotNegative => value >= 0.0,
            Self::Fraction => (-FRACTION_TOLERANCE..=1.0 + FRACTION_TOLERANCE).contains(&value),
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Any => "finite numbers",
            Self::Positive => "positive numbers",
            Self::NotNegative => "numbers that are not negative",
            Self::Fraction => "numbers between 0 and 1",
        }
    }
}

/// Where the values of a profile stand.
#[derive(Debug, Clone)]
pub(super) struct Points {
    /// Ascending.
    pub(super) radii: Vec<f64>,
    pub(super) edges: Option<Vec<f64>>,
    interpolation: ProfileInterpolation,
}

impl Points {
    /// Whether the profile is continued from its first point to r = 0.
    pub(super) fn reach_centre(&self) -> bool {
        match (self.edges.as_deref(), self.radii.as_slice()) {
            (Some([first, ..]), _) => *first == 0.0,
            (_, [first, second, ..]) => *first <= LARGEST_CENTRAL_GAP * (second - first),
            _ => false,
        }
    }

    pub(super) fn inner_radius(&self) -> f64 {
        match self.edges.as_deref().and_then(<[f64]>::first) {
            Some(&edge) => edge,
            None if self.reach_centre() => 0.0,
            None => self.radii[0],
        }
    }

    pub(super) fn outer_radius(&self) -> f64 {
        let edge = self.edges.as_deref().and_then(<[f64]>::last);
        *edge.unwrap_or(&self.radii[self.radii.len() - 1])
    }

    pub(super) fn are_zone_constant(&self) -> bool {
        self.interpolation == ProfileInterpolation::ZoneConstant
    }

    /// A quantity of the matter as the problem asks: cubic or constant in each zone.
    pub(super) fn curve(&self, values: Vec<f64>) -> Curve {
        match (self.interpolation, &self.edges) {
            (ProfileInterpolation::ZoneConstant, Some(edges)) => {
                Curve::ZoneConstant { edges: edges.clone(), values }
            }
            _ => Curve::Cubic(self.cubic(&values, Centre::Flat)),
        }
    }

    /// As [`Points::curve`]; a cubic runs through the logarithms where all values have one.
    pub(super) fn log_curve(&self, values: Vec<f64>) -> Curve {
        match self.interpolation {
            ProfileInterpolation::MonotoneCubic if values.iter().all(|&value| value > 0.0) => {
                let logarithms: Vec<f64> = values.iter().map(|value| value.ln()).collect();
                Curve::LogCubic(self.cubic(&logarithms, Centre::Flat))
            }
            _ => self.curve(values),
        }
    }

    /// A continuous quantity (velocity, metric), cubic whatever the problem asks for the matter.
    pub(super) fn cubic(&self, values: &[f64], centre: Centre) -> MonotoneCubic {
        let centre = if self.reach_centre() { centre } else { Centre::Excised };
        MonotoneCubic::new(&self.radii, values, centre)
    }
}

/// Reads the columns of one profile.
#[derive(Debug)]
pub(super) struct ColumnReader<'a> {
    table: Table,
    units: UnitSystem,
    path: &'a str,
    rows: usize,
    /// The file's first row is the outermost.
    descending: bool,
}

impl<'a> ColumnReader<'a> {
    /// Opens the profile's file and reads its radii; `path` is the profile's place in the problem file.
    pub(super) fn open(file: &ProfileFile, context: &BuildContext, path: &'a str) -> Result<(Self, Points)> {
        let location = context.data_file(&file.file, &format!("{path}.file"))?;
        let table = Table::open(&location, file.layout)?;
        let mut reader = Self { table, units: context.units, path, rows: 0, descending: false };
        let mut radii = reader.values(&file.columns.r, "r", Dimension::Length, Valid::NotNegative)?;
        reader.rows = radii.len();
        reader.descending = matches!(radii.as_slice(), [first, second, ..] if second < first);
        reader.check_order(&file.columns.r.name, &radii)?;
        if reader.descending {
            radii.reverse();
        }
        let edges = file.columns.r_edges.as_ref().map(|column| reader.edges(column, &radii)).transpose()?;
        if file.interpolation == ProfileInterpolation::ZoneConstant && edges.is_none() {
            return Err(Error::field(
                reader.field("r_edges"),
                "no column",
                "the zone edges, which `ZoneConstant` needs",
            ));
        }
        Ok((reader, Points { radii, edges, interpolation: file.interpolation }))
    }

    /// The values of `column`, which stands in the field `name` of the profile's columns, in internal
    /// units and from the innermost outward.
    pub(super) fn read(
        &self,
        column: Option<&Column>,
        name: &str,
        dimension: Dimension,
        valid: Valid,
    ) -> Result<Option<Vec<f64>>> {
        let Some(column) = column else { return Ok(None) };
        let mut values = self.values(column, name, dimension, valid)?;
        if values.len() != self.rows {
            return Err(self.table.error(format!(
                "column `{}` has {} values; the radii are {}",
                column.name,
                values.len(),
                self.rows
            )));
        }
        if matches!(valid, Valid::Fraction) {
            values.iter_mut().for_each(|value| *value = value.clamp(0.0, 1.0));
        }
        if self.descending {
            values.reverse();
        }
        Ok(Some(values))
    }

    /// True where `column` is in a unit in which the speed of light is 1.
    pub(super) fn is_fraction_of_light_speed(&self, column: &Column) -> bool {
        !self.units.physical || unit_factor(&column.unit, Dimension::Velocity) == Some(1.0)
    }

    /// An error about the value of `column` at the point `index`, counted from the innermost.
    pub(super) fn invalid(&self, column: &Column, index: usize, found: &str, valid: &str) -> Error {
        let row = if self.descending { self.rows - 1 - index } else { index };
        self.table.invalid(&column.name, row, found, valid)
    }

    pub(super) fn file(&self) -> &Path {
        self.table.file()
    }

    /// Place of the column's field in the problem file.
    pub(super) fn field(&self, name: &str) -> String {
        format!("{}.columns.{name}", self.path)
    }

    fn values(&self, column: &Column, name: &str, dimension: Dimension, valid: Valid) -> Result<Vec<f64>> {
        let factor = self.factor(column, name, dimension)?;
        let raw = self.table.column(&column.name)?;
        if let Some(written) = &raw.units
            && unit_factor(written, dimension) != Some(factor)
            && self.units.physical
        {
            return Err(self.table.error(format!(
                "dataset `{}` is in \"{written}\" by its attribute `units`; {} says \"{}\"",
                column.name,
                self.field(name),
                column.unit
            )));
        }
        if let Some(row) = raw.values.iter().position(|&value| !valid.holds(value)) {
            return Err(self.table.invalid(&column.name, row, &raw.values[row].to_string(), valid.text()));
        }
        Ok(raw.values.iter().map(|value| value * factor).collect())
    }

    fn factor(&self, column: &Column, name: &str, dimension: Dimension) -> Result<f64> {
        let unit = |valid: String| Error::field(self.field(name), format!("unit \"{}\"", column.unit), valid);
        if self.units.physical {
            unit_factor(&column.unit, dimension)
                .ok_or_else(|| unit(format!("a unit of {}: {}", dimension.name(), dimension.unit_names())))
        } else if column.unit == "1" {
            Ok(1.0)
        } else {
            Err(unit("\"1\", as the problem is dimensionless".to_owned()))
        }
    }

    fn check_order(&self, column: &str, radii: &[f64]) -> Result<()> {
        if radii.len() < 2 {
            return Err(self
                .table
                .error(format!("column `{column}` has one value; a profile needs two or more")));
        }
        let wrong = |pair: &[f64]| if self.descending { pair[1] >= pair[0] } else { pair[1] <= pair[0] };
        match radii.windows(2).position(wrong) {
            None => Ok(()),
            Some(row) => Err(self.table.invalid(
                column,
                row + 1,
                &format!("{} after {}", radii[row + 1], radii[row]),
                "radii that only grow or only fall",
            )),
        }
    }

    /// Zone edges, ascending, each zone holding its radius.
    fn edges(&self, column: &Column, radii: &[f64]) -> Result<Vec<f64>> {
        let mut edges = self.values(column, "r_edges", Dimension::Length, Valid::NotNegative)?;
        if edges.len() != radii.len() + 1 {
            return Err(self.table.error(format!(
                "column `{}` has {} values; {} zones have {} edges",
                column.name,
                edges.len(),
                radii.len(),
                radii.len() + 1
            )));
        }
        if self.descending {
            edges.reverse();
        }
        let outside = |(zone, r): (usize, &f64)| {
            !(edges[zone] <= *r && *r <= edges[zone + 1] && edges[zone] < edges[zone + 1])
        };
        match radii.iter().enumerate().position(outside) {
            None => Ok(edges),
            Some(zone) => Err(self.table.error(format!(
                "column `{}`: the zone from {} to {} does not hold its radius {}",
                column.name,
                edges[zone],
                edges[zone + 1],
                radii[zone]
            ))),
        }
    }
}
