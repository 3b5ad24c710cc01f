//! Inelastic collisions: scattering on electrons and positrons, and pair processes (docs/kernels.md).
//!
//! The kernels act only through the moments J₀ and H₀ of other energies and species, so that at each
//! point B = e₀ + μe₁ − (x₀ + μx₁) f with
//!
//! ```text
//! e₀ = Σ′ Φ₀ⁱⁿ J′ + Φ₀ᵖ (1 − J̄′)             x₀ = e₀ + Σ′ Φ₀ᵒᵘᵗ (1 − J′) + Φ₀ᵃ J̄′
//! e₁ = Σ′ 3Φ₁ⁱⁿ H′ − 3Φ₁ᵖ H̄′                 x₁ = e₁ − Σ′ 3Φ₁ᵒᵘᵗ H′ + 3Φ₁ᵃ H̄′
//! ```
//!
//! (bars: the partner species; Σ′ with weight ∫ℓ′ε²dε). The four rates are affine in the moments, and the
//! only products of unknowns are those of the rates with f.

use rayon::prelude::*;

use crate::opacities::kernels::InelasticKernels;
use crate::phase_space::PhaseSpace;

/// Kernels at all radial nodes.
#[derive(Debug)]
pub struct Inelastic {
    nodes: Vec<InelasticKernels>,
    /// ∫ℓ_k ε² dε.
    weight: Vec<f64>,
    species: usize,
}

/// A quantity at (radial node, species, energy), energy fastest.
pub type Field<T> = Vec<T>;

/// J₀ and H₀ of one (radial node, species, energy).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Pair {
    pub j: f64,
    pub h: f64,
}

/// e₀, e₁, x₀, x₁ of one (radial node, species, energy), in 1/length.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Rates {
    pub emission: f64,
    pub emission_first: f64,
    pub extinction: f64,
    pub extinction_first: f64,
}

impl Rates {
    /// e₀ + μe₁ − (x₀ + μx₁) f.
    pub fn net(&self, mu: f64, f: f64) -> f64 {
        self.emission + mu * self.emission_first - (self.extinction + mu * self.extinction_first) * f
    }
}

/// ∂(e₀, x₀)/∂J′ and ∂(e₁, x₁)/∂H′.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Coupling {
    pub isotropic: (f64, f64),
    pub first: (f64, f64),
}

impl Inelastic {
    /// Kernels `nodes`, one per radial node, for `species` species with the number weights `weight` of
    /// their energy nodes.
    pub fn new(nodes: Vec<InelasticKernels>, weight: Vec<f64>, species: usize) -> Self {
        Self { nodes, weight, species }
    }

    /// The kernels at each radial node.
    pub fn nodes(&self) -> &[InelasticKernels] {
        &self.nodes
    }

    /// The number weights ∫ℓ_k ε² dε that the sums over the kernels have.
    pub fn weight(&self) -> &[f64] {
        &self.weight
    }

    fn energies(&self) -> usize {
        self.weight.len()
    }

    /// J₀ and H₀ of f at (species, energy, radial node, ordinate).
    pub fn moments(&self, space: &PhaseSpace, f: &[f64]) -> Field<Pair> {
        let (angular, radii) = (&space.angular, space.radial.nodes.len());
        let ordinates = angular.nodes.len();
        let local = self.species * self.energies();
        let mut moments = vec![Pair::default(); radii * local];
        moments.par_chunks_mut(local).enumerate().for_each(|(i, moments)| {
            for (sk, moment) in moments.iter_mut().enumerate() {
                let f = &f[(sk * radii + i) * ordinates..][..ordinates];
                for ((f, w), mu) in f.iter().zip(&angular.weights).zip(&angular.nodes) {
                    moment.j += 0.5 * w * f;
                    moment.h += 0.5 * w * mu * f;
                }
            }
        });
        moments
    }

    /// The rates that `moments` imply.
    pub fn rates(&self, moments: &[Pair]) -> Field<Rates> {
        self.affine(moments, 1.0)
    }

    /// The change of the rates with a change of the moments.
    pub fn variation(&self, moments: &[Pair]) -> Field<Rates> {
        self.affine(moments, 0.0)
    }

