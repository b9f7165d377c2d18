//! The administration of the test exchange: prices, faults, clock, streams and the auditor's view. Nothing of this
//! exists at Binance.

use super::Market;
use super::faults::BinanceFaultRule;
use super::state::{Face, Inside};
use super::streams::{Outgoing, Wrap};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::sync::Arc;

/// The largest body of a request.
const BODY_BYTES_MAX: usize = 64 * 1024;
/// The largest clock skew: a hundred years, in milliseconds, so that recorded requests can be replayed in their time.
const SKEW_MILLISECONDS_MAX: i64 = 3_155_760_000_000;

/// All routes of the administration.
pub(super) fn router() -> Router<Arc<Face>> {
    Router::new()
        .route("/admin/ticks", post(tick))
        .route("/admin/mark", post(mark))
        .route(
            "/admin/faults",
            post(add_fault).get(show_faults).delete(clear_faults),
        )
        .route("/admin/deposits", post(deposit))
        .route("/admin/clock", post(set_clock).get(show_clock))
        .route("/admin/streams", post(disturb))
        .route("/admin/audit", get(audit))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TickBody {
    symbol: String,
    price: Decimal,
    #[serde(default)]
    market: Option<Market>,
}

async fn tick(State(face): State<Arc<Face>>, body: Bytes) -> Response {
    with_body(&face, &body, |inside, body: TickBody| {
        let now = inside.now();
        inside
            .tick(body.market, &body.symbol, body.price, now)
            .map_err(|rejection| rejection.message)?;
        inside.deliver(now);
        Ok(json!({}))
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MarkBody {
    symbol: String,
    /// None for the last price.
    price: Option<Decimal>,
}

async fn mark(State(face): State<Arc<Face>>, body: Bytes) -> Response {
    with_body(&face, &body, |inside, body: MarkBody| {
        let now = inside.now();
        inside
            .futures
            .set_mark(&body.symbol, body.price, now)
            .map_err(|rejection| rejection.message)?;
        inside.deliver(now);
        Ok(json!({}))
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DepositBody {
    key: String,
    asset: String,
    amount: Decimal,
}

async fn deposit(State(face): State<Arc<Face>>, body: Bytes) -> Response {
    with_body(&face, &body, |inside, body: DepositBody| {
        let now = inside.now();
        let account = account_of(inside, &body.key)?;
        inside
            .spot
            .deposit(&account, &body.asset, body.amount, now)?;
        inside.deliver(now);
        Ok(json!({}))
    })
}

async fn add_fault(State(face): State<Arc<Face>>, body: Bytes) -> Response {
    with_body(&face, &body, |inside, rule: BinanceFaultRule| {
        inside.faults.add(rule)?;
        Ok(json!({"faults": inside.faults.rules()}))
    })
}

async fn show_faults(State(face): State<Arc<Face>>) -> Response {
    with_inside(&face, |inside| Ok(json!({"faults": inside.faults.rules()})))
}

async fn clear_faults(State(face): State<Arc<Face>>) -> Response {
    with_inside(&face, |inside| {
        inside.faults.clear();
        Ok(json!({"faults": []}))
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockBody {
    skew_ms: i64,
}

async fn set_clock(State(face): State<Arc<Face>>, body: Bytes) -> Response {
    with_body(&face, &body, |inside, body: ClockBody| {
        if body.skew_ms.abs() > SKEW_MILLISECONDS_MAX {
            return Err(format!(
                "clock skew {} ms is above {SKEW_MILLISECONDS_MAX}",
                body.skew_ms
            ));
        }
        inside.skew_micros = body.skew_ms * 1_000;
        Ok(clock(inside))
    })
}

async fn show_clock(State(face): State<Arc<Face>>) -> Response {
    with_inside(&face, |inside| Ok(clock(inside)))
}

fn clock(inside: &Inside) -> Value {
    json!({"skew_ms": inside.skew_micros / 1_000, "server_time_ms": inside.now().0 / 1_000})
}

/// What happens to the connections that listen to private events.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Disturbance {
    /// Cut without a word.
    Cut,
    /// Closed as the protocol wants it.
    Close,
    /// Open, but nothing comes any more.
    Silence,
    /// `eventStreamTerminated`: this stream ends, the connection stays (spot).
    EventStreamTerminated,
    /// `serverShutdown`: the connection will end, reconnect at once.
    ServerShutdown,
    /// `listenKeyExpired` (futures).
    ListenKeyExpired,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StreamsBody {
    r#do: Disturbance,
    /// Only the account of this API key; none for all.
    #[serde(default)]
    key: Option<String>,
    #[serde(default)]
    market: Option<Market>,
}

async fn disturb(State(face): State<Arc<Face>>, body: Bytes) -> Response {
    with_body(&face, &body, |inside, body: StreamsBody| {
        let account = match &body.key {
            Some(key) => Some(account_of(inside, key)?),
            None => None,
        };
        let chosen = |market: Market, own: &str| {
            body.market.is_none_or(|only| only == market)
                && account.as_deref().is_none_or(|only| only == own)
        };
        let connections = carry_out(inside, body.r#do, chosen);
        Ok(json!({"connections": connections}))
    })
}

fn carry_out(
    inside: &mut Inside,
    disturbance: Disturbance,
    chosen: impl Fn(Market, &str) -> bool,
) -> usize {
    let now = inside.now().0 / 1_000;
    match disturbance {
        Disturbance::Cut => inside.streams.tell(chosen, |_| None, Some(Outgoing::Cut)),
        Disturbance::Close => inside.streams.tell(chosen, |_| None, Some(Outgoing::Close)),
        Disturbance::Silence => inside.streams.silence(chosen),
        Disturbance::EventStreamTerminated => {
            let word = |_: &Wrap| Some(json!({"e": "eventStreamTerminated", "E": now}));
            let told = inside.streams.tell(&chosen, word, None);
            inside.streams.drop_users(&chosen);
            told
        }
        Disturbance::ServerShutdown => {
            let word = |_: &Wrap| Some(json!({"e": "serverShutdown", "E": now}));
            inside.streams.tell(chosen, word, None)
        }
        Disturbance::ListenKeyExpired => {
            let told = inside.streams.tell(&chosen, |_| None, None);
            let now = inside.now();
            inside
                .futures
                .expire_listen_keys(|account| chosen(Market::Futures, account), now);
            inside.deliver(now);
            told
        }
    }
}

/// All that an account ever did and what it has: so that a double shows.
async fn audit(State(face): State<Arc<Face>>, RawQuery(query): RawQuery) -> Response {
    with_inside(&face, |inside| {
        let query = query.unwrap_or_default();
        let key = query
            .strip_prefix("key=")
            .ok_or_else(|| "query is not ?key=<api key>".to_owned())?;
        let account = account_of(inside, key)?;
        let events = |market| inside.streams.events_so_far(market, &account);
        Ok(json!({
            "account": account,
            "spot": inside.spot.audit(&account),
            "futures": inside.futures.audit(&account),
            "events": {"spot": events(Market::Spot), "futures": events(Market::Futures)},
        }))
    })
}

fn account_of(inside: &Inside, key: &str) -> Result<String, String> {
    let found = inside.keys.get(key).map(|key| key.account.clone());
    found.ok_or_else(|| "API key is not known".to_owned())
}

fn with_body<T: DeserializeOwned>(
    face: &Face,
    body: &[u8],
    work: impl FnOnce(&mut Inside, T) -> Result<Value, String>,
) -> Response {
    match serde_json::from_slice(body) {
        Ok(body) => with_inside(face, |inside| work(inside, body)),
        Err(error) => written(Err(format!("body can't be read: {error}"))),
    }
}

fn with_inside(face: &Face, work: impl FnOnce(&mut Inside) -> Result<Value, String>) -> Response {
    let outcome = face.lock().map(|mut inside| work(&mut inside));
    written(outcome.unwrap_or_else(|| Err("an invariant of the venue broke".to_owned())))
}

fn written(outcome: Result<Value, String>) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json")];
    match outcome {
        Ok(value) => (StatusCode::OK, headers, value.to_string()).into_response(),
        Err(message) => {
            let body = json!({"error": message}).to_string();
            (StatusCode::BAD_REQUEST, headers, body).into_response()
        }
    }
}
