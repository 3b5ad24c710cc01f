//! What the evolutions of all methods write.

use crate::error::{Error, Result};
use crate::output;
use crate::output::dataset::Dataset;
use crate::solvers::krylov::Status;
use crate::units::UnitSystem;

/// The states of an evolution so far.
#[derive(Debug, Clone)]
pub struct Series {
    units: UnitSystem,
    /// As they are written: seconds, or no unit.
    times: Vec<f64>,
    states: Vec<Dataset>,
}

impl Series {
    /// No states yet.
    pub fn new(units: UnitSystem) -> Self {
        Self { units, times: Vec::new(), states: Vec::new() }
    }

    /// Those of an earlier output at `times`, as they are written.
    pub fn resumed(units: UnitSystem, times: Vec<f64>, states: Vec<Dataset>) -> Self {
        Self { units, times, states }
    }

    /// Adds a state of the internal time `time`.
    pub fn push(&mut self, time: f64, state: Dataset) {
        self.times.push(time * self.units.time_unit());
        self.states.push(state);
    }

    /// All states as one dataset.
    ///
    /// # Errors
    /// States that do not have the same variables.
    pub fn dataset(&self) -> Result<Dataset> {
        output::time_series(self.times.clone(), self.units.label("s"), &self.states)
    }
}

/// The status of an evolution that ended with `outcome` in a state with `status`. What was reached before an
/// interruption is complete and is kept.
///
/// # Errors
/// All others than [`Error::Interrupted`].
pub fn final_status(outcome: Result<()>, status: Status) -> Result<Status> {
    match outcome {
        Ok(()) => Ok(status),
        Err(Error::Interrupted) => Ok(Status::Interrupted),
        Err(error) => Err(error),
    }
}

/// Adds what an evolution of moments says besides the moments: `number`, the neutrinos of each species, and
/// what it took to get there.
pub fn add_counts(state: &mut Dataset, number: Vec<f64>, counts: Counts) {
    state.real("number", &["species"], "1", "neutrinos on the slice t = const", number);
    for (name, meaning, value) in [
        ("steps", "accepted time steps", counts.steps),
        ("steps_rejected", "rejected time steps", counts.rejected),
        ("newton_steps", "steps of Newton's method in all stages", counts.newton_steps),
    ] {
        state.real(name, &[], "1", meaning, vec![value as f64]);
    }
}

/// Steps of an evolution since its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    pub steps: usize,
    pub rejected: usize,
    pub newton_steps: usize,
}
