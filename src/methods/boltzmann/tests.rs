//! Identities and exact solutions on hand-made backgrounds.

use super::identity_residual;
use crate::methods::geometry::Geometry;
use crate::phase_space::grid::NodalGrid;
use crate::phase_space::{EnergyGrid, PhaseSpace, Species};
use crate::problem::file::Flavour;

fn phase_space(
    r: Vec<f64>,
    r_degree: usize,
    mu: Vec<f64>,
    mu_degree: usize,
    energy: EnergyGrid,
) -> PhaseSpace {
    PhaseSpace {
        radial: NodalGrid::new(r, r_degree),
        angular: NodalGrid::new(mu, mu_degree),
        energy,
        species: vec![Species { name: "nu".into(), flavour: Flavour::Heavy, multiplicity: 1.0 }],
    }
}

fn geometry(
    space: &PhaseSpace,
    lapse: impl Fn(f64) -> f64,
    radial_metric: impl Fn(f64) -> f64,
    velocity: impl Fn(f64) -> f64,
) -> Geometry {
    let (nodes, edges) = (&space.radial.nodes, &space.radial.edges);
    Geometry {
        lapse: nodes.iter().map(|&r| lapse(r)).collect(),
        radial_metric: nodes.iter().map(|&r| radial_metric(r)).collect(),
        velocity: nodes.iter().map(|&r| velocity(r)).collect(),
        edge_lapse: edges.iter().map(|&r| lapse(r)).collect(),
        edge_velocity: edges.iter().map(|&r| velocity(r)).collect(),
    }
}

fn linspace(low: f64, high: f64, elements: usize) -> Vec<f64> {
    (0..=elements).map(|i| low + (high - low) * i as f64 / elements as f64).collect()
}

#[test]
fn f_equal_one_solves_the_left_side_at_every_ordinate() {
    for (r_degree, mu_degree, e_degree) in [(0, 0, 0), (1, 1, 1), (2, 2, 2), (3, 1, 2)] {
        let energy = EnergyGrid::Spectral(NodalGrid::new(vec![0.0, 1.0, 3.0, 9.0, 30.0], e_degree));
        let space = phase_space(linspace(0.0, 10.0, 17), r_degree, linspace(-1.0, 1.0, 6), mu_degree, energy);
        let geometry = geometry(
            &space,
            |r| (1.0 - 0.5 / (1.0 + r * r)).sqrt(),
            |r| 1.0 + 0.3 * r / (1.0 + r * r),
            |r| -0.6 * (0.7 * r).sin() * (-0.1 * r).exp(),
        );
        let residual = identity_residual(&geometry, &space);
        assert!(residual < 1e-13, "degrees {r_degree} {mu_degree} {e_degree}: {residual:e}");
    }
}
