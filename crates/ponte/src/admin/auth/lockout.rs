//! Failed sign-ins and what they cost: a wait that doubles, has a longest, and ends by itself.
//!
//! Three things are counted:
//!
//! * **The address** (of an IPv6 host its /64): five failures are free, then 1 s, 2 s, 4 s, up to 15
//!   minutes.
//! * **The name**, over all addresses: ten are free, then 1 s, 2 s, up to one minute. A crowd of addresses
//!   guesses at most once a minute, and a stranger who fails in the owner's name costs the owner a minute
//!   at most, at a browser that was never signed in before.
//! * **A browser that has signed in before** carries a mark that strangers don't have: it is counted by
//!   itself, as an address is, and what strangers do to its address or name doesn't concern it.
//!
//! The second factor is counted by itself, for everybody alike, since who comes so far knows the password.
//! Sessions that are under way are never touched. A name that nobody has is counted like any other, so
//! that the answers don't tell which there are.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::digest;
use crate::server::network;

/// After so long without a failure nothing is remembered.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(3600);
/// Most entries of one kind; the one that failed longest ago is forgotten first.
const ENTRIES_MAX: usize = 4096;
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// What failures cost.
struct Price {
    free: u32,
    longest: Duration,
}

const ADDRESS: Price = Price {
    free: 5,
    longest: Duration::from_secs(15 * 60),
};
const NAME: Price = Price {
    free: 10,
    longest: Duration::from_secs(60),
};
const SECOND_FACTOR: Price = Price {
    free: 5,
    longest: Duration::from_secs(15 * 60),
};

/// Who tries to sign in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attempt<'a> {
    /// From where.
    pub(super) address: IpAddr,
    /// The name, as it was typed.
    pub(super) name: &'a str,
    /// Whether there is such a user.
    pub(super) exists: bool,
    /// What the browser carries, if the user has signed in with it before.
    pub(super) device: Option<&'a str>,
}

/// An attempt may be made, and is taken for a failure until it succeeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Allowed {
    /// How long the next one has to wait if this one fails, where that is news: the first wait, and the
    /// longest.
    pub(super) news: Option<Duration>,
}

/// How long to wait before the next attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wait(pub(super) Duration);

/// What an entry is about. Names are held as hashes: people type passwords into the wrong field.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Address(IpAddr),
    User(String),
    /// A name that nobody has: these are forgotten before a user's.
    Nobody(String),
    Device(String),
    SecondFactor(String),
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    failures: u32,
    /// When the next attempt may be made.
    open_at: Instant,
    last: Instant,
}

/// The failures of the last hour.
#[derive(Default)]
pub(super) struct Lockout {
    entries: Mutex<BTreeMap<Key, Entry>>,
}

impl Lockout {
    /// Asks whether an attempt may be made now, and counts it as a failure until [`Self::succeeded`]:
    /// else many at a time would all be let through.
    pub(super) fn begin(&self, attempt: &Attempt<'_>, now: Instant) -> Result<Allowed, Wait> {
        self.count(&keys(attempt), now)
    }

    /// The password was right.
    pub(super) fn succeeded(&self, attempt: &Attempt<'_>) {
        let mut entries = self.entries();
        for (key, _) in keys(attempt) {
            match key {
                // Else a user of one's own would make guessing at another's free again and again.
                Key::Address(_) => forgive_one(&mut entries, &key),
                Key::User(_) | Key::Nobody(_) | Key::Device(_) | Key::SecondFactor(_) => {
                    entries.remove(&key);
                }
            }
        }
    }

    /// The same as [`Self::begin`] for a user's second factor.
    pub(super) fn begin_second_factor(&self, user: &str, now: Instant) -> Result<Allowed, Wait> {
        let key = Key::SecondFactor(user.to_owned());
        self.count(&[(key, &SECOND_FACTOR)], now)
    }

    /// The code was right.
    pub(super) fn second_factor_succeeded(&self, user: &str) {
        self.entries().remove(&Key::SecondFactor(user.to_owned()));
    }

    /// Somebody on the machine lets a user in again: whoever waits needn't.
    pub(super) fn clear(&self) {
        self.entries().clear();
    }

