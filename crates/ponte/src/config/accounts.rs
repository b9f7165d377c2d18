//! Reads an account with its rules and instruments.

use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

use ponte_core::b3::UTC_OFFSET_SECONDS;
use ponte_core::id::{AccountName, Symbol};
use ponte_core::instrument::{Instrument, Instruments, Limits};
use ponte_core::number::is_multiple_of;
use ponte_core::policy::{FITTING_TOLERANCE_DEFAULT, Fitting, Guard, Unprotected};
use rust_decimal::Decimal;

use super::broker::broker;
use super::finding::{Notes, Problem};
use super::keys::{INSTRUMENTS, RULES};
use super::model::Account;
use super::rules;
use super::sections::Mentions;
use super::table::{Spot, Table};
use super::value::{self, DecimalRange, Value, quoted, unexpected};

const TOLERANCE_RANGE: DecimalRange = DecimalRange {
    above: None,
    least: Some(Decimal::ZERO),
    most: Decimal::from_parts(5, 0, 0, false, 0),
};
const GUARD_RANGE: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_mins(5);
const MULTIPLIER_RANGE: DecimalRange = DecimalRange {
    above: Some(Decimal::ZERO),
    least: None,
    most: Decimal::from_parts(1_000_000, 0, 0, false, 0),
};
/// The symbol of the instrument that holds for every symbol without its own.
const ANY_SYMBOL: &str = "*";

/// Reads one account.
pub(super) fn account(
    notes: &mut Notes<'_>,
    mentions: &mut Mentions,
    table: &Table<'_, '_>,
    base: &Path,
) -> Option<Account> {
    let name = table.required(notes, "name", |value| {
        value::name(value, "a name", AccountName::new)
    });
    mentions.accounts_known &= name.is_some();
    mentions.accounts.extend(name.clone());
    let name = name.map(|spot| spot.value);
    let (broker, mode) = broker(notes, mentions, table, name.as_ref(), base);
    let currency = table.required(notes, "currency", currency);
    let fitting = fitting(notes, table);
    let guard = guard(notes, table);
    let rules_table = table.child(notes, "rules", &RULES);
    let rules = rules::rules(notes, &rules_table);
    let utc_offset_seconds = rules::utc_offset(notes, &rules_table);
    let exchange = super::b3::exchange(notes, table);
    // UTC, where nothing else is said.
    let clock = exchange.as_ref().map_or(0, |_| UTC_OFFSET_SECONDS);
    let instruments = instruments(notes, table);
    Some(Account {
        name: name?,
        broker: broker?,
        mode: mode?,
        currency: currency?.value,
        rules,
        fitting,
        guard,
        utc_offset_seconds: utc_offset_seconds.unwrap_or(clock),
        exchange,
        instruments: instruments?,
    })
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

/// The two ways of fitting, before the tolerance of one of them is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FittingKind {
    Refuse,
    RoundDown,
}

fn fitting(notes: &mut Notes<'_>, table: &Table<'_, '_>) -> Fitting {
    let kind = table.read(notes, "fitting", |value| {
        let kinds = [
            ("refuse", FittingKind::Refuse),
            ("round_down", FittingKind::RoundDown),
        ];
        value::choice(value, &kinds)
    });
    let tolerance = table.read(notes, "fitting_tolerance", |value| {
        value::decimal(value, TOLERANCE_RANGE)
    });
    match kind.map_or(FittingKind::Refuse, |spot| spot.value) {
        FittingKind::Refuse => Fitting::Refuse {
            tolerance_percent: tolerance
                .map_or(FITTING_TOLERANCE_DEFAULT, |spot| spot.value.normalize()),
        },
        FittingKind::RoundDown => {
            if let Some(tolerance) = tolerance {
                let problem = Problem::new("has no effect, fitting is \"round_down\"");
                let problem = problem.cured_by("take one of the two out");
                notes.warning("accounts.fitting_tolerance", &tolerance.at, problem);
            }
            Fitting::RoundDown
        }
    }
}

fn guard(notes: &mut Notes<'_>, table: &Table<'_, '_>) -> Guard {
    let within = table.read(notes, "protect_within", |value| {
        value::duration(value, GUARD_RANGE)
    });
    let otherwise = table.read(notes, "unprotected", |value| {
        let choices = [("close", Unprotected::Close), ("tell", Unprotected::Tell)];
        value::choice(value, &choices)
    });
    let default = Guard::default();
    Guard {
        within: within.map_or(default.within, |spot| spot.value),
        otherwise: otherwise.map_or(default.otherwise, |spot| spot.value),
    }
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
    let tick = value::decimal_at(notes, table, "price_tick", DecimalRange::POSITIVE);
    let step = value::decimal_at(notes, table, "quantity_step", DecimalRange::POSITIVE);
    let quantity = value::decimal_at(notes, table, "minimum_quantity", DecimalRange::NOT_NEGATIVE);
    let notional = value::decimal_at(notes, table, "minimum_notional", DecimalRange::NOT_NEGATIVE);
    let multiplier = value::decimal_at(notes, table, "contract_multiplier", MULTIPLIER_RANGE);
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
