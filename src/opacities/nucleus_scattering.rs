//! Coherent elastic scattering on α particles and heavy nuclei: Freedman (1974) and Bruenn (1985), with the
//! corrections collected by Burrows, Reddy & Thompson (2006), Nucl. Phys. A 777, 356, sect. 4.

use std::f64::consts::PI;
use std::num::NonZeroUsize;
use std::sync::LazyLock;

use super::LocalOpacity;
use super::gauss_legendre::rule;
use super::nuclei::NuclearSpecies;
use super::weak::WeakConstants;
use crate::problem::file::{ElectronPolarisation, Flavour};

/// Fine-structure constant (CODATA 2018).
const FINE_STRUCTURE: f64 = 7.297_352_569_3e-3;
/// ε at which y = 1 for A = 100 \[MeV\].
const FORM_FACTOR_ENERGY: f64 = 56.0;
/// Nodes of the angular integral: converged to 1e-10.
const NODES: NonZeroUsize = NonZeroUsize::new(64).unwrap();
/// Nodes in the cosine that NuLib takes.
const NULIB_NODES: NonZeroUsize = NonZeroUsize::new(16).unwrap();

static RULE: LazyLock<Vec<(f64, f64)>> = LazyLock::new(|| rule(NODES));
static NULIB_RULE: LazyLock<Vec<(f64, f64)>> = LazyLock::new(|| rule(NULIB_NODES));

/// Which corrections are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NucleusCorrections {
    pub form_factor: bool,
    pub ion_correlations: bool,
    pub electron_polarisation: ElectronPolarisation,
    /// The angular integral with NuLib's 16 nodes in the cosine instead of a converged one.
    pub nulib_angles: bool,
}

impl NucleusCorrections {
    /// None of them.
    pub const NONE: Self = Self {
        form_factor: false,
        ion_correlations: false,
        electron_polarisation: ElectronPolarisation::Off,
        nulib_angles: false,
    };
}

/// Temperature and electrons around the nuclei.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plasma {
    /// T \[MeV\].
    pub temperature: f64,
    /// μ_e [MeV, with rest mass].
    pub electron_potential: f64,
}

/// Scattering at the neutrino energy `energy` \[MeV\]:
///
/// ```text
/// dσ/dΩ = (G_F²(ħc)²ε²/(4π²)) (A²/4) (W C + P)² S (1 + x),    W = 1 − (2Z/A)(1 − 2 sin²θ_W)
/// ```
///
/// with the cosine x, the form factor C = e^(−y(1−x)/2), y = (ε/56 MeV)² (A/100)^(2/3), the ion-ion
/// structure factor S of [`ion_structure`], and the electrons' polarisation P of `polarisation`.
pub fn nucleus_scattering(
    energy: f64,
    flavour: Flavour,
    nuclei: &NuclearSpecies,
    plasma: &Plasma,
    corrections: NucleusCorrections,
    constants: &WeakConstants,
) -> LocalOpacity {
    if nuclei.density == 0.0 {
        return LocalOpacity::default();
    }
    let integrand = Amplitude::new(energy, flavour, nuclei, plasma, corrections, constants);
    let (total, first) =
        if corrections.nulib_angles { integrand.nulib_moments() } else { integrand.moments() };
    let structure = if corrections.ion_correlations {
        ion_structure(energy, nuclei, plasma.temperature, constants)
    } else {
        1.0
    };
    let scale = constants.cross_section_scale()
        * (0.5 * energy * nuclei.mass_number).powi(2)
        * nuclei.density
        * structure;
    LocalOpacity {
        scattering: 0.5 * scale * total,
        scattering_first: 0.5 * scale * first,
        ..LocalOpacity::default()
    }
}

/// W C + P as a function of u = 1 − x.
struct Amplitude {
    weak_charge: f64,
    /// y.
    form: f64,
    /// P at zero momentum transfer.
    polarisation: f64,
    /// 2 ε² r_D²: k² r_D² = this times u.
    screening: f64,
}

