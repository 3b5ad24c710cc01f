//! Steady states of the moment equations.

use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::extremes::largest;
use crate::methods::boltzmann::inelastic::{Inelastic, Pair};
use crate::methods::boltzmann::low_order::with_inelastic;
use crate::methods::setup::Setup;
use crate::opacities::LocalOpacity;
use crate::parallel::in_order;
use crate::progress::{Event, Observer};
use crate::solvers::krylov::{Limits, Status};

use super::equations::{Equations, Outside, Shared};
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

/// J of the first guess where nothing says how bright it is, and its largest flux factor.
const GUESS: f64 = 1e-3;
const MOST_FORWARD: f64 = 0.99;
/// Share of the largest J that does not matter anywhere.
const IRRELEVANT: f64 = 1e-25;
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
    let Some(inelastic) = &setup.inelastic else {
        let guess = first_guess(shared, observer)?;
        return solve_groups(&groups(None, shared), &guess, limits, observer);
    };
    let guess = guess_with_rates(inelastic, shared, observer)?;
    solve_groups(&groups(Some(inelastic), shared), &guess, limits, observer)
}

/// Solutions in which inelastic collisions emit and absorb at the rates that given moments imply: first those
/// of equilibrium, then those of the solution so far. Species and, at rest, energies are independent.
fn guess_with_rates(inelastic: &Inelastic, shared: &Shared, observer: &dyn Observer) -> Result<Vec<Pair>> {
    let limits = Limits { tolerance: RATE_TOLERANCE, iterations: super::MOST_STEPS };
    let mut moments = inelastic.equilibrium(shared.space, shared.coefficients);
    for round in 0..RATE_ROUNDS {
        let coefficients = with_inelastic(shared.space, shared.coefficients, &inelastic.rates(&moments));
        let (inner, outer) = (shared.inner.clone(), shared.outer.clone());
        let effective = Shared { coefficients: &coefficients, inner, outer, ..*shared };
        if round == 0 {
            moments = first_guess(&effective, observer)?;
        }
        moments = first_order(&groups(None, &effective), &moments, limits, observer)?;
    }
    Ok(moments)
}

/// First-order solution of all `groups` from `guess` on.
fn first_order(
    groups: &[Equations],
    guess: &[Pair],
    limits: Limits,
    observer: &dyn Observer,
) -> Result<Vec<Pair>> {
    let count = members_in_all(groups);
    let mut whole = guess.to_vec();
    let solved = in_order(groups.par_iter().map(|equations| {
        let mut u = gather(guess, count, &places(equations));
        let reconstruction = Reconstruction::constant(u.len());
        newton_of(equations, &reconstruction, &mut u, f64::INFINITY, limits, observer)?;
        Ok(u)
    }))?;
    for (equations, u) in groups.iter().zip(&solved) {
        scatter(u, &mut whole, count, &places(equations));
    }
    Ok(whole)
}

