//! What happens to the spot exchange's orders: fills with their commission, triggers, cancels, expiries, and the funds
//! that follow.

use super::exchange::SpotExchange;
use super::order::{Expiry, NewOrder, SpotOrder, Status, Trade};
use crate::faces::binance::error::ApiError;
use crate::order::{CancelReason, ExpiryReason, Fill, Side};
use crate::report::{Report, ReportEvent};
use crate::time::Micros;
use rust_decimal::{Decimal, RoundingStrategy};

impl SpotExchange {
    /// Takes what the venue has reported about all accounts.
    pub(super) fn absorb_all(&mut self, now: Micros) {
        let accounts: Vec<String> = self.wallets.keys().cloned().collect();
        for account in accounts {
            self.absorb(&account, now);
        }
    }

    /// Takes what the venue has reported about an account.
    pub(super) fn absorb(&mut self, account: &str, now: Micros) {
        loop {
            let reports = self.take_reports(account);
            if reports.is_empty() {
                return;
            }
            for report in reports {
                self.take_report(&report, now);
            }
        }
    }

    fn take_report(&mut self, report: &Report, now: Micros) {
        let Some(id) = self.tickets.get(&report.client_order_id).copied() else {
            return;
        };
        match &report.event {
            ReportEvent::Filled { fill, .. } => self.book(id, fill, now),
            ReportEvent::Expired {
                reason: ExpiryReason::ImmediateOrCancel,
            } => self.expire(id, Expiry::UnfilledIoc, now),
            ReportEvent::Expired {
                reason: ExpiryReason::FillOrKill,
            } => self.expire(id, Expiry::UnfilledFok, now),
            ReportEvent::Cancelled {
                reason: CancelReason::NothingToReduce | CancelReason::OutOfRange,
            } => self.expire(id, Expiry::Rejected, now),
            // Acceptances and cancels are told where they are asked for.
            ReportEvent::Accepted
            | ReportEvent::Cancelled {
                reason: CancelReason::Requested,
            }
            | ReportEvent::Rejected { .. } => {}
        }
    }

    /// Books one execution: commission of a buy in the base asset, of a sell in the quote asset.
    fn book(&mut self, id: u64, fill: &Fill, now: Micros) {
        let Some(order) = self.orders.get_mut(&id) else {
            return;
        };
        let Some(symbol) = self.symbols.get(&order.request.symbol) else {
            return;
        };
        assert!(
            order.status.is_open(),
            "order {id} is filled though it is closed"
        );
        let value = (fill.price * fill.quantity).normalize();
        let (spent, paid, received, amount) = match order.request.side {
            Side::Buy => (symbol.quote, value, symbol.base, fill.quantity),
            Side::Sell => (symbol.base, fill.quantity, symbol.quote, value),
        };
        let commission = (amount * self.commission)
            .round_dp_with_strategy(8, RoundingStrategy::ToZero)
            .normalize();
        order.executed = (order.executed + fill.quantity).normalize();
        order.quote_executed = (order.quote_executed + value).normalize();
        order.updated_at = now;
        order.status = Status::PartiallyFilled;
        order.trades.push(Trade {
            id: fill.trade_id.0,
            order_id: id,
            price: fill.price,
            quantity: fill.quantity,
            commission,
            commission_asset: received.to_owned(),
            liquidity: fill.liquidity,
            at: now,
        });
        let is_whole = order.remaining().is_zero();
        let (account, lock) = (order.account.clone(), order.lock);
        if let Some(wallet) = self.wallets.get_mut(&account) {
            wallet.spend(lock, spent, paid);
            wallet.receive(received, amount - commission);
        }
        if is_whole {
            self.note_end(id, Status::Filled, now);
            self.filled_orders.push(account);
        }
        self.tell_order(id, "TRADE", now);
        self.relock(id, now);
        self.advance_list(id, now);
    }

    /// Wakes the orders that waited for this price, oldest first.
    pub(super) fn wake_triggered(&mut self, symbol: &str, price: Decimal, now: Micros) {
        let armed: Vec<u64> = self
            .open
            .values()
            .flatten()
            .copied()
            .filter(|id| {
                self.orders
                    .get(id)
                    .is_some_and(|order| order.is_armed() && order.request.symbol == symbol)
            })
            .collect();
        for id in armed {
            // One that was woken before may have ended this one.
            let order = self.orders.get_mut(&id).filter(|order| order.is_armed());
            if order.is_some_and(|order| is_triggered(order, price, now)) {
                self.fire(id, now);
            }
        }
    }

