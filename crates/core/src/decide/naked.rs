//! Positions without the stop that they were asked to have, for people and gauges.

use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::exits;
use crate::id::Symbol;
use crate::message::PositionKey;
use crate::order::{OrderClass, OrderStatus};
use crate::policy::{AccountPolicy, Policy};
use crate::state::State;

/// A position without (all of) the stop that it was asked to have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Naked {
    /// Whose and where.
    pub position: PositionKey,
    /// How much of it no stop at the broker covers, unsigned.
    pub quantity: Decimal,
}

impl fmt::Display for Naked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PositionKey {
            account,
            strategy,
            symbol,
        } = &self.position;
        write!(
            f,
            "{} {symbol} of {strategy} in {account} without a stop",
            self.quantity
        )
    }
}

/// The positions that are naked now, moments between a fill and its stop included.
#[must_use]
pub fn naked_positions(state: &State, policy: &Policy) -> Vec<Naked> {
    let mut naked = Vec::new();
    for (name, account) in &state.accounts {
        for (strategy, symbols) in &account.positions {
            for (symbol, position) in symbols {
                if position.guarded.is_zero() {
                    continue;
                }
                let policy = policy.accounts.get(name);
                let instrument = policy.and_then(|policy| policy.instruments.get(symbol));
                let step = instrument.map_or(Decimal::ZERO, |found| found.quantity_step);
                let guarded = crate::number::floor_to_step(position.guarded, step)
                    .unwrap_or(position.guarded);
                let side = exits::closing_side(position.quantity);
                let resting = account.orders_in(symbol).filter(|order| {
                    order.plan.strategy == *strategy
                        && order.plan.class == OrderClass::Protection
                        && order.plan.kind.is_stop()
                        && order.plan.side == side
                        && order.status == OrderStatus::Working
                });
                let covered = resting.fold(Decimal::ZERO, |sum, order| sum + order.remaining());
                let quantity = (guarded - covered).normalize();
                let price = account.prices.get(symbol).map(|price| price.get());
                if quantity > Decimal::ZERO && !is_dust(policy, symbol, quantity, price) {
                    naked.push(Naked {
                        position: PositionKey {
                            account: name.clone(),
                            strategy: strategy.clone(),
                            symbol: symbol.clone(),
                        },
                        quantity,
                    });
                }
            }
        }
    }
    naked
}

/// Whether so little can be neither protected nor closed: the broker takes no order for it. Orders
/// that tell the broker that they only reduce are free of its minimums, where it knows such orders.
fn is_dust(
    policy: Option<&AccountPolicy>,
    symbol: &Symbol,
    quantity: Decimal,
    price: Option<Decimal>,
) -> bool {
    let Some(policy) = policy.filter(|policy| !policy.capabilities.resting_reduce_only) else {
        return false;
    };
    policy.instruments.get(symbol).is_some_and(|instrument| {
        let value = price.map(|price| {
            quantity
                .saturating_mul(price)
                .saturating_mul(instrument.contract_multiplier)
        });
        quantity < instrument.minimum_quantity
            || value.is_some_and(|value| value < instrument.minimum_notional)
    })
}
