//! Opacities sampled at the nodes of phase space.

use crate::opacities::LocalOpacity;
use crate::phase_space::PhaseSpace;

/// κ*, η, σ₀, σ₁ at (species, energy node, radial node), radial node fastest, in 1/length.
#[derive(Debug, Clone, PartialEq)]
pub struct Coefficients {
    values: Vec<LocalOpacity>,
    radial_nodes: usize,
    energies: usize,
}

impl Coefficients {
    /// Samples `opacity(species, energy node, radial node)` on `phase_space`.
    pub fn sample(phase_space: &PhaseSpace, opacity: impl Fn(usize, usize, usize) -> LocalOpacity) -> Self {
        let (radial_nodes, energies) = (phase_space.radial.nodes.len(), phase_space.energy.len());
        let mut values = Vec::with_capacity(phase_space.species.len() * energies * radial_nodes);
        for species in 0..phase_space.species.len() {
            for k in 0..energies {
                values.extend((0..radial_nodes).map(|i| opacity(species, k, i)));
            }
        }
        Self { values, radial_nodes, energies }
    }

    /// Number of the first radial node of (species, energy node).
    pub fn first(&self, species: usize, energy: usize) -> usize {
        (species * self.energies + energy) * self.radial_nodes
    }

    /// Coefficients of number `index` = [`Coefficients::first`] + radial node.
    pub fn at(&self, index: usize) -> &LocalOpacity {
        &self.values[index]
    }

    /// Coefficients at (species, energy node) for all radial nodes.
    pub fn slab(&self, species: usize, energy: usize) -> &[LocalOpacity] {
        let first = self.first(species, energy);
        &self.values[first..first + self.radial_nodes]
    }
}
