//! The steady state by the formal solution along geodesics (tangent rays; Schinder & Bludman 1989, ApJ
//! 346, 350): a second method that shares with the discontinuous Galerkin one only the [`Setup`]'s
//! background, opacities, boundaries and species. docs/characteristics.md derives it.
//!
//! | file | what |
//! | --- | --- |
//! | `medium`, `tables` | background and opacities on panels |
//! | `trace` | the formal solution along one ray |
//! | `angles` | integrals over the angle cosine |
//! | `field` | J and H on a mesh: the source of scattering |
//! | `scattering` | J and H by (I − Λ)x = b |
//! | `sweep` | the same with rays that all nodes share |
//! | `projection` | spectra at shifted energies, conserving number |
//! | `segment` | the formal solution through one piece of such a ray |
//! | `level` | everything at one tolerance |
//! | `integrated` | integrals over the energy |
//! | `result` | the dataset |

mod angles;
mod field;
mod integrated;
mod level;
mod medium;
mod projection;
mod result;
mod rules;
mod scattering;
mod segment;
mod sweep;
mod swept;
mod tables;
mod trace;

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};
use crate::methods::setup::Setup;
use crate::output::dataset::Dataset;
use crate::progress::Observer;
use level::{Level, Quadrature};
use swept::Swept;

/// How exact the solution has to be; as text the tolerance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// Relative tolerance of angular integrals; those along rays are finer. Between 1e-12 and 1e-2.
    pub tolerance: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { tolerance: 1e-9 }
    }
}

impl Settings {
    /// # Errors
    /// [`Error::Field`] for a tolerance out of bounds.
    fn check(&self) -> Result<()> {
        if (1e-12..=1e-2).contains(&self.tolerance) {
            return Ok(());
        }
        Err(Error::field("tolerance", self.tolerance, "between 1e-12 and 1e-2"))
    }
}

impl FromStr for Settings {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let tolerance = text.parse().map_err(|_| "valid: a number such as 1e-7".to_owned())?;
        let settings = Self { tolerance };
        settings.check().map_err(|error| error.to_string())?;
        Ok(settings)
    }
}

impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:e}", self.tolerance)
    }
}

/// By how much the tolerance of the second solution is larger, whose difference is the error estimate.
const LOOSER: f64 = 30.0;

/// A solved problem: f at any point of phase space, and what follows from it.
pub struct Solution<'a> {
    setup: &'a Setup,
    fine: Level<'a>,
    loose: Level<'a>,
}

/// Solves `setup` for its steady state.
///
/// # Errors
/// [`Error::Field`] for a tolerance out of bounds; [`Error::Interrupted`]; opacities that cannot be
/// evaluated; [`Error::Numerical`] where the scattering does not converge.
pub fn solve<'a>(setup: &'a Setup, settings: &Settings, observer: &dyn Observer) -> Result<Solution<'a>> {
    settings.check()?;
    let fine = Level::solve(setup, settings.tolerance, 0, observer)?;
    let loose = Level::solve(setup, settings.tolerance * LOOSER, 1, observer)?;
    Ok(Solution { setup, fine, loose })
}

impl Solution<'_> {
    /// f of species number `species` at radius `r` (internal length), comoving cosine `mu` and comoving
    /// energy `energy`, and its estimated error.
    ///
    /// # Errors
    /// A point outside the grid's radii, |μ| > 1, an energy that is not positive, no such species.
    pub fn f(&self, species: usize, r: f64, mu: f64, energy: f64) -> Result<(f64, f64)> {
        self.check(species, r, energy)?;
        if mu.is_nan() || mu.abs() > 1.0 {
            return Err(Error::field("mu", mu, "between -1 and 1"));
        }
        let of = |level: &Level| level.f(species, r, mu, &[energy])[0];
        let value = of(&self.fine);
        Ok((value, result::error_estimate([value, of(&self.loose), value], self.fine.tolerance)))
    }

    /// J, H, K, L = ½∫f {1, μ, μ², μ³} dμ in the comoving frame, each with its estimated error.
    ///
    /// # Errors
    /// As [`Solution::f`].
    pub fn moments(&self, species: usize, r: f64, energy: f64) -> Result<[(f64, f64); 4]> {
        self.check(species, r, energy)?;
        let of = |level: &Level| match Swept::new(level, &[r]) {
            Some(swept) => Quadrature::exact(swept.at(species, 0, &[energy])),
            None => level.moments(species, r, &[energy]),
        };
        let (fine, loose) = (of(&self.fine), of(&self.loose));
        Ok(std::array::from_fn(|n| {
            let values = [fine.values[0][n], loose.values[0][n], fine.embedded[0][n]];
            (values[0], result::error_estimate(values, self.fine.tolerance))
        }))
    }

    /// The dataset at the problem's nodes, without provenance: the variables of docs/reference_format.md
    /// and `<name>_error` beside each; with the group `samples` where `sample_radii` (internal) are asked
    /// for; with f where `distribution` says so.
    ///
    /// # Errors
    /// A sample radius outside the grid; [`Error::Interrupted`]; a result that is not finite.
    pub fn dataset(
        &self,
        sample_radii: &[f64],
        distribution: bool,
        observer: &dyn Observer,
    ) -> Result<Dataset> {
        result::dataset(self, sample_radii, distribution, observer)
    }

    /// The part of [`Solution::dataset`] at `radii` (internal, ascending) over the dimension `r_sample`:
    /// the layout of the group `samples`, complete by itself (species, energy and mu included).
    ///
    /// # Errors
    /// As [`Solution::dataset`].
    pub fn dataset_at(&self, radii: &[f64], distribution: bool, observer: &dyn Observer) -> Result<Dataset> {
        result::dataset_at(self, radii, distribution, observer)
    }

    fn check(&self, species: usize, r: f64, energy: f64) -> Result<()> {
        if species >= self.setup.phase_space.species.len() {
            return Err(Error::field("species", species, "a species of the problem"));
        }
        if !(energy > 0.0 && energy.is_finite()) {
            return Err(Error::field("energy", energy, "a positive energy"));
        }
        self.check_radius(r)
    }

    fn check_radius(&self, r: f64) -> Result<()> {
        let edges = &self.setup.phase_space.radial.edges;
        let (inner, outer) = (edges[0], edges[edges.len() - 1]);
        if (inner..=outer).contains(&r) {
            return Ok(());
        }
        Err(Error::field("outputs.sample_radii", r, format!("radii between {inner} and {outer}")))
    }
}
