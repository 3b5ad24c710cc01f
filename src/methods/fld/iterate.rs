//! The iteration J → A(J)⁻¹s. Without velocity it is Newton's method, because A(J) J is of first degree.

use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::progress::{Event, Observer};
use crate::solvers::krylov::{Limits, Outcome, Status};

use super::system::{Matrix, State, System};

/// J of one species at (radial node, line), what follows from it, and how it was found.
pub struct Solved {
    pub j: Vec<f64>,
    pub state: State,
    pub outcome: Outcome,
}

/// In one step J changes by no more than this factor.
const LARGEST_CHANGE: f64 = 10.0;
/// A step may let the residual grow by this factor before it is cut in half.
const GROWTH: f64 = 3.0;
/// Largest number of halvings.
const HALVINGS: usize = 6;
/// Rounds of sweeps through the lines, down and up.
const SWEEPS: usize = 3;
/// Steps without a residual below half of the least so far that end the iteration.
const PATIENCE: usize = 40;
/// Residual below which rounding, not the method, ends progress.
const ROUNDING: f64 = 1e-13;

/// Solves `system` from `guess`; `name` is that of the species in reports. Full steps first; where they
/// do not get there, steps that may not let the residual grow far. The better result counts.
///
/// # Errors
/// [`Error::Interrupted`]; [`Error::Numerical`] for a singular matrix.
pub fn solve(
    system: &System,
    guess: Vec<f64>,
    limits: Limits,
    name: &str,
    observer: &dyn Observer,
) -> Result<Solved> {
    let full = attempt(system, guess.clone(), f64::INFINITY, limits, name, observer)?;
    let left = limits.iterations.saturating_sub(full.outcome.iterations);
    if full.outcome.status == Status::Converged || left == 0 {
        return Ok(full);
    }
    let careful = attempt(system, guess, GROWTH, Limits { iterations: left, ..limits }, name, observer)?;
    let last = |solved: &Solved| solved.outcome.residuals.last().copied().unwrap_or(f64::NAN);
    let better = last(&careful) < last(&full) || last(&full).is_nan();
    Ok(if better { careful } else { full })
}

/// Solves with steps that may let the residual grow by the factor `growth`.
fn attempt(
    system: &System,
    guess: Vec<f64>,
    growth: f64,
    limits: Limits,
    name: &str,
    observer: &dyn Observer,
) -> Result<Solved> {
    let mut j = guess;
    let mut state = system.state(&j);
    let mut outcome = Outcome { status: Status::Limit, iterations: 0, residuals: Vec::new() };
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
            r if r <= limits.tolerance => Status::Converged,
            _ if stalled(&outcome.residuals) => Status::Stalled,
            _ => Status::Limit,
        };
        if outcome.status != Status::Limit || outcome.iterations >= limits.iterations {
            return Ok(Solved { j, state, outcome });
        }
        let step = correction(system, &j, &state)?;
        (j, state) = damped(system, &j, &state, &step, growth);
        outcome.iterations += 1;
    }
}

/// The change of `j` to A(j)⁻¹s.
///
/// # Errors
/// [`Error::Numerical`] for a singular matrix.
pub fn correction(system: &System, j: &[f64], state: &State) -> Result<Vec<f64>> {
    let matrix = system.matrix(j, state);
    let lines = matrix.lines;
    let right: Vec<f64> = state.residual.iter().map(|r| -r).collect();
    let uncoupled = matrix.rows.iter().all(|row| row.other == [0.0; 2]);
    let mut x = vec![0.0; right.len()];
    if uncoupled {
        let columns: Vec<Vec<f64>> =
            (0..lines).into_par_iter().map(|p| solve_line(&matrix, &right, &x, p)).collect::<Result<_>>()?;
        for (index, x) in x.iter_mut().enumerate() {
            *x = columns[index % lines][index / lines];
        }
        return Ok(x);
    }
    // Neutrinos fall or rise in energy: in one of both directions a sweep is exact.
    for _ in 0..SWEEPS {
        for p in (0..lines).rev().chain(0..lines) {
            let column = solve_line(&matrix, &right, &x, p)?;
            column.into_iter().enumerate().for_each(|(i, value)| x[i * lines + p] = value);
        }
    }
    Ok(x)
}

