//! `tolman check`: validate and describe a problem without solving it.

use std::process::ExitCode;

use super::print::print;
use super::problem_args::ProblemArgs;
use super::run::available_memory;
use crate::diagnostics::neutrinosphere::total_depth;
use crate::error::Result;
use crate::methods::boltzmann::{identity_residual, memory_estimate};
use crate::methods::setup::Setup;
use crate::opacities::LocalOpacity;
use crate::phase_space::EnergyGrid;
use crate::phase_space::grid::NodalGrid;
use crate::problem::Loaded;
use crate::run::prepare;

/// Validate a problem and describe it without solving: grid, optical depths, expected memory.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    tolman check problems/pns_atmosphere.ron\n  \
    tolman check my.ron --set phase_space.energy.elements=40 --resolution fine")]
pub struct Args {
    #[command(flatten)]
    pub problem: ProblemArgs,
}

/// Prints the description.
///
/// # Errors
/// Whatever would stop `tolman run` before it solves.
pub fn execute(args: &Args) -> Result<ExitCode> {
    let problem = args.problem.load()?;
    let setup = prepare(&problem, available_memory())?;
    print(&description(&problem, &setup))?;
    Ok(ExitCode::SUCCESS)
}

fn description(problem: &Loaded, setup: &Setup) -> String {
    let space = &setup.phase_space;
    let unit = setup.units.label("cm");
    let mut text = format!("{}\n\nBackground\n", problem.file.title);
    text += &indented(&setup.background.describe());
    text += "Opacities\n";
    text += &indented(&setup.opacities.describe().join("\n"));
    text += &format!("Phase space ({} resolution)\n", problem.resolution.name());
    text += &indented(&grid_line("r", &space.radial, unit));
    text += &indented(&format!(
        "{}; largest flux factor {:.6}",
        grid_line("mu", &space.angular, "1"),
        space.largest_flux_factor()
    ));
    text += &match &space.energy {
        EnergyGrid::Gray => indented("energy: gray"),
        EnergyGrid::Spectral(grid) => indented(&grid_line("energy", grid, setup.units.label("MeV"))),
    };
    text += &indented(&format!("unknowns: {} in all", space.unknowns()));
    text += "Radial optical depth of the grid (absorption, transport), smallest to largest over energy\n";
    text += &indented(&depths(setup));
    text += &format!(
        "Residual of f = 1 in the discrete left side: {:.1e}\n",
        identity_residual(&setup.geometry, space)
    );
    text += &format!("Memory: about {:.2} GB\n", memory_estimate(setup) as f64 * 1e-9);
    text
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}

fn grid_line(name: &str, grid: &NodalGrid, unit: &str) -> String {
    let unit = if unit == "1" { String::new() } else { format!(" {unit}") };
    format!(
        "{name}: {} elements of degree {} from {} to {}{unit}",
        grid.elements(),
        grid.per_element() - 1,
        grid.edges[0],
        grid.edges[grid.elements()]
    )
}

fn depths(setup: &Setup) -> String {
    let space = &setup.phase_space;
    let mut lines = Vec::new();
    for (species, properties) in space.species.iter().enumerate() {
        let depth = |opacity: fn(&LocalOpacity) -> f64| -> (f64, f64) {
            (0..space.energy.len())
                .map(|k| {
                    let values: Vec<f64> = setup.coefficients.slab(species, k).iter().map(opacity).collect();
                    total_depth(space, &setup.geometry, &values)
                })
                .fold((f64::INFINITY, 0.0), |(low, high), d| (low.min(d), f64::max(high, d)))
        };
        let (absorption, transport) = (depth(|o| o.absorption), depth(LocalOpacity::transport));
        lines.push(format!(
            "{}: absorption {:.3e} to {:.3e}, transport {:.3e} to {:.3e}",
            properties.name, absorption.0, absorption.1, transport.0, transport.1
        ));
    }
    lines.join("\n")
}
