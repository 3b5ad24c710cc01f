//! Elastic scattering: J and H on a mesh from (I − Λ)x = b, where Λx is what scattering with J and H = x
//! makes of J and H through the formal solution, and b what emission and inflow make.
//!
//! Where the comoving energy times the lapse does not change along rays (v = 0, or a gray problem) Λ
//! falls into one matrix per species and energy node, which are assembled and factorised: no iteration.
//! Where the fluid moves, Λ is applied by tracing rays, and GMRES is preconditioned with the matrices that
//! leave the Doppler shift of the energy out.

use faer::linalg::solvers::{PartialPivLu, Solve};
use faer::{Mat, MatRef};
use rayon::prelude::*;

use super::angles::{self, Integral};
use super::field::{Field, Mesh, Value, reference_spectrum};
use super::level::Level;
use super::medium::{Medium, Slice};
use super::sweep::{NEGLIGIBLE, Sweep};
use super::trace::{Collector, Event, Sample};
use crate::error::{Error, Result};
use crate::extremes::larger;
use crate::methods::setup::Setup;
use crate::opacities::LocalOpacity;
use crate::progress::{self, Observer};
use crate::solvers::krylov::{self, Limits, LinearSystem, Status};

/// Energies whose matrices are assembled from the same rays; where nodes share rays, so many of these together.
const CHUNK: usize = 8;
const SHARED_CHUNKS: usize = 4;
/// Test functionals of each row.
const TESTS: usize = 6;
/// Relative accuracy of the matrices where they only precondition.
const PRECONDITIONER: f64 = 1e-2;
/// Coefficients below this are left out of shared rays' matrices then: thin matter makes many of them.
const PRECONDITIONER_LEAST: f64 = 1e-5;
/// Residuals are iterated to this share of what the tolerance asks for: GMRES measures them in another
/// norm.
const SAFETY: f64 = 0.1;
/// Least share of the energy at the peak of the spectrum, per logarithm of the energy, that the unit of J stands for.
const TAIL: f64 = 1e-3;
/// Applications of Λ at most.
const ITERATIONS: usize = 100;

/// How well the scattering was solved.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Report {
    /// Largest |b − (I − Λ)x| relative to the largest x of its species.
    pub residual: f64,
    /// Largest ‖(I − Λ)⁻¹1‖∞ of all species: for isotropic scattering, where Λ ≥ 0, exactly
    /// ‖(I − Λ)⁻¹‖∞; otherwise an estimate of it.
    pub amplification: f64,
    /// Largest residual × amplification of a species: bound of the iteration's error in x relative to its
    /// largest value.
    pub error_bound: f64,
    /// Applications of Λ, 0 where it was factorised.
    pub iterations: usize,
}

impl Report {
    fn and(&mut self, other: &Self) {
        self.residual = larger(self.residual, other.residual);
        self.amplification = larger(self.amplification, other.amplification);
        self.error_bound = larger(self.error_bound, other.error_bound);
        self.iterations = self.iterations.max(other.iterations);
    }
}

/// Solves for J and H on `mesh` with the rays of `level`, which has no field yet; the nodes share them where
/// `shared`.
///
/// # Errors
/// [`Error::Interrupted`]; [`Error::Numerical`] where the error bound does not fall below `tolerance`.
pub fn solve(
    setup: &Setup,
    level: &Level,
    (mesh, shared): (Mesh, bool),
    tolerance: f64,
    observer: &dyn Observer,
) -> Result<(Field, Report)> {
    let energies = mesh.energies();
    let lapse = |&(panel, r): &(usize, f64)| level.medium.lapse(panel, r);
    let nodes = mesh.radii(&level.medium);
    let lapses = nodes.iter().map(lapse).collect();
    let anisotropic = level.medium.scatters_forward();
    let shifts = !level.medium.gray && setup.geometry.velocity.iter().any(|&v| v != 0.0);
    let sweep = shared.then(|| Sweep::new(level.tracer(), &mesh, &nodes));
    let problem = Problem { level, mesh: &mesh, nodes, lapses, energies, anisotropic, shifts, sweep };
    let mut values = Vec::new();
    let mut report = Report::default();
    for species in 0..setup.phase_space.species.len() {
        let name = setup.phase_space.species[species].name.as_str();
        let (x, outcome) = problem.species(species, name, tolerance, observer)?;
        report.and(&outcome);
        values.extend(problem.pairs(&x));
    }
    if report.error_bound.is_nan() || report.error_bound > tolerance {
        return Err(Error::Numerical(format!(
            "scattering did not converge: residual times amplification is {:.1e}, above {tolerance:.1e}",
            report.error_bound
        )));
    }
    let reference = reference_spectrum(&values, mesh.size().0, mesh.spectral.len());
    Ok((Field::new(mesh, values, reference), report))
}

