//! Rates on free nucleons against numbers computed by NuLib (commit f77dba6), with NuLib's constants.
//! The numbers are looked for in $TOLMAN_DATA/nulib.

use std::collections::BTreeMap;
use std::path::PathBuf;

use tolman::background::MatterState;
use tolman::constants::ATOMIC_MASS_UNIT;
use tolman::opacities::LocalOpacity;
use tolman::opacities::nuclear_matter::NuclearMatter;
use tolman::opacities::nucleon_absorption::{antineutrino_absorption, neutrino_absorption};
use tolman::opacities::nucleon_scattering::nucleon_scattering;
use tolman::opacities::rates::Rates;
use tolman::opacities::weak::WeakConstants;
use tolman::opacities::weak_magnetism::Helicity;
use tolman::problem::file::{
    ChargedCurrentFile, ElasticScatteringFile, ElectronPolarisation, Flavour, RateConstants,
};

/// NuLib's m_n c² [MeV], the zero of its nucleon chemical potentials.
const NEUTRON: f64 = 939.565_346;
/// What NuLib's own single-precision constants allow.
const TOLERANCE: f64 = 2e-6;

fn nulib_constants() -> WeakConstants {
    let (electron_mass, hbar_c, sigma0) = (0.510_998_910, 1.973_269_66e-11, 1.761e-44_f64);
    WeakConstants {
        fermi_constant: (0.25 * std::f64::consts::PI * sigma0).sqrt() / (electron_mass * hbar_c),
        up_down_mixing: 1.0,
        axial_coupling: 1.254,
        weak_mixing: 0.23,
        hbar_c,
        electron_mass,
        neutron_mass: NEUTRON,
        proton_mass: NEUTRON - 1.293_332,
        kinetic_mass: NEUTRON,
    }
}

#[derive(serde::Deserialize)]
struct Row {
    point: String,
    quantity: String,
    species: String,
    process: String,
    weak_mag: String,
    nucleon_blocking: String,
    transport: String,
    #[serde(rename = "E_MeV")]
    energy: f64,
    value: f64,
}

struct Reference {
    points: BTreeMap<String, BTreeMap<String, f64>>,
    rows: Vec<Row>,
}

fn reference() -> Option<Reference> {
    let Some(data) = std::env::var_os("TOLMAN_DATA").map(PathBuf::from) else {
        eprintln!("skipped: TOLMAN_DATA not set");
        return None;
    };
    let folder = data.join("nulib");
    let points = parse_points(&std::fs::read_to_string(folder.join("points.json")).unwrap());
    let mut reader = csv::Reader::from_path(folder.join("nulib_core.csv")).unwrap();
    let rows = reader.deserialize().map(Result::unwrap).collect();
    Some(Reference { points, rows })
}

/// The numbers of each point, by label: every line of the file is one `"key": value`.
fn parse_points(text: &str) -> BTreeMap<String, BTreeMap<String, f64>> {
    let mut points = BTreeMap::new();
    let mut numbers = BTreeMap::new();
    for line in text.lines() {
        let Some((key, value)) = line.trim().trim_end_matches(',').split_once(": ") else { continue };
        let (key, value) = (key.trim_matches('"'), value.trim_matches('"'));
        if key == "label" {
            points.insert(value.to_owned(), std::mem::take(&mut numbers));
        } else if let Ok(number) = value.parse() {
            numbers.insert(key.to_owned(), number);
        }
    }
    points
}

/// The point with NuLib's baryon density, and its chemical potentials where they are `stated`.
fn state(point: &BTreeMap<String, f64>, stated: bool) -> MatterState {
    let stated = |value: f64| stated.then_some(value);
    MatterState {
        density: point["nb"] * ATOMIC_MASS_UNIT,
        temperature: point["T"],
        electron_fraction: point["ye"],
        neutron_fraction: point["xn"],
        proton_fraction: point["xp"],
        alpha_fraction: point["xa"],
        heavy_fraction: point["xh"],
        heavy_mass_number: point["abar"],
        heavy_charge: point["zbar"],
        electron_chemical_potential: stated(point["mue"]),
        neutron_chemical_potential: stated(NEUTRON + point["mun"]),
        proton_chemical_potential: stated(NEUTRON + point["mup"]),
    }
}

/// The same matter with one kind of free nucleons only.
fn only(process: &str, matter: &NuclearMatter) -> NuclearMatter {
    match process {
        "n" => NuclearMatter { proton_density: 0.0, ..*matter },
        _ => NuclearMatter { neutron_density: 0.0, ..*matter },
    }
}

