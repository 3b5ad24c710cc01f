//! Results as files: HDF5 in the layout of netCDF-4, described field by field in
//! docs/reference_format.md.

pub mod dataset;
mod read;
mod replace;
mod scales;
pub(crate) mod series;
pub mod summary;
mod summary_leptons;
mod write;

pub use read::{read, read_variables, read_where};
pub use replace::{check_writable, replace};
pub use series::{TIME, state, states, time_series};
pub(crate) use write::in_memory;
pub use write::write;

/// Version of the layout that [`write()`] writes and [`read`] reads; the file attribute `format_version`.
pub const FORMAT_VERSION: i64 = 1;

/// Name of the file attribute with [`FORMAT_VERSION`].
const VERSION_ATTRIBUTE: &str = "format_version";
