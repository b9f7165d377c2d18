//! Regular orders over REST.

use super::{Exchange, REHEARSAL_KEY, REHEARSAL_SECRET, bid, ok, read, sign};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

#[tokio::test]
async fn a_market_order_from_acknowledgement_to_audit() {
    let exchange = Exchange::start().await;
    let params = [
        ("symbol", "BTCUSDT"),
        ("side", "BUY"),
        ("type", "MARKET"),
        ("quantity", "0.010"),
        ("newClientOrderId", "m-1"),
    ];
    let placed = exchange.post("/fapi/v1/order", &params).await;
    assert_eq!(
        (&placed["status"], &placed["executedQty"], &placed["cumQty"]),
        (&json!("NEW"), &json!("0.000"), &json!("0.000"))
    );
    assert!(
        placed.get("avgPrice").is_none() && placed.get("cumQuote").is_none(),
        "gone since July 2026: {placed}"
    );
    let found = exchange
        .get(
            "/fapi/v1/order",
            &[("symbol", "BTCUSDT"), ("origClientOrderId", "m-1")],
        )
        .await;
    let expected = json!({
        "orderId": placed["orderId"], "symbol": "BTCUSDT", "status": "FILLED", "clientOrderId": "m-1",
        "price": "0.00", "avgPrice": "60000.00000", "origQty": "0.010", "executedQty": "0.010", "cumQuote": "600.00000",
        "timeInForce": "GTC", "type": "MARKET", "reduceOnly": false, "closePosition": false, "side": "BUY",
        "positionSide": "BOTH", "stopPrice": "0.00", "workingType": "CONTRACT_PRICE", "priceProtect": false,
        "origType": "MARKET", "priceMatch": "NONE", "selfTradePreventionMode": "EXPIRE_MAKER", "goodTillDate": 0,
        "time": found["time"], "updateTime": found["updateTime"],
    });
    assert_eq!(found, expected);
    // The name is free again: the same request is a second order.
    let result = [("newOrderRespType", "RESULT")];
    let again = exchange
        .post("/fapi/v1/order", &[params.as_slice(), &result].concat())
        .await;
    assert_eq!(
        (&again["status"], &again["executedQty"]),
        (&json!("FILLED"), &json!("0.010"))
    );
    assert_eq!(exchange.count("m-1").await, 2);
    let audit = exchange.audit().await;
    assert_eq!(audit["positions"][0]["quantity"], "0.02");
    assert_eq!(audit["balances"][0]["wallet"], "99999.4");
    exchange.stop().await;
}

#[tokio::test]
async fn a_resting_order_is_found_changed_and_cancelled() {
    let exchange = Exchange::start().await;
    let placed = exchange.bid("r-1", "59000.00").await;
    assert_eq!(
        (&placed["status"], &placed["price"], &placed["origQty"]),
        (&json!("NEW"), &json!("59000.00"), &json!("0.100"))
    );
    assert_eq!(
        exchange
            .refusal(Method::POST, "/fapi/v1/order", &bid("r-1", "58000"))
            .await,
        -4116
    );
    let by_name = [("symbol", "BTCUSDT"), ("origClientOrderId", "r-1")];
    assert_eq!(
        exchange.get("/fapi/v1/openOrder", &by_name).await["orderId"],
        placed["orderId"]
    );
    let id = placed["orderId"].to_string();
    let changed = exchange
        .put(
            "/fapi/v1/order",
            &[
                ("symbol", "BTCUSDT"),
                ("side", "BUY"),
                ("orderId", &id),
                ("quantity", "0.2"),
                ("price", "58000"),
            ],
        )
        .await;
    assert_eq!(
        (&changed["orderId"], &changed["price"], &changed["origQty"]),
        (&placed["orderId"], &json!("58000.00"), &json!("0.200"))
    );
    let open = exchange
        .get("/fapi/v1/openOrders", &[("symbol", "BTCUSDT")])
        .await;
    assert_eq!(
        (open.as_array().unwrap().len(), &open[0]["price"]),
        (1, &json!("58000.00"))
    );
    let cancelled = exchange.delete("/fapi/v1/order", &by_name).await;
    assert_eq!(
        (&cancelled["status"], &cancelled["clientOrderId"]),
        (&json!("CANCELED"), &json!("r-1"))
    );
    assert!(cancelled.get("avgPrice").is_none());
    assert_eq!(
        exchange
            .refusal(Method::DELETE, "/fapi/v1/order", &by_name)
            .await,
        -2011
    );
    assert_eq!(
        exchange
            .refusal(Method::GET, "/fapi/v1/openOrder", &by_name)
            .await,
        -2013
    );
    assert_eq!(
        exchange.get("/fapi/v1/order", &by_name).await["status"],
        "CANCELED"
    );
    exchange.stop().await;
}

#[tokio::test]
async fn an_order_that_never_was_is_not_found() {
    let exchange = Exchange::start().await;
    let nobody = [("symbol", "BTCUSDT"), ("origClientOrderId", "nobody")];
    let (status, answer) = exchange.send(Method::GET, "/fapi/v1/order", &nobody).await;
    assert_eq!(
        (status, answer),
        (
            StatusCode::BAD_REQUEST,
            json!({"code": -2013, "msg": "Order does not exist."})
        )
    );
    exchange.stop().await;
}

