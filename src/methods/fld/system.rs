//! The discrete number equations of species and lines of constant energy at infinity that are solved together,
//! and their Jacobian.
//!
//! Vectors hold (radial node, member), member fastest; members are (species, line). All terms but those of
//! inelastic collisions are of first degree in J.

use rayon::prelude::*;

use crate::methods::boltzmann::inelastic::Rates;

use super::balance::Balance;
use super::discrete::Discrete;
use super::elimination::{Neighbours, Sparse};
use super::face::{self, Face, Law, Surroundings};
use super::kernels::Kernels;
use super::limiter::Limiter;
use super::matter::Local;

/// The equations of one group of members.
pub struct System<'a> {
    pub discrete: &'a Discrete<'a>,
    pub members: &'a [(usize, usize)],
    /// Inelastic collisions; members are then all lines of the kernels' species, in order.
    pub kernels: Option<&'a Kernels>,
    /// Rates of inelastic collisions that do not depend on the unknowns, at (radial node, member).
    pub fixed: &'a [Rates],
    /// The limiter; none for the linear equations of a first guess.
    pub limiter: Option<Limiter>,
    /// Share of 1/r that is added to the transport opacity.
    pub least_opacity: f64,
    /// Whether the Jacobian has speeds in energy and spectral slopes as they are, and not their derivatives: it
    /// then has no positive elements beside its diagonal but those of collisions.
    pub frozen: bool,
    /// How much of the spectral slopes there is: 1, and less on the way.
    pub slopes: f64,
    /// 1/(γΔt) of an implicit stage, 0 in steady state.
    pub shift: f64,
    /// (W/α)(J + vH) that the stage starts from; empty in steady state.
    pub known: &'a [f64],
}

/// Everything that follows from one J.
pub struct State {
    /// At (face, member).
    pub faces: Vec<Face>,
    pub rates: Vec<Rates>,
    pub residual: Vec<f64>,
    /// Size of each row of the Jacobian.
    pub scale: Vec<f64>,
    /// What streams out of each cell or is absorbed in it, per J.
    pub speed: Vec<f64>,
}

/// A value at a node, and its derivatives to J of the same member at the node below, the node itself and the node
/// above.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Sloped {
    value: f64,
    slopes: [f64; 3],
}

/// One term of the energy derivative: its value and its derivatives as (node offset + 1, member, value).
struct EnergyTerm {
    value: f64,
    slopes: Vec<(usize, usize, f64)>,
}

/// Speed that rows of empty cells are scaled with.
const LEAST_SPEED: f64 = 1e-12;

