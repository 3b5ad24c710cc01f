//! J and H as polynomials on panels of radius and energy, the source of elastic scattering, and the
//! evaluation of f with it.

use std::f64::consts::PI;

use super::medium::{Medium, Panel};
use super::trace::{Collector, Sample};
use crate::opacities::LocalOpacity;
use crate::phase_space::basis::gauss_legendre;

/// Most nodes of a panel in one direction.
pub const MOST_NODES: usize = 8;

/// Lagrange interpolation on nodes of [−1, 1].
#[derive(Debug, Clone)]
pub struct Nodal {
    pub nodes: Vec<f64>,
    /// 1/Π(x_i − x_m).
    factors: Vec<f64>,
}

impl Nodal {
    /// Interpolation on `count` ≤ [`MOST_NODES`] Gauss-Legendre nodes.
    pub fn gauss(count: usize) -> Self {
        Self::on(gauss_legendre(count.min(MOST_NODES)).0)
    }

    /// Interpolation on `count` ≤ [`MOST_NODES`] Chebyshev points of the second kind, ends included.
    pub fn with_ends(count: usize) -> Self {
        let last = count.clamp(2, MOST_NODES) - 1;
        Self::on((0..=last).map(|i| -(PI * i as f64 / last as f64).cos()).collect())
    }

    fn on(nodes: Vec<f64>) -> Self {
        let others = |i: usize| nodes.iter().enumerate().filter(move |&(m, _)| m != i);
        let factors =
            (0..nodes.len()).map(|i| 1.0 / others(i).map(|(_, x)| nodes[i] - x).product::<f64>()).collect();
        Self { nodes, factors }
    }

    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Values of the Lagrange polynomials at x; zero beyond the number of nodes.
    pub fn weights(&self, x: f64) -> [f64; MOST_NODES] {
        let mut weights = [0.0; MOST_NODES];
        for (i, (weight, factor)) in weights.iter_mut().zip(&self.factors).enumerate() {
            let others = self.nodes.iter().enumerate().filter(|&(m, _)| m != i);
            *weight = factor * others.map(|(_, node)| x - node).product::<f64>();
        }
        weights
    }

    /// As [`Nodal::weights`] for straight lines between the nodes, and constants beyond them: never
    /// negative.
    pub fn linear_weights(&self, x: f64) -> [f64; MOST_NODES] {
        let mut weights = [0.0; MOST_NODES];
        let above = self.nodes.partition_point(|&node| node <= x);
        match above {
            0 => weights[0] = 1.0,
            _ if above == self.nodes.len() => weights[above - 1] = 1.0,
            _ => {
                let share = (x - self.nodes[above - 1]) / (self.nodes[above] - self.nodes[above - 1]);
                (weights[above - 1], weights[above]) = (1.0 - share, share);
            }
        }
        weights
    }

    /// Nodes between `low` and `high`.
    pub fn between(&self, low: f64, high: f64) -> impl Iterator<Item = f64> + '_ {
        self.nodes.iter().map(move |x| 0.5 * (low + high) + 0.5 * x * (high - low))
    }
}

/// Where moments have nodes: panels of the medium in which something scatters × elements of the
/// redshifted comoving energy e = αε, which does not change along a ray where v = 0.
///
/// Panels that meet share a node there: J and H are continuous. Without that, opaque panels would not
/// know of each other, since rays from inside one see only the first mean free paths around them.
#[derive(Debug, Clone)]
pub struct Mesh {
    pub spectral: Nodal,
    /// For each panel of the medium its radial nodes, where it scatters.
    cells: Vec<Option<Cell>>,
    /// Interpolation on 2, 3, … [`MOST_NODES`] nodes of a panel.
    rules: Vec<Nodal>,
    radii: usize,
    /// Edges of the energy elements; empty in a gray problem.
    pub energy_edges: Vec<f64>,
}

/// The radial nodes of a panel: number of the first one, and how many.
#[derive(Debug, Clone, Copy)]
struct Cell {
    first: usize,
    count: usize,
}

/// Where a radius is among the nodes of a mesh: number of the first node of its panel, and the weights of
/// it and the following ones.
#[derive(Debug, Clone, Copy)]
pub struct RadialSpot {
    pub first: usize,
    count: usize,
    weights: [f64; MOST_NODES],
}

