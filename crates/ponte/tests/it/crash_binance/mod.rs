//! The real binary is killed under load, again and again, beside a Binance that outlives it and misbehaves.
//!
//! Each alert goes to a spot and to a futures account. Alerts, prices and the exchange's faults follow a seed; the
//! moments of the kills don't follow it to the microsecond, so that a seed narrows a failure down but can't replay it.
//!
//! `PONTE_CRASH_FAULTS` is how often things go wrong at the exchange, in percent of what is usual;
//! `PONTE_CRASH_KILLS=60 PONTE_CRASH_SEED=7 cargo test -p ponte --test it crash_binance` is a long run.

mod audit;
mod books;
mod exchange;
mod load;

use std::time::Duration;

use ponte::journal::Reader;
use ponte_core::order::OrderStatus;

use crate::crash_common::sending::mix;
use crate::program::Ponte;
use exchange::Exchange;
use load::Load;

/// How often the binary is killed when nobody says otherwise.
const KILLS_DEFAULT: u64 = 12;
const SEED_DEFAULT: u64 = 20_261_123;
/// How many senders are at it, each with a strategy of its own.
const SENDERS: u64 = 4;
/// How long everything may take to get its last word once the faults are over.
const PATIENCE_STEPS: u32 = 900;
const STEP: Duration = Duration::from_millis(100);

fn number(variable: &str, otherwise: u64) -> u64 {
    let text = std::env::var(variable).ok();
    text.map_or(otherwise, |text| text.parse().unwrap())
}

/// Two accounts at one exchange, each alert for both. The spot account gives a stop time enough to be sent again after a
/// crash, the futures account closes the position sooner. One sends over REST and the other over a WebSocket, by the seed.
fn accounts(url: &str, seed: u64) -> String {
    let transports = ["rest", "websocket", "rest"];
    let first = usize::from(seed.is_multiple_of(2));
    let account = |market: &str, within: &str, orders: &str| {
        format!(
            r#"
[[accounts]]
name = "{market}"
broker = "binance"
mode = "demo"
currency = "USDT"
protect_within = "{within}"
[accounts.binance]
market = "{market}"
url = "{url}"
api_key = "env:BINANCE_API_KEY"
signing_key = "env:BINANCE_SIGNING_KEY"
receive_window = "1s"
processing_limit = "1s"
orders = "{orders}"
"#
        )
    };
    format!(
        r#"{}{}
[[routes]]
strategies = ["*"]
accounts = ["spot"]
[[routes]]
strategies = ["*"]
accounts = ["futures"]
symbols = {{ BTCUSDT = "BTCUSDT.P", ETHUSDT = "ETHUSDT.P", BNBUSDT = "BNBUSDT.P", SOLUSDT = "SOLUSDT.P" }}
"#,
        account("spot", "9s", transports[first]),
        account("futures", "4s", transports[first + 1]),
    )
}

/// How long it runs before the next kill: different moments each time, and now and then long enough for the time fences
/// to pass, so that unknown fates are settled and trading goes on.
fn pause(kill: u64, seed: u64) -> Duration {
    let milliseconds = match kill % 4 {
        3 => 7_000,
        _ => 150 + mix(seed ^ kill) % 1_200,
    };
    Duration::from_millis(milliseconds)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_beside_binance_both_legs_are_exact_and_nothing_is_naked() {
    let kills = number("PONTE_CRASH_KILLS", KILLS_DEFAULT);
    let seed = number("PONTE_CRASH_SEED", SEED_DEFAULT);
    println!("seed {seed}, {kills} kills");
    let exchange = Exchange::start(seed).await;
    let mut ponte = Ponte::install_accounts(&accounts(&exchange.url, seed));
    // A first start needs the exchange's list of instruments; later ones remember it.
    ponte.start().await;
    exchange.misbehave(number("PONTE_CRASH_FAULTS", 100)).await;
    let load = Load::start(SENDERS, seed, ponte.webhook(), exchange.prices.clone());
    for kill in 0..kills {
        tokio::time::sleep(pause(kill, seed)).await;
        ponte.kill();
        ponte.start().await;
    }
    let sent = load.stop().await;
    exchange.calm_down().await;
    settle(&ponte).await;
    let positions = ponte.positions().await;
    ponte.stop().await;

    let books = exchange.books().await;
    let report = audit::audit(&ponte, &books, &sent, &positions);
    println!("{kills} kills with seed {seed}: {report}");
}

/// Waits until every order has its last word or rests, and nothing is naked.
async fn settle(ponte: &Ponte) {
    let mut open = Vec::new();
    for _ in 0..PATIENCE_STEPS {
        open = moving(ponte);
        if open.is_empty() && ponte.metric("ponte_naked_positions").await == Some(0.0) {
            return;
        }
        tokio::time::sleep(STEP).await;
    }
    let naked = ponte.metric("ponte_naked_positions").await;
    let story = open.first().map(|id| ponte.command(&["why", id]).1);
    panic!(
        "{} orders without a last word, {naked:?} naked positions; {}",
        open.len(),
        story.unwrap_or_default()
    );
}

/// The orders that neither rest nor are over.
fn moving(ponte: &Ponte) -> Vec<String> {
    let state = Reader::open(&ponte.journal())
        .unwrap()
        .state(false)
        .unwrap();
    state
        .open_orders()
        .filter(|order| order.status != OrderStatus::Working || order.cancel_requested)
        .map(|order| order.plan.id.to_string())
        .collect()
}
