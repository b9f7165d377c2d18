//! USDⓈ-M futures: the exchange, its REST endpoints, its web socket methods and its streams.
//!
//! [`exchange`], [`placing`], [`algo`] and [`settings`] are the exchange itself and know nothing of a wire; [`wire`],
//! [`wire_account`], [`market`] and [`events`] show it as JSON; [`parse`] reads requests; the `handlers` answer them.

mod account;
mod algo;
mod brackets;
mod candles;
mod endpoints;
mod events;
mod exchange;
mod handlers_account;
mod handlers_market;
mod handlers_orders;
mod market;
mod methods;
mod order;
mod parse;
mod placing;
mod refusal;
mod settings;
mod symbols;
#[cfg(test)]
mod tests;
mod wire;
mod wire_account;

pub(super) use endpoints::ENDPOINTS;
pub(super) use exchange::FuturesExchange;
pub(super) use methods::METHODS;

use super::BinanceOptions;
use super::streams::{PublicEvent, UserEvent};
use crate::faces::clock;
use crate::fill_model::FillModel;
use crate::rejection::Rejection;
use crate::time::Micros;
use exchange::FuturesOptions;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What the face asks of the exchange.
impl FuturesExchange {
    /// The exchange with its accounts, as the options want it. Commissions are Binance's usual ones.
    ///
    /// # Errors
    /// The fill model makes no sense, or an account's name can't be one.
    pub(super) fn new(
        options: &BinanceOptions,
        accounts: &BTreeSet<String>,
    ) -> Result<FuturesExchange, Rejection> {
        let rehearsal = FuturesOptions::rehearsal();
        let in_usdt = options
            .futures_balances
            .iter()
            .filter(|(asset, _)| asset == "USDT");
        let options = FuturesOptions {
            fill_model: FillModel {
                maker_fee_bps: rehearsal.fill_model.maker_fee_bps,
                taker_fee_bps: rehearsal.fill_model.taker_fee_bps,
                ..options.fill_model.clone()
            },
            starting_balance: in_usdt.map(|(_, amount)| *amount).sum(),
            ..rehearsal
        };
        let now = clock::now();
        let mut exchange = FuturesExchange::with_options(options, now)?;
        for account in accounts {
            exchange.open_account(account, now)?;
        }
        Ok(exchange)
    }

    /// The symbols with their ticks, for the feed.
    pub(super) fn price_ticks(&self) -> Vec<(String, Decimal)> {
        let symbols = self.symbols.values();
        symbols
            .map(|rules| (rules.symbol.clone(), rules.price_tick))
            .collect()
    }

    /// What private listeners have not been told yet.
    pub(super) fn take_user_events(&mut self) -> Vec<UserEvent> {
        let events = self.take_events().into_iter();
        let told = events.map(|event| UserEvent {
            account: event.account,
            event: event.body,
        });
        told.collect()
    }

    /// What public listeners have not been told yet.
    pub(super) fn take_public_events(&mut self) -> Vec<PublicEvent> {
        let told = std::mem::take(&mut self.told).into_iter();
        told.map(|(stream, event)| PublicEvent { stream, event })
            .collect()
    }

    /// The accounts whose private streams have ended since the last call, to be called after their events were taken.
    pub(super) fn take_ended_streams(&mut self) -> Vec<String> {
        std::mem::take(&mut self.ended_streams)
    }

    /// Whose listen key that is.
    pub(super) fn account_of_listen_key(&self, key: &str) -> Option<String> {
        self.stream_owner(key).map(str::to_owned)
    }

    /// Ends the listen keys of the accounts that `chosen` picks, and has their streams told.
    pub(super) fn expire_listen_keys(&mut self, chosen: impl Fn(&str) -> bool, now: Micros) {
        let accounts: Vec<String> = self.accounts.keys().cloned().collect();
        for account in accounts.iter().filter(|account| chosen(account)) {
            self.expire_stream(account, now);
        }
    }

    /// All orders ever accepted, positions and balances of an account.
    pub(super) fn audit(&self, account: &str) -> Value {
        self.books_for_audit(account).unwrap_or_else(|_| json!({}))
    }
}
