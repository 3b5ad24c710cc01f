//! The program as its users run it.

use std::path::Path;
use std::process::Output;

use assert_cmd::Command;

/// `tolman` with `arguments` in `folder`, without external data and colours.
pub fn tolman(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(assert_cmd::cargo::cargo_bin!("tolman"))
        .current_dir(folder)
        .env_remove("TOLMAN_DATA")
        .env("NO_COLOR", "1")
        .args(arguments)
        .output()
        .unwrap()
}

/// All that was printed: standard output, then standard error.
pub fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}
