//! What the trade server checks before it takes a request: the answer is a plan of what to do, or a return code.
//!
//! Where the documentation is silent the stricter reading is taken, and marked as an assumption.

use super::book::{Book, Order, Position};
use super::codes::Retcode;
use super::kinds::{Execution, Filling, Lifetime, OrderKind, Side, TradeMode, Waits};
use super::request::{Action, TradeRequest};
use super::symbols::{self, Symbol};
use rust_decimal::Decimal;

/// What a request that passed all checks is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Plan {
    /// Execute at the market now.
    Deal {
        kind: OrderKind,
        filling: Filling,
        /// The position that it closes, on accounts that hedge.
        closes: Option<u64>,
    },
    /// Let an order wait.
    Pending {
        kind: OrderKind,
        filling: Filling,
        lifetime: Lifetime,
        expiration: i64,
    },
    /// Change a position's levels.
    Levels { position: u64 },
    /// Change a pending order.
    Modify {
        order: u64,
        lifetime: Lifetime,
        expiration: i64,
    },
    /// Remove a pending order.
    Remove { order: u64 },
    /// Close two positions by each other.
    CloseBy { position: u64, by: u64 },
}

const SECONDS_OF_DAY: i64 = 86_400;

impl Book {
    /// Checks a request. `now` is in milliseconds on the server's clock.
    ///
    /// # Errors
    /// The code with which the trade server refuses it; nothing changes.
    pub(super) fn check(&self, request: &TradeRequest, now: i64) -> Result<Plan, Retcode> {
        match request.action().ok_or(Retcode::INVALID)? {
            Action::Deal => self.check_deal(request),
            Action::Pending => self.check_pending(request, now),
            Action::Levels => self.check_levels(request),
            Action::Modify => self.check_modify(request, now),
            Action::Remove => self.check_remove(request),
            Action::CloseBy => self.check_close_by(request),
        }
    }

    /// The symbol, if trading it is possible at all now. One that is not in the Market Watch is refused as invalid (an
    /// assumption: the documentation only says that it has to be there).
    fn tradable(&self, name: &str) -> Result<&Symbol, Retcode> {
        let symbol = self.symbols.get(name).ok_or(Retcode::INVALID)?;
        if !symbol.selected {
            return Err(Retcode::INVALID);
        }
        if symbol.trade_mode == TradeMode::Disabled {
            return Err(Retcode::TRADE_DISABLED);
        }
        if !symbol.session_open {
            return Err(Retcode::MARKET_CLOSED);
        }
        Ok(symbol)
    }

    fn check_deal(&self, request: &TradeRequest) -> Result<Plan, Retcode> {
        let kind = request.kind().ok_or(Retcode::INVALID)?;
        if kind.waits() != Waits::Nothing {
            return Err(Retcode::INVALID);
        }
        let filling = request.filling().ok_or(Retcode::INVALID_FILL)?;
        let symbol = self.tradable(&request.symbol)?;
        check_order_mode(symbol, kind)?;
        check_volume(symbol, request.volume)?;
        let closed = self.check_closed_position(request, symbol, kind.side())?;
        let opened = self.opened_volume(
            &request.symbol,
            kind.side(),
            request.volume,
            closed.is_some(),
        );
        self.check_direction(symbol, kind.side(), opened)?;
        let market = symbol.market_price(kind.side()).ok_or(Retcode::PRICE_OFF)?;
        check_deal_price(symbol, request, market)?;
        let filling = deal_filling(symbol, filling)?;
        if closed.is_none() || !self.is_hedging() {
            check_stops(symbol, kind.side(), request.sl, request.tp, None)?;
        }
        self.check_limit_volume(symbol, kind.side(), opened)?;
        self.check_money(symbol, kind.side(), opened, market)?;
        let closes = closed.filter(|_| self.is_hedging());
        Ok(Plan::Deal {
            kind,
            filling,
            closes: closes.map(|position| position.ticket),
        })
    }

