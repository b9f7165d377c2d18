//! The web socket API: requests and answers over one connection, sessions, and private events on the same connection.
//!
//! Source: Binance Spot API, "WebSocket API", sections "Request format", "Response format", "Session Authentication"
//! and "User Data Stream".

use super::Market;
use super::auth::{self, Identity, Security};
use super::error::ApiError;
use super::params::Params;
use super::rest::first_half;
use super::service::{self, Asked, Method, Outcome, Proof};
use super::sockets::{self, Protocol, Seat};
use super::state::{Face, Inside};
use super::streams::{Outgoing, SubscriberId, Topic, Wrap};
use super::{futures, spot};
use crate::faces::connection::Cutter;
use crate::time::Micros;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Extension, RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::mpsc;

/// Subscriptions of one connection at most.
const SUBSCRIPTIONS_MAX: usize = 1_000;

/// `/ws-api/v3`.
pub(super) async fn spot(
    State(face): State<Arc<Face>>,
    Extension(cutter): Extension<Cutter>,
    RawQuery(query): RawQuery,
    upgrade: WebSocketUpgrade,
) -> Response {
    open(face, cutter, upgrade, Market::Spot, query)
}

/// `/ws-fapi/v1`.
pub(super) async fn futures(
    State(face): State<Arc<Face>>,
    Extension(cutter): Extension<Cutter>,
    RawQuery(query): RawQuery,
    upgrade: WebSocketUpgrade,
) -> Response {
    open(face, cutter, upgrade, Market::Futures, query)
}

fn open(
    face: Arc<Face>,
    cutter: Cutter,
    upgrade: WebSocketUpgrade,
    market: Market,
    query: Option<String>,
) -> Response {
    let session = Session {
        market,
        key: None,
        authorized_at: Micros(0),
        connected_at: face.lock().map_or(Micros(0), |inside| inside.now()),
        next_subscription: 0,
        shows_limits: !query.is_some_and(|query| query.contains("returnRateLimits=false")),
    };
    let ping_every = match market {
        Market::Spot => face.spot_ping,
        Market::Futures => face.futures_ping,
    };
    let Some(seat) = Seat::take(face) else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    upgrade
        .max_message_size(sockets::MESSAGE_BYTES_MAX)
        .on_upgrade(move |socket| sockets::serve(socket, seat, cutter, ping_every, session))
}

/// One connection.
struct Session {
    market: Market,
    /// The API key that has logged on.
    key: Option<String>,
    authorized_at: Micros,
    connected_at: Micros,
    next_subscription: u64,
    shows_limits: bool,
}

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(default)]
    id: Value,
    method: String,
    #[serde(borrow, default)]
    params: Option<&'a RawValue>,
}

impl Protocol for Session {
    fn take(
        &mut self,
        face: &Arc<Face>,
        id: SubscriberId,
        text: &str,
        sender: &mpsc::Sender<Outgoing>,
    ) -> bool {
        let request: Request<'_> = match serde_json::from_str(text) {
            Ok(request) => request,
            Err(_) => {
                let error = ApiError::new(-1135, "Invalid JSON Request");
                let answer = json!({"id": null, "status": 400, "error": error.body()});
                return sender.try_send(Outgoing::Text(answer.to_string())).is_ok();
            }
        };
        let params = Params::from_json(request.params);
        if is_of_session(&request.method) {
            let Some(mut inside) = face.lock() else {
                return false;
            };
            let now = inside.now();
            let result = inside
                .limits
                .charge(self.market, 2, now)
                .and_then(|()| self.control(&mut inside, id, &request.method, params?, now));
            let limits = self.limits(&inside, None, now);
            let answer = enveloped(&request.id, &result, limits, now);
            return sender.try_send(Outgoing::Text(answer.to_string())).is_ok();
        }
        self.call(face, request.id, &request.method, params, sender)
    }
}

