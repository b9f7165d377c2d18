//! The futures exchange itself: accounts, positions and conditional orders around a matching venue. Pure: the time is
//! an argument, and what happened is handed out as events.

use super::account::{AMOUNT_DECIMALS, Account, Margin, Trade};
use super::brackets;
use super::candles::Candles;
use super::events::{self, Execution, Outgoing};
use super::market::Told;
use super::order::{AlgoId, AlgoStatus, FuturesOrder, OrderId, OrderStatus, PositionSide};
use super::refusal::Refusal;
use super::symbols::FuturesSymbol;
use crate::fill_model::FillModel;
use crate::instrument::check_market_price;
use crate::order::{CancelReason, ExpiryReason, Fill, Liquidity, Side, VenueOrderId};
use crate::rejection::{RejectCode, Rejection};
use crate::report::{Report, ReportEvent};
use crate::time::Micros;
use crate::venue::{DuplicateIds, Venue, VenueOptions};
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// What backs every leg in the venue: so much that the venue never refuses for lack of funds, since the margin is
/// checked here.
const VENUE_CASH: i64 = 100_000_000_000_000;
const FIRST_ORDER_ID: u64 = 8_389_765_000;
const FIRST_ALGO_ID: u64 = 1_000_001_270_000;

/// How the exchange is set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FuturesOptions {
    /// The contracts.
    pub(crate) symbols: Vec<FuturesSymbol>,
    /// How orders execute; its fees are the commissions.
    pub(crate) fill_model: FillModel,
    /// What every account begins with, in USDT.
    pub(crate) starting_balance: Decimal,
    /// Whether conditional orders that close a position end with it. Binance isn't known to promise it, so a client
    /// must cope with both.
    pub(crate) close_position_orders_expire: bool,
    /// Decides what listen keys look like.
    pub(crate) key_seed: u64,
}

impl FuturesOptions {
    /// Four contracts, 100 000 USDT, commissions of 0.02 % (maker) and 0.05 % (taker), a spread of 0.2 basis points.
    pub(crate) fn rehearsal() -> FuturesOptions {
        FuturesOptions {
            symbols: FuturesSymbol::for_rehearsal(),
            fill_model: FillModel {
                half_spread_bps: Decimal::new(1, 1),
                maker_fee_bps: Decimal::from(2),
                taker_fee_bps: Decimal::from(5),
                ..FillModel::optimistic()
            },
            starting_balance: Decimal::from(100_000),
            close_position_orders_expire: true,
            key_seed: 1,
        }
    }
}

/// The USDⓈ-M futures exchange.
///
/// Not modelled: liquidation, funding, auto-deleveraging, self-trade prevention; isolated margin is shown but not kept
/// apart.
#[derive(Debug)]
pub(crate) struct FuturesExchange {
    pub(super) options: FuturesOptions,
    pub(super) venue: Venue,
    pub(super) symbols: BTreeMap<String, FuturesSymbol>,
    pub(super) accounts: BTreeMap<String, Account>,
    /// Mark prices that were told; without one the last price is the mark price.
    pub(super) marks: BTreeMap<String, Decimal>,
    pub(super) candles: BTreeMap<String, Candles>,
    pub(super) outgoing: Vec<Outgoing>,
    /// What the public streams have to say.
    pub(super) told: Vec<Told>,
    /// Accounts whose listen keys have ended.
    pub(super) ended_streams: Vec<String>,
    /// The last second in which the mark prices were told.
    pub(super) told_second: i64,
    pub(super) next_algo: u64,
    pub(super) next_key: u64,
    /// The share of the next market order that finds a counterparty.
    pub(super) starvation: Option<Decimal>,
    links: BTreeMap<VenueOrderId, (String, OrderId)>,
    cursors: BTreeMap<String, u64>,
    pub(super) next_order: u64,
}

