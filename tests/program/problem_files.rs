//! Every file under problems/ is a valid problem, says what it tests, and can be judged by its criteria.

use std::path::{Path, PathBuf};

use tolman::problem::expression::Expression;
use tolman::problem::file::{
    BoundaryCondition, Coefficient, InitialFile, ModeFile, OpacityFile, VelocityFile,
};
use tolman::problem::validate::CRITERION_VARIABLES;
use tolman::problem::{LoadOptions, Resolution, load, variables};
use tolman::units::Dimension;

fn problem_files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("problems");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "ron"))
        .collect();
    files.sort();
    files
}

#[test]
fn every_problem_is_valid() {
    let files = problem_files();
    assert!(files.len() >= 28, "only {} problems found", files.len());
    for path in files {
        for resolution in [Resolution::Coarse, Resolution::Standard, Resolution::Fine] {
            let options = LoadOptions { resolution, ..LoadOptions::default() };
            let loaded = load(&path, &options).unwrap_or_else(|error| panic!("{error}"));
            assert!(!loaded.file.criteria.is_empty(), "{} has no criteria", path.display());
        }
    }
}

#[test]
fn every_problem_begins_with_what_it_tests_and_its_source() {
    for path in problem_files() {
        let text = std::fs::read_to_string(&path).unwrap();
        let comment: String = text.lines().take_while(|line| line.starts_with("//")).collect();
        let named_source = comment.split(|c: char| !c.is_ascii_digit()).any(|word| word.len() == 4);
        assert!(comment.len() > 100, "{} does not say what it tests", path.display());
        assert!(named_source, "{} names no paper with its year", path.display());
    }
}

#[test]
fn titles_are_unique() {
    let mut titles: Vec<String> =
        problem_files().iter().map(|path| load(path, &LoadOptions::default()).unwrap().file.title).collect();
    let number = titles.len();
    titles.sort();
    titles.dedup();
    assert_eq!(titles.len(), number);
}

#[test]
fn single_values_of_every_problem_can_be_overridden() {
    for path in problem_files() {
        let overrides = vec![
            ("title".to_owned(), "Another title".to_owned()),
            ("phase_space.r.degree".to_owned(), "3".to_owned()),
            ("outputs.distribution".to_owned(), "false".to_owned()),
        ];
        let loaded = load(&path, &LoadOptions { overrides, ..LoadOptions::default() })
            .unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(loaded.file.title, "Another title");
        assert_eq!(loaded.file.phase_space.r.degree, 3);
        assert!(!loaded.file.outputs.distribution);
    }
}

/// The formulas of the files, against the same written in Rust.
#[test]
fn formulas_mean_what_they_say() {
    let value = |text: &str, variables: &[&str], values: &[f64]| {
        Expression::parse(text, variables, "test").unwrap().evaluate(values)
    };
    let file = |name: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("problems").join(name);
        load(&path, &LoadOptions::default()).unwrap().file
    };
    let close = |found: f64, wanted: f64| {
        assert!((found - wanted).abs() <= 1e-14 * wanted.abs(), "{found} instead of {wanted}");
    };
    let BoundaryCondition::Given(beam) = file("schwarzschild_beam.ron").boundary.outer else { panic!() };
    let b = 6.0 * (1.0f64 - 0.7 * 0.7).sqrt() / (5.0f64 / 6.0).sqrt();
    close(value(&beam, variables::BOUNDARY, &[-0.7, 1.0, 0.0]), (-((b - 4.0) / 0.4).powi(2)).exp());

    let doppler = file("doppler_shift.ron");
    let BoundaryCondition::Given(inflow) = doppler.boundary.inner else { panic!() };
    close(value(&inflow, variables::BOUNDARY, &[0.6, 2.5, 0.0]), 0.6f64.powi(4) / (2.5f64.exp() + 1.0));
    let VelocityFile::Expression(velocity) = doppler.background.velocity else { panic!() };
    close(value(&velocity, variables::VELOCITY, &[3.5]), 0.15 * (1.0 + (-0.5f64).tanh()));

    let atmosphere = file("expanding_atmosphere.ron").opacities;
    let [OpacityFile::Absorption { absorption: Coefficient::Expression(kappa), .. }] = atmosphere.as_slice()
    else {
        panic!()
    };
    let edge = 1.0 + 9.0 * (-0.01f64 / 0.04).exp();
    close(value(kappa, variables::OPACITY, &[2.0, 2.9, 1.0]), 10.9989 / 4.0 * edge);
    close(value(kappa, variables::OPACITY, &[2.0, 3.1, 1.0]), 109.989 / 4.0);

    let ModeFile::Evolution { initial: InitialFile::Expression(gaussian), .. } =
        file("spherical_diffusion.ron").mode
    else {
        panic!()
    };
    close(value(&gaussian, variables::INITIAL, &[0.1, 0.0, 1.0]), (-0.75f64).exp());
}

#[test]
fn the_format_document_names_every_unit_and_every_criterion_variable() {
    let document =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/problem_format.md"))
            .unwrap();
    let named = |name: &str| assert!(document.contains(&format!("`{name}`")), "`{name}` is not documented");
    CRITERION_VARIABLES.iter().for_each(|name| named(name));
    for dimension in [
        Dimension::Length,
        Dimension::Time,
        Dimension::Energy,
        Dimension::Coefficient,
        Dimension::Density,
        Dimension::Mass,
        Dimension::Velocity,
        Dimension::Pressure,
        Dimension::Number,
    ] {
        dimension.units().iter().for_each(|(name, _)| named(name));
    }
}
