//! Triggers: which price wakes a waiting order.

use crate::money;
use crate::order::Side;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// What a waiting order waits for. Pure: the same prices in the same order give the same answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PriceTrigger {
    /// The last price at or above this one.
    Rise {
        /// The price.
        price: Decimal,
    },
    /// The last price at or below this one.
    Fall {
        /// The price.
        price: Decimal,
    },
    /// The last price moves against the order by so much of the best price seen: up from the lowest for a buy, down
    /// from the highest for a sell.
    Trail {
        /// The order's side.
        side: Side,
        /// How far, in basis points of the best price; above 0 and below 10000.
        callback_bps: Decimal,
        /// The best price since the trigger became active; none before.
        best: Option<Decimal>,
    },
}

impl PriceTrigger {
    /// The trigger of a stop: a price that is worse for the order than the market.
    #[must_use]
    pub fn stop(side: Side, price: Decimal) -> PriceTrigger {
        match side {
            Side::Buy => PriceTrigger::Rise { price },
            Side::Sell => PriceTrigger::Fall { price },
        }
    }

    /// The trigger of a target: a price that is better for the order than the market.
    #[must_use]
    pub fn take_profit(side: Side, price: Decimal) -> PriceTrigger {
        match side {
            Side::Buy => PriceTrigger::Fall { price },
            Side::Sell => PriceTrigger::Rise { price },
        }
    }

    /// A trigger that trails the market from its first price on.
    #[must_use]
    pub fn trail(side: Side, callback_bps: Decimal) -> PriceTrigger {
        PriceTrigger::Trail {
            side,
            callback_bps,
            best: None,
        }
    }

    /// Tells the last price; answers whether the trigger is reached. Only a trailing one remembers anything.
    #[must_use]
    pub fn reached(&mut self, last: Decimal) -> bool {
        match self {
            PriceTrigger::Rise { price } => last >= *price,
            PriceTrigger::Fall { price } => last <= *price,
            PriceTrigger::Trail {
                side,
                callback_bps,
                best,
            } => {
                let before = best.unwrap_or(last);
                let (better, distance) = match side {
                    Side::Buy => (before.min(last), *callback_bps),
                    Side::Sell => (before.max(last), -*callback_bps),
                };
                *best = Some(better);
                money::shifted(better, distance).is_some_and(|level| match side {
                    Side::Buy => last >= level,
                    Side::Sell => last <= level,
                })
            }
        }
    }

    /// The price that would trigger it now; none for a trailing one that has seen no price.
    #[must_use]
    pub fn level(&self) -> Option<Decimal> {
        match self {
            PriceTrigger::Rise { price } | PriceTrigger::Fall { price } => Some(*price),
            PriceTrigger::Trail {
                side,
                callback_bps,
                best,
            } => {
                let distance = match side {
                    Side::Buy => *callback_bps,
                    Side::Sell => -*callback_bps,
                };
                money::shifted((*best)?, distance)
            }
        }
    }
}
