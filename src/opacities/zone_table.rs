//! Coefficients of the user's own code, constant in each zone and energy group.

use std::path::{Path, PathBuf};

use ndarray::Array2;

use super::group_mapping::{Groups, beyond, bin};
use super::table_file::TableFile;
use super::{EnergyNode, LocalOpacity, OpacitySource, RadialPoint, Species};
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
    /// Reads `file` and finds each of `species` in it: by name, or else by flavour.
    ///
    /// # Errors
    /// Those of [`TableFile::read`]; a species that the table does not have.
    pub fn read(index: usize, file: &Path, mapping: GroupMapping, species: &[Species]) -> Result<Self> {
        let table = TableFile::read(file)?;
        let rows = species
            .iter()
            .map(|wanted| find_species(wanted, &table.species).ok_or_else(|| missing(wanted, file, &table)))
            .collect::<Result<_>>()?;
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

    fn describe(&self) -> String {
        format!(
            "opacities[{}]: table {} ({} zones, {} groups; species {}; {} mapping)",
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
