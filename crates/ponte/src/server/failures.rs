//! Failed requests, counted per address. A request that succeeds never comes here.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

pub(crate) use super::gate::network;

/// The span over which failures are counted; it begins with the first of them.
const SPAN: Duration = Duration::from_secs(60);
/// Most addresses that are remembered; the one that began to fail first is forgotten first.
const ADDRESSES_MAX: usize = 4096;
/// Most failures in a span, over all addresses, that are recorded in the journal: a crowd of
/// addresses can't fill a disk.
const RECORDED_MAX: u32 = 1200;

/// What a failure means for the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// The address may still fail.
    Within {
        /// Whether this failure belongs into the journal.
        recorded: bool,
    },
    /// It has failed too often.
    Limited {
        /// Whether this is the first time in the span.
        first: bool,
    },
}

/// The failures of the last minute.
pub(crate) struct Failures {
    per_span: u32,
    counted: Mutex<Counted>,
}

#[derive(Default)]
struct Counted {
    addresses: BTreeMap<IpAddr, u32>,
    /// The same addresses in the order in which their spans began.
    begun: VecDeque<(Instant, IpAddr)>,
    recorded_since: Option<Instant>,
    recorded: u32,
}

impl Failures {
    pub(crate) fn new(per_span: u32) -> Self {
        Self {
            per_span,
            counted: Mutex::default(),
        }
    }

    /// Counts a failure of an address.
    pub(crate) fn count(&self, address: IpAddr, now: Instant) -> Standing {
        let address = network(address);
        // Both collections are whole after every step, whoever panicked while holding them.
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        counted.forget(now);
        let so_far = counted.addresses.get(&address).copied();
        if so_far.is_none() {
            counted.begun.push_back((now, address));
        }
        let so_far = so_far.unwrap_or(0);
        counted.addresses.insert(address, so_far.saturating_add(1));
        assert_eq!(counted.addresses.len(), counted.begun.len());
        if so_far >= self.per_span {
            let first = so_far == self.per_span;
            return Standing::Limited { first };
        }
        let recorded = counted.may_record(now);
        Standing::Within { recorded }
    }
}

impl Counted {
    /// Forgets spans that are over, and the oldest when there is no room for another.
    fn forget(&mut self, now: Instant) {
        while let Some((since, address)) = self.begun.front() {
            let over = now.saturating_duration_since(*since) >= SPAN;
            if !over && self.begun.len() < ADDRESSES_MAX {
                break;
            }
            self.addresses.remove(address);
            self.begun.pop_front();
        }
    }

    fn may_record(&mut self, now: Instant) -> bool {
        let since = *self.recorded_since.get_or_insert(now);
        if now.saturating_duration_since(since) >= SPAN {
            self.recorded_since = Some(now);
            self.recorded = 0;
        }
        self.recorded = self.recorded.saturating_add(1);
        self.recorded <= RECORDED_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const WITHIN: Standing = Standing::Within { recorded: true };

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_is_limited_until_its_minute_is_over() {
        let failures = Failures::new(2);
        let start = crate::clock::instant();
        let mallory = address("203.0.113.7");
        assert_eq!(failures.count(mallory, start), WITHIN);
        let later = start + SPAN / 2;
        assert_eq!(failures.count(mallory, later), WITHIN);
        assert_eq!(
            failures.count(mallory, later),
            Standing::Limited { first: true }
        );
        assert_eq!(
            failures.count(mallory, later),
            Standing::Limited { first: false }
        );
        assert_eq!(failures.count(address("203.0.113.8"), later), WITHIN);
        assert_eq!(failures.count(mallory, start + SPAN), WITHIN);
    }

    #[test]
    fn one_ipv6_network_is_one_address() {
        let failures = Failures::new(1);
        let now = crate::clock::instant();
        assert_eq!(failures.count(address("2001:db8:0:1::1"), now), WITHIN);
        assert_eq!(
            failures.count(address("2001:db8:0:1:ffff::2"), now),
            Standing::Limited { first: true }
        );
        assert_eq!(failures.count(address("2001:db8:0:2::1"), now), WITHIN);
        assert_eq!(failures.count(address("::ffff:10.0.0.1"), now), WITHIN);
        assert_eq!(
            failures.count(address("10.0.0.1"), now),
            Standing::Limited { first: true }
        );
    }

    #[test]
    fn a_crowd_of_addresses_takes_bounded_room() {
        let failures = Failures::new(1);
        let now = crate::clock::instant();
        let mut recorded = 0;
        for number in 0..3 * ADDRESSES_MAX {
            let address = Ipv4Addr::from_bits(u32::try_from(number).unwrap());
            if failures.count(address.into(), now) == WITHIN {
                recorded += 1;
            }
        }
        assert_eq!(recorded, RECORDED_MAX);
        let counted = failures.counted.lock().unwrap();
        assert_eq!(counted.addresses.len(), ADDRESSES_MAX);
        assert!(!counted.addresses.contains_key(&address("0.0.0.0")));
    }
}
