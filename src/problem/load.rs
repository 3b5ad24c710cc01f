//! Reads a problem file: overrides, syntax, schema, meaning.

use std::path::{Path, PathBuf};

use super::error::Complaint;
use super::file::{ProblemFile, Refinement, Units};
use super::syntax::{self, Node};
use super::{BuildContext, overrides, read, validate};
use crate::error::{Error, Result};
use crate::units::UnitSystem;

/// The named resolutions of a problem.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Resolution {
    Coarse,
    #[default]
    Standard,
    Fine,
}

impl Resolution {
    /// The name as it is written on the command line and in output files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Coarse => "coarse",
            Self::Standard => "standard",
            Self::Fine => "fine",
        }
    }
}

/// What the command line adds to a problem file.
#[derive(Debug, Clone, Default)]
pub struct LoadOptions {
    /// Values that replace those of the file, as (path, value in RON).
    pub overrides: Vec<(String, String)>,
    pub resolution: Resolution,
    /// Folder of external data.
    pub data: Option<PathBuf>,
}

/// A problem file that says something valid.
#[derive(Debug, Clone)]
pub struct Loaded {
    pub file: ProblemFile,
    /// The text that was read, with overrides applied. It alone reproduces the problem.
    pub text: String,
    /// Where the file is.
    pub path: PathBuf,
    /// The overrides that are part of `text`.
    pub overrides: Vec<(String, String)>,
    pub resolution: Resolution,
    /// Element counts relative to those of the file, from the resolution asked for.
    pub refinement: Refinement,
    pub context: BuildContext,
    /// FNV-1a hash of `text`; the same on every machine and in every version of the program.
    pub hash: u64,
}

/// Reads, overrides and validates the problem file at `path`.
///
/// # Errors
/// [`Error::File`] where the file cannot be read; [`Error::Problem`], with line and column, where an
/// override has no place or the file is not RON, does not follow the schema, or has a value that is
/// invalid whatever the data files say.
pub fn load(path: &Path, options: &LoadOptions) -> Result<Loaded> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Error::file(path, format!("the problem file cannot be read ({error})")))?;
    load_text(text, path, options)
}

/// [`load`] for a text that is already there; `path` is what messages name and what relative paths start
/// from.
pub fn load_text(text: String, path: &Path, options: &LoadOptions) -> Result<Loaded> {
    let text = overrides::apply_all(text, &options.overrides, path)?;
    let file: ProblemFile =
        read::read(&text).map_err(|complaint| in_file(complaint, path, &text, &options.overrides))?;
    let loaded = Loaded {
        refinement: refinement(&file, options.resolution),
        resolution: options.resolution,
        context: context(&file, path, options),
        hash: fnv1a(text.as_bytes()),
        path: path.to_owned(),
        overrides: options.overrides.clone(),
        file,
        text,
    };
    match validate::validate(&loaded.file) {
        Ok(()) => Ok(loaded),
        Err(error) => Err(loaded.locate(error)),
    }
}

impl Loaded {
    /// Adds file, line and column to an [`Error::Field`]; other errors stay as they are. A field that
    /// the file leaves out is shown at the place where it could stand.
    pub fn locate(&self, error: Error) -> Error {
        let Error::Field { path, found, valid } = error else { return error };
        let span = self.span(&path).unwrap_or(0..0);
        let what = format!("found {found}; valid: {valid}");
        let complaint = Complaint { path, span, what, help: None };
        in_file(complaint, &self.path, &self.text, &self.overrides)
    }

    fn span(&self, path: &str) -> Option<std::ops::Range<usize>> {
        let tree: Node = syntax::parse(&self.text).ok()?;
        let steps = syntax::parse_path(path)?;
        Some(tree.deepest(&steps).0.span.clone())
    }
}

fn refinement(file: &ProblemFile, resolution: Resolution) -> Refinement {
    match resolution {
        Resolution::Coarse => file.resolutions.coarse,
        Resolution::Standard => Refinement::STANDARD,
        Resolution::Fine => file.resolutions.fine,
    }
}

fn context(file: &ProblemFile, path: &Path, options: &LoadOptions) -> BuildContext {
    BuildContext {
        units: match file.units {
            Units::Physical => UnitSystem::PHYSICAL,
            Units::Dimensionless => UnitSystem::DIMENSIONLESS,
        },
        folder: path.parent().map(Path::to_owned).unwrap_or_default(),
        data: options.data.clone(),
    }
}

/// The complaint with its file, and a word on what in the text shown is not in the file.
fn in_file(complaint: Complaint, path: &Path, text: &str, overrides: &[(String, String)]) -> Error {
    let set: Vec<String> = overrides.iter().map(|(path, value)| format!("--set {path}={value}")).collect();
    let note = (!set.is_empty()).then(|| format!("the text shown includes {}", set.join(" ")));
    let notes: Vec<String> = [complaint.help.clone(), note].into_iter().flatten().collect();
    let help = (!notes.is_empty()).then(|| notes.join("\n"));
    Complaint { help, ..complaint }.in_file(path, text)
}

/// Fowler-Noll-Vo 1a, 64 bit: a hash that is the same on every machine.
pub fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_fnv1a() {
        // Published test vectors.
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }
}
