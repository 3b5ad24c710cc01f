//! Heating by neutrinos goes with their luminosity and mean squared energy; see neutrino_heating.md.
//!
//! ```text
//! cargo run --release --example neutrino_heating
//! ```

mod support;

use std::f64::consts::PI;

use support::{KM, Outcome, Override, Solution, fermi_integral, require_close};
use tolman::constants::ATOMIC_MASS_UNIT;
use tolman::opacities::weak::WeakConstants;
use tolman::problem::Resolution;

/// Where heating is measured [km].
const RADIUS: f64 = 150.0;
/// What the closed form neglects: the electron's mass, emission, blocking, and the grid.
const TOLERANCE: f64 = 2e-3;
/// νe + n and ν̄e + p.
const PROCESS: &str = "nucleon_absorption";
/// Names and signs of Δ in the energy of the lepton that is made.
const SPECIES: [(&str, f64); 2] = [("nue", 1.0), ("anue", -1.0)];

/// Heating per gram of free neutrons (or protons) at [`RADIUS`], and what it comes from.
struct Heating {
    luminosity: f64,
    rms_energy: f64,
    flux_factor: f64,
    radius: f64,
    measured: f64,
}

pub fn main() -> Outcome {
    println!(
        "species  T of inflow [MeV]  inflow  L [erg/s]  rms energy [MeV]  q [erg/g/s]  q/(L<e2> law)  expected"
    );
    let mut heatings = Vec::new();
    for (temperature, strength) in [(3.0, 1.0), (4.0, 1.0), (4.0, 0.5), (6.0, 1.0), (9.0, 1.0)] {
        let solution = solve(temperature, strength)?;
        for (s, (name, sign)) in SPECIES.into_iter().enumerate() {
            let heating = heating(&solution, s)?;
            let (ratio, expected) = (heating.measured / law(&heating), threshold(sign, temperature));
            print!("{name:7}  {temperature:17.1}  {strength:6.2}  {:9.3e}", heating.luminosity);
            let (rms, measured) = (heating.rms_energy, heating.measured);
            println!("  {rms:16.3}  {measured:11.3e}  {ratio:13.4}  {expected:8.4}");
            let what = format!("q({name}) over L<e2> at T = {temperature} MeV");
            require_close(&what, ratio, expected, TOLERANCE)?;
            heatings.push(heating);
        }
    }
    let (full, half) = (&heatings[2], &heatings[4]);
    require_close("q at half the luminosity", half.measured, 0.5 * full.measured, 1e-3)
}

/// A thin, cold atmosphere on which neutrinos shine from inside, without corrections of the order ε/m.
fn solve(temperature: f64, strength: f64) -> Outcome<Solution> {
    let inflow = format!("Given(\"{strength}/(exp(energy/{temperature}) + 1)\")");
    let overrides: [Override; 8] = [
        ("background.metric", "Flat"),
        ("background.matter.density", "\"1e9 g/cm3\""),
        ("background.matter.temperature", "\"4 MeV\""),
        ("opacities", "[Rates(charged_current: (weak_magnetism: false))]"),
        (
            "phase_space.r.elements",
            "Segments(start: \"60 km\", segments: [(end: \"200 km\", elements: 12, spacing: Geometric)])",
        ),
        ("phase_space.mu", "Graded(degree: 3, inward: 2, outward: 10, finest: 1e-3)"),
        ("phase_space.energy.degree", "3"),
        ("boundary.inner", &inflow),
    ];
    Solution::new("pns_atmosphere_accretion", &overrides, Resolution::Standard)
}

fn heating(solution: &Solution, species: usize) -> Outcome<Heating> {
    let i = solution.node(RADIUS * KM);
    let radius = solution.radii()[i];
    let matter = solution.setup.background.matter(radius).ok_or("no matter")?;
    let targets = [matter.neutron_fraction, matter.proton_fraction][species];
    Ok(Heating {
        luminosity: solution.of_species("luminosity", species)?[i],
        rms_energy: solution.of_species("rms_energy", species)?[i],
        flux_factor: solution.of_species("flux_factor", species)?[i],
        radius,
        measured: solution.heating(PROCESS, species)?[i] / targets,
    })
}

/// L⟨ε²⟩/(4πr²⟨μ⟩) σ/(ε² m_u) with the cross-section σ = G_F²(ħc)²V_ud²(1 + 3g_A²) ε²/π and
/// ⟨ε²⟩ = ∫ε⁵/∫ε³.
fn law(heating: &Heating) -> f64 {
    let weak = WeakConstants::default();
    let couplings = weak.up_down_mixing.powi(2) * (1.0 + 3.0 * weak.axial_coupling.powi(2));
    let flux = heating.luminosity / (4.0 * PI * heating.radius.powi(2) * heating.flux_factor);
    flux * heating.rms_energy.powi(2) * weak.cross_section_scale() * couplings / ATOMIC_MASS_UNIT
}

/// ⟨ε³(ε ± Δ)²⟩/⟨ε⁵⟩ of a Fermi-Dirac spectrum.
fn threshold(sign: f64, temperature: f64) -> f64 {
    let shift = sign * WeakConstants::default().mass_difference() / temperature;
    let [third, fourth, fifth] = [3, 4, 5].map(fermi_integral);
    1.0 + (2.0 * shift * fourth + shift * shift * third) / fifth
}
