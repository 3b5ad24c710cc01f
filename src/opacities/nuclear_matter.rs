//! What reactions on free nucleons need to know of the matter; found once per radius.

use crate::background::MatterState;
use crate::constants::ATOMIC_MASS_UNIT;
use crate::error::{Error, Result};

use super::fermi_gas::{ElectronGas, NucleonGas, unblocked_fraction};
use super::weak::WeakConstants;

/// Free nucleons and leptons at one radius.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NuclearMatter {
    /// T \[MeV\].
    pub temperature: f64,
    /// Free neutrons and protons [1/cm³].
    pub neutron_density: f64,
    pub proton_density: f64,
    /// μ_e [MeV, with rest mass].
    pub electron_potential: f64,
    /// μ_νe = μ_e + μ_p − μ_n \[MeV\]; ±∞ where one kind of nucleon is missing and the matter does not
    /// state its chemical potential.
    pub neutrino_potential: f64,
    /// Neutrons that a charged-current reaction turns into protons.
    pub neutron_capture: CaptureTargets,
    /// Protons that a charged-current reaction turns into neutrons.
    pub proton_capture: CaptureTargets,
}

/// Targets of n → p (or p → n) with their final states blocked, and of the reaction back, as
/// density·e^exponent: the exponents are large in cold degenerate matter, where only their sums with
/// those of the leptons are moderate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CaptureTargets {
    /// [1/cm³]
    pub density: f64,
    pub forward: f64,
    pub backward: f64,
}

impl NuclearMatter {
    /// Densities from mass fractions (n = ρX/m_u), chemical potentials from the matter where it states
    /// them and from ideal gases otherwise; `None` where there is no matter (ρ = 0).
    ///
    /// The blocking of final states always follows from the free nucleons' own densities. With ideal
    /// chemical potentials that is eq. (C14) of Bruenn (1985); with those of an interacting equation of
    /// state it keeps 0 ≤ η_np ≤ n_n, which (C14) then does not, because mean fields shift μ_n − μ_p
    /// without blocking anything. The reaction back follows by detailed balance.
    ///
    /// # Errors
    /// Density, fractions or temperature that are negative or not finite, T = 0.
    pub fn new(matter: &MatterState, constants: &WeakConstants) -> Result<Option<Self>> {
        check(matter)?;
        if matter.density == 0.0 {
            return Ok(None);
        }
        let temperature = matter.temperature;
        let baryons = matter.density / ATOMIC_MASS_UNIT;
        let (neutrons, protons) = (baryons * matter.neutron_fraction, baryons * matter.proton_fraction);
        let gas = NucleonGas { mass: constants.kinetic_mass, hbar_c: constants.hbar_c, temperature };
        let degeneracies = Degeneracies {
            neutrons: gas.degeneracy(neutrons)?,
            protons: gas.degeneracy(protons)?,
            stated_difference: stated_difference(matter, constants),
        };
        let electron_potential = electron_potential(matter, constants, baryons)?;
        let difference = degeneracies.difference() * temperature - constants.mass_difference();
        let (neutron_capture, proton_capture) = degeneracies.captures(neutrons, protons);
        Ok(Some(Self {
            temperature,
            neutron_density: neutrons,
            proton_density: protons,
            electron_potential,
            neutrino_potential: electron_potential + difference,
            neutron_capture,
            proton_capture,
        }))
    }

    /// The same matter with all final states of captured nucleons free: Bruenn's η_np = n_n, η_pn = n_p.
    #[must_use]
    pub fn without_nucleon_blocking(&self, constants: &WeakConstants) -> Self {
        let difference = (self.neutrino_potential - self.electron_potential + constants.mass_difference())
            / self.temperature;
        let targets = |density, backward| CaptureTargets { density, forward: 0.0, backward };
        Self {
            neutron_capture: targets(self.neutron_density, difference),
            proton_capture: targets(self.proton_density, -difference),
            ..*self
        }
    }
}

/// Degeneracy parameters η = (μ − mc²)/T of free nucleons.
struct Degeneracies {
    neutrons: f64,
    protons: f64,
    /// η_p − η_n from the matter's own chemical potentials.
    stated_difference: Option<f64>,
}

impl Degeneracies {
    /// η_p − η_n; 0 where there are no free nucleons.
    fn difference(&self) -> f64 {
        let ideal = if self.protons == self.neutrons { 0.0 } else { self.protons - self.neutrons };
        self.stated_difference.unwrap_or(ideal)
    }

    /// Targets of n → p and of p → n. The blocked density of the more degenerate kind is its unblocked
    /// fraction; that of the other is smaller by e^−|η_p − η_n|.
    fn captures(&self, neutrons: f64, protons: f64) -> (CaptureTargets, CaptureTargets) {
        let (major, minor, density) = if self.neutrons >= self.protons {
            (self.neutrons, self.protons, neutrons)
        } else {
            (self.protons, self.neutrons, protons)
        };
        let density = density * unblocked_fraction(major, minor);
        let ideal = if self.protons == self.neutrons { 0.0 } else { self.protons - self.neutrons };
        let (from_neutrons, from_protons) = ((-ideal).min(0.0), ideal.min(0.0));
        let targets = |forward: f64, ideal_backward: f64, stated: Option<f64>| CaptureTargets {
            density,
            forward,
            backward: stated.map_or(ideal_backward, |difference| forward + difference),
        };
        (
            targets(from_neutrons, from_protons, self.stated_difference),
            targets(from_protons, from_neutrons, self.stated_difference.map(|difference| -difference)),
        )
    }
}

/// [(μ_p − m_p) − (μ_n − m_n)]/T where the matter states both potentials.
fn stated_difference(matter: &MatterState, constants: &WeakConstants) -> Option<f64> {
    let neutron = matter.neutron_chemical_potential?;
    let proton = matter.proton_chemical_potential?;
    Some((proton - neutron + constants.mass_difference()) / matter.temperature)
}

fn electron_potential(matter: &MatterState, constants: &WeakConstants, baryons: f64) -> Result<f64> {
    let gas = ElectronGas {
        mass: constants.electron_mass,
        hbar_c: constants.hbar_c,
        temperature: matter.temperature,
    };
    matter
        .electron_chemical_potential
        .map_or_else(|| gas.chemical_potential(baryons * matter.electron_fraction), Ok)
}

fn check(matter: &MatterState) -> Result<()> {
    let non_negative = [
        ("density [g/cm3]", matter.density),
        ("electron_fraction", matter.electron_fraction),
        ("neutron_fraction", matter.neutron_fraction),
        ("proton_fraction", matter.proton_fraction),
    ];
    if let Some((name, value)) = non_negative.iter().find(|(_, value)| !(value.is_finite() && *value >= 0.0))
    {
        return Err(Error::Numerical(format!("matter: {name} is {value:e}; valid: a finite number >= 0")));
    }
    if matter.density > 0.0 && !(matter.temperature.is_finite() && matter.temperature > 0.0) {
        return Err(Error::Numerical(format!(
            "matter: temperature [MeV] is {:e}; valid: a finite number > 0",
            matter.temperature
        )));
    }
    Ok(())
}
