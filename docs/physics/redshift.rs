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
        "r [km]  q(nue) curved/flat  expected  q(anue) curved/flat  expected  Y_e flat  expected  Y_e curved  expected"
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
    let r = flat.radii()[i];
    let lapse = |r: f64| curved.setup.background.lapse(r);
    let (shift, at) = (lapse(SURFACE * KM) / lapse(r), format!("at {:.1} km", r / KM));
    let dilution = filling(r, 1.0 / shift) / filling(r, 1.0);
    let mut ratios = [[0.0; 2]; 2];
    for (species, sign) in [1.0, -1.0].into_iter().enumerate() {
        let measured = curved.heating(PROCESS, species)?[i] / flat.heating(PROCESS, species)?[i];
        let expected = dilution * captures(3, shift * TEMPERATURE, sign) / captures(3, TEMPERATURE, sign);
        ratios[species] = [measured, expected];
        require_close(&format!("heating by species {species} {at}"), measured, expected, TOLERANCE)?;
        require(measured < 1.0, format!("gravity weakens heating {at}"))?;
    }
    let wind = |solution: &Solution| {
        Ok::<f64, Box<dyn std::error::Error>>(solution.reals("ye_equilibrium_absorption")?[i])
    };
    let (ye_flat, ye_curved) = (wind(flat)?, wind(curved)?);
    let expected = [1.0, shift].map(|shift| electron_fraction(shift * TEMPERATURE));
    println!(
        "{:6.2}  {:18.4}  {:8.4}  {:19.4}  {:8.4}  {ye_flat:8.4}  {:8.4}  {ye_curved:10.4}  {:8.4}",
        r / KM,
        ratios[0][0],
        ratios[0][1],
        ratios[1][0],
        ratios[1][1],
        expected[0],
        expected[1]
    );
    require_close(&format!("Y_e in flat space {at}"), ye_flat, expected[0], TOLERANCE)?;
    require_close(&format!("Y_e with gravity {at}"), ye_curved, expected[1], TOLERANCE)?;
    require(ye_curved > ye_flat, format!("gravity raises Y_e {at}"))
}

/// J/f = (1 − μ_c)/2 of the surface seen from r, where its lapse is 1/`blueshift` of that at r:
/// sin θ_c = (R/α_R)(α/r).
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
