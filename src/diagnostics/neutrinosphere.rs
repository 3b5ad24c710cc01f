//! Energy and transport neutrinospheres: the radii from which the optical depth to the outer edge is 2/3.

use crate::methods::coefficients::Coefficients;
use crate::methods::geometry::Geometry;
use crate::opacities::LocalOpacity;
use crate::phase_space::PhaseSpace;

use super::moments::Moments;

/// Optical depth that defines a sphere.
const DEPTH: f64 = 2.0 / 3.0;

/// Radii of the spheres (internal length); 0 where the optical depth nowhere reaches 2/3.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Neutrinospheres {
    /// At (species, energy node): ∫√(κ*(κ*+σ₀−σ₁)) X dr = 2/3.
    pub energy: Vec<f64>,
    /// At (species, energy node): ∫(κ*+σ₀−σ₁) X dr = 2/3.
    pub transport: Vec<f64>,
    /// Per species, with opacities averaged over the local spectrum ε³J.
    pub energy_mean: Vec<f64>,
    pub transport_mean: Vec<f64>,
    /// Largest transport optical depth of the radius range, per species.
    pub depth: Vec<f64>,
}

impl Neutrinospheres {
    /// Spheres of all species and energies.
    pub fn new(
        phase_space: &PhaseSpace,
        geometry: &Geometry,
        coefficients: &Coefficients,
        moments: &Moments,
    ) -> Self {
        let mut spheres = Self::default();
        let radii = phase_space.radial.nodes.len();
        for species in 0..phase_space.species.len() {
            let (mut mean_effective, mut mean_transport) = (vec![0.0; radii], vec![0.0; radii]);
            let mut weights = vec![0.0; radii];
            let mut deepest: f64 = 0.0;
            for k in 0..phase_space.energy.len() {
                let slab = coefficients.slab(species, k);
                let transport: Vec<f64> = slab.iter().map(transport_opacity).collect();
                let effective: Vec<f64> = slab.iter().map(effective_opacity).collect();
                spheres.energy.push(radius_at_depth(phase_space, geometry, &effective));
                spheres.transport.push(radius_at_depth(phase_space, geometry, &transport));
                deepest = deepest.max(total_depth(phase_space, geometry, &transport));
                let spectral = phase_space.energy.weight(k) * phase_space.energy.node(k).powi(3);
                let first = coefficients.first(species, k);
                for i in 0..radii {
                    let weight = spectral * moments.j[first + i].max(0.0);
                    weights[i] += weight;
                    mean_effective[i] += weight * effective[i];
                    mean_transport[i] += weight * transport[i];
                }
            }
            for (i, &weight) in weights.iter().enumerate().filter(|(_, weight)| **weight > 0.0) {
                mean_effective[i] /= weight;
                mean_transport[i] /= weight;
            }
            spheres.energy_mean.push(radius_at_depth(phase_space, geometry, &mean_effective));
            spheres.transport_mean.push(radius_at_depth(phase_space, geometry, &mean_transport));
            spheres.depth.push(deepest);
        }
        spheres
    }
}

/// κ_tr = κ* + σ₀ − σ₁.
pub fn transport_opacity(local: &LocalOpacity) -> f64 {
    local.absorption + local.scattering - local.scattering_first
}

/// √(κ* κ_tr).
fn effective_opacity(local: &LocalOpacity) -> f64 {
    (local.absorption * transport_opacity(local)).max(0.0).sqrt()
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
