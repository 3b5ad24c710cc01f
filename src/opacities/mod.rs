//! Interaction coefficients of the matter with neutrinos.
//!
//! A source ([`OpacitySource`]) is one process, table or formula; [`Opacities`] adds the sources of a
//! problem up and checks what they give. Sources work on one radius at a time, for all species and
//! energies, so that what depends on the matter alone is found once per radius. They have no inner
//! state that changes: any number of threads may ask the same [`Opacities`].

mod analytic;
pub mod bremsstrahlung;
pub mod electron_reactions;
pub mod fermi_gas;
mod gauss_legendre;
mod group_mapping;
pub mod inelastic;
pub mod kernels;
pub mod nuclear_matter;
pub mod nuclei;
pub mod nucleon_absorption;
pub mod nucleon_scattering;
pub mod nucleus_absorption;
pub mod nucleus_scattering;
pub mod nulib_kernel_writer;
pub mod nulib_source;
pub mod nulib_table;
pub mod nulib_writer;
pub mod processes;
pub mod rates;
pub mod table_file;
mod thermal_quadrature;
pub mod weak;
pub mod weak_magnetism;
pub mod zone_kernels;
pub mod zone_table;

use std::sync::Arc;

use ndarray::Array2;

use self::analytic::Builder;
use self::inelastic::Inelastic;
use self::kernels::InelasticKernels;
use self::nulib_source::NuLibSource;
use self::rates::Rates;
use self::zone_table::ZoneTable;
use crate::background::MatterState;
use crate::error::{Error, Result};
use crate::problem::BuildContext;
use crate::problem::file::{Flavour, OpacityFile, SpeciesFile};

/// A species as the sources see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Species {
    pub name: String,
    pub flavour: Flavour,
}

/// The radius at which coefficients are wanted, and what is there.
#[derive(Debug, Clone, Copy)]
pub struct RadialPoint<'a> {
    /// Areal radius, internal length.
    pub r: f64,
    /// Static lapse at `r`.
    pub lapse: f64,
    /// The matter at `r`, where the problem has any.
    pub matter: Option<&'a MatterState>,
}

/// An energy at which coefficients are wanted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EnergyNode {
    /// Comoving energy, internal.
    pub energy: f64,
    /// Edges of the solver's energy element around `energy`, for group-averaged coefficients.
    pub element: Option<(f64, f64)>,
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

impl LocalOpacity {
    /// Emission and absorption with κ* and f_eq, no scattering.
    pub fn absorbing(absorption: f64, equilibrium: f64) -> Self {
        Self { absorption, emissivity: absorption * equilibrium, ..Self::default() }
    }

    /// The transport opacity κ* + σ₀ − σ₁.
    pub fn transport(&self) -> f64 {
        self.absorption + self.scattering - self.scattering_first
    }

    /// The first coefficient that is not finite or outside its bounds (κ*, η, σ₀ ≥ 0, |σ₁| ≤ σ₀), with
    /// its name, value and bounds.
    fn violation(&self) -> Option<(&'static str, f64, &'static str)> {
        let non_negative = |value: f64| value.is_finite() && value >= 0.0;
        let bounded = |first: f64| first.abs() <= self.scattering * (1.0 + 1e-12);
        [
            ("absorption", self.absorption, non_negative(self.absorption), "a finite number >= 0"),
            ("emissivity", self.emissivity, non_negative(self.emissivity), "a finite number >= 0"),
            ("scattering", self.scattering, non_negative(self.scattering), "a finite number >= 0"),
            (
                "scattering_first",
                self.scattering_first,
                bounded(self.scattering_first),
                "at most `scattering` in magnitude",
            ),
        ]
        .into_iter()
        .find_map(|(name, value, good, valid)| (!good).then_some((name, value, valid)))
    }
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
    /// Coefficients at `point`, shape (species, nodes); zero for species that the source does not
    /// concern. [`Opacities::at_radius`] checks their bounds.
    fn evaluate(
        &self,
        point: &RadialPoint,
        species: &[Species],
        nodes: &[EnergyNode],
    ) -> Result<Array2<LocalOpacity>>;

    /// Inelastic kernels at `point` between all pairs of `nodes`; `None` for a source without any
    /// ([`OpacitySource::has_kernels`]). [`Opacities::kernels_at`] checks them.
    fn kernels(
        &self,
        _point: &RadialPoint,
        _species: &[Species],
        _nodes: &[EnergyNode],
    ) -> Result<Option<InelasticKernels>> {
        Ok(None)
    }

    /// Whether [`OpacitySource::kernels`] gives any.
    fn has_kernels(&self) -> bool {
        false
    }

    /// One line for `tolman check` and the output file.
    fn describe(&self) -> String;

    /// Radii at which the coefficients jump and element edges must lie.
    fn discontinuities(&self) -> Vec<f64> {
        Vec::new()
    }

    /// Radial zones within which the coefficients are constant (internal length).
    fn zone_edges(&self) -> Option<&[f64]> {
        None
    }

