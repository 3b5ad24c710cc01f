//! Neutrinospheres: the radii from which an optical depth to the outer edge is 2/3.
//!
//! Inelastic reactions count with their extinction x₀ = gain + loss at the solution's own moments
//! (docs/kernels.md): B = gain − x₀ f at one energy, as κ* is in B = η − κ* f. With κ_p of pair reactions
//! and κ_s of scattering on electrons
//!
//! ```text
//! number sphere      √((κ* + κ_p) κ_tr)            where neutrinos are made and destroyed
//! energy sphere      √((κ* + κ_p + κ_s) κ_tr)      where they exchange energy with the matter
//! transport sphere   κ_tr = κ* + κ_p + κ_s + σ₀ − σ₁
//! ```

use rayon::prelude::*;

use crate::error::Result;
use crate::extremes::largest;
use crate::methods::boltzmann::inelastic::Inelastic;
use crate::methods::coefficients::Coefficients;
use crate::methods::geometry::Geometry;
use crate::opacities::LocalOpacity;
use crate::opacities::kernels::{InelasticKernels, InelasticRates};
use crate::parallel::in_order;
use crate::phase_space::PhaseSpace;

use super::exchange::{LocalMoments, SpeciesRates};
use super::moments::Moments;

/// Optical depth that defines a sphere.
const DEPTH: f64 = 2.0 / 3.0;

/// Radii of one kind of sphere (internal length); 0 where the optical depth nowhere reaches 2/3.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Spheres {
    /// At (species, energy node).
    pub spectral: Vec<f64>,
    /// Per species, with the coefficient averaged over the local spectrum ε³J.
    pub mean: Vec<f64>,
}

/// The spheres of all species.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Neutrinospheres {
    /// Equal to `energy` without scattering on electrons.
    pub number: Spheres,
    pub energy: Spheres,
    pub transport: Spheres,
    /// Largest transport optical depth of the radius range, per species.
    pub depth: Vec<f64>,
}

/// Extinction of inelastic reactions at one (species, energy node, radial node), in 1/length.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Extinction {
    pub(crate) pairs: f64,
    pub(crate) scattering: f64,
}

impl Neutrinospheres {
    /// Spheres of all species and energies, with the inelastic reactions where there are any.
    ///
    /// # Errors
    /// Kernels that do not fit the grid.
    pub fn new(
        phase_space: &PhaseSpace,
        geometry: &Geometry,
        coefficients: &Coefficients,
        inelastic: Option<&Inelastic>,
        moments: &Moments,
    ) -> Result<Self> {
        let extinctions =
            inelastic.map(|inelastic| extinctions(phase_space, inelastic, moments)).transpose()?;
        let mut spheres = Self::default();
        for species in 0..phase_space.species.len() {
            let all = |coefficient: fn(&LocalOpacity, Extinction) -> f64| -> Vec<Vec<f64>> {
                (0..phase_space.energy.len())
                    .map(|k| {
                        let first = coefficients.first(species, k);
                        let slab = coefficients.slab(species, k).iter().enumerate();
                        let extinction = |i: usize| {
                            extinctions.as_ref().map_or_else(Extinction::default, |all| all[first + i])
                        };
                        slab.map(|(i, local)| coefficient(local, extinction(i))).collect()
                    })
                    .collect()
            };
            let view = View { phase_space, geometry, coefficients, moments, species };
            view.add(&mut spheres.number, &all(number_opacity));
            view.add(&mut spheres.energy, &all(energy_opacity));
            let transport = all(full_transport_opacity);
            view.add(&mut spheres.transport, &transport);
            let depths = transport.iter().map(|opacity| total_depth(phase_space, geometry, opacity));
            spheres.depth.push(largest(depths));
        }
        Ok(spheres)
    }
}

/// What the spheres of one species are found from.
struct View<'a> {
    phase_space: &'a PhaseSpace,
    geometry: &'a Geometry,
    coefficients: &'a Coefficients,
    moments: &'a Moments,
    species: usize,
}

impl View<'_> {
    /// Adds the species' spheres of the coefficient `opacity` at (energy node, radius).
    fn add(&self, spheres: &mut Spheres, opacity: &[Vec<f64>]) {
        let radius = |opacity: &[f64]| radius_at_depth(self.phase_space, self.geometry, opacity);
        spheres.spectral.extend(opacity.iter().map(|opacity| radius(opacity)));
        spheres.mean.push(radius(&self.spectral_mean(opacity)));
    }

    /// Average of `opacity` over ε³J at each radius; 0 where there are no neutrinos.
    fn spectral_mean(&self, opacity: &[Vec<f64>]) -> Vec<f64> {
        let radii = self.phase_space.radial.nodes.len();
        let energy = &self.phase_space.energy;
        let (mut mean, mut weights) = (vec![0.0; radii], vec![0.0; radii]);
        for (k, opacity) in opacity.iter().enumerate() {
            let spectral = energy.weight(k) * energy.node(k).powi(3);
            let first = self.coefficients.first(self.species, k);
            for i in 0..radii {
                let weight = spectral * self.moments.j[first + i].max(0.0);
                weights[i] += weight;
                mean[i] += weight * opacity[i];
            }
        }
        mean.iter()
            .zip(&weights)
            .map(|(mean, weight)| if *weight > 0.0 { mean / weight } else { 0.0 })
            .collect()
    }
}

