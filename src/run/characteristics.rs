//! The formal solution along geodesics.

use std::time::Instant;

use crate::criteria;
use crate::error::{Error, Result};
use crate::methods::characteristics;
use crate::methods::setup::Setup;
use crate::output::dataset::Dataset;
use crate::problem::Loaded;
use crate::problem::file::{ModeFile, OpacityFile};
use crate::progress::Observer;
use crate::solvers::krylov::Status;

use super::{Finished, Job, checks};

/// Solves the steady state `problem` by the formal solution along geodesics. Criteria about the discrete
/// balances of the Boltzmann method (`number_balance`, …) are left out: this method has none.
///
/// # Errors
/// As [`super::run()`]; an evolution; inelastic kernels.
pub fn run_characteristics(
    problem: &Loaded,
    settings: &characteristics::Settings,
    observer: &dyn Observer,
) -> Result<Finished> {
    let started = Instant::now();
    let solved = || -> Result<Finished> {
        check_applies(problem)?;
        let setup = Setup::build(problem)?;
        checks::warn(problem, &setup);
        let solution = characteristics::solve(&setup, settings, observer)?;
        let radii = criteria::sample_radii(problem)?;
        let dataset = solution.dataset(&radii, problem.file.outputs.distribution, observer)?;
        let job = Job { problem, setup: &setup, started };
        let dataset = with_method(job.with_provenance(dataset, Status::Converged), settings);
        let mut without_balances = problem.clone();
        without_balances.file.criteria.retain(|criterion| !criterion.variable.ends_with("_balance"));
        let verdicts = criteria::check(&without_balances, &dataset)?;
        Ok(Finished { dataset, status: Status::Converged, verdicts })
    };
    solved().map_err(|error| problem.locate(error))
}

/// The solution of [`run_characteristics`] at the problem's sample radii only, without f: the group
/// `samples` of its output. Rays serve single points, so that this costs a small part of it.
///
/// # Errors
/// As [`run_characteristics`]; a problem without sample radii.
pub fn characteristics_at_samples(
    problem: &Loaded,
    settings: &characteristics::Settings,
    observer: &dyn Observer,
) -> Result<Dataset> {
    let started = Instant::now();
    let solved = || -> Result<Dataset> {
        check_applies(problem)?;
        let radii = criteria::sample_radii(problem)?;
        if radii.is_empty() {
            return Err(Error::field("outputs.sample_radii", "none", "radii to be compared at"));
        }
        let setup = Setup::build(problem)?;
        let solution = characteristics::solve(&setup, settings, observer)?;
        let dataset = solution.dataset_at(&radii, false, observer)?;
        let job = Job { problem, setup: &setup, started };
        Ok(with_method(job.with_provenance(dataset, Status::Converged), settings))
    };
    solved().map_err(|error| problem.locate(error))
}

fn with_method(mut dataset: Dataset, settings: &characteristics::Settings) -> Dataset {
    dataset.attribute("method", "characteristics").attribute("tolerance", settings.tolerance);
    dataset
}

/// Refuses evolutions, and inelastic collisions, which are not linear in f and couple energies and species.
fn check_applies(problem: &Loaded) -> Result<()> {
    if matches!(problem.file.mode, ModeFile::Evolution { .. }) {
        let valid = "SteadyState: the method of characteristics knows no time";
        return Err(Error::field("mode", "Evolution", valid));
    }
    let Some(index) = problem.file.opacities.iter().position(OpacityFile::has_kernels) else { return Ok(()) };
    let valid = "elastic collisions, emission and absorption: the method of characteristics solves linear \
                 problems only";
    Err(Error::field(format!("opacities[{index}]"), "inelastic kernels", valid))
}
