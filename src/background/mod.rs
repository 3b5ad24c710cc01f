//! The static background that neutrinos move through: metric, fluid velocity, matter.

mod interpolate;
mod quadrature;

/// State of the matter at one radius, in external units. Fractions are mass fractions.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct MatterState {
    /// Baryon rest-mass density [g/cm³].
    pub density: f64,
    /// Temperature [MeV].
    pub temperature: f64,
    /// Electrons per baryon.
    pub electron_fraction: f64,
    pub neutron_fraction: f64,
    pub proton_fraction: f64,
    pub alpha_fraction: f64,
    pub heavy_fraction: f64,
    /// Mass number and charge of the representative heavy nucleus; 0 where there is none.
    pub heavy_mass_number: f64,
    pub heavy_charge: f64,
    /// Chemical potentials given by the profile [MeV], each with its own rest mass; `None` where the
    /// rates have to find them from density, temperature and composition.
    pub electron_chemical_potential: Option<f64>,
    pub neutron_chemical_potential: Option<f64>,
    pub proton_chemical_potential: Option<f64>,
}
