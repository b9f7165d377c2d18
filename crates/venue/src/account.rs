//! One account's books: cash, positions, orders and reports, and the invariants that tie them together.

use crate::instrument::Instrument;
use crate::money;
use crate::order::{Fill, Order, OrderStatus, Side, VenueOrderId};
use crate::rejection::Rejection;
use crate::report::{ReportEvent, ReportLog};
use crate::time::Micros;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Closed orders kept for each account; the oldest beyond that can't be found any more.
pub const CLOSED_ORDERS_KEPT_MAX: usize = 100_000;

/// A net position in one symbol.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The symbol.
    pub symbol: String,
    /// How much, negative for short; never zero.
    pub quantity: Decimal,
    /// The average price of what is open, to twelve decimals.
    pub average_price: Decimal,
    /// Profit realised in this symbol since the account was opened or restored, before fees.
    pub realised_profit: Decimal,
}

/// What an account is worth.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    /// The account's currency.
    pub currency: String,
    /// Opening cash plus realised profit minus fees.
    pub cash: Decimal,
    /// Cash plus unrealised profit at last prices.
    pub equity: Decimal,
    /// Profit of the open positions at last prices.
    pub unrealised_profit: Decimal,
    /// Profit of everything closed so far, before fees.
    pub realised_profit: Decimal,
    /// Fees paid so far.
    pub fees_paid: Decimal,
    /// Symbols with a position and no known price; they count with no unrealised profit.
    pub unpriced_symbols: Vec<String>,
}

/// The books of one symbol.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PositionBook {
    pub(crate) quantity: Decimal,
    /// What the open quantity cost, with its sign: negative for short.
    pub(crate) cost: Decimal,
    pub(crate) realised_profit: Decimal,
    opening_quantity: Decimal,
    opening_cost: Decimal,
    /// Sum over all fills since then, buys positive.
    traded_quantity: Decimal,
    traded_value: Decimal,
}

impl PositionBook {
    /// A book that begins with a position.
    pub(crate) fn opening(quantity: Decimal, cost: Decimal) -> PositionBook {
        PositionBook {
            quantity,
            cost,
            realised_profit: Decimal::ZERO,
            opening_quantity: quantity,
            opening_cost: cost,
            traded_quantity: Decimal::ZERO,
            traded_value: Decimal::ZERO,
        }
    }

    /// The book after a fill of `quantity` worth `value`, both signed: positive for a buy.
    fn after_fill(&self, quantity: Decimal, value: Decimal) -> Result<PositionBook, Rejection> {
        let opens_only = self.quantity.is_zero()
            || self.quantity.is_sign_negative() == quantity.is_sign_negative();
        let closed = if opens_only {
            Decimal::ZERO
        } else {
            quantity.abs().min(self.quantity.abs())
        };
        let (closing_value, released_cost) = if closed.is_zero() {
            (Decimal::ZERO, Decimal::ZERO)
        } else {
            (
                money::share_of(value, closed, quantity.abs())?,
                money::share_of(self.cost, closed, self.quantity.abs())?,
            )
        };
        let profit = money::subtract(-closing_value, released_cost, "realised profit")?;
        let opened_value = money::subtract(value, closing_value, "notional")?;
        let next = PositionBook {
            quantity: money::add(self.quantity, quantity, "position")?,
            cost: money::add(
                money::subtract(self.cost, released_cost, "cost")?,
                opened_value,
                "cost",
            )?,
            realised_profit: money::add(self.realised_profit, profit, "realised profit")?,
            opening_quantity: self.opening_quantity,
            opening_cost: self.opening_cost,
            traded_quantity: money::add(self.traded_quantity, quantity, "traded quantity")?,
            traded_value: money::add(self.traded_value, value, "traded value")?,
        };
        if next.quantity.abs() > money::quantity_max() {
            return Err(Rejection::out_of_range("position"));
        }
        Ok(next)
    }

