//! Kernels of inelastic collisions on the lines of constant energy at infinity.

use ndarray::Array2;
use rayon::prelude::*;

use crate::methods::boltzmann::inelastic::{Inelastic, Pair, Rates};
use crate::opacities::kernels::{InelasticKernels, KernelMatrix, Moments, PairKernel};

use super::face::LEAST_J;
use super::lines::{Lines, Stencil};
use super::mesh::Mesh;

/// The kernels of some species, which act on no others, on all lines.
#[derive(Debug)]
pub struct Kernels {
    inelastic: Inelastic,
}

impl Kernels {
    /// From those at the energy nodes for `species`, whose partners are among them.
    ///
    /// ln Φ₀ is interpolated in both energies by cubics, which keeps the symmetries and, its exponents being
    /// linear in the energies, detailed balance. The sums over lines have the weights of the lines' cells over C³,
    /// so that scattering conserves the number that the other terms do.
    pub fn new(all: &Inelastic, species: &[usize], mesh: &Mesh, lines: &Lines) -> Self {
        let nodes = all.nodes().par_iter().zip(&mesh.clock);
        let nodes = nodes.map(|(kernels, &clock)| on_lines(kernels, species, lines, clock)).collect();
        Self { inelastic: Inelastic::new(nodes, lines.weight.clone(), species.len()) }
    }

    /// The rates at `j` of (radial node, species, line); no fluxes are part of them.
    pub fn rates(&self, j: &[f64]) -> Vec<Rates> {
        let moments: Vec<Pair> = j.iter().map(|&j| Pair { j, h: 0.0 }).collect();
        self.inelastic.rates(&moments)
    }

    /// ∂e₀/∂J′ and ∂x₀/∂J′ at radial node `i`.
    pub fn coupling(&self, i: usize, member: (usize, usize), other: (usize, usize)) -> Option<(f64, f64)> {
        self.inelastic.coupling(i, member, other).map(|coupling| coupling.isotropic)
    }

    /// What scattering adds to the transport opacity beside the extinction x₀, of one species' spectrum `j` at
    /// radial node `i` and line `p`: −Σ′ [Φ₁ⁱⁿ (1−J) J′/J + Φ₁ᵒᵘᵗ J′], with the other energies' flux factors those
    /// of this one. No more than x₀ is taken off, no more than x₀ is added.
    pub fn anisotropy(&self, i: usize, species: usize, j: &[f64], p: usize, extinction: f64) -> f64 {
        let Some(kernel) = &self.inelastic.nodes()[i].scattering[species] else { return 0.0 };
        if j[p] <= LEAST_J {
            return 0.0;
        }
        let blocking = (1.0 - j[p]) / j[p];
        let terms = j.iter().zip(self.inelastic.weight()).enumerate();
        let sum: f64 = terms
            .map(|(q, (other, weight))| {
                weight * other * (kernel[[q, p]].first * blocking + kernel[[p, q]].first)
            })
            .sum();
        let bound = if extinction > 0.0 { extinction } else { 0.0 };
        (-sum).clamp(-bound, bound)
    }
}

/// Kernels on the lines where C is `clock`, times C⁻³.
fn on_lines(kernels: &InelasticKernels, species: &[usize], lines: &Lines, clock: f64) -> InelasticKernels {
    let stencils = lines.stencils(clock);
    let scale = clock.powi(-3);
    let matrix = |kernel: &KernelMatrix| interpolated(kernel, &stencils, scale);
    let pair = |pair: &PairKernel| PairKernel {
        partner: species.iter().position(|&s| s == pair.partner).unwrap_or(0),
        production: matrix(&pair.production),
        annihilation: matrix(&pair.annihilation),
    };
    InelasticKernels {
        scattering: species.iter().map(|&s| kernels.scattering[s].as_ref().map(matrix)).collect(),
        pairs: species.iter().map(|&s| kernels.pairs[s].as_ref().map(pair)).collect(),
    }
}

/// `kernel` at the energies of the `stencils`: Φ₀ by its logarithm, Φ₁ by its ratio to Φ₀.
fn interpolated(kernel: &KernelMatrix, stencils: &[Stencil], scale: f64) -> KernelMatrix {
    let (nodes, count) = (kernel.nrows(), stencils.len());
    let logarithm = kernel.map(|m| m.zeroth.ln());
    let ratio = kernel.map(|m| if m.zeroth > 0.0 { m.first / m.zeroth } else { 0.0 });
    let mut rows = Array2::default((count, nodes));
    for ((p, q), value) in rows.indexed_iter_mut() {
        let zeroth = stencils[p].at(|k| kernel[[k, q]].zeroth, |k| logarithm[[k, q]]);
        *value = (zeroth, zeroth.ln(), stencils[p].linear(|k| ratio[[k, q]]));
    }
    Array2::from_shape_fn((count, count), |(p, q)| {
        let zeroth = scale * stencils[q].at(|k| rows[[p, k]].0, |k| rows[[p, k]].1);
        Moments { zeroth, first: zeroth * stencils[q].linear(|k| rows[[p, k]].2) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Between the nodes Φ₀ of a kernel with detailed balance has it to rounding, and |Φ₁| stays below Φ₀.
    #[test]
    fn interpolation_keeps_detailed_balance() {
        let energies: [f64; 9] = [1.0, 3.0, 6.0, 10.0, 17.0, 26.0, 40.0, 70.0, 120.0];
        let temperature = 7.0;
        let kernel = Array2::from_shape_fn((9, 9), |(k, q)| {
            let (e, f) = (energies[k], energies[q]);
            let symmetric = e * f / (20.0 + (e - f).abs());
            let zeroth = symmetric * ((e - f) / (2.0 * temperature)).exp();
            Moments { zeroth, first: 0.3 * zeroth }
        });
        let places = [0.6, 2.0, 4.7, 17.0, 31.0, 90.0];
        let stencils: Vec<Stencil> = places.iter().map(|&place| Stencil::new(&energies, place)).collect();
        let found = interpolated(&kernel, &stencils, 2.0);
        for (p, e) in places.iter().enumerate() {
            for (q, f) in places.iter().enumerate() {
                let (out, back) = (found[[p, q]], found[[q, p]]);
                let expected = ((e - f) / temperature).exp();
                assert!((out.zeroth / back.zeroth / expected - 1.0).abs() < 1e-11, "{e} {f}");
                assert!((out.first / out.zeroth - 0.3).abs() < 1e-12);
            }
        }
        let exact = 2.0 * kernel[[4, 4]].zeroth;
        assert!((found[[3, 3]].zeroth / exact - 1.0).abs() < 1e-12);
    }
}
