//! Linear algebra that knows no physics.

pub mod block_tridiagonal;
pub mod krylov;
