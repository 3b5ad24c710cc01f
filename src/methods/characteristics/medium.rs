//! Background and opacities as the rays see them: radial panels between all radii where something jumps
//! or kinks, with polynomials for α, X, v and for κ*, η, σ₀, σ₁ on each (constants where they are
//! constant), refined until they follow the originals.

use rayon::prelude::*;

use super::rules::{CHEBYSHEV, Chebyshev};
use super::tables::{EnergyPanels, OpacityTable, deviation, four, from_four, sample, settled};
use crate::error::{Error, Result};
use crate::methods::setup::Setup;
use crate::opacities::LocalOpacity;
use crate::phase_space::EnergyGrid;

/// A panel is not cut into more than this many levels of halves.
const DEPTH: usize = 14;
/// Relative accuracy of the lapse.
const GEOMETRY: f64 = 1e-12;
/// Velocities are exact relative to at least this.
const SLOW: f64 = 1e-3;
/// Radii nearer to each other than this, relatively, are one.
const SAME_RADIUS: f64 = 1e-12;
/// Points per panel at which r/α is looked at for extrema.
const LOOKS: usize = 32;
/// A polynomial of the coefficient itself follows variations up to this factor to round-off.
const LARGE_VARIATION: f64 = 3.0;
/// Energies at which radial interpolation is tested.
const TEST_ENERGIES: usize = 16;

/// α, X and v at one radius.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    pub lapse: f64,
    pub metric: f64,
    pub velocity: f64,
}

/// A range of radii in which everything is smooth and r/α is monotonic.
#[derive(Debug, Clone)]
pub struct Panel {
    pub lower: f64,
    pub upper: f64,
    /// r/α at the ends: impact parameters of rays that are tangent there.
    pub tangent_lower: f64,
    pub tangent_upper: f64,
    /// α, X, v at the nodes; only the first entry where `uniform`.
    places: [Place; CHEBYSHEV],
    /// α and X constant and v = 0.
    pub uniform: bool,
    /// Per species: nothing there emits, absorbs or scatters.
    pub transparent: Vec<bool>,
    /// Whether any species scatters there, and whether with σ₁ ≠ 0.
    pub scatters: (bool, bool),
    /// Largest κ* + σ₀ at its middle.
    pub largest_opacity: f64,
    /// Whether the opacities do not depend on r.
    pub constant: bool,
}

/// Where a panel is looked at: its Lagrange weights and the geometry.
#[derive(Debug, Clone, Copy)]
pub struct Spot {
    pub weights: [f64; CHEBYSHEV],
    pub place: Place,
}

/// All panels and their opacities.
#[derive(Debug, Clone)]
pub struct Medium {
    pub panels: Vec<Panel>,
    pub energies: EnergyPanels,
    rule: Chebyshev,
    table: OpacityTable,
    /// Whether f does not depend on the energy.
    pub gray: bool,
    moving: bool,
    /// Radii at which f may have kinks in angle: surfaces, and extrema of r/α.
    pub limbs: Vec<f64>,
}

