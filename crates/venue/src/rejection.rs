//! Why the venue refused a request: a code for programs, a sentence for people.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The definite refusal of a request: nothing was placed, nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// What kind of refusal.
    pub code: RejectCode,
    /// The refusal in words, with the thing and its numbers.
    pub message: String,
}

impl Rejection {
    /// A rejection of that kind with that sentence.
    pub fn new(code: RejectCode, message: impl Into<String>) -> Rejection {
        Rejection {
            code,
            message: message.into(),
        }
    }

    pub(crate) fn out_of_range(what: &str) -> Rejection {
        Rejection::new(
            RejectCode::OutOfRange,
            format!("{what} is out of the venue's range"),
        )
    }

    pub(crate) fn unknown_account(account: &str) -> Rejection {
        Rejection::new(
            RejectCode::UnknownAccount,
            format!("account {account} is not known"),
        )
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Rejection {}

/// The kinds of refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RejectCode {
    /// No such account.
    UnknownAccount,
    /// The account is there already.
    AccountExists,
    /// No such symbol, and the venue has no default instrument.
    UnknownSymbol,
    /// The client order id is taken (see [`crate::DuplicateIds`]).
    DuplicateClientOrderId,
    /// The request was processed after its `valid_until`.
    Expired,
    /// The request could not be read at all.
    Malformed,
    /// The request contradicts itself, or asks for what the venue doesn't do.
    InvalidRequest,
    /// A price is not a multiple of the instrument's tick.
    OffTick,
    /// The quantity is not a multiple of the instrument's step.
    OffStep,
    /// The quantity is below the instrument's minimum.
    BelowMinimumQuantity,
    /// Quantity times price is below the instrument's minimum.
    BelowMinimumNotional,
    /// Equity times leverage doesn't carry the exposure after the order.
    InsufficientFunds,
    /// The order needs a market price, and none is known.
    NoPrice,
    /// A reduce-only order would execute now, and there is nothing to reduce.
    NothingToReduce,
    /// A number is larger than the venue calculates with.
    OutOfRange,
    /// The account has as many open orders as it may have.
    TooManyOrders,
    /// A fault plan asked for this rejection.
    Injected,
}

impl RejectCode {
    /// The code as it stands on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            RejectCode::UnknownAccount => "unknown_account",
            RejectCode::AccountExists => "account_exists",
            RejectCode::UnknownSymbol => "unknown_symbol",
            RejectCode::DuplicateClientOrderId => "duplicate_client_order_id",
            RejectCode::Expired => "expired",
            RejectCode::Malformed => "malformed",
            RejectCode::InvalidRequest => "invalid_request",
            RejectCode::OffTick => "off_tick",
            RejectCode::OffStep => "off_step",
            RejectCode::BelowMinimumQuantity => "below_minimum_quantity",
            RejectCode::BelowMinimumNotional => "below_minimum_notional",
            RejectCode::InsufficientFunds => "insufficient_funds",
            RejectCode::NoPrice => "no_price",
            RejectCode::NothingToReduce => "nothing_to_reduce",
            RejectCode::OutOfRange => "out_of_range",
            RejectCode::TooManyOrders => "too_many_orders",
            RejectCode::Injected => "injected",
        }
    }
}
