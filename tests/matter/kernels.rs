//! Inelastic kernels: first principles, conservation, equilibrium, extreme states, problem files.

use std::f64::consts::PI;
use std::path::Path;

use gauss_quad::legendre::GaussLegendre;
use tolman::background::MatterState;
use tolman::constants::{HBAR_C, SPEED_OF_LIGHT};
use tolman::error::Result;
use tolman::methods::setup::Setup;
use tolman::opacities::bremsstrahlung::{Bremsstrahlung, PionExchange};
use tolman::opacities::electron_reactions::{ElectronReactions, couplings};
use tolman::opacities::kernels::{AngularMoments, InelasticKernels, Moments};
use tolman::opacities::weak::WeakConstants;
use tolman::opacities::{EnergyNode, Opacities, RadialPoint, Surroundings};
use tolman::problem::file::{Flavour, OpacityFile, SpeciesFile};
use tolman::problem::load::load_text;
use tolman::problem::{BuildContext, LoadOptions};
use tolman::units::UnitSystem;

const ALL: &str = "[Inelastic()]";
const THREE: &str =
    "[(name: \"nue\", flavour: ElectronNeutrino), (name: \"anue\", flavour: ElectronAntineutrino),
                      (name: \"nux\", flavour: Heavy, multiplicity: 4)]";
const FOUR: &str =
    "[(name: \"nue\", flavour: ElectronNeutrino), (name: \"anue\", flavour: ElectronAntineutrino),
                     (name: \"nux\", flavour: Heavy, multiplicity: 2),
                     (name: \"anux\", flavour: HeavyAntineutrino, multiplicity: 2)]";

fn parse<T: serde::de::DeserializeOwned>(text: &str) -> T {
    ron::Options::default()
        .with_default_extension(ron::extensions::Extensions::IMPLICIT_SOME)
        .from_str(text)
        .unwrap()
}

fn build(sources: &str, species: &str) -> Opacities {
    let files: Vec<OpacityFile> = parse(sources);
    let species: Vec<SpeciesFile> = parse(species);
    let context = BuildContext { units: UnitSystem { physical: true }, folder: ".".into(), data: None };
    let surroundings = Surroundings { lapse: &|_| 1.0, has_matter: true };
    Opacities::build(&files, &species, &context, surroundings).unwrap()
}

fn matter(density: f64, temperature: f64, electron_fraction: f64) -> MatterState {
    MatterState {
        density,
        temperature,
        electron_fraction,
        neutron_fraction: 1.0 - electron_fraction,
        proton_fraction: electron_fraction,
        ..MatterState::default()
    }
}

fn kernels_at(opacities: &Opacities, state: &MatterState, energies: &[f64]) -> Result<InelasticKernels> {
    let nodes: Vec<EnergyNode> =
        energies.iter().map(|&energy| EnergyNode { energy, element: None }).collect();
    let point = RadialPoint { r: 1e6, lapse: 1.0, matter: Some(state) };
    Ok(opacities.kernels_at(&point, &nodes)?.unwrap())
}

/// Gauss-Legendre nodes and weights between consecutive `edges`.
fn rule(edges: &[f64], count: usize) -> Vec<(f64, f64)> {
    let rule = GaussLegendre::new(count.try_into().unwrap());
    let panel = |pair: &[f64]| {
        let (half, middle) = (0.5 * (pair[1] - pair[0]), 0.5 * (pair[1] + pair[0]));
        rule.iter().map(move |(x, w)| (middle + half * x, half * w)).collect::<Vec<_>>()
    };
    edges.windows(2).flat_map(panel).collect()
}

fn fermi(x: f64) -> f64 {
    1.0 / (x.exp() + 1.0)
}

type Momentum = [f64; 4];

/// Energy and momentum of a massless particle in the direction (cos, sin, azimuth about z).
fn massless(energy: f64, cosine: f64, azimuth: f64) -> Momentum {
    let sine = (1.0 - cosine * cosine).max(0.0).sqrt();
    [energy, energy * sine * azimuth.cos(), energy * sine * azimuth.sin(), energy * cosine]
}

fn product(a: &Momentum, b: &Momentum) -> f64 {
    a[0] * b[0] - a[1] * b[1] - a[2] * b[2] - a[3] * b[3]
}

/// `rest`, a momentum in the rest frame of `total`, in the frame of `total`.
fn boosted(rest: &Momentum, total: &Momentum) -> Momentum {
    let mass = product(total, total).sqrt();
    let along = (rest[1] * total[1] + rest[2] * total[2] + rest[3] * total[3]) / mass;
    let energy = (rest[0] * total[0] / mass) + along;
    let factor = (energy + rest[0]) / (total[0] + mass);
    let part = |i: usize| rest[i] + factor * total[i];
    [energy, part(1), part(2), part(3)]
}

fn minus(a: &Momentum, b: &Momentum) -> Momentum {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2], a[3] - b[3]]
}

/// From Φ in MeV⁻² to what the kernels have: 2π/(c(hc)³) · c(ħc)² Φ.
fn kernel_unit() -> f64 {
    1.0 / (4.0 * PI * PI * HBAR_C)
}

/// A function of the energies whose average over final states is compared.
type Weight = fn(f64) -> f64;
const WEIGHTS: [(&str, Weight); 3] = [("1", |_| 1.0), ("E", |x| x), ("exp", |x| (-x).exp())];

/// ∫dω′ ω′² Φ_l(ω → ω′) g(ω′/T) from the kernels.
fn scattered(gas: &mut ElectronReactions, couplings: (f64, f64), energy: f64, t: f64, g: Weight) -> Moments {
    let mut sum = Moments::default();
    let above = energy + 90.0 * t;
    let edges = [0.0, 0.05, 0.2, 0.5, 1.0].map(|part| part * energy);
    let edges: Vec<f64> =
        edges.into_iter().chain([3.0, 10.0, 30.0].map(|x| energy + x * t)).chain([above]).collect();
    for (out, w) in rule(&edges, 16) {
        let moments = if out <= energy {
            gas.scattering(energy, out, false).combine(couplings)
        } else {
            let up = gas.scattering(out, energy, false).combine(couplings);
            let boltzmann = (-(out - energy) / t).exp();
            Moments { zeroth: up.zeroth * boltzmann, first: up.first * boltzmann }
        };
        let weight = w * out * out * g(out / t);
        sum += Moments { zeroth: weight * moments.zeroth, first: weight * moments.first };
    }
    sum
}

/// The same from cross-sections in the centre of momentum: dσ/dΩ = G_F² s/(16π²) [a + b (1 + cos θ*)²/4]
/// for electrons of one spin direction on average.
fn scattered_directly(
    (a, b): (f64, f64),
    (t, mu): (f64, f64),
    energy: f64,
    g: Weight,
    strength: f64,
) -> Moments {
    let neutrino = massless(energy, 1.0, 0.0);
    let surface = mu.max(0.0);
    let mut edges: Vec<f64> =
        [0.0, 1e-9, 2.0, 5.0, 12.0, 40.0].iter().map(|x| surface + x * t).chain([0.0]).collect();
    edges.extend([2.0, 5.0, 12.0].map(|x| surface - x * t).into_iter().filter(|e| *e > 0.0));
    edges.sort_by(f64::total_cmp);
    edges.dedup_by(|x, y| (*x - *y).abs() < 1e-6);
    let mut sum = Moments::default();
    let (angles, azimuths) = (rule(&[-1.0, 0.0, 1.0], 12), 16);
    for (electron, we) in rule(&edges, 10) {
        for &(cosine, wc) in &angles {
            let p = massless(electron, cosine, 0.0);
            let total = [0, 1, 2, 3].map(|i| neutrino[i] + p[i]);
            let s = product(&total, &total);
            if s < 1e-12 * energy * electron {
                continue;
            }
            // Twice, for both spin directions: d³p 2/(2π)³ (1 − cos), azimuth 2π.
            let flux =
                2.0 / (4.0 * PI * PI) * electron * electron * fermi((electron - mu) / t) * (1.0 - cosine);
            for &(polar, wp) in &angles {
                for step in 0..azimuths {
                    let azimuth = 2.0 * PI * (f64::from(step) + 0.5) / f64::from(azimuths);
                    let out = boosted(&massless(0.5 * s.sqrt(), polar, azimuth), &total);
                    let recoil = minus(&total, &out);
                    // q·q′ = s/4 (1 − cos θ*).
                    let star = 1.0 - 4.0 * product(&neutrino, &out) / s;
                    let section = strength * s / (16.0 * PI * PI) * (a + 0.25 * b * (1.0 + star).powi(2));
                    let free = 1.0 - fermi((recoil[0] - mu) / t);
                    let weight = we * wc * wp * (2.0 * PI / f64::from(azimuths)) * flux * section * free;
                    let weight = weight * g(out[0] / t);
                    let lab = out[3] / out[0];
                    sum += Moments { zeroth: weight, first: weight * lab };
                }
            }
        }
    }
    sum
}

/// κ-like integrals of the kernels against cross-sections: massless kinematics by Lorentz boosts, with
/// blocked and with free electrons, for neutrinos and antineutrinos.
#[test]
fn scattering_is_that_of_the_cross_section() {
    let constants = WeakConstants::default();
    let strength = constants.fermi_constant.powi(2);
    for (t, mu, energy) in [(4.0, -30.0, 12.0), (4.0, 10.0, 12.0), (2.0, 12.0, 20.0), (8.0, 3.0, 5.0)] {
        let mut gas = ElectronReactions::new(t, mu, &constants);
        for flavour in [Flavour::ElectronNeutrino, Flavour::ElectronAntineutrino, Flavour::Heavy] {
            let couplings = couplings(flavour, &constants);
            for (name, g) in WEIGHTS {
                let kernel = scattered(&mut gas, couplings, energy, t, g);
                let direct = scattered_directly(couplings, (t, mu), energy, g, strength);
                // The kernels hold 2π/(c(hc)³); a rate per length is MeV/(ħc).
                let scale = direct.zeroth / HBAR_C;
                let zeroth = (kernel.zeroth / scale - 1.0).abs();
                let first = ((kernel.first - direct.first / HBAR_C) / scale).abs();
                println!("T {t} mu {mu} E {energy} {flavour:?} {name}: {zeroth:.1e} {first:.1e}");
                assert!(zeroth < 5e-5 && first < 5e-5);
            }
        }
    }
}

/// κ = (2G_F²/3π) (a + b/3) ε u_e for free electrons of energy density u_e: σ = G_F² s (a + b/3)/(4π).
#[test]
fn total_scattering_on_free_electrons_has_its_closed_form() {
    let constants = WeakConstants::default();
    let (t, mu, energy) = (3.0, -60.0, 15.0);
    let (a, b) = couplings(Flavour::ElectronNeutrino, &constants);
    let mut gas = ElectronReactions::new(t, mu, &constants);
    let kernel = scattered(&mut gas, (a, b), energy, t, |_| 1.0).zeroth;
    let energy_density = 6.0 * t.powi(4) * (mu / t).exp() / (PI * PI);
    let exact = 2.0 * constants.fermi_constant.powi(2) / (3.0 * PI) * (a + b / 3.0) * energy * energy_density;
    assert!((kernel * HBAR_C / exact - 1.0).abs() < 1e-7, "{:e}", kernel * HBAR_C / exact - 1.0);
}

/// ∫∫ω²ω′² g(ω/T) Φ_l(production) from the kernels.
fn produced(gas: &mut ElectronReactions, couplings: (f64, f64), t: f64, g: Weight) -> Moments {
    let edges = [0.0, 0.3, 1.0, 3.0, 7.0, 14.0, 30.0, 60.0].map(|x| x * t);
    let mut sum = Moments::default();
    for (energy, w) in rule(&edges, 8) {
        // The kernels have a weak kink where both energies are equal.
        let mut inner: Vec<f64> = edges.iter().copied().chain([energy]).collect();
        inner.sort_by(f64::total_cmp);
        for (other, wo) in rule(&inner, 8) {
            let moments = gas.annihilation(energy, other).combine(couplings);
            let boltzmann = (-(energy + other) / t).exp();
            let weight = w * wo * (energy * other).powi(2) * boltzmann * g(energy / t);
            sum += Moments { zeroth: weight * moments.zeroth, first: weight * moments.first };
        }
    }
    sum
}

/// The same from the annihilation of electrons with positrons, |M|² = 32G_F²[a(p·q̄)(p̄·q) + b(p·q)(p̄·q̄)].
fn produced_directly((a, b): (f64, f64), (t, mu): (f64, f64), g: Weight, strength: f64) -> Moments {
    let edges = [0.0, 1.0, 3.0, 7.0, 15.0, 40.0].map(|x| x * t);
    let energies = rule(&edges, 6);
    let (angles, azimuths) = (rule(&[-1.0, 0.0, 1.0], 12), 16);
    let mut sum = Moments::default();
    for &(electron, we) in &energies {
        for &(positron, wp) in &energies {
            let occupied = fermi((electron - mu) / t) * fermi((positron + mu) / t);
            for &(cosine, wc) in &angles {
                // The electron along z; d³p d³p̄/((2π)⁶ 4 E Ē) with 8π² from the trivial angles.
                let p = massless(electron, 1.0, 0.0);
                let anti = massless(positron, cosine, 0.0);
                let total = [0, 1, 2, 3].map(|i| p[i] + anti[i]);
                let s = product(&total, &total);
                if s < 1e-10 * electron * positron {
                    continue;
                }
                let measure = 8.0 * PI * PI / (2.0 * PI).powi(6) * electron * positron / 4.0 * occupied;
                for &(polar, wq) in &angles {
                    for step in 0..azimuths {
                        let azimuth = 2.0 * PI * (f64::from(step) + 0.5) / f64::from(azimuths);
                        let q = boosted(&massless(0.5 * s.sqrt(), polar, azimuth), &total);
                        let other = minus(&total, &q);
                        let matrix = a * product(&p, &other) * product(&anti, &q)
                            + b * product(&p, &q) * product(&anti, &other);
                        let angle = wq * 2.0 * PI / f64::from(azimuths) / (32.0 * PI * PI);
                        let weight = we * wp * wc * angle * measure * 32.0 * strength * matrix * g(q[0] / t);
                        let cos = 1.0 - product(&q, &other) / (q[0] * other[0]);
                        sum += Moments { zeroth: weight, first: weight * cos };
                    }
                }
            }
        }
    }
    sum
}

/// Production integrated over both energies against direct integration of the matrix element.
#[test]
fn pair_production_is_that_of_the_matrix_element() {
    let constants = WeakConstants::default();
    let strength = constants.fermi_constant.powi(2);
    for (t, mu) in [(5.0, 0.0), (3.0, 9.0)] {
        let mut gas = ElectronReactions::new(t, mu, &constants);
        for flavour in [Flavour::ElectronNeutrino, Flavour::ElectronAntineutrino, Flavour::Heavy] {
            let couplings = couplings(flavour, &constants);
            for (name, g) in WEIGHTS {
                // ∫d³q d³q′/(2π)⁶ R = 8π²/(2π)⁶ ∫∫ω²ω′²Φ₀.
                let factor = 8.0 * PI * PI / (2.0 * PI).powi(6) / kernel_unit();
                let kernel = produced(&mut gas, couplings, t, g);
                let direct = produced_directly(couplings, (t, mu), g, strength);
                let zeroth = (kernel.zeroth * factor / direct.zeroth - 1.0).abs();
                let first = ((kernel.first * factor - direct.first) / direct.zeroth).abs();
                println!("T {t} mu {mu} {flavour:?} {name}: {zeroth:.1e} {first:.1e}");
                assert!(zeroth < 5e-5 && first < 5e-5);
            }
        }
    }
}

/// Energy loss by pairs of massless electrons: 2G_F²(C_V² + C_A²)T⁹[F₄(η)F₃(−η) + F₃(η)F₄(−η)]/(9π⁵).
#[test]
fn pair_energy_loss_has_its_closed_form() {
    let constants = WeakConstants::default();
    let (t, mu) = (4.0, 6.0);
    let integral = |power: i32, eta: f64| -> f64 {
        rule(&[0.0, 2.0, 5.0, 10.0, 20.0, 40.0, 80.0], 16)
            .iter()
            .map(|(x, w)| w * x.powi(power) * fermi(x - eta))
            .sum()
    };
    let (eta, g2) = (mu / t, constants.fermi_constant.powi(2));
    let loss = integral(4, eta) * integral(3, -eta) + integral(3, eta) * integral(4, -eta);
    let mut gas = ElectronReactions::new(t, mu, &constants);
    for flavour in [Flavour::ElectronNeutrino, Flavour::Heavy] {
        let (a, b) = couplings(flavour, &constants);
        // (C_V + C_A)² + (C_V − C_A)² = 2(C_V² + C_A²).
        let exact = g2 * (a + b) * t.powi(9) * loss / (9.0 * PI.powi(5));
        let swapped = produced(&mut gas, (b, a), t, |x| x).zeroth;
        let energy = t * (produced(&mut gas, (a, b), t, |x| x).zeroth + swapped);
        let own = energy * 8.0 * PI * PI / (2.0 * PI).powi(6) / kernel_unit();
        assert!((own / exact - 1.0).abs() < 1e-8, "{flavour:?}: {:e}", own / exact - 1.0);
    }
}

/// The rate of collisions: as the square of the density where nucleons are nondegenerate, and pairs of
/// different nucleons count 28/3. Φ₁ = −Φ₀/9 from 3 − cos θ.
#[test]
fn bremsstrahlung_of_dilute_nucleons_scales_with_the_squared_density() {
    let constants = WeakConstants::default();
    let at = |density: f64, energy: f64| {
        Bremsstrahlung::new(5.0, (density, 0.0), &PionExchange::default(), &constants).annihilation(energy)
    };
    let (thin, thick) = (at(1e33, 30.0), at(1e34, 30.0));
    assert!((thick.zeroth / thin.zeroth / 100.0 - 1.0).abs() < 0.02, "{}", thick.zeroth / thin.zeroth);
    assert!((thin.first / thin.zeroth + 1.0 / 9.0).abs() < 1e-15);
    let mixed =
        Bremsstrahlung::new(5.0, (1e34, 1e34), &PionExchange::default(), &constants).annihilation(30.0);
    assert!((mixed.zeroth / thick.zeroth - (2.0 + 28.0 / 3.0)).abs() < 1e-12);
}

/// Nodes, and w ε² of their quadrature.
fn grid(top: f64, elements: usize) -> (Vec<f64>, Vec<f64>) {
    let edges: Vec<f64> = (0..=elements).map(|i| top * (i as f64 / elements as f64).powi(2)).collect();
    rule(&edges, 3).into_iter().map(|(e, w)| (e, w * e * e)).unzip()
}

/// Cosines and ½ dμ.
fn angles() -> Vec<(f64, f64)> {
    rule(&[-1.0, 0.0, 1.0], 4).into_iter().map(|(mu, w)| (mu, 0.5 * w)).collect()
}

struct Distribution {
    /// f\[k\]\[angle\].
    f: Vec<Vec<f64>>,
    j: Vec<f64>,
    h: Vec<f64>,
}

impl Distribution {
    fn new(energies: &[f64], f: impl Fn(f64, f64) -> f64) -> Self {
        let f: Vec<Vec<f64>> =
            energies.iter().map(|&e| angles().iter().map(|(mu, _)| f(e, *mu)).collect()).collect();
        let moment = |power: i32| -> Vec<f64> {
            f.iter()
                .map(|f| f.iter().zip(angles()).map(|(f, (mu, w))| w * f * mu.powi(power)).sum())
                .collect()
        };
        let (j, h) = (moment(0), moment(1));
        Self { f, j, h }
    }

    fn moments(&self) -> AngularMoments<'_> {
        AngularMoments { j: &self.j, h: &self.h }
    }
}

