//! A test exchange of one's own, with a futures adapter in front of it and an auditor behind.

use std::sync::Arc;
use std::time::Duration;

use ponte::brokers::binance::{self, Hosts, Market, Options, StopSize, Transport, TriggerPrice};
use ponte::brokers::{Broker, News};
use ponte::secret::Secret;
use ponte_core::fate::{Fate, FindAnswer, OrderReport, ReportedStatus};
use ponte_core::id::{AccountName, AlertId, ClientOrderId, StrategyName, Symbol};
use ponte_core::number::{Price, Quantity};
use ponte_core::order::{OrderClass, OrderKind, OrderPlan, Origin};
use ponte_core::signal::{Protection, Side, Terms};
use ponte_core::time::Timestamp;
use ponte_venue::FillModel;
use ponte_venue::faces::binance::{BinanceFace, BinanceOptions, REHEARSAL_KEY, REHEARSAL_SECRET};
use reqwest::{Client, Method};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// How long something that must happen may take before the test gives up.
const PATIENCE: Duration = Duration::from_secs(60);
/// The pause between two questions while a condition is waited for.
const POLL: Duration = Duration::from_millis(50);

/// An exchange that serves as long as it lives.
pub(super) struct Exchange {
    pub(super) url: String,
    client: Client,
    serving: JoinHandle<()>,
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// An adapter whose reports are read.
pub(super) struct Account {
    pub(super) broker: Arc<dyn Broker>,
    news: mpsc::UnboundedReceiver<News>,
    following: JoinHandle<()>,
}

impl Drop for Account {
    fn drop(&mut self) {
        self.following.abort();
    }
}

impl Exchange {
    /// BTCUSDT at 60000, no spread; takers pay 0.05 %, makers 0.02 %.
    pub(super) async fn start() -> Self {
        Self::start_with(|_| ()).await
    }

    pub(super) async fn start_with(change: impl FnOnce(&mut BinanceOptions)) -> Self {
        let mut options = BinanceOptions::rehearsal();
        options.fill_model = FillModel {
            taker_fee_bps: Decimal::from(5),
            maker_fee_bps: Decimal::from(2),
            ..FillModel::optimistic()
        };
        change(&mut options);
        let face = BinanceFace::new(&options).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let serving = tokio::spawn(async move {
            face.serve_until(listener, std::future::pending())
                .await
                .unwrap();
        });
        // Another test may have been first; the adapter brings its own.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().no_proxy().build().unwrap();
        Self {
            url,
            client,
            serving,
        }
    }

    /// An adapter as the program builds it, with short windows; its reports are not read.
    pub(super) async fn connect(&self, change: impl FnOnce(&mut Options)) -> Arc<dyn Broker> {
        let mut options = options(&self.url);
        change(&mut options);
        binance::connect(options).await.unwrap()
    }

    /// An adapter whose stream is up.
    pub(super) async fn account(&self) -> Account {
        self.account_with(|_| ()).await
    }

    pub(super) async fn account_with(&self, change: impl FnOnce(&mut Options)) -> Account {
        let broker = self.connect(change).await;
        let (into, news) = mpsc::unbounded_channel();
        let speaker = broker.clone();
        let following = tokio::spawn(async move { speaker.reports(into).await });
        let mut account = Account {
            broker,
            news,
            following,
        };
        account.missed().await;
        account
    }

    async fn admin(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let mut request = self
            .client
            .request(method, format!("{}/admin/{path}", self.url));
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        assert!(
            answer.status().is_success(),
            "{path}: {}",
            answer.text().await.unwrap()
        );
        answer.json().await.unwrap()
    }

    pub(super) async fn price(&self, price: i64) {
        let body = json!({ "symbol": "BTCUSDT", "price": price.to_string() });
        self.admin(Method::POST, "ticks", Some(body)).await;
    }

    /// Orders a fault for the next time that it can strike.
    pub(super) async fn fault(&self, fault: Value, operation: &str) {
        self.faults(fault, operation, 1).await;
    }

