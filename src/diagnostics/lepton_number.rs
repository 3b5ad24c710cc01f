//! Angular distribution of the lepton number of each flavour, where it crosses zero, and how fast flavour
//! conversion could grow there (docs/equations.md, "Angular distribution of the lepton number").

use std::f64::consts::PI;

use rayon::prelude::*;

use crate::constants::{FERMI_CONSTANT, HBAR_C, SPEED_OF_LIGHT};
use crate::methods::setup::Setup;
use crate::numerics::{CROSSING_SHARE, CROSSING_UNDERSHOOT};
use crate::output::dataset::Dataset;
use crate::phase_space::{EnergyGrid, PhaseSpace};
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
    /// The excess of one sign in a range of directions that cannot be told from numerical error, at the
    /// radii [1/cm³].
    pub resolution: Vec<f64>,
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
    let known: Vec<Flavour> = space.species.iter().map(|species| species.flavour).collect();
    let families = Flavour::families(&known).into_iter();
    let flavours: Vec<LeptonNumber> = families.map(|family| of_family(space, units, f, family)).collect();
    if flavours.is_empty() {
        return Err("no species is the antineutrino of another");
    }
    let pairs = (0..flavours.len()).flat_map(|a| (a + 1..flavours.len()).map(move |b| (a, b)));
    let differences: Vec<LeptonNumber> = pairs.map(|(a, b)| flavours[a].minus(&flavours[b])).collect();
    Ok(flavours.into_iter().chain(differences).collect())
}

fn of_family(
    space: &PhaseSpace,
    units: UnitSystem,
    f: &[f64],
    (neutrino, antineutrino): (usize, usize),
) -> LeptonNumber {
    let (slab, per_species) = (space.slab(), space.unknowns_per_species());
    let (mut g, mut total, mut below) = (vec![0.0; slab], vec![0.0; slab], vec![0.0; slab]);
    for k in 0..space.energy.len() {
        let weight = space.energy.weight(k) * space.energy.node(k).powi(2) / units.planck_c_cubed();
        let of = |species: usize| &f[species * per_species + k * slab..][..slab];
        for (n, (particle, anti)) in of(neutrino).iter().zip(of(antineutrino)).enumerate() {
            g[n] += weight * (particle - anti);
            total[n] += weight * (particle + anti);
            below[n] -= weight * (particle.min(0.0) + anti.min(0.0));
        }
    }
    let (total, below) = (over_directions(space, &total), over_directions(space, &below));
    let resolution = total
        .iter()
        .zip(&below)
        .map(|(total, below)| (CROSSING_SHARE * total.abs()).max(CROSSING_UNDERSHOOT * below));
    let resolution = resolution.collect();
    let name = |index: usize| &space.species[index].name;
    LeptonNumber { name: format!("{} - {}", name(neutrino), name(antineutrino)), g, resolution }
}

/// 2π ∫ dμ of values at (radius, ordinate).
fn over_directions(space: &PhaseSpace, values: &[f64]) -> Vec<f64> {
    let weights = &space.angular.weights;
    let sum = |values: &[f64]| values.iter().zip(weights).map(|(v, w)| v * w).sum::<f64>();
    values.chunks_exact(weights.len()).map(|values| 2.0 * PI * sum(values)).collect()
}

impl LeptonNumber {
    fn minus(&self, other: &Self) -> Self {
        Self {
            name: format!("({}) - ({})", self.name, other.name),
            g: self.g.iter().zip(&other.g).map(|(a, b)| a - b).collect(),
            resolution: self.resolution.iter().zip(&other.resolution).map(|(a, b)| a + b).collect(),
        }
    }

    /// G(μ) at all radial nodes.
    pub fn at_nodes(&self, space: &PhaseSpace) -> Vec<Crossing> {
        let ordinates = space.angular.nodes.len();
        self.g
            .par_chunks_exact(ordinates)
            .zip(&self.resolution)
            .map(|(g, &resolution)| crossing(space, g, resolution))
            .collect()
    }