/// Σ_k w_k ε_k² ½∫B dμ of every species, and the same of gain and loss for scale.
fn numbers(kernels: &InelasticKernels, states: &[Distribution], measure: &[f64]) -> Vec<(f64, f64)> {
    let moments: Vec<AngularMoments> = states.iter().map(Distribution::moments).collect();
    let mut sums = Vec::new();
    for (species, state) in states.iter().enumerate() {
        let rates = kernels.rates(species, &moments, measure).unwrap();
        let (mut net, mut gross) = (0.0, 0.0);
        for ((rate, f), m) in rates.iter().zip(&state.f).zip(measure) {
            for (f, (mu, w)) in f.iter().zip(angles()) {
                let gain = (1.0 - f) * (rate.gain[0] + rate.gain[1] * mu);
                let loss = f * (rate.loss[0] + rate.loss[1] * mu);
                net += m * w * (gain - loss);
                gross += m * w * (gain.abs() + loss.abs());
            }
        }
        sums.push((net, gross));
    }
    sums
}

/// Distributions far from equilibrium, different for every species.
fn arbitrary(energies: &[f64], species: usize) -> Distribution {
    let shift = species as f64;
    Distribution::new(energies, move |e, mu| {
        0.9 * (0.5 + 0.4 * (mu * (1.0 + shift)).sin())
            / (1.0 + ((e - 10.0 - 3.0 * shift) / (4.0 + shift)).exp())
    })
}