/// A bid with another value of one parameter, or without it.
fn with<'a>(name: &'a str, value: &'a str) -> Vec<(&'a str, &'a str)> {
    let mut params = bid("w-1", "59000").to_vec();
    params.retain(|(own, _)| *own != name);
    if !value.is_empty() {
        params.push((name, value));
    }
    params
}

#[tokio::test]
async fn refusals_have_the_documented_words() {
    let exchange = Exchange::start().await;
    let missing = "Mandatory parameter 'quantity' was not sent, was empty/null, or malformed.";
    let precision = "Precision is over the maximum defined for this asset.";
    let side = "Order's position side does not match user's setting.";
    let algo = "Order type not supported for this endpoint. Please use the Algo Order API endpoints instead.";
    let cases = [
        ("quantity", "", -1102, missing),
        ("side", "LONG", -1117, "Invalid side."),
        ("type", "LIMIT_MAKER", -1116, "Invalid orderType."),
        ("timeInForce", "DAY", -1115, "Invalid timeInForce."),
        ("quantity", "0.0001", -1111, precision),
        (
            "price",
            "59000.05",
            -4014,
            "Price not increased by tick size.",
        ),
        (
            "price",
            "64000",
            -4016,
            "Limit price can't be higher than 63000.",
        ),
        (
            "quantity",
            "0.0",
            -4003,
            "Quantity less than or equal to zero.",
        ),
        ("positionSide", "LONG", -4061, side),
        ("reduceOnly", "true", -2022, "ReduceOnly Order is rejected."),
        (
            "newOrderRespType",
            "FULL",
            -1136,
            "Invalid newOrderRespType.",
        ),
        (
            "priceMatch",
            "QUEUE",
            -1106,
            "Parameter 'price' sent when not required.",
        ),
        ("type", "STOP_MARKET", -4120, algo),
    ];
    for (name, value, code, message) in cases {
        let params = with(name, value);
        let (status, answer) = exchange.send(Method::POST, "/fapi/v1/order", &params).await;
        assert_eq!(
            (status, answer),
            (
                StatusCode::BAD_REQUEST,
                json!({"code": code, "msg": message})
            ),
            "{params:?}"
        );
    }
    assert_eq!(exchange.audit().await["orders"], json!([]));
    exchange.stop().await;
}

#[tokio::test]
async fn too_small_an_order_is_told_the_minimum() {
    let exchange = Exchange::start().await;
    let tiny = [
        ("symbol", "BTCUSDT"),
        ("side", "BUY"),
        ("type", "LIMIT"),
        ("timeInForce", "GTC"),
        ("quantity", "0.001"),
        ("price", "40000"),
    ];
    let (_, answer) = exchange.send(Method::POST, "/fapi/v1/order", &tiny).await;
    assert_eq!(
        answer["msg"],
        "Order's notional must be no smaller than 50 (unless you choose reduce only)."
    );
    assert_eq!(exchange.audit().await["orders"], json!([]));
    exchange.stop().await;
}

#[tokio::test]
async fn a_test_order_is_checked_and_forgotten() {
    let exchange = Exchange::start().await;
    let answer = exchange
        .post("/fapi/v1/order/test", &bid("t-1", "59000"))
        .await;
    assert_eq!(
        (&answer["clientOrderId"], &answer["status"]),
        (&json!("t-1"), &json!("NEW"))
    );
    assert_eq!(
        exchange
            .refusal(Method::POST, "/fapi/v1/order/test", &bid("t-1", "59000.05"))
            .await,
        -4014
    );
    assert_eq!(exchange.count("t-1").await, 0);
    exchange.stop().await;
}

#[tokio::test]
async fn a_batch_has_an_outcome_for_each_order() {
    let exchange = Exchange::start().await;
    let order = |name: &str, price: Value| {
        json!({
            "symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": 0.1,
            "price": price, "newClientOrderId": name,
        })
    };
    let batch = json!([
        order("b-1", json!("59000")),
        order("b-2", json!(59000.05)),
        order("b-3", json!(58000))
    ]);
    let outcomes = exchange
        .post(
            "/fapi/v1/batchOrders",
            &[("batchOrders", &batch.to_string())],
        )
        .await;
    assert_eq!(
        (
            &outcomes[0]["status"],
            &outcomes[1]["code"],
            &outcomes[2]["price"]
        ),
        (&json!("NEW"), &json!(-4014), &json!("58000.00"))
    );
    let six = json!(vec![order("x", json!("59000")); 6]).to_string();
    assert_eq!(
        exchange
            .refusal(
                Method::POST,
                "/fapi/v1/batchOrders",
                &[("batchOrders", &six)]
            )
            .await,
        -4082
    );
    let names = json!(["b-1", "b-2"]).to_string();
    let outcomes = exchange
        .delete(
            "/fapi/v1/batchOrders",
            &[("symbol", "BTCUSDT"), ("origClientOrderIdList", &names)],
        )
        .await;
    assert_eq!(
        (&outcomes[0]["status"], &outcomes[1]["code"]),
        (&json!("CANCELED"), &json!(-2011))
    );
    let ids = format!(
        "[{}]",
        exchange.get("/fapi/v1/openOrders", &[]).await[0]["orderId"]
    );
    let outcomes = exchange
        .delete(
            "/fapi/v1/batchOrders",
            &[("symbol", "BTCUSDT"), ("orderIdList", &ids)],
        )
        .await;
    assert_eq!(outcomes[0]["clientOrderId"], "b-3");
    exchange.stop().await;
}

