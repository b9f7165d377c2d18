//! The clock of the chores: measuring is their business, so this one module reads it.

use std::time::{Duration, Instant};

/// Measures from the moment of its making.
#[derive(Clone, Copy)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts to measure.
    #[allow(
        clippy::disallowed_methods,
        reason = "the one place of the chores that reads the clock"
    )]
    pub(crate) fn start() -> Stopwatch {
        Stopwatch(Instant::now())
    }

    /// The time since the start.
    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}
