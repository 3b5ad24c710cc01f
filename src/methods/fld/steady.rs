//! The steady state of all groups.

use rayon::prelude::*;

use crate::diagnostics::moments::Moments;
use crate::error::Result;
use crate::methods::boltzmann::inelastic::Rates;
use crate::parallel::in_order;
use crate::progress::Observer;
use crate::solvers::krylov::{Limits, Outcome, Status};

use super::balance::Balance;
use super::discrete::{Discrete, Group};
use super::iterate::{self, LEAST_OPACITY, Solved, Way};
use super::system::System;

/// How one implicit stage is different from a steady state: 1/(γΔt), and per group J to start from and
/// (W/α)(J + vH) that it starts with.
pub struct Stage<'a> {
    pub shift: f64,
    pub guess: &'a [Vec<f64>],
    pub known: &'a [Vec<f64>],
}

/// Solves all groups of `discrete`.
///
/// # Errors
/// [`crate::error::Error::Interrupted`]; [`crate::error::Error::Numerical`] for a singular matrix.
pub fn solve(
    discrete: &Discrete,
    stage: Option<&Stage>,
    limits: Limits,
    observer: &dyn Observer,
) -> Result<Vec<Solved>> {
    let groups = discrete.groups.par_iter().enumerate();
    in_order(groups.map(|(g, group)| {
        let (shift, known) =
            stage.map_or((0.0, &[][..]), |stage| (stage.shift, stage.known[g].as_slice()));
        let system = |Way { least_opacity, slopes, frozen }| System {
            least_opacity,
            slopes,
            frozen,
            shift,
            known,
            ..system_of(discrete, group)
        };
        let guess = match stage {
            Some(stage) => stage.guess[g].clone(),
            None => linear(discrete, group)?,
        };
        let name = &discrete.setup.phase_space.species[group.members[0].0].name;
        let solved = iterate::solve(system, guess, limits, name, observer)?;
        let Outcome { status, iterations, residuals } = &solved.outcome;
        tracing::debug!(name, member = ?group.members[0], status = status.name(), iterations, ?residuals, "group");
        Ok(solved)
    }))
}

/// Linear problems that lead to the first guess where there are inelastic collisions.
const GUESS_ROUNDS: usize = 3;

/// The solution of linear diffusion; inelastic collisions have the rates of equilibrium, which are those of opaque
/// matter, and then twice those of the solution so far. In transparent matter the rates of equilibrium alone may
/// lead to a solution in which states are full that hardly anything fills.
fn linear(discrete: &Discrete, group: &Group) -> Result<Vec<f64>> {
    let mut guess = with_rates(discrete, group, &group.equilibrium_rates)?;
    let Some(kernels) = &group.kernels else { return Ok(guess) };
    for _ in 1..GUESS_ROUNDS {
        guess.iter_mut().for_each(|j| *j = j.clamp(0.0, 1.0));
        guess = with_rates(discrete, group, &kernels.rates(&guess))?;
    }
    Ok(guess)
}

/// The solution of linear diffusion with the rates `rates` of inelastic collisions at (radial node, member).
fn with_rates(discrete: &Discrete, group: &Group, rates: &[Rates]) -> Result<Vec<f64>> {
    let mut guess = vec![0.0; discrete.mesh.nodes * group.members.len()];
    for (m, member) in group.members.iter().enumerate() {
        let members = [*member];
        let fixed: Vec<_> = rates.iter().skip(m).step_by(group.members.len()).copied().collect();
        let whole = system_of(discrete, group);
        let system = System { members: &members, kernels: None, fixed: &fixed, limiter: None, ..whole };
        let zero = vec![0.0; discrete.mesh.nodes];
        let column = iterate::correction(&system, &zero, &system.state(&zero, &[]), 0.0)?;
        column.into_iter().enumerate().for_each(|(i, j)| guess[i * group.members.len() + m] = j);
    }
    Ok(guess)
}

/// The equations of `group` in a steady state.
pub fn system_of<'a>(discrete: &'a Discrete, group: &'a Group) -> System<'a> {
    System {
        discrete,
        members: &group.members,
        kernels: group.kernels.as_ref(),
        fixed: &[],
        limiter: Some(discrete.limiter),
        least_opacity: LEAST_OPACITY,
        frozen: false,
        slopes: 1.0,
        shift: 0.0,
        known: &[],
    }
}

