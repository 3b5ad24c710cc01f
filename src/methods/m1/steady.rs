//! Steady states of the moment equations.

use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::extremes::{larger, largest};
use crate::methods::boltzmann::inelastic::{Inelastic, Pair};
use crate::methods::boltzmann::low_order::with_inelastic;
use crate::methods::closures::Closure;
use crate::methods::setup::Setup;
use crate::parallel::in_order;
use crate::progress::{Event, Observer};
use crate::solvers::krylov::{Limits, Status};

use super::equations::{Equations, Shared};
use super::guess::{attenuated, floor};
use super::newton::{self, Outcome, Start};
use super::reconstruction::{Reconstruction, insignificant};

/// J and H at (cell, species, energy), energy fastest, and how they were found.
#[derive(Debug, Clone, PartialEq)]
pub struct Solved {
    pub moments: Vec<Pair>,
    /// J, H, K of the fluxes through the radial faces, at (species, energy, face).
    pub faces: Vec<[f64; 3]>,
    pub status: Status,
    /// Newton steps of the slowest group.
    pub steps: usize,
    /// Residual after each of its steps.
    pub residuals: Vec<f64>,
    /// Largest relative change of J from the last reconstruction but one to the last.
    pub reconstruction_change: f64,
}

/// First guesses are solved to this.
const GUESS_TOLERANCE: f64 = 1e-3;
/// Solutions with inelastic collisions at given rates that lead to the first guess.
const RATE_ROUNDS: usize = 7;
const RATE_TOLERANCE: f64 = 1e-4;
/// Solutions with the reconstruction of the last one, and the change of J at which they end.
const ROUNDS: usize = 40;
const ROUND_TOLERANCE: f64 = 1e-5;
/// A round's solution is as accurate as this share of the last change.
const ROUND_ACCURACY: f64 = 0.01;
/// Where a round does not lessen the change to this fraction, the next reconstruction is the mean of the last
/// one and the solution's.
const LESSENED: f64 = 0.8;
/// Changes of J are relative to J, or to this multiple of what carries next to no energy.
const MATTERS: f64 = 1e3;
/// Where the last rounds still change J by more than this, there is no steady state.
const SETTLED: f64 = 1e-3;

/// Solves `shared` for all species and energies of `setup`.
///
/// # Errors
/// [`Error::Interrupted`]; a singular Jacobian.
pub fn solve(setup: &Setup, shared: &Shared, limits: Limits, observer: &dyn Observer) -> Result<Solved> {
    let search = Search { floor: floor(shared), observer };
    let inelastic = setup.inelastic.as_ref();
    let guess = match inelastic {
        Some(inelastic) => search.guess_with_rates(inelastic, shared)?,
        None => search.first_guess(shared)?,
    };
    search.solve_groups(&groups(inelastic, shared), &guess, limits)
}

/// What all searches for solutions share.
#[derive(Clone, Copy)]
struct Search<'a> {
    /// J that does not matter anywhere.
    floor: f64,
    observer: &'a dyn Observer,
}

