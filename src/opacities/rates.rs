//! Absorption and elastic scattering on free nucleons and nuclei as one source (`Bruenn1985`, `Rates`).

use ndarray::Array2;

use super::inelastic;
use super::nuclear_matter::NuclearMatter;
use super::nuclei::Nuclei;
use super::nucleon_absorption::{antineutrino_absorption, neutrino_absorption};
use super::nucleon_scattering::{NucleonCorrections, corrected_scattering};
use super::nucleus_absorption::nucleus_absorption;
use super::nucleus_scattering::{NucleusCorrections, Plasma, nucleus_scattering};
use super::weak::WeakConstants;
use super::weak_magnetism::{Helicity, NucleonCurrent, TensorCouplings};
use super::{EnergyNode, LocalOpacity, OpacitySource, RadialPoint, Species};
use crate::error::{Error, Result};
use crate::problem::file::{
    ChargedCurrentFile, ElasticScatteringFile, ElectronPolarisation, Flavour, RateConstants,
};

/// σ₀ = 4G_F²m_e²(ħc)²/π from which NuLib takes the strength of these reactions [cm²].
const NULIB_SIGMA0: f64 = 1.761e-44;

/// Processes and corrections; docs/microphysics.md has the formulas.
#[derive(Debug, Clone, Copy)]
pub struct Rates {
    /// Place among the problem's opacities.
    pub index: usize,
    /// Name of the set for people.
    pub title: &'static str,
    /// νe + n and ν̄e + p.
    pub nucleon_absorption: bool,
    /// Blocked final nucleons in absorption.
    pub capture_blocking: bool,
    /// Weak magnetism and recoil in absorption.
    pub capture_magnetism: Option<TensorCouplings>,
    /// νe + A.
    pub nucleus_absorption: bool,
    /// Elastic scattering on free nucleons.
    pub nucleon_scattering: Option<NucleonCorrections>,
    pub alpha_scattering: bool,
    /// Elastic scattering on heavy nuclei.
    pub heavy_scattering: Option<NucleusCorrections>,
    pub constants: WeakConstants,
}

/// The matter at one radius.
struct Target {
    nucleons: NuclearMatter,
    /// Nucleons that absorb.
    captures: NuclearMatter,
    nuclei: Nuclei,
}

/// The constants that a problem file names, for reactions whose strength NuLib takes from σ₀.
pub fn constants(set: RateConstants) -> (WeakConstants, TensorCouplings) {
    let (mut weak, _) = inelastic::constants(set);
    match set {
        RateConstants::Standard => (weak, TensorCouplings::new(&weak)),
        RateConstants::NuLib => {
            weak.fermi_constant =
                (0.25 * std::f64::consts::PI * NULIB_SIGMA0).sqrt() / (weak.electron_mass * weak.hbar_c);
            // NuLib's Δ is no difference of its masses.
            weak.proton_mass = weak.neutron_mass - 1.293_332;
            (weak, TensorCouplings::HOROWITZ)
        }
    }
}

impl Rates {
    /// νe + n, ν̄e + p and elastic scattering on free nucleons, without corrections but blocking.
    pub fn bruenn(index: usize, charged_current: bool, nucleon_scattering: bool) -> Self {
        Self {
            index,
            title: "Bruenn (1985)",
            nucleon_absorption: charged_current,
            capture_blocking: true,
            capture_magnetism: None,
            nucleus_absorption: false,
            nucleon_scattering: nucleon_scattering.then_some(NucleonCorrections::BLOCKING),
            alpha_scattering: false,
            heavy_scattering: None,
            constants: WeakConstants::default(),
        }
    }

    /// The processes of `Rates(…)` at `path` in a problem file.
    ///
    /// # Errors
    /// A correction of a process that is off; no process at all.
    pub fn build(
        index: usize,
        absorption: &ChargedCurrentFile,
        scattering: &ElasticScatteringFile,
        set: RateConstants,
    ) -> Result<Self> {
        let path = format!("opacities[{index}]");
        check_switches(&path, absorption, scattering)?;
        let (constants, tensors) = constants(set);
        let magnetism = |switch: Option<bool>| switch.unwrap_or(true).then_some(tensors);
        let rates = Self {
            index,
            title: "rates",
            nucleon_absorption: absorption.nucleons,
            capture_blocking: absorption.nucleon_blocking.unwrap_or(true),
            capture_magnetism: magnetism(absorption.weak_magnetism),
            nucleus_absorption: absorption.nuclei,
            nucleon_scattering: scattering.nucleons.then(|| NucleonCorrections {
                blocking: scattering.nucleon_blocking.unwrap_or(true),
                weak_magnetism: magnetism(scattering.weak_magnetism),
            }),
            alpha_scattering: scattering.alpha,
            heavy_scattering: scattering.heavy.then(|| NucleusCorrections {
                form_factor: scattering.form_factor.unwrap_or(true),
                ion_correlations: scattering.ion_correlations.unwrap_or(true),
                electron_polarisation: scattering.electron_polarisation.unwrap_or_default(),
                nulib_angles: set == RateConstants::NuLib,
            }),
            constants,
        };
        if rates.processes().is_empty() {
            return Err(Error::field(path, "rates with every process off", "at least one process"));
        }
        Ok(rates)
    }

