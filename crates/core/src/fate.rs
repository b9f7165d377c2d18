//! What brokers say of orders and accounts, and what their silence means.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::id::ClientOrderId;
use crate::time::Timestamp;

/// What became of an order that was handed to a broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// The broker has it.
    Acknowledged {
        /// What the broker says of it.
        report: OrderReport,
    },
    /// The broker refused it for good.
    Rejected {
        /// The broker's reason.
        reason: String,
    },
    /// Certain that the broker does not have it.
    NotSent {
        /// Why not.
        why: NotSent,
    },
    /// Nobody knows.
    Unknown {
        /// What happened.
        why: String,
    },
}

/// Why an order was certainly not sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotSent {
    /// A halt was found at the last check.
    Halted,
    /// The lane was frozen at the last check, because an order in it has an unknown fate.
    LaneFrozen,
    /// Its time was over at the last check.
    Expired,
    /// It had been taken back by the last check.
    TakenBack,
    /// It was sent, and the broker says for certain that it never had it.
    NeverArrived,
    /// The broker could not be reached, or refused for now; the same order may be sent again.
    Unreachable(String),
}

impl std::fmt::Display for NotSent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Halted => f.write_str("a halt was in force at the last check"),
            Self::LaneFrozen => {
                f.write_str("the lane is frozen until the fate of another order is known")
            }
            Self::Expired => f.write_str("its time was over at the last check"),
            Self::NeverArrived => f.write_str("the broker never had it"),
            Self::TakenBack => f.write_str("it had been taken back by the last check"),
            Self::Unreachable(why) => write!(f, "the broker could not take it: {why}"),
        }
    }
}

/// The broker's answer to a question about one order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FindAnswer {
    /// It has the order.
    Found(OrderReport),
    /// It says for certain, after the order's time fence, that it has none and will have none.
    Absent,
    /// No definite answer.
    Unanswered(String),
}

/// The broker's answer to a cancellation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CancelAnswer {
    /// Done, or it was over already; this is where the order stands.
    Done(OrderReport),
    /// The broker has no such order open.
    NotOpen,
    /// No definite answer.
    Unanswered(String),
}

/// Where an order stands at the broker. Totals rather than differences, so that a report that
/// comes twice, late or never changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderReport {
    /// Our id of the order.
    pub id: ClientOrderId,
    /// The broker's id.
    pub broker_order_id: String,
    /// Where it stands.
    pub status: ReportedStatus,
    /// How much has traded in all.
    pub filled: Decimal,
    /// The mean price of that; zero before the first fill.
    pub average_price: Decimal,
    /// Fees in all, in the account's currency.
    pub fees: Decimal,
    /// How much of what was bought the broker has kept as its fee, in units of the instrument: a
    /// spot exchange that takes its fee in what was bought. Part of `filled`, but not held.
    #[serde(default, skip_serializing_if = "Decimal::is_zero")]
    pub withheld: Decimal,
    /// When the broker says that it happened.
    pub at: Timestamp,
}

/// Where an order stands, in a broker's words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReportedStatus {
    /// It can still trade.
    Working,
    /// All of it has traded.
    Filled,
    /// It ended early.
    Cancelled {
        /// The broker's reason.
        reason: String,
    },
    /// The broker refused it after taking it.
    Rejected {
        /// The broker's reason.
        reason: String,
    },
}

/// The money of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    /// Cash, in the account's currency.
    pub cash: Decimal,
    /// Cash and the value of open positions.
    pub equity: Decimal,
}