impl Search<'_> {
    /// Solutions in which inelastic collisions emit and absorb at the rates that given moments imply: first those
    /// of equilibrium, then those of the solution so far. Species and, at rest, energies are independent.
    fn guess_with_rates(&self, inelastic: &Inelastic, shared: &Shared) -> Result<Vec<Pair>> {
        let limits = Limits { tolerance: RATE_TOLERANCE, iterations: super::MOST_STEPS };
        let mut moments = inelastic.equilibrium(shared.space, shared.coefficients);
        for round in 0..RATE_ROUNDS {
            let rates = inelastic.rates(&moments);
            let coefficients = with_inelastic(shared.space, shared.coefficients, &rates);
            let (inner, outer) = (shared.inner.clone(), shared.outer.clone());
            let effective = Shared { coefficients: &coefficients, inner, outer, ..*shared };
            let search = Self { floor: floor(&effective), ..*self };
            if round == 0 {
                moments = search.first_guess(&effective)?;
            }
            moments = search.first_order(&groups(None, &effective), &moments, limits)?;
        }
        Ok(moments)
    }

    /// First-order solution of all `groups` from `guess` on.
    fn first_order(&self, groups: &[Equations], guess: &[Pair], limits: Limits) -> Result<Vec<Pair>> {
        let count = members_in_all(groups);
        let mut whole = guess.to_vec();
        let solved = in_order(groups.par_iter().map(|equations| {
            let mut u = gather(guess, count, &places(equations));
            let reconstruction = Reconstruction::constant(u.len());
            self.newton(equations, &reconstruction, &mut u, f64::INFINITY, limits)?;
            Ok(u)
        }))?;
        for (equations, u) in groups.iter().zip(&solved) {
            scatter(u, &mut whole, count, &places(equations));
        }
        Ok(whole)
    }

    /// Solves all `groups` from `guess`, which is at (cell, species, energy).
    fn solve_groups(&self, groups: &[Equations], guess: &[Pair], limits: Limits) -> Result<Solved> {
        let Some(space) = groups.first().map(|equations| equations.shared.space) else {
            return Err(Error::Numerical("there is no species to solve for".into()));
        };
        let (count, faces) = (members_in_all(groups), space.radial.edges.len());
        let solved =
            in_order(groups.par_iter().map(|equations| {
                self.solve_group(equations, gather(guess, count, &places(equations)), limits)
            }))?;
        let mut whole = Solved {
            moments: vec![Pair::default(); guess.len()],
            faces: vec![[0.0; 3]; count * faces],
            status: Status::Converged,
            steps: 0,
            residuals: Vec::new(),
            reconstruction_change: 0.0,
        };
        for (equations, group) in groups.iter().zip(solved) {
            whole.take(equations, group, count);
        }
        Ok(whole)
    }

    /// First-order solutions without redshift and inelastic collisions, energy by energy.
    fn first_guess(&self, shared: &Shared) -> Result<Vec<Pair>> {
        let space = shared.space;
        let (species, energies) = (space.species.len(), space.energy.len());
        let count = species * energies;
        let done = AtomicUsize::new(0);
        let columns = in_order((0..count).into_par_iter().map(|member| {
            let column = self.guess_of(shared, (member / energies, member % energies))?;
            let done = done.fetch_add(1, Ordering::Relaxed) + 1;
            self.observer.report(Event::Done { what: "first guesses", done, total: count });
            Ok(column)
        }))?;
        let mut guess = vec![Pair::default(); space.radial.nodes.len() * count];
        for (member, column) in columns.iter().enumerate() {
            scatter(column, &mut guess, count, &[member]);
        }
        Ok(guess)
    }

    fn guess_of(&self, shared: &Shared, member: (usize, usize)) -> Result<Vec<Pair>> {
        let width = shared.space.radial.width(0);
        let mut u = attenuated(shared, member, newton::DARK * self.floor);
        if shared.closure.depends_on_occupation() {
            // The bound of the flux by the occupation bars many ways to the solution.
            let (inner, outer) = (shared.inner.clone(), shared.outer.clone());
            let unbounded = Shared { closure: Closure::Minerbo, inner, outer, ..*shared };
            self.guess_from(&unbounded, member, width, &mut u)?;
        }
        self.guess_from(shared, member, width, &mut u)?;
        Ok(u)
    }

    /// The first-order solution of one `member` from `u` on with pseudo-time steps from `step` on.
    fn guess_from(
        &self,
        shared: &Shared,
        member: (usize, usize),
        step: f64,
        u: &mut Vec<Pair>,
    ) -> Result<()> {
        let equations = Equations {
            shared,
            members: vec![member],
            shifts_energies: false,
            inelastic: None,
            known: Vec::new(),
        };
        let reconstruction = Reconstruction::constant(u.len());
        let limits = Limits { tolerance: GUESS_TOLERANCE, iterations: super::MOST_STEPS };
        self.newton(&equations, &reconstruction, u, step, limits)?;
        Ok(())
    }

    /// Solves one group: at first order, then with the reconstruction of each solution until that does not change
    /// any more.
    fn solve_group(&self, equations: &Equations, start: Vec<Pair>, limits: Limits) -> Result<Group> {
        let reconstruction = Reconstruction::constant(start.len());
        let outcome = Outcome { status: Status::Converged, steps: 0, residuals: Vec::new() };
        let mut group = Group { moments: start, reconstruction, outcome, change: f64::INFINITY, slow: false };
        let first = Limits { tolerance: GUESS_TOLERANCE.max(limits.tolerance), ..limits };
        self.improve(equations, &mut group, first)?;
        for round in 0..ROUNDS {
            let tolerance = (ROUND_ACCURACY * group.change).clamp(limits.tolerance, GUESS_TOLERANCE);
            self.reconstruct(equations, &mut group, Limits { tolerance, ..limits })?;
            let (change, steps) = (group.change, group.outcome.steps);
            tracing::debug!(round, change, steps, "reconstruction");
            let settled = change <= ROUND_TOLERANCE && tolerance <= ROUND_TOLERANCE;
            if settled || group.outcome.status != Status::Converged {
                break;
            }
        }
        if group.outcome.status == Status::Converged {
            self.improve(equations, &mut group, limits)?;
        }
        let settled = group.change <= SETTLED;
        if group.outcome.status == Status::Converged && !settled {
            group.outcome.status = Status::Stalled;
        }
        Ok(group)
    }

    /// Solves `group` with the reconstruction of its solution so far.
    fn reconstruct(&self, equations: &Equations, group: &mut Group, limits: Limits) -> Result<()> {
        let own = Reconstruction::of(equations, &group.moments);
        group.reconstruction = if group.slow { own.between(&group.reconstruction) } else { own };
        let before = group.moments.clone();
        self.improve(equations, group, limits)?;
        let change = largest_change(equations, &before, &group.moments);
        group.slow = change > LESSENED * group.change;
        group.change = change;
        Ok(())
    }

    /// Solves `group` with the reconstruction that it has.
    fn improve(&self, equations: &Equations, group: &mut Group, limits: Limits) -> Result<()> {
        let Group { moments, reconstruction, outcome, .. } = group;
        let last = self.newton(equations, reconstruction, moments, f64::INFINITY, limits)?;
        outcome.status = last.status;
        outcome.steps += last.steps;
        outcome.residuals.extend(last.residuals);
        Ok(())
    }

    fn newton(
        &self,
        equations: &Equations,
        reconstruction: &Reconstruction,
        u: &mut Vec<Pair>,
        step: f64,
        limits: Limits,
    ) -> Result<Outcome> {
        let Limits { tolerance, .. } = limits;
        let space = equations.shared.space;
        let name = &space.species[equations.members[0].0].name;
        let mut iteration = 0;
        let mut go_on = |residual: f64| {
            self.observer.report(Event::Residual { species: name, iteration, residual, tolerance });
            iteration += 1;
            !self.observer.stop_requested()
        };
        let start = Start { step, cautious: space.radial.width(0), floor: self.floor };
        let outcome = newton::solve(equations, reconstruction, u, start, limits, &mut go_on)?;
        tracing::debug!(
            members = equations.members.len(),
            steps = outcome.steps,
            status = outcome.status.name(),
            residual = outcome.residuals.last(),
            "group"
        );
        Ok(outcome)
    }
}

