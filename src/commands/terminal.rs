//! Progress on a terminal, and Ctrl-C.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::progress::{Event, Observer};

/// Set by the first Ctrl-C; the second one ends the program.
static STOP: AtomicBool = AtomicBool::new(false);

/// Bars on standard error (nothing where that is no terminal).
pub struct Terminal {
    bars: MultiProgress,
    by_name: Mutex<BTreeMap<String, ProgressBar>>,
}

impl Terminal {
    /// Starts to listen for Ctrl-C.
    pub fn start() -> Self {
        // A second handler (a test that runs two commands) is refused, and the first one still works.
        let _ = ctrlc::set_handler(|| {
            if STOP.swap(true, Ordering::SeqCst) {
                std::process::exit(130);
            }
        });
        Self { bars: MultiProgress::new(), by_name: Mutex::new(BTreeMap::new()) }
    }

    /// Removes the bars.
    pub fn clear(&self) {
        let _ = self.bars.clear();
    }

    fn bar(&self, name: &str) -> ProgressBar {
        let mut bars = self.by_name.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let new = || {
            let bar = self.bars.add(ProgressBar::new(1000));
            let style = ProgressStyle::with_template("{prefix:>8} [{bar:30}] {elapsed} {msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> "));
            bar.set_prefix(name.to_owned());
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        };
        bars.entry(name.to_owned()).or_insert_with(new).clone()
    }
}

impl Observer for Terminal {
    fn report(&self, event: Event) {
        match event {
            Event::Residual { species, iteration, residual, tolerance } => {
                let bar = self.bar(species);
                // From residual 1 to the tolerance on a logarithmic scale.
                let done = residual.max(tolerance).min(1.0).ln() / tolerance.ln();
                bar.set_position((1000.0 * done) as u64);
                bar.set_message(format!("iteration {iteration}, residual {residual:.1e} of {tolerance:.0e}"));
                tracing::debug!(species, iteration, residual, "residual");
            }
            Event::Run { index, count, what } => {
                let bar = self.bar("runs");
                bar.set_position((1000 * index / count.max(1)) as u64);
                bar.set_message(format!("{} of {count}: {what}", index + 1));
                tracing::info!(index, count, what, "run");
            }
            Event::Time { time, start, end, step } => {
                let bar = self.bar("time");
                bar.set_position((1000.0 * (time - start) / (end - start)) as u64);
                bar.set_message(format!(
                    "t = {time:.4e} of {end:.4e}, step {step:.2e} (light-crossing units)"
                ));
                tracing::debug!(time, step, "time step");
            }
            Event::Done { what, done, total } => {
                let bar = self.bar(what);
                bar.set_position((1000 * done / total.max(1)) as u64);
                bar.set_message(format!("{done} of {total}"));
            }
        }
    }

    fn stop_requested(&self) -> bool {
        STOP.load(Ordering::SeqCst)
    }
}