#[tokio::test]
async fn histories_of_orders_trades_and_income() {
    let exchange = Exchange::start().await;
    exchange.market("BUY", "0.1").await;
    exchange.tick("61000").await;
    let sold = exchange.market("SELL", "0.1").await;
    exchange.bid("h-1", "60000").await;
    exchange
        .delete("/fapi/v1/allOpenOrders", &[("symbol", "BTCUSDT")])
        .await;
    let orders = exchange
        .get("/fapi/v1/allOrders", &[("symbol", "BTCUSDT")])
        .await;
    let statuses: Vec<&Value> = orders
        .as_array()
        .unwrap()
        .iter()
        .map(|order| &order["status"])
        .collect();
    assert_eq!(statuses, ["FILLED", "FILLED", "CANCELED"]);
    let id = sold["orderId"].to_string();
    let from = exchange
        .get("/fapi/v1/allOrders", &[("orderId", &id), ("limit", "1")])
        .await;
    assert_eq!(
        (from.as_array().unwrap().len(), &from[0]["orderId"]),
        (1, &sold["orderId"])
    );
    let trades = exchange
        .get(
            "/fapi/v1/userTrades",
            &[("symbol", "BTCUSDT"), ("orderId", &id)],
        )
        .await;
    let expected = json!([{
        "symbol": "BTCUSDT", "id": trades[0]["id"], "orderId": sold["orderId"], "side": "SELL", "price": "61000.00",
        "qty": "0.100", "realizedPnl": "100.00000000", "quoteQty": "6100.00000", "commission": "3.05000000",
        "commissionAsset": "USDT", "time": trades[0]["time"], "positionSide": "BOTH", "maker": false, "buyer": false,
    }]);
    assert_eq!(trades, expected);
    let income = exchange
        .get("/fapi/v1/income", &[("incomeType", "REALIZED_PNL")])
        .await;
    assert_eq!(
        (income.as_array().unwrap().len(), &income[0]["income"]),
        (1, &json!("100"))
    );
    let now = exchange.time().await.to_string();
    let week_and_more = [
        ("symbol", "BTCUSDT"),
        ("startTime", "1000"),
        ("endTime", now.as_str()),
    ];
    assert_eq!(
        exchange
            .refusal(Method::GET, "/fapi/v1/userTrades", &week_and_more)
            .await,
        -4165
    );
    exchange.stop().await;
}

#[tokio::test]
async fn counts_are_in_the_headers() {
    let exchange = Exchange::start().await;
    let response = exchange
        .try_send(Method::POST, "/fapi/v1/order", &bid("c-1", "59000"))
        .await
        .unwrap();
    let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(
        (
            header("X-MBX-ORDER-COUNT-10S"),
            header("X-MBX-ORDER-COUNT-1M")
        ),
        ("1".to_owned(), "1".to_owned())
    );
    assert_ne!(header("X-MBX-USED-WEIGHT-1M"), "");
    exchange.stop().await;
}

#[tokio::test]
async fn a_key_reaches_only_its_own_account() {
    let exchange = Exchange::start().await;
    exchange.bid("mine", "59000").await;
    let now = exchange.time().await;
    let query = sign(
        super::OTHER_SECRET,
        &[("symbol", "BTCUSDT"), ("origClientOrderId", "mine")],
        now,
    );
    let request = exchange
        .client
        .get(exchange.url(&format!("/fapi/v1/order?{query}")));
    let (_, answer) = read(
        request
            .header("X-MBX-APIKEY", super::OTHER_KEY)
            .send()
            .await
            .unwrap(),
    )
    .await;
    assert_eq!(answer["code"], -2013);
    for (key, secret, code) in [
        ("nobody", REHEARSAL_SECRET, -2015),
        (REHEARSAL_KEY, "nothing", -1022),
    ] {
        let query = sign(secret, &[("symbol", "BTCUSDT")], now);
        let request = exchange
            .client
            .delete(exchange.url(&format!("/fapi/v1/allOpenOrders?{query}")));
        let (_, answer) = read(request.header("X-MBX-APIKEY", key).send().await.unwrap()).await;
        assert_eq!(answer["code"], code, "{answer}");
    }
    let cancelled = ok(exchange
        .send(
            Method::DELETE,
            "/fapi/v1/allOpenOrders",
            &[("symbol", "BTCUSDT")],
        )
        .await);
    assert_eq!(
        cancelled,
        json!({"code": 200, "msg": "The operation of cancel all open order is done."})
    );
    exchange.stop().await;
}
