//! Opacities given by constants, power laws and formulas.

use ndarray::Array2;

use super::{EnergyNode, LocalOpacity, OpacitySource, RadialPoint, Species, Surroundings};
use crate::error::{Error, Result};
use crate::problem::expression::Expression;
use crate::problem::file::{Coefficient, EquilibriumFile, RadialValue, RegionFile, SpeciesFile};
use crate::problem::quantity::Quantity;
use crate::problem::variables;
use crate::units::UnitSystem;

/// Everything that building a formula needs.
#[derive(Clone, Copy)]
pub(super) struct Builder<'a> {
    pub units: UnitSystem,
    pub species: &'a [SpeciesFile],
    pub surroundings: Surroundings<'a>,
}

/// Emission and absorption: κ* and f_eq.
#[derive(Debug)]
pub(super) struct Absorption {
    path: String,
    absorption: Profile,
    equilibrium: Equilibrium,
    scope: Scope,
}

/// Elastic scattering: σ₀ and σ₁ = `mean_cosine` σ₀.
#[derive(Debug)]
pub(super) struct Scattering {
    path: String,
    scattering: Profile,
    mean_cosine: f64,
    scope: Scope,
}

/// Where and for whom a source acts.
#[derive(Debug)]
struct Scope {
    /// Closed-open interval of radii.
    inner: Option<f64>,
    outer: Option<f64>,
    /// One entry per species of the problem.
    concerned: Vec<bool>,
}

/// A coefficient of radius and energy.
#[derive(Debug)]
enum Profile {
    Constant(f64),
    PowerLaw { value: f64, radius: Option<(f64, f64)>, energy: Option<(f64, f64)> },
    Formula(Box<Expression>),
}

#[derive(Debug)]
enum Equilibrium {
    Constant(f64),
    FermiDirac { temperature: RadialEnergy, chemical_potential: RadialEnergy, strength: f64 },
    Formula(Box<Expression>),
}

/// An energy that depends on the radius.
#[derive(Debug)]
enum RadialEnergy {
    Constant(f64),
    /// `redshifted`/α(r).
    Tolman {
        redshifted: f64,
    },
    MatterTemperature,
    Formula(Box<Expression>),
}

