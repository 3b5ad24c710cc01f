//! Profiles from hand-made tables: values, conventions, rejections.

use std::path::Path;

use rstest::rstest;
use tempfile::TempDir;
use tolman::background::Background;
use tolman::constants::{BOLTZMANN, GRAVITY_PER_C2, NEUTRON_MASS, PROTON_MASS, SOLAR_MASS, SPEED_OF_LIGHT};
use tolman::error::Result;
use tolman::units::UnitSystem;

use super::{build_in, close};

const HEADER: &str = "# made by hand\n# r,rho,T,ye,v,gamma,alpha,m,xn,xp,xa,xh,A,Z,mue,mun,mup\n";
const ROWS: [&str; 4] = [
    "1,4e14,1e11,0.10,-1e8,0.99,0.80,0.001,0.9,0.1,0,0,4,2,50,-10,-20",
    "2,2e14,9e10,0.15,-3e8,0.98,0.82,0.010,0.8,0.2,0,0,4,2,40,-11,-21",
    "3,1e14,8e10,0.25,-2e8,0.97,0.85,0.030,0.6,0.2,0.1,0.1,50,24,30,-12,-22",
    "4,1e13,5e10,0.50,-1e8,0.98,0.90,0.050,0,0,0,1,56,26,5,-13,-23",
];

const COLUMNS: &str = "r: (name: \"r\", unit: \"km\"), density: (name: \"rho\", unit: \"g/cm3\"), \
    temperature: (name: \"T\", unit: \"K\"), electron_fraction: (name: \"ye\", unit: \"1\"), \
    velocity: (name: \"v\", unit: \"cm/s\"), gamma: (name: \"gamma\", unit: \"1\"), \
    lapse: (name: \"alpha\", unit: \"1\"), enclosed_mass: (name: \"m\", unit: \"Msun\"), \
    neutron_fraction: (name: \"xn\", unit: \"1\"), proton_fraction: (name: \"xp\", unit: \"1\"), \
    alpha_fraction: (name: \"xa\", unit: \"1\"), heavy_fraction: (name: \"xh\", unit: \"1\"), \
    heavy_mass_number: (name: \"A\", unit: \"1\"), heavy_charge: (name: \"Z\", unit: \"1\"), \
    electron_chemical_potential: (name: \"mue\", unit: \"MeV\"), \
    neutron_chemical_potential: (name: \"mun\", unit: \"MeV\"), \
    proton_chemical_potential: (name: \"mup\", unit: \"MeV\")";

fn folder_with(rows: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("profile.csv"), format!("{HEADER}{}\n", rows.join("\n"))).unwrap();
    folder
}

fn background(folder: &Path, metric: &str, columns: &str) -> Result<Background> {
    let text = format!(
        "(metric: {metric}, velocity: FromProfile, \
         matter: Profile((file: \"profile.csv\", columns: ({columns}))))"
    );
    build_in(folder, &text, UnitSystem::PHYSICAL)
}

fn table(metric: &str, columns: &str) -> Background {
    background(folder_with(&ROWS).path(), metric, columns).unwrap()
}

#[test]
fn values_at_the_points_are_those_of_the_table() {
    let profile = table("Flat", COLUMNS);
    let state = profile.matter(3e5).unwrap();
    close(state.density, 1e14, 1e-13);
    close(state.temperature, 8e10 * BOLTZMANN, 1e-13);
    let fractions = [state.electron_fraction, state.neutron_fraction, state.proton_fraction];
    assert_eq!(fractions, [0.25, 0.6, 0.2]);
    assert_eq!([state.alpha_fraction, state.heavy_fraction], [0.1, 0.1]);
    assert_eq!([state.heavy_mass_number, state.heavy_charge], [50.0, 24.0]);
    assert_eq!(state.electron_chemical_potential, Some(30.0));
    close(profile.velocity(3e5), -2e8 / SPEED_OF_LIGHT / 0.97, 1e-15);
}

#[test]
fn the_centre_is_continued_and_the_end_is_the_end() {
    let profile = table("Flat", COLUMNS);
    assert_eq!(profile.matter(0.0), profile.matter(1e5));
    assert_eq!(profile.velocity(0.0), 0.0);
    assert!(profile.velocity(5e4) < 0.0 && profile.velocity(5e4) > profile.velocity(1e5));
    assert!(profile.matter(4.001e5).is_none());
    assert_eq!(profile.discontinuities(), [4e5]);
    profile.check_range(0.0, 4e5).unwrap();
    let error = profile.check_range(0.0, 5e5).unwrap_err().to_string();
    assert!(error.contains("a profile from r = 0 to 400000 under a grid from 0 to 500000"), "{error}");
    assert!(profile.describe().contains("continued evenly to the centre"), "{}", profile.describe());
}