struct Problem<'a> {
    level: &'a Level<'a>,
    mesh: &'a Mesh,
    /// (panel, r) of the radial nodes, and α there.
    nodes: Vec<(usize, f64)>,
    lapses: Vec<f64>,
    /// αε of the energy nodes.
    energies: Vec<f64>,
    /// Whether H is needed.
    anisotropic: bool,
    /// Whether the comoving energy times the lapse changes along rays.
    shifts: bool,
    /// Rays that all nodes share, where there are too many panels for rays of each node.
    sweep: Option<Sweep<'a>>,
}

/// A factorised I − Λ at one energy, and b.
struct System {
    matrix: Mat<f64>,
    factors: PartialPivLu<f64>,
    b: Vec<f64>,
}

impl System {
    fn solve(&self, b: &[f64]) -> Vec<f64> {
        let mut x = Mat::from_fn(b.len(), 1, |i, _| b[i]);
        self.factors.solve_in_place(&mut x);
        (0..b.len()).map(|i| x[(i, 0)]).collect()
    }

    /// Largest |b − (I − Λ)x|.
    fn residual(&self, b: &[f64], x: &[f64]) -> f64 {
        let x: MatRef<f64> = MatRef::from_column_major_slice(x, x.len(), 1);
        let image = &self.matrix * x;
        b.iter().enumerate().map(|(i, b)| (b - image[(i, 0)]).abs()).fold(0.0, larger)
    }
}

