//! −(1/ε²) ∂_ε[ε³ (aμ + k_r μ² + k_⊥(1−μ²)) f].
//!
//! The energy speed does not depend on ε, so the term is the speed times one of two matrices on the
//! energy nodes: one upwinded for redshift (speed > 0, f comes from above), one for blueshift.

use crate::phase_space::EnergyGrid;
use crate::phase_space::grid::NodalGrid;

/// The two matrices, each row holding its element's nodes and one neighbour's.
#[derive(Debug, Clone, PartialEq)]
pub struct EnergyRedistribution {
    redshift: Vec<Vec<(usize, f64)>>,
    blueshift: Vec<Vec<(usize, f64)>>,
    /// Factor of f above the top of the grid in each row of the redshift matrix.
    inflow_from_above: Vec<f64>,
    /// ∫ℓ_k ε² dε, the weight of each node in number balances.
    pub number_weight: Vec<f64>,
}

impl EnergyRedistribution {
    /// Matrices of `grid`.
    pub fn new(grid: &EnergyGrid) -> Self {
        match grid {
            // ∂f/∂ε = 0 leaves −(1/ε²) ∂_ε(ε³) = −3.
            EnergyGrid::Gray => Self {
                redshift: vec![vec![(0, -3.0)]],
                blueshift: vec![vec![(0, -3.0)]],
                inflow_from_above: vec![0.0],
                number_weight: vec![1.0],
            },
            EnergyGrid::Spectral(grid) => Self::spectral(grid),
        }
    }

    fn spectral(grid: &NodalGrid) -> Self {
        let nodes = grid.nodes.len();
        let mut terms = Self {
            redshift: Vec::with_capacity(nodes),
            blueshift: Vec::with_capacity(nodes),
            inflow_from_above: Vec::with_capacity(nodes),
            number_weight: Vec::with_capacity(nodes),
        };
        for element in 0..grid.elements() {
            for k in 0..grid.per_element() {
                terms.push_row(grid, element, k);
            }
        }
        terms
    }

    /// Adds the rows of node `k` of `element`.
    fn push_row(&mut self, grid: &NodalGrid, element: usize, k: usize) {
        let basis = &grid.basis;
        let top = grid.elements() - 1;
        let own = grid.range(element);
        let cube = |energy: f64| energy.powi(3);
        let upper = basis.right[k] * cube(grid.edges[element + 1]);
        let lower = basis.left[k] * cube(grid.edges[element]);
        let volume: Vec<f64> =
            (0..basis.len()).map(|q| basis.stiffness(k, q) * cube(grid.nodes[own.start + q])).collect();
        let weight = (upper - lower - volume.iter().sum::<f64>()) / 3.0;
        let trace = |edge_factor: f64, element: usize, values: &[f64]| -> Vec<(usize, f64)> {
            grid.range(element).zip(values).map(|(q, v)| (q, -edge_factor * v / weight)).collect()
        };
        let inside: Vec<(usize, f64)> = own.zip(&volume).map(|(q, v)| (q, v / weight)).collect();
        let from_above = if element < top { trace(upper, element + 1, &basis.left) } else { Vec::new() };
        // Below the lowest edge f is taken as constant; where that edge is ε = 0 nothing flows.
        let from_below = match element {
            0 => trace(-lower, 0, &basis.left),
            _ => trace(-lower, element - 1, &basis.right),
        };
        self.redshift.push(merged([&inside, &trace(-lower, element, &basis.left), &from_above]));
        self.blueshift.push(merged([&inside, &trace(upper, element, &basis.right), &from_below]));
        self.inflow_from_above.push(if element == top { -upper / weight } else { 0.0 });
        self.number_weight.push(weight);
    }

    /// Row of energy node `k` for an energy speed of the sign of `speed`: (energy node, factor), to be
    /// multiplied by |speed|·sign and f.
    pub fn row(&self, k: usize, redshift: bool) -> &[(usize, f64)] {
        if redshift { &self.redshift[k] } else { &self.blueshift[k] }
    }

    /// Factor of f(k) in row k.
    pub fn diagonal(&self, k: usize, redshift: bool) -> f64 {
        self.row(k, redshift).iter().find(|(q, _)| *q == k).map_or(0.0, |(_, value)| *value)
    }

    /// Factor of f above the grid in row `k` for redshift.
    pub fn inflow_from_above(&self, k: usize) -> f64 {
        self.inflow_from_above[k]
    }
}

/// Adds up factors of the same node, in increasing order of the nodes.
fn merged(parts: [&[(usize, f64)]; 3]) -> Vec<(usize, f64)> {
    let mut row: Vec<(usize, f64)> = Vec::new();
    for &(node, value) in parts.into_iter().flatten() {
        match row.iter_mut().find(|(other, _)| *other == node) {
            Some((_, sum)) => *sum += value,
            None => row.push((node, value)),
        }
    }
    row.sort_by_key(|&(node, _)| node);
    row
}
