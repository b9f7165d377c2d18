//! The venue: accounts, instruments and last prices, and the questions one can ask about them.

mod funds;
mod matching;
mod placing;
mod restore;

pub use restore::{AccountSeed, OpenOrderSeed, PositionSeed};

use crate::account::{Account, Balance, Position};
use crate::fill_model::FillModel;
use crate::instrument::{Instrument, check_market_price};
use crate::order::{CancelReason, Order, OrderStatus, VenueOrderId};
use crate::rejection::{RejectCode, Rejection};
use crate::report::ReportPage;
use crate::time::Micros;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Accounts of one venue.
pub const ACCOUNTS_MAX: usize = 1_000;
/// Open orders of one account.
pub const OPEN_ORDERS_MAX: usize = 1_000;
/// Symbols with a known price.
pub const SYMBOLS_MAX: usize = 10_000;
/// Bytes in a client order id, an account's name, a currency or a symbol.
pub const NAME_BYTES_MAX: usize = 64;

/// What the venue does with a client order id it has seen before in the account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DuplicateIds {
    /// Refuses it while an order under that id is open, and takes it again afterwards, as Binance and OKX do: to send
    /// a filled market order again **doubles** it.
    #[default]
    RejectWhileOpen,
    /// Refuses it for as long as the first order is remembered, as Bybit and Alpaca do.
    RejectForever,
}

/// How a venue is set up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VenueOptions {
    /// The known instruments.
    pub instruments: Vec<Instrument>,
    /// The rules for every other symbol; without it other symbols are refused.
    pub default_instrument: Option<Instrument>,
    /// How orders execute.
    pub fill_model: FillModel,
    /// What becomes of repeated client order ids.
    pub duplicate_ids: DuplicateIds,
    /// Exposure allowed per unit of equity; 1 to 1000.
    pub leverage: Decimal,
    /// The first order's number. A venue that is rebuilt from a journal begins above every number it gave before.
    pub first_order_id: u64,
    /// The first trade's number; likewise.
    pub first_trade_id: u64,
}

impl VenueOptions {
    /// A paper venue: any symbol, known ones with rehearsal steps, the optimistic fill model, no leverage.
    #[must_use]
    pub fn paper() -> VenueOptions {
        VenueOptions {
            instruments: Instrument::for_rehearsal(),
            default_instrument: Some(Instrument::permissive()),
            fill_model: FillModel::optimistic(),
            duplicate_ids: DuplicateIds::default(),
            leverage: Decimal::ONE,
            first_order_id: 1,
            first_trade_id: 1,
        }
    }
}

/// The matching venue. The same calls with the same arguments give the same answers, always and everywhere.
///
/// Not modelled: liquidation, interest, funding, sessions, and conversion between currencies: every instrument is
/// taken to be quoted in the account's currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Venue {
    fill_model: FillModel,
    duplicate_ids: DuplicateIds,
    leverage: Decimal,
    default_instrument: Option<Instrument>,
    instruments: BTreeMap<String, Instrument>,
    last_prices: BTreeMap<String, LastPrice>,
    accounts: BTreeMap<String, Account>,
    next_order_id: u64,
    next_trade_id: u64,
}

/// The last known price of a symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastPrice {
    /// The price.
    pub price: Decimal,
    /// When it was told.
    pub at: Micros,
}

/// Why an order wasn't cancelled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CancelError {
    /// No such account.
    UnknownAccount,
    /// No order under that client order id is known.
    UnknownOrder,
    /// The order (the newest under that id) has ended already.
    AlreadyClosed(Box<Order>),
}

impl Venue {
    /// An empty venue.
    ///
    /// # Errors
    /// An option that makes no sense, with its number.
    pub fn new(options: VenueOptions) -> Result<Venue, Rejection> {
        options.fill_model.check()?;
        let leverage = options.leverage;
        if leverage < Decimal::ONE || leverage > Decimal::from(1_000) {
            let message = format!("leverage {leverage} is not between 1 and 1000");
            return Err(Rejection::new(RejectCode::InvalidRequest, message));
        }
        for instrument in options
            .instruments
            .iter()
            .chain(&options.default_instrument)
        {
            check_name("symbol", &instrument.symbol)?;
            instrument.check()?;
        }
        let instruments = options
            .instruments
            .into_iter()
            .map(|instrument| (instrument.symbol.clone(), instrument));
        Ok(Venue {
            fill_model: options.fill_model,
            duplicate_ids: options.duplicate_ids,
            leverage,
            default_instrument: options.default_instrument,
            instruments: instruments.collect(),
            last_prices: BTreeMap::new(),
            accounts: BTreeMap::new(),
            next_order_id: options.first_order_id,
            next_trade_id: options.first_trade_id,
        })
    }

