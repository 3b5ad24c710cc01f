//! The runs from which errors are estimated: the finest, which judges the one at half its resolution, and
//! for each direction two that are coarser than the finest in that direction alone. Or, where no finest run is
//! made, those that are finer and coarser than the judged one in one direction alone.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::output::dataset::{Attribute, Dataset};
use crate::output::{read, write};
use crate::phase_space::EnergyGrid;
use crate::problem::Loaded;
use crate::problem::file::{Integrator, ModeFile, Refinement, StepFile};
use crate::progress::{Event, Observer};
use crate::run::{Resources, commit, run};
use crate::solvers::krylov::Status;

/// A direction of refinement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Direction {
    R,
    Mu,
    Energy,
    Time,
}

impl Direction {
    /// All, in the order of the output.
    pub const ALL: [Self; 4] = [Self::R, Self::Mu, Self::Energy, Self::Time];

    /// Name in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::R => "r",
            Self::Mu => "mu",
            Self::Energy => "energy",
            Self::Time => "time",
        }
    }
}

/// Elements (time steps) relative to the problem file's, in each direction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level {
    factors: [f64; 4],
}

impl Level {
    /// The file's own resolution.
    pub const STANDARD: Self = Self { factors: [1.0; 4] };

    /// `factor` in `directions`, 1 in the others.
    pub fn uniform(factor: f64, directions: &[Direction]) -> Self {
        directions.iter().fold(Self::STANDARD, |level, &direction| level.with(direction, factor))
    }

    /// The same with `factor` in `direction`.
    pub fn with(mut self, direction: Direction, factor: f64) -> Self {
        self.factors[direction as usize] = factor;
        self
    }

    pub fn factor(&self, direction: Direction) -> f64 {
        self.factors[direction as usize]
    }

    /// e.g. "r2_mu1_energy2_time1".
    pub fn name(&self) -> String {
        let parts: Vec<String> =
            Direction::ALL.iter().map(|d| format!("{}{}", d.name(), self.factor(*d))).collect();
        parts.join("_")
    }

    /// `problem` at this level.
    pub fn apply(&self, problem: &Loaded) -> Loaded {
        let mut problem = problem.clone();
        problem.refinement = Refinement {
            r: self.factor(Direction::R),
            mu: self.factor(Direction::Mu),
            energy: self.factor(Direction::Energy),
        };
        if let ModeFile::Evolution { step, integrator, .. } = &mut problem.file.mode {
            *step = shorter_steps(step, *integrator, self.factor(Direction::Time));
        }
        problem
    }
}

/// Steps `factor` times shorter. The embedded estimate falls with the order of the method, so that the
/// tolerance has to fall with that power of the step.
fn shorter_steps(step: &StepFile, integrator: Integrator, factor: f64) -> StepFile {
    match step {
        StepFile::Fixed(length) => StepFile::Fixed(length.scaled(1.0 / factor)),
        StepFile::Adaptive { tolerance, initial, largest } => StepFile::Adaptive {
            tolerance: tolerance * factor.powi(-integrator.order().max(2)),
            initial: initial.as_ref().map(|initial| initial.scaled(1.0 / factor)),
            largest: largest.as_ref().map(|largest| largest.scaled(1.0 / factor)),
        },
    }
}

/// The directions that `problem` has.
pub fn directions(problem: &Loaded, energy: &EnergyGrid) -> Vec<Direction> {
    let evolves = matches!(problem.file.mode, ModeFile::Evolution { .. });
    let has = |direction: &Direction| match direction {
        Direction::R | Direction::Mu => true,
        Direction::Energy => matches!(energy, EnergyGrid::Spectral(_)),
        Direction::Time => evolves,
    };
    Direction::ALL.into_iter().filter(has).collect()
}

/// Three levels that differ in one direction alone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Steps {
    pub direction: Direction,
    pub fine: Level,
    /// Half the elements of `fine` in the direction.
    pub half: Level,
    /// A quarter.
    pub quarter: Level,
}

/// The levels whose results are compared.
#[derive(Debug, Clone, PartialEq)]
pub struct Ladder {
    /// The level whose result is given: half the finest, but not below the problem's own.
    pub judged: Level,
    /// Finer in all directions together; `None` where each is refined by itself only.
    pub finest: Option<Level>,
    pub steps: Vec<Steps>,
}

impl Ladder {
    /// With the factor `finest` in `directions` together; with 1 the problem's own resolution is judged by runs that
    /// are twice as fine in one direction each.
    pub fn new(finest: f64, directions: &[Direction]) -> Self {
        let together = (finest > 1.0).then(|| Level::uniform(finest, directions));
        let judged = Level::uniform((0.5 * finest).max(1.0), directions);
        let from = |base: Level, top: f64| {
            let steps = move |&direction: &Direction| Steps {
                direction,
                fine: base.with(direction, top),
                half: base.with(direction, 0.5 * top),
                quarter: base.with(direction, 0.25 * top),
            };
            directions.iter().map(steps).collect()
        };
        let steps = together.map_or_else(|| from(judged, 2.0), |level| from(level, finest));
        Self { judged, finest: together, steps }
    }

