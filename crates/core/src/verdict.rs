//! What one rule said about one order, with its numbers.

use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// A pre-trade check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// The source is listened to.
    SourceOn,
    /// The source may name the strategy.
    SourceStrategies,
    /// The source may name the symbol.
    SourceSymbols,
    /// The source may open, or close, positions.
    SourceVerbs,
    /// The source may reach the account.
    SourceAccounts,
    /// The quantity of one entry of the source.
    SourceMaxQuantity,
    /// The value of one entry of the source.
    SourceMaxNotional,
    /// The symbol may be entered.
    AllowedSymbols,
    /// The broker lists the symbol.
    KnownSymbol,
    /// The entry is young enough.
    MaxSignalAge,
    /// The clock of the sender is not ahead of ours.
    ClockAhead,
    /// The broker can do this kind of order.
    Capability,
    /// The quantity is a whole number of steps.
    QuantityStep,
    /// The quantity is not below the broker's smallest.
    MinQuantity,
    /// The value is not below the broker's smallest.
    MinNotional,
    /// The quantity is not above the broker's largest.
    MaxQuantity,
    /// The value is not above the broker's largest.
    MaxNotional,
    /// The prices are whole numbers of ticks.
    PriceTick,
    /// The prices lie in the broker's band around the market's.
    PriceBand,
    /// The broker takes new positions in the symbol now.
    MarketOpen,
    /// The price is not too far from the market's.
    MaxPriceDeviation,
    /// The same in points.
    MaxPriceDeviationPoints,
    /// Stop and targets lie on their sides of the price.
    Protection,
    /// There is a stop.
    RequireStop,
    /// The stop is not too far from the price, in points.
    MaxStopPoints,
    /// The quantity of one order.
    MaxOrderQuantity,
    /// The value of one order.
    MaxOrderNotional,
    /// The position after the order.
    MaxPosition,
    /// Entries in a minute.
    MaxOrdersPerMinute,
    /// The loss of the trading day.
    MaxDailyLoss,
    /// No other strategy holds the symbol where all would share one position.
    OneStrategyPerSymbol,
    /// The contract that the symbol means can be opened.
    Contract,
    /// The exchange trades it now, and the day's entries have not ended.
    Session,
    /// The position that the alert says came before is the one we have.
    PreviousPosition,
    /// No halt covers it.
    Halt,
    /// The lane is not frozen by an unknown order.
    LaneFrozen,
    /// A price is known, where one is needed.
    PriceKnown,
}

impl Rule {
    /// The rule's name in configuration, journal and tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SourceOn => "source_on",
            Self::SourceStrategies => "source_strategies",
            Self::SourceSymbols => "source_symbols",
            Self::SourceVerbs => "source_verbs",
            Self::SourceAccounts => "source_accounts",
            Self::SourceMaxQuantity => "source_max_quantity",
            Self::SourceMaxNotional => "source_max_notional",
            Self::AllowedSymbols => "allowed_symbols",
            Self::KnownSymbol => "known_symbol",
            Self::MaxSignalAge => "max_signal_age",
            Self::ClockAhead => "clock_ahead",
            Self::Capability => "capability",
            Self::QuantityStep => "quantity_step",
            Self::MinQuantity => "min_quantity",
            Self::MinNotional => "min_notional",
            Self::MaxQuantity => "max_quantity",
            Self::MaxNotional => "max_notional",
            Self::PriceTick => "price_tick",
            Self::PriceBand => "price_band",
            Self::MarketOpen => "market_open",
            Self::MaxPriceDeviation => "max_price_deviation",
            Self::MaxPriceDeviationPoints => "max_price_deviation_points",
            Self::Protection => "protection",
            Self::RequireStop => "require_stop",
            Self::MaxStopPoints => "max_stop_points",
            Self::MaxOrderQuantity => "max_order_quantity",
            Self::MaxOrderNotional => "max_order_notional",
            Self::MaxPosition => "max_position",
            Self::MaxOrdersPerMinute => "max_orders_per_minute",
            Self::MaxDailyLoss => "max_daily_loss",
            Self::OneStrategyPerSymbol => "one_strategy_per_symbol",
            Self::Contract => "contract",
            Self::Session => "session",
            Self::PreviousPosition => "previous_position",
            Self::Halt => "halt",
            Self::LaneFrozen => "lane_frozen",
            Self::PriceKnown => "price_known",
        }
    }
}

/// What a rule said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ruling {
    /// The rule is kept.
    Pass,
    /// It is broken, and the order is not sent.
    Refuse,
    /// It is worth saying, and does not stop the order (exits, warnings).
    Note,
}

/// What one rule said about one order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Which rule.
    pub rule: Rule,
    /// What it said.
    pub ruling: Ruling,
    /// What was measured, where it is a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<Decimal>,
    /// What it was held against, where that is a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<Decimal>,
    /// The sentence for people; rules that pass need none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.ruling {
            Ruling::Pass => "pass",
            Ruling::Refuse => "refuse",
            Ruling::Note => "note",
        };
        write!(f, "{}: {word}", self.rule.as_str())?;
        match (self.measured, self.limit) {
            (Some(measured), Some(limit)) => write!(f, " ({measured} of {limit})")?,
            (Some(measured), None) => write!(f, " ({measured})")?,
            (None, Some(limit)) => write!(f, " (limit {limit})")?,
            (None, None) => {}
        }
        if !self.detail.is_empty() {
            write!(f, ", {}", self.detail)?;
        }
        Ok(())
    }
}
