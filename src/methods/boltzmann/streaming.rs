//! Radial advection and angular redistribution as one sparse matrix on (radial node, ordinate),
//! per unit comoving path length. It is the same for all energies and species.

use crate::phase_space::PhaseSpace;

use super::angular_redistribution::angular_redistribution;
use super::connection::Connection;
use super::radial_advection::radial_advection;

/// Sparse matrix in rows; row and column i·N_μ + j for radial node i and ordinate j.
#[derive(Debug, Clone, PartialEq)]
pub struct Streaming {
    starts: Vec<usize>,
    columns: Vec<u32>,
    values: Vec<f64>,
}

/// One entry of a sparse matrix: (row, column, value).
pub type Entry = (usize, usize, f64);

impl Streaming {
    /// Matrix of both terms with upwind fluxes. `reflecting` = (inner edge, outer edge).
    pub fn new(connection: &Connection, phase_space: &PhaseSpace, reflecting: (bool, bool)) -> Self {
        let mut entries = Vec::new();
        radial_advection(connection, phase_space, reflecting, &mut |entry| entries.push(entry));
        angular_redistribution(connection, phase_space, &mut |entry| entries.push(entry));
        Self::from_entries(phase_space.slab(), entries)
    }

    /// Sorts by row and column and adds up entries at the same place.
    fn from_entries(rows: usize, mut entries: Vec<Entry>) -> Self {
        entries.sort_by_key(|&(row, column, _)| (row, column));
        let mut starts = vec![0; rows + 1];
        let (mut columns, mut values): (Vec<u32>, Vec<f64>) = (Vec::new(), Vec::new());
        let mut last = None;
        for (row, column, value) in entries {
            if last == Some((row, column)) {
                *values.last_mut().unwrap_or(&mut 0.0) += value;
                continue;
            }
            last = Some((row, column));
            columns.push(column as u32);
            values.push(value);
            starts[row + 1] = columns.len();
        }
        for row in 0..rows {
            starts[row + 1] = starts[row + 1].max(starts[row]);
        }
        Self { starts, columns, values }
    }

    /// Entries of `row` as (column, value).
    pub fn row(&self, row: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        let range = self.starts[row]..self.starts[row + 1];
        self.columns[range.clone()].iter().map(|&c| c as usize).zip(self.values[range].iter().copied())
    }

    /// y = S x.
    #[inline(always)]
    pub fn apply(&self, x: &[f64], y: &mut [f64]) {
        for (row, value) in y.iter_mut().enumerate() {
            let range = self.starts[row]..self.starts[row + 1];
            *value = self.columns[range.clone()]
                .iter()
                .zip(&self.values[range])
                .map(|(&column, &entry)| entry * x[column as usize])
                .sum();
        }
    }
}
