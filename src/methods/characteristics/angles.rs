//! Integrals over the angle cosine: between limbs with μ = middle − half·cos θ, which makes square roots
//! at the limbs smooth, and adaptively in θ.

use std::f64::consts::PI;

use super::medium::Medium;
use super::rules::kronrod;
use super::trace::{End, Ends};

/// Intervals are halved at most this often in one integral; and where jumps are averaged over.
const HALVINGS: usize = 300;
const FEW_HALVINGS: usize = 16;
/// Where intervals are cut at first next to a limb, in θ, unless the tolerance is coarse.
const LIMB_CUTS: [f64; 2] = [PI / 64.0, PI / 8.0];
const COARSE: f64 = 1e-6;
/// Cosines nearer to each other than this are one.
const SAME_COSINE: f64 = 1e-13;

/// Radii of panel edges, each about half of the next one: spheres whose directions are intervals of their own
/// where no surface is known.
pub fn octaves(medium: &Medium) -> Vec<f64> {
    let mut radii: Vec<f64> = Vec::new();
    let mut below = medium.range().1;
    for panel in medium.panels.iter().rev().filter(|panel| panel.lower > 0.0) {
        if panel.lower <= 0.5 * below {
            below = panel.lower;
            radii.push(below);
        }
    }
    radii
}

/// Comoving cosines at `r` where f may have a kink or a square root, from −1 to 1: the directions that are
/// tangent to a limb, to one of the radii `more`, to the ends of the grid or to the sphere of `r` itself.
pub fn breaks(medium: &Medium, ends: &dyn Ends, r: f64, more: &[f64]) -> Vec<f64> {
    let place = medium.spot(medium.panel_at(r, false), r).place;
    let (v, own) = (place.velocity, r / place.lapse);
    let mut cosines = vec![0.0];
    if own > 0.0 {
        let monotonic = medium.panels.iter().all(|p| p.tangent_lower < p.tangent_upper);
        let both = !monotonic || ends.outer() != End::Vacuum;
        let (inner, outer) = medium.range();
        let radii = medium.limbs.iter().chain(more).chain([&inner, &outer]);
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
    /// By the embedded rule.
    embedded: Vec<f64>,
    /// Of each group.
    error: Vec<f64>,
}

/// A vector function of μ, whose entries form groups of `group`; the integrals of the first `tested`
/// entries of each group are exact to `tolerance` relative to the sum of their magnitudes.
pub struct Integral<'g> {
    pub size: usize,
    pub group: usize,
    pub tested: usize,
    pub tolerance: f64,
    /// Whether it has jumps that are averaged over: their effect on the sums of what is tested, not the order of the rule,
    /// says how exact it is, and intervals are halved a few times only.
    pub jumps: bool,
    /// Adds the values at μ to what is zero.
    pub g: &'g mut dyn FnMut(f64, &mut [f64]),
}

