//! Placing, changing and cancelling regular orders: what Binance checks, in an order in which a caller learns most.

use super::events::Execution;
use super::exchange::{FuturesExchange, leg_name};
use super::order::{
    FuturesOrder, OrderId, OrderKey, OrderStatus, OrderTicket, OrderType, PositionSide, PriceMatch,
    TimeInForce, WorkingType,
};
use super::refusal::Refusal;
use super::symbols::OPEN_ORDERS_PER_SYMBOL_MAX;
use crate::order::{OrderKind, OrderRequest, Side, TimeInForce as VenueTimeInForce};
use crate::rejection::{RejectCode, Rejection};
use crate::time::Micros;
use rust_decimal::{Decimal, RoundingStrategy};

/// Characters in a client order id at most.
const CLIENT_ID_MAX: usize = 36;
/// An order must live at least so many milliseconds (`goodTillDate`).
const GOOD_TILL_MIN_MS: i64 = 600_000;
/// The last moment that `goodTillDate` may name: the end of the year 9999.
const GOOD_TILL_MAX_MS: i64 = 253_402_300_799_000;

impl FuturesExchange {
    /// Places a regular order and executes it as far as it can be now.
    pub(crate) fn place(
        &mut self,
        account: &str,
        ticket: &OrderTicket,
        now: Micros,
    ) -> Result<OrderId, Refusal> {
        let order = self.check(account, ticket, now)?;
        self.work(account, order, now)
    }

    /// All checks of a regular order; the order that would be placed.
    pub(crate) fn check(
        &self,
        account: &str,
        ticket: &OrderTicket,
        now: Micros,
    ) -> Result<FuturesOrder, Refusal> {
        let rules = self.rules(&ticket.symbol)?;
        let books = self.account(account)?;
        if ticket.order_type.is_conditional() {
            let message = "Order type not supported for this endpoint. \
                           Please use the Algo Order API endpoints instead.";
            return Err(Refusal::new(-4120, message));
        }
        let time_in_force = time_in_force(ticket)?;
        let client_order_id = self.client_order_id(ticket.client_order_id.as_deref())?;
        let is_taken = books
            .open_orders()
            .any(|order| order.client_order_id == client_order_id);
        if is_taken {
            return Err(Refusal::new(-4116, "ClientOrderId is duplicated."));
        }
        let position_side = books.position_side(ticket.position_side)?;
        let reduce_only = reduces(position_side, ticket.side, ticket.reduce_only)?;
        let quantity = ticket
            .quantity
            .ok_or_else(|| Refusal::missing("quantity"))?;
        let is_market = ticket.order_type == OrderType::Market;
        rules.check_quantity(quantity, is_market)?;
        let price = self.ticket_price(ticket)?;
        let good_till_ms = good_till(ticket.time_in_force, ticket.good_till_ms, now)?;
        let order = FuturesOrder {
            id: OrderId(0),
            client_order_id,
            symbol: ticket.symbol.clone(),
            side: ticket.side,
            position_side,
            order_type: ticket.order_type,
            original_type: ticket.order_type,
            time_in_force,
            quantity,
            price,
            price_match: ticket.price_match,
            reduce_only,
            close_position: false,
            trigger_price: Decimal::ZERO,
            working_type: WorkingType::Contract,
            price_protect: false,
            self_trade: ticket.self_trade,
            good_till_ms,
            status: OrderStatus::New,
            executed: Decimal::ZERO,
            executed_value: Decimal::ZERO,
            realised_profit: Decimal::ZERO,
            parent: None,
            created: now,
            updated: now,
            venue_name: String::new(),
            venue_quantity: quantity,
        };
        self.check_working(account, &order)?;
        Ok(order)
    }

