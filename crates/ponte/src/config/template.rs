//! The configuration file that `ponte init` writes.

use std::net::SocketAddr;

use rust_decimal::Decimal;

use super::listen::Listen;
use super::model::Accounting;
use super::platform::InitPlace;

/// What `ponte init` was told, or assumes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitAnswers {
    /// Where the journal is kept, relative to the file. Default: `data`.
    pub data_dir: String,
    /// Where alerts are received. Default: `127.0.0.1:8080`.
    pub webhook_listen: Listen,
    /// Where the world reaches it, without a path. Default: not known.
    pub public_url: Option<String>,
    /// Where Ponte will run. Default: on this machine, for trying.
    pub place: Option<InitPlace>,
    /// Whether this machine may send alerts besides TradingView, for trying with `curl`. Default: yes.
    pub allow_this_machine: bool,
    /// Where the owner's side is served; a loopback address. Default: `127.0.0.1:8081`.
    pub admin_listen: SocketAddr,
    /// Where the webhook's secret is kept. Default: the file `secrets/main`.
    pub secret: SecretPlace,
    /// The paper account's currency. Default: `USDT`.
    pub currency: String,
    /// What the paper account begins with. Default: 10000.
    pub balance: Decimal,
    /// The largest value of one entry order. Default: 5000.
    pub max_order_notional: Decimal,
    /// An account at Binance's demo trading beside the paper account, in this market. Default: none.
    pub binance: Option<InitMarket>,
    /// An account in a `MetaTrader` 5 terminal beside the paper account. Default: none.
    pub mt5: Option<InitTerminal>,
}

/// The market of the account at Binance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InitMarket {
    /// Spot.
    Spot,
    /// USDⓈ-M perpetual futures.
    Futures,
}

/// The account in a `MetaTrader` 5 terminal, and where its bridge calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitTerminal {
    /// The account's number.
    pub login: i64,
    /// Its trade server.
    pub server: String,
    /// How it counts positions.
    pub accounting: Accounting,
    /// Whether it trades at B3.
    pub at_b3: bool,
    /// Where bridges call.
    pub bridge_listen: SocketAddr,
    /// Whether the address is served with the certificate in `secrets/bridge-certificate.pem`.
    pub has_certificate: bool,
}

/// Where the webhook's secret is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretPlace {
    /// In a file, relative to the configuration's folder, which `init` makes readable by its owner only.
    File(String),
    /// In an environment variable, which whoever starts Ponte sets.
    Env(String),
}

impl Default for InitAnswers {
    fn default() -> Self {
        Self {
            data_dir: "data".to_owned(),
            webhook_listen: Listen::At(SocketAddr::from(([127, 0, 0, 1], 8080))),
            public_url: None,
            place: None,
            allow_this_machine: true,
            admin_listen: SocketAddr::from(([127, 0, 0, 1], 8081)),
            secret: SecretPlace::File("secrets/main".to_owned()),
            currency: "USDT".to_owned(),
            balance: Decimal::from(10_000),
            max_order_notional: Decimal::from(5000),
            binance: None,
            mt5: None,
        }
    }
}

/// Writes a commented configuration that needs nothing but the secret.
#[must_use]
pub fn template(answers: &InitAnswers) -> String {
    filled(TEMPLATE, answers)
}

fn filled(template: &str, answers: &InitAnswers) -> String {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("<<") {
        let (blank, after) = after.split_once(">>").unwrap_or((after, ""));
        text.push_str(before);
        text.push_str(&answers.fill(blank));
        rest = after;
    }
    text.push_str(rest);
    text
}

/// The text around the answers, with a blank such as `<<data_dir>>` for each.
const TEMPLATE: &str = include_str!("template.toml");
/// What is said of proxies where nothing is known of them.
const NO_PROXIES: &str = r#"# Proxies in front of Ponte, whose X-Forwarded-For header is believed: addresses or CIDRs.
trusted_proxies = []
# client_address = "x-forwarded-for"   # or "peer", "x-real-ip", "cf-connecting-ip", "fly-client-ip""#;
/// The account at Binance.
const BINANCE: &str = include_str!("template.binance.toml");
/// What only a futures account has.
const FUTURES: &str = r#"# leverage = 3                         # what Binance should say for the symbols in use
# margin = "isolated"                  # or "cross"
# apply_settings = true                # set both at Binance, instead of a warning
# stops = "close_position"             # stops close whatever the position is, instead of a quantity
# trigger = "mark"                     # the mark price triggers stops, instead of the last one
# dead_mans_switch = "2m"              # without Ponte, resting limit orders are cancelled after this
"#;
/// The account in a terminal.
const MT5: &str = include_str!("template.mt5.toml");
/// Where its bridge calls.
const BRIDGE: &str = include_str!("template.bridge.toml");
const BRIDGE_TLS: &str = r#"# Bridges know the certificate by its fingerprint: ponte bridge fingerprint.
# As pontes reconhecem o certificado pela impressão digital.
certificate = "secrets/bridge-certificate.pem"
key = "secrets/bridge-key.pem""#;
const BRIDGE_PLAIN: &str = r#"# This machine only. For a terminal on another one: "0.0.0.0:8443", and the pair of files
# that ponte bridge certificate writes.
# certificate = "secrets/bridge-certificate.pem"
# key = "secrets/bridge-key.pem""#;
/// What only accounts at B3 have.
const B3: &str = r#"
# B3's contracts and hours: WIN1! is the current mini index, and entries go in the session only.
# Contratos e horários da B3: WIN1! é o mini índice atual, e entradas só vão durante o pregão.
[accounts.b3]
# no_entries_before_close = "45m"
# flatten_before_close = "15m"         # day trade: everything is closed before the market is
# auctions = "refuse"                  # or "allow"
# roll_days_before = 0
"#;
const B3_RULES: &str = r#"max_order_contracts = "1"
# max_position_contracts = "2"
# max_daily_loss = "500"               # in BRL; then nothing more is entered until the next day
# require_stop = true
# max_stop_points = "500"
# max_price_deviation_points = "200"
# allowed_symbols = ["WIN1!", "WDO1!"]"#;
const FOREX_RULES: &str = r#"max_order_quantity = "0.1"             # in lots
# max_position = "0.2"
# max_daily_loss = "100"               # in the account's currency
# require_stop = true
# max_price_deviation = "1"            # entries further from the market than this, in percent
# allowed_symbols = ["EURUSD"]"#;
const MT5_ROUTE: &str = r#"
[[routes]]
strategies = ["*"]
accounts = ["mt5"]
# size = { fixed = "<<least>>" }
# symbols = <<renamed>>
"#;
const ROUTE: &str = r#"
[[routes]]
strategies = ["*"]
accounts = ["binance"]
# size = { notional = "50" }
<<symbols_route>>"#;

