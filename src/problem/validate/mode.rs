//! Steady state or evolution, and the outputs asked for.

use super::{Validator, count, ensure, formula, list_path, tolerance};
use crate::error::Result;
use crate::problem::file::{InitialFile, ModeFile, StepFile};
use crate::problem::quantity::{Quantity, QuantityList};
use crate::problem::variables;
use crate::units::Dimension;

/// Shortest step that is kept for a whole evolution, in units of its length: a thousand million steps.
const SHORTEST_STEP: f64 = 1e-9;
/// Shortest first step; the next ones grow.
const SHORTEST_FIRST_STEP: f64 = 1e-12;
/// Smallest error of a step that rounding lets the estimate see.
const LEAST_ERROR: f64 = 1e-12;

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
                self.initial(initial)
            }
        }
    }

    fn initial(&self, initial: &InitialFile) -> Result<()> {
        let path = "mode.initial";
        let list = match initial {
            InitialFile::Empty | InitialFile::Equilibrium => return Ok(()),
            InitialFile::Expression(text) => return formula(text, variables::INITIAL, path),
            InitialFile::BySpecies(list) => list,
        };
        ensure(!list.is_empty(), path, "[]", "formulas of some species, or Empty")?;
        for (index, entry) in list.iter().enumerate() {
            let path = format!("{path}[{index}]");
            self.species_name(&entry.species, &format!("{path}.species"))?;
            let repeated = list.iter().take(index).any(|earlier| earlier.species == entry.species);
            ensure(!repeated, &format!("{path}.species"), &entry.species, "each species once")?;
            formula(&entry.f, variables::INITIAL, &format!("{path}.f"))?;
        }
        Ok(())
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
            StepFile::Fixed(size) => self.step_length(Some(size), SHORTEST_STEP, path),
            StepFile::Adaptive { tolerance: error, initial, largest } => {
                let path_of = |name: &str| format!("{path}.{name}");
                let valid = format!("a tolerance from {LEAST_ERROR:e} to 1 (excluded), above round-off");
                let reachable = (LEAST_ERROR..1.0).contains(error);
                ensure(reachable, &path_of("tolerance"), format!("{error:e}"), valid)?;
                self.step_length(initial.as_ref(), SHORTEST_FIRST_STEP, &path_of("initial"))?;
                self.step_length(largest.as_ref(), SHORTEST_STEP, &path_of("largest"))
            }
        }
    }

    /// A step of at least `share` of the whole evolution: shorter ones never arrive.
    fn step_length(&self, step: Option<&Quantity>, share: f64, path: &str) -> Result<()> {
        let Some(step) = step else { return Ok(()) };
        let length = self.positive(step, Dimension::Time, path)?;
        let whole = self.times().map_or(0.0, |(start, end)| end - start);
        let valid = format!("a time of at least {share:e} of the whole evolution");
        ensure(length >= share * whole, path, step, valid)
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
