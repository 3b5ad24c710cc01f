//! Ideal Fermi gases: electrons with positrons (exactly relativistic) and non-relativistic nucleons.
//!
//! Occupations are integrated by composite Gauss-Legendre quadrature in a variable in which the
//! integrand has no branch point (rapidity θ with E = m cosh θ; u = √(E/T)). Panels end at multiples of
//! 6 T from the Fermi surface: the poles of the Fermi function, π T off the real axis, then keep the
//! error of 20 nodes near 2.5⁻⁴⁰ ≈ 1e-16. Deep below the surface the occupation is 1 to e⁻⁴⁸ and the
//! integral is elementary; what lies above 48 T is dropped. docs/microphysics.md has the comparison with
//! multi-precision numbers.

use std::f64::consts::PI;
use std::num::NonZeroUsize;
use std::sync::LazyLock;

use gauss_quad::legendre::GaussLegendre;

use crate::error::{Error, Result};

/// Nodes per panel.
const NODES: NonZeroUsize = NonZeroUsize::new(20).unwrap();
/// Width of a panel in units of T.
const PANEL: f64 = 6.0;
/// Panels on either side of a Fermi surface; e^(−PANEL·PANELS) is below round-off.
const PANELS: i32 = 8;
/// Distance from a Fermi surface, in units of T, beyond which it is not felt.
const REACH: f64 = PANEL * PANELS as f64;
/// Largest width of a panel in rapidity.
const RAPIDITY_PANEL: f64 = 2.0;

/// Relative size of a Newton step, just above its round-off, after which a root is settled.
const SETTLED: f64 = 1e-14;

static RULE: LazyLock<GaussLegendre> = LazyLock::new(|| GaussLegendre::new(NODES));

/// Panel edges (energies in units of T, ascending) for a Fermi surface at `surface` ≥ 0: from
/// max(0, surface − REACH) to surface + REACH.
fn panel_edges(surface: f64) -> Vec<f64> {
    let start = (surface - REACH).max(0.0);
    let above = (-PANELS..=PANELS).map(|k| surface + PANEL * f64::from(k)).filter(|&edge| edge > start);
    std::iter::once(start).chain(above).collect()
}

/// Sum over the panels between consecutive `edges` of the integrals of both parts of `integrand`.
fn integrate(edges: &[f64], integrand: impl Fn(f64) -> (f64, f64)) -> (f64, f64) {
    let mut sum = (0.0, 0.0);
    for pair in edges.windows(2) {
        let (half, middle) = (0.5 * (pair[1] - pair[0]), 0.5 * (pair[1] + pair[0]));
        for (node, weight) in RULE.iter() {
            let (first, second) = integrand(middle + half * node);
            sum.0 += half * weight * first;
            sum.1 += half * weight * second;
        }
    }
    sum
}

/// Root of an increasing function of x > 0 in `bracket` by Newton's method in ln x or x, guarded by
/// bisection. `function` gives (value, next Newton iterate).
fn solve(bracket: (f64, f64), function: impl Fn(f64) -> (f64, f64)) -> Option<f64> {
    let (mut lower, mut upper) = bracket;
    let mut x = upper;
    for _ in 0..200 {
        let (value, newton) = function(x);
        if (newton - x).abs() <= SETTLED * x.abs() {
            return Some(newton);
        }
        if value > 0.0 {
            upper = x;
        } else {
            lower = x;
        }
        let next = if newton > lower && newton < upper { newton } else { 0.5 * (lower + upper) };
        if next == x || !next.is_finite() {
            return next.is_finite().then_some(next);
        }
        x = next;
    }
    None
}

/// Rejects temperatures and densities for which there is no gas.
fn check_state(gas: &str, density: f64, temperature: f64) -> Result<()> {
    if !(temperature.is_finite() && temperature > 0.0) {
        return Err(Error::Numerical(format!(
            "{gas} gas: temperature is {temperature:e} MeV; valid: a finite number > 0"
        )));
    }
    if !(density.is_finite() && density >= 0.0) {
        return Err(Error::Numerical(format!(
            "{gas} gas: density is {density:e} 1/cm3; valid: a finite number >= 0"
        )));
    }
    Ok(())
}

