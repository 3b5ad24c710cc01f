//! Steady states of the moment equations.

use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::methods::boltzmann::energy_redistribution::EnergyRedistribution;
use crate::methods::boltzmann::inelastic::Pair;
use crate::methods::setup::Setup;
use crate::parallel::in_order;
use crate::phase_space::PhaseSpace;
use crate::progress::{Event, Observer};
use crate::solvers::krylov::{Limits, Status};

use super::cells::Cells;
use super::equations::{Equations, Shared};
use super::newton::{self, Outcome, Path};

/// J and H at (radial node, species, energy node), energy fastest, and how they were found.
#[derive(Debug, Clone, PartialEq)]
pub struct Solved {
    pub moments: Vec<Pair>,
    /// J, H, K of the fluxes through the element edges, at (species, energy, edge).
    pub edges: Vec<[f64; 3]>,
    pub status: Status,
    /// Newton steps of the slowest group.
    pub steps: usize,
    /// Residual after each of its steps.
    pub residuals: Vec<f64>,
    /// Share of the elements that are first-order cells, at (species, energy).
    pub reduced: Vec<f64>,
}

/// J of the first guess, relative to the largest equilibrium occupation.
const GUESS: f64 = 1e-3;
/// First guesses are solved to this.
const GUESS_TOLERANCE: f64 = 1e-3;
const GUESS_STEPS: usize = 300;
/// Solutions with the shapes of the last one's spectra.
const SHAPE_ROUNDS: usize = 2;
/// Rounds of order reduction before all elements are reduced.
const ROUNDS: usize = 8;

/// Solves `shared` for all species and energies of `setup`.
///
/// # Errors
/// [`Error::Interrupted`]; a singular Jacobian.
pub fn solve(setup: &Setup, shared: &Shared, limits: Limits, observer: &dyn Observer) -> Result<Solved> {
    let mut groups = groups(setup, shared);
    let guess = first_guess(shared, observer)?;
    let count = shared.space.species.len() * shared.space.energy.len();
    let energies = shared.space.energy.len();
    let solved = in_order(groups.par_iter_mut().map(|equations| {
        let members: Vec<usize> = equations.members.iter().map(|&(s, k)| s * energies + k).collect();
        let start = gather(&guess, count, &members);
        solve_group(equations, start, limits, observer)
    }))?;
    let edges = shared.space.radial.edges.len();
    let mut whole = Solved {
        moments: vec![Pair::default(); guess.len()],
        edges: vec![[0.0; 3]; count * edges],
        status: Status::Converged,
        steps: 0,
        residuals: Vec::new(),
        reduced: vec![0.0; count],
    };
    for (equations, solved) in groups.iter().zip(solved) {
        let (moments, outcome, cells) = solved;
        let state = equations.evaluate(&moments, &cells);
        whole.status = whole.status.and(outcome.status);
        if outcome.steps >= whole.steps {
            (whole.steps, whole.residuals) = (outcome.steps, outcome.residuals);
        }
        for (c, &(s, k)) in equations.members.iter().enumerate() {
            let number = s * energies + k;
            whole.reduced[number] = cells.radial_share();
            for edge in 0..edges {
                whole.edges[number * edges + edge] = state.edge_moments(edge, c);
            }
            for (i, node) in moments.chunks_exact(equations.members.len()).enumerate() {
                whole.moments[i * count + s * energies + k] = node[c];
            }
        }
    }
    Ok(whole)
}

/// What has to be solved together: everything with inelastic collisions, the energies of a species where
/// redshift couples them, and else single energies.
pub(super) fn groups<'a>(setup: &'a Setup, shared: &'a Shared<'a>) -> Vec<Equations<'a>> {
    let (species, energies) = (shared.space.species.len(), shared.space.energy.len());
    let shifts_energies = shared.flow.shifts_energies();
    let all = || (0..species).flat_map(move |s| (0..energies).map(move |k| (s, k)));
    let inelastic = setup.inelastic.as_ref();
    let members: Vec<Vec<(usize, usize)>> = if inelastic.is_some() {
        vec![all().collect()]
    } else if shifts_energies {
        (0..species).map(|s| (0..energies).map(|k| (s, k)).collect()).collect()
    } else {
        all().map(|member| vec![member]).collect()
    };
    members
        .into_iter()
        .map(|members| {
            let energy = EnergyRedistribution::new(&shared.space.energy);
            Equations { shared, members, shifts_energies, energy, inelastic, known: Vec::new() }
        })
        .collect()
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
    for (member, column) in columns.into_iter().enumerate() {
        for (i, pair) in column.into_iter().enumerate() {
            guess[i * count + member] = pair;
        }
    }
    Ok(guess)
}

