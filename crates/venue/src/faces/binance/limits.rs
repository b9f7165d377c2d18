//! Rate limits: request weight for everybody, orders for each account, with the headers that tell how much is used.
//!
//! Source: Binance Spot API, "LIMITS"; Binance USDⓈ-M Futures API, "LIMITS". All clients count as one address.

use super::Market;
use super::error::ApiError;
use crate::time::Micros;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Refusals for too much weight within one window after which the address is banned.
const REFUSALS_BEFORE_BAN: u32 = 20;
/// The first ban, in seconds. (The real ones grow from two minutes to three days.)
const BAN_SECONDS: i64 = 120;

/// A span of time in which something is counted. Windows begin at multiples of their length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    name: &'static str,
    letter: char,
    count: i64,
    micros: i64,
}

const TEN_SECONDS: Span = Span {
    name: "SECOND",
    letter: 'S',
    count: 10,
    micros: 10_000_000,
};
const MINUTE: Span = Span {
    name: "MINUTE",
    letter: 'M',
    count: 1,
    micros: 60_000_000,
};
const DAY: Span = Span {
    name: "DAY",
    letter: 'D',
    count: 1,
    micros: 86_400_000_000,
};

/// The largest numbers of one market.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarketLimits {
    /// Request weight in a minute.
    pub weight_per_minute: u32,
    /// Orders of one account in ten seconds.
    pub orders_per_ten_seconds: u32,
    /// Orders of one account in the second span: a day (spot) or a minute (futures).
    pub orders_in_long_span: u32,
}

impl MarketLimits {
    /// Those of the spot market, as its documentation shows them.
    #[must_use]
    pub fn spot() -> MarketLimits {
        MarketLimits {
            weight_per_minute: 6_000,
            orders_per_ten_seconds: 50,
            orders_in_long_span: 160_000,
        }
    }

    /// Those of the futures market, as its documentation shows them.
    #[must_use]
    pub fn futures() -> MarketLimits {
        MarketLimits {
            weight_per_minute: 2_400,
            orders_per_ten_seconds: 300,
            orders_in_long_span: 1_200,
        }
    }
}

/// A count within the current window.
#[derive(Clone, Copy, Debug, Default)]
struct Counter {
    window: i64,
    used: u32,
}

impl Counter {
    fn at(&self, span: Span, now: Micros) -> u32 {
        let current = now.0.div_euclid(span.micros) == self.window;
        if current { self.used } else { 0 }
    }

    fn add(&mut self, span: Span, now: Micros, amount: i64) {
        let used = i64::from(self.at(span, now)) + amount;
        self.window = now.0.div_euclid(span.micros);
        self.used = u32::try_from(used.max(0)).unwrap_or(u32::MAX);
    }
}

#[derive(Debug)]
struct Book {
    limits: MarketLimits,
    spans: [(Span, u32); 2],
    weight: Counter,
    refusals: Counter,
    banned_until: Micros,
    orders: BTreeMap<String, [Counter; 2]>,
}

impl Book {
    fn new(limits: MarketLimits, long_span: Span) -> Book {
        Book {
            spans: [
                (TEN_SECONDS, limits.orders_per_ten_seconds),
                (long_span, limits.orders_in_long_span),
            ],
            limits,
            weight: Counter::default(),
            refusals: Counter::default(),
            banned_until: Micros(0),
            orders: BTreeMap::new(),
        }
    }
}

/// All counts.
#[derive(Debug)]
pub(super) struct Limits {
    spot: Book,
    futures: Book,
}

impl Limits {
    pub(super) fn new(spot: MarketLimits, futures: MarketLimits) -> Limits {
        Limits {
            spot: Book::new(spot, DAY),
            futures: Book::new(futures, MINUTE),
        }
    }

    /// Counts the weight of a request.
    ///
    /// # Errors
    /// -1003 with HTTP 429 once there is too much of it, with HTTP 418 for those who don't stop then.
    pub(super) fn charge(
        &mut self,
        market: Market,
        weight: u32,
        now: Micros,
    ) -> Result<(), ApiError> {
        let book = self.book_mut(market);
        if now < book.banned_until {
            return Err(banned(book.banned_until, now));
        }
        book.weight.add(MINUTE, now, i64::from(weight));
        let most = book.limits.weight_per_minute;
        if book.weight.at(MINUTE, now) <= most {
            return Ok(());
        }
        book.refusals.add(MINUTE, now, 1);
        if book.refusals.at(MINUTE, now) > REFUSALS_BEFORE_BAN {
            book.banned_until = now.plus_milliseconds(BAN_SECONDS * 1_000);
            return Err(banned(book.banned_until, now));
        }
        let rest = MINUTE.micros - now.0.rem_euclid(MINUTE.micros);
        Err(too_much_weight(most, seconds_up(rest)))
    }

    /// Takes back the weight of a request that turned out to cost nothing.
    pub(super) fn refund(&mut self, market: Market, weight: u32, now: Micros) {
        self.book_mut(market)
            .weight
            .add(MINUTE, now, -i64::from(weight));
    }

