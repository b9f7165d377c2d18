//! The configuration file that `ponte init` writes.

use std::net::SocketAddr;

use rust_decimal::Decimal;

/// What `ponte init` was told, or assumes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitAnswers {
    /// Where the journal is kept, relative to the file. Default: `data`.
    pub data_dir: String,
    /// Where alerts are received. Default: `127.0.0.1:8080`.
    pub webhook_listen: SocketAddr,
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
}

/// The market of the account at Binance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InitMarket {
    /// Spot.
    Spot,
    /// USDⓈ-M perpetual futures.
    Futures,
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
            webhook_listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            allow_this_machine: true,
            admin_listen: SocketAddr::from(([127, 0, 0, 1], 8081)),
            secret: SecretPlace::File("secrets/main".to_owned()),
            currency: "USDT".to_owned(),
            balance: Decimal::from(10_000),
            max_order_notional: Decimal::from(5000),
            binance: None,
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
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
