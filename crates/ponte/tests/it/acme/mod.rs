//! Certificates by ACME: the real program against a real authority.

mod own_files;
mod pebble;
mod rehearsal;
mod renewal_info;

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::time::Duration;

use rustls::RootCertStore;
use rustls::pki_types::ServerName;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::program::{Ponte, SECRET, client, free_port};
use pebble::{Pebble, Ports, rustls_client};

const NAME: &str = "hook.example.com";
const PAPER: &str = "balance = \"10000\"\nprices = [\"alert\", \"seeded\"]";
const DAYS_90: Duration = Duration::from_secs(90 * 86_400);
/// Longest wait for something that must happen.
const PATIENCE_STEPS: u32 = 1200;
const STEP: Duration = Duration::from_millis(50);

/// A Ponte with HTTPS, and its authority.
struct Pair {
    ponte: Ponte,
    pebble: Pebble,
    address: SocketAddr,
    http: SocketAddr,
}

impl Pair {
    async fn new(challenge: &str, lifetime: Duration) -> Self {
        let ponte = Ponte::install(PAPER);
        let port = |url: &str| {
            url.rsplit(':')
                .next()
                .unwrap()
                .split('/')
                .next()
                .unwrap()
                .parse::<u16>()
                .unwrap()
        };
        let tls = port(&ponte.webhook());
        let http = free_port();
        let pebble = Pebble::start(Ports { tls, http }, lifetime).await;
        let path = ponte.folder().join("ponte.toml");
        let listens = match challenge {
            "http-01" => format!("http_listen = \"127.0.0.1:{http}\"\n"),
            _ => String::new(),
        };
        let section = format!(
            "[webhook.acme]\ndomains = [\"{NAME}\"]\ncontact = [\"owner@example.com\"]\naccept_terms = true\n\
             directory = \"{}\"\nroot = \"{}\"\nchallenge = \"{challenge}\"\n{listens}[admin]",
            pebble.directory(),
            pebble.root_file().display(),
        );
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace("[admin]", &section)).unwrap();
        let loopback = |port| SocketAddr::from(([127, 0, 0, 1], port));
        Self {
            ponte,
            pebble,
            address: loopback(tls),
            http: loopback(http),
        }
    }

    /// The certificate that a handshake shows to one who trusts these roots.
    async fn shown(&self, roots: &RootCertStore) -> Option<Vec<u8>> {
        let connector = TlsConnector::from(Arc::new(rustls_client(roots.clone())));
        let stream = TcpStream::connect(self.address).await.unwrap();
        let name = ServerName::try_from(NAME).unwrap();
        let stream = connector.connect(name, stream).await.ok()?;
        let chain = stream.get_ref().1.peer_certificates()?;
        Some(chain[0].to_vec())
    }

    /// Waits until a handshake shows another certificate than `old`.
    async fn wait_until_shown(&self, roots: &RootCertStore, old: Option<&[u8]>) -> Vec<u8> {
        for _ in 0..PATIENCE_STEPS {
            if let Some(shown) = self.shown(roots).await
                && Some(shown.as_slice()) != old
            {
                return shown;
            }
            tokio::time::sleep(STEP).await;
        }
        panic!("no new certificate:\n{}", self.ponte.whole_log());
    }

    /// Sends an alert as TradingView does, to the name; the status and the body of the answer.
    async fn send(&self, roots: &RootCertStore) -> (u16, Value) {
        let client = ponte::tls::http_client_trusting(roots.clone())
            .resolve(NAME, self.address)
            .build()
            .unwrap();
        let body =
            format!(r#"{{"segredo":"{SECRET}","acao":"COMPRA","ativo":"BTCUSDT","qtd":0.01}}"#);
        let url = format!("https://{NAME}:{}/webhook", self.address.port());
        let answer = client.post(url).body(body).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// What `ponte certificate --json` says of the webhook, and its exit status.
    fn report(&self) -> (i32, Value) {
        let (status, text) = self.ponte.command(&["certificate", "--json"]);
        let mut reports: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"));
        (status, reports[0].take())
    }

    /// The log once these words stand in it.
    async fn wait_until_logged(&self, words: &str) -> String {
        for _ in 0..PATIENCE_STEPS {
            let log = self.ponte.whole_log();
            if log.contains(words) {
                return log;
            }
            tokio::time::sleep(STEP).await;
        }
        panic!("never logged: {words}\n{}", self.ponte.whole_log());
    }
}

#[tokio::test]
async fn the_first_certificate_comes_by_a_handshake_and_lasts_through_a_restart() {
    let mut pair = Pair::new("tls-alpn-01", DAYS_90).await;
    pair.ponte.start().await;
    let roots = pair.pebble.issuing_roots().await;
    let first = pair.wait_until_shown(&roots, None).await;
    let (status, answer) = pair.send(&roots).await;
    assert_eq!((status, answer["status"].as_str()), (200, Some("accepted")));

    let (status, report) = pair.report();
    assert_eq!(status, 0, "{report}");
    assert_eq!(report["names"], serde_json::json!([NAME]), "{report}");
    assert_eq!(report["standing"], "good");
    assert!(report["days_left"].as_u64().unwrap() >= 88, "{report}");
    assert!(
        report["issuer"].as_str().unwrap().contains("Pebble"),
        "{report}"
    );
    let renewal = report["next_renewal"].as_str().unwrap();
    assert!(renewal > "2026" && renewal < report["not_after"].as_str().unwrap());
    assert_eq!(report["last_failure"], Value::Null);

    let orders = pair.pebble.said("Added order");
    pair.ponte.stop().await;
    pair.ponte.start().await;
    // Shown from the first handshake on, without a question to the authority.
    assert_eq!(pair.shown(&roots).await, Some(first));
    assert_eq!(pair.send(&roots).await.1["status"], "duplicate");
    pair.wait_until_logged("the stored certificate is in use")
        .await;
    assert_eq!(pair.pebble.said("Added order"), orders);
    assert!(
        pair.ponte
            .metric("ponte_certificate_expires_timestamp_seconds{listener=\"webhook\"}")
            .await
            > Some(1.7e9)
    );
    pair.ponte.stop().await;
}

#[tokio::test]
async fn the_data_directory_keeps_keys_to_its_owner_and_the_log_has_none() {
    let mut pair = Pair::new("tls-alpn-01", DAYS_90).await;
    pair.ponte.start().await;
    let roots = pair.pebble.issuing_roots().await;
    pair.wait_until_shown(&roots, None).await;
    pair.ponte.stop().await;
    let folder = pair.ponte.folder().join("data").join("acme");
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    let log = pair.ponte.whole_log();
    let mut kinds = Vec::new();
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        let text = std::fs::read_to_string(&path).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with("account-") {
            let account: Value = serde_json::from_str(&text).unwrap();
            let key = account["credentials"]["key_pkcs8"].as_str().unwrap();
            assert!(
                key.len() > 100 && !log.contains(key),
                "the account's key is in the log"
            );
            assert_eq!(account["contact"], serde_json::json!(["owner@example.com"]));
            kinds.push("account");
        } else if name.ends_with(".pem") {
            let key = text.lines().nth(1).unwrap();
            assert!(text.starts_with("-----BEGIN PRIVATE KEY-----"));
            assert!(!log.contains(key), "the certificate's key is in the log");
            kinds.push("pair");
        } else {
            assert!(name.starts_with(NAME) && name.ends_with(".json"), "{name}");
            kinds.push("record");
        }
    }
    kinds.sort_unstable();
    assert_eq!(kinds, ["account", "pair", "record"]);
}