    /// The sum of the fills is the position, and no value came from nowhere.
    fn assert_balanced(&self) {
        assert!(
            self.quantity == self.opening_quantity + self.traded_quantity,
            "position differs from its fills"
        );
        let expected_cost = self.opening_cost + self.traded_value + self.realised_profit;
        assert!(
            self.cost == expected_cost,
            "cost {} differs from its fills {expected_cost}",
            self.cost
        );
        assert!(
            !self.quantity.is_zero() || self.cost.is_zero(),
            "a closed position costs {}",
            self.cost
        );
    }
}

/// One account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Account {
    pub(crate) currency: String,
    pub(crate) cash: Decimal,
    pub(crate) realised_profit: Decimal,
    pub(crate) fees_paid: Decimal,
    /// Cash minus realised profit plus fees: never changes.
    constant: Decimal,
    pub(crate) positions: BTreeMap<String, PositionBook>,
    pub(crate) orders: BTreeMap<VenueOrderId, Order>,
    /// No entry is empty.
    pub(crate) open_by_symbol: BTreeMap<String, BTreeSet<VenueOrderId>>,
    pub(crate) by_client_order_id: BTreeMap<String, Vec<VenueOrderId>>,
    closed: VecDeque<VenueOrderId>,
    pub(crate) forgotten_orders: u64,
    pub(crate) log: ReportLog,
}

impl Account {
    /// An account without positions and orders.
    pub(crate) fn opening(
        currency: &str,
        cash: Decimal,
        profit: Decimal,
        fees: Decimal,
        log: ReportLog,
    ) -> Account {
        Account {
            currency: currency.to_owned(),
            cash,
            realised_profit: profit,
            fees_paid: fees,
            constant: cash - profit + fees,
            positions: BTreeMap::new(),
            orders: BTreeMap::new(),
            open_by_symbol: BTreeMap::new(),
            by_client_order_id: BTreeMap::new(),
            closed: VecDeque::new(),
            forgotten_orders: 0,
            log,
        }
    }

    /// The net quantity in `symbol`, negative for short.
    pub(crate) fn net_quantity(&self, symbol: &str) -> Decimal {
        self.positions
            .get(symbol)
            .map_or(Decimal::ZERO, |book| book.quantity)
    }

    /// How much of the position in `symbol` an order of that side can take away.
    pub(crate) fn reducible(&self, symbol: &str, side: Side) -> Decimal {
        let net = self.net_quantity(symbol);
        let reduces = match side {
            Side::Buy => net.is_sign_negative(),
            Side::Sell => net.is_sign_positive(),
        };
        if reduces { net.abs() } else { Decimal::ZERO }
    }

    /// The number of open orders.
    pub(crate) fn open_count(&self) -> usize {
        self.open_by_symbol.values().map(BTreeSet::len).sum()
    }

    /// The newest order under that client order id.
    pub(crate) fn newest(&self, client_order_id: &str) -> Option<&Order> {
        let id = self.by_client_order_id.get(client_order_id)?.last()?;
        self.orders.get(id)
    }

    /// Takes an open order into the books.
    pub(crate) fn insert_open(&mut self, order: Order) {
        let id = order.venue_order_id;
        self.open_by_symbol
            .entry(order.request.symbol.clone())
            .or_default()
            .insert(id);
        self.by_client_order_id
            .entry(order.request.client_order_id.clone())
            .or_default()
            .push(id);
        let replaced = self.orders.insert(id, order);
        assert!(replaced.is_none(), "venue order id {id} was given twice");
    }

