//! Reference files: what is kept of a refined result, and where it comes from
//! (docs/reference_solutions.md).

use std::path::{Path, PathBuf};

use super::{ERROR, GROUP, Refined, STANDARD_ERROR};
use crate::criteria::Verdict;
use crate::error::{Error, Result};
use crate::output::dataset::{Attribute, Dataset, Values, Variable};
use crate::output::{read, write};
use crate::problem::Loaded;
use crate::problem::external::{data_files, needs_external_data};

/// Version of the layout of reference files.
pub const REFERENCE_VERSION: i64 = 1;
/// f is kept where it has at most this many values.
const LARGEST_DISTRIBUTION: usize = 40_000;
/// Moments per energy are kept where each has at most this many values, and at the sample radii always.
const LARGEST_MOMENT: usize = 30_000;
/// Digits are kept down to this share of the error: more say nothing, and do not compress.
const ROUNDING: f64 = 0.01;
/// Background and opacities: they follow from the problem, or belong to the authors of its data.
const REPRODUCIBLE: [&str; 6] =
    ["absorption", "equilibrium", "scattering", "scattering_first", "energy_sphere", "transport_sphere"];
const BACKGROUND: [&str; 6] =
    ["lapse", "radial_metric", "velocity", "density", "temperature", "electron_fraction"];

/// What the caller knows of the run.
#[derive(Debug, Clone, PartialEq)]
pub struct Provenance {
    /// The command line.
    pub command: String,
    /// The commit that the program was built from; ends in `-dirty` for changed sources.
    pub commit: String,
    /// UTC, ISO 8601.
    pub date: String,
    /// Why a stored value changes; needed where a reference is replaced.
    pub reason: Option<String>,
}

/// Writes the reference of `problem` to `folder`; the path of the file.
///
/// # Errors
/// The sources were changed, the problem has overrides, a criterion of the problem is not met, a reference
/// is to be replaced without a reason, the file cannot be written.
pub fn store(
    problem: &Loaded,
    refined: &Refined,
    verdicts: &[Verdict],
    provenance: &Provenance,
    folder: &Path,
) -> Result<PathBuf> {
    check_fit(problem, verdicts, provenance)?;
    let name = problem.path.file_stem().unwrap_or(problem.path.as_os_str());
    let path = folder.join(name).with_extension("h5");
    let earlier = if path.exists() { Some(read(&path)?) } else { None };
    let mut reference = contents(problem, refined);
    add_provenance(&mut reference, problem, refined, provenance)?;
    add_revision(&mut reference, earlier.as_ref(), provenance, &path)?;
    write(&reference, &path)?;
    Ok(path)
}

/// Whether a reference may be made, before anything is run.
///
/// # Errors
/// See [`store`].
pub fn check_fit(problem: &Loaded, verdicts: &[Verdict], provenance: &Provenance) -> Result<()> {
    let refuse = |what: &str| Err(Error::file(&problem.path, what));
    if provenance.commit.ends_with("-dirty") {
        return refuse("a reference needs a program built from committed sources (a clean tree)");
    }
    if !problem.overrides.is_empty() {
        return refuse("a reference is of the file as it is, without --set");
    }
    match verdicts.iter().find(|verdict| !verdict.met()) {
        Some(verdict) => refuse(&format!("its criterion \"{}\" is not met", verdict.what)),
        None => Ok(()),
    }
}

/// What is kept, with digits that the errors support.
fn contents(problem: &Loaded, refined: &Refined) -> Dataset {
    let external = needs_external_data(&problem.file);
    let mut reference = refined.dataset.clone();
    reference.groups.retain(|(name, _)| name != GROUP);
    let keep = |variable: &Variable| {
        let name = base_name(&variable.name);
        let large = match name {
            "f" => variable.values.len() > LARGEST_DISTRIBUTION,
            "j" | "h" | "k" | "l" => variable.values.len() > LARGEST_MOMENT,
            _ => false,
        };
        let others = external && (BACKGROUND.contains(&name) || name.starts_with("number_left_inner"));
        !(large || others || REPRODUCIBLE.contains(&name))
    };
    reference.variables.retain(keep);
    for (_, group) in &mut reference.groups {
        group.variables.retain(|v| base_name(&v.name) != "f" || v.values.len() <= LARGEST_DISTRIBUTION);
        group.variables.retain(|v| !(external && BACKGROUND.contains(&base_name(&v.name))));
        round(group);
    }
    round(&mut reference);
    reference
}

