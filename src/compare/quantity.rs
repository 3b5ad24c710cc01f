//! The quantities that can be compared: names (those of docs/reference_format.md and those that follow
//! from them), units, frames, and what they depend on.

use serde::{Deserialize, Serialize};

use crate::units::{Dimension, UnitSystem};

/// The observers who measure a quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Frame {
    /// Moving with the fluid.
    Comoving,
    /// At rest at fixed r.
    Static,
    /// Static, with energies and rates as they arrive at infinity.
    Infinity,
    /// The quantity does not depend on it.
    Any,
}

impl Frame {
    /// For people.
    pub fn text(self) -> &'static str {
        match self {
            Self::Comoving => "comoving",
            Self::Static => "static observers",
            Self::Infinity => "at infinity",
            Self::Any => "",
        }
    }
}

/// What a value is over the energies of its axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sense {
    /// At the energy itself.
    Pointwise,
    /// Mean over the group; J, H, K and L are weighted with ε².
    GroupMean,
    /// Mean over the group weighted with ε³ (J, H, K and L only).
    GroupMeanEnergy,
    /// Integral over the group; J, H, K and L are weighted with ε².
    GroupIntegral,
    /// Integral over the group weighted with ε³ (J, H, K and L only).
    GroupIntegralEnergy,
}

impl Sense {
    /// For people.
    pub fn text(self) -> &'static str {
        match self {
            Self::Pointwise => "at the energy",
            Self::GroupMean => "mean over the group",
            Self::GroupMeanEnergy => "mean over the group with ε³",
            Self::GroupIntegral => "integral over the group",
            Self::GroupIntegralEnergy => "integral over the group with ε³",
        }
    }

    /// Whether the value is an integral, not a mean or a point value.
    pub fn is_integral(self) -> bool {
        matches!(self, Self::GroupIntegral | Self::GroupIntegralEnergy)
    }
}

/// A quantity with a spectrum: factor · ε^power · moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spectral {
    /// Variable of the reference: j, h, k or l.
    pub moment: &'static str,
    /// Power of ε.
    pub power: i32,
    /// What it is multiplied with.
    pub factor: Factor,
}

/// Constant factors of spectra.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Factor {
    One,
    /// 4π/(hc)³.
    States,
    /// 4π/(hc)³ in erg.
    StatesErg,
    /// 4πc/(hc)³ in erg.
    FluxErg,
    /// 4πr²·4πc/(hc)³ in erg.
    LuminosityErg,
}

impl Factor {
    /// Its value at radius `r`.
    pub fn value(self, r: f64, units: UnitSystem) -> f64 {
        let states = 4.0 * std::f64::consts::PI / units.planck_c_cubed();
        let flux = states * units.erg_per_energy() * units.speed_of_light();
        match self {
            Self::One => 1.0,
            Self::States => states,
            Self::StatesErg => states * units.erg_per_energy(),
            Self::FluxErg => flux,
            Self::LuminosityErg => 4.0 * std::f64::consts::PI * r * r * flux,
        }
    }
}

/// What a quantity depends on, besides the species.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    Radius,
    RadiusAndEnergy(Spectral),
    Energy,
    Nothing,
}

/// A quantity that can be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quantity {
    pub name: &'static str,
    /// For people.
    pub title: &'static str,
    pub dimension: Dimension,
    pub frame: Frame,
    pub over: Over,
    pub by_species: bool,
    /// Whether the reference stores 0 where there is no such place.
    pub zero_is_none: bool,
}

impl Quantity {
    /// Dimension of the values in the given sense.
    pub fn dimension(&self, sense: Sense) -> Dimension {
        match (self.dimension, sense) {
            (Dimension::Number, Sense::GroupIntegral) if self.has_spectrum() => Dimension::EnergyCubed,
            (Dimension::Number, Sense::GroupIntegralEnergy) if self.has_spectrum() => Dimension::EnergyFourth,
            (Dimension::NumberSpectrum, Sense::GroupIntegral) => Dimension::NumberDensity,
            (Dimension::EnergySpectrum, Sense::GroupIntegral) => Dimension::Pressure,
            (Dimension::FluxSpectrum, Sense::GroupIntegral) => Dimension::EnergyFlux,
            (Dimension::LuminositySpectrum, Sense::GroupIntegral) => Dimension::Luminosity,
            (dimension, _) => dimension,
        }
    }

    /// Whether the quantity has a value at each radius and energy.
    pub fn has_spectrum(&self) -> bool {
        matches!(self.over, Over::RadiusAndEnergy(_))
    }

    /// Whether values in this sense have a meaning.
    pub fn allows(&self, sense: Sense) -> bool {
        let weighted = matches!(sense, Sense::GroupMeanEnergy | Sense::GroupIntegralEnergy);
        match self.over {
            Over::RadiusAndEnergy(spectral) => !weighted || spectral.factor == Factor::One,
            _ => sense == Sense::Pointwise,
        }
    }
}

