//! The electron fraction at which the neutrinos of the solution would leave the matter: the root Y_e of
//! dY_e/dt = 0 at given density, temperature and radiation, for winds and ejecta.

use rayon::prelude::*;

use crate::background::MatterState;
use crate::error::Result;
use crate::methods::setup::{Setup, energy_nodes};
use crate::opacities::{EnergyNode, LocalOpacity, RadialPoint};
use crate::output::dataset::Dataset;

use super::beta_equilibrium::reason_without_leptons;
use super::moments::Moments;

/// First step in Y_e away from the matter's own; each further one is twice as large.
const FIRST_STEP: f64 = 0.02;
/// Smaller steps towards a limit of the rates are not tried.
const SMALLEST_STEP: f64 = 1e-3;
/// Width of Y_e to which a root is settled.
const SETTLED: f64 = 1e-10;
/// Evaluations after which a root is given up.
const MOST_EVALUATIONS: usize = 80;

/// Electron fractions at one radius that do not change; `None` where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct EquilibriumYe {
    /// With absorption and emission.
    pub full: Option<f64>,
    /// With absorption of neutrinos alone.
    pub absorption: Option<f64>,
}

/// Which reactions change Y_e.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reactions {
    /// Absorption and emission, κ*J − η.
    All,
    /// Absorption of neutrinos alone, (κ* − η) J.
    Absorption,
}

impl Reactions {
    fn rate(self, local: &LocalOpacity, j: f64) -> f64 {
        match self {
            Self::All => local.absorption * j - local.emissivity,
            Self::Absorption => (local.absorption - local.emissivity) * j,
        }
    }
}

/// One radius: its matter, and J at (species, energy node).
struct Place<'a> {
    setup: &'a Setup,
    nodes: &'a [EnergyNode],
    r: f64,
    matter: MatterState,
    j: Vec<f64>,
}

impl Place<'_> {
    /// The matter with another Y_e: free neutrons turned into free protons, nuclei as they are; chemical
    /// potentials of ideal gases.
    fn with_electron_fraction(&self, electron_fraction: f64) -> MatterState {
        let change = electron_fraction - self.matter.electron_fraction;
        MatterState {
            electron_fraction,
            neutron_fraction: (self.matter.neutron_fraction - change).max(0.0),
            proton_fraction: (self.matter.proton_fraction + change).max(0.0),
            electron_chemical_potential: None,
            neutron_chemical_potential: None,
            proton_chemical_potential: None,
            ..self.matter
        }
    }

    /// dY_e/dt up to a positive factor.
    fn rate(&self, electron_fraction: f64, reactions: Reactions) -> Result<f64> {
        let space = &self.setup.phase_space;
        let matter = self.with_electron_fraction(electron_fraction);
        let lapse = self.setup.background.lapse(self.r);
        let point = RadialPoint { r: self.r, lapse, matter: Some(&matter) };
        let opacities = self.setup.opacities.at_radius(&point, self.nodes)?;
        let mut rate = 0.0;
        for (s, (species, row)) in space.species.iter().zip(opacities.rows()).enumerate() {
            let lepton = species.flavour.electron_lepton_number();
            for (k, local) in row.iter().enumerate() {
                let weight = space.energy.weight(k) * space.energy.node(k).powi(2);
                let j = self.j[s * space.energy.len() + k];
                rate += lepton * species.multiplicity * weight * reactions.rate(local, j);
            }
        }
        Ok(rate)
    }

    /// The Y_e at which the rate vanishes; `None` where it does not change sign within what the free
    /// nucleons and the rates allow.
    fn equilibrium(&self, reactions: Reactions) -> Option<f64> {
        let rate = |ye: f64| self.rate(ye, reactions).ok().filter(|rate| rate.is_finite());
        let own = self.matter.electron_fraction;
        let start = rate(own)?;
        if start == 0.0 {
            return None;
        }
        // More neutrons than in equilibrium raise Y_e, and the other way round.
        let room = if start > 0.0 { self.matter.neutron_fraction } else { self.matter.proton_fraction };
        let (mut near, mut step) = ((own, start), FIRST_STEP);
        while step >= SMALLEST_STEP {
            let step_left = step.min(room - (near.0 - own).abs());
            let ye = near.0 + step_left * start.signum();
            match rate(ye) {
                Some(found) if found * start <= 0.0 => return root(near, (ye, found), rate),
                Some(_) if step_left < step => return None,
                Some(found) => (near, step) = ((ye, found), 2.0 * step),
                None => step *= 0.5,
            }
        }
        None
    }
}

/// Root between two points at which `rate` has different signs, by the Illinois variant of false position.
fn root(
    (mut a, mut rate_a): (f64, f64),
    (mut b, mut rate_b): (f64, f64),
    rate: impl Fn(f64) -> Option<f64>,
) -> Option<f64> {
    for _ in 0..MOST_EVALUATIONS {
        if rate_b == 0.0 || (b - a).abs() <= SETTLED {
            return Some(b);
        }
        let middle = b - rate_b * (b - a) / (rate_b - rate_a);
        let found = rate(middle)?;
        if found * rate_b < 0.0 {
            (a, rate_a) = (b, rate_b);
        } else {
            rate_a *= 0.5;
        }
        let moved = (middle - b).abs();
        (b, rate_b) = (middle, found);
        if moved <= SETTLED {
            return Some(b);
        }
    }
    None
}

/// Equilibrium Y_e at the radial nodes.
///
/// # Errors
/// Why there is none anywhere.
pub fn equilibrium_electron_fraction(
    setup: &Setup,
    moments: &Moments,
) -> std::result::Result<Vec<EquilibriumYe>, String> {
    if let Some(reason) = reason_without_leptons(setup) {
        return Err(reason.to_owned());
    }
    let radii = &setup.phase_space.radial.nodes;
    let nodes = energy_nodes(&setup.phase_space);
    let at = |(i, &r): (usize, &f64)| {
        let Some(matter) = setup.background.matter(r).filter(|matter| matter.density > 0.0) else {
            return EquilibriumYe::default();
        };
        let j = moments.j.iter().skip(i).step_by(radii.len()).copied().collect();
        let place = Place { setup, nodes: &nodes, r, matter, j };
        EquilibriumYe {
            full: place.equilibrium(Reactions::All),
            absorption: place.equilibrium(Reactions::Absorption),
        }
    };
    Ok(radii.par_iter().enumerate().map(at).collect())
}

/// Adds the equilibrium electron fractions to `dataset`, or the attribute `ye_equilibrium_omitted` that
/// says why there are none.
pub(crate) fn add_equilibrium_electron_fraction(dataset: &mut Dataset, setup: &Setup, moments: &Moments) {
    let all = match equilibrium_electron_fraction(setup, moments) {
        Ok(all) => all,
        Err(reason) => {
            dataset.attribute("ye_equilibrium_omitted", reason);
            return;
        }
    };
    if all.iter().all(|ye| *ye == EquilibriumYe::default()) {
        let reason = "no reaction whose rate depends on the electron fraction balances";
        dataset.attribute("ye_equilibrium_omitted", reason);
        return;
    }
    let (full, absorption): (Vec<f64>, Vec<f64>) =
        all.iter().map(|ye| (ye.full.unwrap_or(0.0), ye.absorption.unwrap_or(0.0))).unzip();
    for (name, of, values) in [
        ("ye_equilibrium", "absorption and emission", full),
        ("ye_equilibrium_absorption", "absorption of neutrinos alone", absorption),
    ] {
        let meaning = format!("electron fraction that {of} leave unchanged, 0 where there is none");
        dataset.real(name, &["r"], "1", &meaning, values);
    }
}
