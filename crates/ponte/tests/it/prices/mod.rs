//! Market prices: the feed against an exchange of the test, and paper accounts that trade at it.

mod exchange;
mod face;
mod paper;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use ponte::prices::binance::{BinancePrices, Hosts, Patience};
use ponte::prices::{PriceFeed, Tick};
use ponte_core::id::Symbol;
use serde_json::json;
use tokio::io::AsyncReadExt;
use tokio::task::JoinHandle;

use exchange::{Exchange, Line, Manners};

/// Longer than anything here takes on a busy machine.
const REASON: Duration = Duration::from_secs(60);
const STEP: Duration = Duration::from_millis(2);

async fn within_reason<T>(what: &str, future: impl Future<Output = T>) -> T {
    let Ok(done) = tokio::time::timeout(REASON, future).await else {
        panic!("{what} did not come");
    };
    done
}

async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    within_reason(what, async {
        while !is_so() {
            tokio::time::sleep(STEP).await;
        }
    })
    .await;
}

fn symbol(text: &str) -> Symbol {
    Symbol::new(text).unwrap()
}

/// A feed that runs until this is dropped.
struct Feed {
    prices: Arc<BinancePrices>,
    task: JoinHandle<()>,
}

impl Feed {
    fn run(exchange: &Exchange, age_max: Duration, patience: Patience) -> Self {
        Self::follow(exchange, age_max, patience, &[])
    }

    /// A feed that follows symbols already when it begins to run.
    fn follow(
        exchange: &Exchange,
        age_max: Duration,
        patience: Patience,
        symbols: &[Symbol],
    ) -> Self {
        let prices = BinancePrices::new(&exchange.hosts(), age_max).with_patience(patience);
        for symbol in symbols {
            prices.follow(symbol);
        }
        let prices = Arc::new(prices);
        let running = prices.clone();
        let task = tokio::spawn(async move { running.run().await });
        Self { prices, task }
    }

    fn last(&self, name: &str) -> Option<Tick> {
        self.prices.last(&symbol(name))
    }