    fn count(&self, keys: &[(Key, &Price)], now: Instant) -> Result<Allowed, Wait> {
        let mut entries = self.entries();
        entries.retain(|_, entry| now.saturating_duration_since(entry.last) < FORGOTTEN_AFTER);
        let waits = keys.iter().filter_map(|(key, _)| entries.get(key));
        let waits = waits.map(|entry| entry.open_at.saturating_duration_since(now));
        let longest = waits.max().unwrap_or_default();
        if !longest.is_zero() {
            return Err(Wait(longest));
        }
        let mut news = None;
        for (key, price) in keys {
            make_room(&mut entries, key);
            let entry = entries.entry(key.clone()).or_insert(Entry {
                failures: 0,
                open_at: now,
                last: now,
            });
            entry.failures = entry.failures.saturating_add(1);
            entry.last = now;
            let wait = price.after(entry.failures);
            entry.open_at = now.checked_add(wait).unwrap_or(now);
            let before = price.after(entry.failures - 1);
            if wait > before && (before.is_zero() || wait == price.longest) {
                news = news.max(Some(wait));
            }
        }
        Ok(Allowed { news })
    }

    fn entries(&self) -> std::sync::MutexGuard<'_, BTreeMap<Key, Entry>> {
        // The map is whole after every step, whoever panicked while holding it.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Price {
    /// How long to wait after so many failures.
    fn after(&self, failures: u32) -> Duration {
        let Some(doublings) = failures.checked_sub(self.free + 1) else {
            return Duration::ZERO;
        };
        let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
        FIRST_WAIT.saturating_mul(factor).min(self.longest)
    }
}

/// What an attempt counts for.
fn keys(attempt: &Attempt<'_>) -> Vec<(Key, &'static Price)> {
    if let Some(device) = attempt.device {
        return vec![(Key::Device(digest(device)), &ADDRESS)];
    }
    let name = digest(&attempt.name.trim().to_lowercase());
    let name = if attempt.exists {
        Key::User(name)
    } else {
        Key::Nobody(name)
    };
    vec![
        (Key::Address(network(attempt.address)), &ADDRESS),
        (name, &NAME),
    ]
}

fn forgive_one(entries: &mut BTreeMap<Key, Entry>, key: &Key) {
    if let Some(entry) = entries.get_mut(key) {
        entry.failures = entry.failures.saturating_sub(1);
        entry.open_at = entry.last;
    }
}

