//! Λ by rays that all radial nodes share (the tangent-ray method: Mihalas 1978, Stellar Atmospheres,
//! section 14-3; Schinder & Bludman 1989): each ray is followed once, from the outer edge through its
//! point of closest approach and out again, and gives f at every node that it passes.
//!
//! Rays for each node by itself ([`super::scattering`]) are more exact and cost nodes × rays × panels; these cost
//! rays × panels, which makes hundreds of zones possible. Along a piece of a ray between two nodes the source
//! function is a polynomial in the optical depth ([`super::segment`]). In angle f is a parabola through
//! three neighbouring rays.
//!
//! In opaque matter the nodes inside panels get the equation of diffusion, and those between two panels the
//! continuity of the flux: panels that are not transparent need a node inside.

use rayon::prelude::*;

use super::field::{Field, Mesh, RadialSpot};
use super::medium::Medium;
use super::projection::Projection;
use super::segment::{POINTS, Segment, SegmentRule};
use super::trace::{End, Ends, Tracer};
use crate::opacities::LocalOpacity;
use crate::phase_space::basis::gauss_legendre;

/// Portions of the rays that are summed up one after the other, whatever the number of threads.
const PORTIONS: usize = 32;
/// Coefficients of f at a node that never count.
pub const NEGLIGIBLE: f64 = 1e-30;
/// Of two neighbouring intervals in angle the wider one is at most this many times wider where f is a parabola.
const UNEVEN: f64 = 10.0;
/// Energies nearer to each other than this, relatively, are one.
const SAME_ENERGY: f64 = 1e-13;
/// Radii nearer to each other than this, relatively, are one: rays tangent to both would be one in angle.
const SAME_RADIUS: f64 = 1e-10;

/// The pieces of the radial range between which rays stop: those between neighbouring nodes of the mesh and
/// stations, and panels without any.
struct Piece {
    panel: usize,
    lower: f64,
    upper: f64,
    /// Number of the station at either end.
    stations: [Option<usize>; 2],
    /// r/α at the ends.
    tangents: [f64; 2],
}

/// Angular moments that rays are summed up to: J, H, K and L.
pub const MOMENTS: usize = 4;

/// A family of rays through all radial nodes of a mesh, which give moments at stations: these nodes or others.
pub struct Sweep<'a> {
    tracer: Tracer<'a>,
    rule: SegmentRule,
    mesh: &'a Mesh,
    projection: Projection,
    pieces: Vec<Piece>,
    /// r/α and v of the stations.
    tangents: Vec<f64>,
    velocities: Vec<f64>,
    /// Impact parameters, ascending from 0.
    impacts: Vec<f64>,
    /// Redshifted comoving energies of the mesh, which the energies at infinity are too, and their
    /// logarithms.
    energies: Vec<f64>,
    logs: Vec<f64>,
    /// (station, inward and outward, ray) → weights of f in the moments.
    weights: Vec<[Vec<[f64; MOMENTS]>; 2]>,
}

/// Whether rays can be shared: they come from the outside, where nothing is, pass one point of closest
/// approach, and go out again.
pub fn applies(medium: &Medium, ends: &dyn Ends) -> bool {
    let monotonic = medium.panels.iter().all(|panel| panel.tangent_lower < panel.tangent_upper);
    monotonic && medium.range().0 == 0.0 && ends.outer() == End::Vacuum && !medium.gray
}

impl<'a> Sweep<'a> {
    /// Rays tangent to each of `nodes`, those of the mesh ((panel, r), ascending), and a radial one; they give
    /// the moments there.
    pub fn new(tracer: Tracer<'a>, mesh: &'a Mesh, nodes: &[(usize, f64)]) -> Self {
        Self::with_stations(tracer, mesh, nodes, nodes)
    }

