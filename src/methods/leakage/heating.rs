//! The parametrised heating of O'Connor & Ott (2010): matter outside the neutrinosphere absorbs from the
//! luminosity that passes it, with the spectrum of the neutrinosphere.

use super::depth::{Depths, average};
use super::medium::{Measure, Medium};
use crate::methods::setup::Setup;

/// Transport depth of the neutrinosphere.
const SPHERE: f64 = 2.0 / 3.0;

/// What matter at each (species, radius) absorbs of a flux.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct HeatingOpacity {
    /// f_heat κ_heat ⟨1/F⟩ e^(−2τ): energy absorbed per volume, relative to the energy flux L/(4πr²) [1/length].
    pub absorption: Vec<f64>,
    /// Mean energy of the neutrinos absorbed \[erg\].
    pub energy: Vec<f64>,
}

impl HeatingOpacity {
    /// No absorption at `places` places.
    pub fn none(places: usize) -> Self {
        Self { absorption: vec![0.0; places], energy: vec![1.0; places] }
    }

    /// κ_heat is κ* averaged over the energy spectrum of the neutrinosphere; `factor` is f_heat.
    pub fn new(setup: &Setup, medium: &Medium, depths: &Depths, factor: f64) -> Self {
        let (measure, radii) = (Measure::new(setup), setup.phase_space.radial.nodes.len());
        let mut heating = Self::default();
        for (species, depth) in depths.transport_mean.chunks_exact(radii).enumerate() {
            let spectrum = sphere_spectrum(setup, medium, species, depth);
            for (i, &depth) in depth.iter().enumerate() {
                let absorption = |weight: &dyn Fn(usize) -> f64| {
                    average(setup, &medium.absorption, species, i, &spectrum, weight)
                };
                let total = |weight: &dyn Fn(usize) -> f64| -> f64 {
                    spectrum.iter().enumerate().map(|(k, f)| weight(k) * f).sum()
                };
                let (number, energy) = (|k| measure.number(k, i), |k| measure.energy(k, i));
                let (by_number, by_energy) = (absorption(&number), absorption(&energy));
                let share = factor * inverse_flux_factor(depth) * (-2.0 * depth).exp();
                heating.absorption.push(by_energy * share);
                let absorbed = by_number * total(&number);
                let mean = by_energy * total(&energy) / absorbed;
                heating.energy.push(if absorbed > 0.0 { mean } else { 1.0 });
            }
        }
        heating
    }
}

/// ⟨1/F⟩ of O'Connor & Ott (2010), their fit to the results of transport: 4.275 τ + 1.15.
fn inverse_flux_factor(depth: f64) -> f64 {
    4.275 * depth + 1.15
}

/// The spectrum at the neutrinosphere of `species`, where its mean `depth` is 2/3, linear in the
/// depth between nodes; that of the innermost radius with neutrinos where all are more transparent.
fn sphere_spectrum(setup: &Setup, medium: &Medium, species: usize, depth: &[f64]) -> Vec<f64> {
    let at = |i: usize| super::depth::local_spectrum(setup, medium, species, i);
    // The depth decreases outward.
    let outside = depth.partition_point(|&depth| depth >= SPHERE);
    if outside == 0 || outside == depth.len() {
        return at(outside.min(depth.len() - 1));
    }
    let (inner, outer) = (depth[outside - 1], depth[outside]);
    let weight = (inner - SPHERE) / (inner - outer);
    at(outside - 1).iter().zip(at(outside)).map(|(a, b)| (1.0 - weight) * a + weight * b).collect()
}
