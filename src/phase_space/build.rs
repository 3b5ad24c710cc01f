//! From the grid descriptions of a problem file to elements.

use std::cmp::Ordering;

use crate::error::{Error, Result};
use crate::problem::BuildContext;
use crate::problem::file::{
    AngularGridFile, EnergyGridFile, PhaseSpaceFile, RadialElements, RadialGridFile, Refinement, SegmentFile,
    Spacing, SpeciesFile,
};

use super::grid::{NodalGrid, refined};
use super::{EnergyGrid, PhaseSpace, Species};

/// Edges that come from the background or the opacities.
#[derive(Debug, Clone, Copy, Default)]
pub struct NaturalEdges<'a> {
    /// Radii where elements must end.
    pub discontinuities: &'a [f64],
    /// Zones of the opacity table or the profile.
    pub zones: Option<&'a [f64]>,
    /// Energy groups of the opacity table.
    pub groups: Option<&'a [f64]>,
}

impl PhaseSpace {
    /// Grids of `file`, refined by `refinement`.
    ///
    /// # Errors
    /// [`Error::Field`] where the description gives no grid (edges that do not increase, zones asked for
    /// without a table, geometric spacing from r = 0, …).
    pub fn build(
        file: &PhaseSpaceFile,
        species: &[SpeciesFile],
        natural: NaturalEdges,
        refinement: Refinement,
        context: &BuildContext,
    ) -> Result<Self> {
        Ok(Self {
            radial: radial_grid(&file.r, natural, refinement.r, context)?,
            angular: angular_grid(&file.mu, refinement.mu)?,
            energy: energy_grid(&file.energy, natural, refinement.energy, context)?,
            species: species
                .iter()
                .map(|s| Species { name: s.name.clone(), flavour: s.flavour, multiplicity: s.multiplicity })
                .collect(),
        })
    }
}

fn radial_grid(
    file: &RadialGridFile,
    natural: NaturalEdges,
    factor: f64,
    context: &BuildContext,
) -> Result<NodalGrid> {
    let path = "phase_space.r.elements";
    let edges = match &file.elements {
        RadialElements::Segments { start, segments } => {
            segment_edges(start.length(context.units, &format!("{path}.start"))?, segments, context)?
        }
        RadialElements::Edges(list) => list.lengths(context.units, path)?,
        RadialElements::Zones { inner, outer } => {
            let bound = |quantity: &Option<crate::problem::quantity::Quantity>, name, default| match quantity
            {
                Some(quantity) => quantity.length(context.units, &format!("{path}.{name}")),
                None => Ok(default),
            };
            let (inner, outer) = (bound(inner, "inner", 0.0)?, bound(outer, "outer", f64::MAX)?);
            zones_between(natural.zones, inner, outer, path)?
        }
    };
    increasing(&edges, path)?;
    let edges = with_edges_at(edges, natural.discontinuities);
    Ok(NodalGrid::new(refined(&edges, natural.discontinuities, factor), file.degree))
}

/// Edges of consecutive segments.
fn segment_edges(start: f64, segments: &[SegmentFile], context: &BuildContext) -> Result<Vec<f64>> {
    let mut edges = vec![start];
    let mut low = start;
    for (index, segment) in segments.iter().enumerate() {
        let path = format!("phase_space.r.elements.segments[{index}]");
        let high = segment.end.length(context.units, &format!("{path}.end"))?;
        if high <= low {
            return Err(Error::field(format!("{path}.end"), high, format!("an end beyond {low}")));
        }
        if segment.spacing == Spacing::Geometric && low <= 0.0 {
            return Err(Error::field(
                format!("{path}.spacing"),
                "Geometric from r = 0",
                "a positive start, or Linear, GradedToStart, GradedToEnd, GradedToBoth",
            ));
        }
        let fractions = spacing_fractions(segment.spacing, segment.elements, low, high);
        edges.extend(fractions.iter().map(|x| low + (high - low) * x));
        edges.push(high);
        low = high;
    }
    Ok(edges)
}

