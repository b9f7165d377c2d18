//! Replacing and amending orders.

use super::Exchange;
use ponte_venue::faces::binance::BinanceOptions;
use reqwest::Method;
use serde_json::json;

const REPLACE: &str = "/api/v3/order/cancelReplace";
const LIMIT: &str = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&price=50000";

#[tokio::test]
async fn a_replacement_tells_both_halves() {
    let exchange = Exchange::start().await;
    exchange
        .place(&format!("{LIMIT}&quantity=0.1&newClientOrderId=old"))
        .await;
    let replace = |mode: &str, old: &str, quantity: &str| {
        format!(
            "{LIMIT}&quantity={quantity}&cancelReplaceMode={mode}&cancelOrigClientOrderId={old}"
        )
    };
    let done = exchange
        .ok(
            Method::POST,
            REPLACE,
            &replace("STOP_ON_FAILURE", "old", "0.2"),
        )
        .await;
    assert_eq!(
        (&done["cancelResult"], &done["newOrderResult"]),
        (&json!("SUCCESS"), &json!("SUCCESS"))
    );
    assert_eq!(done["newOrderResponse"]["origQty"], "0.20000000");

    // Mode, order to cancel, new quantity; HTTP status, code, result of both halves.
    let table = [
        (
            "STOP_ON_FAILURE",
            "gone",
            "0.1",
            400,
            -2022,
            ["FAILURE", "NOT_ATTEMPTED"],
        ),
        (
            "ALLOW_FAILURE",
            "gone",
            "0.1",
            409,
            -2021,
            ["FAILURE", "SUCCESS"],
        ),
        (
            "ALLOW_FAILURE",
            "gone",
            "50",
            400,
            -2022,
            ["FAILURE", "FAILURE"],
        ),
        (
            "STOP_ON_FAILURE",
            "again",
            "50",
            409,
            -2021,
            ["SUCCESS", "FAILURE"],
        ),
    ];
    exchange
        .place(&format!("{LIMIT}&quantity=0.1&newClientOrderId=again"))
        .await;
    for (mode, old, quantity, status, code, results) in table {
        let params = replace(mode, old, quantity);
        let (seen, answer) = exchange.signed(Method::POST, REPLACE, &params).await;
        assert_eq!(
            (seen, &answer["code"]),
            (status, &json!(code)),
            "{params}: {answer}"
        );
        let halves = ["cancelResult", "newOrderResult"].map(|half| answer["data"][half].clone());
        assert_eq!(halves, results.map(|result| json!(result)), "{params}");
    }
    exchange.stop().await;
}

#[tokio::test]
async fn cancels_can_be_restricted() {
    let exchange = Exchange::start().await;
    exchange
        .place(&format!("{LIMIT}&quantity=0.1&newClientOrderId=new"))
        .await;
    let path = "/api/v3/order";
    let params = "symbol=BTCUSDT&origClientOrderId=new&cancelRestrictions=";
    let refused = exchange
        .refused(
            Method::DELETE,
            path,
            &format!("{params}ONLY_PARTIALLY_FILLED"),
        )
        .await;
    assert_eq!(refused.0, -2011);
    exchange
        .ok(Method::DELETE, path, &format!("{params}ONLY_NEW"))
        .await;
    exchange.stop().await;
}

#[tokio::test]
async fn an_amended_order_is_smaller_and_has_a_new_name() {
    let exchange = Exchange::start().await;
    exchange
        .place(&format!("{LIMIT}&quantity=0.2&newClientOrderId=large"))
        .await;
    let path = "/api/v3/order/amend/keepPriority";
    let params = "symbol=BTCUSDT&origClientOrderId=large&newClientOrderId=small&newQty=";
    let refused = exchange
        .refused(Method::PUT, path, &format!("{params}0.3"))
        .await;
    assert_eq!(refused.0, -2038);
    exchange
        .ok(Method::PUT, path, &format!("{params}0.1"))
        .await;
    let small = exchange.find("small").await;
    assert_eq!(
        (&small["origQty"], &small["status"]),
        (&json!("0.10000000"), &json!("NEW"))
    );
    assert_eq!(exchange.balance("USDT").await.1, "5000.00000000");
    exchange.tick("49000").await;
    assert_eq!(exchange.find("small").await["executedQty"], "0.10000000");
    exchange.stop().await;
}

#[tokio::test]
async fn a_cancel_can_take_the_orders_name_away() {
    let mut options = BinanceOptions::rehearsal();
    options.spot_cancel_renames = true;
    let exchange = Exchange::start_with(options).await;
    exchange
        .place(&format!("{LIMIT}&quantity=0.1&newClientOrderId=own"))
        .await;
    let params = "symbol=BTCUSDT&origClientOrderId=own&newClientOrderId=cancels";
    let cancelled = exchange.ok(Method::DELETE, "/api/v3/order", params).await;
    assert_eq!(cancelled["origClientOrderId"], "own");
    let params = "symbol=BTCUSDT&origClientOrderId=own";
    let refused = exchange.refused(Method::GET, "/api/v3/order", params);
    assert_eq!(refused.await.0, -2013);
    assert_eq!(exchange.find("cancels").await["status"], "CANCELED");
    exchange.stop().await;
}
