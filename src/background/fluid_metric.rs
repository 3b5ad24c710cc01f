//! Metric of a fluid: integrals over density and pressure, or columns of a profile.
//! docs/backgrounds.md derives the formulas.

use std::f64::consts::PI;
use std::num::NonZeroUsize;

use gauss_quad::GaussLegendre;

use super::geometric::Gravity;
use super::interpolate::{Centre, Curve, MonotoneCubic};
use super::matter::{Matter, UniformMatter};
use super::profile::Profile;
use super::quadrature::Antiderivative;
use crate::error::{Error, Result};
use crate::problem::file::{ProfileLapse, ProfileRadialMetric};
use crate::units::UnitSystem;

const PATH: &str = "background.metric";

/// By how much the Γ² − u² = 1 − 2m/r of a table may exceed 1 through its rounding.
const NEGATIVE_MASS_TOLERANCE: f64 = 1e-3;

/// Gauss points of the mass integral from the centre to the first break, where densities are flat.
const CENTRAL_POINTS: NonZeroUsize = NonZeroUsize::new(12).unwrap();

/// α and m inside `outer_radius`, and outside the vacuum of the mass within it.
#[derive(Debug, Clone)]
pub(super) struct FluidMetric {
    mass: EnclosedMass,
    log_lapse: LogLapse,
    outer_radius: f64,
    /// Where `log_lapse` ends and the vacuum's lapse goes on.
    lapse_end: f64,
    tabulated: bool,
    /// What m and α come from, for people.
    origin: String,
}

/// m(r) as a length.
#[derive(Debug, Clone)]
enum EnclosedMass {
    /// Through given points; uniform density inside the first of them.
    Points {
        curve: MonotoneCubic,
        first_radius: f64,
    },
    Integral(MassIntegral),
}

/// m(r) = 4π ∫ρr² dr from the centre.
#[derive(Debug, Clone)]
struct MassIntegral {
    density: Curve,
    /// From the density to 1/length².
    gravity: f64,
    /// Up to here the integral is taken over r = [0, r] at each evaluation, so that m/r³ keeps its
    /// relative accuracy toward the centre.
    first_break: f64,
    rule: GaussLegendre,
    /// ∫ from `first_break`.
    integral: Antiderivative,
}

/// ln α inside the outer radius.
#[derive(Debug, Clone)]
enum LogLapse {
    Points(MonotoneCubic),
    /// ln α = `at_start` + ∫ X²(m + 4πr³P)/r² dr.
    Integral {
        integral: Antiderivative,
        at_start: f64,
    },
}

impl FluidMetric {
    /// Metric integrals over `matter`, which has to end somewhere.
    pub(super) fn from_matter(matter: &Matter, units: UnitSystem) -> Result<Self> {
        match matter {
            Matter::Profile(profile) => Self::from_profile(
                profile,
                ProfileLapse::FromIntegrals,
                ProfileRadialMetric::FromDensity,
                units,
            ),
            Matter::Uniform(UniformMatter { radius: Some(radius), state, .. }) => {
                let total = 4.0 / 3.0 * PI * Gravity(units).per_mass() * state.density * radius.powi(3);
                let curve = MonotoneCubic::new(&[*radius], &[total], Centre::Excised);
                let mass = EnclosedMass::Points { curve, first_radius: *radius };
                let log_lapse = LogLapse::integrated(&[0.0, *radius], &mass, |_| 0.0)?;
                let origin = "metric integrals over uniform matter without pressure".to_owned();
                Ok(Self {
                    mass,
                    log_lapse,
                    outer_radius: *radius,
                    lapse_end: *radius,
                    tabulated: false,
                    origin,
                })
            }
            _ => Err(Error::field(
                PATH,
                "FromMatter without an end of the matter",
                "matter of a `Profile` with density, or `Uniform` with a radius",
            )),
        }
    }

    /// Metric from the columns of a profile.
    pub(super) fn from_profile(
        profile: &Profile,
        lapse: ProfileLapse,
        radial_metric: ProfileRadialMetric,
        units: UnitSystem,
    ) -> Result<Self> {
        let (mass, mass_origin) = EnclosedMass::of_profile(profile, radial_metric, units)?;
        let (log_lapse, lapse_origin) = LogLapse::of_profile(profile, lapse, &mass, units)?;
        let outer_radius = profile.points.outer_radius();
        let origin = format!("{mass_origin}; {lapse_origin}");
        let lapse_end = match log_lapse {
            LogLapse::Points(_) => profile.points.radii.last().map_or(outer_radius, |&last| last),
            LogLapse::Integral { .. } => outer_radius,
        };
        Ok(Self { mass, log_lapse, outer_radius, lapse_end, tabulated: true, origin })
    }

    pub(super) fn lapse(&self, r: f64) -> f64 {
        let inside = self.log_lapse.evaluate(r.min(self.lapse_end)).exp();
        if r > self.lapse_end {
            inside * ((1.0 - self.compactness(r)) / (1.0 - self.compactness(self.lapse_end))).sqrt()
        } else {
            inside
        }
    }

