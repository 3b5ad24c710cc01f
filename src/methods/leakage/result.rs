//! The solution as variables of a dataset.

use super::LeakageSolution;
use crate::constants::ATOMIC_MASS_UNIT;
use crate::diagnostics::heating::{Heating, gain_radius};
use crate::diagnostics::result::{add_background, add_grid, add_opacities, add_radii, electron_luminosity};
use crate::methods::setup::Setup;
use crate::output::dataset::Dataset;

/// Name, unit, meaning and values of a variable.
type Column<'a> = (&'static str, &'static str, &'static str, Vec<f64>);

impl LeakageSolution {
    /// A dataset of grid, background, opacities and solution.
    pub fn dataset(&self, setup: &Setup) -> Dataset {
        let mut dataset = Dataset::new();
        add_grid(&mut dataset, &setup.phase_space, setup.units);
        add_radii(&mut dataset, setup);
        add_background(&mut dataset, setup);
        add_opacities(&mut dataset, setup);
        self.add_to(&mut dataset, setup);
        dataset
    }

    /// Adds the solution to `dataset`, which has the dimensions `species`, `energy` and `r` of `setup`:
    /// under the names of docs/reference_format.md what means the same there, and what only leakage has
    /// under names of its own (docs/leakage.md).
    pub fn add_to(&self, dataset: &mut Dataset, setup: &Setup) {
        for (name, unit, meaning, values) in self.luminosities(setup).into_iter().chain(self.rates(setup)) {
            dataset.real(name, &["species", "r"], unit, meaning, values);
        }
        self.add_depths(dataset);
        self.add_spheres(dataset, setup);
        self.add_heating(dataset, setup);
        dataset.attribute("leakage_scheme", self.scheme.name());
        dataset.attribute("leakage_reference", self.scheme.reference());
        if self.scheme.heats() {
            dataset.attribute("leakage_heating_factor", self.heating_factor);
        }
    }

