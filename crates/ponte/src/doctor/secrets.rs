//! The secrets, without a word of theirs: where each is kept and how hard it is to guess.

use std::path::PathBuf;

use super::machine::{self, Rights};
use crate::config::{Broker, Loaded};
use crate::secret::{SecretFacts, SecretRef};

/// What is known of all secrets.
#[derive(Debug, Clone, Default)]
pub struct Secrets {
    /// The sources', with those before a rotation and the tripwires.
    pub sources: Vec<SecretFacts>,
    /// The accounts'.
    pub accounts: Vec<AccountSecret>,
}

/// What is known of a secret that an account has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountSecret {
    /// What it is, for people: `the token of account b3`.
    pub purpose: String,
    /// Where it is kept, as the configuration says it.
    pub kept: String,
    /// How many bits it takes to guess it, at most; `None` for what a broker has made.
    pub bits: Option<u32>,
}

/// Whose the file is in which a secret is kept (`file:secrets/main`); `None` where it is in none.
#[must_use]
pub fn rights(kept: &str) -> Option<(PathBuf, Rights)> {
    let path = PathBuf::from(kept.strip_prefix("file:")?);
    let rights = machine::rights(&path).ok().flatten()?;
    Some((path, rights))
}

/// What is known of the secrets that accounts have.
#[must_use]
pub fn of_accounts(loaded: &Loaded) -> Vec<AccountSecret> {
    let accounts = loaded.config.accounts.iter().flat_map(|account| {
        let name = &account.name;
        let one = |what: &str, reference: &SecretRef, bits| AccountSecret {
            purpose: format!("the {what} of account {name}"),
            kept: reference.to_string(),
            bits,
        };
        match &account.broker {
            Broker::Paper(_) => Vec::new(),
            Broker::Binance(binance) => vec![
                one("api_key", &binance.api_key, None),
                one("signing_key", &binance.signing_key, None),
            ],
            Broker::Mt5(mt5) => {
                let token = loaded.terminal_tokens.get(name);
                vec![one(
                    "token",
                    &mt5.token,
                    token.map(crate::secret::Secret::bits),
                )]
            }
        }
    });
    accounts.collect()
}
