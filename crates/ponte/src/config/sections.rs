//! Reads each section into what it means. What concerns more than one section is looked at in
//! [`super::check`], from what is mentioned here.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use ponte_core::id::{AccountName, SourceName, StrategyName};
use ponte_core::policy::{DEDUP_WINDOW_DEFAULT, StrategyFilter};
use ponte_core::time::Timestamp;

use super::accounts::account;
use super::binance::MarketKind;
use super::client_certificate::{ClientCertificatePolicy, client_certificate};
use super::finding::{Notes, Problem};
use super::https::{self, HttpsMention};
use super::keys::{
    ADMIN, ADMIN_REMOTE, BRIDGE, CLIENT_CERTIFICATE, LOG, RETENTION, SOURCES, VAULT, WEBHOOK,
};
use super::model::{
    Admin, Config, Keep, Log, LogFormat, LogLevel, Retention, Source, SourceFormat, Webhook,
};
use super::network::ClientAddress;
use super::proxy::Proxy;
use super::remote::RemoteMention;
use super::reserved;
use super::routes::route;
use super::scope;
use super::secrets::secret_reference;
use super::senders::senders;
use super::table::{Spot, Table};
use super::value::{self, Value, quoted};
use super::vault::VaultMention;
use crate::secret::{Role, SecretRef};

const DATA_DIR_DEFAULT: &str = "data";
const WEBHOOK_LISTEN_DEFAULT: SocketAddr = loopback(8080);
const ADMIN_LISTEN_DEFAULT: SocketAddr = loopback(8081);
const FAILURES_PER_MINUTE_DEFAULT: u64 = 30;
const RECORDS_KEPT_DEFAULT: Keep = Keep::For(Duration::from_secs(90 * DAY));
const DAY: u64 = 24 * 60 * 60;
/// The rates of all rules and limits stay below this.
pub(super) const PER_MINUTE_MAX: u64 = 100_000;
/// A window or an age is between these.
pub(super) const WINDOW_MIN: Duration = Duration::from_secs(1);
pub(super) const WINDOW_MAX: Duration = Duration::from_secs(DAY);

/// What the file names that other parts of it, or the world, must agree with.
#[derive(Debug, Default)]
pub(super) struct Mentions {
    pub(super) webhook_listen: Option<Spot<SocketAddr>>,
    pub(super) admin_listen: Option<Spot<SocketAddr>>,
    pub(super) remote: Option<RemoteMention>,
    pub(super) allow_any: Option<Range<usize>>,
    pub(super) proxy: Option<Spot<Proxy>>,
    pub(super) proxy_protocol: Option<Spot<bool>>,
    pub(super) client_certificate: Option<Spot<ClientCertificatePolicy>>,
    pub(super) client_address: Option<Spot<ClientAddress>>,
    pub(super) trusted_proxies: Option<Spot<usize>>,
    pub(super) https: HttpsMention,
    pub(super) sources: Vec<Spot<SourceName>>,
    pub(super) secrets: Vec<(SourceName, Spot<SecretRef>)>,
    pub(super) spare_secrets: Vec<SpareMention>,
    pub(super) ends: Vec<EndMention>,
    pub(super) scopes: Vec<ScopeMention>,
    pub(super) binance: Vec<BinanceMention>,
    pub(super) mt5: Vec<Mt5Mention>,
    pub(super) bridge: Option<BridgeMention>,
    pub(super) vault: Option<VaultMention>,
    pub(super) accounts: Vec<Spot<AccountName>>,
    /// Whether every account's name could be read, so that an unknown one is truly unknown.
    pub(super) accounts_known: bool,
    pub(super) routes: Vec<RouteMention>,
}

/// An account at Binance, with what could be read of where its keys are.
#[derive(Debug)]
pub(super) struct BinanceMention {
    pub(super) account: AccountName,
    pub(super) market: Option<MarketKind>,
    pub(super) api_key: Option<Spot<SecretRef>>,
    pub(super) signing_key: Option<Spot<SecretRef>>,
}

/// An account in a terminal, with what could be read of which one it is.
#[derive(Debug)]
pub(super) struct Mt5Mention {
    pub(super) account: AccountName,
    /// Where its section stands.
    pub(super) at: Range<usize>,
    pub(super) login: Option<Spot<i64>>,
    pub(super) server: Option<String>,
    pub(super) token: Option<Spot<SecretRef>>,
}

