//! Λ by rays that all radial nodes share (the tangent-ray method: Mihalas 1978, Stellar Atmospheres,
//! section 14-3; Schinder & Bludman 1989): each ray is followed once, from the outer edge through its
//! point of closest approach and out again, and gives f at every node that it passes.
//!
//! Rays for each node by itself ([`super::scattering`]) are more exact and cost nodes × rays × panels; these cost
//! rays × panels, which makes hundreds of zones possible. Along a piece of a ray within one panel the source
//! function is a parabola in the optical depth, which keeps constants exact at any optical depth. In
//! angle f is a parabola through the rays tangent to neighbouring nodes and one between them.

use rayon::prelude::*;

use super::field::{Field, MOST_NODES, Mesh};
use super::medium::Medium;
use super::trace::{End, Ends, Sample, Segment, Tracer};
use crate::opacities::LocalOpacity;
use crate::phase_space::basis::gauss_legendre;

/// Optical depths below this are taken by series.
const THIN: f64 = 0.1;
/// Portions of the rays that are summed up one after the other, whatever the number of threads.
const PORTIONS: usize = 32;
/// Energies nearer to each other than this, relatively, are one.
const SAME_ENERGY: f64 = 1e-13;

/// The pieces of the radial range between which rays stop: those between neighbouring nodes of the mesh,
/// and panels without nodes.
struct Piece {
    panel: usize,
    lower: f64,
    upper: f64,
    /// Number of the radial node at either end.
    nodes: [Option<usize>; 2],
    /// r/α at the ends.
    tangents: [f64; 2],
}

/// A family of rays through all radial nodes of a mesh.
pub struct Sweep<'a> {
    tracer: Tracer<'a>,
    mesh: &'a Mesh,
    pieces: Vec<Piece>,
    /// r/α and v of the nodes.
    tangents: Vec<f64>,
    velocities: Vec<f64>,
    /// Impact parameters, ascending from 0.
    impacts: Vec<f64>,
    /// Redshifted comoving energies of the mesh, which the energies at infinity are too, and their
    /// logarithms.
    energies: Vec<f64>,
    logs: Vec<f64>,
    /// Cosines of the rays at each node: (node, inward and outward, ray) → weights of f in J and in H.
    weights: Vec<[Vec<[f64; 2]>; 2]>,
}

/// Whether rays can be shared: they come from the outside, where nothing is, pass one point of closest
/// approach, and go out again.
pub fn applies(medium: &Medium, ends: &dyn Ends) -> bool {
    let monotonic = medium.panels.iter().all(|panel| panel.tangent_lower < panel.tangent_upper);
    monotonic && medium.range().0 == 0.0 && ends.outer() == End::Vacuum && !medium.gray
}

impl<'a> Sweep<'a> {
    /// Rays tangent to each of `nodes` ((panel, r), ascending) and, where `fine`, one between each two.
    pub fn new(tracer: Tracer<'a>, mesh: &'a Mesh, nodes: &[(usize, f64)], fine: bool) -> Self {
        let medium = tracer.medium;
        let places: Vec<_> = nodes.iter().map(|&(panel, r)| medium.spot(panel, r).place).collect();
        let tangents: Vec<f64> =
            nodes.iter().zip(&places).map(|(node, place)| node.1 / place.lapse).collect();
        let energies = mesh.energies();
        let mut sweep = Self {
            pieces: pieces(medium, mesh, &tangents),
            impacts: impacts(&tangents, fine),
            velocities: places.iter().map(|place| place.velocity).collect(),
            logs: energies.iter().map(|energy| energy.ln()).collect(),
            energies,
            tangents,
            weights: Vec::new(),
            tracer,
            mesh,
        };
        sweep.weights = (0..nodes.len()).map(|node| sweep.angular_weights(node, fine)).collect();
        sweep
    }

