//! Tables in NuLib's HDF5 layout: reading, checking and interpolation as NuLib's own reader does it.
//!
//! Arrays are stored with the density as fastest index, \[group, species, Y_e, T, ρ\], in plain numbers.
//! docs/microphysics.md lists the datasets and their traps.

use std::path::{Path, PathBuf};

use ndarray::{Array2, Array3};

use crate::error::{Error, Result};
use crate::grid_table::{Axis, Place, interpolate, locate};
use crate::hdf5_file::NumberFile;

/// Floor of emissivity times bin width before the logarithm, as in NuLib's reader.
const EMISSIVITY_FLOOR: f64 = 1e-30;
/// Floor of Φ₀ before the logarithm, as in NuLib's reader.
const KERNEL_FLOOR: f64 = 1e-200;
/// Floor of opacities before the logarithm: the smallest positive number in normal form.
const OPACITY_FLOOR: f64 = f64::MIN_POSITIVE;

/// A NuLib table.
#[derive(Debug, Clone, PartialEq)]
pub struct NuLibTable {
    file: PathBuf,
    /// Number of species: 3 (νe, ν̄e, and one for νμ, ν̄μ, ντ, ν̄τ) or 6 (νe, ν̄e, νμ, ν̄μ, ντ, ν̄τ).
    pub species: usize,
    /// Edges of the energy groups \[MeV\], one more than groups.
    pub energy_edges: Vec<f64>,
    /// Energy at which each group was evaluated \[MeV\].
    pub energies: Vec<f64>,
    axes: [Axis; 3],
    /// ln of emissivity × bin width, absorption and scattering; `delta` itself.
    emissivity: Vec<f64>,
    absorption: Vec<f64>,
    scattering: Vec<f64>,
    delta: Option<Vec<f64>>,
    kernels: Option<KernelTables>,
}

/// Values at a point, shape (species, groups).
#[derive(Debug, Clone, PartialEq)]
pub struct NuLibPoint {
    /// Emissivity × bin width [erg cm⁻³ s⁻¹ sr⁻¹]; with three species the third is the sum of four.
    pub emissivity: Array2<f64>,
    /// κ* [1/cm]; with three species the third is the mean of four.
    pub absorption: Array2<f64>,
    /// [1/cm]: the total opacity where there is a `delta`, the transport opacity otherwise; a mean as above.
    pub scattering: Array2<f64>,
    /// δ of dσ/dμ ∝ 1 + δμ.
    pub delta: Option<Array2<f64>>,
}

/// Φ₀ and Φ₁ at a point [cm³/s], shape (species, ε, ε′).
#[derive(Debug, Clone, PartialEq)]
pub struct NuLibKernel {
    pub zeroth: Array3<f64>,
    pub first: Array3<f64>,
}

/// Kernel tables over (T, μ_e/T), and over (T, n) for bremsstrahlung.
#[derive(Debug, Clone, PartialEq)]
struct KernelTables {
    temperature: Axis,
    degeneracy: Option<Axis>,
    density: Option<Axis>,
    inelastic: Option<KernelTable>,
    annihilation: Option<KernelTable>,
    bremsstrahlung: Option<KernelTable>,
}

/// ln Φ₀ and Φ₁/Φ₀ with the shape [ε′, species, ε, η or n, T].
#[derive(Debug, Clone, PartialEq)]
struct KernelTable {
    shape: [usize; 5],
    zeroth: Vec<f64>,
    ratio: Vec<f64>,
}

