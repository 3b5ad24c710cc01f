//! The inelastic kernels of a table in NuLib's layout.

use rayon::prelude::*;

use super::kernels::{KernelMatrix, Moments};
use super::nulib_writer::{Start, check_axis, write_count, write_numbers};
use super::{EnergyNode, Opacities, RadialPoint};
use crate::background::MatterState;
use crate::constants::{ATOMIC_MASS_UNIT, PLANCK_C, SPEED_OF_LIGHT};
use crate::error::{Error, Result};
use crate::parallel::in_order;

/// Density of the matter in which electron kernels are evaluated [g/cm³]; they depend on T and μ_e alone.
const ANY_DENSITY: f64 = 1e10;

/// The kernels that a table gets, each from a source of its own, and their axes.
#[derive(Debug, Clone, Copy)]
pub struct NuLibKernels<'a> {
    /// T \[MeV\] of all kernels: at least two, increasing.
    pub temperature: &'a [f64],
    /// μ_e/T (with rest mass) of the electron kernels: at least two, positive, increasing.
    pub degeneracy: &'a [f64],
    /// Density of one channel of bremsstrahlung [1/cm³]: at least two, positive, increasing.
    pub nucleon_density: &'a [f64],
    /// Scattering on electrons and positrons.
    pub scattering: Option<&'a Opacities>,
    /// Electron-positron pairs.
    pub pairs: Option<&'a Opacities>,
    pub bremsstrahlung: Option<&'a Opacities>,
}

/// Kernels at all points of their axes, the temperature being the fastest.
pub(super) struct KernelValues<'a> {
    kernels: NuLibKernels<'a>,
    scattering: Option<Vec<Scattering>>,
    pairs: Option<Vec<Pairs>>,
    bremsstrahlung: Option<Vec<Pairs>>,
}

/// By species.
type Scattering = Vec<KernelMatrix>;
/// Production and annihilation, by species.
type Pairs = Vec<[KernelMatrix; 2]>;

impl<'a> KernelValues<'a> {
    /// # Errors
    /// Axes that are too short, not positive or not increasing; what the sources cannot do.
    pub(super) fn evaluate(kernels: NuLibKernels<'a>, nodes: &[EnergyNode]) -> Result<Self> {
        check_axes(&kernels)?;
        let electrons =
            points(kernels.degeneracy, kernels.temperature, |degeneracy, temperature| MatterState {
                density: ANY_DENSITY,
                temperature,
                electron_chemical_potential: Some(degeneracy * temperature),
                ..MatterState::default()
            });
        let nucleons =
            points(kernels.nucleon_density, kernels.temperature, |density, temperature| MatterState {
                density: density * ATOMIC_MASS_UNIT,
                temperature,
                neutron_fraction: 1.0,
                electron_chemical_potential: Some(0.0),
                ..MatterState::default()
            });
        let pairs = |source: Option<&Opacities>, states: &[MatterState]| {
            source
                .map(|source| in_order(states.par_iter().map(|state| pair_kernels(source, state, nodes))))
                .transpose()
        };
        Ok(Self {
            scattering: kernels
                .scattering
                .map(|source| {
                    in_order(electrons.par_iter().map(|state| scattering_kernels(source, state, nodes)))
                })
                .transpose()?,
            pairs: pairs(kernels.pairs, &electrons)?,
            bremsstrahlung: pairs(kernels.bremsstrahlung, &nucleons)?,
            kernels,
        })
    }

    /// Writes axes and kernels; `rows` says which species of the source each of the table's is.
    pub(super) fn write(&self, file: &hdf5::File, rows: &[usize], groups: usize) -> hdf5::Result<()> {
        let axis = |count: &str, name: &str, points: &[f64]| {
            write_count(file, count, points.len())?;
            write_numbers(file, name, &[points.len()], points)
        };
        let NuLibKernels { temperature, degeneracy, nucleon_density, .. } = self.kernels;
        if self.scattering.is_some() || self.pairs.is_some() || self.bremsstrahlung.is_some() {
            axis("Itemp", "temp_Ipoints", temperature)?;
        }
        if self.scattering.is_some() || self.pairs.is_some() {
            axis("Ieta", "eta_Ipoints", degeneracy)?;
        }
        let shape = [groups, rows.len(), groups, degeneracy.len(), temperature.len()];
        if let Some(points) = &self.scattering {
            write_moments(file, "inelastic", &shape, |[to, s, from]| {
                points.iter().map(move |point| point[rows[s]][[from, to]])
            })?;
        }
        if let Some(points) = &self.pairs {
            write_pairs(file, "epannihil", &shape, points, rows)?;
        }
        if let Some(points) = &self.bremsstrahlung {
            axis("In_N", "n_N_Ipoints", nucleon_density)?;
            let shape = [groups, rows.len(), groups, nucleon_density.len(), temperature.len()];
            write_pairs(file, "bremsstrahlung", &shape, points, rows)?;
        }
        Ok(())
    }
}

