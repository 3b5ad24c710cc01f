//! Elastic scattering of all neutrinos on free neutrons and protons at rest, after Bruenn (1985), ApJS
//! 58, 771, and Mezzacappa & Bruenn (1993), ApJ 410, 740.

use std::f64::consts::PI;

use super::LocalOpacity;
use super::nuclear_matter::NuclearMatter;
use super::weak::WeakConstants;
use super::weak_magnetism::{Helicity, NucleonCurrent, RecoilFactors, TensorCouplings};

/// Corrections of scattering on free nucleons.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NucleonCorrections {
    /// Blocked recoil states.
    pub blocking: bool,
    /// Weak magnetism and recoil with these couplings; none where absent.
    pub weak_magnetism: Option<TensorCouplings>,
}

impl NucleonCorrections {
    /// Bruenn (1985) with blocking.
    pub const BLOCKING: Self = Self { blocking: true, weak_magnetism: None };
}

/// [`corrected_scattering`] with blocked recoil states only.
pub fn nucleon_scattering(energy: f64, matter: &NuclearMatter, constants: &WeakConstants) -> LocalOpacity {
    corrected_scattering(energy, &[], matter, NucleonCorrections::BLOCKING, constants)
}

/// Scattering at the neutrino energy `energy` \[MeV\] of a species that stands for `helicities` in equal
/// parts (used by weak magnetism only):
/// dσ/dΩ = (G_F²(ħc)² ε²/(4π²)) [h_V²(1 + cos θ) + h_A²(3 − cos θ)] per unblocked nucleon, so
/// σ₀ = (G_F²(ħc)²/π) ε² η (h_V² + 3h_A²) and σ₁ = (G_F²(ħc)²/π) ε² η (h_V² − h_A²)/3 [1/cm],
/// with h_V = −½, h_A = −g_A/2 for neutrons and h_V = ½ − 2 sin²θ_W, h_A = g_A/2 for protons. Weak
/// magnetism and recoil multiply σ₀ and σ₀ − σ₁ by [`super::weak_magnetism::RecoilFactors`].
pub fn corrected_scattering(
    energy: f64,
    helicities: &[Helicity],
    matter: &NuclearMatter,
    corrections: NucleonCorrections,
    constants: &WeakConstants,
) -> LocalOpacity {
    let tensors = corrections.weak_magnetism.unwrap_or_else(|| TensorCouplings::new(constants));
    let mut opacity = LocalOpacity::default();
    for (density, current) in [
        (matter.neutron_density, NucleonCurrent::neutron(&tensors, constants)),
        (matter.proton_density, NucleonCurrent::proton(&tensors, constants)),
    ] {
        let targets = if corrections.blocking {
            unblocked_density(density, matter.temperature, constants)
        } else {
            density
        };
        let (vector, axial) = (current.vector.powi(2), current.axial.powi(2));
        let scale = constants.cross_section_scale() * energy * energy * targets;
        let factors = match corrections.weak_magnetism {
            Some(_) => mean_recoil(&current, energy, helicities),
            None => RecoilFactors { total: 1.0, transport: 1.0 },
        };
        let total = vector + 3.0 * axial;
        let first = (vector - axial) / 3.0;
        // σ₁ = σ₀R − (σ₀ − σ₁)R_tr, written so that nothing cancels where both factors are 1.
        let corrected = first * factors.transport + total * (factors.total - factors.transport);
        opacity.scattering += scale * total * factors.total;
        opacity.scattering_first += scale * corrected;
    }
    opacity
}

/// The mean over `helicities`; 1 without any.
fn mean_recoil(current: &NucleonCurrent, energy: f64, helicities: &[Helicity]) -> RecoilFactors {
    if helicities.is_empty() {
        return RecoilFactors { total: 1.0, transport: 1.0 };
    }
    let share = 1.0 / helicities.len() as f64;
    let mut mean = RecoilFactors { total: 0.0, transport: 0.0 };
    for &helicity in helicities {
        let factors = current.recoil(energy, helicity);
        mean.total += share * factors.total;
        mean.transport += share * factors.transport;
    }
    mean
}

