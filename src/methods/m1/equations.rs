//! The discrete moment equations of one group of (species, energy) that are solved together (docs/m1.md).
//! Per unit comoving path length,
//!
//! ```text
//! (W/α) ∂_t (J + vH) + (1/(αXr²)) ∂_r[αr²W (H + vJ)] − (1/ε²) ∂_ε[ε³ (aH + k_r K + k_⊥(J−K))]  =  ½∫ B dμ
//! (W/α) ∂_t (H + vK) + (1/(αXr²)) ∂_r[αr²W (K + vH)] − (1/ε²) ∂_ε[ε³ (aK + k_r L + k_⊥(H−L))]
//!                    − (l_⊥ − a)(J − K) − (k_⊥ − k_r)(H − L)                                    =  ½∫ μB dμ
//! ```
//!
//! by finite volumes in r and ε: one cell per radial node and per member, with the connection scalars of the
//! Boltzmann operator and the numerical flux of two closed states at each face.

use crate::methods::boltzmann::inelastic::{Field, Inelastic, Pair, Rates};
use crate::methods::closures::{Closure, minerbo};
use crate::methods::coefficients::Coefficients;
use crate::opacities::LocalOpacity;
use crate::phase_space::{EnergyGrid, PhaseSpace};
use crate::solvers::face_coupled::FluxJacobian;

use super::closed::{Closed, Passage};
use super::flow::Flow;
use super::reconstruction::{Factors, Reconstruction};

/// What is beyond an end of the radial grid.
#[derive(Debug, Clone, PartialEq)]
pub enum Outside {
    Vacuum,
    Reflecting,
    /// J and H of what enters of a given f, at the energies.
    Given(Vec<Pair>),
}

/// Everything that the equations of all groups share.
#[derive(Debug)]
pub struct Shared<'a> {
    /// Elements of degree 0.
    pub space: &'a PhaseSpace,
    pub flow: &'a Flow,
    pub coefficients: &'a Coefficients,
    pub closure: Closure,
    pub inner: Outside,
    pub outer: Outside,
    /// 1/(γΔt) of an implicit stage, 0 in steady state.
    pub shift: f64,
}

/// The equations of one group. Fields of a group are at (cell, member), member fastest.
#[derive(Debug)]
pub struct Equations<'a> {
    pub shared: &'a Shared<'a>,
    /// (species, energy) of each member.
    pub members: Vec<(usize, usize)>,
    /// Whether the energy derivative is part of the equations; members are then all energies of their
    /// species, in order.
    pub shifts_energies: bool,
    /// Inelastic collisions; members are then all species and energies, in order.
    pub inelastic: Option<&'a Inelastic>,
    /// J + vH and H + vK that the stage starts from; nothing in steady state.
    pub known: Vec<Pair>,
}

/// Half of the energy fluxes aH + k_r K + k_⊥(J−K) and aK + k_r L + k_⊥(H−L) (× αXr²), ± half of the largest
/// speed times (J, H), of the state at a face; with derivatives with respect to the cell's own state.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EnergyFlux {
    pub value: [f64; 2],
    pub jacobian: [[f64; 2]; 2],
}

/// A state with all that residual and Jacobian need of it.
pub struct Evaluation<'a> {
    pub equations: &'a Equations<'a>,
    /// At (cell, member).
    pub cells: Vec<Closed>,
    /// At (face, member): fluxes, with derivatives with respect to the states of the cells below and above
    /// (at the ends of the grid: of the one cell there is).
    pub radial: Vec<([f64; 2], FluxJacobian)>,
    /// At (cell, member): what redshift takes through the lower and blueshift through the upper face. Empty
    /// without energy shifts.
    pub energy: Vec<[EnergyFlux; 2]>,
    pub rates: Field<Rates>,
    /// J at the faces from the states on both sides, at (face, member).
    face_density: Vec<f64>,
}

