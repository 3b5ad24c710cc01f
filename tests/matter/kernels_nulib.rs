//! Inelastic kernels against numbers at NuLib's points, with its constants: NES and pairs against the
//! converged quadrature of the same kernels (not NuLib's own, which is coarse), bremsstrahlung against the
//! numbers of NuLib's branch. Looked for in $TOLMAN_DATA/nulib.

use std::collections::BTreeMap;
use std::path::PathBuf;

use tolman::background::MatterState;
use tolman::constants::{ATOMIC_MASS_UNIT, SPEED_OF_LIGHT};
use tolman::opacities::inelastic::{Inelastic, constants};
use tolman::opacities::kernels::{InelasticKernels, Moments};
use tolman::opacities::{EnergyNode, OpacitySource, RadialPoint, Species};
use tolman::problem::file::{Flavour, RateConstants};

/// m_n c² [MeV], the zero of the points' nucleon chemical potentials.
const NEUTRON: f64 = 939.565_346;

#[derive(serde::Deserialize)]
struct Row {
    point: String,
    kernel: String,
    species: String,
    channel: String,
    #[serde(rename = "i_E")]
    i: usize,
    #[serde(rename = "j_Eprime")]
    j: usize,
    phi0_nulib: f64,
    phi0_converged_not_nulib: Option<f64>,
    phi1_converged_not_nulib: Option<f64>,
}

struct Reference {
    points: BTreeMap<String, serde_json::Value>,
    energies: Vec<f64>,
    rows: Vec<Row>,
}

fn reference() -> Option<Reference> {
    let Some(data) = std::env::var_os("TOLMAN_DATA").map(PathBuf::from) else {
        eprintln!("skipped: TOLMAN_DATA not set");
        return None;
    };
    let folder = data.join("nulib");
    let text = std::fs::read_to_string(folder.join("points.json")).unwrap();
    let file: serde_json::Value = serde_json::from_str(&text).unwrap();
    let label = |point: &serde_json::Value| point["label"].as_str().unwrap().to_owned();
    let points = file["points"].as_array().unwrap();
    let mut reader = csv::Reader::from_path(folder.join("nulib_kernels.csv")).unwrap();
    Some(Reference {
        points: points.iter().map(|point| (label(point), point.clone())).collect(),
        energies: file["energies_MeV"].as_array().unwrap().iter().map(|e| e.as_f64().unwrap()).collect(),
        rows: reader.deserialize().map(Result::unwrap).collect(),
    })
}

/// The six species, so that neutrinos and antineutrinos are told apart.
const SPECIES: [(&str, Flavour); 4] = [
    ("nue", Flavour::ElectronNeutrino),
    ("anue", Flavour::ElectronAntineutrino),
    ("numu", Flavour::Heavy),
    ("anumu", Flavour::HeavyAntineutrino),
];

fn state(point: &serde_json::Value) -> MatterState {
    let number = |name: &str| point[name].as_f64().unwrap();
    MatterState {
        density: number("nb") * ATOMIC_MASS_UNIT,
        temperature: number("T"),
        electron_fraction: number("ye"),
        neutron_fraction: number("xn"),
        proton_fraction: number("xp"),
        electron_chemical_potential: Some(number("mue")),
        neutron_chemical_potential: Some(NEUTRON + number("mun")),
        proton_chemical_potential: Some(NEUTRON + number("mup")),
        ..MatterState::default()
    }
}

/// Kernels of `which` processes: (scattering on electrons, pairs, bremsstrahlung).
fn kernels(reference: &Reference, matter: &MatterState, which: (bool, bool, bool)) -> InelasticKernels {
    let (constants, pion_exchange) = constants(RateConstants::NuLib);
    let source = Inelastic {
        index: 0,
        electron_scattering: which.0,
        positrons: false,
        pairs: which.1,
        bremsstrahlung: which.2,
        constants,
        pion_exchange,
    };
    let species: Vec<Species> = SPECIES
        .iter()
        .map(|(name, flavour)| Species { name: (*name).to_owned(), flavour: *flavour })
        .collect();
    let nodes: Vec<EnergyNode> =
        reference.energies.iter().map(|&energy| EnergyNode { energy, element: None }).collect();
    let point = RadialPoint { r: 1.0, lapse: 1.0, matter: Some(matter) };
    source.kernels(&point, &species, &nodes).unwrap().unwrap()
}

