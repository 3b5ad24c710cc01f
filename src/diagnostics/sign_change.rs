//! Where a piecewise polynomial changes its sign, and its integrals over the parts of either sign.
//!
//! A discrete angular distribution is a polynomial on each element of the angular grid. Its zeros lie
//! between the nodes, so that sums over positive and negative nodes would miss up to half a node's weight
//! on either side; here every element is cut at its zeros, and each part is integrated exactly.

use crate::phase_space::basis::Basis;
use crate::phase_space::grid::NodalGrid;

/// Halvings that bring an interval of the reference element to round-off.
const HALVINGS: usize = 60;

/// Integrals of a function over where it is positive and where it is negative, and the places between.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SignParts {
    /// ∫ over g > 0, ≥ 0.
    pub positive: f64,
    /// ∫ over g < 0, ≤ 0.
    pub negative: f64,
    /// Where the sign changes, ascending; at an element's edge where g jumps over 0.
    pub changes: Vec<f64>,
}

/// A part of one sign: its ends and its integral.
struct Part {
    from: f64,
    to: f64,
    integral: f64,
}

impl SignParts {
    /// Parts of the function with the values `values` at the nodes of `grid`. A part whose integral is at
    /// most `negligible` in magnitude is taken for round-off: it makes no change of sign.
    pub fn new(grid: &NodalGrid, values: &[f64], negligible: f64) -> Self {
        let mut parts = Self::default();
        let mut last: Option<Part> = None;
        for part in (0..grid.elements()).flat_map(|element| element_parts(grid, element, values)) {
            parts.positive += part.integral.max(0.0);
            parts.negative += part.integral.min(0.0);
            let counts = part.integral.abs() > negligible;
            if let Some(last) = last.as_ref().filter(|last| counts && last.integral * part.integral < 0.0) {
                parts.changes.push(0.5 * (last.to + part.from));
            }
            last = if counts { Some(part) } else { last };
        }
        parts
    }
}

/// The parts of one element between its zeros.
fn element_parts(grid: &NodalGrid, element: usize, values: &[f64]) -> Vec<Part> {
    let inside = &values[grid.range(element)];
    let (start, half) = (grid.edges[element], 0.5 * grid.width(element));
    let mut cuts = vec![-1.0];
    cuts.extend(zeros(&grid.basis, inside));
    cuts.push(1.0);
    // An edge stays what it is to the last bit.
    let place = |x: f64| if x < 1.0 { start + half * (x + 1.0) } else { grid.edges[element + 1] };
    let part = |pair: &[f64]| Part {
        from: place(pair[0]),
        to: place(pair[1]),
        integral: half * integral(&grid.basis, inside, (pair[0], pair[1])),
    };
    cuts.windows(2).map(part).collect()
}

/// Places in (−1, 1) where the polynomial with the values `values` at the nodes changes sign, ascending:
/// it is monotonic between the zeros of its derivative, which are found in the same way.
fn zeros(basis: &Basis, values: &[f64]) -> Vec<f64> {
    let mut derivatives = vec![values.to_vec()];
    for order in 1..basis.len() {
        let next = derivative(basis, &derivatives[order - 1]);
        derivatives.push(next);
    }
    let mut zeros: Vec<f64> = Vec::new();
    for values in derivatives.iter().rev() {
        let ends: Vec<f64> = [-1.0].into_iter().chain(zeros).chain([1.0]).collect();
        zeros = ends.windows(2).filter_map(|pair| zero_between(basis, values, (pair[0], pair[1]))).collect();
    }
    zeros
}

/// The derivative at the nodes, Σ_i g_i ℓ_i′(x_q).
fn derivative(basis: &Basis, values: &[f64]) -> Vec<f64> {
    let at = |q: usize| -> f64 {
        values.iter().enumerate().map(|(i, v)| v * basis.stiffness(i, q)).sum::<f64>() / basis.weights[q]
    };
    (0..basis.len()).map(at).collect()
}

/// The zero of a polynomial that is monotonic in the interval, by bisection; none where it has one sign.
fn zero_between(basis: &Basis, values: &[f64], (mut low, mut high): (f64, f64)) -> Option<f64> {
    let is_negative = |x: f64| value(basis, values, x) < 0.0;
    let at_low = is_negative(low);
    if at_low == is_negative(high) {
        return None;
    }
    for _ in 0..HALVINGS {
        let middle = 0.5 * (low + high);
        if is_negative(middle) == at_low { low = middle } else { high = middle }
    }
    Some(0.5 * (low + high))
}

