//! The commands beside a running Ponte: the whole path by hand.

use expect_test::expect;

use super::{Home, steady};

const ALERT: &str =
    r#"{"segredo":"{{segredo}}","acao":"COMPRA","ativo":"BTCUSDT","qtd":0.01,"preco":65000}"#;

#[test]
fn the_message_of_the_readme_trades_once() {
    let mut home = Home::installed();
    home.start();
    let text = home.run(&["send", ALERT]).ok();
    assert!(text.starts_with("A1 accepted"), "{text}");
    home.settle();
    let text = home.run(&["send", ALERT, "--times", "2"]).ok();
    assert_eq!(
        text.matches("A1 duplicate (this one is A").count(),
        2,
        "{text}"
    );
    let positions = home.run(&["positions", "--json"]).json();
    assert_eq!(positions[0]["quantity"], "0.01");
    let story = steady(&home.run(&["why", "A1"]).ok());
    expect![[r#"
        A1 accepted <day> <time> UTC
        <time> received buy 0.01 BTCUSDT at the market, for default from main (127.0.0.1)
        <time> <after> accepted and committed before any order leaves
        <time> <after> leg in paper: 1 order planned
        <time> <after> rule max_order_notional: pass (650 of 5000)
        <time> <after> planned entry: buy 0.01 BTCUSDT at the market in paper [<id>]
        <time> <after> sent to the broker [<id>]
        <time> <after> acknowledged by the broker as 1 [<id>]
        <time> <after> filled 0.01 at 65000, fee 0 [<id>]
        <time> <after> over filled [<id>]
        <time> <after> came again, as A2
        <time> <after> came again, as A3

        order alert planned (UTC) account class side quantity symbol status filled price fees why
        <id> A1 <day> <time> paper entry buy 0.01 BTCUSDT filled 0.01 65000 0
    "#]]
    .assert_eq(&story);
    let orders = home.run(&["orders", "--json"]).json();
    let id = orders[0]["id"].as_str().unwrap();
    let by_order = home.run(&["why", &id[..8], "--json"]).json();
    assert_eq!(by_order["alert"]["id"], "A1");
    home.stop();
    let offline = home.run(&["why", "A1", "--json"]).json();
    assert_eq!(offline["orders"][0]["status"], "filled");
    home.start();
    let again = home.run(&["send", ALERT]).ok();
    assert!(again.contains("duplicate"), "{again}");
    home.stop();
}

#[test]
fn a_halt_stops_entries_and_flatten_closes() {
    let mut home = Home::installed();
    home.start();
    home.run(&["send", "--example", "bracket"]).ok();
    let halted = home.run(&["halt", "--reason", "lunch"]).ok();
    assert_eq!(
        halted,
        "halted: everything, block-entries, by ana (cli) (lunch)\n"
    );
    let sent = home.run(&["send", "--example", "sell", "--json"]).json();
    assert_eq!(sent[0]["http_status"], 200);
    let status = home.run(&["status"]).ok();
    assert!(status.contains("lunch"), "{status}");
    let entry =
        r#"{"secret":"{{secret}}","action":"buy","symbol":"ETHUSDT","quantity":1,"price":3000}"#;
    let sent = home.run(&["send", entry]).ok();
    assert!(sent.contains("halted"), "{sent}");
    let flattened = home.run(&["flatten", "--yes"]).ok();
    assert!(
        flattened.contains("flatten: everything, by ana (cli)"),
        "{flattened}"
    );
    home.settle();
    assert_eq!(home.run(&["positions"]).ok(), "no positions\n");
    let resumed = home.run(&["resume", "--json"]).json();
    assert_eq!(resumed["changed"], true);
    assert_eq!(resumed["running"], true);
    home.stop();
    let started = home.run(&["export", "--kind", "halt_set"]).ok();
    assert!(started.contains("ana (cli)"), "{started}");
}

#[test]
fn the_answer_decides_the_status() {
    let mut home = Home::installed();
    home.start();
    home.run(&["send", "--example", "heartbeat"]).ok();
    let done = home.run(&[
        "send",
        r#"{"secret":"{{secret}}","action":"bye","symbol":"X"}"#,
    ]);
    assert_eq!(done.status, 1);
    assert!(done.stdout.contains("E_UNKNOWN_ACTION"), "{}", done.stdout);
    let done = home.run(&[
        "send",
        r#"{"secret":"a-wrong-secret","action":"buy","symbol":"X"}"#,
    ]);
    assert_eq!(done.status, 1);
    assert!(done.stdout.contains("403"), "{}", done.stdout);
    std::fs::write(home.path("alert.json"), ALERT).unwrap();
    home.run(&["send", "alert.json"]).ok();
    let explained = home.run(&["explain", "--example", "buy", "--json"]).json();
    assert_eq!(explained["sent"], false);
    home.stop();
}

#[test]
fn the_secret_is_printed_by_nobody() {
    let mut home = Home::installed();
    home.start();
    let secret = home.read("secrets/main").trim().to_owned();
    let broken = r#"{"secret":"{{secret}}","action":"buy","symbol":"BTC USDT" "#;
    let mut seen = String::new();
    for arguments in [
        &["check"][..],
        &["send", "--example", "buy"],
        &["send", broken, "--json"],
        &["explain", "--example", "buy"],
        &["-v", "status"],
        &["alerts", "--json"],
        &["why", "A1", "--json"],
        &["export"],
    ] {
        let done = home.run(arguments);
        seen.push_str(&done.stdout);
        seen.push_str(&done.stderr);
    }
    home.stop();
    seen.push_str(&home.read("log"));
    assert!(!seen.contains(&secret));
    let journal = std::fs::read(home.path("data/journal.sqlite")).unwrap();
    let is_secret = |window: &[u8]| window == secret.as_bytes();
    assert!(!journal.windows(secret.len()).any(is_secret));
}
