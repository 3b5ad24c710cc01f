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
        Self::with_cells(grid, &[])
    }

    /// Matrices in which the elements that `first_order` marks (none where it is empty) are split into one
    /// finite volume per node: f = 1 and the number of neutrinos keep their balances, and f ≥ 0 stays so
    /// where an element's polynomial would not, as in the tail of a spectrum.
    pub fn with_cells(grid: &EnergyGrid, first_order: &[bool]) -> Self {
        match grid {
            // ∂f/∂ε = 0 leaves −(1/ε²) ∂_ε(ε³) = −3.
            EnergyGrid::Gray => Self {
                redshift: vec![vec![(0, -3.0)]],
                blueshift: vec![vec![(0, -3.0)]],
                inflow_from_above: vec![0.0],
                number_weight: vec![1.0],
            },
            EnergyGrid::Spectral(grid) => Self::spectral(&Split { grid, first_order }),
        }
    }

    fn spectral(split: &Split) -> Self {
        let nodes = split.grid.nodes.len();
        let mut terms = Self {
            redshift: Vec::with_capacity(nodes),
            blueshift: Vec::with_capacity(nodes),
            inflow_from_above: Vec::with_capacity(nodes),
            number_weight: Vec::with_capacity(nodes),
        };
        for element in 0..split.grid.elements() {
            let weights = split.number_weights(element);
            for k in 0..split.grid.per_element() {
                terms.push_row(split, element, k, &weights);
            }
        }
        terms
    }

    /// Adds the rows of node `k` of `element`, whose nodes have the number weights `weights`.
    fn push_row(&mut self, split: &Split, element: usize, k: usize, weights: &[f64]) {
        let (grid, weight) = (split.grid, weights[k]);
        let top = grid.elements() - 1;
        let [own_lower, own_upper] = split.traces(element);
        let upper = own_upper[k] * grid.edges[element + 1].powi(3);
        let lower = own_lower[k] * grid.edges[element].powi(3);
        let trace = |edge_factor: f64, element: usize, values: &[f64]| -> Vec<(usize, f64)> {
            grid.range(element).zip(values).map(|(q, v)| (q, -edge_factor * v / weight)).collect()
        };
        let from_above =
            if element < top { trace(upper, element + 1, &split.traces(element + 1)[0]) } else { Vec::new() };
        // Below the lowest edge f is taken as constant; where that edge is ε = 0 nothing flows.
        let from_below = match element {
            0 => trace(-lower, 0, &own_lower),
            _ => trace(-lower, element - 1, &split.traces(element - 1)[1]),
        };
        let [red, blue] = split.inside(element, k, weights);
        self.redshift.push(merged([&red, &trace(-lower, element, &own_lower), &from_above]));
        self.blueshift.push(merged([&blue, &trace(upper, element, &own_upper), &from_below]));
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

/// Elements of which some are split into finite volumes.
struct Split<'a> {
    grid: &'a NodalGrid,
    first_order: &'a [bool],
}

impl Split<'_> {
    fn is_split(&self, element: usize) -> bool {
        self.first_order.get(element).copied().unwrap_or(false)
    }

    /// Weights of the nodes of `element` in the values at its lower and upper edge.
    fn traces(&self, element: usize) -> [Vec<f64>; 2] {
        let basis = &self.grid.basis;
        if !self.is_split(element) {
            return [basis.left.clone(), basis.right.clone()];
        }
        let only = |node: usize| (0..basis.len()).map(|i| f64::from(u8::from(i == node))).collect();
        [only(0), only(basis.len() - 1)]
    }

    /// ∫ℓ_k ε² dε.
    fn number_weights(&self, element: usize) -> Vec<f64> {
        let (grid, basis) = (self.grid, &self.grid.basis);
        let cubes: Vec<f64> = grid.nodes[grid.range(element)].iter().map(|energy| energy.powi(3)).collect();
        let (lower, upper) = (grid.edges[element].powi(3), grid.edges[element + 1].powi(3));
        (0..basis.len())
            .map(|k| {
                let volume: f64 =
                    cubes.iter().enumerate().map(|(q, cube)| basis.stiffness(k, q) * cube).sum();
                (basis.right[k] * upper - basis.left[k] * lower - volume) / 3.0
            })
            .collect()
    }

    /// What happens within the element in the row of its node `k`, for redshift and blueshift: the volume
    /// term of the polynomials, or the upwind fluxes between the nodes' volumes.
    fn inside(&self, element: usize, k: usize, weights: &[f64]) -> [Vec<(usize, f64)>; 2] {
        let (grid, first) = (self.grid, self.grid.range(element).start);
        if !self.is_split(element) {
            let volume = |q: usize| grid.basis.stiffness(k, q) * grid.nodes[first + q].powi(3) / weights[k];
            let row: Vec<(usize, f64)> = (0..weights.len()).map(|q| (first + q, volume(q))).collect();
            return [row.clone(), row];
        }
        // ε³ at the faces, so that each volume holds its node's ∫ε² dε.
        let face = |count: usize| grid.edges[element].powi(3) + 3.0 * weights[..count].iter().sum::<f64>();
        let (mut red, mut blue) = (Vec::new(), Vec::new());
        if k + 1 < weights.len() {
            red.push((first + k + 1, -face(k + 1) / weights[k]));
            blue.push((first + k, -face(k + 1) / weights[k]));
        }
        if k > 0 {
            red.push((first + k, face(k) / weights[k]));
            blue.push((first + k - 1, face(k) / weights[k]));
        }
        [red, blue]
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