    /// Weights of f in J = ½∫f dμ and H = ½∫f μ dμ at a node, for the rays that reach it.
    fn angular_weights(&self, node: usize, fine: bool) -> [Vec<[f64; 2]>; 2] {
        let (tangent, v) = (self.tangents[node], self.velocities[node]);
        let count = self.impacts.partition_point(|&b| b <= tangent);
        let cosine = |b: f64| ((1.0 - b / tangent) * (1.0 + b / tangent)).max(0.0).sqrt();
        [-1.0, 1.0].map(|sign| {
            let mut weights = vec![[0.0; 2]; count];
            if count < 2 {
                // All directions at the centre are those of one ray, which arrives there inward.
                weights.iter_mut().for_each(|w| *w = [f64::from(u8::from(sign < 0.0)), 0.0]);
                return weights;
            }
            let cosines: Vec<f64> = self.impacts[..count]
                .iter()
                .map(|&b| {
                    let c = sign * cosine(b);
                    (c - v) / (1.0 - v * c)
                })
                .collect();
            let step = if fine { 2 } else { 1 };
            for first in (0..count - 1).step_by(step) {
                let points = &cosines[first..(first + step + 1).min(count)];
                for (w, more) in weights[first..].iter_mut().zip(product_weights(points)) {
                    *w = [w[0] + more[0], w[1] + more[1]];
                }
            }
            weights
        })
    }

    /// J and H in the order of (energy, moment, radius) that emission (`None`) or scattering with `field`
    /// makes; H only where `moments` is 2. Between energies f is interpolated relative to the spectrum whose
    /// logarithms are `reference`, 0 where there is none.
    pub fn formal(
        &self,
        species: usize,
        field: Option<&Field>,
        reference: &[f64],
        moments: usize,
    ) -> Vec<f64> {
        let size = self.energies.len() * moments * self.tangents.len();
        let portion = self.impacts.len().div_ceil(PORTIONS);
        let parts: Vec<Vec<f64>> = (0..self.impacts.len())
            .collect::<Vec<_>>()
            .par_chunks(portion)
            .map(|rays| {
                let mut sum = vec![0.0; size];
                rays.iter()
                    .for_each(|&ray| self.follow_values((species, ray), field, reference, moments, &mut sum));
                sum
            })
            .collect();
        let mut total = vec![0.0; size];
        for part in parts {
            total.iter_mut().zip(part).for_each(|(sum, value)| *sum += value);
        }
        total
    }

    fn follow_values(
        &self,
        (species, ray): (usize, usize),
        field: Option<&Field>,
        reference: &[f64],
        moments: usize,
        sum: &mut [f64],
    ) {
        let radii = self.tangents.len();
        let mut f = vec![0.0; self.energies.len()];
        // Energies at infinity for which f is held, over the mesh's energies.
        let mut shift = 1.0;
        self.follow(species, ray, &mut |step| match step {
            Step::Through(segment) => {
                // Energies of the mesh at the end of the piece: where it is opaque nothing is interpolated.
                let end = &segment.samples[2];
                let next = 1.0 / (end.lapse() * end.ratio);
                f = self.shifted(&f, reference, next / shift);
                shift = next;
                self.advance(&mut f, species, field, segment, shift);
            }
            Step::At { node, outward } => {
                for (moment, weight) in
                    self.weights[node][usize::from(outward)][ray].iter().enumerate().take(moments)
                {
                    for (k, f) in f.iter().enumerate() {
                        sum[(k * moments + moment) * radii + node] += weight * f;
                    }
                }
            }
        });
    }

    /// Takes f at the energies at infinity `shift` × those of the mesh through a piece.
    fn advance(&self, f: &mut [f64], species: usize, field: Option<&Field>, segment: &Segment, shift: f64) {
        let medium = self.tracer.medium;
        for (k, f) in f.iter_mut().enumerate() {
            let mut sources = [0.0; 3];
            let mut opacities = [LocalOpacity::default(); 3];
            for (i, at) in segment.samples.iter().enumerate() {
                let energy = self.energies[k] * shift * at.ratio;
                opacities[i] = medium.opacity(species, at.panel, &at.spot, energy, energy.ln());
                sources[i] = match field {
                    None => opacities[i].emissivity,
                    Some(field) => scattered(field, medium, species, at, energy, &opacities[i]),
                };
            }
            let (depth, parts) = parabola(segment.length, &opacities);
            let emitted: f64 = (0..3).map(|i| parts[i] * over(sources[i], &opacities[i])).sum();
            *f = *f * (-depth).exp() + emitted;
        }
    }

