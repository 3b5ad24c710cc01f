//! The linear systems of Newton's method: −∂(residual)/∂u + pseudo-time.
//!
//! Each (species, energy) by itself is block-tridiagonal in r with blocks of 2 × 2. Energies that redshift and
//! Doppler shift couple are swept over in both directions, each time with an elimination in r, as the
//! preconditioner of a Krylov iteration for the relative change of each J and H; the coupling is weak, so that
//! a few iterations do. Inelastic collisions couple all energies strongly and are eliminated directly.

use crate::error::Result;
use crate::methods::boltzmann::inelastic::{Inelastic, Pair};
use crate::solvers::face_coupled::{self, COMPONENTS, Face, FluxJacobian};
use crate::solvers::krylov::{self, Limits, LinearSystem};

use super::equations::Evaluation;

type Matrix = [[f64; 2]; 2];

/// Residual of the Krylov iteration, relative to the right side.
const TOLERANCE: f64 = 1e-3;
const ITERATIONS: usize = 200;

/// The change of the state that makes the linearised `residual` vanish, with a pseudo-time term with the rates
/// `pseudo`, at (cell, member).
///
/// # Errors
/// [`crate::error::Error::Numerical`] where the Jacobian is singular or not finite.
pub fn correction(state: &Evaluation, residual: &[Pair], scale: &[f64], pseudo: &[f64]) -> Result<Vec<Pair>> {
    let right: Vec<f64> = residual.iter().flat_map(|row| [row.j, row.h]).collect();
    let system = Linearised::new(state, pseudo);
    let solution = match state.equations.inelastic {
        Some(inelastic) => system.eliminated(inelastic, right)?,
        None if state.energy.is_empty() => system.swept(&right),
        None => system.iterated(&right, scale)?,
    };
    Ok(solution.chunks_exact(COMPONENTS).map(|pair| Pair { j: pair[0], h: pair[1] }).collect())
}

/// The couplings of all unknowns, which are at (cell, member), but those by inelastic collisions.
struct Linearised<'a> {
    state: &'a Evaluation<'a>,
    own: Vec<Matrix>,
    /// With the same member in the cell below and above; 0 where there is none.
    below: Vec<Matrix>,
    above: Vec<Matrix>,
    /// With the next lower and higher energy in the same cell; empty where energies are independent.
    lower: Vec<Matrix>,
    higher: Vec<Matrix>,
    /// Elimination in r of each member by itself: (own block after it)⁻¹, and the same × the block above.
    inverse: Vec<Matrix>,
    upper: Vec<Matrix>,
}

impl<'a> Linearised<'a> {
    fn new(state: &'a Evaluation, pseudo: &[f64]) -> Self {
        let count = state.count();
        let all = 0..state.cells.len();
        let neighbours: Vec<[Matrix; 2]> = all.clone().map(|n| radial_blocks(state, n)).collect();
        let energies: Vec<[Matrix; 2]> = match state.energy.is_empty() {
            true => Vec::new(),
            false => all.clone().map(|n| energy_blocks(state, n)).collect(),
        };
        let mut system = Self {
            state,
            own: all.map(|n| own_block(state, n / count, n % count, pseudo[n])).collect(),
            below: neighbours.iter().map(|pair| pair[0]).collect(),
            above: neighbours.iter().map(|pair| pair[1]).collect(),
            lower: energies.iter().map(|pair| pair[0]).collect(),
            higher: energies.iter().map(|pair| pair[1]).collect(),
            inverse: Vec::with_capacity(state.cells.len()),
            upper: Vec::with_capacity(state.cells.len()),
        };
        system.eliminate_in_r();
        system
    }

    fn members(&self) -> usize {
        self.state.count()
    }

    fn eliminate_in_r(&mut self) {
        let count = self.members();
        for n in 0..self.own.len() {
            let own = match n.checked_sub(count) {
                Some(below) => minus_matrix(self.own[n], product(self.below[n], self.upper[below])),
                None => self.own[n],
            };
            let inverse = inverse(own);
            self.inverse.push(inverse);
            self.upper.push(product(inverse, self.above[n]));
        }
    }

    /// Solves for `member`, given what its neighbouring energies are.
    fn solve_member(&self, member: usize, right: &[f64], x: &mut [f64]) {
        let (count, unknowns) = (self.members(), self.own.len());
        let mut last = [0.0; 2];
        for n in (member..unknowns).step_by(count) {
            let mut value = at(right, n);
            if !self.lower.is_empty() {
                // The blocks are 0 where there is no such energy.
                value = minus(value, times(self.lower[n], at(x, n.saturating_sub(1))));
                value = minus(value, times(self.higher[n], at(x, (n + 1).min(unknowns - 1))));
            }
            value = minus(value, times(self.below[n], last));
            last = times(self.inverse[n], value);
            x[2 * n..2 * n + 2].copy_from_slice(&last);
        }
        let mut above = [0.0; 2];
        for n in (member..unknowns).step_by(count).rev() {
            above = minus(at(x, n), times(self.upper[n], above));
            x[2 * n..2 * n + 2].copy_from_slice(&above);
        }
    }

