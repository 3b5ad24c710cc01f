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

use crate::methods::boltzmann::inelastic::Inelastic;
use crate::methods::coefficients::Coefficients;
use crate::methods::geometry::Geometry;
use crate::opacities::LocalOpacity;
use crate::opacities::kernels::{AngularMoments, InelasticRates};
use crate::phase_space::PhaseSpace;

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
    pub fn new(
        phase_space: &PhaseSpace,
        geometry: &Geometry,
        coefficients: &Coefficients,
        inelastic: Option<&Inelastic>,
        moments: &Moments,
    ) -> Self {
        let extinctions = inelastic.map(|inelastic| extinctions(phase_space, inelastic, moments));
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
            spheres.depth.push(depths.fold(0.0, f64::max));
        }
        spheres
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
) -> Vec<Extinction> {
    let radii = phase_space.radial.nodes.len();
    let points = phase_space.species.len() * phase_space.energy.len();
    let local: Vec<Vec<Extinction>> =
        (0..radii).into_par_iter().map(|i| extinctions_at(phase_space, inelastic, moments, i)).collect();
    (0..points).flat_map(|sk| local.iter().map(move |local| local[sk])).collect()
}

/// The isotropic extinctions at (species, energy node) of radial node `i`.
fn extinctions_at(
    phase_space: &PhaseSpace,
    inelastic: &Inelastic,
    moments: &Moments,
    i: usize,
) -> Vec<Extinction> {
    let (radii, energies, species) =
        (phase_space.radial.nodes.len(), phase_space.energy.len(), phase_space.species.len());
    let column = |values: &[f64]| -> Vec<f64> { values.iter().skip(i).step_by(radii).copied().collect() };
    let (j, h) = (column(&moments.j), column(&moments.h));
    let angular: Vec<AngularMoments> = j
        .chunks_exact(energies)
        .zip(h.chunks_exact(energies))
        .map(|(j, h)| AngularMoments { j, h })
        .collect();
    let (kernels, weight) = (&inelastic.nodes()[i], inelastic.weight());
    let mut found = vec![Extinction::default(); species * energies];
    for (s, found) in found.chunks_exact_mut(energies).enumerate() {
        let sum = |rates: &InelasticRates| (rates.gain[0] + rates.loss[0]).max(0.0);
        // Kernels of a set-up fit its species and energies.
        for (found, rates) in
            found.iter_mut().zip(kernels.pair_rates(s, &angular, weight).unwrap_or_default())
        {
            found.pairs = sum(&rates);
        }
        for (found, rates) in
            found.iter_mut().zip(kernels.scattering_rates(s, &angular, weight).unwrap_or_default())
        {
            found.scattering = sum(&rates);
        }
    }
    found
}

/// κ* + σ₀ − σ₁: the transport opacity without inelastic reactions.
pub fn transport_opacity(local: &LocalOpacity) -> f64 {
    local.absorption + local.scattering - local.scattering_first
}

/// κ_tr = κ* + κ_p + κ_s + σ₀ − σ₁.
fn full_transport_opacity(local: &LocalOpacity, inelastic: Extinction) -> f64 {
    transport_opacity(local) + inelastic.pairs + inelastic.scattering
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
fn radius_at_depth(phase_space: &PhaseSpace, geometry: &Geometry, opacity: &[f64]) -> f64 {
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
