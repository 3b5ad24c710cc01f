//! Spheres that scatter (P2), through the equivalence with a slab: with κ_t = κ + σ and the source
//! q = κ f_eq + σJ, r J(r) = ½∫₀^R [E₁(κ_t|r−r′|) − E₁(κ_t(r+r′))] q(r′) r′ dr′ (Davison 1957, Neutron
//! Transport Theory). Solved with piecewise polynomials on elements graded toward the surface, where J has
//! a singularity (R−r) ln(R−r); f follows by the formal solution along straight rays.

use super::linear::solve;
use super::quadrature::{integral, integrate, rule_nodes};
use super::{Background, Direction, Exact, Radiation};

/// Nodes of each element.
const NODES: usize = 12;

/// Radius 1, f_eq = 1.
pub struct ScatteringSphere {
    absorption: f64,
    scattering: f64,
    edges: Vec<f64>,
    /// J at the nodes of the elements.
    j: Vec<f64>,
}

pub fn exact(problem: &str) -> Option<Exact> {
    match problem {
        "scattering_sphere" => Some(Exact::gray(Background::flat(), ScatteringSphere::new(1.0, 9.0))),
        "scattering_sphere_thick" => Some(Exact::gray(Background::flat(), ScatteringSphere::new(1.0, 99.0))),
        _ => None,
    }
}

/// E₁(x) = ∫ₓ^∞ e^{−t}/t dt by its series, and by a continued fraction beyond 1.
pub fn exponential_integral(x: f64) -> f64 {
    const EULER: f64 = 0.577_215_664_901_532_9;
    if x <= 1.0 {
        let (mut sum, mut term) = (-EULER - x.ln(), 1.0);
        for k in 1..24 {
            term *= -x / f64::from(k);
            sum -= term / f64::from(k);
        }
        return sum;
    }
    // 1/(x+1 − 1/(x+3 − 4/(x+5 − …))), from the inside out.
    let fraction = (1..=60).rev().fold(0.0, |tail, k| f64::from(k * k) / (x + f64::from(2 * k + 1) - tail));
    (-x).exp() / (x + 1.0 - fraction)
}

impl ScatteringSphere {
    pub fn new(absorption: f64, scattering: f64) -> Self {
        let mut edges = vec![0.0, 0.15, 0.3, 0.4, 0.5, 0.6, 0.7];
        edges.extend((0..24).map(|k| 1.0 - 0.2 * 0.4f64.powi(k)));
        edges.push(1.0);
        let mut sphere = Self { absorption, scattering, edges, j: Vec::new() };
        sphere.j = sphere.solution();
        sphere
    }

    fn elements(&self) -> usize {
        self.edges.len() - 1
    }

    fn node(&self, element: usize, node: usize) -> f64 {
        let (start, end) = (self.edges[element], self.edges[element + 1]);
        0.5 * (start + end) + 0.5 * (end - start) * rule_nodes()[node].0
    }

    /// Values at `r` of the Lagrange polynomials of the nodes of `element`.
    fn lagrange(&self, element: usize, r: f64) -> [f64; NODES] {
        let (start, end) = (self.edges[element], self.edges[element + 1]);
        let x = (2.0 * r - start - end) / (end - start);
        let nodes = rule_nodes();
        std::array::from_fn(|j| {
            let others = (0..NODES).filter(|&k| k != j);
            others.map(|k| (x - nodes[k].0) / (nodes[j].0 - nodes[k].0)).product()
        })
    }

    /// ∫ over `element` of the kernel at `r` times each Lagrange polynomial.
    fn kernel(&self, r: f64, element: usize) -> [f64; NODES] {
        let total = self.absorption + self.scattering;
        let (start, end) = (self.edges[element], self.edges[element + 1]);
        let integrand = |s: f64| {
            let near = exponential_integral((total * (r - s).abs()).max(1e-300));
            let factor = 0.5 * s / r * (near - exponential_integral(total * (r + s)));
            self.lagrange(element, s).map(|l| factor * l)
        };
        let breaks = if start < r && r < end { vec![start, r, end] } else { vec![start, end] };
        // Distances in narrow elements have few digits, but count for little.
        let tolerance = (1e-13 / (total * (end - start))).clamp(1e-12, 1e-4);
        integrate(&integrand, &breaks, tolerance)
    }

    /// J − ∫ kernel σ J = ∫ kernel κ f_eq at all nodes.
    fn solution(&self) -> Vec<f64> {
        let size = self.elements() * NODES;
        let (mut matrix, mut right) = (vec![0.0; size * size], vec![0.0; size]);
        for row in 0..size {
            let r = self.node(row / NODES, row % NODES);
            matrix[row * size + row] = 1.0;
            for element in 0..self.elements() {
                for (j, weight) in self.kernel(r, element).into_iter().enumerate() {
                    matrix[row * size + element * NODES + j] -= self.scattering * weight;
                    right[row] += self.absorption * weight;
                }
            }
        }
        solve(matrix, right)
    }

    /// J inside.
    pub fn j(&self, r: f64) -> f64 {
        let element = self.edges.partition_point(|&edge| edge <= r).clamp(1, self.elements()) - 1;
        let values = &self.j[element * NODES..(element + 1) * NODES];
        self.lagrange(element, r).iter().zip(values).map(|(l, j)| l * j).sum()
    }

    /// r²H outside, by conservation: ∫ κ (f_eq − J) r² dr.
    pub fn escaping(&self) -> f64 {
        integral(|r| self.absorption * (1.0 - self.j(r)) * r * r, &self.edges, 1e-13)
    }
}

impl Radiation for ScatteringSphere {
    fn f(&self, r: f64, direction: Direction, _: f64, _: f64) -> f64 {
        let total = self.absorption + self.scattering;
        let impact = r * direction.sine;
        if impact >= 1.0 || (r > 1.0 && direction.cosine < 0.0) {
            return 0.0;
        }
        let half = (1.0 - impact * impact).sqrt();
        let here = (r * direction.cosine).min(half);
        let depth = here + half;
        // Positions are measured from the middle of the chord.
        let integrand = |s: f64| {
            let source = self.absorption + self.scattering * self.j((here - s).hypot(impact).min(1.0));
            source * (-total * s).exp()
        };
        let mut breaks: Vec<f64> =
            [0.0, 1.0, 3.0, 7.0, 15.0, 40.0].map(|tau| (tau / total).min(depth)).into();
        if (0.0..breaks[5]).contains(&here) {
            breaks.push(here);
        }
        breaks.sort_by(f64::total_cmp);
        breaks.dedup();
        integral(integrand, &breaks, 1e-12)
    }

    fn energy_moments(&self, r: f64, direction: Direction, time: f64) -> [f64; 4] {
        [self.f(r, direction, 1.0, time); 4]
    }

    fn tolerance(&self) -> f64 {
        1e-10
    }

    fn kinks(&self, r: f64, _: f64) -> Vec<f64> {
        if r > 1.0 { vec![(1.0 / r).asin()] } else { Vec::new() }
    }
}
