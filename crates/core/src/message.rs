//! The engine's whole vocabulary: what it is told (Input), what is now a fact (Event), what must be done (Command).

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

pub use crate::delivery::{Delivery, RefusedRequest, SenderCertificate};
pub use crate::fate::{
    Balance, CancelAnswer, Fate, FindAnswer, NotSent, OrderReport, ReportedStatus,
};
use crate::halt::{Halt, HaltLevel, Scope};
use crate::id::{AccountName, AlertId, ClientOrderId, Digest, SourceName, Symbol};
use crate::order::{Lane, OrderPlan};
pub use crate::outside::{OutsideFill, ReducedOutside};
pub use crate::position::{PositionKey, PositionView};
use crate::signal::{Side, Signal};
pub use crate::source::{SourceOff, SourceSwitched};
use crate::time::Timestamp;
use crate::verdict::{Ruling, Verdict};

/// What the engine is told. One input is decided at a time.
#[derive(Debug, Clone)]
pub enum Input {
    /// A source's alert was understood.
    Alert(Box<AlertInput>),
    /// A request was turned away before it was an alert.
    RequestRefused(RefusedRequest),
    /// A person, or a tool in a person's hand, asked for something.
    Operator(OperatorRequest),
    /// The broker's answer to a submission, or the lack of one.
    Submitted {
        /// The order.
        id: ClientOrderId,
        /// What became of it.
        fate: Fate,
        /// When its first byte went out; equal to `answered_at` when none did.
        sent_at: Timestamp,
        /// When the answer was there.
        answered_at: Timestamp,
    },
    /// The broker's answer to a question about an order.
    Found {
        /// The order.
        id: ClientOrderId,
        /// What the broker said.
        answer: FindAnswer,
    },
    /// The broker's answer to a cancellation.
    CancelAnswered {
        /// The order.
        id: ClientOrderId,
        /// What the broker said.
        answer: CancelAnswer,
    },
    /// The broker reports on an order by itself.
    Reported {
        /// The account.
        account: AccountName,
        /// The report.
        report: OrderReport,
    },
    /// A deal that nobody here has ordered has made a position smaller.
    FilledOutside {
        /// The account.
        account: AccountName,
        /// The deal.
        fill: OutsideFill,
    },
    /// The broker may have said things that nobody heard: its reports begin anew after a gap, or
    /// can't be had at all for now.
    ReportsMissed {
        /// The account.
        account: AccountName,
    },
    /// The broker told the account's money.
    AccountRead {
        /// The account.
        account: AccountName,
        /// Its money.
        balance: Balance,
    },
    /// Something at the edge that a person must look at: it becomes an alarm.
    Noticed {
        /// What happened, for people; never a secret.
        message: String,
        /// The alert it is about.
        alert: Option<AlertId>,
    },
    /// Time has passed.
    Tick,
    /// The facts of a lane have changed; what waited in it may go. The engine tells itself.
    Settle(Lane),
    /// The process has started on this journal; nothing is in flight any more.
    Started {
        /// The program's version.
        version: String,
    },
}

/// An alert with what the journal remembers of its identity.
#[derive(Debug, Clone)]
pub struct AlertInput {
    /// Where it came from.
    pub source: SourceName,
    /// When its last byte was there.
    pub received_at: Timestamp,
    /// What it says.
    pub signal: Signal,
    /// The first alert of the same identity, if the journal has one.
    pub seen: Option<Seen>,
    /// From where and in which words.
    pub delivery: Delivery,
}

/// What the journal remembers of an identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The alert that has it.
    pub alert: AlertId,
    /// When that was received.
    pub at: Timestamp,
    /// The digest of what it said.
    pub digest: Digest,
}

/// What a person asked for.
#[derive(Debug, Clone)]
pub struct OperatorRequest {
    /// Who: `cli`, `admin`, `HALT file`.
    pub by: String,
    /// What.
    pub action: OperatorAction,
}

/// What a person can ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OperatorAction {
    /// Stop trading in a scope.
    Halt {
        /// What is stopped.
        scope: Scope,
        /// How much of it.
        level: HaltLevel,
        /// Why, for people.
        reason: Option<String>,
    },
    /// Lift the halt of exactly this scope.
    Resume {
        /// Which one.
        scope: Scope,
    },
    /// Close every position in a scope at the market and take back its working entries.
    Flatten {
        /// Which ones.
        scope: Scope,
    },
    /// Take a source's alerts again, or no longer.
    SwitchSource {
        /// Which source.
        source: SourceName,
        /// Whether its alerts are taken.
        on: bool,
        /// Why, for people.
        reason: Option<String>,
    },
    /// A source's tripwire was used: its alerts are not taken any more, and the owner is told.
    Tripped {
        /// Whose tripwire.
        source: SourceName,
        /// The address that used it.
        from: String,
    },
    /// Put on record what was done to Ponte itself: somebody signed in, a token was made, a secret
    /// rotated. Nothing follows from it.
    Record {
        /// What was done, a stable word (`signed_in`, `token_made`).
        action: String,
        /// To what, from where, for people; never a secret.
        detail: String,
    },
}

