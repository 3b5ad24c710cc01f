//! The one unit system inside: lengths in cm (or the problem's own unit when it is dimensionless),
//! c = 1, so that times are lengths, energies in MeV (or dimensionless). What is written out is
//! converted here.

use crate::constants::{MEV_IN_ERG, PLANCK_C, SPEED_OF_LIGHT};

/// Factors from internal to external units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UnitSystem {
    /// True where lengths are cm and energies MeV; false for dimensionless problems.
    pub physical: bool,
}

impl UnitSystem {
    /// cm, s, g, MeV, erg.
    pub const PHYSICAL: Self = Self { physical: true };
    /// c = h = 1, plain numbers.
    pub const DIMENSIONLESS: Self = Self { physical: false };

    /// Speed of light [cm/s], or 1.
    pub fn speed_of_light(self) -> f64 {
        if self.physical { SPEED_OF_LIGHT } else { 1.0 }
    }

    /// (hc)³ [MeV³ cm³], or 1.
    pub fn planck_c_cubed(self) -> f64 {
        if self.physical { PLANCK_C.powi(3) } else { 1.0 }
    }

    /// erg per MeV, or 1.
    pub fn erg_per_energy(self) -> f64 {
        if self.physical { MEV_IN_ERG } else { 1.0 }
    }

    /// `unit` as it is written to a file: "1" for dimensionless problems.
    pub fn label(self, unit: &'static str) -> &'static str {
        if self.physical { unit } else { "1" }
    }
}
