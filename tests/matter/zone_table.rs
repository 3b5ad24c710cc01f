//! Zone tables: mapping onto the solver's energies, species, and every message about a bad file.

use std::path::{Path, PathBuf};

use hdf5::types::{FixedAscii, VarLenUnicode};
use ndarray::{Array3, ArrayD, IxDyn};
use tolman::constants::{MEV_IN_ERG, PLANCK_C, SPEED_OF_LIGHT};
use tolman::error::Result;
use tolman::methods::characteristics::Settings;
use tolman::opacities::table_file::TableFile;
use tolman::opacities::{EnergyNode, LocalOpacity, Opacities, RadialPoint, Surroundings};
use tolman::problem::BuildContext;
use tolman::problem::file::{Flavour, GroupMapping, OpacityFile, SpeciesFile};
use tolman::problem::load::{LoadOptions, Loaded, load_text};
use tolman::problem::size::least_memory;
use tolman::progress::Silent;
use tolman::run::run_characteristics;
use tolman::units::UnitSystem;

const R_EDGES: [f64; 4] = [0.0, 1e6, 3e6, 1e7];
const ENERGY_EDGES: [f64; 5] = [0.0, 2.0, 5.0, 11.0, 30.0];
const SHAPE: (usize, usize, usize) = (3, 3, 4);

/// A table in memory that tests can spoil before it is written.
struct Table {
    datasets: Vec<(&'static str, ArrayD<f64>, Option<&'static str>)>,
    species: Vec<&'static str>,
}

fn absorption(s: usize, z: usize, g: usize) -> f64 {
    1e-5 * (1.0 + s as f64) * 10f64.powi(-(z as i32)) * (1.0 + g as f64).powi(2)
}

fn equilibrium(s: usize, z: usize, g: usize) -> f64 {
    0.9 / (1.0 + s as f64 + z as f64 + (g as f64).powi(2))
}

fn scattering(s: usize, z: usize, g: usize) -> f64 {
    3.0 * absorption(s, z, g)
}

/// Power radiated by a group [erg/(cm³ s)], from its definition.
fn emissivity(s: usize, z: usize, g: usize) -> f64 {
    let fourth = |energy: f64| energy.powi(4) / 4.0;
    let per_volume = 4.0 * std::f64::consts::PI * (fourth(ENERGY_EDGES[g + 1]) - fourth(ENERGY_EDGES[g]))
        / PLANCK_C.powi(3);
    SPEED_OF_LIGHT * absorption(s, z, g) * equilibrium(s, z, g) * per_volume * MEV_IN_ERG
}

impl Table {
    fn new() -> Self {
        let over_groups = |f: fn(usize, usize, usize) -> f64| {
            Array3::from_shape_fn(SHAPE, |(s, z, g)| f(s, z, g)).into_dyn()
        };
        let list = |values: &[f64]| ArrayD::from_shape_vec(IxDyn(&[values.len()]), values.to_vec()).unwrap();
        Self {
            datasets: vec![
                ("r_edges", list(&R_EDGES), Some("cm")),
                ("energy_edges", list(&ENERGY_EDGES), Some("MeV")),
                ("absorption", over_groups(absorption), Some("cm-1")),
                ("scattering", over_groups(scattering), Some("cm-1")),
                ("f_equilibrium", over_groups(equilibrium), Some("1")),
                ("emissivity", over_groups(emissivity), Some("erg cm-3 s-1")),
            ],
            species: vec!["nue", "anue", "nux"],
        }
    }

    fn without(mut self, name: &str) -> Self {
        self.datasets.retain(|(known, _, _)| *known != name);
        self
    }

    fn with(mut self, name: &'static str, values: ArrayD<f64>, unit: &'static str) -> Self {
        self.datasets.push((name, values, Some(unit)));
        self
    }

