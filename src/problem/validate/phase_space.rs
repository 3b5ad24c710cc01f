//! Grids in radius, angle and energy, and their refinement.

use super::{Validator, count, ensure, increasing};
use crate::error::Result;
use crate::problem::file::{
    AngularGridFile, EnergyGridFile, MatterFile, OpacityFile, RadialElements, Refinement, SegmentFile,
    Spacing,
};
use crate::problem::quantity::Quantity;
use crate::units::Dimension;

/// Largest polynomial degree of an element.
const LARGEST_DEGREE: usize = 7;
/// Most ordinates of a single range: beyond, its polynomials lose digits and their matrices take minutes.
const MOST_ORDINATES: usize = 512;

impl Validator<'_> {
    pub(super) fn phase_space(&self) -> Result<()> {
        self.radial_grid()?;
        angular_grid(&self.file.phase_space.mu)?;
        self.energy_grid()?;
        let resolutions = &self.file.resolutions;
        refinement(&resolutions.coarse, "resolutions.coarse")?;
        refinement(&resolutions.fine, "resolutions.fine")?;
        let finest = resolutions.finest;
        ensure(matches!(finest, 1 | 2 | 4 | 8), "resolutions.finest", finest, "1, 2, 4 or 8")?;
        self.single_range()
    }

    /// All ordinates of a single range are the nodes of one polynomial.
    fn single_range(&self) -> Result<()> {
        let AngularGridFile::SingleRange { ordinates } = &self.file.phase_space.mu else { return Ok(()) };
        let resolutions = &self.file.resolutions;
        let factor = resolutions.coarse.mu.max(resolutions.fine.mu).max(1.0);
        let most = (*ordinates as f64 * factor).round();
        let found = format!("{ordinates} ({most} at the finest resolution)");
        let valid = format!("at most {MOST_ORDINATES} at the finest resolution; Uniform or Graded for more");
        ensure(most <= MOST_ORDINATES as f64, "phase_space.mu.ordinates", found, valid)
    }

    /// First and last radius, where the file alone gives them.
    pub(super) fn domain(&self) -> Option<(f64, f64)> {
        let length = |quantity: &Quantity| quantity.length(self.units, "").ok();
        match &self.file.phase_space.r.elements {
            RadialElements::Segments { start, segments } => {
                Some((length(start)?, length(&segments.last()?.end)?))
            }
            RadialElements::Edges(edges) => {
                let edges = edges.lengths(self.units, "").ok()?;
                Some((*edges.first()?, *edges.last()?))
            }
            RadialElements::Zones { .. } => None,
        }
    }

    fn radial_grid(&self) -> Result<()> {
        let path = "phase_space.r.elements";
        degree(self.file.phase_space.r.degree, "phase_space.r.degree")?;
        match &self.file.phase_space.r.elements {
            RadialElements::Segments { start, segments } => self.segments(start, segments),
            RadialElements::Edges(edges) => {
                ensure(edges.values.len() >= 2, path, edges, "at least two edges")?;
                self.increasing(edges, Dimension::Length, path).map(|_| ())
            }
            RadialElements::Zones { inner, outer } => self.zones(inner.as_ref(), outer.as_ref()),
        }
    }

    fn segments(&self, start: &Quantity, segments: &[SegmentFile]) -> Result<()> {
        let path = "phase_space.r.elements";
        let mut from = self.non_negative(start, Dimension::Length, &format!("{path}.start"))?;
        ensure(!segments.is_empty(), &format!("{path}.segments"), "[]", "at least one segment")?;
        for (index, segment) in segments.iter().enumerate() {
            let path = format!("{path}.segments[{index}]");
            let end = self.positive(&segment.end, Dimension::Length, &format!("{path}.end"))?;
            let valid = "a radius beyond the end of the segment before (strictly increasing edges)";
            ensure(end > from, &format!("{path}.end"), &segment.end, valid)?;
            count(segment.elements, 1, &format!("{path}.elements"))?;
            spacing(segment.spacing, from, &format!("{path}.spacing"))?;
            from = end;
        }
        Ok(())
    }

    fn zones(&self, inner: Option<&Quantity>, outer: Option<&Quantity>) -> Result<()> {
        let path = "phase_space.r.elements";
        let matter = matches!(self.file.background.matter, MatterFile::Profile(_));
        let valid = "a problem with an opacity ZoneTable or with background.matter: Profile(…)";
        ensure(matter || self.has_zone_table(), path, "Zones without a table", valid)?;
        let limit = |quantity: Option<&Quantity>, name: &str| {
            quantity.map(|q| self.non_negative(q, Dimension::Length, &format!("{path}.{name}"))).transpose()
        };
        let from = limit(inner, "inner")?.unwrap_or(0.0);
        match (limit(outer, "outer")?, outer) {
            (Some(to), Some(written)) => {
                ensure(to > from, &format!("{path}.outer"), written, "a radius beyond `inner`")
            }
            _ => Ok(()),
        }
    }

    fn has_zone_table(&self) -> bool {
        self.file.opacities.iter().any(|opacity| matches!(opacity, OpacityFile::ZoneTable { .. }))
    }

    fn energy_grid(&self) -> Result<()> {
        let path = "phase_space.energy";
        match &self.file.phase_space.energy {
            EnergyGridFile::Gray => Ok(()),
            EnergyGridFile::Geometric { degree: p, from, to, elements } => {
                degree(*p, &format!("{path}.degree"))?;
                let first = self.positive(from, Dimension::Energy, &format!("{path}.from"))?;
                let last = self.positive(to, Dimension::Energy, &format!("{path}.to"))?;
                ensure(last > first, &format!("{path}.to"), to, "an energy above `from`")?;
                count(*elements, 2, &format!("{path}.elements"))
            }
            EnergyGridFile::Edges { degree: p, edges } => {
                degree(*p, &format!("{path}.degree"))?;
                let path = format!("{path}.edges");
                ensure(edges.values.len() >= 2, &path, edges, "at least two edges")?;
                self.increasing(edges, Dimension::Energy, &path).map(|_| ())
            }
            EnergyGridFile::TableGroups { degree: p } => {
                degree(*p, &format!("{path}.degree"))?;
                let valid = "a problem with an opacity ZoneTable";
                ensure(self.has_zone_table(), path, "TableGroups without a table", valid)
            }
        }
    }
}

