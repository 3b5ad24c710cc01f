//! Direct solution of block-tridiagonal systems whose neighbouring blocks act on each other through
//! fluxes at the face between them, and whose fluxes mix a few components (as those of moment equations).
//!
//! A block vector holds `line` nodes × `copies` × [`COMPONENTS`] values, component fastest. The flux of a
//! copy through the face between blocks e and e+1 is linear in the traces of that copy on both sides, and
//! row (i, copy, component) of either block takes lift_i × flux. Eliminating upward in e costs one dense
//! factorisation per block, and its solutions for as many columns as there are fluxes.

use super::dense::Scratch;
use crate::error::Result;

/// Components of a copy that the fluxes mix.
pub const COMPONENTS: usize = 2;

/// A flux at a face and its derivatives with respect to the traces below and above it,
/// \[component\]\[component of the trace\].
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct FluxJacobian {
    pub below: [[f64; COMPONENTS]; COMPONENTS],
    pub above: [[f64; COMPONENTS]; COMPONENTS],
}

/// Coupling of block e (below) and block e+1 (above).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Face {
    /// Weights of the nodes of the block below in its trace at the face; of the block above in its.
    pub trace_below: Vec<f64>,
    pub trace_above: Vec<f64>,
    /// Factors of the flux in the rows of each node of the block below, and of the block above.
    pub lift_below: Vec<f64>,
    pub lift_above: Vec<f64>,
    /// One per copy.
    pub fluxes: Vec<FluxJacobian>,
}

/// Solves the system whose diagonal block e is written, column-major, by `assemble(e, block)`, for the
/// right-hand side `x`, in place. The diagonal blocks include what a block's own traces contribute to its
/// own rows.
///
/// # Errors
/// [`crate::error::Error::Numerical`] where a block is singular or not finite.
pub fn solve(
    faces: &[Face],
    line: usize,
    assemble: impl FnMut(usize, &mut [f64]),
    x: &mut [f64],
) -> Result<()> {
    let blocks = faces.len() + 1;
    let size = x.len() / blocks;
    Elimination { faces, line, channels: size / line, size }.solve(assemble, x)
}

struct Elimination<'a> {
    faces: &'a [Face],
    line: usize,
    channels: usize,
    size: usize,
}

impl Elimination<'_> {
    fn solve(&self, mut assemble: impl FnMut(usize, &mut [f64]), x: &mut [f64]) -> Result<()> {
        let (size, last) = (self.size, self.faces.len());
        let mut scratch = Scratch::new::<f64>(size);
        let mut permutation = vec![0; size];
        let mut block = vec![0.0; size * size];
        // Per face: (eliminated block)⁻¹ × what the trace above the face does in it.
        let mut responses: Vec<Vec<f64>> = Vec::with_capacity(last);
        for e in 0..=last {
            assemble(e, &mut block);
            if e > 0 {
                self.eliminate_below(e - 1, &responses[e - 1], &mut block, x);
            }
            scratch.factorise(&mut block, &mut permutation, e)?;
            scratch.solve_columns(&block, &permutation, &mut x[e * size..(e + 1) * size]);
            if e < last {
                let mut response = self.action_of_trace_above(&self.faces[e]);
                scratch.solve_columns(&block, &permutation, &mut response);
                responses.push(response);
            }
        }
        for e in (0..last).rev() {
            let (lower, upper) = x.split_at_mut((e + 1) * size);
            let trace = self.trace(&self.faces[e].trace_above, &upper[..size]);
            for (column, trace) in responses[e].chunks_exact(size).zip(trace) {
                lower[e * size..].iter_mut().zip(column).for_each(|(x, response)| *x -= response * trace);
            }
        }
        Ok(())
    }

    /// Trace of a block vector in every channel.
    fn trace(&self, weights: &[f64], block: &[f64]) -> Vec<f64> {
        let mut trace = vec![0.0; self.channels];
        for (weight, node) in weights.iter().zip(block.chunks_exact(self.channels)) {
            trace.iter_mut().zip(node).for_each(|(sum, value)| *sum += weight * value);
        }
        trace
    }

    /// Columns, one per channel of the trace above `face`: its action on the rows of the block below.
    fn action_of_trace_above(&self, face: &Face) -> Vec<f64> {
        let mut columns = vec![0.0; self.size * self.channels];
        for (copy, flux) in face.fluxes.iter().enumerate() {
            for (from, to) in pairs() {
                let channel = copy * COMPONENTS;
                let column = &mut columns[(channel + from) * self.size..][..self.size];
                for (i, lift) in face.lift_below.iter().enumerate() {
                    column[i * self.channels + channel + to] = lift * flux.above[to][from];
                }
            }
        }
        columns
    }

    /// Takes the block below face number `e` out of the rows of the block above it. Its part of `x` is
    /// the solution for a zero trace above the face.
    fn eliminate_below(&self, e: usize, response: &[f64], block: &mut [f64], x: &mut [f64]) {
        let face = &self.faces[e];
        let (lower, upper) = x.split_at_mut((e + 1) * self.size);
        let known = self.flux_of_trace_below(face, &lower[e * self.size..]);
        self.add_lifted(face, &known, -1.0, upper);
        for (channel, column) in response.chunks_exact(self.size).enumerate() {
            let flux = self.flux_of_trace_below(face, column);
            for (q, weight) in face.trace_above.iter().enumerate().filter(|(_, weight)| **weight != 0.0) {
                let target = &mut block[(q * self.channels + channel) * self.size..][..self.size];
                self.add_lifted(face, &flux, -weight, target);
            }
        }
    }

    /// What the trace of the block vector `below` makes of the fluxes through `face`.
    fn flux_of_trace_below(&self, face: &Face, below: &[f64]) -> Vec<f64> {
        let trace = self.trace(&face.trace_below, below);
        let mut flux = vec![0.0; self.channels];
        for (copy, jacobian) in face.fluxes.iter().enumerate() {
            for (from, to) in pairs() {
                flux[copy * COMPONENTS + to] += jacobian.below[to][from] * trace[copy * COMPONENTS + from];
            }
        }
        flux
    }

    /// Adds `factor` × the fluxes through `face` to the rows of the block above it.
    fn add_lifted(&self, face: &Face, flux: &[f64], factor: f64, rows: &mut [f64]) {
        for (lift, rows) in face.lift_above[..self.line].iter().zip(rows.chunks_exact_mut(self.channels)) {
            rows.iter_mut().zip(flux).for_each(|(row, flux)| *row += factor * lift * flux);
        }
    }
}