/// Electrons and positrons in equilibrium with each other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ElectronGas {
    /// Rest energy of the electron \[MeV\].
    pub mass: f64,
    /// ħc [MeV cm].
    pub hbar_c: f64,
    /// Temperature \[MeV\].
    pub temperature: f64,
}

impl ElectronGas {
    /// n(e⁻) − n(e⁺) [1/cm³] at the chemical potential `potential` ≥ 0 [MeV, with rest mass]:
    /// (1/(π²(ħc)³)) ∫ p² [F(E−μ) − F(E+μ)] dp with F(x) = 1/(e^(x/T) + 1).
    pub fn net_density(&self, potential: f64) -> f64 {
        let (logarithm, _) = self.logarithmic_density(potential);
        logarithm.exp() / (PI * PI * self.hbar_c.powi(3))
    }

    /// Chemical potential [MeV, with rest mass] at which n(e⁻) − n(e⁺) is `net_density` [1/cm³].
    ///
    /// It lies between 0 and the Fermi energy of the cold gas, because p³/3 as an odd function of the
    /// energy is convex above 0.
    ///
    /// # Errors
    /// A temperature that is not positive, a density that is negative, or either not finite.
    pub fn chemical_potential(&self, net_density: f64) -> Result<f64> {
        check_state("electron", net_density, self.temperature)?;
        if net_density == 0.0 {
            return Ok(0.0);
        }
        let cubed = PI * PI * self.hbar_c.powi(3) * net_density;
        let fermi_energy = self.mass.hypot((3.0 * cubed).cbrt());
        solve((0.0, fermi_energy * (1.0 + 1e-9)), |potential| {
            let (logarithm, slope) = self.logarithmic_density(potential);
            let excess = logarithm - cubed.ln();
            (excess, potential * (-excess / (potential * slope)).exp())
        })
        .ok_or_else(|| {
            Error::Numerical(format!(
                "electron gas: no chemical potential for {net_density:e} 1/cm3 at {} MeV",
                self.temperature
            ))
        })
    }

    /// ln ∫ p² [F(E−μ) − F(E+μ)] dp [p in MeV] and its derivative with respect to μ [1/MeV].
    ///
    /// The difference is sinh(μ/T)/(cosh(E/T) + cosh(μ/T)), which does not cancel; e^((E₀−μ)/T) with
    /// E₀ = max(μ, m) is taken out, so that nothing underflows in a cold dilute gas.
    fn logarithmic_density(&self, potential: f64) -> (f64, f64) {
        let t = self.temperature;
        let y = potential / t;
        let surface = (potential - self.mass).max(0.0) / t;
        let depth = (self.mass - potential).max(0.0) / t;
        let (dilution, pairs) = ((-depth).exp(), (-2.0 * y).exp());
        let net = -(-2.0 * y).exp_m1();
        let integrand = |rapidity: f64| {
            let half_sinh = (0.5 * rapidity).sinh();
            let kinetic = 2.0 * self.mass * half_sinh * half_sinh;
            let momentum = self.mass * rapidity.sinh();
            let weight = momentum * momentum * (kinetic + self.mass);
            let x = kinetic / t - surface;
            let (boltzmann, anti) = (x.exp(), (-x - 2.0 * y).exp());
            let difference = net / (boltzmann + anti * dilution * dilution + dilution * (1.0 + pairs));
            let electrons = 1.0 / ((boltzmann + dilution) * (1.0 + (-x - depth).exp()));
            let positrons = anti / (1.0 + anti * dilution).powi(2);
            (weight * difference, weight * (electrons + positrons) / t)
        };
        let edges = panel_edges(surface);
        let (mut density, slope) = integrate(&self.rapidity_edges(&edges), integrand);
        // Below the panels F(E−μ) = 1 and there are no positrons.
        let full = edges.first().map_or(0.0, |start| start * t);
        density += (full * (full + 2.0 * self.mass)).powf(1.5) / 3.0;
        (density.ln() - depth, slope / density)
    }

