//! `tolman verify` from the outside: what passes, what does not, and what is no verification at all.

use std::path::Path;

use tempfile::TempDir;
use tolman::output::dataset::{Dataset, Values};
use tolman::output::{read, write};

use crate::command::{text, tolman};

const SPHERE: &str = r#"(
    format: 1,
    title: "Sphere",
    units: Dimensionless,
    background: (metric: Flat, discontinuities: [1]),
    species: [(name: "nu")],
    phase_space: (
        r: (degree: 2, elements: Segments(start: 0, segments: [(end: 1, elements: 4), (end: 3, elements: 4)])),
        mu: Uniform(degree: 2, elements: 6),
        energy: Gray,
    ),
    opacities: [Absorption(absorption: Constant(2.0), equilibrium: Constant(1.0), region: (outer: 1))],
)"#;

/// A folder with one problem and its reference, whose errors are a millionth of each variable's largest
/// value.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for part in ["problems", "reference_solutions"] {
        std::fs::create_dir(folder.path().join(part)).unwrap();
    }
    std::fs::write(folder.path().join("problems/sphere.ron"), SPHERE).unwrap();
    let run = tolman(folder.path(), &["run", "problems/sphere.ron", "-o", "sphere.h5"]);
    assert!(run.status.success(), "{}", text(&run));
    let mut reference = read(&folder.path().join("sphere.h5")).unwrap();
    add_errors(&mut reference);
    reference.attribute("standard_wall_time_s", 0.1);
    store(&reference, folder.path());
    folder
}

fn store(reference: &Dataset, folder: &Path) {
    write(reference, &folder.join("reference_solutions/sphere.h5")).unwrap();
}

fn reference(folder: &Path) -> Dataset {
    read(&folder.join("reference_solutions/sphere.h5")).unwrap()
}

fn add_errors(data: &mut Dataset) {
    for name in ["j", "h", "luminosity", "flux_factor"] {
        let variable = data.get(name).unwrap().clone();
        let Values::Real(values) = &variable.values else { unreachable!() };
        let largest = values.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
        let dimensions: Vec<&str> = variable.dimensions.iter().map(String::as_str).collect();
        let errors = vec![1e-6 * largest; values.len()];
        data.real(&format!("{name}_standard_error"), &dimensions, &variable.units, "error", errors);
    }
}

/// Multiplies entry `index` of `name` by 1 + `part`.
fn disturb(data: &mut Dataset, name: &str, index: usize, part: f64) {
    let variable = data.variables.iter_mut().find(|v| v.name == name).unwrap();
    let Values::Real(values) = &mut variable.values else { unreachable!() };
    values[index] *= 1.0 + part;
}

#[test]
fn an_unchanged_solver_passes() {
    let folder = folder();
    for arguments in [&["verify"][..], &["verify", "sphere"], &["verify", "--fast"]] {
        let output = tolman(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output));
        assert!(text(&output).contains("ok       sphere (4 variables)"), "{}", text(&output));
        assert!(text(&output).contains("1 passed, 0 failed, 0 invalid, 0 skipped"));
    }
}

#[test]
fn a_value_beyond_its_error_fails_and_is_named() {
    let folder = folder();
    let mut stored = reference(folder.path());
    disturb(&mut stored, "flux_factor", 20, 1e-4);
    store(&stored, folder.path());
    let output = tolman(folder.path(), &["verify"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(text(&output).contains("FAILED   sphere: 1 of 4 variables differ"), "{}", text(&output));
    let row = text(&output).lines().find(|line| line.contains("flux_factor")).unwrap().to_owned();
    let place = format!("nu, r {:.5e}", stored.reals("r").unwrap()[20]);
    assert!(row.starts_with("  beyond") && row.contains(&place), "{row}");
}

#[test]
fn a_run_that_does_not_converge_fails() {
    let folder = folder();
    let problem = SPHERE.replace("units:", "mode: SteadyState(tolerance: 1e-30),\n    units:");
    std::fs::write(folder.path().join("problems/sphere.ron"), problem).unwrap();
    let run = tolman(folder.path(), &["run", "problems/sphere.ron", "-o", "again.h5"]);
    assert_eq!(run.status.code(), Some(1));
    let mut stored = read(&folder.path().join("again.h5")).unwrap();
    add_errors(&mut stored);
    store(&stored, folder.path());
    let output = tolman(folder.path(), &["verify"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(text(&output).contains("did not converge"), "{}", text(&output));
}

#[test]
fn pairs_that_do_not_belong_together_are_invalid() {
    let changed = folder();
    std::fs::write(changed.path().join("problems/sphere.ron"), SPHERE.replace("2.0", "2.5")).unwrap();
    let without_problem = folder();
    std::fs::remove_file(without_problem.path().join("problems/sphere.ron")).unwrap();
    let without_reference = folder();
    std::fs::remove_file(without_reference.path().join("reference_solutions/sphere.h5")).unwrap();
    let without_errors = folder();
    let mut stored = reference(without_errors.path());
    stored.variables.retain(|variable| !variable.name.ends_with("_error"));
    store(&stored, without_errors.path());
    let damaged = folder();
    std::fs::write(damaged.path().join("reference_solutions/sphere.h5"), "no HDF5").unwrap();
    for (folder, message) in [
        (changed, "another text"),
        (without_problem, "there is no problem"),
        (without_reference, "has no reference"),
        (without_errors, "known error"),
        (damaged, "sphere.h5"),
    ] {
        let output = tolman(folder.path(), &["verify"]);
        assert_eq!(output.status.code(), Some(2), "{message}: {}", text(&output));
        assert!(
            text(&output).contains("INVALID  sphere") && text(&output).contains(message),
            "{}",
            text(&output)
        );
    }
}

#[test]
fn unknown_names_and_folders_are_errors() {
    let folder = folder();
    for (arguments, message) in [
        (&["verify", "cube"][..], "no problem cube"),
        (&["verify", "--references", "nowhere"], "nowhere"),
        (&["verify", "--problems", "nowhere"], "nowhere"),
        (&["verify", "--data", "nowhere"], "no folder"),
    ] {
        let output = tolman(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(2), "{}", text(&output));
        assert!(text(&output).contains(message), "{}", text(&output));
    }
}

#[test]
fn nothing_to_verify_is_no_success() {
    let folder = folder();
    let mut stored = reference(folder.path());
    stored.attribute("standard_wall_time_s", 1e6);
    store(&stored, folder.path());
    assert_eq!(tolman(folder.path(), &["verify", "--fast"]).status.code(), Some(2));
}

#[test]
fn reports_for_machines_say_the_same() {
    let folder = folder();
    let mut stored = reference(folder.path());
    disturb(&mut stored, "j", 3, 1e-3);
    store(&stored, folder.path());
    let output = tolman(folder.path(), &["verify", "--format", "json"]);
    assert_eq!(output.status.code(), Some(1));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report[0]["problem"], "sphere");
    assert_eq!(report[0]["outcome"], "failed");
    assert_eq!(report[0]["checks"][0]["variable"], "j");
    assert!(report[0]["checks"][0]["difference"].as_f64() > report[0]["checks"][0]["allowed"].as_f64());
    let output = tolman(folder.path(), &["verify", "--format", "junit"]);
    assert_eq!(output.status.code(), Some(1));
    let xml = String::from_utf8(output.stdout).unwrap();
    assert!(xml.contains("<testcase name=\"sphere\"") && xml.contains("failures=\"1\""), "{xml}");
}
