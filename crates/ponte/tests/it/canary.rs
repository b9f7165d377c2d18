//! The keys of an account at Binance are in nothing that Ponte writes, prints or answers, whatever goes wrong.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use ponte_venue::faces::binance::{BinanceFace, BinanceOptions, KeyOptions};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::program::{self, Ponte, SECRET};
use crate::terminals::desk::{TOKEN, Terminal};

/// Public at Binance, and nobody's business all the same.
const API_KEY: &str = "CANARY-API-KEY-0000000000000000000000000000000000000000000000001";
const HMAC_SECRET: &str = "CANARY-HMAC-SECRET-00000000000000000000000000000000000000000001";
/// What the second account signs with: the exchange knows another secret.
const WRONG_SECRET: &str = "CANARY-WRONG-SECRET-000000000000000000000000000000000000000001";
/// A key of its own for the second account, since two accounts can't share one in one market.
const SECOND_API_KEY: &str = "CANARY-API-KEY-0000000000000000000000000000000000000000000000002";
/// What the source's secret was before.
const PREVIOUS: &str = "CANARY-PREVIOUS-000000000000000000000000000000001";
/// What nobody uses.
const TRIPWIRE: &str = "CANARY-TRIPWIRE-000000000000000000000000000000001";
/// Of a bridge that is no account's.
const STRANGERS_TOKEN: &str = "CANARY-TOKEN-0000000000000000000000000000000002";
/// The pair of RFC 8032, section 7.1, test 1.
const ED25519_SECRET: &str = "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g";
const ED25519_PUBLIC: &str = "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
/// Where the 32 bytes of the private key begin in its PKCS#8 form.
const ED25519_SEED_OFFSET: usize = 16;

const PATIENCE_STEPS: u32 = 600;
const STEP: Duration = Duration::from_millis(50);

/// What goes wrong with one order each.
fn faults() -> Vec<Value> {
    vec![
        json!("reject"),
        json!("accept_then_disconnect"),
        json!("disconnect_before"),
        json!("error_after_accept"),
        json!({ "unknown_error": { "placed": true } }),
        json!({ "backend_timeout": { "placed": true } }),
        json!("overloaded"),
        json!({ "html_body": { "placed": true } }),
        json!("truncated_body"),
        json!({ "rate_limited": { "retry_after": 1 } }),
    ]
}

#[derive(Clone, Copy, Debug)]
enum Signing {
    Hmac,
    Ed25519,
}

impl Signing {
    fn file(self) -> String {
        match self {
            Self::Hmac => HMAC_SECRET.to_owned(),
            Self::Ed25519 => format!(
                "-----BEGIN PRIVATE KEY-----\n{ED25519_SECRET}\n-----END PRIVATE KEY-----\n"
            ),
        }
    }

    fn at_the_exchange(self) -> KeyOptions {
        let key = KeyOptions::hmac(API_KEY, HMAC_SECRET, "canary");
        match self {
            Self::Hmac => key,
            Self::Ed25519 => key.with_public_key(&format!(
                "-----BEGIN PUBLIC KEY-----\n{ED25519_PUBLIC}\n-----END PUBLIC KEY-----\n"
            )),
        }
    }
}

/// Every form in which a key could slip out.
fn canaries() -> Vec<Vec<u8>> {
    let der = base64::engine::general_purpose::STANDARD
        .decode(ED25519_SECRET)
        .unwrap();
    let seed = der[ED25519_SEED_OFFSET..].to_vec();
    assert_eq!(seed.len(), 32);
    let hexadecimal: String = seed.iter().map(|byte| format!("{byte:02x}")).collect();
    let numbers = format!("{:?}", &seed[..8]);
    let mut canaries = vec![seed, der];
    canaries.extend(
        [
            API_KEY,
            SECOND_API_KEY,
            HMAC_SECRET,
            WRONG_SECRET,
            SECRET,
            PREVIOUS,
            TRIPWIRE,
            TOKEN,
            STRANGERS_TOKEN,
            ED25519_SECRET,
            &ED25519_SECRET[22..],
            &hexadecimal,
            numbers.trim_matches(['[', ']']),
            "BEGIN PRIVATE KEY",
        ]
        .map(|text| text.as_bytes().to_vec()),
    );
    canaries
}

