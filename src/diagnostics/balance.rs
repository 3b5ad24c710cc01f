//! Balances of number and energy: what the matter emits minus what it absorbs against what leaves through
//! the edges of phase space, with the numerical fluxes of the scheme.

use std::f64::consts::PI;

use crate::methods::boltzmann::connection::lorentz_factor;
use crate::methods::boltzmann::operator::Operator;
use crate::methods::setup::Setup;
use crate::phase_space::EnergyGrid;

use super::exchange::Exchange;

/// Rates of one species, all neutrinos of one kind, in the external units 1/s and erg/s.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Rates {
    /// Emission and absorption by the matter, number.
    pub emitted: f64,
    pub absorbed: f64,
    /// Net number from inelastic scattering, which conserves it: 0 up to rounding.
    pub scattered: f64,
    /// Net number through the outer and (inward) the inner edge: what leaves.
    pub left_outer: f64,
    pub left_inner: f64,
    /// Gross number that comes in at the edges.
    pub came_in: f64,
    /// Number that leaves through the ends of the energy grid (in a gray problem: that redshift takes out
    /// of the unit interval of energy).
    pub left_energy: f64,
    /// Energy at infinity: net gain from the matter, net loss through the edges, gross emission and inflow.
    pub energy_gained: f64,
    pub energy_left: f64,
    pub energy_turnover: f64,
}

impl Rates {
    /// d(number)/dt that the balance implies.
    pub fn number_gain(&self) -> f64 {
        self.emitted - self.absorbed + self.scattered - self.left_outer - self.left_inner - self.left_energy
    }

    /// What number imbalances are compared with.
    pub fn number_turnover(&self) -> f64 {
        self.emitted.abs() + self.came_in.abs()
    }

    /// Residual of the steady number balance relative to the turnover.
    pub fn number_residual(&self) -> f64 {
        relative(self.number_gain(), self.number_turnover())
    }

    /// Residual of the steady energy balance relative to the turnover.
    pub fn energy_residual(&self) -> f64 {
        relative(self.energy_gained - self.energy_left, self.energy_turnover)
    }
}

/// a/b, 0 where both vanish.
pub fn relative(a: f64, b: f64) -> f64 {
    if a == 0.0 { 0.0 } else { a / b.abs().max(f64::MIN_POSITIVE) }
}

/// f of one species with everything needed to sum it up.
struct View<'a> {
    setup: &'a Setup,
    operator: &'a Operator<'a>,
    species: usize,
    f: &'a [f64],
}

/// Rates of every species, whose f is `f` (species, energy node, radial node, ordinate) with the exchange
/// with matter that follows from it, and with the inflow (energy node, ordinate) at the inner and outer
/// edge.
pub fn rates(
    setup: &Setup,
    operator: &Operator,
    f: &[f64],
    exchange: &[Vec<Exchange>],
    inflow: (&[f64], &[f64]),
) -> Vec<Rates> {
    f.chunks_exact(setup.phase_space.unknowns_per_species())
        .enumerate()
        .map(|(species, f)| View { setup, operator, species, f }.rates(exchange, inflow))
        .collect()
}

/// External units of `rates`, which are per state of phase space.
fn in_external_units(setup: &Setup, mut rates: Rates) -> Rates {
    let units = setup.units;
    let number = (4.0 * PI).powi(2) * units.speed_of_light() / units.planck_c_cubed();
    let energy = number * units.erg_per_energy();
    for value in [
        &mut rates.emitted,
        &mut rates.absorbed,
        &mut rates.scattered,
        &mut rates.left_outer,
        &mut rates.left_inner,
        &mut rates.came_in,
        &mut rates.left_energy,
    ] {
        *value *= number;
    }
    for value in [&mut rates.energy_gained, &mut rates.energy_left, &mut rates.energy_turnover] {
        *value *= energy;
    }
    rates
}

/// Number of neutrinos of `species` on the slice t = const: Σ (4π)²/(hc)³ ∫ X r² W(1+vμ) ε² f.
pub fn number_on_slice(setup: &Setup, operator: &Operator, f: &[f64]) -> f64 {
    let space = &setup.phase_space;
    let (slab, ordinates) = (space.slab(), space.angular.nodes.len());
    let mut total = 0.0;
    for (k, f) in f.chunks_exact(slab).enumerate() {
        for (n, f) in f.iter().enumerate() {
            let (i, j) = (n / ordinates, n % ordinates);
            let volume = space.radial.weights[i] * operator.connection.volume[i] * operator.time_factor[n];
            total += operator.energy.number_weight[k] * volume * 0.5 * space.angular.weights[j] * f;
        }
    }
    total * (4.0 * PI).powi(2) / setup.units.planck_c_cubed()
}

#[derive(Clone, Copy, PartialEq)]
enum Edge {
    Inner,
    Outer,
}