const fn radial(name: &'static str, title: &'static str, dimension: Dimension, frame: Frame) -> Quantity {
    Quantity { name, title, dimension, frame, over: Over::Radius, by_species: true, zero_is_none: false }
}

const fn matter(name: &'static str, title: &'static str, dimension: Dimension) -> Quantity {
    Quantity { by_species: false, ..radial(name, title, dimension, Frame::Any) }
}

const fn spectrum(
    name: &'static str,
    title: &'static str,
    dimension: Dimension,
    (moment, power, factor): (&'static str, i32, Factor),
) -> Quantity {
    let over = Over::RadiusAndEnergy(Spectral { moment, power, factor });
    Quantity { over, ..radial(name, title, dimension, Frame::Comoving) }
}

const fn sphere(name: &'static str, title: &'static str, over: Over) -> Quantity {
    Quantity { over, zero_is_none: true, ..radial(name, title, Dimension::Length, Frame::Any) }
}

const fn gain(name: &'static str, title: &'static str, dimension: Dimension) -> Quantity {
    Quantity { over: Over::Nothing, zero_is_none: true, ..matter(name, title, dimension) }
}

use Dimension as D;
use Frame::{Comoving, Infinity, Static};

/// All of them.
pub const QUANTITIES: &[Quantity] = &[
    radial("luminosity", "luminosity", D::Luminosity, Comoving),
    radial("luminosity_static", "luminosity", D::Luminosity, Static),
    radial("luminosity_infinity", "luminosity", D::Luminosity, Infinity),
    radial("number_luminosity", "number luminosity", D::Rate, Comoving),
    radial("number_luminosity_static", "number luminosity", D::Rate, Static),
    radial("number_luminosity_infinity", "number luminosity", D::Rate, Infinity),
    radial("energy_flux", "energy flux", D::EnergyFlux, Comoving),
    radial("energy_flux_static", "energy flux", D::EnergyFlux, Static),
    radial("number_flux", "number flux", D::NumberFlux, Comoving),
    radial("number_flux_static", "number flux", D::NumberFlux, Static),
    radial("energy_density", "energy density", D::Pressure, Comoving),
    radial("energy_density_static", "energy density", D::Pressure, Static),
    radial("number_density", "number density", D::NumberDensity, Comoving),
    radial("number_density_static", "number density", D::NumberDensity, Static),
    radial("mean_energy", "mean energy (energy over number density)", D::Energy, Comoving),
    radial("mean_energy_static", "mean energy (energy over number density)", D::Energy, Static),
    radial("mean_energy_flux", "mean energy (energy over number flux)", D::Energy, Comoving),
    radial("mean_energy_flux_static", "mean energy (energy over number flux)", D::Energy, Static),
    radial("mean_energy_infinity", "mean energy (energy over number flux)", D::Energy, Infinity),
    radial("rms_energy", "rms energy (ε⁵ over ε³)", D::Energy, Comoving),
    radial("rms_energy_number", "rms energy (ε⁴ over ε²)", D::Energy, Comoving),
    radial("flux_factor", "flux factor", D::Number, Comoving),
    radial("flux_factor_static", "flux factor", D::Number, Static),
    radial("eddington_factor", "Eddington factor", D::Number, Comoving),
    radial("eddington_factor_static", "Eddington factor", D::Number, Static),
    spectrum("j", "J", D::Number, ("j", 0, Factor::One)),
    spectrum("h", "H", D::Number, ("h", 0, Factor::One)),
    spectrum("k", "K", D::Number, ("k", 0, Factor::One)),
    spectrum("l", "L", D::Number, ("l", 0, Factor::One)),
    spectrum("number_density_spectrum", "number density", D::NumberSpectrum, ("j", 2, Factor::States)),
    spectrum("energy_density_spectrum", "energy density", D::EnergySpectrum, ("j", 3, Factor::StatesErg)),
    spectrum("energy_flux_spectrum", "energy flux", D::FluxSpectrum, ("h", 3, Factor::FluxErg)),
    spectrum("luminosity_spectrum", "luminosity", D::LuminositySpectrum, ("h", 3, Factor::LuminosityErg)),
    sphere("energy_sphere", "energy sphere", Over::Energy),
    sphere("transport_sphere", "transport sphere", Over::Energy),
    sphere("energy_sphere_mean", "mean energy sphere", Over::Nothing),
    sphere("transport_sphere_mean", "mean transport sphere", Over::Nothing),
    matter("heating_net", "net heating", D::SpecificPower),
    matter("heating_absorbed", "heating by absorption", D::SpecificPower),
    matter("heating_emitted", "cooling by emission", D::SpecificPower),
    matter("heating_scattered", "heating by inelastic scattering", D::SpecificPower),
    matter("ye_rate", "rate of change of the electron fraction", D::Rate),
    Quantity { zero_is_none: true, ..matter("ye_equilibrium", "equilibrium electron fraction", D::Number) },
    gain("gain_radius", "gain radius", D::Length),
    gain("gain_mass", "mass of the gain region", D::Mass),
    gain("gain_heating", "heating of the gain region", D::Luminosity),
    gain("heating_efficiency", "heating efficiency", D::Number),
    matter("lapse", "lapse", D::Number),
    matter("radial_metric", "radial metric", D::Number),
    matter("velocity", "velocity", D::Velocity),
    matter("density", "density", D::Density),
    matter("temperature", "temperature", D::Energy),
    matter("electron_fraction", "electron fraction", D::Number),
];

/// What the problem gives: it counts as exact where the reference is brought into another frame.
pub const BACKGROUND: [&str; 6] =
    ["lapse", "radial_metric", "velocity", "density", "temperature", "electron_fraction"];

/// The quantity `name`.
pub fn find(name: &str) -> Option<&'static Quantity> {
    QUANTITIES.iter().find(|quantity| quantity.name == name)
}