    /// Whether there is a crossing at `r` by the polynomial of the radial element `element`, with what can
    /// be resolved between the radial nodes `i` and `i` + 1.
    fn crosses(&self, space: &PhaseSpace, element: usize, i: usize, r: f64) -> bool {
        let (radial, ordinates) = (&space.radial, space.angular.nodes.len());
        let x = 2.0 * (r - radial.edges[element]) / radial.width(element) - 1.0;
        let mut g = vec![0.0; ordinates];
        for (node, weight) in radial.range(element).zip(radial.basis.evaluate(x)) {
            let at_node = &self.g[node * ordinates..];
            g.iter_mut().zip(at_node).for_each(|(sum, value)| *sum += weight * value);
        }
        let share = (r - radial.nodes[i]) / (radial.nodes[i + 1] - radial.nodes[i]);
        let resolution = self.resolution[i] + share * (self.resolution[i + 1] - self.resolution[i]);
        !crossing(space, &g, resolution).mu.is_empty()
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
        let same = |element: usize, r: f64| self.crosses(space, element, i, r) == before;
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

fn crossing(space: &PhaseSpace, g: &[f64], resolution: f64) -> Crossing {
    let parts = SignParts::new(&space.angular, g, resolution / (2.0 * PI));
    Crossing { positive: 2.0 * PI * parts.positive, negative: 2.0 * PI * parts.negative, mu: parts.changes }
}

/// Adds G(μ), its crossings and the growth rates to `dataset`, or the attribute `lepton_number_omitted`
/// that says why there are none. f at (species, energy node, radius, ordinate).
pub fn add_lepton_numbers(dataset: &mut Dataset, setup: &Setup, f: &[f64]) {
    let (space, units) = (&setup.phase_space, setup.units);
    let all = match lepton_numbers(space, units, f) {
        Ok(all) => all,
        Err(reason) => {
            dataset.attribute("lepton_number_omitted", reason);
            return;
        }
    };
    dataset.dimension("lepton_number", all.len());
    let names = all.iter().map(|lepton| lepton.name.clone()).collect();
    dataset.text("lepton_number", &["lepton_number"], "lepton number of a flavour, or a difference", names);
    add_angular(dataset, space, units, &all);
    let crossings: Vec<Vec<Crossing>> = all.iter().map(|lepton| lepton.at_nodes(space)).collect();
    add_crossings(dataset, units, &crossings);
    let resolution = all.iter().flat_map(|lepton| lepton.resolution.iter().copied()).collect();
    let meaning =
        "excess of one sign that cannot be told from numerical error: smaller ones make no crossing";
    dataset.real("crossing_resolution", &OVER_RADIUS, units.label("cm-3"), meaning, resolution);
    let changes = all.iter().zip(&crossings).flat_map(|(lepton, found)| lepton.changes(space, found));
    let meaning = "radius between this node and the next where crossings appear or vanish, 0 for none";
    let radii = changes.map(|radius| radius.unwrap_or(0.0)).collect();
    dataset.real("crossing_change", &OVER_RADIUS, units.label("cm"), meaning, radii);
    let rates = crossings.iter().flatten().map(Crossing::growth_rate).collect();
    add_growth_rates(dataset, units, rates);
}

/// Dimensions of what is known at each radius.
const OVER_RADIUS: [&str; 2] = ["lepton_number", "r"];

/// G(μ).
fn add_angular(dataset: &mut Dataset, space: &PhaseSpace, units: UnitSystem, all: &[LeptonNumber]) {
    let angular = all.iter().flat_map(|lepton| ordinates_first(&lepton.g, space.angular.nodes.len()));
    let meaning =
        "G = int (f - f of the antineutrino) e^2 de / (hc)^3: lepton number per volume and solid angle";
    let order = ["lepton_number", "mu", "r"];
    let unit = units.label("cm-3 sr-1");
    let g = dataset.real("lepton_number_angular", &order, unit, meaning, angular.collect());
    if units.physical {
        g.attribute("frequency_per_density", FREQUENCY_PER_DENSITY);
    }
}

/// What G(μ) is like at the radii of each lepton number.
fn add_crossings(dataset: &mut Dataset, units: UnitSystem, crossings: &[Vec<Crossing>]) {
    let density = units.label("cm-3");
    let mut add = |name: &str, unit: &str, meaning: &str, value: fn(&Crossing) -> f64| {
        let values = crossings.iter().flatten().map(value).collect();
        dataset.real(name, &OVER_RADIUS, unit, meaning, values);
    };
    add("lepton_number_positive", density, "2 pi int G dmu over G > 0", |c| c.positive);
    add("lepton_number_negative", density, "2 pi int G dmu over G < 0", |c| c.negative);
    add("crossing_count", "1", "number of cosines at which G changes sign", |c| c.mu.len() as f64);
    add("crossing_mu_first", "1", "lowest such cosine, 0 where crossing_count is 0", |c| first(&c.mu));
    add("crossing_mu_last", "1", "highest such cosine, 0 where crossing_count is 0", |c| last(&c.mu));
}

/// G_F has no value in the units of a dimensionless problem.
fn add_growth_rates(dataset: &mut Dataset, units: UnitSystem, rates: Vec<f64>) {
    if !units.physical {
        let reason = "a dimensionless problem: the Fermi constant has no value in its units";
        dataset.attribute("growth_rate_omitted", reason);
        return;
    }
    let meaning = "estimated growth rate of fast flavour conversion, 0 without a crossing";
    let per_length = rates.iter().map(|rate| rate / SPEED_OF_LIGHT).collect();
    let definition = "sqrt(2) G_F / hbar sqrt(-lepton_number_positive lepton_number_negative)";
    dataset.real("growth_rate", &OVER_RADIUS, "s-1", meaning, rates).attribute("definition", definition);
    let meaning = "growth_rate per light travel";
    dataset.real("growth_rate_per_length", &OVER_RADIUS, "cm-1", meaning, per_length);
}

fn first(mu: &[f64]) -> f64 {
    mu.first().copied().unwrap_or(0.0)
}

fn last(mu: &[f64]) -> f64 {
    mu.last().copied().unwrap_or(0.0)
}

/// From (radius, ordinate) to (ordinate, radius).
fn ordinates_first(values: &[f64], ordinates: usize) -> Vec<f64> {
    (0..ordinates).flat_map(|j| values.iter().skip(j).step_by(ordinates).copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phase_space::Species;
    use crate::phase_space::grid::NodalGrid;
    use approx::assert_relative_eq;

    fn space(flavours: &[(&str, Flavour)]) -> PhaseSpace {
        let species = |(name, flavour): &(&str, Flavour)| Species {
            name: (*name).to_owned(),
            flavour: *flavour,
            multiplicity: 1.0,
        };
        PhaseSpace {
            radial: NodalGrid::new(vec![1e6, 2e6, 4e6, 7e6], 2),
            angular: NodalGrid::new(vec![-1.0, 0.0, 0.6, 1.0], 2),
            energy: EnergyGrid::Spectral(NodalGrid::new(vec![0.0, 10.0, 30.0], 2)),
            species: flavours.iter().map(species).collect(),
        }
    }

    const ELECTRON: [(&str, Flavour); 2] =
        [("nue", Flavour::ElectronNeutrino), ("anue", Flavour::ElectronAntineutrino)];

    /// f(species, r, μ) at all energies.
    fn distribution(space: &PhaseSpace, f: impl Fn(usize, f64, f64) -> f64) -> Vec<f64> {
        let mut values = Vec::new();
        for s in 0..space.species.len() {
            for _ in 0..space.energy.len() {
                for &r in &space.radial.nodes {
                    values.extend(space.angular.nodes.iter().map(|&mu| f(s, r, mu)));
                }
            }
        }
        values
    }

    fn electron_number(space: &PhaseSpace, f: impl Fn(usize, f64, f64) -> f64) -> LeptonNumber {
        let values = distribution(space, f);
        lepton_numbers(space, UnitSystem::PHYSICAL, &values).unwrap().remove(0)
    }

    /// ∫₀³⁰ ε² dε/(hc)³.
    const STATES: f64 =
        9000.0 / (1.239_841_984_332_002_6e-10 * 1.239_841_984_332_002_6e-10 * 1.239_841_984_332_002_6e-10);

    /// G = N (μ − ¼)/10: n₊ = 2πN (3/4)²/20, n₋ = −2πN (5/4)²/20, and the rate by hand.
    #[test]
    fn a_line_has_its_exact_integrals_and_growth_rate() {
        let space = space(&ELECTRON);
        let number = electron_number(&space, |s, _, mu| if s == 0 { 0.2 + 0.1 * mu } else { 0.225 });
        for crossing in number.at_nodes(&space) {
            let positive = 2.0 * PI * STATES * 0.75f64.powi(2) / 20.0;
            let negative = -2.0 * PI * STATES * 1.25f64.powi(2) / 20.0;
            assert_relative_eq!(crossing.positive, positive, max_relative = 1e-12);
            assert_relative_eq!(crossing.negative, negative, max_relative = 1e-12);
            assert_relative_eq!(crossing.mu[0], 0.25, max_relative = 1e-12);
            // √2 · 8.961 876e-44 MeV cm³ / 6.582 119 57e-22 MeV s.
            let rate = 1.925_520_8e-22 * 2.0 * PI * STATES * 0.75 * 1.25 / 20.0;
            assert_relative_eq!(crossing.growth_rate(), rate, max_relative = 1e-6);
        }
        assert_eq!(number.changes(&space, &number.at_nodes(&space)), [None; 9]);
    }

    #[test]
    fn a_step_and_one_sign() {
        let space = space(&ELECTRON);
        let step = electron_number(&space, |s, _, mu| if (mu < 0.6) == (s == 0) { 0.3 } else { 0.1 });
        let crossing = &step.at_nodes(&space)[0];
        assert_eq!(crossing.mu, [0.6]);
        assert_relative_eq!(crossing.positive, 2.0 * PI * STATES * 0.2 * 1.6, max_relative = 1e-12);
        assert_relative_eq!(crossing.negative, -2.0 * PI * STATES * 0.2 * 0.4, max_relative = 1e-12);
        let none = electron_number(&space, |s, _, mu| if s == 0 { 0.4 + 0.1 * mu } else { 0.1 });
        let equal = electron_number(&space, |_, _, mu| 0.2 - 0.1 * mu);
        let nothing = electron_number(&space, |_, _, _| 0.0);
        for number in [none, equal, nothing] {
            let found = number.at_nodes(&space);
            assert!(found.iter().all(|c| c.mu.is_empty() && c.growth_rate() == 0.0));
            assert_eq!(number.changes(&space, &found), [None; 9]);
        }
    }

    /// G ∝ μ + a(r) with a linear: crossings where |a| < 1, from r = 2.9e6 to 4.9e6; and a jump of the
    /// state at an edge.
    #[test]
    fn radii_where_crossings_appear_and_vanish() {
        let space = space(&ELECTRON);
        let line = |r: f64| (r - 3.9e6) / 1e6;
        let number =
            electron_number(&space, |s, r, mu| if s == 0 { 0.5 + 0.05 * (mu + line(r)) } else { 0.5 });
        let radii = |number: &LeptonNumber| -> Vec<f64> {
            number.changes(&space, &number.at_nodes(&space)).into_iter().flatten().collect()
        };
        let found = radii(&number);
        assert_eq!(found.len(), 2, "{found:?}");
        // The negligible part makes them appear where (1 − |a|)²/2 reaches its share.
        assert_relative_eq!(found[0], 2.9e6, max_relative = 1e-3);
        assert_relative_eq!(found[1], 4.9e6, max_relative = 1e-3);
        let jump = electron_number(&space, |s, r, mu| {
            if s == 0 {
                0.5 + 0.1 * mu
            } else if r < 4e6 {
                0.1
            } else {
                0.5
            }
        });
        assert_eq!(radii(&jump), [4e6]);
    }

    /// Undershoots of f are numerical; an excess that is no larger than three times theirs may be so too.
    #[test]
    fn an_excess_within_the_undershoots_of_f_is_no_crossing() {
        let space = space(&ELECTRON);
        let backward = |f: f64| {
            electron_number(&space, move |s, _, mu| match (mu < 0.0, s) {
                (true, 0) => f,
                (true, _) => 1e-4,
                (false, 0) => 0.3,
                (false, _) => 0.2,
            })
        };
        let crossings = |number: &LeptonNumber| number.at_nodes(&space)[0].mu.len();
        assert_eq!([crossings(&backward(0.0)), crossings(&backward(-6e-5))], [1, 0]);
        let undershoot = 3.0 * 2.0 * PI * STATES * 6e-5;
        assert_relative_eq!(backward(-6e-5).resolution[0], undershoot, max_relative = 1e-12);
    }

    #[test]
    fn flavours_are_named_and_their_differences_come_after_them() {
        let six = [
            ELECTRON[0],
            ELECTRON[1],
            ("numu", Flavour::Heavy),
            ("nutau", Flavour::Heavy),
            ("anumu", Flavour::HeavyAntineutrino),
            ("anutau", Flavour::HeavyAntineutrino),
        ];
        let space = space(&six);
        let values = distribution(&space, |s, _, mu| [0.3, 0.2, 0.1 + 0.05 * mu, 0.0, 0.1, 0.0][s]);
        let all = lepton_numbers(&space, UnitSystem::PHYSICAL, &values).unwrap();
        let names: Vec<&str> = all.iter().map(|lepton| lepton.name.as_str()).collect();
        assert_eq!(
            &names[..4],
            ["nue - anue", "numu - anumu", "nutau - anutau", "(nue - anue) - (numu - anumu)"]
        );
        assert_eq!(names.len(), 6);
        let crossings: Vec<usize> = all.iter().map(|lepton| lepton.at_nodes(&space)[0].mu.len()).collect();
        assert_eq!(crossings, [0, 1, 0, 0, 0, 1]);
        for (difference, (a, b)) in all[3].g.iter().zip(all[0].g.iter().zip(&all[1].g)) {
            assert_eq!(*difference, a - b);
        }
    }

    #[test]
    fn gray_and_single_species_problems_say_why_there_is_none() {
        let mut one = space(&ELECTRON[..1]);
        let reason = lepton_numbers(&one, UnitSystem::PHYSICAL, &[]).unwrap_err();
        assert!(reason.contains("antineutrino"), "{reason}");
        one.energy = EnergyGrid::Gray;
        assert!(lepton_numbers(&one, UnitSystem::PHYSICAL, &[]).unwrap_err().contains("gray"));
    }
}
