//! The faces' clock: the one place where this crate reads the time.
#![allow(
    clippy::disallowed_methods,
    reason = "a server has to read a clock somewhere; it is read here and nowhere else"
)]

use crate::time::Micros;
use std::time::{SystemTime, UNIX_EPOCH};

/// The time now. A clock set to before 1970 reads as 1970.
pub(crate) fn now() -> Micros {
    let since_epoch = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Micros(i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX))
}

/// The moment now on the clock that only goes forward: for waits.
pub(crate) fn instant() -> tokio::time::Instant {
    tokio::time::Instant::now()
}