impl Amplitude {
    fn new(
        energy: f64,
        flavour: Flavour,
        nuclei: &NuclearSpecies,
        plasma: &Plasma,
        corrections: NucleusCorrections,
        constants: &WeakConstants,
    ) -> Self {
        let (mass_number, charge) = (nuclei.mass_number, nuclei.charge);
        let form = (energy / FORM_FACTOR_ENERGY).powi(2) * (mass_number / 100.0).powf(2.0 / 3.0);
        let polarisation = charge / mass_number
            * polarisation(corrections.electron_polarisation, flavour, constants.weak_mixing);
        let radius = debye_radius_squared(plasma.electron_potential, constants);
        let polarised = polarisation != 0.0 && radius.is_finite();
        Self {
            weak_charge: 1.0 - 2.0 * charge / mass_number * (1.0 - 2.0 * constants.weak_mixing),
            form: if corrections.form_factor { form } else { 0.0 },
            polarisation: if polarised { polarisation } else { 0.0 },
            screening: if polarised { 2.0 * energy * energy * radius } else { 0.0 },
        }
    }

    /// (W C + P)² (1 + x).
    fn density(&self, u: f64) -> f64 {
        let amplitude =
            self.weak_charge * (-0.5 * self.form * u).exp() + self.polarisation / (1.0 + self.screening * u);
        amplitude * amplitude * (2.0 - u)
    }

    /// ∫(W C + P)²(1 + x)dx and the same with x, with u = 2(e^{Lt} − 1)/b, b = e^L − 1, which resolves the
    /// forward peaks of width 1/y and of 1/(2ε²r_D²): with b = 4ε²r_D², 1 + k²r_D² = e^{Lt}.
    fn moments(&self) -> (f64, f64) {
        let b = (2.0 * self.screening).max(2.0 * self.form).max(1e-6);
        let exponent = b.ln_1p();
        let (mut total, mut first) = (0.0, 0.0);
        for &(node, weight) in RULE.iter() {
            let t = 0.5 * (node + 1.0);
            let u = 2.0 * (exponent * t).exp_m1() / b;
            let stretch = exponent * (exponent * t).exp() / b;
            let density = weight * stretch * self.density(u);
            total += density;
            first += density * (1.0 - u);
        }
        (total, first)
    }

    fn nulib_moments(&self) -> (f64, f64) {
        NULIB_RULE.iter().fold((0.0, 0.0), |(total, first), &(cosine, weight)| {
            let density = weight * self.density(1.0 - cosine);
            (total + density, first + density * cosine)
        })
    }
}

/// P A/Z of electrons that follow the nuclei, at zero momentum transfer (Leinson, Oraevsky & Semikoz 1988;
/// Horowitz 1997). Electrons gather where ions are, so that their weak charge Z c_V adds to the nucleus'
/// −(A/2)W: P = −(Z/A) 2c_V with c_V = ½ + 2 sin²θ_W for νe and −½ + 2 sin²θ_W for other flavours. Burrows,
/// Reddy & Thompson (2006) print +(Z/A)(1 + 4 sin²θ_W) for all.
fn polarisation(model: ElectronPolarisation, flavour: Flavour, weak_mixing: f64) -> f64 {
    match (model, flavour) {
        (ElectronPolarisation::Off, _) => 0.0,
        (ElectronPolarisation::BurrowsReddyThompson, _) => 1.0 + 4.0 * weak_mixing,
        (ElectronPolarisation::ByFlavour, Flavour::ElectronNeutrino | Flavour::ElectronAntineutrino) => {
            -1.0 - 4.0 * weak_mixing
        }
        (ElectronPolarisation::ByFlavour, Flavour::Heavy | Flavour::HeavyAntineutrino) => {
            1.0 - 4.0 * weak_mixing
        }
    }
}

/// r_D² = π/(4 α p_F E_F) [MeV⁻²] of cold electrons with E_F = μ_e; infinite where there are none.
fn debye_radius_squared(electron_potential: f64, constants: &WeakConstants) -> f64 {
    let square = electron_potential * electron_potential - constants.electron_mass * constants.electron_mass;
    let momentum = square.max(0.0).sqrt();
    PI / (4.0 * FINE_STRUCTURE * momentum * electron_potential)
}

