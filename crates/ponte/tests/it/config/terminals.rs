//! Accounts in `MetaTrader` 5 terminals, and the address that their bridges call.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use expect_test::{Expect, expect};
use ponte::config::{
    Accounting, Bridge, Broker, Mt5Broker, OrderLife, TlsFiles, VolumeFilling, load_with,
};
use ponte::secret::SecretRef;
use ponte_core::policy::Mode;
use tempfile::TempDir;

use super::{PARTS, account, check, config};

const BRIDGE: &str = "[bridge]\n";

/// A configuration with an account in a terminal; its section's keys begin in line 14, after `bridge`'s.
fn terminal(bridge: &str, mode: &str, more: &str, section: &str) -> String {
    format!(
        "{bridge}[[routes]]\n{}[[sources]]\n{}[[accounts]]\nname = \"paper\"\nbroker = \"mt5\"\n\
         mode = \"{mode}\"\ncurrency = \"BRL\"\n{more}[accounts.mt5]\n{section}",
        PARTS.route, PARTS.source
    )
}

const SECTION: &str = "login = 123\nserver = \"XP-Demo\"\ntoken = \"file:token\"\n";

fn broker(text: &str) -> Mt5Broker {
    match config(text).accounts.remove(0).broker {
        Broker::Mt5(mt5) => mt5,
        other @ (Broker::Paper(_) | Broker::Binance(_)) => panic!("{other:?}"),
    }
}

#[test]
fn an_account_in_a_terminal_needs_little() {
    let text = terminal(BRIDGE, "demo", "", SECTION);
    let expected = Mt5Broker {
        login: 123,
        server: "XP-Demo".to_owned(),
        token: SecretRef::File("token".into()),
        accounting: Accounting::Netting,
        deviation_points: 20,
        filling: None,
        pending_orders_last: OrderLife::UntilCancelled,
        symbols: Vec::new(),
        answer_within: Duration::from_secs(9),
        valid: Duration::from_secs(5),
    };
    assert_eq!(broker(&text), expected);
    let bridge = Bridge {
        listen: SocketAddr::from(([127, 0, 0, 1], 8443)),
        tls: None,
    };
    assert_eq!(config(&text).bridge, Some(bridge));
}

#[test]
fn it_may_say_more() {
    let more = format!(
        "{SECTION}accounting = \"hedging\"\ndeviation_points = 0\nfilling = \"ioc\"\n\
         pending_orders_last = \"day\"\nsymbols = [\" EURUSD.a\", \"US500\"]\n\
         answer_within = \"1s\"\nvalid = \"30s\"\n"
    );
    let expected = Mt5Broker {
        accounting: Accounting::Hedging,
        deviation_points: 0,
        filling: Some(VolumeFilling::ImmediateOrCancel),
        pending_orders_last: OrderLife::Day,
        symbols: vec!["EURUSD.a".to_owned(), "US500".to_owned()],
        answer_within: Duration::from_secs(1),
        valid: Duration::from_secs(30),
        ..broker(&terminal(BRIDGE, "demo", "", SECTION))
    };
    assert_eq!(broker(&terminal(BRIDGE, "demo", "", &more)), expected);
    let bridge = "[bridge]\nlisten = \"0.0.0.0:443\"\ncertificate = \"c.pem\"\nkey = \"/k.pem\"\n";
    let expected = Bridge {
        listen: SocketAddr::from(([0, 0, 0, 0], 443)),
        tls: Some(TlsFiles {
            certificate: "c.pem".into(),
            key: "/k.pem".into(),
        }),
    };
    let read = config(&terminal(bridge, "demo", "", SECTION)).bridge;
    assert_eq!(read, Some(expected));
}

