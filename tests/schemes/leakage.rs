//! Leakage against closed forms and limits, and against the reference on a snapshot of a collapse.

use std::f64::consts::PI;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use approx::assert_relative_eq;
use tolman::error::Error;
use tolman::methods::leakage::{LeakageSolution, Scheme, Settings, bias_of_exp_tau, solve, solve_with};
use tolman::methods::setup::Setup;
use tolman::output::dataset::Dataset;
use tolman::output::read;
use tolman::problem::{LoadOptions, Resolution, load};
use tolman::progress::Silent;
use tolman::run::{Resources, run};

/// Occupation of the spheres.
const OCCUPATION: f64 = 0.4;
/// 4πc/(hc)³ where c = h = 1.
const STATES: f64 = 4.0 * PI;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn setup(text: &str) -> Setup {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("problem.ron");
    std::fs::write(&path, text).unwrap();
    Setup::build(&load(&path, &LoadOptions::default()).unwrap()).unwrap()
}

/// A dimensionless problem on radii up to `outer`, finest where τ ≈ 1 of a sphere of radius 1.
fn problem(metric: &str, energy: &str, opacities: &str, outer: f64) -> String {
    format!(
        r#"(
            format: 1,
            title: "Sphere",
            units: Dimensionless,
            background: (metric: {metric}, discontinuities: [1]),
            species: [(name: "nu")],
            phase_space: (
                r: (degree: 4, elements: Segments(start: 0, segments: [
                    (end: 1, elements: 60, spacing: GradedToEnd(3e4)),
                    (end: {outer}, elements: 12, spacing: Geometric),
                ])),
                mu: Uniform(degree: 1, elements: 2),
                energy: {energy},
            ),
            opacities: [{opacities}],
        )"#
    )
}

/// A gray sphere of radius 1 with absorption `opacity`.
fn sphere(opacity: f64) -> Setup {
    let absorption = format!(
        "Absorption(absorption: Constant({opacity}), equilibrium: Constant({OCCUPATION}), region: (outer: 1))"
    );
    setup(&problem("Flat", "Gray", &absorption, 2.0))
}

fn last(values: &[f64]) -> f64 {
    *values.last().unwrap()
}

/// ∫₀¹ by Simpson's rule, with the substitution x = 1 − y⁴ that resolves layers at x = 1.
fn integral(value: impl Fn(f64) -> f64) -> f64 {
    let steps = 40_000;
    let at = |n: usize| {
        let y = n as f64 / f64::from(steps);
        value(1.0 - y.powi(4)) * 4.0 * y.powi(3)
    };
    let weight = |n: usize| if n == 0 || n == steps as usize { 1.0 } else { 2.0 + 2.0 * (n % 2) as f64 };
    (0..=steps as usize).map(|n| weight(n) * at(n)).sum::<f64>() / (3.0 * f64::from(steps))
}

#[test]
fn a_transparent_sphere_shines_with_all_that_it_makes() {
    let exact = STATES * 4.0 / 3.0 * PI * 1e-5 * OCCUPATION;
    let setup = sphere(1e-5);
    for scheme in Scheme::ALL {
        let solution = solve(&setup, scheme).unwrap();
        assert_relative_eq!(last(&solution.luminosity_infinity), exact, max_relative = 2e-5);
        assert_relative_eq!(last(&solution.number_luminosity_infinity), exact, max_relative = 2e-5);
        assert_relative_eq!(last(&solution.mean_energy_infinity(&setup)), 1.0, max_relative = 2e-5);
    }
}

/// In vacuum nothing is made or lost, and deep in opaque matter, in equilibrium, next to nothing gets away: 1/(3τ²) of
/// what is made at most.
#[test]
fn vacuum_and_equilibrium_make_nothing() {
    let (opacity, setup) = (1e3, sphere(1e3));
    let nodes = &setup.phase_space.radial.nodes;
    for scheme in Scheme::ALL {
        let solution = solve(&setup, scheme).unwrap();
        let luminosity = &solution.luminosity_infinity;
        for (i, r) in nodes.iter().enumerate().filter(|(_, r)| **r > 1.0) {
            assert_relative_eq!(luminosity[i], last(luminosity), max_relative = 1e-12);
            assert_eq!((solution.number_emission[i], solution.energy_heating[i]), (0.0, 0.0), "{scheme} {r}");
        }
        for (i, r) in nodes.iter().enumerate().filter(|(_, r)| **r < 0.9) {
            let share = solution.number_emission[i] / solution.number_production[i];
            let bound = 1.001 / (3.0 * (opacity * (1.0 - r)).powi(2));
            assert!((0.0..=bound).contains(&share), "{scheme} at {r}: {share} of {bound}");
        }
    }
}

