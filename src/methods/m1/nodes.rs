//! The solution on cells at the nodes of the problem's own elements.
//!
//! ln J and H/J are interpolated from the centres of the four nearest cells, in ε and then in r, by the polynomial
//! through them, between centres kept within their range: J ≥ 0 and |H| ≤ J stay so. In r the cells are those of
//! the node's own element, whose edges are where the solution has kinks.

use crate::diagnostics::moments::Moments;
use crate::extremes::larger;
use crate::methods::boltzmann::inelastic::Pair;
use crate::methods::closures::Closure;
use crate::phase_space::{EnergyGrid, PhaseSpace};

use super::closed::Closed;

/// Centres that a value is interpolated from.
const STENCIL: usize = 4;
/// Of places that are the same.
const ROUNDING: f64 = 1e-12;
/// Stands for 0.
const SMALLEST: f64 = 1e-300;

/// J, H, K, L of `u`, which is at (cell, species, energy) of `cells`, at (species, energy node, radial node) of
/// `target`, with the H of the fluxes through the `faces`, at (species, energy, face).
pub fn moments_on(
    cells: &PhaseSpace,
    target: &PhaseSpace,
    closure: Closure,
    u: &[Pair],
    faces: &[[f64; 3]],
) -> Moments {
    let centres = stencils(&cells.radial.nodes, &target.radial.nodes, &target.radial.edges);
    let edges = stencils(&cells.radial.edges, &target.radial.nodes, &target.radial.edges);
    let per_cell = u.len() / cells.radial.nodes.len();
    let column = |member: usize| (member..u.len()).step_by(per_cell).map(|n| u[n]).collect();
    let densities = in_energy(cells, target, column, |stencil, pair| stencil.pair(pair));
    let fluxes = fluxes_on(cells, target, faces);
    let mut moments = Moments::default();
    for (column, flux) in densities.iter().zip(&fluxes) {
        for ((stencil, faces), r) in centres.iter().zip(&edges).zip(&target.radial.nodes) {
            let j = stencil.positive(|cell| column[cell].j);
            let most = closure.largest_flux(j).max(0.0);
            let h = faces.within(faces.sum(|face| flux[face]), |face| flux[face]) / (r * r);
            let closed = Closed::new(closure, Pair { j, h: h.clamp(-most, most) });
            moments.j.push(closed.j);
            moments.h.push(closed.h);
            moments.k.push(closed.k);
            moments.l.push(closed.l);
        }
    }
    moments
}

/// r²H at the faces of `cells`, at each (species, energy node) of `target`: what is conserved is what the faces carry,
/// and where J falls steeply part of it is the dissipation of the numerical flux, which H in the cells lacks.
fn fluxes_on(cells: &PhaseSpace, target: &PhaseSpace, faces: &[[f64; 3]]) -> Vec<Vec<f64>> {
    let edges = &cells.radial.edges;
    let column = |member: usize| faces[member * edges.len()..][..edges.len()].to_vec();
    let ratio = |stencil: &Stencil, moments: &dyn Fn(usize) -> [f64; 3]| {
        let ratio = |k: usize| if moments(k)[0] > 0.0 { moments(k)[1] / moments(k)[0] } else { 0.0 };
        stencil.positive(|k| moments(k)[0]) * stencil.within(stencil.sum(ratio), ratio)
    };
    let between =
        |stencil: &Stencil, moments: &dyn Fn(usize) -> [f64; 3]| [0.0, ratio(stencil, moments), 0.0];
    let all = in_energy(cells, target, column, between);
    all.iter().map(|column| column.iter().zip(edges).map(|(m, r)| r * r * m[1]).collect()).collect()
}