impl View<'_> {
    fn slab(&self, k: usize) -> &[f64] {
        let slab = self.setup.phase_space.slab();
        &self.f[k * slab..(k + 1) * slab]
    }

    /// ε³dε weight of energy at infinity; a gray problem counts f per unit energy at infinity.
    fn energy_weight(&self, k: usize) -> f64 {
        let grid = &self.setup.phase_space.energy;
        grid.weight(k) * grid.node(k).powi(3)
    }

    fn rates(&self, exchange: &[Vec<Exchange>], (inner, outer): (&[f64], &[f64])) -> Rates {
        let mut rates = Rates::default();
        self.add_matter(&mut rates, exchange);
        self.add_edge(&mut rates, Edge::Inner, inner);
        self.add_edge(&mut rates, Edge::Outer, outer);
        rates.left_energy = self.energy_term();
        in_external_units(self.setup, rates)
    }

    fn add_matter(&self, rates: &mut Rates, exchange: &[Vec<Exchange>]) {
        let (space, geometry) = (&self.setup.phase_space, &self.setup.geometry);
        let energies = space.energy.len();
        for (i, exchange) in exchange.iter().enumerate() {
            let volume = space.radial.weights[i] * self.operator.connection.volume[i];
            let v = geometry.velocity[i];
            let own = &exchange[self.species * energies..(self.species + 1) * energies];
            for (k, local) in own.iter().enumerate() {
                let number = self.operator.energy.number_weight[k] * volume;
                rates.emitted += number * local.emitted;
                rates.absorbed += number * local.absorbed;
                rates.scattered += number * local.scattered;
                // αWε(1+vμ) is the energy at infinity, so the first moment of B counts with v.
                let redshift = geometry.lapse[i] * lorentz_factor(v) * self.energy_weight(k) * volume;
                rates.energy_gained += redshift * (local.net() + v * local.momentum);
                rates.energy_turnover += redshift * local.emitted;
            }
        }
    }

    /// What leaves through an edge in r, and what comes in there.
    fn add_edge(&self, rates: &mut Rates, side: Edge, inflow: &[f64]) {
        let (space, geometry) = (&self.setup.phase_space, &self.setup.geometry);
        let (radial, angular) = (&space.radial, &space.angular);
        let (edge, trace, element, outward) = match side {
            Edge::Inner => (0, &radial.basis.left, 0, -1.0),
            Edge::Outer => (radial.elements(), &radial.basis.right, radial.elements() - 1, 1.0),
        };
        let reflecting = match side {
            Edge::Inner => self.setup.boundaries.reflecting().0,
            Edge::Outer => self.setup.boundaries.reflecting().1,
        };
        let (lapse, v) = (geometry.edge_lapse[edge], geometry.edge_velocity[edge]);
        let ordinates = angular.nodes.len();
        for k in 0..space.energy.len() {
            let f = &self.slab(k)[radial.range(element).start * ordinates..];
            let traced =
                |j: usize| -> f64 { trace.iter().enumerate().map(|(i, l)| l * f[i * ordinates + j]).sum() };
            for j in 0..ordinates {
                let mu = angular.nodes[j];
                let flow = outward * self.operator.connection.edge_flow(edge, mu);
                let value = match (flow < 0.0, reflecting) {
                    (false, _) => traced(j),
                    (true, true) => traced(space.mirror(j)),
                    (true, false) => inflow[k * ordinates + j],
                };
                let carried = 0.5 * angular.weights[j] * flow * value;
                let number = self.operator.energy.number_weight[k] * carried;
                let energy = lapse * lorentz_factor(v) * (1.0 + v * mu) * self.energy_weight(k) * carried;
                match side {
                    Edge::Inner => rates.left_inner += number,
                    Edge::Outer => rates.left_outer += number,
                }
                rates.energy_left += energy;
                if flow < 0.0 {
                    rates.came_in -= number;
                    rates.energy_turnover -= energy;
                }
            }
        }
    }

    /// Number that the energy derivative takes away: the flux through the ends of the grid.
    fn energy_term(&self) -> f64 {
        let space = &self.setup.phase_space;
        let ordinates = space.angular.nodes.len();
        let weight =
            |n: usize| 0.5 * space.angular.weights[n % ordinates] * space.radial.weights[n / ordinates];
        let speeds = &self.operator.connection.energy_speed;
        let sum = |f: &dyn Fn(usize) -> f64| -> f64 {
            (0..space.slab()).filter(|&n| speeds[n] != 0.0).map(|n| weight(n) * speeds[n] * f(n)).sum()
        };
        let EnergyGrid::Spectral(grid) = &space.energy else {
            return -3.0 * sum(&|n| self.slab(0)[n]);
        };
        let (top, bottom) = (grid.elements() - 1, grid.range(0).start);
        let first_of_top = grid.range(top).start;
        let traced = |first: usize, trace: &[f64], n: usize| -> f64 {
            trace.iter().enumerate().map(|(q, l)| l * self.slab(first + q)[n]).sum()
        };
        // Nothing comes in from above; below the lowest edge f is constant.
        let above = sum(&|n| if speeds[n] < 0.0 { traced(first_of_top, &grid.basis.right, n) } else { 0.0 });
        let below = sum(&|n| traced(bottom, &grid.basis.left, n));
        grid.edges[0].powi(3) * below - grid.edges[grid.elements()].powi(3) * above
    }
}
