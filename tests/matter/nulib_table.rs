//! NuLib tables: the reader against values that NuLib's own reader interpolated, the source against what the
//! table says, and every message about bad files. Tables and values are looked for in $TOLMAN_DATA/nulib.

use std::path::{Path, PathBuf};

use ndarray::Array2;
use serde_json::Value;
use tolman::background::MatterState;
use tolman::error::Result;
use tolman::opacities::nulib_table::NuLibTable;
use tolman::opacities::nulib_writer::{NuLibGrid, NuLibScattering, write_nulib_table};
use tolman::opacities::{EnergyNode, LocalOpacity, Opacities, RadialPoint, Surroundings};
use tolman::problem::BuildContext;
use tolman::problem::file::{OpacityFile, SpeciesFile};
use tolman::units::UnitSystem;

const FULL: &str = "nulib_table_full_rho8_T6_ye5_ng12_ns3.h5";
const DEFAULT: &str = "nulib_table_default_rho8_T6_ye5_ng12_ns3.h5";

fn data() -> Option<PathBuf> {
    let data = std::env::var_os("TOLMAN_DATA").map(|data| PathBuf::from(data).join("nulib"));
    if data.is_none() {
        eprintln!("skipped: TOLMAN_DATA not set");
    }
    data
}

fn reference(folder: &Path) -> Value {
    let text = std::fs::read_to_string(folder.join("nulib_lookup_reference.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn number(value: &Value, name: &str) -> f64 {
    value[name].as_f64().unwrap()
}

/// Largest relative difference of `ours` from the nested lists `theirs`; numbers below `floor` of the
/// largest are not compared.
fn worst(ours: impl Iterator<Item = f64>, theirs: &Value, floor: f64) -> (f64, usize) {
    fn flatten(value: &Value, into: &mut Vec<f64>) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| flatten(item, into)),
            other => into.push(other.as_f64().unwrap()),
        }
    }
    let mut expected = Vec::new();
    flatten(theirs, &mut expected);
    let ours: Vec<f64> = ours.collect();
    assert_eq!(ours.len(), expected.len());
    let difference = |(a, b): (&f64, &f64)| if b.abs() <= floor { 0.0 } else { (a / b - 1.0).abs() };
    (ours.iter().zip(&expected).map(difference).fold(0.0, f64::max), expected.len())
}

/// Values of NuLib's reader between the nodes.
#[test]
fn interpolation_is_nulibs() {
    let Some(folder) = data() else { return };
    let table = NuLibTable::read(&folder.join(FULL)).unwrap();
    let reference = reference(&folder);
    let mut largest: f64 = 0.0;
    let mut numbers = 0;
    for point in reference["eas"].as_array().unwrap() {
        let ours = table.at(number(point, "rho"), number(point, "T"), number(point, "ye")).unwrap();
        let delta: Array2<f64> = ours.delta.unwrap();
        for (values, name) in [
            (&ours.emissivity, "emissivity_times_binwidth_species_group"),
            (&ours.absorption, "absorption_species_group"),
            (&ours.scattering, "scattering_species_group"),
            (&delta, "delta_species_group"),
        ] {
            let (difference, count) = worst(values.iter().copied(), &point[name], 0.0);
            assert!(difference <= 1e-10, "{name}: {difference:e}");
            largest = largest.max(difference);
            numbers += count;
        }
    }
    println!("opacities: {numbers} numbers, largest relative difference {largest:.1e}");
    assert_eq!(numbers, 6 * 4 * 36);
}

#[test]
fn kernels_are_nulibs() {
    let Some(folder) = data() else { return };
    let table = NuLibTable::read(&folder.join(FULL)).unwrap();
    let mut largest: f64 = 0.0;
    let mut numbers = 0;
    for point in reference(&folder)["kernels"].as_array().unwrap() {
        let at = (number(point, "T"), number(point, "eta"));
        let scattering = table.inelastic(at.0, at.1).unwrap().unwrap();
        let pairs = table.annihilation(at.0, at.1).unwrap().unwrap();
        for (values, name) in [
            (&scattering.zeroth, "nes_phi0_species_in_out"),
            (&scattering.first, "nes_phi1_species_in_out"),
            (&pairs.zeroth, "pair_ann_phi0_species_this_that"),
            (&pairs.first, "pair_ann_phi1_species_this_that"),
        ] {
            let (difference, count) = worst(values.iter().copied(), &point[name], 0.0);
            assert!(difference <= 1e-10, "{name}: {difference:e}");
            largest = largest.max(difference);
            numbers += count;
        }
    }
    println!("kernels: {numbers} numbers, largest relative difference {largest:.1e}");
    assert_eq!(numbers, 2 * 4 * 432);
}

