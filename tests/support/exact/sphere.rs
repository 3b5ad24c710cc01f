//! Spheres that emit and absorb: P1 (flat), P3 (stars of uniform density, also with trapped rays) and P4.
//!
//! Formal solution along geodesics. In the interior Schwarzschild metric, with cos χ = √(1 − C r²/R²) and
//! a = R/√C, a ray of impact parameter b has cos χ = c₀ + D cos(ω l) at the proper length l from its
//! turning point (β = b/(2a), A = 3√(1−C), c₀ = β²A/(1+β²), D² = c₀² + (1 − β²A²)/(1+β²),
//! ω = √(1+β²)/a), because 1 − b²α²/r² is quadratic in cos χ.

use std::f64::consts::PI;

use super::{Background, Direction, Exact, FERMI_INTEGRALS, PHYSICAL, Radiation};

/// What the sphere emits.
#[derive(Clone, Copy)]
pub enum Source {
    Gray(f64),
    /// strength × Fermi-Dirac with this temperature and no chemical potential, everywhere inside.
    FermiDirac {
        temperature: f64,
        strength: f64,
    },
}

/// A sphere with constant absorption and temperature; `compactness` = 2M/R, 0 for flat space.
#[derive(Clone, Copy)]
pub struct Sphere {
    pub radius: f64,
    pub compactness: f64,
    pub absorption: f64,
    pub source: Source,
}

pub fn exact(problem: &str) -> Option<Exact> {
    let gray = |compactness, absorption, b| {
        let sphere = Sphere { radius: 1.0, compactness, absorption, source: Source::Gray(b) };
        Some(Exact::gray(sphere.background(), sphere))
    };
    let radiating = |compactness, velocity: fn(f64) -> f64| {
        let source = Source::FermiDirac { temperature: 5.0, strength: 0.8 };
        let sphere = Sphere { radius: 1e6, compactness, absorption: 4e-4, source };
        Some(Exact::spectral(sphere.background().moving(velocity), PHYSICAL, sphere))
    };
    match problem {
        "homogeneous_sphere" => gray(0.0, 4.0, 0.8),
        "homogeneous_sphere_thin" => gray(0.0, 1.0, 0.8),
        "homogeneous_sphere_opaque" => gray(0.0, 250.0, 10.0),
        "relativistic_star_gray" => gray(0.5, 5.0, 1.0),
        "ultracompact_star" => gray(0.8, 5.0, 1.0),
        "relativistic_star" => {
            let source = Source::FermiDirac { temperature: 5.0, strength: 1.0 };
            let sphere = Sphere { radius: 1e6, compactness: 0.5, absorption: 5e-6, source };
            Some(Exact::spectral(sphere.background(), PHYSICAL, sphere))
        }
        "radiating_sphere_velocity" => radiating(0.0, ramp),
        "radiating_sphere_gravity" => radiating(compactness_of_density(9e14, 1e6), |_| 0.0),
        "radiating_sphere_both" => radiating(compactness_of_density(9e14, 1e6), ramp),
        _ => None,
    }
}

/// Velocity of P4: 0 up to 135 km, −0.2 at 150 km, then ∝ r⁻².
fn ramp(r: f64) -> f64 {
    if r < 135e5 {
        0.0
    } else if r < 150e5 {
        -0.2 * (r - 135e5) / 15e5
    } else {
        -0.2 * (150e5 / r).powi(2)
    }
}

/// 2GM/(Rc²) = (8π/3) G ρ R²/c².
fn compactness_of_density(density: f64, radius: f64) -> f64 {
    8.0 * PI / 3.0 * 6.674_30e-8 * density * (radius / 2.997_924_58e10).powi(2)
}

/// The part of a ray inside the sphere, by the proper length from the turning point.
struct Ray {
    /// (A − c₀)/2, D/2, c₀, D, ω; flat space where `None`.
    curved: Option<[f64; 5]>,
    impact: f64,
    half_length: f64,
}

impl Ray {
    fn lapse(&self, l: f64) -> f64 {
        self.curved.map_or(1.0, |[mean, amplitude, _, _, omega]| mean - amplitude * (omega * l).cos())
    }
}

/// Where a direction at a place leads back to.
enum Path {
    /// From outside, past the sphere.
    Empty,
    /// For ever through the sphere.
    Trapped,
    /// Through the sphere up to this proper length from the turning point.
    Through(Ray, f64),
}

impl Sphere {
    pub fn background(&self) -> Background {
        if self.compactness == 0.0 {
            Background::flat()
        } else {
            Background::star(self.radius, self.compactness)
        }
    }

    fn lapse(&self, r: f64) -> f64 {
        let background = self.background();
        (background.lapse)(&background.data, r)
    }

    /// 3M.
    fn photon_sphere(&self) -> f64 {
        1.5 * self.compactness * self.radius
    }

    /// Impact parameter below which rays from inside escape.
    fn largest_impact(&self) -> f64 {
        if self.photon_sphere() > self.radius {
            0.5 * self.compactness * self.radius * 27f64.sqrt()
        } else {
            self.radius / self.lapse(self.radius)
        }
    }

