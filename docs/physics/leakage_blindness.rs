//! Leakage without absorption cools the gain region, which transport heats; see leakage_blindness.md.
//!
//! ```text
//! cargo run --release --example leakage_blindness
//! ```

mod support;

use support::{KM, Outcome, Solution, require};
use tolman::methods::leakage::{Scheme, solve};
use tolman::problem::Resolution;

/// Where heating is shown [km].
const RADII: [f64; 6] = [60.0, 70.0, 80.0, 100.0, 140.0, 200.0];

pub fn main() -> Outcome {
    let solution = Solution::new("pns_atmosphere_accretion", &[], Resolution::Coarse)?;
    let gain = solution.attribute("gain_radius")?;
    let transport = solution.reals("heating_net")?;
    print_row("method", RADII.iter().map(|r| format!("{r} km")), "gain radius [km]");
    let show = |name: &str, net: &[f64], gain: &str| {
        print_row(name, RADII.iter().map(|r| format!("{:.2}", net[solution.node(r * KM)] / 1e20)), gain);
    };
    show("transport", transport, &format!("{:.1}", gain / KM));
    require(gain > 0.0, "transport has a gain radius")?;
    let inside: Vec<usize> =
        (0..transport.len()).filter(|i| (1.1 * gain..2.0 * gain).contains(&solution.radii()[*i])).collect();
    require(inside.iter().all(|i| transport[*i] > 0.0), "transport heats behind the gain radius")?;
    for scheme in Scheme::ALL {
        let leakage = solve(&solution.setup, scheme)?;
        let (heating, _) = leakage.heating(&solution.setup).ok_or("no matter")?;
        let found = heating.gain_radius.map_or("none".to_owned(), |r| format!("{:.1}", r / KM));
        show(&scheme.to_string(), &heating.net, &found);
        if scheme.heats() {
            require(heating.gain_radius.is_some(), format!("{scheme} has a gain radius"))?;
            require(inside.iter().all(|i| heating.net[*i] > 0.0), format!("{scheme} heats"))?;
        } else {
            require(heating.gain_radius.is_none(), format!("{scheme} has no gain radius"))?;
            require(heating.net.iter().all(|net| *net <= 0.0), format!("{scheme} heats nowhere"))?;
        }
    }
    Ok(())
}

/// A name, net heating [1e20 erg/g/s] at [`RADII`], and the gain radius.
fn print_row(name: &str, values: impl Iterator<Item = String>, gain: &str) {
    let values: Vec<String> = values.map(|value| format!("{value:>8}")).collect();
    println!("{name:18} {}  {gain:>16}", values.join(" "));
}
