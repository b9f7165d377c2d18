//! Private and market streams.

use super::{Exchange, OTHER_KEY, REHEARSAL_KEY, Socket, ok};
use ponte_venue::faces::binance::BinanceOptions;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test]
async fn a_fill_is_told_in_all_its_events() {
    let exchange = Exchange::start().await;
    let key = exchange.listen_key().await;
    let mut stream = exchange.connect(&format!("/private/ws/{key}")).await;
    let order = exchange.bid("e-1", "59000.00").await;
    let event = stream.next().await;
    assert_eq!(
        (&event["e"], &event["o"]["x"], &event["o"]["X"]),
        (&json!("ORDER_TRADE_UPDATE"), &json!("NEW"), &json!("NEW"))
    );
    assert!(event["o"].get("n").is_none(), "nothing was paid yet");
    exchange.tick("58000").await;
    let lite = stream.next().await;
    let expected = json!({
        "e": "TRADE_LITE", "E": lite["E"], "T": lite["T"], "s": "BTCUSDT", "q": "0.1", "p": "59000", "m": true,
        "c": "e-1", "S": "BUY", "L": "59000", "l": "0.1", "t": lite["t"], "i": order["orderId"],
    });
    assert_eq!(lite, expected);
    let account = stream.next().await;
    let expected = json!({
        "m": "ORDER",
        "B": [{"a": "USDT", "wb": "99998.82", "cw": "99998.82", "bc": "0"}],
        "P": [{
            "s": "BTCUSDT", "pa": "0.1", "ep": "59000", "bep": "59000", "cr": "0", "up": "-100", "mt": "cross",
            "iw": "0", "ps": "BOTH",
        }],
    });
    assert_eq!(
        (&account["e"], &account["a"]),
        (&json!("ACCOUNT_UPDATE"), &expected)
    );
    let trade = stream.next().await;
    let expected = json!({
        "s": "BTCUSDT", "c": "e-1", "S": "BUY", "o": "LIMIT", "f": "GTC", "q": "0.1", "p": "59000", "ap": "59000",
        "sp": "0", "x": "TRADE", "X": "FILLED", "i": order["orderId"], "l": "0.1", "z": "0.1", "L": "59000",
        "n": "1.18", "N": "USDT", "T": trade["T"], "t": lite["t"], "b": "0", "a": "0", "m": true, "R": false,
        "wt": "CONTRACT_PRICE", "ot": "LIMIT", "ps": "BOTH", "cp": false, "pP": false, "si": 0, "ss": 0, "rp": "0",
        "V": "EXPIRE_MAKER", "pm": "NONE", "gtd": 0, "er": "0",
    });
    assert_eq!(
        (&trade["e"], &trade["o"]),
        (&json!("ORDER_TRADE_UPDATE"), &expected)
    );
    stream.assert_idle().await;
    exchange.stop().await;
}

#[tokio::test]
async fn every_address_of_a_private_stream_works() {
    let exchange = Exchange::start().await;
    let key = exchange.listen_key().await;
    let raw = [
        format!("/private/ws/{key}"),
        format!("/private/ws?listenKey={key}"),
        format!("/ws/{key}"),
    ];
    let combined = [
        format!("/private/stream?streams={key}"),
        format!("/private/stream?listenKey={key}"),
        format!("/stream?streams={key}"),
    ];
    let chosen = format!("/private/ws?listenKey={key}&events=ACCOUNT_UPDATE/ALGO_UPDATE");
    let mut sockets = Vec::new();
    for path in raw.iter().chain(&combined).chain([&chosen]) {
        sockets.push((path, exchange.connect(path).await));
    }
    let mut late = exchange.connect("/private/ws").await;
    assert_eq!(
        late.ask(json!({"method": "SUBSCRIBE", "params": [key], "id": 7}))
            .await,
        json!({"result": null, "id": 7})
    );
    exchange.market("BUY", "0.1").await;
    for (path, socket) in &mut sockets {
        let event = socket.next().await;
        let event = if combined.contains(path) {
            assert_eq!(event["stream"], key.as_str(), "{path}");
            event["data"].clone()
        } else {
            event
        };
        let first = if **path == chosen {
            "ACCOUNT_UPDATE"
        } else {
            "ORDER_TRADE_UPDATE"
        };
        assert_eq!(event["e"], first, "{path}");
    }
    assert_eq!(late.next().await["e"], "ORDER_TRADE_UPDATE");
    sockets.last_mut().unwrap().1.assert_idle().await;
    exchange.stop().await;
}

