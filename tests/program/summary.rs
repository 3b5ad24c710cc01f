//! The summary that `tolman show` prints.

use crate::synthetic::{free_streaming, free_streaming_scaled, grid};
use tolman::output::dataset::Dataset;
use tolman::output::summary::summary;
use tolman::output::{read_where, state, time_series, write};

fn result() -> Dataset {
    free_streaming(&grid(81, 16, 40))
}

#[test]
fn a_steady_state() {
    insta::assert_snapshot!(summary(&result()).unwrap());
}

#[test]
fn a_run_that_did_not_converge_without_matter_in_other_units() {
    let mut data = result();
    data.attribute("status", "stalled");
    data.variables.retain(|v| !v.name.starts_with("heating") && !v.name.contains("sphere"));
    for variable in &mut data.variables {
        variable.units = if variable.units.is_empty() { String::new() } else { "1".to_owned() };
    }
    data.attributes.retain(|(name, _)| !name.contains("balance") && !name.contains("bound"));
    insta::assert_snapshot!(summary(&data).unwrap());
}

#[test]
fn no_neutrinosphere_and_no_gain_radius() {
    let mut data = result();
    data.variables.retain(|v| v.name != "energy_sphere_mean");
    let sphere = data.variables.iter_mut().find(|v| v.name == "transport_sphere_mean").unwrap();
    sphere.values = tolman::output::dataset::Values::Real(vec![0.0, 3e6, 0.0]);
    data.attribute("gain_radius", 0.0);
    let text = summary(&data).unwrap();
    assert!(text.contains("nue           none\n  nueb         30 km\n  nux           none\n"), "{text}");
    assert!(text.contains("gain radius  none"), "{text}");
}

fn series() -> Dataset {
    let grid = grid(81, 16, 40);
    let states: Vec<_> = (1..=4).map(|i| free_streaming_scaled(&grid, f64::from(i) / 4.0)).collect();
    time_series(vec![0.0, 0.5, 1.0, 1.5], "s", &states).unwrap()
}

/// L∞ of the first species, as it stands in the text.
fn luminosity(text: &str) -> f64 {
    let row = text.lines().find(|line| line.starts_with("  nue ")).unwrap();
    row.split_whitespace().nth(2).unwrap().parse().unwrap()
}

#[test]
fn a_time_series_shows_the_last_state_or_the_nearest_to_a_time() {
    let data = series();
    let last = summary(&data).unwrap();
    assert!(last.contains("time     1.5 s"), "{last}");
    // The strength of f grows as 1/4, 2/4, 3/4, 1.
    for (time, stored, share) in [(0.6, "0.5 s", 0.5), (-3.0, "0 s", 0.25), (9.0, "1.5 s", 1.0)] {
        let text = summary(&state(&data, Some(time)).unwrap()).unwrap();
        assert!(text.contains(&format!("time     {stored}")), "{text}");
        approx::assert_relative_eq!(luminosity(&text), share * luminosity(&last), max_relative = 1e-4);
    }
    assert!(state(&data, Some(f64::NAN)).is_err());
    let message = state(&result(), Some(1.0)).unwrap_err().to_string();
    assert!(message.contains("steady state"), "{message}");
}

#[test]
fn the_luminosity_is_the_closed_form() {
    // 4πR²·πB with ∫ε³FD over the grid; independent of the builder's own moments.
    let grid = grid(81, 16, 40);
    let integral: f64 = grid
        .energy
        .iter()
        .zip(&grid.energy_weight)
        .map(|(e, w)| w * e.powi(3) * 0.9 / ((e / 4.0).exp() + 1.0))
        .sum();
    let flux = std::f64::consts::PI * 2.997_924_58e10 / 1.239_841_984e-10_f64.powi(3) * integral;
    let expected = 4.0 * std::f64::consts::PI * 9e12 * flux * 1.602_176_634e-6;
    approx::assert_relative_eq!(luminosity(&summary(&result()).unwrap()), expected, max_relative = 1e-4);
}

#[test]
fn what_is_missing_or_misshapen_is_named() {
    let mut data = result();
    data.variables.retain(|v| v.name != "mean_energy");
    assert!(summary(&data).unwrap_err().to_string().starts_with("mean_energy: no such variable"));
    let mut data = result();
    let flux = data.variables.iter_mut().find(|v| v.name == "flux_factor").unwrap();
    flux.dimensions = vec!["r".to_owned()];
    assert!(
        summary(&data).unwrap_err().to_string().contains("flux_factor: has shape [81], not (species, r)")
    );
    assert!(summary(&Dataset::new()).is_err());
}

#[test]
fn what_show_reads_gives_the_same_summary_as_the_whole_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.h5");
    for data in [result(), series()] {
        write(&data, &path).unwrap();
        let part = read_where(&path, |name| tolman::output::summary::VARIABLES.contains(&name)).unwrap();
        assert!(part.get("f").is_none());
        assert_eq!(summary(&part).unwrap(), summary(&data).unwrap());
    }
}
