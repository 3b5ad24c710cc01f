//! The variables that each kind of formula may use, in the order in which values are passed to
//! [`super::expression::Expression`].

/// v/c.
pub const VELOCITY: &[&str] = &["r"];
/// Temperatures and chemical potentials.
pub const RADIAL: &[&str] = &["r", "lapse"];
/// Coefficients and f_eq where the problem has no matter.
pub const OPACITY: &[&str] = &["r", "energy", "lapse"];
/// Coefficients and f_eq where the problem has matter.
pub const OPACITY_WITH_MATTER: &[&str] = &["r", "energy", "lapse", "density", "temperature", "ye"];
/// f that comes in through a boundary.
pub const BOUNDARY: &[&str] = &["mu", "energy", "t"];
/// Initial f.
pub const INITIAL: &[&str] = &["r", "mu", "energy"];
