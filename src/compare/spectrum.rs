//! Energies of the other result, and the reference's polynomials at them or integrated over groups.

use super::quantity::{Frame, Sense};
use crate::extremes::largest;
use crate::phase_space::basis::gauss_legendre;
use crate::phase_space::grid::NodalGrid;

/// Points that agree to this share are the same: a result compared with itself has no differences.
const SAME_POINT: f64 = 1e-13;

/// Energies, in the unit of the reference, ascending.
#[derive(Debug, Clone, PartialEq)]
pub struct EnergyAxis {
    pub centres: Vec<f64>,
    /// Edges of the groups, one more than centres.
    pub edges: Option<Vec<f64>>,
    /// Who measures the energies.
    pub frame: Frame,
}

impl EnergyAxis {
    /// Width of each group, or without edges the distance between the middles to the neighbours: the
    /// weights of norms over energy.
    pub fn widths(&self) -> Vec<f64> {
        match &self.edges {
            Some(edges) => edges.windows(2).map(|pair| pair[1] - pair[0]).collect(),
            None => trapezoid(&self.centres),
        }
    }

    /// The energies with every value multiplied by `factor`.
    pub fn scaled(&self, factor: f64) -> Self {
        let times = |values: &[f64]| values.iter().map(|value| value * factor).collect();
        Self { centres: times(&self.centres), edges: self.edges.as_deref().map(times), frame: self.frame }
    }
}

/// Weights of the trapezoidal rule on `x`: half of the distance between the neighbours. 1 for one point.
pub fn trapezoid(x: &[f64]) -> Vec<f64> {
    let last = x.len().saturating_sub(1);
    if last == 0 {
        return vec![1.0; x.len()];
    }
    (0..x.len()).map(|i| 0.5 * (x[(i + 1).min(last)] - x[i.saturating_sub(1)])).collect()
}

/// A linear combination of neighbouring nodal values.
#[derive(Debug, Clone, PartialEq)]
pub struct Stencil {
    pub first: usize,
    pub weights: Vec<f64>,
    /// Nodes between which the point lies, or those of the group: where errors are taken.
    pub nodes: std::ops::RangeInclusive<usize>,
}

impl Stencil {
    /// The combination of `values`.
    pub fn value(&self, values: &[f64]) -> f64 {
        self.weights.iter().zip(&values[self.first..]).map(|(w, v)| w * v).sum()
    }

    /// The largest of `errors` at the stencil's nodes times the size of its weights' sum.
    pub fn error(&self, errors: &[f64]) -> f64 {
        let total: f64 = self.weights.iter().sum::<f64>().abs();
        total * envelope(errors, &self.nodes)
    }
}

/// Largest entry in `nodes`.
pub fn envelope(errors: &[f64], nodes: &std::ops::RangeInclusive<usize>) -> f64 {
    largest(errors[nodes.clone()].iter().map(|error| error.abs()))
}

/// The nodes on both sides of `x`, or the outermost one.
pub fn neighbours(nodes: &[f64], x: f64) -> std::ops::RangeInclusive<usize> {
    let above = nodes.partition_point(|node| *node <= x);
    let last = nodes.len().saturating_sub(1);
    above.saturating_sub(1)..=above.min(last)
}

/// The grid's value at `x`: that of the node where `x` is one, else of the element's polynomial; none
/// outside of the grid.
pub fn point(grid: &NodalGrid, x: f64) -> Option<Stencil> {
    let nodes = neighbours(&grid.nodes, x);
    let range = grid.element_at(x).map(|element| grid.range(element))?;
    let same = |i: &usize| (grid.nodes[*i] - x).abs() <= SAME_POINT * x.abs();
    if let Some(node) = range.clone().find(same) {
        return Some(Stencil { first: node, weights: vec![1.0], nodes: node..=node });
    }
    let (range, weights) = grid.interpolation(x)?;
    Some(Stencil { first: range.start, weights, nodes })
}

/// Combinations that give ε^`power` times the variable at the `index`-th energy in the given sense; none
/// where the energy or group is not within the grid.
pub fn stencil(
    grid: &NodalGrid,
    axis: &EnergyAxis,
    index: usize,
    sense: Sense,
    power: i32,
) -> Option<Stencil> {
    if sense == Sense::Pointwise {
        let energy = axis.centres[index];
        let mut found = point(grid, energy)?;
        found.weights.iter_mut().for_each(|weight| *weight *= energy.powi(power));
        return Some(found);
    }
    let edges = axis.edges.as_ref()?;
    let (low, high) = (*edges.get(index)?, *edges.get(index + 1)?);
    let weight = match (power, sense) {
        (0, Sense::GroupMean | Sense::GroupIntegral) => 2,
        (0, _) => 3,
        (power, _) => power,
    };
    let mut found = integral(grid, low, high, weight)?;
    let size = match (sense.is_integral(), power) {
        (true, _) => 1.0,
        (false, 0) => (high.powi(weight + 1) - low.powi(weight + 1)) / f64::from(weight + 1),
        (false, _) => high - low,
    };
    found.weights.iter_mut().for_each(|w| *w /= size);
    Some(found)
}