/// The name without the suffix of an error.
fn base_name(name: &str) -> &str {
    name.strip_suffix(STANDARD_ERROR).or_else(|| name.strip_suffix(ERROR)).unwrap_or(name)
}

/// Rounds values to a small share of their errors, and errors to three digits.
fn round(dataset: &mut Dataset) {
    let errors: Vec<Option<Vec<f64>>> = dataset
        .variables
        .iter()
        .map(|variable| match dataset.get(&format!("{}{ERROR}", variable.name)).map(|v| &v.values) {
            Some(Values::Real(errors)) => Some(errors.clone()),
            _ => None,
        })
        .collect();
    for (variable, errors) in dataset.variables.iter_mut().zip(errors) {
        let is_error = variable.name.ends_with(ERROR);
        let Values::Real(values) = &mut variable.values else { continue };
        match errors {
            Some(errors) => {
                values.iter_mut().zip(&errors).for_each(|(v, e)| *v = rounded(*v, ROUNDING * e));
            }
            None if is_error => values.iter_mut().for_each(|v| *v = rounded(*v, 1e-3 * v.abs())),
            None => {}
        }
    }
}

/// `value` with the bits below `step` set to zero, which compress; off by less than `step`.
fn rounded(value: f64, step: f64) -> f64 {
    if value == 0.0 || step <= 0.0 || !step.is_finite() {
        return value;
    }
    // A multiple of the largest power of two that is not above the step.
    let unit = step.log2().floor().exp2();
    let multiple = (value / unit).round() * unit;
    if multiple.is_finite() { multiple } else { value }
}

fn add_provenance(
    reference: &mut Dataset,
    problem: &Loaded,
    refined: &Refined,
    provenance: &Provenance,
) -> Result<()> {
    let standard = |name: &str| refined.standard.scalar(name);
    reference
        .attribute("reference_version", REFERENCE_VERSION)
        .attribute("date", provenance.date.as_str())
        .attribute("host", host())
        .attribute("command", provenance.command.as_str());
    for (name, value) in
        [("standard_wall_time_s", standard("wall_time_s")), ("standard_iterations", standard("iterations"))]
    {
        if let Some(value) = value {
            reference.attribute(name, value);
        }
    }
    for (index, name) in data_files(&problem.file).into_iter().enumerate() {
        let path = problem.context.data_file(name, "data")?;
        let bytes = std::fs::read(&path).map_err(|e| Error::file(&path, format!("cannot be read: {e}")))?;
        let hash = crate::problem::load::fnv1a(&bytes);
        reference.attribute(&format!("data_{index}"), format!("{name} {hash:016x}"));
    }
    Ok(())
}

/// Class of the machine, not its name.
fn host() -> String {
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    format!("{} {}, {cores} cores", std::env::consts::OS, std::env::consts::ARCH)
}

/// Number and reason of this revision, after those of the file that it replaces.
fn add_revision(
    reference: &mut Dataset,
    earlier: Option<&Dataset>,
    provenance: &Provenance,
    path: &Path,
) -> Result<()> {
    let Some(earlier) = earlier else {
        let reason = provenance.reason.as_deref().unwrap_or("first reference");
        reference.attribute("revision", 1i64);
        reference.attribute("revisions", format!("1 ({}): {reason}", provenance.date));
        return Ok(());
    };
    let Some(reason) = provenance.reason.as_deref().filter(|reason| !reason.trim().is_empty()) else {
        return Err(Error::file(path, "exists: --reason \"...\" has to say why its values change"));
    };
    let last = match earlier.get_attribute("revision") {
        Some(Attribute::Integer(revision)) => *revision,
        _ => return Err(Error::file(path, "is no reference file: it has no revision")),
    };
    let history = earlier.text_attribute("revisions").unwrap_or_default();
    reference.attribute("revision", last + 1);
    reference.attribute("revisions", format!("{history}\n{} ({}): {reason}", last + 1, provenance.date));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_stays_within_its_step() {
        for value in [1.234_567_89e51, -7.7e-9, 0.333_333_333, 5.0, 1e-300] {
            for step in [1e-3, 1e-9, 0.5] {
                let step = step * f64::abs(value);
                assert!((rounded(value, step) - value).abs() <= step, "{value} {step}");
            }
        }
        assert_eq!(rounded(0.1, 0.0), 0.1);
        assert_eq!(rounded(0.0, 1.0), 0.0);
    }

    #[test]
    fn errors_belong_to_their_variables() {
        assert_eq!(base_name("j_standard_error"), "j");
        assert_eq!(base_name("flux_factor_error"), "flux_factor");
        assert_eq!(base_name("luminosity"), "luminosity");
    }
}
