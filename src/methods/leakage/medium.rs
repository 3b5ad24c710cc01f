//! What leakage needs to know of the matter at each (species, energy, radius): how much it emits into
//! empty space, the occupation in equilibrium with it, and its opacities.

use std::f64::consts::PI;

use super::depth::depths;
use crate::diagnostics::moments::Moments;
use crate::diagnostics::neutrinosphere::{Extinction, extinctions};
use crate::error::{Error, Result};
use crate::methods::boltzmann::connection::lorentz_factor;
use crate::methods::boltzmann::inelastic::Inelastic;
use crate::methods::setup::Setup;
use crate::opacities::LocalOpacity;
use crate::opacities::kernels::AngularMoments;
use crate::phase_space::EnergyGrid;

/// Coefficients at (species, energy, radius), radius fastest, in 1/length.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Medium {
    /// η, and pair production where there are no neutrinos.
    pub production: Vec<f64>,
    /// f_eq (a number): η/κ*, or that of pairs in balance where nothing absorbs.
    pub equilibrium: Vec<f64>,
    /// The occupation (a number) that opacities are averaged with: (1 − e^(−τ)) f_eq + e^(−τ) f₀, with
    /// the depth τ of number exchange and the Fermi-Dirac function f₀ of the matter's temperature without
    /// degeneracy, as Ruffert et al. (1996) have the degeneracy vanish where matter is transparent; f_eq
    /// where there is no matter.
    pub spectrum: Vec<f64>,
    /// κ* of the elastic coefficients: what neutrinos of one kind alone can be absorbed by.
    pub absorption: Vec<f64>,
    /// κ_tr with inelastic reactions.
    pub transport: Vec<f64>,
    /// √((κ* + κ_p + κ_s) κ_tr).
    pub effective: Vec<f64>,
}

impl Medium {
    /// Samples `setup`.
    ///
    /// The extinction by inelastic reactions depends on the neutrinos that are there. It is taken for the
    /// isotropic occupation f_eq (1 − e^(−τ)) with the depth of number exchange τ = ∫√((κ* + κ_p) κ_tr)
    /// X dr, in which κ_p and κ_tr are those without neutrinos. In transparent matter f_eq by itself means
    /// nothing: there is matter whose equilibrium, never reached, is full of neutrinos at all energies.
    ///
    /// # Errors
    /// Kernels that do not fit the grid.
    pub fn new(setup: &Setup) -> Result<Self> {
        let space = &setup.phase_space;
        let elastic: Vec<LocalOpacity> = (0..space.species.len())
            .flat_map(|s| (0..space.energy.len()).map(move |k| (s, k)))
            .flat_map(|(s, k)| setup.coefficients.slab(s, k).iter().copied())
            .collect();
        let mut medium = Self {
            production: elastic.iter().map(|local| local.emissivity).collect(),
            equilibrium: elastic.iter().map(|o| ratio(o.emissivity, o.absorption)).collect(),
            spectrum: Vec::new(),
            absorption: elastic.iter().map(|local| local.absorption).collect(),
            transport: Vec::new(),
            effective: Vec::new(),
        };
        if let Some(inelastic) = &setup.inelastic {
            medium.add_pairs(setup, inelastic)?;
        }
        let nothing = medium.extinctions(setup, &vec![0.0; elastic.len()])?;
        let thermalised = medium.add_opacities(setup, &elastic, &nothing);
        let present = medium.extinctions(setup, &thermalised)?;
        medium.add_opacities(setup, &elastic, &present);
        medium.spectrum = medium.mixed_spectrum(setup, &thermalised);
        Ok(medium)
    }

    /// Extinction by inelastic reactions where the share `thermalised` of f_eq is there.
    ///
    /// # Errors
    /// Kernels that do not fit the grid.
    fn extinctions(&self, setup: &Setup, thermalised: &[f64]) -> Result<Vec<Extinction>> {
        let Some(inelastic) = &setup.inelastic else {
            return Ok(vec![Extinction::default(); thermalised.len()]);
        };
        let j: Vec<f64> = self.equilibrium.iter().zip(thermalised).map(|(f, share)| f * share).collect();
        let k = j.iter().map(|j| j / 3.0).collect();
        let zeros = || vec![0.0; thermalised.len()];
        let moments = Moments { j, h: zeros(), k, l: zeros() };
        extinctions(&setup.phase_space, inelastic, &moments)
    }

    /// Sets the opacities with `extinction`, and returns 1 − e^(−τ) of the depth τ of number exchange.
    fn add_opacities(
        &mut self,
        setup: &Setup,
        elastic: &[LocalOpacity],
        extinction: &[Extinction],
    ) -> Vec<f64> {
        self.transport.clear();
        self.effective.clear();
        let mut number = Vec::with_capacity(elastic.len());
        for (local, extinction) in elastic.iter().zip(extinction) {
            let transport = local.transport() + extinction.pairs + extinction.scattering;
            let exchange = local.absorption + extinction.pairs;
            self.transport.push(transport);
            self.effective.push(((exchange + extinction.scattering) * transport).max(0.0).sqrt());
            number.push((exchange * transport).max(0.0).sqrt());
        }
        let depth = depths(setup, &number);
        depth.iter().map(|depth| -(-depth).exp_m1()).collect()
    }

