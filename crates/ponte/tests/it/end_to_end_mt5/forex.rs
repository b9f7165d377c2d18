//! Currency pairs on a hedging account: each strategy has positions of its own.

use ponte_venue::faces::mt5::{MarginMode, Mt5Options};

use super::{Desk, english, portuguese};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_strategies_hold_one_symbol_both_ways_and_each_closes_its_own() {
    let flags = ["--accounting", "hedging"];
    let terminal = Mt5Options::forex(MarginMode::Hedging);
    let mut desk = Desk::install(&flags, &terminal, |text| {
        let commented = "# allowed_symbols = [\"EURUSD\"]";
        assert!(text.contains(commented), "{text}");
        text.replace(commented, "allowed_symbols = [\"EURUSD\"]")
    })
    .await;
    desk.start_bridge();
    desk.until_quoted("EURUSD").await;
    desk.terminal.price("EURUSD", "1.1000").await;
    desk.accepted(&english(
        r#""strategy":"trend","action":"buy","symbol":"EURUSD","quantity":0.02,"stop":1.09,"target":1.12"#,
    ))
    .await;
    desk.accepted(&portuguese(
        r#""estrategia":"volta","acao":"VENDA","ativo":"EURUSD","qtd":0.01,"stop":1.11"#,
    ))
    .await;
    let bought = "buy 0.02 EURUSD sl 1.09 tp 1.12";
    let sold = "sell 0.01 EURUSD sl 1.11 tp 0";
    desk.until_held(&["trend EURUSD 0.02", "volta EURUSD -0.01"])
        .await;
    let mut both = desk.terminal.positions().await;
    both.sort();
    assert_eq!(both, [bought, sold]);

    // One's close leaves the other's position and its stop alone.
    desk.accepted(&english(
        r#""strategy":"trend","action":"close","symbol":"EURUSD""#,
    ))
    .await;
    desk.terminal.until_positions(&[sold]).await;
    desk.until_held(&["volta EURUSD -0.01"]).await;
    // One that holds nothing closes nothing.
    desk.ponte
        .send(&english(
            r#""strategy":"trend","action":"close","symbol":"EURUSD","id":"again""#,
        ))
        .await;
    desk.accepted(&portuguese(
        r#""estrategia":"volta","acao":"ZERAR","ativo":"EURUSD""#,
    ))
    .await;
    desk.terminal.until_positions(&[]).await;
    desk.until_held(&[]).await;
    desk.ponte.wait_until_settled().await;
    let mut deals = desk.terminal.deals().await;
    deals.sort();
    let wanted = [
        "in buy 0.02 EURUSD by 3",
        "in sell 0.01 EURUSD by 3",
        "out buy 0.01 EURUSD by 3",
        "out sell 0.02 EURUSD by 3",
    ];
    assert_eq!(deals, wanted);
    desk.ponte.stop().await;
}
