//! The futures market: its exchange, its endpoints and its web socket methods.
//!
//! A seam: the exchange that trades nothing yet. `ENDPOINTS` and `METHODS` are what REST and the web socket API find.

use super::BinanceOptions;
use super::service::{Endpoint, Method};
use super::streams::{PublicEvent, UserEvent};
use crate::rejection::{RejectCode, Rejection};
use crate::time::Micros;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What REST offers.
pub(super) const ENDPOINTS: &[Endpoint] = &[];
/// What `/ws-fapi/v1` offers.
pub(super) const METHODS: &[Method] = &[];

/// The futures exchange.
#[derive(Debug)]
pub(super) struct FuturesExchange;

impl FuturesExchange {
    pub(super) fn new(
        _: &BinanceOptions,
        _: &BTreeSet<String>,
    ) -> Result<FuturesExchange, Rejection> {
        Ok(FuturesExchange)
    }

    /// Tells a price.
    ///
    /// # Errors
    /// The symbol is not traded here, or the price can't be one.
    pub(super) fn tick(&mut self, symbol: &str, _: Decimal, _: Micros) -> Result<(), Rejection> {
        let message = format!("symbol {symbol} is not traded here");
        Err(Rejection::new(RejectCode::UnknownSymbol, message))
    }

    /// Lets time pass: expiries and countdowns. Called every few milliseconds.
    pub(super) fn advance(&mut self, _: Micros) {}

    /// The symbols with their ticks, for the feed.
    pub(super) fn price_ticks(&self) -> Vec<(String, Decimal)> {
        Vec::new()
    }

    /// What private listeners have not been told yet.
    pub(super) fn take_user_events(&mut self) -> Vec<UserEvent> {
        Vec::new()
    }

    /// What public listeners have not been told yet.
    pub(super) fn take_public_events(&mut self) -> Vec<PublicEvent> {
        Vec::new()
    }

    /// Whose listen key that is.
    pub(super) fn account_of_listen_key(&self, _: &str) -> Option<String> {
        None
    }

    /// Ends the listen keys of the accounts that `chosen` picks.
    pub(super) fn expire_listen_keys(&mut self, _: impl Fn(&str) -> bool) {}

    /// All orders ever accepted, positions and balances of an account.
    pub(super) fn audit(&self, _: &str) -> Value {
        json!({})
    }
}
