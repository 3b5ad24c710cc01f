//! The gain radius moves inward with the luminosity and outward with the temperature of the matter; see
//! gain_radius.md.
//!
//! ```text
//! cargo run --release --example gain_radius
//! ```

mod support;

use support::{KM, Outcome, Override, Solution, require, require_close};
use tolman::problem::Resolution;

/// T ∝ r^−q of the problem.
const TEMPERATURE_EXPONENT: f64 = 1.15;
/// Where neutrinos come in [km].
const INNER: f64 = 60.0;
/// Spectral temperature of what comes in \[MeV\].
const SPECTRUM: f64 = 4.0;
/// Share of the exponents that the estimate may miss.
const TOLERANCE: f64 = 0.15;

/// One case: strength of the inflow and temperature of the matter at 20 km \[MeV\].
struct Case {
    strength: f64,
    temperature: f64,
    luminosity: f64,
    gain_radius: f64,
}

pub fn main() -> Outcome {
    println!("inflow  T(20 km) [MeV]  L(nue) at 60 km [erg/s]  gain radius [km]  estimate [km]");
    let mut cases = Vec::new();
    for (strength, temperature) in [(0.25, 16.0), (0.5, 16.0), (1.0, 16.0), (1.0, 14.0), (1.0, 18.0)] {
        let case = solve(strength, temperature)?;
        println!(
            "{strength:6.2}  {temperature:14.1}  {:23.3e}  {:16.2}  {:13.2}",
            case.luminosity,
            case.gain_radius / KM,
            estimate(&case, cases.first().unwrap_or(&case)) / KM
        );
        cases.push(case);
    }
    check(&cases)
}

/// A thin atmosphere on which neutrinos shine from inside: the source is known, and the matter's temperature
/// does not change it.
fn solve(strength: f64, temperature: f64) -> Outcome<Case> {
    let radii = format!(
        "Segments(start: \"{INNER} km\", segments: [(end: \"400 km\", elements: 32, spacing: Geometric)])"
    );
    let temperature_text = format!("\"{temperature} MeV\"");
    let inflow = format!("Given(\"{strength}/(exp(energy/{SPECTRUM}) + 1)\")");
    let overrides: [Override; 7] = [
        ("background.metric", "Flat"),
        ("background.matter.density", "\"1e11 g/cm3\""),
        ("background.matter.temperature", &temperature_text),
        ("opacities", "[Rates()]"),
        ("phase_space.r.elements", &radii),
        ("phase_space.energy.degree", "2"),
        ("boundary.inner", &inflow),
    ];
    let solution = Solution::new("pns_atmosphere_accretion", &overrides, Resolution::Standard)?;
    let luminosity = solution.of_species("luminosity", 0)?[0];
    Ok(Case { strength, temperature, luminosity, gain_radius: solution.attribute("gain_radius")? })
}

/// The gain radius scaled from that of `from`: L/r² ∝ T⁶ r^−6q.
fn estimate(case: &Case, from: &Case) -> f64 {
    let ratio = (case.temperature / from.temperature).powi(6) * from.strength / case.strength;
    from.gain_radius * ratio.powf(1.0 / (6.0 * TEMPERATURE_EXPONENT - 2.0))
}

fn check(cases: &[Case]) -> Outcome {
    let [quarter, half, full, cool, hot] = cases else { return Err("five cases".into()) };
    require(
        quarter.gain_radius > half.gain_radius && half.gain_radius > full.gain_radius,
        "the gain radius moves inward with the luminosity",
    )?;
    require(
        cool.gain_radius < full.gain_radius && full.gain_radius < hot.gain_radius,
        "the gain radius moves outward with the temperature",
    )?;
    let steepness = 6.0 * TEMPERATURE_EXPONENT - 2.0;
    let by_luminosity = (full.gain_radius / quarter.gain_radius).ln() / 4.0_f64.ln();
    let by_temperature = (hot.gain_radius / cool.gain_radius).ln() / (18.0_f64 / 14.0).ln();
    println!("d ln r/d ln L = {by_luminosity:.3}, estimate {:.3}", -1.0 / steepness);
    println!("d ln r/d ln T = {by_temperature:.3}, estimate {:.3}", 6.0 / steepness);
    require_close("d ln r/d ln L", by_luminosity, -1.0 / steepness, TOLERANCE)?;
    require_close("d ln r/d ln T", by_temperature, 6.0 / steepness, TOLERANCE)
}