fn guess_of(shared: &Shared, member: (usize, usize), observer: &dyn Observer) -> Result<Vec<Pair>> {
    let space = shared.space;
    let energy = EnergyRedistribution::new(&space.energy);
    let members = vec![member];
    let equations =
        Equations { shared, members, shifts_energies: false, energy, inelastic: None, known: Vec::new() };
    let equilibrium = shared.coefficients.slab(member.0, member.1).iter().fold(0.0, |largest: f64, local| {
        if local.absorption > 0.0 { largest.max(local.emissivity / local.absorption) } else { largest }
    });
    let start = if equilibrium > 0.0 { GUESS * equilibrium } else { GUESS };
    let surface = surface(shared, member);
    let diluted = |r: &f64| {
        let dilution = (surface / r).powi(2).min(1.0);
        Pair { j: start * dilution, h: 0.5 * start * dilution * (1.0 - dilution) }
    };
    let mut u: Vec<Pair> = space.radial.nodes.iter().map(diluted).collect();
    let isotropic = vec![0.0; space.radial.nodes.len()];
    let cells = Cells::none(space, shared.flow, &isotropic, 1).everywhere();
    let limits = Limits { tolerance: GUESS_TOLERANCE, iterations: GUESS_STEPS };
    let mut go_on = |_: f64| !observer.stop_requested();
    let first_step = space.radial.width(0);
    let outcome =
        newton::solve(&equations, &cells, &mut u, (Path::Realizable, first_step), limits, &mut go_on)?;
    tracing::debug!(?member, steps = outcome.steps, status = outcome.status.name(), "first guess");
    if outcome.status == Status::Interrupted { Err(Error::Interrupted) } else { Ok(u) }
}

/// Radius of radial transport optical depth 1 of (species, energy); the innermost one in transparent matter.
fn surface(shared: &Shared, (species, k): (usize, usize)) -> f64 {
    let radial = &shared.space.radial;
    let mut depth = 0.0;
    for (i, local) in shared.coefficients.slab(species, k).iter().enumerate().rev() {
        depth += local.transport() * radial.weights[i] * shared.flow.proper_length[i];
        if depth > 1.0 {
            return radial.nodes[i];
        }
    }
    radial.nodes[0]
}

/// Solves one group, with first-order cells in the elements whose polynomials leave the bounds.
fn solve_group(
    equations: &mut Equations,
    start: Vec<Pair>,
    limits: Limits,
    observer: &dyn Observer,
) -> Result<(Vec<Pair>, Outcome, Cells)> {
    let space = equations.shared.space;
    let members = equations.members.len();
    let mut cells = Cells::none(space, equations.shared.flow, &streaming(space, &start), members);
    let mut start = with_cells_everywhere(equations, start, cells.clone().everywhere(), observer)?;
    cells.mark_steep_spectra(equations, &start);
    for round in 0..=ROUNDS {
        equations.energy = EnergyRedistribution::with_cells(&space.energy, &cells.energy);
        cells.follow(equations, &start);
        let mut u = start.clone();
        let outcome = newton_of(equations, &cells, &mut u, limits, observer)?;
        let before = cells.clone();
        let grown = match outcome.status {
            Status::Converged => cells.grow(equations, &u),
            _ => cells.grow_on_the_way(equations, &u),
        };
        if round == ROUNDS || outcome.status == Status::Converged && !grown {
            let solved = with_own_spectra(equations, (u, outcome, before), limits, observer)?;
            return with_fewest_cells(equations, solved, limits, observer);
        }
        if outcome.status == Status::Converged {
            start = u;
        }
        if round + 1 == ROUNDS || !grown {
            cells = cells.everywhere();
        }
    }
    Err(Error::Numerical("the moment equations were given no round to be solved in".into()))
}

