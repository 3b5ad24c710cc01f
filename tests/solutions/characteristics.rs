//! The method of characteristics against closed forms and an integral equation. The oracles share no code
//! with the method.

use std::path::{Path, PathBuf};

use rstest::rstest;
use tolman::methods::characteristics::{Settings, Solution, solve};
use tolman::methods::setup::Setup;
use tolman::output::dataset::Dataset;
use tolman::problem::{LoadOptions, Loaded, Resolution, load};
use tolman::progress::Silent;

const KM: f64 = 1e5;

fn loaded(name: &str, overrides: &[(&str, &str)]) -> Loaded {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("problems").join(format!("{name}.ron"));
    let options = LoadOptions {
        overrides: overrides.iter().map(|(path, value)| ((*path).to_owned(), (*value).to_owned())).collect(),
        resolution: Resolution::Standard,
        data: None,
    };
    load(&path, &options).unwrap()
}

fn setup(name: &str, overrides: &[(&str, &str)]) -> Setup {
    Setup::build(&loaded(name, overrides)).unwrap()
}

fn solved(setup: &Setup, tolerance: f64) -> Solution<'_> {
    solve(setup, &Settings { tolerance }, &Silent).unwrap()
}

/// `variable` of the only species at `radii`.
fn at(solution: &Solution, radii: &[f64], variable: &str) -> Vec<f64> {
    integrated(solution, radii).reals(variable).unwrap().to_vec()
}

fn integrated(solution: &Solution, radii: &[f64]) -> Dataset {
    solution.dataset_at(radii, false, &Silent).unwrap()
}

#[track_caller]
fn close(value: f64, exact: f64, allowed: f64) {
    assert!((value - exact).abs() <= allowed, "{value:e} against {exact:e}: off by {:e}", value - exact);
}

/// ∫ g over [a, b] by Simpson's rule.
fn simpson(a: f64, b: f64, parts: usize, g: impl Fn(f64) -> f64) -> f64 {
    let h = (b - a) / (2 * parts) as f64;
    let weight = |i: usize| {
        if i == 0 || i == 2 * parts {
            1.0
        } else if i % 2 == 1 {
            4.0
        } else {
            2.0
        }
    };
    (0..=2 * parts).map(|i| weight(i) * g(a + i as f64 * h)).sum::<f64>() * h / 3.0
}

/// J, H or K (n = 0, 1, 2) of the homogeneous sphere of radius 1: f = b(1 − e^{−κs}).
fn sphere_moment(kappa: f64, b: f64, r: f64, n: i32) -> f64 {
    let seen = |s: f64| -b * (-kappa * s).exp_m1();
    if r < 1.0 {
        let chord = |mu: f64| r * mu + (1.0 - r * r * (1.0 - mu * mu)).sqrt();
        return 0.5 * simpson(-1.0, 1.0, 200_000, |mu| mu.powi(n) * seen(chord(mu)));
    }
    // Impact parameter sin φ: μ dμ = −sin φ cos φ dφ/r².
    let half_pi = 0.5 * std::f64::consts::PI;
    0.5 * simpson(0.0, half_pi, 100_000, |phi| {
        let mu = (1.0 - (phi.sin() / r).powi(2)).sqrt();
        mu.powi(n - 1) * phi.sin() * phi.cos() / (r * r) * seen(2.0 * phi.cos())
    })
}