#[tokio::test]
async fn a_wrong_key_or_address_stays_silent() {
    let exchange = Exchange::start().await;
    let key = exchange.listen_key().await;
    let other = ok(exchange.listen_key_of(OTHER_KEY, Method::POST).await);
    let mut right = exchange.connect(&format!("/private/ws/{key}")).await;
    let wrong = [
        "/private/ws/0123456789012345678901234567890123456789012345678901234567890123".to_owned(),
        format!("/market/ws/{key}"),
        format!("/public/ws/{key}"),
        format!("/private/ws/{}", other["listenKey"].as_str().unwrap()),
        "/public/ws/btcusdt@aggTrade".to_owned(),
        "/market/ws/btcusdt@bookTicker".to_owned(),
        "/private/ws/btcusdt@aggTrade".to_owned(),
    ];
    let mut silent = Vec::new();
    for path in wrong {
        silent.push(exchange.connect(&path).await);
    }
    exchange.market("BUY", "0.1").await;
    exchange.tick("60001").await;
    right.event("ACCOUNT_UPDATE").await;
    for socket in &mut silent {
        socket.assert_idle().await;
    }
    exchange.stop().await;
}

#[tokio::test]
async fn a_listen_key_is_one_is_extended_and_ends() {
    let exchange = Exchange::start().await;
    let (status, answer) = exchange.listen_key_of(REHEARSAL_KEY, Method::PUT).await;
    assert_eq!(
        (status, answer),
        (
            StatusCode::BAD_REQUEST,
            json!({"code": -1125, "msg": "This listenKey does not exist."})
        )
    );
    let key = exchange.listen_key().await;
    assert_eq!(exchange.listen_key().await, key);
    assert_eq!(
        ok(exchange.listen_key_of(REHEARSAL_KEY, Method::PUT).await)["listenKey"],
        key.as_str()
    );
    assert_eq!(
        exchange.listen_key_of("nobody", Method::POST).await.1["code"],
        -2015
    );
    let mut stream = exchange.connect(&format!("/private/ws/{key}")).await;
    ok(exchange.listen_key_of(REHEARSAL_KEY, Method::DELETE).await);
    exchange.bid("unheard", "59000").await;
    stream.assert_idle().await;
    let fresh = exchange.listen_key().await;
    assert_ne!(fresh, key);
    let mut stream = exchange.connect(&format!("/private/ws/{fresh}")).await;
    // An hour passes.
    exchange
        .admin("/admin/clock", json!({"skew_ms": 3_700_000}))
        .await;
    let expired = stream.next().await;
    assert_eq!(
        (&expired["e"], &expired["listenKey"]),
        (&json!("listenKeyExpired"), &json!(fresh))
    );
    exchange.bid("unheard-2", "58000").await;
    stream.assert_idle().await;
    assert_eq!(
        exchange.listen_key_of(REHEARSAL_KEY, Method::PUT).await.1["code"],
        -1125
    );
    exchange.stop().await;
}

#[tokio::test]
async fn the_administration_ends_keys_and_connections() {
    let exchange = Exchange::start().await;
    let key = exchange.listen_key().await;
    let mut stream = exchange.connect(&format!("/private/ws/{key}")).await;
    let told = exchange
        .admin(
            "/admin/streams",
            json!({"do": "listen_key_expired", "key": REHEARSAL_KEY}),
        )
        .await;
    assert_eq!(told, json!({"connections": 1}));
    assert_eq!(stream.next().await["listenKey"], key.as_str());
    let fresh = exchange.listen_key().await;
    assert_ne!(fresh, key);
    let mut stream = exchange.connect(&format!("/private/ws/{fresh}")).await;
    exchange
        .admin("/admin/streams", json!({"do": "cut", "market": "futures"}))
        .await;
    assert_eq!(stream.try_next().await, None);
    // What happened meanwhile is not told again: it has to be asked for.
    exchange.bid("missed", "59000").await;
    let mut stream = exchange.connect(&format!("/private/ws/{fresh}")).await;
    exchange.bid("heard", "58000").await;
    assert_eq!(stream.next().await["o"]["c"], "heard");
    let open = exchange.get("/fapi/v1/openOrders", &[]).await;
    assert_eq!(open.as_array().unwrap().len(), 2);
    exchange.stop().await;
}