/// The isotropic extinctions at (species, energy node, radius).
pub(crate) fn extinctions(
    phase_space: &PhaseSpace,
    inelastic: &Inelastic,
    moments: &Moments,
) -> Result<Vec<Extinction>> {
    let points = phase_space.species.len() * phase_space.energy.len();
    let at = |(i, kernels): (usize, &InelasticKernels)| -> Result<Vec<Extinction>> {
        let rates =
            LocalMoments::new(phase_space, moments, i).inelastic_rates(kernels, inelastic.weight())?;
        Ok(rates.iter().flat_map(extinctions_of_species).collect())
    };
    let local = in_order(inelastic.nodes().par_iter().enumerate().map(at))?;
    Ok((0..points).flat_map(|sk| local.iter().map(move |local| local[sk])).collect())
}

/// Gain and loss add up to the extinction; the rounding of moments outside 0 ≤ J ≤ 1 must not make it
/// negative.
fn extinctions_of_species(rates: &SpeciesRates) -> impl Iterator<Item = Extinction> + '_ {
    let sum = |rates: &InelasticRates| (rates.gain[0] + rates.loss[0]).clamp(0.0, f64::INFINITY);
    let both = rates.pairs.iter().zip(&rates.scattering);
    both.map(move |(pairs, scattering)| Extinction { pairs: sum(pairs), scattering: sum(scattering) })
}

/// κ_tr = κ* + κ_p + κ_s + σ₀ − σ₁.
fn full_transport_opacity(local: &LocalOpacity, inelastic: Extinction) -> f64 {
    local.transport() + inelastic.pairs + inelastic.scattering
}

/// √((κ* + κ_p + κ_s) κ_tr).
fn energy_opacity(local: &LocalOpacity, inelastic: Extinction) -> f64 {
    let exchange = local.absorption + inelastic.pairs + inelastic.scattering;
    (exchange * full_transport_opacity(local, inelastic)).max(0.0).sqrt()
}

/// √((κ* + κ_p) κ_tr).
fn number_opacity(local: &LocalOpacity, inelastic: Extinction) -> f64 {
    ((local.absorption + inelastic.pairs) * full_transport_opacity(local, inelastic)).max(0.0).sqrt()
}

/// ∫κ X dr over the whole grid.
pub fn total_depth(phase_space: &PhaseSpace, geometry: &Geometry, opacity: &[f64]) -> f64 {
    (0..opacity.len()).map(|i| phase_space.radial.weights[i] * geometry.radial_metric[i] * opacity[i]).sum()
}

/// The largest radius with ∫_r κ X dr = 2/3, or 0.
pub(crate) fn radius_at_depth(phase_space: &PhaseSpace, geometry: &Geometry, opacity: &[f64]) -> f64 {
    let radial = &phase_space.radial;
    let mut depth = 0.0;
    for element in (0..radial.elements()).rev() {
        let range = radial.range(element);
        let integrand: Vec<f64> = range.clone().map(|i| geometry.radial_metric[i] * opacity[i]).collect();
        let inside: f64 = range.clone().zip(&integrand).map(|(i, value)| radial.weights[i] * value).sum();
        if depth + inside >= DEPTH {
            return radius_in_element(phase_space, element, &integrand, DEPTH - depth);
        }
        depth += inside;
    }
    0.0
}

/// The radius in `element` from which the integral of the nodal polynomial to the element's end is
/// `wanted`, by bisection to round-off.
fn radius_in_element(phase_space: &PhaseSpace, element: usize, integrand: &[f64], wanted: f64) -> f64 {
    let radial = &phase_space.radial;
    let basis = &radial.basis;
    // Gauss quadrature on [x, 1] with the nodes of the element integrates its polynomial exactly.
    let beyond = |x: f64| -> f64 {
        let half = 0.5 * (1.0 - x);
        let value = |y: f64| -> f64 { basis.evaluate(y).iter().zip(integrand).map(|(l, v)| l * v).sum() };
        let sum: f64 =
            basis.nodes.iter().zip(&basis.weights).map(|(n, w)| w * value(x + half * (n + 1.0))).sum();
        0.5 * radial.width(element) * half * sum
    };
    let (mut low, mut high) = (-1.0, 1.0);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if beyond(middle) > wanted { low = middle } else { high = middle }
    }
    radial.edges[element] + 0.5 * radial.width(element) * (0.5 * (low + high) + 1.0)
}
