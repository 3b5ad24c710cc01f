//! Closures of fermions: the distribution of largest entropy f = 1/(e^{η−aμ} + 1) with given j and h, and
//! its completely degenerate limit.
//!
//! In t = 1 − μ and x = at the distribution is 1/(e^{x−u} + 1) with u = a − η, and j fixes u for every a:
//! e^u = (e^{2aj} − 1)/(1 − e^{−2a(1−j)}). What is left is one equation h(a) = h, monotone in a. Its
//! moments are integrated numerically on panels that follow the edge at x = u; the derivatives are
//! regressions under the weight w = f(1−f): with m and Vₙ the mean and central moments of μ,
//!
//! ∂K/∂H = cov(μ², μ)/V₂ = 2m + V₃/V₂, ∂L/∂H = 3m² + 3m V₃/V₂ + V₄/V₂.
//!
//! The residual ρ of such a regression has ∫f(1−f)ρ dμ = 0, from which ∂χ/∂j = −½∫(f/j)² ρ dμ without
//! the cancellation of a difference.

use std::f64::consts::PI;
use std::num::NonZeroUsize;
use std::sync::LazyLock;

use gauss_quad::legendre::GaussLegendre;

use super::Factors;

/// Points in −1 … 1 and weights of the Gauss-Legendre rule on each panel: on panels as short as these,
/// compared with the distance π of the poles of f from the real axis, it is exact in double precision.
static GAUSS: LazyLock<Vec<(f64, f64)>> = LazyLock::new(|| {
    let points = const { NonZeroUsize::new(16).unwrap() };
    GaussLegendre::new(points).iter().map(|(x, w)| (*x, *w)).collect()
});

/// Ends of the panels relative to the edge of f: beyond ±40, f is 0 or 1 in double precision.
const PANELS: [f64; 11] = [-40.0, -20.0, -10.0, -5.0, -2.0, 0.0, 2.0, 5.0, 10.0, 20.0, 40.0];

/// Occupations and a that are closer to 0 change nothing in double precision.
const SMALLEST_OCCUPATION: f64 = 1e-150;
const SMALLEST_A: f64 = 1e-100;
const LARGEST_A: f64 = 1e17;

/// Newton's method ends with a step of ln a below this, which leaves an error of its square.
const LAST_STEP: f64 = 1e-8;

/// Both ends of the distribution are further than this many widths 1/a from its edge where the
/// distribution counts as degenerate: what is left out is e⁻³⁷ = 1e-16.
const WIDTHS: f64 = 37.0;

/// χ = (1−2h+4h²)/3 and q = h(1−2h+2h²), from f = 1 where μ > 2h − 1.
pub fn maximum_packing(h: f64) -> Factors {
    let chi = (1.0 - 2.0 * h + 4.0 * h * h) / 3.0;
    let q = h * (1.0 - 2.0 * h + 2.0 * h * h);
    Factors::of_flux(chi, q, (8.0 * h - 2.0) / 3.0, 1.0 - 4.0 * h + 6.0 * h * h)
}

/// Factors at 0 ≤ `h`, 0 ≤ `j` ≤ 1; `h` above 1 − j counts as 1 − j.
pub fn maximum_entropy(h: f64, j: f64) -> Factors {
    let h = h.min(1.0 - j);
    if j <= 0.5 {
        return sparse(h, j.max(SMALLEST_OCCUPATION));
    }
    // 1 − f(−μ) is such a distribution too, of occupation 1 − j and the same H.
    let holes = (1.0 - j).max(SMALLEST_OCCUPATION);
    from_holes(h, j, holes, &sparse((j * h / holes).min(1.0 - holes), holes))
}

/// J = 1 − J′, H = H′, K = 1/3 − K′, L = L′.
fn from_holes(h: f64, j: f64, holes: f64, of_holes: &Factors) -> Factors {
    let flux = j * h / holes;
    let k_of_j = |value: f64, dh: f64, dj: f64| value + holes * dj - flux * dh;
    let chi = (1.0 / 3.0 - holes * of_holes.chi) / j;
    let q = holes * of_holes.q / j;
    let k_j = k_of_j(of_holes.chi, of_holes.dchi_dh, of_holes.dchi_dj);
    let l_j = -k_of_j(of_holes.q, of_holes.dq_dh, of_holes.dq_dj);
    Factors {
        chi,
        q,
        dchi_dh: -of_holes.dchi_dh,
        dchi_dj: (k_j - h * of_holes.dchi_dh - chi) / j,
        dq_dh: of_holes.dq_dh,
        dq_dj: (l_j + h * of_holes.dq_dh - q) / j,
    }
}

