//! The solution as a dataset: every variable of docs/reference_format.md.

use crate::error::Result;
use crate::extremes::largest;
use crate::methods::boltzmann::operator::Operator;
use crate::methods::setup::Setup;
use crate::output::dataset::Dataset;
use crate::output::series::STATE_DEPENDENT;
use crate::phase_space::grid::NodalGrid;
use crate::phase_space::{EnergyGrid, PhaseSpace};
use crate::problem::file::Flavour;
use crate::resample::edge_name;
use crate::units::UnitSystem;

use super::balance::{Rates, rates, relative};
use super::beta_equilibrium::add_trapped_leptons;
use super::equilibrium_ye::add_equilibrium_electron_fraction;
use super::exchange::{self, Exchange};
use super::heating::{self, Heating};
use super::integrated::{Integrated, Places};
use super::lepton_number::add_lepton_numbers;
use super::moments::{Moments, bound_violation};
use super::neutrinosphere::Neutrinospheres;
use super::reconstruction::Fluxes;

/// What the user wants besides the variables at the nodes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Wanted {
    /// Whether f itself is written.
    pub distribution: bool,
    /// Radii (internal) of the group `samples`.
    pub sample_radii: Vec<f64>,
    /// Whether what comes in has to balance what goes out.
    pub steady: bool,
}

/// The dataset of one state: f at (species, energy node, radial node, ordinate), with the inflow of that
/// time at the inner and outer edge.
///
/// # Errors
/// A sample radius outside the grid; opacities that cannot be evaluated.
pub fn dataset(
    setup: &Setup,
    operator: &Operator,
    f: &[f64],
    inflow: (&[f64], &[f64]),
    wanted: &Wanted,
) -> Result<Dataset> {
    let space = &setup.phase_space;
    let moments = Moments::new(space, f);
    let mut dataset = Dataset::new();
    add_grid(&mut dataset, space, setup.units);
    add_radii(&mut dataset, setup);
    add_background(&mut dataset, setup);
    add_opacities(&mut dataset, setup);
    let fluxes = Fluxes::new(setup, &operator.connection, f, inflow);
    let distribution =
        wanted.distribution.then(|| ordinates_before_radii(f, space.radial.nodes.len(), space));
    add_solution(&mut dataset, "r", setup.units, distribution, &moments, fluxes.at_nodes());
    let exchange = add_matter_effects(&mut dataset, setup, &moments)?;
    add_lepton_numbers(&mut dataset, setup, f);
    let rates = rates(setup, operator, f, &exchange, inflow);
    add_balances(&mut dataset, setup, &rates, wanted.steady);
    add_quality(&mut dataset, space, f);
    if !wanted.sample_radii.is_empty() {
        dataset.group("samples", samples(setup, f, &fluxes, &wanted.sample_radii)?);
    }
    Ok(dataset)
}

/// The dataset of a method that solves for moments: `moments` at the nodes and, where luminosities are to be
/// completed by them, those of its fluxes through the element edges. There are no ordinates and no f in it.
///
/// # Errors
/// As [`dataset`].
pub fn dataset_of_moments(
    setup: &Setup,
    moments: &Moments,
    edges: Option<&Moments>,
    sample_radii: &[f64],
) -> Result<Dataset> {
    let mut dataset = Dataset::new();
    add_species_and_energies(&mut dataset, &setup.phase_space, setup.units);
    add_radii(&mut dataset, setup);
    add_background(&mut dataset, setup);
    add_opacities(&mut dataset, setup);
    let fluxes = edges.map(|edges| Fluxes::of_moments(setup, moments, edges));
    let nodes = Places::nodes(&setup.phase_space, &setup.geometry);
    let sums = match &fluxes {
        Some(fluxes) => fluxes.at_nodes(),
        None => Integrated::of_moments(&setup.phase_space, &nodes, setup.units, moments),
    };
    add_solution(&mut dataset, "r", setup.units, None, moments, sums);
    add_matter_effects(&mut dataset, setup, moments)?;
    if !sample_radii.is_empty() {
        dataset.group("samples", samples_of_moments(setup, moments, fluxes.as_ref(), sample_radii)?);
    }
    Ok(dataset)
}