/// What is now a fact, recorded for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The process began to work on the journal.
    Started {
        /// The program's version.
        version: String,
    },
    /// A request was turned away before it was an alert.
    RequestRefused(RefusedRequest),
    /// An alert was decided.
    AlertDecided(Box<AlertDecision>),
    /// Something that must not happen did, or that a person must look at.
    Alarm {
        /// What happened, for people.
        message: String,
        /// The alert it is about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        alert: Option<AlertId>,
        /// The order it is about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        order: Option<ClientOrderId>,
    },
    /// An order was decided. It is handed to execution at once unless it waits.
    OrderPlanned {
        /// The order.
        plan: Box<OrderPlan>,
        /// Whether it waits for other orders or its lane.
        waits: bool,
    },
    /// An order that waited is handed to execution.
    OrderReleased {
        /// The order.
        id: ClientOrderId,
        /// How much of it, where that was open until now.
        quantity: Decimal,
        /// The orders whose place it takes.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        instead_of: Vec<ClientOrderId>,
        /// Until when it may be sent, where that begins only now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<Timestamp>,
    },
    /// The broker has the order.
    OrderAcknowledged {
        /// The order.
        id: ClientOrderId,
        /// The broker's id.
        broker_order_id: String,
        /// When its first byte went out, where this process sent it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sent_at: Option<Timestamp>,
        /// When the answer was there.
        answered_at: Timestamp,
    },
    /// Some of the order traded: the totals after it, and the position it belongs to.
    OrderFilled {
        /// The order.
        id: ClientOrderId,
        /// How much traded now.
        quantity: Decimal,
        /// At which mean price.
        price: Decimal,
        /// The fee for it.
        fee: Decimal,
        /// How much of it the broker kept as its fee, in units of the instrument: bought, not held.
        #[serde(default, skip_serializing_if = "Decimal::is_zero")]
        withheld: Decimal,
        /// How much has traded in all.
        total: Decimal,
        /// When the broker says that it happened.
        at: Timestamp,
    },
    /// Certain that the broker does not have the order; it may be tried again.
    OrderNotSent {
        /// The order.
        id: ClientOrderId,
        /// Why.
        why: NotSent,
        /// When it is tried again.
        retry_at: Timestamp,
    },
    /// A protective stop has not come to rest in time, or the broker can't say for as long whether it
    /// still does; an exit in the stop's place has not gone in time.
    ProtectionLate {
        /// The stop's order, or the exit's.
        id: ClientOrderId,
    },
    /// Nobody knows whether the broker has the order.
    OrderUnknown {
        /// The order.
        id: ClientOrderId,
        /// What happened.
        why: String,
        /// When the broker is asked again; absent when it is being asked now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ask_at: Option<Timestamp>,
        /// When its first byte went out, where this process sent it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sent_at: Option<Timestamp>,
    },
    /// The broker is being asked what became of the order.
    OrderQuestioned {
        /// The order.
        id: ClientOrderId,
    },
    /// The broker was asked to take an order back.
    CancelRequested {
        /// The order.
        id: ClientOrderId,
        /// Why.
        reason: String,
    },
    /// The order is over.
    OrderEnded {
        /// The order.
        id: ClientOrderId,
        /// How.
        end: OrderEnd,
        /// Why, for people.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        reason: String,
        /// When its first byte went out, where this was the answer to a submission.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sent_at: Option<Timestamp>,
    },
    /// The account's money was told.
    AccountRead {
        /// The account.
        account: AccountName,
        /// Its money.
        balance: Balance,
    },
    /// A halt begins, or changes its level.
    HaltSet(Halt),
    /// A halt is over.
    HaltLifted {
        /// Which one.
        scope: Scope,
        /// Who lifted it.
        by: String,
    },
    /// A person asked for positions to be closed.
    FlattenRequested {
        /// Which ones.
        scope: Scope,
        /// Who.
        by: String,
    },
    /// A source's alerts are taken again, or no longer.
    SourceSwitched(SourceSwitched),
    /// Something was done to Ponte itself, or tried.
    OperatorActed {
        /// Who: a user, a token's name, `cli`, or an address that nobody is known behind.
        by: String,
        /// What, a stable word (`signed_in`, `token_made`).
        action: String,
        /// To what, from where, for people.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        detail: String,
    },
    /// The time has come at which the day's positions in a symbol are closed.
    CutOffReached(CutOffReached),
    /// The loss of an account's trading day has reached its limit.
    DailyLossReached {
        /// The account.
        account: AccountName,
        /// The loss, in the account's currency.
        loss: Decimal,
        /// The limit at that moment.
        limit: Decimal,
    },
    /// A person or the broker has made a strategy's position smaller.
    PositionReducedOutside(ReducedOutside),
}

/// That the time has come at which the day's positions in a symbol are closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CutOffReached {
    /// The account.
    pub account: AccountName,
    /// The broker's symbol.
    pub symbol: Symbol,
    /// The start of the trading day.
    pub day: Timestamp,
    /// Whether the exchange still traded it, so that they are closed.
    pub in_time: bool,
}

