//! Pulse in an infinite scattering medium (P7): the plane pulse of Ganapol (2008, Analytical Benchmarks for
//! Nuclear Engineering Applications) superposed to spheres.

use std::f64::consts::PI;

use super::Exact;
use super::quadrature::integral;

pub fn exact(problem: &str) -> Option<Exact> {
    match problem {
        "scattering_pulse" => Some(Exact::mean(|r, t| density(1.0, 0.5, r, t) / (4.0 * PI))),
        _ => None,
    }
}

/// Density φ(r, t) of one neutrino that starts uniformly and isotropically in the sphere of `radius` in a
/// medium that scatters isotropically with `sigma`: φ(r) = (S/r) ∫_{−R}^{R} u φ_plane(|r − u|) du with
/// S = 3/(4πR³), as the spherical average of a point pulse is the derivative of a plane one.
pub fn density(sigma: f64, radius: f64, r: f64, t: f64) -> f64 {
    let source = 3.0 / (4.0 * PI * radius.powi(3));
    if t == 0.0 {
        return if r < radius { source } else { 0.0 };
    }
    let plane = |x: f64| sigma * plane_pulse(sigma * x, sigma * t);
    if r < 1e-4 * radius.min(t) {
        // The limit r → 0, by parts.
        let breaks = [0.0, radius.min(t)];
        return 2.0 * source * (integral(plane, &breaks, 1e-12) - radius * plane(radius));
    }
    // The plane pulse ends at its front.
    let (lower, upper) = ((r - t).max(-radius), (r + t).min(radius));
    if lower >= upper {
        return 0.0;
    }
    let mut breaks = vec![lower, upper];
    if lower < r && r < upper {
        breaks.insert(1, r);
    }
    source / r * integral(|u| u * plane((r - u).abs()), &breaks, 1e-12)
}

/// Density at distance x ≥ 0 and time t of an isotropic pulse per unit area of the plane x = 0, σ = 1:
/// with η = x/t, q = (1+η)/(1−η), ξ(u) = (ln q + iu)/(η + i tan(u/2)),
/// e^{−t}/(2t) + e^{−t}(1−η²)/(8π) ∫₀^π sec²(u/2) Re[ξ² e^{(t/2)(1−η²)ξ}] du.
fn plane_pulse(x: f64, t: f64) -> f64 {
    let eta = x / t;
    if eta >= 1.0 {
        return 0.0;
    }
    let logarithm = ((1.0 + eta) / (1.0 - eta)).ln();
    let shape = 1.0 - eta * eta;
    let integrand = |u: f64| {
        let tangent = (0.5 * u).tan();
        let norm = eta * eta + tangent * tangent;
        // ξ = a + ib.
        let a = (logarithm * eta + u * tangent) / norm;
        let b = (u * eta - logarithm * tangent) / norm;
        let growth = (0.5 * t * shape * a - t).exp();
        let phase = 0.5 * t * shape * b;
        let square = (a * a - b * b) * phase.cos() - 2.0 * a * b * phase.sin();
        (1.0 + tangent * tangent) * square * growth
    };
    (-t).exp() / (2.0 * t) + shape / (8.0 * PI) * integral(integrand, &[0.0, 0.5, 1.5, PI], 1e-12)
}