/// What follows from the moments and the matter.
///
/// # Errors
/// Kernels that do not fit the grid.
fn add_matter_effects(dataset: &mut Dataset, setup: &Setup, moments: &Moments) -> Result<Vec<Vec<Exchange>>> {
    add_spheres(dataset, setup, moments)?;
    let exchange = exchange::of_setup(setup, moments)?;
    add_heating(dataset, setup, moments, &exchange)?;
    add_trapped_leptons(dataset, setup, moments);
    add_equilibrium_electron_fraction(dataset, setup, moments);
    Ok(exchange)
}

/// Radial nodes, weights and edges.
pub(crate) fn add_radii(dataset: &mut Dataset, setup: &Setup) {
    let radial = &setup.phase_space.radial;
    dataset.dimension("r", radial.nodes.len());
    let unit = setup.units.label("cm");
    dataset.real("r", &["r"], unit, "areal radius", radial.nodes.clone());
    dataset.real("r_weight", &["r"], unit, "quadrature weight of r", radial.weights.clone());
    add_edges(dataset, "r", radial, unit);
}

/// Species, ordinates and energies.
pub(crate) fn add_grid(dataset: &mut Dataset, space: &PhaseSpace, units: UnitSystem) {
    add_species_and_energies(dataset, space, units);
    dataset.dimension("mu", space.angular.nodes.len());
    let mu = "cosine to the outward radial direction in the comoving frame";
    dataset.real("mu", &["mu"], "1", mu, space.angular.nodes.clone());
    dataset.real("mu_weight", &["mu"], "1", "quadrature weight of mu", space.angular.weights.clone());
    add_edges(dataset, "mu", &space.angular, "1");
}

fn add_species_and_energies(dataset: &mut Dataset, space: &PhaseSpace, units: UnitSystem) {
    let energies = 0..space.energy.len();
    dataset.dimension("species", space.species.len());
    dataset.dimension("energy", space.energy.len());
    let names = space.species.iter().map(|s| s.name.clone()).collect();
    dataset.text("species", &["species"], "neutrino species", names);
    let multiplicity = space.species.iter().map(|s| s.multiplicity).collect();
    let meaning = "number of physical species that each stands for; all other variables are for one of them";
    dataset.real("multiplicity", &["species"], "1", meaning, multiplicity);
    let energy_unit = units.label("MeV");
    let (nodes, widths) = energies.map(|k| (space.energy.node(k), space.energy.weight(k))).unzip();
    dataset.real("energy", &["energy"], energy_unit, "neutrino energy in the comoving frame", nodes);
    dataset.real("energy_weight", &["energy"], energy_unit, "quadrature weight of the energy", widths);
    if let EnergyGrid::Spectral(grid) = &space.energy {
        add_edges(dataset, "energy", grid, energy_unit);
    }
}

/// The element edges of a dimension, between which the result is a polynomial.
fn add_edges(dataset: &mut Dataset, dimension: &str, grid: &NodalGrid, unit: &str) {
    let name = edge_name(dimension);
    dataset.dimension(&name, grid.edges.len());
    dataset.real(&name, &[&name], unit, &format!("edges of the elements of {dimension}"), grid.edges.clone());
}

pub(crate) fn add_background(dataset: &mut Dataset, setup: &Setup) {
    let geometry = &setup.geometry;
    dataset.real("lapse", &["r"], "1", "lapse of static observers", geometry.lapse.clone());
    let metric = "sqrt(g_rr) in areal radius";
    dataset.real("radial_metric", &["r"], "1", metric, geometry.radial_metric.clone());
    let velocity = "radial velocity of the fluid seen by static observers, in units of c";
    dataset.real("velocity", &["r"], "1", velocity, geometry.velocity.clone());
    let matter: Option<Vec<_>> =
        setup.phase_space.radial.nodes.iter().map(|&r| setup.background.matter(r)).collect();
    let Some(matter) = matter else { return };
    let column = |value: fn(&crate::background::MatterState) -> f64| matter.iter().map(value).collect();
    dataset.real("density", &["r"], "g cm-3", "baryon rest-mass density", column(|m| m.density));
    dataset.real("temperature", &["r"], "MeV", "temperature of the matter", column(|m| m.temperature));
    dataset.real("electron_fraction", &["r"], "1", "electrons per baryon", column(|m| m.electron_fraction));
}

