//! From the energy groups of a table to the solver's energies.

use std::path::Path;

use super::{EnergyNode, LocalOpacity};
use crate::error::{Error, Result};
use crate::problem::file::GroupMapping;

/// Relative distance by which values may lie beyond the outermost edges (round-off).
const EDGE_SLACK: f64 = 1e-12;

/// Groups of a table \[MeV\].
#[derive(Debug, Clone, Copy)]
pub(super) struct Groups<'a> {
    pub file: &'a Path,
    /// Increasing.
    pub edges: &'a [f64],
    /// The energy that stands for each group, inside it.
    pub energies: &'a [f64],
    pub mapping: GroupMapping,
}

/// Groups and weights whose mean gives the coefficients at a node.
#[derive(Debug, Clone)]
pub(super) enum Stencil {
    /// (group, share of the element's ∫ε²dε).
    Mean(Vec<(usize, f64)>),
    /// Lower and upper group, and the place between them in ln ε.
    Between(usize, usize, f64),
}

impl Groups<'_> {
    /// What a node is made of.
    ///
    /// # Errors
    /// Energies beyond the outermost edges.
    pub fn stencil(&self, node: &EnergyNode) -> Result<Stencil> {
        match (self.mapping, node.element) {
            (GroupMapping::Conservative, Some((lower, upper))) if upper > lower => {
                self.inside(lower)?;
                self.inside(upper)?;
                Ok(Stencil::Mean(shares(self.edges, lower, upper)))
            }
            (GroupMapping::Conservative, _) => Ok(Stencil::Mean(vec![(self.inside(node.energy)?, 1.0)])),
            (GroupMapping::Pointwise, _) => {
                self.inside(node.energy)?;
                Ok(between(self.energies, node.energy))
            }
        }
    }

    /// The group of `energy`.
    pub fn inside(&self, energy: f64) -> Result<usize> {
        bin(self.edges, energy)
            .ok_or_else(|| beyond(self.file, "energy", energy, self.edges, "MeV", "groups"))
    }
}

impl Stencil {
    /// The coefficients at the node from those of the groups: means, or κ*, η and σ₀ in their logarithms
    /// where both neighbours are positive and linearly otherwise, σ₁/σ₀ linearly.
    pub fn combine(&self, group: impl Fn(usize) -> LocalOpacity) -> LocalOpacity {
        match self {
            Self::Mean(shares) => {
                let mut sum = LocalOpacity::default();
                for &(index, share) in shares {
                    let local = group(index);
                    sum += LocalOpacity {
                        absorption: share * local.absorption,
                        emissivity: share * local.emissivity,
                        scattering: share * local.scattering,
                        scattering_first: share * local.scattering_first,
                    };
                }
                sum
            }
            &Self::Between(lower, upper, place) => interpolate(&group(lower), &group(upper), place),
        }
    }

    /// Groups with weights that add up to 1.
    pub fn weights(&self) -> Vec<(usize, f64)> {
        match self {
            Self::Mean(shares) => shares.clone(),
            &Self::Between(lower, upper, place) => vec![(lower, 1.0 - place), (upper, place)],
        }
    }
}

/// An error for a value that a table's edges do not enclose.
pub(super) fn beyond(file: &Path, name: &str, value: f64, edges: &[f64], unit: &str, bins: &str) -> Error {
    let (first, last) = (edges[0], edges[edges.len() - 1]);
    Error::file(
        file,
        format!("{name} = {value:e} {unit} is asked for; the {bins} cover {first:e} to {last:e} {unit}"),
    )
}

/// The bin of `value` among increasing `edges`, closed below and open above but for the last.
pub(super) fn bin(edges: &[f64], value: f64) -> Option<usize> {
    let (first, last) = (*edges.first()?, *edges.last()?);
    let slack = EDGE_SLACK * last;
    if !(value >= first - slack && value <= last + slack) {
        return None;
    }
    let above = edges.partition_point(|edge| *edge <= value);
    Some(above.clamp(1, edges.len() - 1) - 1)
}

/// ∫ ε² dε.
fn volume(lower: f64, upper: f64) -> f64 {
    (upper - lower) * (upper * upper + upper * lower + lower * lower) / 3.0
}

/// Groups that overlap (lower, upper), with their share of the overlapping ∫ε²dε.
fn shares(edges: &[f64], lower: f64, upper: f64) -> Vec<(usize, f64)> {
    let overlaps: Vec<(usize, f64)> = edges
        .windows(2)
        .enumerate()
        .filter_map(|(group, pair)| {
            let (from, to) = (pair[0].max(lower), pair[1].min(upper));
            (from < to).then(|| (group, volume(from, to)))
        })
        .collect();
    let total: f64 = overlaps.iter().map(|(_, volume)| volume).sum();
    overlaps.into_iter().map(|(group, volume)| (group, volume / total)).collect()
}

/// The groups whose energies enclose `energy`; the outermost group alone beyond its own energy.
fn between(energies: &[f64], energy: f64) -> Stencil {
    let above = energies.partition_point(|known| *known <= energy);
    match (above.checked_sub(1), energies.get(above)) {
        (Some(below), Some(upper)) => {
            let place = (energy / energies[below]).ln() / (upper / energies[below]).ln();
            Stencil::Between(below, above, place)
        }
        (Some(below), None) => Stencil::Between(below, below, 0.0),
        (None, _) => Stencil::Between(0, 0, 0.0),
    }
}

/// κ*, η and σ₀ in their logarithms where both are positive and linearly otherwise, σ₁/σ₀ linearly.
fn interpolate(lower: &LocalOpacity, upper: &LocalOpacity, place: f64) -> LocalOpacity {
    let linear = |a: f64, b: f64| a + place * (b - a);
    let positive = |a: f64, b: f64| {
        if a > 0.0 && b > 0.0 { a * (place * (b / a).ln()).exp() } else { linear(a, b) }
    };
    let cosine = |local: &LocalOpacity| {
        if local.scattering > 0.0 { local.scattering_first / local.scattering } else { 0.0 }
    };
    let scattering = positive(lower.scattering, upper.scattering);
    LocalOpacity {
        absorption: positive(lower.absorption, upper.absorption),
        emissivity: positive(lower.emissivity, upper.emissivity),
        scattering,
        scattering_first: scattering * linear(cosine(lower), cosine(upper)),
    }
}
