//! Lepton number of solutions: angular crossings, beta equilibrium, equilibrium Y_e, neutrinospheres with
//! inelastic reactions, and what `tolman show` says about them.

use std::path::{Path, PathBuf};

use approx::assert_relative_eq;
use tolman::diagnostics::moments::Moments;
use tolman::diagnostics::neutrinosphere::Neutrinospheres;
use tolman::methods::boltzmann::inelastic::Inelastic;
use tolman::methods::setup::Setup;
use tolman::opacities::kernels::InelasticKernels;
use tolman::opacities::{EnergyNode, RadialPoint};
use tolman::output::dataset::Dataset;
use tolman::output::summary::summary;
use tolman::problem::{LoadOptions, Loaded, Resolution, load};
use tolman::progress::Silent;
use tolman::run::{Resources, run};

fn problems_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("problems")
}

fn loaded(path: &Path, resolution: Resolution) -> Loaded {
    load(path, &LoadOptions { resolution, ..LoadOptions::default() }).unwrap()
}

fn written(text: &str) -> Loaded {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("problem.ron");
    std::fs::write(&path, text).unwrap();
    loaded(&path, Resolution::Standard)
}

fn solve(problem: &Loaded) -> Dataset {
    let finished =
        run(problem, &Resources { memory: u64::MAX, restart: None }, &Silent, &mut |_| Ok(())).unwrap();
    finished.dataset
}

fn atmosphere() -> Dataset {
    solve(&loaded(&problems_folder().join("pns_atmosphere.ron"), Resolution::Coarse))
}

/// A sphere of radius R = 100 km that absorbs and emits electron neutrinos only, f_eq = 0.3, in a bath
/// that comes in with f = 0.2 + 0.2 μ² for both species. Along a ray with impact parameter b both have
/// f_in(b) = 0.4 − 0.2 b²/R² without interaction, so that G ∝ (f_eq − f_in)(1 − e^−τ) changes sign at
/// b = R/√2 at every radius, and not at all inside r = R/√2.
const BATH: &str = r#"(
    format: 1,
    title: "Sphere in a bath",
    units: Physical,
    background: (metric: Flat),
    species: [
        (name: "nue", flavour: ElectronNeutrino),
        (name: "anue", flavour: ElectronAntineutrino),
    ],
    phase_space: (
        r: (degree: 2, elements: Segments(start: "0 km", segments: [
            (end: "100 km", elements: 17),
        ])),
        mu: Uniform(degree: 3, elements: 12),
        energy: Geometric(degree: 1, from: "2 MeV", to: "50 MeV", elements: 3),
    ),
    opacities: [Absorption(absorption: Constant("0.01 1/km"), equilibrium: Constant(0.3), species: ["nue"])],
    boundary: (outer: Given("0.2 + 0.2*mu^2")),
)"#;

#[test]
fn crossings_are_where_the_exact_solution_has_them() {
    let result = solve(&written(BATH));
    let r = result.reals("r").unwrap();
    let count = result.reals("crossing_count").unwrap();
    let (first, last) =
        (result.reals("crossing_mu_first").unwrap(), result.reals("crossing_mu_last").unwrap());
    let limit = 1e7 / 2f64.sqrt();
    for (i, &r) in r.iter().enumerate() {
        if r < 0.97 * limit {
            assert_eq!(count[i], 0.0, "r = {r}");
        } else if r > 1.05 * limit {
            assert_eq!(count[i], 2.0, "r = {r}");
            let mu = (1.0 - (limit / r).powi(2)).sqrt();
            assert_relative_eq!(first[i], -mu, epsilon = 5e-3);
            assert_relative_eq!(last[i], mu, epsilon = 5e-3);
        }
    }
    let changes: Vec<f64> =
        result.reals("crossing_change").unwrap().iter().copied().filter(|r| *r > 0.0).collect();
    assert_eq!(changes.len(), 1, "{changes:?}");
    assert_relative_eq!(changes[0], limit, max_relative = 0.03);
    growth_rate_is_that_of_the_exact_solution(&result);
}

