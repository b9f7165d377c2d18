//! Market data over REST, and the published signature.

use super::{Exchange, hmac_hex};
use ponte_venue::faces::binance::{BinanceOptions, KeyOptions};
use reqwest::StatusCode;
use serde_json::{Value, json};

#[tokio::test]
async fn rules_are_those_of_the_contracts() {
    let exchange = Exchange::start().await;
    assert_eq!(
        exchange.public("/fapi/v1/ping").await,
        (StatusCode::OK, json!({}))
    );
    let (_, info) = exchange.public("/fapi/v1/exchangeInfo").await;
    assert_eq!(
        (&info["timezone"], &info["futuresType"]),
        (&json!("UTC"), &json!("U_MARGINED"))
    );
    assert_eq!(info["rateLimits"][0]["limit"], 2400);
    let symbols = info["symbols"].as_array().unwrap();
    let names: Vec<&Value> = symbols.iter().map(|symbol| &symbol["symbol"]).collect();
    assert_eq!(names, ["BNBUSDT", "BTCUSDT", "ETHUSDT", "SOLUSDT"]);
    let bitcoin = &symbols[1];
    assert_eq!(
        (&bitcoin["contractType"], &bitcoin["status"]),
        (&json!("PERPETUAL"), &json!("TRADING"))
    );
    let filter = |name: &str| {
        let mut filters = bitcoin["filters"].as_array().unwrap().iter();
        filters
            .find(|filter| filter["filterType"] == name)
            .unwrap()
            .clone()
    };
    assert_eq!(filter("PRICE_FILTER")["tickSize"], "0.10");
    assert_eq!(filter("LOT_SIZE")["stepSize"], "0.001");
    assert_eq!(filter("MARKET_LOT_SIZE")["maxQty"], "120");
    assert_eq!(filter("MIN_NOTIONAL")["notional"], "50");
    assert_eq!(filter("PERCENT_PRICE")["multiplierUp"], "1.0500");
    let types = bitcoin["orderTypes"].as_array().unwrap();
    for wanted in [
        "LIMIT",
        "MARKET",
        "STOP_MARKET",
        "TAKE_PROFIT_MARKET",
        "TRAILING_STOP_MARKET",
    ] {
        assert!(types.contains(&json!(wanted)), "{wanted}");
    }
    exchange.stop().await;
}

#[tokio::test]
async fn prices_follow_the_ticks() {
    let exchange = Exchange::start().await;
    exchange.tick("61234.5").await;
    for version in ["v1", "v2"] {
        let (_, price) = exchange
            .public(&format!("/fapi/{version}/ticker/price?symbol=BTCUSDT"))
            .await;
        assert_eq!(
            (&price["symbol"], &price["price"]),
            (&json!("BTCUSDT"), &json!("61234.50"))
        );
    }
    let (_, all) = exchange.public("/fapi/v1/ticker/price").await;
    assert_eq!(all.as_array().unwrap().len(), 4);
    let (_, book) = exchange
        .public("/fapi/v1/ticker/bookTicker?symbol=BTCUSDT")
        .await;
    assert_eq!(
        (&book["bidPrice"], &book["askPrice"]),
        (&json!("61234.50"), &json!("61234.60"))
    );
    let (_, mark) = exchange
        .public("/fapi/v1/premiumIndex?symbol=BTCUSDT")
        .await;
    assert_eq!(mark["markPrice"], "61234.50000000");
    exchange
        .admin(
            "/admin/mark",
            json!({"symbol": "BTCUSDT", "price": "61000"}),
        )
        .await;
    let (_, mark) = exchange
        .public("/fapi/v1/premiumIndex?symbol=BTCUSDT")
        .await;
    assert_eq!(mark["markPrice"], "61000.00000000");
    let (_, depth) = exchange
        .public("/fapi/v1/depth?symbol=BTCUSDT&limit=5")
        .await;
    assert_eq!(depth["bids"][1][0], "61234.40");
    assert_eq!(depth["asks"].as_array().unwrap().len(), 5);
    let (_, day) = exchange.public("/fapi/v1/ticker/24hr?symbol=BTCUSDT").await;
    assert_eq!(
        (&day["openPrice"], &day["highPrice"]),
        (&json!("60000.00"), &json!("61234.50"))
    );
    assert_eq!(day["priceChangePercent"], "2.058");
    let (_, klines) = exchange
        .public("/fapi/v1/klines?symbol=BTCUSDT&interval=1h&limit=3")
        .await;
    let klines = klines.as_array().unwrap();
    assert_eq!((klines.len(), &klines[2][4]), (3, &json!("61234.50")));
    assert_eq!(
        klines[1][0].as_i64().unwrap() + 3_600_000,
        klines[2][0].as_i64().unwrap()
    );
    exchange.stop().await;
}