    /// The rates with the part that does not depend on the moments multiplied by `constant`.
    fn affine(&self, moments: &[Pair], constant: f64) -> Field<Rates> {
        let local = self.species * self.energies();
        let mut rates = vec![Rates::default(); moments.len()];
        rates.par_chunks_mut(local).zip(moments.par_chunks(local)).zip(&self.nodes).for_each(
            |((rates, moments), kernels)| {
                for (s, rates) in rates.chunks_mut(self.energies()).enumerate() {
                    self.add_scattering(kernels, s, moments, constant, rates);
                    self.add_pairs(kernels, s, moments, constant, rates);
                }
            },
        );
        rates
    }

    fn add_scattering(
        &self,
        kernels: &InelasticKernels,
        s: usize,
        moments: &[Pair],
        constant: f64,
        rates: &mut [Rates],
    ) {
        let Some(kernel) = &kernels.scattering[s] else { return };
        let n = self.energies();
        let moments = &moments[s * n..(s + 1) * n];
        for (k, rates) in rates.iter_mut().enumerate() {
            for (q, (moment, weight)) in moments.iter().zip(&self.weight).enumerate() {
                let (inward, outward) = (kernel[[q, k]], kernel[[k, q]]);
                let gain = weight * inward.zeroth * moment.j;
                let gain_first = 3.0 * weight * inward.first * moment.h;
                rates.emission += gain;
                rates.extinction += gain + weight * outward.zeroth * (constant - moment.j);
                rates.emission_first += gain_first;
                rates.extinction_first += gain_first - 3.0 * weight * outward.first * moment.h;
            }
        }
    }

    fn add_pairs(
        &self,
        kernels: &InelasticKernels,
        s: usize,
        moments: &[Pair],
        constant: f64,
        rates: &mut [Rates],
    ) {
        let Some(kernel) = &kernels.pairs[s] else { return };
        let n = self.energies();
        let partner = &moments[kernel.partner * n..(kernel.partner + 1) * n];
        for (k, rates) in rates.iter_mut().enumerate() {
            for (q, (moment, weight)) in partner.iter().zip(&self.weight).enumerate() {
                let (made, lost) = (kernel.production[[k, q]], kernel.annihilation[[k, q]]);
                let gain = weight * made.zeroth * (constant - moment.j);
                let gain_first = -3.0 * weight * made.first * moment.h;
                rates.emission += gain;
                rates.extinction += gain + weight * lost.zeroth * moment.j;
                rates.emission_first += gain_first;
                rates.extinction_first += gain_first + 3.0 * weight * lost.first * moment.h;
            }
        }
    }

    /// How the rates of (`s`, `k`) at radial node `i` depend on the moments of (`t`, `q`); none where they
    /// do not.
    pub fn coupling(&self, i: usize, (s, k): (usize, usize), (t, q): (usize, usize)) -> Option<Coupling> {
        let weight = self.weight[q];
        let kernels = &self.nodes[i];
        let scattering = kernels.scattering[s].as_ref().filter(|_| s == t);
        let pair = kernels.pairs[s].as_ref().filter(|pair| pair.partner == t);
        if scattering.is_none() && pair.is_none() {
            return None;
        }
        let mut coupling = Coupling::default();
        if let Some(kernel) = scattering {
            let (inward, outward) = (kernel[[q, k]], kernel[[k, q]]);
            coupling.isotropic = (inward.zeroth, inward.zeroth - outward.zeroth);
            coupling.first = (inward.first, inward.first - outward.first);
        }
        if let Some(kernel) = pair {
            let (made, lost) = (kernel.production[[k, q]], kernel.annihilation[[k, q]]);
            coupling.isotropic.0 -= made.zeroth;
            coupling.isotropic.1 += lost.zeroth - made.zeroth;
            coupling.first.0 -= made.first;
            coupling.first.1 += lost.first - made.first;
        }
        coupling.isotropic = (weight * coupling.isotropic.0, weight * coupling.isotropic.1);
        coupling.first = (3.0 * weight * coupling.first.0, 3.0 * weight * coupling.first.1);
        Some(coupling)
    }
}
