//! Lines of constant energy at infinity, on which the equations are solved, and interpolation between them
//! and the energy nodes of the setup.
//!
//! On a line E = Cε is constant, with C = αW(1 + v): that of a neutrino that moves radially outward. At rest
//! that is the energy at infinity of all neutrinos.

use crate::extremes::largest;
use crate::methods::setup::Setup;
use crate::phase_space::EnergyGrid;

use super::face::LEAST_J;

/// Relative variation of C below which lines are the energy nodes.
const CONSTANT: f64 = 1e-13;

/// Largest |Δ ln J| from a line to an interface: spectra that are steeper are so on the way to a solution only, or
/// far above the thermal energies.
const STEEPEST: f64 = 1.5;

/// Points of the interpolation in energy.
const POINTS: usize = 4;

/// The lines, by increasing energy.
#[derive(Debug, Clone, PartialEq)]
pub struct Lines {
    /// E of each line; 1 in a gray problem.
    pub energy: Vec<f64>,
    /// E³ between the lines, one more than lines, and a third of its differences.
    pub cube: Vec<f64>,
    pub weight: Vec<f64>,
    /// Energy nodes of the setup.
    nodes: Vec<f64>,
    pub gray: bool,
}

impl Lines {
    /// Lines that cover the energy nodes of `setup` wherever C is one of `clocks`.
    pub fn new(setup: &Setup, clocks: &[f64]) -> Self {
        let EnergyGrid::Spectral(grid) = &setup.phase_space.energy else {
            let one = vec![1.0];
            return Self {
                energy: one.clone(),
                cube: vec![0.0, 3.0],
                weight: one.clone(),
                nodes: one,
                gray: true,
            };
        };
        let least = clocks.iter().copied().fold(f64::INFINITY, f64::min);
        let largest = clocks.iter().copied().fold(0.0, f64::max);
        let nodes = grid.nodes.clone();
        let mut energy: Vec<f64> = nodes.iter().map(|node| largest * node).collect();
        if largest > (1.0 + CONSTANT) * least {
            extend_down(&mut energy, least * nodes[0]);
        }
        let cube = interfaces(&energy);
        let weight = cube.windows(2).map(|pair| (pair[1] - pair[0]) / 3.0).collect();
        Self { energy, cube, weight, nodes, gray: false }
    }

    /// Number of lines.
    pub fn len(&self) -> usize {
        self.energy.len()
    }

    /// A positive quantity on line `p` where C is `clock`, from its values at the energy nodes.
    pub fn at_line(&self, p: usize, clock: f64, value: impl Fn(usize) -> f64) -> f64 {
        if self.gray { value(0) } else { interpolate(&self.nodes, self.energy[p] / clock, value) }
    }

    /// From the energy nodes to all lines where C is `clock`.
    pub fn stencils(&self, clock: f64) -> Vec<Stencil> {
        self.energy.iter().map(|energy| Stencil::new(&self.nodes, energy / clock)).collect()
    }

    /// A positive quantity at energy node `k` where C is `clock`, from its values on the lines.
    pub fn at_node(&self, k: usize, clock: f64, value: impl Fn(usize) -> f64) -> f64 {
        if self.gray { value(0) } else { interpolate(&self.energy, self.nodes[k] * clock, value) }
    }
}

/// J at an interface between lines over J of the line next to it, and its derivatives to J of the line below,
/// of that line and of the one above.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Growth {
    pub value: f64,
    pub slopes: [f64; 3],
}