impl Problem<'_> {
    /// Moments that are unknown at each node.
    fn moments(&self) -> usize {
        if self.anisotropic { 2 } else { 1 }
    }

    /// Unknowns at one energy: J at all radial nodes, then H.
    fn block(&self) -> usize {
        self.nodes.len() * self.moments()
    }

    /// (energy, radius) pairs (J, H) from (energy, moment, radius).
    fn pairs(&self, x: &[f64]) -> Vec<[f64; 2]> {
        let n = self.nodes.len();
        x.chunks_exact(self.block())
            .flat_map(|x| (0..n).map(move |i| [x[i], if self.anisotropic { x[n + i] } else { 0.0 }]))
            .collect()
    }

    fn species(
        &self,
        species: usize,
        name: &str,
        tolerance: f64,
        observer: &dyn Observer,
    ) -> Result<(Vec<f64>, Report)> {
        let (mut systems, mut solutions) = (Vec::new(), Vec::new());
        let mut report = Report::default();
        let together = if self.sweep.is_some() { SHARED_CHUNKS * CHUNK } else { CHUNK };
        let (distinct, numbers) = self.distinct();
        for chunk in distinct.chunks(together) {
            let chunk = self.systems(species, chunk, observer)?;
            let done = solutions.len() + chunk.len();
            observer.report(progress::Event::Done { what: name, done, total: distinct.len() });
            for system in &chunk {
                let (solution, outcome) = solve_directly(system);
                solutions.push(solution);
                report.and(&outcome);
            }
            if self.shifts {
                systems.extend(chunk);
            }
        }
        let mut x: Vec<f64> = numbers.iter().flat_map(|&number| solutions[number].clone()).collect();
        if self.shifts {
            let systems: Vec<&System> = numbers.iter().map(|&number| &systems[number]).collect();
            report.iterations =
                self.iterate(species, name, &systems, &mut x, &mut report, tolerance, observer)?;
        }
        if !self.shifts {
            let size = x.iter().map(|x| x.abs()).fold(0.0, larger);
            report.residual = if size > 0.0 { report.residual / size } else { 0.0 };
        }
        report.error_bound = report.residual * report.amplification;
        Ok((x, report))
    }

    /// Energies with different matrices, and for each energy the number of the one that has the same: within a
    /// group of a table the opacities are the same.
    fn distinct(&self) -> (Vec<f64>, Vec<usize>) {
        let same_lapse = self.level.medium.panels.iter().all(|panel| panel.has_lapse(self.lapses[0]));
        let mut distinct: Vec<f64> = Vec::new();
        let mut numbers = Vec::new();
        for &energy in &self.energies {
            let same = |&before: &f64| {
                let [a, b] = [before, energy].map(|energy| energy / self.lapses[0]);
                same_lapse && self.level.medium.same_opacities(a, b)
            };
            if !distinct.last().is_some_and(same) {
                distinct.push(energy);
            }
            numbers.push(distinct.len() - 1);
        }
        (distinct, numbers)
    }

    /// Matrices, without Doppler shifts of the energy, for some energies.
    fn systems(&self, species: usize, energies: &[f64], observer: &dyn Observer) -> Result<Vec<System>> {
        if let Some(sweep) = &self.sweep {
            return self.swept_systems(sweep, species, energies, observer);
        }
        let slice = self.level.medium.slice(species, energies);
        let rows: Vec<Vec<f64>> = (0..self.nodes.len())
            .into_par_iter()
            .map(|node| {
                if observer.stop_requested() {
                    return Err(Error::Interrupted);
                }
                Ok(self.rows(species, node, energies, slice.as_ref()))
            })
            .collect::<Result<_>>()?;
        (0..energies.len()).into_par_iter().map(|number| self.system(&rows, number)).collect()
    }

    /// As [`Problem::systems`] with shared rays; all energies by several threads.
    fn swept_systems(
        &self,
        sweep: &Sweep,
        species: usize,
        energies: &[f64],
        observer: &dyn Observer,
    ) -> Result<Vec<System>> {
        if observer.stop_requested() {
            return Err(Error::Interrupted);
        }
        let least = if self.shifts { PRECONDITIONER_LEAST } else { NEGLIGIBLE };
        let matrices: Vec<Vec<Vec<f64>>> = energies
            .par_chunks(CHUNK)
            .map(|energies| sweep.rows(species, energies, self.moments(), least))
            .collect();
        let width = self.block() + 1;
        matrices
            .into_par_iter()
            .flatten()
            .map(|matrix| self.factorised(|row, column| matrix[row * width + column]))
            .collect()
    }

    /// Rows of Λ and b at a radial node: (energy, [`TESTS`] and moments × columns), b being the last
    /// column.
    ///
    /// Entries of Λ have kinks in μ, at directions tangent to the edges of panels; what Λ makes of smooth
    /// J and H has none. So the angular integral is held to its tolerance for such: the tests.
    fn rows(&self, species: usize, node: usize, energies: &[f64], slice: Option<&Slice>) -> Vec<f64> {
        let level = self.level;
        let tracer = level.tracer();
        let width = self.block() + 1;
        let comoving: Vec<f64> = if level.medium.gray {
            vec![1.0]
        } else {
            energies.iter().map(|energy| energy / self.lapses[node]).collect()
        };
        let r = self.nodes[node].1;
        let breaks = angles::breaks(&level.medium, &level.edges, r, &[]);
        let mut collector = RowCollector {
            medium: &level.medium,
            mesh: self.mesh,
            radii: self.nodes.len(),
            anisotropic: self.anisotropic,
            width,
            rows: vec![0.0; width * comoving.len()],
            absorbed: vec![0.0; comoving.len()],
            came_in: vec![0.0; comoving.len()],
        };
        let group = self.group();
        let mut g = |mu: f64, out: &mut [f64]| {
            collector.clear();
            tracer.trace(Event { species, r, mu, energies: &comoving, slice }, &mut collector);
            for (row, out) in collector.rows.chunks_exact(width).zip(out.chunks_exact_mut(group)) {
                let (tests, out) = out.split_at_mut(TESTS);
                out[..width].copy_from_slice(row);
                out[width..].iter_mut().zip(row).for_each(|(out, value)| *out = mu * value);
                self.test(row, mu, tests);
            }
        };
        let size = group * comoving.len();
        // Where the fluid moves the matrices precondition only.
        let tolerance = if self.shifts { level.tolerance.max(PRECONDITIONER) } else { level.tolerance };
        Integral { size, group, tested: TESTS, tolerance, jumps: false, g: &mut g }.over(&breaks)
    }

    /// Entries of one energy in [`Problem::rows`].
    fn group(&self) -> usize {
        TESTS + self.moments() * (self.block() + 1)
    }

    /// What scattering with J = 1 and with J = r, and with H = 1, makes of J and H, and what emission
    /// does, each in comparable size.
    fn test(&self, row: &[f64], mu: f64, tests: &mut [f64]) {
        let n = self.nodes.len();
        let outer = self.level.medium.range().1;
        let constant: f64 = row[..n].iter().sum();
        let linear: f64 = row[..n].iter().zip(&self.nodes).map(|(value, node)| value * node.1 / outer).sum();
        let emission = row[row.len() - 1];
        let flux: f64 = row[n..row.len() - 1].iter().sum();
        tests.copy_from_slice(&[constant, linear, flux, emission, mu * constant, mu * emission]);
    }

    fn system(&self, rows: &[Vec<f64>], number: usize) -> Result<System> {
        let (n, width, group) = (self.nodes.len(), self.block() + 1, self.group());
        self.factorised(|row, column| rows[row % n][number * group + TESTS + row / n * width + column])
    }

    /// I − Λ and b from the entries of Λ, whose last column is b.
    fn factorised(&self, entry: impl Fn(usize, usize) -> f64) -> Result<System> {
        let unit = |row: usize, column: usize| if row == column { 1.0 } else { 0.0 };
        let size = self.block();
        let matrix = Mat::from_fn(size, size, |i, j| unit(i, j) - entry(i, j));
        let b: Vec<f64> = (0..size).map(|i| entry(i, size)).collect();
        let finite = (0..size).all(|i| b[i].is_finite() && (0..size).all(|j| matrix[(i, j)].is_finite()));
        if !finite {
            return Err(Error::Numerical("the scattering integral is not finite".into()));
        }
        let factors = matrix.partial_piv_lu();
        Ok(System { matrix, factors, b })
    }

    /// GMRES with the Doppler shifts, from the solution without them.
    #[allow(clippy::too_many_arguments, reason = "one call")]
    fn iterate(
        &self,
        species: usize,
        name: &str,
        systems: &[&System],
        x: &mut [f64],
        report: &mut Report,
        tolerance: f64,
        observer: &dyn Observer,
    ) -> Result<usize> {
        let (radii, energies) = self.mesh.size();
        // Rays that nodes share project J and H themselves.
        let own = match self.sweep {
            Some(_) => vec![0.0; energies],
            None => reference_spectrum(&self.pairs(x), radii, self.mesh.spectral.len()),
        };
        let units = self.units(x);
        let mut emission = self.formal(species, None)?;
        self.over_units(&mut emission, &units);
        self.over_units(x, &units);
        let scale = vec![1.0; x.len()];
        let mut reference = vec![0.0; species * energies];
        reference.extend(own);
        let shifted = Shifted { problem: self, species, systems, scale: &scale, units: &units, reference };
        let goal = SAFETY * tolerance / report.amplification.max(1.0);
        let limits = Limits { tolerance: goal, iterations: ITERATIONS };
        let mut iteration = 0;
        let mut progress = |residual: f64| {
            let event = progress::Event::Residual { species: name, iteration, residual, tolerance: goal };
            observer.report(event);
            iteration += 1;
            !observer.stop_requested()
        };
        let outcome = krylov::solve(&shifted, &emission, x, limits, &mut progress)?;
        if outcome.status == Status::Failed {
            return Err(Error::Numerical("the scattering iteration failed".into()));
        }
        let mut image = vec![0.0; x.len()];
        shifted.apply(x, &mut image);
        let residual = emission.iter().zip(&image).map(|(b, image)| (b - image).abs()).fold(0.0, larger);
        let size = x.iter().map(|x| x.abs()).fold(0.0, larger);
        report.residual = if size > 0.0 { residual / size } else { 0.0 };
        report.amplification = larger(report.amplification, self.shifted_amplification(&shifted, observer)?);
        self.times_units(x, &units);
        Ok(outcome.iterations)
    }

    /// What J and H are measured in at each energy by the iteration with Doppler shifts: the largest J there without
    /// these shifts, and not less than [`TAIL`] of what would hold as much energy as the peak of the spectrum. In
    /// units that are the same for all energies the tails, which heat matter and carry luminosities, would not have
    /// to be converged.
    fn units(&self, x: &[f64]) -> Vec<f64> {
        let largest = |x: &[f64]| x[..self.nodes.len()].iter().map(|x| x.abs()).fold(0.0, larger);
        let spectrum: Vec<f64> = x.chunks_exact(self.block()).map(largest).collect();
        let cubes = || self.energies.iter().map(|energy| energy.powi(3));
        let peak = spectrum.iter().zip(cubes()).map(|(j, cube)| j * cube).fold(0.0, larger);
        if peak == 0.0 {
            return vec![1.0; spectrum.len()];
        }
        spectrum.iter().zip(cubes()).map(|(j, cube)| larger(*j, TAIL * peak / cube)).collect()
    }

    fn over_units(&self, x: &mut [f64], units: &[f64]) {
        let blocks = x.chunks_exact_mut(self.block()).zip(units);
        blocks.for_each(|(x, unit)| x.iter_mut().for_each(|x| *x /= unit));
    }

    fn times_units(&self, x: &mut [f64], units: &[f64]) {
        let blocks = x.chunks_exact_mut(self.block()).zip(units);
        blocks.for_each(|(x, unit)| x.iter_mut().for_each(|x| *x *= unit));
    }

    /// max (I − Λ)⁻¹1 with the Doppler shifts, to a tenth.
    fn shifted_amplification(&self, shifted: &Shifted, observer: &dyn Observer) -> Result<f64> {
        let ones = vec![1.0; shifted.scale.len()];
        let mut y = vec![0.0; ones.len()];
        shifted.precondition(&ones, &mut y);
        let limits = Limits { tolerance: 0.1, iterations: ITERATIONS };
        krylov::solve(shifted, &ones, &mut y, limits, &mut |_| !observer.stop_requested())?;
        Ok(y.iter().map(|y| y.abs()).fold(0.0, larger))
    }

    /// J and H from emission and inflow (`None`) or from scattering with `field` alone, in the order of x.
    fn formal(&self, species: usize, field: Option<&Field>) -> Result<Vec<f64>> {
        if let Some(sweep) = &self.sweep {
            return Ok(sweep.formal(species, field, self.moments()));
        }
        let (n, moments) = (self.nodes.len(), self.moments());
        let columns: Vec<Vec<f64>> =
            (0..n).into_par_iter().map(|node| self.formal_at(species, field, node)).collect();
        let size = self.block();
        Ok((0..size * self.energies.len())
            .map(|index| {
                let (k, rest) = (index / size, index % size);
                columns[rest % n][k * moments + rest / n]
            })
            .collect())
    }

    fn formal_at(&self, species: usize, field: Option<&Field>, node: usize) -> Vec<f64> {
        let level = self.level;
        let tracer = level.tracer();
        let r = self.nodes[node].1;
        let energies: Vec<f64> = self.energies.iter().map(|energy| energy / self.lapses[node]).collect();
        let breaks = angles::breaks(&level.medium, &level.edges, r, &[]);
        let moments = self.moments();
        let slice = level.slice(species, r, &energies);
        let mut g = |mu: f64, out: &mut [f64]| {
            let mut value = Value::new(&level.medium, field, field.is_none(), species, energies.len());
            tracer.trace(Event { species, r, mu, energies: &energies, slice: slice.as_ref() }, &mut value);
            for (f, out) in value.f.iter().zip(out.chunks_exact_mut(moments)) {
                out.iter_mut().zip([1.0, mu]).for_each(|(out, power)| *out = power * f);
            }
        };
        let size = moments * energies.len();
        let tolerance = level.tolerance;
        Integral { size, group: moments, tested: moments, tolerance, jumps: false, g: &mut g }.over(&breaks)
    }
}

