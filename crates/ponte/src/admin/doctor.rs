//! Asking how accounts are at their brokers: everything that is fine, doubtful or wrong, with its cure.

use std::future::Future;
use std::pin::Pin;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State as Shared};
use futures_util::future::join_all;
use ponte_core::id::AccountName;
use serde::Deserialize;

use super::wire::{
    Diagnosis, Group, SelfTest, SelfTestCourse, Terminal, TriedStop, TryStopRequest,
};
use super::{Admin, ApiError, NotTried};

/// Who can look at accounts from inside: the admin address knows no broker.
pub trait Doctor: Send + Sync {
    /// Looks at everything that an account needs in order to trade; `None` where there is no such account.
    fn examine<'a>(
        &'a self,
        account: &'a AccountName,
    ) -> Pin<Box<dyn Future<Output = Option<Diagnosis>> + Send + 'a>>;

    /// Where an account's terminal stands now, from memory; `None` where an account has none.
    fn terminal(&self, account: &AccountName) -> Option<Terminal>;

    /// Looks at the machine, the secrets, the senders and the journal, as this process sees them.
    fn here(&self) -> Pin<Box<dyn Future<Output = Vec<Group>> + Send + '_>>;

    /// Makes an alert that can be posted to the webhook, once.
    ///
    /// # Errors
    /// When too many were made, or the engine can't be asked.
    fn make_self_test(&self) -> Trying<'_, SelfTest>;

    /// How far such an alert has come; `None` where there is no such one any more.
    fn self_test(&self, number: &str) -> Option<SelfTestCourse>;

    /// Places a stop far from the market, looks whether it rests at the broker, and takes it back.
    ///
    /// # Errors
    /// When nothing was placed.
    fn try_stop(&self, request: TryStopRequest) -> Trying<'_, TriedStop>;
}

/// Something that is being tried.
pub type Trying<'a, T> = Pin<Box<dyn Future<Output = Result<T, NotTried>> + Send + 'a>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DoctorParameters {
    account: Option<String>,
}

pub(super) async fn doctor(
    Shared(admin): Shared<Admin>,
    parameters: Result<Query<DoctorParameters>, QueryRejection>,
) -> Result<Json<Vec<Diagnosis>>, ApiError> {
    let Query(parameters) = parameters?;
    let accounts = admin.config.accounts.iter().map(|account| &account.name);
    let wanted: Vec<&AccountName> = match &parameters.account {
        None => accounts.collect(),
        Some(name) => accounts
            .filter(|known| known.as_str() == name.as_str())
            .collect(),
    };
    if let (Some(name), true) = (&parameters.account, wanted.is_empty()) {
        let names = admin
            .config
            .accounts
            .iter()
            .map(|known| known.name.as_str());
        let known = names.collect::<Vec<_>>().join(", ");
        return Err(ApiError::NotFound(format!(
            "there is no account {name:?}; there is {known}"
        )));
    }
    let examined = wanted.into_iter().map(|name| admin.doctor.examine(name));
    let found = join_all(examined).await;
    Ok(Json(found.into_iter().flatten().collect()))
}
