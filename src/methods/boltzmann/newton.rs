//! Newton's method for (A + shift·M) f − `B[f]` = q with inelastic collisions B, all species together.
//!
//! Each step solves the linearised system by flexible GMRES. Its preconditioner first solves the moment
//! equations, which hold the coupling of energies and species (`low_order`), and then sweeps the
//! full transport operator over each species with the inelastic extinction as absorption.

use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::methods::geometry::Geometry;
use crate::numerics::worse;
use crate::phase_space::PhaseSpace;
use crate::solvers::block_tridiagonal::Structure;
use crate::solvers::krylov::{self, Limits, LinearSystem, Outcome, Status, scaled_norm};

use super::implicit::{ImplicitSolver, structure};
use super::inelastic::{Field, Inelastic, Pair, Rates};
use super::low_order::{Linearisation, LowOrder, two_ordinates, with_inelastic};
use super::operator::Operator;

/// Residual reduction of the linear solve in one Newton step.
const LINEAR_TOLERANCE: f64 = 1e-3;
/// Newton's method has stalled where this many steps in a row together reduce the residual by less than
/// [`NEWTON_STALL`]. The first steps from afar may each do little before convergence becomes quadratic.
const NEWTON_PATIENCE: usize = 3;
const NEWTON_STALL: f64 = 0.5;

/// Share of the gross exchange with matter that rounding leaves in sums over phase space.
const ROUNDING: f64 = 1e-15;

/// The nonlinear problem.
pub struct NonlinearSystem<'a> {
    pub geometry: &'a Geometry,
    pub operator: &'a Operator<'a>,
    pub inelastic: &'a Inelastic,
    pub reflecting: (bool, bool),
    /// 1/(γΔt) of an implicit stage, 0 in steady state.
    pub shift: f64,
}

/// What a Newton solve did.
#[derive(Debug, Clone, PartialEq)]
pub struct NewtonOutcome {
    pub status: Status,
    pub newton_steps: usize,
    /// Iterations of all linear solves.
    pub linear_iterations: usize,
    /// Before the first step and after each, the larger of: the scaled residual relative to f; the number
    /// of neutrinos that it stands for relative to that in the right-hand side, of the worst species.
    pub residuals: Vec<f64>,
}

