//! Each fault on the wire, with what became of the order behind it.

use super::Exchange;
use ponte_venue::faces::binance::{BinanceOptions, MarketLimits, REHEARSAL_KEY};
use reqwest::Method;
use serde_json::{Value, json};

const ORDER: &str = "/api/v3/order";

fn market(id: &str) -> String {
    format!("symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.1&newClientOrderId={id}")
}

async fn exists(exchange: &Exchange, id: &str) -> bool {
    let params = format!("symbol=BTCUSDT&origClientOrderId={id}");
    let (status, answer) = exchange.signed(Method::GET, ORDER, &params).await;
    assert!(status == 200 || answer["code"] == -2013, "{answer}");
    status == 200
}

#[tokio::test]
async fn a_broken_connection_says_nothing_about_the_order() {
    let exchange = Exchange::start().await;
    let table = [
        (json!("accept_then_disconnect"), true),
        (json!("disconnect_before"), false),
        (json!({"accept_then_timeout": {"milliseconds": 20}}), true),
        (json!({"timeout_before": {"milliseconds": 20}}), false),
    ];
    for (index, (fault, is_placed)) in table.into_iter().enumerate() {
        let id = format!("cut{index}");
        exchange.fault(fault.clone(), "place").await;
        let sent = exchange.try_signed(Method::POST, ORDER, &market(&id)).await;
        assert!(sent.is_err(), "{fault}");
        assert_eq!(exists(&exchange, &id).await, is_placed, "{fault}");
    }
    exchange.stop().await;
}

#[tokio::test]
async fn every_unclear_answer_comes_with_and_without_the_order() {
    let exchange = Exchange::start().await;
    let placed = |name: &str, placed: bool| json!({name: {"placed": placed}});
    let table = [
        (placed("unknown_error", true), 503, -1000, true),
        (placed("unknown_error", false), 503, -1000, false),
        (placed("backend_timeout", true), 504, -1007, true),
        (placed("backend_timeout", false), 504, -1007, false),
        (placed("unexpected_response", true), 500, -1006, true),
        (placed("unexpected_response", false), 500, -1006, false),
        (json!("error_after_accept"), 500, -1000, true),
        (json!("service_unavailable"), 503, -1000, false),
        (json!("internal_error"), 503, -1001, false),
        (json!("overloaded"), 503, -1008, false),
        (json!("reject"), 400, -2010, false),
    ];
    for (index, (fault, status, code, is_placed)) in table.into_iter().enumerate() {
        let id = format!("unclear{index}");
        exchange.fault(fault.clone(), "place").await;
        let (seen, answer) = exchange.signed(Method::POST, ORDER, &market(&id)).await;
        assert_eq!(
            (seen, &answer["code"]),
            (status, &json!(code)),
            "{fault}: {answer}"
        );
        assert_eq!(exists(&exchange, &id).await, is_placed, "{fault}");
    }
    exchange.stop().await;
}

#[tokio::test]
async fn unreadable_bodies_come_with_http_200() {
    let exchange = Exchange::start().await;
    let table = [
        (json!({"html_body": {"placed": true}}), true),
        (json!({"html_body": {"placed": false}}), false),
        (json!("truncated_body"), true),
    ];
    for (index, (fault, is_placed)) in table.into_iter().enumerate() {
        let id = format!("unreadable{index}");
        exchange.fault(fault.clone(), "place").await;
        let response = exchange
            .try_signed(Method::POST, ORDER, &market(&id))
            .await
            .unwrap();
        assert_eq!(response.status(), 200);
        let body = response.text().await.unwrap();
        assert!(serde_json::from_str::<Value>(&body).is_err(), "{body}");
        assert_eq!(exists(&exchange, &id).await, is_placed, "{fault}");
    }
    exchange.stop().await;
}

#[tokio::test]
async fn limits_are_told_and_kept() {
    let mut options = BinanceOptions::rehearsal();
    options.spot_limits = MarketLimits {
        weight_per_minute: 200,
        orders_in_long_span: 3,
        ..MarketLimits::spot()
    };
    let exchange = Exchange::start_with(options).await;
    // The clock stands still on a full minute, as far as windows are concerned.
    let stopped = exchange.get("/admin/clock").await;
    let now = stopped["server_time_ms"].as_i64().unwrap();
    exchange
        .admin("clock", json!({"skew_ms": 60_000 - now % 60_000}))
        .await;
    let limit = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=50000";
    for count in 1..=3 {
        let response = exchange
            .try_signed(Method::POST, ORDER, limit)
            .await
            .unwrap();
        let header = response.headers()["x-mbx-order-count-1d"].to_str();
        assert_eq!(header.unwrap(), count.to_string());
        assert!(response.headers().contains_key("x-mbx-order-count-10s"));
        assert!(response.headers().contains_key("x-mbx-used-weight-1m"));
    }
    let (status, answer) = exchange.signed(Method::POST, ORDER, limit).await;
    assert_eq!((status, &answer["code"]), (429, &json!(-1015)), "{answer}");
    // Too much weight is refused with a time to wait, and those who go on are banned.
    let mut seen = Vec::new();
    while seen.last() != Some(&418) {
        let response = exchange
            .send(Method::GET, "/api/v3/exchangeInfo", None, None)
            .await
            .unwrap();
        let status = response.status().as_u16();
        assert_eq!(
            status == 200,
            !response.headers().contains_key("retry-after")
        );
        seen.push(status);
    }
    seen.dedup();
    assert_eq!(seen, [200, 429, 418]);
    exchange.stop().await;
}

