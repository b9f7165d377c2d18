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
    /// The broker's other bounds; none unless it tells some.
    #[serde(default)]
    pub limits: Limits,
}

/// Bounds that some brokers set beside steps and minimums. An absent one does not limit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// The largest quantity of one order.
    #[serde(default)]
    pub maximum_quantity: Option<Decimal>,
    /// What holds for market orders beside the rest.
    #[serde(default)]
    pub market: MarketLot,
    /// The largest value of one order.
    #[serde(default)]
    pub maximum_notional: Option<Decimal>,
    /// How far from the market a price may lie.
    #[serde(default)]
    pub price_band: Option<PriceBand>,
    /// The smallest and the largest distance of a trailing stop, in percent.
    #[serde(default)]
    pub trailing_percent: Option<(Decimal, Decimal)>,
    /// Why nothing can be opened now, in the broker's word (`BREAK`, `CANCEL_ONLY`).
    #[serde(default)]
    pub closed: Option<String>,
}

/// Bounds of the quantity of a market order, where they are narrower than those of all orders.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarketLot {
    /// The smallest quantity.
    #[serde(default)]
    pub minimum: Option<Decimal>,
    /// The largest quantity.
    #[serde(default)]
    pub maximum: Option<Decimal>,
    /// Quantities are whole multiples of this.
    #[serde(default)]
    pub step: Option<Decimal>,
}

/// The prices that a broker takes, as multiples of the market's price (0.8 and 1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceBand {
    /// The lowest and the highest price of a buy.
    pub buy: (Decimal, Decimal),
    /// The lowest and the highest price of a sell.
    pub sell: (Decimal, Decimal),
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