impl<'a> Equations<'a> {
    /// All fluxes and rates of the state `u`.
    pub fn evaluate(
        &'a self,
        u: &[Pair],
        reconstruction: &Reconstruction,
        speeds_vary: bool,
    ) -> Evaluation<'a> {
        let cells: Vec<Closed> = u.iter().map(|&pair| Closed::new(self.shared.closure, pair)).collect();
        let (radial, face_density) = self.radial_fluxes(u, reconstruction, speeds_vary);
        let energy = match (self.shifts_energies, &self.shared.space.energy) {
            (true, EnergyGrid::Spectral(_)) => {
                (0..u.len()).map(|n| self.energy_fluxes(u[n], &reconstruction.energy[n], n)).collect()
            }
            _ => Vec::new(),
        };
        let rates = self.inelastic.map_or_else(Vec::new, |inelastic| inelastic.rates(u));
        Evaluation { equations: self, cells, radial, energy, rates, face_density }
    }

    pub fn local(&self, cell: usize, member: usize) -> &LocalOpacity {
        let (species, k) = self.members[member];
        let coefficients = self.shared.coefficients;
        coefficients.at(coefficients.first(species, k) + cell)
    }

    /// Factor of flux differences in the rows of `cell`: 1/(αXr² Δr).
    pub fn per_volume(&self, cell: usize) -> f64 {
        1.0 / (self.shared.space.radial.weights[cell] * self.shared.flow.volume[cell])
    }

    fn radial_fluxes(
        &self,
        u: &[Pair],
        reconstruction: &Reconstruction,
        speeds_vary: bool,
    ) -> (Vec<([f64; 2], FluxJacobian)>, Vec<f64>) {
        let (count, cells) = (self.members.len(), self.shared.space.radial.nodes.len());
        let side = |cell: usize, face: usize, member: usize| {
            let n = cell * count + member;
            let factors = reconstruction.radial[n][face];
            (Closed::new(self.shared.closure, factors.of(u[n])), factors)
        };
        let mut densities = Vec::with_capacity((cells + 1) * count);
        let mut fluxes = Vec::with_capacity((cells + 1) * count);
        for face in 0..=cells {
            for member in 0..count {
                let below = face.checked_sub(1).map(|cell| side(cell, 1, member));
                let above = (face < cells).then(|| side(face, 0, member));
                let sides = [below, above].into_iter().flatten();
                let (sum, number) = sides.fold((0.0, 0.0), |(sum, n), (state, _)| (sum + state.j, n + 1.0));
                densities.push(sum / number);
                let inside = below.is_some() && above.is_some();
                let passage = self.passage(face, member, inside, speeds_vary);
                fluxes.push(self.radial_flux(passage, below, above, member));
            }
        }
        (fluxes, densities)
    }

    fn radial_flux(
        &self,
        passage: Passage,
        below: Option<(Closed, Factors)>,
        above: Option<(Closed, Factors)>,
        member: usize,
    ) -> ([f64; 2], FluxJacobian) {
        let shared = self.shared;
        let k = self.members[member].1;
        match (below, above) {
            (Some((below, factors_below)), Some((above, factors_above))) => {
                let (flux, jacobian) = passage.flux(&below, &above);
                let below = factors_below.chained(jacobian.below);
                (flux, FluxJacobian { below, above: factors_above.chained(jacobian.above) })
            }
            (None, Some((own, factors))) => {
                let (flux, jacobian) = passage.flux(&shared.beyond(&shared.inner, &own, k, 1.0), &own);
                let above =
                    factors.chained(own_part(&shared.inner, &own, 1.0, jacobian.above, jacobian.below));
                (flux, FluxJacobian { above, ..FluxJacobian::default() })
            }
            (Some((own, factors)), None) => {
                let (flux, jacobian) = passage.flux(&own, &shared.beyond(&shared.outer, &own, k, -1.0));
                let below =
                    factors.chained(own_part(&shared.outer, &own, -1.0, jacobian.below, jacobian.above));
                (flux, FluxJacobian { below, ..FluxJacobian::default() })
            }
            (None, None) => ([0.0; 2], FluxJacobian::default()),
        }
    }

    /// How `face` lets `member` through; the ends of the grid, which are not `inside`, dissipate in full.
    fn passage(&self, face: usize, member: usize, inside: bool, speeds_vary: bool) -> Passage {
        Passage {
            closure: self.shared.closure,
            flow: self.shared.flow.faces[face],
            transparency: if inside { self.transparency(face, member) } else { 1.0 },
            // With the blocking of inelastic collisions the derivatives of the speeds save no Newton steps, and on a
            // snapshot Newton's method went in circles with them.
            speeds_vary: speeds_vary && self.inelastic.is_none(),
        }
    }

    /// Share of the numerical dissipation at `face` that is kept: 1/(1 + optical depth between the centres of
    /// the cells), by the more transparent of the two, so that a surface radiates as into vacuum.
    fn transparency(&self, face: usize, member: usize) -> f64 {
        let Shared { space, flow, .. } = *self.shared;
        let opacity = |cell: usize| self.local(cell, member).transport() * flow.proper_length[cell];
        let distance = space.radial.nodes[face] - space.radial.nodes[face - 1];
        1.0 / (1.0 + distance * opacity(face - 1).min(opacity(face)))
    }

    fn energy_fluxes(&self, pair: Pair, factors: &[Factors; 2], n: usize) -> [EnergyFlux; 2] {
        let cell = n / self.members.len();
        let flux = |factors: Factors, sign: f64| {
            let state = Closed::new(self.shared.closure, factors.of(pair));
            let flux = self.energy_flux(cell, &state, sign);
            EnergyFlux { jacobian: factors.chained(flux.jacobian), ..flux }
        };
        [flux(factors[0], 1.0), flux(factors[1], -1.0)]
    }

    /// The part of the energy flux of `state` that is upwinded as redshift (`sign` 1) or as blueshift (−1).
    fn energy_flux(&self, cell: usize, state: &Closed, sign: f64) -> EnergyFlux {
        let flow = self.shared.flow;
        let [constant, linear, square] = flow.energy_speed[cell];
        let spread = constant + sign * flow.largest_energy_speed(cell);
        EnergyFlux {
            value: [
                0.5 * (spread * state.j + linear * state.h + square * state.k),
                0.5 * (spread * state.h + linear * state.k + square * state.l),
            ],
            jacobian: [
                [0.5 * (spread + square * state.k_by_j), 0.5 * (linear + square * state.k_by_h)],
                [
                    0.5 * (linear * state.k_by_j + square * state.l_by_j),
                    0.5 * (spread + linear * state.k_by_h + square * state.l_by_h),
                ],
            ],
        }
    }

    /// Factors of the energy fluxes through the lower and upper face of energy cell `k` in its rows:
    /// ε³/∫ε² dε.
    pub fn energy_faces(&self, k: usize) -> [f64; 2] {
        match &self.shared.space.energy {
            EnergyGrid::Gray => [0.0, 3.0],
            EnergyGrid::Spectral(grid) => {
                let (lower, upper) = (grid.edges[k].powi(3), grid.edges[k + 1].powi(3));
                let volume = (upper - lower) / 3.0;
                [lower / volume, upper / volume]
            }
        }
    }

    /// Widths of the cells as the length that the flow needs, at (cell, member).
    pub fn transit(&self) -> Vec<f64> {
        let Shared { space, flow, .. } = *self.shared;
        (0..space.radial.nodes.len())
            .map(|i| 1.0 / (flow.nodes[i].static_part * self.per_volume(i) * flow.clock[i]))
            .flat_map(|length| std::iter::repeat_n(length, self.members.len()))
            .collect()
    }

    /// Lengths that turn a residual into an error of the moments, at (cell, member).
    pub fn row_scale(&self) -> Vec<f64> {
        let Shared { space, flow, shift, .. } = *self.shared;
        (0..space.radial.nodes.len())
            .flat_map(|i| (0..self.members.len()).map(move |c| (i, c)))
            .map(|(i, c)| {
                let local = self.local(i, c);
                let radial = flow.nodes[i].static_part * self.per_volume(i);
                let shifted =
                    if self.shifts_energies { self.energy_faces(self.members[c].1)[1] } else { 0.0 };
                let speed = flow.largest_energy_speed(i) / flow.volume[i];
                let total = radial + shifted * speed + local.absorption + local.scattering;
                1.0 / (total + shift * flow.clock[i])
            })
            .collect()
    }
}

