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
const STEEPEST_SLOPE: f64 = 100.0;

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

    /// |H| > J(1 − J): linear in what H has beyond the bound, where f = 1 in a cone μ > μ₀ = 1 − 2J.
    fn beyond_packed(j: f64, h: f64) -> Self {
        let (edge, sign) = (1.0 - 2.0 * j, h.signum());
        let (square, excess) = (edge * edge, h.abs() - j * (1.0 - j));
        let l = (1.0 - square * square) / 8.0 + 3.0 * square * excess;
        Self {
            j,
            h,
            k: (1.0 - edge * square) / 6.0 + 2.0 * edge * excess,
            l: sign * l,
            k_by_j: -square - 4.0 * excess,
            k_by_h: 2.0 * sign * edge,
            l_by_j: -sign * (2.0 * edge * square + 12.0 * edge * excess),
            l_by_h: 3.0 * square,
        }
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
    /// Derivatives of the two with respect to those of the states below and above.
    by_slow: [f64; 2],
    by_fast: [f64; 2],
    dissipation: f64,
}

/// The largest of `below` and `above`, both plus `drift`, and 0, with its derivatives with respect to the two.
fn fastest(below: f64, above: f64, drift: f64) -> (f64, [f64; 2]) {
    let (excess, by_above) = positive_part(above - below);
    let (speed, by_largest) = positive_part(below + excess + drift);
    (speed, [by_largest * (1.0 - by_above), by_largest * by_above])
}

/// The larger of `speed` and 0, rounded where it is nearly 0, and its derivative: where a signal stands still, as
/// where neutrinos turn round, Newton's method would go in circles across the kink.
fn positive_part(speed: f64) -> (f64, f64) {
    if speed.abs() >= STILL {
        return (speed.max(0.0), f64::from(u8::from(speed > 0.0)));
    }
    let above = speed + STILL;
    (above * above / (4.0 * STILL), above / (2.0 * STILL))
}

