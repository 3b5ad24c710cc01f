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
use super::field::{Field, Mesh, Value};
use super::level::Level;
use super::medium::Medium;
use super::trace::{Collector, Event, Sample};
use crate::error::{Error, Result};
use crate::methods::setup::Setup;
use crate::opacities::LocalOpacity;
use crate::progress::{self, Observer};
use crate::solvers::krylov::{self, Limits, LinearSystem, Status};

/// Energies whose matrices are assembled from the same rays.
const CHUNK: usize = 8;
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
    /// Applications of Λ, 0 where it was factorised.
    pub iterations: usize,
}

impl Report {
    /// Bound of the iteration's error in x relative to its largest value: residual × amplification.
    pub fn error_bound(&self) -> f64 {
        self.residual * self.amplification
    }

    fn and(&mut self, other: &Self) {
        self.residual = self.residual.max(other.residual);
        self.amplification = self.amplification.max(other.amplification);
        self.iterations = self.iterations.max(other.iterations);
    }
}

/// Solves for J and H on `mesh` with the rays of `level`, which has no field yet.
///
/// # Errors
/// [`Error::Interrupted`]; [`Error::Numerical`] where the error bound does not fall below `tolerance`.
pub fn solve(
    setup: &Setup,
    level: &Level,
    mesh: Mesh,
    tolerance: f64,
    observer: &dyn Observer,
) -> Result<(Field, Report)> {
    let energies = mesh.energies();
    let lapse = |&(panel, r): &(usize, f64)| level.medium.lapse(panel, r);
    let nodes = mesh.radii(&level.medium);
    let lapses = nodes.iter().map(lapse).collect();
    let anisotropic = level.medium.scatters_forward();
    let shifts = !level.medium.gray && setup.geometry.velocity.iter().any(|&v| v != 0.0);
    let problem = Problem { level, mesh: &mesh, nodes, lapses, energies, anisotropic };
    let mut values = Vec::new();
    let mut report = Report::default();
    for species in 0..setup.phase_space.species.len() {
        let name = setup.phase_space.species[species].name.as_str();
        let (x, outcome) = problem.species(species, name, shifts, tolerance, observer)?;
        report.and(&outcome);
        values.extend(problem.pairs(&x));
    }
    if report.error_bound().is_nan() || report.error_bound() > tolerance {
        return Err(Error::Numerical(format!(
            "scattering did not converge: residual {:.1e} times amplification {:.1e} is above {tolerance:.1e}",
            report.residual, report.amplification
        )));
    }
    Ok((Field { mesh, values }, report))
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
        b.iter().enumerate().map(|(i, b)| (b - image[(i, 0)]).abs()).fold(0.0, f64::max)
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
        shifts: bool,
        tolerance: f64,
        observer: &dyn Observer,
    ) -> Result<(Vec<f64>, Report)> {
        let mut systems = Vec::new();
        let (mut x, mut report) = (Vec::new(), Report::default());
        for chunk in self.energies.chunks(CHUNK) {
            let chunk = self.systems(species, chunk, observer)?;
            observer.report(progress::Event::Done {
                what: name,
                done: x.len() / self.block() + chunk.len(),
                total: self.energies.len(),
            });
            for system in &chunk {
                let (solution, outcome) = solve_directly(system);
                x.extend(solution);
                report.and(&outcome);
            }
            if shifts {
                systems.extend(chunk);
            }
        }
        if shifts {
            report.iterations = self.iterate(species, name, &systems, &mut x, &mut report, tolerance, observer)?;
        }
        let size = x.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
        report.residual = if size > 0.0 { report.residual / size } else { 0.0 };
        Ok((x, report))
    }

    /// Matrices, without Doppler shifts of the energy, for some energies.
    fn systems(&self, species: usize, energies: &[f64], observer: &dyn Observer) -> Result<Vec<System>> {
        let rows: Vec<Vec<f64>> = (0..self.nodes.len())
            .into_par_iter()
            .map(|node| {
                if observer.stop_requested() {
                    return Err(Error::Interrupted);
                }
                Ok(self.rows(species, node, energies))
            })
            .collect::<Result<_>>()?;
        (0..energies.len()).into_par_iter().map(|number| self.system(&rows, number)).collect()
    }

    /// Rows of Λ and b at a radial node: (energy, moment, column), b being the last column.
    fn rows(&self, species: usize, node: usize, energies: &[f64]) -> Vec<f64> {
        let level = self.level;
        let tracer = level.tracer();
        let (moments, width) = (self.moments(), self.block() + 1);
        let comoving: Vec<f64> = if level.medium.gray {
            vec![1.0]
        } else {
            energies.iter().map(|energy| energy / self.lapses[node]).collect()
        };
        let r = self.nodes[node].1;
        let breaks = angles::breaks(&level.medium, &level.edges, r);
        let mut collector = RowCollector {
            medium: &level.medium,
            mesh: self.mesh,
            radii: self.nodes.len(),
            anisotropic: self.anisotropic,
            width,
            rows: vec![0.0; width * comoving.len()],
        };
        let mut g = |mu: f64, out: &mut [f64]| {
            collector.rows.fill(0.0);
            tracer.trace(Event { species, r, mu, energies: &comoving }, &mut collector);
            for (row, out) in collector.rows.chunks_exact(width).zip(out.chunks_exact_mut(width * moments)) {
                out[..width].copy_from_slice(row);
                out[width..].iter_mut().zip(row).for_each(|(out, value)| *out = mu * value);
            }
        };
        let group = width * moments;
        let size = group * comoving.len();
        Integral { size, group, tolerance: level.tolerance, g: &mut g }.over(&breaks)
    }

    fn system(&self, rows: &[Vec<f64>], number: usize) -> Result<System> {
        let (n, width, moments) = (self.nodes.len(), self.block() + 1, self.moments());
        let entry = |row: usize, column: usize| {
            rows[row % n][(number * moments + row / n) * width + column]
        };
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
        systems: &[System],
        x: &mut [f64],
        report: &mut Report,
        tolerance: f64,
        observer: &dyn Observer,
    ) -> Result<usize> {
        let emission = self.formal(species, None)?;
        let scale = vec![1.0; x.len()];
        let shifted = Shifted { problem: self, species, systems, scale: &scale };
        let goal = tolerance / report.amplification.max(1.0) / 10.0;
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
        report.residual =
            emission.iter().zip(&image).map(|(b, image)| (b - image).abs()).fold(0.0, f64::max);
        report.amplification = report.amplification.max(self.shifted_amplification(&shifted, observer)?);
        Ok(outcome.iterations)
    }

    /// max (I − Λ)⁻¹1 with the Doppler shifts, to a per cent.
    fn shifted_amplification(&self, shifted: &Shifted, observer: &dyn Observer) -> Result<f64> {
        let ones = vec![1.0; shifted.scale.len()];
        let mut y = vec![0.0; ones.len()];
        shifted.precondition(&ones, &mut y);
        let limits = Limits { tolerance: 1e-2, iterations: ITERATIONS };
        krylov::solve(shifted, &ones, &mut y, limits, &mut |_| !observer.stop_requested())?;
        Ok(y.iter().fold(0.0_f64, |most, y| most.max(y.abs())))
    }

    /// J and H from emission and inflow (`None`) or from scattering with `field` alone, in the order of x.
    fn formal(&self, species: usize, field: Option<&Field>) -> Result<Vec<f64>> {
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
        let breaks = angles::breaks(&level.medium, &level.edges, r);
        let moments = self.moments();
        let mut g = |mu: f64, out: &mut [f64]| {
            let f = vec![0.0; energies.len()];
            let mut value =
                Value { medium: &level.medium, field, emission: field.is_none(), species, f };
            tracer.trace(Event { species, r, mu, energies: &energies }, &mut value);
            for (f, out) in value.f.iter().zip(out.chunks_exact_mut(moments)) {
                out.iter_mut().zip([1.0, mu]).for_each(|(out, power)| *out = power * f);
            }
        };
        let size = moments * energies.len();
        Integral { size, group: moments, tolerance: level.tolerance, g: &mut g }.over(&breaks)
    }
}