impl RadialSpot {
    /// Weights of the nodes from `first`.
    pub fn weights(&self) -> &[f64] {
        &self.weights[..self.count]
    }
}

impl Mesh {
    /// The mesh on the panels of `medium` that scatter, with `radial(panel)` nodes each (2 to
    /// [`MOST_NODES`]), and on the elements between `energy_edges` with `spectral` nodes each.
    pub fn new(
        medium: &Medium,
        radial: impl Fn(&Panel) -> usize,
        energy_edges: Vec<f64>,
        spectral: usize,
    ) -> Self {
        let mut cells = Vec::with_capacity(medium.panels.len());
        let mut radii = 0;
        let mut before = false;
        for panel in &medium.panels {
            let scatters = panel.scatters.0;
            cells.push(scatters.then(|| {
                let count = radial(panel).clamp(2, MOST_NODES);
                // The last node of the panel before is this one's first.
                let first = if before { radii - 1 } else { radii };
                radii = first + count;
                Cell { first, count }
            }));
            before = scatters;
        }
        let rules = (2..=MOST_NODES).map(Nodal::with_ends).collect();
        let spectral = Nodal::gauss(if energy_edges.is_empty() { 1 } else { spectral });
        Self { spectral, cells, rules, radii, energy_edges }
    }

    /// Radial nodes of panel number `panel`, ascending, its ends included; `None` where nothing scatters.
    pub fn radii_of(&self, medium: &Medium, panel: usize) -> Option<Vec<f64>> {
        let cell = self.cells[panel]?;
        let Panel { lower, upper, .. } = medium.panels[panel];
        let mut radii: Vec<f64> = self.rules[cell.count - 2].between(lower, upper).collect();
        (radii[0], radii[cell.count - 1]) = (lower, upper);
        Some(radii)
    }

    /// (panel, r) of the radial nodes.
    pub fn radii(&self, medium: &Medium) -> Vec<(usize, f64)> {
        let mut nodes = vec![(0, 0.0); self.radii];
        for (p, cell) in self.cells.iter().enumerate() {
            let (Some(cell), Some(radii)) = (cell, self.radii_of(medium, p)) else { continue };
            for (node, r) in nodes[cell.first..].iter_mut().zip(radii) {
                *node = (p, r);
            }
        }
        nodes
    }

    /// Energy nodes αε; 1 in a gray problem.
    pub fn energies(&self) -> Vec<f64> {
        if self.energy_edges.is_empty() {
            return vec![1.0];
        }
        self.energy_edges.windows(2).flat_map(|pair| self.spectral.between(pair[0], pair[1])).collect()
    }

    /// The polynomial through `values` at the energy nodes for the redshifted comoving energy `energy`: below the
    /// mesh the value at its lowest energy, above it nothing.
    pub fn at_energy<const N: usize>(&self, values: &[[f64; N]], energy: f64) -> [f64; N] {
        let mut sum = [0.0; N];
        let Some((first, x)) = self.spectral_spot(energy) else { return sum };
        for (w, value) in self.spectral.weights(x).iter().zip(&values[first..][..self.spectral.len()]) {
            sum.iter_mut().zip(value).for_each(|(sum, value)| *sum += w * value);
        }
        sum
    }

    /// Number of radial and of energy nodes.
    pub fn size(&self) -> (usize, usize) {
        let elements = self.energy_edges.len().saturating_sub(1).max(1);
        (self.radii, elements * self.spectral.len())
    }

    /// Radial place; `None` where nothing scatters.
    pub fn radial_spot(&self, medium: &Medium, panel: usize, r: f64) -> Option<RadialSpot> {
        let Cell { first, count } = self.cells[panel]?;
        let Panel { lower, upper, .. } = medium.panels[panel];
        let x = (2.0 * r - lower - upper) / (upper - lower);
        Some(RadialSpot { first, count, weights: self.rules[count - 2].weights(x) })
    }

