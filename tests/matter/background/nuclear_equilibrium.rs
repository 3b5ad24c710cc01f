//! Nuclear statistical equilibrium: limits, identities, and numbers of a separate solution at 40 digits (mpmath:
//! the Saha equation as it stands, two-dimensional Newton, polylogarithms for the nucleons).

use std::path::Path;

use tolman::background::nuclear_equilibrium::{NUCLIDES, NuclearEquilibrium};
use tolman::constants::{ATOMIC_MASS_UNIT, HBAR_C, NEUTRON_MASS, PROTON_MASS};
use tolman::units::UnitSystem;

use super::{build_in, physical};

const ELECTRON_FRACTIONS: [f64; 13] =
    [1e-12, 0.01, 0.1, 0.2, 0.3, 0.375, 0.41, 0.46, 0.49, 0.5, 0.52, 0.9, 0.999_999];

fn solve(density: f64, temperature: f64, electron_fraction: f64) -> NuclearEquilibrium {
    NuclearEquilibrium::solve(density, temperature, electron_fraction).unwrap()
}

fn fraction(state: &NuclearEquilibrium, name: &str) -> f64 {
    state.nuclide_fractions[NUCLIDES.iter().position(|nuclide| nuclide.name == name).unwrap()]
}

/// Z m_p + N m_n − m against the evaluation's own table of binding energies per nucleon (keV, Wang et al. 2021),
/// which are of neutral atoms: the difference is the electrons'.
#[rstest::rstest]
#[case("4He", 7073.9156)]
#[case("56Fe", 8790.3563)]
#[case("56Ni", 8642.7790)]
#[case("62Ni", 8794.5555)]
fn binding_energies_are_the_evaluations(#[case] name: &str, #[case] per_nucleon: f64) {
    let nuclide = NUCLIDES.iter().find(|nuclide| nuclide.name == name).unwrap();
    let electrons = 1e-6 * 14.4381 * nuclide.charge.powf(2.39) - nuclide.charge * 13.6e-6;
    let evaluated = 1e-3 * per_nucleon * nuclide.mass_number;
    let difference = nuclide.binding_energy() + electrons - evaluated;
    assert!(difference.abs() < 3e-3, "{difference:e} MeV");
}

/// Everywhere in the range: mass fractions in [0, 1] of sum 1, charge Y_e.
#[test]
fn baryon_number_and_charge_are_the_matters() {
    let mut worst: f64 = 0.0;
    for (i, j) in (0..=13).flat_map(|i| (0..=12).map(move |j| (i, j))) {
        let (density, temperature) = (10f64.powi(i), 0.3 * 400f64.powf(f64::from(j) / 12.0));
        for ye in ELECTRON_FRACTIONS {
            let state = solve(density, temperature, ye);
            let matter = state.matter();
            let fractions = [
                matter.neutron_fraction,
                matter.proton_fraction,
                matter.alpha_fraction,
                matter.heavy_fraction,
            ];
            assert!(fractions.iter().all(|x| (0.0..=1.0 + 1e-14).contains(x)), "{matter:?}");
            let heavy = if matter.heavy_fraction > 0.0 {
                matter.heavy_fraction * matter.heavy_charge / matter.heavy_mass_number
            } else {
                0.0
            };
            let charge = matter.proton_fraction + 0.5 * matter.alpha_fraction + heavy;
            worst = worst.max((fractions.iter().sum::<f64>() - 1.0).abs()).max((charge - ye).abs());
        }
    }
    assert!(worst < 1e-12, "{worst:e}");
}

