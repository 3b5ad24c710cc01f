//! The evolution that a problem file describes.

use crate::error::{Error, Result};
use crate::methods::steps::{Plan, StepControl};
use crate::problem::Loaded;
use crate::problem::file::{Integrator, ModeFile, StepFile};
use crate::solvers::krylov::Limits;
use crate::solvers::sdirk::Tableau;

/// The times, the integrator and the steps of `problem`'s evolution, in internal units.
///
/// # Errors
/// Times that are no times; steps that would never reach the end; a steady state.
pub fn plan(problem: &Loaded) -> Result<Plan> {
    let ModeFile::Evolution { start, end, output_times, integrator, step, tolerance, .. } =
        &problem.file.mode
    else {
        return Err(Error::Numerical("the problem is no evolution".into()));
    };
    let units = problem.context.units;
    let path = "mode";
    let start = match start {
        Some(start) => start.time(units, &format!("{path}.start"))?,
        None => 0.0,
    };
    let end = end.time(units, &format!("{path}.end"))?;
    let mut times = match output_times {
        Some(list) => list.times(units, &format!("{path}.output_times"))?,
        None => Vec::new(),
    };
    times.push(end);
    times.retain(|&time| time > start);
    times.sort_by(f64::total_cmp);
    times.dedup();
    let tableau = match integrator {
        Integrator::BackwardEuler => Tableau::backward_euler(),
        Integrator::Sdirk2 => Tableau::sdirk2(),
        Integrator::Sdirk3 => Tableau::sdirk3(),
    };
    let limits = Limits { tolerance: *tolerance, iterations: 200 };
    Ok(Plan { start, times, tableau, control: step_control(step, end - start, problem)?, limits })
}

/// Fixed steps that are a smaller share of the whole time would never reach the end.
const SHORTEST_STEP: f64 = 1e-9;

fn step_control(step: &StepFile, whole: f64, problem: &Loaded) -> Result<StepControl> {
    let units = problem.context.units;
    match step {
        StepFile::Fixed(quantity) => {
            let step = quantity.time(units, "mode.step")?;
            if step < SHORTEST_STEP * whole {
                let valid = format!("at least {SHORTEST_STEP:e} of the time from start to end");
                return Err(Error::field("mode.step", quantity, valid));
            }
            Ok(StepControl::Fixed(step))
        }
        StepFile::Adaptive { tolerance, initial, largest } => {
            let initial = match initial {
                Some(initial) => initial.time(units, "mode.step.initial")?,
                None => 1e-3 * whole,
            };
            let largest = match largest {
                Some(largest) => largest.time(units, "mode.step.largest")?,
                None => whole,
            };
            Ok(StepControl::Adaptive { tolerance: *tolerance, initial, largest })
        }
    }
}
