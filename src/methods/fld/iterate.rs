//! Newton's method with pseudo-time for one group of unknowns.
//!
//! At rest the equations are monotone: with implicit steps in pseudo-time Σ|residual| never grows, whatever J
//! they start from, and tends to 0 (Crandall & Liggett 1971, Am. J. Math. 93, 265). Steps without it are tried
//! first. Where transparent matter makes the flux nearly a step function of the gradient's sign, the equations
//! are solved with more and then less opacity added.

use crate::error::{Error, Result};
use crate::progress::{Event, Observer};
use crate::solvers::krylov::{Limits, Outcome, Status};

use super::balance::Balance;
use super::elimination;
use super::system::{State, System};

/// J of one group at (radial node, member), what follows from it, and how it was found.
pub struct Solved {
    pub j: Vec<f64>,
    pub state: State,
    pub outcome: Outcome,
}

/// Share of 1/r that is added to the transport opacity: bounds R at 2e6 where nothing interacts.
pub const LEAST_OPACITY: f64 = 1e-6;
/// Such shares, and those of the spectral slopes, that lead to it where it is not reached at once.
const WAY: [(f64, f64); 9] = [
    (1e-1, 0.0),
    (1e-2, 0.0),
    (1e-3, 0.0),
    (1e-4, 0.0),
    (1e-5, 0.0),
    (LEAST_OPACITY, 0.0),
    (LEAST_OPACITY, 0.4),
    (LEAST_OPACITY, 0.7),
    (LEAST_OPACITY, 1.0),
];

/// What is different from the equations to be solved on the way to their solution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Way {
    pub least_opacity: f64,
    pub slopes: f64,
    /// See [`System::frozen`].
    pub frozen: bool,
}

impl Way {
    const END: Self = Self { least_opacity: LEAST_OPACITY, slopes: 1.0, frozen: false };
}

/// Residual of the solutions that lead to it.
const ON_THE_WAY: f64 = 1e-6;
/// Steps of Newton's method without damping.
const DIRECT_STEPS: usize = 20;
/// Residual at which it has failed.
const LOST: f64 = 1e6;

/// In one step J changes by no more than this factor.
const LARGEST_CHANGE: f64 = 10.0;
/// J that collisions may make of next to nothing in one step.
const FILLED: f64 = 1e-2;
/// A step may let the residual grow by this factor.
const GROWTH: f64 = 1.5;
/// The first damping after steps without it have failed, in row scales, its growth after a rejected step and its
/// largest fall in a good one.
const FIRST_DAMPING: f64 = 1e-2;
const MORE_DAMPING: f64 = 8.0;
const LESS_DAMPING: f64 = 0.1;
/// Steps without progress after which damping grows.
const CYCLE: usize = 6;
/// Damping below which there is none, and above which a step does nothing.
const LEAST_DAMPING: f64 = 1e-9;
const MOST_DAMPING: f64 = 1e6;
/// Steps without a residual below half of the least so far that end the iteration, with and without damping.
const PATIENCE: [usize; 2] = [40, 8];
/// Residual below which rounding, not the method, ends progress.
const ROUNDING: f64 = 1e-13;

/// Solves the equations that `system(Way::END)` gives from `guess`; `name` is that of the species in reports.
///
/// # Errors
/// [`Error::Interrupted`].
pub fn solve<'a>(
    system: impl Fn(Way) -> System<'a>,
    guess: Vec<f64>,
    limits: Limits,
    name: &str,
    observer: &dyn Observer,
) -> Result<Solved> {
    let first = Limits { iterations: limits.iterations.min(DIRECT_STEPS), ..limits };
    let newton = |j| attempt(&system(Way::END), j, Path::Direct, first, name, observer);
    let direct = newton(guess.clone())?;
    if direct.outcome.status == Status::Converged {
        return Ok(direct);
    }
    let mut iterations = direct.outcome.iterations;
    let (mut best, mut j) = (direct, guess);
    for (least_opacity, slopes) in WAY {
        let last = (least_opacity, slopes) == (LEAST_OPACITY, 1.0);
        let tolerance = if last { limits.tolerance } else { limits.tolerance.max(ON_THE_WAY) };
        let limits = Limits { tolerance, ..limits };
        let led = attempt(
            &system(Way { least_opacity, slopes, frozen: true }),
            j,
            Path::Dual,
            limits,
            name,
            observer,
        )?;
        iterations += led.outcome.iterations;
        j = led.j.clone();
        if last {
            best = better(best, led);
        }
    }
    if best.outcome.status != Status::Converged {
        let finished = newton(j)?;
        iterations += finished.outcome.iterations;
        best = better(best, finished);
    }
    best.outcome.iterations = iterations;
    Ok(best)
}

