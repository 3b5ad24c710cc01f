//! The formal solution along a ray, backward from a point of phase space.
//!
//! A ray has an energy at infinity E∞ = αε_static and an impact parameter b = r√(1−μ_static²)/α, both
//! constant. With F(r) = r² − b²α² its static path length is dl = X r dr/√F, and along it
//! df/dl = D (η − κf), D = ε_comoving/ε_static. Between a point and the next panel edge or turning point
//! (F = 0) the variable is t = √(F₁ + (y−y₁)(F₂−F₁)/(y₂−y₁)), y = r²: no inverse square root is left, and
//! in flat space t is the path length itself.

use super::medium::{Medium, Slice, Spot};
use super::rules::{GAUSS, GaussRule};
use super::segment::{POINTS, Segment, SegmentRule};
use crate::opacities::LocalOpacity;

/// Beyond this optical depth nothing is seen: e^{−41.5} < 1e-18.
pub const OPAQUE: f64 = 41.5;
/// A piece of a ray within one panel is not cut into more stretches than this.
const STRETCHES: usize = 400;
/// Round-off of F relative to r², times the loss at the nodes next to a turning point.
const NOISE: f64 = 1e-14;
/// Where F/r² stays below this, its linear model is better than its value, which is round-off.
const LINEAR: f64 = 1e-9;
/// How near to the ends of a piece, relatively, its path length per variable is taken.
const NEAR_TURNING: f64 = 1e-6;
/// Where F changes by less than this factor along a leg, y itself is the variable.
const MILD: f64 = 0.5;

/// A point on a ray where something is emitted or scattered in.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    pub panel: usize,
    pub r: f64,
    /// Comoving cosine of the neutrinos that travel along the ray.
    pub mu: f64,
    /// Comoving energy here over that at the start, and its logarithm.
    pub ratio: f64,
    pub log_ratio: f64,
    pub spot: Spot,
}

impl Sample {
    /// α at the point.
    pub fn lapse(&self) -> f64 {
        self.spot.place.lapse
    }
}

/// Receives what a ray passes, for each energy (by number) that it is followed with.
pub trait Collector {
    /// The samples that the source is asked for next.
    fn enter(&mut self, _samples: &[Sample]) {}
    /// The source per comoving length at sample number `sample` for the comoving energy there: what has to be
    /// resolved by the quadrature.
    fn source(&self, sample: usize, at: &Sample, energy: f64, opacity: &LocalOpacity) -> f64;
    /// Adds `weight` times the source at a point, which is `source`.
    fn add(&mut self, number: usize, at: &Sample, opacity: &LocalOpacity, source: f64, weight: f64);
    /// Adds f that came in through an edge, times its transmission.
    fn inflow(&mut self, number: usize, f: f64);
    /// The ray (or one round of a closed one) is complete: its optical depth.
    fn finish(&mut self, number: usize, depth: f64);
    /// Multiplies everything by `factor`: the sum over all rounds of a closed ray.
    fn repeat(&mut self, number: usize, factor: f64);
}

/// What is at the ends of the radial range.
pub trait Ends: Sync {
    fn inner(&self) -> End;
    fn outer(&self) -> End;
    /// f that comes in at the inner or outer edge with the static energy and cosine.
    fn given(&self, inner: bool, mu: f64, energy: f64) -> f64;
}

/// What happens to a ray at an end of the radial range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Vacuum,
    Given,
    /// A wall, or the centre, through which every ray goes on as if reflected.
    Reflecting,
}

/// Constants of motion of a ray.
#[derive(Debug, Clone, Copy)]
struct Ray {
    species: usize,
    /// E∞ over the comoving energy at the start.
    redshift: f64,
    /// b².
    impact_squared: f64,
}

/// A point on a ray: r², F there, and the panel that it belongs to.
#[derive(Debug, Clone, Copy)]
struct Point {
    r: f64,
    f: f64,
}

/// How a leg ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    /// At a turning point or a reflecting end.
    Turned,
    /// Nothing more to be seen.
    Finished,
}

