//! Conditional orders over REST.

use super::Exchange;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

fn stop<'a>(name: &'a str, trigger: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("algoType", "CONDITIONAL"),
        ("symbol", "BTCUSDT"),
        ("side", "SELL"),
        ("type", "STOP_MARKET"),
        ("triggerPrice", trigger),
        ("closePosition", "true"),
        ("clientAlgoId", name),
    ]
}

#[tokio::test]
async fn a_stop_is_placed_and_found() {
    let exchange = Exchange::start().await;
    exchange.market("BUY", "0.1").await;
    let placed = exchange
        .post("/fapi/v1/algoOrder", &stop("s-1", "59000"))
        .await;
    let expected = json!({
        "algoId": placed["algoId"], "clientAlgoId": "s-1", "algoType": "CONDITIONAL", "orderType": "STOP_MARKET",
        "symbol": "BTCUSDT", "side": "SELL", "positionSide": "BOTH", "timeInForce": "GTC", "quantity": "0.000",
        "algoStatus": "NEW", "triggerPrice": "59000.00", "price": "0.00", "icebergQuantity": null,
        "selfTradePreventionMode": "EXPIRE_MAKER", "workingType": "CONTRACT_PRICE", "priceMatch": "NONE",
        "closePosition": true, "priceProtect": false, "reduceOnly": true, "activatePrice": "", "callbackRate": "",
        "createTime": placed["createTime"], "updateTime": placed["updateTime"], "triggerTime": 0, "goodTillDate": 0,
    });
    assert_eq!(placed, expected);
    let by_name = [("clientAlgoId", "s-1")];
    let found = exchange.get("/fapi/v1/algoOrder", &by_name).await;
    assert_eq!(
        (
            &found["algoStatus"],
            &found["actualOrderId"],
            &found["actualPrice"]
        ),
        (&json!("NEW"), &json!(""), &json!("0.00000"))
    );
    exchange.stop().await;
}

#[tokio::test]
async fn a_stop_is_not_a_regular_order_until_it_triggers() {
    let exchange = Exchange::start().await;
    exchange.market("BUY", "0.1").await;
    exchange
        .post("/fapi/v1/algoOrder", &stop("s-1", "59000"))
        .await;
    let by_name = [("clientAlgoId", "s-1")];
    let as_regular = [("symbol", "BTCUSDT"), ("origClientOrderId", "s-1")];
    assert_eq!(
        exchange
            .refusal(Method::GET, "/fapi/v1/order", &as_regular)
            .await,
        -2013
    );
    assert_eq!(exchange.get("/fapi/v1/openOrders", &[]).await, json!([]));
    exchange
        .delete("/fapi/v1/allOpenOrders", &[("symbol", "BTCUSDT")])
        .await;
    let open = exchange.get("/fapi/v1/openAlgoOrders", &[]).await;
    assert_eq!(
        (open.as_array().unwrap().len(), &open[0]["clientAlgoId"]),
        (1, &json!("s-1"))
    );
    exchange.tick("58500").await;
    let found = exchange.get("/fapi/v1/algoOrder", &by_name).await;
    assert_eq!(
        (
            &found["algoStatus"],
            &found["actualQty"],
            &found["actualType"]
        ),
        (&json!("FINISHED"), &json!("0.100"), &json!("MARKET"))
    );
    assert_eq!(found["actualPrice"], "58500.00000");
    let id = found["actualOrderId"].as_str().unwrap();
    let order = exchange
        .get("/fapi/v1/order", &[("symbol", "BTCUSDT"), ("orderId", id)])
        .await;
    assert_eq!(
        (
            &order["status"],
            &order["origType"],
            &order["closePosition"]
        ),
        (&json!("FILLED"), &json!("STOP_MARKET"), &json!(true))
    );
    assert_eq!(
        exchange.get("/fapi/v1/openAlgoOrders", &[]).await,
        json!([])
    );
    let audit = exchange.audit().await;
    assert_eq!(
        audit["orders"][1]["algo_id"],
        audit["algo_orders"][0]["algo_id"]
    );
    assert_eq!(
        (&audit["algo_orders"][0]["order_id"], &audit["positions"]),
        (&order["orderId"], &json!([]))
    );
    exchange.stop().await;
}

