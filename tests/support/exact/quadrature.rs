//! Adaptive Gauss-Legendre quadrature of several integrands at once.

use std::sync::LazyLock;

use gauss_quad::legendre::GaussLegendre;

const NODES: usize = 12;
static RULE: LazyLock<Vec<(f64, f64)>> =
    LazyLock::new(|| GaussLegendre::new(NODES.try_into().unwrap()).iter().map(|(x, w)| (*x, *w)).collect());

/// Nodes on (−1, 1) and weights of the rule.
pub fn rule_nodes() -> &'static [(f64, f64)] {
    &RULE
}

/// ∫ f over the pieces between consecutive `breaks`, each halved until its halves agree with it to
/// `tolerance` of the integral of |f|. Singular derivatives at breaks cost bisections only.
///
/// # Panics
/// Where that takes more than [`MOST`] halvings: f has noise above the tolerance.
pub fn integrate<const N: usize>(f: &impl Fn(f64) -> [f64; N], breaks: &[f64], tolerance: f64) -> [f64; N] {
    let pieces: Vec<([f64; N], [f64; N])> = breaks.windows(2).map(|ends| rule(f, ends[0], ends[1])).collect();
    let mut scale = pieces.iter().fold([0.0; N], |sum, piece| add(sum, piece.1));
    let mut total = [0.0; N];
    let mut halvings = 0;
    for (ends, (whole, _)) in breaks.windows(2).zip(pieces) {
        let piece = Piece { start: ends[0], end: ends[1], whole, depth: 0 };
        total = add(total, piece.refined(f, tolerance, &mut scale, &mut halvings));
    }
    total
}

/// [`integrate`] of one function over one interval.
pub fn integral(f: impl Fn(f64) -> f64, breaks: &[f64], tolerance: f64) -> f64 {
    integrate(&|x| [f(x)], breaks, tolerance)[0]
}

struct Piece<const N: usize> {
    start: f64,
    end: f64,
    whole: [f64; N],
    depth: usize,
}

const DEEPEST: usize = 40;
const MOST: usize = 20_000;

impl<const N: usize> Piece<N> {
    fn refined(
        &self,
        f: &impl Fn(f64) -> [f64; N],
        tolerance: f64,
        scale: &mut [f64; N],
        halvings: &mut usize,
    ) -> [f64; N] {
        *halvings += 1;
        assert!(*halvings < MOST, "no convergence between {} and {}", self.start, self.end);
        let middle = 0.5 * (self.start + self.end);
        let (left, left_size) = rule(f, self.start, middle);
        let (right, right_size) = rule(f, middle, self.end);
        let both = add(left, right);
        let size = add(left_size, right_size);
        scale.iter_mut().zip(size).for_each(|(scale, size)| *scale = scale.max(size));
        let agree = (0..N).all(|n| (both[n] - self.whole[n]).abs() <= tolerance * scale[n]);
        if agree || self.depth == DEEPEST {
            return both;
        }
        let depth = self.depth + 1;
        let lower = Piece { start: self.start, end: middle, whole: left, depth };
        let upper = Piece { start: middle, end: self.end, whole: right, depth };
        add(lower.refined(f, tolerance, scale, halvings), upper.refined(f, tolerance, scale, halvings))
    }
}

/// Gauss-Legendre values of ∫f and ∫|f|.
fn rule<const N: usize>(f: &impl Fn(f64) -> [f64; N], start: f64, end: f64) -> ([f64; N], [f64; N]) {
    let (middle, half) = (0.5 * (start + end), 0.5 * (end - start));
    let mut sums = ([0.0; N], [0.0; N]);
    for &(node, weight) in RULE.iter() {
        let values = f(middle + half * node);
        let weighted = values.map(|value| half * weight * value);
        sums = (add(sums.0, weighted), add(sums.1, weighted.map(f64::abs)));
    }
    sums
}

fn add<const N: usize>(mut a: [f64; N], b: [f64; N]) -> [f64; N] {
    a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
    a
}