/// The solution, its absolute residual, and max (I − Λ)⁻¹1.
fn solve_directly(system: &System) -> (Vec<f64>, Report) {
    let x = system.solve(&system.b);
    let y = system.solve(&vec![1.0; system.b.len()]);
    let amplification = y.iter().fold(0.0_f64, |most, y| most.max(y.abs()));
    let report = Report { residual: system.residual(&system.b, &x), amplification, iterations: 0 };
    (x, report)
}

/// I − Λ of one species with Doppler shifts.
struct Shifted<'a> {
    problem: &'a Problem<'a>,
    species: usize,
    systems: &'a [System],
    scale: &'a [f64],
}

impl LinearSystem for Shifted<'_> {
    fn apply(&self, x: &[f64], y: &mut [f64]) {
        let problem = self.problem;
        let (radii, energies) = problem.mesh.size();
        // The field of this species alone: those before it are not read.
        let mut values = vec![[0.0; 2]; self.species * radii * energies];
        values.extend(problem.pairs(x));
        let field = Field { mesh: problem.mesh.clone(), values };
        match problem.formal(self.species, Some(&field)) {
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
}

impl Collector for RowCollector<'_> {
    fn source(&self, _number: usize, _at: &Sample, _energy: f64, opacity: &LocalOpacity) -> f64 {
        opacity.scattering + opacity.emissivity
    }

    fn add(&mut self, number: usize, at: &Sample, opacity: &LocalOpacity, _source: f64, weight: f64) {
        let row = &mut self.rows[number * self.width..][..self.width];
        row[self.width - 1] += weight * opacity.emissivity;
        if opacity.scattering == 0.0 {
            return;
        }
        let Some((first, radial)) = self.mesh.radial_spot(self.medium, at.panel, at.r) else { return };
        let (j, h) = (weight * opacity.scattering, weight * 3.0 * opacity.scattering_first * at.mu);
        for (i, w) in radial[..self.mesh.radial.len()].iter().enumerate() {
            row[first + i] += j * w;
            if self.anisotropic {
                row[self.radii + first + i] += h * w;
            }
        }
    }

    fn inflow(&mut self, number: usize, f: f64) {
        self.rows[(number + 1) * self.width - 1] += f;
    }

    fn repeat(&mut self, number: usize, factor: f64) {
        self.rows[number * self.width..][..self.width].iter_mut().for_each(|value| *value *= factor);
    }
}
