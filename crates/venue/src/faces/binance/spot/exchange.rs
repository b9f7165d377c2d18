//! The spot exchange: accounts with their wallets, orders, lists and prices over one matching venue. Pure: no input or
//! output, the time is an argument.

use super::candles::Candles;
use super::order::{OrderList, SpotOrder, Status};
use super::symbols::SpotSymbol;
use super::wallet::Wallet;
use super::{events, market_data};
use crate::faces::binance::BinanceOptions;
use crate::faces::binance::error::ApiError;
use crate::faces::binance::streams::{PublicEvent, UserEvent};
use crate::fill_model::FillModel;
use crate::rejection::{RejectCode, Rejection};
use crate::time::Micros;
use crate::venue::{DuplicateIds, Venue, VenueOptions};
use rust_decimal::Decimal;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Cash of each account at the venue, which must never be what refuses an order: balances are checked here.
const VENUE_CASH: i64 = 100_000_000_000_000;

/// The spot exchange.
#[derive(Debug)]
pub(in crate::faces::binance) struct SpotExchange {
    pub(super) venue: Venue,
    pub(super) symbols: BTreeMap<String, SpotSymbol>,
    pub(super) wallets: BTreeMap<String, Wallet>,
    pub(super) orders: BTreeMap<u64, SpotOrder>,
    /// Open orders by account.
    pub(super) open: BTreeMap<String, BTreeSet<u64>>,
    pub(super) lists: BTreeMap<u64, OrderList>,
    pub(super) candles: BTreeMap<String, Candles>,
    pub(super) commission: Decimal,
    /// Whether a cancelled order takes the name of its cancel.
    pub(super) cancel_renames: bool,
    /// Orders by the venue's name of them.
    pub(super) tickets: BTreeMap<String, u64>,
    /// The last report of the venue that was read, by account.
    reports_read: BTreeMap<String, u64>,
    next_order_id: u64,
    next_list_id: u64,
    next_ticket: u64,
    pub(super) next_execution: u64,
    pub(super) user_events: Vec<UserEvent>,
    public_events: Vec<PublicEvent>,
    pub(super) filled_orders: Vec<String>,
}

impl SpotExchange {
    /// An exchange where every account has the options' balances.
    ///
    /// # Errors
    /// An option that makes no sense.
    pub(in crate::faces::binance) fn new(
        options: &BinanceOptions,
        accounts: &BTreeSet<String>,
    ) -> Result<SpotExchange, Rejection> {
        let invalid = |message: String| Rejection::new(RejectCode::InvalidRequest, message);
        let commission = options.spot_commission;
        if commission < Decimal::ZERO || commission > Decimal::new(1, 1) {
            let message = format!("spot commission {commission} is not between 0 and 0.1");
            return Err(invalid(message));
        }
        for (asset, amount) in &options.spot_balances {
            if *amount < Decimal::ZERO || amount.scale() > 8 {
                let message =
                    format!("spot balance {amount} of {asset} is not 0 or more in eight decimals");
                return Err(invalid(message));
            }
        }
        let symbols = SpotSymbol::all();
        let mut venue = Venue::new(VenueOptions {
            instruments: symbols.iter().map(SpotSymbol::instrument).collect(),
            default_instrument: None,
            fill_model: FillModel {
                maker_fee_bps: Decimal::ZERO,
                taker_fee_bps: Decimal::ZERO,
                ..options.fill_model.clone()
            },
            duplicate_ids: DuplicateIds::RejectForever,
            leverage: Decimal::ONE_THOUSAND,
            first_order_id: 1,
            first_trade_id: 1,
        })?;
        for account in accounts {
            venue.open_account(account, "USDT", Decimal::from(VENUE_CASH))?;
        }
        let wallets = accounts
            .iter()
            .map(|account| (account.clone(), Wallet::with(&options.spot_balances)));
        Ok(SpotExchange {
            venue,
            symbols: symbols
                .into_iter()
                .map(|symbol| (symbol.name.to_owned(), symbol))
                .collect(),
            wallets: wallets.collect(),
            orders: BTreeMap::new(),
            open: BTreeMap::new(),
            lists: BTreeMap::new(),
            candles: BTreeMap::new(),
            commission,
            cancel_renames: options.spot_cancel_renames,
            tickets: BTreeMap::new(),
            reports_read: BTreeMap::new(),
            next_order_id: 1,
            next_list_id: 1,
            next_ticket: 1,
            next_execution: 1,
            user_events: Vec::new(),
            public_events: Vec::new(),
            filled_orders: Vec::new(),
        })
    }

    /// Tells a price: executes what waits for it, then wakes what it triggers.
    ///
    /// # Errors
    /// The symbol is not traded here, or the price can't be one.
    pub(in crate::faces::binance) fn tick(
        &mut self,
        symbol: &str,
        price: Decimal,
        now: Micros,
    ) -> Result<(), Rejection> {
        self.venue.tick(symbol, price, now)?;
        let candles = self.candles.entry(symbol.to_owned()).or_default();
        candles.add(price, now);
        let events = market_data::events(self, symbol, now);
        self.public_events.extend(events);
        self.absorb_all(now);
        self.wake_triggered(symbol, price, now);
        Ok(())
    }