    /// The same, with rays tangent to each of `stations` ((panel, r), ascending) too, which give the moments there
    /// instead of those at the nodes.
    pub fn with_stations(
        tracer: Tracer<'a>,
        mesh: &'a Mesh,
        nodes: &[(usize, f64)],
        stations: &[(usize, f64)],
    ) -> Self {
        let medium = tracer.medium;
        let place = |&(panel, r): &(usize, f64)| medium.spot(panel, r).place;
        let tangent = |at: &(usize, f64)| at.1 / place(at).lapse;
        let mut stops: Vec<Stop> =
            nodes.iter().map(|at| Stop { r: at.1, tangent: tangent(at), station: None }).collect();
        for (number, at) in stations.iter().enumerate() {
            let place = stops.partition_point(|stop| is_below(stop.r, at.1));
            match stops.get_mut(place).filter(|stop| !is_below(at.1, stop.r)) {
                Some(known) => known.station = Some(number),
                None => {
                    let stop = Stop { r: at.1, tangent: tangent(at), station: Some(number) };
                    stops.insert(place, stop);
                }
            }
        }
        let mut tangents = vec![0.0; stations.len()];
        for stop in &stops {
            stop.station.into_iter().for_each(|station| tangents[station] = stop.tangent);
        }
        let energies = mesh.energies();
        let mut sweep = Self {
            pieces: pieces(medium, mesh, &stops),
            impacts: impacts(&stops),
            rule: SegmentRule::new(false),
            velocities: stations.iter().map(|at| place(at).velocity).collect(),
            logs: energies.iter().map(|energy| energy.ln()).collect(),
            energies,
            tangents,
            weights: Vec::new(),
            tracer,
            mesh,
            projection: Projection::new(mesh.energy_edges.clone(), mesh.spectral.clone()),
        };
        sweep.weights = (0..stations.len()).map(|station| sweep.angular_weights(station)).collect();
        sweep
    }

    /// Weights of f in ½∫f μⁿ dμ at a station, for the rays that reach it.
    fn angular_weights(&self, station: usize) -> [Vec<[f64; MOMENTS]>; 2] {
        let (tangent, v) = (self.tangents[station], self.velocities[station]);
        let count = self.impacts.partition_point(|&b| b <= tangent);
        let cosine = |b: f64| ((1.0 - b / tangent) * (1.0 + b / tangent)).max(0.0).sqrt();
        [-1.0, 1.0].map(|sign| {
            let mut weights = vec![[0.0; MOMENTS]; count];
            if count < 2 {
                // All directions at the centre are those of one ray, which arrives there inward.
                if sign < 0.0 {
                    weights.fill([1.0, 0.0, 1.0 / 3.0, 0.0]);
                }
                return weights;
            }
            let cosines: Vec<f64> = self.impacts[..count]
                .iter()
                .map(|&b| {
                    let c = sign * cosine(b);
                    (c - v) / (1.0 - v * c)
                })
                .collect();
            // From the directions across, where rays are far apart in angle; next to the radial one two may be
            // left over.
            let mut last = count - 1;
            while last > 0 {
                let first = if last > 1 && !is_even(&cosines[last - 2..=last]) {
                    last - 1
                } else {
                    last.saturating_sub(2)
                };
                for (w, more) in weights[first..].iter_mut().zip(product_weights(&cosines[first..=last])) {
                    w.iter_mut().zip(more).for_each(|(w, more)| *w += more);
                }
                last = first;
            }
            weights
        })
    }