#[test]
fn scattering_conserves_the_number_of_each_species() {
    let (energies, measure) = grid(150.0, 8);
    for species in [THREE, FOUR] {
        let opacities = build("[Inelastic(pairs: false, bremsstrahlung: false)]", species);
        let states: Vec<Distribution> =
            (0..opacities.species().len()).map(|s| arbitrary(&energies, s)).collect();
        for state in [matter(1e12, 5.0, 0.2), matter(1e9, 1.0, 0.5), matter(2e14, 15.0, 0.3)] {
            let kernels = kernels_at(&opacities, &state, &energies).unwrap();
            for (net, gross) in numbers(&kernels, &states, &measure) {
                assert!(net.abs() <= 1e-14 * gross, "{:e}", net / gross);
                assert!(gross > 0.0);
            }
        }
    }
}

#[test]
fn pairs_conserve_neutrinos_minus_antineutrinos() {
    let (energies, measure) = grid(150.0, 8);
    let opacities = build("[Inelastic(electron_scattering: false)]", FOUR);
    let states: Vec<Distribution> = (0..4).map(|s| arbitrary(&energies, s)).collect();
    for state in [matter(1e12, 5.0, 0.2), matter(1e9, 1.0, 0.5), matter(2e14, 15.0, 0.3)] {
        let kernels = kernels_at(&opacities, &state, &energies).unwrap();
        let sums = numbers(&kernels, &states, &measure);
        for (neutrino, antineutrino) in [(0, 1), (2, 3)] {
            let difference = sums[neutrino].0 - sums[antineutrino].0;
            assert!(difference.abs() <= 1e-14 * sums[neutrino].1, "{:e}", difference / sums[neutrino].1);
            assert!(sums[neutrino].0.abs() > 1e-6 * sums[neutrino].1);
        }
    }
}

