//! An alert understood: what a strategy wants, without a word about accounts.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::id::{AccountName, Digest, StrategyName, Symbol};
use crate::number::{Price, Quantity};
use crate::time::Timestamp;

/// Most targets that one signal may carry.
pub const TARGETS_MAX: usize = 8;

/// One alert after parsing; every field has been checked for form, none against an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signal {
    /// Whose position this is about.
    pub strategy: StrategyName,
    /// What to trade, as TradingView names it; absent only for a heartbeat.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub symbol: Option<Symbol>,
    /// The exchange in front of the symbol (`BINANCE` of `BINANCE:BTCUSDT`), when the alert names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exchange: Option<String>,
    /// What is wanted.
    pub intent: Intent,
    /// Restricts the signal to one of the routed accounts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountName>,
    /// The market price that the alert tells, not an instruction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference_price: Option<Price>,
    /// Stop and targets that must protect an entry.
    #[serde(default, skip_serializing_if = "Protection::is_empty")]
    pub protection: Protection,
    /// The side of the strategy's position before the alert, when the alert tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_position: Option<PositionSide>,
    /// The sender's own identity of this signal, unique for ever per source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explicit_id: Option<String>,
    /// When the alert fired (`{{timenow}}`), by TradingView's clock; decides about age.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fired_at: Option<Timestamp>,
    /// When the bar opened (`{{time}}`); part of the identity, never of the age.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bar_at: Option<Timestamp>,
    /// Free text for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The digest of the meaning: equal for alerts that say the same, however they are written.
    /// The secret is not part of it.
    pub digest: Digest,
}

/// What a signal wants done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "intent", rename_all = "snake_case")]
pub enum Intent {
    /// Buy or sell so much: closes what lies on the other side first, opens with the rest.
    Trade {
        /// Which way.
        side: Side,
        /// How much; absent where the route decides.
        quantity: Option<Quantity>,
        /// At which terms.
        terms: Terms,
    },
    /// Enter or add to a position on this side; refused while the strategy holds the other side.
    Enter {
        /// The side of the position.
        side: PositionSide,
        /// How much; absent where the route decides.
        quantity: Option<Quantity>,
        /// At which terms.
        terms: Terms,
    },
    /// Leave a position, whole or in part; never opens one.
    Exit {
        /// Only a position on this side; `None` closes whatever there is.
        side: Option<PositionSide>,
        /// How much of it.
        amount: ExitAmount,
    },
    /// Close what there is, then open the other side.
    Reverse {
        /// The size of the new position; absent: as large as the old one, or as the route decides.
        quantity: Option<Quantity>,
    },
    /// Bring the strategy's position to this signed size; zero closes it.
    Target {
        /// Above zero is long, below short.
        position: Decimal,
    },
    /// Take back the strategy's working entry orders in the symbol; protection stays.
    Cancel,
    /// The strategy is alive; nothing is traded.
    Heartbeat,
}

impl Intent {
    /// Whether it may open or enlarge a position. What may not must never wait for anything.
    #[must_use]
    pub fn may_open(&self) -> bool {
        match self {
            Self::Trade { .. } | Self::Enter { .. } | Self::Reverse { .. } => true,
            Self::Target { position } => !position.is_zero(),
            Self::Exit { .. } | Self::Cancel | Self::Heartbeat => false,
        }
    }

    /// The intent's word in tables and exports.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Trade {
                side: Side::Buy, ..
            } => "buy",
            Self::Trade {
                side: Side::Sell, ..
            } => "sell",
            Self::Enter {
                side: PositionSide::Short,
                ..
            } => "enter_short",
            Self::Enter {
                side: PositionSide::Long | PositionSide::Flat,
                ..
            } => "enter_long",
            Self::Exit { .. } => "exit",
            Self::Reverse { .. } => "reverse",
            Self::Target { .. } => "target",
            Self::Cancel => "cancel",
            Self::Heartbeat => "heartbeat",
        }
    }
}

/// The direction of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Towards long.
    Buy,
    /// Towards short.
    Sell,
}

impl Side {
    /// The other direction.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }

    /// The change of a position that trading so much in this direction makes.
    #[must_use]
    pub fn signed(self, quantity: Decimal) -> Decimal {
        match self {
            Self::Buy => quantity,
            Self::Sell => -quantity,
        }
    }

    /// `buy` or `sell`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Buy => "buy",
            Self::Sell => "sell",
        }
    }
}

/// The direction of a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PositionSide {
    /// Gains when the price rises.
    Long,
    /// Gains when the price falls.
    Short,
    /// No position.
    Flat,
}

impl PositionSide {
    /// The side of a signed position.
    #[must_use]
    pub fn of(position: Decimal) -> Self {
        match position.cmp(&Decimal::ZERO) {
            std::cmp::Ordering::Greater => Self::Long,
            std::cmp::Ordering::Less => Self::Short,
            std::cmp::Ordering::Equal => Self::Flat,
        }
    }

    /// `long`, `short` or `flat`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Long => "long",
            Self::Short => "short",
            Self::Flat => "flat",
        }
    }
}

/// At which terms an order may execute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Terms {
    /// At once, at what the market gives.
    Market,
    /// At this price or better.
    Limit {
        /// The worst acceptable price.
        price: Price,
    },
    /// At the market, once the price has reached the trigger.
    Stop {
        /// The price that wakes the order.
        trigger: Price,
    },
    /// As a limit order, once the price has reached the trigger.
    StopLimit {
        /// The price that wakes the order.
        trigger: Price,
        /// The worst acceptable price after that.
        price: Price,
    },
}

impl Terms {
    /// The price that the order itself names, the best guess of where it fills.
    #[must_use]
    pub const fn named_price(self) -> Option<Price> {
        match self {
            Self::Market => None,
            Self::Limit { price } | Self::StopLimit { price, .. } => Some(price),
            Self::Stop { trigger } => Some(trigger),
        }
    }
}

/// How much of a position to leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExitAmount {
    /// The whole position.
    All,
    /// A share of it, above 0 and up to 100.
    Percent(Decimal),
    /// So much of it; more than there is closes all of it.
    Quantity(Quantity),
}

/// Where an entry's loss is cut and its gain taken, as prices.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Protection {
    /// The price at which the position is given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop: Option<Price>,
    /// The prices at which gains are taken, an equal share at each, at most [`TARGETS_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<Price>,
    /// Instead of a fixed stop: one that follows the price at this distance in percent, above 0
    /// and below 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trail_percent: Option<Decimal>,
}

impl Protection {
    /// Whether it cuts losses: without it the position would be naked.
    #[must_use]
    pub const fn has_stop(&self) -> bool {
        self.stop.is_some() || self.trail_percent.is_some()
    }

    /// Whether there is nothing to place.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.stop.is_none() && self.targets.is_empty() && self.trail_percent.is_none()
    }
}