    /// Opens an empty account.
    ///
    /// # Errors
    /// The account is there already, or name, currency or cash can't be.
    pub fn open_account(
        &mut self,
        account: &str,
        currency: &str,
        cash: Decimal,
    ) -> Result<(), Rejection> {
        self.restore(account, AccountSeed::empty(currency, cash))
    }

    /// Tells the last price of a symbol, and executes what waits for it: accounts by name, orders by age.
    ///
    /// # Errors
    /// The symbol is not traded here, or the price can't be one.
    pub fn tick(&mut self, symbol: &str, price: Decimal, now: Micros) -> Result<(), Rejection> {
        let instrument = self.require_instrument(symbol)?;
        check_market_price(symbol, price)?;
        if !self.last_prices.contains_key(symbol) && self.last_prices.len() >= SYMBOLS_MAX {
            return Err(Rejection::out_of_range("number of symbols"));
        }
        self.last_prices
            .insert(symbol.to_owned(), LastPrice { price, at: now });
        let mut market = matching::Market {
            model: &self.fill_model,
            instrument: &instrument,
            last: price,
            now,
            next_trade_id: &mut self.next_trade_id,
        };
        for account in self.accounts.values_mut() {
            account.advance_all(&mut market);
        }
        Ok(())
    }

    /// Cancels the open order under that client order id; answers with the order as it ended.
    ///
    /// # Errors
    /// There is no such order, or it has ended already.
    pub fn cancel(
        &mut self,
        account: &str,
        client_order_id: &str,
        now: Micros,
    ) -> Result<Order, CancelError> {
        let account = self
            .accounts
            .get_mut(account)
            .ok_or(CancelError::UnknownAccount)?;
        let order = account
            .newest(client_order_id)
            .ok_or(CancelError::UnknownOrder)?;
        if !order.is_open() {
            return Err(CancelError::AlreadyClosed(Box::new(order.clone())));
        }
        let id = order.venue_order_id;
        account.close(id, OrderStatus::Cancelled(CancelReason::Requested), now);
        account
            .orders
            .get(&id)
            .cloned()
            .ok_or(CancelError::UnknownOrder)
    }

    /// Cancels all open orders of the account, or those in one symbol; answers with the orders as they ended.
    ///
    /// # Errors
    /// There is no such account.
    pub fn cancel_all(
        &mut self,
        account: &str,
        symbol: Option<&str>,
        now: Micros,
    ) -> Result<Vec<Order>, Rejection> {
        let Some(account) = self.accounts.get_mut(account) else {
            return Err(Rejection::unknown_account(account));
        };
        let chosen = account
            .open_by_symbol
            .iter()
            .filter(|(key, _)| symbol.is_none_or(|symbol| symbol == *key));
        let ids: BTreeSet<VenueOrderId> = chosen.flat_map(|(_, ids)| ids.iter().copied()).collect();
        for id in &ids {
            account.close(*id, OrderStatus::Cancelled(CancelReason::Requested), now);
        }
        Ok(ids
            .iter()
            .filter_map(|id| account.orders.get(id).cloned())
            .collect())
    }

    /// Whether there is such an account.
    #[must_use]
    pub fn has_account(&self, account: &str) -> bool {
        self.accounts.contains_key(account)
    }

    /// The newest order under that client order id. Refused requests are not orders and are not found.
    ///
    /// # Errors
    /// There is no such account.
    pub fn find(&self, account: &str, client_order_id: &str) -> Result<Option<&Order>, Rejection> {
        Ok(self.account(account)?.newest(client_order_id))
    }

    /// All remembered orders under that client order id, oldest first: more than one is a double execution, for an
    /// auditor to see.
    ///
    /// # Errors
    /// There is no such account.
    pub fn find_all(&self, account: &str, client_order_id: &str) -> Result<Vec<&Order>, Rejection> {
        let account = self.account(account)?;
        let ids = account.by_client_order_id.get(client_order_id);
        Ok(ids
            .into_iter()
            .flatten()
            .filter_map(|id| account.orders.get(id))
            .collect())
    }

