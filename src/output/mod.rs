//! HDF5 output.
pub mod dataset;
