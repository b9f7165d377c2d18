//! What works while no Ponte runs.

use expect_test::expect;

use super::{Home, steady};

#[test]
fn a_halt_is_recorded_and_seen_by_every_command() {
    let home = Home::installed();
    let complaint = home.run(&["status"]).complaint(3);
    assert!(complaint.contains("ponte run"), "{complaint}");
    let text = home.run(&["halt", "--reason", "news at 14:30"]).ok();
    expect![[r#"
        halted: everything, block-entries, by ana (cli) (news at 14:30)
        Ponte is not running: recorded in the journal, in force at the next start
    "#]]
    .assert_eq(&text);
    let status = home.run(&["status", "--json"]).json();
    assert_eq!(status["process"], serde_json::Value::Null);
    assert_eq!(status["halts"][0]["by"], "ana (cli)");
    let again = home.run(&["halt"]).ok();
    assert!(again.contains("nothing to change"), "{again}");
    home.run(&["halt", "--symbol", "btcusdt", "--level", "reduce-only"])
        .ok();
    let resumed = home.run(&["resume"]).ok();
    assert!(resumed.contains("resumed: everything"), "{resumed}");
    assert!(resumed.contains("still in force"), "{resumed}");
    let lines = home.run(&["export"]).ok();
    let kinds: Vec<String> = lines
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|line| line["kind"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(kinds, ["halt_set", "halt_set", "halt_lifted"]);
    let audit = home.run(&["audit", "verify", "--json"]).json();
    assert_eq!(audit["events"], 3);
    assert_eq!(audit["broken"], serde_json::Value::Null);
}

#[test]
fn the_halt_file_outlasts_a_resume() {
    let home = Home::installed();
    home.run(&["halt"]).ok();
    std::fs::write(home.path("data/HALT"), "").unwrap();
    let complaint = home.run(&["resume"]).complaint(1);
    assert!(complaint.contains("remove it"), "{complaint}");
    std::fs::remove_file(home.path("data/HALT")).unwrap();
    home.run(&["resume"]).ok();
}

#[test]
fn exports_have_two_forms_and_replace_nothing() {
    let home = Home::installed();
    home.run(&["halt", "--reason", "a, \"b\""]).ok();
    home.run(&["resume"]).ok();
    home.run(&[
        "export",
        "--format",
        "csv",
        "--kind",
        "halt_set",
        "--output",
        "halts.csv",
    ])
    .ok();
    let csv = home.read("halts.csv");
    let mut lines = csv.lines();
    assert_eq!(
        lines.next(),
        Some("seq,time,kind,alert,order,account,symbol,event")
    );
    let row = lines.next().unwrap();
    assert!(
        row.starts_with("1,") && row.contains("\"\"reason\"\":\"\"a, "),
        "{row}"
    );
    assert_eq!(lines.next(), None);
    let again = ["export", "--output", "halts.csv"];
    let complaint = home.run(&again).complaint(3);
    assert!(complaint.contains("another --output"), "{complaint}");
    assert_eq!(home.run(&["export", "--until", "1h"]).ok(), "");
    assert_eq!(
        home.run(&["export", "--since", "1h"]).ok().lines().count(),
        2
    );
}

#[test]
fn an_alert_is_explained_by_the_journal_and_leaves_it_as_it_is() {
    let home = Home::installed();
    let alert = r#"{"action":"buy","symbol":"BTCUSDT","quantity":0.01,"price":65000,"stop":63000}"#;
    let text = home.run(&["explain", alert]).ok();
    expect![[r#"
        alert     buy 0.01 BTCUSDT at the market, stop 63000
        strategy  default
        source    main
        price     65000, from the alert
        decision  accepted

        account paper BTCUSDT accepted: 1 order planned
          rule                verdict  measured  limit  why
          protection          pass
          max_order_notional  pass          650   5000

        orders that would be sent
          entry: buy 0.01 BTCUSDT at the market in paper, stop 63000

        Nothing was recorded, nothing was sent.
    "#]]
    .assert_eq(&text);
    assert!(!home.path("data").exists(), "explaining made a journal");
    home.run(&["halt", "--symbol", "BTCUSDT"]).ok();
    let before = home.run(&["export"]).ok();
    let text = home.run(&["explain", "--example", "bracket"]).ok();
    assert!(text.contains("decision  halted"), "{text}");
    let large = r#"{"action":"buy","symbol":"ETHUSDT","quantity":9,"price":65000}"#;
    let text = home.run(&["explain", large]).ok();
    assert!(
        text.contains("max_order_notional  refuse     585000   5000"),
        "{text}"
    );
    let complaint = home
        .run(&["explain", r#"{"action":"bye","symbol":"X"}"#])
        .complaint(1);
    assert!(complaint.contains("E_UNKNOWN_ACTION"), "{complaint}");
    assert_eq!(home.run(&["export"]).ok(), before);
}

#[test]
fn a_journal_of_benchmarks_is_listed_like_any_other() {
    let home = Home::installed();
    home.run(&["bench-fill", "--alerts", "20", "--data-dir", "data"])
        .ok();
    let complaint = home.run(&["bench-fill", "--data-dir", "data"]).complaint(1);
    assert!(complaint.contains("already"), "{complaint}");
    assert_eq!(
        home.run(&["audit", "verify", "--json"]).json()["broken"],
        serde_json::Value::Null
    );
    let table = steady(&home.run(&["alerts", "--limit", "2"]).ok());
    expect![[r#"
        alert received (UTC) outcome intent symbol strategy source repeats
        A20 <day> <time> accepted sell BTCUSDT default main
        A19 <day> <time> accepted buy BTCUSDT default main
    "#]]
    .assert_eq(&table);
    let story = steady(&home.run(&["why", "A19"]).ok());
    expect![[r#"
        A19 accepted <day> <time> UTC
        <time> received buy 0.01 BTCUSDT at the market, for default from main (52.89.214.238)
        <time> accepted and committed before any order leaves
        <time> leg in paper: 1 order planned
        <time> planned entry: buy 0.01 BTCUSDT at the market in paper [<id>]
        <time> <after> sent to the broker [<id>]
        <time> <after> acknowledged by the broker as <id> [<id>]
        <time> <after> filled 0.01 at 65000, fee 0.26 [<id>]
        <time> <after> over filled [<id>]

        order alert planned (UTC) account class side quantity symbol status filled price fees why
        <id> A19 <day> <time> paper entry buy 0.01 BTCUSDT filled 0.01 65000 0.26
    "#]]
    .assert_eq(&story);
    assert_eq!(home.run(&["positions"]).ok(), "no positions\n");
    let flat = home.run(&["positions", "--all"]).ok();
    expect![[r#"
        account  strategy  symbol   side  quantity  entry   last  unrealised  realised  fees
        paper    default   BTCUSDT  flat         0         65000                     0   5.2
    "#]]
    .assert_eq(&flat);
    let complaint = home.run(&["why", "A21"]).complaint(1);
    assert!(complaint.contains("there is no alert A21"), "{complaint}");
}