/// Inner edges of `count` elements as fractions of the segment.
fn spacing_fractions(spacing: Spacing, count: usize, low: f64, high: f64) -> Vec<f64> {
    let widths: Vec<f64> = (0..count)
        .map(|m| {
            let x = if count > 1 { m as f64 / (count - 1) as f64 } else { 0.5 };
            match spacing {
                Spacing::Linear => 1.0,
                Spacing::Geometric => (high / low).powf(m as f64 / count as f64),
                Spacing::GradedToEnd(ratio) => ratio.powf(-x),
                Spacing::GradedToStart(ratio) => ratio.powf(x),
                Spacing::GradedToBoth(ratio) => ratio.powf(-(2.0 * x - 1.0).abs()),
            }
        })
        .collect();
    let total: f64 = widths.iter().sum();
    let mut reached = 0.0;
    widths[..count.saturating_sub(1)]
        .iter()
        .map(|width| {
            reached += width;
            reached / total
        })
        .collect()
}

/// The table's zone edges inside [inner, outer], which become edges themselves.
fn zones_between(zones: Option<&[f64]>, inner: f64, outer: f64, path: &str) -> Result<Vec<f64>> {
    let zones = zones.ok_or_else(|| {
        Error::field(
            path,
            "Zones",
            "Segments or Edges: neither the opacities nor the matter come from a table with zones",
        )
    })?;
    let (first, last) = (zones[0], zones[zones.len() - 1]);
    let (inner, outer) = (inner.max(first), outer.min(last));
    if inner >= outer {
        return Err(Error::field(
            path,
            format!("{inner} to {outer}"),
            format!("radii between {first} and {last}"),
        ));
    }
    let between = zones.iter().copied().filter(|&edge| edge > inner && edge < outer);
    Ok(std::iter::once(inner).chain(between).chain(std::iter::once(outer)).collect())
}

/// `edges` with those of `discontinuities` added that lie inside, an existing edge nearer than a
/// millionth of its element being taken for the same.
fn with_edges_at(mut edges: Vec<f64>, discontinuities: &[f64]) -> Vec<f64> {
    for &radius in discontinuities {
        let above = edges.partition_point(|&edge| edge < radius);
        if above == 0 || above == edges.len() {
            continue;
        }
        let tolerance = 1e-6 * (edges[above] - edges[above - 1]);
        if edges[above] - radius <= tolerance {
            edges[above] = radius;
        } else if radius - edges[above - 1] <= tolerance && above > 1 {
            edges[above - 1] = radius;
        } else {
            edges.insert(above, radius);
        }
    }
    edges
}

fn angular_grid(file: &AngularGridFile, factor: f64) -> Result<NodalGrid> {
    let (edges, degree) = match file {
        AngularGridFile::SingleRange { ordinates } => {
            let ordinates = ((*ordinates as f64 * factor).round() as usize).max(2);
            return Ok(NodalGrid::new(vec![-1.0, 1.0], ordinates - 1));
        }
        AngularGridFile::Uniform { degree, elements } => {
            if elements % 2 == 1 {
                return Err(Error::field(
                    "phase_space.mu.elements",
                    elements,
                    "an even number, so that an edge lies at mu = 0",
                ));
            }
            let count = *elements as f64;
            ((0..=*elements).map(|m| -1.0 + 2.0 * m as f64 / count).collect(), *degree)
        }
        AngularGridFile::Graded { degree, inward, outward, finest } => {
            (graded_angles(*inward, *outward, *finest), *degree)
        }
        AngularGridFile::Edges { degree, edges } => (edges.clone(), *degree),
    };
    increasing(&edges, "phase_space.mu.edges")?;
    Ok(NodalGrid::new(refined(&edges, &[0.0], factor), degree))
}

/// Equal elements on [−1, 0]; on [0, 1] elements whose distance to 1 shrinks geometrically down to
/// `finest`, the last one being [1 − finest, 1].
fn graded_angles(inward: usize, outward: usize, finest: f64) -> Vec<f64> {
    let below = (0..inward).map(|m| -1.0 + m as f64 / inward as f64);
    let steps = (outward - 1).max(1) as f64;
    let above = (0..outward).map(|m| 1.0 - finest.powf(m as f64 / steps));
    below.chain(above).chain(std::iter::once(1.0)).collect()
}

