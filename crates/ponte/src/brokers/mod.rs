//! Brokers: what every adapter must be able to do, and nothing about what should be done.
//!
//! An adapter is a thin, honest translator. In doubt an order's fate is unknown; a rejection needs
//! the broker's definite word. The trait has no default bodies: what a broker can't do stands in
//! its capabilities and is refused before anything is sent.

pub mod paper;

use std::future::Future;
use std::pin::Pin;

use ponte_core::id::ClientOrderId;
use ponte_core::instrument::Instruments;
use ponte_core::message::{Balance, CancelAnswer, Fate, FindAnswer, OrderReport};
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
    /// after the last moment at which the broker could still have accepted the order.
    fn find<'a>(&'a self, id: &'a ClientOrderId, symbol: &'a Symbol) -> Answer<'a, FindAnswer>;

    /// Asks the broker to take an order back.
    fn cancel<'a>(&'a self, id: &'a ClientOrderId, symbol: &'a Symbol) -> Answer<'a, CancelAnswer>;

    /// Asks the broker to take back every order of a symbol.
    fn cancel_all<'a>(&'a self, symbol: &'a Symbol) -> Answer<'a, Result<(), BrokerError>>;

    /// The orders of ours that rest at the broker.
    fn open_orders(&self) -> Answer<'_, Result<Vec<OrderReport>, BrokerError>>;

    /// The account's net positions, as the broker counts them.
    fn positions(&self) -> Answer<'_, Result<Vec<BrokerPosition>, BrokerError>>;

    /// The account's money.
    fn balance(&self) -> Answer<'_, Result<Balance, BrokerError>>;

    /// The instruments that can be traded.
    fn instruments(&self) -> Answer<'_, Result<Instruments, BrokerError>>;

    /// What the broker reports by itself, missed reports included, until the receiver is dropped.
    /// Called once.
    fn reports(&self, into: mpsc::UnboundedSender<OrderReport>) -> Answer<'_, ()>;

    /// What the broker can do.
    fn capabilities(&self) -> Capabilities;

    /// What the credentials allow.
    fn check_credentials(&self) -> Answer<'_, Result<Credentials, BrokerError>>;
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
    /// Money can be taken out: more than Ponte ever needs.
    pub can_withdraw: bool,
    /// They work from chosen addresses only; `None` where the broker has no such thing.
    pub bound_to_address: Option<bool>,
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