#[test]
fn a_live_account_says_so() {
    let text = terminal(BRIDGE, "live", "trade_real_money = true\n", SECTION);
    let account = config(&text).accounts.remove(0);
    assert_eq!(account.mode, Mode::Live);
    expect![[r#"account "paper" is live: its orders move real money in MetaTrader 5 (login 123 at XP-Demo); no max_order_notional limits the value of an entry"#]].assert_eq(&account.real_money_notice().unwrap());
    for (mode, more, expected) in [
        ("live", "", expect![[r#""#]]),
        ("demo", "trade_real_money = true\n", expect![[r#""#]]),
        ("paper", "", expect![[r#""#]]),
    ] {
        check(&terminal(BRIDGE, mode, more, SECTION), &expected);
    }
}

#[test]
fn what_is_wrong_with_an_account() {
    check(&terminal(BRIDGE, "demo", "", ""), &expect![[r#""#]]);
    check(
        &terminal(
            BRIDGE,
            "demo",
            "balance = \"5\"\nleverage = \"2\"\nurl = \"http://127.0.0.1:9000\"\n",
            "login = 0\nserver = \" \"\ntoken = \"CANARY\"\naccounting = \"exchange\"\n\
             deviation_points = -1\nfilling = \"fko\"\npending_orders_last = \"week\"\n\
             symbols = [\"A B\", \"BMFBOVESPA:WIN1!\", \"A\", \"A\"]\nanswer_within = \"10s\"\n\
             valid = \"0s\"\npassword = \"CANARY\"\n[accounts.binance]\nmarket = \"spot\"\n",
        ),
        &expect![[r#""#]],
    );
    let missing = terminal(BRIDGE, "demo", "", "");
    check(&missing.replace("[accounts.mt5]\n", ""), &expect![[r#""#]]);
    check(
        &account("[accounts.mt5]\nlogin = 1\nserver = \"a\"\ntoken = \"env:A\"\n"),
        &expect![[r#""#]],
    );
}

#[test]
fn two_accounts_are_two() {
    let second = |section: &str| {
        format!(
            "{}[[accounts]]\nname = \"b\"\nbroker = \"mt5\"\nmode = \"demo\"\ncurrency = \"BRL\"\n\
             [accounts.mt5]\n{section}",
            terminal(BRIDGE, "demo", "", SECTION)
        )
    };
    check(
        &second("login = 124\nserver = \"XP-Demo\"\ntoken = \"file:token\"\n"),
        &expect![[r#""#]],
    );
    check(
        &second("login = 123\nserver = \"XP-Demo\"\ntoken = \"file:other\"\n"),
        &expect![[r#""#]],
    );
    check(
        &second("login = 123\nserver = \"Rico-Demo\"\ntoken = \"file:other\"\n"),
        &expect![[r#""#]],
    );
    check(
        &second("login = 1\nserver = \"XP-Demo\"\ntoken = \"env:WEBHOOK_SECRET\"\n"),
        &expect![[r#""#]],
    );
}

#[test]
fn where_bridges_call() {
    for (bridge, expected) in [
        ("", expect![[r#""#]]),
        ("[bridge]\nlisten = \"0.0.0.0:8443\"\n", expect![[r#""#]]),
        ("[bridge]\nlisten = \"8443\"\n", expect![[r#""#]]),
        ("[bridge]\ncertificate = \"c.pem\"\n", expect![[r#""#]]),
        ("[bridge]\nkey = \"k.pem\"\n", expect![[r#""#]]),
        ("[bridge]\ncertificate = \"\"\nkey = 1\n", expect![[r#""#]]),
        ("[bridge]\nlisten = \"127.0.0.1:8080\"\n", expect![[r#""#]]),
        (
            "[admin]\nlisten = \"127.0.0.1:8443\"\n[bridge]\n",
            expect![[r#""#]],
        ),
        ("[bridge]\nlisten = \"127.0.0.1:0\"\n", expect![[r#""#]]),
    ] {
        check(&terminal(bridge, "demo", "", SECTION), &expected);
    }
    check(&format!("{BRIDGE}{}", PARTS.text()), &expect![[r#""#]]);
}

/// What is found when the file and what it names are looked at.
fn looked_at(folder: &TempDir, text: &str) -> String {
    let file = folder.path().join("ponte.toml");
    std::fs::write(&file, text).unwrap();
    let secret = |name: &str| Some(format!("the-value-of-{name}-is-long-enough").into());
    let found = match load_with(&file, &secret) {
        Ok(loaded) => format!("{:?} {:?}", loaded.terminal_tokens, loaded.warnings),
        Err(errors) => errors.to_string(),
    };
    let shown = folder.path().display().to_string();
    found.replace(&format!("{shown}/"), "")
}

fn write_private(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn tokens_are_long_and_differ() {
    let folder = TempDir::new().unwrap();
    let text = format!(
        "{}[[accounts]]\nname = \"b\"\nbroker = \"mt5\"\nmode = \"demo\"\ncurrency = \"BRL\"\n\
         [accounts.mt5]\nlogin = 9\nserver = \"XP-Demo\"\ntoken = \"file:other\"\n",
        terminal(BRIDGE, "demo", "", SECTION)
    );
    let with = |first: &str, second: &str, expected: Expect| {
        write_private(&folder.path().join("token"), first);
        write_private(&folder.path().join("other"), second);
        let found = looked_at(&folder, &text);
        assert!(!found.contains("CANARY"), "{found}");
        expected.assert_eq(&found);
    };
    let long = "CANARY-0123456789-0123456789-0123456789";
    with(
        long,
        "CANARY-0123456789-another-0123456789",
        expect![[r#""#]],
    );
    with("CANARY-0123456789", "CANARY", expect![[r#""#]]);
    with(long, long, expect![[r#""#]]);
    with(
        long,
        "the-value-of-WEBHOOK_SECRET-is-long-enough",
        expect![[r#""#]],
    );
    std::fs::remove_file(folder.path().join("token")).unwrap();
    expect![[r#""#]].assert_eq(&looked_at(&folder, &text));
}

#[test]
fn the_files_are_there_and_the_key_is_private() {
    let folder = TempDir::new().unwrap();
    write_private(
        &folder.path().join("token"),
        "CANARY-0123456789-0123456789-0123456789",
    );
    let bridge = "[bridge]\ncertificate = \"c.pem\"\nkey = \"k.pem\"\n";
    let text = terminal(bridge, "demo", "", SECTION);
    expect![[r#""#]].assert_eq(&looked_at(&folder, &text));
    std::fs::write(folder.path().join("k.pem"), "CANARY").unwrap();
    std::fs::create_dir(folder.path().join("c.pem")).unwrap();
    expect![[r#""#]].assert_eq(&looked_at(&folder, &text));
}