    /// The position that a deal says it closes. Also on accounts that net a ticket has to be that of the position,
    /// which can't be closed by more than it is (an assumption there).
    fn check_closed_position(
        &self,
        request: &TradeRequest,
        symbol: &Symbol,
        side: Side,
    ) -> Result<Option<&Position>, Retcode> {
        if request.position == 0 {
            return Ok(None);
        }
        let position = self.positions.get(&request.position);
        let position = position.ok_or(Retcode::POSITION_CLOSED)?;
        if position.symbol != symbol.name || position.side == side {
            return Err(Retcode::INVALID);
        }
        if request.volume > position.volume {
            return Err(Retcode::INVALID_CLOSE_VOLUME);
        }
        let market = symbol.market_price(side);
        if market.is_some_and(|market| is_frozen(symbol, market, position)) {
            return Err(Retcode::FROZEN);
        }
        let under_way: Decimal = self
            .orders
            .values()
            .filter(|order| order.closes == Some(position.ticket))
            .map(|order| order.volume_current)
            .sum();
        if under_way + request.volume > position.volume {
            return Err(Retcode::CLOSE_ORDER_EXIST);
        }
        let oldest = self.position_in(&symbol.name).map(|oldest| oldest.ticket);
        if self.is_hedging() && self.first_in_first_out && oldest != Some(position.ticket) {
            return Err(Retcode::FIFO_CLOSE);
        }
        Ok(Some(position))
    }

    /// How much of a deal opens a position or makes one larger.
    pub(super) fn opened_volume(
        &self,
        symbol: &str,
        side: Side,
        volume: Decimal,
        closes: bool,
    ) -> Decimal {
        if self.is_hedging() {
            return if closes { Decimal::ZERO } else { volume };
        }
        match self.position_in(symbol) {
            Some(position) if position.side != side => {
                (volume - position.volume).max(Decimal::ZERO)
            }
            Some(_) | None => volume,
        }
    }

    pub(super) fn check_direction(
        &self,
        symbol: &Symbol,
        side: Side,
        opened: Decimal,
    ) -> Result<(), Retcode> {
        if opened.is_zero() {
            return Ok(());
        }
        match symbol.trade_mode {
            TradeMode::Disabled => return Err(Retcode::TRADE_DISABLED),
            TradeMode::LongOnly if side == Side::Sell => return Err(Retcode::LONG_ONLY),
            TradeMode::ShortOnly if side == Side::Buy => return Err(Retcode::SHORT_ONLY),
            TradeMode::CloseOnly => return Err(Retcode::CLOSE_ONLY),
            TradeMode::LongOnly | TradeMode::ShortOnly | TradeMode::Full => {}
        }
        let opposite =
            |position: &&Position| position.symbol == symbol.name && position.side != side;
        if self.is_hedging()
            && self.hedge_prohibited
            && self.positions.values().any(|one| opposite(&one))
        {
            return Err(Retcode::HEDGE_PROHIBITED);
        }
        Ok(())
    }

    fn check_limit_volume(
        &self,
        symbol: &Symbol,
        side: Side,
        opened: Decimal,
    ) -> Result<(), Retcode> {
        if symbol.volume_limit.is_zero() || opened.is_zero() {
            return Ok(());
        }
        let positions = self.positions.values();
        let held: Decimal = positions
            .filter(|position| position.symbol == symbol.name && position.side == side)
            .map(|position| position.volume)
            .sum();
        let orders = self.orders.values();
        let waiting: Decimal = orders
            .filter(|order| order.symbol == symbol.name && order.side() == side)
            .map(|order| order.volume_current)
            .sum();
        if held + waiting + opened > symbol.volume_limit {
            return Err(Retcode::LIMIT_VOLUME);
        }
        Ok(())
    }

    /// Whether the free margin carries what is opened. What a netting deal closes before is set free.
    pub(super) fn check_money(
        &self,
        symbol: &Symbol,
        side: Side,
        opened: Decimal,
        price: Decimal,
    ) -> Result<(), Retcode> {
        if opened.is_zero() {
            return Ok(());
        }
        let closed = self
            .position_in(&symbol.name)
            .filter(|position| !self.is_hedging() && position.side != side)
            .map(|position| symbol.margin(position.volume, position.price_open, self.leverage));
        let free = self.equity() - self.margin() + closed.unwrap_or_default();
        let needed = symbol.margin(opened, price, self.leverage) + symbol.commission * opened;
        if needed > free {
            return Err(Retcode::NO_MONEY);
        }
        Ok(())
    }