    /// Books one execution of an open order: position, cash, fee, order and report change together or not at all.
    pub(crate) fn book(&mut self, id: VenueOrderId, fill: Fill) -> Result<(), Rejection> {
        let Some(order) = self.orders.get_mut(&id) else {
            return Ok(());
        };
        assert!(
            order.is_open() && fill.quantity > Decimal::ZERO,
            "order {id} is filled by {} though it is closed",
            fill.quantity
        );
        assert!(
            fill.quantity <= order.remaining_quantity(),
            "order {id} is filled beyond its quantity"
        );
        let side = order.request.side;
        let flat = PositionBook::opening(Decimal::ZERO, Decimal::ZERO);
        let book = self.positions.get(&order.request.symbol).unwrap_or(&flat);
        let next_book = book.after_fill(side.signed(fill.quantity), side.signed(fill.value))?;
        let profit = money::subtract(
            next_book.realised_profit,
            book.realised_profit,
            "realised profit",
        )?;
        let realised_profit = money::add(self.realised_profit, profit, "realised profit")?;
        let fees_paid = money::add(self.fees_paid, fill.fee, "fees")?;
        let cash = money::subtract(money::add(self.cash, profit, "cash")?, fill.fee, "cash")?;
        let traded = money::value_of(fill.quantity, fill.price, Decimal::ONE)?;
        let filled_value = money::add(order.filled_value, traded, "filled value")?;

        next_book.assert_balanced();
        assert!(
            cash == self.constant + realised_profit - fees_paid,
            "cash {cash} differs from profit and fees"
        );
        self.positions
            .insert(order.request.symbol.clone(), next_book);
        (self.cash, self.realised_profit, self.fees_paid) = (cash, realised_profit, fees_paid);
        order.filled_quantity += fill.quantity;
        order.filled_value = filled_value;
        order.changed_at = fill.at;
        order.fills.push(fill.clone());
        let complete = order.remaining_quantity().is_zero();
        let at = fill.at;
        self.log
            .record(order, ReportEvent::Filled { fill, complete }, at);
        if complete {
            self.close(id, OrderStatus::Filled, at);
        }
        Ok(())
    }

    /// Ends an open order and reports it, unless its last fill has done so.
    pub(crate) fn close(&mut self, id: VenueOrderId, status: OrderStatus, at: Micros) {
        let Some(order) = self.orders.get_mut(&id) else {
            return;
        };
        assert!(order.is_open(), "order {id} is closed twice");
        order.status = status;
        order.changed_at = at;
        match status {
            OrderStatus::Cancelled(reason) => {
                self.log
                    .record(order, ReportEvent::Cancelled { reason }, at)
            }
            OrderStatus::Expired(reason) => {
                self.log.record(order, ReportEvent::Expired { reason }, at)
            }
            OrderStatus::Filled | OrderStatus::Open => {}
        }
        if let Some(open) = self.open_by_symbol.get_mut(&order.request.symbol) {
            open.remove(&id);
            if open.is_empty() {
                self.open_by_symbol.remove(&order.request.symbol);
            }
        }
        self.closed.push_back(id);
        if self.closed.len() > CLOSED_ORDERS_KEPT_MAX {
            self.forget_oldest();
        }
    }

    /// The open positions.
    pub(crate) fn open_positions(
        &self,
        instrument: impl Fn(&str) -> Option<Instrument>,
    ) -> Vec<Position> {
        let open = self
            .positions
            .iter()
            .filter(|(_, book)| !book.quantity.is_zero());
        let view = open.map(|(symbol, book)| {
            let multiplier = instrument(symbol)
                .map_or(Decimal::ONE, |instrument| instrument.contract_multiplier);
            let units = book
                .quantity
                .checked_mul(multiplier)
                .unwrap_or(book.quantity);
            Position {
                symbol: symbol.clone(),
                quantity: book.quantity,
                average_price: money::average_price(book.cost, units).unwrap_or_default(),
                realised_profit: book.realised_profit,
            }
        });
        view.collect()
    }

    fn forget_oldest(&mut self) {
        let Some(id) = self.closed.pop_front() else {
            return;
        };
        let Some(order) = self.orders.remove(&id) else {
            return;
        };
        self.forgotten_orders += 1;
        let client_order_id = &order.request.client_order_id;
        if let Some(ids) = self.by_client_order_id.get_mut(client_order_id) {
            ids.retain(|kept| *kept != id);
            if ids.is_empty() {
                self.by_client_order_id.remove(client_order_id);
            }
        }
    }
}
