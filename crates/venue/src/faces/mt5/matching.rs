//! The market moves: which levels and pending orders a price reaches, and what time and the day's end do.
//!
//! What buys goes by the ask, what sells by the bid. Whatever is reached is executed at the market, so that a gap fills
//! beyond the level.

use super::MarginMode;
use super::book::{Book, Order, Position};
use super::kinds::{Filling, Lifetime, OrderKind, OrderState, Reason, Waits};
use super::request::TradeRequest;
use super::symbols::Symbol;
use rust_decimal::Decimal;

impl Book {
    /// Tells a new price. While the session is closed it only stands; what it reaches is executed on the opening.
    pub(super) fn quote(&mut self, symbol: &str, prices: (Decimal, Decimal, Decimal), now: i64) {
        let (bid, ask, last) = prices;
        if let Some(market) = self.symbols.get_mut(symbol) {
            market.quote(bid, ask, last, now);
        }
        self.match_symbol(symbol, now);
    }

    /// Executes all that the symbol's price has reached.
    pub(super) fn match_symbol(&mut self, symbol: &str, now: i64) {
        while self.match_one(symbol, now) {}
    }

    /// Executes one thing that the price has reached: levels before pending orders, older before younger.
    fn match_one(&mut self, name: &str, now: i64) -> bool {
        let Some(symbol) = self.symbols.get(name).filter(|symbol| symbol.session_open) else {
            return false;
        };
        let positions = self.positions.values();
        let reached = positions
            .filter(|position| position.symbol == name)
            .find_map(|position| {
                let (reason, level) = reached_level(symbol, position)?;
                let volume = symbol.available(position.side.opposite(), position.volume);
                (!volume.is_zero()).then(|| (position.clone(), reason, level, volume))
            });
        if let Some((position, reason, level, volume)) = reached {
            self.fire_level(&position, reason, level, volume, now);
            return true;
        }
        let due = self
            .orders
            .values()
            .find(|order| order.symbol == name && is_due(symbol, order));
        let Some(order) = due.cloned() else {
            return false;
        };
        self.carry_on(order, now);
        true
    }

    /// Closes a position, or what the market takes of it, because the price has reached a level.
    fn fire_level(
        &mut self,
        position: &Position,
        reason: Reason,
        level: Decimal,
        volume: Decimal,
        now: i64,
    ) {
        let digits = self
            .symbols
            .get(&position.symbol)
            .map(|symbol| symbol.digits);
        let digits = digits.unwrap_or_default() as usize;
        let what = if reason == Reason::StopLoss {
            "sl"
        } else {
            "tp"
        };
        let request = TradeRequest {
            magic: position.magic,
            symbol: position.symbol.clone(),
            volume,
            price: level,
            comment: format!("[{what} {level:.digits$}]"),
            ..TradeRequest::default()
        };
        let price = self.price_of(position);
        self.close_at(&request, position, reason, price, now);
    }

    /// Carries on an order whose price is reached.
    fn carry_on(&mut self, mut order: Order, now: i64) {
        let is_first = order.state == OrderState::Placed && !order.activated;
        match order.kind.waits() {
            Waits::StopLimit => {
                order.kind = OrderKind::limit(order.side());
                order.price_open = order.price_stoplimit;
                order.price_stoplimit = Decimal::ZERO;
                return self.rest_order(order);
            }
            Waits::Stop => order.activated = true,
            Waits::Nothing | Waits::Limit | Waits::CloseBy => {}
        }
        if is_first && !self.can_activate(&order) {
            return self.end_order(order, OrderState::Rejected, now);
        }
        self.fill(order, now);
    }

    /// Whether the account carries what the order opens, now that it is executed.
    fn can_activate(&self, order: &Order) -> bool {
        let Some(symbol) = self.symbols.get(&order.symbol) else {
            return false;
        };
        let side = order.side();
        let closes = order.closes.is_some();
        let opened = self.opened_volume(&order.symbol, side, order.volume_current, closes);
        let price = symbol.market_price(side).unwrap_or_default();
        self.check_direction(symbol, side, opened).is_ok()
            && self.check_money(symbol, side, opened, price).is_ok()
    }

