//! Carrying requests out: what `order_send` does to the books once a request has passed the checks.

use super::book::{Book, Order, Position};
use super::checks::Plan;
use super::codes::Retcode;
use super::kinds::{Execution, Filling, Lifetime, OrderKind, OrderState, Reason};
use super::request::TradeRequest;
use rust_decimal::Decimal;

/// How a request is handled.
#[derive(Clone, Copy, Debug)]
pub(super) struct Handling {
    /// Who asks.
    pub(super) reason: Reason,
    /// The part of a market order that the market takes at most; none for all.
    pub(super) share: Option<Decimal>,
}

impl Handling {
    pub(super) fn of(reason: Reason) -> Handling {
        Handling {
            reason,
            share: None,
        }
    }
}

/// What the trade server says about a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) retcode: Retcode,
    pub(super) deal: u64,
    pub(super) order: u64,
    pub(super) volume: Decimal,
    pub(super) price: Decimal,
}

impl Sent {
    /// A code and nothing else.
    pub(super) fn only(retcode: Retcode) -> Sent {
        Sent {
            retcode,
            deal: 0,
            order: 0,
            volume: Decimal::ZERO,
            price: Decimal::ZERO,
        }
    }
}

impl Book {
    /// Checks a request and carries it out. `now` is in milliseconds on the server's clock.
    pub(super) fn send(&mut self, request: &TradeRequest, handling: Handling, now: i64) -> Sent {
        let plan = match self.check(request, now) {
            Ok(plan) => plan,
            Err(retcode) => return Sent::only(retcode),
        };
        match plan {
            Plan::Deal {
                kind,
                filling,
                closes,
            } => {
                let mut order = self.new_order(request, kind, filling, handling.reason, now);
                order.closes = closes;
                self.deal(order, handling.share, now)
            }
            Plan::Pending {
                kind,
                filling,
                lifetime,
                expiration,
            } => {
                let mut order = self.new_order(request, kind, filling, handling.reason, now);
                (order.lifetime, order.expiration) = (lifetime, expiration);
                self.place(order, now)
            }
            Plan::Levels { position } => {
                self.set_levels(position, request.sl, request.tp, now);
                Sent::only(Retcode::DONE)
            }
            Plan::Modify {
                order,
                lifetime,
                expiration,
            } => self.modify(order, request, (lifetime, expiration), now),
            Plan::Remove { order } => self.remove(order, now),
            Plan::CloseBy { position, by } => self.close_two(request, position, by, handling, now),
        }
    }

    /// An order as the request describes it, with a ticket of its own.
    fn new_order(
        &mut self,
        request: &TradeRequest,
        kind: OrderKind,
        filling: Filling,
        reason: Reason,
        now: i64,
    ) -> Order {
        Order {
            ticket: self.new_order_ticket(),
            symbol: request.symbol.clone(),
            kind,
            filling,
            lifetime: Lifetime::UntilCancelled,
            expiration: 0,
            state: OrderState::Placed,
            magic: request.magic,
            reason,
            volume_initial: request.volume,
            volume_current: request.volume,
            price_open: request.price,
            price_stoplimit: request.stoplimit,
            sl: request.sl,
            tp: request.tp,
            comment: request.comment.clone(),
            position_id: 0,
            position_by_id: 0,
            placed_at: now,
            done_at: 0,
            closes: None,
            activated: false,
        }
    }

    /// Executes a market order at the market's price, as far as its filling and the market's depth let it.
    fn deal(&mut self, mut order: Order, share: Option<Decimal>, now: i64) -> Sent {
        let side = order.side();
        let market = self.symbols.get(&order.symbol);
        let Some((symbol, price)) =
            market.and_then(|symbol| Some((symbol, symbol.market_price(side)?)))
        else {
            return Sent::only(Retcode::PRICE_OFF);
        };
        let wanted = order.volume_initial;
        let mut volume = symbol.available(side, wanted);
        if let Some(share) = share {
            let steps = (wanted * share / symbol.volume_step).floor();
            volume = volume.min(steps * symbol.volume_step);
        }
        let leaves_trace = symbol.execution == Execution::Exchange;
        order.price_open = price;
        let misses = match order.filling {
            Filling::FillOrKill => volume < wanted,
            Filling::ImmediateOrCancel => volume.is_zero(),
            Filling::Return | Filling::BookOrCancel => false,
        };
        if misses {
            // The server's own refusal leaves nothing behind; an exchange's is in the history.
            let ticket = if leaves_trace { order.ticket } else { 0 };
            if leaves_trace {
                self.transactions.order_added(&order);
                self.end_order(order, OrderState::Rejected, now);
            }
            return Sent {
                order: ticket,
                ..Sent::only(Retcode::REJECT)
            };
        }
        self.transactions.order_added(&order);
        let mut sent = Sent {
            order: order.ticket,
            ..Sent::only(Retcode::PLACED)
        };
        if !volume.is_zero() {
            sent.deal = self.execute(&mut order, volume, price, now);
            (sent.volume, sent.price) = (volume, price);
            sent.retcode = Retcode::DONE_PARTIAL;
        }
        if order.volume_current.is_zero() {
            sent.retcode = Retcode::DONE;
            self.end_order(order, OrderState::Filled, now);
        } else if order.filling == Filling::Return {
            self.orders.insert(order.ticket, order);
        } else {
            self.end_order(order, OrderState::Canceled, now);
        }
        self.drop_orphans(now);
        sent
    }