#[rstest]
#[case("homogeneous_sphere_thin", 1.0)]
#[case("homogeneous_sphere", 4.0)]
#[case("homogeneous_sphere_opaque", 250.0)]
fn homogeneous_sphere(#[case] name: &str, #[case] kappa: f64) {
    let setup = setup(name, &[("opacities[0].equilibrium", "Constant(0.8)")]);
    let solution = solved(&setup, 1e-10);
    for r in [0.3, 0.5, 0.9, 0.99, 1.05, 1.1, 2.0, 10.0] {
        let moments = solution.moments(0, r, 1.0).unwrap();
        let exact: Vec<f64> = (0..3).map(|n| sphere_moment(kappa, 0.8, r, n)).collect();
        for (n, &exact_moment) in exact.iter().enumerate() {
            // Deep inside, H is the difference of two halves of J that are equal to round-off.
            close(moments[n].0, exact_moment, 1e-8 * exact_moment.abs() + 1e-13 * exact[0]);
        }
    }
    let tau = 2.0 * kappa;
    let flux = 0.2 * (1.0 - 2.0 / (tau * tau) * (1.0 - (1.0 + tau) * (-tau).exp()));
    for r in [1.5, 4.0, 11.0] {
        let h = solution.moments(0, r, 1.0).unwrap()[1];
        close(r * r * h.0, flux, 1e-8 * flux);
        assert!((h.0 - flux / (r * r)).abs() <= h.1.max(1e-13 * h.0), "the estimated error is too small");
    }
}

#[test]
fn relativistic_star_gray() {
    let setup = setup("relativistic_star_gray", &[]);
    let solution = solved(&setup, 1e-10);
    for r in [1.02, 2.0, 5.0] {
        let [_, h, ..] = solution.moments(0, r, 1.0).unwrap();
        let lapse2 = 1.0 - 0.5 / r;
        close(r * r / lapse2 * h.0, 0.498_616_536_1, 1e-8);
    }
    let [j, _, k, _] = solution.moments(0, 2.0, 1.0).unwrap();
    close(j.0, 0.104_388_581_2, 1e-10);
    close(k.0, 0.084_109_691_1, 1e-10);
}

#[test]
fn relativistic_star_with_a_spectrum() {
    let setup = setup("relativistic_star", &[]);
    let solution = solved(&setup, 1e-9);
    let data = integrated(&solution, &[12.0 * KM, 30.0 * KM, 90.0 * KM]);
    for energy in data.reals("mean_energy_infinity").unwrap() {
        close(*energy, 10.753_048, 1e-6);
    }
    let luminosity = data.reals("luminosity_infinity").unwrap();
    for value in luminosity {
        close(value / luminosity[0], 1.0, 1e-8);
        close(value / 1.515_983_323e51, 1.0, 1e-8);
    }
}

/// Outside an opaque surface f = 1 for μ > μ_c, sin θ_c = (R/α_R)(α/r).
#[test]
fn opaque_relativistic_star() {
    let setup = setup("relativistic_star_gray", &[("opacities[0].absorption", "Constant(1e6)")]);
    let solution = solved(&setup, 1e-10);
    for r in [1.1, 2.0, 7.0] {
        let sine = (1.0 / 0.5_f64.sqrt()) * (1.0 - 0.5_f64 / r).sqrt() / r;
        let limb = (1.0 - sine * sine).sqrt();
        let [j, h, k, _] = solution.moments(0, r, 1.0).unwrap();
        close(h.0 / j.0, 0.5 * (1.0 + limb), 1e-8);
        close(k.0 / j.0, (1.0 + limb + limb * limb) / 3.0, 1e-8);
    }
}

#[test]
fn ultracompact_star_has_trapped_rays() {
    let setup = setup("ultracompact_star", &[]);
    let solution = solved(&setup, 1e-10);
    for r in [1.05, 1.19, 1.21, 3.0] {
        let [_, h, ..] = solution.moments(0, r, 1.0).unwrap();
        close(r * r / (1.0 - 0.8 / r) * h.0, 1.079_998_6, 5e-8);
    }
    // Impact parameters beyond √27 M = 2.0785: out, round below 3M = 1.2, and back through the star for
    // ever: f = f_eq.
    let r = 1.1_f64;
    let critical = 27.0_f64.sqrt() * 0.4;
    for share in [1.000_01, 1.005, 1.012] {
        let sine = critical * share * (1.0 - 0.8 / r).sqrt() / r;
        let mu = (1.0 - sine * sine).sqrt();
        for mu in [mu, -mu] {
            close(solution.f(0, r, mu, 1.0).unwrap().0, 1.0, 1e-8);
        }
    }
    // Just inside the critical cone rays come in from the vacuum.
    let sine = critical * 0.999 * (1.0 - 0.8 / r).sqrt() / r;
    assert_eq!(solution.f(0, r, -(1.0 - sine * sine).sqrt(), 1.0).unwrap().0, 0.0);
}

