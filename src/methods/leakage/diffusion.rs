//! Diffusion by the gradient of the energy density against what leakage has for it, the local density
//! over a time.

use std::f64::consts::PI;

use super::medium::{Measure, Medium};
use crate::methods::setup::Setup;

/// −∇·F of the diffusive flux F = −(1/(3κ_tr)) ∇J_eq, integrated over energies, at (species, radius)
/// [erg cm⁻³ s⁻¹]: what diffusion takes from the matter, negative where it brings more than it takes.
///
/// F is that at equal comoving energy; the redshift along the gradient is left out, as leakage schemes
/// leave it out: what is compared is density with gradient, and no other difference (docs/leakage.md has its
/// size). Fluxes are differences between neighbouring nodes, with the harmonic mean of the
/// opacities' inverses, and the divergence is that of the shell between the two mid-points.
pub(super) fn by_gradient(setup: &Setup, medium: &Medium) -> Vec<f64> {
    let measure = Measure::new(setup);
    let radii = setup.phase_space.radial.nodes.len();
    let mut loss = Vec::with_capacity(setup.phase_space.species.len() * radii);
    for species in 0..setup.phase_space.species.len() {
        let mut sum = vec![0.0; radii];
        for k in 0..setup.phase_space.energy.len() {
            let first = setup.coefficients.first(species, k);
            let (density, opacity) =
                (&medium.equilibrium[first..first + radii], &medium.transport[first..first + radii]);
            for (i, (sum, local)) in sum.iter_mut().zip(divergence(setup, density, opacity)).enumerate() {
                *sum += measure.energy(k, i) * local;
            }
        }
        loss.append(&mut sum);
    }
    loss
}

/// ∇·F at the radial nodes, of one energy; there is no flux through the grid's inner edge, and that
/// through the last mid-point leaves the outermost shell.
fn divergence(setup: &Setup, density: &[f64], opacity: &[f64]) -> Vec<f64> {
    let (r, metric) = (&setup.phase_space.radial.nodes, &setup.geometry.radial_metric);
    let radii = r.len();
    let edges = &setup.phase_space.radial.edges;
    let middle = |i: usize| match i {
        0 => edges[0],
        i if i == radii => edges[edges.len() - 1],
        i => 0.5 * (r[i - 1] + r[i]),
    };
    let through = |i: usize| -> f64 {
        let inner = if i == radii { i - 1 } else { i };
        if inner == 0 {
            return 0.0;
        }
        let path = 0.5 * (metric[inner - 1] + metric[inner]) * (r[inner] - r[inner - 1]);
        let opacity = 0.5 * (opacity[inner - 1] + opacity[inner]);
        if opacity > 0.0 {
            let flux = (density[inner - 1] - density[inner]) / (3.0 * opacity * path);
            4.0 * PI * middle(i).powi(2) * flux
        } else {
            0.0
        }
    };
    let volume = |i: usize| 4.0 / 3.0 * PI * (middle(i + 1).powi(3) - middle(i).powi(3)) * metric[i];
    (0..radii).map(|i| (through(i + 1) - through(i)) / volume(i)).collect()
}