    /// Fills as much of a due order as the market takes and its filling admits.
    fn fill(&mut self, mut order: Order, now: i64) {
        let side = order.side();
        let market = self.symbols.get(&order.symbol);
        let Some((symbol, price)) =
            market.and_then(|symbol| Some((symbol, symbol.market_price(side)?)))
        else {
            return;
        };
        let mut wanted = order.volume_current;
        let closed = order.closes.and_then(|ticket| self.positions.get(&ticket));
        if let Some(position) = closed {
            wanted = wanted.min(position.volume);
        }
        let volume = symbol.available(side, wanted);
        let misses = order.filling == Filling::FillOrKill && volume < order.volume_current;
        if !misses && !volume.is_zero() {
            self.execute(&mut order, volume, price, now);
        }
        if order.volume_current.is_zero() {
            self.end_order(order, OrderState::Filled, now);
        } else if misses || order.filling == Filling::ImmediateOrCancel {
            self.end_order(order, OrderState::Canceled, now);
        } else {
            self.rest_order(order);
        }
        self.drop_orphans(now);
    }

    /// Lets time pass: orders whose time is over expire. Returns whether any did.
    pub(super) fn advance(&mut self, now: i64) -> bool {
        self.expire(now, |order| {
            order.expiration > 0 && order.expiration.saturating_mul(1_000) <= now
        })
    }

    /// The server's day ends: orders for the day expire, and on exchange accounts positions lose their levels
    /// (MetaTrader 5 help, "Rules of Stop Loss and Take Profit inheritance (netting)").
    pub(super) fn new_day(&mut self, now: i64) {
        self.expire(now, |order| order.lifetime == Lifetime::Day);
        if self.margin_mode != MarginMode::Exchange {
            return;
        }
        for position in self.positions.values_mut() {
            if position.sl.is_zero() && position.tp.is_zero() {
                continue;
            }
            (position.sl, position.tp) = (Decimal::ZERO, Decimal::ZERO);
            position.changed_at = now;
            self.transactions.position_changed(position);
        }
    }

    fn expire(&mut self, now: i64, is_over: impl Fn(&Order) -> bool) -> bool {
        let over: Vec<Order> = self
            .orders
            .values()
            .filter(|order| is_over(order))
            .cloned()
            .collect();
        let any = !over.is_empty();
        for order in over {
            self.end_order(order, OrderState::Expired, now);
        }
        any
    }
}

/// The level of the position that the price has reached, the stop before the target.
fn reached_level(symbol: &Symbol, position: &Position) -> Option<(Reason, Decimal)> {
    let price = symbol.market_price(position.side.opposite())?;
    let beyond = |level: Decimal, below: bool| {
        !level.is_zero()
            && if below {
                price <= level
            } else {
                price >= level
            }
    };
    let is_long = position.side.is_buy();
    if beyond(position.sl, is_long) {
        return Some((Reason::StopLoss, position.sl));
    }
    beyond(position.tp, !is_long).then_some((Reason::TakeProfit, position.tp))
}

/// Whether there is something to do for the order at this price.
fn is_due(symbol: &Symbol, order: &Order) -> bool {
    let side = order.side();
    let Some(price) = symbol.market_price(side) else {
        return false;
    };
    let is_worse = if side.is_buy() {
        price >= order.price_open
    } else {
        price <= order.price_open
    };
    let is_better = if side.is_buy() {
        price <= order.price_open
    } else {
        price >= order.price_open
    };
    let reached = match order.kind.waits() {
        Waits::StopLimit => return is_worse,
        Waits::Stop if !order.activated => return is_worse,
        Waits::Stop | Waits::Nothing => true,
        Waits::Limit => is_better,
        Waits::CloseBy => false,
    };
    // What returns its rest waits until the market takes some; the others are done with at once.
    let waits_for_depth = matches!(order.filling, Filling::Return | Filling::BookOrCancel);
    let depth = symbol.available(side, order.volume_current);
    reached && !(waits_for_depth && depth.is_zero())
}
