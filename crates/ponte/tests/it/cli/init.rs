//! From nothing to a good configuration.

use std::os::unix::fs::PermissionsExt as _;

use expect_test::expect;

use super::Home;

#[test]
fn init_makes_what_check_likes() {
    let home = Home::new();
    let text = home.run(&["init"]).ok();
    let secret = home.read("secrets/main");
    let secret = secret.trim();
    assert_eq!(secret.len(), 48);
    assert!(text.contains("http://127.0.0.1:8080/webhook"));
    assert!(text.contains(&format!(
        r#"{{"segredo":"{secret}","acao":"COMPRA","ativo":"{{{{ticker}}}}","qtd":0.01}}"#
    )));
    assert!(text.contains(r#""posicao":"{{strategy.market_position}}""#));
    for next in ["ponte check", "ponte run", "ponte send --example pt"] {
        assert!(text.contains(next), "{next}");
    }
    let mode = std::fs::metadata(home.path("secrets/main"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(!home.read("ponte.toml").contains(secret));
    let check = home.run(&["check", "--json"]).json();
    assert_eq!(check["ok"], true);
    assert_eq!(check["warnings"], serde_json::json!([]));
}

#[test]
fn init_replaces_nothing_by_itself() {
    let home = Home::new();
    home.run(&["init"]).ok();
    let (config, secret) = (home.read("ponte.toml"), home.read("secrets/main"));
    let complaint = home.run(&["init"]).complaint(1);
    assert!(complaint.contains("--force"), "{complaint}");
    std::fs::remove_file(home.path("ponte.toml")).unwrap();
    let complaint = home.run(&["init"]).complaint(1);
    assert!(complaint.contains("secrets/main"), "{complaint}");
    home.run(&["init", "--force", "--currency", "brl", "--balance", "50000"])
        .ok();
    assert_ne!(home.read("ponte.toml"), config);
    assert_eq!(
        home.read("secrets/main"),
        secret,
        "alerts in use keep their secret"
    );
    home.run(&["init", "--force", "--secret", "MEU_SEGREDO"])
        .ok();
    assert_eq!(home.read("secrets/main"), "MEU_SEGREDO\n");
    let check = home.run(&["check"]).ok();
    assert!(
        check.contains("11 bytes"),
        "a guessable secret is worth a warning: {check}"
    );
}

#[test]
fn init_takes_flags_for_everything() {
    let home = Home::new();
    let made = home
        .run(&[
            "--config",
            "etc/ponte.toml",
            "--json",
            "init",
            "--account",
            "conta",
            "--currency",
            "BRL",
            "--balance",
            "50000",
            "--max-order-notional",
            "900",
            "--listen",
            "0.0.0.0:8088",
            "--data-dir",
            "diario",
            "--secret-env",
            "MEU",
            "--only-tradingview",
            "--public-url",
            "https://ponte.example.com/",
        ])
        .json();
    assert_eq!(made["webhook_url"], "https://ponte.example.com/webhook");
    assert_eq!(made["secret"], "env:MEU");
    assert_eq!(made["next"][1], "ponte --config etc/ponte.toml run");
    let config = home.read("etc/ponte.toml");
    for line in [
        "name = \"conta\"",
        "balance = \"50000\"",
        "secret = \"env:MEU\"",
    ] {
        assert!(config.contains(line), "{line}");
    }
    let complaint = home.run(&["--config", "etc/ponte.toml", "check"]);
    assert_eq!(complaint.status, 1, "the variable is not set");
    assert!(
        complaint.stdout.contains("export MEU="),
        "{}",
        complaint.stdout
    );
}

#[test]
fn init_prepares_an_account_at_binance() {
    let home = Home::new();
    let text = home.run(&["init", "--broker", "binance"]).ok();
    let next = &text[text.find("next\n").unwrap()..];
    expect![[r#"
        next
          the private key: it never leaves this machine
            openssl genpkey -algorithm ed25519 -out secrets/binance-signing-key.pem
          the public one: register it at demo.binance.com, for reading and trading, never for withdrawals
            openssl pkey -in secrets/binance-signing-key.pem -pubout
          paste the API key that Binance then shows, Enter, Ctrl+D
            (umask 077; cat > secrets/binance-api-key)
          ponte check              is everything right?
          ponte run                start; stop with Ctrl+C
          ponte send --example pt  from another shell: a first trade, on paper and in the demo
    "#]]
    .assert_eq(next);
    let check = home.run(&["check"]);
    assert_eq!(check.status, 1, "the keys are still missing");
    for key in ["api_key", "signing_key"] {
        let key = format!("accounts.binance.{key}");
        assert!(check.stdout.contains(&key), "{}", check.stdout);
    }
    // With the webhook's secret in a variable, nothing else makes the folder for the keys.
    let arguments = [
        "init",
        "--broker",
        "binance",
        "--market",
        "futures",
        "--secret-env",
        "MEU",
    ];
    let other = Home::new();
    other.run(&arguments).ok();
    let folder = std::fs::metadata(other.path("secrets")).unwrap();
    assert_eq!(folder.permissions().mode() & 0o777, 0o700);
    assert!(other.read("ponte.toml").contains("market = \"futures\""));
}

#[test]
fn init_refuses_what_makes_no_sense() {
    let home = Home::new();
    for arguments in [
        &["init", "--secret", "short"][..],
        &["init", "--balance", "-1"],
        &["init", "--balance", "much"],
        &["init", "--currency", "?"],
        &["init", "--admin-listen", "0.0.0.0:8081"],
        &["init", "--account", " "],
        &["init", "--secret-env", "A", "--secret-file", "b"],
        &["init", "--broker", "binanse"],
        &["init", "--market", "futures"],
        &["init", "--broker", "binance", "--account", "binance"],
    ] {
        home.run(arguments).complaint(2);
        assert!(!home.path("ponte.toml").exists(), "{arguments:?}");
        assert!(!home.path("secrets").exists(), "{arguments:?}");
    }
}

#[test]
fn an_account_in_a_terminal_comes_with_all_that_its_bridge_needs() {
    let home = Home::new();
    let flags = [
        "init",
        "--broker",
        "mt5",
        "--b3",
        "--login",
        "12345678",
        "--server",
        "XP-Demo",
        "--host",
        "vps.example.com",
    ];
    let text = home.run(&flags).ok();
    let token = home.read("secrets/mt5-bridge-token");
    assert!(!text.contains(token.trim()), "a token is not for a screen");
    let mode = |name: &str| {
        let metadata = std::fs::metadata(home.path(name)).unwrap();
        metadata.permissions().mode() & 0o777
    };
    assert_eq!(mode("secrets/mt5-bridge-token"), 0o600);
    assert_eq!(mode("secrets/bridge-key.pem"), 0o600);
    let check = home.run(&["check", "--json"]).json();
    assert_eq!(check["ok"], true, "{check}");
    assert_eq!(check["warnings"], serde_json::json!([]));
    let fingerprint = home.run(&["bridge", "fingerprint", "secrets/bridge-certificate.pem"]);
    let fingerprint = fingerprint.ok();
    let command = format!(
        "ponte-mt5-bridge run --url https://vps.example.com:8443 --pin {} \
         --token-file mt5-bridge-token",
        fingerprint.trim()
    );
    assert!(text.contains(&command), "{text}");
    assert!(text.contains("ponte doctor --account mt5"), "{text}");
    // What the terminals know stays as it is.
    let mut again = flags.to_vec();
    again.extend(["--force", "--json"]);
    let made = home.run(&again).json();
    assert_eq!(made["terminal"]["command"], command);
    assert_eq!(home.read("secrets/mt5-bridge-token"), token);
}

#[test]
fn a_terminal_on_this_machine_needs_no_certificate() {
    let home = Home::new();
    let made = home
        .run(&[
            "init",
            "--json",
            "--broker",
            "mt5",
            "--accounting",
            "hedging",
            "--login",
            "1",
            "--server",
            "Pepperstone-Demo",
        ])
        .json();
    assert_eq!(
        made["terminal"]["command"],
        "ponte-mt5-bridge run --url http://127.0.0.1:8443 --token-file mt5-bridge-token"
    );
    assert!(!home.path("secrets/bridge-key.pem").exists());
    let config = home.read("ponte.toml");
    assert!(config.contains("accounting = \"hedging\""), "{config}");
    assert!(config.contains("currency = \"USD\""), "{config}");
    home.run(&["check"]).ok();
}

#[test]
fn flags_of_another_broker_are_wrong_usage() {
    let home = Home::new();
    for (flags, expected) in [
        (
            &["init", "--broker", "mt5"][..],
            "needs --login and --server",
        ),
        (
            &["init", "--broker", "mt5", "--market", "spot"],
            "--market goes with --broker binance",
        ),
        (&["init", "--b3"], "go with --broker mt5"),
        (
            &[
                "init", "--broker", "mt5", "--login", "1", "--server", "x", "--host", "a:b",
            ],
            "without a port",
        ),
    ] {
        let complaint = home.run(flags).complaint(2);
        assert!(complaint.contains(expected), "{complaint}");
        assert!(!home.path("ponte.toml").exists());
    }
}
