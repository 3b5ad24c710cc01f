//! The discrete moment equations of one group of (species, energy node) that are solved together, and
//! their Jacobian (docs/m1.md). Per unit comoving path length,
//!
//! ```text
//! (W/α) ∂_t (J + vH) + (1/(αXr²)) ∂_r[αr²W (H + vJ)] − (1/ε²) ∂_ε[ε³ (aH + k_r K + k_⊥(J−K))]  =  ½∫ B dμ
//! (W/α) ∂_t (H + vK) + (1/(αXr²)) ∂_r[αr²W (K + vH)] − (1/ε²) ∂_ε[ε³ (aK + k_r L + k_⊥(H−L))]
//!                    − (l_⊥ − a)(J − K) − (k_⊥ − k_r)(H − L)                                    =  ½∫ μB dμ
//! ```
//!
//! They are the moments of the Boltzmann operator's own discrete form: the same elements, nodes, traces
//! and connection scalars, with the numerical flux of two closed states in place of upwinding.

use crate::methods::boltzmann::energy_redistribution::EnergyRedistribution;
use crate::methods::boltzmann::inelastic::{Field, Inelastic, Pair, Rates};
use crate::methods::closures::Closure;
use crate::methods::coefficients::Coefficients;
use crate::opacities::LocalOpacity;
use crate::phase_space::PhaseSpace;
use crate::solvers::face_coupled::{COMPONENTS, Face, FluxJacobian};

use super::cells::Cells;
use super::closed::{Closed, numerical_flux};
use super::flow::Flow;

/// What is beyond an end of the radial grid.
#[derive(Debug, Clone, PartialEq)]
pub enum Outside {
    Vacuum,
    Reflecting,
    /// Moments of a given f at the energy nodes.
    Given(Vec<Closed>),
}

/// Everything that the equations of all groups share.
#[derive(Debug)]
pub struct Shared<'a> {
    pub space: &'a PhaseSpace,
    pub flow: &'a Flow,
    pub coefficients: &'a Coefficients,
    pub closure: Closure,
    pub inner: Outside,
    pub outer: Outside,
    /// 1/(γΔt) of an implicit stage, 0 in steady state.
    pub shift: f64,
}

/// The equations of one group. Fields of a group are at (radial node, member), member fastest.
#[derive(Debug)]
pub struct Equations<'a> {
    pub shared: &'a Shared<'a>,
    /// (species, energy node) of each member.
    pub members: Vec<(usize, usize)>,
    /// Whether the energy derivative is part of the equations; members are then all energies of their
    /// species, in order.
    pub shifts_energies: bool,
    /// The energy derivative of the group.
    pub energy: EnergyRedistribution,
    /// Inelastic collisions; members are then all species and energies, in order.
    pub inelastic: Option<&'a Inelastic>,
    /// J + vH and H + vK that the stage starts from; nothing in steady state.
    pub known: Vec<Pair>,
}

/// A state with all that residual and Jacobian need of it.
pub struct Evaluation<'a> {
    equations: &'a Equations<'a>,
    cells: &'a Cells,
    /// At (radial node, member).
    nodes: Vec<Closed>,
    /// At (element edge, member).
    edge_fluxes: Vec<([f64; 2], FluxJacobian)>,
    rates: Field<Rates>,
}