#[tokio::test]
async fn questions_that_mean_nothing_are_refused() {
    let exchange = Exchange::start().await;
    let cases = [
        ("/fapi/v1/ticker/price?symbol=XXX", -1121, "Invalid symbol."),
        (
            "/fapi/v1/depth?symbol=BTCUSDT&limit=7",
            -4021,
            "7 is not valid depth limit.",
        ),
        (
            "/fapi/v1/klines?symbol=BTCUSDT&interval=7m",
            -1120,
            "Invalid interval.",
        ),
        (
            "/fapi/v1/depth",
            -1102,
            "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.",
        ),
    ];
    for (path, code, message) in cases {
        let expected = json!({"code": code, "msg": message});
        assert_eq!(
            exchange.public(path).await,
            (StatusCode::BAD_REQUEST, expected),
            "{path}"
        );
    }
    assert_eq!(
        exchange.public("/fapi/v1/nothing").await.0,
        StatusCode::NOT_FOUND
    );
    exchange.stop().await;
}

/// The example of Binance's USDⓈ-M Futures documentation, "SIGNED Endpoint Examples": its signature holds, so that
/// only its age is refused.
#[tokio::test]
async fn the_published_signature_is_understood() {
    let key = "dbefbc809e3e83c283a984c3a1459732ea7db1360ca80c5c2c8867408d28cc83";
    let secret = "2b5eb11e18796d12d88f13dc27dbbd02c2cc51ff7059765ed9821957d82bb4d9";
    let mut options = BinanceOptions::rehearsal();
    options
        .keys
        .push(KeyOptions::hmac(key, secret, "documentation"));
    let exchange = Exchange::start_with(options).await;
    let payload = "symbol=BTCUSDT&side=BUY&type=LIMIT&quantity=1&price=9000&timeInForce=GTC\
                   &recvWindow=5000&timestamp=1591702613943";
    let published = "3c661234138461fcc7a7d8746c6558c9842d4e10870d2ecbedf7777cad694af9";
    assert_eq!(hmac_hex(secret, payload), published);
    let wrong = hmac_hex("another secret", payload);
    for (signature, code) in [(published, -1021), (wrong.as_str(), -1022)] {
        let split = payload.find("quantity").unwrap();
        // In the body, in the query, and half here and half there without a separator.
        let (query, body) = payload.split_at(split - 1);
        let forms = [
            (String::new(), format!("{payload}&signature={signature}")),
            (format!("{payload}&signature={signature}"), String::new()),
            (query.to_owned(), format!("{body}&signature={signature}")),
        ];
        for (query, body) in forms {
            let request = exchange
                .client
                .post(exchange.url(&format!("/fapi/v1/order?{query}")));
            let response = request
                .header("X-MBX-APIKEY", key)
                .body(body)
                .send()
                .await
                .unwrap();
            let (_, answer) = super::read(response).await;
            assert_eq!(answer["code"], code, "{answer}");
        }
    }
    exchange.stop().await;
}
