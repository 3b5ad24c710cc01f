//! κ*(f_eq − f) + σ₀(J₀ − f) + 3σ₁μH₀, per unit comoving path length.

use crate::methods::coefficients::Coefficients;
use crate::phase_space::PhaseSpace;

/// The ordinates' share in J₀ = ½∫f dμ and H₀ = ½∫fμ dμ.
#[derive(Debug, Clone, PartialEq)]
pub struct Collisions {
    /// μ_j.
    mu: Vec<f64>,
    /// ½ w_j.
    half_weights: Vec<f64>,
}

impl Collisions {
    /// For the ordinates of `phase_space`.
    pub fn new(phase_space: &PhaseSpace) -> Self {
        let angular = &phase_space.angular;
        Self { mu: angular.nodes.clone(), half_weights: angular.weights.iter().map(|w| 0.5 * w).collect() }
    }

    /// y += (κ* + σ₀) f − σ₀J₀ − 3σ₁μH₀ for one slab of f (radial nodes × ordinates) whose coefficients
    /// begin at `first`.
    #[inline(always)]
    pub fn apply(&self, coefficients: &Coefficients, first: usize, f: &[f64], y: &mut [f64]) {
        let ordinates = self.mu.len();
        for (i, (f, y)) in f.chunks_exact(ordinates).zip(y.chunks_exact_mut(ordinates)).enumerate() {
            let local = coefficients.at(first + i);
            let (mut j0, mut h0) = (0.0, 0.0);
            for ((f, w), mu) in f.iter().zip(&self.half_weights).zip(&self.mu) {
                j0 += w * f;
                h0 += w * f * mu;
            }
            let total = local.absorption + local.scattering;
            let (isotropic, forward) = (local.scattering * j0, 3.0 * local.scattering_first * h0);
            for ((y, f), mu) in y.iter_mut().zip(f).zip(&self.mu) {
                *y += total * f - isotropic - forward * mu;
            }
        }
    }

    /// Entry of the matrix that [`Collisions::apply`] applies, from ordinate `from` to ordinate `to` at
    /// the node whose coefficients are number `node`.
    pub fn entry(&self, coefficients: &Coefficients, node: usize, to: usize, from: usize) -> f64 {
        let local = coefficients.at(node);
        let scattered = local.scattering + 3.0 * local.scattering_first * self.mu[to] * self.mu[from];
        let diagonal = if to == from { local.absorption + local.scattering } else { 0.0 };
        diagonal - scattered * self.half_weights[from]
    }
}
