//! `tolman score`: approximate schemes against the reference.

use std::path::Path;

use approx::assert_relative_eq;
use rstest::rstest;
use tempfile::TempDir;
use tolman::error::{Error, Result};
use tolman::methods::name::Method;
use tolman::output::dataset::{Dataset, Values};
use tolman::output::{read, write};
use tolman::problem::{LoadOptions, Loaded, load};
use tolman::progress::{Observer, Silent};
use tolman::run::{Finished, Resources, run};
use tolman::score::matrix::{Matrix, matrix};
use tolman::score::{Cell, Measure, Outcome, Row, Runs, Score, Scored, Settings, Source, score, table};
use tolman::solvers::krylov::Status;

use crate::command::{text, tolman};
use crate::small_problems::{PULSE, sphere};

/// Matter that is heated outside and cooled inside.
const ATMOSPHERE: &str = r#"(
    format: 1,
    title: "Atmosphere",
    units: Physical,
    background: (
        metric: Schwarzschild(mass: "1.4 Msun", core_radius: "20 km"),
        matter: PowerLawAtmosphere(
            reference_radius: "20 km",
            density: "1e13 g/cm3",
            density_exponent: 6,
            temperature: "8 MeV",
            temperature_exponent: 1,
            electron_fraction: (inner: 0.1, inner_radius: "25 km", outer: 0.48, outer_radius: "120 km"),
        ),
        discontinuities: (values: [20], unit: "km"),
    ),
    species: [
        (name: "nue", flavour: ElectronNeutrino),
        (name: "anue", flavour: ElectronAntineutrino),
    ],
    phase_space: (
        r: (degree: 1, elements: Segments(start: "0 km", segments: [
            (end: "20 km", elements: 2),
            (end: "60 km", elements: 8, spacing: Geometric),
            (end: "300 km", elements: 5, spacing: Geometric),
        ])),
        mu: Graded(degree: 1, inward: 3, outward: 5, finest: 1e-2),
        energy: Geometric(degree: 1, from: "2 MeV", to: "150 MeV", elements: 6),
    ),
    opacities: [Bruenn1985()],
    outputs: (sample_radii: (values: [50, 200], unit: "km")),
)"#;

fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let sphere = sphere();
    for (name, text) in [("sphere", sphere.as_str()), ("pulse", PULSE), ("atmosphere", ATMOSPHERE)] {
        std::fs::write(folder.path().join(name).with_extension("ron"), text).unwrap();
    }
    folder
}

/// All that was printed, with the line breaks of long messages undone.
fn printed(output: &std::process::Output) -> String {
    let all = text(output);
    all.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ")
}

/// What was printed, where the exit status is `code`.
fn exits(folder: &Path, arguments: &[&str], code: i32) -> String {
    let output = tolman(folder, arguments);
    assert_eq!(output.status.code(), Some(code), "{}", printed(&output));
    printed(&output)
}

