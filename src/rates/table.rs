//! A table in NuLib's layout from the sources of a problem.

use std::path::Path;

use serde::Deserialize;

use super::{four_species, three_species};
use crate::background::equation_of_state::EquationOfState;
use crate::background::{MatterState, assumed_matter};
use crate::error::{Error, Result};
use crate::opacities::nulib_kernel_writer::NuLibKernels;
use crate::opacities::nulib_writer::{NuLibGrid, NuLibScattering, write_nulib_table};
use crate::opacities::processes::processes;
use crate::opacities::{Opacities, Surroundings};
use crate::problem::BuildContext;
use crate::problem::file::{CompositionFile, EquationOfStateFile, OpacityFile, SpeciesFile};

/// Most points of an axis.
const MOST_POINTS: usize = 10_000;

/// What is tabulated; docs/microphysics.md describes it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TableFile {
    /// [g/cm³], evenly spaced in the logarithm.
    pub density: AxisFile,
    /// \[MeV\], evenly spaced in the logarithm.
    pub temperature: AxisFile,
    /// Evenly spaced.
    pub electron_fraction: AxisFile,
    /// Edges of the energy groups \[MeV\]; left out: `groups` groups as NuLib's.
    pub energy_edges: Option<Vec<f64>>,
    pub groups: usize,
    /// \[MeV\], evenly spaced in the logarithm.
    pub kernel_temperature: AxisFile,
    /// μ_e/T, evenly spaced in the logarithm.
    pub degeneracy: AxisFile,
    /// Nucleons of one bremsstrahlung channel [1/cm³], evenly spaced in the logarithm.
    pub nucleon_density: AxisFile,
    /// 3, or 6 with antineutrinos of the heavy leptons.
    pub species: usize,
    pub scattering: NuLibScattering,
    pub matter: TableMatter,
}

/// An axis from its ends.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AxisFile {
    pub from: f64,
    pub to: f64,
    pub points: usize,
}

/// Where composition and chemical potentials of the table's points come from.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub enum TableMatter {
    Composition(CompositionFile),
    EquationOfState(EquationOfStateFile),
}

impl Default for TableFile {
    fn default() -> Self {
        let axis = |from, to, points| AxisFile { from, to, points };
        Self {
            density: axis(1e6, 3e15, 40),
            temperature: axis(0.1, 100.0, 31),
            electron_fraction: axis(0.035, 0.55, 21),
            energy_edges: None,
            groups: 18,
            kernel_temperature: axis(0.1, 100.0, 31),
            degeneracy: axis(0.1, 200.0, 34),
            nucleon_density: axis(1e29, 2e39, 31),
            species: 3,
            scattering: NuLibScattering::default(),
            matter: TableMatter::Composition(CompositionFile::FreeNucleons),
        }
    }
}

impl AxisFile {
    /// # Errors
    /// Ends that are not finite or not in order, a logarithm of 0, less than two points or more than 10000.
    fn points(self, name: &str, logarithmic: bool) -> Result<Vec<f64>> {
        let path = format!("--grid.{name}");
        let least = if logarithmic { f64::MIN_POSITIVE } else { 0.0 };
        if !(self.from >= least && self.to > self.from && self.to.is_finite()) {
            let valid = if logarithmic {
                "finite ends with 0 < from < to"
            } else {
                "finite ends with 0 <= from < to"
            };
            return Err(Error::field(path, format!("from {:e} to {:e}", self.from, self.to), valid));
        }
        if !(2..=MOST_POINTS).contains(&self.points) {
            let valid = format!("2 to {MOST_POINTS} points");
            return Err(Error::field(path, format!("{} points", self.points), valid));
        }
        let last = self.points - 1;
        let inner = |index: usize| {
            let part = index as f64 / last as f64;
            if logarithmic {
                self.from * (self.to / self.from).powf(part)
            } else {
                self.from + part * (self.to - self.from)
            }
        };
        Ok((0..self.points).map(|index| if index == last { self.to } else { inner(index) }).collect())
    }
}

impl TableFile {
    /// Group edges as NuLib's: 0, 2 and 4 MeV, then widths in geometric progression up to 250 MeV as the lower
    /// edge of the last group.
    fn edges(&self) -> Result<Vec<f64>> {
        if let Some(edges) = &self.energy_edges {
            return Ok(edges.clone());
        }
        if !(4..=200).contains(&self.groups) {
            return Err(Error::field("--grid.groups", self.groups, "4 to 200 groups"));
        }
        let build = |ratio: f64| {
            let mut edges = vec![0.0, 2.0];
            let mut width = 2.0;
            while edges.len() <= self.groups {
                edges.push(edges[edges.len() - 1] + width);
                width *= ratio;
            }
            edges
        };
        let (mut low, mut high) = (1e-3, 200.0);
        for _ in 0..200 {
            let middle = 0.5 * (low + high);
            if build(middle)[self.groups - 1] < 250.0 { low = middle } else { high = middle }
        }
        Ok(build(high))
    }