    /// 2m/r; 0 at the centre.
    pub(super) fn compactness(&self, r: f64) -> f64 {
        if r > 0.0 { 2.0 * self.mass.evaluate(r) / r } else { 0.0 }
    }

    pub(super) fn total_mass(&self) -> f64 {
        self.mass.evaluate(self.outer_radius)
    }

    pub(super) fn outer_radius(&self) -> f64 {
        self.outer_radius
    }

    /// Whether what is outside is unknown rather than empty.
    pub(super) fn is_tabulated(&self) -> bool {
        self.tabulated
    }

    pub(super) fn describe(&self, length: &str) -> String {
        format!("{}; 2GM/c² = {:.6e}{length}", self.origin, 2.0 * self.total_mass())
    }
}

impl EnclosedMass {
    fn of_profile(
        profile: &Profile,
        origin: ProfileRadialMetric,
        units: UnitSystem,
    ) -> Result<(Self, &'static str)> {
        match origin {
            ProfileRadialMetric::FromMass => {
                let masses =
                    needed(profile.enclosed_mass.as_ref(), "enclosed_mass", "radial_metric FromMass")?;
                Ok((Self::through(profile, masses)?, "X from the enclosed mass"))
            }
            ProfileRadialMetric::FromGamma => {
                Ok((Self::through(profile, &masses_from_gamma(profile)?)?, "X = (Γ²−u²)^(−1/2)"))
            }
            ProfileRadialMetric::FromDensity => {
                let density = needed(profile.density.as_ref(), "density", "a metric from the density")?;
                if !profile.points.reach_centre() {
                    return Err(Error::field(
                        PATH,
                        format!("a profile that begins at r = {}", profile.points.inner_radius()),
                        "a profile from the centre, as the mass is integrated from there",
                    ));
                }
                let mass = MassIntegral::new(
                    density.clone(),
                    Gravity(units).per_mass(),
                    &breaks(profile, &[density]),
                )?;
                Ok((
                    Self::Integral(mass),
                    "X from the mass integral over the density column (no internal energy added)",
                ))
            }
        }
    }

    /// Through one mass per point of the profile, each outside its own horizon.
    fn through(profile: &Profile, masses: &[f64]) -> Result<Self> {
        let radii = &profile.points.radii;
        let trapped = |(r, mass): (&f64, &f64)| *r > 0.0 && 2.0 * mass >= *r;
        if let Some(index) = radii.iter().zip(masses).position(trapped) {
            let what = format!("2Gm/(rc²) = {} at r = {}", 2.0 * masses[index] / radii[index], radii[index]);
            return Err(Error::file(&profile.file, format!("found {what}; valid: below 1")));
        }
        let curve = MonotoneCubic::new(radii, masses, Centre::Excised);
        let first_radius = if profile.points.reach_centre() { radii[0] } else { 0.0 };
        Ok(Self::Points { curve, first_radius })
    }

    fn evaluate(&self, r: f64) -> f64 {
        match self {
            Self::Points { curve, first_radius } if r < *first_radius => {
                curve.evaluate(*first_radius) * (r / first_radius).powi(3)
            }
            Self::Points { curve, .. } => curve.evaluate(r),
            Self::Integral(integral) => integral.evaluate(r),
        }
    }
}

impl MassIntegral {
    /// `breaks` ascend from 0; the density is smooth between them.
    fn new(density: Curve, gravity: f64, breaks: &[f64]) -> Result<Self> {
        let beyond = breaks.get(1..).unwrap_or_default();
        let shell = |r: f64| 4.0 * PI * gravity * r * r * density.evaluate(r);
        let integral = Antiderivative::new(beyond, shell).map_err(|r| {
            Error::Numerical(format!(
                "the mass integral of the background does not converge near r = {r:.6e}"
            ))
        })?;
        let first_break = beyond.first().copied().unwrap_or(0.0);
        let rule = GaussLegendre::new(CENTRAL_POINTS);
        Ok(Self { density, gravity, first_break, rule, integral })
    }

    fn evaluate(&self, r: f64) -> f64 {
        self.central(r.min(self.first_break)) + self.integral.evaluate(r)
    }

    fn central(&self, r: f64) -> f64 {
        let mean = self.rule.integrate(0.0, 1.0, |part| self.density.evaluate(r * part) * part * part);
        4.0 * PI * self.gravity * r.powi(3) * mean
    }
}

