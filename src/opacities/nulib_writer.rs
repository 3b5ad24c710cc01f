//! Tables in NuLib's HDF5 layout from the project's own rates, so that another code can run with them.

use std::path::Path;

use ndarray::Array2;
use rayon::prelude::*;
use serde::Deserialize;

use super::nulib_kernel_writer::{KernelValues, NuLibKernels};
use super::{EnergyNode, LocalOpacity, Opacities, RadialPoint};
use crate::background::MatterState;
use crate::constants::{MEV_IN_ERG, PLANCK_C, SPEED_OF_LIGHT};
use crate::error::{Error, Result};
use crate::output::{in_memory, replace};
use crate::parallel::in_order;
use crate::problem::file::Flavour;

/// Points of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct NuLibGrid {
    /// ρ [g/cm³], T \[MeV\], Y_e: at least two of each, increasing; NuLib's reader wants ρ and T evenly spaced in
    /// their logarithms and Y_e evenly spaced.
    pub density: Vec<f64>,
    pub temperature: Vec<f64>,
    pub electron_fraction: Vec<f64>,
    /// Edges of the groups \[MeV\], increasing, one more than `energies`.
    pub energy_edges: Vec<f64>,
    /// The energy at which each group is evaluated \[MeV\], inside it.
    pub energies: Vec<f64>,
}

/// What the table says about scattering.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub enum NuLibScattering {
    /// The transport opacity σ₀ − σ₁, as NuLib does by default.
    #[default]
    Transport,
    /// The total opacity σ₀ and δ = 3σ₁/σ₀.
    TotalAndDelta,
}

/// Which species of the opacities stands for each of the table's, and how many its emissivity sums.
struct TableSpecies {
    rows: Vec<usize>,
    sums: Vec<f64>,
}

/// Writes the emissivities, absorption and scattering opacities of `opacities` at all points of `grid` to
/// `path`; `matter` gives the composition at a density \[g/cm³\], temperature \[MeV\] and electron fraction.
/// With the species νe, ν̄e, νx the table has three (νx as a sum of four in emission and as one of them
/// otherwise), with νe, ν̄e, νx, ν̄x it has six. The sources of `kernels` are for the same species.
///
/// # Errors
/// Axes that are too short, not finite, not positive or not increasing, other species, what `matter` and the
/// opacities cannot do, and [`Error::File`] where `path` cannot be written.
pub fn write_nulib_table(
    path: &Path,
    grid: &NuLibGrid,
    opacities: &Opacities,
    matter: impl Fn(f64, f64, f64) -> Result<MatterState> + Sync,
    scattering: NuLibScattering,
    kernels: Option<NuLibKernels>,
) -> Result<()> {
    check_grid(grid)?;
    let species = table_species(opacities)?;
    let nodes: Vec<EnergyNode> = grid
        .energies
        .iter()
        .zip(grid.energy_edges.windows(2))
        .map(|(&energy, pair)| EnergyNode { energy, element: Some((pair[0], pair[1])) })
        .collect();
    let points = in_order(thermodynamic_points(grid).into_par_iter().map(|[ye, temperature, density]| {
        let state = matter(density, temperature, ye)?;
        opacities.at_radius(&RadialPoint { r: 0.0, lapse: 1.0, matter: Some(&state) }, &nodes)
    }))?;
    let kernels = kernels.map(|kernels| KernelValues::evaluate(kernels, &nodes)).transpose()?;
    let image = in_memory(1 << 20, |file| {
        write_all(file, grid, &species, &points, scattering)?;
        kernels.iter().try_for_each(|kernels| kernels.write(file, &species.rows, nodes.len()))
    })
    .map_err(|error| Error::file(path, format!("cannot be written as HDF5: {error}")))?;
    replace(path, &image)
}

/// (Y_e, T, ρ) in the order of the file.
fn thermodynamic_points(grid: &NuLibGrid) -> Vec<[f64; 3]> {
    let mut points = Vec::new();
    for &ye in &grid.electron_fraction {
        for &temperature in &grid.temperature {
            points.extend(grid.density.iter().map(|&density| [ye, temperature, density]));
        }
    }
    points
}

fn table_species(opacities: &Opacities) -> Result<TableSpecies> {
    let flavours: Vec<Flavour> = opacities.species().iter().map(|species| species.flavour).collect();
    use Flavour::{ElectronAntineutrino, ElectronNeutrino, Heavy, HeavyAntineutrino};
    if flavours == [ElectronNeutrino, ElectronAntineutrino, Heavy] {
        Ok(TableSpecies { rows: vec![0, 1, 2], sums: vec![1.0, 1.0, 4.0] })
    } else if flavours == [ElectronNeutrino, ElectronAntineutrino, Heavy, HeavyAntineutrino] {
        Ok(TableSpecies { rows: vec![0, 1, 2, 3, 2, 3], sums: vec![1.0; 6] })
    } else {
        let valid =
            "electron neutrinos, electron antineutrinos, heavy neutrinos, and heavy antineutrinos or none";
        Err(Error::field("species", format!("{flavours:?}"), valid))
    }
}

