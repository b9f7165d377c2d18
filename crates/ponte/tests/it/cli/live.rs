//! What is said before real money moves.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;

use expect_test::expect;

use super::Home;

/// A folder with a live account, whose keys nothing accepts.
fn live() -> Home {
    let home = Home::new();
    let config = format!(
        r#"[webhook]
listen = "127.0.0.1:{}"
[admin]
listen = "127.0.0.1:{}"
[[sources]]
name = "main"
secret = "file:secret"
[[accounts]]
name = "btc"
broker = "binance"
mode = "live"
trade_real_money = true
currency = "USDT"
[accounts.binance]
market = "spot"
api_key = "file:api-key"
signing_key = "file:signing-key"
[accounts.rules]
max_order_notional = "50"
[[routes]]
strategies = ["*"]
accounts = ["btc"]
"#,
        home.webhook, home.admin
    );
    std::fs::write(home.path("ponte.toml"), config).unwrap();
    for name in ["secret", "api-key", "signing-key"] {
        let path = home.path(name);
        std::fs::write(&path, format!("CANARY-{name}-0123456789")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    home
}

#[test]
fn check_says_which_accounts_move_real_money() {
    let home = live();
    expect![[r#"
        account "btc" is live: its orders move real money at Binance (spot); one entry is worth up to 50 USDT
        ponte.toml: good: 1 source, 1 account, 1 route
    "#]]
    .assert_eq(&home.run(&["check"]).ok());
    let report = home.run(&["check", "--json"]).json();
    let sentence = report["live"][0].as_str().unwrap();
    assert!(sentence.contains("real money"), "{sentence}");
    let paper = Home::installed().run(&["check", "--json"]).json();
    assert_eq!(paper["live"], serde_json::json!([]));
}

#[test]
fn run_says_it_before_anything_else() {
    let home = live();
    // Without its address it ends before it connects to anything.
    let _taken = TcpListener::bind(("127.0.0.1", home.webhook)).unwrap();
    let done = home.run(&["run"]);
    assert_ne!(done.status, 0);
    let sentence = "account \"btc\" is live: its orders move real money at Binance (spot)";
    assert!(done.stderr.contains("WARN"), "{}", done.stderr);
    assert!(done.stderr.contains(sentence), "{}", done.stderr);
    assert!(!done.stderr.contains("CANARY"), "{}", done.stderr);
}
