//! Opacities from problem files: values against closed forms, and every message about bad input.

use tolman::background::MatterState;
use tolman::error::Result;
use tolman::opacities::{EnergyNode, LocalOpacity, Opacities, RadialPoint, Surroundings};
use tolman::problem::BuildContext;
use tolman::problem::file::{OpacityFile, SpeciesFile};
use tolman::units::UnitSystem;

const PHYSICAL: bool = true;
const DIMENSIONLESS: bool = false;

fn parse<T: serde::de::DeserializeOwned>(text: &str) -> T {
    ron::Options::default()
        .with_default_extension(ron::extensions::Extensions::IMPLICIT_SOME)
        .from_str(text)
        .unwrap()
}

fn species() -> Vec<SpeciesFile> {
    parse(
        "[(name: \"nue\", flavour: ElectronNeutrino), (name: \"anue\", flavour: ElectronAntineutrino),
          (name: \"nux\", multiplicity: 4)]",
    )
}

/// Lapse of a test background.
fn lapse(r: f64) -> f64 {
    (1.0 - 0.5 / (1.0 + r)).sqrt()
}

fn build_in(physical: bool, has_matter: bool, sources: &str) -> Result<Opacities> {
    let files: Vec<OpacityFile> = parse(sources);
    let context = BuildContext { units: UnitSystem { physical }, folder: ".".into(), data: None };
    Opacities::build(&files, &species(), &context, Surroundings { lapse: &lapse, has_matter })
}

fn build(sources: &str) -> Opacities {
    build_in(DIMENSIONLESS, false, sources).unwrap()
}

fn at(opacities: &Opacities, r: f64, energy: f64) -> Vec<LocalOpacity> {
    try_at(opacities, r, energy, None).unwrap()
}

fn try_at(
    opacities: &Opacities,
    r: f64,
    energy: f64,
    matter: Option<&MatterState>,
) -> Result<Vec<LocalOpacity>> {
    let point = RadialPoint { r, lapse: lapse(r), matter };
    let nodes = [EnergyNode { energy, element: None }];
    Ok(opacities.at_radius(&point, &nodes)?.column(0).to_vec())
}

fn close(value: f64, exact: f64) -> bool {
    (value - exact).abs() <= 1e-14 * exact.abs()
}

#[test]
fn constants_act_inside_their_closed_open_region() {
    let opacities = build(
        "[Absorption(absorption: Constant(4.0), equilibrium: Constant(0.8), region: (inner: 0.5, outer: 1.0)),
          Scattering(scattering: Constant(3.0), mean_cosine: -0.2)]",
    );
    assert_eq!(opacities.discontinuities(), [0.5, 1.0]);
    for (r, inside) in [(0.499, false), (0.5, true), (0.999, true), (1.0, false)] {
        for opacity in at(&opacities, r, 1.0) {
            let absorption = if inside { 4.0 } else { 0.0 };
            assert_eq!(opacity.absorption, absorption);
            assert!(close(opacity.emissivity, 0.8 * absorption));
            assert!(close(opacity.scattering, 3.0) && close(opacity.scattering_first, -0.6));
        }
    }
}

#[test]
fn units_are_converted() {
    let opacities = build_in(
        PHYSICAL,
        false,
        "[Absorption(absorption: PowerLaw(value: \"2 1/km\", r0: \"10 km\", r_exponent: -3, energy0: \"1 keV\",
                     energy_exponent: 2),
                     equilibrium: Constant(1), region: (outer: \"100 km\"))]",
    )
    .unwrap();
    assert_eq!(opacities.discontinuities(), [1e7]);
    let opacity = at(&opacities, 2e6, 3e-3)[0];
    assert!(close(opacity.absorption, 2e-5 * 9.0 / 8.0), "{opacity:?}");
}

