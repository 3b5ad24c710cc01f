//! Integrals along the outward radial ray, at the radial nodes.

use crate::phase_space::basis::Basis;
use crate::phase_space::grid::NodalGrid;

/// Integrals of nodal polynomials from each node to either end of its element.
pub(super) struct RadialIntegral<'a> {
    grid: &'a NodalGrid,
    /// ∫ℓ_q dx from node i to the right end of the reference element, row i.
    to_right: Vec<f64>,
}

impl<'a> RadialIntegral<'a> {
    pub(super) fn new(grid: &'a NodalGrid) -> Self {
        let basis = &grid.basis;
        let to_right = basis.nodes.iter().flat_map(|&x| to_right_end(basis, x)).collect();
        Self { grid, to_right }
    }

    /// ∫ from each node to the outer edge of the polynomials through `integrand` at the nodes.
    ///
    /// Where such a polynomial, of a non-negative `integrand`, gives an integral that does not decrease
    /// outward, the element is summed in cells instead, each node being the middle of an interval of the
    /// length of its weight. The integral over whole elements is the same.
    pub(super) fn inward(&self, integrand: &[f64]) -> Vec<f64> {
        let mut integral = vec![0.0; integrand.len()];
        let mut beyond = 0.0;
        for element in (0..self.grid.elements()).rev() {
            let range = self.grid.range(element);
            let (outside, total) = self.to_end(element, &integrand[range.clone()]);
            for (integral, outside) in integral[range].iter_mut().zip(outside) {
                *integral = beyond + outside;
            }
            beyond += total;
        }
        integral
    }

    /// ∫ from the inner edge to each node: what [`RadialIntegral::inward`] leaves of the whole.
    pub(super) fn outward(&self, integrand: &[f64]) -> Vec<f64> {
        let mut integral = vec![0.0; integrand.len()];
        let mut below = 0.0;
        for element in 0..self.grid.elements() {
            let range = self.grid.range(element);
            let (outside, total) = self.to_end(element, &integrand[range.clone()]);
            for (integral, outside) in integral[range].iter_mut().zip(outside) {
                *integral = below + total - outside;
            }
            below += total;
        }
        integral
    }

    /// ∫ from each node of `element` to its outer end, and over all of it.
    fn to_end(&self, element: usize, values: &[f64]) -> (Vec<f64>, f64) {
        let half = 0.5 * self.grid.width(element);
        let weights = &self.grid.weights[self.grid.range(element)];
        let total: f64 = weights.iter().zip(values).map(|(w, v)| w * v).sum();
        let row = |row: &[f64]| -> f64 { row.iter().zip(values).map(|(c, v)| half * c * v).sum() };
        let outside: Vec<f64> = self.to_right.chunks_exact(values.len()).map(row).collect();
        let signed = values.iter().any(|&value| value < 0.0);
        if signed || decreasing(&outside, total) {
            (outside, total)
        } else {
            (cells_outside(weights, values), total)
        }
    }

    /// ∫ from each node to the outer edge by the trapezoidal rule on the nodes, the integrand being
    /// constant outside the last one.
    pub(super) fn inward_trapezoidal(&self, integrand: &[f64]) -> Vec<f64> {
        let (r, count) = (&self.grid.nodes, integrand.len());
        let mut integral = vec![0.0; count];
        let Some(last) = count.checked_sub(1) else { return integral };
        integral[last] = (self.grid.edges[self.grid.elements()] - r[last]) * integrand[last];
        for i in (0..last).rev() {
            integral[i] = integral[i + 1] + 0.5 * (r[i + 1] - r[i]) * (integrand[i] + integrand[i + 1]);
        }
        integral
    }
}

/// ∫ℓ_q dx from `x` to 1, by Gauss quadrature there, which is exact.
fn to_right_end(basis: &Basis, x: f64) -> Vec<f64> {
    let half = 0.5 * (1.0 - x);
    let mut integral = vec![0.0; basis.len()];
    for (node, weight) in basis.nodes.iter().zip(&basis.weights) {
        for (sum, value) in integral.iter_mut().zip(basis.evaluate(x + half * (node + 1.0))) {
            *sum += half * weight * value;
        }
    }
    integral
}

/// Whether integrals from the nodes to the end decrease from `total` to 0.
fn decreasing(outside: &[f64], total: f64) -> bool {
    let between = outside.iter().all(|&value| value > 0.0 && value < total);
    between && outside.windows(2).all(|pair| pair[1] < pair[0])
}

/// Integrals from each node to the end of its element, the nodes being the middles of cells of the widths
/// `weights`.
fn cells_outside(weights: &[f64], values: &[f64]) -> Vec<f64> {
    let mut outside = vec![0.0; values.len()];
    let mut beyond = 0.0;
    for i in (0..values.len()).rev() {
        outside[i] = beyond + 0.5 * weights[i] * values[i];
        beyond += weights[i] * values[i];
    }
    outside
}

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;

    use super::RadialIntegral;
    use crate::phase_space::grid::NodalGrid;

    #[test]
    fn integrals_of_polynomials_are_exact() {
        for degree in 0..=5 {
            let grid = NodalGrid::new(vec![1.0, 1.5, 3.0], degree);
            let power = degree as i32 + 1;
            let values: Vec<f64> = grid.nodes.iter().map(|r| f64::from(power) * r.powi(power - 1)).collect();
            let radial = RadialIntegral::new(&grid);
            for ((inward, outward), r) in
                radial.inward(&values).iter().zip(radial.outward(&values)).zip(&grid.nodes)
            {
                assert_relative_eq!(*inward, 3f64.powi(power) - r.powi(power), max_relative = 1e-12);
                assert_relative_eq!(outward, r.powi(power) - 1.0, epsilon = 1e-11);
            }
        }
    }

    /// A jump by four orders of magnitude inside an element, whose parabola is negative in places.
    #[test]
    fn integrals_of_steep_opacities_decrease_outward() {
        let grid = NodalGrid::new(vec![0.0, 1.0], 2);
        let radial = RadialIntegral::new(&grid);
        for values in [[1e4, 1.0, 1.0], [1.0, 1e4, 1.0], [1.0, 1.0, 1e4], [0.0, 0.0, 1.0]] {
            let integral = radial.inward(&values);
            assert!(integral[2] > 0.0 && integral.windows(2).all(|pair| pair[1] <= pair[0]), "{integral:?}");
        }
        assert_eq!(radial.inward(&[0.0; 3]), [0.0; 3]);
    }

    #[test]
    fn the_trapezoidal_rule_is_exact_for_straight_lines() {
        let grid = NodalGrid::new(vec![0.0, 1.0, 2.0], 2);
        let radial = RadialIntegral::new(&grid);
        let values: Vec<f64> = grid.nodes.iter().map(|r| 5.0 - r).collect();
        let last = grid.nodes[5];
        let integral = |r: f64| 5.0 * (last - r) - 0.5 * (last * last - r * r) + (2.0 - last) * (5.0 - last);
        for (found, &r) in radial.inward_trapezoidal(&values).iter().zip(&grid.nodes) {
            assert_relative_eq!(*found, integral(r), max_relative = 1e-13);
        }
    }
}