impl<'a> Fan<'a> {
    fn new(passage: &'a Passage, below: &'a Closed, above: &'a Closed) -> Self {
        let RadialFlow { static_part, drift } = passage.flow;
        let drift = if static_part > 0.0 { drift / static_part } else { 0.0 };
        let ((slow_below, fast_below), (slow_above, fast_above)) = (below.speeds(), above.speeds());
        let (slow, [slow_by_below, slow_by_above]) = fastest(-slow_below, -slow_above, -drift);
        let (fast, [fast_by_below, fast_by_above]) = fastest(fast_below, fast_above, drift);
        Self {
            passage,
            below,
            above,
            slow: -slow,
            fast,
            by_slow: [slow_by_below, slow_by_above],
            by_fast: [fast_by_below, fast_by_above],
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

    /// Adds what the dependence of the slowest signal on the states gives.
    fn add_slow(&self, flux: &[f64; 2], jacobian: &mut FluxJacobian) {
        let (above, jumps) = (self.above.radial_flux(self.passage.flow), self.jumps());
        let by_slow =
            [0, 1].map(|m| (flux[m] - above[m] + self.dissipation * self.fast * jumps[m]) / self.width());
        self.add(0, by_slow, self.by_slow, jacobian);
    }

    /// The same for the fastest signal.
    fn add_fast(&self, flux: &[f64; 2], jacobian: &mut FluxJacobian) {
        let (below, jumps) = (self.below.radial_flux(self.passage.flow), self.jumps());
        let by_fast =
            [0, 1].map(|m| (below[m] - flux[m] + self.dissipation * self.slow * jumps[m]) / self.width());
        self.add(1, by_fast, self.by_fast, jacobian);
    }

    /// Adds what a flux that depends on a speed as `by_speed` and on those of the states below and above with
    /// `shares` of that gives; `speed` is 0 for the slowest and 1 for the fastest.
    fn add(&self, speed: usize, by_speed: [f64; 2], shares: [f64; 2], jacobian: &mut FluxJacobian) {
        let sides = [(self.below, &mut jacobian.below), (self.above, &mut jacobian.above)];
        for ((state, jacobian), share) in sides.into_iter().zip(shares) {
            if share > 0.0 {
                let slopes = state.speed_slopes(self.passage.closure)[speed];
                add_speed(jacobian, by_speed.map(|value| share * value), slopes);
            }
        }
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
    let x = ratio.abs() / ROUNDED;
    if x >= 1.0 || closure.is_smooth() {
        return factors;
    }
    // x ↦ x(1 − (1−x)³) has the slopes 0 and 1 at 0 and 1, and there the curvature of x ↦ x.
    let rest = 1.0 - x;
    let (shrunk, slope) = (1.0 - rest.powi(3), 1.0 - rest.powi(3) + 3.0 * x * rest * rest);
    let near = closure.factors(ratio * shrunk, j);
    Factors { chi: near.chi, dchi_dh: near.dchi_dh * slope, ..factors }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: f64 = 1e-7;

    /// States on both sides of kinks and bounds, none on them.
    fn states(closure: Closure) -> Vec<Pair> {
        let ratios = [-0.97, -0.4, -0.02, -0.004, 0.001, 0.013, 0.25, 0.6, 0.9];
        let occupations = [1e-9, 0.03, 0.4, 0.8];
        let pairs =
            occupations.iter().flat_map(|&j| ratios.map(|h| Pair { j, h: h * closure.largest_flux(j) }));
        let beyond = Pair { j: 0.3, h: 1.004 * closure.largest_flux(0.3) };
        pairs.chain(closure.depends_on_occupation().then_some(beyond)).collect()
    }

    fn moved(pair: Pair, component: usize, by: f64) -> Pair {
        let change = [Pair { j: by, h: 0.0 }, Pair { j: 0.0, h: by }][component];
        Pair { j: pair.j + change.j, h: pair.h + change.h }
    }

    /// ∂K/∂(J, H) and ∂L/∂(J, H) against differences, for every closure, with rounded kinks and beyond f ≤ 1.
    #[test]
    fn derivatives_of_the_higher_moments() {
        for closure in Closure::ALL {
            for pair in states(closure) {
                let state = Closed::new(closure, pair);
                let slopes = [[state.k_by_j, state.l_by_j], [state.k_by_h, state.l_by_h]];
                for (component, given) in slopes.into_iter().enumerate() {
                    let step = STEP * pair.j;
                    let at = |by: f64| Closed::new(closure, moved(pair, component, by));
                    let (above, below) = (at(step), at(-step));
                    let [k, l] = [above.k - below.k, above.l - below.l].map(|d| d / (2.0 * step));
                    let errors = [(given[0] - k).abs(), (given[1] - l).abs()];
                    assert!(errors.iter().all(|error| *error < 2e-5), "{closure:?} {pair:?}: {errors:?}");
                }
            }
        }
    }

    /// The derivatives of the numerical flux, those of the speeds too.
    #[test]
    fn derivatives_of_the_numerical_flux() {
        let flow = RadialFlow { static_part: 1.3, drift: -0.2 };
        for closure in Closure::ALL {
            let passage = Passage { closure, flow, transparency: 0.7, speeds_vary: true };
            let states = states(closure);
            for (&below, &above) in states.iter().zip(states.iter().cycle().skip(3)) {
                assert_derivatives(&passage, below, above);
            }
        }
    }

    fn assert_derivatives(passage: &Passage, below: Pair, above: Pair) {
        let flux = |below: Pair, above: Pair| {
            let close = |pair| Closed::new(passage.closure, pair);
            passage.flux(&close(below), &close(above))
        };
        let (_, jacobian) = flux(below, above);
        let size = below.j.max(above.j);
        for component in 0..2 {
            let (low, high) = (STEP * below.j, STEP * above.j);
            let by_below = [low, -low].map(|by| flux(moved(below, component, by), above).0);
            let by_above = [high, -high].map(|by| flux(below, moved(above, component, by)).0);
            for m in 0..2 {
                let sides = [
                    (jacobian.below[m][component], (by_below[0][m] - by_below[1][m]) / (2.0 * low), below.j),
                    (jacobian.above[m][component], (by_above[0][m] - by_above[1][m]) / (2.0 * high), above.j),
                ];
                for (given, difference, j) in sides {
                    // Per relative change of the state: the speeds of a dark one change the flux of a bright one.
                    // Their slopes are one-sided over 1e-6 in H/J, and rounded kinks have curvatures of 1e3.
                    let error = (given - difference).abs() * j / size;
                    let message = format!("{:?} {below:?} {above:?} {m} {component}", passage.closure);
                    assert!(error < 1e-3 * (1.0 + given.abs()), "{message}: {given} {difference}");
                }
            }
        }
    }

    /// χ of a rounded closure is its own from |h| = 0.03 on, differs by at most 3e-3 below, and has no kink.
    #[test]
    fn kinks_are_rounded_near_isotropy_only() {
        for closure in Closure::ALL.into_iter().filter(|closure| !closure.is_smooth()) {
            for h in [-0.9, -0.0301, 0.0301, 0.5] {
                assert_eq!(rounded(closure, h, 0.2), closure.factors(h, 0.2));
            }
            for n in 1..100 {
                let h = 3e-4 * f64::from(n);
                assert!((rounded(closure, h, 0.2).chi - closure.factors(h, 0.2).chi).abs() < 3e-3);
            }
            assert!(rounded(closure, 1e-9, 0.2).dchi_dh.abs() < 1e-6);
        }
    }
}
