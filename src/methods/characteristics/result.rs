//! The solution as a dataset in the layout of docs/reference_format.md, with an error beside each
//! variable.

use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::Solution;
use super::integrated::{self, Spectral, VARIABLES};
use super::level::Level;
use super::swept::Swept;
use crate::diagnostics::beta_equilibrium::add_trapped_leptons;
use crate::diagnostics::equilibrium_ye::add_equilibrium_electron_fraction;
use crate::diagnostics::exchange;
use crate::diagnostics::moments::{Moments, bound_violation};
use crate::diagnostics::result::{add_background, add_grid, add_heating, add_opacities, add_spheres};
use crate::error::{Error, Result};
use crate::output::dataset::Dataset;
use crate::phase_space::PhaseSpace;
use crate::progress::{Event, Observer};
use crate::units::UnitSystem;

/// Share of the tolerance, relative to the value, that error estimates do not fall below: two solutions
/// can agree by chance, or because both took the same quadrature.
const LEAST_SHARE: f64 = 1e-2;

/// Estimated error of a value at `tolerance`, given together with that from a solution at a looser one and that
/// from the embedded quadrature in angle.
pub fn error_estimate([fine, loose, embedded]: [f64; 3], tolerance: f64) -> f64 {
    (fine - loose).abs() + (fine - embedded).abs() + LEAST_SHARE * tolerance * fine.abs()
}

/// See [`Solution::dataset`].
pub fn dataset(
    solution: &Solution,
    sample_radii: &[f64],
    distribution: bool,
    observer: &dyn Observer,
) -> Result<Dataset> {
    let (setup, space) = (solution.setup, &solution.setup.phase_space);
    let mut dataset = Dataset::new();
    add_grid(&mut dataset, space, setup.units);
    dataset.dimension("r", space.radial.nodes.len());
    let r_unit = setup.units.label("cm");
    dataset.real("r", &["r"], r_unit, "areal radius", space.radial.nodes.clone());
    dataset.real("r_weight", &["r"], r_unit, "quadrature weight of r", space.radial.weights.clone());
    add_background(&mut dataset, setup);
    add_opacities(&mut dataset, setup);
    let fine = add_solution(&mut dataset, solution, "r", &space.radial.nodes, distribution, observer)?;
    let moments = fine.moments_by_kind();
    add_spheres(&mut dataset, setup, &moments)?;
    add_heating(&mut dataset, setup, &moments, &exchange::of_setup(setup, &moments)?)?;
    add_trapped_leptons(&mut dataset, setup, &moments);
    add_equilibrium_electron_fraction(&mut dataset, setup, &moments);
    let reason = "the method of characteristics: its f is no polynomial of the cosine";
    dataset.attribute("lepton_number_omitted", reason);
    let (low, high) = bound_violation(&fine.f);
    dataset.attribute("bound_violation_low", low);
    dataset.attribute("bound_violation_high", high);
    dataset.attribute("largest_flux_factor", 1.0);
    let scattering = &solution.fine.scattering;
    dataset.attribute("scattering_residual", scattering.residual);
    dataset.attribute("scattering_amplification", scattering.amplification);
    dataset.attribute("scattering_error_bound", scattering.error_bound);
    dataset.attribute("iterations", scattering.iterations as i64);
    if !sample_radii.is_empty() {
        let mut samples = Dataset::new();
        add_samples(&mut samples, solution, sample_radii, true, observer)?;
        dataset.group("samples", samples);
    }
    Ok(dataset)
}

/// See [`Solution::dataset_at`].
pub fn dataset_at(
    solution: &Solution,
    radii: &[f64],
    distribution: bool,
    observer: &dyn Observer,
) -> Result<Dataset> {
    let mut dataset = Dataset::new();
    add_grid(&mut dataset, &solution.setup.phase_space, solution.setup.units);
    add_samples(&mut dataset, solution, radii, distribution, observer)?;
    Ok(dataset)
}

