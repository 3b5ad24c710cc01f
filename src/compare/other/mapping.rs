//! The mapping file: what the columns or datasets of another code's file are (docs/compare.md).

use serde::Deserialize;

use super::super::quantity::{self, Frame, Over, Quantity, Sense};
use super::{Context, Grid};
use crate::error::{Error, Result};
use crate::problem::file::TableLayout;
use crate::problem::finite;
use crate::problem::quantity::{Quantity as Number, QuantityList};
use crate::units::{Dimension, UnitSystem};

/// Version of the mapping's schema.
const FORMAT: u32 = 1;

/// What serde reads.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    pub format: u32,
    /// Free text for the reader of the mapping.
    #[serde(default)]
    #[allow(dead_code)]
    pub description: String,
    pub layout: TableLayout,
    /// The length unit of a dimensionless reference, e.g. "10 km".
    #[serde(default)]
    length_unit: Option<Number>,
    #[serde(default)]
    pub r: Option<Source>,
    #[serde(default)]
    pub energy: Option<Energy>,
    pub quantities: Vec<Entry>,
}

/// A column or dataset.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Column by its header, or dataset by its path.
    #[serde(default)]
    pub name: Option<String>,
    /// Column by its number, from 1.
    #[serde(default)]
    pub column: Option<usize>,
    pub unit: String,
}

/// The energy axis.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Energy {
    #[serde(default)]
    pub centres: Option<Source>,
    /// Dataset of the group edges.
    #[serde(default)]
    pub edges: Option<Source>,
    /// The group edges themselves.
    #[serde(default)]
    pub edge_values: Option<QuantityList>,
    #[serde(default = "comoving")]
    pub frame: Frame,
}

fn comoving() -> Frame {
    Frame::Comoving
}

/// A quantity.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub column: Option<usize>,
    quantity: String,
    #[serde(default)]
    frame: Option<Frame>,
    unit: String,
    /// What the values are multiplied with, besides the unit.
    #[serde(default = "one", deserialize_with = "finite::number")]
    scale: f64,
    #[serde(default)]
    species: Vec<String>,
    #[serde(default)]
    pub axes: Option<Vec<AxisName>>,
    #[serde(default = "pointwise")]
    values: Sense,
}

fn one() -> f64 {
    1.0
}

fn pointwise() -> Sense {
    Sense::Pointwise
}

/// A dimension of a dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum AxisName {
    Species,
    Energy,
    R,
    /// A dimension of which one entry is taken, from 0.
    Fixed(usize),
}

/// An entry whose names and units are known.
#[derive(Debug, Clone)]
pub struct Resolved {
    pub quantity: &'static Quantity,
    pub species: Vec<Option<usize>>,
    pub factor: f64,
    pub unit: String,
    pub grid: Grid,
}

impl Mapping {
    /// Checks what does not depend on the data.
    ///
    /// # Errors
    /// [`Error::Field`].
    pub fn check(&self) -> Result<()> {
        if self.format != FORMAT {
            return Err(Error::field("format", self.format, FORMAT.to_string()));
        }
        if self.quantities.is_empty() {
            return Err(Error::field("quantities", "an empty list", "one entry or more"));
        }
        if let Some(r) = &self.r {
            self.check_place("r", r.name.as_ref(), r.column)?;
        }
        if let Some(energy) = &self.energy {
            self.check_energy(energy)?;
        }
        for (i, entry) in self.quantities.iter().enumerate() {
            self.check_place(&format!("quantities[{i}]"), entry.name.as_ref(), entry.column)?;
            if self.layout != TableLayout::Hdf5 && entry.axes.is_some() {
                let valid = "no axes: a column of a table is over its rows";
                return Err(Error::field(format!("quantities[{i}].axes"), "axes", valid));
            }
        }
        Ok(())
    }

    fn check_energy(&self, energy: &Energy) -> Result<()> {
        let named = [("energy.centres", &energy.centres), ("energy.edges", &energy.edges)];
        for (path, source) in named {
            if let Some(source) = source {
                self.check_place(path, source.name.as_ref(), source.column)?;
            }
        }
        if energy.edges.is_some() && energy.edge_values.is_some() {
            return Err(Error::field("energy", "`edges` and `edge_values`", "one of them"));
        }
        let text = self.layout != TableLayout::Hdf5;
        if text && (energy.centres.is_none() || energy.edges.is_some()) {
            let valid = "`centres` for the column of energies, and `edge_values` where values are of groups";
            return Err(Error::field("energy", "no `centres`, or `edges`, for a table", valid));
        }
        if energy.centres.is_none() && energy.edges.is_none() && energy.edge_values.is_none() {
            return Err(Error::field("energy", "nothing", "`centres`, `edges` or `edge_values`"));
        }
        Ok(())
    }

