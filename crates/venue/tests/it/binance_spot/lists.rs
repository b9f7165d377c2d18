//! Order lists: one cancels the other, one after the other, and brackets.

use super::Exchange;
use reqwest::Method;
use serde_json::{Value, json};

const OCO: &str = "/api/v3/orderList/oco";
const OTOCO: &str = "/api/v3/orderList/otoco";
const EXIT: &str = "symbol=BTCUSDT&side=SELL&quantity=0.5&listClientOrderId=exit\
    &aboveType=LIMIT_MAKER&abovePrice=65000&aboveClientOrderId=target\
    &belowType=STOP_LOSS&belowStopPrice=55000&belowClientOrderId=stop";
const BRACKET: &str = "symbol=BTCUSDT&listClientOrderId=bracket\
    &workingType=LIMIT&workingTimeInForce=GTC&workingSide=BUY&workingQuantity=0.5&workingPrice=59000\
    &workingClientOrderId=entry&pendingSide=SELL\
    &pendingAboveType=LIMIT_MAKER&pendingAbovePrice=65000&pendingAboveClientOrderId=target\
    &pendingBelowType=STOP_LOSS&pendingBelowStopPrice=55000&pendingBelowClientOrderId=stop";

async fn statuses<const N: usize>(exchange: &Exchange, ids: [&str; N]) -> Vec<String> {
    let mut found = Vec::new();
    for id in ids {
        let order = exchange.find(id).await;
        found.push(order["status"].as_str().unwrap().to_owned());
    }
    found
}

async fn list_status(exchange: &Exchange, id: &str) -> Value {
    let params = format!("origClientOrderId={id}");
    exchange.ok(Method::GET, "/api/v3/orderList", &params).await["listOrderStatus"].clone()
}

#[tokio::test]
async fn one_leg_ends_the_other() {
    for (price, expected) in [
        ("65100", ["FILLED", "EXPIRED"]),
        ("54900", ["EXPIRED", "FILLED"]),
    ] {
        let exchange = Exchange::start().await;
        let placed = exchange.ok(Method::POST, OCO, EXIT).await;
        assert_eq!(placed["contingencyType"], "OCO");
        assert_eq!(placed["listOrderStatus"], "EXECUTING");
        assert_eq!(placed["orderReports"].as_array().unwrap().len(), 2);
        // Both legs hold the same half bitcoin.
        assert_eq!(
            exchange.balance("BTC").await,
            ("0.50000000".to_owned(), "0.50000000".to_owned())
        );
        exchange.tick(price).await;
        assert_eq!(statuses(&exchange, ["target", "stop"]).await, expected);
        assert_eq!(list_status(&exchange, "exit").await, "ALL_DONE");
        assert_eq!(
            exchange.balance("BTC").await,
            ("0.50000000".to_owned(), "0.00000000".to_owned())
        );
        exchange.stop().await;
    }
}

#[tokio::test]
async fn cancelling_a_leg_cancels_the_list() {
    let exchange = Exchange::start().await;
    exchange.ok(Method::POST, OCO, EXIT).await;
    let open = exchange.ok(Method::GET, "/api/v3/openOrderList", "").await;
    assert_eq!(open.as_array().unwrap().len(), 1);
    exchange
        .ok(
            Method::DELETE,
            "/api/v3/order",
            "symbol=BTCUSDT&origClientOrderId=stop",
        )
        .await;
    assert_eq!(
        statuses(&exchange, ["target", "stop"]).await,
        ["CANCELED"; 2]
    );
    // Its names are free again.
    exchange.ok(Method::POST, OCO, EXIT).await;
    let params = "symbol=BTCUSDT&listClientOrderId=exit";
    let cancelled = exchange
        .ok(Method::DELETE, "/api/v3/orderList", params)
        .await;
    assert_eq!(cancelled["listStatusType"], "ALL_DONE");
    let again = exchange.refused(Method::DELETE, "/api/v3/orderList", params);
    assert_eq!(again.await.0, -2011);
    exchange.ok(Method::POST, OCO, EXIT).await;
    let all = exchange
        .ok(Method::DELETE, "/api/v3/openOrders", "symbol=BTCUSDT")
        .await;
    assert_eq!(all[0]["orderReports"].as_array().unwrap().len(), 2);
    assert_eq!(exchange.balance("BTC").await.1, "0.00000000");
    exchange.stop().await;
}

#[tokio::test]
async fn a_bracket_stands_once_its_entry_is_whole() {
    let exchange = Exchange::start().await;
    let placed = exchange
        .ok(
            Method::POST,
            OTOCO,
            &format!("{BRACKET}&pendingQuantity=0.4995"),
        )
        .await;
    assert_eq!(placed["contingencyType"], "OTO");
    let all = ["entry", "target", "stop"];
    assert_eq!(
        statuses(&exchange, all).await,
        ["NEW", "PENDING_NEW", "PENDING_NEW"]
    );
    // What waits for its turn locks nothing.
    assert_eq!(exchange.balance("BTC").await.1, "0.00000000");
    exchange.tick("58900").await;
    assert_eq!(statuses(&exchange, all).await, ["FILLED", "NEW", "NEW"]);
    assert_eq!(exchange.balance("BTC").await.1, "0.49950000");
    exchange.tick("54000").await;
    assert_eq!(
        statuses(&exchange, all).await,
        ["FILLED", "EXPIRED", "FILLED"]
    );
    assert_eq!(list_status(&exchange, "bracket").await, "ALL_DONE");
    exchange.stop().await;
}

