//! Numbers with units, as they stand in a problem file.
//!
//! In physical problems every quantity carries a unit, in dimensionless ones none does; the conversions
//! enforce it and give values in the internal units of [`crate::units`].

use std::fmt;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error as _, MapAccess, SeqAccess, Unexpected, Visitor};

use super::finite;
use crate::error::Error;
use crate::units::{Dimension, UnitSystem, unit_factor};

type Result<T, E = Error> = std::result::Result<T, E>;

/// A number with an optional unit: `10.0` or `"10 km"`. The value is finite.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantity {
    pub value: f64,
    pub unit: Option<String>,
}

/// Several numbers with one unit: `[0, 1, 2]` or `(values: [0, 1, 2], unit: "km")`. All are finite.
#[derive(Debug, Clone, PartialEq)]
pub struct QuantityList {
    pub values: Vec<f64>,
    pub unit: Option<String>,
}

impl Quantity {
    /// The quantity times a number.
    pub fn scaled(&self, factor: f64) -> Self {
        Self { value: self.value * factor, unit: self.unit.clone() }
    }

    /// The value in the internal unit of `dimension`; `path` is the field's place in the problem file.
    ///
    /// Errors where a physical problem leaves out the unit, a dimensionless one gives one, or the unit
    /// does not belong to the dimension.
    pub fn convert(&self, dimension: Dimension, units: UnitSystem, path: &str) -> Result<f64> {
        let factor = factor(self.unit.as_deref(), dimension, units, path, &|| self.to_string())?;
        in_range(self.value * factor, path, &|| self.to_string())
    }

    /// A length \[cm\].
    pub fn length(&self, units: UnitSystem, path: &str) -> Result<f64> {
        self.convert(Dimension::Length, units, path)
    }

    /// A time as the length that light covers in it \[cm\].
    pub fn time(&self, units: UnitSystem, path: &str) -> Result<f64> {
        self.convert(Dimension::Time, units, path)
    }

    /// An energy, temperature or chemical potential \[MeV\].
    pub fn energy(&self, units: UnitSystem, path: &str) -> Result<f64> {
        self.convert(Dimension::Energy, units, path)
    }

    /// An interaction coefficient [1/cm].
    pub fn coefficient(&self, units: UnitSystem, path: &str) -> Result<f64> {
        self.convert(Dimension::Coefficient, units, path)
    }

    /// A rest-mass density [g/cm³].
    pub fn density(&self, units: UnitSystem, path: &str) -> Result<f64> {
        self.convert(Dimension::Density, units, path)
    }

    /// A mass \[g\].
    pub fn mass(&self, units: UnitSystem, path: &str) -> Result<f64> {
        self.convert(Dimension::Mass, units, path)
    }
}

impl QuantityList {
    /// The values in the internal unit of `dimension`; rules and errors as in [`Quantity::convert`].
    pub fn convert(&self, dimension: Dimension, units: UnitSystem, path: &str) -> Result<Vec<f64>> {
        let factor = factor(self.unit.as_deref(), dimension, units, path, &|| self.to_string())?;
        self.values.iter().map(|value| in_range(value * factor, path, &|| self.to_string())).collect()
    }

    /// Lengths \[cm\].
    pub fn lengths(&self, units: UnitSystem, path: &str) -> Result<Vec<f64>> {
        self.convert(Dimension::Length, units, path)
    }

    /// Times as lengths of light travel \[cm\].
    pub fn times(&self, units: UnitSystem, path: &str) -> Result<Vec<f64>> {
        self.convert(Dimension::Time, units, path)
    }

    /// Energies \[MeV\].
    pub fn energies(&self, units: UnitSystem, path: &str) -> Result<Vec<f64>> {
        self.convert(Dimension::Energy, units, path)
    }
}

/// Factor from `unit` to the internal unit, under the rules of the problem's unit system.
fn factor(
    unit: Option<&str>,
    dimension: Dimension,
    units: UnitSystem,
    path: &str,
    found: &dyn Fn() -> String,
) -> Result<f64> {
    let name = dimension.name();
    match unit {
        None if units.physical => Err(Error::field(
            path,
            format!("{} without a unit", found()),
            format!("{name} in one of the units {}", dimension.unit_names()),
        )),
        None => Ok(1.0),
        Some(_) if !units.physical => {
            Err(Error::field(path, found(), "a plain number, as the problem is dimensionless"))
        }
        Some(unit) => unit_factor(unit, dimension).ok_or_else(|| {
            Error::field(path, found(), format!("{name} in one of the units {}", dimension.unit_names()))
        }),
    }
}