/// Balances of all species in a steady state or in `stage`.
pub fn balances(discrete: &Discrete, stage: Option<&Stage>, solved: &[Solved]) -> Vec<Balance> {
    let of_species = |s: usize| {
        let groups = discrete.groups.iter().zip(solved).enumerate();
        let parts = groups.map(|(g, (group, solved))| {
            let (shift, known) = stage.map_or((0.0, &[][..]), |stage| (stage.shift, &stage.known[g][..]));
            let system = System { shift, known, ..system_of(discrete, group) };
            system.balance(&solved.j, &solved.state, s)
        });
        parts.fold(Balance::default(), Balance::and)
    };
    (0..discrete.setup.phase_space.species.len()).map(of_species).collect()
}

/// (W/α)(J + vH) of all groups.
pub fn stored(discrete: &Discrete, solved: &[Solved]) -> Vec<Vec<f64>> {
    let groups = discrete.groups.iter().zip(solved);
    groups.map(|(group, solved)| system_of(discrete, group).all_stored(&solved.j, &solved.state)).collect()
}

/// The worst status, with the history of the group with the most iterations among those that have it.
pub fn outcome(solved: &[Solved]) -> Outcome {
    let nothing = Outcome { status: Status::Converged, iterations: 0, residuals: vec![0.0] };
    solved.iter().fold(nothing, |worst, solved| {
        let status = worst.status.and(solved.outcome.status);
        // What did not converge says more than what took longest.
        let tells_more = match (status == worst.status, status == solved.outcome.status) {
            (true, true) => solved.outcome.iterations > worst.iterations,
            (_, newer) => newer,
        };
        if tells_more { solved.outcome.clone() } else { worst }
    })
}

/// |H|/J above which H is an error of its interpolation in energy.
const LARGEST_FACTOR: f64 = 1.05;

/// J, H, K, L at the energy nodes. H/J is interpolated linearly in energy; K and L are those that the limiter
/// implies at that flux factor.
pub fn moments<'s>(
    discrete: &Discrete,
    solved: impl Iterator<Item = (&'s [f64], &'s [super::face::Face])>,
) -> Moments {
    let (setup, mesh, lines) = (discrete.setup, &discrete.mesh, &discrete.lines);
    let (energies, species) = (setup.phase_space.energy.len(), setup.phase_space.species.len());
    let mut on_lines = vec![(0.0, 0.0); species * mesh.nodes * lines.len()];
    for (group, (j, faces)) in discrete.groups.iter().zip(solved) {
        let system = system_of(discrete, group);
        for (i, &radius) in setup.phase_space.radial.nodes.iter().enumerate() {
            for (m, &(s, p)) in group.members.iter().enumerate() {
                let h = system.h(faces, radius, i, m);
                on_lines[(s * mesh.nodes + i) * lines.len() + p] = (j[i * group.members.len() + m], h);
            }
        }
    }
    let empty = || vec![0.0; species * energies * mesh.nodes];
    let mut moments = Moments { j: empty(), h: empty(), k: empty(), l: empty() };
    for (place, spectrum) in on_lines.chunks_exact(lines.len()).enumerate() {
        let (s, i) = (place / mesh.nodes, place % mesh.nodes);
        for k in 0..energies {
            let j = lines.at_node(k, mesh.clock[i], |p| spectrum[p].0);
            // Of both signs, H is what H + 2J adds to 2J.
            let shifted = lines.at_node(k, mesh.clock[i], |p| 2.0 * spectrum[p].0 + spectrum[p].1);
            let h = shifted - 2.0 * j;
            let h = if h.abs() > LARGEST_FACTOR * j { j * h.signum() } else { h };
            let (chi, q) = discrete.limiter.factors(if j > 0.0 { h / j } else { 0.0 });
            let index = (s * energies + k) * mesh.nodes + i;
            (moments.j[index], moments.h[index]) = (j, h);
            (moments.k[index], moments.l[index]) = (chi * j, q * j);
        }
    }
    moments
}