/// J, H, K at (species, energy node, element edge) of `target` from `faces`, those at (species, energy, face)
/// of `cells`, whose faces include the edges. They are what fluxes carry, and J, H/J and K/J are interpolated.
pub fn edges_on(cells: &PhaseSpace, target: &PhaseSpace, faces: &[[f64; 3]]) -> Moments {
    let all = &cells.radial.edges;
    let edges: Vec<usize> = target.radial.edges.iter().map(|&edge| nearest(all, edge)).collect();
    let column = |member: usize| edges.iter().map(|face| faces[member * all.len() + face]).collect();
    let between = |stencil: &Stencil, moments: &dyn Fn(usize) -> [f64; 3]| {
        let ratio =
            |n: usize| stencil.sum(|k| if moments(k)[0] > 0.0 { moments(k)[n] / moments(k)[0] } else { 0.0 });
        let j = stencil.positive(|k| moments(k)[0]);
        [j, j * ratio(1), j * ratio(2)]
    };
    let mut moments = Moments::default();
    for [j, h, k] in in_energy(cells, target, column, between).into_iter().flatten() {
        moments.j.push(j);
        moments.h.push(h);
        moments.k.push(k);
        moments.l.push(0.0);
    }
    moments
}

/// At each (species, energy node) of `target`: the radial `column` of (species, energy cell), interpolated by
/// `between`(stencil, value of energy cell).
fn in_energy<T: Copy>(
    cells: &PhaseSpace,
    target: &PhaseSpace,
    column: impl Fn(usize) -> Vec<T>,
    between: impl Fn(&Stencil, &dyn Fn(usize) -> T) -> T,
) -> Vec<Vec<T>> {
    let species = 0..cells.species.len();
    let (EnergyGrid::Spectral(grid), EnergyGrid::Spectral(nodes)) = (&cells.energy, &target.energy) else {
        return species.map(column).collect();
    };
    let stencils = stencils(&grid.nodes, &nodes.nodes, &[]);
    let mut all = Vec::with_capacity(species.len() * stencils.len());
    for s in species {
        let columns: Vec<Vec<T>> = (0..grid.nodes.len()).map(|k| column(s * grid.nodes.len() + k)).collect();
        for stencil in &stencils {
            all.push((0..columns[0].len()).map(|i| between(stencil, &|k| columns[k][i])).collect());
        }
    }
    all
}

/// Neighbouring centres and their weights.
struct Stencil {
    first: usize,
    weights: Vec<f64>,
    /// Whether the point is between the centres.
    inside: bool,
}

impl Stencil {
    fn sum(&self, value: impl Fn(usize) -> f64) -> f64 {
        self.weights.iter().enumerate().map(|(offset, weight)| weight * value(self.first + offset)).sum()
    }

    /// A positive value by its logarithm.
    fn positive(&self, value: impl Fn(usize) -> f64) -> f64 {
        let log = |n: usize| larger(value(n), SMALLEST).ln();
        self.within(self.sum(log), log).exp()
    }

    /// The state from ln J and H/J, which keeps the digits of a small flux.
    fn pair(&self, pair: impl Fn(usize) -> Pair) -> Pair {
        let ratio = |n: usize| if pair(n).j > 0.0 { pair(n).h / pair(n).j } else { 0.0 };
        let j = self.positive(|n| pair(n).j);
        Pair { j, h: j * self.within(self.sum(ratio), ratio).clamp(-1.0, 1.0) }
    }

    /// `interpolated`, between the centres kept within the range of their values. NaN stays NaN.
    fn within(&self, interpolated: f64, value: impl Fn(usize) -> f64) -> f64 {
        if !self.inside || interpolated.is_nan() {
            return interpolated;
        }
        let used = (self.first..self.first + self.weights.len()).map(value);
        let (low, high) = used
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
        interpolated.clamp(low, high)
    }
}

