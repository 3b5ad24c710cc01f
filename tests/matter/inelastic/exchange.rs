//! What the matter gets: from the change of the neutrinos over one step of backward Euler, for which it is
//! exact, process by process.

use super::common::{loaded, solve};
use tolman::output::dataset::Dataset;
use tolman::solvers::krylov::Status;

const DENSITY: f64 = 1e12;
/// Mass unit of Y_e [g].
const BARYON: f64 = 1.660_539_066_60e-24;
const STEP: f64 = 1e-5;

fn one_step(opacities: &str) -> Dataset {
    let overrides = [
        ("opacities", opacities),
        ("mode.integrator", "BackwardEuler"),
        ("mode.step", "Fixed(\"1e-5 s\")"),
        ("mode.end", "\"1e-5 s\""),
        ("mode.output_times", "(values: [], unit: \"s\")"),
        ("criteria", "[]"),
    ];
    let finished = solve(&loaded("one_zone_pairs", &overrides));
    assert_eq!(finished.status, Status::Converged);
    finished.dataset
}

/// (value at the end − value at the start)/step, summed over species with the factors `factor`.
fn rate_of_change(data: &Dataset, name: &str, factor: &[f64]) -> f64 {
    let values = data.reals(name).unwrap();
    let (start, end) = values.split_at(factor.len());
    let change: f64 = start.iter().zip(end).zip(factor).map(|((a, b), w)| w * (b - a)).sum();
    change / STEP
}

fn last(data: &Dataset, name: &str) -> f64 {
    *data.reals(name).unwrap().last().unwrap()
}

#[test]
fn the_matter_gets_what_the_neutrinos_lose() {
    let data = one_step("[Inelastic(), Rates()]");
    let energy = rate_of_change(&data, "energy_density", &[1.0, 1.0, 4.0]);
    let heating = last(&data, "heating_net") * DENSITY;
    assert!((heating / -energy - 1.0).abs() <= 1e-10, "{heating:e} against {:e}", -energy);
    let leptons = rate_of_change(&data, "number_density", &[1.0, -1.0, 0.0]);
    let ye_rate = last(&data, "ye_rate") * DENSITY / BARYON;
    assert!((ye_rate / -leptons - 1.0).abs() <= 1e-10, "{ye_rate:e} against {:e}", -leptons);
    let parts =
        last(&data, "heating_absorbed") - last(&data, "heating_emitted") + last(&data, "heating_scattered");
    assert!((parts * DENSITY / heating - 1.0).abs() <= 1e-12);
    assert!(last(&data, "number_balance") <= 1e-12);
}

/// Pairs and scattering bring no lepton number into the matter.
#[test]
fn inelastic_collisions_leave_the_electron_fraction() {
    let data = one_step("[Inelastic()]");
    let number: f64 = data.reals("number_emitted").unwrap()[3];
    assert!(number > 0.0);
    let volume = data.reals("number").unwrap()[3] / data.reals("number_density").unwrap()[3];
    let gross = number / volume * BARYON / DENSITY;
    assert!(last(&data, "ye_rate").abs() <= 1e-12 * gross, "{:e} of {gross:e}", last(&data, "ye_rate"));
    for (scattered, number) in
        data.reals("number_scattered").unwrap()[3..].iter().zip(&data.reals("number").unwrap()[3..])
    {
        assert!(scattered.abs() * STEP <= 1e-12 * number, "{scattered:e} of {number:e}");
    }
}

/// Every process by itself: alone, in the full set at the same f (the state of the start), and the sum.
#[test]
fn heating_by_process_adds_up() {
    let data = one_step("[Inelastic(), Rates()]");
    let names = data.texts("process").unwrap().to_vec();
    let expected = [
        "electron_scattering",
        "electron_pairs",
        "bremsstrahlung",
        "nucleon_absorption",
        "nucleus_absorption",
    ];
    assert!(expected[..4].iter().all(|name| names.iter().any(|found| found == name)), "{names:?}");
    assert!(names.iter().all(|name| expected.contains(&name.as_str())), "{names:?}");
    let values = data.array("heating_by_process").unwrap();
    let net = data.reals("heating_net").unwrap();
    for (time, net) in net.iter().enumerate() {
        let at_time: Vec<f64> = values.index_axis(ndarray::Axis(0), time).iter().copied().collect();
        let (sum, gross) = at_time.iter().fold((0.0, 0.0), |(s, g), v| (s + v, g + v.abs()));
        assert!((sum - net).abs() <= 1e-13 * gross, "{sum:e} against {net:e}");
    }
    for (name, alone) in [
        ("electron_scattering", "Inelastic(pairs: false, bremsstrahlung: false)"),
        ("electron_pairs", "Inelastic(electron_scattering: false, bremsstrahlung: false)"),
        ("bremsstrahlung", "Inelastic(electron_scattering: false, pairs: false)"),
    ] {
        let part = one_step(&format!("[{alone}]"));
        let place = names.iter().position(|found| found == name).unwrap();
        let within: f64 = (0..3).map(|species| values[[0, place, species, 0]]).sum();
        let single = part.reals("heating_net").unwrap()[0];
        assert!(single != 0.0 && (within / single - 1.0).abs() <= 1e-12, "{name}: {within:e} {single:e}");
    }
}
