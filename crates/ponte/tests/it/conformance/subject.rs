//! What the suite needs of an adapter under test and of the venue behind it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ponte::brokers::{Answer, Broker};
use ponte_core::id::{AccountName, ClientOrderId, Symbol};
use ponte_core::order::OrderPlan;
use rust_decimal::Decimal;

use tokio::sync::Semaphore;

use super::words::Why;

/// An adapter under test.
pub(super) trait Subject: Send + Sync {
    /// As tables head its column.
    fn name(&self) -> &'static str;

    /// How many behaviours run at the same time at most.
    fn at_a_time(&self) -> usize {
        Semaphore::MAX_PERMITS
    }

    /// A venue of its own with a fresh account, and the adapter connected to it.
    fn open(&self, depth: Depth) -> Answer<'_, Arc<dyn Stage>>;
}

/// How much the market takes at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// Everything at once.
    Deep,
    /// A resting order is filled by pieces, one with each price.
    Thin,
}

/// One account at one venue, with the adapter connected to it.
pub(super) trait Stage: Send + Sync {
    /// What the behaviours have to know.
    fn facts(&self) -> &Facts;

    /// The adapter.
    fn broker(&self) -> Arc<dyn Broker>;

    /// The adapter connected anew to the same account: what a restarted process has.
    fn reconnected(&self) -> Answer<'_, Result<Arc<dyn Broker>, Why>>;

    /// The adapter of another account at the same venue.
    fn neighbour(&self) -> Answer<'_, Result<Arc<dyn Broker>, Why>>;

    /// What will be handed over: for venues that don't keep our ids, or all that an order is.
    fn intends(&self, _plan: &OrderPlan) {}

    /// Moves the market.
    fn tell_price<'a>(&'a self, symbol: &'a Symbol, price: Decimal) -> Answer<'a, ()>;

    /// Has the venue misbehave at the next `times` occasions.
    fn order_fault(
        &self,
        operation: Operation,
        fault: Fault,
        times: u64,
    ) -> Answer<'_, Result<(), Why>>;

    /// How many of the ordered faults have not struck yet, in rules.
    fn faults_left(&self) -> Answer<'_, usize>;

    /// Takes back all faults that have not struck yet.
    fn clear_faults(&self) -> Answer<'_, ()>;

    /// Everything that the venue knows of the account, past the adapter.
    fn audit(&self) -> Answer<'_, Audit>;

    /// How many requests of the account the venue has received.
    fn requests(&self) -> Answer<'_, Result<u64, Why>>;

    /// The venue stops listening, for good.
    fn stop(&self) -> Answer<'_, Result<(), Why>>;
}

/// What the behaviours have to know about a stage.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    pub(super) account: AccountName,
    pub(super) symbol: Symbol,
    pub(super) other: Symbol,
    /// The price at which each behaviour begins.
    pub(super) price: Decimal,
    pub(super) other_price: Decimal,
    /// The quantity in which behaviours count; some twenty can be paid.
    pub(super) lot: Decimal,
    /// More than the account can pay.
    pub(super) unaffordable: Decimal,
    /// Less than the venue takes.
    pub(super) dust: Decimal,
    /// A symbol that the venue doesn't know.
    pub(super) unknown_symbol: Result<Symbol, Why>,
    /// Whether the venue's program carries out one request after the other.
    pub(super) one_at_a_time: bool,
    /// Which limit orders the venue takes.
    pub(super) limits: Limits,
    /// How long after its sending the venue may at least still take an order.
    pub(super) fence: Duration,
    /// A part of the venue's words for each definite refusal.
    pub(super) refusals: Refusals,
}

/// Which limit orders a venue takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Limits {
    /// Every one.
    Any,
    /// Those of stop-limits only at a better price than their trigger.
    BehindTrigger,
    /// Besides that only those that the market has not reached.
    Waiting,
}

/// A part of the venue's words for each definite refusal.
#[derive(Debug, Clone)]
pub(super) struct Refusals {
    pub(super) dust: &'static str,
    pub(super) symbol: &'static str,
    pub(super) money: &'static str,
}

/// What a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Place,
    Find,
    Cancel,
    Reports,
}

/// One way for a venue to misbehave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Processed, then the connection is cut.
    AcceptThenDisconnect,
    /// The connection is cut, nothing is processed.
    DisconnectBefore,
    /// Processed, but answered only when the caller has given up.
    AnswerTooLate,
    /// Reaches the venue's books only when the order's time is over.
    ProcessTooLate,
    /// Processed some time later, within the order's time.
    ProcessLater,
    /// Processed, then answered with a server's error of unknown meaning.
    ServerErrorAfter,
    /// Answered with a server's error of unknown meaning, nothing is processed.
    ServerErrorBefore,
    /// Answered that the status is unknown; processed.
    StatusUnknownPlaced,
    /// Answered that the status is unknown; nothing is processed.
    StatusUnknownNotPlaced,
    /// Answered that the venue has too much to do and certainly took nothing.
    Overloaded,
    /// Processed, and answered with a page for people.
    PageInsteadOfAnswer,
    /// Processed, and the answer breaks off.
    BrokenAnswer,
    /// A definite refusal.
    Refuse,
    /// Too many requests; wait a second.
    TooManyRequests,
    /// Too many requests for too long: the address is banned for some seconds.
    Ban,
    /// "No such order", though it is there.
    PretendAbsent,
    /// The report comes twice.
    Duplicate,
    /// The report never comes.
    Lose,
    /// The report comes after younger ones.
    Late,
    /// The stream of reports is cut.
    Cut,
    /// The venue's clock goes three minutes ahead.
    ClockAhead,
    /// The venue's clock goes three minutes behind.
    ClockBehind,
}

/// What the venue knows of an account.
#[derive(Debug, Clone, Default)]
pub(super) struct Audit {
    /// Every order that was ever accepted, as a trader counts: a bracket is one, and so is a
    /// conditional order with what it triggered.
    pub(super) orders: Vec<AuditedOrder>,
    /// The positions that the adapter should tell; none is zero.
    pub(super) positions: BTreeMap<Symbol, Decimal>,
    /// Money in the account's currency.
    pub(super) cash: Decimal,
}

/// One order as the venue knows it.
#[derive(Debug, Clone)]
pub(super) struct AuditedOrder {
    pub(super) id: ClientOrderId,
    pub(super) symbol: Symbol,
    pub(super) is_open: bool,
    pub(super) executed: Decimal,
    /// Price times quantity over all executions.
    pub(super) value: Decimal,
    /// In the account's currency.
    pub(super) fees: Decimal,
    /// The part of what was bought that the venue kept.
    pub(super) withheld: Decimal,
}

impl Audit {
    /// The orders under an id: more than one is a double.
    pub(super) fn of(&self, id: ClientOrderId) -> Vec<&AuditedOrder> {
        self.orders.iter().filter(|order| order.id == id).collect()
    }

    /// How much of a symbol is held; short below zero.
    pub(super) fn position(&self, symbol: &Symbol) -> Decimal {
        self.positions.get(symbol).copied().unwrap_or_default()
    }

    /// The ids of the orders that are open.
    pub(super) fn open(&self) -> Vec<ClientOrderId> {
        let mut open: Vec<_> = self
            .orders
            .iter()
            .filter(|order| order.is_open)
            .map(|order| order.id)
            .collect();
        open.sort();
        open
    }
}
