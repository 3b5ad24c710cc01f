//! What leakage makes of a collapse 100 ms after bounce (model G15), beside the Boltzmann solution on the
//! same matter, opacities and grid: the table behind docs/leakage.md, as CSV.
//!
//! ```text
//! TOLMAN_DATA=<folder> cargo run --release --example leakage_gain_region > leakage.csv
//! ```
//!
//! Columns: radius [km], net heating [erg/g/s] of the reference and of each scheme, luminosity at infinity
//! of each scheme over the reference's for each species, and the ratio of diffusion by the local density to
//! diffusion by its gradient for each species.

use std::error::Error;
use std::path::{Path, PathBuf};

use tolman::methods::leakage::{LeakageSolution, Scheme, solve};
use tolman::methods::setup::Setup;
use tolman::output::dataset::Dataset;
use tolman::output::read;
use tolman::problem::{LoadOptions, load};

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let data = std::env::var_os("TOLMAN_DATA").map(PathBuf::from);
    if data.is_none() {
        return Err("set TOLMAN_DATA to the folder of external data (docs/data.md)".into());
    }
    let options = LoadOptions { data, ..LoadOptions::default() };
    let setup = Setup::build(&load(&root.join("problems/snapshot_g15_ab_full.ron"), &options)?)?;
    let reference = read(&root.join("reference_solutions/snapshot_g15_ab_full.h5"))?;
    let solutions =
        Scheme::ALL.into_iter().map(|scheme| solve(&setup, scheme)).collect::<Result<Vec<_>, _>>()?;
    print_head(&setup);
    print_rows(&setup, &reference, &solutions)
}

fn print_head(setup: &Setup) {
    let species = || setup.phase_space.species.iter().map(|species| &species.name);
    print!("r_km,heating_reference");
    for scheme in Scheme::ALL {
        print!(",heating_{scheme}");
    }
    for scheme in Scheme::ALL {
        species().for_each(|name| print!(",luminosity_ratio_{scheme}_{name}"));
    }
    species().for_each(|name| print!(",diffusion_ratio_{name}"));
    println!();
}

fn print_rows(
    setup: &Setup,
    reference: &Dataset,
    solutions: &[LeakageSolution],
) -> Result<(), Box<dyn Error>> {
    let radii = setup.phase_space.radial.nodes.len();
    let (net, luminosity) = (reference.reals("heating_net")?, reference.reals("luminosity_infinity")?);
    let mut heating = Vec::new();
    for solution in solutions {
        heating.push(solution.heating(setup).ok_or("the problem has no matter")?.0.net);
    }
    for (i, r) in setup.phase_space.radial.nodes.iter().enumerate() {
        print!("{:.4},{:e}", r / 1e5, net[i]);
        heating.iter().for_each(|heating| print!(",{:e}", heating[i]));
        for solution in solutions {
            for place in (i..luminosity.len()).step_by(radii) {
                print!(",{:e}", solution.luminosity_infinity[place] / luminosity[place]);
            }
        }
        let ratio = solutions[0].diffusion_ratio();
        ratio.iter().skip(i).step_by(radii).for_each(|ratio| print!(",{ratio:e}"));
        println!();
    }
    Ok(())
}
