//! The secrets, without a word of theirs: where each is kept and how hard it is to guess.

use std::path::PathBuf;

use super::machine::{self, Rights};
use super::strength::{self, Strength};
use crate::config::{Broker, Loaded};
use crate::secret::SecretRef;

/// What is known of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretFacts {
    /// What it is for, for people: `source main`, `the token of account b3`.
    pub purpose: String,
    /// Where it is kept, as the configuration says it.
    pub kept: String,
    /// The file, where it is one.
    pub file: Option<PathBuf>,
    /// How hard it is to guess; `None` for what a broker has made.
    pub strength: Option<Strength>,
}

impl SecretFacts {
    /// Whose the secret's file is; `None` where it is in none.
    #[must_use]
    pub fn rights(&self) -> Option<Rights> {
        machine::rights(self.file.as_ref()?).ok().flatten()
    }
}

/// What is known of all secrets that a configuration names.
#[must_use]
pub fn facts(loaded: &Loaded) -> Vec<SecretFacts> {
    let sources = loaded.config.sources.iter().map(|source| {
        let secret = loaded.secrets.get(&source.name);
        let strength = secret.map(|secret| strength::of(secret.expose()));
        fact(format!("source {}", source.name), &source.secret, strength)
    });
    let accounts = loaded.config.accounts.iter().flat_map(|account| {
        let name = &account.name;
        match &account.broker {
            Broker::Paper(_) => Vec::new(),
            Broker::Binance(binance) => vec![
                fact(
                    format!("the api_key of account {name}"),
                    &binance.api_key,
                    None,
                ),
                fact(
                    format!("the signing_key of account {name}"),
                    &binance.signing_key,
                    None,
                ),
            ],
            Broker::Mt5(mt5) => {
                let token = loaded.terminal_tokens.get(name);
                let strength = token.map(|token| strength::of(token.expose()));
                vec![fact(
                    format!("the token of account {name}"),
                    &mt5.token,
                    strength,
                )]
            }
        }
    });
    sources.chain(accounts).collect()
}

fn fact(purpose: String, reference: &SecretRef, strength: Option<Strength>) -> SecretFacts {
    SecretFacts {
        purpose,
        kept: reference.to_string(),
        file: match reference {
            SecretRef::Env(_) | SecretRef::Credential(_) | SecretRef::Vault(_) => None,
            SecretRef::File(path) => Some(path.clone()),
        },
        strength,
    }
}
