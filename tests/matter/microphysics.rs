//! Rates, tables and the matter's consistency as a user meets them: through problem files and `tolman check`.

use std::path::Path;

use assert_cmd::Command;
use tempfile::TempDir;

/// A problem in a folder with its profile.
fn folder(columns: &str, header: &str, rows: &str, opacity: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("profile.csv"), format!("# {header}\n{rows}")).unwrap();
    let text = format!(
        r#"(
    format: 1, title: "t", units: Physical,
    background: (metric: Flat, matter: Profile((file: "profile.csv", columns: (
        r: (name: "r", unit: "km"), density: (name: "rho", unit: "g/cm3"),
        temperature: (name: "t", unit: "MeV"), electron_fraction: (name: "ye", unit: "1"), {columns})))),
    species: [(name: "nue", flavour: ElectronNeutrino), (name: "anue", flavour: ElectronAntineutrino),
              (name: "nux", multiplicity: 4)],
    phase_space: (
        r: (degree: 1, elements: Edges((values: [10, 20, 30], unit: "km"))),
        mu: Uniform(degree: 1, elements: 2),
        energy: Geometric(degree: 1, from: "2 MeV", to: "100 MeV", elements: 4),
    ),
    opacities: [{opacity}],
)"#
    );
    std::fs::write(folder.path().join("t.ron"), text).unwrap();
    folder
}

/// Exit code, standard output and standard error of `tolman check`.
fn check(folder: &Path) -> (i32, String, String) {
    let output = Command::new(assert_cmd::cargo::cargo_bin!("tolman"))
        .args(["check", "t.ron"])
        .current_dir(folder)
        .output()
        .unwrap();
    let text = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        text.split(|c: char| c.is_whitespace() || c == '│')
            .filter(|word| !word.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    };
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

const PLAIN: &str = "10,1e11,4,0.3\n20,1e10,3,0.35\n30,1e9,2,0.4\n";

#[test]
fn rates_of_a_consistent_profile_are_described_without_a_warning() {
    let (code, output, errors) = check(folder("", "r,rho,t,ye", PLAIN, "Rates()").path());
    assert_eq!(code, 0, "{errors}");
    assert!(
        output.contains("rates: absorption of electron (anti)neutrinos on free nucleons (blocking, weak")
    );
    assert!(
        output.contains("elastic scattering on heavy nuclei (form factor, ion correlations)"),
        "{output}"
    );
    assert!(!errors.contains("WARN") && !errors.contains("background.matter"), "{errors}");
}

/// Mass fractions of 0.95 in sum, a charge of 0.05 too little, and μ_e without the rest mass.
#[test]
fn contradictions_are_quantified() {
    let columns = r#"neutron_fraction: (name: "xn", unit: "1"), proton_fraction: (name: "xp", unit: "1"),
        electron_chemical_potential: (name: "mue", unit: "MeV")"#;
    let rows = "10,1e11,4,0.3,0.7,0.25,9.6\n20,1e10,3,0.35,0.65,0.35,1.0\n30,1e9,2,0.4,0.6,0.4,0.1\n";
    let (code, _, errors) = check(folder(columns, "r,rho,t,ye,xn,xp,mue", rows, "Rates()").path());
    assert_eq!(code, 0, "{errors}");
    assert!(errors.contains("mass fractions add up to 0.950000 instead of 1"), "{errors}");
    assert!(errors.contains("electron_fraction is 0.300000, and the composition has 0.250000"), "{errors}");
    assert!(errors.contains("does it include the rest mass?"), "{errors}");
    assert!(errors.contains("at r = 1.000000e6 cm"), "{errors}");
}

#[rstest::rstest]
#[case(
    "Rates(charged_current: (nucleons: false, weak_magnetism: true))",
    "opacities[0].charged_current.weak_magnetism: found a correction of a process that is off"
)]
#[case("Rates(scattering: (electron_polarisation: On))", "electron_polarisation")]
#[case("Rates(scattering: (helium: true))", "helium")]
#[case("NuLibTable(file: \"\", mapping: Pointwise)", "opacities[0].file")]
#[case("NuLibTable(file: \"absent.h5\", mapping: Pointwise)", "absent.h5: cannot be read")]
#[case("NuLibTable(file: \"profile.csv\", mapping: Pointwise)", "profile.csv: is not an HDF5 file")]
fn bad_sources_are_refused(#[case] opacity: &str, #[case] said: &str) {
    let (code, _, errors) = check(folder("", "r,rho,t,ye", PLAIN, opacity).path());
    assert_ne!(code, 0);
    assert!(errors.contains(said), "{errors}");
}

#[test]
fn an_equation_of_state_that_is_no_table_is_refused() {
    let folder = folder("", "r,rho,t,ye", PLAIN, "Rates()");
    let path = folder.path().join("t.ron");
    let text = std::fs::read_to_string(&path).unwrap().replace(
        "Profile((file: \"profile.csv\",",
        "Profile((file: \"profile.csv\", equation_of_state: (file: \"none.h5\", chemical_potentials: WithRestMass),",
    );
    std::fs::write(&path, text).unwrap();
    let (code, _, errors) = check(folder.path());
    assert_ne!(code, 0);
    assert!(errors.contains("none.h5: cannot be read"), "{errors}");
}
