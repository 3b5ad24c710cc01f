//! The one immutable description of a problem that every method sees.

use rayon::prelude::*;

use crate::background::Background;
use crate::error::Result;
use crate::opacities::kernels::InelasticKernels;
use crate::opacities::{EnergyNode, LocalOpacity, Opacities, RadialPoint, Surroundings};
use crate::parallel::in_order;
use crate::phase_space::{NaturalEdges, PhaseSpace};
use crate::problem::Loaded;
use crate::problem::file::MatterFile;
use crate::units::UnitSystem;

use super::boltzmann::energy_redistribution::EnergyRedistribution;
use super::boltzmann::inelastic::Inelastic;
use super::boundary::Boundaries;
use super::coefficients::Coefficients;
use super::geometry::Geometry;

/// Background, phase space and opacities of one problem, and their samples on the grid.
#[derive(Debug)]
pub struct Setup {
    pub units: UnitSystem,
    pub background: Background,
    pub phase_space: PhaseSpace,
    pub opacities: Opacities,
    /// The single processes of the opacities, by name.
    pub processes: Vec<(String, Opacities)>,
    pub boundaries: Boundaries,
    pub geometry: Geometry,
    pub coefficients: Coefficients,
    /// Kernels of scattering on electrons and of pair processes, where the problem has any.
    pub inelastic: Option<Inelastic>,
}

impl Setup {
    /// Builds and samples everything that the problem file describes.
    ///
    /// # Errors
    /// Invalid fields and data files, a background that is no space-time on the radial grid, opacities
    /// that are negative or not finite.
    pub fn build(problem: &Loaded) -> Result<Self> {
        let (file, context) = (&problem.file, &problem.context);
        let background = Background::build(&file.background, context)?;
        let lapse = |r: f64| background.lapse(r);
        let has_matter = !matches!(file.background.matter, MatterFile::None);
        let surroundings = Surroundings { lapse: &lapse, has_matter };
        let opacities = Opacities::build(&file.opacities, &file.species, context, surroundings)?;
        let processes = opacities.by_process(&file.opacities, &file.species, context, surroundings)?;
        let mut discontinuities = background.discontinuities().to_vec();
        discontinuities.extend(opacities.discontinuities());
        discontinuities.sort_by(f64::total_cmp);
        discontinuities.dedup();
        let natural = NaturalEdges {
            discontinuities: &discontinuities,
            zones: opacities.zone_edges().or(background.zone_edges()),
            groups: opacities.group_edges(),
        };
        let phase_space =
            PhaseSpace::build(&file.phase_space, &file.species, natural, problem.refinement, context)?;
        let edges = &phase_space.radial.edges;
        background.check_range(edges[0], edges[edges.len() - 1])?;
        let geometry = Geometry::sample(&background, &phase_space);
        let boundaries = Boundaries::build(&file.boundary, &phase_space, &geometry)?;
        let coefficients = sample_opacities(&opacities, &background, &phase_space)?;
        let inelastic = sample_kernels(&opacities, &background, &phase_space)?;
        Ok(Self {
            units: context.units,
            background,
            phase_space,
            opacities,
            processes,
            boundaries,
            geometry,
            coefficients,
            inelastic,
        })
    }
}

/// Opacities at all nodes.
fn sample_opacities(
    opacities: &Opacities,
    background: &Background,
    phase_space: &PhaseSpace,
) -> Result<Coefficients> {
    let energies = energy_nodes(phase_space);
    let by_radius =
        at_radial_nodes(background, phase_space, |_, point| opacities.at_radius(point, &energies))?;
    let at = |species: usize, k: usize, i: usize| -> LocalOpacity { by_radius[i][[species, k]] };
    Ok(Coefficients::sample(phase_space, at))
}

/// Inelastic kernels at all radial nodes; `None` where the problem has no such reactions.
fn sample_kernels(
    opacities: &Opacities,
    background: &Background,
    phase_space: &PhaseSpace,
) -> Result<Option<Inelastic>> {
    if opacities.first_with_kernels().is_none() {
        return Ok(None);
    }
    let (energies, species) = (energy_nodes(phase_space), phase_space.species.len());
    let kernels = at_radial_nodes(background, phase_space, |_, point| {
        let kernels = opacities.kernels_at(point, &energies)?;
        Ok(kernels.unwrap_or_else(|| InelasticKernels::none(species)))
    })?;
    let weight = EnergyRedistribution::new(&phase_space.energy).number_weight;
    Ok(Some(Inelastic::new(kernels, weight, species)))
}

/// The energies at which opacities are sampled.
pub fn energy_nodes(phase_space: &PhaseSpace) -> Vec<EnergyNode> {
    let energy = &phase_space.energy;
    (0..energy.len()).map(|k| EnergyNode { energy: energy.node(k), element: energy.element_of(k) }).collect()
}

/// `value(number, point)` of all radial nodes.
///
/// # Errors
/// Those of `value`.
pub fn at_radial_nodes<T: Send>(
    background: &Background,
    phase_space: &PhaseSpace,
    value: impl Fn(usize, &RadialPoint) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let at = |(i, &r): (usize, &f64)| {
        let matter = background.matter(r);
        value(i, &RadialPoint { r, lapse: background.lapse(r), matter: matter.as_ref() })
    };
    in_order(phase_space.radial.nodes.par_iter().enumerate().map(at))
}

impl Geometry {
    /// Samples of `background` on the radial grid of `phase_space`.
    pub fn sample(background: &Background, phase_space: &PhaseSpace) -> Self {
        let (nodes, edges) = (&phase_space.radial.nodes, &phase_space.radial.edges);
        Self {
            lapse: nodes.iter().map(|&r| background.lapse(r)).collect(),
            radial_metric: nodes.iter().map(|&r| background.radial_metric(r)).collect(),
            velocity: nodes.iter().map(|&r| background.velocity(r)).collect(),
            edge_lapse: edges.iter().map(|&r| background.lapse(r)).collect(),
            edge_velocity: edges.iter().map(|&r| background.velocity(r)).collect(),
        }
    }
}
