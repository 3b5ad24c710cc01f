//! νe + A(Z, N) ⇌ A(Z+1, N−1) + e⁻ by the 1f₇/₂ → 1f₅/₂ Gamow-Teller transition, after Fuller, Fowler &
//! Newman (1982), ApJ 252, 715, and Bruenn (1985), ApJS 58, 771, eqs. (C27)–(C29).

use super::LocalOpacity;
use super::fermi_gas::fermi_dirac;
use super::nuclear_matter::NuclearMatter;
use super::nuclei::NuclearSpecies;
use super::weak::WeakConstants;
use crate::error::{Error, Result};

/// Energy of the 1f₅/₂ state of the daughter above its ground state \[MeV\].
const EXCITATION: f64 = 3.0;

/// Absorption and emission of νe at the energy `energy` \[MeV\]. With E = ε + Q′, Q′ = μ_n − μ_p + 3 MeV:
///
/// ```text
/// j   = (G_F²(ħc)²/π) V_ud² (2/7) g_A² N_p(Z) N_h(N) E √(E² − m_e²) n F(E)
/// 1/λ = the same · [1 − F(E)] e^((μ_n − μ_p − Q′)/T),    κ* = 1/λ + j,    f_eq with μ_ν
/// ```
///
/// Nothing for E < m_e. Without free neutrons and where the matter does not state chemical potentials,
/// μ_n → −∞ and with it E: nothing either.
///
/// # Errors
/// μ_n − μ_p → ∞: free protons are missing and the matter does not state its chemical potentials.
pub fn nucleus_absorption(
    energy: f64,
    nuclei: &NuclearSpecies,
    matter: &NuclearMatter,
    constants: &WeakConstants,
) -> Result<LocalOpacity> {
    let transitions = protons_in_f7(nuclei.charge) * holes_in_f5(nuclei.mass_number - nuclei.charge);
    if nuclei.density == 0.0 || transitions == 0.0 {
        return Ok(LocalOpacity::default());
    }
    let difference = matter.electron_potential - matter.neutrino_potential;
    if difference == f64::NEG_INFINITY {
        return Ok(LocalOpacity::default());
    }
    if !difference.is_finite() {
        return Err(Error::Numerical(
            "absorption on nuclei needs mu_n - mu_p, and the matter has free neutrons but no free protons; \
             valid: chemical potentials in the profile, or absorption on nuclei switched off"
                .to_owned(),
        ));
    }
    let lepton = energy + difference + EXCITATION;
    if lepton <= constants.electron_mass {
        return Ok(LocalOpacity::default());
    }
    let momentum = ((lepton - constants.electron_mass) * (lepton + constants.electron_mass)).sqrt();
    let couplings = 2.0 / 7.0 * (constants.up_down_mixing * constants.axial_coupling).powi(2) * transitions;
    let cross_section = constants.cross_section_scale() * couplings * lepton * momentum;
    let occupied = fermi_dirac((lepton - matter.electron_potential) / matter.temperature);
    let empty = fermi_dirac((matter.electron_potential - lepton) / matter.temperature);
    let targets = empty * (-EXCITATION / matter.temperature).exp() + occupied;
    let equilibrium = fermi_dirac((energy - matter.neutrino_potential) / matter.temperature);
    Ok(LocalOpacity::absorbing(nuclei.density * cross_section * targets, equilibrium))
}

/// N_p(Z): protons in 1f₇/₂ of a simple shell model.
fn protons_in_f7(charge: f64) -> f64 {
    (charge - 20.0).clamp(0.0, 8.0)
}

/// N_h(N): neutron holes in 1f₅/₂.
fn holes_in_f5(neutrons: f64) -> f64 {
    (40.0 - neutrons).clamp(0.0, 6.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::background::MatterState;

    fn matter(neutron: f64, proton: f64) -> NuclearMatter {
        let state = MatterState {
            density: 1e11,
            temperature: 1.2,
            electron_fraction: 0.4,
            neutron_fraction: neutron,
            proton_fraction: proton,
            ..MatterState::default()
        };
        NuclearMatter::new(&state, &WeakConstants::default()).unwrap().unwrap()
    }

    const IRON: NuclearSpecies = NuclearSpecies { density: 1e32, mass_number: 60.0, charge: 26.0 };

    #[rstest::rstest]
    #[case(18.0, 30.0, 0.0, 6.0)]
    #[case(26.0, 34.0, 6.0, 6.0)]
    #[case(27.5, 36.5, 7.5, 3.5)]
    #[case(30.0, 42.0, 8.0, 0.0)]
    fn shells_are_filled_one_after_another(
        #[case] charge: f64,
        #[case] neutrons: f64,
        #[case] protons: f64,
        #[case] holes: f64,
    ) {
        assert_eq!((protons_in_f7(charge), holes_in_f5(neutrons)), (protons, holes));
    }

    /// j λ = e^(−(ε−μ_ν)/T), with 1/λ and j as in (C27)–(C29).
    #[test]
    fn emission_balances_absorption() {
        let (c, matter) = (WeakConstants::default(), matter(0.1, 0.01));
        for energy in [0.5, 3.0, 12.0, 40.0] {
            let opacity = nucleus_absorption(energy, &IRON, &matter, &c).unwrap();
            let lepton = energy + matter.electron_potential - matter.neutrino_potential + EXCITATION;
            let sigma = c.cross_section_scale()
                * (2.0 / 7.0)
                * (c.up_down_mixing * c.axial_coupling).powi(2)
                * 36.0
                * lepton
                * (lepton * lepton - c.electron_mass * c.electron_mass).sqrt();
            let x = (lepton - matter.electron_potential) / matter.temperature;
            let emission = sigma * IRON.density / (x.exp() + 1.0);
            assert!((opacity.emissivity / emission - 1.0).abs() < 1e-12, "{energy}");
        }
    }

    #[test]
    fn closed_shells_and_empty_matter_do_not_absorb() {
        let (c, matter) = (WeakConstants::default(), matter(0.1, 0.01));
        let heavier = NuclearSpecies { mass_number: 80.0, charge: 30.0, ..IRON };
        let none = NuclearSpecies { density: 0.0, ..IRON };
        for nuclei in [heavier, none] {
            assert_eq!(nucleus_absorption(10.0, &nuclei, &matter, &c).unwrap(), LocalOpacity::default());
        }
    }

    /// The limit of few neutrons: the threshold rises with −T ln X_n.
    #[test]
    fn without_free_neutrons_nothing_is_absorbed() {
        let c = WeakConstants::default();
        let at = |neutron| nucleus_absorption(10.0, &IRON, &matter(neutron, 0.1), &c).unwrap();
        assert!(at(1e-3).absorption > 0.0);
        for neutron in [1e-12, 0.0] {
            assert_eq!(at(neutron), LocalOpacity::default());
        }
    }

    #[test]
    fn unknown_potentials_are_an_error() {
        let error = nucleus_absorption(10.0, &IRON, &matter(0.1, 0.0), &WeakConstants::default());
        assert!(error.unwrap_err().to_string().contains("chemical potentials"));
    }
}
