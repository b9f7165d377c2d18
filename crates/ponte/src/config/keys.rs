//! Every key that the configuration has: what the reader accepts, what suggestions are taken from,
//! and what `docs/configuration.md` is held to.

mod exchange;
mod https;
mod network;
mod remote;
mod retention;
mod sources;
mod terminal;
mod vault;

pub(super) use exchange::{B3, B3_PRODUCTS};
pub(super) use https::{WEBHOOK_ACME, WEBHOOK_TLS};
pub(super) use network::CLIENT_CERTIFICATE;
pub(super) use remote::ADMIN_REMOTE;
pub(super) use retention::RETENTION;
pub(super) use sources::{SCOPE, SOURCES};
pub(super) use terminal::{BRIDGE, MT5};
pub(super) use vault::{SECRET_PLACES, VAULT};

/// One key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// Its name, without its section's.
    pub name: &'static str,
    /// The kind of value, in a word or two.
    pub kind: &'static str,
    /// What holds when it isn't written.
    pub absent: Absent,
    /// What is allowed, as the reference says it.
    pub range: &'static str,
    /// A value that is accepted, as it is written in TOML. Empty for keys that are sections themselves.
    pub example: &'static str,
}

/// What holds when a key isn't written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absent {
    /// Ponte doesn't start.
    Error,
    /// The same as this value, as it is written in TOML.
    Means(&'static str),
    /// Nothing is limited or set; the reference says what that means.
    Nothing,
}

/// One section of the file.
#[derive(Debug, PartialEq, Eq)]
pub struct Section {
    /// Its name with the sections around it (`accounts.rules`); empty for the file itself.
    pub path: &'static str,
    /// Whether it is written with double brackets, as often as needed.
    pub is_list: bool,
    /// Its keys, in the order of the reference.
    pub keys: &'static [Key],
}

impl Section {
    /// A key's name with its section's.
    #[must_use]
    pub fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() {
            return key.to_owned();
        }
        format!("{}.{key}", self.path)
    }

    /// The key of this name.
    #[must_use]
    pub fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }
}

/// All sections, in the order of the file.
pub const SECTIONS: &[&Section] = &[
    &FILE,
    &WEBHOOK,
    &WEBHOOK_TLS,
    &WEBHOOK_ACME,
    &CLIENT_CERTIFICATE,
    &ADMIN,
    &ADMIN_REMOTE,
    &BRIDGE,
    &VAULT,
    &LOG,
    &RETENTION,
    &SOURCES,
    &SCOPE,
    &ACCOUNTS,
    &BINANCE,
    &MT5,
    &B3,
    &B3_PRODUCTS,
    &RULES,
    &INSTRUMENTS,
    &ROUTES,
];

/// Every key with its section's name, sorted: what `ponte upgrade-check` compares of two versions.
#[must_use]
pub fn key_paths() -> Vec<String> {
    let sections = SECTIONS.iter().copied().chain([&SIZE]);
    let mut paths: Vec<_> = sections
        .flat_map(|section| section.keys.iter().map(|key| section.path_of(key.name)))
        .collect();
    paths.sort();
    paths
}

/// The keys of a route's size, of which exactly one is written.
pub const SIZE: Section = Section {
    path: "routes.size",
    is_list: false,
    keys: &[
        optional("multiply", "decimal", "above 0", "\"0.5\""),
        optional("fixed", "decimal", "above 0", "\"0.01\""),
        optional("notional", "decimal", "above 0", "\"100\""),
        optional(
            "percent_of_equity",
            "decimal",
            "above 0, up to 1000",
            "\"5\"",
        ),
    ],
};

pub(super) const FILE: Section = Section {
    path: "",
    is_list: false,
    keys: &[
        means("data_dir", "path", "\"data\"", "a folder", "\"data\""),
        section("webhook"),
        section("admin"),
        section("bridge"),
        section("vault"),
        section("log"),
        section("retention"),
        section("sources"),
        section("accounts"),
        section("routes"),
    ],
};