    fn edit(mut self, name: &str, change: impl FnOnce(&mut ArrayD<f64>)) -> Self {
        let (_, values, _) = self.datasets.iter_mut().find(|(known, _, _)| *known == name).unwrap();
        change(values);
        self
    }

    fn set(self, name: &str, index: &[usize], value: f64) -> Self {
        self.edit(name, |values| values[IxDyn(index)] = value)
    }

    fn unit(mut self, name: &str, unit: Option<&'static str>) -> Self {
        self.datasets.iter_mut().find(|(known, _, _)| *known == name).unwrap().2 = unit;
        self
    }

    fn write(&self, path: &Path) {
        let file = hdf5::File::create(path).unwrap();
        for (name, values, unit) in &self.datasets {
            let dataset = file.new_dataset_builder().with_data(values.view()).create(*name).unwrap();
            if let Some(unit) = unit {
                let unit: VarLenUnicode = unit.parse().unwrap();
                dataset.new_attr::<VarLenUnicode>().create("units").unwrap().write_scalar(&unit).unwrap();
            }
        }
        let names: Vec<FixedAscii<4>> =
            self.species.iter().map(|name| FixedAscii::from_ascii(name).unwrap()).collect();
        file.new_dataset_builder().with_data(&names).create("species").unwrap();
    }
}