    /// The first `moments` of J, H, K and L at the mesh's energies over the lapse, in the order of (energy, moment,
    /// station), that emission (`None`) or scattering with `field` makes, its values being those of J and H
    /// themselves.
    pub fn formal(&self, species: usize, field: Option<&Field>, moments: usize) -> Vec<f64> {
        let (energies, stations) = (self.energies.len(), self.tangents.len());
        let size = energies * moments * stations;
        let portion = self.impacts.len().div_ceil(PORTIONS);
        let parts: Vec<Vec<f64>> = (0..self.impacts.len())
            .collect::<Vec<_>>()
            .par_chunks(portion)
            .map(|rays| {
                let mut sum = vec![0.0; size];
                rays.iter().for_each(|&ray| self.follow_values((species, ray), field, moments, &mut sum));
                sum
            })
            .collect();
        let mut total = vec![0.0; size];
        for part in parts {
            total.iter_mut().zip(part).for_each(|(sum, value)| *sum += value);
        }
        let ordered = |index: usize| {
            let (k, moment, station) =
                (index / (moments * stations), index / stations % moments, index % stations);
            total[(station * moments + moment) * energies + k]
        };
        (0..size).map(ordered).collect()
    }

    /// Adds what a ray makes, in the order of (station, moment, energy).
    fn follow_values(
        &self,
        (species, ray): (usize, usize),
        field: Option<&Field>,
        moments: usize,
        sum: &mut [f64],
    ) {
        let energies = self.energies.len();
        let mut f = vec![[0.0]; energies];
        // Energies at infinity for which f is held, over the mesh's energies.
        let mut shift = 1.0;
        self.follow(species, ray, &mut |step| match step {
            Step::Through(segment) => {
                // Energies of the mesh at the end of the piece: where it is opaque nothing is interpolated.
                let end = &segment.samples[POINTS - 1];
                let next = 1.0 / (end.lapse() * end.ratio);
                f = self.shifted(std::mem::take(&mut f), next / shift);
                shift = next;
                self.advance(&mut f, species, field, segment, shift);
            }
            Step::At { station, outward } => {
                for (moment, weight) in
                    self.weights[station][usize::from(outward)][ray].iter().enumerate().take(moments)
                {
                    let own = &mut sum[(station * moments + moment) * energies..][..energies];
                    own.iter_mut().zip(&f).for_each(|(sum, [f])| *sum += weight * f);
                }
            }
        });
    }

    /// Takes f at the energies at infinity `shift` × those of the mesh through a piece.
    fn advance(
        &self,
        f: &mut [[f64; 1]],
        species: usize,
        field: Option<&Field>,
        segment: &Segment,
        shift: f64,
    ) {
        let medium = self.tracer.medium;
        let spots = self.spots(segment);
        let shifts = segment.samples.each_ref().map(|at| shift * at.ratio);
        let logs = shifts.map(f64::ln);
        let moments: [_; POINTS] = std::array::from_fn(|i| {
            let lapse = segment.samples[i].lapse();
            Some(self.shifted_moments(field?, spots[i].as_ref()?, species, lapse * shifts[i]))
        });
        let mut guess = 0;
        for (k, [f]) in f.iter_mut().enumerate() {
            let mut sources = [0.0; POINTS];
            let mut depths = [0.0; POINTS];
            for (i, at) in segment.samples.iter().enumerate() {
                let energy = self.energies[k] * shifts[i];
                let place = (energy, self.logs[k] + logs[i]);
                let opacity = medium.opacity_near(species, at.panel, &at.spot, place, &mut guess);
                let source = match (field, &moments[i]) {
                    (None, _) => opacity.emissivity,
                    (Some(_), Some(moments)) if opacity.scattering != 0.0 => {
                        let [j, h] = moments[k];
                        opacity.scattering * j + 3.0 * opacity.scattering_first * at.mu * h
                    }
                    _ => 0.0,
                };
                sources[i] = over(source, &opacity);
                depths[i] = segment.lengths[i] * (opacity.absorption + opacity.scattering);
            }
            let (depth, weights) = self.rule.weights(&depths);
            let emitted: f64 = weights.iter().zip(sources).map(|(w, s)| w * s).sum();
            *f = *f * (-depth).exp() + emitted;
        }
    }

    /// f at `factor` times the mesh's energies.
    fn shifted(&self, f: Vec<[f64; 1]>, factor: f64) -> Vec<[f64; 1]> {
        if (factor - 1.0).abs() < SAME_ENERGY {
            return f;
        }
        self.projection.shifted(factor, &f)
    }

