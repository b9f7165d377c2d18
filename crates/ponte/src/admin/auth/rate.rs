//! How many requests there may be in a minute: of an address, of a session, of a token, and on record.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const SPAN: Duration = Duration::from_secs(60);
/// Most keys that are remembered; when they are reached, all whose minute is over are forgotten, and if
/// there are none, the count begins anew for all.
const KEYS_MAX: usize = 4096;

/// A number per key and minute.
pub(super) struct Rate<K> {
    per_minute: u32,
    counted: Mutex<BTreeMap<K, (Instant, u32)>>,
}

impl<K: Ord> Rate<K> {
    pub(super) fn new(per_minute: u32) -> Self {
        Self {
            per_minute,
            counted: Mutex::default(),
        }
    }

    /// Counts one; the error is how long to wait.
    pub(super) fn count(&self, key: K, now: Instant) -> Result<(), Duration> {
        // The map is whole after every step, whoever panicked while holding it.
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        if counted.len() >= KEYS_MAX && !counted.contains_key(&key) {
            counted.retain(|_, (since, _)| now.saturating_duration_since(*since) < SPAN);
            if counted.len() >= KEYS_MAX {
                counted.clear();
            }
        }
        let (since, count) = counted.entry(key).or_insert((now, 0));
        if now.saturating_duration_since(*since) >= SPAN {
            (*since, *count) = (now, 0);
        }
        *count = count.saturating_add(1);
        if *count <= self.per_minute {
            return Ok(());
        }
        Err(SPAN.saturating_sub(now.saturating_duration_since(*since)))
    }
}

/// What strangers make happen goes on record so many times a minute; the rest is counted and told with
/// the next.
pub(super) struct Quota {
    per_minute: u32,
    state: Mutex<QuotaState>,
}

#[derive(Default)]
struct QuotaState {
    since: Option<Instant>,
    count: u32,
    left_out: u64,
}

impl Quota {
    pub(super) fn new(per_minute: u32) -> Self {
        Self {
            per_minute,
            state: Mutex::default(),
        }
    }

    /// Whether one more may go on record, and how many did not since the last that did.
    pub(super) fn take(&self, now: Instant) -> Option<u64> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let over = |since: Instant| now.saturating_duration_since(since) >= SPAN;
        if state.since.is_none_or(over) {
            state.since = Some(now);
            state.count = 0;
        }
        if state.count >= self.per_minute {
            state.left_out = state.left_out.saturating_add(1);
            return None;
        }
        state.count += 1;
        Some(std::mem::take(&mut state.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    #[test]
    fn a_key_has_its_number_in_a_minute() {
        let rate = Rate::new(2);
        let now = clock::instant();
        assert_eq!(rate.count("a", now), Ok(()));
        assert_eq!(rate.count("a", now), Ok(()));
        let later = now + SPAN / 4;
        assert_eq!(rate.count("a", later), Err(SPAN * 3 / 4));
        assert_eq!(rate.count("b", later), Ok(()));
        assert_eq!(rate.count("a", now + SPAN), Ok(()));
    }

    #[test]
    fn keys_take_bounded_room() {
        let rate = Rate::new(1);
        let now = clock::instant();
        for key in 0..3 * KEYS_MAX {
            assert_eq!(rate.count(key, now), Ok(()));
        }
        assert!(rate.counted.lock().unwrap().len() <= KEYS_MAX);
    }

    #[test]
    fn what_is_left_out_is_told_later() {
        let quota = Quota::new(2);
        let now = clock::instant();
        let taken: Vec<_> = (0..5).map(|_| quota.take(now)).collect();
        assert_eq!(taken, [Some(0), Some(0), None, None, None]);
        assert_eq!(quota.take(now + SPAN), Some(3));
        assert_eq!(quota.take(now + SPAN), Some(0));
    }
}
