//! νe + n ⇌ p + e⁻ and ν̄e + p ⇌ n + e⁺ on free nucleons at rest, after Bruenn (1985), ApJS 58, 771,
//! eqs. (C13)–(C23).

use super::LocalOpacity;
use super::nuclear_matter::{CaptureTargets, NuclearMatter};
use super::weak::WeakConstants;

/// νe + n ⇌ p + e⁻ at the neutrino energy `energy` [MeV]: E = ε + Δ, electrons with μ_e,
/// f_eq with μ_ν = μ_e + μ_p − μ_n.
pub fn neutrino_absorption(energy: f64, matter: &NuclearMatter, constants: &WeakConstants) -> LocalOpacity {
    Capture {
        targets: matter.neutron_capture,
        lepton_energy: energy + constants.mass_difference(),
        lepton_potential: matter.electron_potential,
        neutrino_potential: matter.neutrino_potential,
    }
    .opacity(energy, matter.temperature, constants)
}

/// ν̄e + p ⇌ n + e⁺ at the neutrino energy `energy` [MeV]: E = ε − Δ, nothing below E = m_e, positrons
/// with −μ_e, f_eq with −μ_ν.
pub fn antineutrino_absorption(
    energy: f64,
    matter: &NuclearMatter,
    constants: &WeakConstants,
) -> LocalOpacity {
    Capture {
        targets: matter.proton_capture,
        lepton_energy: energy - constants.mass_difference(),
        lepton_potential: -matter.electron_potential,
        neutrino_potential: -matter.neutrino_potential,
    }
    .opacity(energy, matter.temperature, constants)
}

struct Capture {
    targets: CaptureTargets,
    /// E [MeV].
    lepton_energy: f64,
    lepton_potential: f64,
    neutrino_potential: f64,
}

impl Capture {
    /// 1/λ = σ η_→ [1 − F(E)], j = σ η_← F(E), κ* = 1/λ + j [1/cm], with η_→ and η_← the targets of the
    /// reaction and of its inverse, F the leptons' Fermi function and
    /// σ = (G_F²(ħc)²/π) V_ud² (1 + 3g_A²) E² √(1 − (m_e/E)²).
    /// Detailed balance, j λ = e^−(ε − μ_ν)/T, holds because ln(η_←/η_→) is the same difference of
    /// chemical potentials as in μ_ν.
    fn opacity(&self, energy: f64, temperature: f64, constants: &WeakConstants) -> LocalOpacity {
        if self.targets.density == 0.0 || self.lepton_energy <= constants.electron_mass {
            return LocalOpacity::default();
        }
        let x = (self.lepton_energy - self.lepton_potential) / temperature;
        let forward = (self.targets.forward - softplus(-x)).exp();
        let backward = (self.targets.backward - softplus(x)).exp();
        let absorption =
            cross_section(self.lepton_energy, constants) * self.targets.density * (forward + backward);
        let equilibrium = 1.0 / (((energy - self.neutrino_potential) / temperature).exp() + 1.0);
        LocalOpacity::absorbing(absorption, equilibrium)
    }
}

/// σ [cm²] at the lepton energy E ≥ m_e.
fn cross_section(lepton_energy: f64, constants: &WeakConstants) -> f64 {
    let mass = constants.electron_mass;
    let momentum = ((lepton_energy - mass) * (lepton_energy + mass)).sqrt();
    let couplings = constants.up_down_mixing.powi(2) * (1.0 + 3.0 * constants.axial_coupling.powi(2));
    constants.cross_section_scale() * couplings * lepton_energy * momentum
}

/// ln(1 + eˣ): e^−softplus(x) is the Fermi function of x, e^−softplus(−x) that of the empty state.
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}