/// All (from, to) of two components.
fn pairs() -> impl Iterator<Item = (usize, usize)> {
    (0..COMPONENTS).flat_map(|from| (0..COMPONENTS).map(move |to| (from, to)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use faer::linalg::solvers::Solve;
    use faer::{Col, Mat};

    /// Against the dense solution of the same system.
    #[test]
    fn the_system_is_solved() {
        let (line, copies, blocks) = (3, 2, 4);
        let (channels, size) = (copies * COMPONENTS, line * copies * COMPONENTS);
        let mut drawn = 0;
        let mut draw = |count: usize| -> Vec<f64> {
            drawn += count;
            (drawn - count..drawn).map(|n| (37.3 * (n * n) as f64).sin()).collect()
        };
        let faces: Vec<Face> = (1..blocks)
            .map(|_| {
                let mut matrix = || {
                    let v = draw(4);
                    [[v[0], v[1]], [v[2], v[3]]]
                };
                let fluxes = (0..copies).map(|_| FluxJacobian { below: matrix(), above: matrix() }).collect();
                let mut weights = || draw(line);
                Face {
                    trace_below: weights(),
                    trace_above: weights(),
                    lift_below: weights(),
                    lift_above: weights(),
                    fluxes,
                }
            })
            .collect();
        let diagonal: Vec<Vec<f64>> = (0..blocks)
            .map(|_| {
                let mut block = draw(size * size);
                (0..size).for_each(|i| block[i * size + i] += 9.0);
                block
            })
            .collect();
        let mut matrix = Mat::<f64>::zeros(blocks * size, blocks * size);
        for (e, block) in diagonal.iter().enumerate() {
            for (n, value) in block.iter().enumerate() {
                matrix[(e * size + n % size, e * size + n / size)] = *value;
            }
        }
        let place = |e: usize, i: usize, channel: usize| e * size + i * channels + channel;
        for (e, face) in faces.iter().enumerate() {
            for (i, q) in (0..line).flat_map(|i| (0..line).map(move |q| (i, q))) {
                for (copy, flux) in face.fluxes.iter().enumerate() {
                    for (from, to) in pairs() {
                        let (row, column) = (copy * COMPONENTS + to, copy * COMPONENTS + from);
                        matrix[(place(e, i, row), place(e + 1, q, column))] +=
                            face.lift_below[i] * flux.above[to][from] * face.trace_above[q];
                        matrix[(place(e + 1, i, row), place(e, q, column))] +=
                            face.lift_above[i] * flux.below[to][from] * face.trace_below[q];
                    }
                }
            }
        }
        let right = draw(blocks * size);
        let expected = matrix.partial_piv_lu().solve(Col::from_fn(blocks * size, |n| right[n]));
        let mut x = right;
        solve(&faces, line, |e, block| block.copy_from_slice(&diagonal[e]), &mut x).unwrap();
        for (n, x) in x.iter().enumerate() {
            assert!((x - expected[n]).abs() < 1e-11, "{n}: {x} {}", expected[n]);
        }
    }
}
