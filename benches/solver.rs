//! Times of the parts that a run is made of. `cargo bench` prints them; nothing is asserted here.

use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, criterion_group, criterion_main};
use tolman::methods::boltzmann::implicit::{ImplicitSolver, structure};
use tolman::methods::boltzmann::operator::Operator;
use tolman::methods::setup::Setup;
use tolman::problem::{LoadOptions, Loaded, Resolution, load};
use tolman::progress::Silent;
use tolman::run::{Resources, run};

fn problem(name: &str, resolution: Resolution) -> Loaded {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("problems").join(name);
    load(&path, &LoadOptions { resolution, ..LoadOptions::default() }).expect("a problem of the repository")
}

/// Whole solves, without reading and writing files.
fn whole_runs(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("run");
    group.sample_size(10);
    let resources = Resources { memory: u64::MAX, restart: None };
    for name in ["homogeneous_sphere.ron", "relativistic_star.ron", "pns_atmosphere.ron"] {
        let problem = problem(name, Resolution::Standard);
        group.bench_function(name, |bencher| {
            bencher.iter(|| run(black_box(&problem), &resources, &Silent, &mut |_| Ok(())));
        });
    }
    group.finish();
}

/// The pieces of one energy-coupled solve.
fn pieces(criterion: &mut Criterion) {
    let setup =
        Setup::build(&problem("relativistic_star.ron", Resolution::Standard)).expect("a valid problem");
    let Setup { geometry, phase_space, coefficients, .. } = &setup;
    let operator = Operator::new(geometry, phase_space, coefficients, (false, false));
    let structure = structure(&operator.connection, phase_space);
    let mut group = criterion.benchmark_group("relativistic_star");
    group.sample_size(20);
    group.bench_function("set up and sample opacities", |bencher| {
        let problem = problem("relativistic_star.ron", Resolution::Standard);
        bencher.iter(|| Setup::build(black_box(&problem)));
    });
    group.bench_function("factorise all energies", |bencher| {
        bencher.iter(|| ImplicitSolver::<f32>::new(&operator, &structure, 0, 0.0));
    });
    let f = vec![1.0; phase_space.unknowns_per_species()];
    let mut image = vec![0.0; f.len()];
    group.bench_function("apply the operator", |bencher| {
        bencher.iter(|| operator.apply(0, 0.0, black_box(&f), &mut image));
    });
    group.finish();
}

criterion_group!(benches, whole_runs, pieces);
criterion_main!(benches);