#[tokio::test]
async fn ordered_refusals_carry_their_wait() {
    let exchange = Exchange::start().await;
    for (name, status) in [("rate_limited", 429), ("banned", 418)] {
        exchange
            .fault(json!({name: {"retry_after": 7}}), "place")
            .await;
        let response = exchange
            .try_signed(Method::POST, ORDER, &market(name))
            .await
            .unwrap();
        assert_eq!(response.status(), status);
        assert_eq!(response.headers()["retry-after"], "7");
        assert!(!exists(&exchange, name).await);
    }
    exchange.stop().await;
}

#[tokio::test]
async fn a_lookup_can_lag_behind() {
    let exchange = Exchange::start().await;
    exchange.place(&market("there")).await;
    let rule = json!({"fault": "pretend_absent", "trigger": {"next": 2}});
    exchange.admin("faults", rule).await;
    for expected in [false, false, true] {
        assert_eq!(exists(&exchange, "there").await, expected);
    }
    exchange.stop().await;
}

#[tokio::test]
async fn a_delayed_order_is_accepted_inside_of_its_window_only() {
    let exchange = Exchange::start().await;
    let delay = json!({"delay": {"milliseconds": 200}});
    exchange.fault(delay.clone(), "place").await;
    exchange.place(&market("late")).await;
    assert!(exists(&exchange, "late").await);
    exchange.fault(delay, "place").await;
    let params = format!("{}&recvWindow=100", market("too-late"));
    let refused = exchange.refused(Method::POST, ORDER, &params).await;
    assert_eq!(refused.0, -1021);
    assert!(!exists(&exchange, "too-late").await);
    exchange.stop().await;
}

#[tokio::test]
async fn a_client_that_gives_up_does_not_stop_its_order() {
    let exchange = Exchange::start().await;
    exchange
        .fault(json!({"delay": {"milliseconds": 100}}), "place")
        .await;
    let query = exchange.signed_query(&market("orphan")).await;
    let url = format!("http://{}{ORDER}", exchange.address);
    let request = exchange
        .client
        .post(url)
        .header("X-MBX-APIKEY", REHEARSAL_KEY)
        .body(query)
        .timeout(std::time::Duration::from_millis(30));
    assert!(request.send().await.is_err());
    let mut socket = super::listen(&exchange).await;
    // Either it was executed before this listened, or it is heard of now.
    while !exists(&exchange, "orphan").await {
        socket.hear().await.unwrap();
    }
    exchange.stop().await;
}

#[tokio::test]
async fn a_market_order_can_run_dry() {
    let exchange = Exchange::start().await;
    exchange
        .fault(json!({"partial_fill": {"per_mille": 300}}), "place")
        .await;
    let order = exchange.place(&market("dry")).await;
    assert_eq!(
        (&order["status"], &order["executedQty"]),
        (&json!("EXPIRED"), &json!("0.03000000"))
    );
    assert_eq!(order["origQty"], "0.10000000");
    let found = exchange.find("dry").await;
    assert_eq!(found["expiryReason"], "INSUFFICIENT_LIQUIDITY");
    assert_eq!(exchange.balance("USDT").await.1, "0.00000000");
    exchange.stop().await;
}

#[tokio::test]
async fn a_wrong_clock_refuses_everything_signed() {
    let exchange = Exchange::start().await;
    let now = exchange.server_time().await;
    exchange.admin("clock", json!({"skew_ms": 30_000})).await;
    let payload = format!("timestamp={now}");
    let signature = super::hmac_hex(ponte_venue::faces::binance::REHEARSAL_SECRET, &payload);
    let path = format!("/api/v3/account?{payload}&signature={signature}");
    let sent = exchange.send(Method::GET, &path, Some(REHEARSAL_KEY), None);
    let answer: Value = sent.await.unwrap().json().await.unwrap();
    assert_eq!(answer["code"], -1021);
    // A client that asks for the time again gets through.
    exchange.ok(Method::GET, "/api/v3/account", "").await;
    exchange.stop().await;
}

#[tokio::test]
async fn senseless_rules_are_refused_and_rules_can_be_read_and_cleared() {
    let exchange = Exchange::start().await;
    let url = format!("http://{}/admin/faults", exchange.address);
    let senseless = [
        json!({"fault": "pretend_absent", "trigger": {"next": 1}, "operation": "place"}),
        json!({"fault": {"delay": {"milliseconds": 600_001}}, "trigger": {"next": 1}}),
        json!({"fault": {"partial_fill": {"per_mille": 1000}}, "trigger": {"next": 1}}),
        json!({"fault": "overloaded", "trigger": {"per_mille": 1001}}),
        json!({"fault": "nonsense", "trigger": {"next": 1}}),
    ];
    for rule in senseless {
        let sent = exchange.client.post(&url).json(&rule).send().await;
        assert_eq!(sent.unwrap().status(), 400, "{rule}");
    }
    let rule = json!({"fault": "overloaded", "trigger": {"next": 2}, "operation": "place", "market": "futures"});
    let shown = exchange.admin("faults", rule.clone()).await;
    assert_eq!(shown["faults"], json!([rule]));
    // It is meant for the other market.
    exchange.place(&market("untouched")).await;
    exchange.client.delete(&url).send().await.unwrap();
    assert_eq!(exchange.get("/admin/faults").await["faults"], json!([]));
    exchange.stop().await;
}
