//! Placing orders on the spot exchange: filters, what the matching engine refuses, funds, and the order's start.
//!
//! Messages: Binance Spot API, "Error codes", section on -2010.

use super::exchange::SpotExchange;
use super::order::{Expiry, NewOrder, OrderType, SpotOrder, Status, TimeInForce};
use super::symbols::{ALGO_ORDERS_MAX, Filtered, ORDERS_MAX};
use crate::faces::binance::error::ApiError;
use crate::order::{self, OrderKind, OrderRequest, Side};
use crate::time::Micros;
use crate::trigger::PriceTrigger;
use rust_decimal::Decimal;

/// Attempts to fit a market order by amount into its amount.
const FITTINGS_MAX: usize = 50;

impl SpotExchange {
    /// Places one order; `part` cuts what a market order gets. Answers with its number.
    ///
    /// # Errors
    /// As Binance refuses: filters, duplicates, what would execute or trigger at once, funds.
    pub(super) fn place(
        &mut self,
        account: &str,
        request: NewOrder,
        part: Option<Decimal>,
        now: Micros,
    ) -> Result<u64, ApiError> {
        let request = self.check_request(account, request)?;
        self.check_engine(&request)?;
        self.check_funds(account, &[&request])?;
        let id = self.accept(account, request, None, Status::New, now);
        self.tell_order(id, "NEW", now);
        self.relock(id, now);
        self.start(id, part, now);
        Ok(id)
    }

    /// What is checked before the matching engine sees an order, all that a test order gets. Answers with the order,
    /// its size known.
    ///
    /// # Errors
    /// -1121, -1013, and -2010 for a client order id that is taken.
    pub(super) fn check_request(
        &self,
        account: &str,
        request: NewOrder,
    ) -> Result<NewOrder, ApiError> {
        let request = self.sized(request)?;
        self.check_filters(&request)?;
        self.check_open(account, &request)?;
        Ok(request)
    }

    /// Says whether what is open leaves room for the order and its name.
    fn check_open(&self, account: &str, request: &NewOrder) -> Result<(), ApiError> {
        let open = || self.open_orders(account, Some(request.symbol.as_str()));
        if open().count() >= ORDERS_MAX {
            return Err(ApiError::filter("MAX_NUM_ORDERS"));
        }
        let waiting = open().filter(|order| order.request.kind.is_contingent());
        if request.kind.is_contingent() && waiting.count() >= ALGO_ORDERS_MAX {
            return Err(ApiError::filter("MAX_NUM_ALGO_ORDERS"));
        }
        let is_taken = request
            .client_id
            .as_ref()
            .is_some_and(|id| open().any(|order| order.client_id == *id));
        if is_taken {
            return Err(ApiError::rejected("Duplicate order sent."));
        }
        Ok(())
    }

    /// Says whether the symbol's filters let the order pass. The size of one that is not known yet is not looked at.
    pub(super) fn check_filters(&self, request: &NewOrder) -> Result<(), ApiError> {
        let symbol = self.symbol(&request.symbol)?;
        let filtered = Filtered {
            quantity: request.quantity,
            price: request.price,
            stop_price: request.stop_price,
            trailing_delta: request.trailing_delta,
            iceberg_quantity: request.iceberg_quantity,
            is_market: !request.kind.has_price(),
        };
        symbol.check(&filtered, self.last_price(&request.symbol))
    }

    /// What the matching engine refuses: a maker order that would take, a stop that is passed already.
    ///
    /// # Errors
    /// -2010.
    pub(super) fn check_engine(&self, request: &NewOrder) -> Result<(), ApiError> {
        let asked = venue_request("", request, request.quantity);
        if request.kind == OrderType::LimitMaker && self.venue.executes_on_arrival(&asked) {
            return Err(ApiError::rejected(
                "Order would immediately match and take.",
            ));
        }
        let last = self.last_price(&request.symbol);
        let is_passed = first_trigger(request).is_some_and(|mut trigger| trigger.reached(last));
        if is_passed {
            return Err(ApiError::rejected("Order would trigger immediately."));
        }
        Ok(())
    }

