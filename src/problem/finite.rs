//! Finite numbers: RON reads `inf` and `NaN` as f64, which no field of a problem can mean. Used as
//! `#[serde(deserialize_with = …)]`, so that the error names the place of the number.

use serde::de::{Deserialize, Deserializer, Error, Unexpected};

/// A finite number.
pub fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Finite::deserialize(deserializer).map(|finite| finite.0)
}

/// A finite number or nothing.
pub fn option<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    Ok(Option::<Finite>::deserialize(deserializer)?.map(|finite| finite.0))
}

/// A list of finite numbers.
pub fn list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
    Ok(Vec::<Finite>::deserialize(deserializer)?.into_iter().map(|finite| finite.0).collect())
}

/// `value`, or serde's error for an infinite or undefined one.
pub(super) fn check<E: Error>(value: f64) -> Result<f64, E> {
    if value.is_finite() {
        Ok(value)
    } else {
        Err(E::invalid_value(Unexpected::Other(&value.to_string()), &"a finite number"))
    }
}

/// A finite number as a type, for the elements of lists.
pub(super) struct Finite(pub f64);

impl<'de> Deserialize<'de> for Finite {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        f64::deserialize(deserializer).and_then(check).map(Self)
    }
}
