//! Solution of (A + shift·M) f = q for one species: the linear problem of a steady state (shift 0) and
//! of an implicit time stage (shift 1/(γΔt)).
//!
//! At one energy the system is block-tridiagonal in r and solved directly. Energies that act on each
//! other are swept up and down in groups, as a preconditioner of flexible GMRES.

use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::numerics::SWEEP_GROUP;
use crate::parallel::in_order;
use crate::phase_space::PhaseSpace;
use crate::solvers::block_tridiagonal::{Face, Factors, Structure};
use crate::solvers::dense::Precision;
use crate::solvers::krylov::{self, Limits, LinearSystem, Outcome, Status};

use super::connection::Connection;
use super::operator::Operator;
use super::radial_advection::{Side, flows_in, inflow_factor};

/// The factorised system of one species.
pub struct ImplicitSolver<'a, T> {
    operator: &'a Operator<'a>,
    structure: &'a Structure,
    species: usize,
    shift: f64,
    factors: Vec<Factors<T>>,
    row_scale: Vec<f64>,
}

impl<'a, T: Precision> ImplicitSolver<'a, T> {
    /// Factorises the systems of all energies.
    pub fn new(
        operator: &'a Operator<'a>,
        structure: &'a Structure,
        species: usize,
        shift: f64,
    ) -> Result<Self> {
        let factorise = |k| Factors::new(structure, |e, block| operator.block(species, k, shift, e, block));
        let factors = in_order((0..operator.phase_space.energy.len()).into_par_iter().map(factorise))?;
        let row_scale = operator.row_scale(species, shift);
        Ok(Self { operator, structure, species, shift, factors, row_scale })
    }

    /// Solves for the right-hand side `q`, starting from `f`.
    pub fn solve(
        &self,
        q: &[f64],
        f: &mut [f64],
        limits: Limits,
        progress: &mut dyn FnMut(f64) -> bool,
    ) -> Result<Outcome> {
        krylov::solve(self, q, f, limits, progress)
    }
}

impl<T: Precision> LinearSystem for ImplicitSolver<'_, T> {
    fn apply(&self, x: &[f64], y: &mut [f64]) {
        self.operator.apply(self.species, self.shift, x, y);
    }

    /// Symmetric block Gauss-Seidel over the energies of each group: downward, then upward.
    fn precondition(&self, x: &[f64], y: &mut [f64]) {
        let slab = self.operator.phase_space.slab();
        let coupled = self.operator.couples_energies();
        y.par_chunks_mut(SWEEP_GROUP * slab).enumerate().for_each(|(group, y)| {
            y.fill(0.0);
            let (first, count) = (group * SWEEP_GROUP, y.len() / slab);
            let mut right = vec![0.0; slab];
            // The lowest energy of the group is last in the downward sweep and first in the upward one.
            let upward = if coupled { 1..count } else { 0..0 };
            for local in (0..count).rev().chain(upward) {
                let k = first + local;
                right.copy_from_slice(&x[k * slab..(k + 1) * slab]);
                if coupled {
                    self.operator.add_other_energies(k, first..first + count, -1.0, y, &mut right);
                }
                self.factors[k].solve(self.structure, &mut right);
                y[local * slab..(local + 1) * slab].copy_from_slice(&right);
            }
        });
    }

    fn row_scale(&self) -> &[f64] {
        &self.row_scale
    }
}

/// Couplings of neighbouring radial elements.
pub fn structure(connection: &Connection, phase_space: &PhaseSpace) -> Structure {
    let radial = &phase_space.radial;
    let ordinates = phase_space.angular.nodes.len();
    let line = radial.per_element();
    let coupled = |element: usize, side: Side| -> (Vec<usize>, Vec<f64>) {
        let channels: Vec<usize> =
            (0..ordinates).filter(|&j| flows_in(connection, phase_space, element, side, j)).collect();
        let lifts = channels
            .iter()
            .flat_map(|&j| (0..line).map(move |i| (i, j)))
            .map(|(i, j)| inflow_factor(connection, phase_space, element, side, i, j))
            .collect();
        (channels, lifts)
    };
    let faces = (0..radial.elements() - 1)
        .map(|e| {
            let (upward, upward_lift) = coupled(e + 1, Side::Lower);
            let (downward, downward_lift) = coupled(e, Side::Upper);
            Face { upward, upward_lift, downward, downward_lift }
        })
        .collect();
    Structure {
        line,
        channels: ordinates,
        upper_trace: radial.basis.right.clone(),
        lower_trace: radial.basis.left.clone(),
        faces,
    }
}

/// Solves one species whose energies do not act on each other, factorising one energy after the other
/// so that few factors are held at a time. Two rounds of iterative refinement remove the round-off of
/// the elimination.
pub fn solve_uncoupled(
    operator: &Operator,
    structure: &Structure,
    species: usize,
    q: &[f64],
    f: &mut [f64],
    tolerance: f64,
    progress: &mut dyn FnMut(f64) -> bool,
) -> Result<Outcome> {
    let slab = operator.phase_space.slab();
    let scale = operator.row_scale(species, 0.0);
    let solve = |(k, f): (usize, &mut [f64])| -> Result<()> {
        let factors = Factors::<f64>::new(structure, |e, block| operator.block(species, k, 0.0, e, block))?;
        let q = &q[k * slab..(k + 1) * slab];
        f.fill(0.0);
        let mut residual = vec![0.0; slab];
        for _ in 0..3 {
            operator.apply_at(species, k, 0.0, f, &mut residual);
            residual.iter_mut().zip(q).for_each(|(r, q)| *r = q - *r);
            factors.solve(structure, &mut residual);
            f.iter_mut().zip(&residual).for_each(|(f, r)| *f += r);
        }
        Ok(())
    };
    in_order(f.par_chunks_mut(slab).enumerate().map(solve))?;
    let relative = krylov::relative_residual(|x, y| operator.apply(species, 0.0, x, y), q, f, &scale)?;
    if !progress(relative) {
        return Err(Error::Interrupted);
    }
    let status = if relative <= tolerance { Status::Converged } else { Status::Stalled };
    Ok(Outcome { status, iterations: 3, residuals: vec![relative] })
}
