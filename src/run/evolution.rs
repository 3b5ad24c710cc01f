//! The Boltzmann method in time, from the start or from an earlier output.

use crate::diagnostics::balance::{number_on_slice, relative};
use crate::error::{Error, Result};
use crate::extremes::largest;
use crate::methods::boltzmann::evolution::{State, evolve};
use crate::methods::boltzmann::operator::Operator;
use crate::methods::initial::initial_distribution;
use crate::methods::steps::Plan;
use crate::output;
use crate::output::dataset::Dataset;
use crate::progress::Observer;

use super::plan::plan;
use super::series::{Series, final_status};
use super::{Finished, Job, Resources};

impl Job<'_> {
    /// Evolves the problem over its time.
    pub fn evolution(
        &self,
        resources: &Resources,
        observer: &dyn Observer,
        save: &mut dyn FnMut(&Dataset) -> Result<()>,
    ) -> Result<Finished> {
        let operator = self.operator();
        let plan = plan(self.problem)?;
        let (mut history, mut state) = History::begin(self, &operator, &plan, resources.restart.as_ref())?;
        let outcome = evolve(self.setup, &operator, &plan, &mut state, observer, &mut |state| {
            history.push(self, &operator, state)?;
            save(&self.with_provenance(history.series.dataset()?, state.status))
        });
        let status = final_status(outcome, state.status)?;
        self.finish(history.series.dataset()?, status)
    }
}

/// The states of an evolution so far.
struct History {
    series: Series,
    /// Neutrinos per species at the start.
    initial_number: Vec<f64>,
}

impl History {
    /// From the initial condition or the last state of an earlier output, with the state to go on from.
    fn begin(
        job: &Job,
        operator: &Operator,
        plan: &Plan,
        restart: Option<&Dataset>,
    ) -> Result<(Self, State)> {
        if let Some(earlier) = restart {
            return Self::resume(job, plan, earlier);
        }
        let state = State::new(job.setup, plan, initial_distribution(job.problem, job.setup)?);
        let initial_number = numbers(job, operator, &state.f);
        let mut history = Self { series: Series::new(job.setup.units), initial_number };
        history.push(job, operator, &state)?;
        Ok((history, state))
    }

    fn push(&mut self, job: &Job, operator: &Operator, state: &State) -> Result<()> {
        let units = job.setup.units;
        let clock = &state.clock;
        let mut dataset = job.state_dataset(operator, &state.f, clock.time)?;
        let number = numbers(job, operator, &state.f);
        let residual =
            number.iter().zip(&self.initial_number).zip(&state.gained).map(|((now, start), gained)| {
                relative(now - start - gained, now.abs().max(start.abs())).abs()
            });
        dataset.attribute("number_balance", largest(residual));
        let meaning = "neutrinos on the slice t = const";
        dataset.real("number", &["species"], "1", meaning, number);
        let meaning = "neutrinos on the slice at the start";
        dataset.real("number_initial", &["species"], "1", meaning, self.initial_number.clone());
        let meaning = "neutrinos gained since the start by emission, absorption and flux through the edges";
        dataset.real("number_gained", &["species"], "1", meaning, state.gained.clone());
        for (name, unit, meaning, value) in [
            ("steps", "1", "accepted time steps", clock.steps as f64),
            ("steps_rejected", "1", "rejected time steps", clock.rejected as f64),
            ("factorisations", "1", "factorisations of the stage systems", state.factorisations as f64),
            ("linear_iterations", "1", "iterations of all stage systems", state.iterations as f64),
            ("stage_residual", "1", "largest relative residual of any stage system", state.residual),
            ("next_step", units.label("s"), "time step that comes next", clock.step * units.time_unit()),
        ] {
            dataset.real(name, &[], unit, meaning, vec![value]);
        }
        if job.setup.inelastic.is_some() {
            let meaning = "steps of Newton's method in all stages";
            dataset.real("newton_steps", &[], "1", meaning, vec![state.newton_steps as f64]);
        }
        self.series.push(clock.time, dataset);
        Ok(())
    }

    /// Takes the states of an earlier output of the same problem over.
    fn resume(job: &Job, plan: &Plan, earlier: &Dataset) -> Result<(Self, State)> {
        let times = earlier.reals("time")?.to_vec();
        let states = output::states(earlier)?;
        let last = states.last().ok_or_else(|| Error::dataset("time", "holds no state to go on from"))?;
        let space = &job.setup.phase_space;
        same_grid(last, "r", &space.radial.nodes)?;
        same_grid(last, "mu", &space.angular.nodes)?;
        let energies: Vec<f64> = (0..space.energy.len()).map(|k| space.energy.node(k)).collect();
        same_grid(last, "energy", &energies)?;
        let stored = last.reals("f")?;
        if stored.len() != space.unknowns() {
            return Err(Error::dataset("f", "has another size than the problem's grid"));
        }
        let f = radii_before_ordinates(stored, space.radial.nodes.len(), space.angular.nodes.len());
        let scalar = |name: &str| last.reals(name).map(|values| values.first().copied().unwrap_or(0.0));
        let time_unit = job.setup.units.time_unit();
        let mut state = State::new(job.setup, plan, f);
        let clock = &mut state.clock;
        clock.time = times.last().copied().unwrap_or(0.0) / time_unit;
        // The stored time went through a unit conversion: take the exact planned time for it.
        if let Some(&exact) = plan.times.iter().find(|&&t| (t - clock.time).abs() <= 1e-12 * t.abs()) {
            clock.time = exact;
        }
        clock.step = scalar("next_step")? / time_unit;
        clock.steps = scalar("steps")? as usize;
        clock.rejected = scalar("steps_rejected")? as usize;
        state.factorisations = scalar("factorisations")? as usize;
        if job.setup.inelastic.is_some() {
            state.newton_steps = scalar("newton_steps")? as usize;
        }
        state.iterations = scalar("linear_iterations")? as usize;
        state.residual = scalar("stage_residual")?;
        state.gained = last.reals("number_gained")?.to_vec();
        let initial_number = last.reals("number_initial")?.to_vec();
        let series = Series::resumed(job.setup.units, times, states);
        Ok((Self { series, initial_number }, state))
    }
}

/// Neutrinos of each species on the slice t = const.
fn numbers(job: &Job, operator: &Operator, f: &[f64]) -> Vec<f64> {
    let per_species = job.setup.phase_space.unknowns_per_species();
    f.chunks_exact(per_species).map(|f| number_on_slice(job.setup, operator, f)).collect()
}

fn same_grid(earlier: &Dataset, name: &str, nodes: &[f64]) -> Result<()> {
    let stored = earlier.reals(name)?;
    let same = stored.len() == nodes.len()
        && stored.iter().zip(nodes).all(|(a, b)| (a - b).abs() <= 1e-12 * b.abs().max(1e-300));
    if same {
        Ok(())
    } else {
        Err(Error::dataset(name, "is another grid than the problem's: no restart from it"))
    }
}

/// From (…, ordinate, radius) in a file to (…, radius, ordinate).
fn radii_before_ordinates(f: &[f64], radii: usize, ordinates: usize) -> Vec<f64> {
    let mut values = Vec::with_capacity(f.len());
    for slab in f.chunks_exact(radii * ordinates) {
        for i in 0..radii {
            values.extend((0..ordinates).map(|j| slab[j * radii + i]));
        }
    }
    values
}
