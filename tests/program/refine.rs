//! `tolman refine` and `tolman agree` from the outside.

use std::path::Path;

use rstest::rstest;
use tempfile::TempDir;
use tolman::output::dataset::Dataset;
use tolman::output::read;

use crate::command::{text, tolman};
use crate::small_problems::{PULSE, sphere};

fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("sphere.ron"), sphere()).unwrap();
    std::fs::write(folder.path().join("pulse.ron"), PULSE).unwrap();
    folder
}

fn succeeds(folder: &Path, arguments: &[&str]) -> String {
    let output = tolman(folder, arguments);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    text(&output)
}

fn largest(data: &Dataset, name: &str) -> f64 {
    data.reals(name).unwrap().iter().fold(0.0, |m: f64, v| m.max(v.abs()))
}

#[test]
fn every_quantity_gets_its_error() {
    let folder = folder();
    let report = succeeds(folder.path(), &["refine", "sphere.ron"]);
    assert!(report.contains("luminosity") && report.contains("observed orders"), "{report}");
    let refined = read(&folder.path().join("sphere.refined.h5")).unwrap();
    succeeds(folder.path(), &["run", "sphere.ron"]);
    let run = read(&folder.path().join("sphere.h5")).unwrap();
    for name in ["f", "j", "h", "k", "l", "luminosity", "number_density", "flux_factor", "number_emitted"] {
        // With the finest run at twice the resolution, the values are those of the run itself.
        assert_eq!(refined.reals(name).unwrap(), run.reals(name).unwrap(), "{name}");
        let (value, error) = (refined.get(name).unwrap(), refined.get(&format!("{name}_error")).unwrap());
        assert_eq!((&value.dimensions, &value.units), (&error.dimensions, &error.units));
        assert!(largest(&refined, &format!("{name}_error")) > 0.0);
        assert!(refined.get(&format!("{name}_standard_error")).is_some());
    }
    assert!(largest(&refined, "luminosity_error") < 1e-2 * largest(&refined, "luminosity"));
    for coordinate in ["r", "lapse", "absorption", "mu_weight"] {
        assert!(refined.get(&format!("{coordinate}_error")).is_none());
    }
    let samples = refined.get_group("samples").unwrap();
    assert!(largest(&samples, "luminosity_error") > 0.0);
    let parts = refined.get_group("refinement").unwrap();
    for name in ["luminosity_error_r", "luminosity_error_mu", "luminosity_finest", "luminosity_extrapolated"]
    {
        assert_eq!(parts.reals(name).unwrap().len(), run.reals("luminosity").unwrap().len());
    }
    // Own resolution = half the finest, finest, and two coarser runs in r and in mu.
    assert_eq!(parts.texts("run_level").unwrap().len(), 6);
    assert!(!folder.path().join("sphere.refined.ladder").exists());
}

#[test]
fn evolutions_are_refined_in_time() {
    let folder = folder();
    succeeds(folder.path(), &["refine", "pulse.ron"]);
    let refined = read(&folder.path().join("pulse.refined.h5")).unwrap();
    assert_eq!(refined.get("j_error").unwrap().dimensions, ["time", "species", "energy", "r"]);
    let parts = refined.get_group("refinement").unwrap();
    let orders = parts.texts("order_direction").unwrap().iter().zip(parts.reals("order").unwrap());
    let variables = parts.texts("order_variable").unwrap();
    let time: Vec<f64> = orders
        .zip(variables)
        .filter(|((direction, _), variable)| *direction == "time" && *variable == "j")
        .map(|((_, order), _)| *order)
        .collect();
    assert!(time[0] > 1.7, "order {time:?} in time of a method of order 2");
}

#[test]
fn one_direction_and_a_finer_finest_run() {
    let folder = folder();
    succeeds(folder.path(), &["refine", "sphere.ron", "--directions", "mu", "--finest", "4", "-o", "mu.h5"]);
    let refined = read(&folder.path().join("mu.h5")).unwrap();
    let parts = refined.get_group("refinement").unwrap();
    assert!(parts.get("j_error_mu").is_some() && parts.get("j_error_r").is_none());
    // The values are those of the run with twice the angles, whose error is below that of the problem's.
    assert!(largest(&refined, "h_error") < 0.5 * largest(&refined, "h_standard_error"));
}

#[test]
fn kept_runs_give_the_same_result_and_others_are_not_taken() {
    let folder = folder();
    succeeds(folder.path(), &["refine", "sphere.ron", "--keep", "-o", "first.h5"]);
    let ladder = folder.path().join("first.ladder");
    assert_eq!(std::fs::read_dir(&ladder).unwrap().count(), 6);
    let first = read(&folder.path().join("first.h5")).unwrap();
    // One run lost, one of another problem.
    std::fs::remove_file(ladder.join("r2_mu2_energy1_time1.h5")).unwrap();
    succeeds(folder.path(), &["run", "pulse.ron", "-o", "first.ladder/r1_mu1_energy1_time1.h5"]);
    succeeds(folder.path(), &["refine", "sphere.ron", "-o", "first.h5"]);
    let again = read(&folder.path().join("first.h5")).unwrap();
    assert_eq!(first.variables, again.variables);
    assert!(!ladder.exists());
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let folder = folder();
    for threads in ["1", "4"] {
        let name = format!("t{threads}.h5");
        succeeds(folder.path(), &["refine", "sphere.ron", "--threads", threads, "-o", &name]);
    }
    let [one, four] = ["t1.h5", "t4.h5"].map(|name| read(&folder.path().join(name)).unwrap());
    assert_eq!(one.variables, four.variables);
}

