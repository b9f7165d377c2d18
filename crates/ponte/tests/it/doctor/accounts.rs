//! What is found with accounts at an exchange.

use ponte_venue::faces::binance::KeyOptions;
use serde_json::json;

use super::{ask, binance, exchange};
use crate::program::{Ponte, SECRET, client};

#[tokio::test(flavor = "multi_thread")]
async fn every_permission_of_a_key_is_looked_at() {
    for market in ["spot", "futures"] {
        for bits in 0..8_u8 {
            let [can_trade, can_withdraw, is_bound] = [0, 1, 2].map(|bit| bits & (1 << bit) != 0);
            let exchange = exchange(|options| {
                let given = |key: &KeyOptions| KeyOptions {
                    can_trade,
                    can_withdraw,
                    ip_restricted: is_bound,
                    ..key.clone()
                };
                options.keys = options.keys.iter().map(given).collect();
            })
            .await;
            let account = binance(market, &exchange, "", "allow_withdrawal_keys = true");
            let mut ponte = Ponte::install_accounts(&account);
            ponte.start().await;
            let report = ask(&ponte, &["--account", market]).await;
            let said = report.all(market, "credentials");
            let has = |health: &str, part: &str| {
                said.iter()
                    .any(|(found, text)| found == health && text.contains(part))
            };
            let what = format!(
                "{market}: trade {can_trade}, withdraw {can_withdraw}, bound {is_bound}: {said:?}"
            );
            assert_eq!(has("fine", "orders may be placed"), can_trade, "{what}");
            assert_eq!(has("wrong", "no order may be placed"), !can_trade, "{what}");
            assert_eq!(has("look", "may take money out"), can_withdraw, "{what}");
            assert_eq!(has("look", "works from any address"), !is_bound, "{what}");
            assert_eq!(report.status, i32::from(!can_trade), "{what}");
            ponte.stop().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_way_to_the_exchange_is_looked_at() {
    let exchange = exchange(|_| ()).await;
    let accounts = [
        binance("spot", &exchange, "allowed_symbols = [\"BTCUSDT\"]", ""),
        binance(
            "futures",
            &exchange,
            "allowed_symbols = [\"BTCUSDT.P\"]",
            "",
        ),
    ]
    .concat();
    let mut ponte = Ponte::install_accounts(&accounts);
    ponte.start().await;
    let report = ask(&ponte, &[]).await;
    report.says("machine", "clock", "fine", "ms from the one of");
    report.says("spot", "position_mode", "fine", "what is bought is held");
    report.says(
        "futures",
        "position_mode",
        "fine",
        "one position for each symbol",
    );
    for account in ["spot", "futures"] {
        report.says(
            account,
            "reports",
            "fine",
            "the broker's reports stream since",
        );
        report.says(account, "broker_clock", "fine", "the broker's clock is");
        report.says(
            account,
            "budget",
            "fine",
            "request weight per minute are used",
        );
        report.says(
            account,
            "symbols",
            "fine",
            "1 wanted, and the broker lists them all",
        );
    }
    ponte.stop().await;
    let url = format!("http://{}/admin/clock", exchange.address);
    let set = client()
        .post(url)
        .json(&json!({"skew_ms": 7_000}))
        .send()
        .await
        .unwrap();
    assert!(set.status().is_success(), "{}", set.text().await.unwrap());
    ponte.start().await;
    let report = ask(&ponte, &[]).await;
    report.says("machine", "clock", "wrong", "ms behind the one of");
    report.says("spot", "credentials", "look", "off the exchange's");
    assert!(report.all("spot", "broker_clock").is_empty(), "said once");
    ponte.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_that_rests_is_seen_at_the_exchange() {
    let exchange = exchange(|_| ()).await;
    let mut ponte = Ponte::install_accounts(&binance("futures", &exchange, "", ""));
    ponte.start().await;
    let body = format!(
        r#"{{"secret":"{SECRET}","action":"buy","symbol":"BTCUSDT.P","quantity":0.01,"stop":40000}}"#
    );
    let (status, answer) = ponte.send(&body).await;
    assert_eq!(status, 200, "{answer}");
    ponte.wait_until_resting().await;
    let report = ask(&ponte, &["--account", "futures"]).await;
    report.says(
        "futures",
        "stops",
        "fine",
        "the stop that protects a position rests at the broker",
    );
    report.says(
        "futures",
        "positions",
        "fine",
        "the broker holds the one that Ponte knows",
    );
    ponte.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_route_that_sizes_below_the_smallest_is_wrong() {
    let exchange = exchange(|_| ()).await;
    let account = binance("spot", &exchange, "allowed_symbols = [\"BTCUSDT\"]", "");
    let mut ponte =
        Ponte::install_accounts(&format!("{account}size = {{ fixed = \"0.0000001\" }}\n"));
    ponte.start().await;
    let report = ask(&ponte, &["--account", "spot"]).await;
    report.says(
        "spot",
        "sizes",
        "wrong",
        "routes size below what the broker takes: 0.0000001 BTCUSDT",
    );
    ponte.stop().await;
}
