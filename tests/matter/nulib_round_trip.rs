//! `tolman rates --table`: tables in NuLib's layout with all kernels, read back by the source `NuLibTable`.

use std::path::Path;

use assert_cmd::Command;
use ndarray::Array2;
use tolman::background::MatterState;
use tolman::constants::ATOMIC_MASS_UNIT;
use tolman::opacities::kernels::{KernelMatrix, Moments};
use tolman::opacities::nulib_table::NuLibTable;
use tolman::opacities::{EnergyNode, Opacities, RadialPoint, Surroundings};
use tolman::problem::BuildContext;
use tolman::problem::file::{OpacityFile, SpeciesFile};
use tolman::units::UnitSystem;

/// T and μ_e/T have nodes at 1, 10 and 0.1, 1, 10; channels of bremsstrahlung at 1e34, 1e35, 1e36 1/cm³.
const GRID: &str = "groups: 8, density: (from: 1e10, to: 1e14, points: 3), temperature: (from: 1, to: 10, points: 3), \
    electron_fraction: (from: 0.1, to: 0.5, points: 3), kernel_temperature: (from: 1, to: 100, points: 3), \
    degeneracy: (from: 0.1, to: 10, points: 3), nucleon_density: (from: 1e34, to: 1e36, points: 3)";
const THREE: &str =
    "[(name: \"nue\", flavour: ElectronNeutrino), (name: \"anue\", flavour: ElectronAntineutrino),
    (name: \"nux\", flavour: Heavy, multiplicity: 4)]";
const FOUR: &str = "[(name: \"nue\", flavour: ElectronNeutrino), (name: \"anue\", flavour: ElectronAntineutrino),
    (name: \"nux\", flavour: Heavy, multiplicity: 2), (name: \"anux\", flavour: HeavyAntineutrino, multiplicity: 2)]";

fn tolman(args: &[&str]) -> Command {
    let mut command = Command::cargo_bin("tolman").unwrap();
    command.args(args).env_remove("TOLMAN_DATA");
    command
}

fn write(path: &Path, more: &[&str], grid: &str) {
    let grid = format!("({grid})");
    let args = [&["rates", "--table", path.to_str().unwrap(), "--grid", &grid], more].concat();
    let output = tolman(&args).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stdout.is_empty());
}

fn build(sources: &str, species: &str) -> Opacities {
    let context = BuildContext { units: UnitSystem { physical: true }, folder: "/".into(), data: None };
    let surroundings = Surroundings { lapse: &|_| 1.0, has_matter: true };
    let files: Vec<OpacityFile> = ron::from_str(sources).unwrap();
    let species: Vec<SpeciesFile> = ron::from_str(species).unwrap();
    Opacities::build(&files, &species, &context, surroundings).unwrap()
}

fn nodes(table: &NuLibTable) -> Vec<EnergyNode> {
    let elements = table.energy_edges.windows(2).map(|pair| Some((pair[0], pair[1])));
    table.energies.iter().zip(elements).map(|(&energy, element)| EnergyNode { energy, element }).collect()
}

/// On nodes of the table's axes: Y_e = 0.1, where n_n, n_p and √(n_n n_p) are nodes for the kernels' matter.
fn matter(density: f64, neutrons: f64, protons: f64) -> MatterState {
    MatterState {
        density,
        temperature: 10.0,
        electron_fraction: 0.1,
        neutron_fraction: neutrons,
        proton_fraction: protons,
        electron_chemical_potential: Some(10.0),
        ..MatterState::default()
    }
}

fn same(found: Moments, exact: Moments, place: &str) {
    // Below this, in 1/(cm MeV³), is the floor of 1e-200 cm³/s.
    let close = |a: f64, b: f64| (a - b).abs() <= 1e-12 * exact.zeroth.abs() + 1e-170;
    assert!(
        close(found.zeroth, exact.zeroth) && close(found.first, exact.first),
        "{place}: {found:?} {exact:?}"
    );
}

fn compare(found: &KernelMatrix, exact: &KernelMatrix, place: &str) {
    assert_eq!(found.dim(), exact.dim());
    for ((k, l), exact) in exact.indexed_iter() {
        same(found[[k, l]], *exact, &format!("{place} [{k}, {l}]"));
    }
}

/// Coefficients and kernels at the nodes come back to 1e-12, for both sets of species and with δ.
#[rstest::rstest]
#[case(3, THREE)]
#[case(6, FOUR)]
fn tables_give_the_rates_and_kernels_back(#[case] count: usize, #[case] species: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.h5");
    write(&path, &[], &format!("{GRID}, species: {count}, scattering: TotalAndDelta"));
    let table = NuLibTable::read(&path).unwrap();
    assert_eq!((table.species, table.kernels()), (count, [true; 3]));
    let source = format!(
        "[NuLibTable(file: {:?}, mapping: Conservative, inelastic: true, pairs: true, bremsstrahlung: true)]",
        path.to_str().unwrap()
    );
    let (built_in, read) = (build("[Rates(), Inelastic()]", species), build(&source, species));
    let nodes = nodes(&table);

    // The table's matter is free nucleons with the ideal gas's chemical potentials.
    let free = MatterState { electron_chemical_potential: None, ..matter(1e12, 0.9, 0.1) };
    let point = RadialPoint { r: 1.0, lapse: 1.0, matter: Some(&free) };
    let (exact, found) =
        (built_in.at_radius(&point, &nodes).unwrap(), read.at_radius(&point, &nodes).unwrap());
    for (exact, found) in exact.iter().zip(&found) {
        let close = |a: f64, b: f64| (a - b).abs() <= 1e-12 * b.abs() + 1e-60;
        assert!(close(found.absorption, exact.absorption), "{found:?} {exact:?}");
        assert!(close(found.emissivity, exact.emissivity), "{found:?} {exact:?}");
        assert!(close(found.scattering, exact.scattering), "{found:?} {exact:?}");
        assert!(close(found.scattering_first, exact.scattering_first), "{found:?} {exact:?}");
    }

    let density = 1.01e36 * ATOMIC_MASS_UNIT;
    let dense = matter(density, 1.0 / 1.01, 0.01 / 1.01);
    let point = RadialPoint { r: 1.0, lapse: 1.0, matter: Some(&dense) };
    let exact = built_in.kernels_at(&point, &nodes).unwrap().unwrap();
    let found = read.kernels_at(&point, &nodes).unwrap().unwrap();
    for (s, (found, exact)) in found.scattering.iter().zip(&exact.scattering).enumerate() {
        compare(found.as_ref().unwrap(), exact.as_ref().unwrap(), &format!("scattering of species {s}"));
    }
    for (s, (found, exact)) in found.pairs.iter().zip(&exact.pairs).enumerate() {
        let (found, exact) = (found.as_ref().unwrap(), exact.as_ref().unwrap());
        assert_eq!(found.partner, exact.partner);
        compare(&found.annihilation, &exact.annihilation, &format!("annihilation of species {s}"));
        compare(&found.production, &exact.production, &format!("production of species {s}"));
    }
}

/// The layout: shapes in C order, the emissivity of the third of three species a sum of four, its absorption a
/// mean, production = annihilation e^(−(ε+ε′)/T), both triangles of the scattering kernel.
#[test]
fn the_layout_is_nulibs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.h5");
    write(&path, &["--sources", "[Rates(), Inelastic(bremsstrahlung: false)]"], GRID);
    let file = hdf5::File::open(&path).unwrap();
    let read = |name: &str| file.dataset(name).unwrap().read_raw::<f64>().unwrap();
    let shape = |name: &str| file.dataset(name).unwrap().shape();
    assert_eq!(shape("absorption_opacity"), [8, 3, 3, 3, 3]);
    assert_eq!(shape("inelastic_phi0"), [8, 3, 8, 3, 3]);
    assert_eq!(shape("epannihil_phi1"), [2, 8, 3, 8, 3, 3]);
    for absent in ["scattering_delta", "bremsstrahlung_phi0", "n_N_Ipoints"] {
        assert!(!file.link_exists(absent), "{absent}");
    }
    assert_eq!(file.dataset("Ieta").unwrap().read_raw::<i32>().unwrap(), [3]);
    let edges = read("bin_bottom");
    assert!(edges[0] == 0.0 && edges[1] == 2.0 && edges[2] == 4.0 && (edges[7] - 250.0).abs() < 1e-9);
    let (energies, temperatures) = (read("neutrino_energies"), read("temp_Ipoints"));
    let (phi, pairs) = (read("inelastic_phi0"), read("epannihil_phi0"));
    let scattering = |from: usize, to: usize| phi[(((to * 3) * 8 + from) * 3 + 1) * 3 + 1];
    let up = scattering(2, 4) / scattering(4, 2);
    assert!((up / (-(energies[4] - energies[2]) / temperatures[1]).exp() - 1.0).abs() < 1e-12);
    let pair = |way: usize| pairs[((((way * 8 + 3) * 3) * 8 + 5) * 3 + 1) * 3 + 1];
    let factor = (-(energies[3] + energies[5]) / temperatures[1]).exp();
    assert!((pair(0) / pair(1) / factor - 1.0).abs() < 1e-12);
}

