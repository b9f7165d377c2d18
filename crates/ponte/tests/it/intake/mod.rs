//! The webhook: a real listener, the real engine and journal, and commands that end in a channel.

// A helper that fails is a failed test.
#![allow(clippy::unwrap_used)]

mod alerts;
mod certificates;
mod connections;
pub(crate) mod fuzz;
mod proxies;
mod refusals;
mod secrecy;
mod secrets;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use ponte::config::{
    AllowFrom, Cidr, ClientAddress, ClientCertificatePolicy, ClientCertificateRules, NamedSet,
};
use ponte::engine::{Committed, Engine, Parts, Retention, Running};
use ponte::intake::selftest::SelfTests;
use ponte::intake::{BODY_READ_MAX, Intake};
use ponte::journal::{ExportFilter, Reader, Writer, path_in};
use ponte::metrics::Metrics;
use ponte::secret::{Entry, Keyring, Secret, SourceKeys, SourceSecrets};
use ponte::server::{Gate, Limits, Security, serve_gated};
use ponte_core::decide::Quotes;
use ponte_core::format::Format;
use ponte_core::id::{AccountName, SourceName, Symbol};
use ponte_core::instrument::{Instrument, Instruments};
use ponte_core::message::{Command, Event, RefusedRequest};
use ponte_core::number::Price;
use ponte_core::order::OrderPlan;
use ponte_core::policy::{
    AccountPolicy, Brackets, Capabilities, Mode, Policy, Route, Rules, Sizing, SourcePolicy,
    StrategyFilter,
};
use rust_decimal::Decimal;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

/// The secret of source `main`.
const SECRET: &str = "MEU_SEGREDO";
/// The secret of source `second`.
const SECOND_SECRET: &str = "OUTRO_SEGREDO";
/// The message of a Portuguese-speaking trader.
const MESSAGE: &str = r#"{"segredo":"MEU_SEGREDO","acao":"COMPRA","ativo":"BTCUSDT","qtd":0.01}"#;
/// A test that waits longer than this hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a test sets differently.
struct Setup {
    allow_from: AllowFrom,
    trusted_proxies: Option<NamedSet>,
    proxies: Vec<Cidr>,
    client_address: ClientAddress,
    failures_per_minute: u32,
    body_read_max: Duration,
    limits: Limits,
    security: Security,
    gate: Gate,
    client_certificate: ClientCertificateRules,
    /// Ends of sources.
    keys: Vec<SourceKeys>,
    /// Secrets beside the current ones.
    spare: Vec<Entry>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            allow_from: AllowFrom::Ranges(NamedSet::Loopback.ranges()),
            trusted_proxies: None,
            proxies: Vec::new(),
            client_address: ClientAddress::Peer,
            failures_per_minute: 1000,
            body_read_max: BODY_READ_MAX,
            limits: Limits::default(),
            security: Security::Plain,
            gate: Gate::default(),
            client_certificate: ClientCertificateRules {
                policy: ClientCertificatePolicy::Observe,
                keys: Default::default(),
            },
            keys: Vec::new(),
            spare: Vec::new(),
        }
    }
}

/// A running webhook with all that stands behind it, but no broker.
struct World {
    address: SocketAddr,
    engine: Engine,
    running: Running,
    metrics: Arc<Metrics>,
    commands: mpsc::UnboundedReceiver<Committed>,
    stop: oneshot::Sender<()>,
    server: tokio::task::JoinHandle<std::io::Result<()>>,
    directory: Directory,
}

