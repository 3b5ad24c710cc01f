//! The two independent methods on one problem: their differences against the errors that each states.

use crate::difference::{Check, checks, error_values};
use crate::error::Result;
use crate::extremes::largest;
use crate::output::dataset::Dataset;
use crate::refine::ERROR;

/// Largest difference that agrees, in units of the sum of both errors, which are estimates.
pub const FACTOR: f64 = 2.0;
/// f jumps in angle, where any difference in place is one of the order of the jump.
const NOT_COMPARED: [&str; 1] = ["f"];

/// How one quantity agrees.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Agreement {
    /// The point with the largest difference in units of the errors.
    pub worst: Check,
    /// Share of the points that agree.
    pub share: f64,
    /// Largest |difference| over the largest value.
    pub largest: f64,
}

impl Agreement {
    /// Whether the quantity agrees at every point.
    pub fn holds(&self) -> bool {
        self.worst.met()
    }
}

/// Compares `refined` (a Boltzmann solution with its errors) with `rays` (the method of characteristics with
/// its own), both at the nodes of the same problem; worst first.
///
/// # Errors
/// Different grids, or nothing that both have.
pub fn agreements(refined: &Dataset, rays: &Dataset) -> Result<Vec<Agreement>> {
    let allowed = |rays: &Dataset, refined: &Dataset, name: &str| {
        if NOT_COMPARED.contains(&name) {
            return None;
        }
        let errors = |data: &Dataset| error_values(data, &format!("{name}{ERROR}"));
        let (a, b) = (errors(refined)?, errors(rays)?);
        Some(a.iter().zip(&b).map(|(a, b)| FACTOR * (a + b)).collect::<Vec<f64>>())
    };
    let found = checks(rays, refined, &allowed)?;
    found.into_iter().map(|worst| agreement(refined, rays, worst, &allowed)).collect()
}

fn agreement(
    refined: &Dataset,
    rays: &Dataset,
    worst: Check,
    allowed: &crate::difference::Allowed,
) -> Result<Agreement> {
    let (group, name) = worst.variable.split_once('/').unwrap_or(("", &worst.variable));
    let part = |data: &Dataset| data.get_group(group).unwrap_or_else(|| data.clone());
    let (refined, rays) = (part(refined), part(rays));
    let single = worst.difference <= worst.allowed;
    let (Ok(a), Ok(b)) = (refined.reals(name), rays.reals(name)) else {
        return Ok(Agreement { share: f64::from(u8::from(single)), largest: 0.0, worst });
    };
    let allowed = allowed(&rays, &refined, name).unwrap_or_default();
    let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| (a - b).abs()).collect();
    let within = differences.iter().zip(&allowed).filter(|(d, allowed)| d <= allowed).count();
    let scale = largest(b.iter().map(|value| value.abs())).max(f64::MIN_POSITIVE);
    let largest = largest(differences.iter().copied()) / scale;
    Ok(Agreement { share: within as f64 / differences.len().max(1) as f64, largest, worst })
}
