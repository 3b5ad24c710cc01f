//! Backgrounds against closed forms, limits, hand-made tables and published profiles.

mod closed_forms;
mod integrals;
mod matter;
mod nuclear_equilibrium;
mod published;
mod tables;
mod velocities;

use std::path::{Path, PathBuf};

use tolman::background::Background;
use tolman::error::Result;
use tolman::problem::BuildContext;
use tolman::problem::file::BackgroundFile;
use tolman::units::UnitSystem;

fn build_in(folder: &Path, text: &str, units: UnitSystem) -> Result<Background> {
    let options = ron::Options::default().with_default_extension(ron::extensions::Extensions::IMPLICIT_SOME);
    let file: BackgroundFile = options.from_str(text).expect("a background in RON");
    let data = std::env::var_os("TOLMAN_DATA").map(PathBuf::from);
    Background::build(&file, &BuildContext { units, folder: folder.to_owned(), data })
}

fn plain(text: &str) -> Background {
    build_in(Path::new("."), text, UnitSystem::DIMENSIONLESS).unwrap()
}

fn physical(text: &str) -> Background {
    build_in(Path::new("."), text, UnitSystem::PHYSICAL).unwrap()
}

fn refused(text: &str, units: UnitSystem) -> String {
    build_in(Path::new("."), text, units).unwrap_err().to_string()
}

/// Equal within a relative tolerance.
#[track_caller]
fn close(value: f64, expected: f64, tolerance: f64) {
    assert!((value - expected).abs() <= tolerance * expected.abs(), "{value} against {expected}");
}