/// Where bridges call.
#[derive(Debug)]
pub(super) struct BridgeMention {
    pub(super) at: Range<usize>,
    pub(super) listen: Option<Spot<SocketAddr>>,
    /// The files for TLS, by their keys.
    pub(super) files: Vec<(&'static str, Range<usize>)>,
}

/// A source's secret beside the current one.
#[derive(Debug)]
pub(super) struct SpareMention {
    pub(super) source: SourceName,
    pub(super) role: Role,
    pub(super) reference: Spot<SecretRef>,
    pub(super) until: Option<Timestamp>,
}

/// A moment from which on a secret is not taken any more.
#[derive(Debug)]
pub(super) struct EndMention {
    pub(super) key: &'static str,
    pub(super) at: Spot<Timestamp>,
}

/// What a source may reach, where that must be there.
#[derive(Debug)]
pub(super) struct ScopeMention {
    pub(super) strategies: Option<Spot<BTreeSet<StrategyName>>>,
    pub(super) accounts: Vec<Spot<AccountName>>,
}

/// A route's two ends.
#[derive(Debug)]
pub(super) struct RouteMention {
    pub(super) strategies: StrategyFilter,
    pub(super) accounts: Vec<Spot<AccountName>>,
}

/// Reads the whole file; `None` where something that can't be done without is missing.
pub(super) fn config(
    notes: &mut Notes<'_>,
    mentions: &mut Mentions,
    file: &Table<'_, '_>,
    base: &Path,
) -> Option<Config> {
    let data_dir = file.read(notes, "data_dir", path);
    let data_dir = data_dir.map_or_else(|| DATA_DIR_DEFAULT.to_owned(), |spot| spot.value);
    let webhook = file.child(notes, "webhook", &WEBHOOK);
    let webhook = self::webhook(notes, mentions, &webhook, base);
    let admin = file.child(notes, "admin", &ADMIN);
    let admin = self::admin(notes, mentions, &admin, base);
    let bridge = file.child(notes, "bridge", &BRIDGE);
    let bridge = super::bridge::bridge(notes, mentions, &bridge, base);
    let vault = file.child(notes, "vault", &VAULT);
    let vault = super::vault::vault(notes, mentions, &vault, base);
    let log = file.child(notes, "log", &LOG);
    let log = self::log(notes, &log);
    let retention = file.child(notes, "retention", &RETENTION);
    let retention = self::retention(notes, &retention);

    let tables = file.children(notes, "sources", &SOURCES);
    let sources = collect(tables, |table| source(notes, mentions, table, base));
    let tables = file.children(notes, "accounts", &super::keys::ACCOUNTS);
    mentions.accounts_known = true;
    let accounts = collect(tables, |table| account(notes, mentions, table, base));
    let tables = file.children(notes, "routes", &super::keys::ROUTES);
    let routes = collect(tables, |table| route(notes, mentions, table));
    for key in ["sources", "accounts", "routes"] {
        if !file.has(key) {
            notes.error_in_whole(
                key,
                Problem::new("there is none").cured_by(format!("add a section [[{key}]]")),
            );
        }
    }
    Some(Config {
        data_dir: base.join(data_dir),
        webhook,
        admin,
        bridge,
        vault,
        log,
        retention,
        sources: sources?,
        accounts: accounts?,
        routes: routes?,
    })
}

/// Reads every table, even after one that can't be used.
fn collect<T, U>(tables: Vec<T>, read: impl FnMut(&T) -> Option<U>) -> Option<Vec<U>> {
    let read: Vec<Option<U>> = tables.iter().map(read).collect();
    read.into_iter().collect()
}

fn webhook(
    notes: &mut Notes<'_>,
    mentions: &mut Mentions,
    table: &Table<'_, '_>,
    base: &Path,
) -> Webhook {
    let listen = table.read(notes, "listen", super::listen::listen);
    mentions.webhook_listen.clone_from(&listen);
    let public_url = table.read(notes, "public_url", super::public_url::public_url);
    let health_path = table.read(notes, "health_path", super::health_path::health_path);
    let senders = senders(notes, mentions, table);
    let certificate = table.child(notes, "client_certificate", &CLIENT_CERTIFICATE);
    let client_certificate = client_certificate(notes, mentions, &certificate);
    let failures = table.read(notes, "failures_per_minute", per_minute);
    let public_url = public_url.map(|spot| spot.value);
    let tls = https::webhook_tls(notes, mentions, table, public_url.as_ref(), base);
    Webhook {
        listen: listen.map_or(WEBHOOK_LISTEN_DEFAULT, |spot| spot.value),
        public_url,
        health_path: health_path.map(|spot| spot.value),
        allow_from: senders.allow_from,
        tradingview: senders.tradingview,
        proxy: senders.proxy,
        trusted_proxies: senders.trusted_proxies,
        client_address: senders.client_address,
        proxy_protocol: senders.proxy_protocol,
        connections_per_address: senders.connections_per_address,
        client_certificate,
        failures_per_minute: failures.map_or(
            u32::try_from(FAILURES_PER_MINUTE_DEFAULT).unwrap_or(u32::MAX),
            |spot| spot.value,
        ),
        tls,
    }
}

fn admin(
    notes: &mut Notes<'_>,
    mentions: &mut Mentions,
    table: &Table<'_, '_>,
    base: &Path,
) -> Admin {
    let listen = table.read(notes, "listen", |value| {
        let address = value::socket_address(value)?;
        if address.ip().to_canonical().is_loopback() {
            return Ok(address);
        }
        let problem =
            format!("{address} is not a loopback address, and admin.listen asks for no password");
        Err(Problem::new(problem).cured_by(format!(
            "write \"127.0.0.1:{}\", and for elsewhere add a section [admin.remote]",
            address.port()
        )))
    });
    mentions.admin_listen.clone_from(&listen);
    let remote = table.child(notes, "remote", &ADMIN_REMOTE);
    Admin {
        listen: listen.map_or(ADMIN_LISTEN_DEFAULT, |spot| spot.value),
        remote: super::remote::remote(notes, mentions, &remote, base),
    }
}

fn log(notes: &mut Notes<'_>, table: &Table<'_, '_>) -> Log {
    let format = table.read(notes, "format", |value| {
        value::choice(
            value,
            &[("human", LogFormat::Human), ("json", LogFormat::Json)],
        )
    });
    let level = table.read(notes, "level", |value| {
        let levels = [
            LogLevel::Error,
            LogLevel::Warn,
            LogLevel::Info,
            LogLevel::Debug,
            LogLevel::Trace,
        ];
        value::choice(value, &levels.map(|level| (level.as_str(), level)))
    });
    Log {
        format: format.map_or(LogFormat::Human, |spot| spot.value),
        level: level.map_or(LogLevel::Info, |spot| spot.value),
    }
}

fn retention(notes: &mut Notes<'_>, table: &Table<'_, '_>) -> Retention {
    let mut kept = |key, default| {
        table
            .read(notes, key, keep)
            .map_or(default, |spot| spot.value)
    };
    Retention {
        refusals: kept("refusals", RECORDS_KEPT_DEFAULT),
        events: kept("events", Keep::Forever),
    }
}

fn keep(value: &Value<'_>) -> Result<Keep, Problem> {
    const LEAST: Duration = Duration::from_secs(DAY);
    const MOST: Duration = Duration::from_secs(36_500 * DAY);
    if value.as_str() == Some("forever") {
        return Ok(Keep::Forever);
    }
    value::duration(value, LEAST..=MOST).map(Keep::For)
}

fn source(
    notes: &mut Notes<'_>,
    mentions: &mut Mentions,
    table: &Table<'_, '_>,
    base: &Path,
) -> Option<Source> {
    let name = table.required(notes, "name", reserved::source);
    mentions.sources.extend(name.clone());
    let secret = secret_reference(notes, table, "secret", base);
    if let (Some(name), Some(secret)) = (&name, &secret) {
        mentions.secrets.push((name.value.clone(), secret.clone()));
    }
    let spare = scope::spare(notes, mentions, table, base, name.as_ref());
    let scope = scope::scope(notes, mentions, table);
    let format = table.read(notes, "format", |value| {
        value::choice(value, &[("ponte", SourceFormat::Ponte)])
    });
    let window = table.read(notes, "dedup_window", |value| {
        value::duration(value, WINDOW_MIN..=WINDOW_MAX)
    });
    if let Some(window) = window.as_ref().filter(|window| window.value < RESENDS_LAST) {
        let problem = Problem::new(format!(
            "{} is shorter than the 27s after which TradingView may still send again",
            super::duration::display(window.value)
        ));
        let problem = problem.cured_by("write \"45s\", or give each alert an id");
        notes.warning("sources.dedup_window", &window.at, problem);
    }
    Some(Source {
        name: name?.value,
        secret: secret?.value,
        previous_secret: spare.previous_secret,
        previous_until: spare.previous_until,
        tripwire: spare.tripwire,
        expires: spare.expires,
        format: format.map_or(SourceFormat::Ponte, |spot| spot.value),
        dedup_window: window.map_or(DEDUP_WINDOW_DEFAULT, |spot| spot.value),
        scope,
    })
}

/// Four sends of up to 3 s each, with 5 s between them.
const RESENDS_LAST: Duration = Duration::from_secs(27);

pub(super) fn path(value: &Value<'_>) -> Result<String, Problem> {
    let path = value::text(value)?;
    if path.trim().is_empty() || path.contains('\0') {
        return Err(Problem::new(format!("{} is not a path", quoted(&path))));
    }
    Ok(path)
}

pub(super) fn per_minute(value: &Value<'_>) -> Result<u32, Problem> {
    let number = value::whole_number(value, 1..=PER_MINUTE_MAX)?;
    u32::try_from(number).map_err(|error| Problem::new(error.to_string()))
}

const fn loopback(port: u16) -> SocketAddr {
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), port)
}
