//! The sources: which are listened to, and what may be told of their secrets.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::extract::rejection::BytesRejection;
use axum::{Extension, Json};
use ponte_core::id::SourceName;
use ponte_core::message::{OperatorAction, OperatorRequest, SourceOff};
use ponte_core::time::Timestamp;

use super::auth::Actor;
use super::control::{line, operate, read};
use super::wire::{Operated, ReloadRequest, SourceRequest, SourceStatus};
use super::{Admin, ApiError, BY_BYTES_MAX, REASON_BYTES_MAX};
use crate::config::Config;
use crate::journal::{JournalError, Reader};
use crate::secret::{Reloaded, Role, SecretFacts};

/// Longest word for what was done to secrets, in bytes.
const ACTION_BYTES_MAX: usize = 64;

pub(super) async fn sources(
    Shared(admin): Shared<Admin>,
) -> Result<Json<Vec<SourceStatus>>, ApiError> {
    let off = admin.engine.look(|state| state.sources_off.clone()).await?;
    Ok(Json(statuses(&admin.config, &off)))
}

pub(super) async fn switch(
    Shared(admin): Shared<Admin>,
    Extension(actor): Extension<Actor>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Operated>, ApiError> {
    let request: SourceRequest = read(&body?)?;
    if let Some(message) = no_such_source(&admin.config, &request.source) {
        return Err(ApiError::bad("source", message));
    }
    let reason = request.reason.as_deref();
    let reason = reason
        .map(|reason| line("reason", reason, REASON_BYTES_MAX))
        .transpose()?;
    let action = OperatorAction::SwitchSource {
        source: request.source,
        on: request.on,
        reason: reason.filter(|reason| !reason.is_empty()),
    };
    operate(&admin, &actor.by(&request.by), action)
        .await
        .map(Json)
}

pub(super) async fn secrets(
    Shared(admin): Shared<Admin>,
) -> Result<Json<Vec<SecretFacts>>, ApiError> {
    let keyring = admin.keyring.clone();
    let facts = tokio::task::spawn_blocking(move || keyring.facts());
    let facts = facts.await.map_err(|_| ApiError::Internal)?;
    let facts = move |reader: &Reader| with_last_uses(facts, reader);
    Ok(Json(admin.readers.clone().read(facts).await?))
}

/// Takes over what was written into the secrets' files, and puts on record who says so.
pub(super) async fn reload(
    Shared(admin): Shared<Admin>,
    Extension(actor): Extension<Actor>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Reloaded>, ApiError> {
    let request: ReloadRequest = read(&body?)?;
    let by = line("by", &actor.by(&request.by), BY_BYTES_MAX)?;
    let action = line("action", &request.action, ACTION_BYTES_MAX)?;
    let detail = line("detail", &request.detail, REASON_BYTES_MAX)?;
    if by.is_empty() {
        return Err(ApiError::bad("by", "say who asks"));
    }
    let keyring = admin.keyring.clone();
    let reloaded = tokio::task::spawn_blocking(move || keyring.reload());
    let reloaded = reloaded.await.map_err(|_| ApiError::Internal)?;
    for problem in &reloaded.problems {
        tracing::error!("{problem}");
    }
    for change in &reloaded.changed {
        tracing::info!(%by, "{change}");
    }
    let detail = [detail.as_str()]
        .into_iter()
        .chain(reloaded.changed.iter().map(String::as_str))
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("; ");
    let action = OperatorAction::Record { action, detail };
    admin.engine.operate(OperatorRequest { by, action }).await?;
    Ok(Json(reloaded))
}

/// How each source of the configuration is.
pub(crate) fn statuses(
    config: &Config,
    off: &BTreeMap<SourceName, SourceOff>,
) -> Vec<SourceStatus> {
    let status = |source: &crate::config::Source| SourceStatus {
        source: source.name.clone(),
        on: !off.contains_key(&source.name),
        off: off.get(&source.name).cloned(),
        expires: source.expires,
    };
    config.sources.iter().map(status).collect()
}

/// What is said to whoever names a source that is not there.
pub(crate) fn no_such_source(config: &Config, name: &SourceName) -> Option<String> {
    let mut sources = config.sources.iter();
    if sources.any(|source| source.name == *name) {
        return None;
    }
    let names: Vec<_> = config.sources.iter().map(|s| s.name.as_str()).collect();
    Some(format!(
        "there is no source {name}; there is {}",
        names.join(", ")
    ))
}

/// The facts with what the journal knows of uses before this process.
pub(crate) fn with_last_uses(
    mut facts: Vec<SecretFacts>,
    reader: &Reader,
) -> Result<Vec<SecretFacts>, JournalError> {
    for fact in &mut facts {
        let since = fact.made_at.unwrap_or(Timestamp::EPOCH);
        let previous = match fact.role {
            Role::Current => false,
            Role::Previous => true,
            Role::Tripwire => continue,
        };
        if fact.last_used.is_none() {
            fact.last_used = reader.last_use(&fact.source, previous, since)?;
        }
    }
    Ok(facts)
}
