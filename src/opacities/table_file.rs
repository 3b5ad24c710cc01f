//! The file of a zone table: docs/microphysics.md specifies it. Everything that is read is checked here; what
//! comes out is valid.

use std::f64::consts::PI;
use std::path::Path;

use hdf5::types::{FixedAscii, FixedUnicode, TypeDescriptor, VarLenAscii, VarLenUnicode};
use hdf5::{Container, File};
use ndarray::{Array3, Zip};

use super::zone_kernels::ZoneKernels;
use crate::constants::{MEV_IN_ERG, PLANCK_C, SPEED_OF_LIGHT};
use crate::error::{Error, Result};
use crate::hdf5_file::{self, index};
use crate::units::{Dimension, unit_factor};

/// Longest fixed-length text that is read.
const TEXT: usize = 256;
/// Largest relative difference between `emissivity` and what `absorption` and `f_equilibrium` give.
const CONSISTENCY: f64 = 1e-3;
/// Emissivities below this fraction of the largest one of species and zone are not compared: tables
/// have floors.
const SIGNIFICANT: f64 = 1e-8;
/// Round-off by which an occupation may exceed 1.
const OCCUPATION_SLACK: f64 = 1e-9;

/// Contents of a zone table; arrays have the shape (species, zone, group).
#[derive(Debug, Clone, PartialEq)]
pub struct TableFile {
    /// Names of the table's species.
    pub species: Vec<String>,
    /// Zone edges \[cm\], increasing.
    pub r_edges: Vec<f64>,
    /// Group edges \[MeV\], increasing.
    pub energy_edges: Vec<f64>,
    /// Energy that stands for each group \[MeV\], inside it.
    pub energy: Vec<f64>,
    /// κ* [1/cm].
    pub absorption: Array3<f64>,
    /// f_eq, at most 1.
    pub equilibrium: Array3<f64>,
    /// σ₀ [1/cm].
    pub scattering: Array3<f64>,
    /// σ₁ [1/cm], |σ₁| ≤ σ₀.
    pub scattering_first: Option<Array3<f64>>,
    /// The kernels that were asked for.
    pub kernels: Option<ZoneKernels>,
}

impl TableFile {
    /// Reads and checks `path`, with the kernels of inelastic scattering and of pair reactions if asked for.
    ///
    /// # Errors
    /// [`Error::File`], with the dataset and the index of the first value at fault: a file that is
    /// missing, truncated or not HDF5; a dataset that is missing or has another shape or unit; values
    /// that are not finite, negative, or contradict each other; edges that do not increase.
    pub fn read(path: &Path, kernels: [bool; 2]) -> Result<Self> {
        let reader = Reader::open(path)?;
        let species = reader.names("species")?;
        let r_edges = reader.edges("r_edges", Dimension::Length)?;
        let energy_edges = reader.edges("energy_edges", Dimension::Energy)?;
        let energy = reader.group_energies(&energy_edges)?;
        let shape = [species.len(), r_edges.len() - 1, energy_edges.len() - 1];
        let absorption = reader.coefficient("absorption", shape)?;
        let scattering = reader.coefficient("scattering", shape)?;
        let equilibrium = reader.equilibrium(&absorption, &energy_edges)?;
        let scattering_first = reader.scattering_first(&scattering)?;
        let kernels = ZoneKernels::read(&reader, shape, &energy, kernels)?;
        Ok(Self {
            species,
            r_edges,
            energy_edges,
            energy,
            absorption,
            equilibrium,
            scattering,
            scattering_first,
            kernels,
        })
    }
}

/// Reads datasets of a zone table and names them in errors.
pub(super) struct Reader<'a> {
    path: &'a Path,
    file: File,
}

impl<'a> Reader<'a> {
    pub(super) fn open(path: &'a Path) -> Result<Self> {
        Ok(Self { path, file: hdf5_file::open(path)? })
    }

    fn error(&self, dataset: &str, what: impl std::fmt::Display) -> Error {
        Error::file(self.path, format!("dataset `{dataset}` {what}"))
    }

    fn damaged(&self, dataset: &str, error: &hdf5::Error) -> Error {
        self.error(dataset, format!("cannot be read: {error}"))
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.file.link_exists(name)
    }

    fn dataset(&self, name: &str) -> Result<hdf5::Dataset> {
        if !self.has(name) {
            return Err(Error::file(self.path, format!("has no dataset `{name}`")));
        }
        self.file.dataset(name).map_err(|error| self.damaged(name, &error))
    }

    /// One name per species.
    fn names(&self, name: &str) -> Result<Vec<String>> {
        let dataset = self.dataset(name)?;
        let names = texts(&dataset)
            .map_err(|error| self.damaged(name, &error))?
            .ok_or_else(|| self.error(name, "does not hold text; valid: one name per species"))?;
        if names.is_empty() {
            return Err(self.error(name, "is empty; valid: one name per species"));
        }
        Ok(names)
    }

