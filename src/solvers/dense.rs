//! Dense LU factors by faer, with the work space kept and a fixed order of the sums.

use std::ops::{AddAssign, Div, Mul, SubAssign};

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::lu::partial_pivoting;
use faer::perm::PermRef;
use faer::{MatMut, MatRef, Par};
use rayon::prelude::*;

use crate::error::{Error, Result};

/// Precision of stored factors: f64 for direct solutions, f32 where they precondition an iteration and
/// half the memory traffic is worth more than digits.
pub trait Precision:
    faer::traits::RealField + Copy + Mul<Output = Self> + Div<Output = Self> + SubAssign + AddAssign + Default
{
    fn from_f64(value: f64) -> Self;
    fn to_f64(self) -> f64;
}

impl Precision for f64 {
    fn from_f64(value: f64) -> Self {
        value
    }
    fn to_f64(self) -> f64 {
        self
    }
}

impl Precision for f32 {
    fn from_f64(value: f64) -> Self {
        value as f32
    }
    fn to_f64(self) -> f64 {
        f64::from(self)
    }
}

/// Right-hand sides that are solved for at a time: a fixed number, so that results do not depend on the
/// number of threads.
const COLUMNS: usize = 64;

/// Work space of factorisations of one size.
pub struct Scratch {
    size: usize,
    inverse: Vec<u32>,
    memory: MemBuffer,
}

impl Scratch {
    /// For matrices of `size` rows.
    pub fn new<T: Precision>(size: usize) -> Self {
        let lu =
            partial_pivoting::factor::lu_in_place_scratch::<u32, T>(size, size, Par::Seq, Default::default());
        Self { size, inverse: vec![0; size], memory: MemBuffer::new(lu) }
    }

    /// Factorises the column-major `block`, number `e` of its system, in place.
    ///
    /// # Errors
    /// [`Error::Numerical`] where it is singular or not finite.
    pub fn factorise<T: Precision>(
        &mut self,
        block: &mut [T],
        permutation: &mut [u32],
        e: usize,
    ) -> Result<()> {
        let size = self.size;
        let matrix = MatMut::from_column_major_slice_mut(block, size, size);
        partial_pivoting::factor::lu_in_place(
            matrix,
            permutation,
            &mut self.inverse,
            Par::Seq,
            MemStack::new(&mut self.memory),
            Default::default(),
        );
        let regular = block.iter().all(|v| v.to_f64().is_finite())
            && (0..size).all(|i| block[i * size + i].to_f64() != 0.0);
        if regular {
            Ok(())
        } else {
            Err(Error::Numerical(format!(
                "radial block {e} of the transport operator is singular or not finite"
            )))
        }
    }

    /// Solves for all columns with the factor just made, in fixed portions that are in work side by side.
    pub fn solve_columns<T: Precision>(&self, lu: &[T], permutation: &[u32], columns: &mut [T]) {
        let size = self.size;
        let factor = MatRef::from_column_major_slice(lu, size, size);
        let permutation = PermRef::new_checked(permutation, &self.inverse, size);
        columns.par_chunks_mut(COLUMNS * size).for_each(|columns| {
            let count = columns.len() / size;
            let mut memory = MemBuffer::new(partial_pivoting::solve::solve_in_place_scratch::<u32, T>(
                size,
                count,
                Par::Seq,
            ));
            partial_pivoting::solve::solve_in_place(
                factor,
                factor,
                permutation,
                MatMut::from_column_major_slice_mut(columns, size, count),
                Par::Seq,
                MemStack::new(&mut memory),
            );
        });
    }
}
