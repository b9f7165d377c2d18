//! `ponte init`: a configuration, a secret, and what to do next.

use std::fs;
use std::io::{IsTerminal as _, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::str::FromStr;

use clap::{Args, ValueEnum};
use ponte_core::id::AccountName;
use rust_decimal::Decimal;
use serde::Serialize;

use super::context::{Context, INSTALLED};
use super::failure::Failure;
use super::init_files::{self, private_folder, unwritable, write};
use super::init_platform::{self, PlatformFlags};
use super::init_terminal::{Prepared, TerminalFlags};
use super::owner::Owner;
use super::screen::{self, BOLD, DIM, GOOD, styled};
use crate::config::{InitAnswers, InitMarket, Listen, Platform, SecretPlace, parse, template};
use crate::random::hex_token;
use crate::secret::{SECRET_BYTES_GOOD, Secret};

/// Random bytes of a new secret.
const SECRET_BYTES: usize = 24;
/// Where the template keeps a broker's keys, beside the configuration.
pub(super) const KEYS_FOLDER: &str = "secrets";
/// Longer commands don't fit on a line with their reason.
const STEP_CHARS_MAX: usize = 40;
/// What the template calls the account.
const TEMPLATE_ACCOUNT: &str = "paper";

/// Write a configuration and a strong secret, and say what to paste into TradingView
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    ponte init\n  \
    ponte init --yes --currency BRL --balance 50000\n  \
    ponte init --broker binance --market futures\n  \
    ponte init --broker mt5 --b3 --login 12345678 --server XP-Demo --host vps.example.com\n  \
    ponte init --broker mt5 --accounting hedging --login 12345678 --server Pepperstone-Demo\n  \
    ponte init --secret-env WEBHOOK_SECRET --listen 0.0.0.0:8080 --public-url https://ponte.example.com\n  \
    ponte --config /etc/ponte/ponte.toml init --platform vps --domain hook.example.com --accept-terms\n  \
    ponte init --platform cloudflare-tunnel --domain hook.example.com\n\n\
    On a terminal it asks for what no flag says. Nothing that is there is replaced without \
    --force, and a secret that is there stays in use even then, unless --secret gives another.")]
pub(super) struct Init {
    /// The broker of an account beside the paper account, in its demo trading
    #[arg(long, value_name = "NAME", value_enum)]
    broker: Option<BrokerName>,
    /// The market of the account at Binance [default: spot]
    #[arg(long, value_name = "NAME", value_enum, requires = "broker")]
    market: Option<MarketName>,
    #[command(flatten)]
    terminal: TerminalFlags,
    #[command(flatten)]
    platform: PlatformFlags,
    /// The paper account's name
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// The accounts' currency
    #[arg(long, value_name = "CODE")]
    currency: Option<String>,
    /// What the paper account begins with
    #[arg(long, value_name = "AMOUNT")]
    balance: Option<Decimal>,
    /// The largest value of one entry order
    #[arg(long, value_name = "AMOUNT")]
    max_order_notional: Option<Decimal>,
    /// Where alerts are received; env:PORT takes the port from the variable PORT
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<Listen>,
    /// Where the owner's side is served; a loopback address
    #[arg(long, value_name = "ADDRESS")]
    admin_listen: Option<SocketAddr>,
    /// Where the journal is kept
    #[arg(long, value_name = "FOLDER")]
    data_dir: Option<String>,
    /// Only TradingView may send alerts, this machine may not
    #[arg(long)]
    only_tradingview: bool,
    /// This secret instead of a random one
    #[arg(long, value_name = "TEXT")]
    secret: Option<String>,
    /// Keep the secret in this file, beside the configuration
    #[arg(long, value_name = "FILE", conflicts_with = "secret_env")]
    secret_file: Option<String>,
    /// Keep the secret in this environment variable, which you set
    #[arg(long, value_name = "NAME")]
    secret_env: Option<String>,
    /// The https address under which TradingView reaches this Ponte, for the message to paste
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Ask nothing
    #[arg(long, short)]
    yes: bool,
    /// Replace the configuration that is there
    #[arg(long)]
    force: bool,
}

/// The brokers that an account can be made for.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum BrokerName {
    Binance,
    Mt5,
}

/// Binance's markets, as the configuration names them.
#[derive(Clone, Copy, ValueEnum)]
enum MarketName {
    Spot,
    Futures,
}

