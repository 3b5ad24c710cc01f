//! The main job: from a loaded problem to a dataset that can be written.

mod approximate;
mod characteristics;
mod checks;
mod evolution;
mod fld;
mod m1;
mod plan;
mod series;
mod steady;

use std::time::Instant;

use crate::criteria::{self, Verdict};
use crate::diagnostics::result::{self, Wanted};
use crate::error::Result;
use crate::methods::boltzmann::memory_estimate;
use crate::methods::boltzmann::operator::Operator;
use crate::methods::setup::Setup;
use crate::output::FORMAT_VERSION;
use crate::output::dataset::Dataset;
use crate::problem::Loaded;
use crate::problem::file::ModeFile;
use crate::problem::size::least_memory;
use crate::progress::Observer;
use crate::solvers::krylov::{Limits, Status};

pub use approximate::{run_approximate, run_leakage};
pub use characteristics::{characteristics_at_samples, run_characteristics};

/// What a run is given besides the problem.
#[derive(Debug, Clone, Default)]
pub struct Resources {
    /// Bytes of memory that may be used.
    pub memory: u64,
    /// An earlier output of the same evolution to go on from.
    pub restart: Option<Dataset>,
}

/// A finished (or interrupted) run.
#[derive(Debug, Clone)]
pub struct Finished {
    pub dataset: Dataset,
    pub status: Status,
    /// The problem's own criteria, checked.
    pub verdicts: Vec<Verdict>,
}

/// Solves `problem`. `save` gets the series so far each time an evolution reaches an output time.
///
/// # Errors
/// Everything that is wrong with the problem, located in its file; [`crate::error::Error::Numerical`] where there is no
/// solution; [`crate::error::Error::Interrupted`] where nothing was completed.
pub fn run(
    problem: &Loaded,
    resources: &Resources,
    observer: &dyn Observer,
    save: &mut dyn FnMut(&Dataset) -> Result<()>,
) -> Result<Finished> {
    let started = Instant::now();
    let setup = prepare(problem, resources.memory)?;
    tracing::info!(seconds = started.elapsed().as_secs_f64(), "sampled background and opacities");
    let job = Job { problem, setup: &setup, started };
    let finished = match &problem.file.mode {
        ModeFile::SteadyState { tolerance, max_iterations } => {
            let limits = Limits { tolerance: *tolerance, iterations: *max_iterations };
            job.steady(limits, observer)
        }
        ModeFile::Evolution { .. } => job.evolution(resources, observer, save),
    };
    finished.map_err(|error| problem.locate(error))
}

/// Builds what `problem` describes if it fits into `memory` bytes, and warns where its solution is
/// trivial or its matter contradicts itself.
///
/// # Errors
/// Everything that is wrong with the problem, located in its file.
pub fn prepare(problem: &Loaded, memory: u64) -> Result<Setup> {
    let least = least_memory(problem);
    if least > memory as f64 {
        let needed = format!("at least {}", checks::gigabytes(least));
        return Err(problem.locate(checks::too_large(needed, memory)));
    }
    let setup = Setup::build(problem).map_err(|error| problem.locate(error))?;
    checks::fits(memory_estimate(&setup), memory).map_err(|error| problem.locate(error))?;
    checks::warn(problem, &setup);
    Ok(setup)
}

/// One problem on the grid of one method.
struct Job<'a> {
    problem: &'a Loaded,
    setup: &'a Setup,
    started: Instant,
}

impl Job<'_> {
    fn operator(&self) -> Operator<'_> {
        let Setup { geometry, phase_space, coefficients, boundaries, .. } = self.setup;
        Operator::new(geometry, phase_space, coefficients, boundaries.reflecting())
    }

    /// The dataset of one state.
    fn state_dataset(&self, operator: &Operator, f: &[f64], time: f64) -> Result<Dataset> {
        let (inner, outer) = self.setup.boundaries.inflow(&self.setup.phase_space, time)?;
        let wanted = Wanted {
            distribution: self.problem.file.outputs.distribution,
            sample_radii: criteria::sample_radii(self.problem)?,
            steady: matches!(self.problem.file.mode, ModeFile::SteadyState { .. }),
        };
        result::dataset(self.setup, operator, f, (&inner, &outer), &wanted)
    }

    fn finish(&self, dataset: Dataset, status: Status) -> Result<Finished> {
        let dataset = self.with_provenance(dataset, status);
        let verdicts = match status {
            Status::Interrupted => Vec::new(),
            _ => criteria::check(self.problem, &dataset)?,
        };
        Ok(Finished { dataset, status, verdicts })
    }

    /// Adds what says where the numbers come from.
    fn with_provenance(&self, mut dataset: Dataset, status: Status) -> Dataset {
        let (problem, file) = (self.problem, &self.problem.file);
        dataset
            .attribute("format_version", FORMAT_VERSION)
            .attribute("title", file.title.as_str())
            .attribute("program", env!("CARGO_PKG_NAME"))
            .attribute("program_version", env!("CARGO_PKG_VERSION"))
            .attribute("commit", commit())
            .attribute("method", "boltzmann")
            .attribute("mode", mode_name(&file.mode))
            .attribute("problem", problem.text.as_str())
            .attribute("problem_hash", format!("{:016x}", problem.hash))
            .attribute("resolution", problem.resolution.name())
            .attribute("units", if problem.context.units.physical { "physical" } else { "dimensionless" })
            .attribute("status", status.name())
            .attribute("wall_time_s", self.started.elapsed().as_secs_f64())
            .attribute("threads", rayon::current_num_threads() as i64);
        dataset
    }
}

/// The commit that the program was built from, marked where the tree had changes.
pub fn commit() -> String {
    let dirty = if env!("VERGEN_GIT_DIRTY") == "true" { "-dirty" } else { "" };
    format!("{}{dirty}", env!("VERGEN_GIT_SHA"))
}

fn mode_name(mode: &ModeFile) -> &'static str {
    match mode {
        ModeFile::SteadyState { .. } => "steady state",
        ModeFile::Evolution { .. } => "evolution",
    }
}
