//! Trapped neutrinos hold the electron fraction up; see trapped_neutrinos.md.
//!
//! ```text
//! cargo run --release --example trapped_neutrinos
//! ```

mod support;

use support::{KM, Outcome, Solution, require};
use tolman::background::MatterState;
use tolman::diagnostics::beta_equilibrium::TrappedLeptons;
use tolman::problem::Resolution;

/// Where the table is taken [km].
const RADII: [f64; 5] = [10.0, 22.0, 26.0, 30.0, 34.0];

pub fn main() -> Outcome {
    let solution = Solution::new("pns_atmosphere", &[], Resolution::Coarse)?;
    let end = solution.attribute("beta_equilibrium_radius")?;
    println!("beta equilibrium out to {:.1} km", end / KM);
    println!(
        "r [km]   Y_nu      mu_nu [MeV]  mu_e+mu_p-mu_n [MeV]  Y_e      Y_e at its Y_L  Y_e without neutrinos"
    );
    for r in RADII {
        let i = solution.node(r * KM);
        require(solution.radii()[i] < end, format!("neutrinos are trapped at {r} km"))?;
        row(&solution, i)?;
    }
    Ok(())
}

fn row(solution: &Solution, i: usize) -> Outcome {
    let r = solution.radii()[i];
    let matter = solution.setup.background.matter(r).ok_or("no matter")?;
    let trapped = solution.reals("neutrino_fraction")?[i];
    let potential = solution.reals("neutrino_potential")?[i];
    let equilibrium = solution.reals("neutrino_potential_equilibrium")?[i];
    let (own, lepton_fraction) = (matter.electron_fraction, matter.electron_fraction + trapped);
    // dμ/dY_e > 0 of electrons and of protons less neutrons; more electrons mean fewer neutrinos.
    let kept = root(|ye| Ok(ye + equilibrium_leptons(&matter, ye)?.0 - lepton_fraction))?;
    let without = root(|ye| Ok(equilibrium_leptons(&matter, ye)?.1))?;
    println!(
        "{:6.2}  {trapped:8.5}  {potential:11.3}  {equilibrium:20.3}  {own:7.4}  {kept:14.4}  {without:21.4}",
        r / KM
    );
    let at = format!("at {:.1} km", r / KM);
    let tolerance = 0.1 * potential.abs().max(matter.temperature);
    require((potential - equilibrium).abs() < tolerance, format!("mu_nu = mu_e + mu_p - mu_n {at}"))?;
    require((kept - own).abs() < 0.02 * own, format!("the trapped neutrinos hold Y_e = {own} {at}"))?;
    require(trapped > 0.0 && kept > 1.05 * without, format!("without them Y_e would be lower {at}"))
}

/// (Y_ν, μ_ν) of neutrinos in equilibrium with the matter at another Y_e, its nucleons free.
fn equilibrium_leptons(matter: &MatterState, electron_fraction: f64) -> Outcome<(f64, f64)> {
    let matter = MatterState {
        electron_fraction,
        neutron_fraction: 1.0 - electron_fraction,
        proton_fraction: electron_fraction,
        ..*matter
    };
    let potential = TrappedLeptons::new(&matter, 0.0)?.equilibrium_potential;
    // n = μ(μ² + π²T²)/(6π²(ħc)³) of one helicity.
    let hbar_c = tolman::constants::HBAR_C;
    let pi_t = std::f64::consts::PI * matter.temperature;
    let net = potential * (potential * potential + pi_t * pi_t)
        / (6.0 * std::f64::consts::PI.powi(2) * hbar_c.powi(3));
    Ok((net * tolman::constants::ATOMIC_MASS_UNIT / matter.density, potential))
}

/// The Y_e between almost no and almost only protons at which the rising `balance` is 0.
fn root(balance: impl Fn(f64) -> Outcome<f64>) -> Outcome<f64> {
    let (mut low, mut high) = (1e-4, 1.0 - 1e-4);
    require(balance(low)? < 0.0 && balance(high)? > 0.0, "an equilibrium lies between both ends")?;
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if balance(middle)? < 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    Ok(0.5 * (low + high))
}