/// Without heating the luminosity is ∫4πr² κb min(1, 1/(3τ²)) dr, or with 1/(1 + 3τ²), τ = κ(1 − r).
#[test]
fn an_opaque_sphere_shines_with_its_surface() {
    let opacity = 1e3;
    let setup = sphere(opacity);
    let blackbody = STATES * 4.0 * PI * OCCUPATION / 4.0;
    let production = STATES * 4.0 / 3.0 * PI * opacity * OCCUPATION;
    for scheme in Scheme::ALL.into_iter().filter(|scheme| !scheme.heats()) {
        let share = |r: f64| {
            let ratio = 3.0 * (opacity * (1.0 - r)).powi(2);
            let bottleneck = matches!(scheme, Scheme::Bottleneck | Scheme::BottleneckGray);
            if bottleneck { 1.0 / ratio.max(1.0) } else { 1.0 / (1.0 + ratio) }
        };
        let exact = STATES * OCCUPATION * integral(|r| 4.0 * PI * r * r * opacity * share(r));
        let found = last(&solve(&setup, scheme).unwrap().luminosity_infinity);
        // The corner of the minimum lies inside an element.
        assert_relative_eq!(found, exact, max_relative = 3e-3);
        assert!(found < 1e-2 * production, "{scheme}");
        println!("{scheme}: {} blackbodies", found / blackbody);
        assert!((2.0..5.0).contains(&(found / blackbody)), "{scheme}: {}", found / blackbody);
    }
}

/// In the plane limit the interpolated scheme has ∫dτ/(1 + 3τ²) = π/(2√3) in place of the blackbody's
/// 1/4, and the bottleneck ∫min(1, 1/(3τ²)) dτ = 2/√3.
#[test]
fn an_opaque_surface_shines_too_brightly_by_a_fixed_factor() {
    let setup = sphere(1e4);
    let blackbody = STATES * 4.0 * PI * OCCUPATION / 4.0;
    for (scheme, factor) in
        [(Scheme::Interpolated, 2.0 * PI / 3f64.sqrt()), (Scheme::Bottleneck, 8.0 / 3f64.sqrt())]
    {
        let found = last(&solve(&setup, scheme).unwrap().luminosity_infinity);
        assert_relative_eq!(found / blackbody, factor, max_relative = 5e-3);
    }
}

/// Neither opacity nor emission: τ = 0 exactly, e^(−τ) = 1, and nothing leaks.
#[test]
fn empty_space_has_no_depth() {
    let setup = setup(&problem("Flat", "Gray", "", 2.0));
    for scheme in Scheme::ALL {
        let solution = solve(&setup, scheme).unwrap();
        let depths = &solution.depths;
        for values in [
            &depths.transport,
            &depths.effective,
            &depths.transport_mean,
            &depths.bias,
            &solution.energy_emission,
            &solution.energy_heating,
            &solution.luminosity_infinity,
        ] {
            assert!(values.iter().all(|&value| value == 0.0), "{scheme}");
        }
        solution.dataset(&setup).validate().unwrap();
    }
}

/// κ = 5/r² beyond r = 1: τ = 5 (1/r − 1/4); transport opacity κ* + σ₀ − σ₁ and effective √(κ*κ_tr).
#[test]
fn depths_are_those_of_the_transport_and_the_effective_opacity() {
    let power = "PowerLaw(value: 1, r0: 1, r_exponent: -2)";
    let opacities = format!(
        "Absorption(absorption: {power}, equilibrium: Constant(0.1)), \
         Scattering(scattering: PowerLaw(value: 6, r0: 1, r_exponent: -2), mean_cosine: 0.5)"
    );
    let text = problem("Flat", "Gray", &opacities, 4.0).replace("start: 0", "start: 0.5");
    let setup = setup(&text);
    let solution = solve(&setup, Scheme::Interpolated).unwrap();
    for (i, &r) in setup.phase_space.radial.nodes.iter().enumerate() {
        let column = 1.0 / r - 0.25;
        assert_relative_eq!(solution.depths.transport[i], 4.0 * column, max_relative = 1e-5);
        assert_relative_eq!(solution.depths.transport_mean[i], 4.0 * column, max_relative = 1e-5);
        assert_relative_eq!(solution.depths.effective[i], 2.0 * column, max_relative = 1e-5);
    }
}

