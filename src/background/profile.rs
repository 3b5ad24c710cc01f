//! A tabulated profile as functions of radius.

use std::path::{Path, PathBuf};

use super::MatterState;
use super::composition::AssumedComposition;
use super::equation_of_state::{EquationOfState, left_out_masses};
use super::geometric::Gravity;
use super::interpolate::{Centre, Curve, MonotoneCubic};
use super::profile_columns::{ColumnReader, Points, Valid};
use crate::error::{Error, Result};
use crate::problem::BuildContext;
use crate::problem::file::{Column, ProfileColumns, ProfileFile};
use crate::units::Dimension;

/// By how much the mass fractions of a row may add up to more than 1.
const SUM_TOLERANCE: f64 = 1e-2;
/// Largest |v| at r = 0, where a velocity has no direction.
const CENTRAL_VELOCITY_TOLERANCE: f64 = 1e-10;

/// The columns of a profile, in internal units; vectors run over the points, radii ascend.
#[derive(Debug, Clone)]
pub(super) struct Profile {
    pub(super) file: PathBuf,
    pub(super) points: Points,
    /// [g/cm³].
    pub(super) density: Option<Curve>,
    /// [erg/cm³].
    pub(super) pressure: Option<Curve>,
    /// v/c of static observers.
    pub(super) velocity: Option<Vec<f64>>,
    pub(super) lapse: Option<Vec<f64>>,
    pub(super) gamma: Option<Vec<f64>>,
    /// As the length GM/c².
    pub(super) enclosed_mass: Option<Vec<f64>>,
    temperature: Option<Curve>,
    electron_fraction: Option<Curve>,
    composition: Option<Composition>,
    chemical_potentials: ChemicalPotentials,
    /// What gives composition and chemical potentials that are no columns.
    equation_of_state: Option<EquationOfState>,
    /// The composition where neither columns nor the equation of state give it.
    assumed: AssumedComposition,
    /// How u became v, for people.
    velocity_remark: &'static str,
}

/// Mass fractions; what is absent is 0.
#[derive(Debug, Clone)]
struct Composition {
    neutron: Curve,
    proton: Curve,
    alpha: Option<Curve>,
    heavy: Option<Curve>,
    heavy_mass_number: Option<Curve>,
    heavy_charge: Option<Curve>,
}

/// Each with its own rest mass \[MeV\].
#[derive(Debug, Clone)]
struct ChemicalPotentials {
    electron: Option<Curve>,
    neutron: Option<Curve>,
    proton: Option<Curve>,
}

impl Profile {
    /// Reads and checks the columns; `path` is the profile's place in the problem file.
    pub(super) fn read(file: &ProfileFile, context: &BuildContext, path: &str) -> Result<Self> {
        let (reader, points) = ColumnReader::open(file, context, path)?;
        let columns = &file.columns;
        let optional = |column: &Option<Column>, name: &str, dimension, valid| {
            reader.read(column.as_ref(), name, dimension, valid)
        };
        let logarithmic = if points.are_zone_constant() { Valid::NotNegative } else { Valid::Positive };
        let density = optional(&columns.density, "density", Dimension::Density, logarithmic)?;
        let temperature = optional(&columns.temperature, "temperature", Dimension::Energy, logarithmic)?;
        let electron_fraction =
            optional(&columns.electron_fraction, "electron_fraction", Dimension::Number, Valid::Fraction)?;
        let pressure = optional(&columns.pressure, "pressure", Dimension::Pressure, Valid::NotNegative)?;
        let gamma = optional(&columns.gamma, "gamma", Dimension::Number, Valid::Positive)?;
        let mass = optional(&columns.enclosed_mass, "enclosed_mass", Dimension::Mass, Valid::NotNegative)?;
        let (velocity, velocity_remark) = static_velocity(&reader, columns, &points, gamma.as_deref())?;
        let length_per_mass = Gravity(context.units).per_mass();
        Self {
            file: reader.file().to_owned(),
            density: density.map(|values| points.log_curve(values)),
            pressure: pressure.map(|values| points.log_curve(values)),
            velocity,
            lapse: optional(&columns.lapse, "lapse", Dimension::Number, Valid::Positive)?,
            gamma,
            enclosed_mass: mass.map(|values| values.iter().map(|mass| mass * length_per_mass).collect()),
            temperature: temperature.map(|values| points.log_curve(values)),
            electron_fraction: electron_fraction.map(|values| points.curve(values)),
            composition: Composition::read(&reader, columns, &points)?,
            chemical_potentials: ChemicalPotentials::read(&reader, columns, &points)?,
            equation_of_state: read_equation_of_state(file, context, path)?,
            assumed: assumed_composition(file, context, path)?,
            velocity_remark,
            points,
        }
        .checked(path)
    }