impl<'a> Equations<'a> {
    /// Residual and Jacobian at the state `u`.
    pub fn evaluate(&'a self, u: &[Pair], cells: &'a Cells) -> Evaluation<'a> {
        let nodes = u.iter().map(|&pair| Closed::new(self.shared.closure, pair)).collect();
        let rates = self.inelastic.map_or_else(Vec::new, |inelastic| inelastic.rates(u));
        let mut evaluation = Evaluation { equations: self, cells, nodes, edge_fluxes: Vec::new(), rates };
        evaluation.edge_fluxes = evaluation.fluxes_at_edges();
        evaluation
    }

    fn local(&self, node: usize, member: usize) -> &LocalOpacity {
        let (species, k) = self.members[member];
        let coefficients = self.shared.coefficients;
        coefficients.at(coefficients.first(species, k) + node)
    }

    /// Lengths that turn a residual into an error of the moments, at (radial node, member).
    pub fn row_scale(&self) -> Vec<f64> {
        let Shared { space, flow, shift, .. } = *self.shared;
        (0..space.radial.nodes.len())
            .flat_map(|i| (0..self.members.len()).map(move |c| (i, c)))
            .map(|(i, c)| {
                let local = self.local(i, c);
                let radial = flow.nodes[i].static_part / (space.radial.weights[i] * flow.volume[i]);
                let diagonal = self.energy.diagonal(self.members[c].1, true).abs();
                let shifted = if self.shifts_energies { diagonal } else { 0.0 };
                let speed = flow.largest_energy_speed(i) / flow.volume[i];
                let total = radial + shifted * speed + local.absorption + local.scattering;
                1.0 / (total + shift * flow.clock[i])
            })
            .collect()
    }
}

