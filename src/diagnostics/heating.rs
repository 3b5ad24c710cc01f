//! Energy and lepton number that neutrinos leave in the matter.

use std::f64::consts::PI;

use crate::constants::ATOMIC_MASS_UNIT;
use crate::methods::coefficients::Coefficients;
use crate::methods::geometry::Geometry;
use crate::phase_space::PhaseSpace;
use crate::problem::file::Flavour;
use crate::units::UnitSystem;

use super::moments::Moments;

/// Rates at the radial nodes; zero where there is no matter.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Heating {
    /// (4πc/(ρ(hc)³)) Σ w ∫ε³ κ*J dε [erg/g/s].
    pub absorbed: Vec<f64>,
    /// (4πc/(ρ(hc)³)) Σ w ∫ε³ η dε [erg/g/s].
    pub emitted: Vec<f64>,
    /// Absorbed minus emitted [erg/g/s].
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

impl Heating {
    /// Rates for matter of density `density` [g/cm³] at the nodes.
    pub fn new(
        phase_space: &PhaseSpace,
        coefficients: &Coefficients,
        moments: &Moments,
        density: &[f64],
        units: UnitSystem,
    ) -> Self {
        let radii = phase_space.radial.nodes.len();
        let mut heating = Self {
            absorbed: vec![0.0; radii],
            emitted: vec![0.0; radii],
            net: vec![0.0; radii],
            ye_rate: vec![0.0; radii],
            gain_radius: None,
        };
        let states = 4.0 * PI * units.speed_of_light() / units.planck_c_cubed();
        for (species, properties) in phase_space.species.iter().enumerate() {
            let lepton = match properties.flavour {
                Flavour::ElectronNeutrino => 1.0,
                Flavour::ElectronAntineutrino => -1.0,
                Flavour::Heavy | Flavour::HeavyAntineutrino => 0.0,
            };
            for k in 0..phase_space.energy.len() {
                let (energy, width) = (phase_space.energy.node(k), phase_space.energy.weight(k));
                let first = coefficients.first(species, k);
                for i in (0..radii).filter(|&i| density[i] > 0.0) {
                    let local = coefficients.at(first + i);
                    let absorbed = local.absorption * moments.j[first + i];
                    let number = states * properties.multiplicity * width * energy * energy / density[i];
                    let power = number * energy * units.erg_per_energy();
                    heating.absorbed[i] += power * absorbed;
                    heating.emitted[i] += power * local.emissivity;
                    heating.net[i] += power * (absorbed - local.emissivity);
                    heating.ye_rate[i] += number * ATOMIC_MASS_UNIT * lepton * (absorbed - local.emissivity);
                }
            }
        }
        heating.gain_radius = gain_radius(&phase_space.radial.nodes, &heating.net);
        heating
    }
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
fn gain_radius(r: &[f64], net: &[f64]) -> Option<f64> {
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
