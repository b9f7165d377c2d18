//! Binance: the adapter against the test exchange, spot and futures.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use ponte::brokers::binance::{Hosts, Market, Options, StopSize, Transport, TriggerPrice, connect};
use ponte::brokers::{Answer, Broker};
use ponte::secret::Secret;
use ponte_core::id::{AccountName, Symbol};
use ponte_venue::FillModel;
use ponte_venue::faces::binance::{BinanceFace, BinanceOptions, KeyOptions};
use reqwest::Client;
use ring::hmac;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::binance_audit::{self, Trades};
use super::relay::Relay;
use super::subject::{Audit, Depth, Facts, Fault, Limits, Operation, Refusals, Stage, Subject};
use super::words::Why;

const KEY: &str = "KEY-OF-THE-CONFORMANCE-SUITE-0123456789-0123456789-0123456789-01";
const NEIGHBOURS_KEY: &str = "KEY-OF-THE-NEIGHBOUR-0123456789-0123456789-0123456789-0123456789";
const SECRET: &str = "SECRET-OF-THE-CONFORMANCE-SUITE-0123456789-0123456789-0123456789";
/// Short, so that fences are; long enough for a machine with much to do.
const WINDOW: Duration = Duration::from_secs(3);
const PROCESSING: Duration = Duration::from_secs(3);
/// Longer than the adapter waits for an answer and than the exchange takes an order.
const TOO_LATE: u64 = 8_000;
/// Within the order's window.
const LATER: u64 = 500;
/// How far the exchange's clock can go wrong.
const SKEW_MILLISECONDS: i64 = 180_000;

/// One of the two markets, and how orders travel.
pub(super) struct Binance {
    pub(super) market: Market,
    pub(super) orders: Transport,
}

struct BinanceStage {
    market: Market,
    orders: Transport,
    url: String,
    relay: Relay,
    client: Client,
    broker: Arc<dyn Broker>,
    facts: Facts,
    _stop: watch::Sender<bool>,
}

fn facts(market: Market) -> Facts {
    let name = |text| Symbol::new(text).unwrap();
    let account = AccountName::new("conformance").unwrap();
    let fence = WINDOW + PROCESSING;
    match market {
        Market::Spot => Facts {
            account,
            symbol: name("BTCUSDT"),
            other: name("ETHUSDT"),
            price: Decimal::from(40_000),
            other_price: Decimal::from(2_500),
            lot: Decimal::new(1, 2),
            unaffordable: Decimal::from(50),
            dust: Decimal::new(2, 5),
            unknown_symbol: Ok(name("NOSUCHTHING")),
            one_at_a_time: false,
            limits: Limits::Any,
            fence,
            refusals: Refusals {
                dust: "Filter failure: NOTIONAL",
                symbol: "Invalid symbol",
                money: "insufficient balance",
            },
        },
        Market::Futures => Facts {
            account,
            symbol: name("BTCUSDT.P"),
            other: name("ETHUSDT.P"),
            price: Decimal::from(40_000),
            other_price: Decimal::from(2_500),
            lot: Decimal::new(1, 2),
            unaffordable: Decimal::from(50),
            dust: Decimal::new(1, 3),
            unknown_symbol: Ok(name("NOSUCHTHING.P")),
            one_at_a_time: false,
            limits: Limits::Any,
            fence,
            refusals: Refusals {
                dust: "notional must be no smaller",
                symbol: "Invalid symbol",
                money: "Margin is insufficient",
            },
        },
    }
}

fn options(depth: Depth) -> BinanceOptions {
    let rehearsal = BinanceOptions::rehearsal();
    let money = vec![("USDT".to_owned(), Decimal::from(20_000))];
    let share = match depth {
        Depth::Deep => Decimal::ONE,
        Depth::Thin => Decimal::new(25, 2),
    };
    BinanceOptions {
        keys: vec![
            KeyOptions::hmac(KEY, SECRET, "conformance"),
            KeyOptions::hmac(NEIGHBOURS_KEY, SECRET, "neighbour"),
        ],
        spot_balances: money.clone(),
        futures_balances: money,
        fill_model: FillModel {
            resting_fill_share: share,
            ..rehearsal.fill_model
        },
        ..rehearsal
    }
}

