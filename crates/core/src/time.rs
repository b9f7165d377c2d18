//! Moments and spans: UTC microseconds that are passed in, never read here.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A moment in UTC, in microseconds since 1970. Shown as RFC 3339.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The start of 1970.
    pub const EPOCH: Self = Self(0);

    /// The moment `milliseconds` after the start of 1970.
    #[must_use]
    pub const fn from_milliseconds(milliseconds: i64) -> Self {
        Self(milliseconds.saturating_mul(1000))
    }

    /// Microseconds since 1970.
    #[must_use]
    pub const fn microseconds(self) -> i64 {
        self.0
    }

    /// This moment moved by a span; it stops at the last representable moment.
    #[must_use]
    pub fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(microseconds(span)))
    }

    /// This moment moved back by a span.
    #[must_use]
    pub fn before(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(microseconds(span)))
    }

    /// How long after `earlier` this is; zero when it is not after it.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// The midnight at or before this moment, by a clock that is so many seconds ahead of UTC.
    #[must_use]
    pub fn day_start(self, utc_offset_seconds: i32) -> Self {
        let offset = i64::from(utc_offset_seconds) * 1_000_000;
        let since_midnight = self.0.saturating_add(offset).rem_euclid(DAY);
        Self(self.0.saturating_sub(since_midnight))
    }

    /// Reads RFC 3339 (`2026-11-23T12:00:00Z`).
    #[must_use]
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let moment: jiff::Timestamp = text.parse().ok()?;
        Some(Self(moment.as_microsecond()))
    }
}

/// A day of 24 hours, in microseconds.
const DAY: i64 = 86_400_000_000;

fn microseconds(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(moment) => f.pad(&format!("{moment:.6}")),
            Err(_) => f.pad(&format!("{} µs", self.0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_moment_agree() {
        let moment = Timestamp::parse_rfc3339("2026-11-23T12:00:00.5Z");
        assert_eq!(
            moment.map(|m| m.to_string()),
            Some("2026-11-23T12:00:00.500000Z".to_owned())
        );
    }

    #[test]
    fn days_begin_at_midnight_of_their_clock() {
        let day = |text: &str, offset| {
            let moment = Timestamp::parse_rfc3339(text);
            moment.map(|moment| moment.day_start(offset).to_string())
        };
        for (moment, offset, start) in [
            (
                "2026-11-23T02:59:59.999999Z",
                -10_800,
                "2026-11-22T03:00:00",
            ),
            ("2026-11-23T03:00:00Z", -10_800, "2026-11-23T03:00:00"),
            ("2026-11-23T00:00:00Z", 0, "2026-11-23T00:00:00"),
            ("2026-11-22T22:30:00Z", 7_200, "2026-11-22T22:00:00"),
            ("1969-12-31T23:00:00Z", 0, "1969-12-31T00:00:00"),
        ] {
            assert_eq!(day(moment, offset), Some(format!("{start}.000000Z")));
        }
    }

    #[test]
    fn spans_do_not_run_backwards() {
        assert_eq!(Timestamp(5).since(Timestamp(9)), Duration::ZERO);
        assert_eq!(
            Timestamp(i64::MAX).after(Duration::from_secs(1)),
            Timestamp(i64::MAX)
        );
    }
}
