//! The stop and the target that a position has or should have.

use ponte_core::order::{OrderKind, OrderPlan};
use ponte_core::signal::Terms;
use rust_decimal::Decimal;

use super::super::instruments::fit_level;
use crate::bridge::protocol::{Position, SymbolInfo};

/// A stop and a target of a position, as prices on the symbol's tick.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in super::super) struct Levels {
    pub(in super::super) stop: Option<Decimal>,
    pub(in super::super) target: Option<Decimal>,
}

impl Levels {
    /// Those that a position has.
    pub(in super::super) fn of(position: &Position) -> Self {
        let level = |price: Decimal| (!price.is_zero()).then(|| price.normalize());
        Self {
            stop: level(position.sl),
            target: level(position.tp),
        }
    }

    /// These, and where they say nothing the others.
    pub(in super::super) fn or(self, others: Self) -> Self {
        Self {
            stop: self.stop.or(others.stop),
            target: self.target.or(others.target),
        }
    }

    /// These on the symbol's tick.
    pub(in super::super) fn on_tick(self, info: &SymbolInfo) -> Self {
        Self {
            stop: self.stop.map(|level| fit_level(level, info)),
            target: self.target.map(|level| fit_level(level, info)),
        }
    }

    /// What a protective order asks for.
    ///
    /// # Errors
    /// Why a position can't carry it.
    pub(in super::super) fn asked_by(plan: &OrderPlan) -> Result<Self, String> {
        let refused = |what: &str| {
            Err(format!(
                "a position of {} can't carry a {what}; use a stop, a target or both",
                plan.symbol
            ))
        };
        match plan.kind {
            OrderKind::Single { terms } => match terms {
                Terms::Stop { trigger } => Ok(Self {
                    stop: Some(trigger.get()),
                    target: None,
                }),
                Terms::Limit { price } => Ok(Self {
                    stop: None,
                    target: Some(price.get()),
                }),
                Terms::StopLimit { .. } => refused("stop-limit"),
                Terms::Market => refused("market order"),
            },
            OrderKind::OneCancelsOther { stop, target } => Ok(Self {
                stop: Some(stop.get()),
                target: Some(target.get()),
            }),
            OrderKind::TrailingStop { .. } => refused("trailing stop"),
        }
    }
}
