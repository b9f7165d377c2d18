//! The web socket API.

use super::{Exchange, REHEARSAL_KEY, REHEARSAL_SECRET, Socket, hmac_hex};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ponte_venue::faces::binance::{BinanceOptions, KeyOptions};
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Map, Value, json};

const LOGON_KEY: &str = "ed25519-key";

/// The text a web socket's request is signed over.
fn payload(params: &Map<String, Value>) -> String {
    let mut pairs: Vec<String> = params
        .iter()
        .map(|(name, value)| {
            format!(
                "{name}={}",
                value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned)
            )
        })
        .collect();
    pairs.sort();
    pairs.join("&")
}

/// A request signed with the rehearsal key.
async fn signed(exchange: &Exchange, method: &str, params: Value) -> Value {
    let mut params = params.as_object().unwrap().clone();
    params.insert("apiKey".to_owned(), json!(REHEARSAL_KEY));
    params.insert("timestamp".to_owned(), json!(exchange.time().await));
    let signature = hmac_hex(REHEARSAL_SECRET, &payload(&params));
    params.insert("signature".to_owned(), json!(signature));
    json!({"id": method, "method": method, "params": params})
}

/// A signed request for a bid that rests.
pub(super) async fn order(exchange: &Exchange, name: &str) -> Value {
    let params = json!({
        "symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.1",
        "price": "59000", "newClientOrderId": name,
    });
    signed(exchange, "order.place", params).await
}

async fn result(exchange: &Exchange, socket: &mut Socket, method: &str, params: Value) -> Value {
    let answer = socket.ask(signed(exchange, method, params).await).await;
    assert_eq!(
        (&answer["id"], &answer["status"]),
        (&json!(method), &json!(200)),
        "{answer}"
    );
    answer["result"].clone()
}

#[tokio::test]
async fn orders_over_the_web_socket() {
    let exchange = Exchange::start().await;
    let mut socket = exchange.connect("/ws-fapi/v1").await;
    let order = json!({
        "symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.1",
        "price": "59000", "newClientOrderId": "w-1",
    });
    let answer = socket
        .ask(signed(&exchange, "order.place", order.clone()).await)
        .await;
    assert_eq!(
        (&answer["status"], &answer["result"]["status"]),
        (&json!(200), &json!("NEW"))
    );
    let limits = answer["rateLimits"].as_array().unwrap();
    assert!(
        limits
            .iter()
            .any(|limit| limit["rateLimitType"] == "ORDERS" && limit["count"] == 1),
        "{answer}"
    );
    let refused = socket
        .ask(signed(&exchange, "order.place", order).await)
        .await;
    assert_eq!(
        (&refused["status"], &refused["error"]["code"]),
        (&json!(400), &json!(-4116))
    );
    let by_name = json!({"symbol": "BTCUSDT", "origClientOrderId": "w-1"});
    let status = result(&exchange, &mut socket, "order.status", by_name.clone()).await;
    assert_eq!(status["orderId"], answer["result"]["orderId"]);
    let change = json!({"symbol": "BTCUSDT", "origClientOrderId": "w-1", "side": "BUY", "quantity": "0.2", "price": "58000"});
    assert_eq!(
        result(&exchange, &mut socket, "order.modify", change).await["price"],
        "58000.00"
    );
    assert_eq!(
        result(&exchange, &mut socket, "order.cancel", by_name).await["status"],
        "CANCELED"
    );
    let stop = json!({
        "algoType": "CONDITIONAL", "symbol": "BTCUSDT", "side": "SELL", "type": "STOP_MARKET", "quantity": 0.1,
        "triggerPrice": 59000, "clientAlgoId": "w-2",
    });
    assert_eq!(
        result(&exchange, &mut socket, "algoOrder.place", stop).await["algoStatus"],
        "NEW"
    );
    let cancelled = result(
        &exchange,
        &mut socket,
        "algoOrder.cancel",
        json!({"clientAlgoId": "w-2"}),
    )
    .await;
    assert_eq!(cancelled["msg"], "success");
    exchange.stop().await;
}

