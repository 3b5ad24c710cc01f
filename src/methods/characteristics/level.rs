//! Everything at one tolerance: medium, scattering, and the evaluation of f and its moments.

use super::angles::{self, Integral};
use super::field::{Field, MOST_NODES, Mesh, Value};
use super::medium::{Medium, Panel, Slice};
use super::rules::{GAUSS, GaussRule};
use super::scattering::{self, Report};
use super::segment::SegmentRule;
use super::sweep;
use super::trace::{End, Ends, Event, Tracer, lorentz};
use crate::error::Result;
use crate::methods::boundary::Boundary;
use crate::methods::setup::Setup;
use crate::phase_space::EnergyGrid;
use crate::phase_space::basis::gauss_legendre;
use crate::progress::Observer;

/// Interpolation of opacities is this much better than the angular integrals, and not better than 1e-12.
const FINER: f64 = 0.1;
/// Energies in an integral over the energy: at least this many in all, at most so many per element.
const ENERGIES: usize = 100;
const MOST_PER_ELEMENT: usize = 12;

/// Nodes of the scattering mesh in radius and energy, about.
const RADIAL_NODES: usize = 160;
const SPECTRAL_NODES: usize = 80;
/// Nodes of an element of the energy at most where opacities jump between elements and matter moves: polynomials of
/// high degree ring there.
const STEPPED_NODES: usize = 3;
/// With more panels than this, rays are shared between the nodes.
const OWN_RAYS: usize = 200;
/// Nodes of a panel then, and the optical depth below which two are enough.
const SHARED_NODES: usize = 6;
const THIN_PANEL: f64 = 1e-2;
/// Panels of a boundary layer: each is this much thinner than the one before, down to an optical depth.
const LAYER_RATIO: f64 = 4.0;
const THINNEST_LAYER: f64 = 1e-3;

/// The edges of the grid as rays see them.
pub struct Edges<'a>(pub &'a Setup);

impl Ends for Edges<'_> {
    fn inner(&self) -> End {
        let at_centre = self.0.phase_space.radial.edges[0] == 0.0;
        if at_centre { End::Reflecting } else { end(&self.0.boundaries.inner) }
    }

    fn outer(&self) -> End {
        end(&self.0.boundaries.outer)
    }

    fn given(&self, inner: bool, mu: f64, energy: f64) -> f64 {
        let boundaries = &self.0.boundaries;
        match if inner { &boundaries.inner } else { &boundaries.outer } {
            Boundary::Given(formula) => formula.evaluate(&[mu, energy, 0.0]),
            _ => 0.0,
        }
    }
}

fn end(boundary: &Boundary) -> End {
    match boundary {
        Boundary::Vacuum => End::Vacuum,
        Boundary::Reflecting => End::Reflecting,
        Boundary::Given(_) => End::Given,
    }
}

/// Integrals over the angle.
#[derive(Debug, Clone, PartialEq)]
pub struct Quadrature<T> {
    pub values: Vec<T>,
    /// What the embedded rule of lower order gives, where jumps keep the values from being held to the tolerance;
    /// the values themselves elsewhere.
    pub embedded: Vec<T>,
}

impl<T: Clone> Quadrature<T> {
    /// Values without jumps in angle.
    pub fn exact(values: Vec<T>) -> Self {
        Self { embedded: values.clone(), values }
    }
}

/// The solution at one tolerance.
pub struct Level<'a> {
    pub medium: Medium,
    pub edges: Edges<'a>,
    pub field: Option<Field>,
    /// How the scattering was solved.
    pub scattering: Report,
    rule: GaussRule,
    pub tolerance: f64,
    /// Whether this is the less exact one of the two levels.
    coarse: bool,
    /// Energies and weights of integrals over the problem's energies; (1, 1) in a gray problem.
    pub energies: Vec<(f64, f64)>,
}