    /// The first node of the element of αε, and the place in it from −1 to 1: below the mesh its lowest
    /// energy, above it nothing.
    fn spectral_spot(&self, energy: f64) -> Option<(usize, f64)> {
        let (Some(&first), Some(&last)) = (self.energy_edges.first(), self.energy_edges.last()) else {
            return Some((0, 0.0));
        };
        if energy > last {
            return None;
        }
        let energy = energy.max(first);
        let element = self.energy_edges.partition_point(|&e| e <= energy);
        let element = element.clamp(1, self.energy_edges.len() - 1) - 1;
        let (low, high) = (self.energy_edges[element], self.energy_edges[element + 1]);
        let x = (2.0 * energy - low - high) / (high - low);
        Some((element * self.spectral.len(), x))
    }
}

/// J and H of all species on a mesh, over a reference spectrum, so that interpolation in energy keeps its
/// relative accuracy in the tails.
#[derive(Debug, Clone)]
pub struct Field {
    pub mesh: Mesh,
    /// (species, energy node, radial node).
    values: Vec<[f64; 2]>,
    /// Logarithms of the reference spectrum at (species, energy node).
    reference: Vec<f64>,
}

impl Field {
    /// Moments `values` at (species, energy node, radial node) over the reference spectrum whose
    /// logarithms are `reference`.
    pub fn new(mesh: Mesh, mut values: Vec<[f64; 2]>, reference: Vec<f64>) -> Self {
        let radii = mesh.size().0;
        for (row, log) in values.chunks_exact_mut(radii).zip(&reference) {
            let scale = (-log).exp();
            row.iter_mut().flatten().for_each(|value| *value *= scale);
        }
        Self { mesh, values, reference }
    }

    /// The same moments themselves, over no reference.
    pub fn plain(&self) -> Self {
        let radii = self.mesh.size().0;
        let mut plain = self.clone();
        for (row, log) in plain.values.chunks_exact_mut(radii).zip(&mut plain.reference) {
            let scale = log.exp();
            row.iter_mut().flatten().for_each(|value| *value *= scale);
            *log = 0.0;
        }
        plain
    }

    /// J and H of `species` at a radial place for the redshifted comoving energy `energy` (αε; 1 in a gray
    /// problem).
    pub fn near(&self, spot: &RadialSpot, species: usize, energy: f64) -> [f64; 2] {
        self.spectral_sum(species, energy, |node| self.radial_sum(spot, species, node))
    }

    /// J and H of `species` at a radial place over the reference spectrum (themselves where there is none), for all
    /// energy nodes.
    pub fn spectrum(&self, spot: &RadialSpot, species: usize) -> Vec<[f64; 2]> {
        (0..self.mesh.size().1).map(|node| self.radial_sum(spot, species, node)).collect()
    }

    fn radial_sum(&self, spot: &RadialSpot, species: usize, node: usize) -> [f64; 2] {
        let (radii, energies) = self.mesh.size();
        let start = (species * energies + node) * radii + spot.first;
        let pairs = self.values[start..].iter().zip(spot.weights());
        pairs.fold([0.0; 2], |sum, (value, w)| [sum[0] + w * value[0], sum[1] + w * value[1]])
    }

    fn spectral_sum(&self, species: usize, energy: f64, at_node: impl Fn(usize) -> [f64; 2]) -> [f64; 2] {
        let Some((row, x)) = self.mesh.spectral_spot(energy) else { return [0.0; 2] };
        let energies = self.mesh.size().1;
        let nodal = &self.mesh.spectral;
        let reference = &self.reference[species * energies + row..][..nodal.len()];
        // Polynomials through zeros, below a threshold of emission, would be negative between them.
        let has_zeros = reference.iter().all(|&log| log == 0.0);
        let spectral = if has_zeros { nodal.linear_weights(x) } else { nodal.weights(x) };
        let mut sum = [0.0; 2];
        let mut log = 0.0;
        for (k, (w, reference)) in spectral.iter().zip(reference).enumerate() {
            log += w * reference;
            let value = at_node(row + k);
            sum = [sum[0] + w * value[0], sum[1] + w * value[1]];
        }
        let scale = if log == 0.0 { 1.0 } else { log.exp() };
        sum.map(|sum| scale * sum)
    }
}

