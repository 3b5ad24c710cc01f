//! Energy and lepton number that neutrinos leave in the matter.

use std::f64::consts::PI;

use crate::constants::ATOMIC_MASS_UNIT;
use crate::error::Result;
use crate::methods::boltzmann::energy_redistribution::EnergyRedistribution;
use crate::methods::geometry::Geometry;
use crate::methods::setup::{Setup, at_radial_nodes, energy_nodes};
use crate::opacities::LocalOpacity;
use crate::phase_space::PhaseSpace;
use crate::units::UnitSystem;

use super::exchange::{Exchange, LocalMoments, at_node};
use super::moments::Moments;

/// Rates at the radial nodes; zero where there is no matter.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Heating {
    /// (4πc/(ρ(hc)³)) Σ w ∫ε³ κ*J dε, and annihilated pairs [erg/g/s].
    pub absorbed: Vec<f64>,
    /// (4πc/(ρ(hc)³)) Σ w ∫ε³ η dε, and produced pairs [erg/g/s].
    pub emitted: Vec<f64>,
    /// What inelastic scattering leaves in the matter [erg/g/s].
    pub scattered: Vec<f64>,
    /// Absorbed minus emitted plus scattered [erg/g/s].
    pub net: Vec<f64>,
    /// dY_e/dt [1/s].
    pub ye_rate: Vec<f64>,
    /// The outermost radius at which `net` turns positive outward (internal length).
    pub gain_radius: Option<f64>,
}

/// The matter outside the gain radius that neutrinos heat.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct GainRegion {
    /// ∫ 4πr² X ρ dr where the net rate is positive \[g\].
    pub mass: f64,
    /// ∫ 4πr² X ρ q dr there \[erg/s\], in the proper time of static observers.
    pub heating: f64,
}

/// From the exchange per state of phase space to that per gram of matter.
struct Measure<'a> {
    phase_space: &'a PhaseSpace,
    /// ∫ℓ_k ε² dε.
    number: Vec<f64>,
    units: UnitSystem,
}

impl<'a> Measure<'a> {
    fn new(phase_space: &'a PhaseSpace, units: UnitSystem) -> Self {
        let number = EnergyRedistribution::new(&phase_space.energy).number_weight;
        Self { phase_space, number, units }
    }

    /// (4πc/(hc)³) w Σ_k ∫ε³ value dε of `species` [erg cm⁻³ s⁻¹].
    fn power(&self, species: usize, exchange: &[Exchange], value: fn(&Exchange) -> f64) -> f64 {
        let grid = &self.phase_space.energy;
        let weight = |k: usize| grid.weight(k) * grid.node(k).powi(3) * self.units.erg_per_energy();
        self.sum(species, exchange, value, weight)
    }

    /// (4πc/(hc)³) w Σ_k ∫ε² value dε of `species` [cm⁻³ s⁻¹].
    fn number(&self, species: usize, exchange: &[Exchange], value: fn(&Exchange) -> f64) -> f64 {
        self.sum(species, exchange, value, |k| self.number[k])
    }

    /// Net heating by each species [erg/g/s] of matter of density `density` [g/cm³].
    fn net_by_species(&self, exchange: &[Exchange], density: f64) -> Vec<f64> {
        let heating = |species: usize| -self.power(species, exchange, Exchange::net) / density;
        (0..self.phase_space.species.len()).map(|s| if density > 0.0 { heating(s) } else { 0.0 }).collect()
    }

    fn sum(
        &self,
        species: usize,
        exchange: &[Exchange],
        value: fn(&Exchange) -> f64,
        weight: impl Fn(usize) -> f64,
    ) -> f64 {
        let energies = self.phase_space.energy.len();
        let own = &exchange[species * energies..(species + 1) * energies];
        let states = 4.0 * PI * self.units.speed_of_light() / self.units.planck_c_cubed();
        let multiplicity = self.phase_space.species[species].multiplicity;
        let sum: f64 = own.iter().enumerate().map(|(k, local)| weight(k) * value(local)).sum();
        states * multiplicity * sum
    }
}