    /// Refuses points outside the equation of state. Between the points density, temperature and Y_e are
    /// monotone, so that nothing else leaves it.
    fn checked(self, path: &str) -> Result<Self> {
        let Some(table) = &self.equation_of_state else { return Ok(self) };
        let (Some(density), Some(temperature), Some(electron_fraction)) =
            (&self.density, &self.temperature, &self.electron_fraction)
        else {
            return Err(Error::field(
                format!("{path}.equation_of_state"),
                "an equation of state for a profile without density, temperature or electron_fraction",
                "columns for all three",
            ));
        };
        for &r in &self.points.radii {
            table
                .at(density.evaluate(r), temperature.evaluate(r), electron_fraction.evaluate(r))
                .map_err(|error| at_radius(error, r, &self.file))?;
        }
        Ok(self)
    }

    /// The state at `r`; `None` outside the profile and where density, temperature or Y_e are no columns.
    ///
    /// # Errors
    /// Matter beyond the equation of state or the range of nuclear statistical equilibrium.
    pub(super) fn matter(&self, r: f64) -> Result<Option<MatterState>> {
        if r < self.points.inner_radius() || r > self.points.outer_radius() {
            return Ok(None);
        }
        let (Some(density), Some(temperature), Some(electron_fraction)) =
            (&self.density, &self.temperature, &self.electron_fraction)
        else {
            return Ok(None);
        };
        let (density, temperature, electron_fraction) =
            (density.evaluate(r), temperature.evaluate(r), electron_fraction.evaluate(r));
        let mut state = match &self.equation_of_state {
            Some(table) => table.at(density, temperature, electron_fraction)?,
            None => self.assumed.matter(density, temperature, electron_fraction)?,
        };
        if let Some(composition) = &self.composition {
            composition.put_into(&mut state, r);
        }
        let at = |curve: &Option<Curve>| curve.as_ref().map(|curve| curve.evaluate(r));
        let potentials = &self.chemical_potentials;
        state.electron_chemical_potential = at(&potentials.electron).or(state.electron_chemical_potential);
        state.neutron_chemical_potential = at(&potentials.neutron).or(state.neutron_chemical_potential);
        state.proton_chemical_potential = at(&potentials.proton).or(state.proton_chemical_potential);
        Ok(Some(state))
    }

    /// v(r), where the profile has a velocity.
    pub(super) fn velocity_curve(&self) -> Option<MonotoneCubic> {
        self.velocity.as_ref().map(|values| self.points.cubic(values, Centre::Odd))
    }

