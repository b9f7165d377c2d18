//! What a configuration means to the engine.

use std::collections::{BTreeMap, BTreeSet};

use ponte_core::id::{AccountName, StrategyName};
use ponte_core::instrument::Instruments;
use ponte_core::policy::{
    AccountPolicy, Capabilities, Policy, Route, Sizing, SourcePolicy, StrategyFilter,
};

use super::model::{Account, Broker, Config};

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
            unlisted_cure: unlisted_cure(account),
            utc_offset_seconds: account.utc_offset_seconds,
            exchange: account.exchange.clone(),
        };
        accounts.insert(account.name.clone(), policy);
    }
    let sources = config.sources.iter().map(|source| {
        let known = SourcePolicy {
            dedup_window: source.dedup_window,
            scope: source.scope.clone(),
        };
        (source.name.clone(), known)
    });
    Ok(Policy {
        installation: installation.to_owned(),
        accounts,
        routes: own_routes(config).chain(config.routes.clone()).collect(),
        sources: sources.collect(),
    })
}

/// The routes of the strategies whose names are Ponte's own: the test of the webhook reaches one paper
/// account and nothing else, the stop that is tried the account that it names.
fn own_routes(config: &Config) -> impl Iterator<Item = Route> {
    let route = |strategy, accounts: Vec<AccountName>| {
        (!accounts.is_empty()).then(|| Route {
            strategies: StrategyFilter::Named(BTreeSet::from([strategy])),
            accounts,
            sizing: Sizing::AsAlert,
            symbols: BTreeMap::new(),
        })
    };
    let paper = config.self_test_account().map(|known| known.name.clone());
    let all = config.accounts.iter().map(|known| known.name.clone());
    let self_test = route(StrategyName::self_test(), paper.into_iter().collect());
    let try_stop = route(StrategyName::try_stop(), all.collect());
    self_test.into_iter().chain(try_stop)
}

/// What helps where an account does not list a symbol.
fn unlisted_cure(account: &Account) -> Option<String> {
    match account.broker {
        Broker::Mt5(_) => Some(format!(
            "only what is in the terminal's Market Watch can be traded: add it there, or to symbols \
             of [accounts.mt5]; ponte doctor --account {} looks at the terminal",
            account.name
        )),
        Broker::Paper(_) | Broker::Binance(_) => None,
    }
}
