//! Every file under problems/ is solved at its standard resolution and held to its own criteria.

use std::path::{Path, PathBuf};

use rstest::rstest;
use tolman::problem::file::ModeFile;
use tolman::problem::{LoadOptions, Loaded, Resolution, load};
use tolman::progress::Silent;
use tolman::run::{Finished, Resources, run};
use tolman::solvers::krylov::Status;

fn problems_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("problems")
}

fn data_folder() -> Option<PathBuf> {
    std::env::var_os("TOLMAN_DATA").map(PathBuf::from).filter(|folder| folder.is_dir())
}

fn loaded(name: &str, overrides: &[(&str, &str)]) -> Loaded {
    let options = LoadOptions {
        overrides: overrides.iter().map(|(path, value)| ((*path).to_owned(), (*value).to_owned())).collect(),
        resolution: Resolution::Standard,
        data: data_folder(),
    };
    load(&problems_folder().join(format!("{name}.ron")), &options).unwrap()
}

fn solve(problem: &Loaded) -> Finished {
    run(problem, &Resources { memory: u64::MAX, restart: None }, &Silent, &mut |_| Ok(())).unwrap()
}

fn meets_its_criteria(name: &str) {
    let problem = loaded(name, &[]);
    assert!(!problem.file.criteria.is_empty(), "{name} has no criteria");
    let finished = solve(&problem);
    assert_eq!(finished.status, Status::Converged);
    let failed: Vec<_> = finished.verdicts.iter().filter(|verdict| !verdict.met()).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    let steady = matches!(problem.file.mode, ModeFile::SteadyState { .. });
    if steady {
        let balance = finished.dataset.scalar("number_balance").unwrap();
        assert!(balance <= 1e-10, "number balance {balance:e}");
    }
}

const SELF_CONTAINED: [&str; 26] = [
    "doppler_shift",
    "expanding_atmosphere",
    "homogeneous_sphere",
    "homogeneous_sphere_opaque",
    "homogeneous_sphere_thin",
    "one_zone_emission",
    "one_zone_nes",
    "one_zone_pairs",
    "oven",
    "oven_degenerate",
    "pns_atmosphere",
    "pns_atmosphere_accretion",
    "pns_atmosphere_cooling",
    "radiating_sphere_both",
    "radiating_sphere_gravity",
    "radiating_sphere_velocity",
    "relativistic_star",
    "relativistic_star_gray",
    "scattering_pulse",
    "scattering_sphere",
    "scattering_sphere_thick",
    "schwarzschild_beam",
    "spherical_diffusion",
    "spherical_diffusion_thick",
    "travelling_shells",
    "ultracompact_star",
];
const WITH_DATA: [&str; 7] = [
    "snapshot_nsy",
    "snapshot_g15_ab",
    "snapshot_g15_ab_full",
    "snapshot_g15_vx",
    "snapshot_g15_vx_full",
    "snapshot_chimera",
    "snapshot_chimera_full",
];

#[test]
fn every_file_is_tested() {
    let mut found: Vec<String> = std::fs::read_dir(problems_folder())
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    let mut listed: Vec<String> =
        SELF_CONTAINED.iter().chain(&WITH_DATA).map(|name| (*name).to_owned()).collect();
    found.sort();
    listed.sort();
    assert_eq!(found, listed);
}

#[rstest]
fn self_contained_problem(
    #[values(0, 1, 2, 3, 4, 5, 6, 7, 8)] index: usize,
    #[values(0, 9, 18)] offset: usize,
) {
    SELF_CONTAINED.get(index + offset).copied().map(meets_its_criteria);
}

#[rstest]
fn problem_with_data(#[values(0, 1, 2, 3, 4, 5, 6)] index: usize) {
    if data_folder().is_none() {
        eprintln!("{} skipped: TOLMAN_DATA is not set", WITH_DATA[index]);
        return;
    }
    meets_its_criteria(WITH_DATA[index]);
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let problem = loaded("radiating_sphere_both", &[("phase_space.energy.elements", "6")]);
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| solve(&problem)).dataset
    };
    let (one, four) = (on(1), on(4));
    assert_eq!(one.variables, four.variables);
    assert_eq!(one.groups, four.groups);
}

/// Work counts, the order of the energy spheres, and f that is thermal in the opaque core.
#[rstest]
#[case("pns_atmosphere_accretion", 16.0)]
#[case("pns_atmosphere_cooling", 18.0)]
fn atmospheres_with_all_rates_take_few_newton_steps(#[case] name: &str, #[case] temperature: f64) {
    let state = solve(&loaded(name, &[])).dataset;
    let count = |name: &str| state.scalar(name).unwrap();
    assert!(count("newton_steps") <= 4.0 && count("iterations") <= 15.0, "{name}: more work than it was");
    let spheres = state.reals("energy_sphere_mean").unwrap();
    assert!(spheres[0] > 1.05 * spheres[1], "{name}: {spheres:?}");
    let (energy, j) = (state.reals("energy").unwrap(), state.reals("j").unwrap());
    let (energies, radii) = (state.length("energy").unwrap(), state.length("r").unwrap());
    for (k, energy) in energy.iter().enumerate().filter(|(_, energy)| **energy < 100.0) {
        let heavy = j[(2 * energies + k) * radii];
        let thermal = 1.0 / ((energy / temperature).exp() + 1.0);
        assert!((heavy / thermal - 1.0).abs() < 1e-3, "{name} at {energy} MeV: {heavy} for {thermal}");
    }
}

#[test]
fn too_few_iterations_are_an_honest_limit() {
    let problem = loaded(
        "relativistic_star",
        &[("mode", "SteadyState(max_iterations: 2)"), ("phase_space.energy.elements", "6")],
    );
    let finished = solve(&problem);
    assert_eq!(finished.status, Status::Limit);
    assert_eq!(finished.dataset.text_attribute("status"), Some("limit"));
}
