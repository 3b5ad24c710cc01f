//! The left side of the Boltzmann equation minus the part of the collisions that is linear in f.

use std::ops::Range;

use rayon::prelude::*;

use crate::methods::coefficients::Coefficients;
use crate::methods::geometry::Geometry;
use crate::phase_space::PhaseSpace;

use super::collisions::Collisions;
use super::connection::{Connection, lorentz_factor};
use super::energy_redistribution::EnergyRedistribution;
use super::radial_advection::{Side, flows_in, inflow_factor};
use super::streaming::Streaming;

/// The discrete operator A of A f = q (steady state) and M ∂f/∂t + A f = q (evolution), per unit
/// comoving path length. Vectors hold one species: (energy node, radial node, ordinate), ordinate fastest.
#[derive(Debug)]
pub struct Operator<'a> {
    pub phase_space: &'a PhaseSpace,
    pub coefficients: &'a Coefficients,
    pub connection: Connection,
    pub energy: EnergyRedistribution,
    streaming: Streaming,
    collisions: Collisions,
    /// aμ + k_r μ² + k_⊥(1−μ²) at (radial node, ordinate), positive and negative part.
    redshift: Vec<f64>,
    blueshift: Vec<f64>,
    /// W(1+vμ)/α at (radial node, ordinate).
    pub time_factor: Vec<f64>,
}

impl<'a> Operator<'a> {
    /// Operator on `phase_space`. `reflecting` = (inner edge, outer edge).
    pub fn new(
        geometry: &Geometry,
        phase_space: &'a PhaseSpace,
        coefficients: &'a Coefficients,
        reflecting: (bool, bool),
    ) -> Self {
        let connection = Connection::new(geometry, phase_space);
        let ordinates = phase_space.angular.nodes.len();
        let speed = |n: usize| connection.energy_speed[n] / connection.volume[n / ordinates];
        let redshift = (0..phase_space.slab()).map(|n| speed(n).max(0.0)).collect();
        let blueshift = (0..phase_space.slab()).map(|n| speed(n).min(0.0)).collect();
        let time_factor = (0..phase_space.slab())
            .map(|n| {
                let (i, mu) = (n / ordinates, phase_space.angular.nodes[n % ordinates]);
                let velocity = geometry.velocity[i];
                lorentz_factor(velocity) * (1.0 + velocity * mu) / geometry.lapse[i]
            })
            .collect();
        Self {
            phase_space,
            coefficients,
            energy: EnergyRedistribution::new(&phase_space.energy),
            streaming: Streaming::new(&connection, phase_space, reflecting),
            collisions: Collisions::new(phase_space),
            connection,
            redshift,
            blueshift,
            time_factor,
        }
    }

    /// Whether f at one energy acts on f at another.
    pub fn couples_energies(&self) -> bool {
        self.phase_space.energy.len() > 1
            && (self.redshift.iter().any(|&s| s != 0.0) || self.blueshift.iter().any(|&s| s != 0.0))
    }

    /// y = (A + shift·M) f for `species`; `shift` is 1/(γΔt) in an implicit stage and 0 in steady state.
    pub fn apply(&self, species: usize, shift: f64, f: &[f64], y: &mut [f64]) {
        let slab = self.phase_space.slab();
        let all = 0..self.phase_space.energy.len();
        y.par_chunks_mut(slab).enumerate().for_each(|(k, y)| {
            self.apply_at(species, k, shift, &f[k * slab..(k + 1) * slab], y);
            self.add_other_energies(k, all.clone(), 1.0, f, y);
        });
    }

    /// The rows of energy node `k` of [`Operator::apply`], without what other energies contribute;
    /// `f` and `y` hold that node only.
    pub fn apply_at(&self, species: usize, k: usize, shift: f64, f: &[f64], y: &mut [f64]) {
        pulp::Arch::new().dispatch(|| {
            self.streaming.apply(f, y);
            self.collisions.apply(self.coefficients, self.coefficients.first(species, k), f, y);
        });
        let (red, blue) = (self.energy.diagonal(k, true), self.energy.diagonal(k, false));
        for (n, (y, f)) in y.iter_mut().zip(f).enumerate() {
            let diagonal = red * self.redshift[n] + blue * self.blueshift[n] + shift * self.time_factor[n];
            *y += diagonal * f;
        }
    }

    /// y += sign × what f at the energy nodes `among`, except `k`, contributes to the rows of `k`; `f`
    /// holds the nodes `among`.
    pub fn add_other_energies(&self, k: usize, among: Range<usize>, sign: f64, f: &[f64], y: &mut [f64]) {
        let slab = self.phase_space.slab();
        for (speed, redshift) in [(&self.redshift, true), (&self.blueshift, false)] {
            for &(q, factor) in self.energy.row(k, redshift) {
                if q == k || !among.contains(&q) {
                    continue;
                }
                let (factor, from) = (sign * factor, &f[(q - among.start) * slab..][..slab]);
                pulp::Arch::new().dispatch(|| add_product(factor, speed, from, y));
            }
        }
    }

