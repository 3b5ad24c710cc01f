//! The main job: from a loaded problem to a dataset that can be written.

use std::time::Instant;

use crate::criteria::{self, Verdict};
use crate::diagnostics::balance::{number_on_slice, relative};
use crate::diagnostics::moments::Moments;
use crate::diagnostics::result::{self, Wanted};
use crate::error::{Error, Result};
use crate::extremes::largest;
use crate::methods::boltzmann::evolution::{self, Plan, State, StepControl};
use crate::methods::boltzmann::inelastic::Inelastic;
use crate::methods::boltzmann::operator::Operator;
use crate::methods::boltzmann::{memory_estimate, steady};
use crate::methods::characteristics;
use crate::methods::closures::Closure;
use crate::methods::fld::{self, Limiter};
use crate::methods::initial::initial_distribution;
use crate::methods::moment_grid::{on_cells, on_moment_grid};
use crate::methods::name::Method;
use crate::methods::setup::Setup;
use crate::methods::{leakage, m1};
use crate::output::dataset::{Attribute, Dataset};
use crate::output::{self, FORMAT_VERSION};
use crate::problem::Loaded;
use crate::problem::file::{InitialFile, Integrator, ModeFile, OpacityFile, StepFile};
use crate::problem::size::least_memory;
use crate::progress::Observer;
use crate::solvers::krylov::{Limits, Status};
use crate::solvers::sdirk::Tableau;

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
/// Everything that is wrong with the problem, located in its file; [`Error::Numerical`] where there is no
/// solution; [`Error::Interrupted`] where nothing was completed.
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

/// Solves the steady state `problem` by the formal solution along geodesics. Criteria about the discrete
/// balances of the Boltzmann method (`number_balance`, …) are left out: this method has none.
///
/// # Errors
/// As [`run()`]; an evolution; inelastic kernels.
pub fn run_characteristics(
    problem: &Loaded,
    settings: &characteristics::Settings,
    observer: &dyn Observer,
) -> Result<Finished> {
    let started = Instant::now();
    let solved = || -> Result<Finished> {
        if matches!(problem.file.mode, ModeFile::Evolution { .. }) {
            let valid = "SteadyState: the method of characteristics knows no time";
            return Err(Error::field("mode", "Evolution", valid));
        }
        refuse_kernels(problem)?;
        let setup = Setup::build(problem)?;
        warn_of_no_source(problem, &setup);
        warn_of_contradictions(problem, &setup);
        let solution = characteristics::solve(&setup, settings, observer)?;
        let radii = criteria::sample_radii(problem)?;
        let dataset = solution.dataset(&radii, problem.file.outputs.distribution, observer)?;
        let job = Job { problem, setup: &setup, started };
        let mut dataset = job.with_provenance(dataset, Status::Converged);
        dataset.attribute("method", "characteristics").attribute("tolerance", settings.tolerance);
        let mut without_balances = problem.clone();
        without_balances.file.criteria.retain(|criterion| !criterion.variable.ends_with("_balance"));
        let verdicts = criteria::check(&without_balances, &dataset)?;
        Ok(Finished { dataset, status: Status::Converged, verdicts })
    };
    solved().map_err(|error| problem.locate(error))
}

/// Solves `problem` by an approximate method on its grid of moments ([`on_moment_grid`]): for comparison with
/// the Boltzmann method, whose solution it does not converge to. The problem's criteria are not checked, as
/// they hold for the exact solution.
///
/// # Errors
/// As [`run()`]; what the method cannot treat.
pub fn run_approximate(
    problem: &Loaded,
    method: Method,
    resources: &Resources,
    observer: &dyn Observer,
    save: &mut dyn FnMut(&Dataset) -> Result<()>,
) -> Result<Finished> {
    if let Method::Leakage(scheme) = method {
        return run_leakage(problem, scheme, leakage::Settings::default(), resources);
    }
    on_its_grid(problem, method, resources, |job| match method {
        Method::M1(closure) => job.m1(closure, observer, save),
        Method::Fld(limiter) => job.fld(limiter, observer, save),
        _ => Err(Error::Numerical(format!("{method} is not an approximate method"))),
    })
}

