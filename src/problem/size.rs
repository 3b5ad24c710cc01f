//! How much memory a problem needs at least, from the counts of its file alone: a grid that is far too
//! large is refused before anything of its size is made.

use super::Loaded;
use super::file::{AngularGridFile, EnergyGridFile, OpacityFile, RadialElements};

/// Bytes of f and its copy for the output at one node of phase space.
const BYTES_PER_UNKNOWN: f64 = 16.0;
/// Bytes of the sampled opacities at one radius and energy.
const BYTES_PER_OPACITY: f64 = 32.0;
/// Bytes of both moments of a kernel at one radius and pair of energies.
const BYTES_PER_KERNEL: f64 = 16.0;
/// Bytes of the coupling of J and H of two energies and species between two radial nodes, in f32.
const BYTES_PER_COUPLING: f64 = 16.0;

/// Bytes that the solution, the opacities and the inelastic collisions of `problem` take at least, at its
/// resolution. Grids whose size only a data file tells count as one element.
pub fn least_memory(problem: &Loaded) -> f64 {
    let (file, refinement) = (&problem.file.phase_space, problem.refinement);
    let elements = match &file.r.elements {
        RadialElements::Segments { segments, .. } => segments.iter().map(|s| s.elements as f64).sum(),
        RadialElements::Edges(edges) => intervals(edges.values.len()),
        RadialElements::Zones { .. } => 1.0,
    };
    let radii = nodes(elements, file.r.degree, refinement.r);
    let ordinates = match &file.mu {
        AngularGridFile::SingleRange { ordinates } => *ordinates as f64 * refinement.mu,
        AngularGridFile::Uniform { degree, elements } => nodes(*elements as f64, *degree, refinement.mu),
        AngularGridFile::Graded { degree, inward, outward, .. } => {
            nodes((inward + outward) as f64, *degree, refinement.mu)
        }
        AngularGridFile::Edges { degree, edges } => nodes(intervals(edges.len()), *degree, refinement.mu),
    };
    let energies = match &file.energy {
        EnergyGridFile::Gray => 1.0,
        EnergyGridFile::Geometric { degree, elements, .. } => {
            nodes(*elements as f64, *degree, refinement.energy)
        }
        EnergyGridFile::Edges { degree, edges } => {
            nodes(intervals(edges.values.len()), *degree, refinement.energy)
        }
        EnergyGridFile::TableGroups { degree } => nodes(1.0, *degree, refinement.energy),
    };
    let species = problem.file.species.len() as f64;
    let solution = species * energies * radii * (BYTES_PER_UNKNOWN * ordinates + BYTES_PER_OPACITY);
    if !problem.file.opacities.iter().any(OpacityFile::has_kernels) {
        return solution;
    }
    // One kernel per species, and the moment equations that couple all energies, species and the nodes of
    // a radial element.
    let kernels = BYTES_PER_KERNEL * species * energies.powi(2);
    let moments = BYTES_PER_COUPLING * (species * energies).powi(2) * (file.r.degree as f64 + 1.0);
    solution + radii * (kernels + moments)
}

fn intervals(edges: usize) -> f64 {
    edges.saturating_sub(1) as f64
}

/// Nodes of `elements` elements that are cut or merged by `factor`; at least those of one element.
fn nodes(elements: f64, degree: usize, factor: f64) -> f64 {
    (elements * factor).max(1.0) * (degree as f64 + 1.0)
}
