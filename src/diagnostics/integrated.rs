//! Energy-integrated quantities: densities, luminosities in three frames, mean energies, flux and
//! Eddington factors (physics: docs/equations.md, section "What is written").

use std::f64::consts::PI;

use crate::methods::boltzmann::connection::lorentz_factor;
use crate::methods::geometry::Geometry;
use crate::phase_space::{EnergyGrid, PhaseSpace};
use crate::units::UnitSystem;

use super::moments::Moments;

/// Where integrals are taken: radii and the background there.
#[derive(Debug, Clone, PartialEq)]
pub struct Places {
    pub r: Vec<f64>,
    pub lapse: Vec<f64>,
    pub velocity: Vec<f64>,
}

impl Places {
    /// The radial nodes.
    pub fn nodes(phase_space: &PhaseSpace, geometry: &Geometry) -> Self {
        Self {
            r: phase_space.radial.nodes.clone(),
            lapse: geometry.lapse.clone(),
            velocity: geometry.velocity.clone(),
        }
    }

    /// The edges of the radial elements.
    pub fn edges(phase_space: &PhaseSpace, geometry: &Geometry) -> Self {
        Self {
            r: phase_space.radial.edges.clone(),
            lapse: geometry.edge_lapse.clone(),
            velocity: geometry.edge_velocity.clone(),
        }
    }
}

/// Integrated quantities of one neutrino species at (species, radius), radius fastest, in external units.
/// Where there are no neutrinos, means and factors are 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Integrated {
    /// [cm⁻³]
    pub number_density: Vec<f64>,
    /// [erg/cm³]
    pub energy_density: Vec<f64>,
    /// 4πr²F in the comoving frame [erg/s].
    pub luminosity: Vec<f64>,
    /// 4πr²F of static observers [erg/s].
    pub luminosity_static: Vec<f64>,
    /// 4πr²α²F of static observers [erg/s].
    pub luminosity_infinity: Vec<f64>,
    /// 4πr²α(number flux of static observers) [1/s].
    pub number_luminosity_infinity: Vec<f64>,
    /// ∫ε³J/∫ε²J \[MeV\].
    pub mean_energy: Vec<f64>,
    /// √(∫ε⁵J/∫ε³J) \[MeV\].
    pub rms_energy: Vec<f64>,
    /// √(∫ε⁴J/∫ε²J) \[MeV\].
    pub rms_energy_number: Vec<f64>,
    /// L∞ / number luminosity at infinity \[MeV\].
    pub mean_energy_infinity: Vec<f64>,
    /// ∫ε³H/∫ε³J.
    pub flux_factor: Vec<f64>,
    /// ∫ε³K/∫ε³J.
    pub eddington_factor: Vec<f64>,
}

/// ∫ε^p f dε averaged over angle with 1, μ, μ².
#[derive(Debug, Clone, Copy, Default)]
struct Tensor {
    density: f64,
    flux: f64,
    pressure: f64,
}

impl Integrated {
    /// Integrals of f at (species, energy node, place, ordinate), ordinate fastest.
    pub fn new(phase_space: &PhaseSpace, places: &Places, units: UnitSystem, f: &[f64]) -> Self {
        let mut result = Self::default();
        let (count, ordinates) = (places.r.len(), phase_space.angular.nodes.len());
        let per_species = phase_space.energy.len() * count * ordinates;
        for f in f.chunks_exact(per_species) {
            for i in 0..count {
                let at = |k: usize| &f[(k * count + i) * ordinates..][..ordinates];
                let integral = |power: i32| tensor(phase_space, places, i, power, &at);
                result.push(places, i, units, [2, 3, 4, 5].map(integral));
            }
        }
        result
    }

    /// The same from the moments of f at (species, energy node, place), place fastest. In a gray problem,
    /// for matter at rest: in moving matter the powers of the energy at infinity need all moments.
    pub fn of_moments(
        phase_space: &PhaseSpace,
        places: &Places,
        units: UnitSystem,
        moments: &Moments,
    ) -> Self {
        let mut result = Self::default();
        let (count, energies) = (places.r.len(), phase_space.energy.len());
        for species in 0..phase_space.species.len() {
            for i in 0..count {
                let integral = |power: i32| {
                    let mut sum = Tensor::default();
                    for k in 0..energies {
                        let weight = match phase_space.energy {
                            EnergyGrid::Gray => places.lapse[i].powi(-power - 1),
                            EnergyGrid::Spectral(_) => {
                                phase_space.energy.weight(k) * phase_space.energy.node(k).powi(power)
                            }
                        };
                        let n = (species * energies + k) * count + i;
                        sum.density += weight * moments.j[n];
                        sum.flux += weight * moments.h[n];
                        sum.pressure += weight * moments.k[n];
                    }
                    sum
                };
                result.push(places, i, units, [2, 3, 4, 5].map(integral));
            }
        }
        result
    }

