//! The one unit system inside: lengths in cm (or the problem's own unit when it is dimensionless),
//! c = 1, so that times are lengths, energies in MeV (or dimensionless). What is written out is
//! converted here, and so are the units that users write (`unit_factor`).

use crate::constants::{BOLTZMANN, MEV_IN_ERG, PLANCK_C, SOLAR_MASS, SPEED_OF_LIGHT};

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

    /// Seconds (or the dimensionless time unit) in one internal unit of time, a light-crossing length.
    pub fn time_unit(self) -> f64 {
        1.0 / self.speed_of_light()
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

/// What a number with a unit stands for; decides which units are valid and what they are turned into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dimension {
    /// Radii; internal unit cm.
    Length,
    /// Times; internal unit cm of light travel (c = 1).
    Time,
    /// Energies, temperatures and chemical potentials; internal unit MeV.
    Energy,
    /// Interaction coefficients; internal unit 1/cm.
    Coefficient,
    /// Rest-mass densities; g/cm³.
    Density,
    /// Masses; g.
    Mass,
    /// Velocities; internal unit c.
    Velocity,
    /// Pressures and energy densities; erg/cm³.
    Pressure,
    /// Emissivities; erg/(cm³ s).
    Emissivity,
    /// Kernels of inelastic reactions; cm³/s.
    Kernel,
    /// Pure numbers (mass fractions, lapse, Γ, mass and charge numbers).
    Number,
    /// Number densities; 1/cm³.
    NumberDensity,
    /// Energy per time; erg/s.
    Luminosity,
    /// Numbers per time; 1/s.
    Rate,
    /// Energy flux densities; erg/(cm² s).
    EnergyFlux,
    /// Number flux densities; 1/(cm² s).
    NumberFlux,
    /// Heating per mass; erg/(g s).
    SpecificPower,
    /// Number densities per energy; 1/(cm³ MeV).
    NumberSpectrum,
    /// Energy densities per energy; erg/(cm³ MeV).
    EnergySpectrum,
    /// Energy flux densities per energy; erg/(cm² s MeV).
    FluxSpectrum,
    /// Luminosities per energy; erg/(s MeV).
    LuminositySpectrum,
    /// Integrals of ε² f dε; MeV³.
    EnergyCubed,
    /// Integrals of ε³ f dε; MeV⁴.
    EnergyFourth,
}

impl Dimension {
    /// The units that are understood, with the factor that turns a value into the internal unit.
    pub fn units(self) -> &'static [(&'static str, f64)] {
        match self {
            Self::Length => LENGTHS,
            Self::Time => TIMES,
            Self::Energy => ENERGIES,
            Self::Coefficient => COEFFICIENTS,
            Self::Density => DENSITIES,
            Self::Mass => MASSES,
            Self::Velocity => VELOCITIES,
            Self::Pressure => PRESSURES,
            Self::Emissivity => EMISSIVITIES,
            Self::Kernel => KERNELS,
            Self::Number => NUMBERS,
            Self::NumberDensity => NUMBER_DENSITIES,
            Self::Luminosity => LUMINOSITIES,
            Self::Rate => RATES,
            Self::EnergyFlux => ENERGY_FLUXES,
            Self::NumberFlux => NUMBER_FLUXES,
            Self::SpecificPower => SPECIFIC_POWERS,
            Self::NumberSpectrum => NUMBER_SPECTRA,
            Self::EnergySpectrum => ENERGY_SPECTRA,
            Self::FluxSpectrum => FLUX_SPECTRA,
            Self::LuminositySpectrum => LUMINOSITY_SPECTRA,
            Self::EnergyCubed => ENERGIES_CUBED,
            Self::EnergyFourth => ENERGIES_FOURTH,
        }
    }

    /// Names of the valid units, for messages.
    pub fn unit_names(self) -> String {
        let names: Vec<&str> = self.units().iter().map(|(name, _)| *name).collect();
        names.join(", ")
    }

    /// The dimension's name, for messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Length => "length",
            Self::Time => "time",
            Self::Energy => "energy",
            Self::Coefficient => "coefficient",
            Self::Density => "density",
            Self::Mass => "mass",
            Self::Velocity => "velocity",
            Self::Pressure => "pressure",
            Self::Emissivity => "emissivity",
            Self::Kernel => "kernel",
            Self::Number => "number",
            Self::NumberDensity => "number density",
            Self::Luminosity => "luminosity",
            Self::Rate => "rate",
            Self::EnergyFlux => "energy flux",
            Self::NumberFlux => "number flux",
            Self::SpecificPower => "heating per mass",
            Self::NumberSpectrum => "number density per energy",
            Self::EnergySpectrum => "energy density per energy",
            Self::FluxSpectrum => "energy flux per energy",
            Self::LuminositySpectrum => "luminosity per energy",
            Self::EnergyCubed => "third power of an energy",
            Self::EnergyFourth => "fourth power of an energy",
        }
    }
}

