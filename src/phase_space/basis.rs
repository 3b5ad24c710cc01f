//! Lagrange polynomials on Gauss-Legendre nodes of the reference element [−1, 1].

use std::num::NonZeroUsize;

use gauss_quad::GaussLegendre;

/// Nodal basis of degree p: n = p + 1 Lagrange polynomials ℓ_i on the Gauss nodes x_i, and the
/// quadrature weights of those nodes.
#[derive(Debug, Clone, PartialEq)]
pub struct Basis {
    pub nodes: Vec<f64>,
    pub weights: Vec<f64>,
    /// ℓ_i(−1).
    pub left: Vec<f64>,
    /// ℓ_i(+1).
    pub right: Vec<f64>,
    /// w_q ℓ_i′(x_q), row i, column q: the matrix of the weak derivative's volume term.
    stiffness: Vec<f64>,
}

impl Basis {
    /// Basis of degree `degree`.
    pub fn new(degree: usize) -> Self {
        let (nodes, weights) = gauss_legendre(degree + 1);
        let at = |x: f64| -> Vec<f64> { (0..=degree).map(|i| lagrange(&nodes, i, x)).collect() };
        let (left, right) = (at(-1.0), at(1.0));
        let stiffness = (0..=degree)
            .flat_map(|i| (0..=degree).map(move |q| (i, q)))
            .map(|(i, q)| weights[q] * lagrange_derivative(&nodes, i, q))
            .collect();
        Self { nodes, weights, left, right, stiffness }
    }

    /// Number of nodes, p + 1.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Never true: a basis has at least one node.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// w_q ℓ_i′(x_q).
    pub fn stiffness(&self, i: usize, q: usize) -> f64 {
        self.stiffness[i * self.len() + q]
    }

    /// ℓ_i(x) for all i.
    pub fn evaluate(&self, x: f64) -> Vec<f64> {
        (0..self.len()).map(|i| lagrange(&self.nodes, i, x)).collect()
    }

    /// Π(x − x_i) over the nodes: what the error of interpolation is proportional to.
    pub fn nodal_product(&self, x: f64) -> f64 {
        self.nodes.iter().map(|node| x - node).product()
    }

    /// Radau polynomials (g₋(x), g₊(x)) of degree p + 1, 1 at their own end and 0 at the other, that are
    /// orthogonal to all polynomials of degree below p: g±(x) = ½[P_p(±x) + P_{p+1}(±x)]. At the nodes
    /// g₊′(x_i) = ℓ_i(1)/w_i and g₋′(x_i) = −ℓ_i(−1)/w_i: they turn an end's flux into what the weak
    /// derivative makes of it (Huynh 2007, AIAA 2007-4079).
    pub fn flux_corrections(&self, x: f64) -> (f64, f64) {
        let radau = |x: f64| {
            let (lower, upper) = legendre_pair(self.len(), x);
            0.5 * (lower + upper)
        };
        (radau(-x), radau(x))
    }

    /// Weak derivative, divided by the node weights, of a coefficient with values `inside` at the nodes
    /// and `(left, right)` at the ends of an element of width `width`: what the discrete operator makes
    /// of ∂G when f = 1,
    /// (2/(h w_i)) \[ℓ_i(1) G₊ − ℓ_i(−1) G₋ − Σ_q w_q ℓ_i′(x_q) G_q\].
    pub fn weak_derivative(&self, inside: &[f64], (left, right): (f64, f64), width: f64) -> Vec<f64> {
        (0..self.len())
            .map(|i| {
                let volume: f64 = (0..self.len()).map(|q| self.stiffness(i, q) * inside[q]).sum();
                (self.right[i] * right - self.left[i] * left - volume) * 2.0 / (width * self.weights[i])
            })
            .collect()
    }
}

/// Gauss-Legendre nodes (increasing) and weights on [−1, 1], made symmetric to the last bit so that
/// μ → −μ maps nodes onto nodes.
pub fn gauss_legendre(count: usize) -> (Vec<f64>, Vec<f64>) {
    let Some(degree) = NonZeroUsize::new(count) else { return (Vec::new(), Vec::new()) };
    let mut pairs: Vec<(f64, f64)> =
        GaussLegendre::new(degree).iter().map(|(node, weight)| (*node, *weight)).collect();
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mirrored = |i: usize| pairs[count - 1 - i];
    let symmetric = |i: usize| (0.5 * (pairs[i].0 - mirrored(i).0), 0.5 * (pairs[i].1 + mirrored(i).1));
    (0..count).map(symmetric).unzip()
}