fn assert_silent(what: &str, bytes: &[u8]) {
    for canary in canaries() {
        let found = bytes
            .windows(canary.len())
            .position(|window| window == canary);
        if let Some(place) = found {
            let around = &bytes[place.saturating_sub(300)..(place + 100).min(bytes.len())];
            panic!("a key is in {what}: {}", String::from_utf8_lossy(around));
        }
    }
}

/// The exchange, which can be ended as a power cut would.
struct Exchange {
    url: String,
    serving: JoinHandle<()>,
}

impl Exchange {
    async fn start(signing: Signing) -> Self {
        let options = BinanceOptions {
            keys: vec![
                signing.at_the_exchange(),
                KeyOptions::hmac(SECOND_API_KEY, "another-secret-than-ponte-has", "second"),
            ],
            ..BinanceOptions::rehearsal()
        };
        let face = BinanceFace::new(&options).unwrap();
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))
            .await
            .unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let serving = tokio::spawn(async move {
            face.serve_until(listener, std::future::pending())
                .await
                .unwrap();
        });
        Self { url, serving }
    }

    async fn tell(&self, path: &str, body: Value) {
        let answer = program::client()
            .post(format!("{}/admin/{path}", self.url))
            .json(&body)
            .send()
            .await
            .unwrap();
        assert!(answer.status().is_success(), "{body}");
    }
}

fn account(name: &str, market: &str, orders: &str, url: &str) -> String {
    format!(
        r#"
[[accounts]]
name = "{name}"
broker = "binance"
mode = "demo"
currency = "USDT"
[accounts.binance]
market = "{market}"
url = "{url}"
api_key = "file:secrets/{name}-api-key"
signing_key = "file:secrets/{name}-signing-key"
receive_window = "1s"
processing_limit = "1s"
orders = "{orders}"
[[routes]]
strategies = ["{name}"]
accounts = ["{name}"]
symbols = {{ "{}" = "{}" }}
"#,
        if market == "spot" {
            "BTCUSDT.P"
        } else {
            "BTCUSDT"
        },
        if market == "spot" {
            "BTCUSDT"
        } else {
            "BTCUSDT.P"
        },
    )
}

fn keep(folder: &Path, name: &str, text: &str) {
    let path = folder.join("secrets").join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

fn installed(signing: Signing, market: &str, orders: &str, url: &str) -> Ponte {
    let mut ponte = Ponte::install_accounts(&format!(
        "{}{}",
        account("canary", market, orders, url),
        account("stranger", market, orders, url)
    ));
    // Whoever looks for a mistake sets this.
    ponte.set_log_filter("trace");
    for (name, text) in [
        ("canary-api-key", API_KEY),
        ("canary-signing-key", &signing.file()),
        ("stranger-api-key", SECOND_API_KEY),
        ("stranger-signing-key", WRONG_SECRET),
    ] {
        keep(ponte.folder(), name, text);
    }
    ponte
}

/// Where the keys are kept.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kept {
    Files,
    Vault,
}

/// Moves all keys into the vault, and takes the files away.
fn into_the_vault(ponte: &Ponte) -> String {
    let (status, mut seen) = ponte.command(&["vault", "init"]);
    assert_eq!(status, 0, "{seen}");
    let path = ponte.folder().join("ponte.toml");
    let toml = std::fs::read_to_string(&path).unwrap();
    let toml = toml.replace(
        "[webhook]",
        "[vault]\nkey = \"file:secrets/vault-key\"\n[webhook]",
    );
    std::fs::write(&path, &toml).unwrap();
    let (status, imported) = ponte.command(&["vault", "import", "--all"]);
    assert_eq!(status, 0, "{imported}");
    seen += &imported;
    for entry in std::fs::read_dir(ponte.folder().join("secrets")).unwrap() {
        let file = entry.unwrap().path();
        if !file.ends_with("vault-key") {
            std::fs::remove_file(file).unwrap();
        }
    }
    let kept = toml.replace("\"file:secrets/", "\"vault:");
    let kept = kept.replace("vault:vault-key", "file:secrets/vault-key");
    let kept = kept.replace("env:WEBHOOK_SECRET", "vault:webhook-secret");
    std::fs::write(&path, kept).unwrap();
    seen + &ponte.command(&["vault", "list"]).1
        + &ponte.command(&["vault", "list", "--json"]).1
        + &ponte.command(&["vault", "remove", "canary-api-key"]).1
}

