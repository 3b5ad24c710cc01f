//! The discrete number equations of one species on lines of constant energy at infinity.
//!
//! All terms are of first degree in J, so that the equations are A(J) J = s. A has no positive elements
//! beside its diagonal, and A⁻¹s is positive. Where energies do not act on each other, A is also the
//! Jacobian of A(J) J (Euler's theorem), but for the outflow at the outer edge. Vectors hold
//! (radial node, line), line fastest.

use rayon::prelude::*;

use super::balance::Balance;
use super::edges::Edges;
use super::face::{self, Face, Law, Surroundings};
use super::limiter::Limiter;
use super::lines::Lines;
use super::matter::{Local, Matter};
use super::mesh::Mesh;

/// The equations of one species.
pub struct System<'a> {
    pub mesh: &'a Mesh,
    pub lines: &'a Lines,
    pub edges: &'a Edges,
    pub matter: &'a Matter,
    /// The limiter; none for the linear equations of a first guess.
    pub limiter: Option<Limiter>,
    /// Largest flux factor at (face, line); empty where it is 1.
    pub caps: &'a [f64],
    /// 1/Δt of an implicit step, 0 in steady state.
    pub shift: f64,
    /// (W/α)(J + vH) before the step at (radial node, line); empty in steady state.
    pub before: &'a [f64],
}

/// Everything that follows from one J.
pub struct State {
    /// At (face, line).
    pub faces: Vec<Face>,
    pub residual: Vec<f64>,
    /// Size of each row of A.
    pub scale: Vec<f64>,
}

/// One row of A: J of the nodes below and above on the same line, and of the line below and above at the
/// same node.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    pub below: f64,
    pub own: f64,
    pub above: f64,
    pub other: [f64; 2],
}

/// A, row (radial node, line).
pub struct Matrix {
    pub rows: Vec<Row>,
    pub lines: usize,
}

/// Speed that rows of empty cells are scaled with.
const LEAST_SPEED: f64 = 1e-12;

