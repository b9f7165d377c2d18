//! Reads an account with its rules and instruments.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use ponte_core::id::{AccountName, Symbol};
use ponte_core::instrument::{Instrument, Instruments, Limits};
use ponte_core::number::{Quantity, is_multiple_of};
use ponte_core::policy::{Fitting, Guard, Mode, Rules};
use rust_decimal::Decimal;

use super::finding::{Notes, Problem};
use super::keys::{INSTRUMENTS, RULES};
use super::model::{Account, Broker, Fills, PaperBroker, PriceSource};
use super::sections::{Mentions, WINDOW_MAX, WINDOW_MIN, per_minute};
use super::table::{Spot, Table};
use super::value::{self, DecimalRange, Value, quoted, unexpected};

const BALANCE_DEFAULT: Decimal = Decimal::from_parts(10_000, 0, 0, false, 0);
const LEVERAGE_RANGE: DecimalRange = DecimalRange {
    above: None,
    least: Some(Decimal::ONE),
    most: Decimal::ONE_THOUSAND,
};
const MULTIPLIER_RANGE: DecimalRange = DecimalRange {
    above: Some(Decimal::ZERO),
    least: None,
    most: Decimal::from_parts(1_000_000, 0, 0, false, 0),
};
const SEED_DEFAULT: u64 = 1;
const SEED_MAX: u64 = i64::MAX.unsigned_abs();
/// The symbol of the instrument that holds for every symbol without its own.
const ANY_SYMBOL: &str = "*";

pub(super) fn account(
    notes: &mut Notes<'_>,
    mentions: &mut Mentions,
    table: &Table<'_, '_>,
) -> Option<Account> {
    let name = table.required(notes, "name", |value| {
        value::name(value, "a name", AccountName::new)
    });
    mentions.accounts_known &= name.is_some();
    mentions.accounts.extend(name.clone());
    let broker = table.required(notes, "broker", |value| {
        available(value, "broker", "paper", ())
    });
    let mode = table.required(notes, "mode", |value| {
        available(value, "mode", "paper", Mode::Paper)
    });
    let currency = table.required(notes, "currency", currency);
    let paper = paper_broker(notes, table);
    let rules_table = table.child(notes, "rules", &RULES);
    let rules = rules(notes, &rules_table);
    let instruments = instruments(notes, table);
    broker?;
    Some(Account {
        name: name?.value,
        broker: Broker::Paper(paper),
        mode: mode?.value,
        currency: currency?.value,
        rules,
        fitting: Fitting::default(),
        guard: Guard::default(),
        instruments: instruments?,
    })
}

/// The only value of its kind that this version has.
fn available<T>(value: &Value<'_>, kind: &str, name: &str, meaning: T) -> Result<T, Problem> {
    match value.as_str() {
        Some(text) if text == name => Ok(meaning),
        Some(text) => Err(Problem::new(format!(
            "{kind} {} is not available, this version has \"{name}\" only",
            quoted(text)
        ))
        .cured_by(format!("write {kind} = \"{name}\""))),
        None => Err(unexpected(&format!("\"{name}\""), value)),
    }
}

fn currency(value: &Value<'_>) -> Result<String, Problem> {
    let text = value::text(value)?;
    let currency = text.trim().to_ascii_uppercase();
    if (2..=12).contains(&currency.len()) && currency.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Ok(currency);
    }
    Err(unexpected("2 to 12 letters and digits", value)
        .cured_by("write it like \"USDT\" or \"BRL\""))
}

fn paper_broker(notes: &mut Notes<'_>, table: &Table<'_, '_>) -> PaperBroker {
    let balance = decimal(notes, table, "balance", DecimalRange::POSITIVE);
    let fills = table.read(notes, "fills", |value| {
        value::choice(
            value,
            &[
                ("optimistic", Fills::Optimistic),
                ("pessimistic", Fills::Pessimistic),
            ],
        )
    });
    let leverage = decimal(notes, table, "leverage", LEVERAGE_RANGE);
    let seed = table.read(notes, "seed", |value| {
        value::whole_number(value, 0..=SEED_MAX)
    });
    let url = table.read(notes, "url", venue_url);
    PaperBroker {
        balance: balance.unwrap_or(BALANCE_DEFAULT),
        prices: prices(notes, table),
        fills: fills.map_or(Fills::Optimistic, |spot| spot.value),
        leverage: leverage.unwrap_or(Decimal::ONE),
        seed: seed.map_or(SEED_DEFAULT, |spot| spot.value),
        url: url.map(|spot| spot.value),
    }
}

fn prices(notes: &mut Notes<'_>, table: &Table<'_, '_>) -> Vec<PriceSource> {
    let list = table.list(notes, "prices", |value| {
        value::choice(
            value,
            &[
                ("alert", PriceSource::Alert),
                ("seeded", PriceSource::Seeded),
            ],
        )
    });
    let Some(list) = list else {
        return vec![PriceSource::Alert];
    };
    let mut prices = Vec::new();
    for Spot { value, at } in list.value {
        if prices.contains(&value) {
            notes.error("accounts.prices", &at, Problem::new("named twice"));
        }
        prices.push(value);
    }
    if table.is_empty_list("prices") {
        let problem = Problem::new("names no source, so that no order could ever be filled");
        let problem = problem.cured_by("write [\"alert\"] or [\"alert\", \"seeded\"]");
        notes.error("accounts.prices", &list.at, problem);
    }
    prices
}

