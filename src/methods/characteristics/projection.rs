//! A spectrum at shifted energies, as polynomials on the elements again: ∫ ℓ_k(ε) J(sε) ε² dε over each element,
//! with the ε² of the number of neutrinos.
//!
//! In opaque moving matter f is the source function a mean free path upstream, at an energy that differs by far less
//! than the width of an element. Values of polynomials at nodes would know nothing of the elements next to theirs,
//! and no neutrino could leave its element. The projection takes over what crosses the edges: it conserves number,
//! also where the spectrum is a staircase, and for s → 1 it is the upwind discontinuous Galerkin derivative
//! (a semi-Lagrangian discontinuous Galerkin step: Qiu & Shu 2011, J. Comput. Phys. 230, 8386).

use rayon::prelude::*;

use super::field::Nodal;
use crate::phase_space::basis::gauss_legendre;

/// Elements of energy with polynomials through Gauss nodes.
#[derive(Debug, Clone)]
pub struct Projection {
    edges: Vec<f64>,
    nodal: Nodal,
    /// Nodes and weights on [−1, 1], exact for products of two polynomials of an element and ε².
    rule: (Vec<f64>, Vec<f64>),
    /// Inverse of ∫ ℓ_i ℓ_k ε² dε of each element, row by row.
    inverses: Vec<Vec<f64>>,
    /// Shifts by [`STEP`] times −[`STEPS`] to [`STEPS`].
    table: Vec<Shift>,
}

/// Distance of tabulated shifts, and how many there are to either side of none.
const STEP: f64 = 2e-4;
const STEPS: usize = 1250;

/// What one element at shifted energies gets from another one: its matrix, row by row.
#[derive(Debug, Clone)]
struct Part {
    target: usize,
    source: usize,
    matrix: Vec<f64>,
}

/// The projection for one shift.
#[derive(Debug, Clone)]
pub struct Shift {
    nodes: usize,
    parts: Vec<Part>,
}

impl Projection {
    /// On elements between `edges` (ascending, not negative) with the nodes of `nodal` each.
    pub fn new(edges: Vec<f64>, nodal: Nodal) -> Self {
        let rule = gauss_legendre(nodal.len() + 1);
        let mut projection = Self { edges, nodal, rule, inverses: Vec::new(), table: Vec::new() };
        projection.inverses = (0..projection.edges.len().saturating_sub(1))
            .map(|element| {
                let (low, high) = (projection.edges[element], projection.edges[element + 1]);
                inverse(projection.overlap((element, element), (low, high), 1.0), projection.nodal.len())
            })
            .collect();
        projection.table = (0..=2 * STEPS)
            .into_par_iter()
            .map(|number| projection.shift(1.0 + STEP * (number as f64 - STEPS as f64)))
            .collect();
        projection
    }

    /// Nearly [`Projection::shift`], applied to `spectra`, by straight lines between tabulated ones, which conserve
    /// number to first order in the shift. Each time they smear the spectrum by less than half a [`STEP`] times the
    /// shift (as a variance of ln ε): far less than a group in all of a ray.
    pub fn shifted<const N: usize>(&self, factor: f64, spectra: &[[f64; N]]) -> Vec<[f64; N]> {
        let place = (factor - 1.0) / STEP + STEPS as f64;
        // NaN is not inside either.
        let inside = (0.0..(2 * STEPS) as f64).contains(&place);
        let mut values = vec![[0.0; N]; spectra.len()];
        if !inside {
            self.shift(factor).add(1.0, spectra, &mut values);
            return values;
        }
        let below = place.floor();
        let share = place - below;
        self.table[below as usize].add(1.0 - share, spectra, &mut values);
        self.table[below as usize + 1].add(share, spectra, &mut values);
        values
    }

    /// ∫ ℓ_i(ε) ℓ_k(sε) ε² dε between two energies, i of the element `target` and k of the element `source`; below
    /// the lowest edge the value at that edge.
    fn overlap(&self, (target, source): (usize, usize), (low, high): (f64, f64), s: f64) -> Vec<f64> {
        let nodes = self.nodal.len();
        let mut sums = vec![0.0; nodes * nodes];
        for (x, w) in self.rule.0.iter().zip(&self.rule.1) {
            let energy = 0.5 * (low + high) + 0.5 * x * (high - low);
            let own = self.nodal.weights(self.place(target, energy));
            let other = self.nodal.weights(self.place(source, (s * energy).max(self.edges[0])));
            let weight = 0.5 * w * (high - low) * energy * energy;
            for (row, own) in sums.chunks_exact_mut(nodes).zip(own) {
                row.iter_mut().zip(other).for_each(|(sum, other)| *sum += weight * own * other);
            }
        }
        sums
    }

    /// From −1 to 1 in an element.
    fn place(&self, element: usize, energy: f64) -> f64 {
        let (low, high) = (self.edges[element], self.edges[element + 1]);
        (2.0 * energy - low - high) / (high - low)
    }

    /// The projection of the spectrum at `factor` times the energies; nothing is above the highest edge.
    pub fn shift(&self, factor: f64) -> Shift {
        let nodes = self.nodal.len();
        let mut parts = Vec::with_capacity(2 * self.inverses.len());
        let mut source = 0;
        for (target, inverse) in self.inverses.iter().enumerate() {
            let (mut low, top) = (self.edges[target], self.edges[target + 1]);
            while source + 1 < self.inverses.len() && self.edges[source + 1] <= factor * low {
                source += 1;
            }
            let mut from = source;
            while low < top && from < self.inverses.len() {
                let end = self.edges[from + 1] / factor;
                let high = end.min(top);
                if high > low {
                    let overlap = self.overlap((target, from), (low, high), factor);
                    parts.push(Part { target, source: from, matrix: product(inverse, &overlap, nodes) });
                    low = high;
                }
                from += 1;
            }
        }
        Shift { nodes, parts }
    }
}

