//! What is known of the account's orders, so that every report carries exact totals.
//!
//! The exchange's events tell single trades beside the cumulated quantity. Fees are only told with
//! each trade: where an event doesn't continue what is known, one was missed, and the order is looked up.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ponte_core::id::{ClientOrderId, Symbol};
use ponte_core::message::{OrderReport, ReportedStatus};
use ponte_core::time::Timestamp;
use rust_decimal::Decimal;

use super::wire::{Execution, Trade};
use crate::brokers::binance::ids::{self, Leg};

/// How many orders are remembered. Beyond it the oldest that are over are forgotten.
const ORDERS_MAX: usize = 4_096;

/// The orders of one account.
pub(super) struct Ledger {
    /// The account's money (`USDT`).
    currency: String,
    orders: Mutex<BTreeMap<ClientOrderId, Entry>>,
}

/// Which orders of the exchange stand for an order of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// One.
    Single,
    /// A stop and a target of which whichever comes first executes.
    Pair,
}

impl Shape {
    /// The legs of an order of this shape.
    pub(super) const fn legs(self) -> &'static [Leg] {
        match self {
            Self::Single => &[Leg::Whole],
            Self::Pair => &[Leg::Stop, Leg::Target],
        }
    }

    /// The shape of an order that has such a leg.
    pub(super) const fn of(leg: Leg) -> Self {
        match leg {
            Leg::Whole => Self::Single,
            Leg::Stop | Leg::Target => Self::Pair,
        }
    }
}

struct Entry {
    symbol: Symbol,
    shape: Shape,
    legs: BTreeMap<Leg, Standing>,
    /// Whether the stream has spoken of it.
    heard: bool,
}

/// Where one order of the exchange stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Standing {
    /// The exchange's id of it, or of its list.
    pub(super) broker_order_id: String,
    /// Where it stands.
    pub(super) status: ReportedStatus,
    /// How much has traded.
    pub(super) filled: Decimal,
    /// For how much money.
    pub(super) quote: Decimal,
    /// What that cost and withheld.
    pub(super) costs: Costs,
    /// Since when.
    pub(super) at: Timestamp,
}

/// What trades have cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Costs {
    /// In the account's currency. What was paid in a third asset is left out.
    pub(super) fees: Decimal,
    /// What was kept of the bought asset.
    pub(super) withheld: Decimal,
}

/// What an event adds to what is known.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// Where the order stands now.
    Report(OrderReport),
    /// Nothing new, or nothing of ours.
    Nothing,
    /// An event before it was missed: the order has to be looked up.
    Missed(ClientOrderId),
}

impl Ledger {
    /// An empty ledger of an account that counts in `currency`.
    pub(super) fn new(currency: String) -> Self {
        Self {
            currency,
            orders: Mutex::default(),
        }
    }

    /// The currency that the account counts in.
    pub(super) fn currency(&self) -> &str {
        &self.currency
    }

    /// Notes an order of ours, before anything is heard of it.
    pub(super) fn note(&self, id: ClientOrderId, symbol: &Symbol, shape: Shape) {
        let mut orders = self.orders();
        if orders.len() >= ORDERS_MAX {
            forget(&mut orders);
        }
        orders.entry(id).or_insert_with(|| Entry {
            symbol: symbol.clone(),
            shape,
            legs: BTreeMap::new(),
            heard: false,
        });
    }

    /// Drops an order that the exchange certainly doesn't have.
    pub(super) fn drop_unplaced(&self, id: &ClientOrderId) {
        let mut orders = self.orders();
        if orders.get(id).is_some_and(|entry| entry.legs.is_empty()) {
            orders.remove(id);
        }
    }

    /// The symbol and the shape of an order that is known here.
    pub(super) fn shape(&self, id: &ClientOrderId) -> Option<(Symbol, Shape)> {
        let orders = self.orders();
        orders
            .get(id)
            .map(|entry| (entry.symbol.clone(), entry.shape))
    }

    /// How an order ended, where that is known here.
    pub(super) fn ended(&self, id: &ClientOrderId) -> Option<OrderReport> {
        let report = self.orders().get(id)?.report(*id)?;
        (report.status != ReportedStatus::Working).then_some(report)
    }

    /// Whether the stream has spoken of an order.
    pub(super) fn heard(&self, id: &ClientOrderId) -> bool {
        self.orders().get(id).is_some_and(|entry| entry.heard)
    }

    /// The symbols of all orders that are known here.
    pub(super) fn symbols(&self) -> BTreeSet<Symbol> {
        self.orders()
            .values()
            .map(|entry| entry.symbol.clone())
            .collect()
    }

    /// What a leg's trades have cost, when exactly `filled` of it is known here.
    pub(super) fn costs(&self, id: &ClientOrderId, leg: Leg, filled: Decimal) -> Option<Costs> {
        let orders = self.orders();
        let standing = orders.get(id)?.legs.get(&leg)?;
        (standing.filled == filled).then_some(standing.costs)
    }

    /// Takes in where the legs of an order stand, as the exchange answered, and says where the
    /// order stands with all that is known. Older answers change nothing. `None` while a leg is unknown.
    pub(super) fn settle(
        &self,
        id: ClientOrderId,
        standings: Vec<(Leg, Standing)>,
    ) -> Option<OrderReport> {
        let mut orders = self.orders();
        let entry = orders.get_mut(&id)?;
        for (leg, standing) in standings {
            match entry.legs.get_mut(&leg) {
                Some(known) => known.update(standing),
                None => drop(entry.legs.insert(leg, standing)),
            }
        }
        entry.report(id)
    }

