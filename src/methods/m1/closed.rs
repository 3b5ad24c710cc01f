//! J and H with the higher moments that the closure gives them, and the numerical flux of two such states.

use crate::methods::boltzmann::inelastic::Pair;
use crate::methods::closures::Closure;
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

impl Closed {
    /// Closes `pair`. K and L are odd: for J < 0 they are those of −J and −H with the other sign, so that
    /// what little a discrete solution goes below 0 streams like what is above it.
    pub fn new(closure: Closure, pair: Pair) -> Self {
        let Pair { j, h } = pair;
        if h.abs() > j.abs() {
            return Self::beyond_free_streaming(closure, pair);
        }
        let ratio = if j == 0.0 { 0.0 } else { h / j };
        let factors = closure.factors(ratio, j.max(0.0));
        let by_occupation = if j > 0.0 { [factors.dchi_dj, factors.dq_dj] } else { [0.0; 2] };
        Self {
            j,
            h,
            k: factors.chi * j,
            l: factors.q * j,
            k_by_j: factors.chi - ratio * factors.dchi_dh + j * by_occupation[0],
            k_by_h: factors.dchi_dh,
            l_by_j: factors.q - ratio * factors.dq_dh + j * by_occupation[1],
            l_by_h: factors.dq_dh,
        }
    }

    /// |H| > |J|, which no f has but states on the way to a solution may: K and L with the values and
    /// slopes of free streaming at H = ±J, the lowest polynomials in J/H that have these.
    fn beyond_free_streaming(closure: Closure, Pair { j, h }: Pair) -> Self {
        let limit = closure.factors(1.0, 0.0);
        let (sign, x) = (h.signum(), j / h.abs());
        let half = 0.5 * limit.dchi_dh;
        let curvature = 0.5 * (1.0 - limit.dq_dh);
        Self {
            j,
            h,
            k: j * (1.0 + half * (1.0 - x * x)),
            l: h * (1.0 - curvature * (1.0 - x * x)),
            k_by_j: 1.0 + half * (1.0 - 3.0 * x * x),
            k_by_h: sign * 2.0 * half * x * x * x,
            l_by_j: sign * 2.0 * curvature * x,
            l_by_h: 1.0 - curvature * (1.0 + x * x),
        }
    }

    /// The state with `factor` times the moments.
    pub fn scaled(self, closure: Closure, factor: f64) -> Self {
        if factor == 1.0 { self } else { Self::new(closure, Pair { j: factor * self.j, h: factor * self.h }) }
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

/// The flux of Harten, Lax & van Leer (1983) between two states, with its derivatives at fixed speeds.
pub fn numerical_flux(below: &Closed, above: &Closed, flow: RadialFlow) -> ([f64; 2], FluxJacobian) {
    let drift = if flow.static_part > 0.0 { flow.drift / flow.static_part } else { 0.0 };
    let ((slow_below, fast_below), (slow_above, fast_above)) = (below.speeds(), above.speeds());
    let slow = (slow_below.min(slow_above) + drift).min(0.0);
    let fast = (fast_below.max(fast_above) + drift).max(0.0);
    if fast - slow <= 0.0 {
        return ([0.0; 2], FluxJacobian::default());
    }
    let (from_below, from_above) = (fast / (fast - slow), -slow / (fast - slow));
    let spread = flow.static_part * fast * slow / (fast - slow);
    let (flux_below, flux_above) = (below.radial_flux(flow), above.radial_flux(flow));
    let jumps = [above.j - below.j, above.h - below.h];
    let flux = [0, 1].map(|m| from_below * flux_below[m] + from_above * flux_above[m] + spread * jumps[m]);
    let mut jacobian = FluxJacobian {
        below: below.radial_flux_jacobian(flow).map(|row| row.map(|value| from_below * value)),
        above: above.radial_flux_jacobian(flow).map(|row| row.map(|value| from_above * value)),
    };
    for m in 0..2 {
        jacobian.below[m][m] -= spread;
        jacobian.above[m][m] += spread;
    }
    (flux, jacobian)
}