impl NuLibTable {
    /// Reads and checks `path`.
    ///
    /// # Errors
    /// [`Error::File`] with the dataset and the index of the first value at fault: a missing, truncated or
    /// foreign file; datasets that are missing, have another shape, hold NaN or infinities, are negative
    /// where they must not be; axes that do not increase; group edges that leave gaps.
    pub fn read(path: &Path) -> Result<Self> {
        let file = NumberFile::open(path)?;
        let species = file.count("number_species", 1)?;
        if species != 3 && species != 6 {
            return Err(file.error("number_species", format!("is {species}; valid: 3 or 6")));
        }
        let groups = file.count("number_groups", 1)?;
        let (energy_edges, energies, widths) = read_groups(&file, groups)?;
        let axes = read_axes(&file)?;
        let [rho, temp, ye] = [&axes[0], &axes[1], &axes[2]].map(|axis| axis.points.len());
        let shape = [groups, species, ye, temp, rho];
        let coefficient = |name: &str| file.checked(name, &shape, |value| value >= 0.0, "numbers >= 0");
        let logarithms = |values: Vec<f64>, floor: f64| -> Vec<f64> {
            values.iter().map(|value| value.max(floor).ln()).collect()
        };
        let mut emissivity = coefficient("emissivities")?;
        let per_group = emissivity.len() / groups;
        for (values, width) in emissivity.chunks_mut(per_group).zip(&widths) {
            values.iter_mut().for_each(|value| *value *= width);
        }
        Ok(Self {
            file: path.to_owned(),
            species,
            energy_edges,
            energies,
            axes,
            emissivity: logarithms(emissivity, EMISSIVITY_FLOOR),
            absorption: logarithms(coefficient("absorption_opacity")?, OPACITY_FLOOR),
            scattering: logarithms(coefficient("scattering_opacity")?, OPACITY_FLOOR),
            delta: read_delta(&file, &shape)?,
            kernels: KernelTables::read(&file, species, groups)?,
        })
    }

    /// The file that was read.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Whether scattering is a transport opacity, which has no first moment of its own.
    pub fn has_transport_scattering(&self) -> bool {
        self.delta.is_none()
    }

    /// Whether the table has kernels of scattering on electrons, of pair annihilation, of bremsstrahlung.
    pub fn kernels(&self) -> [bool; 3] {
        self.kernels.as_ref().map_or([false; 3], |kernels| {
            [kernels.inelastic.is_some(), kernels.annihilation.is_some(), kernels.bremsstrahlung.is_some()]
        })
    }

    /// Opacities at the density \[g/cm³\], temperature \[MeV\] and electron fraction: trilinear in (ln ρ, ln T,
    /// Y_e), of the logarithms of emissivity, absorption and scattering and of δ itself.
    ///
    /// # Errors
    /// A point outside the table.
    pub fn at(&self, density: f64, temperature: f64, electron_fraction: f64) -> Result<NuLibPoint> {
        let [rho, temp, ye] = &self.axes;
        let places = locate(&self.file, [rho, temp, ye], [density, temperature, electron_fraction])?;
        let (nrho, ntemp, nye) = (rho.points.len(), temp.points.len(), ye.points.len());
        let field = |values: &[f64], group: usize, species: usize| {
            let block = (group * self.species + species) * nye;
            interpolate(&places, |[i, j, k]| values[((block + k) * ntemp + j) * nrho + i])
        };
        let array = |values: &[f64]| {
            Array2::from_shape_fn((self.species, self.energies.len()), |(s, g)| field(values, g, s))
        };
        Ok(NuLibPoint {
            emissivity: array(&self.emissivity).mapv_into(f64::exp),
            absorption: array(&self.absorption).mapv_into(f64::exp),
            scattering: array(&self.scattering).mapv_into(f64::exp),
            delta: self.delta.as_deref().map(array),
        })
    }

    /// Φᵒᵘᵗ(ε → ε′) of scattering on electrons at T \[MeV\] and η = μ_e/T: the table for ε′ ≤ ε, and detailed
    /// balance, Φ(ε′ → ε) = Φ(ε → ε′) e^(−(ε−ε′)/T), above. `None` where the table has none.
    ///
    /// # Errors
    /// A point outside the table.
    pub fn inelastic(&self, temperature: f64, degeneracy: f64) -> Result<Option<NuLibKernel>> {
        let Some((kernels, table)) = self.kernel(|kernels| kernels.inelastic.as_ref()) else {
            return Ok(None);
        };
        let Some(axis) = &kernels.degeneracy else { return Ok(None) };
        let places = locate(&self.file, [&kernels.temperature, axis], [temperature, degeneracy])?;
        let mut kernel = table.at(&places);
        for species in 0..self.species {
            for low in 0..self.energies.len() {
                for high in low + 1..self.energies.len() {
                    let factor = ((self.energies[low] - self.energies[high]) / temperature).exp();
                    for moments in [&mut kernel.zeroth, &mut kernel.first] {
                        moments[[species, low, high]] = factor * moments[[species, high, low]];
                    }
                }
            }
        }
        Ok(Some(kernel))
    }