/// Solves `problem` by the leakage scheme, as [`run_approximate`], with `settings`.
///
/// # Errors
/// As [`run_approximate`]; settings that the scheme does not take.
pub fn run_leakage(
    problem: &Loaded,
    scheme: leakage::Scheme,
    settings: leakage::Settings,
    resources: &Resources,
) -> Result<Finished> {
    on_its_grid(problem, Method::Leakage(scheme), resources, |job| {
        if matches!(job.problem.file.mode, ModeFile::Evolution { .. }) {
            let valid = "SteadyState: leakage follows from the state of the matter alone";
            return Err(Error::field("mode", "Evolution", valid));
        }
        let solution = leakage::solve_with(job.setup, scheme, settings)?;
        Ok((solution.dataset(job.setup), Status::Converged))
    })
}

/// What `solve` makes of `problem` on the grid of approximate methods.
fn on_its_grid(
    problem: &Loaded,
    method: Method,
    resources: &Resources,
    solve: impl FnOnce(&Job) -> Result<(Dataset, Status)>,
) -> Result<Finished> {
    let started = Instant::now();
    let solved = || -> Result<Finished> {
        // M1 has cells of its own and gives its solution at the problem's nodes.
        let on_grid = match method {
            Method::M1(_) => problem.clone(),
            _ => on_moment_grid(problem),
        };
        let problem = &on_grid;
        let setup = Setup::build(problem)?;
        let needed = match method {
            Method::Fld(_) => fld::memory_estimate(&setup),
            _ => m1::memory_estimate(&setup),
        };
        if needed > resources.memory {
            return Err(too_large(gigabytes(needed as f64), resources.memory));
        }
        warn_of_no_source(problem, &setup);
        warn_of_contradictions(problem, &setup);
        let job = Job { problem, setup: &setup, started };
        let (dataset, status) = solve(&job)?;
        let mut dataset = job.with_provenance(dataset, status);
        dataset.attribute("method", method.to_string().as_str());
        Ok(Finished { dataset, status, verdicts: Vec::new() })
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
    let solved = || -> Result<Dataset> {
        refuse_kernels(problem)?;
        let radii = criteria::sample_radii(problem)?;
        if radii.is_empty() {
            return Err(Error::field("outputs.sample_radii", "none", "radii to be compared at"));
        }
        let setup = Setup::build(problem)?;
        characteristics::solve(&setup, settings, observer)?.dataset_at(&radii, false, observer)
    };
    solved().map_err(|error| problem.locate(error))
}

/// Inelastic collisions are not linear in f, and couple energies and species.
fn refuse_kernels(problem: &Loaded) -> Result<()> {
    let Some(index) = problem.file.opacities.iter().position(OpacityFile::has_kernels) else { return Ok(()) };
    let valid = "elastic collisions, emission and absorption: the method of characteristics solves linear \
                 problems only";
    Err(Error::field(format!("opacities[{index}]"), "inelastic kernels", valid))
}

/// Builds what `problem` describes if it fits into `memory` bytes, and warns where its solution is
/// trivial or its matter contradicts itself.
///
/// # Errors
/// Everything that is wrong with the problem, located in its file.
pub fn prepare(problem: &Loaded, memory: u64) -> Result<Setup> {
    let least = least_memory(problem);
    if least > memory as f64 {
        return Err(problem.locate(too_large(format!("at least {}", gigabytes(least)), memory)));
    }
    let setup = Setup::build(problem).map_err(|error| problem.locate(error))?;
    let needed = memory_estimate(&setup);
    if needed > memory {
        return Err(problem.locate(too_large(gigabytes(needed as f64), memory)));
    }
    warn_of_no_source(problem, &setup);
    warn_of_contradictions(problem, &setup);
    Ok(setup)
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

fn too_large(needed: String, memory: u64) -> Error {
    let valid =
        format!("at most {} on this machine: fewer elements or lower degrees", gigabytes(memory as f64));
    Error::field("phase_space", format!("a grid that needs {needed}"), valid)
}

fn gigabytes(bytes: f64) -> String {
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

    fn steady(&self, limits: Limits, observer: &dyn Observer) -> Result<Finished> {
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

    fn m1(
        &self,
        closure: Closure,
        observer: &dyn Observer,
        save: &mut dyn FnMut(&Dataset) -> Result<()>,
    ) -> Result<(Dataset, Status)> {
        let ModeFile::SteadyState { tolerance, .. } = self.problem.file.mode else {
            return self.m1_evolution(closure, observer, save);
        };
        let limits = Limits { tolerance: tolerance.max(m1::TOLERANCE), iterations: m1::MOST_STEPS };
        let cells = Setup::build(&on_cells(self.problem))?;
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

    fn fld(
        &self,
        limiter: Limiter,
        observer: &dyn Observer,
        save: &mut dyn FnMut(&Dataset) -> Result<()>,
    ) -> Result<(Dataset, Status)> {
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
        let mut evolution = fld::evolution::Evolution::new(self.setup, &plan, limiter, observer)?;
        let f = initial_distribution(self.problem, self.setup)?;
        let mut state = evolution.start(&Moments::new(&self.setup.phase_space, &f));
        let (mut times, mut states) = (Vec::new(), Vec::new());
        let mut push =
            |evolution: &fld::evolution::Evolution, state: &fld::evolution::State| -> Result<Dataset> {
                times.push(state.time * self.setup.units.time_unit());
                states.push(self.fld_state(evolution, state)?);
                let unit = if self.setup.units.physical { "s" } else { "1" };
                output::time_series(times.clone(), unit, &states)
            };
        let mut series = push(&evolution, &state)?;
        let outcome = evolution.run(&mut state, &mut |evolution, state| {
            series = push(evolution, state)?;
            save(&self.with_provenance(series.clone(), state.status))
        });
        match outcome {
            Ok(()) => Ok((series, state.status)),
            // What was reached is complete and is kept.
            Err(Error::Interrupted) => Ok((series, Status::Interrupted)),
            Err(error) => Err(error),
        }
    }

    fn fld_state(
        &self,
        evolution: &fld::evolution::Evolution,
        state: &fld::evolution::State,
    ) -> Result<Dataset> {
        let radii = criteria::sample_radii(self.problem)?;
        let mut dataset = result::dataset_of_moments(self.setup, &evolution.moments(state), None, &radii)?;
        dataset.attribute("number_balance", state.imbalance);
        let meaning = "neutrinos on the slice t = const";
        dataset.real("number", &["species"], "1", meaning, evolution.number(state));
        for (name, meaning, value) in [
            ("steps", "accepted time steps", state.steps as f64),
            ("steps_rejected", "rejected time steps", state.rejected as f64),
            ("newton_steps", "steps of Newton's method in all stages", state.newton_steps as f64),
        ] {
            dataset.real(name, &[], "1", meaning, vec![value]);
        }
        Ok(dataset)
    }

    fn m1_evolution(
        &self,
        closure: Closure,
        observer: &dyn Observer,
        save: &mut dyn FnMut(&Dataset) -> Result<()>,
    ) -> Result<(Dataset, Status)> {
        let plan = plan(self.problem)?;
        let on_cells = on_cells(self.problem);
        let cells = Setup::build(&on_cells)?;
        let evolution = m1::evolution::Evolution::new(&cells, &plan, closure, observer)?;
        let moments = Moments::new(&cells.phase_space, &initial_distribution(&on_cells, &cells)?);
        let mut state = evolution.start(m1::pairs(&cells, &moments));
        let (mut times, mut states) = (Vec::new(), Vec::new());
        let mut push = |state: &m1::evolution::State| -> Result<Dataset> {
            times.push(state.time * self.setup.units.time_unit());
            states.push(self.m1_state(&evolution, state)?);
            let unit = if self.setup.units.physical { "s" } else { "1" };
            output::time_series(times.clone(), unit, &states)
        };
        let mut series = push(&state)?;
        let outcome = evolution.run(&mut state, &mut |state| {
            series = push(state)?;
            save(&self.with_provenance(series.clone(), state.status))
        });
        match outcome {
            Ok(()) => Ok((series, state.status)),
            // What was reached is complete and is kept.
            Err(Error::Interrupted) => Ok((series, Status::Interrupted)),
            Err(error) => Err(error),
        }
    }

    fn m1_state(
        &self,
        evolution: &m1::evolution::Evolution,
        state: &m1::evolution::State,
    ) -> Result<Dataset> {
        let (moments, edges) = evolution.moments(state, &self.setup.phase_space);
        let radii = criteria::sample_radii(self.problem)?;
        let mut dataset = result::dataset_of_moments(self.setup, &moments, Some(&edges), &radii)?;
        let meaning = "neutrinos on the slice t = const";
        dataset.real("number", &["species"], "1", meaning, evolution.number(state));
        for (name, meaning, value) in [
            ("steps", "accepted time steps", state.steps as f64),
            ("steps_rejected", "rejected time steps", state.rejected as f64),
            ("newton_steps", "steps of Newton's method in all stages", state.newton_steps as f64),
        ] {
            dataset.real(name, &[], "1", meaning, vec![value]);
        }
        Ok(dataset)
    }

    fn evolution(
        &self,
        resources: &Resources,
        observer: &dyn Observer,
        save: &mut dyn FnMut(&Dataset) -> Result<()>,
    ) -> Result<Finished> {
        let operator = self.operator();
        let plan = plan(self.problem)?;
        let history = History::begin(self, &operator, &plan, resources.restart.as_ref())?;
        let mut state = history.state.clone();
        let mut recorded = history;
        let outcome = evolution::evolve(self.setup, &operator, &plan, &mut state, observer, &mut |state| {
            recorded.push(self, &operator, state)?;
            save(&self.with_provenance(recorded.series()?, state.status))
        });
        let status = match outcome {
            Ok(()) => state.status,
            // What was reached is complete and is kept.
            Err(Error::Interrupted) => Status::Interrupted,
            Err(error) => return Err(error),
        };
        self.finish(recorded.series()?, status)
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

/// The evolution that the problem file describes.
fn plan(problem: &Loaded) -> Result<Plan> {
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

/// The states of an evolution so far.
struct History {
    times: Vec<f64>,
    states: Vec<Dataset>,
    state: State,
    /// Neutrinos per species at the start.
    initial_number: Vec<f64>,
}

impl History {
    /// From the initial condition or the last state of an earlier output.
    fn begin(job: &Job, operator: &Operator, plan: &Plan, restart: Option<&Dataset>) -> Result<Self> {
        if let Some(earlier) = restart {
            return Self::resume(job, plan, earlier);
        }
        let f = initial_distribution(job.problem, job.setup)?;
        let state = State::new(job.setup, plan, f);
        let per_species = job.setup.phase_space.unknowns_per_species();
        let initial_number =
            state.f.chunks_exact(per_species).map(|f| number_on_slice(job.setup, operator, f)).collect();
        let mut history =
            Self { times: Vec::new(), states: Vec::new(), state: state.clone(), initial_number };
        history.push(job, operator, &state)?;
        Ok(history)
    }

    fn push(&mut self, job: &Job, operator: &Operator, state: &State) -> Result<()> {
        let units = job.setup.units;
        let mut dataset = job.state_dataset(operator, &state.f, state.time)?;
        let per_species = job.setup.phase_space.unknowns_per_species();
        let number: Vec<f64> =
            state.f.chunks_exact(per_species).map(|f| number_on_slice(job.setup, operator, f)).collect();
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
            ("steps", "1", "accepted time steps", state.steps as f64),
            ("steps_rejected", "1", "rejected time steps", state.rejected as f64),
            ("factorisations", "1", "factorisations of the stage systems", state.factorisations as f64),
            ("linear_iterations", "1", "iterations of all stage systems", state.iterations as f64),
            ("stage_residual", "1", "largest relative residual of any stage system", state.residual),
            ("next_step", units.label("s"), "time step that comes next", state.step * units.time_unit()),
        ] {
            dataset.real(name, &[], unit, meaning, vec![value]);
        }
        if job.setup.inelastic.is_some() {
            let meaning = "steps of Newton's method in all stages";
            dataset.real("newton_steps", &[], "1", meaning, vec![state.newton_steps as f64]);
        }
        self.times.push(state.time * units.time_unit());
        self.states.push(dataset);
        Ok(())
    }

    fn series(&self) -> Result<Dataset> {
        let unit =
            if self.states.iter().any(|s| s.get("r").is_some_and(|r| r.units == "cm")) { "s" } else { "1" };
        output::time_series(self.times.clone(), unit, &self.states)
    }

    /// Takes the states of an earlier output of the same problem over.
    fn resume(job: &Job, plan: &Plan, earlier: &Dataset) -> Result<Self> {
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
        state.time = times.last().copied().unwrap_or(0.0) / time_unit;
        // The stored time went through a unit conversion: take the exact planned time for it.
        if let Some(&exact) = plan.times.iter().find(|&&t| (t - state.time).abs() <= 1e-12 * t.abs()) {
            state.time = exact;
        }
        state.step = scalar("next_step")? / time_unit;
        state.steps = scalar("steps")? as usize;
        state.rejected = scalar("steps_rejected")? as usize;
        state.factorisations = scalar("factorisations")? as usize;
        if job.setup.inelastic.is_some() {
            state.newton_steps = scalar("newton_steps")? as usize;
        }
        state.iterations = scalar("linear_iterations")? as usize;
        state.residual = scalar("stage_residual")?;
        state.gained = last.reals("number_gained")?.to_vec();
        let initial_number = last.reals("number_initial")?.to_vec();
        Ok(Self { times, states, state, initial_number })
    }
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