#[tokio::test]
async fn exits_that_cannot_be_paid_or_come_too_late_leave_the_position_alone() {
    let exchange = Exchange::start().await;
    exchange
        .place("symbol=BTCUSDT&side=SELL&type=MARKET&quantity=1")
        .await;
    // The commission took a part of what the exits want to sell.
    exchange
        .ok(
            Method::POST,
            OTOCO,
            &format!("{BRACKET}&pendingQuantity=0.5"),
        )
        .await;
    exchange.tick("58900").await;
    let all = ["entry", "target", "stop"];
    assert_eq!(
        statuses(&exchange, all).await,
        ["FILLED", "EXPIRED", "EXPIRED"]
    );
    assert_eq!(list_status(&exchange, "bracket").await, "ALL_DONE");
    exchange.stop().await;

    let exchange = Exchange::start().await;
    exchange
        .ok(
            Method::POST,
            OTOCO,
            &format!("{BRACKET}&pendingQuantity=0.4995"),
        )
        .await;
    exchange.tick("50000").await;
    assert_eq!(
        statuses(&exchange, all).await,
        ["FILLED", "EXPIRED", "EXPIRED"],
        "the stop is passed"
    );
    exchange.stop().await;
}

#[tokio::test]
async fn opoco_sizes_its_exits_by_what_the_entry_brought() {
    let exchange = Exchange::start().await;
    exchange
        .ok(Method::POST, "/api/v3/orderList/opoco", BRACKET)
        .await;
    exchange.tick("58900").await;
    let target = exchange.find("target").await;
    assert_eq!(
        (&target["status"], &target["origQty"]),
        (&json!("NEW"), &json!("0.49950000"))
    );
    let sized = format!("{BRACKET}&pendingQuantity=1");
    let refused = exchange.refused(Method::POST, "/api/v3/orderList/opoco", &sized);
    assert_eq!(refused.await.0, -1106);
    exchange.stop().await;
}

#[tokio::test]
async fn a_cancelled_entry_takes_its_exits_along() {
    let exchange = Exchange::start().await;
    exchange
        .ok(
            Method::POST,
            OTOCO,
            &format!("{BRACKET}&pendingQuantity=0.4995"),
        )
        .await;
    exchange
        .ok(
            Method::DELETE,
            "/api/v3/order",
            "symbol=BTCUSDT&origClientOrderId=entry",
        )
        .await;
    assert_eq!(
        statuses(&exchange, ["entry", "target", "stop"]).await,
        ["CANCELED"; 3]
    );
    assert_eq!(exchange.balance("USDT").await.1, "0.00000000");
    exchange.stop().await;
}

#[tokio::test]
async fn an_order_follows_its_working_order() {
    let exchange = Exchange::start().await;
    let params = "symbol=BTCUSDT&workingType=LIMIT&workingTimeInForce=GTC&workingSide=SELL&workingQuantity=0.5\
        &workingPrice=61000&workingClientOrderId=first&pendingType=MARKET&pendingSide=BUY&pendingQuantity=0.4\
        &pendingClientOrderId=second";
    exchange
        .ok(Method::POST, "/api/v3/orderList/oto", params)
        .await;
    exchange.tick("61100").await;
    assert_eq!(
        statuses(&exchange, ["first", "second"]).await,
        ["FILLED"; 2]
    );
    exchange.stop().await;
}

#[tokio::test]
async fn legs_must_lie_on_their_sides() {
    let exchange = Exchange::start().await;
    let legs =
        |above: &str, below: &str| format!("symbol=BTCUSDT&side=SELL&quantity=0.5&{above}&{below}");
    let (target, stop) = (
        "aboveType=LIMIT_MAKER&abovePrice=65000",
        "belowType=STOP_LOSS&belowStopPrice=55000",
    );
    let table = [
        (
            legs("aboveType=STOP_LOSS&aboveStopPrice=65000", stop),
            -1197,
        ),
        (
            legs(target, "belowType=TAKE_PROFIT&belowStopPrice=55000"),
            -1199,
        ),
        (
            legs(target, "belowType=LIMIT_MAKER&belowPrice=55000"),
            -1168,
        ),
        (legs(target, "belowType=MARKET"), -1158),
        (legs("aboveType=LIMIT_MAKER&abovePrice=59000", stop), -2010),
        (
            legs(target, "belowType=STOP_LOSS&belowStopPrice=61000"),
            -2010,
        ),
        (legs(target, "belowType=STOP_LOSS"), -1102),
        (
            legs(
                target,
                "belowType=STOP_LOSS_LIMIT&belowStopPrice=55000&belowPrice=54000",
            ),
            -1102,
        ),
    ];
    for (params, code) in table {
        let refused = exchange.refused(Method::POST, OCO, &params).await;
        assert_eq!(refused.0, code, "{params}: {}", refused.1);
    }
    assert_eq!(exchange.balance("BTC").await.1, "0.00000000");
    exchange.stop().await;
}