impl InitAnswers {
    fn fill(&self, blank: &str) -> String {
        match blank {
            "data_dir" => quoted(&self.data_dir),
            "webhook_listen" => self.webhook_listen.to_string(),
            "public_url" => self.public_url.as_ref().map_or_else(
                || r#"# public_url = "https://hook.example.com""#.to_owned(),
                |url| format!("public_url = {}", quoted(url)),
            ),
            "proxies" => self
                .place
                .as_ref()
                .map_or(NO_PROXIES, |place| place.platform.proxies())
                .to_owned(),
            "certificate" => self
                .place
                .as_ref()
                .map_or_else(String::new, InitPlace::certificate),
            "allow_from" if self.allow_this_machine => r#"["tradingview", "loopback"]"#.to_owned(),
            "allow_from" => r#"["tradingview"]"#.to_owned(),
            "admin_listen" => self.admin_listen.to_string(),
            "secret" => self.secret.reference(),
            "secret_comment" => self.secret.comment().to_owned(),
            "currency" => quoted(&self.currency),
            "balance" => self.balance.to_string(),
            "binance" if self.binance.is_some() => filled(BINANCE, self),
            "binance_route" if self.binance.is_some() => filled(ROUTE, self),
            "binance" | "binance_route" => String::new(),
            "bridge" | "mt5" | "mt5_route" if self.mt5.is_none() => String::new(),
            "bridge" => filled(BRIDGE, self),
            "mt5" => filled(MT5, self),
            "mt5_route" => filled(MT5_ROUTE, self),
            "market" => self.by_market("spot", "futures").to_owned(),
            "futures" => self.by_market("", FUTURES).to_owned(),
            "symbols" => self
                .by_market(
                    r#"["BTCUSDT", "ETHUSDT"]"#,
                    r#"["BTCUSDT.P", "ETHUSDT.P"]"#,
                )
                .to_owned(),
            "symbols_route" => self
                .by_market(
                    "# symbols = { \"BTCUSDT.P\" = \"BTCUSDT\" }  # charts of the perpetual trade on spot\n",
                    "# Charts of spot symbols trade their perpetuals.\n\
                     symbols = { \"BTCUSDT\" = \"BTCUSDT.P\", \"ETHUSDT\" = \"ETHUSDT.P\" }\n",
                )
                .to_owned(),
            "max_order_notional" => self.max_order_notional.to_string(),
            other => self.mt5.as_ref().map_or_else(String::new, |mt5| mt5.fill(other)),
        }
    }
}

impl InitTerminal {
    fn fill(&self, blank: &str) -> String {
        let by_market =
            |b3: &'static str, forex: &'static str| if self.at_b3 { b3 } else { forex }.to_owned();
        match blank {
            "login" => self.login.to_string(),
            "server" => quoted(&self.server),
            "accounting" => match self.accounting {
                Accounting::Netting => "netting".to_owned(),
                Accounting::Hedging => "hedging".to_owned(),
            },
            "bridge_listen" => self.bridge_listen.to_string(),
            "bridge_tls" if self.has_certificate => BRIDGE_TLS.to_owned(),
            "bridge_tls" => BRIDGE_PLAIN.to_owned(),
            "market_watch" => by_market(
                r#"["PETR4"]                  # for Market Watch, beside allowed_symbols"#,
                r#"["EURUSD.a"]               # for Market Watch, as the terminal writes them"#,
            ),
            "b3" if self.at_b3 => B3.to_owned(),
            "b3" => String::new(),
            "mt5_rules" => by_market(B3_RULES, FOREX_RULES),
            "least" => by_market("1", "0.01"),
            "renamed" => by_market(
                r#"{ "IBOV" = "WIN1!" }     # charts of the index trade its future"#,
                r#"{ "EURUSD" = "EURUSD.a" }  # what the broker calls it"#,
            ),
            unknown => unreachable!("the template has an unknown blank {unknown}"),
        }
    }
}

impl InitAnswers {
    const fn by_market(&self, spot: &'static str, futures: &'static str) -> &'static str {
        match self.binance {
            Some(InitMarket::Futures) => futures,
            Some(InitMarket::Spot) | None => spot,
        }
    }
}

impl SecretPlace {
    fn reference(&self) -> String {
        match self {
            Self::File(path) => quoted(&format!("file:{path}")),
            Self::Env(name) => quoted(&format!("env:{name}")),
        }
    }

    const fn comment(&self) -> &'static str {
        match self {
            Self::File(_) => "kept in this file, which only its owner may read (chmod 600)",
            Self::Env(_) => "kept in this environment variable; \"file:PATH\" reads a file instead",
        }
    }
}

/// A text as TOML writes it.
pub(super) fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
