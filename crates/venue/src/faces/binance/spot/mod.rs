//! The spot market: its exchange without input or output, its endpoints and its web socket methods.

mod symbols;

use super::BinanceOptions;
use super::service::{Endpoint, Method};
use super::streams::{PublicEvent, UserEvent};
use crate::rejection::Rejection;
use crate::time::Micros;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use symbols::SpotSymbol;

/// What REST offers.
pub(super) const ENDPOINTS: &[Endpoint] = &[];
/// What `/ws-api/v3` offers.
pub(super) const METHODS: &[Method] = &[];

/// The spot exchange.
#[derive(Debug)]
pub(super) struct SpotExchange {
    symbols: BTreeMap<String, SpotSymbol>,
    prices: BTreeMap<String, Decimal>,
}

impl SpotExchange {
    pub(super) fn new(_: &BinanceOptions, _: &BTreeSet<String>) -> Result<SpotExchange, Rejection> {
        Ok(SpotExchange {
            symbols: SpotSymbol::all()
                .into_iter()
                .map(|symbol| (symbol.name.to_owned(), symbol))
                .collect(),
            prices: BTreeMap::new(),
        })
    }

    pub(super) fn tick(
        &mut self,
        symbol: &str,
        price: Decimal,
        _: Micros,
    ) -> Result<(), Rejection> {
        self.prices.insert(symbol.to_owned(), price);
        Ok(())
    }

    pub(super) fn price_ticks(&self) -> Vec<(String, Decimal)> {
        self.symbols
            .values()
            .map(|symbol| (symbol.name.to_owned(), symbol.tick))
            .collect()
    }

    pub(super) fn take_user_events(&mut self) -> Vec<UserEvent> {
        Vec::new()
    }

    pub(super) fn take_public_events(&mut self) -> Vec<PublicEvent> {
        Vec::new()
    }

    /// The accounts of orders that were filled since the last call, each once for every order.
    pub(super) fn take_filled_orders(&mut self) -> Vec<String> {
        Vec::new()
    }

    pub(super) fn audit(&self, _: &str) -> Value {
        json!({})
    }
}
