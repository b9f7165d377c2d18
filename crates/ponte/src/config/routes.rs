//! Reads a route: which strategies go to which accounts, how large, under which symbols.

use std::collections::{BTreeMap, BTreeSet};

use ponte_core::id::{AccountName, StrategyName, Symbol};
use ponte_core::number::Quantity;
use ponte_core::policy::{Route, Sizing, StrategyFilter};
use rust_decimal::Decimal;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::accounts::symbol;
use super::finding::{Notes, Problem};
use super::keys::SIZE;
use super::reserved;
use super::sections::{Mentions, RouteMention};
use super::table::{Spot, Table};
use super::value::{self, DecimalRange, Value, unexpected};

const PERCENT_RANGE: DecimalRange = DecimalRange {
    above: Some(Decimal::ZERO),
    least: None,
    most: Decimal::ONE_THOUSAND,
};
const ANY_STRATEGY: &str = "*";

pub(super) fn route(
    notes: &mut Notes<'_>,
    mentions: &mut Mentions,
    table: &Table<'_, '_>,
) -> Option<Route> {
    let strategies = strategies(notes, table);
    table.demand(notes, "accounts");
    let accounts = table.list(notes, "accounts", |value| {
        value::name(value, "the name of an account", AccountName::new)
    });
    if let Some(list) = accounts
        .as_ref()
        .filter(|_| table.is_empty_list("accounts"))
    {
        let problem = Problem::new("leads to no account").cured_by("name one or more accounts");
        notes.error("routes.accounts", &list.at, problem);
    }
    let sizing = sizing(notes, table);
    let symbols = symbols(notes, table);
    let (strategies, accounts) = (strategies?, accounts?.value);
    let names = accounts.iter().map(|spot| spot.value.clone()).collect();
    mentions.routes.push(RouteMention {
        strategies: strategies.clone(),
        accounts,
    });
    Some(Route {
        strategies,
        accounts: names,
        sizing: sizing?,
        symbols: symbols?,
    })
}

fn strategies(notes: &mut Notes<'_>, table: &Table<'_, '_>) -> Option<StrategyFilter> {
    table.demand(notes, "strategies");
    let list = table.list(notes, "strategies", reserved::strategy)?;
    if table.is_empty_list("strategies") {
        let problem = Problem::new("takes no strategy");
        let problem = problem.cured_by("write [\"*\"] for all, or name some");
        notes.error("routes.strategies", &list.at, problem);
    }
    let is_any = |spot: &Spot<StrategyName>| spot.value.as_str() == ANY_STRATEGY;
    if !list.value.iter().any(is_any) {
        let names: BTreeSet<_> = list.value.into_iter().map(|spot| spot.value).collect();
        return Some(StrategyFilter::Named(names));
    }
    for other in list.value.iter().filter(|spot| !is_any(spot)) {
        let problem = Problem::new(format!("\"{}\" adds nothing beside \"*\"", other.value));
        let problem = problem.cured_by("take one of the two out");
        notes.warning("routes.strategies", &other.at, problem);
    }
    Some(StrategyFilter::Any)
}

/// `"alert"`, or a table with exactly one key.
fn sizing(notes: &mut Notes<'_>, table: &Table<'_, '_>) -> Option<Sizing> {
    let Some(size) = table.value("size") else {
        return Some(Sizing::AsAlert);
    };
    if size.get_ref().as_str() == Some("alert") {
        return Some(Sizing::AsAlert);
    }
    let cure = "write \"alert\", or one of multiply, fixed, notional, percent_of_equity: { multiply = \"0.5\" }";
    let DeValue::Table(entries) = size.get_ref() else {
        let problem = unexpected("a size", size.get_ref()).cured_by(cure);
        notes.error("routes.size", &size.span(), problem);
        return None;
    };
    let form = Table::new(notes, &SIZE, entries, size.span());
    let sizings: Vec<Option<Sizing>> = SIZE
        .keys
        .iter()
        .filter(|key| form.has(key.name))
        .map(|key| sizing_of(notes, &form, key.name))
        .collect();
    match sizings.as_slice() {
        [only] => *only,
        // The keys that are there have been noted as unknown.
        [] if !form.is_empty() => None,
        several => {
            let problem = Problem::new(format!("has {} sizes, expected one", several.len()));
            notes.error("routes.size", &size.span(), problem.cured_by(cure));
            None
        }
    }
}

fn sizing_of(notes: &mut Notes<'_>, form: &Table<'_, '_>, key: &str) -> Option<Sizing> {
    let range = if key == "percent_of_equity" {
        PERCENT_RANGE
    } else {
        DecimalRange::POSITIVE
    };
    let number = form.read(notes, key, |value| value::decimal(value, range))?;
    let number = number.value.normalize();
    match key {
        "multiply" => Some(Sizing::Multiplied(number)),
        "fixed" => Quantity::new(number).ok().map(Sizing::Fixed),
        "notional" => Some(Sizing::Notional(number)),
        "percent_of_equity" => Some(Sizing::PercentOfEquity(number)),
        _ => None,
    }
}

fn symbols(notes: &mut Notes<'_>, table: &Table<'_, '_>) -> Option<BTreeMap<Symbol, Symbol>> {
    let Some(value) = table.value("symbols") else {
        return Some(BTreeMap::new());
    };
    let DeValue::Table(entries) = value.get_ref() else {
        let problem = unexpected("a table of symbols", value.get_ref())
            .cured_by("write { \"BTCUSDT.P\" = \"BTCUSDT\" }");
        notes.error("routes.symbols", &value.span(), problem);
        return None;
    };
    mapped(notes, entries)
}

fn mapped(notes: &mut Notes<'_>, entries: &DeTable<'_>) -> Option<BTreeMap<Symbol, Symbol>> {
    let mut symbols = BTreeMap::new();
    let mut all_read = true;
    for (key, value) in entries {
        let from = read_symbol(notes, &key.span(), &DeValue::String(key.get_ref().clone()));
        let to = mapped_to(notes, value);
        let (Some(from), Some(to)) = (from, to) else {
            all_read = false;
            continue;
        };
        if symbols.insert(from.clone(), to).is_some() {
            let problem = Problem::new(format!("\"{from}\" is mapped twice"));
            notes.error("routes.symbols", &key.span(), problem);
        }
    }
    all_read.then_some(symbols)
}

fn mapped_to(notes: &mut Notes<'_>, value: &Spanned<DeValue<'_>>) -> Option<Symbol> {
    if !value.get_ref().is_table() {
        return read_symbol(notes, &value.span(), value.get_ref());
    }
    // `BTCUSDT.P = "BTCUSDT"` without quotes is a table in a table to TOML.
    let problem = unexpected("a symbol", value.get_ref())
        .cured_by("a symbol with a point needs quotes: \"BTCUSDT.P\" = \"BTCUSDT\"");
    notes.error("routes.symbols", &value.span(), problem);
    None
}

fn read_symbol(
    notes: &mut Notes<'_>,
    at: &std::ops::Range<usize>,
    value: &Value<'_>,
) -> Option<Symbol> {
    symbol(value)
        .map_err(|problem| notes.error("routes.symbols", at, problem))
        .ok()
}
