//! The leakage schemes and their names.

use std::str::FromStr;

use crate::error::Error;

/// A leakage scheme; docs/leakage.md has the equations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// The smaller of production and diffusion, at each energy.
    Bottleneck,
    /// Half the harmonic mean of production and diffusion, at each energy.
    Interpolated,
    /// [`Scheme::Bottleneck`] of energy-integrated rates, with one spectrum-averaged opacity.
    BottleneckGray,
    /// [`Scheme::Interpolated`] of energy-integrated rates, with one spectrum-averaged opacity.
    InterpolatedGray,
    /// Gray, with opacities averaged separately for number and energy.
    Ruffert,
    /// Gray, with the energy integral of the energy-resolved diffusion rate.
    Rosswog,
    /// As [`Scheme::Rosswog`] with twice its diffusion time, and with parametrised heating.
    OConnorOtt,
}

impl Scheme {
    /// All schemes.
    pub const ALL: [Self; 7] = [
        Self::Bottleneck,
        Self::Interpolated,
        Self::BottleneckGray,
        Self::InterpolatedGray,
        Self::Ruffert,
        Self::Rosswog,
        Self::OConnorOtt,
    ];

    /// The name in command lines and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bottleneck => "bottleneck",
            Self::Interpolated => "interpolated",
            Self::BottleneckGray => "bottleneck_gray",
            Self::InterpolatedGray => "interpolated_gray",
            Self::Ruffert => "ruffert",
            Self::Rosswog => "rosswog",
            Self::OConnorOtt => "oconnor_ott",
        }
    }

    /// Where the scheme is described.
    pub fn reference(self) -> &'static str {
        match self {
            Self::Bottleneck | Self::Interpolated => "Perego, Cabezon & Kaeppeli 2016, ApJS 223, 22",
            Self::BottleneckGray | Self::InterpolatedGray => {
                "van Riper & Lattimer 1981, ApJ 249, 270; Ruffert, Janka & Schaefer 1996, A&A 311, 532"
            }
            Self::Ruffert => "Ruffert, Janka & Schaefer 1996, A&A 311, 532",
            Self::Rosswog => "Rosswog & Liebendoerfer 2003, MNRAS 342, 673",
            Self::OConnorOtt => "O'Connor & Ott 2010, Class. Quantum Grav. 27, 114103",
        }
    }

    /// Whether production and diffusion are compared at each energy.
    pub fn resolved(self) -> bool {
        matches!(self, Self::Bottleneck | Self::Interpolated)
    }

    /// Whether matter is heated by the neutrinos that pass it.
    pub fn heats(self) -> bool {
        self == Self::OConnorOtt
    }

    /// a in the diffusion time a τ²/(c κ).
    pub(super) fn diffusion_factor(self) -> f64 {
        match self {
            Self::OConnorOtt => 6.0,
            _ => 3.0,
        }
    }

    /// The effective rate, where producing takes `ratio` times less time than diffusing: `production`
    /// for `ratio` = 0, production/`ratio`, the diffusion rate, for large ones.
    pub(super) fn limited(self, production: f64, ratio: f64) -> f64 {
        match self {
            Self::Bottleneck | Self::BottleneckGray => production / ratio.max(1.0),
            _ => production / (1.0 + ratio),
        }
    }
}

impl std::fmt::Display for Scheme {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Scheme {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|scheme| scheme.name() == text).ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(|scheme| scheme.name()).collect();
            Error::field("leakage scheme", text, format!("one of {}", names.join(", ")))
        })
    }
}
