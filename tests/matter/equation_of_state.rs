//! Equation-of-state tables in the stellarcollapse.org layout: values, use for a profile, rates with them against
//! a table that NuLib computed from the same equation of state, and every message about bad files. The table is
//! looked for in $TOLMAN_DATA/nulib.

use std::path::{Path, PathBuf};

use tolman::background::equation_of_state::EquationOfState;
use tolman::background::{Background, ContradictionKind, MatterState};
use tolman::constants::ATOMIC_MASS_UNIT;
use tolman::error::Result;
use tolman::opacities::nulib_table::NuLibTable;
use tolman::opacities::rates::Rates;
use tolman::opacities::weak_magnetism::Helicity;
use tolman::problem::BuildContext;
use tolman::problem::file::{
    BackgroundFile, ChargedCurrentFile, ChemicalPotentialConvention, ElasticScatteringFile,
    ElectronPolarisation, Flavour, RateConstants,
};
use tolman::units::UnitSystem;

const TABLE: &str = "eos_toy_ideal_stellarcollapse_format.h5";
const CONVENTION: ChemicalPotentialConvention = ChemicalPotentialConvention::RelativeToNeutron;

fn data() -> Option<PathBuf> {
    let data = std::env::var_os("TOLMAN_DATA").map(|data| PathBuf::from(data).join("nulib"));
    if data.is_none() {
        eprintln!("skipped: TOLMAN_DATA not set");
    }
    data
}

/// Dataset `name` at [ye, temp, rho].
fn stored(path: &Path, name: &str, [k, j, i]: [usize; 3]) -> f64 {
    let dataset = hdf5::File::open(path).unwrap().dataset(name).unwrap();
    let shape = dataset.shape();
    dataset.read_raw::<f64>().unwrap()[(k * shape[1] + j) * shape[2] + i]
}

#[test]
fn nodes_are_the_tables_and_the_middle_is_their_mean() {
    let Some(folder) = data() else { return };
    let path = folder.join(TABLE);
    let table = EquationOfState::read(&path, CONVENTION).unwrap();
    let axis =
        |name: &str| hdf5::File::open(&path).unwrap().dataset(name).unwrap().read_raw::<f64>().unwrap();
    let (rho, temp, ye) = (axis("logrho"), axis("logtemp"), axis("ye"));
    let at = |rho: f64, temp: f64, ye: f64| table.at(10f64.powf(rho), 10f64.powf(temp), ye).unwrap();
    let corner = at(rho[3], temp[4], ye[5]);
    let value = |name: &str| stored(&path, name, [5, 4, 3]);
    let same = |a: f64, b: f64| assert!((a - b).abs() <= 1e-11 * (1.0 + b.abs()), "{a} {b}");
    same(corner.electron_chemical_potential.unwrap(), value("mu_e"));
    same(corner.neutron_chemical_potential.unwrap(), value("mu_n") + 939.565_420_52);
    same(corner.proton_chemical_potential.unwrap(), value("mu_p") + 939.565_420_52);
    same(corner.heavy_fraction, value("Xh"));
    same(corner.heavy_mass_number, 64.0);
    let middle = at(0.5 * (rho[3] + rho[4]), 0.5 * (temp[4] + temp[5]), 0.5 * (ye[5] + ye[6]));
    let corners =
        [0, 1].map(|i| [0, 1].map(|j| [0, 1].map(|k| stored(&path, "mu_e", [5 + k, 4 + j, 3 + i]))));
    let mean = corners.iter().flatten().flatten().sum::<f64>() / 8.0;
    assert!((middle.electron_chemical_potential.unwrap() / mean - 1.0).abs() < 1e-9);
}

#[rstest::rstest]
#[case(1e5, 2.0, 0.3, "its `density` covers 3.1622776")]
#[case(1e10, 1e3, 0.3, "its `temperature` covers ")]
#[case(1e10, 2.0, 0.9, "its `electron_fraction` covers ")]
#[case(f64::NAN, 2.0, 0.3, "density = NaN g/cm3")]
fn points_outside_are_named(#[case] rho: f64, #[case] temp: f64, #[case] ye: f64, #[case] said: &str) {
    let Some(folder) = data() else { return };
    let table = EquationOfState::read(&folder.join(TABLE), CONVENTION).unwrap();
    let message = table.at(rho, temp, ye).unwrap_err().to_string();
    assert!(message.contains(TABLE) && message.contains(said), "{message}");
}

/// A copy of `name` with one dataset replaced by `values` of the given shape; none where there are no values.
fn damaged(
    name: &str,
    dataset: &str,
    change: impl FnOnce(&mut Vec<f64>, &mut Vec<usize>),
) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let original = data().unwrap().join(name);
    let file = hdf5::File::create(folder.path().join(name)).unwrap();
    let source = hdf5::File::open(original).unwrap();
    let mut change = Some(change);
    for member in source.member_names().unwrap() {
        let from = source.dataset(&member).unwrap();
        let (mut values, mut shape) = (from.read_raw::<f64>().unwrap(), from.shape());
        if member == dataset {
            change.take().unwrap()(&mut values, &mut shape);
        }
        if !values.is_empty() {
            let to = file.new_dataset::<f64>().shape(shape).create(member.as_str()).unwrap();
            to.write_raw(&values).unwrap();
        }
    }
    folder
}

