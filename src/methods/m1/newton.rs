//! Newton's method with pseudo-time steps for one group.
//!
//! The moment equations are nonlinear in the flux factor and far from their solution Newton's method
//! does not converge. Implicit steps in pseudo-time that grow as long as all goes well lead to the solution
//! along a path of physical states (Kelley & Keyes 1998, SIAM J. Numer. Anal. 35, 508).

use crate::error::{Error, Result};
use crate::extremes::{larger, largest};
use crate::methods::boltzmann::inelastic::Pair;
use crate::solvers::krylov::{Limits, Status};

use super::equations::Equations;
use super::linear;
use super::reconstruction::Reconstruction;

/// How a group was solved.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    pub status: Status,
    /// Newton steps, tried ones too.
    pub steps: usize,
    /// Error of the moments that each residual stands for, relative to the moments.
    pub residuals: Vec<f64>,
}

/// Where Newton's method begins.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Start {
    /// First pseudo-time step in units of length, infinite near a solution; and that after a failure of an
    /// infinite one.
    pub step: f64,
    pub cautious: f64,
    /// J that does not matter anywhere.
    pub floor: f64,
    /// Whether all states on the way have to be moments of an f ≥ 0.
    pub realizable: bool,
}

/// Largest change of the flux factor, and largest growth of J relative to the largest in its cell, in a step. The
/// equations are linear but for the flux factor, and for the blocking by J.
const LARGEST_CHANGE: (f64, f64) = (1.0, 100.0);
/// Least J, as a share of what does not matter.
pub const DARK: f64 = 1e-10;
/// J that may fall below what does not matter in one step, as a multiple of that.
const NEARLY_DARK: f64 = 10.0;
/// The pseudo-time step grows so that the changes are this share of the largest.
const WANTED_CHANGE: f64 = 0.4;
/// Limits of the growth of the pseudo-time step, and its shrinkage after a rejected step.
const GROWTH: (f64, f64) = (0.5, 10.0);
const SHRINKAGE: f64 = 0.2;
/// Pseudo-time steps longer than this many cautious ones are infinite; a rejected one shorter than the
/// inverse means that there is no way on.
const STEADY: f64 = 1e12;

/// Solves `equations` from `u` on, in place.
///
/// # Errors
/// [`Error::Interrupted`] where `go_on` says so.
pub fn solve(
    equations: &Equations,
    reconstruction: &Reconstruction,
    u: &mut Vec<Pair>,
    start: Start,
    limits: Limits,
    go_on: &mut dyn FnMut(f64) -> bool,
) -> Result<Outcome> {
    let scale = equations.row_scale();
    let mut state = equations.evaluate(u, reconstruction);
    let mut residual = state.residual();
    let mut error = relative_error(&residual, &scale, u, start.floor);
    let mut outcome = Outcome { status: Status::Limit, steps: 0, residuals: vec![error] };
    let mut step = start.step;
    loop {
        if !go_on(error) {
            return Err(Error::Interrupted);
        }
        if error <= limits.tolerance {
            outcome.status = Status::Converged;
            return Ok(outcome);
        }
        if outcome.steps >= limits.iterations {
            return Ok(outcome);
        }
        outcome.steps += 1;
        let pseudo = if step >= STEADY * start.cautious { 0.0 } else { 1.0 / step };
        let change = match linear::correction(&state, &residual, &scale, pseudo) {
            Err(Error::Numerical(_)) => None,
            change => Some(change?),
        };
        let Some((tried, growth)) = change.and_then(|change| moved(equations, u, &change, &start)) else {
            if step < start.cautious / STEADY {
                outcome.status = Status::Stalled;
                return Ok(outcome);
            }
            step = if step.is_finite() { SHRINKAGE * step } else { start.cautious };
            continue;
        };
        step *= (WANTED_CHANGE / growth).clamp(GROWTH.0, GROWTH.1);
        *u = tried;
        state = equations.evaluate(u, reconstruction);
        residual = state.residual();
        error = relative_error(&residual, &scale, u, start.floor);
        outcome.residuals.push(error);
    }
}

/// Largest error that `residual` stands for, relative to the local J, so that what is far away and faint is
/// found as well.
fn relative_error(residual: &[Pair], scale: &[f64], u: &[Pair], floor: f64) -> f64 {
    let errors = residual.iter().zip(scale).zip(u);
    largest(errors.map(|((row, scale), u)| scale * row.j.hypot(row.h) / (u.j.abs() + floor)))
}

/// `u` + `change` and how large a change that is, as a share of the largest; nothing where it is larger or the
/// moments are those of no f ≥ 0, or not finite. What is less than the floor is kept within the bounds.
fn moved(equations: &Equations, u: &[Pair], change: &[Pair], start: &Start) -> Option<(Vec<Pair>, f64)> {
    let (members, floor, mut worst) = (equations.members.len(), start.floor, 0.0);
    let mut tried = Vec::with_capacity(u.len());
    for (u, change) in u.chunks_exact(members).zip(change.chunks_exact(members)) {
        let brightest = largest(u.iter().map(|pair| pair.j)) + floor;
        for (before, change) in u.iter().zip(change) {
            let mut after = Pair { j: before.j + change.j, h: before.h + change.h };
            if !start.realizable {
                worst = larger(worst, 0.0 * (after.j + after.h));
                tried.push(after);
                continue;
            }
            if after.j < floor && before.j < NEARLY_DARK * floor {
                let j = after.j.max(DARK * floor);
                after = Pair { j, h: after.h.clamp(-j, j) };
            } else {
                // What was dark has no direction that the light which arrives there had to turn from.
                let turned = (after.h / after.j - before.h / before.j).abs() * (before.j / after.j).min(1.0);
                let grown = (after.j - before.j) / brightest;
                worst = larger(worst, larger(turned / LARGEST_CHANGE.0, grown / LARGEST_CHANGE.1));
            }
            if !(after.j > 0.0 && after.h.abs() <= after.j) {
                return None;
            }
            tried.push(after);
        }
    }
    (worst <= 1.0).then_some((tried, worst))
}
