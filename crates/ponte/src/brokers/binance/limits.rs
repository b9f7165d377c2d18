//! The exchange's limits: what has been used, and until when nothing may be sent.
//!
//! The numbers are the exchange's own, from its headers (Binance Spot API, "Limits"; USDⓈ-M
//! Futures, "Limits"). Entries and questions leave a tenth of each limit to exits.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::code::{BANNED, TOO_MANY_REQUESTS};
use crate::brokers::Budget;

/// The share of a limit that only exits may use, in percent.
const EXIT_SHARE_PERCENT: u64 = 10;
/// The wait after a refusal that names none.
const WAIT_DEFAULT: Duration = Duration::from_secs(10);
/// The shortest ban that the exchange gives (Binance Spot API, "IP Limits").
const BAN_DEFAULT: Duration = Duration::from_secs(120);
/// The longest ban that the exchange gives: a longer wait is a mistake.
const WAIT_MAX: Duration = Duration::from_secs(3 * 24 * 60 * 60);

/// Bans are on the address that all accounts of this process share, at each host.
static BANS: Mutex<BTreeMap<String, Instant>> = Mutex::new(BTreeMap::new());

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// An order that opens a position.
    Entry,
    /// An order that leaves or protects one, or an order taken back.
    Exit,
    /// Anything else.
    Question,
}

/// What a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Counted {
    /// The weight of all requests, by address.
    Weight,
    /// Orders, by account.
    Orders,
}

impl Counted {
    const fn name(self) -> &'static str {
        match self {
            Self::Weight => "request weight",
            Self::Orders => "orders",
        }
    }
}

/// A limit as exchange info and the WebSocket API tell it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RateLimit {
    rate_limit_type: String,
    interval: String,
    interval_num: u64,
    limit: u64,
    #[serde(default)]
    count: Option<u64>,
}

/// The limits of one account.
pub(super) struct Limits {
    host: String,
    inside: Mutex<Inside>,
}

#[derive(Default)]
struct Inside {
    limits: BTreeMap<(Counted, Duration), u64>,
    used: BTreeMap<(Counted, Duration), (u64, Instant)>,
    /// Nothing is sent before.
    closed_until: Option<Instant>,
    /// No order is sent before.
    orders_until: Option<Instant>,
}

impl Limits {
    /// Limits at a host; `weight_per_minute` holds until the exchange tells.
    pub(super) fn new(host: &str, weight_per_minute: u64) -> Self {
        let minute = (Counted::Weight, Duration::from_secs(60));
        Self {
            host: host.to_owned(),
            inside: Mutex::new(Inside {
                limits: BTreeMap::from([(minute, weight_per_minute)]),
                ..Inside::default()
            }),
        }
    }

    /// Whether a request may be sent now.
    ///
    /// # Errors
    /// Until when not, and why.
    pub(super) fn permit(&self, purpose: Purpose, now: Instant) -> Result<(), String> {
        let banned = bans().get(&self.host).copied();
        if let Some(left) = banned.and_then(|until| left(until, now)) {
            return Err(format!(
                "binance has banned this address for another {left} s"
            ));
        }
        let inside = self.inside();
        if let Some(left) = inside.closed_until.and_then(|until| left(until, now)) {
            return Err(format!(
                "binance asked for fewer requests, none for another {left} s"
            ));
        }
        match purpose {
            Purpose::Exit | Purpose::Entry => {
                if let Some(left) = inside.orders_until.and_then(|until| left(until, now)) {
                    return Err(format!(
                        "binance asked for fewer orders, none for another {left} s"
                    ));
                }
            }
            Purpose::Question => {}
        }
        match purpose {
            Purpose::Exit => Ok(()),
            Purpose::Entry => inside
                .leaves_room(Counted::Weight, now)
                .and_then(|()| inside.leaves_room(Counted::Orders, now)),
            Purpose::Question => inside.leaves_room(Counted::Weight, now),
        }
    }

    /// Notes what a header says has been used (`X-MBX-USED-WEIGHT-1M`, `X-MBX-ORDER-COUNT-10S`).
    pub(super) fn note_header(&self, name: &str, value: &str, now: Instant) {
        let name = name.to_ascii_lowercase();
        let (counted, interval) = if let Some(interval) = name.strip_prefix("x-mbx-used-weight-") {
            (Counted::Weight, interval)
        } else if let Some(interval) = name.strip_prefix("x-mbx-order-count-") {
            (Counted::Orders, interval)
        } else {
            return;
        };
        let (Some(interval), Ok(count)) = (read_interval(interval), value.parse()) else {
            return;
        };
        self.inside().used.insert((counted, interval), (count, now));
    }

    /// Notes limits, and what has been used of them where that is told.
    pub(super) fn note_limits(&self, limits: &[RateLimit], now: Instant) {
        let mut inside = self.inside();
        for limit in limits {
            let counted = match limit.rate_limit_type.as_str() {
                "REQUEST_WEIGHT" => Counted::Weight,
                "ORDERS" => Counted::Orders,
                _ => continue,
            };
            let letter = limit.interval.get(..1).unwrap_or_default();
            let Some(interval) = read_interval(&format!("{}{letter}", limit.interval_num)) else {
                continue;
            };
            inside.limits.insert((counted, interval), limit.limit);
            if let Some(count) = limit.count {
                inside.used.insert((counted, interval), (count, now));
            }
        }
    }

    /// What the exchange grants, and how much of it is used.
    pub(super) fn budgets(&self, now: Instant) -> Vec<Budget> {
        let inside = self.inside();
        let budget = |((counted, per), limit): (&(Counted, Duration), &u64)| {
            let used = inside.used.get(&(*counted, *per));
            let is_fresh = |at: Instant| now.saturating_duration_since(at) < *per;
            Budget {
                what: counted.name(),
                used: used.map_or(0, |(used, at)| if is_fresh(*at) { *used } else { 0 }),
                limit: *limit,
                per: *per,
            }
        };
        inside.limits.iter().map(budget).collect()
    }