/// Inside a star of uniform density X = (1 − Cr²)^(−1/2): τ = κ (asin √C − asin(√C r))/√C. Its thin
/// emission, redshifted from where it is made, is ∫4πr²X α² Q dr and ∫4πr²X α R dr.
#[test]
fn gravity_lengthens_depths_and_reddens_luminosities() {
    let (compactness, opacity) = (0.5f64, 1e-5);
    let absorption = format!(
        "Absorption(absorption: Constant({opacity}), region: (outer: 1), \
         equilibrium: FermiDirac(temperature: Constant(1)))"
    );
    let energy = "Geometric(degree: 3, from: 0.5, to: 60, elements: 14)";
    let setup = setup(&problem("UniformStar(radius: 1, compactness: 0.5)", energy, &absorption, 2.0));
    let solution = solve(&setup, Scheme::Interpolated).unwrap();
    let root = compactness.sqrt();
    for (i, &r) in setup.phase_space.radial.nodes.iter().enumerate().filter(|(_, r)| **r < 0.999) {
        let exact = opacity * (root.asin() - (root * r).asin()) / root;
        assert_relative_eq!(solution.depths.transport[i], exact, max_relative = 1e-8);
    }
    let metric = |r: f64| (1.0 - compactness * r * r).powf(-0.5);
    let lapse = |r: f64| 0.5 * (3.0 * (1.0 - compactness).sqrt() - 1.0 / metric(r));
    let volume = |power: i32| integral(|r| 4.0 * PI * r * r * metric(r) * lapse(r).powi(power));
    // ∫x²/(eˣ+1) = 3ζ(3)/2 and ∫x³/(eˣ+1) = 7π⁴/120; the grid begins at 0.
    let (number, energy) = (1.803_085_354_74, 7.0 * PI.powi(4) / 120.0);
    let (number, energy) = (STATES * opacity * number * volume(1), STATES * opacity * energy * volume(2));
    assert_relative_eq!(last(&solution.luminosity_infinity), energy, max_relative = 1e-4);
    assert_relative_eq!(last(&solution.number_luminosity_infinity), number, max_relative = 1e-4);
    assert_relative_eq!(last(&solution.mean_energy_infinity(&setup)), energy / number, max_relative = 1e-4);
    for (i, &r) in setup.phase_space.radial.nodes.iter().enumerate().filter(|(_, r)| **r > 1.0) {
        let ratio = solution.luminosity_static[i] / solution.luminosity_infinity[i];
        assert_relative_eq!(ratio, 1.0 / (1.0 - compactness / r), max_relative = 1e-12);
    }
}

/// In a gray problem energies at infinity are 1: each neutrino is worth 1 there, as in the reference.
#[test]
fn a_gray_star_counts_neutrinos_at_infinity() {
    let opacity = 1e-5;
    let absorption = format!(
        "Absorption(absorption: Constant({opacity}), equilibrium: Constant({OCCUPATION}), region: (outer: 1))"
    );
    let setup = setup(&problem("UniformStar(radius: 1, compactness: 0.5)", "Gray", &absorption, 2.0));
    let solution = solve(&setup, Scheme::Interpolated).unwrap();
    let metric = |r: f64| (1.0 - 0.5 * r * r).powf(-0.5);
    let lapse = |r: f64| 0.5 * (3.0 * 0.5f64.sqrt() - 1.0 / metric(r));
    let exact =
        STATES * opacity * OCCUPATION * integral(|r| 4.0 * PI * r * r * metric(r) * lapse(r).powi(-2));
    assert_relative_eq!(last(&solution.luminosity_infinity), exact, max_relative = 1e-4);
    assert_relative_eq!(last(&solution.number_luminosity_infinity), exact, max_relative = 1e-4);
}

/// A transparent sphere in motion, in gravity, gray and not, is as bright as the Boltzmann equation has it:
/// number and energy at infinity of emission that is isotropic in the fluid's frame.
#[test]
fn moving_matter_shines_as_in_the_reference() {
    let fermi_dirac = "FermiDirac(temperature: Constant(1))";
    for (energy, equilibrium) in
        [("Gray", "Constant(0.4)"), ("Geometric(degree: 3, from: 1, to: 40, elements: 6)", fermi_dirac)]
    {
        let text = format!(
            r#"(
                format: 1,
                title: "Moving sphere",
                units: Dimensionless,
                background: (
                    metric: UniformStar(radius: 1, compactness: 0.3),
                    velocity: Expression("0.4*sin(3.14159265358979*min(r,1))"),
                    discontinuities: [1],
                ),
                species: [(name: "nu")],
                phase_space: (
                    r: (degree: 3, elements: Segments(start: 0, segments: [
                        (end: 1, elements: 12), (end: 1.5, elements: 6),
                    ])),
                    mu: Uniform(degree: 3, elements: 8),
                    energy: {energy},
                ),
                opacities: [
                    Absorption(absorption: Constant(1e-5), equilibrium: {equilibrium}, region: (outer: 1)),
                ],
            )"#
        );
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("problem.ron");
        std::fs::write(&path, text).unwrap();
        let problem = load(&path, &LoadOptions::default()).unwrap();
        let resources = Resources { memory: u64::MAX, restart: None };
        let reference = run(&problem, &resources, &Silent, &mut |_| Ok(())).unwrap().dataset;
        let setup = Setup::build(&problem).unwrap();
        let solution = solve(&setup, Scheme::Interpolated).unwrap();
        for (name, found) in [
            ("luminosity_infinity", &solution.luminosity_infinity),
            ("number_luminosity_infinity", &solution.number_luminosity_infinity),
        ] {
            let expected = last(reference.reals(name).unwrap());
            println!("{energy}: {name} {:e} of {expected:e}", last(found));
            assert_relative_eq!(last(found), expected, max_relative = 2e-3);
        }
    }
}

