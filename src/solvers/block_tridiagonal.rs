//! Direct solution of block-tridiagonal systems whose neighbouring blocks are coupled channel by channel
//! through traces, as upwind discretisations couple elements.
//!
//! A block vector holds `line` nodes × `channels` values, channel fastest. Row (i, c) of block e takes
//! lift_i · (trace of channel c in the neighbour) for the channels c that flow in from that neighbour.
//! Eliminating upward in e needs one dense factorisation per block and one small response matrix per
//! face (the response of the channels that leave a face upward to those that enter it from above).

use super::dense::{Precision, Scratch};
use crate::error::Result;

/// Shape of the system and its couplings; shared by systems that differ in their diagonal blocks only.
#[derive(Debug, Clone, PartialEq)]
pub struct Structure {
    pub line: usize,
    pub channels: usize,
    /// Trace weights at the upper and lower end of a block.
    pub upper_trace: Vec<f64>,
    pub lower_trace: Vec<f64>,
    /// Between block e and e+1.
    pub faces: Vec<Face>,
}

/// Coupling through one face.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Face {
    /// Channels that flow from block e to e+1, and the factors of their traces in the rows of block e+1:
    /// channel-major, `line` each.
    pub upward: Vec<usize>,
    pub upward_lift: Vec<f64>,
    /// Channels that flow from block e+1 to e, and the factors in the rows of block e.
    pub downward: Vec<usize>,
    pub downward_lift: Vec<f64>,
}

impl Structure {
    /// Unknowns per block.
    pub fn size(&self) -> usize {
        self.line * self.channels
    }

    pub fn blocks(&self) -> usize {
        self.faces.len() + 1
    }

    /// Numbers that the factors of one system hold.
    pub fn factor_length(&self) -> usize {
        let size = self.size();
        self.blocks() * size * size + self.faces.iter().map(|face| face.downward.len() * size).sum::<usize>()
    }

    #[inline(always)]
    fn trace<T: Precision>(&self, weights: &[f64], block: &[T], channel: usize) -> f64 {
        weights.iter().enumerate().map(|(i, w)| w * block[i * self.channels + channel].to_f64()).sum()
    }
}

/// Factors of one system.
#[derive(Debug, Clone)]
pub struct Factors<T> {
    /// LU factors of the eliminated diagonal blocks, column-major.
    lu: Vec<T>,
    /// Row permutations.
    permutation: Vec<u32>,
    /// Per face: (eliminated block)⁻¹ × lift of the downward channels, column-major.
    elimination: Vec<T>,
    starts: Vec<usize>,
}

impl<T: Precision> Factors<T> {
    /// Factorises the system whose diagonal block e is written, column-major, by `assemble(e, block)`.
    ///
    /// # Errors
    /// [`crate::error::Error::Numerical`] where a block is singular or not finite.
    pub fn new(structure: &Structure, mut assemble: impl FnMut(usize, &mut [f64])) -> Result<Self> {
        let (size, blocks) = (structure.size(), structure.blocks());
        let mut starts = vec![0];
        for face in &structure.faces {
            starts.push(starts[starts.len() - 1] + face.downward.len() * size);
        }
        let mut factors = Self {
            lu: vec![T::default(); blocks * size * size],
            permutation: vec![0; blocks * size],
            elimination: vec![T::default(); starts[blocks - 1]],
            starts,
        };
        let mut scratch = Scratch::new::<T>(size);
        let mut assembled = vec![0.0; size * size];
        for e in 0..blocks {
            assemble(e, &mut assembled);
            if e > 0 {
                let range = factors.starts[e - 1]..factors.starts[e];
                subtract_response(structure, e, &factors.elimination[range], &mut assembled);
            }
            let block = &mut factors.lu[e * size * size..(e + 1) * size * size];
            block.iter_mut().zip(&assembled).for_each(|(b, a)| *b = T::from_f64(*a));
            let permutation = &mut factors.permutation[e * size..(e + 1) * size];
            scratch.factorise(block, permutation, e)?;
            if e + 1 < blocks {
                let columns = &mut factors.elimination[factors.starts[e]..factors.starts[e + 1]];
                lift_columns(structure, &structure.faces[e], columns);
                scratch.solve_columns(block, permutation, columns);
            }
        }
        Ok(factors)
    }