impl Medium {
    /// Panels for `setup` whose interpolation is good to `tolerance`, with additional panel edges
    /// `extra`.
    ///
    /// # Errors
    /// What the opacities cannot be evaluated at, a background that is not finite.
    pub fn build(setup: &Setup, tolerance: f64, extra: &[f64]) -> Result<Self> {
        let builder = Builder { setup, tolerance, rule: Chebyshev::new() };
        let mut limbs = discontinuities(setup);
        let mut edges = breakpoints(setup, &limbs, extra);
        let extrema = builder.extrema(&edges);
        edges.extend(extrema);
        let edges = distinct(edges);
        let range = energy_range(setup);
        let tests = test_energies(setup, range);
        let cells = builder.refined(&edges, &tests)?;
        let energies = builder.energy_panels(&cells, range)?;
        let table = builder.tabulate(&cells, &energies)?;
        let panels = cells
            .iter()
            .enumerate()
            .map(|(p, cell)| {
                let opacities = sample(setup, cell.at(0.0), &tests)?;
                let largest = opacities.iter().map(|o| o.absorption + o.scattering).fold(0.0, f64::max);
                Ok(builder.panel(cell, table.transparent(p), table.scatters(p), largest))
            })
            .collect::<Result<Vec<_>>>()?;
        if panels.iter().any(|p| !(p.tangent_lower.is_finite() && p.tangent_upper.is_finite())) {
            return Err(Error::Numerical("the lapse vanishes or is not finite on the grid".into()));
        }
        // Circular orbits of light.
        let rises = |p: &Panel| p.tangent_upper > p.tangent_lower;
        let turns = panels.windows(2).filter(|pair| rises(&pair[0]) != rises(&pair[1]));
        limbs.extend(turns.map(|pair| pair[0].upper));
        let limbs = distinct(limbs);
        let gray = matches!(setup.phase_space.energy, EnergyGrid::Gray);
        let rule = builder.rule;
        let moving = panels.iter().any(|panel| panel.places.iter().any(|p| p.velocity != 0.0));
        Ok(Self { moving, panels, energies, rule, table, gray, limbs })
    }

    /// Innermost and outermost radius.
    pub fn range(&self) -> (f64, f64) {
        match (self.panels.first(), self.panels.last()) {
            (Some(first), Some(last)) => (first.lower, last.upper),
            _ => (0.0, 0.0),
        }
    }

    /// The panel of `r`; of two that meet there the upper one where `outward`.
    pub fn panel_at(&self, r: f64, outward: bool) -> usize {
        let below = if outward {
            self.panels.partition_point(|panel| panel.upper <= r)
        } else {
            self.panels.partition_point(|panel| panel.upper < r)
        };
        below.min(self.panels.len().saturating_sub(1))
    }

    /// Geometry and weights at `r` of panel `panel`.
    pub fn spot(&self, panel: usize, r: f64) -> Spot {
        let cell = &self.panels[panel];
        if cell.uniform && cell.constant {
            return Spot { weights: [0.0; CHEBYSHEV], place: cell.places[0] };
        }
        let x = (2.0 * r - cell.lower - cell.upper) / (cell.upper - cell.lower);
        let weights = self.rule.weights(x);
        Spot { weights, place: cell.place(&weights) }
    }

    /// Whether coefficients are constant in groups of energies between which rays pass by the Doppler
    /// effect, so that f jumps in angle.
    pub fn jumps_in_angle(&self) -> bool {
        self.moving && !self.gray && self.energies.has_steps()
    }

    /// Whether the coefficients are the same, everywhere, for two comoving energies.
    pub fn same_opacities(&self, a: f64, b: f64) -> bool {
        !self.gray && self.energies.same_step(a, b)
    }

    /// Whether σ₁ ≠ 0 anywhere.
    pub fn scatters_forward(&self) -> bool {
        self.panels.iter().any(|panel| panel.scatters.1)
    }

    /// α at `r` of panel `panel`.
    pub fn lapse(&self, panel: usize, r: f64) -> f64 {
        self.spot(panel, r).place.lapse
    }

    /// Coefficients of `species` at `spot` of `panel` for the comoving energy `energy`, whose logarithm is
    /// `log`.
    pub fn opacity(&self, species: usize, panel: usize, spot: &Spot, energy: f64, log: f64) -> LocalOpacity {
        self.table.at(species, panel, &spot.weights, &self.energies.find(energy, log, 0))
    }

    /// The same for one of several energies near each other: `guess` is the number of the energy panel of the one
    /// before, and is replaced.
    pub fn opacity_near(
        &self,
        species: usize,
        panel: usize,
        spot: &Spot,
        (energy, log): (f64, f64),
        guess: &mut usize,
    ) -> LocalOpacity {
        let place = self.energies.find(energy, log, *guess);
        *guess = place.panel;
        self.table.at(species, panel, &spot.weights, &place)
    }

