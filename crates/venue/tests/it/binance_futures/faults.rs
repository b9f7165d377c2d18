//! Every fault that a client of the futures market can meet.

use super::{Exchange, bid};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

const ORDER: &str = "/fapi/v1/order";

#[tokio::test]
async fn the_documented_503s_say_what_they_mean() {
    let cases = [
        (
            json!({"unknown_error": {"placed": true}}),
            503,
            "Unknown error, please check your request or try again later.",
            1,
        ),
        (
            json!({"unknown_error": {"placed": false}}),
            503,
            "Unknown error, please check your request or try again later.",
            0,
        ),
        (json!("service_unavailable"), 503, "Service Unavailable.", 0),
        (
            json!("internal_error"),
            503,
            "Internal error; unable to process your request. Please try again.",
            0,
        ),
    ];
    for (fault, status, message, placed) in cases {
        let exchange = Exchange::start().await;
        exchange.fault(fault.clone(), "place").await;
        let (answered, answer) = exchange
            .send(Method::POST, ORDER, &bid("f-1", "59000"))
            .await;
        assert_eq!(
            (answered.as_u16(), &answer["msg"]),
            (status, &json!(message)),
            "{fault}"
        );
        assert_eq!(exchange.count("f-1").await, placed, "{fault}");
        exchange.stop().await;
    }
}

#[tokio::test]
async fn codes_of_unknown_and_of_certain_failure() {
    let cases = [
        (json!({"backend_timeout": {"placed": true}}), 408, -1007, 1),
        (json!({"backend_timeout": {"placed": false}}), 408, -1007, 0),
        (
            json!({"unexpected_response": {"placed": true}}),
            500,
            -1006,
            1,
        ),
        (json!("error_after_accept"), 500, -1000, 1),
        (json!("overloaded"), 503, -1008, 0),
        (json!("reject"), 400, -2010, 0),
        (json!({"rate_limited": {"retry_after": 3}}), 429, -1003, 0),
        (json!({"banned": {"retry_after": 3}}), 418, -1003, 0),
    ];
    for (fault, expected, code, placed) in cases {
        let exchange = Exchange::start().await;
        exchange.fault(fault.clone(), "place").await;
        let response = exchange
            .try_send(Method::POST, ORDER, &bid("f-1", "59000"))
            .await
            .unwrap();
        let has_wait = response.headers().contains_key("retry-after");
        let (status, answer) = super::read(response).await;
        assert_eq!(
            (status.as_u16(), &answer["code"]),
            (expected, &json!(code)),
            "{fault}"
        );
        assert_eq!(has_wait, [429, 418].contains(&status.as_u16()), "{fault}");
        assert_eq!(exchange.count("f-1").await, placed, "{fault}");
        exchange.stop().await;
    }
}

#[tokio::test]
async fn an_order_can_arrive_without_an_answer() {
    for (fault, placed) in [("accept_then_disconnect", 1), ("disconnect_before", 0)] {
        let exchange = Exchange::start().await;
        exchange.fault(json!(fault), "place").await;
        let broken = exchange
            .try_send(Method::POST, ORDER, &bid("f-1", "59000"))
            .await;
        assert!(broken.is_err(), "{fault}");
        assert_eq!(exchange.count("f-1").await, placed, "{fault}");
        exchange.stop().await;
    }
}

#[tokio::test]
async fn bodies_that_no_program_reads() {
    for (fault, placed) in [
        (json!({"html_body": {"placed": true}}), 1),
        (json!({"html_body": {"placed": false}}), 0),
        (json!("truncated_body"), 1),
    ] {
        let exchange = Exchange::start().await;
        exchange.fault(fault.clone(), "place").await;
        let response = exchange
            .try_send(Method::POST, ORDER, &bid("f-1", "59000"))
            .await
            .unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        let text = response.text().await.unwrap();
        assert!(
            serde_json::from_str::<Value>(&text).is_err(),
            "{fault}: {text}"
        );
        assert_eq!(exchange.count("f-1").await, placed, "{fault}");
        exchange.stop().await;
    }
}

#[tokio::test]
async fn a_lookup_may_lag_behind() {
    let exchange = Exchange::start().await;
    exchange.bid("f-1", "59000").await;
    let by_name = [("symbol", "BTCUSDT"), ("origClientOrderId", "f-1")];
    let rule = json!({"fault": "pretend_absent", "trigger": {"next": 2}, "market": "futures"});
    exchange.admin("/admin/faults", rule).await;
    assert_eq!(exchange.refusal(Method::GET, ORDER, &by_name).await, -2013);
    assert_eq!(exchange.get("/fapi/v1/openOrders", &[]).await, json!([]));
    assert_eq!(exchange.get(ORDER, &by_name).await["status"], "NEW");
    exchange.stop().await;
}

#[tokio::test]
async fn a_market_order_may_run_out_of_counterparties() {
    let exchange = Exchange::start().await;
    exchange
        .fault(json!({"partial_fill": {"per_mille": 400}}), "place")
        .await;
    let order = exchange.market("BUY", "0.010").await;
    assert_eq!(
        (&order["status"], &order["executedQty"]),
        (&json!("EXPIRED"), &json!("0.004"))
    );
    assert_eq!(exchange.market("BUY", "0.010").await["status"], "FILLED");
    // A refused order leaves nothing behind for the next one.
    exchange
        .fault(json!({"partial_fill": {"per_mille": 400}}), "place")
        .await;
    assert_eq!(
        exchange
            .refusal(Method::POST, ORDER, &bid("f-1", "59000.05"))
            .await,
        -4014
    );
    assert_eq!(exchange.market("BUY", "0.010").await["status"], "FILLED");
    assert_eq!(exchange.audit().await["positions"][0]["quantity"], "0.024");
    exchange.stop().await;
}