/// Six species in a table and three in the problem: νx is the mean of four; three in a table and four in the
/// problem: each of νx and ν̄x has the table's mean, and its emission a quarter of the table's sum.
#[test]
fn sums_and_means_over_heavy_leptons_are_undone() {
    let folder = tempfile::tempdir().unwrap();
    let (three, six) = (folder.path().join("three.h5"), folder.path().join("six.h5"));
    let grid = format!("{GRID}, matter: Composition(NuclearStatisticalEquilibrium(dense: FreeNucleons))");
    write(&three, &["--sources", "[Rates(), Inelastic()]"], &grid);
    write(&six, &["--sources", "[Rates(), Inelastic()]"], &format!("{grid}, species: 6"));
    let source = |path: &Path| {
        let fields = "mapping: Conservative, inelastic: true, pairs: true, bremsstrahlung: true";
        format!("[NuLibTable(file: {:?}, {fields})]", path.to_str().unwrap())
    };
    let nodes = nodes(&NuLibTable::read(&three).unwrap());
    let state = matter(1e12, 0.9, 0.1);
    let point = RadialPoint { r: 1.0, lapse: 1.0, matter: Some(&state) };
    let values = |path: &Path, species: &str| -> Array2<_> {
        build(&source(path), species).at_radius(&point, &nodes).unwrap()
    };
    let (from_three, from_six) = (values(&three, THREE), values(&six, THREE));
    let split = values(&three, FOUR);
    for group in 0..nodes.len() {
        let (a, b) = (from_three[[2, group]], from_six[[2, group]]);
        assert!((a.scattering / b.scattering - 1.0).abs() < 1e-12, "{a:?} {b:?}");
        assert_eq!(split[[2, group]], from_three[[2, group]]);
        assert_eq!(split[[3, group]], from_three[[2, group]]);
    }
    let kernel = |path: &Path| {
        let kernels = build(&source(path), THREE).kernels_at(&point, &nodes).unwrap().unwrap();
        (kernels.scattering[2].clone().unwrap(), kernels.pairs[2].clone().unwrap().annihilation)
    };
    let (mean, exact) = (kernel(&six), kernel(&three));
    compare(&mean.0, &exact.0, "scattering");
    compare(&mean.1, &exact.1, "annihilation");
}

