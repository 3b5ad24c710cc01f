//! Flux-limited diffusion, resolved in energy, on the [`Setup`] of the reference (docs/fld.md).
//!
//! The number equation, integrated over angle,
//!
//! ```text
//! (W/α) ∂_t(J + vH) + (1/(αXr²)) ∂_r[αr²W (H + vJ)] − (1/ε²) ∂_ε[ε³ (aH + k_r K + k_⊥(J − K))] = η − κ*J
//! ```
//!
//! with H = −λ(R) s·∇J/κ_tr, R = |s·∇J|/(κ_tr J) and K = χ(R) J. The gradient is taken along lines of constant
//! energy at infinity, so that equilibrium in gravity has no flux.

mod balance;
mod edges;
mod face;
mod iterate;
pub mod limiter;
mod lines;
mod matter;
mod mesh;
mod system;

use crate::diagnostics::moments::Moments;
use crate::error::{Error, Result};
use crate::methods::setup::Setup;
use crate::progress::Observer;
use crate::solvers::krylov::{Limits, Outcome, Status};

pub use balance::Balance;
use edges::Edges;
use iterate::Solved;
pub use limiter::Limiter;
use lines::Lines;
use matter::Matter;
use mesh::Mesh;
use system::System;

/// J, H, K, L at the nodes of the setup, and how they were found.
#[derive(Debug, Clone, PartialEq)]
pub struct FldSolution {
    /// At (species, energy node, radial node), radial node fastest. K and L are those that the limiter
    /// implies at the flux factor H/J.
    pub moments: Moments,
    /// The worst status of all species, with the iterations and residuals of the slowest.
    pub outcome: Outcome,
    /// Numbers of each species, with the fluxes of the scheme.
    pub balances: Vec<Balance>,
}

/// A step in time.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    /// J and H at its start, at the nodes of the setup.
    pub moments: &'a Moments,
    /// Internal time at its end, and its length.
    pub time: f64,
    pub length: f64,
}

/// The steady state of `setup`; `limits` hold for the residual relative to the row scale and to J, and for
/// that of the number balance.
///
/// # Errors
/// [`Error::Field`] for a setup with inelastic kernels, which this method does not have, and for a boundary
/// condition that is negative or not finite; [`Error::Interrupted`]; [`Error::Numerical`] for a singular
/// system.
pub fn solve(
    setup: &Setup,
    limiter: Limiter,
    limits: Limits,
    observer: &dyn Observer,
) -> Result<FldSolution> {
    advance(setup, limiter, limits, None, observer)
}

/// One step of backward Euler.
///
/// # Errors
/// Those of [`solve`], and a step that is not positive or moments of another grid.
pub fn step(
    setup: &Setup,
    limiter: Limiter,
    limits: Limits,
    step: Step,
    observer: &dyn Observer,
) -> Result<FldSolution> {
    let space = &setup.phase_space;
    let count = space.species.len() * space.energy.len() * space.radial.nodes.len();
    if step.moments.j.len() != count || step.moments.h.len() != count {
        let found = format!("{} and {} values", step.moments.j.len(), step.moments.h.len());
        return Err(Error::field("moments", found, format!("{count} values of j and h")));
    }
    if !(step.length > 0.0 && step.length.is_finite()) {
        return Err(Error::field("length", step.length, "a finite step > 0"));
    }
    advance(setup, limiter, limits, Some(step), observer)
}

fn advance(
    setup: &Setup,
    limiter: Limiter,
    limits: Limits,
    step: Option<Step>,
    observer: &dyn Observer,
) -> Result<FldSolution> {
    if setup.inelastic.is_some() {
        let valid = "a problem without inelastic scattering and pair processes";
        return Err(Error::field("opacities", "inelastic kernels with flux-limited diffusion", valid));
    }
    let mesh = Mesh::new(setup);
    let clocks: Vec<f64> = mesh.clock.iter().chain(&mesh.face_clock).copied().collect();
    let lines = Lines::new(setup, &clocks);
    let edges = Edges::new(setup, &mesh, &lines, step.map_or(0.0, |step| step.time))?;
    let problem = Problem { setup, mesh: &mesh, lines: &lines, edges: &edges, limiter, limits, step };
    let count = setup.phase_space.species.len();
    let empty = || vec![0.0; count * setup.phase_space.energy.len() * mesh.nodes];
    let mut moments = Moments { j: empty(), h: empty(), k: empty(), l: empty() };
    let (mut outcomes, mut balances) = (Vec::with_capacity(count), Vec::with_capacity(count));
    for species in 0..count {
        let (outcome, balance) = problem.solve(species, &mut moments, observer)?;
        outcomes.push(outcome);
        balances.push(balance);
    }
    let nothing = Outcome { status: Status::Converged, iterations: 0, residuals: vec![0.0] };
    let outcome = outcomes.into_iter().reduce(slower).unwrap_or(nothing);
    Ok(FldSolution { moments, outcome, balances })
}

/// What all species share.
struct Problem<'a> {
    setup: &'a Setup,
    mesh: &'a Mesh,
    lines: &'a Lines,
    edges: &'a Edges,
    limiter: Limiter,
    limits: Limits,
    step: Option<Step<'a>>,
}