fn energy_grid(
    file: &EnergyGridFile,
    natural: NaturalEdges,
    factor: f64,
    context: &BuildContext,
) -> Result<EnergyGrid> {
    let path = "phase_space.energy";
    let (edges, degree) = match file {
        EnergyGridFile::Gray => return Ok(EnergyGrid::Gray),
        EnergyGridFile::Geometric { degree, from, to, elements } => {
            let from = from.energy(context.units, &format!("{path}.from"))?;
            let to = to.energy(context.units, &format!("{path}.to"))?;
            if from <= 0.0 || to <= from || *elements < 2 {
                let found = format!("{from} to {to} in {elements} elements");
                return Err(Error::field(path, found, "0 < from < to and at least 2 elements"));
            }
            let steps = (*elements - 1) as f64;
            let geometric = (0..*elements).map(|m| from * (to / from).powf(m as f64 / steps));
            (std::iter::once(0.0).chain(geometric).collect::<Vec<_>>(), *degree)
        }
        EnergyGridFile::Edges { degree, edges } => {
            (edges.energies(context.units, &format!("{path}.edges"))?, *degree)
        }
        EnergyGridFile::TableGroups { degree } => {
            let groups = natural.groups.ok_or_else(|| {
                Error::field(path, "TableGroups", "Geometric or Edges: no opacity table is given")
            })?;
            (groups.to_vec(), *degree)
        }
    };
    increasing(&edges, path)?;
    Ok(EnergyGrid::Spectral(NodalGrid::new(refined(&edges, &[], factor), degree)))
}

fn increasing(edges: &[f64], path: &str) -> Result<()> {
    let bad = edges.windows(2).find(|pair| pair[0].partial_cmp(&pair[1]) != Some(Ordering::Less));
    match bad {
        Some(pair) => Err(Error::field(path, format!("{} then {}", pair[0], pair[1]), "increasing edges")),
        None if edges.len() < 2 => {
            Err(Error::field(path, format!("{} edge(s)", edges.len()), "at least two edges"))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn graded_angles_reach_the_finest_element() {
        let edges = graded_angles(2, 4, 1e-3);
        assert_eq!(edges.len(), 7);
        assert_eq!(edges[..3], [-1.0, -0.5, 0.0]);
        assert!((1.0 - edges[5] - 1e-3).abs() < 1e-15 && edges[6] == 1.0);
        let ratio = |m: usize| (1.0 - edges[m + 1]) / (1.0 - edges[m]);
        assert!((ratio(2) - ratio(3)).abs() < 1e-12);
    }

    #[test]
    fn spacings_have_their_ratios() {
        let widths = |spacing| {
            let mut edges = vec![1.0];
            edges.extend(spacing_fractions(spacing, 5, 1.0, 3.0).iter().map(|x| 1.0 + 2.0 * x));
            edges.push(3.0);
            edges.windows(2).map(|p| p[1] - p[0]).collect::<Vec<_>>()
        };
        let graded = widths(Spacing::GradedToEnd(8.0));
        assert!((graded[0] / graded[4] - 8.0).abs() < 1e-10);
        let both = widths(Spacing::GradedToBoth(8.0));
        assert!((both[2] / both[0] - 8.0).abs() < 1e-10 && (both[0] - both[4]).abs() < 1e-12);
        let geometric = widths(Spacing::Geometric);
        assert!((geometric[1] / geometric[0] - 3f64.powf(0.2)).abs() < 1e-10);
    }

    #[test]
    fn discontinuities_become_edges_once() {
        assert_eq!(with_edges_at(vec![0.0, 1.0, 2.0], &[0.5, 1.0, 5.0]), [0.0, 0.5, 1.0, 2.0]);
        assert_eq!(with_edges_at(vec![0.0, 1.0 + 1e-9, 2.0], &[1.0]), [0.0, 1.0, 2.0]);
    }
}