/// Fritsch-Carlson between the points: densities fall, nothing overshoots.
#[test]
fn monotone_columns_stay_monotone() {
    let profile = table("Flat", COLUMNS);
    let states: Vec<_> = (0..=400).map(|i| profile.matter(1e3 * f64::from(i)).unwrap()).collect();
    assert!(states.windows(2).all(|pair| pair[1].density <= pair[0].density * (1.0 + 1e-14)));
    assert!(states.windows(2).all(|pair| pair[1].electron_fraction >= pair[0].electron_fraction));
    assert!(states.iter().all(|state| (0.0..=1.0).contains(&state.heavy_fraction)));
}

/// Outermost row first, as some codes write it.
#[test]
fn the_order_of_rows_does_not_matter() {
    let reversed: Vec<&str> = ROWS.iter().rev().copied().collect();
    let other = background(folder_with(&reversed).path(), "Flat", COLUMNS).unwrap();
    let profile = table("Flat", COLUMNS);
    for r in [0.0, 1.3e5, 2.9e5, 4e5] {
        assert_eq!((other.matter(r), other.velocity(r)), (profile.matter(r), profile.velocity(r)));
    }
}

#[rstest]
#[case("WithRestMass", 0.0, 0.0)]
#[case("RelativeToNeutron", NEUTRON_MASS, NEUTRON_MASS)]
#[case("WithoutRestMass", NEUTRON_MASS, PROTON_MASS)]
fn chemical_potentials_get_their_rest_mass(
    #[case] convention: &str,
    #[case] neutron: f64,
    #[case] proton: f64,
) {
    let profile = table("Flat", &format!("{COLUMNS}, chemical_potentials: {convention}"));
    let state = profile.matter(2e5).unwrap();
    assert_eq!(state.neutron_chemical_potential, Some(-11.0 + neutron));
    assert_eq!(state.proton_chemical_potential, Some(-21.0 + proton));
    assert_eq!(state.electron_chemical_potential, Some(40.0));
}

#[test]
fn without_mass_fractions_nucleons_are_free() {
    let columns: Vec<&str> = COLUMNS.split(", neutron_fraction").take(1).collect();
    let profile = table("Flat", columns[0]);
    let state = profile.matter(3e5).unwrap();
    assert_eq!([state.neutron_fraction, state.proton_fraction, state.heavy_fraction], [0.75, 0.25, 0.0]);
    assert!(profile.describe().contains("no mass fractions: free nucleons"));
}

#[test]
fn a_velocity_in_units_of_c_is_that_of_static_observers() {
    let rows = ROWS.map(|row| row.replace("e8,", "e-2,"));
    let columns = COLUMNS.replace("\"v\", unit: \"cm/s\"", "\"v\", unit: \"c\"");
    let folder = folder_with(&rows.each_ref().map(String::as_str));
    let profile = background(folder.path(), "Flat", &columns).unwrap();
    assert_eq!(profile.velocity(2e5), -3e-2);
}

#[test]
fn radial_metric_from_mass_and_from_gamma() {
    let from_mass = table("FromProfile(lapse: Static, radial_metric: FromMass)", COLUMNS);
    let compactness = 2.0 * GRAVITY_PER_C2 * 0.03 * SOLAR_MASS / 3e5;
    close(from_mass.radial_metric(3e5), (1.0 - compactness).powf(-0.5), 1e-13);
    close(from_mass.lapse(3e5), 0.85, 1e-14);
    // Uniform density inside the first point.
    let first = 2.0 * GRAVITY_PER_C2 * 0.001 * SOLAR_MASS / 1e5;
    close(from_mass.radial_metric(5e4), (1.0 - first / 4.0).powf(-0.5), 1e-14);
    assert_eq!(from_mass.radial_metric(0.0), 1.0);
    from_mass.check_range(0.0, 4e5).unwrap();
    let from_gamma = table("FromProfile(lapse: Static, radial_metric: FromGamma)", COLUMNS);
    let u = 2e8 / SPEED_OF_LIGHT;
    close(from_gamma.radial_metric(3e5), (0.97_f64.powi(2) - u * u).powf(-0.5), 1e-13);
    // W = ΓX.
    let v = from_gamma.velocity(3e5);
    close((1.0 - v * v).powf(-0.5), 0.97 * from_gamma.radial_metric(3e5), 1e-13);
}