/// Adds f up for each energy.
pub struct Value<'a> {
    medium: &'a Medium,
    field: Option<&'a Field>,
    emission: bool,
    species: usize,
    pub f: Vec<f64>,
    /// Radial places of the samples that are looked at.
    spots: Vec<Option<RadialSpot>>,
}

impl<'a> Value<'a> {
    /// f of `species` at `energies` energies with scattering by `field`; whether `emission` and inflow count.
    pub fn new(
        medium: &'a Medium,
        field: Option<&'a Field>,
        emission: bool,
        species: usize,
        energies: usize,
    ) -> Self {
        Self { medium, field, emission, species, f: vec![0.0; energies], spots: Vec::new() }
    }
}

impl Collector for Value<'_> {
    fn enter(&mut self, samples: &[Sample]) {
        let Some(field) = self.field else { return };
        self.spots.clear();
        self.spots.extend(samples.iter().map(|at| field.mesh.radial_spot(self.medium, at.panel, at.r)));
    }

    fn source(&self, sample: usize, at: &Sample, energy: f64, opacity: &LocalOpacity) -> f64 {
        let emissivity = if self.emission { opacity.emissivity } else { 0.0 };
        let spot = self.spots.get(sample).and_then(Option::as_ref);
        match self.field.zip(spot) {
            Some((field, spot)) if opacity.scattering > 0.0 => {
                let redshifted = if self.medium.gray { 1.0 } else { at.lapse() * energy };
                let [j, h] = field.near(spot, self.species, redshifted);
                emissivity + opacity.scattering * j + 3.0 * opacity.scattering_first * at.mu * h
            }
            _ => emissivity,
        }
    }

    fn add(&mut self, number: usize, _at: &Sample, _opacity: &LocalOpacity, source: f64, weight: f64) {
        self.f[number] += source * weight;
    }

    fn inflow(&mut self, number: usize, f: f64) {
        if self.emission {
            self.f[number] += f;
        }
    }

    fn finish(&mut self, _number: usize, _depth: f64) {}

    fn repeat(&mut self, number: usize, factor: f64) {
        self.f[number] *= factor;
    }
}

/// Logarithm of the mean J at each (species, energy node) of `values`; 0 throughout elements of `nodes`
/// energies where it vanishes anywhere.
pub fn reference_spectrum(values: &[[f64; 2]], radii: usize, nodes: usize) -> Vec<f64> {
    let mean = |row: &[[f64; 2]]| row.iter().map(|value| value[0].max(0.0)).sum::<f64>() / radii as f64;
    let mut means: Vec<f64> = values.chunks_exact(radii).map(mean).collect();
    for element in means.chunks_mut(nodes) {
        let positive = element.iter().all(|&mean| mean > f64::MIN_POSITIVE);
        element.iter_mut().for_each(|mean| *mean = if positive { mean.ln() } else { 0.0 });
    }
    means
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interpolation_reproduces_polynomials() {
        let nodal = Nodal::gauss(5);
        let p = |x: f64| 2.0 - x + x.powi(4);
        let value: f64 = nodal.weights(0.37).iter().zip(&nodal.nodes).map(|(w, &x)| w * p(x)).sum();
        assert!((value - p(0.37)).abs() < 1e-14);
        let nodal = Nodal::with_ends(5);
        let value: f64 = nodal.weights(0.37).iter().zip(&nodal.nodes).map(|(w, &x)| w * p(x)).sum();
        assert!((value - p(0.37)).abs() < 1e-14);
    }

    #[test]
    fn straight_lines_go_through_their_nodes_and_are_never_negative() {
        let nodal = Nodal::gauss(4);
        for i in -100..=100 {
            let x = f64::from(i) / 100.0;
            let weights = nodal.linear_weights(x);
            assert!(weights.iter().all(|&w| w >= 0.0), "{x}: {weights:?}");
            let inside = x.clamp(nodal.nodes[0], nodal.nodes[3]);
            let value: f64 = weights.iter().zip(&nodal.nodes).map(|(w, &x)| w * (1.0 + 3.0 * x)).sum();
            assert!((value - 1.0 - 3.0 * inside).abs() < 1e-14, "{x}: {value}");
        }
    }
}
