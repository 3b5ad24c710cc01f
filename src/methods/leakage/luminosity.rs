//! The luminosity that effective emission adds up to, less what is absorbed on the way.

use faer::Mat;
use faer::linalg::solvers::{PartialPivLu, Solve};

use super::heating::HeatingOpacity;
use super::medium::Measure;
use super::radial::RadialIntegral;
use super::rates::{LocalRates, Rate};
use crate::methods::setup::Setup;

/// Luminosities of one species at the radial nodes, and what the matter there absorbs.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Luminosity {
    /// At infinity [s⁻¹].
    pub number: Vec<f64>,
    /// At infinity [erg/s].
    pub energy: Vec<f64>,
    pub absorbed: Vec<Rate>,
}

/// Luminosities of `species` with `rates` at the radial nodes.
///
/// With L∞ the luminosity at infinity, Q the effective emission and κ the heating opacity,
/// dL∞/dr = 4πr²X α²W (Q − κ L∞/(4πr²α²)), a linear equation whose second term keeps L∞ positive.
pub(super) fn luminosity(
    setup: &Setup,
    species: usize,
    rates: &[LocalRates],
    heating: &HeatingOpacity,
) -> Luminosity {
    let (measure, geometry) = (Measure::new(setup), &setup.geometry);
    let radii = rates.len();
    let own = species * radii..(species + 1) * radii;
    let (opacity, mean_energy) = (&heating.absorption[own.clone()], &heating.energy[own]);
    let source: Vec<f64> = (0..radii)
        .map(|i| measure.energy_gradient(i, rates[i].effective.number, rates[i].effective.energy))
        .collect();
    let sink: Vec<f64> =
        (0..radii).map(|i| geometry.radial_metric[i] * measure.lorentz_factor(i) * opacity[i]).collect();
    let energy = accumulated(setup, &source, &sink);
    let absorbed: Vec<Rate> = (0..radii)
        .map(|i| {
            let area = 4.0 * std::f64::consts::PI * setup.phase_space.radial.nodes[i].powi(2);
            let flux = energy[i].max(0.0) / (area * geometry.lapse[i].powi(2));
            let energy = if opacity[i] > 0.0 { opacity[i] * flux } else { 0.0 };
            Rate { number: energy / mean_energy[i], energy }
        })
        .collect();
    let net: Vec<f64> = (0..radii)
        .map(|i| measure.number_gradient(i, rates[i].effective.number - absorbed[i].number))
        .collect();
    let number = RadialIntegral::new(&setup.phase_space.radial).outward(&net);
    Luminosity { number, energy, absorbed }
}

/// The solution of dL/dr = `source` − `sink` L with L = 0 at the inner edge, by collocation at the nodes
/// of each element.
fn accumulated(setup: &Setup, source: &[f64], sink: &[f64]) -> Vec<f64> {
    let grid = &setup.phase_space.radial;
    let radial = RadialIntegral::new(grid);
    if sink.iter().all(|&sink| sink == 0.0) {
        return radial.outward(source);
    }
    let n = grid.per_element();
    let mut luminosity = Vec::with_capacity(source.len());
    let mut below = 0.0;
    for element in 0..grid.elements() {
        let range = grid.range(element);
        let (source, sink) = (&source[range.clone()], &sink[range.clone()]);
        let weight = |i: usize, q: usize| radial.outward_weight(element, i, q);
        let identity = |i: usize, q: usize| if i == q { 1.0 } else { 0.0 };
        let matrix = Mat::from_fn(n, n, |i, q| identity(i, q) + weight(i, q) * sink[q]);
        let mut inside =
            Mat::from_fn(n, 1, |i, _| below + (0..n).map(|q| weight(i, q) * source[q]).sum::<f64>());
        PartialPivLu::new(matrix.as_ref()).solve_in_place(inside.as_mut());
        for (q, i) in range.enumerate() {
            below += grid.weights[i] * (source[q] - sink[q] * inside[(q, 0)]);
            luminosity.push(inside[(q, 0)]);
        }
    }
    luminosity
}