impl Evaluation<'_> {
    fn count(&self) -> usize {
        self.equations.members.len()
    }

    /// Weights of the nodes of `element` in its traces at the lower and the upper end.
    fn traces(&self, element: usize) -> [Vec<f64>; 2] {
        self.cells.traces(&self.equations.shared.space.radial, element)
    }

    fn trace(&self, element: usize, weights: &[f64], member: usize) -> Closed {
        let nodes = self.equations.shared.space.radial.range(element);
        let mut pair = Pair::default();
        for (i, weight) in nodes.zip(weights) {
            let node = &self.nodes[i * self.count() + member];
            pair.j += weight * node.j;
            pair.h += weight * node.h;
        }
        Closed::new(self.equations.shared.closure, pair)
    }

    /// Numerical fluxes through all element edges, with derivatives with respect to the traces of the
    /// elements below and above (at the ends of the grid: of the one element there is).
    fn fluxes_at_edges(&self) -> Vec<([f64; 2], FluxJacobian)> {
        let radial = &self.equations.shared.space.radial;
        let (last, count) = (radial.elements(), self.count());
        let mut fluxes = Vec::with_capacity((last + 1) * count);
        let mut below: Vec<Closed> = Vec::new();
        for edge in 0..=last {
            let traces = (edge < last).then(|| self.traces(edge));
            let above: Vec<Closed> = traces
                .iter()
                .flat_map(|[lower, _]| (0..count).map(|member| self.trace(edge, lower, member)))
                .collect();
            fluxes.extend((0..count).map(|member| {
                self.flux(edge, below.get(member).copied(), above.get(member).copied(), member)
            }));
            below = traces
                .iter()
                .flat_map(|[_, upper]| (0..count).map(|member| self.trace(edge, upper, member)))
                .collect();
        }
        fluxes
    }

    fn flux(
        &self,
        edge: usize,
        below: Option<Closed>,
        above: Option<Closed>,
        member: usize,
    ) -> ([f64; 2], FluxJacobian) {
        let shared = self.equations.shared;
        let flow = shared.flow.edges[edge];
        let k = self.equations.members[member].1;
        match (below, above) {
            (Some(below), Some(above)) => numerical_flux(&below, &above, flow),
            (None, Some(own)) => {
                let outside = outside(&shared.inner, &own, k);
                let (flux, mut jacobian) = numerical_flux(&outside, &own, flow);
                jacobian.above = own_part(&shared.inner, jacobian.above, jacobian.below);
                (flux, jacobian)
            }
            (Some(own), None) => {
                let outside = outside(&shared.outer, &own, k);
                let (flux, mut jacobian) = numerical_flux(&own, &outside, flow);
                jacobian.below = own_part(&shared.outer, jacobian.below, jacobian.above);
                (flux, jacobian)
            }
            (None, None) => ([0.0; 2], FluxJacobian::default()),
        }
    }

    /// Flux of number and of the first moment of a member through `edge`: αr²W ½∫(μ+v) f {1, μ} dμ.
    fn edge_flux(&self, edge: usize, member: usize) -> [f64; 2] {
        self.edge_fluxes[edge * self.count() + member].0
    }

    /// J, H, K at `edge` that carry the numerical fluxes H + vJ and K + vH there, with J from the traces on
    /// both sides.
    pub fn edge_moments(&self, edge: usize, member: usize) -> [f64; 3] {
        let shared = self.equations.shared;
        let (flow, v) = (shared.flow.edges[edge].static_part, shared.flow.edge_velocity[edge]);
        let traces = [
            edge.checked_sub(1).map(|e| (e, 1)),
            (edge < shared.space.radial.elements()).then_some((edge, 0)),
        ];
        let sides: Vec<f64> = traces
            .into_iter()
            .flatten()
            .map(|(element, end)| self.trace(element, &self.traces(element)[end], member).j)
            .collect();
        let j = sides.iter().sum::<f64>() / sides.len() as f64;
        if flow == 0.0 {
            return [j, 0.0, j / 3.0];
        }
        let [number, momentum] = self.edge_flux(edge, member);
        let h = number / flow - v * j;
        [j, h, momentum / flow - v * h]
    }

    /// Right side minus left side of both equations at (radial node, member).
    pub fn residual(&self) -> Vec<Pair> {
        let shared = self.equations.shared;
        let radial = &shared.space.radial;
        let mut residual = vec![Pair::default(); self.nodes.len()];
        for (element, rows) in residual.chunks_mut(radial.per_element() * self.count()).enumerate() {
            self.radial_terms(element, rows);
            for (local, node) in radial.range(element).enumerate() {
                for member in 0..self.count() {
                    let [number, momentum] = self.local_terms(node, member);
                    let row = &mut rows[local * self.count() + member];
                    (row.j, row.h) = (number - row.j, momentum - row.h);
                }
            }
        }
        residual
    }

    /// Adds (1/(αXr²)) ∂_r[...] of both equations for the nodes of `element`.
    fn radial_terms(&self, element: usize, rows: &mut [Pair]) {
        let Shared { space, flow, .. } = *self.equations.shared;
        let (radial, count) = (&space.radial, self.count());
        let (first, nodes) = (radial.range(element).start, radial.per_element());
        let split = self.cells.is_split(element);
        let [lower, upper] = self.cells.lifts(radial, element);
        for member in 0..count {
            let (below, above) = (self.edge_flux(element, member), self.edge_flux(element + 1, member));
            let inside: Vec<[f64; 2]> = (first..first + nodes)
                .map(|i| self.nodes[i * count + member].radial_flux(flow.nodes[i]))
                .collect();
            let cell_fluxes = self.sub_cell_fluxes(element, member);
            for i in 0..nodes {
                let scale = 1.0 / (radial.weights[first + i] * flow.volume[first + i]);
                let term = |m: usize| {
                    let weak: f64 = (0..nodes).map(|q| radial.basis.stiffness(i, q) * inside[q][m]).sum();
                    let between = cell_fluxes[i + 1].0[m] - cell_fluxes[i].0[m];
                    let ends = upper[i] * above[m] - lower[i] * below[m];
                    scale * (ends + if split { between } else { -weak })
                };
                let row = &mut rows[i * count + member];
                row.j += term(0);
                row.h += term(1);
            }
        }
    }

    /// Fluxes between the sub-cells of `element`, 0 at its ends.
    fn sub_cell_fluxes(&self, element: usize, member: usize) -> Vec<([f64; 2], FluxJacobian)> {
        let shared = self.equations.shared;
        let range = shared.space.radial.range(element);
        let mut fluxes = vec![([0.0; 2], FluxJacobian::default()); range.len() + 1];
        if !self.cells.is_split(element) {
            return fluxes;
        }
        for (flux, i) in fluxes[1..].iter_mut().zip(range.start..range.end - 1) {
            let at =
                |i: usize, factor: f64| self.nodes[i * self.count() + member].scaled(shared.closure, factor);
            let (upward, downward) = (self.cells.upward[i], self.cells.downward[i + 1]);
            *flux = numerical_flux(&at(i, upward), &at(i + 1, downward), shared.flow.upper_faces[i]);
            let jacobian = &mut flux.1;
            jacobian.below = jacobian.below.map(|row| row.map(|value| upward * value));
            jacobian.above = jacobian.above.map(|row| row.map(|value| downward * value));
        }
        fluxes
    }

    /// All other terms at a node, collisions minus left side.
    fn local_terms(&self, node: usize, member: usize) -> [f64; 2] {
        let equations = self.equations;
        let Shared { flow, .. } = *equations.shared;
        let state = &self.nodes[node * self.count() + member];
        let local = equations.local(node, member);
        let volume = flow.volume[node];
        let turning = flow.bending[node] * (state.j - state.k) + flow.aberration[node] * (state.h - state.l);
        let mut number = local.emissivity - local.absorption * state.j;
        let mut momentum = turning / volume - local.transport() * state.h;
        if let Some(rates) = self.rates.get(node * self.count() + member) {
            number += rates.emission - rates.extinction * state.j - rates.extinction_first * state.h;
            momentum +=
                rates.emission_first / 3.0 - rates.extinction * state.h - rates.extinction_first * state.k;
        }
        if equations.shifts_energies {
            for (other, factor, sign) in self.energy_couplings(node, member) {
                let [zeroth, first] = self.energy_flux(node, other, sign);
                number -= factor * zeroth / volume;
                momentum -= factor * first / volume;
            }
        }
        if let Some(known) = equations.known.get(node * self.count() + member) {
            let clock = equations.shared.shift * flow.clock[node];
            let [density, momentum_density] = conserved(state, flow.velocity[node]);
            number -= clock * (density - known.j);
            momentum -= clock * (momentum_density - known.h);
        }
        [number, momentum]
    }

    /// (member, factor, direction) of the energy derivative's rows at a radial node: +1 for the part of the
    /// energy flux that is upwinded as redshift, −1 for the part that is upwinded as blueshift.
    fn energy_couplings(&self, node: usize, member: usize) -> impl Iterator<Item = (usize, f64, f64)> + '_ {
        let k = self.equations.members[member].1;
        let energy = &self.equations.energy;
        let first = node * self.count();
        [(true, 1.0), (false, -1.0)].into_iter().flat_map(move |(redshift, sign)| {
            energy.row(k, redshift).iter().map(move |&(q, factor)| {
                let other = member - k + q;
                let [below, above] = self.cells.energy_faces[first + other];
                (other, factor * if redshift { below } else { above }, sign)
            })
        })
    }

    /// Half of the energy fluxes aH + k_r K + k_⊥(J−K) and aK + k_r L + k_⊥(H−L) (× αXr²), ± half of the
    /// largest speed times (J, H).
    fn energy_flux(&self, node: usize, member: usize, sign: f64) -> [f64; 2] {
        let flow = self.equations.shared.flow;
        let [constant, linear, square] = flow.energy_speed[node];
        let spread = sign * flow.largest_energy_speed(node);
        let state = &self.nodes[node * self.count() + member];
        [
            0.5 * ((constant + spread) * state.j + linear * state.h + square * state.k),
            0.5 * ((constant + spread) * state.h + linear * state.k + square * state.l),
        ]
    }

    /// Derivatives of [`Self::energy_flux`] with respect to (J, H).
    fn energy_flux_jacobian(&self, node: usize, member: usize, sign: f64) -> [[f64; 2]; 2] {
        let flow = self.equations.shared.flow;
        let [constant, linear, square] = flow.energy_speed[node];
        let spread = constant + sign * flow.largest_energy_speed(node);
        let state = &self.nodes[node * self.count() + member];
        [
            [0.5 * (spread + square * state.k_by_j), 0.5 * (linear + square * state.k_by_h)],
            [
                0.5 * (linear * state.k_by_j + square * state.l_by_j),
                0.5 * (spread + linear * state.k_by_h + square * state.l_by_h),
            ],
        ]
    }

    /// The couplings of neighbouring elements in −∂(residual)/∂u.
    pub fn faces(&self) -> Vec<Face> {
        let Shared { space, flow, .. } = *self.equations.shared;
        let (radial, count) = (&space.radial, self.count());
        let lifted = |element: usize, trace: &[f64], sign: f64| -> Vec<f64> {
            let nodes = radial.range(element).zip(trace);
            nodes.map(|(i, trace)| sign * trace / (radial.weights[i] * flow.volume[i])).collect()
        };
        (1..radial.elements())
            .map(|edge| {
                let ([_, trace_below], [trace_above, _]) = (self.traces(edge - 1), self.traces(edge));
                let [_, lift_below] = self.cells.lifts(radial, edge - 1);
                let [lift_above, _] = self.cells.lifts(radial, edge);
                Face {
                    lift_below: lifted(edge - 1, &lift_below, 1.0),
                    lift_above: lifted(edge, &lift_above, -1.0),
                    trace_below,
                    trace_above,
                    fluxes: self.edge_fluxes[edge * count..(edge + 1) * count].iter().map(|f| f.1).collect(),
                }
            })
            .collect()
    }

    /// The diagonal block of `element` of −∂(residual)/∂u + `pseudo` × (density of the conserved
    /// quantities)′, column-major.
    pub fn block(&self, element: usize, pseudo: f64, block: &mut [f64]) {
        block.fill(0.0);
        let radial = &self.equations.shared.space.radial;
        let mut block = Block { size: radial.per_element() * self.count() * COMPONENTS, values: block };
        self.radial_block(element, &mut block);
        for (local, node) in radial.range(element).enumerate() {
            for member in 0..self.count() {
                self.local_block(node, local, member, pseudo, &mut block);
            }
        }
    }

    fn radial_block(&self, element: usize, block: &mut Block) {
        let Shared { space, flow, .. } = *self.equations.shared;
        let (radial, count) = (&space.radial, self.count());
        let (first, nodes) = (radial.range(element).start, radial.per_element());
        let split = self.cells.is_split(element);
        let ([lower, upper], [lower_lift, upper_lift]) =
            (self.traces(element), self.cells.lifts(radial, element));
        for member in 0..count {
            let below = self.edge_fluxes[element * count + member].1.above;
            let above = self.edge_fluxes[(element + 1) * count + member].1.below;
            let cells = self.sub_cell_fluxes(element, member);
            for i in 0..nodes {
                let scale = 1.0 / (radial.weights[first + i] * flow.volume[first + i]);
                for q in 0..nodes {
                    let weak = if split { 0.0 } else { radial.basis.stiffness(i, q) };
                    let inside =
                        self.nodes[(first + q) * count + member].radial_flux_jacobian(flow.nodes[first + q]);
                    let (ends_above, ends_below) = (upper_lift[i] * upper[q], lower_lift[i] * lower[q]);
                    let place = (i * count + member, q * count + member);
                    block.add(place, scale, |to, from| {
                        ends_above * above[to][from] - ends_below * below[to][from] - weak * inside[to][from]
                    });
                }
                if i + 1 < nodes {
                    let scale_next = 1.0 / (radial.weights[first + i + 1] * flow.volume[first + i + 1]);
                    let FluxJacobian { below, above } = cells[i + 1].1;
                    let (row, next) = (i * count + member, (i + 1) * count + member);
                    block.add((row, row), scale, |to, from| below[to][from]);
                    block.add((row, next), scale, |to, from| above[to][from]);
                    block.add((next, row), -scale_next, |to, from| below[to][from]);
                    block.add((next, next), -scale_next, |to, from| above[to][from]);
                }
            }
        }
    }

    fn local_block(&self, node: usize, local: usize, member: usize, pseudo: f64, block: &mut Block) {
        let equations = self.equations;
        let Shared { flow, shift, .. } = *equations.shared;
        let count = self.count();
        let state = &self.nodes[node * count + member];
        let opacity = equations.local(node, member);
        let (volume, row) = (flow.volume[node], local * count + member);
        let (bending, aberration) = (flow.bending[node] / volume, flow.aberration[node] / volume);
        let diagonal = [
            [opacity.absorption, 0.0],
            [
                -bending * (1.0 - state.k_by_j) + aberration * state.l_by_j,
                bending * state.k_by_h - aberration * (1.0 - state.l_by_h) + opacity.transport(),
            ],
        ];
        block.add((row, row), 1.0, |to, from| diagonal[to][from]);
        let clock = (shift + pseudo) * flow.clock[node];
        let v = flow.velocity[node];
        let density = [[1.0, v], [v * state.k_by_j, 1.0 + v * state.k_by_h]];
        block.add((row, row), clock, |to, from| density[to][from]);
        if equations.shifts_energies {
            for (other, factor, sign) in self.energy_couplings(node, member) {
                let jacobian = self.energy_flux_jacobian(node, other, sign);
                let column = local * count + other;
                block.add((row, column), factor / volume, |to, from| jacobian[to][from]);
            }
        }
        if let Some(inelastic) = equations.inelastic {
            self.inelastic_block(inelastic, node, local, member, block);
        }
    }

    /// −∂/∂u of e₀ − x₀J − x₁H and e₁/3 − x₀H − x₁K.
    fn inelastic_block(
        &self,
        inelastic: &Inelastic,
        node: usize,
        local: usize,
        member: usize,
        block: &mut Block,
    ) {
        let (count, members) = (self.count(), &self.equations.members);
        let state = &self.nodes[node * count + member];
        let rates = &self.rates[node * count + member];
        let row = local * count + member;
        let (extinction, first) = (rates.extinction, rates.extinction_first);
        let own = [[extinction, first], [first * state.k_by_j, extinction + first * state.k_by_h]];
        block.add((row, row), 1.0, |to, from| own[to][from]);
        for (other, &place) in members.iter().enumerate() {
            let Some(coupling) = inelastic.coupling(node, members[member], place) else { continue };
            let ((e0, x0), (e1, x1)) = (coupling.isotropic, coupling.first);
            let change = [[x0 * state.j - e0, x1 * state.h], [x0 * state.h, x1 * state.k - e1 / 3.0]];
            block.add((row, local * count + other), 1.0, |to, from| change[to][from]);
        }
    }
}

