//! A NuLib table as a source of opacities (`NuLibTable`).

use std::path::Path;

use ndarray::Array2;

use super::group_mapping::{Groups, Stencil};
use super::kernels::{InelasticKernels, Moments, pair_kernels, partners, scattering_kernel};
use super::nuclear_matter::NuclearMatter;
use super::nulib_table::{NuLibKernel, NuLibPoint, NuLibTable};
use super::weak::WeakConstants;
use super::zone_kernels::between_nodes;
use super::{EnergyNode, LocalOpacity, OpacitySource, RadialPoint, Species};
use crate::background::MatterState;
use crate::constants::{MEV_IN_ERG, PLANCK_C, SPEED_OF_LIGHT};
use crate::error::{Error, Result};
use crate::problem::file::{Flavour, GroupMapping};

/// Weight of the n-p channel of bremsstrahlung.
const NEUTRON_PROTON: f64 = 28.0 / 3.0;

/// A NuLib table with the species of a problem assigned to its own.
#[derive(Debug)]
pub struct NuLibSource {
    index: usize,
    table: NuLibTable,
    mapping: GroupMapping,
    /// For each species of the problem, those of the table whose mean it is.
    rows: Vec<Rows>,
    /// Which kernels are used: scattering on electrons, pairs, bremsstrahlung.
    kernels: [bool; 3],
}

/// Species of a table that one of the problem stands for.
#[derive(Debug, Clone, PartialEq)]
struct Rows {
    rows: &'static [usize],
    /// By how many physical species the table's emissivity is a sum.
    summed: f64,
}

impl NuLibSource {
    /// Reads the table `file` for `species`, with those of the kernels of scattering on electrons, pairs and
    /// bremsstrahlung that are asked for.
    ///
    /// # Errors
    /// Those of [`NuLibTable::read`]; kernels that are asked for and not in the table.
    pub fn read(
        index: usize,
        file: &Path,
        mapping: GroupMapping,
        kernels: [bool; 3],
        species: &[Species],
    ) -> Result<Self> {
        let path = format!("opacities[{index}]");
        let table = NuLibTable::read(file)?;
        let names = [
            ("inelastic", "inelastic_phi0"),
            ("pairs", "epannihil_phi0"),
            ("bremsstrahlung", "bremsstrahlung_phi0"),
        ];
        for ((wanted, there), (name, dataset)) in kernels.iter().zip(table.kernels()).zip(names) {
            if *wanted && !there {
                let found = format!("true, and {} has no dataset `{dataset}`", table.file().display());
                return Err(Error::field(format!("{path}.{name}"), found, "false, or a table with it"));
            }
        }
        let rows = species.iter().map(|wanted| rows(wanted.flavour, species, table.species)).collect();
        Ok(Self { index, table, mapping, rows, kernels })
    }