pub(crate) fn add_opacities(dataset: &mut Dataset, setup: &Setup) {
    let space = &setup.phase_space;
    let all: Vec<_> = (0..space.species.len())
        .flat_map(|s| (0..space.energy.len()).map(move |k| (s, k)))
        .flat_map(|(s, k)| setup.coefficients.slab(s, k))
        .collect();
    let dimensions = ["species", "energy", "r"];
    let unit = setup.units.label("cm-1");
    let absorption = "absorption opacity corrected for stimulated absorption";
    dataset.real("absorption", &dimensions, unit, absorption, all.iter().map(|o| o.absorption).collect());
    let equilibrium = "equilibrium occupation, emissivity / absorption (0 where nothing absorbs)";
    let occupation = all.iter().map(|o| if o.absorption > 0.0 { o.emissivity / o.absorption } else { 0.0 });
    dataset.real("equilibrium", &dimensions, "1", equilibrium, occupation.collect());
    let scattering = "elastic scattering, isotropic part sigma_0";
    dataset.real("scattering", &dimensions, unit, scattering, all.iter().map(|o| o.scattering).collect());
    let first = "elastic scattering, first Legendre part sigma_1";
    let values = all.iter().map(|o| o.scattering_first).collect();
    dataset.real("scattering_first", &dimensions, unit, first, values);
}

/// f at (species, energy node, ordinate, radius) where wanted, its moments and energy integrals over the
/// radial dimension `radius`.
fn add_solution(
    dataset: &mut Dataset,
    radius: &str,
    units: UnitSystem,
    distribution: Option<Vec<f64>>,
    moments: &Moments,
    sums: Integrated,
) {
    if let Some(values) = distribution {
        let dimensions = ["species", "energy", "mu", radius];
        dataset.real("f", &dimensions, "1", "invariant distribution function", values);
    }
    let spectral = ["species", "energy", radius];
    for (name, meaning, values) in [
        ("j", "J = 1/2 int f dmu", &moments.j),
        ("h", "H = 1/2 int f mu dmu", &moments.h),
        ("k", "K = 1/2 int f mu^2 dmu", &moments.k),
        ("l", "L = 1/2 int f mu^3 dmu", &moments.l),
    ] {
        dataset.real(name, &spectral, "1", meaning, values.clone());
    }
    add_integrated(dataset, radius, units, sums);
}

/// The energy integrals, as docs/reference_format.md lists them.
fn add_integrated(dataset: &mut Dataset, radius: &str, units: UnitSystem, sums: Integrated) {
    let mut add = |name: &str, unit: &str, meaning: &str, values: Vec<f64>| {
        dataset.real(name, &["species", radius], unit, meaning, values);
    };
    let (number, energy) = (units.label("cm-3"), units.label("erg cm-3"));
    add("number_density", number, "number density, comoving frame", sums.number_density);
    add("energy_density", energy, "energy density, comoving frame", sums.energy_density);
    let power = units.label("erg s-1");
    add("luminosity", power, "4 pi r^2 x energy flux, comoving frame", sums.luminosity);
    add("luminosity_static", power, "4 pi r^2 x energy flux, static observers", sums.luminosity_static);
    let meaning = "4 pi r^2 lapse^2 x energy flux of static observers: luminosity at infinity";
    add("luminosity_infinity", power, meaning, sums.luminosity_infinity);
    let meaning = "4 pi r^2 lapse x number flux of static observers: number luminosity at infinity";
    add("number_luminosity_infinity", units.label("s-1"), meaning, sums.number_luminosity_infinity);
    let unit = units.label("MeV");
    add("mean_energy", unit, "mean energy of the density, int e^3 J / int e^2 J", sums.mean_energy);
    add("rms_energy", unit, "energy-weighted rms energy, sqrt(int e^5 J / int e^3 J)", sums.rms_energy);
    let meaning = "number-weighted rms energy, sqrt(int e^4 J / int e^2 J)";
    add("rms_energy_number", unit, meaning, sums.rms_energy_number);
    let meaning = "luminosity_infinity / number_luminosity_infinity";
    add("mean_energy_infinity", unit, meaning, sums.mean_energy_infinity);
    add("flux_factor", "1", "int e^3 H / int e^3 J", sums.flux_factor);
    add("eddington_factor", "1", "int e^3 K / int e^3 J", sums.eddington_factor);
}