    /// Energy groups within which the coefficients are constant (internal energy).
    fn group_edges(&self) -> Option<&[f64]> {
        None
    }
}

/// What opacities need to know of the background while they are built.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// Static lapse at a radius, for Tolman's law.
    pub lapse: &'a dyn Fn(f64) -> f64,
    /// Whether the background has matter.
    pub has_matter: bool,
}

/// All sources of a problem.
#[derive(Debug)]
pub struct Opacities {
    species: Vec<Species>,
    sources: Vec<Arc<dyn OpacitySource>>,
}

impl Opacities {
    /// The sources in `files` for the species of the problem.
    ///
    /// # Errors
    /// Invalid values with their field (`opacities[2].Absorption…`), unreadable or invalid table files.
    pub fn build(
        files: &[OpacityFile],
        species: &[SpeciesFile],
        context: &BuildContext,
        surroundings: Surroundings,
    ) -> Result<Self> {
        let known = species
            .iter()
            .map(|file| Species { name: file.name.clone(), flavour: file.flavour })
            .collect::<Vec<_>>();
        let builder = Builder { units: context.units, species, surroundings };
        let sources = files
            .iter()
            .enumerate()
            .map(|(index, file)| build_source(index, file, &known, context, builder))
            .collect::<Result<_>>()?;
        Ok(Self { species: known, sources })
    }

    /// The single processes of these sources, which are those of `files`, by name: what they give adds up
    /// to what the sources give. A name that occurs again gets a number.
    ///
    /// # Errors
    /// As [`Opacities::build`].
    pub fn by_process(
        &self,
        files: &[OpacityFile],
        species: &[SpeciesFile],
        context: &BuildContext,
        surroundings: Surroundings,
    ) -> Result<Vec<(String, Self)>> {
        let builder = Builder { units: context.units, species, surroundings };
        let mut parts: Vec<(String, Self)> = Vec::new();
        for (index, (file, whole)) in files.iter().zip(&self.sources).enumerate() {
            let single = processes::processes(file);
            let alone = single.len() == 1;
            for (name, part) in single {
                let repeated =
                    parts.iter().filter(|(known, _)| known.split(' ').next() == Some(name)).count();
                let name = if repeated == 0 { name.to_owned() } else { format!("{name} {}", repeated + 1) };
                // A source that is one process is not built (and its table not read) again.
                let source = match alone {
                    true => Arc::clone(whole),
                    false => build_source(index, &part, &self.species, context, builder)?,
                };
                parts.push((name, Self { species: self.species.clone(), sources: vec![source] }));
            }
        }
        Ok(parts)
    }

    /// The species, in the order of the first axis of [`Opacities::at_radius`].
    pub fn species(&self) -> &[Species] {
        &self.species
    }

    /// Sum of all sources at one radius, shape (species, nodes).
    ///
    /// # Errors
    /// What a source cannot evaluate, and coefficients that are not finite, negative, or have
    /// |σ₁| > σ₀; the message names source, species, r, energy and value.
    pub fn at_radius(&self, point: &RadialPoint, nodes: &[EnergyNode]) -> Result<Array2<LocalOpacity>> {
        let mut sum = Array2::default((self.species.len(), nodes.len()));
        for (index, source) in self.sources.iter().enumerate() {
            let terms = source.evaluate(point, &self.species, nodes)?;
            self.check(index, &terms, point, nodes)?;
            sum.zip_mut_with(&terms, |total, term| *total += *term);
        }
        Ok(sum)
    }

    fn check(
        &self,
        index: usize,
        terms: &Array2<LocalOpacity>,
        point: &RadialPoint,
        nodes: &[EnergyNode],
    ) -> Result<()> {
        for (species, row) in self.species.iter().zip(terms.rows()) {
            for (node, term) in nodes.iter().zip(row) {
                if let Some((name, value, valid)) = term.violation() {
                    let place = format!("r = {:.6e}, energy = {:.6e}", point.r, node.energy);
                    let found = format!(
                        "{name} = {value:e} of {} at {place} ({})",
                        species.name,
                        self.sources[index].describe()
                    );
                    return Err(Error::field(format!("opacities[{index}]"), found, valid));
                }
            }
        }
        Ok(())
    }

    /// Sum of the inelastic kernels of all sources at one radius; `None` where no source has any.
    ///
    /// # Errors
    /// What a source cannot evaluate, and kernels of another shape, that are not finite, have Φ₀ < 0 or
    /// |Φ₁| > Φ₀; the message names source, species, r, both energies and the value.
    pub fn kernels_at(&self, point: &RadialPoint, nodes: &[EnergyNode]) -> Result<Option<InelasticKernels>> {
        let mut sum: Option<InelasticKernels> = None;
        for (index, source) in self.sources.iter().enumerate() {
            let Some(terms) = source.kernels(point, &self.species, nodes)? else { continue };
            self.check_kernels(index, &terms, point, nodes)?;
            match sum.as_mut() {
                Some(sum) => sum.add(terms)?,
                None => sum = Some(terms),
            }
        }
        Ok(sum)
    }