fn add_samples(
    dataset: &mut Dataset,
    solution: &Solution,
    radii: &[f64],
    distribution: bool,
    observer: &dyn Observer,
) -> Result<()> {
    radii.iter().try_for_each(|&r| solution.check_radius(r))?;
    let (background, units) = (&solution.setup.background, solution.setup.units);
    dataset.dimension("r_sample", radii.len());
    dataset.real("r_sample", &["r_sample"], units.label("cm"), "areal radius", radii.to_vec());
    let lapse = radii.iter().map(|&r| background.lapse(r)).collect();
    dataset.real("lapse", &["r_sample"], "1", "lapse of static observers", lapse);
    let velocity = "radial velocity of the fluid seen by static observers, in units of c";
    let values = radii.iter().map(|&r| background.velocity(r)).collect();
    dataset.real("velocity", &["r_sample"], "1", velocity, values);
    add_solution(dataset, solution, "r_sample", radii, distribution, observer).map(|_| ())
}

/// Adds f, J, H, K, L and the integrated variables over the dimension `radius`, each with its error, and
/// returns the finer values.
fn add_solution(
    dataset: &mut Dataset,
    solution: &Solution,
    radius: &str,
    radii: &[f64],
    distribution: bool,
    observer: &dyn Observer,
) -> Result<Values> {
    let fine = values(solution, &solution.fine, radii, distribution, "fine", observer)?;
    let loose = values(solution, &solution.loose, radii, distribution, "loose", observer)?;
    let tolerance = solution.fine.tolerance;
    let mut add = |name: &str, dimensions: &[&str], unit: &str, meaning: &str, values: [Vec<f64>; 3]| {
        let [fine, loose, embedded] = values;
        let triples = fine.iter().zip(&loose).zip(&embedded);
        let errors = triples.map(|((&a, &b), &c)| error_estimate([a, b, c], tolerance)).collect();
        dataset.real(name, dimensions, unit, meaning, fine);
        let of = format!("estimated numerical error of {name}");
        dataset.real(&format!("{name}_error"), dimensions, unit, &of, errors);
    };
    if distribution {
        let meaning = "invariant distribution function";
        let order = ["species", "energy", "mu", radius];
        add("f", &order, "1", meaning, [fine.f.clone(), loose.f, fine.f.clone()]);
    }
    for (n, (name, meaning)) in [
        ("j", "J = 1/2 int f dmu"),
        ("h", "H = 1/2 int f mu dmu"),
        ("k", "K = 1/2 int f mu^2 dmu"),
        ("l", "L = 1/2 int f mu^3 dmu"),
    ]
    .into_iter()
    .enumerate()
    {
        let values = [&fine.best, &loose.best, &fine.embedded]
            .map(|of| of.moments.iter().map(|moments| moments[n]).collect());
        add(name, &["species", "energy", radius], "1", meaning, values);
    }
    for (n, (name, unit, meaning)) in VARIABLES.into_iter().enumerate() {
        let values = [&fine.best, &loose.best, &fine.embedded]
            .map(|of| of.integrated.iter().map(|all| all[n]).collect());
        add(name, &["species", radius], solution.setup.units.label(unit), meaning, values);
    }
    Ok(fine)
}

/// What one level gives at some radii.
struct Values {
    best: Integrals,
    /// By the embedded quadrature in angle.
    embedded: Integrals,
    /// (species, energy, ordinate, radius); empty where it is not wanted.
    f: Vec<f64>,
}

/// Integrals of f.
#[derive(Default)]
struct Integrals {
    /// (species, energy, radius).
    moments: Vec<[f64; 4]>,
    /// (species, radius).
    integrated: Vec<[f64; 12]>,
}

impl Values {
    fn moments_by_kind(&self) -> Moments {
        let pick = |n: usize| self.best.moments.iter().map(|moments| moments[n]).collect();
        Moments { j: pick(0), h: pick(1), k: pick(2), l: pick(3) }
    }
}

/// Moments at each energy, and the integrals over the energy.
type ColumnIntegrals = (Vec<[f64; 4]>, [f64; 12]);

/// Everything at one (species, radius).
struct Column {
    best: ColumnIntegrals,
    embedded: ColumnIntegrals,
    f: Vec<f64>,
}

