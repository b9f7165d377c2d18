//! Asking how accounts are at their brokers: everything that is fine, doubtful or wrong, with its cure.

use std::future::Future;
use std::pin::Pin;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State as Shared};
use futures_util::future::join_all;
use ponte_core::id::AccountName;
use serde::Deserialize;

use super::wire::{Diagnosis, Terminal};
use super::{Admin, ApiError};

/// Who can look at accounts from inside: the admin address knows no broker.
pub trait Doctor: Send + Sync {
    /// Looks at everything that an account needs in order to trade; `None` where there is no such account.
    fn examine<'a>(
        &'a self,
        account: &'a AccountName,
    ) -> Pin<Box<dyn Future<Output = Option<Diagnosis>> + Send + 'a>>;

    /// Where an account's terminal stands now, from memory; `None` where an account has none.
    fn terminal(&self, account: &AccountName) -> Option<Terminal>;
}

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