    /// Coefficients of `species` along all rays with the energies at infinity `energies`; `None` where
    /// they are no function of r alone because the fluid moves.
    pub fn slice(&self, species: usize, energies: &[f64]) -> Option<Slice> {
        if self.gray || self.moving {
            return None;
        }
        let mut slice =
            Slice { panels: self.panels.len(), values: Vec::new(), logs: Vec::new(), smooth: Vec::new() };
        for &energy in energies {
            for (p, panel) in self.panels.iter().enumerate() {
                let values: [[f64; 4]; CHEBYSHEV] = if panel.transparent[species] {
                    [[0.0; 4]; CHEBYSHEV]
                } else {
                    std::array::from_fn(|i| self.slice_value(species, p, i, energy))
                };
                let lapses = panel.places.iter().map(|place| place.lapse);
                let (low, high) = lapses.fold((f64::MAX, 0.0_f64), |(a, b), v| (a.min(v), b.max(v)));
                let smooth = low == high || self.energies.is_smooth(energy / high, energy / low);
                slice.push(panel.uniform && panel.constant, smooth, values);
            }
        }
        Some(slice)
    }

    fn slice_value(&self, species: usize, panel: usize, node: usize, energy: f64) -> [f64; 4] {
        let weights = std::array::from_fn(|i| if i == node { 1.0 } else { 0.0 });
        let comoving = energy / self.panels[panel].places[node].lapse;
        let spot = self.energies.find(comoving, comoving.ln(), 0);
        four(&self.table.at(species, panel, &weights, &spot))
    }
}

impl Panel {
    /// Whether the lapse is `lapse` everywhere.
    pub fn has_lapse(&self, lapse: f64) -> bool {
        self.places.iter().all(|place| place.lapse == lapse)
    }

    fn place(&self, weights: &[f64; CHEBYSHEV]) -> Place {
        if self.uniform {
            return self.places[0];
        }
        let mut sum = Place { lapse: 0.0, metric: 0.0, velocity: 0.0 };
        for (w, place) in weights.iter().zip(&self.places) {
            sum.lapse += w * place.lapse;
            sum.metric += w * place.metric;
            sum.velocity += w * place.velocity;
        }
        sum
    }
}

/// Coefficients along rays of given energies at infinity, as polynomials in r on each panel.
#[derive(Debug, Clone)]
pub struct Slice {
    panels: usize,
    /// (energy, panel); the logarithms of those that vary much.
    values: Vec<[[f64; 4]; CHEBYSHEV]>,
    logs: Vec<[bool; 4]>,
    /// Whether the coefficients are polynomials there: a step in energy may meet a varying lapse.
    smooth: Vec<bool>,
}

impl Slice {
    fn push(&mut self, constant: bool, smooth: bool, mut values: [[f64; 4]; CHEBYSHEV]) {
        let log: [bool; 4] = std::array::from_fn(|m| {
            let column = || values.iter().map(|value| value[m]);
            let (low, high) = column().fold((f64::MAX, 0.0_f64), |(a, b), v| (a.min(v), b.max(v)));
            m < 3 && !constant && low > 0.0 && high > LARGE_VARIATION * low
        });
        for value in &mut values {
            (0..4).filter(|&m| log[m]).for_each(|m| value[m] = value[m].ln());
        }
        self.values.push(values);
        self.logs.push(log);
        self.smooth.push(smooth);
    }

    /// Coefficients of energy number `number` at `spot` of `panel`; `None` where the slice does not know.
    pub fn opacity(&self, number: usize, panel: usize, spot: &Spot) -> Option<LocalOpacity> {
        let index = number * self.panels + panel;
        if !self.smooth[index] {
            return None;
        }
        let values = &self.values[index];
        if spot.weights == [0.0; CHEBYSHEV] {
            return Some(from_four(values[0], [false; 4]));
        }
        let mut sum = [0.0; 4];
        for (w, value) in spot.weights.iter().zip(values) {
            (0..4).for_each(|m| sum[m] += w * value[m]);
        }
        Some(from_four(sum, self.logs[index]))
    }
}

