//! Energy spheres lie inside transport spheres, and both grow with the neutrinos' energy; see
//! neutrinospheres.md.
//!
//! ```text
//! cargo run --release --example neutrinospheres
//! ```

mod support;

use support::{KM, Outcome, Solution, require};
use tolman::problem::Resolution;

/// Energies that the spheres are shown at \[MeV\]: a luminosity's worth of neutrinos.
const ENERGIES: std::ops::Range<f64> = 3.0..120.0;

pub fn main() -> Outcome {
    let solution = Solution::new("pns_atmosphere_accretion", &[], Resolution::Coarse)?;
    println!("species  energy [MeV]  energy sphere [km]  transport sphere [km]");
    for (s, species) in solution.setup.phase_space.species.iter().enumerate() {
        let spheres = spheres(&solution, s)?;
        for [energy, exchange, transport] in &spheres {
            let name = &species.name;
            println!("{name:7}  {energy:12.2}  {:18.2}  {:21.2}", exchange / KM, transport / KM);
        }
        check(&species.name, &spheres)?;
    }
    Ok(())
}

/// \[ε, R_E, R_T\] at the energy nodes of [`ENERGIES`].
fn spheres(solution: &Solution, species: usize) -> Outcome<Vec<[f64; 3]>> {
    let energies = solution.reals("energy")?;
    let exchange = solution.of_species("energy_sphere", species)?;
    let transport = solution.of_species("transport_sphere", species)?;
    let all = energies.iter().zip(exchange).zip(transport);
    Ok(all.map(|((e, x), t)| [*e, *x, *t]).filter(|row| ENERGIES.contains(&row[0])).collect())
}

fn check(name: &str, spheres: &[[f64; 3]]) -> Outcome {
    require(spheres.len() > 4, "the grid has energies enough")?;
    for [energy, exchange, transport] in spheres {
        let inside = 0.0 < *exchange && exchange <= transport;
        require(inside, format!("0 < R_E <= R_T of {name} at {energy:.1} MeV"))?;
    }
    for (low, high) in spheres.iter().zip(&spheres[1..]) {
        let grows = low[1] < high[1] && low[2] < high[2];
        require(grows, format!("both spheres of {name} grow from {:.1} to {:.1} MeV", low[0], high[0]))?;
    }
    Ok(())
}