/// From (…, radius, ordinate) to (…, ordinate, radius).
fn ordinates_before_radii(f: &[f64], radii: usize, space: &PhaseSpace) -> Vec<f64> {
    let ordinates = space.angular.nodes.len();
    let mut values = Vec::with_capacity(f.len());
    for slab in f.chunks_exact(radii * ordinates) {
        for j in 0..ordinates {
            values.extend((0..radii).map(|i| slab[i * ordinates + j]));
        }
    }
    values
}

/// Neutrinospheres of all species.
///
/// # Errors
/// Kernels that do not fit the grid.
pub(crate) fn add_spheres(dataset: &mut Dataset, setup: &Setup, moments: &Moments) -> Result<()> {
    let Setup { phase_space, geometry, coefficients, inelastic, .. } = setup;
    let spheres = Neutrinospheres::new(phase_space, geometry, coefficients, inelastic.as_ref(), moments)?;
    let unit = setup.units.label("cm");
    for (name, depth, spheres) in [
        ("number_sphere", "number-exchange", &spheres.number),
        ("energy_sphere", "effective", &spheres.energy),
        ("transport_sphere", "transport", &spheres.transport),
    ] {
        // Without inelastic reactions the number sphere is the energy sphere.
        if name == "number_sphere" && inelastic.is_none() {
            continue;
        }
        let meaning = format!("radius of {depth} optical depth 2/3, 0 where there is none");
        let spectral = spheres.spectral.clone();
        let variable = dataset.real(name, &["species", "energy"], unit, &meaning, spectral);
        variable.attribute("no_sphere", 0.0);
        if inelastic.is_some() {
            variable.attribute(STATE_DEPENDENT, "inelastic reactions count with the moments of the solution");
        }
        let name = format!("{name}_mean");
        let meaning =
            format!("radius of {depth} optical depth 2/3, opacities averaged over the local spectrum e^3 J");
        dataset.real(&name, &["species"], unit, &meaning, spheres.mean.clone());
    }
    dataset.real(
        "transport_depth",
        &["species"],
        "1",
        "largest radial transport optical depth",
        spheres.depth,
    );
    Ok(())
}

/// Energy and lepton number that the matter gets, where there is any.
///
/// # Errors
/// Opacities that cannot be evaluated.
pub(crate) fn add_heating(
    dataset: &mut Dataset,
    setup: &Setup,
    moments: &Moments,
    exchange: &[Vec<Exchange>],
) -> Result<()> {
    let radii = &setup.phase_space.radial.nodes;
    let density: Option<Vec<f64>> =
        radii.iter().map(|&r| setup.background.matter(r).map(|m| m.density)).collect();
    let Some(density) = density else { return Ok(()) };
    let space = &setup.phase_space;
    let heating = Heating::new(space, exchange, &density, setup.units);
    let gain = heating.gain_region(space, &setup.geometry, &density);
    let unit = "erg g-1 s-1";
    let absorbed = "energy absorbed from neutrinos, all species with their multiplicity";
    dataset.real("heating_absorbed", &["r"], unit, absorbed, heating.absorbed);
    dataset.real("heating_emitted", &["r"], unit, "energy emitted in neutrinos", heating.emitted);
    if setup.inelastic.is_some() {
        let scattered = "energy that inelastic scattering leaves in the matter";
        dataset.real("heating_scattered", &["r"], unit, scattered, heating.scattered);
    }
    let net = "net energy from neutrinos: absorbed - emitted (+ scattered)";
    dataset.real("heating_net", &["r"], unit, net, heating.net);
    dataset.real("ye_rate", &["r"], "s-1", "rate of change of the electron fraction", heating.ye_rate);
    add_process_heating(dataset, heating::by_process(setup, moments, &density)?);
    dataset.attribute("gain_radius", heating.gain_radius.unwrap_or(0.0));
    dataset.attribute("gain_mass", gain.mass);
    dataset.attribute("gain_heating", gain.heating);
    let shining = heating.gain_radius.map_or(0.0, |gain| electron_luminosity(dataset, space, gain));
    if shining > 0.0 {
        dataset.attribute("heating_efficiency", gain.heating / shining);
    }
    Ok(())
}