impl NonlinearSystem<'_> {
    fn space(&self) -> &PhaseSpace {
        self.operator.phase_space
    }

    /// Solves for the right-hand side `q` at (species, energy node, radial node, ordinate), starting from
    /// `f`; `limits` hold for the nonlinear residual and for the sum of all linear iterations.
    ///
    /// # Errors
    /// [`Error::Interrupted`]; [`Error::Numerical`] for a singular or
    /// non-finite system.
    pub fn solve(
        &self,
        q: &[f64],
        f: &mut [f64],
        limits: Limits,
        progress: &mut dyn FnMut(f64) -> bool,
    ) -> Result<NewtonOutcome> {
        let mut outcome = NewtonOutcome {
            status: Status::Limit,
            newton_steps: 0,
            linear_iterations: 0,
            residuals: Vec::new(),
        };
        loop {
            let moments = self.inelastic.moments(self.space(), f);
            let rates = self.inelastic.rates(&moments);
            let residual = self.residual(q, f, &rates);
            let scale = self.row_scale(&rates);
            let size = self.size(q, f, &rates, &scale).max(f64::MIN_POSITIVE);
            let pointwise = scaled_norm(&residual, Some(&scale)) / size;
            let relative = worse(pointwise, self.imbalance(q, f, &rates, &residual));
            outcome.residuals.push(relative);
            if !progress(relative) {
                return Err(Error::Interrupted);
            }
            outcome.status = match relative {
                r if !r.is_finite() => Status::Failed,
                r if r <= limits.tolerance => Status::Converged,
                _ if stalled(&outcome.residuals) => Status::Stalled,
                _ => Status::Limit,
            };
            let exhausted = outcome.linear_iterations >= limits.iterations;
            if outcome.status != Status::Limit || exhausted {
                return Ok(outcome);
            }
            let left = limits.iterations - outcome.linear_iterations;
            // No more digits than the last step can use.
            let tolerance = LINEAR_TOLERANCE.max(0.1 * limits.tolerance / relative);
            let step_limits = Limits { tolerance, iterations: left };
            let state = State { moments, rates, scale };
            let mut go_on = |_: f64| progress(relative);
            let step = self.newton_step(f, &residual, state, step_limits, &mut go_on)?;
            outcome.linear_iterations += step.0.iterations;
            outcome.newton_steps += 1;
            f.par_iter_mut().zip(&step.1).for_each(|(f, d)| *f += d);
        }
    }

    /// What residuals are compared with: the size of f, or of what is emitted where that is larger.
    fn size(&self, q: &[f64], f: &[f64], rates: &[Rates], scale: &[f64]) -> f64 {
        let mut source = q.to_vec();
        self.at_points(&mut source, rates, |rates, _, q| q.iter_mut().for_each(|q| *q += rates.emission));
        scaled_norm(f, None).max(scaled_norm(&source, Some(scale)))
    }

    /// Largest number of neutrinos of a species that `residual` stands for, relative to the number in `q` and
    /// in the production of pairs.
    /// The norm of f does not see it: a tail of f that is small against 1 counts with ε² and with its large
    /// opacity. What rounding makes of sums as large as the exchange with matter is not counted.
    fn imbalance(&self, q: &[f64], f: &[f64], rates: &[Rates], residual: &[f64]) -> f64 {
        let space = self.space();
        let (radii, ordinates) = (space.radial.nodes.len(), space.angular.nodes.len());
        let (energies, local) = (space.energy.len(), space.species.len() * space.energy.len());
        let angular = &space.angular.weights;
        // Per (species, energy), added up in their order: the same for any number of threads.
        let sums: Vec<[f64; 3]> = (0..local)
            .into_par_iter()
            .map(|sk| {
                let mut sums = [0.0; 3];
                for n in 0..space.slab() {
                    let (i, j) = (n / ordinates, n % ordinates);
                    let volume = space.radial.weights[i] * self.operator.connection.volume[i] * angular[j];
                    let (point, rates) = (sk * radii * ordinates + n, &rates[i * local + sk]);
                    let gross = rates.emission + rates.extinction * f[point].abs();
                    let known = q[point].abs() + rates.produced.abs();
                    let terms = [residual[point], known, gross];
                    sums.iter_mut().zip(terms).for_each(|(sum, term)| *sum += volume * term);
                }
                sums.map(|sum| sum * self.operator.energy.number_weight[sk % energies])
            })
            .collect();
        let add = |a: [f64; 3], b: &[f64; 3]| [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
        let of_species = sums.chunks(energies).map(|sums| sums.iter().fold([0.0; 3], add));
        let relative = |[net, known, gross]: [f64; 3]| {
            let beyond_rounding = net.abs() - ROUNDING * gross;
            if beyond_rounding <= 0.0 { 0.0 } else { beyond_rounding / (known + ROUNDING * gross) }
        };
        of_species.map(relative).fold(0.0, worse)
    }

    /// q − (A + shift·M) f + B[f].
    fn residual(&self, q: &[f64], f: &[f64], rates: &[Rates]) -> Vec<f64> {
        let mut residual = self.transport(f);
        let mu = &self.space().angular.nodes;
        self.at_points(&mut residual, rates, |rates, first, residual| {
            for (j, (r, mu)) in residual.iter_mut().zip(mu).enumerate() {
                *r = q[first + j] - *r + rates.net(*mu, f[first + j]);
            }
        });
        residual
    }

    /// (A + shift·M) f for all species.
    fn transport(&self, f: &[f64]) -> Vec<f64> {
        let unknowns = self.space().unknowns_per_species();
        let mut y = vec![0.0; f.len()];
        y.par_chunks_mut(unknowns).zip(f.par_chunks(unknowns)).enumerate().for_each(|(species, (y, f))| {
            self.operator.apply(species, self.shift, f, y);
        });
        y
    }

    /// Calls `work(value at the point, index of its first ordinate, ordinates of y)` for every (species,
    /// energy, radial node).
    fn at_points<T: Copy + Sync>(
        &self,
        y: &mut [f64],
        field: &[T],
        work: impl Fn(T, usize, &mut [f64]) + Sync,
    ) {
        let space = self.space();
        let (radii, ordinates) = (space.radial.nodes.len(), space.angular.nodes.len());
        let local = space.species.len() * space.energy.len();
        y.par_chunks_mut(ordinates).enumerate().for_each(|(point, y)| {
            let (sk, i) = (point / radii, point % radii);
            work(field[i * local + sk], point * ordinates, y);
        });
    }

    /// The operator's row scale with the inelastic extinction in the diagonal.
    fn row_scale(&self, rates: &[Rates]) -> Vec<f64> {
        let mut scale: Vec<f64> = (0..self.space().species.len())
            .flat_map(|species| self.operator.row_scale(species, self.shift))
            .collect();
        self.at_points(&mut scale, rates, |rates, _, scale| {
            scale.iter_mut().for_each(|s| *s = 1.0 / (1.0 / *s + rates.extinction));
        });
        scale
    }

    /// Outcome and correction of one Newton step from `f`, whose residual is `residual`.
    fn newton_step(
        &self,
        f: &[f64],
        residual: &[f64],
        state: State,
        limits: Limits,
        progress: &mut dyn FnMut(f64) -> bool,
    ) -> Result<(Outcome, Vec<f64>)> {
        let space = self.space();
        let coarse = two_ordinates(space);
        let linearisation =
            Linearisation { inelastic: self.inelastic, moments: &state.moments, rates: &state.rates };
        let effective = with_inelastic(space, self.operator.coefficients, &state.rates);
        let operator = Operator::new(self.geometry, space, &effective, self.reflecting);
        let structure = structure(&operator.connection, space);
        // Side by side, as the elimination over the radii of the one is mostly sequential.
        let (low_order, sweeps) = rayon::join(
            || {
                LowOrder::new(
                    self.geometry,
                    &coarse,
                    self.operator.coefficients,
                    self.reflecting,
                    self.shift,
                    &linearisation,
                )
            },
            || sweeps(&operator, &structure, self.shift),
        );
        let (low_order, sweeps) = (low_order?, sweeps?);
        let jacobian = Jacobian { system: self, f, state, low_order, sweeps };
        let mut step = vec![0.0; f.len()];
        let outcome = krylov::solve(&jacobian, residual, &mut step, limits, progress)?;
        Ok((outcome, step))
    }
}