impl Lines {
    /// [`Growth`] from line `p` to the interface below line `face` by the slope of ln J at `p`: the harmonic mean
    /// of the slopes to the neighbours (van Leer 1974, J. Comput. Phys. 14, 361), which is smooth; none at extrema
    /// and ends. `share` is how much of the slope there is.
    pub fn growth(&self, p: usize, face: usize, spectrum: &[f64], share: f64) -> Growth {
        const FLAT: Growth = Growth { value: 1.0, slopes: [0.0; 3] };
        let (Some(below), Some(above)) = (p.checked_sub(1), spectrum.get(p + 1)) else { return FLAT };
        let (e, below) = (&self.energy, spectrum[below]);
        if !(below > LEAST_J && spectrum[p] > LEAST_J && *above > LEAST_J) {
            return FLAT;
        }
        let (d0, d1) = (e[p] - e[p - 1], e[p + 1] - e[p]);
        let (lower, upper) = ((spectrum[p] / below).ln() / d0, (above / spectrum[p]).ln() / d1);
        if lower * upper <= 0.0 {
            return FLAT;
        }
        // Weights that make it the slope of the parabola to second order.
        let (w0, w1) = (d1 / (d0 + d1), d0 / (d0 + d1));
        let slope = 1.0 / (w0 / lower + w1 / upper);
        let reach = share * (self.cube[face].cbrt() - e[p]);
        let exponent = slope * reach;
        if exponent.abs() > STEEPEST {
            return Growth { value: (STEEPEST * exponent.signum()).exp(), slopes: [0.0; 3] };
        }
        let (value, factor) = (exponent.exp(), exponent.exp() * reach);
        let (by_lower, by_upper) =
            (factor * w0 * (slope / lower).powi(2) / d0, factor * w1 * (slope / upper).powi(2) / d1);
        Growth { value, slopes: [-by_lower / below, (by_lower - by_upper) / spectrum[p], by_upper / above] }
    }
}

/// Adds lines below the first, with the spacing of the first two in ln E, until one is not above `least`.
fn extend_down(energy: &mut Vec<f64>, least: f64) {
    /// Closest spacing: no more than this many lines are added.
    const LEAST_RATIO: f64 = 1.05;
    let ratio = energy.get(1).map_or(LEAST_RATIO, |second| (second / energy[0]).max(LEAST_RATIO));
    let mut added = Vec::new();
    let mut next = energy[0] / ratio;
    while added.last().is_none_or(|&last: &f64| last > least) && added.len() < 1000 {
        added.push(next);
        next /= ratio;
    }
    added.reverse();
    added.append(energy);
    *energy = added;
}

/// Cubes of the energies midway between the lines; 0 and as far above the last as below it at the ends.
fn interfaces(energy: &[f64]) -> Vec<f64> {
    let last = energy.len() - 1;
    let mut middles = vec![0.0];
    middles.extend(energy.windows(2).map(|pair| 0.5 * (pair[0] + pair[1])));
    middles.push(2.0 * energy[last] - middles[last]);
    middles.iter().map(|e| e.powi(3)).collect()
}

/// Interpolation of positive quantities to one place between nodes.
#[derive(Debug, Clone, PartialEq)]
pub struct Stencil {
    first: usize,
    /// Lagrange polynomials of the nodes from `first` on.
    basis: Vec<f64>,
    /// Where each inner one of those nodes lies between its neighbours, from 0 to 1.
    parts: Vec<f64>,
    /// The neighbours and the weight of the upper one.
    below: usize,
    above: usize,
    part: f64,
}

impl Stencil {
    /// To `x` between `nodes`, which increase.
    pub fn new(nodes: &[f64], x: f64) -> Self {
        let count = nodes.len();
        if let Some(exact) = nodes.iter().position(|node| (node / x - 1.0).abs() <= CONSTANT) {
            return Self::node(exact);
        }
        if count == 1 {
            return Self::node(0);
        }
        let above = nodes.partition_point(|&node| node < x).min(count - 1);
        let range = if x > nodes[count - 1] {
            count - 2..count
        } else if x < nodes[0] {
            0..2
        } else {
            let first = above.saturating_sub(POINTS / 2).min(count.saturating_sub(POINTS));
            first..(first + POINTS).min(count)
        };
        let lagrange = |q: usize| -> f64 {
            range.clone().filter(|&o| o != q).map(|o| (x - nodes[o]) / (nodes[q] - nodes[o])).product()
        };
        let below = above.saturating_sub(1);
        let part = if above > below {
            ((x - nodes[below]) / (nodes[above] - nodes[below])).clamp(0.0, 1.0)
        } else {
            0.0
        };
        let inner = range.start + 1..range.end - 1;
        let between = |q: usize| (nodes[q] - nodes[q - 1]) / (nodes[q + 1] - nodes[q - 1]);
        let parts = range.clone().map(|q| if inner.contains(&q) { between(q) } else { 0.0 }).collect();
        Self { first: range.start, basis: range.clone().map(lagrange).collect(), parts, below, above, part }
    }

