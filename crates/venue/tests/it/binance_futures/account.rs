//! Balances, positions, settings and the dead man's switch over REST.

use super::{Exchange, PATIENCE};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn balance_and_positions_in_both_versions() {
    let exchange = Exchange::start().await;
    exchange.market("BUY", "0.1").await;
    exchange.bid("open", "59000").await;
    exchange.tick("61000").await;
    for path in ["/fapi/v2/balance", "/fapi/v3/balance"] {
        let balance = exchange.get(path, &[]).await;
        let row = &balance[0];
        assert_eq!(
            (&row["asset"], &row["balance"], &row["crossUnPnl"]),
            (
                &json!("USDT"),
                &json!("99997.00000000"),
                &json!("100.00000000")
            )
        );
        // 6100 in the position and 5900 in the order, at 20 times.
        assert_eq!(row["availableBalance"], "99497.00000000");
    }
    let three = exchange.get("/fapi/v3/account", &[]).await;
    assert_eq!(
        (&three["totalWalletBalance"], &three["totalInitialMargin"]),
        (&json!("99997.00000000"), &json!("600.00000000"))
    );
    assert_eq!(
        three["positions"].as_array().unwrap().len(),
        1,
        "only what is in use"
    );
    assert_eq!(three["positions"][0]["positionAmt"], "0.100");
    assert!(three["positions"][0].get("leverage").is_none());
    let two = exchange.get("/fapi/v2/account", &[]).await;
    assert_eq!(
        (
            two["canTrade"].as_bool(),
            two["positions"].as_array().unwrap().len()
        ),
        (Some(true), 4)
    );
    assert_eq!(
        (
            &two["positions"][1]["leverage"],
            &two["positions"][1]["entryPrice"]
        ),
        (&json!("20"), &json!("60000"))
    );
    let risk = exchange.get("/fapi/v3/positionRisk", &[]).await;
    assert_eq!(risk.as_array().unwrap().len(), 1);
    let expected = [
        ("symbol", "BTCUSDT"),
        ("positionSide", "BOTH"),
        ("positionAmt", "0.100"),
        ("entryPrice", "60000.00000000"),
        ("markPrice", "61000.00000000"),
        ("unRealizedProfit", "100.00000000"),
        ("notional", "6100"),
        ("marginAsset", "USDT"),
        ("bidNotional", "5900"),
        ("positionInitialMargin", "305"),
    ];
    for (name, value) in expected {
        assert_eq!(risk[0][name], value, "{name}");
    }
    let risk = exchange
        .get("/fapi/v2/positionRisk", &[("symbol", "BTCUSDT")])
        .await;
    assert_eq!(
        (&risk[0]["leverage"], &risk[0]["marginType"]),
        (&json!("20"), &json!("cross"))
    );
    exchange.stop().await;
}

#[tokio::test]
async fn settings_answer_and_refuse_as_documented() {
    let exchange = Exchange::start().await;
    let success = json!({"code": 200, "msg": "success"});
    let leverage = exchange
        .post(
            "/fapi/v1/leverage",
            &[("symbol", "BTCUSDT"), ("leverage", "10")],
        )
        .await;
    assert_eq!(
        leverage,
        json!({"symbol": "BTCUSDT", "leverage": 10, "maxNotionalValue": "100000000"})
    );
    assert_eq!(
        exchange
            .refusal(
                Method::POST,
                "/fapi/v1/leverage",
                &[("symbol", "BTCUSDT"), ("leverage", "126")]
            )
            .await,
        -4028
    );
    let isolated = [("symbol", "BTCUSDT"), ("marginType", "ISOLATED")];
    assert_eq!(
        exchange.post("/fapi/v1/marginType", &isolated).await,
        success
    );
    assert_eq!(
        exchange
            .refusal(Method::POST, "/fapi/v1/marginType", &isolated)
            .await,
        -4046
    );
    let config = exchange
        .get("/fapi/v1/symbolConfig", &[("symbol", "BTCUSDT")])
        .await;
    assert_eq!(
        (&config[0]["marginType"], &config[0]["leverage"]),
        (&json!("ISOLATED"), &json!(10))
    );
    exchange.stop().await;
}

#[tokio::test]
async fn modes_are_shown_and_not_set_twice() {
    let exchange = Exchange::start().await;
    assert_eq!(
        exchange.get("/fapi/v1/positionSide/dual", &[]).await,
        json!({"dualSidePosition": false})
    );
    let one_way = [("dualSidePosition", "false")];
    assert_eq!(
        exchange
            .refusal(Method::POST, "/fapi/v1/positionSide/dual", &one_way)
            .await,
        -4059
    );
    assert_eq!(
        exchange.get("/fapi/v1/multiAssetsMargin", &[]).await,
        json!({"multiAssetsMargin": false})
    );
    let single = [("multiAssetsMargin", "false")];
    assert_eq!(
        exchange
            .refusal(Method::POST, "/fapi/v1/multiAssetsMargin", &single)
            .await,
        -4171
    );
    assert_eq!(
        exchange
            .post(
                "/fapi/v1/multiAssetsMargin",
                &[("multiAssetsMargin", "true")]
            )
            .await["code"],
        200
    );
    let config = exchange.get("/fapi/v1/accountConfig", &[]).await;
    assert_eq!(
        (
            config["dualSidePosition"].as_bool(),
            config["multiAssetsMargin"].as_bool()
        ),
        (Some(false), Some(true))
    );
    exchange.stop().await;
}

