//! Closures of the moment equations: the second and third angular moment as functions of the first two.
//!
//! With the flux factor h = H/J and the occupation j = J (zeroth moment of f, 0 ≤ j ≤ 1), a closure gives
//! the Eddington factor χ = K/J and the third moment q = L/J. Closures that come from a distribution
//! ([`Closure::Minerbo`], [`Closure::Levermore`], [`Closure::MaximumEntropyFermi`],
//! [`Closure::MaximumPacking`]) take both from it. The others only define χ; their q interpolates between
//! its values for nearly isotropic (3h/5) and free-streaming radiation (h), with the weights (3χ−1)/2 and
//! 3(1−χ)/2 that give χ from 1/3 and 1 (the usual choice, e.g. Just, Obergaulinger & Janka 2015,
//! MNRAS 453, 3386).
//!
//! Speeds of the moment system are real and at most 1 in magnitude for all closures but the two fits of
//! Janka: those rise at h → 1 with χ' > 2, faster than h², so that their largest speed is χ' − 1 > 1
//! there and χ < h², which no distribution has ([`Closure::is_causal`]).

mod fermi;
mod fits;
mod levermore;
pub(crate) mod minerbo;

use std::str::FromStr;

use crate::error::Error;

/// A closure of the equations for J and H.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Closure {
    /// Maximum entropy of classical particles: f ∝ e^{aμ}.
    Minerbo,
    /// Radiation that is isotropic in some moving frame: intensity ∝ (1 − βμ)⁻⁴.
    Levermore,
    /// χ = (1 + 2h²)/3.
    Kershaw,
    /// χ = 1/3 − |h|/3 + h², of the limiter λ = 1/(3 + R).
    Wilson,
    /// First fit to Monte Carlo results: χ = (1 + ½h^1.3064 + (3/2)h^4.1342)/3.
    Janka1,
    /// Second fit: χ = (1 + h^1.345 + h^5.1717)/3.
    Janka2,
    /// Maximum entropy of fermions: f = 1/(e^{η−aμ} + 1), which depends on j too.
    MaximumEntropyFermi,
    /// Its completely degenerate limit, in which a cone of directions is full: j = 1 − |h|.
    MaximumPacking,
}

/// χ = K/J and q = L/J with their derivatives to h = H/J at fixed j = J, and to j at fixed h.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Factors {
    pub chi: f64,
    pub q: f64,
    pub dchi_dh: f64,
    pub dchi_dj: f64,
    pub dq_dh: f64,
    pub dq_dj: f64,
}

impl Factors {
    /// All values NaN.
    const NAN: Self = Self {
        chi: f64::NAN,
        q: f64::NAN,
        dchi_dh: f64::NAN,
        dchi_dj: f64::NAN,
        dq_dh: f64::NAN,
        dq_dj: f64::NAN,
    };

    /// Factors that do not depend on j.
    fn of_flux(chi: f64, q: f64, dchi_dh: f64, dq_dh: f64) -> Self {
        Self { chi, q, dchi_dh, dchi_dj: 0.0, dq_dh, dq_dj: 0.0 }
    }

    /// χ and its derivative at `h` ≥ 0, with the third moment between those of thick and thin radiation.
    fn interpolated(h: f64, chi: f64, dchi_dh: f64) -> Self {
        // q = h [(3χ−1)/2 + (3/5)·3(1−χ)/2] = h (2 + 3χ)/5.
        let ratio = (2.0 + 3.0 * chi) / 5.0;
        Self::of_flux(chi, h * ratio, dchi_dh, ratio + 0.6 * h * dchi_dh)
    }

    /// Mirror image: χ is even in h and q is odd. With `sign` = 0 the odd parts vanish.
    fn with_sign(self, sign: f64) -> Self {
        Self { q: sign * self.q, dchi_dh: sign * self.dchi_dh, dq_dj: sign * self.dq_dj, ..self }
    }
}

impl Closure {
    /// All closures.
    pub const ALL: [Self; 8] = [
        Self::Minerbo,
        Self::Levermore,
        Self::Kershaw,
        Self::Wilson,
        Self::Janka1,
        Self::Janka2,
        Self::MaximumEntropyFermi,
        Self::MaximumPacking,
    ];

