//! The stand-in for a MetaTrader 5 terminal over real loopback connections.

mod administration;
mod calls;
mod faults;

use ponte_venue::faces::mt5::{MarginMode, Mt5Face, Mt5Options};
use reqwest::{Client, Method};
use serde_json::{Map, Value, json};
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A running terminal and a client of it.
struct Terminal {
    address: SocketAddr,
    client: Client,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<std::io::Result<()>>,
}

impl Terminal {
    /// An account at B3, with WINZ26 in the Market Watch at 128000.
    async fn b3() -> Terminal {
        let terminal = Terminal::start(&Mt5Options::b3()).await;
        terminal.select("WINZ26").await;
        terminal.price("WINZ26", "128000").await;
        terminal
    }

    /// An account that hedges, with EURUSD in the Market Watch.
    async fn hedging() -> Terminal {
        let terminal = Terminal::start(&Mt5Options::forex(MarginMode::Hedging)).await;
        terminal.select("EURUSD").await;
        terminal
    }

    async fn start(options: &Mt5Options) -> Terminal {
        let face = Mt5Face::new(options).unwrap();
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
        Terminal {
            address,
            client,
            stop: Some(stop),
            running,
        }
    }

    async fn stop(mut self) {
        drop(self.stop.take());
        self.running.await.unwrap().unwrap();
    }

    /// Status and body of any request.
    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<String>,
    ) -> reqwest::Result<(u16, String)> {
        let mut request = self
            .client
            .request(method, format!("http://{}{path}", self.address));
        if let Some(body) = body {
            request = request
                .header("Content-Type", "application/json")
                .body(body);
        }
        let response = request.send().await?;
        let status = response.status().as_u16();
        Ok((status, response.text().await?))
    }

    async fn try_call(&self, function: &str, arguments: Value) -> reqwest::Result<Value> {
        let body = json!({"function": function, "arguments": arguments}).to_string();
        let (status, text) = self
            .send(Method::POST, "/terminal/call", Some(body))
            .await?;
        assert_eq!(status, 200, "{function}: {text}");
        Ok(serde_json::from_str(&text).unwrap())
    }

    /// Value and error of a call.
    async fn call(&self, function: &str, arguments: Value) -> (Value, i64) {
        let mut answer = self.try_call(function, arguments).await.unwrap();
        let code = answer["error"][0].as_i64().unwrap();
        (answer["value"].take(), code)
    }

    /// The value of a call that has to succeed.
    async fn ok(&self, function: &str, arguments: Value) -> Value {
        let (value, code) = self.call(function, arguments).await;
        assert_eq!(code, 1, "{function}: {value}");
        value
    }

    async fn select(&self, symbol: &str) {
        let done = self
            .ok("symbol_select", json!({"symbol": symbol, "enable": true}))
            .await;
        assert_eq!(done, json!(true));
    }

    /// The result of a request that the package sends.
    async fn order(&self, request: Value) -> Value {
        self.ok("order_send", json!({"request": request})).await
    }

    async fn retcode(&self, request: Value) -> u64 {
        self.order(request).await["retcode"].as_u64().unwrap()
    }

    async fn positions(&self) -> Vec<Value> {
        list(self.ok("positions_get", json!({})).await)
    }

    async fn history(&self, function: &str) -> Vec<Value> {
        list(
            self.ok(
                function,
                json!({"date_from": 0, "date_to": i64::from(u32::MAX)}),
            )
            .await,
        )
    }

    async fn admin(&self, path: &str, body: Value) -> Value {
        let (status, text) = self
            .send(
                Method::POST,
                &format!("/admin/{path}"),
                Some(body.to_string()),
            )
            .await
            .unwrap();
        assert_eq!(status, 200, "{path} {body}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// What the administration says about a body that it doesn't take.
    async fn admin_refuses(&self, path: &str, body: Value) -> String {
        let (status, text) = self
            .send(
                Method::POST,
                &format!("/admin/{path}"),
                Some(body.to_string()),
            )
            .await
            .unwrap();
        assert_eq!(status, 400, "{path} {body}: {text}");
        let answer: Map<String, Value> = serde_json::from_str(&text).unwrap();
        answer["error"].as_str().unwrap().to_owned()
    }

    async fn price(&self, symbol: &str, price: &str) {
        self.admin("price", json!({"symbol": symbol, "price": price}))
            .await;
    }

    async fn audit(&self) -> Value {
        let (status, text) = self.send(Method::GET, "/admin/audit", None).await.unwrap();
        assert_eq!(status, 200);
        serde_json::from_str(&text).unwrap()
    }

    async fn faults_left(&self) -> Vec<Value> {
        let (_, text) = self.send(Method::GET, "/admin/faults", None).await.unwrap();
        let mut answer: Value = serde_json::from_str(&text).unwrap();
        list(answer["faults"].take())
    }
}

fn list(value: Value) -> Vec<Value> {
    let Value::Array(list) = value else {
        panic!("{value} is no list");
    };
    list
}

/// A request as the package sends it: doubles for volumes and prices.
fn buy(symbol: &str, volume: f64) -> Value {
    json!({
        "action": 1, "symbol": symbol, "volume": volume, "type": 0, "type_filling": 1,
        "magic": 4_611_686_018_427_387_905_u64, "comment": "P0123456789abcdef012345"
    })
}

fn sell(symbol: &str, volume: f64) -> Value {
    with(buy(symbol, volume), "type", json!(1))
}

fn with(mut request: Value, field: &str, value: Value) -> Value {
    request[field] = value;
    request
}
