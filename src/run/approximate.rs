//! Approximate methods on the grid of each.

use std::time::Instant;

use crate::error::{Error, Result};
use crate::methods::leakage;
use crate::methods::moment_grid::on_moment_grid;
use crate::methods::name::Method;
use crate::methods::setup::Setup;
use crate::output::dataset::Dataset;
use crate::problem::Loaded;
use crate::problem::file::ModeFile;
use crate::progress::Observer;
use crate::solvers::krylov::Status;

use super::{Finished, Job, Resources, checks};

/// Solves `problem` by an approximate method on the grid of that method
/// ([`crate::methods::moment_grid`]): for comparison with the Boltzmann method, whose solution it does not
/// converge to. The problem's criteria are not checked, as they hold for the exact solution.
///
/// # Errors
/// As [`super::run()`]; what the method cannot treat.
pub fn run_approximate(
    problem: &Loaded,
    method: Method,
    resources: &Resources,
    observer: &dyn Observer,
    save: &mut dyn FnMut(&Dataset) -> Result<()>,
) -> Result<Finished> {
    let memory = resources.memory;
    match method {
        Method::Leakage(scheme) => run_leakage(problem, scheme, leakage::Settings::default()),
        // M1 has cells of its own and gives its solution at the problem's nodes.
        Method::M1(closure) => {
            finished(problem, problem, method, |job| job.m1(closure, memory, observer, save))
        }
        Method::Fld(limiter) => finished(problem, &on_moment_grid(problem), method, |job| {
            job.fld(limiter, memory, observer, save)
        }),
        Method::Boltzmann | Method::Characteristics => {
            Err(Error::Numerical(format!("{method} is not an approximate method")))
        }
    }
}

/// Solves `problem` by the leakage scheme, as [`run_approximate`], with `settings`.
///
/// # Errors
/// As [`run_approximate`]; settings that the scheme does not take.
pub fn run_leakage(
    problem: &Loaded,
    scheme: leakage::Scheme,
    settings: leakage::Settings,
) -> Result<Finished> {
    finished(problem, &on_moment_grid(problem), Method::Leakage(scheme), |job| {
        if matches!(job.problem.file.mode, ModeFile::Evolution { .. }) {
            let valid = "SteadyState: leakage follows from the state of the matter alone";
            return Err(Error::field("mode", "Evolution", valid));
        }
        let solution = leakage::solve_with(job.setup, scheme, settings)?;
        Ok((solution.dataset(job.setup), Status::Converged))
    })
}

/// What `solve` makes of `on_grid`, which is `problem` on the grid of its result.
fn finished(
    problem: &Loaded,
    on_grid: &Loaded,
    method: Method,
    solve: impl FnOnce(&Job) -> Result<(Dataset, Status)>,
) -> Result<Finished> {
    let started = Instant::now();
    let solved = || -> Result<Finished> {
        let setup = Setup::build(on_grid)?;
        checks::warn(on_grid, &setup);
        let job = Job { problem: on_grid, setup: &setup, started };
        let (dataset, status) = solve(&job)?;
        let mut dataset = job.with_provenance(dataset, status);
        dataset.attribute("method", method.to_string().as_str());
        Ok(Finished { dataset, status, verdicts: Vec::new() })
    };
    solved().map_err(|error| problem.locate(error))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::methods::closures::Closure;
    use crate::methods::fld::{self, Limiter};
    use crate::methods::m1;
    use crate::methods::moment_grid::on_cells;
    use crate::problem::{LoadOptions, load};
    use crate::progress::Silent;

    /// A method is refused where the grid that it runs on, which is not the problem's own, needs too much.
    #[test]
    fn memory_is_that_of_the_methods_own_grid() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("problems/homogeneous_sphere.ron");
        let problem = load(&path, &LoadOptions::default()).unwrap();
        let own = Setup::build(&problem).unwrap();
        let cells = Setup::build(&on_cells(&problem)).unwrap();
        let linear = Setup::build(&on_moment_grid(&problem)).unwrap();
        let needs = [
            (Method::M1(Closure::Minerbo), m1::memory_estimate(&cells)),
            (Method::Fld(Limiter::Wilson), fld::memory_estimate(&linear)),
        ];
        assert!(needs[0].1 > m1::memory_estimate(&own));
        for (method, needed) in needs {
            let with = |memory| {
                let resources = Resources { memory, restart: None };
                run_approximate(&problem, method, &resources, &Silent, &mut |_| Ok(()))
            };
            let error = with(needed - 1).unwrap_err().to_string();
            assert!(error.contains("a grid that needs"), "{error}");
            assert!(with(needed).is_ok());
        }
    }
}