    /// f at `factor` times all energies, by straight lines in f/reference over ln E: linear in f.
    fn shifted(&self, f: &[f64], reference: &[f64], factor: f64) -> Vec<f64> {
        if (factor - 1.0).abs() < SAME_ENERGY {
            return f.to_vec();
        }
        let shift = factor.ln();
        let at = |k: usize| {
            let log = self.logs[k] + shift;
            let above = self.logs.partition_point(|&l| l <= log);
            if above == 0 {
                return f[0];
            }
            let (Some(&upper), lower) = (f.get(above), f[above - 1]) else { return 0.0 };
            let share = (log - self.logs[above - 1]) / (self.logs[above] - self.logs[above - 1]);
            let (low, high) = (reference[above - 1], reference[above]);
            let fall = if low == 0.0 || high == 0.0 { 0.0 } else { high - low };
            lower * (1.0 - share) * (share * fall).exp() + upper * share * ((share - 1.0) * fall).exp()
        };
        (0..f.len()).map(at).collect()
    }

    /// Rows of Λ, without Doppler shifts, for energies number `first` and following: for each of them
    /// (moment, radius) rows with a column for each (moment, radius) and one for the emission.
    pub fn rows(&self, species: usize, energies: std::ops::Range<usize>, moments: usize) -> Vec<Vec<f64>> {
        let radii = self.tangents.len();
        let width = radii * moments + 1;
        let mut matrices = vec![vec![0.0; width * radii * moments]; energies.len()];
        for ray in 0..self.impacts.len() {
            let mut rows = vec![vec![0.0; width]; energies.len()];
            self.follow(species, ray, &mut |step| match step {
                Step::Through(segment) => {
                    for (row, k) in rows.iter_mut().zip(energies.clone()) {
                        self.pass(row, species, segment, k, moments);
                    }
                }
                Step::At { node, outward } => {
                    let weights = self.weights[node][usize::from(outward)][ray];
                    for (row, matrix) in rows.iter().zip(&mut matrices) {
                        for (moment, weight) in weights.into_iter().enumerate().take(moments) {
                            let target = &mut matrix[(moment * radii + node) * width..][..width];
                            target.iter_mut().zip(row).for_each(|(sum, value)| *sum += weight * value);
                        }
                    }
                }
            });
        }
        matrices
    }

    fn pass(&self, row: &mut [f64], species: usize, segment: &Segment, k: usize, moments: usize) {
        let (medium, radii) = (self.tracer.medium, self.tangents.len());
        let opacities = segment.samples.each_ref().map(|at| {
            let (energy, log) = (self.energies[k] / at.lapse(), self.logs[k] - at.lapse().ln());
            medium.opacity(species, at.panel, &at.spot, energy, log)
        });
        let (depth, parts) = parabola(segment.length, &opacities);
        let transmission = (-depth).exp();
        row.iter_mut().for_each(|value| *value *= transmission);
        let last = row.len() - 1;
        for ((at, opacity), part) in segment.samples.iter().zip(&opacities).zip(parts) {
            row[last] += part * over(opacity.emissivity, opacity);
            let Some((first, radial)) = self.mesh.radial_spot(medium, at.panel, at.r) else { continue };
            let j = part * over(opacity.scattering, opacity);
            let h = part * 3.0 * over(opacity.scattering_first, opacity) * at.mu;
            let radial: &[f64; MOST_NODES] = &radial;
            for (i, w) in radial[..self.mesh.radial.len()].iter().enumerate() {
                row[first + i] += j * w;
                if moments == 2 {
                    row[radii + first + i] += h * w;
                }
            }
        }
    }

