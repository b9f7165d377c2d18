//! When something is tried again: schedules that are pure functions of how often it was tried.

use std::time::Duration;

/// The first wait.
const FIRST: Duration = Duration::from_millis(200);
/// The longest wait between two attempts.
const LONGEST: Duration = Duration::from_secs(30);
/// The longest wait between two questions about an order: its lane's entries stand still meanwhile.
const QUESTION_LONGEST: Duration = Duration::from_secs(5);

/// The wait before the next attempt, after `attempts` of them: 0.2 s, doubled each time, at most 30 s.
#[must_use]
pub fn wait_after(attempts: u32) -> Duration {
    let doublings = attempts.saturating_sub(1).min(16);
    FIRST.saturating_mul(1 << doublings).min(LONGEST)
}

/// The wait before the broker is asked again about an order, after `questions` of them: as for
/// attempts, at most 5 s.
#[must_use]
pub fn question_after(questions: u32) -> Duration {
    wait_after(questions).min(QUESTION_LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_stop_growing() {
        let waits: Vec<_> = [0, 1, 2, 3, 8, 9, u32::MAX]
            .map(|n| wait_after(n).as_millis())
            .into();
        assert_eq!(waits, [200, 200, 400, 800, 25_600, 30_000, 30_000]);
    }
}