    /// Notes that the exchange refused for too many requests: `status` 429 or 418. `code` -1015 is
    /// about orders only.
    pub(super) fn note_refusal(
        &self,
        status: u16,
        code: Option<i64>,
        wait: Option<Duration>,
        now: Instant,
    ) {
        let until = |default: Duration| now + wait.unwrap_or(default).min(WAIT_MAX);
        if status == BANNED {
            bans().insert(self.host.clone(), until(BAN_DEFAULT));
        } else if code == Some(-1015) {
            self.inside().orders_until = Some(until(WAIT_DEFAULT));
        } else if status == TOO_MANY_REQUESTS {
            self.inside().closed_until = Some(until(WAIT_DEFAULT));
        }
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        // The numbers are whole between any two of its operations.
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inside {
    fn leaves_room(&self, what: Counted, now: Instant) -> Result<(), String> {
        for ((counted, interval), limit) in &self.limits {
            let Some((used, at)) = self.used.get(&(*counted, *interval)) else {
                continue;
            };
            let is_stale = now.saturating_duration_since(*at) >= *interval;
            let share = limit.saturating_mul(100 - EXIT_SHARE_PERCENT) / 100;
            if *counted == what && !is_stale && *used >= share {
                let kind = counted.name();
                return Err(format!(
                    "{used} of {limit} {kind} per {} s are used, the rest is kept for exits",
                    interval.as_secs()
                ));
            }
        }
        Ok(())
    }
}

fn bans() -> MutexGuard<'static, BTreeMap<String, Instant>> {
    BANS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whole seconds until a moment, at least 1; `None` once it has come.
fn left(until: Instant, now: Instant) -> Option<u64> {
    let left = until.saturating_duration_since(now);
    (!left.is_zero()).then(|| left.as_secs() + 1)
}

/// Reads `10s`, `1m`, `1M`, `1D`.
fn read_interval(text: &str) -> Option<Duration> {
    let letter = text.chars().last()?;
    let number: u64 = text.strip_suffix(letter)?.parse().ok()?;
    let seconds = match letter.to_ascii_lowercase() {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        'd' => 24 * 60 * 60,
        _ => return None,
    };
    Some(Duration::from_secs(number.saturating_mul(seconds)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(number: u64) -> Duration {
        Duration::from_secs(number)
    }

    #[test]
    fn the_last_tenth_is_kept_for_exits() {
        let (limits, now) = (Limits::new("a", 6_000), crate::clock::instant());
        limits.note_header("X-MBX-USED-WEIGHT-1M", "5399", now);
        assert!(limits.permit(Purpose::Entry, now).is_ok());
        limits.note_header("x-mbx-used-weight-1m", "5400", now);
        let refusal = limits.permit(Purpose::Entry, now).unwrap_err();
        assert!(refusal.contains("5400 of 6000"), "{refusal}");
        assert!(limits.permit(Purpose::Question, now).is_err());
        assert!(limits.permit(Purpose::Exit, now).is_ok());
        assert!(limits.permit(Purpose::Entry, now + seconds(60)).is_ok());
        let used = |at| limits.budgets(at).first().map(|budget| budget.used);
        assert_eq!(used(now), Some(5_400));
        assert_eq!(used(now + seconds(60)), Some(0));
    }

    #[test]
    fn order_counts_bind_entries_only() {
        let (limits, now) = (Limits::new("b", 6_000), crate::clock::instant());
        let told = r#"[{"rateLimitType":"ORDERS","interval":"SECOND","intervalNum":10,"limit":50},
            {"rateLimitType":"RAW_REQUESTS","interval":"MINUTE","intervalNum":5,"limit":61000}]"#;
        let told: Vec<RateLimit> = serde_json::from_str(told).unwrap();
        limits.note_limits(&told, now);
        limits.note_header("X-MBX-ORDER-COUNT-10S", "45", now);
        assert!(limits.permit(Purpose::Entry, now).is_err());
        assert!(limits.permit(Purpose::Question, now).is_ok());
        assert!(limits.permit(Purpose::Exit, now).is_ok());
        assert!(limits.permit(Purpose::Entry, now + seconds(10)).is_ok());
    }

    #[test]
    fn a_refusal_closes_the_account_until_it_is_over() {
        let (limits, now) = (Limits::new("c", 6_000), crate::clock::instant());
        limits.note_refusal(429, Some(-1003), Some(seconds(7)), now);
        let refusal = limits.permit(Purpose::Exit, now + seconds(6)).unwrap_err();
        assert!(refusal.contains("another 2 s"), "{refusal}");
        assert!(limits.permit(Purpose::Exit, now + seconds(7)).is_ok());
        limits.note_refusal(429, Some(-1015), None, now);
        assert!(limits.permit(Purpose::Entry, now + seconds(7)).is_err());
        assert!(limits.permit(Purpose::Question, now + seconds(7)).is_ok());
    }

    #[test]
    fn a_ban_is_on_the_address() {
        let now = crate::clock::instant();
        let (one, other) = (Limits::new("d", 6_000), Limits::new("d", 6_000));
        one.note_refusal(418, Some(-1003), None, now);
        assert!(other.permit(Purpose::Exit, now + seconds(119)).is_err());
        assert!(other.permit(Purpose::Exit, now + seconds(120)).is_ok());
        assert!(Limits::new("e", 1).permit(Purpose::Exit, now).is_ok());
    }
}