    /// Follows a ray in the direction of flight through all pieces that it passes.
    fn follow(&self, species: usize, ray: usize, take: &mut dyn FnMut(Step)) {
        let b = self.impacts[ray];
        let passed: Vec<&Piece> = self.pieces.iter().filter(|piece| piece.tangents[1] >= b).collect();
        if let Some(node) = passed.last().and_then(|piece| piece.nodes[1]) {
            take(Step::At { node, outward: false });
        }
        let along =
            passed.iter().rev().map(|piece| (piece, false)).chain(passed.iter().map(|piece| (piece, true)));
        for (piece, outward) in along {
            let lower = (piece.tangents[0] >= b).then_some(piece.lower);
            let near = if lower.is_some() { piece.nodes[0] } else { None };
            // A ray that is tangent to its upper end only touches the piece.
            let touches = lower.is_none() && piece.tangents[1] <= b;
            let (ends, node) = if outward {
                ([lower, Some(piece.upper)], piece.nodes[1])
            } else {
                ([Some(piece.upper), lower], near)
            };
            if !touches {
                take(Step::Through(&self.tracer.segment(species, b, piece.panel, ends)));
            }
            if let Some(node) = node {
                take(Step::At { node, outward });
            }
        }
    }
}

/// What happens along a ray.
enum Step<'s> {
    /// A piece is passed.
    Through(&'s Segment),
    /// A radial node is reached.
    At { node: usize, outward: bool },
}

/// Pieces of the whole radial range, ascending.
fn pieces(medium: &Medium, mesh: &Mesh, tangents: &[f64]) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    for (p, panel) in medium.panels.iter().enumerate() {
        let (first, radii) = match mesh.radial_spot(medium, p, panel.lower) {
            None => (None, vec![panel.lower, panel.upper]),
            Some((first, _)) => {
                let mut radii: Vec<f64> = mesh.radial.between(panel.lower, panel.upper).collect();
                let last = radii.len() - 1;
                (radii[0], radii[last]) = (panel.lower, panel.upper);
                (Some(first), radii)
            }
        };
        for (i, pair) in radii.windows(2).enumerate() {
            let nodes = [first.map(|first| first + i), first.map(|first| first + i + 1)];
            // Both sides of an edge have to agree about which rays pass it.
            let own = pieces.last().map_or(panel.tangent_lower, |below| below.tangents[1]);
            let lower = nodes[0].map_or(own, |node| tangents[node]);
            let upper = nodes[1].map_or(panel.tangent_upper, |node| tangents[node]);
            if let Some(below) = pieces.last_mut() {
                below.tangents[1] = lower;
            }
            pieces.push(Piece { panel: p, lower: pair[0], upper: pair[1], nodes, tangents: [lower, upper] });
        }
    }
    pieces
}

/// 0, the tangents, and those half-way between.
fn impacts(tangents: &[f64], fine: bool) -> Vec<f64> {
    let mut edges = vec![0.0];
    edges.extend(tangents.iter().copied().filter(|&tangent| tangent > 0.0));
    edges.dedup();
    if !fine {
        return edges;
    }
    let mut impacts: Vec<f64> =
        edges.windows(2).flat_map(|pair| [pair[0], 0.5 * (pair[0] + pair[1])]).collect();
    impacts.extend(edges.last());
    impacts
}

/// Weights of the values at two or three cosines in ½∫f dμ and ½∫f μ dμ between the outer ones, for the
/// polynomial through them; positive whichever way they are ordered.
fn product_weights(points: &[f64]) -> Vec<[f64; 2]> {
    let (low, high) = (points[0], points[points.len() - 1]);
    let (nodes, weights) = gauss_legendre(3);
    let mut sums = vec![[0.0; 2]; points.len()];
    for (x, w) in nodes.iter().zip(&weights) {
        let mu = 0.5 * (low + high) + 0.5 * x * (high - low);
        for (i, sum) in sums.iter_mut().enumerate() {
            let others = points.iter().enumerate().filter(|&(m, _)| m != i);
            let value: f64 = others.map(|(_, p)| (mu - p) / (points[i] - p)).product();
            let weight = 0.25 * w * (high - low).abs() * value;
            *sum = [sum[0] + weight, sum[1] + weight * mu];
        }
    }
    sums
}