impl Session {
    /// Has a service carried out; one that takes time goes on beside what comes after it.
    fn call(
        &self,
        face: &Arc<Face>,
        id: Value,
        name: &str,
        params: Result<Params, ApiError>,
        sender: &mpsc::Sender<Outgoing>,
    ) -> bool {
        let methods: &[Method] = match self.market {
            Market::Spot => spot::METHODS,
            Market::Futures => futures::METHODS,
        };
        let Some(method) = methods.iter().find(|method| method.name == name) else {
            let error = ApiError::new(-1020, "This operation is not supported.");
            let answer = enveloped(&id, &Err(error), None, Micros(0));
            return sender.try_send(Outgoing::Text(answer.to_string())).is_ok();
        };
        let service = method.service;
        let asked = self.asked(params);
        let faults = face
            .lock()
            .map(|mut inside| inside.faults.next(self.market, service.operation));
        let faults = faults.unwrap_or_default();
        if !service::takes_time(&faults) {
            let outcome = service::carry_out_now(face, &service, &asked, &faults);
            return self.send(face, &id, outcome, sender);
        }
        let (face, sender, again) = (Arc::clone(face), sender.clone(), self.copy());
        tokio::spawn(async move {
            let outcome = service::carry_out(&face, &service, &asked, &faults).await;
            if !again.send(&face, &id, outcome, &sender) {
                let _ = sender.try_send(Outgoing::Cut);
            }
        });
        true
    }

    fn asked(&self, params: Result<Params, ApiError>) -> Asked {
        let own_key = params
            .as_ref()
            .ok()
            .and_then(|params| params.text("apiKey"))
            .map(str::to_owned);
        let proof = if own_key.is_none() && self.key.is_some() {
            Proof::Session
        } else {
            Proof::SortedParams
        };
        Asked {
            market: self.market,
            key: own_key.or_else(|| self.key.clone()),
            proof,
            params,
        }
    }

    fn copy(&self) -> Session {
        Session {
            key: self.key.clone(),
            ..*self
        }
    }

    /// Sends the answer; false to cut the connection.
    fn send(
        &self,
        face: &Face,
        id: &Value,
        outcome: Outcome,
        sender: &mpsc::Sender<Outgoing>,
    ) -> bool {
        let (performed, is_whole) = match outcome {
            Outcome::Answer(performed) => (performed, true),
            Outcome::Html(performed) | Outcome::Truncated(performed) => (performed, false),
            Outcome::Cut => return false,
        };
        let limits = face
            .lock()
            .and_then(|inside| self.limits(&inside, performed.orders_of.as_deref(), performed.now));
        let text = enveloped(id, &performed.result, limits, performed.now).to_string();
        let text = if is_whole { text } else { first_half(&text) };
        sender.try_send(Outgoing::Text(text)).is_ok()
    }

    fn limits(&self, inside: &Inside, account: Option<&str>, now: Micros) -> Option<Value> {
        self.shows_limits
            .then(|| inside.limits.shown(self.market, account, now))
    }

    /// Carries out what concerns the connection itself.
    fn control(
        &mut self,
        inside: &mut Inside,
        id: SubscriberId,
        method: &str,
        params: Params,
        now: Micros,
    ) -> Result<Value, ApiError> {
        match method {
            "session.logon" => self.log_on(inside, &params, now),
            "session.logout" => {
                self.key = None;
                Ok(self.status(now))
            }
            "session.status" => Ok(self.status(now)),
            "session.subscriptions" => Ok(self.subscriptions(inside, id)),
            "userDataStream.subscribe" if self.market == Market::Spot => {
                let key = self.key.clone().ok_or_else(ApiError::key_rejected)?;
                let account = inside.keys.get(&key).map(|key| key.account.clone());
                let account = account.ok_or_else(ApiError::key_rejected)?;
                self.subscribe(inside, id, account, true)
            }
            "userDataStream.subscribe.signature" if self.market == Market::Spot => {
                let identity = self.identify(inside, &params, now)?;
                self.subscribe(inside, id, identity.account, false)
            }
            "userDataStream.unsubscribe" if self.market == Market::Spot => {
                self.unsubscribe(inside, id, &params)
            }
            _ => Err(ApiError::new(-1020, "This operation is not supported.")),
        }
    }

    fn identify(
        &self,
        inside: &Inside,
        params: &Params,
        now: Micros,
    ) -> Result<Identity, ApiError> {
        let key = params.text("apiKey");
        let signed = Proof::SortedParams;
        auth::identify(
            &inside.keys,
            Security::Signed,
            key,
            signed.signed(),
            params,
            now,
        )
    }

