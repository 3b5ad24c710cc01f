//! The reference: its quantities at any point, with their numerical errors.

use std::path::{Path, PathBuf};

use ndarray::{ArrayViewD, Axis};

use super::quantity::{BACKGROUND, Frame, Over, QUANTITIES, Quantity, Sense, Spectral};
use super::rules::{self, FRAMES, Rule, SAME_FRAME};
use super::spectrum::{EnergyAxis, stencil};
use super::stencil::{Combination, Stencil, envelope, point};
use super::tolman_file::{self, Facts};
use crate::error::{Error, Result};
use crate::output::TIME;
use crate::output::dataset::Dataset;
use crate::output::series::STATE_DEPENDENT;
use crate::phase_space::grid::NodalGrid;
use crate::resample::elements;
use crate::units::UnitSystem;

/// Values with their errors, and where they are from.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluated {
    pub values: Vec<f64>,
    /// `None` where the reference does not know them.
    pub errors: Option<Vec<f64>>,
    /// Variable or relation.
    pub source: String,
}

/// Values over (radius, energy), the energy fastest; `None` where the reference has no value.
pub type Spectrum = (Vec<Option<(f64, Option<f64>)>>, String);

/// A result that another one is compared with.
#[derive(Debug, Clone)]
pub struct Reference {
    pub path: PathBuf,
    pub facts: Facts,
    pub units: UnitSystem,
    pub species: Vec<String>,
    data: Dataset,
    radial: NodalGrid,
}

impl Reference {
    /// Reads the file at `path`; of an evolution the state at `time`.
    ///
    /// # Errors
    /// The file is not a complete, converged result of this program, or has no such time.
    pub fn open(path: &Path, time: Option<f64>) -> Result<Self> {
        let (data, facts) = tolman_file::open(path, time)?;
        Self::new(path, data, facts)
    }

    /// One state of a sound result of this program; `path` stands for it in messages.
    ///
    /// # Errors
    /// It is not a complete, converged result.
    pub fn new(path: &Path, data: Dataset, facts: Facts) -> Result<Self> {
        let status = data.text_attribute("status").unwrap_or("not stated");
        if status != "converged" {
            let what = format!("is no reference: its status is {status}; valid: converged");
            return Err(Error::file(path, what));
        }
        let in_file = |error: Error| Error::file(path, error.to_string());
        let radial = elements(&data, "r").map_err(in_file)?;
        let species = data.texts("species").map_err(in_file)?.to_vec();
        let units = tolman_file::unit_system(&data, path)?;
        Ok(Self { path: path.to_owned(), facts, units, species, data, radial })
    }

    /// First and last radius.
    pub fn range(&self) -> (f64, f64) {
        (self.radial.edges[0], self.radial.edges[self.radial.elements()])
    }

    /// The radii at which it is stored.
    pub fn nodes(&self) -> &[f64] {
        &self.radial.nodes
    }

    /// True where the solution does not resolve energies.
    pub fn is_gray(&self) -> bool {
        self.data.length("energy") == Some(1)
    }

    /// True where J is stored at each radius and energy.
    pub fn has_moments(&self) -> bool {
        self.data.get("j").is_some()
    }

    /// Whether the variable `name`, of the kind that opacities alone give, follows from the solution too.
    pub fn depends_on_solution(&self, name: &str) -> bool {
        self.data.get(name).is_some_and(|variable| variable.attributes.contains_key(STATE_DEPENDENT))
    }

    /// Time of the state of an evolution.
    pub fn time(&self) -> Option<f64> {
        self.data.scalar(TIME)
    }

    /// Whether numerical errors stand beside the values.
    pub fn has_errors(&self) -> bool {
        QUANTITIES.iter().any(|quantity| self.has_error(quantity.name))
    }

    fn has_error(&self, name: &str) -> bool {
        self.data.get(&error_name(name)).is_some() || self.data.scalar(&error_name(name)).is_some()
    }

    /// Whether the file itself holds the quantity.
    pub fn stores(&self, quantity: &Quantity) -> bool {
        match quantity.over {
            Over::Nothing if !quantity.by_species => self.data.scalar(quantity.name).is_some(),
            _ => self.data.get(quantity.name).is_some(),
        }
    }

    /// Whether `name`, which is 0 where there is no such thing, has values on both sides of each of `radii`.
    ///
    /// # Errors
    /// A damaged file.
    pub fn exists(&self, name: &str, species: Option<usize>, radii: &[f64]) -> Result<Vec<bool>> {
        let Some(nodal) = self.row(name, species)? else { return Ok(vec![false; radii.len()]) };
        let exists = |&r: &f64| {
            let at = self.at_radius(r)?;
            Ok(at.combination.nodes().all(|node| nodal[node] != 0.0))
        };
        radii.iter().map(exists).collect()
    }

