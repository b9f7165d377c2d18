//! The feed against the test exchange, which was written from the documentation and not from it.

use std::sync::Arc;
use std::time::Duration;

use ponte::prices::binance::{BinancePrices, Hosts};
use ponte::prices::{self, PriceFeed};
use ponte_venue::faces::binance::{BinanceFace, BinanceOptions};
use rust_decimal::Decimal;
use serde_json::json;
use tokio::net::TcpListener;

use super::{Feed, REASON, STEP, patience, symbol, within_reason};

#[tokio::test]
async fn the_test_exchange_gives_the_prices_of_both_its_markets() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let face = BinanceFace::new(&BinanceOptions::rehearsal()).unwrap();
    let serving =
        tokio::spawn(async move { face.serve_until(listener, std::future::pending()).await });
    let hosts = Hosts {
        spot_streams: format!("ws://{address}"),
        futures_streams: format!("ws://{address}/public"),
        // Nobody there: these prices come by the streams.
        spot_rest: "http://127.0.0.1:1".to_owned(),
        futures_rest: "http://127.0.0.1:1".to_owned(),
    };
    let prices = Arc::new(BinancePrices::new(&hosts, REASON).with_patience(patience()));
    let symbols = ["BTCUSDT", "BTCUSDT.P"].map(symbol);
    for symbol in &symbols {
        prices.follow(symbol);
    }
    let running = prices.clone();
    let task = tokio::spawn(async move { running.run().await });
    let feed = Feed { prices, task };
    let http = ponte::tls::http_client().build().unwrap();
    let mut number = 50_000;
    // What was told before somebody listened is not told again.
    let ticks = async {
        while symbols
            .iter()
            .any(|symbol| feed.prices.last(symbol).is_none())
        {
            number += 10;
            for market in ["spot", "futures"] {
                let tick =
                    json!({"symbol": "BTCUSDT", "price": number.to_string(), "market": market});
                let told = http
                    .post(format!("http://{address}/admin/ticks"))
                    .json(&tick);
                assert!(told.send().await.unwrap().status().is_success());
            }
            tokio::time::sleep(STEP).await;
        }
    };
    within_reason("prices of both markets", ticks).await;
    for symbol in &symbols {
        let tick = feed.prices.last(symbol).unwrap();
        let (bid, ask) = (tick.bid.unwrap(), tick.ask.unwrap());
        assert!(bid < tick.last && tick.last < ask, "{symbol}: {tick:?}");
        assert!(bid > Decimal::from(49_000) && ask < Decimal::from(number + 1_000));
    }
    serving.abort();
}

/// The test exchange without a feed: its books never change, so that its streams say nothing.
#[tokio::test]
async fn a_quiet_market_is_asked_for_its_book() {
    let options = BinanceOptions::rehearsal();
    let face = BinanceFace::new(&options).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move {
        face.serve_until(listener, std::future::pending::<()>())
            .await
    });
    let hosts = Hosts {
        spot_streams: format!("ws://{address}"),
        futures_streams: format!("ws://{address}/public"),
        spot_rest: format!("http://{address}"),
        futures_rest: format!("http://{address}"),
    };
    let age_max = Duration::from_millis(600);
    let feed = Arc::new(BinancePrices::new(&hosts, age_max));
    let running = tokio::spawn({
        let feed = feed.clone();
        async move { feed.run().await }
    });
    let known = async {
        prices::known(feed.clone(), symbol("BTCUSDT")).await;
        prices::known(feed.clone(), symbol("BTCUSDT.P")).await;
    };
    within_reason("first prices", known).await;
    // Long after the first answer has grown too old there is still a price.
    let first = feed.last(&symbol("BTCUSDT")).unwrap().at;
    let later = async {
        while feed
            .last(&symbol("BTCUSDT"))
            .is_none_or(|tick| tick.at.since(first) < age_max * 3)
        {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    within_reason("a price that was asked for again", later).await;
    assert!(!feed.follow(&symbol("BTCUSDT")));
    running.abort();
    serving.abort();
}
