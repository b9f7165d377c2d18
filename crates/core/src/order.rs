//! The life of an order, from the plan to its last word.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::id::{AccountName, AlertId, ClientOrderId, StrategyName, Symbol};
use crate::message::{Event, OrderEnd};
use crate::number::{Price, Quantity};
use crate::signal::{Protection, Side, Terms};
use crate::time::Timestamp;

/// An order as it was decided: everything the broker is told, and why it exists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderPlan {
    /// Its identity, at the broker too.
    pub id: ClientOrderId,
    /// Where it goes.
    pub account: AccountName,
    /// Whose position it changes.
    pub strategy: StrategyName,
    /// The broker's name of the instrument.
    pub symbol: Symbol,
    /// Which way.
    pub side: Side,
    /// How much. For an exit that waits, the most it may become.
    pub quantity: Quantity,
    /// At which terms.
    pub kind: OrderKind,
    /// What it does to the position, and so which rules and which place in the lane it has.
    pub class: OrderClass,
    /// What must protect the position that it opens.
    #[serde(default, skip_serializing_if = "Protection::is_empty")]
    pub protection: Protection,
    /// The market price when it was decided, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference_price: Option<Price>,
    /// Who asked for it.
    pub origin: Origin,
    /// The alert behind it, also behind protection; none when a person asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert: Option<AlertId>,
    /// It is not sent after this moment.
    pub expires_at: Timestamp,
    /// It is not sent before these are final.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<ClientOrderId>,
    /// Protection that this one takes over from: the old one is cancelled once this one rests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<ClientOrderId>,
    /// Orders at the broker that hold what this one needs: it is asked to swap them for this one.
    /// Looked up anew whenever it is handed over; what is remembered of it are those of all attempts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub instead_of: Vec<ClientOrderId>,
    /// What one unit's move of 1 in price is worth, for profits.
    pub multiplier: Decimal,
    /// Whether the broker is told that it may only make the account's position smaller. Not so
    /// where another strategy trades the same symbol, as the broker knows only the sum of both, and
    /// never for what rests: another strategy may come later and would make the broker take it away.
    #[serde(default)]
    pub reduce_only: bool,
}

/// The lane of an order: the sequence of orders for one account and symbol.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Lane {
    /// The account.
    pub account: AccountName,
    /// The broker's symbol.
    pub symbol: Symbol,
}

impl OrderPlan {
    /// The lane that it belongs to.
    #[must_use]
    pub fn lane(&self) -> Lane {
        Lane {
            account: self.account.clone(),
            symbol: self.symbol.clone(),
        }
    }
}

/// How an order executes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum OrderKind {
    /// One set of terms.
    Single {
        /// The terms.
        terms: Terms,
    },
    /// A stop and a target of which whichever comes first executes.
    OneCancelsOther {
        /// Leaves at the market from here.
        stop: Price,
        /// Leaves at this price or better.
        target: Price,
    },
    /// A stop that follows the price and never goes back, and leaves at the market.
    TrailingStop {
        /// How far behind the best price it stays, in percent of that; above 0, below 100.
        distance_percent: Decimal,
    },
}

impl OrderKind {
    /// A market order.
    pub const MARKET: Self = Self::Single {
        terms: Terms::Market,
    };

    /// Whether it cuts a loss: the part of protection without which a position is naked.
    #[must_use]
    pub const fn is_stop(self) -> bool {
        match self {
            Self::Single { terms } => match terms {
                Terms::Stop { .. } | Terms::StopLimit { .. } => true,
                Terms::Market | Terms::Limit { .. } => false,
            },
            Self::OneCancelsOther { .. } | Self::TrailingStop { .. } => true,
        }
    }

    /// Whether it takes a gain.
    #[must_use]
    pub const fn is_target(self) -> bool {
        match self {
            Self::Single { terms } => match terms {
                Terms::Limit { .. } => true,
                Terms::Market | Terms::Stop { .. } | Terms::StopLimit { .. } => false,
            },
            Self::OneCancelsOther { .. } => true,
            Self::TrailingStop { .. } => false,
        }
    }

