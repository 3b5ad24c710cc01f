//! Pair production and annihilation in nucleon collisions, NN ⇌ NN νν̄, after Hannestad & Raffelt (1998),
//! ApJ 507, 339.
//!
//! The nucleons' spin fluctuations have the structure function S(ω) of one kind of nucleons; a pair of
//! total energy ω annihilates with
//!
//! ```text
//! R^a = G_F² (g_A/2)² n S(ω) (3 − cos θ),   Φ₀ᵃ = 6 G_F² (g_A/2)² n S(ω),   Φ₁ᵃ = −Φ₀ᵃ/9,
//! ```
//!
//! which is the axial part of elastic scattering on nucleons where S(ω) → 2πδ(ω). All species of
//! neutrinos have the same kernel. Neutron and proton pairs count with their own densities, unlike pairs
//! with 28/3 times the geometric mean of both (Brinkmann & Turner 1988; Thompson, Burrows & Horvath 2000).

use std::f64::consts::PI;

use super::kernels::Moments;
use super::weak::WeakConstants;

/// Weight of neutron-proton pairs.
const MIXED_PAIRS: f64 = 28.0 / 3.0;
/// Φ₁/Φ₀ of 3 − cos θ.
const FIRST_OVER_ZEROTH: f64 = -1.0 / 9.0;
/// From this u on the three terms of f(u) cancel to more digits than its series leaves out.
const SERIES_FROM: f64 = 20.0;

/// One-pion exchange between nucleons.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PionExchange {
    /// Rest energy of the nucleon \[MeV\].
    pub nucleon_mass: f64,
    /// Rest energy of the pion \[MeV\].
    pub pion_mass: f64,
    /// α_π = (2 m_N f/m_π)²/(4π).
    pub coupling: f64,
}

impl Default for PionExchange {
    /// Mean nucleon mass, charged pion (Particle Data Group 2022), α_π = 15.
    fn default() -> Self {
        use crate::constants::{NEUTRON_MASS, PROTON_MASS};
        Self { nucleon_mass: 0.5 * (NEUTRON_MASS + PROTON_MASS), pion_mass: 139.570_39, coupling: 15.0 }
    }
}

/// Free nucleons at one radius.
#[derive(Debug, Clone)]
pub struct Bremsstrahlung {
    temperature: f64,
    /// 6 G_F² (g_A/2)² (ħc)³/T times 2π/(c(hc)³) · c(ħc)² [cm²/MeV³], per density.
    scale: f64,
    collisions: Vec<Collisions>,
}

/// Collisions of nucleons of one density.
#[derive(Debug, Clone, Copy)]
struct Collisions {
    /// Density with the weight of the pairs [1/cm³].
    weighted_density: f64,
    /// η* = E_F/T.
    degeneracy: f64,
    /// γ = Γ_σ/T, the rate of spin fluctuations.
    fluctuation: f64,
    /// y = m_π²/(m_N T).
    pion: f64,
    /// g(y, η*).
    width: f64,
}

impl Bremsstrahlung {
    /// For `neutrons` and `protons` [1/cm³] at `temperature` > 0 \[MeV\].
    pub fn new(
        temperature: f64,
        (neutrons, protons): (f64, f64),
        exchange: &PionExchange,
        constants: &WeakConstants,
    ) -> Self {
        let mixed = (neutrons * protons).sqrt();
        let collisions = [(neutrons, 1.0), (protons, 1.0), (mixed, MIXED_PAIRS)]
            .into_iter()
            .filter(|(density, _)| *density > 0.0)
            .map(|(density, weight)| {
                Collisions::new(density, weight, temperature, exchange, constants.hbar_c)
            })
            .collect();
        let coupling = constants.fermi_constant * 0.5 * constants.axial_coupling;
        let scale = 6.0 * coupling * coupling * constants.hbar_c.powi(2) / (4.0 * PI * PI * temperature);
        Self { temperature, scale, collisions }
    }

    /// Annihilation of a pair of total energy `energy` \[MeV\]: Φᵃ [1/(cm MeV³)].
    pub fn annihilation(&self, energy: f64) -> Moments {
        let x = energy / self.temperature;
        let zeroth = self.scale * self.collisions.iter().map(|c| c.structure_function(x)).sum::<f64>();
        Moments { zeroth, first: FIRST_OVER_ZEROTH * zeroth }
    }
}

impl Collisions {
    fn new(density: f64, weight: f64, temperature: f64, exchange: &PionExchange, hbar_c: f64) -> Self {
        let momentum = hbar_c * (3.0 * PI * PI * density).cbrt();
        let degeneracy = momentum * momentum / (2.0 * exchange.nucleon_mass * temperature);
        let fluctuation = 8.0 * (2.0 * PI).sqrt() * exchange.coupling.powi(2) / (3.0 * PI * PI)
            * degeneracy.powf(1.5)
            * temperature
            / exchange.nucleon_mass;
        let pion = exchange.pion_mass * exchange.pion_mass / (exchange.nucleon_mass * temperature);
        let width = width(pion, degeneracy);
        Self { weighted_density: weight * density, degeneracy, fluctuation, pion, width }
    }