    /// J and H of `field` where a ray has `factor` times the mesh's energies.
    fn shifted_moments(
        &self,
        field: &Field,
        spot: &RadialSpot,
        species: usize,
        factor: f64,
    ) -> Vec<[f64; 2]> {
        let spectrum = field.spectrum(spot, species);
        if (factor - 1.0).abs() < SAME_ENERGY {
            return spectrum;
        }
        self.projection.shifted(factor, &spectrum)
    }

    /// Rows of Λ, without Doppler shifts, for redshifted comoving energies, the stations being the nodes: for each
    /// energy (moment, radius) rows with a column for each (moment, radius) and one for the emission. Coefficients
    /// below `least` are left out.
    pub fn rows(&self, species: usize, energies: &[f64], moments: usize, least: f64) -> Vec<Vec<f64>> {
        let radii = self.tangents.len();
        let width = radii * moments + 1;
        let mut matrices = vec![vec![0.0; width * radii * moments]; energies.len()];
        for ray in 0..self.impacts.len() {
            let mut rows: Vec<Row> = energies.iter().map(|_| Row::new(radii, moments, least)).collect();
            self.follow(species, ray, &mut |step| match step {
                Step::Through(segment) => {
                    let spots = self.spots(segment);
                    for (row, &energy) in rows.iter_mut().zip(energies) {
                        self.pass(row, species, segment, &spots, energy);
                    }
                }
                Step::At { station, outward } => {
                    let weights = self.weights[station][usize::from(outward)][ray];
                    for (row, matrix) in rows.iter().zip(&mut matrices) {
                        for (moment, weight) in weights.into_iter().enumerate().take(moments) {
                            row.add_to(&mut matrix[(moment * radii + station) * width..][..width], weight);
                        }
                    }
                }
            });
        }
        matrices
    }

    /// Where the points of a piece are among the radial nodes.
    fn spots(&self, segment: &Segment) -> [Option<RadialSpot>; POINTS] {
        segment.samples.each_ref().map(|at| self.mesh.radial_spot(self.tracer.medium, at.panel, at.r))
    }

    fn pass(
        &self,
        row: &mut Row,
        species: usize,
        segment: &Segment,
        spots: &[Option<RadialSpot>; POINTS],
        energy: f64,
    ) {
        let medium = self.tracer.medium;
        let mut guess = 0;
        let opacities = segment.samples.each_ref().map(|at| {
            let comoving = energy / at.lapse();
            medium.opacity_near(species, at.panel, &at.spot, (comoving, comoving.ln()), &mut guess)
        });
        let depths =
            std::array::from_fn(|i| segment.lengths[i] * (opacities[i].absorption + opacities[i].scattering));
        let (depth, parts) = self.rule.weights(&depths);
        row.weaken((-depth).exp());
        for (i, (at, opacity)) in segment.samples.iter().zip(&opacities).enumerate() {
            row.emission += parts[i] * over(opacity.emissivity, opacity);
            let Some(spot) = &spots[i] else { continue };
            let j = parts[i] * over(opacity.scattering, opacity);
            let h = parts[i] * 3.0 * over(opacity.scattering_first, opacity) * at.mu;
            row.add(spot, [j, h]);
        }
    }