/// Angle-averaged structure factor of the ions, the fit of Horowitz (1997), Phys. Rev. D 55, 4577:
/// S = 1/(1 + exp(−Σ β_i(Γ) ε̄ⁱ)) for ε̄ < 3 + 4/√Γ and 1 above, with ε̄ = εa/(ħc), Γ = Z²α ħc/(aT),
/// a = (3/(4πn))^(1/3). The fit holds for 1 ≤ Γ ≤ 150; beyond, it is used at the nearer end.
pub fn ion_structure(
    energy: f64,
    nuclei: &NuclearSpecies,
    temperature: f64,
    constants: &WeakConstants,
) -> f64 {
    let radius = (3.0 / (4.0 * PI * nuclei.density)).cbrt();
    let coupling = nuclei.charge.powi(2) * FINE_STRUCTURE * constants.hbar_c / (radius * temperature);
    let gamma = coupling.clamp(1.0, 150.0);
    let x = energy * radius / constants.hbar_c;
    let root = gamma.sqrt();
    if x >= 3.0 + 4.0 / root {
        return 1.0;
    }
    let powers = [1.0, root, gamma, gamma * root];
    let fit = |terms: [f64; 4]| -> f64 { terms.iter().zip(powers).map(|(term, power)| term * power).sum() };
    let coefficients = [
        (0.3 / (0.3 + 3.0 * gamma)).ln(),
        0.0,
        20.0 / 3.0,
        fit([-7.362_056, 0.537_136_5, -0.107_884_5, 4.189_612e-3]),
        fit([3.448_958_1, -0.402_516_56, 9.087_787_8e-2, -3.435_358_1e-3]),
        fit([-0.741_286_45, 0.110_198_55, -2.535_936_1e-2, 9.048_774_4e-4]),
        fit([5.957_328_5e-2, -1.018_655_2e-2, 2.279_136_9e-3, -7.461_459_7e-5]),
    ];
    let exponent = coefficients.iter().rev().fold(0.0, |sum, coefficient| sum * x + coefficient);
    1.0 / (1.0 + (-exponent).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    const IRON: NuclearSpecies = NuclearSpecies { density: 1e32, mass_number: 60.0, charge: 26.0 };
    const PLASMA: Plasma = Plasma { temperature: 0.9, electron_potential: 8.0 };

    fn with(corrections: NucleusCorrections, energy: f64, flavour: Flavour) -> LocalOpacity {
        nucleus_scattering(energy, flavour, &IRON, &PLASMA, corrections, &WeakConstants::default())
    }

    fn polarised(model: ElectronPolarisation) -> NucleusCorrections {
        NucleusCorrections { electron_polarisation: model, ..NucleusCorrections::NONE }
    }

    /// (G_F²(ħc)²ε²/π) [Z(½ − 2 sin²θ_W) − N/2]² n and a third of it.
    #[test]
    fn bare_nuclei_scatter_coherently() {
        let c = WeakConstants::default();
        let charge = 26.0 * (0.5 - 2.0 * c.weak_mixing) - 17.0;
        let exact = c.cross_section_scale() * 225.0 * charge * charge * IRON.density;
        let opacity = with(NucleusCorrections::NONE, 15.0, Flavour::Heavy);
        assert!((opacity.scattering / exact - 1.0).abs() < 1e-13);
        assert!((opacity.scattering_first / exact - 1.0 / 3.0).abs() < 1e-13);
    }

    /// ∫(1+x)e^(−y(1−x))dx = (2y − 1 + e^(−2y))/y², and with x (2 − 3y + 2y² − (2 + y)e^(−2y))/y³ (Bruenn).
    #[test]
    fn form_factor_moments_are_bruenns() {
        let corrections = NucleusCorrections { form_factor: true, ..NucleusCorrections::NONE };
        for energy in [60.0, 150.0, 600.0, 3000.0_f64] {
            let y = (energy / 56.0).powi(2) * 0.6_f64.powf(2.0 / 3.0);
            let bare = with(NucleusCorrections::NONE, energy, Flavour::Heavy);
            let opacity = with(corrections, energy, Flavour::Heavy);
            let decay = (-2.0 * y).exp();
            let total = (2.0 * y - 1.0 + decay) / (2.0 * y * y);
            let first = 1.5 * (2.0 - 3.0 * y + 2.0 * y * y - (2.0 + y) * decay) / y.powi(3);
            assert!((opacity.scattering / bare.scattering / total - 1.0).abs() < 1e-9, "{energy}");
            assert!(
                (opacity.scattering_first / bare.scattering_first / first - 1.0).abs() < 1e-9,
                "{energy}"
            );
        }
    }

    /// With C = 1: ∫(W + P/(1 + su))²(2 − u)du in closed form.
    #[test]
    fn polarisation_is_the_closed_form() {
        let c = WeakConstants::default();
        for energy in [0.3, 3.0, 30.0, 300.0] {
            let s = 2.0 * energy * energy * debye_radius_squared(8.0, &c);
            let w = 1.0 - 52.0 / 60.0 * (1.0 - 2.0 * c.weak_mixing);
            let p = -26.0 / 60.0 * (1.0 + 4.0 * c.weak_mixing);
            let log = (2.0 * s).ln_1p();
            let once = ((2.0 * s + 1.0) * log - 2.0 * s) / (s * s);
            let twice = (2.0 * s - log) / (s * s);
            let exact = (2.0 * w * w + 2.0 * w * p * once + p * p * twice) / (2.0 * w * w);
            let bare = with(NucleusCorrections::NONE, energy, Flavour::ElectronNeutrino);
            let opacity = with(polarised(ElectronPolarisation::ByFlavour), energy, Flavour::ElectronNeutrino);
            assert!((opacity.scattering / bare.scattering / exact - 1.0).abs() < 1e-9, "{energy}");
        }
    }

    /// Long waves see nuclei and electrons together: Q = Z(½ − 2s) − N/2 + Z c_V.
    #[test]
    fn long_waves_see_neutral_matter() {
        let c = WeakConstants::default();
        let bare = 26.0 * (0.5 - 2.0 * c.weak_mixing) - 17.0;
        for (flavour, vector) in [
            (Flavour::ElectronAntineutrino, 0.5 + 2.0 * c.weak_mixing),
            (Flavour::Heavy, -0.5 + 2.0 * c.weak_mixing),
        ] {
            let ratio = with(polarised(ElectronPolarisation::ByFlavour), 1e-6, flavour).scattering
                / with(NucleusCorrections::NONE, 1e-6, flavour).scattering;
            let exact = ((bare + 26.0 * vector) / bare).powi(2);
            assert!((ratio / exact - 1.0).abs() < 1e-6, "{ratio} {exact}");
        }
    }

    /// Horowitz (1997): strongly coupled ions hardly scatter slow neutrinos, and fast ones are not affected.
    #[test]
    fn ions_screen_slow_neutrinos_only() {
        let c = WeakConstants::default();
        assert!(ion_structure(0.1, &IRON, 0.9, &c) < 0.1);
        assert_eq!(ion_structure(40.0, &IRON, 0.9, &c), 1.0);
        let mut last = 0.0;
        for step in 0..20 {
            let now = ion_structure(0.2 * f64::from(step), &IRON, 0.9, &c);
            assert!(now > last && now < 1.0);
            last = now;
        }
    }

    #[test]
    fn no_nuclei_do_not_scatter() {
        let none = NuclearSpecies { density: 0.0, ..IRON };
        let c = WeakConstants::default();
        let opacity = nucleus_scattering(10.0, Flavour::Heavy, &none, &PLASMA, NucleusCorrections::NONE, &c);
        assert_eq!(opacity, LocalOpacity::default());
    }
}