    fn check_pending(&self, request: &TradeRequest, now: i64) -> Result<Plan, Retcode> {
        let kind = request.kind().ok_or(Retcode::INVALID)?;
        if matches!(kind.waits(), Waits::Nothing | Waits::CloseBy) {
            return Err(Retcode::INVALID);
        }
        let filling = request.filling().ok_or(Retcode::INVALID_FILL)?;
        let symbol = self.tradable(&request.symbol)?;
        check_order_mode(symbol, kind)?;
        check_volume(symbol, request.volume)?;
        let opened = self.opened_volume(&symbol.name, kind.side(), request.volume, false);
        self.check_direction(symbol, kind.side(), opened)?;
        check_pending_price(symbol, kind, request.price, request.stoplimit)?;
        check_pending_filling(symbol, kind, filling)?;
        let from = Some(entry_price(kind, request.price, request.stoplimit));
        check_stops(symbol, kind.side(), request.sl, request.tp, from)?;
        let (lifetime, expiration) = check_lifetime(symbol, request, now)?;
        if self.orders.len() >= self.orders_max as usize {
            return Err(Retcode::LIMIT_ORDERS);
        }
        self.check_limit_volume(symbol, kind.side(), request.volume)?;
        self.check_money(symbol, kind.side(), opened, request.price)?;
        Ok(Plan::Pending {
            kind,
            filling,
            lifetime,
            expiration,
        })
    }

    /// The position whose levels are to change: on accounts that net the symbol is enough.
    fn check_levels(&self, request: &TradeRequest) -> Result<Plan, Retcode> {
        let position = if request.position == 0 && !self.is_hedging() {
            self.position_in(&request.symbol)
        } else if request.position == 0 {
            return Err(Retcode::INVALID);
        } else {
            self.positions.get(&request.position)
        };
        let position = position.ok_or(Retcode::POSITION_CLOSED)?;
        if !request.symbol.is_empty() && request.symbol != position.symbol {
            return Err(Retcode::INVALID);
        }
        let symbol = self.tradable(&position.symbol)?;
        if (request.sl, request.tp) == (position.sl, position.tp) {
            return Err(Retcode::NO_CHANGES);
        }
        let exit = position.side.opposite();
        let market = symbol.market_price(exit).ok_or(Retcode::PRICE_OFF)?;
        if is_frozen(symbol, market, position) {
            return Err(Retcode::FROZEN);
        }
        check_stops(symbol, position.side, request.sl, request.tp, None)?;
        Ok(Plan::Levels {
            position: position.ticket,
        })
    }

    /// A pending order that can still be changed. An order that is not there is an invalid request (an assumption).
    fn changeable(&self, ticket: u64) -> Result<(&Order, &Symbol), Retcode> {
        let order = self.orders.get(&ticket).ok_or(Retcode::INVALID)?;
        let symbol = self.tradable(&order.symbol)?;
        let market = symbol.market_price(order.side());
        if market.is_some_and(|market| is_near(symbol, market, order.price_open)) {
            return Err(Retcode::FROZEN);
        }
        Ok((order, symbol))
    }

    fn check_modify(&self, request: &TradeRequest, now: i64) -> Result<Plan, Retcode> {
        let (order, symbol) = self.changeable(request.order)?;
        if order.kind.waits() == Waits::Nothing {
            return Err(Retcode::INVALID);
        }
        let (lifetime, expiration) = check_lifetime(symbol, request, now)?;
        let wanted = (
            request.price,
            request.sl,
            request.tp,
            request.stoplimit,
            lifetime,
            expiration,
        );
        let is = (
            order.price_open,
            order.sl,
            order.tp,
            order.price_stoplimit,
            order.lifetime,
            order.expiration,
        );
        if wanted == is {
            return Err(Retcode::NO_CHANGES);
        }
        check_pending_price(symbol, order.kind, request.price, request.stoplimit)?;
        let from = Some(entry_price(order.kind, request.price, request.stoplimit));
        check_stops(symbol, order.side(), request.sl, request.tp, from)?;
        Ok(Plan::Modify {
            order: order.ticket,
            lifetime,
            expiration,
        })
    }

    fn check_remove(&self, request: &TradeRequest) -> Result<Plan, Retcode> {
        let (order, _) = self.changeable(request.order)?;
        Ok(Plan::Remove {
            order: order.ticket,
        })
    }

    fn check_close_by(&self, request: &TradeRequest) -> Result<Plan, Retcode> {
        if !self.is_hedging() || request.position == request.position_by {
            return Err(Retcode::INVALID);
        }
        let find = |ticket| self.positions.get(&ticket).ok_or(Retcode::POSITION_CLOSED);
        let (position, by) = (find(request.position)?, find(request.position_by)?);
        if position.symbol != by.symbol || position.side == by.side {
            return Err(Retcode::INVALID);
        }
        let symbol = self.tradable(&position.symbol)?;
        check_order_mode(symbol, OrderKind::CloseBy)?;
        Ok(Plan::CloseBy {
            position: position.ticket,
            by: by.ticket,
        })
    }
}