/// n_A/(n_n^N n_p^Z) of the Saha equation where nucleons are dilute, from the mass fractions alone.
#[rstest::rstest]
#[case(1e6, 0.4, 0.46)]
#[case(1e9, 0.9, 0.5)]
#[case(1e8, 0.6, 0.4)]
#[case(1e7, 3.0, 0.3)]
fn nuclei_and_nucleons_are_in_the_ratio_of_saha(
    #[case] density: f64,
    #[case] temperature: f64,
    #[case] ye: f64,
) {
    let state = solve(density, temperature, ye);
    let baryons = density / ATOMIC_MASS_UNIT;
    let quantum = |mass: f64| (mass * temperature / (2.0 * std::f64::consts::PI)).powf(1.5) / HBAR_C.powi(3);
    let nucleon = |x: f64| (x * baryons / (2.0 * quantum(0.5 * (NEUTRON_MASS + PROTON_MASS)))).ln();
    // ln of F½(η)/Γ(3/2) is η − e^η/2^(3/2) in dilute gases.
    let degenerate = |log: f64| log + log.exp() / 8f64.sqrt();
    let (n, p) = (nucleon(state.neutron_fraction), nucleon(state.proton_fraction));
    for (nuclide, x) in NUCLIDES.iter().zip(state.nuclide_fractions).filter(|(_, x)| *x > 1e-290) {
        let (a, z) = (nuclide.mass_number, nuclide.charge);
        let stated = (x * baryons / a).ln();
        let saha = (nuclide.degeneracy * quantum(nuclide.rest_energy())).ln()
            + z * degenerate(p)
            + (a - z) * degenerate(n)
            + nuclide.binding_energy() / temperature;
        let size = 1.0 + z * p.abs() + (a - z) * n.abs() + nuclide.binding_energy() / temperature;
        assert!((stated - saha).abs() < 1e-12 * size, "{}: {stated} {saha}", nuclide.name);
    }
    let consistent =
        |degeneracy: f64, log: f64| (degeneracy - degenerate(log)).abs() < 1e-12 * (1.0 + log.abs());
    assert!(consistent(state.neutron_degeneracy, n) && consistent(state.proton_degeneracy, p));
}

/// η_n, η_p, X_n, X_p, X_α, X_heavy and A of the heavy nuclei from mpmath.
#[rstest::rstest]
#[case(1e8, 15.0, 0.3, [-13.392_826_198_083_54, -14.240_124_366_779_74, 0.7, 0.3, 4.767_477_587_262_178e-17, 1.130_764_795_957_915e-265, 48.000_000_000_003_89])]
#[case(1e9, 0.9, 0.5, [-10.196_108_947_210_98, -10.188_091_487_200_51, 0.025_155_681_222_558_15, 0.025_358_173_862_282_29, 0.947_321_568_424_254_1, 0.002_164_576_490_905_456, 53.269_216_941_048_41])]
#[case(1e10, 1.3, 0.5, [-7.362_579_210_031_014, -7.362_579_133_080_856, 0.074_247_527_189_027_05, 0.074_247_532_901_105_04, 0.851_504_884_352_448_8, 5.555_741_920_694_484e-8, 51.542_257_991_472_06])]
#[case(1e7, 0.35, 0.5, [-34.340_315_434_816_25, -15.727_216_753_451_08, 1.993_813_200_574_896e-11, 0.002_416_854_428_045_916, 0.001_083_851_550_994_657, 0.996_499_294_001_021_3, 55.906_719_900_954_32])]
#[case(1e9, 0.5, 0.46, [-18.437_237_243_955_32, -17.196_419_194_777_15, 2.745_721_655_888_287e-6, 9.495_917_594_557_379e-6, 0.001_867_718_473_930_813, 0.998_120_039_886_818_7, 55.685_619_371_626_11])]
#[case(3e11, 1.0, 0.35, [-3.662_417_566_226_964, -16.733_540_346_904_33, 0.066_957_308_403_767_92, 1.422_284_254_850_515e-7, 0.000_155_738_503_845_468_5, 0.932_886_810_863_961_1, 80.011_472_832_817_38])]
#[case(1e13, 5.0, 0.2, [-0.193_613_151_418_370_5, -4.579_109_110_709_484, 0.578_219_238_073_505_1, 0.009_028_071_623_703_376, 0.286_571_886_223_086_3, 0.126_180_804_079_705_3, 77.137_299_590_093_52])]
#[case(1e13, 0.3, 0.3, [7.375_213_010_958_172, -87.366_806_380_900_54, 0.2, 1.479_625_713_390_235e-40, 6.231_200_399_808_852e-30, 0.8, 80.0])]
#[case(1e6, 0.4, 0.55, [-29.560_809_342_568_49, -14.441_404_295_752_42, 2.899_916_610_540_389e-8, 0.106_821_730_439_563_5, 0.100_329_334_738_491_4, 0.792_848_905_822_778_9, 55.669_177_379_100_42])]
fn numbers_are_those_of_a_separate_solution(
    #[case] density: f64,
    #[case] temperature: f64,
    #[case] ye: f64,
    #[case] exact: [f64; 7],
) {
    let state = solve(density, temperature, ye);
    let matter = state.matter();
    let found = [
        state.neutron_degeneracy,
        state.proton_degeneracy,
        matter.neutron_fraction,
        matter.proton_fraction,
        matter.alpha_fraction,
        matter.heavy_fraction,
        matter.heavy_mass_number,
    ];
    for (found, exact) in found.iter().zip(exact) {
        assert!((found / exact - 1.0).abs() < 2e-11, "{found:e} {exact:e}");
    }
}

