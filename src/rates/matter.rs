//! Matter that a person describes in a few numbers.

use crate::background::MatterState;
use crate::error::{Error, Result};

/// By how much mass fractions may miss the sum 1, and their charge Y_e.
const TOLERANCE: f64 = 1e-3;

/// Mass fractions, and mass number and charge of the heavy nucleus.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Composition {
    pub neutrons: f64,
    pub protons: f64,
    pub alphas: f64,
    pub heavy: f64,
    pub heavy_mass_number: f64,
    pub heavy_charge: f64,
}

impl Composition {
    /// Free nucleons only.
    pub fn free_nucleons(electron_fraction: f64) -> Self {
        Self { neutrons: 1.0 - electron_fraction, protons: electron_fraction, ..Self::default() }
    }

    /// Reads `n=0.7,p=0.1,alpha=0.05,heavy=0.15,A=56,Z=26`; what is left out is 0.
    ///
    /// # Errors
    /// The part that is not understood.
    pub fn parse(text: &str) -> std::result::Result<Self, String> {
        let mut composition = Self::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').ok_or(format!("expected NAME=VALUE, found {part}"))?;
            let number: f64 = value
                .trim()
                .parse()
                .ok()
                .filter(|number: &f64| number.is_finite())
                .ok_or(format!("{value} of {name} is no finite number"))?;
            *composition.named(name.trim())? = number;
        }
        Ok(composition)
    }

    fn named(&mut self, name: &str) -> std::result::Result<&mut f64, String> {
        match name {
            "n" => Ok(&mut self.neutrons),
            "p" => Ok(&mut self.protons),
            "alpha" => Ok(&mut self.alphas),
            "heavy" => Ok(&mut self.heavy),
            "A" => Ok(&mut self.heavy_mass_number),
            "Z" => Ok(&mut self.heavy_charge),
            _ => Err(format!("{name} is none of n, p, alpha, heavy, A, Z")),
        }
    }

    /// The matter at `density` [g/cm³] and `temperature` \[MeV\].
    ///
    /// # Errors
    /// Density below or temperature not above 0, Y_e outside \[0, 1\], a mass fraction outside \[0, 1\], a
    /// sum that is not 1, a nucleus without mass number or with a charge beyond it, a charge that is not
    /// Y_e.
    pub fn matter(&self, density: f64, temperature: f64, electron_fraction: f64) -> Result<MatterState> {
        require(density >= 0.0, "density", format!("{density:e} g/cm3"), "0 or above")?;
        require(temperature > 0.0, "temperature", format!("{temperature:e} MeV"), "above 0")?;
        let share = |value: f64| (0.0..=1.0).contains(&value);
        require(share(electron_fraction), "ye", electron_fraction, "0 to 1")?;
        let fractions =
            [("n", self.neutrons), ("p", self.protons), ("alpha", self.alphas), ("heavy", self.heavy)];
        for (name, value) in fractions {
            require(share(value), &format!("composition: {name}"), value, "a mass fraction from 0 to 1")?;
        }
        let sum: f64 = fractions.iter().map(|(_, value)| value).sum();
        require(
            (sum - 1.0).abs() <= TOLERANCE,
            "composition",
            format!("the sum {sum}"),
            "mass fractions of sum 1",
        )?;
        self.check_nucleus()?;
        let charge = self.charge();
        let valid = format!("a charge per baryon of ye = {electron_fraction}");
        require(
            (charge - electron_fraction).abs() <= TOLERANCE,
            "composition",
            format!("charge {charge}"),
            &valid,
        )?;
        Ok(MatterState {
            density,
            temperature,
            electron_fraction,
            neutron_fraction: self.neutrons,
            proton_fraction: self.protons,
            alpha_fraction: self.alphas,
            heavy_fraction: self.heavy,
            heavy_mass_number: self.heavy_mass_number,
            heavy_charge: self.heavy_charge,
            ..MatterState::default()
        })
    }

    fn check_nucleus(&self) -> Result<()> {
        if self.heavy == 0.0 {
            return Ok(());
        }
        let (a, z) = (self.heavy_mass_number, self.heavy_charge);
        require(a >= 1.0, "composition: A", a, "a mass number of at least 1, as heavy > 0")?;
        require((0.0..=a).contains(&z), "composition: Z", z, "a charge from 0 to A")
    }

    /// Protons per baryon.
    fn charge(&self) -> f64 {
        let heavy =
            if self.heavy > 0.0 { self.heavy * self.heavy_charge / self.heavy_mass_number } else { 0.0 };
        self.protons + 0.5 * self.alphas + heavy
    }
}

fn require(good: bool, path: &str, found: impl ToString, valid: &str) -> Result<()> {
    if good { Ok(()) } else { Err(Error::field(path, found, valid)) }
}
