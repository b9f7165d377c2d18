//! Brokers: what every adapter must be able to do, and nothing about what should be done.
//!
//! An adapter is a thin, honest translator. In doubt an order's fate is unknown; a rejection needs
//! the broker's definite word. The trait has no default bodies: what a broker can't do stands in
//! its capabilities and is refused before anything is sent.

pub mod binance;
pub mod mt5;
pub mod paper;

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use ponte_core::instrument::Instruments;
use ponte_core::message::{Balance, CancelAnswer, Fate, FindAnswer, OrderReport, OutsideFill};
use ponte_core::order::OrderPlan;
use ponte_core::policy::Capabilities;
use rust_decimal::Decimal;
use serde::Serialize;
use tokio::sync::mpsc;

use ponte_core::id::Symbol;

/// A future that an adapter gives; it may be dropped at any await, which leaves a fate unknown.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One account at one broker.
pub trait Broker: Send + Sync {
    /// Hands an order over. `NotSent` only where it is certain that the broker does not have it.
    fn submit<'a>(&'a self, order: &'a OrderPlan) -> Answer<'a, Fate>;

    /// Asks about an order by its client id. `Absent` only on the broker's positive word, given
    /// after the last moment at which the broker could still have accepted the order. The plan is
    /// there to be compared: an id is a handle, and at most brokers it can come back.
    fn find<'a>(&'a self, order: &'a OrderPlan) -> Answer<'a, FindAnswer>;

    /// Asks the broker to take an order back.
    fn cancel<'a>(&'a self, order: &'a OrderPlan) -> Answer<'a, CancelAnswer>;

    /// Asks the broker to take back every order of a symbol.
    fn cancel_all<'a>(&'a self, symbol: &'a Symbol) -> Answer<'a, Result<(), BrokerError>>;

    /// The orders of ours that rest at the broker.
    fn open_orders(&self) -> Answer<'_, Result<Vec<OrderReport>, BrokerError>>;

    /// The account's net positions, as the broker counts them.
    fn positions(&self) -> Answer<'_, Result<Vec<BrokerPosition>, BrokerError>>;

    /// The account's money.
    fn balance(&self) -> Answer<'_, Result<Balance, BrokerError>>;

    /// The instruments that can be traded, asked for anew at each call.
    fn instruments(&self) -> Answer<'_, Result<Instruments, BrokerError>>;

    /// What the broker says by itself, until the receiver is dropped. Where something may have
    /// been missed (a stream that begins anew, one that can't be had) it says [`News::Missed`],
    /// and what is open is asked about. Called once.
    fn reports(&self, into: mpsc::UnboundedSender<News>) -> Answer<'_, ()>;

    /// What the broker can do.
    fn capabilities(&self) -> Capabilities;

    /// What the credentials allow, and what the owner should know about the account.
    fn check_credentials(&self) -> Answer<'_, Result<Credentials, BrokerError>>;

    /// What the adapter knows of the way to the broker, from memory: nobody is asked.
    fn examine(&self) -> Examination;
}

/// What an adapter knows of the way to its broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examination {
    /// How far the broker's clock is ahead of this machine's, in milliseconds; `None` where they were not
    /// compared, or are one.
    pub clock_ahead_milliseconds: Option<i64>,
    /// What the broker grants and how much of it is used; empty where it sets no limits or has told none.
    pub budgets: Vec<Budget>,
    /// How what the broker says by itself reaches Ponte.
    pub reports: Reports,
    /// How the account counts positions; `None` where the broker has not said it yet.
    pub positions: Option<PositionMode>,
}

/// A limit of the broker's on requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// What is counted, for people: `request weight`, `orders`.
    pub what: &'static str,
    /// How much of it is used.
    pub used: u64,
    /// How much may be.
    pub limit: u64,
    /// In which span.
    pub per: Duration,
}

/// How what a broker says by itself reaches Ponte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reports {
    /// The broker is in this process.
    Within,
    /// It is asked again and again.
    Asked,
    /// It comes over a connection that is up.
    Streamed {
        /// For how long it is.
        up_for: Duration,
        /// How long ago the last word came; `None` where none has.
        heard_ago: Option<Duration>,
    },
    /// The connection is down, and it is asked meanwhile; why.
    Down(String),
}

/// How an account counts positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PositionMode {
    /// What is held of each asset.
    Holdings,
    /// One position for each symbol.
    Net,
    /// A long and a short one side by side.
    BothSides,
    /// Each deal opens one of its own.
    EachDeal,
}

/// What a broker says by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// Where an order of ours stands.
    Order(OrderReport),
    /// A person or the broker itself has made a position of ours smaller. May be told more than once.
    Outside(OutsideFill),
    /// Something may have been missed.
    Missed,
}

/// A net position as a broker counts it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BrokerPosition {
    /// The broker's symbol.
    pub symbol: Symbol,
    /// Above zero is long, below short.
    pub quantity: Decimal,
}

/// What an account's credentials allow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Credentials {
    /// Orders can be placed.
    pub can_trade: bool,
    /// Money can be taken out: more than Ponte ever needs. `None` where the broker doesn't tell.
    pub can_withdraw: Option<bool>,
    /// They work from chosen addresses only; `None` where the broker doesn't tell.
    pub bound_to_address: Option<bool>,
    /// What the owner should know, one sentence each with its cure.
    pub warnings: Vec<String>,
}

/// One thing about an account that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at: a stable word (`terminal_connected`).
    pub subject: &'static str,
    /// Whether it is as it should be.
    pub is_fine: bool,
    /// What was seen, in one sentence with its numbers, and where it is not fine the cure.
    pub text: String,
}

/// Why a question about an account has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BrokerError {
    /// The broker could not be reached, or did not answer in time.
    #[error("the broker did not answer: {0}")]
    Unanswered(String),
    /// The broker answered with something that this version does not understand.
    #[error("the broker's answer could not be read: {0}")]
    Unreadable(String),
    /// The broker refused.
    #[error("the broker refused: {0}")]
    Refused(String),
}
