//! `tolman list`: the problem files of a folder with their titles.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde::Deserialize;

use super::print::print;
use crate::error::{Error, Result};

/// List the problem files of a folder with their titles.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  tolman list\n  tolman list my_problems")]
pub struct Args {
    /// Folder of problem files (*.ron).
    #[arg(value_name = "FOLDER", default_value = "problems")]
    pub folder: PathBuf,
}

/// Prints a line per problem.
///
/// # Errors
/// The folder cannot be read or holds no problem file.
pub fn execute(args: &Args) -> Result<ExitCode> {
    print(&lines(&problems(&args.folder)?))?;
    Ok(ExitCode::SUCCESS)
}

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

/// The list as lines of two aligned columns.
pub fn lines(problems: &[(String, String)]) -> String {
    let width = problems.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    problems.iter().map(|(name, title)| format!("{name:<width$}  {title}\n")).collect()
}
