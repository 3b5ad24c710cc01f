//! Minerbo's closure: f ∝ e^{aμ}, whose flux factor is Langevin's function h = coth a − 1/a.
//!
//! The means of Legendre polynomials are ratios of modified spherical Bessel functions,
//! ⟨Pₙ⟩ = iₙ(a)/i₀(a), that is products of rₙ = iₙ₊₁/iₙ with rₙ = a/(2n + 3 + a rₙ₊₁). This continued
//! fraction has no cancellation for small a.

use super::Factors;

/// Below this a, ratios come from the continued fraction, above from coth a.
const LARGE: f64 = 3.0;
/// Terms of the continued fraction: at a = 3 the first one left out changes r₀ by less than 1e-17.
const TERMS: i32 = 16;
/// Newton's method ends with a step below this part of a.
const LAST_STEP: f64 = 1e-8;
/// Above this a, coth a = 1 and a/sinh a = 0 in double precision.
const SATURATED: f64 = 50.0;

/// Factors at 0 ≤ `h` ≤ 1.
pub fn factors(h: f64) -> Factors {
    let a = inverse_langevin(h);
    if a < LARGE { small(h, a) } else { large(h, a) }
}

/// a with coth a − 1/a = `h`; infinite for h = 1.
pub fn inverse_langevin(h: f64) -> f64 {
    if 1.0 - h < 1.0 / SATURATED {
        return 1.0 / (1.0 - h);
    }
    // Cohen's Padé approximant (1991, Rheol. Acta 30, 270) is within 5 %: three or four steps suffice.
    let mut a = h * (3.0 - h * h) / (1.0 - h * h);
    for _ in 0..6 {
        let (value, slope) = langevin(a);
        let step = (value - h) / slope;
        a -= step;
        // The error that is left is of the order of the square of the step.
        if step.abs() <= LAST_STEP * a {
            break;
        }
    }
    a
}

/// Langevin's function and its derivative.
fn langevin(a: f64) -> (f64, f64) {
    if a < LARGE {
        let r = ratios(a);
        let chi = (1.0 + 2.0 * r[0] * r[1]) / 3.0;
        return (r[0], chi - r[0] * r[0]);
    }
    let sinh = a.sinh();
    (1.0 / a.tanh() - 1.0 / a, 1.0 / (a * a) - 1.0 / (sinh * sinh))
}

/// r₀, r₁, r₂, r₃ for moderate a.
fn ratios(a: f64) -> [f64; 4] {
    let mut r = [0.0; 4];
    let mut next = 0.0;
    for n in (0..TERMS).rev() {
        next = a / (f64::from(2 * n + 3) + a * next);
        if let Some(r) = r.get_mut(n as usize) {
            *r = next;
        }
    }
    r
}

/// From Legendre means: derivatives to a are covariances with μ.
fn small(h: f64, a: f64) -> Factors {
    let [r0, r1, r2, r3] = ratios(a);
    let (p1, p2) = (r0, r0 * r1);
    let (p3, p4) = (p2 * r2, p2 * r2 * r3);
    let (chi, q) = ((1.0 + 2.0 * p2) / 3.0, (2.0 * p3 + 3.0 * p1) / 5.0);
    let fourth = (8.0 * p4 + 20.0 * p2 + 7.0) / 35.0;
    let variance = chi - h * h;
    Factors::of_flux(chi, q, (q - chi * h) / variance, (fourth - q * h) / variance)
}

/// From coth a: χ = 1 − 2h/a, q = coth a − 3χ/a, dh/da = (1 − s²)/a² with s = a/sinh a.
fn large(h: f64, a: f64) -> Factors {
    let (coth, s) = if a > SATURATED { (1.0, 0.0) } else { (1.0 / a.tanh(), a / a.sinh()) };
    let chi = 1.0 - 2.0 * h / a;
    let dchi_dh = 2.0 * h / (1.0 - s * s) - 2.0 / a;
    let dq_dh = (3.0 * chi - s * s) / (1.0 - s * s) - 3.0 * dchi_dh / a;
    Factors::of_flux(chi, coth - 3.0 * chi / a, dchi_dh, dq_dh)
}