pub(super) const WEBHOOK: Section = Section {
    path: "webhook",
    is_list: false,
    keys: &[
        means(
            "listen",
            "address",
            "\"127.0.0.1:8080\"",
            "address:port, \"env:NAME\"",
            "\"0.0.0.0:8080\"",
        ),
        optional(
            "public_url",
            "address",
            "scheme://host, scheme://host:port",
            "\"https://hook.example.com\"",
        ),
        optional("health_path", "path", "/path", "\"/healthz\""),
        means(
            "allow_from",
            "list",
            "[\"tradingview\"]",
            "\"tradingview\", \"loopback\", \"private\", \"cloudflare\", \"any\", named sets, addresses, CIDRs",
            "[\"tradingview\", \"203.0.113.7\"]",
        ),
        means(
            "address_sets",
            "table",
            "{}",
            "name = [addresses, CIDRs]",
            "{ office = [\"203.0.113.0/24\"] }",
        ),
        means(
            "proxy",
            "choice",
            "\"none\"",
            "\"none\", \"fly\", \"render\", \"railway\", \"cloudflare\", \"cloudflare-tunnel\", \
             \"nginx\", \"caddy\", \"ngrok\"",
            "\"nginx\"",
        ),
        means(
            "trusted_proxies",
            "list",
            "[]",
            "\"loopback\", \"private\", \"cloudflare\", named sets, addresses, CIDRs",
            "[\"10.0.0.0/8\"]",
        ),
        means(
            "client_address",
            "choice",
            "\"x-forwarded-for\"",
            "\"peer\", \"x-forwarded-for\", \"x-real-ip\", \"cf-connecting-ip\", \
             \"fly-client-ip\", { x-forwarded-for = 1 to 16 }",
            "\"peer\"",
        ),
        truth("proxy_protocol", "true"),
        means(
            "connections_per_address",
            "whole number",
            "64",
            "1 to 100000",
            "16",
        ),
        means(
            "failures_per_minute",
            "whole number",
            "30",
            "1 to 100000",
            "10",
        ),
        section("tls"),
        section("acme"),
        section("client_certificate"),
    ],
};

pub(super) const ADMIN: Section = Section {
    path: "admin",
    is_list: false,
    keys: &[
        means(
            "listen",
            "address",
            "\"127.0.0.1:8081\"",
            "a loopback address:port",
            "\"[::1]:9081\"",
        ),
        section("remote"),
    ],
};

pub(super) const LOG: Section = Section {
    path: "log",
    is_list: false,
    keys: &[
        means(
            "format",
            "choice",
            "\"human\"",
            "\"human\", \"json\"",
            "\"json\"",
        ),
        means(
            "level",
            "choice",
            "\"info\"",
            "\"error\", \"warn\", \"info\", \"debug\", \"trace\"",
            "\"debug\"",
        ),
    ],
};

pub(super) const ACCOUNTS: Section = Section {
    path: "accounts",
    is_list: true,
    keys: &[
        required("name", "name", "1 to 64 bytes, unique", "\"paper\""),
        required(
            "broker",
            "choice",
            "\"paper\", \"binance\", \"mt5\"",
            "\"paper\"",
        ),
        required(
            "mode",
            "choice",
            "\"paper\", \"demo\", \"live\"",
            "\"paper\"",
        ),
        truth("trade_real_money", "true"),
        required("currency", "text", "2 to 12 letters and digits", "\"USDT\""),
        means(
            "fitting",
            "choice",
            "\"refuse\"",
            "\"refuse\", \"round_down\"",
            "\"round_down\"",
        ),
        means(
            "fitting_tolerance",
            "decimal",
            "\"0.1\"",
            "0 to 5",
            "\"0.5\"",
        ),
        means(
            "protect_within",
            "duration",
            "\"5s\"",
            "\"1s\" to \"5m\"",
            "\"10s\"",
        ),
        means(
            "unprotected",
            "choice",
            "\"close\"",
            "\"close\", \"tell\"",
            "\"tell\"",
        ),
        means("balance", "decimal", "\"10000\"", "above 0", "\"2500.50\""),
        means(
            "prices",
            "list",
            "[\"alert\"]",
            "\"alert\", \"binance\", \"seeded\"",
            "[\"alert\", \"binance\"]",
        ),
        means(
            "price_max_age",
            "duration",
            "\"10s\"",
            "\"1s\" to \"5m\"",
            "\"30s\"",
        ),
        means(
            "fills",
            "choice",
            "\"optimistic\"",
            "\"optimistic\", \"pessimistic\"",
            "\"pessimistic\"",
        ),
        means("leverage", "decimal", "\"1\"", "1 to 1000", "\"5\""),
        means("seed", "whole number", "1", "0 to 9223372036854775807", "7"),
        optional(
            "url",
            "text",
            "http, a loopback address and a port",
            "\"http://127.0.0.1:9000\"",
        ),
        section("binance"),
        section("mt5"),
        section("b3"),
        section("rules"),
        section("instruments"),
    ],
};

pub(super) const BINANCE: Section = Section {
    path: "accounts.binance",
    is_list: false,
    keys: &[
        required("market", "choice", "\"spot\", \"futures\"", "\"spot\""),
        required(
            "api_key",
            "secret",
            SECRET_PLACES,
            "\"file:secrets/binance-api-key\"",
        ),
        required(
            "signing_key",
            "secret",
            SECRET_PLACES,
            "\"file:secrets/binance-signing-key.pem\"",
        ),
        optional(
            "hosts",
            "choice",
            "\"demo\", \"testnet\", \"live\"",
            "\"testnet\"",
        ),
        optional(
            "url",
            "text",
            "http, a loopback address and a port",
            "\"http://127.0.0.1:9010\"",
        ),
        means(
            "receive_window",
            "duration",
            "\"5s\"",
            "\"1s\" to \"60s\"",
            "\"3s\"",
        ),
        means(
            "processing_limit",
            "duration",
            "\"10s\"",
            "\"1s\" to \"60s\"",
            "\"15s\"",
        ),
        means(
            "orders",
            "choice",
            "\"rest\"",
            "\"rest\", \"websocket\"",
            "\"websocket\"",
        ),
        means(
            "stops",
            "choice",
            "\"quantity\"",
            "\"quantity\", \"close_position\"",
            "\"close_position\"",
        ),
        means(
            "trigger",
            "choice",
            "\"last\"",
            "\"last\", \"mark\"",
            "\"mark\"",
        ),
        optional("leverage", "whole number", "1 to 125", "5"),
        optional(
            "margin",
            "choice",
            "\"cross\", \"isolated\"",
            "\"isolated\"",
        ),
        truth("apply_settings", "true"),
        optional(
            "dead_mans_switch",
            "duration",
            "\"10s\" to \"10m\"",
            "\"2m\"",
        ),
        truth("allow_withdrawal_keys", "true"),
    ],
};