/// The solution, its absolute residual, and max (I − Λ)⁻¹1.
fn solve_directly(system: &System) -> (Vec<f64>, Report) {
    let x = system.solve(&system.b);
    let y = system.solve(&vec![1.0; system.b.len()]);
    let amplification = y.iter().map(|y| y.abs()).fold(0.0, larger);
    let report =
        Report { residual: system.residual(&system.b, &x), amplification, error_bound: 0.0, iterations: 0 };
    (x, report)
}

/// I − Λ of one species with Doppler shifts.
struct Shifted<'a> {
    problem: &'a Problem<'a>,
    species: usize,
    systems: &'a [&'a System],
    scale: &'a [f64],
    /// See [`Problem::units`].
    units: &'a [f64],
    /// Logarithms of the spectrum that interpolation in energy is relative to: those of the solution
    /// without Doppler shifts, for all species up to this one.
    reference: Vec<f64>,
}

impl LinearSystem for Shifted<'_> {
    fn apply(&self, x: &[f64], y: &mut [f64]) {
        let problem = self.problem;
        let (radii, energies) = problem.mesh.size();
        // The field of this species alone: those before it are not read.
        let mut values = vec![[0.0; 2]; self.species * radii * energies];
        let mut moments = x.to_vec();
        problem.times_units(&mut moments, self.units);
        values.extend(problem.pairs(&moments));
        let field = Field::new(problem.mesh.clone(), values, self.reference.clone());
        let scattered = problem.formal(self.species, Some(&field)).map(|mut scattered| {
            problem.over_units(&mut scattered, self.units);
            scattered
        });
        match scattered {
            Ok(scattered) => y.iter_mut().zip(x).zip(scattered).for_each(|((y, x), s)| *y = x - s),
            Err(_) => y.fill(f64::NAN),
        }
    }

    fn precondition(&self, x: &[f64], y: &mut [f64]) {
        let block = self.problem.block();
        y.par_chunks_mut(block).zip(x.par_chunks(block)).zip(self.systems).for_each(|((y, x), system)| {
            y.copy_from_slice(&system.solve(x));
        });
    }

    fn row_scale(&self) -> &[f64] {
        self.scale
    }
}

