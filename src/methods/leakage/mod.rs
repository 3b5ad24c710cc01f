//! Neutrino leakage: matter loses neutrinos at a rate between that of their production and that of their
//! diffusion out of it, found from local quantities and the optical depth alone (docs/leakage.md).
//!
//! Schemes differ in the diffusion time and in what is averaged over energies. Opacities, emissivities,
//! equilibrium and grid are those of the [`Setup`], so that a scheme's difference from a transport
//! solution on the same set-up is its own.

mod depth;
mod diffusion;
mod heating;
mod luminosity;
mod medium;
mod radial;
mod rates;
mod result;
mod scheme;

pub use depth::{Depths, Spheres, bias_of_exp_tau};
pub use scheme::Scheme;

use self::depth::Means;
use self::heating::HeatingOpacity;
use self::medium::{Medium, ratio};
use self::rates::{LocalRates, Rates};
use super::setup::Setup;
use crate::error::{Error, Result};

/// What a leakage scheme has at (species, radial node), radius fastest, of one physical species, in
/// external units. Rates are per comoving volume and time.
#[derive(Debug, Clone, PartialEq)]
pub struct LeakageSolution {
    pub scheme: Scheme,
    /// f_heat, which counts for [`Scheme::heats`] only.
    pub heating_factor: f64,
    pub depths: Depths,
    pub spheres: Spheres,
    /// What the matter would emit into empty space [cm⁻³ s⁻¹].
    pub number_production: Vec<f64>,
    /// [erg cm⁻³ s⁻¹]
    pub energy_production: Vec<f64>,
    /// The equilibrium density over the diffusion time [cm⁻³ s⁻¹]; 0 where there is no equilibrium.
    pub number_diffusion: Vec<f64>,
    /// [erg cm⁻³ s⁻¹]
    pub energy_diffusion: Vec<f64>,
    /// Neutrinos that leave the matter [cm⁻³ s⁻¹].
    pub number_emission: Vec<f64>,
    /// Energy that leaves the matter [erg cm⁻³ s⁻¹].
    pub energy_emission: Vec<f64>,
    /// Neutrinos that matter absorbs from those that pass it [cm⁻³ s⁻¹]; 0 for all schemes without
    /// [`Scheme::heats`].
    pub number_heating: Vec<f64>,
    /// The same in energy [erg cm⁻³ s⁻¹].
    pub energy_heating: Vec<f64>,
    /// Number luminosity at infinity of all that left the matter inside this radius [s⁻¹].
    pub number_luminosity_infinity: Vec<f64>,
    /// Luminosity at infinity of the same [erg/s].
    pub luminosity_infinity: Vec<f64>,
    /// Luminosity of the same for static observers at this radius [erg/s].
    pub luminosity_static: Vec<f64>,
    /// −∇·F of diffusion by the gradient of the equilibrium energy density [erg cm⁻³ s⁻¹], to compare
    /// with `energy_diffusion`; negative where diffusion heats.
    pub gradient_diffusion: Vec<f64>,
}

/// What a scheme leaves open.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// f_heat, by which [`Scheme::OConnorOtt`] multiplies its heating; 0 is none. O'Connor & Ott (2010) tune it
    /// to make models explode, and 1, the default, is the heating that their scheme has by itself.
    pub heating_factor: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { heating_factor: 1.0 }
    }
}

/// Leakage on `setup` with `scheme` and the default [`Settings`].
///
/// # Errors
/// See [`solve_with`].
pub fn solve(setup: &Setup, scheme: Scheme) -> Result<LeakageSolution> {
    solve_with(setup, scheme, Settings::default())
}

