//! NuLib tables: the reader against values that NuLib's own reader interpolated, the source against what the
//! table says, and every message about bad files. Tables and values are looked for in $TOLMAN_DATA/nulib.

use std::path::{Path, PathBuf};

use ndarray::Array2;
use serde_json::Value;
use tolman::background::MatterState;
use tolman::error::Result;
use tolman::opacities::nulib_table::NuLibTable;
use tolman::opacities::{EnergyNode, Opacities, RadialPoint, Surroundings};
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