pub(super) const RULES: Section = Section {
    path: "accounts.rules",
    is_list: false,
    keys: &[
        optional(
            "allowed_symbols",
            "list",
            "symbols, at least one",
            "[\"BTCUSDT\", \"ETHUSDT\"]",
        ),
        optional("max_order_quantity", "decimal", "above 0", "\"0.5\""),
        optional("max_order_notional", "decimal", "above 0", "\"5000\""),
        optional("max_order_contracts", "decimal", "above 0", "\"2\""),
        optional("max_position", "decimal", "above 0", "\"2\""),
        optional("max_position_contracts", "decimal", "above 0", "\"4\""),
        optional("max_orders_per_minute", "whole number", "1 to 100000", "20"),
        means(
            "max_signal_age",
            "duration",
            "\"60s\"",
            "\"1s\" to \"1d\"",
            "\"30s\"",
        ),
        optional(
            "max_price_deviation",
            "decimal",
            "above 0, up to 50",
            "\"2\"",
        ),
        optional(
            "max_price_deviation_points",
            "decimal",
            "above 0",
            "\"100\"",
        ),
        truth("require_stop", "true"),
        optional("max_stop_points", "decimal", "above 0", "\"300\""),
        optional("max_daily_loss", "decimal", "above 0", "\"500\""),
        means(
            "daily_loss_action",
            "choice",
            "\"block\"",
            "\"block\", \"flatten\"",
            "\"flatten\"",
        ),
        means(
            "day_starts_at_utc_offset",
            "text",
            "\"+00:00\"",
            "\"-14:00\" to \"+14:00\"",
            "\"-03:00\"",
        ),
    ],
};

pub(super) const INSTRUMENTS: Section = Section {
    path: "accounts.instruments",
    is_list: true,
    keys: &[
        required("symbol", "symbol", "a symbol, or \"*\"", "\"WINZ2026\""),
        required("price_tick", "decimal", "above 0", "\"5\""),
        required("quantity_step", "decimal", "above 0", "\"1\""),
        means("minimum_quantity", "decimal", "\"0\"", "0 or more", "\"1\""),
        means(
            "minimum_notional",
            "decimal",
            "\"0\"",
            "0 or more",
            "\"10\"",
        ),
        means(
            "contract_multiplier",
            "decimal",
            "\"1\"",
            "above 0, up to 1000000",
            "\"0.20\"",
        ),
    ],
};

pub(super) const ROUTES: Section = Section {
    path: "routes",
    is_list: true,
    keys: &[
        required("strategies", "list", "\"*\" or names", "[\"*\"]"),
        required("accounts", "list", "names of accounts", "[\"paper\"]"),
        means(
            "size",
            "size",
            "\"alert\"",
            "\"alert\" or a table with one key",
            "{ multiply = \"0.5\" }",
        ),
        means(
            "symbols",
            "table",
            "{}",
            "symbol = symbol",
            "{ \"BTCUSDT.P\" = \"BTCUSDT\" }",
        ),
    ],
};

const fn required(
    name: &'static str,
    kind: &'static str,
    range: &'static str,
    example: &'static str,
) -> Key {
    Key {
        name,
        kind,
        absent: Absent::Error,
        range,
        example,
    }
}

const fn means(
    name: &'static str,
    kind: &'static str,
    default: &'static str,
    range: &'static str,
    example: &'static str,
) -> Key {
    Key {
        name,
        kind,
        absent: Absent::Means(default),
        range,
        example,
    }
}

const fn optional(
    name: &'static str,
    kind: &'static str,
    range: &'static str,
    example: &'static str,
) -> Key {
    Key {
        name,
        kind,
        absent: Absent::Nothing,
        range,
        example,
    }
}

/// A switch that is off until it is written.
const fn truth(name: &'static str, example: &'static str) -> Key {
    means(name, "true or false", "false", "true, false", example)
}

const fn section(name: &'static str) -> Key {
    Key {
        name,
        kind: "section",
        absent: Absent::Nothing,
        range: "",
        example: "",
    }
}
