//! The grids of methods that are nonlinear in the moments.

use crate::problem::Loaded;
use crate::problem::file::EnergyGridFile;

/// Degree of the elements: the lowest that keeps the diffusion limit. Higher ones oscillate where the flux
/// factor has a kink, which f has not.
const DEGREE: usize = 1;

/// `problem` with each element in r and ε cut into elements of degree 1 that have at least as many nodes
/// together. Background, opacities, species and boundaries are the same.
pub fn on_moment_grid(problem: &Loaded) -> Loaded {
    let parts = |degree: usize| (degree + 1).div_ceil(DEGREE + 1);
    cut(problem, DEGREE, parts, parts)
}

/// Cells per node of the problem's elements in r; in ε there is one.
const RADIAL_CELLS: usize = 2;

/// `problem` with each element in r and ε cut into finite volumes (elements of degree 0), of which there are
/// more than nodes.
pub fn on_cells(problem: &Loaded) -> Loaded {
    cut(problem, 0, |degree| RADIAL_CELLS * (degree + 1), |degree| degree + 1)
}

/// `problem` with elements of `degree`, of which `radial` and `energy` replace one of the degree that they are
/// given.
fn cut(
    problem: &Loaded,
    degree: usize,
    radial: impl Fn(usize) -> usize,
    energy: impl Fn(usize) -> usize,
) -> Loaded {
    let mut problem = problem.clone();
    let phase_space = &mut problem.file.phase_space;
    problem.refinement.r *= radial(phase_space.r.degree) as f64;
    phase_space.r.degree = degree;
    match &mut phase_space.energy {
        EnergyGridFile::Gray => {}
        EnergyGridFile::Geometric { degree: own, .. }
        | EnergyGridFile::Edges { degree: own, .. }
        | EnergyGridFile::TableGroups { degree: own } => {
            problem.refinement.energy *= energy(*own) as f64;
            *own = degree;
        }
    }
    problem
}