impl FuturesExchange {
    /// An exchange without accounts, each symbol at its start price.
    ///
    /// # Errors
    /// The fill model or a symbol makes no sense.
    pub(crate) fn with_options(
        options: FuturesOptions,
        now: Micros,
    ) -> Result<FuturesExchange, Rejection> {
        let instruments = options.symbols.iter().map(FuturesSymbol::instrument);
        let venue = Venue::new(VenueOptions {
            instruments: instruments.collect(),
            default_instrument: None,
            fill_model: options.fill_model.clone(),
            duplicate_ids: DuplicateIds::default(),
            leverage: Decimal::from(1_000),
            first_order_id: 1,
            first_trade_id: 700_000_001,
        })?;
        let symbols = options
            .symbols
            .iter()
            .map(|rules| (rules.symbol.clone(), rules.clone()));
        let mut exchange = FuturesExchange {
            symbols: symbols.collect(),
            venue,
            accounts: BTreeMap::new(),
            marks: BTreeMap::new(),
            candles: BTreeMap::new(),
            outgoing: Vec::new(),
            told: Vec::new(),
            ended_streams: Vec::new(),
            told_second: 0,
            next_algo: FIRST_ALGO_ID,
            next_key: 0,
            starvation: None,
            links: BTreeMap::new(),
            cursors: BTreeMap::new(),
            next_order: FIRST_ORDER_ID,
            options,
        };
        for rules in exchange.options.symbols.clone() {
            exchange.tick(&rules.symbol, rules.start_price, now)?;
        }
        Ok(exchange)
    }

    /// Opens an account with the starting balance; one that is there stays as it is.
    ///
    /// # Errors
    /// The name can't be one.
    pub(crate) fn open_account(&mut self, account: &str, now: Micros) -> Result<(), Rejection> {
        if self.accounts.contains_key(account) {
            return Ok(());
        }
        for position_side in [PositionSide::Both, PositionSide::Long, PositionSide::Short] {
            let leg = leg_name(account, position_side);
            self.venue
                .open_account(&leg, "USDT", Decimal::from(VENUE_CASH))?;
        }
        // The deposit is what changed the account last: clients take a balance that never changed for no balance.
        let books = Account::new(self.options.starting_balance, now);
        self.accounts.insert(account.to_owned(), books);
        Ok(())
    }

    /// The step of the symbol's prices.
    pub(crate) fn price_tick(&self, symbol: &str) -> Option<Decimal> {
        self.symbols.get(symbol).map(|rules| rules.price_tick)
    }

    /// Tells the last price of a contract, executes what waits for it and triggers what it triggers.
    ///
    /// # Errors
    /// The contract is not traded here, or the price can't be one.
    pub(crate) fn tick(
        &mut self,
        symbol: &str,
        price: Decimal,
        now: Micros,
    ) -> Result<(), Rejection> {
        self.venue.tick(symbol, price, now)?;
        let candles = self.candles.entry(symbol.to_owned()).or_default();
        candles.record(price, now);
        let legs: Vec<String> = self.cursors.keys().cloned().collect();
        for leg in legs {
            self.drain(&leg);
        }
        self.trigger_reached(symbol, now);
        if let Some(rules) = self.symbols.get(symbol) {
            let told = self.told_of_tick(rules, now);
            self.told.extend(told);
        }
        Ok(())
    }

    /// Tells a mark price that differs from the last price, until the next call; none for the last price again.
    ///
    /// # Errors
    /// The contract is not traded here, or the price can't be one.
    pub(crate) fn set_mark(
        &mut self,
        symbol: &str,
        price: Option<Decimal>,
        now: Micros,
    ) -> Result<(), Rejection> {
        if !self.symbols.contains_key(symbol) {
            let message = format!("symbol {symbol} is not traded here");
            return Err(Rejection::new(RejectCode::UnknownSymbol, message));
        }
        match price {
            Some(price) => {
                check_market_price(symbol, price)?;
                self.marks.insert(symbol.to_owned(), price);
            }
            None => {
                self.marks.remove(symbol);
            }
        }
        self.trigger_reached(symbol, now);
        Ok(())
    }

    /// Has the next market order find counterparties for that share of its quantity only, between 0 and 1; the rest
    /// expires.
    pub(crate) fn starve_next_market_order(&mut self, share: Decimal) {
        self.starvation = Some(share.clamp(Decimal::ZERO, Decimal::ONE));
    }

