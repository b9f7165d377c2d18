//! The futures market of the Binance face over real loopback connections.

mod account;
mod algo;
mod faults;
mod orders;
mod public;
mod streams;
mod ws_api;

use futures_util::{SinkExt, StreamExt};
use ponte_venue::faces::binance::{
    BinanceFace, BinanceOptions, KeyOptions, REHEARSAL_KEY, REHEARSAL_SECRET,
};
use reqwest::{Client, Method, Response, StatusCode};
use ring::hmac;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// A wait that long means that the thing waited for never comes.
const PATIENCE: Duration = Duration::from_secs(20);

/// A second account beside the rehearsal one.
const OTHER_KEY: &str = "other-key";
const OTHER_SECRET: &str = "other-secret";

type Params<'a> = &'a [(&'a str, &'a str)];

/// A running exchange with two accounts, and a client.
struct Exchange {
    address: SocketAddr,
    client: Client,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<std::io::Result<()>>,
}

impl Exchange {
    async fn start() -> Exchange {
        Exchange::start_with(BinanceOptions::rehearsal()).await
    }

    async fn start_with(mut options: BinanceOptions) -> Exchange {
        options
            .keys
            .push(KeyOptions::hmac(OTHER_KEY, OTHER_SECRET, "other"));
        options.fill_model.half_spread_bps = 0.into();
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

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    async fn public(&self, path: &str) -> (StatusCode, Value) {
        read(self.client.get(self.url(path)).send().await.unwrap()).await
    }

    async fn time(&self) -> i64 {
        let (_, answer) = self.public("/fapi/v1/time").await;
        answer["serverTime"].as_i64().unwrap()
    }

    /// The parameters with a time stamp and the rehearsal key's signature.
    async fn signed(&self, params: Params<'_>) -> String {
        let now = self.time().await;
        sign(REHEARSAL_SECRET, params, now)
    }

    async fn try_send(
        &self,
        method: Method,
        path: &str,
        params: Params<'_>,
    ) -> reqwest::Result<Response> {
        let signed = self.signed(params).await;
        let request = if method == Method::POST {
            let request = self.client.post(self.url(path)).body(signed);
            request.header("content-type", "application/x-www-form-urlencoded")
        } else {
            let url = format!("{}?{signed}", self.url(path));
            self.client.request(method, url)
        };
        request.header("X-MBX-APIKEY", REHEARSAL_KEY).send().await
    }

    async fn send(&self, method: Method, path: &str, params: Params<'_>) -> (StatusCode, Value) {
        read(self.try_send(method, path, params).await.unwrap()).await
    }

    async fn get(&self, path: &str, params: Params<'_>) -> Value {
        ok(self.send(Method::GET, path, params).await)
    }

    async fn post(&self, path: &str, params: Params<'_>) -> Value {
        ok(self.send(Method::POST, path, params).await)
    }

    async fn delete(&self, path: &str, params: Params<'_>) -> Value {
        ok(self.send(Method::DELETE, path, params).await)
    }

    async fn put(&self, path: &str, params: Params<'_>) -> Value {
        ok(self.send(Method::PUT, path, params).await)
    }

    /// The code of a refusal that has HTTP status 400.
    async fn refusal(&self, method: Method, path: &str, params: Params<'_>) -> i64 {
        let (status, answer) = self.send(method, path, params).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{answer}");
        answer["code"].as_i64().unwrap()
    }

    /// Buys or sells at the market; answers with the result.
    async fn market(&self, side: &str, quantity: &str) -> Value {
        let params = [
            ("symbol", "BTCUSDT"),
            ("side", side),
            ("type", "MARKET"),
            ("quantity", quantity),
            ("newOrderRespType", "RESULT"),
        ];
        self.post("/fapi/v1/order", &params).await
    }

    /// A bid that rests.
    async fn bid(&self, name: &str, price: &str) -> Value {
        self.post("/fapi/v1/order", &bid(name, price)).await
    }

    async fn admin(&self, path: &str, body: Value) -> Value {
        let request = self.client.post(self.url(path)).json(&body);
        ok(read(request.send().await.unwrap()).await)
    }

    async fn tick(&self, price: &str) {
        let body = json!({"symbol": "BTCUSDT", "price": price, "market": "futures"});
        self.admin("/admin/ticks", body).await;
    }

    async fn fault(&self, fault: Value, operation: &str) {
        let rule = json!({"fault": fault, "trigger": {"next": 1}, "operation": operation, "market": "futures"});
        self.admin("/admin/faults", rule).await;
    }

    /// The futures part of the auditor's view.
    async fn audit(&self) -> Value {
        let (_, audit) = self
            .public(&format!("/admin/audit?key={REHEARSAL_KEY}"))
            .await;
        audit["futures"].clone()
    }

    /// How many orders were ever accepted under that name.
    async fn count(&self, name: &str) -> usize {
        let audit = self.audit().await;
        let orders = audit["orders"].as_array().unwrap().iter();
        orders
            .filter(|order| order["client_order_id"] == name)
            .count()
    }

    async fn listen_key_of(&self, key: &str, method: Method) -> (StatusCode, Value) {
        let request = self.client.request(method, self.url("/fapi/v1/listenKey"));
        read(request.header("X-MBX-APIKEY", key).send().await.unwrap()).await
    }

    async fn listen_key(&self) -> String {
        let answer = ok(self.listen_key_of(REHEARSAL_KEY, Method::POST).await);
        answer["listenKey"].as_str().unwrap().to_owned()
    }

    async fn connect(&self, path: &str) -> Socket {
        let url = format!("ws://{}{path}", self.address);
        let (socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
        let mut socket = Socket(socket);
        // Its answer shows that the server has taken the connection up.
        if !path.starts_with("/ws-") {
            socket
                .send(json!({"method": "LIST_SUBSCRIPTIONS", "id": "up?"}))
                .await;
            while socket.next().await["id"] != "up?" {}
        }
        socket
    }

    async fn stop(mut self) {
        drop(self.stop.take());
        self.running.await.unwrap().unwrap();
    }
}

/// One web socket.
struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    /// The next message; none once the connection has ended.
    async fn try_next(&mut self) -> Option<Value> {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.0.next()).await;
            match message.expect("nothing comes") {
                Some(Ok(Message::Text(text))) => return Some(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(_) | Err(_)) | None => return None,
            }
        }
    }

    async fn next(&mut self) -> Value {
        self.try_next().await.expect("the connection has ended")
    }

    /// The next event of a kind; others are passed over.
    async fn event(&mut self, kind: &str) -> Value {
        loop {
            let event = self.next().await;
            if event["e"] == kind {
                return event;
            }
        }
    }

    async fn send(&mut self, message: Value) {
        let text = Message::Text(message.to_string().into());
        self.0.send(text).await.unwrap();
    }

    async fn ask(&mut self, message: Value) -> Value {
        self.send(message).await;
        self.next().await
    }

    /// Asserts that nothing is on its way: the next thing that comes is the answer to a question asked now.
    async fn assert_idle(&mut self) {
        let question = json!({"method": "LIST_SUBSCRIPTIONS", "id": "idle?"});
        let answer = self.ask(question).await;
        assert_eq!(answer["id"], "idle?", "something else came");
    }
}

