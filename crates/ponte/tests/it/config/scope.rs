//! What a source may do, until when, and its secrets beside the current one.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use expect_test::expect;
use ponte::config::{Loaded, expiring, load_with, source_keys};
use ponte::secret::{Keyring, Role};
use ponte_core::policy::Verbs;
use ponte_core::time::Timestamp;

use super::{PARTS, Parts, check, config, rendered, source};

fn scoped(lines: &str) -> String {
    source(&format!("{}[sources.scope]\n{lines}", PARTS.source))
}

fn with_keys(lines: &str) -> String {
    source(&format!("{}{lines}", PARTS.source))
}

#[test]
fn a_scope_is_read_as_it_is_meant() {
    let text = scoped(
        "strategies = [\"a\", \"b\"]\nsymbols = [\"btcusdt.p\"]\nverbs = \"exits\"\n\
         accounts = [\"paper\"]\nmax_quantity = \"0.50\"\nmax_notional = 1000\n",
    );
    let scope = config(&text).sources.remove(0).scope;
    let names = scope.strategies.unwrap();
    assert_eq!(names.len(), 2);
    assert_eq!(
        scope.symbols.unwrap().first().unwrap().as_str(),
        "BTCUSDT.P"
    );
    assert_eq!(scope.verbs, Verbs::Exits);
    assert_eq!(scope.accounts.unwrap().first().unwrap().as_str(), "paper");
    assert_eq!(scope.max_quantity.unwrap().to_string(), "0.5");
    assert_eq!(scope.max_notional.unwrap().to_string(), "1000");
    assert_eq!(rendered(&text), "");
    assert_eq!(config(&PARTS.text()).sources[0].scope, Default::default());
}

