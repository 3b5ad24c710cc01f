//! The static background that neutrinos move through: metric, fluid velocity, matter.
//!
//! docs/backgrounds.md derives the formulas and says how tables are read and interpolated.

mod composition;
mod consistency;
pub mod equation_of_state;
mod fluid_metric;
mod geometric;
mod interpolate;
mod matter;
mod metric;
pub mod nuclear_equilibrium;
mod profile;
mod profile_columns;
pub(crate) mod quadrature;
pub(crate) mod table;
mod velocity;

use self::composition::AssumedComposition;
pub use self::consistency::{Contradiction, ContradictionKind};
use self::matter::Matter;
use self::metric::Metric;
use self::velocity::Velocity;
use crate::error::{Error, Result};
use crate::problem::BuildContext;
use crate::problem::file::{BackgroundFile, CompositionFile, VelocityFile};
use crate::units::UnitSystem;

/// Radii at which [`Background::check_range`] looks, evenly spaced and again in geometric progression.
const CHECKED_RADII: usize = 2000;
/// Relative distance from a discontinuity at which its two sides are looked at.
const BESIDE: f64 = 1e-12;
/// By how much the grid may leave a profile's range through round-off of units.
const RANGE_TOLERANCE: f64 = 1e-10;
/// Largest |v| at r = 0, where a velocity has no direction.
const CENTRAL_VELOCITY_TOLERANCE: f64 = 1e-10;

/// State of the matter at one radius, in external units. Fractions are mass fractions.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct MatterState {
    /// Baryon rest-mass density [g/cm³].
    pub density: f64,
    /// Temperature \[MeV\].
    pub temperature: f64,
    /// Electrons per baryon.
    pub electron_fraction: f64,
    pub neutron_fraction: f64,
    pub proton_fraction: f64,
    pub alpha_fraction: f64,
    pub heavy_fraction: f64,
    /// Mass number and charge of the representative heavy nucleus; 0 where there is none.
    pub heavy_mass_number: f64,
    pub heavy_charge: f64,
    /// Chemical potentials given by the profile \[MeV\], each with its own rest mass; `None` where the
    /// rates have to find them from density, temperature and composition.
    pub electron_chemical_potential: Option<f64>,
    pub neutron_chemical_potential: Option<f64>,
    pub proton_chemical_potential: Option<f64>,
}

/// Metric ds² = −α²dt² + X²dr² + r²dΩ², fluid velocity and matter as functions of the areal radius r in
/// internal length (cm, or the problem's own unit). Nothing here changes in time.
#[derive(Debug, Clone)]
pub struct Background {
    metric: Metric,
    velocity: Velocity,
    matter: Matter,
    discontinuities: Vec<f64>,
    /// Whether metric or velocity are unknown outside the tabulated profile.
    bound_to_profile: bool,
    units: UnitSystem,
}

impl Background {
    /// Builds the background of a problem file; a profile's table is read here.
    ///
    /// # Errors
    /// [`Error::Field`] with the place in the problem file, [`Error::File`] for an unusable table.
    pub fn build(file: &BackgroundFile, context: &BuildContext) -> Result<Self> {
        let units = context.units;
        let matter = Matter::build(&file.matter, context)?;
        let metric = Metric::build(&file.metric, &matter, units)?;
        let velocity = Velocity::build(&file.velocity, &matter, units)?;
        let path = "background.discontinuities";
        let declared = file.discontinuities.as_ref().map(|list| list.lengths(units, path)).transpose()?;
        let declared = declared.unwrap_or_default();
        if let Some(negative) = declared.iter().find(|r| **r < 0.0) {
            return Err(Error::field(path, negative, "radii that are not negative"));
        }
        let discontinuities =
            sorted([declared, metric.surfaces(), velocity.kinks(), matter.edges()].concat());
        let bound_to_profile = metric.is_tabulated() || matches!(file.velocity, VelocityFile::FromProfile);
        Ok(Self { metric, velocity, matter, discontinuities, bound_to_profile, units })
    }

    /// α(r), the static observers' lapse; continuous. NaN inside a horizon, which
    /// [`Background::check_range`] refuses.
    pub fn lapse(&self, r: f64) -> f64 {
        self.metric.lapse(r)
    }

    /// X(r) = (1 − 2m/r)^(−1/2); may jump at [`Background::discontinuities`].
    pub fn radial_metric(&self, r: f64) -> f64 {
        self.metric.radial_metric(r)
    }

    /// v(r) of the fluid in units of c, measured by static observers; continuous.
    pub fn velocity(&self, r: f64) -> f64 {
        self.velocity.at(r)
    }

    /// The matter at r; `None` where there is none, where a profile lacks density, temperature or Y_e, and beyond
    /// the range of nuclear statistical equilibrium, which [`Background::check_range`] refuses.
    pub fn matter(&self, r: f64) -> Option<MatterState> {
        self.matter.at(r).ok().flatten()
    }

    /// Ascending positive radii where elements must end: declared ones, surfaces of the metric, kinks of
    /// the velocity, edges of the matter.
    pub fn discontinuities(&self) -> &[f64] {
        &self.discontinuities
    }

    /// Zone edges of a tabulated profile that has them, ascending.
    pub fn zone_edges(&self) -> Option<&[f64]> {
        self.matter.profile()?.points.edges.as_deref()
    }

    /// Radii of a tabulated profile's points, ascending; metric and velocity may kink there.
    pub fn profile_radii(&self) -> &[f64] {
        self.matter.profile().map_or(&[], |profile| &profile.points.radii)
    }