/// Fermi-Dirac distributions with the matter's T and any μ_ν (−μ_ν of the partner): every energy is in
/// balance on its own.
#[test]
fn equilibrium_is_a_fixed_point_to_round_off() {
    let mut worst: f64 = 0.0;
    for (species, sources) in
        [(THREE, ALL), (FOUR, ALL), (FOUR, "[Inelastic(positrons: false), Inelastic(constants: NuLib)]")]
    {
        let opacities = build(sources, species);
        for (density, t, ye) in [(1e12, 5.0, 0.2), (1e8, 0.3, 0.45), (2e14, 25.0, 0.3), (1e10, 0.05, 0.5)] {
            let (energies, measure) = grid(60.0 * t, 10);
            let kernels = kernels_at(&opacities, &matter(density, t, ye), &energies).unwrap();
            for potential in [0.0, 3.0 * t] {
                let of = |flavour: Flavour| match flavour {
                    Flavour::ElectronNeutrino => potential,
                    Flavour::ElectronAntineutrino => -potential,
                    _ => 0.0,
                };
                let states: Vec<Distribution> = opacities
                    .species()
                    .iter()
                    .map(|s| Distribution::new(&energies, move |e, _| fermi((e - of(s.flavour)) / t)))
                    .collect();
                let moments: Vec<AngularMoments> = states.iter().map(Distribution::moments).collect();
                for (index, state) in states.iter().enumerate() {
                    let rates = kernels.rates(index, &moments, &measure).unwrap();
                    for (rate, &f) in rates.iter().zip(&state.j) {
                        let (gain, loss) = ((1.0 - f) * rate.gain[0], f * rate.loss[0]);
                        worst = worst.max((gain - loss).abs() / (gain + loss));
                    }
                }
            }
        }
    }
    println!("largest relative net rate in equilibrium: {worst:.1e}");
    assert!(worst < 1e-12, "{worst:e}");
}

