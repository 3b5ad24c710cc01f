//! What the programs of docs/physics share: they solve problems of problems/ with overrides, print tables,
//! and fail where a statement does not hold.

#![allow(dead_code, reason = "each program uses a part")]

use std::error::Error;
use std::path::Path;

use tolman::methods::setup::Setup;
use tolman::output::dataset::Dataset;
use tolman::problem::{LoadOptions, Loaded, Resolution, load};
use tolman::progress::Silent;
use tolman::run::{Resources, run};
use tolman::solvers::krylov::Status;

pub type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// A value of a problem file that is replaced: path and value in RON.
pub type Override<'a> = (&'a str, &'a str);

/// cm per km.
pub const KM: f64 = 1e5;
/// Memory that a run may use [bytes].
const MEMORY: u64 = 4_000_000_000;

/// problems/`name`.ron with `overrides`, without its criteria and sample radii.
pub fn problem(name: &str, overrides: &[Override], resolution: Resolution) -> Outcome<Loaded> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("problems").join(name).with_extension("ron");
    let set = |(path, value): &Override| ((*path).to_owned(), (*value).to_owned());
    let mut overrides: Vec<(String, String)> = overrides.iter().map(set).collect();
    overrides.extend([("criteria".to_owned(), "[]".to_owned()), ("outputs".to_owned(), "()".to_owned())]);
    Ok(load(&path, &LoadOptions { overrides, resolution, data: None })?)
}

/// A converged solution of the Boltzmann equation.
pub struct Solution {
    pub setup: Setup,
    pub dataset: Dataset,
}

impl Solution {
    /// That of problems/`name`.ron with `overrides`.
    pub fn new(name: &str, overrides: &[Override], resolution: Resolution) -> Outcome<Self> {
        let problem = problem(name, overrides, resolution)?;
        let resources = Resources { memory: MEMORY, restart: None };
        let finished = run(&problem, &resources, &Silent, &mut |_| Ok(()))?;
        require(finished.status == Status::Converged, format!("{name} converges"))?;
        Ok(Self { setup: Setup::build(&problem)?, dataset: finished.dataset })
    }

    /// Radial nodes [cm].
    pub fn radii(&self) -> &[f64] {
        &self.setup.phase_space.radial.nodes
    }

    /// The radial node next to `r` [cm].
    pub fn node(&self, r: f64) -> usize {
        let distance = |i: &usize| (self.radii()[*i] - r).abs();
        (0..self.radii().len()).min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap_or(0)
    }

    /// A variable over radius.
    pub fn reals(&self, variable: &str) -> Outcome<&[f64]> {
        Ok(self.dataset.reals(variable)?)
    }

    /// The part of a variable over species that belongs to one species.
    pub fn of_species(&self, variable: &str, species: usize) -> Outcome<&[f64]> {
        let values = self.dataset.reals(variable)?;
        let length = values.len() / self.setup.phase_space.species.len();
        Ok(&values[species * length..][..length])
    }

    /// Net heating of one process by one species at the radial nodes [erg/g/s].
    pub fn heating(&self, process: &str, species: usize) -> Outcome<&[f64]> {
        let names = self.dataset.texts("process")?;
        let place = names.iter().position(|name| name == process);
        let place = place.ok_or_else(|| format!("no process `{process}` among {names:?}"))?;
        let (species_count, radii) = (self.setup.phase_space.species.len(), self.radii().len());
        let start = (place * species_count + species) * radii;
        Ok(&self.dataset.reals("heating_by_process")?[start..][..radii])
    }

    /// An attribute that is a number.
    pub fn attribute(&self, name: &str) -> Outcome<f64> {
        Ok(self.dataset.scalar(name).ok_or_else(|| format!("no attribute {name}"))?)
    }
}

/// An error that names the physical statement, unless it holds.
pub fn require(holds: bool, statement: impl Into<String>) -> Outcome {
    if holds { Ok(()) } else { Err(format!("does not hold: {}", statement.into()).into()) }
}

/// [`require`] for |`found`/`expected` − 1| ≤ `tolerance`; NaN fails.
pub fn require_close(what: &str, found: f64, expected: f64, tolerance: f64) -> Outcome {
    let statement = format!("{what}: {found:.6e} is {expected:.6e} within {tolerance:.1e}");
    require((found / expected - 1.0).abs() <= tolerance, statement)
}

/// ∫x^k/(eˣ + 1) dx over positive x for k = 2, 3, 4, 5.
pub fn fermi_integral(k: i32) -> f64 {
    match k {
        2 => 1.803_085_354_739_391,
        3 => 5.682_196_976_983_475,
        4 => 23.330_874_490_725_84,
        5 => 118.266_130_956_480_8,
        _ => f64::NAN,
    }
}
