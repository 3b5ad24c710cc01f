//! Production, diffusion and effective emission at each radius.

use super::Scheme;
use super::depth::{Depths, Means};
use super::medium::{Measure, Medium};
use crate::methods::setup::Setup;

/// A number and an energy, both per volume and time [cm⁻³ s⁻¹, erg cm⁻³ s⁻¹].
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Rate {
    pub number: f64,
    pub energy: f64,
}

/// The rates at one (species, radius).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct LocalRates {
    /// What the matter emits where there are no neutrinos.
    pub production: Rate,
    /// The equilibrium densities over the diffusion time; infinite where the depth is 0.
    pub diffusion: Rate,
    /// What leaks.
    pub effective: Rate,
}

/// Where rates are found from.
pub(super) struct Rates<'a> {
    pub setup: &'a Setup,
    pub medium: &'a Medium,
    pub means: &'a Means,
    pub depths: &'a Depths,
    pub scheme: Scheme,
}

impl Rates<'_> {
    /// Rates of all species and radii, radius fastest.
    pub fn all(&self) -> Vec<LocalRates> {
        let radii = self.setup.phase_space.radial.nodes.len();
        let species = 0..self.setup.phase_space.species.len();
        species.flat_map(|s| (0..radii).map(move |i| self.at(s, i))).collect()
    }

    fn at(&self, species: usize, i: usize) -> LocalRates {
        let mut rates = self.sums(species, i);
        match self.scheme {
            Scheme::BottleneckGray | Scheme::InterpolatedGray | Scheme::Ruffert => {
                rates.diffusion = self.mean_diffusion(species, i);
            }
            _ => {}
        }
        if !self.scheme.resolved() {
            let (made, out) = (rates.production, rates.diffusion);
            rates.effective = Rate {
                number: self.scheme.limited(made.number, slowness(made.number, out.number)),
                energy: self.scheme.limited(made.energy, slowness(made.energy, out.energy)),
            };
        }
        rates
    }

    /// Sums over the energies, each of which leaks by itself.
    fn sums(&self, species: usize, i: usize) -> LocalRates {
        let measure = Measure::new(self.setup);
        let mut rates = LocalRates::default();
        for k in 0..self.setup.phase_space.energy.len() {
            let index = self.setup.coefficients.first(species, k) + i;
            let produced = self.medium.production[index];
            let opacity = self.medium.transport[index];
            let diffusing =
                self.over_time(self.medium.equilibrium[index], opacity, self.depths.transport[index]);
            let effective = self.scheme.limited(produced, slowness(produced, diffusing));
            let (number, energy) = (measure.number(k, i), measure.energy(k, i));
            for (rate, value) in [
                (&mut rates.production, produced),
                (&mut rates.diffusion, diffusing),
                (&mut rates.effective, effective),
            ] {
                rate.number += number * value;
                rate.energy += energy * value;
            }
        }
        rates
    }

    /// The equilibrium densities over the diffusion time of mean opacities.
    fn mean_diffusion(&self, species: usize, i: usize) -> Rate {
        let measure = Measure::new(self.setup);
        let node = species * self.setup.phase_space.radial.nodes.len() + i;
        let energy = (self.means.energy[node], self.depths.transport_mean[node]);
        let number = match self.scheme {
            Scheme::Ruffert => (self.means.number[node], self.depths.transport_number_mean[node]),
            _ => energy,
        };
        let density = |weight: &dyn Fn(usize) -> f64| -> f64 {
            let occupation = |k| self.medium.equilibrium[self.setup.coefficients.first(species, k) + i];
            (0..self.setup.phase_space.energy.len()).map(|k| weight(k) * occupation(k)).sum()
        };
        Rate {
            number: self.over_time(density(&|k| measure.number(k, i)), number.0, number.1),
            energy: self.over_time(density(&|k| measure.energy(k, i)), energy.0, energy.1),
        }
    }

    /// `density` over the diffusion time a τ²/κ.
    fn over_time(&self, density: f64, opacity: f64, depth: f64) -> f64 {
        let flow = density * opacity;
        if flow > 0.0 { flow / (self.scheme.diffusion_factor() * depth * depth) } else { 0.0 }
    }
}

/// How much longer diffusing takes than producing.
fn slowness(production: f64, diffusion: f64) -> f64 {
    if production > 0.0 { production / diffusion } else { 0.0 }
}
