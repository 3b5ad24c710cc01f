//! Nuclear statistical equilibrium of neutrons, protons, α particles and a small set of heavy nuclei: the
//! composition of matter of which only density, temperature and electron fraction are known.
//!
//! Nuclei are ideal Boltzmann gases in equilibrium with free nucleons (Saha equation; e.g. Clifford & Tayler
//! 1965, Mem. R. Astron. Soc. 69, 21),
//!
//! ```text
//! n_i = g_i (m_i T/(2π(ħc)²))^(3/2) exp[(Z_i μ_p + N_i μ_n − m_i)/T]
//! ```
//!
//! with rest masses in μ; nucleons are non-relativistic Fermi gases with a common kinetic mass, as in the
//! reaction rates. Nothing else is in it: no Coulomb energy, no excluded volume, no excited states.

use std::f64::consts::PI;

use super::MatterState;
use crate::constants::{
    ATOMIC_MASS_UNIT, ATOMIC_MASS_UNIT_MEV, ELECTRON_MASS, HBAR_C, NEUTRON_MASS, PROTON_MASS,
};
use crate::error::{Error, Result};
use crate::opacities::fermi_gas::{NucleonGas, logarithmic_fermi_half};
use crate::opacities::weak::WeakConstants;

/// Largest density [g/cm³]: above, interactions between nucleons and the volume of nuclei matter.
pub const LARGEST_DENSITY: f64 = 1e13;
/// Smallest temperature \[MeV\] (3.5 GK): below, reactions are too slow for equilibrium within milliseconds to
/// seconds.
pub const SMALLEST_TEMPERATURE: f64 = 0.3;

/// A nucleus of the set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Nuclide {
    pub name: &'static str,
    pub mass_number: f64,
    pub charge: f64,
    /// Mass excess of the neutral atom \[MeV\] (AME2020: Huang et al. 2021, Chin. Phys. C 45, 030002; Wang et al.
    /// 2021, Chin. Phys. C 45, 030003).
    pub mass_excess: f64,
    /// Partition function: 2J + 1 of the ground state, at all temperatures.
    pub degeneracy: f64,
}

const fn nuclide(
    name: &'static str,
    mass_number: f64,
    charge: f64,
    mass_excess: f64,
    degeneracy: f64,
) -> Nuclide {
    Nuclide { name, mass_number, charge, mass_excess, degeneracy }
}

/// The α particle, and heavy nuclei from Z/A = 0.50 to 0.375 that are the most abundant at their Z/A.
pub const NUCLIDES: [Nuclide; 21] = [
    nuclide("4He", 4.0, 2.0, 2.4249, 1.0),
    nuclide("48Ca", 48.0, 20.0, -44.2249, 1.0),
    nuclide("50Ti", 50.0, 22.0, -51.4319, 1.0),
    nuclide("52Cr", 52.0, 24.0, -55.4195, 1.0),
    nuclide("54Cr", 54.0, 24.0, -56.9354, 1.0),
    nuclide("54Fe", 54.0, 26.0, -56.2546, 1.0),
    nuclide("56Fe", 56.0, 26.0, -60.6072, 1.0),
    nuclide("58Fe", 58.0, 26.0, -62.1553, 1.0),
    nuclide("60Fe", 60.0, 26.0, -61.4130, 1.0),
    nuclide("55Co", 55.0, 27.0, -54.0300, 8.0),
    nuclide("56Ni", 56.0, 28.0, -53.9076, 1.0),
    nuclide("58Ni", 58.0, 28.0, -60.2289, 1.0),
    nuclide("60Ni", 60.0, 28.0, -64.4732, 1.0),
    nuclide("62Ni", 62.0, 28.0, -66.7464, 1.0),
    nuclide("64Ni", 64.0, 28.0, -67.0990, 1.0),
    nuclide("66Ni", 66.0, 28.0, -66.0063, 1.0),
    nuclide("68Ni", 68.0, 28.0, -63.4638, 1.0),
    nuclide("80Zn", 80.0, 30.0, -51.6486, 1.0),
    nuclide("82Ge", 82.0, 32.0, -65.4151, 1.0),
    nuclide("84Se", 84.0, 34.0, -75.9477, 1.0),
    nuclide("86Kr", 86.0, 36.0, -83.2657, 1.0),
];
/// Species: neutrons, protons, nuclei.
const SPECIES: usize = 2 + NUCLIDES.len();

impl Nuclide {
    fn neutrons(&self) -> f64 {
        self.mass_number - self.charge
    }

