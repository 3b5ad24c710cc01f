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

/// Change of H/J that slopes of speeds are taken over, and the largest of them.
const SLOPE_STEP: f64 = 1e-6;
const STEEPEST_SLOPE: f64 = 5.0;

impl Closed {
    /// Closes `pair`. What is beyond the moments of an f ≥ 0 streams radially where J > 0, and is isotropic
    /// where it is not.
    pub fn new(closure: Closure, Pair { j, h }: Pair) -> Self {
        if h.abs() > j {
            let streams = f64::from(u8::from(j > 0.0));
            let k_by_j = streams + (1.0 - streams) / 3.0;
            return Self { j, h, k: k_by_j * j, l: h, k_by_j, k_by_h: 0.0, l_by_j: 0.0, l_by_h: 1.0 };
        }
        let ratio = if j > 0.0 { h / j } else { 0.0 };
        let factors = closure.factors(ratio, j);
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

    /// Derivatives of [`Self::speeds`] with respect to H/J, by a difference; bounded, as they are infinite in
    /// free streaming.
    fn speed_slopes(&self, closure: Closure) -> (f64, f64) {
        let change = if self.h > 0.0 { -SLOPE_STEP } else { SLOPE_STEP };
        let near = Self::new(closure, Pair { j: self.j, h: self.h + change * self.j });
        let ((slow, fast), (slow_near, fast_near)) = (self.speeds(), near.speeds());
        let slope = |own: f64, near: f64| ((near - own) / change).clamp(-STEEPEST_SLOPE, STEEPEST_SLOPE);
        (slope(slow, slow_near), slope(fast, fast_near))
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

/// The flux of Harten, Lax & van Leer (1983) between two states, with its derivatives, those of the speeds only
/// where `speeds_vary`. `transparency` (0 to 1)
/// is the share of the flux's dissipation that is kept: where the cells are many mean free paths wide, the
/// whole of it would be larger than the diffusive flux.
pub fn numerical_flux(
    closure: Closure,
    below: &Closed,
    above: &Closed,
    flow: RadialFlow,
    transparency: f64,
    speeds_vary: bool,
) -> ([f64; 2], FluxJacobian) {
    let drift = if flow.static_part > 0.0 { flow.drift / flow.static_part } else { 0.0 };
    let ((slow_below, fast_below), (slow_above, fast_above)) = (below.speeds(), above.speeds());
    let slow = (slow_below.min(slow_above) + drift).min(0.0);
    let fast = (fast_below.max(fast_above) + drift).max(0.0);
    if fast - slow <= 0.0 {
        return ([0.0; 2], FluxJacobian::default());
    }
    let (from_below, from_above) = (fast / (fast - slow), -slow / (fast - slow));
    let dissipation = transparency * flow.static_part;
    let spread = dissipation * fast * slow / (fast - slow);
    let (flux_below, flux_above) = (below.radial_flux(flow), above.radial_flux(flow));
    let jumps = [above.j - below.j, above.h - below.h];
    let flux = [0, 1].map(|m| from_below * flux_below[m] + from_above * flux_above[m] + spread * jumps[m]);
    let mut jacobian = FluxJacobian {
        below: below.radial_flux_jacobian(flow).map(|row| row.map(|value| from_below * value)),
        above: above.radial_flux_jacobian(flow).map(|row| row.map(|value| from_above * value)),
    };
    let (by_slow, by_fast): ([f64; 2], [f64; 2]) = (
        [0, 1].map(|m| (flux[m] - flux_above[m] + dissipation * fast * jumps[m]) / (fast - slow)),
        [0, 1].map(|m| (flux_below[m] - flux[m] + dissipation * slow * jumps[m]) / (fast - slow)),
    );
    for m in 0..2 {
        jacobian.below[m][m] -= spread;
        jacobian.above[m][m] += spread;
    }
    // Speeds beyond 0 do not depend on the states; each is that of one of them.
    if speeds_vary && slow < 0.0 {
        let (own, part) = if slow_below <= slow_above {
            (below, &mut jacobian.below)
        } else {
            (above, &mut jacobian.above)
        };
        add_speed(part, by_slow, own, own.speed_slopes(closure).0);
    }
    if speeds_vary && fast > 0.0 {
        let (own, part) = if fast_below >= fast_above {
            (below, &mut jacobian.below)
        } else {
            (above, &mut jacobian.above)
        };
        add_speed(part, by_fast, own, own.speed_slopes(closure).1);
    }
    (flux, jacobian)
}

/// Adds `by_speed` × the derivatives of a speed of `state` with `slope` in H/J.
fn add_speed(jacobian: &mut [[f64; 2]; 2], by_speed: [f64; 2], state: &Closed, slope: f64) {
    if state.j > 0.0 {
        for (row, by_speed) in jacobian.iter_mut().zip(by_speed) {
            row[0] -= by_speed * slope * state.h / (state.j * state.j);
            row[1] += by_speed * slope / state.j;
        }
    }
}
