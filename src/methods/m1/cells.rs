//! First-order finite volumes in place of the polynomials of elements that leave the bounds |H| ≤ J and
//! J ≥ 0, found after a solution (Clain, Diot & Loubère 2011, J. Comput. Phys. 230, 4028): they keep the
//! bounds, and the fluxes between the nodes' cells conserve as those between elements do.
//!
//! A cell's state at its faces is that of its node × (αr²W at the node / at the face) where neutrinos
//! stream freely, which makes radial streaming exact, and that of its node where they are isotropic; in
//! between the square of the flux factor of the first guess weighs the two. In energy a cell's state at its
//! faces follows the exponential through its and the neighbouring node of an earlier solution.

use crate::extremes::largest;
use crate::methods::boltzmann::inelastic::Pair;
use crate::phase_space::grid::NodalGrid;
use crate::phase_space::{EnergyGrid, PhaseSpace};

use super::equations::Equations;
use super::flow::Flow;

/// Violation of |H| ≤ J and J ≥ 0, relative to the largest J of the group, that is rounding.
const REALIZABLE: f64 = 1e-12;

/// Violation of the bounds at one radius, relative to the largest J there, that matters on the way to a
/// solution.
const SIGNIFICANT: f64 = 1e-6;

/// Where cells replace the elements' polynomials.
#[derive(Debug, Clone, PartialEq)]
pub struct Cells {
    /// Radial elements with cells.
    pub radial: Vec<bool>,
    /// Energy elements with cells.
    pub energy: Vec<bool>,
    /// Factors of each radial node's state at the upper and at the lower face of its cell.
    pub upward: Vec<f64>,
    pub downward: Vec<f64>,
    /// Factors of each member's state at the lower and upper face of its energy cell, at (radial node,
    /// member); 1 where there is no cell.
    pub energy_faces: Vec<[f64; 2]>,
}

/// The straight line through two Gauss nodes is 0 at the end of its element where their values have the
/// ratio (√3 + 1)/(√3 − 1) = 3.73.
const STEEP: f64 = 3.73;
/// Largest factor between a node and a face of its energy cell.
const STEEPEST: f64 = 100.0;

impl Cells {
    /// Polynomials everywhere, for `members` members; `streaming` at the radial nodes is 1 where neutrinos
    /// stream freely.
    pub fn none(space: &PhaseSpace, flow: &Flow, streaming: &[f64], members: usize) -> Self {
        let elements = match &space.energy {
            EnergyGrid::Gray => 0,
            EnergyGrid::Spectral(grid) => grid.elements(),
        };
        let per_element = space.radial.per_element();
        let factor = |i: usize, face: f64| {
            let own = flow.nodes[i].static_part;
            if face > 0.0 { 1.0 + streaming[i] * (own / face - 1.0) } else { 1.0 }
        };
        let lower_face = |i: usize| match i % per_element {
            0 => flow.edges[i / per_element].static_part,
            _ => flow.upper_faces[i - 1].static_part,
        };
        let nodes = 0..space.radial.nodes.len();
        Self {
            radial: vec![false; space.radial.elements()],
            energy: vec![false; elements],
            upward: nodes.clone().map(|i| factor(i, flow.upper_faces[i].static_part)).collect(),
            downward: nodes.map(|i| factor(i, lower_face(i))).collect(),
            energy_faces: vec![[1.0; 2]; space.radial.nodes.len() * members],
        }
    }

    /// Marks the energy elements in which J of `u` falls from one node to the next more than a polynomial of
    /// the lowest degree can without leaving J ≥ 0.
    pub fn mark_steep_spectra(&mut self, equations: &Equations, u: &[Pair]) {
        let EnergyGrid::Spectral(grid) = &equations.shared.space.energy else { return };
        if !equations.shifts_energies {
            return;
        }
        let count = equations.members.len();
        for (n, pair) in u.iter().enumerate() {
            let k = equations.members[n % count].1;
            let last = (k + 1).is_multiple_of(grid.per_element());
            if !last && pair.j > STEEP * u[n + 1].j {
                self.energy[k / grid.per_element()] = true;
            }
        }
    }