fn degree(value: usize, path: &str) -> Result<()> {
    ensure(value <= LARGEST_DEGREE, path, value, format!("a polynomial degree from 0 to {LARGEST_DEGREE}"))
}

fn spacing(spacing: Spacing, from: f64, path: &str) -> Result<()> {
    match spacing {
        Spacing::Linear => Ok(()),
        Spacing::Geometric => {
            ensure(from > 0.0, path, "Geometric from radius 0", "a segment that starts at a positive radius")
        }
        Spacing::GradedToEnd(ratio) | Spacing::GradedToStart(ratio) | Spacing::GradedToBoth(ratio) => {
            ensure(ratio >= 1.0, path, ratio, "a ratio of widths of at least 1")
        }
    }
}

fn angular_grid(grid: &AngularGridFile) -> Result<()> {
    let path = "phase_space.mu";
    match grid {
        AngularGridFile::SingleRange { ordinates } => count(*ordinates, 2, &format!("{path}.ordinates")),
        AngularGridFile::Uniform { degree: p, elements } => {
            degree(*p, &format!("{path}.degree"))?;
            count(*elements, 2, &format!("{path}.elements"))?;
            let valid = "an even number, so that one edge is mu = 0";
            ensure(elements % 2 == 0, &format!("{path}.elements"), elements, valid)
        }
        AngularGridFile::Graded { degree: p, inward, outward, finest } => {
            degree(*p, &format!("{path}.degree"))?;
            count(*inward, 1, &format!("{path}.inward"))?;
            count(*outward, 1, &format!("{path}.outward"))?;
            let valid = "a distance to mu = 1 between 0 and 1, both excluded";
            ensure(*finest > 0.0 && *finest < 1.0, &format!("{path}.finest"), finest, valid)
        }
        AngularGridFile::Edges { degree: p, edges } => {
            degree(*p, &format!("{path}.degree"))?;
            angular_edges(edges, &format!("{path}.edges"))
        }
    }
}

fn angular_edges(edges: &[f64], path: &str) -> Result<()> {
    increasing(edges, path)?;
    let whole = edges.first() == Some(&-1.0) && edges.last() == Some(&1.0);
    ensure(whole, path, format!("{edges:?}"), "edges from -1 to 1")?;
    ensure(edges.contains(&0.0), path, format!("{edges:?}"), "edges of which one is 0")
}

fn refinement(refinement: &Refinement, path: &str) -> Result<()> {
    factor(refinement.r, &format!("{path}.r"))?;
    factor(refinement.mu, &format!("{path}.mu"))?;
    factor(refinement.energy, &format!("{path}.energy"))
}

/// n or 1/n with a whole number n; 1/3 need not be written to the last digit.
fn factor(value: f64, path: &str) -> Result<()> {
    const CLOSE: f64 = 1e-6;
    const LARGEST: f64 = 64.0;
    let whole = |n: f64| (1.0 - CLOSE..=LARGEST).contains(&n) && (n - n.round()).abs() < CLOSE * n;
    let valid = "a factor n or 1/n with a whole number n from 1 to 64";
    ensure(value > 0.0 && (whole(value) || whole(1.0 / value)), path, value, valid)
}