    fn groups(&self) -> Groups<'_> {
        Groups {
            file: self.table.file(),
            edges: &self.table.energy_edges,
            energies: &self.table.energies,
            mapping: self.mapping,
        }
    }

    fn stencils(&self, nodes: &[EnergyNode]) -> Result<Vec<Stencil>> {
        nodes.iter().map(|node| self.groups().stencil(node)).collect()
    }

    fn matter<'a>(&self, point: &'a RadialPoint) -> Result<&'a MatterState> {
        point
            .matter
            .ok_or_else(|| Error::Numerical(format!("{}: no matter at r = {:.6e}", self.describe(), point.r)))
    }

    fn at_radius(&self, point: &RadialPoint, error: Error) -> Error {
        match error {
            Error::File { file, what } => Error::File { file, what: format!("{what} (r = {:.6e})", point.r) },
            other => Error::Numerical(format!("{} at r = {:.6e}: {other}", self.describe(), point.r)),
        }
    }

    /// Coefficients of a group: η = j/B₁, where j is the emissivity of one species per MeV and steradian and
    /// B₁ = cε³/(hc)³ that of f_eq = 1 and κ* = 1; σ₁ = δσ₀/3, and 0 where the table has the transport opacity.
    fn group(&self, rows: &Rows, point: &NuLibPoint, group: usize) -> LocalOpacity {
        let width = self.table.energy_edges[group + 1] - self.table.energy_edges[group];
        let unit = MEV_IN_ERG * SPEED_OF_LIGHT * (self.table.energies[group] / PLANCK_C).powi(3) * width;
        let share = 1.0 / rows.rows.len() as f64;
        let mut mean = LocalOpacity::default();
        for &row in rows.rows {
            let at = [row, group];
            let scattering = share * point.scattering[at];
            mean += LocalOpacity {
                absorption: share * point.absorption[at],
                emissivity: share * point.emissivity[at] / (unit * rows.summed),
                scattering,
                scattering_first: point.delta.as_ref().map_or(0.0, |delta| scattering * delta[at] / 3.0),
            };
        }
        mean
    }

    /// The kernel of the problem's species `of` between two nodes in 1/(length·energy³): the mean over the
    /// table's species of ln-interpolated Φ₀ and interpolated Φ₁/Φ₀.
    fn moments(&self, kernel: &NuLibKernel, of: usize, own: &Stencil, other: &Stencil) -> Moments {
        let scale = 2.0 * std::f64::consts::PI / (SPEED_OF_LIGHT * PLANCK_C.powi(3));
        let rows = self.rows[of].rows;
        let mut mean = Moments::default();
        for &row in rows {
            let moments = between_nodes(own, other, |k, l| Moments {
                zeroth: kernel.zeroth[[row, k, l]],
                first: kernel.first[[row, k, l]],
            });
            let factor = scale / rows.len() as f64;
            mean += Moments { zeroth: factor * moments.zeroth, first: factor * moments.first };
        }
        mean
    }

    /// The group of each node, or its neighbours; kernels are not averaged over elements.
    fn kernel_stencils(&self, nodes: &[EnergyNode]) -> Result<Vec<Stencil>> {
        let points: Vec<EnergyNode> =
            nodes.iter().map(|node| EnergyNode { energy: node.energy, element: None }).collect();
        self.stencils(&points)
    }

    fn add_scattering(&self, kernels: &mut InelasticKernels, at: &KernelPoint) -> Result<()> {
        let Some(table) = self.table.inelastic(at.temperature, at.degeneracy)? else { return Ok(()) };
        for (of, kernel) in kernels.scattering.iter_mut().enumerate() {
            *kernel = Some(scattering_kernel(at.nodes, at.temperature, |high, low| {
                self.moments(&table, of, &at.stencils[high], &at.stencils[low])
            }));
        }
        Ok(())
    }

    fn add_pairs(&self, kernels: &mut InelasticKernels, at: &KernelPoint, species: &[Species]) -> Result<()> {
        let partners = partners(species)
            .map_err(|found| Error::field("species", found, "as many neutrinos as antineutrinos"))?;
        let tables = self.annihilation(at)?;
        for (index, &partner) in partners.iter().enumerate() {
            if !matches!(species[index].flavour, Flavour::ElectronNeutrino | Flavour::Heavy) {
                continue;
            }
            let sum = |own: usize, other: usize| {
                let mut sum = Moments::default();
                for (factor, table) in &tables {
                    let moments = self.moments(table, index, &at.stencils[own], &at.stencils[other]);
                    sum += Moments { zeroth: factor * moments.zeroth, first: factor * moments.first };
                }
                sum
            };
            for (of, kernel) in pair_kernels((index, partner), at.nodes, at.temperature, sum) {
                kernels.pairs[of] = Some(kernel);
            }
        }
        Ok(())
    }

    /// Annihilation kernels with their weights.
    fn annihilation(&self, at: &KernelPoint) -> Result<Vec<(f64, NuLibKernel)>> {
        let mut tables = Vec::new();
        if self.kernels[1] {
            tables.extend(self.table.annihilation(at.temperature, at.degeneracy)?.map(|table| (1.0, table)));
        }
        if self.kernels[2] {
            let [n, p] = at.nucleons;
            for (factor, density) in [(1.0, n), (1.0, p), (NEUTRON_PROTON, (n * p).sqrt())] {
                if density > 0.0 {
                    let table = self.table.bremsstrahlung(at.temperature, density)?;
                    tables.extend(table.map(|table| (factor, table)));
                }
            }
        }
        Ok(tables)
    }
}