    /// The radial fluxes through spheres: all fields named `…luminosity…`.
    pub fn luminosities(&self) -> [&Vec<f64>; 4] {
        [
            &self.luminosity,
            &self.luminosity_static,
            &self.luminosity_infinity,
            &self.number_luminosity_infinity,
        ]
    }

    /// [`Self::luminosities`], to be replaced.
    pub fn luminosities_mut(&mut self) -> [&mut Vec<f64>; 4] {
        [
            &mut self.luminosity,
            &mut self.luminosity_static,
            &mut self.luminosity_infinity,
            &mut self.number_luminosity_infinity,
        ]
    }

    /// Sets the mean energy at infinity to the ratio of the luminosities.
    pub fn update_mean_energy_infinity(&mut self, units: UnitSystem) {
        let pairs = self.luminosity_infinity.iter().zip(&self.number_luminosity_infinity);
        self.mean_energy_infinity = pairs.map(|(l, n)| ratio(*l, *n) / units.erg_per_energy()).collect();
    }

    /// Adds one place from its integrals with ε², ε³, ε⁴ and ε⁵.
    fn push(
        &mut self,
        places: &Places,
        i: usize,
        units: UnitSystem,
        [number, energy, fourth, fifth]: [Tensor; 4],
    ) {
        let (lapse, v) = (places.lapse[i], places.velocity[i]);
        let w2 = lorentz_factor(v).powi(2);
        let states = 4.0 * PI / units.planck_c_cubed();
        let area = 4.0 * PI * places.r[i].powi(2) * units.speed_of_light();
        let erg = units.erg_per_energy();
        let number_flux = w2.sqrt() * (number.flux + v * number.density);
        let energy_flux = w2 * ((1.0 + v * v) * energy.flux + v * (energy.density + energy.pressure));
        self.number_density.push(states * number.density);
        self.energy_density.push(states * erg * energy.density);
        self.luminosity.push(area * states * erg * energy.flux);
        self.luminosity_static.push(area * states * erg * energy_flux);
        self.luminosity_infinity.push(area * states * erg * lapse * lapse * energy_flux);
        self.number_luminosity_infinity.push(area * states * lapse * number_flux);
        self.mean_energy.push(ratio(energy.density, number.density));
        self.rms_energy.push(ratio(fifth.density, energy.density).max(0.0).sqrt());
        self.rms_energy_number.push(ratio(fourth.density, number.density).max(0.0).sqrt());
        self.mean_energy_infinity.push(lapse * ratio(energy_flux, number_flux));
        self.flux_factor.push(ratio(energy.flux, energy.density));
        self.eddington_factor.push(ratio(energy.pressure, energy.density));
    }
}

/// a/b, or 0 where b is 0.
fn ratio(a: f64, b: f64) -> f64 {
    if b == 0.0 { 0.0 } else { a / b }
}

/// Integrals with ε^power at place `i`; `f(k)` are the ordinates' values at energy node k.
///
/// In a gray problem f does not depend on the energy at infinity αWε(1+vμ), and integrals are per unit
/// of that energy taken at 1: ε = 1/(αW(1+vμ)).
fn tensor<'f>(
    phase_space: &PhaseSpace,
    places: &Places,
    i: usize,
    power: i32,
    f: &impl Fn(usize) -> &'f [f64],
) -> Tensor {
    let angular = &phase_space.angular;
    let gray = matches!(phase_space.energy, EnergyGrid::Gray);
    let to_infinity =
        |mu: f64| places.lapse[i] * lorentz_factor(places.velocity[i]) * (1.0 + places.velocity[i] * mu);
    let mut sum = Tensor::default();
    for k in 0..phase_space.energy.len() {
        let spectral = phase_space.energy.weight(k) * phase_space.energy.node(k).powi(power);
        for ((f, w), &mu) in f(k).iter().zip(&angular.weights).zip(&angular.nodes) {
            let weight = if gray { to_infinity(mu).powi(-power - 1) } else { spectral };
            let term = 0.5 * w * weight * f;
            sum.density += term;
            sum.flux += term * mu;
            sum.pressure += term * mu * mu;
        }
    }
    sum
}