/// Forgets what failed longest ago, among entries of the same kind, when there is no room for another.
fn make_room(entries: &mut BTreeMap<Key, Entry>, wanted: &Key) {
    if entries.contains_key(wanted) {
        return;
    }
    let kind = std::mem::discriminant(wanted);
    let same_kind = entries.iter();
    let same_kind = same_kind.filter(|(key, _)| std::mem::discriminant(*key) == kind);
    if same_kind.clone().count() < ENTRIES_MAX {
        return;
    }
    let oldest = same_kind.min_by_key(|(_, entry)| entry.last);
    if let Some(key) = oldest.map(|(key, _)| key.clone()) {
        entries.remove(&key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    const MALLORY: &str = "203.0.113.66";
    const OWNER: &str = "198.51.100.7";

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    fn attempt<'a>(address: &str, name: &'a str, device: Option<&'a str>) -> Attempt<'a> {
        Attempt {
            address: address.parse().unwrap(),
            name,
            exists: ["ana", "eva"].contains(&name),
            device,
        }
    }

    #[test]
    fn an_address_waits_twice_as_long_each_time_and_never_for_ever() {
        let lockout = Lockout::default();
        let mut now = clock::instant();
        let mut waits = Vec::new();
        for number in 0..18 {
            // A new name each time, so that only the address counts.
            let name = format!("guess{number}");
            let attempt = attempt(MALLORY, &name, None);
            if let Err(Wait(wait)) = lockout.begin(&attempt, now) {
                waits.push(wait.as_secs());
                now += wait;
                assert!(lockout.begin(&attempt, now).is_ok());
            }
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
        let other = attempt(OWNER, "somebody", None);
        assert!(lockout.begin(&other, now).is_ok());
        now += FORGOTTEN_AFTER;
        let again = attempt(MALLORY, "guess", None);
        for _ in 0..ADDRESS.free {
            assert!(lockout.begin(&again, now).is_ok());
        }
    }

    #[test]
    fn a_crowd_that_fails_in_the_owners_name_costs_the_owner_a_minute() {
        for name in ["ana", "nobody-has-this-name"] {
            let lockout = Lockout::default();
            let mut now = clock::instant();
            let mut longest = Duration::ZERO;
            for number in 0..40 {
                let address = format!("203.0.113.{number}");
                let attempt = attempt(&address, name, None);
                if let Err(Wait(wait)) = lockout.begin(&attempt, now) {
                    longest = longest.max(wait);
                    now += wait;
                    assert!(lockout.begin(&attempt, now).is_ok());
                }
            }
            assert_eq!(longest, NAME.longest, "{name}");
            let Err(Wait(wait)) = lockout.begin(&attempt(OWNER, name, None), now) else {
                panic!("the name waits");
            };
            assert!(wait <= NAME.longest);
            let known = attempt(OWNER, name, Some("a mark of this browser"));
            assert!(
                lockout.begin(&known, now).is_ok(),
                "a known browser doesn't"
            );
            now += wait;
            assert!(lockout.begin(&attempt(OWNER, name, None), now).is_ok());
        }
    }

    #[test]
    fn a_known_browser_is_counted_by_itself() {
        let lockout = Lockout::default();
        let now = clock::instant();
        let known = attempt(MALLORY, "ana", Some("mark"));
        for _ in 0..=ADDRESS.free {
            assert!(lockout.begin(&known, now).is_ok());
        }
        assert_eq!(lockout.begin(&known, now), Err(Wait(FIRST_WAIT)));
        assert!(lockout.begin(&attempt(MALLORY, "ana", None), now).is_ok());
        lockout.succeeded(&known);
        assert!(lockout.begin(&known, now).is_ok());
    }

    #[test]
    fn a_success_forgets_the_name_and_forgives_the_address_one() {
        let lockout = Lockout::default();
        let now = clock::instant();
        for name in ["ana", "ana", "ana", "ana", "eva"] {
            assert!(lockout.begin(&attempt(MALLORY, name, None), now).is_ok());
        }
        lockout.succeeded(&attempt(MALLORY, "eva", None));
        let guess = attempt(MALLORY, "ana", None);
        assert!(lockout.begin(&guess, now).is_ok());
        assert!(lockout.begin(&guess, now).is_ok());
        assert_eq!(lockout.begin(&guess, now), Err(Wait(FIRST_WAIT)));
        lockout.clear();
        assert!(lockout.begin(&guess, now).is_ok());
    }

    #[test]
    fn the_second_factor_is_counted_whoever_asks() {
        let lockout = Lockout::default();
        let mut now = clock::instant();
        for _ in 0..=SECOND_FACTOR.free {
            assert!(lockout.begin_second_factor("ana", now).is_ok());
        }
        assert_eq!(
            lockout.begin_second_factor("ana", now),
            Err(Wait(FIRST_WAIT))
        );
        assert!(lockout.begin_second_factor("eva", now).is_ok());
        now += seconds(1);
        assert!(lockout.begin_second_factor("ana", now).is_ok());
        lockout.second_factor_succeeded("ana");
        assert!(lockout.begin_second_factor("ana", now).is_ok());
    }

    #[test]
    fn the_first_wait_and_the_longest_are_news() {
        let lockout = Lockout::default();
        let mut now = clock::instant();
        let mut news = Vec::new();
        for _ in 0..20 {
            match lockout.begin_second_factor("ana", now) {
                Ok(allowed) => news.extend(allowed.news.map(|wait| wait.as_secs())),
                Err(Wait(wait)) => now += wait,
            }
        }
        assert_eq!(news, [1]);
        for _ in 0..20 {
            match lockout.begin_second_factor("ana", now) {
                Ok(allowed) => news.extend(allowed.news.map(|wait| wait.as_secs())),
                Err(Wait(wait)) => now += wait,
            }
        }
        assert_eq!(news, [1, 900]);
    }

    #[test]
    fn names_that_nobody_has_take_bounded_room_and_push_out_no_user() {
        let lockout = Lockout::default();
        let now = clock::instant();
        assert!(lockout.begin(&attempt(OWNER, "ana", None), now).is_ok());
        for number in 0..ENTRIES_MAX + 10 {
            let address = IpAddr::from(std::net::Ipv4Addr::from_bits(
                u32::try_from(number).unwrap() + (10 << 24),
            ));
            let name = format!("guess{number}");
            let attempt = Attempt {
                address,
                name: &name,
                exists: false,
                device: None,
            };
            assert!(lockout.begin(&attempt, now).is_ok());
        }
        let entries = lockout.entries.lock().unwrap();
        assert!(entries.len() <= 2 * ENTRIES_MAX + 1);
        assert!(entries.contains_key(&Key::User(digest("ana"))));
    }
}
