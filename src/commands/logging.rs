//! Warnings and, where asked for, the course of the work, on standard error.

use std::collections::HashSet;
use std::fmt::{Debug, Write};
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

/// Shows warnings (`verbose` 0), the stages of the work (1), or every iteration and time step; the environment
/// variable `TOLMAN_LOG` overrides it. Without effect where the program logs already.
pub fn start(verbose: u8) {
    let level = match verbose {
        0 => "warn",
        1 => "info",
        _ => "debug",
    };
    let filter =
        EnvFilter::try_from_env("TOLMAN_LOG").unwrap_or_else(|_| EnvFilter::new(format!("tolman={level}")));
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    // Where logging was started before, that goes on.
    let _ = tracing_subscriber::registry().with(filter).with(WarnOnce::default()).with(lines).try_init();
}

/// Every run of a ladder or of a score finds the same fault in the same matter: a warning is shown once.
#[derive(Debug, Default)]
struct WarnOnce {
    shown: Mutex<HashSet<String>>,
}

impl<S: Subscriber> Layer<S> for WarnOnce {
    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        if *event.metadata().level() != Level::WARN {
            return true;
        }
        let mut text = Text(String::new());
        event.record(&mut text);
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).insert(text.0)
    }
}

/// All fields of an event, one after the other.
struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        // Writing to a string does not fail.
        let _ = write!(self.0, "{field} {value:?} ");
    }
}
