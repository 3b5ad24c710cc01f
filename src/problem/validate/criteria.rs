//! A file's own acceptance criteria.

use super::{Validator, ensure, quoted};
use crate::error::{Error, Result};
use crate::problem::error::suggestion;
use crate::problem::file::{CriterionFile, Expected};
use crate::units::Dimension;

/// What a criterion may name: output variables over species and radius (and energy, for the first ones
/// and the derived ones), the derived `r2_h` = r²H and `r2_h_redshifted` = r²α⁻²H, variables over radius,
/// `number` per species, and single numbers (`gain_radius` and those after it).
pub const CRITERION_VARIABLES: &[&str] = &[
    "j",
    "h",
    "k",
    "l",
    "r2_h",
    "r2_h_redshifted",
    "number_density",
    "energy_density",
    "luminosity",
    "luminosity_static",
    "luminosity_infinity",
    "number_luminosity_infinity",
    "mean_energy",
    "rms_energy",
    "rms_energy_number",
    "mean_energy_infinity",
    "flux_factor",
    "eddington_factor",
    "lapse",
    "radial_metric",
    "velocity",
    "heating_net",
    "ye_rate",
    "number",
    "gain_radius",
    "number_balance",
    "lepton_balance",
    "energy_balance",
    "bound_violation_low",
    "bound_violation_high",
];

impl Validator<'_> {
    pub(super) fn criteria(&self) -> Result<()> {
        for (index, criterion) in self.file.criteria.iter().enumerate() {
            self.criterion(criterion, &format!("criteria[{index}]"))?;
        }
        Ok(())
    }

    fn criterion(&self, criterion: &CriterionFile, path: &str) -> Result<()> {
        variable(&criterion.variable, &format!("{path}.variable"))?;
        if let Some(species) = &criterion.species {
            self.species_name(species, &format!("{path}.species"))?;
        }
        self.place(criterion, path)?;
        if let Some(energy) = &criterion.energy {
            self.positive(energy, Dimension::Energy, &format!("{path}.energy"))?;
        }
        if let Some(time) = &criterion.time {
            let value = time.time(self.units, &format!("{path}.time"))?;
            let inside = self.times().is_some_and(|(start, end)| (start..=end).contains(&value));
            ensure(inside, &format!("{path}.time"), time, "a time within the evolution (mode)")?;
        }
        expected(&criterion.expected, criterion.at.is_some(), &format!("{path}.expected"))
    }

    fn place(&self, criterion: &CriterionFile, path: &str) -> Result<()> {
        self.region(criterion.region.as_ref(), &format!("{path}.region"))?;
        let Some(at) = &criterion.at else { return Ok(()) };
        let path = format!("{path}.at");
        ensure(criterion.region.is_none(), &path, "both `at` and `region`", "one of `at`, `region`")?;
        let radius = self.non_negative(at, Dimension::Length, &path)?;
        self.in_domain(radius, at, &path)
    }
}

fn variable(name: &str, path: &str) -> Result<()> {
    if CRITERION_VARIABLES.contains(&name) {
        return Ok(());
    }
    let known = CRITERION_VARIABLES.join(", ");
    let valid = match suggestion(name, CRITERION_VARIABLES) {
        Some(suggestion) => format!("{known} ({suggestion})"),
        None => known,
    };
    Err(Error::field(path, quoted(name), valid))
}

fn expected(expected: &Expected, at_one_radius: bool, path: &str) -> Result<()> {
    match expected {
        Expected::Value { relative, absolute, .. } => {
            ensure(*relative >= 0.0, &format!("{path}.relative"), relative, "a tolerance of at least 0")?;
            ensure(*absolute >= 0.0, &format!("{path}.absolute"), absolute, "a tolerance of at least 0")?;
            let some = relative + absolute > 0.0;
            ensure(some, path, "no tolerance", "a positive `relative` or `absolute` tolerance")
        }
        Expected::AtMost(_) | Expected::AtLeast(_) => Ok(()),
        Expected::Constant { relative } => {
            ensure(*relative > 0.0, &format!("{path}.relative"), relative, "a positive tolerance")?;
            ensure(!at_one_radius, path, "Constant at one radius", "a `region` instead of `at`")
        }
        Expected::ShareOfMaximum(share) => {
            ensure((0.0..=1.0).contains(share), path, share, "a share between 0 and 1")?;
            ensure(!at_one_radius, path, "ShareOfMaximum at one radius", "a `region` instead of `at`")
        }
    }
}