impl System<'_> {
    /// Members.
    pub fn size(&self) -> usize {
        self.members.len()
    }

    fn local(&self, i: usize, m: usize) -> &Local {
        let (species, p) = self.members[m];
        &self.discrete.matter[species].local[i * self.discrete.lines.len() + p]
    }

    /// Fluxes and residual at `x`; `dual` is H/J_f at (face, member) for the derivatives, or empty.
    pub fn state(&self, x: &[f64], dual: &[f64]) -> State {
        let n = self.size();
        let rates = match self.kernels {
            Some(kernels) => kernels.rates(x),
            None => self.fixed.to_vec(),
        };
        let transport: Vec<f64> =
            (0..x.len()).into_par_iter().map(|index| self.transport(x, &rates, index)).collect();
        let faces = self.faces(x, &transport, dual);
        let rows = (0..x.len()).into_par_iter();
        let rows: Vec<[f64; 3]> =
            rows.map(|index| self.line(x, &faces, &rates, index / n, index % n)).collect();
        let part = |of: usize| rows.iter().map(|row| row[of]).collect();
        State { residual: part(0), scale: part(1), speed: part(2), faces, rates }
    }

    /// Transport opacity with the part of inelastic collisions.
    fn transport(&self, x: &[f64], rates: &[Rates], index: usize) -> f64 {
        let (i, m) = (index / self.size(), index % self.size());
        let elastic = self.local(i, m).transport;
        let Some(rates) = rates.get(index) else { return elastic };
        let Some(kernels) = self.kernels else { return elastic + rates.extinction };
        if rates.extinction < 0.0 {
            return elastic;
        }
        let lines = self.discrete.lines.len();
        let first = index - m % lines;
        let spectrum = &x[first..first + lines];
        let anisotropy = kernels.anisotropy(i, m / lines, spectrum, m % lines, rates.extinction);
        elastic + rates.extinction + anisotropy
    }

    fn faces(&self, x: &[f64], transport: &[f64], dual: &[f64]) -> Vec<Face> {
        let Discrete { mesh, edges, .. } = self.discrete;
        let (n, nodes) = (self.size(), mesh.nodes);
        let mut faces: Vec<Face> = (0..(nodes + 1) * n)
            .into_par_iter()
            .map(|index| match (index / n, index % n) {
                (f, m) if f > 0 && f < nodes => self.inner_face(x, transport, dual.get(index).copied(), f, m),
                _ => Face::default(),
            })
            .collect();
        for (m, &(_, p)) in self.members.iter().enumerate() {
            let before = faces[(nodes - 1) * n + m];
            faces[m] = edges.inner(mesh, p, x[m]);
            faces[nodes * n + m] = edges.outer(mesh, p, x[(nodes - 1) * n + m], &before);
        }
        faces
    }

    fn inner_face(&self, x: &[f64], transport: &[f64], dual: Option<f64>, f: usize, m: usize) -> Face {
        let (mesh, n) = (&self.discrete.mesh, self.size());
        let (below, radius) = (mesh.below[f], mesh.face_radius[f]);
        let opacity = below * transport[(f - 1) * n + m] + (1.0 - below) * transport[f * n + m];
        let (species, p) = self.members[m];
        let caps = &self.discrete.caps[species];
        let at = Surroundings {
            area: mesh.area[f],
            velocity: mesh.velocity[f],
            stretch: mesh.stretch[f],
            spreading: mesh.spreading[f],
            opacity: opacity + self.least_opacity / radius,
            cap: caps.get(f * self.discrete.lines.len() + p).copied().unwrap_or(1.0),
            dual,
        };
        let law = self.limiter.map_or(Law::Linear(1.0 / radius), Law::Limited);
        face::flux(law, &at, x[(f - 1) * n + m], x[f * n + m])
    }

    /// Residual of one row, (what flows out and is absorbed) − (what is emitted), its scale and its speed.
    fn line(&self, x: &[f64], faces: &[Face], rates: &[Rates], i: usize, m: usize) -> [f64; 3] {
        let (n, mesh) = (self.size(), &self.discrete.mesh);
        let (index, volume) = (i * n + m, mesh.volume[i]);
        let (local, j) = (self.local(i, m), x[index]);
        let (lower, upper) = (&faces[index].total, &faces[index + n].total);
        let mut residual = upper.value - lower.value + volume * (local.absorption * j - local.emissivity);
        let mut sink = local.absorption + self.shift * mesh.time[i];
        if let Some(rates) = rates.get(index) {
            residual += volume * (rates.extinction * j - rates.emission);
            sink += rates.extinction;
        }
        residual += self.energy_terms(x, faces, i, m).iter().map(|term| term.value).sum::<f64>();
        if self.shift > 0.0 {
            let known = self.known.get(index).copied().unwrap_or(0.0);
            residual += self.shift * volume * (self.stored(x, faces, i, m).value - known);
        }
        let flows = [upper.below, upper.above, lower.below, lower.above].iter().map(|f| f.abs()).sum::<f64>();
        // Where nothing flows or absorbs, rows count as if radiation streamed slowly.
        let scale = (flows + volume * sink).max(LEAST_SPEED * mesh.area[i + 1]);
        [residual, scale, mesh.area[i + 1] + volume * sink]
    }

    /// H/J_f at (face, member) that the linearised equations have after the change `step` of `x` to `next`.
    pub fn dual(&self, state: &State, step: &[f64], next: &[f64]) -> Vec<f64> {
        let (n, mesh) = (self.size(), &self.discrete.mesh);
        let last = mesh.nodes * n;
        let at = |index: usize| {
            if index < n || index >= last {
                return 0.0;
            }
            let (flux, f) = (&state.faces[index].flux, index / n);
            let linear = flux.value + flux.below * step[index - n] + flux.above * step[index];
            let upstream = if linear >= 0.0 { 0 } else { 1 };
            let j = next[[index - n, index][upstream]] * mesh.spreading[f][upstream] * mesh.area[f];
            if j > 0.0 { (linear / j).clamp(-1.0, 1.0) } else { 0.0 }
        };
        (0..last + n).map(at).collect()
    }

    /// H at node `i`: C³/(αr²W) × the flux, linear between the faces; in the innermost cell of a centre,
    /// where the flux rises as r³, H/r of the face.
    pub fn h(&self, faces: &[Face], radius: f64, i: usize, m: usize) -> f64 {
        let (mesh, n) = (&self.discrete.mesh, self.size());
        let [lower, upper] = [0, 1].map(|side| faces[(i + side) * n + m].flux.value);
        let part = (radius - mesh.face_radius[i]) / (mesh.face_radius[i + 1] - mesh.face_radius[i]);
        let flux = if mesh.face_radius[i] == 0.0 {
            upper * part.powi(3)
        } else {
            (1.0 - part) * lower + part * upper
        };
        flux * mesh.clock[i].powi(3) / mesh.node_area[i]
    }

    /// Mean of both faces' H, no more than J.
    fn mean_h(&self, x: &[f64], faces: &[Face], i: usize, m: usize) -> Sloped {
        let (mesh, n) = (&self.discrete.mesh, self.size());
        let (lower, upper) = (faces[i * n + m].flux, faces[(i + 1) * n + m].flux);
        let factor = 0.5 * mesh.clock[i].powi(3) / mesh.node_area[i];
        let (value, j) = (factor * (lower.value + upper.value), x[i * n + m].max(0.0));
        if value.abs() > j {
            return Sloped { value: j * value.signum(), slopes: [0.0, value.signum(), 0.0] };
        }
        let slopes = [lower.below, lower.above + upper.below, upper.above].map(|slope| factor * slope);
        Sloped { value, slopes }
    }

    /// (W/α)(J + vH).
    fn stored(&self, x: &[f64], faces: &[Face], i: usize, m: usize) -> Sloped {
        let mesh = &self.discrete.mesh;
        let (time, v) = (mesh.time[i], mesh.node_velocity[i]);
        let mut stored = Sloped { value: time * x[i * self.size() + m], slopes: [0.0, time, 0.0] };
        if v != 0.0 {
            let h = self.mean_h(x, faces, i, m);
            stored.value += time * v * h.value;
            stored.slopes.iter_mut().zip(h.slopes).for_each(|(sum, slope)| *sum += time * v * slope);
        }
        stored
    }

    /// (W/α)(J + vH) at all rows.
    pub fn all_stored(&self, x: &[f64], state: &State) -> Vec<f64> {
        let n = self.size();
        (0..x.len()).map(|index| self.stored(x, &state.faces, index / n, index % n).value).collect()
    }

    /// What moves to lower energies at the speed of its own line: J(rest + h·flux + χ·pressure).
    fn shifted(&self, x: &[f64], faces: &[Face], i: usize, m: usize) -> Sloped {
        let (drift, n) = (self.discrete.mesh.drift[i], self.size());
        let (h, j) = (self.mean_h(x, faces, i, m), x[i * n + m]);
        let chis = [faces[i * n + m].chi, faces[(i + 1) * n + m].chi];
        let share = 1.0 / chis.iter().filter(|chi| chi.value > 0.0).count().max(1) as f64;
        let chi = share * (chis[0].value + chis[1].value);
        let chi_slopes = [chis[0].below, chis[0].above + chis[1].below, chis[1].above];
        let mut shifted =
            Sloped { value: drift.rest * j + drift.flux * h.value + drift.pressure * chi * j, ..h };
        for (slope, chi_slope) in shifted.slopes.iter_mut().zip(chi_slopes) {
            *slope = drift.flux * *slope + drift.pressure * share * chi_slope * j;
        }
        shifted.slopes[1] += drift.rest + drift.pressure * chi;
        shifted
    }

    /// What moves from line to line in row (`i`, `m`): upwind, with the slope of the spectrum up to the
    /// interface. Nothing comes in from above the highest line.
    fn energy_terms(&self, x: &[f64], faces: &[Face], i: usize, m: usize) -> Vec<EnergyTerm> {
        if self.limiter.is_none() || self.discrete.mesh.drift[i] == Default::default() {
            return Vec::new();
        }
        let lines = &self.discrete.lines;
        if lines.gray {
            let shifted = self.shifted(x, faces, i, m);
            let slopes = (0..3).map(|side| (side, m, -3.0 * shifted.slopes[side])).collect();
            return vec![EnergyTerm { value: -3.0 * shifted.value, slopes }];
        }
        let (p, first) = (self.members[m].1, m - self.members[m].1);
        let row = i * self.size() + first;
        let spectrum = &x[row..row + lines.len()];
        let mut terms = Vec::with_capacity(4);
        for (face, sign) in [(p, 1.0), (p + 1, -1.0)] {
            let scale = sign * lines.cube[face] / lines.weight[p];
            let sources = [(face.checked_sub(1), -1.0), (Some(face).filter(|&q| q < lines.len()), 1.0)];
            for (q, direction) in sources.into_iter().filter_map(|(q, direction)| Some((q?, direction))) {
                let shifted = self.shifted(x, faces, i, first + q);
                if shifted.value * direction <= 0.0 {
                    continue;
                }
                let growth = lines.growth(q, face, spectrum, self.slopes);
                let value = scale * growth.value * shifted.value;
                if self.frozen {
                    terms.push(EnergyTerm { value, slopes: vec![(1, first + q, value / spectrum[q])] });
                    continue;
                }
                let mut slopes: Vec<(usize, usize, f64)> = (0..3)
                    .map(|side| (side, first + q, scale * growth.value * shifted.slopes[side]))
                    .collect();
                for (side, slope) in growth.slopes.into_iter().enumerate().filter(|(_, slope)| *slope != 0.0)
                {
                    slopes.push((1, first + q + side - 1, scale * shifted.value * slope));
                }
                terms.push(EnergyTerm { value, slopes });
            }
        }
        terms
    }

    /// The elements of the Jacobian beside its diagonal blocks, and those of the diagonal blocks but for
    /// inelastic collisions.
    pub fn jacobian(&self, x: &[f64], state: &State) -> (Neighbours, Vec<Sparse>) {
        let n = self.size();
        let rows: Vec<[Sparse; 3]> =
            (0..x.len()).into_par_iter().map(|index| self.row(x, state, index / n, index % n)).collect();
        let (mut before, mut own, mut after) = (Vec::new(), Vec::new(), Vec::new());
        for [below, same, above] in rows {
            before.push(below);
            own.push(same);
            after.push(above);
        }
        (Neighbours { before, after }, own)
    }

    /// (member, value) in the columns of the node below, of the same node and of the node above.
    fn row(&self, x: &[f64], state: &State, i: usize, m: usize) -> [Sparse; 3] {
        let (n, mesh) = (self.size(), &self.discrete.mesh);
        let index = i * n + m;
        let (lower, upper) = (state.faces[index].total, state.faces[index + n].total);
        let extinction = state.rates.get(index).map_or(0.0, |rates| rates.extinction);
        let sink = mesh.volume[i] * (self.local(i, m).absorption + extinction);
        // On the way to the solution a cell may have neither sinks nor outflow.
        let least = LEAST_SPEED * mesh.area[i + 1];
        let mut slopes = [-lower.below, upper.below - lower.above + sink + least, upper.above];
        if self.shift > 0.0 {
            let stored = self.stored(x, &state.faces, i, m);
            for (sum, slope) in slopes.iter_mut().zip(stored.slopes) {
                *sum += self.shift * mesh.volume[i] * slope;
            }
        }
        let mut row = slopes.map(|slope| vec![(m, slope)]);
        for (side, column, slope) in
            self.energy_terms(x, &state.faces, i, m).into_iter().flat_map(|term| term.slopes)
        {
            row[side].push((column, slope));
        }
        row
    }

    /// Adds the derivatives of the rates of inelastic collisions to the column-major diagonal block of node `i`.
    pub fn add_collisions(&self, x: &[f64], i: usize, block: &mut [f64]) {
        let Some(kernels) = self.kernels else { return };
        let (n, lines, volume) = (self.size(), self.discrete.lines.len(), self.discrete.mesh.volume[i]);
        let place = |m: usize| (m / lines, m % lines);
        for other in 0..n {
            for m in 0..n {
                if let Some((emission, extinction)) = kernels.coupling(i, place(m), place(other)) {
                    block[other * n + m] += volume * (extinction * x[i * n + m] - emission);
                }
            }
        }
    }

    /// Numbers per time on all lines, of the members that are of `species`.
    pub fn balance(&self, x: &[f64], state: &State, species: usize) -> Balance {
        let (n, mesh) = (self.size(), &self.discrete.mesh);
        let mut balance = Balance::default();
        let members = self.members.iter().enumerate().filter(|(_, (s, _))| *s == species);
        for (m, &(_, p)) in members {
            let weight = self.discrete.lines.weight[p];
            let flux = |f: usize| weight * state.faces[f * n + m].total.value;
            let came_in =
                |edge: usize, f: usize| weight * mesh.area[f] * self.discrete.edges.inflow(edge, p).number;
            balance.left_outer += flux(mesh.nodes);
            balance.left_inner -= flux(0);
            balance.came_in += came_in(0, 0) + came_in(1, mesh.nodes);
            for i in 0..mesh.nodes {
                let (local, number, j) = (self.local(i, m), weight * mesh.volume[i], x[i * n + m]);
                balance.emitted += number * local.emissivity;
                balance.absorbed += number * local.absorption * j;
                if let Some(rates) = state.rates.get(i * n + m) {
                    balance.collided += number * (rates.emission - rates.extinction * j);
                    balance.turned_over += number * rates.emission;
                }
                let terms = self.energy_terms(x, &state.faces, i, m);
                balance.left_energy += weight * terms.iter().map(|term| term.value).sum::<f64>();
                if self.shift > 0.0 {
                    let known = self.known.get(i * n + m).copied().unwrap_or(0.0);
                    let stored = self.stored(x, &state.faces, i, m).value;
                    let change = number * self.shift * (stored - known);
                    balance.stored += change;
                    balance.moved += change.abs();
                }
            }
        }
        balance
    }
}