impl Subject for Binance {
    fn name(&self) -> &'static str {
        match (self.market, self.orders) {
            (Market::Spot, Transport::Rest) => "binance spot",
            (Market::Spot, Transport::WebSocket) => "binance spot, web socket",
            (Market::Futures, Transport::Rest) => "binance futures",
            (Market::Futures, Transport::WebSocket) => "binance futures, web socket",
        }
    }

    fn open(&self, depth: Depth) -> Answer<'_, Arc<dyn Stage>> {
        Box::pin(async move {
            let face = BinanceFace::new(&options(depth)).unwrap();
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let (stop, mut stopped) = watch::channel(false);
            tokio::spawn(async move {
                let stop = async { drop(stopped.wait_for(|stopped| *stopped).await) };
                face.serve_until(listener, stop).await.unwrap();
            });
            let relay = Relay::to(address).await;
            let stage = BinanceStage {
                market: self.market,
                orders: self.orders,
                broker: broker(&relay, self.market, self.orders, KEY).await,
                url: format!("http://{address}"),
                relay,
                client: ponte::tls::http_client().build().unwrap(),
                facts: facts(self.market),
                _stop: stop,
            };
            Arc::new(stage) as Arc<dyn Stage>
        })
    }
}

async fn broker(relay: &Relay, market: Market, orders: Transport, key: &str) -> Arc<dyn Broker> {
    let options = Options {
        account: AccountName::new("conformance").unwrap(),
        market,
        hosts: Hosts::venue(&format!("http://{}", relay.address), market),
        api_key: Secret::new(key.to_owned()).unwrap(),
        signing_key: Secret::new(SECRET.to_owned()).unwrap(),
        currency: "USDT".to_owned(),
        receive_window: WINDOW,
        processing_limit: PROCESSING,
        orders,
        stops: StopSize::Quantity,
        trigger: TriggerPrice::Last,
        leverage: None,
        margin: None,
        apply_settings: false,
        dead_mans_switch: None,
    };
    connect(options).await.unwrap()
}

/// The exchange's name of a fault.
fn translated(fault: Fault) -> Value {
    match fault {
        Fault::AcceptThenDisconnect => json!("accept_then_disconnect"),
        Fault::DisconnectBefore => json!("disconnect_before"),
        Fault::AnswerTooLate => json!({"accept_then_timeout": {"milliseconds": TOO_LATE}}),
        Fault::ProcessTooLate => json!({"delay": {"milliseconds": TOO_LATE}}),
        Fault::ProcessLater => json!({"delay": {"milliseconds": LATER}}),
        Fault::ServerErrorAfter => json!("error_after_accept"),
        Fault::ServerErrorBefore => json!({"unknown_error": {"placed": false}}),
        Fault::StatusUnknownPlaced => json!({"backend_timeout": {"placed": true}}),
        Fault::StatusUnknownNotPlaced => json!({"backend_timeout": {"placed": false}}),
        Fault::Overloaded => json!("overloaded"),
        Fault::PageInsteadOfAnswer => json!({"html_body": {"placed": true}}),
        Fault::BrokenAnswer => json!("truncated_body"),
        Fault::Refuse => json!("reject"),
        Fault::TooManyRequests => json!({"rate_limited": {"retry_after": 1}}),
        Fault::Ban => json!({"banned": {"retry_after": 3}}),
        Fault::PretendAbsent => json!("pretend_absent"),
        Fault::Duplicate => json!("duplicate_report"),
        Fault::Lose => json!("lose_report"),
        Fault::Late => json!({"late_report": {"milliseconds": LATER}}),
        Fault::Cut => json!("cut_stream"),
        Fault::ClockAhead | Fault::ClockBehind => panic!("a clock is set, it does not strike"),
    }
}

impl BinanceStage {
    async fn get(&self, path: &str) -> Value {
        let answer = self
            .client
            .get(format!("{}{path}", self.url))
            .send()
            .await
            .unwrap();
        answer.error_for_status().unwrap().json().await.unwrap()
    }

    async fn post(&self, path: &str, body: &Value) {
        let request = self.client.post(format!("{}{path}", self.url)).json(body);
        let answer = request.send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{path} {body}: {text}");
    }

