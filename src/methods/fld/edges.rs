//! Fluxes through the edges of the radial grid.

use crate::error::Result;
use crate::methods::boltzmann::inelastic::Pair;
use crate::methods::setup::Setup;

use super::face::{Face, Value};
use super::lines::Lines;
use super::mesh::Mesh;

/// What comes in through the edges.
pub struct Edges {
    reflecting: (bool, bool),
    /// At the inner and outer edge, per line.
    inflow: [Vec<Inflow>; 2],
}

/// Half-range moments ½∫|μ + v| f dμ and ½∫f dμ over the directions that come in.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Inflow {
    pub number: f64,
    pub j: f64,
}

impl Edges {
    /// Edges of `setup` at time `t` (internal).
    ///
    /// # Errors
    /// A given inflow that is negative or not finite.
    pub fn new(setup: &Setup, mesh: &Mesh, lines: &Lines, t: f64) -> Result<Self> {
        let [inner, outer] = setup.boundaries.entering(&setup.phase_space, t)?;
        let on_lines = |entering: &[Pair], face: usize, inward: f64| -> Vec<Inflow> {
            let v = mesh.velocity[face];
            let line = |p: usize, of: &dyn Fn(&Pair) -> f64| {
                lines.at_line(p, mesh.face_clock[face], |k| of(&entering[k]))
            };
            (0..lines.len())
                .map(|p| Inflow {
                    number: line(p, &|pair| inward * (pair.h + v * pair.j)),
                    j: line(p, &|pair| pair.j),
                })
                .collect()
        };
        let inflow = [on_lines(&inner, 0, 1.0), on_lines(&outer, mesh.nodes, -1.0)];
        Ok(Self { reflecting: setup.boundaries.reflecting(), inflow })
    }

    /// What comes in at the inner (0) or outer (1) edge on line `p`.
    pub fn inflow(&self, edge: usize, p: usize) -> Inflow {
        self.inflow[edge][p]
    }

    /// The lower face of the innermost cell with the value `j`. What is more than that of the inflow is taken as
    /// isotropic: it leaves with half of its J. Where neutrinos stream J is less, and nothing leaves.
    pub fn inner(&self, mesh: &Mesh, p: usize, j: f64) -> Face {
        if self.reflecting.0 || mesh.area[0] == 0.0 {
            return Face::default();
        }
        let (inflow, velocity) = (self.inflow[0][p], mesh.velocity[0]);
        let excess = j - inflow.j;
        let speed = if excess < 0.0 { 0.0 } else { (0.5 - velocity).max(0.0) };
        let total = Value { value: inflow.number - speed * excess, below: 0.0, above: -speed };
        edge(mesh.area[0], total, Value { value: velocity * j, below: 0.0, above: velocity })
    }

    /// The upper face of the outermost cell; `neighbour` is the face before. What is not of the inflow
    /// leaves with ½(1 + h) of its J: half where it is isotropic, all of it where it streams.
    pub fn outer(&self, mesh: &Mesh, p: usize, j: f64, neighbour: &Face) -> Face {
        if self.reflecting.1 {
            return Face::default();
        }
        let last = mesh.nodes;
        let (inflow, velocity) = (self.inflow[1][p], mesh.velocity[last]);
        let opening = if neighbour.flux.value > 0.0 { neighbour.opening } else { 0.0 };
        let speed = (0.5 * (1.0 + opening) + velocity).max(0.0);
        let spread = mesh.spreading[last][0];
        let value = speed * (spread * j - inflow.j) - inflow.number;
        let drift = velocity * spread;
        edge(
            mesh.area[last],
            Value { value, below: speed * spread, above: 0.0 },
            Value { value: drift * j, below: drift, above: 0.0 },
        )
    }
}

/// The face with the flux `total` of which `drift` is carried by the matter.
fn edge(area: f64, total: Value, drift: Value) -> Face {
    let flux = Value {
        value: total.value - drift.value,
        below: total.below - drift.below,
        above: total.above - drift.above,
    };
    Face { flux: flux.scaled(area), total: total.scaled(area), ..Face::default() }
}