/// A hundred times the opacity on a hundredth of the length: a hundredth of the area.
#[test]
fn luminosities_scale_with_the_area_at_equal_depth() {
    let text = |opacity: f64, unit: f64| {
        let absorption = format!(
            "Absorption(absorption: Constant({opacity}), equilibrium: Constant(0.4), region: (outer: {unit}))"
        );
        problem("Flat", "Gray", &absorption, 2.0 * unit)
            .replace("(end: 1,", &format!("(end: {unit},"))
            .replace("[1]", &format!("[{unit}]"))
    };
    let (large, small) = (setup(&text(20.0, 1.0)), setup(&text(2000.0, 0.01)));
    for scheme in Scheme::ALL {
        let luminosity = |setup| last(&solve(setup, scheme).unwrap().luminosity_infinity);
        assert_relative_eq!(luminosity(&large), 1e4 * luminosity(&small), max_relative = 1e-10);
    }
}

/// A Fermi-Dirac sphere (T = 1, no degeneracy) with κ = `strength` ε².
fn fermi_dirac_sphere(strength: f64) -> Setup {
    let absorption = format!(
        r#"Absorption(absorption: Expression("{strength}*energy^2"), region: (outer: 1),
            equilibrium: FermiDirac(temperature: Constant(1)))"#
    );
    let energy = "Geometric(degree: 3, from: 0.2, to: 60, elements: 16)";
    setup(&problem("Flat", energy, &absorption, 2.0))
}

/// ∫xⁿ/(eˣ+1) for n = 0 to 5.
const FERMI: [f64; 6] = [
    std::f64::consts::LN_2,
    0.822_467_033_424_113,
    1.803_085_354_739_391,
    5.682_196_976_983_475,
    23.330_874_490_725_82,
    118.266_130_956_453_1,
];

/// Where κ = ζε², R_diff = 4πc/(hc)³ ζ/(aχ²) T F₀ and Q_diff = … T² F₁ with χ = ∫ζ dr: equations of
/// Rosswog & Liebendoerfer (2003), a = 3, and of O'Connor & Ott (2010), a = 6.
#[test]
fn energy_resolved_diffusion_has_the_published_integrals() {
    let zeta = 1e4;
    let setup = fermi_dirac_sphere(zeta);
    let i = setup.phase_space.radial.nodes.partition_point(|&r| r < 0.5);
    let chi = zeta * (1.0 - setup.phase_space.radial.nodes[i]);
    for (scheme, factor) in [(Scheme::Rosswog, 3.0), (Scheme::OConnorOtt, 6.0)] {
        let solution = solve(&setup, scheme).unwrap();
        let rate = STATES * zeta / (factor * chi * chi);
        assert_relative_eq!(solution.number_diffusion[i], rate * FERMI[0], max_relative = 1e-3);
        assert_relative_eq!(solution.energy_diffusion[i], rate * FERMI[1], max_relative = 1e-3);
        let made = solution.number_production[i];
        assert_relative_eq!(made, STATES * zeta * FERMI[4], max_relative = 1e-3);
        let effective = made * solution.number_diffusion[i] / (made + solution.number_diffusion[i]);
        assert_relative_eq!(solution.number_emission[i], effective, max_relative = 1e-12);
    }
}

/// Ruffert et al. (1996): mean opacities ζT²F₄/F₂ for number and ζT²F₅/F₃ for energy, t = 3τ²/(cκ).
#[test]
fn gray_diffusion_has_the_published_means() {
    let zeta = 1e4;
    let setup = fermi_dirac_sphere(zeta);
    let i = setup.phase_space.radial.nodes.partition_point(|&r| r < 0.5);
    let depth = 1.0 - setup.phase_space.radial.nodes[i];
    let (by_number, by_energy) = (zeta * FERMI[4] / FERMI[2], zeta * FERMI[5] / FERMI[3]);
    let rate = |density: f64, opacity: f64| STATES * density / (3.0 * opacity * depth * depth);
    let solution = solve(&setup, Scheme::Ruffert).unwrap();
    assert_relative_eq!(solution.depths.transport_mean[i], by_energy * depth, max_relative = 1e-3);
    assert_relative_eq!(solution.depths.transport_number_mean[i], by_number * depth, max_relative = 1e-3);
    assert_relative_eq!(solution.number_diffusion[i], rate(FERMI[2], by_number), max_relative = 1e-3);
    assert_relative_eq!(solution.energy_diffusion[i], rate(FERMI[3], by_energy), max_relative = 1e-3);
    let plain = solve(&setup, Scheme::InterpolatedGray).unwrap();
    assert_relative_eq!(plain.number_diffusion[i], rate(FERMI[2], by_energy), max_relative = 1e-3);
    assert_relative_eq!(plain.energy_diffusion[i], rate(FERMI[3], by_energy), max_relative = 1e-3);
}

