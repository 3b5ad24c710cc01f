//! Constants of the weak interaction of nucleons.

use std::f64::consts::PI;

use crate::constants::{
    AXIAL_COUPLING, ELECTRON_MASS, FERMI_CONSTANT, HBAR_C, NEUTRON_MASS, PROTON_MASS, UP_DOWN_MIXING,
    WEAK_MIXING,
};

/// What the rates on nucleons take from particle physics. The default is the project's set of
/// [`crate::constants`]; another code's set makes its numbers comparable.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WeakConstants {
    /// G_F/(ħc)³ [MeV⁻²].
    pub fermi_constant: f64,
    /// V_ud, which multiplies charged-current amplitudes (1 in Bruenn 1985).
    pub up_down_mixing: f64,
    /// g_A (the vector coupling is 1).
    pub axial_coupling: f64,
    /// sin²θ_W.
    pub weak_mixing: f64,
    /// ħc [MeV cm].
    pub hbar_c: f64,
    /// Rest energies \[MeV\].
    pub electron_mass: f64,
    pub neutron_mass: f64,
    pub proton_mass: f64,
    /// Mass of both nucleons in their kinetic energies \[MeV\]: with a common one, final-state blocking
    /// keeps detailed balance (eq. C14 of Bruenn 1985). By default the mean of the two.
    pub kinetic_mass: f64,
}

impl Default for WeakConstants {
    fn default() -> Self {
        Self {
            fermi_constant: FERMI_CONSTANT,
            up_down_mixing: UP_DOWN_MIXING,
            axial_coupling: AXIAL_COUPLING,
            weak_mixing: WEAK_MIXING,
            hbar_c: HBAR_C,
            electron_mass: ELECTRON_MASS,
            neutron_mass: NEUTRON_MASS,
            proton_mass: PROTON_MASS,
            kinetic_mass: 0.5 * (NEUTRON_MASS + PROTON_MASS),
        }
    }
}

impl WeakConstants {
    /// G_F²(ħc)²/π [cm²/MeV²]: a cross-section is this times a squared energy and couplings.
    pub fn cross_section_scale(&self) -> f64 {
        (self.fermi_constant * self.hbar_c).powi(2) / PI
    }

    /// Δ = m_n − m_p \[MeV\].
    pub fn mass_difference(&self) -> f64 {
        self.neutron_mass - self.proton_mass
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same couplings give the lifetime of the free neutron, 878.4 ± 0.5 s (Particle Data Group
    /// 2022): 1/τ = m_e⁵ G_F² V_ud² (1 + 3 g_A²) f/(2π³ħ), f = 1.6887 with Coulomb and 1.03886 with
    /// radiative corrections (Czarnecki, Marciano & Sirlin 2018).
    #[test]
    fn couplings_give_the_neutron_lifetime() {
        let weak = WeakConstants::default();
        let hbar = weak.hbar_c / crate::constants::SPEED_OF_LIGHT;
        let strength = (weak.fermi_constant * weak.up_down_mixing).powi(2);
        let rate = weak.electron_mass.powi(5) * strength * (1.0 + 3.0 * weak.axial_coupling.powi(2)) * 1.6887
            / (2.0 * PI.powi(3) * hbar)
            * 1.03886;
        assert!((1.0 / rate - 878.4).abs() < 3.0, "{} s", 1.0 / rate);
    }
}