/// Solves for line `p` with the other lines as they are in `x`, by elimination along the radius.
fn solve_line(matrix: &Matrix, right: &[f64], x: &[f64], p: usize) -> Result<Vec<f64>> {
    let (lines, nodes) = (matrix.lines, right.len() / matrix.lines);
    let mut pivots = Vec::with_capacity(nodes);
    let mut solution: Vec<f64> = Vec::with_capacity(nodes);
    for i in 0..nodes {
        let index = i * lines + p;
        let row = &matrix.rows[index];
        let from = |other: usize, factor: f64| if factor == 0.0 { 0.0 } else { factor * x[other] };
        let mut value =
            right[index] - from(index.wrapping_sub(1), row.other[0]) - from(index + 1, row.other[1]);
        let mut pivot = row.own;
        if i > 0 {
            let factor = row.below / pivots[i - 1];
            pivot -= factor * matrix.rows[index - lines].above;
            value -= factor * solution[i - 1];
        }
        if !(pivot.is_finite() && pivot != 0.0) {
            return Err(Error::Numerical(format!(
                "the matrix of flux-limited diffusion is singular at node {i}"
            )));
        }
        pivots.push(pivot);
        solution.push(value);
    }
    for i in (0..nodes).rev() {
        let above = if i + 1 < nodes { matrix.rows[i * lines + p].above * solution[i + 1] } else { 0.0 };
        solution[i] = (solution[i] - above) / pivots[i];
    }
    Ok(solution)
}

/// J after the step, or half of it, …, with its state.
fn damped(system: &System, j: &[f64], state: &State, step: &[f64], growth: f64) -> (Vec<f64>, State) {
    let before = scaled_norm(&state.residual, &state.scale);
    let mut factor = 1.0;
    for halving in 0.. {
        let change = |(j, step): (&f64, &f64)| {
            let next = j + factor * step;
            if *j > 0.0 { next.clamp(j / LARGEST_CHANGE, LARGEST_CHANGE * j) } else { next }
        };
        let next: Vec<f64> = j.iter().zip(step).map(change).collect();
        let after = system.state(&next);
        // With the same scale, so that the norms can be compared.
        if scaled_norm(&after.residual, &state.scale) <= growth * before || halving == HALVINGS {
            return (next, after);
        }
        factor *= 0.5;
    }
    (j.to_vec(), system.state(j))
}

/// The larger of ‖residual/scale‖/‖J‖ and the residual of the number balance.
fn relative_residual(system: &System, j: &[f64], state: &State) -> f64 {
    if state.residual.iter().all(|&r| r == 0.0) {
        return 0.0;
    }
    let size = j.iter().map(|j| j * j).sum::<f64>().sqrt();
    let pointwise = scaled_norm(&state.residual, &state.scale) / size.max(f64::MIN_POSITIVE);
    let imbalance = system.balance(j, state).residual().abs();
    if pointwise.is_nan() || imbalance.is_nan() { f64::NAN } else { pointwise.max(imbalance) }
}

fn scaled_norm(residual: &[f64], scale: &[f64]) -> f64 {
    residual.iter().zip(scale).map(|(r, s)| (r / s).powi(2)).sum::<f64>().sqrt()
}

/// Whether the last steps did next to nothing, or rounding does not allow more.
fn stalled(residuals: &[f64]) -> bool {
    let least = |residuals: &[f64]| residuals.iter().copied().fold(f64::INFINITY, f64::min);
    let last = residuals.len() - 1;
    if last > 0 && residuals[last] < ROUNDING && residuals[last] > 0.5 * residuals[last - 1] {
        return true;
    }
    let Some(earlier) = residuals.len().checked_sub(PATIENCE) else { return false };
    earlier > 0 && least(&residuals[earlier..]) > 0.5 * least(&residuals[..earlier])
}
