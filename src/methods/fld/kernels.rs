//! Kernels of inelastic collisions on the lines of constant energy at infinity.

use ndarray::Array2;
use rayon::prelude::*;

use crate::extremes::larger;
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
    /// ln Φ₀ is interpolated in both energies by cubics, or linearly at kinks, which keeps the symmetries and, its
    /// exponents being linear in the energies, detailed balance. The sums over lines have the weights of the lines' cells over C³,
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
    let scattering = |kernel: &KernelMatrix| scattering_between(kernel, &stencils, scale);
    let pair = |pair: &PairKernel| PairKernel {
        partner: species.iter().position(|&s| s == pair.partner).unwrap_or(0),
        production: matrix(&pair.production),
        annihilation: matrix(&pair.annihilation),
    };
    InelasticKernels {
        scattering: species.iter().map(|&s| kernels.scattering[s].as_ref().map(scattering)).collect(),
        pairs: species.iter().map(|&s| kernels.pairs[s].as_ref().map(pair)).collect(),
    }
}

/// Deviation of ln Φ₀ at a node from the straight line through its neighbours above which it is interpolated
/// linearly: a cubic through such a kink overshoots by this over 16.
const KINK: f64 = 1.0;

/// ln Φ₀ of `kernel`; rates that underflow are next to none.
fn logarithms(kernel: &KernelMatrix) -> Array2<f64> {
    kernel.map(|m| if m.zeroth == 0.0 { f64::MIN_POSITIVE.ln() } else { m.zeroth.ln() })
}

/// `kernel` at the energies of the `stencils`: Φ₀ with the logarithm that `exponent` gives, Φ₁ by its ratio to Φ₀.
fn at_stencils(
    kernel: &KernelMatrix,
    stencils: &[Stencil],
    scale: f64,
    exponent: impl Fn(&Stencil, &Stencil) -> f64,
) -> KernelMatrix {
    let ratio = kernel.map(|m| if m.zeroth > 0.0 { m.first / m.zeroth } else { 0.0 });
    Array2::from_shape_fn((stencils.len(), stencils.len()), |(p, q)| {
        let (from, to) = (&stencils[p], &stencils[q]);
        if from.nodes().all(|k| to.nodes().all(|l| kernel[[k, l]].zeroth == 0.0)) {
            return Moments::default();
        }
        let zeroth = scale * exponent(from, to).exp();
        Moments { zeroth, first: zeroth * from.linear(|k| to.linear(|l| ratio[[k, l]])) }
    })
}

/// `kernel` of pairs at the energies of the `stencils`.
fn interpolated(kernel: &KernelMatrix, stencils: &[Stencil], scale: f64) -> KernelMatrix {
    let logarithm = logarithms(kernel);
    at_stencils(kernel, stencils, scale, |from, to| {
        let smooth = is_smooth(&logarithm, from, to);
        from.sum(smooth, |k| to.sum(smooth, |l| logarithm[[k, l]]))
    })
}

/// As [`interpolated`], of scattering from one energy to another, whose Φ₀ has a kink at equal energies: it falls as
/// exp(−Δε/T) on the side of gained energy alone. The rate of the loss, the larger one of both ways, is interpolated
/// between those at the nodes around, and constant beyond the ends; the ratio of both, linear in the energies, gives the other.
fn scattering_between(kernel: &KernelMatrix, stencils: &[Stencil], scale: f64) -> KernelMatrix {
    let logarithm = logarithms(kernel);
    let loss = Array2::from_shape_fn(kernel.dim(), |(k, l)| larger(logarithm[[k, l]], logarithm[[l, k]]));
    at_stencils(kernel, stencils, scale, |from, to| {
        let smooth = is_smooth(&loss, from, to);
        let cubic = from.bounded(smooth, |k| to.bounded(smooth, |l| loss[[k, l]]));
        let around = from.neighbours().map(|k| to.neighbours().map(|l| loss[[k, l]]));
        let level = within(cubic, around.as_flattened());
        let gain = from.sum(false, |k| to.sum(false, |l| logarithm[[k, l]] - logarithm[[l, k]]));
        level + gain.min(0.0)
    })
}