struct Written {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

fn write(table: &Table) -> Written {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.h5");
    table.write(&path);
    Written { _folder: folder, path }
}

fn species(names: &[(&str, Flavour)]) -> Vec<SpeciesFile> {
    names
        .iter()
        .map(|(name, flavour)| SpeciesFile { name: (*name).to_owned(), flavour: *flavour, multiplicity: 1.0 })
        .collect()
}

fn standard() -> Vec<SpeciesFile> {
    species(&[
        ("nue", Flavour::ElectronNeutrino),
        ("anue", Flavour::ElectronAntineutrino),
        ("nux", Flavour::Heavy),
    ])
}

fn build(path: &Path, mapping: GroupMapping, species: &[SpeciesFile]) -> Result<Opacities> {
    let context =
        BuildContext { units: UnitSystem::PHYSICAL, folder: path.parent().unwrap().to_owned(), data: None };
    let file = path.file_name().unwrap().to_str().unwrap().to_owned();
    let surroundings = Surroundings { lapse: &|_| 1.0, has_matter: false };
    Opacities::build(
        &[OpacityFile::ZoneTable { file, mapping, inelastic: false, pairs: false }],
        species,
        &context,
        surroundings,
    )
}

fn at(opacities: &Opacities, r: f64, energy: f64, element: Option<(f64, f64)>) -> Result<Vec<LocalOpacity>> {
    let point = RadialPoint { r, lapse: 1.0, matter: None };
    Ok(opacities.at_radius(&point, &[EnergyNode { energy, element }])?.column(0).to_vec())
}

fn group(s: usize, z: usize, g: usize) -> LocalOpacity {
    LocalOpacity {
        absorption: absorption(s, z, g),
        emissivity: absorption(s, z, g) * equilibrium(s, z, g),
        scattering: scattering(s, z, g),
        scattering_first: 0.0,
    }
}

fn assert_close(found: &LocalOpacity, exact: &LocalOpacity) {
    let pairs = [
        (found.absorption, exact.absorption),
        (found.emissivity, exact.emissivity),
        (found.scattering, exact.scattering),
        (found.scattering_first, exact.scattering_first),
    ];
    for (found, exact) in pairs {
        assert!((found - exact).abs() <= 1e-13 * exact.abs(), "{found:e} instead of {exact:e}");
    }
}

#[test]
fn the_tables_own_groups_come_back_exactly() {
    let written = write(&Table::new());
    let opacities = build(&written.path, GroupMapping::Conservative, &standard()).unwrap();
    assert_eq!(opacities.zone_edges(), Some(&R_EDGES[..]));
    assert_eq!(opacities.group_edges(), Some(&ENERGY_EDGES[..]));
    for (zone, r) in [0.0, 1e6, 9.99e6].into_iter().enumerate() {
        for g in 0..4 {
            // A group, and a part of it.
            let (lower, upper) = (ENERGY_EDGES[g], ENERGY_EDGES[g + 1]);
            for element in [(lower, upper), (0.9 * lower + 0.1 * upper, 0.5 * (lower + upper))] {
                let values = at(&opacities, r, 0.5 * (element.0 + element.1), Some(element)).unwrap();
                for (s, value) in values.iter().enumerate() {
                    assert_close(value, &group(s, zone, g));
                }
            }
        }
    }
    // The outermost edge belongs to the last zone; without an element the energy's group is taken.
    assert_close(&at(&opacities, 1e7, 2.0, None).unwrap()[1], &group(1, 2, 1));
}

/// ∫ε²κ*f_eq dε, ∫ε²κ* dε and ∫ε²σ₀ dε do not depend on the grid.
#[test]
fn conservative_mapping_keeps_number_rates() {
    let written = write(&Table::new());
    let opacities = build(&written.path, GroupMapping::Conservative, &standard()).unwrap();
    let third = |(lower, upper): (f64, f64)| (upper.powi(3) - lower.powi(3)) / 3.0;
    let edges = [0.0, 0.7, 3.3, 4.0, 12.5, 21.0, 30.0];
    for s in 0..3 {
        let mut mapped = [0.0; 3];
        for pair in edges.windows(2) {
            let element = (pair[0], pair[1]);
            let value = at(&opacities, 2e6, pair[1], Some(element)).unwrap()[s];
            for (sum, rate) in mapped.iter_mut().zip([value.absorption, value.emissivity, value.scattering]) {
                *sum += third(element) * rate;
            }
        }
        let mut exact = [0.0; 3];
        for g in 0..4 {
            let value = group(s, 1, g);
            for (sum, rate) in exact.iter_mut().zip([value.absorption, value.emissivity, value.scattering]) {
                *sum += third((ENERGY_EDGES[g], ENERGY_EDGES[g + 1])) * rate;
            }
        }
        for (mapped, exact) in mapped.iter().zip(exact) {
            assert!((mapped / exact - 1.0).abs() < 1e-13);
        }
    }
}

/// Power laws through the groups' energies are met in between; f_eq = η/κ* is interpolated with them.
#[test]
fn pointwise_mapping_follows_power_laws() {
    let energies = [1.0_f64, 3.0, 8.0, 20.0];
    let law = |exponent: f64| {
        Array3::from_shape_fn(SHAPE, |(_, _, g)| 1e-6 * energies[g].powf(exponent)).into_dyn()
    };
    let occupation = Array3::from_shape_fn(SHAPE, |(_, _, g)| 0.9 / energies[g]).into_dyn();
    let table = Table::new()
        .without("emissivity")
        .edit("absorption", |values| *values = law(2.0))
        .edit("scattering", |values| *values = law(1.5))
        .edit("f_equilibrium", |values| *values = occupation)
        .with("scattering_first", law(1.5) * -0.3, "cm-1")
        .with("energy", ArrayD::from_shape_vec(IxDyn(&[4]), energies.to_vec()).unwrap(), "MeV");
    let written = write(&table);
    let opacities = build(&written.path, GroupMapping::Pointwise, &standard()).unwrap();
    for energy in [1.0f64, 2.2, 3.0, 7.9, 20.0] {
        let exact = LocalOpacity {
            absorption: 1e-6 * energy.powi(2),
            emissivity: 0.9e-6 * energy,
            scattering: 1e-6 * energy.powf(1.5),
            scattering_first: -0.3e-6 * energy.powf(1.5),
        };
        assert_close(&at(&opacities, 5e6, energy, Some((0.5, 25.0))).unwrap()[0], &exact);
    }
    // Beyond the outermost groups' energies their values hold.
    assert_eq!(at(&opacities, 5e6, 0.1, None).unwrap(), at(&opacities, 5e6, 1.0, None).unwrap());
    assert_eq!(at(&opacities, 5e6, 29.0, None).unwrap(), at(&opacities, 5e6, 20.0, None).unwrap());
}

#[test]
fn zeros_are_interpolated_linearly() {
    let written = write(&Table::new().without("emissivity").set("absorption", &[0, 0, 1], 0.0));
    let opacities = build(&written.path, GroupMapping::Pointwise, &standard()).unwrap();
    // Middles of the groups are 1 and 3.5 MeV; half way in ln ε is their geometric mean.
    let value = at(&opacities, 0.0, 3.5f64.sqrt(), None).unwrap()[0];
    assert!((value.absorption / (0.5 * absorption(0, 0, 0)) - 1.0).abs() < 1e-13);
}

#[test]
fn first_moments_are_averaged() {
    let first = Array3::from_shape_fn(SHAPE, |(s, z, g)| 0.2 * scattering(s, z, g)).into_dyn();
    let written = write(&Table::new().with("scattering_first", first, "cm-1"));
    let opacities = build(&written.path, GroupMapping::Conservative, &standard()).unwrap();
    let value = at(&opacities, 2e6, 4.0, Some((1.0, 9.0))).unwrap()[2];
    assert!((value.scattering_first / value.scattering - 0.2).abs() < 1e-13);
}

#[test]
fn equilibrium_follows_from_emissivity() {
    let written = write(&Table::new().without("f_equilibrium"));
    let table = TableFile::read(&written.path, [false; 2]).unwrap();
    for ((s, z, g), value) in table.equilibrium.indexed_iter() {
        assert!((value / equilibrium(s, z, g) - 1.0).abs() < 1e-12);
    }
}

#[test]
fn units_are_converted() {
    let table = Table::new()
        .unit("r_edges", Some("km"))
        .edit("r_edges", |edges| *edges /= 1e5)
        .unit("absorption", Some("1/km"))
        .edit("absorption", |values| *values *= 1e5);
    let read = TableFile::read(&write(&table).path, [false; 2]).unwrap();
    assert!((read.r_edges[3] / 1e7 - 1.0).abs() < 1e-15);
    assert!((read.absorption[[1, 2, 3]] / absorption(1, 2, 3) - 1.0).abs() < 1e-14);
}

#[test]
fn species_are_found_by_name_or_flavour() {
    let mut table = Table::new();
    table.species = vec!["nux", "nu_e", "nueb"];
    let written = write(&table);
    let wanted = species(&[
        ("electron neutrinos", Flavour::ElectronNeutrino),
        ("mubar", Flavour::HeavyAntineutrino),
        ("b", Flavour::ElectronAntineutrino),
        ("nux", Flavour::Heavy),
    ]);
    let opacities = build(&written.path, GroupMapping::Conservative, &wanted).unwrap();
    let values = at(&opacities, 0.0, 1.0, None).unwrap();
    for (value, row) in values.iter().zip([1, 0, 2, 0]) {
        assert_close(value, &group(row, 0, 0));
    }
}

#[test]
fn missing_species_are_named() {
    let mut table = Table::new();
    table.species = vec!["nue", "x1", "x2"];
    let written = write(&table);
    let message = build(&written.path, GroupMapping::Pointwise, &standard()).unwrap_err().to_string();
    assert!(message.contains("table.h5: has no species `anue` (ElectronAntineutrino)"), "{message}");
    assert!(message.contains("nue, x1, x2"), "{message}");
}

#[rstest::rstest]
#[case(Table::new().without("absorption"), "has no dataset `absorption`")]
#[case(Table::new().without("r_edges"), "has no dataset `r_edges`")]
#[case(Table::new().without("f_equilibrium").without("emissivity"),
    "has neither `f_equilibrium` nor `emissivity`")]