#[tokio::test]
async fn conditional_orders_and_settings_are_told() {
    let exchange = Exchange::start().await;
    let key = exchange.listen_key().await;
    let mut stream = exchange.connect(&format!("/private/ws/{key}")).await;
    exchange
        .post(
            "/fapi/v1/leverage",
            &[("symbol", "BTCUSDT"), ("leverage", "7")],
        )
        .await;
    let config = stream.next().await;
    assert_eq!(
        (&config["e"], &config["ac"]),
        (
            &json!("ACCOUNT_CONFIG_UPDATE"),
            &json!({"s": "BTCUSDT", "l": 7})
        )
    );
    exchange
        .post(
            "/fapi/v1/algoOrder",
            &[
                ("algoType", "CONDITIONAL"),
                ("symbol", "BTCUSDT"),
                ("side", "BUY"),
                ("type", "STOP_MARKET"),
                ("quantity", "0.1"),
                ("triggerPrice", "61000"),
                ("clientAlgoId", "u-1"),
            ],
        )
        .await;
    let placed = stream.next().await;
    let expected = json!({
        "caid": "u-1", "aid": placed["o"]["aid"], "at": "CONDITIONAL", "o": "STOP_MARKET", "s": "BTCUSDT", "S": "BUY",
        "ps": "BOTH", "f": "GTC", "q": "0.1", "X": "NEW", "ai": "", "ap": "0", "aq": "0", "act": "0", "tp": "61000",
        "p": "0", "V": "EXPIRE_MAKER", "wt": "CONTRACT_PRICE", "pm": "NONE", "cp": false, "pP": false, "R": false,
        "tt": 0, "gtd": 0, "rm": "",
    });
    assert_eq!(
        (&placed["e"], &placed["o"]),
        (&json!("ALGO_UPDATE"), &expected)
    );
    exchange.tick("61000").await;
    assert_eq!(stream.event("ALGO_UPDATE").await["o"]["X"], "TRIGGERING");
    let triggered = stream.event("ALGO_UPDATE").await;
    assert_eq!(triggered["o"]["X"], "TRIGGERED");
    let finished = stream.event("ALGO_UPDATE").await;
    let fields = &finished["o"];
    assert_eq!(
        (&fields["X"], &fields["ap"], &fields["aq"], &fields["act"]),
        (
            &json!("FINISHED"),
            &json!("61000"),
            &json!("0.1"),
            &json!("MARKET")
        )
    );
    assert_eq!(fields["ai"], triggered["o"]["ai"]);
    exchange.stop().await;
}

