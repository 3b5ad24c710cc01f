//! Integrals over the angle cosine: between limbs with μ = middle − half·cos θ, which makes square roots
//! at the limbs smooth, and adaptively in θ.

use std::f64::consts::PI;

use super::medium::Medium;
use super::rules::kronrod;
use super::trace::{End, Ends};

/// Intervals are halved at most this often in one integral.
const HALVINGS: usize = 300;
/// Cosines nearer to each other than this are one.
const SAME_COSINE: f64 = 1e-13;

/// Comoving cosines at `r` where f may have a kink or a square root, from −1 to 1: the directions that are
/// tangent to a limb, to the ends of the grid or to the sphere of `r` itself.
pub fn breaks(medium: &Medium, ends: &dyn Ends, r: f64) -> Vec<f64> {
    let place = medium.spot(medium.panel_at(r, false), r).place;
    let (v, own) = (place.velocity, r / place.lapse);
    let mut cosines = vec![0.0];
    if own > 0.0 {
        let monotonic = medium.panels.iter().all(|p| p.tangent_lower < p.tangent_upper);
        let both = !monotonic || ends.outer() != End::Vacuum;
        let (inner, outer) = medium.range();
        let radii = medium.limbs.iter().chain([&inner, &outer]);
        for &limb in radii {
            let tangent = limb / medium.lapse(medium.panel_at(limb, false), limb);
            if tangent < own && limb > 0.0 {
                let cosine = ((1.0 - tangent / own) * (1.0 + tangent / own)).sqrt();
                cosines.push(cosine);
                cosines.extend(both.then_some(-cosine));
            }
        }
    }
    let mut breaks: Vec<f64> = cosines.iter().map(|mu| (mu - v) / (1.0 - v * mu)).collect();
    breaks.extend([-1.0, 1.0]);
    breaks.sort_by(f64::total_cmp);
    breaks.dedup_by(|b, a| *b - *a < SAME_COSINE);
    breaks
}

/// A part of one interval between breaks, with its integrals.
struct Part {
    interval: (f64, f64),
    theta: (f64, f64),
    value: Vec<f64>,
    error: f64,
}

/// ½∫ g dμ over all intervals between `breaks` for a vector function of μ, to `tolerance` relative to the
/// sum of magnitudes of the result. `g(μ, out)` adds to `out`, which has `size` entries and is zero.
pub fn integrate(breaks: &[f64], size: usize, tolerance: f64, g: &mut dyn FnMut(f64, &mut [f64])) -> Vec<f64> {
    let mut parts: Vec<Part> =
        breaks.windows(2).map(|pair| part((pair[0], pair[1]), (0.0, PI), size, g)).collect();
    let mut total = vec![0.0; size];
    for part in &parts {
        total.iter_mut().zip(&part.value).for_each(|(sum, value)| *sum += value);
    }
    for _ in 0..HALVINGS {
        let scale: f64 = total.iter().map(|value| value.abs()).sum();
        let error: f64 = parts.iter().map(|part| part.error).sum();
        let worst = (0..parts.len()).max_by(|&a, &b| parts[a].error.total_cmp(&parts[b].error));
        let Some(worst) = worst.filter(|_| error > tolerance * scale) else { break };
        let old = parts.swap_remove(worst);
        let middle = 0.5 * (old.theta.0 + old.theta.1);
        total.iter_mut().zip(&old.value).for_each(|(sum, value)| *sum -= value);
        for theta in [(old.theta.0, middle), (middle, old.theta.1)] {
            let new = part(old.interval, theta, size, g);
            total.iter_mut().zip(&new.value).for_each(|(sum, value)| *sum += value);
            parts.push(new);
        }
    }
    total
}

fn part(
    (low, high): (f64, f64),
    theta: (f64, f64),
    size: usize,
    g: &mut dyn FnMut(f64, &mut [f64]),
) -> Part {
    let (middle, half) = (0.5 * (theta.0 + theta.1), 0.5 * (theta.1 - theta.0));
    let mut value = vec![0.0; size];
    let mut gauss = vec![0.0; size];
    let mut out = vec![0.0; size];
    for (x, w, w_gauss) in kronrod() {
        let angle = middle + half * x;
        let mu = cosine(low, high, angle);
        let jacobian = 0.25 * (high - low) * angle.sin() * half;
        out.iter_mut().for_each(|out| *out = 0.0);
        g(mu, &mut out);
        for ((value, gauss), out) in value.iter_mut().zip(&mut gauss).zip(&out) {
            *value += w * jacobian * out;
            *gauss += w_gauss * jacobian * out;
        }
    }
    let scale: f64 = value.iter().map(|v| v.abs()).sum();
    let difference: f64 = value.iter().zip(&gauss).map(|(v, g)| (v - g).abs()).sum();
    // The error estimate of QUADPACK.
    let error = if scale > 0.0 { scale * (200.0 * difference / scale).powf(1.5).min(1.0) } else { 0.0 };
    Part { interval: (low, high), theta, value, error }
}

/// middle − half·cos θ without cancellation at the nearer end.
fn cosine(low: f64, high: f64, theta: f64) -> f64 {
    if theta < 0.5 * PI {
        low + (high - low) * (0.5 * theta).sin().powi(2)
    } else {
        high - (high - low) * (0.5 * theta).cos().powi(2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn square_roots_at_limbs_are_integrated() {
        // ½∫ of √(μ − 0.3) above 0.3 and of 1 below.
        let mut calls = 0;
        let sums = integrate(&[-1.0, 0.3, 1.0], 2, 1e-12, &mut |mu, out| {
            calls += 1;
            out[0] += if mu > 0.3 { (mu - 0.3).sqrt() } else { 1.0 };
            out[1] += mu;
        });
        assert!((sums[0] - 0.5 * (1.3 + 0.7_f64.powf(1.5) / 1.5)).abs() < 1e-13);
        assert!(sums[1].abs() < 1e-14);
        assert_eq!(calls, 30);
    }

    #[test]
    fn steep_functions_are_halved_for() {
        let sums = integrate(&[-1.0, 1.0], 1, 1e-11, &mut |mu, out| out[0] += 1e-4 / (mu * mu + 1e-8));
        assert!((sums[0] - (1e4_f64).atan()).abs() < 1e-10);
    }
}
