//! Metrics in closed form.

use rstest::rstest;
use tolman::constants::GRAVITY_PER_C2;
use tolman::units::UnitSystem;

use super::{close, physical, plain, refused};

#[test]
fn flat_space() {
    let flat = plain("(metric: Flat)");
    assert_eq!([flat.lapse(3.0), flat.radial_metric(0.0), flat.velocity(7.0)], [1.0, 1.0, 0.0]);
    assert_eq!((flat.gravitational_mass(), flat.matter(1.0), flat.zone_edges()), (0.0, None, None));
    assert!(flat.discontinuities().is_empty());
    flat.check_range(0.0, 1e9).unwrap();
}

/// r = 2 r_s: α = √½, X = √2.
#[test]
fn schwarzschild() {
    let vacuum = plain("(metric: Schwarzschild(gravitational_radius: 1.0))");
    close(vacuum.lapse(2.0), 0.5_f64.sqrt(), 1e-15);
    close(vacuum.radial_metric(2.0), 2.0_f64.sqrt(), 1e-15);
    assert_eq!(vacuum.gravitational_mass(), 0.5);
    vacuum.check_range(1.001, 100.0).unwrap();
    let inside = vacuum.check_range(0.9, 100.0).unwrap_err().to_string();
    assert!(inside.contains("background.metric: found 2Gm/(rc²) = 1.1"), "{inside}");
    assert!(inside.contains("at r = 9.0"), "{inside}");
    assert!(vacuum.check_range(0.0, 100.0).is_err());
}

/// Problem P5: r_s = 1 km, core of 1.5 km: α² = 1/3 inside, then 1/2, 2/3, 4/5 at 2, 3, 5 km.
#[test]
fn schwarzschild_with_a_core() {
    let oven = physical("(metric: Schwarzschild(gravitational_radius: \"1 km\", core_radius: \"1.5 km\"))");
    for (r, square) in [(0.0, 1.0 / 3.0), (1e5, 1.0 / 3.0), (2e5, 0.5), (3e5, 2.0 / 3.0), (5e5, 0.8)] {
        close(oven.lapse(r), f64::sqrt(square), 1e-15);
    }
    assert_eq!(oven.radial_metric(1.4e5), 1.0);
    close(oven.radial_metric(1.5e5), 3.0_f64.sqrt(), 1e-15);
    close(oven.lapse(1.5e5 * (1.0 - 1e-12)), oven.lapse(1.5e5), 1e-15);
    assert_eq!(oven.discontinuities(), [1.5e5]);
    oven.check_range(0.0, 1e8).unwrap();
}

/// The Sun: 2GM/c² = 2.95325008 km (from the nominal GM☉, independent of G).
#[test]
fn masses_have_the_right_unit() {
    let sun = physical("(metric: Schwarzschild(mass: \"1 Msun\"))");
    close(2.0 * sun.gravitational_mass(), 2.953_250_08e5, 1e-8);
    close(plain("(metric: Schwarzschild(mass: 0.25))").lapse(1.0), 0.5_f64.sqrt(), 1e-15);
}

#[rstest]
#[case(0.0)]
#[case(0.5)]
#[case(0.8)]
#[case(0.888)]
fn uniform_star(#[case] compactness: f64) {
    let star = plain(&format!("(metric: UniformStar(radius: 2.0, compactness: {compactness:?}))"));
    close(star.lapse(0.0), 0.5 * (3.0 * (1.0 - compactness).sqrt() - 1.0), 1e-14);
    assert_eq!(star.radial_metric(0.0), 1.0);
    close(star.radial_metric(1.0), (1.0 - compactness / 4.0).powf(-0.5), 1e-15);
    // Continuous at the surface; vacuum outside.
    close(star.lapse(2.0 * (1.0 - 1e-13)), star.lapse(2.0), 1e-11);
    close(star.radial_metric(2.0 * (1.0 - 1e-13)), star.radial_metric(2.0), 1e-11);
    close(star.lapse(5.0), (1.0 - 2.0 * compactness / 5.0).sqrt(), 1e-15);
    close(star.lapse(5.0) * star.radial_metric(5.0), 1.0, 1e-15);
    assert_eq!(star.discontinuities(), [2.0]);
    star.check_range(0.0, 50.0).unwrap();
}

