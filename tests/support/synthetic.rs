//! A complete result whose every number is known in closed form: three species that stream freely from
//! an opaque sphere in flat space, f = s·FD(ε; T) for μ > μ_c(r) = √(1 − (R/r)²) and 0 else.

use tolman::constants::{MEV_IN_ERG, PLANCK_C, SPEED_OF_LIGHT};
use tolman::output::dataset::Dataset;

/// Radius of the sphere [cm].
pub const SPHERE: f64 = 3.0e6;
/// Where the synthetic heating changes sign [cm].
pub const GAIN_RADIUS: f64 = 1.2e7;
/// Name, multiplicity, temperature [MeV], strength.
const SPECIES: [(&str, f64, f64, f64); 3] =
    [("nue", 1.0, 4.0, 0.9), ("nueb", 1.0, 5.0, 0.6), ("nux", 4.0, 6.0, 0.25)];

/// Nodes of the synthetic grid.
pub struct Grid {
    pub r: Vec<f64>,
    pub mu: Vec<f64>,
    pub energy: Vec<f64>,
    pub energy_weight: Vec<f64>,
}

/// `n_r` radii from the sphere to 100 spheres, `n_mu` angles, `n_energy` energies up to 150 MeV.
pub fn grid(n_r: usize, n_mu: usize, n_energy: usize) -> Grid {
    let r = (0..n_r).map(|i| SPHERE * 100_f64.powf(i as f64 / (n_r - 1) as f64)).collect();
    let mu = (0..n_mu).map(|i| -1.0 + 2.0 * (i as f64 + 0.5) / n_mu as f64).collect();
    // Midpoints of cells whose edges are quadratic in their index.
    let edge = |i: usize| 150.0 * (i as f64 / n_energy as f64).powi(2);
    let energy = (0..n_energy).map(|i| 0.5 * (edge(i) + edge(i + 1))).collect();
    let energy_weight = (0..n_energy).map(|i| edge(i + 1) - edge(i)).collect();
    Grid { r, mu, energy, energy_weight }
}

fn critical_cosine(r: f64) -> f64 {
    (1.0 - (SPHERE / r).powi(2)).max(0.0).sqrt()
}

fn occupation(species: usize, energy: f64) -> f64 {
    let (_, _, temperature, strength) = SPECIES[species];
    strength / ((energy / temperature).exp() + 1.0)
}

/// ½∫_{μ_c}^{1} μⁿ dμ.
fn angular_moment(r: f64, n: i32) -> f64 {
    0.5 * (1.0 - critical_cosine(r).powi(n + 1)) / f64::from(n + 1)
}

/// ∫ εⁿ f₀ dε over the grid.
fn spectral(grid: &Grid, species: usize, n: i32) -> f64 {
    let terms = grid.energy.iter().zip(&grid.energy_weight);
    terms.map(|(&e, &w)| w * e.powi(n) * occupation(species, e)).sum()
}

fn over_species_r(grid: &Grid, value: impl Fn(usize, f64) -> f64) -> Vec<f64> {
    (0..SPECIES.len()).flat_map(|s| grid.r.iter().map(|&r| value(s, r)).collect::<Vec<_>>()).collect()
}

fn coordinates(grid: &Grid) -> Dataset {
    let mut data = Dataset::new();
    data.dimension("species", SPECIES.len()).dimension("energy", grid.energy.len());
    data.dimension("mu", grid.mu.len()).dimension("r", grid.r.len());
    let names = SPECIES.iter().map(|s| s.0.to_owned()).collect();
    data.text("species", &["species"], "neutrino species", names);
    data.real("energy", &["energy"], "MeV", "comoving neutrino energy", grid.energy.clone());
    data.real("mu", &["mu"], "1", "cosine to the outward radial direction", grid.mu.clone());
    data.real("r", &["r"], "cm", "areal radius", grid.r.clone());
    let multiplicity = SPECIES.iter().map(|s| s.1).collect();
    data.real("multiplicity", &["species"], "1", "species each stands for", multiplicity);
    let mu_weight = vec![2.0 / grid.mu.len() as f64; grid.mu.len()];
    data.real("mu_weight", &["mu"], "1", "quadrature weight", mu_weight);
    data.real("energy_weight", &["energy"], "MeV", "quadrature weight", grid.energy_weight.clone());
    data
}

fn add_spectral_variables(data: &mut Dataset, grid: &Grid, strength: f64) {
    let mut f = Vec::new();
    for s in 0..SPECIES.len() {
        for &energy in &grid.energy {
            for &mu in &grid.mu {
                let inside = |r: f64| if mu >= critical_cosine(r) { strength } else { 0.0 };
                f.extend(grid.r.iter().map(|&r| inside(r) * occupation(s, energy)));
            }
        }
    }
    data.real("f", &["species", "energy", "mu", "r"], "1", "distribution function", f);
    for (order, name) in ["j", "h", "k", "l"].iter().enumerate() {
        let mut moment = Vec::new();
        for s in 0..SPECIES.len() {
            for &energy in &grid.energy {
                let at = |&r: &f64| strength * occupation(s, energy) * angular_moment(r, order as i32);
                moment.extend(grid.r.iter().map(at));
            }
        }
        data.real(name, &["species", "energy", "r"], "1", "angular moment of f", moment);
    }
}

