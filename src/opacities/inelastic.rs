//! Scattering on electrons and positrons and pair reactions as one source (`Inelastic`).

use ndarray::Array2;

use super::bremsstrahlung::{Bremsstrahlung, PionExchange};
use super::electron_reactions::{ElectronReactions, Structures, couplings};
use super::kernels::{InelasticKernels, Moments, pair_kernels, partners, scattering_kernel};
use super::nuclear_matter::NuclearMatter;
use super::weak::WeakConstants;
use super::{EnergyNode, LocalOpacity, OpacitySource, RadialPoint, Species};
use crate::error::{Error, Result};
use crate::problem::file::{Flavour, RateConstants};

/// Inelastic reactions; docs/kernels.md has the formulas.
#[derive(Debug, Clone, Copy)]
pub struct Inelastic {
    /// Place among the problem's opacities.
    pub index: usize,
    /// ν + e⁻ → ν + e⁻.
    pub electron_scattering: bool,
    /// ν + e⁺ → ν + e⁺; only with `electron_scattering`.
    pub positrons: bool,
    /// e⁻ + e⁺ ⇌ ν + ν̄.
    pub pairs: bool,
    /// N + N ⇌ N + N + ν + ν̄.
    pub bremsstrahlung: bool,
    pub constants: WeakConstants,
    pub pion_exchange: PionExchange,
}

/// The constants that a problem file names.
pub fn constants(set: RateConstants) -> (WeakConstants, PionExchange) {
    match set {
        RateConstants::Standard => (WeakConstants::default(), PionExchange::default()),
        RateConstants::NuLib => {
            let weak = WeakConstants {
                fermi_constant: 1.166_37e-11,
                up_down_mixing: 1.0,
                axial_coupling: 1.254,
                weak_mixing: 0.23,
                hbar_c: 1.973_269_66e-11,
                electron_mass: 0.510_998_910,
                neutron_mass: 939.565_346,
                proton_mass: 938.272_013,
                kinetic_mass: 939.565_346,
            };
            let exchange = PionExchange { nucleon_mass: 931.494_061, pion_mass: 139.570_18, coupling: 15.0 };
            (weak, exchange)
        }
    }
}

impl Inelastic {
    fn matter(&self, point: &RadialPoint) -> Result<Option<NuclearMatter>> {
        let state = point.matter.ok_or_else(|| {
            Error::Numerical(format!("{}: no matter at r = {:.6e}", self.describe(), point.r))
        })?;
        NuclearMatter::new(state, &self.constants)
            .map_err(|error| Error::Numerical(format!("{} at r = {:.6e}: {error}", self.describe(), point.r)))
    }

    fn add_scattering(
        &self,
        kernels: &mut InelasticKernels,
        matter: &NuclearMatter,
        species: &[Species],
        nodes: &[EnergyNode],
    ) {
        let count = nodes.len();
        let mut gas = ElectronReactions::new(matter.temperature, matter.electron_potential, &self.constants);
        let mut down: Array2<Structures> = Array2::default((count, count));
        for (high, low) in (0..count).flat_map(|high| (0..count).map(move |low| (high, low))) {
            let (from, to) = (nodes[high].energy, nodes[low].energy);
            if from >= to {
                down[[high, low]] = gas.scattering(from, to, self.positrons);
            }
        }
        for (index, kernel) in kernels.scattering.iter_mut().enumerate() {
            let couplings = scattering_couplings(species, index, &self.constants);
            *kernel = Some(scattering_kernel(nodes, matter.temperature, |high, low| {
                down[[high, low]].combine(couplings)
            }));
        }
    }

    fn add_pairs(
        &self,
        kernels: &mut InelasticKernels,
        matter: &NuclearMatter,
        species: &[Species],
        nodes: &[EnergyNode],
    ) -> Result<()> {
        let partners = partners(species)
            .map_err(|found| Error::field("species", found, "as many neutrinos as antineutrinos"))?;
        let electrons = self.electron_pairs(matter, nodes);
        let nucleons = self.nucleon_pairs(matter, nodes);
        for (index, &partner) in partners.iter().enumerate() {
            let flavour = species[index].flavour;
            if !matches!(flavour, Flavour::ElectronNeutrino | Flavour::Heavy) {
                continue;
            }
            let couplings = couplings(flavour, &self.constants);
            let both = |k: usize, other: usize| {
                let mut sum = electrons[[k, other]].combine(couplings);
                sum += nucleons[[k, other]];
                sum
            };
            for (of, kernel) in pair_kernels((index, partner), nodes, matter.temperature, both) {
                kernels.pairs[of] = Some(kernel);
            }
        }
        Ok(())
    }