/// Value over extinction; 0 where there is none.
fn over(value: f64, opacity: &LocalOpacity) -> f64 {
    let extinction = opacity.absorption + opacity.scattering;
    if extinction > 0.0 { value / extinction } else { 0.0 }
}

fn scattered(
    field: &Field,
    medium: &Medium,
    species: usize,
    at: &Sample,
    energy: f64,
    opacity: &LocalOpacity,
) -> f64 {
    if opacity.scattering == 0.0 {
        return 0.0;
    }
    let [j, h] = field.at(medium, species, at, energy);
    opacity.scattering * j + 3.0 * opacity.scattering_first * at.mu * h
}

/// Optical depth of a piece, and the weights of the source function at its beginning, middle and end in
/// ∫ S e^{−(τ−t)} dt, S being a parabola in t.
fn parabola(length: f64, opacities: &[LocalOpacity; 3]) -> (f64, [f64; 3]) {
    let [a, b, c] = opacities.each_ref().map(|o| o.absorption + o.scattering);
    let depth = length * (a + 4.0 * b + c) / 6.0;
    let [m0, m1, m2] = exponential_moments(depth);
    (depth, [2.0 * m2 - 3.0 * m1 + m0, 4.0 * (m1 - m2), 2.0 * m2 - m1])
}

/// ∫₀^τ (t/τ)ⁿ e^{−(τ−t)} dt for n = 0, 1, 2.
fn exponential_moments(depth: f64) -> [f64; 3] {
    if depth < THIN {
        // τ Σ (−τ)^j n!/(n+j+1)!
        return [1.0, 1.0, 2.0].map(|factorial| factorial).map({
            let mut n = 0;
            move |factorial| {
                let mut term = depth * factorial / (1..=n + 1).product::<usize>() as f64;
                let mut sum = term;
                for j in 1..10 {
                    term *= -depth / (n + j + 1) as f64;
                    sum += term;
                }
                n += 1;
                sum
            }
        });
    }
    let m0 = -(-depth).exp_m1();
    let m1 = 1.0 - m0 / depth;
    [m0, m1, 1.0 - 2.0 * m1 / depth]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_of_the_exponential_are_exact() {
        let (x, w) = gauss_legendre(30);
        for depth in [1e-8, 1e-3, 0.099, 0.101, 1.0, 7.0] {
            for (n, found) in exponential_moments(depth).into_iter().enumerate() {
                let exact: f64 = x
                    .iter()
                    .zip(&w)
                    .map(|(x, w)| {
                        let t = 0.5 * (1.0 + x);
                        0.5 * w * depth * t.powi(n as i32) * (-(depth * (1.0 - t))).exp()
                    })
                    .sum();
                assert!((found - exact).abs() < 1e-13 * exact, "{n} {depth}: {found:e} {exact:e}");
            }
        }
    }

    #[test]
    fn parabolas_in_angle_are_integrated() {
        let points = [-0.9, -0.2, 0.3];
        let f = |mu: f64| 2.0 - mu + 3.0 * mu * mu;
        let sums = product_weights(&points)
            .iter()
            .zip(points)
            .fold([0.0; 2], |sum, (w, mu)| [sum[0] + w[0] * f(mu), sum[1] + w[1] * f(mu)]);
        let integral = |mu: f64| 2.0 * mu - 0.5 * mu * mu + mu.powi(3);
        let first = |mu: f64| mu * mu - mu.powi(3) / 3.0 + 0.75 * mu.powi(4);
        assert!((sums[0] - 0.5 * (integral(0.3) - integral(-0.9))).abs() < 1e-14);
        assert!((sums[1] - 0.5 * (first(0.3) - first(-0.9))).abs() < 1e-14);
    }
}