    /// (energy node q, factor) of what f at energies other than `k` contributes to the row of energy node
    /// `k` at `n`, the number of (radial node, ordinate).
    pub fn energy_couplings(&self, n: usize, k: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        [(&self.redshift, true), (&self.blueshift, false)]
            .into_iter()
            .filter(move |(speed, _)| speed[n] != 0.0)
            .flat_map(move |(speed, redshift)| {
                let others = self.energy.row(k, redshift).iter().filter(move |(q, _)| *q != k);
                others.map(move |&(q, factor)| (q, factor * speed[n]))
            })
    }

    /// 1/(sum of the positive diagonal terms) of each row: turns a residual into an error of f.
    pub fn row_scale(&self, species: usize, shift: f64) -> Vec<f64> {
        let (slab, ordinates) = (self.phase_space.slab(), self.phase_space.angular.nodes.len());
        let streaming: Vec<f64> = (0..slab)
            .map(|n| self.streaming.row(n).filter(|&(c, _)| c == n).map(|(_, v)| v.abs()).sum())
            .collect();
        let mut scale = vec![0.0; self.phase_space.unknowns_per_species()];
        scale.par_chunks_mut(slab).enumerate().for_each(|(k, scale)| {
            let opacities = self.coefficients.slab(species, k);
            let (red, blue) = (self.energy.diagonal(k, true), self.energy.diagonal(k, false));
            for (n, scale) in scale.iter_mut().enumerate() {
                let local = &opacities[n / ordinates];
                let shifted = (red * self.redshift[n] + blue * self.blueshift[n]).abs();
                let total = streaming[n] + shifted + local.absorption + local.scattering;
                *scale = 1.0 / (total + shift * self.time_factor[n]);
            }
        });
        scale
    }

    /// Right-hand side for `species`: emission, f that flows in through the radial edges (`inner` and
    /// `outer`: (energy node, ordinate)) and f = `above` above the top of the energy grid.
    pub fn source(&self, species: usize, inner: &[f64], outer: &[f64], above: f64) -> Vec<f64> {
        let (slab, ordinates) = (self.phase_space.slab(), self.phase_space.angular.nodes.len());
        let mut source = vec![0.0; self.phase_space.unknowns_per_species()];
        source.par_chunks_mut(slab).enumerate().for_each(|(k, q)| {
            let opacities = self.coefficients.slab(species, k);
            for (q, opacity) in q.chunks_exact_mut(ordinates).zip(opacities) {
                q.fill(opacity.emissivity);
            }
            let range = k * ordinates..(k + 1) * ordinates;
            self.add_inflow(0, Side::Lower, &inner[range.clone()], q);
            self.add_inflow(self.phase_space.radial.elements() - 1, Side::Upper, &outer[range], q);
            let factor = -above * self.energy.inflow_from_above(k);
            for (q, speed) in q.iter_mut().zip(&self.redshift) {
                *q += factor * speed;
            }
        });
        source
    }

    /// [`Operator::source`] of all species, with no neutrinos above the top of the energy grid.
    pub fn sources(&self, inner: &[f64], outer: &[f64]) -> Vec<f64> {
        let species = 0..self.phase_space.species.len();
        species.flat_map(|species| self.source(species, inner, outer, 0.0)).collect()
    }

    fn add_inflow(&self, element: usize, side: Side, f: &[f64], q: &mut [f64]) {
        let ordinates = self.phase_space.angular.nodes.len();
        let first = self.phase_space.radial.range(element).start;
        for j in (0..ordinates).filter(|&j| flows_in(&self.connection, self.phase_space, element, side, j)) {
            for i in 0..self.phase_space.radial.per_element() {
                let factor = inflow_factor(&self.connection, self.phase_space, element, side, i, j);
                q[(first + i) * ordinates + j] -= factor * f[j];
            }
        }
    }

    /// The diagonal block of radial element `element` at energy node `k`, column-major into `block`.
    pub fn block(&self, species: usize, k: usize, shift: f64, element: usize, block: &mut [f64]) {
        let ordinates = self.phase_space.angular.nodes.len();
        let nodes = self.phase_space.radial.range(element);
        let size = nodes.len() * ordinates;
        let first = nodes.start * ordinates;
        let (red, blue) = (self.energy.diagonal(k, true), self.energy.diagonal(k, false));
        block.fill(0.0);
        for row in 0..size {
            for (column, value) in self.streaming.row(first + row) {
                if (first..first + size).contains(&column) {
                    block[(column - first) * size + row] += value;
                }
            }
            let n = first + row;
            block[row * size + row] +=
                red * self.redshift[n] + blue * self.blueshift[n] + shift * self.time_factor[n];
        }
        for (i, node) in nodes.enumerate() {
            let number = self.coefficients.first(species, k) + node;
            for from in 0..ordinates {
                let column = (i * ordinates + from) * size + i * ordinates;
                for to in 0..ordinates {
                    block[column + to] += self.collisions.entry(self.coefficients, number, to, from);
                }
            }
        }
    }
}

/// y += factor·a·b.
#[inline(always)]
fn add_product(factor: f64, a: &[f64], b: &[f64], y: &mut [f64]) {
    for ((y, a), b) in y.iter_mut().zip(a).zip(b) {
        *y += factor * a * b;
    }
}