/// For each of `points`: the `centres` around it, none of them beyond the next of the increasing `limits` on
/// either side, and the weights of the polynomial through them.
fn stencils(centres: &[f64], points: &[f64], limits: &[f64]) -> Vec<Stencil> {
    let of = |&x: &f64| {
        let next = limits.partition_point(|&limit| limit <= x);
        let round = |limit: f64| ROUNDING * limit.abs();
        let low =
            next.checked_sub(1).map_or(0, |n| centres.partition_point(|&c| c < limits[n] - round(limits[n])));
        let high = limits
            .get(next)
            .map_or(centres.len(), |&limit| centres.partition_point(|&c| c <= limit + round(limit)));
        let length = STENCIL.min(high - low);
        let above = centres.partition_point(|&centre| centre < x);
        let first = above.saturating_sub(length.div_ceil(2)).clamp(low, high - length);
        let used = &centres[first..first + length];
        let weight = |own: usize| {
            let others = used.iter().enumerate().filter(|(q, _)| *q != own);
            others.map(|(_, other)| (x - other) / (used[own] - other)).product()
        };
        let inside = used[0] <= x && x <= used[length - 1];
        Stencil { first, weights: (0..length).map(weight).collect(), inside }
    };
    points.iter().map(of).collect()
}

fn nearest(sorted: &[f64], x: f64) -> usize {
    let after = sorted.partition_point(|&edge| edge < x).min(sorted.len() - 1);
    if after > 0 && x - sorted[after - 1] < sorted[after] - x { after - 1 } else { after }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phase_space::grid::NodalGrid;

    /// ln J and H/J that are polynomials of degree 3 are their own interpolation.
    #[test]
    fn cubics_are_exact() {
        let j = |x: f64| (1.0 - 2.0 * x + 0.3 * x * x - 0.1 * x.powi(3)).exp();
        let at = |x: f64| Pair { j: j(x), h: j(x) * (0.1 + 0.3 * x - 0.05 * x.powi(3)) };
        let centres = NodalGrid::new(vec![0.0, 0.1, 0.3, 0.6, 1.0, 1.5], 0).nodes;
        let column: Vec<Pair> = centres.iter().map(|&x| at(x)).collect();
        let points = [0.2, 0.33, 0.7, 1.1];
        for (stencil, x) in stencils(&centres, &points, &[]).iter().zip(points) {
            let (value, exact) = (stencil.pair(|i| column[i]), at(x));
            assert!(
                (value.j / exact.j - 1.0).abs() < 1e-12 && (value.h / exact.h - 1.0).abs() < 1e-12,
                "{x}"
            );
        }
    }

    #[test]
    fn the_bounds_hold_across_a_jump() {
        let column = [(1.0, 0.999), (1.0, 1.0), (1e-9, -1e-9), (1e-30, 0.0)].map(|(j, h)| Pair { j, h });
        for stencil in stencils(&[0.0, 1.0, 2.0, 3.0], &[0.1, 1.2, 1.7, 2.9], &[]) {
            let pair = stencil.pair(|i| column[i]);
            assert!(pair.j >= 0.0 && pair.j <= 1.0 && pair.h.abs() <= pair.j, "{pair:?}");
        }
    }

    /// A solution that failed is seen to have failed at its nodes.
    #[test]
    fn what_is_not_a_number_stays_so() {
        let stencils = stencils(&[0.0, 1.0, 2.0, 3.0], &[0.1, 1.2, 3.4], &[]);
        for wrong in [Pair { j: f64::NAN, h: f64::NAN }, Pair { j: f64::NAN, h: 0.1 }] {
            let pair = |n: usize| if n == 1 { wrong } else { Pair { j: 1.0, h: 0.5 } };
            for stencil in &stencils {
                let (one, all) = (stencil.pair(pair), stencil.pair(|_| wrong));
                assert!(one.j.is_nan() && one.h.is_nan() && all.j.is_nan() && all.h.is_nan());
            }
        }
        let pair = |n: usize| Pair { j: 1.0, h: if n == 1 { f64::NAN } else { 0.5 } };
        assert!(stencils[0].pair(pair).h.is_nan());
    }
}