    /// All levels to run, cheap ones first, each once.
    pub fn levels(&self) -> Vec<Level> {
        let mut levels = vec![Level::STANDARD];
        levels.extend(self.steps.iter().flat_map(|steps| [steps.quarter, steps.half, steps.fine]));
        levels.push(self.judged);
        // The dearest one last.
        levels.retain(|level| Some(*level) != self.finest);
        levels.extend(self.finest);
        let mut distinct: Vec<Level> = Vec::new();
        for level in levels {
            if !distinct.contains(&level) {
                distinct.push(level);
            }
        }
        distinct
    }
}

/// Where finished runs are kept until the whole ladder is done.
#[derive(Debug, Clone, PartialEq)]
pub struct Workplace {
    pub folder: PathBuf,
}

/// Attribute of a kept run that says which level it is.
const LEVEL: &str = "refinement_level";

impl Workplace {
    fn file(&self, level: &Level) -> PathBuf {
        self.folder.join(format!("{}.h5", level.name()))
    }

    /// The finished run of `problem` at `level`, if this version of the program has kept one.
    fn kept(&self, problem: &Loaded, level: &Level) -> Option<Dataset> {
        let dataset = read(&self.file(level)).ok()?;
        let hash = format!("{:016x}", problem.hash);
        let text = |name: &str| dataset.text_attribute(name).map(str::to_owned);
        let same = text("problem_hash") == Some(hash)
            && text("commit") == Some(commit())
            && text("program_version").as_deref() == Some(env!("CARGO_PKG_VERSION"))
            && text(LEVEL) == Some(level.name());
        same.then_some(dataset)
    }

    fn keep(&self, dataset: &Dataset, level: &Level) -> Result<()> {
        std::fs::create_dir_all(&self.folder)
            .map_err(|e| Error::file(&self.folder, format!("the folder cannot be made: {e}")))?;
        write(dataset, &self.file(level))
    }

    /// Removes what was kept.
    ///
    /// # Errors
    /// The folder cannot be removed.
    pub fn clear(&self) -> Result<()> {
        match std::fs::remove_dir_all(&self.folder) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::file(&self.folder, format!("cannot be removed: {e}")))
            }
            _ => Ok(()),
        }
    }

    /// The folder that belongs to the output `path`.
    pub fn beside(path: &Path) -> Self {
        Self { folder: path.with_extension("ladder") }
    }
}

/// The result of `problem` at every level, from `workplace` where it is kept there.
///
/// # Errors
/// See [`run`]; [`Error::Numerical`] where a run does not converge; [`Error::Interrupted`] (finished runs
/// are kept).
pub fn run_levels(
    problem: &Loaded,
    levels: &[Level],
    workplace: &Workplace,
    resources: &Resources,
    observer: &dyn Observer,
) -> Result<Vec<Dataset>> {
    let mut results = Vec::with_capacity(levels.len());
    for (index, level) in levels.iter().enumerate() {
        let what = level.name();
        observer.report(Event::Run { index, count: levels.len(), what: &what });
        if let Some(kept) = workplace.kept(problem, level) {
            tracing::info!("took {what} from {}", workplace.folder.display());
            results.push(kept);
            continue;
        }
        let finished = run(&level.apply(problem), resources, observer, &mut |_| Ok(()))?;
        match finished.status {
            Status::Converged => {}
            Status::Interrupted => return Err(Error::Interrupted),
            status => {
                let message = format!("the run at {what} did not converge: status {}", status.name());
                return Err(Error::Numerical(message));
            }
        }
        let mut dataset = finished.dataset;
        dataset.attribute(LEVEL, Attribute::Text(what));
        workplace.keep(&dataset, level)?;
        results.push(dataset);
    }
    Ok(results)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_level_is_run_once() {
        let two = Ladder::new(2.0, &[Direction::R, Direction::Mu]);
        let names: Vec<String> = two.levels().iter().map(Level::name).collect();
        assert_eq!(
            names,
            [
                "r1_mu1_energy1_time1",
                "r0.5_mu2_energy1_time1",
                "r1_mu2_energy1_time1",
                "r2_mu0.5_energy1_time1",
                "r2_mu1_energy1_time1",
                "r2_mu2_energy1_time1"
            ]
        );
        let one = Ladder::new(1.0, &[Direction::R, Direction::Mu]);
        let names: Vec<String> = one.levels().iter().map(Level::name).collect();
        assert_eq!(
            names,
            [
                "r1_mu1_energy1_time1",
                "r0.5_mu1_energy1_time1",
                "r2_mu1_energy1_time1",
                "r1_mu0.5_energy1_time1",
                "r1_mu2_energy1_time1"
            ]
        );
    }
}
