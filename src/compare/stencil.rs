//! Combinations of nodal values: the elements' polynomials at points, and how far these may be off.

use std::ops::{Range, RangeInclusive};

use crate::extremes::largest;
use crate::phase_space::grid::NodalGrid;

/// Points that agree to this share are the same: a result compared with itself has no differences.
const SAME_POINT: f64 = 1e-13;

/// On a smooth curve the corrections from before and behind an element differ by less than this factor.
const SMOOTH: f64 = 4.0;

/// A linear combination of consecutive nodal values.
#[derive(Debug, Clone, PartialEq)]
pub struct Combination {
    pub first: usize,
    pub weights: Vec<f64>,
}

impl Combination {
    /// The combination of `term` at the nodes.
    pub fn sum(&self, term: &dyn Fn(usize) -> f64) -> f64 {
        self.weights.iter().enumerate().map(|(k, weight)| weight * term(self.first + k)).sum()
    }

    /// The nodes.
    pub fn nodes(&self) -> Range<usize> {
        self.first..self.first + self.weights.len()
    }

    fn scale(&mut self, factor: f64) {
        self.weights.iter_mut().for_each(|weight| *weight *= factor);
    }
}

/// A point, or an integral over energies, by the polynomials of the elements.
#[derive(Debug, Clone, PartialEq)]
pub struct Stencil {
    pub combination: Combination,
    /// Nodes between which the point lies, or those of the group: where errors are taken.
    pub nodes: RangeInclusive<usize>,
    /// For every element that it has a part of: what polynomials of one degree more, through the next node before and
    /// behind the element, would add. None at nodes.
    pub corrections: Vec<Vec<Combination>>,
}

impl Stencil {
    /// The combination of `values`.
    pub fn value(&self, values: &[f64]) -> f64 {
        self.combination.sum(&|node| values[node])
    }

    /// Numerical error of [`Self::value`] from the `errors` at the nodes: the largest of them times the size of the
    /// weights' sum, and what the polynomials are off by in between.
    pub fn error(&self, values: &[f64], errors: &[f64]) -> f64 {
        let total: f64 = self.combination.weights.iter().sum::<f64>().abs();
        total * envelope(errors, &self.nodes)
            + self.interpolation_error(|extra| extra.sum(&|node| values[node]))
    }

    /// Sum over the elements of the size of `change` by the corrections: of the larger one from before and behind, but
    /// at most four times the smaller one, as beyond a surface nodes are not on the same curve. At an end of the grid,
    /// where there is only one, four times that.
    pub fn interpolation_error(&self, change: impl Fn(&Combination) -> f64) -> f64 {
        let size = |both: &Vec<Combination>| {
            let sizes: Vec<f64> = both.iter().map(|extra| change(extra).abs()).collect();
            let large = largest(sizes.iter().copied());
            match sizes.iter().copied().reduce(f64::min) {
                Some(small) if sizes.len() == 1 || large > SMOOTH * small => SMOOTH * small,
                _ => large,
            }
        };
        self.corrections.iter().map(size).sum()
    }

    /// Multiplied by `factor`.
    pub fn scaled(mut self, factor: f64) -> Self {
        self.combination.scale(factor);
        self.corrections.iter_mut().flatten().for_each(|extra| extra.scale(factor));
        self
    }
}

/// What a polynomial through one more node adds to that of `element` where the element's Π(x − xᵢ), on [−1, 1], is
/// `product` (or the integral over it): product/Π(y − xᵢ) · (value at the node y − the polynomial at y).
pub fn corrections(grid: &NodalGrid, element: usize, product: f64) -> Vec<Combination> {
    let range = grid.range(element);
    let correction = |node: usize| {
        let at = grid.reference(element, grid.nodes[node]);
        let share = product / grid.basis.nodal_product(at);
        let mut weights: Vec<f64> = grid.basis.evaluate(at).iter().map(|basis| -share * basis).collect();
        weights.insert(if node < range.start { 0 } else { weights.len() }, share);
        Combination { first: range.start.min(node), weights }
    };
    let behind = Some(range.end).filter(|node| *node < grid.nodes.len());
    range.start.checked_sub(1).into_iter().chain(behind).map(correction).collect()
}

