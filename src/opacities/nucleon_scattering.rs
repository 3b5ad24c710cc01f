//! Elastic scattering of all neutrinos on free neutrons and protons at rest, after Bruenn (1985), ApJS
//! 58, 771, and Mezzacappa & Bruenn (1993), ApJ 410, 740.

use std::f64::consts::PI;

use super::LocalOpacity;
use super::nuclear_matter::NuclearMatter;
use super::weak::WeakConstants;

/// Scattering at the neutrino energy `energy` [MeV]:
/// dσ/dΩ = (G_F²(ħc)² ε²/(4π²)) [h_V²(1 + cos θ) + h_A²(3 − cos θ)] per unblocked nucleon, so
/// σ₀ = (G_F²(ħc)²/π) ε² η (h_V² + 3h_A²) and σ₁ = (G_F²(ħc)²/π) ε² η (h_V² − h_A²)/3 [1/cm],
/// with h_V = −½, h_A = −g_A/2 for neutrons and h_V = ½ − 2 sin²θ_W, h_A = g_A/2 for protons.
pub fn nucleon_scattering(energy: f64, matter: &NuclearMatter, constants: &WeakConstants) -> LocalOpacity {
    let axial = (0.5 * constants.axial_coupling).powi(2);
    let targets = [
        (matter.neutron_density, 0.25),
        (matter.proton_density, (0.5 - 2.0 * constants.weak_mixing).powi(2)),
    ];
    let mut opacity = LocalOpacity::default();
    for (density, vector) in targets {
        let scale = constants.cross_section_scale()
            * energy
            * energy
            * unblocked_density(density, matter.temperature, constants);
        opacity.scattering += scale * (vector + 3.0 * axial);
        opacity.scattering_first += scale * (vector - axial) / 3.0;
    }
    opacity
}

/// Nucleons whose recoil states are not blocked [1/cm³]: n ξ/√(1 + ξ²), ξ = 3T/(2E_F), with the Fermi
/// energy E_F = (ħc)²(3π²n)^(2/3)/(2m). Mezzacappa & Bruenn's bridge between n (ξ → ∞) and the
/// degenerate limit 3nT/(2E_F) of T ∂n/∂μ.
fn unblocked_density(density: f64, temperature: f64, constants: &WeakConstants) -> f64 {
    if density == 0.0 {
        return 0.0;
    }
    let momentum = constants.hbar_c * (3.0 * PI * PI * density).cbrt();
    let fermi_energy = momentum * momentum / (2.0 * constants.kinetic_mass());
    let ratio = 1.5 * temperature / fermi_energy;
    density * ratio / (1.0_f64).hypot(ratio)
}