const LENGTHS: &[(&str, f64)] = &[("cm", 1.0), ("m", 1e2), ("km", 1e5)];

const TIMES: &[(&str, f64)] = &[
    ("s", SPEED_OF_LIGHT),
    ("ms", 1e-3 * SPEED_OF_LIGHT),
    ("us", 1e-6 * SPEED_OF_LIGHT),
    ("ns", 1e-9 * SPEED_OF_LIGHT),
    // Light travel.
    ("cm", 1.0),
    ("m", 1e2),
    ("km", 1e5),
];

const ENERGIES: &[(&str, f64)] =
    &[("MeV", 1.0), ("keV", 1e-3), ("GeV", 1e3), ("erg", 1.0 / MEV_IN_ERG), ("K", BOLTZMANN)];

const COEFFICIENTS: &[(&str, f64)] =
    &[("1/cm", 1.0), ("cm-1", 1.0), ("1/m", 1e-2), ("m-1", 1e-2), ("1/km", 1e-5), ("km-1", 1e-5)];

const DENSITIES: &[(&str, f64)] = &[("g/cm3", 1.0), ("g cm-3", 1.0), ("kg/m3", 1e-3), ("kg m-3", 1e-3)];

const MASSES: &[(&str, f64)] = &[("g", 1.0), ("kg", 1e3), ("Msun", SOLAR_MASS)];

const VELOCITIES: &[(&str, f64)] = &[
    ("c", 1.0),
    ("1", 1.0),
    ("cm/s", 1.0 / SPEED_OF_LIGHT),
    ("cm s-1", 1.0 / SPEED_OF_LIGHT),
    ("km/s", 1e5 / SPEED_OF_LIGHT),
    ("km s-1", 1e5 / SPEED_OF_LIGHT),
];

const KERNELS: &[(&str, f64)] = &[("cm3/s", 1.0), ("cm3 s-1", 1.0)];

const PRESSURES: &[(&str, f64)] = &[
    ("erg/cm3", 1.0),
    ("erg cm-3", 1.0),
    ("dyn/cm2", 1.0),
    ("dyn cm-2", 1.0),
    ("MeV/fm3", 1e39 * MEV_IN_ERG),
    ("MeV fm-3", 1e39 * MEV_IN_ERG),
    ("MeV/cm3", MEV_IN_ERG),
    ("MeV cm-3", MEV_IN_ERG),
];

const EMISSIVITIES: &[(&str, f64)] =
    &[("erg cm-3 s-1", 1.0), ("erg/cm3/s", 1.0), ("MeV cm-3 s-1", MEV_IN_ERG), ("MeV/cm3/s", MEV_IN_ERG)];

const NUMBERS: &[(&str, f64)] = &[("1", 1.0)];

const NUMBER_DENSITIES: &[(&str, f64)] =
    &[("1/cm3", 1.0), ("cm-3", 1.0), ("1/m3", 1e-6), ("m-3", 1e-6), ("1/fm3", 1e39), ("fm-3", 1e39)];

const LUMINOSITIES: &[(&str, f64)] = &[
    ("erg/s", 1.0),
    ("erg s-1", 1.0),
    ("MeV/s", MEV_IN_ERG),
    ("MeV s-1", MEV_IN_ERG),
    ("W", 1e7),
    ("foe/s", 1e51),
    ("foe s-1", 1e51),
];

const RATES: &[(&str, f64)] = &[("1/s", 1.0), ("s-1", 1.0), ("1/ms", 1e3), ("ms-1", 1e3)];

const ENERGY_FLUXES: &[(&str, f64)] =
    &[("erg/cm2/s", 1.0), ("erg cm-2 s-1", 1.0), ("MeV/cm2/s", MEV_IN_ERG), ("MeV cm-2 s-1", MEV_IN_ERG)];

const NUMBER_FLUXES: &[(&str, f64)] = &[("1/cm2/s", 1.0), ("cm-2 s-1", 1.0)];

const SPECIFIC_POWERS: &[(&str, f64)] = &[("erg/g/s", 1.0), ("erg g-1 s-1", 1.0)];