    /// Says whether the account can pay for the largest of these orders (of which only one will be executed).
    ///
    /// # Errors
    /// -2010.
    pub(super) fn check_funds(&self, account: &str, orders: &[&NewOrder]) -> Result<(), ApiError> {
        for request in orders {
            let (asset, amount) = self.cost(request, request.quantity, first_trigger(request));
            let wallet = self.wallets.get(account);
            let free = wallet.map_or(Decimal::ZERO, |wallet| wallet.holding(&asset).free);
            if amount > free {
                return Err(ApiError::rejected(
                    "Account has insufficient balance for requested action.",
                ));
            }
        }
        Ok(())
    }

    /// What executing `quantity` of an order takes, by the prices of now: asset and amount.
    pub(super) fn cost(
        &self,
        request: &NewOrder,
        quantity: Decimal,
        trigger: Option<PriceTrigger>,
    ) -> (String, Decimal) {
        let Some(symbol) = self.symbols.get(&request.symbol) else {
            return (String::new(), Decimal::ZERO);
        };
        match (request.side, request.price) {
            (Side::Sell, _) => (symbol.base.to_owned(), quantity),
            (Side::Buy, Some(price)) => (symbol.quote.to_owned(), price * quantity),
            (Side::Buy, None) => {
                let waits_at = trigger.map(|trigger| {
                    let level = trigger.level().or(request.stop_price);
                    level.unwrap_or_else(|| self.last_price(&request.symbol))
                });
                let amount = match waits_at {
                    Some(level) => (level * quantity).round_dp_with_strategy(
                        8,
                        rust_decimal::RoundingStrategy::ToPositiveInfinity,
                    ),
                    None => self.market_value(&request.symbol, Side::Buy, quantity),
                };
                (symbol.quote.to_owned(), amount)
            }
        }
    }

    /// Takes an order into the books; it does not work yet.
    pub(super) fn accept(
        &mut self,
        account: &str,
        request: NewOrder,
        list_id: Option<u64>,
        status: Status,
        now: Micros,
    ) -> u64 {
        let id = self.give_order_id();
        let client_id = request.client_id.clone();
        let order = SpotOrder {
            id,
            account: account.to_owned(),
            client_id: client_id.unwrap_or_else(|| generated_id(id)),
            status,
            expiry: None,
            executed: Decimal::ZERO,
            quote_executed: Decimal::ZERO,
            trades: Vec::new(),
            list_id,
            activation: None,
            trigger: first_trigger(&request),
            trailing_since: None,
            ticket: None,
            lock: id,
            created_at: now,
            updated_at: now,
            working_since: None,
            amends: 0,
            request,
        };
        self.orders.insert(id, order);
        self.open.entry(account.to_owned()).or_default().insert(id);
        id
    }

    /// Lets an accepted order wait for its price, or begin to work.
    pub(super) fn start(&mut self, id: u64, part: Option<Decimal>, now: Micros) {
        let last = match self.orders.get(&id) {
            Some(order) => self.last_price(&order.request.symbol),
            None => return,
        };
        let Some(order) = self.orders.get_mut(&id) else {
            return;
        };
        if order.request.trailing_delta.is_some() {
            order.activation = order
                .request
                .stop_price
                .map(|price| waits_for(&order.request, price));
            if order.activation.is_none() {
                order.trailing_since = Some(now);
                // The first price can't be the one that triggers.
                let _ = order
                    .trigger
                    .as_mut()
                    .is_some_and(|trigger| trigger.reached(last));
            }
        }
        if order.trigger.is_none() {
            self.work(id, part, now);
        }
    }

