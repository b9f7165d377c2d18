//! Time fences: until when the exchange may still take an order that was sent.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ponte_core::id::ClientOrderId;
use ponte_core::time::Timestamp;

use super::clock::ExchangeClock;

/// What a fence allows beyond the documented limits, as look-ups lag.
const SLACK: Duration = Duration::from_secs(2);
/// How far ahead of the exchange a request's time may be (Binance Spot API, "Timing security"):
/// an earlier process's clock may have been.
const AHEAD_MAX: Duration = Duration::from_secs(1);
/// How many sent orders are remembered; the fences of older ones have passed long ago.
const SENT_MAX: usize = 10_000;

/// When orders were sent, by the exchange's clock.
pub(super) struct Fences {
    span: Duration,
    sent: Mutex<BTreeMap<ClientOrderId, Sent>>,
}

#[derive(Clone, Copy)]
struct Sent {
    first: Timestamp,
    last: Timestamp,
}

impl Fences {
    /// Fences for requests that the exchange takes within the receive window and works on for at
    /// most the processing limit.
    pub(super) fn new(receive_window: Duration, processing_limit: Duration) -> Self {
        Self {
            span: receive_window + processing_limit + SLACK,
            sent: Mutex::default(),
        }
    }

    /// Notes that an order is about to be sent with this timestamp.
    pub(super) fn raise(&self, id: ClientOrderId, at: Timestamp) {
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        if sent.len() >= SENT_MAX && !sent.contains_key(&id) {
            sent.retain(|_, sent| at < sent.last.after(self.span));
        }
        sent.entry(id)
            .and_modify(|sent| {
                // A clock that was corrected backwards makes the later sending the earlier one.
                sent.first = sent.first.min(at);
                sent.last = sent.last.max(at);
            })
            .or_insert(Sent {
                first: at,
                last: at,
            });
    }

    /// When this process first sent the order.
    pub(super) fn first_sent(&self, id: &ClientOrderId) -> Option<Timestamp> {
        let sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        sent.get(id).map(|sent| sent.first)
    }

    /// When this process last sent the order.
    pub(super) fn last_sent(&self, id: &ClientOrderId) -> Option<Timestamp> {
        let sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        sent.get(id).map(|sent| sent.last)
    }

    /// The last moment at which the exchange may still take the order. What an earlier process
    /// sent, it sent before this one started.
    pub(super) fn until(&self, id: &ClientOrderId, clock: &ExchangeClock) -> Timestamp {
        let sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        let last = sent
            .get(id)
            .map_or_else(|| clock.started_at().after(AHEAD_MAX), |sent| sent.last);
        last.after(self.span)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ponte_core::id::AlertId;

    fn id(number: u64) -> ClientOrderId {
        ClientOrderId::derive(AlertId(number), &[])
    }

    #[test]
    fn a_fence_follows_the_last_sending() {
        let fences = Fences::new(Duration::from_secs(5), Duration::from_secs(10));
        let clock = ExchangeClock::new();
        let early = Timestamp(1_000_000);
        fences.raise(id(1), early);
        fences.raise(id(1), early.after(Duration::from_secs(7)));
        assert_eq!(fences.first_sent(&id(1)), Some(early));
        let late = early.after(Duration::from_secs(7));
        assert_eq!(fences.last_sent(&id(1)), Some(late));
        assert_eq!(
            fences.until(&id(1), &clock),
            early.after(Duration::from_secs(7 + 5 + 10 + 2))
        );
    }

    #[test]
    fn an_order_of_an_earlier_process_was_sent_before_the_start() {
        let fences = Fences::new(Duration::from_secs(5), Duration::from_secs(10));
        let clock = ExchangeClock::new();
        assert_eq!(fences.first_sent(&id(1)), None);
        let until = fences.until(&id(1), &clock);
        assert!(until > clock.now().after(Duration::from_secs(17)));
    }

    #[test]
    fn what_can_still_arrive_is_not_forgotten() {
        let fences = Fences::new(Duration::from_secs(5), Duration::from_secs(10));
        let late = Timestamp(1_000_000_000);
        for number in 0..SENT_MAX as u64 {
            let at = if number % 2 == 0 { Timestamp(0) } else { late };
            fences.raise(id(number), at);
        }
        fences.raise(id(SENT_MAX as u64), late);
        assert_eq!(fences.first_sent(&id(0)), None);
        assert_eq!(fences.first_sent(&id(1)), Some(late));
    }
}