impl Shift {
    /// Adds `weight` times the shifted `spectra` at all nodes to `values`.
    pub fn add<const N: usize>(&self, weight: f64, spectra: &[[f64; N]], values: &mut [[f64; N]]) {
        for Part { target, source, matrix } in &self.parts {
            let own = &mut values[target * self.nodes..][..self.nodes];
            let from = &spectra[source * self.nodes..][..self.nodes];
            for (value, row) in own.iter_mut().zip(matrix.chunks_exact(self.nodes)) {
                for (w, from) in row.iter().zip(from) {
                    value.iter_mut().zip(from).for_each(|(value, from)| *value += weight * w * from);
                }
            }
        }
    }
}

/// a b of two square matrices, row by row.
fn product(a: &[f64], b: &[f64], size: usize) -> Vec<f64> {
    let entry = |i: usize, k: usize| (0..size).map(|m| a[i * size + m] * b[m * size + k]).sum();
    (0..size * size).map(|index| entry(index / size, index % size)).collect()
}

/// Inverse of a symmetric positive definite matrix, row by row (Gauss-Jordan).
fn inverse(mut matrix: Vec<f64>, size: usize) -> Vec<f64> {
    let mut inverse: Vec<f64> =
        (0..size * size).map(|index| f64::from(u8::from(index / size == index % size))).collect();
    for column in 0..size {
        let pivot = 1.0 / matrix[column * size + column];
        for values in [&mut matrix, &mut inverse] {
            values[column * size..][..size].iter_mut().for_each(|value| *value *= pivot);
        }
        for row in (0..size).filter(|&row| row != column) {
            let factor = matrix[row * size + column];
            for values in [&mut matrix, &mut inverse] {
                for k in 0..size {
                    values[row * size + k] -= factor * values[column * size + k];
                }
            }
        }
    }
    inverse
}

#[cfg(test)]
mod tests {
    use super::*;

    fn projection() -> (Projection, Vec<f64>) {
        let edges: Vec<f64> = (0..12).map(|i| 0.5 * 1.3_f64.powi(i)).collect();
        let nodal = Nodal::gauss(2);
        let nodes =
            edges.windows(2).flat_map(|pair| nodal.between(pair[0], pair[1]).collect::<Vec<_>>()).collect();
        (Projection::new(edges, nodal), nodes)
    }

    fn shift_of(projection: &Projection, factor: f64, spectrum: &[[f64; 1]]) -> Vec<f64> {
        let mut values = vec![[0.0]; spectrum.len()];
        projection.shift(factor).add(1.0, spectrum, &mut values);
        values.concat()
    }

    #[test]
    fn straight_lines_are_shifted_exactly() {
        let (projection, nodes) = projection();
        for factor in [1.0, 1.0 - 1e-9, 0.97, 1.0 + 1e-6, 0.6] {
            let line: Vec<[f64; 1]> = nodes.iter().map(|node| [2.0 - 0.1 * node]).collect();
            let shifted = shift_of(&projection, factor, &line);
            let tabulated = projection.shifted(factor, &line);
            // Those whose element comes from inside the grid.
            for ((value, near), node) in shifted.iter().zip(tabulated).zip(&nodes).skip(6).take(10) {
                let exact = 2.0 - 0.1 * factor * node;
                assert!((value - exact).abs() < 1e-13, "{factor} {node}: {value} {exact}");
                assert!((near[0] - exact).abs() < 1e-13, "{factor} {node}: {near:?} {exact}");
            }
        }
    }

    /// Of a staircase as much number is taken across each edge as was on the other side, however small the shift is.
    #[test]
    fn number_is_conserved_across_edges() {
        let (projection, nodes) = projection();
        let step: Vec<[f64; 1]> = (0..nodes.len()).map(|k| [f64::from(u8::from(k / 2 == 5))]).collect();
        let weight = |k: usize, values: &[f64]| -> f64 {
            let (low, high) = (projection.edges[k], projection.edges[k + 1]);
            let sums = projection.overlap((k, k), (low, high), 1.0);
            (0..4).map(|i| sums[i] * values[2 * k + i % 2]).sum()
        };
        for factor in [0.9, 1.0 - 1e-6, 1.0 + 1e-6, 1.1] {
            let shifted = shift_of(&projection, factor, &step);
            let number: f64 = (0..11).map(|k| weight(k, &shifted)).sum();
            let (low, high) = (projection.edges[5], projection.edges[6]);
            let exact = (high.powi(3) - low.powi(3)) / 3.0 / f64::powi(factor, 3);
            assert!((number - exact).abs() < 1e-13 * exact, "{factor}: {number} {exact}");
            // What left the element entered its neighbour.
            let next = if factor < 1.0 { 6 } else { 4 };
            let edge = if factor < 1.0 { high } else { low };
            let crossed = edge.powi(3) * (1.0 / f64::powi(factor, 3) - 1.0).abs() / 3.0;
            let found = weight(next, &shifted);
            assert!((found - crossed).abs() < 1e-9 * crossed + 1e-16, "{factor}: {found:e} {crossed:e}");
        }
    }
}