    /// One sweep from the highest energy to the lowest and back; the solution where energies are independent.
    fn swept(&self, right: &[f64]) -> Vec<f64> {
        let mut x = vec![0.0; right.len()];
        for member in (0..self.members()).rev() {
            self.solve_member(member, right, &mut x);
        }
        if !self.lower.is_empty() {
            (0..self.members()).for_each(|member| self.solve_member(member, right, &mut x));
        }
        x
    }

    fn iterated(&self, right: &[f64], scale: &[f64]) -> Result<Vec<f64>> {
        let size: Vec<f64> = self.state.cells.iter().map(|cell| cell.j).collect();
        let rows = scale.iter().zip(&size).flat_map(|(scale, size)| [scale / size; COMPONENTS]).collect();
        let system = Relative { linearised: self, size, rows };
        let limits = Limits { tolerance: TOLERANCE, iterations: ITERATIONS };
        let mut relative = vec![0.0; right.len()];
        let outcome = krylov::solve(&system, right, &mut relative, limits, &mut |_| true)?;
        tracing::trace!(iterations = outcome.iterations, status = outcome.status.name(), "energies");
        Ok(system.absolute(&relative))
    }

    /// y = A x.
    fn apply(&self, x: &[f64]) -> Vec<f64> {
        let (count, last) = (self.members(), self.own.len() - 1);
        let row = |n: usize| {
            let mut y = times(self.own[n], at(x, n));
            y = plus(y, times(self.below[n], at(x, n.saturating_sub(count))));
            y = plus(y, times(self.above[n], at(x, (n + count).min(last))));
            if !self.lower.is_empty() {
                y = plus(y, times(self.lower[n], at(x, n.saturating_sub(1))));
                y = plus(y, times(self.higher[n], at(x, (n + 1).min(last))));
            }
            y
        };
        (0..=last).flat_map(row).collect()
    }

    fn eliminated(&self, inelastic: &Inelastic, mut x: Vec<f64>) -> Result<Vec<f64>> {
        let count = self.members();
        let assemble = |cell: usize, block: &mut [f64]| {
            block.fill(0.0);
            let mut block = Block { size: COMPONENTS * count, values: block };
            for member in 0..count {
                let n = cell * count + member;
                block.add((member, member), self.own[n]);
                if !self.lower.is_empty() {
                    // Blocks of energies that there are not are 0.
                    block.add((member, member.saturating_sub(1)), self.lower[n]);
                    block.add((member, (member + 1).min(count - 1)), self.higher[n]);
                }
                self.add_inelastic(inelastic, cell, member, &mut block);
            }
        };
        face_coupled::solve(&self.faces(), 1, assemble, &mut x)?;
        Ok(x)
    }

    fn faces(&self) -> Vec<Face> {
        let (count, equations) = (self.members(), self.state.equations);
        let cells = equations.shared.space.radial.nodes.len();
        (1..cells)
            .map(|face| Face {
                trace_below: vec![1.0],
                trace_above: vec![1.0],
                lift_below: vec![equations.per_volume(face - 1)],
                lift_above: vec![-equations.per_volume(face)],
                fluxes: self.state.radial[face * count..(face + 1) * count].iter().map(|f| f.1).collect(),
            })
            .collect()
    }

    /// −∂/∂u of e₀ − x₀J − x₁H and e₁/3 − x₀H − x₁K.
    fn add_inelastic(&self, inelastic: &Inelastic, cell: usize, member: usize, block: &mut Block) {
        let (count, members) = (self.members(), &self.state.equations.members);
        let state = &self.state.cells[cell * count + member];
        let rates = &self.state.rates[cell * count + member];
        let (extinction, first) = (rates.extinction, rates.extinction_first);
        let own = [[extinction, first], [first * state.k_by_j, extinction + first * state.k_by_h]];
        block.add((member, member), own);
        for (other, &place) in members.iter().enumerate() {
            let Some(coupling) = inelastic.coupling(cell, members[member], place) else { continue };
            let ((e0, x0), (e1, x1)) = (coupling.isotropic, coupling.first);
            let change = [[x0 * state.j - e0, x1 * state.h], [x0 * state.h, x1 * state.k - e1 / 3.0]];
            block.add((member, other), change);
        }
    }
}

/// Blocks of unknown `n` and the cells below and above.
fn radial_blocks(state: &Evaluation, n: usize) -> [Matrix; 2] {
    let count = state.count();
    let per_volume = state.equations.per_volume(n / count);
    let below = if n >= count { scaled(state.radial[n].1.below, -per_volume) } else { Matrix::default() };
    let inside = n + count < state.cells.len();
    let above = if inside { scaled(state.radial[n + count].1.above, per_volume) } else { Matrix::default() };
    [below, above]
}

