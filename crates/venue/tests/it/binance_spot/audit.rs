//! Public data, history, and the auditor's view.

use super::Exchange;
use ponte_venue::faces::binance::{BinanceOptions, KeyOptions};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn public_data_is_plausible() {
    let exchange = Exchange::start().await;
    exchange.tick("60600").await;
    let price = exchange.get("/api/v3/ticker/price?symbol=BTCUSDT").await;
    assert_eq!(
        price,
        json!({"symbol": "BTCUSDT", "price": "60600.00000000"})
    );
    let all = exchange.get("/api/v3/ticker/price").await;
    assert_eq!(all.as_array().unwrap().len(), 4);
    let some = exchange
        .get("/api/v3/ticker/bookTicker?symbols=%5B%22BTCUSDT%22,%22ETHUSDT%22%5D")
        .await;
    assert_eq!(some[0]["bidPrice"], "60596.97000000");
    let day = exchange.get("/api/v3/ticker/24hr?symbol=BTCUSDT").await;
    let shown =
        ["openPrice", "highPrice", "lastPrice", "priceChangePercent"].map(|name| day[name].clone());
    assert_eq!(
        shown,
        [
            "60000.00000000",
            "60600.00000000",
            "60600.00000000",
            "1.000"
        ]
        .map(|text| json!(text))
    );
    let depth = exchange.get("/api/v3/depth?symbol=BTCUSDT&limit=5").await;
    assert_eq!(depth["asks"].as_array().unwrap().len(), 5);
    let candles = exchange
        .get("/api/v3/klines?symbol=BTCUSDT&interval=1d&limit=1")
        .await;
    assert_eq!(candles[0][4], "60600.00000000");
    assert_eq!(
        exchange.get("/api/v3/avgPrice?symbol=BTCUSDT").await["price"],
        "60600.00000000"
    );
    let error = exchange
        .get("/api/v3/klines?symbol=BTCUSDT&interval=7m")
        .await;
    assert_eq!(error["code"], -1120);
    exchange.stop().await;
}

#[tokio::test]
async fn rules_are_shown_as_they_are_kept() {
    let exchange = Exchange::start().await;
    let info = exchange.get("/api/v3/exchangeInfo?symbol=BTCUSDT").await;
    let symbol = &info["symbols"][0];
    let filters = symbol["filters"].as_array().unwrap();
    let filter = |name: &str| {
        filters
            .iter()
            .find(|filter| filter["filterType"] == name)
            .unwrap()
    };
    assert_eq!(filter("PRICE_FILTER")["tickSize"], "0.01000000");
    assert_eq!(filter("LOT_SIZE")["stepSize"], "0.00001000");
    assert_eq!(filter("NOTIONAL")["minNotional"], "5.00000000");
    assert_eq!(symbol["permissionSets"], json!([["SPOT"]]));
    let kinds: Vec<&Value> = info["rateLimits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|limit| &limit["rateLimitType"])
        .collect();
    assert_eq!(kinds, ["REQUEST_WEIGHT", "ORDERS", "ORDERS"]);
    exchange.stop().await;
}

#[tokio::test]
async fn history_is_cut_into_pages() {
    let exchange = Exchange::start().await;
    for index in 1..=5 {
        exchange
            .place(&format!(
                "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.01&newClientOrderId=h{index}"
            ))
            .await;
    }
    let ids = |rows: Value, name: &str| -> Vec<i64> {
        let rows = rows.as_array().unwrap().clone();
        rows.iter().map(|row| row[name].as_i64().unwrap()).collect()
    };
    let orders = |params: &'static str| exchange.ok(Method::GET, "/api/v3/allOrders", params);
    assert_eq!(
        ids(orders("symbol=BTCUSDT&limit=2").await, "orderId"),
        [4, 5]
    );
    assert_eq!(
        ids(orders("symbol=BTCUSDT&limit=2&orderId=2").await, "orderId"),
        [2, 3]
    );
    let trades = |params: &'static str| exchange.ok(Method::GET, "/api/v3/myTrades", params);
    assert_eq!(
        ids(trades("symbol=BTCUSDT&fromId=3").await, "id"),
        [3, 4, 5]
    );
    assert_eq!(ids(trades("symbol=BTCUSDT&orderId=4").await, "id"), [4]);
    let refused = exchange
        .refused(
            Method::GET,
            "/api/v3/allOrders",
            "symbol=BTCUSDT&startTime=1&endTime=86400002",
        )
        .await;
    assert_eq!(refused.0, -1127);
    let mismatch = exchange
        .refused(
            Method::GET,
            "/api/v3/order",
            "symbol=BTCUSDT&orderId=1&origClientOrderId=h2",
        )
        .await;
    assert_eq!(mismatch.0, -2039);
    exchange.stop().await;
}

#[tokio::test]
async fn accounts_do_not_see_each_other() {
    let mut options = BinanceOptions::rehearsal();
    options
        .keys
        .push(KeyOptions::hmac("other-key", "other-secret", "other"));
    let exchange = Exchange::start_with(options).await;
    exchange
        .place("symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.1&newClientOrderId=mine")
        .await;
    let other = exchange.get("/admin/audit?key=other-key").await;
    assert_eq!(other["spot"]["orders"], json!([]));
    let own = exchange.audit().await;
    let order = &own["spot"]["orders"][0];
    assert_eq!(
        (&order["client_id"], &order["executed_quantity"]),
        (&json!("mine"), &json!("0.10000000"))
    );
    // Acceptance, balances, trade, balances.
    assert_eq!(own["events"]["spot"], 4);
    exchange.stop().await;
}

#[tokio::test]
async fn options_that_make_no_sense_are_refused() {
    use ponte_venue::faces::binance::BinanceFace;
    let cases: [fn(&mut BinanceOptions); 4] = [
        |options| options.spot_commission = 1.into(),
        |options| options.spot_balances[0].1 = (-1).into(),
        |options| options.keys.push(KeyOptions::hmac("", "secret", "x")),
        |options| options.prices.push(("NOPE".to_owned(), 1.into())),
    ];
    for (index, change) in cases.into_iter().enumerate() {
        let mut options = BinanceOptions::rehearsal();
        change(&mut options);
        assert!(BinanceFace::new(&options).is_err(), "case {index}");
    }
}

#[tokio::test]
async fn strangers_paths_are_not_found() {
    let exchange = Exchange::start().await;
    let response = exchange
        .send(Method::GET, "/api/v3/nothing", None, None)
        .await
        .unwrap();
    assert_eq!(response.status(), 404);
    exchange.stop().await;
}
