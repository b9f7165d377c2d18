//! What the admin address and the command line tell each other.
//!
//! Moments are microseconds since 1970 in UTC, decimals are texts.

use ponte_core::decide::Naked;
use ponte_core::halt::{Halt, HaltLevel, Scope};
use ponte_core::id::{AccountName, SourceName, StrategyName};
use ponte_core::message::{AlertDecision, Balance, Event, PositionView, SourceOff};
use ponte_core::policy::Mode;
use ponte_core::time::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::auth::Role;
pub use super::examination::{
    Arrival, Group, SelfTest, SelfTestCourse, Stage, TriedStop, TryStopRequest,
};
use crate::journal::AlertRow;

/// What a running Ponte is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// The program's version.
    pub version: String,
    /// The version of the journal's schema that it writes.
    pub schema: i64,
    /// Whether its socket for alerts lives on without it, so that a restart loses none.
    pub held_open: bool,
    /// The keys of the configuration that it knows, each with its section.
    pub config_keys: Vec<String>,
}

/// How Ponte is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The program's version.
    pub version: String,
    /// The process; absent when this was read from the journal of one that doesn't run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<Process>,
    /// Where alerts are received.
    pub webhook: String,
    /// The halts in force.
    pub halts: Vec<Halt>,
    /// Whether a `HALT` file is in the data directory.
    pub halt_file: bool,
    /// The sources of the configuration.
    #[serde(default)]
    pub sources: Vec<SourceStatus>,
    /// The journal's size.
    pub journal: JournalSize,
    /// The latest alert.
    pub last_alert: Option<AlertRow>,
    /// The strategies that were heard of, and when last.
    pub strategies: Vec<Heard>,
    /// Orders that are not over.
    pub open_orders: usize,
    /// Orders among them of which nobody knows whether the broker took them.
    pub unknown_orders: usize,
    /// The accounts of the configuration.
    pub accounts: Vec<AccountStatus>,
}

/// A running process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// When it started.
    pub started_at: Timestamp,
    /// For how long it has run.
    pub uptime_seconds: u64,
    /// Whether an alert would be taken now.
    pub ready: bool,
    /// Requests that wait for the engine.
    pub inbox: usize,
    /// Orders that wait to be sent.
    pub lanes: usize,
    /// Positions without the stop that they were asked to have.
    #[serde(default)]
    pub naked: Vec<Naked>,
}

/// How large the journal is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalSize {
    /// The number of the last event.
    pub events: i64,
    /// Bytes on disk.
    pub bytes: u64,
}

/// A strategy that was heard of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    /// Its name.
    pub strategy: StrategyName,
    /// When last.
    pub at: Timestamp,
}

/// How one account is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountStatus {
    /// Its name.
    pub name: AccountName,
    /// Whether real money moves.
    pub mode: Mode,
    /// The currency of its balance.
    pub currency: String,
    /// Its money, where the broker has told it.
    pub balance: Option<Balance>,
    /// Its orders that are not over.
    pub open_orders: usize,
    /// Its positions that are not flat.
    pub open_positions: usize,
    /// Its terminal, where it trades in one and Ponte runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terminal: Option<Terminal>,
}

/// The terminal in which an account trades.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terminal {
    /// Whether its bridge is heard.
    pub presence: Presence,
    /// Since when that is so, in seconds.
    pub for_seconds: Option<u64>,
    /// Its bridge: the kind and the version.
    pub bridge: Option<String>,
    /// Whether orders could be sent now.
    pub ready: bool,
    /// Why not, in a sentence; empty while they could.
    pub why: String,
}

/// Whether a terminal's bridge is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// Not once since Ponte's start.
    Never,
    /// It is.
    Present,
    /// It was, and is not any more.
    Away,
}

/// How an account was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnosis {
    /// Which one.
    pub account: AccountName,
    /// Its broker, as the configuration names it.
    pub broker: String,
    /// Whether real money moves.
    pub mode: Mode,
    /// What was looked at.
    pub findings: Vec<Finding>,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What it is about: a stable word.
    pub subject: String,
    /// How it was found.
    pub health: Health,
    /// What was found, in a sentence.
    pub text: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cure: Option<String>,
}

/// How something was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// As it should be.
    Fine,
    /// Worth a look; orders are sent in spite of it, or it was wanted.
    Look,
    /// Orders fail by it, or the books are wrong.
    Wrong,
}

impl Finding {
    /// Something that is as it should be.
    #[must_use]
    pub fn fine(subject: &str, text: impl Into<String>) -> Self {
        Self {
            subject: subject.to_owned(),
            health: Health::Fine,
            text: String::new(),
            cure: None,
        }
        .said(&text.into())
    }

