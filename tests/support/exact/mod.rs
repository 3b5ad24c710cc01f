//! Exact answers to the problems under problems/, at any point of phase space and in the units of the
//! output file. Written from the closed forms and formal solutions alone: nothing here uses the solver.
//!
//! Every problem with an exact answer gives f of static observers as a function of the energy at infinity
//! and the direction; moments and integrals follow from it by adaptive quadrature and the exact boost to
//! the fluid's frame. Accuracy: about 1e-10 relative (1e-9 with scattering).
#![allow(dead_code, reason = "each test uses a part")]

mod atmosphere;
mod linear;
pub mod pulse;
pub mod quadrature;
pub mod scattering;
mod sphere;
mod streaming;

use std::collections::HashMap;
use std::f64::consts::PI;
use std::sync::Mutex;

use quadrature::integrate;

/// Direction by its angle to the outward radial direction, so that small angles keep their digits.
#[derive(Debug, Clone, Copy)]
pub struct Direction {
    pub cosine: f64,
    pub sine: f64,
}

impl Direction {
    pub fn from_angle(theta: f64) -> Self {
        Self { cosine: theta.cos(), sine: theta.sin() }
    }

    pub fn from_cosine(cosine: f64) -> Self {
        Self { cosine, sine: ((1.0 - cosine) * (1.0 + cosine)).max(0.0).sqrt() }
    }
}

/// Radiation as static observers see it.
pub trait Radiation: Sync + Send {
    /// f at areal radius `r` for the energy at infinity `energy` (any value in gray problems).
    fn f(&self, r: f64, direction: Direction, energy: f64, time: f64) -> f64;

    /// ∫ Eⁿ f dE over the energy at infinity for n = 2, 3, 4, 5; f itself four times in gray problems,
    /// where integrals are per unit of energy at infinity taken at 1.
    fn energy_moments(&self, r: f64, direction: Direction, time: f64) -> [f64; 4];

    /// Angles (0..π) where f is not smooth.
    fn kinks(&self, r: f64, time: f64) -> Vec<f64>;

    /// Relative tolerance of integrals over angles; well above the noise of f.
    fn tolerance(&self) -> f64 {
        1e-11
    }
}

/// The static background as the oracle knows it.
#[derive(Clone, Copy)]
pub struct Background {
    pub lapse: fn(&BackgroundData, f64) -> f64,
    pub velocity: fn(f64) -> f64,
    pub data: BackgroundData,
}

/// Parameters of the metrics.
#[derive(Clone, Copy)]
pub struct BackgroundData {
    pub radius: f64,
    pub compactness: f64,
}

impl Background {
    pub fn flat() -> Self {
        let data = BackgroundData { radius: 1.0, compactness: 0.0 };
        Self { lapse: |_, _| 1.0, velocity: |_| 0.0, data }
    }

    /// Interior Schwarzschild solution and the vacuum outside.
    pub fn star(radius: f64, compactness: f64) -> Self {
        let lapse = |star: &BackgroundData, r: f64| {
            let c = star.compactness;
            let x = r / star.radius;
            if x < 1.0 {
                0.5 * (3.0 * (1.0 - c).sqrt() - (1.0 - c * x * x).sqrt())
            } else {
                (1.0 - c / x).sqrt()
            }
        };
        Self { lapse, velocity: |_| 0.0, data: BackgroundData { radius, compactness } }
    }

    /// Vacuum outside `core`, constant lapse inside.
    pub fn vacuum(gravitational_radius: f64, core: f64) -> Self {
        let lapse = |data: &BackgroundData, r: f64| {
            (1.0 - data.compactness * data.radius / r.max(data.radius)).sqrt()
        };
        let data = BackgroundData { radius: core, compactness: gravitational_radius / core };
        Self { lapse, velocity: |_| 0.0, data }
    }

    pub fn moving(self, velocity: fn(f64) -> f64) -> Self {
        Self { velocity, ..self }
    }
}

/// External units.
#[derive(Clone, Copy)]
pub struct Units {
    speed_of_light: f64,
    planck_c: f64,
    erg: f64,
}

/// cm, s, MeV, erg (SI definitions of c, h and e).
pub const PHYSICAL: Units =
    Units { speed_of_light: 2.997_924_58e10, planck_c: 1.239_841_984_332e-10, erg: 1.602_176_634e-6 };
pub const DIMENSIONLESS: Units = Units { speed_of_light: 1.0, planck_c: 1.0, erg: 1.0 };

/// The exact answer to one problem.
pub struct Exact {
    background: Background,
    units: Units,
    gray: bool,
    answer: Answer,
    spectral: Mutex<HashMap<[u64; 3], [f64; 4]>>,
    integrated: Mutex<HashMap<[u64; 2], [Tensor; 4]>>,
}

enum Answer {
    /// f is known.
    Radiation(Box<dyn Radiation>),
    /// Only J is known, as a function of r and t.
    Mean(Box<dyn Fn(f64, f64) -> f64 + Sync + Send>),
}