#[tokio::test]
async fn market_streams_tell_of_every_tick() {
    let exchange = Exchange::start().await;
    let mut book = exchange.connect("/public/ws/btcusdt@bookTicker").await;
    let mut single = exchange.connect("/public/ws/btcusdt@trade").await;
    let mut market = exchange
        .connect("/market/stream?streams=btcusdt@aggTrade/btcusdt@kline_1m")
        .await;
    let mut later = exchange.connect("/market/ws").await;
    let names = json!(["btcusdt@miniTicker", "btcusdt@ticker"]);
    assert_eq!(
        later
            .ask(json!({"method": "SUBSCRIBE", "params": names, "id": 1}))
            .await["result"],
        Value::Null
    );
    exchange.tick("61000").await;
    assert_eq!(single.next().await["e"], "trade");
    let ticker = book.next().await;
    assert_eq!(
        (&ticker["e"], &ticker["b"], &ticker["a"]),
        (&json!("bookTicker"), &json!("61000.00"), &json!("61000.10"))
    );
    let mut seen: Vec<Value> = vec![market.next().await, market.next().await];
    seen.sort_by_key(|message| message["stream"].to_string());
    assert_eq!(
        (&seen[0]["stream"], &seen[0]["data"]["p"]),
        (&json!("btcusdt@aggTrade"), &json!("61000.00"))
    );
    assert_eq!(
        (&seen[1]["stream"], &seen[1]["data"]["k"]["c"]),
        (&json!("btcusdt@kline_1m"), &json!("61000.00"))
    );
    let mini = later.next().await;
    assert_eq!(
        (&mini["e"], &mini["c"]),
        (&json!("24hrMiniTicker"), &json!("61000.00"))
    );
    assert_eq!(later.next().await["e"], "24hrTicker");
    later
        .ask(json!({"method": "UNSUBSCRIBE", "params": names, "id": 2}))
        .await;
    exchange.tick("61001").await;
    book.next().await;
    later.assert_idle().await;
    exchange.stop().await;
}

#[tokio::test]
async fn the_mark_price_speaks_by_the_clock() {
    let exchange = Exchange::start().await;
    let mut marks = exchange.connect("/market/ws/btcusdt@markPrice@1s").await;
    exchange
        .admin(
            "/admin/mark",
            json!({"symbol": "BTCUSDT", "price": "59999"}),
        )
        .await;
    let update = async |marks: &mut Socket| loop {
        let event = marks.event("markPriceUpdate").await;
        if event["p"] == "59999.00000000" {
            return event;
        }
    };
    assert_eq!(update(&mut marks).await["s"], "BTCUSDT");
    exchange.stop().await;
}

#[tokio::test]
async fn the_server_pings() {
    use futures_util::StreamExt;
    use tokio_tungstenite::tungstenite::Message;
    let options = BinanceOptions {
        futures_ping: Duration::from_millis(5),
        ..BinanceOptions::rehearsal()
    };
    let exchange = Exchange::start_with(options).await;
    let key = exchange.listen_key().await;
    let mut stream = exchange.connect(&format!("/private/ws/{key}")).await;
    let pinged = async {
        while let Some(message) = stream.0.next().await {
            if matches!(message, Ok(Message::Ping(_))) {
                return true;
            }
        }
        false
    };
    assert!(
        tokio::time::timeout(super::PATIENCE, pinged)
            .await
            .expect("no ping comes")
    );
    exchange.stop().await;
}

#[tokio::test]
async fn both_sides_of_the_hedge_mode_are_told_apart_across_a_reconnection() {
    let exchange = Exchange::start().await;
    exchange
        .post(
            "/fapi/v1/positionSide/dual",
            &[("dualSidePosition", "true")],
        )
        .await;
    let key = exchange.listen_key().await;
    let cases = [("BUY", "LONG", "0.1"), ("SELL", "SHORT", "-0.1")];
    for (side, position_side, amount) in cases {
        // Each order is heard on a connection of its own, under the same key.
        let mut stream = exchange.connect(&format!("/private/ws/{key}")).await;
        let order = [
            ("symbol", "BTCUSDT"),
            ("side", side),
            ("type", "MARKET"),
            ("positionSide", position_side),
            ("quantity", "0.1"),
        ];
        exchange.post("/fapi/v1/order", &order).await;
        let account = stream.event("ACCOUNT_UPDATE").await;
        let positions = account["a"]["P"].as_array().unwrap();
        assert_eq!(positions.len(), 1, "only what changed");
        assert_eq!(
            (&positions[0]["ps"], &positions[0]["pa"]),
            (&json!(position_side), &json!(amount))
        );
        let trade = stream.event("ORDER_TRADE_UPDATE").await;
        assert_eq!(
            (&trade["o"]["x"], &trade["o"]["ps"]),
            (&json!("TRADE"), &json!(position_side))
        );
        exchange
            .admin("/admin/streams", json!({"do": "cut", "market": "futures"}))
            .await;
        assert_eq!(stream.try_next().await, None);
    }
    exchange.stop().await;
}