    /// Panels in rapidity from panels in kinetic energy over T.
    fn rapidity_edges(&self, kinetic_edges: &[f64]) -> Vec<f64> {
        let rapidity = |x: &f64| 2.0 * (0.5 * x * self.temperature / self.mass).sqrt().asinh();
        let coarse: Vec<f64> = kinetic_edges.iter().map(rapidity).collect();
        let mut edges: Vec<f64> = coarse.first().copied().into_iter().collect();
        for pair in coarse.windows(2) {
            let parts = ((pair[1] - pair[0]) / RAPIDITY_PANEL).ceil().max(1.0);
            let step = (pair[1] - pair[0]) / parts;
            edges.extend((1..=parts as usize).map(|part| pair[0] + step * part as f64));
        }
        edges
    }
}

/// A non-relativistic gas of free nucleons of one kind (two spin states).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NucleonGas {
    /// Rest energy of the nucleon \[MeV\].
    pub mass: f64,
    /// ħc [MeV cm].
    pub hbar_c: f64,
    /// Temperature \[MeV\].
    pub temperature: f64,
}

impl NucleonGas {
    /// Degeneracy parameter η = (μ − mc²)/T of `density` [1/cm³], −∞ for an empty gas:
    /// n = (2mT)^(3/2)/(2π²(ħc)³) F½(η).
    ///
    /// # Errors
    /// A temperature that is not positive, a density that is negative, or either not finite.
    pub fn degeneracy(&self, density: f64) -> Result<f64> {
        check_state("nucleon", density, self.temperature)?;
        if density == 0.0 {
            return Ok(f64::NEG_INFINITY);
        }
        let phase_space = (2.0 * self.mass * self.temperature).powf(1.5) / (2.0 * PI * PI);
        inverse_fermi_half(density * self.hbar_c.powi(3) / phase_space)
    }
}

/// Occupation 1/(eˣ + 1) of a state x above the chemical potential, in units of T.
pub fn fermi_dirac(x: f64) -> f64 {
    1.0 / (x.exp() + 1.0)
}

/// F½(η) = ∫ √x/(e^(x−η) + 1) dx.
pub fn fermi_half(degeneracy: f64) -> f64 {
    logarithmic_fermi_half(degeneracy).0.exp()
}

/// The η at which F½(η) is `value`, between ln(value/Γ(3/2)) (Maxwell-Boltzmann) and (3/2·value)^(2/3)
/// (zero temperature).
fn inverse_fermi_half(value: f64) -> Result<f64> {
    let lower = (2.0 * value / PI.sqrt()).ln();
    let upper = (1.5 * value).powf(2.0 / 3.0);
    let slack = |bound: f64| 1e-9 * (1.0 + bound.abs());
    solve((lower - slack(lower), upper + slack(upper)), |degeneracy| {
        let (logarithm, slope) = logarithmic_fermi_half(degeneracy);
        let excess = logarithm - value.ln();
        (excess, degeneracy - excess / slope)
    })
    .ok_or_else(|| Error::Numerical(format!("nucleon gas: no degeneracy parameter for F_1/2 = {value:e}")))
}

/// ln F½ and its derivative.
pub fn logarithmic_fermi_half(degeneracy: f64) -> (f64, f64) {
    let (surface, depth) = (degeneracy.max(0.0), (-degeneracy).max(0.0));
    let dilution = (-depth).exp();
    let edges = panel_edges(surface);
    let roots: Vec<f64> = edges.iter().map(|x| x.sqrt()).collect();
    let (mut value, slope) = integrate(&roots, |u| {
        let x = u * u - surface;
        let occupation = 1.0 / (x.exp() + dilution);
        let weighted = 2.0 * u * u * occupation;
        (weighted, weighted / (1.0 + (-x - depth).exp()))
    });
    value += edges.first().map_or(0.0, |start| start.powf(1.5) / 1.5);
    (value.ln() - depth, slope / value)
}

