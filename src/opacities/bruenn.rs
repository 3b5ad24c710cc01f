//! Reactions on free nucleons as one source (`Bruenn1985`).

use ndarray::Array2;

use super::nuclear_matter::NuclearMatter;
use super::nucleon_absorption::{antineutrino_absorption, neutrino_absorption};
use super::nucleon_scattering::nucleon_scattering;
use super::weak::WeakConstants;
use super::{EnergyNode, LocalOpacity, OpacitySource, RadialPoint, Species};
use crate::error::{Error, Result};
use crate::problem::file::Flavour;

/// Absorption and elastic scattering on free nucleons.
#[derive(Debug, Clone, Copy)]
pub struct Bruenn {
    /// Place among the problem's opacities.
    pub index: usize,
    pub charged_current: bool,
    pub nucleon_scattering: bool,
    pub constants: WeakConstants,
}

impl Bruenn {
    fn at(&self, energy: f64, flavour: Flavour, matter: &NuclearMatter) -> LocalOpacity {
        let mut sum = LocalOpacity::default();
        if self.charged_current {
            match flavour {
                Flavour::ElectronNeutrino => sum += neutrino_absorption(energy, matter, &self.constants),
                Flavour::ElectronAntineutrino => {
                    sum += antineutrino_absorption(energy, matter, &self.constants);
                }
                Flavour::Heavy | Flavour::HeavyAntineutrino => {}
            }
        }
        if self.nucleon_scattering {
            sum += nucleon_scattering(energy, matter, &self.constants);
        }
        sum
    }
}

impl OpacitySource for Bruenn {
    fn evaluate(
        &self,
        point: &RadialPoint,
        species: &[Species],
        nodes: &[EnergyNode],
    ) -> Result<Array2<LocalOpacity>> {
        let shape = (species.len(), nodes.len());
        let state = point.matter.ok_or_else(|| {
            Error::Numerical(format!("{}: no matter at r = {:.6e}", self.describe(), point.r))
        })?;
        let matter = NuclearMatter::new(state, &self.constants).map_err(|error| {
            Error::Numerical(format!("{} at r = {:.6e}: {error}", self.describe(), point.r))
        })?;
        Ok(match matter {
            Some(matter) => {
                Array2::from_shape_fn(shape, |(s, e)| self.at(nodes[e].energy, species[s].flavour, &matter))
            }
            None => Array2::default(shape),
        })
    }

    fn describe(&self) -> String {
        let mut processes = Vec::new();
        if self.charged_current {
            processes.push("absorption of electron (anti)neutrinos");
        }
        if self.nucleon_scattering {
            processes.push("elastic scattering");
        }
        if processes.is_empty() {
            processes.push("nothing");
        }
        format!("opacities[{}]: Bruenn (1985), {} on free nucleons", self.index, processes.join(" and "))
    }
}