    /// Node `q` itself.
    fn node(q: usize) -> Self {
        Self { first: q, basis: vec![1.0], parts: vec![0.0], below: q, above: q, part: 0.0 }
    }

    /// Cubic in the logarithm between the nodes, linear in it beyond their ends, and linear in the value itself
    /// next to values that are not positive, which keeps 0 next to 0.
    pub fn at(&self, value: impl Fn(usize) -> f64, logarithm: impl Fn(usize) -> f64) -> f64 {
        if self.basis.len() == 1 {
            return value(self.first);
        }
        let points = (self.first..).zip(&self.basis);
        if points.clone().all(|(q, _)| value(q) > 0.0) {
            return points.map(|(q, basis)| basis * logarithm(q)).sum::<f64>().exp();
        }
        self.linear(value)
    }

    /// The nodes of the cubic.
    pub fn nodes(&self) -> impl Iterator<Item = usize> + use<> {
        self.first..self.first + self.basis.len()
    }

    /// Σ weight × `value` over the nodes of the cubic or, not `curved`, of the straight line. Beyond the ends both
    /// are the straight line through the last two nodes.
    pub fn sum(&self, curved: bool, value: impl Fn(usize) -> f64) -> f64 {
        if curved || self.basis.len() < POINTS {
            return self.nodes().zip(&self.basis).map(|(q, basis)| basis * value(q)).sum();
        }
        self.linear(value)
    }

    /// As [`Stencil::sum`], but constant beyond the ends.
    pub fn bounded(&self, curved: bool, value: impl Fn(usize) -> f64) -> f64 {
        if self.basis.len() < POINTS { self.linear(value) } else { self.sum(curved, value) }
    }

    /// The nodes next to the place.
    pub fn neighbours(&self) -> [usize; 2] {
        [self.below, self.above]
    }

    /// Largest deviation of `value` at an inner node of the cubic from the straight line through its neighbours; NaN
    /// where a value is none.
    pub fn bend(&self, value: impl Fn(usize) -> f64) -> f64 {
        let inner = 1..self.basis.len().saturating_sub(1);
        largest(inner.map(|n| {
            let q = self.first + n;
            let (below, above) = (value(q - 1), value(q + 1));
            (value(q) - (1.0 - self.parts[n]) * below - self.parts[n] * above).abs()
        }))
    }

    /// Linear between the neighbours, constant beyond the ends.
    pub fn linear(&self, value: impl Fn(usize) -> f64) -> f64 {
        (1.0 - self.part) * value(self.below) + self.part * value(self.above)
    }
}

/// [`Stencil::at`] at `x`.
fn interpolate(nodes: &[f64], x: f64, value: impl Fn(usize) -> f64) -> f64 {
    Stencil::new(nodes, x).at(&value, |q| value(q).ln())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponentials_are_interpolated_exactly() {
        let nodes = [1.0, 2.0, 4.0, 7.0, 11.0, 16.0];
        for x in [0.2, 1.0, 1.3, 3.0, 9.0, 15.9, 20.0] {
            let found = interpolate(&nodes, x, |q| (-1.7 * nodes[q]).exp());
            assert!((found * (1.7 * x).exp() - 1.0).abs() < 1e-12, "{x}");
        }
        assert_eq!(interpolate(&nodes, 3.0, |q| if q > 1 { 2.0 } else { 0.0 }), 1.0);
    }

    #[test]
    fn lines_are_added_below() {
        let mut energy = vec![1.0, 1.5, 2.5];
        extend_down(&mut energy, 0.5);
        assert!(energy.len() == 5 && energy[0] <= 0.5 && energy.windows(2).all(|pair| pair[0] < pair[1]));
        let cube = interfaces(&energy);
        assert!(cube.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
