//! The stored references: complete, small, and of the problems as they are.

use std::path::{Path, PathBuf};

use tolman::output::read;
use tolman::problem::external::needs_external_data;
use tolman::problem::{LoadOptions, load};
use tolman::verify::{Plan, cases};

/// Bytes of the whole folder.
const LARGEST_FOLDER: u64 = 30_000_000;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

#[test]
fn every_problem_has_its_reference_and_every_reference_its_problem() {
    let plan =
        Plan { problems: folder("problems"), references: folder("reference_solutions"), ..Plan::default() };
    for case in cases(&plan).unwrap() {
        assert!(case.problem.is_file(), "{} has no problem", case.name);
        assert!(case.reference.is_file(), "{} has no reference", case.name);
        let problem = load(&case.problem, &LoadOptions::default()).unwrap();
        let reference = read(&case.reference).unwrap();
        let text = |name: &str| reference.text_attribute(name).unwrap_or_default().to_owned();
        assert_eq!(text("problem_hash"), format!("{:016x}", problem.hash), "{}", case.name);
        assert_eq!(text("status"), "converged", "{}", case.name);
        assert!(!text("commit").is_empty() && !text("commit").ends_with("-dirty"), "{}", case.name);
        assert!(reference.get("luminosity_standard_error").is_some(), "{}", case.name);
        if needs_external_data(&problem.file) {
            for name in ["density", "temperature", "velocity", "lapse", "absorption"] {
                assert!(reference.get(name).is_none(), "{} holds {name} of its data", case.name);
            }
        }
    }
}

#[test]
fn the_folder_is_small() {
    let sizes = std::fs::read_dir(folder("reference_solutions")).unwrap();
    let total: u64 = sizes.map(|entry| entry.unwrap().metadata().unwrap().len()).sum();
    assert!(total <= LARGEST_FOLDER, "{total} bytes");
}