fn check_order_mode(symbol: &Symbol, kind: OrderKind) -> Result<(), Retcode> {
    let needed = match kind.waits() {
        Waits::Nothing => symbols::ORDER_MODE_MARKET,
        Waits::Limit => symbols::ORDER_MODE_LIMIT,
        Waits::Stop => symbols::ORDER_MODE_STOP,
        Waits::StopLimit => symbols::ORDER_MODE_STOP_LIMIT,
        Waits::CloseBy => symbols::ORDER_MODE_CLOSE_BY,
    };
    if symbol.order_flags & needed == 0 {
        return Err(Retcode::INVALID_ORDER);
    }
    Ok(())
}

fn check_volume(symbol: &Symbol, volume: Decimal) -> Result<(), Retcode> {
    let in_range = volume >= symbol.volume_min && volume <= symbol.volume_max;
    if in_range && (volume % symbol.volume_step).is_zero() {
        return Ok(());
    }
    Err(Retcode::INVALID_VOLUME)
}

/// Instant and request execution want a price, and requote if the market has left it by more than the deviation; market
/// and exchange execution don't look at it (MQL5 Reference, "MqlTradeRequest").
fn check_deal_price(
    symbol: &Symbol,
    request: &TradeRequest,
    market: Decimal,
) -> Result<(), Retcode> {
    let refusal = match symbol.execution {
        Execution::Market | Execution::Exchange => return Ok(()),
        Execution::Instant => Retcode::REQUOTE,
        Execution::Request => Retcode::PRICE_CHANGED,
    };
    if request.price <= Decimal::ZERO || !symbol.is_on_tick(request.price) {
        return Err(Retcode::INVALID_PRICE);
    }
    let distance = (request.price - market).abs() / symbol.point();
    if distance > Decimal::from(request.deviation) {
        return Err(refusal);
    }
    Ok(())
}

/// How a market order is filled, by execution mode and the symbol's flags (MQL5 Reference, "Order Properties", table of
/// filling policies). Instant and request execution fill all or nothing, whatever the request says.
fn deal_filling(symbol: &Symbol, filling: Filling) -> Result<Filling, Retcode> {
    let allowed = match (symbol.execution, filling) {
        (Execution::Instant | Execution::Request, _) => return Ok(Filling::FillOrKill),
        (Execution::Exchange, Filling::Return) => true,
        (Execution::Market, Filling::Return) | (_, Filling::BookOrCancel) => false,
        (_, Filling::FillOrKill) => symbol.filling_flags & symbols::FILLING_FILL_OR_KILL != 0,
        (_, Filling::ImmediateOrCancel) => {
            symbol.filling_flags & symbols::FILLING_IMMEDIATE_OR_CANCEL != 0
        }
    };
    allowed.then_some(filling).ok_or(Retcode::INVALID_FILL)
}

/// A pending order may always return its rest; the other fillings as the symbol's flags say.
fn check_pending_filling(
    symbol: &Symbol,
    kind: OrderKind,
    filling: Filling,
) -> Result<(), Retcode> {
    let flag = match filling {
        Filling::Return => return Ok(()),
        Filling::FillOrKill => symbols::FILLING_FILL_OR_KILL,
        Filling::ImmediateOrCancel => symbols::FILLING_IMMEDIATE_OR_CANCEL,
        Filling::BookOrCancel => symbols::FILLING_BOOK_OR_CANCEL,
    };
    let sits_in_book = matches!(kind.waits(), Waits::Limit | Waits::StopLimit);
    if symbol.filling_flags & flag == 0 || (filling == Filling::BookOrCancel && !sits_in_book) {
        return Err(Retcode::INVALID_FILL);
    }
    Ok(())
}