/// How an order ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderEnd {
    /// All of it traded.
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

/// What was decided about one alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertDecision {
    /// The alert's number.
    pub alert: AlertId,
    /// Where it came from.
    pub source: SourceName,
    /// When its last byte was there.
    pub received_at: Timestamp,
    /// From where and in which words.
    #[serde(default)]
    pub delivery: Delivery,
    /// What it says.
    pub signal: Signal,
    /// Its identity among alerts.
    pub identity: crate::identity::Identity,
    /// The decision in one word.
    pub outcome: Outcome,
    /// Why, where the outcome isn't told by the legs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What its source's scope said of it as a whole; see [`crate::source::SourceScope`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub verdicts: Vec<Verdict>,
    /// The alert that this repeats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<AlertId>,
    /// What was decided for each account.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub legs: Vec<LegDecision>,
}

impl AlertDecision {
    /// Whether its source may not say such a thing, or nothing at all.
    #[must_use]
    pub fn is_out_of_scope(&self) -> bool {
        self.verdicts
            .iter()
            .any(|verdict| verdict.ruling == Ruling::Refuse)
    }
}

/// The decision about an alert in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// At least one leg is carried out, or there was nothing to do.
    Accepted,
    /// It repeats an earlier one.
    Duplicate,
    /// Every leg was refused.
    Refused,
    /// Every leg that was not refused met a halt.
    Halted,
}

impl Outcome {
    /// The word of the answer.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Duplicate => "duplicate",
            Self::Refused => "refused",
            Self::Halted => "halted",
        }
    }
}

/// What was decided for one account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegDecision {
    /// The account.
    pub account: AccountName,
    /// Accepted, refused or halted.
    pub decision: Outcome,
    /// Why, in a sentence.
    pub reason: String,
    /// The broker's symbol.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub symbol: Option<Symbol>,
    /// The orders that were planned, in the order of their sending.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub orders: Vec<LegOrder>,
    /// What each rule said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub verdicts: Vec<Verdict>,
}

/// One planned order in a leg's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegOrder {
    /// The order.
    pub client_order_id: ClientOrderId,
    /// Which way.
    pub side: Side,
    /// How much.
    pub quantity: Decimal,
}

/// What must be done, after the events are durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Hand the order to the broker.
    Submit(Box<OrderPlan>),
    /// Ask the broker about an order.
    Find(Box<OrderPlan>),
    /// Ask the broker to take an order back.
    Cancel(Box<OrderPlan>),
    /// Tell the owner.
    Notify(String),
}

impl Event {
    /// The event's name in the journal, in exports and in tables.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Started { .. } => "started",
            Self::RequestRefused(_) => "request_refused",
            Self::AlertDecided(_) => "alert_decided",
            Self::Alarm { .. } => "alarm",
            Self::OrderPlanned { .. } => "order_planned",
            Self::OrderReleased { .. } => "order_released",
            Self::OrderAcknowledged { .. } => "order_acknowledged",
            Self::OrderFilled { .. } => "order_filled",
            Self::OrderNotSent { .. } => "order_not_sent",
            Self::ProtectionLate { .. } => "protection_late",
            Self::OrderUnknown { .. } => "order_unknown",
            Self::OrderQuestioned { .. } => "order_questioned",
            Self::CancelRequested { .. } => "cancel_requested",
            Self::OrderEnded { .. } => "order_ended",
            Self::AccountRead { .. } => "account_read",
            Self::HaltSet(_) => "halt_set",
            Self::HaltLifted { .. } => "halt_lifted",
            Self::FlattenRequested { .. } => "flatten_requested",
            Self::SourceSwitched(_) => "source_switched",
            Self::OperatorActed { .. } => "operator_acted",
            Self::CutOffReached(_) => "cut_off_reached",
            Self::DailyLossReached { .. } => "daily_loss_reached",
            Self::PositionReducedOutside(_) => "position_reduced_outside",
        }
    }

    /// The order that the event is about.
    #[must_use]
    pub fn order_id(&self) -> Option<ClientOrderId> {
        match self {
            Self::OrderPlanned { plan, .. } => Some(plan.id),
            Self::OrderReleased { id, .. }
            | Self::OrderAcknowledged { id, .. }
            | Self::OrderFilled { id, .. }
            | Self::OrderNotSent { id, .. }
            | Self::ProtectionLate { id }
            | Self::OrderUnknown { id, .. }
            | Self::OrderQuestioned { id }
            | Self::CancelRequested { id, .. }
            | Self::OrderEnded { id, .. } => Some(*id),
            Self::Alarm { order, .. } => *order,
            Self::Started { .. }
            | Self::RequestRefused(_)
            | Self::AlertDecided(_)
            | Self::OperatorActed { .. }
            | Self::SourceSwitched(_)
            | Self::AccountRead { .. }
            | Self::HaltSet(_)
            | Self::HaltLifted { .. }
            | Self::FlattenRequested { .. }
            | Self::CutOffReached(_)
            | Self::DailyLossReached { .. }
            | Self::PositionReducedOutside(_) => None,
        }
    }
}