/// Leakage on `setup` with `scheme`.
///
/// # Errors
/// [`Error::Field`] for a heating factor that is negative or not finite, and for a problem whose outer edge
/// reflects, because neutrinos leak into empty space; [`Error::Numerical`] for rates that are not finite.
pub fn solve_with(setup: &Setup, scheme: Scheme, settings: Settings) -> Result<LeakageSolution> {
    let factor = settings.heating_factor;
    if !(factor.is_finite() && factor >= 0.0) {
        return Err(Error::field("heating_factor", factor, "a number that is not negative"));
    }
    if setup.boundaries.reflecting().1 {
        let valid = "Vacuum or Given: what leaks does not come back";
        return Err(Error::field("boundary.outer", "Reflecting", valid));
    }
    let medium = Medium::new(setup)?;
    let means = Means::new(setup, &medium);
    let depths = Depths::new(setup, &medium, &means);
    let rates = Rates { setup, medium: &medium, means: &means, depths: &depths, scheme }.all();
    let heating = if scheme.heats() {
        HeatingOpacity::new(setup, &medium, &depths, factor)
    } else {
        HeatingOpacity::none(rates.len())
    };
    let spheres = Spheres::new(setup, &medium, &means);
    let mut solution = LeakageSolution::local(scheme, depths, &rates);
    solution.spheres = spheres;
    solution.heating_factor = factor;
    solution.gradient_diffusion = diffusion::by_gradient(setup, &medium);
    solution.add_luminosities(setup, &rates, &heating);
    solution.check()?;
    Ok(solution)
}

impl LeakageSolution {
    /// The solution without what adds up along rays.
    fn local(scheme: Scheme, depths: Depths, rates: &[LocalRates]) -> Self {
        let pick = |value: fn(&LocalRates) -> f64| rates.iter().map(value).collect();
        Self {
            scheme,
            heating_factor: 1.0,
            depths,
            spheres: Spheres::default(),
            number_production: pick(|rates| rates.production.number),
            energy_production: pick(|rates| rates.production.energy),
            number_diffusion: pick(|rates| rates.diffusion.number),
            energy_diffusion: pick(|rates| rates.diffusion.energy),
            number_emission: pick(|rates| rates.effective.number),
            energy_emission: pick(|rates| rates.effective.energy),
            number_heating: Vec::new(),
            energy_heating: Vec::new(),
            number_luminosity_infinity: Vec::new(),
            luminosity_infinity: Vec::new(),
            luminosity_static: Vec::new(),
            gradient_diffusion: Vec::new(),
        }
    }

    fn add_luminosities(&mut self, setup: &Setup, rates: &[LocalRates], heating: &HeatingOpacity) {
        let radii = setup.phase_space.radial.nodes.len();
        for (species, rates) in rates.chunks_exact(radii).enumerate() {
            let found = luminosity::luminosity(setup, species, rates, heating);
            self.number_heating.extend(found.absorbed.iter().map(|rate| rate.number));
            self.energy_heating.extend(found.absorbed.iter().map(|rate| rate.energy));
            let lapse = &setup.geometry.lapse;
            self.luminosity_static.extend(found.energy.iter().zip(lapse).map(|(l, a)| l / (a * a)));
            self.luminosity_infinity.extend(found.energy);
            self.number_luminosity_infinity.extend(found.number);
        }
    }

    /// Mean energy at infinity \[MeV\] at (species, radius): the ratio of the luminosities; 0 where
    /// nothing has left the matter.
    pub fn mean_energy_infinity(&self, setup: &Setup) -> Vec<f64> {
        let pairs = self.luminosity_infinity.iter().zip(&self.number_luminosity_infinity);
        pairs.map(|(energy, number)| ratio(*energy, *number) / setup.units.erg_per_energy()).collect()
    }

    /// `energy_diffusion` over `gradient_diffusion`: 1 where the local density over a time is what
    /// diffusion takes from the matter, negative where diffusion heats and leakage cools. 0 where either
    /// is 0.
    pub fn diffusion_ratio(&self) -> Vec<f64> {
        let pairs = self.energy_diffusion.iter().zip(&self.gradient_diffusion);
        pairs.map(|(local, gradient)| if *gradient == 0.0 { 0.0 } else { local / gradient }).collect()
    }

    /// Finds values that are not finite.
    fn check(&self) -> Result<()> {
        for (name, values) in [
            ("transport depth", &self.depths.transport),
            ("production", &self.energy_production),
            ("number emission", &self.number_emission),
            ("emission", &self.energy_emission),
            ("heating", &self.energy_heating),
            ("number luminosity", &self.number_luminosity_infinity),
            ("luminosity", &self.luminosity_infinity),
        ] {
            if let Some(place) = values.iter().position(|value| !value.is_finite()) {
                let what = format!("{} leakage: {name} {} at place {place}", self.scheme, values[place]);
                return Err(Error::Numerical(what));
            }
        }
        Ok(())
    }
}
