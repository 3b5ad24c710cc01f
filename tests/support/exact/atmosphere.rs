//! Expanding atmosphere with an absorption edge (P8): the formal solution along straight rays with
//! Doppler-shifted coefficients.

use std::f64::consts::PI;

use super::quadrature::{integrate, rule_nodes};
use super::{Background, DIMENSIONLESS, Direction, Exact, Radiation};

/// Where absorption ends and the velocity stays.
const OUTER: f64 = 11.0;
/// The edge in energy.
const EDGE: f64 = 3.0;

pub fn exact(problem: &str) -> Option<Exact> {
    let background = Background::flat().moving(velocity);
    (problem == "expanding_atmosphere").then(|| Exact::spectral(background, DIMENSIONLESS, Atmosphere))
}

struct Atmosphere;

fn velocity(r: f64) -> f64 {
    0.03 * (r.clamp(1.0, OUTER) - 1.0)
}

fn planck(energy: f64) -> f64 {
    1.0 / energy.exp_m1()
}

fn absorption(r: f64, energy: f64) -> f64 {
    let above = 10.0;
    let bump = (-((energy - EDGE) / 0.2).powi(2)).exp();
    10.9989 / (r * r) * if energy > EDGE { above } else { above * bump + 1.0 - bump }
}

/// A straight ray: impact parameter and energy of static observers.
struct Ray {
    impact: f64,
    energy: f64,
}

impl Ray {
    fn radius(&self, x: f64) -> f64 {
        x.hypot(self.impact)
    }

    /// ε/E of the fluid at the position `x` along the ray.
    fn doppler(&self, x: f64) -> f64 {
        let r = self.radius(x);
        let v = velocity(r);
        (1.0 - v * x / r) / (1.0 - v * v).sqrt()
    }

    /// f after the piece from `start` to `end`, f = `before` at its start.
    fn cross(&self, start: f64, end: f64, before: f64, depth: usize) -> f64 {
        let middle = 0.5 * (start + end);
        let whole = self.step(start, end, before);
        let halves = self.step(middle, end, self.step(start, middle, before));
        if depth == 30 || (whole - halves).abs() <= 1e-10 * halves.abs() {
            return halves;
        }
        self.cross(middle, end, self.cross(start, middle, before, depth + 1), depth + 1)
    }

    /// One step of the formal solution, with the optical depth between nodes by Gauss quadrature.
    fn step(&self, start: f64, end: f64, before: f64) -> f64 {
        let half = 0.5 * (end - start);
        let opacity = |x: f64| {
            let shift = self.doppler(x);
            (shift * absorption(self.radius(x), shift * self.energy), planck(shift * self.energy))
        };
        let nodes: Vec<(f64, f64)> =
            rule_nodes().iter().map(|(x, _)| opacity(start + half * (1.0 + x))).collect();
        let depths = cumulative(&nodes.iter().map(|(kappa, _)| half * kappa).collect::<Vec<_>>());
        let total = depths[nodes.len()];
        let emitted: f64 = (0..nodes.len())
            .map(|i| half * rule_nodes()[i].1 * nodes[i].0 * nodes[i].1 * (depths[i] - total).exp())
            .sum();
        before * (-total).exp() + emitted
    }

    /// Positions between `start` and `end` where the fluid sees the edge.
    fn edges(&self, start: f64, end: f64) -> Vec<f64> {
        let above = |x: f64| self.doppler(x) * self.energy > EDGE;
        let count = 64;
        let at = |i: usize| start + (end - start) * i as f64 / f64::from(count);
        (0..count as usize)
            .filter(|&i| above(at(i)) != above(at(i + 1)))
            .map(|i| {
                let (mut lower, mut upper) = (at(i), at(i + 1));
                for _ in 0..60 {
                    let middle = 0.5 * (lower + upper);
                    if above(middle) == above(at(i)) { lower = middle } else { upper = middle }
                }
                0.5 * (lower + upper)
            })
            .collect()
    }
}

/// ∫ from −1 of the polynomial through `values` at the Gauss nodes, to each node and to 1.
fn cumulative(values: &[f64]) -> Vec<f64> {
    use std::sync::LazyLock;
    static MATRIX: LazyLock<Vec<Vec<f64>>> = LazyLock::new(|| {
        let nodes = rule_nodes();
        let ends = nodes.iter().map(|n| n.0).chain([1.0]);
        let lagrange = |j: usize, x: f64| -> f64 {
            let others = (0..nodes.len()).filter(|&k| k != j);
            others.map(|k| (x - nodes[k].0) / (nodes[j].0 - nodes[k].0)).product()
        };
        ends.map(|end| {
            let half = 0.5 * (end + 1.0);
            let row =
                |j: usize| nodes.iter().map(|(x, w)| half * w * lagrange(j, -1.0 + half * (1.0 + x))).sum();
            (0..nodes.len()).map(row).collect()
        })
        .collect()
    });
    MATRIX.iter().map(|row| row.iter().zip(values).map(|(m, v)| m * v).sum()).collect()
}

/// Where the absorbing part of the ray back from `x` starts, where it ends, and whether at the core.
fn span(impact: f64, x: f64) -> Option<(f64, f64, bool)> {
    if impact >= OUTER {
        return None;
    }
    let half = (OUTER * OUTER - impact * impact).sqrt();
    let from_core = impact < 1.0 && x > 0.0;
    let start = if from_core { (1.0 - impact * impact).sqrt() } else { -half };
    (x > start).then(|| (start, x.min(half), from_core))
}

impl Radiation for Atmosphere {
    fn f(&self, r: f64, direction: Direction, energy: f64, _: f64) -> f64 {
        let ray = Ray { impact: r * direction.sine, energy };
        let here = r * direction.cosine;
        let Some((start, end, from_core)) = span(ray.impact, here) else {
            // At the core itself.
            return if r <= 1.0 && here > 0.0 { planck(energy) } else { 0.0 };
        };
        let mut breaks = ray.edges(start, end);
        breaks.extend([start, end]);
        if start < 0.0 && 0.0 < end {
            breaks.push(0.0);
        }
        breaks.sort_by(f64::total_cmp);
        let before = if from_core { planck(energy) } else { 0.0 };
        breaks.windows(2).fold(before, |f, ends| ray.cross(ends[0], ends[1], f, 0))
    }

    fn energy_moments(&self, r: f64, direction: Direction, time: f64) -> [f64; 4] {
        let impact = r * direction.sine;
        let Some((start, end, _)) = span(impact, r * direction.cosine) else { return [0.0; 4] };
        let ray = Ray { impact, energy: 1.0 };
        let mut breaks = vec![0.0, 1.0, 2.0, 4.0, 6.0, 10.0, 20.0, 50.0];
        breaks.extend([start, end].map(|x| EDGE / ray.doppler(x)));
        breaks.sort_by(f64::total_cmp);
        let integrand = |energy: f64| {
            let f = self.f(r, direction, energy, time);
            [2, 3, 4, 5].map(|n| energy.powi(n) * f)
        };
        integrate(&integrand, &breaks, 1e-8)
    }

    fn tolerance(&self) -> f64 {
        1e-7
    }

    fn kinks(&self, r: f64, _: f64) -> Vec<f64> {
        let sines = [1.0 / r, OUTER / r];
        sines.iter().filter(|s| **s < 1.0).flat_map(|s| [s.asin(), PI - s.asin()]).collect()
    }
}