    /// Brings an order to the market.
    pub(super) fn work(&mut self, id: u64, part: Option<Decimal>, now: Micros) {
        let Some(order) = self.orders.get(&id) else {
            return;
        };
        let (account, kind) = (order.account.clone(), order.request.kind);
        let mut quantity = order.remaining();
        if let Some(part) = part.filter(|_| !kind.has_price()) {
            let step = self
                .symbols
                .get(&order.request.symbol)
                .map_or(Decimal::ONE, |symbol| symbol.step);
            quantity = (quantity * part / step).floor() * step;
        }
        let request = order.request.clone();
        let ticket = self.give_ticket(id);
        if let Some(order) = self.orders.get_mut(&id) {
            order.ticket = Some(ticket.clone());
            order.working_since = Some(now);
        }
        let asked = venue_request(&ticket, &request, quantity);
        if !quantity.is_zero() && self.venue.place(&account, asked, now).is_err() {
            self.expire(id, Expiry::Rejected, now);
            return;
        }
        self.absorb(&account, now);
        let is_left = self
            .orders
            .get(&id)
            .is_some_and(|order| order.status.is_open());
        if is_left && !kind.has_price() {
            self.expire(id, Expiry::InsufficientLiquidity, now);
        }
    }

    /// A market order by amount, its quantity found: as much as the amount buys or has to be sold for it.
    fn sized(&self, request: NewOrder) -> Result<NewOrder, ApiError> {
        let Some(amount) = request.quote_quantity else {
            return Ok(request);
        };
        let symbol = self.symbol(&request.symbol)?;
        let last = self.last_price(&request.symbol);
        let too_little = || {
            ApiError::rejected(
                "Order book liquidity is less than `LOT_SIZE` filter minimum quantity.",
            )
        };
        if last.is_zero() {
            return Err(too_little());
        }
        let to_step = |quantity: Decimal| (quantity / symbol.step).floor() * symbol.step;
        let mut quantity = to_step(amount / last);
        for _ in 0..FITTINGS_MAX {
            let value = self.market_value(symbol.name, request.side, quantity);
            if value <= amount || value.is_zero() {
                break;
            }
            let smaller = to_step(quantity * amount / value);
            quantity = smaller.min(quantity - symbol.step);
        }
        if quantity < symbol.step {
            return Err(if amount < symbol.notional_min {
                ApiError::filter("NOTIONAL")
            } else {
                too_little()
            });
        }
        Ok(NewOrder {
            quantity,
            ..request
        })
    }

    /// What a market order would be worth now.
    fn market_value(&self, symbol: &str, side: Side, quantity: Decimal) -> Decimal {
        let pieces = self.venue.pieces_now(symbol, side, quantity, None);
        pieces.iter().map(|(price, piece)| price * piece).sum()
    }
}

/// The client order id of an order that was sent without one.
pub(super) fn generated_id(id: u64) -> String {
    format!("x{:021x}", u128::from(id) << 40)
}

/// The price at which a contingent order wakes.
fn waits_for(request: &NewOrder, price: Decimal) -> PriceTrigger {
    if request.kind.is_stop() {
        PriceTrigger::stop(request.side, price)
    } else {
        PriceTrigger::take_profit(request.side, price)
    }
}

/// What a new order waits for, if it waits.
fn first_trigger(request: &NewOrder) -> Option<PriceTrigger> {
    if !request.kind.is_contingent() {
        return None;
    }
    match request.trailing_delta {
        Some(delta) => Some(PriceTrigger::trail(request.side, Decimal::from(delta))),
        None => request.stop_price.map(|price| waits_for(request, price)),
    }
}

/// The order as the venue takes it once it works: a limit or a market order.
fn venue_request(ticket: &str, request: &NewOrder, quantity: Decimal) -> OrderRequest {
    let plain = OrderRequest::market(ticket, &request.symbol, request.side, quantity);
    match request.price {
        None => plain,
        Some(price) => OrderRequest {
            time_in_force: match request.time_in_force {
                TimeInForce::Gtc => order::TimeInForce::Gtc,
                TimeInForce::Ioc => order::TimeInForce::Ioc,
                TimeInForce::Fok => order::TimeInForce::Fok,
            },
            ..plain.with_kind(OrderKind::Limit { price })
        },
    }
}
