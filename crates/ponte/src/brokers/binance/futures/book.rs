//! What this process knows of its orders: which orders they are at the exchange, and their totals.
//!
//! The stream's events are differences and can be lost, doubled or late. They count only where
//! they fit what is known; where they don't, the exchange is asked.

use std::collections::{BTreeMap, BTreeSet};

use ponte_core::id::{ClientOrderId, Symbol};
use ponte_core::message::{OrderReport, ReportedStatus};
use ponte_core::order::OrderPlan;
use ponte_core::time::Timestamp;
use rust_decimal::Decimal;

use super::place::Service;
use super::snapshot::{AlgoStatus, Snapshot, Standing, Totals, expiry_reason, fee};
use super::symbols;
use super::wire::{AlgoEvent, OrderEvent};

/// How many orders are remembered. When there are more, those that ended longest ago are forgotten.
const ORDERS_MAX: usize = 10_000;

/// One order of ours.
#[derive(Debug)]
struct Tracked {
    symbol: Symbol,
    /// As planned; not known of an order that only the stream told of.
    quantity: Option<Decimal>,
    /// Whether it may rest in the book as it is.
    rests: bool,
    /// Whether the stream has told of it.
    streamed: bool,
    service: Option<Service>,
    algo_id: Option<u64>,
    order_id: Option<u64>,
    standing: Option<Standing>,
    totals: Totals,
    trades: BTreeSet<i64>,
    at: Timestamp,
}

/// The orders by our id.
#[derive(Debug, Default)]
pub(super) struct Book {
    orders: BTreeMap<ClientOrderId, Tracked>,
    /// Whose order a number of the exchange's is; finds what conditional orders have become.
    owners: BTreeMap<u64, ClientOrderId>,
}

/// What follows from an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Effect {
    /// The order stands so.
    Report(OrderReport),
    /// The event doesn't fit what is known: the exchange must be asked where the order stands.
    LookUp {
        /// Our id.
        id: ClientOrderId,
        /// Where it trades.
        symbol: Symbol,
        /// Which service most likely has it.
        service: Service,
    },
    /// It is not about an order of ours, or it is old.
    Nothing,
}

impl Book {
    /// Notes an order that is about to be sent, or asked about.
    pub(super) fn expect(&mut self, plan: &OrderPlan) {
        let tracked = self
            .orders
            .entry(plan.id)
            .or_insert_with(|| Tracked::new(plan.symbol.clone()));
        tracked.quantity = Some(plan.quantity.get());
        tracked.rests = plan.kind.rests();
        tracked.service = Some(Service::of(plan));
        self.forget_the_oldest();
    }

    /// Whether the stream has told anything of the order.
    pub(super) fn has_streamed(&self, id: ClientOrderId) -> bool {
        self.orders.get(&id).is_some_and(|tracked| tracked.streamed)
    }

    /// What is known of an order, if the exchange has said anything of it.
    pub(super) fn report(&self, id: ClientOrderId) -> Option<OrderReport> {
        self.orders.get(&id)?.report(id)
    }

    /// The number of the regular order that an order is or has become, where known.
    pub(super) fn order_id(&self, id: ClientOrderId) -> Option<u64> {
        self.orders.get(&id)?.order_id
    }

    /// Whose order a number of the exchange's is.
    pub(super) fn owner(&self, order_id: u64) -> Option<ClientOrderId> {
        self.owners.get(&order_id).copied()
    }

    /// Whether an order of ours rests, or waits for its trigger.
    pub(super) fn has_open(&self) -> bool {
        self.orders
            .values()
            .any(|tracked| tracked.standing == Some(Standing::Working))
    }

    /// The exchange's names of the contracts in whose books orders of ours rest.
    pub(super) fn resting(&self) -> BTreeSet<String> {
        self.orders
            .values()
            .filter(|tracked| {
                let in_the_book = tracked.order_id.is_some() && tracked.rests;
                in_the_book && tracked.standing == Some(Standing::Working)
            })
            .filter_map(|tracked| symbols::to_wire(&tracked.symbol).map(str::to_owned))
            .collect()
    }

