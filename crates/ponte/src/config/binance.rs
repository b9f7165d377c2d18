//! Reads `[accounts.binance]`: what only accounts at Binance have.

use std::ops::{Range, RangeInclusive};
use std::path::Path;
use std::time::Duration;

use ponte_core::id::AccountName;
use ponte_core::policy::Mode;

use super::broker::venue_url;
use super::duration;
use super::finding::{Notes, Problem};
use super::keys::BINANCE;
use super::model::{
    BinanceBroker, BinanceFutures, BinanceHosts, BinanceMarket, MarginType, OrderTransport,
    StopSize, TriggerPrice,
};
use super::secrets::secret_reference;
use super::sections::{BinanceMention, Mentions};
use super::table::{Spot, Table};
use super::value;

/// Binance's own: Spot API, "General information", "Timing security".
const RECEIVE_WINDOW_DEFAULT: Duration = Duration::from_secs(5);
/// Binance's own: Spot API, "General information", "API timeout".
const PROCESSING_LIMIT_DEFAULT: Duration = Duration::from_secs(10);
const TIMING_RANGE: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_mins(1);
const LEVERAGE_RANGE: RangeInclusive<u64> = 1..=125;
const SWITCH_RANGE: RangeInclusive<Duration> = Duration::from_secs(10)..=Duration::from_mins(10);
/// Where `ponte venue binance` listens when it isn't told.
const VENUE_PORT: u16 = 9010;
/// What a spot account has no use for.
const FUTURES_KEYS: [&str; 6] = [
    "stops",
    "trigger",
    "leverage",
    "margin",
    "apply_settings",
    "dead_mans_switch",
];

/// Which of the markets, before its settings are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MarketKind {
    Spot,
    Futures,
}

pub(super) fn binance(
    notes: &mut Notes<'_>,
    mentions: &mut Mentions,
    account: &Table<'_, '_>,
    name: Option<&AccountName>,
    mode: Option<Mode>,
    base: &Path,
) -> Option<BinanceBroker> {
    if !account.has("binance") {
        let problem = Problem::new("missing, and an account at Binance needs its keys");
        let problem = problem
            .cured_by("add a section [accounts.binance] with market, api_key and signing_key");
        notes.error("accounts.binance", &account.at, problem);
        return None;
    }
    let table = account.child(notes, "binance", &BINANCE);
    if table.is_absent() {
        return None;
    }
    let kind = table.required(notes, "market", |value| {
        value::choice(
            value,
            &[("spot", MarketKind::Spot), ("futures", MarketKind::Futures)],
        )
    });
    let kind = kind.map(|spot| spot.value);
    let api_key = secret_reference(notes, &table, "api_key", base);
    let signing_key = secret_reference(notes, &table, "signing_key", base);
    if let Some(account) = name {
        mentions.binance.push(BinanceMention {
            account: account.clone(),
            market: kind,
            api_key: api_key.clone(),
            signing_key: signing_key.clone(),
        });
    }
    let futures = futures(notes, &table);
    let market = match kind {
        Some(MarketKind::Spot) => {
            only_futures(notes, &table);
            Some(BinanceMarket::Spot)
        }
        Some(MarketKind::Futures) => Some(BinanceMarket::Futures(futures)),
        None => None,
    };
    let hosts = hosts(notes, &table, mode);
    let (receive_window, processing_limit) = timing(notes, &table);
    let orders = table.read(notes, "orders", |value| {
        value::choice(
            value,
            &[
                ("rest", OrderTransport::Rest),
                ("websocket", OrderTransport::WebSocket),
            ],
        )
    });
    let withdrawal = table.read(notes, "allow_withdrawal_keys", value::truth);
    Some(BinanceBroker {
        market: market?,
        api_key: api_key?.value,
        signing_key: signing_key?.value,
        hosts: hosts?,
        receive_window,
        processing_limit,
        orders: orders.map_or(OrderTransport::Rest, |spot| spot.value),
        allow_withdrawal_keys: withdrawal.is_some_and(|spot| spot.value),
    })
}

fn futures(notes: &mut Notes<'_>, table: &Table<'_, '_>) -> BinanceFutures {
    let stops = table.read(notes, "stops", |value| {
        let sizes = [
            ("quantity", StopSize::Quantity),
            ("close_position", StopSize::ClosePosition),
        ];
        value::choice(value, &sizes)
    });
    let trigger = table.read(notes, "trigger", |value| {
        let prices = [("last", TriggerPrice::Last), ("mark", TriggerPrice::Mark)];
        value::choice(value, &prices)
    });
    let leverage = table.read(notes, "leverage", |value| {
        let number = value::whole_number(value, LEVERAGE_RANGE)?;
        u32::try_from(number).map_err(|error| Problem::new(error.to_string()))
    });
    let margin = table.read(notes, "margin", |value| {
        let types = [
            ("cross", MarginType::Cross),
            ("isolated", MarginType::Isolated),
        ];
        value::choice(value, &types)
    });
    let apply = table.read(notes, "apply_settings", value::truth);
    let switch = table.read(notes, "dead_mans_switch", |value| {
        value::duration(value, SWITCH_RANGE)
    });
    if let Some(apply) = apply.as_ref().filter(|apply| apply.value)
        && !table.has("leverage")
        && !table.has("margin")
    {
        let problem = Problem::new("has no effect, neither leverage nor margin is written");
        let problem = problem.cured_by("write one of them, or take this out");
        notes.warning("accounts.binance.apply_settings", &apply.at, problem);
    }
    BinanceFutures {
        stops: stops.map_or(StopSize::Quantity, |spot| spot.value),
        trigger: trigger.map_or(TriggerPrice::Last, |spot| spot.value),
        leverage: leverage.map(|spot| spot.value),
        margin: margin.map(|spot| spot.value),
        apply_settings: apply.is_some_and(|spot| spot.value),
        dead_mans_switch: switch.map(|spot| spot.value),
    }
}

