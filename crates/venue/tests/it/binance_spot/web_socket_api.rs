//! The web socket API: envelopes, methods, limits and faults.

use super::{Exchange, listen, signed_params};
use serde_json::{Value, json};

async fn ask(exchange: &Exchange, method: &str, params: Value) -> Value {
    let mut socket = exchange.connect("/ws-api/v3").await;
    let params = signed_params(exchange, params).await;
    socket.ask(method, params).await
}

#[tokio::test]
async fn answers_carry_id_status_result_and_limits() {
    let exchange = Exchange::start().await;
    let mut socket = exchange.connect("/ws-api/v3").await;
    socket.say(json!({"id": 7, "method": "ping"})).await;
    let pong = socket.hear().await.unwrap();
    assert_eq!(
        (&pong["id"], &pong["status"], &pong["result"]),
        (&json!(7), &json!(200), &json!({}))
    );
    assert_eq!(pong["rateLimits"][0]["rateLimitType"], "REQUEST_WEIGHT");
    let info = socket
        .ask("exchangeInfo", json!({"symbols": ["ETHUSDT", "SOLUSDT"]}))
        .await;
    assert_eq!(info["result"]["symbols"].as_array().unwrap().len(), 2);
    let unknown = socket.ask("no.such.method", json!({})).await;
    assert_eq!(
        (&unknown["status"], &unknown["error"]["code"]),
        (&json!(400), &json!(-1020))
    );
    let price = socket.ask("ticker.price", json!({"symbol": "NOPE"})).await;
    assert_eq!(
        price["error"],
        json!({"code": -1121, "msg": "Invalid symbol."})
    );
    exchange.stop().await;
}

