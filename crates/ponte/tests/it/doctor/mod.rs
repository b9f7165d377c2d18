//! `ponte doctor`, the real program, against listeners, proxies and exchanges on this machine.

mod accounts;
mod around;
mod public_side;
mod selftest;
mod stop;

use std::net::SocketAddr;

use axum::Router;
use ponte::server::{Certificate, CertificateFiles, Limits, Security, Tls, serve_secured};
use ponte_venue::faces::binance::{BinanceFace, BinanceOptions};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::program::Ponte;

/// What the doctor found.
struct Report {
    status: i32,
    parts: Vec<Value>,
}

impl Report {
    /// What it says about a part, or an account.
    fn of(&self, name: &str) -> Vec<Value> {
        let is_it = |part: &&Value| part["group"] == name || part["account"] == name;
        let part = self.parts.iter().find(is_it);
        let part = part.unwrap_or_else(|| panic!("nothing about {name}: {:#?}", self.parts));
        part["findings"].as_array().unwrap().clone()
    }

    /// The health and the text of every finding about a subject.
    fn all(&self, name: &str, subject: &str) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let of = self.of(name).into_iter();
        of.filter(|finding| finding["subject"] == subject)
            .map(|finding| (text(&finding["health"]), text(&finding["text"])))
            .collect()
    }

    /// Holds a finding against what it should be.
    #[track_caller]
    fn says(&self, name: &str, subject: &str, health: &str, part: &str) {
        let all = self.all(name, subject);
        let is_it = |(found, text): &(String, String)| found == health && text.contains(part);
        assert!(
            all.iter().any(is_it),
            "{subject}: {health} {part:?}, not {all:#?}"
        );
    }
}

/// Asks the doctor; other tasks go on meanwhile.
async fn ask(ponte: &Ponte, arguments: &[&str]) -> Report {
    let arguments = [&["doctor", "--json"], arguments].concat();
    let (status, text) = tokio::task::block_in_place(|| ponte.command(&arguments));
    let mut documents = serde_json::Deserializer::from_str(&text).into_iter::<Value>();
    let first = documents
        .next()
        .unwrap_or_else(|| panic!("nothing was printed"));
    let parts = first.unwrap_or_else(|error| panic!("{error}: {text}"));
    let parts = parts
        .as_array()
        .unwrap_or_else(|| panic!("{parts}"))
        .clone();
    Report { status, parts }
}

/// Writes lines into the section `[webhook]`.
fn set_webhook(ponte: &Ponte, lines: &str) {
    let path = ponte.folder().join("ponte.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let text = text.replacen("[webhook]\n", &format!("[webhook]\n{lines}\n"), 1);
    std::fs::write(path, text).unwrap();
}

/// A server on this machine, until it is dropped.
struct Server {
    address: SocketAddr,
    serving: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Server {
    async fn plain(router: Router) -> Self {
        Self::start(router, Security::Plain).await
    }

    async fn with_tls(router: Router, files: CertificateFiles) -> Self {
        let certificate = Certificate::read(files).unwrap();
        Self::start(router, Security::Tls(Tls::with_files(certificate))).await
    }

    async fn start(router: Router, security: Security) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(async move {
            let forever = std::future::pending::<()>();
            let served = serve_secured(listener, router, &security, Limits::default(), forever);
            served.await.unwrap();
        });
        Self { address, serving }
    }
}

/// Binance's stand-in.
async fn exchange(change: impl FnOnce(&mut BinanceOptions)) -> Server {
    let mut options = BinanceOptions::rehearsal();
    change(&mut options);
    let face = BinanceFace::new(&options).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move {
        let served = face.serve_until(listener, std::future::pending());
        served.await.unwrap();
    });
    Server { address, serving }
}

/// An account at the stand-in, with a route that takes everything there.
fn binance(market: &str, exchange: &Server, rules: &str, more: &str) -> String {
    format!(
        r#"
[[accounts]]
name = "{market}"
broker = "binance"
mode = "demo"
currency = "USDT"
[accounts.rules]
max_order_notional = "5000"
{rules}
[accounts.binance]
market = "{market}"
url = "http://{}"
api_key = "env:BINANCE_API_KEY"
signing_key = "env:BINANCE_SIGNING_KEY"
receive_window = "1s"
processing_limit = "1s"
{more}
[[routes]]
strategies = ["*"]
accounts = ["{market}"]
"#,
        exchange.address
    )
}

/// A paper account with a route that takes everything there.
const PAPER: &str = r#"
[[accounts]]
name = "paper"
broker = "paper"
mode = "paper"
currency = "USDT"
[[routes]]
strategies = ["*"]
accounts = ["paper"]
"#;