    /// Something that its owner should look at.
    #[must_use]
    pub fn look(subject: &str, text: impl Into<String>) -> Self {
        Self {
            health: Health::Look,
            ..Self::fine(subject, text)
        }
    }

    /// Something that is wrong.
    #[must_use]
    pub fn wrong(subject: &str, text: impl Into<String>) -> Self {
        Self {
            health: Health::Wrong,
            ..Self::fine(subject, text)
        }
    }

    /// The same with what to do about it.
    #[must_use]
    pub fn cured_by(self, cure: impl Into<String>) -> Self {
        Self {
            cure: Some(cure.into()),
            ..self
        }
    }

    /// The same with a sentence whose cure follows a semicolon, as all messages have it.
    fn said(self, sentence: &str) -> Self {
        match sentence.split_once("; ") {
            Some((text, cure)) => Self {
                text: text.to_owned(),
                cure: Some(cure.to_owned()),
                ..self
            },
            None => Self {
                text: sentence.to_owned(),
                ..self
            },
        }
    }
}

/// A strategy's position with what the market last said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holding {
    /// The position.
    #[serde(flatten)]
    pub position: PositionView,
    /// The last price that an alert or a fill told.
    pub last_price: Option<Decimal>,
    /// What closing at that price would gain, without fees.
    pub unrealised: Option<Decimal>,
}

/// Asks for a halt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HaltRequest {
    /// What is stopped: `"global"`, `{"account": …}`, `{"strategy": …}` or `{"symbol": …}`.
    pub scope: Scope,
    /// How much of it.
    #[serde(default = "default_level")]
    pub level: HaltLevel,
    /// Why, for people.
    #[serde(default)]
    pub reason: Option<String>,
    /// Who asks. Beyond loopback it is whoever has signed in, whatever stands here.
    #[serde(default)]
    pub by: String,
}

const fn default_level() -> HaltLevel {
    HaltLevel::BlockEntries
}

/// Asks for the end of a halt, or for positions to be closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScopeRequest {
    /// What it is about.
    pub scope: Scope,
    /// Who asks. Beyond loopback it is whoever has signed in, whatever stands here.
    #[serde(default)]
    pub by: String,
}

/// Asks for a source to be switched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceRequest {
    /// Which source.
    pub source: SourceName,
    /// Whether its alerts are taken.
    pub on: bool,
    /// Why, for people.
    #[serde(default)]
    pub reason: Option<String>,
    /// Who asks. Beyond loopback it is whoever has signed in, whatever stands here.
    #[serde(default)]
    pub by: String,
}

/// Asks for the secrets' files to be read again, after something was done to them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReloadRequest {
    /// What was done, a stable word (`secret_rotated`).
    pub action: String,
    /// To what, for people; never a secret.
    #[serde(default)]
    pub detail: String,
    /// Who asks.
    pub by: String,
}

/// How one source is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceStatus {
    /// Its name.
    pub source: SourceName,
    /// Whether its alerts are taken.
    pub on: bool,
    /// Who has switched it off, when and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub off: Option<SourceOff>,
    /// From when on its alerts are refused, where that is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
}

/// Asks that something be put on record; on the loopback address only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordRequest {
    /// What was done: a stable word.
    pub action: String,
    /// To what, for people; never a secret.
    #[serde(default)]
    pub detail: String,
    /// Who did it.
    pub by: String,
}

/// Who is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Me {
    /// The user, or the token's name.
    pub name: String,
    /// `session`, `token`, or `local` for a program of this machine.
    pub kind: String,
    /// What it may do.
    pub role: Role,
    /// What a script sends as `X-CSRF-Token` to change anything; in a session only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub csrf: Option<String>,
}

/// What a person's request made true.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operated {
    /// Whether anything is different now.
    pub changed: bool,
    /// Whether a running Ponte carries it out; else it is in the journal for the next start.
    pub running: bool,
    /// What became fact.
    pub events: Vec<Event>,
    /// The halts in force after it.
    pub halts: Vec<Halt>,
}

/// What an alert would do now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// Always `false`: nothing was recorded and nothing was sent.
    pub sent: bool,
    /// What would be decided.
    pub decision: AlertDecision,
    /// What would become fact after the decision, plans of orders among it.
    pub consequences: Vec<Event>,
}

impl Explanation {
    /// The explanation in a decision's events; `None` when they are not about an alert.
    #[must_use]
    pub fn of(events: Vec<Event>) -> Option<Self> {
        let mut events = events.into_iter();
        let decision = events.find_map(|event| {
            if let Event::AlertDecided(decision) = event {
                Some(*decision)
            } else {
                None
            }
        })?;
        Some(Self {
            sent: false,
            decision,
            consequences: events.collect(),
        })
    }
}
