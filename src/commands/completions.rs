//! `tolman completions`: completion scripts for shells.

use std::process::ExitCode;

use clap_complete::Shell;

use super::print::print;
use crate::error::{Error, Result};

/// Print a script that completes commands and options in a shell.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    tolman completions bash > ~/.local/share/bash-completion/completions/tolman\n  \
    tolman completions zsh > \"${fpath[1]}/_tolman\"\n  \
    tolman completions fish > ~/.config/fish/completions/tolman.fish")]
pub struct Args {
    /// The shell.
    pub shell: Shell,
}

/// Prints the script for `command`, the whole command line of the program.
///
/// # Errors
/// The standard output takes no more.
pub fn execute(args: &Args, command: &mut clap::Command) -> Result<ExitCode> {
    let mut script = Vec::new();
    let name = command.get_name().to_owned();
    clap_complete::generate(args.shell, command, name, &mut script);
    let script =
        String::from_utf8(script).map_err(|error| Error::file("completion script", error.to_string()))?;
    print(&script)?;
    Ok(ExitCode::SUCCESS)
}