/// Symmetries and detailed balance of the numbers themselves.
#[test]
fn related_elements_are_the_same_numbers() {
    let energies = [1.0, 3.0, 9.0, 27.0];
    let t = 4.0;
    let kernels = kernels_at(&build(ALL, FOUR), &matter(1e12, t, 0.2), &energies).unwrap();
    let scattering = kernels.scattering[0].as_ref().unwrap();
    let (pair, back) = (kernels.pairs[0].as_ref().unwrap(), kernels.pairs[1].as_ref().unwrap());
    assert_eq!((pair.partner, back.partner), (1, 0));
    for (high, e) in energies.iter().enumerate() {
        for (low, l) in energies.iter().enumerate() {
            assert_eq!(pair.annihilation[[high, low]], back.annihilation[[low, high]]);
            assert_eq!(pair.production[[high, low]], back.production[[low, high]]);
            let boltzmann = (-(e + l) / t).exp();
            assert_eq!(
                pair.production[[high, low]].zeroth,
                pair.annihilation[[high, low]].zeroth * boltzmann
            );
            if e >= l {
                let up = scattering[[high, low]].zeroth * (-(e - l) / t).exp();
                assert_eq!(scattering[[low, high]].zeroth, up);
            }
        }
    }
}

/// A species that stands for neutrinos and antineutrinos has the mean of their kernels.
#[test]
fn heavy_species_is_the_mean_of_both() {
    let energies = [2.0, 11.0, 40.0];
    let state = matter(5e11, 5.0, 0.15);
    let one = kernels_at(&build(ALL, THREE), &state, &energies).unwrap();
    let two = kernels_at(&build(ALL, FOUR), &state, &energies).unwrap();
    let (own, nu, anti) = (&one.scattering[2], &two.scattering[2], &two.scattering[3]);
    let (own, nu, anti) = (own.as_ref().unwrap(), nu.as_ref().unwrap(), anti.as_ref().unwrap());
    let pair = one.pairs[2].as_ref().unwrap();
    let (nu_pair, anti_pair) = (two.pairs[2].as_ref().unwrap(), two.pairs[3].as_ref().unwrap());
    assert_eq!(pair.partner, 2);
    for at in [(0, 1), (1, 0), (2, 2), (2, 0)] {
        let mean = 0.5 * (nu[at].zeroth + anti[at].zeroth);
        assert!((own[at].zeroth / mean - 1.0).abs() < 1e-14);
        let mean = 0.5 * (nu_pair.production[at].first + anti_pair.production[at].first);
        assert!((pair.production[at].first / mean - 1.0).abs() < 1e-13);
        assert!((nu[at].zeroth / anti[at].zeroth - 1.0).abs() > 1e-3);
    }
}