    /// Takes what the exchange answered to a question, unless more is known already.
    pub(super) fn absorb(
        &mut self,
        id: ClientOrderId,
        symbol: &Symbol,
        seen: Snapshot,
    ) -> Option<OrderReport> {
        let tracked = self
            .orders
            .entry(id)
            .or_insert_with(|| Tracked::new(symbol.clone()));
        if let Some(order_id) = seen.order_id {
            self.owners.insert(order_id, id);
            tracked.order_id = Some(order_id);
        }
        tracked.algo_id = seen.algo_id.or(tracked.algo_id);
        let ended = tracked.standing.as_ref().is_some_and(Standing::is_final);
        let older =
            seen.totals.quantity < tracked.totals.quantity || (ended && !seen.standing.is_final());
        if !older {
            tracked.totals = seen.totals;
            tracked.trades = seen.trades;
            tracked.at = tracked.at.max(seen.at);
            // The stream tells reasons; an answer to a question does not.
            if !ended || seen.standing == Standing::Filled {
                tracked.standing = Some(seen.standing);
            }
        }
        let report = tracked.report(id);
        self.forget_the_oldest();
        report
    }

    /// An event of a regular order, `ORDER_TRADE_UPDATE`.
    pub(super) fn on_order(&mut self, event: &OrderEvent, currency: &str) -> Effect {
        let ours = event.client_order_id.parse().ok();
        let Some(id) = ours.or_else(|| self.owner(event.order_id)) else {
            return Effect::Nothing;
        };
        let Some(symbol) = symbols::from_wire(&event.symbol) else {
            return Effect::Nothing;
        };
        let Some(tracked) = self.orders.get_mut(&id) else {
            return look_up(id, symbol, Service::Regular);
        };
        tracked.streamed = true;
        tracked.order_id = Some(event.order_id);
        self.owners.insert(event.order_id, id);
        tracked.on_order(id, event, currency)
    }

    /// An event of a conditional order, `ALGO_UPDATE`.
    pub(super) fn on_algo(&mut self, event: &AlgoEvent, at: Timestamp) -> Effect {
        let Ok(id) = event.client_algo_id.parse() else {
            return Effect::Nothing;
        };
        let Some(symbol) = symbols::from_wire(&event.symbol) else {
            return Effect::Nothing;
        };
        let Some(tracked) = self.orders.get_mut(&id) else {
            return look_up(id, symbol, Service::Conditional);
        };
        tracked.streamed = true;
        tracked.algo_id = Some(event.algo_id);
        if let Some(order_id) = event.actual_order_id {
            tracked.order_id = Some(order_id);
            self.owners.insert(order_id, id);
        }
        tracked.on_algo(id, event, at)
    }

    fn forget_the_oldest(&mut self) {
        if self.orders.len() <= ORDERS_MAX {
            return;
        }
        // Ids begin with the number of their alert: the smallest are the oldest.
        let ended = |tracked: &Tracked| tracked.standing.as_ref().is_some_and(Standing::is_final);
        let excess = self.orders.len() - ORDERS_MAX / 2;
        let old: Vec<ClientOrderId> = self
            .orders
            .iter()
            .filter(|(_, tracked)| ended(tracked))
            .map(|(id, _)| *id)
            .take(excess)
            .collect();
        for id in old {
            self.orders.remove(&id);
        }
        self.owners
            .retain(|_, owner| self.orders.contains_key(owner));
    }
}

const fn look_up(id: ClientOrderId, symbol: Symbol, service: Service) -> Effect {
    Effect::LookUp {
        id,
        symbol,
        service,
    }
}