    /// The checks at the door of the matching engine: those that a triggered order has to pass too.
    pub(super) fn check_working(&self, account: &str, order: &FuturesOrder) -> Result<(), Refusal> {
        let books = self.account(account)?;
        let rules = self.rules(&order.symbol)?;
        let symbol = &order.symbol;
        if order.order_type == OrderType::Limit {
            rules.check_band(order.side, order.price, self.mark_price(symbol))?;
        }
        if order.reduce_only {
            self.check_reduces(account, order)?;
        } else {
            let price = if order.price.is_zero() {
                self.last_price(symbol)
            } else {
                order.price
            };
            rules.check_notional(order.quantity * price)?;
        }
        let open = books.open_orders().filter(|open| open.symbol == *symbol);
        if open.count() >= OPEN_ORDERS_PER_SYMBOL_MAX {
            return Err(Refusal::new(-2025, "Reach max open order limit."));
        }
        self.check_execution(order)?;
        self.check_margin(books, order)
    }

    /// A reducing order needs something to reduce (-2022); in hedge mode all closing orders of a position together may
    /// not be larger than it.
    fn check_reduces(&self, account: &str, order: &FuturesOrder) -> Result<(), Refusal> {
        let books = self.account(account)?;
        let (symbol, position_side, side) = (&order.symbol, order.position_side, order.side);
        let reducible = books.reducible(symbol, position_side, side);
        let closing: Decimal = books
            .open_orders()
            .filter(|open| open.symbol == *symbol && open.position_side == position_side)
            .filter(|open| open.side == side && open.reduce_only)
            .map(FuturesOrder::remaining)
            .sum();
        let exceeds =
            books.hedge_mode && !order.close_position && closing + order.quantity > reducible;
        if reducible.is_zero() || exceeds {
            return Err(Refusal::reduce_only());
        }
        Ok(())
    }

    /// Orders that must execute wholly (-5021) or must not execute at once (-5022).
    fn check_execution(&self, order: &FuturesOrder) -> Result<(), Refusal> {
        let request = venue_request(order, "probe");
        match order.time_in_force {
            TimeInForce::Gtx if self.venue.executes_on_arrival(&request) => {
                let message = "Due to the order could not be executed as maker, the Post Only order will be rejected.";
                Err(Refusal::new(-5022, message))
            }
            TimeInForce::Fok => {
                let limit = (order.order_type == OrderType::Limit).then_some(order.price);
                let pieces =
                    self.venue
                        .pieces_now(&order.symbol, order.side, order.quantity, limit);
                let found: Decimal = pieces.iter().map(|(_, quantity)| *quantity).sum();
                if found < order.quantity {
                    let message = "Due to the order could not be filled immediately, the FOK order has been rejected.";
                    return Err(Refusal::new(-5021, message));
                }
                Ok(())
            }
            TimeInForce::Gtc
            | TimeInForce::Ioc
            | TimeInForce::Gtx
            | TimeInForce::Gtd
            | TimeInForce::GteGtc => Ok(()),
        }
    }

    /// Gives a checked order to the venue.
    pub(super) fn work(
        &mut self,
        account: &str,
        mut order: FuturesOrder,
        now: Micros,
    ) -> Result<OrderId, Refusal> {
        let id = self.next_order_id();
        let is_market = order.order_type == OrderType::Market;
        let starvation = self.starvation.filter(|_| is_market);
        if let Some(share) = starvation {
            self.starvation = None;
            order.venue_quantity = self.share_of(&order, share);
        }
        order.id = id;
        order.venue_name = format!("f{id}");
        let leg = leg_name(account, order.position_side);
        let mut venue_order = None;
        if !order.venue_quantity.is_zero() {
            let request = venue_request(&order, &order.venue_name);
            let placed = self.venue.place(&leg, request, now).map_err(refused)?;
            venue_order = Some(placed.venue_order_id);
        }
        self.account_mut(account)?.keep_order(order.clone());
        if let Some(venue_order) = venue_order {
            self.link(venue_order, account, id);
        }
        self.announce_order(account, &order, &Execution::New);
        if let Some(parent) = order.parent {
            self.announce_triggered(account, parent, id, now);
        }
        self.drain(&leg);
        if is_market {
            // A market order never waits: what found no counterparty expires.
            self.end(account, id, OrderStatus::Expired, "9", now);
        }
        Ok(id)
    }

