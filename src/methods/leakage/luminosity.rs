//! The luminosity that effective emission adds up to, less what is absorbed on the way.

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
            let flux = energy[i] / (area * geometry.lapse[i].powi(2));
            let energy = if opacity[i] > 0.0 { opacity[i] * flux } else { 0.0 };
            Rate { number: energy / mean_energy[i], energy }
        })
        .collect();
    let radial = RadialIntegral::new(&setup.phase_space.radial);
    let emitted: Vec<f64> =
        (0..radii).map(|i| measure.number_gradient(i, rates[i].effective.number)).collect();
    let lost: Vec<f64> = (0..radii).map(|i| measure.number_gradient(i, absorbed[i].number)).collect();
    let number =
        radial.outward(&emitted).iter().zip(radial.outward(&lost)).map(|(made, lost)| made - lost).collect();
    Luminosity { number, energy, absorbed }
}

/// The solution of dL/dr = `source` − `sink` L, both not negative, with L = 0 at the inner edge: from node
/// to node by the exponential of the integrated sink, between which the source is taken to grow in
/// proportion to it. L stays positive however much is absorbed.
fn accumulated(setup: &Setup, source: &[f64], sink: &[f64]) -> Vec<f64> {
    let radial = RadialIntegral::new(&setup.phase_space.radial);
    let emitted = radial.outward(source);
    if sink.iter().all(|&sink| sink == 0.0) {
        return emitted;
    }
    let depth = radial.outward(sink);
    let (mut luminosity, mut inner) = (Vec::with_capacity(source.len()), (0.0, 0.0, 0.0));
    for (emitted, depth) in emitted.into_iter().zip(depth) {
        let (below, emitted_below, depth_below) = inner;
        let (added, passed) = (emitted - emitted_below, depth - depth_below);
        // (1 − e^(−x))/x of the absorption x on the way.
        let escaping = if passed > 0.0 { -(-passed).exp_m1() / passed } else { 1.0 };
        inner = (below * (-passed).exp() + added * escaping, emitted, depth);
        luminosity.push(inner.0);
    }
    luminosity
}
