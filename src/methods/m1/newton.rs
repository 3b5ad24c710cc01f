//! Newton's method with pseudo-time steps for one group.
//!
//! The moment equations are nonlinear in the flux factor and far from their solution Newton's method
//! does not converge. Implicit steps in pseudo-time that grow as long as all goes well lead to the solution
//! along a path of physical states (Kelley & Keyes 1998, SIAM J. Numer. Anal. 35, 508).

use crate::error::{Error, Result};
use crate::extremes::{larger, largest};
use crate::methods::boltzmann::inelastic::Pair;
use crate::methods::closures::Closure;
use crate::solvers::krylov::{Limits, Status};

use super::equations::{Equations, Evaluation};
use super::linear;
use super::reconstruction::{Reconstruction, insignificant};

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
}

/// Largest change of the flux factor, and largest growth of J relative to the largest in its cell, in a step. The
/// equations are linear but for the flux factor, and for the blocking by J.
const LARGEST_CHANGE: (f64, f64) = (1.0, 100.0);
/// Share of J that a step may be shortened by at the bound of H.
const PROJECTED: f64 = 0.1;
/// Least J, as a share of what does not matter.
pub const DARK: f64 = 1e-10;
/// Share of what carries next to no energy that does not matter.
const IRRELEVANT: f64 = 1e-5;
/// J that may fall below what does not matter in one step, as a multiple of that.
const NEARLY_DARK: f64 = 10.0;

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
    let transit = equations.transit();
    let evaluated = |u: &[Pair], speeds_vary: bool| {
        Point::new(equations.evaluate(u, reconstruction, speeds_vary), u, &scale, start.floor)
    };
    u.iter_mut().for_each(|pair| *pair = admitted(equations.shared.closure, *pair));
    let mut point = evaluated(u, true);
    let mut pace = Pace::new(&start, point.error);
    let mut outcome = Outcome { status: Status::Limit, steps: 0, residuals: vec![point.error] };
    loop {
        if !go_on(point.error) {
            return Err(Error::Interrupted);
        }
        if point.error <= limits.tolerance {
            outcome.status = Status::Converged;
        } else if pace.is_exhausted() {
            outcome.status = Status::Stalled;
        }
        if outcome.status != Status::Limit || outcome.steps >= limits.iterations {
            return Ok(outcome);
        }
        outcome.steps += 1;
        let change = point.correction(&scale, &pace.rates(&transit))?;
        match change.and_then(|change| moved(equations, u, &change, &point.floors, pace.is_stuck())) {
            Some((moved, change)) => {
                *u = moved;
                point = evaluated(u, pace.is_direct());
                outcome.residuals.push(point.error);
                pace.accept(change, point.error);
            }
            None => pace.reject(),
        }
    }
}

/// A state with its residual.
struct Point<'a> {
    state: Evaluation<'a>,
    residual: Vec<Pair>,
    /// Largest error that the residual stands for, relative to the local J, so that what is far away and faint is
    /// found as well.
    error: f64,
    /// J that does not matter.
    floors: Vec<f64>,
}

impl<'a> Point<'a> {
    fn new(state: Evaluation<'a>, u: &[Pair], scale: &[f64], floor: f64) -> Self {
        let floors = floors(state.equations, u, floor);
        let residual = state.residual();
        let errors = residual.iter().zip(scale).zip(u).zip(&floors);
        let error = largest(
            errors.map(|(((row, scale), u), floor)| scale * row.j.hypot(row.h) / (u.j.abs() + floor)),
        );
        Self { state, residual, error, floors }
    }

    /// Newton's change of the state; nothing where the Jacobian is singular or not finite.
    fn correction(&self, scale: &[f64], pseudo: &[f64]) -> Result<Option<Vec<Pair>>> {
        match linear::correction(&self.state, &self.residual, scale, pseudo) {
            Err(Error::Numerical(_)) => Ok(None),
            change => change.map(Some),
        }
    }
}

/// The pseudo-time step.
struct Pace {
    step: f64,
    cautious: f64,
    /// Inverse of the longest step of a cell in its transit times.
    damping: f64,
    /// Least error so far, and accepted steps since then.
    best: f64,
    waited: usize,
}

/// The pseudo-time step grows so that the changes are this share of the largest.
const WANTED_CHANGE: f64 = 0.4;
/// Limits of the growth of the pseudo-time step, and its shrinkage after a rejected step.
const GROWTH: (f64, f64) = (0.5, 10.0);
const SHRINKAGE: f64 = 0.2;
/// Pseudo-time steps longer than this many cautious ones are infinite; a rejected one shorter than the
/// inverse means that there is no way on.
const STEADY: f64 = 1e12;
/// Steps shorter than this many cautious ones may end on the bounds of the moments.
const STUCK: f64 = 1e-3;
/// Accepted steps without a smaller error after which steps become shorter: Newton's method goes in circles, which
/// a relaxation in time does not. Each cell's longest step is then its transit time over a damping, which begins
/// with this and has this as its most.
const PATIENCE: usize = 12;
const DAMPING: (f64, f64) = (0.01, 10.0);
/// Factor of the damping after each such time and after each smaller error.
const DAMPED: (f64, f64) = (3.0, 0.8);
/// An error is smaller than the best one where it is below this share of it.
const BETTER: f64 = 0.95;

impl Pace {
    fn new(start: &Start, error: f64) -> Self {
        Self { step: start.step, cautious: start.cautious, damping: 0.0, best: error, waited: 0 }
    }