    /// Cancels an open regular order; answers with it as it ended.
    pub(crate) fn cancel(
        &mut self,
        account: &str,
        symbol: &str,
        key: &OrderKey,
        now: Micros,
    ) -> Result<OrderId, Refusal> {
        self.rules(symbol)?;
        let order = self.find(account, symbol, key);
        let open = order.map_err(|_| Refusal::unknown_order())?;
        if !open.status.is_open() {
            return Err(Refusal::unknown_order());
        }
        let (id, leg, name) = (
            open.id,
            leg_name(account, open.position_side),
            open.venue_name.clone(),
        );
        self.withdraw(&leg, &name, now);
        self.end(account, id, OrderStatus::Canceled, "0", now);
        Ok(id)
    }

    /// Cancels all open regular orders of a symbol; conditional orders stay.
    pub(crate) fn cancel_all(
        &mut self,
        account: &str,
        symbol: &str,
        now: Micros,
    ) -> Result<Vec<OrderId>, Refusal> {
        self.rules(symbol)?;
        let books = self.account(account)?;
        let open = books.open_orders().filter(|order| order.symbol == symbol);
        let ids: Vec<OrderId> = open.map(|order| order.id).collect();
        for id in &ids {
            self.cancel(account, symbol, &OrderKey::Id(*id), now)?;
        }
        Ok(ids)
    }

    /// The order under that number or name (-2013); the newest, if several had the name.
    pub(crate) fn find(
        &self,
        account: &str,
        symbol: &str,
        key: &OrderKey,
    ) -> Result<&FuturesOrder, Refusal> {
        let books = self.account(account)?;
        let order = match key {
            OrderKey::Id(id) => books.orders.get(id).filter(|order| order.symbol == symbol),
            OrderKey::Client(name) => books.newest(symbol, name),
        };
        order.ok_or_else(Refusal::no_such_order)
    }

    /// Gives an open limit order another price and quantity; it keeps its number and loses its place in the queue.
    pub(crate) fn modify(
        &mut self,
        account: &str,
        ticket: &OrderTicket,
        key: &OrderKey,
        now: Micros,
    ) -> Result<OrderId, Refusal> {
        let rules = self.rules(&ticket.symbol)?;
        let found = self.find(account, &ticket.symbol, key)?;
        let open = Some(found).filter(|order| order.status.is_open());
        let mut order = open.cloned().ok_or_else(Refusal::no_such_order)?;
        if order.order_type != OrderType::Limit {
            return Err(Refusal::new(-5025, "Only limit order is supported."));
        }
        let quantity = ticket
            .quantity
            .ok_or_else(|| Refusal::missing("quantity"))?;
        rules.check_quantity(quantity, false)?;
        let price = self.ticket_price(ticket)?;
        rules.check_band(order.side, price, self.mark_price(&order.symbol))?;
        if (price, quantity) == (order.price, order.quantity) {
            return Err(Refusal::new(-5027, "No need to modify the order."));
        }
        if !order.reduce_only && quantity * price < rules.notional_min {
            let least = rules.notional_min.normalize();
            let message = format!("Order's notional must be no smaller than {least}");
            return Err(Refusal::new(-5029, message));
        }
        let leg = leg_name(account, order.position_side);
        self.withdraw(&leg, &order.venue_name, now);
        let id = order.id;
        (order.price, order.quantity, order.updated) = (price, quantity, now);
        order.venue_quantity = quantity;
        let would_take = order.time_in_force == TimeInForce::Gtx
            && self
                .venue
                .executes_on_arrival(&venue_request(&order, "probe"));
        if quantity <= order.executed || would_take {
            self.end(account, id, OrderStatus::Canceled, "0", now);
            return Ok(id);
        }
        order.venue_name = format!("f{id}m{}", now.0);
        let mut request = venue_request(&order, &order.venue_name);
        request.quantity = order.remaining();
        let placed = self.venue.place(&leg, request, now).map_err(refused)?;
        self.account_mut(account)?.orders.insert(id, order.clone());
        self.link(placed.venue_order_id, account, id);
        self.announce_order(account, &order, &Execution::Amended);
        self.drain(&leg);
        Ok(id)
    }