fn check_axes(kernels: &NuLibKernels) -> Result<()> {
    let electrons = kernels.scattering.is_some() || kernels.pairs.is_some();
    let nucleons = kernels.bremsstrahlung.is_some();
    if electrons || nucleons {
        check_axis("kernel_temperature", kernels.temperature, 2, Start::AboveZero)?;
    }
    if electrons {
        check_axis("degeneracy", kernels.degeneracy, 2, Start::AboveZero)?;
    }
    if nucleons {
        check_axis("nucleon_density", kernels.nucleon_density, 2, Start::AboveZero)?;
    }
    Ok(())
}

/// States at all (second, T), T being the fastest.
fn points(second: &[f64], temperature: &[f64], state: impl Fn(f64, f64) -> MatterState) -> Vec<MatterState> {
    second
        .iter()
        .flat_map(|&value| temperature.iter().map(|&t| state(value, t)).collect::<Vec<_>>())
        .collect()
}

/// In cm³/s: without the factor 2π/(c(hc)³) of this crate's kernels.
fn in_volume_per_time(kernel: &KernelMatrix) -> KernelMatrix {
    let scale = 2.0 * std::f64::consts::PI / (SPEED_OF_LIGHT * PLANCK_C.powi(3));
    kernel.mapv(|moments| Moments { zeroth: moments.zeroth / scale, first: moments.first / scale })
}

fn scattering_kernels(source: &Opacities, state: &MatterState, nodes: &[EnergyNode]) -> Result<Scattering> {
    let point = RadialPoint { r: 0.0, lapse: 1.0, matter: Some(state) };
    let kernels = source.kernels_at(&point, nodes)?.unwrap_or_default();
    let all: Option<Vec<KernelMatrix>> =
        kernels.scattering.iter().map(|kernel| kernel.as_ref().map(in_volume_per_time)).collect();
    all.filter(|all| all.len() == source.species().len()).ok_or_else(|| lacking(source, "scattering"))
}

fn pair_kernels(source: &Opacities, state: &MatterState, nodes: &[EnergyNode]) -> Result<Pairs> {
    let point = RadialPoint { r: 0.0, lapse: 1.0, matter: Some(state) };
    let kernels = source.kernels_at(&point, nodes)?.unwrap_or_default();
    let all: Option<Pairs> = kernels
        .pairs
        .iter()
        .map(|pair| {
            let pair = pair.as_ref()?;
            Some([in_volume_per_time(&pair.production), in_volume_per_time(&pair.annihilation)])
        })
        .collect();
    all.filter(|all| all.len() == source.species().len()).ok_or_else(|| lacking(source, "pair"))
}

fn lacking(source: &Opacities, kind: &str) -> Error {
    Error::Numerical(format!("no {kind} kernels for every species in: {}", source.describe().join("; ")))
}

/// `name`_phi0 and `name`_phi1; `values` gives the numbers at all points for the outer indices.
fn write_moments<I: Iterator<Item = Moments>>(
    file: &hdf5::File,
    name: &str,
    shape: &[usize; 5],
    values: impl Fn([usize; 3]) -> I,
) -> hdf5::Result<()> {
    let (mut zeroth, mut first) = (Vec::new(), Vec::new());
    for (other, s, own) in outer(shape) {
        for moments in values([other, s, own]) {
            zeroth.push(moments.zeroth);
            first.push(moments.first);
        }
    }
    write_numbers(file, &format!("{name}_phi0"), shape, &zeroth)?;
    write_numbers(file, &format!("{name}_phi1"), shape, &first)
}

/// Production, then annihilation.
fn write_pairs(
    file: &hdf5::File,
    name: &str,
    shape: &[usize; 5],
    points: &[Pairs],
    rows: &[usize],
) -> hdf5::Result<()> {
    let (mut zeroth, mut first) = (Vec::new(), Vec::new());
    for direction in 0..2 {
        for (other, s, own) in outer(shape) {
            for point in points {
                let moments = point[rows[s]][direction][[own, other]];
                zeroth.push(moments.zeroth);
                first.push(moments.first);
            }
        }
    }
    let shape: Vec<usize> = [2].iter().chain(shape).copied().collect();
    write_numbers(file, &format!("{name}_phi0"), &shape, &zeroth)?;
    write_numbers(file, &format!("{name}_phi1"), &shape, &first)
}

/// The first three indices in the order of the file.
fn outer([others, species, own, ..]: &[usize; 5]) -> impl Iterator<Item = (usize, usize, usize)> + use<> {
    let (others, species, own) = (*others, *species, *own);
    (0..others).flat_map(move |o| (0..species).flat_map(move |s| (0..own).map(move |k| (o, s, k))))
}
