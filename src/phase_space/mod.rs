//! The discrete phase space: radius, angle cosine, comoving energy, species.

pub mod basis;
mod build;
pub mod grid;

use crate::problem::file::Flavour;
use grid::NodalGrid;

/// A neutrino species that is followed.
#[derive(Debug, Clone, PartialEq)]
pub struct Species {
    pub name: String,
    pub flavour: Flavour,
    /// Physical species that it stands for.
    pub multiplicity: f64,
}

/// The energy direction.
#[derive(Debug, Clone, PartialEq)]
pub enum EnergyGrid {
    /// f depends on position and direction only: ∂f/∂ε = 0.
    Gray,
    Spectral(NodalGrid),
}

impl EnergyGrid {
    /// Number of energy nodes; 1 for a gray problem.
    pub fn len(&self) -> usize {
        match self {
            Self::Gray => 1,
            Self::Spectral(grid) => grid.nodes.len(),
        }
    }

    /// Never true.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Energy of node `k`; 1 in a gray problem.
    pub fn node(&self, k: usize) -> f64 {
        match self {
            Self::Gray => 1.0,
            Self::Spectral(grid) => grid.nodes[k],
        }
    }

    /// Quadrature weight dε of node `k`; 1 in a gray problem.
    pub fn weight(&self, k: usize) -> f64 {
        match self {
            Self::Gray => 1.0,
            Self::Spectral(grid) => grid.weights[k],
        }
    }

    /// Edges of the element of node `k`; `None` in a gray problem.
    pub fn element_of(&self, k: usize) -> Option<(f64, f64)> {
        match self {
            Self::Gray => None,
            Self::Spectral(grid) => {
                let element = k / grid.per_element();
                Some((grid.edges[element], grid.edges[element + 1]))
            }
        }
    }
}

/// Elements and nodes in r, μ and ε, and the species.
#[derive(Debug, Clone, PartialEq)]
pub struct PhaseSpace {
    /// Areal radius, internal length.
    pub radial: NodalGrid,
    /// Cosine to the outward radial direction in the comoving frame; an edge at μ = 0 except for
    /// single-range ordinates.
    pub angular: NodalGrid,
    /// Comoving energy.
    pub energy: EnergyGrid,
    pub species: Vec<Species>,
}

impl PhaseSpace {
    /// Unknowns of one species at one energy node: radial nodes × ordinates, ordinates fastest.
    pub fn slab(&self) -> usize {
        self.radial.nodes.len() * self.angular.nodes.len()
    }

    /// Unknowns of one species.
    pub fn unknowns_per_species(&self) -> usize {
        self.slab() * self.energy.len()
    }

    /// All unknowns.
    pub fn unknowns(&self) -> usize {
        self.unknowns_per_species() * self.species.len()
    }

    /// Index of the ordinate −μ_j, where the angular grid is symmetric.
    pub fn mirror(&self, j: usize) -> usize {
        self.angular.nodes.len() - 1 - j
    }

    /// Whether μ → −μ maps the ordinates onto themselves.
    pub fn is_mirror_symmetric(&self) -> bool {
        let mu = &self.angular.nodes;
        (0..mu.len()).all(|j| (mu[j] + mu[self.mirror(j)]).abs() < 1e-14)
    }

    /// Largest flux factor H/J that the ordinates can represent.
    pub fn largest_flux_factor(&self) -> f64 {
        self.angular.nodes.last().copied().unwrap_or(0.0)
    }
}