/// A core that hardly shines in a shell with κ = 1.3 that emits nothing: in the shell, d ln L/dr =
/// −κ (4.275 τ + 1.15) e^(−2τ), whose integral over τ is closed.
#[test]
fn heating_takes_what_the_luminosity_loses() {
    let shell = 1.3;
    let opacities = format!(
        "Absorption(absorption: Constant(1e-9), equilibrium: Constant(0.5), region: (outer: 1)), \
         Absorption(absorption: Constant({shell}), equilibrium: Constant(0), region: (inner: 1))"
    );
    let setup = setup(&problem("Flat", "Gray", &opacities, 2.5));
    let solution = solve(&setup, Scheme::OConnorOtt).unwrap();
    let passed = |depth: f64| -(-2.0 * depth).exp() * (0.5 * 4.275 * depth + 0.25 * 4.275 + 0.5 * 1.15);
    let nodes = &setup.phase_space.radial.nodes;
    // From there outward, because the core's depth reduces the emission at r < 1.
    let start = nodes.partition_point(|&r| r < 1.0);
    let depth = |i: usize| shell * (2.5 - nodes[i]);
    let depth_start = depth(start);
    for (i, node) in nodes.iter().enumerate().skip(start) {
        let exact = (passed(depth(i)) - passed(depth_start)).exp();
        let found = solution.luminosity_infinity[i] / solution.luminosity_infinity[start];
        assert_relative_eq!(found, exact, max_relative = 1e-4);
        let flux = solution.luminosity_infinity[i] / (4.0 * PI * node.powi(2));
        let opacity = shell * (4.275 * depth(i) + 1.15) * (-2.0 * depth(i)).exp();
        assert_relative_eq!(solution.energy_heating[i], flux * opacity, max_relative = 1e-4);
        assert_relative_eq!(solution.number_heating[i], flux * opacity, max_relative = 1e-4);
    }
    // All that the shell gains, from the luminosities at its edges.
    let at = |depth: f64| solution.luminosity_infinity[start] * (passed(depth) - passed(depth_start)).exp();
    let lost = at(1.5 * shell) - at(0.0);
    let weights = &setup.phase_space.radial.weights;
    let gained: f64 = (start..nodes.len())
        .map(|i| 4.0 * PI * nodes[i].powi(2) * weights[i] * solution.energy_heating[i])
        .sum();
    assert_relative_eq!(gained, lost, max_relative = 1e-4);
    for scheme in Scheme::ALL.into_iter().filter(|scheme| !scheme.heats()) {
        assert!(solve(&setup, scheme).unwrap().energy_heating.iter().all(|&heating| heating == 0.0));
    }
}

/// The spectrum that heats is that of the neutrinosphere: κ_heat = ζT²F₅/F₃, and what is absorbed has the
/// mean energy F₅/F₄ (O'Connor & Ott 2010, Fermi integrals of their ⟨ε²⟩ and their mean energy).
#[test]
fn heating_has_the_spectrum_of_the_neutrinosphere() {
    let zeta = 30.0;
    let setup = fermi_dirac_sphere(zeta);
    let solution = solve(&setup, Scheme::OConnorOtt).unwrap();
    let i = setup.phase_space.radial.nodes.partition_point(|&r| r < 0.99997);
    let radius = setup.phase_space.radial.nodes[i];
    let depth = zeta * FERMI[5] / FERMI[3] * (1.0 - radius);
    let opacity = zeta * FERMI[5] / FERMI[3] * (4.275 * depth + 1.15) * (-2.0 * depth).exp();
    let flux = solution.luminosity_infinity[i] / (4.0 * PI * radius * radius);
    assert_relative_eq!(solution.energy_heating[i], flux * opacity, max_relative = 2e-3);
    let mean = solution.energy_heating[i] / solution.number_heating[i];
    assert_relative_eq!(mean, FERMI[5] / FERMI[4], max_relative = 2e-3);
}

/// Effective rates lie between what limits them, and depths and luminosities grow as they must.
#[test]
fn rates_are_bounded_and_sums_monotonic() {
    let setup = fermi_dirac_sphere(3.0);
    let of = |scheme| solve(&setup, scheme).unwrap();
    for scheme in Scheme::ALL {
        let solution = of(scheme);
        for (i, &emission) in solution.energy_emission.iter().enumerate() {
            let most = solution.energy_production[i].min(solution.energy_diffusion[i]);
            assert!(emission >= 0.0 && emission <= most * (1.0 + 1e-12), "{scheme} at {i}");
        }
        assert!(solution.depths.transport_mean.windows(2).all(|pair| pair[1] <= pair[0]), "{scheme}");
        for depth in solution.depths.transport.chunks(setup.phase_space.radial.nodes.len()) {
            assert!(depth.windows(2).all(|pair| pair[1] <= pair[0]), "{scheme}");
        }
        if !scheme.heats() {
            let grows = |pair: &[f64]| pair[1] >= pair[0] * (1.0 - 1e-12);
            assert!(solution.luminosity_infinity.windows(2).all(grows), "{scheme}");
        }
    }
    for (smooth, sharp) in
        [(Scheme::Interpolated, Scheme::Bottleneck), (Scheme::InterpolatedGray, Scheme::BottleneckGray)]
    {
        let (smooth, sharp) = (of(smooth), of(sharp));
        for (smooth, sharp) in smooth.energy_emission.iter().zip(&sharp.energy_emission) {
            assert!(*smooth <= sharp * (1.0 + 1e-12) && *smooth >= 0.5 * sharp * (1.0 - 1e-12));
        }
    }
}

