//! The problem files of a folder.

use std::path::Path;

use serde::Deserialize;

use crate::error::{Error, Result};

/// Names (without `.ron`) and titles of the problem files in `folder`, by name. Where a title cannot be
/// read, the reason stands in its place.
///
/// # Errors
/// The folder cannot be read or holds no problem file.
pub fn problems(folder: &Path) -> Result<Vec<(String, String)>> {
    let unreadable = |e: std::io::Error| Error::file(folder, format!("cannot be read: {e}"));
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if let (Some("ron"), Some(name)) = (path.extension().and_then(|e| e.to_str()), path.file_stem()) {
            found.push((name.to_string_lossy().into_owned(), title(&path)));
        }
    }
    if found.is_empty() {
        return Err(Error::file(folder, "has no problem files (*.ron)"));
    }
    found.sort();
    Ok(found)
}

/// The one field that a list needs: a problem that is otherwise invalid is still listed.
#[derive(Deserialize)]
#[serde(rename = "ProblemFile")]
struct Titled {
    title: String,
}

fn title(path: &Path) -> String {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => return format!("(cannot be read: {error})"),
    };
    match ron::from_str::<Titled>(&text) {
        Ok(problem) => problem.title,
        Err(error) => format!("(has no readable title: {error})"),
    }
}