    /// Rest energy of the bare nucleus \[MeV\]: the electrons' rest masses are taken off, their binding energy
    /// 14.4381 Z^2.39 + 1.55468e-6 Z^5.35 eV (Lunney, Pearson & Thibault 2003, Rev. Mod. Phys. 75, 1021) put back.
    pub fn rest_energy(&self) -> f64 {
        let electrons = 1e-6 * (14.4381 * self.charge.powf(2.39) + 1.554_68e-6 * self.charge.powf(5.35));
        self.mass_number * ATOMIC_MASS_UNIT_MEV + self.mass_excess - self.charge * ELECTRON_MASS + electrons
    }

    /// Z m_p + N m_n − m \[MeV\].
    pub fn binding_energy(&self) -> f64 {
        self.charge * PROTON_MASS + self.neutrons() * NEUTRON_MASS - self.rest_energy()
    }

    /// ln of the density [1/cm³] at η_n = η_p = 0.
    fn logarithmic_weight(&self, temperature: f64) -> f64 {
        let quantum = self.rest_energy() * temperature / (2.0 * PI * HBAR_C * HBAR_C);
        self.degeneracy.ln() + 1.5 * quantum.ln() + self.binding_energy() / temperature
    }
}

/// Composition in equilibrium.
#[derive(Debug, Clone, PartialEq)]
pub struct NuclearEquilibrium {
    /// [g/cm³]
    pub density: f64,
    /// \[MeV\]
    pub temperature: f64,
    pub electron_fraction: f64,
    /// (μ − mc²)/T of neutrons and protons; −∞ where there are none.
    pub neutron_degeneracy: f64,
    pub proton_degeneracy: f64,
    /// Mass fractions.
    pub neutron_fraction: f64,
    pub proton_fraction: f64,
    /// Mass fractions of [`NUCLIDES`].
    pub nuclide_fractions: [f64; NUCLIDES.len()],
}

/// Whether matter of this density \[g/cm³\] and temperature \[MeV\] can be in equilibrium.
///
/// # Errors
/// A density or temperature that is out of range or not finite, with the range.
pub fn check_range(density: f64, temperature: f64) -> Result<()> {
    let path = "nuclear statistical equilibrium";
    if !(density > 0.0 && density <= LARGEST_DENSITY) {
        let valid = format!("a density above 0 and at most {LARGEST_DENSITY:e} g/cm3");
        return Err(Error::field(path, format!("density {density:e} g/cm3"), valid));
    }
    if !(temperature.is_finite() && temperature >= SMALLEST_TEMPERATURE) {
        let valid = format!("a temperature of at least {SMALLEST_TEMPERATURE} MeV");
        return Err(Error::field(path, format!("temperature {temperature:e} MeV"), valid));
    }
    Ok(())
}

impl NuclearEquilibrium {
    /// The composition of matter with `density` [g/cm³], `temperature` \[MeV\] and electron fraction: the
    /// chemical potentials at which baryon number and charge are those of the matter.
    ///
    /// For a given difference Δ = η_p − η_n the baryon number rises with η_n, and along the curve of the right
    /// baryon number the charge rises with Δ (the pressure is a convex function of both), so that one root is
    /// found inside the other, each by Newton's method within a bracket.
    ///
    /// # Errors
    /// Those of [`check_range`]; an electron fraction outside [0, 1].
    pub fn solve(density: f64, temperature: f64, electron_fraction: f64) -> Result<Self> {
        check_range(density, temperature)?;
        if !(0.0..=1.0).contains(&electron_fraction) {
            let found = format!("electron fraction {electron_fraction}");
            return Err(Error::field("nuclear statistical equilibrium", found, "0 to 1"));
        }
        let gas = Mixture::new(density, temperature)?;
        let State { degeneracies, fractions } = if electron_fraction == 0.0 {
            gas.of_one_kind(0)
        } else if electron_fraction == 1.0 {
            gas.of_one_kind(1)
        } else {
            gas.with_charge(electron_fraction).ok_or_else(|| {
                Error::Numerical(format!(
                    "nuclear statistical equilibrium: no chemical potentials found for density {density:e} g/cm3, \
                     temperature {temperature:e} MeV, electron fraction {electron_fraction}"
                ))
            })?
        };
        let [neutron_fraction, proton_fraction, nuclide_fractions @ ..] = fractions;
        Ok(Self {
            density,
            temperature,
            electron_fraction,
            neutron_degeneracy: degeneracies[0],
            proton_degeneracy: degeneracies[1],
            neutron_fraction,
            proton_fraction,
            nuclide_fractions,
        })
    }