    fn mixed_spectrum(&self, setup: &Setup, thermalised: &[f64]) -> Vec<f64> {
        let space = &setup.phase_space;
        let radii = space.radial.nodes.len();
        let temperature: Vec<Option<f64>> = space
            .radial
            .nodes
            .iter()
            .map(|&r| setup.background.matter(r).map(|matter| matter.temperature))
            .collect();
        let mixed = |(index, (&equilibrium, &share)): (usize, (&f64, &f64))| -> f64 {
            let energy = space.energy.node(index / radii % space.energy.len());
            match (temperature[index % radii], &space.energy) {
                (Some(temperature), EnergyGrid::Spectral(_)) => {
                    share * equilibrium + (1.0 - share) / ((energy / temperature).exp() + 1.0)
                }
                _ => equilibrium,
            }
        };
        self.equilibrium.iter().zip(thermalised).enumerate().map(mixed).collect()
    }

    /// Adds the production of pairs by `inelastic` where there are no neutrinos, and their equilibrium.
    fn add_pairs(&mut self, setup: &Setup, inelastic: &Inelastic) -> Result<()> {
        let space = &setup.phase_space;
        let (species, energies, radii) = (space.species.len(), space.energy.len(), space.radial.nodes.len());
        let balance = inelastic.equilibrium(space, &setup.coefficients);
        let nothing = vec![0.0; energies];
        let empty = vec![AngularMoments { j: &nothing, h: &nothing }; species];
        for (i, kernels) in inelastic.nodes().iter().enumerate() {
            for s in 0..species {
                let rates = kernels.pair_rates(s, &empty, inelastic.weight()).ok_or_else(|| {
                    Error::Numerical("inelastic kernels do not fit the energies of the problem".into())
                })?;
                for (k, rates) in rates.iter().enumerate() {
                    let index = (s * energies + k) * radii + i;
                    self.production[index] += rates.gain[0];
                    self.equilibrium[index] = balance[(i * species + s) * energies + k].j;
                }
            }
        }
        Ok(())
    }
}

/// a/b, or 0 where b is 0.
pub(super) fn ratio(a: f64, b: f64) -> f64 {
    if b > 0.0 { a / b } else { 0.0 }
}

/// Weights of energy integrals, and what an integral is worth at infinity.
///
/// In a gray problem integrals are per unit of the energy at infinity taken at 1, as those of
/// [`crate::diagnostics::integrated`]: the comoving energy is 1/(αW(1+vμ)).
pub(super) struct Measure<'a> {
    setup: &'a Setup,
}

impl<'a> Measure<'a> {
    pub fn new(setup: &'a Setup) -> Self {
        Self { setup }
    }

    fn is_gray(&self) -> bool {
        matches!(self.setup.phase_space.energy, EnergyGrid::Gray)
    }

    /// W of the fluid at radial node `i`.
    pub fn lorentz_factor(&self, i: usize) -> f64 {
        lorentz_factor(self.setup.geometry.velocity[i])
    }

    /// 4πc/(hc)³ times the weight of ε² dε at energy `k` and radial node `i`: from 1/length to
    /// neutrinos per volume and time [cm⁻³ s⁻¹].
    pub fn number(&self, k: usize, i: usize) -> f64 {
        let (energy, units) = (&self.setup.phase_space.energy, self.setup.units);
        let states = 4.0 * PI * units.speed_of_light() / units.planck_c_cubed();
        if self.is_gray() {
            return states * self.lorentz_factor(i) * self.setup.geometry.lapse[i].powi(-3);
        }
        states * energy.weight(k) * energy.node(k).powi(2)
    }

    /// The same with ε³ dε [erg cm⁻³ s⁻¹], in the comoving frame.
    pub fn energy(&self, k: usize, i: usize) -> f64 {
        let erg = self.setup.units.erg_per_energy();
        if self.is_gray() {
            let geometry = &self.setup.geometry;
            let average = self.lorentz_factor(i) * (1.0 + geometry.velocity[i].powi(2) / 3.0);
            return erg * self.number(k, i) * average / geometry.lapse[i];
        }
        erg * self.number(k, i) * self.setup.phase_space.energy.node(k)
    }

    /// 4πr²X.
    fn shell(&self, i: usize) -> f64 {
        let radius = self.setup.phase_space.radial.nodes[i];
        4.0 * PI * radius * radius * self.setup.geometry.radial_metric[i]
    }

    /// d(number luminosity at infinity)/dr of `number` [cm⁻³ s⁻¹] at radial node `i`: 4πr²Xα times it.
    pub fn number_gradient(&self, i: usize, number: f64) -> f64 {
        self.shell(i) * self.setup.geometry.lapse[i] * number
    }

    /// d(luminosity at infinity)/dr of isotropic comoving emission with `number` [cm⁻³ s⁻¹] and `energy`
    /// [erg cm⁻³ s⁻¹] at radial node `i`: 4πr²Xα²W times the latter. In a gray problem each neutrino has
    /// the energy 1 at infinity.
    pub fn energy_gradient(&self, i: usize, number: f64, energy: f64) -> f64 {
        if self.is_gray() {
            return self.number_gradient(i, number) * self.setup.units.erg_per_energy();
        }
        self.shell(i) * self.setup.geometry.lapse[i].powi(2) * self.lorentz_factor(i) * energy
    }
}
