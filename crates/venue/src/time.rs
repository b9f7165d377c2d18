//! The venue's time: an argument, never read from a clock.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A moment, in microseconds since 1970-01-01T00:00:00 UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Micros(pub i64);

impl Micros {
    /// This moment moved by `milliseconds`; stops at the ends of the range instead of wrapping around.
    #[must_use]
    pub fn plus_milliseconds(self, milliseconds: i64) -> Micros {
        Micros(self.0.saturating_add(milliseconds.saturating_mul(1_000)))
    }
}

impl fmt::Display for Micros {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0)
    }
}