#[case(Table::new().set("absorption", &[1, 2, 3], f64::NAN),
    "dataset `absorption` has NaN at [1, 2, 3]; valid: finite numbers")]
#[case(Table::new().set("r_edges", &[3], f64::INFINITY), "dataset `r_edges` has inf at [3]")]
#[case(Table::new().set("scattering", &[2, 0, 1], -1e-9),
    "dataset `scattering` has -1e-9 at [2, 0, 1]; valid: values >= 0")]
#[case(Table::new().set("emissivity", &[0, 1, 0], -1.0), "dataset `emissivity` has -1e0 at [0, 1, 0]")]
#[case(Table::new().without("emissivity").set("f_equilibrium", &[0, 1, 0], 1.5),
    "dataset `f_equilibrium` has 1.5e0 at [0, 1, 0]; valid: occupations between 0 and 1")]
#[case(Table::new().set("r_edges", &[2], 1e6),
    "dataset `r_edges` has 1e6 at [2]; valid: increasing edges (the one before is 1e6)")]
#[case(Table::new().set("energy_edges", &[0], -1.0), "dataset `energy_edges` has -1e0 at [0]; valid: edges >= 0")]
#[case(Table::new().edit("scattering", |values| *values = ArrayD::zeros(IxDyn(&[3, 4, 3]))),
    "dataset `scattering` has the shape [3, 4, 3]; valid: [3, 3, 4]")]