impl Tracked {
    const fn new(symbol: Symbol) -> Self {
        Self {
            symbol,
            quantity: None,
            rests: true,
            streamed: false,
            service: None,
            algo_id: None,
            order_id: None,
            standing: None,
            totals: Totals {
                quantity: Decimal::ZERO,
                cost: Decimal::ZERO,
                fees: Decimal::ZERO,
            },
            trades: BTreeSet::new(),
            at: Timestamp::EPOCH,
        }
    }

    fn on_order(&mut self, id: ClientOrderId, event: &OrderEvent, currency: &str) -> Effect {
        let service = self.service.unwrap_or(Service::Regular);
        let why = expiry_reason(&event.expiry_reason);
        let Some(standing) = Standing::of_regular(&event.status, why) else {
            return look_up(id, self.symbol.clone(), service);
        };
        if event.execution == "TRADE" {
            if self.trades.contains(&event.trade_id) || event.filled <= self.totals.quantity {
                return Effect::Nothing;
            }
            if event.filled != self.totals.quantity + event.last_quantity {
                return look_up(id, self.symbol.clone(), service);
            }
            let asset = event.commission_asset.as_deref().unwrap_or_default();
            let (symbol, price) = (&event.symbol, event.last_price);
            let fee = fee(symbol, event.commission, asset, price, currency);
            self.totals.add(event.last_quantity, price, fee);
            self.trades.insert(event.trade_id);
        } else if event.filled > self.totals.quantity {
            return look_up(id, self.symbol.clone(), service);
        } else if event.filled < self.totals.quantity {
            return Effect::Nothing;
        }
        self.settle(standing, Timestamp::from_milliseconds(event.at));
        self.report(id).map_or(Effect::Nothing, Effect::Report)
    }

    fn on_algo(&mut self, id: ClientOrderId, event: &AlgoEvent, at: Timestamp) -> Effect {
        let ended = self.standing.as_ref().is_some_and(Standing::is_final);
        let alone = AlgoStatus::read(&event.status)
            .and_then(|status| status.alone(event.reason.as_deref()));
        match alone {
            _ if ended => Effect::Nothing,
            // Its regular order's own events are better: what this one says is said of the whole.
            Some(Standing::Working) if self.order_id.is_some() => Effect::Nothing,
            Some(standing) if self.order_id.is_none() && self.totals.quantity.is_zero() => {
                self.settle(standing, at);
                self.report(id).map_or(Effect::Nothing, Effect::Report)
            }
            Some(_) | None => look_up(id, self.symbol.clone(), Service::Conditional),
        }
    }

    fn settle(&mut self, standing: Standing, at: Timestamp) {
        let ended = self.standing.as_ref().is_some_and(Standing::is_final);
        if !ended || standing == Standing::Filled {
            self.standing = Some(standing);
        }
        self.at = self.at.max(at);
    }

    fn report(&self, id: ClientOrderId) -> Option<OrderReport> {
        let status = match self.standing.clone()? {
            Standing::Working => ReportedStatus::Working,
            Standing::Filled => self.filled(),
            Standing::Cancelled(reason) => ReportedStatus::Cancelled { reason },
            Standing::Rejected(reason) => ReportedStatus::Rejected { reason },
        };
        Some(OrderReport {
            id,
            broker_order_id: self
                .algo_id
                .or(self.order_id)
                .map(|number| number.to_string())?,
            status,
            filled: self.totals.quantity.normalize(),
            average_price: self.totals.average_price(),
            fees: self.totals.fees.normalize(),
            withheld: Decimal::ZERO,
            at: self.at,
        })
    }

    /// All of it has traded, in the exchange's words: of a stop that closes the position, or of an
    /// order that the exchange made as small as the position, that can be less than was planned.
    fn filled(&self) -> ReportedStatus {
        match self.quantity {
            Some(planned) if self.totals.quantity < planned => ReportedStatus::Cancelled {
                reason: format!(
                    "the exchange closed the {} that there were, the order was for {}",
                    self.totals.quantity.normalize(),
                    planned.normalize()
                ),
            },
            Some(_) | None => ReportedStatus::Filled,
        }
    }
}

#[cfg(test)]
mod tests;