#[tokio::test]
async fn brackets_commissions_and_limits() {
    let exchange = Exchange::start().await;
    let brackets = exchange
        .get("/fapi/v1/leverageBracket", &[("symbol", "BTCUSDT")])
        .await;
    assert_eq!(
        (
            &brackets[0]["brackets"][0]["initialLeverage"],
            &brackets[0]["brackets"][0]["notionalCap"]
        ),
        (&json!(125), &json!(300_000))
    );
    let rates = exchange
        .get("/fapi/v1/commissionRate", &[("symbol", "BTCUSDT")])
        .await;
    assert_eq!(
        (&rates["makerCommissionRate"], &rates["takerCommissionRate"]),
        (&json!("0.000200"), &json!("0.000500"))
    );
    let limits = exchange.get("/fapi/v1/rateLimit/order", &[]).await;
    assert_eq!(
        limits[0],
        json!({"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 300})
    );
    exchange.stop().await;
}

/// A market order on one side of the hedge mode.
fn order(
    side: &'static str,
    position_side: &'static str,
    quantity: &'static str,
) -> [(&'static str, &'static str); 6] {
    [
        ("symbol", "BTCUSDT"),
        ("side", side),
        ("type", "MARKET"),
        ("positionSide", position_side),
        ("quantity", quantity),
        ("newOrderRespType", "RESULT"),
    ]
}

#[tokio::test]
async fn hedge_mode_holds_both_sides() {
    let exchange = Exchange::start().await;
    exchange
        .post(
            "/fapi/v1/positionSide/dual",
            &[("dualSidePosition", "true")],
        )
        .await;
    let no_side = &order("BUY", "LONG", "0.1")[..3];
    let no_side = [no_side, &[("quantity", "0.1")]].concat();
    assert_eq!(
        exchange
            .refusal(Method::POST, "/fapi/v1/order", &no_side)
            .await,
        -4061
    );
    exchange
        .post("/fapi/v1/order", &order("BUY", "LONG", "0.2"))
        .await;
    let short = exchange
        .post("/fapi/v1/order", &order("SELL", "SHORT", "0.3"))
        .await;
    assert_eq!(
        (&short["positionSide"], &short["reduceOnly"]),
        (&json!("SHORT"), &json!(false))
    );
    let risk = exchange.get("/fapi/v3/positionRisk", &[]).await;
    let amounts: Vec<(&Value, &Value)> = risk
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (&row["positionSide"], &row["positionAmt"]))
        .collect();
    assert_eq!(
        amounts,
        [
            (&json!("LONG"), &json!("0.200")),
            (&json!("SHORT"), &json!("-0.300"))
        ]
    );
    let one_way = [("dualSidePosition", "false")];
    assert_eq!(
        exchange
            .refusal(Method::POST, "/fapi/v1/positionSide/dual", &one_way)
            .await,
        -4068
    );
    exchange.stop().await;
}

#[tokio::test]
async fn hedge_mode_closes_no_more_than_there_is() {
    let exchange = Exchange::start().await;
    exchange
        .post(
            "/fapi/v1/positionSide/dual",
            &[("dualSidePosition", "true")],
        )
        .await;
    exchange
        .post("/fapi/v1/order", &order("BUY", "LONG", "0.2"))
        .await;
    let flagged = [&order("SELL", "LONG", "0.1")[..], &[("reduceOnly", "true")]].concat();
    assert_eq!(
        exchange
            .refusal(Method::POST, "/fapi/v1/order", &flagged)
            .await,
        -1106
    );
    assert_eq!(
        exchange
            .refusal(
                Method::POST,
                "/fapi/v1/order",
                &order("SELL", "LONG", "0.5")
            )
            .await,
        -2022
    );
    let closed = exchange
        .post("/fapi/v1/order", &order("SELL", "LONG", "0.2"))
        .await;
    assert_eq!(
        (&closed["status"], &closed["reduceOnly"]),
        (&json!("FILLED"), &json!(true))
    );
    let one_way = [("dualSidePosition", "false")];
    exchange.post("/fapi/v1/positionSide/dual", &one_way).await;
    assert_eq!(exchange.audit().await["positions"], json!([]));
    exchange.stop().await;
}

#[tokio::test]
async fn the_dead_mans_switch_cancels_when_it_runs_out() {
    let exchange = Exchange::start().await;
    exchange.bid("d-1", "59000").await;
    let armed = exchange
        .post(
            "/fapi/v1/countdownCancelAll",
            &[("symbol", "BTCUSDT"), ("countdownTime", "50")],
        )
        .await;
    assert_eq!(armed, json!({"symbol": "BTCUSDT", "countdownTime": "50"}));
    let cancelled = async {
        let by_name = [("symbol", "BTCUSDT"), ("origClientOrderId", "d-1")];
        while exchange.get("/fapi/v1/order", &by_name).await["status"] != "CANCELED" {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, cancelled)
        .await
        .expect("the order stays open");
    // Disarmed, it leaves orders alone also after its time.
    exchange.bid("d-2", "59000").await;
    exchange
        .post(
            "/fapi/v1/countdownCancelAll",
            &[("symbol", "BTCUSDT"), ("countdownTime", "60000")],
        )
        .await;
    exchange
        .post(
            "/fapi/v1/countdownCancelAll",
            &[("symbol", "BTCUSDT"), ("countdownTime", "0")],
        )
        .await;
    exchange
        .admin("/admin/clock", json!({"skew_ms": 120_000}))
        .await;
    let open = exchange.get("/fapi/v1/openOrders", &[]).await;
    assert_eq!(open.as_array().unwrap().len(), 1);
    exchange.stop().await;
}
