//! The exchange in the test's own process: its prices, its faults and its books.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ponte_venue::Decimal;
use ponte_venue::faces::binance::{
    BinanceFace, BinanceFault, BinanceFaultRule, BinanceOptions, MarketLimits, Operation,
    REHEARSAL_KEY,
};
use ponte_venue::fault::Trigger;
use reqwest::Client;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::books::Books;
use crate::crash_common::sending::mix;
use crate::program;

/// What is traded, and around which price. Whole numbers, so that every tick fits.
pub(super) const SYMBOLS: [(&str, i64); 4] = [
    ("BTCUSDT", 60_000),
    ("ETHUSDT", 3_000),
    ("BNBUSDT", 600),
    ("SOLUSDT", 150),
];
/// How often one of the prices moves.
const PRICE_STEP: Duration = Duration::from_millis(60);
/// What the account has in the quote currency of each market. It has no coins: whatever Ponte sold without having bought it
/// would be refused.
const MONEY: i64 = 100_000_000;

/// The last prices, in the order of [`SYMBOLS`].
pub(super) type Prices = Arc<Mutex<[Decimal; SYMBOLS.len()]>>;

pub(super) struct Exchange {
    pub(super) url: String,
    pub(super) prices: Prices,
    client: Client,
    serving: JoinHandle<()>,
    /// What moves prices and spoils look-ups.
    disturbing: Mutex<Vec<JoinHandle<()>>>,
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.stop_disturbing();
        self.serving.abort();
    }
}