    fn log_on(&mut self, inside: &Inside, params: &Params, now: Micros) -> Result<Value, ApiError> {
        let identity = self.identify(inside, params, now)?;
        let is_ed25519 = inside
            .keys
            .get(&identity.key)
            .is_some_and(super::keys::ApiKey::is_ed25519);
        if !is_ed25519 {
            return Err(ApiError::new(
                -4056,
                "HMAC_SHA256 or RSA API key is not supported.",
            ));
        }
        self.key = Some(identity.key);
        self.authorized_at = now;
        Ok(self.status(now))
    }

    fn status(&self, now: Micros) -> Value {
        let millis = |moment: Micros| moment.0.div_euclid(1_000);
        json!({
            "apiKey": self.key,
            "authorizedSince": self.key.as_ref().map(|_| millis(self.authorized_at)),
            "connectedSince": millis(self.connected_at),
            "returnRateLimits": self.shows_limits,
            "serverTime": millis(now),
            "userDataStream": false,
        })
    }

    /// -2035 when the session's own events are subscribed already, -2042 for too many subscriptions.
    fn subscribe(
        &mut self,
        inside: &mut Inside,
        id: SubscriberId,
        account: String,
        by_session: bool,
    ) -> Result<Value, ApiError> {
        let topics = inside.streams.topics(id);
        let topic = Topic::User {
            market: self.market,
            account,
        };
        if by_session && topics.iter().any(|(own, _)| *own == topic) {
            return Err(ApiError::new(
                -2035,
                "User Data Stream subscription already active.",
            ));
        }
        if topics.len() >= SUBSCRIPTIONS_MAX {
            return Err(ApiError::new(-2042, "Subscription limit reached."));
        }
        let number = self.next_subscription;
        self.next_subscription += 1;
        inside
            .streams
            .subscribe(id, topic, Wrap::Subscription(number));
        Ok(json!({"subscriptionId": number}))
    }

    /// -2036 when there is no such subscription. Without a number all of the connection end.
    fn unsubscribe(
        &self,
        inside: &mut Inside,
        id: SubscriberId,
        params: &Params,
    ) -> Result<Value, ApiError> {
        let number = params.integer("subscriptionId")?;
        let number = number.map(|number| Wrap::Subscription(number.unsigned_abs()));
        let did = inside.streams.unsubscribe(id, |topic, wrap| {
            matches!(topic, Topic::User { .. }) && number.as_ref().is_none_or(|only| only == wrap)
        });
        if !did {
            return Err(ApiError::new(
                -2036,
                "User Data Stream subscription not active.",
            ));
        }
        Ok(json!({}))
    }

    fn subscriptions(&self, inside: &Inside, id: SubscriberId) -> Value {
        let topics = inside.streams.topics(id).iter();
        let numbers = topics.filter_map(|(_, wrap)| match wrap {
            Wrap::Subscription(number) => Some(json!({"subscriptionId": number})),
            Wrap::Raw | Wrap::Stream(_) => None,
        });
        numbers.collect()
    }
}

/// Whether a method concerns the connection itself.
fn is_of_session(method: &str) -> bool {
    method.starts_with("session.")
        || method.starts_with("userDataStream.subscribe")
        || method == "userDataStream.unsubscribe"
}

/// An answer's envelope. Until when one has to wait stands in the error's data (Binance Spot WebSocket API, "IP
/// limits").
fn enveloped(
    id: &Value,
    result: &Result<Value, ApiError>,
    limits: Option<Value>,
    now: Micros,
) -> Value {
    let mut answer = match result {
        Ok(result) => json!({"id": id, "status": 200, "result": result}),
        Err(error) => json!({"id": id, "status": error.status, "error": error.body()}),
    };
    if let Err(ApiError {
        retry_after: Some(seconds),
        ..
    }) = result
    {
        let until =
            now.0 / 1_000 + i64::try_from(seconds.saturating_mul(1_000)).unwrap_or(i64::MAX / 2);
        answer["error"]["data"] = json!({"serverTime": now.0 / 1_000, "retryAfter": until});
    }
    if let Some(limits) = limits {
        answer["rateLimits"] = limits;
    }
    answer
}