/// Blocks of unknown `n` and the next lower and next higher energy.
fn energy_blocks(state: &Evaluation, n: usize) -> [Matrix; 2] {
    let (equations, count) = (state.equations, state.count());
    let k = equations.members[n % count].1;
    let volume = equations.shared.flow.volume[n / count];
    let [lower, upper] = equations.energy_faces(k);
    let first = k == 0;
    let last = k + 1 == equations.shared.space.energy.len();
    let from_below =
        if first { Matrix::default() } else { scaled(state.energy[n - 1][1].jacobian, lower / volume) };
    let from_above =
        if last { Matrix::default() } else { scaled(state.energy[n + 1][0].jacobian, -upper / volume) };
    [from_below, from_above]
}

/// Block of the unknown at (cell, member) itself, without inelastic collisions.
fn own_block(state: &Evaluation, cell: usize, member: usize, pseudo: f64) -> Matrix {
    let (equations, count) = (state.equations, state.count());
    let shared = equations.shared;
    let flow = shared.flow;
    let n = cell * count + member;
    let own = &state.cells[n];
    let opacity = equations.local(cell, member);
    let volume = flow.volume[cell];
    let (bending, aberration) = (flow.bending[cell] / volume, flow.aberration[cell] / volume);
    let collisions = [
        [opacity.absorption, 0.0],
        [
            -bending * (1.0 - own.k_by_j) + aberration * own.l_by_j,
            bending * own.k_by_h - aberration * (1.0 - own.l_by_h) + opacity.transport(),
        ],
    ];
    let (FluxJacobian { above, .. }, FluxJacobian { below, .. }) =
        (state.radial[n].1, state.radial[n + count].1);
    let per_volume = equations.per_volume(cell);
    let clock = (shared.shift + pseudo) * flow.clock[cell];
    let v = flow.velocity[cell];
    let density = [[1.0, v], [v * own.k_by_j, 1.0 + v * own.k_by_h]];
    let energies = if equations.shifts_energies { state.own_energy_jacobian(n) } else { Matrix::default() };
    let entry = |to: usize, from: usize| {
        collisions[to][from] + per_volume * (below[to][from] - above[to][from]) + clock * density[to][from]
            - energies[to][from] / volume
    };
    [[entry(0, 0), entry(0, 1)], [entry(1, 0), entry(1, 1)]]
}

/// A system for the relative change of each unknown.
struct Relative<'a> {
    linearised: &'a Linearised<'a>,
    /// J at (cell, member).
    size: Vec<f64>,
    rows: Vec<f64>,
}

impl Relative<'_> {
    fn absolute(&self, x: &[f64]) -> Vec<f64> {
        x.chunks_exact(COMPONENTS).zip(&self.size).flat_map(|(x, size)| [x[0] * size, x[1] * size]).collect()
    }
}

impl LinearSystem for Relative<'_> {
    fn apply(&self, x: &[f64], y: &mut [f64]) {
        y.copy_from_slice(&self.linearised.apply(&self.absolute(x)));
    }

    fn precondition(&self, x: &[f64], y: &mut [f64]) {
        y.copy_from_slice(&self.linearised.swept(x));
        for (y, size) in y.chunks_exact_mut(COMPONENTS).zip(&self.size) {
            y.iter_mut().for_each(|y| *y /= size);
        }
    }

    fn row_scale(&self) -> &[f64] {
        &self.rows
    }
}

/// A column-major matrix of 2 × 2 parts.
struct Block<'b> {
    size: usize,
    values: &'b mut [f64],
}

impl Block<'_> {
    /// Adds `part` at (row, column) of the parts.
    fn add(&mut self, (row, column): (usize, usize), part: Matrix) {
        for (to, entries) in part.iter().enumerate() {
            for (from, entry) in entries.iter().enumerate() {
                self.values[(column * COMPONENTS + from) * self.size + row * COMPONENTS + to] += entry;
            }
        }
    }
}

fn at(x: &[f64], n: usize) -> [f64; 2] {
    [x[2 * n], x[2 * n + 1]]
}

fn scaled(a: Matrix, factor: f64) -> Matrix {
    a.map(|row| row.map(|value| factor * value))
}

fn times(a: Matrix, x: [f64; 2]) -> [f64; 2] {
    a.map(|row| row[0] * x[0] + row[1] * x[1])
}

fn product(a: Matrix, b: Matrix) -> Matrix {
    a.map(|row| [0, 1].map(|column| row[0] * b[0][column] + row[1] * b[1][column]))
}

fn plus(a: [f64; 2], b: [f64; 2]) -> [f64; 2] {
    [a[0] + b[0], a[1] + b[1]]
}

fn minus(a: [f64; 2], b: [f64; 2]) -> [f64; 2] {
    [a[0] - b[0], a[1] - b[1]]
}

fn minus_matrix(a: Matrix, b: Matrix) -> Matrix {
    [minus(a[0], b[0]), minus(a[1], b[1])]
}

fn inverse(a: Matrix) -> Matrix {
    let determinant = a[0][0] * a[1][1] - a[0][1] * a[1][0];
    [[a[1][1] / determinant, -a[0][1] / determinant], [-a[1][0] / determinant, a[0][0] / determinant]]
}