    /// Lets market orders find counterparties for all of their quantity again.
    pub(crate) fn feed_market_orders(&mut self) {
        self.starvation = None;
    }

    /// What happened since the last call, oldest first.
    pub(crate) fn take_events(&mut self) -> Vec<Outgoing> {
        std::mem::take(&mut self.outgoing)
    }

    /// The rules of a symbol (-1121).
    pub(super) fn rules(&self, symbol: &str) -> Result<&FuturesSymbol, Refusal> {
        self.symbols.get(symbol).ok_or_else(Refusal::invalid_symbol)
    }

    /// The books of an account that is known to be there.
    pub(crate) fn account(&self, account: &str) -> Result<&Account, Refusal> {
        self.accounts.get(account).ok_or_else(Refusal::internal)
    }

    pub(super) fn account_mut(&mut self, account: &str) -> Result<&mut Account, Refusal> {
        self.accounts.get_mut(account).ok_or_else(Refusal::internal)
    }

    /// The last price.
    pub(crate) fn last_price(&self, symbol: &str) -> Decimal {
        self.venue
            .last_price(symbol)
            .map_or(Decimal::ZERO, |last| last.price)
    }

    /// The mark price.
    pub(crate) fn mark_price(&self, symbol: &str) -> Decimal {
        let told = self.marks.get(symbol).copied();
        told.unwrap_or_else(|| self.last_price(symbol))
    }

    /// Best bid and best ask; a tick apart at least.
    pub(crate) fn bid_and_ask(&self, symbol: &str) -> (Decimal, Decimal) {
        let last = self.last_price(symbol);
        let (bid, ask) = self.venue.bid_and_ask(symbol).unwrap_or((last, last));
        if ask > bid {
            return (bid, ask);
        }
        (bid, bid + self.price_tick(symbol).unwrap_or_default())
    }

    /// The margin of the whole account.
    pub(crate) fn margin(&self, account: &Account) -> Margin {
        let mut total = Margin::default();
        for (symbol, position_side) in in_use(account) {
            let mark = self.mark_price(&symbol);
            total = total.plus(account.margin_of(&symbol, position_side, mark, None));
        }
        total
    }

    /// What new orders may use, in USDT; zero or more.
    pub(crate) fn available(&self, account: &Account) -> Decimal {
        let margin = self.margin(account);
        let available = account.wallet + margin.unrealised - margin.initial();
        available.max(Decimal::ZERO)
    }

    /// Whether the account can carry one more order (-2019), and its leverage allows the position (-2027).
    pub(super) fn check_margin(
        &self,
        account: &Account,
        order: &FuturesOrder,
    ) -> Result<(), Refusal> {
        if order.reduce_only {
            return Ok(());
        }
        let (bid, ask) = self.bid_and_ask(&order.symbol);
        let price = match (order.price.is_zero(), order.side) {
            (false, Side::Buy | Side::Sell) => order.price,
            (true, Side::Buy) => ask,
            (true, Side::Sell) => bid,
        };
        let mark = self.mark_price(&order.symbol);
        let extra = Some((order.side, order.quantity * price));
        let margin = |extra| account.margin_of(&order.symbol, order.position_side, mark, extra);
        let needed = margin(extra).initial() - margin(None).initial();
        if needed > Decimal::ZERO && needed > self.available(account) {
            return Err(Refusal::insufficient_margin());
        }
        let held = account.amount(&order.symbol, order.position_side) * mark;
        let after = (held + order.side.signed(order.quantity * price)).abs();
        let rules = self.rules(&order.symbol)?;
        let leverage = account.settings_of(&order.symbol).leverage;
        if after > held.abs() && after > brackets::notional_max(rules, leverage) {
            let message = "Exceeded the maximum allowable position at current leverage.";
            return Err(Refusal::new(-2027, message));
        }
        Ok(())
    }

    /// Gives out the next order number.
    pub(super) fn next_order_id(&mut self) -> OrderId {
        self.next_order += 1;
        OrderId(self.next_order)
    }

    /// Connects a venue order with the exchange's, so that what the venue reports of it is heard.
    pub(super) fn link(&mut self, venue_order: VenueOrderId, account: &str, id: OrderId) {
        self.links.insert(venue_order, (account.to_owned(), id));
    }

