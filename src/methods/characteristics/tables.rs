//! Opacities on panels of radius and energy.

use rayon::prelude::*;

use super::medium::Cell;
use super::rules::{CHEBYSHEV, Chebyshev};
use crate::error::Result;
use crate::methods::setup::Setup;
use crate::opacities::{EnergyNode, LocalOpacity, RadialPoint};

/// Energy panels are halved until they are this narrow relative to the energy.
const NARROWEST: f64 = 1e-10;

/// Energies between which the coefficients are smooth, and the nodes of their polynomials in ln ε.
#[derive(Debug, Clone)]
pub struct EnergyPanels {
    /// Comoving energies, one more than panels, and their logarithms.
    pub edges: Vec<f64>,
    logs: Vec<f64>,
    /// Whether the coefficients are constant on the panel.
    constant: Vec<bool>,
    /// Number of the panel's first node; one entry more than panels.
    offsets: Vec<usize>,
    rule: Chebyshev,
}

/// A place among the energy nodes.
#[derive(Debug, Clone, Copy)]
pub struct EnergySpot {
    pub panel: usize,
    first: usize,
    /// Weights of the nodes from `first`; none where the panel is constant.
    weights: Option<[f64; CHEBYSHEV]>,
}

impl EnergyPanels {
    /// Panels over `range` that are fine enough at the radii `radii`.
    pub(super) fn build(
        setup: &Setup,
        radii: &[f64],
        (low, high): (f64, f64),
        tolerance: f64,
        rule: &Chebyshev,
    ) -> Result<Self> {
        if high <= low {
            return Ok(Self {
                edges: vec![0.0, f64::MAX],
                logs: vec![0.0, 1.0],
                constant: vec![true],
                offsets: vec![0, 1],
                rule: rule.clone(),
            });
        }
        let groups = setup.opacities.group_edges().unwrap_or_default();
        let mut edges: Vec<f64> = groups.iter().copied().filter(|&e| e > low && e < high).collect();
        edges.insert(0, low);
        edges.push(high);
        let pieces: Vec<Vec<(f64, bool)>> = edges
            .par_windows(2)
            .map(|pair| {
                let mut halving = Halving { setup, radii, tolerance, rule, pieces: Vec::new() };
                halving.refine((pair[0], pair[1]), f64::INFINITY)?;
                Ok(halving.pieces)
            })
            .collect::<Result<_>>()?;
        let pieces: Vec<(f64, bool)> = pieces.into_iter().flatten().collect();
        let mut panels = Self {
            edges: vec![low],
            logs: vec![low.ln()],
            constant: Vec::new(),
            offsets: vec![0],
            rule: rule.clone(),
        };
        let mut nodes = 0;
        for (upper, constant) in pieces {
            nodes += if constant { 1 } else { CHEBYSHEV };
            panels.edges.push(upper);
            panels.logs.push(upper.ln());
            panels.constant.push(constant);
            panels.offsets.push(nodes);
        }
        Ok(panels)
    }

    /// The panel of `energy`; the outermost one beyond the ends. `guess` is looked at first.
    fn index_near(&self, energy: f64, guess: usize) -> usize {
        let is_there = |p: usize| self.edges[p] <= energy && energy < self.edges[p + 1];
        if guess < self.constant.len() && is_there(guess) { guess } else { self.index(energy) }
    }

    /// The panel of `energy`; the outermost one beyond the ends.
    pub fn index(&self, energy: f64) -> usize {
        self.edges.partition_point(|&edge| edge <= energy).clamp(1, self.constant.len()) - 1
    }

    /// Whether coefficients are smooth between the energies `low` and `high`: no edges of groups, no
    /// place where halving found no end.
    pub fn is_smooth(&self, low: f64, high: f64) -> bool {
        let (first, last) = (self.index(low), self.index(high));
        let narrow = |p: usize| self.edges[p + 1] < self.edges[p] * (1.0 + 1e-4);
        first == last || (first..=last).all(|p| !self.constant[p] && !narrow(p))
    }

