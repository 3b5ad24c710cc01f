//! Errors against exact answers, and the order at which they fall.

use std::path::Path;

use rstest::rstest;
use tolman::output::dataset::Dataset;
use tolman::problem::{LoadOptions, Resolution, load};
use tolman::progress::Silent;
use tolman::run::{Resources, run};
use tolman::solvers::krylov::Status;

fn solve(name: &str, overrides: &[(&str, String)], resolution: Resolution) -> Dataset {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("problems").join(format!("{name}.ron"));
    let overrides = overrides.iter().map(|(path, value)| ((*path).to_owned(), value.clone())).collect();
    let problem = load(&path, &LoadOptions { overrides, resolution, data: None }).unwrap();
    let resources = Resources { memory: u64::MAX, restart: None };
    let finished = run(&problem, &resources, &Silent, &mut |_| Ok(())).unwrap();
    assert_eq!(finished.status, Status::Converged);
    finished.dataset
}

fn order(errors: &[f64]) -> Vec<f64> {
    errors.windows(2).map(|pair| (pair[0] / pair[1]).log2()).collect()
}

/// Largest error of f in the travelling shells at the end time, f₀ being e^(−((r₀−3)/0.5)²) at the point
/// r₀ = √(r² + t² − 2rtμ) that the ray comes from.
fn shell_error(result: &Dataset) -> f64 {
    let last = result.at("time", result.length("time").unwrap() - 1).unwrap();
    let t = 5.0;
    let (r, mu) = (last.reals("r").unwrap(), last.reals("mu").unwrap());
    let (mu_weight, r_weight) = (last.reals("mu_weight").unwrap(), last.reals("r_weight").unwrap());
    let f = last.reals("f").unwrap();
    let (mut error, mut size) = (0.0, 0.0);
    for (j, mu) in mu.iter().enumerate() {
        for (i, r) in r.iter().enumerate() {
            let start = (r * r + t * t - 2.0 * r * t * mu).sqrt();
            let exact = (-((start - 3.0) / 0.5f64).powi(2)).exp();
            let weight = mu_weight[j] * r_weight[i] * r * r;
            error += weight * (f[j * last.length("r").unwrap() + i] - exact).powi(2);
            size += weight * exact * exact;
        }
    }
    (error / size).sqrt()
}

/// An evolution on one grid in space, whose error in time is looked at.
struct InTime {
    problem: &'static str,
    end: f64,
    initial: &'static str,
    radial: &'static str,
    angular: &'static str,
    energy: Option<&'static str>,
}

impl InTime {
    /// f at the end with steps of one size.
    fn f(&self, integrator: &str, step: f64) -> Vec<f64> {
        let mode = format!(
            "Evolution(end: {}, integrator: {integrator}, step: Fixed({step}), initial: Expression(\"{}\"), \
             tolerance: 1e-12)",
            self.end, self.initial
        );
        let mut overrides = vec![
            ("mode", mode),
            ("phase_space.r", self.radial.to_owned()),
            ("phase_space.mu", self.angular.to_owned()),
            ("boundary", "()".to_owned()),
            ("outputs", "()".to_owned()),
            ("criteria", "[]".to_owned()),
        ];
        overrides.extend(self.energy.map(|energy| ("phase_space.energy", energy.to_owned())));
        let result = solve(self.problem, &overrides, Resolution::Standard);
        result.at("time", result.length("time").unwrap() - 1).unwrap().reals("f").unwrap().to_vec()
    }

    /// Errors with steps `first`, first/2 and first/4 against `reference`, relative to its size.
    fn errors(&self, integrator: &str, first: f64, reference: &[f64]) -> Vec<f64> {
        let norm = |f: &mut dyn Iterator<Item = f64>| f.map(|x| x * x).sum::<f64>().sqrt();
        let size = norm(&mut reference.iter().copied());
        [first, first / 2.0, first / 4.0]
            .iter()
            .map(|&step| {
                let found = self.f(integrator, step);
                norm(&mut found.iter().zip(reference).map(|(a, b)| a - b)) / size
            })
            .collect()
    }
}

