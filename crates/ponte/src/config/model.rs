//! What a configuration says, checked and typed.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ponte_core::id::{AccountName, SourceName};
use ponte_core::instrument::Instruments;
use ponte_core::policy::{Fitting, Guard, Mode, Route, Rules};
use rust_decimal::Decimal;

use super::network::{AllowFrom, Cidr, ClientAddress};
use crate::secret::SecretRef;

/// A whole configuration, free of errors.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the journal and everything else that must survive is kept. Default: `data`, beside the file.
    pub data_dir: PathBuf,
    /// The public side, where alerts arrive.
    pub webhook: Webhook,
    /// The owner's side.
    pub admin: Admin,
    /// What is written about the running program.
    pub log: Log,
    /// How long records are kept.
    pub retention: Retention,
    /// Where alerts may come from; at least one.
    pub sources: Vec<Source>,
    /// Where orders may go; at least one.
    pub accounts: Vec<Account>,
    /// Which alerts go where; at least one.
    pub routes: Vec<Route>,
}

/// The public side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Where alerts are received, as `POST /webhook`. Default: `127.0.0.1:8080`.
    pub listen: SocketAddr,
    /// The addresses that may send. Default: TradingView's.
    pub allow_from: AllowFrom,
    /// The proxies whose forwarding header is believed. Default: none.
    pub trusted_proxies: Vec<Cidr>,
    /// Which header of a trusted proxy names the client. Default: `X-Forwarded-For`.
    pub client_address: ClientAddress,
    /// Failed requests that one address may make per minute before it is answered `429`. Default: 30.
    pub failures_per_minute: u32,
}

/// The owner's side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admin {
    /// Where the JSON API, `/healthz` and `/metrics` are served; a loopback address. Default: `127.0.0.1:8081`.
    pub listen: SocketAddr,
}

/// What is written about the running program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// For whom. Default: people.
    pub format: LogFormat,
    /// How much. Default: `info`.
    pub level: LogLevel,
}

/// For whom the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// People.
    Human,
    /// Machines: one JSON object per line.
    Json,
}

/// The least important line that is still written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogLevel {
    /// What failed.
    Error,
    /// And what may fail soon.
    Warn,
    /// And what happened.
    Info,
    /// And how.
    Debug,
    /// And every step.
    Trace,
}

impl LogLevel {
    /// The level's name, as filters know it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// How long records are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retention {
    /// The content of requests that were turned away, redacted. Default: 90 days.
    pub refusals: Keep,
    /// Events: what was decided and what became of it. Default: for ever.
    pub events: Keep,
}

/// How long one kind of record is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Never deleted.
    Forever,
    /// Deleted when it is older; one day to 36500 days.
    For(Duration),
}

/// Where alerts may come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its name, unique.
    pub name: SourceName,
    /// Where its secret is kept.
    pub secret: SecretRef,
    /// The format of its messages. Default: Ponte's own.
    pub format: SourceFormat,
    /// How long a body without id and time counts as a resend of the first; 1 s to 24 h. Default: 45 s.
    pub dedup_window: Duration,
}

/// A message format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceFormat {
    /// Ponte's own: JSON with Portuguese, English or Spanish words.
    Ponte,
}

/// One account at one broker.
#[derive(Debug, Clone)]
pub struct Account {
    /// Its name, unique.
    pub name: AccountName,
    /// The broker, with what is particular to it.
    pub broker: Broker,
    /// Whether real money moves.
    pub mode: Mode,
    /// The currency of balances and of the notional rules, in upper case.
    pub currency: String,
    /// What may be sent.
    pub rules: Rules,
    /// What is done with numbers that don't fit the broker's steps. Default: fitted up to a tolerance of 0.1 %.
    pub fitting: Fitting,
    /// How long a position may be without its stop, and what is done then. Default: 5 s, then closed.
    pub guard: Guard,
    /// Instruments that replace the broker's own list; `any_other` is the one with the symbol `*`.
    pub instruments: Instruments,
}

/// A broker and the settings that only it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Broker {
    /// Orders are matched by Ponte's own venue; no money moves.
    Paper(PaperBroker),
}

/// The paper broker's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaperBroker {
    /// What a new account holds, in its currency, above zero. Default: 10000.
    pub balance: Decimal,
    /// Where prices come from: the first that knows one. Default: the alert alone.
    pub prices: Vec<PriceSource>,
    /// How kindly orders are filled. Default: optimistic.
    pub fills: Fills,
    /// How many times its equity an account may hold; 1 to 1000. Default: 1.
    pub leverage: Decimal,
    /// The seed of the seeded prices. Default: 1.
    pub seed: u64,
    /// A venue in another process (`http://127.0.0.1:9000`), without a stroke at its end. Default: inside this one.
    pub url: Option<String>,
}

/// Where the paper venue takes a price from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PriceSource {
    /// The price in the alert.
    Alert,
    /// An invented walk that follows from the seed: for trying and for tests.
    Seeded,
}

/// How kindly the paper venue fills orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fills {
    /// At the price, at once.
    Optimistic,
    /// With spread, slippage and a queue.
    Pessimistic,
}
