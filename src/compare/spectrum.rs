//! Energies of the other result, and the reference's polynomials at them or integrated over groups.

use super::quantity::{Frame, Sense};
use super::stencil::{Combination, Stencil, corrections, neighbours, point};
use crate::phase_space::basis::gauss_legendre;
use crate::phase_space::grid::NodalGrid;

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
        return Some(point(grid, energy)?.scaled(energy.powi(power)));
    }
    let edges = axis.edges.as_ref()?;
    let (low, high) = (*edges.get(index)?, *edges.get(index + 1)?);
    let weight = match (power, sense) {
        (0, Sense::GroupMean | Sense::GroupIntegral) => 2,
        (0, _) => 3,
        (power, _) => power,
    };
    let size = match (sense.is_integral(), power) {
        (true, _) => 1.0,
        (false, 0) => (high.powi(weight + 1) - low.powi(weight + 1)) / f64::from(weight + 1),
        (false, _) => high - low,
    };
    Some(integral(grid, low, high, weight)?.scaled(1.0 / size))
}

/// ∫ ε^`power` p(ε) dε from `low` to `high`, exact for the elements' polynomials p.
fn integral(grid: &NodalGrid, low: f64, high: f64, power: i32) -> Option<Stencil> {
    let (begin, end) = (grid.element_at(low)?, grid.element_at(high)?);
    let first = grid.range(begin).start;
    let mut weights = vec![0.0; grid.range(end).end - first];
    let mut all_corrections = Vec::with_capacity(end + 1 - begin);
    // Degree p + 1 + power at most, with the corrections: exact with (p + 1 + power)/2 + 1 points.
    let points = gauss_legendre((grid.per_element() + power.unsigned_abs() as usize) / 2 + 1);
    for element in begin..=end {
        let (from, to) = (low.max(grid.edges[element]), high.min(grid.edges[element + 1]));
        let (centre, half) = (0.5 * (from + to), 0.5 * (to - from));
        let mut product = 0.0;
        for (x, w) in points.0.iter().zip(&points.1) {
            let energy = centre + half * x;
            let (reference, measure) = (grid.reference(element, energy), half * w * energy.powi(power));
            for (node, basis) in grid.range(element).zip(grid.basis.evaluate(reference)) {
                weights[node - first] += measure * basis;
            }
            product += measure * grid.basis.nodal_product(reference);
        }
        all_corrections.push(corrections(grid, element, product));
    }
    let nodes = *neighbours(&grid.nodes, low).start()..=*neighbours(&grid.nodes, high).end();
    Some(Stencil { combination: Combination { first, weights }, nodes, corrections: all_corrections })
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

    /// Of ε³ by parabolas: integrals over whole elements are exact and known to be, those over parts are off by at most
    /// what is stated.
    #[test]
    fn errors_of_groups_are_those_of_one_degree_more() {
        let grid = grid();
        let cubes: Vec<f64> = grid.nodes.iter().map(|e| e.powi(3)).collect();
        let edges = vec![2.0, 5.0, 6.0, 20.0];
        let axis =
            EnergyAxis { centres: vec![3.0, 5.5, 13.0], edges: Some(edges.clone()), frame: Frame::Comoving };
        let exact = |index: usize| (edges[index + 1].powi(6) - edges[index].powi(6)) / 6.0;
        for index in 0..3 {
            let stencil = stencil(&grid, &axis, index, Sense::GroupIntegral, 0).unwrap();
            let off = (stencil.value(&cubes) - exact(index)).abs();
            let stated = stencil.error(&cubes, &[0.0; 9]);
            assert!(off <= stated * (1.0 + 1e-12) + 1e-10 * exact(index), "{index}: {off} {stated}");
            assert!(stated <= 4.0 * off + 1e-10 * exact(index), "{index}: {off} {stated}");
        }
    }

    #[test]
    fn energies_outside_have_no_value() {
        let axis = EnergyAxis { centres: vec![21.0], edges: Some(vec![18.0, 24.0]), frame: Frame::Comoving };
        assert_eq!(stencil(&grid(), &axis, 0, Sense::Pointwise, 0), None);
        assert_eq!(stencil(&grid(), &axis, 0, Sense::GroupMean, 0), None);
    }
}
