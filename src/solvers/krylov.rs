//! Flexible restarted GMRES (Saad 1993) with a true-residual check after every cycle.
//!
//! Sums are taken over chunks of fixed length in fixed order, so that results do not depend on the
//! number of threads.

use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::numerics::{STALL_FACTOR, krylov_restart};

/// A linear system A x = b and an approximate inverse of A.
pub trait LinearSystem: Sync {
    /// y = A x.
    fn apply(&self, x: &[f64], y: &mut [f64]);
    /// y ≈ A⁻¹ x.
    fn precondition(&self, x: &[f64], y: &mut [f64]);
    /// Factor that turns a residual in each row into an error estimate of the unknown there.
    fn row_scale(&self) -> &[f64];
}

/// How a solver ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// The true residual is below the tolerance.
    Converged,
    /// The residual does not fall any more.
    Stalled,
    /// The iteration limit was reached.
    Limit,
    /// No solution: singular or not finite.
    Failed,
    /// The user stopped it.
    Interrupted,
}

impl Status {
    /// Name in files and on the terminal.
    pub fn name(self) -> &'static str {
        match self {
            Self::Converged => "converged",
            Self::Stalled => "stalled",
            Self::Limit => "limit",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
        }
    }

    /// The worse of two.
    pub fn and(self, other: Self) -> Self {
        let rank = |status| match status {
            Self::Converged => 0,
            Self::Limit => 1,
            Self::Stalled => 2,
            Self::Failed => 3,
            Self::Interrupted => 4,
        };
        if rank(self) >= rank(other) { self } else { other }
    }
}

/// What a solve did.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    pub status: Status,
    /// Applications of the preconditioner.
    pub iterations: usize,
    /// ‖scaled residual‖ / ‖x‖ after the first guess and after every iteration.
    pub residuals: Vec<f64>,
}

/// Tolerance of the scaled residual relative to x, and the largest number of iterations.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    pub tolerance: f64,
    pub iterations: usize,
}

/// Length of the chunks that sums are taken over.
const CHUNK: usize = 8192;

/// Solves `system` for `b`, starting from `x`; calls `progress` with every residual.
///
/// # Errors
/// [`Error::Interrupted`] where `progress` returns false; [`Error::Numerical`] where a residual is not
/// finite.
pub fn solve(
    system: &impl LinearSystem,
    b: &[f64],
    x: &mut [f64],
    limits: Limits,
    progress: &mut dyn FnMut(f64) -> bool,
) -> Result<Outcome> {
    let mut outcome = Outcome { status: Status::Limit, iterations: 0, residuals: Vec::new() };
    let mut residual = vec![0.0; b.len()];
    let mut before = f64::INFINITY;
    loop {
        true_residual(system, b, x, &mut residual);
        // Before there is an x, the scaled right-hand side stands for its size.
        let size = scaled_norm(x, None).max(scaled_norm(b, Some(system.row_scale()))).max(f64::MIN_POSITIVE);
        let relative = scaled_norm(&residual, Some(system.row_scale())) / size;
        if !relative.is_finite() {
            return Err(Error::Numerical("the residual of the linear system is not finite".into()));
        }
        if outcome.residuals.is_empty() {
            outcome.residuals.push(relative);
        } else if let Some(last) = outcome.residuals.last_mut() {
            // The recurrence's estimate gives way to the true value.
            *last = relative;
        }
        if !progress(relative) {
            return Err(Error::Interrupted);
        }
        if relative <= limits.tolerance {
            outcome.status = Status::Converged;
            return Ok(outcome);
        }
        if relative > STALL_FACTOR * before {
            outcome.status = Status::Stalled;
            return Ok(outcome);
        }
        if outcome.iterations >= limits.iterations {
            return Ok(outcome);
        }
        before = relative;
        cycle(system, &residual, x, limits, size, &mut outcome, progress)?;
    }
}

fn true_residual(system: &impl LinearSystem, b: &[f64], x: &[f64], residual: &mut [f64]) {
    system.apply(x, residual);
    residual.par_iter_mut().zip(b.par_iter()).for_each(|(r, b)| *r = b - *r);
}