/// NuLib blocks the final nucleons of absorption (and only those) from this density on [g/cm³].
fn blocked_in_nulib(point: &BTreeMap<String, f64>) -> bool {
    point["rho"] >= 1e11
}

fn worst(label: &str, differences: &[f64], count: usize) {
    let worst = differences.iter().fold(0.0_f64, |a, b| a.max(*b));
    println!("{label}: {} numbers, largest relative difference {worst:.1e}", differences.len());
    assert_eq!(differences.len(), count, "{label}: numbers are missing");
    assert!(worst <= TOLERANCE, "{label}: {worst:e}");
}

/// Differences of κ*. For ν̄e + p only where the positron has more than 2 m_e: NuLib's numbers below
/// are those of a positron of that energy, down to neutrinos that cannot make one.
fn absorption(reference: &Reference, blocking: &str, stated: bool) -> Vec<f64> {
    let constants = nulib_constants();
    let least = constants.mass_difference() + 2.0 * constants.electron_mass;
    reference
        .rows
        .iter()
        .filter(|row| row.quantity == "absorption_opacity_star" && row.weak_mag == "off")
        .filter(|row| row.nucleon_blocking == blocking)
        .filter(|row| row.process == "n" || row.energy > least)
        .map(|row| {
            let point = &reference.points[&row.point];
            let matter = NuclearMatter::new(&state(point, stated), &constants).unwrap().unwrap();
            let blocked = blocking == "on" && blocked_in_nulib(point);
            let matter = if blocked { matter } else { matter.without_nucleon_blocking(&constants) };
            let opacity = match row.process.as_str() {
                "n" => neutrino_absorption(row.energy, &matter, &constants),
                _ => antineutrino_absorption(row.energy, &matter, &constants),
            };
            (opacity.absorption / row.value - 1.0).abs()
        })
        .collect()
}

#[test]
fn absorption_agrees() {
    let Some(reference) = reference() else { return };
    worst("absorption, no blocking", &absorption(&reference, "off", true), 297);
    worst("absorption, blocking", &absorption(&reference, "on", true), 297);
}

fn scattering(reference: &Reference, blocking: &str, transport: &str) -> Vec<f64> {
    let constants = nulib_constants();
    reference
        .rows
        .iter()
        .filter(|row| row.quantity == "scattering_opacity" && row.weak_mag == "off")
        .filter(|row| row.nucleon_blocking == blocking && row.transport == transport)
        .filter(|row| row.species == "nu" && ["n", "p"].contains(&row.process.as_str()))
        .filter(|row| blocking == "on" && blocked_in_nulib(&reference.points[&row.point]))
        .map(|row| {
            let matter = state(&reference.points[&row.point], true);
            let matter = NuclearMatter::new(&matter, &constants).unwrap().unwrap();
            let LocalOpacity { scattering, scattering_first, .. } =
                nucleon_scattering(row.energy, &only(&row.process, &matter), &constants);
            let value = if transport == "on" { scattering - scattering_first } else { scattering };
            (value / row.value - 1.0).abs()
        })
        .collect()
}

#[test]
fn scattering_agrees() {
    let Some(reference) = reference() else { return };
    worst("scattering, total", &scattering(&reference, "on", "off"), 216);
    worst("scattering, transport", &scattering(&reference, "on", "on"), 216);
}

/// `Rates` with NuLib's constants and everything off.
fn nothing() -> (ChargedCurrentFile, ElasticScatteringFile) {
    let absorption = ChargedCurrentFile {
        nucleons: false,
        nucleon_blocking: Some(false),
        weak_magnetism: Some(false),
        nuclei: false,
    };
    let scattering = ElasticScatteringFile {
        nucleons: false,
        nucleon_blocking: Some(false),
        weak_magnetism: Some(false),
        alpha: false,
        heavy: false,
        form_factor: Some(false),
        ion_correlations: Some(false),
        electron_polarisation: Some(ElectronPolarisation::Off),
    };
    (absorption, scattering)
}

