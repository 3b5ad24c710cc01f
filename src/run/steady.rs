//! The Boltzmann method in steady state.

use crate::error::Result;
use crate::methods::boltzmann::steady;
use crate::output::dataset::Attribute;
use crate::progress::Observer;
use crate::solvers::krylov::Limits;

use super::{Finished, Job};

impl Job<'_> {
    /// Solves the steady state to `limits`.
    pub fn steady(&self, limits: Limits, observer: &dyn Observer) -> Result<Finished> {
        let operator = self.operator();
        tracing::info!(unknowns = self.setup.phase_space.unknowns(), "solving");
        let solution = steady::solve(self.setup, &operator, limits, observer)?;
        tracing::info!(seconds = self.started.elapsed().as_secs_f64(), "solved");
        let status = solution.status();
        let mut dataset = self.state_dataset(&operator, &solution.f, 0.0)?;
        for (species, outcome) in self.setup.phase_space.species.iter().zip(&solution.outcomes) {
            let name = format!("residual_history_{}", species.name);
            dataset.attribute(&name, Attribute::Reals(outcome.residuals.clone()));
        }
        let slowest = solution.outcomes.iter().max_by_key(|outcome| outcome.iterations);
        let (iterations, history) = match (&solution.newton, slowest) {
            (Some(newton), _) => (newton.linear_iterations, &newton.residuals),
            (None, Some(slowest)) => (slowest.iterations, &slowest.residuals),
            (None, None) => return self.finish(dataset, status),
        };
        dataset.attribute("iterations", iterations as i64);
        dataset.attribute("residual_history", Attribute::Reals(history.clone()));
        if let Some(newton) = &solution.newton {
            dataset.attribute("newton_steps", newton.newton_steps as i64);
        }
        self.finish(dataset, status)
    }
}
