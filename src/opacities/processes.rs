//! The single processes that a source of a problem file is made of.

use crate::problem::file::{ChargedCurrentFile, ElasticScatteringFile, OpacityFile, RateConstants};

/// The source cut into sources of one process each, with their names: what they give adds up to what the
/// source gives.
pub fn processes(file: &OpacityFile) -> Vec<(&'static str, OpacityFile)> {
    match file {
        OpacityFile::Absorption { .. } => vec![("absorption", file.clone())],
        OpacityFile::Scattering { .. } => vec![("scattering", file.clone())],
        OpacityFile::ZoneTable { .. } => vec![("zone_table", file.clone())],
        OpacityFile::NuLibTable { .. } => vec![("nulib_table", file.clone())],
        &OpacityFile::Rates { charged_current, scattering, constants } => {
            rates(charged_current, scattering, constants)
        }
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

/// The corrections stay with their process: those of a process that is off are no valid input.
fn rates(
    absorption: ChargedCurrentFile,
    scattering: ElasticScatteringFile,
    constants: RateConstants,
) -> Vec<(&'static str, OpacityFile)> {
    let only = |charged_current, scattering| OpacityFile::Rates { charged_current, scattering, constants };
    let captures = |charged_current| only(charged_current, ElasticScatteringFile::NONE);
    let scatters = |scattering| only(ChargedCurrentFile::NONE, scattering);
    let nucleons = ChargedCurrentFile { nuclei: false, ..absorption };
    let nuclei = ChargedCurrentFile { nuclei: true, ..ChargedCurrentFile::NONE };
    let on_nucleons = ElasticScatteringFile {
        nucleons: true,
        nucleon_blocking: scattering.nucleon_blocking,
        weak_magnetism: scattering.weak_magnetism,
        ..ElasticScatteringFile::NONE
    };
    let on_alphas = ElasticScatteringFile { alpha: true, ..ElasticScatteringFile::NONE };
    let on_heavy = ElasticScatteringFile {
        nucleons: false,
        nucleon_blocking: None,
        weak_magnetism: None,
        alpha: false,
        ..scattering
    };
    chosen([
        (absorption.nucleons, "nucleon_absorption", captures(nucleons)),
        (absorption.nuclei, "nucleus_absorption", captures(nuclei)),
        (scattering.nucleons, "nucleon_scattering", scatters(on_nucleons)),
        (scattering.alpha, "alpha_scattering", scatters(on_alphas)),
        (scattering.heavy, "nucleus_scattering", scatters(on_heavy)),
    ])
}

fn chosen<const N: usize>(parts: [(bool, &'static str, OpacityFile); N]) -> Vec<(&'static str, OpacityFile)> {
    parts.into_iter().filter(|(on, ..)| *on).map(|(_, name, file)| (name, file)).collect()
}