    fn fire(&mut self, id: u64, now: Micros) {
        let Some(order) = self.orders.get_mut(&id) else {
            return;
        };
        order.trigger = None;
        order.updated_at = now;
        self.advance_list(id, now);
        let Some(order) = self.orders.get(&id) else {
            return;
        };
        let (asset, amount) = self.cost(&order.request, order.remaining(), None);
        let wallet = self.wallets.get(&order.account);
        let available = wallet.map_or(Decimal::ZERO, |wallet| wallet.available(order.lock, &asset));
        if amount > available {
            self.expire(id, Expiry::Rejected, now);
            return;
        }
        self.relock(id, now);
        self.work(id, None, now);
    }

    /// Cancels an open order as its owner asked; `cancel_id` names the cancel.
    pub(super) fn cancel(&mut self, id: u64, cancel_id: &str, now: Micros) {
        if self.end(id, Status::Canceled, now) {
            self.tell_cancel(id, cancel_id, now);
            if self.cancel_renames
                && !cancel_id.is_empty()
                && let Some(order) = self.orders.get_mut(&id)
            {
                cancel_id.clone_into(&mut order.client_id);
            }
            self.relock(id, now);
            self.advance_list(id, now);
        }
    }

    /// Ends an open order by the market's rules.
    pub(super) fn expire(&mut self, id: u64, expiry: Expiry, now: Micros) {
        if let Some(order) = self
            .orders
            .get_mut(&id)
            .filter(|order| order.status.is_open())
        {
            order.expiry = Some(expiry);
        }
        if self.end(id, Status::Expired, now) {
            self.tell_order(id, "EXPIRED", now);
            self.relock(id, now);
            self.advance_list(id, now);
        }
    }

    fn end(&mut self, id: u64, status: Status, now: Micros) -> bool {
        let Some(order) = self.orders.get(&id).filter(|order| order.status.is_open()) else {
            return false;
        };
        let (account, ticket) = (order.account.clone(), order.ticket.clone());
        self.note_end(id, status, now);
        if let Some(ticket) = ticket {
            // The venue's order may have ended before this one.
            let _ = self.venue.cancel(&account, &ticket, now);
        }
        true
    }

    /// Has the lock of an order hold what its open orders need, and tells the balances if that changed something.
    pub(super) fn relock(&mut self, id: u64, now: Micros) {
        let Some(order) = self.orders.get(&id) else {
            return;
        };
        let (account, lock, symbol) = (
            order.account.clone(),
            order.lock,
            order.request.symbol.clone(),
        );
        let sharing = self
            .open_orders(&account, Some(&symbol))
            .filter(|open| open.lock == lock && open.status != Status::PendingNew);
        let needed = sharing.map(|open| self.cost(&open.request, open.remaining(), open.trigger).1);
        let amount = needed.max().unwrap_or_default();
        let (asset, _) = self.cost(&order.request, Decimal::ZERO, None);
        if let Some(wallet) = self.wallets.get_mut(&account) {
            wallet.hold(lock, &asset, amount.normalize());
        }
        self.tell_balances(&account, &symbol, now);
    }

    /// Makes an open limit order smaller; it keeps its place.
    ///
    /// # Errors
    /// -2038 for what can't be amended, -1013 for a quantity that filters refuse.
    pub(super) fn amend(
        &mut self,
        id: u64,
        quantity: Decimal,
        client_id: Option<String>,
        now: Micros,
    ) -> Result<(), ApiError> {
        let refused = |message: &str| ApiError::new(-2038, message);
        let unknown = || ApiError::new(-2013, "Order does not exist.");
        let order = self.orders.get(&id).ok_or_else(unknown)?;
        if !order.works() {
            return Err(refused("Order amend is not supported for this order."));
        }
        if quantity >= order.request.quantity || quantity <= order.executed {
            return Err(refused(
                "The requested quantity must be lower than the order's and above what is executed.",
            ));
        }
        if order.amends >= super::symbols::AMENDS_MAX {
            return Err(ApiError::filter("MAX_NUM_ORDER_AMENDS"));
        }
        let request = NewOrder {
            quantity,
            ..order.request.clone()
        };
        self.check_filters(&request)?;
        let (account, ticket) = (order.account.clone(), order.ticket.clone());
        if let Some(ticket) = ticket {
            let _ = self.venue.cancel(&account, &ticket, now);
        }
        if let Some(order) = self.orders.get_mut(&id) {
            order.request = request;
            order.amends += 1;
            order.updated_at = now;
            order.client_id = client_id.unwrap_or_else(|| format!("{}-{}", order.id, order.amends));
        }
        self.tell_order(id, "REPLACED", now);
        self.relock(id, now);
        self.work(id, None, now);
        Ok(())
    }
}

/// Tells an armed order a price; whether that wakes it.
fn is_triggered(order: &mut SpotOrder, price: Decimal, now: Micros) -> bool {
    if let Some(activation) = &mut order.activation {
        if !activation.reached(price) {
            return false;
        }
        order.activation = None;
        order.trailing_since = Some(now);
    }
    order
        .trigger
        .as_mut()
        .is_some_and(|trigger| trigger.reached(price))
}