    fn check_kernels(
        &self,
        index: usize,
        kernels: &InelasticKernels,
        point: &RadialPoint,
        nodes: &[EnergyNode],
    ) -> Result<()> {
        let path = format!("opacities[{index}]");
        let source = self.sources[index].describe();
        if !kernels.fits(self.species.len(), nodes.len()) {
            let valid = "kernels for every species and pair of energies, with mutual partners";
            return Err(Error::field(path, format!("kernels of another shape ({source})"), valid));
        }
        let Some(bad) = kernels.violation() else { return Ok(()) };
        let found = format!(
            "{} of {} with Phi0 = {:e}, Phi1 = {:e} at r = {:.6e} between the energies {:.6e} and {:.6e} ({source})",
            bad.kernel,
            self.species[bad.species].name,
            bad.moments.zeroth,
            bad.moments.first,
            point.r,
            nodes[bad.from].energy,
            nodes[bad.to].energy,
        );
        Err(Error::field(path, found, "finite moments with Phi0 >= |Phi1|"))
    }

    /// Index of the first source with inelastic kernels.
    pub fn first_with_kernels(&self) -> Option<usize> {
        self.sources.iter().position(|source| source.has_kernels())
    }

    /// Radii at which the coefficients jump, ascending.
    pub fn discontinuities(&self) -> Vec<f64> {
        let mut radii: Vec<f64> = self.sources.iter().flat_map(|source| source.discontinuities()).collect();
        radii.sort_by(f64::total_cmp);
        radii.dedup();
        radii
    }

    /// Zones of the first table among the sources, for `RadialElements::Zones`.
    pub fn zone_edges(&self) -> Option<&[f64]> {
        self.sources.iter().find_map(|source| source.zone_edges())
    }

    /// Groups of the first table among the sources, for `EnergyGridFile::TableGroups`.
    pub fn group_edges(&self) -> Option<&[f64]> {
        self.sources.iter().find_map(|source| source.group_edges())
    }

    /// One line per source.
    pub fn describe(&self) -> Vec<String> {
        self.sources.iter().map(|source| source.describe()).collect()
    }
}

fn build_source(
    index: usize,
    file: &OpacityFile,
    species: &[Species],
    context: &BuildContext,
    builder: Builder,
) -> Result<Arc<dyn OpacitySource>> {
    let path = format!("opacities[{index}]");
    Ok(match file {
        OpacityFile::Absorption { absorption, equilibrium, region, species } => Arc::new(
            builder.absorption(path, absorption, equilibrium, region.as_ref(), species.as_deref())?,
        ),
        OpacityFile::Scattering { scattering, mean_cosine, region, species } => Arc::new(
            builder.scattering(path, scattering, *mean_cosine, region.as_ref(), species.as_deref())?,
        ),
        OpacityFile::ZoneTable { file, mapping, inelastic, pairs } => {
            require_physical(&path, "a zone table", context)?;
            let file = context.data_file(file, &format!("{path}.file"))?;
            Arc::new(ZoneTable::read(index, &file, *mapping, [*inelastic, *pairs], species)?)
        }
        OpacityFile::NuLibTable { file, mapping, inelastic, pairs, bremsstrahlung } => {
            require_matter(&path, "a NuLib table", context, &builder)?;
            let file = context.data_file(file, &format!("{path}.file"))?;
            let kernels = [*inelastic, *pairs, *bremsstrahlung];
            Arc::new(NuLibSource::read(index, &file, *mapping, kernels, species)?)
        }
        &OpacityFile::Bruenn1985 { charged_current, nucleon_scattering } => {
            require_matter(&path, "rates on nucleons", context, &builder)?;
            Arc::new(Rates::bruenn(index, charged_current, nucleon_scattering))
        }
        &OpacityFile::Rates { ref charged_current, ref scattering, constants } => {
            require_matter(&path, "rates on nucleons and nuclei", context, &builder)?;
            Arc::new(Rates::build(index, charged_current, scattering, constants)?)
        }
        &OpacityFile::Inelastic { electron_scattering, positrons, pairs, bremsstrahlung, constants } => {
            require_matter(&path, "inelastic rates", context, &builder)?;
            let (constants, pion_exchange) = inelastic::constants(constants);
            Arc::new(Inelastic {
                index,
                electron_scattering,
                positrons,
                pairs,
                bremsstrahlung,
                constants,
                pion_exchange,
            })
        }
    })
}

/// Rates are for the matter of a background in cm, MeV and g.
fn require_matter(path: &str, what: &str, context: &BuildContext, builder: &Builder) -> Result<()> {
    require_physical(path, what, context)?;
    if builder.surroundings.has_matter {
        Ok(())
    } else {
        Err(Error::field(path, what, "a background with matter"))
    }
}

/// Tables and rates are in cm and MeV.
fn require_physical(path: &str, what: &str, context: &BuildContext) -> Result<()> {
    if context.units.physical {
        Ok(())
    } else {
        Err(Error::field(path, format!("{what} in a dimensionless problem"), "units: Physical"))
    }
}