/// Factors for 0 < j ≤ 1/2.
fn sparse(h: f64, j: f64) -> Factors {
    let deficit = 1.0 - j - h;
    // Where it is degenerate, (1−j−h) j = π²/(12a²), and the edge has the distance 2j from μ = 1.
    if deficit * 12.0 * WIDTHS * WIDTHS < 4.0 * PI * PI * j {
        return degenerate(j, deficit.max(0.0));
    }
    Distribution::new(solve(h, j), j).factors()
}

/// Sommerfeld's expansion, which ends after the terms written: the edge is at μ₀ = 1 − 2j,
/// K = (1−μ₀³)/6 − 2μ₀D and L = (1−μ₀⁴)/8 − 3μ₀²D − (42/5)D² with D = j(1−j−h) = π²/(12a²);
/// `deficit` is 1−j−h.
fn degenerate(j: f64, deficit: f64) -> Factors {
    let mu = 1.0 - 2.0 * j;
    let square = mu * mu;
    let (d, jd) = (deficit, j * deficit);
    Factors {
        chi: (1.0 + mu + square) / 3.0 - 2.0 * mu * d,
        q: (1.0 + mu) * (1.0 + square) / 4.0 - 3.0 * square * d - 8.4 * jd * d,
        dchi_dh: 2.0 * mu,
        dchi_dj: 4.0 * d + 2.0 * mu - 2.0 * (1.0 + 2.0 * mu) / 3.0,
        dq_dh: 3.0 * square + 16.8 * jd,
        dq_dj: 12.0 * mu * d + 3.0 * square - 8.4 * d * d + 16.8 * jd - 0.5 * (1.0 + 2.0 * mu + 3.0 * square),
    }
}

/// a with h(a) = `h` at fixed `j`: Newton's method for ln(h/(1−j−h)) as a function of ln a, which is
/// nearly a straight line of slope 1 or 2 everywhere, within bounds that close in on the root.
fn solve(h: f64, j: f64) -> f64 {
    let limit = 1.0 - j;
    if h <= 0.0 {
        return SMALLEST_A;
    }
    let target = (h / (limit - h)).ln();
    let (mut low, mut high) = (SMALLEST_A.ln(), LARGEST_A.ln());
    let scaled = h / limit;
    let mut log_a = (scaled * (3.0 - scaled * scaled) / (1.0 - scaled * scaled)).ln().clamp(low, high);
    for _ in 0..100 {
        let a = log_a.exp();
        let (flux, slope) = Distribution::new(a, j).flux();
        let gap = limit - flux;
        if flux < h {
            low = log_a
        } else {
            high = log_a
        }
        let step = (target - (flux / gap).ln()) * flux * gap / (limit * a * slope);
        let newton = log_a + step;
        if newton >= low && newton <= high {
            log_a = newton;
            // The error that is left is of the order of the square of the step.
            if step.abs() < LAST_STEP {
                break;
            }
        } else {
            log_a = 0.5 * (low + high);
        }
    }
    log_a.exp()
}

/// f = 1/(e^{at−u} + 1) in t = 1 − μ.
struct Distribution {
    a: f64,
    j: f64,
    u: f64,
}

/// One point of a quadrature in μ.
struct Point {
    t: f64,
    weight: f64,
    /// f/j.
    relative: f64,
    /// 1 − f.
    vacancy: f64,
}

impl Distribution {
    fn new(a: f64, j: f64) -> Self {
        let filled = 2.0 * a * j;
        let u = filled + (-(-filled).exp_m1()).ln() - (-(-2.0 * a * (1.0 - j)).exp_m1()).ln();
        Self { a, j, u }
    }

    /// Calls `add` for all points of the quadrature ½∫dμ.
    fn integrate(&self, mut add: impl FnMut(Point)) {
        let edge = self.u.clamp(0.0, 2.0 * self.a);
        let (first, last) = (-edge, 2.0 * self.a - edge);
        let mut start = first;
        for end in PANELS.into_iter().chain([last]) {
            let end = end.clamp(first, last);
            if end > start {
                self.panel(edge, start, end, &mut add);
                start = end;
            }
        }
    }

