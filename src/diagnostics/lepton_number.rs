//! Angular distribution of the lepton number of each flavour, where it crosses zero, and how fast flavour
//! conversion could grow there (docs/equations.md, "Angular distribution of the lepton number").

use std::f64::consts::PI;

use rayon::prelude::*;

use crate::constants::{FERMI_CONSTANT, HBAR_C, SPEED_OF_LIGHT};
use crate::methods::setup::Setup;
use crate::numerics::CROSSING_SHARE;
use crate::output::dataset::Dataset;
use crate::phase_space::{EnergyGrid, PhaseSpace, Species};
use crate::problem::file::Flavour;
use crate::units::UnitSystem;

use super::sign_change::SignParts;

/// Halvings of a distance between two radial nodes: to round-off.
const HALVINGS: usize = 50;

/// √2 G_F(ħc)³/ħ [cm³/s]: the frequency √2 G_F n/ħ of a number density n of 1/cm³.
pub const FREQUENCY_PER_DENSITY: f64 =
    std::f64::consts::SQRT_2 * FERMI_CONSTANT * HBAR_C * HBAR_C * SPEED_OF_LIGHT;

/// G(μ) of one flavour, or the difference of two, at the nodes of phase space.
#[derive(Debug, Clone, PartialEq)]
pub struct LeptonNumber {
    /// e.g. `nue - anue`, or `(nue - anue) - (numu - anumu)`.
    pub name: String,
    /// G = (1/(hc)³) ∫(f_ν − f_ν̄) ε² dε [1/(cm³ sr)] at (radius, ordinate), ordinate fastest.
    pub g: Vec<f64>,
    /// Neutrinos and antineutrinos together at the radii [1/cm³]: what G is the difference of.
    pub total: Vec<f64>,
}

/// What G(μ) is like at one radius.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Crossing {
    /// 2π ∫_{G>0} G dμ [1/cm³], ≥ 0.
    pub positive: f64,
    /// 2π ∫_{G<0} G dμ [1/cm³], ≤ 0.
    pub negative: f64,
    /// Cosines at which G changes sign, ascending.
    pub mu: Vec<f64>,
}

impl Crossing {
    /// Number density √(−n₊n₋) whose frequency √2 G_F n/ħ is the growth rate; 0 without a crossing.
    pub fn growth_density(&self) -> f64 {
        if self.mu.is_empty() { 0.0 } else { (-self.positive * self.negative).max(0.0).sqrt() }
    }

    /// Growth rate [1/s] by Morinaga et al. (2020).
    pub fn growth_rate(&self) -> f64 {
        FREQUENCY_PER_DENSITY * self.growth_density()
    }
}

/// The lepton numbers of the flavours in f at (species, energy node, radius, ordinate), and their
/// differences.
///
/// # Errors
/// Why there are none: a gray problem, or no neutrino with its antineutrino.
pub fn lepton_numbers(
    space: &PhaseSpace,
    units: UnitSystem,
    f: &[f64],
) -> std::result::Result<Vec<LeptonNumber>, &'static str> {
    if space.energy == EnergyGrid::Gray {
        return Err("a gray problem: f says nothing about the number of neutrinos per energy");
    }
    let flavours: Vec<LeptonNumber> =
        families(&space.species).into_iter().map(|family| of_family(space, units, f, family)).collect();
    if flavours.is_empty() {
        return Err("no species is the antineutrino of another");
    }
    let pairs = (0..flavours.len()).flat_map(|a| (a + 1..flavours.len()).map(move |b| (a, b)));
    let differences: Vec<LeptonNumber> = pairs.map(|(a, b)| flavours[a].minus(&flavours[b])).collect();
    Ok(flavours.into_iter().chain(differences).collect())
}

/// Neutrinos with their antineutrinos: the first with the first of the same kind, and so on.
fn families(species: &[Species]) -> Vec<(usize, usize)> {
    let of = |flavour: Flavour| -> Vec<usize> {
        (0..species.len()).filter(|&s| species[s].flavour == flavour).collect()
    };
    [(Flavour::ElectronNeutrino, Flavour::ElectronAntineutrino), (Flavour::Heavy, Flavour::HeavyAntineutrino)]
        .into_iter()
        .flat_map(|(neutrino, antineutrino)| of(neutrino).into_iter().zip(of(antineutrino)))
        .collect()
}

