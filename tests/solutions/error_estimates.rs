//! The errors that `tolman refine` states, in ladders that are run here and in the stored references, against the
//! true errors of problems with exact answers.

use std::path::Path;

use crate::exact::exact;
use ndarray::Dimension;
use rayon::prelude::*;
use rstest::rstest;
use tolman::output::dataset::Dataset;
use tolman::output::read;
use tolman::problem::{LoadOptions, load};
use tolman::progress::Silent;
use tolman::refine::ladder::Workplace;
use tolman::refine::{Settings, refine};
use tolman::run::Resources;

/// Least share of the points where the true error is at most the stated one.
const COVERED: f64 = 0.95;
/// Largest median of stated / true error.
const MEDIAN_RATIO: f64 = 20.0;
/// Problems with exact answers that take long, and how many points of each variable, evenly taken, are compared in these.
const SLOW: [&str; 3] = ["scattering_sphere", "scattering_sphere_thick", "expanding_atmosphere"];
const POINTS_OF_SLOW: usize = 200;
/// The same in the others.
const POINTS: usize = 10_000;
/// Stated errors below this share of the largest value are the solver's tolerance (1e-12), not the discretisation's.
const SOLVER: f64 = 1e-11;

const VARIABLES: [&str; 13] = [
    "j",
    "h",
    "k",
    "l",
    "number_density",
    "energy_density",
    "luminosity",
    "luminosity_static",
    "luminosity_infinity",
    "number_luminosity_infinity",
    "mean_energy",
    "flux_factor",
    "eddington_factor",
];

