//! `tolman list`: the problem files of a folder with their titles.

use std::path::PathBuf;
use std::process::ExitCode;

use super::print::print;
use crate::error::Result;
use crate::problem::folder::problems;

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

/// The list as lines of two aligned columns.
pub fn lines(problems: &[(String, String)]) -> String {
    let width = problems.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    problems.iter().map(|(name, title)| format!("{name:<width$}  {title}\n")).collect()
}
