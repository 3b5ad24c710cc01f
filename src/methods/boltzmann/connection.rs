//! The four connection scalars a, k_r, k_⊥, l_⊥ in discrete form (docs/equations.md).
//!
//! Only l_⊥ = W/(Xr) and k_⊥ = Wv/(Xr) are taken pointwise. The other two follow from the discrete
//! radial derivatives of αr²W and αr²Wv through ∇·s = a + 2l_⊥ and ∇·u = k_r + 2k_⊥, and the energy
//! speed from the requirement that f = 1 solves the discrete left side at every ordinate. So identity 1
//! holds to round-off for any background.

use crate::methods::geometry::Geometry;
use crate::numerics::ENERGY_SPEED_ROUND_OFF;
use crate::phase_space::PhaseSpace;

/// Coefficients of the phase-space flow, all multiplied by αXr² (except where noted).
#[derive(Debug, Clone, PartialEq)]
pub struct Connection {
    /// αr²W at the element edges: the μ part of the radial flow, αr²W(μ+v).
    pub edge_static: Vec<f64>,
    /// αr²Wv at the element edges: its part without μ.
    pub edge_drift: Vec<f64>,
    /// The same two at the nodes.
    pub node_static: Vec<f64>,
    pub node_drift: Vec<f64>,
    /// αXr²(l_⊥ − a) at the nodes: bending of rays.
    pub bending: Vec<f64>,
    /// αXr²(k_⊥ − k_r) at the nodes: aberration.
    pub aberration: Vec<f64>,
    /// αXr² at the nodes.
    pub volume: Vec<f64>,
    /// αXr²(aμ + k_r μ² + k_⊥(1−μ²)) at (radial node, ordinate): −d ln ε along the flow.
    pub energy_speed: Vec<f64>,
}

impl Connection {
    /// Scalars of `geometry` on the grids of `phase_space`.
    pub fn new(geometry: &Geometry, phase_space: &PhaseSpace) -> Self {
        let radial_flow = |lapse: &[f64], velocity: &[f64], r: &[f64]| -> (Vec<f64>, Vec<f64>) {
            (0..r.len())
                .map(|i| {
                    let static_part = lapse[i] * r[i] * r[i] * lorentz_factor(velocity[i]);
                    (static_part, static_part * velocity[i])
                })
                .unzip()
        };
        let radial = &phase_space.radial;
        let (edge_static, edge_drift) =
            radial_flow(&geometry.edge_lapse, &geometry.edge_velocity, &radial.edges);
        let (node_static, node_drift) = radial_flow(&geometry.lapse, &geometry.velocity, &radial.nodes);
        let divergence_s = discrete_divergence(phase_space, &node_static, &edge_static);
        let divergence_u = discrete_divergence(phase_space, &node_drift, &edge_drift);
        // αXr² l_⊥ = αrW and αXr² k_⊥ = αrWv, so that with the divergences G′ of αr²W and αr²Wv
        // αXr²(l_⊥ − a) = 3αrW − G_s′ and αXr²(k_⊥ − k_r) = 3αrWv − G_u′.
        let remainder = |node: &[f64], divergence: &[f64]| -> Vec<f64> {
            (0..node.len()).map(|i| 3.0 * node[i] / radial.nodes[i] - divergence[i]).collect()
        };
        let bending = remainder(&node_static, &divergence_s);
        let aberration = remainder(&node_drift, &divergence_u);
        let volume = (0..radial.nodes.len())
            .map(|i| geometry.lapse[i] * geometry.radial_metric[i] * radial.nodes[i].powi(2))
            .collect();
        let energy_speed =
            energy_speeds(phase_space, [&divergence_s, &divergence_u], [&bending, &aberration]);
        Self { edge_static, edge_drift, node_static, node_drift, bending, aberration, volume, energy_speed }
    }

    /// Radial flow αr²W(μ+v) through element edge `edge` along `mu`.
    pub fn edge_flow(&self, edge: usize, mu: f64) -> f64 {
        self.edge_static[edge] * mu + self.edge_drift[edge]
    }

    /// Radial flow αr²W(μ+v) at node `node` along `mu`.
    pub fn node_flow(&self, node: usize, mu: f64) -> f64 {
        self.node_static[node] * mu + self.node_drift[node]
    }

    /// Angular flow αXr²(1−μ²)(l_⊥ − a + μ(k_⊥ − k_r)) at radial node `node` along `mu`.
    pub fn angular_flow(&self, node: usize, mu: f64) -> f64 {
        (1.0 - mu * mu) * (self.bending[node] + mu * self.aberration[node])
    }
}

/// W = (1−v²)^(−1/2).
pub fn lorentz_factor(velocity: f64) -> f64 {
    1.0 / ((1.0 - velocity) * (1.0 + velocity)).sqrt()
}

/// Discrete radial derivative of a coefficient at every node.
fn discrete_divergence(phase_space: &PhaseSpace, node: &[f64], edge: &[f64]) -> Vec<f64> {
    let radial = &phase_space.radial;
    (0..radial.elements())
        .flat_map(|e| {
            radial.basis.weak_derivative(&node[radial.range(e)], (edge[e], edge[e + 1]), radial.width(e))
        })
        .collect()
}

/// αXr²(aμ + k_r μ² + k_⊥(1−μ²)) from identity 1: a third of the divergence of the radial and angular flow.
fn energy_speeds(phase_space: &PhaseSpace, divergence: [&[f64]; 2], turning: [&[f64]; 2]) -> Vec<f64> {
    let mu = &phase_space.angular.nodes;
    let even = angular_divergence(phase_space, |mu| 1.0 - mu * mu);
    let odd = angular_divergence(phase_space, |mu| (1.0 - mu * mu) * mu);
    let mut speeds = Vec::with_capacity(phase_space.slab());
    for i in 0..phase_space.radial.nodes.len() {
        for j in 0..mu.len() {
            let terms =
                [divergence[0][i] * mu[j], divergence[1][i], turning[0][i] * even[j], turning[1][i] * odd[j]];
            let (sum, scale) = terms.iter().fold((0.0, 0.0), |(s, a), t| (s + t, a + f64::abs(*t)));
            speeds.push(if f64::abs(sum) <= ENERGY_SPEED_ROUND_OFF * scale { 0.0 } else { sum / 3.0 });
        }
    }
    speeds
}

/// Discrete derivative of `flow` at every ordinate.
fn angular_divergence(phase_space: &PhaseSpace, flow: impl Fn(f64) -> f64) -> Vec<f64> {
    let angular = &phase_space.angular;
    (0..angular.elements())
        .flat_map(|m| {
            let inside: Vec<f64> = angular.nodes[angular.range(m)].iter().map(|&mu| flow(mu)).collect();
            let ends = (flow(angular.edges[m]), flow(angular.edges[m + 1]));
            angular.basis.weak_derivative(&inside, ends, angular.width(m))
        })
        .collect()
}