#[test]
fn what_is_wrong_in_a_scope() {
    check(
        &scoped(
            "strategies = []\nsymbols = [\"BINANCE:BTCUSDT\"]\nverbs = \"exit\"\n\
             accounts = [\"papre\"]\nmax_quantity = \"0\"\nmax_notinal = \"5\"\n",
        ),
        &expect![[r#"
            ponte.toml:5:14: sources.scope.strategies: allows nothing; name some, or leave the key out to allow all
              5 | strategies = []
                |              ^^
            ponte.toml:6:12: sources.scope.symbols: "BINANCE:BTCUSDT" has an exchange in front, which is taken off before symbols are compared; write "BTCUSDT" without "BINANCE:"
              6 | symbols = ["BINANCE:BTCUSDT"]
                |            ^^^^^^^^^^^^^^^^^
            ponte.toml:7:9: sources.scope.verbs: expected "all", "entries" or "exits", found "exit"; did you mean "exits"?
              7 | verbs = "exit"
                |         ^^^^^^
            ponte.toml:8:13: sources.scope.accounts: there is no account "papre"; did you mean "paper"?
              8 | accounts = ["papre"]
                |             ^^^^^^^
            ponte.toml:9:16: sources.scope.max_quantity: 0 is not above 0
              9 | max_quantity = "0"
                |                ^^^
            ponte.toml:10:1: sources.scope.max_notinal: unknown key; did you mean "max_notional"?
              10 | max_notinal …
                 | ^^^^^^^^^^^"#]],
    );
}

#[test]
fn a_strategy_that_no_route_takes_is_told() {
    let text = Parts {
        route: "strategies = [\"breakout\"]\naccounts = [\"paper\"]\n",
        source: "name = \"main\"\nsecret = \"env:S\"\n[sources.scope]\nstrategies = [\"breakot\"]\n",
        ..PARTS
    };
    check(
        &text.text(),
        &expect![[r#"
        ponte.toml:5:14: warning: sources.scope.strategies: no route takes strategy "breakot"; add it to a route, or take it out
          5 | strategies = ["breakot"]
            |              ^^^^^^^^^^^"#]],
    );
}

#[test]
fn moments_are_dates_or_whole() {
    let at = |text: &str| config(&with_keys(&format!("expires = \"{text}\"\n"))).sources[0].expires;
    assert_eq!(
        at("2027-01-31"),
        Timestamp::parse_rfc3339("2027-01-31T00:00:00Z")
    );
    assert_eq!(
        at("2027-01-31T09:00:00-03:00"),
        Timestamp::parse_rfc3339("2027-01-31T12:00:00Z")
    );
    check(
        &with_keys("expires = \"31.1.2027\"\n"),
        &expect![[r#"
        ponte.toml:4:11: sources.expires: expected a date or a moment in quotes, found "31.1.2027"; write "2027-01-31", or "2027-01-31T12:00:00Z"
          4 | expires = "31.1.2027"
            |           ^^^^^^^^^^^"#]],
    );
    check(
        &with_keys("expires = 2027-01-31\n"),
        &expect![[r#"
        ponte.toml:4:11: sources.expires: expected a date or a moment in quotes, found the date 2027-01-31; write "2027-01-31", or "2027-01-31T12:00:00Z"
          4 | expires = 2027-01-31
            |           ^^^^^^^^^^"#]],
    );
}

#[test]
fn a_previous_secret_has_an_end() {
    check(
        &with_keys("previous_secret = \"env:BEFORE\"\n"),
        &expect![[r#"
            ponte.toml:4:19: warning: sources.previous_secret: the previous secret holds for ever; add previous_until = "2027-01-31T12:00:00Z", or take it out
              4 | previous_secret = …
                |                   ^"#]],
    );
    check(
        &with_keys("previous_until = \"2027-01-31\"\n"),
        &expect![[r#"
            ponte.toml:4:18: warning: sources.previous_until: has no effect without previous_secret; add previous_secret, or take it out
              4 | previous_until = "2027-01-31"
                |                  ^^^^^^^^^^^^"#]],
    );
    check(
        &with_keys("previous_secret = \"s3cr3t-itself\"\n"),
        &expect![[r#"
            ponte.toml:4:19: sources.previous_secret: expected "env:NAME", "file:PATH", "credential:NAME" or "vault:NAME", found a text that begins with none of them; write "env:WEBHOOK_SECRET_BEFORE" or "file:secrets/main-before" and keep the secret itself there
              4 | previous_secret = …
                |                   ^
            ponte.toml:4:19: warning: sources.previous_secret: the previous secret holds for ever; add previous_until = "2027-01-31T12:00:00Z", or take it out
              4 | previous_secret = …
                |                   ^"#]],
    );
    check(
        &with_keys("tripwire = \"env:WEBHOOK_SECRET\"\n"),
        &expect![[r#"
            ponte.toml:4:12: sources.tripwire: the tripwire of source "main" is the same as the secret of source "main"; make one that nobody uses: ponte secret tripwire; whoever shows it switches its source off
              4 | tripwire = …
                |            ^"#]],
    );
}

const SECRET: &str = "CANARY-0123456789-0123456789";
const BEFORE: &str = "CANARY-BEFORE-0123456789";

fn keep(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// A configuration in a folder, with what its secrets came to.
fn loaded(folder: &Path, keys: &str) -> Loaded {
    let source = format!("name = \"main\"\nsecret = \"file:main\"\n{keys}");
    let file = folder.join("ponte.toml");
    std::fs::write(&file, super::source(&source)).unwrap();
    keep(&folder.join("main"), SECRET);
    load_with(&file, &|_| None).unwrap_or_else(|errors| panic!("{errors}"))
}

fn said(loaded: &Loaded) -> Vec<String> {
    loaded
        .warnings
        .iter()
        .map(|warning| warning.message.clone())
        .collect()
}

#[test]
fn a_source_that_ends_soon_is_told_two_weeks_before() {
    let folder = tempfile::tempdir().unwrap();
    let now = ponte::clock::now();
    let day = Duration::from_secs(86_400);
    for (at, said_of_it) in [
        (now.before(day), "expired at"),
        (now.after(day * 3 / 2), "the source expires in 1 day"),
        (
            now.after(day * 13 + day / 2),
            "the source expires in 13 days",
        ),
    ] {
        let loaded = loaded(folder.path(), &format!("expires = \"{at}\"\n"));
        let told = said(&loaded).join("\n");
        assert!(told.contains(said_of_it), "{told}");
        let expiring = expiring(&loaded.config, now);
        assert_eq!(expiring[0].has_expired, at <= now);
    }
    let later = loaded(
        folder.path(),
        &format!("expires = \"{}\"\n", now.after(day * 15)),
    );
    assert_eq!(said(&later), [""; 0]);
    assert_eq!(expiring(&later.config, now), []);
}

#[test]
fn what_a_rotation_has_left_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let companion = folder.path().join("main.previous");
    keep(
        &companion,
        &format!("{BEFORE}\nvalid until 2999-01-01T00:00:00Z\n"),
    );
    let found = loaded(folder.path(), "");
    assert_eq!(said(&found), [""; 0]);
    let keys = source_keys(&found.config);
    let ring = Keyring::new(keys, found.secrets, found.spare_secrets).ring();
    let entry = ring.find(BEFORE.as_bytes()).unwrap();
    assert_eq!(entry.role, Role::Previous);
    assert_eq!(
        entry.until,
        Timestamp::parse_rfc3339("2999-01-01T00:00:00Z")
    );
    assert_eq!(ring.find(SECRET.as_bytes()).unwrap().role, Role::Current);
    assert!(ring.find(b"CANARY-0123456789-012345678").is_none());
    // The source's own end comes first.
    let found = loaded(folder.path(), "expires = \"2100-01-01\"\n");
    assert_eq!(
        found.spare_secrets[0].until,
        Timestamp::parse_rfc3339("2100-01-01T00:00:00Z")
    );
}

#[test]
fn what_a_rotation_has_left_and_nobody_can_use_is_no_reason_not_to_start() {
    let folder = tempfile::tempdir().unwrap();
    let companion = folder.path().join("main.previous");
    for text in [BEFORE, "", "short\nvalid until 2999-01-01T00:00:00Z\n"] {
        keep(&companion, text);
        let found = loaded(folder.path(), "");
        assert!(found.spare_secrets.is_empty());
        let told = said(&found).join("\n");
        assert!(
            told.contains("before the last rotation is not taken"),
            "{told}"
        );
        assert!(!told.contains("CANARY"), "{told}");
    }
}
