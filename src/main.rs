//! The command line of Tolman.

use std::io::Write;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use tolman::commands::{
    agree, check, compare, completions, list, logging, plot, rates, refine, run, score, show, verify,
};
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
    /// Number of threads; the result does not depend on it [default: all cores].
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Say more: -v the stages of the work, -vv every iteration and time step.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::Args),
    Check(check::Args),
    Show(show::Args),
    Plot(plot::Args),
    Rates(Box<rates::Args>),
    Refine(refine::Args),
    Agree(agree::Args),
    Verify(verify::Args),
    Compare(compare::Args),
    Score(score::Args),
    List(list::Args),
    Completions(completions::Args),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    report_file_size_limit_as_error();
    logging::start(arguments.verbose);
    // Parallelism is over energies and species; dense kernels stay on their thread.
    faer::set_global_parallelism(faer::Par::Seq);
    let threads = arguments.threads.map_or(0, usize::from);
    if let Err(error) = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global() {
        complain(&format!("error: the threads cannot be started ({error})"));
        return ExitCode::from(2);
    }
    let outcome = match &arguments.command {
        Command::Run(args) => run::execute(args),
        Command::Check(args) => check::execute(args),
        Command::Show(args) => show::execute(args),
        Command::Plot(args) => plot::execute(args),
        Command::Rates(args) => rates::execute(args),
        Command::Refine(args) => refine::execute(args),
        Command::Agree(args) => agree::execute(args),
        Command::Verify(args) => verify::execute(args),
        Command::Compare(args) => compare::execute(args),
        Command::Score(args) => score::execute(args),
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
    wrap_messages_between_words();
    complain(&format!("{:?}", miette::Report::new(error)));
    ExitCode::from(code)
}

/// Numbers such as 1e-12 are not broken at their hyphen.
fn wrap_messages_between_words() {
    let handler = |_: &_| -> Box<dyn miette::ReportHandler> {
        let options = miette::MietteHandlerOpts::new();
        Box::new(options.word_splitter(textwrap::WordSplitter::NoHyphenation).build())
    };
    // Where a handler was set before, that one shows the message.
    let _ = miette::set_hook(Box::new(handler));
}

/// Writes `message` to standard error. Where that is closed (`2>&1 | head`), the exit status still tells.
fn complain(message: &str) {
    let _ = writeln!(std::io::stderr(), "{message}");
}

/// A file larger than the limit of the process (`ulimit -f`) ends it with a signal, unless that is
/// blocked: then the write fails with an error that names the file. Threads inherit this.
fn report_file_size_limit_as_error() {
    #[cfg(unix)]
    {
        use nix::sys::signal::{SigSet, Signal};
        // Where blocking fails, the signal ends the program as it would have.
        let _ = SigSet::from(Signal::SIGXFSZ).thread_block();
    }
}