/// A panel in the making.
#[derive(Debug, Clone)]
pub(super) struct Cell {
    pub lower: f64,
    pub upper: f64,
    pub constant: bool,
}

impl Cell {
    /// Radii of the Chebyshev nodes; the centre alone where opacities are constant.
    pub fn radii(&self, rule: &Chebyshev) -> Vec<f64> {
        if self.constant { vec![self.at(0.0)] } else { rule.nodes.iter().map(|&x| self.at(x)).collect() }
    }

    fn at(&self, x: f64) -> f64 {
        0.5 * (self.lower + self.upper) + 0.5 * x * (self.upper - self.lower)
    }
}

struct Builder<'a> {
    setup: &'a Setup,
    tolerance: f64,
    rule: Chebyshev,
}

impl Builder<'_> {
    fn place(&self, r: f64) -> Place {
        let background = &self.setup.background;
        Place {
            lapse: background.lapse(r),
            metric: background.radial_metric(r),
            velocity: background.velocity(r),
        }
    }

    fn tangent(&self, r: f64) -> f64 {
        r / self.setup.background.lapse(r)
    }

    /// Radii between `edges` at which r/α has an extremum (circular orbits of light).
    fn extrema(&self, edges: &[f64]) -> Vec<f64> {
        let mut found = Vec::new();
        for pair in edges.windows(2) {
            let at = |i: usize| pair[0] + (pair[1] - pair[0]) * i as f64 / LOOKS as f64;
            let values: Vec<f64> = (0..=LOOKS).map(|i| self.tangent(at(i))).collect();
            for i in 1..LOOKS {
                if (values[i] - values[i - 1]) * (values[i + 1] - values[i]) < 0.0 {
                    let sign = if values[i] > values[i - 1] { 1.0 } else { -1.0 };
                    found.push(maximum(at(i - 1), at(i + 1), |r| sign * self.tangent(r)));
                }
            }
        }
        found
    }

    /// Cells between `edges` on which geometry and opacities are polynomials to the tolerance.
    fn refined(&self, edges: &[f64], energies: &[f64]) -> Result<Vec<Cell>> {
        let cells: Vec<Vec<Cell>> = edges
            .par_windows(2)
            .map(|pair| {
                let mut cells = Vec::new();
                self.refine((pair[0], pair[1]), (0, f64::INFINITY), energies, &mut cells).map(|()| cells)
            })
            .collect::<Result<_>>()?;
        Ok(cells.into_iter().flatten().collect())
    }

    fn refine(
        &self,
        (lower, upper): (f64, f64),
        (depth, before): (usize, f64),
        energies: &[f64],
        cells: &mut Vec<Cell>,
    ) -> Result<()> {
        let mut cell = Cell { lower, upper, constant: false };
        let tests = self.rule.between().map(|x| cell.at(x));
        let opacities = |radii: &[f64]| -> Result<Vec<Vec<LocalOpacity>>> {
            radii.iter().map(|&r| sample(self.setup, r, energies)).collect()
        };
        let at_nodes = opacities(&cell.radii(&self.rule))?;
        let at_tests = opacities(&tests)?;
        cell.constant = at_nodes.iter().chain(&at_tests).all(|row| row == &at_nodes[0]);
        let tabulated = cell.constant && self.setup.opacities.zone_edges().is_some();
        let opacities = if cell.constant { 0.0 } else { self.opacity_deviation(&at_nodes, &at_tests) };
        let deviation = if tabulated { 0.0 } else { self.geometry_deviation(&cell, &tests).max(opacities) };
        if settled(deviation, before, self.tolerance) || depth >= DEPTH {
            cells.push(cell);
            return Ok(());
        }
        let middle = 0.5 * (lower + upper);
        self.refine((lower, middle), (depth + 1, deviation), energies, cells)?;
        self.refine((middle, upper), (depth + 1, deviation), energies, cells)
    }

    /// How far polynomials are from the geometry, in a measure that should be at most the tolerance: the
    /// lapse, of which F is a small difference, has to be exact to round-off.
    fn geometry_deviation(&self, cell: &Cell, tests: &[f64]) -> f64 {
        let places: Vec<Place> = self.rule.nodes.iter().map(|&x| self.place(cell.at(x))).collect();
        let speed = places.iter().map(|p| p.velocity.abs()).fold(0.0, f64::max).max(SLOW);
        let stricter = self.tolerance / GEOMETRY;
        let deviation = |&r: &f64| {
            let weights = self.rule.weights(cell.reference(r));
            let off = |value: fn(&Place) -> f64, exact: f64| {
                (weights.iter().zip(&places).map(|(w, p)| w * value(p)).sum::<f64>() - exact).abs()
            };
            let exact = self.place(r);
            let lapse = stricter * off(|p| p.lapse, exact.lapse) / exact.lapse;
            let metric = off(|p| p.metric, exact.metric) / exact.metric;
            lapse.max(metric).max(off(|p| p.velocity, exact.velocity) / speed)
        };
        tests.iter().map(deviation).fold(0.0, f64::max)
    }

    fn opacity_deviation(&self, at_nodes: &[Vec<LocalOpacity>], at_tests: &[Vec<LocalOpacity>]) -> f64 {
        let column = |rows: &[Vec<LocalOpacity>], c: usize| rows.iter().map(|row| row[c]).collect::<Vec<_>>();
        let columns = 0..at_nodes.first().map_or(0, Vec::len);
        columns.map(|c| deviation(&self.rule, &column(at_nodes, c), &column(at_tests, c))).fold(0.0, f64::max)
    }

    fn energy_panels(&self, cells: &[Cell], range: (f64, f64)) -> Result<EnergyPanels> {
        let radii: Vec<f64> =
            cells.iter().flat_map(|cell| [cell.at(-0.7), cell.at(0.3)].into_iter()).collect();
        let stride = radii.len().div_ceil(64);
        let chosen: Vec<f64> = radii.into_iter().step_by(stride).collect();
        EnergyPanels::build(self.setup, &chosen, range, self.tolerance, &self.rule)
    }

    fn tabulate(&self, cells: &[Cell], energies: &EnergyPanels) -> Result<OpacityTable> {
        OpacityTable::build(self.setup, cells, energies, &self.rule)
    }

    fn panel(
        &self,
        cell: &Cell,
        transparent: Vec<bool>,
        scatters: (bool, bool),
        largest_opacity: f64,
    ) -> Panel {
        let places: [Place; CHEBYSHEV] = std::array::from_fn(|i| self.place(cell.at(self.rule.nodes[i])));
        let first = places[0];
        let same = |p: &Place| p.lapse == first.lapse && p.metric == first.metric && p.velocity == 0.0;
        Panel {
            lower: cell.lower,
            upper: cell.upper,
            tangent_lower: self.tangent(cell.lower),
            tangent_upper: self.tangent(cell.upper),
            places,
            uniform: places.iter().all(same),
            transparent,
            scatters,
            largest_opacity,
            constant: cell.constant,
        }
    }
}

