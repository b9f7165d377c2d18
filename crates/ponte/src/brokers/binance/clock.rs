//! The exchange's clock: the machine's monotonic clock, set by what the exchange says the time is.
//!
//! Requests are signed with it and time fences are held against it. It follows no change of the
//! machine's wall clock: an hour that the machine jumps ahead must not end a fence.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use ponte_core::time::Timestamp;

use crate::clock;

/// Stands for an offset that was never measured.
const UNKNOWN: i64 = i64::MIN;

/// A clock that shows the exchange's time.
pub(super) struct ExchangeClock {
    started: Instant,
    started_at: Timestamp,
    /// Microseconds that the exchange is ahead of the machine's clock at the start.
    offset: AtomicI64,
}

/// One look at the exchange's clock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    offset: i64,
    round_trip: Duration,
}

impl ExchangeClock {
    /// A clock that shows the machine's time until it has been set.
    pub(super) fn new() -> Self {
        Self {
            started: clock::instant(),
            started_at: clock::now(),
            offset: AtomicI64::new(UNKNOWN),
        }
    }

    /// The exchange's time, as far as it is known.
    pub(super) fn now(&self) -> Timestamp {
        let local = self.at(clock::instant());
        match self.offset.load(Ordering::Relaxed) {
            UNKNOWN => local,
            offset => Timestamp(local.0.saturating_add(offset)),
        }
    }

    /// Whether it has been set by the exchange.
    pub(super) fn is_set(&self) -> bool {
        self.offset.load(Ordering::Relaxed) != UNKNOWN
    }

    /// When this clock was made, by the exchange's time as it is known now.
    pub(super) fn started_at(&self) -> Timestamp {
        self.now()
            .before(clock::instant().duration_since(self.started))
    }

    /// How far the exchange is ahead of the machine's wall clock, in milliseconds; `None` until known.
    pub(super) fn skew_milliseconds(&self) -> Option<i64> {
        self.is_set()
            .then(|| (self.now().0 - clock::now().0) / 1_000)
    }

    /// One look: what the exchange said, and between which moments.
    pub(super) fn sample(&self, asked: Instant, answered: Instant, said: Timestamp) -> Sample {
        let round_trip = answered.saturating_duration_since(asked);
        let middle = self.at(asked).after(round_trip / 2);
        Sample {
            offset: said.0.saturating_sub(middle.0),
            round_trip,
        }
    }

    /// Sets the clock by the look with the shortest round trip, whose error is the smallest.
    pub(super) fn set(&self, samples: &[Sample]) {
        if let Some(best) = samples.iter().min_by_key(|sample| sample.round_trip) {
            self.offset.store(best.offset, Ordering::Relaxed);
        }
    }

    fn at(&self, moment: Instant) -> Timestamp {
        self.started_at
            .after(moment.saturating_duration_since(self.started))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_look_with_the_shortest_way_sets_the_clock() {
        let clock = ExchangeClock::new();
        assert!(!clock.is_set() && clock.skew_milliseconds().is_none());
        let asked = clock.started;
        let look = |round_trip: u64, ahead: u64| {
            let answered = asked + Duration::from_millis(round_trip);
            let said = clock
                .started_at
                .after(Duration::from_millis(round_trip / 2))
                .after(Duration::from_secs(ahead));
            clock.sample(asked, answered, said)
        };
        clock.set(&[look(900, 60), look(20, 5), look(400, 80)]);
        assert!(clock.is_set());
        assert_eq!(clock.offset.load(Ordering::Relaxed), 5_000_000);
        let early = clock.started_at.after(Duration::from_secs(5));
        assert!(clock.now() >= early && clock.started_at() >= early);
    }

    #[test]
    fn no_look_changes_nothing() {
        let clock = ExchangeClock::new();
        clock.set(&[]);
        assert!(!clock.is_set());
    }
}
