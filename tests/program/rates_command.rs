//! `tolman rates` end to end: numbers against independent ones, every form of output, every message.

use assert_cmd::Command;
use rstest::rstest;

const POINT: [&str; 7] = ["rates", "--density", "5e11 g/cm3", "--temperature", "5 MeV", "--ye", "0.12"];

fn tolman(args: &[&str]) -> Command {
    let mut command = Command::cargo_bin("tolman").unwrap();
    command.args(args).env_remove("TOLMAN_DATA");
    command
}

/// Standard output of a run that succeeds.
fn shown(args: &[&str]) -> String {
    let output = tolman(args).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Standard error of a run that ends with status 2, without the wrapping.
fn refused(args: &[&str]) -> String {
    let output = tolman(args).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stdout));
    let text = String::from_utf8(output.stderr).unwrap();
    let words = text.split(|c: char| c.is_whitespace() || c == '│').filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

#[derive(Debug, Clone, serde::Deserialize)]
struct Row {
    radius_cm: Option<f64>,
    density_g_per_cm3: f64,
    species: String,
    process: String,
    energy_mev: f64,
    absorption_per_cm: f64,
    emission_per_cm: f64,
    emissivity_erg_per_cm3_s_mev_sr: f64,
    inelastic_scattering_per_cm: f64,
    scattering_per_cm: f64,
    scattering_first_per_cm: f64,
}

fn rows(args: &[&str]) -> Vec<Row> {
    let text = shown(&[args, &["--csv"]].concat());
    csv::Reader::from_reader(text.as_bytes()).deserialize().map(Result::unwrap).collect()
}

fn point_rows(more: &[&str]) -> Vec<Row> {
    rows(&[&POINT[..], more].concat())
}

#[test]
fn the_table_shows_every_process() {
    let text = shown(&POINT);
    for said in [
        "rho = 5.0000e11 g/cm3, T = 5.0000 MeV, Ye = 0.1200",
        "mu_e = 16.1",
        "nue: opacities [1/cm]",
        "nux: emissivities [erg/(cm3 s MeV sr)]",
        "nucleon absorption",
        "nucleon scattering *",
        "electron scattering ~",
        "electron pairs",
        "bremsstrahlung",
        "total",
    ] {
        assert!(text.contains(said), "{said} is not in\n{text}");
    }
    // Heavy-lepton neutrinos have no charged current: a column of zeros is left out.
    let heavy = &text[text.find("nux: opacities").unwrap()..];
    assert!(!heavy.contains("nucleon absorption"));
}

#[test]
fn processes_add_up_to_the_total() {
    let rows = point_rows(&["--energies", "3,10,40"]);
    // Five processes of `Rates()`, three of `Inelastic()`, and the total.
    assert_eq!(rows.len(), 3 * 3 * 9);
    for total in rows.iter().filter(|row| row.process == "total") {
        let parts = || {
            rows.iter().filter(|row| {
                row.process != "total" && row.species == total.species && row.energy_mev == total.energy_mev
            })
        };
        let columns: [fn(&Row) -> f64; 6] = [
            |r| r.absorption_per_cm,
            |r| r.emission_per_cm,
            |r| r.emissivity_erg_per_cm3_s_mev_sr,
            |r| r.inelastic_scattering_per_cm,
            |r| r.scattering_per_cm,
            |r| r.scattering_first_per_cm,
        ];
        for column in columns {
            let sum: f64 = parts().map(column).sum();
            assert!((sum - column(total)).abs() <= 1e-12 * column(total).abs(), "{total:?}");
        }
    }
}

/// η = κ* f_eq with μ_ν in beta equilibrium, for pairs as for charged currents; the emissivity is
/// c ε³ η/(hc)³.
#[test]
fn every_emission_is_in_detailed_balance() {
    let rows = point_rows(&[]);
    let hc = 1.239_841_984e-10_f64;
    let of = |species: &str, process: &str, energy: f64| {
        rows.iter()
            .find(|r| r.species == species && r.process == process && r.energy_mev == energy)
            .unwrap()
            .clone()
    };
    for energy in [5.0, 20.0, 70.0] {
        for species in ["nue", "anue", "nux"] {
            let (charged, pairs) =
                (of(species, "nucleon_absorption", energy), of(species, "electron_pairs", energy));
            let collisions = of(species, "bremsstrahlung", energy);
            let occupation = |row: &Row| row.emission_per_cm / row.absorption_per_cm;
            let equilibrium = occupation(&pairs);
            assert!((occupation(&collisions) / equilibrium - 1.0).abs() < 1e-12);
            if species == "nux" {
                assert_eq!(charged.absorption_per_cm, 0.0);
                let fermi = 1.0 / ((energy / 5.0).exp() + 1.0);
                assert!((equilibrium / fermi - 1.0).abs() < 1e-12, "{equilibrium} {fermi}");
            } else {
                assert!((occupation(&charged) / equilibrium - 1.0).abs() < 1e-9);
            }
            let power = 2.997_924_58e10 * 1.602_176_634e-6 * (energy / hc).powi(3) * pairs.emission_per_cm;
            assert!((pairs.emissivity_erg_per_cm3_s_mev_sr / power - 1.0).abs() < 1e-8);
        }
    }
}