    /// Orders a fault for the next `times` that it can strike.
    pub(super) async fn faults(&self, fault: Value, operation: &str, times: u32) {
        let rule = json!({
            "fault": fault, "trigger": { "next": times }, "operation": operation, "market": "futures"
        });
        self.admin(Method::POST, "faults", Some(rule)).await;
    }

    pub(super) async fn disturb_streams(&self, what: &str) {
        self.admin(Method::POST, "streams", Some(json!({ "do": what })))
            .await;
    }

    pub(super) async fn skew_clock(&self, milliseconds: i64) {
        let body = json!({ "skew_ms": milliseconds });
        self.admin(Method::POST, "clock", Some(body)).await;
    }

    /// What the exchange itself says it has: everything that it ever accepted.
    pub(super) async fn audit(&self) -> Value {
        let path = format!("audit?key={REHEARSAL_KEY}");
        self.admin(Method::GET, &path, None).await["futures"].clone()
    }

    /// Waits until the auditor sees something.
    pub(super) async fn audited(&self, seen: impl Fn(&Value) -> bool) {
        let looking = async {
            while !seen(&self.audit().await) {
                tokio::time::sleep(POLL).await;
            }
        };
        let waited = tokio::time::timeout(PATIENCE, looking).await;
        assert!(waited.is_ok(), "the auditor sees {}", self.audit().await);
    }

    /// A signed request of the owner's own, past the adapter.
    pub(super) async fn owner(&self, method: Method, path: &str, query: &str) -> Value {
        let now = ponte::clock::now().microseconds() / 1000;
        let query = format!("{query}&timestamp={now}");
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, REHEARSAL_SECRET.as_bytes());
        let signature: String = ring::hmac::sign(&key, query.as_bytes())
            .as_ref()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let url = format!("{}{path}?{query}&signature={signature}", self.url);
        let request = self.client.request(method, url);
        let answer = request.header("X-MBX-APIKEY", REHEARSAL_KEY).send().await;
        answer.unwrap().json().await.unwrap()
    }
}

impl Account {
    async fn next(&mut self) -> News {
        let news = tokio::time::timeout(PATIENCE, self.news.recv()).await;
        news.expect("news in time").expect("the stream goes on")
    }

    /// Waits until something may have been missed.
    pub(super) async fn missed(&mut self) {
        while self.next().await != News::Missed {}
    }

    /// Waits for a report that fits.
    pub(super) async fn report(&mut self, fits: impl Fn(&OrderReport) -> bool) -> OrderReport {
        loop {
            if let News::Order(report) = self.next().await
                && fits(&report)
            {
                return report;
            }
        }
    }

    /// Waits for the end of an order, as the engine does: where something was missed, it asks.
    pub(super) async fn end_of(&mut self, plan: &OrderPlan) -> OrderReport {
        let ended =
            |report: &OrderReport| report.id == plan.id && report.status != ReportedStatus::Working;
        loop {
            match self.next().await {
                News::Order(report) if ended(&report) => return report,
                News::Order(_) => {}
                News::Outside(fill) => panic!("{fill:?}"),
                News::Missed => {
                    if let FindAnswer::Found(report) = self.find(plan).await
                        && ended(&report)
                    {
                        return report;
                    }
                }
            }
        }
    }

    /// Sends orders until the stream tells of one. A stream that doesn't must be given up.
    pub(super) async fn hears_again(&mut self) {
        for number in 100.. {
            let next = buy(number);
            self.submit(&next).await;
            loop {
                match self.next().await {
                    News::Order(report) if report.id == next.id => return,
                    News::Order(_) => {}
                    News::Outside(fill) => panic!("{fill:?}"),
                    News::Missed => break,
                }
            }
        }
    }

    /// Sends an order that the exchange must take.
    pub(super) async fn submit(&self, plan: &OrderPlan) -> OrderReport {
        let fate = self.broker.submit(plan).await;
        let Fate::Acknowledged { report } = fate else {
            panic!("expected an acknowledgement, got {fate:?}");
        };
        report
    }

