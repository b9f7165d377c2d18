//! The one configuration file, from its text to checked values.
//!
//! Everything that is wrong is found at once, each finding with its line, its key and a cure; a
//! configuration that [`load`] returns needs no further check. The file names secrets, it never
//! holds them.

mod accounts;
mod b3;
mod binance;
mod bridge;
mod broker;
mod check;
mod client_certificate;
mod duration;
mod finding;
mod health_path;
mod https;
mod keys;
mod listen;
mod model;
mod mt5;
mod network;
mod paper;
mod platform;
mod policy;
mod proxy;
mod public_url;
mod remote;
mod reserved;
mod routes;
mod rules;
mod scope;
mod secrets;
mod sections;
mod senders;
mod table;
mod template;
mod value;
mod vault;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use ponte_core::id::AccountName;
use toml::de::DeTable;

pub use client_certificate::{ClientCertificatePolicy, ClientCertificateRules, TRADINGVIEW_EMAIL};
pub use duration::parse as parse_duration;
pub use finding::{ConfigErrors, Finding, Place, Severity};
pub use https::WebhookTls;
pub use keys::{Absent, Key, SECTIONS, SIZE, Section, key_paths};
pub use listen::{Listen, NotListen};
pub use model::{
    Account, Accounting, Admin, AdminRemote, BinanceBroker, BinanceFutures, BinanceHosts,
    BinanceMarket, Bridge, Broker, Config, Fills, Keep, Log, LogFormat, LogLevel, MarginType,
    Mt5Broker, OrderLife, OrderTransport, PaperBroker, PriceSource, Retention, Source,
    SourceFormat, StopSize, TriggerPrice, VolumeFilling, Webhook,
};
pub use network::{AllowFrom, Cidr, CidrError, ClientAddress, NamedSet, TRADINGVIEW_ADDRESSES};
pub use platform::{InitPlace, Platform};
pub use policy::{UnknownAccount, policy};
pub use proxy::Proxy;
pub use public_url::PublicUrl;
pub use scope::{EXPIRY_WARNING, Expiring, expiring, source_keys};
pub use secrets::SecretUse;
pub use template::{InitAnswers, InitMarket, InitTerminal, SecretPlace, template};

use crate::clock;
use crate::secret::{BinanceSecrets, Entry, Places, Secret, SourceSecrets, Variables};
use finding::{Notes, Problem};
use secrets::Resolved;
use sections::Mentions;
use table::Table;

/// Largest configuration file, in bytes.
pub const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// A configuration with the secrets that it names.
#[derive(Debug)]
pub struct Loaded {
    /// What the file says.
    pub config: Config,
    /// The sources' secrets.
    pub secrets: SourceSecrets,
    /// The sources' secrets beside those: previous ones while a rotation lasts, tripwires.
    pub spare_secrets: Vec<Entry>,
    /// The keys of the accounts that have a broker on the internet.
    pub broker_secrets: BTreeMap<AccountName, BinanceSecrets>,
    /// The tokens of the terminals' bridges.
    pub terminal_tokens: BTreeMap<AccountName, Secret>,
    /// What its owner should look at, in the order of the file.
    pub warnings: Vec<Finding>,
}

/// A configuration whose secrets haven't been looked at.
#[derive(Debug)]
pub struct Parsed {
    /// What the text says.
    pub config: Config,
    /// What its owner should look at, in the order of the text.
    pub warnings: Vec<Finding>,
}

/// Reads a configuration file and the secrets that it names.
///
/// # Errors
/// Everything that must be mended before Ponte starts.
pub fn load(path: &Path) -> Result<Loaded, ConfigErrors> {
    load_with(path, &|name| std::env::var_os(name))
}

