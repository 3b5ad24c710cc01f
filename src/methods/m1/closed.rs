//! J and H with the higher moments that the closure gives them, and the numerical flux of two such states.

use crate::methods::boltzmann::inelastic::Pair;
use crate::methods::closures::{Closure, Factors};
use crate::solvers::face_coupled::FluxJacobian;

use super::flow::RadialFlow;

/// J, H, K, L at one place and energy with what K and L depend on.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Closed {
    pub j: f64,
    pub h: f64,
    pub k: f64,
    pub l: f64,
    pub k_by_j: f64,
    pub k_by_h: f64,
    pub l_by_j: f64,
    pub l_by_h: f64,
}

/// Change of H/J that slopes of speeds are taken over, and the largest of them.
const SLOPE_STEP: f64 = 1e-6;
const STEEPEST_SLOPE: f64 = 5.0;

/// Flux factor below which kinks of a closure are rounded.
const ROUNDED: f64 = 0.03;
/// Speeds below which a signal nearly stands still.
const STILL: f64 = 0.1;

impl Closed {
    /// Closes `pair`.
    pub fn new(closure: Closure, Pair { j, h }: Pair) -> Self {
        if h.abs() > closure.largest_flux(j) {
            return Self::beyond(closure, Pair { j, h });
        }
        let ratio = if j > 0.0 { h / j } else { 0.0 };
        let factors = rounded(closure, ratio, j);
        Self {
            j,
            h,
            k: factors.chi * j,
            l: factors.q * j,
            k_by_j: factors.chi - ratio * factors.dchi_dh + j * factors.dchi_dj,
            k_by_h: factors.dchi_dh,
            l_by_j: factors.q - ratio * factors.dq_dh + j * factors.dq_dj,
            l_by_h: factors.dq_dh,
        }
    }

    /// What no distribution has: J > 0 streams radially, J ≤ 0 is isotropic.
    fn beyond(closure: Closure, Pair { j, h }: Pair) -> Self {
        if closure.depends_on_occupation() && j > 0.0 && j < 1.0 {
            return Self::beyond_packed(j, h);
        }
        let streams = j > 0.0 && !closure.depends_on_occupation();
        let k_by_j = if streams { 1.0 } else { 1.0 / 3.0 };
        Self { j, h, k: k_by_j * j, l: h, k_by_j, k_by_h: 0.0, l_by_j: 0.0, l_by_h: 1.0 }
    }

    /// |H| > J(1 − J): f = 1 in a cone μ > μ₀ = 1 − 2J.
    fn beyond_packed(j: f64, h: f64) -> Self {
        let (edge, sign) = (1.0 - 2.0 * j, h.signum());
        let (k, k_by_j) = ((1.0 - edge.powi(3)) / 6.0, edge * edge);
        let (l, l_by_j) = (sign * (1.0 - edge.powi(4)) / 8.0, sign * edge.powi(3));
        Self { j, h, k, l, k_by_j, k_by_h: 0.0, l_by_j, l_by_h: 0.0 }
    }

    /// The moments that an outer observer of the mirrored direction sees.
    pub fn mirrored(self) -> Self {
        Self { h: -self.h, l: -self.l, k_by_h: -self.k_by_h, l_by_j: -self.l_by_j, ..self }
    }

    /// Characteristic speeds (slow, fast) of ∂_t(J, H) + ∂_r(H, K) for an observer at rest in the fluid.
    pub fn speeds(&self) -> (f64, f64) {
        let root = (0.25 * self.k_by_h * self.k_by_h + self.k_by_j).max(0.0).sqrt();
        let clamped = |speed: f64| speed.clamp(-1.0, 1.0);
        (clamped(0.5 * self.k_by_h - root), clamped(0.5 * self.k_by_h + root))
    }

    /// Derivatives of [`Self::speeds`] with respect to J and H, by differences; bounded, as they are infinite in
    /// free streaming.
    fn speed_slopes(&self, closure: Closure) -> [[f64; 2]; 2] {
        if self.j <= 0.0 {
            return [[0.0; 2]; 2];
        }
        let ratio = self.h / self.j;
        let turn = if self.h > 0.0 { -SLOPE_STEP } else { SLOPE_STEP };
        let turned = self.slopes_to(closure, Pair { j: self.j, h: (ratio + turn) * self.j }, turn);
        let filled = if closure.depends_on_occupation() {
            let fill = -SLOPE_STEP * self.j;
            self.slopes_to(closure, Pair { j: self.j + fill, h: ratio * (self.j + fill) }, fill)
        } else {
            [0.0; 2]
        };
        [0, 1].map(|speed| [filled[speed] - turned[speed] * ratio / self.j, turned[speed] / self.j])
    }