    /// Φᵃ(ε, ε̄′) of annihilation into e⁻e⁺ at T \[MeV\] and η = μ_e/T, the first energy being that of the
    /// species. Production is Φᵃ e^(−(ε+ε′)/T). `None` where the table has none.
    ///
    /// # Errors
    /// A point outside the table.
    pub fn annihilation(&self, temperature: f64, degeneracy: f64) -> Result<Option<NuLibKernel>> {
        let Some((kernels, table)) = self.kernel(|kernels| kernels.annihilation.as_ref()) else {
            return Ok(None);
        };
        let Some(axis) = &kernels.degeneracy else { return Ok(None) };
        let places = locate(&self.file, [&kernels.temperature, axis], [temperature, degeneracy])?;
        Ok(Some(table.at(&places)))
    }

    /// Φᵃ(ε, ε̄′) of one channel of nucleon bremsstrahlung at T \[MeV\] and the channel's density n [1/cm³]. The
    /// sum over channels is that of n = n_n, n_p and 28/3 times that of n = √(n_n n_p). Φ₁ is 0 where the table has no
    /// `bremsstrahlung_phi1`, as those of NuLib.
    /// `None` where the table has none.
    ///
    /// # Errors
    /// A point outside the table.
    pub fn bremsstrahlung(&self, temperature: f64, density: f64) -> Result<Option<NuLibKernel>> {
        let Some((kernels, table)) = self.kernel(|kernels| kernels.bremsstrahlung.as_ref()) else {
            return Ok(None);
        };
        let Some(axis) = &kernels.density else { return Ok(None) };
        let places = locate(&self.file, [&kernels.temperature, axis], [temperature, density])?;
        Ok(Some(table.at(&places)))
    }

    fn kernel(
        &self,
        which: impl Fn(&KernelTables) -> Option<&KernelTable>,
    ) -> Option<(&KernelTables, &KernelTable)> {
        let kernels = self.kernels.as_ref()?;
        Some((kernels, which(kernels)?))
    }
}

/// Edges, energies and widths of the groups.
fn read_groups(file: &NumberFile, groups: usize) -> Result<(Vec<f64>, Vec<f64>, Vec<f64>)> {
    /// Relative difference by which neighbouring groups may fail to meet.
    const MEET: f64 = 1e-9;
    let energies = file.axis("neutrino_energies", groups, |e| e > 0.0, "energies > 0")?;
    let bottoms = file.axis("bin_bottom", groups, |e| e >= 0.0, "energies >= 0")?;
    let tops = file.axis("bin_top", groups, |e| e > 0.0, "energies > 0")?;
    let widths = file.checked("bin_widths", &[groups], |e| e > 0.0, "widths > 0")?;
    for group in 0..groups {
        let (bottom, top) = (bottoms[group], tops[group]);
        if !(bottom < energies[group] && energies[group] < top) {
            let found =
                format!("has {:e} at [{group}]; valid: inside ({bottom:e}, {top:e})", energies[group]);
            return Err(file.error("neutrino_energies", found));
        }
        if ((top - bottom) / widths[group] - 1.0).abs() > MEET {
            let found = format!("has {:e} at [{group}]; valid: {:e}", widths[group], top - bottom);
            return Err(file.error("bin_widths", found));
        }
        if bottoms.get(group + 1).is_some_and(|next| (next / top - 1.0).abs() > MEET) {
            let found = format!("has {:e} at [{}]; valid: {top:e}", bottoms[group + 1], group + 1);
            return Err(file.error("bin_bottom", found));
        }
    }
    let mut edges = bottoms;
    edges.extend(tops.last());
    Ok((edges, energies, widths))
}

fn read_axes(file: &NumberFile) -> Result<[Axis; 3]> {
    let axis = |count: &str, name: &'static str, unit, logarithmic: bool| {
        let count = file.count(count, 2)?;
        let valid = if logarithmic { "numbers > 0" } else { "numbers >= 0" };
        let good = |value: f64| value > 0.0 || (!logarithmic && value == 0.0);
        Ok::<_, Error>(Axis { name, unit, points: file.axis(name, count, good, valid)?, logarithmic })
    };
    Ok([
        axis("nrho", "rho_points", " g/cm3", true)?,
        axis("ntemp", "temp_points", " MeV", true)?,
        axis("nye", "ye_points", "", false)?,
    ])
}

