//! Matching: what one price does to one account's orders.

use crate::account::Account;
use crate::fill_model::{FillModel, SLICES_MAX};
use crate::instrument::Instrument;
use crate::money;
use crate::order::{
    CancelReason, ExpiryReason, Fill, Liquidity, OrderKind, OrderRequest, OrderStatus, Phase, Side,
    TimeInForce, TradeId, VenueOrderId,
};
use crate::rejection::Rejection;
use crate::time::Micros;
use crate::trigger::PriceTrigger;
use rust_decimal::Decimal;

/// One symbol at one moment, and the counter of trades.
pub(crate) struct Market<'a> {
    pub(crate) model: &'a FillModel,
    pub(crate) instrument: &'a Instrument,
    pub(crate) last: Decimal,
    pub(crate) now: Micros,
    pub(crate) next_trade_id: &'a mut u64,
}

impl Market<'_> {
    /// Whether the last price has reached a stop of that side.
    fn reaches_stop(&self, side: Side, stop_price: Decimal) -> bool {
        PriceTrigger::stop(side, stop_price).reached(self.last)
    }

    /// Whether the last price has reached a target of that side.
    fn reaches_target(&self, side: Side, stop_price: Decimal) -> bool {
        PriceTrigger::take_profit(side, stop_price).reached(self.last)
    }

    /// Whether an order that waits for a price would not wait if it arrived now.
    pub(crate) fn triggers_on_arrival(&self, request: &OrderRequest) -> bool {
        let side = request.side;
        match request.kind {
            OrderKind::Market | OrderKind::Limit { .. } | OrderKind::TrailingStop { .. } => false,
            OrderKind::Stop { stop_price } | OrderKind::StopLimit { stop_price, .. } => {
                self.reaches_stop(side, stop_price)
            }
            OrderKind::TakeProfit { stop_price }
            | OrderKind::TakeProfitLimit { stop_price, .. } => {
                self.reaches_target(side, stop_price)
            }
            OrderKind::OneCancelsOther {
                stop_price,
                target_price,
            } => self.reaches_stop(side, stop_price) || self.is_marketable(side, target_price),
        }
    }

    /// Whether a limit order that arrives now finds somebody to trade with.
    fn is_marketable(&self, side: Side, limit: Decimal) -> bool {
        self.opposing(side, Decimal::ZERO)
            .is_some_and(|opposing| !is_worse(side, opposing, limit))
    }

    /// Whether an order that arrives now executes at once, at least in part.
    pub(crate) fn executes_on_arrival(&self, request: &OrderRequest) -> bool {
        let side = request.side;
        match request.kind {
            OrderKind::Market => true,
            OrderKind::Limit { price } => self.is_marketable(side, price),
            OrderKind::Stop { stop_price } => self.reaches_stop(side, stop_price),
            OrderKind::StopLimit { stop_price, price } => {
                self.reaches_stop(side, stop_price) && self.is_marketable(side, price)
            }
            OrderKind::TakeProfit { stop_price } => self.reaches_target(side, stop_price),
            OrderKind::TakeProfitLimit { stop_price, price } => {
                self.reaches_target(side, stop_price) && self.is_marketable(side, price)
            }
            // It has seen no price yet from which it could have been moved away.
            OrderKind::TrailingStop { .. } => false,
            OrderKind::OneCancelsOther {
                stop_price,
                target_price,
            } => self.reaches_stop(side, stop_price) || self.is_marketable(side, target_price),
        }
    }

    pub(crate) fn opposing(&self, side: Side, worse_bps: Decimal) -> Option<Decimal> {
        self.model
            .opposing_price(side, self.last, self.instrument.price_tick, worse_bps)
    }

    /// What an armed order becomes at this price, and whether it then comes to the market as a new order does.
    fn triggered(
        &self,
        request: &OrderRequest,
        phase: Phase,
        arriving: bool,
    ) -> Option<(Phase, bool)> {
        let side = request.side;
        match request.kind {
            OrderKind::Market | OrderKind::Limit { .. } => None,
            OrderKind::Stop { stop_price } => self
                .reaches_stop(side, stop_price)
                .then_some((Phase::AtMarket, true)),
            OrderKind::StopLimit { stop_price, price } => self
                .reaches_stop(side, stop_price)
                .then_some((Phase::AtLimit { price }, true)),
            OrderKind::TakeProfit { stop_price } => self
                .reaches_target(side, stop_price)
                .then_some((Phase::AtMarket, true)),
            OrderKind::TakeProfitLimit { stop_price, price } => self
                .reaches_target(side, stop_price)
                .then_some((Phase::AtLimit { price }, true)),
            OrderKind::TrailingStop {
                callback_bps,
                activation_price,
            } => self.trailed(side, callback_bps, activation_price, phase),
            OrderKind::OneCancelsOther {
                stop_price,
                target_price,
            } => {
                if self.reaches_stop(side, stop_price) {
                    return Some((Phase::AtMarket, true));
                }
                let reached = if arriving {
                    self.is_marketable(side, target_price)
                } else {
                    self.fills_resting(side, target_price)
                };
                reached.then_some((
                    Phase::AtLimit {
                        price: target_price,
                    },
                    arriving,
                ))
            }
        }
    }

    /// What a trailing stop becomes at this price: active, further along, or a market order.
    fn trailed(
        &self,
        side: Side,
        callback_bps: Decimal,
        activation_price: Option<Decimal>,
        phase: Phase,
    ) -> Option<(Phase, bool)> {
        let best = match phase {
            Phase::Trailing { best } => Some(best),
            Phase::Armed | Phase::AtLimit { .. } | Phase::AtMarket => None,
        };
        let waits = activation_price.is_some_and(|price| !self.reaches_target(side, price));
        if best.is_none() && waits {
            return None;
        }
        let mut trigger = PriceTrigger::Trail {
            side,
            callback_bps,
            best,
        };
        if trigger.reached(self.last) {
            return Some((Phase::AtMarket, true));
        }
        let best = match trigger {
            PriceTrigger::Trail { best, .. } => best?,
            PriceTrigger::Rise { price } | PriceTrigger::Fall { price } => price,
        };
        Some((Phase::Trailing { best }, false))
    }

    fn fills_resting(&self, side: Side, limit: Decimal) -> bool {
        let opposing = self.opposing(side, Decimal::ZERO);
        opposing.is_some_and(|opposing| self.model.resting_limit_executes(side, limit, opposing))
    }

    /// The pieces (price, quantity) that can be taken from the market now, up to `quantity` and, with a limit, not
    /// beyond it. A market order slips from the first piece on, a limit order only from piece to piece.
    pub(crate) fn pieces(
        &self,
        side: Side,
        quantity: Decimal,
        limit: Option<Decimal>,
    ) -> Result<Vec<(Decimal, Decimal)>, Rejection> {
        let mut pieces = Vec::new();
        let mut left = quantity;
        let mut worse_bps = if limit.is_some() {
            Decimal::ZERO
        } else {
            self.model.slippage_bps
        };
        while !left.is_zero() {
            let price = self
                .opposing(side, worse_bps)
                .ok_or_else(|| Rejection::out_of_range("execution price"))?;
            if limit.is_some_and(|limit| is_worse(side, price, limit)) {
                break;
            }
            let instrument = self.instrument;
            let slice = self.model.slice_quantity(
                price,
                instrument.contract_multiplier,
                instrument.quantity_step,
            );
            let is_last = pieces.len() + 1 == SLICES_MAX;
            let piece = slice
                .filter(|_| !is_last)
                .map_or(left, |slice| slice.min(left));
            pieces.push((price, piece));
            left -= piece;
            worse_bps += self.model.slice_slippage_bps;
        }
        Ok(pieces)
    }

    fn fill(
        &mut self,
        price: Decimal,
        quantity: Decimal,
        liquidity: Liquidity,
    ) -> Result<Fill, Rejection> {
        let value = money::value_of(quantity, price, self.instrument.contract_multiplier)?;
        let fee = money::fee_on(value, self.model.fee_bps(liquidity))?;
        let trade_id = TradeId(*self.next_trade_id);
        *self.next_trade_id += 1;
        Ok(Fill {
            trade_id,
            price,
            quantity,
            value,
            fee,
            liquidity,
            at: self.now,
        })
    }
}

