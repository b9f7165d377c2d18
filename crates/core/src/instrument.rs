//! What a broker says about a tradable thing: its steps, minimums and multiplier.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::id::Symbol;

/// The facts of one instrument at one broker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instrument {
    /// The broker's name for it.
    pub symbol: Symbol,
    /// Prices are whole multiples of this, above zero.
    pub price_tick: Decimal,
    /// Quantities are whole multiples of this, above zero.
    pub quantity_step: Decimal,
    /// The smallest quantity that is taken.
    pub minimum_quantity: Decimal,
    /// The smallest value (price × quantity × multiplier) that is taken; zero where there is none.
    pub minimum_notional: Decimal,
    /// What one unit's move of 1 in price is worth in the quote currency (0.20 for B3's WIN).
    pub contract_multiplier: Decimal,
}

/// The instruments of one account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Instruments {
    /// The ones the broker lists.
    pub listed: BTreeMap<Symbol, Instrument>,
    /// What holds for any other symbol, at a venue that takes every symbol (paper).
    pub any_other: Option<Box<Instrument>>,
}

impl Instruments {
    /// The instrument of a symbol; `None` when the broker doesn't know it.
    #[must_use]
    pub fn get(&self, symbol: &Symbol) -> Option<&Instrument> {
        self.listed.get(symbol).or(self.any_other.as_deref())
    }
}