/// Largest entry in `nodes`.
pub fn envelope(errors: &[f64], nodes: &RangeInclusive<usize>) -> f64 {
    largest(errors[nodes.clone()].iter().map(|error| error.abs()))
}

/// The nodes on both sides of `x`, or the outermost one.
pub fn neighbours(nodes: &[f64], x: f64) -> RangeInclusive<usize> {
    let above = nodes.partition_point(|node| *node <= x);
    let last = nodes.len().saturating_sub(1);
    above.saturating_sub(1)..=above.min(last)
}

/// The grid's value at `x`: that of the node where `x` is one, else of the element's polynomial; none
/// outside of the grid.
pub fn point(grid: &NodalGrid, x: f64) -> Option<Stencil> {
    let element = grid.element_at(x)?;
    let same = |i: &usize| (grid.nodes[*i] - x).abs() <= SAME_POINT * x.abs();
    if let Some(node) = grid.range(element).find(same) {
        let combination = Combination { first: node, weights: vec![1.0] };
        return Some(Stencil { combination, nodes: node..=node, corrections: Vec::new() });
    }
    let (range, weights) = grid.interpolation(x)?;
    let product = grid.basis.nodal_product(grid.reference(element, x));
    Some(Stencil {
        combination: Combination { first: range.start, weights },
        nodes: neighbours(&grid.nodes, x),
        corrections: vec![corrections(grid, element, product)],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    #[test]
    fn errors_are_those_of_the_neighbours() {
        assert_eq!(neighbours(&[1.0, 2.0, 3.0], 2.5), 1..=2);
        assert_eq!(neighbours(&[1.0, 2.0, 3.0], 0.5), 0..=0);
        assert_eq!(neighbours(&[1.0, 2.0, 3.0], 3.5), 2..=2);
        assert_eq!(envelope(&[1.0, 5.0, 2.0], &(0..=1)), 5.0);
    }

    /// Of x³ by parabolas: exactly what they are off by; of a parabola nothing.
    #[test]
    fn corrections_are_the_error_of_one_degree_more() {
        let grid = NodalGrid::new(vec![0.0, 1.0, 3.0, 4.0], 2);
        let cubes: Vec<f64> = grid.nodes.iter().map(|x| x.powi(3)).collect();
        let squares: Vec<f64> = grid.nodes.iter().map(|x| x * x).collect();
        for x in [0.3, 1.0, 1.7, 3.9] {
            let stencil = point(&grid, x).unwrap();
            let error = stencil.error(&cubes, &[0.0; 9]);
            let factor = if (1.0..3.0).contains(&x) { 1.0 } else { SMOOTH };
            let off = (stencil.value(&cubes) - x.powi(3)).abs();
            assert_relative_eq!(error, factor * off, max_relative = 1e-10);
            assert!(stencil.error(&squares, &[0.0; 9]) < 1e-13);
        }
    }

    /// A jump at an edge of an element says nothing about the curve inside of it.
    #[test]
    fn a_surface_is_no_error() {
        let grid = NodalGrid::new(vec![0.0, 1.0, 2.0, 3.0], 2);
        let values: Vec<f64> = grid.nodes.iter().map(|x| if *x < 1.0 { 100.0 } else { *x }).collect();
        assert!(point(&grid, 1.3).unwrap().error(&values, &[0.0; 9]) < 1e-12);
        assert!(point(&grid, 0.3).unwrap().error(&values, &[0.0; 9]) > 0.1);
    }

    #[test]
    fn a_value_that_is_no_number_has_no_error() {
        let grid = NodalGrid::new(vec![0.0, 1.0, 2.0, 3.0], 1);
        let errors = |values: &[f64]| point(&grid, 1.3).unwrap().error(values, &[0.0; 6]);
        assert!(errors(&[1.0, 1.0, 1.0, 1.0, f64::NAN, 1.0]).is_nan());
        assert!(errors(&[1.0, f64::NAN, 1.0, 1.0, 1.0, 1.0]).is_nan());
    }

    #[test]
    fn nodes_have_their_own_values() {
        let grid = NodalGrid::new(vec![0.0, 1.0, 2.0], 1);
        let stencil = point(&grid, grid.nodes[2]).unwrap();
        assert_eq!((stencil.nodes, stencil.corrections), (2..=2, Vec::new()));
    }
}