fn read_delta(file: &NumberFile, shape: &[usize]) -> Result<Option<Vec<f64>>> {
    const NAME: &str = "scattering_delta";
    // |σ₁| ≤ σ₀ needs |δ| ≤ 3; 1 + δμ ≥ 0 would need |δ| ≤ 1.
    let good = |value: f64| value.abs() <= 3.0;
    file.has(NAME).then(|| file.checked(NAME, shape, good, "numbers from -3 to 3")).transpose()
}

impl KernelTables {
    fn read(file: &NumberFile, species: usize, groups: usize) -> Result<Option<Self>> {
        let electron = ["inelastic", "epannihil"].map(|name| file.has(&format!("{name}_phi0")));
        let nucleon = file.has("bremsstrahlung_phi0");
        if !(electron[0] || electron[1] || nucleon) {
            return Ok(None);
        }
        let axis = |count: &str, name, unit| {
            let count = file.count(count, 2)?;
            let points = file.axis(name, count, |value| value > 0.0, "numbers > 0")?;
            Ok::<_, Error>(Axis { name, unit, points, logarithmic: true })
        };
        let temperature = axis("Itemp", "temp_Ipoints", " MeV")?;
        let degeneracy = (electron[0] || electron[1]).then(|| axis("Ieta", "eta_Ipoints", "")).transpose()?;
        let density = nucleon.then(|| axis("In_N", "n_N_Ipoints", " cm-3")).transpose()?;
        let of = |name: &str, axis: &Option<Axis>, production: bool, with_first: bool| {
            let Some(axis) = axis else { return Ok(None) };
            let shape = [groups, species, groups, axis.points.len(), temperature.points.len()];
            KernelTable::read(file, name, shape, production, with_first).map(Some)
        };
        Ok(Some(Self {
            inelastic: if electron[0] { of("inelastic", &degeneracy, false, true)? } else { None },
            annihilation: if electron[1] { of("epannihil", &degeneracy, true, true)? } else { None },
            bremsstrahlung: of("bremsstrahlung", &density, true, file.has("bremsstrahlung_phi1"))?,
            temperature,
            degeneracy,
            density,
        }))
    }
}

impl KernelTable {
    /// Reads `name`_phi0 and, `with_first`, `name`_phi1; tables with `production` have it before
    /// annihilation, and only the latter is used.
    fn read(
        file: &NumberFile,
        name: &str,
        shape: [usize; 5],
        production: bool,
        with_first: bool,
    ) -> Result<Self> {
        let mut stored = shape.to_vec();
        if production {
            stored.insert(0, 2);
        }
        let size: usize = shape.iter().product();
        let used = |values: Vec<f64>| values.into_iter().skip(if production { size } else { 0 });
        let zeroth = file.checked(&format!("{name}_phi0"), &stored, |v| v >= 0.0, "numbers >= 0")?;
        let zeroth: Vec<f64> = used(zeroth).map(|value| value.max(KERNEL_FLOOR)).collect();
        let ratio = if with_first {
            let first = used(file.values(&format!("{name}_phi1"), &stored)?);
            first.zip(&zeroth).map(|(first, zeroth)| first / zeroth).collect()
        } else {
            vec![0.0; size]
        };
        Ok(Self { shape, zeroth: zeroth.iter().map(|value| value.ln()).collect(), ratio })
    }

    /// All species and pairs of energies at (T, η or n).
    fn at(&self, places: &[Place; 2]) -> NuLibKernel {
        let [groups, species, _, second, temperatures] = self.shape;
        let field = |values: &[f64], s: usize, own: usize, other: usize| {
            let block = ((other * species + s) * groups + own) * second;
            interpolate(places, |[t, e]| values[(block + e) * temperatures + t])
        };
        let shape = (species, groups, groups);
        let zeroth = Array3::from_shape_fn(shape, |(s, own, other)| field(&self.zeroth, s, own, other).exp());
        let first = Array3::from_shape_fn(shape, |(s, own, other)| {
            field(&self.ratio, s, own, other) * zeroth[[s, own, other]]
        });
        NuLibKernel { zeroth, first }
    }
}