/// Where an axis may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    FromZero,
    AboveZero,
}

/// Whether the axis `name` has at least `count` points that are finite, increasing and not below `start`.
pub(super) fn check_axis(name: &str, points: &[f64], count: usize, start: Start) -> Result<()> {
    let rising = points.windows(2).all(|pair| pair[0] < pair[1]);
    let (above, begin) = match start {
        Start::FromZero => (points.iter().all(|point| *point >= 0.0), "from 0 on"),
        Start::AboveZero => (points.iter().all(|point| *point > 0.0), "above 0"),
    };
    if points.len() >= count && rising && above && points.iter().all(|point| point.is_finite()) {
        return Ok(());
    }
    let valid = format!("{count} or more increasing finite numbers {begin}");
    Err(Error::field(format!("grid.{name}"), format!("{points:?}"), valid))
}

fn check_grid(grid: &NuLibGrid) -> Result<()> {
    check_axis("density", &grid.density, 2, Start::AboveZero)?;
    check_axis("temperature", &grid.temperature, 2, Start::AboveZero)?;
    check_axis("electron_fraction", &grid.electron_fraction, 2, Start::FromZero)?;
    check_axis("energy_edges", &grid.energy_edges, 2, Start::FromZero)?;
    check_axis("energies", &grid.energies, 1, Start::AboveZero)?;
    let inside = |(energy, pair): (&f64, &[f64])| pair[0] < *energy && *energy < pair[1];
    let matching = grid.energies.len() + 1 == grid.energy_edges.len();
    if matching && grid.energies.iter().zip(grid.energy_edges.windows(2)).all(inside) {
        Ok(())
    } else {
        let found = format!("{:?} for the edges {:?}", grid.energies, grid.energy_edges);
        Err(Error::field("grid.energies", found, "one energy inside each group"))
    }
}

fn write_all(
    file: &hdf5::File,
    grid: &NuLibGrid,
    species: &TableSpecies,
    points: &[Array2<LocalOpacity>],
    scattering: NuLibScattering,
) -> hdf5::Result<()> {
    write_axes(file, grid, species.rows.len())?;
    let shape = [
        grid.energies.len(),
        species.rows.len(),
        grid.electron_fraction.len(),
        grid.temperature.len(),
        grid.density.len(),
    ];
    let field = |name: &str, value: &dyn Fn(&LocalOpacity, usize, usize) -> f64| {
        let mut values = Vec::with_capacity(shape.iter().product());
        for group in 0..grid.energies.len() {
            for (of, &row) in species.rows.iter().enumerate() {
                values.extend(points.iter().map(|point| value(&point[[row, group]], group, of)));
            }
        }
        write_numbers(file, name, &shape, &values)
    };
    let black = |group: usize| MEV_IN_ERG * SPEED_OF_LIGHT * (grid.energies[group] / PLANCK_C).powi(3);
    field("emissivities", &|local, group, of| local.emissivity * black(group) * species.sums[of])?;
    field("absorption_opacity", &|local, _, _| local.absorption)?;
    match scattering {
        NuLibScattering::Transport => {
            field("scattering_opacity", &|local, _, _| local.scattering - local.scattering_first)
        }
        NuLibScattering::TotalAndDelta => {
            field("scattering_opacity", &|local, _, _| local.scattering)?;
            field("scattering_delta", &|local, _, _| {
                if local.scattering > 0.0 { 3.0 * local.scattering_first / local.scattering } else { 0.0 }
            })
        }
    }
}

fn write_axes(file: &hdf5::File, grid: &NuLibGrid, species: usize) -> hdf5::Result<()> {
    let counts = [
        ("number_species", species),
        ("number_groups", grid.energies.len()),
        ("nrho", grid.density.len()),
        ("ntemp", grid.temperature.len()),
        ("nye", grid.electron_fraction.len()),
    ];
    for (name, count) in counts {
        write_count(file, name, count)?;
    }
    let edges = &grid.energy_edges;
    let widths: Vec<f64> = edges.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let axes: [(&str, &[f64]); 7] = [
        ("neutrino_energies", &grid.energies),
        ("bin_widths", &widths),
        ("bin_bottom", &edges[..edges.len() - 1]),
        ("bin_top", &edges[1..]),
        ("rho_points", &grid.density),
        ("temp_points", &grid.temperature),
        ("ye_points", &grid.electron_fraction),
    ];
    axes.into_iter().try_for_each(|(name, values)| write_numbers(file, name, &[values.len()], values))
}

pub(super) fn write_count(file: &hdf5::File, name: &str, count: usize) -> hdf5::Result<()> {
    let count = i32::try_from(count).unwrap_or(i32::MAX);
    file.new_dataset::<i32>().shape([1]).create(name)?.write_raw(&[count])
}

pub(super) fn write_numbers(
    file: &hdf5::File,
    name: &str,
    shape: &[usize],
    values: &[f64],
) -> hdf5::Result<()> {
    file.new_dataset::<f64>().shape(shape).create(name)?.write_raw(values)
}