    /// Coefficients at the energy `energy` \[MeV\] for a species of the given flavour that stands for
    /// `helicities` in equal parts.
    ///
    /// # Errors
    /// Those of [`NuclearMatter::new`], [`Nuclei::new`] and [`nucleus_absorption`].
    pub fn at(
        &self,
        energy: f64,
        flavour: Flavour,
        helicities: &[Helicity],
        matter: &crate::background::MatterState,
    ) -> Result<LocalOpacity> {
        match self.target(matter)? {
            Some(target) => self.local(energy, flavour, helicities, &target),
            None => Ok(LocalOpacity::default()),
        }
    }

    fn target(&self, matter: &crate::background::MatterState) -> Result<Option<Target>> {
        let Some(nucleons) = NuclearMatter::new(matter, &self.constants)? else { return Ok(None) };
        let captures =
            if self.capture_blocking { nucleons } else { nucleons.without_nucleon_blocking(&self.constants) };
        let with_nuclei = self.nucleus_absorption || self.alpha_scattering || self.heavy_scattering.is_some();
        let nuclei = if with_nuclei { Nuclei::new(matter)? } else { Nuclei::default() };
        Ok(Some(Target { nucleons, captures, nuclei }))
    }

    fn local(
        &self,
        energy: f64,
        flavour: Flavour,
        helicities: &[Helicity],
        target: &Target,
    ) -> Result<LocalOpacity> {
        let mut sum = self.absorption(energy, flavour, target)?;
        if let Some(corrections) = self.nucleon_scattering {
            sum += corrected_scattering(energy, helicities, &target.nucleons, corrections, &self.constants);
        }
        let plasma = Plasma {
            temperature: target.nucleons.temperature,
            electron_potential: target.nucleons.electron_potential,
        };
        let coherent = |nuclei, corrections| {
            nucleus_scattering(energy, flavour, nuclei, &plasma, corrections, &self.constants)
        };
        if self.alpha_scattering {
            sum += coherent(&target.nuclei.alpha, NucleusCorrections::NONE);
        }
        if let Some(corrections) = self.heavy_scattering {
            sum += coherent(&target.nuclei.heavy, corrections);
        }
        Ok(sum)
    }

    fn absorption(&self, energy: f64, flavour: Flavour, target: &Target) -> Result<LocalOpacity> {
        let constants = &self.constants;
        let mut sum = LocalOpacity::default();
        match flavour {
            Flavour::ElectronNeutrino => {
                if self.nucleon_absorption {
                    let opacity = neutrino_absorption(energy, &target.captures, constants);
                    let factor = self.recoil(energy, constants.neutron_mass, Helicity::Neutrino);
                    sum += scaled(opacity, factor);
                }
                if self.nucleus_absorption {
                    sum += nucleus_absorption(energy, &target.nuclei.heavy, &target.nucleons, constants)?;
                }
            }
            Flavour::ElectronAntineutrino if self.nucleon_absorption => {
                let opacity = antineutrino_absorption(energy, &target.captures, constants);
                sum += scaled(opacity, self.recoil(energy, constants.proton_mass, Helicity::Antineutrino));
            }
            _ => {}
        }
        Ok(sum)
    }

    /// Factor of absorption cross-sections on a nucleon of the given mass.
    fn recoil(&self, energy: f64, mass: f64, helicity: Helicity) -> f64 {
        self.capture_magnetism.map_or(1.0, |tensors| {
            NucleonCurrent::charged(mass, &tensors, &self.constants).recoil(energy, helicity).total
        })
    }

