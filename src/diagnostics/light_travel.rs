//! How long radial light takes on a background, and how much of that is its gravity (Shapiro 1964, PRL 13,
//! 789): t = ∫ X/α dr in the time of observers at infinity.

use crate::background::Background;
use crate::background::quadrature::Antiderivative;
use crate::error::{Error, Result};

/// Shapiro delay ∫ (X/α − 1) dr of a radial ray between the areal radii `inner` and `outer`, in internal time
/// (a length: seconds after multiplication with [`crate::units::UnitSystem::time_unit`]). In a vacuum around
/// the mass M it is 2M ln((r₂ − 2M)/(r₁ − 2M)). The velocity of the matter has no influence on light.
///
/// # Errors
/// [`Error::Field`] unless 0 ≤ `inner` ≤ `outer`, both finite; [`Error::Numerical`] with the radius where the
/// lapse vanishes or the metric is none.
pub fn shapiro_delay(background: &Background, inner: f64, outer: f64) -> Result<f64> {
    if !(0.0 <= inner && inner <= outer && outer.is_finite()) {
        let found = format!("a ray from r = {inner} to {outer}");
        return Err(Error::field("radii", found, "0 <= inner <= outer, both finite"));
    }
    if inner == outer {
        return Ok(0.0);
    }
    let kinks = background.discontinuities().iter().chain(background.profile_radii());
    let mut breaks: Vec<f64> = kinks.copied().filter(|r| (inner..outer).contains(r) && *r > inner).collect();
    breaks.extend([inner, outer]);
    breaks.sort_by(f64::total_cmp);
    breaks.dedup();
    let excess = |r: f64| match background.lapse(r) {
        lapse if lapse > 0.0 => background.radial_metric(r) / lapse - 1.0,
        _ => f64::NAN,
    };
    let delay = Antiderivative::new(&breaks, excess).map_err(|r| {
        Error::Numerical(format!("light does not pass r = {r:.6e}: X/alpha cannot be integrated there"))
    })?;
    Ok(delay.total())
}

/// Time ∫ X/α dr of a radial ray between the areal radii `inner` and `outer`, in internal time: the flat
/// distance and the [`shapiro_delay`].
///
/// # Errors
/// Those of [`shapiro_delay`].
pub fn light_travel_time(background: &Background, inner: f64, outer: f64) -> Result<f64> {
    Ok(outer - inner + shapiro_delay(background, inner, outer)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::BuildContext;
    use crate::units::UnitSystem;
    use approx::assert_relative_eq;

    fn background(text: &str) -> Background {
        let context = BuildContext { units: UnitSystem::DIMENSIONLESS, folder: ".".into(), data: None };
        let file = ron::Options::default()
            .with_default_extension(ron::extensions::Extensions::IMPLICIT_SOME)
            .from_str(text)
            .unwrap();
        Background::build(&file, &context).unwrap()
    }

    /// r + 2M ln(r/2M − 1) with 2M = 1, down to a hundredth above the horizon.
    #[test]
    fn the_vacuum_has_its_closed_form() {
        let vacuum = background("(metric: Schwarzschild(gravitational_radius: 1))");
        let tortoise = |r: f64| r + (r - 1.0).ln();
        for (inner, outer) in [(1.01, 1.5), (1.5, 3.0), (3.0, 1e4), (1.01, 1e4)] {
            let time = light_travel_time(&vacuum, inner, outer).unwrap();
            assert_relative_eq!(time, tortoise(outer) - tortoise(inner), max_relative = 1e-12);
        }
        assert_relative_eq!(
            shapiro_delay(&vacuum, 1e4, 1e6).unwrap(),
            (999_999.0_f64 / 9999.0).ln(),
            max_relative = 1e-12
        );
        assert_eq!(shapiro_delay(&vacuum, 2.0, 2.0).unwrap(), 0.0);
    }

    /// Inside a shell of radius 2 with 2M = 1 the lapse is the constant √½: (√2 − 1) times the distance.
    #[test]
    fn the_inside_of_a_shell_has_its_lapse() {
        let shell = background("(metric: Schwarzschild(gravitational_radius: 1, core_radius: 2))");
        let inside = 2.0 * (2.0_f64.sqrt() - 1.0);
        assert_relative_eq!(shapiro_delay(&shell, 0.0, 2.0).unwrap(), inside, max_relative = 1e-12);
        let delay = shapiro_delay(&shell, 0.0, 9.0).unwrap();
        assert_relative_eq!(delay, inside + 8.0_f64.ln(), max_relative = 1e-12);
    }

    #[test]
    fn flat_space_delays_nothing_and_horizons_stop_light() {
        let flat = background("(metric: Flat)");
        assert_eq!(shapiro_delay(&flat, 0.0, 5.0).unwrap(), 0.0);
        assert_eq!(light_travel_time(&flat, 1.0, 5.0).unwrap(), 4.0);
        let vacuum = background("(metric: Schwarzschild(gravitational_radius: 1))");
        assert!(matches!(shapiro_delay(&vacuum, 0.5, 3.0), Err(Error::Numerical(_))));
        for (inner, outer) in
            [(3.0, 2.0), (-1.0, 2.0), (f64::NAN, 2.0), (2.0, f64::NAN), (2.0, f64::INFINITY)]
        {
            assert!(matches!(shapiro_delay(&flat, inner, outer), Err(Error::Field { .. })));
        }
    }
}
