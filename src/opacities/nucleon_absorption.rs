//! νe + n ⇌ p + e⁻ and ν̄e + p ⇌ n + e⁺ on free nucleons at rest, after Bruenn (1985), ApJS 58, 771,
//! eqs. (C13)–(C23).

use super::LocalOpacity;
use super::fermi_gas::fermi_dirac;
use super::nuclear_matter::{CaptureTargets, NuclearMatter};
use super::weak::WeakConstants;

/// νe + n ⇌ p + e⁻ at the neutrino energy `energy` \[MeV\]: E = ε + Δ, electrons with μ_e,
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

/// ν̄e + p ⇌ n + e⁺ at the neutrino energy `energy` \[MeV\]: E = ε − Δ, nothing below E = m_e, positrons
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
    /// E \[MeV\].
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
        let equilibrium = fermi_dirac((energy - self.neutrino_potential) / temperature);
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

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use super::*;
    use crate::background::MatterState;
    use crate::constants::ATOMIC_MASS_UNIT;
    use crate::opacities::fermi_gas::fermi_half;

    fn state(density: f64, temperature: f64, electron_fraction: f64) -> MatterState {
        MatterState {
            density,
            temperature,
            electron_fraction,
            neutron_fraction: 1.0 - electron_fraction,
            proton_fraction: electron_fraction,
            ..MatterState::default()
        }
    }

    fn prepare(state: &MatterState) -> NuclearMatter {
        NuclearMatter::new(state, &WeakConstants::default()).unwrap().unwrap()
    }

    /// κ* and f_eq from 1/λ and j as Bruenn (1985) writes them in (C13)–(C23), the nucleons' degeneracy
    /// parameters found by bisection.
    fn restated(energy: f64, state: &MatterState, electron_potential: f64, neutrino: bool) -> (f64, f64) {
        let c = WeakConstants::default();
        let t = state.temperature;
        let nucleons = state.density / ATOMIC_MASS_UNIT;
        let (n, p) = (nucleons * state.neutron_fraction, nucleons * state.proton_fraction);
        let scale = (2.0 * c.kinetic_mass * t).powf(1.5) / (2.0 * PI * PI * c.hbar_c.powi(3));
        let eta = |density: f64| {
            let (mut low, mut high) = (-80.0, 80.0);
            for _ in 0..200 {
                let middle = 0.5 * (low + high);
                if scale * fermi_half(middle) < density { low = middle } else { high = middle }
            }
            low
        };
        let difference = eta(p) - eta(n);
        let eta_np = (p - n) / (difference.exp() - 1.0);
        let eta_pn = (n - p) / ((-difference).exp() - 1.0);
        let sign = if neutrino { 1.0 } else { -1.0 };
        let e = energy + sign * (c.neutron_mass - c.proton_mass);
        let f = 1.0 / (((e - sign * electron_potential) / t).exp() + 1.0);
        let (targets, back) = if neutrino { (eta_np, eta_pn) } else { (eta_pn, eta_np) };
        let sigma = (c.fermi_constant * c.up_down_mixing * c.hbar_c).powi(2) / PI
            * (1.0 + 3.0 * c.axial_coupling * c.axial_coupling)
            * e
            * e
            * (1.0 - (c.electron_mass / e).powi(2)).sqrt();
        let (inverse_length, emission) = (sigma * targets * (1.0 - f), sigma * back * f);
        (inverse_length + emission, emission / (inverse_length + emission))
    }

    #[rstest::rstest]
    #[case::pre_shock(1e9, 0.8, 0.45)]
    #[case::gain_region(3e9, 1.6, 0.3)]
    #[case::neutrinosphere(5e11, 5.0, 0.12)]
    #[case::core(3e14, 20.0, 0.25)]
    #[case::proton_rich(1e10, 2.0, 0.6)]
    fn absorption_and_emission_are_bruenns(#[case] rho: f64, #[case] t: f64, #[case] ye: f64) {
        let state = state(rho, t, ye);
        let matter = prepare(&state);
        for energy in [2.0, 5.0, 12.0, 40.0, 110.0, 250.0] {
            for (neutrino, opacity) in [
                (true, neutrino_absorption(energy, &matter, &WeakConstants::default())),
                (false, antineutrino_absorption(energy, &matter, &WeakConstants::default())),
            ] {
                let (absorption, equilibrium) = restated(energy, &state, matter.electron_potential, neutrino);
                assert!((opacity.absorption / absorption - 1.0).abs() < 1e-11, "{energy} {neutrino}");
                // j/κ* = f_eq: detailed balance between separately stated emission and absorption.
                let ratio = opacity.emissivity / (opacity.absorption * equilibrium);
                assert!((ratio - 1.0).abs() < 1e-11, "{energy} {neutrino}: {ratio}");
            }
        }
    }

    /// With chemical potentials of an interacting equation of state 1/λ stays and j follows.
    #[test]
    fn stated_potentials_shift_the_equilibrium_only() {
        let c = WeakConstants::default();
        let free = state(1e13, 10.0, 0.1);
        let matter = prepare(&free);
        let ideal_difference = matter.electron_potential - matter.neutrino_potential;
        let shifted = prepare(&MatterState {
            neutron_chemical_potential: Some(950.0 + ideal_difference + 4.0),
            proton_chemical_potential: Some(950.0),
            ..free
        });
        assert!((matter.neutrino_potential - shifted.neutrino_potential - 4.0).abs() < 1e-11);
        for energy in [3.0, 30.0] {
            let absorbed = |opacity: LocalOpacity| opacity.absorption - opacity.emissivity;
            let (before, after) =
                (neutrino_absorption(energy, &matter, &c), neutrino_absorption(energy, &shifted, &c));
            assert!((absorbed(after) / absorbed(before) - 1.0).abs() < 1e-10);
            let (before, after) =
                (antineutrino_absorption(energy, &matter, &c), antineutrino_absorption(energy, &shifted, &c));
            assert!((absorbed(after) / absorbed(before) - 1.0).abs() < 1e-10);
        }
    }

    #[test]
    fn antineutrinos_have_a_threshold() {
        let c = WeakConstants::default();
        let matter = prepare(&state(1e11, 4.0, 0.2));
        let threshold = c.mass_difference() + c.electron_mass;
        assert!((threshold - 1.804_331).abs() < 1e-6);
        assert_eq!(antineutrino_absorption(threshold - 1e-9, &matter, &c), LocalOpacity::default());
        assert_eq!(antineutrino_absorption(0.0, &matter, &c), LocalOpacity::default());
        assert!(antineutrino_absorption(threshold + 1e-3, &matter, &c).absorption > 0.0);
        assert!(neutrino_absorption(1e-6, &matter, &c).absorption > 0.0);
    }

    #[test]
    fn absent_nucleons_neither_absorb_nor_emit() {
        let c = WeakConstants::default();
        let nuclei = MatterState { neutron_fraction: 0.0, proton_fraction: 0.0, ..state(1e10, 1.0, 0.45) };
        let matter = prepare(&nuclei);
        assert_eq!(neutrino_absorption(10.0, &matter, &c), LocalOpacity::default());
        assert_eq!(antineutrino_absorption(10.0, &matter, &c), LocalOpacity::default());
        // Neutrons alone absorb neutrinos and emit antineutrinos, which nothing absorbs.
        let neutrons = prepare(&MatterState { proton_fraction: 0.0, neutron_fraction: 1.0, ..nuclei });
        let opacity = neutrino_absorption(10.0, &neutrons, &c);
        assert!(opacity.absorption > 0.0 && opacity.emissivity == 0.0);
        let opacity = antineutrino_absorption(10.0, &neutrons, &c);
        assert!(opacity.absorption > 0.0 && opacity.emissivity == opacity.absorption);
    }

    /// Exponents of thousands must not turn into NaN or infinity.
    #[test]
    fn cold_degenerate_matter_is_finite() {
        let c = WeakConstants::default();
        for ye in [0.01, 0.3, 0.5, 0.9] {
            for temperature in [0.005, 0.1] {
                let matter = prepare(&state(8e14, temperature, ye));
                for energy in [0.5, 20.0, 300.0] {
                    for opacity in [
                        neutrino_absorption(energy, &matter, &c),
                        antineutrino_absorption(energy, &matter, &c),
                    ] {
                        assert!(opacity.absorption.is_finite() && opacity.absorption >= 0.0);
                        assert!(opacity.emissivity >= 0.0 && opacity.emissivity <= opacity.absorption);
                    }
                }
            }
        }
    }

    /// 1/λ per free neutron without blocking: 9.3e-44 cm² (ε + Δ)²/MeV² (the usual estimate).
    #[test]
    fn cross_section_has_its_known_size() {
        let sigma = cross_section(10.0, &WeakConstants::default()) / 100.0;
        assert!((sigma / 9.3e-44 - 1.0).abs() < 0.02, "{sigma:e}");
    }
}