/// J + vH and H + vK.
pub fn conserved(state: &Closed, v: f64) -> [f64; 2] {
    [state.j + v * state.h, state.h + v * state.k]
}

/// The state beyond an end of the grid whose own trace is `own`, at energy node `k`.
fn outside(condition: &Outside, own: &Closed, k: usize) -> Closed {
    match condition {
        Outside::Vacuum => Closed { k_by_j: own.k_by_j, k_by_h: own.k_by_h, ..Closed::default() },
        Outside::Reflecting => own.mirrored(),
        Outside::Given(moments) => moments[k],
    }
}

/// Derivative with respect to the own trace: a mirrored state depends on it too.
fn own_part(condition: &Outside, own: [[f64; 2]; 2], other: [[f64; 2]; 2]) -> [[f64; 2]; 2] {
    match condition {
        Outside::Reflecting => [0, 1].map(|to| [own[to][0] + other[to][0], own[to][1] - other[to][1]]),
        Outside::Vacuum | Outside::Given(_) => own,
    }
}

/// A column-major matrix of 2 × 2 parts.
struct Block<'b> {
    size: usize,
    values: &'b mut [f64],
}

impl Block<'_> {
    /// Adds `factor` × `part`(to, from) at (row, column) of the parts.
    fn add(&mut self, (row, column): (usize, usize), factor: f64, part: impl Fn(usize, usize) -> f64) {
        for from in 0..COMPONENTS {
            for to in 0..COMPONENTS {
                let place = (column * COMPONENTS + from) * self.size + row * COMPONENTS + to;
                self.values[place] += factor * part(to, from);
            }
        }
    }
}
