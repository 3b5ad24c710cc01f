//! The two-moment method.

use crate::criteria;
use crate::diagnostics::moments::Moments;
use crate::diagnostics::result;
use crate::error::Result;
use crate::methods::closures::Closure;
use crate::methods::initial::initial_distribution;
use crate::methods::m1;
use crate::methods::m1::evolution::{Evolution, State};
use crate::methods::moment_grid::on_cells;
use crate::methods::setup::Setup;
use crate::methods::steps::march;
use crate::output::dataset::{Attribute, Dataset};
use crate::problem::Loaded;
use crate::problem::file::ModeFile;
use crate::progress::Observer;
use crate::solvers::krylov::{Limits, Status};

use super::plan::plan;
use super::series::{Counts, Series, add_counts, final_status};
use super::{Job, checks};

impl Job<'_> {
    /// Solves the problem with `closure` on cells of its own; the result is at the problem's nodes.
    pub fn m1(
        &self,
        closure: Closure,
        memory: u64,
        observer: &dyn Observer,
        save: &mut dyn FnMut(&Dataset) -> Result<()>,
    ) -> Result<(Dataset, Status)> {
        let on_cells = on_cells(self.problem);
        let cells = Setup::build(&on_cells)?;
        checks::fits(m1::memory_estimate(&cells), memory)?;
        let ModeFile::SteadyState { tolerance, .. } = self.problem.file.mode else {
            return self.m1_evolution(closure, (&on_cells, &cells), observer, save);
        };
        let limits = Limits { tolerance: tolerance.max(m1::TOLERANCE), iterations: m1::MOST_STEPS };
        let solution = m1::solve(&cells, &self.setup.phase_space, closure, limits, observer)?;
        let radii = criteria::sample_radii(self.problem)?;
        let mut dataset =
            result::dataset_of_moments(self.setup, &solution.moments, Some(&solution.edges), &radii)?;
        dataset
            .attribute("newton_steps", solution.steps as i64)
            .attribute("residual_history", Attribute::Reals(solution.residuals))
            .attribute("reconstruction_change", solution.reconstruction_change);
        Ok((dataset, solution.status))
    }

    fn m1_evolution(
        &self,
        closure: Closure,
        (on_cells, cells): (&Loaded, &Setup),
        observer: &dyn Observer,
        save: &mut dyn FnMut(&Dataset) -> Result<()>,
    ) -> Result<(Dataset, Status)> {
        let plan = plan(self.problem)?;
        let mut evolution = Evolution::new(cells, &plan, closure, observer)?;
        let moments = Moments::new(&cells.phase_space, &initial_distribution(on_cells, cells)?);
        let mut state = evolution.start(m1::pairs(cells, &moments));
        let mut series = Series::new(self.setup.units);
        series.push(state.clock.time, self.m1_state(&evolution, &state)?);
        let outcome = march(&mut evolution, &plan, &mut state, observer, &mut |evolution, state| {
            series.push(state.clock.time, self.m1_state(evolution, state)?);
            save(&self.with_provenance(series.dataset()?, state.status))
        });
        let status = final_status(outcome, state.status)?;
        Ok((series.dataset()?, status))
    }

    fn m1_state(&self, evolution: &Evolution, state: &State) -> Result<Dataset> {
        let (moments, edges) = evolution.moments(state, &self.setup.phase_space);
        let radii = criteria::sample_radii(self.problem)?;
        let mut dataset = result::dataset_of_moments(self.setup, &moments, Some(&edges), &radii)?;
        let (clock, newton_steps) = (&state.clock, state.newton_steps);
        let counts = Counts { steps: clock.steps, rejected: clock.rejected, newton_steps };
        add_counts(&mut dataset, evolution.number(state), counts);
        Ok(dataset)
    }
}