    /// A quantity over radius at `radii`, which are within the range; of `species` where it has one.
    /// `None`: neither stored nor a consequence of what is.
    ///
    /// # Errors
    /// A damaged file.
    pub fn radial(&self, name: &str, species: Option<usize>, radii: &[f64]) -> Result<Option<Evaluated>> {
        self.derived(name, species, radii, &mut Vec::new())
    }

    fn derived(
        &self,
        name: &str,
        species: Option<usize>,
        radii: &[f64],
        wanted: &mut Vec<String>,
    ) -> Result<Option<Evaluated>> {
        if let Some(found) = self.stored(name, species, radii)? {
            return Ok(Some(found));
        }
        if wanted.iter().any(|above| above == name) {
            return Ok(None);
        }
        wanted.push(name.to_owned());
        let mut result = None;
        for rule in FRAMES.iter().chain(SAME_FRAME).filter(|rule| rule.result == name) {
            let inputs = rule.needs.iter().map(|need| self.derived(need, species, radii, wanted));
            let inputs: Option<Vec<Evaluated>> = inputs.collect::<Result<_>>()?;
            if let Some(inputs) = inputs {
                result = Some(self.apply(rule, &inputs, radii));
                break;
            }
        }
        wanted.pop();
        Ok(result)
    }

    fn apply(&self, rule: &Rule, inputs: &[Evaluated], radii: &[f64]) -> Evaluated {
        let (c, erg) = (self.units.speed_of_light(), self.units.erg_per_energy());
        let values: Vec<&[f64]> = inputs.iter().map(|input| input.values.as_slice()).collect();
        let errors: Option<Vec<&[f64]>> = inputs.iter().map(|input| input.errors.as_deref()).collect();
        Evaluated {
            values: rules::apply(rule, &values, radii, c, erg),
            errors: errors.map(|errors| rules::apply_errors(rule, &values, &errors, radii, c, erg)),
            source: rule.formula.to_owned(),
        }
    }

    /// The stored variable `name` over r: by the polynomials of the moments that it is made of.
    fn stored(&self, name: &str, species: Option<usize>, radii: &[f64]) -> Result<Option<Evaluated>> {
        let Some(nodal) = self.row(name, species)? else { return Ok(None) };
        let errors = match self.row(&error_name(name), species)? {
            Some(errors) => Some(errors),
            None if BACKGROUND.contains(&name) => Some(vec![0.0; nodal.len()]),
            None => None,
        };
        let carrier = self.carrier(name, species)?;
        let mut found = Evaluated { values: Vec::new(), errors: None, source: name.to_owned() };
        let mut found_errors = Vec::new();
        for &r in radii {
            let at = self.at_radius(r)?;
            let (value, off) = carrier.interpolated(&at, &nodal, &self.radial, r);
            found.values.push(value);
            if let Some(errors) = &errors {
                found_errors.push(envelope(errors, &at.nodes) + off);
            }
        }
        found.errors = errors.map(|_| found_errors);
        Ok(Some(found))
    }

