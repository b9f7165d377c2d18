//! The Binance-like spot market over real loopback connections.

mod audit;
mod faults;
mod lists;
mod orders;
mod replacing;
mod security;
mod streams;
mod web_socket_api;

use futures_util::{SinkExt, StreamExt};
use ponte_venue::faces::binance::{BinanceFace, BinanceOptions, REHEARSAL_KEY, REHEARSAL_SECRET};
use reqwest::{Client, Method};
use ring::hmac;
use serde_json::{Value, json};
use std::net::SocketAddr;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// A running exchange and a client of its rehearsal account.
pub(super) struct Exchange {
    pub(super) address: SocketAddr,
    pub(super) client: Client,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<std::io::Result<()>>,
}

/// The hexadecimal HMAC-SHA256 of a payload.
pub(super) fn hmac_hex(secret: &str, payload: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let tag = hmac::sign(&key, payload.as_bytes());
    tag.as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

impl Exchange {
    pub(super) async fn start() -> Exchange {
        Exchange::start_with(BinanceOptions::rehearsal()).await
    }

    pub(super) async fn start_with(options: BinanceOptions) -> Exchange {
        let face = BinanceFace::new(&options).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(async move {
            let stop = async move { drop(stopped.await) };
            face.serve_until(listener, stop).await
        });
        // Another crate of the workspace asks reqwest for TLS without a provider.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .no_proxy()
            .retry(reqwest::retry::never())
            .build()
            .unwrap();
        Exchange {
            address,
            client,
            stop: Some(stop),
            running,
        }
    }

    /// A request with everything as it is given.
    pub(super) async fn send(
        &self,
        method: Method,
        path_and_query: &str,
        key: Option<&str>,
        body: Option<String>,
    ) -> reqwest::Result<reqwest::Response> {
        let url = format!("http://{}{path_and_query}", self.address);
        let mut request = self.client.request(method, url);
        if let Some(key) = key {
            request = request.header("X-MBX-APIKEY", key);
        }
        if let Some(body) = body {
            request = request
                .header("Content-Type", "application/x-www-form-urlencoded")
                .body(body);
        }
        request.send().await
    }

    pub(super) async fn get(&self, path: &str) -> Value {
        let response = self.send(Method::GET, path, None, None).await.unwrap();
        response.json().await.unwrap()
    }

    pub(super) async fn server_time(&self) -> i64 {
        self.get("/api/v3/time").await["serverTime"]
            .as_i64()
            .unwrap()
    }

    /// The query of a signed request of the rehearsal account.
    pub(super) async fn signed_query(&self, params: &str) -> String {
        let time = self.server_time().await;
        let separator = if params.is_empty() { "" } else { "&" };
        let payload = format!("{params}{separator}timestamp={time}");
        let signature = hmac_hex(REHEARSAL_SECRET, &payload);
        format!("{payload}&signature={signature}")
    }

    /// A signed request of the rehearsal account: in the body for POST, else in the query.
    pub(super) async fn try_signed(
        &self,
        method: Method,
        path: &str,
        params: &str,
    ) -> reqwest::Result<reqwest::Response> {
        let query = self.signed_query(params).await;
        if method == Method::POST {
            return self
                .send(method, path, Some(REHEARSAL_KEY), Some(query))
                .await;
        }
        let path = format!("{path}?{query}");
        self.send(method, &path, Some(REHEARSAL_KEY), None).await
    }

    pub(super) async fn signed(&self, method: Method, path: &str, params: &str) -> (u16, Value) {
        let response = self.try_signed(method, path, params).await.unwrap();
        let status = response.status().as_u16();
        (status, response.json().await.unwrap())
    }

    /// A signed request that has to succeed.
    pub(super) async fn ok(&self, method: Method, path: &str, params: &str) -> Value {
        let (status, answer) = self.signed(method, path, params).await;
        assert_eq!(status, 200, "{path} {params}: {answer}");
        answer
    }

    /// A signed request that has to be refused: code and message.
    pub(super) async fn refused(&self, method: Method, path: &str, params: &str) -> (i64, String) {
        let (status, answer) = self.signed(method, path, params).await;
        assert!(status >= 400, "{path} {params}: {answer}");
        let message = answer["msg"].as_str().unwrap_or_default().to_owned();
        (answer["code"].as_i64().unwrap_or_default(), message)
    }

    pub(super) async fn place(&self, params: &str) -> Value {
        self.ok(Method::POST, "/api/v3/order", params).await
    }

    pub(super) async fn find(&self, client_id: &str) -> Value {
        let params = format!("symbol=BTCUSDT&origClientOrderId={client_id}");
        self.ok(Method::GET, "/api/v3/order", &params).await
    }

    /// Free and locked of an asset.
    pub(super) async fn balance(&self, asset: &str) -> (String, String) {
        let account = self.ok(Method::GET, "/api/v3/account", "").await;
        let rows = account["balances"].as_array().unwrap();
        let row = rows.iter().find(|row| row["asset"] == asset).unwrap();
        let text = |name: &str| row[name].as_str().unwrap().to_owned();
        (text("free"), text("locked"))
    }

    /// An administrative request that has to succeed.
    pub(super) async fn admin(&self, path: &str, body: Value) -> Value {
        let url = format!("http://{}/admin/{path}", self.address);
        let response = self.client.post(url).json(&body).send().await.unwrap();
        let status = response.status();
        let answer = response.json().await.unwrap();
        assert!(status.is_success(), "{path}: {answer}");
        answer
    }

    pub(super) async fn tick(&self, price: &str) {
        self.admin("ticks", json!({"symbol": "BTCUSDT", "price": price}))
            .await;
    }

    pub(super) async fn fault(&self, fault: Value, operation: &str) {
        let rule = json!({"fault": fault, "trigger": {"next": 1}, "operation": operation});
        self.admin("faults", rule).await;
    }

    pub(super) async fn audit(&self) -> Value {
        self.get(&format!("/admin/audit?key={REHEARSAL_KEY}")).await
    }

    pub(super) async fn connect(&self, path: &str) -> Socket {
        let url = format!("ws://{}{path}", self.address);
        let (stream, _) = connect_async(url).await.unwrap();
        Socket(stream)
    }

    pub(super) async fn stop(mut self) {
        drop(self.stop.take());
        self.running.await.unwrap().unwrap();
    }
}

/// A web socket.
pub(super) struct Socket(pub(super) WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    pub(super) async fn say(&mut self, message: Value) {
        let text = message.to_string();
        self.0.send(Message::Text(text.into())).await.unwrap();
    }

    /// The next message; none once the connection has ended.
    pub(super) async fn hear(&mut self) -> Option<Value> {
        loop {
            match self.0.next().await? {
                Ok(Message::Text(text)) => return Some(serde_json::from_str(&text).unwrap()),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// The first message that is wanted.
    pub(super) async fn hear_until(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let message = self.hear().await.expect("the connection ended");
            if wanted(&message) {
                return message;
            }
        }
    }

    /// Asks and waits for the answer of that id.
    pub(super) async fn ask(&mut self, method: &str, params: Value) -> Value {
        self.say(json!({"id": method, "method": method, "params": params}))
            .await;
        self.hear_until(|message| message["id"] == method).await
    }
}

/// The parameters of a web socket's request of the rehearsal account, signed.
pub(super) async fn signed_params(exchange: &Exchange, mut params: Value) -> Value {
    params["apiKey"] = json!(REHEARSAL_KEY);
    params["timestamp"] = json!(exchange.server_time().await);
    let text = |value: &Value| {
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned)
    };
    let mut pairs: Vec<String> = params
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| format!("{name}={}", text(value)))
        .collect();
    pairs.sort();
    params["signature"] = json!(hmac_hex(REHEARSAL_SECRET, &pairs.join("&")));
    params
}

/// A connection that hears the rehearsal account's events.
pub(super) async fn listen(exchange: &Exchange) -> Socket {
    let mut socket = exchange.connect("/ws-api/v3").await;
    let params = signed_params(exchange, json!({})).await;
    let answer = socket
        .ask("userDataStream.subscribe.signature", params)
        .await;
    assert_eq!(answer["result"]["subscriptionId"], 0, "{answer}");
    socket
}