    /// Whether two energies lie in the same range of constant coefficients.
    pub fn same_step(&self, a: f64, b: f64) -> bool {
        let panel = self.index(a);
        self.constant[panel] && panel == self.index(b)
    }

    /// Whether coefficients are constant on each of several panels.
    pub fn has_steps(&self) -> bool {
        self.constant.len() > 1 && self.constant.iter().any(|&constant| constant)
    }

    /// Number of all nodes.
    pub fn count(&self) -> usize {
        self.offsets[self.offsets.len() - 1]
    }

    /// Where `energy` is, whose logarithm is `log`; panel number `guess` is looked at first.
    pub fn find(&self, energy: f64, log: f64, guess: usize) -> EnergySpot {
        let panel = self.index_near(energy, guess);
        let weights = (!self.constant[panel]).then(|| {
            let (low, high) = (self.logs[panel], self.logs[panel + 1]);
            self.rule.weights(((2.0 * log - low - high) / (high - low)).clamp(-1.0, 1.0))
        });
        EnergySpot { panel, first: self.offsets[panel], weights }
    }

    /// All nodes.
    fn nodes(&self) -> Vec<f64> {
        let mut nodes = Vec::with_capacity(self.offsets[self.offsets.len() - 1]);
        for (pair, &constant) in self.edges.windows(2).zip(&self.constant) {
            if constant {
                nodes.push(if pair[0] > 0.0 { (pair[0] * pair[1]).sqrt() } else { 1.0 });
            } else {
                nodes.extend(log_nodes(pair[0], pair[1], &self.rule.nodes));
            }
        }
        nodes
    }
}

fn log_nodes(low: f64, high: f64, reference: &[f64]) -> Vec<f64> {
    let (middle, half) = (0.5 * (low * high).ln(), 0.5 * (high / low).ln());
    reference.iter().map(|x| (middle + half * x).exp()).collect()
}

/// The refinement of the energies between two edges.
struct Halving<'a> {
    setup: &'a Setup,
    radii: &'a [f64],
    tolerance: f64,
    rule: &'a Chebyshev,
    /// (upper edge, whether constant) of the panels found.
    pieces: Vec<(f64, bool)>,
}

impl Halving<'_> {
    /// Covers `low` to `high`, half of a panel with the deviation `before`.
    fn refine(&mut self, (low, high): (f64, f64), before: f64) -> Result<()> {
        let rule = self.rule;
        let energies = [log_nodes(low, high, &rule.nodes), log_nodes(low, high, &rule.between())].concat();
        let (mut constant, mut largest) = (true, 0.0_f64);
        for &r in self.radii {
            let values = sample(self.setup, r, &energies)?;
            for values in values.chunks_exact(energies.len()) {
                constant &= values.iter().all(|value| *value == values[0]);
                let (nodes, tests) = values.split_at(CHEBYSHEV);
                largest = largest.max(deviation(rule, nodes, tests));
            }
            if largest > NOISE {
                break;
            }
        }
        if settled(largest, before, self.tolerance) || high <= low * (1.0 + NARROWEST) {
            self.pieces.push((high, constant));
            return Ok(());
        }
        let middle = (low * high).sqrt();
        self.refine((low, middle), largest)?;
        self.refine((middle, high), largest)
    }
}

/// Deviations above this are taken for structure, not for noise.
const NOISE: f64 = 1e-6;
/// Coefficients below this are zero.
const NEGLIGIBLE: f64 = 1e-200;

/// Coefficients at `r`, (species, energy) with the energy fastest. Energies beyond the groups of a table
/// have the coefficients of its outermost groups.
pub(super) fn sample(setup: &Setup, r: f64, energies: &[f64]) -> Result<Vec<LocalOpacity>> {
    let groups = setup.opacities.group_edges();
    let limits = groups.and_then(|groups| Some((*groups.first()?, *groups.last()?)));
    let nodes: Vec<EnergyNode> = energies
        .iter()
        .map(|&energy| {
            let inside = limits.map_or(energy, |(low, high)| energy.clamp(low, high));
            EnergyNode { energy: inside, element: None }
        })
        .collect();
    let matter = setup.background.matter(r);
    let point = RadialPoint { r, lapse: setup.background.lapse(r), matter: matter.as_ref() };
    Ok(setup.opacities.at_radius(&point, &nodes)?.into_iter().collect())
}