impl Cell {
    fn reference(&self, r: f64) -> f64 {
        (2.0 * r - self.lower - self.upper) / (self.upper - self.lower)
    }
}

/// Radii at which background or opacities jump, inside the grid.
fn discontinuities(setup: &Setup) -> Vec<f64> {
    let (inner, outer) = ends(setup);
    let mut radii = setup.background.discontinuities().to_vec();
    radii.extend(setup.opacities.discontinuities());
    radii.retain(|&r| r > inner && r < outer);
    distinct(radii)
}

/// The ends of the radial grid.
fn ends(setup: &Setup) -> (f64, f64) {
    let edges = &setup.phase_space.radial.edges;
    (edges[0], edges[edges.len() - 1])
}

fn breakpoints(setup: &Setup, limbs: &[f64], extra: &[f64]) -> Vec<f64> {
    let (inner, outer) = ends(setup);
    let mut radii = limbs.to_vec();
    let tabulated = setup.opacities.zone_edges();
    match tabulated {
        Some(zones) => radii.extend(zones),
        None => {
            radii.extend(&setup.phase_space.radial.edges);
            radii.extend(setup.background.zone_edges().unwrap_or_default());
            radii.extend(setup.background.profile_radii());
            radii.extend(extra);
        }
    }
    radii.retain(|&r| r > inner && r < outer);
    radii.extend([inner, outer]);
    distinct(radii)
}

