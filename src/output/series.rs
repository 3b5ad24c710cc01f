//! From the states of an evolution to one dataset with a time dimension.

use super::dataset::{Attribute, Dataset, Values, Variable};
use crate::error::{Error, Result};

/// Name of the dimension that [`time_series`] adds.
pub const TIME: &str = "time";

/// Attribute of a variable that depends on the solution although its name is among the static ones.
pub const STATE_DEPENDENT: &str = "state_dependent";

/// Variables that an evolution does not change: grid, background and opacities.
const STATIC: [&str; 26] = [
    "species",
    "process",
    "lepton_number",
    "multiplicity",
    "mu",
    "mu_weight",
    "mu_edge",
    "energy",
    "energy_weight",
    "energy_edge",
    "r",
    "r_weight",
    "r_edge",
    "r_sample",
    "lapse",
    "radial_metric",
    "velocity",
    "density",
    "temperature",
    "electron_fraction",
    "absorption",
    "equilibrium",
    "scattering",
    "scattering_first",
    "energy_sphere",
    "transport_sphere",
];

/// Attributes of a state that become variables over time: name, unit, meaning.
const STATE_ATTRIBUTES: [(&str, &str, &str); 10] = [
    ("beta_equilibrium_radius", "cm", "radius up to which neutrinos are in beta equilibrium, 0 for none"),
    ("gain_radius", "cm", "radius where the net heating turns positive outward, 0 where it does not"),
    ("gain_mass", "g", "mass where the net heating is positive outside of the gain radius"),
    ("gain_heating", "erg s-1", "net heating of that mass"),
    ("heating_efficiency", "1", "that heating over the luminosities that enter at the gain radius"),
    ("number_balance", "1", "relative residual of the number balance"),
    ("energy_balance", "1", "relative residual of the energy balance"),
    ("lepton_balance", "1", "relative residual of the lepton-number balance"),
    ("bound_violation_low", "1", "largest amount by which f is below 0"),
    ("bound_violation_high", "1", "largest amount by which f is above 1"),
];

/// Joins the states of an evolution, which have the same layout: variables of the solution get a leading
/// unlimited dimension `time`, and the attributes that describe a state become variables over `time`.
/// Grid, background, opacities and the other attributes are those of the last state.
///
/// `times` are in `units` ("s", or "1" in dimensionless problems).
///
/// # Errors
/// No state, as many times as states, or states whose layouts differ.
pub fn time_series(times: Vec<f64>, units: &str, states: &[Dataset]) -> Result<Dataset> {
    if times.len() != states.len() {
        return Err(Error::dataset(TIME, format!("{} times for {} states", times.len(), states.len())));
    }
    let mut series = join(&states.iter().collect::<Vec<_>>(), units)?;
    series.dimensions.insert(0, (TIME.to_owned(), times.len(), true));
    let mut time = Dataset::new();
    time.real(TIME, &[TIME], units, "coordinate time", times);
    series.variables.splice(0..0, time.variables);
    Ok(series)
}

/// One state of `dataset`: that stored nearest to `time`, or the last; a steady state as it is.
///
/// # Errors
/// A `time` that is not finite, or that is given for a steady state; a damaged dataset.
pub fn state(dataset: &Dataset, time: Option<f64>) -> Result<Dataset> {
    let Some(length) = dataset.length(TIME) else {
        return match time {
            None => Ok(dataset.clone()),
            Some(_) => Err(Error::dataset(TIME, "the result is a steady state, without times")),
        };
    };
    let Some(time) = time else {
        return dataset.at(TIME, length.saturating_sub(1));
    };
    if !time.is_finite() {
        return Err(Error::dataset(TIME, format!("{time} is not a time")));
    }
    let distance = |stored: &f64| (stored - time).abs();
    let stored = dataset.reals(TIME)?.iter().enumerate();
    let nearest = stored.min_by(|a, b| distance(a.1).total_cmp(&distance(b.1)));
    dataset.at(TIME, nearest.map_or(0, |(index, _)| index))
}

/// The states that [`time_series`] joined, with what it made of their attributes undone.
///
/// # Errors
/// The dataset is no time series, or a damaged one.
pub fn states(series: &Dataset) -> Result<Vec<Dataset>> {
    (0..series.reals(TIME)?.len())
        .map(|index| {
            let mut state = series.at(TIME, index)?;
            for (name, ..) in STATE_ATTRIBUTES {
                if let Some(value) = state.scalar(name) {
                    state.variables.retain(|variable| variable.name != name);
                    state.attribute(name, value);
                }
            }
            state.variables.retain(|variable| variable.name != TIME);
            Ok(state)
        })
        .collect()
}

fn join(states: &[&Dataset], time_units: &str) -> Result<Dataset> {
    let Some(last) = states.last() else {
        return Err(Error::dataset(TIME, "no state to write"));
    };
    let mut series = Dataset { dimensions: last.dimensions.clone(), ..Dataset::default() };
    if states.iter().any(|state| state.dimensions != last.dimensions) {
        return Err(Error::dataset(TIME, "the states have different dimensions"));
    }
    let mut scalars = Dataset::new();
    for (name, value) in &last.attributes {
        match STATE_ATTRIBUTES.iter().find(|known| known.0 == name) {
            Some(&(name, units, long_name)) => {
                let values =
                    states.iter().map(|state| required_scalar(state, name)).collect::<Result<_>>()?;
                let units = if time_units == "1" { "1" } else { units };
                scalars.real(name, &[TIME], units, long_name, values);
            }
            None => series.attributes.push((name.clone(), value.clone())),
        }
    }
    for variable in &last.variables {
        series.variables.push(join_variable(variable, states)?);
    }
    series.variables.append(&mut scalars.variables);
    for (name, _) in &last.groups {
        let parts = states.iter().map(|state| required_group(state, name)).collect::<Result<Vec<_>>>()?;
        series.groups.push((name.clone(), join(&parts, time_units)?));
    }
    Ok(series)
}

fn required_scalar(state: &Dataset, name: &str) -> Result<f64> {
    match state.get_attribute(name) {
        Some(Attribute::Real(value)) => Ok(*value),
        _ => Err(Error::dataset(name, "is not a real attribute of every state")),
    }
}

fn required_group<'a>(state: &'a Dataset, name: &str) -> Result<&'a Dataset> {
    let found = state.groups.iter().find(|(group, _)| group == name);
    found.map(|(_, group)| group).ok_or_else(|| Error::dataset(name, "is not a group of every state"))
}

fn join_variable(last: &Variable, states: &[&Dataset]) -> Result<Variable> {
    if STATIC.contains(&last.name.as_str()) && !last.attributes.contains_key(STATE_DEPENDENT) {
        return Ok(last.clone());
    }
    let mut joined = Vec::with_capacity(last.values.len() * states.len());
    for state in states {
        let same = state.get(&last.name).filter(|v| v.dimensions == last.dimensions);
        match same.map(|v| &v.values) {
            Some(Values::Real(values)) => joined.extend_from_slice(values),
            _ => return Err(Error::dataset(&last.name, "is not the same kind of variable in every state")),
        }
    }
    let mut dimensions = vec![TIME.to_owned()];
    dimensions.extend(last.dimensions.iter().cloned());
    Ok(Variable { dimensions, values: Values::Real(joined), ..last.clone() })
}