/// A finite number times a unit can still overflow.
fn in_range(value: f64, path: &str, found: &dyn Fn() -> String) -> Result<f64> {
    if value.is_finite() {
        Ok(value)
    } else {
        Err(Error::field(path, found(), "a number that stays finite in the internal units"))
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match &self.unit {
            Some(unit) => write!(f, "\"{} {unit}\"", short(self.value)),
            None => f.write_str(&short(self.value)),
        }
    }
}

impl fmt::Display for QuantityList {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let values = short_list(&self.values);
        match &self.unit {
            Some(unit) => write!(f, "(values: {values}, unit: \"{unit}\")"),
            None => write!(f, "{values}"),
        }
    }
}

/// The number with its digits, or as a power of ten where those would be many.
fn short(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 || (1e-4..1e7).contains(&size) { value.to_string() } else { format!("{value:e}") }
}

/// The list, or its ends where it is long.
fn short_list(values: &[f64]) -> String {
    let written: Vec<String> = values.iter().map(|value| short(*value)).collect();
    match written.as_slice() {
        [first, second, .., last] if written.len() > 6 => format!("[{first}, {second}, …, {last}]"),
        all => format!("[{}]", all.join(", ")),
    }
}

/// Number and unit of `"10 km"`, or of `"10"` without one.
pub(super) fn split_quantity(text: &str) -> Option<(f64, Option<&str>)> {
    let text = text.trim();
    let (number, unit) = match text.split_once(char::is_whitespace) {
        Some((number, unit)) => (number, Some(unit.trim())),
        None => (text, None),
    };
    Some((number.parse().ok()?, unit))
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(QuantityVisitor)
    }
}

struct QuantityVisitor;

impl Visitor<'_> for QuantityVisitor {
    type Value = Quantity;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a number, or a string with a number and a unit such as \"10 km\"")
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Quantity, E> {
        Ok(Quantity { value: finite::check(value)?, unit: None })
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Quantity, E> {
        self.visit_f64(value as f64)
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Quantity, E> {
        self.visit_f64(value as f64)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Quantity, E> {
        let (value, unit) =
            split_quantity(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))?;
        Ok(Quantity { value: finite::check(value)?, unit: unit.map(str::to_owned) })
    }
}

impl<'de> Deserialize<'de> for QuantityList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(QuantityListVisitor)
    }
}

struct QuantityListVisitor;

/// The form with a unit.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ValuesWithUnit {
    #[serde(deserialize_with = "finite::list")]
    values: Vec<f64>,
    unit: String,
}

