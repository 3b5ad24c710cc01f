//! The matter on the background: parametrised, or the columns of a profile.

use super::MatterState;
use super::composition::AssumedComposition;
use super::profile::Profile;
use crate::error::{Error, Result};
use crate::problem::BuildContext;
use crate::problem::file::{ElectronFractionFile, MatterFile};
use crate::problem::quantity::Quantity;
use crate::units::UnitSystem;

const PATH: &str = "background.matter";

#[derive(Debug, Clone)]
pub(super) enum Matter {
    None,
    PowerLaw(PowerLawAtmosphere),
    Uniform(UniformMatter),
    Profile(Box<Profile>),
}

/// ρ = ρ₀ (r₀/r)^p and T = T₀ (r₀/r)^q outside r₀, constant inside.
#[derive(Debug, Clone)]
pub(super) struct PowerLawAtmosphere {
    reference_radius: f64,
    density: f64,
    density_exponent: f64,
    temperature: f64,
    temperature_exponent: f64,
    electron_fraction: ElectronFraction,
    composition: AssumedComposition,
}

/// Y_e linear in ln r between two radii, constant beyond them.
#[derive(Debug, Clone)]
struct ElectronFraction {
    inner: f64,
    inner_radius: f64,
    outer: f64,
    outer_radius: f64,
}

/// The same matter at every radius up to `radius`.
#[derive(Debug, Clone)]
pub(super) struct UniformMatter {
    pub(super) radius: Option<f64>,
    pub(super) state: MatterState,
    composition: AssumedComposition,
}

impl Matter {
    pub(super) fn build(file: &MatterFile, context: &BuildContext) -> Result<Self> {
        let units = context.units;
        match file {
            MatterFile::None => Ok(Self::None),
            MatterFile::PowerLawAtmosphere {
                reference_radius,
                density,
                density_exponent,
                temperature,
                temperature_exponent,
                electron_fraction,
                composition,
            } => Ok(Self::PowerLaw(PowerLawAtmosphere {
                reference_radius: positive_length(reference_radius, units, "reference_radius")?,
                density: not_negative(density.density(units, &field("density"))?, "density")?,
                density_exponent: finite(*density_exponent, "density_exponent")?,
                temperature: not_negative(temperature.energy(units, &field("temperature"))?, "temperature")?,
                temperature_exponent: finite(*temperature_exponent, "temperature_exponent")?,
                electron_fraction: ElectronFraction::build(electron_fraction, units)?,
                composition: AssumedComposition::build(*composition, units, &field("composition"))?,
            })),
            MatterFile::Uniform { radius, density, temperature, electron_fraction, composition } => {
                let composition = AssumedComposition::build(*composition, units, &field("composition"))?;
                Ok(Self::Uniform(UniformMatter {
                    radius: radius
                        .as_ref()
                        .map(|radius| positive_length(radius, units, "radius"))
                        .transpose()?,
                    state: composition.matter(
                        not_negative(density.density(units, &field("density"))?, "density")?,
                        not_negative(temperature.energy(units, &field("temperature"))?, "temperature")?,
                        fraction(*electron_fraction, "electron_fraction")?,
                    )?,
                    composition,
                }))
            }
            MatterFile::Profile(profile) => {
                Ok(Self::Profile(Box::new(Profile::read(profile, context, PATH)?)))
            }
        }
    }

    /// The state at `r`; `None` where there is no matter, or not enough columns to describe it.
    ///
    /// # Errors
    /// Matter beyond the range of nuclear statistical equilibrium.
    pub(super) fn at(&self, r: f64) -> Result<Option<MatterState>> {
        match self {
            Self::None => Ok(None),
            Self::PowerLaw(atmosphere) => atmosphere.at(r).map(Some),
            Self::Uniform(uniform) => {
                Ok(uniform.radius.is_none_or(|radius| r <= radius).then_some(uniform.state))
            }
            Self::Profile(profile) => profile.matter(r),
        }
    }

    /// The tabulated profile, where the matter is one.
    pub(super) fn profile(&self) -> Option<&Profile> {
        match self {
            Self::Profile(profile) => Some(profile),
            _ => None,
        }
    }