#[rstest::rstest]
#[case(&["--grid", "(density: (from: 1e10, to: 1e9, points: 3))"], "--grid.density: found from 1e10 to 1e9")]
#[case(&["--grid", "(temperature: (from: 0, to: 9, points: 3))"], "--grid.temperature: found from 0e0 to 9e0")]
#[case(&["--grid", "(electron_fraction: (from: 0.1, to: NaN, points: 3))"], "--grid.electron_fraction: found from")]
#[case(&["--grid", "(degeneracy: (from: 1, to: 9, points: 1))"], "--grid.degeneracy: found 1 points; valid: 2 to")]
#[case(&["--grid", "(groups: 2)"], "--grid.groups: found 2; valid: 4 to 200 groups")]
#[case(&["--grid", "(species: 4)"], "--grid.species: found 4; valid: 3 or 6")]
#[case(&["--grid", "(energy_edges: [0, 5, 4])"], "grid.energy_edges: found [0.0, 5.0, 4.0]; valid: 2 or more")]
#[case(&["--grid", "(colour: 3)"], "colour")]
#[case(&["--grid", "(matter: EquationOfState((file: \"none.h5\", chemical_potentials: WithRestMass)))"],
    "none.h5: cannot be read")]
#[case(&["--grid", "(matter: Composition(NuclearStatisticalEquilibrium()))"], "background.matter: found temperature 1e-1 MeV")]
#[case(&["--sources", "[Scattering(scattering: Constant(\"1e-9 1/cm\"))]"],
    "--sources: found another source in a table")]