/// Solves all `groups` from `guess`, which is at (cell, species, energy).
fn solve_groups(
    groups: &[Equations],
    guess: &[Pair],
    limits: Limits,
    observer: &dyn Observer,
) -> Result<Solved> {
    let Some(space) = groups.first().map(|equations| equations.shared.space) else {
        return Err(Error::Numerical("there is no species to solve for".into()));
    };
    let (count, faces) = (members_in_all(groups), space.radial.edges.len());
    let solved = in_order(groups.par_iter().map(|equations| {
        solve_group(equations, gather(guess, count, &places(equations)), limits, observer)
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
        let state = equations.evaluate(&group.moments, &group.reconstruction);
        whole.status = whole.status.and(group.outcome.status);
        whole.reconstruction_change = whole.reconstruction_change.max(group.change);
        if group.outcome.steps >= whole.steps {
            (whole.steps, whole.residuals) = (group.outcome.steps, group.outcome.residuals);
        }
        for (c, place) in places(equations).into_iter().enumerate() {
            for face in 0..faces {
                whole.faces[place * faces + face] = state.face_moments(face, c);
            }
        }
        scatter(&group.moments, &mut whole.moments, count, &places(equations));
    }
    Ok(whole)
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

/// First-order solutions without redshift and inelastic collisions, energy by energy.
fn first_guess(shared: &Shared, observer: &dyn Observer) -> Result<Vec<Pair>> {
    let space = shared.space;
    let (species, energies) = (space.species.len(), space.energy.len());
    let count = species * energies;
    let done = AtomicUsize::new(0);
    let columns = in_order((0..count).into_par_iter().map(|member| {
        let column = guess_of(shared, (member / energies, member % energies), observer)?;
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        observer.report(Event::Done { what: "first guesses", done, total: count });
        Ok(column)
    }))?;
    let mut guess = vec![Pair::default(); space.radial.nodes.len() * count];
    for (member, column) in columns.iter().enumerate() {
        scatter(column, &mut guess, count, &[member]);
    }
    Ok(guess)
}

fn guess_of(shared: &Shared, member: (usize, usize), observer: &dyn Observer) -> Result<Vec<Pair>> {
    let space = shared.space;
    let equations = Equations {
        shared,
        members: vec![member],
        shifts_energies: false,
        inelastic: None,
        known: Vec::new(),
    };
    let mut u = attenuated(shared, member);
    let reconstruction = Reconstruction::constant(u.len());
    let limits = Limits { tolerance: GUESS_TOLERANCE, iterations: super::MOST_STEPS };
    newton_of(&equations, &reconstruction, &mut u, space.radial.width(0), limits, observer)?;
    Ok(u)
}

/// The brightest of local equilibrium and of what arrives from either side, attenuated by absorption and diluted
/// outward; radial outside the surface where neutrinos decouple.
fn attenuated(shared: &Shared, member: (usize, usize)) -> Vec<Pair> {
    let nodes = &shared.space.radial.nodes;
    let local = shared.coefficients.slab(member.0, member.1);
    let given = |outside: &Outside| match outside {
        Outside::Given(given) => given[member.1].j,
        Outside::Vacuum | Outside::Reflecting => 0.0,
    };
    // Diffusion attenuates by √(3 κ_a κ_tr).
    let attenuation = |i: usize| {
        let opacity = (3.0 * local[i].absorption * local[i].transport()).sqrt();
        (-opacity * shared.flow.proper_length[i] * shared.space.radial.weights[i]).exp()
    };
    let surface = surface(shared, member);
    let mut u = Vec::with_capacity(nodes.len());
    let mut j = given(&shared.inner);
    for i in 0..nodes.len() {
        let dilution = if i > surface { (nodes[i - 1] / nodes[i]).powi(2) } else { 1.0 };
        j = equilibrium(&local[i]).max(j * attenuation(i) * dilution);
        let radial = if i > surface { 1.0 - (nodes[surface] / nodes[i]).powi(2) } else { 0.0 };
        u.push(Pair { j, h: MOST_FORWARD * radial * j });
    }
    j = given(&shared.outer);
    for (i, pair) in u.iter_mut().enumerate().rev() {
        j *= attenuation(i);
        if j > pair.j {
            *pair = Pair { j, h: 0.0 };
        }
        j = j.max(pair.j);
    }
    let dark = newton::DARK * floor(shared);
    u.into_iter().map(|pair| Pair { j: pair.j.max(dark), ..pair }).collect()
}

/// η/κ, 0 where nothing is absorbed.
fn equilibrium(local: &LocalOpacity) -> f64 {
    if local.absorption > 0.0 { local.emissivity / local.absorption } else { 0.0 }
}

/// J that does not matter anywhere: a share of the brightest equilibrium or boundary.
fn floor(shared: &Shared) -> f64 {
    let energies = shared.space.energy.len();
    let members = (0..shared.space.species.len()).flat_map(|s| (0..energies).map(move |k| (s, k)));
    let inside = members.flat_map(|(s, k)| shared.coefficients.slab(s, k)).map(equilibrium);
    let given = [&shared.inner, &shared.outer].into_iter().flat_map(|outside| match outside {
        Outside::Given(given) => given.iter().map(|given| given.j).collect(),
        Outside::Vacuum | Outside::Reflecting => Vec::new(),
    });
    let brightest = largest(inside.chain(given));
    IRRELEVANT * if brightest > 0.0 { brightest } else { GUESS }
}

/// The cell of radial transport optical depth 1 of (species, energy); the innermost one in transparent matter.
fn surface(shared: &Shared, (species, k): (usize, usize)) -> usize {
    let radial = &shared.space.radial;
    let mut depth = 0.0;
    for (i, local) in shared.coefficients.slab(species, k).iter().enumerate().rev() {
        depth += local.transport() * radial.weights[i] * shared.flow.proper_length[i];
        if depth > 1.0 {
            return i;
        }
    }
    0
}

/// The solution of one group.
struct Group {
    moments: Vec<Pair>,
    reconstruction: Reconstruction,
    outcome: Outcome,
    /// Change of J by the last reconstruction.
    change: f64,
}

/// Solves one group: at first order, then with the reconstruction of each solution until that does not change
/// any more.
fn solve_group(
    equations: &Equations,
    start: Vec<Pair>,
    limits: Limits,
    observer: &dyn Observer,
) -> Result<Group> {
    let mut u = start;
    let mut reconstruction = Reconstruction::constant(u.len());
    let first = Limits { tolerance: GUESS_TOLERANCE.max(limits.tolerance), ..limits };
    let mut outcome = newton_of(equations, &reconstruction, &mut u, f64::INFINITY, first, observer)?;
    let (mut change, mut slow) = (f64::INFINITY, false);
    for round in 0..ROUNDS {
        let own = Reconstruction::of(equations, &u);
        let next = if slow { own.between(&reconstruction) } else { own };
        let before = u.clone();
        let tolerance = (ROUND_ACCURACY * change).clamp(limits.tolerance, GUESS_TOLERANCE);
        let near = Limits { tolerance, ..limits };
        let again = newton_of(equations, &next, &mut u, f64::INFINITY, near, observer)?;
        reconstruction = next;
        let last = change;
        change = largest_change(equations, &before, &u);
        slow = change > LESSENED * last;
        tracing::debug!(round, change, steps = again.steps, "reconstruction");
        outcome.status = again.status;
        outcome.steps += again.steps;
        outcome.residuals.extend(again.residuals);
        if change <= ROUND_TOLERANCE || again.status != Status::Converged {
            break;
        }
    }
    if outcome.status == Status::Converged {
        let last = newton_of(equations, &reconstruction, &mut u, f64::INFINITY, limits, observer)?;
        outcome.status = last.status;
        outcome.steps += last.steps;
        outcome.residuals.extend(last.residuals);
    }
    if outcome.status == Status::Converged && change > SETTLED {
        outcome.status = Status::Stalled;
    }
    Ok(Group { moments: u, reconstruction, outcome, change })
}

/// Largest change of a J, relative to itself or to what matters where that is more.
fn largest_change(equations: &Equations, before: &[Pair], after: &[Pair]) -> f64 {
    let faint = insignificant(equations, after);
    let changes = before.iter().zip(after).zip(faint);
    largest(changes.map(|((before, after), faint)| (after.j - before.j).abs() / (before.j + MATTERS * faint)))
}

fn newton_of(
    equations: &Equations,
    reconstruction: &Reconstruction,
    u: &mut Vec<Pair>,
    step: f64,
    limits: Limits,
    observer: &dyn Observer,
) -> Result<Outcome> {
    let space = equations.shared.space;
    let name = &space.species[equations.members[0].0].name;
    let mut iteration = 0;
    let mut go_on = |residual: f64| {
        observer.report(Event::Residual { species: name, iteration, residual, tolerance: limits.tolerance });
        iteration += 1;
        !observer.stop_requested()
    };
    let floor = floor(equations.shared);
    let start = Start { step, cautious: space.radial.width(0), floor, realizable: true };
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
