//! Gauss-Legendre rules that rates integrate with.

use std::num::NonZeroUsize;

use gauss_quad::legendre::GaussLegendre;

/// (node, weight) on [−1, 1].
pub(super) fn rule(nodes: NonZeroUsize) -> Vec<(f64, f64)> {
    GaussLegendre::new(nodes).iter().map(|(node, weight)| (*node, *weight)).collect()
}