/// Nothing overflows, is NaN or leaves its bounds ([`Opacities::kernels_at`] checks that).
#[test]
fn extreme_matter_has_kernels() {
    let opacities = build(ALL, FOUR);
    let energies = [1e-3, 0.1, 1.0, 10.0, 300.0, 1000.0];
    for t in [0.01, 0.1, 1.0, 10.0, 150.0] {
        for exponent in [0.0, 3.0, 6.0, 9.0, 12.0, 15.0] {
            for ye in [0.0, 1e-3, 0.5, 1.0] {
                let state = matter(10f64.powf(exponent), t, ye);
                let kernels = kernels_at(&opacities, &state, &energies);
                assert!(kernels.is_ok(), "T = {t}, rho = 1e{exponent}, Ye = {ye}: {:?}", kernels.err());
            }
        }
    }
    let nothing = kernels_at(&opacities, &matter(0.0, 0.0, 0.0), &energies).unwrap();
    assert_eq!(nothing, InelasticKernels::none(4));
}

#[rstest::rstest]
#[case(matter(1e10, f64::NAN, 0.5), "temperature")]
#[case(matter(-1.0, 1.0, 0.5), "density")]
fn impossible_matter_is_refused(#[case] state: MatterState, #[case] said: &str) {
    let message = kernels_at(&build(ALL, THREE), &state, &[1.0, 2.0]).unwrap_err().to_string();
    assert!(message.contains(said) && message.contains("opacities[0]: inelastic"), "{message}");
}