/// α = C α_com √(1−v²) with the vacuum value at the last point.
#[test]
fn comoving_lapse() {
    let profile = table("FromProfile(lapse: Comoving, radial_metric: FromGamma)", COLUMNS);
    let root = |r: f64| (1.0 - profile.velocity(r).powi(2)).sqrt();
    close(profile.lapse(4e5), 1.0 / profile.radial_metric(4e5), 1e-13);
    let ratio = (0.82 * root(2e5)) / (0.90 * root(4e5));
    close(profile.lapse(2e5) / profile.lapse(4e5), ratio, 1e-13);
    profile.check_range(0.0, 4e5).unwrap();
}

#[test]
fn lapse_from_the_integrals_is_matched_to_the_vacuum() {
    let profile = table("FromProfile(lapse: FromIntegrals, radial_metric: FromMass)", COLUMNS);
    close(profile.lapse(4e5), 1.0 / profile.radial_metric(4e5), 1e-13);
    // (ln α)′ = m/(r²(1−2m/r)) without pressure.
    let (r, step) = (2.5e5, 10.0);
    let slope = (profile.lapse(r + step).ln() - profile.lapse(r - step).ln()) / (2.0 * step);
    let square = profile.radial_metric(r).powi(2);
    close(slope, 0.5 * (1.0 - 1.0 / square) * square / r, 1e-7);
    assert!(profile.describe().contains("without pressure"));
}

/// A table that begins far out: nothing is invented inside.
#[test]
fn an_excised_core_is_not_continued() {
    let rows = ROWS.map(|row| format!("10{row}"));
    let folder = folder_with(&rows.each_ref().map(String::as_str));
    let profile = background(folder.path(), "Flat", COLUMNS).unwrap();
    assert!(profile.matter(100e5).is_none() && profile.matter(101e5).is_some());
    assert_eq!(profile.discontinuities(), [101e5, 104e5]);
    assert!(profile.check_range(100e5, 104e5).is_err());
    profile.check_range(101e5, 104e5).unwrap();
    let error = background(folder.path(), "FromMatter", COLUMNS).unwrap_err().to_string();
    assert!(error.contains("a profile that begins at r = 10100000"), "{error}");
}

#[rstest]
#[case::order(
    "3,1e14",
    "1.5,1e14",
    "column `r` in line 5: found 150000 after 200000; valid: radii that only"
)]
#[case::negative_density(
    "2e14",
    "-2e14",
    "column `rho` in line 4: found -200000000000000; valid: positive numbers"
)]
#[case::zero_density("2e14", "0", "column `rho` in line 4: found 0; valid: positive numbers")]
#[case::nan("9e10", "NaN", "column `T` in line 4: found NaN; valid: finite numbers")]
#[case::electron_fraction(
    "0.15",
    "1.15",
    "column `ye` in line 4: found 1.15; valid: numbers between 0 and 1"
)]
#[case::fraction("0.8,0.2", "-0.1,0.2", "column `xn` in line 4: found -0.1; valid: numbers between 0 and 1")]
#[case::sum("0.8,0.2", "0.8,0.4", "column `xn` in line 4: found mass fractions with the sum 1.2")]
#[case::fast("-3e8", "-2.99e10", "column `v` in line 4: found v/c = -1.0")]
#[case::lapse("0.82", "0", "column `alpha` in line 4: found 0; valid: positive numbers")]
#[case::gamma("0.98,0.82", "-1,0.82", "column `gamma` in line 4: found -1; valid: positive numbers")]
#[case::mass("0.010", "-0.010", "column `m` in line 4: found -0.01; valid: numbers that are not negative")]
#[case::overflow("4,1e13", "1e305,1e13", "in line 6: found 1000")]
#[case::text("0.15", "none", "column `ye` in line 4: found \"none\"; valid: a number")]
#[case::cut_off(",5,-13,-23", "", "line 6 has 14 fields; the header has 17")]
fn bad_rows_are_refused(#[case] from: &str, #[case] to: &str, #[case] message: &str) {
    let rows = ROWS.map(|row| row.replacen(from, to, 1));
    assert_ne!(rows.each_ref().map(String::as_str), ROWS, "the case changes nothing");
    let folder = folder_with(&rows.each_ref().map(String::as_str));
    let error = background(folder.path(), "Flat", COLUMNS).unwrap_err().to_string();
    assert!(error.contains("profile.csv: ") && error.contains(message), "{error}");
}