    pub(super) fn describe(&self, length: &str) -> String {
        let (radii, points) = (&self.points.radii, &self.points);
        let mut text = format!(
            "profile {}, {} points from r = {:.6e}{length} to {:.6e}{length}",
            self.file.display(),
            radii.len(),
            radii[0],
            radii[radii.len() - 1]
        );
        if points.reach_centre() && radii[0] > 0.0 {
            text += "; continued evenly to the centre";
        }
        if self.density.is_none() || self.temperature.is_none() || self.electron_fraction.is_none() {
            text += "; no matter for rates, which needs density, temperature and electron_fraction";
        } else if let Some(table) = &self.equation_of_state {
            let what = if self.composition.is_none() {
                "composition and chemical potentials"
            } else {
                "chemical potentials"
            };
            text += &format!("; {what} from the equation of state {}", table.file().display());
        } else if self.composition.is_none() {
            text += &format!("; no mass fractions: {}", self.assumed.describe());
        }
        text + self.velocity_remark
    }
}

fn read_equation_of_state(
    file: &ProfileFile,
    context: &BuildContext,
    path: &str,
) -> Result<Option<EquationOfState>> {
    let Some(table) = &file.equation_of_state else { return Ok(None) };
    let path = format!("{path}.equation_of_state");
    if !context.units.physical {
        return Err(Error::field(path, "an equation of state in a dimensionless problem", "units: Physical"));
    }
    let location = context.data_file(&table.file, &format!("{path}.file"))?;
    EquationOfState::read(&location, table.chemical_potentials).map(Some)
}

/// What stands for the composition; named together with columns or an equation of state that give it, it is an
/// error.
fn assumed_composition(file: &ProfileFile, context: &BuildContext, path: &str) -> Result<AssumedComposition> {
    let Some(composition) = file.composition else { return Ok(AssumedComposition::default()) };
    let path = format!("{path}.composition");
    let columns = &file.columns;
    let given = [
        (file.equation_of_state.is_some(), "an equation of state"),
        (
            columns.neutron_fraction.is_some() || columns.proton_fraction.is_some(),
            "columns of mass fractions",
        ),
    ];
    if let Some((_, what)) = given.iter().find(|(there, _)| *there) {
        return Err(Error::field(path, format!("a composition beside {what}"), "one of the two"));
    }
    AssumedComposition::build(composition, context.units, &path)
}

/// Adds the place in the profile to an error of the equation of state.
fn at_radius(error: Error, r: f64, profile: &Path) -> Error {
    match error {
        Error::File { file, what } => Error::File {
            file,
            what: format!("{what} (the profile {} at r = {r:.6e} cm)", profile.display()),
        },
        other => other,
    }
}

/// v of static observers: a column in units of c as it is; u = dr/dτ in other units divided by Γ.
fn static_velocity(
    reader: &ColumnReader,
    columns: &ProfileColumns,
    points: &Points,
    gamma: Option<&[f64]>,
) -> Result<(Option<Vec<f64>>, &'static str)> {
    let Some(column) = &columns.velocity else { return Ok((None, "")) };
    let mut velocity =
        reader.read(Some(column), "velocity", Dimension::Velocity, Valid::Any)?.unwrap_or_default();
    let remark = match gamma {
        _ if reader.is_fraction_of_light_speed(column) => "",
        None => "; velocity column taken for v, as there is no Γ",
        Some(gamma) => {
            velocity.iter_mut().zip(gamma).for_each(|(v, gamma)| *v /= gamma);
            "; velocity column taken for u = dr/dτ, v = u/Γ"
        }
    };
    if let Some(index) = velocity.iter().position(|v| v.abs() >= 1.0) {
        return Err(reader.invalid(column, index, &format!("v/c = {}", velocity[index]), "|v/c| below 1"));
    }
    if points.radii[0] == 0.0 && velocity[0].abs() > CENTRAL_VELOCITY_TOLERANCE {
        return Err(reader.invalid(column, 0, &format!("v/c = {} at r = 0", velocity[0]), "0 at r = 0"));
    }
    Ok((Some(velocity), remark))
}