    /// All remembered orders of the account, oldest first, and how many older ones were forgotten.
    ///
    /// # Errors
    /// There is no such account.
    pub fn all_orders(&self, account: &str) -> Result<(Vec<&Order>, u64), Rejection> {
        let account = self.account(account)?;
        Ok((account.orders.values().collect(), account.forgotten_orders))
    }

    /// The open orders of the account, oldest first.
    ///
    /// # Errors
    /// There is no such account.
    pub fn open_orders(&self, account: &str) -> Result<Vec<&Order>, Rejection> {
        let account = self.account(account)?;
        let ids: BTreeSet<VenueOrderId> =
            account.open_by_symbol.values().flatten().copied().collect();
        Ok(ids.iter().filter_map(|id| account.orders.get(id)).collect())
    }

    /// The open positions of the account, by symbol.
    ///
    /// # Errors
    /// There is no such account.
    pub fn positions(&self, account: &str) -> Result<Vec<Position>, Rejection> {
        Ok(self
            .account(account)?
            .open_positions(|symbol| self.instrument(symbol)))
    }

    /// The account's cash, and its equity at last prices.
    ///
    /// # Errors
    /// There is no such account, or its equity is out of range.
    pub fn balance(&self, account: &str) -> Result<Balance, Rejection> {
        self.balance_of(self.account(account)?)
    }

    /// The account's reports with a number above `number`, at most a page of them.
    ///
    /// # Errors
    /// There is no such account.
    pub fn reports_after(&self, account: &str, number: u64) -> Result<ReportPage, Rejection> {
        Ok(self.account(account)?.log.after_number(number))
    }

    /// The rules of a symbol: its own, else the default ones under its name.
    #[must_use]
    pub fn instrument(&self, symbol: &str) -> Option<Instrument> {
        let own = self.instruments.get(symbol).cloned();
        own.or_else(|| {
            self.default_instrument
                .as_ref()
                .map(|default| default.named(symbol))
        })
    }

    /// The instruments known by name.
    pub fn instruments(&self) -> impl Iterator<Item = &Instrument> {
        self.instruments.values()
    }

    /// The rules of every symbol that is not known by name.
    #[must_use]
    pub fn default_instrument(&self) -> Option<&Instrument> {
        self.default_instrument.as_ref()
    }

    /// The last price of a symbol, if one was ever told.
    #[must_use]
    pub fn last_price(&self, symbol: &str) -> Option<LastPrice> {
        self.last_prices.get(symbol).copied()
    }

    /// The symbols in which any account has a position or an open order.
    #[must_use]
    pub fn symbols_in_use(&self) -> BTreeSet<String> {
        let in_use = self.accounts.values().flat_map(|account| {
            let held = account
                .positions
                .iter()
                .filter(|(_, book)| !book.quantity.is_zero())
                .map(|(symbol, _)| symbol);
            held.chain(account.open_by_symbol.keys())
        });
        in_use.cloned().collect()
    }

    fn account(&self, account: &str) -> Result<&Account, Rejection> {
        self.accounts
            .get(account)
            .ok_or_else(|| Rejection::unknown_account(account))
    }

    fn require_instrument(&self, symbol: &str) -> Result<Instrument, Rejection> {
        check_name("symbol", symbol)?;
        let unknown = || {
            Rejection::new(
                RejectCode::UnknownSymbol,
                format!("symbol {symbol} is not traded here"),
            )
        };
        self.instrument(symbol).ok_or_else(unknown)
    }
}

/// Says whether a text can be a name: 1 to 64 visible ASCII characters.
fn check_name(what: &str, name: &str) -> Result<(), Rejection> {
    if name.is_empty() || name.len() > NAME_BYTES_MAX {
        let message = format!("{what} has {} bytes, not 1 to {NAME_BYTES_MAX}", name.len());
        return Err(Rejection::new(RejectCode::InvalidRequest, message));
    }
    if let Some(position) = name.bytes().position(|byte| !byte.is_ascii_graphic()) {
        let message =
            format!("{what} has a character that is not visible ASCII at byte {position}");
        return Err(Rejection::new(RejectCode::InvalidRequest, message));
    }
    Ok(())
}
