//! The owner's side of a whole Ponte on loopback: the real engine, journal and paper broker.

mod api;
mod control;
mod doctor;
mod guard;

use std::time::Duration;

use ponte::app::{Served, serve};
use ponte::config::Loaded;
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::Value;
use tempfile::TempDir;

const SECRET: &str = "a-secret-for-the-admin-tests";
/// Longest wait for something that must happen.
const PATIENCE_STEPS: u32 = 600;
const STEP: Duration = Duration::from_millis(20);

/// A Ponte with a paper account, and somebody who asks it.
struct Owner {
    folder: TempDir,
    served: Served,
    client: Client,
}

/// A configuration in a folder of its own, with its secret.
fn installed() -> (TempDir, Loaded) {
    let folder = tempfile::tempdir().unwrap();
    let text = r#"
        data_dir = "data"
        [webhook]
        listen = "127.0.0.1:0"
        allow_from = ["loopback"]
        [admin]
        listen = "127.0.0.1:0"
        [[sources]]
        name = "main"
        secret = "env:SECRET"
        [[accounts]]
        name = "paper"
        broker = "paper"
        mode = "paper"
        currency = "USDT"
        prices = ["alert"]
        [accounts.rules]
        max_order_notional = "5000"
        [[routes]]
        strategies = ["*"]
        accounts = ["paper"]
    "#;
    let file = folder.path().join("ponte.toml");
    std::fs::write(&file, text).unwrap();
    let loaded = ponte::config::load_with(&file, &|_| Some(SECRET.into())).unwrap();
    (folder, loaded)
}

impl Owner {
    async fn new() -> Self {
        let (folder, loaded) = installed();
        Self {
            folder,
            served: serve(loaded).await.unwrap(),
            client: ponte::tls::http_client().build().unwrap(),
        }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("http://{}{path}", self.served.admin);
        self.client.request(method, url)
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        answer(self.request(Method::GET, path)).await
    }

    async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        answer(self.request(Method::POST, path).json(&body)).await
    }

    /// Fires an alert at the webhook; gives its id.
    async fn alert(&self, rest: &str) -> String {
        let url = format!("http://{}/webhook", self.served.webhook);
        let body = format!(r#"{{"secret":"{SECRET}",{rest}}}"#);
        let (status, answer) = answer(self.client.post(url).body(body)).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        answer["id"].as_str().unwrap().to_owned()
    }

    /// Buys, and waits until it is filled.
    async fn buy(&self, quantity: &str) -> String {
        let id = self
            .alert(&format!(
                r#""action":"buy","symbol":"BTCUSDT","quantity":{quantity},"price":65000"#
            ))
            .await;
        self.settle().await;
        id
    }

    /// Waits until no order is open.
    async fn settle(&self) {
        for _ in 0..PATIENCE_STEPS {
            let (_, orders) = self.get("/api/orders?open=true").await;
            if orders.as_array().unwrap().is_empty() {
                return;
            }
            tokio::time::sleep(STEP).await;
        }
        panic!("orders stay open");
    }

    async fn end(self) {
        self.served.stop().await;
    }
}

async fn answer(request: RequestBuilder) -> (StatusCode, Value) {
    let response = request.send().await.unwrap();
    let status = response.status();
    assert!(
        response.headers().contains_key("x-ponte") || response.url().path() == "/webhook",
        "every answer is marked as Ponte's"
    );
    let bytes = response.bytes().await.unwrap();
    let value = serde_json::from_slice(&bytes)
        .unwrap_or_else(|_| Value::from(String::from_utf8_lossy(&bytes).into_owned()));
    (status, value)
}
