//! One direction of phase space: elements and the nodes in them.

use super::basis::Basis;

/// Elements between increasing edges, each with the nodes of one basis.
#[derive(Debug, Clone, PartialEq)]
pub struct NodalGrid {
    pub basis: Basis,
    /// Element edges, one more than elements.
    pub edges: Vec<f64>,
    /// All nodes, element after element, increasing.
    pub nodes: Vec<f64>,
    /// Quadrature weights: Σ weights · g(nodes) ≈ ∫ g.
    pub weights: Vec<f64>,
}

impl NodalGrid {
    /// Elements between `edges` (increasing, at least two) with polynomials of degree `degree`.
    pub fn new(edges: Vec<f64>, degree: usize) -> Self {
        let basis = Basis::new(degree);
        let mut nodes = Vec::with_capacity((edges.len() - 1) * basis.len());
        let mut weights = Vec::with_capacity(nodes.capacity());
        for pair in edges.windows(2) {
            let (centre, half) = (0.5 * (pair[0] + pair[1]), 0.5 * (pair[1] - pair[0]));
            nodes.extend(basis.nodes.iter().map(|x| centre + half * x));
            weights.extend(basis.weights.iter().map(|w| half * w));
        }
        Self { basis, edges, nodes, weights }
    }

    pub fn elements(&self) -> usize {
        self.edges.len() - 1
    }

    /// Nodes in one element.
    pub fn per_element(&self) -> usize {
        self.basis.len()
    }

    /// Width of element `element`.
    pub fn width(&self, element: usize) -> f64 {
        self.edges[element + 1] - self.edges[element]
    }

    /// Indices of the nodes of `element`.
    pub fn range(&self, element: usize) -> std::ops::Range<usize> {
        element * self.per_element()..(element + 1) * self.per_element()
    }

    /// The element that holds `x`, an edge belonging to the element above it (the last edge to the last
    /// element); `None` outside the grid.
    pub fn element_at(&self, x: f64) -> Option<usize> {
        let (first, last) = (self.edges[0], self.edges[self.elements()]);
        (first..=last)
            .contains(&x)
            .then(|| self.edges.partition_point(|&edge| edge <= x).clamp(1, self.elements()) - 1)
    }

    /// Nodes and interpolation weights of the element's polynomial at `x`; `None` outside the grid.
    pub fn interpolation(&self, x: f64) -> Option<(std::ops::Range<usize>, Vec<f64>)> {
        let element = self.element_at(x)?;
        Some((self.range(element), self.basis.evaluate(self.reference(element, x))))
    }

    /// `x` on the reference element: −1 and 1 at the edges of `element`.
    pub fn reference(&self, element: usize, x: f64) -> f64 {
        2.0 * (x - self.edges[element]) / self.width(element) - 1.0
    }
}

/// `edges` with every element cut into n equal parts (`factor` = n), or n of them merged (`factor` = 1/n)
/// without removing an edge listed in `kept`.
pub fn refined(edges: &[f64], kept: &[f64], factor: f64) -> Vec<f64> {
    if factor >= 1.0 {
        let parts = factor.round() as usize;
        let cut = |pair: &[f64]| {
            let (low, width) = (pair[0], pair[1] - pair[0]);
            (0..parts).map(move |m| low + width * m as f64 / parts as f64).collect::<Vec<_>>()
        };
        return edges.windows(2).flat_map(cut).chain(edges.last().copied()).collect();
    }
    let merged = (1.0 / factor).round() as usize;
    let last = edges.len() - 1;
    let mut since_kept = 0;
    let mut coarse = Vec::new();
    for (index, &edge) in edges.iter().enumerate() {
        let keep = index == 0 || index == last || kept.contains(&edge);
        if keep {
            since_kept = 0;
        }
        if keep || since_kept % merged == 0 {
            coarse.push(edge);
        }
        since_kept += 1;
    }
    coarse
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refining_cuts_and_merges() {
        let edges = [0.0, 1.0, 2.0, 4.0, 8.0];
        assert_eq!(refined(&edges, &[], 2.0), [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0]);
        assert_eq!(refined(&edges, &[], 0.5), [0.0, 2.0, 8.0]);
        assert_eq!(refined(&edges, &[1.0], 0.5), [0.0, 1.0, 4.0, 8.0]);
        assert_eq!(refined(&edges, &[], 1.0), edges);
    }

    #[test]
    fn points_are_found_in_their_elements() {
        let grid = NodalGrid::new(vec![0.0, 1.0, 3.0], 2);
        assert_eq!(grid.element_at(0.0), Some(0));
        assert_eq!(grid.element_at(1.0), Some(1));
        assert_eq!(grid.element_at(3.0), Some(1));
        assert_eq!(grid.element_at(3.1), None);
        assert_eq!(grid.element_at(f64::NAN), None);
        let (range, weights) = grid.interpolation(2.2).unwrap();
        let value: f64 = range.zip(&weights).map(|(i, w)| w * grid.nodes[i].powi(2)).sum();
        assert!((value - 2.2f64.powi(2)).abs() < 1e-14);
    }
}
