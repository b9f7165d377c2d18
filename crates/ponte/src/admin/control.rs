//! What a person asks for: halt, resume, flatten, explain.

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{Query, State as Shared};
use axum::{Extension, Json};
use ponte_core::format::{Format, parse, redact};
use ponte_core::halt::Scope;
use ponte_core::id::SourceName;
use ponte_core::message::{Delivery, OperatorAction, OperatorRequest};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::auth::Actor;
use super::wire::{Explanation, HaltRequest, Operated, RecordRequest, ScopeRequest};
use super::{Admin, ApiError, BY_BYTES_MAX, REASON_BYTES_MAX};
use crate::clock;
use crate::config::{Config, Source, SourceFormat};
use crate::engine::Alert;

/// How much of an explained alert is shown again.
const EXCERPT_BYTES_MAX: usize = 400;

pub(super) async fn halt(
    Shared(admin): Shared<Admin>,
    Extension(actor): Extension<Actor>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Operated>, ApiError> {
    set_halt(&admin, &actor, read(&body?)?).await.map(Json)
}

/// Sets a halt for whoever asks.
pub(super) async fn set_halt(
    admin: &Admin,
    actor: &Actor,
    request: HaltRequest,
) -> Result<Operated, ApiError> {
    let reason = request
        .reason
        .map(|reason| line("reason", &reason, REASON_BYTES_MAX))
        .transpose()?;
    let action = OperatorAction::Halt {
        scope: request.scope,
        level: request.level,
        reason: reason.filter(|reason| !reason.is_empty()),
    };
    operate(admin, &actor.by(&request.by), action).await
}

pub(super) async fn resume(
    Shared(admin): Shared<Admin>,
    Extension(actor): Extension<Actor>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Operated>, ApiError> {
    lift_halt(&admin, &actor, read(&body?)?).await.map(Json)
}

/// Lifts a halt for whoever asks.
pub(super) async fn lift_halt(
    admin: &Admin,
    actor: &Actor,
    request: ScopeRequest,
) -> Result<Operated, ApiError> {
    if request.scope == Scope::Global && admin.halt_file().exists() {
        return Err(ApiError::HaltFile(held_by_file(&admin.config)));
    }
    let scope = request.scope;
    let by = actor.by(&request.by);
    operate(admin, &by, OperatorAction::Resume { scope }).await
}

pub(super) async fn flatten(
    Shared(admin): Shared<Admin>,
    Extension(actor): Extension<Actor>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Operated>, ApiError> {
    let request: ScopeRequest = read(&body?)?;
    let (by, scope) = (actor.by(&request.by), request.scope);
    let operated = operate(&admin, &by, OperatorAction::Flatten { scope });
    operated.await.map(Json)
}

/// Puts on record what a program of this machine has done to Ponte: the command line has changed the
/// users, say.
pub(super) async fn record(
    Shared(admin): Shared<Admin>,
    Extension(actor): Extension<Actor>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Operated>, ApiError> {
    let request: RecordRequest = read(&body?)?;
    let action = line("action", &request.action, BY_BYTES_MAX)?;
    let detail = line("detail", &request.detail, REASON_BYTES_MAX)?;
    let action = OperatorAction::Record { action, detail };
    operate(&admin, &actor.by(&request.by), action)
        .await
        .map(Json)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExplainParameters {
    source: Option<String>,
}

pub(super) async fn explain(
    Shared(admin): Shared<Admin>,
    parameters: Result<Query<ExplainParameters>, QueryRejection>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Explanation>, ApiError> {
    let Query(parameters) = parameters?;
    let source = source(&admin.config, parameters.source.as_deref())
        .map_err(|message| ApiError::bad("source", message))?;
    let alert = imagined(source, &body?).map_err(ApiError::Format)?;
    let events = admin.engine.explain(alert).await?;
    Explanation::of(events).map(Json).ok_or(ApiError::Internal)
}

pub(super) async fn operate(
    admin: &Admin,
    by: &str,
    action: OperatorAction,
) -> Result<Operated, ApiError> {
    let by = line("by", by, BY_BYTES_MAX)?;
    if by.is_empty() {
        return Err(ApiError::bad("by", "say who asks"));
    }
    let events = admin.engine.operate(OperatorRequest { by, action }).await?;
    let halts = admin.engine.look(|state| state.halts.clone()).await?;
    Ok(Operated {
        changed: !events.is_empty(),
        running: true,
        events,
        halts,
    })
}

/// What is said to somebody who would resume while the file is there.
pub(crate) fn held_by_file(config: &Config) -> String {
    format!(
        "the file {} halts everything; remove it, then resume",
        config.data_dir.join(super::HALT_FILE).display()
    )
}

/// The named source, or the first.
pub(crate) fn source<'c>(config: &'c Config, name: Option<&str>) -> Result<&'c Source, String> {
    let Some(name) = name else {
        return config
            .sources
            .first()
            .ok_or_else(|| "the configuration has no source".to_owned());
    };
    config
        .sources
        .iter()
        .find(|source| source.name.as_str() == name)
        .ok_or_else(|| {
            let names: Vec<_> = config.sources.iter().map(|s| s.name.as_str()).collect();
            format!("there is no source {name:?}; there is {}", names.join(", "))
        })
}

/// An alert that nobody sent. Its secret is not looked at.
pub(crate) fn imagined(
    source: &Source,
    body: &[u8],
) -> Result<Alert, ponte_core::format::FormatError> {
    let format = match source.format {
        SourceFormat::Ponte => Format::Ponte,
    };
    let name: SourceName = source.name.clone();
    Ok(Alert {
        signal: parse(format, body)?.signal,
        source: name,
        received_at: clock::now(),
        delivery: Delivery {
            body: redact(body, EXCERPT_BYTES_MAX),
            ..Delivery::default()
        },
    })
}

pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    serde_json::from_slice(body).map_err(|error| ApiError::Bad {
        message: error.to_string(),
        field: None,
    })
}

/// A text of one line that goes into the record.
pub(super) fn line(field: &str, text: &str, limit: usize) -> Result<String, ApiError> {
    let text = text.trim();
    if text.len() > limit {
        let bytes = text.len();
        return Err(ApiError::bad(
            field,
            format!("{field} has {bytes} bytes, the limit is {limit}"),
        ));
    }
    if text.chars().any(char::is_control) {
        return Err(ApiError::bad(
            field,
            format!("{field} has a control character in it"),
        ));
    }
    Ok(text.to_owned())
}
