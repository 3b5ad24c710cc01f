//! `tolman verify`: reruns problems and compares with the stored references.

use std::path::PathBuf;
use std::process::ExitCode;

use super::print::print;
use super::problem_args::check_data_folder;
use super::run::available_memory;
use super::terminal::Terminal;
use crate::error::Result;
use crate::verify::report::{heading, json, junit, summary, table};
use crate::verify::{CaseReport, Outcome, Plan, verify};

/// Rerun problems and compare every number with the stored reference solutions.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    tolman verify --fast\n  \
    tolman verify homogeneous_sphere oven\n  \
    tolman verify --format junit > verify.xml\n\n\
    Exit status: 0 every value within twice the stored error; 1 a difference beyond that, or a run that did\n\
    not converge; 2 a problem without a usable reference or the other way round; 130 interrupted.")]
pub struct Args {
    /// Problems, without .ron [default: all].
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// Only problems that are quick to rerun, for every commit.
    #[arg(long)]
    pub fast: bool,
    /// Form of the report.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Folder of the problem files.
    #[arg(long, value_name = "DIR", default_value = "problems")]
    pub problems: PathBuf,
    /// Folder of the references.
    #[arg(long, value_name = "DIR", default_value = "reference_solutions")]
    pub references: PathBuf,
    /// Folder of external data, for paths that begin with `data:`.
    #[arg(long, value_name = "DIR", env = "TOLMAN_DATA")]
    pub data: Option<PathBuf>,
}

/// Form of the report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// A table for people, problem by problem.
    #[default]
    Table,
    /// A list of problems with their checks.
    Json,
    /// JUnit XML, one test case per problem.
    Junit,
}

/// Verifies and reports.
///
/// # Errors
/// See [`verify`]; the report cannot be written.
pub fn execute(args: &Args) -> Result<ExitCode> {
    check_data_folder(args.data.as_deref())?;
    let plan = Plan {
        problems: args.problems.clone(),
        references: args.references.clone(),
        names: args.names.clone(),
        fast: args.fast,
        data: args.data.clone(),
        memory: available_memory(),
    };
    let terminal = Terminal::start();
    let as_table = args.format == Format::Table;
    if as_table {
        print(&heading())?;
    }
    let reports = verify(&plan, &terminal, &mut |report| {
        terminal.clear();
        if as_table { print(&table(report)) } else { Ok(()) }
    });
    terminal.clear();
    let reports = reports?;
    match args.format {
        Format::Table => print(&summary(&reports))?,
        Format::Json => print(&(json(&reports)? + "\n"))?,
        Format::Junit => print(&junit(&reports)?)?,
    }
    Ok(exit_code(&reports))
}

/// 2 before 1 before 0; nothing verified is no success.
fn exit_code(reports: &[CaseReport]) -> ExitCode {
    let any = |wanted: fn(&Outcome) -> bool| reports.iter().any(|report| wanted(&report.outcome));
    if reports.is_empty() || any(|outcome| matches!(outcome, Outcome::Invalid(_))) {
        ExitCode::from(2)
    } else if any(|outcome| matches!(outcome, Outcome::Failed(_))) {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}