    /// Nodal values of a variable over r, of `species` where it has one.
    fn row(&self, name: &str, species: Option<usize>) -> Result<Option<Vec<f64>>> {
        let Some(variable) = self.data.get(name) else { return Ok(None) };
        let row = match variable.dimensions.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            ["r"] => 0,
            ["species", "r"] => species.unwrap_or(0),
            _ => return Ok(None),
        };
        let count = self.radial.nodes.len();
        let values = self.data.reals(name)?.get(row * count..(row + 1) * count);
        values.map(|values| Some(values.to_vec())).ok_or_else(|| self.misshapen(name))
    }

    /// What multiplies `name` to give a polynomial in r. Integrals over energy and angle of f are
    /// polynomials; luminosities, means and factors are not.
    fn carrier(&self, name: &str, species: Option<usize>) -> Result<Carrier> {
        let times = |weight: &str, squared: bool| {
            let found = self.row(weight, species)?;
            Ok(found.map_or(Carrier::Itself, |weight| Carrier::Moment { weight, squared }))
        };
        match name {
            "flux_factor" | "eddington_factor" => times("energy_density", false),
            "mean_energy" => times("number_density", false),
            "rms_energy" => times("energy_density", true),
            "rms_energy_number" => times("number_density", true),
            name if name.contains("luminosity") => Ok(Carrier::Area),
            _ => Ok(Carrier::Itself),
        }
    }

    fn at_radius(&self, r: f64) -> Result<Stencil> {
        point(&self.radial, r).ok_or_else(|| {
            let (low, high) = self.range();
            Error::dataset("r", format!("{r} is outside its range from {low} to {high}"))
        })
    }

    fn misshapen(&self, name: &str) -> Error {
        let what = format!("dataset `{name}`: its shape is not that of its dimensions");
        Error::file(&self.path, what)
    }

    /// A spectral quantity at `radii` and the energies of `axis`; `Err` in the result: why it cannot be
    /// brought to them.
    ///
    /// # Errors
    /// A damaged file.
    pub fn spectrum(
        &self,
        spectral: &Spectral,
        sense: Sense,
        species: usize,
        radii: &[f64],
        axis: &EnergyAxis,
    ) -> Result<std::result::Result<Spectrum, String>> {
        let name = spectral.moment;
        if self.data.get(name).is_none() {
            return Ok(Err(format!("the reference has no `{name}`")));
        }
        let Some(factors) = self.comoving_factors(axis.frame, radii)? else {
            return Ok(Err("energies of static observers in moving matter need f, which mixes angles and \
                           energies"
                .to_owned()));
        };
        let grid = elements(&self.data, "energy")?;
        let nodal = self.moment(name)?.ok_or_else(|| self.misshapen(name))?;
        let errors = self.moment(&error_name(name))?;
        let mut values = Vec::with_capacity(radii.len() * axis.centres.len());
        let mut stencils = Vec::new();
        for (i, &r) in radii.iter().enumerate() {
            if i == 0 || factors[i] != factors[i - 1] {
                stencils = self.stencils(&grid, &axis.scaled(factors[i]), sense, spectral.power);
            }
            let factor = spectral.factor.value(r, self.units);
            let at = self.at_radius(r)?;
            let spectrum: Vec<f64> = rows(&nodal, species).map(|row| at.value(&row)).collect();
            let spectral_errors: Option<Vec<f64>> = errors.as_ref().map(|errors| {
                rows(&nodal, species).zip(rows(errors, species)).map(|(v, e)| at.error(&v, &e)).collect()
            });
            values.extend(stencils.iter().map(|stencil| {
                let stencil = stencil.as_ref()?;
                let error = spectral_errors.as_ref().map(|errors| factor * stencil.error(&spectrum, errors));
                Some((factor * stencil.value(&spectrum), error))
            }));
        }
        Ok(Ok((values, name.to_owned())))
    }

    /// A moment over (species, energy, r).
    fn moment(&self, name: &str) -> Result<Option<ArrayViewD<'_, f64>>> {
        if self.data.get(name).is_none() {
            return Ok(None);
        }
        let array = self.data.array(name)?;
        let expected = [Some(self.species.len()), self.data.length("energy"), Some(self.radial.nodes.len())];
        if array.shape().iter().map(|n| Some(*n)).eq(expected) {
            Ok(Some(array))
        } else {
            Err(self.misshapen(name))
        }
    }

    fn stencils(
        &self,
        grid: &NodalGrid,
        axis: &EnergyAxis,
        sense: Sense,
        power: i32,
    ) -> Vec<Option<Stencil>> {
        (0..axis.centres.len()).map(|index| stencil(grid, axis, index, sense, power)).collect()
    }

    /// Comoving energies in units of those of `frame` at each radius; `None` where they depend on the
    /// angle.
    fn comoving_factors(&self, frame: Frame, radii: &[f64]) -> Result<Option<Vec<f64>>> {
        let at = |name: &str| self.stored(name, None, radii).map(|found| found.map(|found| found.values));
        if matches!(frame, Frame::Comoving | Frame::Any) {
            return Ok(Some(vec![1.0; radii.len()]));
        }
        let (Some(velocity), Some(lapse)) = (at("velocity")?, at("lapse")?) else { return Ok(None) };
        if velocity.iter().any(|v| *v != 0.0) {
            return Ok(None);
        }
        let factor = |lapse: &f64| if frame == Frame::Infinity { 1.0 / lapse } else { 1.0 };
        Ok(Some(lapse.iter().map(factor).collect()))
    }

    /// A gray moment at `radii`.
    ///
    /// # Errors
    /// A damaged file.
    pub fn gray(&self, moment: &str, species: usize, radii: &[f64]) -> Result<Option<Evaluated>> {
        let nodal = match self.moment(moment)? {
            Some(nodal) if self.is_gray() => nodal,
            _ => return Ok(None),
        };
        let row = |all: &ArrayViewD<f64>| rows(all, species).next().unwrap_or_default();
        let values = row(&nodal);
        let errors = self.moment(&error_name(moment))?.as_ref().map(row);
        let at: Vec<Stencil> = radii.iter().map(|&r| self.at_radius(r)).collect::<Result<_>>()?;
        Ok(Some(Evaluated {
            values: at.iter().map(|at| at.value(&values)).collect(),
            errors: errors.map(|errors| at.iter().map(|at| at.error(&values, &errors)).collect()),
            source: moment.to_owned(),
        }))
    }

    /// A quantity over energy, such as a neutrinosphere; `None` where an energy is outside of the grid or
    /// one of the nodes around it has no value (0).
    ///
    /// # Errors
    /// A damaged file.
    pub fn over_energy(&self, name: &str, species: usize, axis: &EnergyAxis) -> Result<Option<Spectrum>> {
        if self.data.get(name).is_none() || self.is_gray() {
            return Ok(None);
        }
        let grid = elements(&self.data, "energy")?;
        let row = |name: &str| {
            let all = self.data.reals(name).ok()?;
            all.get(species * grid.nodes.len()..(species + 1) * grid.nodes.len()).map(<[f64]>::to_vec)
        };
        let Some(values) = row(name) else { return Ok(None) };
        let errors = row(&error_name(name));
        let stencils = self.stencils(&grid, axis, Sense::Pointwise, 0);
        let at = |stencil: &Option<Stencil>| {
            let stencil = stencil.as_ref()?;
            let used = values.get(stencil.combination.nodes())?;
            let exists = used.iter().all(|value| *value != 0.0);
            exists.then(|| (stencil.value(&values), errors.as_ref().map(|e| stencil.error(&values, e))))
        };
        Ok(Some((stencils.iter().map(at).collect(), name.to_owned())))
    }

    /// A single number, of `species` where it has one.
    ///
    /// # Errors
    /// A damaged file.
    pub fn single(&self, name: &str, species: Option<usize>) -> Result<Option<Evaluated>> {
        let number = |name: &str| match species {
            Some(index) => self.data.reals(name).ok().and_then(|all| all.get(index)).copied(),
            None => self.data.scalar(name),
        };
        Ok(number(name).map(|value| Evaluated {
            values: vec![value],
            errors: number(&error_name(name)).map(|error| vec![error]),
            source: name.to_owned(),
        }))
    }
}