#[test]
fn sources_add_up_for_the_species_they_name() {
    let opacities = build(
        "[Absorption(absorption: Constant(1.0), equilibrium: Constant(0.5), species: [\"nue\", \"nux\"]),
          Absorption(absorption: Constant(2.0), equilibrium: Constant(0.1), species: [\"nue\"])]",
    );
    let values = at(&opacities, 1.0, 1.0);
    assert!(close(values[0].absorption, 3.0) && close(values[0].emissivity, 0.7));
    assert_eq!(values[1], LocalOpacity::default());
    assert!(close(values[2].absorption, 1.0) && close(values[2].emissivity, 0.5));
    assert_eq!(opacities.describe().len(), 2);
}

#[test]
fn formulas_see_radius_energy_lapse_and_matter() {
    let opacities = build_in(
        DIMENSIONLESS,
        true,
        "[Absorption(absorption: Expression(\"r*energy^2 + density + ye\"),
                     equilibrium: Expression(\"lapse/temperature\"))]",
    )
    .unwrap();
    let matter =
        MatterState { density: 7.0, temperature: 2.0, electron_fraction: 0.25, ..MatterState::default() };
    let opacity = try_at(&opacities, 3.0, 2.0, Some(&matter)).unwrap()[0];
    assert!(close(opacity.absorption, 12.0 + 7.25));
    assert!(close(opacity.emissivity, 19.25 * lapse(3.0) / 2.0));
}

#[test]
fn fermi_dirac_follows_tolmans_law() {
    let opacities = build(
        "[Absorption(absorption: Constant(1.0), equilibrium: FermiDirac(
              temperature: Tolman(value: 5.0, at: 2.0),
              chemical_potential: Tolman(value: 3.0, at: 2.0), strength: 0.8))]",
    );
    for r in [0.0, 2.0, 9.0] {
        let shift = lapse(2.0) / lapse(r);
        let exact = 0.8 / (((11.0 - 3.0 * shift) / (5.0 * shift)).exp() + 1.0);
        assert!(close(at(&opacities, r, 11.0)[1].emissivity, exact));
    }
    // f_eq in E∞ = αε is then the same everywhere.
    let redshifted = |r: f64| at(&opacities, r, 4.0 / lapse(r))[0].emissivity;
    assert!((redshifted(1.0) / redshifted(50.0) - 1.0).abs() < 1e-14);
}

#[test]
fn fermi_dirac_takes_temperatures_from_matter_and_formulas() {
    let matter = MatterState { temperature: 4.0, ..MatterState::default() };
    let of_matter = build_in(
        DIMENSIONLESS,
        true,
        "[Absorption(absorption: Constant(1), equilibrium: FermiDirac(temperature: Matter))]",
    )
    .unwrap();
    let formula = build(
        "[Absorption(absorption: Constant(1), equilibrium: FermiDirac(temperature: Expression(\"8/r\"),
              chemical_potential: Constant(0.0)))]",
    );
    let exact = 1.0 / (1.5_f64.exp() + 1.0);
    assert!(close(try_at(&of_matter, 2.0, 6.0, Some(&matter)).unwrap()[0].emissivity, exact));
    assert!(close(at(&formula, 2.0, 6.0)[0].emissivity, exact));
}

#[test]
fn nucleons_absorb_their_flavours_and_scatter_all() {
    let opacities = build_in(PHYSICAL, true, "[Bruenn1985()]").unwrap();
    let matter = MatterState {
        density: 1e11,
        temperature: 4.0,
        electron_fraction: 0.2,
        neutron_fraction: 0.8,
        proton_fraction: 0.2,
        ..MatterState::default()
    };
    let values = try_at(&opacities, 1e6, 12.0, Some(&matter)).unwrap();
    assert!(values[0].absorption > values[1].absorption && values[1].absorption > 0.0);
    assert_eq!(values[2].absorption, 0.0);
    assert!(values[2].scattering > 0.0 && values.iter().all(|v| v.scattering == values[2].scattering));
    let absent = try_at(&opacities, 1e6, 12.0, Some(&MatterState::default())).unwrap();
    assert!(absent.iter().all(|value| *value == LocalOpacity::default()));
    let parts = build_in(
        PHYSICAL,
        true,
        "[Bruenn1985(charged_current: false), Bruenn1985(nucleon_scattering: false)]",
    )
    .unwrap();
    assert_eq!(try_at(&parts, 1e6, 12.0, Some(&matter)).unwrap(), values);
}

/// Matter with free nucleons, α particles and heavy nuclei.
fn mixture() -> MatterState {
    MatterState {
        density: 2e11,
        temperature: 1.5,
        electron_fraction: 0.38,
        neutron_fraction: 0.25,
        proton_fraction: 0.05,
        alpha_fraction: 0.1,
        heavy_fraction: 0.6,
        heavy_mass_number: 62.0,
        heavy_charge: 27.0,
        ..MatterState::default()
    }
}

#[test]
fn rates_without_corrections_are_bruenns() {
    let plain = "[Rates(charged_current: (weak_magnetism: false, nuclei: false),
                        scattering: (weak_magnetism: false, alpha: false, heavy: false))]";
    let values = |sources| {
        let opacities = build_in(PHYSICAL, true, sources).unwrap();
        try_at(&opacities, 1e6, 14.0, Some(&mixture())).unwrap()
    };
    for (value, bruenn) in values(plain).iter().zip(values("[Bruenn1985()]")) {
        assert!(close(value.absorption, bruenn.absorption) && close(value.emissivity, bruenn.emissivity));
        assert!(close(value.scattering, bruenn.scattering));
        assert!(close(value.scattering_first, bruenn.scattering_first));
    }
}