impl LogLapse {
    fn of_profile(
        profile: &Profile,
        origin: ProfileLapse,
        mass: &EnclosedMass,
        units: UnitSystem,
    ) -> Result<(Self, &'static str)> {
        let column = |reason| needed(profile.lapse.as_ref(), "lapse", reason);
        match origin {
            ProfileLapse::Static => {
                let logarithms: Vec<f64> = column("lapse Static")?.iter().map(|lapse| lapse.ln()).collect();
                Ok((
                    Self::Points(profile.points.cubic(&logarithms, Centre::Parabola)),
                    "static lapse as given",
                ))
            }
            ProfileLapse::Comoving => {
                let velocity = needed(profile.velocity.as_ref(), "velocity", "lapse Comoving")?;
                let logarithms = static_from_comoving(profile, column("lapse Comoving")?, velocity, mass);
                Ok((
                    Self::Points(profile.points.cubic(&logarithms, Centre::Parabola)),
                    "static lapse from the comoving one",
                ))
            }
            ProfileLapse::FromIntegrals => {
                let gravity = Gravity(units).per_pressure();
                let pressure = profile.pressure.as_ref();
                let curves: Vec<&Curve> =
                    [profile.density.as_ref(), pressure].into_iter().flatten().collect();
                let log_lapse = Self::integrated(&breaks(profile, &curves), mass, |r| {
                    pressure.map_or(0.0, |pressure| gravity * pressure.evaluate(r))
                })?;
                let remark = if pressure.is_some() {
                    "lapse from the metric integrals"
                } else {
                    "lapse from the metric integrals without pressure (no column)"
                };
                Ok((log_lapse, remark))
            }
        }
    }

    /// (ln α)′ = X²(m + 4πr³P)/r², and α² = 1 − 2m/r at the last of the `breaks`.
    fn integrated(breaks: &[f64], mass: &EnclosedMass, pressure: impl Fn(f64) -> f64) -> Result<Self> {
        let slope = |r: f64| {
            let mass = mass.evaluate(r);
            let outside_horizon = 1.0 - 2.0 * mass / r;
            if outside_horizon > 0.0 {
                (mass / r + 4.0 * PI * r * r * pressure(r)) / (r * outside_horizon)
            } else {
                f64::NAN
            }
        };
        let integral = Antiderivative::new(breaks, slope).map_err(|r| {
            Error::field(
                PATH,
                format!("2Gm/(rc²) = {} near r = {r:.6e}", 2.0 * mass.evaluate(r) / r),
                "matter outside its own horizon, 2Gm/(rc²) < 1",
            )
        })?;
        let surface = breaks.last().copied().unwrap_or(0.0);
        let at_surface = 0.5 * (1.0 - 2.0 * mass.evaluate(surface) / surface).ln();
        let at_start = at_surface - integral.total();
        Ok(Self::Integral { integral, at_start })
    }

    fn evaluate(&self, r: f64) -> f64 {
        match self {
            Self::Points(curve) => curve.evaluate(r),
            Self::Integral { integral, at_start } => at_start + integral.evaluate(r),
        }
    }
}

/// m = r(1 − Γ² + u²)/2 with u = Γv, at the profile's points.
fn masses_from_gamma(profile: &Profile) -> Result<Vec<f64>> {
    let gamma = needed(profile.gamma.as_ref(), "gamma", "radial_metric FromGamma")?;
    let velocity = needed(profile.velocity.as_ref(), "velocity", "radial_metric FromGamma")?;
    let points = profile.points.radii.iter().zip(gamma.iter().zip(velocity));
    points
        .map(|(r, (gamma, v))| {
            let inverse_square = gamma * gamma * (1.0 - v * v);
            if inverse_square <= 1.0 + NEGATIVE_MASS_TOLERANCE {
                Ok(0.5 * r * (1.0 - inverse_square))
            } else {
                let what = format!("found Γ²−u² = {inverse_square} at r = {r}; valid: at most 1 (1 − 2m/r)");
                Err(Error::file(&profile.file, what))
            }
        })
        .collect()
}

/// ln α = ln α_com + ½ ln(1−v²) + constant, matched to the vacuum at the last point.
fn static_from_comoving(
    profile: &Profile,
    comoving: &[f64],
    velocity: &[f64],
    mass: &EnclosedMass,
) -> Vec<f64> {
    let mut logarithms: Vec<f64> =
        comoving.iter().zip(velocity).map(|(lapse, v)| lapse.ln() + 0.5 * (1.0 - v * v).ln()).collect();
    if let (Some(&r), Some(&last)) = (profile.points.radii.last(), logarithms.last()) {
        let vacuum = 0.5 * (1.0 - 2.0 * mass.evaluate(r) / r).ln();
        logarithms.iter_mut().for_each(|logarithm| *logarithm += vacuum - last);
    }
    logarithms
}

/// Radii between which the `curves` and the points' cubics are smooth, over the profile's range.
fn breaks(profile: &Profile, curves: &[&Curve]) -> Vec<f64> {
    let points = &profile.points;
    let (inner, outer) = (points.inner_radius(), points.outer_radius());
    let mut breaks: Vec<f64> = curves.iter().flat_map(|curve| curve.breaks()).copied().collect();
    breaks.extend(&points.radii);
    breaks.retain(|r| *r > inner && *r < outer);
    breaks.extend([inner, outer]);
    breaks.sort_by(f64::total_cmp);
    breaks.dedup();
    breaks
}

fn needed<'a, T>(column: Option<&'a T>, name: &str, reason: &str) -> Result<&'a T> {
    column.ok_or_else(|| {
        Error::field(
            format!("background.matter.columns.{name}"),
            "no column",
            format!("a column, which {reason} needs"),
        )
    })
}
