//! Integrals over the energies of thermal electrons: composite Gauss-Legendre quadrature with panels that
//! resolve the Fermi surfaces.
//!
//! The Fermi function has poles π T off the real axis. With the panel edges at 3, 8, 18 and 44 T from each
//! surface, 12 nodes per panel integrate a polynomial times Fermi functions to about 1e-9; what lies
//! beyond 44 T has e⁻⁴⁴ ≈ 1e-19 of the integrand.

use std::num::NonZeroUsize;
use std::sync::LazyLock;

use super::gauss_legendre::rule;

const NODES: NonZeroUsize = NonZeroUsize::new(12).unwrap();
/// Panel edges on either side of a Fermi surface, in units of T.
const OFFSETS: [f64; 4] = [3.0, 8.0, 18.0, REACH];
/// Distance from a Fermi surface, in units of T, beyond which it is not felt.
pub(super) const REACH: f64 = 44.0;
/// Panels that are narrower than this share of T are merged with their neighbours.
const NARROW: f64 = 1e-9;

static RULE: LazyLock<Vec<(f64, f64)>> = LazyLock::new(|| rule(NODES));

/// Reusable panel edges.
#[derive(Debug, Default)]
pub(super) struct Panels {
    edges: Vec<f64>,
}

impl Panels {
    /// Panels from `start` to `end` [MeV] for Fermi surfaces at `surfaces` and integrands that are no
    /// polynomial across `kinks`, at the temperature `temperature` > 0 \[MeV\].
    pub(super) fn set(
        &mut self,
        (start, end): (f64, f64),
        surfaces: &[f64],
        kinks: &[f64],
        temperature: f64,
    ) {
        self.edges.clear();
        for &surface in surfaces {
            let near = OFFSETS.iter().flat_map(|o| [surface - o * temperature, surface + o * temperature]);
            self.edges.extend(near);
        }
        self.edges.extend_from_slice(kinks);
        self.edges.retain(|&edge| edge > start && edge < end);
        self.edges.extend([start, end]);
        self.edges.sort_by(f64::total_cmp);
        self.edges.dedup_by(|next, edge| {
            let merge = *next - *edge < NARROW * temperature && !kinks.contains(next);
            merge && *next != end
        });
    }

    /// Calls `visit(energy, weight)` for every node.
    pub(super) fn visit(&self, mut visit: impl FnMut(f64, f64)) {
        for (start, end) in self.edges.iter().zip(self.edges.iter().skip(1)) {
            let (half, middle) = (0.5 * (end - start), 0.5 * (end + start));
            for (node, weight) in RULE.iter() {
                visit(middle + half * node, half * weight);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ∫₀^∞ E³ F(E−μ) dE + ∫₀^∞ E³ F(E+μ) dE is a polynomial in μ and T.
    #[test]
    fn third_fermi_integral_has_its_closed_form() {
        let mut panels = Panels::default();
        for (mu, t) in [(0.0, 5.0), (0.3, 2.0), (20.0, 3.0), (150.0, 1.0), (40.0, 0.01)] {
            let mut sum = 0.0;
            for potential in [mu, -mu] {
                let surface = f64::max(potential, 0.0);
                let start = f64::max(surface - REACH * t, 0.0);
                // Below the panels all states are full.
                sum += 0.25 * start.powi(4);
                panels.set((start, surface + REACH * t), &[surface], &[7.0], t);
                panels.visit(|e, w| sum += w * e.powi(3) / (((e - potential) / t).exp() + 1.0));
            }
            let pi2t2 = (std::f64::consts::PI * t).powi(2);
            let exact = 7.0 / 60.0 * pi2t2 * pi2t2 + 0.5 * mu * mu * pi2t2 + 0.25 * mu.powi(4);
            assert!((sum / exact - 1.0).abs() < 2e-9, "mu = {mu}, T = {t}: {:e}", sum / exact - 1.0);
        }
    }
}
