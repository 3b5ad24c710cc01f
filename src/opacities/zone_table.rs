//! Coefficients of the user's own code, constant in each zone and energy group.

use std::path::{Path, PathBuf};

use ndarray::{Array2, Array4};

use super::group_mapping::{Groups, Stencil, beyond, bin};
use super::kernels::{InelasticKernels, Moments, pair_kernels, partners, scattering_kernel};
use super::table_file::{Reader, TableFile};
use super::zone_kernels::between_nodes;
use super::{EnergyNode, LocalOpacity, OpacitySource, RadialPoint, Species};
use crate::constants::{PLANCK_C, SPEED_OF_LIGHT};
use crate::error::{Error, Result};
use crate::problem::file::{Flavour, GroupMapping};

/// A zone table with the species of a problem assigned to its own.
#[derive(Debug)]
pub struct ZoneTable {
    /// Place among the problem's opacities.
    index: usize,
    file: PathBuf,
    table: TableFile,
    mapping: GroupMapping,
    /// Species of the table for each species of the problem.
    rows: Vec<usize>,
}

impl ZoneTable {
    /// Reads `file`, with the kernels of inelastic scattering and of pairs if asked for, and finds each of `species`
    /// in it: by name, or else by flavour.
    ///
    /// # Errors
    /// Those of [`TableFile::read`]; a species that the table does not have; pair kernels of an antineutrino that are
    /// not those of its neutrino.
    pub fn read(
        index: usize,
        file: &Path,
        mapping: GroupMapping,
        kernels: [bool; 2],
        species: &[Species],
    ) -> Result<Self> {
        let table = TableFile::read(file, kernels)?;
        let rows: Vec<usize> = species
            .iter()
            .map(|wanted| find_species(wanted, &table.species).ok_or_else(|| missing(wanted, file, &table)))
            .collect::<Result<_>>()?;
        if let Some(kernels) = table.kernels.as_ref().filter(|kernels| kernels.pairs.is_some()) {
            let reader = Reader::open(file)?;
            for (index, partner) in pair_partners(species)?.into_iter().enumerate() {
                if is_neutrino(species[index].flavour) {
                    kernels.check_partners(&reader, rows[index], rows[partner])?;
                }
            }
        }
        Ok(Self { index, file: file.to_owned(), table, mapping, rows })
    }

    fn zone(&self, r: f64) -> Result<usize> {
        bin(&self.table.r_edges, r)
            .ok_or_else(|| beyond(&self.file, "r", r, &self.table.r_edges, "cm", "zones"))
    }

    fn groups(&self) -> Groups<'_> {
        Groups {
            file: &self.file,
            edges: &self.table.energy_edges,
            energies: &self.table.energy,
            mapping: self.mapping,
        }
    }

    /// A kernel of the problem's species `of` between two nodes, times 2π/(c(hc)³).
    fn moments(
        &self,
        table: &Array4<Moments>,
        (of, zone): (usize, usize),
        own: &Stencil,
        other: &Stencil,
    ) -> Moments {
        let scale = 2.0 * std::f64::consts::PI / (SPEED_OF_LIGHT * PLANCK_C.powi(3));
        let moments = between_nodes(own, other, |k, l| table[[self.rows[of], zone, k, l]]);
        Moments { zeroth: scale * moments.zeroth, first: scale * moments.first }
    }

    fn group(&self, row: usize, zone: usize, group: usize) -> LocalOpacity {
        let at = [row, zone, group];
        let table = &self.table;
        LocalOpacity {
            scattering: table.scattering[at],
            scattering_first: table.scattering_first.as_ref().map_or(0.0, |first| first[at]),
            ..LocalOpacity::absorbing(table.absorption[at], table.equilibrium[at])
        }
    }
}

impl OpacitySource for ZoneTable {
    fn evaluate(
        &self,
        point: &RadialPoint,
        _species: &[Species],
        nodes: &[EnergyNode],
    ) -> Result<Array2<LocalOpacity>> {
        let zone = self.zone(point.r)?;
        let stencils = nodes.iter().map(|node| self.groups().stencil(node)).collect::<Result<Vec<_>>>()?;
        Ok(Array2::from_shape_fn((self.rows.len(), nodes.len()), |(species, node)| {
            stencils[node].combine(|group| self.group(self.rows[species], zone, group))
        }))
    }