#[test]
fn luminosity_is_constant_through_gravity_and_velocity() {
    let setup = setup("radiating_sphere_both", &[]);
    let solution = solved(&setup, 1e-9);
    let radii = [10.0, 20.0, 120.0, 140.0, 150.0, 300.0, 3000.0].map(|r| r * KM);
    let data = integrated(&solution, &radii);
    let infinity = data.reals("luminosity_infinity").unwrap();
    let local = data.reals("luminosity_static").unwrap();
    let surface = setup.background.lapse(radii[0]);
    for value in infinity {
        close(value / (surface * surface * local[0]), 1.0, 1e-8);
    }
    // f is the same function of E∞ and b at both radii.
    let (r1, r2) = (20.0 * KM, 150.0 * KM);
    let (a1, a2) = (setup.background.lapse(r1), setup.background.lapse(r2));
    for (mu1, energy1) in [(0.95_f64, 8.0), (0.99, 3.5), (0.9, 20.0)] {
        let v = -0.2_f64;
        let sine2 = (1.0 - mu1 * mu1).sqrt() * r1 / a1 * a2 / r2;
        let mu_static = (1.0 - sine2 * sine2).sqrt();
        let mu2 = (mu_static - v) / (1.0 - v * mu_static);
        let energy2 = energy1 * a1 / a2 * (1.0 - v * mu_static) / (1.0 - v * v).sqrt();
        let (f1, f2) =
            (solution.f(0, r1, mu1, energy1).unwrap().0, solution.f(0, r2, mu2, energy2).unwrap().0);
        assert!(f1 > 1e-4);
        close(f2 / f1, 1.0, 1e-8);
    }
}

#[test]
fn an_oven_is_in_equilibrium() {
    let setup = setup("oven", &[]);
    let solution = solved(&setup, 1e-9);
    for (r, temperature) in [(2.0, 8.164_965_809_277_26), (3.0, 7.071_067_811_865_475)] {
        for energy in [5.0_f64, 30.0, 90.0] {
            let exact = 1.0 / ((energy / temperature).exp() + 1.0);
            let [j, h, ..] = solution.moments(0, r * KM, energy).unwrap();
            close(j.0, exact, 1e-8 * exact);
            close(h.0, 0.0, 1e-8 * exact);
            for mu in [-0.9, 0.0, 0.3, 1.0] {
                close(solution.f(0, r * KM, mu, energy).unwrap().0, exact, 1e-8 * exact);
            }
        }
    }
}

/// E₁(x) by its series and by its continued fraction.
fn exponential_integral(x: f64) -> f64 {
    if x <= 2.0 {
        let mut term = 1.0;
        let mut sum = -0.577_215_664_901_532_9 - x.ln();
        for k in 1..60 {
            term *= -x / f64::from(k);
            sum -= term / f64::from(k);
        }
        return sum;
    }
    let mut tail = 0.0;
    for k in (1..=200).rev() {
        let k = f64::from(k);
        tail = k / (1.0 + k / (x + tail));
    }
    (-x).exp() / (x + tail)
}