    /// Asks until the answer is definite.
    pub(super) async fn find(&self, plan: &OrderPlan) -> FindAnswer {
        let asking = async {
            loop {
                match self.broker.find(plan).await {
                    FindAnswer::Unanswered(_) => tokio::time::sleep(POLL).await,
                    answer @ (FindAnswer::Found(_) | FindAnswer::Absent) => return answer,
                }
            }
        };
        tokio::time::timeout(PATIENCE, asking).await.unwrap()
    }

    pub(super) async fn found(&self, plan: &OrderPlan) -> OrderReport {
        let answer = self.find(plan).await;
        let FindAnswer::Found(report) = answer else {
            panic!("expected the order, got {answer:?}");
        };
        report
    }
}

fn options(url: &str) -> Options {
    Options {
        account: AccountName::new("futures").unwrap(),
        market: Market::Futures,
        hosts: Hosts::venue(url, Market::Futures),
        api_key: Secret::new(REHEARSAL_KEY.to_owned()).unwrap(),
        signing_key: Secret::new(REHEARSAL_SECRET.to_owned()).unwrap(),
        currency: "USDT".to_owned(),
        receive_window: Duration::from_secs(1),
        processing_limit: Duration::from_secs(1),
        orders: Transport::Rest,
        stops: StopSize::Quantity,
        trigger: TriggerPrice::Last,
        leverage: None,
        margin: None,
        apply_settings: false,
        dead_mans_switch: None,
    }
}

/// A tenth of a bitcoin; `number` tells the orders of one test apart.
pub(super) fn plan(number: u64, kind: OrderKind, side: Side, class: OrderClass) -> OrderPlan {
    OrderPlan {
        id: ClientOrderId::derive(AlertId(number), &[b"futures"]),
        account: AccountName::new("futures").unwrap(),
        strategy: StrategyName::unnamed(),
        symbol: Symbol::new("BTCUSDT.P").unwrap(),
        side,
        quantity: Quantity::new(Decimal::new(1, 1)).unwrap(),
        kind,
        class,
        protection: Protection::default(),
        reference_price: None,
        origin: Origin::Alert(AlertId(number)),
        alert: Some(AlertId(number)),
        expires_at: Timestamp(i64::MAX),
        after: Vec::new(),
        replaces: None,
        instead_of: Vec::new(),
        multiplier: Decimal::ONE,
        reduce_only: false,
    }
}

pub(super) fn buy(number: u64) -> OrderPlan {
    plan(number, OrderKind::MARKET, Side::Buy, OrderClass::Entry)
}

pub(super) fn buy_limit(number: u64, at: i64) -> OrderPlan {
    let terms = Terms::Limit { price: price(at) };
    plan(
        number,
        OrderKind::Single { terms },
        Side::Buy,
        OrderClass::Entry,
    )
}

/// A stop that protects a long position.
pub(super) fn stop(number: u64, at: i64) -> OrderPlan {
    let terms = Terms::Stop { trigger: price(at) };
    protection(number, OrderKind::Single { terms })
}

/// An order that protects a long position of a strategy that is alone in it.
pub(super) fn protection(number: u64, kind: OrderKind) -> OrderPlan {
    OrderPlan {
        reduce_only: true,
        ..plan(number, kind, Side::Sell, OrderClass::Protection)
    }
}

pub(super) fn price(number: i64) -> Price {
    Price::new(Decimal::from(number)).unwrap()
}

/// Filled, average price and fees as text.
pub(super) fn totals(report: &OrderReport) -> [String; 3] {
    [report.filled, report.average_price, report.fees].map(|number| number.to_string())
}

/// How many orders the exchange ever took, conditional and regular ones.
pub(super) fn accepted(audit: &Value) -> (usize, usize) {
    let count = |name: &str| audit[name].as_array().map_or(0, Vec::len);
    (count("algo_orders"), count("orders"))
}
