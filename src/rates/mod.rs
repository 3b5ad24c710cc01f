//! Opacities and emissivities per process at given matter: what `tolman rates` shows.
//!
//! Kernels have no opacity of their own: theirs depends on the neutrinos at other energies. Here these are
//! in equilibrium with the matter, f_eq with its T and μ_ν (0 for heavy-lepton neutrinos). Then
//! B = κ*(f_eq − f) at one energy with κ* = gain + loss and gain = κ* f_eq. Of pair reactions that is
//! absorption and emission; of inelastic scattering it is a column of its own.

pub mod matter;
pub mod report;
pub mod table;

use serde::Serialize;

use crate::background::MatterState;
use crate::constants::{MEV_IN_ERG, PLANCK_C, SPEED_OF_LIGHT};
use crate::error::{Error, Result};
use crate::opacities::fermi_gas::fermi_dirac;
use crate::opacities::kernels::{AngularMoments, InelasticKernels};
use crate::opacities::nuclear_matter::NuclearMatter;
use crate::opacities::weak::WeakConstants;
use crate::opacities::{EnergyNode, LocalOpacity, Opacities, RadialPoint, Species, Surroundings};
use crate::phase_space::grid::NodalGrid;
use crate::problem::BuildContext;
use crate::problem::file::{Flavour, OpacityFile, SpeciesFile};

/// The name of the sum of all processes.
pub const TOTAL: &str = "total";

/// Degree of the polynomials between the edges of the quadrature over the other neutrino's energy.
const QUADRATURE_DEGREE: usize = 7;
/// Edges of that quadrature in units of T, besides the energies asked for.
const THERMAL_EDGES: [f64; 8] = [0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 25.0, 40.0];

/// νe, ν̄e and one species for the four heavy-lepton neutrinos.
pub fn three_species() -> Vec<SpeciesFile> {
    let mut species = electron_species();
    species.push(species_file("nux", Flavour::Heavy, 4.0));
    species
}

/// νe, ν̄e, and the heavy-lepton neutrinos and antineutrinos apart.
pub fn four_species() -> Vec<SpeciesFile> {
    let mut species = electron_species();
    species.push(species_file("nux", Flavour::Heavy, 2.0));
    species.push(species_file("anux", Flavour::HeavyAntineutrino, 2.0));
    species
}

fn electron_species() -> Vec<SpeciesFile> {
    vec![
        species_file("nue", Flavour::ElectronNeutrino, 1.0),
        species_file("anue", Flavour::ElectronAntineutrino, 1.0),
    ]
}

fn species_file(name: &str, flavour: Flavour, multiplicity: f64) -> SpeciesFile {
    SpeciesFile { name: name.to_owned(), flavour, multiplicity }
}

/// The place of the rates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// Radius \[cm\] and lapse, where a problem gives them.
    pub radius: Option<(f64, f64)>,
    pub matter: Option<MatterState>,
}

/// The rate of one process for one species at one energy.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rate {
    pub species: String,
    /// A process of [`Opacities::by_process`], or [`TOTAL`].
    pub process: String,
    /// Comoving energy \[MeV\].
    pub energy: f64,
    /// κ* [1/cm].
    pub absorption: f64,
    /// η = κ* f_eq [1/cm].
    pub emission: f64,
    /// c ε³ η/(hc)³ [erg cm⁻³ s⁻¹ MeV⁻¹ sr⁻¹], one physical species, no final-state blocking.
    pub emissivity: f64,
    /// κ* of inelastic scattering, which emits nothing [1/cm].
    pub inelastic_scattering: f64,
    /// σ₀ of elastic scattering [1/cm].
    pub scattering: f64,
    /// σ₁ [1/cm].
    pub scattering_first: f64,
}

/// All rates at one place.
#[derive(Debug, Clone, PartialEq)]
pub struct PlaceRates {
    pub place: Place,
    /// Chemical potentials and densities that the rates follow from, where there is matter.
    pub nuclear: Option<NuclearMatter>,
    /// By species, process (the total last) and energy.
    pub rates: Vec<Rate>,
}

/// The sources of a problem, together and process by process.
#[derive(Debug)]
pub struct ProcessRates {
    all: Opacities,
    parts: Vec<(String, Opacities)>,
}