fn alert(strategy: &str, id: &str) -> String {
    format!(
        r#"{{"segredo":"{SECRET}","acao":"COMPRA","ativo":"BTCUSDT","qtd":0.01,"stop":50000,"alvo":70000,"estrategia":"{strategy}","id":"{id}"}}"#
    )
}

/// Sends an alert, and waits until the log or the record has a word about its order.
async fn trade(ponte: &Ponte, strategy: &str, id: &str) -> String {
    let (status, answer) = ponte.send(&alert(strategy, id)).await;
    assert_eq!(status, 200, "{answer}");
    let Some(alert) = answer["id"].as_str() else {
        panic!("no alert in {answer}");
    };
    for _ in 0..PATIENCE_STEPS {
        let orders = ponte.ask("orders?limit=1000").await;
        let orders = orders.as_array().unwrap();
        let waits = orders
            .iter()
            .any(|order| order["alert"] == alert && order["status"] == "planned");
        if !waits {
            break;
        }
        tokio::time::sleep(STEP).await;
    }
    format!("{answer}\n")
}

/// What an owner can ask of a running Ponte, and of one that doesn't run.
async fn asked(ponte: &Ponte) -> String {
    let mut seen = String::new();
    for arguments in [
        &["check"][..],
        &["check", "--json"],
        &["status"],
        &["status", "--json"],
        &["alerts", "--json"],
        &["orders", "--json"],
        &["positions", "--json"],
        &["why", "A1"],
        &["why", "A2", "--json"],
        &["explain", &alert("canary", "explained")],
        &["explain", &alert("stranger", "explained")],
        &["export"],
        &["audit", "verify"],
    ] {
        seen += &ponte.command(arguments).1;
    }
    seen
}

async fn the_keys_stay_inside(signing: Signing, market: &str, orders: &str, kept: Kept) {
    let exchange = Exchange::start(signing).await;
    let mut ponte = installed(signing, market, orders, &exchange.url);
    let mut seen = ponte.command(&["check"]).1;
    if kept == Kept::Vault {
        seen += &into_the_vault(&ponte);
        seen += &ponte.command(&["check"]).1;
    }
    ponte.start().await;
    seen += &trade(&ponte, "canary", "first").await;
    seen += &trade(&ponte, "stranger", "refused").await;
    for (number, fault) in faults().into_iter().enumerate() {
        let rule = json!({ "fault": fault, "trigger": { "next": 1 }, "operation": "place" });
        exchange.tell("faults", rule).await;
        seen += &trade(&ponte, "canary", &format!("fault-{number}")).await;
    }
    exchange.tell("streams", json!({ "do": "cut" })).await;
    seen += &trade(&ponte, "canary", "cut").await;
    seen += &asked(&ponte).await;
    seen += &ponte.page("metrics").await;
    seen += &ponte.page("readyz").await;

    // Gone while it runs, and gone when it starts.
    exchange.serving.abort();
    seen += &trade(&ponte, "canary", "gone").await;
    ponte.kill();
    ponte.start().await;
    seen += &trade(&ponte, "canary", "still gone").await;
    seen += &asked(&ponte).await;
    seen += &ponte.command(&["backup", "backup.tar"]).1;
    ponte.stop().await;
    seen += &asked(&ponte).await;

    let log = ponte.whole_log();
    for proof in [
        "order acknowledged",
        "binance -1022",
        "fate unknown",
        "could not be asked",
        "TRACE",
    ] {
        assert!(log.contains(proof), "nothing of {proof:?} in {log}");
    }
    assert!(seen.len() > 10_000, "too little was looked at: {seen}");
    let run = format!("{signing:?} {market} {orders}");
    assert_silent(&format!("what was printed, {run}"), seen.as_bytes());
    assert_silent(&format!("the log, {run}"), log.as_bytes());
    let files = silent_files(&ponte.folder().join("data"));
    assert!(files >= 2, "{files} files");
    let backup = std::fs::read(ponte.folder().join("backup.tar")).unwrap();
    assert_silent(&format!("the backup, {run}"), &backup);
    if kept == Kept::Vault {
        let key = std::fs::read_to_string(ponte.folder().join("secrets/vault-key")).unwrap();
        let key = key.lines().last().unwrap();
        assert!(key.starts_with("AGE-SECRET-KEY-"));
        assert!(!seen.contains(key) && !log.contains(key));
    }
}

