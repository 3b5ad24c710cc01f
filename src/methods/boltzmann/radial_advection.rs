//! (1/(αXr²)) ∂_r[α r² W (μ+v) f].

use crate::phase_space::PhaseSpace;

use super::connection::Connection;
use super::streaming::Entry;

/// Passes every entry of the upwind matrix of the term to `add`. Inflow through the outermost edges is
/// left out ([`inflow_factor`] gives it), except where `reflecting` (inner, outer) closes it with the
/// mirrored ordinate.
pub fn radial_advection(
    connection: &Connection,
    phase_space: &PhaseSpace,
    reflecting: (bool, bool),
    add: &mut impl FnMut(Entry),
) {
    let ordinates = phase_space.angular.nodes.len();
    let last = phase_space.radial.elements() - 1;
    for element in 0..=last {
        for j in 0..ordinates {
            volume_entries(connection, phase_space, element, j, add);
            for side in [Side::Lower, Side::Upper] {
                let mirrored = match side {
                    Side::Lower => element == 0 && reflecting.0,
                    Side::Upper => element == last && reflecting.1,
                };
                edge_entries(connection, phase_space, element, j, side, mirrored, add);
            }
        }
    }
}

/// An end of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Lower,
    Upper,
}

/// Factor of the edge value f* in the row of local node `i` of `element`:
/// ±(2/(h w_i)) ℓ_i(±1) αr²W(μ+v) / (αXr²)_i.
pub fn inflow_factor(
    connection: &Connection,
    phase_space: &PhaseSpace,
    element: usize,
    side: Side,
    i: usize,
    j: usize,
) -> f64 {
    let radial = &phase_space.radial;
    let (edge, trace) = match side {
        Side::Lower => (element, -radial.basis.left[i]),
        Side::Upper => (element + 1, radial.basis.right[i]),
    };
    let node = radial.range(element).start + i;
    let flow = connection.edge_flow(edge, phase_space.angular.nodes[j]);
    trace * flow / (radial.weights[node] * connection.volume[node])
}

/// Whether ordinate `j` carries f into `element` through its end `side`.
pub fn flows_in(
    connection: &Connection,
    phase_space: &PhaseSpace,
    element: usize,
    side: Side,
    j: usize,
) -> bool {
    let mu = phase_space.angular.nodes[j];
    match side {
        Side::Lower => connection.edge_flow(element, mu) > 0.0,
        Side::Upper => connection.edge_flow(element + 1, mu) < 0.0,
    }
}

fn volume_entries(
    connection: &Connection,
    phase_space: &PhaseSpace,
    element: usize,
    j: usize,
    add: &mut impl FnMut(Entry),
) {
    let radial = &phase_space.radial;
    let (ordinates, mu) = (phase_space.angular.nodes.len(), phase_space.angular.nodes[j]);
    let first = radial.range(element).start;
    for i in 0..radial.per_element() {
        let scale = 1.0 / (radial.weights[first + i] * connection.volume[first + i]);
        for q in 0..radial.per_element() {
            let value = -radial.basis.stiffness(i, q) * connection.node_flow(first + q, mu) * scale;
            add(((first + i) * ordinates + j, (first + q) * ordinates + j, value));
        }
    }
}

/// The flux through one end: from the element's own trace where it flows out, from the neighbour's
/// where it flows in.
fn edge_entries(
    connection: &Connection,
    phase_space: &PhaseSpace,
    element: usize,
    j: usize,
    side: Side,
    mirrored: bool,
    add: &mut impl FnMut(Entry),
) {
    let radial = &phase_space.radial;
    let ordinates = phase_space.angular.nodes.len();
    let inflow = flows_in(connection, phase_space, element, side, j);
    let (own, other) = match side {
        Side::Lower => (&radial.basis.left, &radial.basis.right),
        Side::Upper => (&radial.basis.right, &radial.basis.left),
    };
    let neighbour = match side {
        Side::Lower => element.checked_sub(1),
        Side::Upper => Some(element + 1).filter(|&e| e < radial.elements()),
    };
    let (source, trace, ordinate) = match (inflow, neighbour) {
        (false, _) => (element, own, j),
        (true, Some(neighbour)) => (neighbour, other, j),
        (true, None) if mirrored => (element, own, phase_space.mirror(j)),
        (true, None) => return,
    };
    let (first, first_source) = (radial.range(element).start, radial.range(source).start);
    for i in 0..radial.per_element() {
        let factor = inflow_factor(connection, phase_space, element, side, i, j);
        for (q, value) in trace.iter().enumerate() {
            add(((first + i) * ordinates + j, (first_source + q) * ordinates + ordinate, factor * value));
        }
    }
}
