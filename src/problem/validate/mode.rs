//! Steady state or evolution, and the outputs asked for.

use super::{Validator, count, ensure, formula, list_path, tolerance};
use crate::error::Result;
use crate::problem::file::{InitialFile, ModeFile, StepFile};
use crate::problem::quantity::{Quantity, QuantityList};
use crate::problem::variables;
use crate::units::Dimension;

impl Validator<'_> {
    pub(super) fn mode(&self) -> Result<()> {
        match &self.file.mode {
            ModeFile::SteadyState { tolerance: largest, max_iterations } => {
                tolerance(*largest, "mode.tolerance")?;
                count(*max_iterations, 1, "mode.max_iterations")
            }
            ModeFile::Evolution { end, output_times, step, initial, tolerance: largest, .. } => {
                tolerance(*largest, "mode.tolerance")?;
                self.interval(end)?;
                self.output_times(output_times.as_ref())?;
                self.step(step)?;
                match initial {
                    InitialFile::Expression(text) => formula(text, variables::INITIAL, "mode.initial"),
                    InitialFile::Empty | InitialFile::Equilibrium => Ok(()),
                }
            }
        }
    }

    /// Start and end of an evolution, as lengths; `None` in steady state or where they are invalid.
    pub(super) fn times(&self) -> Option<(f64, f64)> {
        match &self.file.mode {
            ModeFile::SteadyState { .. } => None,
            ModeFile::Evolution { start, end, .. } => {
                let time = |quantity: &Quantity| quantity.time(self.units, "").ok();
                let start = start.as_ref().map_or(Some(0.0), time)?;
                Some((start, time(end)?))
            }
        }
    }

    fn interval(&self, end: &Quantity) -> Result<()> {
        if let ModeFile::Evolution { start: Some(start), .. } = &self.file.mode {
            start.time(self.units, "mode.start")?;
        }
        end.time(self.units, "mode.end")?;
        let forward = self.times().is_some_and(|(start, end)| end > start);
        ensure(forward, "mode.end", end, "a time after `start` (0 where that is left out)")
    }

    fn output_times(&self, times: Option<&QuantityList>) -> Result<()> {
        let Some(times) = times else { return Ok(()) };
        let path = "mode.output_times";
        let values = self.increasing(times, Dimension::Time, path)?;
        for (index, (value, written)) in values.iter().zip(&times.values).enumerate() {
            let inside = self.times().is_some_and(|(start, end)| (start..=end).contains(value));
            let path = format!("{}[{index}]", list_path(times, path));
            ensure(inside, &path, written, "a time from `start` to `end`")?;
        }
        Ok(())
    }

    fn step(&self, step: &StepFile) -> Result<()> {
        let path = "mode.step";
        match step {
            StepFile::Fixed(size) => self.positive(size, Dimension::Time, path).map(|_| ()),
            StepFile::Adaptive { tolerance: largest, initial, largest: bound } => {
                tolerance(*largest, &format!("{path}.tolerance"))?;
                self.positive_if_given(initial.as_ref(), Dimension::Time, &format!("{path}.initial"))?;
                self.positive_if_given(bound.as_ref(), Dimension::Time, &format!("{path}.largest"))
            }
        }
    }

    pub(super) fn outputs(&self) -> Result<()> {
        let Some(radii) = &self.file.outputs.sample_radii else { return Ok(()) };
        let path = "outputs.sample_radii";
        let values = self.increasing(radii, Dimension::Length, path)?;
        for (index, (value, written)) in values.iter().zip(&radii.values).enumerate() {
            self.in_domain(*value, written, &format!("{}[{index}]", list_path(radii, path)))?;
        }
        Ok(())
    }
}
