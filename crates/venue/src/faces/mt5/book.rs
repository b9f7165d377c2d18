//! The trade server's books: positions, orders, deals, and how a deal changes them. Pure: the time is an argument.

use super::MarginMode;
use super::Mt5Options;
use super::kinds::{Entry, Filling, Lifetime, OrderKind, OrderState, Reason, Side};
use super::symbols::{Symbol, symbols};
use super::transactions::Transactions;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// Decimals kept of an average opening price.
const AVERAGE_DECIMALS: u32 = 8;

/// An open position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) ticket: u64,
    /// Stays the same when a netting position is reversed.
    pub(super) identifier: u64,
    pub(super) symbol: String,
    pub(super) side: Side,
    pub(super) volume: Decimal,
    pub(super) price_open: Decimal,
    pub(super) sl: Decimal,
    pub(super) tp: Decimal,
    pub(super) magic: u64,
    pub(super) reason: Reason,
    pub(super) comment: String,
    /// Milliseconds on the server's clock, as all times here.
    pub(super) opened_at: i64,
    pub(super) changed_at: i64,
}

/// An order, pending or ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) ticket: u64,
    pub(super) symbol: String,
    pub(super) kind: OrderKind,
    pub(super) filling: Filling,
    pub(super) lifetime: Lifetime,
    /// Seconds on the server's clock; zero for none.
    pub(super) expiration: i64,
    pub(super) state: OrderState,
    pub(super) magic: u64,
    pub(super) reason: Reason,
    pub(super) volume_initial: Decimal,
    pub(super) volume_current: Decimal,
    pub(super) price_open: Decimal,
    pub(super) price_stoplimit: Decimal,
    pub(super) sl: Decimal,
    pub(super) tp: Decimal,
    pub(super) comment: String,
    pub(super) position_id: u64,
    pub(super) position_by_id: u64,
    pub(super) placed_at: i64,
    pub(super) done_at: i64,
    /// The ticket of the position that it closes (hedging accounts).
    pub(super) closes: Option<u64>,
    /// Whether a stop order was reached by the market, and executes as a market order from now on.
    pub(super) activated: bool,
}

impl Order {
    pub(super) fn side(&self) -> Side {
        self.kind.side()
    }
}

/// What kind of entry in the history of deals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DealKind {
    Trade(Side),
    /// Money was paid in.
    Balance,
}

/// A deal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Deal {
    pub(super) ticket: u64,
    pub(super) order: u64,
    pub(super) at: i64,
    pub(super) kind: DealKind,
    pub(super) entry: Entry,
    pub(super) magic: u64,
    pub(super) position_id: u64,
    pub(super) reason: Reason,
    pub(super) volume: Decimal,
    pub(super) price: Decimal,
    pub(super) commission: Decimal,
    pub(super) profit: Decimal,
    pub(super) symbol: String,
    pub(super) comment: String,
}

/// The trade server's books of one account.
#[derive(Clone, Debug)]
pub(super) struct Book {
    pub(super) margin_mode: MarginMode,
    pub(super) leverage: Decimal,
    pub(super) balance: Decimal,
    /// How many pending orders there may be.
    pub(super) orders_max: u32,
    /// Whether positions of both directions in one symbol are prohibited.
    pub(super) hedge_prohibited: bool,
    /// Whether the oldest position of a symbol has to be closed first.
    pub(super) first_in_first_out: bool,
    pub(super) symbols: BTreeMap<String, Symbol>,
    /// By ticket.
    pub(super) positions: BTreeMap<u64, Position>,
    /// By ticket: those that wait.
    pub(super) orders: BTreeMap<u64, Order>,
    /// Those that have ended, in the order of their ends.
    pub(super) ended_orders: Vec<Order>,
    pub(super) deals: Vec<Deal>,
    pub(super) transactions: Transactions,
    next_order: u64,
    next_deal: u64,
}

/// What became of a position through a deal.
struct Settled {
    entry: Entry,
    /// The position's identifier.
    position_id: u64,
    /// Its ticket after the deal.
    ticket: u64,
    profit: Decimal,
}

