//! Numbers with units, as they stand in a problem file.

use serde::Deserialize;

/// A number with an optional unit: `10.0` or `"10 km"`.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantity {
    pub value: f64,
    pub unit: Option<String>,
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: serde::Deserializer<'de>>(_deserializer: D) -> Result<Self, D::Error> {
        unimplemented!("written by the problem module's work")
    }
}

/// Several numbers with one unit: `[0, 1, 2]` or `(values: [0, 1, 2], unit: "km")`.
#[derive(Debug, Clone, PartialEq)]
pub struct QuantityList {
    pub values: Vec<f64>,
    pub unit: Option<String>,
}

impl<'de> Deserialize<'de> for QuantityList {
    fn deserialize<D: serde::Deserializer<'de>>(_deserializer: D) -> Result<Self, D::Error> {
        unimplemented!("written by the problem module's work")
    }
}
