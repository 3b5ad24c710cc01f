//! The composition of matter that states none.

use super::MatterState;
use super::matter::free_nucleons;
use super::nuclear_equilibrium::{LARGEST_DENSITY, NuclearEquilibrium, SMALLEST_TEMPERATURE};
use crate::error::{Error, Result};
use crate::problem::file::{ColdMatter, CompositionFile, DenseMatter};
use crate::units::UnitSystem;

/// What matter of a given density, temperature and electron fraction consists of.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) enum AssumedComposition {
    #[default]
    FreeNucleons,
    NuclearStatisticalEquilibrium {
        dense: DenseMatter,
        cold: ColdMatter,
    },
}

impl AssumedComposition {
    /// # Errors
    /// Nuclei in a problem without physical units; `path` is the place of the field.
    pub(super) fn build(file: CompositionFile, units: UnitSystem, path: &str) -> Result<Self> {
        match file {
            CompositionFile::FreeNucleons => Ok(Self::FreeNucleons),
            CompositionFile::NuclearStatisticalEquilibrium { .. } if !units.physical => {
                let found = "nuclear statistical equilibrium in a dimensionless problem";
                Err(Error::field(path, found, "units: Physical"))
            }
            CompositionFile::NuclearStatisticalEquilibrium { dense, cold } => {
                Ok(Self::NuclearStatisticalEquilibrium { dense, cold })
            }
        }
    }

    /// Matter of `density` [g/cm³], `temperature` \[MeV\] and electron fraction.
    ///
    /// # Errors
    /// What equilibrium does not hold for, as the problem's field.
    pub(super) fn matter(
        self,
        density: f64,
        temperature: f64,
        electron_fraction: f64,
    ) -> Result<MatterState> {
        let free = free_nucleons(density, temperature, electron_fraction);
        let Self::NuclearStatisticalEquilibrium { dense, cold } = self else { return Ok(free) };
        if density == 0.0 || (density > LARGEST_DENSITY && dense == DenseMatter::FreeNucleons) {
            return Ok(free);
        }
        let frozen = temperature < SMALLEST_TEMPERATURE && cold == ColdMatter::Frozen;
        let last = if frozen { SMALLEST_TEMPERATURE } else { temperature };
        let state =
            NuclearEquilibrium::solve(density, last, electron_fraction).map_err(in_the_problem)?.matter();
        if !frozen {
            return Ok(state);
        }
        // Nucleons are not in equilibrium with the nuclei any more: theirs are the potentials of ideal gases.
        Ok(MatterState {
            temperature,
            neutron_chemical_potential: None,
            proton_chemical_potential: None,
            ..state
        })
    }

    pub(super) fn describe(self) -> &'static str {
        match self {
            Self::FreeNucleons => "free nucleons",
            Self::NuclearStatisticalEquilibrium { .. } => "nuclear statistical equilibrium",
        }
    }
}

fn in_the_problem(error: Error) -> Error {
    match error {
        Error::Field { found, valid, .. } => {
            let options = "`dense: FreeNucleons` and `cold: Frozen` are for matter beyond";
            Error::field("background.matter", found, format!("{valid} ({options})"))
        }
        other => other,
    }
}
