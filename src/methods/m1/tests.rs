use super::*;
use crate::problem;
use crate::progress::Silent;
use std::path::Path;

fn setup(name: &str) -> Setup {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("problems").join(name);
    let options = problem::LoadOptions {
        data: std::env::var_os("TOLMAN_DATA").map(Into::into),
        overrides: std::env::var("SET")
            .unwrap_or_default()
            .split(';')
            .filter(|t| !t.is_empty())
            .map(|t| {
                let (a, b) = t.split_once('=').unwrap();
                (a.into(), b.into())
            })
            .collect(),
        ..Default::default()
    };
    let problem = crate::methods::moment_grid::on_moment_grid(&problem::load(&path, &options).unwrap());
    Setup::build(&problem).unwrap()
}

const LIMITS: Limits = Limits { tolerance: 1e-9, iterations: 100 };

#[test]
fn probe() {
    tracing_subscriber::fmt().with_max_level(tracing::Level::DEBUG).with_ansi(false).without_time().init();
    let names = std::env::var("PROBE").unwrap();
    for name in names.split(',') {
        for closure in [Closure::Minerbo] {
            let setup = setup(&format!("{name}.ron"));
            let started = std::time::Instant::now();
            let solution = solve(&setup, closure, LIMITS, &Silent).unwrap();
            let t = started.elapsed().as_secs_f64();
            let (radial, energy) = (&setup.phase_space.radial, &setup.phase_space.energy);
            let n = radial.nodes.len();
            println!(
                "{name:30} {} {:?} steps {} res {:?} reduced {:?} {:.2} s",
                closure.name(),
                solution.status,
                solution.steps,
                solution.residuals.last(),
                solution.reduced.iter().copied().fold(0.0, f64::max),
                t
            );
            for s in 0..setup.phase_space.species.len() {
                for i in
                    (0..n).step_by((n / 6).max(1)).chain([n - 1]).filter(|_| std::env::var("TABLE").is_ok())
                {
                    let sum = |p: i32, m: &[f64]| -> f64 {
                        (0..energy.len())
                            .map(|k| {
                                energy.weight(k) * energy.node(k).powi(p) * m[(s * energy.len() + k) * n + i]
                            })
                            .sum()
                    };
                    let (v, a) = (setup.geometry.velocity[i], setup.geometry.lapse[i]);
                    let w2 = 1.0 / (1.0 - v * v);
                    let (j, h, k) = (
                        sum(3, &solution.moments.j),
                        sum(3, &solution.moments.h),
                        sum(3, &solution.moments.k),
                    );
                    let linf = a * a * radial.nodes[i].powi(2) * w2 * ((1.0 + v * v) * h + v * (j + k));
                    println!(
                        "   r {:.4e} Linf {:.6e} h {:.5} k {:.5} mean {:.5} meanH {:.5}",
                        radial.nodes[i],
                        linf,
                        h / j,
                        k / j,
                        sum(3, &solution.moments.j) / sum(2, &solution.moments.j),
                        a * h / sum(2, &solution.moments.h)
                    );
                }
            }
        }
    }
}