    /// The limit price of a ticket: its own, or the one its `priceMatch` finds in the book; zero for a market order.
    fn ticket_price(&self, ticket: &OrderTicket) -> Result<Decimal, Refusal> {
        if ticket.order_type == OrderType::Market {
            return Ok(Decimal::ZERO);
        }
        let rules = self.rules(&ticket.symbol)?;
        let price = self.limit_price(
            &ticket.symbol,
            ticket.side,
            ticket.price,
            ticket.price_match,
        )?;
        rules.check_price(price)?;
        Ok(price)
    }

    pub(super) fn limit_price(
        &self,
        symbol: &str,
        side: Side,
        price: Option<Decimal>,
        price_match: Option<PriceMatch>,
    ) -> Result<Decimal, Refusal> {
        match (price, price_match) {
            (Some(price), None) => Ok(price),
            (Some(_), Some(_)) => Err(Refusal::not_required("price")),
            (None, None) => Err(Refusal::missing("price")),
            (None, Some(price_match)) => {
                let (bid, ask) = self.bid_and_ask(symbol);
                let tick = self.price_tick(symbol).unwrap_or_default();
                let (levels, is_opponent) = depth_of(price_match);
                let away = tick * Decimal::from(levels - 1);
                Ok(match (side, is_opponent) {
                    (Side::Buy, true) => ask + away,
                    (Side::Buy, false) => bid - away,
                    (Side::Sell, true) => bid - away,
                    (Side::Sell, false) => ask + away,
                })
            }
        }
    }

    /// The client's name of an order, or one made for it; -4015 if it isn't one.
    pub(super) fn client_order_id(&self, wanted: Option<&str>) -> Result<String, Refusal> {
        let Some(name) = wanted else {
            return Ok(self.generated_name());
        };
        if name.is_empty() || name.chars().count() > CLIENT_ID_MAX {
            let message = "Client order id length should not be more than 36 chars";
            return Err(Refusal::new(-4015, message));
        }
        let is_legal =
            |character: char| character.is_ascii_alphanumeric() || ".:/_-".contains(character);
        if !name.chars().all(is_legal) {
            return Err(Refusal::new(-4015, "Client order id is not valid."));
        }
        Ok(name.to_owned())
    }

    fn share_of(&self, order: &FuturesOrder, share: Decimal) -> Decimal {
        let step = self
            .symbols
            .get(&order.symbol)
            .map_or(Decimal::ONE, |rules| rules.quantity_step);
        let steps =
            (order.quantity * share / step).round_dp_with_strategy(0, RoundingStrategy::ToZero);
        (steps * step).min(order.quantity)
    }
}

/// Whether the order reduces a position: as it says in one-way mode, by its side in hedge mode.
pub(super) fn reduces(
    position_side: PositionSide,
    side: Side,
    reduce_only: Option<bool>,
) -> Result<bool, Refusal> {
    match (position_side, side) {
        (PositionSide::Both, Side::Buy | Side::Sell) => Ok(reduce_only.unwrap_or(false)),
        (PositionSide::Long, side) if reduce_only.is_none() => Ok(side == Side::Sell),
        (PositionSide::Short, side) if reduce_only.is_none() => Ok(side == Side::Buy),
        (PositionSide::Long | PositionSide::Short, Side::Buy | Side::Sell) => {
            Err(Refusal::not_required("reduceOnly"))
        }
    }
}

