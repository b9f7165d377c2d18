//! What the doctor does beside looking at accounts: this process from inside, the test of the webhook,
//! and the stop that is tried.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State as Shared};
use axum::{Extension, Json};
use ponte_core::id::{AccountName, Symbol};
use ponte_core::policy::Mode;
use ponte_core::time::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::auth::Actor;
use super::control::{line, read};
use super::wire::Finding;
use super::{Admin, ApiError, BY_BYTES_MAX};

/// What was found about one thing that is no account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// The thing, a stable word: `machine`, `public`, `secrets`, `senders`, `journal`.
    pub group: String,
    /// What was looked at.
    pub findings: Vec<Finding>,
}

impl Group {
    /// What was found about this.
    #[must_use]
    pub fn new(group: &str, findings: Vec<Finding>) -> Self {
        Self {
            group: group.to_owned(),
            findings,
        }
    }
}

/// A test of the webhook that can be posted, once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SelfTest {
    /// Its number, by which its course is asked for.
    pub number: String,
    /// Where it belongs, below the public address.
    pub path: String,
    /// The header that makes it a test.
    pub header: String,
    /// The header's value.
    pub value: String,
    /// What is to be posted, to the byte.
    pub body: String,
    /// Until when.
    pub expires_at: Timestamp,
    /// The paper account that it trades in; none where it trades nothing.
    pub account: Option<AccountName>,
}

/// How far a test of the webhook has come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SelfTestCourse {
    /// How it arrived; absent while it has not.
    pub arrival: Option<Arrival>,
    /// The alert that it is on record as (`A17`).
    pub alert: Option<String>,
    /// The alert that closed what it had opened.
    pub closing: Option<String>,
    /// What was decided, in one word.
    pub decision: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// What was done, in order, each with its time since the alert's last byte.
    pub stages: Vec<Stage>,
    /// Whether nothing more happens.
    pub ended: bool,
    /// What went wrong.
    pub problem: Option<String>,
}

/// A stage of a test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// Which: `durable`, `traded`, `protected`, `closed`; of a stop `placed`, `resting`, `taken_back`.
    pub stage: String,
    /// When it was done, after the beginning.
    pub after_microseconds: u64,
}

/// How a test of the webhook arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrival {
    /// The other end of the connection.
    pub peer: String,
    /// The sender's address, as Ponte sees it; absent where a trusted proxy doesn't say.
    pub address: Option<String>,
    /// Whether an alert from there would be let in.
    pub allowed: bool,
    /// Whether the other end of the connection is a trusted proxy.
    pub by_proxy: bool,
    /// The headers that were there with which proxies tell an address.
    pub forwarded: Vec<String>,
}

/// Asks for a stop to be placed far from the market and taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TryStopRequest {
    /// Where.
    pub account: String,
    /// In which symbol; one that the account trades when absent.
    #[serde(default)]
    pub symbol: Option<String>,
    /// That it is meant, where real money moves.
    #[serde(default)]
    pub live: bool,
    /// Who asks.
    pub by: String,
}

/// What became of a stop that was tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TriedStop {
    /// Where.
    pub account: AccountName,
    /// Whether real money moves there.
    pub mode: Mode,
    /// In which symbol.
    pub symbol: Symbol,
    /// How much would have been bought.
    pub quantity: Decimal,
    /// At which price it would have woken.
    pub trigger: Decimal,
    /// The market's price.
    pub price: Decimal,
    /// What was done, in order.
    pub stages: Vec<Stage>,
    /// What went wrong.
    pub problem: Option<String>,
}

/// Why something was not tried.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotTried {
    /// The request makes no sense, or must not be carried out.
    #[error("{0}")]
    Refused(String),
    /// Too much was asked for within a minute.
    #[error("{0}")]
    TooMany(String),
    /// It can't be done now.
    #[error(transparent)]
    Unavailable(#[from] crate::engine::Unavailable),
}

impl From<NotTried> for ApiError {
    fn from(error: NotTried) -> Self {
        match error {
            NotTried::Refused(message) => Self::Bad {
                message,
                field: None,
            },
            NotTried::TooMany(message) => Self::TooMany(message),
            NotTried::Unavailable(unavailable) => Self::Unavailable(unavailable),
        }
    }
}

pub(super) async fn here(Shared(admin): Shared<Admin>) -> Json<Vec<Group>> {
    Json(admin.doctor.here().await)
}

pub(super) async fn make_self_test(
    Shared(admin): Shared<Admin>,
) -> Result<Json<SelfTest>, ApiError> {
    Ok(Json(admin.doctor.make_self_test().await?))
}

pub(super) async fn self_test(
    Shared(admin): Shared<Admin>,
    Path(number): Path<String>,
) -> Result<Json<SelfTestCourse>, ApiError> {
    let course = admin.doctor.self_test(&number);
    let gone = || ApiError::NotFound("there is no test of that number, or no more".to_owned());
    course.map(Json).ok_or_else(gone)
}

pub(super) async fn try_stop(
    Shared(admin): Shared<Admin>,
    Extension(actor): Extension<Actor>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<TriedStop>, ApiError> {
    let mut request: TryStopRequest = read(&body?)?;
    request.by = line("by", &actor.by(&request.by), BY_BYTES_MAX)?;
    Ok(Json(admin.doctor.try_stop(request).await?))
}