fn bid<'a>(name: &'a str, price: &'a str) -> [(&'a str, &'a str); 7] {
    [
        ("symbol", "BTCUSDT"),
        ("side", "BUY"),
        ("type", "LIMIT"),
        ("timeInForce", "GTC"),
        ("quantity", "0.100"),
        ("price", price),
        ("newClientOrderId", name),
    ]
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn hmac_hex(secret: &str, payload: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    hex(hmac::sign(&key, payload.as_bytes()).as_ref())
}

/// Parameters as a form, with time stamp and signature.
fn sign(secret: &str, params: Params<'_>, now: i64) -> String {
    let mut pairs: Vec<String> = params
        .iter()
        .map(|(name, value)| format!("{name}={}", encoded(value)))
        .collect();
    pairs.push(format!("timestamp={now}"));
    let payload = pairs.join("&");
    let signature = hmac_hex(secret, &payload);
    format!("{payload}&signature={signature}")
}

fn encoded(value: &str) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let bytes = value.bytes().map(|byte| {
        if keep(byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    });
    bytes.collect()
}

async fn read(response: Response) -> (StatusCode, Value) {
    let status = response.status();
    (status, response.json().await.unwrap())
}

fn ok((status, answer): (StatusCode, Value)) -> Value {
    assert_eq!(status, StatusCode::OK, "{answer}");
    answer
}