/// ‖scale·(b − A x)‖ / ‖x‖.
///
/// # Errors
/// [`Error::Numerical`] where it is not finite.
pub fn relative_residual(
    apply: impl FnOnce(&[f64], &mut [f64]),
    b: &[f64],
    x: &[f64],
    scale: &[f64],
) -> Result<f64> {
    let mut residual = vec![0.0; x.len()];
    apply(x, &mut residual);
    residual.par_iter_mut().zip(b.par_iter()).for_each(|(r, b)| *r = b - *r);
    let relative = scaled_norm(&residual, Some(scale)) / scaled_norm(x, None).max(f64::MIN_POSITIVE);
    if relative.is_finite() {
        Ok(relative)
    } else {
        Err(Error::Numerical("the residual of the linear system is not finite".into()))
    }
}

/// One cycle of at most [`krylov_restart`] iterations from the residual `residual`.
fn cycle(
    system: &impl LinearSystem,
    residual: &[f64],
    x: &mut [f64],
    limits: Limits,
    size: f64,
    outcome: &mut Outcome,
    progress: &mut dyn FnMut(f64) -> bool,
) -> Result<()> {
    let scale = system.row_scale();
    let start = scaled_norm(residual, Some(scale));
    let mut basis = vec![residual.par_iter().zip(scale).map(|(r, s)| r * s / start).collect::<Vec<f64>>()];
    let mut directions: Vec<Vec<f64>> = Vec::new();
    let mut projected = Hessenberg::new(start);
    let mut unscaled = vec![0.0; x.len()];
    let restart = krylov_restart(x.len());
    while directions.len() < restart && outcome.iterations < limits.iterations {
        let newest = &basis[basis.len() - 1];
        unscaled.par_iter_mut().zip(newest).zip(scale).for_each(|((u, v), s)| *u = v / s);
        let mut direction = vec![0.0; x.len()];
        system.precondition(&unscaled, &mut direction);
        let mut image = vec![0.0; x.len()];
        system.apply(&direction, &mut image);
        image.par_iter_mut().zip(scale).for_each(|(i, s)| *i *= s);
        directions.push(direction);
        let mut column = project(&basis, &mut image);
        let length = scaled_norm(&image, None);
        column.push(length);
        let estimate = projected.push(column) / size;
        outcome.iterations += 1;
        outcome.residuals.push(estimate);
        if !progress(estimate) {
            return Err(Error::Interrupted);
        }
        // A tenth of the tolerance leaves room for the difference to the true residual.
        if estimate <= 0.1 * limits.tolerance || length <= f64::EPSILON * start {
            break;
        }
        image.par_iter_mut().for_each(|i| *i /= length);
        basis.push(image);
    }
    for (direction, coefficient) in directions.iter().zip(projected.solve()) {
        x.par_iter_mut().zip(direction).for_each(|(x, d)| *x += coefficient * d);
    }
    Ok(())
}

/// The projected least-squares problem, kept triangular by Givens rotations.
struct Hessenberg {
    columns: Vec<Vec<f64>>,
    rotations: Vec<(f64, f64)>,
    right: Vec<f64>,
}

impl Hessenberg {
    fn new(start: f64) -> Self {
        Self { columns: Vec::new(), rotations: Vec::new(), right: vec![start] }
    }

    /// Adds a column (one longer than the last) and returns the residual norm of the problem.
    fn push(&mut self, mut column: Vec<f64>) -> f64 {
        for (i, &(c, s)) in self.rotations.iter().enumerate() {
            let (upper, lower) = (column[i], column[i + 1]);
            column[i] = c * upper + s * lower;
            column[i + 1] = c * lower - s * upper;
        }
        let last = column.len() - 2;
        let radius = column[last].hypot(column[last + 1]);
        let (c, s) =
            if radius > 0.0 { (column[last] / radius, column[last + 1] / radius) } else { (1.0, 0.0) };
        column[last] = radius;
        column.pop();
        let right = self.right[last];
        self.right[last] = c * right;
        self.right.push(-s * right);
        self.rotations.push((c, s));
        self.columns.push(column);
        self.right[last + 1].abs()
    }

    /// Coefficients of the directions.
    fn solve(&self) -> Vec<f64> {
        let count = self.columns.len();
        let mut solution = vec![0.0; count];
        for i in (0..count).rev() {
            let known: f64 = (i + 1..count).map(|m| self.columns[m][i] * solution[m]).sum();
            let pivot = self.columns[i][i];
            solution[i] = if pivot == 0.0 { 0.0 } else { (self.right[i] - known) / pivot };
        }
        solution
    }
}

