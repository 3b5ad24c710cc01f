//! Gravity in geometric units: masses and densities as lengths and inverse squares of lengths.

use crate::constants::{GRAVITY_PER_C2, SPEED_OF_LIGHT};
use crate::error::Result;
use crate::problem::quantity::Quantity;
use crate::units::UnitSystem;

/// Radius of the photon sphere in units of GM/c².
pub(super) const PHOTON_SPHERE: f64 = 3.0;

/// Conversions under a unit system; the identity in dimensionless problems, where G = c = 1.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gravity(pub(super) UnitSystem);

impl Gravity {
    /// GM/c² \[cm\] per mass \[g\]; also Gρ/c² [cm⁻²] per density [g/cm³].
    pub(super) fn per_mass(self) -> f64 {
        if self.0.physical { GRAVITY_PER_C2 } else { 1.0 }
    }

    /// GP/c⁴ [cm⁻²] per pressure [erg/cm³].
    pub(super) fn per_pressure(self) -> f64 {
        if self.0.physical { GRAVITY_PER_C2 / (SPEED_OF_LIGHT * SPEED_OF_LIGHT) } else { 1.0 }
    }

    /// A mass as the length GM/c².
    pub(super) fn mass(self, mass: &Quantity, path: &str) -> Result<f64> {
        Ok(self.per_mass() * mass.mass(self.0, path)?)
    }

    /// A density as the inverse square length Gρ/c².
    pub(super) fn density(self, density: &Quantity, path: &str) -> Result<f64> {
        Ok(self.per_mass() * density.density(self.0, path)?)
    }
}