    /// The processes that are on, for people.
    fn processes(&self) -> Vec<String> {
        let with = |name: &str, corrections: &[(&str, bool)]| {
            let on: Vec<&str> = corrections.iter().filter(|(_, on)| *on).map(|(name, _)| *name).collect();
            if on.is_empty() { name.to_owned() } else { format!("{name} ({})", on.join(", ")) }
        };
        let magnetism = "weak magnetism and recoil";
        let mut processes = Vec::new();
        if self.nucleon_absorption {
            let corrections =
                [("blocking", self.capture_blocking), (magnetism, self.capture_magnetism.is_some())];
            processes.push(with("absorption of electron (anti)neutrinos on free nucleons", &corrections));
        }
        if self.nucleus_absorption {
            processes.push("absorption of electron neutrinos on nuclei".to_owned());
        }
        if let Some(on) = self.nucleon_scattering {
            let corrections = [("blocking", on.blocking), (magnetism, on.weak_magnetism.is_some())];
            processes.push(with("elastic scattering on free nucleons", &corrections));
        }
        if self.alpha_scattering {
            processes.push("elastic scattering on alpha particles".to_owned());
        }
        if let Some(on) = self.heavy_scattering {
            let corrections = [
                ("form factor", on.form_factor),
                ("ion correlations", on.ion_correlations),
                ("electron polarisation", on.electron_polarisation != ElectronPolarisation::Off),
            ];
            processes.push(with("elastic scattering on heavy nuclei", &corrections));
        }
        processes
    }
}

impl OpacitySource for Rates {
    fn evaluate(
        &self,
        point: &RadialPoint,
        species: &[Species],
        nodes: &[EnergyNode],
    ) -> Result<Array2<LocalOpacity>> {
        let shape = (species.len(), nodes.len());
        let state = point.matter.ok_or_else(|| {
            Error::Numerical(format!("{}: no matter at r = {:.6e}", self.describe(), point.r))
        })?;
        let at_radius =
            |error: Error| Error::Numerical(format!("{} at r = {:.6e}: {error}", self.describe(), point.r));
        let mut opacities = Array2::default(shape);
        let Some(target) = self.target(state).map_err(at_radius)? else { return Ok(opacities) };
        for ((s, e), opacity) in opacities.indexed_iter_mut() {
            let flavour = species[s].flavour;
            *opacity = self
                .local(nodes[e].energy, flavour, helicities(flavour, species), &target)
                .map_err(at_radius)?;
        }
        Ok(opacities)
    }

    fn describe(&self) -> String {
        let processes = self.processes();
        let listed = if processes.is_empty() { "nothing".to_owned() } else { processes.join("; ") };
        format!("opacities[{}]: {}: {listed}", self.index, self.title)
    }
}

/// What a species stands for: heavy neutrinos for their antineutrinos too where those are no species.
pub fn helicities(flavour: Flavour, species: &[Species]) -> &'static [Helicity] {
    let heavy_pairs = species.iter().any(|other| other.flavour == Flavour::HeavyAntineutrino);
    match flavour {
        Flavour::ElectronNeutrino => &[Helicity::Neutrino],
        Flavour::Heavy if heavy_pairs => &[Helicity::Neutrino],
        Flavour::Heavy => &[Helicity::Neutrino, Helicity::Antineutrino],
        Flavour::ElectronAntineutrino | Flavour::HeavyAntineutrino => &[Helicity::Antineutrino],
    }
}

fn scaled(opacity: LocalOpacity, factor: f64) -> LocalOpacity {
    LocalOpacity {
        absorption: opacity.absorption * factor,
        emissivity: opacity.emissivity * factor,
        ..opacity
    }
}

fn check_switches(
    path: &str,
    absorption: &ChargedCurrentFile,
    scattering: &ElasticScatteringFile,
) -> Result<()> {
    let idle = [
        ("charged_current.nucleon_blocking", absorption.nucleon_blocking, absorption.nucleons, "nucleons"),
        ("charged_current.weak_magnetism", absorption.weak_magnetism, absorption.nucleons, "nucleons"),
        ("scattering.nucleon_blocking", scattering.nucleon_blocking, scattering.nucleons, "nucleons"),
        ("scattering.weak_magnetism", scattering.weak_magnetism, scattering.nucleons, "nucleons"),
        ("scattering.form_factor", scattering.form_factor, scattering.heavy, "heavy"),
        ("scattering.ion_correlations", scattering.ion_correlations, scattering.heavy, "heavy"),
        (
            "scattering.electron_polarisation",
            scattering.electron_polarisation.map(|model| model != ElectronPolarisation::Off),
            scattering.heavy,
            "heavy",
        ),
    ]
    .into_iter()
    .find(|(_, correction, process, _)| *correction == Some(true) && !process);
    match idle {
        Some((name, _, _, process)) => Err(Error::field(
            format!("{path}.{name}"),
            format!("a correction of a process that is off (`{process}: false`)"),
            format!("no correction, or `{process}: true`"),
        )),
        None => Ok(()),
    }
}