fn add_process_heating(dataset: &mut Dataset, found: Vec<heating::ProcessHeating>) {
    if found.is_empty() {
        return;
    }
    dataset.dimension("process", found.len());
    let (names, net): (Vec<String>, Vec<Vec<f64>>) = found.into_iter().map(|p| (p.process, p.net)).unzip();
    dataset.text("process", &["process"], "process that exchanges energy with the matter", names);
    let meaning = "net heating by process and species, with its multiplicity; the sum is heating_net";
    let dimensions = ["process", "species", "r"];
    dataset.real("heating_by_process", &dimensions, "erg g-1 s-1", meaning, net.concat());
}

/// Luminosity of νe and ν̄e for static observers at the radial node next to `radius`.
pub(crate) fn electron_luminosity(dataset: &Dataset, space: &PhaseSpace, radius: f64) -> f64 {
    let nodes = &space.radial.nodes;
    let node = nodes.partition_point(|&r| r < radius).min(nodes.len() - 1);
    let luminosity = dataset.reals("luminosity_static").unwrap_or_default();
    let electron = |flavour| matches!(flavour, Flavour::ElectronNeutrino | Flavour::ElectronAntineutrino);
    let of = |species: usize| luminosity.get(species * nodes.len() + node).copied().unwrap_or(0.0);
    let shining = space.species.iter().enumerate().filter(|(_, s)| electron(s.flavour));
    shining.map(|(index, s)| s.multiplicity * of(index)).sum()
}

fn add_balances(dataset: &mut Dataset, setup: &Setup, all: &[Rates], steady: bool) {
    let space = &setup.phase_space;
    let per_second = setup.units.label("s-1");
    for (name, meaning, value) in [
        ("number_emitted", "neutrinos emitted by the matter", (|r| r.emitted) as fn(&Rates) -> f64),
        ("number_absorbed", "neutrinos absorbed by the matter", |r| r.absorbed),
        ("number_left_outer", "net number through the outer edge", |r| r.left_outer),
        ("number_left_inner", "net number inward through the inner edge", |r| r.left_inner),
        ("number_left_energy", "net number through the ends of the energy grid", |r| r.left_energy),
    ] {
        dataset.real(name, &["species"], per_second, meaning, all.iter().map(value).collect());
    }
    if setup.inelastic.is_some() {
        let meaning = "net number from inelastic scattering, 0 up to rounding";
        let values = all.iter().map(|r| r.scattered).collect();
        dataset.real("number_scattered", &["species"], per_second, meaning, values);
    }
    let worst = |value: fn(&Rates) -> f64| largest(all.iter().map(|r| value(r).abs()));
    if !steady {
        return;
    }
    dataset.attribute("number_balance", worst(Rates::number_residual));
    dataset.attribute("lepton_balance", lepton_residual(space, all));
    // In a gray problem f says nothing about the energy that a neutrino has.
    if matches!(space.energy, EnergyGrid::Spectral(_)) {
        dataset.attribute("energy_balance", worst(Rates::energy_residual));
    }
}

/// Residual of the electron-lepton number balance relative to the turnover of νe and ν̄e.
fn lepton_residual(space: &PhaseSpace, all: &[Rates]) -> f64 {
    let (mut gain, mut turnover) = (0.0, 0.0);
    for (species, rates) in space.species.iter().zip(all) {
        let lepton = species.flavour.electron_lepton_number();
        gain += lepton * species.multiplicity * rates.number_gain();
        turnover += lepton.abs() * species.multiplicity * rates.number_turnover();
    }
    relative(gain, turnover).abs()
}

