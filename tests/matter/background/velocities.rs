//! Velocities in closed form.

use rstest::rstest;
use tolman::units::UnitSystem;

use super::{close, physical, plain, refused};

/// Problem P4: 0 up to 135 km, linear to −0.2 at 150 km, then ∝ r⁻².
#[test]
fn piecewise_linear_with_inverse_square() {
    let ramp = physical(
        "(metric: Flat, velocity: PiecewiseLinear(radii: (values: [135, 150], unit: \"km\"), \
         values: [0, -0.2], beyond: InverseSquare))",
    );
    assert_eq!([ramp.velocity(0.0), ramp.velocity(1.35e7)], [0.0, 0.0]);
    close(ramp.velocity(1.425e7), -0.1, 1e-14);
    close(ramp.velocity(1.5e7), -0.2, 1e-15);
    close(ramp.velocity(3e7), -0.05, 1e-15);
    close(ramp.velocity(1.5e7 * (1.0 - 1e-13)), -0.2, 1e-11);
    assert_eq!(ramp.discontinuities(), [1.35e7, 1.5e7]);
    ramp.check_range(0.0, 1e9).unwrap();
}

#[test]
fn constant_beyond_the_last_point() {
    let ramp = plain("(metric: Flat, velocity: PiecewiseLinear(radii: [1, 11], values: [0, 0.3]))");
    close(ramp.velocity(6.0), 0.15, 1e-15);
    assert_eq!([ramp.velocity(0.5), ramp.velocity(15.0)], [0.0, 0.3]);
}

#[test]
fn expressions() {
    let tanh = plain("(metric: Flat, velocity: Expression(\"0.3*tanh(r/2)\"))");
    close(tanh.velocity(2.0), 0.3 * 1.0_f64.tanh(), 1e-15);
    tanh.check_range(0.0, 1e3).unwrap();
    assert!(tanh.describe().contains("v/c = 0.3*tanh(r/2)"));
}

#[rstest]
#[case("0.1*r", "background.velocity: found v/c = 1", "at r = 1.00")]
#[case("0.1*sqrt(3-r)*r", "background.velocity: found v/c = NaN", "at r = 3.0")]
#[case("0.1 + r/1000", "background.velocity: found v/c = 0.1 at r = 0", "valid: 0 at the centre")]
fn bad_expressions_are_found_on_the_grid(#[case] text: &str, #[case] found: &str, #[case] more: &str) {
    let background = plain(&format!("(metric: Flat, velocity: Expression(\"{text}\"))"));
    let error = background.check_range(0.0, 20.0).unwrap_err().to_string();
    assert!(error.contains(found) && error.contains(more), "{error}");
}

#[rstest]
#[case(
    "PiecewiseLinear(radii: [1, 2], values: [0])",
    "background.velocity.values: found 2 radii and 1 values"
)]
#[case(
    "PiecewiseLinear(radii: [2, 1], values: [0, 0])",
    "background.velocity.radii: found 1 after 2; valid: ascending"
)]
#[case("PiecewiseLinear(radii: [1, 1], values: [0, 0])", "a jump has to be given a width")]
#[case("PiecewiseLinear(radii: [-1, 1], values: [0, 0])", "background.velocity.radii: found -1")]
#[case(
    "PiecewiseLinear(radii: [1, 2], values: [0, -1])",
    "background.velocity.values: found -1; valid: |v/c| below 1"
)]
#[case("Expression(\"0.1*x\")", "background.velocity: found \"0.1*x\"")]
#[case("FromProfile", "background.velocity: found FromProfile; valid: matter of a `Profile`")]
fn bad_velocities_are_refused(#[case] velocity: &str, #[case] message: &str) {
    let error = refused(&format!("(metric: Flat, velocity: {velocity})"), UnitSystem::DIMENSIONLESS);
    assert!(error.contains(message), "{error}");
}