/// `value` between the smallest and the largest of `around`; NaN stays.
fn within(value: f64, around: &[f64]) -> f64 {
    if value.is_nan() {
        return value;
    }
    let low = around.iter().copied().fold(f64::INFINITY, f64::min);
    let high = around.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    value.max(low).min(high)
}

/// Whether no node among those of the cubics `from` × `to` is a kink. What detailed balance adds to the
/// logarithm is linear in both energies and has no part in it, so that Φ and its transpose are treated alike.
fn is_smooth(logarithm: &Array2<f64>, from: &Stencil, to: &Stencil) -> bool {
    let flat = |bend: f64| bend.abs() <= KINK;
    from.nodes().all(|k| flat(to.bend(|l| logarithm[[k, l]])))
        && to.nodes().all(|l| flat(from.bend(|k| logarithm[[k, l]])))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Between the nodes Φ₀ of a kernel with detailed balance has it to rounding, and |Φ₁| stays below Φ₀.
    #[test]
    fn bounds_hold_on_both_sides_of_zero() {
        for (value, bounded) in [(-7.0, -5.0), (-4.0, -4.0), (-1.0, -3.0)] {
            assert_eq!(within(value, &[-3.0, -5.0]), bounded);
            assert_eq!(within(-value, &[3.0, 5.0]), -bounded);
        }
        assert!(within(f64::NAN, &[1.0, 2.0]).is_nan());
    }

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
        let found = scattering_between(&kernel, &stencils, 2.0);
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
    /// Matter much colder than the spacing of the nodes scatters down only: between the nodes no rate is above
    /// those at the nodes around, and detailed balance holds.
    #[test]
    fn kinks_are_not_overshot() {
        let energies: [f64; 8] = [1.0, 3.0, 6.0, 10.0, 40.0, 70.0, 120.0, 180.0];
        let temperature = 0.4;
        let kernel = Array2::from_shape_fn((8, 8), |(k, q)| {
            let (e, f) = (energies[k], energies[q]);
            let zeroth = e.min(f) * ((e - f).min(0.0) / temperature).exp();
            Moments { zeroth, first: 0.1 * zeroth }
        });
        let places = [0.7, 2.0, 8.0, 21.0, 38.0, 55.0, 100.0, 230.0];
        let stencils: Vec<Stencil> = places.iter().map(|&place| Stencil::new(&energies, place)).collect();
        let found = scattering_between(&kernel, &stencils, 1.0);
        for (p, e) in places.iter().enumerate() {
            for (q, f) in places.iter().enumerate() {
                let (out, back) = (found[[p, q]].zeroth, found[[q, p]].zeroth);
                let around = |x: f64| energies.iter().copied().find(|&node| node >= x).unwrap_or(180.0);
                assert!(out <= around(*e).min(around(*f)) * (1.0 + 1e-12), "{e} to {f}: {out}");
                let expected = (e - f) / temperature;
                let ratio = out.ln() - back.ln();
                assert!((ratio - expected).abs() < 1e-9 * expected.abs().max(1.0), "{e} {f}: {ratio}");
            }
        }
    }
    /// Collisions that change no energy are elastic scattering, whatever states are full: extinction wΦ₀, and −wΦ₁ in
    /// the transport opacity.
    #[test]
    fn without_exchange_of_energy_scattering_is_elastic() {
        let kernel = Array2::from_shape_fn((3, 3), |(k, q)| {
            if k == q { Moments { zeroth: 3.0, first: 0.6 } } else { Moments::default() }
        });
        let node = InelasticKernels { scattering: vec![Some(kernel)], pairs: vec![None] };
        let kernels = Kernels { inelastic: Inelastic::new(vec![node], vec![2.0; 3], 1) };
        let j = [0.2, 0.5, 0.9];
        for (p, rates) in kernels.rates(&j).iter().enumerate() {
            assert!((rates.extinction - 6.0).abs() < 1e-14);
            assert!((rates.emission - 6.0 * j[p]).abs() < 1e-14);
            let anisotropy = kernels.anisotropy(0, 0, &j, p, rates.extinction);
            assert!((anisotropy + 1.2).abs() < 1e-14, "{anisotropy}");
        }
    }
}
