//! REST: finds the endpoint of a request, has it carried out, and writes the answer with Binance's headers.

use super::Market;
use super::error::ApiError;
use super::params::Params;
use super::service::{self, Asked, Endpoint, Outcome, Performed, Proof, Service};
use super::state::Face;
use super::{futures, spot};
use crate::faces::connection::Cutter;
use axum::body::{Body, to_bytes};
use axum::extract::{Extension, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::sync::Arc;

/// The largest body of a request.
const BODY_BYTES_MAX: usize = 64 * 1024;
/// What a gateway shows when it has nothing better to say.
const HTML_PAGE: &str =
    "<html><head><title>Please wait</title></head><body><h1>One moment</h1></body></html>";

/// Answers any request that is not for the administration or a web socket.
pub(super) async fn answer(
    State(face): State<Arc<Face>>,
    Extension(cutter): Extension<Cutter>,
    request: Request,
) -> Response {
    let Some((market, service)) = find(request.method().as_str(), request.uri().path()) else {
        return not_found(request.uri().path());
    };
    let query = request.uri().query().unwrap_or_default().to_owned();
    let key = request
        .headers()
        .get("x-mbx-apikey")
        .and_then(|key| key.to_str().ok())
        .map(str::to_owned);
    let body = match read_body(request.into_body()).await {
        Ok(body) => body,
        Err(error) => return refusal(&error),
    };
    let params = Params::from_form(&query, &body);
    let asked = Asked {
        market,
        key,
        proof: Proof::Bytes { query, body },
        params,
    };
    let struck = face
        .lock()
        .map(|mut inside| inside.faults.next(market, service.operation));
    let faults = struck.unwrap_or_default();
    // The work goes on when the client has given up: an order that is under way at an exchange arrives.
    let shared = Arc::clone(&face);
    let work =
        tokio::spawn(async move { service::carry_out(&shared, &service, &asked, &faults).await });
    match work.await {
        Ok(Outcome::Answer(performed)) => written(&face, market, &performed),
        Ok(Outcome::Html(_)) => html(),
        Ok(Outcome::Truncated(performed)) => truncated(&performed),
        Ok(Outcome::Cut) => cutter.cut().await,
        // A task that panicked has poisoned the lock.
        Err(_) => refusal(&ApiError::broken()),
    }
}

fn find(method: &str, path: &str) -> Option<(Market, Service)> {
    let of = |market: Market, endpoints: &[Endpoint]| {
        let found = endpoints
            .iter()
            .find(|endpoint| endpoint.path == path && endpoint.method == method);
        found.map(|endpoint| (market, endpoint.service))
    };
    of(Market::Spot, spot::ENDPOINTS).or_else(|| of(Market::Futures, futures::ENDPOINTS))
}

async fn read_body(body: Body) -> Result<String, ApiError> {
    let too_long = || ApiError::new(-1100, "Request body is too large.").with_status(413);
    let bytes = to_bytes(body, BODY_BYTES_MAX)
        .await
        .map_err(|_| too_long())?;
    String::from_utf8(bytes.to_vec())
        .map_err(|_| ApiError::new(-1100, "Illegal characters found in a parameter."))
}

fn written(face: &Face, market: Market, performed: &Performed) -> Response {
    let mut response = match &performed.result {
        Ok(value) => json_response(StatusCode::OK, value.to_string()),
        Err(error) => refusal(error),
    };
    let used = face.lock().map(|inside| {
        let account = performed.orders_of.as_deref();
        inside.limits.headers(market, account, performed.now)
    });
    for (name, value) in used.unwrap_or_default() {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

fn refusal(error: &ApiError) -> Response {
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::BAD_REQUEST);
    let mut response = json_response(status, error.body().to_string());
    if let Some(seconds) = error.retry_after {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn truncated(performed: &Performed) -> Response {
    let whole = match &performed.result {
        Ok(value) => value.to_string(),
        Err(error) => error.body().to_string(),
    };
    json_response(StatusCode::OK, first_half(&whole))
}

/// The first half of a text, cut between characters.
pub(super) fn first_half(text: &str) -> String {
    text.chars().take(text.chars().count() / 2).collect()
}

fn html() -> Response {
    let headers = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
    (StatusCode::OK, headers, HTML_PAGE).into_response()
}

fn not_found(path: &str) -> Response {
    let body = json!({"status": 404, "error": "Not Found", "message": "No message available", "path": path});
    json_response(StatusCode::NOT_FOUND, body.to_string())
}

fn json_response(status: StatusCode, body: String) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json;charset=UTF-8")];
    (status, headers, body).into_response()
}