/// With one energy there is nothing to average.
#[test]
fn gray_and_resolved_schemes_agree_on_a_gray_problem() {
    let setup = sphere(30.0);
    let luminosity = |scheme| solve(&setup, scheme).unwrap().luminosity_infinity;
    for (found, expected) in [
        (Scheme::BottleneckGray, Scheme::Bottleneck),
        (Scheme::InterpolatedGray, Scheme::Interpolated),
        (Scheme::Ruffert, Scheme::Interpolated),
        (Scheme::Rosswog, Scheme::Interpolated),
    ] {
        for (found, expected) in luminosity(found).iter().zip(luminosity(expected)) {
            assert_relative_eq!(*found, expected, max_relative = 1e-12);
        }
    }
}

/// The mean of e^(−τ) over errors ±δ is e^(−τ) cosh δ.
#[test]
fn the_bias_of_the_exponential_is_that_of_its_curvature() {
    for delta in [1e-3, 0.1, 0.3] {
        let mean = (-2.0f64).exp() * f64::cosh(delta);
        let bias = bias_of_exp_tau(2.0, 2.0 + delta);
        assert_relative_eq!(bias, mean - (-2.0f64).exp(), max_relative = delta * delta / 10.0 + 1e-9);
    }
    // A constant opacity has no quadrature error, a bent one has.
    let constant = "Absorption(absorption: Constant(2), equilibrium: Constant(0.4))";
    let solution = solve(&setup(&problem("Flat", "Gray", constant, 2.0)), Scheme::Interpolated).unwrap();
    assert!(solution.depths.bias.iter().all(|&bias| bias < 1e-24));
    let bent = "Absorption(absorption: Expression(\"exp(-3*r^2)\"), equilibrium: Constant(0.4))";
    let solution = solve(&setup(&problem("Flat", "Gray", bent, 2.0)), Scheme::Interpolated).unwrap();
    assert!(solution.depths.bias.iter().any(|&bias| bias > 1e-9));
}

/// f_eq = e^(−r²) and κ constant: −∇·F = −(1/(3κ)) (1/r²)(r² f′)′ = (6 − 4r²) e^(−r²)/(3κ), negative
/// outside r = √1.5 where diffusion heats, while leakage has f κ/(3κ²(R − r)²) > 0 everywhere.
#[test]
fn diffusion_by_the_gradient_heats_where_leakage_cools() {
    let (opacity, outer) = (50.0, 3.0);
    let absorption =
        format!("Absorption(absorption: Constant({opacity}), equilibrium: Expression(\"exp(-r^2)\"))");
    let text = problem("Flat", "Gray", &absorption, outer)
        .replace("elements: 60, spacing: GradedToEnd(3e4)", "elements: 60")
        .replace("elements: 12, spacing: Geometric", "elements: 120");
    let setup = setup(&text);
    let solution = solve(&setup, Scheme::Interpolated).unwrap();
    let ratio = solution.diffusion_ratio();
    for (i, &r) in setup.phase_space.radial.nodes.iter().enumerate() {
        if !(0.1..2.8).contains(&r) {
            continue;
        }
        let exact = STATES * (6.0 - 4.0 * r * r) * (-r * r).exp() / (3.0 * opacity);
        let scale = STATES * 6.0 * (-r * r).exp() / (3.0 * opacity);
        assert!((solution.gradient_diffusion[i] - exact).abs() < 0.03 * scale, "r = {r}");
        let leaking = STATES * (-r * r).exp() / (3.0 * opacity * (outer - r).powi(2));
        assert_relative_eq!(solution.energy_diffusion[i], leaking, max_relative = 1e-6);
        if (r - 1.5f64.sqrt()).abs() > 0.1 {
            assert_relative_eq!(ratio[i], leaking / exact, max_relative = 0.2);
        }
    }
}

/// What pairs make where there are no neutrinos, as a sum over the kernels.
#[test]
fn pairs_are_produced_into_empty_space() {
    let text = std::fs::read_to_string(root().join("problems/one_zone_pairs.ron"))
        .unwrap()
        .replace("outer: Reflecting", "outer: Vacuum");
    let setup = setup(&text);
    let inelastic = setup.inelastic.as_ref().unwrap();
    let solution = solve(&setup, Scheme::Interpolated).unwrap();
    let energy = &setup.phase_space.energy;
    // 4πc/(hc)³ in MeV⁻³ cm⁻² s⁻¹, with hc = 1.239841984e-10 MeV cm.
    let states = 4.0 * PI * 2.997_924_58e10 / 1.239_841_984_332e-10f64.powi(3);
    for species in 0..3 {
        let kernel = inelastic.nodes()[0].pairs[species].as_ref().unwrap();
        let mut number = 0.0;
        for k in 0..energy.len() {
            let made: f64 =
                (0..energy.len()).map(|q| inelastic.weight()[q] * kernel.production[[k, q]].zeroth).sum();
            number += states * energy.weight(k) * energy.node(k).powi(2) * made;
        }
        assert!(number > 0.0);
        assert_relative_eq!(solution.number_production[species], number, max_relative = 1e-9);
    }
}

