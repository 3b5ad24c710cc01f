//! The background as the moment equations see it: the connection scalars of the Boltzmann operator, so
//! that an isotropic f = 1 at rest solves the discrete moment equations to round-off on any background.

use crate::methods::boltzmann::connection::{Connection, lorentz_factor};
use crate::methods::geometry::Geometry;
use crate::numerics::ENERGY_SPEED_ROUND_OFF;
use crate::phase_space::PhaseSpace;

/// The radial flow αr²W(μ+v) at one place: its part with μ and its part without.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct RadialFlow {
    pub static_part: f64,
    pub drift: f64,
}

/// Coefficients at the cells' centres (radial nodes) and faces, multiplied by αXr² except where noted.
#[derive(Debug, Clone, PartialEq)]
pub struct Flow {
    pub nodes: Vec<RadialFlow>,
    /// At the faces between cells.
    pub faces: Vec<RadialFlow>,
    /// l_⊥ − a.
    pub bending: Vec<f64>,
    /// k_⊥ − k_r.
    pub aberration: Vec<f64>,
    /// 1.
    pub volume: Vec<f64>,
    /// −d ln ε along the flow as a polynomial in μ: k_⊥, a, k_r − k_⊥.
    pub energy_speed: Vec<[f64; 3]>,
    /// W/α, not multiplied.
    pub clock: Vec<f64>,
    /// X, not multiplied.
    pub proper_length: Vec<f64>,
    /// v at the nodes, not multiplied.
    pub velocity: Vec<f64>,
    /// Whether the background has a kink or jump at the face.
    pub kinks: Vec<bool>,
    /// v at the faces, not multiplied.
    pub face_velocity: Vec<f64>,
}

impl Flow {
    /// Coefficients of `geometry` on the radial grid of `space`, whose faces include the `discontinuities`.
    pub fn new(geometry: &Geometry, space: &PhaseSpace, discontinuities: &[f64]) -> Self {
        let connection = Connection::new(geometry, space);
        let pair = |static_part: &[f64], drift: &[f64]| -> Vec<RadialFlow> {
            let both = static_part.iter().zip(drift);
            both.map(|(&static_part, &drift)| RadialFlow { static_part, drift }).collect()
        };
        let nodes = pair(&connection.node_static, &connection.node_drift);
        let faces = pair(&connection.edge_static, &connection.edge_drift);
        let energy_speed = (0..nodes.len()).map(|i| energy_speed(&connection, space, i)).collect();
        let clock =
            geometry.velocity.iter().zip(&geometry.lapse).map(|(&v, alpha)| lorentz_factor(v) / alpha);
        Self {
            nodes,
            faces,
            energy_speed,
            clock: clock.collect(),
            proper_length: geometry.radial_metric.clone(),
            bending: connection.bending,
            aberration: connection.aberration,
            volume: connection.volume,
            velocity: geometry.velocity.clone(),
            kinks: space.radial.edges.iter().map(|edge| discontinuities.contains(edge)).collect(),
            face_velocity: geometry.edge_velocity.clone(),
        }
    }

    /// Largest |energy speed| of any direction at node `i`.
    pub fn largest_energy_speed(&self, i: usize) -> f64 {
        let [constant, linear, square] = self.energy_speed[i];
        let at = |mu: f64| (constant + mu * (linear + mu * square)).abs();
        let vertex = -0.5 * linear / square;
        let inside = if vertex.abs() < 1.0 { at(vertex) } else { 0.0 };
        at(-1.0).max(at(1.0)).max(inside)
    }

    /// Whether energies are coupled by redshift or Doppler shift anywhere.
    pub fn shifts_energies(&self) -> bool {
        self.energy_speed.iter().flatten().any(|&speed| speed != 0.0)
    }
}

/// αXr² times k_⊥, a and k_r − k_⊥ at node `i`; differences that are round-off are 0.
fn energy_speed(connection: &Connection, space: &PhaseSpace, i: usize) -> [f64; 3] {
    let r = space.radial.nodes[i];
    let (outward, drift) = (connection.node_static[i] / r, connection.node_drift[i] / r);
    let difference = |a: f64, b: f64, scale: f64| {
        if (a - b).abs() <= ENERGY_SPEED_ROUND_OFF * scale { 0.0 } else { a - b }
    };
    let (bending, aberration) = (connection.bending[i], connection.aberration[i]);
    // The divergences that the two are differences of are as large as these terms.
    let acceleration = difference(outward, bending, 6.0 * outward.abs() + bending.abs());
    let shear = difference(0.0, aberration, 6.0 * drift.abs() + aberration.abs());
    [drift, acceleration, shear]
}
