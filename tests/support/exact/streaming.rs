//! Free streaming, thermal equilibrium and the way there: P5, P8 and a zone that emits.

use super::quadrature::integral;
use super::{Background, DIMENSIONLESS, Direction, Exact, FERMI_INTEGRALS, PHYSICAL, Radiation};

pub fn exact(problem: &str) -> Option<Exact> {
    let oven = |degeneracy| {
        let background = Background::vacuum(1e5, 1.5e5);
        Some(Exact::spectral(background, PHYSICAL, Oven::new(10.0 * (1.0f64 / 3.0).sqrt(), degeneracy)))
    };
    match problem {
        "oven" => oven(0.0),
        "oven_degenerate" => oven(2.0),
        "one_zone_emission" => Some(Exact::spectral(Background::flat(), PHYSICAL, Zone)),
        "travelling_shells" => Some(Exact::gray(Background::flat(), Shells)),
        "schwarzschild_beam" => Some(Exact::gray(Background::vacuum(1.0, 1.0), Beam)),
        "doppler_shift" => {
            let background = Background::flat().moving(|r| 0.15 * (1.0 + (r - 4.0).tanh()));
            Some(Exact::spectral(background, DIMENSIONLESS, Cone))
        }
        _ => None,
    }
}

/// Tolman's law: Fermi-Dirac in the energy at infinity, everywhere the same.
struct Oven {
    temperature: f64,
    degeneracy: f64,
    moments: [f64; 4],
}

impl Oven {
    /// `temperature` at infinity (times lapse).
    fn new(temperature: f64, degeneracy: f64) -> Self {
        let moments = [2, 3, 4, 5].map(|n| {
            let integrand = |x: f64| x.powi(n) / ((x - degeneracy).exp() + 1.0);
            temperature.powi(n + 1) * integral(integrand, &[0.0, 2.0, 5.0, 10.0, 20.0, 50.0, 120.0], 1e-13)
        });
        Self { temperature, degeneracy, moments }
    }
}

impl Radiation for Oven {
    fn f(&self, _: f64, _: Direction, energy: f64, _: f64) -> f64 {
        1.0 / ((energy / self.temperature - self.degeneracy).exp() + 1.0)
    }

    fn energy_moments(&self, _: f64, _: Direction, _: f64) -> [f64; 4] {
        self.moments
    }

    fn kinks(&self, _: f64, _: f64) -> Vec<f64> {
        Vec::new()
    }
}

/// A zone without anything around it: f = f_eq (1 − exp(−κ* c t)) with κ* = 1e-6/cm (ε/10 MeV)², T = 5 MeV and a
/// chemical potential of 10 MeV.
struct Zone;

impl Radiation for Zone {
    fn f(&self, _: f64, _: Direction, energy: f64, time: f64) -> f64 {
        let depth = 1e-6 * (energy / 10.0).powi(2) * 2.997_924_58e10 * time;
        -(-depth).exp_m1() / (((energy - 10.0) / 5.0).exp() + 1.0)
    }

    fn energy_moments(&self, r: f64, direction: Direction, time: f64) -> [f64; 4] {
        let breaks = [0.0, 2.0, 5.0, 10.0, 20.0, 40.0, 80.0, 150.0, 300.0, 600.0];
        [2, 3, 4, 5].map(|n| integral(|e| e.powi(n) * self.f(r, direction, e, time), &breaks, 1e-13))
    }

    fn kinks(&self, _: f64, _: f64) -> Vec<f64> {
        Vec::new()
    }
}

/// f is constant along straight rays: that of the point √(r² + t² − 2rtμ) at the start.
struct Shells;

impl Radiation for Shells {
    fn f(&self, r: f64, direction: Direction, _: f64, time: f64) -> f64 {
        let along = r * direction.cosine - time;
        let origin = along.hypot(r * direction.sine);
        (-((origin - 3.0) / 0.5).powi(2)).exp()
    }

    fn energy_moments(&self, r: f64, direction: Direction, time: f64) -> [f64; 4] {
        [self.f(r, direction, 1.0, time); 4]
    }

    /// Where the origin is nearest to the shell's middle: the peak is narrow there.
    fn kinks(&self, r: f64, time: f64) -> Vec<f64> {
        let cosine = (r * r + time * time - 9.0) / (2.0 * r * time);
        if cosine.abs() < 1.0 { vec![cosine.acos()] } else { Vec::new() }
    }
}

/// Through the vacuum around 2M = 1 from r = 6 inward, with a wall of vacuum at r = 1.8.
struct Beam;

/// Rays that do not reach r = 1.8 have turned before: b = 1.8/√(1 − 1/1.8) is the least of theirs.
const WALL_IMPACT: f64 = 2.7;

impl Radiation for Beam {
    fn f(&self, r: f64, direction: Direction, _: f64, _: f64) -> f64 {
        let impact = r * direction.sine / (1.0 - 1.0 / r).sqrt();
        if direction.cosine > 0.0 && impact < WALL_IMPACT {
            return 0.0;
        }
        (-((impact - 4.0) / 0.4).powi(2)).exp()
    }

    fn energy_moments(&self, r: f64, direction: Direction, time: f64) -> [f64; 4] {
        [self.f(r, direction, 1.0, time); 4]
    }

    fn kinks(&self, r: f64, _: f64) -> Vec<f64> {
        let pi = std::f64::consts::PI;
        let sines = [WALL_IMPACT, 4.0].map(|b| b * (1.0 - 1.0 / r).sqrt() / r);
        sines.iter().filter(|s| **s < 1.0).flat_map(|s| [s.asin(), pi - s.asin()]).collect()
    }
}

/// What enters at r = 1 with μ⁴ times Fermi-Dirac (T = 1), as static observers see it.
struct Cone;

impl Cone {
    fn angular(r: f64, direction: Direction) -> f64 {
        let impact = r * direction.sine;
        if direction.cosine > 0.0 && impact < 1.0 { (1.0 - impact * impact).powi(2) } else { 0.0 }
    }
}

impl Radiation for Cone {
    fn f(&self, r: f64, direction: Direction, energy: f64, _: f64) -> f64 {
        Self::angular(r, direction) / (energy.exp() + 1.0)
    }

    fn energy_moments(&self, r: f64, direction: Direction, _: f64) -> [f64; 4] {
        FERMI_INTEGRALS.map(|integral| integral * Self::angular(r, direction))
    }

    fn kinks(&self, r: f64, _: f64) -> Vec<f64> {
        vec![(1.0 / r).min(1.0).asin()]
    }
}