/// The one with the smaller last residual.
fn better(a: Solved, b: Solved) -> Solved {
    let last = |solved: &Solved| solved.outcome.residuals.last().copied().unwrap_or(f64::NAN);
    if last(&b) < last(&a) || last(&a).is_nan() { b } else { a }
}

/// How a solution is approached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Path {
    /// Newton's method without damping.
    Direct,
    /// With the primal-dual derivatives of the flux and damping.
    Dual,
}

/// Solves `system` from `guess`.
fn attempt(
    system: &System,
    guess: Vec<f64>,
    path: Path,
    limits: Limits,
    name: &str,
    observer: &dyn Observer,
) -> Result<Solved> {
    let mut j = guess;
    let mut state = system.state(&j, &[]);
    if path == Path::Dual {
        let dual = vec![0.0; state.faces.len()];
        state = system.state(&j, &dual);
    }
    let mut outcome = Outcome { status: Status::Limit, iterations: 0, residuals: Vec::new() };
    let mut damping = 0.0;
    let patience = PATIENCE[usize::from(path == Path::Direct)];
    loop {
        let residual = relative_residual(system, &j, &state);
        let iteration = outcome.iterations;
        observer.report(Event::Residual { species: name, iteration, residual, tolerance: limits.tolerance });
        if observer.stop_requested() {
            return Err(Error::Interrupted);
        }
        outcome.residuals.push(residual);
        outcome.status = match residual {
            r if !r.is_finite() => Status::Failed,
            r if path == Path::Direct && r > LOST => Status::Stalled,
            r if r <= limits.tolerance => Status::Converged,
            _ if stalled(&outcome.residuals, patience) => Status::Stalled,
            _ => Status::Limit,
        };
        if outcome.status != Status::Limit || outcome.iterations >= limits.iterations {
            tracing::debug!(name, ?path, share = system.least_opacity, iteration, residual, "attempt");
            return Ok(Solved { j, state, outcome });
        }
        if path == Path::Dual && without_progress(&outcome.residuals) {
            damping = (MORE_DAMPING * damping).clamp(FIRST_DAMPING, MOST_DAMPING / MORE_DAMPING);
        }
        let Some(next) = accepted_step(system, &j, &state, path, &mut damping) else {
            outcome.status = Status::Stalled;
            return Ok(Solved { j, state, outcome });
        };
        (j, state) = next;
        outcome.iterations += 1;
    }
}

/// J after a step with as much damping as it takes for Σ|residual| not to grow far; `damping` becomes that of the
/// next step. None where no step does.
fn accepted_step(
    system: &System,
    j: &[f64],
    state: &State,
    path: Path,
    damping: &mut f64,
) -> Option<(Vec<f64>, State)> {
    let before = merit(system, state);
    while *damping < MOST_DAMPING {
        // Far from the solution a matrix may be singular.
        if let Ok(step) = correction(system, j, state, *damping) {
            let next: Vec<f64> = j.iter().zip(&step).map(|(j, step)| bounded(system, *j, j + step)).collect();
            let dual = match path {
                Path::Direct => Vec::new(),
                Path::Dual => system.dual(state, &step, &next),
            };
            let after = system.state(&next, &dual);
            let ratio = merit(system, &after) / before;
            tracing::trace!(damping = *damping, ratio, before, "step");
            if ratio <= GROWTH || path == Path::Direct {
                *damping *= ratio.max(LESS_DAMPING);
                if *damping < LEAST_DAMPING {
                    *damping = 0.0;
                }
                return Some((next, after));
            }
        }
        if path == Path::Direct {
            break;
        }
        *damping = (MORE_DAMPING * *damping).max(FIRST_DAMPING);
    }
    None
}

