//! The command line of Tolman.

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use tolman::commands::{check, completions, list, plot, run, show};
use tolman::error::Error;

/// Reference solutions of neutrino transport on fixed spherical backgrounds.
///
/// Solves the energy- and angle-resolved general-relativistic Boltzmann equation on a background that a
/// RON file describes, and writes spectra, moments and the angular distribution to HDF5.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// Number of threads [default: all cores]; results do not depend on it.
    #[arg(long, global = true, value_name = "N")]
    threads: Option<usize>,
    /// Say more: -v what is done, -vv every iteration.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::Args),
    Check(check::Args),
    Show(show::Args),
    Plot(plot::Args),
    List(list::Args),
    Completions(completions::Args),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    start_logging(arguments.verbose);
    // Parallelism is over energies and species; dense kernels stay on their thread.
    faer::set_global_parallelism(faer::Par::Seq);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(arguments.threads.unwrap_or(0)).build_global();
    if let Err(error) = pool {
        eprintln!("error: the threads cannot be started ({error})");
        return ExitCode::from(2);
    }
    let outcome = match &arguments.command {
        Command::Run(args) => run::execute(args),
        Command::Check(args) => check::execute(args),
        Command::Show(args) => show::execute(args),
        Command::Plot(args) => plot::execute(args),
        Command::List(args) => list::execute(args),
        Command::Completions(args) => completions::execute(args, &mut Arguments::command()),
    };
    outcome.unwrap_or_else(fail)
}

/// Shows the error; 2 for what the user can mend, 1 where there is no solution, 130 after Ctrl-C.
fn fail(error: Error) -> ExitCode {
    let code = match error {
        Error::Numerical(_) => 1,
        Error::Interrupted => 130,
        _ => 2,
    };
    eprintln!("{:?}", miette::Report::new(error));
    ExitCode::from(code)
}

fn start_logging(verbose: u8) {
    let level = match verbose {
        0 => "warn",
        1 => "info",
        _ => "debug",
    };
    let filter = tracing_subscriber::EnvFilter::try_from_env("TOLMAN_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(format!("tolman={level}")));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}
