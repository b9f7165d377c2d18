//! What stands behind the face: both exchanges, their prices, keys, limits, faults and listeners, behind one lock.

use super::BinanceOptions;
use super::Market;
use super::faults::Faults;
use super::futures::FuturesExchange;
use super::keys::Keys;
use super::limits::Limits;
use super::spot::SpotExchange;
use super::streams::Streams;
use crate::faces::clock;
use crate::feed::SeededFeed;
use crate::rejection::Rejection;
use crate::time::Micros;
use rust_decimal::Decimal;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::watch;

/// How often time-driven things are looked at: late events, expiring keys and countdowns.
const TIME_STEP: Duration = Duration::from_millis(10);

/// The shared state of all connections.
#[derive(Debug)]
pub(super) struct Face {
    inside: Mutex<Inside>,
    /// Becomes true when the server stops.
    pub(super) stopping: watch::Sender<bool>,
    /// How often the server pings web sockets of the spot market.
    pub(super) spot_ping: Duration,
    /// How often the server pings web sockets of the futures market.
    pub(super) futures_ping: Duration,
    feed_step: Option<Duration>,
}

/// What the lock protects.
#[derive(Debug)]
pub(super) struct Inside {
    pub(super) keys: Keys,
    pub(super) limits: Limits,
    pub(super) faults: Faults,
    pub(super) streams: Streams,
    pub(super) spot: SpotExchange,
    pub(super) futures: FuturesExchange,
    /// How far the exchange's clock is ahead of ours.
    pub(super) skew_micros: i64,
    feed: Option<SeededFeed>,
}

impl Face {
    pub(super) fn new(options: &BinanceOptions) -> Result<Face, Rejection> {
        let feed = options.feed.as_ref().map(SeededFeed::new).transpose()?;
        let feed_step = feed
            .as_ref()
            .map(|feed| Duration::from_micros(feed.step_micros().unsigned_abs()));
        let keys = Keys::new(&options.keys)?;
        let accounts = keys.accounts();
        let mut inside = Inside {
            limits: Limits::new(options.spot_limits.clone(), options.futures_limits.clone()),
            faults: Faults::new(options.fault_seed),
            streams: Streams::default(),
            spot: SpotExchange::new(options, &accounts)?,
            futures: FuturesExchange::new(options, &accounts)?,
            keys,
            skew_micros: 0,
            feed,
        };
        let now = inside.now();
        for (symbol, price) in &options.prices {
            inside.tick(None, symbol, *price, now)?;
        }
        inside.deliver(now);
        let (stopping, _) = watch::channel(false);
        Ok(Face {
            inside: Mutex::new(inside),
            stopping,
            spot_ping: options.spot_ping,
            futures_ping: options.futures_ping,
            feed_step,
        })
    }

    /// The state; none once somebody panicked while holding it: an invariant broke, and nothing it says can be
    /// trusted any more.
    pub(super) fn lock(&self) -> Option<MutexGuard<'_, Inside>> {
        self.inside.lock().ok()
    }

    /// Lets time pass and the feed tell its prices; never returns.
    pub(super) async fn run_forever(self: Arc<Self>) {
        let never = Duration::from_secs(86_400);
        let mut time = tokio::time::interval(TIME_STEP);
        let mut feed = tokio::time::interval(self.feed_step.unwrap_or(never));
        for interval in [&mut time, &mut feed] {
            interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        }
        loop {
            let from_feed = tokio::select! {
                _ = time.tick() => false,
                _ = feed.tick() => self.feed_step.is_some(),
            };
            if let Some(mut inside) = self.lock() {
                let now = inside.now();
                if from_feed {
                    inside.tick_from_feed(now);
                }
                inside.advance(now);
            }
        }
    }
}

impl Inside {
    /// The exchange's time now.
    pub(super) fn now(&self) -> Micros {
        Micros(clock::now().0.saturating_add(self.skew_micros))
    }

    /// Tells a price on one market or both, and has the feed go on from it.
    ///
    /// # Errors
    /// No market that was meant trades the symbol, or the price can't be one.
    pub(super) fn tick(
        &mut self,
        market: Option<Market>,
        symbol: &str,
        price: Decimal,
        now: Micros,
    ) -> Result<(), Rejection> {
        let outcomes = [
            (market != Some(Market::Futures)).then(|| self.spot.tick(symbol, price, now)),
            (market != Some(Market::Spot)).then(|| self.futures.tick(symbol, price, now)),
        ];
        let mut refusal = None;
        let mut taken = false;
        for outcome in outcomes.into_iter().flatten() {
            match outcome {
                Ok(()) => taken = true,
                Err(rejection) => refusal = Some(rejection),
            }
        }
        if let Some(rejection) = refusal.filter(|_| !taken) {
            return Err(rejection);
        }
        if let Some(feed) = &mut self.feed {
            feed.anchor(symbol, price, now);
        }
        Ok(())
    }

    /// Lets time act.
    fn advance(&mut self, now: Micros) {
        self.futures.advance(now);
        self.deliver(now);
        self.streams.release_due(now);
    }

    /// Sends what the exchanges have to tell to those who listen, and gives credit for fills.
    pub(super) fn deliver(&mut self, now: Micros) {
        let outboxes = [
            (
                Market::Spot,
                self.spot.take_user_events(),
                self.spot.take_public_events(),
            ),
            (
                Market::Futures,
                self.futures.take_user_events(),
                self.futures.take_public_events(),
            ),
        ];
        for (market, private, public) in outboxes {
            for event in private {
                self.streams
                    .publish_user(market, event, &mut self.faults, now);
            }
            for event in &public {
                self.streams.publish(market, event);
            }
        }
        for account in self.futures.take_ended_streams() {
            self.streams
                .drop_users(|market, own| market == Market::Futures && own == account);
        }
        for account in self.spot.take_filled_orders() {
            self.limits.count_orders(Market::Spot, &account, -1, now);
        }
    }

    fn tick_from_feed(&mut self, now: Micros) {
        let Some(feed) = &self.feed else {
            return;
        };
        let of_spot = self.spot.price_ticks();
        let of_futures = self.futures.price_ticks();
        let known: BTreeSet<(String, Decimal)> = of_spot.into_iter().chain(of_futures).collect();
        let prices: Vec<(String, Decimal)> = known
            .into_iter()
            .map(|(symbol, tick)| {
                let price = feed.price(&symbol, tick, now);
                (symbol, price)
            })
            .collect();
        for (symbol, price) in prices {
            // Each market refuses only what it doesn't trade.
            let _ = self.spot.tick(&symbol, price, now);
            let _ = self.futures.tick(&symbol, price, now);
        }
        self.deliver(now);
    }
}