    /// Radii where the matter ends or bends.
    pub(super) fn edges(&self) -> Vec<f64> {
        match self {
            Self::None => Vec::new(),
            Self::PowerLaw(atmosphere) => vec![
                atmosphere.reference_radius,
                atmosphere.electron_fraction.inner_radius,
                atmosphere.electron_fraction.outer_radius,
            ],
            Self::Uniform(uniform) => uniform.radius.into_iter().collect(),
            Self::Profile(profile) => vec![profile.points.inner_radius(), profile.points.outer_radius()],
        }
    }

    pub(super) fn describe(&self, units: UnitSystem) -> String {
        let (length, density, energy) = if units.physical { (" cm", " g/cm3", " MeV") } else { ("", "", "") };
        match self {
            Self::None => "none".to_owned(),
            Self::PowerLaw(atmosphere) => atmosphere.describe(length, density, energy),
            Self::Uniform(uniform) => format!(
                "uniform{}, density {:.4e}{density}, temperature {:.4}{energy}, Ye {}, {}",
                uniform.radius.map_or(String::new(), |radius| format!(" inside r = {radius:.6e}{length}")),
                uniform.state.density,
                uniform.state.temperature,
                uniform.state.electron_fraction,
                uniform.composition.describe()
            ),
            Self::Profile(profile) => profile.describe(length),
        }
    }
}

impl PowerLawAtmosphere {
    fn at(&self, r: f64) -> Result<MatterState> {
        let ratio = (self.reference_radius / r).min(1.0);
        self.composition.matter(
            self.density * ratio.powf(self.density_exponent),
            self.temperature * ratio.powf(self.temperature_exponent),
            self.electron_fraction.at(r),
        )
    }

    fn describe(&self, length: &str, density: &str, energy: &str) -> String {
        format!(
            "power laws outside r0 = {:.6e}{length}: density {:.4e}{density} (r0/r)^{}, temperature {:.4}{energy} \
             (r0/r)^{}, Ye {} to {}, {}",
            self.reference_radius,
            self.density,
            self.density_exponent,
            self.temperature,
            self.temperature_exponent,
            self.electron_fraction.inner,
            self.electron_fraction.outer,
            self.composition.describe()
        )
    }
}

impl ElectronFraction {
    fn build(file: &ElectronFractionFile, units: UnitSystem) -> Result<Self> {
        let built = Self {
            inner: fraction(file.inner, "electron_fraction.inner")?,
            inner_radius: positive_length(&file.inner_radius, units, "electron_fraction.inner_radius")?,
            outer: fraction(file.outer, "electron_fraction.outer")?,
            outer_radius: positive_length(&file.outer_radius, units, "electron_fraction.outer_radius")?,
        };
        if built.outer_radius <= built.inner_radius {
            return Err(Error::field(
                field("electron_fraction.outer_radius"),
                built.outer_radius,
                format!("more than inner_radius = {}", built.inner_radius),
            ));
        }
        Ok(built)
    }

    fn at(&self, r: f64) -> f64 {
        let weight = (r / self.inner_radius).ln() / (self.outer_radius / self.inner_radius).ln();
        self.inner + (self.outer - self.inner) * weight.clamp(0.0, 1.0)
    }
}

/// Matter of free nucleons: X_n = 1 − Y_e, X_p = Y_e.
pub(super) fn free_nucleons(density: f64, temperature: f64, electron_fraction: f64) -> MatterState {
    MatterState {
        density,
        temperature,
        electron_fraction,
        neutron_fraction: 1.0 - electron_fraction,
        proton_fraction: electron_fraction,
        ..MatterState::default()
    }
}

fn field(name: &str) -> String {
    format!("{PATH}.{name}")
}

fn positive_length(quantity: &Quantity, units: UnitSystem, name: &str) -> Result<f64> {
    let length = quantity.length(units, &field(name))?;
    if length > 0.0 { Ok(length) } else { Err(Error::field(field(name), length, "a positive length")) }
}

fn not_negative(value: f64, name: &str) -> Result<f64> {
    if value >= 0.0 { Ok(value) } else { Err(Error::field(field(name), value, "not negative")) }
}

fn fraction(value: f64, name: &str) -> Result<f64> {
    if (0.0..=1.0).contains(&value) {
        Ok(value)
    } else {
        Err(Error::field(field(name), value, "between 0 and 1"))
    }
}

fn finite(value: f64, name: &str) -> Result<f64> {
    if value.is_finite() { Ok(value) } else { Err(Error::field(field(name), value, "a finite number")) }
}
