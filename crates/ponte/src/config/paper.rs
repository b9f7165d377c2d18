//! Reads what only paper accounts have.

use std::ops::RangeInclusive;
use std::time::Duration;

use rust_decimal::Decimal;

use super::broker::venue_url;
use super::finding::{Notes, Problem};
use super::model::{Fills, PaperBroker, PriceSource};
use super::table::{Spot, Table};
use super::value::{self, DecimalRange};

/// The keys of an account that mean something to the paper broker only.
pub(super) const PAPER_KEYS: [&str; 8] = [
    "balance",
    "prices",
    "price_max_age",
    "fills",
    "leverage",
    "seed",
    "url",
    "instruments",
];

const BALANCE_DEFAULT: Decimal = Decimal::from_parts(10_000, 0, 0, false, 0);
const LEVERAGE_RANGE: DecimalRange = DecimalRange {
    above: None,
    least: Some(Decimal::ONE),
    most: Decimal::ONE_THOUSAND,
};
const SEED_DEFAULT: u64 = 1;
const SEED_MAX: u64 = i64::MAX.unsigned_abs();
const PRICE_AGE_DEFAULT: Duration = Duration::from_secs(10);
const PRICE_AGE_RANGE: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_mins(5);
/// Where `ponte venue paper` listens when it isn't told.
const VENUE_PORT: u16 = 9000;

pub(super) fn paper(notes: &mut Notes<'_>, table: &Table<'_, '_>) -> PaperBroker {
    let balance = value::decimal_at(notes, table, "balance", DecimalRange::POSITIVE);
    let prices = prices(notes, table);
    let max_age = table.read(notes, "price_max_age", |value| {
        value::duration(value, PRICE_AGE_RANGE)
    });
    if let Some(max_age) = max_age.as_ref()
        && !prices.contains(&PriceSource::Binance)
    {
        let problem = Problem::new("has no effect, prices don't come from \"binance\"");
        let problem = problem.cured_by("take it out, or add \"binance\" to prices");
        notes.warning("accounts.price_max_age", &max_age.at, problem);
    }
    let fills = table.read(notes, "fills", |value| {
        value::choice(
            value,
            &[
                ("optimistic", Fills::Optimistic),
                ("pessimistic", Fills::Pessimistic),
            ],
        )
    });
    let leverage = value::decimal_at(notes, table, "leverage", LEVERAGE_RANGE);
    let seed = table.read(notes, "seed", |value| {
        value::whole_number(value, 0..=SEED_MAX)
    });
    let url = table.read(notes, "url", |value| venue_url(value, VENUE_PORT));
    PaperBroker {
        balance: balance.unwrap_or(BALANCE_DEFAULT),
        prices,
        price_max_age: max_age.map_or(PRICE_AGE_DEFAULT, |spot| spot.value),
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
                ("binance", PriceSource::Binance),
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
        let problem = problem.cured_by("write [\"alert\"] or [\"alert\", \"binance\"]");
        notes.error("accounts.prices", &list.at, problem);
    }
    if prices.contains(&PriceSource::Binance) && prices.contains(&PriceSource::Seeded) {
        let problem = Problem::new("mixes Binance's prices with invented ones");
        let problem = problem.cured_by("take \"seeded\" out");
        notes.warning("accounts.prices", &list.at, problem);
    }
    prices
}
