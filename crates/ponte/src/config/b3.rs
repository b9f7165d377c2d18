//! Reads `[accounts.b3]`: what an account at the Brazilian exchange goes by.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::time::Duration;

use ponte_core::b3::calendar::{parse_day, parse_time};
use ponte_core::b3::{
    Auctions, Calendar, CutOff, Date, OutOfSession, OwnHours, Product, Root, Rules, Time,
};
use ponte_core::policy::Exchange;

use super::finding::{Notes, Problem};
use super::keys::{B3, B3_PRODUCTS};
use super::table::{Spot, Table};
use super::value::{self, Value, unexpected};

const ROLL_RANGE: RangeInclusive<u64> = 0..=10;
const CUT_OFF_RANGE: RangeInclusive<Duration> = Duration::from_mins(1)..=Duration::from_hours(8);

/// The exchange of an account, if it says one.
pub(super) fn exchange(notes: &mut Notes<'_>, account: &Table<'_, '_>) -> Option<Exchange> {
    let table = account.child(notes, "b3", &B3);
    if table.is_absent() {
        return None;
    }
    if account
        .value("broker")
        .and_then(|value| value.get_ref().as_str())
        == Some("binance")
    {
        let problem = Problem::new("is an exchange that broker \"binance\" doesn't trade at");
        let problem = problem.cured_by("take it out, or write broker = \"mt5\" or \"paper\"");
        notes.misplaced("accounts.b3", &table.at, problem);
    }
    currency(notes, account);
    let mut rules = Rules::default();
    let roll = roll_days(notes, &table);
    if let Some(roll) = roll {
        rules.roll_days_before = Root::ALL.into_iter().map(|root| (root, roll)).collect();
    }
    let auctions = table.read(notes, "auctions", |value| {
        let choices = [("refuse", Auctions::Refuse), ("allow", Auctions::Allow)];
        value::choice(value, &choices)
    });
    rules.auctions = auctions.map_or(Auctions::default(), |spot| spot.value);
    let out_of_session = table.read(notes, "out_of_session", |value| {
        let choices = [
            ("refuse", OutOfSession::Refuse),
            ("send", OutOfSession::Send),
        ];
        value::choice(value, &choices)
    });
    rules.out_of_session = out_of_session.map_or(OutOfSession::default(), |spot| spot.value);
    (rules.no_entries, rules.flatten) = cut_offs(notes, &table);
    rules.calendar = Calendar {
        closed: closed_days(notes, &table),
    };
    products(notes, &table, &mut rules);
    Some(Exchange::B3(Box::new(rules)))
}

/// Everything at B3 is paid in reais; another currency would make the rules of money say nonsense.
fn currency(notes: &mut Notes<'_>, account: &Table<'_, '_>) {
    let Some(value) = account.value("currency") else {
        return;
    };
    let written = value.get_ref().as_str();
    if written.is_some_and(|text| !text.trim().eq_ignore_ascii_case("BRL")) {
        let problem = Problem::new("B3 trades in BRL, and this account counts in another currency");
        let problem = problem.cured_by("write \"BRL\"");
        notes.warning("accounts.currency", &value.span(), problem);
    }
}

fn roll_days(notes: &mut Notes<'_>, table: &Table<'_, '_>) -> Option<u32> {
    let days = table.read(notes, "roll_days_before", |value| {
        let number = value::whole_number(value, ROLL_RANGE)?;
        u32::try_from(number).map_err(|error| Problem::new(error.to_string()))
    })?;
    // None before is what holds without the key.
    Some(days.value).filter(|days| *days > 0)
}

