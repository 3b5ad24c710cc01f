//! Finite volumes around the radial nodes: their faces lie between the nodes, at the sums of the
//! quadrature weights, so that element edges are faces and widths are the quadrature weights.

use crate::methods::boltzmann::connection::lorentz_factor;
use crate::methods::setup::Setup;

/// Geometry of the cells. Face f lies below node f; there is one more than nodes. Number densities per dE
/// have the factor C⁻³, which areas and volumes contain.
#[derive(Debug)]
pub struct Mesh {
    pub nodes: usize,
    pub face_radius: Vec<f64>,
    /// C = αW(1 + v).
    pub face_clock: Vec<f64>,
    pub clock: Vec<f64>,
    /// αr²W C⁻³ and v at faces.
    pub area: Vec<f64>,
    pub velocity: Vec<f64>,
    /// αr²W and v at nodes.
    pub node_area: Vec<f64>,
    pub node_velocity: Vec<f64>,
    /// W/X over the distance of the two nodes, at inner faces (0 at both ends).
    pub stretch: Vec<f64>,
    /// Part of the distance of the nodes that lies below the face.
    pub below: Vec<f64>,
    /// J at the face per J of the node below and above, where it streams: J ∝ (C/r)².
    pub spreading: Vec<[f64; 2]>,
    /// αXr²C⁻³ × width.
    pub volume: Vec<f64>,
    /// W/α.
    pub time: Vec<f64>,
    /// What moves neutrinos from line to line.
    pub drift: Vec<Drift>,
}

/// −dlnE/dλ along the rays, integrated over αXr²C⁻³ of one cell: aH + k_rK + k_⊥(J − K) − c(H + vJ) with
/// c = (W/X) dlnC/dr is J(rest + h·flux + χ·pressure) for the factors h = H/J and χ = K/J.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Drift {
    pub rest: f64,
    pub flux: f64,
    pub pressure: f64,
}

impl Mesh {
    pub fn new(setup: &Setup) -> Self {
        let (radial, geometry) = (&setup.phase_space.radial, &setup.geometry);
        let (r, nodes) = (&radial.nodes, radial.nodes.len());
        let face_radius = faces(setup);
        let at_faces = |of: &dyn Fn(f64) -> f64| -> Vec<f64> { face_radius.iter().map(|&r| of(r)).collect() };
        let face_lapse = at_faces(&|r| setup.background.lapse(r));
        let velocity = at_faces(&|r| setup.background.velocity(r));
        let metric = at_faces(&|r| setup.background.radial_metric(r));
        let face_clock = clocks(&face_lapse, &velocity);
        let clock = clocks(&geometry.lapse, &geometry.velocity);
        let flow = |lapse: f64, v: f64, r: f64| lapse * lorentz_factor(v) * r * r;
        let per_face = |value: &dyn Fn(usize) -> f64| -> Vec<f64> {
            (0..=nodes).map(|f| if f > 0 && f < nodes { value(f) } else { 0.0 }).collect()
        };
        let spreading = |f: usize, i: Option<usize>| -> f64 {
            i.filter(|_| face_radius[f] > 0.0)
                .map_or(0.0, |i| (r[i] * face_clock[f] / (face_radius[f] * clock[i])).powi(2))
        };
        let per_cell = |value: &dyn Fn(usize) -> f64| -> Vec<f64> { (0..nodes).map(value).collect() };
        Self {
            nodes,
            area: (0..=nodes)
                .map(|f| flow(face_lapse[f], velocity[f], face_radius[f]) / face_clock[f].powi(3))
                .collect(),
            node_area: per_cell(&|i| flow(geometry.lapse[i], geometry.velocity[i], r[i])),
            stretch: per_face(&|f| lorentz_factor(velocity[f]) / (metric[f] * (r[f] - r[f - 1]))),
            below: per_face(&|f| (face_radius[f] - r[f - 1]) / (r[f] - r[f - 1])),
            spreading: (0..=nodes)
                .map(|f| [spreading(f, f.checked_sub(1)), spreading(f, (f < nodes).then_some(f))])
                .collect(),
            volume: per_cell(&|i| {
                geometry.lapse[i] * geometry.radial_metric[i] * r[i] * r[i] * radial.weights[i]
                    / clock[i].powi(3)
            }),
            time: per_cell(&|i| lorentz_factor(geometry.velocity[i]) / geometry.lapse[i]),
            drift: (0..nodes).map(|i| drift(setup, &face_radius, &face_lapse, &velocity, i)).collect(),
            node_velocity: geometry.velocity.clone(),
            face_radius,
            face_clock,
            clock,
            velocity,
        }
    }
}

/// αW(1 + v).
fn clocks(lapse: &[f64], velocity: &[f64]) -> Vec<f64> {
    lapse.iter().zip(velocity).map(|(lapse, &v)| lapse * lorentz_factor(v) * (1.0 + v)).collect()
}

/// [`Drift`] of cell `i` from the differences of αr²Wv, ln(αW) and ln(1 + v) over it; zero at rest, where
/// c = a.
fn drift(setup: &Setup, face_radius: &[f64], lapse: &[f64], velocity: &[f64], i: usize) -> Drift {
    let geometry = &setup.geometry;
    let v = geometry.velocity[i];
    if v == 0.0 && velocity[i] == 0.0 && velocity[i + 1] == 0.0 {
        return Drift::default();
    }
    let (radial, r) = (&setup.phase_space.radial, setup.phase_space.radial.nodes[i]);
    let w = lorentz_factor(v);
    let node_area = geometry.lapse[i] * w * r * r;
    let carried = |f: usize| lapse[f] * lorentz_factor(velocity[f]) * face_radius[f].powi(2) * velocity[f];
    let logarithm = |f: usize| (lapse[f] * lorentz_factor(velocity[f])).ln();
    // Volume integrals of div(u) = k_r + 2k_⊥, of k_⊥, of a and of (W/X) dln(1+v)/dr.
    let expansion = carried(i + 1) - carried(i);
    let tangential = node_area * v / r * radial.weights[i];
    let acceleration = node_area * (logarithm(i + 1) - logarithm(i));
    let boost = node_area * (velocity[i + 1].ln_1p() - velocity[i].ln_1p());
    let cube = (geometry.lapse[i] * w * (1.0 + v)).powi(3);
    Drift {
        rest: (tangential - (acceleration + boost) * v) / cube,
        flux: -boost / cube,
        pressure: (expansion - 3.0 * tangential) / cube,
    }
}

/// Edges of the elements and, between their nodes, the edge plus the weights so far.
fn faces(setup: &Setup) -> Vec<f64> {
    let radial = &setup.phase_space.radial;
    let mut faces = Vec::with_capacity(radial.nodes.len() + 1);
    for element in 0..radial.elements() {
        let mut face = radial.edges[element];
        for i in radial.range(element) {
            faces.push(face);
            face += radial.weights[i];
        }
    }
    faces.push(radial.edges[radial.elements()]);
    faces
}