/// An isotropic Gaussian that diffuses; its flux is there after an initial layer of one mean free path.
const DIFFUSION: InTime = InTime {
    problem: "spherical_diffusion",
    end: 2.0,
    initial: "exp(-75*r^2)",
    radial: "(degree: 2, elements: Segments(start: 0, segments: [(end: 1, elements: 30)]))",
    angular: "Uniform(degree: 2, elements: 2)",
    energy: None,
};

const SHELLS: InTime = InTime {
    problem: "travelling_shells",
    end: 2.0,
    initial: "exp(-((r-3)/0.5)^2)",
    radial: "(degree: 3, elements: Segments(start: 0, segments: [(end: 8, elements: 16)]))",
    angular: "Uniform(degree: 3, elements: 6)",
    energy: None,
};

/// An isotropic shell that spreads through the accelerating matter of `doppler_shift`.
const DOPPLER: InTime = InTime {
    problem: "doppler_shift",
    end: 2.0,
    initial: "exp(-((r-3)/0.6)^2)/(exp(energy)+1)",
    radial: "(degree: 3, elements: Segments(start: 1, segments: [(end: 8, elements: 12)]))",
    angular: "Uniform(degree: 3, elements: 4)",
    energy: Some("Geometric(degree: 2, from: 1, to: 40, elements: 4)"),
};

/// With the grid in space fixed, so that only the error in time is seen. Backward Euler's error is in
/// proportion to the step only where a front is resolved by many steps.
#[rstest]
fn integrators_have_their_orders(#[values(&DIFFUSION, &SHELLS, &DOPPLER)] case: &InTime) {
    orders_are_reached(case, 1.0, 0.1);
}

/// Orders observed with finite steps are off by as much as the next term of the error: with shorter steps by less.
/// Run on purpose: `cargo test --release --test solutions convergence -- --ignored`.
#[rstest]
#[ignore = "thousands of steps take minutes"]
fn orders_are_nearer_with_shorter_steps(#[values(&DIFFUSION, &SHELLS, &DOPPLER)] case: &InTime) {
    orders_are_reached(case, 8.0, 0.015);
}

/// Steps `shorter` times shorter than those at which orders are known to 0.1.
fn orders_are_reached(case: &InTime, shorter: f64, tolerance: f64) {
    let reference = case.f("Sdirk3", 0.1 / (32.0 * shorter));
    for (integrator, scheme, first) in
        [("BackwardEuler", 1.0, 0.01), ("Sdirk2", 2.0, 0.1), ("Sdirk3", 3.0, 0.1)]
    {
        let errors = case.errors(integrator, first / shorter, &reference);
        let observed = order(&errors);
        println!("{} {integrator}: errors {errors:?}, orders {observed:?}", case.problem);
        assert!(observed[1] >= scheme - tolerance, "{integrator}: errors {errors:?}, orders {observed:?}");
    }
}

#[test]
fn shells_converge_in_space_and_angle() {
    let error = |factor: usize| {
        let mode = "Evolution(end: 5, step: Fixed(0.0125), initial: Expression(\"exp(-((r-3)/0.5)^2)\"))";
        let elements = 20 * factor;
        let grid =
            format!("(degree: 2, elements: Segments(start: 0, segments: [(end: 10, elements: {elements})]))");
        let overrides = [
            ("mode", mode.to_owned()),
            ("phase_space.r", grid),
            ("phase_space.mu", format!("Uniform(degree: 2, elements: {})", 8 * factor)),
            ("criteria", "[]".to_owned()),
        ];
        shell_error(&solve("travelling_shells", &overrides, Resolution::Standard))
    };
    let errors = [error(2), error(4)];
    let observed = order(&errors)[0];
    assert!(errors[1] < 2e-2 && observed > 2.0, "errors {errors:?}, order {observed}");
}

/// Number on the slice plus what left through the edge is what there was.
#[test]
fn number_of_the_shells_is_kept_to_round_off() {
    let result = solve("travelling_shells", &[], Resolution::Coarse);
    let worst = result.reals("number_balance").unwrap().iter().fold(0.0, |m: f64, b| m.max(b.abs()));
    assert!(worst <= 1e-12, "{worst:e}");
}

