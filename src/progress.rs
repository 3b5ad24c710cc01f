//! How long computations tell their caller where they are, and learn that they should stop.

/// What a computation reports.
#[derive(Debug, Clone, PartialEq)]
pub enum Event<'a> {
    /// Residual of a species' linear system, relative, and the tolerance that it has to reach.
    Residual { species: &'a str, iteration: usize, residual: f64, tolerance: f64 },
    /// Run number `index` of `count` begins.
    Run { index: usize, count: usize, what: &'a str },
    /// An evolution has reached `time` of `end` with the step `step` (internal units).
    Time { time: f64, start: f64, end: f64, step: f64 },
    /// `done` of `total` equal parts of `what` are complete.
    Done { what: &'a str, done: usize, total: usize },
}

/// Receives reports; shared by threads.
pub trait Observer: Sync {
    /// Called often; has to be quick.
    fn report(&self, event: Event);
    /// Whether the user wants the computation to stop.
    fn stop_requested(&self) -> bool;
}

/// Says nothing and never stops.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    fn report(&self, _event: Event) {}

    fn stop_requested(&self) -> bool {
        false
    }
}
