//! `ponte doctor --try-stop`.

use serde_json::Value;

use super::{PAPER, binance, exchange};
use crate::program::Ponte;

fn tried(ponte: &Ponte, arguments: &[&str]) -> (i32, Value) {
    let arguments = [&["doctor", "--json", "--try-stop"], arguments].concat();
    let (status, text) = tokio::task::block_in_place(|| ponte.command(&arguments));
    (
        status,
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}")),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_rests_and_is_taken_back_wherever_there_are_stops() {
    let exchange = exchange(|_| ()).await;
    let rules = "max_price_deviation = \"5\"";
    let accounts = [
        binance("spot", &exchange, rules, ""),
        binance("futures", &exchange, "require_stop = true", ""),
        PAPER.to_owned(),
    ]
    .concat();
    let mut ponte = Ponte::install_accounts(&accounts);
    ponte.start().await;
    // The paper account has no price until an alert has told one.
    let secret = crate::program::SECRET;
    let body = format!(
        r#"{{"secret":"{secret}","action":"buy","symbol":"BTCUSDT","quantity":0.01,"price":60000,"account":"paper"}}"#
    );
    assert_eq!(ponte.send(&body).await.0, 200);
    ponte.wait_until_settled().await;
    for account in [
        &["spot"][..],
        &["futures", "--symbol", "ETHUSDT.P"],
        &["paper"],
    ] {
        let (status, tried) = tried(&ponte, account);
        assert_eq!((status, &tried["problem"]), (0, &Value::Null), "{tried:#}");
        let stages = tried["stages"].as_array().unwrap().iter();
        let stages: Vec<&str> = stages
            .map(|stage| stage["stage"].as_str().unwrap())
            .collect();
        assert_eq!(stages, ["placed", "resting", "taken_back"], "{tried:#}");
    }
    // What is only reported is on disk a moment later.
    ponte.wait_until_settled().await;
    let (_, record) = ponte.command(&["export"]);
    assert_eq!(record.matches("stop_tried").count(), 3, "{record}");
    let (status, text) = ponte.command(&["doctor", "--try-stop", "paper"]);
    assert_eq!(status, 0, "{text}");
    assert!(text.contains("rested at the broker after"), "{text}");
    ponte.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_tried_is_said() {
    let mut ponte = Ponte::install("");
    ponte.start().await;
    let said = |arguments: &[&str], status: i32, part: &str| {
        let arguments = [&["doctor", "--try-stop"], arguments].concat();
        let (found, text) = tokio::task::block_in_place(|| ponte.command(&arguments));
        assert!(found == status && text.contains(part), "{found} {text}");
    };
    said(
        &["papper"],
        1,
        "there is no account \"papper\"; there is paper",
    );
    said(
        &["paper"],
        1,
        "no price of BTCUSDT is known in account paper",
    );
    said(&["paper", "--symbol", "B T C"], 1, "is no symbol");
    ponte.command(&["halt", "--yes"]);
    let secret = crate::program::SECRET;
    let body = format!(
        r#"{{"secret":"{secret}","action":"sell","symbol":"BTCUSDT","quantity":0.01,"price":60000}}"#
    );
    ponte.send(&body).await;
    said(&["paper"], 1, "halted");
    ponte.stop().await;
}

/// Neither flag nor typing alone is enough, and here nobody can type.
#[tokio::test(flavor = "multi_thread")]
async fn real_money_is_not_touched_by_a_slip() {
    let ponte = Ponte::install_accounts(
        r#"
[[accounts]]
name = "spot"
broker = "binance"
mode = "live"
trade_real_money = true
currency = "USDT"
[accounts.rules]
max_order_notional = "100"
[accounts.binance]
market = "spot"
api_key = "env:BINANCE_API_KEY"
signing_key = "env:BINANCE_SIGNING_KEY"
[[routes]]
strategies = ["*"]
accounts = ["spot"]
"#,
    );
    let (status, text) = ponte.command(&["doctor", "--try-stop", "spot"]);
    assert_eq!(status, 1, "{text}");
    assert!(
        text.contains("is live: a stop there is an order with real money"),
        "{text}"
    );
    let (status, text) = ponte.command(&["doctor", "--try-stop", "spot", "--live"]);
    assert_eq!(status, 1, "{text}");
    assert!(
        text.contains("type the account's name at a terminal"),
        "{text}"
    );
}