fn value(basis: &Basis, values: &[f64], x: f64) -> f64 {
    basis.evaluate(x).iter().zip(values).map(|(l, v)| l * v).sum()
}

/// ∫ over part of the reference element: the element's own Gauss rule, exact for its polynomial.
fn integral(basis: &Basis, values: &[f64], (low, high): (f64, f64)) -> f64 {
    let (middle, half) = (0.5 * (low + high), 0.5 * (high - low));
    let terms = basis.nodes.iter().zip(&basis.weights);
    half * terms.map(|(x, w)| w * value(basis, values, middle + half * x)).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    fn parts(degree: usize, edges: &[f64], g: impl Fn(f64) -> f64) -> SignParts {
        let grid = NodalGrid::new(edges.to_vec(), degree);
        let values: Vec<f64> = grid.nodes.iter().map(|&x| g(x)).collect();
        SignParts::new(&grid, &values, 1e-13)
    }

    /// g = x − a: ∫ over g > 0 is (1 − a)²/2, over g < 0 −(1 + a)²/2.
    #[test]
    fn a_line_is_split_at_its_zero() {
        for a in [-0.93, -0.2, 0.0, 0.37, 0.71] {
            for degree in 1..=4 {
                let found = parts(degree, &[-1.0, -0.4, 0.0, 1.0], |x| x - a);
                assert_relative_eq!(found.positive, 0.5 * (1.0 - a) * (1.0 - a), max_relative = 1e-13);
                assert_relative_eq!(found.negative, -0.5 * (1.0 + a) * (1.0 + a), max_relative = 1e-13);
                assert_eq!(found.changes.len(), 1);
                assert_relative_eq!(found.changes[0], a, epsilon = 1e-14);
            }
        }
    }

    /// g = (x + ½)(x − ⅕)(x − ⅘), whose antiderivative is elementary.
    #[test]
    fn a_cubic_is_split_at_three_zeros() {
        let found = parts(3, &[-1.0, 0.0, 1.0], |x| (x + 0.5) * (x - 0.2) * (x - 0.8));
        let antiderivative = |x: f64| x.powi(4) / 4.0 - x.powi(3) / 6.0 - 0.17 * x * x + 0.08 * x;
        let between = |a: f64, b: f64| antiderivative(b) - antiderivative(a);
        let zeros = [-0.5, 0.2, 0.8];
        assert_eq!(found.changes.len(), 3);
        for (found, exact) in found.changes.iter().zip(zeros) {
            assert_relative_eq!(*found, exact, epsilon = 1e-13);
        }
        assert_relative_eq!(found.positive, between(-0.5, 0.2) + between(0.8, 1.0), max_relative = 1e-12);
        assert_relative_eq!(found.negative, between(-1.0, -0.5) + between(0.2, 0.8), max_relative = 1e-12);
    }

    #[test]
    fn a_step_changes_sign_at_the_edge() {
        let found = parts(2, &[-1.0, 0.3, 1.0], |x| if x < 0.3 { -2.0 } else { 5.0 });
        assert_eq!(found.changes, [0.3]);
        assert_relative_eq!(found.positive, 3.5, max_relative = 1e-14);
        assert_relative_eq!(found.negative, -2.6, max_relative = 1e-14);
    }

    #[test]
    fn one_sign_a_touching_zero_nothing_and_round_off_have_no_change() {
        let edges = [-1.0, 0.0, 1.0];
        assert_eq!(parts(2, &edges, |_| 3.0).changes, [0.0; 0]);
        assert_eq!(parts(2, &edges, |x| (x - 0.3) * (x - 0.3)).changes, [0.0; 0]);
        assert_eq!(parts(0, &edges, |_| 0.0), SignParts::default());
        let noisy = parts(2, &edges, |x| if x < 0.0 { -1e-15 } else { 1.0 });
        assert_eq!(noisy.changes, [0.0; 0]);
        // Between two parts that count lies one that does not.
        let gap = parts(0, &[-1.0, -0.2, 0.2, 1.0], |x| if x.abs() < 0.2 { 1e-15 } else { x });
        assert_eq!(gap.changes.len(), 1);
        assert_relative_eq!(gap.changes[0], 0.0, epsilon = 1e-15);
    }

    #[test]
    fn an_inflection_at_zero_is_one_change() {
        let found = parts(3, &[-1.0, 1.0], |x| x.powi(3));
        assert_eq!(found.changes.len(), 1);
        assert_relative_eq!(found.positive, 0.25, max_relative = 1e-13);
    }
}
