//! What is refused or warned of before a problem is solved.

use crate::error::{Error, Result};
use crate::methods::boltzmann::inelastic::Inelastic;
use crate::methods::setup::Setup;
use crate::problem::Loaded;
use crate::problem::file::{InitialFile, ModeFile};

/// Warns where the solution is trivial or the matter contradicts itself.
pub fn warn(problem: &Loaded, setup: &Setup) {
    warn_of_no_source(problem, setup);
    warn_of_contradictions(problem, setup);
}

/// # Errors
/// Where a method that needs `needed` bytes has no more than `memory`.
pub fn fits(needed: u64, memory: u64) -> Result<()> {
    if needed > memory {
        return Err(too_large(gigabytes(needed as f64), memory));
    }
    Ok(())
}

fn warn_of_contradictions(problem: &Loaded, setup: &Setup) {
    let edges = &setup.phase_space.radial.edges;
    let (Some(&inner), Some(&outer)) = (edges.first(), edges.last()) else { return };
    for found in setup.background.contradictions(inner, outer) {
        tracing::warn!("{}: background.matter: {}", problem.path.display(), found.describe(" cm"));
    }
}

fn warn_of_no_source(problem: &Loaded, setup: &Setup) {
    if has_no_source(problem, setup) {
        tracing::warn!(
            "{}: nothing emits neutrinos and none come in through the edges: the solution is f = 0",
            problem.path.display()
        );
    }
}

/// The error of a grid that needs `needed`.
pub fn too_large(needed: String, memory: u64) -> Error {
    let valid =
        format!("at most {} on this machine: fewer elements or lower degrees", gigabytes(memory as f64));
    Error::field("phase_space", format!("a grid that needs {needed}"), valid)
}

/// `bytes` for people.
pub fn gigabytes(bytes: f64) -> String {
    format!("{:.1} GB", bytes * 1e-9)
}

/// Whether f = 0 solves the problem: no emission, no inflow, nothing there at the start.
fn has_no_source(problem: &Loaded, setup: &Setup) -> bool {
    let starts_empty = match &problem.file.mode {
        ModeFile::SteadyState { .. } => true,
        ModeFile::Evolution { initial, .. } => {
            matches!(initial, InitialFile::Empty | InitialFile::Equilibrium)
        }
    };
    let space = &setup.phase_space;
    let slabs = (0..space.species.len()).flat_map(|s| (0..space.energy.len()).map(move |k| (s, k)));
    let emits =
        || slabs.into_iter().any(|(s, k)| setup.coefficients.slab(s, k).iter().any(|o| o.emissivity > 0.0));
    let makes_pairs = || setup.inelastic.as_ref().is_some_and(Inelastic::makes_pairs);
    starts_empty && !setup.boundaries.has_inflow() && !emits() && !makes_pairs()
}