impl Problem<'_> {
    /// Solves for `species` and writes its moments.
    fn solve(
        &self,
        species: usize,
        moments: &mut Moments,
        observer: &dyn Observer,
    ) -> Result<(Outcome, Balance)> {
        let Self { setup, mesh, lines, edges, limiter, limits, step } = *self;
        let matter = Matter::new(setup, mesh, lines, species);
        let caps = match limiter {
            Limiter::Bruenn => geometric_limits(setup, mesh, &matter, lines.len()),
            Limiter::LevermorePomraning | Limiter::Wilson => Vec::new(),
        };
        let start = step.map(|step| on_lines(setup, mesh, lines, species, step.moments));
        let (before, shift) = match (&start, step) {
            (Some(start), Some(step)) => (start.stored.as_slice(), 1.0 / step.length),
            _ => (&[][..], 0.0),
        };
        let matter = &matter;
        let linear = System { mesh, lines, edges, matter, limiter: None, caps: &caps, shift, before };
        let guess = match &start {
            Some(start) => start.j.clone(),
            None => solve_linear(&linear)?,
        };
        let system = System { limiter: Some(limiter), ..linear };
        let name = &setup.phase_space.species[species].name;
        let solved = iterate::solve(&system, guess, limits, name, observer)?;
        write_moments(setup, &system, &solved, species, limiter, moments);
        let balance = system.balance(&solved.j, &solved.state);
        Ok((solved.outcome, balance))
    }
}

/// The solution of the linear equations.
fn solve_linear(system: &System) -> Result<Vec<f64>> {
    let zero = vec![0.0; system.mesh.nodes * system.size()];
    let state = system.state(&zero);
    iterate::correction(system, &zero, &state)
}

/// The worse status with the history of the one with more iterations.
fn slower(a: Outcome, b: Outcome) -> Outcome {
    let status = a.status.and(b.status);
    let slower = if b.iterations > a.iterations { b } else { a };
    Outcome { status, ..slower }
}

/// J and (W/α)(J + vH) at (radial node, line).
struct Start {
    j: Vec<f64>,
    stored: Vec<f64>,
}

fn on_lines(setup: &Setup, mesh: &Mesh, lines: &Lines, species: usize, moments: &Moments) -> Start {
    let energies = setup.phase_space.energy.len();
    let mut start = Start { j: Vec::new(), stored: Vec::new() };
    for i in 0..mesh.nodes {
        for p in 0..lines.len() {
            let at = |values: &[f64], k: usize| values[(species * energies + k) * mesh.nodes + i];
            let j = lines.at_line(p, mesh.clock[i], |k| at(&moments.j, k));
            let drifting = lines.at_line(p, mesh.clock[i], |k| {
                at(&moments.j, k) + setup.geometry.velocity[i] * at(&moments.h, k)
            });
            start.j.push(j);
            start.stored.push(mesh.time[i] * drifting);
        }
    }
    start
}

/// ½(1 + μ_s) at (face, line): the flux factor of radiation that comes out of the neutrinosphere, the
/// sphere outside which κ_tr has the optical depth 2/3 on that line; μ_s is the cosine of its limb as the
/// matter at the face sees it. 1 inside of it.
fn geometric_limits(setup: &Setup, mesh: &Mesh, matter: &Matter, lines: usize) -> Vec<f64> {
    let mut caps = vec![1.0; (mesh.nodes + 1) * lines];
    for p in 0..lines {
        let Some(sphere) = transport_sphere(setup, mesh, matter, lines, p) else { continue };
        let lapse = setup.background.lapse(sphere);
        for (f, &r) in mesh.face_radius.iter().enumerate().filter(|(_, r)| **r > sphere) {
            let bent = sphere / r * setup.background.lapse(r) / lapse;
            let limb = (1.0 - bent * bent).max(0.0).sqrt();
            let v = mesh.velocity[f];
            caps[f * lines + p] = 0.5 * (1.0 + (limb - v) / (1.0 - limb * v));
        }
    }
    caps
}

/// Outermost radius with ∫κ_tr X dr = 2/3 outside, on line `p`.
fn transport_sphere(setup: &Setup, mesh: &Mesh, matter: &Matter, lines: usize, p: usize) -> Option<f64> {
    const DEPTH: f64 = 2.0 / 3.0;
    let mut depth = 0.0;
    for i in (0..mesh.nodes).rev() {
        let opacity = matter.local[i * lines + p].transport * setup.geometry.radial_metric[i];
        let (low, high) = (mesh.face_radius[i], mesh.face_radius[i + 1]);
        let part = opacity * (high - low);
        if depth + part >= DEPTH {
            return Some(high - (DEPTH - depth) / opacity);
        }
        depth += part;
    }
    None
}

/// Writes the moments of `species` at the energy nodes. H/J is interpolated linearly in energy.
fn write_moments(
    setup: &Setup,
    system: &System,
    solved: &Solved,
    species: usize,
    limiter: Limiter,
    moments: &mut Moments,
) {
    let (mesh, lines, n) = (system.mesh, system.lines, system.size());
    let energies = setup.phase_space.energy.len();
    for (i, &radius) in setup.phase_space.radial.nodes.iter().enumerate() {
        let h: Vec<f64> = (0..n).map(|p| system.h(&solved.state.faces, radius, i, p)).collect();
        for k in 0..energies {
            let j = lines.at_node(k, mesh.clock[i], |p| solved.j[i * n + p]);
            // Of both signs, H is what H + J adds to J.
            let shifted = lines.at_node(k, mesh.clock[i], |p| 2.0 * solved.j[i * n + p] + h[p]);
            let h = shifted - 2.0 * j;
            let (chi, q) = limiter.factors(if j > 0.0 { h / j } else { 0.0 });
            let index = (species * energies + k) * mesh.nodes + i;
            (moments.j[index], moments.h[index]) = (j, h);
            (moments.k[index], moments.l[index]) = (chi * j, q * j);
        }
    }
}