impl<'a> Level<'a> {
    /// Solves `setup` to `tolerance`; `coarser` is the number of nodes by which energy rules and the
    /// scattering mesh are coarser.
    ///
    /// # Errors
    /// Those of the opacities and of the scattering.
    pub fn solve(setup: &'a Setup, tolerance: f64, coarser: usize, observer: &dyn Observer) -> Result<Self> {
        let mut level = Self::unscattered(setup, tolerance, coarser)?;
        let panels: Vec<usize> =
            (0..level.medium.panels.len()).filter(|&p| level.medium.panels[p].scatters.0).collect();
        tracing::info!(
            panels = level.medium.panels.len(),
            scattering = panels.len(),
            energy_panels = level.medium.energies.edges.len() - 1,
            energy_nodes = level.medium.energies.count(),
            "tabulated background and opacities"
        );
        if !panels.is_empty() {
            let edges = redshifted_edges(setup);
            let most = if level.medium.jumps_in_angle() { STEPPED_NODES } else { MOST_NODES };
            let spectral = SPECTRAL_NODES.div_ceil(edges.len().max(2) - 1).clamp(2 + coarser, most) - coarser;
            let shared = level.shares_rays();
            let own = RADIAL_NODES.div_ceil(panels.len()).clamp(4, 7) - coarser;
            let opaque = |panel: &Panel| panel.largest_opacity * (panel.upper - panel.lower) > THIN_PANEL;
            let sparse = shared && level.many_panels();
            let radial = |panel: &Panel| match sparse {
                true if opaque(panel) => SHARED_NODES - coarser,
                true => 2,
                false => own,
            };
            let mesh = Mesh::new(&level.medium, radial, edges, spectral);
            let goal = tolerance.max(1e-9);
            let (field, report) = scattering::solve(setup, &level, (mesh, shared), goal, observer)?;
            tracing::info!(
                residual = report.residual,
                amplification = report.amplification,
                "solved scattering"
            );
            level.field = Some(field);
            level.scattering = report;
        }
        Ok(level)
    }

    /// Medium and energies, without the field of scattering.
    pub(super) fn unscattered(setup: &'a Setup, tolerance: f64, coarser: usize) -> Result<Self> {
        let interpolation = (FINER * tolerance).max(1e-12);
        let mut medium = Medium::build(setup, interpolation, &[])?;
        let layers = boundary_layers(&medium);
        if !layers.is_empty() {
            medium = Medium::build(setup, interpolation, &layers)?;
        }
        Ok(Self {
            medium,
            edges: Edges(setup),
            field: None,
            scattering: Report::default(),
            rule: GaussRule::new(),
            tolerance,
            coarse: coarser > 0,
            energies: energies(setup, coarser),
        })
    }

    /// Whether moments come from the rays that the nodes of the scattering mesh share.
    pub fn is_swept(&self) -> bool {
        self.field.is_some() && self.shares_rays()
    }

    /// Whether nodes of the scattering mesh share their rays: there are too many for rays of each, or energies are
    /// shifted across steps of the opacities, which only shared rays can do where matter is opaque.
    fn shares_rays(&self) -> bool {
        (self.many_panels() || self.medium.jumps_in_angle()) && sweep::applies(&self.medium, &self.edges)
    }

    fn many_panels(&self) -> bool {
        self.medium.panels.len() > OWN_RAYS
    }

    /// Whether rays cross edges of groups in so many zones that single crossings are not resolved.
    fn many_steps(&self) -> bool {
        self.many_panels() && self.medium.jumps_in_angle()
    }

