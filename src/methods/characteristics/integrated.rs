//! Integrals over the energy: densities, luminosities, mean energies, flux and Eddington factors.

use std::f64::consts::PI;

use super::level::Level;
use super::trace::lorentz;
use crate::units::UnitSystem;

/// (name, unit, meaning) of the integrated variables, in the order of [`integrated`].
pub const VARIABLES: [(&str, &str, &str); 12] = [
    ("number_density", "cm-3", "number density, comoving frame"),
    ("energy_density", "erg cm-3", "energy density, comoving frame"),
    ("luminosity", "erg s-1", "4 pi r^2 x energy flux, comoving frame"),
    ("luminosity_static", "erg s-1", "4 pi r^2 x energy flux, static observers"),
    (
        "luminosity_infinity",
        "erg s-1",
        "4 pi r^2 lapse^2 x energy flux of static observers: luminosity at infinity",
    ),
    (
        "number_luminosity_infinity",
        "s-1",
        "4 pi r^2 lapse x number flux of static observers: number luminosity at infinity",
    ),
    ("mean_energy", "MeV", "mean energy of the density, int e^3 J / int e^2 J"),
    ("rms_energy", "MeV", "energy-weighted rms energy, sqrt(int e^5 J / int e^3 J)"),
    ("rms_energy_number", "MeV", "number-weighted rms energy, sqrt(int e^4 J / int e^2 J)"),
    ("mean_energy_infinity", "MeV", "luminosity_infinity / number_luminosity_infinity"),
    ("flux_factor", "1", "int e^3 H / int e^3 J"),
    ("eddington_factor", "1", "int e^3 K / int e^3 J"),
];

/// ∫ε^p {J, H, K} dε for p = 2, 3, 4, 5.
pub type Spectral = [[f64; 3]; 4];

/// The energy integrals from J, H, K, L at the level's energies.
pub fn spectral(level: &Level, moments: &[[f64; 4]]) -> Spectral {
    let mut sums = [[0.0; 3]; 4];
    for (&(energy, weight), moments) in level.energies.iter().zip(moments) {
        for (p, sums) in sums.iter_mut().enumerate() {
            let weight = weight * energy.powi(p as i32 + 2);
            sums.iter_mut().zip(moments).for_each(|(sum, moment)| *sum += weight * moment);
        }
    }
    sums
}

/// The same in a gray problem, where f does not depend on the energy at infinity αWε(1+vμ): integrals
/// are per unit of that energy taken at 1, ∫ε^p f dε → (αW(1+vμ))^{−p−1} f.
pub fn gray(level: &Level, species: usize, r: f64) -> Spectral {
    let place = level.medium.spot(level.medium.panel_at(r, false), r).place;
    let redshift = place.lapse * lorentz(place.velocity);
    let sums = level.angular_integral(species, r, &[1.0], 12, &|mu, out| {
        let to_infinity = redshift * (1.0 + place.velocity * mu);
        for (p, out) in out.chunks_exact_mut(3).enumerate() {
            let weight = to_infinity.powi(-(p as i32) - 3);
            out.copy_from_slice(&[weight, weight * mu, weight * mu * mu]);
        }
    });
    by_power(&sums.values)
}

/// Twelve integrals, those of J, H and K fastest.
pub fn by_power(sums: &[f64]) -> Spectral {
    std::array::from_fn(|p| std::array::from_fn(|n| sums[3 * p + n]))
}

/// [`VARIABLES`] at `r` in external units, from the energy integrals there.
pub fn integrated(level: &Level, r: f64, units: UnitSystem, sums: &Spectral) -> [f64; 12] {
    let place = level.medium.spot(level.medium.panel_at(r, false), r).place;
    let (alpha, v) = (place.lapse, place.velocity);
    let w = lorentz(v);
    let [number, energy, fourth, fifth] = *sums;
    let states = 4.0 * PI / units.planck_c_cubed();
    let erg = units.erg_per_energy();
    let area = 4.0 * PI * r * r * units.speed_of_light();
    // Lorentz transformation of the number current and of the stress-energy tensor to the static frame.
    let number_flux = w * (number[1] + v * number[0]);
    let energy_flux = w * w * ((1.0 + v * v) * energy[1] + v * (energy[0] + energy[2]));
    let over = |a: f64, b: f64| if b == 0.0 { 0.0 } else { a / b };
    [
        states * number[0],
        states * erg * energy[0],
        area * states * erg * energy[1],
        area * states * erg * energy_flux,
        area * states * erg * alpha * alpha * energy_flux,
        area * states * alpha * number_flux,
        over(energy[0], number[0]),
        over(fifth[0], energy[0]).max(0.0).sqrt(),
        over(fourth[0], number[0]).max(0.0).sqrt(),
        alpha * over(energy_flux, number_flux),
        over(energy[1], energy[0]),
        over(energy[2], energy[0]),
    ]
}