impl ProcessRates {
    /// Builds the sources in `files`.
    ///
    /// # Errors
    /// See [`Opacities::build`].
    pub fn build(
        files: &[OpacityFile],
        species: &[SpeciesFile],
        context: &BuildContext,
        surroundings: Surroundings,
    ) -> Result<Self> {
        let all = Opacities::build(files, species, context, surroundings)?;
        let parts = all.by_process(files, species, context, surroundings)?;
        Ok(Self { all, parts })
    }

    /// Rates at `place` for all species at `energies` \[MeV\].
    ///
    /// # Errors
    /// Energies that are not positive; what a source cannot evaluate.
    pub fn at(&self, place: &Place, energies: &[f64]) -> Result<PlaceRates> {
        if let Some(energy) = energies.iter().find(|energy| !(energy.is_finite() && **energy > 0.0)) {
            return Err(Error::field("energies", energy, "finite energies above 0 MeV"));
        }
        let nuclear = match &place.matter {
            Some(matter) => NuclearMatter::new(matter, &WeakConstants::default())?,
            None => None,
        };
        let states: Vec<EquilibriumNeutrinos> =
            self.all.species().iter().map(|s| EquilibriumNeutrinos::new(s, nuclear.as_ref())).collect();
        let grid = EnergyQuadrature::new(energies, nuclear.as_ref());
        // The total first: its errors name the sources as the problem file does.
        let total = sample(&self.all, place, energies, &grid, &states)?;
        let parts = self
            .parts
            .iter()
            .map(|(name, part)| Ok((name.as_str(), sample(part, place, energies, &grid, &states)?)))
            .collect::<Result<Vec<_>>>()?;
        let mut rates = Vec::new();
        for (index, species) in self.all.species().iter().enumerate() {
            for (process, values) in parts.iter().chain([&(TOTAL, total.clone())]) {
                let of_species = values.get(index).into_iter().flatten();
                rates.extend(
                    energies.iter().zip(of_species).map(|(&e, o)| Rate::new(&species.name, process, e, o)),
                );
            }
        }
        Ok(PlaceRates { place: *place, nuclear, rates })
    }
}

/// Coefficients of one species at one energy.
#[derive(Debug, Clone, Copy, Default)]
struct Coefficients {
    opacity: LocalOpacity,
    inelastic_scattering: f64,
}

impl Rate {
    fn new(species: &str, process: &str, energy: f64, coefficients: &Coefficients) -> Self {
        let Coefficients { opacity, inelastic_scattering } = *coefficients;
        let phase_space = (energy / PLANCK_C).powi(3);
        Self {
            species: species.to_owned(),
            process: process.to_owned(),
            energy,
            absorption: opacity.absorption,
            emission: opacity.emissivity,
            emissivity: SPEED_OF_LIGHT * MEV_IN_ERG * phase_space * opacity.emissivity,
            inelastic_scattering,
            scattering: opacity.scattering,
            scattering_first: opacity.scattering_first,
        }
    }
}

/// f_eq of a species.
struct EquilibriumNeutrinos {
    temperature: f64,
    potential: f64,
}

impl EquilibriumNeutrinos {
    fn new(species: &Species, nuclear: Option<&NuclearMatter>) -> Self {
        let temperature = nuclear.map_or(0.0, |nuclear| nuclear.temperature);
        let potential = nuclear.map_or(0.0, |nuclear| match species.flavour {
            Flavour::ElectronNeutrino => nuclear.neutrino_potential,
            Flavour::ElectronAntineutrino => -nuclear.neutrino_potential,
            Flavour::Heavy | Flavour::HeavyAntineutrino => 0.0,
        });
        Self { temperature, potential }
    }

    fn at(&self, energy: f64) -> f64 {
        if self.temperature == 0.0 {
            return 0.0;
        }
        fermi_dirac((energy - self.potential) / self.temperature)
    }
}

/// Quadrature over the energy of the other neutrino; the energies asked for come first, without weight.
struct EnergyQuadrature {
    nodes: Vec<EnergyNode>,
    /// w ε².
    measure: Vec<f64>,
}