    fn grid(&self) -> Result<NuLibGrid> {
        let energy_edges = self.edges()?;
        Ok(NuLibGrid {
            density: self.density.points("density", true)?,
            temperature: self.temperature.points("temperature", true)?,
            electron_fraction: self.electron_fraction.points("electron_fraction", false)?,
            energies: energy_edges.windows(2).map(|pair| 0.5 * (pair[0] + pair[1])).collect(),
            energy_edges,
        })
    }

    fn species(&self) -> Result<Vec<SpeciesFile>> {
        match self.species {
            3 => Ok(three_species()),
            6 => Ok(four_species()),
            other => Err(Error::field("--grid.species", other, "3 or 6")),
        }
    }
}

impl TableMatter {
    /// Matter at a density \[g/cm³\], temperature \[MeV\] and electron fraction.
    fn reader(&self, context: &BuildContext) -> Result<Box<MatterReader>> {
        match self {
            &Self::Composition(composition) => {
                Ok(Box::new(move |density, temperature, electron_fraction| {
                    assumed_matter(composition, density, temperature, electron_fraction)
                }))
            }
            Self::EquationOfState(file) => {
                let path = context.data_file(&file.file, "--grid.matter.file")?;
                let table = EquationOfState::read(&path, file.chemical_potentials)?;
                Ok(Box::new(move |density, temperature, electron_fraction| {
                    table.at(density, temperature, electron_fraction)
                }))
            }
        }
    }
}

type MatterReader = dyn Fn(f64, f64, f64) -> Result<MatterState> + Sync;

/// Writes what `sources` give in NuLib's layout to `path`: reactions at one energy as emissivity, absorption and
/// scattering, inelastic ones as kernels.
///
/// # Errors
/// An invalid `table`; sources that do not depend on the matter alone, or with kernels in tables of their own;
/// rates that cannot be computed; a file that cannot be written.
pub fn write_table(
    path: &Path,
    table: &TableFile,
    sources: &[OpacityFile],
    context: &BuildContext,
) -> Result<()> {
    let (grid, species) = (table.grid()?, table.species()?);
    let surroundings = Surroundings { lapse: &|_| 1.0, has_matter: true };
    let build = |files: &[OpacityFile]| Opacities::build(files, &species, context, surroundings);
    let local = build(&local_sources(sources)?)?;
    let kernel = |name: &str| -> Result<Option<Opacities>> {
        let parts: Vec<OpacityFile> = sources
            .iter()
            .flat_map(processes)
            .filter(|(part, _)| *part == name)
            .map(|(_, file)| file)
            .collect();
        if parts.is_empty() { Ok(None) } else { build(&parts).map(Some) }
    };
    let (scattering, pairs, bremsstrahlung) =
        (kernel("electron_scattering")?, kernel("electron_pairs")?, kernel("bremsstrahlung")?);
    let (temperature, degeneracy, nucleon_density) = (
        table.kernel_temperature.points("kernel_temperature", true)?,
        table.degeneracy.points("degeneracy", true)?,
        table.nucleon_density.points("nucleon_density", true)?,
    );
    let kernels = NuLibKernels {
        temperature: &temperature,
        degeneracy: &degeneracy,
        nucleon_density: &nucleon_density,
        scattering: scattering.as_ref(),
        pairs: pairs.as_ref(),
        bremsstrahlung: bremsstrahlung.as_ref(),
    };
    let matter = table.matter.reader(context)?;
    write_nulib_table(path, &grid, &local, matter, table.scattering, Some(kernels))
}

/// The sources without kernels.
fn local_sources(sources: &[OpacityFile]) -> Result<Vec<OpacityFile>> {
    let mut local = Vec::new();
    for source in sources {
        match source {
            OpacityFile::Inelastic { .. } => {}
            OpacityFile::Rates { .. } | OpacityFile::Bruenn1985 { .. } => local.push(source.clone()),
            _ => {
                let valid = "Rates(…), Bruenn1985(…) and Inelastic(…), which depend on the matter alone";
                return Err(Error::field("--sources", "another source in a table", valid));
            }
        }
    }
    Ok(local)
}