/// Fraction of the nucleons with degeneracy `initial` whose state is empty in a gas with degeneracy
/// `other` ≤ `initial`: ∫ √x F(x−η_i)[1 − F(x−η_o)] dx / F½(η_i), in [0, 1].
///
/// With a common mass of both gases this is (n_o − n_i)/(n_i (e^(η_o−η_i) − 1)), eq. (C14) of Bruenn
/// (1985), without its cancellation at equal densities.
pub fn unblocked_fraction(initial: f64, other: f64) -> f64 {
    if initial == f64::NEG_INFINITY {
        return 1.0;
    }
    let (surface, depth) = (initial.max(0.0), (-initial).max(0.0));
    let dilution = (-depth).exp();
    let mut roots: Vec<f64> = panel_edges(other.max(0.0)).into_iter().chain(panel_edges(surface)).collect();
    roots.sort_by(f64::total_cmp);
    roots.iter_mut().for_each(|x| *x = x.sqrt());
    let (free, all) = integrate(&roots, |u| {
        let x = u * u;
        let weighted = 2.0 * u * u / ((x - surface).exp() + dilution);
        (weighted / (1.0 + (other - x).exp()), weighted)
    });
    // Below the panels every state is occupied in both gases.
    let start = roots.first().copied().unwrap_or(0.0);
    free / (all + start.powi(3) / 1.5)
}

#[cfg(test)]
mod tests {
    //! The reference numbers were computed with mpmath at 40 digits (adaptive quadrature in rapidity or
    //! √x, Newton's method), from the definitions in the doc-comments.
    #![allow(clippy::excessive_precision)]
    use super::*;
    use crate::constants::{ELECTRON_MASS, HBAR_C};

    fn electrons(temperature: f64) -> ElectronGas {
        ElectronGas { mass: ELECTRON_MASS, hbar_c: HBAR_C, temperature }
    }

    fn relative(value: f64, exact: f64) -> f64 {
        (value / exact - 1.0).abs()
    }

    #[rstest::rstest]
    #[case::dilute_and_cold(6e26, 0.01, 0.487_880_162_272_156_552_1)]
    #[case::cancelled_by_pairs(6e26, 0.05, 0.266_233_683_534_804_402_3)]
    #[case::swamped_by_pairs(6e26, 150.0, 6.146_815_302_836_213_460e-10)]
    #[case::relativistic(6e30, 0.5, 0.562_893_015_137_899_423_3)]
    #[case::gain_region(6e32, 1.0, 4.538_408_348_515_953_936)]
    #[case::degenerate(6e35, 5.0, 49.894_219_777_555_793_17)]
    #[case::fully_degenerate(6e38, 0.01, 514.885_625_119_466_092_1)]
    #[case::dense_and_hot(6e38, 150.0, 375.760_973_251_913_339_5)]
    fn electron_potential_is_exact(#[case] density: f64, #[case] temperature: f64, #[case] exact: f64) {
        let potential = electrons(temperature).chemical_potential(density).unwrap();
        assert!(relative(potential, exact) < 2e-14, "{potential:.17e} is not {exact:.17e}");
    }

    #[test]
    fn electron_potential_gives_its_density_back_everywhere() {
        for step in 0..=20 {
            let temperature = 0.01 * 15_000f64.powf(f64::from(step) / 20.0);
            for exponent in 0..=48 {
                let density = 6.022e26 * 10f64.powf(f64::from(exponent) / 4.0);
                let gas = electrons(temperature);
                let again = gas.net_density(gas.chemical_potential(density).unwrap());
                assert!(relative(again, density) < 1e-11, "T = {temperature}, n = {density:e}: {again:e}");
            }
        }
    }

