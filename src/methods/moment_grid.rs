//! The grid of methods that are nonlinear in the moments.

use crate::problem::Loaded;
use crate::problem::file::EnergyGridFile;

/// Degree of the elements: the lowest that keeps the diffusion limit. Higher ones oscillate where the flux
/// factor has a kink, which f has not.
const DEGREE: usize = 1;

/// `problem` with each element in r and ε cut into elements of degree 1 that have at least as many nodes
/// together. Background, opacities, species and boundaries are the same.
pub fn on_moment_grid(problem: &Loaded) -> Loaded {
    let mut problem = problem.clone();
    let phase_space = &mut problem.file.phase_space;
    problem.refinement.r *= lower(&mut phase_space.r.degree);
    match &mut phase_space.energy {
        EnergyGridFile::Gray => {}
        EnergyGridFile::Geometric { degree, .. }
        | EnergyGridFile::Edges { degree, .. }
        | EnergyGridFile::TableGroups { degree } => problem.refinement.energy *= lower(degree),
    }
    problem
}

/// Cells per node of the problem's elements in r; in ε there is one.
const RADIAL_CELLS: usize = 2;

/// `problem` with each element in r and ε cut into finite volumes (elements of degree 0), of which there are
/// more than nodes.
pub fn on_cells(problem: &Loaded) -> Loaded {
    let mut problem = problem.clone();
    let phase_space = &mut problem.file.phase_space;
    problem.refinement.r *= (RADIAL_CELLS * (phase_space.r.degree + 1)) as f64;
    phase_space.r.degree = 0;
    match &mut phase_space.energy {
        EnergyGridFile::Gray => {}
        EnergyGridFile::Geometric { degree, .. }
        | EnergyGridFile::Edges { degree, .. }
        | EnergyGridFile::TableGroups { degree } => {
            problem.refinement.energy *= (*degree + 1) as f64;
            *degree = 0;
        }
    }
    problem
}

/// Lowers `degree` and gives the number of elements that replace one.
fn lower(degree: &mut usize) -> f64 {
    let parts = (*degree + 1).div_ceil(DEGREE + 1).max(1);
    *degree = DEGREE;
    parts as f64
}