/// √2 G_F/ħ √(−n₊n₋) at the outermost radius by the midpoint rule over the closed form.
fn growth_rate_is_that_of_the_exact_solution(result: &Dataset) {
    let r = result.reals("r").unwrap();
    let (outermost, radius, kappa) = (r[r.len() - 1] / 1e7, 1e7, 1e-7);
    let states = (50f64.powi(3) - 8.0) / 3.0 / 1.239_841_984_332e-10_f64.powi(3);
    let (mut positive, mut negative) = (0.0, 0.0);
    let steps = 200_000;
    for n in 0..steps {
        let mu = -1.0 + (f64::from(n) + 0.5) * 2.0 / f64::from(steps);
        let b2 = outermost.powi(2) * (1.0 - mu * mu);
        let path = radius * (outermost * mu + (1.0 - b2).sqrt());
        let g = (0.3 - (0.4 - 0.2 * b2)) * -f64::exp_m1(-kappa * path);
        let cell = 2.0 * std::f64::consts::PI * states * 2.0 / f64::from(steps) * g;
        if g > 0.0 { positive += cell } else { negative += cell }
    }
    let rate = 1.925_520_8e-22 * f64::sqrt(-positive * negative);
    let (found, per_length) =
        (result.reals("growth_rate").unwrap(), result.reals("growth_rate_per_length").unwrap());
    assert_relative_eq!(found[r.len() - 1], rate, max_relative = 5e-3);
    assert_relative_eq!(per_length[r.len() - 1], rate / 2.997_924_58e10, max_relative = 5e-3);
}

/// The angular distribution has the number densities of its species, and each part its sign.
#[test]
fn the_angular_distribution_holds_the_net_number() {
    let result = atmosphere();
    let radii = result.length("r").unwrap();
    let density = result.reals("number_density").unwrap();
    let weights = result.reals("mu_weight").unwrap();
    let g = result.array("lepton_number_angular").unwrap();
    let parts =
        [result.reals("lepton_number_positive").unwrap(), result.reals("lepton_number_negative").unwrap()];
    for i in 0..radii {
        let (net, scale) = (density[i] - density[radii + i], density[i] + density[radii + i]);
        let angular: f64 = weights.iter().enumerate().map(|(j, w)| w * g[[0, j, i]]).sum();
        assert_relative_eq!(2.0 * std::f64::consts::PI * angular, net, epsilon = 1e-13 * scale);
        assert_relative_eq!(parts[0][i] + parts[1][i], net, epsilon = 1e-13 * scale);
        assert!(parts[0][i] >= 0.0 && parts[1][i] <= 0.0);
    }
}