    /// Φᵃ of e⁻e⁺ pairs without the couplings.
    fn electron_pairs(&self, matter: &NuclearMatter, nodes: &[EnergyNode]) -> Array2<Structures> {
        let shape = (nodes.len(), nodes.len());
        if !self.pairs {
            return Array2::default(shape);
        }
        let mut gas = ElectronReactions::new(matter.temperature, matter.electron_potential, &self.constants);
        let mut kernel: Array2<Structures> = Array2::default(shape);
        for (k, other) in (0..nodes.len()).flat_map(|k| (0..=k).map(move |other| (k, other))) {
            let annihilation = gas.annihilation(nodes[k].energy, nodes[other].energy);
            kernel[[k, other]] = annihilation;
            kernel[[other, k]] = annihilation.with_exchanged_energies();
        }
        kernel
    }

    /// Φᵃ of bremsstrahlung.
    fn nucleon_pairs(&self, matter: &NuclearMatter, nodes: &[EnergyNode]) -> Array2<Moments> {
        let shape = (nodes.len(), nodes.len());
        if !self.bremsstrahlung {
            return Array2::default(shape);
        }
        let densities = (matter.neutron_density, matter.proton_density);
        let process =
            Bremsstrahlung::new(matter.temperature, densities, &self.pion_exchange, &self.constants);
        let mut kernel: Array2<Moments> = Array2::default(shape);
        for (k, other) in (0..nodes.len()).flat_map(|k| (0..=k).map(move |other| (k, other))) {
            kernel[[k, other]] = process.annihilation(nodes[k].energy + nodes[other].energy);
            kernel[[other, k]] = kernel[[k, other]];
        }
        kernel
    }
}

impl OpacitySource for Inelastic {
    /// Nothing: all reactions are kernels.
    fn evaluate(
        &self,
        _point: &RadialPoint,
        species: &[Species],
        nodes: &[EnergyNode],
    ) -> Result<Array2<LocalOpacity>> {
        Ok(Array2::default((species.len(), nodes.len())))
    }

    fn kernels(
        &self,
        point: &RadialPoint,
        species: &[Species],
        nodes: &[EnergyNode],
    ) -> Result<Option<InelasticKernels>> {
        if let Some(node) = nodes.iter().find(|node| !(node.energy.is_finite() && node.energy > 0.0)) {
            return Err(Error::Numerical(format!(
                "{}: energy {:e} MeV; valid: a finite number > 0",
                self.describe(),
                node.energy
            )));
        }
        let mut kernels = InelasticKernels::none(species.len());
        let Some(matter) = self.matter(point)? else { return Ok(Some(kernels)) };
        if self.electron_scattering {
            self.add_scattering(&mut kernels, &matter, species, nodes);
        }
        if self.pairs || self.bremsstrahlung {
            self.add_pairs(&mut kernels, &matter, species, nodes)?;
        }
        Ok(Some(kernels))
    }

    fn has_kernels(&self) -> bool {
        true
    }

    fn describe(&self) -> String {
        let processes = [
            (self.electron_scattering && !self.positrons, "scattering on electrons"),
            (self.electron_scattering && self.positrons, "scattering on electrons and positrons"),
            (self.pairs, "electron-positron pairs"),
            (self.bremsstrahlung, "nucleon bremsstrahlung"),
        ];
        let named: Vec<&str> = processes.iter().filter(|(on, _)| *on).map(|(_, name)| *name).collect();
        let named = if named.is_empty() { "nothing".to_owned() } else { named.join(", ") };
        format!("opacities[{}]: inelastic, {named}", self.index)
    }
}

/// Couplings of scattering: of a `Heavy` species that stands for neutrinos and antineutrinos alike, the
/// mean of both.
fn scattering_couplings(species: &[Species], index: usize, constants: &WeakConstants) -> (f64, f64) {
    let flavour = species[index].flavour;
    let (first, second) = couplings(flavour, constants);
    let has_antineutrinos = species.iter().any(|other| other.flavour == Flavour::HeavyAntineutrino);
    if flavour == Flavour::Heavy && !has_antineutrinos {
        let mean = 0.5 * (first + second);
        return (mean, mean);
    }
    (first, second)
}