/// Looks at every file below a folder, and says how many there were.
fn silent_files(folder: &Path) -> usize {
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files += silent_files(&path);
            continue;
        }
        assert_silent(&path.display().to_string(), &std::fs::read(&path).unwrap());
        files += 1;
    }
    files
}

#[tokio::test]
async fn an_hmac_secret_stays_inside_over_rest() {
    the_keys_stay_inside(Signing::Hmac, "spot", "rest", Kept::Files).await;
}

#[tokio::test]
async fn an_hmac_secret_stays_inside_over_a_web_socket() {
    the_keys_stay_inside(Signing::Hmac, "futures", "websocket", Kept::Vault).await;
}

#[tokio::test]
async fn an_ed25519_key_stays_inside_over_rest() {
    the_keys_stay_inside(Signing::Ed25519, "futures", "rest", Kept::Files).await;
}

#[tokio::test]
async fn an_ed25519_key_stays_inside_over_a_web_socket() {
    the_keys_stay_inside(Signing::Ed25519, "spot", "websocket", Kept::Vault).await;
}

#[tokio::test]
async fn a_terminals_token_stays_inside() {
    let port = program::free_port();
    let mut ponte = Ponte::install_accounts(&format!(
        r#"
[bridge]
listen = "127.0.0.1:{port}"
[[accounts]]
name = "canary"
broker = "mt5"
mode = "demo"
currency = "BRL"
[accounts.mt5]
login = 12345678
server = "Standin-Demo"
token = "file:secrets/token"
[[routes]]
strategies = ["*"]
accounts = ["canary"]
"#
    ));
    ponte.set_log_filter("trace");
    // One that can't be used is not shown either.
    keep(ponte.folder(), "token", &TOKEN[..24]);
    let mut seen = ponte.command(&["check"]).1;
    assert!(seen.contains("24 bytes"), "{seen}");
    keep(ponte.folder(), "token", TOKEN);
    ponte.start().await;
    let base = format!("http://127.0.0.1:{port}");
    let mut stranger = Terminal::posting(program::client(), &base, STRANGERS_TOKEN);
    let facts = stranger.bridge.facts();
    let refused = stranger.bridge.send(facts.clone()).await.unwrap_err();
    assert_eq!(refused.status, 401);
    seen += &refused.text;
    let mut terminal = Terminal::posting(program::client(), &base, TOKEN);
    let other = ponte::bridge::protocol::SyncRequest {
        protocol: 2,
        ..facts
    };
    seen += &terminal.bridge.send(other).await.unwrap_err().text;
    terminal.bridge.hello().await;
    for _ in 0..5 {
        terminal.turn().await;
    }
    let alert = format!(
        r#"{{"segredo":"{SECRET}","acao":"COMPRA","ativo":"WINZ26","qtd":1,"stop":127000,"estrategia":"s"}}"#
    );
    let (status, answer) = ponte.send(&alert).await;
    assert_eq!(status, 200, "{answer}");
    for _ in 0..5 {
        terminal.turn().await;
    }
    seen += &asked(&ponte).await;
    seen += &ponte.page("metrics").await;
    ponte.kill();
    let log = ponte.whole_log();
    for proof in [
        "a session of the terminal's bridge began",
        "no account's",
        "order acknowledged",
    ] {
        assert!(log.contains(proof), "nothing of {proof:?} in {log}");
    }
    assert_silent("what was printed of a terminal", seen.as_bytes());
    assert_silent("the log of a terminal", log.as_bytes());
    assert!(silent_files(&ponte.folder().join("data")) >= 2);
}