/// The process and the corrections that a row names, and NuLib's value of it.
fn process(row: &Row, point: &BTreeMap<String, f64>) -> Option<Rates> {
    let (mut absorption, mut scattering) = nothing();
    let blocked = row.nucleon_blocking == "on";
    let magnetism = Some(row.weak_mag == "on");
    match (row.quantity.as_str(), row.process.as_str()) {
        ("absorption_opacity_star", "n" | "p") => {
            absorption.nucleons = true;
            absorption.nucleon_blocking = Some(blocked && blocked_in_nulib(point));
            absorption.weak_magnetism = magnetism;
        }
        ("absorption_opacity_star", "A") => absorption.nuclei = true,
        ("scattering_opacity", "n" | "p") => {
            scattering.nucleons = true;
            (scattering.nucleon_blocking, scattering.weak_magnetism) = (Some(blocked), magnetism);
        }
        ("scattering_opacity", "alpha") => scattering.alpha = true,
        ("scattering_opacity", name) => {
            let variant = name.strip_prefix("heavy_")?;
            scattering.heavy = true;
            scattering.form_factor = Some(["formfactor", "all"].contains(&variant));
            scattering.ion_correlations = Some(["ionion", "all"].contains(&variant));
            if ["epol", "all"].contains(&variant) {
                scattering.electron_polarisation = Some(ElectronPolarisation::BurrowsReddyThompson);
            }
        }
        _ => return None,
    }
    Some(Rates::build(0, &absorption, &scattering, RateConstants::NuLib).unwrap())
}

/// The row's point with free nucleons of its target only, and the value of the row in Tolman.
fn value(rates: &Rates, row: &Row, point: &BTreeMap<String, f64>) -> f64 {
    let mut matter = state(point, true);
    match (row.quantity.as_str(), row.process.as_str()) {
        ("scattering_opacity", "n") => matter.proton_fraction = 0.0,
        ("scattering_opacity", "p") => matter.neutron_fraction = 0.0,
        _ => {}
    }
    let (flavour, helicity) = match row.species.as_str() {
        "nue" => (Flavour::ElectronNeutrino, Helicity::Neutrino),
        "anue" => (Flavour::ElectronAntineutrino, Helicity::Antineutrino),
        "anu" => (Flavour::HeavyAntineutrino, Helicity::Antineutrino),
        _ => (Flavour::Heavy, Helicity::Neutrino),
    };
    let opacity = rates.at(row.energy, flavour, &[helicity], &matter).unwrap();
    match (row.quantity.as_str(), row.transport.as_str()) {
        ("absorption_opacity_star", _) => opacity.absorption,
        (_, "on") => opacity.scattering - opacity.scattering_first,
        _ => opacity.scattering,
    }
}

/// Every absorption and scattering opacity of single processes, with each combination of corrections.
/// ν̄e + p only where the positron has more than 2 m_e, as above. α particles: NuLib's total is 1.5 times
/// the transport opacity, which it is without form factor.
#[test]
fn every_variant_agrees() {
    let Some(reference) = reference() else { return };
    let constants = nulib_constants();
    let least = constants.mass_difference() + 2.0 * constants.electron_mass;
    let mut groups: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for row in &reference.rows {
        let point = &reference.points[&row.point];
        let positron = row.quantity == "absorption_opacity_star" && row.process == "p";
        let Some(rates) = process(row, point).filter(|_| !positron || row.energy > least) else { continue };
        let label =
            format!("{} {} wm {} transport {}", row.quantity, row.process, row.weak_mag, row.transport);
        let ours = value(&rates, row, point);
        let difference = if row.value == ours { 0.0 } else { (ours / row.value - 1.0).abs() };
        groups.entry(label).or_default().push(difference);
    }
    let mut numbers = 0;
    for (label, differences) in &groups {
        worst(label, differences, differences.len());
        numbers += differences.len();
    }
    assert_eq!((groups.len(), numbers), (20, 6660));
}

/// Chemical potentials from density, temperature and composition instead of the stated ones.
#[test]
fn own_chemical_potentials_agree() {
    let Some(reference) = reference() else { return };
    for (label, point) in reference.points.iter().filter(|(label, _)| reference.has_rates(label)) {
        let constants = nulib_constants();
        let own = NuclearMatter::new(&state(point, false), &constants).unwrap().unwrap();
        let difference = (own.electron_potential / point["mue"] - 1.0).abs();
        assert!(difference < 1e-7, "{label}: mu_e {} instead of {}", own.electron_potential, point["mue"]);
        let stated = NuclearMatter::new(&state(point, true), &constants).unwrap().unwrap();
        let difference = (own.neutrino_potential - stated.neutrino_potential).abs() / point["T"];
        assert!(difference < 1e-6, "{label}: mu_nu/T differs by {difference:e}");
    }
    worst("absorption, own potentials", &absorption(&reference, "on", false), 297);
}

impl Reference {
    fn has_rates(&self, label: &str) -> bool {
        self.rows.iter().any(|row| row.point == label)
    }
}
