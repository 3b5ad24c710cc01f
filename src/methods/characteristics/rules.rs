//! Quadrature and interpolation rules: Gauss with running integrals, Gauss-Kronrod, Chebyshev.

use std::f64::consts::PI;

use crate::phase_space::basis::gauss_legendre;

/// Nodes of the rule that legs of rays are integrated with.
pub const GAUSS: usize = 8;
/// Chebyshev nodes that panels interpolate with.
pub const CHEBYSHEV: usize = 10;

/// Gauss-Legendre on [0, 1] with the running integral of the interpolating polynomial.
#[derive(Debug, Clone)]
pub struct GaussRule {
    pub nodes: [f64; GAUSS],
    pub weights: [f64; GAUSS],
    /// ∫₀^{x_i} ℓ_j dx, row i.
    running: [[f64; GAUSS]; GAUSS],
    /// Rows that give the two highest Legendre coefficients of the interpolating polynomial.
    highest: [[f64; GAUSS]; 2],
}

impl GaussRule {
    /// The rule with [`GAUSS`] nodes.
    pub fn new() -> Self {
        let (x, w) = gauss_legendre(GAUSS);
        let legendre: Vec<Vec<f64>> = x.iter().map(|&x| legendre_up_to(GAUSS, x)).collect();
        let coefficient = |k: usize, j: usize| 0.5 * (2 * k + 1) as f64 * w[j] * legendre[j][k];
        // ∫_{−1}^{x} P_k = (P_{k+1} − P_{k−1})/(2k+1), and x + 1 for k = 0.
        let integral = |k: usize, i: usize| match k {
            0 => x[i] + 1.0,
            _ => (legendre[i][k + 1] - legendre[i][k - 1]) / (2 * k + 1) as f64,
        };
        let mut rule = Self {
            nodes: [0.0; GAUSS],
            weights: [0.0; GAUSS],
            running: [[0.0; GAUSS]; GAUSS],
            highest: [[0.0; GAUSS]; 2],
        };
        for i in 0..GAUSS {
            rule.nodes[i] = 0.5 * (1.0 + x[i]);
            rule.weights[i] = 0.5 * w[i];
            for j in 0..GAUSS {
                rule.running[i][j] =
                    0.5 * (0..GAUSS).map(|k| coefficient(k, j) * integral(k, i)).sum::<f64>();
            }
            rule.highest[0][i] = coefficient(GAUSS - 2, i);
            rule.highest[1][i] = coefficient(GAUSS - 1, i);
        }
        rule
    }

    /// ∫₀¹ of the values at the nodes.
    pub fn integral(&self, values: &[f64; GAUSS]) -> f64 {
        self.weights.iter().zip(values).map(|(w, g)| w * g).sum()
    }

    /// ∫₀^{x_i} for every node.
    pub fn running(&self, values: &[f64; GAUSS]) -> [f64; GAUSS] {
        self.running.map(|row| row.iter().zip(values).map(|(a, g)| a * g).sum())
    }

    /// Sum of the magnitudes of the two highest Legendre coefficients: how far the values are from being
    /// resolved. The rule itself is exact to twice that degree, so its own error is about the square.
    pub fn roughness(&self, values: &[f64; GAUSS]) -> f64 {
        self.highest.iter().map(|row| row.iter().zip(values).map(|(a, g)| a * g).sum::<f64>().abs()).sum()
    }
}

/// P_0 … P_n at x.
fn legendre_up_to(n: usize, x: f64) -> Vec<f64> {
    let mut values = vec![1.0, x];
    for k in 1..n {
        let k1 = k as f64;
        values.push(((2.0 * k1 + 1.0) * x * values[k] - k1 * values[k - 1]) / (k1 + 1.0));
    }
    values
}

/// Nodes of the 15-point Kronrod rule on [0, 1] side of [−1, 1], weights, and those of the embedded
/// 7-point Gauss rule (Piessens et al. 1983, QUADPACK).
const KRONROD: [(f64, f64, f64); 8] = [
    (0.991_455_371_120_812_6, 0.022_935_322_010_529_224, 0.0),
    (0.949_107_912_342_758_5, 0.063_092_092_629_978_55, 0.129_484_966_168_869_7),
    (0.864_864_423_359_769_1, 0.104_790_010_322_250_18, 0.0),
    (0.741_531_185_599_394_4, 0.140_653_259_715_525_92, 0.279_705_391_489_276_67),
    (0.586_087_235_467_691_1, 0.169_004_726_639_267_9, 0.0),
    (0.405_845_151_377_397_2, 0.190_350_578_064_785_42, 0.381_830_050_505_118_9),
    (0.207_784_955_007_898_47, 0.204_432_940_075_298_9, 0.0),
    (0.0, 0.209_482_141_084_727_82, 0.417_959_183_673_469_4),
];