/// Nucleons whose recoil states are not blocked [1/cm³]: n ξ/√(1 + ξ²), ξ = 3T/(2E_F), with the Fermi
/// energy E_F = (ħc)²(3π²n)^(2/3)/(2m). Mezzacappa & Bruenn's bridge between n (ξ → ∞) and the
/// degenerate limit 3nT/(2E_F) of T ∂n/∂μ.
fn unblocked_density(density: f64, temperature: f64, constants: &WeakConstants) -> f64 {
    if density == 0.0 {
        return 0.0;
    }
    let momentum = constants.hbar_c * (3.0 * PI * PI * density).cbrt();
    let fermi_energy = momentum * momentum / (2.0 * constants.kinetic_mass);
    let ratio = 1.5 * temperature / fermi_energy;
    density * ratio / (1.0_f64).hypot(ratio)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::background::MatterState;
    use crate::opacities::fermi_gas::{NucleonGas, unblocked_fraction};

    fn prepare(density: f64, temperature: f64, neutron_fraction: f64) -> NuclearMatter {
        let state = MatterState {
            density,
            temperature,
            electron_fraction: 1.0 - neutron_fraction,
            neutron_fraction,
            proton_fraction: 1.0 - neutron_fraction,
            ..MatterState::default()
        };
        NuclearMatter::new(&state, &WeakConstants::default()).unwrap().unwrap()
    }

    /// σ₀ and σ₁ are the moments of dσ/dΩ, integrated here by the midpoint rule.
    #[test]
    fn moments_are_those_of_the_differential_cross_section() {
        let c = WeakConstants::default();
        let matter = prepare(1e8, 2.0, 0.7);
        let energy = 15.0;
        let (mut total, mut first) = (0.0, 0.0);
        let steps = 2000;
        for step in 0..steps {
            let cosine = -1.0 + (f64::from(step) + 0.5) * 2.0 / f64::from(steps);
            let angular =
                |vector: f64, axial: f64| vector * vector * (1.0 + cosine) + axial * axial * (3.0 - cosine);
            let couplings = matter.neutron_density * angular(-0.5, -0.5 * c.axial_coupling)
                + matter.proton_density * angular(0.5 - 2.0 * c.weak_mixing, 0.5 * c.axial_coupling);
            let per_length = (c.fermi_constant * c.hbar_c * energy / (2.0 * PI)).powi(2) * couplings;
            let solid_angle = 4.0 * PI / f64::from(steps);
            total += per_length * solid_angle;
            first += per_length * cosine * solid_angle;
        }
        let opacity = nucleon_scattering(energy, &matter, &c);
        // Blocking at 1e8 g/cm³ and 2 MeV is below 1e-8.
        assert!((opacity.scattering / total - 1.0).abs() < 1e-6);
        assert!((opacity.scattering_first / first - 1.0).abs() < 1e-5);
        assert_eq!((opacity.absorption, opacity.emissivity), (0.0, 0.0));
    }

    /// The bridge of Mezzacappa & Bruenn (1993) against T ∂n/∂μ of the Fermi gas: both limits, and at
    /// most 5 % off between them.
    #[test]
    fn blocking_bridges_the_exact_one() {
        let c = WeakConstants::default();
        let mut worst: f64 = 0.0;
        for step in 0..=60 {
            let density = 1e33 * 10f64.powf(f64::from(step) / 10.0);
            let gas = NucleonGas { mass: c.kinetic_mass, hbar_c: c.hbar_c, temperature: 5.0 };
            let eta = gas.degeneracy(density).unwrap();
            let exact = density * unblocked_fraction(eta, eta);
            let difference = unblocked_density(density, 5.0, &c) / exact - 1.0;
            worst = worst.max(difference.abs());
            if step == 0 || step == 60 {
                assert!(difference.abs() < 2e-3, "{density:e}: {difference}");
            }
        }
        println!("largest difference {worst:.3}");
        assert!(worst > 0.02 && worst < 0.05, "{worst}");
    }

    #[test]
    fn empty_matter_does_not_scatter() {
        let c = WeakConstants::default();
        let matter = NuclearMatter { neutron_density: 0.0, proton_density: 0.0, ..prepare(1e10, 1.0, 0.5) };
        assert_eq!(nucleon_scattering(20.0, &matter, &c), LocalOpacity::default());
    }
}