    /// GM/c² of the whole background, a length.
    pub fn gravitational_mass(&self) -> f64 {
        self.metric.gravitational_mass()
    }

    /// Checks that the background can carry a grid from `inner` to `outer`: lapse > 0, 2m < r, |v| < 1,
    /// no velocity at r = 0, finite matter, and a profile that covers the range where metric or velocity
    /// come from it. Sampled at some thousand radii, at all discontinuities and at all points of a table.
    ///
    /// # Errors
    /// The radius, the value and what is valid.
    pub fn check_range(&self, inner: f64, outer: f64) -> Result<()> {
        self.check_coverage(inner, outer)?;
        if inner == 0.0 && self.velocity(0.0).abs() > CENTRAL_VELOCITY_TOLERANCE {
            let found = format!("v/c = {} at r = 0", self.velocity(0.0));
            return Err(Error::field("background.velocity", found, "0 at the centre"));
        }
        self.sampled_radii(inner, outer).into_iter().try_for_each(|r| self.check_at(r))
    }

    /// Where a profile's composition and chemical potentials contradict each other, the largest difference of
    /// each kind at the profile's points between `inner` and `outer`; empty for matter that is no profile.
    pub fn contradictions(&self, inner: f64, outer: f64) -> Vec<Contradiction> {
        let Some(profile) = self.matter.profile().filter(|_| self.units.physical) else { return Vec::new() };
        let radii = profile.points.radii.iter().copied().filter(|r| (inner..=outer).contains(r));
        consistency::contradictions(radii.filter_map(|r| Some((r, self.matter(r)?))))
    }

    /// Lines for people: metric, velocity, matter.
    pub fn describe(&self) -> String {
        let length = if self.units.physical { " cm" } else { "" };
        format!(
            "metric: {}\nvelocity: {}\nmatter: {}",
            self.metric.describe(length),
            self.velocity.describe(length),
            self.matter.describe(self.units)
        )
    }

    fn check_coverage(&self, inner: f64, outer: f64) -> Result<()> {
        let Some(profile) = self.matter.profile().filter(|_| self.bound_to_profile) else { return Ok(()) };
        let (first, last) = (profile.points.inner_radius(), profile.points.outer_radius());
        if inner >= first * (1.0 - RANGE_TOLERANCE) && outer <= last * (1.0 + RANGE_TOLERANCE) {
            return Ok(());
        }
        Err(Error::field(
            "background.matter.file",
            format!("a profile from r = {first} to {last} under a grid from {inner} to {outer}"),
            "a grid within the profile, as metric or velocity are taken from it",
        ))
    }

    fn sampled_radii(&self, inner: f64, outer: f64) -> Vec<f64> {
        let start = if inner > 0.0 { inner } else { outer / CHECKED_RADII as f64 };
        let fractions = (0..=CHECKED_RADII).map(|i| i as f64 / CHECKED_RADII as f64);
        let mut radii: Vec<f64> = fractions
            .flat_map(|part| [inner + part * (outer - inner), start * (outer / start).powf(part)])
            .collect();
        radii.extend(self.discontinuities.iter().flat_map(|r| [r * (1.0 - BESIDE), *r, r * (1.0 + BESIDE)]));
        radii.extend(self.matter.profile().iter().flat_map(|profile| &profile.points.radii));
        radii.retain(|r| (inner..=outer).contains(r));
        sorted(radii)
    }

    fn check_at(&self, r: f64) -> Result<()> {
        let complain = |part: &str, found: String, valid: &str| {
            Err(Error::field(format!("background.{part}"), format!("{found} at r = {r:.6e}"), valid))
        };
        let (compactness, lapse, v) = (self.metric.compactness(r), self.lapse(r), self.velocity(r));
        if compactness.is_nan() || compactness >= 1.0 {
            return complain(
                "metric",
                format!("2Gm/(rc²) = {compactness}"),
                "below 1, outside every horizon",
            );
        }
        if !(lapse > 0.0 && lapse.is_finite()) {
            return complain("metric", format!("lapse {lapse}"), "a positive lapse");
        }
        if v.is_nan() || v.abs() >= 1.0 {
            return complain("velocity", format!("v/c = {v}"), "|v/c| below 1");
        }
        match self.matter.at(r).map_err(|error| at_radius(error, r))? {
            Some(state) if !(state.density.is_finite() && state.temperature.is_finite()) => complain(
                "matter",
                format!("density {} and temperature {}", state.density, state.temperature),
                "finite values",
            ),
            _ => Ok(()),
        }
    }
}

/// Matter of `density` [g/cm³], `temperature` \[MeV\] and electron fraction with an assumed composition.
///
/// # Errors
/// Matter beyond the range of nuclear statistical equilibrium.
pub fn assumed_matter(
    composition: CompositionFile,
    density: f64,
    temperature: f64,
    electron_fraction: f64,
) -> Result<MatterState> {
    AssumedComposition::build(composition, UnitSystem::PHYSICAL, "composition")?.matter(
        density,
        temperature,
        electron_fraction,
    )
}

/// Adds the radius to an invalid value.
fn at_radius(error: Error, r: f64) -> Error {
    match error {
        Error::Field { path, found, valid } => Error::field(path, format!("{found} at r = {r:.6e}"), valid),
        other => other,
    }
}

/// Ascending, without repetition, zero and negative values.
fn sorted(mut radii: Vec<f64>) -> Vec<f64> {
    radii.retain(|r| *r > 0.0);
    radii.sort_by(f64::total_cmp);
    radii.dedup();
    radii
}
