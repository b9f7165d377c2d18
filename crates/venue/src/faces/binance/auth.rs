//! Who is asking: signatures over the raw bytes, time stamps and their windows.
//!
//! Source: Binance Spot API, "Request Security" and "Timing security"; web socket API, "SIGNED request security".

use super::error::ApiError;
use super::keys::{ApiKey, Keys, has_key_form};
use super::params::{Params, percent_decode};
use crate::time::Micros;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

/// The window of a request that names none, in milliseconds.
const RECEIVE_WINDOW: i64 = 5_000;
/// The largest window, in milliseconds.
const RECEIVE_WINDOW_MAX: i64 = 60_000;
/// How far a time stamp may lie ahead of the exchange's clock.
const AHEAD_MAX_MICROS: i64 = 1_000_000;
/// A time stamp from here on is in microseconds: as milliseconds it would lie in the year 5138.
const MICROSECONDS_FROM: i64 = 100_000_000_000_000;

/// What an endpoint asks of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Security {
    /// Nothing.
    Public,
    /// A known API key, no signature.
    KeyOnly,
    /// A signature: `USER_DATA`.
    Signed,
    /// A signature of a key that may trade: `TRADE`.
    Trade,
}

/// Who asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Identity {
    /// The API key; empty for a public request.
    pub(super) key: String,
    /// Its account; empty for a public request.
    pub(super) account: String,
}

/// What a signature covers, apart from the parameters as they are understood.
#[derive(Clone, Copy, Debug)]
pub(super) enum Signed<'a> {
    /// Query and body of an HTTP request, as they came.
    Bytes {
        /// The raw query.
        query: &'a str,
        /// The raw body.
        body: &'a str,
    },
    /// The parameters sorted by name.
    SortedParams,
    /// Nothing: the session has logged on.
    Session,
}

/// Says who asks, or why he may not.
///
/// # Errors
/// -2014, -2015, -1102, -1022, -1021 and -1131 as Binance gives them.
pub(super) fn identify(
    keys: &Keys,
    security: Security,
    key: Option<&str>,
    signed: Signed<'_>,
    params: &Params,
    now: Micros,
) -> Result<Identity, ApiError> {
    if security == Security::Public {
        return Ok(Identity::default());
    }
    let name = key
        .filter(|key| has_key_form(key))
        .ok_or_else(ApiError::key_format)?;
    let key = keys.get(name).ok_or_else(ApiError::key_rejected)?;
    match security {
        Security::Public | Security::KeyOnly => {}
        Security::Signed | Security::Trade => {
            check_signature(key, signed, params)?;
            check_time(params, now)?;
        }
    }
    if security == Security::Trade && !key.can_trade {
        return Err(ApiError::key_rejected());
    }
    Ok(Identity {
        key: name.to_owned(),
        account: key.account.clone(),
    })
}

fn check_signature(key: &ApiKey, signed: Signed<'_>, params: &Params) -> Result<(), ApiError> {
    let invalid = || ApiError::new(-1022, "Signature for this request is not valid.");
    let (payload, signature) = match signed {
        Signed::Session => return Ok(()),
        Signed::SortedParams => (
            params.signed_text(),
            params.require("signature")?.to_owned(),
        ),
        Signed::Bytes { query, body } => {
            let (query, in_query) = without_signature(query);
            let (body, in_body) = without_signature(body);
            let raw = in_query
                .or(in_body)
                .ok_or_else(|| ApiError::mandatory("signature"))?;
            let signature = decoded_signature(&raw).ok_or_else(invalid)?;
            (format!("{query}{body}"), signature)
        }
    };
    if signature.is_empty() {
        return Err(ApiError::mandatory("signature"));
    }
    key.verifies(payload.as_bytes(), &signature)
        .then_some(())
        .ok_or_else(invalid)
}

/// A base64 signature may be sent with its plus signs as they are.
fn decoded_signature(raw: &str) -> Option<String> {
    percent_decode(&raw.replace('+', "%2B"))
}

/// The raw text without its `signature` parameter, and that parameter's raw value.
fn without_signature(raw: &str) -> (String, Option<String>) {
    let mut signature = None;
    let kept: Vec<&str> = raw
        .split('&')
        .filter(|pair| match pair.strip_prefix("signature=") {
            Some(value) if signature.is_none() => {
                signature = Some(value.to_owned());
                false
            }
            Some(_) | None => true,
        })
        .collect();
    (kept.join("&"), signature)
}

/// Says whether the request comes in its window.
///
/// # Errors
/// -1102 without a time stamp, -1021 outside of the window, -1131 for a window that is too large.
fn check_time(params: &Params, now: Micros) -> Result<(), ApiError> {
    params.require("timestamp")?;
    let stamp = params
        .integer("timestamp")?
        .ok_or_else(|| ApiError::mandatory("timestamp"))?;
    let stamp = if stamp >= MICROSECONDS_FROM {
        stamp
    } else {
        stamp.saturating_mul(1_000)
    };
    let window = window_micros(params)?;
    if stamp >= now.0.saturating_add(AHEAD_MAX_MICROS) {
        let message = "Timestamp for this request was 1000ms ahead of the server's time.";
        return Err(ApiError::new(-1021, message));
    }
    if now.0.saturating_sub(stamp) > window {
        let message = "Timestamp for this request is outside of the recvWindow.";
        return Err(ApiError::new(-1021, message));
    }
    Ok(())
}

fn window_micros(params: &Params) -> Result<i64, ApiError> {
    let Some(text) = params.text("recvWindow") else {
        return Ok(RECEIVE_WINDOW * 1_000);
    };
    let illegal = || ApiError::illegal_characters("recvWindow", r"^([0-9]{1,5})(\.[0-9]{1,3})?$");
    let window = Decimal::from_str_exact(text)
        .ok()
        .filter(|window| *window >= Decimal::ZERO && window.scale() <= 3)
        .ok_or_else(illegal)?;
    if window > Decimal::from(RECEIVE_WINDOW_MAX) {
        return Err(ApiError::new(-1131, "recvWindow must be less than 60000."));
    }
    (window * Decimal::ONE_THOUSAND)
        .to_i64()
        .ok_or_else(illegal)
}
