//! The static metric ds² = −α²dt² + X²dr² + r²dΩ²: closed forms, and the choice among them.

use super::fluid_metric::FluidMetric;
use super::geometric::{Gravity, PHOTON_SPHERE};
use super::matter::Matter;
use crate::error::{Error, Result};
use crate::problem::file::MetricFile;
use crate::problem::quantity::Quantity;
use crate::units::UnitSystem;

const PATH: &str = "background.metric";

/// α(r), X(r) and m(r); lengths throughout (G = c = 1).
#[derive(Debug, Clone)]
pub(super) enum Metric {
    Flat,
    Schwarzschild(Schwarzschild),
    UniformStar(UniformStar),
    Fluid(Box<FluidMetric>),
}

/// Vacuum around a mass: α = 1/X = √(1 − r_s/r), r_s = 2GM/c². Inside `core_radius` space is flat and
/// the lapse constant: the interior of a thin shell at rest that carries the mass.
#[derive(Debug, Clone, Copy)]
pub(super) struct Schwarzschild {
    gravitational_radius: f64,
    core_radius: Option<f64>,
}

/// Interior Schwarzschild solution, compactness C = 2GM/(Rc²) < 8/9, with the vacuum outside:
/// α = ½[3√(1−C) − √(1−Cr²/R²)], X = (1−Cr²/R²)^(−1/2) for r < R.
#[derive(Debug, Clone, Copy)]
pub(super) struct UniformStar {
    radius: f64,
    compactness: f64,
}

impl Metric {
    pub(super) fn build(file: &MetricFile, matter: &Matter, units: UnitSystem) -> Result<Self> {
        match file {
            MetricFile::Flat => Ok(Self::Flat),
            MetricFile::Schwarzschild { gravitational_radius, mass, core_radius } => {
                Ok(Self::Schwarzschild(Schwarzschild::build(
                    gravitational_radius.as_ref(),
                    mass.as_ref(),
                    core_radius.as_ref(),
                    units,
                )?))
            }
            MetricFile::UniformStar { radius, compactness, mass, density } => Ok(Self::UniformStar(
                UniformStar::build(radius, *compactness, mass.as_ref(), density.as_ref(), units)?,
            )),
            MetricFile::FromMatter => Ok(Self::Fluid(Box::new(FluidMetric::from_matter(matter, units)?))),
            MetricFile::FromProfile { lapse, radial_metric } => {
                let profile = matter.profile().ok_or_else(|| {
                    Error::field(
                        PATH,
                        "FromProfile without a profile",
                        "matter of a `Profile` with its columns",
                    )
                })?;
                let fluid = FluidMetric::from_profile(profile, *lapse, *radial_metric, units)?;
                Ok(Self::Fluid(Box::new(fluid)))
            }
        }
    }

    /// α(r).
    pub(super) fn lapse(&self, r: f64) -> f64 {
        match self {
            Self::Flat => 1.0,
            Self::Schwarzschild(vacuum) => vacuum.lapse(r),
            Self::UniformStar(star) => star.lapse(r),
            Self::Fluid(fluid) => fluid.lapse(r),
        }
    }

    /// 2m/r.
    pub(super) fn compactness(&self, r: f64) -> f64 {
        match self {
            Self::Flat => 0.0,
            Self::Schwarzschild(vacuum) => vacuum.compactness(r),
            Self::UniformStar(star) => star.compactness(r),
            Self::Fluid(fluid) => fluid.compactness(r),
        }
    }

    /// X(r) = (1 − 2m/r)^(−1/2).
    pub(super) fn radial_metric(&self, r: f64) -> f64 {
        1.0 / (1.0 - self.compactness(r)).sqrt()
    }

    /// GM/c² as seen from outside.
    pub(super) fn gravitational_mass(&self) -> f64 {
        match self {
            Self::Flat => 0.0,
            Self::Schwarzschild(vacuum) => 0.5 * vacuum.gravitational_radius,
            Self::UniformStar(star) => 0.5 * star.gravitational_radius(),
            Self::Fluid(fluid) => fluid.total_mass(),
        }
    }

    /// Radii where X jumps or the derivative of α does.
    pub(super) fn surfaces(&self) -> Vec<f64> {
        match self {
            Self::Flat => Vec::new(),
            Self::Schwarzschild(vacuum) => vacuum.core_radius.into_iter().collect(),
            Self::UniformStar(star) => vec![star.radius],
            Self::Fluid(fluid) => vec![fluid.outer_radius()],
        }
    }

    /// True where the metric is known only within the range of a tabulated profile.
    pub(super) fn is_tabulated(&self) -> bool {
        matches!(self, Self::Fluid(fluid) if fluid.is_tabulated())
    }

    pub(super) fn describe(&self, length: &str) -> String {
        match self {
            Self::Flat => "flat".to_owned(),
            Self::Schwarzschild(vacuum) => vacuum.describe(length),
            Self::UniformStar(star) => star.describe(length),
            Self::Fluid(fluid) => fluid.describe(length),
        }
    }
}

