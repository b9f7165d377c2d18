//! The market of one embedded account: the venue, and where its prices come from.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use ponte_core::id::Symbol;
use ponte_core::message::{Fate, NotSent};
use ponte_core::order::{OrderClass, OrderPlan};
use ponte_core::time::Timestamp;
use ponte_venue::Venue;
use ponte_venue::feed::SeededFeed;
use rust_decimal::Decimal;

use super::embedded::micros;
use crate::prices::PriceFeed;

/// How old the price of an alert may be for a market order that brings none of its own.
const PRICE_AGE_MAX: Duration = Duration::from_secs(60);

/// Which price counts where an alert and the market both have one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precedence {
    /// The alert's: `prices = ["alert", "binance"]`.
    Alert,
    /// The market's: `prices = ["binance", "alert"]`.
    Market,
}

/// A market whose prices an embedded account trades at.
///
/// The venue knows one price of a symbol, which is the feed's one number: the middle between the
/// best buyer and seller. Market orders are filled at it, and stops and limits wait for it. What a
/// real order would pay beyond it (half the spread, slippage, fees) is what the fill model adds:
/// the optimistic one nothing but the rounding to the tick, which is the whole half spread where
/// that is one tick.
#[derive(Clone)]
pub struct MarketPrices {
    /// Its prices.
    pub feed: Arc<dyn PriceFeed>,
    /// Which price counts where an alert brings one too.
    pub precedence: Precedence,
}

/// The venue and its prices.
pub(super) struct Market {
    pub(super) venue: Venue,
    /// The market outside, whose prices stand before the walk's.
    pub(super) outside: Option<MarketPrices>,
    /// The invented walk.
    pub(super) feed: Option<SeededFeed>,
    /// The number of the last report that was passed on.
    pub(super) told: u64,
    /// When an alert last brought a price of a symbol.
    pub(super) alert_at: BTreeMap<Symbol, Timestamp>,
}

impl Market {
    /// Wants the market's prices of a symbol from now on.
    pub(super) fn follow(&self, symbol: &Symbol) {
        if let Some(outside) = &self.outside {
            outside.feed.follow(symbol);
        }
    }

    /// The price at which an order meets the market: `alert` is the one that it brought itself.
    pub(super) fn reference(
        &mut self,
        symbol: &Symbol,
        alert: Option<Decimal>,
        now: Timestamp,
    ) -> Option<Decimal> {
        let outside = self.outside.as_ref();
        let is_market_first = outside.is_some_and(|it| it.precedence == Precedence::Market);
        let market = self.outside_price(symbol);
        let first = if is_market_first {
            market.or(alert)
        } else {
            alert.or(market)
        };
        if first.is_some() && first == alert {
            self.alert_at.insert(symbol.clone(), now);
        }
        if let (Some(price), Some(walk)) = (first, &mut self.feed) {
            walk.anchor(symbol.as_str(), price, micros(now));
        }
        first.or_else(|| self.walk(symbol, now))
    }

    /// The market's price, if it is fresh: the middle between its best buyer and seller. What an
    /// order pays beyond it is the fill model's business.
    fn outside_price(&self, symbol: &Symbol) -> Option<Decimal> {
        Some(self.outside.as_ref()?.feed.last(symbol)?.last)
    }

    /// What the symbol costs now, without looking at an alert, the market before the walk.
    pub(super) fn quote(&self, symbol: &Symbol, now: Timestamp) -> Option<Decimal> {
        self.follow(symbol);
        let known = self
            .outside_price(symbol)
            .or_else(|| self.walk(symbol, now));
        known.or_else(|| {
            let last = self.venue.last_price(symbol.as_str())?;
            self.is_last_price_fresh(symbol, now).then_some(last.price)
        })
    }

    /// Whether the venue's last price can still be traded at, when no source has a newer one.
    fn is_last_price_fresh(&self, symbol: &Symbol, now: Timestamp) -> bool {
        let Some(last) = self.venue.last_price(symbol.as_str()) else {
            return false;
        };
        let told_at = Timestamp(last.at.0);
        // The market's own prices have an age of their own, which the feed judges.
        let is_alert = self.alert_at.get(symbol) == Some(&told_at);
        (self.outside.is_none() || is_alert) && now.since(told_at) <= PRICE_AGE_MAX
    }

    /// Moves the venue's prices of the symbols in use to where the sources stand, and with them
    /// what rests; only those in `changed`, where that is known.
    pub(super) fn move_prices(&mut self, changed: Option<&BTreeSet<Symbol>>, now: Timestamp) {
        for name in self.venue.symbols_in_use() {
            let Ok(symbol) = Symbol::new(&name) else {
                continue;
            };
            if changed.is_some_and(|changed| !changed.contains(&symbol)) {
                continue;
            }
            let outside = self.outside_price(&symbol);
            if let (Some(price), Some(walk)) = (outside, &mut self.feed) {
                walk.anchor(&name, price, micros(now));
            }
            let Some(price) = outside.or_else(|| self.walk(&symbol, now)) else {
                continue;
            };
            // A price that the venue does not take moves nothing.
            let _ = self.venue.tick(&name, price, micros(now));
        }
    }

    fn tick_size(&self, symbol: &Symbol) -> Decimal {
        self.venue
            .instrument(symbol.as_str())
            .map_or(Decimal::ZERO, |instrument| instrument.price_tick)
    }

    fn walk(&self, symbol: &Symbol, now: Timestamp) -> Option<Decimal> {
        let feed = self.feed.as_ref()?;
        Some(feed.price(symbol.as_str(), self.tick_size(symbol), micros(now)))
    }

    /// What becomes of an order for which no source has a price; `None` where it can be placed all
    /// the same. What protects a position rests without one, as it would at any broker.
    pub(super) fn without_price(&self, plan: &OrderPlan, now: Timestamp) -> Option<Fate> {
        let symbol = &plan.symbol;
        if self.is_last_price_fresh(symbol, now) {
            return None;
        }
        if self.outside.is_some() {
            let reason = format!(
                "no fresh price of {symbol} is known from the market, and a paper order is not \
                 filled at an old one; send price in the alert, or send it again once the market \
                 is heard"
            );
            return match plan.class {
                OrderClass::Entry => Some(Fate::Rejected { reason }),
                OrderClass::Exit | OrderClass::Protection if plan.kind.rests() => None,
                // It is tried again until the market is heard: a position is not left open for that.
                OrderClass::Exit | OrderClass::Protection => Some(Fate::NotSent {
                    why: NotSent::Unreachable(reason),
                }),
            };
        }
        if plan.kind.rests() {
            return None;
        }
        let last = self.venue.last_price(symbol.as_str())?;
        let reason = format!(
            "the last price of {symbol} is {} s old, and a paper order is not filled at a price \
             older than {} s; send price in the alert, or add \"binance\" or \"seeded\" to prices",
            now.since(Timestamp(last.at.0)).as_secs(),
            PRICE_AGE_MAX.as_secs()
        );
        Some(Fate::Rejected { reason })
    }
}