#[test]
fn rounding_of_fractions_is_put_back_to_the_bound() {
    let rows = ROWS.map(|row| row.replacen(",0,0,0,1,56", ",-1e-5,0,0,1.0005,56", 1));
    let folder = folder_with(&rows.each_ref().map(String::as_str));
    let state = background(folder.path(), "Flat", COLUMNS).unwrap().matter(4e5).unwrap();
    assert_eq!([state.neutron_fraction, state.heavy_fraction], [0.0, 1.0]);
}

#[test]
fn a_velocity_at_the_centre_is_refused() {
    let rows = ROWS.map(|row| row.replacen("1,4e14", "0,4e14", 1));
    let folder = folder_with(&rows.each_ref().map(String::as_str));
    let error = background(folder.path(), "Flat", COLUMNS).unwrap_err().to_string();
    assert!(
        error.contains("column `v` in line 3: found v/c = -0.003") && error.contains("0 at r = 0"),
        "{error}"
    );
}

#[rstest]
#[case::missing("\"rho\"", "\"density\"", "profile.csv: no column `density`; the file has: r, rho, T")]
#[case::unit(
    "unit: \"K\"",
    "unit: \"km\"",
    "background.matter.columns.temperature: found unit \"km\"; valid: a unit of energy: MeV"
)]
#[case::one_fraction(
    "proton_fraction: (name: \"xp\", unit: \"1\"), ",
    "",
    "background.matter.columns.neutron_fraction: found mass fractions without"
)]
#[case::nucleus(
    ", heavy_charge: (name: \"Z\", unit: \"1\")",
    "",
    "background.matter.columns.heavy_mass_number"
)]
fn bad_columns_are_refused(#[case] from: &str, #[case] to: &str, #[case] message: &str) {
    assert!(COLUMNS.contains(from));
    let columns = COLUMNS.replacen(from, to, 1);
    let error = background(folder_with(&ROWS).path(), "Flat", &columns).unwrap_err().to_string();
    assert!(error.contains(message), "{error}");
}

#[rstest]
#[case("FromProfile(lapse: Static, radial_metric: FromMass)", "alpha", "lapse", "lapse Static")]
#[case("FromProfile(lapse: Comoving, radial_metric: FromMass)", "v", "velocity", "lapse Comoving")]
#[case("FromProfile(lapse: Static, radial_metric: FromGamma)", "gamma", "gamma", "radial_metric FromGamma")]
#[case("FromProfile(lapse: Static, radial_metric: FromMass)", "m", "enclosed_mass", "radial_metric FromMass")]
#[case("FromMatter", "rho", "density", "a metric from the density")]
fn a_column_that_the_metric_needs(
    #[case] metric: &str,
    #[case] name: &str,
    #[case] field: &str,
    #[case] reason: &str,
) {
    let kept: Vec<&str> =
        COLUMNS.split("), ").filter(|column| !column.contains(&format!("name: \"{name}\""))).collect();
    let text = format!(
        "(metric: {metric}, matter: Profile((file: \"profile.csv\", columns: ({}))))",
        kept.join("), ")
    );
    let error = build_in(folder_with(&ROWS).path(), &text, UnitSystem::PHYSICAL).unwrap_err().to_string();
    let message =
        format!("background.matter.columns.{field}: found no column; valid: a column, which {reason} needs");
    assert!(error.contains(&message), "{error}");
}

#[rstest]
#[case("FromProfile(lapse: Static, radial_metric: FromMass)", "0.010", "1.00", "found 2Gm/(rc²) = 1.4")]
#[case("FromProfile(lapse: Static, radial_metric: FromGamma)", "0.98,0.82", "1.98,0.82", "found Γ²−u² = 3.9")]
fn impossible_metrics_of_a_table_are_refused(
    #[case] metric: &str,
    #[case] from: &str,
    #[case] to: &str,
    #[case] message: &str,
) {
    let rows = ROWS.map(|row| row.replacen(from, to, 1));
    let folder = folder_with(&rows.each_ref().map(String::as_str));
    let error = background(folder.path(), metric, COLUMNS).unwrap_err().to_string();
    assert!(error.contains("profile.csv: ") && error.contains(message), "{error}");
}

