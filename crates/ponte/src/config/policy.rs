//! What a configuration means to the engine.

use std::collections::BTreeMap;

use ponte_core::id::AccountName;
use ponte_core::instrument::Instruments;
use ponte_core::policy::{AccountPolicy, Capabilities, Policy, SourcePolicy};

use super::model::Config;

/// An account about which no broker adapter has said anything.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the broker of account {0} has not said what it can do")]
pub struct UnknownAccount(
    /// The account.
    pub AccountName,
);

/// Builds the engine's policy from the configuration and from what each account's broker says it can do.
///
/// `installation` is the random text of the data directory, part of every client order id.
///
/// # Errors
/// The first account that `brokers` doesn't know.
pub fn policy(
    config: &Config,
    installation: &str,
    brokers: &BTreeMap<AccountName, (Capabilities, Instruments)>,
) -> Result<Policy, UnknownAccount> {
    let mut accounts = BTreeMap::new();
    for account in &config.accounts {
        let Some((capabilities, instruments)) = brokers.get(&account.name) else {
            return Err(UnknownAccount(account.name.clone()));
        };
        let policy = AccountPolicy {
            mode: account.mode,
            currency: account.currency.clone(),
            rules: account.rules.clone(),
            instruments: instruments.clone(),
            capabilities: capabilities.clone(),
            fitting: account.fitting,
            guard: account.guard,
            utc_offset_seconds: account.utc_offset_seconds,
            exchange: account.exchange.clone(),
        };
        accounts.insert(account.name.clone(), policy);
    }
    let sources = config.sources.iter().map(|source| {
        let dedup_window = source.dedup_window;
        (source.name.clone(), SourcePolicy { dedup_window })
    });
    Ok(Policy {
        installation: installation.to_owned(),
        accounts,
        routes: config.routes.clone(),
        sources: sources.collect(),
    })
}
