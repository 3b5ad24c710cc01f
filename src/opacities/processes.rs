//! The single processes that a source of a problem file is made of.

use crate::problem::file::OpacityFile;

/// The source cut into sources of one process each, with their names: what they give adds up to what the
/// source gives.
pub fn processes(file: &OpacityFile) -> Vec<(&'static str, OpacityFile)> {
    match file {
        OpacityFile::Absorption { .. } => vec![("absorption", file.clone())],
        OpacityFile::Scattering { .. } => vec![("scattering", file.clone())],
        OpacityFile::ZoneTable { .. } => vec![("zone_table", file.clone())],
        &OpacityFile::Bruenn1985 { charged_current, nucleon_scattering } => {
            let only = |charged_current, nucleon_scattering| OpacityFile::Bruenn1985 {
                charged_current,
                nucleon_scattering,
            };
            chosen([
                (charged_current, "charged_current", only(true, false)),
                (nucleon_scattering, "nucleon_scattering", only(false, true)),
            ])
        }
        &OpacityFile::Inelastic { electron_scattering, positrons, pairs, bremsstrahlung, constants } => {
            let only = |electron_scattering, pairs, bremsstrahlung| OpacityFile::Inelastic {
                electron_scattering,
                positrons,
                pairs,
                bremsstrahlung,
                constants,
            };
            chosen([
                (electron_scattering, "electron_scattering", only(true, false, false)),
                (pairs, "electron_pairs", only(false, true, false)),
                (bremsstrahlung, "bremsstrahlung", only(false, false, true)),
            ])
        }
    }
}

fn chosen<const N: usize>(parts: [(bool, &'static str, OpacityFile); N]) -> Vec<(&'static str, OpacityFile)> {
    parts.into_iter().filter(|(on, ..)| *on).map(|(_, name, file)| (name, file)).collect()
}
