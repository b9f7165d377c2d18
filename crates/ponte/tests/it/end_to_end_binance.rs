//! From the alert's bytes to the orders at Binance's stand-in, with the real program.

use std::time::Duration;

use ponte_venue::faces::binance::{BinanceFace, BinanceOptions, REHEARSAL_KEY};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::program::{Ponte, SECRET, client};

/// Longest wait for something that must happen.
const STEPS: u32 = 600;
const STEP: Duration = Duration::from_millis(50);

struct Exchange {
    url: String,
    serving: JoinHandle<()>,
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Exchange {
    async fn start() -> Self {
        Self::start_with(|_| ()).await
    }

    async fn start_with(change: impl FnOnce(&mut BinanceOptions)) -> Self {
        let mut options = BinanceOptions::rehearsal();
        change(&mut options);
        let face = BinanceFace::new(&options).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let serving = tokio::spawn(async move {
            face.serve_until(listener, std::future::pending())
                .await
                .unwrap();
        });
        Self { url, serving }
    }

    /// Everything that ever happened in the account, past the adapter.
    async fn audit(&self, market: &str) -> Value {
        let url = format!("{}/admin/audit?key={REHEARSAL_KEY}", self.url);
        let text = client().get(url).send().await.unwrap().text().await;
        let whole: Value = serde_json::from_str(&text.unwrap()).unwrap();
        whole[market].clone()
    }

    /// The kinds and states of the orders of one list of the audit.
    async fn orders(&self, market: &str, list: &str) -> Vec<String> {
        let audit = self.audit(market).await;
        let orders = audit[list].as_array().unwrap();
        let text = |order: &Value, key: &str| order[key].as_str().unwrap().to_owned();
        orders
            .iter()
            .map(|order| format!("{} {}", text(order, "type"), text(order, "status")))
            .collect()
    }

    async fn until_orders(&self, market: &str, list: &str, wanted: &[&str]) {
        let mut seen = Vec::new();
        for _ in 0..STEPS {
            seen = self.orders(market, list).await;
            if seen == wanted {
                return;
            }
            tokio::time::sleep(STEP).await;
        }
        panic!("{market} has the {list} {seen:?}, not {wanted:?}");
    }
}

fn account(market: &str, url: &str) -> String {
    format!(
        r#"
[[accounts]]
name = "{market}"
broker = "binance"
mode = "demo"
currency = "USDT"
[accounts.rules]
max_order_notional = "5000"
max_price_deviation = "5"
[accounts.binance]
market = "{market}"
url = "{url}"
api_key = "env:BINANCE_API_KEY"
signing_key = "env:BINANCE_SIGNING_KEY"
receive_window = "1s"
processing_limit = "1s"
[[routes]]
strategies = ["*"]
accounts = ["{market}"]
"#
    )
}

/// An alert as Brazilian traders write it. It tells no price: the value of the order is measured by
/// the market's, which nobody had asked for before.
fn bracket(symbol: &str) -> String {
    format!(
        r#"{{"segredo":"{SECRET}","acao":"COMPRA","ativo":"{symbol}","qtd":0.01,"stop":55000,"alvo":70000}}"#
    )
}

fn close(symbol: &str) -> String {
    format!(r#"{{"segredo":"{SECRET}","acao":"FECHAR","ativo":"{symbol}"}}"#)
}

async fn until_flat(ponte: &Ponte) {
    for _ in 0..STEPS {
        let open = ponte.ask("orders?open=true").await;
        if open.as_array().is_some_and(Vec::is_empty) {
            return;
        }
        tokio::time::sleep(STEP).await;
    }
    panic!(
        "orders stay open: {:#}",
        ponte.ask("orders?open=true").await
    );
}

#[tokio::test]
async fn on_spot_a_bracket_rests_through_a_kill_and_makes_way_for_the_close() {
    let exchange = Exchange::start().await;
    let mut ponte = Ponte::install_accounts(&account("spot", &exchange.url));
    ponte.start().await;
    let (status, answer) = ponte.send(&bracket("BINANCE:BTCUSDT")).await;
    assert_eq!(
        (status, &answer["status"]),
        (200, &Value::from("accepted")),
        "{answer}"
    );
    let rests = ["MARKET FILLED", "LIMIT_MAKER NEW", "STOP_LOSS NEW"];
    exchange.until_orders("spot", "orders", &rests).await;
    ponte.kill();
    ponte.start().await;
    assert_eq!(exchange.orders("spot", "orders").await, rests);
    let (_, answer) = ponte.send(&close("BTCUSDT")).await;
    assert_eq!(answer["status"], "accepted", "{answer}");
    until_flat(&ponte).await;
    let audit = exchange.audit("spot").await;
    let statuses = exchange.orders("spot", "orders").await;
    assert_eq!(statuses.len(), 4, "{audit:#}");
    assert_eq!(
        statuses
            .iter()
            .filter(|line| *line == "MARKET FILLED")
            .count(),
        2
    );
    assert!(
        statuses.iter().all(|line| !line.ends_with("NEW")),
        "{statuses:?}"
    );
    assert_eq!(ponte.metric("ponte_naked_positions").await, Some(0.0));
    ponte.stop().await;
}

#[tokio::test]
async fn on_futures_stop_and_target_rest_and_go_with_the_position() {
    let exchange = Exchange::start().await;
    let mut ponte = Ponte::install_accounts(&account("futures", &exchange.url));
    ponte.start().await;
    // The chart of the spot market is not the perpetual: the trader is told what is meant.
    let (_, answer) = ponte.send(&bracket("BTCUSDT")).await;
    let reason = answer["legs"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("did you mean BTCUSDT.P?"), "{answer}");
    let (status, answer) = ponte.send(&bracket("BINANCE:BTCUSDT.P")).await;
    assert_eq!(
        (status, &answer["status"]),
        (200, &Value::from("accepted")),
        "{answer}"
    );
    exchange
        .until_orders("futures", "orders", &["MARKET FILLED"])
        .await;
    exchange
        .until_orders(
            "futures",
            "algo_orders",
            &["STOP_MARKET NEW", "TAKE_PROFIT NEW"],
        )
        .await;
    ponte.kill();
    ponte.start().await;
    let (_, answer) = ponte.send(&close("BTCUSDT.P")).await;
    assert_eq!(answer["status"], "accepted", "{answer}");
    until_flat(&ponte).await;
    let audit = exchange.audit("futures").await;
    assert_eq!(audit["positions"], Value::Array(Vec::new()), "{audit:#}");
    let mut all = exchange.orders("futures", "orders").await;
    all.extend(exchange.orders("futures", "algo_orders").await);
    assert_eq!(
        all.iter().filter(|line| *line == "MARKET FILLED").count(),
        2,
        "{all:?}"
    );
    assert!(all.iter().all(|line| !line.ends_with("NEW")), "{all:?}");
    ponte.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_that_is_tried_rests_at_the_exchange_and_is_taken_back() {
    for (market, symbol, list, rested) in [
        ("spot", "BTCUSDT", "orders", "STOP_LOSS"),
        ("futures", "BTCUSDT.P", "algo_orders", "STOP_MARKET"),
    ] {
        let exchange = Exchange::start().await;
        let mut ponte = Ponte::install_accounts(&account(market, &exchange.url));
        ponte.start().await;
        let tried = ["doctor", "--try-stop", market, "--symbol", symbol];
        let (status, said) = tokio::task::block_in_place(|| ponte.command(&tried));
        assert_eq!(status, 0, "{said}");
        assert!(said.contains("rested at the broker after"), "{said}");
        let orders = exchange.orders(market, list).await;
        assert_eq!(orders, [format!("{rested} CANCELED")], "{said}");
        until_flat(&ponte).await;
        ponte.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_may_withdraw_is_refused_at_the_start_unless_it_is_allowed() {
    let exchange = Exchange::start_with(|options| options.keys[0].can_withdraw = true).await;
    for market in ["spot", "futures"] {
        let account = account(market, &exchange.url);
        let refused = Ponte::install_accounts(&account);
        let (status, said) = refused.command(&["run"]);
        assert_ne!(status, 0, "{said}");
        assert!(said.contains("may withdraw money"), "{said}");
        assert!(said.contains("allow_withdrawal_keys = true"), "{said}");
        let allowed = account.replace(
            "receive_window",
            "allow_withdrawal_keys = true\nreceive_window",
        );
        let mut ponte = Ponte::install_accounts(&allowed);
        ponte.start().await;
        ponte.stop().await;
    }
}