impl<'de> Visitor<'de> for QuantityListVisitor {
    type Value = QuantityList;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a list of numbers such as [0, 1, 2], or (values: [0, 1, 2], unit: \"km\")")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<QuantityList, A::Error> {
        let mut values = Vec::new();
        while let Some(finite::Finite(value)) = sequence.next_element()? {
            values.push(value);
        }
        Ok(QuantityList { values, unit: None })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<QuantityList, A::Error> {
        let ValuesWithUnit { values, unit } = ValuesWithUnit::deserialize(MapAccessDeserializer::new(map))?;
        if unit.trim().is_empty() {
            return Err(A::Error::invalid_value(Unexpected::Str(&unit), &"a unit such as \"km\""));
        }
        Ok(QuantityList { values, unit: Some(unit.trim().to_owned()) })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::constants::SPEED_OF_LIGHT;

    fn quantity(text: &str) -> Quantity {
        ron::from_str(text).unwrap()
    }

    #[rstest]
    #[case("10", 10.0, None)]
    #[case("-2.5e-3", -2.5e-3, None)]
    #[case("0.1", 0.1, None)]
    #[case("\"10 km\"", 10.0, Some("km"))]
    #[case("\" 4e-4  1/cm \"", 4e-4, Some("1/cm"))]
    #[case("\"9e14 g cm-3\"", 9e14, Some("g cm-3"))]
    #[case("\"7\"", 7.0, None)]
    fn numbers_and_strings_are_read(#[case] text: &str, #[case] value: f64, #[case] unit: Option<&str>) {
        assert_eq!(quantity(text), Quantity { value, unit: unit.map(str::to_owned) });
    }

    #[rstest]
    #[case("NaN", "a finite number")]
    #[case("inf", "a finite number")]
    #[case("-inf", "a finite number")]
    #[case("\"inf km\"", "a finite number")]
    #[case("1e999", "a finite number")]
    #[case("\"km\"", "a number and a unit such as")]
    #[case("\"10km\"", "a number and a unit such as")]
    #[case("\"\"", "a number and a unit such as")]
    #[case("[1]", "a number and a unit such as")]
    #[case("true", "a number and a unit such as")]
    fn other_quantities_are_refused(#[case] text: &str, #[case] valid: &str) {
        let message = ron::from_str::<Quantity>(text).unwrap_err().to_string();
        assert!(message.contains(valid), "{message}");
    }

    #[test]
    fn lists_are_read_with_and_without_unit() {
        let plain: QuantityList = ron::from_str("[0, 1.5, -2]").unwrap();
        assert_eq!(plain, QuantityList { values: vec![0.0, 1.5, -2.0], unit: None });
        let km: QuantityList = ron::from_str("(values: [0, 2], unit: \"km\")").unwrap();
        assert_eq!(km.lengths(UnitSystem::PHYSICAL, "x").unwrap(), [0.0, 2e5]);
        assert_eq!(km.to_string(), "(values: [0, 2], unit: \"km\")");
    }

    #[rstest]
    #[case("[0, NaN]", "a finite number")]
    #[case("(values: [inf], unit: \"km\")", "a finite number")]
    #[case("(values: [1])", "unit")]
    #[case("(values: [1], unit: \" \")", "a unit such as")]
    #[case("(values: [1], units: \"km\")", "units")]
    #[case("5", "a list of numbers")]
    #[case("\"5 km\"", "a list of numbers")]
    fn other_lists_are_refused(#[case] text: &str, #[case] valid: &str) {
        let message = ron::from_str::<QuantityList>(text).unwrap_err().to_string();
        assert!(message.contains(valid), "{message}");
    }

    #[test]
    fn physical_quantities_are_converted() {
        let units = UnitSystem::PHYSICAL;
        assert_eq!(quantity("\"10 km\"").length(units, "x").unwrap(), 1e6);
        assert_eq!(quantity("\"2 ms\"").time(units, "x").unwrap(), 2e-3 * SPEED_OF_LIGHT);
        assert_eq!(quantity("\"3 km\"").time(units, "x").unwrap(), 3e5);
        assert_eq!(quantity("\"5 GeV\"").energy(units, "x").unwrap(), 5e3);
        assert_eq!(quantity("\"4 1/km\"").coefficient(units, "x").unwrap(), 4e-5);
        assert_eq!(quantity("\"2e14 g/cm^3\"").density(units, "x").unwrap(), 2e14);
        assert_eq!(quantity("\"2 kg\"").mass(units, "x").unwrap(), 2e3);
    }

    #[test]
    fn units_must_fit_the_problem() {
        let missing = quantity("10").length(UnitSystem::PHYSICAL, "a.b").unwrap_err().to_string();
        assert_eq!(missing, "a.b: found 10 without a unit; valid: length in one of the units cm, m, km");
        let wrong = quantity("\"10 MeV\"").length(UnitSystem::PHYSICAL, "a.b").unwrap_err().to_string();
        assert_eq!(wrong, "a.b: found \"10 MeV\"; valid: length in one of the units cm, m, km");
        let given = quantity("\"10 km\"").length(UnitSystem::DIMENSIONLESS, "a.b").unwrap_err().to_string();
        assert_eq!(given, "a.b: found \"10 km\"; valid: a plain number, as the problem is dimensionless");
        assert_eq!(quantity("10").time(UnitSystem::DIMENSIONLESS, "a.b").unwrap(), 10.0);
        assert!(quantity("\"1e308 km\"").length(UnitSystem::PHYSICAL, "a.b").is_err());
    }
}