/// Each switch changes what it names and nothing else.
#[rstest::rstest]
#[case("charged_current: (nucleons: false)", [true, true, false, false])]
#[case("charged_current: (weak_magnetism: false)", [true, true, false, false])]
#[case("charged_current: (nucleon_blocking: false)", [true, true, false, false])]
#[case("charged_current: (nuclei: false)", [true, false, false, false])]
#[case("scattering: (nucleons: false)", [false, false, true, true])]
#[case("scattering: (weak_magnetism: false)", [false, false, true, true])]
#[case("scattering: (nucleon_blocking: false)", [false, false, true, true])]
#[case("scattering: (alpha: false)", [false, false, true, true])]
#[case("scattering: (heavy: false)", [false, false, true, true])]
#[case("scattering: (form_factor: false)", [false, false, true, true])]
#[case("scattering: (ion_correlations: false)", [false, false, true, true])]
#[case("scattering: (electron_polarisation: ByFlavour)", [false, false, true, true])]
#[case("scattering: (electron_polarisation: BurrowsReddyThompson)", [false, false, true, true])]
#[case("constants: NuLib", [true, true, true, true])]
fn switches_change_what_they_name(#[case] switch: &str, #[case] changed: [bool; 4]) {
    let values = |fields: &str| {
        let opacities = build_in(PHYSICAL, true, &format!("[Rates({fields})]")).unwrap();
        try_at(&opacities, 1e6, 4.0, Some(&mixture())).unwrap()
    };
    let (all, other) = (values(""), values(switch));
    let found = [
        all[0].absorption != other[0].absorption,
        all[1].absorption != other[1].absorption,
        all[0].scattering != other[0].scattering,
        all[2].scattering_first != other[2].scattering_first,
    ];
    assert_eq!(found, changed);
}

/// η = κ* f_eq with f_eq of μ_e + μ_p − μ_n for every process: the net rate vanishes in equilibrium. The
/// potentials are stated ones, so that f_eq is known.
#[test]
fn equilibrium_has_no_net_rate() {
    let opacities = build_in(PHYSICAL, true, "[Rates()]").unwrap();
    let matter = MatterState {
        electron_chemical_potential: Some(21.0),
        neutron_chemical_potential: Some(935.0),
        proton_chemical_potential: Some(924.0),
        ..mixture()
    };
    for energy in [2.0, 9.0, 40.0, 150.0] {
        let values = try_at(&opacities, 1e6, energy, Some(&matter)).unwrap();
        for (value, potential) in values.iter().zip([10.0, -10.0]) {
            let equilibrium = 1.0 / (((energy - potential) / 1.5_f64).exp() + 1.0);
            let net = value.absorption * equilibrium - value.emissivity;
            assert!(net.abs() <= 1e-12 * value.emissivity, "{energy}: {net:e} of {:e}", value.emissivity);
        }
    }
}

/// One νx stands for neutrinos and antineutrinos: its scattering is the mean of theirs.
#[test]
fn heavy_neutrinos_alone_are_a_mean() {
    let context = BuildContext { units: UnitSystem { physical: true }, folder: ".".into(), data: None };
    let surroundings = Surroundings { lapse: &lapse, has_matter: true };
    let values = |species: &str| {
        let species: Vec<SpeciesFile> = parse(species);
        let opacities = Opacities::build(&parse::<Vec<_>>("[Rates()]"), &species, &context, surroundings);
        try_at(&opacities.unwrap(), 1e6, 30.0, Some(&mixture())).unwrap()
    };
    let alone = values("[(name: \"nux\", flavour: Heavy)]");
    let both = values("[(name: \"nux\", flavour: Heavy), (name: \"anux\", flavour: HeavyAntineutrino)]");
    assert!(both[0].scattering > both[1].scattering);
    let mean = 0.5 * (both[0].scattering + both[1].scattering);
    assert!((alone[0].scattering / mean - 1.0).abs() < 1e-13);
}