type Four = [f64; 4];

pub(super) fn four(o: &LocalOpacity) -> Four {
    [o.absorption, o.emissivity, o.scattering, o.scattering_first]
}

/// Which of the coefficients are interpolated in their logarithms: those that are positive at all nodes.
fn logarithmic(values: &[Four]) -> [bool; 4] {
    std::array::from_fn(|m| m < 3 && values.iter().all(|value| value[m] > 0.0))
}

/// How far the polynomial through `at_nodes` is from the values at the points between them: relatively
/// for what is interpolated in its logarithm, else relative to the largest value.
pub(super) fn deviation(rule: &Chebyshev, at_nodes: &[LocalOpacity], at_tests: &[LocalOpacity]) -> f64 {
    let values: Vec<Four> = at_nodes.iter().map(four).collect();
    let logs = logarithmic(&values);
    let mut largest = 0.0_f64;
    for (&x, exact) in rule.between().iter().zip(at_tests) {
        let weights = rule.weights(x);
        for (m, &exact) in four(exact).iter().enumerate() {
            let column = || values.iter().map(|value| value[m]);
            let off = if logs[m] {
                let log: f64 = weights.iter().zip(column()).map(|(w, v)| w * v.ln()).sum();
                if exact > 0.0 { (log - exact.ln()).abs() } else { f64::INFINITY }
            } else {
                let scale = column().map(f64::abs).fold(exact.abs(), f64::max);
                let sum: f64 = weights.iter().zip(column()).map(|(w, v)| w * v).sum();
                // Relative to the largest value is not good enough for a tail that ends in zeros.
                let has_zeros = exact == 0.0 || column().any(|v| v == 0.0);
                match scale {
                    0.0 => 0.0,
                    _ if m < 3 && scale > NEGLIGIBLE && has_zeros => f64::INFINITY,
                    _ => (sum - exact).abs() / scale,
                }
            };
            largest = largest.max(off);
        }
    }
    largest
}

/// Whether halving a panel further makes no sense: its deviation is small enough, or it is small and no
/// better than that of the panel that was halved, so that it is noise of the coefficients themselves.
pub(super) fn settled(deviation: f64, before: f64, tolerance: f64) -> bool {
    deviation <= tolerance || (deviation < NOISE && deviation > 0.25 * before)
}

/// Coefficients at all nodes of all panels, those that are positive as logarithms.
#[derive(Debug, Clone)]
pub struct OpacityTable {
    species: usize,
    energies: usize,
    /// Per radial panel: its radial nodes, and where its values begin.
    panels: Vec<(usize, usize)>,
    /// (panel, species, energy node, radial node).
    values: Vec<Four>,
    /// (panel, species, energy panel).
    logs: Vec<[bool; 4]>,
    energy_panels: usize,
}

impl OpacityTable {
    pub(super) fn build(
        setup: &Setup,
        cells: &[Cell],
        energies: &EnergyPanels,
        rule: &Chebyshev,
    ) -> Result<Self> {
        let energy_nodes = energies.nodes();
        let species = setup.phase_space.species.len();
        let built: Vec<(Vec<Four>, Vec<[bool; 4]>)> = cells
            .par_iter()
            .map(|cell| {
                let rows = cell
                    .radii(rule)
                    .iter()
                    .map(|&r| sample(setup, r, &energy_nodes))
                    .collect::<Result<Vec<_>>>()?;
                Ok(panel_values(&rows, species, energies))
            })
            .collect::<Result<_>>()?;
        let mut table = Self {
            species,
            energies: energy_nodes.len(),
            panels: Vec::with_capacity(cells.len()),
            values: Vec::new(),
            logs: Vec::new(),
            energy_panels: energies.constant.len(),
        };
        for (cell, (values, logs)) in cells.iter().zip(built) {
            table.panels.push((if cell.constant { 1 } else { CHEBYSHEV }, table.values.len()));
            table.values.extend(values);
            table.logs.extend(logs);
        }
        Ok(table)
    }

