//! `ponte b3`: which contract a symbol means, and when the Brazilian exchange trades.

use std::fmt::Write as _;

use clap::{Args, Subcommand};
use ponte_core::b3::calendar::{self, parse_day};
use ponte_core::b3::contracts::{Name, parse};
use ponte_core::b3::sessions::clock;
use ponte_core::b3::{Contract, Date, Root, Rules, nominal};
use ponte_core::id::{AccountName, Symbol};
use ponte_core::policy::Exchange;
use serde::Serialize;

use super::context::Context;
use super::failure::Failure;
use super::screen::{self, BOLD, DIM, SO_SO, styled};
use super::table::{Cell, left, right, table};

/// The years that contracts and calendars can be asked for.
const YEARS: std::ops::RangeInclusive<i16> = 2022..=2098;

/// Say which contract a symbol means at B3, and on which days it trades
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    ponte b3 contract\n  \
    ponte b3 contract WIN1! --date 2026-12-16\n  \
    ponte b3 calendar --year 2027")]
pub(super) struct B3 {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    Contract(ContractOf),
    Calendar(CalendarOf),
}

/// Say which contract a symbol means on a day, and when it trades for the last time
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    ponte b3 contract                           all futures that are known, today\n  \
    ponte b3 contract WIN1! --date 2026-12-16\n  \
    ponte b3 contract WDO2! --account b3        by this account's roll and hours\n\n\
    A strategy that is in a contract goes on meaning that one, whatever is printed here.")]
struct ContractOf {
    /// A symbol as alerts name it: WIN1!, WDO2!, WINZ2026, PETR4
    symbol: Option<String>,
    /// The day in Brasília [default: today]
    #[arg(long, value_name = "YYYY-MM-DD")]
    date: Option<String>,
    /// The account whose [accounts.b3] holds
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
}

/// List the days on which B3 has no session, or a short one
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    ponte b3 calendar\n  \
    ponte b3 calendar --year 2027 --account b3\n\n\
    Holidays are computed; a year whose calendar at B3 nobody has read is said to be.")]
struct CalendarOf {
    /// The year [default: this one]
    #[arg(long)]
    year: Option<i16>,
    /// The account whose closed_days count as well
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
}

/// What a symbol is on a day.
#[derive(Serialize)]
struct Meaning {
    symbol: String,
    contract: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hands_over_on: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_session: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    opens: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    closes: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tick: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    point_value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<String>,
}

/// A day that is not like others.
#[derive(Serialize)]
struct Day {
    date: String,
    weekday: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    opens: Option<String>,
    why: &'static str,
}

#[derive(Serialize)]
struct Year {
    year: i16,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<String>,
    days: Vec<Day>,
}

impl B3 {
    pub(super) fn run(&self, context: &Context) -> Result<(), Failure> {
        match &self.what {
            What::Contract(contract) => contract.run(context),
            What::Calendar(calendar) => calendar.run(context),
        }
    }
}

impl ContractOf {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let rules = rules(context, self.account.as_deref())?;
        let day = match &self.date {
            Some(text) => day(text)?,
            None => calendar::local(context.now).date(),
        };
        let symbols = match &self.symbol {
            Some(symbol) => vec![symbol.clone()],
            None => Root::ALL.iter().map(|root| format!("{root}1!")).collect(),
        };
        let mut meanings = Vec::new();
        for text in symbols {
            let symbol = Symbol::new(&text)
                .map_err(|error| Failure::usage(format!("the symbol {text:?} {error}")))?;
            meanings.push(meaning(&rules, &symbol, day));
        }
        let refused = meanings.iter().all(|meaning| meaning.refused.is_some());
        if context.json {
            screen::print_json(&meanings)?;
        } else {
            screen::print(&shown(&meanings, day))?;
        }
        if refused {
            return Err(Failure::silent(1));
        }
        Ok(())
    }
}

fn meaning(rules: &Rules, symbol: &Symbol, day: Date) -> Meaning {
    let meant = rules.meant(symbol, day, &[], true);
    let contract = match parse(&meant.symbol) {
        Name::Contract(contract) => Some(contract),
        Name::Continuous(_)
        | Name::NoContract(_)
        | Name::Renamed(_)
        | Name::Stock { .. }
        | Name::Other => None,
    };
    let hands_over = |contract: Contract| {
        let days = rules.roll_days(contract.root());
        contract.roll_day(&rules.calendar, days).to_string()
    };
    let hours = rules.hours(&meant.symbol, day);
    let known = nominal(&meant.symbol);
    Meaning {
        symbol: symbol.to_string(),
        contract: meant.symbol.to_string(),
        next: contract.map(|contract| contract.next().name()),
        hands_over_on: contract.map(hands_over),
        last_session: contract.map(|contract| contract.last_session(&rules.calendar).to_string()),
        opens: hours.map(|hours| clock(hours.opens)),
        closes: hours.map(|hours| clock(hours.closes)),
        tick: known.map(|known| known.tick.to_string()),
        point_value: known.map(|known| known.point_value.to_string()),
        refused: meant.no_opening,
    }
}