impl Book {
    pub(super) fn new(options: &Mt5Options, now: i64) -> Book {
        let listed = symbols(options.symbols, now).into_iter();
        let mut book = Book {
            margin_mode: options.margin_mode,
            leverage: Decimal::from(options.leverage.max(1)),
            balance: options.balance,
            orders_max: 200,
            hedge_prohibited: false,
            first_in_first_out: false,
            symbols: listed.map(|symbol| (symbol.name.clone(), symbol)).collect(),
            positions: BTreeMap::new(),
            orders: BTreeMap::new(),
            ended_orders: Vec::new(),
            deals: Vec::new(),
            transactions: Transactions::default(),
            next_order: 1_600_000_001,
            next_deal: 1_400_000_001,
        };
        let ticket = book.new_deal_ticket();
        book.deals.push(Deal {
            ticket,
            order: 0,
            at: now,
            kind: DealKind::Balance,
            entry: Entry::In,
            magic: 0,
            position_id: 0,
            reason: Reason::Client,
            volume: Decimal::ZERO,
            price: Decimal::ZERO,
            commission: Decimal::ZERO,
            profit: options.balance,
            symbol: String::new(),
            comment: "Initial deposit".to_owned(),
        });
        book
    }

    pub(super) fn is_hedging(&self) -> bool {
        self.margin_mode == MarginMode::Hedging
    }

    pub(super) fn new_order_ticket(&mut self) -> u64 {
        let ticket = self.next_order;
        self.next_order += 1;
        ticket
    }

    fn new_deal_ticket(&mut self) -> u64 {
        let ticket = self.next_deal;
        self.next_deal += 1;
        ticket
    }

    /// The symbol's one position on accounts that net; the oldest on those that hedge.
    pub(super) fn position_in(&self, symbol: &str) -> Option<&Position> {
        self.positions
            .values()
            .find(|position| position.symbol == symbol)
    }

    /// Executes a part of an order: books the deal, changes the position, the order and the balance.
    ///
    /// The caller has made sure that a closing order's position holds the volume. Returns the deal's ticket.
    pub(super) fn execute(
        &mut self,
        order: &mut Order,
        volume: Decimal,
        price: Decimal,
        now: i64,
    ) -> u64 {
        let settled = if self.is_hedging() {
            self.settle_hedging(order, volume, price, now)
        } else {
            self.settle_netting(order, volume, price, now)
        };
        order.volume_current -= volume;
        order.position_id = settled.position_id;
        order.state = if order.volume_current.is_zero() {
            OrderState::Filled
        } else {
            OrderState::Partial
        };
        let position = settled.ticket;
        let deal = self.book_deal(order, &settled, volume, price, now);
        let symbol = order.symbol.clone();
        if let Some(market) = self.symbols.get_mut(&symbol) {
            market.take(order.side(), volume);
            market.selected = true;
        }
        if let Some(deal) = self.deals.last() {
            self.transactions.deal_added(deal, position);
        }
        deal
    }

    fn book_deal(
        &mut self,
        order: &Order,
        settled: &Settled,
        volume: Decimal,
        price: Decimal,
        now: i64,
    ) -> u64 {
        let rate = self
            .symbols
            .get(&order.symbol)
            .map(|symbol| symbol.commission);
        let commission = -(rate.unwrap_or_default() * volume).round_dp(2);
        self.balance += settled.profit + commission;
        let ticket = self.new_deal_ticket();
        self.deals.push(Deal {
            ticket,
            order: order.ticket,
            at: now,
            kind: DealKind::Trade(order.side()),
            entry: settled.entry,
            magic: order.magic,
            position_id: settled.position_id,
            reason: order.reason,
            volume,
            price,
            commission,
            profit: settled.profit,
            symbol: order.symbol.clone(),
            comment: order.comment.clone(),
        });
        ticket
    }