    /// The tracer of rays.
    pub fn tracer(&self) -> Tracer<'_> {
        Tracer {
            medium: &self.medium,
            ends: &self.edges,
            rule: self.rule.clone(),
            // The error of the rule for e^−xΔτ is Δτ^16 (8!)^4/(17 (16!)^3).
            step_depth: (1e-3 * self.tolerance / 1.7e-23).powf(1.0 / (2 * GAUSS) as f64),
            roughness: 0.1 * self.tolerance.powf(0.6),
            whole: self.many_steps().then(|| SegmentRule::new(self.coarse)),
        }
    }

    /// f at `mu` for each of `energies`.
    pub fn f(&self, species: usize, r: f64, mu: f64, energies: &[f64]) -> Vec<f64> {
        self.evaluate(&self.tracer(), Event { species, r, mu, energies, slice: None })
    }

    fn evaluate(&self, tracer: &Tracer, event: Event) -> Vec<f64> {
        let mut value =
            Value::new(&self.medium, self.field.as_ref(), true, event.species, event.energies.len());
        tracer.trace(event, &mut value);
        value.f
    }

    /// The coefficients along rays that have the comoving energies `energies` at `r`.
    pub fn slice(&self, species: usize, r: f64, energies: &[f64]) -> Option<Slice> {
        let lapse = self.medium.lapse(self.medium.panel_at(r, false), r);
        let at_infinity: Vec<f64> = energies.iter().map(|energy| energy * lapse).collect();
        self.medium.slice(species, &at_infinity)
    }

    /// J, H, K, L at each of `energies`.
    pub fn moments(&self, species: usize, r: f64, energies: &[f64]) -> Quadrature<[f64; 4]> {
        let sums = self.angular_integral(species, r, energies, 4, &|mu, out| {
            let mut power = 1.0;
            for out in out {
                *out = power;
                power *= mu;
            }
        });
        let fours = |sums: &[f64]| sums.as_chunks::<4>().0.to_vec();
        Quadrature { values: fours(&sums.values), embedded: fours(&sums.embedded) }
    }

    /// ½∫ f(μ) w(μ) dμ at each of `energies` for `size` weights that `weights(μ, out)` gives, weights
    /// fastest.
    ///
    /// Where the comoving energy somewhere along the rays crosses the edge of a group, f jumps in angle. The integrals
    /// over the energy, in which these jumps average out, are held to the tolerance then, not those at each
    /// energy.
    pub fn angular_integral(
        &self,
        species: usize,
        r: f64,
        energies: &[f64],
        size: usize,
        weights: &dyn Fn(f64, &mut [f64]),
    ) -> Quadrature<f64> {
        let jumps = self.medium.jumps_in_angle() && energies.len() > 1;
        let sums = if jumps { 2 * size } else { 0 };
        let tracer = self.tracer();
        let slice = self.slice(species, r, energies);
        let mut powers = vec![0.0; size];
        let mut g = |mu: f64, out: &mut [f64]| {
            let f = self.evaluate(&tracer, Event { species, r, mu, energies, slice: slice.as_ref() });
            weights(mu, &mut powers);
            let (sums, out) = out.split_at_mut(sums);
            for ((f, energy), out) in f.iter().zip(energies).zip(out.chunks_exact_mut(size)) {
                out.iter_mut().zip(&powers).for_each(|(out, power)| *out = power * f);
                // Number and energy per logarithm of the energy.
                for (m, sum) in sums.iter_mut().enumerate() {
                    *sum += energy.powi(3 + (m / size) as i32) * out[m % size];
                }
            }
        };
        let all = sums + size * energies.len();
        let (group, tested) = if jumps { (all, sums) } else { (size, size) };
        let mut integral = Integral { size: all, group, tested, tolerance: self.tolerance, jumps, g: &mut g };
        let more = if jumps { angles::octaves(&self.medium) } else { Vec::new() };
        let breaks = angles::breaks(&self.medium, &self.edges, r, &more);
        let (mut values, mut embedded) = integral.with_embedded(&breaks);
        values.drain(..sums);
        embedded.drain(..sums);
        if !jumps {
            return Quadrature::exact(values);
        }
        Quadrature { values, embedded }
    }
}

