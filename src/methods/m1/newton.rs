//! Newton's method with pseudo-time steps for one group.
//!
//! The moment equations are nonlinear in the flux factor and far from their solution Newton's method
//! does not converge. Implicit steps in pseudo-time that grow as the residual falls lead to the solution
//! along a path of physical states (Kelley & Keyes 1998, SIAM J. Numer. Anal. 35, 508).

use crate::error::Result;
use crate::extremes::{larger, largest};
use crate::methods::boltzmann::inelastic::Pair;
use crate::solvers::face_coupled;
use crate::solvers::krylov::{Limits, Status};

use super::cells::Cells;
use super::equations::{Equations, Evaluation};

/// How a group was solved.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    pub status: Status,
    /// Newton steps, tried ones too.
    pub steps: usize,
    /// Error of the moments that each residual stands for, relative to the moments.
    pub residuals: Vec<f64>,
}

/// Which states are accepted on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Path {
    /// Only moments of an f ≥ 0, whose J changes by no more than a factor in a step: for first-order cells,
    /// which keep them.
    Realizable,
    /// Any whose residual does not grow much.
    Free,
}

/// Relative change of J in a step along a realizable path.
const LARGEST_CHANGE: f64 = 3.0;
/// Weight of a relative fall of J in these changes.
const FALL: f64 = 0.25;
/// Growth of the pseudo-time step where all goes well, and its shrinkage after a rejected step.
const GROWTH: f64 = 10.0;
const SHRINKAGE: f64 = 0.2;
/// Growth of the residual that a free path allows in a step.
const TOLERATED: f64 = 3.0;
/// Pseudo-time steps that are longer than this many crossings of the largest length are infinite.
const STEADY: f64 = 1e12;
/// Residuals below this are rounding, and their growth does not matter.
const ROUNDING: f64 = 1e-12;
/// A path has stalled when its least residual did not fall to this fraction in as many steps.
const PATIENCE: (f64, usize) = (0.5, 20);

/// Solves `equations` from `u` on, in place. `first_step` is the first pseudo-time step, in units of
/// length.
///
/// # Errors
/// [`crate::error::Error::Numerical`] where the Jacobian is singular.
pub fn solve(
    equations: &Equations,
    cells: &Cells,
    u: &mut Vec<Pair>,
    (path, first_step): (Path, f64),
    limits: Limits,
    go_on: &mut dyn FnMut(f64) -> bool,
) -> Result<Outcome> {
    let scale = equations.row_scale();
    let mut state = equations.evaluate(u, cells);
    let mut residual = state.residual();
    let mut error = path.error(&residual, &scale, u);
    let mut outcome = Outcome { status: Status::Limit, steps: 0, residuals: vec![error] };
    let (mut step, longest) = (first_step, STEADY * first_step);
    loop {
        if error <= limits.tolerance {
            outcome.status = Status::Converged;
            return Ok(outcome);
        }
        if outcome.steps >= limits.iterations {
            return Ok(outcome);
        }
        if !go_on(error) {
            outcome.status = Status::Interrupted;
            return Ok(outcome);
        }
        outcome.steps += 1;
        let pseudo = if step >= longest { 0.0 } else { 1.0 / step };
        let change = correction(equations, &state, &residual, pseudo)?;
        let tried: Vec<Pair> =
            u.iter().zip(&change).map(|(u, d)| Pair { j: u.j + d.j, h: u.h + d.h }).collect();
        let next = equations.evaluate(&tried, cells);
        let next_residual = next.residual();
        let next_error = path.error(&next_residual, &scale, &tried);
        let change_of_j = match path {
            Path::Realizable => largest_change(u, &tried),
            Path::Free if next_error <= TOLERATED * error.max(ROUNDING) => 0.0,
            Path::Free => f64::INFINITY,
        };
        if !next_error.is_finite() || change_of_j > LARGEST_CHANGE {
            if step < first_step / STEADY {
                outcome.status = Status::Stalled;
                return Ok(outcome);
            }
            step = step.min(longest) * SHRINKAGE;
            continue;
        }
        let growth = match path {
            Path::Realizable => (0.5 / change_of_j).clamp(0.5, 4.0),
            Path::Free => (2.0 * error / next_error).clamp(SHRINKAGE, GROWTH),
        };
        step *= growth;
        (*u, residual, error) = (tried, next_residual, next_error);
        state = equations.evaluate(u, cells);
        outcome.residuals.push(error);
        if path == Path::Free && stalled(&outcome.residuals) {
            outcome.status = if error <= limits.tolerance { Status::Converged } else { Status::Stalled };
            return Ok(outcome);
        }
    }
}

/// Whether the last steps did next to nothing.
fn stalled(residuals: &[f64]) -> bool {
    let (fraction, steps) = PATIENCE;
    let Some(earlier) = residuals.len().checked_sub(steps) else { return false };
    let least = |residuals: &[f64]| residuals.iter().copied().fold(f64::INFINITY, f64::min);
    earlier > 0 && least(&residuals[earlier..]) > fraction * least(&residuals[..earlier])
}

/// −(∂residual/∂u − pseudo-time)⁻¹ × residual.
fn correction(
    equations: &Equations,
    state: &Evaluation,
    residual: &[Pair],
    pseudo: f64,
) -> Result<Vec<Pair>> {
    let mut x: Vec<f64> = residual.iter().flat_map(|row| [row.j, row.h]).collect();
    let line = equations.shared.space.radial.per_element();
    face_coupled::solve(&state.faces(), line, |element, block| state.block(element, pseudo, block), &mut x)?;
    Ok(x.chunks_exact(2).map(|pair| Pair { j: pair[0], h: pair[1] }).collect())
}

impl Path {
    /// The error that `residual` stands for, not finite where anything is not. On a realizable path the
    /// largest one relative to the local J, so that what is far away and faint is found as well; else
    /// ‖scale · residual‖₂/‖u‖₂.
    fn error(self, residual: &[Pair], scale: &[f64], u: &[Pair]) -> f64 {
        let square = |pair: &Pair| pair.j * pair.j + pair.h * pair.h;
        let errors = residual.iter().zip(scale).map(|(row, scale)| scale * scale * square(row));
        match self {
            Self::Realizable => errors.zip(u).map(|(error, u)| error.sqrt() / u.j).fold(0.0, larger),
            Self::Free => {
                // Where nothing is there yet, the error is what there is to compare with.
                let (error, size): (f64, f64) = (errors.sum(), u.iter().map(square).sum());
                if error == 0.0 { 0.0 } else { (error / (size + error)).sqrt() }
            }
        }
    }
}

/// Largest relative growth of J, infinite where the new moments are none of an f ≥ 0. A fall counts little:
/// what was too bright far away leaves the grid in steps as long as it takes.
fn largest_change(before: &[Pair], after: &[Pair]) -> f64 {
    let change = |(before, after): (&Pair, &Pair)| {
        let growth = after.j / before.j - 1.0;
        match after.j > 0.0 && after.h.abs() <= after.j {
            false => f64::INFINITY,
            true if growth < 0.0 => -FALL * growth,
            true => growth,
        }
    };
    largest(before.iter().zip(after).map(change))
}