    /// Asks a question as the account's owner would, past the adapter.
    async fn ask(&self, path: &str, query: &str) -> Value {
        let now = &self.get("/admin/clock").await["server_time_ms"];
        let mut query = format!("{query}&timestamp={now}");
        let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
        let signature = hmac::sign(&key, query.as_bytes());
        query.push_str("&signature=");
        for byte in signature.as_ref() {
            write!(query, "{byte:02x}").unwrap();
        }
        let url = format!("{}{path}?{query}", self.url);
        let answer = self
            .client
            .get(url)
            .header("X-MBX-APIKEY", KEY)
            .send()
            .await
            .unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{path}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// The executions of both symbols, by the exchange's number of the order.
    async fn trades(&self) -> Trades {
        let path = match self.market {
            Market::Spot => "/api/v3/myTrades",
            Market::Futures => "/fapi/v1/userTrades",
        };
        let mut trades: Trades = BTreeMap::new();
        for symbol in ["BTCUSDT", "ETHUSDT"] {
            let told = self.ask(path, &format!("symbol={symbol}&limit=1000")).await;
            for trade in told.as_array().unwrap() {
                let order = trade["orderId"].as_u64().unwrap();
                trades.entry(order).or_default().push(trade.clone());
            }
        }
        trades
    }
}

impl Stage for BinanceStage {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn broker(&self) -> Arc<dyn Broker> {
        Arc::clone(&self.broker)
    }

    fn reconnected(&self) -> Answer<'_, Result<Arc<dyn Broker>, Why>> {
        Box::pin(async { Ok(broker(&self.relay, self.market, self.orders, KEY).await) })
    }

    fn neighbour(&self) -> Answer<'_, Result<Arc<dyn Broker>, Why>> {
        Box::pin(async { Ok(broker(&self.relay, self.market, self.orders, NEIGHBOURS_KEY).await) })
    }

    fn tell_price<'a>(&'a self, symbol: &'a Symbol, price: Decimal) -> Answer<'a, ()> {
        Box::pin(async move {
            let symbol = symbol.as_str().trim_end_matches(".P");
            let tick = json!({"symbol": symbol, "price": price.to_string()});
            self.post("/admin/ticks", &tick).await;
        })
    }

    fn order_fault(
        &self,
        operation: Operation,
        fault: Fault,
        times: u64,
    ) -> Answer<'_, Result<(), Why>> {
        Box::pin(async move {
            let skew = match fault {
                Fault::ClockAhead => SKEW_MILLISECONDS,
                Fault::ClockBehind => -SKEW_MILLISECONDS,
                Fault::AcceptThenDisconnect
                | Fault::DisconnectBefore
                | Fault::AnswerTooLate
                | Fault::ProcessTooLate
                | Fault::ProcessLater
                | Fault::ServerErrorAfter
                | Fault::ServerErrorBefore
                | Fault::StatusUnknownPlaced
                | Fault::StatusUnknownNotPlaced
                | Fault::Overloaded
                | Fault::PageInsteadOfAnswer
                | Fault::BrokenAnswer
                | Fault::Refuse
                | Fault::TooManyRequests
                | Fault::Ban
                | Fault::PretendAbsent
                | Fault::Duplicate
                | Fault::Lose
                | Fault::Late
                | Fault::Cut => {
                    let operation = match operation {
                        Operation::Place => "place",
                        Operation::Find => "find",
                        Operation::Cancel => "cancel",
                        Operation::Reports => "stream",
                    };
                    let trigger = json!({"next": times});
                    let rule = json!({"fault": translated(fault), "trigger": trigger, "operation": operation});
                    self.post("/admin/faults", &rule).await;
                    return Ok(());
                }
            };
            self.post("/admin/clock", &json!({"skew_ms": skew})).await;
            Ok(())
        })
    }

    fn faults_left(&self) -> Answer<'_, usize> {
        Box::pin(async {
            self.get("/admin/faults").await["faults"]
                .as_array()
                .unwrap()
                .len()
        })
    }

    fn clear_faults(&self) -> Answer<'_, ()> {
        Box::pin(async {
            let url = format!("{}/admin/faults", self.url);
            let answer = self.client.delete(url).send().await.unwrap();
            answer.error_for_status().unwrap();
        })
    }

    fn audit(&self) -> Answer<'_, Audit> {
        Box::pin(async {
            // The trades come first: what the books then know more of is looked at again.
            let trades = self.trades().await;
            let books = self.get(&format!("/admin/audit?key={KEY}")).await;
            match self.market {
                Market::Spot => binance_audit::spot(&books["spot"], &trades),
                Market::Futures => binance_audit::futures(&books["futures"], &trades),
            }
        })
    }

    fn requests(&self) -> Answer<'_, Result<u64, Why>> {
        Box::pin(async { Ok(self.relay.sent()) })
    }

    fn stop(&self) -> Answer<'_, Result<(), Why>> {
        Box::pin(async {
            self.relay.cut();
            Ok(())
        })
    }
}
