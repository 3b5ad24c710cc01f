//! Linear algebra that knows no physics.

pub mod block_tridiagonal;
pub mod dense;
pub mod face_coupled;
pub mod krylov;
pub mod sdirk;
