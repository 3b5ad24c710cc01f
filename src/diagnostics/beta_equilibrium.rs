//! Trapped lepton number, and how far the neutrinos are from beta equilibrium with the matter.

use std::f64::consts::PI;

use rayon::prelude::*;

use crate::background::MatterState;
use crate::constants::{ATOMIC_MASS_UNIT, HBAR_C};
use crate::error::Result;
use crate::methods::setup::Setup;
use crate::opacities::nuclear_matter::NuclearMatter;
use crate::opacities::weak::WeakConstants;
use crate::output::dataset::Dataset;
use crate::parallel::in_order;
use crate::phase_space::{EnergyGrid, PhaseSpace};
use crate::problem::file::Flavour;

use super::moments::Moments;

/// Largest departure that counts as beta equilibrium.
pub const EQUILIBRIUM: f64 = 0.1;

/// Lepton number at one radius.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrappedLeptons {
    /// Y_ν = (n_νe − n_ν̄e) m_u/ρ.
    pub neutrino_fraction: f64,
    /// Y_L = Y_e + Y_ν.
    pub lepton_fraction: f64,
    /// μ_ν \[MeV\] at which a gas at the matter's temperature has the net number of neutrinos.
    pub potential: f64,
    /// μ_e + μ_p − μ_n \[MeV\]; infinite where one kind of nucleon is missing.
    pub equilibrium_potential: f64,
    /// |μ_ν − (μ_e + μ_p − μ_n)| over the largest of both magnitudes and T, 0 to 2; 1 where there is no
    /// matter or where one kind of nucleon is missing.
    pub departure: f64,
}

/// What there is without matter.
const NOTHING: TrappedLeptons = TrappedLeptons {
    neutrino_fraction: 0.0,
    lepton_fraction: 0.0,
    potential: 0.0,
    equilibrium_potential: 0.0,
    departure: 1.0,
};

impl TrappedLeptons {
    /// Lepton number in `matter` with the net density `net` = n_νe − n_ν̄e [1/cm³].
    ///
    /// # Errors
    /// Matter that has no chemical potentials (see [`NuclearMatter::new`]).
    pub fn new(matter: &MatterState, net: f64) -> Result<Self> {
        let Some(nuclear) = NuclearMatter::new(matter, &WeakConstants::default())? else {
            return Ok(NOTHING);
        };
        let neutrino_fraction = net * ATOMIC_MASS_UNIT / matter.density;
        let potential = neutrino_potential(net, matter.temperature);
        Ok(Self {
            neutrino_fraction,
            lepton_fraction: matter.electron_fraction + neutrino_fraction,
            potential,
            equilibrium_potential: nuclear.neutrino_potential,
            departure: departure(potential, nuclear.neutrino_potential, matter.temperature),
        })
    }
}

/// Chemical potential \[MeV\] of massless neutrinos and antineutrinos in equilibrium at `temperature`
/// \[MeV\] whose densities differ by `net` [1/cm³]: the real root of μ³ + π²T²μ = 6π²(ħc)³ n, exact at any
/// degeneracy.
pub fn neutrino_potential(net: f64, temperature: f64) -> f64 {
    // x³ + px = q with p > 0: x = 2√(p/3) sinh(⅓ asinh(3q/(2p) √(3/p))), which does not cancel.
    let p = (PI * temperature).powi(2);
    let q = 6.0 * PI * PI * HBAR_C.powi(3) * net;
    2.0 * (p / 3.0).sqrt() * ((1.5 * q / p * (3.0 / p).sqrt()).asinh() / 3.0).sinh()
}

fn departure(potential: f64, equilibrium: f64, temperature: f64) -> f64 {
    if equilibrium.is_infinite() {
        return 1.0;
    }
    (potential - equilibrium).abs() / potential.abs().max(equilibrium.abs()).max(temperature)
}