impl World {
    async fn start(setup: Setup) -> Self {
        let directory = Directory::new();
        let mut writer = Writer::open(directory.path()).unwrap();
        let state = writer.load().unwrap().state;
        let metrics = Arc::new(Metrics::default());
        let (sender, commands) = mpsc::unbounded_channel();
        let (engine, running) = Engine::start(Parts {
            writer,
            state,
            policy: policy(),
            quotes: Arc::new(OnePrice),
            commands: sender,
            metrics: metrics.clone(),
            retention: Retention::default(),
        })
        .unwrap();
        let mut secrets = SourceSecrets::default();
        secrets.insert(source("main"), secret(SECRET));
        secrets.insert(source("second"), secret(SECOND_SECRET));
        let keyring = Keyring::new(setup.keys, secrets, setup.spare);
        let names = ["main", "second"].map(source);
        let mut trusted_proxies = setup.trusted_proxies.map_or(vec![], NamedSet::ranges);
        trusted_proxies.extend(setup.proxies);
        let intake = Intake {
            engine: engine.clone(),
            keyring: Arc::new(keyring),
            formats: names.map(|name| (name, Format::Ponte)).into(),
            allow_from: setup.allow_from,
            trusted_proxies,
            client_address: setup.client_address,
            client_certificate: setup.client_certificate,
            failures_per_minute: setup.failures_per_minute,
            body_read_max: setup.body_read_max,
            self_tests: Arc::new(SelfTests::new()),
            metrics: metrics.clone(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let (security, gate, limits) = (setup.security, setup.gate, setup.limits);
        let router = intake.router();
        let server = tokio::spawn(async move {
            serve_gated(listener, router, &security, gate, limits, stopped).await
        });
        Self {
            address,
            engine,
            running,
            metrics,
            commands,
            stop,
            server,
            directory,
        }
    }

    async fn connect(&self) -> Connection {
        Connection::over(TcpStream::connect(self.address).await.unwrap())
    }

    /// Sends one request over its own connection.
    async fn ask(&self, request: impl AsRef<[u8]>) -> Reply {
        let mut connection = self.connect().await;
        connection.send(request).await;
        connection.reply().await
    }

    /// The orders that were handed to execution, once everything so far is decided.
    async fn submitted(&mut self) -> Vec<OrderPlan> {
        // The second look is taken up only after the commit of what came before the first.
        for _ in 0..2 {
            self.engine.look(|_| ()).await.unwrap();
        }
        let mut plans = Vec::new();
        while let Ok(committed) = self.commands.try_recv() {
            for command in committed.commands {
                if let Command::Submit(plan) = command {
                    plans.push(*plan);
                }
            }
        }
        plans
    }

    /// Asks the listener to end; it does so while the test goes on.
    fn begin_the_end(&mut self) {
        let (stop, _) = oneshot::channel();
        drop(std::mem::replace(&mut self.stop, stop));
    }

    /// Ends everything; what is left is what is on disk.
    async fn finish(self) -> Directory {
        drop(self.stop);
        let ended = timeout(PATIENCE, self.server).await.unwrap();
        ended.unwrap().unwrap();
        self.engine.stop();
        tokio::task::spawn_blocking(|| self.running.join())
            .await
            .unwrap();
        self.directory
    }
}

/// One connection, with what was read and is not used yet.
struct Connection {
    stream: Box<dyn Stream>,
    read: Vec<u8>,
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

impl Connection {
    fn over(stream: impl Stream + 'static) -> Self {
        Self {
            stream: Box::new(stream),
            read: Vec::new(),
        }
    }

    /// Sends what the other end still takes.
    async fn send_if_open(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes).await;
        let _ = self.stream.flush().await;
    }

    async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// The next answer, whose length its header tells.
    async fn reply(&mut self) -> Reply {
        let head = loop {
            let end = self.read.windows(4).position(|four| four == b"\r\n\r\n");
            if let Some(end) = end {
                break end + 4;
            }
            assert!(self.more().await, "the connection ended without an answer");
        };
        let text = String::from_utf8(self.read[..head].to_vec()).unwrap();
        let status = text["HTTP/1.1 ".len()..][..3].parse().unwrap();
        let length = text.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            (name == "content-length").then(|| value.trim().parse::<usize>().unwrap())
        });
        let end = head + length.unwrap_or(0);
        while self.read.len() < end {
            assert!(self.more().await, "the connection ended within an answer");
        }
        let rest = self.read.split_off(end);
        let raw = std::mem::replace(&mut self.read, rest);
        Reply { status, head, raw }
    }