#[rstest::rstest]
#[case(
    "Rates(charged_current: (nucleons: false, weak_magnetism: true))",
    "opacities[0].charged_current.weak_magnetism: found a correction of a process that is off"
)]
#[case(
    "Rates(scattering: (heavy: false, form_factor: true))",
    "opacities[0].scattering.form_factor: found a correction of a process that is off (`heavy: false`)"
)]
#[case(
    "Rates(charged_current: (nucleons: false, nuclei: false),
           scattering: (nucleons: false, alpha: false, heavy: false))",
    "opacities[0]: found rates with every process off; valid: at least one process"
)]
fn idle_switches_are_refused(#[case] source: &str, #[case] said: &str) {
    let message = build_in(PHYSICAL, true, &format!("[{source}]")).unwrap_err().to_string();
    assert!(message.contains(said), "{message}");
}

#[rstest::rstest]
#[case(
    "[Absorption(absorption: Constant(-4), equilibrium: Constant(1))]",
    "opacities[0].absorption: found -4; valid: a value >= 0"
)]
#[case(
    "[Absorption(absorption: Constant(1), equilibrium: Constant(-0.5))]",
    "opacities[0].equilibrium: found -0.5; valid: a value >= 0"
)]
#[case("[Scattering(scattering: PowerLaw(value: -1))]", "opacities[0].scattering.value: found -1;")]
#[case(
    "[Scattering(scattering: PowerLaw(value: 1, r_exponent: 2))]",
    "opacities[0].scattering.r0: found nothing; valid: the reference of the exponent 2"
)]
#[case(
    "[Scattering(scattering: PowerLaw(value: 1, energy0: 0, energy_exponent: 2))]",
    "opacities[0].scattering.energy0: found 0; valid: a value > 0"
)]
#[case(
    "[Scattering(scattering: Constant(1), mean_cosine: 1.5)]",
    "opacities[0].mean_cosine: found 1.5; valid: between -1 and 1"
)]
#[case(
    "[Scattering(scattering: Constant(1), region: (inner: 2, outer: 1))]",
    "opacities[0].region: found inner = 2, outer = 1; valid: inner < outer"
)]
#[case(
    "[Scattering(scattering: Constant(1), region: (inner: -2))]",
    "opacities[0].region.inner: found -2; valid: a value >= 0"
)]
#[case(
    "[Scattering(scattering: Constant(1), species: [\"numu\"])]",
    "opacities[0].species: found \"numu\"; valid: species of the problem: nue, anue, nux"
)]
#[case("[Scattering(scattering: Expression(\"density\"))]", "`density` is not one of them")]
#[case("[Scattering(scattering: Constant(\"1 1/cm\"))]", "opacities[0].scattering: found")]
#[case(
    "[Absorption(absorption: Constant(1), equilibrium: FermiDirac(temperature: Constant(0)))]",
    "opacities[0].equilibrium.temperature: found 0; valid: a temperature > 0"
)]
#[case(
    "[Absorption(absorption: Constant(1), equilibrium: FermiDirac(temperature: Matter))]",
    "opacities[0].equilibrium.temperature: found Matter in a problem without matter"
)]
#[case(
    "[Absorption(absorption: Constant(1), equilibrium: FermiDirac(temperature: Constant(1),
        chemical_potential: Matter))]",
    "opacities[0].equilibrium.chemical_potential: found Matter, which is a temperature"
)]
#[case(
    "[Absorption(absorption: Constant(1), equilibrium: FermiDirac(temperature: Constant(1), strength: -1))]",
    "opacities[0].equilibrium.strength: found -1"
)]
#[case(
    "[Absorption(absorption: Constant(1), equilibrium: FermiDirac(temperature: Tolman(value: 1, at: -3)))]",
    "opacities[0].equilibrium.temperature.at: found -3; valid: a value >= 0"
)]
#[case("[Bruenn1985()]", "opacities[0]: found rates on nucleons in a dimensionless problem")]
#[case(
    "[ZoneTable(file: \"x.h5\", mapping: Pointwise)]",
    "opacities[0]: found a zone table in a dimensionless problem; valid: units: Physical"
)]
fn invalid_sources_are_named(#[case] sources: &str, #[case] said: &str) {
    let message = build_in(DIMENSIONLESS, false, sources).unwrap_err().to_string();
    assert!(message.contains(said), "{message}");
}

#[test]
fn rates_need_matter() {
    let message = build_in(PHYSICAL, false, "[Bruenn1985()]").unwrap_err().to_string();
    assert!(message.contains("opacities[0]") && message.contains("a background with matter"), "{message}");
    let opacities = build_in(PHYSICAL, true, "[Bruenn1985()]").unwrap();
    let message = try_at(&opacities, 3e6, 1.0, None).unwrap_err().to_string();
    assert!(message.contains("no matter at r = 3.000000e6"), "{message}");
}