/// Largest relative error of the temperature, and largest flux factor, outside the core of the oven.
fn oven_errors(degree: usize, elements: usize) -> [f64; 2] {
    let overrides = [
        (
            "phase_space.r",
            format!(
                "(degree: {degree}, elements: Segments(start: \"0 km\", segments: [(end: \"1.5 km\", \
                 elements: 1), (end: \"5 km\", elements: {elements}, spacing: GradedToStart(8))]))"
            ),
        ),
        ("phase_space.energy", "Geometric(degree: 5, from: \"4 MeV\", to: \"300 MeV\", elements: 16)".into()),
        ("criteria", "[]".into()),
    ];
    let result = solve("oven", &overrides, Resolution::Standard);
    // Tα = const: 10 MeV at 1.5 km with r_s = 1 km, and ⟨ε⟩/T of a Fermi-Dirac spectrum without chemical
    // potential is F₃(0)/F₂(0) = 7π⁴/(180 ζ(3)).
    let ratio = 7.0 * std::f64::consts::PI.powi(4) / (180.0 * 1.202_056_903_159_594_2);
    let (r, mean) = (result.reals("r").unwrap(), result.reals("mean_energy").unwrap());
    let outside = r.iter().zip(mean).filter(|(r, _)| **r > 1.5e5);
    let temperature = outside.map(|(r, mean)| {
        let lapse = (1.0 - 1e5 / r).sqrt();
        (mean * lapse / (ratio * 10.0 * (1.0f64 / 3.0).sqrt()) - 1.0).abs()
    });
    let flux = result.reals("flux_factor").unwrap().iter().map(|f| f.abs());
    [temperature.fold(0.0, f64::max), flux.fold(0.0, f64::max)]
}

#[test]
fn oven_errors_fall_at_the_order_of_the_scheme() {
    for (degree, least) in [(2, 2.3), (3, 3.3)] {
        let (coarse, fine) = (oven_errors(degree, 16), oven_errors(degree, 32));
        for (coarse, fine) in coarse.into_iter().zip(fine) {
            let observed = order(&[coarse, fine])[0];
            assert!(fine < 1e-5 && observed > least, "degree {degree}: {coarse:e} {fine:e} {observed}");
        }
    }
}

#[test]
fn diffusion_error_does_not_grow_with_scattering() {
    // J = (σ/(t+1))^{3/2} exp(−3σr²/(4(t+1))), normalised at t = 0, against what the grid gives.
    let error = |sigma: f64| {
        let mode = format!(
            "Evolution(end: {}, step: Adaptive(tolerance: 1e-5), initial: Expression(\"exp(-{}*r^2)\"))",
            sigma / 100.0 * 5.0,
            75.0
        );
        let overrides = [
            ("opacities", format!("[Scattering(scattering: Constant({sigma}))]")),
            ("mode", mode),
            ("criteria", "[]".to_owned()),
        ];
        let result = solve("spherical_diffusion", &overrides, Resolution::Standard);
        let last = result.at("time", result.length("time").unwrap() - 1).unwrap();
        let (r, weight, j) =
            (last.reals("r").unwrap(), last.reals("r_weight").unwrap(), last.reals("j").unwrap());
        // In units of σ/100 the time is 5 and the exact solution the same for all σ.
        let exact = |r: f64| 6f64.powf(-1.5) * (-75.0 * r * r / 6.0).exp();
        let sum = |value: &dyn Fn(usize) -> f64| -> f64 {
            (0..r.len()).map(|i| weight[i] * r[i] * r[i] * value(i)).sum()
        };
        sum(&|i| (j[i] - exact(r[i])).abs()) / sum(&|i| exact(r[i]))
    };
    let errors = [error(1e2), error(1e4), error(1e6)];
    assert!(errors.iter().all(|&e| e < 1e-2), "{errors:?}");
    assert!(errors[2] <= 1.2 * errors[1].max(1e-4), "{errors:?}");
}
