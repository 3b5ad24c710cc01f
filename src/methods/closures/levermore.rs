//! Levermore's closure: radiation that is isotropic in a frame that moves with β.
//!
//! With cosines y in that frame, μ = (y + β)/(1 + βy) and the moments of the intensity are
//! ½∫ (1+βy)² μⁿ dy, so that h = 4β/(3+β²), χ = (1+3β²)/(3+β²), which is Levermore's formula, and
//! q = N/(1 + β²/3) with N = ½∫ (y+β)³/(1+βy) dy.

use super::Factors;

/// Below this β, N is summed as a power series: the closed form loses digits as β⁻⁴.
const SERIES: f64 = 0.5;

/// Factors at 0 ≤ `h` ≤ 1.
pub fn factors(h: f64) -> Factors {
    let root = (4.0 - 3.0 * h * h).sqrt();
    let beta = 3.0 * h / (2.0 + root);
    let chi = (3.0 + 4.0 * h * h) / (5.0 + 2.0 * root);
    // In another form, which is easier to differentiate, χ = (5 − 2√(4 − 3h²))/3.
    let dchi_dh = 2.0 * h / root;
    let (third, dthird) = if beta < SERIES { series(beta) } else { closed(beta) };
    let energy = 1.0 + beta * beta / 3.0;
    let q = third / energy;
    let dq_dbeta = (dthird - q * 2.0 * beta / 3.0) / energy;
    let dh_dbeta = 4.0 * (3.0 - beta * beta) / (3.0 + beta * beta).powi(2);
    Factors::of_flux(chi, q, dchi_dh, dq_dbeta / dh_dbeta)
}

/// N = 4β/5 + Σₙ₌₃ 48 β^{2n−3}/((2n+1)(2n−1)(2n−3)(2n−5)) and its derivative.
fn series(beta: f64) -> (f64, f64) {
    let square = beta * beta;
    let (mut value, mut slope) = (0.8 * beta, 0.8);
    let mut power = square;
    for n in 3..30 {
        let n2 = 2.0 * f64::from(n);
        let term = 48.0 * power / ((n2 + 1.0) * (n2 - 1.0) * (n2 - 3.0) * (n2 - 5.0));
        value += term * beta;
        slope += term * (n2 - 3.0);
        power *= square;
    }
    (value, slope)
}

/// β⁴N = β − (8/3)β³ + 3β⁵ − (1−β²)³ artanh β, and the derivative of N.
fn closed(beta: f64) -> (f64, f64) {
    let square = beta * beta;
    let rest = 1.0 - square;
    // (1−β²) artanh β → 0 at β = 1.
    let product = if rest > 0.0 { rest * beta.atanh() } else { 0.0 };
    let value = beta - 8.0 / 3.0 * beta * square + 3.0 * beta * square * square - rest * rest * product;
    let slope = 1.0 - 8.0 * square + 15.0 * square * square + 6.0 * beta * rest * product - rest * rest;
    let fourth = square * square;
    (value / fourth, (slope - 4.0 * value / beta) / fourth)
}
