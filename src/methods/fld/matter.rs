//! The matter on the lines of constant energy at infinity.

use rayon::prelude::*;

use crate::extremes::{larger, largest};
use crate::methods::setup::Setup;
use crate::opacities::LocalOpacity;

use super::lines::Lines;
use super::mesh::Mesh;

/// κ*, η and κ_tr = κ* + σ₀ − σ₁ of one species at (radial node, line), line fastest.
pub struct Matter {
    pub local: Vec<Local>,
}

/// Coefficients at one point.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Local {
    pub absorption: f64,
    pub emissivity: f64,
    pub transport: f64,
}

impl Matter {
    /// Coefficients of `species`, with f_eq = η/κ* interpolated and not η, so that equilibrium is kept.
    pub fn new(setup: &Setup, mesh: &Mesh, lines: &Lines, species: usize) -> Self {
        let count = lines.len();
        let local = (0..mesh.nodes * count)
            .into_par_iter()
            .map(|index| {
                let (i, p) = (index / count, index % count);
                let at = |of: &dyn Fn(&LocalOpacity) -> f64| {
                    lines.at_line(p, mesh.clock[i], |k| {
                        of(setup.coefficients.at(setup.coefficients.first(species, k) + i))
                    })
                };
                let absorption = at(&|o| o.absorption);
                let equilibrium =
                    |o: &LocalOpacity| if o.absorption > 0.0 { o.emissivity / o.absorption } else { 0.0 };
                let at_nodes = (0..setup.phase_space.energy.len())
                    .map(|k| equilibrium(setup.coefficients.at(setup.coefficients.first(species, k) + i)));
                // Between states that are no more than full, interpolation makes none that are.
                let occupation = at(&equilibrium).min(larger(1.0, largest(at_nodes)));
                let transport = at(&|o| (o.absorption + o.scattering - o.scattering_first).max(0.0));
                Local { absorption, emissivity: absorption * occupation, transport }
            })
            .collect();
        Self { local }
    }
}