    /// Says whether the account may place so many more orders.
    ///
    /// # Errors
    /// -1015 with HTTP 429 if it may not.
    pub(super) fn check_orders(
        &self,
        market: Market,
        account: &str,
        orders: u32,
        now: Micros,
    ) -> Result<(), ApiError> {
        let book = self.book(market);
        let used = book.orders.get(account).copied().unwrap_or_default();
        for ((span, most), counter) in book.spans.iter().zip(used) {
            if orders > 0 && counter.at(*span, now) + orders > *most {
                let message = format!(
                    "Too many new orders; current limit is {most} orders per {} {}.",
                    span.count, span.name
                );
                return Err(ApiError::new(-1015, message).with_status(429));
            }
        }
        Ok(())
    }

    /// Counts orders of the account; negative numbers give credit back, as fills do on the spot market.
    pub(super) fn count_orders(&mut self, market: Market, account: &str, orders: i64, now: Micros) {
        let book = self.book_mut(market);
        let counters = book.orders.entry(account.to_owned()).or_default();
        for ((span, _), counter) in book.spans.iter().zip(counters) {
            counter.add(*span, now, orders);
        }
    }

    /// The headers that tell what is used; of orders only for an account.
    pub(super) fn headers(
        &self,
        market: Market,
        account: Option<&str>,
        now: Micros,
    ) -> Vec<(String, String)> {
        let book = self.book(market);
        let weight = book.weight.at(MINUTE, now).to_string();
        let mut headers = vec![
            ("x-mbx-used-weight".to_owned(), weight.clone()),
            ("x-mbx-used-weight-1m".to_owned(), weight),
        ];
        let Some(account) = account else {
            return headers;
        };
        let used = book.orders.get(account).copied().unwrap_or_default();
        for ((span, _), counter) in book.spans.iter().zip(used) {
            let letter = span.letter.to_ascii_lowercase();
            let name = format!("x-mbx-order-count-{}{letter}", span.count);
            headers.push((name, counter.at(*span, now).to_string()));
        }
        headers
    }

    /// The `rateLimits` of a web socket's answer: the weight, and an account's orders where it placed some.
    pub(super) fn shown(&self, market: Market, account: Option<&str>, now: Micros) -> Value {
        let book = self.book(market);
        let orders = account.map(|account| self.order_counts(market, account, now));
        let mut all = match orders {
            Some(Value::Array(orders)) => orders,
            Some(_) | None => Vec::new(),
        };
        all.push(json!({
            "rateLimitType": "REQUEST_WEIGHT", "interval": MINUTE.name, "intervalNum": MINUTE.count,
            "limit": book.limits.weight_per_minute, "count": book.weight.at(MINUTE, now),
        }));
        Value::Array(all)
    }

    /// What an account has used of its orders: `GET /api/v3/rateLimit/order`.
    pub(super) fn order_counts(&self, market: Market, account: &str, now: Micros) -> Value {
        let book = self.book(market);
        let used = book.orders.get(account).copied().unwrap_or_default();
        let counts = book.spans.iter().zip(used).map(|((span, most), counter)| {
            json!({
                "rateLimitType": "ORDERS", "interval": span.name, "intervalNum": span.count,
                "limit": most, "count": counter.at(*span, now),
            })
        });
        counts.collect()
    }

    /// The `rateLimits` of `exchangeInfo`.
    pub(super) fn rules(&self, market: Market) -> Value {
        let book = self.book(market);
        let rule = |kind: &str, span: Span, limit: u32| {
            json!({
                "rateLimitType": kind, "interval": span.name, "intervalNum": span.count, "limit": limit,
            })
        };
        let weight = rule("REQUEST_WEIGHT", MINUTE, book.limits.weight_per_minute);
        let orders = book
            .spans
            .iter()
            .map(|(span, most)| rule("ORDERS", *span, *most));
        std::iter::once(weight).chain(orders).collect()
    }

    fn book(&self, market: Market) -> &Book {
        match market {
            Market::Spot => &self.spot,
            Market::Futures => &self.futures,
        }
    }

    fn book_mut(&mut self, market: Market) -> &mut Book {
        match market {
            Market::Spot => &mut self.spot,
            Market::Futures => &mut self.futures,
        }
    }
}

/// -1003 with HTTP 429.
pub(super) fn too_much_weight(most: u32, wait_seconds: u64) -> ApiError {
    let message = format!(
        "Too much request weight used; current limit is {most} request weight per 1 MINUTE. \
         Please use WebSocket Streams for live updates to avoid polling the API."
    );
    ApiError {
        retry_after: Some(wait_seconds),
        ..ApiError::new(-1003, message).with_status(429)
    }
}

/// -1003 with HTTP 418.
pub(super) fn banned(until: Micros, now: Micros) -> ApiError {
    let message = format!(
        "Way too much request weight used; IP banned until {}. \
         Please use WebSocket Streams for live updates to avoid bans.",
        until.0.div_euclid(1_000)
    );
    ApiError {
        retry_after: Some(seconds_up(until.0 - now.0)),
        ..ApiError::new(-1003, message).with_status(418)
    }
}

fn seconds_up(micros: i64) -> u64 {
    (micros.max(0).unsigned_abs()).div_ceil(1_000_000)
}
