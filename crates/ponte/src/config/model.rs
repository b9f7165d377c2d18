//! What a configuration says, checked and typed.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ponte_core::id::{AccountName, SourceName};
use ponte_core::instrument::Instruments;
use ponte_core::policy::{Exchange, Fitting, Guard, Mode, Route, Rules, SourceScope};
use ponte_core::time::Timestamp;
use rust_decimal::Decimal;

use super::client_certificate::ClientCertificateRules;
use super::https::WebhookTls;
use super::network::{AllowFrom, Cidr, ClientAddress};
use super::proxy::Proxy;
use super::public_url::PublicUrl;
use crate::secret::{SecretRef, VaultLock};
use crate::server::CertificateFiles;

/// A whole configuration, free of errors.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the journal and everything else that must survive is kept. Default: `data`, beside the file.
    pub data_dir: PathBuf,
    /// The public side, where alerts arrive.
    pub webhook: Webhook,
    /// The owner's side.
    pub admin: Admin,
    /// Where the bridges beside terminals call. Default: nowhere; an account in `MetaTrader` needs it.
    pub bridge: Option<Bridge>,
    /// What the vault is locked with. Default: nothing; a secret in the vault needs it.
    pub vault: Option<VaultLock>,
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

impl Config {
    /// What it means that orders of accounts move real money, a sentence for each such account.
    pub fn real_money_notices(&self) -> impl Iterator<Item = String> {
        self.accounts.iter().filter_map(Account::real_money_notice)
    }

    /// The account in which the test of the webhook trades: the first that is simulated here.
    #[must_use]
    pub fn self_test_account(&self) -> Option<&Account> {
        let is_paper = |account: &&Account| match account.broker {
            Broker::Paper(_) => account.mode == Mode::Paper,
            Broker::Binance(_) | Broker::Mt5(_) => false,
        };
        self.accounts.iter().find(is_paper)
    }
}

/// The public side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Where alerts are received, as `POST /webhook`. Default: `127.0.0.1:8080`.
    pub listen: SocketAddr,
    /// Where the world reaches it. Default: not known.
    pub public_url: Option<PublicUrl>,
    /// The path at which the public side answers a platform's health check. Default: none.
    pub health_path: Option<String>,
    /// The addresses that may send. Default: TradingView's.
    pub allow_from: AllowFrom,
    /// `TradingView`'s addresses, as the file has them. Default:
    /// [`TRADINGVIEW_ADDRESSES`](super::TRADINGVIEW_ADDRESSES).
    pub tradingview: Vec<Cidr>,
    /// What stands in front. Default: nothing.
    pub proxy: Proxy,
    /// The proxies whose word about the client is believed. Default: those of `proxy`.
    pub trusted_proxies: Vec<Cidr>,
    /// Which header of a trusted proxy names the client. Default: that of `proxy`, and `X-Forwarded-For`
    /// without one.
    pub client_address: ClientAddress,
    /// Whether each connection comes from a trusted proxy and begins with a header of the PROXY
    /// protocol. Default: no.
    pub proxy_protocol: bool,
    /// Most connections that an address may hold which is neither allowed to send nor a trusted proxy.
    /// Default: 64.
    pub connections_per_address: u32,
    /// What a sender's TLS certificate must be. Default: anything, or nothing.
    pub client_certificate: ClientCertificateRules,
    /// Failed requests that one address may make per minute before it is answered `429`. Default: 30.
    pub failures_per_minute: u32,
    /// With whose certificate it speaks TLS. Default: in plain HTTP.
    pub tls: Option<WebhookTls>,
}

/// The owner's side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admin {
    /// Where the JSON API, `/healthz` and `/metrics` are served; a loopback address. Default: `127.0.0.1:8081`.
    pub listen: SocketAddr,
    /// Where the owner signs in from elsewhere. Default: nowhere.
    pub remote: Option<AdminRemote>,
}

/// The owner's side beyond loopback: with TLS, users and tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdminRemote {
    /// The address; without TLS a loopback address behind a proxy. Default: `127.0.0.1:8444`.
    pub listen: SocketAddr,
    /// The host names and addresses that it answers to, in small letters; at least one.
    pub names: Vec<String>,
    /// The files for TLS. Default: none, where a proxy speaks TLS.
    pub tls: Option<CertificateFiles>,
    /// Whether a proxy's word about the client's address is believed. Default: no.
    pub behind_proxy: bool,
    /// The proxies. Default: none.
    pub trusted_proxies: Vec<Cidr>,
    /// After so long without use a session ends. Default: 12 hours.
    pub session_idle: Duration,
    /// After so long a session ends in any case. Default: 7 days.
    pub session_max: Duration,
}

