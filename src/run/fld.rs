//! Flux-limited diffusion.

use crate::criteria;
use crate::diagnostics::moments::Moments;
use crate::diagnostics::result;
use crate::error::Result;
use crate::extremes::largest;
use crate::methods::fld::evolution::{Evolution, State};
use crate::methods::fld::{self, Limiter};
use crate::methods::initial::initial_distribution;
use crate::methods::steps::march;
use crate::output::dataset::{Attribute, Dataset};
use crate::problem::file::ModeFile;
use crate::progress::Observer;
use crate::solvers::krylov::{Limits, Status};

use super::plan::plan;
use super::series::{Counts, Series, add_counts, final_status};
use super::{Job, checks};

impl Job<'_> {
    /// Solves the problem with `limiter`.
    pub fn fld(
        &self,
        limiter: Limiter,
        memory: u64,
        observer: &dyn Observer,
        save: &mut dyn FnMut(&Dataset) -> Result<()>,
    ) -> Result<(Dataset, Status)> {
        checks::fits(fld::memory_estimate(self.setup), memory)?;
        let ModeFile::SteadyState { tolerance, max_iterations } = self.problem.file.mode else {
            return self.fld_evolution(limiter, observer, save);
        };
        let limits = Limits { tolerance: tolerance.max(fld::TOLERANCE), iterations: max_iterations };
        let solution = fld::solve(self.setup, limiter, limits, observer)?;
        let radii = criteria::sample_radii(self.problem)?;
        let mut dataset = result::dataset_of_moments(self.setup, &solution.moments, None, &radii)?;
        let imbalance = largest(solution.balances.iter().map(|balance| balance.residual().abs()));
        dataset
            .attribute("iterations", solution.outcome.iterations as i64)
            .attribute("number_balance", imbalance)
            .attribute("residual_history", Attribute::Reals(solution.outcome.residuals));
        Ok((dataset, solution.outcome.status))
    }

    fn fld_evolution(
        &self,
        limiter: Limiter,
        observer: &dyn Observer,
        save: &mut dyn FnMut(&Dataset) -> Result<()>,
    ) -> Result<(Dataset, Status)> {
        let plan = plan(self.problem)?;
        let mut evolution = Evolution::new(self.setup, &plan, limiter, observer)?;
        let f = initial_distribution(self.problem, self.setup)?;
        let mut state = evolution.start(&Moments::new(&self.setup.phase_space, &f));
        let mut series = Series::new(self.setup.units);
        series.push(state.clock.time, self.fld_state(&evolution, &state)?);
        let outcome = march(&mut evolution, &plan, &mut state, observer, &mut |evolution, state| {
            series.push(state.clock.time, self.fld_state(evolution, state)?);
            save(&self.with_provenance(series.dataset()?, state.status))
        });
        let status = final_status(outcome, state.status)?;
        Ok((series.dataset()?, status))
    }

    fn fld_state(&self, evolution: &Evolution, state: &State) -> Result<Dataset> {
        let radii = criteria::sample_radii(self.problem)?;
        let mut dataset = result::dataset_of_moments(self.setup, &evolution.moments(state), None, &radii)?;
        dataset.attribute("number_balance", state.imbalance);
        let (clock, newton_steps) = (&state.clock, state.newton_steps);
        let counts = Counts { steps: clock.steps, rejected: clock.rejected, newton_steps };
        add_counts(&mut dataset, evolution.number(state), counts);
        Ok(dataset)
    }
}