fn of_family(
    space: &PhaseSpace,
    units: UnitSystem,
    f: &[f64],
    (neutrino, antineutrino): (usize, usize),
) -> LeptonNumber {
    let (slab, per_species) = (space.slab(), space.unknowns_per_species());
    let (mut g, mut sum) = (vec![0.0; slab], vec![0.0; slab]);
    for k in 0..space.energy.len() {
        let weight = space.energy.weight(k) * space.energy.node(k).powi(2) / units.planck_c_cubed();
        let of = |species: usize| &f[species * per_species + k * slab..][..slab];
        for (n, (particle, anti)) in of(neutrino).iter().zip(of(antineutrino)).enumerate() {
            g[n] += weight * (particle - anti);
            sum[n] += weight * (particle + anti);
        }
    }
    let angular = &space.angular;
    let total = sum
        .chunks_exact(angular.nodes.len())
        .map(|sum| 2.0 * PI * sum.iter().zip(&angular.weights).map(|(s, w)| s * w).sum::<f64>())
        .collect();
    let name = |index: usize| &space.species[index].name;
    LeptonNumber { name: format!("{} - {}", name(neutrino), name(antineutrino)), g, total }
}

impl LeptonNumber {
    fn minus(&self, other: &Self) -> Self {
        Self {
            name: format!("({}) - ({})", self.name, other.name),
            g: self.g.iter().zip(&other.g).map(|(a, b)| a - b).collect(),
            total: self.total.iter().zip(&other.total).map(|(a, b)| a + b).collect(),
        }
    }

    /// G(μ) at all radial nodes.
    pub fn at_nodes(&self, space: &PhaseSpace) -> Vec<Crossing> {
        let ordinates = space.angular.nodes.len();
        self.g
            .par_chunks_exact(ordinates)
            .zip(&self.total)
            .map(|(g, &total)| crossing(space, g, total))
            .collect()
    }

    /// G(μ) at `r` by the polynomial of the radial element `element`.
    fn at(&self, space: &PhaseSpace, element: usize, r: f64) -> Crossing {
        let (radial, ordinates) = (&space.radial, space.angular.nodes.len());
        let x = 2.0 * (r - radial.edges[element]) / radial.width(element) - 1.0;
        let (mut g, mut total) = (vec![0.0; ordinates], 0.0);
        for (i, weight) in radial.range(element).zip(radial.basis.evaluate(x)) {
            total += weight * self.total[i];
            g.iter_mut().zip(&self.g[i * ordinates..]).for_each(|(sum, value)| *sum += weight * value);
        }
        crossing(space, &g, total)
    }

    /// For each radial node the radius between it and the next at which crossings appear or vanish; `None`
    /// where they do not. `crossings` are those of [`LeptonNumber::at_nodes`].
    pub fn changes(&self, space: &PhaseSpace, crossings: &[Crossing]) -> Vec<Option<f64>> {
        let mut changes: Vec<Option<f64>> = crossings
            .par_windows(2)
            .enumerate()
            .map(|(i, pair)| {
                let state = |crossing: &Crossing| !crossing.mu.is_empty();
                (state(&pair[0]) != state(&pair[1])).then(|| self.change_after(space, i, state(&pair[0])))
            })
            .collect();
        changes.resize(crossings.len(), None);
        changes
    }

    /// The radius between node `i`, where there is a crossing or not (`before`), and the next node at which
    /// that changes: at the edge between two elements if both their polynomials say so.
    fn change_after(&self, space: &PhaseSpace, i: usize, before: bool) -> f64 {
        let radial = &space.radial;
        let (element, next) = (i / radial.per_element(), (i + 1) / radial.per_element());
        let (from, to) = (radial.nodes[i], radial.nodes[i + 1]);
        let same = |element: usize, r: f64| self.at(space, element, r).mu.is_empty() != before;
        if element == next {
            return bisect(from, to, |r| same(element, r));
        }
        let edge = radial.edges[next];
        match (same(element, edge), same(next, edge)) {
            (false, _) => bisect(from, edge, |r| same(element, r)),
            (true, false) => edge,
            (true, true) => bisect(edge, to, |r| same(next, r)),
        }
    }
}

/// The place between `low`, where `holds`, and `high`, where it does not.
fn bisect(mut low: f64, mut high: f64, holds: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..HALVINGS {
        let middle = 0.5 * (low + high);
        if holds(middle) { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

fn crossing(space: &PhaseSpace, g: &[f64], total: f64) -> Crossing {
    let negligible = CROSSING_SHARE * total.abs() / (2.0 * PI);
    let parts = SignParts::new(&space.angular, g, negligible);
    Crossing { positive: 2.0 * PI * parts.positive, negative: 2.0 * PI * parts.negative, mu: parts.changes }
}