impl Integral<'_> {
    /// ½∫ g dμ over all intervals between `breaks`.
    pub fn over(&mut self, breaks: &[f64]) -> Vec<f64> {
        self.with_embedded(breaks).0
    }

    /// The same, and what the embedded rule of lower order gives.
    pub fn with_embedded(&mut self, breaks: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let mut parts = Vec::new();
        for pair in breaks.windows(2) {
            // Opaque matter ends in a thin layer at its limb, which a rule on the whole interval may miss.
            let is_limb = |mu: f64| mu.abs() < 1.0 && mu != 0.0 && self.tolerance < COARSE;
            let mut cuts = vec![0.0, PI];
            cuts.extend(LIMB_CUTS.into_iter().filter(|_| is_limb(pair[0])));
            cuts.extend(LIMB_CUTS.into_iter().filter(|_| is_limb(pair[1])).map(|cut| PI - cut));
            cuts.sort_by(f64::total_cmp);
            parts.extend(cuts.windows(2).map(|theta| self.part((pair[0], pair[1]), (theta[0], theta[1]))));
        }
        let mut total = vec![0.0; self.size];
        for part in &parts {
            total.iter_mut().zip(&part.value).for_each(|(sum, value)| *sum += value);
        }
        for _ in 0..if self.jumps { FEW_HALVINGS } else { HALVINGS } {
            let Some(worst) = self.worst(&parts, &total) else { break };
            let old = parts.swap_remove(worst);
            let middle = 0.5 * (old.theta.0 + old.theta.1);
            total.iter_mut().zip(&old.value).for_each(|(sum, value)| *sum -= value);
            for theta in [(old.theta.0, middle), (middle, old.theta.1)] {
                let new = self.part(old.interval, theta);
                total.iter_mut().zip(&new.value).for_each(|(sum, value)| *sum += value);
                parts.push(new);
            }
        }
        let sum = |value: fn(&Part) -> &[f64]| {
            parts.iter().fold(vec![0.0; self.size], |mut sum, part| {
                sum.iter_mut().zip(value(part)).for_each(|(sum, value)| *sum += value);
                sum
            })
        };
        (sum(|part| &part.value), sum(|part| &part.embedded))
    }

    /// The part with the largest relative error; `None` where every group is exact enough.
    fn worst(&self, parts: &[Part], total: &[f64]) -> Option<usize> {
        let magnitude = |group: &[f64]| group[..self.tested].iter().map(|value| value.abs()).sum();
        let scales: Vec<f64> = total.chunks_exact(self.group).map(magnitude).collect();
        let relative = |error: f64, scale: f64| if scale > 0.0 { error / scale } else { 0.0 };
        let error = |g: usize| parts.iter().map(|part| part.error[g]).sum::<f64>();
        if (0..scales.len()).all(|g| relative(error(g), scales[g]) <= self.tolerance) {
            return None;
        }
        let largest =
            |part: &Part| part.error.iter().zip(&scales).map(|(&e, &s)| relative(e, s)).fold(0.0, f64::max);
        (0..parts.len()).max_by(|&a, &b| largest(&parts[a]).total_cmp(&largest(&parts[b])))
    }

    fn part(&mut self, (low, high): (f64, f64), theta: (f64, f64)) -> Part {
        let (middle, half) = (0.5 * (theta.0 + theta.1), 0.5 * (theta.1 - theta.0));
        let mut value = vec![0.0; self.size];
        let mut gauss = vec![0.0; self.size];
        let mut out = vec![0.0; self.size];
        for (x, w, w_gauss) in kronrod() {
            let angle = middle + half * x;
            let jacobian = 0.25 * (high - low) * angle.sin() * half;
            out.fill(0.0);
            (self.g)(cosine(low, high, angle), &mut out);
            for ((value, gauss), out) in value.iter_mut().zip(&mut gauss).zip(&out) {
                *value += w * jacobian * out;
                *gauss += w_gauss * jacobian * out;
            }
        }
        let groups = value.chunks_exact(self.group).zip(gauss.chunks_exact(self.group));
        let tested = self.tested;
        let estimate = if self.jumps { difference } else { estimate };
        let error = groups.map(|(value, gauss)| estimate(&value[..tested], &gauss[..tested])).collect();
        Part { interval: (low, high), theta, value, embedded: gauss, error }
    }
}

/// QUADPACK's error estimate of the Kronrod rule.
fn estimate(value: &[f64], gauss: &[f64]) -> f64 {
    let scale: f64 = value.iter().map(|v| v.abs()).sum();
    let difference = difference(value, gauss);
    if scale > 0.0 { scale * (200.0 * difference / scale).powf(1.5).min(1.0) } else { 0.0 }
}

/// Sum of the differences of both rules.
fn difference(value: &[f64], gauss: &[f64]) -> f64 {
    value.iter().zip(gauss).map(|(v, g)| (v - g).abs()).sum()
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
        let mut g = |mu: f64, out: &mut [f64]| {
            calls += 1;
            out[0] += if mu > 0.3 { (mu - 0.3).sqrt() } else { 1.0 };
            out[1] += mu;
        };
        let sums = Integral { size: 2, group: 2, tested: 2, tolerance: 1e-12, jumps: false, g: &mut g }
            .over(&[-1.0, 0.3, 1.0]);
        assert!((sums[0] - 0.5 * (1.3 + 0.7_f64.powf(1.5) / 1.5)).abs() < 1e-13);
        assert!(sums[1].abs() < 1e-14);
        assert!(calls <= 150, "{calls}");
    }

    #[test]
    fn steep_functions_are_halved_for() {
        let mut g = |mu: f64, out: &mut [f64]| out[0] += 1e-4 / (mu * mu + 1e-8);
        let sums = Integral { size: 1, group: 1, tested: 1, tolerance: 1e-11, jumps: false, g: &mut g }
            .over(&[-1.0, 1.0]);
        assert!((sums[0] - (1e4_f64).atan()).abs() < 1e-10);
    }
}