/// The quadrature over the other neutrino's energy is converged: what energies are asked for beside one
/// puts edges elsewhere and changes nothing.
#[test]
fn inelastic_rates_do_not_depend_on_the_other_energies() {
    let alone = point_rows(&["--energies", "12"]);
    let among = point_rows(&["--energies", "1,4,9,12,13,29,80"]);
    for row in &alone {
        let other = among
            .iter()
            .find(|r| r.species == row.species && r.process == row.process && r.energy_mev == 12.0)
            .unwrap();
        let close = |a: f64, b: f64| (a - b).abs() <= 1e-6 * a.abs();
        assert!(close(row.absorption_per_cm, other.absorption_per_cm), "{row:?} {other:?}");
        assert!(
            close(row.inelastic_scattering_per_cm, other.inelastic_scattering_per_cm),
            "{row:?} {other:?}"
        );
    }
}

#[test]
fn json_has_the_numbers_of_csv() {
    let rows = point_rows(&["--energies", "7", "--species", "anue"]);
    let text = shown(&[&POINT[..], &["--energies", "7", "--species", "anue", "--json"]].concat());
    let list: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    assert_eq!(list.len(), rows.len());
    for (object, row) in list.iter().zip(&rows) {
        assert_eq!(object["process"], row.process.as_str());
        let value = object["absorption_per_cm"].as_f64().unwrap();
        assert!((value - row.absorption_per_cm).abs() <= 1e-15 * value.abs());
        assert_eq!(object["radius_cm"], serde_json::Value::Null);
    }
}

/// n=… of the composition and the sources are what was asked for: scattering on neutrons alone is
/// proportional to their density.
#[test]
fn composition_and_sources_are_used() {
    let sources =
        ["--sources", "[Bruenn1985(charged_current: false)]", "--energies", "10", "--species", "nux"];
    let scattering = |composition: &str| {
        let more = [&["--composition", composition], &sources[..]].concat();
        let args = ["rates", "--density", "1e8 g/cm3", "--temperature", "2 MeV", "--ye", "0.4"];
        let rows = rows(&[&args[..], &more].concat());
        assert_eq!(
            rows.iter().map(|r| r.process.as_str()).collect::<Vec<_>>(),
            ["nucleon_scattering", "total"]
        );
        assert_eq!(rows[0].density_g_per_cm3, 1e8);
        rows[0].scattering_per_cm
    };
    let few = scattering("n=0.1,heavy=0.9,A=90,Z=40");
    let more = scattering("n=0.2,alpha=0.8");
    assert!((more / few - 2.0).abs() < 1e-6, "{}", more / few);
}

#[test]
fn a_problem_is_shown_at_its_radii() {
    let args = ["rates", "problems/pns_atmosphere.ron", "--energies", "10", "--set"];
    let set = "opacities=[Bruenn1985(), Inelastic(bremsstrahlung: false)]";
    let rows = rows(&[&args[..], &[set, "--radius", "30 km", "--radius", "100 km"]].concat());
    let radii: Vec<f64> = rows.iter().filter_map(|row| row.radius_cm).collect();
    assert_eq!(radii.len(), rows.len());
    assert!(radii.contains(&3e6) && radii.contains(&1e7));
    let pairs: Vec<&Row> = rows.iter().filter(|row| row.process == "electron_pairs").collect();
    assert!(pairs.len() >= 4 && pairs.iter().all(|row| row.absorption_per_cm > 0.0));
    assert!(rows.iter().all(|row| row.process != "bremsstrahlung"));
}

#[test]
fn figures_are_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rates.svg");
    let path = file.to_str().unwrap();
    shown(&[&POINT[..], &["--plot", path, "--species", "nue"]].concat());
    let text = std::fs::read_to_string(&file).unwrap();
    for said in ["Opacities of nue", "nucleon absorption", "σ₀ nucleon scattering", "opacity [10⁻⁴ cm⁻¹]"]
    {
        assert!(text.contains(said), "{said}");
    }
    assert!(!text.contains("NaN"));
    shown(&[&POINT[..], &["--plot", path]].concat());
    for name in ["rates_nue.svg", "rates_anue.svg", "rates_nux.svg"] {
        assert!(folder.path().join(name).is_file(), "{name}");
    }
}