/// The end of a `GTD` order in milliseconds, whole seconds; zero for other orders.
pub(super) fn good_till(
    time_in_force: Option<TimeInForce>,
    good_till_ms: Option<i64>,
    now: Micros,
) -> Result<i64, Refusal> {
    if time_in_force != Some(TimeInForce::Gtd) {
        return Ok(0);
    }
    let wanted = good_till_ms.ok_or_else(|| Refusal::missing("goodTillDate"))?;
    let least = now.0 / 1_000 + GOOD_TILL_MIN_MS;
    if wanted <= least || wanted >= GOOD_TILL_MAX_MS {
        let message = "The goodTillDate timestamp must be greater than the current time plus 600 seconds \
                       and smaller than 253402300799000";
        return Err(Refusal::new(-5040, message));
    }
    Ok(wanted / 1_000 * 1_000)
}

fn time_in_force(ticket: &OrderTicket) -> Result<TimeInForce, Refusal> {
    match (ticket.order_type, ticket.time_in_force) {
        (OrderType::Market, None) => {
            let has_price = ticket.price.is_some();
            if has_price || ticket.price_match.is_some() {
                let name = if has_price { "price" } else { "priceMatch" };
                return Err(Refusal::not_required(name));
            }
            Ok(TimeInForce::Gtc)
        }
        (OrderType::Market, Some(_)) => Err(Refusal::not_required("timeInForce")),
        (_, None) => Err(Refusal::missing("timeInForce")),
        (_, Some(TimeInForce::GteGtc)) => Err(Refusal::new(-1115, "Invalid timeInForce.")),
        (_, Some(time_in_force)) => Ok(time_in_force),
    }
}

/// The level of the book that a price match names, and whether it is the other side's.
fn depth_of(price_match: PriceMatch) -> (i64, bool) {
    match price_match {
        PriceMatch::Opponent => (1, true),
        PriceMatch::Opponent5 => (5, true),
        PriceMatch::Opponent10 => (10, true),
        PriceMatch::Opponent20 => (20, true),
        PriceMatch::Queue => (1, false),
        PriceMatch::Queue5 => (5, false),
        PriceMatch::Queue10 => (10, false),
        PriceMatch::Queue20 => (20, false),
    }
}

/// The order as the venue understands it.
fn venue_request(order: &FuturesOrder, name: &str) -> OrderRequest {
    let request = OrderRequest::market(name, &order.symbol, order.side, order.venue_quantity);
    let kind = if order.order_type == OrderType::Market {
        OrderKind::Market
    } else {
        OrderKind::Limit { price: order.price }
    };
    let time_in_force = match order.time_in_force {
        TimeInForce::Ioc => VenueTimeInForce::Ioc,
        TimeInForce::Fok => VenueTimeInForce::Fok,
        TimeInForce::Gtc | TimeInForce::Gtx | TimeInForce::Gtd | TimeInForce::GteGtc => {
            VenueTimeInForce::Gtc
        }
    };
    OrderRequest {
        kind,
        time_in_force,
        reduce_only: order.reduce_only,
        ..request
    }
}

/// What the venue refuses though it passed the checks here.
fn refused(rejection: Rejection) -> Refusal {
    match rejection.code {
        RejectCode::NothingToReduce => Refusal::reduce_only(),
        RejectCode::TooManyOrders => Refusal::new(-2025, "Reach max open order limit."),
        RejectCode::InsufficientFunds => Refusal::insufficient_margin(),
        RejectCode::UnknownAccount
        | RejectCode::AccountExists
        | RejectCode::UnknownSymbol
        | RejectCode::DuplicateClientOrderId
        | RejectCode::Expired
        | RejectCode::Malformed
        | RejectCode::InvalidRequest
        | RejectCode::OffTick
        | RejectCode::OffStep
        | RejectCode::BelowMinimumQuantity
        | RejectCode::BelowMinimumNotional
        | RejectCode::NoPrice
        | RejectCode::OutOfRange
        | RejectCode::Injected => Refusal::new(-2010, "NEW_ORDER_REJECTED"),
    }
}