    fn logs(&self, species: usize, panel: usize, energy_panel: usize) -> [bool; 4] {
        self.logs[(panel * self.species + species) * self.energy_panels + energy_panel]
    }

    /// Coefficients by interpolation.
    pub fn at(
        &self,
        species: usize,
        panel: usize,
        radial: &[f64; CHEBYSHEV],
        energy: &EnergySpot,
    ) -> LocalOpacity {
        let (nodes, start) = self.panels[panel];
        let block = &self.values[start + (species * self.energies + energy.first) * nodes..];
        let mut sum = [0.0; 4];
        let mut add = |weight: f64, row: &[Four]| {
            if nodes == 1 {
                (0..4).for_each(|m| sum[m] += weight * row[0][m]);
                return;
            }
            for (w, value) in radial.iter().zip(row) {
                let weight = weight * w;
                (0..4).for_each(|m| sum[m] += weight * value[m]);
            }
        };
        match &energy.weights {
            None => add(1.0, &block[..nodes]),
            Some(weights) => {
                weights.iter().zip(block.chunks_exact(nodes)).for_each(|(&w, row)| add(w, row));
            }
        }
        from_four(sum, self.logs(species, panel, energy.panel))
    }

    /// Whether any species scatters in `panel`, and whether with σ₁ ≠ 0.
    pub(super) fn scatters(&self, panel: usize) -> (bool, bool) {
        let start = self.panels[panel].1;
        let end = self.panels.get(panel + 1).map_or(self.values.len(), |next| next.1);
        let flags = self.energy_panels * self.species;
        let logs = self.logs[panel * flags..(panel + 1) * flags].iter().any(|log| log[2]);
        let any = |m: usize| self.values[start..end].iter().any(|value| value[m] != 0.0);
        (logs || any(2), any(3))
    }

    /// Per species: whether all coefficients of `panel` vanish.
    pub(super) fn transparent(&self, panel: usize) -> Vec<bool> {
        let (nodes, start) = self.panels[panel];
        let size = self.energies * nodes;
        (0..self.species)
            .map(|s| {
                let logs =
                    &self.logs[(panel * self.species + s) * self.energy_panels..][..self.energy_panels];
                let values = &self.values[start + s * size..][..size];
                logs.iter().flatten().all(|log| !log) && values.iter().flatten().all(|&v| v == 0.0)
            })
            .collect()
    }
}

pub(super) fn from_four(values: Four, logs: [bool; 4]) -> LocalOpacity {
    let back = |m: usize| if logs[m] { values[m].exp() } else { values[m].max(0.0) };
    let scattering = back(2);
    LocalOpacity {
        absorption: back(0),
        emissivity: back(1),
        scattering,
        scattering_first: values[3].clamp(-scattering, scattering),
    }
}

/// Values of one panel, (species, energy node, radial node), from rows (species, energy node) per radius.
fn panel_values(
    rows: &[Vec<LocalOpacity>],
    species: usize,
    energies: &EnergyPanels,
) -> (Vec<Four>, Vec<[bool; 4]>) {
    let count = energies.offsets[energies.offsets.len() - 1];
    let (mut values, mut logs) = (Vec::new(), Vec::new());
    for s in 0..species {
        for pair in energies.offsets.windows(2) {
            let mut block: Vec<Four> = (pair[0]..pair[1])
                .flat_map(|e| rows.iter().map(move |row| four(&row[s * count + e])))
                .collect();
            // A single value needs no logarithm.
            let log = if block.len() > 1 { logarithmic(&block) } else { [false; 4] };
            for value in &mut block {
                (0..4).filter(|&m| log[m]).for_each(|m| value[m] = value[m].ln());
            }
            values.extend(block);
            logs.push(log);
        }
    }
    (values, logs)
}
