//! Every file under problems/ is a valid problem, says what it tests, and can be judged by its criteria.

use std::path::{Path, PathBuf};

use tolman::problem::{LoadOptions, Resolution, load};

fn problem_files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("problems");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "ron"))
        .collect();
    files.sort();
    files
}

#[test]
fn every_problem_is_valid() {
    let files = problem_files();
    assert!(files.len() >= 24, "only {} problems found", files.len());
    for path in files {
        for resolution in [Resolution::Coarse, Resolution::Standard, Resolution::Fine] {
            let options = LoadOptions { resolution, ..LoadOptions::default() };
            let loaded = load(&path, &options).unwrap_or_else(|error| panic!("{error}"));
            assert!(!loaded.file.criteria.is_empty(), "{} has no criteria", path.display());
        }
    }
}

#[test]
fn every_problem_begins_with_what_it_tests_and_its_source() {
    for path in problem_files() {
        let text = std::fs::read_to_string(&path).unwrap();
        let comment: String = text.lines().take_while(|line| line.starts_with("//")).collect();
        let named_source = comment.split(|c: char| !c.is_ascii_digit()).any(|word| word.len() == 4);
        assert!(comment.len() > 100, "{} does not say what it tests", path.display());
        assert!(named_source, "{} names no paper with its year", path.display());
    }
}

#[test]
fn titles_are_unique() {
    let mut titles: Vec<String> =
        problem_files().iter().map(|path| load(path, &LoadOptions::default()).unwrap().file.title).collect();
    let number = titles.len();
    titles.sort();
    titles.dedup();
    assert_eq!(titles.len(), number);
}

#[test]
fn single_values_of_every_problem_can_be_overridden() {
    for path in problem_files() {
        let overrides = vec![
            ("title".to_owned(), "Another title".to_owned()),
            ("phase_space.r.degree".to_owned(), "3".to_owned()),
            ("outputs.distribution".to_owned(), "false".to_owned()),
        ];
        let loaded = load(&path, &LoadOptions { overrides, ..LoadOptions::default() })
            .unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(loaded.file.title, "Another title");
        assert_eq!(loaded.file.phase_space.r.degree, 3);
        assert!(!loaded.file.outputs.distribution);
    }
}