/// Collects f as a linear function of J and H at the radial nodes, and its constant part.
struct RowCollector<'a> {
    medium: &'a Medium,
    mesh: &'a Mesh,
    radii: usize,
    anisotropic: bool,
    width: usize,
    rows: Vec<f64>,
    /// ∫ (κ* + σ₀) e^{−τ} dl by the quadrature, and what came in through an edge, for each energy.
    absorbed: Vec<f64>,
    came_in: Vec<f64>,
}

impl RowCollector<'_> {
    fn clear(&mut self) {
        self.rows.fill(0.0);
        self.absorbed.fill(0.0);
        self.came_in.fill(0.0);
    }
}

impl Collector for RowCollector<'_> {
    fn source(&self, _sample: usize, _at: &Sample, _energy: f64, opacity: &LocalOpacity) -> f64 {
        opacity.scattering + opacity.emissivity
    }

    fn add(&mut self, number: usize, at: &Sample, opacity: &LocalOpacity, _source: f64, weight: f64) {
        let row = &mut self.rows[number * self.width..][..self.width];
        self.absorbed[number] += weight * (opacity.absorption + opacity.scattering);
        row[self.width - 1] += weight * opacity.emissivity;
        if opacity.scattering == 0.0 {
            return;
        }
        let Some(spot) = self.mesh.radial_spot(self.medium, at.panel, at.r) else { return };
        let (j, h) = (weight * opacity.scattering, weight * 3.0 * opacity.scattering_first * at.mu);
        for (node, w) in (spot.first..).zip(spot.weights()) {
            row[node] += j * w;
            if self.anisotropic {
                row[self.radii + node] += h * w;
            }
        }
    }

    fn inflow(&mut self, number: usize, f: f64) {
        self.came_in[number] += f;
    }

    /// Makes ∫ (κ* + σ₀) e^{−τ} dl = 1 − e^{−τ} exact, so that f = J = f_eq stays a solution to round-off:
    /// (I − Λ)⁻¹ would amplify the error of the quadrature by the number of scatterings.
    fn finish(&mut self, number: usize, depth: f64) {
        let row = &mut self.rows[number * self.width..][..self.width];
        if self.absorbed[number] > 0.0 {
            let scale = -(-depth).exp_m1() / self.absorbed[number];
            row.iter_mut().for_each(|value| *value *= scale);
        }
        row[self.width - 1] += self.came_in[number];
    }

    fn repeat(&mut self, number: usize, factor: f64) {
        self.rows[number * self.width..][..self.width].iter_mut().for_each(|value| *value *= factor);
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::level::redshifted_edges;
    use super::*;
    use crate::problem::LoadOptions;
    use crate::problem::load::load_text;

    /// A sphere of optical depth 1000 that absorbs a millionth of what it scatters.
    const OPAQUE: &str = r#"(
        format: 1,
        title: "Scattering sphere, optical depth 1000",
        units: Dimensionless,
        background: (metric: Flat, discontinuities: [1]),
        species: [(name: "nu")],
        phase_space: (
            r: (degree: 1, elements: Segments(start: 0, segments: [
                (end: 1, elements: 6, spacing: GradedToEnd(50)), (end: 2, elements: 1),
            ])),
            mu: Uniform(degree: 1, elements: 2),
            energy: Gray,
        ),
        opacities: [
            Absorption(absorption: Constant(0.001), equilibrium: Constant(1.0), region: (outer: 1)),
            Scattering(scattering: Constant(1000.0), region: (outer: 1)),
        ],
    )"#;

    /// Where successive Λ-iterations hardly differ although they are far from the solution, residual
    /// times amplification is larger than the error.
    #[test]
    fn small_changes_are_not_mistaken_for_convergence() {
        let text = OPAQUE.to_owned();
        let problem = load_text(text, Path::new("sphere.ron"), &LoadOptions::default()).unwrap();
        let setup = Setup::build(&problem).unwrap();
        let level = Level::solve(&setup, 1e-6, 0, &progress::Silent).unwrap();
        assert!(level.scattering.error_bound < 1e-6, "{:?}", level.scattering);
        let mesh = level.field.as_ref().unwrap().mesh.clone();
        let nodes = mesh.radii(&level.medium);
        let lapses = vec![1.0; nodes.len()];
        let problem = Problem {
            level: &level,
            mesh: &mesh,
            nodes,
            lapses,
            energies: vec![1.0],
            anisotropic: false,
            shifts: false,
            sweep: None,
        };
        let system = problem.systems(0, &[1.0], &progress::Silent).unwrap().remove(0);
        let exact = solve_directly(&system);
        let n = exact.0.len();
        let lambda = |x: &[f64]| -> Vec<f64> {
            let product = |i: usize| (0..n).map(|j| system.matrix[(i, j)] * x[j]).sum::<f64>();
            (0..n).map(|i| x[i] - product(i) + system.b[i]).collect()
        };
        let largest = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, larger);
        let mut x: Vec<f64> = exact.0.iter().map(|x| 3.0 * x).collect();
        for _ in 0..300 {
            x = lambda(&x);
        }
        let change = largest(&lambda(&x), &x);
        let (size, error) = (largest(&x, &vec![0.0; n]), largest(&x, &exact.0));
        assert!(change < 1e-3 * size, "{change:e} of {size:e}");
        assert!(error > 0.4 * size, "{error:e} of {size:e}");
        let bound = system.residual(&system.b, &x) * exact.1.amplification;
        assert!(bound >= error && bound > 0.4 * size, "{bound:e} for an error of {error:e}");
    }

    /// Cores of optical depth 10⁴ are solved directly.
    #[test]
    fn very_opaque_cores_are_solved() {
        let text = OPAQUE.replace("Constant(1000.0)", "Constant(1e4)");
        let problem = load_text(text, Path::new("sphere.ron"), &LoadOptions::default()).unwrap();
        let setup = Setup::build(&problem).unwrap();
        let level = Level::solve(&setup, 1e-6, 0, &progress::Silent).unwrap();
        assert!(level.scattering.error_bound < 1e-6, "{:?}", level.scattering);
        // Diffusion: D J'' = κ(J − 1) with J = 0 at R + 0.7104/κ_t, κR² κ_t 3 = 30: e-folding 0.18 R.
        let (kappa, total) = (0.001_f64, 1e4 + 0.001);
        let folding = (3.0 * kappa * total).sqrt();
        let edge = 1.0 + 0.710_4 / total;
        let j = 1.0 - edge / 0.5 * (0.5 * folding).sinh() / (folding * edge).sinh();
        let found = level.moments(0, 0.5, &[1.0]).values[0][0];
        assert!((found - j).abs() < 1e-5 * j, "{found} against {j}");
    }

    /// Rays that all nodes share give the matrices that rays of each node give, to the accuracy of their
    /// quadrature in angle, and their errors fall with more of them.
    #[test]
    fn shared_rays_agree_with_rays_of_each_node() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("problems/pns_atmosphere.ron");
        let setup =
            Setup::build(&crate::problem::load::load(&path, &LoadOptions::default()).unwrap()).unwrap();
        let level = Level::unscattered(&setup, 1e-4, 0).unwrap();
        let errors = [3, 5].map(|radial| {
            let mesh = Mesh::new(&level.medium, |_| radial, redshifted_edges(&setup), 2);
            let nodes = mesh.radii(&level.medium);
            let lapses: Vec<f64> = nodes.iter().map(|&(panel, r)| level.medium.lapse(panel, r)).collect();
            let energy = mesh.energies()[8];
            let solution = |sweep: Option<Sweep>| {
                let (nodes, lapses, energies) = (nodes.clone(), lapses.clone(), mesh.energies());
                let anisotropic = true;
                let problem = Problem {
                    level: &level,
                    mesh: &mesh,
                    nodes,
                    lapses,
                    energies,
                    anisotropic,
                    shifts: false,
                    sweep,
                };
                let system = problem.systems(0, &[energy], &progress::Silent).unwrap().remove(0);
                let direct = system.solve(&system.b);
                // Values along rays and rows are the same thing.
                if let Some(sweep) = &problem.sweep {
                    let emission = sweep.formal(0, None, 2);
                    let own = &emission[8 * problem.block()..][..problem.block()];
                    let largest = system.b.iter().map(|b| b.abs()).fold(0.0, larger);
                    let off = own.iter().zip(&system.b).map(|(a, b)| (a - b).abs()).fold(0.0, larger);
                    assert!(off < 1e-11 * largest, "{off:e} of {largest:e}");
                }
                direct
            };
            let exact = solution(None);
            let found = solution(Some(Sweep::new(level.tracer(), &mesh, &nodes)));
            let off = |(a, b): (&f64, &f64)| (a - b).abs() / b.abs();
            found.iter().zip(&exact).take(nodes.len()).map(off).fold(0.0, larger)
        });
        assert!(errors[0] < 8e-3 && errors[1] < 0.5 * errors[0], "{errors:?}");
    }

    /// Radius over the distance in which radiation diffuses before it is absorbed.
    const FOLDING: f64 = 5.477;

    /// A sphere that absorbs little of what it scatters, of optical depth `depth`, in `zones` equal panels.
    fn opaque(depth: f64, zones: usize) -> Setup {
        let text = sphere_text(depth, zones);
        let problem = load_text(text, Path::new("sphere.ron"), &LoadOptions::default()).unwrap();
        Setup::build(&problem).unwrap()
    }

    fn sphere_text(depth: f64, zones: usize) -> String {
        OPAQUE
            .replace("elements: 6, spacing: GradedToEnd(50)", &format!("elements: {zones}"))
            .replace("energy: Gray", "energy: Geometric(degree: 1, from: 1, to: 2, elements: 2)")
            .replace("Constant(0.001)", &format!("Constant({})", FOLDING.powi(2) / (3.0 * depth)))
            .replace("Constant(1000.0)", &format!("Constant({depth})"))
    }

    /// J at the radial nodes of `mesh` by rays that they share, or by those of each node.
    fn mean_intensity(level: &Level, mesh: &Mesh, shared: bool) -> Vec<f64> {
        let nodes = mesh.radii(&level.medium);
        let problem = Problem {
            level,
            mesh,
            lapses: vec![1.0; nodes.len()],
            energies: mesh.energies(),
            anisotropic: false,
            shifts: false,
            sweep: shared.then(|| Sweep::new(level.tracer(), mesh, &nodes)),
            nodes,
        };
        let system = problem.systems(0, &problem.energies[..1], &progress::Silent).unwrap().remove(0);
        system.solve(&system.b)
    }

    /// Where the opacity jumps between two zones, as it does in tables, the flux is continuous all the same.
    #[test]
    fn shared_rays_pass_jumps_of_the_opacity() {
        let more = "Scattering(scattering: Constant(3000.0), region: (outer: 0.5)),\n        ], ";
        let text = sphere_text(300.0, 20).replace("],\n    )", more) + ")";
        let problem = load_text(text, Path::new("sphere.ron"), &LoadOptions::default()).unwrap();
        let setup = Setup::build(&problem).unwrap();
        let level = Level::unscattered(&setup, 1e-4, 0).unwrap();
        let mesh = Mesh::new(&level.medium, |_| 4, redshifted_edges(&setup), 2);
        let [shared, own] = [true, false].map(|shared| mean_intensity(&level, &mesh, shared));
        let off = shared.iter().zip(&own).map(|(a, b)| (a / b - 1.0).abs()).fold(0.0, larger);
        assert!(off < 1e-3, "{off:e}");
    }

    /// Panels of optical depth 5 to 500 with nodes inside them let neutrinos diffuse; without, they would be
    /// let through too fast by about the optical depth of a panel.
    #[test]
    fn shared_rays_reach_the_diffusion_limit() {
        let reach = 0.710_4;
        for depth in [1e2, 1e3, 1e4] {
            let setup = opaque(depth, 20);
            let level = Level::unscattered(&setup, 1e-4, 0).unwrap();
            let total = depth + FOLDING.powi(2) / (3.0 * depth);
            let folding = (3.0 * (total - depth) * total).sqrt();
            let edge = 1.0 + reach / total;
            let exact = |r: f64| 1.0 - edge / r * (folding * r).sinh() / (folding * edge).sinh();
            let error = |radial: usize| {
                let mesh = Mesh::new(&level.medium, |_| radial, redshifted_edges(&setup), 2);
                let nodes = mesh.radii(&level.medium);
                let found = mean_intensity(&level, &mesh, true);
                let inside = nodes.iter().zip(&found).filter(|(node, _)| (0.01..0.9).contains(&node.1));
                inside.map(|(node, j)| (j / exact(node.1) - 1.0).abs()).fold(0.0, larger)
            };
            let errors = [2, 3, 4].map(error);
            assert!(errors[0] > 0.1 && errors[1] < 6e-3 && errors[2] < 6e-4, "{depth:e}: {errors:?}");
        }
    }

    /// Matter in homologous contraction, v = −0.02 r, that scatters 2500 times before it absorbs. f_eq is constant in
    /// groups.
    const CONTRACTION: &str = r#"(
        format: 1,
        title: "Trapped neutrinos in contracting matter",
        units: Dimensionless,
        background: (metric: Flat, velocity: PiecewiseLinear(radii: [0, 1], values: [0, -0.02])),
        species: [(name: "nu")],
        phase_space: (
            r: (degree: 2, elements: Segments(start: 0, segments: [(end: 1, elements: 6)])),
            mu: Uniform(degree: 1, elements: 2),
            energy: Edges(degree: 1, edges: [EDGES]),
        ),
        opacities: [
            Absorption(absorption: Constant(0.8), equilibrium: Expression("1/(exp(0.4*floor(energy/0.4) + 0.2) + 1)")),
            Scattering(scattering: Constant(2000.0)),
        ],
    )"#;

    /// Trapped neutrinos are heated by the contraction until they are absorbed: |h| ε ∂f/∂ε = κ (f_eq − f), so that
    /// f(ε) = q ∫ e^−qs f_eq(ε e^−s) ds, q = κ/|h| = 40. Number and energy between 1.2 and 6 then exceed those of f_eq
    /// by 4 and 7 %.
    #[test]
    fn contraction_heats_trapped_neutrinos_across_groups() {
        const RATE: f64 = 40.0;
        const WIDTH: f64 = 0.4;
        let groups = 20;
        let edges: Vec<String> = (0..=groups).map(|i| format!("{}", WIDTH * f64::from(i))).collect();
        let text = CONTRACTION.replace("EDGES", &edges.join(", "));
        let problem = load_text(text, Path::new("sphere.ron"), &LoadOptions::default()).unwrap();
        let setup = Setup::build(&problem).unwrap();
        let level = Level::unscattered(&setup, 1e-4, 0).unwrap();
        let mesh = Mesh::new(&level.medium, |_| 4, redshifted_edges(&setup), 2);
        let nodes = mesh.radii(&level.medium);
        let problem = Problem {
            level: &level,
            mesh: &mesh,
            lapses: vec![1.0; nodes.len()],
            energies: mesh.energies(),
            anisotropic: false,
            shifts: true,
            sweep: Some(Sweep::new(level.tracer(), &mesh, &nodes)),
            nodes,
        };
        let (x, report) = problem.species(0, "nu", 1e-3, &progress::Silent).unwrap();
        assert!(report.error_bound < 1e-3, "{report:?}");
        let equilibrium = |energy: f64| 1.0 / ((WIDTH * (energy / WIDTH).floor() + 0.5 * WIDTH).exp() + 1.0);
        let count = 2000;
        let heated = |energy: f64| -> f64 {
            let share = |i: i32| ((f64::from(i) + 0.5) / f64::from(count)).powf(1.0 / RATE);
            (0..count).map(|i| equilibrium(energy * share(i))).sum::<f64>() / f64::from(count)
        };
        let radii = problem.nodes.len();
        let inner = problem.nodes.iter().position(|node| node.1 > 0.0).unwrap();
        for power in [2, 3] {
            let [mut found, mut exact, mut cold] = [0.0; 3];
            for (k, &energy) in problem.energies.iter().enumerate().filter(|(_, e)| (1.2..6.0).contains(*e)) {
                found += energy.powi(power) * x[k * radii + inner];
            }
            for i in 0..1200 {
                let energy = 1.2 + 0.004 * (f64::from(i) + 0.5);
                exact += 0.02 * energy.powi(power) * heated(energy);
                cold += 0.02 * energy.powi(power) * equilibrium(energy);
            }
            let heating = (found - cold) / (exact - cold);
            assert!((heating - 1.0).abs() < 1e-2, "{power}: {heating}, {found} {exact} {cold}");
        }
    }
}