#[rstest::rstest]
#[case("mu_e", 7, f64::NAN, "dataset `mu_e` has NaN at [0, 0, 7]; valid: finite numbers")]
#[case("Xn", 20, -0.5, "dataset `Xn` has -5e-1 at [0, 1, 3]; valid: fractions between 0 and 1")]
#[case("Xa", 0, 0.9, "dataset `Xn` and Xp, Xa, Xh add up to 1.89")]
#[case("logrho", 2, 1.0, "dataset `logrho` has 1e0 at [2]; valid: increasing numbers")]
#[case("pointsye", 0, 1.0, "dataset `pointsye` is 1; valid: a whole number of at least 2")]
fn bad_values_are_named(#[case] dataset: &str, #[case] at: usize, #[case] value: f64, #[case] said: &str) {
    let Some(_) = data() else { return };
    let folder = damaged(TABLE, dataset, |values, _| values[at] = value);
    let message = EquationOfState::read(&folder.path().join(TABLE), CONVENTION).unwrap_err().to_string();
    assert!(message.contains(TABLE) && message.contains(said), "{message}");
}

#[test]
fn wrong_shapes_and_missing_datasets_are_named() {
    let Some(_) = data() else { return };
    let read = |folder: &tempfile::TempDir| {
        EquationOfState::read(&folder.path().join(TABLE), CONVENTION).unwrap_err().to_string()
    };
    let message = read(&damaged(TABLE, "Abar", |_, shape| shape.reverse()));
    assert!(message.contains("dataset `Abar` has the shape [17, 13, 19]; valid: [19, 13, 17]"), "{message}");
    let message = read(&damaged(TABLE, "Zbar", |values, _| values.clear()));
    assert!(message.contains("has no dataset `Zbar`"), "{message}");
}

#[rstest::rstest]
#[case(
    "inelastic_phi0",
    7,
    f64::NAN,
    "dataset `inelastic_phi0` has NaN at [0, 0, 0, 1, 1]; valid: finite numbers"
)]
#[case("absorption_opacity", 9, -1.0, "dataset `absorption_opacity` has -1e0 at [0, 0, 0, 1, 1]; valid: numbers >= 0")]
#[case(
    "scattering_delta",
    0,
    4.0,
    "dataset `scattering_delta` has 4e0 at [0, 0, 0, 0, 0]; valid: numbers from -3 to 3"
)]
#[case("bin_bottom", 4, 9.0, "dataset `bin_bottom` has 9e0 at [4]; valid: 1.16")]
#[case("number_species", 0, 5.0, "dataset `number_species` is 5; valid: 3 or 6")]
fn bad_nulib_values_are_named(
    #[case] dataset: &str,
    #[case] at: usize,
    #[case] value: f64,
    #[case] said: &str,
) {
    let Some(_) = data() else { return };
    let name = "nulib_table_full_rho8_T6_ye5_ng12_ns3.h5";
    let folder = damaged(name, dataset, |values, _| values[at] = value);
    let message = NuLibTable::read(&folder.path().join(name)).unwrap_err().to_string();
    assert!(message.contains(name) && message.contains(said), "{message}");
}

#[test]
fn wrong_nulib_shapes_are_named() {
    let Some(_) = data() else { return };
    let name = "nulib_table_full_rho8_T6_ye5_ng12_ns3.h5";
    let folder = damaged(name, "epannihil_phi1", |_, shape| shape.swap(4, 5));
    let message = NuLibTable::read(&folder.path().join(name)).unwrap_err().to_string();
    let said = "dataset `epannihil_phi1` has the shape [2, 12, 3, 12, 6, 7]; valid: [2, 12, 3, 12, 7, 6]";
    assert!(message.contains(said), "{message}");
}

fn background(folder: &Path, equation_of_state: &str, rows: &str) -> Result<Background> {
    let profile = folder.join("profile.csv");
    std::fs::write(&profile, format!("# r,rho,t,ye\n{rows}")).unwrap();
    let text = format!(
        "(metric: Flat, matter: Profile((file: {:?}, columns: (r: (name: \"r\", unit: \"km\"),
            density: (name: \"rho\", unit: \"g/cm3\"), temperature: (name: \"t\", unit: \"MeV\"),
            electron_fraction: (name: \"ye\", unit: \"1\")),
          equation_of_state: (file: {equation_of_state:?}, chemical_potentials: RelativeToNeutron))))",
        profile.display().to_string()
    );
    let options = ron::Options::default().with_default_extension(ron::extensions::Extensions::IMPLICIT_SOME);
    let file: BackgroundFile = options.from_str(&text).unwrap();
    let context = BuildContext { units: UnitSystem { physical: true }, folder: "/".into(), data: None };
    Background::build(&file, &context)
}

