//! Direct solution of block-tridiagonal systems with dense diagonal blocks and few elements beside them.

use crate::error::{Error, Result};
use crate::solvers::dense::Scratch;

/// (column within the neighbouring block, value) of one row.
pub type Sparse = Vec<(usize, f64)>;

/// Elements of all rows in the columns of the block before and after.
pub struct Neighbours {
    pub before: Vec<Sparse>,
    pub after: Vec<Sparse>,
}

/// Solves the system whose diagonal block i is written, column-major, by `assemble(i, block)`, for `x` in place;
/// rows are (block, place within it).
///
/// # Errors
/// [`Error::Numerical`] where a block is singular or not finite.
pub fn solve(
    size: usize,
    neighbours: &Neighbours,
    mut assemble: impl FnMut(usize, &mut [f64]),
    x: &mut [f64],
) -> Result<()> {
    let blocks = x.len() / size;
    let mut factors = Factors::new(size);
    // Per block: (eliminated block)⁻¹ × its elements in the columns of the next.
    let mut responses: Vec<Vec<f64>> = Vec::with_capacity(blocks);
    for i in 0..blocks {
        let rows = i * size..(i + 1) * size;
        assemble(i, &mut factors.block);
        if let Some(response) = responses.last() {
            let (known, own) = x.split_at_mut(rows.start);
            let known = &known[rows.start - size..];
            for (row, elements) in neighbours.before[rows.clone()].iter().enumerate() {
                for &(column, value) in elements {
                    own[row] -= value * known[column];
                    for other in 0..size {
                        factors.block[other * size + row] -= value * response[other * size + column];
                    }
                }
            }
        }
        factors.factorise(i)?;
        factors.solve(&mut x[rows.clone()]);
        if i + 1 < blocks {
            let mut response = vec![0.0; size * size];
            for (row, elements) in neighbours.after[rows].iter().enumerate() {
                elements.iter().for_each(|&(column, value)| response[column * size + row] += value);
            }
            factors.solve(&mut response);
            responses.push(response);
        }
    }
    for (i, response) in responses.iter().enumerate().rev() {
        let (own, after) = x.split_at_mut((i + 1) * size);
        for (column, after) in response.chunks_exact(size).zip(after) {
            own[i * size..].iter_mut().zip(column).for_each(|(x, factor)| *x -= factor * *after);
        }
    }
    Ok(())
}

/// A block and its factors; of one element it is its own factor.
struct Factors {
    size: usize,
    block: Vec<f64>,
    permutation: Vec<u32>,
    scratch: Option<Scratch>,
}

impl Factors {
    fn new(size: usize) -> Self {
        let scratch = (size > 1).then(|| Scratch::new::<f64>(size));
        Self { size, block: vec![0.0; size * size], permutation: vec![0; size], scratch }
    }

    fn factorise(&mut self, i: usize) -> Result<()> {
        let finite = self.block.iter().all(|value| value.is_finite());
        match &mut self.scratch {
            Some(scratch) if finite => scratch.factorise(&mut self.block, &mut self.permutation, i),
            None if finite && self.block[0] != 0.0 => Ok(()),
            _ => Err(Error::Numerical(format!(
                "the matrix of flux-limited diffusion is singular or not finite at radial node {i}"
            ))),
        }
    }

    fn solve(&self, columns: &mut [f64]) {
        match &self.scratch {
            Some(scratch) => scratch.solve_columns(&self.block, &self.permutation, columns),
            None => columns.chunks_exact_mut(self.size).for_each(|x| x[0] /= self.block[0]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use faer::linalg::solvers::Solve;
    use faer::{Col, Mat};

    /// Against the dense solution of the same system, for blocks of one and of several elements.
    #[test]
    fn the_system_is_solved() {
        for size in [1, 5] {
            let blocks = 6;
            let count = size * blocks;
            let value = |i: usize, j: usize| {
                (1.7 * i as f64 + 3.1 * (j * j) as f64).sin() + if i == j { 8.0 } else { 0.0 }
            };
            let mut matrix = Mat::<f64>::zeros(count, count);
            let mut neighbours =
                Neighbours { before: vec![Vec::new(); count], after: vec![Vec::new(); count] };
            for (row, column) in (0..count).flat_map(|i| (0..count).map(move |j| (i, j))) {
                let (own, other, place) = (row / size, column / size, column % size);
                if own.abs_diff(other) > 1 {
                    continue;
                }
                matrix[(row, column)] = value(row, column);
                if other + 1 == own {
                    neighbours.before[row].push((place, value(row, column)));
                } else if own + 1 == other {
                    neighbours.after[row].push((place, value(row, column)));
                }
            }
            let right: Vec<f64> = (0..count).map(|n| (n as f64).cos()).collect();
            let expected = matrix.partial_piv_lu().solve(Col::from_fn(count, |n| right[n]));
            let mut x = right;
            let assemble = |block: usize, values: &mut [f64]| {
                for (n, element) in values.iter_mut().enumerate() {
                    *element = value(block * size + n % size, block * size + n / size);
                }
            };
            solve(size, &neighbours, assemble, &mut x).unwrap();
            for (n, x) in x.iter().enumerate() {
                assert!((x - expected[n]).abs() < 1e-12, "{size} {n}: {x} {}", expected[n]);
            }
        }
    }
}