fn refined(problem: &str, finest: f64) -> Dataset {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = root.join("problems").join(format!("{problem}.ron"));
    let loaded = load(&path, &LoadOptions::default()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let workplace = Workplace { folder: folder.path().join(problem) };
    let settings = Settings { finest, directions: None };
    let resources = Resources { memory: u64::MAX, restart: None };
    refine(&loaded, &settings, &workplace, &resources, &Silent).unwrap().dataset
}

/// Place, true error and stated error at points of `variable`.
fn pairs(data: &Dataset, problem: &str, variable: &str) -> Vec<(String, f64, f64)> {
    let answer = exact(problem).unwrap();
    let dimensions = &data.get(variable).unwrap().dimensions;
    let errors = data.reals(&format!("{variable}_error")).unwrap();
    let species = &data.texts("species").unwrap()[0];
    let points: Vec<_> =
        data.array(variable).unwrap().indexed_iter().map(|(i, v)| (i.slice().to_vec(), *v)).collect();
    // A stride that has no divisor in common with the nodes of an element sees all of them.
    let aliased = |stride: &usize| [2, 3, 5].iter().any(|n| stride.is_multiple_of(*n));
    let most = if SLOW.contains(&problem) { POINTS_OF_SLOW } else { POINTS };
    let stride = (points.len().div_ceil(most).max(1)..).find(|stride| !aliased(stride)).unwrap();
    let pair = |((index, value), stated): (&(Vec<usize>, f64), &f64)| {
        let at = |dimension: &str| {
            let axis = dimensions.iter().position(|d| d == dimension)?;
            Some(data.reals(dimension).unwrap()[index[axis]])
        };
        if at("time") == Some(0.0) {
            return None; // The initial state is given and has no error but that of rounding.
        }
        let exact = answer.value(variable, species, at("energy"), at("mu"), at("r")?, at("time"))?;
        let place: Vec<String> = dimensions
            .iter()
            .zip(index)
            .map(|(d, i)| format!("{d} {:?}", data.reals(d).map_or(*i as f64, |x| x[*i])))
            .collect();
        Some((format!("{}: {value:e}", place.join(", ")), (value - exact).abs(), *stated))
    };
    let chosen: Vec<_> = points.iter().zip(errors).step_by(stride).collect();
    chosen.into_par_iter().filter_map(pair).collect()
}

/// Whether `variable` has an exact answer and an error of its own. Without a spectrum the energies are all the same. In one
/// zone without flow nothing connects the energies: the solution is exact at each of them, and what is stated for spectra
/// is what the finest run is off by between its own. Of the pulse only the density is known.
fn is_meaningful(data: &Dataset, problem: &str, variable: &str) -> bool {
    match problem {
        "one_zone_emission" => ["number_density", "energy_density", "mean_energy"].contains(&variable),
        "scattering_pulse" => ["j", "number_density", "energy_density"].contains(&variable),
        _ => variable != "mean_energy" || data.get("energy_edge").is_some(),
    }
}

fn stated_errors_hold(data: &Dataset, problem: &str) {
    for variable in VARIABLES.into_iter().filter(|variable| is_meaningful(data, problem, variable)) {
        let pairs = pairs(data, problem, variable);
        assert!(!pairs.is_empty(), "{problem}, {variable}: no point has an exact answer");
        for (place, t, s) in &pairs {
            assert!(t.is_finite() && s.is_finite(), "{problem}, {variable}, {place}: true {t}, stated {s}");
        }
        let missed: Vec<_> = pairs.iter().filter(|(_, t, s)| t > s).collect();
        let covered = 1.0 - missed.len() as f64 / pairs.len() as f64;
        let largest = data.reals(variable).unwrap().iter().fold(0.0, |m: f64, v| m.max(v.abs()));
        let median = median_ratio(&pairs, SOLVER * largest);
        println!("{problem:<28} {variable:<28} covered {covered:.3}, median of stated/true {median:.1?}");
        if covered < COVERED {
            missed
                .iter()
                .take(20)
                .for_each(|(place, t, s)| println!("  {place}: true {t:.1e}, stated {s:.1e}"));
        }
        assert!(covered >= COVERED, "{problem}, {variable}: {covered} of the true errors covered");
        match median {
            Some(median) => assert!(median <= MEDIAN_RATIO, "{problem}, {variable}: stated/true {median}"),
            // Then all of them are small, and so have to be the true ones.
            None => assert!(pairs.iter().all(|(_, t, _)| *t <= SOLVER * largest), "{problem}, {variable}"),
        }
    }
}

/// Median of stated / true among the stated errors above `solver`; `None` where there are none.
fn median_ratio(pairs: &[(String, f64, f64)], solver: f64) -> Option<f64> {
    let discretised = pairs.iter().filter(|(_, _, stated)| *stated > solver);
    let mut ratios: Vec<f64> = discretised.map(|(_, t, s)| s / t.max(f64::MIN_POSITIVE)).collect();
    ratios.sort_by(f64::total_cmp);
    ratios.get(ratios.len() / 2).copied()
}

#[rstest]
fn of_a_ladder(
    #[values(
        "homogeneous_sphere",
        "homogeneous_sphere_opaque",
        "relativistic_star_gray",
        "ultracompact_star",
        "oven",
        "schwarzschild_beam"
    )]
    problem: &str,
) {
    stated_errors_hold(&refined(problem, 2.0), problem);
}

/// Of ladders without a run that is finer in all directions together.
#[rstest]
fn of_single_directions(
    #[values("homogeneous_sphere", "relativistic_star", "ultracompact_star", "oven", "doppler_shift")]
    problem: &str,
) {
    stated_errors_hold(&refined(problem, 1.0), problem);
}

/// Those of the references in the repository.
#[rstest]
fn of_references(
    #[values(
        "homogeneous_sphere_thin",
        "scattering_sphere",
        "scattering_sphere_thick",
        "oven_degenerate",
        "doppler_shift",
        "relativistic_star",
        "radiating_sphere_velocity",
        "radiating_sphere_gravity",
        "radiating_sphere_both",
        "travelling_shells",
        "scattering_pulse",
        "one_zone_emission"
    )]
    problem: &str,
) {
    stated_errors_of_the_reference_hold(problem);
}

/// Run on purpose: `cargo test --release --test solutions error_estimates -- --ignored`.
#[test]
#[ignore = "the exact answer with an absorption edge in moving matter takes minutes"]
fn of_an_absorption_edge() {
    stated_errors_of_the_reference_hold("expanding_atmosphere");
}

fn stated_errors_of_the_reference_hold(problem: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = root.join("reference_solutions").join(format!("{problem}.h5"));
    stated_errors_hold(&read(&path).unwrap(), problem);
}
