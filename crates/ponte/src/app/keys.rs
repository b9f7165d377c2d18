//! What an account's API key may do: looked at before the first order, and again until it is known.

use std::sync::Arc;
use std::time::Duration;

use ponte_core::halt::{HaltLevel, Scope};
use ponte_core::id::AccountName;
use ponte_core::message::{OperatorAction, OperatorRequest};

use crate::brokers::{Broker, BrokerError, Credentials};
use crate::engine::Engine;

/// How long a broker may take to say what an API key may do, unless a start is in a hurry.
pub(super) const PATIENCE: Duration = Duration::from_secs(15);
/// The wait before a broker without an answer is asked again.
const AGAIN_AFTER: Duration = Duration::from_secs(30);

/// Whether it is known what a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Looked {
    /// It is, and the owner was told what there is to know.
    Known,
    /// The broker has not said it yet.
    NotYet,
}

/// An account whose key has to be looked at again.
pub(super) struct Unchecked {
    pub(super) account: AccountName,
    pub(super) broker: Arc<dyn Broker>,
}

/// Refuses a key that may withdraw, unless the owner has allowed it; says what else there is to know.
///
/// # Errors
/// The key may take money out.
pub(super) async fn check(
    account: &AccountName,
    may_withdraw: bool,
    broker: &dyn Broker,
    patience: Duration,
) -> Result<Looked, BrokerError> {
    let Some(credentials) = ask(account, broker, patience).await else {
        return Ok(Looked::NotYet);
    };
    if credentials.can_withdraw == Some(true) && !may_withdraw {
        return Err(BrokerError::Refused(super::binance::withdrawals_refused(
            account,
        )));
    }
    tell(account, &credentials);
    Ok(Looked::Known)
}

/// Asks again until the broker says what the key may do. Entries are halted then if it may take money
/// out: what is open keeps its exits and stops.
pub(super) async fn keep_asking(engine: Engine, unchecked: Unchecked) {
    let Unchecked { account, broker } = unchecked;
    loop {
        match check(&account, false, &*broker, PATIENCE).await {
            Ok(Looked::Known) => return,
            Ok(Looked::NotYet) => tokio::time::sleep(AGAIN_AFTER).await,
            Err(problem) => {
                tracing::error!(account.id = %account, "{problem}; its entries are halted");
                let request = OperatorRequest {
                    by: "key check".to_owned(),
                    action: OperatorAction::Halt {
                        scope: Scope::Account(account.clone()),
                        level: HaltLevel::BlockEntries,
                        reason: Some("the API key may withdraw money".to_owned()),
                    },
                };
                // Where the journal can't be written nothing is entered either.
                if engine.operate(request).await.is_ok() {
                    return;
                }
                tokio::time::sleep(AGAIN_AFTER).await;
            }
        }
    }
}

async fn ask(
    account: &AccountName,
    broker: &dyn Broker,
    patience: Duration,
) -> Option<Credentials> {
    match tokio::time::timeout(patience, broker.check_credentials()).await {
        Ok(Ok(credentials)) => return Some(credentials),
        Ok(Err(error @ BrokerError::Refused(_))) => tracing::error!(
            account.id = %account, %error,
            "the broker does not take the API key, and will refuse every order: look at api_key and \
             signing_key, at what the key may do and from where, and whether it was made for this mode"
        ),
        Ok(Err(error @ (BrokerError::Unanswered(_) | BrokerError::Unreadable(_)))) => {
            tracing::error!(
                account.id = %account, %error,
                "the broker did not say what the API key may do: whether it can withdraw is not known; \
                 it is asked again"
            );
        }
        Err(_) => tracing::warn!(
            account.id = %account,
            "the broker did not say within {} ms what the API key may do; it is asked again",
            patience.as_millis()
        ),
    }
    None
}

fn tell(account: &AccountName, credentials: &Credentials) {
    if !credentials.can_trade {
        tracing::error!(account.id = %account, "the API key may not trade: every order will be refused");
    }
    if credentials.bound_to_address == Some(false) {
        tracing::warn!(
            account.id = %account,
            "the API key works from any address; bind it to this machine's at the broker"
        );
    }
    for warning in &credentials.warnings {
        tracing::warn!(account.id = %account, "{warning}");
    }
}