/// First-order solution of the whole group, for polynomials to start from.
fn with_cells_everywhere(
    equations: &mut Equations,
    start: Vec<Pair>,
    mut cells: Cells,
    observer: &dyn Observer,
) -> Result<Vec<Pair>> {
    equations.energy = EnergyRedistribution::with_cells(&equations.shared.space.energy, &cells.energy);
    cells.follow(equations, &start);
    let mut u = start.clone();
    let limits = Limits { tolerance: GUESS_TOLERANCE, iterations: GUESS_STEPS };
    let outcome = newton_of(equations, &cells, &mut u, limits, observer)?;
    Ok(if outcome.status == Status::Converged { u } else { start })
}

/// Solves again with the shapes of the solution's own spectra in its energy cells.
fn with_own_spectra(
    equations: &Equations,
    (mut u, mut outcome, mut cells): (Vec<Pair>, Outcome, Cells),
    limits: Limits,
    observer: &dyn Observer,
) -> Result<(Vec<Pair>, Outcome, Cells)> {
    for _ in 0..SHAPE_ROUNDS {
        if outcome.status != Status::Converged || !cells.energy.contains(&true) {
            break;
        }
        let (mut next, mut followed) = (u.clone(), cells.clone());
        followed.follow(equations, &u);
        let again = newton_of(equations, &followed, &mut next, limits, observer)?;
        if again.status != Status::Converged {
            break;
        }
        (u, cells) = (next, followed);
        outcome.steps += again.steps;
        outcome.residuals.extend(again.residuals);
    }
    Ok((u, outcome, cells))
}

/// Solves again with radial cells only where the solution itself needs them: states on the way to it may have
/// left the bounds elsewhere. Where that fails, the solution stays as it is.
fn with_fewest_cells(
    equations: &mut Equations,
    solved: (Vec<Pair>, Outcome, Cells),
    limits: Limits,
    observer: &dyn Observer,
) -> Result<(Vec<Pair>, Outcome, Cells)> {
    if solved.1.status != Status::Converged || !solved.2.radial.contains(&true) {
        return Ok(solved);
    }
    let (mut u, mut cells) = (solved.0.clone(), solved.2.clone());
    cells.radial.fill(false);
    for _ in 0..ROUNDS {
        let outcome = newton_of(equations, &cells, &mut u, limits, observer)?;
        if outcome.status != Status::Converged {
            break;
        }
        if !cells.grow(equations, &u) {
            return Ok((u, outcome, cells));
        }
        equations.energy = EnergyRedistribution::with_cells(&equations.shared.space.energy, &cells.energy);
        cells.follow(equations, &u);
    }
    Ok(solved)
}

fn newton_of(
    equations: &Equations,
    cells: &Cells,
    u: &mut Vec<Pair>,
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
    let path = (Path::Free, space.radial.width(0));
    let outcome = newton::solve(equations, cells, u, path, limits, &mut go_on)?;
    tracing::debug!(
        steps = outcome.steps,
        status = outcome.status.name(),
        residual = outcome.residuals.last(),
        cells = cells.radial_share(),
        energy_cells = cells.energy.iter().filter(|split| **split).count(),
        "group"
    );
    if outcome.status == Status::Interrupted { Err(Error::Interrupted) } else { Ok(outcome) }
}

/// Square of the flux factor of the members' sums at each radial node.
pub(super) fn streaming(space: &PhaseSpace, u: &[Pair]) -> Vec<f64> {
    let members = u.len() / space.radial.nodes.len();
    let factor = |node: &[Pair]| {
        let (j, h) = node.iter().fold((0.0, 0.0), |(j, h), pair| (j + pair.j, h + pair.h));
        if j > 0.0 { (h / j).powi(2).min(1.0) } else { 0.0 }
    };
    u.chunks_exact(members).map(factor).collect()
}

/// The columns `members` of `field`, which has `count` per radial node.
pub(super) fn gather(field: &[Pair], count: usize, members: &[usize]) -> Vec<Pair> {
    field.chunks_exact(count).flat_map(|node| members.iter().map(move |&m| node[m])).collect()
}