#[test]
fn tables_below_the_data_folder_need_one() {
    let table = "[ZoneTable(file: \"data:x.h5\", mapping: Pointwise)]";
    let message = build_in(PHYSICAL, false, table).unwrap_err().to_string();
    assert!(message.contains("opacities[0].file") && message.contains("TOLMAN_DATA"), "{message}");
}

#[rstest::rstest]
#[case(
    "[Absorption(absorption: Expression(\"1 - r\"), equilibrium: Constant(1))]",
    "found absorption = -1e0 of nue at r = 2.000000e0, energy = 5.000000e0 (opacities[0]: absorption 1 - r"
)]
#[case(
    "[Absorption(absorption: Expression(\"ln(1 - r)\"), equilibrium: Constant(1), species: [\"nux\"])]",
    "found absorption = NaN of nux at r = 2.000000e0, energy = 5.000000e0 (opacities[0]: absorption ln(1 - r)"
)]
#[case(
    "[Absorption(absorption: Constant(1), equilibrium: Expression(\"energy - 7\"))]",
    "found emissivity = -2e0 of nue at r = 2.000000e0, energy = 5.000000e0"
)]
#[case(
    "[Scattering(scattering: Expression(\"1/(r-2)\"))]",
    "found scattering = inf of nue at r = 2.000000e0"
)]
#[case(
    "[Absorption(absorption: Constant(1), equilibrium: FermiDirac(temperature: Expression(\"r - 2\")))]",
    "opacities[0].equilibrium at r = 2.000000e0: temperature is 0e0"
)]
fn invalid_values_are_named(#[case] sources: &str, #[case] said: &str) {
    let message = try_at(&build(sources), 2.0, 5.0, None).unwrap_err().to_string();
    assert!(message.contains("opacities[0]") && message.contains(said), "{message}");
    assert!(message.contains("valid: "), "{message}");
}

#[rstest::rstest]
#[case(MatterState { temperature: 0.0, ..gas() }, "temperature [MeV] is 0e0; valid: a finite number > 0")]
#[case(MatterState { density: f64::NAN, ..gas() }, "density [g/cm3] is NaN; valid: a finite number >= 0")]
#[case(MatterState { proton_fraction: -0.1, ..gas() }, "proton_fraction is -1e-1")]
#[case(MatterState { electron_fraction: f64::INFINITY, ..gas() }, "electron_fraction is inf")]
#[case(MatterState { heavy_fraction: 0.4, ..gas() }, "heavy_mass_number 0 and heavy_charge 0")]
#[case(MatterState { alpha_fraction: -0.2, ..gas() }, "alpha_fraction is -2e-1")]
fn impossible_matter_is_named(#[case] matter: MatterState, #[case] said: &str) {
    let opacities = build_in(PHYSICAL, true, "[Rates()]").unwrap();
    let message = try_at(&opacities, 1e6, 5.0, Some(&matter)).unwrap_err().to_string();
    assert!(
        message.contains("opacities[0]: rates: absorption") && message.contains("r = 1.000000e6"),
        "{message}"
    );
    assert!(message.contains(said), "{message}");
}

fn gas() -> MatterState {
    MatterState {
        density: 1e10,
        temperature: 1.0,
        electron_fraction: 0.5,
        neutron_fraction: 0.5,
        proton_fraction: 0.5,
        ..MatterState::default()
    }
}

/// A profile of 400 radii with 24 energies and 3 species is a matter of milliseconds, and the same on
/// any thread.
#[test]
fn rates_are_cheap_and_the_same_on_every_thread() {
    let opacities = build_in(PHYSICAL, true, "[Bruenn1985()]").unwrap();
    let nodes: Vec<EnergyNode> =
        (1..=24).map(|k| EnergyNode { energy: 1.2f64.powi(k), element: None }).collect();
    let profile = || {
        (0..400)
            .map(|k| {
                let matter = MatterState { density: 1e7 * 1.04f64.powi(k), temperature: 5.0, ..gas() };
                let point = RadialPoint { r: 1e6, lapse: 1.0, matter: Some(&matter) };
                opacities.at_radius(&point, &nodes).unwrap()
            })
            .collect::<Vec<_>>()
    };
    let start = std::time::Instant::now();
    let here = profile();
    let elapsed = start.elapsed();
    println!("400 radii x 24 energies x 3 species: {elapsed:?}");
    assert!(elapsed.as_secs_f64() < 0.5, "{elapsed:?}");
    let there = std::thread::scope(|scope| scope.spawn(profile).join().unwrap());
    assert_eq!(here, there);
}