#[tokio::test]
async fn cancelling_conditional_orders() {
    let exchange = Exchange::start().await;
    let placed = exchange
        .post("/fapi/v1/algoOrder", &stop("c-1", "59000"))
        .await;
    assert_eq!(
        exchange
            .refusal(Method::POST, "/fapi/v1/algoOrder", &stop("c-1", "58000"))
            .await,
        -4116
    );
    assert_eq!(
        exchange
            .refusal(Method::POST, "/fapi/v1/algoOrder", &stop("c-2", "58000"))
            .await,
        -4130
    );
    let id = placed["algoId"].to_string();
    let cancelled = exchange
        .delete("/fapi/v1/algoOrder", &[("algoId", &id)])
        .await;
    assert_eq!(
        cancelled,
        json!({"algoId": placed["algoId"], "clientAlgoId": "c-1", "code": "200", "msg": "success"})
    );
    assert_eq!(
        exchange
            .refusal(Method::DELETE, "/fapi/v1/algoOrder", &[("algoId", &id)])
            .await,
        -2011
    );
    exchange
        .post("/fapi/v1/algoOrder", &stop("c-3", "57000"))
        .await;
    exchange
        .delete("/fapi/v1/algoOpenOrders", &[("symbol", "BTCUSDT")])
        .await;
    let all = exchange
        .get("/fapi/v1/allAlgoOrders", &[("symbol", "BTCUSDT")])
        .await;
    let statuses: Vec<&Value> = all
        .as_array()
        .unwrap()
        .iter()
        .map(|algo| &algo["algoStatus"])
        .collect();
    assert_eq!(statuses, ["CANCELED", "CANCELED"]);
    exchange.stop().await;
}

#[tokio::test]
async fn what_would_trigger_at_once_is_refused() {
    let exchange = Exchange::start().await;
    let (status, answer) = exchange
        .send(Method::POST, "/fapi/v1/algoOrder", &stop("i-1", "60000"))
        .await;
    let expected = json!({"code": -2021, "msg": "Order would immediately trigger."});
    assert_eq!((status, answer), (StatusCode::BAD_REQUEST, expected));
    let mut other_service = stop("i-2", "59000");
    other_service[0] = ("algoType", "VP");
    assert_eq!(
        exchange
            .refusal(Method::POST, "/fapi/v1/algoOrder", &other_service)
            .await,
        -1130
    );
    let quantified = [stop("i-3", "59000"), vec![("quantity", "0.1")]].concat();
    assert_eq!(
        exchange
            .refusal(Method::POST, "/fapi/v1/algoOrder", &quantified)
            .await,
        -4137
    );
    assert_eq!(
        exchange
            .refusal(
                Method::GET,
                "/fapi/v1/algoOrder",
                &[("clientAlgoId", "i-1")]
            )
            .await,
        -2013
    );
    exchange.stop().await;
}

#[tokio::test]
async fn a_trailing_stop_on_the_mark_price() {
    let exchange = Exchange::start().await;
    exchange.market("BUY", "0.1").await;
    let params = [
        ("algoType", "CONDITIONAL"),
        ("symbol", "BTCUSDT"),
        ("side", "SELL"),
        ("type", "TRAILING_STOP_MARKET"),
        ("quantity", "0.1"),
        ("reduceOnly", "true"),
        ("callbackRate", "1"),
        ("activatePrice", "61000"),
        ("workingType", "MARK_PRICE"),
        ("clientAlgoId", "t-1"),
    ];
    let placed = exchange.post("/fapi/v1/algoOrder", &params).await;
    assert_eq!(
        (&placed["activatePrice"], &placed["callbackRate"]),
        (&json!("61000.00"), &json!("1"))
    );
    let mark = async |price: Option<&str>| {
        exchange
            .admin("/admin/mark", json!({"symbol": "BTCUSDT", "price": price}))
            .await;
    };
    mark(Some("62000")).await;
    exchange.tick("50000").await;
    let by_name = [("clientAlgoId", "t-1")];
    assert_eq!(
        exchange.get("/fapi/v1/algoOrder", &by_name).await["algoStatus"],
        "NEW",
        "the last price doesn't count"
    );
    mark(Some("61380")).await;
    assert_eq!(
        exchange.get("/fapi/v1/algoOrder", &by_name).await["algoStatus"],
        "FINISHED"
    );
    assert_eq!(exchange.audit().await["positions"], json!([]));
    exchange.stop().await;
}