/// Whether the last [`NEWTON_PATIENCE`] steps did next to nothing.
fn stalled(residuals: &[f64]) -> bool {
    let Some(earlier) = residuals.len().checked_sub(NEWTON_PATIENCE) else { return false };
    let least = |residuals: &[f64]| residuals.iter().copied().fold(f64::INFINITY, f64::min);
    earlier > 0 && least(&residuals[earlier..]) > NEWTON_STALL * least(&residuals[..earlier])
}

/// One solver per species.
fn sweeps<'a>(
    operator: &'a Operator<'a>,
    structure: &'a Structure,
    shift: f64,
) -> Result<Vec<ImplicitSolver<'a, f32>>> {
    (0..operator.phase_space.species.len())
        .into_par_iter()
        .map(|species| ImplicitSolver::new(operator, structure, species, shift))
        .collect()
}

/// The state that a step starts from.
struct State {
    moments: Field<Pair>,
    rates: Field<Rates>,
    scale: Vec<f64>,
}

/// The linearised system.
struct Jacobian<'a> {
    system: &'a NonlinearSystem<'a>,
    f: &'a [f64],
    state: State,
    low_order: LowOrder,
    sweeps: Vec<ImplicitSolver<'a, f32>>,
}

impl Jacobian<'_> {
    /// The part of `x` that is linear in μ, from the moment equations.
    fn coarse_correction(&self, x: &[f64], y: &mut [f64]) {
        let space = self.system.space();
        let mut moments = self.system.inelastic.moments(space, x);
        self.low_order.solve(&mut moments);
        let mu = &space.angular.nodes;
        self.system.at_points(y, &moments, |moment, _, y| {
            y.iter_mut().zip(mu).for_each(|(y, mu)| *y = moment.j + 3.0 * mu * moment.h);
        });
    }
}

impl LinearSystem for Jacobian<'_> {
    /// (A + shift·M) x + (x₀ + μx₁) x − δe + f δx.
    fn apply(&self, x: &[f64], y: &mut [f64]) {
        let system = self.system;
        y.copy_from_slice(&system.transport(x));
        let variation = system.inelastic.variation(&system.inelastic.moments(system.space(), x));
        let both: Vec<(Rates, Rates)> = self.state.rates.iter().copied().zip(variation).collect();
        let mu = &system.space().angular.nodes;
        system.at_points(y, &both, |(rates, variation), first, y| {
            for (j, (y, mu)) in y.iter_mut().zip(mu).enumerate() {
                let extinction = rates.extinction + mu * rates.extinction_first;
                *y += extinction * x[first + j] - variation.net(*mu, self.f[first + j]);
            }
        });
    }

    fn precondition(&self, x: &[f64], y: &mut [f64]) {
        self.coarse_correction(x, y);
        let mut left = vec![0.0; x.len()];
        self.apply(y, &mut left);
        left.par_iter_mut().zip(x).for_each(|(l, x)| *l = x - *l);
        let unknowns = self.system.space().unknowns_per_species();
        let by_species = y.par_chunks_mut(unknowns).zip(left.par_chunks(unknowns));
        by_species.zip(&self.sweeps).for_each(|((y, left), sweep)| {
            let mut swept = vec![0.0; unknowns];
            sweep.precondition(left, &mut swept);
            y.iter_mut().zip(&swept).for_each(|(y, s)| *y += s);
        });
    }

    fn row_scale(&self) -> &[f64] {
        &self.state.scale
    }
}

#[cfg(test)]
mod tests {
    use super::stalled;

    #[test]
    fn a_stall_is_three_steps_that_do_not_halve_the_residual() {
        assert!(!stalled(&[1.0, 0.7]));
        assert!(!stalled(&[1.0, 0.9, 0.8]));
        assert!(!stalled(&[1.0, 0.9, 0.8, 0.4]));
        assert!(stalled(&[1.0, 0.9, 0.8, 0.6]));
        assert!(stalled(&[1.0, 1e-9, 2e-9, 1e-9, 8e-10]));
    }
}
