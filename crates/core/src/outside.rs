//! Deals that make a position smaller and that nobody here has ordered: a person's, or the broker's own.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::id::{AccountName, StrategyName, StrategyTag, Symbol};
use crate::signal::Side;
use crate::time::Timestamp;

/// How many such deals of an account are remembered; those with the smallest numbers, the oldest, are
/// forgotten first, and count as known from then on.
pub const OUTSIDE_DEALS_MAX: usize = 1024;

/// A deal that has closed something of a position of ours, and that is no order of ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutsideFill {
    /// The broker's symbol.
    pub symbol: Symbol,
    /// Whose position it has made smaller.
    pub owner: StrategyTag,
    /// The deal's number at the broker, which grows with time.
    pub deal: u64,
    /// The side of the deal: a sale makes a long position smaller.
    pub side: Side,
    /// How much it has closed, above zero.
    pub quantity: Decimal,
    /// At which price.
    pub price: Decimal,
    /// What it cost, in the account's currency.
    pub fee: Decimal,
    /// Who or what has closed it, for people (`stop out`).
    pub reason: String,
    /// When the broker says that it happened.
    pub at: Timestamp,
}

/// That a strategy's position follows a deal that nobody here has ordered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReducedOutside {
    /// The account.
    pub account: AccountName,
    /// Whose position it was; absent where nobody here has traded the symbol.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strategy: Option<StrategyName>,
    /// The broker's symbol.
    pub symbol: Symbol,
    /// The deal's number at the broker.
    pub deal: u64,
    /// The side of the deal.
    pub side: Side,
    /// How much the position is smaller by: never more than was held.
    pub quantity: Decimal,
    /// At which price.
    pub price: Decimal,
    /// The fee for it, in the account's currency.
    pub fee: Decimal,
    /// Who or what has closed it, for people.
    pub reason: String,
    /// What of the deal is still to be counted, once entries have told what they brought before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owed: Option<Box<OutsideFill>>,
    /// When the broker says that it happened.
    pub at: Timestamp,
}

/// The outside deals of an account that are known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutsideDeals {
    /// Their numbers.
    known: BTreeSet<u64>,
    /// What of them is still to be counted.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    owed: BTreeMap<u64, OutsideFill>,
}

impl OutsideDeals {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Whether a deal has been told before.
    #[must_use]
    pub fn is_known(&self, deal: u64) -> bool {
        let is_forgotten = self.known.len() >= OUTSIDE_DEALS_MAX
            && self.known.first().is_some_and(|oldest| deal < *oldest);
        is_forgotten || self.known.contains(&deal)
    }

    /// What is still to be counted in a symbol, oldest first.
    pub fn owed_in<'a>(&'a self, symbol: &'a Symbol) -> impl Iterator<Item = &'a OutsideFill> {
        self.owed.values().filter(|fill| fill.symbol == *symbol)
    }

    pub(crate) fn note(&mut self, deal: u64, owed: Option<&OutsideFill>) {
        self.known.insert(deal);
        match owed {
            Some(fill) => drop(self.owed.insert(deal, fill.clone())),
            None => drop(self.owed.remove(&deal)),
        }
        while self.known.len() > OUTSIDE_DEALS_MAX {
            if let Some(oldest) = self.known.pop_first() {
                self.owed.remove(&oldest);
            }
        }
    }
}