#[case(Table::new().unit("absorption", Some("cm")), "dataset `absorption` has the unit \"cm\"; valid: 1/cm")]
#[case(Table::new().unit("energy_edges", None), "dataset `energy_edges` has no attribute `units`; valid: MeV")]
#[case(Table::new().set("emissivity", &[1, 1, 2], 1.01 * emissivity(1, 1, 2)),
    "at [1, 1, 2]; valid: ")]
#[case(Table::new().without("f_equilibrium").set("absorption", &[1, 1, 2], 0.0),
    "valid: 0 where `absorption` is 0")]
#[case(Table::new().with("scattering_first", ArrayD::from_elem(IxDyn(&[3, 3, 4]), 1.0), "cm-1"),
    "dataset `scattering_first` has 1e0 at [0, 0, 0]; valid: at most `scattering` = 3")]
#[case(Table::new().with("energy", ArrayD::from_elem(IxDyn(&[4]), 1.0), "MeV"),
    "dataset `energy` has 1e0 at [1]; valid: inside the group (2e0, 5e0)")]
#[case(Table::new().edit("energy_edges", |edges| *edges = ArrayD::zeros(IxDyn(&[1]))),
    "dataset `energy_edges` has the shape [1]; valid: one dimension with at least two edges")]
fn bad_tables_are_described(#[case] table: Table, #[case] said: &str) {
    let written = write(&table);
    let message = TableFile::read(&written.path, [false; 2]).unwrap_err().to_string();
    assert!(message.contains("table.h5: ") && message.contains(said), "{message}");
}

#[test]
fn bad_files_are_described() {
    let message = |path: &Path| TableFile::read(path, [false; 2]).unwrap_err().to_string();
    let folder = tempfile::tempdir().unwrap();
    let absent = message(&folder.path().join("absent.h5"));
    assert!(absent.contains("absent.h5: cannot be read"), "{absent}");
    let text = folder.path().join("text.h5");
    std::fs::write(&text, "r, absorption\n1, 2\n").unwrap();
    assert!(message(&text).contains("text.h5: is not an HDF5 file"), "{}", message(&text));
    let truncated = write(&Table::new());
    let bytes = std::fs::read(&truncated.path).unwrap();
    std::fs::write(&truncated.path, &bytes[..bytes.len() / 2]).unwrap();
    assert!(message(&truncated.path).contains("is truncated"), "{}", message(&truncated.path));
    let numbers = folder.path().join("numbers.h5");
    {
        let file = hdf5::File::create(&numbers).unwrap();
        file.new_dataset_builder().with_data(&[1.0, 2.0]).create("species").unwrap();
    }
    assert!(message(&numbers).contains("dataset `species` does not hold text"), "{}", message(&numbers));
}