/// What multiplies a quantity to make it a polynomial.
enum Carrier {
    Itself,
    /// 1/r², or nothing where luminosities are completed by the fluxes through the ends of the element
    /// (docs/discretisation.md, "Inside an element"): of the two that which the next elements continue more smoothly.
    Area,
    /// A moment; of the square of the quantity where `squared`.
    Moment {
        weight: Vec<f64>,
        squared: bool,
    },
}

impl Carrier {
    /// The quantity with the nodal values `nodal` at `r`, whose stencil is `at`, and the error of interpolation.
    fn interpolated(&self, at: &Stencil, nodal: &[f64], grid: &NodalGrid, r: f64) -> (f64, f64) {
        if at.corrections.is_empty() {
            // At a node the stored value itself.
            return (at.value(nodal), 0.0);
        }
        let by = |carrier: &Self| {
            let value = carrier.value(&[&at.combination], nodal, grid, r);
            let change =
                |extra: &Combination| carrier.value(&[&at.combination, extra], nodal, grid, r) - value;
            (value, at.interpolation_error(change))
        };
        match (self, by(self)) {
            (Self::Area, flux) => Some(by(&Self::Itself)).filter(|itself| itself.1 < flux.1).unwrap_or(flux),
            (_, found) => found,
        }
    }

    /// The quantity at `r` where the polynomials are the sum of `parts`.
    fn value(&self, parts: &[&Combination], nodal: &[f64], grid: &NodalGrid, r: f64) -> f64 {
        let sum = |term: &dyn Fn(usize) -> f64| parts.iter().map(|part| part.sum(term)).sum::<f64>();
        let itself = || sum(&|i| nodal[i]);
        match self {
            Self::Itself => itself(),
            Self::Area => r * r * sum(&|i| nodal[i] / grid.nodes[i].powi(2)),
            Self::Moment { weight, squared } => {
                let power = if *squared { 2 } else { 1 };
                let mean = sum(&|i| nodal[i].powi(power) * weight[i]) / sum(&|i| weight[i]);
                let value = if *squared { mean.max(0.0).sqrt() } else { mean };
                // Where there are no neutrinos.
                if value.is_finite() { value } else { itself() }
            }
        }
    }
}

/// A moment over (species, energy, r) of `species`, one energy after the other.
fn rows(moment: &ArrayViewD<f64>, species: usize) -> impl Iterator<Item = Vec<f64>> {
    (0..moment.shape()[1]).map(move |energy| {
        moment.index_axis(Axis(0), species).index_axis(Axis(0), energy).iter().copied().collect()
    })
}

fn error_name(name: &str) -> String {
    format!("{name}_error")
}