/// Where kernels are wanted.
struct KernelPoint<'a> {
    temperature: f64,
    /// μ_e/T.
    degeneracy: f64,
    /// Free neutrons and protons [1/cm³].
    nucleons: [f64; 2],
    nodes: &'a [EnergyNode],
    stencils: Vec<Stencil>,
}

impl OpacitySource for NuLibSource {
    fn evaluate(
        &self,
        point: &RadialPoint,
        species: &[Species],
        nodes: &[EnergyNode],
    ) -> Result<Array2<LocalOpacity>> {
        let matter = self.matter(point)?;
        let shape = (species.len(), nodes.len());
        if matter.density == 0.0 {
            return Ok(Array2::default(shape));
        }
        let values = self
            .table
            .at(matter.density, matter.temperature, matter.electron_fraction)
            .map_err(|error| self.at_radius(point, error))?;
        let stencils = self.stencils(nodes)?;
        Ok(Array2::from_shape_fn(shape, |(s, e)| {
            stencils[e].combine(|group| self.group(&self.rows[s], &values, group))
        }))
    }

    fn kernels(
        &self,
        point: &RadialPoint,
        species: &[Species],
        nodes: &[EnergyNode],
    ) -> Result<Option<InelasticKernels>> {
        if !self.has_kernels() {
            return Ok(None);
        }
        let mut kernels = InelasticKernels::none(species.len());
        let state = NuclearMatter::new(self.matter(point)?, &WeakConstants::default())
            .map_err(|error| self.at_radius(point, error))?;
        let Some(matter) = state else { return Ok(Some(kernels)) };
        let at = KernelPoint {
            temperature: matter.temperature,
            degeneracy: matter.electron_potential / matter.temperature,
            nucleons: [matter.neutron_density, matter.proton_density],
            nodes,
            stencils: self.kernel_stencils(nodes)?,
        };
        if self.kernels[0] {
            self.add_scattering(&mut kernels, &at).map_err(|error| self.at_radius(point, error))?;
        }
        if self.kernels[1] || self.kernels[2] {
            self.add_pairs(&mut kernels, &at, species).map_err(|error| self.at_radius(point, error))?;
        }
        Ok(Some(kernels))
    }

    fn has_kernels(&self) -> bool {
        self.kernels.contains(&true)
    }

    fn describe(&self) -> String {
        let names = ["scattering on electrons", "pairs", "bremsstrahlung"];
        let list = |wanted: bool| -> String {
            let chosen: Vec<&str> = names
                .iter()
                .zip(self.kernels.iter().zip(self.table.kernels()))
                .filter(|(_, (used, there))| *there && **used == wanted)
                .map(|(name, _)| *name)
                .collect();
            if chosen.is_empty() { "none".to_owned() } else { chosen.join(", ") }
        };
        format!(
            "opacities[{}]: NuLib table {} ({} species, {} groups; {}; kernels used: {}, not used: {})",
            self.index,
            self.table.file().display(),
            self.table.species,
            self.table.energies.len(),
            if self.table.has_transport_scattering() {
                "scattering is the transport opacity, taken as isotropic"
            } else {
                "scattering with its first moment"
            },
            list(true),
            list(false)
        )
    }

    fn group_edges(&self) -> Option<&[f64]> {
        Some(&self.table.energy_edges)
    }
}

/// Species of a table of 3 or 6 for one of the problem. Where the problem has no heavy antineutrinos, its
/// heavy neutrinos stand for them too.
fn rows(flavour: Flavour, species: &[Species], count: usize) -> Rows {
    let heavy_pairs = species.iter().any(|other| other.flavour == Flavour::HeavyAntineutrino);
    let (rows, summed): (&'static [usize], f64) = match (flavour, count) {
        (Flavour::ElectronNeutrino, _) => (&[0], 1.0),
        (Flavour::ElectronAntineutrino, _) => (&[1], 1.0),
        (_, 3) => (&[2], 4.0),
        (Flavour::Heavy, _) if heavy_pairs => (&[2, 4], 1.0),
        (Flavour::Heavy, _) => (&[2, 3, 4, 5], 1.0),
        (Flavour::HeavyAntineutrino, _) => (&[3, 5], 1.0),
    };
    Rows { rows, summed }
}