#[rstest::rstest]
#[case(0.0)]
#[case(-3.0)]
#[case(f64::NAN)]
fn impossible_energies_are_refused(#[case] energy: f64) {
    let error = kernels_at(&build(ALL, THREE), &matter(1e10, 2.0, 0.4), &[1.0, energy]).unwrap_err();
    assert!(error.to_string().contains("a finite number > 0"), "{error}");
}

const PROBLEM: &str = r#"(
    format: 1, title: "t", units: Physical,
    background: (metric: Flat, matter: MATTER),
    species: SPECIES,
    phase_space: (
        r: (degree: 1, elements: Edges((values: [0, 10, 20], unit: "km"))),
        mu: Uniform(degree: 1, elements: 2),
        energy: ENERGY,
    ),
    opacities: [Bruenn1985(), SOURCE],
)"#;
const UNIFORM: &str = r#"Uniform(density: "1e12 g/cm3", temperature: "5 MeV", electron_fraction: 0.2)"#;
const SPECTRAL: &str = r#"Geometric(degree: 1, from: "2 MeV", to: "100 MeV", elements: 4)"#;

fn problem(matter: &str, species: &str, energy: &str, source: &str) -> String {
    let text = PROBLEM.replace("MATTER", matter).replace("SPECIES", species);
    text.replace("ENERGY", energy).replace("SOURCE", source)
}