/// `http://`, a loopback address and a port; nothing else, so that a paper order can't leave the machine.
fn venue_url(value: &Value<'_>) -> Result<String, Problem> {
    let text = value::text(value)?;
    let host = text
        .strip_prefix("http://")
        .map(|rest| rest.trim_end_matches('/'));
    let address = host.map(|host| host.replace("localhost:", "127.0.0.1:"));
    let address = address.and_then(|address| address.parse::<SocketAddr>().ok());
    match address.map(|address| (address.ip(), address.port())) {
        Some((ip, 1..)) if is_loopback(ip) => Ok(text.trim_end_matches('/').to_owned()),
        Some((_, 0)) | None => Err(unexpected("http, a loopback address and a port", value)
            .cured_by("write it like \"http://127.0.0.1:9000\"")),
        Some((ip, _)) => Err(Problem::new(format!(
            "{ip} is not a loopback address, and a venue is reached on its own machine only"
        ))
        .cured_by("write it like \"http://127.0.0.1:9000\"")),
    }
}

fn is_loopback(ip: IpAddr) -> bool {
    ip.to_canonical().is_loopback()
}

fn rules(notes: &mut Notes<'_>, table: &Table<'_, '_>) -> Rules {
    let allowed = table.list(notes, "allowed_symbols", symbol);
    if let Some(list) = allowed
        .as_ref()
        .filter(|_| table.is_empty_list("allowed_symbols"))
    {
        let problem = Problem::new("allows no symbol");
        let problem = problem.cured_by("name some, or leave the key out to allow all");
        notes.error("accounts.rules.allowed_symbols", &list.at, problem);
    }
    let mut amount = |key| decimal(notes, table, key, DecimalRange::POSITIVE);
    let quantity = |amount: Option<Decimal>| amount.and_then(|amount| Quantity::new(amount).ok());
    let max_order_quantity = quantity(amount("max_order_quantity"));
    let max_order_notional = amount("max_order_notional");
    let max_position = quantity(amount("max_position"));
    let rate = table.read(notes, "max_orders_per_minute", per_minute);
    let age = table.read(notes, "max_signal_age", |value| {
        value::duration(value, WINDOW_MIN..=WINDOW_MAX)
    });
    Rules {
        allowed_symbols: allowed.map(symbols),
        max_order_quantity,
        max_order_notional,
        max_position,
        max_orders_per_minute: rate.map(|spot| spot.value),
        max_signal_age: age.map(|spot| spot.value),
        max_price_deviation: None,
    }
}

fn symbols(list: Spot<Vec<Spot<Symbol>>>) -> BTreeSet<Symbol> {
    list.value.into_iter().map(|spot| spot.value).collect()
}

/// A symbol as alerts are compared with: without the exchange's prefix.
pub(super) fn symbol(value: &Value<'_>) -> Result<Symbol, Problem> {
    let symbol = value::name(value, "a symbol", Symbol::new)?;
    match symbol.as_str().rsplit_once(':') {
        None => Ok(symbol),
        Some((exchange, bare)) => Err(Problem::new(format!(
            "{} has an exchange in front, which is taken off before symbols are compared",
            quoted(symbol.as_str())
        ))
        .cured_by(format!("write \"{bare}\" without \"{exchange}:\""))),
    }
}

fn instruments(notes: &mut Notes<'_>, table: &Table<'_, '_>) -> Option<Instruments> {
    let mut instruments = Instruments::default();
    let mut all_read = true;
    for table in table.children(notes, "instruments", &INSTRUMENTS) {
        let name = table.required(notes, "symbol", symbol);
        let Some(instrument) = instrument(notes, &table, name.as_ref()) else {
            all_read = false;
            continue;
        };
        let at = name.map_or(table.at.clone(), |name| name.at);
        let symbol = instrument.symbol.clone();
        let earlier = if symbol.as_str() == ANY_SYMBOL {
            instruments
                .any_other
                .replace(Box::new(instrument))
                .is_some()
        } else {
            let listed = &mut instruments.listed;
            listed.insert(symbol.clone(), instrument).is_some()
        };
        if earlier {
            let problem = Problem::new(format!("\"{symbol}\" is described twice"));
            notes.error("accounts.instruments.symbol", &at, problem);
        }
    }
    all_read.then_some(instruments)
}

fn instrument(
    notes: &mut Notes<'_>,
    table: &Table<'_, '_>,
    symbol: Option<&Spot<Symbol>>,
) -> Option<Instrument> {
    for key in ["price_tick", "quantity_step"] {
        table.demand(notes, key);
    }
    let tick = decimal(notes, table, "price_tick", DecimalRange::POSITIVE);
    let step = decimal(notes, table, "quantity_step", DecimalRange::POSITIVE);
    let quantity = decimal(notes, table, "minimum_quantity", DecimalRange::NOT_NEGATIVE);
    let notional = decimal(notes, table, "minimum_notional", DecimalRange::NOT_NEGATIVE);
    let multiplier = decimal(notes, table, "contract_multiplier", MULTIPLIER_RANGE);
    let (quantity, step) = (quantity.unwrap_or_default(), step?);
    if !is_multiple_of(quantity, step) {
        let problem = Problem::new(format!(
            "minimum_quantity {quantity} is not a multiple of quantity_step {step}"
        ));
        let at = table.value("minimum_quantity").map(toml::Spanned::span);
        let at = at.unwrap_or(table.at.clone());
        notes.error("accounts.instruments.minimum_quantity", &at, problem);
    }
    Some(Instrument {
        symbol: symbol?.value.clone(),
        price_tick: tick?,
        quantity_step: step,
        minimum_quantity: quantity,
        minimum_notional: notional.unwrap_or_default(),
        contract_multiplier: multiplier.unwrap_or(Decimal::ONE),
        limits: Limits::default(),
    })
}

fn decimal(
    notes: &mut Notes<'_>,
    table: &Table<'_, '_>,
    key: &str,
    range: DecimalRange,
) -> Option<Decimal> {
    let spot = table.read(notes, key, |value| value::decimal(value, range))?;
    Some(spot.value.normalize())
}