#[case(&["--density", "1e12 g/cm3"], "cannot be used with")]
fn bad_tables_are_refused(#[case] args: &[&str], #[case] said: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.h5");
    let output = tolman(&[&["rates", "--table", path.to_str().unwrap()], args].concat()).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stdout));
    let text = String::from_utf8(output.stderr).unwrap();
    let words = text.split(|c: char| c.is_whitespace() || c == '│').filter(|word| !word.is_empty());
    let text = words.collect::<Vec<_>>().join(" ");
    assert!(text.contains(said), "{said} is not in: {text}");
    assert!(!path.exists());
}

/// A table with dataset `name` replaced by what `change` makes of its values and shape; none without values.
fn damaged(path: &Path, name: &str, change: impl FnOnce(&mut Vec<f64>, &mut Vec<usize>)) {
    // Processes that other tests start inherit the file with its lock: the copy has none.
    let original = path.with_extension("original");
    write(&original, &[], &format!("{GRID}, scattering: TotalAndDelta"));
    let file = hdf5::File::append(&original).unwrap();
    let dataset = file.dataset(name).unwrap();
    let (mut values, mut shape) = (dataset.read_raw::<f64>().unwrap(), dataset.shape());
    change(&mut values, &mut shape);
    file.unlink(name).unwrap();
    if !values.is_empty() {
        file.new_dataset::<f64>().shape(shape).create(name).unwrap().write_raw(&values).unwrap();
    }
    file.flush().unwrap();
    std::fs::copy(&original, path).unwrap();
}

fn read_error(path: &Path) -> String {
    let message = NuLibTable::read(path).unwrap_err().to_string();
    assert!(message.starts_with(path.to_str().unwrap()), "{message}");
    message
}

/// Each bad number has its own message with file, dataset, index, value and what is valid.
#[rstest::rstest]
#[case("absorption_opacity", 85, f64::NAN, "has NaN at [1, 0, 0, 1, 1]; valid: finite numbers")]
#[case("emissivities", 0, -1.0, "has -1e0 at [0, 0, 0, 0, 0]; valid: numbers >= 0")]
#[case("scattering_opacity", 1, f64::INFINITY, "has inf at [0, 0, 0, 0, 1]; valid: finite numbers")]
#[case("scattering_delta", 3, 4.0, "has 4e0 at [0, 0, 0, 1, 0]; valid: numbers from -3 to 3")]
#[case("inelastic_phi0", 10, f64::NAN, "has NaN at [0, 0, 1, 0, 1]; valid: finite numbers")]
#[case("epannihil_phi0", 0, -1e-30, "has -1e-30 at [0, 0, 0, 0, 0, 0]; valid: numbers >= 0")]
#[case("epannihil_phi1", 1, f64::NAN, "has NaN at [0, 0, 0, 0, 0, 1]; valid: finite numbers")]
#[case("bremsstrahlung_phi0", 2, f64::NAN, "has NaN at [0, 0, 0, 0, 0, 2]; valid: finite numbers")]
#[case("rho_points", 1, 1e9, "has 1e9 at [1]; valid: increasing numbers")]
#[case("temp_points", 0, 0.0, "has 0e0 at [0]; valid: numbers > 0")]
#[case("ye_points", 0, -0.1, "has -1e-1 at [0]; valid: numbers >= 0")]
#[case("eta_Ipoints", 0, 0.0, "has 0e0 at [0]; valid: numbers > 0")]
#[case("bin_bottom", 3, 7.0, "at [3]; valid:")]
#[case("number_species", 0, 4.0, "is 4; valid: 3 or 6")]
#[case("nrho", 0, 1.0, "is 1; valid: a whole number of at least 2")]
#[case("number_groups", 0, 2.5, "is 2.5; valid: a whole number of at least 1")]
fn bad_numbers_are_named(#[case] name: &str, #[case] at: usize, #[case] value: f64, #[case] said: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.h5");
    damaged(&path, name, |values, _| values[at] = value);
    let message = read_error(&path);
    let dataset = if name == "bin_bottom" { "dataset `" } else { &format!("dataset `{name}`") };
    assert!(message.contains(dataset) && message.contains(said), "{message}");
}