    /// 1/step of each unknown.
    fn rates(&self, transit: &[f64]) -> Vec<f64> {
        let rate = if self.step >= STEADY * self.cautious { 0.0 } else { 1.0 / self.step };
        transit.iter().map(|length| larger(rate, self.damping / length)).collect()
    }

    /// Whether Newton's method has not gone in circles lately.
    fn is_direct(&self) -> bool {
        self.damping == 0.0
    }

    /// Whether short steps have not led on.
    fn is_stuck(&self) -> bool {
        self.step < STUCK * self.cautious
    }

    fn is_exhausted(&self) -> bool {
        self.step < self.cautious / STEADY
    }

    /// After a step with `change`, as a share of the largest, to a state with `error`.
    fn accept(&mut self, change: f64, error: f64) {
        self.step *= (WANTED_CHANGE / change).clamp(GROWTH.0, GROWTH.1);
        if error < BETTER * self.best {
            (self.best, self.waited) = (error, 0);
            self.damping *= DAMPED.1;
        } else {
            self.waited += 1;
        }
        if self.waited >= PATIENCE {
            self.waited = 0;
            self.damping = (DAMPED.0 * self.damping).clamp(DAMPING.0, DAMPING.1);
        }
    }

    fn reject(&mut self) {
        self.step = if self.step.is_finite() { SHRINKAGE * self.step } else { self.cautious };
    }
}

/// J that does not matter at each unknown: `floor`, or a share of what carries next to no energy in its cell.
fn floors(equations: &Equations, u: &[Pair], floor: f64) -> Vec<f64> {
    insignificant(equations, u).iter().map(|faint| floor + IRRELEVANT * faint).collect()
}

/// `u` + `change` and how large a change that is, as a share of the largest; nothing where it is larger or the
/// moments are those of no distribution, or not finite.
fn moved(
    equations: &Equations,
    u: &[Pair],
    change: &[Pair],
    floors: &[f64],
    projects: bool,
) -> Option<(Vec<Pair>, f64)> {
    let members = equations.members.len();
    let bounds = Bounds { closure: equations.shared.closure, projects };
    let mut worst = 0.0;
    let mut tried = Vec::with_capacity(u.len());
    let cells = u.chunks_exact(members).zip(change.chunks_exact(members)).zip(floors.chunks_exact(members));
    for ((u, change), floors) in cells {
        let brightest = largest(u.iter().zip(floors).map(|(pair, floor)| pair.j + floor));
        for ((before, change), &floor) in u.iter().zip(change).zip(floors) {
            let after = Pair { j: before.j + change.j, h: before.h + change.h };
            let (after, size) = bounds.physical(*before, after, brightest, floor)?;
            worst = larger(worst, size);
            tried.push(after);
        }
    }
    (worst <= 1.0).then_some((tried, worst))
}

/// The moments that a step may lead to.
struct Bounds {
    closure: Closure,
    /// Whether what is a little beyond the bound of H is moved to it: at the bound no step may be short enough to
    /// stay within.
    projects: bool,
}

impl Bounds {
    /// `after` and how large a change from `before` that is in a cell whose largest J is `brightest`; nothing where it
    /// has no distribution. What is less than `floor` is kept within the bounds.
    fn physical(&self, before: Pair, after: Pair, brightest: f64, floor: f64) -> Option<(Pair, f64)> {
        if after.j < floor && before.j < NEARLY_DARK * floor {
            let j = after.j.max(DARK * floor);
            let most = self.closure.largest_flux(j);
            return (!after.h.is_nan()).then(|| (Pair { j, h: after.h.clamp(-most, most) }, 0.0));
        }
        let inside = self.inside(after);
        let projected = larger((after.j - inside.j).abs(), (after.h - inside.h).abs());
        if !(inside.j > 0.0 && inside.h.abs() <= inside.j && projected <= PROJECTED * inside.j) {
            return None;
        }
        // What was dark has no direction that the light which arrives there had to turn from.
        let turned = (inside.h / inside.j - before.h / before.j).abs() * (before.j / inside.j).min(1.0);
        let grown = (inside.j - before.j) / brightest;
        Some((inside, larger(turned / LARGEST_CHANGE.0, grown / LARGEST_CHANGE.1)))
    }

    fn inside(&self, pair: Pair) -> Pair {
        if self.closure.depends_on_occupation() {
            return admitted(self.closure, pair);
        }
        let beyond = self.projects && pair.h.abs() > pair.j && pair.j > 0.0;
        if beyond { Pair { h: pair.h.clamp(-pair.j, pair.j), ..pair } } else { pair }
    }
}

/// Share of J that H may be above its bound by discretisation, where the bound is that by f ≤ 1.
const SLACK: f64 = 0.01;

/// The moments of an f ≤ 1 next to `pair`, where f ≤ 1 is part of the closure: where f = 1 nearly, no step is short
/// enough to stay within that bound.
fn admitted(closure: Closure, pair: Pair) -> Pair {
    if !closure.depends_on_occupation() || pair.h.abs() <= closure.largest_flux(pair.j) {
        return pair;
    }
    let j = if pair.j > 1.0 { 1.0 } else { pair.j };
    let most = closure.largest_flux(j).max(0.0) + SLACK * j.max(0.0);
    Pair { j, h: pair.h.clamp(-most, most) }
}