#[rstest::rstest]
#[case::gray(UNIFORM, THREE, "Gray", "Inelastic()", "Inelastic in a gray problem")]
#[case::partner(
    UNIFORM,
    "[(name: \"nue\", flavour: ElectronNeutrino)]",
    SPECTRAL,
    "Inelastic()",
    "1 species of electron neutrinos and 0 of electron antineutrinos"
)]
#[case::multiplicity(
    UNIFORM,
    "[(name: \"nue\", flavour: ElectronNeutrino, multiplicity: 2),
    (name: \"anue\", flavour: ElectronAntineutrino)]",
    SPECTRAL,
    "Inelastic()",
    "partners of equal multiplicity"
)]
#[case::heavy(
    UNIFORM,
    "[(name: \"anux\", flavour: HeavyAntineutrino)]",
    SPECTRAL,
    "Inelastic()",
    "0 species of heavy-lepton neutrinos and 1 of heavy-lepton antineutrinos"
)]
#[case::unknown(UNIFORM, THREE, SPECTRAL, "Inelastic(constants: Mine)", "Mine")]
#[case::gray_zones(
    UNIFORM,
    THREE,
    "Gray",
    "ZoneTable(file: \"x.h5\", mapping: Pointwise, inelastic: true)",
    "kernels in a gray problem"
)]
#[case::lonely_zones(
    UNIFORM,
    "[(name: \"nue\", flavour: ElectronNeutrino)]",
    SPECTRAL,
    "ZoneTable(file: \"x.h5\", mapping: Pointwise, pairs: true)",
    "1 species of electron neutrinos and 0 of electron antineutrinos"
)]
fn bad_problems_are_refused_with_their_place(
    #[case] matter: &str,
    #[case] species: &str,
    #[case] energy: &str,
    #[case] source: &str,
    #[case] said: &str,
) {
    let text = problem(matter, species, energy, source);
    let loaded = load_text(text, Path::new("t.ron"), &LoadOptions::default());
    let error = match loaded {
        Err(error) => error,
        Ok(loaded) => loaded.locate(Setup::build(&loaded).unwrap_err()),
    };
    let shown = format!("{:?}", miette::Report::new(error));
    // The report is wrapped to the terminal.
    let shown = shown.split(|c: char| c.is_whitespace() || c == '│').filter(|word| !word.is_empty());
    let shown = shown.collect::<Vec<_>>().join(" ");
    assert!(shown.contains(said) && shown.contains("t.ron:"), "{shown}");
    assert!(shown.contains("opacities[1]"), "{shown}");
}

/// Scattering alone needs no partner.
#[test]
fn scattering_of_one_species_is_accepted() {
    let species = "[(name: \"nue\", flavour: ElectronNeutrino)]";
    let text = problem(UNIFORM, species, SPECTRAL, "Inelastic(pairs: false, bremsstrahlung: false)");
    load_text(text, Path::new("t.ron"), &LoadOptions::default()).unwrap();
    let opacities = build("[Inelastic(pairs: false, bremsstrahlung: false)]", species);
    let kernels = kernels_at(&opacities, &matter(1e11, 3.0, 0.3), &[1.0, 5.0]).unwrap();
    assert!(kernels.scattering[0].is_some() && kernels.pairs[0].is_none());
    assert_eq!(opacities.first_with_kernels(), Some(0));
}

/// κ of νe in cm at a typical state is that of the literature's order: 1e12 g/cm³, 20 MeV.
#[test]
fn units_are_per_length() {
    let (energies, measure) = grid(200.0, 12);
    let kernels = kernels_at(&build(ALL, THREE), &matter(1e12, 5.0, 0.2), &energies).unwrap();
    let empty = Distribution::new(&energies, |_, _| 0.0);
    let moments = [empty.moments(), empty.moments(), empty.moments()];
    let rates = kernels.rates(0, &moments, &measure).unwrap();
    let k = energies.iter().position(|e| *e > 20.0).unwrap();
    // n_e σ with σ = G_F² s/(4π)(…): about 1e35 × 1e-41 cm².
    assert!(rates[k].loss[0] > 1e-8 && rates[k].loss[0] < 1e-5, "{:e}", rates[k].loss[0]);
    assert!(SPEED_OF_LIGHT * rates[k].loss[0] > 1.0);
}