    /// Takes an order out of the venue without hearing what the venue says about that.
    pub(super) fn withdraw(&mut self, leg: &str, venue_name: &str, now: Micros) {
        if let Ok(Some(order)) = self.venue.find(leg, venue_name) {
            let id = order.venue_order_id;
            self.links.remove(&id);
        }
        // An order that has ended in the venue is where it should be.
        let _ = self.venue.cancel(leg, venue_name, now);
    }

    /// Hears what the venue has to say about a leg's orders.
    pub(super) fn drain(&mut self, leg: &str) {
        loop {
            let cursor = self.cursors.entry(leg.to_owned()).or_insert(0);
            let Ok(page) = self.venue.reports_after(leg, *cursor) else {
                return;
            };
            let Some(newest) = page.reports.last().map(|report| report.number) else {
                return;
            };
            *cursor = newest;
            for report in page.reports {
                self.hear(report);
            }
        }
    }

    fn hear(&mut self, report: Report) {
        let Some(venue_order) = report.venue_order_id else {
            return;
        };
        let Some((account, id)) = self.links.get(&venue_order).cloned() else {
            return;
        };
        match report.event {
            ReportEvent::Accepted | ReportEvent::Rejected { .. } => {}
            ReportEvent::Filled { fill, complete } => {
                if complete {
                    self.links.remove(&venue_order);
                }
                self.book(&account, id, &fill);
            }
            ReportEvent::Cancelled { reason } => {
                self.links.remove(&venue_order);
                let (status, expiry) = match reason {
                    CancelReason::Requested => (OrderStatus::Canceled, "0"),
                    CancelReason::NothingToReduce => (OrderStatus::Expired, "4"),
                    CancelReason::OutOfRange => (OrderStatus::Expired, "0"),
                };
                self.end(&account, id, status, expiry, report.at);
            }
            ReportEvent::Expired { reason } => {
                self.links.remove(&venue_order);
                let expiry = match reason {
                    ExpiryReason::ImmediateOrCancel => "2",
                    ExpiryReason::FillOrKill => "0",
                };
                self.end(&account, id, OrderStatus::Expired, expiry, report.at);
            }
        }
    }

    /// Books one execution: position, wallet, order, trade and events.
    fn book(&mut self, account: &str, id: OrderId, fill: &Fill) {
        let Some(books) = self.accounts.get_mut(account) else {
            return;
        };
        let Some(order) = books.orders.get_mut(&id) else {
            return;
        };
        let (symbol, position_side, side) = (order.symbol.clone(), order.position_side, order.side);
        let position = books
            .positions
            .entry((symbol.clone(), position_side))
            .or_default();
        let before = position.amount;
        let profit = position.trade(side, fill.quantity, fill.price, fill.at);
        let after = position.amount;
        let commission = fill.fee.round_dp(AMOUNT_DECIMALS);
        books.wallet += profit - commission;
        books.updated = fill.at;
        order.executed += fill.quantity;
        order.executed_value += fill.quantity * fill.price;
        order.realised_profit += profit;
        order.updated = fill.at;
        order.status = if order.remaining().is_zero() {
            OrderStatus::Filled
        } else {
            OrderStatus::PartiallyFilled
        };
        let trade = Trade {
            id: fill.trade_id.0,
            order: id,
            symbol: symbol.clone(),
            side,
            position_side,
            price: fill.price,
            quantity: fill.quantity,
            commission,
            realised_profit: profit,
            is_maker: fill.liquidity == Liquidity::Maker,
            at: fill.at,
        };
        let order = order.clone();
        if !order.status.is_open() {
            books.open_ids.remove(&id);
        }
        books.keep_trade(trade.clone());
        self.outgoing
            .push(events::trade_lite(account, &order, &trade));
        self.announce_balance(account, &symbol, position_side, fill.at);
        let execution = Execution::Trade(&trade);
        self.announce_order(account, &order, &execution);
        self.finish_parent(account, &order);
        self.settle(account, &symbol, position_side, (before, after), fill.at);
    }