#[test]
fn what_does_not_leak_is_refused() {
    let folder = root().join("problems/oven.ron");
    let setup = Setup::build(&load(&folder, &LoadOptions::default()).unwrap()).unwrap();
    match solve(&setup, Scheme::Ruffert) {
        Err(Error::Field { path, .. }) => assert_eq!(path, "boundary.outer"),
        other => panic!("{other:?}"),
    }
}

/// In the shell of [`heating_takes_what_the_luminosity_loses`], f_heat multiplies what is absorbed: the
/// logarithm of what passes grows in proportion to it.
#[test]
fn the_heating_factor_multiplies_the_heating() {
    let opacities = "Absorption(absorption: Constant(1e-9), equilibrium: Constant(0.5), region: (outer: 1)), \
                     Absorption(absorption: Constant(1.3), equilibrium: Constant(0), region: (inner: 1))";
    let setup = setup(&problem("Flat", "Gray", opacities, 2.5));
    let start = setup.phase_space.radial.nodes.partition_point(|&r| r < 1.0);
    let passed = |factor: f64| {
        let found = solve_with(&setup, Scheme::OConnorOtt, Settings { heating_factor: factor }).unwrap();
        assert_eq!(found.heating_factor, factor);
        (last(&found.luminosity_infinity) / found.luminosity_infinity[start]).ln()
    };
    assert_eq!(solve(&setup, Scheme::OConnorOtt).unwrap().heating_factor, 1.0);
    let one = passed(1.0);
    assert!(one < -0.1);
    for factor in [0.5, 1.5, 3.0] {
        assert_relative_eq!(passed(factor), factor * one, max_relative = 1e-4);
    }
    assert_relative_eq!(passed(0.0), 0.0, epsilon = 1e-6);
    for wrong in [-1.0, f64::NAN, f64::INFINITY] {
        let error = solve_with(&setup, Scheme::OConnorOtt, Settings { heating_factor: wrong }).unwrap_err();
        assert!(error.to_string().contains("heating_factor"), "{error}");
    }
}

/// Without scattering both spheres lie 2/3 of a mean free path below the surface.
#[test]
fn neutrinospheres_are_at_depth_two_thirds() {
    let opacity = 30.0;
    let setup = sphere(opacity);
    let spheres = solve(&setup, Scheme::Interpolated).unwrap().spheres;
    for radii in [&spheres.transport, &spheres.effective, &spheres.transport_mean, &spheres.effective_mean] {
        assert_eq!(radii.len(), 1);
        assert_relative_eq!(radii[0], 1.0 - 2.0 / 3.0 / opacity, max_relative = 1e-6);
    }
    let data = solve(&setup, Scheme::Interpolated).unwrap().dataset(&setup);
    assert_eq!(data.reals("transport_sphere_mean").unwrap(), spheres.transport_mean);
    assert_eq!(solve(&self::sphere(0.1), Scheme::Interpolated).unwrap().spheres.transport, [0.0]);
}

#[test]
fn schemes_have_their_names() {
    for scheme in Scheme::ALL {
        assert_eq!(Scheme::from_str(scheme.name()).unwrap(), scheme);
        assert_eq!(scheme.to_string(), scheme.name());
        assert!(!scheme.reference().is_empty());
    }
    let error = Scheme::from_str("Ruffert").unwrap_err().to_string();
    assert!(error.contains("oconnor_ott"), "{error}");
}

/// Every problem that neutrinos can leave has a finite, valid result with every scheme, with the units and
/// dimensions of the reference's variables of the same names.
#[test]
fn all_problems_leak() {
    let mut solved = 0;
    for entry in std::fs::read_dir(root().join("problems")).unwrap() {
        let path = entry.unwrap().path();
        let options = LoadOptions {
            resolution: Resolution::Coarse,
            data: std::env::var_os("TOLMAN_DATA").map(PathBuf::from),
            ..LoadOptions::default()
        };
        let problem = load(&path, &options).unwrap();
        let Ok(setup) = Setup::build(&problem) else {
            assert!(options.data.is_none(), "{}", path.display());
            continue;
        };
        if setup.boundaries.reflecting().1 {
            continue;
        }
        let name = path.file_stem().unwrap().to_str().unwrap();
        let reference = read(&root().join(format!("reference_solutions/{name}.h5"))).unwrap();
        for scheme in Scheme::ALL {
            let solution = solve(&setup, scheme).unwrap();
            let result = solution.dataset(&setup);
            result.validate().unwrap_or_else(|error| panic!("{name}, {scheme}: {error}"));
            assert!(solution.luminosity_infinity.iter().all(|&l| l >= 0.0), "{name}, {scheme}");
            compatible(&result, &reference, name);
        }
        solved += 1;
    }
    println!("{solved} problems");
    assert!(solved >= 15, "{solved}");
}