impl Level<'_> {
    /// ½∫∫ ε^p μ^n f dε dμ over the problem's energies for p = 2 to 5 and n = 0 to 2, n fastest, where f jumps in
    /// angle and energy.
    ///
    /// For each direction the integral is over the energy at infinity, between the edges of the groups there: where
    /// neutrinos come from matter at rest, f jumps at these. A rule over the comoving energy meets the
    /// jumps of all groups at the same place between its nodes, which does not average out.
    pub fn energy_integrals(&self, species: usize, r: f64) -> Quadrature<f64> {
        let place = self.medium.spot(self.medium.panel_at(r, false), r).place;
        let redshift = place.lapse * lorentz(place.velocity);
        let tracer = self.tracer();
        let mut g = |mu: f64, out: &mut [f64]| {
            let to_infinity = redshift * (1.0 + place.velocity * mu);
            let rule = self.energies_at_infinity(to_infinity);
            let energies: Vec<f64> = rule.iter().map(|pair| pair.0 / to_infinity).collect();
            let f = self.evaluate(&tracer, Event { species, r, mu, energies: &energies, slice: None });
            for ((f, energy), (_, weight)) in f.iter().zip(&energies).zip(&rule) {
                for (m, out) in out.iter_mut().enumerate() {
                    *out +=
                        weight / to_infinity * energy.powi(2 + (m / 3) as i32) * mu.powi((m % 3) as i32) * f;
                }
            }
        };
        let mut integral =
            Integral { size: 12, group: 3, tested: 3, tolerance: self.tolerance, jumps: true, g: &mut g };
        let more = angles::octaves(&self.medium);
        let breaks = angles::breaks(&self.medium, &self.edges, r, &more);
        let (values, embedded) = integral.with_embedded(&breaks);
        Quadrature { values, embedded }
    }

    /// Energies at infinity and weights over the problem's range of comoving energies, `to_infinity` times smaller.
    fn energies_at_infinity(&self, to_infinity: f64) -> Vec<(f64, f64)> {
        let EnergyGrid::Spectral(grid) = &self.edges.0.phase_space.energy else { return vec![(1.0, 1.0)] };
        let own = &grid.edges;
        let (low, high) = (own[0] * to_infinity, own[own.len() - 1] * to_infinity);
        let mut edges = vec![low];
        edges.extend(own[1..].iter().copied().filter(|&edge| edge > low && edge < high));
        edges.push(high);
        gauss_rule(&edges, self.energies.len() / grid.elements().max(1))
    }
}

/// Radii of panels that resolve J next to surfaces where scattering matter ends: there J has an infinite
/// slope, like x ln x.
fn boundary_layers(medium: &Medium) -> Vec<f64> {
    let mut radii = Vec::new();
    let (_, outer) = medium.range();
    for panel in medium.panels.iter().filter(|panel| panel.scatters.0) {
        let width = panel.upper - panel.lower;
        let surface = |r: f64| r > 0.0 && (medium.limbs.contains(&r) || r == outer || r == medium.range().0);
        for (edge, sign) in [(panel.lower, 1.0), (panel.upper, -1.0)] {
            let mut distance = width / LAYER_RATIO;
            while surface(edge) && distance * panel.largest_opacity > THINNEST_LAYER {
                radii.push(edge + sign * distance);
                distance /= LAYER_RATIO;
            }
        }
    }
    radii
}

/// Edges of the elements in αε: those of the problem times the largest lapse, and one more below where
/// the smallest lapse reaches below them. None in a gray problem.
pub(super) fn redshifted_edges(setup: &Setup) -> Vec<f64> {
    let EnergyGrid::Spectral(grid) = &setup.phase_space.energy else { return Vec::new() };
    let lapses = setup.geometry.lapse.iter().chain(&setup.geometry.edge_lapse);
    let (low, high) = lapses.fold((f64::MAX, 0.0_f64), |(low, high), &a| (low.min(a), high.max(a)));
    let mut edges: Vec<f64> = grid.edges.iter().map(|edge| edge * high).collect();
    if low < high && grid.edges[0] > 0.0 {
        edges.insert(0, grid.edges[0] * low);
    }
    edges
}