    /// The matter with one representative heavy nucleus of the mean A and Z (by number) of the heavy nuclei,
    /// which keeps baryon number and charge, and with the chemical potentials of the nucleons.
    pub fn matter(&self) -> MatterState {
        let [alpha_fraction, heavy @ ..] = &self.nuclide_fractions;
        let heavy_fraction: f64 = heavy.iter().sum();
        let (mut number, mut charge) = (0.0, 0.0);
        for (nuclide, fraction) in NUCLIDES[1..].iter().zip(heavy) {
            number += fraction / nuclide.mass_number;
            charge += fraction * nuclide.charge / nuclide.mass_number;
        }
        let mean = |sum: f64| if number > 0.0 { sum / number } else { 0.0 };
        let both = self.neutron_degeneracy.is_finite() && self.proton_degeneracy.is_finite();
        let potential = |mass: f64, degeneracy: f64| both.then_some(mass + degeneracy * self.temperature);
        MatterState {
            density: self.density,
            temperature: self.temperature,
            electron_fraction: self.electron_fraction,
            neutron_fraction: self.neutron_fraction,
            proton_fraction: self.proton_fraction,
            alpha_fraction: *alpha_fraction,
            heavy_fraction: if number > 0.0 { heavy_fraction } else { 0.0 },
            heavy_mass_number: mean(heavy_fraction),
            heavy_charge: mean(charge),
            electron_chemical_potential: None,
            neutron_chemical_potential: potential(NEUTRON_MASS, self.neutron_degeneracy),
            proton_chemical_potential: potential(PROTON_MASS, self.proton_degeneracy),
        }
    }
}

/// Chemical potentials η_n, η_p and the mass fractions that belong to them.
struct State {
    degeneracies: [f64; 2],
    fractions: [f64; SPECIES],
}

/// Sums over the species at some chemical potentials, with their derivatives along and across the curve of
/// constant baryon number.
struct Sums {
    /// ln(Σ A_i n_i / n_b) and its derivative with η_n at fixed Δ.
    baryons: f64,
    slope: f64,
    /// ln(Σ Z_i n_i / Σ N_i n_i), the logit of the charge per baryon, and its derivative with Δ at fixed
    /// baryon number.
    logit: f64,
    logit_slope: f64,
    /// A_i n_i/Σ A n.
    fractions: [f64; SPECIES],
}

/// Nucleons and nuclei at one density and temperature.
struct Mixture {
    /// ln(n_i/n_b) at η_n = η_p = 0 without the factor F½ of nucleons.
    weights: [f64; SPECIES],
    /// η of a nucleon gas that is all of the matter.
    alone: f64,
}

/// N_i and Z_i of the species.
fn numbers(species: usize) -> (f64, f64) {
    match species {
        0 => (1.0, 0.0),
        1 => (0.0, 1.0),
        _ => (NUCLIDES[species - 2].neutrons(), NUCLIDES[species - 2].charge),
    }
}

impl Mixture {
    fn new(density: f64, temperature: f64) -> Result<Self> {
        let baryons = density / ATOMIC_MASS_UNIT;
        let mass = WeakConstants::default().kinetic_mass;
        let gas = NucleonGas { mass, hbar_c: HBAR_C, temperature };
        let nucleons = 1.5 * (2.0 * mass * temperature).ln() - (2.0 * PI * PI * HBAR_C.powi(3)).ln();
        let mut weights = [nucleons - baryons.ln(); SPECIES];
        for (weight, nuclide) in weights[2..].iter_mut().zip(&NUCLIDES) {
            *weight = nuclide.logarithmic_weight(temperature) - baryons.ln();
        }
        Ok(Self { weights, alone: gas.degeneracy(baryons)? })
    }

    /// Neutrons or protons only.
    fn of_one_kind(&self, kind: usize) -> State {
        let mut degeneracies = [f64::NEG_INFINITY; 2];
        let mut fractions = [0.0; SPECIES];
        degeneracies[kind] = self.alone;
        fractions[kind] = 1.0;
        State { degeneracies, fractions }
    }

    /// ln(n_i/n_b) and d ln n_i/dη of nucleons (1 for nuclei, whose η is Zη_p + Nη_n).
    fn logarithmic_densities(&self, neutron: f64, proton: f64) -> [(f64, f64); SPECIES] {
        std::array::from_fn(|species| {
            let weight = self.weights[species];
            match species {
                0 | 1 => {
                    let (integral, slope) = logarithmic_fermi_half([neutron, proton][species]);
                    (weight + integral, slope)
                }
                _ => {
                    let (n, z) = numbers(species);
                    (weight + n * neutron + z * proton, 1.0)
                }
            }
        })
    }