/// Where the bridges beside terminals call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bridge {
    /// The address; without TLS a loopback address. Default: `127.0.0.1:8443`.
    pub listen: SocketAddr,
    /// The files for TLS. Default: none, in plain HTTP.
    pub tls: Option<CertificateFiles>,
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
    /// Where the secret before it is kept, while a rotation lasts.
    pub previous_secret: Option<SecretRef>,
    /// From when on the previous secret is not taken any more. Default: never.
    pub previous_until: Option<Timestamp>,
    /// Where a secret is kept that nobody uses: whoever shows it has stolen it.
    pub tripwire: Option<SecretRef>,
    /// From when on no alert of it is taken any more. Default: never.
    pub expires: Option<Timestamp>,
    /// The format of its messages. Default: Ponte's own.
    pub format: SourceFormat,
    /// How long a body without id and time counts as a resend of the first; 1 s to 24 h. Default: 45 s.
    pub dedup_window: Duration,
    /// What it may do. Default: everything.
    pub scope: SourceScope,
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
    /// How many seconds the clock at whose midnight the trading day begins is ahead of UTC. Default: 0.
    pub utc_offset_seconds: i32,
    /// The exchange whose symbols, contracts and hours hold for it. Default: the broker's list is all.
    pub exchange: Option<Exchange>,
    /// Instruments that replace the broker's own list; `any_other` is the one with the symbol `*`.
    pub instruments: Instruments,
}

impl Account {
    /// What it means that orders of this account move real money, in one sentence; nothing for any
    /// other account.
    #[must_use]
    pub fn real_money_notice(&self) -> Option<String> {
        let place = match (self.mode, &self.broker) {
            (Mode::Live, Broker::Binance(binance)) => {
                format!("at Binance ({})", binance.market.name())
            }
            (Mode::Live, Broker::Mt5(mt5)) => {
                format!("in MetaTrader 5 (login {} at {})", mt5.login, mt5.server)
            }
            (Mode::Live, Broker::Paper(_)) | (Mode::Paper | Mode::Demo, _) => return None,
        };
        let limit = match self.rules.max_order_notional {
            Some(limit) => format!("one entry is worth up to {limit} {}", self.currency),
            None => "no max_order_notional limits the value of an entry".to_owned(),
        };
        Some(format!(
            "account \"{}\" is live: its orders move real money {place}; {limit}",
            self.name,
        ))
    }
}

/// A broker and the settings that only it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Broker {
    /// Orders are matched by Ponte's own venue; no money moves.
    Paper(PaperBroker),
    /// Orders go to Binance, or to a test venue that speaks its language.
    Binance(BinanceBroker),
    /// Orders go to a `MetaTrader` 5 terminal, through the bridge beside it.
    Mt5(Mt5Broker),
}

/// The paper broker's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaperBroker {
    /// What a new account holds, in its currency, above zero. Default: 10000.
    pub balance: Decimal,
    /// Where prices come from: the first that knows one. Default: the alert alone.
    pub prices: Vec<PriceSource>,
    /// How old a price of [`PriceSource::Binance`] may be; 1 s to 5 min. Default: 10 s.
    pub price_max_age: Duration,
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
    /// Binance's public market data, of the spot symbol or of the perpetual with `.P` at its end.
    Binance,
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

/// Binance's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BinanceBroker {
    /// The market that the account trades, with the settings that only this market has.
    pub market: BinanceMarket,
    /// Where the API key is kept.
    pub api_key: SecretRef,
    /// Where the key that signs requests is kept: an HMAC secret, or a private key as PEM.
    pub signing_key: SecretRef,
    /// Where the exchange is reached. Default: by the account's mode.
    pub hosts: BinanceHosts,
    /// How late the exchange may still take a request (`recvWindow`); 1 s to 60 s. Default: 5 s.
    ///
    /// The upper bound is Binance's (Spot API, "General information", "Timing security").
    pub receive_window: Duration,
    /// How long the exchange may work on a request; 1 s to 60 s, below 10 s only at a test venue. Default: 10 s.
    ///
    /// The default is Binance's own time limit (Spot API, "General information", "API timeout").
    pub processing_limit: Duration,
    /// How orders are placed and cancelled. Default: over REST.
    pub orders: OrderTransport,
    /// Whether an API key that may withdraw is taken in spite of that. Default: no.
    pub allow_withdrawal_keys: bool,
}