/// Deep inside, neutrinos are in equilibrium with the matter; outside they are not.
#[test]
fn beta_equilibrium_and_equilibrium_ye_of_an_atmosphere() {
    let result = atmosphere();
    let (r, density) = (result.reals("r").unwrap(), result.reals("density").unwrap());
    let number = result.reals("number_density").unwrap();
    let column = |name: &str| result.reals(name).unwrap();
    let ye = column("electron_fraction");
    for i in 0..r.len() {
        let net = (number[i] - number[r.len() + i]) * 1.660_539_066_6e-24 / density[i];
        assert_relative_eq!(column("neutrino_fraction")[i], net, max_relative = 1e-12);
        assert_relative_eq!(column("lepton_fraction")[i], ye[i] + net, max_relative = 1e-12);
        if r[i] < 1.5e6 {
            assert!(column("beta_departure")[i] < 1e-3);
            assert_relative_eq!(column("ye_equilibrium")[i], ye[i], max_relative = 1e-5);
        }
    }
    let radius = result.scalar("beta_equilibrium_radius").unwrap();
    let sphere = column("transport_sphere_mean")[0];
    assert!(radius > 2.5e6 && radius < sphere, "{radius:e}, sphere {sphere:e}");
    let outside = r.iter().position(|&r| r > radius).unwrap();
    assert!(column("beta_departure")[outside] > 0.1 && column("beta_departure")[outside - 1] <= 0.1);
    // Far out nothing is emitted: emission and absorption balance where absorption alone does.
    let last = r.len() - 1;
    assert_relative_eq!(
        column("ye_equilibrium")[last],
        column("ye_equilibrium_absorption")[last],
        max_relative = 1e-3
    );
    absorption_alone_has_the_closed_form(&result);
    let text = summary(&result).unwrap();
    for part in
        ["Lepton number\n", "beta equilibrium  within 10 % up to r = 3", "innermost YL", "Angular crossings"]
    {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
}

/// Far out opacities are proportional to the targets, and Y_e = λ_n/(λ_n + λ_p) with the rates per neutron
/// and per proton (Qian & Woosley 1996).
fn absorption_alone_has_the_closed_form(result: &Dataset) {
    let array = |name: &str| result.array(name).unwrap();
    let (absorption, equilibrium, j) = (array("absorption"), array("equilibrium"), array("j"));
    let (energy, weight) = (result.reals("energy").unwrap(), result.reals("energy_weight").unwrap());
    let (r, ye) = (result.reals("r").unwrap(), result.reals("electron_fraction").unwrap());
    for i in (0..r.len()).filter(|&i| r[i] > 2e7) {
        let absorbed = |s: usize| -> f64 {
            let at = |k: usize| absorption[[s, k, i]] * (1.0 - equilibrium[[s, k, i]]) * j[[s, k, i]];
            (0..energy.len()).map(|k| weight[k] * energy[k].powi(2) * at(k)).sum()
        };
        let (neutrons, protons) = (absorbed(0) / (1.0 - ye[i]), absorbed(1) / ye[i]);
        let found = result.reals("ye_equilibrium_absorption").unwrap()[i];
        assert_relative_eq!(found, neutrons / (neutrons + protons), max_relative = 1e-5);
    }
}

/// A proto-neutron-star atmosphere with heavy-lepton neutrinos, which have inelastic reactions only.
fn with_inelastic_reactions() -> Setup {
    let text = std::fs::read_to_string(problems_folder().join("pns_atmosphere.ron")).unwrap();
    let text = text.replace("[Bruenn1985()]", "[Bruenn1985(), Inelastic()]");
    let anue = r#"(name: "anue", flavour: ElectronAntineutrino),"#;
    let text = text.replace(anue, &format!(r#"{anue} (name: "nux", flavour: Heavy, multiplicity: 4),"#));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("problem.ron");
    std::fs::write(&path, text).unwrap();
    Setup::build(&loaded(&path, Resolution::Coarse)).unwrap()
}

/// J of an isotropic Fermi-Dirac distribution at the matter's temperature without chemical potential.
fn thermal(setup: &Setup) -> Moments {
    let space = &setup.phase_space;
    let mut j = Vec::new();
    for _ in &space.species {
        for k in 0..space.energy.len() {
            j.extend(space.radial.nodes.iter().map(|&r| {
                let temperature = setup.background.matter(r).unwrap().temperature;
                1.0 / ((space.energy.node(k) / temperature).exp() + 1.0)
            }));
        }
    }
    let zero = vec![0.0; j.len()];
    Moments { h: zero.clone(), k: zero.clone(), l: zero, j }
}

/// The extinction of heavy-lepton neutrinos at (energy node, radius), (pairs, scattering), from the sums of
/// docs/kernels.md written out.
fn naive_extinction(setup: &Setup, moments: &Moments, k: usize, i: usize) -> (f64, f64) {
    let space = &setup.phase_space;
    let (energies, radii, heavy) = (space.energy.len(), space.radial.nodes.len(), 2);
    let r = space.radial.nodes[i];
    let matter = setup.background.matter(r).unwrap();
    let point = RadialPoint { r, lapse: setup.background.lapse(r), matter: Some(&matter) };
    let nodes: Vec<EnergyNode> = (0..energies)
        .map(|k| EnergyNode { energy: space.energy.node(k), element: space.energy.element_of(k) })
        .collect();
    let kernels = setup.opacities.kernels_at(&point, &nodes).unwrap().unwrap();
    let (scattering, pair) =
        (kernels.scattering[heavy].as_ref().unwrap(), kernels.pairs[heavy].as_ref().unwrap());
    let (mut by_pairs, mut by_scattering) = (0.0, 0.0);
    for q in 0..energies {
        let measure = space.energy.weight(q) * space.energy.node(q).powi(2);
        let j = moments.j[(heavy * energies + q) * radii + i];
        by_pairs += measure * (pair.production[[k, q]].zeroth * (1.0 - j));
        by_pairs += measure * (pair.annihilation[[k, q]].zeroth * j);
        by_scattering += measure * (scattering[[q, k]].zeroth * j + scattering[[k, q]].zeroth * (1.0 - j));
    }
    (by_pairs, by_scattering)
}

/// At each sphere of the heavy-lepton neutrinos the optical depth, by the trapezoidal rule over the nodes,
/// is 2/3; without inelastic reactions they have no energy sphere at all.
#[test]
fn neutrinospheres_count_inelastic_reactions() {
    let setup = with_inelastic_reactions();
    let Setup { phase_space: space, geometry, coefficients, inelastic, .. } = &setup;
    let moments = thermal(&setup);
    let spheres = Neutrinospheres::new(space, geometry, coefficients, inelastic.as_ref(), &moments).unwrap();
    let without = Neutrinospheres::new(space, geometry, coefficients, None, &moments).unwrap();
    let (energies, radii) = (space.energy.len(), space.radial.nodes.len());
    let heavy = 2 * energies..3 * energies;
    assert!(without.energy.spectral[heavy.clone()].iter().all(|r| *r == 0.0));
    let k = energies / 2;
    let [number, energy, transport] = [&spheres.number, &spheres.energy, &spheres.transport]
        .map(|spheres| spheres.spectral[heavy.clone()][k]);
    assert!(0.0 < number && number < energy && energy < transport, "{number:e} {energy:e} {transport:e}");
    assert!(transport > without.transport.spectral[heavy][k]);
    let opacities: Vec<[f64; 3]> = (0..radii)
        .map(|i| {
            let (pairs, scattering) = naive_extinction(&setup, &moments, k, i);
            let local = coefficients.slab(2, k)[i];
            let transport = pairs + scattering + local.scattering - local.scattering_first;
            [(pairs * transport).sqrt(), ((pairs + scattering) * transport).sqrt(), transport]
                .map(|opacity| opacity * geometry.radial_metric[i])
        })
        .collect();
    let misfit = Inelastic::new(vec![InelasticKernels::none(1); radii], vec![1.0; energies], 1);
    assert!(Neutrinospheres::new(space, geometry, coefficients, Some(&misfit), &moments).is_err());
    for (kind, sphere) in [number, energy, transport].into_iter().enumerate() {
        let depth = depth_beyond(&space.radial.nodes, |i| opacities[i][kind], sphere);
        assert_relative_eq!(depth, 2.0 / 3.0, max_relative = 0.05);
    }
}

/// ∫ beyond `start` by the trapezoidal rule in ln r of a function that is a power of r between nodes.
fn depth_beyond(r: &[f64], opacity: impl Fn(usize) -> f64, start: f64) -> f64 {
    let mut depth = 0.0;
    for i in 0..r.len() - 1 {
        let (low, high) = (r[i].max(start), r[i + 1]);
        if high <= start {
            continue;
        }
        let slope = (opacity(i + 1) / opacity(i)).ln() / (r[i + 1] / r[i]).ln();
        let at = |x: f64| opacity(i) * (x / r[i]).powf(slope);
        let steps = 50;
        let width = (high - low) / f64::from(steps);
        depth += (0..steps).map(|n| at(low + (f64::from(n) + 0.5) * width) * width).sum::<f64>();
    }
    depth
}

/// Problems without a lepton number that means something say so and are solved all the same.
#[test]
fn what_is_omitted_is_said() {
    let gray = solve(&loaded(&problems_folder().join("relativistic_star_gray.ron"), Resolution::Coarse));
    let reason = |result: &Dataset, name: &str| result.text_attribute(name).unwrap_or("none").to_owned();
    assert!(reason(&gray, "lepton_number_omitted").contains("gray"));
    assert!(gray.get("lepton_number_angular").is_none() && gray.get("growth_rate").is_none());
    let single = written(&BATH.replace(r#"(name: "anue", flavour: ElectronAntineutrino),"#, ""));
    let single = solve(&single);
    assert!(reason(&single, "lepton_number_omitted").contains("antineutrino"));
    assert!(reason(&single, "beta_equilibrium_omitted").contains("not followed"));
    let bath = solve(&written(BATH));
    assert!(reason(&bath, "beta_equilibrium_omitted").contains("no matter"));
    assert!(reason(&bath, "ye_equilibrium_omitted").contains("no matter"));
    assert!(!summary(&bath).unwrap().contains("beta equilibrium"));
    let mut plain = BATH.replace("Physical", "Dimensionless");
    for (quantity, number) in [
        (r#""0 km""#, "0"),
        (r#""100 km""#, "1"),
        (r#""0.01 1/km""#, "1"),
        (r#""2 MeV""#, "2"),
        (r#""50 MeV""#, "50"),
    ] {
        plain = plain.replace(quantity, number);
    }
    let plain = solve(&written(&plain));
    assert!(reason(&plain, "growth_rate_omitted").contains("Fermi constant"));
    assert_eq!(plain.require("lepton_number_angular").unwrap().units, "1");
}

/// In an evolution everything that follows from f is there at each time, and the list of lepton numbers once.
#[test]
fn an_evolution_has_crossings_over_time() {
    let mode = r#"    mode: Evolution(
        end: "2 ms",
        output_times: (values: [0.05], unit: "ms"),
        step: Fixed("0.025 ms"),
        initial: Expression("0.3"),
    ),
)"#;
    let text =
        format!("{}{mode}", BATH.trim_end().trim_end_matches(')')).replace("elements: 17", "elements: 8");
    let series = solve(&written(&text));
    assert_eq!(series.require("lepton_number").unwrap().dimensions, ["lepton_number"]);
    let dimensions = &series.require("crossing_change").unwrap().dimensions;
    assert_eq!(*dimensions, ["time", "lepton_number", "r"]);
    let radii = series.length("r").unwrap();
    let change = |time: usize| -> Vec<f64> {
        let all = series.reals("crossing_change").unwrap();
        all[time * radii..(time + 1) * radii].iter().copied().filter(|r| *r > 0.0).collect()
    };
    // At the start both species are alike; at the end the state is the steady one.
    assert_eq!(change(0), [0.0; 0]);
    let last = change(series.length("time").unwrap() - 1);
    assert_eq!(last.len(), 1, "{last:?}");
    assert_relative_eq!(last[0], 1e7 / 2f64.sqrt(), max_relative = 0.05);
}