const NUMBER_SPECTRA: &[(&str, f64)] = &[("1/cm3/MeV", 1.0), ("cm-3 MeV-1", 1.0)];

const ENERGY_SPECTRA: &[(&str, f64)] =
    &[("erg/cm3/MeV", 1.0), ("erg cm-3 MeV-1", 1.0), ("cm-3", MEV_IN_ERG), ("1/cm3", MEV_IN_ERG)];

const FLUX_SPECTRA: &[(&str, f64)] =
    &[("erg/cm2/s/MeV", 1.0), ("erg cm-2 s-1 MeV-1", 1.0), ("cm-2 s-1", MEV_IN_ERG), ("1/cm2/s", MEV_IN_ERG)];

const LUMINOSITY_SPECTRA: &[(&str, f64)] =
    &[("erg/s/MeV", 1.0), ("erg s-1 MeV-1", 1.0), ("1/s", MEV_IN_ERG), ("s-1", MEV_IN_ERG)];

const ENERGIES_CUBED: &[(&str, f64)] = &[("MeV3", 1.0)];

const ENERGIES_FOURTH: &[(&str, f64)] = &[("MeV4", 1.0)];

/// Factor that turns a value in `unit` into the internal unit of `dimension`; `None` where the unit is
/// not one of [`Dimension::units`]. Exponents may be written with a caret and blanks may be repeated:
/// `g/cm^3`, `g cm^-3`.
pub fn unit_factor(unit: &str, dimension: Dimension) -> Option<f64> {
    let words: Vec<String> = unit.split_whitespace().map(|word| word.replace('^', "")).collect();
    let unit = words.join(" ");
    dimension.units().iter().find(|(name, _)| *name == unit).map(|(_, factor)| *factor)
}

/// [`unit_factor`] of a unit that may have a number before it: `1e52 erg/s`. The number is positive and
/// finite.
pub fn scaled_unit_factor(unit: &str, dimension: Dimension) -> Option<f64> {
    let unit = unit.trim();
    if let Some(factor) = unit_factor(unit, dimension) {
        return Some(factor);
    }
    let (number, rest) = unit.split_once(char::is_whitespace).unwrap_or((unit, "1"));
    let number: f64 = number.parse().ok().filter(|n: &f64| n.is_finite() && *n > 0.0)?;
    unit_factor(rest, dimension).map(|factor| number * factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_turned_into_internal_ones() {
        assert_eq!(unit_factor("km", Dimension::Length), Some(1e5));
        assert_eq!(unit_factor("g cm^-3", Dimension::Density), Some(1.0));
        assert_eq!(unit_factor("g/cm^3", Dimension::Density), Some(1.0));
        assert_eq!(unit_factor("1/km", Dimension::Coefficient), Some(1e-5));
        assert_eq!(unit_factor("c", Dimension::Velocity), Some(1.0));
        // 1 MeV of temperature is 1.160451812e10 K (CODATA 2018).
        let kelvin = unit_factor("K", Dimension::Energy).unwrap();
        assert!((1.160_451_812e10 * kelvin - 1.0).abs() < 1e-9);
        // Light covers 299.792458 km in a millisecond.
        assert!((unit_factor("ms", Dimension::Time).unwrap() / 299.792_458e5 - 1.0).abs() < 1e-15);
        assert!((unit_factor("Msun", Dimension::Mass).unwrap() / 1.9884e33 - 1.0).abs() < 1e-4);
        assert_eq!(unit_factor("MeV/fm3", Dimension::Pressure), Some(1.602176634e33));
    }

    #[test]
    fn units_may_have_a_number_before_them() {
        assert_eq!(scaled_unit_factor("1e52 erg/s", Dimension::Luminosity), Some(1e52));
        assert_eq!(scaled_unit_factor(" erg s^-1 ", Dimension::Luminosity), Some(1.0));
        assert_eq!(scaled_unit_factor("0.5", Dimension::Number), Some(0.5));
        for wrong in ["1e52", "1e52 km", "-1 erg/s", "nan erg/s", "erg/s erg/s", "", "0 erg/s"] {
            assert_eq!(scaled_unit_factor(wrong, Dimension::Luminosity), None, "{wrong}");
        }
    }

    #[test]
    fn a_unit_of_another_dimension_is_unknown() {
        assert_eq!(unit_factor("km", Dimension::Energy), None);
        assert_eq!(unit_factor("KM", Dimension::Length), None);
        assert_eq!(unit_factor("", Dimension::Length), None);
        assert_eq!(Dimension::Mass.unit_names(), "g, kg, Msun");
    }
}
