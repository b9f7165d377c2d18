//! The stand-in terminal in the test's own process: its prices, its faults and its books.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ponte_venue::Decimal;
use ponte_venue::faces::mt5::{Mt5Face, Mt5Options};
use reqwest::Client;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::crash_common::sending::mix;
use crate::program;

/// What is traded, around which price, and the tick. Each strategy has one of its own: the account nets.
pub(super) const SYMBOLS: [(&str, &str, &str); 4] = [
    ("WINZ26", "130000", "5"),
    ("WDOZ26", "5350", "0.5"),
    ("WING27", "132000", "5"),
    ("WDOF27", "5400", "0.5"),
];
/// How often one of the prices moves.
const PRICE_STEP: Duration = Duration::from_millis(60);
/// How often something goes wrong.
const FAULT_STEP: Duration = Duration::from_millis(900);
/// Enough for everything.
const MONEY: i64 = 100_000_000;

/// The last prices, in the order of [`SYMBOLS`].
pub(super) type Prices = Arc<Mutex<[Decimal; SYMBOLS.len()]>>;

pub(super) struct Terminal {
    pub(super) url: String,
    pub(super) prices: Prices,
    client: Client,
    serving: JoinHandle<()>,
    disturbing: Mutex<Vec<JoinHandle<()>>>,
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.stop_disturbing();
        self.serving.abort();
    }
}

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// The price on the nearest tick of a symbol.
pub(super) fn on_tick(which: usize, price: Decimal) -> Decimal {
    let tick = decimal(SYMBOLS[which].2);
    ((price / tick).round() * tick).normalize()
}

impl Terminal {
    pub(super) async fn start(seed: u64) -> Self {
        let options = Mt5Options {
            balance: Decimal::from(MONEY),
            ..Mt5Options::b3()
        };
        let face = Mt5Face::new(&options).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let serving = tokio::spawn(async move {
            face.serve_until(listener, std::future::pending())
                .await
                .unwrap();
        });
        let prices = Arc::new(Mutex::new(SYMBOLS.map(|(_, price, _)| decimal(price))));
        let client = program::client();
        let moving = tokio::spawn(move_prices(
            client.clone(),
            url.clone(),
            prices.clone(),
            seed,
        ));
        Self {
            url,
            prices,
            client,
            serving,
            disturbing: Mutex::new(vec![moving]),
        }
    }

    fn stop_disturbing(&self) {
        for task in self.disturbing.lock().unwrap().drain(..) {
            task.abort();
        }
    }

    /// From now on requests go wrong now and then.
    pub(super) fn misbehave(&self, seed: u64) {
        let spoiling = tokio::spawn(spoil(self.client.clone(), self.url.clone(), seed));
        self.disturbing.lock().unwrap().push(spoiling);
    }

    /// No more faults, and prices that stand still.
    pub(super) async fn calm_down(&self) {
        self.stop_disturbing();
        let url = format!("{}/admin/faults", self.url);
        let answer = self.client.delete(url).send().await.unwrap();
        answer.error_for_status().unwrap();
    }

    /// Everything that is and ever was.
    pub(super) async fn books(&self) -> Value {
        let url = format!("{}/admin/audit", self.url);
        let answer = self.client.get(url).send().await.unwrap();
        answer.json().await.unwrap()
    }
}

async fn post(client: &Client, url: &str, path: &str, body: &Value) {
    let answer = client.post(format!("{url}{path}")).json(body).send().await;
    let answer = answer.unwrap();
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    assert!(status.is_success(), "{path} {body}: {text}");
}

/// Moves one price after the other, never far from where it began.
async fn move_prices(client: Client, url: String, prices: Prices, seed: u64) {
    let mut drawn = mix(seed);
    loop {
        drawn = mix(drawn);
        let which = usize::try_from(drawn % SYMBOLS.len() as u64).unwrap();
        let away = i64::try_from((drawn >> 8) % 300).unwrap() - 150;
        let base = decimal(SYMBOLS[which].1);
        let price = on_tick(which, base + base * Decimal::new(away, 4));
        prices.lock().unwrap()[which] = price;
        let body = json!({"symbol": SYMBOLS[which].0, "price": price.to_string()});
        post(&client, &url, "/admin/price", &body).await;
        tokio::time::sleep(PRICE_STEP).await;
    }
}

/// What goes wrong, in turn as the seed draws it.
fn faults() -> [(&'static str, Value); 10] {
    [
        ("order_send", json!("drop_after")),
        ("order_send", json!("drop_before")),
        ("order_send", json!({"retcode_after": 10_012})),
        ("order_send", json!({"retcode": 10_012})),
        ("order_send", json!({"none_after": -10_005})),
        ("order_send", json!({"none": -1})),
        ("order_send", json!({"delay_ms": 400})),
        ("order_send", json!({"retcode": 10_004})),
        ("order_send", json!({"comment": "broker's own"})),
        ("history_deals_get", json!({"history_lag_ms": 400})),
    ]
}

async fn spoil(client: Client, url: String, seed: u64) {
    let mut drawn = mix(seed ^ 0x5eed);
    loop {
        drawn = mix(drawn);
        let faults = faults();
        let which = usize::try_from(drawn % faults.len() as u64).unwrap();
        let (function, fault) = &faults[which];
        let body = json!({"function": function, "fault": fault, "skip": (drawn >> 8) % 4});
        post(&client, &url, "/admin/fault", &body).await;
        tokio::time::sleep(FAULT_STEP).await;
    }
}
