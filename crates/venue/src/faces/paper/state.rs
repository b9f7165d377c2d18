//! What stands behind the face: the venue, its prices and its faults, behind one lock.

use crate::faces::clock;
use crate::fault::{FaultPlan, LiveDelivery};
use crate::feed::{FeedOptions, SeededFeed};
use crate::order::{Order, OrderRequest};
use crate::rejection::Rejection;
use crate::time::Micros;
use crate::venue::{Venue, VenueOptions};
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::watch;

/// The shared state of all connections.
#[derive(Debug)]
pub(super) struct Face {
    inside: Mutex<Inside>,
    /// Changes whenever there may be something new to report.
    pub(super) changes: watch::Sender<u64>,
    /// Becomes true when the server stops.
    pub(super) stopping: watch::Sender<bool>,
    feed_step: Option<Duration>,
}

/// What the lock protects.
#[derive(Debug)]
pub(super) struct Inside {
    pub(super) venue: Venue,
    pub(super) feed: Option<SeededFeed>,
    pub(super) faults: FaultPlan,
    pub(super) deliveries: BTreeMap<String, LiveDelivery>,
}

impl Face {
    pub(super) fn new(
        venue: VenueOptions,
        feed: Option<&FeedOptions>,
        fault_seed: u64,
    ) -> Result<Face, Rejection> {
        let feed = feed.map(SeededFeed::new).transpose()?;
        let feed_step = feed
            .as_ref()
            .map(|feed| Duration::from_micros(feed.step_micros().unsigned_abs()));
        let inside = Inside {
            venue: Venue::new(venue)?,
            feed,
            faults: FaultPlan::new(fault_seed),
            deliveries: BTreeMap::new(),
        };
        let (changes, _) = watch::channel(0);
        let (stopping, _) = watch::channel(false);
        Ok(Face {
            inside: Mutex::new(inside),
            changes,
            stopping,
            feed_step,
        })
    }

    /// The state; none once somebody panicked while holding it: an invariant broke, and nothing it says can be
    /// trusted any more.
    pub(super) fn lock(&self) -> Option<MutexGuard<'_, Inside>> {
        self.inside.lock().ok()
    }

    /// Wakes those who wait for reports.
    pub(super) fn announce(&self) {
        self.changes
            .send_modify(|version| *version = version.wrapping_add(1));
    }

    /// Tells the feed's prices at every step; never returns.
    pub(super) async fn feed_forever(self: Arc<Self>) {
        let Some(step) = self.feed_step else {
            return std::future::pending().await;
        };
        let mut steps = tokio::time::interval(step);
        steps.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        loop {
            steps.tick().await;
            if let Some(mut inside) = self.lock() {
                inside.tick_from_feed(clock::now());
            }
            self.announce();
        }
    }
}

impl Inside {
    /// Tells a price, and has the feed go on from it.
    pub(super) fn tick(
        &mut self,
        symbol: &str,
        price: Decimal,
        now: Micros,
    ) -> Result<(), Rejection> {
        self.venue.tick(symbol, price, now)?;
        if let Some(feed) = &mut self.feed {
            feed.anchor(symbol, price, now);
        }
        Ok(())
    }

    /// Places an order. With a feed, its price is told first, or goes on from the order's reference price.
    pub(super) fn place(
        &mut self,
        account: &str,
        request: OrderRequest,
        now: Micros,
    ) -> Result<Order, Rejection> {
        let symbol = request.symbol.clone();
        match (&mut self.feed, request.reference_price) {
            (None, _) => {}
            (Some(_), None) => self.tick_symbol(&symbol, now),
            (Some(_), Some(price)) => {
                let placed = self.venue.place(account, request, now);
                let was_told = self
                    .venue
                    .last_price(&symbol)
                    .is_some_and(|last| last.at == now && last.price == price);
                if let Some(feed) = self.feed.as_mut().filter(|_| was_told) {
                    feed.anchor(&symbol, price, now);
                }
                return placed;
            }
        }
        self.venue.place(account, request, now)
    }

    fn tick_from_feed(&mut self, now: Micros) {
        for symbol in self.venue.symbols_in_use() {
            self.tick_symbol(&symbol, now);
        }
    }

    fn tick_symbol(&mut self, symbol: &str, now: Micros) {
        let Some((feed, instrument)) = self.feed.as_ref().zip(self.venue.instrument(symbol)) else {
            return;
        };
        let price = feed.price(symbol, instrument.price_tick, now);
        // A symbol that can't be told a price is refused when an order names it.
        let _ = self.venue.tick(symbol, price, now);
    }
}
