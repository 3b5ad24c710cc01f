//! Recoil and weak magnetism of reactions on free nucleons after Horowitz (2002), Phys. Rev. D 65,
//! 043001: factors by which cross-sections on nucleons at rest differ from those on infinitely heavy ones.
//!
//! The factors are moments of the exact tree-level cross-section (Llewellyn Smith 1972, Phys. Rep. 3, 261,
//! with form factors at Q² = 0 and massless leptons), integrated numerically: Horowitz's closed forms are
//! these integrals, but those for transport lose all digits at low energies.

use std::num::NonZeroUsize;
use std::sync::LazyLock;

use super::gauss_legendre::rule;
use super::weak::WeakConstants;

/// Nodes over the scattering cosine: round-off up to ε = mc².
const NODES: NonZeroUsize = NonZeroUsize::new(20).unwrap();
/// Anomalous magnetic moments of proton and neutron (CODATA 2018), in nuclear magnetons.
const PROTON_MOMENT: f64 = 1.792_847_344;
const NEUTRON_MOMENT: f64 = -1.913_042_73;

static RULE: LazyLock<Vec<(f64, f64)>> = LazyLock::new(|| rule(NODES));

/// Tensor couplings F₂ of the nucleons' weak currents at Q² = 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TensorCouplings {
    /// n ↔ p: κ_p − κ_n.
    pub charged: f64,
    /// n → n: −(κ_p − κ_n)/2 − 2 sin²θ_W κ_n.
    pub neutron: f64,
    /// p → p: (κ_p − κ_n)/2 − 2 sin²θ_W κ_p.
    pub proton: f64,
}

impl TensorCouplings {
    /// From the anomalous magnetic moments.
    pub fn new(constants: &WeakConstants) -> Self {
        let difference = PROTON_MOMENT - NEUTRON_MOMENT;
        let mixing = 2.0 * constants.weak_mixing;
        Self {
            charged: difference,
            neutron: -0.5 * difference - mixing * NEUTRON_MOMENT,
            proton: 0.5 * difference - mixing * PROTON_MOMENT,
        }
    }

    /// The rounded values in Horowitz's Table I, which NuLib uses.
    pub const HOROWITZ: Self = Self { charged: 3.706, neutron: -0.963, proton: 1.019 };
}

/// The weak current of a nucleon: vector, axial and tensor coupling, and the nucleon's mass \[MeV\].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NucleonCurrent {
    pub vector: f64,
    pub axial: f64,
    pub tensor: f64,
    pub mass: f64,
}

/// Whether neutrinos or antineutrinos interact: the interference of vector and axial current changes
/// its sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Helicity {
    Neutrino,
    Antineutrino,
}

/// Moments of a cross-section relative to that on infinitely heavy nucleons.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RecoilFactors {
    /// Of ∫dσ.
    pub total: f64,
    /// Of ∫(1 − cos θ)dσ.
    pub transport: f64,
}

impl NucleonCurrent {
    /// n → p of νe, or p → n of ν̄e, on a nucleon of the given mass.
    pub fn charged(mass: f64, tensors: &TensorCouplings, constants: &WeakConstants) -> Self {
        Self { vector: 1.0, axial: constants.axial_coupling, tensor: tensors.charged, mass }
    }

    /// Elastic scattering on neutrons.
    pub fn neutron(tensors: &TensorCouplings, constants: &WeakConstants) -> Self {
        let axial = -0.5 * constants.axial_coupling;
        Self { vector: -0.5, axial, tensor: tensors.neutron, mass: constants.neutron_mass }
    }

    /// Elastic scattering on protons.
    pub fn proton(tensors: &TensorCouplings, constants: &WeakConstants) -> Self {
        let vector = 0.5 - 2.0 * constants.weak_mixing;
        let axial = 0.5 * constants.axial_coupling;
        Self { vector, axial, tensor: tensors.proton, mass: constants.proton_mass }
    }

    /// The factors at the neutrino energy `energy` \[MeV\]; 1 as `energy` → 0. Without recoil
    /// ∫dσ ∝ c_V² + 3c_A² and ∫(1 − cos θ)dσ ∝ (2c_V² + 10c_A²)/3.
    pub fn recoil(&self, energy: f64, helicity: Helicity) -> RecoilFactors {
        let (vector, axial) = (self.vector * self.vector, self.axial * self.axial);
        let (mut total, mut transport) = (0.0, 0.0);
        for &(cosine, weight) in RULE.iter() {
            let density = weight * self.angular(energy / self.mass, cosine, helicity);
            total += density;
            transport += density * (1.0 - cosine);
        }
        RecoilFactors {
            total: total / (2.0 * (vector + 3.0 * axial)),
            transport: transport / (2.0 * (2.0 * vector + 10.0 * axial) / 3.0),
        }
    }