    /// Follows a ray in the direction of flight through all pieces that it passes.
    fn follow(&self, species: usize, ray: usize, take: &mut dyn FnMut(Step)) {
        let b = self.impacts[ray];
        let passed: Vec<&Piece> = self.pieces.iter().filter(|piece| piece.tangents[1] >= b).collect();
        if let Some(station) = passed.last().and_then(|piece| piece.stations[1]) {
            take(Step::At { station, outward: false });
        }
        let along =
            passed.iter().rev().map(|piece| (piece, false)).chain(passed.iter().map(|piece| (piece, true)));
        for (piece, outward) in along {
            let lower = (piece.tangents[0] >= b).then_some(piece.lower);
            let near = if lower.is_some() { piece.stations[0] } else { None };
            // A ray that is tangent to its upper end only touches the piece.
            let touches = lower.is_none() && piece.tangents[1] <= b;
            let (ends, station) = if outward {
                ([lower, Some(piece.upper)], piece.stations[1])
            } else {
                ([Some(piece.upper), lower], near)
            };
            if !touches {
                take(Step::Through(&self.tracer.segment(&self.rule, species, b, piece.panel, ends)));
            }
            if let Some(station) = station {
                take(Step::At { station, outward });
            }
        }
    }
}

/// f along a ray as a linear function of J and H at the radial nodes, and its constant part.
struct Row {
    /// For each moment the coefficients at all radial nodes.
    moments: Vec<Vec<f64>>,
    emission: f64,
    /// Coefficients below this are left out.
    least: f64,
    /// The nodes whose coefficients are not negligible: a few in opaque matter.
    seen: std::ops::Range<usize>,
}

impl Row {
    fn new(radii: usize, moments: usize, least: f64) -> Self {
        Self { moments: vec![vec![0.0; radii]; moments], emission: 0.0, least, seen: 0..0 }
    }

    fn weaken(&mut self, transmission: f64) {
        self.emission *= transmission;
        for values in &mut self.moments {
            values[self.seen.clone()].iter_mut().for_each(|value| *value *= transmission);
        }
        while !self.seen.is_empty() && self.forget(self.seen.start) {
            self.seen.start += 1;
        }
        while !self.seen.is_empty() && self.forget(self.seen.end - 1) {
            self.seen.end -= 1;
        }
    }

    /// Makes the coefficients at a node zero where they are negligible; whether they were.
    fn forget(&mut self, node: usize) -> bool {
        let negligible = self.moments.iter().all(|values| values[node].abs() < self.least);
        if negligible {
            self.moments.iter_mut().for_each(|values| values[node] = 0.0);
        }
        negligible
    }

    fn add(&mut self, spot: &RadialSpot, coefficients: [f64; 2]) {
        let end = spot.first + spot.weights().len();
        self.seen = match self.seen.is_empty() {
            true => spot.first..end,
            false => self.seen.start.min(spot.first)..self.seen.end.max(end),
        };
        for (values, coefficient) in self.moments.iter_mut().zip(coefficients) {
            let own = values[spot.first..].iter_mut().zip(spot.weights());
            own.for_each(|(value, w)| *value += coefficient * w);
        }
    }

    /// Adds `weight` times all coefficients and the emission to a row of the matrix.
    fn add_to(&self, target: &mut [f64], weight: f64) {
        for (n, values) in self.moments.iter().enumerate() {
            let first = n * values.len() + self.seen.start;
            let seen = values[self.seen.clone()].iter();
            target[first..].iter_mut().zip(seen).for_each(|(sum, value)| *sum += weight * value);
        }
        if let Some(sum) = target.last_mut() {
            *sum += weight * self.emission;
        }
    }
}

/// What happens along a ray.
enum Step<'s> {
    /// A piece is passed.
    Through(&'s Segment),
    /// A station is reached.
    At { station: usize, outward: bool },
}

/// A radius at which rays stop.
struct Stop {
    r: f64,
    /// r/α.
    tangent: f64,
    station: Option<usize>,
}

/// Whether `r` is below `other` and not the same up to rounding.
pub fn is_below(r: f64, other: f64) -> bool {
    r < other * (1.0 - SAME_RADIUS)
}

