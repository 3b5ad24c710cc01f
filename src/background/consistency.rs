//! How far the matter's composition and chemical potentials contradict each other.

use super::MatterState;
use crate::constants::ATOMIC_MASS_UNIT;
use crate::opacities::fermi_gas::{ElectronGas, NucleonGas};
use crate::opacities::weak::WeakConstants;

/// Differences of mass-fraction sums and charges that are not worth a word.
const FRACTION_TOLERANCE: f64 = 1e-3;
/// The same for chemical potentials, in units of max(T, 1 MeV).
const POTENTIAL_TOLERANCE: f64 = 0.05;
/// Share of μ_e that is not worth a word on top: equations of state count baryons with m_n or m_u, which
/// changes the density of electrons by 0.9 % and μ_e by a third of that.
const BARYON_MASS_TOLERANCE: f64 = 5e-3;
/// Below this density [g/cm³] interactions shift μ_n − μ_p by less than 0.1 MeV.
const DILUTE: f64 = 1e11;
/// Free nucleons are compared with ideal gases where they are at least this share of the mass.
const FREE: f64 = 0.1;

/// The largest contradiction of one kind, and where it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contradiction {
    pub kind: ContradictionKind,
    /// Internal length.
    pub r: f64,
    /// What the matter says.
    pub stated: f64,
    /// What follows from the rest.
    pub expected: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContradictionKind {
    /// X_n + X_p + X_α + X_h against 1.
    MassFractions,
    /// Y_e against X_p + X_α/2 + X_h Z/A.
    Charge,
    /// μ_e against the ideal gas of electrons and positrons \[MeV\].
    ElectronPotential,
    /// μ_n − μ_p against ideal gases of free nucleons below 1e11 g/cm³, which together with μ_e gives μ_ν in
    /// beta equilibrium \[MeV\].
    BetaEquilibrium,
}

impl Contradiction {
    /// The contradictions of one state that are larger than their tolerance, each with its size in units of
    /// the tolerance.
    fn of(r: f64, matter: &MatterState) -> Vec<(f64, Self)> {
        let fractions = FRACTION_TOLERANCE;
        let potentials = POTENTIAL_TOLERANCE * matter.temperature.max(1.0);
        let electrons = electron_potentials(matter);
        let electron_tolerance =
            potentials + BARYON_MASS_TOLERANCE * electrons.map_or(0.0, |(_, ideal)| ideal.abs());
        let pairs = [
            (ContradictionKind::MassFractions, Some((mass(matter), 1.0)), fractions),
            (ContradictionKind::Charge, Some((matter.electron_fraction, charge(matter))), fractions),
            (ContradictionKind::ElectronPotential, electrons, electron_tolerance),
            (ContradictionKind::BetaEquilibrium, nucleon_differences(matter), potentials),
        ];
        pairs
            .into_iter()
            .filter_map(|(kind, pair, tolerance)| {
                let (stated, expected) = pair?;
                let size = (stated - expected).abs() / tolerance;
                (size > 1.0).then_some((size, Self { kind, r, stated, expected }))
            })
            .collect()
    }

    /// One line for people; `length` is the unit of r with a blank before it.
    pub fn describe(&self, length: &str) -> String {
        let (stated, expected) = (self.stated, self.expected);
        let difference = stated - expected;
        let what = match self.kind {
            ContradictionKind::MassFractions => {
                format!("mass fractions add up to {stated:.6} instead of 1")
            }
            ContradictionKind::Charge => format!(
                "electron_fraction is {stated:.6}, and the composition has {expected:.6} protons per baryon"
            ),
            ContradictionKind::ElectronPotential => format!(
                "the electron chemical potential is {stated:.4} MeV, {difference:+.4} MeV from that of an ideal \
                 gas of electrons and positrons; does it include the rest mass?"
            ),
            ContradictionKind::BetaEquilibrium => format!(
                "mu_n - mu_p is {stated:.4} MeV, {difference:+.4} MeV from that of ideal free nucleons, and shifts \
                 mu_nu in beta equilibrium by as much; is `chemical_potentials` the table's convention?"
            ),
        };
        format!("{what} (largest difference, at r = {:.6e}{length})", self.r)
    }
}

/// The largest contradiction of each kind among the states at some radii.
pub(super) fn contradictions(states: impl Iterator<Item = (f64, MatterState)>) -> Vec<Contradiction> {
    let mut largest: Vec<(f64, Contradiction)> = Vec::new();
    for (size, found) in states.flat_map(|(r, matter)| Contradiction::of(r, &matter)) {
        match largest.iter_mut().find(|(_, known)| known.kind == found.kind) {
            Some(known) if known.0 < size => *known = (size, found),
            Some(_) => {}
            None => largest.push((size, found)),
        }
    }
    largest.into_iter().map(|(_, contradiction)| contradiction).collect()
}