    fn ray(&self, impact: f64) -> Ray {
        if self.compactness == 0.0 {
            let half_length = (self.radius * self.radius - impact * impact).max(0.0).sqrt();
            return Ray { curved: None, impact, half_length };
        }
        let a = self.radius / self.compactness.sqrt();
        let beta2 = (0.5 * impact / a).powi(2);
        let edge = 3.0 * (1.0 - self.compactness).sqrt();
        let c0 = beta2 * edge / (1.0 + beta2);
        let d = (c0 * c0 + (1.0 - beta2 * edge * edge) / (1.0 + beta2)).max(0.0).sqrt();
        let omega = (1.0 + beta2).sqrt() / a;
        let curved = Some([0.5 * (edge - c0), 0.5 * d, c0, d, omega]);
        let mut ray = Ray { curved, impact, half_length: 0.0 };
        ray.half_length = self.length(&ray, self.radius);
        ray
    }

    /// Proper length from the turning point to radius `r` inside.
    fn length(&self, ray: &Ray, r: f64) -> f64 {
        match ray.curved {
            None => (r * r - ray.impact * ray.impact).max(0.0).sqrt(),
            Some([_, _, c0, d, omega]) => {
                let x = r / self.radius;
                let cosine = (1.0 - self.compactness * x * x).sqrt();
                ((cosine - c0) / d).clamp(-1.0, 1.0).acos() / omega
            }
        }
    }

    fn path(&self, r: f64, direction: Direction) -> Path {
        let impact = r * direction.sine / self.lapse(r);
        let escapes = impact < self.largest_impact();
        let inside = r <= self.radius;
        if inside && (escapes || self.photon_sphere() <= self.radius) {
            let ray = self.ray(impact);
            // In flat space the turning point is exact from the direction: no cancellation.
            let here = match ray.curved {
                None => r * direction.cosine.abs(),
                Some(_) => self.length(&ray, r),
            };
            return Path::Through(ray, here.copysign(direction.cosine));
        }
        if !escapes && r < self.photon_sphere() {
            return Path::Trapped;
        }
        if !escapes || direction.cosine < 0.0 {
            return Path::Empty;
        }
        let ray = self.ray(impact);
        let end = ray.half_length;
        Path::Through(ray, end)
    }

    /// ∫ e^{−s} g(α) ds over the optical depth s back from the length `here` of the ray.
    fn formal<const N: usize>(&self, ray: &Ray, here: f64, g: impl Fn(f64) -> [f64; N]) -> [f64; N] {
        let depth = self.absorption * (here + ray.half_length);
        let ends = [0.0, 1.0, 2.0, 4.0, 6.0, 9.0, 13.0, 20.0, 45.0].map(|s: f64| s.min(depth));
        let mut sum = [0.0; N];
        for ends in ends.windows(2).filter(|ends| ends[1] > ends[0]) {
            let (middle, half) = (0.5 * (ends[0] + ends[1]), 0.5 * (ends[1] - ends[0]));
            for &(node, weight) in super::quadrature::rule_nodes() {
                let s = middle + half * node;
                let factor = half * weight * (-s).exp();
                let values = g(ray.lapse(here - s / self.absorption));
                sum.iter_mut().zip(values).for_each(|(sum, value)| *sum += factor * value);
            }
        }
        sum
    }
}

impl Radiation for Sphere {
    fn f(&self, r: f64, direction: Direction, energy: f64, _time: f64) -> f64 {
        match (self.path(r, direction), self.source) {
            (Path::Empty, _) => 0.0,
            (Path::Trapped, Source::Gray(b)) => b,
            (Path::Trapped, Source::FermiDirac { .. }) => f64::NAN,
            (Path::Through(ray, here), Source::Gray(b)) => {
                -b * (-self.absorption * (here + ray.half_length)).exp_m1()
            }
            (Path::Through(ray, here), Source::FermiDirac { temperature, strength }) => {
                self.formal(&ray, here, |lapse| [strength / ((energy / (lapse * temperature)).exp() + 1.0)])
                    [0]
            }
        }
    }

    fn energy_moments(&self, r: f64, direction: Direction, time: f64) -> [f64; 4] {
        match (self.path(r, direction), self.source) {
            (Path::Through(ray, here), Source::FermiDirac { temperature, strength }) => {
                let moments = |lapse: f64| [3, 4, 5, 6].map(|n| (lapse * temperature).powi(n));
                let sums = self.formal(&ray, here, moments);
                std::array::from_fn(|n| strength * FERMI_INTEGRALS[n] * sums[n])
            }
            _ => [self.f(r, direction, 1.0, time); 4],
        }
    }

    /// The limb, and the layers in which the optical depth grows from it (outside) or from the
    /// directions along the surface (inside).
    fn kinks(&self, r: f64, _time: f64) -> Vec<f64> {
        let depth = self.absorption * self.radius;
        let layers = [0.3, 2.0, 10.0, 50.0].map(|tau| 0.5 * tau / depth).into_iter().filter(|x| *x < 1.0);
        let limb = self.largest_impact() * self.lapse(r) / r;
        let mut angles: Vec<f64> = if limb < 1.0 {
            let sines = layers.clone().map(|x| limb * (1.0 - x * x).sqrt());
            sines.chain([limb]).map(f64::asin).collect()
        } else {
            let along = (1.0 - (r / self.radius).powi(2)).max(0.0).sqrt();
            layers.chain([along, 6.0 * along]).filter(|x| *x < 1.0).map(f64::acos).collect()
        };
        angles.extend(angles.clone().iter().map(|angle| PI - angle));
        angles
    }
}