/// Ascending, without near repetition.
fn distinct(mut radii: Vec<f64>) -> Vec<f64> {
    radii.sort_by(f64::total_cmp);
    radii.dedup_by(|b, a| (*b - *a).abs() <= SAME_RADIUS * b.abs());
    radii
}

/// Comoving energies that rays through the grid can have.
fn energy_range(setup: &Setup) -> (f64, f64) {
    let EnergyGrid::Spectral(grid) = &setup.phase_space.energy else { return (1.0, 1.0) };
    let geometry = &setup.geometry;
    let lapses = geometry.lapse.iter().chain(&geometry.edge_lapse);
    let (low, high) = lapses.fold((f64::MAX, 0.0_f64), |(low, high), &a| (low.min(a), high.max(a)));
    let speeds = geometry.velocity.iter().chain(&geometry.edge_velocity);
    let fastest = speeds.fold(0.0_f64, |most, v| most.max(v.abs()));
    let doppler = (1.0 + fastest) / (1.0 - fastest);
    let shift = 1.01 * doppler * high / low;
    let edges = &grid.edges;
    let bottom = if edges[0] > 0.0 { edges[0] } else { 1e-4 * edges[1] };
    (bottom / shift, edges[edges.len() - 1] * shift)
}

fn test_energies(setup: &Setup, (low, high): (f64, f64)) -> Vec<f64> {
    if matches!(setup.phase_space.energy, EnergyGrid::Gray) {
        return vec![1.0];
    }
    let last = (TEST_ENERGIES - 1) as f64;
    (0..TEST_ENERGIES).map(|i| low * (high / low).powf(i as f64 / last)).collect()
}

/// Where `value`, which has one maximum between `low` and `high`, is largest (golden section).
fn maximum(mut low: f64, mut high: f64, value: impl Fn(f64) -> f64) -> f64 {
    const GOLDEN: f64 = 0.618_033_988_749_894_9;
    for _ in 0..100 {
        let (a, b) = (high - GOLDEN * (high - low), low + GOLDEN * (high - low));
        if value(a) > value(b) {
            high = b;
        } else {
            low = a;
        }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::problem::{LoadOptions, load};

    fn setup(name: &str) -> Setup {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("problems").join(format!("{name}.ron"));
        Setup::build(&load(&path, &LoadOptions::default()).unwrap()).unwrap()
    }

    #[test]
    fn opacities_are_interpolated_to_the_tolerance() {
        for (name, lowest) in [("oven", 0.1), ("expanding_atmosphere", 0.1), ("pns_atmosphere", 1.0)] {
            let setup = setup(name);
            let medium = Medium::build(&setup, 1e-8, &[]).unwrap();
            let (inner, outer) = medium.range();
            for i in 0..200 {
                let part = (f64::from(i) * 0.618_033_988_7).fract();
                let r = inner + (outer - inner) * part * part;
                let energy = lowest * (45.0_f64 / lowest).powf((f64::from(i) * 0.414_213_562).fract());
                let panel = medium.panel_at(r, true);
                let spot = medium.spot(panel, r);
                let exact = sample(&setup, r, &[energy]).unwrap()[0];
                let found = medium.opacity(0, panel, &spot, energy, energy.ln());
                for (a, b) in four(&found).into_iter().zip(four(&exact)) {
                    assert!(
                        (a - b).abs() <= 1e-7 * b.abs() + 1e-200,
                        "{name}: {found:?} {exact:?} r = {r} {energy}"
                    );
                }
            }
        }
    }
}
