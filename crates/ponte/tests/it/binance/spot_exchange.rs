//! A test exchange of one's own, with a spot adapter in front of it and an auditor behind.

use std::sync::Arc;
use std::time::Duration;

use ponte::brokers::binance::{self, Hosts, Market, Options, StopSize, Transport, TriggerPrice};
use ponte::brokers::{Broker, News};
use ponte::secret::Secret;
use ponte_core::id::{AccountName, AlertId, ClientOrderId, StrategyName, Symbol};
use ponte_core::message::{Fate, FindAnswer, OrderReport};
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
const PATIENCE: Duration = Duration::from_secs(30);
/// The pause between two questions while a condition is waited for.
const POLL: Duration = Duration::from_millis(50);
pub(super) const SYMBOL: &str = "BTCUSDT";

/// An exchange that serves as long as it lives: BTCUSDT at 60000 without a spread, the account has
/// 1 BTC and 100000 USDT, a trade costs 0.1 % of what it brings.
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
    pub(super) async fn start() -> Self {
        Self::start_with(|_| ()).await
    }

    pub(super) async fn start_with(change: impl FnOnce(&mut BinanceOptions)) -> Self {
        let mut options = BinanceOptions::rehearsal();
        options.fill_model = FillModel::optimistic();
        change(&mut options);
        let face = BinanceFace::new(&options).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let serving = tokio::spawn(async move {
            let forever = std::future::pending();
            face.serve_until(listener, forever).await.unwrap();
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
        let url = format!("{}/admin/{path}", self.url);
        let mut request = self.client.request(method, url);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{path}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    pub(super) async fn price(&self, price: i64) {
        let body = json!({ "symbol": SYMBOL, "price": price.to_string() });
        self.admin(Method::POST, "ticks", Some(body)).await;
    }

    /// Orders a fault for the next time that it can strike.
    pub(super) async fn fault(&self, fault: Value, operation: &str) {
        self.faults(fault, operation, 1).await;
    }

    /// How much request weight the exchange has counted, this question's own included.
    pub(super) async fn weight(&self) -> u64 {
        let url = format!("{}/api/v3/ping", self.url);
        let answer = self.client.get(url).send().await.unwrap();
        let told = answer.headers().get("x-mbx-used-weight-1m").unwrap();
        told.to_str().unwrap().parse().unwrap()
    }

    /// Orders a fault for the next `times` that it can strike.
    pub(super) async fn faults(&self, fault: Value, operation: &str, times: u32) {
        let rule = json!({
            "fault": fault, "trigger": { "next": times }, "operation": operation, "market": "spot"
        });
        self.admin(Method::POST, "faults", Some(rule)).await;
    }

    pub(super) async fn disturb_streams(&self, what: &str) {
        let body = json!({ "do": what });
        self.admin(Method::POST, "streams", Some(body)).await;
    }

    pub(super) async fn skew_clock(&self, milliseconds: i64) {
        let body = json!({ "skew_ms": milliseconds });
        self.admin(Method::POST, "clock", Some(body)).await;
    }

    /// Every order that the exchange ever accepted: client id, status, executed quantity.
    pub(super) async fn orders(&self) -> Vec<(String, String, Decimal)> {
        let path = format!("audit?key={REHEARSAL_KEY}");
        let audit = self.admin(Method::GET, &path, None).await;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let orders = audit["spot"]["orders"].as_array().unwrap().iter();
        orders
            .map(|order| {
                let executed = text(&order["executed_quantity"]).parse().unwrap();
                (text(&order["client_id"]), text(&order["status"]), executed)
            })
            .collect()
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

    /// Waits for a report on an order that fits.
    pub(super) async fn report(
        &mut self,
        id: ClientOrderId,
        fits: impl Fn(&OrderReport) -> bool,
    ) -> OrderReport {
        loop {
            match self.next().await {
                News::Order(report) if report.id == id && fits(&report) => return report,
                News::Order(_) | News::Missed | News::Outside(_) => {}
            }
        }
    }

    /// Waits until the stream speaks of an order of ours again: whenever something may have been
    /// missed, another one is placed, the first of which has the number `next`.
    pub(super) async fn flows_again(&mut self, mut next: u64) -> u64 {
        loop {
            match self.next().await {
                News::Outside(fill) => panic!("{fill:?}"),
                News::Order(_) => return next,
                News::Missed => {
                    let order = plan(next, Side::Buy, "0.01", limit(59_000));
                    self.place(&order).await;
                    next += 1;
                }
            }
        }
    }

    /// Places an order that the exchange takes.
    pub(super) async fn place(&self, plan: &OrderPlan) -> OrderReport {
        match self.broker.submit(plan).await {
            Fate::Acknowledged { report } => report,
            other @ (Fate::Rejected { .. } | Fate::NotSent { .. } | Fate::Unknown { .. }) => {
                panic!("not taken: {other:?}")
            }
        }
    }

    /// Asks about an order until there is a definite answer.
    pub(super) async fn find(&self, plan: &OrderPlan) -> FindAnswer {
        definite(&*self.broker, plan).await
    }
}

/// Asks until the answer is definite.
pub(super) async fn definite(broker: &dyn Broker, plan: &OrderPlan) -> FindAnswer {
    let asking = async {
        loop {
            match broker.find(plan).await {
                FindAnswer::Unanswered(_) => tokio::time::sleep(POLL).await,
                answer @ (FindAnswer::Found(_) | FindAnswer::Absent) => return answer,
            }
        }
    };
    tokio::time::timeout(PATIENCE, asking)
        .await
        .expect("an answer in time")
}

fn options(url: &str) -> Options {
    let secret = |text: &str| Secret::new(text.to_owned()).unwrap();
    Options {
        account: AccountName::new("spot").unwrap(),
        market: Market::Spot,
        hosts: Hosts::venue(url, Market::Spot),
        api_key: secret(REHEARSAL_KEY),
        signing_key: secret(REHEARSAL_SECRET),
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

pub(super) fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn price(number: i64) -> Price {
    Price::new(Decimal::from(number)).unwrap()
}

pub(super) fn limit(at: i64) -> OrderKind {
    let terms = Terms::Limit { price: price(at) };
    OrderKind::Single { terms }
}

pub(super) fn stop(at: i64) -> OrderKind {
    let terms = Terms::Stop { trigger: price(at) };
    OrderKind::Single { terms }
}

pub(super) fn pair(stop: i64, target: i64) -> OrderKind {
    OrderKind::OneCancelsOther {
        stop: price(stop),
        target: price(target),
    }
}

/// A plan in BTCUSDT; its number makes its id.
pub(super) fn plan(number: u64, side: Side, quantity: &str, kind: OrderKind) -> OrderPlan {
    OrderPlan {
        id: ClientOrderId::derive(AlertId(number), &[b"spot test"]),
        account: AccountName::new("spot").unwrap(),
        strategy: StrategyName::unnamed(),
        symbol: Symbol::new(SYMBOL).unwrap(),
        side,
        quantity: Quantity::new(decimal(quantity)).unwrap(),
        kind,
        class: match side {
            Side::Buy => OrderClass::Entry,
            Side::Sell => OrderClass::Exit,
        },
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