    /// Whether the order may rest at the broker rather than execute at once.
    #[must_use]
    pub const fn rests(self) -> bool {
        !matches!(
            self,
            Self::Single {
                terms: Terms::Market
            }
        )
    }
}

/// What an order does to the position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderClass {
    /// Leaves a position; first in the lane, free of the rules for entries.
    Exit,
    /// Stop or target that rests at the broker while the position lives.
    Protection,
    /// Opens or enlarges a position.
    Entry,
}

impl OrderClass {
    /// One word for tables and answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exit => "exit",
            Self::Protection => "protection",
            Self::Entry => "entry",
        }
    }

    /// Whether the order may only make the position smaller.
    #[must_use]
    pub const fn reduces(self) -> bool {
        match self {
            Self::Exit | Self::Protection => true,
            Self::Entry => false,
        }
    }
}

/// Who asked for an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// An alert.
    Alert(AlertId),
    /// The fill of an entry that asked for protection.
    Protects(ClientOrderId),
    /// A person or a halt.
    Operator(String),
}

/// Where an order stands. The last five are final.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum OrderStatus {
    /// Planned; waits for other orders, for its lane or for the next attempt.
    Waiting,
    /// Handed to execution; nothing has been heard. After a crash this is an unknown fate.
    Submitting,
    /// Nobody knows whether the broker took it; the broker is being asked.
    Unknown,
    /// The broker has it.
    Working,
    /// All of it has traded.
    Filled,
    /// It ended at the broker before all of it had traded.
    Cancelled,
    /// The broker refused it.
    Rejected,
    /// Its time was over before it could be sent, or the broker never had it.
    Expired,
    /// It was taken back here and never reached the broker.
    Abandoned,
}

impl OrderStatus {
    /// The status of an order that ended so.
    #[must_use]
    pub const fn ended(end: OrderEnd) -> Self {
        match end {
            OrderEnd::Filled => Self::Filled,
            OrderEnd::Cancelled => Self::Cancelled,
            OrderEnd::Rejected => Self::Rejected,
            OrderEnd::Expired => Self::Expired,
            OrderEnd::Abandoned => Self::Abandoned,
        }
    }

    /// Whether nothing more is expected.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        match self {
            Self::Waiting | Self::Submitting | Self::Unknown | Self::Working => false,
            Self::Filled | Self::Cancelled | Self::Rejected | Self::Expired | Self::Abandoned => {
                true
            }
        }
    }

    /// Whether the broker may have the order, or is about to.
    #[must_use]
    pub const fn may_be_at_broker(&self) -> bool {
        match self {
            Self::Submitting | Self::Unknown | Self::Working => true,
            Self::Waiting
            | Self::Filled
            | Self::Cancelled
            | Self::Rejected
            | Self::Expired
            | Self::Abandoned => false,
        }
    }

    /// One word for tables and answers.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Submitting => "submitting",
            Self::Unknown => "unknown",
            Self::Working => "working",
            Self::Filled => "filled",
            Self::Cancelled => "cancelled",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Abandoned => "abandoned",
        }
    }
}

