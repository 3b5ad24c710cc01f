//! The list of problems.

use tolman::commands::list::lines;
use tolman::problem::folder::problems;

#[test]
fn problems_are_listed_by_name_with_their_titles() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    put(
        "sphere.ron",
        "#![enable(implicit_some)]\n// note\n(format: 1, title: \"A “sphere”\", units: Physical,\n background: (metric: UniformStar(radius: \"10 km\", compactness: 0.5)), species: [(name: \"nue\")])",
    );
    put("atmosphere.ron", "ProblemFile(title: \"An atmosphere\", mode: SteadyState(tolerance: 1e-9))");
    put("broken.ron", "(title: 3)");
    put("notes.txt", "");
    let found = problems(folder.path()).unwrap();
    assert_eq!(found[0], ("atmosphere".to_owned(), "An atmosphere".to_owned()));
    assert_eq!(found[1].0, "broken");
    assert!(found[1].1.starts_with("(has no readable title: 1:"), "{}", found[1].1);
    assert_eq!(found[2], ("sphere".to_owned(), "A “sphere”".to_owned()));
    let text = lines(&found);
    assert!(text.starts_with("atmosphere  An atmosphere\nbroken      ("), "{text}");
    assert!(text.ends_with("sphere      A “sphere”\n"), "{text}");
}

#[test]
fn a_folder_without_problems_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let message = problems(folder.path()).unwrap_err().to_string();
    assert!(message.contains("has no problem files"), "{message}");
    let message = problems(&folder.path().join("missing")).unwrap_err().to_string();
    assert!(message.contains("missing: cannot be read"), "{message}");
}