    /// Takes in an event of the stream.
    pub(super) fn take(&self, event: &Execution) -> Told {
        let Some((id, leg)) = ids::read(event.wire_id()) else {
            return Told::Nothing;
        };
        // A refused request is not a report on the order of that id, which may be another.
        if event.kind == "REJECTED" {
            return Told::Nothing;
        }
        let Ok(symbol) = Symbol::new(&event.symbol) else {
            return Told::Nothing;
        };
        self.note(id, &symbol, Shape::of(leg));
        // A word that this version doesn't know: the look-up may have another.
        let Some(status) = event.status() else {
            return Told::Missed(id);
        };
        let mut orders = self.orders();
        let Some(entry) = orders.get_mut(&id) else {
            return Told::Missed(id);
        };
        entry.heard = true;
        let known = entry.legs.get(&leg);
        let before = known.map_or(Decimal::ZERO, |known| known.filled);
        if event.filled < before {
            return Told::Nothing;
        }
        let mut costs = known.map_or_else(Costs::default, |known| known.costs);
        let traded = event.filled - before;
        if !traded.is_zero() {
            let continues = event.kind == "TRADE" && event.last_qty == traded;
            if !continues {
                return Told::Missed(id);
            }
            let trade = Trade {
                id: None,
                price: event.last_price,
                qty: event.last_qty,
                commission: event.commission,
                commission_asset: event.commission_asset.clone().unwrap_or_default(),
            };
            costs.add(&trade, &event.symbol, &event.side, &self.currency);
        }
        let standing = Standing {
            broker_order_id: broker_order_id(event.order_id, event.order_list_id),
            status,
            filled: event.filled,
            quote: event.quote,
            costs,
            at: event.at(),
        };
        match entry.legs.get_mut(&leg) {
            Some(known) => known.update(standing),
            None => drop(entry.legs.insert(leg, standing)),
        }
        match entry.report(id) {
            Some(report) => Told::Report(report),
            // The two legs of a pair begin one after the other.
            None if event.kind == "NEW" => Told::Nothing,
            None => Told::Missed(id),
        }
    }

    fn orders(&self) -> MutexGuard<'_, BTreeMap<ClientOrderId, Entry>> {
        // Each entry is whole between any two operations.
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes room: the older half of what is over goes. Ids grow with time.
fn forget(orders: &mut BTreeMap<ClientOrderId, Entry>) {
    let over: Vec<ClientOrderId> = orders
        .iter()
        .filter(|(_, entry)| entry.is_over())
        .map(|(id, _)| *id)
        .collect();
    for id in over.iter().take(over.len().div_ceil(2)) {
        orders.remove(id);
    }
}

/// The exchange's id of an order: that of its list, where it is part of one.
pub(super) fn broker_order_id(order_id: impl ToString, order_list_id: i64) -> String {
    if order_list_id < 0 {
        order_id.to_string()
    } else {
        order_list_id.to_string()
    }
}

impl Costs {
    /// Adds what one trade has cost. What was paid in the base asset counts at the trade's price.
    pub(super) fn add(&mut self, trade: &Trade, symbol: &str, side: &str, currency: &str) {
        let asset = trade.commission_asset.as_str();
        if asset == currency {
            self.fees = self.fees.saturating_add(trade.commission);
        } else if symbol.strip_suffix(currency) == Some(asset) {
            let worth = trade.commission.saturating_mul(trade.price);
            self.fees = self.fees.saturating_add(worth);
            if side == "BUY" {
                self.withheld = self.withheld.saturating_add(trade.commission);
            }
        }
    }
}

impl Standing {
    /// Takes in another word on the same order. What is over stays over, and totals never shrink.
    fn update(&mut self, said: Self) {
        let is_over = self.status != ReportedStatus::Working;
        if said.filled < self.filled {
            return;
        }
        let status = if is_over && said.status == ReportedStatus::Working {
            self.status.clone()
        } else {
            said.status
        };
        let at = self.at.max(said.at);
        *self = Self { status, at, ..said };
    }
}

impl Entry {
    fn is_over(&self) -> bool {
        self.shape.legs().iter().all(|leg| {
            self.legs
                .get(leg)
                .is_some_and(|standing| standing.status != ReportedStatus::Working)
        })
    }

    /// Where the order stands: the sum of its legs. `None` while one is unknown.
    fn report(&self, id: ClientOrderId) -> Option<OrderReport> {
        let legs: Option<Vec<&Standing>> = self
            .shape
            .legs()
            .iter()
            .map(|leg| self.legs.get(leg))
            .collect();
        let legs = legs?;
        let sum = |of: fn(&Standing) -> Decimal| {
            legs.iter()
                .fold(Decimal::ZERO, |sum, leg| sum.saturating_add(of(leg)))
        };
        let filled = sum(|leg| leg.filled);
        let average_price = sum(|leg| leg.quote).checked_div(filled).unwrap_or_default();
        Some(OrderReport {
            id,
            broker_order_id: legs.first()?.broker_order_id.clone(),
            status: status_of(&legs),
            filled,
            average_price: average_price.normalize(),
            fees: sum(|leg| leg.costs.fees),
            withheld: sum(|leg| leg.costs.withheld),
            at: legs.iter().map(|leg| leg.at).max()?,
        })
    }
}

/// A pair is filled with either of its legs, and works until both are over.
fn status_of(legs: &[&Standing]) -> ReportedStatus {
    let any = |status: &ReportedStatus| legs.iter().any(|leg| leg.status == *status);
    if any(&ReportedStatus::Filled) {
        return ReportedStatus::Filled;
    }
    if any(&ReportedStatus::Working) {
        return ReportedStatus::Working;
    }
    // The leg that traded last tells why no more came of it.
    legs.iter()
        .max_by_key(|leg| (leg.filled, leg.at))
        .map_or(ReportedStatus::Working, |leg| leg.status.clone())
}

#[cfg(test)]
mod tests;