/// Legendre polynomials P_{n−1}(x) and P_n(x), n ≥ 1.
fn legendre_pair(n: usize, x: f64) -> (f64, f64) {
    (1..n)
        .map(|k| k as f64)
        .fold((1.0, x), |(lower, upper), k| (upper, ((2.0 * k + 1.0) * x * upper - k * lower) / (k + 1.0)))
}

/// ℓ_i(x).
fn lagrange(nodes: &[f64], i: usize, x: f64) -> f64 {
    nodes
        .iter()
        .enumerate()
        .filter(|&(m, _)| m != i)
        .map(|(_, &node)| (x - node) / (nodes[i] - node))
        .product()
}

/// ℓ_i′(x_q).
fn lagrange_derivative(nodes: &[f64], i: usize, q: usize) -> f64 {
    let without_factor = |skipped: usize| -> f64 {
        let product: f64 = (0..nodes.len())
            .filter(|&m| m != i && m != skipped)
            .map(|m| (nodes[q] - nodes[m]) / (nodes[i] - nodes[m]))
            .product();
        product / (nodes[i] - nodes[skipped])
    };
    (0..nodes.len()).filter(|&m| m != i).map(without_factor).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    #[test]
    fn quadrature_is_exact_to_degree_two_n_minus_one() {
        for count in 1..=8 {
            let (nodes, weights) = gauss_legendre(count);
            for power in 0..2 * count as i32 {
                let sum: f64 = nodes.iter().zip(&weights).map(|(x, w)| w * x.powi(power)).sum();
                let exact = if power % 2 == 0 { 2.0 / f64::from(power + 1) } else { 0.0 };
                assert_relative_eq!(sum, exact, epsilon = 4e-15);
            }
        }
    }

    #[test]
    fn weak_derivative_of_a_polynomial_is_its_derivative() {
        for degree in 1..=5 {
            let basis = Basis::new(degree);
            let power = degree as i32 + 1;
            let (low, width) = (0.3, 1.7);
            let x: Vec<f64> = basis.nodes.iter().map(|n| low + 0.5 * width * (n + 1.0)).collect();
            let values: Vec<f64> = x.iter().map(|x| x.powi(power)).collect();
            let ends = (low.powi(power), (low + width).powi(power));
            for (d, x) in basis.weak_derivative(&values, ends, width).iter().zip(&x) {
                assert_relative_eq!(*d, f64::from(power) * x.powi(power - 1), max_relative = 1e-12);
            }
        }
    }

    /// With the corrections, the derivative of the completed polynomial is the weak derivative.
    #[test]
    fn completed_flux_has_the_weak_derivative() {
        for degree in 0..=5 {
            let basis = Basis::new(degree);
            let inside: Vec<f64> = (0..=degree).map(|i| (1.0 + 3.0 * i as f64).sin()).collect();
            let (left, right) = (0.7, -0.4);
            let completed = |x: f64| -> f64 {
                let at = |l: &[f64]| -> f64 { l.iter().zip(&inside).map(|(l, f)| l * f).sum() };
                let (lower, upper) = basis.flux_corrections(x);
                at(&basis.evaluate(x)) + (left - at(&basis.left)) * lower + (right - at(&basis.right)) * upper
            };
            assert_relative_eq!(completed(-1.0), left, epsilon = 1e-12);
            assert_relative_eq!(completed(1.0), right, epsilon = 1e-12);
            let weak = basis.weak_derivative(&inside, (left, right), 2.0);
            for (weak, &x) in weak.iter().zip(&basis.nodes) {
                let step = 1e-4;
                let slope = (completed(x + step) - completed(x - step)) / (2.0 * step);
                assert_relative_eq!(slope, *weak, epsilon = 1e-5);
            }
        }
    }

    #[test]
    fn interpolation_reproduces_polynomials() {
        let basis = Basis::new(3);
        let polynomial = |x: f64| 1.0 - 2.0 * x + 0.5 * x.powi(3);
        let value: f64 = basis.evaluate(0.37).iter().zip(&basis.nodes).map(|(l, &x)| l * polynomial(x)).sum();
        assert_relative_eq!(value, polynomial(0.37), max_relative = 1e-14);
    }
}
