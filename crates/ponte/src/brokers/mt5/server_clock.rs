//! How far the trade server's clock is from UTC: deals and orders carry the server's time, which has no zone.

use ponte_core::time::Timestamp;

/// Servers stand in a time zone: their offset is a multiple of so many milliseconds.
const ZONE_STEP_MILLISECONDS: i64 = 15 * 60 * 1000;
/// No zone is farther from UTC.
const OFFSET_MILLISECONDS_MAX: i64 = 14 * 60 * 60 * 1000;

/// What has been seen of the server's clock.
///
/// The only sight of it is the newest tick, which may be of last Friday. So the offset is measured
/// only at a moment when the newest tick has just become newer: then it is seconds old.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ServerClock {
    newest_tick: i64,
    offset: Option<i64>,
}

impl ServerClock {
    /// Notes the newest tick's time, in milliseconds of the server's clock, as it was heard now.
    pub(super) fn note(&mut self, tick_milliseconds: i64, now: Timestamp) {
        if tick_milliseconds <= 0 {
            return;
        }
        let moved = self.newest_tick > 0 && tick_milliseconds > self.newest_tick;
        self.newest_tick = self.newest_tick.max(tick_milliseconds);
        if !moved {
            return;
        }
        let difference = tick_milliseconds.saturating_sub(now.microseconds() / 1000);
        let half = ZONE_STEP_MILLISECONDS / 2;
        let steps = (difference + half).div_euclid(ZONE_STEP_MILLISECONDS);
        let offset = steps * ZONE_STEP_MILLISECONDS;
        if offset.abs() <= OFFSET_MILLISECONDS_MAX {
            self.offset = Some(offset);
        }
    }

    /// The moment of a server's time. Without a measured offset it is when it was heard; never later
    /// than that.
    pub(super) fn utc(&self, server_milliseconds: i64, heard_at: Timestamp) -> Timestamp {
        match self.offset {
            Some(offset) if server_milliseconds > 0 => {
                Timestamp::from_milliseconds(server_milliseconds.saturating_sub(offset))
                    .min(heard_at)
            }
            Some(_) | None => heard_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 60 * 60 * 1000;

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_milliseconds(milliseconds)
    }

    #[test]
    fn a_moving_tick_tells_the_zone() {
        let mut clock = ServerClock::default();
        let now = 1_800_000_000_000;
        assert_eq!(
            clock.utc(now + 3 * HOUR, at(now)),
            at(now),
            "not measured yet"
        );
        clock.note(now + 3 * HOUR - 900, at(now));
        clock.note(now + 3 * HOUR + 4_000, at(now + 5_000));
        assert_eq!(
            clock.utc(now + 3 * HOUR + 1_000, at(now + 5_000)),
            at(now + 1_000)
        );
        assert_eq!(
            clock.utc(now + 4 * HOUR, at(now + 5_000)),
            at(now + 5_000),
            "never later than it was heard"
        );
    }

    #[test]
    fn a_tick_that_stands_still_tells_nothing() {
        let mut clock = ServerClock::default();
        let friday = 1_800_000_000_000;
        let sunday = friday + 40 * HOUR;
        clock.note(friday, at(sunday));
        clock.note(friday, at(sunday + 5_000));
        clock.note(0, at(sunday + 6_000));
        assert_eq!(clock.utc(friday, at(sunday)), at(sunday));
        // The first tick after a week's end tells it again.
        clock.note(sunday + 2 * HOUR, at(sunday));
        assert_eq!(clock.utc(friday + 2 * HOUR, at(sunday)), at(friday));
    }
}