fn is_worse(side: Side, price: Decimal, limit: Decimal) -> bool {
    match side {
        Side::Buy => price > limit,
        Side::Sell => price < limit,
    }
}

impl Account {
    /// Lets the market's price act on all open orders in its symbol, oldest first.
    pub(crate) fn advance_all(&mut self, market: &mut Market<'_>) {
        let Some(open) = self.open_by_symbol.get(&market.instrument.symbol) else {
            return;
        };
        for id in open.iter().copied().collect::<Vec<_>>() {
            self.advance(id, market, false);
        }
    }

    /// Lets the market's price act on one open order. An arriving order takes from the market; one that waited is
    /// taken from, unless it has just turned into an arriving one.
    pub(crate) fn advance(&mut self, id: VenueOrderId, market: &mut Market<'_>, arriving: bool) {
        let Some(order) = self.orders.get_mut(&id).filter(|order| order.is_open()) else {
            return;
        };
        let mut comes_to_market = arriving;
        if order.phase.waits_for_a_price()
            && let Some((phase, comes)) = market.triggered(&order.request, order.phase, arriving)
            && phase != order.phase
        {
            order.phase = phase;
            order.changed_at = market.now;
            comes_to_market = comes;
        }
        let outcome = match order.phase {
            Phase::Armed | Phase::Trailing { .. } => Ok(()),
            Phase::AtMarket => self.take(id, market, None),
            Phase::AtLimit { price } if comes_to_market => self.take(id, market, Some(price)),
            Phase::AtLimit { price } => self.be_taken(id, market, price),
        };
        if outcome.is_err() {
            self.close_if_open(
                id,
                OrderStatus::Cancelled(CancelReason::OutOfRange),
                market.now,
            );
        }
    }