#[test]
fn a_profile_needs_zone_edges_and_a_data_folder_where_it_says_so() {
    let folder = folder_with(&ROWS);
    let build = |profile: &str| {
        let text = format!("(metric: Flat, matter: Profile(({profile}, columns: ({COLUMNS}))))");
        build_in(folder.path(), &text, UnitSystem::PHYSICAL).unwrap_err().to_string()
    };
    let zones = build("file: \"profile.csv\", interpolation: ZoneConstant");
    assert!(zones.contains("background.matter.columns.r_edges: found no column"), "{zones}");
    let absent = build("file: \"absent.csv\"");
    assert!(absent.contains("absent.csv: cannot be read"), "{absent}");
}

#[test]
fn a_dimensionless_problem_has_columns_without_units() {
    let text =
        "(metric: Flat, matter: Profile((file: \"profile.csv\", columns: (r: (name: \"r\", unit: \"km\")))))";
    let error = build_in(folder_with(&ROWS).path(), text, UnitSystem::DIMENSIONLESS).unwrap_err().to_string();
    assert!(error.contains("background.matter.columns.r: found unit \"km\"; valid: \"1\""), "{error}");
}

/// HDF5 with zone edges and `units` attributes.
mod hdf5_profiles {
    use hdf5::types::VarLenUnicode;

    use super::*;

    fn write(folder: &Path, columns: &[Dataset]) {
        let file = hdf5::File::create(folder.join("profile.h5")).unwrap();
        for (name, values, unit) in columns {
            let dataset = file.new_dataset_builder().with_data(*values).create(*name).unwrap();
            let unit: VarLenUnicode = unit.parse().unwrap();
            dataset.new_attr::<VarLenUnicode>().create("units").unwrap().write_scalar(&unit).unwrap();
        }
        file.close().unwrap();
    }

    type Dataset<'a> = (&'a str, &'a [f64], &'a str);

    const GOOD: [Dataset<'static>; 5] = [
        ("r", &[1e5, 3e5], "cm"),
        ("edges", &[0.0, 2e5, 4e5], "cm"),
        ("rho", &[2e14, 1e13], "g cm-3"),
        ("T", &[10.0, 5.0], "MeV"),
        ("ye", &[0.1, 0.3], "1"),
    ];

    fn build(columns: &[Dataset]) -> Result<Background> {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), columns);
        let text = "(metric: Flat, matter: Profile((file: \"profile.h5\", layout: Hdf5, \
            interpolation: ZoneConstant, columns: (r: (name: \"r\", unit: \"cm\"), \
            r_edges: (name: \"edges\", unit: \"cm\"), density: (name: \"rho\", unit: \"g/cm3\"), \
            temperature: (name: \"T\", unit: \"MeV\"), electron_fraction: (name: \"ye\", unit: \"1\")))))";
        build_in(folder.path(), text, UnitSystem::PHYSICAL)
    }

    #[test]
    fn zones_are_constant() {
        let profile = build(&GOOD).unwrap();
        assert_eq!(profile.matter(1.9e5).unwrap().density, 2e14);
        assert_eq!(profile.matter(2.1e5).unwrap().temperature, 5.0);
        assert_eq!(profile.matter(3.9e5).unwrap().electron_fraction, 0.3);
        assert_eq!(profile.zone_edges(), Some(&[0.0, 2e5, 4e5][..]));
        profile.check_range(0.0, 4e5).unwrap();
    }

    #[rstest]
    #[case(0, ("r", &[1.0, 3.0] as &[f64], "km"), "dataset `r` is in \"km\" by its attribute `units`; background.matter.columns.r says \"cm\"")]
    #[case(3, ("T", &[10.0, 5.0] as &[f64], "furlong"), "dataset `T` is in \"furlong\"")]
    #[case(2, ("rho", &[2e14, 1e13, 1e12] as &[f64], "g cm-3"), "column `rho` has 3 values; the radii are 2")]
    #[case(1, ("edges", &[0.0, 2e5] as &[f64], "cm"), "column `edges` has 2 values; 2 zones have 3 edges")]
    #[case(1, ("edges", &[0.0, 5e4, 4e5] as &[f64], "cm"), "the zone from 0 to 50000 does not hold its radius 100000")]
    #[case(4, ("ye", &[0.1, 1.3] as &[f64], "1"), "column `ye`[1]: found 1.3")]
    fn bad_datasets_are_refused(
        #[case] index: usize,
        #[case] column: Dataset<'static>,
        #[case] message: &str,
    ) {
        let mut columns = GOOD;
        columns[index] = column;
        let error = build(&columns).unwrap_err().to_string();
        assert!(error.contains("profile.h5: ") && error.contains(message), "{error}");
    }
}
