//! The parts of the summary about lepton number.

use super::dataset::Dataset;
use super::summary::{aligned, columns, last, length, per_row, quantity, significant};
use crate::error::Result;

/// Radii of changes that are listed before the rest is only counted.
const LISTED: usize = 6;

/// Trapped leptons, beta equilibrium and equilibrium Y_e; empty where the result has none of them.
///
/// # Errors
/// Variables that hold no numbers.
pub(super) fn equilibrium(state: &Dataset) -> Result<String> {
    let mut lines = Vec::new();
    let radius = state.scalar("beta_equilibrium_radius");
    if let Some(radius) = radius {
        let shown = if radius > 0.0 {
            format!("within 10 % up to r = {}", length(radius, state))
        } else {
            "nowhere within 10 %".to_owned()
        };
        lines.push(("beta equilibrium", shown));
    }
    let inner = |name: &str| -> Option<f64> { state.reals(name).ok()?.first().copied() };
    if let (Some(lepton), Some(electron)) = (inner("lepton_fraction"), inner("electron_fraction")) {
        let neutrino = significant(lepton - electron, 5);
        let shown = format!("{} = Ye {} + {neutrino}", significant(lepton, 5), significant(electron, 5));
        lines.push(("innermost YL", shown));
    }
    if let (Some(own), Some(wanted)) = (inner("neutrino_potential"), inner("neutrino_potential_equilibrium"))
    {
        let shown = format!("{}, in equilibrium {}", quantity(own, "MeV"), quantity(wanted, "MeV"));
        lines.push(("innermost mu_nu", shown));
    }
    if let Ok(fractions) = state.reals("ye_equilibrium")
        && let Some(outer) = fractions.last().filter(|ye| **ye > 0.0)
    {
        let edge = length(last(state.reals("r")?), state);
        lines.push(("equilibrium Ye", format!("{} at r = {edge}", significant(*outer, 5))));
    }
    Ok(if lines.is_empty() { String::new() } else { format!("Lepton number\n{}", aligned(&lines)) })
}

/// Per lepton number, where G(μ) changes sign and how fast flavours could convert; empty where the result
/// has no angular distributions.
///
/// # Errors
/// Variables of the wrong shape.
pub(super) fn crossings(state: &Dataset) -> Result<String> {
    let Ok(names) = state.texts("lepton_number") else { return Ok(String::new()) };
    let changes = per_row(state, "crossing_change", names.len())?;
    let rates = match state.get("growth_rate") {
        Some(_) => Some(per_row(state, "growth_rate", names.len())?),
        None => None,
    };
    let r = state.reals("r")?;
    let mut table =
        vec![["lepton number", "fastest growth", "appears or vanishes at"].map(str::to_owned).to_vec()];
    for (index, name) in names.iter().enumerate() {
        let fastest = rates.as_ref().map_or("-".to_owned(), |rates| fastest(rates[index], r, state));
        table.push(vec![name.clone(), fastest, listed(changes[index], state)]);
    }
    Ok(format!("Angular crossings of the lepton number\n{}", columns(&table)))
}

/// The largest rate with its radius.
fn fastest(rates: &[f64], r: &[f64], state: &Dataset) -> String {
    match rates.iter().zip(r).max_by(|a, b| a.0.total_cmp(b.0)) {
        Some((rate, r)) if *rate > 0.0 => {
            format!("{} at r = {}", quantity(*rate, "s-1"), length(*r, state))
        }
        _ => "none".to_owned(),
    }
}

/// The radii of changes, which are 0 where there are none.
fn listed(changes: &[f64], state: &Dataset) -> String {
    let radii: Vec<String> = changes.iter().filter(|r| **r > 0.0).map(|&r| length(r, state)).collect();
    match radii.len() {
        0 => "nowhere".to_owned(),
        n if n > LISTED => format!("{}, … ({n} radii)", radii[..LISTED].join(", ")),
        _ => radii.join(", "),
    }
}
