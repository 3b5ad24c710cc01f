//! Gravity's redshift weakens heating and raises the electron fraction of a wind; see redshift.md.
//!
//! ```text
//! cargo run --release --example redshift
//! ```

mod support;

use support::{KM, Outcome, Override, Solution, fermi_integral, require, require_close};
use tolman::opacities::weak::WeakConstants;
use tolman::problem::Resolution;

/// Where the neutrinos come from [km].
const SURFACE: f64 = 12.0;
/// Their spectral temperature there \[MeV\].
const TEMPERATURE: f64 = 4.0;
const RADII: [f64; 5] = [16.0, 20.0, 30.0, 50.0, 90.0];
/// νe + n and ν̄e + p.
const PROCESS: &str = "nucleon_absorption";
/// What the closed forms neglect: the electron's mass, emission, blocking, and the grid.
const TOLERANCE: f64 = 3e-3;

pub fn main() -> Outcome {
    let flat = solve("Flat")?;
    let curved = solve(&format!("Schwarzschild(mass: \"1.4 Msun\", core_radius: \"{SURFACE} km\")"))?;
    println!(
        "r [km]  q(nue), curved/flat  expected  q(anue), curved/fl.  expected    Y_e flat  expected  Y_e curved  expected"
    );
    for r in RADII {
        row(&flat, &curved, flat.node(r * KM))?;
    }
    Ok(())
}

/// A thin, cold wind above a surface that shines with the same spectrum in both metrics.
fn solve(metric: &str) -> Outcome<Solution> {
    let inflow = format!("Given(\"1/(exp(energy/{TEMPERATURE}) + 1)\")");
    let radii = format!(
        "Segments(start: \"{SURFACE} km\", segments: [(end: \"100 km\", elements: 16, spacing: Geometric)])"
    );
    let overrides: [Override; 10] = [
        ("background.metric", metric),
        ("background.matter.density", "\"1e7 g/cm3\""),
        ("background.matter.density_exponent", "3"),
        ("background.matter.temperature", "\"0.8 MeV\""),
        ("background.matter.temperature_exponent", "0.5"),
        ("opacities", "[Rates(charged_current: (weak_magnetism: false))]"),
        ("phase_space.r.elements", &radii),
        ("phase_space.mu", "Graded(degree: 3, inward: 2, outward: 12, finest: 1e-3)"),
        ("phase_space.energy.degree", "3"),
        ("boundary.inner", &inflow),
    ];
    Solution::new("pns_atmosphere_cooling", &overrides, Resolution::Standard)
}

fn row(flat: &Solution, curved: &Solution, i: usize) -> Outcome {
    print!("{:6.2}", flat.radii()[i] / KM);
    let shift = shift(curved, flat.radii()[i]);
    heating(flat, curved, i, shift)?;
    wind(flat, curved, i, shift)
}

/// α_R/α(r).
fn shift(curved: &Solution, r: f64) -> f64 {
    let background = &curved.setup.background;
    background.lapse(SURFACE * KM) / background.lapse(r)
}

/// Heating with gravity over that without, by νe and by ν̄e.
fn heating(flat: &Solution, curved: &Solution, i: usize, shift: f64) -> Outcome {
    let r = flat.radii()[i];
    let dilution = filling(r, 1.0 / shift) / filling(r, 1.0);
    for (species, (name, sign)) in [("nue", 1.0), ("anue", -1.0)].into_iter().enumerate() {
        let measured = curved.heating(PROCESS, species)?[i] / flat.heating(PROCESS, species)?[i];
        let expected = dilution * captures(3, shift * TEMPERATURE, sign) / captures(3, TEMPERATURE, sign);
        print!("  {measured:19.4}  {expected:8.4}");
        let what = format!("heating by {name} at {:.1} km", r / KM);
        require_close(&what, measured, expected, TOLERANCE)?;
        require(measured < 1.0, format!("gravity weakens {what}"))?;
    }
    Ok(())
}

/// Y_e that absorption alone would bring a wind to.
fn wind(flat: &Solution, curved: &Solution, i: usize, shift: f64) -> Outcome {
    let mut found = Vec::new();
    for (solution, temperature) in [(flat, TEMPERATURE), (curved, shift * TEMPERATURE)] {
        let measured = solution.reals("ye_equilibrium_absorption")?[i];
        let expected = electron_fraction(temperature);
        print!("  {measured:10.4}  {expected:8.4}");
        require_close(&format!("Y_e at node {i}"), measured, expected, TOLERANCE)?;
        found.push(measured);
    }
    println!();
    require(found[1] > found[0], format!("gravity raises Y_e at node {i}"))
}

/// J/f = (1 − μ_c)/2 of the surface seen from r, sin θ_c = (R/α_R)(α/r), where α/α_R is `blueshift`.
fn filling(r: f64, blueshift: f64) -> f64 {
    let sine = SURFACE * KM * blueshift / r;
    0.5 * (1.0 - (1.0 - sine * sine).sqrt())
}

/// ∫εⁿ(ε ± Δ)² f dε of a Fermi-Dirac spectrum: number (n = 2) and energy (n = 3) that nucleons capture.
fn captures(power: i32, temperature: f64, sign: f64) -> f64 {
    let shift = sign * WeakConstants::default().mass_difference() / temperature;
    let [low, middle, high] = [power, power + 1, power + 2].map(fermi_integral);
    temperature.powi(power + 3) * (high + 2.0 * shift * middle + shift * shift * low)
}

/// Y_e at which captures of νe by neutrons and of ν̄e by protons balance.
fn electron_fraction(temperature: f64) -> f64 {
    let (neutrinos, antineutrinos) = (captures(2, temperature, 1.0), captures(2, temperature, -1.0));
    neutrinos / (neutrinos + antineutrinos)
}