fn mass(matter: &MatterState) -> f64 {
    matter.neutron_fraction + matter.proton_fraction + matter.alpha_fraction + matter.heavy_fraction
}

fn charge(matter: &MatterState) -> f64 {
    let heavy = if matter.heavy_fraction > 0.0 && matter.heavy_mass_number > 0.0 {
        matter.heavy_fraction * matter.heavy_charge / matter.heavy_mass_number
    } else {
        0.0
    };
    matter.proton_fraction + 0.5 * matter.alpha_fraction + heavy
}

/// Stated and ideal μ_e.
fn electron_potentials(matter: &MatterState) -> Option<(f64, f64)> {
    let constants = WeakConstants::default();
    let gas = ElectronGas {
        mass: constants.electron_mass,
        hbar_c: constants.hbar_c,
        temperature: matter.temperature,
    };
    let density = matter.density / ATOMIC_MASS_UNIT * matter.electron_fraction;
    Some((matter.electron_chemical_potential?, gas.chemical_potential(density).ok()?))
}

/// Stated and ideal μ_n − μ_p where free nucleons are dilute and not rare.
fn nucleon_differences(matter: &MatterState) -> Option<(f64, f64)> {
    let free = matter.neutron_fraction.min(matter.proton_fraction);
    if matter.density > DILUTE || free < FREE {
        return None;
    }
    let constants = WeakConstants::default();
    let gas = NucleonGas {
        mass: constants.kinetic_mass,
        hbar_c: constants.hbar_c,
        temperature: matter.temperature,
    };
    let degeneracy = |fraction: f64| gas.degeneracy(matter.density / ATOMIC_MASS_UNIT * fraction).ok();
    let ideal = (degeneracy(matter.neutron_fraction)? - degeneracy(matter.proton_fraction)?)
        * matter.temperature
        + constants.mass_difference();
    Some((matter.neutron_chemical_potential? - matter.proton_chemical_potential?, ideal))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Free nucleons and electrons with their ideal chemical potentials.
    fn ideal() -> MatterState {
        let bare = MatterState {
            density: 1e10,
            temperature: 2.0,
            electron_fraction: 0.4,
            neutron_fraction: 0.6,
            proton_fraction: 0.4,
            electron_chemical_potential: Some(0.0),
            neutron_chemical_potential: Some(0.0),
            proton_chemical_potential: Some(0.0),
            ..MatterState::default()
        };
        let difference = nucleon_differences(&bare).unwrap().1;
        MatterState {
            electron_chemical_potential: electron_potentials(&bare).map(|pair| pair.1),
            neutron_chemical_potential: Some(930.0 + difference),
            proton_chemical_potential: Some(930.0),
            ..bare
        }
    }

    fn kinds(matter: MatterState) -> Vec<ContradictionKind> {
        contradictions([(1e6, matter)].into_iter()).iter().map(|found| found.kind).collect()
    }

    #[test]
    fn ideal_matter_is_consistent() {
        assert!(kinds(ideal()).is_empty());
    }

    #[test]
    fn each_contradiction_is_found_and_quantified() {
        let ideal = ideal();
        let no_alphas = MatterState { neutron_fraction: 0.5, ..ideal };
        assert_eq!(kinds(no_alphas), [ContradictionKind::MassFractions, ContradictionKind::BetaEquilibrium]);
        let charged = MatterState { electron_fraction: 0.41, electron_chemical_potential: None, ..ideal };
        assert_eq!(kinds(charged), [ContradictionKind::Charge]);
        let without_mass = MatterState {
            electron_chemical_potential: ideal.electron_chemical_potential.map(|mu| mu - 0.511),
            ..ideal
        };
        assert_eq!(kinds(without_mass), [ContradictionKind::ElectronPotential]);
        // Potentials relative to each nucleon's own mass, taken for ones with rest mass.
        let convention = MatterState {
            neutron_chemical_potential: ideal.neutron_chemical_potential.map(|mu| mu - 939.565),
            proton_chemical_potential: ideal.proton_chemical_potential.map(|mu| mu - 938.272),
            ..ideal
        };
        let found = contradictions([(1e6, ideal), (2e6, convention)].into_iter());
        assert_eq!(found.len(), 1);
        let text = found[0].describe(" cm");
        assert!(text.contains("-1.293") && text.contains("r = 2.000000e6 cm"), "{text}");
    }
}