/// Pieces of the whole radial range, ascending, between `stops` (ascending) and the edges of panels.
fn pieces(medium: &Medium, mesh: &Mesh, stops: &[Stop]) -> Vec<Piece> {
    let stop_at = |r: f64| stops.binary_search_by(|stop| stop.r.total_cmp(&r)).ok().map(|stop| &stops[stop]);
    let mut pieces: Vec<Piece> = Vec::new();
    for (p, panel) in medium.panels.iter().enumerate() {
        let mut radii = mesh.radii_of(medium, p).unwrap_or_else(|| vec![panel.lower, panel.upper]);
        let inside = |stop: &&Stop| stop.r > panel.lower && stop.r < panel.upper;
        radii.extend(stops.iter().filter(inside).map(|stop| stop.r));
        radii.sort_by(f64::total_cmp);
        radii.dedup();
        for pair in radii.windows(2) {
            let ends = [pair[0], pair[1]].map(stop_at);
            // Both sides of an edge have to agree about which rays pass it.
            let own = pieces.last().map_or(panel.tangent_lower, |below| below.tangents[1]);
            let lower = ends[0].map_or(own, |stop| stop.tangent);
            let upper = ends[1].map_or(panel.tangent_upper, |stop| stop.tangent);
            if let Some(below) = pieces.last_mut() {
                below.tangents[1] = lower;
            }
            let stations = ends.map(|stop| stop.and_then(|stop| stop.station));
            pieces.push(Piece {
                panel: p,
                lower: pair[0],
                upper: pair[1],
                stations,
                tangents: [lower, upper],
            });
        }
    }
    pieces
}

/// 0 and the tangents.
fn impacts(stops: &[Stop]) -> Vec<f64> {
    let mut impacts = vec![0.0];
    impacts.extend(stops.iter().map(|stop| stop.tangent).filter(|&tangent| tangent > 0.0));
    impacts.dedup();
    impacts
}

/// Whether a parabola through values at three points says something between all of them.
fn is_even(points: &[f64]) -> bool {
    let ratio = (points[2] - points[1]) / (points[1] - points[0]);
    (1.0 / UNEVEN..=UNEVEN).contains(&ratio)
}

/// Weights of the values at two or three cosines in ½∫f μⁿ dμ between the outer ones, for the polynomial
/// through them; positive whichever way they are ordered.
fn product_weights(points: &[f64]) -> Vec<[f64; MOMENTS]> {
    let (low, high) = (points[0], points[points.len() - 1]);
    let (nodes, weights) = gauss_legendre(3);
    let mut sums = vec![[0.0; MOMENTS]; points.len()];
    for (x, w) in nodes.iter().zip(&weights) {
        let mu = 0.5 * (low + high) + 0.5 * x * (high - low);
        for (i, sum) in sums.iter_mut().enumerate() {
            let others = points.iter().enumerate().filter(|&(m, _)| m != i);
            let value: f64 = others.map(|(_, p)| (mu - p) / (points[i] - p)).product();
            let mut weight = 0.25 * w * (high - low).abs() * value;
            for sum in sum {
                *sum += weight;
                weight *= mu;
            }
        }
    }
    sums
}

/// Value over extinction; 0 where there is none.
fn over(value: f64, opacity: &LocalOpacity) -> f64 {
    let extinction = opacity.absorption + opacity.scattering;
    if extinction > 0.0 { value / extinction } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parabolas_in_angle_are_integrated() {
        let points = [-0.9, -0.2, 0.3];
        let f = |mu: f64| 2.0 - mu + 3.0 * mu * mu;
        let sums = product_weights(&points)
            .iter()
            .zip(points)
            .fold([0.0; MOMENTS], |sum, (w, mu)| std::array::from_fn(|n| sum[n] + w[n] * f(mu)));
        for (n, sum) in sums.into_iter().enumerate() {
            let n = n as i32;
            let integral = |mu: f64| {
                let over = |power: i32| mu.powi(power) / f64::from(power);
                2.0 * over(n + 1) - over(n + 2) + 3.0 * over(n + 3)
            };
            assert!((sum - 0.5 * (integral(0.3) - integral(-0.9))).abs() < 1e-14, "{n}");
        }
    }
}
