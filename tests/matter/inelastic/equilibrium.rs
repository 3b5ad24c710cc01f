//! Detailed balance of every process on the solver's grid, and the collision term that the solver uses.

use rstest::rstest;
use tolman::diagnostics::moments::Moments;
use tolman::methods::boltzmann::inelastic::Inelastic;
use tolman::methods::setup::Setup;
use tolman::opacities::kernels::AngularMoments;
use tolman::opacities::nuclear_matter::NuclearMatter;
use tolman::opacities::weak::WeakConstants;

use super::common::{fermi_dirac, loaded};

const DENSITY: f64 = 3e12;
const TEMPERATURE: f64 = 7.0;

fn setup(opacity: &str) -> Setup {
    let opacities = format!("[{opacity}]");
    let matter = format!(
        "Uniform(density: \"{DENSITY} g/cm3\", temperature: \"{TEMPERATURE} MeV\", electron_fraction: 0.25)"
    );
    let overrides = [
        ("opacities", opacities.as_str()),
        ("background.matter", matter.as_str()),
        ("phase_space.mu", "Uniform(degree: 2, elements: 2)"),
    ];
    Setup::build(&loaded("one_zone_pairs", &overrides)).unwrap()
}

/// f at (species, energy, ordinate) of one radius, from f(species, energy, μ).
fn distribution(setup: &Setup, f: impl Fn(usize, f64, f64) -> f64) -> Vec<f64> {
    let space = &setup.phase_space;
    let mut values = Vec::new();
    for species in 0..space.species.len() {
        for k in 0..space.energy.len() {
            let energy = space.energy.node(k);
            values.extend(space.angular.nodes.iter().map(|&mu| f(species, energy, mu)));
        }
    }
    values
}

/// μ_ν of electron neutrinos in beta equilibrium.
fn potential(setup: &Setup) -> f64 {
    let matter = setup.background.matter(1e4).unwrap();
    NuclearMatter::new(&matter, &WeakConstants::default()).unwrap().unwrap().neutrino_potential
}

const SCATTERING: &str = "Inelastic(pairs: false, bremsstrahlung: false)";
const PAIRS: &str = "Inelastic(electron_scattering: false, bremsstrahlung: false)";
const BREMSSTRAHLUNG: &str = "Inelastic(electron_scattering: false, pairs: false)";

/// The net rate of inelastic collisions at each energy and direction against what is lost, with opposite
/// potentials of neutrinos and antineutrinos, of any size.
#[rstest]
fn inelastic_processes_are_at_rest_in_equilibrium(
    #[values(SCATTERING, PAIRS, BREMSSTRAHLUNG, "Inelastic()")] process: &str,
    #[values(0.0, 18.0, -9.0)] potential: f64,
) {
    let setup = setup(process);
    let potentials = [potential, -potential, 0.0];
    let f = distribution(&setup, |s, energy, _| fermi_dirac(energy, potentials[s], TEMPERATURE));
    let inelastic = setup.inelastic.as_ref().unwrap();
    let rates = inelastic.rates(&inelastic.moments(&setup.phase_space, &f));
    let (mu, ordinates) = (&setup.phase_space.angular.nodes, setup.phase_space.angular.nodes.len());
    let mut largest: f64 = 0.0;
    for (rates, f) in rates.iter().zip(f.chunks(ordinates)) {
        assert!(rates.extinction > 0.0);
        for (mu, f) in mu.iter().zip(f) {
            largest = largest.max((rates.net(*mu, *f) / (rates.extinction * f)).abs());
        }
    }
    assert!(largest <= 1e-12, "{largest:e}");
}

/// η = κ* f_eq with the potential of beta equilibrium, for absorption on nucleons and nuclei.
#[rstest]
#[case("Bruenn1985()")]
#[case("Rates()")]
#[case(
    "Rates(charged_current: (nucleons: false, nuclei: true), scattering: (nucleons: false, alpha: false, heavy: false))"
)]
fn absorption_is_at_rest_in_equilibrium(#[case] process: &str) {
    let setup = setup(process);
    let potential = potential(&setup);
    let mut absorbing = 0;
    for (species, potential) in [(0, potential), (1, -potential)] {
        for k in 0..setup.phase_space.energy.len() {
            let local = setup.coefficients.at(setup.coefficients.first(species, k));
            if local.absorption > 0.0 {
                let lost =
                    local.absorption * fermi_dirac(setup.phase_space.energy.node(k), potential, TEMPERATURE);
                assert!(
                    (local.emissivity / lost - 1.0).abs() <= 1e-12,
                    "{:e}",
                    local.emissivity / lost - 1.0
                );
                absorbing += 1;
            }
        }
    }
    assert!(absorbing > 0 || process.contains("nuclei: true"));
}

/// The solver's rates, affine in the moments, against the documented sums with blocking factors, for f
/// that depends on direction.
#[test]
fn the_solvers_collision_term_is_the_documented_sum() {
    let setup = setup("Inelastic()");
    let space = &setup.phase_space;
    let f = distribution(&setup, |s, energy, mu| {
        let strength = [0.9, 0.5, 0.7][s];
        strength * (1.0 + 0.8 * mu * (0.05 * energy).sin()) * fermi_dirac(energy, 10.0, 5.0 + s as f64)
    });
    let inelastic: &Inelastic = setup.inelastic.as_ref().unwrap();
    let rates = inelastic.rates(&inelastic.moments(space, &f));
    let moments = Moments::new(space, &f);
    let energies = space.energy.len();
    let angular: Vec<AngularMoments> = moments
        .j
        .chunks(energies)
        .zip(moments.h.chunks(energies))
        .map(|(j, h)| AngularMoments { j, h })
        .collect();
    let kernels = &inelastic.nodes()[0];
    for species in 0..space.species.len() {
        let sums = kernels.rates(species, &angular, inelastic.weight()).unwrap();
        for (k, sum) in sums.iter().enumerate() {
            let point = species * energies + k;
            for (j, mu) in space.angular.nodes.iter().enumerate() {
                let f = f[point * space.angular.nodes.len() + j];
                let (gain, loss) = (sum.gain[0] + mu * sum.gain[1], sum.loss[0] + mu * sum.loss[1]);
                let expected = (1.0 - f) * gain - f * loss;
                let difference = (rates[point].net(*mu, f) - expected).abs();
                assert!(difference <= 1e-13 * (gain + loss), "{difference:e} of {:e}", gain + loss);
            }
        }
    }
}