fn compatible(result: &Dataset, reference: &Dataset, name: &str) {
    for variable in &result.variables {
        let Some(expected) = reference.get(&variable.name) else { continue };
        let unlimited = |dimension: &&String| *dimension != "time";
        let dimensions: Vec<_> = expected.dimensions.iter().filter(unlimited).collect();
        assert_eq!(variable.dimensions.iter().collect::<Vec<_>>(), dimensions, "{name}, {}", variable.name);
        assert_eq!(variable.units, expected.units, "{name}, {}", variable.name);
    }
}

/// The snapshot with the reference's solution on it.
fn g15() -> Option<(Setup, Dataset)> {
    let Some(data) = std::env::var_os("TOLMAN_DATA").map(PathBuf::from) else {
        println!("skipped: TOLMAN_DATA not set");
        return None;
    };
    let options = LoadOptions { data: Some(data), ..LoadOptions::default() };
    let problem = load(&root().join("problems/snapshot_g15_ab_full.ron"), &options).unwrap();
    let reference = read(&root().join("reference_solutions/snapshot_g15_ab_full.h5")).unwrap();
    Some((Setup::build(&problem).unwrap(), reference))
}

/// Luminosities at the outer edge over those of the reference: of each species, and of all six.
fn luminosity_ratios(setup: &Setup, reference: &Dataset, solution: &LeakageSolution) -> [f64; 4] {
    let expected = reference.reals("luminosity_infinity").unwrap();
    let radii = setup.phase_space.radial.nodes.len();
    let edge = |values: &[f64], s: usize| values[(s + 1) * radii - 1];
    let ratio = |s: usize| edge(&solution.luminosity_infinity, s) / edge(expected, s);
    let total = |values: &[f64]| -> f64 {
        setup.phase_space.species.iter().enumerate().map(|(s, p)| p.multiplicity * edge(values, s)).sum()
    };
    [ratio(0), ratio(1), ratio(2), total(&solution.luminosity_infinity) / total(expected)]
}

/// The bar of a factor 2 holds for O'Connor & Ott's scheme, for every species. Schemes that absorb
/// nothing outside the neutrinosphere shine too brightly in electron neutrinos and antineutrinos.
#[test]
fn luminosities_of_g15() {
    let Some((setup, reference)) = g15() else { return };
    for scheme in Scheme::ALL {
        let solution = solve(&setup, scheme).unwrap();
        let ratios = luminosity_ratios(&setup, &reference, &solution);
        let radii = setup.phase_space.radial.nodes.len();
        let energies: Vec<f64> =
            solution.mean_energy_infinity(&setup).chunks(radii).map(|energies| energies[radii - 1]).collect();
        println!("{scheme}: nue, anue, nux, all {ratios:.3?}; mean energies [MeV] {energies:.2?}");
        let within = |ratio: &f64| (0.5..2.0).contains(ratio);
        match scheme {
            Scheme::OConnorOtt => assert!(ratios.iter().all(within)),
            Scheme::Interpolated => assert!(within(&ratios[2]) && within(&ratios[3])),
            _ => {}
        }
        assert!(ratios.iter().all(|ratio| (0.5..5.0).contains(ratio)), "{scheme}: {ratios:?}");
        let largest = |bias: &[f64]| bias.iter().copied().fold(0.0, f64::max);
        let (mean, spectral) = (largest(&solution.depths.bias_mean), largest(&solution.depths.bias));
        println!("    bias of exp(-tau): at most {mean:.1e}, at single energies {spectral:.1e}");
        assert!(mean < 1e-5 && spectral < 1e-3);
    }
}

/// Between the gain radius and the shock the matter is heated; schemes without absorption cool it at
/// every radius, and O'Connor & Ott's finds a gain radius.
#[test]
fn leakage_is_blind_to_the_gain_region_of_g15() {
    let Some((setup, reference)) = g15() else { return };
    let expected = reference.reals("heating_net").unwrap();
    let gain = reference.scalar("gain_radius").unwrap();
    let nodes = &setup.phase_space.radial.nodes;
    let region: Vec<usize> =
        (0..nodes.len()).filter(|&i| nodes[i] > 1.02 * gain && nodes[i] < 1.4e7).collect();
    assert!(region.iter().all(|&i| expected[i] > 0.0));
    for scheme in Scheme::ALL {
        let solution = solve(&setup, scheme).unwrap();
        let (heating, _) = solution.heating(&setup).unwrap();
        if scheme.heats() {
            let found = heating.gain_radius.unwrap();
            let total = |result: &Dataset| result.scalar("gain_heating").unwrap();
            let (whole, known) = (total(&solution.dataset(&setup)), total(&reference));
            println!("{scheme}: gain radius {found:e}, reference {gain:e}; heating {whole:e}, {known:e}");
            assert!((0.33..3.0).contains(&(whole / known)));
            assert_relative_eq!(found, gain, max_relative = 0.1);
            assert!(region.iter().all(|&i| (0.2..4.0).contains(&(heating.net[i] / expected[i]))));
        } else {
            assert!(heating.net.iter().all(|&net| net <= 0.0), "{scheme}");
            assert_eq!(heating.gain_radius, None);
        }
    }
}