    fn sums(&self, neutron: f64, difference: f64) -> Sums {
        let densities = self.logarithmic_densities(neutron, neutron + difference);
        let largest = densities.iter().fold(f64::NEG_INFINITY, |largest, (value, _)| largest.max(*value));
        let (mut n_sum, mut z_sum, mut aa, mut az) = (0.0, 0.0, 0.0, 0.0);
        let mut fractions = [0.0; SPECIES];
        let mut changes = [0.0; SPECIES];
        for (species, (logarithm, slope)) in densities.iter().enumerate() {
            let (n, z) = numbers(species);
            let density = (logarithm - largest).exp();
            n_sum += n * density;
            z_sum += z * density;
            changes[species] = density * slope;
            aa += (n + z).powi(2) * changes[species];
            az += (n + z) * z * changes[species];
            fractions[species] = (n + z) * density;
        }
        let baryons = n_sum + z_sum;
        fractions.iter_mut().for_each(|fraction| *fraction /= baryons);
        // dZ/dΔ at constant baryon number, a variance; d logit = dZ (1/Z + 1/N).
        let charge_slope: f64 = (0..SPECIES)
            .map(|species| {
                let (n, z) = numbers(species);
                changes[species] * (z - (n + z) * az / aa).powi(2)
            })
            .sum();
        Sums {
            baryons: largest + baryons.ln(),
            slope: aa / baryons,
            logit: z_sum.ln() - n_sum.ln(),
            logit_slope: charge_slope * (1.0 / z_sum + 1.0 / n_sum),
            fractions,
        }
    }

    /// η_n at which the baryon number is right for η_p − η_n = `difference`.
    ///
    /// It lies below the η_n at which the first species would supply all baryons alone, and above that at which
    /// each species would supply less than its share 1/SPECIES.
    fn neutron_degeneracy(&self, difference: f64) -> Option<f64> {
        let mut upper = self.alone.min(self.alone - difference);
        for species in 2..SPECIES {
            let (n, z) = numbers(species);
            let a = n + z;
            upper = upper.min((-self.weights[species] - a.ln() - z * difference) / a);
        }
        // The density of a Boltzmann gas falls at least as e^η; that of degenerate nucleons does so below η = −1.
        let lower = upper - (SPECIES as f64).ln() - self.alone.max(0.0) - 1.0;
        root((lower, upper), |neutron| {
            let sums = self.sums(neutron, difference);
            (sums.baryons, sums.slope)
        })
    }

    /// The state with `electron_fraction` charges per baryon, between 0 and 1.
    fn with_charge(&self, electron_fraction: f64) -> Option<State> {
        let target = electron_fraction.ln() - (-electron_fraction).ln_1p();
        let at = |difference: f64| {
            let neutron = self.neutron_degeneracy(difference)?;
            Some((neutron, self.sums(neutron, difference)))
        };
        let excess = |difference: f64| at(difference).map(|(_, sums)| sums.logit - target);
        let mut bracket = (-1.0, 1.0);
        while excess(bracket.0)? > 0.0 && bracket.0 > -LARGEST_DIFFERENCE {
            bracket.0 *= 2.0;
        }
        while excess(bracket.1)? < 0.0 && bracket.1 < LARGEST_DIFFERENCE {
            bracket.1 *= 2.0;
        }
        let difference = root(bracket, |difference| {
            at(difference).map_or((f64::NAN, f64::NAN), |(_, sums)| (sums.logit - target, sums.logit_slope))
        })?;
        let (neutron, sums) = at(difference)?;
        let charge: f64 = (0..SPECIES)
            .map(|species| {
                let (n, z) = numbers(species);
                sums.fractions[species] * z / (n + z)
            })
            .sum();
        let exact = (charge - electron_fraction).abs() <= CHARGE_TOLERANCE;
        exact.then_some(State { degeneracies: [neutron, neutron + difference], fractions: sums.fractions })
    }
}

/// |η_p − η_n| that no electron fraction of a double number needs at T ≥ 0.3 MeV.
const LARGEST_DIFFERENCE: f64 = 1e5;
/// Error of the charge per baryon: the round-off of exponents of some thousand.
const CHARGE_TOLERANCE: f64 = 1e-12;

/// Logarithms of baryon number and charge that are 0: the round-off of exponents of some hundred.
const SETTLED: f64 = 1e-13;
/// Enough for bisection down to neighbouring numbers.
const MOST_ITERATIONS: usize = 100;

/// The root of an increasing function in `bracket` from (value, slope), by Newton's method where it stays in the
/// bracket and the last step has halved the value, else by bisection; `None` where the function is undefined.
fn root(bracket: (f64, f64), function: impl Fn(f64) -> (f64, f64)) -> Option<f64> {
    let (mut lower, mut upper) = bracket;
    let (mut x, mut last) = (upper, f64::INFINITY);
    for _ in 0..MOST_ITERATIONS {
        let (value, slope) = function(x);
        if value.is_nan() {
            return None;
        }
        if value.abs() <= SETTLED {
            return Some(x);
        }
        if value > 0.0 {
            upper = x;
        } else {
            lower = x;
        }
        let newton = x - value / slope;
        let converges = newton > lower && newton < upper && 2.0 * value.abs() < last;
        let next = if converges { newton } else { 0.5 * (lower + upper) };
        if (next - x).abs() <= 2.0 * f64::EPSILON * x.abs() {
            return Some(next);
        }
        (x, last) = (next, value.abs());
    }
    Some(x)
}