impl EnergyQuadrature {
    /// Edges at the energies asked for, where scattering kernels have a kink, at multiples of T, and at the
    /// Fermi surface of the neutrinos.
    fn new(energies: &[f64], nuclear: Option<&NuclearMatter>) -> Self {
        let mut nodes: Vec<EnergyNode> =
            energies.iter().map(|&energy| EnergyNode { energy, element: None }).collect();
        let mut measure = vec![0.0; energies.len()];
        let Some(nuclear) = nuclear else { return Self { nodes, measure } };
        let temperature = nuclear.temperature;
        let surface = nuclear.neutrino_potential.abs();
        let surface = if surface.is_finite() { surface } else { 0.0 };
        let top = energies.iter().copied().fold(surface, f64::max) + 40.0 * temperature;
        let mut edges = vec![0.0, surface, top];
        edges.extend_from_slice(energies);
        for offset in THERMAL_EDGES {
            edges.extend([
                offset * temperature,
                surface - offset * temperature,
                surface + offset * temperature,
            ]);
        }
        edges.retain(|edge| (0.0..=top).contains(edge));
        edges.sort_by(f64::total_cmp);
        edges.dedup_by(|next, edge| *next - *edge <= 1e-6 * temperature);
        let grid = NodalGrid::new(edges, QUADRATURE_DEGREE);
        measure.extend(grid.nodes.iter().zip(&grid.weights).map(|(energy, weight)| weight * energy * energy));
        nodes.extend(grid.nodes.iter().map(|&energy| EnergyNode { energy, element: None }));
        Self { nodes, measure }
    }
}

/// Coefficients of `source` by species and energy, those of kernels among equilibrium neutrinos.
fn sample(
    source: &Opacities,
    place: &Place,
    energies: &[f64],
    grid: &EnergyQuadrature,
    states: &[EquilibriumNeutrinos],
) -> Result<Vec<Vec<Coefficients>>> {
    let (r, lapse) = place.radius.unwrap_or((0.0, 1.0));
    let point = RadialPoint { r, lapse, matter: place.matter.as_ref() };
    let nodes: Vec<EnergyNode> = grid.nodes.iter().take(energies.len()).copied().collect();
    let local = source.at_radius(&point, &nodes)?;
    let coefficients = |opacity: &LocalOpacity| Coefficients { opacity: *opacity, ..Coefficients::default() };
    let mut sum: Vec<Vec<Coefficients>> =
        local.rows().into_iter().map(|row| row.iter().map(coefficients).collect()).collect();
    if source.first_with_kernels().is_some()
        && let Some(kernels) = source.kernels_at(&point, &grid.nodes)?
    {
        add_kernels(&mut sum, kernels, grid, states)?;
    }
    Ok(sum)
}

fn add_kernels(
    sum: &mut [Vec<Coefficients>],
    kernels: InelasticKernels,
    grid: &EnergyQuadrature,
    states: &[EquilibriumNeutrinos],
) -> Result<()> {
    let none = vec![0.0; grid.nodes.len()];
    let occupations: Vec<Vec<f64>> =
        states.iter().map(|state| grid.nodes.iter().map(|node| state.at(node.energy)).collect()).collect();
    let moments: Vec<AngularMoments> = occupations.iter().map(|j| AngularMoments { j, h: &none }).collect();
    let nothing = InelasticKernels::none(states.len());
    let scattering = InelasticKernels { scattering: kernels.scattering, pairs: nothing.pairs };
    let pairs = InelasticKernels { scattering: nothing.scattering, pairs: kernels.pairs };
    let rates = |kernels: &InelasticKernels, species: usize| {
        kernels
            .rates(species, &moments, &grid.measure)
            .ok_or_else(|| Error::Numerical("inelastic kernels do not fit their energies".into()))
    };
    for (species, row) in sum.iter_mut().enumerate() {
        let (scattered, paired) = (rates(&scattering, species)?, rates(&pairs, species)?);
        for (coefficients, (scattered, paired)) in row.iter_mut().zip(scattered.iter().zip(&paired)) {
            coefficients.inelastic_scattering += scattered.gain[0] + scattered.loss[0];
            coefficients.opacity.absorption += paired.gain[0] + paired.loss[0];
            coefficients.opacity.emissivity += paired.gain[0];
        }
    }
    Ok(())
}
