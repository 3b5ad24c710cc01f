//! Time of all opacities and kernels of a profile: 400 radii, 24 energies, 4 species, in parallel over the
//! radii as the solver asks for them.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use rayon::prelude::*;
use tolman::background::MatterState;
use tolman::opacities::{EnergyNode, Opacities, RadialPoint, Surroundings};
use tolman::problem::BuildContext;
use tolman::problem::file::{OpacityFile, SpeciesFile};
use tolman::units::UnitSystem;

const SPECIES: &str = "[(name: \"nue\", flavour: ElectronNeutrino), \
    (name: \"anue\", flavour: ElectronAntineutrino), (name: \"nux\", multiplicity: 2), \
    (name: \"anux\", flavour: HeavyAntineutrino, multiplicity: 2)]";

fn opacities(sources: &str) -> Opacities {
    let files: Vec<OpacityFile> = ron::from_str(sources).expect("sources");
    let species: Vec<SpeciesFile> = ron::from_str(SPECIES).expect("species");
    let context = BuildContext { units: UnitSystem { physical: true }, folder: ".".into(), data: None };
    let surroundings = Surroundings { lapse: &|_| 1.0, has_matter: true };
    Opacities::build(&files, &species, &context, surroundings).expect("valid sources")
}

/// From the centre of a proto-neutron star to beyond the shock.
fn profile() -> Vec<MatterState> {
    (0..400)
        .map(|i| {
            let x = f64::from(i) / 399.0;
            let electron_fraction = 0.1 + 0.4 * x;
            MatterState {
                density: 3e14 * 10f64.powf(-7.0 * x),
                temperature: 30.0 * 60f64.powf(-x),
                electron_fraction,
                neutron_fraction: 1.0 - electron_fraction,
                proton_fraction: electron_fraction,
                ..MatterState::default()
            }
        })
        .collect()
}

fn rates(criterion: &mut Criterion) {
    let profile = profile();
    let nodes: Vec<EnergyNode> = (0..24)
        .map(|k| EnergyNode { energy: 1.0 * 250f64.powf(f64::from(k) / 23.0), element: None })
        .collect();
    let mut group = criterion.benchmark_group("400 radii, 24 energies, 4 species");
    group.sample_size(10);
    for (name, sources) in [
        ("Bruenn1985", "[Bruenn1985()]"),
        ("scattering on electrons", "[Inelastic(pairs: false, bremsstrahlung: false)]"),
        ("pairs", "[Inelastic(electron_scattering: false, bremsstrahlung: false)]"),
        ("bremsstrahlung", "[Inelastic(electron_scattering: false, pairs: false)]"),
        ("all", "[Bruenn1985(), Inelastic()]"),
    ] {
        let opacities = opacities(sources);
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                profile.par_iter().for_each(|state| {
                    let point = RadialPoint { r: 1e6, lapse: 1.0, matter: Some(state) };
                    black_box(opacities.at_radius(&point, &nodes)).expect("opacities");
                    black_box(opacities.kernels_at(&point, &nodes)).expect("kernels");
                });
            });
        });
    }
    group.finish();
}

criterion_group!(benches, rates);
criterion_main!(benches);