impl Builder<'_> {
    pub(super) fn absorption(
        &self,
        path: String,
        absorption: &Coefficient,
        equilibrium: &EquilibriumFile,
        region: Option<&RegionFile>,
        species: Option<&[String]>,
    ) -> Result<Absorption> {
        Ok(Absorption {
            absorption: self.profile(absorption, &format!("{path}.absorption"))?,
            equilibrium: self.equilibrium(equilibrium, &format!("{path}.equilibrium"))?,
            scope: self.scope(region, species, &path)?,
            path,
        })
    }

    pub(super) fn scattering(
        &self,
        path: String,
        scattering: &Coefficient,
        mean_cosine: f64,
        region: Option<&RegionFile>,
        species: Option<&[String]>,
    ) -> Result<Scattering> {
        if mean_cosine.is_nan() || mean_cosine.abs() > 1.0 {
            return Err(Error::field(format!("{path}.mean_cosine"), mean_cosine, "between -1 and 1"));
        }
        Ok(Scattering {
            scattering: self.profile(scattering, &format!("{path}.scattering"))?,
            mean_cosine,
            scope: self.scope(region, species, &path)?,
            path,
        })
    }

    fn scope(&self, region: Option<&RegionFile>, species: Option<&[String]>, path: &str) -> Result<Scope> {
        let radius = |side: &Option<Quantity>, name: &str| {
            let path = format!("{path}.region.{name}");
            side.as_ref()
                .map(|quantity| not_negative(quantity.length(self.units, &path)?, &path, quantity))
                .transpose()
        };
        let inner = region.map_or(Ok(None), |region| radius(&region.inner, "inner"))?;
        let outer = region.map_or(Ok(None), |region| radius(&region.outer, "outer"))?;
        if let (Some(inner), Some(outer)) = (inner, outer)
            && inner >= outer
        {
            return Err(Error::field(
                format!("{path}.region"),
                format!("inner = {inner}, outer = {outer}"),
                "inner < outer",
            ));
        }
        Ok(Scope { inner, outer, concerned: self.concerned(species, path)? })
    }

    fn concerned(&self, names: Option<&[String]>, path: &str) -> Result<Vec<bool>> {
        let Some(names) = names else {
            return Ok(vec![true; self.species.len()]);
        };
        let known = || self.species.iter().map(|species| species.name.as_str()).collect::<Vec<_>>();
        if let Some(unknown) = names.iter().find(|name| !known().contains(&name.as_str())) {
            return Err(Error::field(
                format!("{path}.species"),
                format!("\"{unknown}\""),
                format!("species of the problem: {}", known().join(", ")),
            ));
        }
        Ok(self.species.iter().map(|species| names.contains(&species.name)).collect())
    }

    fn profile(&self, file: &Coefficient, path: &str) -> Result<Profile> {
        let coefficient = |quantity: &Quantity, path: &str| {
            not_negative(quantity.coefficient(self.units, path)?, path, quantity)
        };
        match file {
            Coefficient::Constant(quantity) => Ok(Profile::Constant(coefficient(quantity, path)?)),
            Coefficient::PowerLaw { value, r0, r_exponent, energy0, energy_exponent } => {
                let r0 = r0.as_ref().map(|q| q.length(self.units, &format!("{path}.r0"))).transpose()?;
                let energy0 =
                    energy0.as_ref().map(|q| q.energy(self.units, &format!("{path}.energy0"))).transpose()?;
                Ok(Profile::PowerLaw {
                    value: coefficient(value, &format!("{path}.value"))?,
                    radius: scale(r0, *r_exponent, &format!("{path}.r0"))?,
                    energy: scale(energy0, *energy_exponent, &format!("{path}.energy0"))?,
                })
            }
            Coefficient::Expression(text) => Ok(Profile::Formula(self.formula(text, path)?)),
        }
    }

    fn equilibrium(&self, file: &EquilibriumFile, path: &str) -> Result<Equilibrium> {
        match file {
            EquilibriumFile::Constant(value) => Ok(Equilibrium::Constant(not_negative(*value, path, value)?)),
            EquilibriumFile::FermiDirac { temperature, chemical_potential, strength } => {
                let potential = match chemical_potential {
                    Some(value) => self.chemical_potential(value, &format!("{path}.chemical_potential"))?,
                    None => RadialEnergy::Constant(0.0),
                };
                Ok(Equilibrium::FermiDirac {
                    temperature: self.temperature(temperature, &format!("{path}.temperature"))?,
                    chemical_potential: potential,
                    strength: not_negative(*strength, &format!("{path}.strength"), strength)?,
                })
            }
            EquilibriumFile::Expression(text) => Ok(Equilibrium::Formula(self.formula(text, path)?)),
        }
    }

    fn temperature(&self, file: &RadialValue, path: &str) -> Result<RadialEnergy> {
        let value = self.radial_energy(file, path)?;
        match value {
            RadialEnergy::Constant(energy) | RadialEnergy::Tolman { redshifted: energy } if energy <= 0.0 => {
                Err(Error::field(path, energy, "a temperature > 0"))
            }
            RadialEnergy::MatterTemperature if !self.surroundings.has_matter => Err(Error::field(
                path,
                "Matter in a problem without matter",
                "Constant, Tolman or Expression",
            )),
            value => Ok(value),
        }
    }

    fn chemical_potential(&self, file: &RadialValue, path: &str) -> Result<RadialEnergy> {
        match self.radial_energy(file, path)? {
            RadialEnergy::MatterTemperature => {
                Err(Error::field(path, "Matter, which is a temperature", "Constant, Tolman or Expression"))
            }
            value => Ok(value),
        }
    }

    fn radial_energy(&self, file: &RadialValue, path: &str) -> Result<RadialEnergy> {
        match file {
            RadialValue::Constant(quantity) => Ok(RadialEnergy::Constant(quantity.energy(self.units, path)?)),
            RadialValue::Tolman { value, at } => {
                let value = value.energy(self.units, &format!("{path}.value"))?;
                let path = format!("{path}.at");
                let at = not_negative(at.length(self.units, &path)?, &path, at)?;
                let lapse = (self.surroundings.lapse)(at);
                if !(lapse.is_finite() && lapse > 0.0) {
                    return Err(Error::field(path, format!("{at}, where the lapse is {lapse}"), "lapse > 0"));
                }
                Ok(RadialEnergy::Tolman { redshifted: value * lapse })
            }
            RadialValue::Matter => Ok(RadialEnergy::MatterTemperature),
            RadialValue::Expression(text) => {
                Ok(RadialEnergy::Formula(Box::new(Expression::parse(text, variables::RADIAL, path)?)))
            }
        }
    }

    fn formula(&self, text: &str, path: &str) -> Result<Box<Expression>> {
        let known =
            if self.surroundings.has_matter { variables::OPACITY_WITH_MATTER } else { variables::OPACITY };
        Ok(Box::new(Expression::parse(text, known, path)?))
    }
}

