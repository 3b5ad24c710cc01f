//! Problems, and what is needed to judge a zone.

use std::path::Path;

use tolman::output::dataset::Dataset;
use tolman::problem::{LoadOptions, Loaded, load};
use tolman::progress::Silent;
use tolman::run::{Finished, Resources, run};

pub fn loaded(name: &str, overrides: &[(&str, &str)]) -> Loaded {
    let overrides = overrides.iter().map(|(path, value)| ((*path).to_owned(), (*value).to_owned())).collect();
    let options = LoadOptions { overrides, ..LoadOptions::default() };
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("problems").join(format!("{name}.ron"));
    load(&path, &options).unwrap_or_else(|error| panic!("{error}"))
}

pub fn solve(problem: &Loaded) -> Finished {
    restarted(problem, None)
}

pub fn restarted(problem: &Loaded, restart: Option<Dataset>) -> Finished {
    run(problem, &Resources { memory: u64::MAX, restart }, &Silent, &mut |_| Ok(())).unwrap()
}

/// An isotropic zone: J of every species at every output time, and the quadrature over energy.
pub struct Zone {
    pub times: Vec<f64>,
    pub energy: Vec<f64>,
    /// wε².
    pub measure: Vec<f64>,
    pub multiplicity: Vec<f64>,
    j: Vec<f64>,
}

impl Zone {
    pub fn new(data: &Dataset) -> Self {
        assert_eq!(data.length("r"), Some(1));
        let list = |name: &str| data.reals(name).unwrap().to_vec();
        let energy = list("energy");
        let measure = energy.iter().zip(list("energy_weight")).map(|(e, w)| w * e * e).collect();
        Self { times: list("time"), measure, multiplicity: list("multiplicity"), j: list("j"), energy }
    }

    /// f of `species` at output time `time`.
    pub fn f(&self, time: usize, species: usize) -> &[f64] {
        let first = (time * self.multiplicity.len() + species) * self.energy.len();
        &self.j[first..first + self.energy.len()]
    }

    /// ∫ value(ε, f) ε² dε.
    pub fn integral(&self, time: usize, species: usize, value: impl Fn(f64, f64) -> f64) -> f64 {
        let points = self.energy.iter().zip(self.f(time, species)).zip(&self.measure);
        points.map(|((e, f), m)| m * value(*e, *f)).sum()
    }

    pub fn number(&self, time: usize, species: usize) -> f64 {
        self.integral(time, species, |_, f| f)
    }

    /// Entropy of the neutrinos and of matter at the temperature `temperature` \[MeV\] that takes up the
    /// energy that they lose, per (hc)³/4π and up to a constant.
    pub fn entropy(&self, time: usize, temperature: f64) -> f64 {
        let x_ln_x = |x: f64| if x > 0.0 { x * x.ln() } else { 0.0 };
        let species = 0..self.multiplicity.len();
        species
            .map(|s| {
                let own = |e: f64, f: f64| -x_ln_x(f) - x_ln_x(1.0 - f) - e * f / temperature;
                self.multiplicity[s] * self.integral(time, s, own)
            })
            .sum()
    }

    /// The chemical potential of the Fermi-Dirac function with `number` neutrinos on this grid.
    pub fn potential(&self, number: f64, temperature: f64) -> f64 {
        let excess = |mu: f64| -> f64 {
            let points = self.energy.iter().zip(&self.measure);
            points.map(|(e, m)| m * fermi_dirac(*e, mu, temperature)).sum::<f64>() - number
        };
        let (mut low, mut high) = (-50.0 * temperature, 50.0 * temperature);
        for _ in 0..200 {
            let middle = 0.5 * (low + high);
            if excess(middle) < 0.0 { low = middle } else { high = middle }
        }
        0.5 * (low + high)
    }
}

pub fn fermi_dirac(energy: f64, potential: f64, temperature: f64) -> f64 {
    1.0 / (((energy - potential) / temperature).exp() + 1.0)
}