    /// The symbols with their ticks, for the feed.
    pub(in crate::faces::binance) fn price_ticks(&self) -> Vec<(String, Decimal)> {
        let symbols = self.symbols.values();
        symbols
            .map(|symbol| (symbol.name.to_owned(), symbol.tick))
            .collect()
    }

    /// What private listeners have not been told yet.
    pub(in crate::faces::binance) fn take_user_events(&mut self) -> Vec<UserEvent> {
        std::mem::take(&mut self.user_events)
    }

    /// What public listeners have not been told yet.
    pub(in crate::faces::binance) fn take_public_events(&mut self) -> Vec<PublicEvent> {
        std::mem::take(&mut self.public_events)
    }

    /// The accounts of orders that were filled since the last call, each once for every order.
    pub(in crate::faces::binance) fn take_filled_orders(&mut self) -> Vec<String> {
        std::mem::take(&mut self.filled_orders)
    }

    /// Books a deposit, or a withdrawal if the amount is negative.
    ///
    /// # Errors
    /// The account is not known, or less than that is free; in words.
    pub(in crate::faces::binance) fn deposit(
        &mut self,
        account: &str,
        asset: &str,
        amount: Decimal,
        now: Micros,
    ) -> Result<(), String> {
        let wallet = self
            .wallets
            .get_mut(account)
            .ok_or_else(|| format!("account {account} is not known"))?;
        let free = wallet.holding(asset).free;
        if free + amount < Decimal::ZERO || amount.scale() > 8 || asset.is_empty() {
            return Err(format!(
                "amount {amount} of {asset} is below {free} that are free, or has more than 8 decimals"
            ));
        }
        wallet.receive(asset, amount);
        self.tell_deposit(account, asset, amount, now);
        Ok(())
    }

    /// All orders ever accepted and all balances of an account.
    pub(in crate::faces::binance) fn audit(&self, account: &str) -> Value {
        events::audit(self, account)
    }

    /// The symbol of that name.
    ///
    /// # Errors
    /// -1121 if there is none.
    pub(super) fn symbol(&self, name: &str) -> Result<&SpotSymbol, ApiError> {
        self.symbols
            .get(name)
            .ok_or_else(|| ApiError::new(-1121, "Invalid symbol."))
    }

    /// The last price of a symbol; zero before the first.
    pub(super) fn last_price(&self, symbol: &str) -> Decimal {
        self.venue
            .last_price(symbol)
            .map_or(Decimal::ZERO, |last| last.price)
    }

    /// The account's open orders, oldest first, all or in one symbol.
    pub(super) fn open_orders<'a>(
        &'a self,
        account: &str,
        symbol: Option<&'a str>,
    ) -> impl Iterator<Item = &'a SpotOrder> {
        let ids = self.open.get(account).into_iter().flatten();
        ids.filter_map(|id| self.orders.get(id))
            .filter(move |order| symbol.is_none_or(|symbol| order.request.symbol == symbol))
    }

    /// The account's orders, oldest first.
    pub(super) fn orders_of<'a>(
        &'a self,
        account: &'a str,
    ) -> impl DoubleEndedIterator<Item = &'a SpotOrder> {
        self.orders
            .values()
            .filter(move |order| order.account == account)
    }

    /// A new order's number.
    pub(super) fn give_order_id(&mut self) -> u64 {
        let id = self.next_order_id;
        self.next_order_id += 1;
        id
    }

    /// A new list's number.
    pub(super) fn give_list_id(&mut self) -> u64 {
        let id = self.next_list_id;
        self.next_list_id += 1;
        id
    }

    /// A new name of an order at the venue.
    pub(super) fn give_ticket(&mut self, order: u64) -> String {
        let ticket = format!("{order}.{}", self.next_ticket);
        self.next_ticket += 1;
        self.tickets.insert(ticket.clone(), order);
        ticket
    }

    /// Takes what the venue has reported about an account, and notes that it was read.
    pub(super) fn take_reports(&mut self, account: &str) -> Vec<crate::report::Report> {
        let read = self.reports_read.get(account).copied().unwrap_or_default();
        let page = self.venue.reports_after(account, read);
        let reports = page.map(|page| page.reports).unwrap_or_default();
        if let Some(last) = reports.last() {
            self.reports_read.insert(account.to_owned(), last.number);
        }
        reports
    }

    /// Writes an order's end: it is open no more.
    pub(super) fn note_end(&mut self, id: u64, status: Status, now: Micros) {
        let Some(order) = self.orders.get_mut(&id) else {
            return;
        };
        assert!(
            order.status.is_open() && !status.is_open(),
            "order {id} ends twice"
        );
        order.status = status;
        order.updated_at = now;
        order.trigger = None;
        if let Some(open) = self.open.get_mut(&order.account) {
            open.remove(&id);
        }
    }
}
