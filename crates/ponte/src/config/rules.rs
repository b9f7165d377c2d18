//! Reads what may be sent in an account, and how much of it may be lost in a day.

use std::collections::BTreeSet;

use ponte_core::id::Symbol;
use ponte_core::number::Quantity;
use ponte_core::policy::{DailyLossAction, Rules, SizeWords};
use rust_decimal::Decimal;

use super::accounts::symbol;
use super::finding::{Notes, Problem};
use super::sections::{WINDOW_MAX, WINDOW_MIN, per_minute};
use super::table::{Spot, Table};
use super::value::{self, DecimalRange, unexpected};

const DEVIATION_RANGE: DecimalRange = DecimalRange {
    above: Some(Decimal::ZERO),
    least: None,
    most: Decimal::from_parts(50, 0, 0, false, 0),
};

/// The clocks of all places are ahead of UTC, or behind it, by at most so many minutes,
const OFFSET_MAX_MINUTES: i32 = 14 * 60;
/// and by a multiple of this.
const OFFSET_STEP_MINUTES: i32 = 15;

pub(super) fn rules(notes: &mut Notes<'_>, table: &Table<'_, '_>) -> Rules {
    let allowed = table.list(notes, "allowed_symbols", symbol);
    if let Some(list) = allowed
        .as_ref()
        .filter(|_| table.is_empty_list("allowed_symbols"))
    {
        let problem = Problem::new("allows no symbol");
        let problem = problem.cured_by("name some, or leave the key out to allow all");
        notes.error("accounts.rules.allowed_symbols", &list.at, problem);
    }
    let size_words = size_words(notes, table);
    let max_order_quantity = quantity(notes, table, "max_order_quantity").or(quantity(
        notes,
        table,
        "max_order_contracts",
    ));
    let max_position =
        quantity(notes, table, "max_position").or(quantity(notes, table, "max_position_contracts"));
    let mut amount = |key| value::decimal_at(notes, table, key, DecimalRange::POSITIVE);
    let max_order_notional = amount("max_order_notional");
    let max_stop_points = amount("max_stop_points");
    let max_price_deviation_points = amount("max_price_deviation_points");
    let max_daily_loss = amount("max_daily_loss");
    let deviation = value::decimal_at(notes, table, "max_price_deviation", DEVIATION_RANGE);
    let rate = table.read(notes, "max_orders_per_minute", per_minute);
    let age = table.read(notes, "max_signal_age", |value| {
        value::duration(value, WINDOW_MIN..=WINDOW_MAX)
    });
    let require_stop = table.read(notes, "require_stop", value::truth);
    Rules {
        allowed_symbols: allowed.map(symbols),
        max_order_quantity,
        max_order_notional,
        max_position,
        max_orders_per_minute: rate.map(|spot| spot.value),
        max_signal_age: age.map(|spot| spot.value),
        max_price_deviation: deviation,
        max_price_deviation_points,
        max_stop_points,
        require_stop: require_stop.is_some_and(|spot| spot.value),
        max_daily_loss,
        daily_loss_action: daily_loss_action(notes, table),
        size_words,
    }
}

fn symbols(list: Spot<Vec<Spot<Symbol>>>) -> BTreeSet<Symbol> {
    list.value.into_iter().map(|spot| spot.value).collect()
}

fn quantity(notes: &mut Notes<'_>, table: &Table<'_, '_>, key: &str) -> Option<Quantity> {
    let amount = value::decimal_at(notes, table, key, DecimalRange::POSITIVE)?;
    Quantity::new(amount).ok()
}

/// The rules of size have two sets of names, of which an account uses one: refusals speak in it.
fn size_words(notes: &mut Notes<'_>, table: &Table<'_, '_>) -> SizeWords {
    let names = [SizeWords::max_order, SizeWords::max_position];
    let (quantity, contracts) = (SizeWords::Quantity, SizeWords::Contracts);
    let written = |words: SizeWords| names.iter().find(|name| table.has(name(words)));
    let (Some(_), Some(in_contracts)) = (written(quantity), written(contracts)) else {
        return match written(contracts) {
            Some(_) => contracts,
            None => quantity,
        };
    };
    for name in names.iter().filter(|name| table.has(name(quantity))) {
        let problem = if table.has(name(contracts)) {
            Problem::new(format!("is {} in other words", name(contracts)))
                .cured_by("take one of the two out")
        } else {
            Problem::new(format!(
                "speaks of quantities, and {} of contracts",
                in_contracts(contracts)
            ))
            .cured_by(format!("write {}", name(contracts)))
        };
        if let Some(value) = table.value(name(quantity)) {
            notes.error(
                &table.section.path_of(name(quantity)),
                &value.span(),
                problem,
            );
        }
    }
    contracts
}

fn daily_loss_action(notes: &mut Notes<'_>, table: &Table<'_, '_>) -> DailyLossAction {
    const KEY: &str = "daily_loss_action";
    let written = table.read(notes, KEY, |value| {
        let choices = [
            ("block", DailyLossAction::Block),
            ("flatten", DailyLossAction::Flatten),
        ];
        value::choice(value, &choices)
    });
    let Some(action) = written else {
        return DailyLossAction::default();
    };
    if !table.has("max_daily_loss") {
        let problem = Problem::new("has no effect without max_daily_loss");
        let problem = problem.cured_by("add max_daily_loss, or take it out");
        notes.warning(&table.section.path_of(KEY), &action.at, problem);
    }
    action.value
}

/// How many seconds the clock at whose midnight the trading day begins is ahead of UTC.
pub(super) fn utc_offset(notes: &mut Notes<'_>, table: &Table<'_, '_>) -> Option<i32> {
    let offset = table.read(notes, "day_starts_at_utc_offset", |value| {
        value.as_str().and_then(offset_seconds).ok_or_else(|| {
            unexpected("hours and minutes from \"-14:00\" to \"+14:00\"", value)
                .cured_by("write the clock of the exchange, \"-03:00\" for São Paulo")
        })
    });
    offset.map(|spot| spot.value)
}

/// Reads `-03:00`: a sign, hours, and minutes in quarters of an hour.
fn offset_seconds(text: &str) -> Option<i32> {
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = digits.split_once(':')?;
    let number = |text: &str| {
        let is_two_digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<i32>().ok().filter(|_| is_two_digits)
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    let total = hours * 60 + minutes;
    let is_clock =
        minutes < 60 && total <= OFFSET_MAX_MINUTES && minutes % OFFSET_STEP_MINUTES == 0;
    is_clock.then_some(sign * total * 60)
}
