//! The only room that reads the clock; everything else is told the moment.
#![allow(clippy::disallowed_methods)]

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use ponte_core::time::Timestamp;

/// Now, by the machine's clock.
#[must_use]
pub fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// A point of the monotonic clock, for waits and for measuring spans: the one that the runtime's
/// timers go by, so that a test that stops them stops it too.
#[must_use]
pub fn instant() -> Instant {
    tokio::time::Instant::now().into_std()
}
