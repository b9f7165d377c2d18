//! Requests to the exchange: signed, in time, within the limits, and each sent once.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use ponte_core::id::ClientOrderId;
use ponte_core::time::Timestamp;
use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderValue};
use rustls::ClientConfig;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::clock::ExchangeClock;
use super::code::Class;
use super::fence::Fences;
use super::http::{Answer, Exchange, Http};
use super::limits::{Limits, Purpose};
use super::options::{Market, Options, RECEIVE_WINDOW_MAX, RECEIVE_WINDOW_MIN};
use super::params::Params;
use super::reply::Reply;
use super::sign::Signer;
use super::ws_api::{SocketAnswer, WsApi};
use crate::brokers::BrokerError;
use crate::clock;
use crate::secret::Secret;

/// How often the connection for orders is used, so that it stays open.
const WARM_EVERY: Duration = Duration::from_secs(20);
/// The clock is read anew at every so many of them: once a minute.
const CLOCK_EVERY: u32 = 3;
/// How often the exchange's clock is looked at for one setting.
const CLOCK_SAMPLES: u32 = 3;

/// The way to the exchange for one account.
pub(super) struct Client {
    market: Market,
    orders: Http,
    reads: Http,
    api_key: Secret,
    signer: Signer,
    receive_window: Duration,
    tls: Arc<ClientConfig>,
    /// The exchange's clock.
    pub(super) clock: ExchangeClock,
    /// What may be sent.
    pub(super) limits: Limits,
    /// Until when sent orders may still arrive.
    pub(super) fences: Fences,
}

/// One request.
pub(super) struct Call {
    method: Method,
    path: &'static str,
    params: Params,
    purpose: Purpose,
    security: Security,
    order: Option<ClientOrderId>,
}

/// What a request must carry (Binance Spot API, "Request security").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Security {
    /// Nothing.
    Public,
    /// The API key.
    Key,
    /// The API key, the time and a signature.
    Signed,
}

impl Call {
    /// A signed request that asks something.
    pub(super) fn ask(path: &'static str, params: Params) -> Self {
        Self::signed(Method::GET, path, params, Purpose::Question)
    }

    /// A signed request.
    pub(super) fn signed(
        method: Method,
        path: &'static str,
        params: Params,
        purpose: Purpose,
    ) -> Self {
        Self {
            method,
            path,
            params,
            purpose,
            security: Security::Signed,
            order: None,
        }
    }

    /// A request that anybody may send.
    pub(super) fn public(path: &'static str, params: Params) -> Self {
        Self {
            security: Security::Public,
            ..Self::ask(path, params)
        }
    }

    /// A request that carries the API key and no signature (listen keys of futures).
    pub(super) fn keyed(method: Method, path: &'static str, params: Params) -> Self {
        Self {
            security: Security::Key,
            ..Self::signed(method, path, params, Purpose::Question)
        }
    }