/// ½∫dμ ∫dε εⁿ f with 1, μ, μ² in the fluid's frame.
#[derive(Debug, Clone, Copy, Default)]
struct Tensor {
    density: f64,
    flux: f64,
    pressure: f64,
}

/// The exact answer to problems/`problem`.ron at its own parameters, where there is one.
pub fn exact(problem: &str) -> Option<Exact> {
    sphere::exact(problem)
        .or_else(|| scattering::exact(problem))
        .or_else(|| streaming::exact(problem))
        .or_else(|| atmosphere::exact(problem))
        .or_else(|| pulse::exact(problem))
}

/// Names of all problems that [`exact`] knows.
pub const PROBLEMS: [&str; 19] = [
    "doppler_shift",
    "expanding_atmosphere",
    "homogeneous_sphere",
    "homogeneous_sphere_opaque",
    "homogeneous_sphere_thin",
    "one_zone_emission",
    "oven",
    "oven_degenerate",
    "radiating_sphere_both",
    "radiating_sphere_gravity",
    "radiating_sphere_velocity",
    "relativistic_star",
    "relativistic_star_gray",
    "scattering_pulse",
    "scattering_sphere",
    "scattering_sphere_thick",
    "schwarzschild_beam",
    "travelling_shells",
    "ultracompact_star",
];

impl Exact {
    fn new(background: Background, units: Units, gray: bool, answer: Answer) -> Self {
        Self { background, units, gray, answer, spectral: Mutex::default(), integrated: Mutex::default() }
    }

    /// The answer of a gray, dimensionless problem.
    pub fn gray(background: Background, radiation: impl Radiation + 'static) -> Self {
        Self::new(background, DIMENSIONLESS, true, Answer::Radiation(Box::new(radiation)))
    }

    pub fn spectral(background: Background, units: Units, radiation: impl Radiation + 'static) -> Self {
        Self::new(background, units, false, Answer::Radiation(Box::new(radiation)))
    }

    /// A gray, dimensionless problem in flat space of which only J(r, t) is known.
    pub fn mean(j: impl Fn(f64, f64) -> f64 + Sync + Send + 'static) -> Self {
        Self::new(Background::flat(), DIMENSIONLESS, true, Answer::Mean(Box::new(j)))
    }

    fn lapse(&self, r: f64) -> f64 {
        (self.background.lapse)(&self.background.data, r)
    }

    /// The exact value of an output variable, in the units of the output file: `f` (needs `mu` and, if
    /// not gray, `energy`), `j`, `h`, `k`, `l` (need `energy` if not gray), and the variables over species
    /// and r. `None` where the exact answer does not include it. All species of a problem are equal.
    pub fn value(
        &self,
        variable: &str,
        _species: &str,
        energy: Option<f64>,
        mu: Option<f64>,
        r: f64,
        time: Option<f64>,
    ) -> Option<f64> {
        let time = time.unwrap_or(0.0);
        let energy = if self.gray { Some(1.0) } else { energy };
        let radiation = match &self.answer {
            Answer::Radiation(radiation) => radiation.as_ref(),
            Answer::Mean(j) => {
                return match variable {
                    "j" => Some(j(r, time)),
                    "number_density" | "energy_density" => Some(4.0 * PI * j(r, time)),
                    _ => None,
                };
            }
        };
        match variable {
            "f" => Some(self.comoving_f(radiation, energy?, mu?, r, time)),
            "j" => Some(self.moments(radiation, energy?, r, time)[0]),
            "h" => Some(self.moments(radiation, energy?, r, time)[1]),
            "k" => Some(self.moments(radiation, energy?, r, time)[2]),
            "l" => Some(self.moments(radiation, energy?, r, time)[3]),
            "lapse" => Some(self.lapse(r)),
            "velocity" => Some((self.background.velocity)(r)),
            _ => self.integrated(variable, &self.tensors(radiation, r, time), r),
        }
    }

    /// f in the fluid's frame: that of static observers at W ε (1 + vμ) and (μ + v)/(1 + vμ).
    fn comoving_f(&self, radiation: &dyn Radiation, energy: f64, mu: f64, r: f64, time: f64) -> f64 {
        let v = (self.background.velocity)(r);
        let doppler = (1.0 + v * mu) / (1.0 - v * v).sqrt();
        let direction = Direction::from_cosine((mu + v) / (1.0 + v * mu));
        radiation.f(r, direction, self.lapse(r) * energy * doppler, time)
    }