fn add_quality(dataset: &mut Dataset, space: &PhaseSpace, f: &[f64]) {
    let (low, high) = bound_violation(f);
    dataset.attribute("bound_violation_low", low);
    dataset.attribute("bound_violation_high", high);
    dataset.attribute("largest_flux_factor", space.largest_flux_factor());
}

/// The solution at chosen radii, by the elements' polynomials.
fn samples(setup: &Setup, f: &[f64], fluxes: &Fluxes, radii: &[f64]) -> Result<Dataset> {
    let space = &setup.phase_space;
    let (mut dataset, places) = sample_places(setup, radii);
    let sampled = at_radii(space, f, space.angular.nodes.len(), radii)?;
    let mut sums = Integrated::new(space, &places, setup.units, &sampled);
    fluxes.replace_luminosities(radii, &mut sums);
    let distribution = Some(ordinates_before_radii(&sampled, radii.len(), space));
    let moments = Moments::new(space, &sampled);
    add_solution(&mut dataset, "r_sample", setup.units, distribution, &moments, sums);
    Ok(dataset)
}

/// The same from moments.
fn samples_of_moments(
    setup: &Setup,
    moments: &Moments,
    fluxes: Option<&Fluxes>,
    radii: &[f64],
) -> Result<Dataset> {
    let space = &setup.phase_space;
    let (mut dataset, places) = sample_places(setup, radii);
    let at_radii = |values: &[f64]| at_radii(space, values, 1, radii);
    let Moments { j, h, k, l } = moments;
    let sampled = Moments { j: at_radii(j)?, h: at_radii(h)?, k: at_radii(k)?, l: at_radii(l)? };
    let mut sums = Integrated::of_moments(space, &places, setup.units, &sampled);
    if let Some(fluxes) = fluxes {
        fluxes.replace_luminosities(radii, &mut sums);
    }
    add_solution(&mut dataset, "r_sample", setup.units, None, &sampled, sums);
    Ok(dataset)
}

/// A dataset with the radii of the samples and the background there.
fn sample_places(setup: &Setup, radii: &[f64]) -> (Dataset, Places) {
    let places = Places {
        r: radii.to_vec(),
        lapse: radii.iter().map(|&r| setup.background.lapse(r)).collect(),
        velocity: radii.iter().map(|&r| setup.background.velocity(r)).collect(),
    };
    let mut dataset = Dataset::new();
    dataset.dimension("r_sample", radii.len());
    let unit = setup.units.label("cm");
    dataset.real("r_sample", &["r_sample"], unit, "areal radius", radii.to_vec());
    dataset.real("lapse", &["r_sample"], "1", "lapse of static observers", places.lapse.clone());
    let velocity = "radial velocity of the fluid seen by static observers, in units of c";
    dataset.real("velocity", &["r_sample"], "1", velocity, places.velocity.clone());
    (dataset, places)
}

/// `values` at (species, energy node, radial node, direction), of `directions` directions, at the radii
/// asked for.
fn at_radii(space: &PhaseSpace, values: &[f64], directions: usize, radii: &[f64]) -> Result<Vec<f64>> {
    let nodes = space.radial.nodes.len();
    let edges = &space.radial.edges;
    let stencils = radii
        .iter()
        .map(|&r| {
            space.radial.interpolation(r).ok_or_else(|| {
                let valid = format!("radii between {} and {}", edges[0], edges[edges.len() - 1]);
                crate::error::Error::field("outputs.sample_radii", r, valid)
            })
        })
        .collect::<Result<Vec<_>>>()?;
    let mut sampled = Vec::with_capacity(values.len() / nodes * radii.len());
    for slab in values.chunks_exact(nodes * directions) {
        for (range, weights) in &stencils {
            sampled.extend((0..directions).map(|j| -> f64 {
                range.clone().zip(weights).map(|(i, w)| w * slab[i * directions + j]).sum()
            }));
        }
    }
    Ok(sampled)
}