/// (node, Kronrod weight, Gauss weight) of the 15-point rule on [−1, 1].
pub fn kronrod() -> [(f64, f64, f64); 15] {
    std::array::from_fn(|i| match i {
        0..8 => (-KRONROD[i].0, KRONROD[i].1, KRONROD[i].2),
        _ => KRONROD[14 - i],
    })
}

/// Interpolation on Chebyshev points of the first kind: no node lies on an end, where coefficients may
/// jump.
#[derive(Debug, Clone)]
pub struct Chebyshev {
    /// On [−1, 1], ascending.
    pub nodes: [f64; CHEBYSHEV],
    /// Barycentric weights (−1)^i sin θ_i.
    factors: [f64; CHEBYSHEV],
}

impl Chebyshev {
    /// Interpolation on [`CHEBYSHEV`] nodes.
    pub fn new() -> Self {
        let angle = |i: usize| PI * (2 * i + 1) as f64 / (2 * CHEBYSHEV) as f64;
        Self {
            nodes: std::array::from_fn(|i| -angle(i).cos()),
            factors: std::array::from_fn(|i| if i % 2 == 0 { angle(i).sin() } else { -angle(i).sin() }),
        }
    }

    /// Values of the Lagrange polynomials at x.
    pub fn weights(&self, x: f64) -> [f64; CHEBYSHEV] {
        let mut weights = [0.0; CHEBYSHEV];
        let mut sum = 0.0;
        for (i, weight) in weights.iter_mut().enumerate() {
            let distance = x - self.nodes[i];
            if distance == 0.0 {
                return std::array::from_fn(|m| if m == i { 1.0 } else { 0.0 });
            }
            *weight = self.factors[i] / distance;
            sum += *weight;
        }
        let scale = 1.0 / sum;
        weights.map(|w| w * scale)
    }

    /// Points between the nodes.
    pub fn between(&self) -> [f64; CHEBYSHEV - 1] {
        std::array::from_fn(|i| 0.5 * (self.nodes[i] + self.nodes[i + 1]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn running_integrals_are_exact_for_polynomials() {
        let rule = GaussRule::new();
        let values = rule.nodes.map(|x| 1.0 + 3.0 * x * x - 8.0 * x.powi(7));
        for (x, integral) in rule.nodes.iter().zip(rule.running(&values)) {
            assert!((integral - (x + x.powi(3) - x.powi(8))).abs() < 1e-14);
        }
        assert!((rule.integral(&values) - 1.0).abs() < 1e-14);
        assert!(rule.roughness(&rule.nodes.map(|x| 1.0 + x.powi(5))) < 1e-14);
        assert!(rule.roughness(&values) > 1e-4);
    }

    #[test]
    fn kronrod_is_exact_to_degree_22_and_gauss_to_13() {
        for power in 0..=22 {
            let exact = if power % 2 == 0 { 2.0 / f64::from(power + 1) } else { 0.0 };
            let sum: f64 = kronrod().iter().map(|(x, w, _)| w * x.powi(power)).sum();
            assert!((sum - exact).abs() < 1e-14, "{power}: {sum}");
            let gauss: f64 = kronrod().iter().map(|(x, _, w)| w * x.powi(power)).sum();
            assert!(power > 13 || (gauss - exact).abs() < 1e-14, "{power}: {gauss}");
        }
    }

    #[test]
    fn chebyshev_interpolation_reproduces_polynomials() {
        let rule = Chebyshev::new();
        let p = |x: f64| 1.0 - x + 2.0 * x.powi(9);
        for x in [-1.0, -0.3, 0.77, 1.0, rule.nodes[3]] {
            let value: f64 = rule.weights(x).iter().zip(rule.nodes).map(|(w, x)| w * p(x)).sum();
            assert!((value - p(x)).abs() < 1e-13);
        }
    }
}