    /// Overwrites `x` (all blocks) with the solution for the right-hand side `x`.
    pub fn solve(&self, structure: &Structure, x: &mut [f64]) {
        // Scaled to 1, so that f32 holds values many orders below the largest.
        let largest = x.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
        if largest == 0.0 || !largest.is_finite() {
            return;
        }
        let mut work: Vec<T> = x.iter().map(|x| T::from_f64(x / largest)).collect();
        // Compiled once for each instruction set that the processor may have.
        pulp::Arch::new().dispatch(|| {
            self.eliminate_upward(structure, &mut work);
            self.substitute_downward(structure, &mut work);
        });
        x.iter_mut().zip(&work).for_each(|(x, w)| *x = w.to_f64() * largest);
    }

    #[inline(always)]
    fn eliminate_upward(&self, structure: &Structure, x: &mut [T]) {
        let size = structure.size();
        let mut work = vec![T::default(); size];
        for e in 0..structure.blocks() {
            let (below, own) = x.split_at_mut(e * size);
            let own = &mut own[..size];
            if e > 0 {
                let face = &structure.faces[e - 1];
                let below = &below[(e - 1) * size..];
                for (c, &channel) in face.upward.iter().enumerate() {
                    let value = structure.trace(&structure.upper_trace, below, channel);
                    for i in 0..structure.line {
                        let lift = face.upward_lift[c * structure.line + i];
                        own[i * structure.channels + channel] -= T::from_f64(lift * value);
                    }
                }
            }
            let lu = &self.lu[e * size * size..(e + 1) * size * size];
            solve_one(lu, &self.permutation[e * size..(e + 1) * size], own, &mut work);
        }
    }

    #[inline(always)]
    fn substitute_downward(&self, structure: &Structure, x: &mut [T]) {
        let size = structure.size();
        for e in (0..structure.blocks() - 1).rev() {
            let (own, above) = x.split_at_mut((e + 1) * size);
            let own = &mut own[e * size..];
            let columns = self.elimination[self.starts[e]..self.starts[e + 1]].chunks_exact(size);
            for (&channel, column) in structure.faces[e].downward.iter().zip(columns) {
                let value = structure.trace(&structure.lower_trace, &above[..size], channel);
                let value = T::from_f64(value);
                for (own, factor) in own.iter_mut().zip(column) {
                    *own -= *factor * value;
                }
            }
        }
    }
}

/// block −= (lift of upward channels) · (response R) · (lower trace of downward channels), where R are the
/// upper traces of `elimination`.
fn subtract_response<T: Precision>(structure: &Structure, e: usize, elimination: &[T], block: &mut [f64]) {
    let face = &structure.faces[e - 1];
    let (size, line, channels) = (structure.size(), structure.line, structure.channels);
    for (&from, column) in face.downward.iter().zip(elimination.chunks_exact(size)) {
        let response: Vec<f64> =
            face.upward.iter().map(|&to| structure.trace(&structure.upper_trace, column, to)).collect();
        for (q, weight) in structure.lower_trace.iter().enumerate() {
            let target = &mut block[(q * channels + from) * size..][..size];
            for (c, (&to, response)) in face.upward.iter().zip(&response).enumerate() {
                for i in 0..line {
                    target[i * channels + to] -= face.upward_lift[c * line + i] * response * weight;
                }
            }
        }
    }
}

/// Writes the lifts of the downward channels as columns.
fn lift_columns<T: Precision>(structure: &Structure, face: &Face, columns: &mut [T]) {
    columns.fill(T::default());
    for (c, (&channel, column)) in
        face.downward.iter().zip(columns.chunks_exact_mut(structure.size())).enumerate()
    {
        for i in 0..structure.line {
            column[i * structure.channels + channel] =
                T::from_f64(face.downward_lift[c * structure.line + i]);
        }
    }
}

