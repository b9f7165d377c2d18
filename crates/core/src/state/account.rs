//! What is known of one account: its positions, its open orders, and what takes over from what.

use std::collections::BTreeSet;

use rust_decimal::Decimal;

use super::AccountState;
use crate::id::{ClientOrderId, StrategyName, Symbol};
use crate::order::{Lane, Order};
use crate::signal::Side;

impl AccountState {
    /// What a strategy holds of a symbol, signed.
    #[must_use]
    pub fn held(&self, strategy: &StrategyName, symbol: &Symbol) -> Decimal {
        self.positions
            .get(strategy)
            .and_then(|symbols| symbols.get(symbol))
            .map_or(Decimal::ZERO, |position| position.quantity)
    }

    /// What the strategies that are on this side of a symbol hold together, unsigned.
    #[must_use]
    pub fn held_on(&self, symbol: &Symbol, side: Side) -> Decimal {
        self.positions
            .values()
            .filter_map(|symbols| symbols.get(symbol))
            .map(|position| side.signed(position.quantity).max(Decimal::ZERO))
            .fold(Decimal::ZERO, Decimal::saturating_add)
    }

    /// What all strategies together hold of a symbol, signed.
    #[must_use]
    pub fn net(&self, symbol: &Symbol) -> Decimal {
        self.positions
            .values()
            .filter_map(|symbols| symbols.get(symbol))
            .fold(Decimal::ZERO, |sum, position| {
                sum.saturating_add(position.quantity)
            })
    }

    /// The orders of a lane that are not over.
    pub fn lane(&self, lane: &Lane) -> impl Iterator<Item = &Order> + use<'_> {
        self.orders_in(&lane.symbol)
    }

    /// The orders of a symbol that are not over.
    pub fn orders_in(&self, symbol: &Symbol) -> impl Iterator<Item = &Order> + use<'_> {
        self.by_symbol
            .get(symbol)
            .into_iter()
            .flatten()
            .filter_map(|id| self.orders.get(id))
    }

    /// The open orders that protect a position.
    pub fn protection_orders(&self) -> impl Iterator<Item = &Order> {
        self.protection.iter().filter_map(|id| self.orders.get(id))
    }

    /// The open orders of a lane that protect a position.
    pub fn protection_in<'a>(&'a self, lane: &'a Lane) -> impl Iterator<Item = &'a Order> {
        self.protection_orders()
            .filter(|order| order.plan.symbol == lane.symbol)
    }

    /// What an order takes over from: the one that it replaces, and whatever that was to replace in its
    /// turn. One between the two may be over without having rested; the older one stays for this one.
    pub fn replaced_by(&self, order: &Order) -> impl Iterator<Item = ClientOrderId> {
        std::iter::successors(order.plan.replaces, |id| self.known(id)?.plan.replaces)
    }

    /// What of an account's protection is being replaced: it stays until what comes in its place rests.
    #[must_use]
    pub fn replaced(&self) -> BTreeSet<ClientOrderId> {
        let orders = self.protection_orders();
        orders.flat_map(|order| self.replaced_by(order)).collect()
    }

    /// The open orders that wait here, or whose fate nobody knows.
    pub fn unsettled_orders(&self) -> impl Iterator<Item = &Order> {
        self.unsettled.iter().filter_map(|id| self.orders.get(id))
    }

    /// An order that is not over, or one of the last that are.
    pub(super) fn known(&self, id: &ClientOrderId) -> Option<&Order> {
        self.orders.get(id).or_else(|| self.closed.get(id))
    }
}