    /// All values of `name`, in the internal unit of `dimension`.
    pub(super) fn values(&self, name: &str, shape: &[usize], dimension: Dimension) -> Result<Vec<f64>> {
        let dataset = self.dataset(name)?;
        if dataset.shape() != shape {
            return Err(self.error(name, format!("has the shape {:?}; valid: {shape:?}", dataset.shape())));
        }
        let factor = self.factor(name, &dataset, dimension)?;
        let values = dataset.read_raw::<f64>().map_err(|error| self.damaged(name, &error))?;
        match values.iter().position(|value| !value.is_finite()) {
            Some(at) => Err(self.invalid(name, &index(at, shape), values[at], "finite numbers")),
            None => Ok(values.into_iter().map(|value| value * factor).collect()),
        }
    }

    fn factor(&self, name: &str, dataset: &hdf5::Dataset, dimension: Dimension) -> Result<f64> {
        let valid = dimension.unit_names();
        let attribute = dataset
            .attr("units")
            .map_err(|_| self.error(name, format!("has no attribute `units`; valid: {valid}")))?;
        let unit = texts(&attribute)
            .map_err(|error| self.damaged(name, &error))?
            .and_then(|texts| texts.into_iter().next())
            .unwrap_or_default();
        unit_factor(&unit, dimension)
            .ok_or_else(|| self.error(name, format!("has the unit \"{unit}\"; valid: {valid}")))
    }

    pub(super) fn invalid(&self, name: &str, index: &str, value: f64, valid: &str) -> Error {
        self.error(name, format!("has {value:e} at {index}; valid: {valid}"))
    }

    fn edges(&self, name: &str, dimension: Dimension) -> Result<Vec<f64>> {
        let shape = self.dataset(name)?.shape();
        if shape.len() != 1 || shape[0] < 2 {
            return Err(self.error(
                name,
                format!("has the shape {shape:?}; valid: one dimension with at least two edges"),
            ));
        }
        let edges = self.values(name, &shape, dimension)?;
        if edges[0] < 0.0 {
            return Err(self.invalid(name, "[0]", edges[0], "edges >= 0"));
        }
        match edges.windows(2).position(|pair| pair[1] <= pair[0]) {
            Some(at) => Err(self.invalid(
                name,
                &format!("[{}]", at + 1),
                edges[at + 1],
                &format!("increasing edges (the one before is {:e})", edges[at]),
            )),
            None => Ok(edges),
        }
    }

    /// Dataset `energy`, or the middle of each group.
    fn group_energies(&self, edges: &[f64]) -> Result<Vec<f64>> {
        let groups = edges.len() - 1;
        if !self.has("energy") {
            return Ok(edges.windows(2).map(|pair| 0.5 * (pair[0] + pair[1])).collect());
        }
        let energies = self.values("energy", &[groups], Dimension::Energy)?;
        let outside = |group: usize| !(edges[group] < energies[group] && energies[group] < edges[group + 1]);
        match (0..groups).find(|&group| outside(group)) {
            Some(group) => Err(self.invalid(
                "energy",
                &format!("[{group}]"),
                energies[group],
                &format!("inside the group ({:e}, {:e})", edges[group], edges[group + 1]),
            )),
            None => Ok(energies),
        }
    }

    fn array(&self, name: &str, shape: [usize; 3], dimension: Dimension) -> Result<Array3<f64>> {
        let values = self.values(name, &shape, dimension)?;
        Array3::from_shape_vec(shape, values)
            .map_err(|error| self.error(name, format!("cannot be read: {error}")))
    }

    fn non_negative(&self, name: &str, shape: [usize; 3], dimension: Dimension) -> Result<Array3<f64>> {
        let array = self.array(name, shape, dimension)?;
        self.require(name, &array, "values >= 0", |value| value >= 0.0)?;
        Ok(array)
    }

    fn coefficient(&self, name: &str, shape: [usize; 3]) -> Result<Array3<f64>> {
        self.non_negative(name, shape, Dimension::Coefficient)
    }

    fn require(
        &self,
        name: &str,
        array: &Array3<f64>,
        valid: &str,
        good: impl Fn(f64) -> bool,
    ) -> Result<()> {
        match array.indexed_iter().find(|(_, value)| !good(**value)) {
            Some(((s, z, g), value)) => Err(self.invalid(name, &format!("[{s}, {z}, {g}]"), *value, valid)),
            None => Ok(()),
        }
    }

    /// f_eq from `f_equilibrium`, from `emissivity`, or from the former with the latter as a check.
    fn equilibrium(&self, absorption: &Array3<f64>, energy_edges: &[f64]) -> Result<Array3<f64>> {
        let (_, zones, groups) = absorption.dim();
        let shape = [absorption.dim().0, zones, groups];
        let stated = self
            .has("f_equilibrium")
            .then(|| self.non_negative("f_equilibrium", shape, Dimension::Number))
            .transpose()?;
        let emissivity = self
            .has("emissivity")
            .then(|| self.non_negative("emissivity", shape, Dimension::Emissivity))
            .transpose()?;
        let equilibrium = match (stated, emissivity) {
            (Some(stated), Some(emissivity)) => {
                self.cross_check(&stated, &emissivity, absorption, energy_edges)?;
                stated
            }
            (Some(stated), None) => stated,
            (None, Some(emissivity)) => self.derive(&emissivity, absorption, energy_edges)?,
            (None, None) => {
                return Err(Error::file(self.path, "has neither `f_equilibrium` nor `emissivity`"));
            }
        };
        self.require("f_equilibrium", &equilibrium, "occupations between 0 and 1", |value| {
            value <= 1.0 + OCCUPATION_SLACK
        })?;
        Ok(equilibrium.mapv_into(|value| value.min(1.0)))
    }