/// Follows rays through a medium.
pub struct Tracer<'a> {
    pub medium: &'a Medium,
    pub ends: &'a dyn Ends,
    pub rule: GaussRule,
    /// Largest optical depth of one application of the quadrature rule.
    pub step_depth: f64,
    /// Relative size of the highest Legendre coefficients at which a leg counts as resolved.
    pub roughness: f64,
    /// The rule that the piece of a ray in each panel is taken with at once, where there are so many jumps along rays
    /// that halving for each of them has no end: they are met between the points of the rule.
    pub whole: Option<SegmentRule>,
}

/// A place and direction, and the energies that the ray is followed with.
#[derive(Debug, Clone, Copy)]
pub struct Event<'e> {
    pub species: usize,
    pub r: f64,
    /// Comoving cosine and energies.
    pub mu: f64,
    pub energies: &'e [f64],
    /// The medium's coefficients for these energies, where they are at hand.
    pub slice: Option<&'e Slice>,
}

impl Tracer<'_> {
    /// Collects what contributes to f at `event`.
    pub fn trace(&self, event: Event, collector: &mut dyn Collector) {
        let outward = event.mu < 0.0;
        let panel = self.medium.panel_at(event.r, outward);
        let place = self.medium.spot(panel, event.r).place;
        let (v, doppler) = (place.velocity, 1.0 + place.velocity * event.mu);
        let mu_static = ((event.mu + v) / doppler).clamp(-1.0, 1.0);
        let transverse = (1.0 - event.mu * event.mu).max(0.0) * (1.0 - v * v) / (doppler * doppler);
        let ray = Ray {
            species: event.species,
            redshift: place.lapse * lorentz(v) * doppler,
            impact_squared: (event.r / place.lapse).powi(2) * transverse,
        };
        let start = Point { r: event.r, f: (event.r * mu_static).powi(2) };
        let logs: Vec<f64> = event.energies.iter().map(|energy| energy.ln()).collect();
        let mut walk = Walk {
            tracer: self,
            ray: &ray,
            energies: event.energies,
            logs: &logs,
            slice: event.slice,
            collector: &mut *collector,
            depth: vec![0.0; logs.len()],
            seen: vec![0.0; logs.len()],
            active: (0..logs.len()).collect(),
            position: start,
        };
        let closed = walk.follow(start, mu_static < 0.0);
        let Walk { depth, active, .. } = walk;
        (0..depth.len()).for_each(|number| collector.finish(number, depth[number]));
        // Every further round of a closed ray adds the same, weakened by one more round.
        for number in active.into_iter().filter(|&number| closed && depth[number] > 0.0) {
            collector.repeat(number, -1.0 / (-depth[number]).exp_m1());
        }
    }
}

struct Walk<'a, 'c> {
    tracer: &'a Tracer<'a>,
    ray: &'a Ray,
    /// Comoving energies at the start, and their logarithms.
    energies: &'a [f64],
    logs: &'a [f64],
    slice: Option<&'a Slice>,
    collector: &'c mut dyn Collector,
    /// Optical depth so far, for each energy.
    depth: Vec<f64>,
    /// What the source has contributed so far, for each energy.
    seen: Vec<f64>,
    /// Numbers of the energies for which more can be seen.
    active: Vec<usize>,
    position: Point,
}

impl Walk<'_, '_> {
    /// Goes backward to the end of the ray (false), or once round a closed one (true).
    fn follow(&mut self, start: Point, outward: bool) -> bool {
        let legs = [(outward, None), (!outward, None), (outward, Some(start))];
        legs.into_iter().all(|(outward, until)| self.leg(outward, until) == Stop::Turned)
    }