/// The quantity and species of a name such as `luminosity_nue`, as columns have it. The species is left
/// out where the quantity has none, or where there is but one.
///
/// # Errors
/// What is wrong with the name, and what is valid.
pub fn find_with_species(
    name: &str,
    species: &[String],
) -> Result<(&'static Quantity, Option<usize>), String> {
    if let Some(quantity) = find(name) {
        return match (quantity.by_species, species) {
            (false, _) => Ok((quantity, None)),
            (true, [_]) => Ok((quantity, Some(0))),
            (true, _) => {
                let valid: Vec<String> = species.iter().map(|s| format!("{name}_{s}")).collect();
                Err(format!("`{name}` says no species; valid: {}", valid.join(", ")))
            }
        };
    }
    let begins =
        |q: &&Quantity| name.strip_prefix(q.name).is_some_and(|rest| rest.starts_with('_')) && q.by_species;
    let mut candidates: Vec<&Quantity> = QUANTITIES.iter().filter(begins).collect();
    candidates.sort_by_key(|quantity| std::cmp::Reverse(quantity.name.len()));
    for quantity in &candidates {
        let rest = &name[quantity.name.len() + 1..];
        if let Some(index) = species.iter().position(|known| known == rest) {
            return find(quantity.name).map(|found| (found, Some(index))).ok_or_else(String::new);
        }
    }
    match candidates.first() {
        Some(quantity) => Err(format!(
            "`{}` is no species of the reference; it has: {}",
            &name[quantity.name.len() + 1..],
            species.join(", ")
        )),
        None => Err(unknown(name)),
    }
}

/// The message for a name that is no quantity.
pub fn unknown(name: &str) -> String {
    const SIMILAR: f64 = 0.85;
    let similarity = |q: &Quantity| strsim::jaro_winkler(name, q.name);
    let nearest = QUANTITIES.iter().max_by(|a, b| similarity(a).total_cmp(&similarity(b)));
    let hint = nearest
        .filter(|q| similarity(q) > SIMILAR)
        .map_or(String::new(), |q| format!("; did you mean `{}`?", q.name));
    format!("`{name}` is no quantity that can be compared{hint} (docs/compare.md lists them)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_have_units() {
        for (index, quantity) in QUANTITIES.iter().enumerate() {
            assert!(QUANTITIES[..index].iter().all(|other| other.name != quantity.name), "{}", quantity.name);
            assert!(!quantity.dimension.units().is_empty());
        }
    }

    #[test]
    fn the_longest_quantity_wins() {
        let species = ["nue".to_owned(), "static_nue".to_owned()];
        let (quantity, index) = find_with_species("luminosity_static_nue", &species).unwrap();
        assert_eq!((quantity.name, index), ("luminosity_static", Some(0)));
        let (quantity, index) = find_with_species("heating_net", &species).unwrap();
        assert_eq!((quantity.name, index), ("heating_net", None));
        assert_eq!(find_with_species("j", &species[..1]).unwrap().1, Some(0));
    }

    #[test]
    fn wrong_names_are_explained() {
        let species = ["nue".to_owned(), "anue".to_owned()];
        let message = |name: &str| find_with_species(name, &species).unwrap_err();
        assert!(
            message("luminosity_numu").contains("`numu` is no species of the reference; it has: nue, anue")
        );
        assert!(message("j").contains("valid: j_nue, j_anue"));
        assert!(message("luminosty").contains("did you mean `luminosity`?"));
        assert!(message("heating_net_nue").contains("is no quantity"));
    }
}