#[test]
fn places_beyond_the_table_are_rejected() {
    let written = write(&Table::new());
    let opacities = build(&written.path, GroupMapping::Conservative, &standard()).unwrap();
    let message = at(&opacities, 1.1e7, 1.0, None).unwrap_err().to_string();
    assert!(message.contains("r = 1.1e7 cm is asked for; the zones cover 0e0 to 1e7 cm"), "{message}");
    let message = at(&opacities, 1e6, 29.0, Some((28.0, 31.0))).unwrap_err().to_string();
    assert!(
        message.contains("energy = 3.1e1 MeV is asked for; the groups cover 0e0 to 3e1 MeV"),
        "{message}"
    );
    // Round-off is not beyond.
    assert!(at(&opacities, 1e7 * (1.0 + 1e-15), 1.0, Some((20.0, 30.0 * (1.0 + 1e-15)))).is_ok());
}

/// The published post-bounce snapshot: its emissivities are κ* f_eq times the group's black body.
#[test]
fn the_snapshot_is_read() {
    let Some(data) = std::env::var_os("TOLMAN_DATA").map(PathBuf::from) else {
        eprintln!("skipped: TOLMAN_DATA not set");
        return;
    };
    let path = data.join("ccsn_snapshot_nsy.h5");
    let opacities = build(&path, GroupMapping::Conservative, &standard()).unwrap();
    assert_eq!(opacities.zone_edges().unwrap().len(), 385);
    let groups = opacities.group_edges().unwrap();
    assert_eq!(groups.len(), 81);
    // Numbers read with h5py.
    for (r, g, row, absorption, equilibrium) in [
        (1e4, 0, 0, 5.42729717663e-5, 0.6666672738168435),
        (8.2714e6, 40, 2, 3.39871264329e-11, 0.029443416533954683),
    ] {
        let element = (groups[g], groups[g + 1]);
        let value = at(&opacities, r, 0.5 * (element.0 + element.1), Some(element)).unwrap()[row];
        assert!((value.absorption / absorption - 1.0).abs() < 1e-13, "{value:?}");
        assert!((value.emissivity / (absorption * equilibrium) - 1.0).abs() < 1e-13, "{value:?}");
    }
}

/// T of the zones \[MeV\].
const TEMPERATURES: [f64; 3] = [4.0, 3.0, 2.0];
/// The middles of the groups \[MeV\].
const ENERGIES: [f64; 4] = [1.0, 3.5, 8.0, 20.5];

/// Down-scattering [cm³/s].
fn down(s: usize, z: usize, k: usize, l: usize) -> f64 {
    if k < l { 0.0 } else { 1e-30 * ((1 + s) * (2 + z) * (1 + k) * (3 + l)) as f64 }
}

/// Annihilation [cm³/s]; that of ν̄e is the transpose of that of νe, that of νx is not symmetric.
fn annihilation(s: usize, z: usize, k: usize, l: usize) -> f64 {
    let of = |k: usize, l: usize| 1e-31 * ((1 + z) * (1 + k) * (2 + 3 * l)) as f64;
    if s == 1 { of(l, k) } else { of(k, l) }
}

fn kernel(value: impl Fn(usize, usize, usize, usize) -> f64) -> ArrayD<f64> {
    ndarray::Array4::from_shape_fn((3, 3, 4, 4), |(s, z, k, l)| value(s, z, k, l)).into_dyn()
}

fn with_kernels() -> Table {
    let temperatures = ArrayD::from_shape_vec(IxDyn(&[3]), TEMPERATURES.to_vec()).unwrap();
    Table::new()
        .with("temperature", temperatures, "MeV")
        .with("inelastic_phi0", kernel(down), "cm3 s-1")
        .with("inelastic_phi1", kernel(|s, z, k, l| -0.25 * down(s, z, k, l)), "cm3 s-1")
        .with("pairs_phi0", kernel(annihilation), "cm3/s")
}