    async fn until_last(&self, name: &str, price: &str) {
        let price = price.parse().unwrap();
        let is_there = || self.last(name).is_some_and(|tick| tick.last == price);
        until(&format!("the price {price} of {name}"), is_there).await;
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Patience that no test exhausts, except for what it makes short itself.
fn patience() -> Patience {
    Patience {
        connect: REASON,
        answer: REASON,
        silence: REASON,
        reconnect: Duration::from_millis(1),
        connection_age: REASON,
    }
}

/// A feed that knows the price 100 of BTCUSDT from its first connection.
async fn at_100(exchange: &mut Exchange, age_max: Duration, patience: Patience) -> (Feed, Line) {
    let feed = Feed::run(exchange, age_max, patience);
    let mut changes = feed.prices.changes();
    feed.prices.follow(&symbol("BTCUSDT"));
    let mut line = exchange.line().await;
    assert_eq!(line.asked().await, ["btcusdt@bookTicker"]);
    line.book(1, "BTCUSDT", "99", "101");
    let changed = within_reason("a change", changes.recv()).await;
    assert_eq!(changed, Ok(symbol("BTCUSDT")));
    (feed, line)
}

/// An exchange whose second connection, and every further one, says that BTCUSDT is at 200.
async fn at_200_later() -> Exchange {
    let greeting = Some(exchange::book(2, "BTCUSDT", "199", "201"));
    Exchange::open(Manners {
        greeting,
        ..Manners::default()
    })
    .await
}

#[tokio::test]
async fn each_market_has_its_own_connection_and_its_own_prices() {
    let mut exchange = Exchange::open(Manners::default()).await;
    let feed = Feed::run(&exchange, REASON, patience());
    feed.prices.follow(&symbol("BTCUSDT"));
    let mut spot = exchange.line().await;
    feed.prices.follow(&symbol("BTCUSDT.P"));
    let mut futures = exchange.line().await;
    assert_eq!(
        (spot.path.as_str(), futures.path.as_str()),
        ("/ws", "/public/ws")
    );
    assert_eq!(spot.asked().await, ["btcusdt@bookTicker"]);
    assert_eq!(futures.asked().await, ["btcusdt@bookTicker"]);
    spot.book(1, "BTCUSDT", "99.00000000", "101.00000000");
    futures.text(&json!({
        "e": "bookTicker", "u": 7, "E": 1_568_014_460_893_u64, "T": 1_568_014_460_891_u64,
        "s": "BTCUSDT", "b": "109.5", "B": "31", "a": "109.6", "A": "40",
    }));
    feed.until_last("BTCUSDT", "100").await;
    feed.until_last("BTCUSDT.P", "109.55").await;
    let tick = feed.last("BTCUSDT").unwrap();
    assert_eq!(tick.bid, Some("99".parse().unwrap()));
    assert_eq!(tick.ask, Some("101".parse().unwrap()));
}

#[tokio::test]
async fn further_symbols_are_asked_for_once_on_the_same_connection() {
    let mut exchange = Exchange::open(Manners::default()).await;
    let (feed, mut line) = at_100(&mut exchange, REASON, patience()).await;
    feed.prices.follow(&symbol("BTCUSDT"));
    feed.prices.follow(&symbol("ETHUSDT"));
    assert_eq!(line.asked().await, ["ethusdt@bookTicker"]);
    line.book(1, "ETHUSDT", "9", "11");
    feed.until_last("ETHUSDT", "10").await;
    // What nobody follows is not kept.
    line.book(1, "SOLUSDT", "9", "11");
    line.book(2, "ETHUSDT", "10", "12");
    feed.until_last("ETHUSDT", "11").await;
    assert_eq!(feed.last("SOLUSDT"), None);
}

#[tokio::test]
async fn many_symbols_are_asked_for_in_batches() {
    let mut exchange = Exchange::open(Manners::default()).await;
    let symbols: Vec<_> = (0..150).map(|n| symbol(&format!("COIN{n:03}"))).collect();
    let _feed = Feed::follow(&exchange, REASON, patience(), &symbols);
    let mut line = exchange.line().await;
    let (first, second) = (line.asked().await, line.asked().await);
    assert_eq!((first.len(), second.len()), (100, 50));
    assert_eq!(second[0], "coin100@bookTicker");
}

#[tokio::test]
async fn a_symbol_that_the_market_refuses_does_not_take_others_with_it() {
    let refuses = ["badusdt@bookTicker".to_owned()].into();
    let mut exchange = Exchange::open(Manners {
        refuses,
        ..Manners::default()
    })
    .await;
    let symbols = ["AUSDT", "BADUSDT", "CUSDT"].map(symbol);
    let feed = Feed::follow(&exchange, REASON, patience(), &symbols);
    let mut line = exchange.line().await;
    assert_eq!(line.asked().await.len(), 3);
    let mut granted = std::collections::BTreeSet::new();
    while granted.len() < 2 {
        let streams = line.asked().await;
        if !streams.contains(&"badusdt@bookTicker".to_owned()) {
            granted.extend(streams);
        }
    }
    line.book(1, "CUSDT", "9", "11");
    feed.until_last("CUSDT", "10").await;
}

#[tokio::test]
async fn a_price_that_is_too_old_is_no_price() {
    let mut exchange = Exchange::open(Manners::default()).await;
    let age_max = Duration::from_millis(20);
    let (feed, line) = at_100(&mut exchange, age_max, patience()).await;
    until("the end of the price", || feed.last("BTCUSDT").is_none()).await;
    // The same price again is news after that.
    let mut changes = feed.prices.changes();
    line.book(2, "BTCUSDT", "99", "101");
    let changed = within_reason("a change", changes.recv()).await;
    assert_eq!(changed, Ok(symbol("BTCUSDT")));
}

#[tokio::test]
async fn a_broken_connection_is_replaced_and_its_prices_live_on_until_they_are_too_old() {
    let mut exchange = at_200_later().await;
    let (feed, line) = at_100(&mut exchange, REASON, patience()).await;
    line.cut();
    let mut again = exchange.line().await;
    assert!(feed.last("BTCUSDT").is_some());
    assert_eq!(again.asked().await, ["btcusdt@bookTicker"]);
    feed.until_last("BTCUSDT", "200").await;
}

#[tokio::test]
async fn a_connection_that_falls_silent_is_replaced() {
    let mut exchange = at_200_later().await;
    let short = Patience {
        silence: Duration::from_millis(300),
        ..patience()
    };
    let (feed, _line) = at_100(&mut exchange, REASON, short).await;
    feed.until_last("BTCUSDT", "200").await;
}

#[tokio::test]
async fn a_connection_that_leaves_a_request_unanswered_is_replaced() {
    let exchange = Exchange::open(Manners {
        is_mute_at_first: true,
        greeting: Some(exchange::book(2, "BTCUSDT", "199", "201")),
        ..Manners::default()
    })
    .await;
    let short = Patience {
        answer: Duration::from_millis(300),
        ..patience()
    };
    let feed = Feed::run(&exchange, REASON, short);
    feed.prices.follow(&symbol("BTCUSDT"));
    feed.until_last("BTCUSDT", "200").await;
}

#[tokio::test]
async fn a_server_that_is_about_to_stop_is_left() {
    let mut exchange = at_200_later().await;
    let (feed, line) = at_100(&mut exchange, REASON, patience()).await;
    line.text(&json!({"e": "serverShutdown", "E": 1_770_123_456_789_u64}));
    feed.until_last("BTCUSDT", "200").await;
}

#[tokio::test]
async fn a_connection_is_replaced_before_it_is_too_old() {
    let mut exchange = at_200_later().await;
    let short = Patience {
        connection_age: Duration::from_millis(300),
        ..patience()
    };
    let (feed, _line) = at_100(&mut exchange, REASON, short).await;
    feed.until_last("BTCUSDT", "200").await;
}

#[tokio::test]
async fn an_exchange_that_can_not_be_reached_is_tried_again() {
    let mut exchange = Exchange::open(Manners {
        is_out_at_first: true,
        ..Manners::default()
    })
    .await;
    at_100(&mut exchange, REASON, patience()).await;
}

#[tokio::test]
async fn an_address_with_wss_is_spoken_to_through_tls() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let hosts = Hosts {
        spot_streams: format!("wss://127.0.0.1:{}", address.port()),
        futures_streams: "wss://127.0.0.1:1".to_owned(),
        spot_rest: "http://127.0.0.1:1".to_owned(),
        futures_rest: "http://127.0.0.1:1".to_owned(),
    };
    let prices = BinancePrices::new(&hosts, REASON).with_patience(patience());
    prices.follow(&symbol("BTCUSDT"));
    let first_byte = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.read_u8().await.unwrap()
    };
    let first_byte = tokio::select! {
        byte = within_reason("a connection", first_byte) => byte,
        () = prices.run() => panic!("the feed ended"),
    };
    // The content type of a TLS handshake (RFC 8446, 5.1).
    assert_eq!(first_byte, 22);
}