fn json(folder: &Path, arguments: &[&str]) -> serde_json::Value {
    let output = tolman(folder, &[arguments, &["--format", "json"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", printed(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The relative error of the first scheme in the row.
fn relative(score: &serde_json::Value, quantity: &str, measure: &str) -> f64 {
    let rows = score["rows"].as_array().unwrap();
    let row = rows.iter().find(|row| row["quantity"] == quantity && row["measure"] == measure).unwrap();
    row["cells"][0]["Scored"]["relative"].as_f64().unwrap()
}

fn last(data: &Dataset, name: &str) -> f64 {
    *data.reals(name).unwrap().last().unwrap()
}

/// The value at r = `edge` of the parabola through the three nodes of the outermost element.
fn at_edge(data: &Dataset, name: &str, edge: f64) -> f64 {
    let (r, values) = (data.reals("r").unwrap(), data.reals(name).unwrap());
    let nodes = r.len() - 3..r.len();
    let basis = |i: usize| -> f64 {
        nodes.clone().filter(|&q| q != i).map(|q| (edge - r[q]) / (r[i] - r[q])).product()
    };
    nodes.clone().map(|i| basis(i) * values[i]).sum()
}

/// Single values are those at the outer edge, where both results have them by the polynomials of the elements.
#[test]
fn errors_are_those_of_two_separate_runs() {
    let folder = folder();
    let found = json(folder.path(), &["score", "sphere.ron", "--methods", "m1:levermore"]);
    exits(folder.path(), &["run", "sphere.ron", "-o", "exact.h5"], 0);
    exits(folder.path(), &["run", "sphere.ron", "--method", "m1:levermore", "-o", "m1.h5"], 0);
    let [exact, scheme] = ["exact.h5", "m1.h5"].map(|name| read(&folder.path().join(name)).unwrap());
    let [expected, exact] = [&scheme, &exact].map(|data| at_edge(data, "luminosity_infinity", 4.0));
    let expected = expected / exact - 1.0;
    assert!(expected.abs() > 0.01);
    assert_relative_eq!(relative(&found, "luminosity_infinity", "AtRadius"), expected, max_relative = 1e-6);
    assert!(found["schemes"][0]["cost"].as_f64().unwrap() > 0.0);
    assert_eq!(found["reference_errors"], "not stated");
    assert!(found["rows"][0]["cells"][0]["Scored"]["significant"].is_null());
}

#[test]
fn results_scores_and_report_are_written() {
    let folder = folder();
    let text = exits(folder.path(), &["score", "sphere.ron", "--methods", "m1:minerbo,m1:levermore"], 0);
    assert!(text.contains("luminosity_infinity nu at R") && text.contains("cost"), "{text}");
    let file = read(&folder.path().join("sphere_score.h5")).unwrap();
    let group =
        |name: &str| file.groups.iter().find(|(group, _)| group == name).map(|(_, data)| data).unwrap();
    assert_eq!(group("m1_levermore").text_attribute("method"), Some("m1:levermore"));
    assert_eq!(group("reference").text_attribute("method"), Some("boltzmann"));
    assert!(group("reference").get("f").is_none());
    let score = group("score");
    assert_eq!(score.texts("scheme").unwrap(), ["m1:minerbo", "m1:levermore"]);
    let shape = [score.length("row").unwrap(), 2];
    let (errors, there) =
        (score.array("relative_error").unwrap(), score.array("has_relative_error").unwrap());
    assert_eq!((errors.shape(), there.shape()), (&shape[..], &shape[..]));
    assert!(errors.iter().zip(there).any(|(error, there)| *there == 1.0 && error.abs() > 0.01));
    let page = std::fs::read_to_string(folder.path().join("sphere_score.html")).unwrap();
    assert!(page.matches("<svg").count() >= 6 && page.contains("m1:levermore"));
    assert!(!page.contains("<script") && !page.contains("http-equiv") && !page.contains("src=\""));
}

/// The method along geodesics solves the same equation: its errors are numerical.
#[test]
fn an_exact_method_has_small_errors() {
    let folder = folder();
    let found = json(folder.path(), &["score", "sphere.ron", "--methods", "characteristics"]);
    for (quantity, measure) in
        [("luminosity_infinity", "AtRadius"), ("flux_factor", "L1"), ("eddington_factor", "L1")]
    {
        assert!(relative(&found, quantity, measure).abs() < 5e-3, "{quantity} {measure}");
    }
}

/// The errors that a stored reference states make differences significant or not.
#[test]
fn errors_come_from_the_stored_reference_of_the_same_problem() {
    let folder = folder();
    exits(folder.path(), &["refine", "sphere.ron", "-o", "refined.h5"], 0);
    // The errors of a run at the problem's own resolution are larger where the reference is finer.
    let mut reference = read(&folder.path().join("refined.h5")).unwrap();
    change_values(&mut reference, "luminosity_infinity_standard_error", |_, error| *error *= 3.0);
    write(&reference, &folder.path().join("sphere.h5")).unwrap();
    let arguments = ["score", "sphere.ron", "--methods", "m1:levermore,boltzmann", "--references", "."];
    let found = json(folder.path(), &arguments);
    let row = &found["rows"][0];
    let stored = read(&folder.path().join("sphere.h5")).unwrap();
    let outermost = last(&stored, "luminosity_infinity_standard_error");
    assert_relative_eq!(row["reference_error"].as_f64().unwrap(), outermost, max_relative = 1e-9);
    let cell = |index: usize| &row["cells"][index]["Scored"];
    assert_eq!(cell(0)["significant"], true);
    let (difference, ratio) =
        (cell(0)["difference"].as_f64().unwrap(), cell(0)["in_errors"].as_f64().unwrap());
    assert_relative_eq!(ratio, difference.abs() / outermost, max_relative = 1e-9);
    assert_eq!((&cell(1)["significant"], cell(1)["difference"].as_f64()), (&false.into(), Some(0.0)));
    // Another text of the problem, and another resolution of it, have other errors.
    for other in [["--set", "opacities[0].absorption=Constant(1.9)"], ["--resolution", "coarse"]] {
        let found = json(folder.path(), &[&arguments[..], &other].concat());
        assert!(found["reference_errors"].as_str().unwrap().contains("another problem or resolution"));
        assert!(found["rows"][0]["reference_error"].is_null());
    }
}

#[test]
fn a_refined_file_is_a_reference_with_errors_and_one_of_another_problem_is_refused() {
    let folder = folder();
    exits(folder.path(), &["refine", "sphere.ron"], 0);
    let given = ["score", "sphere.ron", "--methods", "m1", "--reference", "sphere.refined.h5"];
    let from_file = json(folder.path(), &given);
    let refined = json(folder.path(), &["score", "sphere.ron", "--methods", "m1", "--refine"]);
    for quantity in ["luminosity_infinity", "flux_factor"] {
        assert_eq!(relative(&from_file, quantity, "AtRadius"), relative(&refined, quantity, "AtRadius"));
    }
    assert_eq!(from_file["rows"][0]["reference_error"], refined["rows"][0]["reference_error"]);
    let other = ["score", "atmosphere.ron", "--methods", "m1", "--reference", "sphere.refined.h5"];
    let message = exits(folder.path(), &other, 2);
    assert!(message.contains("sphere.refined.h5: is of another problem than atmosphere.ron"), "{message}");
}

/// The library writes no NaN, so it is put into the file afterwards.
#[test]
fn nan_in_a_reference_is_refused() {
    let folder = folder();
    exits(folder.path(), &["run", "sphere.ron", "-o", "locked.h5"], 0);
    let path = folder.path().join("locked.h5");
    let file = hdf5::File::open_rw(&path).unwrap();
    let stored = file.dataset("flux_factor").unwrap();
    let mut values = stored.read_2d::<f64>().unwrap();
    values[[0, 3]] = f64::NAN;
    stored.write(&values).unwrap();
    drop((stored, file));
    // The lock of this process stays with the file.
    std::fs::copy(&path, folder.path().join("sphere.h5")).unwrap();
    let arguments = ["score", "sphere.ron", "--methods", "m1", "--reference", "sphere.h5"];
    let message = exits(folder.path(), &arguments, 2);
    assert!(message.contains("sphere.h5: flux_factor: NaN at entry [species 0, r 3]"), "{message}");
}

#[rstest]
#[case(&["sphere.ron", "--methods", "m1,m2"], 2, "found \"m2\"; valid: all, boltzmann, characteristics, m1:minerbo")]
#[case(&["sphere.ron", "--methods", "m1:nobody"], 2, "m1:levermore")]
#[case(&["sphere.ron", "--factor", "0"], 2, "a positive number")]
#[case(&["sphere.ron", "--radius", "5"], 2, "a radius from 0e0 to 4e0")]
#[case(&["sphere.ron", "--radius", "2km"], 2, "plain where dimensionless")]
#[case(&["sphere.ron", "-o", "x.html"], 2, "go to the same file")]
#[case(&["nowhere.ron"], 2, "nowhere.ron")]
#[case(&[], 2, "PROBLEM.ron")]
#[case(&["sphere.ron", "--all"], 2, "cannot be used with")]
#[case(&["--all", "--problems", "nowhere"], 2, "nowhere")]
#[case(&["atmosphere.ron", "--set", "mode=SteadyState(tolerance: 1e-13, max_iterations: 1)"], 1, "did not converge")]
fn mistakes_are_explained(#[case] arguments: &[&str], #[case] code: i32, #[case] expected: &str) {
    let folder = folder();
    let message = exits(folder.path(), &[&["score"], arguments].concat(), code);
    assert!(message.contains(expected), "{message}");
}

#[test]
fn a_scheme_that_cannot_treat_the_problem_is_listed_with_the_reason() {
    let folder = folder();
    let message = exits(folder.path(), &["score", "pulse.ron", "--methods", "characteristics"], 2);
    assert!(message.contains("cannot treat the problem") && message.contains("knows no time"), "{message}");
}

#[test]
fn the_matrix_has_every_problem_and_the_reasons_of_gaps() {
    let folder = folder();
    std::fs::remove_file(folder.path().join("atmosphere.ron")).unwrap();
    let table = "ZoneTable(file: \"data:none.h5\", mapping: Conservative)";
    let external = ATMOSPHERE.replace("Bruenn1985()", table);
    std::fs::write(folder.path().join("table.ron"), external).unwrap();
    let arguments = ["score", "--all", "--problems", ".", "--methods", "m1:levermore,characteristics"];
    let text = exits(folder.path(), &arguments, 0);
    assert!(
        text.contains("table: its data are external")
            && text.contains("pulse, characteristics:")
            && text.contains("table no data no data")
            && text.contains("cannot treat"),
        "{text}"
    );
    let found = read(&folder.path().join("scores.h5")).unwrap();
    assert_eq!(found.texts("problem").unwrap(), ["pulse", "sphere", "table"]);
    let (values, there) = (found.array("luminosity").unwrap(), found.array("has_luminosity").unwrap());
    assert_eq!((there[[1, 0]], there[[1, 1]], there[[2, 0]], there[[0, 1]]), (1.0, 1.0, 0.0, 0.0));
    assert!(values[[1, 0]].abs() > 0.01 && values[[1, 1]].abs() < 1e-3);
    // A gray problem has no mean energy.
    assert_eq!(found.array("has_mean_energy").unwrap()[[1, 0]], 0.0);
    let page = std::fs::read_to_string(folder.path().join("scores.html")).unwrap();
    assert!(
        page.contains("Flux factor, L1 over radius") && page.contains("href=\"scores_cards/sphere.html\"")
    );
    let cards = folder.path().join("scores_cards");
    let card = std::fs::read_to_string(cards.join("sphere.json")).unwrap();
    let card: serde_json::Value = serde_json::from_str(&card).unwrap();
    let luminosity = relative(&card, "luminosity_infinity", "AtRadius");
    assert_relative_eq!(luminosity, values[[1, 0]], max_relative = 1e-9);
    assert!(cards.join("sphere.html").is_file() && !cards.join("table.html").exists());
    // Every run has its duration; the closures are tested on each reference.
    assert_eq!(found.array("has_wall_time").unwrap()[[1, 0]], 1.0);
    let (closures, there) =
        (found.array("closure_error").unwrap(), found.array("has_closure_error").unwrap());
    let mean = |name: &str| {
        let index = found.texts("closure").unwrap().iter().position(|closure| closure == name).unwrap();
        assert_eq!((there[[1, index]], there[[2, index]]), (1.0, 0.0));
        closures[[1, index]]
    };
    assert!(mean("minerbo") > 1e-3 && mean("minerbo") < mean("kershaw"));
    std::fs::write(folder.path().join("broken.ron"), "(format: 1)").unwrap();
    assert!(exits(folder.path(), &arguments, 2).contains("broken:"));
}

#[test]
fn matter_gets_its_quantities() {
    let folder = folder();
    let found =
        json(folder.path(), &["score", "atmosphere.ron", "--methods", "m1:levermore", "--radius", "250km"]);
    assert_relative_eq!(found["radius"].as_f64().unwrap(), 2.5e7);
    let names = |row: &serde_json::Value| row["quantity"].as_str().unwrap().to_owned();
    let rows = found["rows"].as_array().unwrap();
    for name in [
        "mean_energy_infinity",
        "rms_energy",
        "energy_density_spectrum",
        "energy_sphere_mean",
        "gain_radius",
        "gain_heating",
        "heating_net",
        "ye_rate",
        "ye_equilibrium",
    ] {
        let row = rows.iter().find(|row| names(row) == name).unwrap_or_else(|| panic!("{name}"));
        let relative = row["cells"][0]["Scored"]["relative"].as_f64().unwrap();
        assert!(relative.abs() < 0.5, "{name} {relative}");
    }
    let spectra = rows.iter().filter(|row| names(row) == "energy_density_spectrum").count();
    assert_eq!(spectra, 4, "two species at two radii");
    let region = found["gain_region"].as_array().unwrap();
    assert!(region[0].as_f64().unwrap() > 2e6 && region[1] == 3e7);
}

/// Scores what `scheme` makes of the reference's own result.
fn scored(problem: &str, scheme: &dyn Fn(&mut Finished)) -> Score {
    scored_by(problem, &|method, finished| match method {
        Method::Boltzmann => {}
        _ => scheme(finished),
    })
}

/// Scores results that `change` makes of the reference's own.
fn scored_by(problem: &str, change: &dyn Fn(Method, &mut Finished)) -> Score {
    let folder = folder();
    let problem = load(&folder.path().join(problem), &LoadOptions::default()).unwrap();
    let solver = |problem: &Loaded, method: Method, _: &dyn Observer| -> Result<Finished> {
        let mut finished = run(problem, &resources(), &Silent, &mut |_| Ok(()))?;
        change(method, &mut finished);
        Ok(finished)
    };
    score(&problem, &settings(folder.path()), &solver, &Silent).unwrap()
}

fn resources() -> Resources {
    Resources { memory: u64::MAX, restart: None }
}

fn settings(folder: &Path) -> Settings {
    Settings {
        methods: vec!["m1".parse().unwrap()],
        source: Source::Run { references: folder.to_owned() },
        radius: None,
        factor: 2.0,
        memory: u64::MAX,
        runs: Runs::default(),
    }
}

fn row<'a>(score: &'a Score, quantity: &str, measure: Measure) -> &'a Row {
    score.rows.iter().find(|row| row.quantity == quantity && row.measure == measure).unwrap()
}

fn numbers(row: &Row) -> Scored {
    match &row.cells[0] {
        Cell::Scored(scored) => *scored,
        Cell::Missing(why) => panic!("{}: {why}", row.quantity),
    }
}

fn change(finished: &mut Finished, name: &str, change: impl Fn(usize, &mut f64)) {
    change_values(&mut finished.dataset, name, change);
}

fn change_values(data: &mut Dataset, name: &str, change: impl Fn(usize, &mut f64)) {
    let variable = data.variables.iter_mut().find(|v| v.name == name).unwrap();
    let Values::Real(values) = &mut variable.values else { panic!("{name} has texts") };
    values.iter_mut().enumerate().for_each(|(index, value)| change(index, value));
}

/// Errors that are known: a tenth too much everywhere, and half too much at a single node.
#[test]
fn known_errors_are_found() {
    let found = scored("sphere.ron", &|finished| {
        change(finished, "luminosity_infinity", |_, value| *value *= 1.1);
        change(finished, "flux_factor", |index, value| *value *= if index == 20 { 1.5 } else { 1.0 });
    });
    for measure in [Measure::AtRadius, Measure::L1] {
        let relative = numbers(row(&found, "luminosity_infinity", measure)).relative.unwrap();
        assert_relative_eq!(relative, 0.1, max_relative = 1e-9);
    }
    let worst = numbers(row(&found, "flux_factor", Measure::Max));
    assert_eq!(worst.r, Some(found.reference_data.reals("r").unwrap()[20]));
    let exact = found.reference_data.reals("flux_factor").unwrap()[20];
    assert_relative_eq!(worst.difference.unwrap(), 0.5 * exact, max_relative = 1e-12);
    assert_eq!(numbers(row(&found, "eddington_factor", Measure::L1)).relative, Some(0.0));
}

/// Errors inside of the gain radius do not count, those outside do.
#[test]
fn rates_are_scored_in_the_gain_region() {
    let error_where = |counts: &dyn Fn(f64, f64) -> bool| {
        let found = scored("atmosphere.ron", &|finished| {
            let radii = finished.dataset.reals("r").unwrap().to_vec();
            let gain = finished.dataset.scalar("gain_radius").unwrap();
            let wrong = |index: usize| if counts(radii[index], gain) { 1.3 } else { 1.0 };
            change(finished, "heating_net", |index, value| *value *= wrong(index));
        });
        numbers(row(&found, "heating_net", Measure::L1Gain)).relative.unwrap()
    };
    assert_eq!(error_where(&|r, gain| r < gain), 0.0);
    assert_relative_eq!(error_where(&|r, gain| r > gain), 0.3, max_relative = 1e-9);
}

/// What is left of the flux of equilibrium is rounding.
#[test]
fn nothing_is_relative_to_a_flux_that_vanishes() {
    let found = scored_by("sphere.ron", &|method, finished| {
        let factor = if method == Method::Boltzmann { 1e-9 } else { 1e-8 };
        for name in ["flux_factor", "luminosity_infinity"] {
            change(finished, name, |_, value| *value *= factor);
        }
    });
    assert!(
        found.rows.iter().all(|row| !row.quantity.contains("flux") && !row.quantity.contains("luminosity"))
    );
    assert!(found.not_in_reference.contains(&"flux_factor nu (there is no net flux)".to_owned()));
}

/// A scheme with luminosities alone, at nodes without elements, as leakage has them.
#[test]
fn what_a_scheme_does_not_have_is_missing() {
    let found = scored("sphere.ron", &|finished| {
        let kept = ["species", "r", "energy", "luminosity_infinity"];
        finished.dataset.variables.retain(|variable| kept.contains(&variable.name.as_str()));
        change(finished, "luminosity_infinity", |_, value| *value *= 0.8);
    });
    let luminosity = numbers(row(&found, "luminosity_infinity", Measure::AtRadius));
    assert_relative_eq!(luminosity.relative.unwrap(), -0.2, max_relative = 1e-9);
    let outermost = last(&found.reference_data, "r");
    assert_eq!(found.radius, outermost, "it has no values further out");
    for (quantity, measure) in [("flux_factor", Measure::AtRadius), ("eddington_factor", Measure::L1)] {
        let missing = Cell::Missing("the scheme does not have it".to_owned());
        assert_eq!(row(&found, quantity, measure).cells[0], missing);
    }
    let text = table::table(&found);
    assert!(
        text.contains("m1:minerbo: the scheme does not have it: flux_factor, eddington_factor"),
        "{text}"
    );
}

#[test]
fn a_scheme_with_nan_or_without_convergence_has_no_numbers() {
    let nan = scored("sphere.ron", &|finished| {
        change(finished, "flux_factor", |index, value| *value = if index == 3 { f64::NAN } else { *value });
    });
    let Outcome::NotConverged(why) = &nan.schemes[0].outcome else { panic!("{:?}", nan.schemes[0].outcome) };
    assert!(why.contains("flux_factor: NaN"), "{why}");
    let stalled = scored("sphere.ron", &|finished| finished.status = Status::Stalled);
    assert_eq!(stalled.schemes[0].outcome, Outcome::NotConverged("status stalled".to_owned()));
    for found in [nan, stalled] {
        assert!(!found.all_converged() && !found.has_scores());
        assert!(found.rows.iter().all(|row| matches!(row.cells[0], Cell::Missing(_))));
        assert!(table::table(&found).contains("NOT CONVERGED"));
    }
}

#[test]
fn an_interruption_is_no_score() {
    let folder = folder();
    let problem = load(&folder.path().join("sphere.ron"), &LoadOptions::default()).unwrap();
    let solver = |problem: &Loaded, method: Method, _: &dyn Observer| match method {
        Method::Boltzmann => run(problem, &resources(), &Silent, &mut |_| Ok(())),
        _ => Err(Error::Interrupted),
    };
    let found = score(&problem, &settings(folder.path()), &solver, &Silent);
    assert!(matches!(found, Err(Error::Interrupted)));
}

/// The mean error of Kershaw's closure on a run, from the moments in its file.
#[test]
fn closures_are_tested_on_the_moments_of_the_reference() {
    let folder = folder();
    let found = json(folder.path(), &["score", "sphere.ron", "--methods", "m1:levermore"]);
    exits(folder.path(), &["run", "sphere.ron", "-o", "exact.h5"], 0);
    let exact = read(&folder.path().join("exact.h5")).unwrap();
    let [j, h, k, r, weight] = ["j", "h", "k", "r", "r_weight"].map(|name| exact.reals(name).unwrap());
    let (mut sum, mut weights, mut half, mut half_weights) = (0.0, 0.0, 0.0, 0.0);
    for i in 0..r.len() {
        let (flux, weight) = (h[i] / j[i], weight[i] / r[i]);
        let error = ((1.0 + 2.0 * flux * flux) / 3.0 - k[i] / j[i]).abs();
        sum += weight * error;
        weights += weight;
        if (0.1..=0.9).contains(&flux) {
            half += weight * error;
            half_weights += weight;
        }
    }
    let ranking = found["closures"]["Ok"]["ranking"].as_array().unwrap();
    assert_eq!(ranking.len(), 8);
    let kershaw = &ranking.iter().find(|closure| closure["closure"] == "kershaw").unwrap()["chi"];
    assert_relative_eq!(kershaw["mean"].as_f64().unwrap(), sum / weights, max_relative = 1e-6);
    assert_relative_eq!(kershaw["transition"].as_f64().unwrap(), half / half_weights, max_relative = 1e-6);
    let means: Vec<f64> = ranking.iter().map(|closure| closure["chi"]["mean"].as_f64().unwrap()).collect();
    assert!(means.is_sorted());
    let text = exits(folder.path(), &["score", "sphere.ron", "--methods", "m1:levermore"], 0);
    assert!(text.contains("half transparent") && text.contains("maximum_entropy_fermi"), "{text}");
    let page = std::fs::read_to_string(folder.path().join("sphere_score.html")).unwrap();
    assert!(page.contains("Error of χ over radius") && page.contains("Error of q over radius"));
    let file = read(&folder.path().join("sphere_score.h5")).unwrap();
    let test = file.get_group("reference").unwrap().get_group("closure_test").unwrap();
    assert_eq!(test.reals("chi_error_by_radius").unwrap().len(), 8 * r.len());
    assert_eq!(test.reals("chi_error_by_energy").unwrap().len(), 8);
}

/// Runs that take too long have no numbers, and the others have.
#[test]
fn a_run_beyond_the_time_limit_has_no_numbers() {
    let folder = folder();
    exits(folder.path(), &["run", "sphere.ron", "-o", "exact.h5"], 0);
    let arguments = ["score", "sphere.ron", "--methods", "m1,leakage", "--reference", "exact.h5"];
    let text = exits(folder.path(), &[&arguments[..], &["--time-limit", "1e-6"]].concat(), 1);
    assert!(text.contains("m1:minerbo TIME LIMIT") && text.contains("stopped after 0.000001 s"), "{text}");
    assert!(text.contains("leakage:interpolated converged"), "{text}");
    exits(folder.path(), &[&arguments[..], &["--time-limit", "1000"]].concat(), 0);
    for limit in ["0", "-1", "NaN"] {
        let text = exits(folder.path(), &[&arguments[..], &["--time-limit", limit]].concat(), 2);
        assert!(text.contains("a positive number of seconds"), "{text}");
    }
    // The reference alone can take too long.
    let text = exits(folder.path(), &["score", "sphere.ron", "--time-limit", "1e-9"], 1);
    assert!(text.contains("the reference did not converge: stopped after"), "{text}");
}

/// A kept run, recognised by a luminosity that no run has.
#[test]
fn runs_are_taken_from_an_earlier_matrix_where_they_are_the_same() {
    let folder = folder();
    for other in ["pulse.ron", "atmosphere.ron"] {
        std::fs::remove_file(folder.path().join(other)).unwrap();
    }
    let arguments = ["score", "--all", "--problems", ".", "--methods", "m1:levermore"];
    let error = |more: &[&str]| {
        exits(folder.path(), &[&arguments[..], more].concat(), 0);
        read(&folder.path().join("scores.h5")).unwrap().array("luminosity").unwrap()[[0, 0]]
    };
    let first = error(&[]);
    let path = folder.path().join("scores_cards/runs/sphere/m1_levermore.h5");
    let mut kept = read(&path).unwrap();
    change_values(&mut kept, "luminosity_infinity", |_, value| *value *= 2.0);
    write(&kept, &path).unwrap();
    assert_relative_eq!(error(&["--resume"]), 2.0 * (1.0 + first) - 1.0, max_relative = 1e-6);
    // Another problem, and what is not asked to go on, are solved.
    let other = error(&["--resume", "--set", "opacities[0].absorption=Constant(2.1)"]);
    assert!(other.abs() < 0.5, "{other}");
    write(&kept, &path).unwrap();
    assert_relative_eq!(error(&[]), first, max_relative = 1e-9);
}

/// What an interruption leaves is not done again, and what a limit of time has stopped only with a longer one.
#[test]
fn an_interruption_loses_the_run_it_stops() {
    let folder = folder();
    for other in ["pulse.ron", "atmosphere.ron"] {
        std::fs::remove_file(folder.path().join(other)).unwrap();
    }
    let runs = Runs { folder: Some(folder.path().join("runs")), resume: true, time_limit: None };
    let mut settings = Settings { runs, ..settings(folder.path()) };
    settings.methods = ["m1:minerbo", "m1:levermore"].map(|name| name.parse().unwrap()).to_vec();
    let scored =
        |settings: &Settings, solve: &dyn Fn(Method) -> Option<Error>| -> (Result<Matrix>, Vec<String>) {
            let made = std::sync::Mutex::new(Vec::new());
            let solver = |problem: &Loaded, method: Method, _: &dyn Observer| -> Result<Finished> {
                made.lock().unwrap().push(method.to_string());
                match solve(method) {
                    Some(error) => Err(error),
                    None => run(problem, &resources(), &Silent, &mut |_| Ok(())).map(|mut finished| {
                        finished.dataset.attribute("method", method.to_string());
                        finished
                    }),
                }
            };
            let (options, mut save) = (LoadOptions::default(), |_: &Matrix, _: Option<&Score>| Ok(()));
            let found = matrix(folder.path(), &options, settings, &solver, &Silent, &mut save);
            (found, made.into_inner().unwrap())
        };
    let stop =
        |name: &'static str| move |method: Method| (method.to_string() == name).then_some(Error::Interrupted);
    let (found, made) = scored(&settings, &stop("m1:levermore"));
    assert!(matches!(found, Err(Error::Interrupted)));
    assert_eq!(made, ["boltzmann", "m1:minerbo", "m1:levermore"]);
    // A run that fails is kept too.
    let fails = |_: Method| Some(Error::Numerical("singular".to_owned()));
    let (found, made) = scored(&settings, &fails);
    assert_eq!(made, ["m1:levermore"]);
    let outcome =
        |found: Result<Matrix>| found.unwrap().lines[0].numbers.as_ref().unwrap().entries[1].outcome.clone();
    assert_eq!(outcome(found), Outcome::NotConverged("singular".to_owned()));
    let (found, made) = scored(&settings, &|_| None);
    assert_eq!((outcome(found), made.len()), (Outcome::NotConverged("singular".to_owned()), 0));
    // An interruption beyond the limit of time is that limit.
    std::fs::remove_file(folder.path().join("runs/sphere/m1_levermore.h5")).unwrap();
    settings.runs.time_limit = Some(std::time::Duration::from_nanos(1));
    let (found, _) = scored(&settings, &stop("m1:levermore"));
    assert!(matches!(outcome(found), Outcome::TimeLimit(_)));
    let (found, made) = scored(&settings, &|_| None);
    assert!(matches!(outcome(found), Outcome::TimeLimit(_)) && made.is_empty());
    settings.runs.time_limit = Some(std::time::Duration::from_secs(1000));
    let (found, made) = scored(&settings, &|_| None);
    assert_eq!((outcome(found), made), (Outcome::Scored, vec!["m1:levermore".to_owned()]));
}

/// A scheme that heats nothing has no heating, which is a number.
#[test]
fn a_scheme_without_heating_misses_all_of_it() {
    let found = scored("atmosphere.ron", &|finished| {
        finished.dataset.attribute("gain_heating", 0.0).attribute("gain_radius", 0.0);
    });
    assert_eq!(numbers(row(&found, "gain_heating", Measure::Single)).relative, Some(-1.0));
    assert!(matches!(row(&found, "gain_radius", Measure::Single).cells[0], Cell::Missing(_)));
}

/// The reference's own error of a norm does not need a scheme that has the quantity.
#[test]
fn the_error_of_a_norm_is_that_of_the_reference() {
    let error = 0.01;
    let found = scored_by("sphere.ron", &|method, finished| {
        if method == Method::Boltzmann {
            let flux = finished.dataset.get("flux_factor").unwrap().clone();
            let mut own = flux.clone();
            own.name = "flux_factor_error".to_owned();
            let Values::Real(values) = &mut own.values else { panic!() };
            values.iter_mut().for_each(|value| *value *= error);
            finished.dataset.variables.push(own);
        } else {
            let kept = ["species", "r", "energy", "luminosity_infinity"];
            finished.dataset.variables.retain(|variable| kept.contains(&variable.name.as_str()));
        }
    });
    let flux = row(&found, "flux_factor", Measure::L1);
    assert!(matches!(flux.cells[0], Cell::Missing(_)));
    assert_relative_eq!(flux.reference_error.unwrap(), error, max_relative = 1e-9);
}

#[test]
fn the_heating_factor_is_an_option() {
    let folder = folder();
    let heating = |more: &[&str]| {
        let arguments = ["score", "atmosphere.ron", "--methods", "leakage:oconnor_ott"];
        relative(&json(folder.path(), &[&arguments[..], more].concat()), "gain_heating", "Single")
    };
    assert_eq!(heating(&["--heating-factor", "0"]), -1.0);
    assert_eq!(heating(&[]), heating(&["--heating-factor", "1"]));
    assert!(heating(&["--heating-factor", "1.5"]) > heating(&[]) + 0.1);
    let text = exits(folder.path(), &["score", "atmosphere.ron", "--heating-factor", "-1"], 2);
    assert!(text.contains("not negative"), "{text}");
}
