//! The account: its money, its positions, its instruments, and what is wrong with its terminal.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ponte_core::id::Symbol;
use ponte_core::instrument::Instruments;
use ponte_core::message::Balance;
use ponte_core::order::OrderClass;
use rust_decimal::Decimal;

use super::findings::{self, Bars, Looked};
use super::{FirstList, Mt5, Symbols};
use crate::bridge::Presence;
use crate::bridge::protocol::{TerminalState, Want};
use crate::brokers::{BrokerError, BrokerPosition, Credentials, Finding};
use crate::clock;

/// How old the first list of a session may be that is told as new.
const LIST_AGE_MAX: Duration = Duration::from_secs(5);

impl Mt5 {
    /// What is known of the bridge, the terminal and its account, one finding for each thing that was
    /// looked at, fine or not.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        self.look()
            .into_iter()
            .map(|looked| looked.finding)
            .collect()
    }

    /// What keeps an entry from being sent now, with its cure; `None` where nothing does.
    #[must_use]
    pub fn barred(&self) -> Option<String> {
        self.ready(OrderClass::Entry).err()
    }

    /// Has the terminal tell its symbols anew, if it can, and waits for some seconds until it has.
    pub async fn renew_symbols(&self) {
        if self.state().is_ok() {
            self.fresh(Want::Symbols).await;
        }
    }

    /// What is known of symbols that are to be traded: whether they are in Market Watch, can be
    /// traded, and have prices.
    #[must_use]
    pub fn symbol_findings(&self, symbols: &BTreeSet<Symbol>) -> Vec<Finding> {
        let desk = self.desk();
        symbols
            .iter()
            .flat_map(|symbol| {
                let tick = self.line.tick(symbol.as_str());
                let aged = tick.as_ref().map(|(tick, heard_at)| {
                    let age = clock::instant().saturating_duration_since(*heard_at);
                    (tick, age)
                });
                findings::symbol(symbol, desk.symbols.as_ref(), aged)
            })
            .collect()
    }

    /// Holds the terminal's positions against the net positions that strategies explain: trades by
    /// hand and closings by the broker show as differences.
    #[must_use]
    pub fn position_findings(&self, expected: &BTreeMap<Symbol, Decimal>) -> Vec<Finding> {
        let desk = self.desk();
        if !desk.book.has_positions {
            return Vec::new();
        }
        findings::positions(&desk.book.net_positions(), expected)
    }

    fn look(&self) -> Vec<Looked> {
        let skew = self.desk().skew_milliseconds;
        let refusal = self.line.last_refusal();
        let presence = self.line.presence();
        findings::look(&self.options, &presence, refusal.as_ref(), skew)
    }

    /// The state of the right account's terminal.
    fn state(&self) -> Result<TerminalState, BrokerError> {
        let presence = self.line.presence();
        let looked = findings::look(&self.options, &presence, None, None);
        let seen = match presence {
            Presence::Present(seen) => seen,
            Presence::NeverSeen | Presence::Away(_) => {
                return Err(BrokerError::Unanswered(why_not(&looked)));
            }
        };
        let state = seen
            .state
            .ok_or_else(|| BrokerError::Unanswered(why_not(&looked)))?;
        if findings::is_ours(&self.options, &state) && state.connected {
            Ok(state)
        } else {
            Err(BrokerError::Unanswered(why_not(&looked)))
        }
    }

    /// The account's money: the balance as cash, which open profits and losses are not part of.
    ///
    /// # Errors
    /// Why it can't be had.
    pub(super) async fn read_balance(&self) -> Result<Balance, BrokerError> {
        self.state()?;
        if !self.fresh(Want::State).await {
            return Err(late("state"));
        }
        let state = self.state()?;
        Ok(Balance {
            cash: state.balance.normalize(),
            equity: state.equity.normalize(),
        })
    }

    /// Makes sure that positions and pending orders are as the terminal has them now.
    ///
    /// # Errors
    /// Why they can't be had.
    pub(super) async fn told_positions(&self) -> Result<(), BrokerError> {
        self.state()?;
        if !self.fresh(Want::Positions).await {
            return Err(late("positions"));
        }
        Ok(())
    }

    /// The net positions.
    ///
    /// # Errors
    /// Why they can't be had.
    pub(super) async fn read_positions(&self) -> Result<Vec<BrokerPosition>, BrokerError> {
        self.told_positions().await?;
        let net = self.desk().book.net_positions();
        Ok(net
            .into_iter()
            .map(|(symbol, quantity)| BrokerPosition {
                symbol,
                quantity: quantity.normalize(),
            })
            .collect())
    }

    /// The symbols of Market Watch as instruments: told anew, or as they were told last.
    ///
    /// # Errors
    /// When none have been told.
    pub(super) async fn read_instruments(&self) -> Result<Instruments, BrokerError> {
        self.state()?;
        let first = std::mem::replace(&mut self.desk().first_list, FirstList::Taken);
        let is_new = match first {
            FirstList::Complete(at) => {
                clock::instant().saturating_duration_since(at) <= LIST_AGE_MAX
            }
            FirstList::Awaited | FirstList::Taken => false,
        };
        if !is_new {
            self.fresh(Want::Symbols).await;
        }
        let desk = self.desk();
        let symbols: Option<&Symbols> = desk.symbols.as_ref();
        symbols
            .map(|symbols| symbols.instruments(&self.options.currency))
            .ok_or_else(|| late("symbols"))
    }

    /// What the account may do: MetaTrader's terminals can't take money out.
    ///
    /// # Errors
    /// While the terminal has told nothing.
    pub(super) fn read_credentials(&self) -> Result<Credentials, BrokerError> {
        let looked = self.look();
        let is_told = matches!(
            self.line.presence(),
            Presence::Present(seen) if seen.state.is_some()
        );
        if !is_told {
            return Err(BrokerError::Unanswered(why_not(&looked)));
        }
        let bars = looked.iter().map(|looked| looked.bars).max();
        Ok(Credentials {
            can_trade: bars.unwrap_or(Bars::Nothing) < Bars::Entries,
            can_withdraw: Some(false),
            bound_to_address: None,
            warnings: looked
                .into_iter()
                .filter(|looked| !looked.finding.is_fine)
                .map(|looked| looked.finding.text)
                .collect(),
        })
    }
}

fn late(what: &str) -> BrokerError {
    BrokerError::Unanswered(format!(
        "the bridge has not told the terminal's {what} in time"
    ))
}

/// The first thing that is in the way.
fn why_not(looked: &[Looked]) -> String {
    looked
        .iter()
        .find(|looked| looked.bars == Bars::Everything)
        .map_or_else(
            || "the terminal has not told its state".to_owned(),
            |looked| looked.finding.text.clone(),
        )
}