fn values(
    solution: &Solution,
    level: &Level,
    radii: &[f64],
    distribution: bool,
    what: &str,
    observer: &dyn Observer,
) -> Result<Values> {
    let space = &solution.setup.phase_space;
    let species = space.species.len();
    let swept = Swept::new(level, radii);
    let (done, total) = (AtomicUsize::new(0), species * radii.len());
    let columns: Vec<Column> = (0..total)
        .into_par_iter()
        .map(|index| {
            if observer.stop_requested() {
                return Err(Error::Interrupted);
            }
            let (number, place) = (index / radii.len(), index % radii.len());
            let energies: Vec<f64> = (0..space.energy.len()).map(|k| space.energy.node(k)).collect();
            let units = solution.setup.units;
            let [best, embedded] = match &swept {
                Some(swept) => swept_integrals(level, (swept, number, place), radii[place], &energies, units),
                None => traced_integrals(level, number, radii[place], &energies, units),
            };
            let f = if distribution {
                ordinates(level, space, number, radii[place], &energies)
            } else {
                Vec::new()
            };
            let done = done.fetch_add(1, Ordering::Relaxed) + 1;
            observer.report(Event::Done { what, done, total });
            Ok(Column { best, embedded, f })
        })
        .collect::<Result<_>>()?;
    Ok(arranged(space, radii.len(), &columns))
}

/// From columns to variables with the radius as the fastest dimension.
fn arranged(space: &PhaseSpace, radii: usize, columns: &[Column]) -> Values {
    let (energies, ordinates) = (space.energy.len(), space.angular.nodes.len());
    let of = |pick: fn(&Column) -> &ColumnIntegrals| {
        let mut integrals = Integrals::default();
        for columns in columns.chunks_exact(radii) {
            integrals.integrated.extend(columns.iter().map(|column| pick(column).1));
            for k in 0..energies {
                integrals.moments.extend(columns.iter().map(|column| pick(column).0[k]));
            }
        }
        integrals
    };
    let mut f = Vec::new();
    for columns in columns.chunks_exact(radii) {
        let stored = columns.first().map_or(0, |column| column.f.len());
        for n in 0..stored.min(energies * ordinates) {
            f.extend(columns.iter().map(|column| column.f[n]));
        }
    }
    Values { best: of(|column| &column.best), embedded: of(|column| &column.embedded), f }
}

/// Best and embedded integrals from the rays that nodes share.
fn swept_integrals(
    level: &Level,
    (swept, species, place): (&Swept, usize, usize),
    r: f64,
    energies: &[f64],
    units: UnitSystem,
) -> [ColumnIntegrals; 2] {
    let rule: Vec<f64> = level.energies.iter().map(|pair| pair.0).collect();
    let sums = integrated::spectral(level, &swept.at(species, place, &rule));
    let integrals = (swept.at(species, place, energies), integrated::integrated(level, r, units, &sums));
    [integrals.clone(), integrals]
}

/// The same from rays of the point's own.
fn traced_integrals(
    level: &Level,
    species: usize,
    r: f64,
    own: &[f64],
    units: UnitSystem,
) -> [ColumnIntegrals; 2] {
    let mut energies = own.to_vec();
    let own = own.len();
    let rule = || level.energies.iter().map(|&(energy, _)| energy);
    let same = rule().eq(energies.iter().copied());
    if !same && !level.medium.gray && !level.medium.jumps_in_angle() {
        energies.extend(rule());
    }
    let all = level.moments(species, r, &energies);
    let integrals = |sums: &Spectral| integrated::integrated(level, r, units, sums);
    let [best, embedded] = if level.medium.jumps_in_angle() {
        let sums = level.energy_integrals(species, r);
        [&sums.values, &sums.embedded].map(|sums| integrals(&integrated::by_power(sums)))
    } else if level.medium.gray {
        [integrals(&integrated::gray(level, species, r)); 2]
    } else {
        [integrals(&integrated::spectral(level, if same { &all.values } else { &all.values[own..] })); 2]
    };
    [(all.values[..own].to_vec(), best), (all.embedded[..own].to_vec(), embedded)]
}

/// f at (energy, ordinate).
fn ordinates(level: &Level, space: &PhaseSpace, species: usize, r: f64, energies: &[f64]) -> Vec<f64> {
    let count = space.angular.nodes.len();
    let mut f = vec![0.0; energies.len() * count];
    for (j, &mu) in space.angular.nodes.iter().enumerate() {
        let values = level.f(species, r, mu, energies);
        values.iter().enumerate().for_each(|(k, &value)| f[k * count + j] = value);
    }
    f
}