    /// n T S(x), S(x) = (1/T) γ s(x)/(x² + (γ g/2)²), eq. (33).
    fn structure_function(&self, x: f64) -> f64 {
        let half_width = 0.5 * self.fluctuation * self.width;
        self.weighted_density * self.fluctuation * self.spectrum(x) / (x * x + half_width * half_width)
    }

    /// s(x, y, η*), eqs. (45)-(50): bridge between nondegenerate and degenerate nucleons.
    fn spectrum(&self, x: f64) -> f64 {
        let (y, eta) = (self.pion, self.degeneracy);
        let power = 0.67 + 0.18 * y.powf(0.4);
        let bridge =
            (nondegenerate(x, y).powf(-power) + degenerate(x, y, eta).powf(-power)).powf(-1.0 / power);
        let resonance = (3.0 + (x - 1.2).powi(2) + x.powi(-4)) * (1.0 + eta * eta) * (1.0 + y.powi(4));
        let h = 0.1 * eta / (2.39 + 0.1 * eta.powf(1.1));
        let c = 1.1 * x.powf(1.1) * h / (2.3 + h * x.powf(0.93) + 1e-4 * x.powf(1.2)) * 30.0
            / (30.0 + 0.005 * x.powf(2.8));
        let g = 1.0 - 0.0044 * x.powf(1.1) * y / (0.8 + 0.06 * y.powf(1.05)) * eta.sqrt() / (eta + 0.2);
        bridge * (1.0 + 1.0 / resonance) * (1.0 + c * g)
    }
}

/// s_ND, eq. (45).
fn nondegenerate(x: f64, y: f64) -> f64 {
    let pion = x * x + 2.0 * x * y + 5.0 / 3.0 * y * y + 1.0;
    let root = PI.sqrt();
    2.0 * root * (x + 2.0 - (-y / 12.0).exp()).powf(1.5) * pion / (root + (PI.powf(0.125) + x + y).powi(4))
}

/// s_D, eq. (46).
fn degenerate(x: f64, y: f64, eta: f64) -> f64 {
    let u = (0.5 * y / eta).sqrt();
    3.0 * (0.5 * PI).powf(2.5) * eta.powf(-2.5) * (x * x + 4.0 * PI * PI) * x * degenerate_pions(u)
        / (4.0 * PI * PI * -(-x).exp_m1())
}

/// f(u), eq. (47); by its series in 1/u² where its terms cancel.
fn degenerate_pions(u: f64) -> f64 {
    let square = u * u;
    if u > SERIES_FROM {
        const SERIES: [f64; 5] =
            [112.0 / 45.0, -1408.0 / 105.0, 57_088.0 / 945.0, -536_576.0 / 2079.0, 9_711_616.0 / 9009.0];
        return SERIES.iter().rev().fold(0.0, |sum, c| sum / square + c) / (square * square);
    }
    let root = (2.0 * square + 4.0).sqrt();
    1.0 - 5.0 / 6.0 * u * (2.0 / u).atan()
        + square / (3.0 * (square + 4.0))
        + square / (6.0 * root) * (2.0 * root / square).atan()
}

/// g(y, η*), eqs. (40) and (51)-(53): multiple collisions.
fn width(y: f64, eta: f64) -> f64 {
    let y2 = 25.0 * y * y;
    let a1 = (0.5 * eta + 1.0) / ((eta + 1.0) * (y2 + 1.0)) + (0.5 + eta / 15.6) * y2 / (y2 + 1.0);
    let a2 = (0.63 + 0.04 * eta.powf(1.45)) / (1.0 + 0.02 * eta.powf(2.5));
    let a3 = 1.2 * (0.6 * eta - 0.4 * eta.powf(1.5)).exp();
    let p1 = (1.8 + 0.45 * eta) / (1.0 + 0.15 * eta.powf(1.5));
    let p2 = 2.3 - 0.05 * eta / (1.0 + 0.025 * eta);
    (a1 + a2 * y.powf(p1)) / (1.0 + a3 * y.powf(p2) + a2 * y.powf(p1 + 2.0) / 13.75)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// mpmath, 40 digits.
    #[rstest::rstest]
    #[case(0.1, 0.875_398_424_642_66)]
    #[case(1.0, 0.237_221_216_529_41)]
    #[case(19.999, 1.535_141_615_403_2e-5)]
    #[case(20.001, 1.534_531_778_308_3e-5)]
    #[case(300.0, 3.072_518_397_083_5e-10)]
    fn degenerate_pions_do_not_cancel(#[case] u: f64, #[case] exact: f64) {
        assert!((degenerate_pions(u) / exact - 1.0).abs() < 1e-8, "{:e}", degenerate_pions(u));
    }

    /// Without collisions to speak of the width does not matter, and S = γ s/(T x²).
    #[test]
    fn rare_collisions_have_no_width() {
        let constants = WeakConstants::default();
        let exchange = PionExchange::default();
        let c = Collisions::new(1e28, 1.0, 5.0, &exchange, constants.hbar_c);
        let expected = 1e28 * c.fluctuation * c.spectrum(4.0) / 16.0;
        assert!((c.structure_function(4.0) / expected - 1.0).abs() < 1e-8);
        let empty = Bremsstrahlung::new(5.0, (0.0, 0.0), &exchange, &constants);
        assert_eq!(empty.annihilation(10.0), Moments::default());
    }
}
