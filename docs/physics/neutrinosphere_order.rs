//! Electron neutrinos come from farthest out, heavy-lepton neutrinos from deepest inside, and are the
//! hotter for it; see neutrinosphere_order.md.
//!
//! ```text
//! cargo run --release --example neutrinosphere_order
//! ```

mod support;

use support::{KM, Outcome, Solution, require};
use tolman::problem::Resolution;

const SPECIES: [&str; 3] = ["nue", "anue", "nux"];

pub fn main() -> Outcome {
    let solution = Solution::new("pns_atmosphere_accretion", &[], Resolution::Coarse)?;
    let (number, energy) = (mean(&solution, "number_sphere")?, mean(&solution, "energy_sphere")?);
    let transport = mean(&solution, "transport_sphere")?;
    let (mut temperatures, mut energies) = ([0.0; 3], [0.0; 3]);
    println!(
        "species  number [km]  energy [km]  transport [km]  T at number [MeV]  mean energy at infinity [MeV]"
    );
    for (s, name) in SPECIES.into_iter().enumerate() {
        temperatures[s] = solution.reals("temperature")?[solution.node(number[s])];
        energies[s] = *solution.of_species("mean_energy_infinity", s)?.last().ok_or("no radius")?;
        println!(
            "{name:7}  {:11.2}  {:11.2}  {:14.2}  {:17.2}  {:29.2}",
            number[s] / KM,
            energy[s] / KM,
            transport[s] / KM,
            temperatures[s],
            energies[s]
        );
    }
    require(falls(number), "number spheres: R(nue) > R(anue) > R(nux)")?;
    require(falls(energy), "energy spheres: R(nue) > R(anue) > R(nux)")?;
    require(rises(temperatures), "matter is hotter at the number spheres farther in")?;
    require(rises(energies), "mean energies rise from nue to anue to nux")?;
    same_energy(&solution)
}

/// The spheres of the spectrum-averaged coefficient [cm].
fn mean(solution: &Solution, sphere: &str) -> Outcome<[f64; 3]> {
    Ok(solution.reals(&format!("{sphere}_mean"))?.try_into()?)
}

/// At equal energy even the transport spheres have the order, because all species are scattered alike.
fn same_energy(solution: &Solution) -> Outcome {
    let spheres = [0, 1, 2].map(|s| solution.of_species("transport_sphere", s));
    let [Ok(nue), Ok(anue), Ok(nux)] = spheres else { return Err("no transport spheres".into()) };
    println!("\nenergy [MeV]  transport spheres of nue, anue, nux [km]");
    for (k, energy) in solution.reals("energy")?.iter().enumerate().filter(|(_, e)| (5.0..60.0).contains(*e))
    {
        println!("{energy:12.2}  {:8.2} {:8.2} {:8.2}", nue[k] / KM, anue[k] / KM, nux[k] / KM);
        require(falls([nue[k], anue[k], nux[k]]), format!("order of transport spheres at {energy:.1} MeV"))?;
    }
    Ok(())
}

fn falls([a, b, c]: [f64; 3]) -> bool {
    a > b && b > c
}

fn rises([a, b, c]: [f64; 3]) -> bool {
    a < b && b < c
}