    /// Goes outward or inward (backward along the ray) to a turning point, an end, or `until`.
    fn leg(&mut self, outward: bool, until: Option<Point>) -> Stop {
        let medium = self.tracer.medium;
        let mut panel = medium.panel_at(self.position.r, outward);
        loop {
            let cell = &medium.panels[panel];
            let (edge, tangent) =
                if outward { (cell.upper, cell.tangent_upper) } else { (cell.lower, cell.tangent_lower) };
            let passed = until.filter(|u| {
                let ahead = if outward { u.r >= self.position.r } else { u.r <= self.position.r };
                ahead && u.r >= cell.lower && u.r <= cell.upper
            });
            if let Some(target) = passed {
                return self.piece(panel, target, outward).unwrap_or(Stop::Turned);
            }
            let b = self.ray.impact_squared.sqrt();
            // A ray that has just turned beside an edge goes on, although rounding may put it beyond.
            let grazes = b >= tangent && self.position.f == 0.0 && b <= tangent * (1.0 + NOISE);
            if b >= tangent && !grazes {
                let turning = self.turning_point(panel, edge);
                return self.piece(panel, turning, outward).unwrap_or(Stop::Turned);
            }
            let f = edge * edge * (1.0 - b / tangent) * (1.0 + b / tangent);
            let at_edge = Point { r: edge, f: if edge == 0.0 || grazes { 0.0 } else { f } };
            if grazes {
                self.position = at_edge;
            } else if let Some(stop) = self.piece(panel, at_edge, outward) {
                return stop;
            }
            let last = if outward { panel + 1 == medium.panels.len() } else { panel == 0 };
            if last {
                return self.end(panel, outward);
            }
            panel = if outward { panel + 1 } else { panel - 1 };
        }
    }

    /// The zero of F between the position, where it is not negative, and `edge`, where it is.
    fn turning_point(&self, panel: usize, edge: f64) -> Point {
        let value = |r: f64| {
            let lapse = self.tracer.medium.lapse(panel, r);
            r * r - self.ray.impact_squared * lapse * lapse
        };
        let (inside, outside) = ((self.position.r, self.position.f), (edge, value(edge)));
        Point { r: if outside.1 >= 0.0 { edge } else { zero(inside, outside, value) }, f: 0.0 }
    }

    fn end(&mut self, panel: usize, outward: bool) -> Stop {
        let ends = self.tracer.ends;
        let end = if outward { ends.outer() } else { ends.inner() };
        match end {
            End::Reflecting => Stop::Turned,
            End::Vacuum => Stop::Finished,
            End::Given => {
                let r = self.position.r;
                let place = self.tracer.medium.spot(panel, r).place;
                let cosine = (self.position.f.sqrt() / r).min(1.0);
                let mu = if outward { -cosine } else { cosine };
                for &number in &self.active {
                    let energy = if self.tracer.medium.gray {
                        1.0 / (lorentz(place.velocity) * (1.0 - place.velocity * mu))
                    } else {
                        self.ray.redshift * self.energies[number] / place.lapse
                    };
                    let f = ends.given(!outward, mu, energy);
                    self.collector.inflow(number, f * (-self.depth[number]).exp());
                }
                Stop::Finished
            }
        }
    }

    /// Integrates from the position to `target` within a panel and goes there; `Some` where the ray has
    /// become opaque.
    fn piece(&mut self, panel: usize, target: Point, outward: bool) -> Option<Stop> {
        let from = std::mem::replace(&mut self.position, target);
        if self.tracer.medium.panels[panel].transparent[self.ray.species] || from.r == target.r {
            return None;
        }
        let direction = if outward { -1.0 } else { 1.0 };
        if let Some(rule) = &self.tracer.whole {
            self.take_whole(rule, &self.tracer.piece(rule, self.ray, panel, (target, from), direction));
        } else {
            self.take_in_stretches(panel, (from, target), direction);
        }
        let depth = &self.depth;
        self.active.retain(|&number| depth[number] <= OPAQUE);
        self.active.is_empty().then_some(Stop::Finished)
    }

