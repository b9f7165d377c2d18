//! What a source may do, and whether it is listened to at all.
//!
//! A scope says how far whoever holds a source's secret is believed: it holds exits and
//! cancellations as well as entries. How much may be risked is the accounts' rules, which come after.

use std::collections::BTreeSet;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::id::{AccountName, SourceName, StrategyName, Symbol};
use crate::number::Quantity;
use crate::signal::Intent;
use crate::time::Timestamp;

/// Who a source is switched off by when its tripwire was used.
pub const TRIPWIRE: &str = "tripwire";

/// What a source may do. What is absent limits nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceScope {
    /// Only these strategies may be named, also by heartbeats.
    pub strategies: Option<BTreeSet<StrategyName>>,
    /// Only these symbols may be named, as alerts write them: before a route calls them something
    /// else and before a continuous future becomes a contract.
    pub symbols: Option<BTreeSet<Symbol>>,
    /// What may be done to positions.
    pub verbs: Verbs,
    /// Only these accounts are reached.
    pub accounts: Option<BTreeSet<AccountName>>,
    /// The largest quantity of one entry in any account, after the route's size; above 0.
    pub max_quantity: Option<Quantity>,
    /// The largest value of one entry, in the currency of each account; above 0.
    pub max_notional: Option<Decimal>,
}

/// What may be done to positions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verbs {
    /// Everything.
    #[default]
    All,
    /// They may be opened and enlarged. What would close any part of one is refused as a whole.
    Entries,
    /// They may be closed, whole or in part. Of a reversal the close goes and the opening is refused.
    Exits,
}

impl Verbs {
    /// The word of the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Entries => "entries",
            Self::Exits => "exits",
        }
    }

    /// Whether an intent is allowed whatever the position is (`Some(true)`), never (`Some(false)`),
    /// or as far as its moves go (`None`). Taking back entries that have not traded opens nothing and
    /// closes nothing, so that both kinds may.
    #[must_use]
    pub fn permit(self, intent: &Intent) -> Option<bool> {
        let closes_all = |position: &Decimal| position.is_zero();
        match (self, intent) {
            (Self::All, _) | (_, Intent::Cancel | Intent::Heartbeat) => Some(true),
            (Self::Entries, Intent::Enter { .. }) | (Self::Exits, Intent::Exit { .. }) => {
                Some(true)
            }
            (Self::Entries, Intent::Exit { .. } | Intent::Reverse { .. })
            | (Self::Exits, Intent::Enter { .. }) => Some(false),
            (Self::Entries, Intent::Target { position }) if closes_all(position) => Some(false),
            (Self::Exits, Intent::Target { position }) if closes_all(position) => Some(true),
            (Self::Entries | Self::Exits, Intent::Trade { .. } | Intent::Target { .. })
            | (Self::Exits, Intent::Reverse { .. }) => None,
        }
    }
}

/// That a source's alerts are taken again, or no longer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceSwitched {
    /// The source.
    pub source: SourceName,
    /// Whether its alerts are taken.
    pub on: bool,
    /// Who did it: a user, a token's name, `cli`, or [`TRIPWIRE`].
    pub by: String,
    /// Why, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A source whose alerts are not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceOff {
    /// Who said so.
    pub by: String,
    /// Why, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Since when.
    pub since: Timestamp,
}