/// Waits until the log says so: the running Ponte looks at the secrets' files now and then.
async fn wait_for(ponte: &Ponte, words: &str) {
    for _ in 0..1_500 {
        if ponte.whole_log().contains(words) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

/// A source's secret, the one before it and its tripwire, of which each is shown wherever it can be.
#[tokio::test]
async fn a_sources_secrets_stay_inside() {
    let mut ponte = Ponte::install("prices = [\"alert\"]");
    let file = ponte.folder().join("ponte.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let text = text.replace(
        "secret = \"env:WEBHOOK_SECRET\"",
        "secret = \"file:secrets/main\"\ntripwire = \"file:secrets/wire\"",
    );
    std::fs::write(&file, text).unwrap();
    ponte.set_log_filter("trace");
    keep(ponte.folder(), "main", SECRET);
    keep(ponte.folder(), "wire", TRIPWIRE);
    let previous = format!("{PREVIOUS}\nvalid until 2999-01-01T00:00:00Z\n");
    keep(ponte.folder(), "main.previous", &previous);
    let mut seen = ponte.command(&["check"]).1;
    ponte.start().await;
    for (secret, status) in [(SECRET, 200), (PREVIOUS, 200), (TRIPWIRE, 403)] {
        let body = alert("canary", secret).replace(SECRET, secret);
        let body = body.replace(&format!("\"id\":\"{secret}\""), "\"id\":\"one\"");
        seen += &format!("{:?}", ponte.send(&body).await);
        let broken = format!(r#"{{"segredo":"{secret}","acao":"{secret}" "#);
        seen += &format!("{:?}", ponte.send(&broken).await);
        let url = format!("{}/{secret}", ponte.webhook());
        let answer = program::client()
            .post(&url)
            .body("{}")
            .send()
            .await
            .unwrap();
        let expected = if status == 200 { 400 } else { 403 };
        assert_eq!(answer.status().as_u16(), expected);
        seen += &answer.text().await.unwrap();
        let answer = program::client().get(&url).send().await.unwrap();
        seen += &answer.text().await.unwrap();
    }
    for arguments in [
        &["secret", "list"][..],
        &["secret", "list", "--json"],
        &["secret", "rotate", "main"],
        &["source", "list"],
        &["source", "list", "--json"],
    ] {
        seen += &ponte.command(arguments).1;
    }
    keep(ponte.folder(), "wire", &format!("{SECRET}\n"));
    seen += &ponte.command(&["secret", "end", "main"]).1;
    keep(ponte.folder(), "wire", &TRIPWIRE[..3]);
    wait_for(&ponte, "stays as it was").await;
    seen += &ponte.command(&["check"]).1;
    seen += &ponte.command(&["secret", "list"]).1;
    seen += &asked(&ponte).await;
    seen += &ponte.page("metrics").await;
    ponte.stop().await;
    seen += &ponte.command(&["secret", "list"]).1;
    seen += &asked(&ponte).await;
    let log = ponte.whole_log();
    for proof in [
        "TRIPWIRE",
        "could not take it over",
        "stays as it was",
        "tripwire_uses",
    ] {
        assert!(
            log.contains(proof) || seen.contains(proof),
            "{proof}: {log}\n{seen}"
        );
    }
    assert_silent("what was printed of secrets", seen.as_bytes());
    assert_silent("the log of secrets", log.as_bytes());
    assert!(silent_files(&ponte.folder().join("data")) >= 2);
}

#[test]
#[should_panic(expected = "a key is in a test")]
fn a_key_that_slips_out_is_seen() {
    assert_silent("a test", format!("apiKey={API_KEY}&symbol").as_bytes());
}
