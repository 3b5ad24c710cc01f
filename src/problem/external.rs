//! The data files that a problem reads.

use super::file::{MatterFile, OpacityFile, ProblemFile};

/// Names of all data files as they stand in the problem file.
pub fn data_files(file: &ProblemFile) -> Vec<&str> {
    let matter = match &file.background.matter {
        MatterFile::Profile(profile) => Some(profile.file.as_str()),
        _ => None,
    };
    let tables = file.opacities.iter().filter_map(|source| match source {
        OpacityFile::ZoneTable { file, .. } | OpacityFile::NuLibTable { file, .. } => Some(file.as_str()),
        _ => None,
    });
    let equation_of_state = match &file.background.matter {
        MatterFile::Profile(profile) => profile.equation_of_state.as_ref().map(|table| table.file.as_str()),
        _ => None,
    };
    matter.into_iter().chain(equation_of_state).chain(tables).collect()
}

/// Whether the problem needs a folder of external data (names that begin with `data:`).
pub fn needs_external_data(file: &ProblemFile) -> bool {
    data_files(file).iter().any(|name| name.starts_with("data:"))
}