/// One of Binance's markets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BinanceMarket {
    /// Coins against coins: what is bought is held.
    Spot,
    /// USDⓈ-M perpetual futures: positions on margin, long and short.
    Futures(BinanceFutures),
}

impl BinanceMarket {
    /// The market's name, as the configuration says it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Spot => "spot",
            Self::Futures(_) => "futures",
        }
    }
}

/// What only a futures account has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BinanceFutures {
    /// What a protective stop carries. Default: the quantity.
    pub stops: StopSize,
    /// The price that triggers stops. Default: the last one traded.
    pub trigger: TriggerPrice,
    /// The leverage that the symbols in use should have; 1 to 125.
    pub leverage: Option<u32>,
    /// The margin type that the symbols in use should have.
    pub margin: Option<MarginType>,
    /// Whether leverage and margin type are set at the exchange where they differ. Default: no, a
    /// difference is only said.
    pub apply_settings: bool,
    /// After how long without Ponte the exchange cancels regular orders that rest; 10 s to 10 min.
    /// Default: never.
    pub dead_mans_switch: Option<Duration>,
}

/// Where the exchange is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BinanceHosts {
    /// Binance's demo trading: live-like prices, no real money.
    Demo,
    /// Binance's testnet: a market of its own, no real money.
    Testnet,
    /// The exchange itself.
    Live,
    /// A test venue on this machine (`http://127.0.0.1:9010`), without a stroke at its end.
    Venue(String),
}

/// How orders are placed and cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderTransport {
    /// One HTTP request each, over a connection that is kept warm.
    Rest,
    /// Over one WebSocket connection.
    WebSocket,
}

/// What a protective stop carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopSize {
    /// The quantity that it protects.
    Quantity,
    /// No quantity: it closes whatever the position is by then (`closePosition`).
    ClosePosition,
}

/// The price that triggers a stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TriggerPrice {
    /// The last one traded (`CONTRACT_PRICE`).
    Last,
    /// The mark price (`MARK_PRICE`).
    Mark,
}

/// What stands in for a position's losses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarginType {
    /// All of the futures wallet.
    Cross,
    /// What was set aside for the position.
    Isolated,
}

/// The settings of an account in a `MetaTrader` 5 terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mt5Broker {
    /// The account's number; nothing is sent while the terminal is logged into another one.
    pub login: i64,
    /// The trade server's name, as the terminal shows it.
    pub server: String,
    /// Where the token is kept that the terminal's bridge shows.
    pub token: SecretRef,
    /// How the account counts positions. Default: netting.
    pub accounting: Accounting,
    /// How far from the price that was asked for a market order may fill, in points; only instant
    /// and request execution heed it. Default: 20.
    pub deviation_points: u64,
    /// The filling of every order. Default: what the symbol allows.
    pub filling: Option<VolumeFilling>,
    /// How long an order rests that waits for its price. Default: until it is cancelled.
    pub pending_orders_last: OrderLife,
    /// Symbols for Market Watch beside the rules' `allowed_symbols`, as the terminal writes them.
    pub symbols: Vec<String>,
    /// How long an order waits for the terminal's answer; 1 s to 9 s. Default: 9 s.
    pub answer_within: Duration,
    /// How long the bridge may begin a command after it asked for it; 1 s to 30 s. Default: 5 s.
    pub valid: Duration,
}

/// How an account counts positions (MQL5, `ENUM_ACCOUNT_MARGIN_MODE`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accounting {
    /// One position for each symbol; exchange accounts (B3) as well.
    Netting,
    /// Each deal opens a position of its own.
    Hedging,
}

/// What is done with volume that can't be filled at once (MQL5, `ENUM_ORDER_TYPE_FILLING`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VolumeFilling {
    /// All or nothing.
    FillOrKill,
    /// What there is; the rest is cancelled.
    ImmediateOrCancel,
    /// What there is; the rest stays in the book.
    Return,
}

/// How long an order rests (MQL5, `ENUM_ORDER_TYPE_TIME`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderLife {
    /// Until it is cancelled.
    UntilCancelled,
    /// Until the trading day ends.
    Day,
}