    /// Takes a piece of the ray, in the direction of flight, at once.
    fn take_whole(&mut self, rule: &SegmentRule, piece: &Segment) {
        let medium = self.tracer.medium;
        self.collector.enter(&piece.samples);
        let mut guess = 0;
        for &number in &self.active {
            let mut opacities = [LocalOpacity::default(); POINTS];
            for (opacity, at) in opacities.iter_mut().zip(&piece.samples) {
                let place = (self.energies[number] * at.ratio, self.logs[number] + at.log_ratio);
                *opacity = medium.opacity_near(self.ray.species, at.panel, &at.spot, place, &mut guess);
            }
            let extinctions = opacities.map(|opacity| opacity.absorption + opacity.scattering);
            let depths = std::array::from_fn(|i| piece.lengths[i] * extinctions[i]);
            let (depth, weights) = rule.weights(&depths);
            let transmission = (-self.depth[number]).exp();
            for (i, at) in piece.samples.iter().enumerate().filter(|&(i, _)| extinctions[i] > 0.0) {
                let source = self.collector.source(i, at, self.energies[number] * at.ratio, &opacities[i]);
                let weight = transmission * weights[i] / extinctions[i];
                self.collector.add(number, at, &opacities[i], source, weight);
            }
            self.depth[number] += depth;
        }
    }

    /// Takes a piece of the ray in as many stretches as its sources need.
    fn take_in_stretches(&mut self, panel: usize, (from, target): (Point, Point), direction: f64) {
        let mut pending = vec![(from, target, self.active.clone())];
        let mut stretches = 0;
        while let Some((from, to, mut numbers)) = pending.pop() {
            numbers.retain(|&number| self.depth[number] <= OPAQUE);
            if numbers.is_empty() {
                continue;
            }
            stretches += 1;
            let stretch = self.tracer.stretch(self.ray, panel, from, to, direction);
            self.collector.enter(&stretch.samples);
            let last = stretches >= STRETCHES;
            numbers.retain(|&number| !self.take(&stretch, number, last));
            if !numbers.is_empty() {
                pending.push((stretch.middle, to, numbers.clone()));
                pending.push((from, stretch.middle, numbers));
            }
        }
    }

    /// Adds a stretch for one energy where the rule resolves it (or `anyway`); whether it has.
    fn take(&mut self, stretch: &Stretch, number: usize, anyway: bool) -> bool {
        let (medium, rule) = (self.tracer.medium, &self.tracer.rule);
        let mut opacities = [LocalOpacity::default(); GAUSS];
        let mut depths = [0.0; GAUSS];
        let mut sources = [0.0; GAUSS];
        for (i, at) in stretch.samples.iter().enumerate() {
            let (energy, log) = if medium.gray {
                (1.0, 0.0)
            } else {
                (self.energies[number] * at.ratio, self.logs[number] + at.log_ratio)
            };
            let sliced = self.slice.and_then(|slice| slice.opacity(number, at.panel, &at.spot));
            opacities[i] =
                sliced.unwrap_or_else(|| medium.opacity(self.ray.species, at.panel, &at.spot, energy, log));
            depths[i] = stretch.lengths[i] * (opacities[i].absorption + opacities[i].scattering);
            sources[i] = self.collector.source(i, at, energy, &opacities[i]);
        }
        let depth = rule.integral(&depths);
        let emitted: [f64; GAUSS] = std::array::from_fn(|i| stretch.lengths[i] * sources[i]);
        if !anyway && !self.resolved(number, stretch, &depths, depth, &emitted) {
            return false;
        }
        self.seen[number] += rule.integral(&emitted).abs() * (-self.depth[number]).exp();
        let running = rule.running(&depths);
        for (i, at) in stretch.samples.iter().enumerate() {
            let transmission = (-(self.depth[number] + running[i])).exp();
            let weight = rule.weights[i] * stretch.lengths[i] * transmission;
            self.collector.add(number, at, &opacities[i], sources[i], weight);
        }
        self.depth[number] += depth;
        true
    }