    fn settle_hedging(
        &mut self,
        order: &Order,
        volume: Decimal,
        price: Decimal,
        now: i64,
    ) -> Settled {
        if let Some(ticket) = order.closes {
            return self.reduce(ticket, order.magic, volume, price, now);
        }
        let Some(position) = self.positions.get(&order.ticket) else {
            return self.open(order, volume, price, now);
        };
        // More of one order: the position keeps levels that were changed meanwhile.
        let levels = (position.sl, position.tp);
        let settled = self.increase(order.ticket, order, volume, price, now);
        if let Some(position) = self.positions.get_mut(&order.ticket) {
            (position.sl, position.tp) = levels;
        }
        settled
    }

    fn settle_netting(
        &mut self,
        order: &Order,
        volume: Decimal,
        price: Decimal,
        now: i64,
    ) -> Settled {
        let Some(position) = self.position_in(&order.symbol) else {
            return self.open(order, volume, price, now);
        };
        let ticket = position.ticket;
        if position.side == order.side() {
            self.increase(ticket, order, volume, price, now)
        } else if volume <= position.volume {
            self.reduce(ticket, order.magic, volume, price, now)
        } else {
            self.reverse(ticket, order, volume, price, now)
        }
    }

    fn open(&mut self, order: &Order, volume: Decimal, price: Decimal, now: i64) -> Settled {
        let position = Position {
            ticket: order.ticket,
            identifier: order.ticket,
            symbol: order.symbol.clone(),
            side: order.side(),
            volume,
            price_open: price,
            sl: order.sl,
            tp: order.tp,
            magic: order.magic,
            reason: order.reason,
            comment: order.comment.clone(),
            opened_at: now,
            changed_at: now,
        };
        self.positions.insert(order.ticket, position);
        Settled {
            entry: Entry::In,
            position_id: order.ticket,
            ticket: order.ticket,
            profit: Decimal::ZERO,
        }
    }

    /// More of the same side: the order's levels replace the position's, also if they are zero (MetaTrader 5 help,
    /// "Rules of Stop Loss and Take Profit inheritance (netting)").
    fn increase(
        &mut self,
        ticket: u64,
        order: &Order,
        volume: Decimal,
        price: Decimal,
        now: i64,
    ) -> Settled {
        let mut identifier = ticket;
        if let Some(position) = self.positions.get_mut(&ticket) {
            let sum = position.volume + volume;
            let value = position.volume * position.price_open + volume * price;
            position.price_open = (value / sum).round_dp(AVERAGE_DECIMALS).normalize();
            position.volume = sum;
            (position.sl, position.tp) = (order.sl, order.tp);
            position.magic = order.magic;
            position.comment.clone_from(&order.comment);
            position.changed_at = now;
            identifier = position.identifier;
        }
        Settled {
            entry: Entry::In,
            position_id: identifier,
            ticket,
            profit: Decimal::ZERO,
        }
    }

    /// Less of it: the levels stay until nothing is left.
    fn settle_out(
        &mut self,
        ticket: u64,
        magic: u64,
        volume: Decimal,
        price: Decimal,
        now: i64,
    ) -> Decimal {
        let Some(position) = self.positions.get_mut(&ticket) else {
            return Decimal::ZERO;
        };
        let market = self.symbols.get(&position.symbol);
        let profit =
            market.map(|symbol| symbol.profit(position.side, volume, position.price_open, price));
        position.volume -= volume;
        position.magic = magic;
        position.changed_at = now;
        if position.volume.is_zero() {
            self.positions.remove(&ticket);
        }
        profit.unwrap_or_default()
    }

    fn reduce(
        &mut self,
        ticket: u64,
        magic: u64,
        volume: Decimal,
        price: Decimal,
        now: i64,
    ) -> Settled {
        let identifier = self
            .positions
            .get(&ticket)
            .map(|position| position.identifier);
        Settled {
            entry: Entry::Out,
            position_id: identifier.unwrap_or(ticket),
            ticket,
            profit: self.settle_out(ticket, magic, volume, price, now),
        }
    }