#[rstest::rstest]
#[case("scattering_opacity", "has the shape [3, 3, 3, 3, 8]; valid: [8, 3, 3, 3, 3]")]
#[case("inelastic_phi1", "has the shape [3, 3, 8, 3, 8]; valid: [8, 3, 8, 3, 3]")]
#[case("bremsstrahlung_phi0", "has the shape [3, 3, 8, 3, 8, 2]; valid: [2, 8, 3, 8, 3, 3]")]
fn wrong_shapes_are_named(#[case] name: &str, #[case] said: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.h5");
    damaged(&path, name, |_, shape| shape.reverse());
    let message = read_error(&path);
    assert!(message.contains(&format!("dataset `{name}` {said}")), "{message}");
}

#[test]
fn missing_datasets_and_foreign_files_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.h5");
    damaged(&path, "emissivities", |values, _| values.clear());
    assert!(read_error(&path).contains("has no dataset `emissivities`"));
    damaged(&path, "epannihil_phi1", |values, _| values.clear());
    assert!(read_error(&path).contains("has no dataset `epannihil_phi1`"));
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    assert!(read_error(&path).contains("is truncated"));
    std::fs::write(&path, "no table").unwrap();
    assert!(read_error(&path).contains("is not an HDF5 file"));
    assert!(read_error(&folder.path().join("none.h5")).contains("cannot be read"));
}

/// Kernels outside their own axes, which are others than those of the opacities.
#[rstest::rstest]
#[case(MatterState { temperature: 200.0, electron_chemical_potential: Some(200.0), ..matter(1e12, 0.9, 0.1) },
    "`temp_Ipoints` covers 1e0 to 1e2 MeV")]
#[case(MatterState { electron_chemical_potential: Some(200.0), ..matter(1e12, 0.9, 0.1) },
    "`eta_Ipoints` covers 1e-1 to 1e1")]
#[case(matter(1e13, 0.9, 0.1), "`n_N_Ipoints` covers 1e34 to 1e36 cm-3")]
fn kernels_outside_their_axes_are_refused(#[case] state: MatterState, #[case] said: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.h5");
    write(&path, &[], GRID);
    let fields = "mapping: Conservative, inelastic: true, pairs: true, bremsstrahlung: true";
    let source = build(&format!("[NuLibTable(file: {:?}, {fields})]", path.to_str().unwrap()), THREE);
    let point = RadialPoint { r: 2e6, lapse: 1.0, matter: Some(&state) };
    let message =
        source.kernels_at(&point, &[EnergyNode { energy: 5.0, element: None }]).unwrap_err().to_string();
    assert!(message.contains("table.h5: is asked for the point") && message.contains(said), "{message}");
    assert!(message.contains("r = 2.0"), "{message}");
}

/// NuLib's own tables without and with δ, pairs and inelastic kernels: what each variant has is said, and what it
/// has not is refused where it is asked for.
#[test]
fn variants_without_kernels_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.h5");
    for (sources, kernels) in [
        ("[Rates()]", [false; 3]),
        ("[Rates(), Inelastic(pairs: false, bremsstrahlung: false)]", [true, false, false]),
        (
            "[Rates(), Inelastic(electron_scattering: false, positrons: false, bremsstrahlung: false)]",
            [false, true, false],
        ),
        (
            "[Rates(), Inelastic(electron_scattering: false, positrons: false, pairs: false)]",
            [false, false, true],
        ),
    ] {
        for (scattering, transport) in [("Transport", true), ("TotalAndDelta", false)] {
            write(&path, &["--sources", sources], &format!("{GRID}, scattering: {scattering}"));
            let table = NuLibTable::read(&path).unwrap();
            assert_eq!((table.kernels(), table.has_transport_scattering()), (kernels, transport));
        }
    }
}