    fn resolved(
        &self,
        number: usize,
        stretch: &Stretch,
        depths: &[f64; GAUSS],
        depth: f64,
        emitted: &[f64; GAUSS],
    ) -> bool {
        let rule = &self.tracer.rule;
        let limit = self.tracer.roughness.max(stretch.noise);
        // Errors of an optical depth count by themselves, those of the source relatively.
        if depth > self.tracer.step_depth || rule.roughness(depths) > limit * depth.max(limit) {
            return false;
        }
        // What is left of a jump in a very short stretch is small beside all that the ray has seen.
        let seen = self.seen[number] * self.depth[number].exp();
        rule.roughness(emitted) <= limit * rule.integral(emitted).abs().max(limit * seen)
    }
}

/// Nodes of one application of the quadrature rule.
struct Stretch {
    samples: [Sample; GAUSS],
    /// Comoving path length D dl/dx at the nodes, x from 0 to 1.
    lengths: [f64; GAUSS],
    /// Relative round-off of the lengths.
    noise: f64,
    /// Where the stretch is cut in two.
    middle: Point,
}

/// Nodes of a stretch: r², F, and dl/dx without the radial metric.
struct Variable {
    from: (f64, f64),
    to: (f64, f64),
    /// Whether √F is the variable.
    root: bool,
}

impl Variable {
    fn new(from: Point, to: Point) -> Self {
        let (low, high) = (from.f.min(to.f), from.f.max(to.f));
        Self { from: (from.r * from.r, from.f), to: (to.r * to.r, to.f), root: low < MILD * high }
    }

    /// Largest F/r².
    fn largest(&self) -> f64 {
        self.from.1.max(self.to.1) / self.from.0.max(self.to.0)
    }

    /// (y, linear model of F, |dy/dx| / 2) at x.
    fn at(&self, x: f64) -> (f64, f64, f64) {
        let (dy, df) = (self.to.0 - self.from.0, self.to.1 - self.from.1);
        if !self.root {
            return (self.from.0 + x * dy, self.from.1 + x * df, 0.5 * dy.abs());
        }
        let (t0, t1) = (self.from.1.sqrt(), self.to.1.sqrt());
        let t = t0 + x * (t1 - t0);
        let model = t * t;
        // From the end where F is small: the other one would cancel.
        let y = if self.from.1 <= self.to.1 {
            self.from.0 + (model - self.from.1) * dy / df
        } else {
            self.to.0 + (model - self.to.1) * dy / df
        };
        (y, model, (t * (t1 - t0) * dy / df).abs())
    }
}

