//! Closures that are given as formulas for χ.

use super::Factors;

/// χ = (1 + 2h²)/3: halfway (in a sense) between the bounds h² and 1.
pub fn kershaw(h: f64) -> Factors {
    Factors::interpolated(h, (1.0 + 2.0 * h * h) / 3.0, 4.0 * h / 3.0)
}

/// χ = 1/3 − h/3 + h², which is λ + λ²R² with h = λR for λ = 1/(3 + R).
pub fn wilson(h: f64) -> Factors {
    Factors::interpolated(h, 1.0 / 3.0 - h / 3.0 + h * h, 2.0 * h - 1.0 / 3.0)
}

/// χ = (1 + a hᵐ + (2−a) hⁿ)/3.
pub fn janka(h: f64, a: f64, m: f64, n: f64) -> Factors {
    let chi = (1.0 + a * h.powf(m) + (2.0 - a) * h.powf(n)) / 3.0;
    let slope = (a * m * h.powf(m - 1.0) + (2.0 - a) * n * h.powf(n - 1.0)) / 3.0;
    Factors::interpolated(h, chi, slope)
}