impl Exchange {
    pub(super) async fn start(seed: u64) -> Self {
        // The limits are another test's: here they would only hold the load back.
        let wide = MarketLimits {
            weight_per_minute: 1_000_000,
            orders_per_ten_seconds: 100_000,
            orders_in_long_span: 10_000_000,
        };
        let options = BinanceOptions {
            spot_balances: vec![("USDT".to_owned(), Decimal::from(MONEY))],
            futures_balances: vec![("USDT".to_owned(), Decimal::from(MONEY))],
            spot_limits: wide.clone(),
            futures_limits: wide,
            fault_seed: seed,
            ..BinanceOptions::rehearsal()
        };
        let face = BinanceFace::new(&options).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let serving = tokio::spawn(async move {
            face.serve_until(listener, std::future::pending())
                .await
                .unwrap();
        });
        let prices = Arc::new(Mutex::new(SYMBOLS.map(|(_, price)| Decimal::from(price))));
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

    /// From now on requests and events go wrong, so many percent as often as [`FAULTS`] says.
    pub(super) async fn misbehave(&self, percent: u64) {
        for rule in faults(percent) {
            let answer = self
                .client
                .post(format!("{}/admin/faults", self.url))
                .json(&rule);
            let answer = answer.send().await.unwrap();
            assert!(
                answer.status().is_success(),
                "{rule:?}: {}",
                answer.text().await.unwrap()
            );
        }
        if percent > 0 {
            let lagging = tokio::spawn(lag(self.client.clone(), self.url.clone()));
            self.disturbing.lock().unwrap().push(lagging);
        }
    }

    /// No more faults, and prices that stand still.
    pub(super) async fn calm_down(&self) {
        self.stop_disturbing();
        let answer = self
            .client
            .delete(format!("{}/admin/faults", self.url))
            .send()
            .await;
        assert!(answer.unwrap().status().is_success());
    }

    /// All orders ever accepted, positions and balances.
    pub(super) async fn books(&self) -> Books {
        let url = format!("{}/admin/audit?key={REHEARSAL_KEY}", self.url);
        let text = self
            .client
            .get(url)
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        Books::read(&serde_json::from_str::<Value>(&text).unwrap())
    }
}

/// Lets prices walk up to 2 % away from where they began and back, so that stops and targets trigger.
async fn move_prices(client: Client, url: String, prices: Prices, seed: u64) {
    for turn in 0_u64.. {
        tokio::time::sleep(PRICE_STEP).await;
        let which = usize::try_from(turn).unwrap() % SYMBOLS.len();
        let (symbol, start) = SYMBOLS[which];
        let start = Decimal::from(start);
        let price = {
            let mut prices = prices.lock().unwrap();
            // Up to 0.25 % at once, drawn back the farther it is away.
            let draw = i64::try_from(mix(seed ^ mix(turn)) % 501).unwrap() - 250;
            let step = start * Decimal::new(draw, 5);
            let back = (start - prices[which]) * Decimal::new(3, 2);
            let price = (prices[which] + step + back).round_dp(1);
            prices[which] = price;
            price
        };
        let body = json!({"symbol": symbol, "price": price.to_string()});
        let _ = client
            .post(format!("{url}/admin/ticks"))
            .json(&body)
            .send()
            .await;
    }
}

/// What goes wrong, in thousandths of the requests and events that it can strike.
const FAULTS: [(BinanceFault, u32, Operation); 26] = {
    use BinanceFault as F;
    use Operation::{Cancel, Find, Other, Place, Stream};
    [
        // It was taken, and nobody says so.
        (F::AcceptThenDisconnect, 30, Place),
        (F::ErrorAfterAccept, 15, Place),
        (F::UnknownError { placed: true }, 15, Place),
        (F::BackendTimeout { placed: true }, 15, Place),
        (F::TruncatedBody, 10, Place),
        (F::AcceptThenTimeout { milliseconds: 700 }, 5, Place),
        // It was not taken, and nobody says so.
        (F::DisconnectBefore, 15, Place),
        (F::UnknownError { placed: false }, 10, Place),
        (F::BackendTimeout { placed: false }, 10, Place),
        // It was not taken, and the exchange says so.
        (F::InternalError, 10, Place),
        (F::Overloaded, 10, Place),
        (F::RateLimited { retry_after: 1 }, 2, Place),
        (F::Reject, 5, Place),
        // Late, some of it past its window.
        (F::Delay { milliseconds: 60 }, 50, Place),
        (
            F::Delay {
                milliseconds: 1_200,
            },
            5,
            Place,
        ),
        (F::AcceptThenDisconnect, 30, Cancel),
        (F::DisconnectBefore, 30, Cancel),
        (F::BackendTimeout { placed: false }, 10, Cancel),
        (F::DisconnectBefore, 20, Find),
        (F::InternalError, 20, Find),
        (F::ErrorAfterAccept, 10, Other),
        (F::DuplicateReport, 60, Stream),
        (F::LoseReport, 60, Stream),
        (F::LateReport { milliseconds: 400 }, 60, Stream),
        (F::ReorderReport, 40, Stream),
        (F::CutStream, 8, Stream),
    ]
};
/// How long the exchange's look-ups are right after one was wrong. They lag, and Ponte asks twice before it believes that
/// there is no order: a look-up that lags for longer than it documents would be another exchange.
const LOOK_UP_PAUSE: Duration = Duration::from_millis(1_500);

fn faults(percent: u64) -> impl Iterator<Item = BinanceFaultRule> {
    let percent = u32::try_from(percent).unwrap();
    FAULTS
        .into_iter()
        .map(move |(fault, per_mille, operation)| BinanceFaultRule {
            fault,
            trigger: Trigger::PerMille(per_mille * percent / 100),
            operation: Some(operation),
            market: None,
        })
}

/// Has one look-up after the other pretend that there is no order, though there is.
async fn lag(client: Client, url: String) {
    let url = format!("{url}/admin/faults");
    let rule = BinanceFaultRule {
        fault: BinanceFault::PretendAbsent,
        trigger: Trigger::Next(1),
        operation: Some(Operation::Find),
        market: None,
    };
    loop {
        client.post(&url).json(&rule).send().await.unwrap();
        loop {
            tokio::time::sleep(PRICE_STEP).await;
            let left = client.get(&url).send().await.unwrap().text().await.unwrap();
            if !left.contains("pretend_absent") {
                break;
            }
        }
        tokio::time::sleep(LOOK_UP_PAUSE).await;
    }
}
