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

/// Below this a, the half-range flux comes from its series.
const TINY: f64 = 1e-3;

/// Shares of J in the half range μ < 0, ½∫₋₁⁰ f dμ/J and ½∫₋₁⁰ |μ|f dμ/J, at −1 ≤ `h` ≤ 1, and their derivatives to h.
pub fn backward(h: f64) -> ([f64; 2], [f64; 2]) {
    let ([share, flux], [dshare, dflux]) = backward_of_forward(h.abs());
    if h >= 0.0 {
        return ([share, flux], [dshare, dflux]);
    }
    // What goes backward here goes forward in the mirrored distribution.
    ([1.0 - share, flux - h], [dshare, -1.0 - dflux])
}

fn backward_of_forward(h: f64) -> ([f64; 2], [f64; 2]) {
    let a = inverse_langevin(h).min(SATURATED);
    let share = 1.0 / (1.0 + a.exp());
    let (flux, slope) = if a < TINY {
        (0.25 - a / 6.0 + a * a / 48.0, -1.0 / 6.0 + a / 24.0)
    } else {
        let (numerator, denominator) = (-(-a).exp_m1() - a * (-a).exp(), 2.0 * a * a.sinh());
        let flux = numerator / denominator;
        (flux, (a * (-a).exp() - flux * 2.0 * (a.sinh() + a * a.cosh())) / denominator)
    };
    let da_dh = 1.0 / langevin(a).1;
    ([share, flux], [-share * (1.0 - share) * da_dh, slope * da_dh])
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

#[cfg(test)]
mod tests {
    use super::*;

    /// J, H and the half-range sums of e^{aμ} by the midpoint rule.
    fn sums(a: f64) -> [f64; 4] {
        let cells = 20_000;
        let mid = |i: i32| -1.0 + (f64::from(i) + 0.5) / f64::from(cells);
        (0..2 * cells).map(mid).fold([0.0; 4], |[j, h, share, flux], mu| {
            let f = (a * (mu - a.signum())).exp();
            let back = if mu < 0.0 { f } else { 0.0 };
            [j + f, h + mu * f, share + back, flux - mu * back]
        })
    }

    #[test]
    fn backward_shares_are_those_of_the_distribution() {
        for a in [-9.0, -1.0, -1e-4, 1e-4, 0.3, 2.0, 12.0] {
            let [j, h, share, flux] = sums(a);
            let ([g0, g1], [dg0, dg1]) = backward(h / j);
            assert!((g0 - share / j).abs() < 1e-8 && (g1 - flux / j).abs() < 1e-8, "{a}: {g0} {g1}");
            let step = 1e-6;
            let (above, below) = (backward(h / j + step).0, backward(h / j - step).0);
            let slopes = [0, 1].map(|n| (above[n] - below[n]) / (2.0 * step));
            assert!((slopes[0] - dg0).abs() < 1e-5 && (slopes[1] - dg1).abs() < 1e-5, "{a}: {dg0} {dg1}");
        }
        assert_eq!(backward(0.0).0, [0.5, 0.25]);
        assert!(backward(1.0).0[0] < 1e-20 && (backward(-1.0).0[1] - 1.0).abs() < 1e-3);
    }
}