impl Tracer<'_> {
    /// The piece of the ray with the impact parameter `impact` from `from` to `to` (radii of `panel`; `None`
    /// for the turning point in it). Ratios of energies are relative to the energy at infinity.
    pub fn segment(
        &self,
        rule: &SegmentRule,
        species: usize,
        impact: f64,
        panel: usize,
        ends: [Option<f64>; 2],
    ) -> Segment {
        let ray = Ray { species, redshift: 1.0, impact_squared: impact * impact };
        let known = ends[0].or(ends[1]).unwrap_or(0.0);
        let point = |r: f64| {
            let tangent = r / self.medium.lapse(panel, r);
            let f =
                if tangent > 0.0 { r * r * (1.0 - impact / tangent) * (1.0 + impact / tangent) } else { 0.0 };
            Point { r, f: f.max(0.0) }
        };
        let turning = || {
            let value = |r: f64| r * r - ray.impact_squared * self.medium.lapse(panel, r).powi(2);
            let lower = self.medium.panels[panel].lower;
            let inside = (known, point(known).f);
            Point { r: zero(inside, (lower, value(lower).min(-f64::MIN_POSITIVE)), value), f: 0.0 }
        };
        let [from, to] = ends.map(|end| end.map_or_else(turning, point));
        let direction = if to.r < from.r { -1.0 } else { 1.0 };
        self.piece(rule, &ray, panel, (from, to), direction)
    }

    /// The piece of a ray between two points of a panel in the direction of flight.
    fn piece(
        &self,
        rule: &SegmentRule,
        ray: &Ray,
        panel: usize,
        (from, to): (Point, Point),
        direction: f64,
    ) -> Segment {
        let variable = Variable::new(from, to);
        let sample = |x: f64| self.sample(ray, panel, variable.at(x), direction);
        let samples = rule.points.map(|x| sample(x).0);
        // dl/dx has a limit at a turning point, where its formula is 0/0.
        let lengths = rule.points.map(|x| sample(x.clamp(NEAR_TURNING, 1.0 - NEAR_TURNING)).1);
        let length = self.rule.integral(&self.rule.nodes.map(|x| sample(x).1));
        let scale = length / rule.integral(&lengths);
        Segment { samples, lengths: lengths.map(|l| scale * l) }
    }

    fn stretch(&self, ray: &Ray, panel: usize, from: Point, to: Point, direction: f64) -> Stretch {
        let variable = Variable::new(from, to);
        let mut lengths = [0.0; GAUSS];
        let samples = std::array::from_fn(|i| {
            let (sample, length) = self.sample(ray, panel, variable.at(self.rule.nodes[i]), direction);
            lengths[i] = length;
            sample
        });
        let (y, model, _) = variable.at(0.5);
        let middle = Point { r: y.max(0.0).sqrt(), f: self.f(ray, panel, y, model).0 };
        let noise = if self.medium.panels[panel].uniform { 0.0 } else { NOISE / variable.largest() };
        Stretch { samples, noise, lengths, middle }
    }

    /// F at y = r² where its linear model has a value, and the place.
    fn f(&self, ray: &Ray, panel: usize, y: f64, model: f64) -> (f64, Spot) {
        let spot = self.medium.spot(panel, y.max(0.0).sqrt());
        if self.medium.panels[panel].uniform || model < LINEAR * y {
            return (model, spot);
        }
        let value = y - ray.impact_squared * spot.place.lapse.powi(2);
        (value.max(1e-3 * model), spot)
    }

    /// The sample and D dl/dx.
    fn sample(
        &self,
        ray: &Ray,
        panel: usize,
        (y, model, half): (f64, f64, f64),
        direction: f64,
    ) -> (Sample, f64) {
        let (f, spot) = self.f(ray, panel, y, model);
        let r = y.max(0.0).sqrt();
        let root = f.sqrt();
        let mu_static = if r > 0.0 { direction * (root / r).min(1.0) } else { direction };
        let v = spot.place.velocity;
        let doppler = lorentz(v) * (1.0 - v * mu_static);
        let ratio = ray.redshift * doppler / spot.place.lapse;
        let length = if half > 0.0 { doppler * spot.place.metric * half / root } else { 0.0 };
        let mu = (mu_static - v) / (1.0 - v * mu_static);
        (Sample { panel, r, mu, ratio, log_ratio: ratio.ln(), spot }, length)
    }
}

/// W = (1 − v²)^(−1/2).
pub fn lorentz(v: f64) -> f64 {
    1.0 / (1.0 - v * v).sqrt()
}

/// The zero of `value` between a point where it is ≥ 0 and one where it is < 0 (regula falsi, Illinois,
/// with bisection as the safeguard).
fn zero(inside: (f64, f64), outside: (f64, f64), value: impl Fn(f64) -> f64) -> f64 {
    let ((mut a, mut fa), (mut b, mut fb)) = (inside, outside);
    for step in 0..200 {
        let width = (b - a).abs();
        if width <= f64::EPSILON * b.abs() || fa == 0.0 {
            break;
        }
        let secant = (a * fb - b * fa) / (fb - fa);
        let middle = if step % 3 == 2 || !secant.is_finite() { 0.5 * (a + b) } else { secant };
        let f = value(middle);
        if f >= 0.0 {
            (a, fa) = (middle, f);
            fb *= 0.5;
        } else {
            (b, fb) = (middle, f);
            fa *= 0.5;
        }
    }
    a
}
