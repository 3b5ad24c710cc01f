//! Rates as text, CSV and JSON.

use serde::Serialize;

use super::{PlaceRates, Rate, TOTAL};
use crate::error::{Error, Result};

/// The value of a rate that a table or figure shows.
pub type Value = fn(&Rate) -> f64;

/// For people: the matter, and per species the opacities and emissivities of all processes over energy.
pub fn table(places: &[PlaceRates]) -> String {
    let mut text = String::new();
    for place in places {
        text += &heading(place);
        for species in species(place) {
            text += &opacities(place, species);
            text += &emissivities(place, species);
        }
    }
    text
}

/// The matter of a place.
fn heading(place: &PlaceRates) -> String {
    let mut text = String::new();
    if let Some((r, lapse)) = place.place.radius {
        text += &format!("r = {:.6e} cm, lapse {lapse:.6}\n", r);
    }
    if let Some(matter) = &place.place.matter {
        text += &format!(
            "rho = {:.4e} g/cm3, T = {:.4} MeV, Ye = {:.4}, Xn = {:.4}, Xp = {:.4}, Xalpha = {:.4}, Xheavy = {:.4}\n",
            matter.density,
            matter.temperature,
            matter.electron_fraction,
            matter.neutron_fraction,
            matter.proton_fraction,
            matter.alpha_fraction,
            matter.heavy_fraction,
        );
    }
    if let Some(nuclear) = &place.nuclear {
        text += &format!(
            "mu_e = {:.4} MeV, mu_nu = {:.4} MeV in beta equilibrium\n",
            nuclear.electron_potential, nuclear.neutrino_potential
        );
    }
    text
}

/// Names of the species, in order.
pub fn species(place: &PlaceRates) -> Vec<&str> {
    let mut names: Vec<&str> = place.rates.iter().map(|rate| rate.species.as_str()).collect();
    names.dedup();
    names
}

/// Names of the processes of `species`, in order, that have a `value` somewhere.
pub fn processes<'a>(place: &'a PlaceRates, species: &str, value: Value) -> Vec<&'a str> {
    let mut names: Vec<&str> = place
        .rates
        .iter()
        .filter(|rate| rate.species == species && value(rate) != 0.0)
        .map(|rate| rate.process.as_str())
        .collect();
    names.dedup();
    names
}

/// The values of a process over energy.
pub fn series(place: &PlaceRates, species: &str, process: &str, value: Value) -> Vec<(f64, f64)> {
    place
        .rates
        .iter()
        .filter(|rate| rate.species == species && rate.process == process)
        .map(|rate| (rate.energy, value(rate)))
        .collect()
}

fn opacities(place: &PlaceRates, species: &str) -> String {
    let mut columns = Vec::new();
    let kinds: [(&str, Value); 3] = [
        ("", |rate| rate.absorption),
        (" ~", |rate| rate.inelastic_scattering),
        (" *", |rate| rate.scattering),
    ];
    for (sign, value) in kinds {
        let of_value = processes(place, species, value);
        columns.extend(of_value.iter().map(|process| {
            let heading = format!("{}{sign}", process.replace('_', " "));
            (heading, series(place, species, process, value))
        }));
    }
    let what = format!("\n{species}: opacities [1/cm]: absorption kappa*; ~ inelastic, * elastic scattering");
    grid(&what, &columns)
}

fn emissivities(place: &PlaceRates, species: &str) -> String {
    let value: Value = |rate| rate.emissivity;
    let columns: Vec<(String, Vec<(f64, f64)>)> = processes(place, species, value)
        .iter()
        .map(|process| (process.replace('_', " "), series(place, species, process, value)))
        .collect();
    grid(&format!("\n{species}: emissivities [erg/(cm3 s MeV sr)]"), &columns)
}

/// A table with the energies in the first column.
fn grid(what: &str, columns: &[(String, Vec<(f64, f64)>)]) -> String {
    let Some((_, first)) = columns.first() else { return format!("{what}: none\n") };
    let mut lines = vec![what.to_owned()];
    let headings: String =
        columns.iter().map(|(heading, _)| format!("  {heading:>width$}", width = width(heading))).collect();
    lines.push(format!("{:>10}{headings}", "E [MeV]"));
    for (row, (energy, _)) in first.iter().enumerate() {
        let cells: String = columns
            .iter()
            .map(|(heading, values)| {
                let value = values.get(row).map_or(0.0, |(_, value)| *value);
                format!("  {value:>width$.4e}", width = width(heading))
            })
            .collect();
        lines.push(format!("{energy:>10.4}{cells}"));
    }
    lines.join("\n") + "\n"
}

fn width(heading: &str) -> usize {
    heading.chars().count().max(11)
}

/// A row of the CSV and JSON reports: a rate with its place.
#[derive(Serialize)]
struct Row<'a> {
    radius_cm: Option<f64>,
    density_g_per_cm3: Option<f64>,
    temperature_mev: Option<f64>,
    electron_fraction: Option<f64>,
    species: &'a str,
    process: &'a str,
    energy_mev: f64,
    absorption_per_cm: f64,
    emission_per_cm: f64,
    emissivity_erg_per_cm3_s_mev_sr: f64,
    inelastic_scattering_per_cm: f64,
    scattering_per_cm: f64,
    scattering_first_per_cm: f64,
}

fn rows(places: &[PlaceRates]) -> impl Iterator<Item = Row<'_>> {
    places.iter().flat_map(|place| {
        let matter = place.place.matter;
        place.rates.iter().map(move |rate| Row {
            radius_cm: place.place.radius.map(|(r, _)| r),
            density_g_per_cm3: matter.map(|matter| matter.density),
            temperature_mev: matter.map(|matter| matter.temperature),
            electron_fraction: matter.map(|matter| matter.electron_fraction),
            species: &rate.species,
            process: &rate.process,
            energy_mev: rate.energy,
            absorption_per_cm: rate.absorption,
            emission_per_cm: rate.emission,
            emissivity_erg_per_cm3_s_mev_sr: rate.emissivity,
            inelastic_scattering_per_cm: rate.inelastic_scattering,
            scattering_per_cm: rate.scattering,
            scattering_first_per_cm: rate.scattering_first,
        })
    })
}

/// A row per place, species, process and energy, all digits, with a header.
///
/// # Errors
/// None that data can cause.
pub fn csv(places: &[PlaceRates]) -> Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows(places) {
        writer.serialize(row).map_err(unwritable)?;
    }
    let bytes = writer.into_inner().map_err(unwritable)?;
    String::from_utf8(bytes).map_err(unwritable)
}

/// The rows of [`csv()`] as a list of objects.
///
/// # Errors
/// None that data can cause.
pub fn json(places: &[PlaceRates]) -> Result<String> {
    let rows: Vec<Row> = rows(places).collect();
    serde_json::to_string_pretty(&rows).map(|text| text + "\n").map_err(unwritable)
}

fn unwritable(error: impl std::fmt::Display) -> Error {
    Error::Numerical(format!("the report cannot be made: {error}"))
}

/// Whether `process` is the sum of the others.
pub fn is_total(process: &str) -> bool {
    process == TOTAL
}