    /// Slopes of the speeds to those of `near`, which is a `change` away.
    fn slopes_to(&self, closure: Closure, near: Pair, change: f64) -> [f64; 2] {
        let ((slow, fast), (slow_near, fast_near)) = (self.speeds(), Self::new(closure, near).speeds());
        let slope = |own: f64, near: f64| ((near - own) / change).clamp(-STEEPEST_SLOPE, STEEPEST_SLOPE);
        [slope(slow, slow_near), slope(fast, fast_near)]
    }

    /// Radial fluxes of number and of the first moment through a sphere: ½∫ flow(μ) f {1, μ} dμ.
    pub fn radial_flux(&self, flow: RadialFlow) -> [f64; 2] {
        [flow.static_part * self.h + flow.drift * self.j, flow.static_part * self.k + flow.drift * self.h]
    }

    /// Derivatives of [`Self::radial_flux`] with respect to (J, H).
    pub fn radial_flux_jacobian(&self, flow: RadialFlow) -> [[f64; 2]; 2] {
        let RadialFlow { static_part, drift } = flow;
        [[drift, static_part], [static_part * self.k_by_j, static_part * self.k_by_h + drift]]
    }
}

/// What the numerical flux through a face depends on besides the states on its two sides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Passage {
    pub closure: Closure,
    pub flow: RadialFlow,
    /// Share (0 to 1) of the flux's dissipation that is kept: where the cells are many mean free paths wide, the
    /// whole of it would be larger than the diffusive flux.
    pub transparency: f64,
    /// Whether the derivatives of the speeds are part of the flux's.
    pub speeds_vary: bool,
}

impl Passage {
    /// The flux of Harten, Lax & van Leer (1983) between two states, with its derivatives.
    pub fn flux(&self, below: &Closed, above: &Closed) -> ([f64; 2], FluxJacobian) {
        let fan = Fan::new(self, below, above);
        let flux = fan.flux();
        let mut jacobian = fan.jacobian_at_these_speeds();
        if self.speeds_vary {
            fan.add_slow(&flux, &mut jacobian);
            fan.add_fast(&flux, &mut jacobian);
        }
        (flux, jacobian)
    }
}

/// The fan of waves between two states: what is between the slowest and the fastest signal is one mean state.
struct Fan<'a> {
    passage: &'a Passage,
    below: &'a Closed,
    above: &'a Closed,
    /// Slowest and fastest signal, not above and not below 0.
    slow: f64,
    fast: f64,
    /// Whether they are those of the state below.
    slow_is_below: bool,
    fast_is_below: bool,
    /// Derivatives of the two with respect to the speeds of the states.
    by_slow: f64,
    by_fast: f64,
    dissipation: f64,
}

/// The larger of `speed` and 0, rounded where it is nearly 0, and its derivative: where a signal stands still, as
/// where neutrinos turn round, Newton's method would go in circles across the kink.
fn positive_part(speed: f64) -> (f64, f64) {
    let width = knob("M1_STILL", STILL);
    if speed.abs() >= width {
        return (speed.max(0.0), f64::from(u8::from(speed > 0.0)));
    }
    let above = speed + width;
    (above * above / (4.0 * width), above / (2.0 * width))
}

impl<'a> Fan<'a> {
    fn new(passage: &'a Passage, below: &'a Closed, above: &'a Closed) -> Self {
        let RadialFlow { static_part, drift } = passage.flow;
        let drift = if static_part > 0.0 { drift / static_part } else { 0.0 };
        let ((slow_below, fast_below), (slow_above, fast_above)) = (below.speeds(), above.speeds());
        let (slow, by_slow) = positive_part(-(slow_below.min(slow_above) + drift));
        let (fast, by_fast) = positive_part(fast_below.max(fast_above) + drift);
        Self {
            passage,
            below,
            above,
            slow: -slow,
            fast,
            by_slow,
            by_fast,
            slow_is_below: slow_below <= slow_above,
            fast_is_below: fast_below >= fast_above,
            dissipation: passage.transparency * static_part,
        }
    }

    fn width(&self) -> f64 {
        self.fast - self.slow
    }