    /// Ends an open order.
    pub(super) fn end(
        &mut self,
        account: &str,
        id: OrderId,
        status: OrderStatus,
        expiry: &'static str,
        now: Micros,
    ) {
        let Some(books) = self.accounts.get_mut(account) else {
            return;
        };
        let Some(order) = books
            .orders
            .get_mut(&id)
            .filter(|order| order.status.is_open())
        else {
            return;
        };
        order.status = status;
        order.updated = now;
        let order = order.clone();
        books.open_ids.remove(&id);
        let execution = match status {
            OrderStatus::Canceled => Execution::Canceled,
            OrderStatus::Expired
            | OrderStatus::New
            | OrderStatus::PartiallyFilled
            | OrderStatus::Filled => Execution::Expired(expiry),
        };
        self.announce_order(account, &order, &execution);
        self.finish_parent(account, &order);
    }

    /// Ends a conditional order's story when its regular order has ended.
    fn finish_parent(&mut self, account: &str, order: &FuturesOrder) {
        if order.status.is_open() {
            return;
        }
        if let Some(parent) = order.parent {
            self.move_algo(account, parent, AlgoStatus::Finished, order.updated);
        }
    }

    /// Ends what a position carried once it is gone: reducing orders, and conditional orders that would close it.
    fn settle(
        &mut self,
        account: &str,
        symbol: &str,
        position_side: PositionSide,
        (before, after): (Decimal, Decimal),
        now: Micros,
    ) {
        let closing_side = if before.is_sign_negative() {
            Side::Buy
        } else {
            Side::Sell
        };
        let is_gone = after.is_zero() || after.is_sign_negative() != before.is_sign_negative();
        if before.is_zero() || !is_gone {
            return;
        }
        let Some(books) = self.accounts.get(account) else {
            return;
        };
        let orders = books.open_orders().filter(|order| {
            let is_here = order.symbol == symbol && order.position_side == position_side;
            is_here && order.reduce_only && order.side == closing_side
        });
        let orders: Vec<(OrderId, String)> = orders
            .filter(|order| order.venue_quantity > order.executed)
            .map(|order| (order.id, order.venue_name.clone()))
            .collect();
        let expire = self.options.close_position_orders_expire;
        let algos = books.open_algos().filter(|algo| {
            let is_here = algo.symbol == symbol && algo.position_side == position_side;
            is_here && algo.side == closing_side && algo.ends_with_position(expire)
        });
        let algos: Vec<AlgoId> = algos.map(|algo| algo.id).collect();
        for (id, venue_name) in orders {
            self.withdraw(&leg_name(account, position_side), &venue_name, now);
            self.end(account, id, OrderStatus::Expired, "4", now);
        }
        for id in algos {
            self.move_algo(account, id, AlgoStatus::Expired, now);
        }
    }

    pub(super) fn announce_order(
        &mut self,
        account: &str,
        order: &FuturesOrder,
        execution: &Execution<'_>,
    ) {
        let Some(books) = self.accounts.get(account) else {
            return;
        };
        let event = events::order_update(account, books, order, execution);
        self.outgoing.push(event);
    }

    fn announce_balance(
        &mut self,
        account: &str,
        symbol: &str,
        position_side: PositionSide,
        now: Micros,
    ) {
        let mark = self.mark_price(symbol);
        let Some(books) = self.accounts.get(account) else {
            return;
        };
        let event = events::account_update(account, books, (symbol, position_side), mark, now);
        self.outgoing.push(event);
    }
}

/// The venue's name of one side of an account.
pub(super) fn leg_name(account: &str, position_side: PositionSide) -> String {
    format!("{account}/{}", position_side.as_str())
}

/// The symbols and sides in which the account has a position or an open order.
pub(super) fn in_use(account: &Account) -> Vec<(String, PositionSide)> {
    let held = account
        .positions
        .iter()
        .filter(|(_, position)| !position.amount.is_zero())
        .map(|(key, _)| key.clone());
    let working = account
        .open_orders()
        .map(|order| (order.symbol.clone(), order.position_side));
    let all: std::collections::BTreeSet<_> = held.chain(working).collect();
    all.into_iter().collect()
}