    /// The name on the command line and in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Minerbo => "minerbo",
            Self::Levermore => "levermore",
            Self::Kershaw => "kershaw",
            Self::Wilson => "wilson",
            Self::Janka1 => "janka_1",
            Self::Janka2 => "janka_2",
            Self::MaximumEntropyFermi => "maximum_entropy_fermi",
            Self::MaximumPacking => "maximum_packing",
        }
    }

    /// Where the closure comes from.
    pub fn reference(self) -> &'static str {
        match self {
            Self::Minerbo => "Minerbo 1978, JQSRT 20, 541",
            Self::Levermore => "Levermore 1984, JQSRT 31, 149",
            Self::Kershaw => "Kershaw 1976, LLNL report UCRL-78378",
            Self::Wilson => {
                "Wilson, Couch, Cochran, Le Blanc & Barkat 1975, Ann. N.Y. Acad. Sci. 262, 54; as a closure: \
                 Smit, van den Horn & Bludman 2000, A&A 356, 559"
            }
            Self::Janka1 | Self::Janka2 => {
                "Janka 1991, PhD thesis, TU München; Janka, Dgani & van den Horn 1992, A&A 265, 345; \
                 coefficients as in Murchikova, Abdikamalov & Urbatsch 2017, MNRAS 469, 1725"
            }
            Self::MaximumEntropyFermi => "Cernohorsky & Bludman 1994, ApJ 433, 250",
            Self::MaximumPacking => "Smit, van den Horn & Bludman 2000, A&A 356, 559",
        }
    }

    /// Whether the speeds of the equations for J and H are real and not above that of light for every h.
    pub fn is_causal(self) -> bool {
        !matches!(self, Self::Janka1 | Self::Janka2)
    }

    /// Whether χ has a bounded second derivative at h = 0.
    pub fn is_smooth(self) -> bool {
        !matches!(self, Self::Wilson | Self::MaximumPacking | Self::Janka1 | Self::Janka2)
    }

    /// Largest |H| of a distribution that occurs in the closure with zeroth moment `j`: all of it forward, or, where
    /// f ≤ 1 is part of the closure, as much of it as there is room for. Negative where there is none.
    pub fn largest_flux(self, j: f64) -> f64 {
        if self.depends_on_occupation() { j * (1.0 - j) } else { j }
    }

    /// Whether it depends on the occupation j besides the flux factor.
    pub fn depends_on_occupation(self) -> bool {
        matches!(self, Self::MaximumEntropyFermi)
    }

    /// χ, q and their derivatives for `h` = H/J (signed) and the occupation `j` = J, on which only
    /// [`Closure::MaximumEntropyFermi`] depends.
    ///
    /// Values outside |h| ≤ 1, 0 ≤ j ≤ 1 and, where j counts, |h| ≤ 1 − j are moved to the edge of that
    /// set; the result is finite for all numbers and NaN where `h` or `j` is. Wilson's closure and maximum
    /// packing have a kink at h = 0, where `dchi_dh` is the mean of both sides, 0.
    pub fn factors(self, h: f64, j: f64) -> Factors {
        if h.is_nan() || j.is_nan() {
            return Factors::NAN;
        }
        let (size, occupation) = (h.abs().min(1.0), j.clamp(0.0, 1.0));
        let factors = match self {
            Self::Minerbo => minerbo::factors(size),
            Self::Levermore => levermore::factors(size),
            Self::Kershaw => fits::kershaw(size),
            Self::Wilson => fits::wilson(size),
            Self::Janka1 => fits::janka(size, 0.5, 1.3064, 4.1342),
            Self::Janka2 => fits::janka(size, 1.0, 1.345, 5.1717),
            Self::MaximumEntropyFermi => fermi::maximum_entropy(size, occupation),
            Self::MaximumPacking => fermi::maximum_packing(size),
        };
        factors.with_sign(if h == 0.0 { 0.0 } else { h.signum() })
    }
}

impl FromStr for Closure {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|closure| closure.name() == name).ok_or_else(|| {
            let valid: Vec<_> = Self::ALL.iter().map(|closure| closure.name()).collect();
            Error::field("closure", name, valid.join(", "))
        })
    }
}
