//! Stands in for the adapter until it is merged.

use std::sync::Arc;
use std::time::Duration;

use ponte_core::fate::NotSent;
use ponte_core::id::{AccountName, Symbol};
use ponte_core::instrument::Instruments;
use ponte_core::message::{Balance, CancelAnswer, Fate, FindAnswer, OrderReport};
use ponte_core::order::OrderPlan;
use ponte_core::policy::{Brackets, Capabilities, Mode};

use crate::bridge::{Heard, Line, Listener};
use crate::brokers::{Answer, Broker, BrokerError, BrokerPosition, Credentials};

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

/// Nothing yet.
pub(super) struct Mt5 {
    options: Options,
    line: Arc<Line>,
}

impl Mt5 {
    pub(super) fn new(options: Options, line: Arc<Line>) -> Arc<Self> {
        Arc::new(Self { options, line })
    }
    pub(super) fn symbol_findings(&self, _: &std::collections::BTreeSet<Symbol>) -> Vec<Finding> {
        Vec::new()
    }
    pub(super) fn findings(&self) -> Vec<Finding> {
        Vec::new()
    }
}

/// One thing.
pub(super) struct Finding {
    pub(super) subject: &'static str,
    pub(super) is_fine: bool,
    pub(super) text: String,
}

impl Listener for Mt5 {
    fn heard(&self, _: Heard<'_>) {}
}

type News = tokio::sync::mpsc::UnboundedSender<crate::brokers::News>;

fn soon<T: Send + 'static>() -> Answer<'static, Result<T, BrokerError>> {
    Box::pin(async { Err(BrokerError::Unanswered("soon".into())) })
}

impl Broker for Mt5 {
    fn submit<'a>(&'a self, _: &'a OrderPlan) -> Answer<'a, Fate> {
        Box::pin(async {
            Fate::NotSent {
                why: NotSent::Unreachable("soon".into()),
            }
        })
    }
    fn find<'a>(&'a self, _: &'a OrderPlan) -> Answer<'a, FindAnswer> {
        Box::pin(async { FindAnswer::Unanswered("soon".into()) })
    }
    fn cancel<'a>(&'a self, _: &'a OrderPlan) -> Answer<'a, CancelAnswer> {
        Box::pin(async { CancelAnswer::Unanswered("soon".into()) })
    }
    fn cancel_all<'a>(&'a self, _: &'a Symbol) -> Answer<'a, Result<(), BrokerError>> {
        soon()
    }
    fn open_orders(&self) -> Answer<'_, Result<Vec<OrderReport>, BrokerError>> {
        soon()
    }
    fn positions(&self) -> Answer<'_, Result<Vec<BrokerPosition>, BrokerError>> {
        soon()
    }
    fn balance(&self) -> Answer<'_, Result<Balance, BrokerError>> {
        soon()
    }
    fn instruments(&self) -> Answer<'_, Result<Instruments, BrokerError>> {
        soon()
    }
    fn reports(&self, _: News) -> Answer<'_, ()> {
        Box::pin(std::future::pending())
    }
    fn capabilities(&self) -> Capabilities {
        capabilities(self.options.accounting)
    }
    fn check_credentials(&self) -> Answer<'_, Result<Credentials, BrokerError>> {
        soon()
    }
}