fn build_with_kernels(path: &Path, mapping: GroupMapping) -> Result<Opacities> {
    let file = path.to_str().unwrap().to_owned();
    let context = BuildContext { units: UnitSystem::PHYSICAL, folder: "/".into(), data: None };
    let surroundings = Surroundings { lapse: &|_| 1.0, has_matter: false };
    let source = OpacityFile::ZoneTable { file, mapping, inelastic: true, pairs: true };
    Opacities::build(&[source], &standard(), &context, surroundings)
}

/// 2π/(c(hc)³).
fn kernel_unit() -> f64 {
    2.0 * std::f64::consts::PI / (SPEED_OF_LIGHT * PLANCK_C.powi(3))
}

/// At the groups' own energies both mappings give the table's kernels, up-scattering and production by detailed
/// balance with the zone's temperature, ν̄e as the transpose, νx as the mean of kernel and transpose.
#[rstest::rstest]
#[case(GroupMapping::Conservative)]
#[case(GroupMapping::Pointwise)]
fn kernels_of_the_table_reach_the_solver(#[case] mapping: GroupMapping) {
    let written = write(&with_kernels());
    let opacities = build_with_kernels(&written.path, mapping).unwrap();
    assert!(opacities.describe()[0].contains("kernels of inelastic scattering; kernels of pairs"));
    let nodes = ENERGIES.map(|energy| EnergyNode { energy, element: None });
    let close = |a: f64, b: f64, what: &str| assert!((a / b - 1.0).abs() < 1e-12, "{what}: {a:e} {b:e}");
    for (zone, r) in [(0, 5e5), (1, 2e6), (2, 9e6)] {
        let point = RadialPoint { r, lapse: 1.0, matter: None };
        let kernels = opacities.kernels_at(&point, &nodes).unwrap().unwrap();
        for (s, k, l) in (0..3).flat_map(|s| (0..16).map(move |at| (s, at / 4, at % 4))) {
            let balance = |exponent: f64| (-exponent / TEMPERATURES[zone]).exp();
            let scattering = kernels.scattering[s].as_ref().unwrap()[[k, l]];
            let (high, low) = (k.max(l), k.min(l));
            let rise = (ENERGIES[l] - ENERGIES[k]).max(0.0);
            let exact = kernel_unit() * down(s, zone, high, low) * balance(rise);
            close(scattering.zeroth, exact, "scattering");
            close(scattering.first, -0.25 * exact, "its first moment");
            let pair = kernels.pairs[s].as_ref().unwrap();
            let mut exact = annihilation(s, zone, k, l);
            if s == 2 {
                exact = 0.5 * (exact + annihilation(s, zone, l, k));
            }
            close(pair.annihilation[[k, l]].zeroth, kernel_unit() * exact, "annihilation");
            let production = kernel_unit() * exact * balance(ENERGIES[k] + ENERGIES[l]);
            close(pair.production[[k, l]].zeroth, production, "production");
        }
    }
}

/// Up-scattering may be in the table, if it is in detailed balance; kernels that are not asked for are not read.
#[test]
fn complete_kernels_are_accepted_and_unused_ones_ignored() {
    let full = kernel(|s, z, k, l| {
        let gap = (ENERGIES[l] - ENERGIES[k]).max(0.0);
        down(s, z, k.max(l), k.min(l)) * (-gap / TEMPERATURES[z]).exp() * 1.005
    });
    let table = with_kernels().edit("inelastic_phi0", |values| *values = full).without("inelastic_phi1");
    let written = write(&table);
    build_with_kernels(&written.path, GroupMapping::Pointwise).unwrap();
    let written = write(&with_kernels().set("pairs_phi0", &[0, 0, 0, 0], f64::NAN));
    assert_eq!(TableFile::read(&written.path, [true, false]).unwrap().kernels.unwrap().pairs, None);
    assert_eq!(TableFile::read(&written.path, [false; 2]).unwrap().kernels, None);
}