/// Reads a configuration file and the secrets that it names, with the given environment.
///
/// # Errors
/// Everything that must be mended before Ponte starts.
pub fn load_with(path: &Path, variables: &Variables<'_>) -> Result<Loaded, ConfigErrors> {
    let file = path.display().to_string();
    let text = match text_of(path) {
        Ok(text) => text,
        Err(problem) => {
            let mut notes = Notes::new(&file, "");
            notes.error_in_whole("", problem);
            let (errors, warnings) = notes.into_findings();
            return Err(ConfigErrors { errors, warnings });
        }
    };
    let mut notes = Notes::new(&file, &text);
    let mut mentions = Mentions::default();
    let config = read(&mut notes, &mut mentions, &text, path);
    let Resolved {
        sources: secrets,
        spare: mut spare_secrets,
        binance: broker_secrets,
        tokens: terminal_tokens,
    } = {
        let places = Places::new(variables);
        vault::look_at_lock(&mut notes, &mentions, config.as_ref());
        let vault = vault::opened(&mut notes, &mentions, config.as_ref(), &places);
        secrets::resolved(&mut notes, &mentions, &places.with_vault(vault.as_ref()))
    };
    scope::ends(&mut notes, &mentions, clock::now());
    if let Some(config) = &config {
        scope::companions(&mut notes, &mentions, config, &secrets, &mut spare_secrets);
    }
    if let Some(bridge) = config.as_ref().and_then(|config| config.bridge.as_ref()) {
        bridge::look_at_files(&mut notes, &mentions, bridge);
    }
    if let Some(config) = &config {
        https::look_at_files(&mut notes, &mentions, &config.webhook, clock::now());
    }
    let remote = config
        .as_ref()
        .and_then(|config| config.admin.remote.as_ref());
    if let Some(remote) = remote {
        remote::look_at_files(&mut notes, &mentions, remote);
    }
    let Parsed { config, warnings } = finish(notes, config)?;
    Ok(Loaded {
        config,
        secrets,
        spare_secrets,
        broker_secrets,
        terminal_tokens,
        warnings,
    })
}

/// Reads a configuration's text; `file` is named in findings, and relative paths are taken from its folder.
///
/// Nothing but the text is looked at: whether secrets are there is [`load`]'s question.
///
/// # Errors
/// Everything that must be mended.
pub fn parse(text: &str, file: &str) -> Result<Parsed, ConfigErrors> {
    let mut notes = Notes::new(file, text);
    let config = read(&mut notes, &mut Mentions::default(), text, Path::new(file));
    finish(notes, config)
}

/// Every place of a configuration's text that says where a secret is kept; `file` is named in
/// findings, and relative paths are taken from its folder.
///
/// # Errors
/// Everything that must be mended first.
pub fn secret_uses(text: &str, file: &str) -> Result<Vec<SecretUse>, ConfigErrors> {
    let mut notes = Notes::new(file, text);
    let mut mentions = Mentions::default();
    let config = read(&mut notes, &mut mentions, text, Path::new(file));
    finish(notes, config)?;
    Ok(secrets::uses(&mentions, text))
}

fn read(notes: &mut Notes<'_>, mentions: &mut Mentions, text: &str, file: &Path) -> Option<Config> {
    let (tree, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        // What is left of a tree with such errors would give misleading findings.
        for error in errors {
            let at = error.span().unwrap_or(0..0);
            notes.syntax_error(&at, Problem::new(error.message()));
        }
        return None;
    }
    let base = file.parent().unwrap_or(Path::new(""));
    let table = Table::new(notes, &keys::FILE, tree.get_ref(), tree.span());
    let config = sections::config(notes, mentions, &table, base);
    check::agreement(notes, mentions);
    config
}

fn finish(notes: Notes<'_>, config: Option<Config>) -> Result<Parsed, ConfigErrors> {
    let failed = notes.has_errors();
    let (errors, warnings) = notes.into_findings();
    match config {
        Some(config) if !failed => Ok(Parsed { config, warnings }),
        Some(_) | None => {
            assert!(failed, "a configuration was refused without a reason");
            Err(ConfigErrors { errors, warnings })
        }
    }
}

fn text_of(path: &Path) -> Result<String, Problem> {
    let unreadable = |error: io::Error| {
        let problem = Problem::new(format!("can't be read: {error}"));
        if error.kind() == io::ErrorKind::NotFound {
            return problem.cured_by("make one with: ponte init");
        }
        problem
    };
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes))
        .map_err(unreadable)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(Problem::new(format!(
            "has more than {FILE_BYTES_MAX} bytes"
        )));
    }
    String::from_utf8(bytes).map_err(|bad| {
        let at = bad.utf8_error().valid_up_to();
        let line = bad.as_bytes()[..at].iter().filter(|b| **b == b'\n').count() + 1;
        Problem::new(format!("is not UTF-8 text in line {line}")).cured_by("save it as UTF-8")
    })
}
