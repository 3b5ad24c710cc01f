//! Flux-limited diffusion, resolved in energy, on the [`Setup`] of the reference (docs/fld.md).
//!
//! The number equation, integrated over angle,
//!
//! ```text
//! (W/α) ∂_t(J + vH) + (1/(αXr²)) ∂_r[αr²W (H + vJ)] − (1/ε²) ∂_ε[ε³ (aH + k_r K + k_⊥(J − K))] = η − κ*J
//! ```
//!
//! with H = −λ(R) s·∇J/κ_tr, R = |s·∇J|/(κ_tr J) and K = χ(R) J. The gradient is taken along lines of constant
//! energy at infinity, so that equilibrium in gravity has no flux. Inelastic collisions add e₀ − x₀J on the right and
//! x₀ to κ_tr, less what they scatter forward.

mod balance;
mod discrete;
mod edges;
mod elimination;
pub mod evolution;
mod face;
mod iterate;
mod kernels;
pub mod limiter;
mod lines;
mod matter;
mod mesh;
mod steady;
mod system;

use crate::diagnostics::moments::Moments;
use crate::error::Result;
use crate::methods::setup::Setup;
use crate::progress::Observer;
use crate::solvers::krylov::{Limits, Outcome};

pub use balance::Balance;
use discrete::Discrete;
pub use limiter::Limiter;
use lines::Lines;
use mesh::Mesh;

/// Smaller tolerances are not asked for: where a flux is almost a step function of the gradient's sign, the
/// equations amplify rounding, and the limiter's own error is of the order of per cents.
pub const TOLERANCE: f64 = 1e-8;

/// J, H, K, L at the nodes of the setup, and how they were found.
#[derive(Debug, Clone, PartialEq)]
pub struct FldSolution {
    /// At (species, energy node, radial node), radial node fastest. K and L are those that the limiter
    /// implies at the flux factor H/J.
    pub moments: Moments,
    /// The worst status of all energies and species, with the iterations and residuals of the slowest.
    pub outcome: Outcome,
    /// Numbers of each species, with the fluxes of the scheme.
    pub balances: Vec<Balance>,
}

/// The steady state of `setup`; `limits` hold for the residual relative to the row scale and to J, and for
/// that of the number balance.
///
/// # Errors
/// A boundary condition that is negative or not finite; [`crate::error::Error::Interrupted`];
/// [`crate::error::Error::Numerical`] for a singular system.
pub fn solve(
    setup: &Setup,
    limiter: Limiter,
    limits: Limits,
    observer: &dyn Observer,
) -> Result<FldSolution> {
    let discrete = Discrete::new(setup, limiter, 0.0)?;
    let solved = steady::solve(&discrete, None, limits, observer)?;
    let parts = solved.iter().map(|solved| (solved.j.as_slice(), solved.state.faces.as_slice()));
    Ok(FldSolution {
        moments: steady::moments(&discrete, parts),
        outcome: steady::outcome(&solved),
        balances: steady::balances(&discrete, None, &solved),
    })
}

/// Bytes that the eliminations which run side by side need at their peak, with opacities and kernels.
pub fn memory_estimate(setup: &Setup) -> u64 {
    let mesh = Mesh::new(setup);
    let clocks: Vec<f64> = mesh.clock.iter().chain(&mesh.face_clock).copied().collect();
    let lines = Lines::new(setup, &clocks).len() as u64;
    let (nodes, species) = (mesh.nodes as u64, setup.phase_space.species.len() as u64);
    let members = match (&setup.inelastic, mesh.drift.iter().any(|drift| *drift != Default::default())) {
        (Some(_), _) => species * lines,
        (None, true) => lines,
        (None, false) => 1,
    };
    let groups = (species * lines / members.max(1)).min(rayon::current_num_threads() as u64);
    let elimination = 8 * groups * nodes * members * members;
    let energies = setup.phase_space.energy.len().max(1) as u64;
    let kernels =
        setup.inelastic.as_ref().map_or(0, |all| all.bytes() + all.bytes() * lines.pow(2) / energies.pow(2));
    // Matter, faces, rates and the rows of the Jacobian.
    elimination + kernels + 1000 * species * lines * nodes
}