#[rstest]
#[case(&["refine", "sphere.ron", "--directions", "energy"], "directions of this problem: r, mu")]
#[case(&["refine", "sphere.ron", "--directions", "time"], "directions of this problem: r, mu")]
#[case(&["refine", "sphere.ron", "--finest", "3"], "expected 1, 2, 4 or 8")]
#[case(&["refine", "nothing.ron"], "nothing.ron")]
#[case(&["refine", "sphere.ron", "pulse.ron"], "one problem, or --store")]
#[case(&["refine", "sphere.ron", "--reason", "x"], "--store")]
#[case(&["refine", "sphere.ron", "-o", "missing/out.h5"], "missing")]
#[case(&["refine", "sphere.ron", "--set", "resolutions.finest=5"], "1, 2, 4 or 8")]
#[case(&["agree", "pulse.ron"], "knows no time")]
#[case(&["agree", "pulse.ron", "--samples"], "knows no time")]
#[case(&["agree", "sphere.ron", "--share", "2"], "from 0 to 1")]
#[case(&["agree", "sphere.ron", "--tolerance", "2"], "between 1e-12 and 1e-2")]
fn what_cannot_be_done_is_refused(#[case] arguments: &[&str], #[case] message: &str) {
    let folder = folder();
    let output = tolman(folder.path(), arguments);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert!(text(&output).contains(message), "{}", text(&output));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left behind");
}

#[test]
fn a_run_that_does_not_converge_gives_no_file() {
    let folder = folder();
    let arguments = ["refine", "sphere.ron", "--set", "mode=SteadyState(tolerance: 1e-30)"];
    let output = tolman(folder.path(), &arguments);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(text(&output).contains("did not converge"), "{}", text(&output));
    assert!(!folder.path().join("sphere.refined.h5").exists());
}

#[test]
fn both_methods_agree_and_a_wrong_solution_does_not() {
    let folder = folder();
    succeeds(folder.path(), &["refine", "sphere.ron"]);
    let report = succeeds(folder.path(), &["agree", "sphere.ron", "--refined", "sphere.refined.h5"]);
    assert!(report.contains("agree     luminosity") && !report.contains("DISAGREE"), "{report}");
    // Another problem is refused, and a solution of another problem disagrees.
    let other = ["agree", "sphere.ron", "--refined", "sphere.refined.h5", "--set"];
    let output = tolman(folder.path(), &[&other[..], &["opacities[0].absorption=Constant(2.1)"]].concat());
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert!(text(&output).contains("another problem"), "{}", text(&output));
    let mut wrong = read(&folder.path().join("sphere.refined.h5")).unwrap();
    let variable = wrong.variables.iter_mut().find(|v| v.name == "k").unwrap();
    if let tolman::output::dataset::Values::Real(values) = &mut variable.values {
        values.iter_mut().for_each(|k| *k *= 1.01);
    }
    tolman::output::write(&wrong, &folder.path().join("wrong.h5")).unwrap();
    let output = tolman(folder.path(), &["agree", "sphere.ron", "--refined", "wrong.h5", "--json"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found[0]["worst"]["variable"], "k");
}

/// The rays' solution at the sample radii says where it comes from, as every output does.
#[test]
fn rays_at_the_sample_radii_are_kept() {
    let folder = folder();
    succeeds(folder.path(), &["refine", "sphere.ron"]);
    let kept = ["--samples", "--output", "rays.h5"];
    succeeds(
        folder.path(),
        &[&["agree", "sphere.ron", "--refined", "sphere.refined.h5"], &kept[..]].concat(),
    );
    let (rays, refined) = (
        read(&folder.path().join("rays.h5")).unwrap(),
        read(&folder.path().join("sphere.refined.h5")).unwrap(),
    );
    assert_eq!(rays.text_attribute("method"), Some("characteristics"));
    assert_eq!(rays.text_attribute("problem_hash"), refined.text_attribute("problem_hash"));
    let samples = refined.get_group("samples").unwrap();
    assert_eq!(rays.reals("r_sample").unwrap(), samples.reals("r_sample").unwrap());
    assert!(rays.reals("luminosity_error").unwrap().iter().all(|error| *error > 0.0));
}

/// Every run of a ladder finds that nothing is emitted.
#[test]
fn a_ladder_warns_once() {
    let folder = folder();
    let report = text(&tolman(folder.path(), &["refine", "sphere.ron", "--set", "opacities=[]"]));
    assert_eq!(report.matches("nothing emits neutrinos").count(), 1, "{report}");
}
