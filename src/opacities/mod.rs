//! Interaction coefficients of the matter with neutrinos.

use crate::background::MatterState;
use crate::error::Result;
use crate::problem::file::Flavour;

/// Where a coefficient is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Query<'a> {
    /// Index into the problem's species.
    pub species: usize,
    pub flavour: Flavour,
    /// Areal radius, internal length.
    pub r: f64,
    /// Comoving energy, internal.
    pub energy: f64,
    /// Edges of the solver's energy element around `energy`, for group-averaged coefficients.
    pub energy_element: Option<(f64, f64)>,
    /// Static lapse at `r`.
    pub lapse: f64,
    /// The matter at `r`, where the problem has any.
    pub matter: Option<&'a MatterState>,
}

/// Coefficients at one point, in 1/length. Coefficients of several sources add.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct LocalOpacity {
    /// κ* = η + χ, corrected for stimulated absorption.
    pub absorption: f64,
    /// η = κ* f_eq.
    pub emissivity: f64,
    /// σ₀.
    pub scattering: f64,
    /// σ₁.
    pub scattering_first: f64,
}

impl std::ops::AddAssign for LocalOpacity {
    fn add_assign(&mut self, other: Self) {
        self.absorption += other.absorption;
        self.emissivity += other.emissivity;
        self.scattering += other.scattering;
        self.scattering_first += other.scattering_first;
    }
}

/// One process, table or formula that gives opacities.
pub trait OpacitySource: Send + Sync + std::fmt::Debug {
    /// Coefficients at `query`; finite and non-negative (σ₁ may be negative), or an error.
    fn at(&self, query: &Query) -> Result<LocalOpacity>;

    /// One line for `tolman check` and the output file.
    fn describe(&self) -> String;

    /// Radii at which the coefficients jump.
    fn discontinuities(&self) -> Vec<f64> {
        Vec::new()
    }
}
