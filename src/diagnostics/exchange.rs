//! What the matter gives to the neutrinos at each point, integrated over angle: the collision term as
//! balances and heating see it, elastic and inelastic.

use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::methods::setup::Setup;
use crate::opacities::LocalOpacity;
use crate::opacities::kernels::{AngularMoments, InelasticKernels, InelasticRates};
use crate::parallel::in_order;
use crate::phase_space::PhaseSpace;

use super::moments::Moments;

/// Angular moments of the collision term at one (radius, species, energy), in 1/length.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Exchange {
    /// η, and of pair reactions Σ′Φ₀ᵖ(1 − J̄₀′).
    pub emitted: f64,
    /// κ*J, and of pair reactions ½∫ (gain + loss) f dμ, whose gain is the part that f blocks.
    pub absorbed: f64,
    /// ½∫B dμ of inelastic scattering: what it brings to this energy from others.
    pub scattered: f64,
    /// ½∫μB dμ of all collisions.
    pub momentum: f64,
}

impl Exchange {
    /// ½∫B dμ.
    pub fn net(&self) -> f64 {
        self.emitted - self.absorbed + self.scattered
    }
}

/// J, H, K of one radius by species, the energies of each side by side.
pub struct LocalMoments {
    energies: usize,
    j: Vec<f64>,
    h: Vec<f64>,
    k: Vec<f64>,
}

impl LocalMoments {
    /// Those of `moments` at radial node `node`.
    pub fn new(space: &PhaseSpace, moments: &Moments, node: usize) -> Self {
        let (energies, radii) = (space.energy.len(), space.radial.nodes.len());
        let all = 0..space.species.len() * energies;
        let pick = |values: &[f64]| all.clone().map(|sk| values[sk * radii + node]).collect();
        Self { energies, j: pick(&moments.j), h: pick(&moments.h), k: pick(&moments.k) }
    }

    /// Rates of the reactions of `kernels`, whose sums have the weights `weight`, of each species.
    ///
    /// # Errors
    /// Kernels for other species or energies.
    pub fn inelastic_rates(&self, kernels: &InelasticKernels, weight: &[f64]) -> Result<Vec<SpeciesRates>> {
        let chunks = self.j.chunks(self.energies).zip(self.h.chunks(self.energies));
        let angular: Vec<AngularMoments> = chunks.map(|(j, h)| AngularMoments { j, h }).collect();
        let of = |species: usize| -> Option<SpeciesRates> {
            Some(SpeciesRates {
                scattering: kernels.scattering_rates(species, &angular, weight)?,
                pairs: kernels.pair_rates(species, &angular, weight)?,
            })
        };
        let misfit = || Error::Numerical("inelastic kernels do not fit the energies of the problem".into());
        (0..angular.len()).map(|species| of(species).ok_or_else(misfit)).collect()
    }
}

/// Rates of inelastic reactions of one species at its energies.
#[derive(Debug, Clone, PartialEq)]
pub struct SpeciesRates {
    pub scattering: Vec<InelasticRates>,
    pub pairs: Vec<InelasticRates>,
}

/// Exchange at one radius at (species, energy), energy fastest, with the coefficients `local` in the same
/// order and `kernels`, whose sums have the weights `weight`.
///
/// # Errors
/// Kernels for other species or energies.
pub fn at_node(
    local: &[LocalOpacity],
    kernels: Option<&InelasticKernels>,
    weight: &[f64],
    moments: &LocalMoments,
) -> Result<Vec<Exchange>> {
    let mut exchange: Vec<Exchange> =
        local.iter().enumerate().map(|(n, local)| elastic(local, moments, n)).collect();
    let Some(kernels) = kernels else { return Ok(exchange) };
    let rates = moments.inelastic_rates(kernels, weight)?;
    for (species, (exchange, rates)) in exchange.chunks_mut(moments.energies).zip(&rates).enumerate() {
        for (k, exchange) in exchange.iter_mut().enumerate() {
            let n = species * moments.energies + k;
            let (j, h, k2) = (moments.j[n], moments.h[n], moments.k[n]);
            for (rates, pairs) in [(rates.scattering[k], false), (rates.pairs[k], true)] {
                let [x0, x1] = [0, 1].map(|order| rates.gain[order] + rates.loss[order]);
                let (gain, loss) = (rates.gain[0], x0 * j + x1 * h);
                if pairs {
                    exchange.emitted += gain;
                    exchange.absorbed += loss;
                } else {
                    exchange.scattered += gain - loss;
                }
                exchange.momentum += rates.gain[1] / 3.0 - x0 * h - x1 * k2;
            }
        }
    }
    Ok(exchange)
}

fn elastic(local: &LocalOpacity, moments: &LocalMoments, n: usize) -> Exchange {
    Exchange {
        emitted: local.emissivity,
        absorbed: local.absorption * moments.j[n],
        scattered: 0.0,
        momentum: -local.transport() * moments.h[n],
    }
}

/// Exchange of all collisions of `setup` at (radial node)(species, energy), energy fastest.
///
/// # Errors
/// Kernels that do not fit the grid.
pub fn of_setup(setup: &Setup, moments: &Moments) -> Result<Vec<Vec<Exchange>>> {
    let space = &setup.phase_space;
    let (species, energies) = (space.species.len(), space.energy.len());
    let inelastic = setup.inelastic.as_ref();
    let weight = inelastic.map_or(&[][..], |inelastic| inelastic.weight());
    let at = |i: usize| {
        let coefficients = &setup.coefficients;
        let local: Vec<LocalOpacity> = (0..species)
            .flat_map(|s| (0..energies).map(move |k| (s, k)))
            .map(|(s, k)| *coefficients.at(coefficients.first(s, k) + i))
            .collect();
        let kernels = inelastic.and_then(|inelastic| inelastic.nodes().get(i));
        at_node(&local, kernels, weight, &LocalMoments::new(space, moments, i))
    };
    in_order((0..space.radial.nodes.len()).into_par_iter().map(at))
}
