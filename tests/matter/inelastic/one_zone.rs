//! Where one zone goes, and that it gets there without losing entropy, number or lepton number.

use super::common::{Zone, fermi_dirac, loaded, solve};
use tolman::solvers::krylov::Status;

fn zone(problem: &str) -> Zone {
    let finished = solve(&loaded(problem, &[]));
    assert_eq!(finished.status, Status::Converged);
    Zone::new(&finished.dataset)
}

/// f = f_eq (1 − e^(−κ* c t)).
#[test]
fn emission_approaches_equilibrium_exponentially() {
    let zone = zone("one_zone_emission");
    let mut largest: f64 = 0.0;
    for (time, t) in zone.times.iter().enumerate() {
        for (energy, f) in zone.energy.iter().zip(zone.f(time, 0)) {
            let rate = 1e-6 * (energy / 10.0).powi(2) * 2.99792458e10;
            let exact = fermi_dirac(*energy, 10.0, 5.0) * -(-rate * t).exp_m1();
            largest = largest.max((f - exact).abs());
        }
    }
    assert!(largest <= 1e-6, "{largest:e}");
}

fn rises(zone: &Zone, temperature: f64) {
    let entropy: Vec<f64> = (0..zone.times.len()).map(|t| zone.entropy(t, temperature)).collect();
    for pair in entropy.windows(2) {
        assert!(pair[1] - pair[0] >= -1e-13 * pair[0].abs(), "{entropy:?}");
    }
    let gain = entropy[entropy.len() - 1] - entropy[0];
    assert!(gain > 0.1 * entropy[0].abs(), "{entropy:?}");
}

#[test]
fn scattering_keeps_the_number_and_ends_in_equilibrium() {
    let (zone, temperature) = (zone("one_zone_nes"), 8.0);
    let number = zone.number(0, 0);
    for time in 0..zone.times.len() {
        let change = zone.number(time, 0) / number - 1.0;
        assert!(change.abs() <= 1e-12, "{change:e} at t = {:e}", zone.times[time]);
    }
    let potential = zone.potential(number, temperature);
    assert!((potential - 23.4053).abs() < 0.05, "{potential}");
    let deviation = zone.energy.iter().zip(zone.f(zone.times.len() - 1, 0)).map(|(e, f)| {
        let relative = f / fermi_dirac(*e, potential, temperature) - 1.0;
        relative.abs()
    });
    let largest = deviation.fold(0.0, f64::max);
    assert!(largest <= 1e-6, "{largest:e}");
    rises(&zone, temperature);
}

/// ε − T ln(1/f − 1) is the chemical potential at each energy.
#[test]
fn pairs_keep_the_lepton_number_and_end_with_opposite_potentials() {
    let (zone, temperature) = (zone("one_zone_pairs"), 10.0);
    let last = zone.times.len() - 1;
    let leptons = |time: usize| zone.number(time, 0) - zone.number(time, 1);
    for time in 0..=last {
        let change = leptons(time) / leptons(0) - 1.0;
        assert!(change.abs() <= 1e-12, "{change:e} at t = {:e}", zone.times[time]);
    }
    assert!((zone.number(last, 0) / zone.number(0, 0) - 1.0).abs() > 0.05);
    let potential = |species: usize, k: usize| -> f64 {
        let f = zone.f(last, species)[k];
        zone.energy[k] - temperature * (1.0 / f - 1.0).ln()
    };
    let expected = zone.potential(zone.number(last, 0), temperature);
    for k in 0..zone.energy.len() {
        let sum = (potential(0, k) + potential(1, k)) / temperature;
        assert!(sum.abs() <= 1e-6, "{sum:e} at {} MeV", zone.energy[k]);
        let (own, heavy) = (potential(0, k) / expected - 1.0, potential(2, k) / temperature);
        assert!(own.abs() <= 1e-6 && heavy.abs() <= 1e-6, "{own:e}, {heavy:e} at {} MeV", zone.energy[k]);
    }
    rises(&zone, temperature);
}

/// Steps that are chosen without regard to accuracy, each longer than the time of relaxation, still do
/// not lower the entropy: it is convex, and backward Euler keeps that.
#[test]
fn entropy_rises_over_long_steps_too() {
    for (problem, temperature) in [("one_zone_nes", 8.0), ("one_zone_pairs", 10.0)] {
        let times = "(values: [1e-4, 2e-4, 3e-4, 4e-4, 5e-4, 6e-4, 7e-4, 8e-4, 9e-4], unit: \"s\")";
        let overrides = [
            ("mode.integrator", "BackwardEuler"),
            ("mode.step", "Fixed(\"1e-4 s\")"),
            ("mode.end", "\"1e-3 s\""),
            ("mode.output_times", times),
        ];
        let finished = solve(&loaded(problem, &overrides));
        assert_eq!(finished.status, Status::Converged);
        let zone = Zone::new(&finished.dataset);
        assert_eq!(zone.times.len(), 11);
        rises(&zone, temperature);
    }
}