/// Solves with one LU factor by column-oriented substitution, which vectorises.
#[inline(always)]
fn solve_one<T: Precision>(lu: &[T], permutation: &[u32], x: &mut [T], work: &mut [T]) {
    let size = x.len();
    for (work, &row) in work.iter_mut().zip(permutation) {
        *work = x[row as usize];
    }
    for column in 0..size {
        let value = work[column];
        let (_, below) = work.split_at_mut(column + 1);
        for (w, l) in below.iter_mut().zip(&lu[column * size + column + 1..(column + 1) * size]) {
            *w -= *l * value;
        }
    }
    for column in (0..size).rev() {
        let value = work[column] / lu[column * size + column];
        work[column] = value;
        for (w, u) in work[..column].iter_mut().zip(&lu[column * size..]) {
            *w -= *u * value;
        }
    }
    x.copy_from_slice(work);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use faer::linalg::solvers::Solve;
    use faer::{Col, Mat};
    use proptest::prelude::*;

    const LINE: usize = 2;
    const CHANNELS: usize = 5;
    const BLOCKS: usize = 4;
    const SIZE: usize = LINE * CHANNELS;

    /// A system with numbers from `random` in −1 … 1, and its dense matrix.
    fn system(random: &[f64]) -> (Structure, Vec<Vec<f64>>, Mat<f64>) {
        let mut numbers = random.iter().copied().cycle();
        let mut next = || numbers.next().unwrap_or(0.0);
        let mut draw = |count: usize| -> Vec<f64> { (0..count).map(|_| next()).collect() };
        let (upper_trace, lower_trace) = (draw(LINE), draw(LINE));
        let faces: Vec<Face> = (0..BLOCKS - 1)
            .map(|face| {
                let split = 1 + face;
                Face {
                    upward: (split..CHANNELS).collect(),
                    upward_lift: draw((CHANNELS - split) * LINE),
                    downward: (0..split).collect(),
                    downward_lift: draw(split * LINE),
                }
            })
            .collect();
        let structure = Structure { line: LINE, channels: CHANNELS, upper_trace, lower_trace, faces };
        let blocks: Vec<Vec<f64>> = (0..BLOCKS)
            .map(|_| {
                let mut block = draw(SIZE * SIZE);
                (0..SIZE).for_each(|i| block[i * SIZE + i] += 12.0);
                block
            })
            .collect();
        let dense = dense(&structure, &blocks);
        (structure, blocks, dense)
    }

    fn dense(structure: &Structure, blocks: &[Vec<f64>]) -> Mat<f64> {
        let mut matrix = Mat::zeros(BLOCKS * SIZE, BLOCKS * SIZE);
        for (e, block) in blocks.iter().enumerate() {
            for column in 0..SIZE {
                for row in 0..SIZE {
                    matrix[(e * SIZE + row, e * SIZE + column)] = block[column * SIZE + row];
                }
            }
        }
        for (e, face) in structure.faces.iter().enumerate() {
            let sides = [
                (&face.upward, &face.upward_lift, &structure.upper_trace, e + 1, e),
                (&face.downward, &face.downward_lift, &structure.lower_trace, e, e + 1),
            ];
            for (channels, lift, trace, to, from) in sides {
                for (c, channel) in channels.iter().enumerate() {
                    for i in 0..LINE {
                        for (q, weight) in trace.iter().enumerate() {
                            let at = |e: usize, node: usize| e * SIZE + node * CHANNELS + channel;
                            matrix[(at(to, i), at(from, q))] += lift[c * LINE + i] * weight;
                        }
                    }
                }
            }
        }
        matrix
    }

    fn largest_difference<T: Precision>(random: &[f64]) -> f64 {
        let (structure, blocks, dense) = system(random);
        let right: Vec<f64> = (0..BLOCKS * SIZE).map(|n| ((n * 37) % 11) as f64 - 5.0).collect();
        let factors = Factors::<T>::new(&structure, |e, block| block.copy_from_slice(&blocks[e])).unwrap();
        let mut x = right.clone();
        factors.solve(&structure, &mut x);
        let exact = dense.partial_piv_lu().solve(Col::from_fn(right.len(), |n| right[n]));
        (0..x.len()).map(|n| (x[n] - exact[n]).abs()).fold(0.0, f64::max)
    }

    proptest! {
        #[test]
        fn solution_is_that_of_the_dense_matrix(random in proptest::collection::vec(-1.0..1.0f64, 997)) {
            prop_assert!(largest_difference::<f64>(&random) < 1e-12);
            prop_assert!(largest_difference::<f32>(&random) < 1e-4);
        }
    }

    #[test]
    fn singular_and_nan_blocks_are_errors() {
        let (structure, blocks, _) = system(&[0.3, -0.7, 0.2]);
        for bad in [0.0, f64::NAN] {
            let outcome = Factors::<f64>::new(&structure, |e, block| {
                block.copy_from_slice(&blocks[e]);
                if e == 2 {
                    block.fill(bad);
                }
            });
            assert!(matches!(outcome, Err(Error::Numerical(message)) if message.contains("block 2")));
        }
    }

    #[test]
    fn a_vanishing_right_hand_side_gives_zero() {
        let (structure, blocks, _) = system(&[0.3, -0.7, 0.2]);
        let factors = Factors::<f32>::new(&structure, |e, block| block.copy_from_slice(&blocks[e])).unwrap();
        let mut x = vec![0.0; BLOCKS * SIZE];
        factors.solve(&structure, &mut x);
        assert!(x.iter().all(|&x| x == 0.0));
    }
}