/// Removes the components of `image` along the orthonormal `basis` and returns them (classical
/// Gram-Schmidt: the vectors are read twice in all; what orthogonality it loses in one short cycle the
/// true-residual check repairs in the next).
fn project(basis: &[Vec<f64>], image: &mut [f64]) -> Vec<f64> {
    let chunk_of = |vector: &'_ [f64], chunk: usize| -> std::ops::Range<usize> {
        chunk * CHUNK..((chunk + 1) * CHUNK).min(vector.len())
    };
    let parts: Vec<Vec<f64>> = image
        .par_chunks(CHUNK)
        .enumerate()
        .map(|(chunk, image)| {
            let dot = |vector: &Vec<f64>| -> f64 {
                vector[chunk_of(vector, chunk)].iter().zip(image).map(|(v, i)| v * i).sum()
            };
            basis.iter().map(dot).collect()
        })
        .collect();
    let mut components = vec![0.0; basis.len()];
    for part in &parts {
        components.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
    }
    image.par_chunks_mut(CHUNK).enumerate().for_each(|(chunk, image)| {
        for (vector, component) in basis.iter().zip(&components) {
            for (i, v) in image.iter_mut().zip(&vector[chunk_of(vector, chunk)]) {
                *i -= component * v;
            }
        }
    });
    components
}

/// ‖scale·a‖₂, or ‖a‖₂ without a scale; the same for any number of threads.
pub fn scaled_norm(a: &[f64], scale: Option<&[f64]>) -> f64 {
    let squares: Vec<f64> = match scale {
        None => a.par_chunks(CHUNK).map(|a| a.iter().map(|a| a * a).sum()).collect(),
        Some(scale) => a
            .par_chunks(CHUNK)
            .zip(scale.par_chunks(CHUNK))
            .map(|(a, s)| a.iter().zip(s).map(|(a, s)| (a * s) * (a * s)).sum())
            .collect(),
    };
    squares.iter().sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An upwind advection matrix with a perturbation, preconditioned by its diagonal.
    struct Advection {
        scale: Vec<f64>,
    }

    impl LinearSystem for Advection {
        fn apply(&self, x: &[f64], y: &mut [f64]) {
            for i in 0..x.len() {
                let upwind = if i > 0 { x[i - 1] } else { 0.0 };
                let downwind = if i + 1 < x.len() { x[i + 1] } else { 0.0 };
                y[i] = 2.5 * x[i] - upwind - 0.3 * downwind;
            }
        }
        fn precondition(&self, x: &[f64], y: &mut [f64]) {
            y.iter_mut().zip(x).for_each(|(y, x)| *y = x / 2.5);
        }
        fn row_scale(&self) -> &[f64] {
            &self.scale
        }
    }

    fn problem(n: usize) -> (Advection, Vec<f64>, Vec<f64>) {
        let exact: Vec<f64> = (0..n).map(|i| ((i * 7919) % 101) as f64 / 101.0 + 0.1).collect();
        let system = Advection { scale: vec![0.4; n] };
        let mut b = vec![0.0; n];
        system.apply(&exact, &mut b);
        (system, b, exact)
    }

    #[test]
    fn solution_is_found_and_residuals_fall() {
        let (system, b, exact) = problem(20_000);
        let mut x = vec![0.0; b.len()];
        let limits = Limits { tolerance: 1e-12, iterations: 200 };
        let outcome = solve(&system, &b, &mut x, limits, &mut |_| true).unwrap();
        assert_eq!(outcome.status, Status::Converged);
        let error = x.iter().zip(&exact).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(error < 1e-10, "{error}");
    }

    #[test]
    fn too_few_iterations_are_reported() {
        let (system, b, _) = problem(2_000);
        let mut x = vec![0.0; b.len()];
        let limits = Limits { tolerance: 1e-12, iterations: 4 };
        let outcome = solve(&system, &b, &mut x, limits, &mut |_| true).unwrap();
        assert_eq!(outcome.status, Status::Limit);
        assert_eq!(outcome.iterations, 4);
    }

    #[test]
    fn nan_and_interruption_are_errors() {
        let (system, mut b, _) = problem(100);
        let mut x = vec![0.0; b.len()];
        let limits = Limits { tolerance: 1e-12, iterations: 4 };
        assert!(matches!(solve(&system, &b, &mut x, limits, &mut |_| false), Err(Error::Interrupted)));
        b[3] = f64::NAN;
        assert!(matches!(solve(&system, &b, &mut x, limits, &mut |_| true), Err(Error::Numerical(_))));
    }
}
