//! When to renew, when to try again and what to do next: pure, from what is known and the moment.
//!
//! Lifetimes shrink (90 days, 45, 6), so nothing here is a number of days: a certificate is renewed
//! inside the window that its authority suggests (RFC 9773), or when two thirds of its life are over.

use std::time::Duration;

use ponte_core::time::Timestamp;
use serde::{Deserialize, Serialize};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// Most attempts in any hour. Let's Encrypt allows five failed validations per hour, account and name
/// (its page on rate limits, read in November 2026); one stays free for the owner's own.
const ATTEMPTS_PER_HOUR_MAX: usize = 4;
/// The same where nothing is at stake; Let's Encrypt's staging allows 200.
const REHEARSALS_PER_HOUR_MAX: usize = 20;
/// The wait after the first failure; each further one waits four times as long.
const RETRY_FIRST: Duration = MINUTE;
/// The longest wait while there is time, and once a third of what was left at the renewal is gone.
const RETRY_MAX: Duration = Duration::from_secs(6 * 3600);
const RETRY_URGENT_MAX: Duration = HOUR;
/// The longest wait after a failure that cost nothing at the authority.
const RETRY_CHEAP_MAX: Duration = Duration::from_secs(600);
/// The bounds of the pause before a window is asked for again (RFC 9773, 4.3.2).
const WINDOW_PAUSE_MIN: Duration = MINUTE;
const WINDOW_PAUSE_MAX: Duration = Duration::from_secs(24 * 3600);

/// Since when and until when a certificate holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Life {
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
}

impl Life {
    /// The moment when so many thousandths of it are over.
    fn at(self, thousandths: u32) -> Timestamp {
        self.from
            .after(self.until.since(self.from) / 1000 * thousandths)
    }
}

/// When the authority would like a certificate to be renewed (RFC 9773, 4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Window {
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
}

/// When to renew. `jitter` is 0 to 999 and spreads the renewals of many.
///
/// The authority's window counts wherever it lies, but not past five sixths of the life: a window
/// that is wrong must not cost the certificate.
pub(super) fn renew_at(life: Life, window: Option<Window>, jitter: u32) -> Timestamp {
    let jitter = jitter.min(999);
    match window.filter(|window| window.start <= window.end) {
        Some(window) => {
            let within = window.end.since(window.start) / 1000 * jitter;
            window.start.after(within).min(life.at(833))
        }
        None => life.at(666 - jitter / 30),
    }
}

/// The pause before a window is asked for again, from what the authority says.
pub(super) fn window_pause(retry_after: Duration) -> Duration {
    retry_after.clamp(WINDOW_PAUSE_MIN, WINDOW_PAUSE_MAX)
}

/// What is known of the certificate for the wanted names.
#[derive(Debug, Clone, Default)]
pub(super) struct Situation {
    /// When to renew it; `None` while there is none.
    pub(super) renew_at: Option<Timestamp>,
    /// When to ask for the authority's window again.
    pub(super) ask_window_at: Option<Timestamp>,
    /// Whether the way must be walked at the rehearsal's directory first.
    pub(super) rehearse: bool,
    /// Nothing is tried before, after a failure or because the authority says so.
    pub(super) blocked_until: Option<Timestamp>,
    /// When orders were tried lately, the oldest first; those of the directory that is next.
    pub(super) attempts: Vec<Timestamp>,
}

/// What is next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Walk the way where it costs nothing.
    Rehearse,
    /// Order a certificate.
    Order,
    /// Ask when the authority would like to renew.
    AskWindow,
    /// Nothing until then.
    Wait(Timestamp),
}

/// What is next, now.
pub(super) fn next(now: Timestamp, known: &Situation) -> Step {
    if let Some(renew_at) = known.renew_at.filter(|at| *at > now) {
        return match known.ask_window_at {
            Some(ask) if ask <= now => Step::AskWindow,
            Some(ask) => Step::Wait(ask.min(renew_at)),
            None => Step::Wait(renew_at),
        };
    }
    let most = if known.rehearse {
        REHEARSALS_PER_HOUR_MAX
    } else {
        ATTEMPTS_PER_HOUR_MAX
    };
    let allowed = allowed_at(now, &known.attempts, most);
    let allowed = known.blocked_until.map_or(allowed, |at| allowed.max(at));
    match (allowed > now, known.rehearse) {
        (true, _) => Step::Wait(allowed),
        (false, true) => Step::Rehearse,
        (false, false) => Step::Order,
    }
}