/// An order and all that has become of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// As it was decided.
    pub plan: OrderPlan,
    /// When it was decided.
    pub planned_at: Timestamp,
    /// Where it stands.
    #[serde(flatten)]
    pub status: OrderStatus,
    /// How often it has been handed to execution.
    pub attempts: u32,
    /// How much has traded.
    pub filled: Decimal,
    /// The mean price of what has traded, zero before that.
    pub average_price: Decimal,
    /// Fees so far, in the account's currency.
    pub fees: Decimal,
    /// How much of what was bought the broker has kept as its fee, in units of the instrument.
    #[serde(default, skip_serializing_if = "Decimal::is_zero")]
    pub withheld: Decimal,
    /// Whether the guard has acted because it did not come to rest in time.
    #[serde(default)]
    pub late: bool,
    /// Since when nobody knows where it stands, while that is so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unknown_since: Option<Timestamp>,
    /// The broker's own id, once it has told it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broker_order_id: Option<String>,
    /// Whether the broker has been asked to take it back.
    #[serde(default)]
    pub cancel_requested: bool,
    /// How often the broker has been asked about it since its fate became unknown, or since it was
    /// asked to take it back.
    #[serde(default)]
    pub questions: u32,
    /// When it must be looked at again: the next attempt, or the next question to the broker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wake_at: Option<Timestamp>,
    /// The last thing that was said about it, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Order {
    /// Whether something has to be done about it here, rather than by the broker: it waits, nobody
    /// knows its fate, or it was taken back on its way and must not leave.
    pub(crate) const fn is_unsettled(&self) -> bool {
        match self.status {
            OrderStatus::Waiting | OrderStatus::Unknown => true,
            OrderStatus::Submitting => self.cancel_requested,
            OrderStatus::Working
            | OrderStatus::Filled
            | OrderStatus::Cancelled
            | OrderStatus::Rejected
            | OrderStatus::Expired
            | OrderStatus::Abandoned => false,
        }
    }

    /// Becomes what an event of this moment makes of an order that is not over by it.
    pub(crate) fn become_what(&mut self, at: Timestamp, event: &Event) {
        match event {
            Event::OrderReleased {
                quantity,
                instead_of,
                expires_at,
                ..
            } => {
                self.plan.expires_at = expires_at.unwrap_or(self.plan.expires_at);
                // What an earlier attempt has displaced stays gone, and is owed a return.
                for id in instead_of {
                    if !self.plan.instead_of.contains(id) {
                        self.plan.instead_of.push(*id);
                    }
                }
                self.status = OrderStatus::Submitting;
                self.attempts += 1;
                self.wake_at = None;
                if let Ok(quantity) = (*quantity).try_into() {
                    self.plan.quantity = quantity;
                }
            }
            Event::OrderAcknowledged {
                broker_order_id, ..
            } => {
                self.status = OrderStatus::Working;
                self.broker_order_id = Some(broker_order_id.clone());
                // Of one that is being taken back, each question counts until it is over.
                if !self.cancel_requested {
                    self.questions = 0;
                }
                self.wake_at = None;
                // Should it be lost from sight again, that is news.
                self.unknown_since = None;
                self.late = false;
            }
            Event::OrderNotSent { why, retry_at, .. } => {
                self.status = OrderStatus::Waiting;
                self.unknown_since = None;
                self.wake_at = Some(*retry_at);
                self.reason = Some(why.to_string());
            }
            Event::ProtectionLate { .. } => self.late = true,
            Event::OrderUnknown { why, ask_at, .. } => {
                self.status = OrderStatus::Unknown;
                self.unknown_since.get_or_insert(at);
                self.wake_at = *ask_at;
                self.reason = Some(why.clone());
            }
            Event::OrderQuestioned { .. } => {
                self.questions += 1;
                self.wake_at = None;
            }
            Event::CancelRequested { .. } => {
                self.cancel_requested = true;
                self.questions = 0;
            }
            Event::Started { .. }
            | Event::RequestRefused(_)
            | Event::AlertDecided(_)
            | Event::OperatorActed { .. }
            | Event::SourceSwitched(_)
            | Event::Alarm { .. }
            | Event::OrderPlanned { .. }
            | Event::OrderFilled { .. }
            | Event::OrderEnded { .. }
            | Event::AccountRead { .. }
            | Event::HaltSet(_)
            | Event::HaltLifted { .. }
            | Event::FlattenRequested { .. }
            | Event::CutOffReached(_)
            | Event::DailyLossReached { .. }
            | Event::PositionReducedOutside(_) => {}
        }
    }

    /// Notes that it is over.
    pub(crate) fn end(&mut self, end: OrderEnd, reason: &str) {
        self.status = OrderStatus::ended(end);
        self.wake_at = None;
        if !reason.is_empty() {
            self.reason = Some(reason.to_owned());
        }
    }

    /// How much is still to trade.
    #[must_use]
    pub fn remaining(&self) -> Decimal {
        (self.plan.quantity.get() - self.filled).max(Decimal::ZERO)
    }
}