/// From 2π/(c(hc)³) Φ to Φ in cm³/s.
fn in_cm3_per_s(value: f64) -> f64 {
    let hc = 2.0 * std::f64::consts::PI * 1.973_269_66e-11;
    value * SPEED_OF_LIGHT * hc.powi(3) / (2.0 * std::f64::consts::PI)
}

fn index_of(species: &str) -> usize {
    SPECIES.iter().position(|(name, _)| *name == species).unwrap()
}

/// Largest differences of Φ₀ (relative) and Φ₁ (relative to Φ₀) between `value` and the converged column.
fn differences<'a>(
    rows: impl Iterator<Item = &'a Row>,
    value: impl Fn(&Row) -> Moments,
) -> (usize, f64, f64) {
    rows.fold((0, 0.0, 0.0), |(count, zeroth, first), row| {
        let (phi0, phi1) = (row.phi0_converged_not_nulib.unwrap(), row.phi1_converged_not_nulib.unwrap());
        let Moments { zeroth: own0, first: own1 } = value(row);
        let difference0 = (in_cm3_per_s(own0) / phi0 - 1.0).abs();
        let difference1 = ((in_cm3_per_s(own1) - phi1) / phi0).abs();
        (count + 1, f64::max(zeroth, difference0), f64::max(first, difference1))
    })
}

#[test]
fn electron_scattering_agrees() {
    let Some(reference) = reference() else { return };
    for label in ["F5", "H3"] {
        let kernels = kernels(&reference, &state(&reference.points[label]), (true, false, false));
        let rows = reference.rows.iter().filter(|row| row.kernel == "nes" && row.point == label);
        let (count, zeroth, first) = differences(rows, |row| {
            kernels.scattering[index_of(&row.species)].as_ref().unwrap()[[row.i, row.j]]
        });
        println!("{label}, NES: {count} kernels, Phi0 to {zeroth:.1e}, Phi1 to {first:.1e}");
        assert_eq!(count, 4 * 171);
        assert!(zeroth < 1e-6 && first < 1e-6, "{label}: {zeroth:e} {first:e}");
    }
}

#[test]
fn electron_pairs_agree() {
    let Some(reference) = reference() else { return };
    for label in ["F5", "H3"] {
        let kernels = kernels(&reference, &state(&reference.points[label]), (false, true, false));
        let rows = reference.rows.iter().filter(|row| row.kernel == "pair" && row.point == label);
        let (count, zeroth, first) = differences(rows, |row| {
            kernels.pairs[index_of(&row.species)].as_ref().unwrap().production[[row.i, row.j]]
        });
        println!("{label}, pairs: {count} kernels, Phi0 to {zeroth:.1e}, Phi1 to {first:.1e}");
        assert_eq!(count, 2 * 324);
        assert!(zeroth < 1e-6 && first < 1e-6, "{label}: {zeroth:e} {first:e}");
    }
}

/// NuLib writes y·1.05 where Hannestad & Raffelt have y^1.05: at most 3e-3 apart.
#[test]
fn bremsstrahlung_agrees() {
    let Some(reference) = reference() else { return };
    for label in ["F5", "H3"] {
        let full = state(&reference.points[label]);
        let mixed = (full.neutron_fraction * full.proton_fraction).sqrt();
        for (channel, fraction) in
            [("nn", full.neutron_fraction), ("pp", full.proton_fraction), ("np_geometric_mean", mixed)]
        {
            let one_kind = MatterState { neutron_fraction: fraction, proton_fraction: 0.0, ..full };
            let kernels = kernels(&reference, &one_kind, (false, false, true));
            let annihilation = &kernels.pairs[0].as_ref().unwrap().annihilation;
            let rows: Vec<&Row> = reference
                .rows
                .iter()
                .filter(|row| row.kernel == "brems_HR98_annihilation")
                .filter(|row| row.point == label && row.channel == channel)
                .collect();
            let worst = rows.iter().fold(0.0, |worst, row| {
                let own = in_cm3_per_s(annihilation[[row.i, row.j]].zeroth);
                f64::max(worst, (own / row.phi0_nulib - 1.0).abs())
            });
            println!("{label}, bremsstrahlung {channel}: {} kernels to {worst:.1e}", rows.len());
            assert_eq!(rows.len(), 171);
            assert!(worst < 3e-3, "{label} {channel}: {worst:e}");
        }
    }
}
