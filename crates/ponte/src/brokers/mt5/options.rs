//! What the adapter of one account is told by the configuration.

use std::time::Duration;

use ponte_core::id::AccountName;
use ponte_core::policy::{Brackets, Capabilities, Mode};

/// How long a submission waits for a result when the configuration doesn't say: less than execution
/// waits for the adapter, so that "not handed over" can still be said.
pub const ANSWER_WITHIN_DEFAULT: Duration = Duration::from_secs(9);
/// How long a command may be begun after the bridge asked for it when the configuration doesn't say.
pub const VALID_DEFAULT: Duration = Duration::from_secs(5);
/// The largest slippage when the configuration doesn't say, in points.
pub const DEVIATION_POINTS_DEFAULT: u64 = 20;

/// The adapter of one account.
#[derive(Debug, Clone)]
pub struct Options {
    /// The account, as the configuration calls it.
    pub account: AccountName,
    /// Whether real money may move; held against what the terminal says of its account.
    pub mode: Mode,
    /// `ACCOUNT_LOGIN`: the only account in which anything is done.
    pub login: i64,
    /// `ACCOUNT_SERVER`.
    pub server: String,
    /// `ACCOUNT_CURRENCY`.
    pub currency: String,
    /// How the account counts positions; held against the terminal's margin mode.
    pub accounting: Accounting,
    /// The largest slippage of a market order in points; effective in instant and request execution.
    pub deviation_points: u64,
    /// How market orders are filled, instead of what the symbol's flags suggest.
    pub filling: Option<Filling>,
    /// How long pending orders last.
    pub pending_orders_last: OrderLife,
    /// How long a submission waits for a result.
    pub answer_within: Duration,
    /// How long a command may be begun after the bridge asked for it.
    pub valid: Duration,
}

/// How an account counts positions (MQL5 Reference, `ENUM_ACCOUNT_MARGIN_MODE`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accounting {
    /// One position for each symbol (`RETAIL_NETTING`, and `EXCHANGE` as at B3).
    Netting,
    /// A position for each entry (`RETAIL_HEDGING`).
    Hedging,
}

impl Accounting {
    /// The configuration's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Netting => "netting",
            Self::Hedging => "hedging",
        }
    }

    /// What a margin mode of the terminal counts like; `None` for one that isn't known.
    pub(super) const fn of_margin_mode(mode: u32) -> Option<Self> {
        match mode {
            0 | 1 => Some(Self::Netting),
            2 => Some(Self::Hedging),
            _ => None,
        }
    }
}

/// How a market order is filled (MQL5 Reference, `ENUM_ORDER_TYPE_FILLING`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filling {
    /// All or nothing.
    Fok,
    /// What is there now; the rest is cancelled.
    Ioc,
    /// What is there now; the rest stays.
    Return,
}

impl Filling {
    /// The number in a request.
    pub(super) const fn number(self) -> u32 {
        match self {
            Self::Fok => 0,
            Self::Ioc => 1,
            Self::Return => 2,
        }
    }
}

/// How long a pending order lasts, where the symbol allows it (MQL5 Reference, `ENUM_ORDER_TYPE_TIME`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderLife {
    /// Until it is taken back.
    Gtc,
    /// Until the end of the trading day.
    Day,
}

/// What an account of this accounting can do, known without asking the terminal.
///
/// Stops and targets are levels of the position, so that a holding has one of each. A resting
/// order is never kept within the position by the server.
#[must_use]
pub const fn capabilities(accounting: Accounting) -> Capabilities {
    Capabilities {
        limit: true,
        stop: true,
        stop_limit: true,
        brackets: Brackets::OnPosition,
        trailing_stop: false,
        short: true,
        reduce_only: true,
        resting_reduce_only: false,
        resting_holds: false,
        one_strategy_per_symbol: matches!(accounting, Accounting::Netting),
    }
}
