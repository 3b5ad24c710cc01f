//! Gravity delays neutrinos (Shapiro), along rays and in an evolution; see light_delay.md.
//!
//! ```text
//! cargo run --release --example light_delay
//! ```

mod support;

use support::{KM, Outcome, Override, problem, require, require_close};
use tolman::diagnostics::light_travel::{light_travel_time, shapiro_delay};
use tolman::methods::setup::Setup;
use tolman::problem::Resolution;
use tolman::progress::Silent;
use tolman::run::{Resources, run};

pub fn main() -> Outcome {
    rays()?;
    evolution()
}

/// Radial rays from a proto-neutron star's surface against r + 2M ln(r/2M − 1).
fn rays() -> Outcome {
    let setup = Setup::build(&problem("pns_atmosphere", &[], Resolution::Coarse)?)?;
    let (background, start) = (&setup.background, 20.0 * KM);
    let horizon = 2.0 * background.gravitational_mass();
    let microseconds = 1e6 * setup.units.time_unit();
    println!("from 20 km to r [km]  flat [us]  travel time [us]  delay [us]  closed form [us]");
    let mut last = 0.0;
    for end in [30.0, 50.0, 100.0, 200.0, 500.0] {
        let end = end * KM;
        let time = light_travel_time(background, start, end)?;
        let delay = shapiro_delay(background, start, end)?;
        let closed = horizon * ((end - horizon) / (start - horizon)).ln();
        println!(
            "{:20.0}  {:9.2}  {:16.2}  {:10.3}  {:16.3}",
            end / KM,
            (end - start) * microseconds,
            time * microseconds,
            delay * microseconds,
            closed * microseconds
        );
        require_close(&format!("delay to {:.0} km", end / KM), delay, closed, 1e-10)?;
        require(delay > last, "the delay grows with the distance")?;
        last = delay;
    }
    Ok(())
}

/// A pulse that the Boltzmann solver lets pass, with and without gravity (lengths in units of 2M): its mean
/// time of arrival.
fn evolution() -> Outcome {
    println!("\nmetric         r         mean time between, solver    ray");
    let mut travel = Vec::new();
    for metric in ["Flat", "Schwarzschild(gravitational_radius: 1)"] {
        let (radii, measured, ray) = pulse(metric)?;
        let name = metric.split('(').next().unwrap_or(metric);
        println!("{name:13}  {:.3} to {:.3}  {measured:16.4}  {ray:10.4}", radii[0], radii[1]);
        require_close(&format!("travel time, {name}"), measured, ray, 5e-3)?;
        travel.push([measured, ray]);
    }
    let delay = [0, 1].map(|k| travel[1][k] - travel[0][k]);
    println!("delay                        {:16.4}  {:10.4}", delay[0], delay[1]);
    require_close("delay of the pulse", delay[0], delay[1], 2e-2)
}

/// Two radii, the difference of the pulse's mean times at them, and that of a radial ray.
fn pulse(metric: &str) -> Outcome<([f64; 2], f64, f64)> {
    let times: Vec<String> = (1..70).map(|i| (0.2 * f64::from(i)).to_string()).collect();
    let mode = format!(
        "Evolution(end: 14, output_times: [{}], step: Adaptive(tolerance: 1e-4), initial: Empty)",
        times.join(", ")
    );
    let overrides: [Override; 4] = [
        ("background.metric", metric),
        ("phase_space.mu", "Graded(degree: 2, inward: 2, outward: 8, finest: 1e-3)"),
        ("boundary", "(inner: Given(\"exp(-((t - 2)/0.6)^2 - ((1 - mu)/0.005)^2)\"))"),
        ("mode", &mode),
    ];
    let problem = problem("schwarzschild_beam", &overrides, Resolution::Standard)?;
    let resources = Resources { memory: 1_000_000_000, restart: None };
    let dataset = run(&problem, &resources, &Silent, &mut |_| Ok(()))?.dataset;
    let setup = Setup::build(&problem)?;
    let radii = &setup.phase_space.radial.nodes;
    let ends = [0, radii.len() - 1];
    let (time, luminosity) = (dataset.reals("time")?, dataset.reals("luminosity_infinity")?);
    let mean = |node: usize| {
        let at = |t: usize| luminosity[t * radii.len() + node];
        // The output times are equally spaced, and the pulse has passed at the end.
        let (moment, sum) =
            (0..time.len()).fold((0.0, 0.0), |(moment, sum), t| (moment + time[t] * at(t), sum + at(t)));
        moment / sum
    };
    let ends_r = ends.map(|i| radii[i]);
    let ray = light_travel_time(&setup.background, ends_r[0], ends_r[1])?;
    Ok((ends_r, mean(ends[1]) - mean(ends[0]), ray))
}
