//! Sources of opacity and what comes in at the boundaries.

use super::{Validator, ensure, formula, not_empty};
use crate::error::{Error, Result};
use crate::opacities::Species;
use crate::opacities::kernels::partners;
use crate::problem::file::{
    BoundaryCondition, Coefficient, EnergyGridFile, EquilibriumFile, OpacityFile, RadialValue, RegionFile,
};
use crate::problem::quantity::Quantity;
use crate::problem::variables;
use crate::units::Dimension;

impl Validator<'_> {
    pub(super) fn opacities(&self) -> Result<()> {
        for (index, opacity) in self.file.opacities.iter().enumerate() {
            self.opacity(opacity, &format!("opacities[{index}]"))?;
        }
        Ok(())
    }

    fn opacity(&self, opacity: &OpacityFile, path: &str) -> Result<()> {
        match opacity {
            OpacityFile::Absorption { absorption, equilibrium, region, species } => {
                self.coefficient(absorption, &format!("{path}.absorption"))?;
                self.equilibrium(equilibrium, &format!("{path}.equilibrium"))?;
                self.where_it_acts(region.as_ref(), species.as_deref(), path)
            }
            OpacityFile::Scattering { scattering, mean_cosine, region, species } => {
                self.coefficient(scattering, &format!("{path}.scattering"))?;
                let cosine = (-1.0..=1.0).contains(mean_cosine);
                ensure(cosine, &format!("{path}.mean_cosine"), mean_cosine, "a cosine from -1 to 1")?;
                self.where_it_acts(region.as_ref(), species.as_deref(), path)
            }
            &OpacityFile::ZoneTable { ref file, inelastic, pairs, .. } => {
                not_empty(file, &format!("{path}.file"))?;
                self.physical_units_needed(path, "ZoneTable")?;
                self.table_kernels(inelastic, pairs, path)
            }
            &OpacityFile::NuLibTable { ref file, inelastic, pairs, bremsstrahlung, .. } => {
                not_empty(file, &format!("{path}.file"))?;
                self.nulib_table(inelastic, pairs || bremsstrahlung, path)
            }
            OpacityFile::Bruenn1985 { .. } => {
                self.physical_units_needed(path, "Bruenn1985")?;
                let valid = "a problem with background.matter";
                ensure(self.has_matter(), path, "Bruenn1985 without matter", valid)
            }
            OpacityFile::Rates { .. } => {
                self.physical_units_needed(path, "Rates")?;
                let valid = "a problem with background.matter";
                ensure(self.has_matter(), path, "Rates without matter", valid)
            }
            OpacityFile::Inelastic { pairs, bremsstrahlung, .. } => {
                self.inelastic(*pairs || *bremsstrahlung, path)
            }
        }
    }

    fn nulib_table(&self, inelastic: bool, with_pairs: bool, path: &str) -> Result<()> {
        self.physical_units_needed(path, "NuLibTable")?;
        let valid = "a problem with background.matter";
        ensure(self.has_matter(), path, "NuLibTable without matter", valid)?;
        self.table_kernels(inelastic, with_pairs, path)
    }

    fn table_kernels(&self, inelastic: bool, with_pairs: bool, path: &str) -> Result<()> {
        let gray = matches!(self.file.phase_space.energy, EnergyGridFile::Gray);
        let valid = "a problem with an energy grid, as these reactions change energies";
        ensure(!gray || !(inelastic || with_pairs), path, "kernels in a gray problem", valid)?;
        if with_pairs { self.pair_partners(path) } else { Ok(()) }
    }

    fn inelastic(&self, with_pairs: bool, path: &str) -> Result<()> {
        self.physical_units_needed(path, "Inelastic")?;
        let valid = "a problem with background.matter";
        ensure(self.has_matter(), path, "Inelastic without matter", valid)?;
        let gray = matches!(self.file.phase_space.energy, EnergyGridFile::Gray);
        let valid = "a problem with an energy grid, as these reactions change energies";
        ensure(!gray, path, "Inelastic in a gray problem", valid)?;
        if with_pairs { self.pair_partners(path) } else { Ok(()) }
    }

    /// Every species has a partner, and both stand for the same number of physical species.
    fn pair_partners(&self, path: &str) -> Result<()> {
        let species = &self.file.species;
        let known: Vec<Species> =
            species.iter().map(|file| Species { name: file.name.clone(), flavour: file.flavour }).collect();
        let valid = "pair reactions of as many neutrinos as antineutrinos; Heavy alone stands for both";
        let partners = partners(&known).map_err(|found| Error::field(path, found, valid))?;
        for (own, partner) in species.iter().zip(partners.iter().filter_map(|&p| species.get(p))) {
            let found = format!(
                "{} × {} with {} × {}",
                own.multiplicity, own.name, partner.multiplicity, partner.name
            );
            ensure(own.multiplicity == partner.multiplicity, path, found, "partners of equal multiplicity")?;
        }
        Ok(())
    }

    fn where_it_acts(
        &self,
        region: Option<&RegionFile>,
        species: Option<&[String]>,
        path: &str,
    ) -> Result<()> {
        self.region(region, &format!("{path}.region"))?;
        let Some(names) = species else { return Ok(()) };
        let path = format!("{path}.species");
        ensure(!names.is_empty(), &path, "[]", "names of species, or no field `species` for all of them")?;
        for (index, name) in names.iter().enumerate() {
            self.species_name(name, &format!("{path}[{index}]"))?;
        }
        Ok(())
    }

    fn opacity_variables(&self) -> &'static [&'static str] {
        if self.has_matter() { variables::OPACITY_WITH_MATTER } else { variables::OPACITY }
    }

    fn coefficient(&self, coefficient: &Coefficient, path: &str) -> Result<()> {
        match coefficient {
            Coefficient::Constant(value) => {
                self.non_negative(value, Dimension::Coefficient, path).map(|_| ())
            }
            Coefficient::PowerLaw { value, r0, r_exponent, energy0, energy_exponent } => {
                self.non_negative(value, Dimension::Coefficient, &format!("{path}.value"))?;
                self.reference(r0.as_ref(), *r_exponent, Dimension::Length, &format!("{path}.r0"))?;
                self.reference(
                    energy0.as_ref(),
                    *energy_exponent,
                    Dimension::Energy,
                    &format!("{path}.energy0"),
                )
            }
            Coefficient::Expression(text) => formula(text, self.opacity_variables(), path),
        }
    }

    /// The r₀ or ε₀ of a power law; in dimensionless problems 1 where it is left out.
    fn reference(
        &self,
        value: Option<&Quantity>,
        exponent: f64,
        dimension: Dimension,
        path: &str,
    ) -> Result<()> {
        let needed = self.units.physical && exponent != 0.0;
        let found = format!("nothing beside the exponent {exponent}");
        ensure(value.is_some() || !needed, path, found, format!("a positive {}", dimension.name()))?;
        self.positive_if_given(value, dimension, path)
    }

    fn equilibrium(&self, equilibrium: &EquilibriumFile, path: &str) -> Result<()> {
        match equilibrium {
            EquilibriumFile::Constant(value) => ensure(*value >= 0.0, path, value, "f_eq of at least 0"),
            EquilibriumFile::FermiDirac { temperature, chemical_potential, strength } => {
                self.temperature(temperature, &format!("{path}.temperature"))?;
                if let Some(potential) = chemical_potential {
                    self.chemical_potential(potential, &format!("{path}.chemical_potential"))?;
                }
                ensure(*strength >= 0.0, &format!("{path}.strength"), strength, "a factor of at least 0")
            }
            EquilibriumFile::Expression(text) => formula(text, self.opacity_variables(), path),
        }
    }

    fn temperature(&self, value: &RadialValue, path: &str) -> Result<()> {
        match value {
            RadialValue::Constant(value) => self.positive(value, Dimension::Energy, path).map(|_| ()),
            RadialValue::Tolman { value, at } => {
                self.positive(value, Dimension::Energy, &format!("{path}.value"))?;
                self.non_negative(at, Dimension::Length, &format!("{path}.at")).map(|_| ())
            }
            RadialValue::Matter => {
                ensure(self.has_matter(), path, "Matter without matter", "a problem with background.matter")
            }
            RadialValue::Expression(text) => formula(text, variables::RADIAL, path),
        }
    }

    fn chemical_potential(&self, value: &RadialValue, path: &str) -> Result<()> {
        match value {
            RadialValue::Constant(value) => value.energy(self.units, path).map(|_| ()),
            RadialValue::Tolman { value, at } => {
                value.energy(self.units, &format!("{path}.value"))?;
                self.non_negative(at, Dimension::Length, &format!("{path}.at")).map(|_| ())
            }
            RadialValue::Matter => {
                ensure(false, path, "Matter, which is a temperature", "Constant, Tolman or Expression")
            }
            RadialValue::Expression(text) => formula(text, variables::RADIAL, path),
        }
    }

    pub(super) fn boundary(&self) -> Result<()> {
        let sides = [("inner", &self.file.boundary.inner), ("outer", &self.file.boundary.outer)];
        for (side, condition) in sides {
            if let BoundaryCondition::Given(text) = condition {
                formula(text, variables::BOUNDARY, &format!("boundary.{side}"))?;
            }
        }
        Ok(())
    }
}
