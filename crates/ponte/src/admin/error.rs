//! What can go wrong with a request, and how it is said.

use std::time::Duration;

use axum::Json;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use ponte_core::format::FormatError;
use serde::{Deserialize, Serialize};

use super::BODY_BYTES_MAX;
use crate::engine::Unavailable;
use crate::journal::JournalError;

/// Why a request to the admin address failed.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The request came by a name that is not this machine's.
    #[error("{0}")]
    Foreign(String),
    /// A foreign page could have sent it.
    #[error("{0}")]
    NotSure(String),
    /// Nobody is known behind it.
    #[error("sign in, or bring a token: Authorization: Bearer ponte_…")]
    NotSignedIn,
    /// Whoever is known behind it may not.
    #[error("{0}")]
    NotAllowed(String),
    /// It does not bring what only a page of this address knows.
    #[error("the session's csrf token is missing or wrong; load the page again")]
    Forged,
    /// Too many requests.
    #[error("too many requests; try again in {} s", .0.as_secs().max(1))]
    TooOften(Duration),
    /// Something in it makes no sense.
    #[error("{message}")]
    Bad {
        /// What.
        message: String,
        /// Where.
        field: Option<String>,
    },
    /// The alert is not understood.
    #[error("{0}")]
    Format(FormatError),
    /// Too many bytes.
    #[error("the body has more than {BODY_BYTES_MAX} bytes")]
    TooLarge,
    /// There is no such thing.
    #[error("{0}")]
    NotFound(String),
    /// The method is not one of the path's.
    #[error("this path does not take this method")]
    Method,
    /// The `HALT` file is there.
    #[error("{0}")]
    HaltFile(String),
    /// Too much of it was asked for within a minute.
    #[error("{0}")]
    TooMany(String),
    /// The engine can't take it.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// The journal can't be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Something broke here.
    #[error("something broke; the log says more")]
    Internal,
}

/// The body of an error's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// The error.
    pub error: ErrorDetail,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorDetail {
    /// A stable word.
    pub code: String,
    /// A sentence.
    pub message: String,
    /// The field or parameter that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

impl ApiError {
    /// A request that makes no sense in one field.
    pub(super) fn bad(field: &str, message: impl Into<String>) -> Self {
        Self::Bad {
            message: message.into(),
            field: Some(field.to_owned()),
        }
    }

    /// The headers that belong to its status.
    pub(super) fn mark(&self, response: &mut Response) {
        match self {
            Self::NotSignedIn => {
                let scheme = HeaderValue::from_static("Bearer");
                response
                    .headers_mut()
                    .insert(header::WWW_AUTHENTICATE, scheme);
            }
            Self::TooOften(wait) => {
                let seconds = HeaderValue::from(wait.as_secs().max(1));
                response.headers_mut().insert(header::RETRY_AFTER, seconds);
            }
            Self::Foreign(_)
            | Self::NotSure(_)
            | Self::NotAllowed(_)
            | Self::Forged
            | Self::Bad { .. }
            | Self::Format(_)
            | Self::TooLarge
            | Self::TooMany(_)
            | Self::NotFound(_)
            | Self::Method
            | Self::HaltFile(_)
            | Self::Unavailable(_)
            | Self::Journal(_)
            | Self::Internal => {}
        }
    }

    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Foreign(_) | Self::NotAllowed(_) | Self::Forged => StatusCode::FORBIDDEN,
            Self::NotSignedIn => StatusCode::UNAUTHORIZED,
            Self::TooOften(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::NotSure(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Bad { .. } | Self::Format(_) => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::HaltFile(_) => StatusCode::CONFLICT,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Journal(_) | Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn code(&self) -> &str {
        match self {
            Self::Foreign(_) => "foreign_origin",
            Self::NotSignedIn => "not_signed_in",
            Self::NotAllowed(_) => "not_allowed",
            Self::Forged => "csrf",
            Self::TooOften(_) => "too_often",
            Self::NotSure(_) => "unsure_origin",
            Self::Bad { .. } => "bad_request",
            Self::Format(error) => error.code,
            Self::TooLarge => "too_large",
            Self::NotFound(_) => "not_found",
            Self::Method => "method_not_allowed",
            Self::HaltFile(_) => "halt_file",
            Self::TooMany(_) => "too_many",
            Self::Unavailable(_) => "unavailable",
            Self::Journal(_) => "journal",
            Self::Internal => "internal",
        }
    }

    fn field(&self) -> Option<String> {
        match self {
            Self::Bad { field, .. } => field.clone(),
            Self::Format(error) => error.field.clone(),
            Self::Foreign(_)
            | Self::NotSure(_)
            | Self::NotSignedIn
            | Self::NotAllowed(_)
            | Self::Forged
            | Self::TooOften(_)
            | Self::TooLarge
            | Self::NotFound(_)
            | Self::Method
            | Self::HaltFile(_)
            | Self::TooMany(_)
            | Self::Unavailable(_)
            | Self::Journal(_)
            | Self::Internal => None,
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = ErrorBody {
            error: ErrorDetail {
                code: self.code().to_owned(),
                message: self.to_string(),
                field: self.field(),
            },
        };
        let mut response = (self.status(), Json(body)).into_response();
        self.mark(&mut response);
        response
    }
}

impl From<QueryRejection> for ApiError {
    fn from(rejection: QueryRejection) -> Self {
        Self::Bad {
            message: rejection.body_text(),
            field: None,
        }
    }
}

impl From<BytesRejection> for ApiError {
    fn from(rejection: BytesRejection) -> Self {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            return Self::TooLarge;
        }
        Self::Bad {
            message: rejection.body_text(),
            field: None,
        }
    }
}

impl From<tokio::task::JoinError> for ApiError {
    fn from(error: tokio::task::JoinError) -> Self {
        tracing::error!(%error, "reading the journal broke");
        Self::Internal
    }
}

/// A path that there is not.
pub(super) async fn not_found() -> ApiError {
    ApiError::NotFound("there is nothing at this path; see /api/status".to_owned())
}

/// A method that a path does not take.
pub(super) async fn method_not_allowed() -> ApiError {
    ApiError::Method
}
