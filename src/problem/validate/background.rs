//! Metric, velocity and matter.

use std::f64::consts::PI;

use super::{Validator, ensure, formula, fraction, not_empty};
use crate::constants::GRAVITY_PER_C2;
use crate::error::{Error, Result};
use crate::problem::file::{
    Column, ElectronFractionFile, MatterFile, MetricFile, ProfileColumns, ProfileFile, ProfileInterpolation,
    ProfileLapse, ProfileRadialMetric, TableLayout, VelocityBeyond, VelocityFile,
};
use crate::problem::quantity::{Quantity, QuantityList};
use crate::problem::variables;
use crate::units::{Dimension, unit_factor};

/// Limit of 2GM/(Rc²) for a star of uniform density (Buchdahl 1959).
const BUCHDAHL: f64 = 8.0 / 9.0;

impl Validator<'_> {
    pub(super) fn background(&self) -> Result<()> {
        self.matter()?;
        self.metric()?;
        self.velocity()?;
        match &self.file.background.discontinuities {
            Some(radii) => {
                self.increasing(radii, Dimension::Length, "background.discontinuities").map(|_| ())
            }
            None => Ok(()),
        }
    }

    fn metric(&self) -> Result<()> {
        let path = "background.metric";
        match &self.file.background.metric {
            MetricFile::Flat => Ok(()),
            MetricFile::Schwarzschild { gravitational_radius, mass, core_radius } => {
                self.schwarzschild(gravitational_radius.as_ref(), mass.as_ref(), core_radius.as_ref())
            }
            MetricFile::UniformStar { radius, compactness, mass, density } => {
                self.uniform_star(radius, *compactness, mass.as_ref(), density.as_ref())
            }
            MetricFile::FromMatter => ensure(
                self.has_matter(),
                path,
                "FromMatter without matter",
                "a problem with background.matter",
            ),
            MetricFile::FromProfile { lapse, radial_metric } => self.profile_metric(*lapse, *radial_metric),
        }
    }

    fn schwarzschild(
        &self,
        gravitational_radius: Option<&Quantity>,
        mass: Option<&Quantity>,
        core_radius: Option<&Quantity>,
    ) -> Result<()> {
        let path = "background.metric";
        let horizon = match (gravitational_radius, mass) {
            (Some(radius), None) => {
                self.positive(radius, Dimension::Length, &format!("{path}.gravitational_radius"))?
            }
            (None, Some(mass)) => 2.0 * self.mass_as_length(mass, &format!("{path}.mass"))?,
            (Some(_), Some(_)) => return Err(one_of(path, "both", "`gravitational_radius`, `mass`")),
            (None, None) => return Err(one_of(path, "neither", "`gravitational_radius`, `mass`")),
        };
        let Some(core) = core_radius else { return Ok(()) };
        let path = format!("{path}.core_radius");
        let radius = self.positive(core, Dimension::Length, &path)?;
        ensure(radius > horizon, &path, core, "a radius beyond 2GM/c², so that 2m < r")
    }

    fn uniform_star(
        &self,
        radius: &Quantity,
        compactness: Option<f64>,
        mass: Option<&Quantity>,
        density: Option<&Quantity>,
    ) -> Result<()> {
        let path = "background.metric";
        let names = "`compactness`, `mass`, `density`";
        let r = self.positive(radius, Dimension::Length, &format!("{path}.radius"))?;
        let (field, found, value) = match (compactness, mass, density) {
            (Some(value), None, None) => ("compactness", value.to_string(), value),
            (None, Some(mass), None) => {
                let length = self.mass_as_length(mass, &format!("{path}.mass"))?;
                ("mass", mass.to_string(), 2.0 * length / r)
            }
            (None, None, Some(density)) => {
                let density_path = format!("{path}.density");
                let value = self.positive(density, Dimension::Density, &density_path)?;
                ("density", density.to_string(), 8.0 * PI / 3.0 * self.gravity() * value * r * r)
            }
            (None, None, None) => return Err(one_of(path, "none", names)),
            _ => return Err(one_of(path, "more than one", names)),
        };
        let found = if field == "compactness" { found } else { format!("{found} (2GM/(Rc²) = {value:.4})") };
        let valid = "2GM/(Rc²) from 0 to 8/9 (8/9 excluded), the Buchdahl limit";
        ensure((0.0..BUCHDAHL).contains(&value), &format!("{path}.{field}"), found, valid)
    }

    /// G/c² of the problem's units: dimensionless masses are lengths.
    fn gravity(&self) -> f64 {
        if self.units.physical { GRAVITY_PER_C2 } else { 1.0 }
    }

    fn mass_as_length(&self, mass: &Quantity, path: &str) -> Result<f64> {
        Ok(self.gravity() * self.positive(mass, Dimension::Mass, path)?)
    }

    fn profile_metric(&self, lapse: ProfileLapse, radial_metric: ProfileRadialMetric) -> Result<()> {
        let columns = self.profile_columns("background.metric", "FromProfile")?;
        let path = "background.metric.lapse";
        match lapse {
            ProfileLapse::Static => needs_column(&columns.lapse, path, "Static", "lapse")?,
            ProfileLapse::Comoving => needs_column(&columns.lapse, path, "Comoving", "lapse")?,
            ProfileLapse::FromIntegrals => needs_column(&columns.density, path, "FromIntegrals", "density")?,
        }
        let path = "background.metric.radial_metric";
        match radial_metric {
            ProfileRadialMetric::FromGamma => {
                needs_column(&columns.gamma, path, "FromGamma", "gamma")?;
                needs_column(&columns.velocity, path, "FromGamma", "velocity")
            }
            ProfileRadialMetric::FromMass => {
                needs_column(&columns.enclosed_mass, path, "FromMass", "enclosed_mass")
            }
            ProfileRadialMetric::FromDensity => {
                needs_column(&columns.density, path, "FromDensity", "density")
            }
        }
    }

    /// The columns of the matter's profile, which `found` needs.
    fn profile_columns(&self, path: &str, found: &str) -> Result<&ProfileColumns> {
        match &self.file.background.matter {
            MatterFile::Profile(profile) => Ok(&profile.columns),
            _ => Err(Error::field(
                path,
                format!("{found} without a profile"),
                "a problem with background.matter: Profile(…)",
            )),
        }
    }

    fn velocity(&self) -> Result<()> {
        let path = "background.velocity";
        match &self.file.background.velocity {
            VelocityFile::AtRest => Ok(()),
            VelocityFile::PiecewiseLinear { radii, values, beyond } => {
                self.piecewise_linear(radii, values, *beyond)
            }
            VelocityFile::Expression(text) => formula(text, variables::VELOCITY, path),
            VelocityFile::FromProfile => {
                let columns = self.profile_columns(path, "FromProfile")?;
                needs_column(&columns.velocity, path, "FromProfile", "velocity")
            }
        }
    }

    fn piecewise_linear(&self, radii: &QuantityList, values: &[f64], beyond: VelocityBeyond) -> Result<()> {
        let path = "background.velocity";
        let converted = self.increasing(radii, Dimension::Length, &format!("{path}.radii"))?;
        ensure(!values.is_empty(), &format!("{path}.values"), "[]", "at least one velocity")?;
        let found = format!("{} radii and {} velocities", converted.len(), values.len());
        ensure(converted.len() == values.len(), &format!("{path}.values"), found, "one velocity per radius")?;
        for (index, value) in values.iter().enumerate() {
            let path = format!("{path}.values[{index}]");
            ensure(value.abs() < 1.0, &path, value, "v/c between -1 and 1, both excluded")?;
        }
        let diverges = beyond == VelocityBeyond::InverseSquare && converted.last().is_some_and(|r| *r == 0.0);
        ensure(!diverges, &format!("{path}.radii"), radii, "a last radius above 0 for InverseSquare")
    }

    fn matter(&self) -> Result<()> {
        let path = "background.matter";
        match &self.file.background.matter {
            MatterFile::None => Ok(()),
            MatterFile::PowerLawAtmosphere {
                reference_radius,
                density,
                temperature,
                electron_fraction,
                ..
            } => {
                self.positive(reference_radius, Dimension::Length, &format!("{path}.reference_radius"))?;
                self.density_and_temperature(density, temperature)?;
                self.electron_fraction(electron_fraction)
            }
            MatterFile::Uniform { radius, density, temperature, electron_fraction, .. } => {
                self.positive_if_given(radius.as_ref(), Dimension::Length, &format!("{path}.radius"))?;
                self.density_and_temperature(density, temperature)?;
                fraction(*electron_fraction, &format!("{path}.electron_fraction"))
            }
            MatterFile::Profile(profile) => self.profile(profile),
        }
    }

    fn density_and_temperature(&self, density: &Quantity, temperature: &Quantity) -> Result<()> {
        self.positive(density, Dimension::Density, "background.matter.density")?;
        self.positive(temperature, Dimension::Energy, "background.matter.temperature").map(|_| ())
    }

    fn electron_fraction(&self, ye: &ElectronFractionFile) -> Result<()> {
        let path = "background.matter.electron_fraction";
        fraction(ye.inner, &format!("{path}.inner"))?;
        fraction(ye.outer, &format!("{path}.outer"))?;
        let inner = self.positive(&ye.inner_radius, Dimension::Length, &format!("{path}.inner_radius"))?;
        let outer_path = format!("{path}.outer_radius");
        let outer = self.positive(&ye.outer_radius, Dimension::Length, &outer_path)?;
        ensure(outer > inner, &outer_path, &ye.outer_radius, "a radius beyond `inner_radius`")
    }

    fn profile(&self, profile: &ProfileFile) -> Result<()> {
        let path = "background.matter";
        not_empty(&profile.file, &format!("{path}.file"))?;
        for (name, column, dimension) in columns(&profile.columns) {
            self.column(column, dimension, &format!("{path}.columns.{name}"))?;
        }
        if let Some(edges) = &profile.columns.r_edges {
            let hdf5 = profile.layout == TableLayout::Hdf5;
            let path = format!("{path}.columns.r_edges.name");
            ensure(hdf5, &path, format!("\"{}\"", edges.name), "zone edges only with layout: Hdf5")?;
        }
        let zones = profile.interpolation == ProfileInterpolation::ZoneConstant;
        let path = format!("{path}.interpolation");
        let complete = !zones || profile.columns.r_edges.is_some();
        ensure(complete, &path, "ZoneConstant without zone edges", "a column `r_edges`, or MonotoneCubic")
    }

    fn column(&self, column: &Column, dimension: Dimension, path: &str) -> Result<()> {
        not_empty(&column.name, &format!("{path}.name"))?;
        let found = format!("\"{}\"", column.unit);
        let path = format!("{path}.unit");
        if self.units.physical {
            let known = unit_factor(&column.unit, dimension).is_some();
            ensure(known, &path, found, format!("one of the units {}", dimension.unit_names()))
        } else {
            ensure(column.unit == "1", &path, found, "\"1\", as the problem is dimensionless")
        }
    }
}