/// n_νe − n_ν̄e [1/cm³] at the radial nodes.
fn net_density(space: &PhaseSpace, states: f64, moments: &Moments) -> Vec<f64> {
    let radii = space.radial.nodes.len();
    let mut net = vec![0.0; radii];
    for (s, species) in space.species.iter().enumerate() {
        let lepton = species.flavour.electron_lepton_number();
        for k in 0..space.energy.len() {
            let weight = space.energy.weight(k) * space.energy.node(k).powi(2);
            let j = &moments.j[(s * space.energy.len() + k) * radii..][..radii];
            net.iter_mut()
                .zip(j)
                .for_each(|(net, j)| *net += states * lepton * species.multiplicity * weight * j);
        }
    }
    net
}

/// Why a problem has no electron-lepton number that could be compared with its matter.
pub(super) fn reason_without_leptons(setup: &Setup) -> Option<&'static str> {
    let has = |flavour: Flavour| setup.phase_space.species.iter().any(|s| s.flavour == flavour);
    if !setup.units.physical {
        Some("a dimensionless problem")
    } else if setup.phase_space.energy == EnergyGrid::Gray {
        Some("a gray problem: f says nothing about the number of neutrinos per energy")
    } else if !(has(Flavour::ElectronNeutrino) && has(Flavour::ElectronAntineutrino)) {
        Some("electron neutrinos or antineutrinos are not followed")
    } else if setup.phase_space.radial.nodes.iter().all(|&r| setup.background.matter(r).is_none()) {
        Some("the problem has no matter")
    } else {
        None
    }
}

/// The lepton numbers at all radial nodes.
///
/// # Errors
/// Why there are none.
pub fn trapped_leptons(setup: &Setup, moments: &Moments) -> std::result::Result<Vec<TrappedLeptons>, String> {
    if let Some(reason) = reason_without_leptons(setup) {
        return Err(reason.to_owned());
    }
    let space = &setup.phase_space;
    let states = 4.0 * PI / setup.units.planck_c_cubed();
    let net = net_density(space, states, moments);
    let at = |(&r, &net): (&f64, &f64)| {
        setup.background.matter(r).map_or(Ok(NOTHING), |matter| TrappedLeptons::new(&matter, net))
    };
    in_order(space.radial.nodes.par_iter().zip(&net).map(at)).map_err(|error| error.to_string())
}

/// The radius up to which all departures from the innermost node on are at most [`EQUILIBRIUM`], by linear
/// interpolation between nodes; the last node where all are, `None` where the first is not.
pub fn equilibrium_radius(r: &[f64], departure: &[f64]) -> Option<f64> {
    let Some(first) = departure.iter().position(|d| *d > EQUILIBRIUM) else { return r.last().copied() };
    let inside = first.checked_sub(1)?;
    let share = (EQUILIBRIUM - departure[inside]) / (departure[first] - departure[inside]);
    Some(r[inside] + share * (r[first] - r[inside]))
}