    fn luminosities(&self, setup: &Setup) -> Vec<Column<'_>> {
        let units = setup.units;
        vec![
            (
                "luminosity_static",
                units.label("erg s-1"),
                "luminosity of static observers that effective emission adds up to",
                self.luminosity_static.clone(),
            ),
            (
                "luminosity_infinity",
                units.label("erg s-1"),
                "luminosity at infinity that effective emission adds up to",
                self.luminosity_infinity.clone(),
            ),
            (
                "number_luminosity_infinity",
                units.label("s-1"),
                "number luminosity at infinity that effective emission adds up to",
                self.number_luminosity_infinity.clone(),
            ),
            (
                "mean_energy_infinity",
                units.label("MeV"),
                "luminosity_infinity / number_luminosity_infinity",
                self.mean_energy_infinity(setup),
            ),
        ]
    }

    fn rates(&self, setup: &Setup) -> Vec<Column<'_>> {
        let (number, energy) = (setup.units.label("cm-3 s-1"), setup.units.label("erg cm-3 s-1"));
        // Where the depth is too small for a time to be found, nothing diffuses.
        let finite = |values: &[f64]| values.iter().map(|&v| if v.is_finite() { v } else { 0.0 }).collect();
        vec![
            (
                "leakage_number_production",
                number,
                "neutrinos emitted into empty space",
                self.number_production.clone(),
            ),
            (
                "leakage_energy_production",
                energy,
                "energy emitted into empty space",
                self.energy_production.clone(),
            ),
            (
                "leakage_number_diffusion",
                number,
                "equilibrium number density over the diffusion time, 0 where that is 0",
                finite(&self.number_diffusion),
            ),
            (
                "leakage_energy_diffusion",
                energy,
                "equilibrium energy density over the diffusion time, 0 where that is 0",
                finite(&self.energy_diffusion),
            ),
            (
                "leakage_number_emission",
                number,
                "effective emission of neutrinos",
                self.number_emission.clone(),
            ),
            ("leakage_energy_emission", energy, "effective emission of energy", self.energy_emission.clone()),
            (
                "leakage_energy_heating",
                energy,
                "energy absorbed from the luminosity that passes",
                self.energy_heating.clone(),
            ),
            (
                "leakage_gradient_diffusion",
                energy,
                "divergence of the diffusive flux -(1/(3 kappa_tr)) grad J_eq, energies integrated",
                self.gradient_diffusion.clone(),
            ),
            (
                "leakage_diffusion_ratio",
                "1",
                "leakage_energy_diffusion / leakage_gradient_diffusion",
                finite(&self.diffusion_ratio()),
            ),
        ]
    }

    fn add_depths(&self, dataset: &mut Dataset) {
        let depths = &self.depths;
        let spectral = ["species", "energy", "r"];
        let bias = "bias of exp(-depth) by the error of the depth: exp(-depth) (difference of two quadratures)^2 / 2";
        for (name, dimensions, meaning, values) in [
            (
                "leakage_depth",
                &spectral[..],
                "radial transport optical depth to the outer edge",
                &depths.transport,
            ),
            (
                "leakage_depth_effective",
                &spectral,
                "radial effective optical depth to the outer edge",
                &depths.effective,
            ),
            ("leakage_bias_of_exp_tau", &spectral, bias, &depths.bias),
            (
                "leakage_depth_mean",
                &["species", "r"],
                "leakage_depth of the opacity averaged over the local equilibrium energy spectrum",
                &depths.transport_mean,
            ),
            (
                "leakage_depth_effective_mean",
                &["species", "r"],
                "leakage_depth_effective of the opacity averaged over the local equilibrium energy spectrum",
                &depths.effective_mean,
            ),
            ("leakage_bias_of_exp_tau_mean", &["species", "r"], bias, &depths.bias_mean),
        ] {
            dataset.real(name, dimensions, "1", meaning, values.clone());
        }
    }

    /// Neutrinospheres, under the reference's names.
    fn add_spheres(&self, dataset: &mut Dataset, setup: &Setup) {
        let unit = setup.units.label("cm");
        let spheres = &self.spheres;
        for (name, depth, spectral, mean) in [
            ("energy_sphere", "effective", &spheres.effective, &spheres.effective_mean),
            ("transport_sphere", "transport", &spheres.transport, &spheres.transport_mean),
        ] {
            let meaning = format!("radius of radial {depth} optical depth 2/3, with leakage's occupation");
            let variable = dataset.real(name, &["species", "energy"], unit, &meaning, spectral.clone());
            variable.attribute("no_sphere", 0.0);
            let meaning = format!("{meaning}, of the opacity averaged over its local energy spectrum");
            let name = format!("{name}_mean");
            dataset.real(&name, &["species"], unit, &meaning, mean.clone()).attribute("no_sphere", 0.0);
        }
    }

    /// Heating, dY_e/dt and the gain region, where there is matter.
    fn add_heating(&self, dataset: &mut Dataset, setup: &Setup) {
        let Some((heating, density)) = self.heating(setup) else { return };
        let gain = heating.gain_region(&setup.phase_space, &setup.geometry, &density);
        let unit = "erg g-1 s-1";
        let cooling = "effective emission, all species with their multiplicity";
        dataset.real("leakage_cooling", &["r"], unit, cooling, heating.emitted);
        let absorbed = "energy absorbed from the luminosity that passes, all species with their multiplicity";
        dataset.real("leakage_heating", &["r"], unit, absorbed, heating.absorbed);
        let net = "net energy from neutrinos: leakage_heating - leakage_cooling";
        dataset.real("heating_net", &["r"], unit, net, heating.net);
        dataset.real("ye_rate", &["r"], "s-1", "rate of change of the electron fraction", heating.ye_rate);
        dataset.attribute("gain_radius", heating.gain_radius.unwrap_or(0.0));
        dataset.attribute("gain_mass", gain.mass);
        dataset.attribute("gain_heating", gain.heating);
        let space = &setup.phase_space;
        let shining = heating.gain_radius.map_or(0.0, |gain| electron_luminosity(dataset, space, gain));
        if shining > 0.0 {
            dataset.attribute("heating_efficiency", gain.heating / shining);
        }
    }

    /// What the matter gains and loses per gram, and its density [g/cm³]; `None` where the problem has no
    /// matter at some radius.
    pub fn heating(&self, setup: &Setup) -> Option<(Heating, Vec<f64>)> {
        let radii = &setup.phase_space.radial.nodes;
        let density: Vec<f64> =
            radii.iter().map(|&r| setup.background.matter(r).map(|m| m.density)).collect::<Option<_>>()?;
        let zeros = || vec![0.0; radii.len()];
        let mut heating = Heating {
            absorbed: zeros(),
            emitted: zeros(),
            scattered: zeros(),
            net: zeros(),
            ye_rate: zeros(),
            gain_radius: None,
        };
        for (s, species) in setup.phase_space.species.iter().enumerate() {
            for (i, &density) in density.iter().enumerate().filter(|(_, density)| **density > 0.0) {
                let index = s * radii.len() + i;
                let per_mass = species.multiplicity / density;
                let (gained, lost) = (self.energy_heating[index], self.energy_emission[index]);
                heating.absorbed[i] += per_mass * gained;
                heating.emitted[i] += per_mass * lost;
                heating.net[i] += per_mass * (gained - lost);
                let number = self.number_heating[index] - self.number_emission[index];
                heating.ye_rate[i] +=
                    ATOMIC_MASS_UNIT * species.flavour.electron_lepton_number() * per_mass * number;
            }
        }
        heating.gain_radius = gain_radius(radii, &heating.net);
        Some((heating, density))
    }
}