    fn derive(
        &self,
        emissivity: &Array3<f64>,
        absorption: &Array3<f64>,
        energy_edges: &[f64],
    ) -> Result<Array3<f64>> {
        let mut equilibrium = Array3::zeros(absorption.dim());
        for ((s, z, g), value) in equilibrium.indexed_iter_mut() {
            let (emitted, absorbed) = (emissivity[[s, z, g]], absorption[[s, z, g]]);
            if emitted > 0.0 && absorbed == 0.0 {
                let place = format!("[{s}, {z}, {g}]");
                return Err(self.invalid("emissivity", &place, emitted, "0 where `absorption` is 0"));
            }
            if emitted > 0.0 {
                *value = emitted / (absorbed * blackbody(energy_edges[g], energy_edges[g + 1]));
            }
        }
        Ok(equilibrium)
    }

    /// Rejects an emissivity that is not κ* f_eq times the group's black body.
    fn cross_check(
        &self,
        equilibrium: &Array3<f64>,
        emissivity: &Array3<f64>,
        absorption: &Array3<f64>,
        energy_edges: &[f64],
    ) -> Result<()> {
        let mut expected = equilibrium * absorption;
        for ((_, _, g), value) in expected.indexed_iter_mut() {
            *value *= blackbody(energy_edges[g], energy_edges[g + 1]);
        }
        for ((s, z, g), stated) in emissivity.indexed_iter() {
            let derived = expected[[s, z, g]];
            let largest = emissivity.slice(ndarray::s![s, z, ..]).fold(0.0_f64, |a, b| a.max(*b));
            let size = stated.max(derived);
            if size > SIGNIFICANT * largest && (stated - derived).abs() > CONSISTENCY * size {
                return Err(self.invalid(
                    "emissivity",
                    &format!("[{s}, {z}, {g}]"),
                    *stated,
                    &format!("{derived:e} within {CONSISTENCY} (c 4π/(hc)³ absorption f_equilibrium ∫ε³dε)"),
                ));
            }
        }
        Ok(())
    }

    fn scattering_first(&self, scattering: &Array3<f64>) -> Result<Option<Array3<f64>>> {
        const NAME: &str = "scattering_first";
        if !self.has(NAME) {
            return Ok(None);
        }
        let (species, zones, groups) = scattering.dim();
        let first = self.array(NAME, [species, zones, groups], Dimension::Coefficient)?;
        let mut excess = None;
        Zip::indexed(&first).and(scattering).for_each(|place, first, zeroth| {
            if excess.is_none() && first.abs() > zeroth * (1.0 + 1e-12) {
                excess = Some((place, *first, *zeroth));
            }
        });
        match excess {
            Some(((s, z, g), first, zeroth)) => Err(self.invalid(
                NAME,
                &format!("[{s}, {z}, {g}]"),
                first,
                &format!("at most `scattering` = {zeroth:e} in magnitude"),
            )),
            None => Ok(Some(first)),
        }
    }
}

/// c (4π/(hc)³) ∫ ε³ dε [erg cm⁻² s⁻¹] over a group \[MeV\]: the emissivity of a group is this times κ* f_eq.
fn blackbody(lower: f64, upper: f64) -> f64 {
    let cubed = 0.25 * (upper - lower) * (upper + lower) * (upper * upper + lower * lower);
    SPEED_OF_LIGHT * 4.0 * PI / PLANCK_C.powi(3) * MEV_IN_ERG * cubed
}

/// The texts of a dataset or attribute; `None` where it does not hold text.
fn texts(container: &Container) -> hdf5::Result<Option<Vec<String>>> {
    fn all<T: hdf5::H5Type + AsRef<str>>(container: &Container) -> hdf5::Result<Vec<String>> {
        Ok(container.read_raw::<T>()?.iter().map(|text| text.as_ref().trim().to_owned()).collect())
    }
    Ok(match container.dtype()?.to_descriptor()? {
        TypeDescriptor::FixedAscii(_) => Some(all::<FixedAscii<TEXT>>(container)?),
        TypeDescriptor::FixedUnicode(_) => Some(all::<FixedUnicode<TEXT>>(container)?),
        TypeDescriptor::VarLenAscii => Some(all::<VarLenAscii>(container)?),
        TypeDescriptor::VarLenUnicode => Some(all::<VarLenUnicode>(container)?),
        _ => None,
    })
}