/// The price has to be on the waiting side of the market, no nearer than the stops level. On an exchange a limit order
/// may be better than the market: it goes to the book, and executes.
fn check_pending_price(
    symbol: &Symbol,
    kind: OrderKind,
    price: Decimal,
    stoplimit: Decimal,
) -> Result<(), Retcode> {
    if price <= Decimal::ZERO || !symbol.is_on_tick(price) {
        return Err(Retcode::INVALID_PRICE);
    }
    let market = symbol.market_price(kind.side()).ok_or(Retcode::PRICE_OFF)?;
    let level = symbol.point() * Decimal::from(symbol.stops_level);
    // Positive while the order would wait.
    let above = if kind.side().is_buy() {
        price - market
    } else {
        market - price
    };
    let waits = match kind.waits() {
        Waits::Limit if symbol.execution == Execution::Exchange => true,
        Waits::Limit => -above >= level && above < Decimal::ZERO,
        Waits::Stop | Waits::StopLimit => above >= level && above > Decimal::ZERO,
        Waits::Nothing | Waits::CloseBy => false,
    };
    if !waits {
        return Err(Retcode::INVALID_PRICE);
    }
    if kind.waits() == Waits::StopLimit {
        let better = if kind.side().is_buy() {
            price - stoplimit
        } else {
            stoplimit - price
        };
        if stoplimit <= Decimal::ZERO
            || !symbol.is_on_tick(stoplimit)
            || better < level.max(Decimal::ZERO)
        {
            return Err(Retcode::INVALID_PRICE);
        }
    }
    Ok(())
}

/// At what price a pending order is executed at worst: from there its levels are measured.
fn entry_price(kind: OrderKind, price: Decimal, stoplimit: Decimal) -> Decimal {
    match kind.waits() {
        Waits::StopLimit => stoplimit,
        Waits::Nothing | Waits::Limit | Waits::Stop | Waits::CloseBy => price,
    }
}

/// Levels lie on the right side of where the position would be closed, no nearer than the stops level, and on ticks.
/// `from` is a pending order's price; none measures from the market. They are held against the order's own side, also
/// if a netting deal only closes a part (an assumption: such a deal should carry none).
fn check_stops(
    symbol: &Symbol,
    side: Side,
    sl: Decimal,
    tp: Decimal,
    from: Option<Decimal>,
) -> Result<(), Retcode> {
    let exit = symbol
        .market_price(side.opposite())
        .ok_or(Retcode::PRICE_OFF)?;
    let from = from.unwrap_or(exit);
    let level = symbol.point() * Decimal::from(symbol.stops_level);
    let levels = [
        (sl, symbols::ORDER_MODE_STOP_LOSS, side.is_buy()),
        (tp, symbols::ORDER_MODE_TAKE_PROFIT, !side.is_buy()),
    ];
    for (price, flag, is_below) in levels {
        if price.is_zero() {
            continue;
        }
        let distance = if is_below { from - price } else { price - from };
        let is_right = distance > Decimal::ZERO && distance >= level;
        let allowed = symbol.order_flags & flag != 0;
        if price < Decimal::ZERO || !is_right || !allowed || !symbol.is_on_tick(price) {
            return Err(Retcode::INVALID_STOPS);
        }
    }
    Ok(())
}

/// Whether a level is about to be reached, so that the position can't be changed any more.
fn is_frozen(symbol: &Symbol, market: Decimal, position: &Position) -> bool {
    is_near(symbol, market, position.sl) || is_near(symbol, market, position.tp)
}

/// Whether a price is inside the freeze level.
fn is_near(symbol: &Symbol, market: Decimal, price: Decimal) -> bool {
    let level = symbol.point() * Decimal::from(symbol.freeze_level);
    !price.is_zero() && !level.is_zero() && (market - price).abs() <= level
}

/// How long the order waits: kind, and the second at which it expires (zero for none).
fn check_lifetime(
    symbol: &Symbol,
    request: &TradeRequest,
    now: i64,
) -> Result<(Lifetime, i64), Retcode> {
    let lifetime = request.lifetime().ok_or(Retcode::INVALID_EXPIRATION)?;
    if symbol.expiration_flags & (1 << lifetime.code()) == 0 {
        return Err(Retcode::INVALID_EXPIRATION);
    }
    let expiration = match lifetime {
        Lifetime::UntilCancelled | Lifetime::Day => return Ok((lifetime, 0)),
        Lifetime::Specified => request.expiration,
        Lifetime::SpecifiedDay => {
            let start = request.expiration - request.expiration.rem_euclid(SECONDS_OF_DAY);
            start.saturating_add(SECONDS_OF_DAY - 1)
        }
    };
    if request.expiration <= 0 || expiration.saturating_mul(1_000) <= now {
        return Err(Retcode::INVALID_EXPIRATION);
    }
    Ok((lifetime, expiration))
}