    /// Exactly one of name and column number; a number only in tables.
    fn check_place(&self, path: &str, name: Option<&String>, column: Option<usize>) -> Result<()> {
        match (self.layout, name, column) {
            (TableLayout::Hdf5, Some(_), None) => Ok(()),
            (TableLayout::Hdf5, ..) => {
                Err(Error::field(path, "no `name`, or a `column`", "the `name` of a dataset"))
            }
            (_, Some(_), None) => Ok(()),
            (_, None, Some(column)) if column >= 1 => Ok(()),
            (_, None, Some(_)) => Err(Error::field(path, "column 0", "columns counted from 1")),
            _ => Err(Error::field(path, "both or none of `name` and `column`", "one of them")),
        }
    }

    /// Centimetres in the reference's unit of length.
    ///
    /// # Errors
    /// [`Error::Field`]: no length, or the reference is physical.
    pub fn length_unit(&self, units: UnitSystem) -> Result<Option<f64>> {
        let Some(length) = &self.length_unit else { return Ok(None) };
        let path = "length_unit";
        if units.physical {
            return Err(Error::field(path, length, "none, as the reference has physical units"));
        }
        let length_cm = length.length(UnitSystem::PHYSICAL, path)?;
        if length_cm > 0.0 {
            Ok(Some(length_cm))
        } else {
            Err(Error::field(path, length, "a positive length"))
        }
    }
}

impl Entry {
    /// Finds quantity, species and unit of entry `index`.
    ///
    /// # Errors
    /// [`Error::Field`].
    pub(super) fn resolve(&self, index: usize, context: Context) -> Result<Resolved> {
        let field = |name: &str| format!("quantities[{index}].{name}");
        let invalid = |name: &str, found: &str, valid: String| Error::field(field(name), found, valid);
        let quantity = self.find(&field("quantity"))?;
        if !quantity.allows(self.values) {
            let valid =
                "Pointwise, or for quantities over energy a sense that docs/compare.md lists".to_owned();
            return Err(invalid("values", &format!("{:?} for {}", self.values, quantity.name), valid));
        }
        if self.scale == 0.0 {
            return Err(invalid("scale", "0", "a factor that is not 0".to_owned()));
        }
        let dimension = quantity.dimension(self.values);
        let unit_factor = context
            .factor(Some(self.unit.as_str()), dimension)
            .map_err(|valid| invalid("unit", &format!("\"{}\"", self.unit), valid))?;
        Ok(Resolved {
            quantity,
            species: self.species(quantity, context, &field("species"))?,
            factor: unit_factor * self.scale,
            unit: self.unit.clone(),
            grid: grid(quantity, self.values, context),
        })
    }

    /// The quantity with its frame: `luminosity` with `frame: Static` is `luminosity_static`.
    fn find(&self, path: &str) -> Result<&'static Quantity> {
        let suffix = match self.frame {
            Some(Frame::Static) => "_static",
            Some(Frame::Infinity) => "_infinity",
            _ => "",
        };
        let name = &self.quantity;
        let found = quantity::find(&format!("{name}{suffix}"))
            .or_else(|| quantity::find(name).filter(|q| Some(q.frame) == self.frame));
        found.ok_or_else(|| {
            let why = match (quantity::find(name), self.frame) {
                (Some(_), Some(frame)) => format!("a frame that `{name}` has, not {frame:?}"),
                _ => quantity::unknown(name),
            };
            Error::field(path, format!("\"{name}\""), why)
        })
    }

    fn species(&self, quantity: &Quantity, context: Context, path: &str) -> Result<Vec<Option<usize>>> {
        match (quantity.by_species, self.species.is_empty(), context.species) {
            (false, true, _) => return Ok(vec![None]),
            (false, false, _) => {
                let found = format!("species for {}", quantity.name);
                return Err(Error::field(path, found, "none, as it is not of a species"));
            }
            (true, true, [_]) => return Ok(vec![Some(0)]),
            _ => {}
        }
        let valid = || format!("species of the reference: {}", context.species.join(", "));
        if self.species.is_empty() {
            return Err(Error::field(path, "none", valid()));
        }
        let index = |name: &String| {
            let found = context.species.iter().position(|known| known == name);
            found.map(Some).ok_or_else(|| Error::field(path, format!("\"{name}\""), valid()))
        };
        self.species.iter().map(index).collect()
    }
}

/// What the values of `quantity` are over; a gray reference has no energies.
pub(super) fn grid(quantity: &Quantity, sense: Sense, context: Context) -> Grid {
    match quantity.over {
        Over::Radius => Grid::Radii,
        Over::RadiusAndEnergy(_) if context.gray => Grid::Radii,
        Over::RadiusAndEnergy(_) => Grid::Spectrum(sense),
        Over::Energy => Grid::Energies,
        Over::Nothing => Grid::Single,
    }
}

impl Source {
    /// Factor to the unit of the reference; `path` is the field.
    ///
    /// # Errors
    /// [`Error::Field`].
    pub(super) fn factor(&self, dimension: Dimension, path: &str, context: Context) -> Result<f64> {
        context
            .factor(Some(self.unit.as_str()), dimension)
            .map_err(|valid| Error::field(format!("{path}.unit"), format!("\"{}\"", self.unit), valid))
    }
}
