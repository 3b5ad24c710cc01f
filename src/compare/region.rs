//! Ranges of radii as users write them: `150 km..500 km`, `..1e7 cm`, `0.5..`.

use crate::units::{Dimension, UnitSystem, unit_factor};

/// A range of radii, ends included, in the reference's unit of length.
#[derive(Debug, Clone, PartialEq)]
pub struct Region {
    pub inner: f64,
    pub outer: f64,
    /// As it was written.
    pub text: String,
}

impl Region {
    /// Reads `inner..outer`; an end that is left out is open.
    ///
    /// # Errors
    /// What is valid.
    pub fn parse(text: &str, units: UnitSystem) -> Result<Self, String> {
        let (inner, outer) = text.split_once("..").ok_or_else(|| valid(units))?;
        let end = |part: &str, open: f64| match part.trim() {
            "" => Ok(open),
            part => length(part, units).ok_or_else(|| valid(units)),
        };
        let region =
            Self { inner: end(inner, 0.0)?, outer: end(outer, f64::INFINITY)?, text: text.to_owned() };
        if region.inner < region.outer { Ok(region) } else { Err(valid(units)) }
    }

    /// Whether `r` is in it.
    pub fn contains(&self, r: f64) -> bool {
        (self.inner..=self.outer).contains(&r)
    }
}

fn valid(units: UnitSystem) -> String {
    if units.physical {
        "inner..outer with units and inner < outer, as in 150km..500km (cm, m, km)".to_owned()
    } else {
        "inner..outer in the reference's unit of length and inner < outer, as in 0.5..3".to_owned()
    }
}

/// A length such as `150km` or `1.5e7 cm`, in the unit of `units`' files.
pub(crate) fn length(text: &str, units: UnitSystem) -> Option<f64> {
    let ends = (1..=text.len()).rev().filter(|end| text.is_char_boundary(*end));
    let mut numbers = ends.filter_map(|end| Some((text[..end].parse::<f64>().ok()?, text[end..].trim())));
    let (number, unit) = numbers.next()?;
    let factor = match (units.physical, unit) {
        (true, unit) => unit_factor(unit, Dimension::Length)?,
        (false, "") => 1.0,
        (false, _) => return None,
    };
    Some(number * factor).filter(|r| r.is_finite() && *r >= 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read() {
        let ends = |text: &str, units| Region::parse(text, units).map(|r| (r.inner, r.outer)).ok();
        let (physical, plain) = (UnitSystem::PHYSICAL, UnitSystem::DIMENSIONLESS);
        assert_eq!(ends("10km..500 km", physical), Some((1e6, 5e7)));
        assert_eq!(ends("1e3m..", physical), Some((1e5, f64::INFINITY)));
        assert_eq!(ends("..2", plain), Some((0.0, 2.0)));
        for wrong in ["10..500", "10km", "500km..10km", "10MeV..20MeV", "nankm..infkm", "-1km..2km", "..0km"]
        {
            assert_eq!(ends(wrong, physical), None, "{wrong}");
        }
        assert_eq!(ends("1km..2km", plain), None);
    }
}
