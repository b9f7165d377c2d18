//! Attacks on the webhook of the real binary, plain and with TLS: after each the owner's alert passes,
//! nothing else was decided, and the memory has not grown past a bound.
//!
//! Every address of `127.0.0.0/8` is this machine: the owner sends from `127.0.0.1`, which alone is
//! allowed, and the attackers are everybody else.

mod anything;
mod crowds;
mod flood;
mod requests;
mod slow;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use ponte::server::SelfSigned;
use rustls::ClientConfig;
use rustls::version::{TLS12, TLS13};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::program::{Ponte, SECRET};
use crate::tls_client;

/// A test that waits longer than this hangs.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long an open connection is looked at for a sign of its end.
const LOOK: Duration = Duration::from_millis(200);
/// How much more memory the process may have after an attack than before, in KiB.
const GROWTH_KIB_MAX: u64 = 48 * 1024;
/// The owner's address, which alone may send.
const OWNER: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// A stranger's address.
fn stranger(number: u8) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 0, number.checked_add(2).unwrap())
}

/// How the webhook under attack speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Speaks {
    Plain,
    Tls,
}

const BOTH: [Speaks; 2] = [Speaks::Plain, Speaks::Tls];

/// The real binary under attack.
struct Target {
    ponte: Ponte,
    speaks: Speaks,
    config: Arc<ClientConfig>,
    before_kib: u64,
    alerts: u32,
}

impl Target {
    async fn start(speaks: Speaks) -> Self {
        Self::start_with(speaks, None).await
    }

    /// With at most so many file handles, where they are told.
    async fn start_with(speaks: Speaks, handles_max: Option<u32>) -> Self {
        let mut ponte = Ponte::install("");
        ponte.set_log_filter("ponte=warn");
        ponte.set_handles_max(handles_max);
        let webhook = "allow_from = [\"127.0.0.1\"]\nfailures_per_minute = 100000";
        Self::start_configured(speaks, ponte, webhook).await
    }

    /// With this in the webhook's section.
    async fn start_configured(speaks: Speaks, mut ponte: Ponte, webhook: &str) -> Self {
        let file = ponte.folder().join("ponte.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        let mut text = text.replace("allow_from = [\"loopback\"]", webhook);
        if speaks == Speaks::Tls {
            let hosts = ["localhost".to_owned()];
            let made = SelfSigned::make(&hosts, ponte::clock::now()).unwrap();
            let files = made.write_new(ponte.folder()).unwrap().files;
            text += &format!(
                "[webhook.tls]\ncertificate = {:?}\nkey = {:?}\n",
                files.certificate, files.key
            );
        }
        std::fs::write(&file, text).unwrap();
        ponte.start().await;
        let mut target = Self {
            ponte,
            speaks,
            config: tls_client::config(None, &[&TLS13, &TLS12]),
            before_kib: 0,
            alerts: 0,
        };
        // What is made once is made before it is measured.
        for _ in 0..20 {
            target.owner_passes("before").await;
        }
        target.before_kib = target.memory_kib();
        target
    }

    fn address(&self) -> SocketAddr {
        self.ponte.webhook_address()
    }

    /// A bare connection.
    async fn touch(&self, from: Ipv4Addr) -> std::io::Result<TcpStream> {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind(SocketAddr::new(IpAddr::V4(from), 0))?;
        timeout(PATIENCE, socket.connect(self.address()))
            .await
            .unwrap()
    }

    /// A connection over which requests can be written.
    async fn connect(&self, from: Ipv4Addr) -> std::io::Result<Connection> {
        let stream = self.touch(from).await?;
        if self.speaks == Speaks::Plain {
            return Ok(Connection(Box::new(stream)));
        }
        let handshake = tls_client::over(stream, self.config.clone());
        Ok(Connection(Box::new(
            timeout(PATIENCE, handshake).await.unwrap()?,
        )))
    }

    /// Writes this over a connection of its own, and reads until the other end closes. What is
    /// written ends the connection.
    async fn say(&self, from: Ipv4Addr, bytes: &[u8]) -> String {
        match self.connect(from).await {
            Ok(mut connection) => {
                connection.write(bytes).await;
                connection.rest().await
            }
            Err(_) => String::new(),
        }
    }

    /// Sends the owner's alert, which nobody else's doings may touch.
    async fn owner_passes(&mut self, case: &str) {
        self.alerts += 1;
        let body = self.alert(&format!("owner-{}", self.alerts));
        let request = post("/webhook", "connection: close\r\n", body.as_bytes());
        let reply = self.say(OWNER, &request).await;
        let is_accepted = reply.starts_with("HTTP/1.1 200") && reply.contains(r#""accepted""#);
        assert!(is_accepted, "{:?}, {case}: {reply:?}", self.speaks);
    }

    /// An alert with the right secret.
    fn alert(&self, id: &str) -> String {
        format!(
            r#"{{"secret":"{SECRET}","action":"buy","symbol":"BTCUSDT","quantity":0.01,"price":65000,"id":"{id}"}}"#
        )
    }

    /// Nothing but the owner's alerts was decided, and memory is what it was.
    async fn is_unharmed(&mut self, case: &str) {
        self.is_unharmed_within(case, GROWTH_KIB_MAX).await;
    }

    /// The same, with a bound of its own in KiB.
    async fn is_unharmed_within(&mut self, case: &str, growth_kib_max: u64) {
        self.owner_passes(case).await;
        let decided = self
            .ponte
            .metric("ponte_alerts_total{outcome=\"accepted\"} ")
            .await;
        assert_eq!(
            decided,
            Some(f64::from(self.alerts)),
            "{:?}, {case}",
            self.speaks
        );
        let now = self.memory_kib();
        let grown = now.saturating_sub(self.before_kib);
        println!(
            "{:?}, {case}: {} KiB, {grown} KiB more than before",
            self.speaks, now
        );
        assert!(
            grown < growth_kib_max,
            "{:?}, {case}: {grown} KiB more",
            self.speaks
        );
    }

    /// `VmRSS` of the process.
    fn memory_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.ponte.pid())).unwrap();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

struct Connection(Box<dyn Stream>);

impl Connection {
    /// Writes what the other end still takes.
    async fn write(&mut self, bytes: &[u8]) -> bool {
        let written = self.0.write_all(bytes).await.is_ok();
        written && self.0.flush().await.is_ok()
    }

    /// What comes until the other end closes.
    async fn rest(mut self) -> String {
        let mut read = Vec::new();
        // A connection that is cut is over as well.
        let _ = timeout(PATIENCE, self.0.read_to_end(&mut read))
            .await
            .unwrap();
        String::from_utf8_lossy(&read).into_owned()
    }

    /// Whether the other end has closed; one that has not is looked at for a moment.
    async fn is_closed(&mut self) -> bool {
        let mut byte = [0];
        match timeout(LOOK, self.0.read(&mut byte)).await {
            Ok(Ok(read)) => read == 0,
            Ok(Err(_)) => true,
            Err(_) => false,
        }
    }
}

fn post(path: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head =
        format!("POST {path} HTTP/1.1\r\nhost: ponte\r\n{headers}content-length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}