impl Composition {
    fn read(reader: &ColumnReader, columns: &ProfileColumns, points: &Points) -> Result<Option<Self>> {
        let fractions = [
            ("neutron_fraction", &columns.neutron_fraction),
            ("proton_fraction", &columns.proton_fraction),
            ("alpha_fraction", &columns.alpha_fraction),
            ("heavy_fraction", &columns.heavy_fraction),
        ];
        if fractions.iter().all(|(_, column)| column.is_none()) {
            return Ok(None);
        }
        let mut read = Vec::new();
        for (name, column) in fractions {
            read.push(reader.read(column.as_ref(), name, Dimension::Number, Valid::Fraction)?);
        }
        check_sum(reader, columns, &read, points.radii.len())?;
        let mut curves = read.into_iter().map(|values| values.map(|values| points.curve(values)));
        let mut next = || curves.next().flatten();
        let (Some(neutron), Some(proton)) = (next(), next()) else {
            return Err(Error::field(
                reader.field("neutron_fraction"),
                "mass fractions without those of free nucleons",
                "both `neutron_fraction` and `proton_fraction`, or no mass fractions for free nucleons only",
            ));
        };
        let (alpha, heavy) = (next(), next());
        let nucleus = |column: &Option<Column>, name| {
            let values = reader.read(column.as_ref(), name, Dimension::Number, Valid::NotNegative)?;
            Ok::<_, Error>(values.map(|values| points.curve(values)))
        };
        let heavy_mass_number = nucleus(&columns.heavy_mass_number, "heavy_mass_number")?;
        let heavy_charge = nucleus(&columns.heavy_charge, "heavy_charge")?;
        if heavy_mass_number.is_some() != heavy_charge.is_some() {
            return Err(Error::field(
                reader.field("heavy_mass_number"),
                "one of mass and charge number",
                "both `heavy_mass_number` and `heavy_charge`, or neither",
            ));
        }
        Ok(Some(Self { neutron, proton, alpha, heavy, heavy_mass_number, heavy_charge }))
    }

    fn put_into(&self, state: &mut MatterState, r: f64) {
        let at = |curve: &Option<Curve>| curve.as_ref().map_or(0.0, |curve| curve.evaluate(r));
        state.neutron_fraction = self.neutron.evaluate(r);
        state.proton_fraction = self.proton.evaluate(r);
        state.alpha_fraction = at(&self.alpha);
        state.heavy_fraction = at(&self.heavy);
        state.heavy_mass_number = at(&self.heavy_mass_number);
        state.heavy_charge = at(&self.heavy_charge);
    }
}

/// Mass fractions that add up to more than 1 are columns mistaken for others.
fn check_sum(
    reader: &ColumnReader,
    columns: &ProfileColumns,
    fractions: &[Option<Vec<f64>>],
    rows: usize,
) -> Result<()> {
    let sum =
        |index: usize| -> f64 { fractions.iter().flatten().filter_map(|values| values.get(index)).sum() };
    match ((0..rows).find(|&index| sum(index) > 1.0 + SUM_TOLERANCE), &columns.neutron_fraction) {
        (Some(index), Some(column)) => Err(reader.invalid(
            column,
            index,
            &format!("mass fractions with the sum {}", sum(index)),
            "a sum of at most 1",
        )),
        _ => Ok(()),
    }
}

impl ChemicalPotentials {
    fn read(reader: &ColumnReader, columns: &ProfileColumns, points: &Points) -> Result<Self> {
        let shifted = |column: &Option<Column>, name, shift: f64| {
            let values = reader.read(column.as_ref(), name, Dimension::Energy, Valid::Any)?;
            Ok::<_, Error>(values.map(|values| points.curve(values.iter().map(|mu| mu + shift).collect())))
        };
        let (neutron, proton) = left_out_masses(columns.chemical_potentials);
        Ok(Self {
            electron: shifted(&columns.electron_chemical_potential, "electron_chemical_potential", 0.0)?,
            neutron: shifted(&columns.neutron_chemical_potential, "neutron_chemical_potential", neutron)?,
            proton: shifted(&columns.proton_chemical_potential, "proton_chemical_potential", proton)?,
        })
    }
}