/// ∫ ε^`power` p(ε) dε from `low` to `high`, exact for the elements' polynomials p.
fn integral(grid: &NodalGrid, low: f64, high: f64, power: i32) -> Option<Stencil> {
    let (begin, end) = (grid.element_at(low)?, grid.element_at(high)?);
    let first = grid.range(begin).start;
    let mut weights = vec![0.0; grid.range(end).end - first];
    // Degree p + power at most: exact with (p + power)/2 + 1 points.
    let points = gauss_legendre((grid.per_element() + power.unsigned_abs() as usize) / 2 + 1);
    for element in begin..=end {
        let (from, to) = (low.max(grid.edges[element]), high.min(grid.edges[element + 1]));
        let (centre, half) = (0.5 * (from + to), 0.5 * (to - from));
        for (x, w) in points.0.iter().zip(&points.1) {
            let energy = centre + half * x;
            let reference = 2.0 * (energy - grid.edges[element]) / grid.width(element) - 1.0;
            for (node, basis) in grid.range(element).zip(grid.basis.evaluate(reference)) {
                weights[node - first] += half * w * energy.powi(power) * basis;
            }
        }
    }
    let nodes = *neighbours(&grid.nodes, low).start()..=*neighbours(&grid.nodes, high).end();
    Some(Stencil { first, weights, nodes })
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    fn grid() -> NodalGrid {
        NodalGrid::new(vec![0.0, 2.0, 5.0, 20.0], 2)
    }

    /// J(ε) = 1 + ε²: group integrals across elements against the closed form.
    #[test]
    fn groups_are_integrated_exactly() {
        let grid = grid();
        let values: Vec<f64> = grid.nodes.iter().map(|e| 1.0 + e * e).collect();
        let axis =
            EnergyAxis { centres: vec![2.0, 9.5], edges: Some(vec![1.0, 3.0, 16.0]), frame: Frame::Comoving };
        let primitive = |e: f64, n: i32| e.powi(n + 1) / f64::from(n + 1) + e.powi(n + 3) / f64::from(n + 3);
        let exact = |a: f64, b: f64, n: i32| primitive(b, n) - primitive(a, n);
        for (index, (low, high)) in [(1.0, 3.0), (3.0, 16.0)].into_iter().enumerate() {
            let value = |sense, power| stencil(&grid, &axis, index, sense, power).unwrap().value(&values);
            assert_relative_eq!(value(Sense::GroupIntegral, 0), exact(low, high, 2), max_relative = 1e-13);
            assert_relative_eq!(
                value(Sense::GroupIntegralEnergy, 0),
                exact(low, high, 3),
                max_relative = 1e-13
            );
            assert_relative_eq!(value(Sense::GroupIntegral, 3), exact(low, high, 3), max_relative = 1e-13);
            let volume = |n: i32| (high.powi(n) - low.powi(n)) / f64::from(n);
            assert_relative_eq!(
                value(Sense::GroupMean, 0),
                exact(low, high, 2) / volume(3),
                max_relative = 1e-13
            );
            let mean = exact(low, high, 3) / volume(4);
            assert_relative_eq!(value(Sense::GroupMeanEnergy, 0), mean, max_relative = 1e-13);
            let per_energy = exact(low, high, 2) / (high - low);
            assert_relative_eq!(value(Sense::GroupMean, 2), per_energy, max_relative = 1e-13);
            let centre = axis.centres[index];
            let point = centre.powi(3) * (1.0 + centre * centre);
            assert_relative_eq!(value(Sense::Pointwise, 3), point, max_relative = 1e-13);
        }
    }

    #[test]
    fn energies_outside_have_no_value() {
        let axis = EnergyAxis { centres: vec![21.0], edges: Some(vec![18.0, 24.0]), frame: Frame::Comoving };
        assert_eq!(stencil(&grid(), &axis, 0, Sense::Pointwise, 0), None);
        assert_eq!(stencil(&grid(), &axis, 0, Sense::GroupMean, 0), None);
    }

    #[test]
    fn errors_are_those_of_the_neighbours() {
        assert_eq!(neighbours(&[1.0, 2.0, 3.0], 2.5), 1..=2);
        assert_eq!(neighbours(&[1.0, 2.0, 3.0], 0.5), 0..=0);
        assert_eq!(neighbours(&[1.0, 2.0, 3.0], 3.5), 2..=2);
        assert_eq!(envelope(&[1.0, 5.0, 2.0], &(0..=1)), 5.0);
    }
}