    /// Points between x = `edge` + `start` and `edge` + `end`. Exponents are formed from the distance to
    /// the edge, which is exact for large u.
    fn panel(&self, edge: f64, start: f64, end: f64, add: &mut impl FnMut(Point)) {
        let (middle, half) = (0.5 * (start + end), 0.5 * (end - start));
        for (node, weight) in GAUSS.iter() {
            let x = middle + half * node;
            let exponential = (x + (edge - self.u)).exp();
            let f = 1.0 / (1.0 + exponential);
            let vacancy = if exponential.is_finite() { exponential * f } else { 1.0 };
            let (t, weight) = (edge / self.a + x / self.a, 0.5 * half * weight / self.a);
            add(Point { t, weight, relative: f / self.j, vacancy });
        }
    }

    /// h and its derivative to a at fixed j. The number is 1 up to the rounding of u, which is divided out.
    fn flux(&self) -> (f64, f64) {
        let (mut number, mut t, mut w) = (0.0, 0.0, [0.0; 3]);
        self.integrate(|p| {
            let weight = p.weight * p.relative;
            number += weight;
            t += weight * p.t;
            let weight = weight * p.vacancy;
            w.iter_mut().zip([1.0, p.t, p.t * p.t]).for_each(|(w, power)| *w += weight * power);
        });
        (1.0 - t / number, (w[2] - w[1] * w[1] / w[0]) / number)
    }

    fn factors(&self) -> Factors {
        let (mut number, mut t, mut zeroth, mut first) = (0.0, [0.0; 3], 0.0, 0.0);
        self.integrate(|p| {
            let weight = p.weight * p.relative;
            number += weight;
            let powers = [p.t, p.t * p.t, p.t * p.t * p.t];
            t.iter_mut().zip(powers).for_each(|(sum, power)| *sum += weight * power);
            zeroth += weight * p.vacancy;
            first += weight * p.vacancy * p.t;
        });
        let t = t.map(|sum| sum / number);
        let mean = first / zeroth;
        let central = self.central(mean);
        let (skew, fourth) = (central[1] / central[0], central[2] / central[0]);
        let mu = 1.0 - mean;
        let (k_h, l_h) = (2.0 * mu + skew, 3.0 * mu * mu + 3.0 * mu * skew + fourth);
        let (k_j, l_j) = self.to_occupation(mean, &central, zeroth, skew, fourth);
        Factors {
            chi: 1.0 - 2.0 * t[0] + t[1],
            q: 1.0 - 3.0 * t[0] + 3.0 * t[1] - t[2],
            dchi_dh: k_h,
            dchi_dj: k_j,
            dq_dh: l_h,
            dq_dj: l_j,
        }
    }

    /// ½∫ (f/j)(1−f) dⁿ dμ for n = 2, 3, 4, where d = μ − its mean.
    fn central(&self, mean: f64) -> [f64; 3] {
        let mut central = [0.0; 3];
        self.integrate(|p| {
            let (weight, d) = (p.weight * p.relative * p.vacancy, mean - p.t);
            central.iter_mut().zip([d * d, d * d * d, d * d * d * d]).for_each(|(c, d)| *c += weight * d);
        });
        central
    }

    /// ∂χ/∂j and ∂q/∂j at fixed h. In d the residuals are d² − V₂/V₀ − (V₃/V₂)d for μ², and for μ³ the
    /// same times 3m, plus d³ − V₃/V₀ − (V₄/V₂)d.
    fn to_occupation(
        &self,
        mean: f64,
        central: &[f64; 3],
        zeroth: f64,
        skew: f64,
        fourth: f64,
    ) -> (f64, f64) {
        let (second, third) = (central[0] / zeroth, central[1] / zeroth);
        let (mut quadratic, mut cubic) = (0.0, 0.0);
        self.integrate(|p| {
            let (weight, d) = (p.weight * p.relative * p.relative, mean - p.t);
            quadratic -= weight * (d * d - second - skew * d);
            cubic -= weight * (d * d * d - third - fourth * d);
        });
        (quadratic, cubic + 3.0 * (1.0 - mean) * quadratic)
    }
}
