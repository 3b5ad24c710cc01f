//! The background sampled on the radial grid: all that the methods on that grid see of it.

/// Lapse, radial metric and velocity at radial nodes and element edges.
#[derive(Debug, Clone, PartialEq)]
pub struct Geometry {
    /// α at the nodes.
    pub lapse: Vec<f64>,
    /// X at the nodes.
    pub radial_metric: Vec<f64>,
    /// v/c at the nodes.
    pub velocity: Vec<f64>,
    /// α at the element edges.
    pub edge_lapse: Vec<f64>,
    /// v/c at the element edges.
    pub edge_velocity: Vec<f64>,
}
