//! Flux limiters: the flux factor h = |H|/J as a function of R = |s·∇J|/(κ_tr J), with h = R/3 where R is
//! small and h → 1 where it is large.

use std::str::FromStr;

use crate::error::Error;
use crate::methods::closures::minerbo::inverse_langevin;

/// A flux limiter λ(R) = h/R.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Limiter {
    /// λ = (coth R − 1/R)/R, from f ∝ 1/(coth R − μ).
    LevermorePomraning,
    /// λ = 1/(3 + R), and no more flux than radiation has that fills the directions of the neutrinosphere
    /// as seen from r: h ≤ ½(1 + μ_s).
    Bruenn,
    /// λ = 1/(3 + R).
    Wilson,
}

/// h and its derivatives at one R.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Opening {
    pub h: f64,
    /// dh/dR.
    pub slope: f64,
    /// R dh/dR, which has a limit (0) at infinite R.
    pub scaled_slope: f64,
    /// Eddington factor, and its derivative to h.
    pub chi: f64,
    pub chi_by_h: f64,
}

/// Below this R, the series of coth R − 1/R is exact in double precision.
const SERIES: f64 = 0.3;
/// Above this R, coth R = 1.
const SATURATED: f64 = 40.0;
/// Above this R, the Eddington factor has its slope of free streaming.
const STRAIGHT: f64 = 1e6;

impl Limiter {
    /// All limiters.
    pub const ALL: [Self; 3] = [Self::LevermorePomraning, Self::Bruenn, Self::Wilson];

    /// The name on the command line and in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::LevermorePomraning => "levermore_pomraning",
            Self::Bruenn => "bruenn",
            Self::Wilson => "wilson",
        }
    }

    /// Where it comes from.
    pub fn reference(self) -> &'static str {
        match self {
            Self::LevermorePomraning => "Levermore & Pomraning 1981, ApJ 248, 321",
            Self::Bruenn => {
                "Bruenn 1985, ApJS 58, 771; with the geometric limit in the form of his code MGFLD (routine diffc)"
            }
            Self::Wilson => "Wilson, Couch, Cochran, Le Blanc & Barkat 1975, Ann. N.Y. Acad. Sci. 262, 54",
        }
    }

    /// Flux factor at `ratio` = R ≥ 0 (also infinite), at most `cap`, with the Eddington factor
    /// χ = λ + λ²R² (Levermore 1984, JQSRT 31, 149) of that flux factor.
    pub fn opening(self, ratio: f64, cap: f64) -> Opening {
        match self {
            Self::LevermorePomraning => levermore_pomraning(ratio),
            Self::Wilson | Self::Bruenn => {
                let free = 3.0 / (3.0 + ratio);
                let (h, slope, scaled_slope) = (1.0 - free, free * free / 3.0, free * (1.0 - free));
                if h > cap { rational(cap, 0.0, 0.0) } else { rational(h, slope, scaled_slope) }
            }
        }
    }

    /// (χ, L/J) at the flux factor `h` (signed): those of the distribution behind Levermore's and
    /// Pomraning's limiter, otherwise χ = (1 − |h|)/3 + h² and L/J between its values for nearly isotropic
    /// and for free-streaming radiation.
    pub fn factors(self, h: f64) -> (f64, f64) {
        let size = h.abs().min(1.0);
        if self != Self::LevermorePomraning {
            let chi = (1.0 - size) / 3.0 + size * size;
            return (chi, h.clamp(-1.0, 1.0) * (2.0 + 3.0 * chi) / 5.0);
        }
        let ratio = inverse_langevin(size);
        let chi = levermore_pomraning(ratio).chi;
        // L/J = χ coth R − 1/(3R), which is R/5 + R³/105 − … where R is small.
        let q = if ratio < 0.02 {
            ratio / 5.0 + ratio.powi(3) / 105.0
        } else {
            size * chi + (chi - 1.0 / 3.0) / ratio
        };
        (chi, if h < 0.0 { -q } else { q })
    }
}

/// χ = (1 − h)/3 + h².
fn rational(h: f64, slope: f64, scaled_slope: f64) -> Opening {
    Opening { h, slope, scaled_slope, chi: (1.0 - h) / 3.0 + h * h, chi_by_h: 2.0 * h - 1.0 / 3.0 }
}

/// h = coth R − 1/R, χ = h/R + h², dh/dR = 1/R² − 1/sinh²R = 1 − h² − 2h/R.
fn levermore_pomraning(ratio: f64) -> Opening {
    let (over_ratio, slope, chi_by_h) = if ratio < SERIES {
        let r2 = ratio * ratio;
        // Bernoulli numbers: coth R − 1/R = R/3 − R³/45 + 2R⁵/945 − R⁷/4725 + 2R⁹/93555 − …
        let coefficients =
            [1.0 / 3.0, -1.0 / 45.0, 2.0 / 945.0, -1.0 / 4725.0, 2.0 / 93555.0, -1382.0 / 638_512_875.0];
        let horner = |of: &dyn Fn(usize) -> f64| (0..6).rev().fold(0.0, |sum, n| sum * r2 + of(n));
        let over_ratio = horner(&|n| coefficients[n]);
        let slope = horner(&|n| coefficients[n] * (2 * n + 1) as f64);
        // R d(h/R)/dR = slope − h/R.
        let curvature = horner(&|n| if n < 5 { coefficients[n + 1] * (2 * n + 2) as f64 } else { 0.0 });
        (over_ratio, slope, ratio * curvature / slope + 2.0 * over_ratio * ratio)
    } else {
        let coth = if ratio > SATURATED { 1.0 } else { 1.0 / ratio.tanh() };
        let sinh = if ratio > SATURATED { f64::INFINITY } else { ratio.sinh() };
        let h = coth - 1.0 / ratio;
        let slope = 1.0 / (ratio * ratio) - 1.0 / (sinh * sinh);
        // (h/R)′/h′ → −1 where R is large.
        let by_h = if ratio > STRAIGHT { -1.0 } else { (slope * ratio - h) / (ratio * ratio * slope) };
        (h / ratio, slope, by_h + 2.0 * h)
    };
    let h = if ratio.is_finite() { over_ratio * ratio } else { 1.0 };
    let scaled_slope = if ratio.is_finite() { slope * ratio } else { 0.0 };
    Opening { h, slope, scaled_slope, chi: over_ratio + h * h, chi_by_h }
}

impl FromStr for Limiter {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|limiter| limiter.name() == name).ok_or_else(|| {
            let valid: Vec<_> = Self::ALL.iter().map(|limiter| limiter.name()).collect();
            Error::field("limiter", name, valid.join(", "))
        })
    }
}