fn only_futures(notes: &mut Notes<'_>, table: &Table<'_, '_>) {
    for key in FUTURES_KEYS {
        let Some(value) = table.value(key) else {
            continue;
        };
        let problem = Problem::new("belongs to market \"futures\", this account's is \"spot\"");
        let problem = problem.cured_by("take it out, or write market = \"futures\"");
        notes.error(&table.section.path_of(key), &value.span(), problem);
    }
}

/// The named hosts as they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Named {
    Demo,
    Testnet,
    Live,
}

fn hosts(notes: &mut Notes<'_>, table: &Table<'_, '_>, mode: Option<Mode>) -> Option<BinanceHosts> {
    let named = table.read(notes, "hosts", |value| {
        value::choice(
            value,
            &[
                ("demo", Named::Demo),
                ("testnet", Named::Testnet),
                ("live", Named::Live),
            ],
        )
    });
    let url = table.read(notes, "url", |value| venue_url(value, VENUE_PORT));
    if table.has("hosts") && table.has("url") {
        let problem = Problem::new("is written beside hosts, expected one of the two");
        let problem = problem.cured_by("take one of the two out");
        let at = table
            .value("url")
            .map_or(table.at.clone(), toml::Spanned::span);
        notes.error("accounts.binance.url", &at, problem);
        return None;
    }
    match (mode?, named, url) {
        // Modes that don't go with the broker have been noted.
        (Mode::Paper, _, _) => None,
        (Mode::Demo, None, None) => Some(BinanceHosts::Demo),
        (Mode::Live, None, None) => Some(BinanceHosts::Live),
        (Mode::Demo, None, Some(url)) => Some(BinanceHosts::Venue(url.value)),
        (Mode::Live, None, Some(url)) => {
            let problem = Problem::new("is a test venue's, and mode \"live\" moves real money");
            let problem = problem.cured_by("take it out, or write mode = \"demo\"");
            notes.error("accounts.binance.url", &url.at, problem);
            None
        }
        (mode, Some(named), _) => named_hosts(notes, mode, named.value, &named.at),
    }
}

fn named_hosts(
    notes: &mut Notes<'_>,
    mode: Mode,
    named: Named,
    at: &Range<usize>,
) -> Option<BinanceHosts> {
    let is_live = mode == Mode::Live;
    let problem = match named {
        Named::Live if is_live => return Some(BinanceHosts::Live),
        Named::Demo if !is_live => return Some(BinanceHosts::Demo),
        Named::Testnet if !is_live => return Some(BinanceHosts::Testnet),
        Named::Live => Problem::new("\"live\" is the real exchange, and mode is \"demo\"")
            .cured_by("write \"demo\" or \"testnet\", or mode = \"live\""),
        Named::Demo | Named::Testnet => {
            Problem::new("these hosts move no real money, and mode is \"live\"")
                .cured_by("take it out, or write mode = \"demo\"")
        }
    };
    notes.error("accounts.binance.hosts", at, problem);
    None
}

/// The receive window and the processing limit, on whose sum an order counts as lost.
fn timing(notes: &mut Notes<'_>, table: &Table<'_, '_>) -> (Duration, Duration) {
    let mut read = |key| table.read(notes, key, |value| value::duration(value, TIMING_RANGE));
    let window = read("receive_window");
    let limit = read("processing_limit");
    if let Some(Spot { value, at }) = &limit
        && *value < PROCESSING_LIMIT_DEFAULT
        && !table.has("url")
    {
        let problem = Problem::new(format!(
            "{} is shorter than the {} that Binance may work on a request, so that an order which \
             is still to come could be taken for lost",
            duration::display(*value),
            duration::display(PROCESSING_LIMIT_DEFAULT),
        ));
        let problem =
            problem.cured_by("write \"10s\" or more; less is for a test venue's url only");
        notes.error("accounts.binance.processing_limit", at, problem);
    }
    (
        window.map_or(RECEIVE_WINDOW_DEFAULT, |spot| spot.value),
        limit.map_or(PROCESSING_LIMIT_DEFAULT, |spot| spot.value),
    )
}
