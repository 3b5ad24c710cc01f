//! A stored result at other points: inside each element by the element's own polynomial, so that nothing
//! is lost against the solver's own representation.
//!
//! The elements of a dimension `x` are given by the coordinate `x_edge` of the file
//! (docs/reference_format.md); its nodes are the Gauss nodes of those elements.

use ndarray::{ArrayD, ArrayViewD, Axis};

use crate::error::{Error, Result};
use crate::output::dataset::{Dataset, Variable};
use crate::phase_space::grid::NodalGrid;

/// Stored nodes differ from those that follow from the edges by at most this share of an element.
const NODE_TOLERANCE: f64 = 1e-9;

/// Name of the dimension and coordinate of the element edges of `dimension`.
pub fn edge_name(dimension: &str) -> String {
    format!("{dimension}_edge")
}

/// The elements of `dimension` ("r", "mu", "energy") of `dataset`.
///
/// # Errors
/// The dataset has no such coordinate or no edges for it, or they do not belong to each other.
pub fn elements(dataset: &Dataset, dimension: &str) -> Result<NodalGrid> {
    let name = edge_name(dimension);
    let (nodes, edges) = (dataset.reals(dimension)?, dataset.reals(&name)?);
    let increasing = edges.windows(2).all(|pair| pair[0] < pair[1]);
    let count = edges.len().saturating_sub(1);
    if !increasing || count == 0 || nodes.is_empty() || nodes.len() % count != 0 {
        let what = format!("{} edges do not make elements for {} nodes", edges.len(), nodes.len());
        return Err(Error::dataset(&name, what));
    }
    let grid = NodalGrid::new(edges.to_vec(), nodes.len() / count - 1);
    let belongs = |index: usize| {
        let width = grid.width(index / grid.per_element());
        (nodes[index] - grid.nodes[index]).abs() <= NODE_TOLERANCE * width
    };
    if (0..nodes.len()).all(belongs) {
        return Ok(grid);
    }
    Err(Error::dataset(dimension, format!("its values are not the Gauss nodes of the elements in {name}")))
}

/// Where values along one dimension are wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    dimension: String,
    /// First node and weights for each point.
    stencils: Vec<(usize, Vec<f64>)>,
}

impl Target {
    /// `points` along `dimension` of `dataset`; a point on an edge belongs to the element above it.
    ///
    /// # Errors
    /// See [`elements`]; a point outside the grid.
    pub fn new(dataset: &Dataset, dimension: &str, points: &[f64]) -> Result<Self> {
        let grid = elements(dataset, dimension)?;
        let stencil = |&x: &f64| {
            // A node is its own value, to the last bit.
            if let Ok(node) = grid.nodes.binary_search_by(|node| node.total_cmp(&x)) {
                return Ok((node, vec![1.0]));
            }
            let found = grid.interpolation(x).map(|(range, weights)| (range.start, weights));
            found.ok_or_else(|| {
                let (first, last) = (grid.edges[0], grid.edges[grid.elements()]);
                Error::dataset(dimension, format!("{x} is outside its range from {first} to {last}"))
            })
        };
        Ok(Self {
            dimension: dimension.to_owned(),
            stencils: points.iter().map(stencil).collect::<Result<_>>()?,
        })
    }
}

/// `variable` of `dataset` at `targets`, row-major over its dimensions in their order; dimensions without
/// a target, and targets that the variable does not depend on, stay as they are.
///
/// # Errors
/// A variable of texts, or one whose length does not fit its dimensions.
pub fn resample(dataset: &Dataset, variable: &Variable, targets: &[Target]) -> Result<ArrayD<f64>> {
    let mut values = dataset.array(&variable.name)?.to_owned();
    for target in targets {
        if let Some(axis) = variable.dimensions.iter().position(|name| *name == target.dimension) {
            values = along(&values.view(), Axis(axis), &target.stencils);
        }
    }
    Ok(values)
}

fn along(values: &ArrayViewD<f64>, axis: Axis, stencils: &[(usize, Vec<f64>)]) -> ArrayD<f64> {
    let mut shape = values.shape().to_vec();
    shape[axis.index()] = stencils.len();
    let mut result = ArrayD::zeros(shape);
    for ((first, weights), mut target) in stencils.iter().zip(result.axis_iter_mut(axis)) {
        for (offset, &weight) in weights.iter().enumerate() {
            target.scaled_add(weight, &values.index_axis(axis, first + offset));
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    /// g(μ, r) = μ² r³ on two elements of degree 2 and three of degree 3.
    fn sample() -> Dataset {
        let mu = NodalGrid::new(vec![-1.0, 0.0, 1.0], 2);
        let r = NodalGrid::new(vec![0.0, 1.0, 1.5, 4.0], 3);
        let mut data = Dataset::new();
        for (name, grid) in [("mu", &mu), ("r", &r)] {
            let edge = edge_name(name);
            data.dimension(name, grid.nodes.len()).dimension(&edge, grid.edges.len());
            data.real(name, &[name], "1", "nodes", grid.nodes.clone());
            data.real(&edge, &[&edge], "1", "edges", grid.edges.clone());
        }
        let values = mu.nodes.iter().flat_map(|m| r.nodes.iter().map(move |r| m * m * r.powi(3))).collect();
        data.real("g", &["mu", "r"], "1", "a polynomial", values);
        data
    }

    #[test]
    fn polynomials_are_reproduced() {
        let data = sample();
        let (mu, r) = ([-0.9, 0.0, 0.3], [0.0, 1.0, 3.3, 4.0]);
        let targets = [Target::new(&data, "mu", &mu).unwrap(), Target::new(&data, "r", &r).unwrap()];
        let g = resample(&data, data.get("g").unwrap(), &targets).unwrap();
        assert_eq!(g.shape(), [3, 4]);
        for (i, mu) in mu.iter().enumerate() {
            for (j, r) in r.iter().enumerate() {
                assert_relative_eq!(g[[i, j]], mu * mu * r.powi(3), epsilon = 1e-12);
            }
        }
    }

    #[test]
    fn points_outside_and_wrong_edges_are_refused() {
        let mut data = sample();
        let outside = Target::new(&data, "r", &[4.1]).unwrap_err().to_string();
        assert!(outside.contains("4.1") && outside.contains("from 0 to 4"), "{outside}");
        assert!(Target::new(&data, "r", &[f64::NAN]).is_err());
        assert!(Target::new(&data, "energy", &[1.0]).is_err());
        data.variables.iter_mut().find(|v| v.name == "r_edge").unwrap().values =
            crate::output::dataset::Values::Real(vec![0.0, 1.1, 1.5, 4.0]);
        let wrong = elements(&data, "r").unwrap_err().to_string();
        assert!(wrong.contains("Gauss nodes"), "{wrong}");
    }
}