    /// Waits until the other end closes; gives what it still said.
    async fn end(mut self) -> Vec<u8> {
        while self.more().await {}
        self.read
    }

    async fn more(&mut self) -> bool {
        let read = self.stream.read_buf(&mut self.read);
        // A connection that is cut is over as well.
        timeout(PATIENCE, read).await.unwrap().unwrap_or(0) > 0
    }
}

/// One answer, byte for byte.
struct Reply {
    status: u16,
    head: usize,
    raw: Vec<u8>,
}

impl Reply {
    fn head(&self) -> &str {
        std::str::from_utf8(&self.raw[..self.head]).unwrap()
    }

    fn body(&self) -> &str {
        std::str::from_utf8(&self.raw[self.head..]).unwrap()
    }

    fn json(&self) -> serde_json::Value {
        serde_json::from_str(self.body()).unwrap()
    }
}

/// A request to post a body.
fn post(path: &str, headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: ponte\r\n{headers}content-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// A request as TradingView sends it.
fn alert(body: impl AsRef<[u8]>) -> Vec<u8> {
    post("/webhook", "content-type: application/json\r\n", body)
}

/// The requests that were turned away, as the journal tells them.
fn refusals(directory: &Path) -> Vec<RefusedRequest> {
    let refused = events(directory, "request_refused").into_iter();
    let refused = refused.map(|event| {
        let Event::RequestRefused(request) = event else {
            panic!("another kind of event");
        };
        request
    });
    refused.collect()
}

/// The events of one kind, in their order.
fn events(directory: &Path, kind: &str) -> Vec<Event> {
    let reader = Reader::open(&path_in(directory)).unwrap();
    let filter = ExportFilter {
        kinds: vec![kind.to_owned()],
        ..ExportFilter::default()
    };
    let mut events = Vec::new();
    reader
        .export(&filter, |row| {
            events.push(serde_json::from_value(row.event).unwrap());
            true
        })
        .unwrap();
    events
}

fn source(name: &str) -> SourceName {
    SourceName::new(name).unwrap()
}

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned()).unwrap()
}

/// A market that never moves.
struct OnePrice;

impl Quotes for OnePrice {
    fn quote(&self, _: &AccountName, _: &Symbol) -> Option<Price> {
        Price::new(Decimal::from(50_000)).ok()
    }
}

fn policy() -> Policy {
    let step = Decimal::new(1, 4);
    let any_other = Instrument {
        symbol: Symbol::new("*").unwrap(),
        price_tick: step,
        quantity_step: step,
        minimum_quantity: step,
        minimum_notional: Decimal::ZERO,
        contract_multiplier: Decimal::ONE,
        limits: Default::default(),
    };
    let paper = AccountName::new("paper").unwrap();
    let account = AccountPolicy {
        mode: Mode::Paper,
        currency: "USDT".to_owned(),
        rules: Rules::default(),
        instruments: Instruments {
            listed: BTreeMap::new(),
            any_other: Some(Box::new(any_other)),
        },
        capabilities: Capabilities {
            limit: true,
            stop: true,
            stop_limit: true,
            brackets: Brackets::OneOrder,
            trailing_stop: false,
            short: true,
            reduce_only: true,
            resting_reduce_only: false,
            resting_holds: false,
            one_strategy_per_symbol: false,
        },
        fitting: Default::default(),
        unlisted_cure: None,
        guard: Default::default(),
        utc_offset_seconds: 0,
        exchange: None,
    };
    let sources = ["main", "second"].map(|name| (source(name), SourcePolicy::default()));
    Policy {
        installation: "test".to_owned(),
        accounts: [(paper.clone(), account)].into(),
        routes: vec![Route {
            strategies: StrategyFilter::Any,
            accounts: vec![paper],
            sizing: Sizing::AsAlert,
            symbols: BTreeMap::new(),
        }],
        sources: sources.into(),
    }
}

/// A directory that is gone after the test.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("ponte-intake-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
