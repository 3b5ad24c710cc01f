//! Coefficients of the user's own code, constant in each zone and energy group.

use std::path::{Path, PathBuf};

use ndarray::Array2;

use super::table_file::TableFile;
use super::{EnergyNode, LocalOpacity, OpacitySource, RadialPoint, Species};
use crate::error::{Error, Result};
use crate::problem::file::{Flavour, GroupMapping};

/// Relative distance by which radii and energies may lie beyond the table's edges (round-off).
const EDGE_SLACK: f64 = 1e-12;

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

/// Groups and weights whose mean gives the coefficients at a node.
enum Stencil {
    /// (group, share of the element's ∫ε²dε).
    Mean(Vec<(usize, f64)>),
    /// Lower and upper group, and the place between them in ln ε.
    Between(usize, usize, f64),
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
        bin(&self.table.r_edges, r).ok_or_else(|| self.beyond("r", r, &self.table.r_edges, "cm", "zones"))
    }

    fn stencil(&self, node: &EnergyNode) -> Result<Stencil> {
        match (self.mapping, node.element) {
            (GroupMapping::Conservative, Some((lower, upper))) if upper > lower => {
                self.inside(lower)?;
                self.inside(upper)?;
                Ok(Stencil::Mean(shares(&self.table.energy_edges, lower, upper)))
            }
            (GroupMapping::Conservative, _) => Ok(Stencil::Mean(vec![(self.inside(node.energy)?, 1.0)])),
            (GroupMapping::Pointwise, _) => {
                self.inside(node.energy)?;
                Ok(between(&self.table.energy, node.energy))
            }
        }
    }

    /// The group of `energy`.
    fn inside(&self, energy: f64) -> Result<usize> {
        let edges = &self.table.energy_edges;
        bin(edges, energy).ok_or_else(|| self.beyond("energy", energy, edges, "MeV", "groups"))
    }

    fn beyond(&self, name: &str, value: f64, edges: &[f64], unit: &str, bins: &str) -> Error {
        let (first, last) = (edges[0], edges[edges.len() - 1]);
        Error::file(
            &self.file,
            format!("{name} = {value:e} {unit} is asked for; the {bins} cover {first:e} to {last:e} {unit}"),
        )
    }

    fn at(&self, row: usize, zone: usize, stencil: &Stencil) -> LocalOpacity {
        match stencil {
            Stencil::Mean(shares) => {
                let mut sum = LocalOpacity::default();
                for &(group, share) in shares {
                    let local = self.group(row, zone, group);
                    sum += LocalOpacity {
                        absorption: share * local.absorption,
                        emissivity: share * local.emissivity,
                        scattering: share * local.scattering,
                        scattering_first: share * local.scattering_first,
                    };
                }
                sum
            }
            &Stencil::Between(lower, upper, place) => {
                interpolate(&self.group(row, zone, lower), &self.group(row, zone, upper), place)
            }
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
        let stencils = nodes.iter().map(|node| self.stencil(node)).collect::<Result<Vec<_>>>()?;
        Ok(Array2::from_shape_fn((self.rows.len(), nodes.len()), |(species, node)| {
            self.at(self.rows[species], zone, &stencils[node])
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

/// The bin of `value` among increasing `edges`, closed below and open above but for the last.
fn bin(edges: &[f64], value: f64) -> Option<usize> {
    let (first, last) = (*edges.first()?, *edges.last()?);
    let slack = EDGE_SLACK * last;
    if !(value >= first - slack && value <= last + slack) {
        return None;
    }
    let above = edges.partition_point(|edge| *edge <= value);
    Some(above.clamp(1, edges.len() - 1) - 1)
}

/// ∫ ε² dε.
fn volume(lower: f64, upper: f64) -> f64 {
    (upper - lower) * (upper * upper + upper * lower + lower * lower) / 3.0
}

/// Groups that overlap (lower, upper), with their share of the overlapping ∫ε²dε.
fn shares(edges: &[f64], lower: f64, upper: f64) -> Vec<(usize, f64)> {
    let overlaps: Vec<(usize, f64)> = edges
        .windows(2)
        .enumerate()
        .filter_map(|(group, pair)| {
            let (from, to) = (pair[0].max(lower), pair[1].min(upper));
            (from < to).then(|| (group, volume(from, to)))
        })
        .collect();
    let total: f64 = overlaps.iter().map(|(_, volume)| volume).sum();
    overlaps.into_iter().map(|(group, volume)| (group, volume / total)).collect()
}

/// The groups whose energies enclose `energy`; the outermost group alone beyond its own energy.
fn between(energies: &[f64], energy: f64) -> Stencil {
    let above = energies.partition_point(|known| *known <= energy);
    match (above.checked_sub(1), energies.get(above)) {
        (Some(below), Some(upper)) => {
            let place = (energy / energies[below]).ln() / (upper / energies[below]).ln();
            Stencil::Between(below, above, place)
        }
        (Some(below), None) => Stencil::Between(below, below, 0.0),
        (None, _) => Stencil::Between(0, 0, 0.0),
    }
}

/// κ*, η and σ₀ in their logarithms where both are positive and linearly otherwise, σ₁/σ₀ linearly.
fn interpolate(lower: &LocalOpacity, upper: &LocalOpacity, place: f64) -> LocalOpacity {
    let linear = |a: f64, b: f64| a + place * (b - a);
    let positive = |a: f64, b: f64| {
        if a > 0.0 && b > 0.0 { a * (place * (b / a).ln()).exp() } else { linear(a, b) }
    };
    let cosine = |local: &LocalOpacity| {
        if local.scattering > 0.0 { local.scattering_first / local.scattering } else { 0.0 }
    };
    let scattering = positive(lower.scattering, upper.scattering);
    LocalOpacity {
        absorption: positive(lower.absorption, upper.absorption),
        emissivity: positive(lower.emissivity, upper.emissivity),
        scattering,
        scattering_first: scattering * linear(cosine(lower), cosine(upper)),
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