    /// Executes an order that comes to the market, then does what its time in force says with the rest.
    fn take(
        &mut self,
        id: VenueOrderId,
        market: &mut Market<'_>,
        limit: Option<Decimal>,
    ) -> Result<(), Rejection> {
        let Some(order) = self.orders.get(&id) else {
            return Ok(());
        };
        let (side, time_in_force, remaining) = (
            order.request.side,
            order.request.time_in_force,
            order.remaining_quantity(),
        );
        let executable = self.executable(id);
        if executable.is_zero() && limit.is_none_or(|limit| market.is_marketable(side, limit)) {
            self.close_if_open(
                id,
                OrderStatus::Cancelled(CancelReason::NothingToReduce),
                market.now,
            );
            return Ok(());
        }
        let pieces = market.pieces(side, executable, limit)?;
        let total: Decimal = pieces.iter().map(|(_, quantity)| *quantity).sum();
        if time_in_force == TimeInForce::Fok && total < remaining {
            self.close_if_open(
                id,
                OrderStatus::Expired(ExpiryReason::FillOrKill),
                market.now,
            );
            return Ok(());
        }
        for (price, quantity) in pieces {
            let fill = market.fill(price, quantity, Liquidity::Taker)?;
            self.book(id, fill)?;
        }
        self.cancel_if_nothing_to_reduce(id, total, market.now);
        if time_in_force == TimeInForce::Ioc {
            self.close_if_open(
                id,
                OrderStatus::Expired(ExpiryReason::ImmediateOrCancel),
                market.now,
            );
        }
        Ok(())
    }

    /// Executes a piece of a waiting limit order, at its limit, if the price allows it.
    fn be_taken(
        &mut self,
        id: VenueOrderId,
        market: &mut Market<'_>,
        limit: Decimal,
    ) -> Result<(), Rejection> {
        let Some(order) = self.orders.get(&id) else {
            return Ok(());
        };
        if !market.fills_resting(order.request.side, limit) {
            return Ok(());
        }
        let piece = market
            .model
            .resting_piece(order.request.quantity, market.instrument.quantity_step);
        let quantity = piece.min(self.executable(id));
        if !quantity.is_zero() {
            let fill = market.fill(limit, quantity, Liquidity::Maker)?;
            self.book(id, fill)?;
        }
        self.cancel_if_nothing_to_reduce(id, Decimal::ONE, market.now);
        Ok(())
    }

    /// What of the order may be executed now: all that is left, or what is left to reduce.
    fn executable(&self, id: VenueOrderId) -> Decimal {
        let Some(order) = self.orders.get(&id) else {
            return Decimal::ZERO;
        };
        let remaining = order.remaining_quantity();
        if order.request.reduce_only {
            remaining.min(self.reducible(&order.request.symbol, order.request.side))
        } else {
            remaining
        }
    }

    /// After an execution (`executed` above zero) a reduce-only order that has nothing left to reduce ends.
    fn cancel_if_nothing_to_reduce(&mut self, id: VenueOrderId, executed: Decimal, now: Micros) {
        if !executed.is_zero() && self.executable(id).is_zero() {
            self.close_if_open(
                id,
                OrderStatus::Cancelled(CancelReason::NothingToReduce),
                now,
            );
        }
    }

    fn close_if_open(&mut self, id: VenueOrderId, status: OrderStatus, now: Micros) {
        if self
            .orders
            .get(&id)
            .is_some_and(crate::order::Order::is_open)
        {
            self.close(id, status, now);
        }
    }
}