#[rstest]
#[case(&["--density", "1e12", "--temperature", "5 MeV", "--ye", "0.2"], "--density: found 1e12 without a unit")]
#[case(&["--density", "1e12 MeV", "--temperature", "5 MeV", "--ye", "0.2"], "density in one of the units")]
#[case(&["--density", "-1 g/cm3", "--temperature", "5 MeV", "--ye", "0.2"], "density: found -1e0 g/cm3; valid: 0 or above")]
#[case(&["--density", "1e12 g/cm3", "--temperature", "0 MeV", "--ye", "0.2"], "temperature: found 0e0 MeV; valid: above 0")]
#[case(&["--density", "NaN g/cm3", "--temperature", "5 MeV", "--ye", "0.2"], "a finite number")]
#[case(&["--density", "1e12 g/cm3", "--temperature", "5 MeV", "--ye", "1.2"], "ye: found 1.2; valid: 0 to 1")]
#[case(&["--density", "1e12 g/cm3", "--temperature", "5 MeV", "--ye", "NaN"], "ye: found NaN; valid: 0 to 1")]
#[case(&["--density", "1e12 g/cm3", "--temperature", "5 MeV"], "--ye <YE>")]
#[case(&["--density", "1e12 g/cm3", "--temperature", "5 MeV", "--ye", "0.2", "--composition", "n=1.2,p=-0.2"],
    "composition: n: found 1.2; valid: a mass fraction from 0 to 1")]
#[case(&["--density", "1e12 g/cm3", "--temperature", "5 MeV", "--ye", "0.2", "--composition", "n=0.7,p=0.2"],
    "the sum 0.8999999999999999; valid: mass fractions of sum 1")]
#[case(&["--density", "1e12 g/cm3", "--temperature", "5 MeV", "--ye", "0.2", "--composition", "n=0.7,p=0.3"],
    "charge 0.3; valid: a charge per baryon of ye = 0.2")]
#[case(&["--density", "1e12 g/cm3", "--temperature", "5 MeV", "--ye", "0.2", "--composition", "n=0.5,heavy=0.5"],
    "composition: A: found 0; valid: a mass number of at least 1")]
#[case(&["--density", "1e12 g/cm3", "--temperature", "5 MeV", "--ye", "0.2", "--composition", "n=0.5,heavy=0.5,A=50,Z=60"],
    "composition: Z: found 60; valid: a charge from 0 to A")]
#[case(&["--density", "1e12 g/cm3", "--temperature", "5 MeV", "--ye", "0.2", "--composition", "x=1"],
    "x is none of n, p, alpha, heavy, A, Z")]
#[case(&["--density", "1e12 g/cm3", "--temperature", "5 MeV", "--ye", "0.2", "--energies", "0"], "an energy in MeV")]
#[case(&["--density", "1e12 g/cm3", "--temperature", "5 MeV", "--ye", "0.2", "--sources", "[]"], "no sources")]
#[case(&["--density", "1e12 g/cm3", "--temperature", "5 MeV", "--ye", "0.2", "--sources", "[Unknown()]"], "Unknown")]
#[case(&["--density", "1e12 g/cm3", "--temperature", "5 MeV", "--ye", "0.2", "--species", "numu"],
    "--species: found numu; valid: one of nue, anue, nux")]
#[case(&["--density", "1e12 g/cm3", "--temperature", "5 MeV", "--ye", "0.2", "--plot", "x.pdf"],
    "--plot: found x.pdf; valid: a file name that ends in .svg or .png")]
#[case(&["--density", "1e12 g/cm3", "--temperature", "5 MeV", "--ye", "0.2", "--data", "nowhere"], "nowhere: is no folder")]
#[case(&["problems/pns_atmosphere.ron"], "--radius")]
#[case(&["problems/pns_atmosphere.ron", "--radius", "-3 km"], "--radius: found -3e5 cm; valid: 0 or above")]
#[case(&["problems/pns_atmosphere.ron", "--radius", "10 MeV"], "length in one of the units")]
#[case(&["problems/homogeneous_sphere.ron", "--radius", "10 km"], "Physical: rates are shown in 1/cm and MeV")]
#[case(&["problems/no_such.ron", "--radius", "10 km"], "cannot be read")]
fn bad_input_is_refused(#[case] args: &[&str], #[case] said: &str) {
    let message = refused(&[&["rates"], args].concat());
    assert!(message.contains(said), "{said} is not in: {message}");
}
