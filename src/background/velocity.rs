//! Radial velocity v(r) of the fluid, in units of c, measured by static observers.

use super::interpolate::MonotoneCubic;
use super::matter::Matter;
use crate::error::{Error, Result};
use crate::problem::expression::Expression;
use crate::problem::file::{VelocityBeyond, VelocityFile};
use crate::problem::quantity::QuantityList;
use crate::units::UnitSystem;

const PATH: &str = "background.velocity";

#[derive(Debug, Clone)]
pub(super) enum Velocity {
    AtRest,
    PiecewiseLinear(PiecewiseLinear),
    Expression(Box<Expression>),
    Profile(MonotoneCubic),
}

/// Straight lines through (r, v); the first value inside, and outside as `beyond` says.
#[derive(Debug, Clone)]
pub(super) struct PiecewiseLinear {
    radii: Vec<f64>,
    values: Vec<f64>,
    beyond: VelocityBeyond,
}

impl Velocity {
    pub(super) fn build(file: &VelocityFile, matter: &Matter, units: UnitSystem) -> Result<Self> {
        match file {
            VelocityFile::AtRest => Ok(Self::AtRest),
            VelocityFile::PiecewiseLinear { radii, values, beyond } => {
                PiecewiseLinear::build(radii, values, *beyond, units).map(Self::PiecewiseLinear)
            }
            VelocityFile::Expression(text) => {
                Expression::parse(text, &["r"], PATH).map(|parsed| Self::Expression(Box::new(parsed)))
            }
            VelocityFile::FromProfile => {
                let curve = matter.profile().and_then(super::profile::Profile::velocity_curve);
                curve.map(Self::Profile).ok_or_else(|| {
                    Error::field(PATH, "FromProfile", "matter of a `Profile` with a `velocity` column")
                })
            }
        }
    }

    pub(super) fn at(&self, r: f64) -> f64 {
        match self {
            Self::AtRest => 0.0,
            Self::PiecewiseLinear(lines) => lines.at(r),
            Self::Expression(expression) => expression.evaluate(&[r]),
            Self::Profile(curve) => curve.evaluate(r),
        }
    }

    /// Radii where the slope jumps.
    pub(super) fn kinks(&self) -> Vec<f64> {
        match self {
            Self::PiecewiseLinear(lines) => lines.radii.clone(),
            _ => Vec::new(),
        }
    }

    pub(super) fn describe(&self, length: &str) -> String {
        match self {
            Self::AtRest => "at rest".to_owned(),
            Self::PiecewiseLinear(lines) => lines.describe(length),
            Self::Expression(expression) => format!("v/c = {}", expression.text()),
            Self::Profile(_) => "column of the profile, monotone cubic".to_owned(),
        }
    }
}

impl PiecewiseLinear {
    fn build(
        radii: &QuantityList,
        values: &[f64],
        beyond: VelocityBeyond,
        units: UnitSystem,
    ) -> Result<Self> {
        let radii_path = format!("{PATH}.radii");
        let values_path = format!("{PATH}.values");
        let radii = radii.lengths(units, &radii_path)?;
        if radii.is_empty() || radii.len() != values.len() {
            let found = format!("{} radii and {} values", radii.len(), values.len());
            return Err(Error::field(values_path, found, "one value per radius, at least one"));
        }
        if let Some(pair) = radii.windows(2).find(|pair| pair[1] <= pair[0]) {
            return Err(Error::field(
                radii_path,
                format!("{} after {}", pair[1], pair[0]),
                "ascending radii (a jump has to be given a width)",
            ));
        }
        if radii[0] < 0.0 {
            return Err(Error::field(radii_path, radii[0], "radii that are not negative"));
        }
        if let Some(fast) = values.iter().find(|v| v.is_nan() || v.abs() >= 1.0) {
            return Err(Error::field(values_path, fast, "|v/c| below 1"));
        }
        Ok(Self { radii, values: values.to_vec(), beyond })
    }

    fn at(&self, r: f64) -> f64 {
        let above = self.radii.partition_point(|&radius| radius <= r);
        let last = self.radii.len() - 1;
        if above == 0 {
            self.values[0]
        } else if above <= last {
            let below = above - 1;
            let weight = (r - self.radii[below]) / (self.radii[above] - self.radii[below]);
            self.values[below] + weight * (self.values[above] - self.values[below])
        } else {
            match self.beyond {
                VelocityBeyond::Constant => self.values[last],
                VelocityBeyond::InverseSquare if r > 0.0 => {
                    self.values[last] * (self.radii[last] / r).powi(2)
                }
                VelocityBeyond::InverseSquare => self.values[last],
            }
        }
    }

    fn describe(&self, length: &str) -> String {
        let last = self.radii.len() - 1;
        let beyond = match self.beyond {
            VelocityBeyond::Constant => "constant",
            VelocityBeyond::InverseSquare => "falling as 1/r²",
        };
        format!(
            "piecewise linear from v/c = {} at r = {:.6e}{length} to {} at {:.6e}{length}, {beyond} beyond",
            self.values[0], self.radii[0], self.values[last], self.radii[last]
        )
    }
}