    /// J, H, K, L at the comoving energy `energy`.
    fn moments(&self, radiation: &dyn Radiation, energy: f64, r: f64, time: f64) -> [f64; 4] {
        let key = [energy, r, time].map(f64::to_bits);
        if let Some(known) = self.spectral.lock().unwrap().get(&key) {
            return *known;
        }
        let (v, lapse) = ((self.background.velocity)(r), self.lapse(r));
        let w2 = 1.0 / (1.0 - v * v);
        let integrand = |theta: f64| {
            let direction = Direction::from_angle(theta);
            // ε_static = ε/(W (1 − v μ_static)), dμ = dμ_static/(W² (1 − v μ_static)²).
            let doppler = 1.0 - v * direction.cosine;
            let f = radiation.f(r, direction, lapse * energy / (w2.sqrt() * doppler), time);
            let mu = (direction.cosine - v) / doppler;
            let weight = 0.5 * f * direction.sine / (w2 * doppler * doppler);
            [weight, weight * mu, weight * mu * mu, weight * mu.powi(3)]
        };
        let result = integrate(&integrand, &angles(radiation, r, time), radiation.tolerance());
        self.spectral.lock().unwrap().insert(key, result);
        result
    }

    /// Integrals over energy and angle with ε², ε³, ε⁴, ε⁵ in the fluid's frame.
    fn tensors(&self, radiation: &dyn Radiation, r: f64, time: f64) -> [Tensor; 4] {
        let key = [r, time].map(f64::to_bits);
        if let Some(known) = self.integrated.lock().unwrap().get(&key) {
            return *known;
        }
        let (v, lapse) = ((self.background.velocity)(r), self.lapse(r));
        let w2 = 1.0 / (1.0 - v * v);
        let integrand = |theta: f64| {
            let direction = Direction::from_angle(theta);
            let doppler = 1.0 - v * direction.cosine;
            let mu = (direction.cosine - v) / doppler;
            let weight = 0.5 * direction.sine / (w2 * doppler * doppler);
            // ε = E W (1 − v μ_static)/α for the energy at infinity E.
            let shift = w2.sqrt() * doppler / lapse;
            let energies = radiation.energy_moments(r, direction, time);
            let mut all = [0.0; 12];
            for (n, moment) in energies.iter().enumerate() {
                let density = weight * moment * shift.powi(n as i32 + 3);
                all[3 * n..3 * n + 3].copy_from_slice(&[density, density * mu, density * mu * mu]);
            }
            all
        };
        let sums = integrate(&integrand, &angles(radiation, r, time), radiation.tolerance());
        let tensor =
            |n: usize| Tensor { density: sums[3 * n], flux: sums[3 * n + 1], pressure: sums[3 * n + 2] };
        let result = [0, 1, 2, 3].map(tensor);
        self.integrated.lock().unwrap().insert(key, result);
        result
    }

    fn integrated(&self, variable: &str, tensors: &[Tensor; 4], r: f64) -> Option<f64> {
        let [number, energy, fourth, fifth] = tensors;
        let (v, lapse) = ((self.background.velocity)(r), self.lapse(r));
        let w = 1.0 / (1.0 - v * v).sqrt();
        let number_unit = 4.0 * PI / self.units.planck_c.powi(3);
        let energy_unit = number_unit * self.units.erg;
        let area = 4.0 * PI * r * r * self.units.speed_of_light;
        let number_flux = w * (number.flux + v * number.density);
        let energy_flux = w * w * ((1.0 + v * v) * energy.flux + v * (energy.density + energy.pressure));
        let value = match variable {
            "number_density" => number_unit * number.density,
            "energy_density" => energy_unit * energy.density,
            "luminosity" => area * energy_unit * energy.flux,
            "luminosity_static" => area * energy_unit * energy_flux,
            "luminosity_infinity" => area * energy_unit * lapse * lapse * energy_flux,
            "number_luminosity_infinity" => area * number_unit * lapse * number_flux,
            "mean_energy" => energy.density / number.density,
            "rms_energy" => (fifth.density / energy.density).sqrt(),
            "rms_energy_number" => (fourth.density / number.density).sqrt(),
            "mean_energy_infinity" => lapse * energy_flux / number_flux,
            "flux_factor" => energy.flux / energy.density,
            "eddington_factor" => energy.pressure / energy.density,
            _ => return None,
        };
        // A ratio of nothing to nothing is stored as 0.
        Some(if value.is_nan() { 0.0 } else { value })
    }
}

/// Ends of the pieces of [0, π] in which f is smooth.
fn angles(radiation: &dyn Radiation, r: f64, time: f64) -> Vec<f64> {
    let mut angles = radiation.kinks(r, time);
    angles.extend([0.0, 0.5 * PI, PI]);
    angles.retain(|angle| (0.0..=PI).contains(angle));
    angles.sort_by(f64::total_cmp);
    angles.dedup_by(|a, b| (*a - *b).abs() < 1e-14);
    angles
}

/// ∫ xⁿ/(eˣ + 1) dx for n = 2, 3, 4, 5: n! (1 − 2⁻ⁿ) ζ(n + 1).
pub const FERMI_INTEGRALS: [f64; 4] =
    [1.803_085_354_739_391_4, 5.682_196_976_983_475, 23.330_874_490_725_82, 118.266_130_955_665_4];