/// Energies and weights over exactly the problem's range, Gauss rules on its elements.
fn energies(setup: &Setup, coarser: usize) -> Vec<(f64, f64)> {
    let EnergyGrid::Spectral(grid) = &setup.phase_space.energy else { return vec![(1.0, 1.0)] };
    let own = grid.per_element();
    let wanted = ENERGIES.div_ceil(grid.elements()).min(MOST_PER_ELEMENT).max(own);
    let count = if wanted > own + 1 { wanted - 2 * coarser.min(1) } else { wanted - coarser.min(wanted - 1) };
    gauss_rule(&grid.edges, count)
}

/// Nodes and weights of `count` Gauss points between any two neighbouring edges.
fn gauss_rule(edges: &[f64], count: usize) -> Vec<(f64, f64)> {
    let (nodes, weights) = gauss_legendre(count);
    edges
        .windows(2)
        .flat_map(|pair| {
            let (middle, half) = (0.5 * (pair[0] + pair[1]), 0.5 * (pair[1] - pair[0]));
            nodes.iter().zip(&weights).map(move |(x, w)| (middle + half * x, half * w)).collect::<Vec<_>>()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::extremes::larger;
    use crate::problem::LoadOptions;
    use crate::problem::load::{load, load_text};

    /// A shell in homologous expansion whose opacity is larger above the energy 3 and again above 6.
    const EDGES: &str = r#"(
        format: 1,
        title: "Expanding shell with absorption edges",
        units: Dimensionless,
        background: (metric: Flat, velocity: PiecewiseLinear(radii: [1, 11], values: [0, 0.3])),
        species: [(name: "nu")],
        phase_space: (
            r: (degree: 1, elements: Segments(start: 1, segments: [(end: 11, elements: 6)])),
            mu: Uniform(degree: 1, elements: 2),
            energy: Edges(degree: 2, edges: [1, 2, 2.5, 3, 3.5, 5, 6, 7, 8]),
        ),
        opacities: [Absorption(
            absorption: Expression("(0.3 + 3*step(energy-3) + 9*step(energy-6))/r^2"),
            equilibrium: Constant(1.0),
        )],
    )"#;

    fn velocity(r: f64) -> f64 {
        0.03 * (r - 1.0)
    }

    /// f = 1 − e^−τ by the midpoint rule along the straight ray, from nothing that the code above uses.
    fn absorbed(r: f64, mu: f64, energy: f64) -> f64 {
        let factor = |v: f64| 1.0 / (1.0 - v * v).sqrt();
        let v = velocity(r);
        let (cosine, fixed) = ((mu + v) / (1.0 + v * mu), energy * factor(v) * (1.0 + v * mu));
        let step = 0.02;
        let mut depth = 0.0;
        for i in 0.. {
            let s = step * (f64::from(i) + 0.5);
            let place = (r * r - 2.0 * r * cosine * s + s * s).sqrt();
            if !(1.0..=11.0).contains(&place) {
                break;
            }
            let (v, along) = (velocity(place), (r * cosine - s) / place);
            let doppler = factor(v) * (1.0 - v * along);
            let above = |edge: f64| if fixed * doppler > edge { 1.0 } else { 0.0 };
            depth += step * doppler * (0.3 + 3.0 * above(3.0) + 9.0 * above(6.0)) / (place * place);
        }
        -(-depth).exp_m1()
    }

    #[test]
    fn jumps_in_angle_average_out_in_integrals_over_the_energy() {
        check_shell(6, 1e-4);
    }

    /// In the problem's range of comoving energies, whatever lies between the edges of groups.
    #[test]
    fn integrals_over_the_energy_are_those_of_a_brute_force_sum() {
        let text = EDGES.to_owned();
        let problem = load_text(text, Path::new("shell.ron"), &LoadOptions::default()).unwrap();
        let setup = Setup::build(&problem).unwrap();
        let level = Level::unscattered(&setup, 1e-4, 0).unwrap();
        let found = level.energy_integrals(0, 7.0).values;
        let (directions, energies) = (1000, 350);
        let mut exact = [0.0; 3];
        for i in 0..directions * energies {
            let mu = 2.0 * (f64::from(i / energies) + 0.5) / f64::from(directions) - 1.0;
            let energy = 1.0 + 7.0 * (f64::from(i % energies) + 0.5) / f64::from(energies);
            let f = 7.0 * energy.powi(3) * absorbed(7.0, mu, energy) / f64::from(directions * energies);
            (0..3).for_each(|n| exact[n] += mu.powi(n as i32) * f);
        }
        for (n, exact) in exact.into_iter().enumerate() {
            let error = (found[3 + n] / exact - 1.0).abs();
            assert!(error < 5e-4, "{n}: {} {exact} {error:e}", found[3 + n]);
        }
    }

    /// With more panels than are halved for jumps.
    #[test]
    fn many_jumps_along_rays_are_met_between_points() {
        check_shell(250, 1e-4);
    }

    fn check_shell(elements: usize, bar: f64) {
        let text = EDGES.replace("elements: 6", &format!("elements: {elements}"));
        let problem = load_text(text, Path::new("shell.ron"), &LoadOptions::default()).unwrap();
        let setup = Setup::build(&problem).unwrap();
        let level = Level::unscattered(&setup, 1e-4, 0).unwrap();
        assert!(level.medium.jumps_in_angle());
        let energies: Vec<f64> = level.energies.iter().map(|pair| pair.0).collect();
        let r = 7.0;
        let found = level.moments(0, r, &energies);
        let count = 2000;
        let mut exact = vec![[0.0; 2]; energies.len()];
        for i in 0..count {
            let mu = 2.0 * (f64::from(i) + 0.5) / f64::from(count) - 1.0;
            for (exact, energy) in exact.iter_mut().zip(&energies) {
                let f = absorbed(r, mu, *energy) / f64::from(count);
                *exact = [exact[0] + f, exact[1] + mu * f];
            }
        }
        let total = |moment: &dyn Fn(usize) -> f64| -> f64 {
            let pairs = level.energies.iter().enumerate();
            pairs.map(|(k, (energy, weight))| weight * energy.powi(3) * moment(k)).sum()
        };
        for n in 0..2 {
            let [value, embedded, exact] =
                [total(&|k| found.values[k][n]), total(&|k| found.embedded[k][n]), total(&|k| exact[k][n])];
            let error = (value - exact).abs();
            assert!(error < bar * exact, "{n}: {value} {exact}");
            assert!(error < (value - embedded).abs() + 2e-5 * exact, "{n}: {value} {embedded} {exact}");
        }
        let error = |k: usize| (found.values[k][0] - exact[k][0]).abs();
        assert!((0..energies.len()).map(error).fold(0.0, larger) < 1e-3);
    }

    /// At an edge of a panel rounding decides on which side of it a nearly tangential ray turns.
    #[test]
    fn rays_that_graze_edges_of_panels_are_continuous() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("problems/oven.ron");
        let setup = Setup::build(&load(&path, &LoadOptions::default()).unwrap()).unwrap();
        let level = Level::unscattered(&setup, 1e-9, 0).unwrap();
        let outer = level.medium.range().1;
        // At the reflecting wall itself a ray along it has no length.
        for r in level.medium.panels.iter().map(|panel| panel.upper).filter(|&r| r < outer) {
            let f = |mu: f64| level.f(0, r, mu, &[30.0])[0];
            for sign in [-1.0, 1.0] {
                let near = f(sign * 1e-4);
                for exponent in 0..80 {
                    let mu = sign * 10.0_f64.powf(-6.0 - 0.1 * f64::from(exponent));
                    let grazing = f(mu);
                    assert!((grazing - near).abs() < 1e-2 * near, "{r} {mu:e}: {grazing} {near}");
                }
            }
        }
    }
}
