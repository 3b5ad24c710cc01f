//! Radial fluxes that are consistent with the scheme between its nodes.
//!
//! The flux of the nodal values has a component of the highest degree that no balance holds, a ripple of
//! the size of the jumps. Each element's flux is completed by the upwind fluxes F₋, F₊ through its ends:
//!
//! F(x) = F_h(x) + (F₋ − F_h(−1)) g₋(x) + (F₊ − F_h(1)) g₊(x),
//!
//! with the Radau polynomials g± ([`crate::phase_space::basis::Basis::flux_corrections`]). Its derivative at each
//! node is what the scheme takes for the divergence there (Huynh 2007, AIAA 2007-4079), so that it is
//! constant wherever the scheme's balance has no source.
//!
//! Elements that absorb are left as they are: in boundary layers that the grid does not resolve, the upwind
//! fluxes of the layer's ends would spread over the element.

use crate::methods::boltzmann::connection::Connection;
use crate::methods::setup::Setup;
use crate::phase_space::grid::NodalGrid;
use crate::units::UnitSystem;

use super::integrated::{Integrated, Places};
use super::moments::Moments;

/// The integrals at nodes and element edges that fluxes are reconstructed from.
pub struct Fluxes<'a> {
    radial: &'a NodalGrid,
    units: UnitSystem,
    nodes: Integrated,
    edges: Integrated,
    /// Whether to complete the flux, at (species, radial element).
    transparent: Vec<bool>,
}

/// Largest optical depth to absorption, at any energy, of an element whose flux is completed.
const TRANSPARENT: f64 = 0.1;

impl<'a> Fluxes<'a> {
    /// From f at (species, energy node, radial node, ordinate) and the inflow at (energy node, ordinate)
    /// of the inner and outer edge.
    pub fn new(setup: &'a Setup, connection: &Connection, f: &[f64], inflow: (&[f64], &[f64])) -> Self {
        let space = &setup.phase_space;
        let upwind = upwind_values(setup, connection, f, inflow);
        let nodes = Integrated::new(space, &Places::nodes(space, &setup.geometry), setup.units, f);
        let edges = Integrated::new(space, &Places::edges(space, &setup.geometry), setup.units, &upwind);
        let transparent = transparent_elements(setup);
        Self { radial: &space.radial, units: setup.units, nodes, edges, transparent }
    }

    /// From the moments at the nodes and those of the scheme's fluxes through the element edges.
    pub fn of_moments(setup: &'a Setup, nodes: &Moments, edges: &Moments) -> Self {
        let (space, geometry) = (&setup.phase_space, &setup.geometry);
        let integrals =
            |places: Places, moments: &Moments| Integrated::of_moments(space, &places, setup.units, moments);
        Self {
            radial: &space.radial,
            units: setup.units,
            nodes: integrals(Places::nodes(space, geometry), nodes),
            edges: integrals(Places::edges(space, geometry), edges),
            transparent: transparent_elements(setup),
        }
    }

    /// The integrals at the nodes, with the luminosities completed.
    pub fn at_nodes(&self) -> Integrated {
        let mut sums = self.nodes.clone();
        self.replace_luminosities(&self.radial.nodes, &mut sums);
        sums
    }

    /// Replaces the luminosities of `sums` at `radii` within the grid by the completed ones.
    pub fn replace_luminosities(&self, radii: &[f64], sums: &mut Integrated) {
        let (inside, ends) = (self.nodes.luminosities(), self.edges.luminosities());
        for ((values, nodes), edges) in sums.luminosities_mut().into_iter().zip(inside).zip(ends) {
            let species = nodes.chunks_exact(self.radial.nodes.len());
            let edges = edges.chunks_exact(self.radial.edges.len());
            let transparent = self.transparent.chunks_exact(self.radial.elements());
            let old = values.chunks_exact(radii.len());
            *values = species
                .zip(edges)
                .zip(transparent.zip(old))
                .flat_map(|((nodes, edges), (transparent, old))| {
                    radii.iter().zip(old).map(move |(&r, &old)| {
                        let element = self.radial.element_at(r).filter(|&e| transparent[e]);
                        element.map_or(old, |element| self.flux(nodes, edges, element, r))
                    })
                })
                .collect();
        }
        sums.update_mean_energy_infinity(self.units);
    }

