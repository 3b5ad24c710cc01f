//! Optical depths along outward radial rays, and what their errors do to e^(−τ).

use rayon::prelude::*;

use super::medium::{Measure, Medium};
use super::radial::RadialIntegral;
use crate::diagnostics::neutrinosphere::radius_at_depth;
use crate::methods::setup::Setup;

/// Optical depths from the radial nodes to the outer edge, beyond which there is nothing.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Depths {
    /// ∫κ_tr X dr at (species, energy, radius).
    pub transport: Vec<f64>,
    /// ∫√((κ* + κ_p + κ_s) κ_tr) X dr at (species, energy, radius).
    pub effective: Vec<f64>,
    /// `transport` of the opacity averaged over the local energy spectrum, at (species, radius).
    pub transport_mean: Vec<f64>,
    /// `effective` of the opacity averaged over the local energy spectrum, at (species, radius).
    pub effective_mean: Vec<f64>,
    /// `transport` of the opacity averaged over the local number spectrum, at (species, radius).
    pub transport_number_mean: Vec<f64>,
    /// e^(−τ) δτ²/2 of `transport`, at (species, energy, radius); see [`bias_of_exp_tau`].
    pub bias: Vec<f64>,
    /// e^(−τ) δτ²/2 of `transport_mean`, at (species, radius).
    pub bias_mean: Vec<f64>,
}

/// Neutrinospheres as leakage has them: radii of depth 2/3 (internal length), 0 where there is none.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Spheres {
    /// Of the transport opacity, at (species, energy).
    pub transport: Vec<f64>,
    /// Of the effective opacity, at (species, energy).
    pub effective: Vec<f64>,
    /// Of the transport opacity averaged over the local energy spectrum, per species.
    pub transport_mean: Vec<f64>,
    /// Of the effective opacity averaged over the local energy spectrum, per species.
    pub effective_mean: Vec<f64>,
}

impl Spheres {
    pub(super) fn new(setup: &Setup, medium: &Medium, means: &Means) -> Self {
        let radii = |opacities: &[f64]| -> Vec<f64> {
            let rays = opacities.chunks(setup.phase_space.radial.nodes.len());
            rays.map(|opacity| radius_at_depth(&setup.phase_space, &setup.geometry, opacity)).collect()
        };
        Self {
            transport: radii(&medium.transport),
            effective: radii(&medium.effective),
            transport_mean: radii(&means.energy),
            effective_mean: radii(&means.effective),
        }
    }
}

/// Averages of the opacities over the spectrum f that [`local_spectrum`] gives, at (species, radius), in
/// 1/length.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Means {
    /// κ_tr over ε²f.
    pub number: Vec<f64>,
    /// κ_tr over ε³f.
    pub energy: Vec<f64>,
    /// The effective opacity over ε³f.
    pub effective: Vec<f64>,
}

/// By how much random errors of the size δτ in an optical depth τ raise e^(−τ) on average: its second
/// derivative times half the variance, e^(−τ) δτ²/2.
///
/// The size is that of the difference between two quadratures, the integral of the elements' polynomials
/// and `other`, the trapezoidal rule on the same nodes, which is what codes with piecewise linear
/// opacities have.
pub fn bias_of_exp_tau(depth: f64, other: f64) -> f64 {
    0.5 * (-depth).exp() * (depth - other).powi(2)
}

/// ∫`opacities` X dr from each radial node to the outer edge, rays side by side.
pub(super) fn depths(setup: &Setup, opacities: &[f64]) -> Vec<f64> {
    let radial = RadialIntegral::new(&setup.phase_space.radial);
    let rays: Vec<_> = opacities
        .par_chunks(setup.phase_space.radial.nodes.len())
        .map(|opacity| radial.inward(&proper(setup, opacity)))
        .collect();
    rays.concat()
}

/// `opacity` X: the opacity per unit of the radius.
fn proper(setup: &Setup, opacity: &[f64]) -> Vec<f64> {
    opacity.iter().zip(&setup.geometry.radial_metric).map(|(opacity, x)| opacity * x).collect()
}

impl Depths {
    pub(super) fn new(setup: &Setup, medium: &Medium, means: &Means) -> Self {
        let radial = RadialIntegral::new(&setup.phase_space.radial);
        let bias = |opacities: &[f64], depths: &[f64]| -> Vec<f64> {
            let rays = opacities.chunks(setup.phase_space.radial.nodes.len());
            let other = rays.flat_map(|opacity| radial.inward_trapezoidal(&proper(setup, opacity)));
            depths.iter().zip(other).map(|(&depth, other)| bias_of_exp_tau(depth, other)).collect()
        };
        let (transport, transport_mean) = (depths(setup, &medium.transport), depths(setup, &means.energy));
        Self {
            bias: bias(&medium.transport, &transport),
            bias_mean: bias(&means.energy, &transport_mean),
            effective: depths(setup, &medium.effective),
            effective_mean: depths(setup, &means.effective),
            transport_number_mean: depths(setup, &means.number),
            transport,
            transport_mean,
        }
    }
}

impl Means {
    pub(super) fn new(setup: &Setup, medium: &Medium) -> Self {
        let measure = Measure::new(setup);
        let mut means = Self::default();
        for species in 0..setup.phase_space.species.len() {
            for i in 0..setup.phase_space.radial.nodes.len() {
                let spectrum = local_spectrum(setup, medium, species, i);
                let number = |k: usize| measure.number(k, i);
                let energy = |k: usize| measure.energy(k, i);
                let average = |opacity: &[f64], weight: &dyn Fn(usize) -> f64| {
                    average(setup, opacity, species, i, &spectrum, weight)
                };
                means.number.push(average(&medium.transport, &number));
                means.energy.push(average(&medium.transport, &energy));
                means.effective.push(average(&medium.effective, &energy));
            }
        }
        means
    }
}

/// Σ weight·`spectrum`·`opacity` / Σ weight·`spectrum` at radial node `i`.
pub(super) fn average(
    setup: &Setup,
    opacity: &[f64],
    species: usize,
    i: usize,
    spectrum: &[f64],
    weight: &dyn Fn(usize) -> f64,
) -> f64 {
    let (mut sum, mut total) = (0.0, 0.0);
    for (k, occupation) in spectrum.iter().enumerate() {
        let weight = weight(k) * occupation;
        total += weight;
        sum += weight * opacity[setup.coefficients.first(species, k) + i];
    }
    super::medium::ratio(sum, total)
}

/// The spectrum that opacities are averaged with at radial node `i`. Where it is empty, that of the nearest
/// radius inside where it is not, otherwise of the nearest outside, otherwise 1: what passes there comes
/// from elsewhere.
pub(super) fn local_spectrum(setup: &Setup, medium: &Medium, species: usize, i: usize) -> Vec<f64> {
    let (radii, energies) = (setup.phase_space.radial.nodes.len(), setup.phase_space.energy.len());
    let at = |i: usize| -> Vec<f64> {
        (0..energies).map(|k| medium.spectrum[setup.coefficients.first(species, k) + i]).collect()
    };
    let candidates = (0..=i).rev().chain(i + 1..radii).map(at);
    candidates.into_iter().find(|f| f.iter().any(|&f| f > 0.0)).unwrap_or_else(|| vec![1.0; energies])
}