#[tokio::test]
async fn the_account_over_the_web_socket() {
    let exchange = Exchange::start().await;
    exchange.market("BUY", "0.1").await;
    let mut socket = exchange.connect("/ws-fapi/v1?returnRateLimits=false").await;
    for method in ["account.balance", "v2/account.balance"] {
        assert_eq!(
            result(&exchange, &mut socket, method, json!({})).await[0]["asset"],
            "USDT"
        );
    }
    for (method, count) in [("account.position", 4), ("v2/account.position", 1)] {
        let positions = result(&exchange, &mut socket, method, json!({})).await;
        assert_eq!(positions.as_array().unwrap().len(), count, "{method}");
    }
    let status = result(&exchange, &mut socket, "v2/account.status", json!({})).await;
    assert_eq!(status["positions"][0]["positionAmt"], "0.100");
    let price = socket
        .ask(json!({"id": 1, "method": "ticker.price", "params": {"symbol": "BTCUSDT"}}))
        .await;
    assert_eq!(
        (&price["result"]["price"], price.get("rateLimits")),
        (&json!("60000.00"), None)
    );
    exchange.stop().await;
}

#[tokio::test]
async fn the_listen_key_over_the_web_socket() {
    let exchange = Exchange::start().await;
    let mut socket = exchange.connect("/ws-fapi/v1").await;
    let ask =
        |method: &str| json!({"id": 5, "method": method, "params": {"apiKey": REHEARSAL_KEY}});
    assert_eq!(
        socket.ask(ask("userDataStream.ping")).await["error"]["code"],
        -1125
    );
    let started = socket.ask(ask("userDataStream.start")).await;
    let key = started["result"]["listenKey"].as_str().unwrap();
    assert_eq!(key, exchange.listen_key().await);
    assert_eq!(
        socket.ask(ask("userDataStream.ping")).await["result"]["listenKey"],
        key
    );
    let mut stream = exchange.connect(&format!("/private/ws/{key}")).await;
    exchange.bid("l-1", "59000").await;
    assert_eq!(stream.next().await["o"]["c"], "l-1");
    assert_eq!(socket.ask(ask("userDataStream.stop")).await["status"], 200);
    assert_eq!(
        socket.ask(ask("userDataStream.stop")).await["error"]["code"],
        -1125
    );
    exchange.stop().await;
}

#[tokio::test]
async fn a_session_logs_on_with_ed25519_only() {
    // The first test vector of RFC 8032.
    let seed: Vec<u8> = (0..32)
        .map(|index| {
            let hex = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
            u8::from_str_radix(&hex[index * 2..index * 2 + 2], 16).unwrap()
        })
        .collect();
    let pair = Ed25519KeyPair::from_seed_unchecked(&seed).unwrap();
    let mut der = vec![
        0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
    ];
    der.extend(pair.public_key().as_ref());
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----",
        STANDARD.encode(der)
    );
    let mut options = BinanceOptions::rehearsal();
    options
        .keys
        .push(KeyOptions::hmac(LOGON_KEY, "", "rehearsal").with_public_key(&pem));
    let exchange = Exchange::start_with(options).await;
    let mut socket = exchange.connect("/ws-fapi/v1").await;
    let by_hmac = socket
        .ask(signed(&exchange, "session.logon", json!({})).await)
        .await;
    assert_ne!(by_hmac["status"], 200, "{by_hmac}");
    let mut params = Map::new();
    params.insert("apiKey".to_owned(), json!(LOGON_KEY));
    params.insert("timestamp".to_owned(), json!(exchange.time().await));
    let signature = STANDARD.encode(pair.sign(payload(&params).as_bytes()));
    params.insert("signature".to_owned(), json!(signature));
    let on = socket
        .ask(json!({"id": 1, "method": "session.logon", "params": params}))
        .await;
    assert_eq!(
        (&on["status"], &on["result"]["apiKey"]),
        (&json!(200), &json!(LOGON_KEY))
    );
    let order = json!({
        "symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.1", "newOrderRespType": "RESULT",
        "timestamp": exchange.time().await,
    });
    let placed = socket
        .ask(json!({"id": 2, "method": "order.place", "params": order}))
        .await;
    assert_eq!(placed["result"]["status"], "FILLED", "{placed}");
    socket
        .ask(json!({"id": 3, "method": "session.logout"}))
        .await;
    let refused = socket
        .ask(json!({"id": 4, "method": "order.place", "params": order}))
        .await;
    assert_ne!(refused["status"], 200);
    assert_eq!(
        exchange.audit().await["orders"].as_array().unwrap().len(),
        1
    );
    exchange.stop().await;
}