/// (reference, exponent) of one factor of a power law; `None` where the exponent is 0.
fn scale(reference: Option<f64>, exponent: f64, path: &str) -> Result<Option<(f64, f64)>> {
    match reference {
        _ if exponent == 0.0 => Ok(None),
        Some(reference) if reference > 0.0 => Ok(Some((reference, exponent))),
        Some(reference) => Err(Error::field(path, reference, "a value > 0")),
        None => Err(Error::field(path, "nothing", format!("the reference of the exponent {exponent}"))),
    }
}

fn not_negative(value: f64, path: &str, found: &impl ToString) -> Result<f64> {
    if value >= 0.0 { Ok(value) } else { Err(Error::field(path, found.to_string(), "a value >= 0")) }
}

/// Value of a formula; matter that is missing at this radius counts as empty.
fn evaluate_formula(formula: &Expression, point: &RadialPoint, energy: f64) -> f64 {
    let matter = point.matter.copied().unwrap_or_default();
    formula.evaluate(&[
        point.r,
        energy,
        point.lapse,
        matter.density,
        matter.temperature,
        matter.electron_fraction,
    ])
}

impl Profile {
    fn at(&self, point: &RadialPoint, energy: f64) -> f64 {
        match self {
            Self::Constant(value) => *value,
            Self::PowerLaw { value, radius, energy: energy_law } => {
                let factor = |law: &Option<(f64, f64)>, at: f64| {
                    law.map_or(1.0, |(reference, exponent)| (at / reference).powf(exponent))
                };
                value * factor(radius, point.r) * factor(energy_law, energy)
            }
            Self::Formula(formula) => evaluate_formula(formula, point, energy),
        }
    }

    fn describe(&self) -> String {
        match self {
            Self::Constant(value) => format!("{value:e}"),
            Self::PowerLaw { value, radius, energy } => {
                let factor = |name: &str, law: &Option<(f64, f64)>| {
                    law.map_or(String::new(), |(reference, exponent)| {
                        format!(" ({name}/{reference:e})^{exponent}")
                    })
                };
                format!("{value:e}{}{}", factor("r", radius), factor("energy", energy))
            }
            Self::Formula(formula) => formula.text().to_owned(),
        }
    }
}

impl Equilibrium {
    /// f_eq at each of `nodes`.
    fn at(&self, point: &RadialPoint, nodes: &[EnergyNode], path: &str) -> Result<Vec<f64>> {
        let each = |f: &dyn Fn(f64) -> f64| nodes.iter().map(|node| f(node.energy)).collect();
        match self {
            Self::Constant(value) => Ok(each(&|_| *value)),
            Self::Formula(formula) => Ok(each(&|energy| evaluate_formula(formula, point, energy))),
            Self::FermiDirac { temperature, chemical_potential, strength } => {
                let temperature = temperature.at(point);
                let potential = chemical_potential.at(point);
                if !(temperature.is_finite() && temperature > 0.0 && potential.is_finite()) {
                    return Err(Error::Numerical(format!(
                        "{path}.equilibrium at r = {:.6e}: temperature is {temperature:e}, chemical \
                         potential {potential:e}; valid: finite numbers, temperature > 0",
                        point.r
                    )));
                }
                Ok(each(&|energy| strength / (((energy - potential) / temperature).exp() + 1.0)))
            }
        }
    }

