//! Whether the stream of an account's reports lives, and when it was last heard.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::brokers::Reports;
use crate::clock;

/// The life of a stream.
pub(super) struct Pulse(Mutex<Beat>);

enum Beat {
    Up {
        since: Instant,
        heard: Option<Instant>,
    },
    Down(String),
}

impl Pulse {
    /// A stream that has not begun.
    pub(super) fn new() -> Self {
        Self(Mutex::new(Beat::Down(
            "it has not been opened yet".to_owned(),
        )))
    }

    /// It is up.
    pub(super) fn up(&self) {
        let since = clock::instant();
        *self.beat() = Beat::Up { since, heard: None };
    }

    /// It has said something.
    pub(super) fn heard(&self) {
        if let Beat::Up { heard, .. } = &mut *self.beat() {
            *heard = Some(clock::instant());
        }
    }

    /// It is down.
    pub(super) fn down(&self, why: &str) {
        *self.beat() = Beat::Down(why.to_owned());
    }

    /// How it is.
    pub(super) fn reports(&self) -> Reports {
        let now = clock::instant();
        match &*self.beat() {
            Beat::Up { since, heard } => Reports::Streamed {
                up_for: now.saturating_duration_since(*since),
                heard_ago: heard.map(|heard| now.saturating_duration_since(heard)),
            },
            Beat::Down(why) => Reports::Down(why.clone()),
        }
    }

    fn beat(&self) -> MutexGuard<'_, Beat> {
        // It is whole between any two of its operations.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
