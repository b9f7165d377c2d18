//! What the sender is told. The status is in one place, the bodies are small and written at once.

use axum::body::Body;
use axum::http::header::{CONNECTION, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use ponte_core::format::FormatError;
use ponte_core::id::{AccountName, ClientOrderId, Symbol};
use ponte_core::message::{AlertDecision, LegDecision, LegOrder};
use ponte_core::signal::Side;
use rust_decimal::Decimal;
use serde::{Serialize, Serializer};

/// When the sender should try again after a `503`: TradingView's own interval.
const UNAVAILABLE_RETRY: HeaderValue = HeaderValue::from_static("5");
/// When an address that failed too often may fail again.
const LIMITED_RETRY: HeaderValue = HeaderValue::from_static("60");

/// An answer without a body.
pub(super) fn bare(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// An answer without a body, after which the connection is of no use.
pub(super) fn last(status: StatusCode) -> Response {
    let mut response = bare(status);
    response
        .headers_mut()
        .insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// `429`: the address has failed too often.
pub(super) fn limited() -> Response {
    let mut response = bare(StatusCode::TOO_MANY_REQUESTS);
    response.headers_mut().insert(RETRY_AFTER, LIMITED_RETRY);
    response
}

/// `503`: nothing could be made durable; TradingView will send again.
pub(super) fn unavailable(message: &str) -> Response {
    let error = ErrorBody {
        code: "unavailable",
        message,
        field: None,
        position: None,
    };
    let mut response = json(StatusCode::SERVICE_UNAVAILABLE, &Wrapped { error });
    response
        .headers_mut()
        .insert(RETRY_AFTER, UNAVAILABLE_RETRY);
    response
}

/// `400`: the sender is known, the message is not understood.
pub(super) fn malformed(error: &FormatError) -> Response {
    let error = ErrorBody {
        code: error.code,
        message: &error.message,
        field: error.field.as_deref(),
        position: error.position.map(|position| PositionBody {
            line: position.line,
            column: position.column,
        }),
    };
    json(StatusCode::BAD_REQUEST, &Wrapped { error })
}

/// `200`: the alert is on disk, and this is what was decided.
pub(super) fn decided(decision: &AlertDecision) -> Response {
    let repeats = decision.outcome == ponte_core::message::Outcome::Duplicate;
    let (id, delivery) = match decision.first {
        Some(first) if repeats => (first, Some(decision.alert)),
        Some(_) | None => (decision.alert, None),
    };
    let body = DecisionBody {
        status: decision.outcome.as_str(),
        id: Shown(id),
        delivery: delivery.map(Shown),
        reason: decision.reason.as_deref(),
        legs: Legs(&decision.legs),
    };
    json(StatusCode::OK, &body)
}

fn json(status: StatusCode, body: &impl Serialize) -> Response {
    // Such bodies can't fail to be written: no maps, no foreign serialisers.
    let mut response = Response::new(Body::from(serde_json::to_vec(body).unwrap_or_default()));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

#[derive(Serialize)]
struct Wrapped<'a> {
    error: ErrorBody<'a>,
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    code: &'a str,
    message: &'a str,
    field: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<PositionBody>,
}

#[derive(Serialize)]
struct PositionBody {
    line: usize,
    column: usize,
}

#[derive(Serialize)]
struct DecisionBody<'a> {
    status: &'a str,
    id: Shown,
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery: Option<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    legs: Legs<'a>,
}

/// An alert's number as people read it.
struct Shown(ponte_core::id::AlertId);

impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

struct Legs<'a>(&'a [LegDecision]);

impl Serialize for Legs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(LegBody::of))
    }
}

/// A leg, with its main order: the last one, which of a reversal is the entry after the exit.
#[derive(Serialize)]
struct LegBody<'a> {
    account: &'a AccountName,
    decision: &'a str,
    reason: &'a str,
    client_order_id: Option<ClientOrderId>,
    side: Option<Side>,
    symbol: Option<&'a Symbol>,
    quantity: Option<Decimal>,
    /// All orders in the order of their sending, where there are several.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    orders: &'a [LegOrder],
}

impl<'a> LegBody<'a> {
    fn of(leg: &'a LegDecision) -> Self {
        let main = leg.orders.last();
        Self {
            account: &leg.account,
            decision: leg.decision.as_str(),
            reason: &leg.reason,
            client_order_id: main.map(|order| order.client_order_id),
            side: main.map(|order| order.side),
            symbol: leg.symbol.as_ref(),
            quantity: main.map(|order| order.quantity),
            orders: if leg.orders.len() > 1 {
                &leg.orders
            } else {
                &[]
            },
        }
    }
}
