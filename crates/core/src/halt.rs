//! The kill switch: what is stopped, how much of it, and by whom.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::{AccountName, StrategyName, Symbol};
use crate::time::Timestamp;

/// What a halt covers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Everything.
    Global,
    /// One account.
    Account(AccountName),
    /// One strategy, in all accounts.
    Strategy(StrategyName),
    /// One symbol, in all accounts; `WIN1!` is every contract of that future.
    Symbol(Symbol),
}

impl Scope {
    /// Whether an order of this account, strategy and symbol is covered.
    #[must_use]
    pub fn covers(&self, account: &AccountName, strategy: &StrategyName, symbol: &Symbol) -> bool {
        match self {
            Self::Global => true,
            Self::Account(name) => name == account,
            Self::Strategy(name) => name == strategy,
            Self::Symbol(name) => crate::b3::stands_for(name, symbol),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Global => f.write_str("everything"),
            Self::Account(name) => write!(f, "account {name}"),
            Self::Strategy(name) => write!(f, "strategy {name}"),
            Self::Symbol(name) => write!(f, "symbol {name}"),
        }
    }
}

/// How much is stopped; each level does what the ones before it do, and more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HaltLevel {
    /// No new entries.
    BlockEntries,
    /// And the working entries are taken back.
    CancelWorking,
    /// And positions may only shrink: an entry that still fills is closed again at once.
    ReduceOnly,
    /// And every position is closed at the market.
    Flatten,
}

impl HaltLevel {
    /// The word for commands and tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BlockEntries => "block_entries",
            Self::CancelWorking => "cancel_working",
            Self::ReduceOnly => "reduce_only",
            Self::Flatten => "flatten",
        }
    }
}

/// A halt in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Halt {
    /// What is stopped.
    pub scope: Scope,
    /// How much of it.
    pub level: HaltLevel,
    /// Who stopped it.
    pub by: String,
    /// Why, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Since when.
    pub since: Timestamp,
}