impl System<'_> {
    /// Lines.
    pub fn size(&self) -> usize {
        self.lines.len()
    }

    fn local(&self, i: usize, p: usize) -> &Local {
        &self.matter.local[i * self.size() + p]
    }

    /// Fluxes and residual at `x`.
    pub fn state(&self, x: &[f64]) -> State {
        let n = self.size();
        let faces = self.faces(x);
        let rows: Vec<(f64, f64)> =
            (0..x.len()).into_par_iter().map(|index| self.line(x, &faces, index / n, index % n)).collect();
        let (residual, scale) = rows.into_iter().unzip();
        State { faces, residual, scale }
    }

    fn faces(&self, x: &[f64]) -> Vec<Face> {
        let (n, nodes) = (self.size(), self.mesh.nodes);
        let mut faces: Vec<Face> = (0..(nodes + 1) * n)
            .into_par_iter()
            .map(|index| match (index / n, index % n) {
                (f, p) if f > 0 && f < nodes => self.inner_face(x, f, p),
                _ => Face::default(),
            })
            .collect();
        for p in 0..n {
            let before = faces[(nodes - 1) * n + p];
            faces[p] = self.edges.inner(self.mesh, p, x[p]);
            faces[nodes * n + p] = self.edges.outer(self.mesh, p, x[(nodes - 1) * n + p], &before);
        }
        faces
    }

    fn inner_face(&self, x: &[f64], f: usize, p: usize) -> Face {
        let (mesh, n) = (self.mesh, self.size());
        let below = mesh.below[f];
        let opacity = below * self.local(f - 1, p).transport + (1.0 - below) * self.local(f, p).transport;
        let at = Surroundings {
            area: mesh.area[f],
            velocity: mesh.velocity[f],
            stretch: mesh.stretch[f],
            spreading: mesh.spreading[f],
            opacity: opacity + mesh.least_opacity(f),
            cap: self.caps.get(f * n + p).copied().unwrap_or(1.0),
        };
        let law = self.limiter.map_or(Law::Linear(1.0 / mesh.face_radius[f]), Law::Limited);
        face::flux(law, &at, x[(f - 1) * n + p], x[f * n + p])
    }

    /// Residual of one row, (what flows out and is absorbed) − (what is emitted), and its scale.
    fn line(&self, x: &[f64], faces: &[Face], i: usize, p: usize) -> (f64, f64) {
        let (n, mesh) = (self.size(), self.mesh);
        let (local, j) = (self.local(i, p), x[i * n + p]);
        let (lower, upper) = (&faces[i * n + p].total, &faces[(i + 1) * n + p].total);
        let mut residual =
            upper.value - lower.value + mesh.volume[i] * (local.absorption * j - local.emissivity);
        residual += self.energy_flow(x, faces, i, p);
        if self.shift > 0.0 {
            residual += self.shift * mesh.volume[i] * self.change(x, faces, i, p);
        }
        let flows = [upper.below, upper.above, lower.below, lower.above].iter().map(|f| f.abs()).sum::<f64>();
        let scale = flows + mesh.volume[i] * (local.absorption + self.shift * mesh.time[i]);
        // Where nothing flows or absorbs, rows count as if radiation streamed slowly.
        (residual, scale.max(LEAST_SPEED * mesh.area[i + 1]))
    }

    /// H at node `i`: C³/(αr²W) × the flux, linear between the faces; in the innermost cell of a centre,
    /// where the flux rises as r³, H/r of the face.
    pub fn h(&self, faces: &[Face], radius: f64, i: usize, p: usize) -> f64 {
        let (mesh, n) = (self.mesh, self.size());
        let [lower, upper] = [0, 1].map(|side| faces[(i + side) * n + p].flux.value);
        let part = (radius - mesh.face_radius[i]) / (mesh.face_radius[i + 1] - mesh.face_radius[i]);
        let flux = if mesh.face_radius[i] == 0.0 {
            upper * part.powi(3)
        } else {
            (1.0 - part) * lower + part * upper
        };
        flux * mesh.clock[i].powi(3) / mesh.node_area[i]
    }

    /// Mean of both faces' H, over J of the cell, and of their Eddington factors.
    fn factors(&self, x: &[f64], faces: &[Face], i: usize, p: usize) -> (f64, f64) {
        let (mesh, n) = (self.mesh, self.size());
        let at = |side: usize| &faces[(i + side) * n + p];
        let flux = 0.5 * (at(0).flux.value + at(1).flux.value) * mesh.clock[i].powi(3) / mesh.node_area[i];
        let j = x[i * n + p];
        let h = if j > 0.0 { (flux / j).clamp(-1.0, 1.0) } else { 0.0 };
        let chi: Vec<f64> = [0, 1].into_iter().map(|side| at(side).chi).filter(|&chi| chi > 0.0).collect();
        let chi = if chi.is_empty() { 1.0 / 3.0 } else { chi.iter().sum::<f64>() / chi.len() as f64 };
        (h, chi)
    }

    /// (W/α)(J + vH) minus that before the step.
    fn change(&self, x: &[f64], faces: &[Face], i: usize, p: usize) -> f64 {
        let (n, mesh) = (self.size(), self.mesh);
        let j = x[i * n + p];
        let (h, _) = self.factors(x, faces, i, p);
        let before = self.before.get(i * n + p).copied().unwrap_or(0.0);
        mesh.time[i] * j * (1.0 + mesh.node_velocity[i] * h) - before
    }

    /// (line, factor of its J) of what moves from line to line in row (`i`, `p`): upwind, with the slope of the
    /// spectrum up to the interface. Nothing comes in from above the highest line.
    fn energy_terms(&self, x: &[f64], faces: &[Face], i: usize, p: usize) -> Vec<(usize, f64)> {
        let drift = self.mesh.drift[i];
        if drift == Default::default() {
            return Vec::new();
        }
        // Positive where energies fall.
        let speed = |q: usize| {
            let (h, chi) = self.factors(x, faces, i, q);
            drift.rest + h * drift.flux + chi * drift.pressure
        };
        if self.lines.gray {
            return vec![(p, -3.0 * speed(p))];
        }
        let (mut terms, weight) = (Vec::with_capacity(4), self.lines.weight[p]);
        for (face, sign) in [(p, 1.0), (p + 1, -1.0)] {
            let scale = sign * self.lines.cube[face] / weight;
            let spectrum = &x[i * self.size()..(i + 1) * self.size()];
            if face > 0 {
                let growth = self.lines.growth(face - 1, face, spectrum);
                terms.push((face - 1, scale * growth * speed(face - 1).min(0.0)));
            }
            if face < self.size() {
                let growth = self.lines.growth(face, face, spectrum);
                terms.push((face, scale * growth * speed(face).max(0.0)));
            }
        }
        terms
    }

    fn energy_flow(&self, x: &[f64], faces: &[Face], i: usize, p: usize) -> f64 {
        let terms = self.energy_terms(x, faces, i, p).into_iter();
        terms.map(|(q, factor)| factor * x[i * self.size() + q]).sum()
    }

    /// A at the state that belongs to `x`.
    pub fn matrix(&self, x: &[f64], state: &State) -> Matrix {
        let n = self.size();
        let rows =
            (0..x.len()).into_par_iter().map(|index| self.row(x, state, index / n, index % n)).collect();
        Matrix { rows, lines: n }
    }

    fn row(&self, x: &[f64], state: &State, i: usize, p: usize) -> Row {
        let (n, mesh) = (self.size(), self.mesh);
        let (lower, upper) = (state.faces[i * n + p].total, state.faces[(i + 1) * n + p].total);
        let sink = self.local(i, p).absorption + self.shift * mesh.time[i];
        // On the way to the solution a cell may have neither sinks nor outflow.
        let least = LEAST_SPEED * mesh.area[i + 1];
        let mut row = Row {
            below: -lower.below,
            own: upper.below - lower.above + mesh.volume[i] * sink + least,
            above: upper.above,
            other: [0.0; 2],
        };
        // A guess takes every line by itself.
        if self.limiter.is_some() {
            for (q, factor) in self.energy_terms(x, &state.faces, i, p) {
                match q.cmp(&p) {
                    std::cmp::Ordering::Less => row.other[0] += factor,
                    std::cmp::Ordering::Equal => row.own += factor,
                    std::cmp::Ordering::Greater => row.other[1] += factor,
                }
            }
        }
        row
    }

    /// Numbers per time on all lines.
    pub fn balance(&self, x: &[f64], state: &State) -> Balance {
        let (n, mesh) = (self.size(), self.mesh);
        let mut balance = Balance::default();
        for (p, weight) in self.lines.weight.iter().enumerate() {
            let flux = |f: usize| weight * state.faces[f * n + p].total.value;
            let came_in = |edge: usize, f: usize| weight * mesh.area[f] * self.edges.inflow(edge, p).number;
            balance.left_outer += flux(mesh.nodes);
            balance.left_inner -= flux(0);
            balance.came_in += came_in(0, 0) + came_in(1, mesh.nodes);
            for i in 0..mesh.nodes {
                let (local, number) = (self.local(i, p), weight * mesh.volume[i]);
                balance.emitted += number * local.emissivity;
                balance.absorbed += number * local.absorption * x[i * n + p];
                balance.left_energy += weight * self.energy_flow(x, &state.faces, i, p);
                if self.shift > 0.0 {
                    let change = number * self.shift * self.change(x, &state.faces, i, p);
                    balance.stored += change;
                    balance.moved += change.abs();
                }
            }
        }
        balance
    }
}