impl Heating {
    /// Rates for matter of density `density` [g/cm³] at the nodes, where `exchange` holds what it gives to
    /// the neutrinos.
    pub fn new(
        phase_space: &PhaseSpace,
        exchange: &[Vec<Exchange>],
        density: &[f64],
        units: UnitSystem,
    ) -> Self {
        let measure = Measure::new(phase_space, units);
        let zeros = || vec![0.0; density.len()];
        let mut heating = Self {
            absorbed: zeros(),
            emitted: zeros(),
            scattered: zeros(),
            net: zeros(),
            ye_rate: zeros(),
            gain_radius: None,
        };
        for (i, (exchange, &density)) in exchange.iter().zip(density).enumerate() {
            if density <= 0.0 {
                continue;
            }
            for (species, properties) in phase_space.species.iter().enumerate() {
                let power = |value| measure.power(species, exchange, value) / density;
                heating.absorbed[i] += power(|local| local.absorbed);
                heating.emitted[i] += power(|local| local.emitted);
                heating.scattered[i] -= power(|local| local.scattered);
                heating.net[i] -= power(Exchange::net);
                let number = measure.number(species, exchange, Exchange::net) / density;
                let lepton = properties.flavour.electron_lepton_number();
                heating.ye_rate[i] -= ATOMIC_MASS_UNIT * lepton * number;
            }
        }
        heating.gain_radius = gain_radius(&phase_space.radial.nodes, &heating.net);
        heating
    }
}

/// Net heating by one process [erg/g/s].
#[derive(Debug, Clone, PartialEq)]
pub struct ProcessHeating {
    pub process: String,
    /// At (species, radial node), of all physical species that a species stands for.
    pub net: Vec<f64>,
}

/// Net heating of every process of `setup` that exchanges energy with the matter, which has the density
/// `density` [g/cm³] at the nodes; elastic scattering does not. The sum over processes and species is
/// [`Heating::net`] up to rounding.
///
/// # Errors
/// Opacities or kernels that cannot be evaluated.
pub fn by_process(setup: &Setup, moments: &Moments, density: &[f64]) -> Result<Vec<ProcessHeating>> {
    let space = &setup.phase_space;
    let measure = Measure::new(space, setup.units);
    let energies = energy_nodes(space);
    let mut found = Vec::new();
    for (process, opacities) in &setup.processes {
        let nodes = at_radial_nodes(&setup.background, space, |i, point| {
            let local = opacities.at_radius(point, &energies)?;
            let kernels = match opacities.first_with_kernels() {
                Some(_) => opacities.kernels_at(point, &energies)?,
                None => None,
            };
            let acts = kernels.is_some() || local.iter().any(|o| o.absorption > 0.0);
            let local: Vec<LocalOpacity> = local.iter().copied().collect();
            let moments = LocalMoments::new(space, moments, i);
            let exchange = at_node(&local, kernels.as_ref(), &measure.number, &moments)?;
            Ok((acts, measure.net_by_species(&exchange, density[i])))
        })?;
        if nodes.iter().any(|(acts, _)| *acts) {
            let species = 0..space.species.len();
            let net = species.flat_map(|s| nodes.iter().map(move |(_, net)| net[s])).collect();
            found.push(ProcessHeating { process: process.clone(), net });
        }
    }
    Ok(found)
}

impl Heating {
    /// Mass and total heating of the gain region; zero where there is no gain radius.
    pub fn gain_region(&self, phase_space: &PhaseSpace, geometry: &Geometry, density: &[f64]) -> GainRegion {
        let radial = &phase_space.radial;
        let Some(inner) = self.gain_radius else { return GainRegion::default() };
        let mut region = GainRegion::default();
        for i in (0..radial.nodes.len()).filter(|&i| radial.nodes[i] > inner && self.net[i] > 0.0) {
            let shell = 4.0 * PI * radial.nodes[i].powi(2) * geometry.radial_metric[i] * radial.weights[i];
            region.mass += shell * density[i];
            region.heating += shell * density[i] * self.net[i];
        }
        region
    }
}

/// Outermost upward zero of `net`, by linear interpolation between nodes. Deeper ones belong to the
/// diffusion of energy inside the neutrinospheres.
pub(crate) fn gain_radius(r: &[f64], net: &[f64]) -> Option<f64> {
    let crossing = (0..net.len().checked_sub(1)?).rev().find(|&i| net[i] < 0.0 && net[i + 1] > 0.0)?;
    let fraction = net[crossing] / (net[crossing] - net[crossing + 1]);
    Some(r[crossing] + fraction * (r[crossing + 1] - r[crossing]))
}

#[cfg(test)]
mod tests {
    use super::gain_radius;

    #[test]
    fn gain_radius_is_the_outermost_upward_zero() {
        let r = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        assert_eq!(gain_radius(&r, &[1.0, -5.0, -3.0, -1.0, 1.0, 0.5]), Some(4.5));
        assert_eq!(gain_radius(&r, &[-1.0, 1.0, -5.0, -1.0, 1.0, 0.0]), Some(4.5));
        assert_eq!(gain_radius(&r, &[1.0, 1.0, -5.0, -1.0, -0.5, -0.1]), None);
        assert_eq!(gain_radius(&[], &[]), None);
    }
}