    /// (4π²/(G_F²ε²)) dσ/dΩ with e = ε/M, which without recoil is c_V²(1 + x) + c_A²(3 − x). With
    /// q = Q²/M² = 2e²(1 − x)/(1 + e(1 − x)), τ = q/4 and z = (s − u)/M² = 4e − q:
    /// dσ/dQ² = (G_F²/(8πe²)) [A ± Bz + Cz²], A = q[(1+τ)c_A² − (1−τ)c_V² + τ(1−τ)F₂² + 4τ c_V F₂],
    /// B = q c_A (c_V + F₂), C = ¼(c_A² + c_V² + τF₂²).
    fn angular(&self, e: f64, x: f64, helicity: Helicity) -> f64 {
        let (v, a, f) = (self.vector, self.axial, self.tensor);
        let recoil = 1.0 + e * (1.0 - x);
        // q and z without their factors e² and e, so that nothing cancels or vanishes at e = 0.
        let q = 2.0 * (1.0 - x) / recoil;
        let tau = 0.25 * q * e * e;
        let z = 4.0 - q * e;
        let even =
            q * ((1.0 + tau) * a * a - (1.0 - tau) * v * v + tau * (1.0 - tau) * f * f + 4.0 * tau * v * f);
        let odd = q * e * a * (v + f) * z;
        let square = 0.25 * (a * a + v * v + tau * f * f) * z * z;
        let sum = match helicity {
            Helicity::Neutrino => even + odd + square,
            Helicity::Antineutrino => even - odd + square,
        };
        0.5 * sum / (recoil * recoil)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn currents() -> [NucleonCurrent; 3] {
        let constants = WeakConstants::default();
        let tensors = TensorCouplings::new(&constants);
        [
            NucleonCurrent::charged(constants.neutron_mass, &tensors, &constants),
            NucleonCurrent::neutron(&tensors, &constants),
            NucleonCurrent::proton(&tensors, &constants),
        ]
    }

    /// Horowitz's closed form of the total factor, his eq. (22).
    fn closed_form(current: &NucleonCurrent, energy: f64, sign: f64) -> f64 {
        let (v, a, f) = (current.vector, current.axial, current.tensor);
        let e = energy / current.mass;
        let numerator = v * v * (1.0 + 4.0 * e + 16.0 / 3.0 * e * e)
            + 3.0 * a * a * (1.0 + 4.0 / 3.0 * e).powi(2)
            + sign * 4.0 * (v + f) * a * e * (1.0 + 4.0 / 3.0 * e)
            + 8.0 / 3.0 * v * f * e * e
            + 5.0 / 3.0 * e * e * (1.0 + 0.4 * e) * f * f;
        numerator / ((v * v + 3.0 * a * a) * (1.0 + 2.0 * e).powi(3))
    }

    #[test]
    fn totals_are_horowitzs_closed_form() {
        for current in currents() {
            for energy in [1e-3, 1.0, 10.0, 50.0, 300.0, 900.0] {
                for (helicity, sign) in [(Helicity::Neutrino, 1.0), (Helicity::Antineutrino, -1.0)] {
                    let total = current.recoil(energy, helicity).total;
                    let exact = closed_form(&current, energy, sign);
                    assert!((total / exact - 1.0).abs() < 1e-13, "{energy}: {total} {exact}");
                }
            }
        }
    }

    /// To first order the abstract's estimates: R ≈ 1 + 1.1 ε/M for neutrinos, 1 − 7.1 ε/M for antineutrinos
    /// (rounded, with g_A = 1.26).
    #[test]
    fn slopes_are_those_of_the_paper() {
        let [charged, ..] = currents();
        let slope = |helicity| (charged.recoil(1e-2, helicity).total - 1.0) * charged.mass / 1e-2;
        assert!((slope(Helicity::Neutrino) - 1.1).abs() < 0.15, "{}", slope(Helicity::Neutrino));
        assert!((slope(Helicity::Antineutrino) + 7.1).abs() < 0.15, "{}", slope(Helicity::Antineutrino));
    }

    #[test]
    fn slow_neutrinos_do_not_recoil() {
        for current in currents() {
            let factors = current.recoil(1e-9, Helicity::Antineutrino);
            assert!((factors.total - 1.0).abs() < 1e-10 && (factors.transport - 1.0).abs() < 1e-10);
        }
    }
}