impl Schwarzschild {
    fn build(
        gravitational_radius: Option<&Quantity>,
        mass: Option<&Quantity>,
        core_radius: Option<&Quantity>,
        units: UnitSystem,
    ) -> Result<Self> {
        let (path, gravitational_radius) = match (gravitational_radius, mass) {
            (Some(radius), None) => {
                ("gravitational_radius", radius.length(units, &field("gravitational_radius"))?)
            }
            (None, Some(mass)) => ("mass", 2.0 * Gravity(units).mass(mass, &field("mass"))?),
            (Some(_), Some(_)) => return Err(exactly_one("both", "`gravitational_radius` or `mass`")),
            (None, None) => return Err(exactly_one("neither", "`gravitational_radius` or `mass`")),
        };
        if gravitational_radius < 0.0 {
            return Err(Error::field(field(path), gravitational_radius, "not negative"));
        }
        let core_path = field("core_radius");
        let core_radius = core_radius.map(|radius| radius.length(units, &core_path)).transpose()?;
        match core_radius {
            Some(core) if core <= gravitational_radius => Err(Error::field(
                core_path,
                core,
                format!("more than the gravitational radius 2GM/c² = {gravitational_radius}"),
            )),
            _ => Ok(Self { gravitational_radius, core_radius }),
        }
    }

    fn lapse(&self, r: f64) -> f64 {
        (1.0 - self.gravitational_radius / r.max(self.core_radius.unwrap_or(0.0))).sqrt()
    }

    fn compactness(&self, r: f64) -> f64 {
        if self.core_radius.is_some_and(|core| r < core) || self.gravitational_radius == 0.0 {
            0.0
        } else {
            self.gravitational_radius / r
        }
    }

    fn describe(&self, length: &str) -> String {
        let core = self.core_radius.map_or("; no core: the grid starts outside".to_owned(), |core| {
            format!(", constant lapse inside r = {core:.6e}{length}")
        });
        format!("Schwarzschild vacuum, 2GM/c² = {:.6e}{length}{core}", self.gravitational_radius)
    }
}

impl UniformStar {
    /// Buchdahl's limit: at C = 8/9 the central pressure is infinite and α(0) = 0.
    const LARGEST_COMPACTNESS: f64 = 8.0 / 9.0;

    fn build(
        radius: &Quantity,
        compactness: Option<f64>,
        mass: Option<&Quantity>,
        density: Option<&Quantity>,
        units: UnitSystem,
    ) -> Result<Self> {
        let gravity = Gravity(units);
        let radius_value = radius.length(units, &field("radius"))?;
        if radius_value <= 0.0 {
            return Err(Error::field(field("radius"), radius, "positive"));
        }
        let (path, value) = match (compactness, mass, density) {
            (Some(compactness), None, None) => ("compactness", compactness),
            (None, Some(mass), None) => ("mass", 2.0 * gravity.mass(mass, &field("mass"))? / radius_value),
            (None, None, Some(density)) => {
                let density = gravity.density(density, &field("density"))?;
                ("density", 8.0 / 3.0 * std::f64::consts::PI * density * radius_value.powi(2))
            }
            (None, None, None) => return Err(exactly_one("none", "`compactness`, `mass`, `density`")),
            _ => return Err(exactly_one("several", "`compactness`, `mass`, `density`")),
        };
        if !(0.0..Self::LARGEST_COMPACTNESS).contains(&value) {
            return Err(Error::field(
                field(path),
                format!("2GM/(Rc²) = {value}"),
                "at least 0 and below 8/9, above which no static star exists",
            ));
        }
        Ok(Self { radius: radius_value, compactness: value })
    }

    fn gravitational_radius(&self) -> f64 {
        self.compactness * self.radius
    }

    fn lapse(&self, r: f64) -> f64 {
        if r < self.radius {
            0.5 * (3.0 * (1.0 - self.compactness).sqrt() - (1.0 - self.compactness(r)).sqrt())
        } else {
            (1.0 - self.compactness(r)).sqrt()
        }
    }

    fn compactness(&self, r: f64) -> f64 {
        if r < self.radius {
            self.compactness * (r / self.radius).powi(2)
        } else {
            self.compactness * self.radius / r
        }
    }

    fn describe(&self, length: &str) -> String {
        let photon_sphere = PHOTON_SPHERE * 0.5 * self.gravitational_radius();
        let outside = if photon_sphere > self.radius {
            format!(", photon sphere outside it at r = {photon_sphere:.6e}{length}")
        } else {
            String::new()
        };
        format!(
            "star of uniform density, radius {:.6e}{length}, 2GM/(Rc²) = {:.6}, α(0) = {:.6}, α(R) = {:.6}{outside}",
            self.radius,
            self.compactness,
            self.lapse(0.0),
            self.lapse(self.radius)
        )
    }
}

fn field(name: &str) -> String {
    format!("{PATH}.{name}")
}

fn exactly_one(found: &str, of: &str) -> Error {
    Error::field(PATH, format!("{found} of {of}"), format!("exactly one of {of}"))
}
