//! Nuclei at one radius: number densities, and reactions with them.

use crate::background::MatterState;
use crate::constants::ATOMIC_MASS_UNIT;
use crate::error::{Error, Result};

/// Mass number and charge of the α particle.
const ALPHA: (f64, f64) = (4.0, 2.0);

/// One kind of nuclei.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct NuclearSpecies {
    /// [1/cm³]; 0 where there are none.
    pub density: f64,
    /// A and Z; they need not be whole numbers, as a representative nucleus is a mean.
    pub mass_number: f64,
    pub charge: f64,
}

/// α particles and the representative heavy nucleus.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Nuclei {
    pub alpha: NuclearSpecies,
    pub heavy: NuclearSpecies,
}

impl Nuclei {
    /// Densities n = ρX/(A m_u).
    ///
    /// # Errors
    /// Mass fractions that are negative or not finite; heavy nuclei without A ≥ 1 and 0 ≤ Z ≤ A.
    pub fn new(matter: &MatterState) -> Result<Self> {
        let baryons = matter.density / ATOMIC_MASS_UNIT;
        for (name, fraction) in
            [("alpha_fraction", matter.alpha_fraction), ("heavy_fraction", matter.heavy_fraction)]
        {
            if !(fraction.is_finite() && fraction >= 0.0) {
                return Err(Error::Numerical(format!(
                    "matter: {name} is {fraction:e}; valid: a finite number >= 0"
                )));
            }
        }
        let alpha = NuclearSpecies {
            density: baryons * matter.alpha_fraction / ALPHA.0,
            mass_number: ALPHA.0,
            charge: ALPHA.1,
        };
        Ok(Self { alpha, heavy: heavy(matter, baryons)? })
    }
}

fn heavy(matter: &MatterState, baryons: f64) -> Result<NuclearSpecies> {
    let (mass_number, charge) = (matter.heavy_mass_number, matter.heavy_charge);
    if matter.heavy_fraction == 0.0 {
        return Ok(NuclearSpecies::default());
    }
    if !(mass_number.is_finite() && mass_number >= 1.0 && (0.0..=mass_number).contains(&charge)) {
        return Err(Error::Numerical(format!(
            "matter: heavy_fraction is {:e} with heavy_mass_number {mass_number} and heavy_charge {charge}; \
             valid: A >= 1 and 0 <= Z <= A where there are heavy nuclei",
            matter.heavy_fraction
        )));
    }
    Ok(NuclearSpecies { density: baryons * matter.heavy_fraction / mass_number, mass_number, charge })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn densities_follow_from_mass_fractions() {
        let matter = MatterState {
            density: 1e10,
            alpha_fraction: 0.2,
            heavy_fraction: 0.56,
            heavy_mass_number: 56.0,
            heavy_charge: 26.0,
            ..MatterState::default()
        };
        let nuclei = Nuclei::new(&matter).unwrap();
        let baryons = 1e10 / ATOMIC_MASS_UNIT;
        assert!((nuclei.alpha.density / (0.05 * baryons) - 1.0).abs() < 1e-14);
        assert!((nuclei.heavy.density / (0.01 * baryons) - 1.0).abs() < 1e-14);
    }

    #[rstest::rstest]
    #[case(-0.1, 0.0, 0.0, 0.0, "alpha_fraction is -1e-1")]
    #[case(0.0, f64::NAN, 56.0, 26.0, "heavy_fraction is NaN")]
    #[case(0.0, 0.5, 0.0, 0.0, "heavy_mass_number 0")]
    #[case(0.0, 0.5, 56.0, 60.0, "heavy_charge 60")]
    fn nonsense_is_refused(
        #[case] alpha: f64,
        #[case] heavy: f64,
        #[case] mass_number: f64,
        #[case] charge: f64,
        #[case] message: &str,
    ) {
        let matter = MatterState {
            density: 1.0,
            alpha_fraction: alpha,
            heavy_fraction: heavy,
            heavy_mass_number: mass_number,
            heavy_charge: charge,
            ..MatterState::default()
        };
        let error = Nuclei::new(&matter).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
}