impl Evaluation<'_> {
    pub fn count(&self) -> usize {
        self.equations.members.len()
    }

    /// J, H, K at `face` that carry the numerical fluxes H + vJ and K + vH there, with J from the states on
    /// both sides.
    pub fn face_moments(&self, face: usize, member: usize) -> [f64; 3] {
        let shared = self.equations.shared;
        let (flow, v) = (shared.flow.faces[face].static_part, shared.flow.face_velocity[face]);
        let j = self.face_density[face * self.count() + member];
        if flow == 0.0 {
            return [j, 0.0, j / 3.0];
        }
        let [number, momentum] = self.radial[face * self.count() + member].0;
        let h = number / flow - v * j;
        [j, h, momentum / flow - v * h]
    }

    /// Right side minus left side of both equations at (cell, member).
    pub fn residual(&self) -> Vec<Pair> {
        let count = self.count();
        (0..self.cells.len())
            .map(|n| {
                let (cell, member) = (n / count, n % count);
                let per_volume = self.equations.per_volume(cell);
                let (below, above) = (self.radial[n].0, self.radial[n + count].0);
                let [number, momentum] = self.local_terms(cell, member);
                Pair {
                    j: number - per_volume * (above[0] - below[0]),
                    h: momentum - per_volume * (above[1] - below[1]),
                }
            })
            .collect()
    }

    /// All terms but the radial ones, collisions minus left side.
    fn local_terms(&self, cell: usize, member: usize) -> [f64; 2] {
        let equations = self.equations;
        let flow = equations.shared.flow;
        let n = cell * self.count() + member;
        let state = &self.cells[n];
        let local = equations.local(cell, member);
        let volume = flow.volume[cell];
        let turning = flow.bending[cell] * (state.j - state.k) + flow.aberration[cell] * (state.h - state.l);
        let mut number = local.emissivity - local.absorption * state.j;
        let mut momentum = turning / volume - local.transport() * state.h;
        if let Some(rates) = self.rates.get(n) {
            number += rates.emission - rates.extinction * state.j - rates.extinction_first * state.h;
            momentum +=
                rates.emission_first / 3.0 - rates.extinction * state.h - rates.extinction_first * state.k;
        }
        if equations.shifts_energies {
            let [zeroth, first] = self.energy_terms(cell, member);
            number += zeroth / volume;
            momentum += first / volume;
        }
        if let Some(known) = equations.known.get(n) {
            let clock = equations.shared.shift * flow.clock[cell];
            let [density, momentum_density] = conserved(state, flow.velocity[cell]);
            number -= clock * (density - known.j);
            momentum -= clock * (momentum_density - known.h);
        }
        [number, momentum]
    }

    /// (1/ε²) ∂_ε[ε³ …] of both equations, × αXr².
    fn energy_terms(&self, cell: usize, member: usize) -> [f64; 2] {
        let k = self.equations.members[member].1;
        let [lower, upper] = self.equations.energy_faces(k);
        let n = cell * self.count() + member;
        if self.energy.is_empty() {
            // f does not depend on ε: (1/ε²) ∂_ε ε³ = 3.
            let state = &self.cells[n];
            let (red, blue) =
                (self.equations.energy_flux(cell, state, 1.0), self.equations.energy_flux(cell, state, -1.0));
            return [0, 1].map(|m| upper * (red.value[m] + blue.value[m]));
        }
        let own = &self.energy[n];
        let last = k + 1 == self.equations.shared.space.energy.len();
        [0, 1].map(|m| {
            let from_above = if last { 0.0 } else { self.energy[n + 1][0].value[m] };
            let from_below =
                if k > 0 { self.energy[n - 1][1].value[m] } else { self.inflow_from_below(n)[m] };
            upper * (own[1].value[m] + from_above) - lower * (own[0].value[m] + from_below)
        })
    }

    /// Derivative of [`Self::energy_terms`] of unknown `n` with respect to itself.
    pub fn own_energy_jacobian(&self, n: usize) -> [[f64; 2]; 2] {
        let (equations, cell) = (self.equations, n / self.count());
        let k = equations.members[n % self.count()].1;
        let [lower, upper] = equations.energy_faces(k);
        let part = |sign: f64| equations.energy_flux(cell, &self.cells[n], sign).jacobian;
        if self.energy.is_empty() {
            let (red, blue) = (part(1.0), part(-1.0));
            return [0, 1].map(|to| [0, 1].map(|from| upper * (red[to][from] + blue[to][from])));
        }
        let [red, blue] = self.energy[n];
        let from_below = if k > 0 { [[0.0; 2]; 2] } else { part(-1.0) };
        let entry = |to: usize, from: usize| {
            upper * blue.jacobian[to][from] - lower * (red.jacobian[to][from] + from_below[to][from])
        };
        [0, 1].map(|to| [0, 1].map(|from| entry(to, from)))
    }

    /// What blueshift brings from below the lowest energy, where f is taken as constant.
    fn inflow_from_below(&self, n: usize) -> [f64; 2] {
        self.equations.energy_flux(n / self.count(), &self.cells[n], -1.0).value
    }
}