    fn describe(&self) -> String {
        match self {
            Self::Constant(value) => format!("{value}"),
            Self::FermiDirac { strength, .. } if *strength == 1.0 => "Fermi-Dirac".to_owned(),
            Self::FermiDirac { strength, .. } => format!("{strength} Fermi-Dirac"),
            Self::Formula(formula) => formula.text().to_owned(),
        }
    }
}

impl RadialEnergy {
    fn at(&self, point: &RadialPoint) -> f64 {
        match self {
            Self::Constant(value) => *value,
            Self::Tolman { redshifted } => redshifted / point.lapse,
            Self::MatterTemperature => point.matter.map_or(f64::NAN, |matter| matter.temperature),
            Self::Formula(formula) => formula.evaluate(&[point.r, point.lapse]),
        }
    }
}

impl Scope {
    fn contains(&self, r: f64) -> bool {
        self.inner.is_none_or(|inner| r >= inner) && self.outer.is_none_or(|outer| r < outer)
    }

    fn edges(&self) -> Vec<f64> {
        self.inner.into_iter().chain(self.outer).collect()
    }

    /// The same coefficients for all species that are concerned.
    fn spread(&self, per_energy: &[LocalOpacity]) -> Array2<LocalOpacity> {
        Array2::from_shape_fn((self.concerned.len(), per_energy.len()), |(species, energy)| {
            if self.concerned[species] { per_energy[energy] } else { LocalOpacity::default() }
        })
    }

    fn nothing(&self, nodes: &[EnergyNode]) -> Array2<LocalOpacity> {
        Array2::default((self.concerned.len(), nodes.len()))
    }

    fn describe(&self) -> String {
        let inner = self.inner.map_or(String::new(), |inner| format!(", r >= {inner:e}"));
        let outer = self.outer.map_or(String::new(), |outer| format!(", r < {outer:e}"));
        format!("{inner}{outer}")
    }
}

impl OpacitySource for Absorption {
    fn evaluate(
        &self,
        point: &RadialPoint,
        _species: &[Species],
        nodes: &[EnergyNode],
    ) -> Result<Array2<LocalOpacity>> {
        if !self.scope.contains(point.r) {
            return Ok(self.scope.nothing(nodes));
        }
        let equilibrium = self.equilibrium.at(point, nodes, &self.path)?;
        let per_energy: Vec<LocalOpacity> = nodes
            .iter()
            .zip(equilibrium)
            .map(|(node, f)| LocalOpacity::absorbing(self.absorption.at(point, node.energy), f))
            .collect();
        Ok(self.scope.spread(&per_energy))
    }

    fn describe(&self) -> String {
        format!(
            "{}: absorption {}, f_eq {}{}",
            self.path,
            self.absorption.describe(),
            self.equilibrium.describe(),
            self.scope.describe()
        )
    }

    fn discontinuities(&self) -> Vec<f64> {
        self.scope.edges()
    }
}

impl OpacitySource for Scattering {
    fn evaluate(
        &self,
        point: &RadialPoint,
        _species: &[Species],
        nodes: &[EnergyNode],
    ) -> Result<Array2<LocalOpacity>> {
        if !self.scope.contains(point.r) {
            return Ok(self.scope.nothing(nodes));
        }
        let per_energy: Vec<LocalOpacity> = nodes
            .iter()
            .map(|node| {
                let scattering = self.scattering.at(point, node.energy);
                let scattering_first = self.mean_cosine * scattering;
                LocalOpacity { scattering, scattering_first, ..LocalOpacity::default() }
            })
            .collect();
        Ok(self.scope.spread(&per_energy))
    }

    fn describe(&self) -> String {
        format!(
            "{}: scattering {}, mean cosine {}{}",
            self.path,
            self.scattering.describe(),
            self.mean_cosine,
            self.scope.describe()
        )
    }

    fn discontinuities(&self) -> Vec<f64> {
        self.scope.edges()
    }
}
