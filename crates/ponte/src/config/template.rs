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
        }
    }
}

/// Writes a commented configuration that needs nothing but the secret.
#[must_use]
pub fn template(answers: &InitAnswers) -> String {
    let mut text = String::new();
    let mut rest = TEMPLATE;
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
            "max_order_notional" => self.max_order_notional.to_string(),
            unknown => unreachable!("the template has an unknown blank {unknown}"),
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