/// J + vH and H + vK.
pub fn conserved(state: &Closed, v: f64) -> [f64; 2] {
    [state.j + v * state.h, state.h + v * state.k]
}

impl Shared<'_> {
    /// The state beyond an end of the grid whose own trace is `own`, at energy `k`; `inward` is the sign of μ of what
    /// enters there.
    fn beyond(&self, condition: &Outside, own: &Closed, k: usize, inward: f64) -> Closed {
        match condition {
            Outside::Vacuum => Closed { k_by_j: own.k_by_j, k_by_h: own.k_by_h, ..Closed::default() },
            Outside::Reflecting => own.mirrored(),
            Outside::Given(entering) => {
                let (leaving, _) = leaving(own, inward);
                let pair = Pair { j: entering[k].j + leaving.j, h: entering[k].h + leaving.h };
                Closed::new(self.closure, pair)
            }
        }
    }
}

/// J and H of the half range of `own` that leaves the grid, by Minerbo's distribution whatever the closure is, with
/// the derivatives of both to J and H: with it f that is given and isotropic is in equilibrium with matter inside.
fn leaving(own: &Closed, inward: f64) -> (Pair, [[f64; 2]; 2]) {
    let ratio = if own.j > 0.0 { (inward * own.h / own.j).clamp(-1.0, 1.0) } else { 0.0 };
    let ([share, flux], [dshare, dflux]) = minerbo::backward(ratio);
    let slopes = [[share - ratio * dshare, inward * dshare], [-inward * (flux - ratio * dflux), -dflux]];
    (Pair { j: share * own.j, h: -inward * flux * own.j }, slopes)
}

/// Derivative with respect to the own trace `own`: a mirrored state, and what leaves, depend on it too.
fn own_part(
    condition: &Outside,
    own: &Closed,
    inward: f64,
    by_own: [[f64; 2]; 2],
    by_other: [[f64; 2]; 2],
) -> [[f64; 2]; 2] {
    let slopes = match condition {
        Outside::Vacuum => return by_own,
        Outside::Reflecting => [[1.0, 0.0], [0.0, -1.0]],
        Outside::Given(_) => leaving(own, inward).1,
    };
    let part = |to: usize, by: usize| by_other[to][0] * slopes[0][by] + by_other[to][1] * slopes[1][by];
    [0, 1].map(|to| [0, 1].map(|by| by_own[to][by] + part(to, by)))
}
