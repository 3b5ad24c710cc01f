//! ∂_μ[(1−μ²)(l_⊥ − a + μ(k_⊥ − k_r)) f].

use crate::phase_space::PhaseSpace;

use super::connection::Connection;
use super::streaming::Entry;

/// Passes every entry of the upwind matrix of the term to `add`. Nothing flows through μ = ±1.
pub fn angular_redistribution(
    connection: &Connection,
    phase_space: &PhaseSpace,
    add: &mut impl FnMut(Entry),
) {
    for node in 0..phase_space.radial.nodes.len() {
        for element in 0..phase_space.angular.elements() {
            element_entries(connection, phase_space, node, element, add);
        }
    }
}

/// Rows of radial node `node` and the ordinates of angular element `element`.
fn element_entries(
    connection: &Connection,
    phase_space: &PhaseSpace,
    node: usize,
    element: usize,
    add: &mut impl FnMut(Entry),
) {
    let angular = &phase_space.angular;
    let basis = &angular.basis;
    let row = node * angular.nodes.len();
    let first = angular.range(element).start;
    let lower = connection.angular_flow(node, angular.edges[element]);
    let upper = connection.angular_flow(node, angular.edges[element + 1]);
    let from = |upwind: usize| row + angular.range(upwind).start;
    for j in 0..basis.len() {
        let scale = 1.0 / (angular.weights[first + j] * connection.volume[node]);
        for q in 0..basis.len() {
            let flow = connection.angular_flow(node, angular.nodes[first + q]);
            add((row + first + j, row + first + q, -basis.stiffness(j, q) * flow * scale));
            if upper > 0.0 {
                add((row + first + j, from(element) + q, basis.right[j] * upper * scale * basis.right[q]));
            } else if upper < 0.0 {
                add((row + first + j, from(element + 1) + q, basis.right[j] * upper * scale * basis.left[q]));
            }
            if lower < 0.0 {
                add((row + first + j, from(element) + q, -basis.left[j] * lower * scale * basis.left[q]));
            } else if lower > 0.0 {
                add((
                    row + first + j,
                    from(element - 1) + q,
                    -basis.left[j] * lower * scale * basis.right[q],
                ));
            }
        }
    }
}
