//! Refusals as Binance words them: a code, a message and an HTTP status.
//!
//! Source: Binance Spot API, "Error codes" and "HTTP Return Codes".

use serde_json::{Value, json};

/// A refusal: `{"code": …, "msg": …}` with its HTTP status.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ApiError {
    /// The HTTP status; also the `status` of a web socket's answer.
    pub(super) status: u16,
    /// Binance's code, negative.
    pub(super) code: i32,
    /// Binance's message.
    pub(super) message: String,
    /// More about it, as a cancel-replace that failed has.
    pub(super) data: Option<Value>,
    /// Seconds to wait, for the header `Retry-After`.
    pub(super) retry_after: Option<u64>,
}

impl ApiError {
    /// A refusal with HTTP status 400.
    pub(super) fn new(code: i32, message: impl Into<String>) -> ApiError {
        ApiError {
            status: 400,
            code,
            message: message.into(),
            data: None,
            retry_after: None,
        }
    }

    /// The same refusal with another HTTP status.
    pub(super) fn with_status(self, status: u16) -> ApiError {
        ApiError { status, ..self }
    }

    /// -1102: a mandatory parameter is missing.
    pub(super) fn mandatory(name: &str) -> ApiError {
        let message =
            format!("Mandatory parameter '{name}' was not sent, was empty/null, or malformed.");
        ApiError::new(-1102, message)
    }

    /// -1102: one of two parameters has to be there.
    pub(super) fn one_of(first: &str, second: &str) -> ApiError {
        let message =
            format!("Param '{first}' or '{second}' must be sent, but both were empty/null!");
        ApiError::new(-1102, message)
    }

    /// -1100: characters that the parameter may not have.
    pub(super) fn illegal_characters(name: &str, legal: &str) -> ApiError {
        let message =
            format!("Illegal characters found in parameter '{name}'; legal range is '{legal}'.");
        ApiError::new(-1100, message)
    }

    /// -1106: a parameter that has no place in this request.
    pub(super) fn not_required(name: &str) -> ApiError {
        ApiError::new(-1106, format!("Parameter '{name}' sent when not required."))
    }

    /// -1111: too many decimals.
    pub(super) fn precision(name: &str) -> ApiError {
        ApiError::new(-1111, format!("Parameter '{name}' has too much precision."))
    }

    /// -1130: a value that the parameter can't have.
    pub(super) fn invalid_data(name: &str) -> ApiError {
        ApiError::new(
            -1130,
            format!("Data sent for parameter '{name}' is not valid."),
        )
    }

    /// -1013: a filter of the symbol or the account refuses.
    pub(super) fn filter(name: &str) -> ApiError {
        ApiError::new(-1013, format!("Filter failure: {name}"))
    }

    /// -2010: the matching engine refuses a new order.
    pub(super) fn rejected(message: &str) -> ApiError {
        ApiError::new(-2010, message)
    }

    /// -2014: the API key is missing or has no key's form.
    pub(super) fn key_format() -> ApiError {
        ApiError::new(-2014, "API-key format invalid.").with_status(401)
    }

    /// -2015: no such key, or it may not do that.
    pub(super) fn key_rejected() -> ApiError {
        ApiError::new(-2015, "Invalid API-key, IP, or permissions for action.").with_status(401)
    }

    /// The venue's own books broke: nothing it says can be trusted any more.
    pub(super) fn broken() -> ApiError {
        let message = "An unknown error occurred while processing the request.";
        ApiError::new(-1000, message).with_status(500)
    }

    /// The body.
    pub(super) fn body(&self) -> Value {
        let mut body = json!({"code": self.code, "msg": self.message});
        if let Some(data) = &self.data {
            body["data"] = data.clone();
        }
        body
    }
}