#[rstest::rstest]
#[case::missing(with_kernels().without("pairs_phi0"), "has no dataset `pairs_phi0`")]
#[case::no_temperature(with_kernels().without("temperature"), "has no dataset `temperature`")]
#[case::cold(with_kernels().set("temperature", &[1], 0.0),
    "dataset `temperature` has 0e0 at [1]; valid: temperatures > 0")]
#[case::nan(with_kernels().set("inelastic_phi0", &[1, 0, 2, 1], f64::NAN),
    "dataset `inelastic_phi0` has NaN at [1, 0, 2, 1]; valid: finite numbers")]
#[case::negative(with_kernels().set("pairs_phi0", &[2, 1, 0, 3], -1e-31),
    "dataset `pairs_phi0` has -1e-31 at [2, 1, 0, 3]; valid: kernels >= 0")]
#[case::first(with_kernels().set("inelastic_phi1", &[0, 0, 0, 0], 1e-28),
    "dataset `inelastic_phi1` has 1e-28 at [0, 0, 0, 0]; valid: at most `inelastic_phi0` = 6.0")]
#[case::shape(with_kernels().edit("inelastic_phi0", |values| *values = ArrayD::zeros(IxDyn(&[3, 3, 4]))),
    "dataset `inelastic_phi0` has the shape [3, 3, 4]; valid: [3, 3, 4, 4]")]
#[case::unit(with_kernels().unit("pairs_phi0", Some("cm3")), "dataset `pairs_phi0` has the unit \"cm3\"; valid: cm3/s")]
#[case::balance(with_kernels().set("inelastic_phi0", &[0, 1, 0, 2], 5e-29),
    "dataset `inelastic_phi0` has 5e-29 at [0, 1, 0, 2]; valid: 0 or 2.6")]
#[case::partner(with_kernels().set("pairs_phi0", &[1, 2, 3, 0], 9e-31),
    "dataset `pairs_phi0` has 9e-31 at [1, 2, 3, 0]; valid: 3.3")]
fn bad_kernels_are_named(#[case] table: Table, #[case] said: &str) {
    let written = write(&table);
    let message = build_with_kernels(&written.path, GroupMapping::Conservative).unwrap_err().to_string();
    assert!(message.contains("table.h5: ") && message.contains(said), "{message}");
}

fn problem_with_kernels(folder: &Path, flags: &str) -> Loaded {
    let text = format!(
        "(format: 1, title: \"t\", units: Physical, background: (metric: Flat),
          species: [(name: \"nue\", flavour: ElectronNeutrino), (name: \"anue\", flavour: ElectronAntineutrino),
                    (name: \"nux\")],
          phase_space: (r: (degree: 1, elements: Zones()), mu: Uniform(degree: 1, elements: 2),
                        energy: TableGroups(degree: 0)),
          opacities: [ZoneTable(file: \"table.h5\", mapping: Pointwise{flags})])"
    );
    load_text(text, &folder.join("problem.ron"), &LoadOptions::default()).unwrap()
}

/// The method of characteristics solves linear problems only, and kernels take memory.
#[rstest::rstest]
#[case(", inelastic: true")]
#[case(", pairs: true")]
fn kernels_of_a_table_are_not_overlooked(#[case] flags: &str) {
    let written = write(&with_kernels());
    let folder = written.path.parent().unwrap();
    let (with, without) = (problem_with_kernels(folder, flags), problem_with_kernels(folder, ""));
    assert!(least_memory(&with) > least_memory(&without));
    let settings = Settings { tolerance: 1e-2 };
    run_characteristics(&without, &settings, &Silent).unwrap();
    let message = run_characteristics(&with, &settings, &Silent).unwrap_err().to_string();
    assert!(message.contains("opacities[0]: found inelastic kernels; valid: elastic"), "{message}");
}