fn add_integrated_variables(data: &mut Dataset, grid: &Grid, strength: f64) {
    let density = 4.0 * std::f64::consts::PI / PLANCK_C.powi(3) * strength;
    let area = |r: f64| 4.0 * std::f64::consts::PI * r * r;
    let dims = ["species", "r"];
    let mut add = |name: &str, units: &str, value: &dyn Fn(usize, f64) -> f64| {
        data.real(name, &dims, units, &name.replace('_', " "), over_species_r(grid, value));
    };
    let number = |s: usize, r: f64, n: i32| density * spectral(grid, s, 2) * angular_moment(r, n);
    let energy =
        |s: usize, r: f64, n: i32| density * spectral(grid, s, 3) * MEV_IN_ERG * angular_moment(r, n);
    let luminosity = |s: usize, r: f64| area(r) * SPEED_OF_LIGHT * energy(s, r, 1);
    add("number_density", "cm-3", &|s, r| number(s, r, 0));
    add("energy_density", "erg cm-3", &|s, r| energy(s, r, 0));
    add("luminosity", "erg s-1", &luminosity);
    add("luminosity_static", "erg s-1", &luminosity);
    add("luminosity_infinity", "erg s-1", &luminosity);
    add("number_luminosity_infinity", "s-1", &|s, r| area(r) * SPEED_OF_LIGHT * number(s, r, 1));
    add("mean_energy", "MeV", &|s, _| spectral(grid, s, 3) / spectral(grid, s, 2));
    add("rms_energy", "MeV", &|s, _| (spectral(grid, s, 5) / spectral(grid, s, 3)).sqrt());
    add("flux_factor", "1", &|_, r| angular_moment(r, 1) / angular_moment(r, 0));
    add("eddington_factor", "1", &|_, r| angular_moment(r, 2) / angular_moment(r, 0));
}

fn add_background(data: &mut Dataset, grid: &Grid) {
    let constant = |value: f64| vec![value; grid.r.len()];
    data.real("lapse", &["r"], "1", "lapse of static observers", constant(1.0));
    data.real("radial_metric", &["r"], "1", "X = sqrt(g_rr)", constant(1.0));
    data.real("velocity", &["r"], "c", "radial velocity of the fluid", constant(0.0));
    let absorbed = |r: f64| 2e20 * (1e7 / r).powi(2);
    let emitted = |r: f64| absorbed(r) * (GAIN_RADIUS / r).powi(4);
    let profile = |value: &dyn Fn(f64) -> f64| grid.r.iter().map(|&r| value(r)).collect::<Vec<_>>();
    let per_mass = "erg g-1 s-1";
    data.real("heating_absorbed", &["r"], per_mass, "energy absorbed", profile(&absorbed));
    data.real("heating_emitted", &["r"], per_mass, "energy emitted", profile(&emitted));
    let net = |r: f64| absorbed(r) - emitted(r);
    data.real("heating_net", &["r"], per_mass, "net heating", profile(&net));
}

fn add_spheres(data: &mut Dataset, grid: &Grid) {
    for (name, scale) in [("energy_sphere", 0.9), ("transport_sphere", 1.0)] {
        let radius = |s: usize, e: f64| SPHERE * scale * (1.0 - 0.1 * s as f64) * (1.0 + e / 300.0);
        let by_energy =
            (0..SPECIES.len()).flat_map(|s| grid.energy.iter().map(move |&e| radius(s, e))).collect();
        data.real(name, &["species", "energy"], "cm", "radius of optical depth 2/3", by_energy);
        let mean = (0..SPECIES.len()).map(|s| radius(s, 12.0)).collect();
        let mean_name = format!("{name}_mean");
        data.real(&mean_name, &["species"], "cm", "spectrum-averaged radius", mean);
    }
}

fn add_attributes(data: &mut Dataset) {
    data.attribute("program", "tolman").attribute("program_version", "0.1.0");
    data.attribute("commit", "0123456789abcdef").attribute("status", "converged");
    data.attribute("problem", "(format: 1, title: \"Free streaming — “sphere”\")\n");
    data.attribute("problem_hash", "00ff").attribute("units", "physical");
    data.attribute("title", "Free streaming from a sphere");
    data.attribute("residual_history", vec![1.0, 1e-6, 3.5e-13]);
    data.attribute("iterations", 3_i64).attribute("threads", 4_i64).attribute("wall_time_s", 0.25);
    data.attribute("gain_radius", GAIN_RADIUS).attribute("number_balance", 2.5e-14);
    data.attribute("energy_balance", -1.25e-13).attribute("lepton_balance", 7.5e-15);
    data.attribute("largest_flux_factor", 0.999).attribute("bound_violation_low", 1.5e-9);
    data.attribute("bound_violation_high", 0.0);
}

/// The steady state, with a `samples` group at three radii. `strength` scales f.
pub fn free_streaming_scaled(grid: &Grid, strength: f64) -> Dataset {
    let mut data = coordinates(grid);
    add_spectral_variables(&mut data, grid, strength);
    add_integrated_variables(&mut data, grid, strength);
    add_background(&mut data, grid);
    add_spheres(&mut data, grid);
    add_attributes(&mut data);
    let mut samples = Dataset::new();
    let radii = vec![SPHERE, 1e7, 1e8];
    let spectrum = |s: usize, e: f64, r: f64| strength * occupation(s, e) * angular_moment(r, 0);
    let j = (0..SPECIES.len())
        .flat_map(|s| grid.energy.iter().map(move |&e| (s, e)).collect::<Vec<_>>())
        .flat_map(|(s, e)| radii.iter().map(|&r| spectrum(s, e, r)).collect::<Vec<_>>())
        .collect();
    samples.dimension("r_sample", radii.len());
    samples.real("r_sample", &["r_sample"], "cm", "radius asked for", radii.clone());
    samples.real("j", &["species", "energy", "r_sample"], "1", "mean occupation", j);
    data.group("samples", samples);
    data
}

/// [`free_streaming_scaled`] with full strength.
pub fn free_streaming(grid: &Grid) -> Dataset {
    free_streaming_scaled(grid, 1.0)
}