fn build(file: &Path, fields: &str, species: &str) -> Result<Opacities> {
    fn parse<T: serde::de::DeserializeOwned>(text: &str) -> T {
        ron::from_str(text).unwrap()
    }
    let source = format!("[NuLibTable(file: {:?}{fields})]", file.display().to_string());
    let context = BuildContext { units: UnitSystem { physical: true }, folder: "/".into(), data: None };
    let surroundings = Surroundings { lapse: &|_| 1.0, has_matter: true };
    let species: Vec<SpeciesFile> = parse(species);
    Opacities::build(&parse::<Vec<OpacityFile>>(&source), &species, &context, surroundings)
}

const THREE: &str =
    "[(name: \"nue\", flavour: ElectronNeutrino), (name: \"anue\", flavour: ElectronAntineutrino),
    (name: \"nux\", flavour: Heavy, multiplicity: 4)]";

/// A state on a node of the tables.
fn matter() -> MatterState {
    MatterState {
        density: 1e12,
        temperature: 6.062_866_266_041_593,
        electron_fraction: 0.15,
        neutron_fraction: 0.85,
        proton_fraction: 0.15,
        ..MatterState::default()
    }
}

fn nodes(table: &NuLibTable) -> Vec<EnergyNode> {
    let elements = table.energy_edges.windows(2).map(|pair| (pair[0], pair[1]));
    table
        .energies
        .iter()
        .zip(elements)
        .map(|(&energy, element)| EnergyNode { energy, element: Some(element) })
        .collect()
}

/// On a node and on the table's own groups the source gives what the file says; emission over absorption of
/// νx is an occupation, which it is only where the sum over four species is divided by four.
#[rstest::rstest]
#[case(", mapping: Conservative")]
#[case(", mapping: Pointwise")]
fn source_gives_the_tables_values(#[case] fields: &str) {
    let Some(folder) = data() else { return };
    let table = NuLibTable::read(&folder.join(FULL)).unwrap();
    let opacities = build(&folder.join(FULL), fields, THREE).unwrap();
    let (matter, nodes) = (matter(), nodes(&table));
    let stored = table.at(matter.density, matter.temperature, matter.electron_fraction).unwrap();
    let point = RadialPoint { r: 1e6, lapse: 1.0, matter: Some(&matter) };
    let values = opacities.at_radius(&point, &nodes).unwrap();
    let delta = stored.delta.unwrap();
    for ((s, g), value) in values.indexed_iter() {
        assert!((value.absorption / stored.absorption[[s, g]] - 1.0).abs() < 1e-13);
        assert!((value.scattering / stored.scattering[[s, g]] - 1.0).abs() < 1e-13);
        let first = delta[[s, g]] / 3.0;
        assert!((value.scattering_first / value.scattering - first).abs() < 1e-12);
        let heavy = s == 2;
        let black = 1.0 / ((nodes[g].energy / matter.temperature).exp() + 1.0);
        if heavy && nodes[g].energy < 100.0 {
            let occupation = value.emissivity / value.absorption;
            assert!((occupation / black - 1.0).abs() < 1e-6, "{g}: {occupation} {black}");
        }
    }
}

/// The table with kernels couples the groups as the kernels do; detailed balance holds in floating point.
#[test]
fn kernels_reach_the_solver() {
    let Some(folder) = data() else { return };
    let table = NuLibTable::read(&folder.join(FULL)).unwrap();
    let fields = ", mapping: Conservative, inelastic: true, pairs: true";
    let opacities = build(&folder.join(FULL), fields, THREE).unwrap();
    let matter = MatterState { electron_chemical_potential: Some(20.0), ..matter() };
    let point = RadialPoint { r: 1e6, lapse: 1.0, matter: Some(&matter) };
    let kernels = opacities.kernels_at(&point, &nodes(&table)).unwrap().unwrap();
    let stored = table.inelastic(matter.temperature, 20.0 / matter.temperature).unwrap().unwrap();
    let scale = 2.0 * std::f64::consts::PI / (2.997_924_58e10 * 1.239_841_984_332_002_6e-10_f64.powi(3));
    for (species, kernel) in kernels.scattering.iter().enumerate() {
        for ((from, to), moments) in kernel.as_ref().unwrap().indexed_iter() {
            let exact = scale * stored.zeroth[[species, from, to]];
            if exact > 1e-60 {
                assert!((moments.zeroth / exact - 1.0).abs() < 1e-12, "{from} {to}");
            }
        }
    }
    let production = &kernels.pairs[0].as_ref().unwrap().production;
    let annihilation = &kernels.pairs[0].as_ref().unwrap().annihilation;
    let factor = (-(table.energies[2] + table.energies[3]) / matter.temperature).exp();
    assert!((production[[2, 3]].zeroth / annihilation[[2, 3]].zeroth / factor - 1.0).abs() < 1e-13);
    assert_eq!(kernels.pairs[1].as_ref().unwrap().annihilation[[3, 2]], annihilation[[2, 3]]);
}

#[test]
fn transport_scattering_is_isotropic() {
    let Some(folder) = data() else { return };
    let table = NuLibTable::read(&folder.join(DEFAULT)).unwrap();
    assert!(table.has_transport_scattering());
    assert_eq!(table.kernels(), [true, false, false]);
    let opacities = build(&folder.join(DEFAULT), ", mapping: Pointwise", THREE).unwrap();
    let matter = matter();
    let point = RadialPoint { r: 1e6, lapse: 1.0, matter: Some(&matter) };
    let values = opacities.at_radius(&point, &nodes(&table)).unwrap();
    assert!(values.iter().all(|value| value.scattering > 0.0 && value.scattering_first == 0.0));
    assert!(opacities.describe()[0].contains("not used: scattering on electrons"));
    let error = build(&folder.join(DEFAULT), ", mapping: Pointwise, pairs: true", THREE).unwrap_err();
    assert!(error.to_string().contains("opacities[0].pairs: found true, and"), "{error}");
    assert!(error.to_string().contains("has no dataset `epannihil_phi0`"), "{error}");
}

#[rstest::rstest]
#[case(MatterState { density: 1e7, ..matter() }, "`rho_points` covers 1e8 to 1e15 g/cm3")]
#[case(MatterState { temperature: 40.0, ..matter() }, "`temp_points` covers 5e-1 to 3.2")]
#[case(MatterState { electron_fraction: 0.02, ..matter() }, "`ye_points` covers 5e-2 to 4.5e-1")]
fn points_outside_the_table_are_named(#[case] matter: MatterState, #[case] said: &str) {
    let Some(folder) = data() else { return };
    let opacities = build(&folder.join(DEFAULT), ", mapping: Pointwise", THREE).unwrap();
    let point = RadialPoint { r: 1e6, lapse: 1.0, matter: Some(&matter) };
    let error = opacities.at_radius(&point, &[EnergyNode { energy: 5.0, element: None }]).unwrap_err();
    let message = error.to_string();
    assert!(message.contains(DEFAULT) && message.contains(said) && message.contains("r = 1.0"), "{message}");
    assert!(message.contains(&format!("rho_points = {:e}", matter.density)), "{message}");
}

fn grid() -> NuLibGrid {
    NuLibGrid {
        density: vec![1e9, 1e11, 1e13],
        temperature: vec![1.0, 4.0],
        electron_fraction: vec![0.1, 0.3, 0.5],
        energy_edges: vec![0.0, 4.0, 10.0, 30.0, 80.0],
        energies: vec![2.0, 7.0, 18.0, 50.0],
    }
}

fn free(density: f64, temperature: f64, electron_fraction: f64) -> Result<MatterState> {
    Ok(MatterState {
        density,
        temperature,
        electron_fraction,
        neutron_fraction: 1.0 - electron_fraction,
        proton_fraction: electron_fraction,
        ..MatterState::default()
    })
}

fn rates(species: &str) -> Opacities {
    let context = BuildContext { units: UnitSystem { physical: true }, folder: "/".into(), data: None };
    let surroundings = Surroundings { lapse: &|_| 1.0, has_matter: true };
    let files: Vec<OpacityFile> = ron::from_str("[Rates(), Scattering(scattering: Constant(\"1e-9 1/cm\")),
        Absorption(absorption: Constant(\"2e-9 1/cm\"), equilibrium: Constant(0.25), species: Some([\"nux\"]))]")
        .unwrap();
    let species: Vec<SpeciesFile> = ron::from_str(species).unwrap();
    Opacities::build(&files, &species, &context, surroundings).unwrap()
}

const FOUR: &str = "[(name: \"nue\", flavour: ElectronNeutrino), (name: \"anue\", flavour: ElectronAntineutrino),
    (name: \"nux\", flavour: Heavy, multiplicity: 2), (name: \"anux\", flavour: HeavyAntineutrino, multiplicity: 2)]";

/// What is written comes back through the reader and the source: with three species, where νx emission is
/// a sum of four in the file, and with six.
#[rstest::rstest]
#[case(THREE, 3, NuLibScattering::TotalAndDelta)]
#[case(FOUR, 6, NuLibScattering::TotalAndDelta)]
#[case(THREE, 3, NuLibScattering::Transport)]
fn written_tables_give_the_rates_back(
    #[case] species: &str,
    #[case] count: usize,
    #[case] scattering: NuLibScattering,
) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.h5");
    let (grid, rates) = (grid(), rates(species));
    write_nulib_table(&path, &grid, &rates, free, scattering, None).unwrap();
    let table = NuLibTable::read(&path).unwrap();
    assert_eq!((table.species, table.energies.len()), (count, 4));
    let source = build(&path, ", mapping: Conservative", species).unwrap();
    for &density in &grid.density {
        let matter = free(density, 4.0, 0.3).unwrap();
        let point = RadialPoint { r: 1.0, lapse: 1.0, matter: Some(&matter) };
        let nodes = nodes(&table);
        let (exact, found) =
            (rates.at_radius(&point, &nodes).unwrap(), source.at_radius(&point, &nodes).unwrap());
        for (exact, found) in exact.iter().zip(&found) {
            let close = |a: f64, b: f64| (a - b).abs() <= 1e-12 * b.abs() + 1e-50;
            assert!(close(found.absorption, exact.absorption) && close(found.emissivity, exact.emissivity));
            let transport = |value: &LocalOpacity| value.scattering - value.scattering_first;
            assert!(close(transport(found), transport(exact)));
            if scattering == NuLibScattering::TotalAndDelta {
                assert!(close(found.scattering, exact.scattering));
            }
        }
    }
    let raw = hdf5::File::open(&path).unwrap().dataset("emissivities").unwrap();
    assert_eq!(raw.shape(), [4, count, 3, 2, 3]);
}

#[rstest::rstest]
#[case(NuLibGrid { density: vec![1e9], ..grid() }, "grid.density: found [1000000000.0]; valid: 2 or more")]
#[case(NuLibGrid { temperature: vec![1.0, f64::NAN], ..grid() }, "grid.temperature: found [1.0, NaN]")]
#[case(NuLibGrid { energies: vec![2.0, 7.0, 18.0, 90.0], ..grid() }, "grid.energies: found")]
fn bad_grids_are_named(#[case] grid: NuLibGrid, #[case] said: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.h5");
    let error =
        write_nulib_table(&path, &grid, &rates(THREE), free, NuLibScattering::Transport, None).unwrap_err();
    assert!(error.to_string().contains(said), "{error}");
    assert!(!path.exists());
}

/// Bremsstrahlung: a power law in T and in each channel's density comes back exactly, with the channels nn,
/// pp and 28/3 np added up.
#[test]
fn bremsstrahlung_channels_add_up() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.h5");
    write_nulib_table(&path, &grid(), &rates(THREE), free, NuLibScattering::Transport, None).unwrap();
    let (temperatures, densities) = ([0.5, 8.0], [1e30, 1e36, 1e39]);
    let law = |t: f64, n: f64| 1e-70 * t.powf(1.5) * n;
    let mut values = Vec::new();
    for _ in 0..2 * 4 * 3 * 4 {
        values.extend(densities.iter().flat_map(|n| temperatures.iter().map(|t| law(*t, *n))));
    }
    let file = hdf5::File::append(&path).unwrap();
    for (name, count) in [("Itemp", 2), ("In_N", 3)] {
        file.new_dataset::<i32>().shape([1]).create(name).unwrap().write_raw(&[count]).unwrap();
    }
    let write = |name: &str, shape: &[usize], values: &[f64]| {
        file.new_dataset::<f64>().shape(shape).create(name).unwrap().write_raw(values).unwrap();
    };
    write("temp_Ipoints", &[2], &temperatures);
    write("n_N_Ipoints", &[3], &densities);
    write("bremsstrahlung_phi0", &[2, 4, 3, 4, 3, 2], &values);
    file.close().unwrap();
    let source = build(&path, ", mapping: Conservative, bremsstrahlung: true", THREE).unwrap();
    let matter = free(1e12, 3.0, 0.2).unwrap();
    let point = RadialPoint { r: 1.0, lapse: 1.0, matter: Some(&matter) };
    let nodes = nodes(&NuLibTable::read(&path).unwrap());
    let kernels = source.kernels_at(&point, &nodes).unwrap().unwrap();
    let baryons = 1e12 / tolman::constants::ATOMIC_MASS_UNIT;
    let channels = baryons * (0.8 + 0.2 + 28.0 / 3.0 * 0.16_f64.sqrt());
    let scale = 2.0 * std::f64::consts::PI / (2.997_924_58e10 * 1.239_841_984_332_002_6e-10_f64.powi(3));
    let exact = scale * law(3.0, 1.0) * channels;
    for kernel in kernels.pairs.iter().flatten() {
        for moments in &kernel.annihilation {
            assert!((moments.zeroth / exact - 1.0).abs() < 1e-11 && moments.first == 0.0);
        }
    }
    assert!(kernels.scattering.iter().all(Option::is_none));
}
