//! The flux through one face at one energy, and its derivatives.

use super::limiter::{Limiter, Opening};

/// Fluxes through a face. They are of first degree in J of the node below and above.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Face {
    /// αr²W H.
    pub flux: Value,
    /// αr²W (H + vJ): all that flows.
    pub total: Value,
    /// Flux factor |H|/J.
    pub opening: f64,
    /// Eddington factor; 0 at an edge of the grid, which has none.
    pub chi: Value,
}

/// A value and its derivatives to J below and above.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Value {
    pub value: f64,
    pub below: f64,
    pub above: f64,
}

impl Value {
    pub fn scaled(self, factor: f64) -> Self {
        Self { value: factor * self.value, below: factor * self.below, above: factor * self.above }
    }
}

/// χ of isotropic radiation.
const ISOTROPIC: Value = Value { value: 1.0 / 3.0, below: 0.0, above: 0.0 };

/// What a face sees besides J.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings {
    /// αr²W, v, W/(X × distance of the nodes).
    pub area: f64,
    pub velocity: f64,
    pub stretch: f64,
    /// Spreading of streaming radiation from the node below and above.
    pub spreading: [f64; 2],
    /// Transport opacity.
    pub opacity: f64,
    /// Largest flux factor.
    pub cap: f64,
    /// H/J_f that the linearised equations had last, for derivatives that lead from afar; none for the true ones.
    pub dual: Option<f64>,
}

/// What closes the flux.
#[derive(Debug, Clone, Copy)]
pub enum Law {
    Limited(Limiter),
    /// H = −s·∇J/(3κ + 3/r), linear in J, for a first guess. Holds 1/r of the face.
    Linear(f64),
}

/// J below which nothing flows.
pub const LEAST_J: f64 = 1e-200;

/// The flux between `below` and `above`.
///
/// |H| = h(R) J_f with R = |G|/(κJ_f), the gradient G and J_f that streams from the node upstream; h J_f is
/// |G|/(3κ) where R is small, whatever J_f is. The drift takes J_f as far as radiation streams, and J of the
/// node upstream of the matter as far as it is trapped.
pub fn flux(law: Law, at: &Surroundings, below: f64, above: f64) -> Face {
    let limiter = match law {
        Law::Linear(curvature) => return linear(at, 1.0 / (3.0 * (at.opacity + curvature)), below, above),
        Law::Limited(limiter) => limiter,
    };
    let gradient = at.stretch * (above - below);
    let outward = gradient <= 0.0;
    let sign = if outward { 1.0 } else { -1.0 };
    // d|G|/dJ below and above.
    let steepness = [sign * at.stretch, -sign * at.stretch];
    let (upstream, spread) =
        if outward { (below, [at.spreading[0], 0.0]) } else { (above, [0.0, at.spreading[1]]) };
    let streaming = upstream * (spread[0] + spread[1]);
    if streaming < LEAST_J {
        return Face { chi: ISOTROPIC, ..Face::default() };
    }
    let opacity_j = at.opacity * streaming;
    let ratio = gradient.abs() / opacity_j;
    let open = limiter.opening(ratio, at.cap);
    // The part of the derivatives by which h is no constant times R.
    let bent = at.dual.filter(|_| open.h > 0.0).map_or(1.0, |dual| (sign * dual / open.h).clamp(-1.0, 1.0));
    let secant = if ratio > 0.0 { open.h / ratio } else { open.slope };
    let slope = secant - bent * (secant - open.slope);
    let dh = [0, 1].map(|n| slope * steepness[n] / opacity_j - open.scaled_slope * spread[n] / streaming);
    let by_streaming = bent.max(0.0) * (open.h - open.scaled_slope);
    let dflux = [0, 1].map(|n| slope * steepness[n] / at.opacity + by_streaming * spread[n]);
    assemble(at, sign, open, open.h * streaming, dh, dflux, (below, above))
}

/// Puts the parts together; `size` = |H| with the derivatives `dflux`, `dh` those of h.
fn assemble(
    at: &Surroundings,
    sign: f64,
    open: Opening,
    size: f64,
    dh: [f64; 2],
    dflux: [f64; 2],
    (below, above): (f64, f64),
) -> Face {
    let carried = if at.velocity >= 0.0 { [1.0, 0.0] } else { [0.0, 1.0] };
    let trapped = carried[0] * below + carried[1] * above;
    let drift = size + (1.0 - open.h) * trapped;
    let ddrift = [0, 1].map(|n| dflux[n] + (1.0 - open.h) * carried[n] - trapped * dh[n]);
    let flux = Value { value: sign * size, below: sign * dflux[0], above: sign * dflux[1] };
    let total = |n: usize| sign * dflux[n] + at.velocity * ddrift[n];
    Face {
        flux: flux.scaled(at.area),
        total: Value { value: flux.value + at.velocity * drift, below: total(0), above: total(1) }
            .scaled(at.area),
        opening: open.h,
        chi: Value { value: open.chi, below: open.chi_by_h * dh[0], above: open.chi_by_h * dh[1] },
    }
}

fn linear(at: &Surroundings, diffusivity: f64, below: f64, above: f64) -> Face {
    let d = diffusivity * at.stretch;
    let (lower, upper) = (at.velocity.max(0.0), at.velocity.min(0.0));
    let flux = Value { value: d * (below - above), below: d, above: -d };
    let value = flux.value + lower * below + upper * above;
    let total = Value { value, below: d + lower, above: upper - d };
    Face { flux: flux.scaled(at.area), total: total.scaled(at.area), opening: 0.0, chi: ISOTROPIC }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Analytic derivatives against differences, for all limiters and both directions.
    #[test]
    fn derivatives_are_those_of_the_values() {
        for limiter in Limiter::ALL {
            for opacity in [1e-3, 0.3, 2.0, 50.0] {
                for (below, above) in [(1.0, 0.4), (0.3, 0.9), (2.0, 1.99)] {
                    for velocity in [-0.2, 0.1] {
                        let at = Surroundings {
                            area: 2.0,
                            velocity,
                            stretch: 3.0,
                            spreading: [0.8, 1.3],
                            opacity,
                            cap: 0.9,
                            dual: None,
                        };
                        check(Law::Limited(limiter), &at, below, above);
                    }
                }
            }
        }
    }

    fn check(law: Law, at: &Surroundings, below: f64, above: f64) {
        let step = 1e-6;
        let face = flux(law, at, below, above);
        let difference = |of: fn(&Face) -> Value, lower: f64, upper: f64| {
            let (high, low) =
                (flux(law, at, below + lower, above + upper), flux(law, at, below - lower, above - upper));
            (of(&high).value - of(&low).value) / (2.0 * step)
        };
        let parts: [fn(&Face) -> Value; 2] = [|f| f.flux, |f| f.total];
        for (n, part) in parts.into_iter().enumerate() {
            let value = part(&face);
            let sum = value.below * below + value.above * above;
            assert!((sum - value.value).abs() < 1e-12, "of first degree: {sum} {}", value.value);
            for (analytic, numeric) in
                [(value.below, difference(part, step, 0.0)), (value.above, difference(part, 0.0, step))]
            {
                assert!(
                    (analytic - numeric).abs() < 1e-7 * (1.0 + analytic.abs()),
                    "part {n} at {at:?} with {law:?}: {analytic} {numeric}"
                );
            }
        }
    }
}