    /// Takes the shape of the spectra within energy cells from `u`.
    pub fn follow(&mut self, equations: &Equations, u: &[Pair]) {
        let EnergyGrid::Spectral(grid) = &equations.shared.space.energy else { return };
        if !equations.shifts_energies {
            return;
        }
        let faces = cell_faces(grid, &equations.energy.number_weight);
        let count = equations.members.len();
        for (n, factors) in self.energy_faces.iter_mut().enumerate() {
            let k = equations.members[n % count].1;
            if !self.energy[k / grid.per_element()] {
                *factors = [1.0; 2];
                continue;
            }
            let towards = |other: Option<usize>, face: f64| {
                let Some(other) = other.filter(|&other| other < grid.nodes.len()) else { return 1.0 };
                let ratio = u[n + other - k].j / u[n].j;
                let share = (face - grid.nodes[k]) / (grid.nodes[other] - grid.nodes[k]);
                if ratio > 0.0 { ratio.powf(share).clamp(1.0 / STEEPEST, STEEPEST) } else { 1.0 }
            };
            *factors = [towards(k.checked_sub(1), faces[k]), towards(Some(k + 1), faces[k + 1])];
        }
    }

    /// The same with cells in all elements.
    pub fn everywhere(mut self) -> Self {
        self.radial.fill(true);
        self.energy.fill(true);
        self
    }

    /// Share of the radial elements with cells.
    pub fn radial_share(&self) -> f64 {
        self.radial.iter().filter(|split| **split).count() as f64 / self.radial.len() as f64
    }

    pub fn is_split(&self, element: usize) -> bool {
        self.radial[element]
    }

    /// Factors of the fluxes through the lower and upper end of `element` in the rows of its nodes.
    pub fn lifts(&self, radial: &NodalGrid, element: usize) -> [Vec<f64>; 2] {
        let basis = &radial.basis;
        if !self.radial[element] {
            return [basis.left.clone(), basis.right.clone()];
        }
        let only = |node: usize| (0..basis.len()).map(|i| f64::from(u8::from(i == node))).collect();
        [only(0), only(basis.len() - 1)]
    }

    /// Weights of the nodes of `element` in its traces at the lower and upper end.
    pub fn traces(&self, radial: &NodalGrid, element: usize) -> [Vec<f64>; 2] {
        let [mut lower, mut upper] = self.lifts(radial, element);
        if self.radial[element] {
            let nodes = radial.range(element);
            lower[0] = self.downward[nodes.start];
            upper[nodes.len() - 1] = self.upward[nodes.end - 1];
        }
        [lower, upper]
    }

    /// Adds the elements in which `u` has a node whose J and H are those of no f ≥ 0, and says whether there
    /// were new ones. First the energy elements where J < 0, as in the tail of a spectrum that falls by
    /// orders of magnitude within one element; where there is no new one, the radial elements, which the
    /// noise of such a tail would mark too.
    pub fn grow(&mut self, equations: &Equations, u: &[Pair]) -> bool {
        let space = equations.shared.space;
        let largest = largest(u.iter().map(|pair| pair.j));
        let before = self.clone();
        let energy_node = |n: usize| equations.members[n % equations.members.len()].1;
        if let (EnergyGrid::Spectral(grid), true) = (&space.energy, equations.shifts_energies) {
            for (n, _) in u.iter().enumerate().filter(|(_, pair)| pair.j < -REALIZABLE * largest) {
                self.energy[energy_node(n) / grid.per_element()] = true;
            }
        }
        if *self == before {
            let realizable = |pair: &Pair| pair.h.abs() - pair.j <= REALIZABLE * largest;
            let nodes = equations.members.len() * space.radial.per_element();
            for (n, _) in u.iter().enumerate().filter(|(_, pair)| !realizable(pair)) {
                self.radial[n / nodes] = true;
            }
        }
        *self != before
    }

    /// Adds elements for a state that Newton's method got stuck at, and says whether there were new ones: the
    /// energy element below those that are marked, as the noise of a tail spreads downward, and the radial
    /// elements in which energies that matter leave the bounds.
    pub fn grow_on_the_way(&mut self, equations: &Equations, u: &[Pair]) -> bool {
        let before = self.clone();
        if let (Some(lowest), true) =
            (self.energy.iter().position(|marked| *marked), equations.shifts_energies)
        {
            self.energy[lowest..].fill(true);
            self.energy[lowest.saturating_sub(1)] = true;
        }
        let (count, per_element) = (equations.members.len(), equations.shared.space.radial.per_element());
        for (i, node) in u.chunks_exact(count).enumerate() {
            let matters = SIGNIFICANT * largest(node.iter().map(|pair| pair.j.abs()));
            if node.iter().any(|pair| pair.h.abs() - pair.j > matters) {
                self.radial[i / per_element] = true;
            }
        }
        *self != before
    }
}

/// Energies at the faces of the nodes' cells, each of which has its node's ∫ε² dε.
fn cell_faces(grid: &NodalGrid, weights: &[f64]) -> Vec<f64> {
    let mut cube = grid.edges[0].powi(3);
    let upper = weights.iter().map(|weight| {
        cube += 3.0 * weight;
        cube.cbrt()
    });
    std::iter::once(grid.edges[0]).chain(upper).collect()
}
