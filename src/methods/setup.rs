//! The one immutable description of a problem that every method sees.

use rayon::prelude::*;

use crate::background::Background;
use crate::error::{Error, Result};
use crate::opacities::{EnergyNode, LocalOpacity, Opacities, RadialPoint, Surroundings};
use crate::phase_space::{NaturalEdges, PhaseSpace};
use crate::problem::Loaded;
use crate::problem::file::MatterFile;
use crate::units::UnitSystem;

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
    pub boundaries: Boundaries,
    pub geometry: Geometry,
    pub coefficients: Coefficients,
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
        refuse_kernels(&opacities)?;
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
        Ok(Self {
            units: context.units,
            background,
            phase_space,
            opacities,
            boundaries,
            geometry,
            coefficients,
        })
    }
}

/// No method solves with inelastic kernels: leaving them out would change the problem.
fn refuse_kernels(opacities: &Opacities) -> Result<()> {
    match opacities.first_with_kernels() {
        None => Ok(()),
        Some(index) => Err(Error::field(
            format!("opacities[{index}]"),
            "inelastic kernels",
            "sources without kernels, as no method of this version solves with them (`tolman rates` shows them)",
        )),
    }
}

/// Opacities at all nodes.
fn sample_opacities(
    opacities: &Opacities,
    background: &Background,
    phase_space: &PhaseSpace,
) -> Result<Coefficients> {
    let energies: Vec<EnergyNode> = (0..phase_space.energy.len())
        .map(|k| EnergyNode { energy: phase_space.energy.node(k), element: phase_space.energy.element_of(k) })
        .collect();
    let by_radius = phase_space
        .radial
        .nodes
        .par_iter()
        .map(|&r| {
            let matter = background.matter(r);
            let point = RadialPoint { r, lapse: background.lapse(r), matter: matter.as_ref() };
            opacities.at_radius(&point, &energies)
        })
        .collect::<Result<Vec<_>>>()?;
    let at = |species: usize, k: usize, i: usize| -> LocalOpacity { by_radius[i][[species, k]] };
    Ok(Coefficients::sample(phase_space, at))
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
