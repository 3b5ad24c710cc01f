//! When a reference may be written, and what is in it.

use std::path::Path;

use tempfile::TempDir;
use tolman::error::Error;
use tolman::output::read;
use tolman::problem::{LoadOptions, Loaded, load};
use tolman::progress::Silent;
use tolman::refine::ladder::Workplace;
use tolman::refine::store::{Provenance, store};
use tolman::refine::{Refined, Settings, refine};
use tolman::run::Resources;
use tolman::{criteria, criteria::Verdict};

fn problem(overrides: &[(&str, &str)]) -> Loaded {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("problems/homogeneous_sphere.ron");
    let overrides = overrides.iter().map(|(p, v)| ((*p).to_owned(), (*v).to_owned())).collect();
    load(&path, &LoadOptions { overrides, ..LoadOptions::default() }).unwrap()
}

fn refined(problem: &Loaded) -> (Refined, Vec<Verdict>) {
    let folder = tempfile::tempdir().unwrap();
    let workplace = Workplace { folder: folder.path().join("ladder") };
    let resources = Resources { memory: u64::MAX, restart: None };
    let settings = Settings { finest: 2.0, directions: None };
    let refined = refine(problem, &settings, &workplace, &resources, &Silent).unwrap();
    let verdicts = criteria::check(problem, &refined.dataset).unwrap();
    (refined, verdicts)
}

fn clean() -> Provenance {
    Provenance {
        command: "tolman refine --store problems/homogeneous_sphere.ron".into(),
        commit: "0123456".into(),
        date: "2026-01-02T03:04:05Z".into(),
        reason: None,
    }
}

struct Case {
    problem: Loaded,
    refined: Refined,
    verdicts: Vec<Verdict>,
    folder: TempDir,
}

impl Case {
    fn new(overrides: &[(&str, &str)]) -> Self {
        let problem = problem(overrides);
        let (refined, verdicts) = refined(&problem);
        Self { problem, refined, verdicts, folder: tempfile::tempdir().unwrap() }
    }

    fn store(&self, provenance: &Provenance) -> Result<std::path::PathBuf, Error> {
        store(&self.problem, &self.refined, &self.verdicts, provenance, self.folder.path())
    }

    fn refusal(&self, provenance: &Provenance) -> String {
        let error = self.store(provenance).unwrap_err().to_string();
        assert_eq!(std::fs::read_dir(self.folder.path()).unwrap().count(), 0);
        error
    }
}

#[test]
fn a_reference_says_where_it_comes_from() {
    let case = Case::new(&[]);
    let path = case.store(&clean()).unwrap();
    assert!(path.ends_with("homogeneous_sphere.h5"));
    let reference = read(&path).unwrap();
    let text = |name: &str| reference.text_attribute(name).unwrap_or_default().to_owned();
    assert_eq!(reference.scalar("reference_version"), Some(1.0));
    assert_eq!(reference.scalar("revision"), Some(1.0));
    assert_eq!(text("problem"), case.problem.text);
    assert_eq!(text("problem_hash"), format!("{:016x}", case.problem.hash));
    assert_eq!(text("status"), "converged");
    assert!(
        text("command").contains("--store") && text("date").starts_with("2026") && !text("host").is_empty()
    );
    assert!(reference.scalar("standard_wall_time_s").unwrap() > 0.0);
    assert!(reference.scalar("standard_iterations").unwrap() >= 1.0);
    // Values to a hundredth of their error, and no opacities.
    let (full, error) = (case.refined.dataset.reals("j").unwrap(), reference.reals("j_error").unwrap());
    for ((stored, full), error) in reference.reals("j").unwrap().iter().zip(full).zip(error) {
        assert!((stored - full).abs() <= 0.0101 * error);
    }
    assert!(reference.get("absorption").is_none() && reference.get_group("refinement").is_none());
    assert!(reference.get("f").is_some() && reference.get("lapse").is_some());
}

#[test]
fn replacing_a_reference_needs_a_reason_and_keeps_the_others() {
    let case = Case::new(&[]);
    let path = case.store(&clean()).unwrap();
    let before = std::fs::read(&path).unwrap();
    for reason in [None, Some("  ".to_owned())] {
        let error = case.store(&Provenance { reason, ..clean() }).unwrap_err().to_string();
        assert!(error.contains("--reason"), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }
    case.store(&Provenance { reason: Some("finer angles".into()), ..clean() }).unwrap();
    let reference = read(&path).unwrap();
    assert_eq!(reference.scalar("revision"), Some(2.0));
    let history = reference.text_attribute("revisions").unwrap();
    assert!(
        history.contains("first reference") && history.contains("2 (2026-01-02T03:04:05Z): finer angles")
    );
}

#[test]
fn changed_sources_overrides_and_failed_criteria_are_refused() {
    let case = Case::new(&[]);
    let dirty = case.refusal(&Provenance { commit: "0123456-dirty".into(), ..clean() });
    assert!(dirty.contains("clean tree"), "{dirty}");
    let overridden = Case::new(&[("phase_space.r.degree", "4")]).refusal(&clean());
    assert!(overridden.contains("--set"), "{overridden}");
    let mut failing = Case::new(&[]);
    failing.verdicts[0].deviation = f64::NAN;
    let failed = failing.refusal(&clean());
    assert!(failed.contains("is not met"), "{failed}");
}