fn one_of(path: &str, given: &str, names: &str) -> Error {
    Error::field(path, format!("{given} of {names}"), format!("exactly one of {names}"))
}

fn needs_column(column: &Option<Column>, path: &str, choice: &str, name: &str) -> Result<()> {
    let found = format!("{choice} without a column `{name}`");
    ensure(column.is_some(), path, found, format!("a profile with background.matter.columns.{name}"))
}

/// Every column that is given, with what it holds.
fn columns(columns: &ProfileColumns) -> Vec<(&'static str, &Column, Dimension)> {
    let all = [
        ("r", Some(&columns.r), Dimension::Length),
        ("r_edges", columns.r_edges.as_ref(), Dimension::Length),
        ("density", columns.density.as_ref(), Dimension::Density),
        ("temperature", columns.temperature.as_ref(), Dimension::Energy),
        ("electron_fraction", columns.electron_fraction.as_ref(), Dimension::Number),
        ("velocity", columns.velocity.as_ref(), Dimension::Velocity),
        ("pressure", columns.pressure.as_ref(), Dimension::Pressure),
        ("lapse", columns.lapse.as_ref(), Dimension::Number),
        ("gamma", columns.gamma.as_ref(), Dimension::Number),
        ("enclosed_mass", columns.enclosed_mass.as_ref(), Dimension::Mass),
        ("neutron_fraction", columns.neutron_fraction.as_ref(), Dimension::Number),
        ("proton_fraction", columns.proton_fraction.as_ref(), Dimension::Number),
        ("alpha_fraction", columns.alpha_fraction.as_ref(), Dimension::Number),
        ("heavy_fraction", columns.heavy_fraction.as_ref(), Dimension::Number),
        ("heavy_mass_number", columns.heavy_mass_number.as_ref(), Dimension::Number),
        ("heavy_charge", columns.heavy_charge.as_ref(), Dimension::Number),
        ("electron_chemical_potential", columns.electron_chemical_potential.as_ref(), Dimension::Energy),
        ("neutron_chemical_potential", columns.neutron_chemical_potential.as_ref(), Dimension::Energy),
        ("proton_chemical_potential", columns.proton_chemical_potential.as_ref(), Dimension::Energy),
    ];
    all.into_iter().filter_map(|(name, column, dimension)| Some((name, column?, dimension))).collect()
}
