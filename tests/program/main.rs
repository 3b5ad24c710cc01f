//! The program and its files as users meet them: problem files, commands, output, references, figures.

mod cli;
mod compare;
mod list;
mod output_format;
mod plot;
mod problem_errors;
mod problem_files;
mod rates_command;
mod reference_folder;
mod references;
mod refine;
mod summary;
mod verify;

#[path = "../support/command.rs"]
mod command;
#[path = "../support/small_problems.rs"]
mod small_problems;
#[path = "../support/synthetic.rs"]
mod synthetic;