    /// Through nothing to the other side: one deal, a new ticket, the same identifier (MQL5 Reference,
    /// "POSITION_IDENTIFIER"), the order's levels.
    fn reverse(
        &mut self,
        ticket: u64,
        order: &Order,
        volume: Decimal,
        price: Decimal,
        now: i64,
    ) -> Settled {
        let Some(old) = self.positions.get(&ticket).cloned() else {
            return self.open(order, volume, price, now);
        };
        let profit = self.settle_out(ticket, order.magic, old.volume, price, now);
        self.open(order, volume - old.volume, price, now);
        if let Some(position) = self.positions.get_mut(&order.ticket) {
            position.identifier = old.identifier;
        }
        Settled {
            entry: Entry::InOut,
            position_id: old.identifier,
            ticket: order.ticket,
            profit,
        }
    }

    /// Books a deal that closes a part of one position by another.
    pub(super) fn close_by(
        &mut self,
        order: &Order,
        ticket: u64,
        volume: Decimal,
        price: Decimal,
        now: i64,
    ) -> u64 {
        let side = self
            .positions
            .get(&ticket)
            .map(|position| position.side.opposite());
        let mut settled = self.reduce(ticket, order.magic, volume, price, now);
        settled.entry = Entry::OutBy;
        let deal = self.book_deal(order, &settled, volume, price, now);
        if let Some((last, side)) = self.deals.last_mut().zip(side) {
            last.kind = DealKind::Trade(side);
        }
        if let Some(last) = self.deals.last() {
            self.transactions.deal_added(last, ticket);
        }
        deal
    }

    /// Ends an order: it moves from the pending ones to the history.
    pub(super) fn end_order(&mut self, mut order: Order, state: OrderState, now: i64) {
        self.orders.remove(&order.ticket);
        order.state = state;
        order.done_at = now;
        self.transactions.order_ended(&order);
        self.ended_orders.push(order);
    }

    /// Lets an order wait, or wait on.
    pub(super) fn rest_order(&mut self, order: Order) {
        if self.orders.contains_key(&order.ticket) {
            self.transactions.order_updated(&order);
        } else {
            self.transactions.order_added(&order);
        }
        if let Some(symbol) = self.symbols.get_mut(&order.symbol) {
            symbol.selected = true;
        }
        self.orders.insert(order.ticket, order);
    }

    /// Whether the symbol has positions or pending orders.
    pub(super) fn is_in_use(&self, symbol: &str) -> bool {
        self.position_in(symbol).is_some()
            || self.orders.values().any(|order| order.symbol == symbol)
    }

    /// Forgets what belongs to the account, as a terminal that is logged out.
    pub(super) fn forget(&mut self) {
        self.positions.clear();
        self.orders.clear();
        self.ended_orders.clear();
        self.deals.clear();
    }

    /// The profit of all positions at the market's prices.
    pub(super) fn floating_profit(&self) -> Decimal {
        self.positions
            .values()
            .map(|position| self.profit_of(position))
            .sum()
    }

    /// What closing the position would gain.
    pub(super) fn profit_of(&self, position: &Position) -> Decimal {
        let Some(symbol) = self.symbols.get(&position.symbol) else {
            return Decimal::ZERO;
        };
        let now = self.price_of(position);
        symbol.profit(position.side, position.volume, position.price_open, now)
    }

    /// What the position would be closed at.
    pub(super) fn price_of(&self, position: &Position) -> Decimal {
        let market = self.symbols.get(&position.symbol);
        market
            .and_then(|symbol| symbol.market_price(position.side.opposite()))
            .unwrap_or(position.price_open)
    }

    /// The margin that all positions need.
    pub(super) fn margin(&self) -> Decimal {
        let needed = self.positions.values().filter_map(|position| {
            let symbol = self.symbols.get(&position.symbol)?;
            Some(symbol.margin(position.volume, position.price_open, self.leverage))
        });
        needed.sum()
    }

    pub(super) fn equity(&self) -> Decimal {
        self.balance + self.floating_profit()
    }
}