#[test]
fn limits_are_the_known_ones() {
    // Hot: free nucleons.
    let hot = solve(1e9, 10.0, 0.3);
    assert!((hot.neutron_fraction - 0.7).abs() < 1e-9 && (hot.proton_fraction - 0.3).abs() < 1e-9);
    // Between: α particles.
    assert!(fraction(&solve(1e10, 1.2, 0.5), "4He") > 0.9);
    // Cold and symmetric: 56Ni.
    assert!(fraction(&solve(1e10, 0.4, 0.5), "56Ni") > 0.98);
    // Cold with the Z/A of 56Fe: mostly that.
    assert!(fraction(&solve(1e8, 0.35, 26.0 / 56.0), "56Fe") > 0.7);
    // No protons, no neutrons.
    let neutrons = solve(1e10, 1.0, 0.0);
    assert!(neutrons.neutron_fraction == 1.0 && neutrons.proton_degeneracy == f64::NEG_INFINITY);
    assert!(neutrons.matter().neutron_chemical_potential.is_none());
    assert_eq!(solve(1e10, 1.0, 1.0).matter().proton_fraction, 1.0);
}

#[rstest::rstest]
#[case(2e13, 1.0, 0.3, "density 2e13 g/cm3; valid: a density above 0 and at most 1e13 g/cm3")]
#[case(0.0, 1.0, 0.3, "density 0e0 g/cm3")]
#[case(f64::NAN, 1.0, 0.3, "density NaN g/cm3")]
#[case(1e10, 0.2, 0.3, "temperature 2e-1 MeV; valid: a temperature of at least 0.3 MeV")]
#[case(1e10, f64::INFINITY, 0.3, "temperature inf MeV")]
#[case(1e10, 1.0, 1.1, "electron fraction 1.1; valid: 0 to 1")]
#[case(1e10, 1.0, f64::NAN, "electron fraction NaN; valid: 0 to 1")]
fn other_matter_is_refused(
    #[case] density: f64,
    #[case] temperature: f64,
    #[case] ye: f64,
    #[case] said: &str,
) {
    let message = NuclearEquilibrium::solve(density, temperature, ye).unwrap_err().to_string();
    assert!(message.contains(said), "{message}");
}

fn atmosphere(composition: &str) -> String {
    format!(
        "(metric: Flat, matter: PowerLawAtmosphere(reference_radius: \"30 km\", density: \"1e12 g/cm3\", \
         density_exponent: 3, temperature: \"5 MeV\", temperature_exponent: 1, electron_fraction: (inner: 0.2, \
         inner_radius: \"30 km\", outer: 0.5, outer_radius: \"300 km\"), composition: {composition}))"
    )
}

#[test]
fn an_atmosphere_has_the_composition_of_its_place() {
    let background = physical(&atmosphere("NuclearStatisticalEquilibrium()"));
    assert!(background.describe().contains("Ye 0.2 to 0.5, nuclear statistical equilibrium"));
    background.check_range(2e6, 4.9e7).unwrap();
    let matter = background.matter(2.1e7).unwrap();
    assert_eq!(matter, solve(matter.density, matter.temperature, matter.electron_fraction).matter());
    assert!(matter.heavy_fraction > 0.9);
}