    /// Says which order it places: the order's fence is raised with each sending.
    #[must_use]
    pub(super) fn places(self, order: ClientOrderId) -> Self {
        Self {
            order: Some(order),
            ..self
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TimeView {
    server_time: i64,
}

impl Client {
    /// Builds the clients; nothing is sent. While the client lives, a task keeps its connection
    /// for orders warm and its clock set.
    ///
    /// # Errors
    /// Addresses or keys that can't be used.
    pub(super) fn new(options: Options) -> Result<Arc<Self>, BrokerError> {
        options.hosts.check()?;
        let window = options.receive_window;
        if !(RECEIVE_WINDOW_MIN..=RECEIVE_WINDOW_MAX).contains(&window) {
            return Err(BrokerError::Refused(format!(
                "the receive window of {} ms is not between {} and {} ms",
                window.as_millis(),
                RECEIVE_WINDOW_MIN.as_millis(),
                RECEIVE_WINDOW_MAX.as_millis()
            )));
        }
        if HeaderValue::from_str(options.api_key.expose()).is_err() {
            return Err(BrokerError::Refused(
                "the api key has characters that can't be sent; it is letters and digits"
                    .to_owned(),
            ));
        }
        let tls = crate::tls::client_config();
        let rest = &options.hosts.rest;
        let weight_per_minute = match options.market {
            Market::Spot => 6_000,
            Market::Futures => 2_400,
        };
        let client = Arc::new(Self {
            market: options.market,
            orders: Http::new(rest, &tls, options.processing_limit)?,
            reads: Http::new(rest, &tls, options.processing_limit)?,
            signer: Signer::new(&options.signing_key)?,
            api_key: options.api_key,
            receive_window: options.receive_window,
            tls,
            clock: ExchangeClock::new(),
            limits: Limits::new(rest, weight_per_minute),
            fences: Fences::new(options.receive_window, options.processing_limit),
        });
        tokio::spawn(keep(Arc::downgrade(&client)));
        Ok(client)
    }

    /// The TLS settings, for web sockets.
    pub(super) fn tls(&self) -> Arc<ClientConfig> {
        self.tls.clone()
    }

    /// Sends a request. One that the exchange refuses for its time was certainly not carried out:
    /// it is signed anew and sent again, once.
    pub(super) async fn call(&self, call: &Call) -> Reply {
        let reply = self.send(call).await;
        if is_out_of_time(&reply) && self.set_clock().await {
            return self.send(call).await;
        }
        reply
    }

    /// Sends a request and reads its answer.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) async fn read<T: DeserializeOwned>(&self, call: &Call) -> Result<T, BrokerError> {
        let body = self.call(call).await.or_error()?;
        serde_json::from_slice(&body)
            .map_err(|problem| BrokerError::Unreadable(problem.to_string()))
    }

    async fn send(&self, call: &Call) -> Reply {
        if let Err(why) = self.limits.permit(call.purpose, clock::instant()) {
            return Reply::NotSent(why);
        }
        let (query, key) = match call.security {
            Security::Public => (call.params.encoded(), None),
            Security::Key => (call.params.encoded(), Some(&self.api_key)),
            Security::Signed => {
                let params = self.timed(call.params.clone(), call.order);
                let Some(query) = self.signer.signed_query(&params) else {
                    return Reply::NotSent("the request could not be signed".to_owned());
                };
                (query, Some(&self.api_key))
            }
        };
        let http = match call.purpose {
            Purpose::Entry | Purpose::Exit => &self.orders,
            Purpose::Question => &self.reads,
        };
        let exchange = http.exchange(call.method.clone(), call.path, query, key);
        match exchange.await {
            Exchange::NotSent(why) => Reply::NotSent(why),
            Exchange::Broken(why) => Reply::Unknown(why),
            Exchange::Answered(answer) => self.answered(answer),
        }
    }

    fn answered(&self, answer: Answer) -> Reply {
        let now = clock::instant();
        for (name, value) in &answer.headers {
            if let Ok(value) = value.to_str() {
                self.limits.note_header(name.as_str(), value, now);
            }
        }
        let reply = Reply::read(self.market, answer.status, answer.body);
        self.note_refusal(&reply, retry_after(&answer.headers), now);
        reply
    }

    fn note_refusal(&self, reply: &Reply, wait: Option<Duration>, now: Instant) {
        if let Reply::Refused(refusal) = reply {
            self.limits
                .note_refusal(refusal.status, refusal.code, wait, now);
        }
    }

    /// Sends a request over the WebSocket API, with the same care.
    pub(super) async fn call_socket(
        &self,
        socket: &WsApi,
        method: &'static str,
        params: &Params,
        purpose: Purpose,
        order: Option<ClientOrderId>,
    ) -> Reply {
        let send = || self.send_socket(socket, method, params, purpose, order);
        let reply = send().await;
        if is_out_of_time(&reply) && self.set_clock().await {
            return send().await;
        }
        reply
    }

    /// Sends a request over the WebSocket API. Where that is not up, what leaves a position goes over
    /// REST: an exit must not wait for a connection that it doesn't need.
    pub(super) async fn call_over(
        &self,
        socket: &WsApi,
        method: &'static str,
        call: &Call,
    ) -> Reply {
        let reply = self.call_socket(socket, method, &call.params, call.purpose, call.order);
        match (reply.await, call.purpose) {
            (Reply::NotSent(_), Purpose::Exit) => self.call(call).await,
            (reply, Purpose::Exit | Purpose::Entry | Purpose::Question) => reply,
        }
    }

    async fn send_socket(
        &self,
        socket: &WsApi,
        method: &'static str,
        params: &Params,
        purpose: Purpose,
        order: Option<ClientOrderId>,
    ) -> Reply {
        if let Err(why) = self.limits.permit(purpose, clock::instant()) {
            return Reply::NotSent(why);
        }
        let params = self
            .timed(params.clone(), order)
            .with("apiKey", self.api_key.expose());
        let Some(signature) = self.signer.sign_sorted(&params) else {
            return Reply::NotSent("the request could not be signed".to_owned());
        };
        let params = as_json(&params.with("signature", signature));
        match socket.call(method, params).await {
            SocketAnswer::NotSent(why) => Reply::NotSent(why),
            SocketAnswer::Broken(why) => Reply::Unknown(why),
            SocketAnswer::Answered {
                status,
                body,
                limits,
            } => {
                let now = clock::instant();
                self.limits.note_limits(&limits, now);
                let wait = self.wait_of(&body);
                let reply = Reply::read(self.market, status, body);
                self.note_refusal(&reply, wait, now);
                reply
            }
        }
    }

    /// Adds the window and the time to a request, and raises the fence of the order it places.
    fn timed(&self, params: Params, order: Option<ClientOrderId>) -> Params {
        let now = self.clock.now();
        if let Some(order) = order {
            self.fences.raise(order, now);
        }
        params
            .with("recvWindow", self.receive_window.as_millis().to_string())
            .with("timestamp", (now.0 / 1_000).to_string())
    }

    /// How long the WebSocket API asks to wait: `{"data":{"retryAfter": milliseconds of the epoch}}`
    /// (Binance Spot WebSocket API, "IP limits").
    fn wait_of(&self, body: &[u8]) -> Option<Duration> {
        #[derive(Deserialize)]
        struct View {
            data: Data,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Data {
            retry_after: i64,
        }
        let view: View = serde_json::from_slice(body).ok()?;
        let until = Timestamp::from_milliseconds(view.data.retry_after);
        Some(until.since(self.clock.now()))
    }

    /// Looks at the exchange's clock. `false` when it could not be seen.
    pub(super) async fn set_clock(&self) -> bool {
        let path = match self.market {
            Market::Spot => "/api/v3/time",
            Market::Futures => "/fapi/v1/time",
        };
        let mut samples = Vec::new();
        for _ in 0..CLOCK_SAMPLES {
            let asked = clock::instant();
            let Ok(view) = self
                .read_once::<TimeView>(&Call::public(path, Params::new()))
                .await
            else {
                break;
            };
            let said = Timestamp::from_milliseconds(view.server_time);
            samples.push(self.clock.sample(asked, clock::instant(), said));
        }
        self.clock.set(&samples);
        !samples.is_empty()
    }

    /// Like `read`, but without setting the clock, which calls this.
    async fn read_once<T: DeserializeOwned>(&self, call: &Call) -> Result<T, BrokerError> {
        let body = self.send(call).await.or_error()?;
        serde_json::from_slice(&body)
            .map_err(|problem| BrokerError::Unreadable(problem.to_string()))
    }

    /// Uses the connection for orders, so that no order pays for a handshake.
    async fn warm(&self) {
        let path = match self.market {
            Market::Spot => "/api/v3/ping",
            Market::Futures => "/fapi/v1/ping",
        };
        if self
            .limits
            .permit(Purpose::Question, clock::instant())
            .is_err()
        {
            return;
        }
        let exchange = self.orders.exchange(Method::GET, path, String::new(), None);
        if let Exchange::Answered(answer) = exchange.await {
            self.answered(answer);
        }
    }
}

/// Keeps the connection for orders warm and the clock set, until the client is gone.
async fn keep(client: Weak<Client>) {
    let mut every = tokio::time::interval(WARM_EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut round = 0;
    loop {
        every.tick().await;
        let Some(client) = client.upgrade() else {
            return;
        };
        client.warm().await;
        if round % CLOCK_EVERY == 0 || !client.clock.is_set() {
            client.set_clock().await;
        }
        round += 1;
    }
}

fn is_out_of_time(reply: &Reply) -> bool {
    match reply {
        Reply::Refused(refusal) => refusal.class == Class::Resync,
        Reply::NotSent(_) | Reply::Unknown(_) | Reply::Done(_) => false,
    }
}

/// `Retry-After` in seconds, with 429 and 418 (Binance Spot API, "IP limits").
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(reqwest::header::RETRY_AFTER)?;
    value
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()
        .map(Duration::from_secs)
}

/// The parameters as the WebSocket API takes them: whole numbers as numbers, the rest as text.
fn as_json(params: &Params) -> Value {
    const NUMBERS: [&str; 4] = ["timestamp", "recvWindow", "trailingDelta", "orderId"];
    let json: Map<String, Value> = params
        .sorted()
        .into_iter()
        .map(|(name, value)| {
            let number = value
                .parse::<u64>()
                .ok()
                .filter(|_| NUMBERS.contains(&name));
            (
                name.to_owned(),
                number.map_or_else(|| Value::from(value), Value::from),
            )
        })
        .collect();
    Value::Object(json)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_web_socket_takes_whole_numbers_as_numbers() {
        let params = Params::new()
            .with("timestamp", "1645423376532")
            .with("recvWindow", "5000")
            .with("quantity", "1")
            .with("newClientOrderId", "00000000000000000000000000000001");
        let wanted = serde_json::json!({
            "timestamp": 1_645_423_376_532_u64, "recvWindow": 5000, "quantity": "1",
            "newClientOrderId": "00000000000000000000000000000001",
        });
        assert_eq!(as_json(&params), wanted);
    }

    #[test]
    fn a_wait_is_read_in_seconds() {
        let mut headers = HeaderMap::new();
        assert_eq!(retry_after(&headers), None);
        headers.insert(reqwest::header::RETRY_AFTER, "7".parse().unwrap());
        assert_eq!(retry_after(&headers), Some(Duration::from_secs(7)));
        headers.insert(reqwest::header::RETRY_AFTER, "soon".parse().unwrap());
        assert_eq!(retry_after(&headers), None);
    }
}