    /// Sum rule of a massless gas: n = μ³/(3π²)·(1 + π²T²/μ²) at any degeneracy.
    #[test]
    fn massless_electrons_have_their_closed_form() {
        for (potential, temperature) in [(0.01, 5.0), (3.0, 3.0), (80.0, 0.5), (1e-6, 100.0)] {
            let gas = ElectronGas { mass: 1e-9, hbar_c: 1.0, temperature };
            let squared = (PI * temperature).powi(2);
            let exact = potential * (potential * potential + squared) / (3.0 * PI * PI);
            assert!(relative(gas.net_density(potential), exact) < 1e-13);
        }
    }

    #[rstest::rstest]
    #[case(-30.0, 8.292_977_433_221_063_178e-14)]
    #[case(-2.0, 0.114_587_823_925_263_069_9)]
    #[case(0.0, 0.678_093_895_153_101_007_3)]
    #[case(0.5, 0.990_209_248_712_799_894_1)]
    #[case(5.0, 7.837_976_057_293_096_609)]
    #[case(50.0, 235.818_615_125_884_321_2)]
    #[case(1e4, 666_666.674_891_337_071_9)]
    fn fermi_half_is_exact_and_inverted(#[case] degeneracy: f64, #[case] exact: f64) {
        assert!(relative(fermi_half(degeneracy), exact) < 5e-14);
        assert!((inverse_fermi_half(exact).unwrap() - degeneracy).abs() < 1e-13 * (1.0 + degeneracy.abs()));
    }

    #[rstest::rstest]
    #[case(-2.0, -5.0, 0.997_683_885_729_093_994_3)]
    #[case(0.0, 0.0, 0.790_565_242_958_070_481_9)]
    #[case(1.0, 0.5, 0.739_248_668_341_641_854_3)]
    #[case(3.0, -4.0, 0.996_853_745_832_871_162_5)]
    #[case(40.0, 38.0, 0.085_556_141_154_021_813_15)]
    #[case(1e3, 5.0, 0.999_628_212_609_871_015_0)]
    fn unblocked_fraction_is_exact(#[case] initial: f64, #[case] other: f64, #[case] exact: f64) {
        assert!(relative(unblocked_fraction(initial, other), exact) < 1e-13);
    }

    /// Eq. (C14) of Bruenn (1985).
    #[test]
    fn unblocked_fraction_is_bruenns() {
        for (initial, other) in [(2.0, -1.0), (0.3, -0.3), (25.0, 7.0)] {
            let (n, p) = (fermi_half(initial), fermi_half(other));
            let bruenn = (p - n) / (n * f64::exp_m1(other - initial));
            assert!(relative(unblocked_fraction(initial, other), bruenn) < 1e-13);
        }
        assert_eq!(unblocked_fraction(4.0, f64::NEG_INFINITY), 1.0);
    }

    #[test]
    fn empty_gases_have_a_potential() {
        assert_eq!(electrons(1.0).chemical_potential(0.0).unwrap(), 0.0);
        let nucleons = NucleonGas { mass: 939.0, hbar_c: HBAR_C, temperature: 1.0 };
        assert_eq!(nucleons.degeneracy(0.0).unwrap(), f64::NEG_INFINITY);
    }

    #[rstest::rstest]
    #[case(0.0, 1e30, "temperature is 0e0 MeV")]
    #[case(f64::NAN, 1e30, "temperature is NaN MeV")]
    #[case(1.0, -1e30, "density is -1e30 1/cm3")]
    #[case(1.0, f64::INFINITY, "density is inf 1/cm3")]
    fn impossible_states_are_rejected(#[case] temperature: f64, #[case] density: f64, #[case] said: &str) {
        let message = electrons(temperature).chemical_potential(density).unwrap_err().to_string();
        assert!(message.contains("electron gas") && message.contains(said), "{message}");
        let nucleons = NucleonGas { mass: 939.0, hbar_c: HBAR_C, temperature };
        let message = nucleons.degeneracy(density).unwrap_err().to_string();
        assert!(message.contains("nucleon gas") && message.contains(said), "{message}");
    }
}