#[test]
fn a_profile_takes_what_it_lacks_from_the_table() {
    let Some(data) = data() else { return };
    let (folder, path) = (tempfile::tempdir().unwrap(), data.join(TABLE));
    let table = EquationOfState::read(&path, CONVENTION).unwrap();
    let name = path.display().to_string();
    let background =
        background(folder.path(), &name, "10,1e12,8,0.2\n20,1e11,4,0.3\n30,1e10,2,0.4\n").unwrap();
    let expected: MatterState = table.at(1e11, 4.0, 0.3).unwrap();
    let found = background.matter(2e6).unwrap();
    assert!((found.heavy_fraction - expected.heavy_fraction).abs() < 1e-12);
    let difference = found.proton_chemical_potential.unwrap() - expected.proton_chemical_potential.unwrap();
    assert!(difference.abs() < 1e-9);
    // The table's baryons have the neutron's mass, which its electrons feel; nothing else may differ.
    let kinds = [ContradictionKind::MassFractions, ContradictionKind::Charge];
    assert!(!background.contradictions(1e6, 3e6).iter().any(|found| kinds.contains(&found.kind)));
    assert!(background.describe().contains("composition and chemical potentials from the equation of state"));
}

#[test]
fn a_profile_beyond_the_table_is_refused() {
    let Some(data) = data() else { return };
    let (folder, name) = (tempfile::tempdir().unwrap(), data.join(TABLE).display().to_string());
    let message = background(folder.path(), &name, "10,1e12,8,0.2\n20,1e4,4,0.3\n").unwrap_err().to_string();
    assert!(message.contains("is asked for the point density = 1.0000"), "{message}");
    assert!(message.contains("profile.csv at r = 2.000000e6 cm"), "{message}");
}

/// Opacities with NuLib's constants from the equation of state at all nodes of the table that NuLib made
/// from it: absorption of νe and ν̄e [1/cm], and the transport opacity.
#[test]
fn rates_with_the_table_are_nulibs() {
    let Some(folder) = data() else { return };
    let equation = EquationOfState::read(&folder.join(TABLE), CONVENTION).unwrap();
    let full = NuLibTable::read(&folder.join("nulib_table_full_rho8_T6_ye5_ng12_ns3.h5")).unwrap();
    let default = NuLibTable::read(&folder.join("nulib_table_default_rho8_T6_ye5_ng12_ns3.h5")).unwrap();
    let mut worst = [0.0_f64; 3];
    for (i, j, k) in (0..8).flat_map(|i| (0..6).flat_map(move |j| (0..5).map(move |k| (i, j, k)))) {
        let (rho, ye) = (10f64.powi(8 + i), 0.05 + 0.1 * f64::from(k));
        let temperature = 0.5 * 64f64.powf(f64::from(j) / 5.0);
        let table = [&full, &default].map(|table| table.at(rho, temperature, ye).unwrap());
        let mut matter = equation.at(rho, temperature, ye).unwrap();
        // NuLib's baryons have the neutron's mass.
        matter.density = rho / (939.565_346 * 1.782_661_758e-27) * ATOMIC_MASS_UNIT;
        let rates = rates(rho >= 1e11);
        for (group, &energy) in full.energies.iter().enumerate() {
            let at =
                |flavour, helicities: &[Helicity]| rates.at(energy, flavour, helicities, &matter).unwrap();
            let nue = at(Flavour::ElectronNeutrino, &[Helicity::Neutrino]);
            let anue = at(Flavour::ElectronAntineutrino, &[Helicity::Antineutrino]);
            let nux = at(Flavour::Heavy, &[Helicity::Neutrino, Helicity::Antineutrino]);
            let pairs = [
                (nue.absorption, table[0].absorption[[0, group]]),
                (anue.absorption, table[0].absorption[[1, group]]),
                (nux.scattering - nux.scattering_first, table[1].scattering[[2, group]]),
            ];
            for ((ours, nulibs), worst) in pairs.into_iter().zip(&mut worst) {
                let positron = energy > 1.293_332 + 2.0 * 0.511;
                if nulibs > 1e-25 && positron {
                    *worst = worst.max((ours / nulibs - 1.0).abs());
                }
            }
        }
    }
    println!("largest relative differences {worst:?}");
    assert!(worst.iter().all(|worst| *worst < 1e-5), "{worst:?}");
}

fn rates(blocked: bool) -> Rates {
    let absorption = ChargedCurrentFile { nucleon_blocking: Some(blocked), ..ChargedCurrentFile::default() };
    let scattering = ElasticScatteringFile {
        electron_polarisation: Some(ElectronPolarisation::BurrowsReddyThompson),
        ..ElasticScatteringFile::default()
    };
    Rates::build(0, &absorption, &scattering, RateConstants::NuLib).unwrap()
}
