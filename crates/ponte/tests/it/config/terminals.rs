//! Accounts in `MetaTrader` 5 terminals, and the address that their bridges call.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use expect_test::{Expect, expect};
use ponte::config::{Accounting, Bridge, Broker, Mt5Broker, OrderLife, VolumeFilling, load_with};
use ponte::secret::SecretRef;
use ponte::server::{CertificateFiles, SelfSigned};
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
        tls: Some(CertificateFiles {
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
        (
            "live",
            "",
            expect![[r#"
            ponte.toml:11:8: accounts.trade_real_money: missing in mode "live": orders of this account move real money; add trade_real_money = true, or write mode = "demo"
              11 | mode = "live"
                 |        ^^^^^^"#]],
        ),
        (
            "demo",
            "trade_real_money = true\n",
            expect![[r#"
            ponte.toml:13:20: accounts.trade_real_money: is true, but only mode "live" moves real money; take it out
              13 | trade_real_money = true
                 |                    ^^^^"#]],
        ),
        (
            "paper",
            "",
            expect![[r#"
            ponte.toml:11:8: accounts.mode: broker "mt5" has no mode "paper", its orders reach the terminal; write mode = "demo" and log the terminal into a demo account
              11 | mode = "paper"
                 |        ^^^^^^^"#]],
        ),
    ] {
        check(&terminal(BRIDGE, mode, more, SECTION), &expected);
    }
}

#[test]
fn what_is_wrong_with_an_account() {
    check(
        &terminal(BRIDGE, "demo", "", ""),
        &expect![[r#"
        ponte.toml:13:1: accounts.mt5.login: missing; add login = 12345678
          13 | [accounts.mt5]
             | ^^^^^^^^^^^^^^
        ponte.toml:13:1: accounts.mt5.server: missing; add server = "MetaQuotes-Demo"
          13 | [accounts.mt5]
             | ^^^^^^^^^^^^^^
        ponte.toml:13:1: accounts.mt5.token: missing; add token = "file:secrets/mt5-bridge-token"
          13 | [accounts.mt5]
             | ^^^^^^^^^^^^^^"#]],
    );
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
        &expect![[r#"
            ponte.toml:13:11: accounts.balance: belongs to broker "paper", this account's is "mt5"; take it out
              13 | balance = "5"
                 |           ^^^
            ponte.toml:14:12: accounts.leverage: belongs to broker "paper", this account's is "mt5"; take it out; the account has its own at the broker
              14 | leverage = "2"
                 |            ^^^
            ponte.toml:15:7: accounts.url: belongs to broker "paper", this account's is "mt5"; take it out; the bridge beside the terminal calls the address of [bridge]
              15 | url = "http://127.0.0.1:9000"
                 |       ^^^^^^^^^^^^^^^^^^^^^^^
            ponte.toml:17:9: accounts.mt5.login: expected a whole number from 1 to 9223372036854775807, found the number 0
              17 | login = 0
                 |         ^
            ponte.toml:18:10: accounts.mt5.server: expected the name of a trade server, found " "; write it as the terminal's window for logging in shows it
              18 | server = " "
                 |          ^^^
            ponte.toml:19:9: accounts.mt5.token: expected "env:NAME", "file:PATH", "credential:NAME" or "vault:NAME", found a text that begins with none of them; write "env:MT5_TOKEN" or "file:secrets/mt5-bridge-token" and keep the secret itself there
              19 | token = …
                 |         ^
            ponte.toml:20:14: accounts.mt5.accounting: expected "netting" or "hedging", found "exchange"
              20 | accounting = "exchange"
                 |              ^^^^^^^^^^
            ponte.toml:21:20: accounts.mt5.deviation_points: expected a whole number from 0 to 100000, found the number -1
              21 | deviation_points = -1
                 |                    ^^
            ponte.toml:22:11: accounts.mt5.filling: expected "auto", "fok", "ioc" or "return", found "fko"; did you mean "fok"?
              22 | filling = "fko"
                 |           ^^^^^
            ponte.toml:23:23: accounts.mt5.pending_orders_last: expected "gtc" or "day", found "week"
              23 | pending_orders_last = "week"
                 |                       ^^^^^^
            ponte.toml:24:12: accounts.mt5.symbols: "A B" has white space in it
              24 | symbols = ["A B", "BMFBOVESPA:WIN1!", "A", "A"]
                 |            ^^^^^
            ponte.toml:24:19: accounts.mt5.symbols: "BMFBOVESPA:WIN1!" has an exchange in front, which no terminal writes; write "WIN1!" without "BMFBOVESPA:"
              24 | symbols = ["A B", "BMFBOVESPA:WIN1!", "A", "A"]
                 |                   ^^^^^^^^^^^^^^^^^^
            ponte.toml:25:17: accounts.mt5.answer_within: 10s is above the maximum 9s
              25 | answer_within = "10s"
                 |                 ^^^^^
            ponte.toml:26:9: accounts.mt5.valid: 0s is below the minimum 1s
              26 | valid = "0s"
                 |         ^^^^
            ponte.toml:27:1: accounts.mt5.password: unknown key; known here: login, server, token, accounting, deviation_points, filling, pending_orders_last, symbols, answer_within, valid
              27 | password …
                 | ^^^^^^^^
            ponte.toml:28:1: accounts.binance: belongs to broker "binance", this account's is "mt5"; take it out, or write broker = "binance"
              28 | [accounts.binance]
                 | ^^^^^^^^^^^^^^^^^^
            ponte.toml:24:44: warning: accounts.mt5.symbols: "A" is named twice
              24 | symbols = ["A B", "BMFBOVESPA:WIN1!", "A", "A"]
                 |                                            ^^^"#]],
    );
    let missing = terminal(BRIDGE, "demo", "", "");
    check(
        &missing.replace("[accounts.mt5]\n", ""),
        &expect![[r#"
            ponte.toml:8:1: accounts.mt5: missing, and an account in MetaTrader 5 needs its terminal; add a section [accounts.mt5] with login, server and token
              8 | [[accounts]]
                | ^^^^^^^^^^^^"#]],
    );
    check(
        &account("[accounts.mt5]\nlogin = 1\nserver = \"a\"\ntoken = \"env:A\"\n"),
        &expect![[r#"
            ponte.toml:12:1: accounts.mt5: belongs to broker "mt5", this account's is "paper"; take it out, or write broker = "mt5"
              12 | [accounts.mt5]
                 | ^^^^^^^^^^^^^^"#]],
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
        &expect![[r#"
            ponte.toml:25:9: accounts.mt5.token: the token of account "b" is the same as the token of account "paper"; give each terminal its own: ponte bridge token; by the token Ponte knows which account is speaking
              25 | token = …
                 |         ^"#]],
    );
    check(
        &second("login = 123\nserver = \"XP-Demo\"\ntoken = \"file:other\"\n"),
        &expect![[r#"
            ponte.toml:23:9: accounts.mt5.login: login 123 at XP-Demo is account "paper" already; write one account and lead both routes to it: Ponte would count what is one position in the terminal twice
              23 | login = 123
                 |         ^^^"#]],
    );
    check(
        &second("login = 123\nserver = \"Rico-Demo\"\ntoken = \"file:other\"\n"),
        &expect![[r#""#]],
    );
    check(
        &second("login = 1\nserver = \"XP-Demo\"\ntoken = \"env:WEBHOOK_SECRET\"\n"),
        &expect![[r#"
            ponte.toml:25:9: accounts.mt5.token: the token of account "b" is the same as the secret of source "main"; give the terminal its own: ponte bridge token; it lies on another machine
              25 | token = …
                 |         ^"#]],
    );
}

#[test]
fn where_bridges_call() {
    for (bridge, expected) in [
        (
            "",
            expect![[r#"
            ponte.toml:12:1: bridge: missing, and the bridges of terminals call its address; add a section [bridge] with listen, certificate and key: ponte bridge certificate --host NAME writes the pair
              12 | [accounts.mt5]
                 | ^^^^^^^^^^^^^^"#]],
        ),
        (
            "[bridge]\nlisten = \"0.0.0.0:8443\"\n",
            expect![[r#"
            ponte.toml:2:10: bridge.listen: 0.0.0.0:8443 is not a loopback address, and without certificate and key the terminals' tokens would cross the network in the clear; add both: ponte bridge certificate --host NAME writes a pair; or write "127.0.0.1:8443" and put a proxy with TLS in front
              2 | listen = "0.0.0.0:8443"
                |          ^^^^^^^^^^^^^^"#]],
        ),
        (
            "[bridge]\nlisten = \"8443\"\n",
            expect![[r#"
            ponte.toml:2:10: bridge.listen: expected an address with a port, found "8443"; write numbers: "127.0.0.1:8443", or "0.0.0.0:8443" for every interface
              2 | listen = "8443"
                |          ^^^^^^"#]],
        ),
        (
            "[bridge]\ncertificate = \"c.pem\"\n",
            expect![[r#"
            ponte.toml:1:1: bridge.key: missing, and certificate is of no use without it; ponte bridge certificate writes a pair
              1 | [bridge]
                | ^^^^^^^^"#]],
        ),
        (
            "[bridge]\nkey = \"k.pem\"\n",
            expect![[r#"
            ponte.toml:1:1: bridge.certificate: missing, and key is of no use without it; ponte bridge certificate writes a pair
              1 | [bridge]
                | ^^^^^^^^"#]],
        ),
        (
            "[bridge]\ncertificate = \"\"\nkey = 1\n",
            expect![[r#"
            ponte.toml:2:15: bridge.certificate: "" is not a path
              2 | certificate = ""
                |               ^^
            ponte.toml:3:7: bridge.key: expected a text, found the number 1"#]],
        ),
        (
            "[bridge]\nlisten = \"127.0.0.1:8080\"\n",
            expect![[r#"
            ponte.toml:2:10: bridge.listen: port 8080 is both the webhook's and the bridges'; give each its own port
              2 | listen = "127.0.0.1:8080"
                |          ^^^^^^^^^^^^^^^^"#]],
        ),
        (
            "[admin]\nlisten = \"127.0.0.1:8443\"\n[bridge]\n",
            expect![[r#"
                ponte.toml:3:1: bridge.listen: port 8443 is both the admin side's and the bridges'; give each its own port
                  3 | [bridge]
                    | ^^^^^^^^"#]],
        ),
        ("[bridge]\nlisten = \"127.0.0.1:0\"\n", expect![[r#""#]]),
    ] {
        check(&terminal(bridge, "demo", "", SECTION), &expected);
    }
    check(
        &format!("{BRIDGE}{}", PARTS.text()),
        &expect![[r#"
        ponte.toml:1:1: warning: bridge: has no effect, no account's broker is "mt5"; take it out
          1 | [bridge]
            | ^^^^^^^^"#]],
    );
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
        expect![[r#"{AccountName("b"): «redacted», AccountName("paper"): «redacted»} []"#]],
    );
    with(
        "CANARY-0123456789",
        "CANARY",
        expect![[r#"
            ponte.toml:16:9: accounts.mt5.token: the token in file:token has 17 bytes, the minimum is 32; make a random one: ponte bridge token
              16 | token = …
                 |         ^
            ponte.toml:25:9: accounts.mt5.token: the secret has 6 bytes, the minimum is 8; use 16 random letters or more; ponte bridge token makes a random one
              25 | token = …
                 |         ^"#]],
    );
    with(
        long,
        long,
        expect![[r#"
        ponte.toml:25:9: accounts.mt5.token: the token of account "b" is the same as the token of account "paper"; give each terminal its own: ponte bridge token; by the token Ponte knows which account is speaking
          25 | token = …
             |         ^"#]],
    );
    with(
        long,
        "the-value-of-WEBHOOK_SECRET-is-long-enough",
        expect![[r#"
            ponte.toml:25:9: accounts.mt5.token: the token of account "b" is the same as the secret of source "main"; give the terminal its own: ponte bridge token; it lies on another machine
              25 | token = …
                 |         ^"#]],
    );
    std::fs::remove_file(folder.path().join("token")).unwrap();
    expect![[r#"
        ponte.toml:16:9: accounts.mt5.token: file token can't be read: No such file or directory (os error 2); write the secret into it, readable by the user who runs ponte; ponte bridge token makes a random one
          16 | token = …
             |         ^
        ponte.toml:25:9: accounts.mt5.token: the token of account "b" is the same as the secret of source "main"; give the terminal its own: ponte bridge token; it lies on another machine
          25 | token = …
             |         ^"#]].assert_eq(&looked_at(&folder, &text));
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
    expect![[r#"
        ponte.toml:2:15: bridge.certificate: file c.pem can't be read: No such file or directory (os error 2); name the file that is there, readable by the user who runs ponte; a pair of your own: ponte bridge certificate --host NAME
          2 | certificate = "c.pem"
            |               ^^^^^^^"#]].assert_eq(&looked_at(&folder, &text));
    std::fs::write(folder.path().join("k.pem"), "CANARY").unwrap();
    std::fs::write(folder.path().join("c.pem"), "CANARY").unwrap();
    expect![[r#"
        ponte.toml:2:15: bridge.certificate: file c.pem has no certificate, it has no PEM at all; name the file with the certificate; certbot calls them fullchain.pem and privkey.pem
          2 | certificate = "c.pem"
            |               ^^^^^^^"#]].assert_eq(&looked_at(&folder, &text));
    let pair = |name: &str| {
        let made = SelfSigned::make(&["localhost".to_owned()], ponte::clock::now()).unwrap();
        made.write_new(&folder.path().join(name)).unwrap().files
    };
    let (one, other) = (pair("one"), pair("other"));
    let text = |certificate: &Path, key: &Path| {
        let bridge = format!("[bridge]\ncertificate = {certificate:?}\nkey = {key:?}\n");
        terminal(&bridge, "demo", "", SECTION)
    };
    let found = looked_at(&folder, &text(&one.certificate, &one.key));
    expect![[r#"{AccountName("paper"): «redacted»} []"#]].assert_eq(&found);
    let found = looked_at(&folder, &text(&one.certificate, &other.key));
    expect!["ponte.toml:3:7: bridge.key: the key in other/bridge-key.pem does not belong to the certificate in one/bridge-certificate.pem; name the two files that were made together"].assert_eq(&found);
    let found = looked_at(&folder, &text(&one.key, &one.key));
    expect![[r#"
        ponte.toml:2:15: bridge.certificate: file one/bridge-key.pem has no certificate, it has PRIVATE KEY; name the file with the certificate; certbot calls them fullchain.pem and privkey.pem
          2 | certificate = "one/bridge-key …
            |               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^"#]].assert_eq(&found);
}