#[tokio::test]
async fn a_delayed_order_arrives_in_its_window_or_is_refused() {
    for (window, placed) in [("5000", 1), ("20", 0)] {
        let exchange = Exchange::start().await;
        exchange
            .fault(json!({"delay": {"milliseconds": 50}}), "place")
            .await;
        let params = [&bid("f-1", "59000")[..], &[("recvWindow", window)]].concat();
        let (_, answer) = exchange.send(Method::POST, ORDER, &params).await;
        if placed == 0 {
            assert_eq!(answer["code"], -1021, "{answer}");
        }
        assert_eq!(exchange.count("f-1").await, placed);
        exchange.stop().await;
    }
}

#[tokio::test]
async fn a_wrong_clock_is_refused() {
    let exchange = Exchange::start().await;
    let now = exchange.time().await;
    exchange
        .admin("/admin/clock", json!({"skew_ms": 60_000}))
        .await;
    let query = super::sign(super::REHEARSAL_SECRET, &[], now);
    let request = exchange
        .client
        .get(exchange.url(&format!("/fapi/v3/balance?{query}")));
    let response = request
        .header("X-MBX-APIKEY", super::REHEARSAL_KEY)
        .send()
        .await
        .unwrap();
    assert_eq!(super::read(response).await.1["code"], -1021);
    assert_eq!(
        exchange.get("/fapi/v3/balance", &[]).await[0]["asset"],
        "USDT",
        "the exchange's own time is right"
    );
    exchange.stop().await;
}

/// Which of three orders' events come, after a fault at the first.
async fn heard(fault: Value, expected: &[&str]) {
    let exchange = Exchange::start().await;
    let key = exchange.listen_key().await;
    let mut stream = exchange.connect(&format!("/private/ws/{key}")).await;
    exchange.fault(fault.clone(), "stream").await;
    for (name, price) in [("a", "59000"), ("b", "58900"), ("c", "58800")] {
        exchange.bid(name, price).await;
    }
    for name in expected {
        assert_eq!(stream.next().await["o"]["c"], *name, "{fault}");
    }
    stream.assert_idle().await;
    exchange.stop().await;
}

#[tokio::test]
async fn events_come_twice_never_late_or_out_of_order() {
    heard(json!("duplicate_report"), &["a", "a", "b", "c"]).await;
    heard(json!("lose_report"), &["b", "c"]).await;
    heard(json!("reorder_report"), &["b", "a", "c"]).await;
    heard(json!("silence_stream"), &[]).await;
}

#[tokio::test]
async fn a_stream_can_be_cut_by_an_event_and_another_one_goes_on() {
    let exchange = Exchange::start().await;
    let key = exchange.listen_key().await;
    let mut stream = exchange.connect(&format!("/private/ws/{key}")).await;
    exchange.fault(json!("cut_stream"), "stream").await;
    exchange.bid("a", "59000").await;
    assert_eq!(stream.try_next().await, None);
    let mut stream = exchange.connect(&format!("/private/ws/{key}")).await;
    exchange.bid("b", "58900").await;
    assert_eq!(stream.next().await["o"]["c"], "b");
    exchange.stop().await;
}

#[tokio::test]
async fn faults_of_the_other_market_do_not_strike() {
    let exchange = Exchange::start().await;
    let rule =
        json!({"fault": "reject", "trigger": {"next": 1}, "operation": "place", "market": "spot"});
    exchange.admin("/admin/faults", rule).await;
    exchange.bid("f-1", "59000").await;
    assert_eq!(exchange.count("f-1").await, 1);
    exchange.stop().await;
}

#[tokio::test]
async fn faults_strike_the_web_socket_api_too() {
    for (fault, placed) in [("accept_then_disconnect", 1), ("disconnect_before", 0)] {
        let exchange = Exchange::start().await;
        let mut socket = exchange.connect("/ws-fapi/v1").await;
        exchange.fault(json!(fault), "place").await;
        let order = super::ws_api::order(&exchange, "f-1").await;
        socket.send(order).await;
        assert_eq!(socket.try_next().await, None, "{fault}");
        assert_eq!(exchange.count("f-1").await, placed, "{fault}");
        exchange.stop().await;
    }
    let exchange = Exchange::start().await;
    let mut socket = exchange.connect("/ws-fapi/v1").await;
    exchange
        .fault(json!({"backend_timeout": {"placed": true}}), "place")
        .await;
    let order = super::ws_api::order(&exchange, "f-2").await;
    let answer = socket.ask(order).await;
    assert_eq!(
        (&answer["status"], &answer["error"]["code"]),
        (&json!(408), &json!(-1007))
    );
    assert_eq!(exchange.count("f-2").await, 1);
    exchange.stop().await;
}

#[tokio::test]
async fn a_stop_that_triggers_may_run_out_of_counterparties() {
    let exchange = Exchange::start().await;
    exchange.market("BUY", "0.010").await;
    exchange
        .fault(json!({"partial_fill": {"per_mille": 500}}), "place")
        .await;
    let stop = [
        ("algoType", "CONDITIONAL"),
        ("symbol", "BTCUSDT"),
        ("side", "SELL"),
        ("type", "STOP_MARKET"),
        ("triggerPrice", "59000"),
        ("closePosition", "true"),
    ];
    exchange.post("/fapi/v1/algoOrder", &stop).await;
    exchange.tick("59000").await;
    let audit = exchange.audit().await;
    assert_eq!(
        (
            &audit["orders"][1]["status"],
            &audit["positions"][0]["quantity"]
        ),
        (&json!("EXPIRED"), &json!("0.005"))
    );
    exchange.stop().await;
}