    /// F at radius `r` in `element` from the values at `nodes` and the upwind ones at `edges`.
    fn flux(&self, nodes: &[f64], edges: &[f64], element: usize, r: f64) -> f64 {
        let radial = self.radial;
        let basis = &radial.basis;
        let inside = &nodes[radial.range(element)];
        let at = |weights: &[f64]| -> f64 { weights.iter().zip(inside).map(|(l, f)| l * f).sum() };
        let x = 2.0 * (r - radial.edges[element]) / radial.width(element) - 1.0;
        let (lower, upper) = basis.flux_corrections(x);
        at(&basis.evaluate(x))
            + (edges[element] - at(&basis.left)) * lower
            + (edges[element + 1] - at(&basis.right)) * upper
    }
}

/// Whether ∫κ* X dr over an element is small at every energy, at (species, element).
fn transparent_elements(setup: &Setup) -> Vec<bool> {
    let (space, metric) = (&setup.phase_space, &setup.geometry.radial_metric);
    let depth = |species: usize, k: usize, element: usize| -> f64 {
        let opacities = setup.coefficients.slab(species, k);
        space
            .radial
            .range(element)
            .map(|i| space.radial.weights[i] * metric[i] * opacities[i].absorption)
            .sum()
    };
    (0..space.species.len())
        .flat_map(|species| (0..space.radial.elements()).map(move |element| (species, element)))
        .map(|(species, e)| (0..space.energy.len()).all(|k| depth(species, k, e) <= TRANSPARENT))
        .collect()
}

/// Upwind f at (species, energy node, element edge, ordinate).
fn upwind_values(
    setup: &Setup,
    connection: &Connection,
    f: &[f64],
    (inner, outer): (&[f64], &[f64]),
) -> Vec<f64> {
    let space = &setup.phase_space;
    let ordinates = space.angular.nodes.len();
    let mut values = Vec::with_capacity(f.len() / space.radial.per_element());
    for (slab, f) in f.chunks_exact(space.slab()).enumerate() {
        let energy = slab % space.energy.len();
        let given = energy * ordinates..(energy + 1) * ordinates;
        let inflow = [&inner[given.clone()], &outer[given]];
        for edge in 0..space.radial.edges.len() {
            values.extend((0..ordinates).map(|j| upwind_value(setup, connection, f, inflow, (edge, j))));
        }
    }
    values
}

/// Upwind f of one energy at an edge for ordinate `j`, from its values at (radial node, ordinate).
fn upwind_value(
    setup: &Setup,
    connection: &Connection,
    f: &[f64],
    [inner, outer]: [&[f64]; 2],
    (edge, j): (usize, usize),
) -> f64 {
    let space = &setup.phase_space;
    let (radial, ordinates) = (&space.radial, space.angular.nodes.len());
    let trace = |element: usize, trace: &[f64], j: usize| -> f64 {
        radial.range(element).zip(trace).map(|(i, l)| l * f[i * ordinates + j]).sum()
    };
    let (below, above) =
        (|j: usize| trace(edge - 1, &radial.basis.right, j), |j: usize| trace(edge, &radial.basis.left, j));
    let flow = connection.edge_flow(edge, space.angular.nodes[j]);
    let (reflecting_inner, reflecting_outer) = setup.boundaries.reflecting();
    match (edge == 0, edge == radial.elements()) {
        (true, _) if flow > 0.0 && reflecting_inner => above(space.mirror(j)),
        (true, _) if flow > 0.0 => inner[j],
        (true, _) => above(j),
        (_, true) if flow < 0.0 && reflecting_outer => below(space.mirror(j)),
        (_, true) if flow < 0.0 => outer[j],
        (_, true) => below(j),
        _ if flow > 0.0 => below(j),
        _ => above(j),
    }
}