/// Adds the lepton numbers to `dataset`, or the attribute `beta_equilibrium_omitted` that says why there
/// are none.
pub(crate) fn add_trapped_leptons(dataset: &mut Dataset, setup: &Setup, moments: &Moments) {
    let all = match trapped_leptons(setup, moments) {
        Ok(all) => all,
        Err(reason) => {
            dataset.attribute("beta_equilibrium_omitted", reason);
            return;
        }
    };
    let finite = |value: f64| if value.is_finite() { value } else { 0.0 };
    let column = |value: fn(&TrappedLeptons) -> f64| all.iter().map(|l| finite(value(l))).collect::<Vec<_>>();
    let departure = column(|l| l.departure);
    let radius = equilibrium_radius(&setup.phase_space.radial.nodes, &departure).unwrap_or(0.0);
    dataset.attribute("beta_equilibrium_radius", radius);
    for (name, unit, meaning, values) in [
        (
            "neutrino_fraction",
            "1",
            "electron neutrinos minus antineutrinos per baryon",
            column(|l| l.neutrino_fraction),
        ),
        ("lepton_fraction", "1", "electron_fraction + neutrino_fraction", column(|l| l.lepton_fraction)),
        (
            "neutrino_potential",
            "MeV",
            "chemical potential of a gas at the matter's temperature with neutrino_fraction",
            column(|l| l.potential),
        ),
        (
            "neutrino_potential_equilibrium",
            "MeV",
            "mu_e + mu_p - mu_n, 0 where a kind of nucleon is missing",
            column(|l| l.equilibrium_potential),
        ),
        (
            "beta_departure",
            "1",
            "difference of the two potentials over the largest of both and the temperature",
            departure,
        ),
    ] {
        dataset.real(name, &["r"], unit, meaning, values);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::opacities::fermi_gas::ElectronGas;
    use approx::assert_relative_eq;

    /// A massless gas of half as many states as the electrons', by their quadrature.
    #[test]
    fn the_potential_gives_its_density_back() {
        for temperature in [0.5, 5.0, 30.0] {
            for potential in [1e-6, 0.1, 3.0, 200.0] {
                let gas = ElectronGas { mass: 1e-9, hbar_c: HBAR_C, temperature };
                let net = 0.5 * gas.net_density(potential);
                assert_relative_eq!(neutrino_potential(net, temperature), potential, max_relative = 1e-12);
                assert_relative_eq!(neutrino_potential(-net, temperature), -potential, max_relative = 1e-12);
            }
        }
        assert_eq!(neutrino_potential(0.0, 5.0), 0.0);
    }

    fn matter() -> MatterState {
        MatterState {
            density: 1e13,
            temperature: 10.0,
            electron_fraction: 0.15,
            neutron_fraction: 0.85,
            proton_fraction: 0.15,
            ..MatterState::default()
        }
    }

    /// Neutrinos with the number of beta equilibrium have no departure; none have the whole.
    #[test]
    fn departures_from_equilibrium() {
        let matter = matter();
        let nuclear = NuclearMatter::new(&matter, &WeakConstants::default()).unwrap().unwrap();
        let mu = nuclear.neutrino_potential;
        let gas = ElectronGas { mass: 1e-9, hbar_c: HBAR_C, temperature: 10.0 };
        let net = 0.5 * gas.net_density(mu.abs()) * mu.signum();
        let equilibrium = TrappedLeptons::new(&matter, net).unwrap();
        assert!(equilibrium.departure < 1e-12, "{equilibrium:?}");
        let fraction = net * 1.660_539_066_6e-24 / 1e13;
        assert_relative_eq!(equilibrium.neutrino_fraction, fraction, max_relative = 1e-12);
        assert_relative_eq!(equilibrium.lepton_fraction, 0.15 + fraction, max_relative = 1e-12);
        let none = TrappedLeptons::new(&matter, 0.0).unwrap();
        assert_relative_eq!(none.departure, mu.abs() / mu.abs().max(10.0), max_relative = 1e-12);
        let only_neutrons = MatterState { proton_fraction: 0.0, ..matter };
        assert_eq!(TrappedLeptons::new(&only_neutrons, net).unwrap().departure, 1.0);
        let vacuum = MatterState { density: 0.0, ..matter };
        assert_eq!(TrappedLeptons::new(&vacuum, 0.0).unwrap(), NOTHING);
        assert!(TrappedLeptons::new(&MatterState { temperature: -1.0, ..matter }, 0.0).is_err());
    }

    #[test]
    fn equilibrium_ends_where_the_departure_passes_its_limit() {
        let r = [1.0, 2.0, 3.0, 4.0];
        assert_relative_eq!(equilibrium_radius(&r, &[0.0, 0.05, 0.25, 0.01]).unwrap(), 2.25);
        assert_eq!(equilibrium_radius(&r, &[0.2, 0.0, 0.0, 0.0]), None);
        assert_eq!(equilibrium_radius(&r, &[0.0; 4]), Some(4.0));
        assert_eq!(equilibrium_radius(&[], &[]), None);
    }
}