/// R²H(R) of a sphere of radius 1 with f_eq = 1 from the slab-equivalent equation for u = rJ,
/// u(x) = ½∫₀¹ [E₁(κ_t|x−y|) − E₁(κ_t(x+y))] (κy + σu(y)) dy (Davison 1957), by collocation.
fn slab_equivalence(kappa: f64, sigma: f64) -> f64 {
    const DEGREE: usize = 10;
    let total = kappa + sigma;
    // Panels that shrink toward the surface.
    let mut edges: Vec<f64> = (0..=8).map(|i| f64::from(i) * 0.1).collect();
    while total * (1.0 - edges[edges.len() - 1]) > 1e-5 {
        let last = edges[edges.len() - 1];
        edges.push(last + 0.4 * (1.0 - last));
    }
    edges.push(1.0);
    let reference: Vec<f64> =
        (0..DEGREE).map(|i| -(std::f64::consts::PI * (i as f64 + 0.5) / DEGREE as f64).cos()).collect();
    let lagrange = |j: usize, x: f64| -> f64 {
        (0..DEGREE).filter(|&m| m != j).map(|m| (x - reference[m]) / (reference[j] - reference[m])).product()
    };
    let place = |p: usize, x: f64| edges[p] + 0.5 * (x + 1.0) * (edges[p + 1] - edges[p]);
    let count = (edges.len() - 1) * DEGREE;
    let nodes: Vec<f64> = (0..count).map(|n| place(n / DEGREE, reference[n % DEGREE])).collect();
    // (y, weight) of integrals over one panel with a logarithm at x: y = x ± h t⁴.
    let quadrature = |p: usize, x: f64| -> Vec<(f64, f64)> {
        let (low, high) = (edges[p], edges[p + 1]);
        let near = x.clamp(low, high);
        let mut points = Vec::new();
        for end in [low, high] {
            let parts = 150;
            for i in 0..=2 * parts {
                let t = i as f64 / (2 * parts) as f64;
                let simpson = if i == 0 || i == 2 * parts {
                    1.0
                } else if i % 2 == 1 {
                    4.0
                } else {
                    2.0
                };
                let weight = simpson / (6 * parts) as f64 * (end - near).abs() * 4.0 * t.powi(3);
                points.push((near + (end - near) * t.powi(4), weight));
            }
        }
        points
    };
    let kernel = |x: f64, y: f64| {
        let (distance, sum) = (total * (x - y).abs(), total * (x + y));
        let first = if distance > 0.0 { exponential_integral(distance) } else { 0.0 };
        0.5 * (first - if sum > 0.0 { exponential_integral(sum) } else { 0.0 })
    };
    let mut matrix = faer::Mat::<f64>::identity(count, count);
    let mut right = faer::Mat::<f64>::zeros(count, 1);
    for (i, &x) in nodes.iter().enumerate() {
        for p in 0..edges.len() - 1 {
            for (y, weight) in quadrature(p, x) {
                let k = weight * kernel(x, y);
                right[(i, 0)] += k * kappa * y;
                let local = 2.0 * (y - edges[p]) / (edges[p + 1] - edges[p]) - 1.0;
                for j in 0..DEGREE {
                    matrix[(i, p * DEGREE + j)] -= sigma * k * lagrange(j, local);
                }
            }
        }
    }
    use faer::linalg::solvers::Solve;
    let u = matrix.partial_piv_lu().solve(&right);
    let mut flux = 0.0;
    for p in 0..edges.len() - 1 {
        let value = |y: f64| {
            let local = 2.0 * (y - edges[p]) / (edges[p + 1] - edges[p]) - 1.0;
            let u: f64 = (0..DEGREE).map(|j| u[(p * DEGREE + j, 0)] * lagrange(j, local)).sum();
            kappa * (y * y - y * u)
        };
        flux += simpson(edges[p], edges[p + 1], 200, value);
    }
    flux
}

#[rstest]
#[case("scattering_sphere", 9.0, 0.113_428_47)]
#[case("scattering_sphere_thick", 99.0, 0.048_726_6)]
fn scattering_sphere(#[case] name: &str, #[case] sigma: f64, #[case] known: f64) {
    let exact = slab_equivalence(1.0, sigma);
    close(exact, known, 1e-6 * known);
    let setup = setup(name, &[]);
    let solution = solved(&setup, 1e-9);
    for r in [1.0, 1.5, 6.0] {
        let h = solution.moments(0, r, 1.0).unwrap()[1].0;
        close(r * r * h, exact, 1e-6 * exact);
    }
}