impl Solved {
    /// Takes over the solution of the group `equations` of the `count` members in all.
    fn take(&mut self, equations: &Equations, group: Group, count: usize) {
        let faces = equations.shared.space.radial.edges.len();
        let state = equations.evaluate(&group.moments, &group.reconstruction, false);
        self.status = self.status.and(group.outcome.status);
        self.reconstruction_change = larger(self.reconstruction_change, group.change);
        if group.outcome.steps >= self.steps {
            (self.steps, self.residuals) = (group.outcome.steps, group.outcome.residuals);
        }
        let places = places(equations);
        for (c, place) in places.iter().enumerate() {
            for face in 0..faces {
                self.faces[place * faces + face] = state.face_moments(face, c);
            }
        }
        scatter(&group.moments, &mut self.moments, count, &places);
    }
}

/// The solution of one group.
struct Group {
    moments: Vec<Pair>,
    reconstruction: Reconstruction,
    outcome: Outcome,
    /// Change of J by the last reconstruction.
    change: f64,
    /// Whether that was not much less than the one before.
    slow: bool,
}

/// What has to be solved together: everything with inelastic collisions, the energies of a species where
/// redshift couples them, and else single energies.
pub(super) fn groups<'a>(inelastic: Option<&'a Inelastic>, shared: &'a Shared<'a>) -> Vec<Equations<'a>> {
    let (species, energies) = (shared.space.species.len(), shared.space.energy.len());
    let shifts_energies = shared.flow.shifts_energies();
    let all = || (0..species).flat_map(move |s| (0..energies).map(move |k| (s, k)));
    let members: Vec<Vec<(usize, usize)>> = if inelastic.is_some() {
        vec![all().collect()]
    } else if shifts_energies {
        (0..species).map(|s| (0..energies).map(|k| (s, k)).collect()).collect()
    } else {
        all().map(|member| vec![member]).collect()
    };
    let group = |members| Equations { shared, members, shifts_energies, inelastic, known: Vec::new() };
    members.into_iter().map(group).collect()
}

/// Largest change of a J, relative to itself or to what matters where that is more.
fn largest_change(equations: &Equations, before: &[Pair], after: &[Pair]) -> f64 {
    let faint = insignificant(equations, after);
    let changes = before.iter().zip(after).zip(faint);
    largest(changes.map(|((before, after), faint)| (after.j - before.j).abs() / (before.j + MATTERS * faint)))
}

fn members_in_all(groups: &[Equations]) -> usize {
    groups.iter().map(|equations| equations.members.len()).sum()
}

/// Places of the members of `equations` among all (species, energy).
pub(super) fn places(equations: &Equations) -> Vec<usize> {
    let energies = equations.shared.space.energy.len();
    equations.members.iter().map(|&(species, k)| species * energies + k).collect()
}

/// The columns `members` of `field`, which has `count` per cell.
pub(super) fn gather(field: &[Pair], count: usize, members: &[usize]) -> Vec<Pair> {
    field.chunks_exact(count).flat_map(|node| members.iter().map(move |&m| node[m])).collect()
}

/// Writes the columns `members` of `field`.
pub(super) fn scatter(columns: &[Pair], field: &mut [Pair], count: usize, members: &[usize]) {
    for (cell, columns) in field.chunks_exact_mut(count).zip(columns.chunks_exact(members.len())) {
        members.iter().zip(columns).for_each(|(&member, &pair)| cell[member] = pair);
    }
}
