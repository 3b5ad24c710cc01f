//! Order in time, threads, restart, steady states, and what refuses kernels.

use assert_cmd::Command;
use rstest::rstest;
use tolman::output::dataset::{Attribute, Dataset};
use tolman::solvers::krylov::Status;

use super::common::{loaded, restarted, solve};

/// f at the end of `steps` equal steps.
fn evolved(problem: &str, integrator: &str, steps: u32) -> Vec<f64> {
    let step = format!("Fixed(\"{:e} s\")", 4e-5 / f64::from(steps));
    let overrides = [
        ("mode.integrator", integrator),
        ("mode.step", step.as_str()),
        ("mode.end", "\"4e-5 s\""),
        ("mode.output_times", "(values: [], unit: \"s\")"),
        ("phase_space.energy", "Geometric(degree: 1, from: \"6 MeV\", to: \"100 MeV\", elements: 8)"),
        ("criteria", "[]"),
    ];
    let finished = solve(&loaded(problem, &overrides));
    assert_eq!(finished.status, Status::Converged);
    let f = finished.dataset.reals("j").unwrap();
    f[f.len() / 2..].to_vec()
}

#[rstest]
#[case("BackwardEuler", 1.0, 64)]
#[case("Sdirk2", 2.0, 16)]
#[case("Sdirk3", 3.0, 16)]
fn evolution_has_the_order_of_its_integrator(
    #[case] integrator: &str,
    #[case] order: f64,
    #[case] steps: u32,
    #[values("one_zone_nes", "one_zone_pairs")] problem: &str,
) {
    let exact = evolved(problem, "Sdirk3", 128);
    let error = |steps: u32| -> f64 {
        let squares = evolved(problem, integrator, steps).into_iter().zip(&exact);
        squares.map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
    };
    let (long, short) = (error(steps), error(2 * steps));
    let observed = (long / short).log2();
    assert!((observed - order).abs() <= 0.15, "order {observed}: {long:e}, {short:e}");
}

const SHORT: [(&str, &str); 3] = [
    ("mode.end", "\"1e-4 s\""),
    ("mode.step", "Adaptive(tolerance: 1e-4, initial: \"1e-9 s\")"),
    ("criteria", "[]"),
];

fn short(output_times: &str) -> Vec<(&'static str, String)> {
    let mut overrides: Vec<_> = SHORT.iter().map(|(path, value)| (*path, (*value).to_owned())).collect();
    overrides.push(("mode.output_times", output_times.to_owned()));
    overrides
}

fn run_short(overrides: &[(&str, String)], restart: Option<Dataset>) -> Dataset {
    let overrides: Vec<(&str, &str)> =
        overrides.iter().map(|(path, value)| (*path, value.as_str())).collect();
    restarted(&loaded("one_zone_pairs", &overrides), restart).dataset
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| run_short(&short("(values: [], unit: \"s\")"), None))
    };
    let (one, four) = (on(1), on(4));
    assert_eq!(one.variables, four.variables);
}

#[test]
fn a_restart_continues_bit_for_bit() {
    let whole = run_short(&short("(values: [1e-5], unit: \"s\")"), None);
    let mut half = short("(values: [], unit: \"s\")");
    half[0].1 = "\"1e-5 s\"".to_owned();
    let half = run_short(&half, None);
    let rest = run_short(&short("(values: [1e-5], unit: \"s\")"), Some(half));
    for name in ["f", "time", "newton_steps", "number_gained", "heating_by_process"] {
        assert_eq!(whole.reals(name).unwrap(), rest.reals(name).unwrap(), "{name}");
    }
}

/// Neutrinos in a box with uniform matter: whatever the start, they are in equilibrium in the end. No
/// source but pairs, so that Newton's method starts from f = 0.
#[test]
fn a_closed_box_is_found_in_equilibrium() {
    let overrides = [
        ("species", "[(name: \"nux\", flavour: Heavy, multiplicity: 4)]"),
        ("mode", "SteadyState()"),
        ("phase_space.r", "(degree: 1, elements: Edges((values: [0, 1, 2, 4], unit: \"km\")))"),
        ("phase_space.mu", "Uniform(degree: 1, elements: 2)"),
        ("phase_space.energy.elements", "8"),
        ("criteria", "[]"),
    ];
    let finished = solve(&loaded("one_zone_pairs", &overrides));
    assert_eq!(finished.status, Status::Converged);
    let data = &finished.dataset;
    let (energy, j) = (data.reals("energy").unwrap(), data.reals("j").unwrap());
    for (j, energy) in j.chunks(6).zip(energy) {
        for j in j {
            let exact = 1.0 / ((energy / 10.0).exp() + 1.0);
            assert!((j / exact - 1.0).abs() <= 1e-7, "{j:e} against {exact:e} at {energy} MeV");
        }
    }
}

/// The atmosphere with all reactions: Newton's residuals fall faster than linearly, and what the file
/// says of the work is what was done.
#[test]
fn a_steady_state_balances_and_counts_its_work() {
    let overrides = [
        ("opacities", "[Rates(), Inelastic()]"),
        (
            "species",
            "[(name: \"nue\", flavour: ElectronNeutrino), (name: \"anue\", flavour: ElectronAntineutrino), (name: \"nux\", flavour: Heavy, multiplicity: 4)]",
        ),
        ("phase_space.energy.elements", "8"),
        ("criteria", "[]"),
    ];
    let finished = solve(&loaded("pns_atmosphere", &overrides));
    assert_eq!(finished.status, Status::Converged);
    let data = &finished.dataset;
    for balance in ["number_balance", "lepton_balance"] {
        let found = data.scalar(balance).unwrap();
        assert!(found <= 1e-10, "{balance} {found:e}");
    }
    let Some(Attribute::Reals(history)) = data.get_attribute("residual_history") else { panic!() };
    let steps = data.scalar("newton_steps").unwrap();
    assert_eq!(steps as usize + 1, history.len());
    assert!(steps <= 8.0 && data.scalar("iterations").unwrap() >= steps, "{history:?}");
    let net = data.reals("heating_net").unwrap();
    let parts = data.array("heating_by_process").unwrap();
    for (i, net) in net.iter().enumerate() {
        let at_radius = parts.index_axis(ndarray::Axis(2), i);
        let of = |name: &str| data.reals(name).unwrap()[i].abs();
        let gross = of("heating_absorbed") + of("heating_emitted") + of("heating_scattered");
        assert!((at_radius.sum() - net).abs() <= 1e-12 * gross, "{:e} {net:e}", at_radius.sum());
    }
}

/// Linear methods do not leave kernels out in silence.
#[rstest]
#[case(&["run", "--method", "characteristics"])]
#[case(&["agree"])]
fn linear_methods_refuse_kernels(#[case] command: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let problem = format!("{}/problems/pns_atmosphere.ron", env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(assert_cmd::cargo::cargo_bin!("tolman"))
        .current_dir(folder.path())
        .env("NO_COLOR", "1")
        .args(command)
        .args([
            problem.as_str(),
            "--set",
            "opacities=[Bruenn1985(), Inelastic(pairs: false, bremsstrahlung: false)]",
        ])
        .output()
        .unwrap();
    let message = String::from_utf8_lossy(&output.stderr).replace("\n  │", "");
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.contains("opacities[1]: found inelastic kernels"), "{message}");
}