    fn kernels(
        &self,
        point: &RadialPoint,
        species: &[Species],
        nodes: &[EnergyNode],
    ) -> Result<Option<InelasticKernels>> {
        let Some(tables) = &self.table.kernels else { return Ok(None) };
        let zone = self.zone(point.r)?;
        let temperature = tables.temperature[zone];
        let points = nodes.iter().map(|node| EnergyNode { energy: node.energy, element: None });
        let stencils = points.map(|node| self.groups().stencil(&node)).collect::<Result<Vec<_>>>()?;
        let mut kernels = InelasticKernels::none(species.len());
        if let Some(table) = &tables.inelastic {
            for (of, kernel) in kernels.scattering.iter_mut().enumerate() {
                *kernel = Some(scattering_kernel(nodes, temperature, |high, low| {
                    self.moments(table, (of, zone), &stencils[high], &stencils[low])
                }));
            }
        }
        if let Some(table) = &tables.pairs {
            for (of, partner) in pair_partners(species)?.into_iter().enumerate() {
                if !is_neutrino(species[of].flavour) {
                    continue;
                }
                let annihilation =
                    |k: usize, l: usize| self.moments(table, (of, zone), &stencils[k], &stencils[l]);
                for (index, kernel) in pair_kernels((of, partner), nodes, temperature, annihilation) {
                    kernels.pairs[index] = Some(kernel);
                }
            }
        }
        Ok(Some(kernels))
    }

    fn has_kernels(&self) -> bool {
        self.table.kernels.is_some()
    }

    fn describe(&self) -> String {
        let of = |there: bool, name: &'static str| if there { name } else { "" };
        let kernels = self.table.kernels.as_ref().map_or(String::new(), |kernels| {
            let scattering = of(kernels.inelastic.is_some(), "; kernels of inelastic scattering");
            format!("{scattering}{}", of(kernels.pairs.is_some(), "; kernels of pairs"))
        });
        format!(
            "opacities[{}]: table {} ({} zones, {} groups; species {}; {} mapping{kernels})",
            self.index,
            self.file.display(),
            self.table.r_edges.len() - 1,
            self.table.energy.len(),
            self.table.species.join(", "),
            match self.mapping {
                GroupMapping::Conservative => "conservative",
                GroupMapping::Pointwise => "pointwise",
            }
        )
    }

    fn zone_edges(&self) -> Option<&[f64]> {
        Some(&self.table.r_edges)
    }

    fn group_edges(&self) -> Option<&[f64]> {
        Some(&self.table.energy_edges)
    }
}

fn pair_partners(species: &[Species]) -> Result<Vec<usize>> {
    partners(species).map_err(|found| Error::field("species", found, "as many neutrinos as antineutrinos"))
}

fn is_neutrino(flavour: Flavour) -> bool {
    matches!(flavour, Flavour::ElectronNeutrino | Flavour::Heavy)
}

/// Row of the table for a species of the problem: the one of the same name, else the first whose name
/// stands for the same flavour, where a heavy antineutrino may use what the table has for νx.
fn find_species(wanted: &Species, names: &[String]) -> Option<usize> {
    let by_name = names.iter().position(|name| *name == wanted.name);
    let of = |flavour: Flavour| names.iter().position(|name| flavour_of(name) == Some(flavour));
    by_name.or_else(|| of(wanted.flavour)).or_else(|| match wanted.flavour {
        Flavour::HeavyAntineutrino => of(Flavour::Heavy),
        _ => None,
    })
}

/// What usual names of species stand for.
fn flavour_of(name: &str) -> Option<Flavour> {
    match name.to_lowercase().replace(['_', '-', ' '], "").as_str() {
        "nue" | "νe" | "electronneutrino" => Some(Flavour::ElectronNeutrino),
        "anue" | "nuebar" | "nueb" | "nuea" | "ν̄e" | "electronantineutrino" => {
            Some(Flavour::ElectronAntineutrino)
        }
        "nux" | "numu" | "nutau" | "νx" | "heavy" => Some(Flavour::Heavy),
        "anux" | "anumu" | "anutau" | "nuxbar" | "numubar" | "nutaubar" | "ν̄x" | "heavyantineutrino" => {
            Some(Flavour::HeavyAntineutrino)
        }
        _ => None,
    }
}

fn missing(wanted: &Species, file: &Path, table: &TableFile) -> Error {
    Error::file(
        file,
        format!(
            "has no species `{}` ({:?}); it has: {}",
            wanted.name,
            wanted.flavour,
            table.species.join(", ")
        ),
    )
}