/// 2M/R = 8/9 − δ: α(0) = ½(3√(1/9 + δ) − 1) = 9δ/4 + O(δ²); at 8/9 there is no star.
#[test]
fn uniform_star_at_buchdahls_limit() {
    let gap = 1e-8;
    let star = plain(&format!("(metric: UniformStar(radius: 1.0, compactness: {:?}))", 8.0 / 9.0 - gap));
    close(star.lapse(0.0), 2.25 * gap, 1e-6);
    star.check_range(0.0, 10.0).unwrap();
    let limit = "(metric: UniformStar(radius: 1.0, compactness: 0.88888888888888888889))";
    let message = refused(limit, UnitSystem::DIMENSIONLESS);
    assert!(message.contains("background.metric.compactness") && message.contains("8/9"), "{message}");
}

/// Problem P4: ρ = 9e14 g/cm³ in 10 km.
#[test]
fn uniform_star_by_density_and_by_mass() {
    let mass = 4.0 / 3.0 * std::f64::consts::PI * 9e14 * 1e18;
    let expected = (1.0 - 2.0 * GRAVITY_PER_C2 * mass / 1e6).sqrt();
    let by_density = physical("(metric: UniformStar(radius: \"10 km\", density: \"9e14 g/cm3\"))");
    let by_mass = physical(&format!("(metric: UniformStar(radius: \"10 km\", mass: \"{mass:e} g\"))"));
    close(by_density.lapse(1e6), expected, 1e-14);
    close(by_mass.lapse(1e6), expected, 1e-14);
    close(by_density.gravitational_mass(), GRAVITY_PER_C2 * mass, 1e-14);
}

#[test]
fn the_description_names_a_photon_sphere_outside() {
    let compact = plain("(metric: UniformStar(radius: 1.0, compactness: 0.8))").describe();
    assert!(compact.contains("photon sphere outside it at r = 1.2"), "{compact}");
    assert!(!plain("(metric: UniformStar(radius: 1.0, compactness: 0.5))").describe().contains("photon"));
}

#[rstest]
#[case("Schwarzschild()", "background.metric: found neither of")]
#[case("Schwarzschild(mass: 1.0, gravitational_radius: 1.0)", "background.metric: found both of")]
#[case("Schwarzschild(mass: -1.0)", "background.metric.mass: found -1; valid: not negative")]
#[case(
    "Schwarzschild(gravitational_radius: 1.0, core_radius: 1.0)",
    "background.metric.core_radius: found 1; valid: more than the gravitational radius"
)]
#[case("UniformStar(radius: 1.0)", "background.metric: found none of")]
#[case("UniformStar(radius: 1.0, compactness: 0.1, mass: 1.0)", "background.metric: found several of")]
#[case("UniformStar(radius: 0.0, compactness: 0.1)", "background.metric.radius: found 0; valid: positive")]
#[case(
    "UniformStar(radius: 1.0, compactness: -0.1)",
    "background.metric.compactness: found 2GM/(Rc²) = -0.1"
)]
#[case("UniformStar(radius: 1.0, mass: 0.45)", "background.metric.mass: found 2GM/(Rc²) = 0.9")]
#[case("UniformStar(radius: 1.0, density: 0.2)", "background.metric.density: found 2GM/(Rc²) = 1.67")]
#[case("FromMatter", "background.metric: found FromMatter without an end of the matter")]
#[case(
    "FromProfile(lapse: Static, radial_metric: FromMass)",
    "background.metric: found FromProfile without a profile"
)]
fn bad_metrics_are_refused(#[case] metric: &str, #[case] message: &str) {
    let error = refused(&format!("(metric: {metric})"), UnitSystem::DIMENSIONLESS);
    assert!(error.contains(message), "{error}");
}