/// When one more attempt is within `most` per hour.
fn allowed_at(now: Timestamp, attempts: &[Timestamp], most: usize) -> Timestamp {
    // A clock that was set back must not block for ever.
    let past = || attempts.iter().filter(|at| **at <= now);
    let index = past().count().checked_sub(most);
    let oldest = index.and_then(|index| past().nth(index));
    oldest.map_or(now, |oldest| oldest.after(HOUR).max(now))
}

/// Forgets attempts that count no more, so that the list stays short.
pub(super) fn recent(attempts: &mut Vec<Timestamp>, now: Timestamp) {
    attempts.retain(|at| *at <= now && now.since(*at) <= HOUR);
    let surplus = attempts.len().saturating_sub(2 * REHEARSALS_PER_HOUR_MAX);
    attempts.drain(..surplus);
}

/// How serious a failure is for what comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cost {
    /// It counts against no limit: the authority was not reached, or it was a rehearsal.
    Cheap,
    /// It may count.
    Counted,
}

/// The wait after so many failures in a row (1 or more). `left` is how long the certificate in use
/// still holds, and `lasts` how long it holds in all; zero both where there is none.
pub(super) fn retry_after(
    failed: u32,
    cost: Cost,
    left: Duration,
    lasts: Duration,
    jitter: u32,
) -> Duration {
    let most = match cost {
        Cost::Cheap => RETRY_CHEAP_MAX,
        Cost::Counted if left < lasts / 4 || lasts.is_zero() => RETRY_URGENT_MAX,
        // An eighth of what is left, so that the end can't come while nothing is tried.
        Cost::Counted => (left / 8).clamp(RETRY_URGENT_MAX, RETRY_MAX),
    };
    let doubled = 2 * failed.saturating_sub(1).min(8);
    let wait = (RETRY_FIRST * (1 << doubled)).min(most);
    // Up to a tenth more, so that many don't come back together.
    wait + wait / 10_000 * jitter.min(999)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);
    const START: Timestamp = Timestamp(1_795_996_800_000_000);

    fn life(lasts: Duration) -> Life {
        Life {
            from: START,
            until: START.after(lasts),
        }
    }

    #[test]
    fn a_renewal_follows_the_lifetime_whatever_it_is() {
        // Let's Encrypt's lifetimes of 2026 to 2028, and the short one.
        for (days, least, most) in [(90, 56, 60), (64, 40, 43), (45, 28, 30), (6, 3, 4)] {
            let lasts = DAY * days;
            let early = renew_at(life(lasts), None, 999).since(START);
            let late = renew_at(life(lasts), None, 0).since(START);
            assert!(early >= DAY * least && late <= DAY * most, "{days} days");
            assert!(early < late);
        }
    }

    #[test]
    fn the_authoritys_window_counts_unless_it_is_too_late() {
        let life = life(DAY * 90);
        let window = |start, end| {
            Some(Window {
                start: START.after(DAY * start),
                end: START.after(DAY * end),
            })
        };
        let day = |window, jitter| renew_at(life, window, jitter).since(START).as_secs() / 86_400;
        assert_eq!(day(window(50, 52), 0), 50);
        assert_eq!(day(window(50, 52), 999), 51);
        // After a mishap at the authority the window lies in the past: now.
        assert_eq!(day(window(0, 0), 500), 0);
        assert_eq!(day(window(100, 200), 0), 74);
        // One that ends before it begins says nothing.
        assert_eq!(day(window(52, 50), 0), 59);
    }

    #[test]
    fn the_first_certificate_is_rehearsed_then_ordered() {
        let known = Situation {
            rehearse: true,
            ..Situation::default()
        };
        assert_eq!(next(START, &known), Step::Rehearse);
        assert_eq!(next(START, &Situation::default()), Step::Order);
    }

    #[test]
    fn a_good_certificate_waits_for_its_window_and_its_renewal() {
        let (soon, later) = (START.after(DAY), START.after(2 * DAY));
        let known = |renew_at, ask_window_at| Situation {
            renew_at: Some(renew_at),
            ask_window_at,
            ..Situation::default()
        };
        assert_eq!(next(START, &known(soon, None)), Step::Wait(soon));
        assert_eq!(next(START, &known(later, Some(soon))), Step::Wait(soon));
        assert_eq!(next(START, &known(soon, Some(later))), Step::Wait(soon));
        assert_eq!(next(START, &known(soon, Some(START))), Step::AskWindow);
        assert_eq!(next(soon, &known(soon, Some(START))), Step::Order);
    }

    #[test]
    fn what_the_authority_forbids_is_not_tried() {
        let until = START.after(HOUR);
        let known = Situation {
            blocked_until: Some(until),
            ..Situation::default()
        };
        assert_eq!(next(START, &known), Step::Wait(until));
        assert_eq!(next(until, &known), Step::Order);
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_block() {
        let known = Situation {
            attempts: vec![START.after(DAY * 400); 9],
            ..Situation::default()
        };
        assert_eq!(next(START, &known), Step::Order);
    }

    /// Fails at every attempt until `end`, restarting after some of them; the moments of all attempts.
    fn failing(
        rehearse: bool,
        restarts: &[bool],
        life: Option<Life>,
        end: Timestamp,
    ) -> Vec<Timestamp> {
        let mut known = Situation {
            rehearse,
            ..Situation::default()
        };
        let (mut now, mut all, mut failed) = (START, Vec::new(), 0);
        while now < end {
            match next(now, &known) {
                Step::Wait(until) => {
                    assert!(until > now, "a wait of nothing would never end");
                    now = until;
                }
                Step::Order | Step::Rehearse => {
                    all.push(now);
                    known.attempts.push(now);
                    recent(&mut known.attempts, now);
                    failed += 1;
                    let left = life.map_or(Duration::ZERO, |life| life.until.since(now));
                    let lasts = life.map_or(Duration::ZERO, |life| life.until.since(life.from));
                    let wait = retry_after(failed, Cost::Counted, left, lasts, 0);
                    known.blocked_until = Some(now.after(wait));
                    if restarts[all.len() % restarts.len()] {
                        known.blocked_until = None;
                        failed = 0;
                    }
                    now = now.after(Duration::from_secs(1));
                }
                Step::AskWindow => unreachable!("no window was spoken of"),
            }
        }
        all
    }

    proptest! {
        /// Whoever lets a supervisor restart Ponte in a loop stays within the authority's limits.
        #[test]
        fn no_hour_has_too_many_attempts(
            rehearse: bool,
            restarts in prop::collection::vec(any::<bool>(), 1..20),
        ) {
            let all = failing(rehearse, &restarts, None, START.after(DAY));
            let most = if rehearse { REHEARSALS_PER_HOUR_MAX } else { ATTEMPTS_PER_HOUR_MAX };
            for window in all.windows(most + 1) {
                prop_assert!(window[most].since(window[0]) >= HOUR, "{window:?}");
            }
            prop_assert!(all.len() >= 20, "{} attempts in a day without a certificate", all.len());
        }

        /// Whatever the lifetime and the window, there is time to try again and again.
        #[test]
        fn a_renewal_leaves_time_to_fail(
            hours in 24_u32..24 * 400,
            window in prop::option::of((-400_i64..800, 0_i64..100)),
            jitter in 0_u32..1000,
        ) {
            let lasts = HOUR * hours;
            let life = life(lasts);
            let window = window.map(|(start, days)| {
                let start = Timestamp(START.0 + start * 86_400_000_000);
                Window { start, end: start.after(DAY * u32::try_from(days).unwrap()) }
            });
            let at = renew_at(life, window, jitter);
            prop_assert!(life.until.since(at) >= lasts / 6);
            let begun = at.max(START);
            let shifted = Life { from: START.before(begun.since(START)), until: START.after(life.until.since(begun)) };
            let attempts = failing(false, &[false], Some(shifted), shifted.until);
            prop_assert!(attempts.len() >= 5, "{} attempts", attempts.len());
            let left = shifted.until.since(*attempts.last().unwrap());
            prop_assert!(left <= 2 * HOUR, "the last attempt was {left:?} before the end");
        }

        #[test]
        fn waits_grow_and_stay_bounded(failed in 1_u32..100, jitter in 0_u32..1000) {
            let wait = |failed| retry_after(failed, Cost::Counted, DAY * 30, DAY * 90, jitter);
            prop_assert!(wait(failed) <= wait(failed + 1));
            prop_assert!(wait(failed) >= RETRY_FIRST && wait(failed) <= RETRY_MAX * 11 / 10);
            let urgent = retry_after(failed, Cost::Counted, DAY, DAY * 90, jitter);
            prop_assert!(urgent <= RETRY_URGENT_MAX * 11 / 10);
            let cheap = retry_after(failed, Cost::Cheap, DAY * 30, DAY * 90, jitter);
            prop_assert!(cheap <= RETRY_CHEAP_MAX * 11 / 10);
        }
    }
}