#[tokio::test]
async fn orders_live_their_life_over_one_connection() {
    let exchange = Exchange::start().await;
    let order = json!({
        "symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "price": "50000.00", "quantity": 0.01,
        "newClientOrderId": "ws",
    });
    let placed = ask(&exchange, "order.place", order.clone()).await;
    assert_eq!(placed["result"]["status"], "NEW", "{placed}");
    let kinds: Vec<&Value> = placed["rateLimits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|limit| &limit["rateLimitType"])
        .collect();
    assert_eq!(kinds, ["ORDERS", "ORDERS", "REQUEST_WEIGHT"]);
    let again = ask(&exchange, "order.place", order.clone()).await;
    assert_eq!(
        again["error"],
        json!({"code": -2010, "msg": "Duplicate order sent."})
    );
    assert_eq!(
        ask(
            &exchange,
            "order.test",
            json!({"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": 1})
        )
        .await["result"],
        json!({})
    );
    let named = json!({"symbol": "BTCUSDT", "origClientOrderId": "ws"});
    assert_eq!(
        ask(&exchange, "order.status", named.clone()).await["result"]["status"],
        "NEW"
    );
    let open = ask(&exchange, "openOrders.status", json!({"symbol": "BTCUSDT"})).await;
    assert_eq!(open["result"].as_array().unwrap().len(), 1);
    assert_eq!(
        ask(&exchange, "order.cancel", named.clone()).await["result"]["status"],
        "CANCELED"
    );
    let gone = ask(&exchange, "order.cancel", named).await;
    assert_eq!(gone["error"]["code"], -2011);
    ask(&exchange, "order.place", order).await;
    let all = ask(
        &exchange,
        "openOrders.cancelAll",
        json!({"symbol": "BTCUSDT"}),
    )
    .await;
    assert_eq!(all["result"].as_array().unwrap().len(), 1);
    let account = ask(
        &exchange,
        "account.status",
        json!({"omitZeroBalances": true}),
    )
    .await;
    assert_eq!(account["result"]["accountType"], "SPOT");
    let counts = ask(&exchange, "account.rateLimits.orders", json!({})).await;
    assert_eq!(counts["result"][0]["count"], 2);
    exchange.stop().await;
}

#[tokio::test]
async fn lists_and_replacements_work_there_too() {
    let exchange = Exchange::start().await;
    let list = json!({
        "symbol": "BTCUSDT", "side": "SELL", "quantity": "0.5", "listClientOrderId": "exit", "aboveType": "LIMIT_MAKER",
        "abovePrice": "65000", "belowType": "STOP_LOSS", "belowStopPrice": "55000",
    });
    let placed = ask(&exchange, "orderList.place.oco", list).await;
    assert_eq!(
        placed["result"]["orders"].as_array().unwrap().len(),
        2,
        "{placed}"
    );
    let found = ask(
        &exchange,
        "orderList.status",
        json!({"origClientOrderId": "exit"}),
    )
    .await;
    assert_eq!(found["result"]["listOrderStatus"], "EXECUTING");
    // Cancelling a leg cancels the list, and shows it.
    let leg = json!({"symbol": "BTCUSDT", "orderId": placed["result"]["orders"][0]["orderId"]});
    let cancelled = ask(&exchange, "order.cancel", leg).await;
    assert_eq!(
        cancelled["result"]["listOrderStatus"], "ALL_DONE",
        "{cancelled}"
    );
    assert_eq!(
        cancelled["result"]["orderReports"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    let replace = json!({
        "symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.1", "cancelReplaceMode": "STOP_ON_FAILURE",
        "cancelOrigClientOrderId": "none",
    });
    let failed = ask(&exchange, "order.cancelReplace", replace).await;
    assert_eq!(failed["error"]["code"], -2022);
    assert_eq!(failed["error"]["data"]["newOrderResult"], "NOT_ATTEMPTED");
    exchange.stop().await;
}

#[tokio::test]
async fn subscriptions_are_numbered_and_end() {
    let exchange = Exchange::start().await;
    let mut socket = listen(&exchange).await;
    let params = signed_params(&exchange, json!({})).await;
    let second = socket
        .ask("userDataStream.subscribe.signature", params)
        .await;
    assert_eq!(second["result"]["subscriptionId"], 1);
    let market = "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.1";
    exchange.place(market).await;
    for id in [0, 1] {
        let new = socket
            .hear_until(|message| message["event"]["x"] == "NEW")
            .await;
        assert_eq!(new["subscriptionId"], id);
    }
    let ended = socket
        .ask("userDataStream.unsubscribe", json!({"subscriptionId": 0}))
        .await;
    assert_eq!(ended["result"], json!({}));
    exchange.place(market).await;
    let new = socket
        .hear_until(|message| message["event"]["x"] == "NEW")
        .await;
    assert_eq!(new["subscriptionId"], 1);
    socket.ask("userDataStream.unsubscribe", json!({})).await;
    let none = socket.ask("userDataStream.unsubscribe", json!({})).await;
    assert_eq!(none["error"]["code"], -2036);
    exchange.stop().await;
}

#[tokio::test]
async fn faults_strike_there_too() {
    let exchange = Exchange::start().await;
    let order = |id: &str| json!({"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.1", "newClientOrderId": id});
    exchange
        .fault(json!({"backend_timeout": {"placed": true}}), "place")
        .await;
    let unclear = ask(&exchange, "order.place", order("unclear")).await;
    assert_eq!(
        (&unclear["status"], &unclear["error"]["code"]),
        (&json!(504), &json!(-1007))
    );
    assert_eq!(exchange.find("unclear").await["status"], "FILLED");

    exchange
        .fault(json!("accept_then_disconnect"), "place")
        .await;
    let mut socket = exchange.connect("/ws-api/v3").await;
    let params = signed_params(&exchange, order("cut")).await;
    socket
        .say(json!({"id": 1, "method": "order.place", "params": params}))
        .await;
    assert_eq!(socket.hear().await, None);
    assert_eq!(exchange.find("cut").await["status"], "FILLED");

    // What takes time doesn't hold up what comes after it.
    exchange
        .fault(json!({"delay": {"milliseconds": 100}}), "place")
        .await;
    let mut socket = exchange.connect("/ws-api/v3").await;
    let params = signed_params(&exchange, order("slow")).await;
    socket
        .say(json!({"id": "slow", "method": "order.place", "params": params}))
        .await;
    socket.say(json!({"id": "quick", "method": "ping"})).await;
    assert_eq!(socket.hear().await.unwrap()["id"], "quick");
    assert_eq!(socket.hear().await.unwrap()["id"], "slow");
    exchange.stop().await;
}

#[tokio::test]
async fn what_is_not_json_is_told_so() {
    use futures_util::SinkExt;
    use tokio_tungstenite::tungstenite::Message;
    let exchange = Exchange::start().await;
    let mut socket = exchange.connect("/ws-api/v3").await;
    socket
        .0
        .send(Message::Text("{nonsense".into()))
        .await
        .unwrap();
    assert_eq!(socket.hear().await.unwrap()["error"]["code"], -1135);
    exchange.stop().await;
}
