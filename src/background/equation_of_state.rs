//! Equation-of-state tables in the layout of stellarcollapse.org (O'Connor & Ott 2010, Class. Quantum Grav.
//! 27, 114103): chemical potentials and composition for matter of which only ρ, T and Y_e are known.

use std::path::Path;
use std::path::PathBuf;

use super::MatterState;
use crate::constants::{NEUTRON_MASS, PROTON_MASS};
use crate::error::Result;
use crate::grid_table::{Axis, interpolate, locate};
use crate::hdf5_file::NumberFile;
use crate::problem::file::ChemicalPotentialConvention;

/// Mass fractions of interpolated entries may leave [0, 1] by this much in the file.
const FRACTION_SLACK: f64 = 1e-6;
/// By how much the mass fractions of an entry may add up to more than 1. Less than 1 is possible: tables with
/// light clusters have them in datasets of their own.
const SUM_SLACK: f64 = 1e-2;

/// Chemical potentials and composition over (log ρ, log T, Y_e).
#[derive(Debug, Clone, PartialEq)]
pub struct EquationOfState {
    file: PathBuf,
    axes: [Axis; 3],
    /// Arrays with the density as fastest index, \[Y_e, T, ρ\].
    electron_potential: Vec<f64>,
    neutron_potential: Vec<f64>,
    proton_potential: Vec<f64>,
    neutron_fraction: Vec<f64>,
    proton_fraction: Vec<f64>,
    alpha_fraction: Vec<f64>,
    heavy_fraction: Vec<f64>,
    heavy_mass_number: Vec<f64>,
    heavy_charge: Vec<f64>,
}

impl EquationOfState {
    /// Reads and checks `path`; `convention` is the zero point of the table's `mu_n` and `mu_p`. `mu_e`
    /// includes the rest mass in this layout.
    ///
    /// # Errors
    /// A missing, truncated or foreign file; datasets that are missing, have another shape, hold NaN or
    /// infinities, or fractions outside [0, 1] or with a sum above 1, each with dataset and index.
    pub fn read(path: &Path, convention: ChemicalPotentialConvention) -> Result<Self> {
        let file = NumberFile::open(path)?;
        let axes = read_axes(&file)?;
        let [rho, temp, ye] = [&axes[0], &axes[1], &axes[2]].map(|axis| axis.points.len());
        let shape = [ye, temp, rho];
        let shifted = |name: &str, shift: f64| -> Result<Vec<f64>> {
            Ok(file.values(name, &shape)?.into_iter().map(|value| value + shift).collect())
        };
        let inside = |value: f64| (-FRACTION_SLACK..=1.0 + FRACTION_SLACK).contains(&value);
        let fraction = |name: &str| -> Result<Vec<f64>> {
            let values = file.checked(name, &shape, inside, "fractions between 0 and 1")?;
            Ok(values.into_iter().map(|value| value.clamp(0.0, 1.0)).collect())
        };
        let number = |name: &str| file.checked(name, &shape, |value| value >= 0.0, "numbers >= 0");
        let (neutron_mass, proton_mass) = left_out_masses(convention);
        let table = Self {
            file: path.to_owned(),
            electron_potential: shifted("mu_e", 0.0)?,
            neutron_potential: shifted("mu_n", neutron_mass)?,
            proton_potential: shifted("mu_p", proton_mass)?,
            neutron_fraction: fraction("Xn")?,
            proton_fraction: fraction("Xp")?,
            alpha_fraction: fraction("Xa")?,
            heavy_fraction: fraction("Xh")?,
            heavy_mass_number: number("Abar")?,
            heavy_charge: number("Zbar")?,
            axes,
        };
        table.check_sums(&file, &shape)?;
        Ok(table)
    }

    /// The file that was read.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Matter of the given density \[g/cm³\], temperature \[MeV\] and electron fraction with composition and
    /// chemical potentials (each with its own rest mass), trilinear in log ρ, log T and Y_e.
    ///
    /// # Errors
    /// A point outside the table, with the range that it leaves.
    pub fn at(&self, density: f64, temperature: f64, electron_fraction: f64) -> Result<MatterState> {
        let [rho, temp, ye] = &self.axes;
        let places = locate(&self.file, [rho, temp, ye], [density, temperature, electron_fraction])?;
        let (nrho, ntemp) = (rho.points.len(), temp.points.len());
        let of = |values: &[f64]| interpolate(&places, |[i, j, k]| values[(k * ntemp + j) * nrho + i]);
        Ok(MatterState {
            density,
            temperature,
            electron_fraction,
            neutron_fraction: of(&self.neutron_fraction),
            proton_fraction: of(&self.proton_fraction),
            alpha_fraction: of(&self.alpha_fraction),
            heavy_fraction: of(&self.heavy_fraction),
            heavy_mass_number: of(&self.heavy_mass_number),
            heavy_charge: of(&self.heavy_charge),
            electron_chemical_potential: Some(of(&self.electron_potential)),
            neutron_chemical_potential: Some(of(&self.neutron_potential)),
            proton_chemical_potential: Some(of(&self.proton_potential)),
        })
    }

    fn check_sums(&self, file: &NumberFile, shape: &[usize]) -> Result<()> {
        let fractions =
            [&self.neutron_fraction, &self.proton_fraction, &self.alpha_fraction, &self.heavy_fraction];
        let sum = |at: usize| -> f64 { fractions.iter().map(|values| values[at]).sum() };
        match (0..self.neutron_fraction.len()).find(|&at| sum(at) > 1.0 + SUM_SLACK) {
            Some(at) => {
                let place = crate::hdf5_file::index(at, shape);
                let found = format!("and Xp, Xa, Xh add up to {} at {place}; valid: at most 1", sum(at));
                Err(file.error("Xn", found))
            }
            None => Ok(()),
        }
    }
}

/// The mass that each nucleon's chemical potential leaves out (neutron, proton).
pub(super) fn left_out_masses(convention: ChemicalPotentialConvention) -> (f64, f64) {
    match convention {
        ChemicalPotentialConvention::WithRestMass => (0.0, 0.0),
        ChemicalPotentialConvention::RelativeToNeutron => (NEUTRON_MASS, NEUTRON_MASS),
        ChemicalPotentialConvention::WithoutRestMass => (NEUTRON_MASS, PROTON_MASS),
    }
}

fn read_axes(file: &NumberFile) -> Result<[Axis; 3]> {
    let axis = |count: &str, dataset: &str, name, unit, logarithmic: bool| {
        let count = file.count(count, 2)?;
        let stored = file.axis(dataset, count, |_| true, "finite numbers")?;
        let points =
            if logarithmic { stored.iter().map(|value| 10.0_f64.powf(*value)).collect() } else { stored };
        Ok::<_, crate::error::Error>(Axis { name, unit, points, logarithmic })
    };
    Ok([
        axis("pointsrho", "logrho", "density", " g/cm3", true)?,
        axis("pointstemp", "logtemp", "temperature", " MeV", true)?,
        axis("pointsye", "ye", "electron_fraction", "", false)?,
    ])
}