/// Below 0.3 MeV (beyond 500 km) the matter is refused, or keeps its composition.
#[test]
fn cold_matter_is_refused_or_frozen() {
    let background = physical(&atmosphere("NuclearStatisticalEquilibrium()"));
    let message = background.check_range(2e6, 6e7).unwrap_err().to_string();
    assert!(message.contains("background.matter: found temperature 2.99"), "{message}");
    assert!(message.contains("MeV at r = 5.0") && message.contains("at least 0.3 MeV"), "{message}");
    assert!(message.contains("cold: Frozen") && background.matter(6e7).is_none());
    let background = physical(&atmosphere("NuclearStatisticalEquilibrium(cold: Frozen)"));
    background.check_range(2e6, 1e8).unwrap();
    let cold = background.matter(6e7).unwrap();
    let last = solve(cold.density, 0.3, cold.electron_fraction).matter();
    assert!((cold.temperature - 0.25).abs() < 1e-12 && cold.heavy_fraction == last.heavy_fraction);
    assert_eq!((cold.neutron_chemical_potential, cold.alpha_fraction), (None, last.alpha_fraction));
}

#[test]
fn dense_matter_is_refused_or_of_free_nucleons() {
    let uniform = |composition: &str| {
        format!(
            "(metric: Flat, matter: Uniform(density: \"3e13 g/cm3\", temperature: \"5 MeV\", \
             electron_fraction: 0.2, composition: {composition}))"
        )
    };
    let build = |composition: &str, units| build_in(Path::new("."), &uniform(composition), units);
    let message = build("NuclearStatisticalEquilibrium()", UnitSystem::PHYSICAL).unwrap_err().to_string();
    assert!(message.contains("background.matter: found density 3e13 g/cm3"), "{message}");
    assert!(message.contains("dense: FreeNucleons"), "{message}");
    let free = physical(&uniform("NuclearStatisticalEquilibrium(dense: FreeNucleons)")).matter(1e6).unwrap();
    assert!(free.neutron_fraction == 0.8 && free.heavy_fraction == 0.0);
}

#[test]
fn dimensionless_matter_has_no_nuclei() {
    let text = "(metric: Flat, matter: Uniform(density: 1, temperature: 1, electron_fraction: 0.5, \
                composition: NuclearStatisticalEquilibrium()))";
    let message = build_in(Path::new("."), text, UnitSystem::DIMENSIONLESS).unwrap_err().to_string();
    assert!(message.contains("background.matter.composition: found nuclear statistical"), "{message}");
}

const PROFILE: &str =
    "# r,rho,T,ye,xn,xp\n1e6,1e11,4,0.2,0.8,0.2\n2e7,1e9,1,0.45,0.55,0.45\n4e7,1e8,0.6,0.48,0.52,0.48\n";

fn profile(more_columns: &str, more: &str) -> String {
    let column = |name: &str, unit: &str| format!("(name: \"{name}\", unit: \"{unit}\")");
    format!(
        "(metric: Flat, matter: Profile((file: \"p.csv\", columns: (r: {}, density: {}, temperature: {}, \
         electron_fraction: {}{more_columns}){more})))",
        column("r", "cm"),
        column("rho", "g/cm3"),
        column("T", "MeV"),
        column("ye", "1")
    )
}

#[test]
fn a_profile_without_composition_gets_it() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("p.csv"), PROFILE).unwrap();
    let build = |text: &str| build_in(folder.path(), text, UnitSystem::PHYSICAL);
    let background = build(&profile("", ", composition: NuclearStatisticalEquilibrium()")).unwrap();
    assert!(background.describe().contains("no mass fractions: nuclear statistical equilibrium"));
    let matter = background.matter(4e7).unwrap();
    assert!(matter.heavy_fraction > 0.5 && (matter.electron_fraction - 0.48).abs() < 1e-12);
    assert!(background.contradictions(1e6, 4e7).is_empty());
    let fractions =
        ", neutron_fraction: (name: \"xn\", unit: \"1\"), proton_fraction: (name: \"xp\", unit: \"1\")";
    let text = profile(fractions, ", composition: NuclearStatisticalEquilibrium()");
    let message = build(&text).unwrap_err().to_string();
    assert!(
        message
            .contains("background.matter.composition: found a composition beside columns of mass fractions"),
        "{message}"
    );
}