#[test]
fn points_outside_are_refused() {
    let setup = setup("homogeneous_sphere", &[]);
    let solution = solved(&setup, 1e-4);
    let message = |result: tolman::error::Result<(f64, f64)>| result.unwrap_err().to_string();
    assert!(message(solution.f(0, 13.0, 0.5, 1.0)).contains("radii between 0 and 12"));
    assert!(message(solution.f(0, f64::NAN, 0.5, 1.0)).contains("radii between"));
    assert!(message(solution.f(0, 1.0, 1.5, 1.0)).contains("between -1 and 1"));
    assert!(message(solution.f(0, 1.0, 0.5, f64::INFINITY)).contains("a positive energy"));
    assert!(message(solution.f(3, 1.0, 0.5, 1.0)).contains("a species of the problem"));
    let error = solve(&setup, &Settings { tolerance: f64::NAN }, &Silent).err().unwrap();
    assert!(error.to_string().contains("between 1e-12 and 1e-2"), "{error}");
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let setup = setup("scattering_sphere", &[]);
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| at(&solved(&setup, 1e-5), &[0.5, 2.0], "energy_density"))
    };
    assert_eq!(on(1), on(3));
}

/// The command as a user sees it.
mod command {
    use super::*;
    use assert_cmd::Command;

    fn tolman(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
        let problems = Path::new(env!("CARGO_MANIFEST_DIR")).join("problems");
        let output = Command::new(assert_cmd::cargo::cargo_bin!("tolman"))
            .current_dir(folder)
            .env("NO_COLOR", "1")
            .args(arguments.iter().map(|a| a.replace("PROBLEMS", &problems.to_string_lossy())))
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text).into_owned();
        (output.status.code(), text.split_whitespace().filter(|w| *w != "│").collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn writes_the_layout_of_every_method_with_errors() {
        let folder = tempfile::tempdir().unwrap();
        let arguments =
            ["run", "PROBLEMS/homogeneous_sphere.ron", "--method", "characteristics", "-o", "out.h5"];
        let (code, text) = tolman(folder.path(), &arguments);
        assert_eq!(code, Some(0), "{text}");
        assert!(text.contains("19 of 19 met"), "{text}");
        let data = tolman::output::read(&folder.path().join("out.h5")).unwrap();
        assert_eq!(data.text_attribute("method"), Some("characteristics"));
        for name in ["f", "j", "h", "k", "l", "luminosity_infinity", "flux_factor"] {
            let (values, errors) = (data.reals(name).unwrap(), data.reals(&format!("{name}_error")).unwrap());
            assert_eq!(values.len(), errors.len());
            assert!(errors.iter().all(|&e| e >= 0.0));
        }
        let samples = data.get_group("samples").unwrap();
        assert!(samples.reals("j_error").unwrap().iter().all(|&e| e < 1e-8));
    }

    #[test]
    fn refuses_what_it_cannot_do() {
        let folder = tempfile::tempdir().unwrap();
        let refused = |arguments: &[&str], message: &str| {
            let (code, text) = tolman(folder.path(), arguments);
            assert_eq!(code, Some(2), "{text}");
            assert!(text.contains(message), "{text}");
        };
        refused(
            &["run", "PROBLEMS/travelling_shells.ron", "--method", "characteristics"],
            "the method of characteristics knows no time",
        );
        refused(
            &["run", "PROBLEMS/oven.ron", "--method", "characteristics", "--restart", "earlier.h5"],
            "--restart goes with --method boltzmann",
        );
        refused(
            &["run", "PROBLEMS/oven.ron", "--method", "characteristics", "--tolerance", "0"],
            "between 1e-12 and 1e-2",
        );
        refused(
            &["run", "PROBLEMS/oven.ron", "--tolerance", "1e-7"],
            "--tolerance: found 1e-7; valid: only with --method characteristics",
        );
        refused(&["run", "PROBLEMS/oven.ron", "--method", "magic"], "invalid value 'magic'");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