/// The new value within a factor of the old one. Where collisions fill states it is at most 1 and may rise to
/// [`FILLED`] at once. In steady state it is not negative: where nothing absorbs, upwinding has spurious solutions
/// with J < 0. A stage in time may start from J < 0.
fn bounded(system: &System, j: f64, next: f64) -> f64 {
    let collides = system.kernels.is_some();
    let top = if collides { (LARGEST_CHANGE * j).max(FILLED) } else { LARGEST_CHANGE * j };
    let next = match j > 0.0 {
        true => next.clamp(j / LARGEST_CHANGE, top),
        false if system.shift == 0.0 => next.max(0.0),
        false => next,
    };
    if collides { next.min(1.0) } else { next }
}

/// −(∂residual/∂J + damping × speed)⁻¹ residual.
///
/// # Errors
/// [`Error::Numerical`] for a singular matrix.
pub fn correction(system: &System, j: &[f64], state: &State, damping: f64) -> Result<Vec<f64>> {
    let n = system.size();
    let (neighbours, own) = system.jacobian(j, state);
    let mut x: Vec<f64> = state.residual.iter().map(|r| -r).collect();
    let assemble = |i: usize, block: &mut [f64]| {
        block.fill(0.0);
        system.add_collisions(j, i, block);
        for row in 0..n {
            let index = i * n + row;
            block[row * n + row] += damping * state.speed[index];
            own[index].iter().for_each(|&(column, value)| block[column * n + row] += value);
        }
    };
    elimination::solve(n, &neighbours, assemble, &mut x)?;
    Ok(x)
}

/// Σ|residual| as number.
fn merit(system: &System, state: &State) -> f64 {
    let weights = &system.discrete.lines.weight;
    let rows = state.residual.iter().enumerate();
    rows.map(|(index, r)| weights[system.members[index % system.size()].1] * r.abs()).sum()
}

/// The larger of ‖residual/scale‖/‖J‖ and the residual of the number balance.
fn relative_residual(system: &System, j: &[f64], state: &State) -> f64 {
    if state.residual.iter().all(|&r| r == 0.0) {
        return 0.0;
    }
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>().sqrt();
    let size = norm(&mut j.iter().copied());
    let scaled = norm(&mut state.residual.iter().zip(&state.scale).map(|(r, s)| r / s));
    let pointwise = scaled / size.max(f64::MIN_POSITIVE);
    let mut species: Vec<usize> = system.members.iter().map(|&(s, _)| s).collect();
    species.dedup();
    let balances = species.into_iter().map(|s| system.balance(j, state, s));
    let imbalance = balances.fold(Balance::default(), Balance::and).residual().abs();
    if pointwise.is_nan() || imbalance.is_nan() { f64::NAN } else { pointwise.max(imbalance) }
}

/// Whether it is time for more damping: cycles end with it.
fn without_progress(residuals: &[f64]) -> bool {
    let (last, recent) = residuals.split_at(residuals.len().saturating_sub(CYCLE));
    let least = |residuals: &[f64]| residuals.iter().copied().fold(f64::INFINITY, f64::min);
    residuals.len().is_multiple_of(CYCLE) && !last.is_empty() && least(recent) > 0.5 * least(last)
}

/// Whether the last steps did next to nothing, or rounding does not allow more.
fn stalled(residuals: &[f64], patience: usize) -> bool {
    let least = |residuals: &[f64]| residuals.iter().copied().fold(f64::INFINITY, f64::min);
    let last = residuals.len() - 1;
    if last > 0 && residuals[last] < ROUNDING && residuals[last] > 0.5 * residuals[last - 1] {
        return true;
    }
    let Some(earlier) = residuals.len().checked_sub(patience) else { return false };
    earlier > 0 && least(&residuals[earlier..]) > 0.5 * least(&residuals[..earlier])
}
