use std::path::Path;
use tolman::methods::fld::{self, FldSolution, Limiter};
use tolman::methods::setup::Setup;
use tolman::problem::{LoadOptions, Loaded, load};
use tolman::progress::Silent;
use tolman::solvers::krylov::Limits;

const LIMITS: Limits = Limits { tolerance: 1e-11, iterations: 200 };

fn loaded(name: &str) -> Loaded {
    let options =
        LoadOptions { data: std::env::var_os("TOLMAN_DATA").map(Into::into), ..LoadOptions::default() };
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("problems").join(format!("{name}.ron"));
    load(&path, &options).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn explore() {
    let names = std::env::var("PROBLEMS").unwrap_or("homogeneous_sphere".into());
    for name in names.split(',') {
        let setup = Setup::build(&loaded(name)).unwrap();
        for limiter in
            Limiter::ALL.into_iter().filter(|l| std::env::var("LIM").map_or(true, |x| x == l.name()))
        {
            let t = std::time::Instant::now();
            match fld::solve(&setup, limiter, LIMITS, &Silent) {
                Ok(s) => report(name, limiter, &setup, &s, t.elapsed().as_secs_f64()),
                Err(e) => println!("{name} {} {e}", limiter.name()),
            }
        }
    }
}

fn report(name: &str, limiter: Limiter, setup: &Setup, s: &FldSolution, t: f64) {
    let r = &setup.phase_space.radial.nodes;
    let n = r.len();
    println!(
        "{name} {} {:?} its {} {t:.2} s balance {:?} res {:?}",
        limiter.name(),
        s.outcome.status,
        s.outcome.iterations,
        s.balances.iter().map(|b| b.residual()).collect::<Vec<_>>(),
        s.outcome.residuals
    );
    let k = setup.phase_space.energy.len() / 3;
    if std::env::var("LONG").is_ok() {
        for i in (0..n).step_by((n / 16).max(1)) {
            let q = k * n + i;
            println!(
                "   r {:.4e} j {:.4e} h/j {:.5} r2h {:.6e} k/j {:.4}",
                r[i],
                s.moments.j[q],
                s.moments.h[q] / s.moments.j[q],
                r[i] * r[i] * s.moments.h[q],
                s.moments.k[q] / s.moments.j[q]
            );
        }
    }
}