/// A step after this one: what to type, and why.
pub(super) type Step = (String, &'static str);

/// What was made.
#[derive(Serialize)]
struct Made {
    config: String,
    data_dir: String,
    /// Where the secret is: `file:PATH` or `env:NAME`.
    secret: String,
    /// Whether the secret was there before.
    secret_kept: bool,
    webhook_url: String,
    /// Messages to paste into TradingView, with the secret.
    messages: Vec<String>,
    /// What the bridge beside the terminal needs.
    #[serde(skip_serializing_if = "Option::is_none")]
    terminal: Option<Prepared>,
    next: Vec<String>,
}

impl Init {
    pub(super) fn run(&self, context: &Context) -> Result<(), Failure> {
        let path = &self.platform.path(context);
        if path.exists() && !self.force {
            return Err(
                Failure::refused(format!("{} is there already", path.display()))
                    .cured_by("--force to replace it, or --config FILE for another place"),
            );
        }
        let asks = std::io::stdin().is_terminal() && !self.yes && !context.json;
        self.fitting_together()?;
        let (account, answers) = self.answers(asks)?;
        let text = with_account(&template(&answers), &account);
        // What is written must be a good configuration, whatever was answered.
        let file = path.display().to_string();
        parse(&text, &file).map_err(|errors| Failure::usage(errors.to_string()))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let pair = self.terminal.pair(context)?;
        let (secret, kept) = self.secret(folder, &answers.secret)?;
        if answers.binance.is_some() {
            private_folder(&folder.join(KEYS_FOLDER))?;
        }
        let terminal = answers.mt5.as_ref();
        let terminal = terminal.map(|mt5| {
            self.terminal
                .prepare(folder, mt5, pair.as_ref(), self.force)
        });
        let terminal = terminal.transpose()?;
        write(path, &text, self.force)?;
        if let Some(owner) = Owner::of_folder(&folder.join(&answers.data_dir)) {
            let files = terminal.iter().flat_map(Prepared::files);
            let files = files.map(|(_, file)| Path::new(file).to_owned());
            init_files::hand_over(&owner, folder, &answers.secret, files)?;
        }
        let steps = steps(path, &answers, terminal.as_ref());
        let made = Made {
            terminal,
            ..self.made(path, &answers, &secret, kept, &steps)
        };
        if context.json {
            return screen::print_json(&made);
        }
        screen::print(&shown(&made, &secret, &answers.secret, &steps))
    }

    /// Flags of a broker that isn't the one.
    fn fitting_together(&self) -> Result<(), Failure> {
        let is = |wanted: BrokerName| self.broker == Some(wanted);
        if self.market.is_some() && !is(BrokerName::Binance) {
            return Err(Failure::usage("--market goes with --broker binance"));
        }
        if self.terminal.is_any() && !is(BrokerName::Mt5) {
            return Err(Failure::usage(
                "--b3, --accounting, --login, --server, --host and --bridge-listen go with --broker mt5",
            ));
        }
        Ok(())
    }

    /// What the flags say, what a person answers, and else the defaults.
    fn answers(&self, asks: bool) -> Result<(AccountName, InitAnswers), Failure> {
        let defaults = self.platform.defaults()?;
        let account = take(asks, &self.account, "Account name", || {
            TEMPLATE_ACCOUNT.to_owned()
        })?;
        let account = AccountName::new(&account)
            .map_err(|error| Failure::usage(format!("the account's name {error}")))?;
        let secret = match (&self.secret_file, &self.secret_env) {
            (_, Some(name)) => SecretPlace::Env(name.clone()),
            (Some(file), None) => SecretPlace::File(file.clone()),
            (None, None) => defaults.secret,
        };
        let answers = InitAnswers {
            data_dir: self.data_dir.clone().unwrap_or(defaults.data_dir),
            currency: take(asks, &self.currency, "Currency", || {
                let terminals = self.terminal.currency(self.broker);
                terminals.map_or(defaults.currency, str::to_owned)
            })?,
            balance: take(asks, &self.balance, "Balance to begin with", || {
                defaults.balance
            })?,
            max_order_notional: take(
                asks,
                &self.max_order_notional,
                "Largest value of one entry order",
                || defaults.max_order_notional,
            )?,
            webhook_listen: take(asks, &self.listen, "Address for alerts", || {
                defaults.webhook_listen
            })?,
            admin_listen: self.admin_listen.unwrap_or(defaults.admin_listen),
            public_url: self.public_base().or(defaults.public_url),
            place: defaults.place,
            allow_this_machine: defaults.allow_this_machine && !self.only_tradingview,
            secret,
            binance: match (self.broker, self.market) {
                (Some(BrokerName::Binance), Some(MarketName::Futures)) => Some(InitMarket::Futures),
                (Some(BrokerName::Binance), Some(MarketName::Spot) | None) => {
                    Some(InitMarket::Spot)
                }
                (Some(BrokerName::Mt5) | None, _) => None,
            },
            mt5: match self.broker {
                Some(BrokerName::Mt5) => Some(self.terminal.answers(asks)?),
                Some(BrokerName::Binance) | None => None,
            },
        };
        Ok((account, answers))
    }

    /// The secret, and whether it was there before.
    fn secret(&self, folder: &Path, place: &SecretPlace) -> Result<(Secret, bool), Failure> {
        let wanted = self.secret.clone().map(Secret::new).transpose();
        let wanted =
            wanted.map_err(|error| Failure::usage(error.to_string()).cured_by(error.cure()))?;
        let given = wanted.is_some();
        let fresh = || wanted.map_or_else(|| Secret::new(hex_token(SECRET_BYTES)), Ok);
        let unusable = |error: crate::secret::SecretError| {
            Failure::refused(error.to_string()).cured_by(error.cure())
        };
        let name = match place {
            SecretPlace::File(name) => name,
            SecretPlace::Env(name) => {
                let is_set = std::env::var_os(name).is_some_and(|value| !value.is_empty());
                if given || !is_set {
                    return Ok((fresh().map_err(unusable)?, false));
                }
                let reference = crate::secret::SecretRef::Env(name.clone());
                return Ok((Secret::resolve(&reference).map_err(unusable)?, true));
            }
        };
        let path = folder.join(name);
        if path.exists() {
            if !self.force {
                return Err(
                    Failure::refused(format!("a secret is in {} already", path.display()))
                        .cured_by(
                            "--force to keep and use it, or --secret-file FILE for another place",
                        ),
                );
            }
            if !given {
                let reference = crate::secret::SecretRef::File(path);
                return Ok((Secret::resolve(&reference).map_err(unusable)?, true));
            }
            fs::remove_file(&path).map_err(|error| unwritable(&path, &error))?;
        }
        let secret = fresh().map_err(unusable)?;
        secret
            .write_new(&path)
            .map_err(|error| unwritable(&path, &error))?;
        Ok((secret, false))
    }

    /// The public address without a path.
    fn public_base(&self) -> Option<String> {
        let url = self.public_url.as_ref()?.trim_end_matches('/');
        Some(url.strip_suffix("/webhook").unwrap_or(url).to_owned())
    }

    fn made(
        &self,
        path: &Path,
        answers: &InitAnswers,
        secret: &Secret,
        kept: bool,
        steps: &[Step],
    ) -> Made {
        let base = answers
            .public_url
            .clone()
            .unwrap_or_else(|| match &answers.webhook_listen {
                Listen::At(address) => format!("http://{}", super::client::reachable(*address)),
                Listen::Variable(_) => "https://the-address-the-platform-shows".to_owned(),
            });
        let folder = path.parent().unwrap_or(Path::new(""));
        Made {
            config: path.display().to_string(),
            data_dir: folder.join(&answers.data_dir).display().to_string(),
            secret: match &answers.secret {
                SecretPlace::File(name) => format!("file:{}", folder.join(name).display()),
                SecretPlace::Env(name) => format!("env:{name}"),
            },
            secret_kept: kept,
            webhook_url: format!("{base}/webhook"),
            messages: messages(secret, answers),
            terminal: None,
            next: steps.iter().map(|(command, _)| command.clone()).collect(),
        }
    }
}

/// What comes next, in order.
fn steps(path: &Path, answers: &InitAnswers, terminal: Option<&Prepared>) -> Vec<Step> {
    let place = answers.place.as_ref();
    if let Some(steps) = place.and_then(|place| init_platform::steps(path, place)) {
        return steps;
    }
    let named = if [Path::new("ponte.toml"), Path::new(INSTALLED)].contains(&path) {
        String::new()
    } else {
        format!(" --config {}", path.display())
    };
    let keys = path.parent().unwrap_or(Path::new("")).join(KEYS_FOLDER);
    let keys = keys.display();
    let mut steps = Vec::new();
    if answers.binance.is_some() {
        steps.extend([
            (
                format!("openssl genpkey -algorithm ed25519 -out {keys}/binance-signing-key.pem"),
                "the private key: it never leaves this machine",
            ),
            (
                format!("openssl pkey -in {keys}/binance-signing-key.pem -pubout"),
                "the public one: register it at demo.binance.com, for reading and trading, never \
                 for withdrawals",
            ),
            (
                format!("(umask 077; cat > {keys}/binance-api-key)"),
                "paste the API key that Binance then shows, Enter, Ctrl+D",
            ),
        ]);
    }
    steps.extend([
        (format!("ponte{named} check"), "is everything right?"),
        (format!("ponte{named} run"), "start; stop with Ctrl+C"),
    ]);
    if let Some(terminal) = terminal {
        steps.extend(terminal.steps(&named));
    }
    let is_tunnel = place.is_some_and(|place| {
        [Platform::CloudflareTunnel, Platform::Ngrok].contains(&place.platform)
    });
    steps.push(match answers.binance {
        // What does not come through the tunnel is refused, an alert of this machine too.
        _ if is_tunnel => (
            format!("ponte{named} doctor"),
            "from another shell: does everything work?",
        ),
        None => (
            format!("ponte{named} send --example pt"),
            "from another shell: a first paper trade",
        ),
        Some(_) => (
            format!("ponte{named} send --example pt"),
            "from another shell: a first trade, on paper and in the demo",
        ),
    });
    steps
}

/// The messages to paste: one by hand, one from a strategy.
pub(super) fn messages(secret: &Secret, answers: &InitAnswers) -> Vec<String> {
    // Nobody trades a hundredth of a contract.
    let at_b3 = answers.mt5.as_ref().is_some_and(|mt5| mt5.at_b3);
    let least = if at_b3 { "1" } else { "0.01" };
    let simple =
        r#"{"segredo":"{{segredo}}","acao":"COMPRA","ativo":"{{ticker}}","qtd":<<least>>}"#
            .replace("<<least>>", least);
    // Times make two orders two alerts; the position makes a lost or late one harmless.
    let strategy = concat!(
        r#"{"segredo":"{{segredo}}","ativo":"{{exchange}}:{{ticker}}","#,
        r#""acao":"{{strategy.order.action}}","qtd":{{strategy.order.contracts}},"#,
        r#""posicao":"{{strategy.market_position}}","#,
        r#""tamanho_posicao":{{strategy.market_position_size}},"#,
        r#""posicao_anterior":"{{strategy.prev_market_position}}","#,
        r#""order_id":"{{strategy.order.id}}","preco":{{strategy.order.price}},"#,
        r#""vela":"{{time}}","hora":"{{timenow}}"}"#,
    );
    [simple.as_str(), strategy]
        .map(|message| super::body::fill(message, secret.expose()))
        .to_vec()
}

/// The template with another account's name.
fn with_account(text: &str, account: &AccountName) -> String {
    if account.as_str() == TEMPLATE_ACCOUNT {
        return text.to_owned();
    }
    let name = toml::Value::String(account.to_string()).to_string();
    text.replacen("name = \"paper\"", &format!("name = {name}"), 1)
        .replacen("accounts = [\"paper\"]", &format!("accounts = [{name}]"), 1)
}

/// What a flag says, else what a person answers, else the default.
pub(super) fn take<T: FromStr + ToString + Clone>(
    asks: bool,
    given: &Option<T>,
    question: &str,
    default: impl FnOnce() -> T,
) -> Result<T, Failure> {
    if let Some(given) = given {
        return Ok(given.clone());
    }
    let default = default();
    if !asks {
        return Ok(default);
    }
    loop {
        let mut stderr = anstream::stderr();
        let shown = default.to_string();
        let asked = format!("{BOLD}{question}{BOLD:#} {DIM}[{shown}]{DIM:#}: ");
        let mut answer = String::new();
        let read = stderr
            .write_all(asked.as_bytes())
            .and_then(|()| stderr.flush())
            .and_then(|()| std::io::stdin().read_line(&mut answer));
        match read {
            Err(error) => {
                return Err(Failure::unreachable(format!(
                    "the answer can't be read: {error}"
                )));
            }
            Ok(0) => return Err(Failure::refused("nothing was written")),
            Ok(_) if answer.trim().is_empty() => return Ok(default),
            Ok(_) => match answer.trim().parse() {
                Ok(answer) => return Ok(answer),
                Err(_) => screen::note(&format!("that can't be read; write it like {shown}")),
            },
        }
    }
}

fn shown(made: &Made, secret: &Secret, place: &SecretPlace, steps: &[Step]) -> String {
    let mut lines = vec![format!("{} {}", styled(GOOD, "wrote"), made.config)];
    match place {
        SecretPlace::File(_) | SecretPlace::Env(_) if made.secret_kept => {
            lines.push(format!("{} {}", styled(GOOD, "kept"), made.secret));
        }
        SecretPlace::File(_) => {
            lines.push(format!("{} {}", styled(GOOD, "wrote"), made.secret));
        }
        SecretPlace::Env(name) => {
            lines.push("the secret is in no file; before each start:".to_owned());
            lines.push(format!("  export {name}='{}'", secret.expose()));
        }
    }
    let terminal = made.terminal.iter().flat_map(Prepared::files);
    lines.extend(terminal.map(|(word, file)| format!("{} {file}", styled(GOOD, word))));
    if secret.bytes() < SECRET_BYTES_GOOD {
        let bytes = secret.bytes();
        lines.push(styled(
            screen::SO_SO,
            &format!(
                "the secret has {bytes} bytes and can be guessed: good for trying, not for money"
            ),
        ));
    }
    lines.push(String::new());
    lines.push(styled(BOLD, "TradingView: the alert's webhook URL"));
    lines.push(format!("  {}", made.webhook_url));
    if !made.webhook_url.starts_with("https://") {
        lines.push(styled(
            DIM,
            "  TradingView reaches public addresses on ports 80 and 443 only: put a proxy or a \
             tunnel with https in front, and give its address here",
        ));
    }
    let titles = [
        "TradingView: the alert's message",
        "or, for a Pine strategy, its whole position",
    ];
    for (title, message) in titles.iter().zip(&made.messages) {
        lines.push(styled(BOLD, title));
        lines.push(format!("  {message}"));
    }
    lines.push(String::new());
    lines.push(styled(BOLD, "next"));
    // Long commands stand below their reasons, short ones beside them.
    let is_wide = |command: &str| command.len() > STEP_CHARS_MAX;
    let short = steps.iter().map(|(command, _)| command.len());
    let width = short.filter(|&width| width <= STEP_CHARS_MAX).max();
    for (command, why) in steps {
        let why = styled(DIM, why);
        if is_wide(command) {
            lines.push(format!("  {why}"));
            lines.push(format!("    {command}"));
        } else {
            lines.push(format!("  {command:<0$}  {why}", width.unwrap_or(0)));
        }
    }
    lines.push(String::new());
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use ponte_core::format::{Format, parse};
    use ponte_core::signal::Intent;

    use super::*;

    #[test]
    fn what_is_pasted_is_understood_once_tradingview_has_filled_it() {
        let secret = Secret::new("0123456789abcdef".to_owned()).unwrap();
        let filled: Vec<_> = messages(&secret, &InitAnswers::default())
            .iter()
            .map(|message| {
                [
                    ("{{ticker}}", "BTCUSDT"),
                    ("{{strategy.order.action}}", "sell"),
                    ("{{strategy.order.contracts}}", "2"),
                    ("{{strategy.order.price}}", "65000.5"),
                    ("{{exchange}}", "BINANCE"),
                    ("{{strategy.prev_market_position}}", "long"),
                    ("{{time}}", "2026-11-23T11:55:00Z"),
                    ("{{strategy.market_position}}", "short"),
                    ("{{strategy.market_position_size}}", "1"),
                    ("{{strategy.order.id}}", "Curto"),
                    ("{{timenow}}", "2026-11-23T12:00:00Z"),
                ]
                .iter()
                .fold(message.clone(), |text, (blank, value)| {
                    text.replace(blank, value)
                })
            })
            .collect();
        let simple = parse(Format::Ponte, filled[0].as_bytes()).unwrap().signal;
        assert_eq!(simple.intent.name(), "buy");
        let strategy = parse(Format::Ponte, filled[1].as_bytes()).unwrap().signal;
        assert_eq!(
            strategy.intent,
            Intent::Target {
                position: Decimal::NEGATIVE_ONE
            }
        );
        assert!(strategy.fired_at.is_some() && strategy.bar_at.is_some());
    }

    #[test]
    fn another_account_is_in_both_places() {
        let name = AccountName::new("minha conta").unwrap();
        let text = with_account(&template(&InitAnswers::default()), &name);
        let parsed = crate::config::parse(&text, "ponte.toml").unwrap();
        assert_eq!(parsed.config.accounts[0].name, name);
        assert_eq!(parsed.config.routes[0].accounts, [name]);
    }
}