/// When entries end, and when positions are closed.
fn cut_offs(notes: &mut Notes<'_>, table: &Table<'_, '_>) -> (CutOff, CutOff) {
    let no_entries_at = table.read(notes, "no_entries_after", time);
    let flatten_at = table.read(notes, "flatten_at", time);
    let mut span = |key| {
        let read = |value: &Value<'_>| value::duration(value, CUT_OFF_RANGE);
        table.read(notes, key, read)
    };
    let no_entries_before = span("no_entries_before_close");
    let flatten_before = span("flatten_before_close");
    let useless = |notes: &mut Notes<'_>, key: &str, at: &std::ops::Range<usize>, other: &str| {
        let problem = Problem::new(format!("has no effect: entries end at {other} as well"));
        let problem =
            problem.cured_by(format!("write an earlier one than {other}, or take it out"));
        notes.warning(&table.section.path_of(key), at, problem);
    };
    if let (Some(entries), Some(flatten)) = (&no_entries_at, &flatten_at)
        && entries.value >= flatten.value
    {
        useless(notes, "no_entries_after", &entries.at, "flatten_at");
    }
    if let (Some(entries), Some(flatten)) = (&no_entries_before, &flatten_before)
        && entries.value <= flatten.value
    {
        let key = "no_entries_before_close";
        useless(notes, key, &entries.at, "flatten_before_close");
    }
    let cut_off = |at: Option<Spot<Time>>, before: Option<Spot<Duration>>| CutOff {
        at: at.map(|spot| spot.value),
        before_close: before.map(|spot| spot.value),
    };
    (
        cut_off(no_entries_at, no_entries_before),
        cut_off(flatten_at, flatten_before),
    )
}

fn closed_days(notes: &mut Notes<'_>, table: &Table<'_, '_>) -> BTreeSet<Date> {
    let days = table.list(notes, "closed_days", |value| {
        let text = value.as_str().and_then(parse_day);
        text.ok_or_else(|| {
            unexpected("a day", value).cured_by("write year, month and day: \"2027-01-25\"")
        })
    });
    let days = days.map_or_else(Vec::new, |list| list.value);
    days.into_iter().map(|spot| spot.value).collect()
}

fn products(notes: &mut Notes<'_>, table: &Table<'_, '_>, rules: &mut Rules) {
    let mut seen = BTreeSet::new();
    for table in table.children(notes, "products", &B3_PRODUCTS) {
        let product = table.required(notes, "product", |value| {
            value::choice(value, &Product::ALL)
        });
        let opens = table.read(notes, "opens", time);
        let closes = table.read(notes, "closes", time);
        if let (Some(opens), Some(closes)) = (&opens, &closes)
            && opens.value >= closes.value
        {
            let problem = Problem::new("is not after opens");
            notes.error("accounts.b3.products.closes", &closes.at, problem);
        }
        let roll = table.read(notes, "roll_days_before", |value| {
            let number = value::whole_number(value, ROLL_RANGE)?;
            u32::try_from(number).map_err(|error| Problem::new(error.to_string()))
        });
        let Some(product) = product else {
            continue;
        };
        if !seen.insert(product.value) {
            let problem = Problem::new("is described twice").cured_by("take one of the two out");
            notes.error("accounts.b3.products.product", &product.at, problem);
        }
        let own = OwnHours {
            opens: opens.map(|spot| spot.value),
            closes: closes.map(|spot| spot.value),
        };
        rules.hours.insert(product.value, own);
        match (product.value, roll) {
            (Product::Future(root), Some(roll)) => {
                rules.roll_days_before.insert(root, roll.value);
            }
            (Product::Stocks, Some(roll)) => {
                let problem = Problem::new("has no effect, shares have no contracts");
                let problem = problem.cured_by("take it out");
                notes.warning("accounts.b3.products.roll_days_before", &roll.at, problem);
            }
            (Product::Future(_) | Product::Stocks, None) => {}
        }
    }
}

fn time(value: &Value<'_>) -> Result<Time, Problem> {
    value.as_str().and_then(parse_time).ok_or_else(|| {
        unexpected("a time of the day", value)
            .cured_by("write hours and minutes of Brasília's time: \"17:30\"")
    })
}