fn shown(meanings: &[Meaning], day: Date) -> String {
    let columns = [
        left("symbol"),
        left("is"),
        left("last session"),
        left("from then on"),
        left(""),
        left("trades"),
        right("tick"),
        right("R$ a point"),
    ];
    let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let rows: Vec<_> = meanings
        .iter()
        .map(|meaning| {
            let hours = match (&meaning.opens, &meaning.closes) {
                (Some(opens), Some(closes)) => format!("{opens} to {closes}"),
                (Some(_) | None, _) => "no session".to_owned(),
            };
            vec![
                Cell::plain(&meaning.symbol),
                Cell::new(BOLD, &meaning.contract),
                Cell::plain(or_dash(&meaning.last_session)),
                Cell::plain(or_dash(&meaning.hands_over_on)),
                Cell::dim(or_dash(&meaning.next)),
                Cell::plain(hours),
                Cell::plain(or_dash(&meaning.tick)),
                Cell::plain(or_dash(&meaning.point_value)),
            ]
        })
        .collect();
    let mut text = format!("{}\n", styled(DIM, &calendar::named(day)));
    text += &table(&columns, &rows);
    for refused in meanings
        .iter()
        .filter_map(|meaning| meaning.refused.as_ref())
    {
        let _ = writeln!(text, "{}", styled(SO_SO, &screen::printable(refused)));
    }
    if let Some(warning) = calendar::warning(day.year()) {
        let _ = writeln!(text, "{}", styled(SO_SO, &warning));
    }
    text
}

impl CalendarOf {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let rules = rules(context, self.account.as_deref())?;
        let year = self
            .year
            .unwrap_or_else(|| calendar::local(context.now).year());
        in_range(year)?;
        let year = Year {
            year,
            source: calendar::source(year),
            warning: calendar::warning(year),
            days: days(&rules, year),
        };
        if context.json {
            return screen::print_json(&year);
        }
        let columns = [left("day"), left(""), left("session"), left("why")];
        let rows: Vec<_> = year
            .days
            .iter()
            .map(|day| {
                let session = day.opens.as_ref().map(|opens| format!("from {opens}"));
                vec![
                    Cell::plain(&day.date),
                    Cell::dim(&day.weekday),
                    Cell::plain(session.unwrap_or_else(|| "none".to_owned())),
                    Cell::plain(day.why),
                ]
            })
            .collect();
        let mut text = table(&columns, &rows);
        if let Some(source) = year.source {
            let _ = writeln!(text, "{}", styled(DIM, &format!("compared with: {source}")));
        }
        if let Some(warning) = &year.warning {
            let _ = writeln!(text, "{}", styled(SO_SO, warning));
        }
        screen::print(&text)
    }
}

/// The weekdays of a year without a session, or with a short one.
fn days(rules: &Rules, year: i16) -> Vec<Day> {
    let first = Date::new(year, 1, 1).ok();
    let all = std::iter::successors(first, |day| day.tomorrow().ok());
    all.take_while(|day| day.year() == year)
        .filter_map(|day| {
            let closed = rules
                .calendar
                .closed(day)
                .filter(|why| *why != calendar::WEEKEND);
            let late = calendar::opens_late(day).then_some("Ash Wednesday");
            let why = closed.or(late)?;
            let opens = closed
                .is_none()
                .then(|| clock(calendar::ASH_WEDNESDAY_OPENS));
            Some(Day {
                date: day.to_string(),
                weekday: day.strftime("%a").to_string(),
                opens,
                why,
            })
        })
        .collect()
}

/// The rules of an account at B3, or those that hold where nothing is configured.
fn rules(context: &Context, account: Option<&str>) -> Result<Rules, Failure> {
    let Some(account) = account else {
        return Ok(Rules::default());
    };
    let name = AccountName::new(account)
        .map_err(|error| Failure::usage(format!("the name {account:?} {error}")))?;
    let accounts = &context.config()?.accounts;
    let known = accounts.iter().find(|known| known.name == name);
    let known = known.ok_or_else(|| {
        Failure::usage(format!("there is no account {name} in the configuration"))
    })?;
    match &known.exchange {
        Some(Exchange::B3(rules)) => Ok((**rules).clone()),
        None => Err(Failure::refused(format!("account {name} is not at B3"))
            .cured_by("add a section [accounts.b3] to it")),
    }
}

fn day(text: &str) -> Result<Date, Failure> {
    let day = parse_day(text).ok_or_else(|| {
        Failure::usage(format!("{text:?} is no day")).cured_by("write it like 2026-12-16")
    })?;
    in_range(day.year())?;
    Ok(day)
}

fn in_range(year: i16) -> Result<(), Failure> {
    if YEARS.contains(&year) {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "year {year} is not from {} to {}",
        YEARS.start(),
        YEARS.end()
    )))
}