    /// Shares of the fluxes of both states, and the factor of the states' difference.
    fn shares(&self) -> (f64, f64, f64) {
        let (slow, fast, width) = (self.slow, self.fast, self.width());
        (fast / width, -slow / width, self.dissipation * fast * slow / width)
    }

    fn jumps(&self) -> [f64; 2] {
        [self.above.j - self.below.j, self.above.h - self.below.h]
    }

    fn flux(&self) -> [f64; 2] {
        let (from_below, from_above, spread) = self.shares();
        let flow = self.passage.flow;
        let (below, above, jumps) =
            (self.below.radial_flux(flow), self.above.radial_flux(flow), self.jumps());
        [0, 1].map(|m| from_below * below[m] + from_above * above[m] + spread * jumps[m])
    }

    fn jacobian_at_these_speeds(&self) -> FluxJacobian {
        let (from_below, from_above, spread) = self.shares();
        let of = |state: &Closed, share: f64| {
            state.radial_flux_jacobian(self.passage.flow).map(|row| row.map(|value| share * value))
        };
        let mut jacobian =
            FluxJacobian { below: of(self.below, from_below), above: of(self.above, from_above) };
        for m in 0..2 {
            jacobian.below[m][m] -= spread;
            jacobian.above[m][m] += spread;
        }
        jacobian
    }

    /// Adds what the slowest signal's dependence on its state gives; where it is beyond 0 there is none.
    fn add_slow(&self, flux: &[f64; 2], jacobian: &mut FluxJacobian) {
        if self.by_slow > 0.0 {
            let (above, jumps) = (self.above.radial_flux(self.passage.flow), self.jumps());
            let by_slow = [0, 1].map(|m| {
                self.by_slow * (flux[m] - above[m] + self.dissipation * self.fast * jumps[m]) / self.width()
            });
            let (own, part) = self.own(self.slow_is_below, jacobian);
            add_speed(part, by_slow, own.speed_slopes(self.passage.closure)[0]);
        }
    }

    /// The same for the fastest signal.
    fn add_fast(&self, flux: &[f64; 2], jacobian: &mut FluxJacobian) {
        if self.by_fast > 0.0 {
            let (below, jumps) = (self.below.radial_flux(self.passage.flow), self.jumps());
            let by_fast = [0, 1].map(|m| {
                self.by_fast * (below[m] - flux[m] + self.dissipation * self.slow * jumps[m]) / self.width()
            });
            let (own, part) = self.own(self.fast_is_below, jacobian);
            add_speed(part, by_fast, own.speed_slopes(self.passage.closure)[1]);
        }
    }

    /// One of the states with its part of `jacobian`.
    fn own<'j>(&self, is_below: bool, jacobian: &'j mut FluxJacobian) -> (&'a Closed, &'j mut [[f64; 2]; 2]) {
        if is_below { (self.below, &mut jacobian.below) } else { (self.above, &mut jacobian.above) }
    }
}

/// Adds `by_speed` × the derivatives `slopes` of a speed with respect to J and H.
fn add_speed(jacobian: &mut [[f64; 2]; 2], by_speed: [f64; 2], slopes: [f64; 2]) {
    for (row, by_speed) in jacobian.iter_mut().zip(by_speed) {
        row.iter_mut().zip(slopes).for_each(|(entry, slope)| *entry += by_speed * slope);
    }
}

/// Factors of `closure` whose kink at h = 0 is rounded: below [`ROUNDED`] χ is that of a smaller |h|. With a jump of
/// ∂K/∂H, and so of the speeds, where the flux changes its sign, the discrete equations need not have a solution.
fn rounded(closure: Closure, ratio: f64, j: f64) -> Factors {
    let factors = closure.factors(ratio, j);
    let width = knob("M1_ROUND", ROUNDED);
    let x = ratio.abs() / width;
    if !(x < 1.0) || closure.is_smooth() {
        return factors;
    }
    // x ↦ x(1 − (1−x)³) has the slopes 0 and 1 at 0 and 1, and there the curvature of x ↦ x.
    let rest = 1.0 - x;
    let (shrunk, slope) = (1.0 - rest.powi(3), 1.0 - rest.powi(3) + 3.0 * x * rest * rest);
    let near = closure.factors(ratio * shrunk, j);
    Factors { chi: near.chi, dchi_dh: near.dchi_dh * slope, ..factors }
}
pub fn knob(name: &str, default: f64) -> f64 {
    std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default)
}