#[tokio::test]
async fn a_certificate_by_http_and_nothing_else_at_the_plain_address() {
    let mut pair = Pair::new("http-01", DAYS_90).await;
    pair.ponte.start().await;
    let roots = pair.pebble.issuing_roots().await;
    pair.wait_until_shown(&roots, None).await;
    assert_eq!(pair.send(&roots).await.0, 200);

    let plain = |path: &str| format!("http://{}{path}", pair.http);
    for path in [
        "/",
        "/webhook",
        "/.well-known/acme-challenge/unknown",
        "/.well-known/",
    ] {
        let answer = client().get(plain(path)).send().await.unwrap();
        assert_eq!(answer.status(), 404, "{path}");
        assert_eq!(answer.headers().get("location"), None, "{path}");
    }
    // An alert that was sent in the clear is not taken, and its owner is told.
    let body = format!(r#"{{"segredo":"{SECRET}","acao":"VENDA","ativo":"ETHUSDT","qtd":1}}"#);
    let sent = client().post(plain("/webhook")).body(body).send().await;
    assert_eq!(sent.unwrap().status(), 404);
    let log = pair
        .wait_until_logged("posted over plain HTTP: change the URL to https and rotate the secret")
        .await;
    assert!(!log.contains(SECRET));
    assert_eq!(
        pair.ponte
            .metric("ponte_requests_refused_total{outcome=\"plain_http\"}")
            .await,
        Some(1.0)
    );
    let alerts = pair.ponte.ask("alerts?limit=10").await;
    assert!(!alerts.to_string().contains("ETHUSDT"), "{alerts}");
    pair.ponte.stop().await;
}

#[tokio::test]
async fn a_renewed_certificate_is_in_use_without_a_restart() {
    let mut pair = Pair::new("tls-alpn-01", Duration::from_secs(30)).await;
    pair.ponte.start().await;
    let roots = pair.pebble.issuing_roots().await;
    let first = pair.wait_until_shown(&roots, None).await;
    // A connection from before is not disturbed: it is answered after the renewal.
    let client = ponte::tls::http_client_trusting(roots.clone())
        .resolve(NAME, pair.address)
        .build()
        .unwrap();
    let url = format!("https://{NAME}:{}/webhook", pair.address.port());
    assert_eq!(client.get(&url).send().await.unwrap().status(), 405);
    let second = pair.wait_until_shown(&roots, Some(&first)).await;
    assert_ne!(first, second);
    assert_eq!(client.get(&url).send().await.unwrap().status(), 405);
    assert_eq!(pair.send(&roots).await.0, 200);
    pair.ponte.stop().await;
}

#[tokio::test]
async fn a_failed_validation_is_told_with_its_cause_and_mended_by_a_restart() {
    let mut pair = Pair::new("tls-alpn-01", DAYS_90).await;
    // Nobody listens there.
    pair.pebble.lead(NAME, "127.0.0.77").await;
    pair.ponte.start().await;
    let roots = pair.pebble.issuing_roots().await;
    // Ponte is up, and refuses handshakes until it has something to show.
    assert_eq!(pair.shown(&roots).await, None);
    let log = pair
        .wait_until_logged("there is no certificate: the order failed")
        .await;
    let told = log
        .lines()
        .find(|line| line.contains("the order failed"))
        .unwrap();
    assert!(told.contains("ERROR") && told.contains(NAME), "{told}");
    assert!(told.contains("127.0.0.77"), "{told}");
    assert!(told.contains("port 443"), "{told}");

    let (status, report) = pair.report();
    assert_eq!(status, 1, "{report}");
    assert_eq!(report["standing"], "void");
    assert!(
        report["missing"]["why"].as_str().unwrap().contains(NAME),
        "{report}"
    );
    let why = report["last_failure"]["why"].as_str().unwrap();
    assert!(why.contains("127.0.0.77"), "{why}");
    assert!(
        report["last_failure"]["cure"]
            .as_str()
            .unwrap()
            .contains("port 443"),
        "{report}"
    );
    let (status, text) = pair.ponte.command(&["certificate"]);
    assert_eq!(status, 1);
    assert!(
        text.contains("failed") && text.contains("127.0.0.77"),
        "{text}"
    );

    // The owner mends the record and starts again: no back-off stands in the way.
    pair.pebble.lead(NAME, "127.0.0.1").await;
    pair.ponte.stop().await;
    pair.ponte.start().await;
    pair.wait_until_shown(&roots, None).await;
    let (status, report) = pair.report();
    assert_eq!(status, 0, "{report}");
    assert_eq!(report["last_failure"], Value::Null);
    pair.ponte.stop().await;
}

/// Nothing is lost to a restart, even to one that asks for another certificate.
#[tokio::test]
async fn a_name_more_leaves_the_certificate_of_before_in_use_until_the_new_one_has_come() {
    let mut pair = Pair::new("tls-alpn-01", DAYS_90).await;
    pair.ponte.start().await;
    let roots = pair.pebble.issuing_roots().await;
    let first = pair.wait_until_shown(&roots, None).await;
    pair.ponte.stop().await;
    let path = pair.ponte.folder().join("ponte.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let more = format!("[\"{NAME}\", \"other.example.com\"]");
    std::fs::write(&path, text.replace(&format!("[\"{NAME}\"]"), &more)).unwrap();
    // Nobody answers to the new name.
    pair.pebble.lead("other.example.com", "127.0.0.77").await;
    pair.ponte.start().await;
    assert_eq!(pair.shown(&roots).await, Some(first.clone()));
    assert_eq!(pair.send(&roots).await.0, 200);
    let log = pair.wait_until_logged("the order failed").await;
    assert!(log.contains("the certificate of before is shown"), "{log}");
    assert_eq!(pair.shown(&roots).await, Some(first.clone()));
    let (status, report) = pair.report();
    assert_eq!((status, &report["standing"]), (1, &Value::from("void")));
    pair.ponte.stop().await;

    pair.pebble.lead("other.example.com", "127.0.0.1").await;
    pair.ponte.start().await;
    pair.wait_until_shown(&roots, Some(&first)).await;
    assert_eq!(pair.report().0, 0);
    pair.ponte.stop().await;
}

#[tokio::test]
async fn an_account_that_the_authority_has_forgotten_is_made_again() {
    let mut pair = Pair::new("tls-alpn-01", DAYS_90).await;
    pair.ponte.start().await;
    let roots = pair.pebble.issuing_roots().await;
    pair.wait_until_shown(&roots, None).await;
    pair.ponte.stop().await;
    pair.pebble.begin_anew().await;
    for entry in std::fs::read_dir(pair.ponte.folder().join("data/acme")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|kind| kind == "pem") {
            std::fs::remove_file(path).unwrap();
        }
    }
    pair.ponte.start().await;
    // The first attempt learns it, and a start makes the second without a pause.
    pair.wait_until_logged("there is no certificate: the order failed")
        .await;
    pair.ponte.stop().await;
    pair.ponte.start().await;
    let roots = pair.pebble.issuing_roots().await;
    pair.wait_until_shown(&roots, None).await;
    pair.ponte.stop().await;
}
