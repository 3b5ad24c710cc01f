//! Parametrised matter.

use rstest::rstest;
use tolman::units::UnitSystem;

use super::{close, physical, plain, refused};

const ATMOSPHERE: &str = "PowerLawAtmosphere(reference_radius: \"30 km\", density: \"1e12 g/cm3\", \
    density_exponent: 3, temperature: \"5 MeV\", temperature_exponent: 1, electron_fraction: \
    (inner: 0.1, inner_radius: \"30 km\", outer: 0.5, outer_radius: \"120 km\"))";

#[test]
fn power_laws() {
    let atmosphere = physical(&format!("(metric: Flat, matter: {ATMOSPHERE})"));
    let state = atmosphere.matter(6e6).unwrap();
    close(state.density, 1.25e11, 1e-14);
    close(state.temperature, 2.5, 1e-14);
    // Half way in ln r.
    close(state.electron_fraction, 0.3, 1e-14);
    close(state.neutron_fraction, 0.7, 1e-14);
    close(state.proton_fraction, 0.3, 1e-14);
    assert_eq!((state.alpha_fraction, state.heavy_fraction, state.heavy_mass_number), (0.0, 0.0, 0.0));
    let centre = atmosphere.matter(0.0).unwrap();
    assert_eq!((centre.density, centre.temperature, centre.electron_fraction), (1e12, 5.0, 0.1));
    close(atmosphere.matter(1e9).unwrap().electron_fraction, 0.5, 1e-15);
    assert_eq!(atmosphere.discontinuities(), [3e6, 1.2e7]);
    atmosphere.check_range(0.0, 1e9).unwrap();
}

#[test]
fn uniform_matter_ends_at_its_radius() {
    let sphere = plain(
        "(metric: Flat, matter: Uniform(radius: 2.0, density: 3.0, temperature: 4.0, \
         electron_fraction: 0.25), discontinuities: [5, 0, 2])",
    );
    assert_eq!(sphere.matter(1.9).unwrap().neutron_fraction, 0.75);
    assert!(sphere.matter(2.1).is_none());
    assert_eq!(sphere.discontinuities(), [2.0, 5.0]);
}

#[rstest]
#[case("density: \"1e12 g/cm3\"", "density: \"-1 g/cm3\"", "background.matter.density: found -1")]
#[case("temperature: \"5 MeV\"", "temperature: \"-1 MeV\"", "background.matter.temperature: found -1")]
#[case(
    "reference_radius: \"30 km\"",
    "reference_radius: \"0 km\"",
    "background.matter.reference_radius: found 0"
)]
#[case("outer: 0.5", "outer: 1.5", "background.matter.electron_fraction.outer: found 1.5")]
#[case(
    "outer_radius: \"120 km\"",
    "outer_radius: \"20 km\"",
    "background.matter.electron_fraction.outer_radius: found 2000000"
)]
fn bad_atmospheres_are_refused(#[case] from: &str, #[case] to: &str, #[case] message: &str) {
    assert!(ATMOSPHERE.contains(from));
    let text = format!("(metric: Flat, matter: {})", ATMOSPHERE.replacen(from, to, 1));
    let error = refused(&text, UnitSystem::PHYSICAL);
    assert!(error.contains(message), "{error}");
}

#[test]
fn overflowing_power_laws_are_found_on_the_grid() {
    let steep = ATMOSPHERE.replace("density_exponent: 3", "density_exponent: -900");
    let atmosphere = physical(&format!("(metric: Flat, matter: {steep})"));
    let error = atmosphere.check_range(0.0, 1e9).unwrap_err().to_string();
    assert!(error.contains("background.matter: found density inf"), "{error}");
}

#[test]
fn negative_discontinuities_are_refused() {
    let error = refused("(metric: Flat, discontinuities: [1, -2])", UnitSystem::DIMENSIONLESS);
    assert!(error.contains("background.discontinuities: found -2"), "{error}");
}
