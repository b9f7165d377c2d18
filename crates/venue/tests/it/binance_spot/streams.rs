//! Private events with their faults, and market streams.

use super::{Exchange, Socket, listen};
use ponte_venue::faces::binance::BinanceOptions;
use ponte_venue::feed::FeedOptions;
use serde_json::{Value, json};

const MARKET: &str = "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.1&newClientOrderId=";

/// The execution types and statuses of an order's events, up to the one that ends it.
async fn reports(socket: &mut Socket, id: &str) -> Vec<String> {
    let mut seen = Vec::new();
    loop {
        let message = socket.hear().await.expect("the connection ended");
        let event = &message["event"];
        if event["e"] == "executionReport" && event["c"] == id {
            let text = |name: &str| event[name].as_str().unwrap().to_owned();
            seen.push(format!("{}/{}", text("x"), text("X")));
            if !["NEW", "PARTIALLY_FILLED"].contains(&text("X").as_str()) {
                return seen;
            }
        }
    }
}

#[tokio::test]
async fn an_order_is_told_from_its_acceptance_to_its_fill() {
    let exchange = Exchange::start().await;
    let mut socket = listen(&exchange).await;
    exchange.place(&format!("{MARKET}told&strategyId=7")).await;
    let new = socket
        .hear_until(|message| message["event"]["x"] == "NEW")
        .await;
    let expected = json!({
        "e": "executionReport", "s": "BTCUSDT", "c": "told", "S": "BUY", "o": "MARKET", "f": "GTC",
        "q": "0.10000000", "p": "0.00000000", "X": "NEW", "i": 1, "C": "", "t": -1, "n": "0", "N": null, "g": -1,
        "z": "0.00000000", "r": "NONE", "j": 7,
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(new["event"][name], *value, "{name}");
    }
    let trade = socket
        .hear_until(|message| message["event"]["x"] == "TRADE")
        .await;
    let expected = json!({
        "X": "FILLED", "l": "0.10000000", "L": "60003.00000000", "z": "0.10000000", "n": "0.00010000", "N": "BTC",
        "t": 1, "m": false, "Z": "6000.30000000", "Y": "6000.30000000",
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(trade["event"][name], *value, "{name}");
    }
    let position = socket
        .hear_until(|message| message["event"]["e"] == "outboundAccountPosition")
        .await;
    assert_eq!(position["subscriptionId"], 0);
    assert_eq!(
        position["event"]["B"][0],
        json!({"a": "BTC", "f": "1.09990000", "l": "0.00000000"})
    );
    exchange.stop().await;
}

#[tokio::test]
async fn a_cancel_has_its_own_name_and_lists_have_their_events() {
    let exchange = Exchange::start().await;
    let mut socket = listen(&exchange).await;
    let list = "symbol=BTCUSDT&side=SELL&quantity=0.5&listClientOrderId=exit&aboveType=LIMIT_MAKER\
        &abovePrice=65000&aboveClientOrderId=target&belowType=STOP_LOSS&belowStopPrice=55000&belowClientOrderId=stop";
    let path = "/api/v3/orderList/oco";
    exchange.ok(reqwest::Method::POST, path, list).await;
    let started = socket
        .hear_until(|message| message["event"]["e"] == "listStatus")
        .await;
    let event = &started["event"];
    assert_eq!(
        (&event["l"], &event["L"], &event["C"]),
        (&json!("EXEC_STARTED"), &json!("EXECUTING"), &json!("exit"))
    );
    let params = "symbol=BTCUSDT&origClientOrderId=target&newClientOrderId=why";
    exchange
        .ok(reqwest::Method::DELETE, "/api/v3/order", params)
        .await;
    let cancelled = socket
        .hear_until(|message| message["event"]["x"] == "CANCELED")
        .await;
    assert_eq!(
        (&cancelled["event"]["c"], &cancelled["event"]["C"]),
        (&json!("why"), &json!("target"))
    );
    let ended = socket
        .hear_until(|message| message["event"]["e"] == "listStatus")
        .await;
    assert_eq!(ended["event"]["L"], "ALL_DONE");
    exchange.stop().await;
}

#[tokio::test]
async fn events_come_twice_never_late_or_swapped() {
    let exchange = Exchange::start().await;
    let mut socket = listen(&exchange).await;
    // The first event of each order is its acceptance.
    let table = [
        (
            json!("duplicate_report"),
            vec!["NEW/NEW", "NEW/NEW", "TRADE/FILLED"],
        ),
        (json!("lose_report"), vec!["TRADE/FILLED"]),
        (
            json!({"late_report": {"milliseconds": 600_000}}),
            vec!["TRADE/FILLED"],
        ),
    ];
    for (index, (fault, expected)) in table.into_iter().enumerate() {
        let id = format!("event{index}");
        exchange.fault(fault.clone(), "stream").await;
        exchange.place(&format!("{MARKET}{id}")).await;
        assert_eq!(reports(&mut socket, &id).await, expected, "{fault}");
    }
    exchange
        .fault(json!({"late_report": {"milliseconds": 20}}), "stream")
        .await;
    exchange.place(&format!("{MARKET}late")).await;
    let is_new =
        |message: &Value| message["event"]["c"] == "late" && message["event"]["x"] == "NEW";
    socket.hear_until(is_new).await;
    // The acceptance comes after what followed it: the balances.
    exchange.fault(json!("reorder_report"), "stream").await;
    exchange.place(&format!("{MARKET}swapped")).await;
    let first = socket.hear().await.unwrap();
    assert_eq!(first["event"]["e"], "outboundAccountPosition", "{first}");
    let second = socket.hear().await.unwrap();
    assert_eq!(
        (&second["event"]["c"], &second["event"]["x"]),
        (&json!("swapped"), &json!("NEW"))
    );
    exchange.stop().await;
}

#[tokio::test]
async fn streams_are_cut_silenced_and_ended() {
    let exchange = Exchange::start().await;
    let mut cut = listen(&exchange).await;
    exchange.fault(json!("cut_stream"), "stream").await;
    exchange.place(&format!("{MARKET}cut")).await;
    assert_eq!(cut.hear().await, None);

    let mut silent = listen(&exchange).await;
    exchange.fault(json!("silence_stream"), "stream").await;
    exchange.place(&format!("{MARKET}silent")).await;
    // The connection answers, but tells no events.
    silent.say(json!({"id": "alive", "method": "ping"})).await;
    assert_eq!(silent.hear().await.unwrap()["id"], "alive");

    let mut ended = listen(&exchange).await;
    exchange
        .admin(
            "streams",
            json!({"do": "event_stream_terminated", "market": "spot"}),
        )
        .await;
    assert_eq!(
        ended.hear().await.unwrap()["event"]["e"],
        "eventStreamTerminated"
    );
    exchange.place(&format!("{MARKET}unheard")).await;
    ended.say(json!({"id": "alive", "method": "ping"})).await;
    assert_eq!(ended.hear().await.unwrap()["id"], "alive");

    let mut warned = listen(&exchange).await;
    exchange
        .admin("streams", json!({"do": "server_shutdown"}))
        .await;
    assert_eq!(warned.hear().await.unwrap()["event"]["e"], "serverShutdown");
    exchange.admin("streams", json!({"do": "close"})).await;
    assert_eq!(warned.hear().await, None);
    exchange.stop().await;
}

#[tokio::test]
async fn market_streams_follow_the_price() {
    let exchange = Exchange::start().await;
    let mut raw = exchange.connect("/ws/btcusdt@bookTicker").await;
    let mut combined = exchange
        .connect("/stream?streams=btcusdt@miniTicker/btcusdt@kline_1m/ethusdt@trade")
        .await;
    let mut asked = exchange.connect("/ws").await;
    let subscribe = json!({"method": "SUBSCRIBE", "params": ["btcusdt@trade", "btcusdt@aggTrade", "btcusdt@ticker", "!miniTicker@arr"], "id": 1});
    asked.say(subscribe).await;
    assert_eq!(
        asked.hear().await.unwrap(),
        json!({"result": null, "id": 1})
    );
    // A subscription by address is there before the connection answers anything.
    for socket in [&mut raw, &mut combined] {
        socket
            .say(json!({"method": "LIST_SUBSCRIPTIONS", "id": 2}))
            .await;
        assert_eq!(socket.hear().await.unwrap()["id"], 2);
    }
    exchange.tick("61000").await;
    let book = raw.hear().await.unwrap();
    assert_eq!(
        (&book["s"], &book["b"], &book["a"]),
        (
            &json!("BTCUSDT"),
            &json!("60996.95000000"),
            &json!("61003.05000000")
        )
    );
    let mini = combined.hear().await.unwrap();
    assert_eq!(
        (&mini["stream"], &mini["data"]["c"]),
        (&json!("btcusdt@miniTicker"), &json!("61000.00000000"))
    );
    let kline = combined.hear().await.unwrap();
    assert_eq!(
        (&kline["stream"], &kline["data"]["k"]["c"]),
        (&json!("btcusdt@kline_1m"), &json!("61000.00000000"))
    );
    let mut kinds = Vec::new();
    for _ in 0..4 {
        let message = asked.hear().await.unwrap();
        let event = if message.is_array() {
            &message[0]
        } else {
            &message
        };
        kinds.push(event["e"].as_str().unwrap().to_owned());
    }
    kinds.sort();
    assert_eq!(kinds, ["24hrMiniTicker", "24hrTicker", "aggTrade", "trade"]);
    let all = json!({"method": "UNSUBSCRIBE", "params": ["btcusdt@trade", "btcusdt@aggTrade", "!miniTicker@arr"], "id": 3});
    asked.say(all).await;
    asked.hear().await.unwrap();
    asked
        .say(json!({"method": "LIST_SUBSCRIPTIONS", "id": 4}))
        .await;
    assert_eq!(
        asked.hear().await.unwrap(),
        json!({"result": ["btcusdt@ticker"], "id": 4})
    );
    exchange.stop().await;
}

#[tokio::test]
async fn a_feed_moves_the_prices_by_itself() {
    let mut options = BinanceOptions::rehearsal();
    options.feed = Some(FeedOptions {
        step_micros: 5_000,
        ..FeedOptions::default()
    });
    let exchange = Exchange::start_with(options).await;
    let mut socket = exchange.connect("/ws/btcusdt@trade").await;
    let first = socket.hear().await.unwrap()["p"].clone();
    socket.hear_until(|trade| trade["p"] != first).await;
    exchange.stop().await;
}

#[tokio::test]
async fn the_server_pings() {
    use futures_util::StreamExt;
    use tokio_tungstenite::tungstenite::Message;
    let mut options = BinanceOptions::rehearsal();
    options.spot_ping = std::time::Duration::from_millis(20);
    let exchange = Exchange::start_with(options).await;
    for path in ["/ws", "/ws-api/v3"] {
        let mut socket = exchange.connect(path).await;
        let message = socket.0.next().await.unwrap().unwrap();
        assert!(matches!(message, Message::Ping(_)), "{message:?}");
    }
    exchange.stop().await;
}

#[tokio::test]
async fn deposits_are_told() {
    let exchange = Exchange::start().await;
    let mut socket = listen(&exchange).await;
    let key = ponte_venue::faces::binance::REHEARSAL_KEY;
    let deposit = |amount: &str| json!({"key": key, "asset": "BTC", "amount": amount});
    exchange.admin("deposits", deposit("-0.25")).await;
    let update = socket.hear().await.unwrap();
    assert_eq!(
        (&update["event"]["e"], &update["event"]["d"]),
        (&json!("balanceUpdate"), &json!("-0.25000000"))
    );
    let position = socket.hear().await.unwrap();
    assert_eq!(
        position["event"]["B"],
        json!([{"a": "BTC", "f": "0.75000000", "l": "0.00000000"}])
    );
    let url = format!("http://{}/admin/deposits", exchange.address);
    let sent = exchange.client.post(url).json(&deposit("-0.76")).send();
    assert_eq!(sent.await.unwrap().status(), 400, "only 0.75 are free");
    exchange.stop().await;
}