    /// Lets an order wait; on an exchange one that is better than the market executes at once.
    fn place(&mut self, order: Order, now: i64) -> Sent {
        let market = self.symbols.get(&order.symbol);
        let on_exchange = market.is_some_and(|symbol| symbol.execution == Execution::Exchange);
        let sent = Sent {
            // An exchange has yet to say what it makes of it (an assumption: servers are seen to answer either).
            retcode: if on_exchange {
                Retcode::PLACED
            } else {
                Retcode::DONE
            },
            order: order.ticket,
            volume: order.volume_initial,
            price: order.price_open,
            deal: 0,
        };
        let symbol = order.symbol.clone();
        self.rest_order(order);
        self.match_symbol(&symbol, now);
        sent
    }

    /// Changes a position's levels.
    pub(super) fn set_levels(&mut self, position: u64, sl: Decimal, tp: Decimal, now: i64) {
        if let Some(position) = self.positions.get_mut(&position) {
            (position.sl, position.tp) = (sl, tp);
            position.changed_at = now;
            self.transactions.position_changed(position);
        }
    }

    fn modify(
        &mut self,
        ticket: u64,
        request: &TradeRequest,
        lifetime: (Lifetime, i64),
        now: i64,
    ) -> Sent {
        let Some(mut order) = self.orders.get(&ticket).cloned() else {
            return Sent::only(Retcode::INVALID);
        };
        order.price_open = request.price;
        order.price_stoplimit = request.stoplimit;
        (order.sl, order.tp) = (request.sl, request.tp);
        (order.lifetime, order.expiration) = lifetime;
        let symbol = order.symbol.clone();
        self.rest_order(order);
        self.match_symbol(&symbol, now);
        Sent {
            order: ticket,
            price: request.price,
            ..Sent::only(Retcode::DONE)
        }
    }

    fn remove(&mut self, ticket: u64, now: i64) -> Sent {
        if let Some(order) = self.orders.get(&ticket).cloned() {
            self.end_order(order, OrderState::Canceled, now);
        }
        Sent {
            order: ticket,
            ..Sent::only(Retcode::DONE)
        }
    }

    /// Closes the smaller of two opposite positions wholly, and as much of the other: two deals, each at the opening
    /// price of the other position.
    fn close_two(
        &mut self,
        request: &TradeRequest,
        first: u64,
        second: u64,
        handling: Handling,
        now: i64,
    ) -> Sent {
        let pair = self
            .positions
            .get(&first)
            .cloned()
            .zip(self.positions.get(&second).cloned());
        let Some((one, other)) = pair else {
            return Sent::only(Retcode::POSITION_CLOSED);
        };
        let volume = one.volume.min(other.volume);
        let mut order = self.new_order(
            request,
            OrderKind::CloseBy,
            Filling::FillOrKill,
            handling.reason,
            now,
        );
        order.symbol.clone_from(&one.symbol);
        (order.volume_initial, order.volume_current) = (volume, Decimal::ZERO);
        (order.position_id, order.position_by_id) = (one.identifier, other.identifier);
        self.transactions.order_added(&order);
        let deal = self.close_by(&order, first, volume, other.price_open, now);
        self.close_by(&order, second, volume, other.price_open, now);
        let sent = Sent {
            deal,
            order: order.ticket,
            volume,
            price: other.price_open,
            ..Sent::only(Retcode::DONE)
        };
        self.end_order(order, OrderState::Filled, now);
        self.drop_orphans(now);
        sent
    }

    /// Closes all positions in a symbol at the market, as the broker does when the margin is used up or the day ends.
    /// Returns how many were closed.
    pub(super) fn force_close(&mut self, symbol: &str, reason: Reason, now: i64) -> usize {
        let held = self
            .positions
            .values()
            .filter(|position| position.symbol == symbol);
        let held: Vec<_> = held.cloned().collect();
        for position in &held {
            let request = TradeRequest {
                symbol: symbol.to_owned(),
                volume: position.volume,
                comment: "forced".to_owned(),
                ..TradeRequest::default()
            };
            let price = self.price_of(position);
            self.close_at(&request, position, reason, price, now);
        }
        held.len()
    }

    /// Closes as much of a position as the request says, at that price, by an order of the server's own.
    pub(super) fn close_at(
        &mut self,
        request: &TradeRequest,
        position: &Position,
        reason: Reason,
        price: Decimal,
        now: i64,
    ) {
        let kind = OrderKind::market(position.side.opposite());
        let mut order = self.new_order(request, kind, Filling::Return, reason, now);
        order.closes = self.is_hedging().then_some(position.ticket);
        self.transactions.order_added(&order);
        self.execute(&mut order, request.volume, price, now);
        self.end_order(order, OrderState::Filled, now);
        self.drop_orphans(now);
    }

    /// Cancels what waits to close positions that are gone.
    pub(super) fn drop_orphans(&mut self, now: i64) {
        let gone = self.orders.values().filter(|order| {
            order
                .closes
                .is_some_and(|ticket| !self.positions.contains_key(&ticket))
        });
        let gone: Vec<Order> = gone.cloned().collect();
        for order in gone {
            self.end_order(order, OrderState::Canceled, now);
        }
    }
}
