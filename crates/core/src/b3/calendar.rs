//! B3's trading days: holidays by rule, what no rule knows from data, in Brasília's time.
//!
//! What each rule rests on, and how sure it is:
//! * National holidays, fixed and by Easter, Carnival's Monday and Tuesday, 24 December and the last
//!   weekday of the year are without a session; Ash Wednesday begins at 13:00: B3's yearly calendar
//!   (reported for 2023 to 2026), certain. The years 2022 to 2027 equal those of the third-party
//!   calendar `exchange_calendars` 4.13.2, which the tests hold on to.
//! * 20 November is a holiday since 2024: Lei 14.759/2023, B3 Circular Letter 215/2023-PRE, certain.
//! * Holidays of the city and the state of São Paulo (25 January, 9 July) have had sessions since
//!   2022: B3 Circular Letter 150/2020-PRE, certain.
//! * Brazil has kept standard time all year since 2019: Decreto 9.772/2019, IANA time zone database
//!   2019b, certain until a new decree.

use std::collections::BTreeSet;

use jiff::Span;
use jiff::civil::{Date, DateTime, Time, Weekday, time};
use jiff::tz::Offset;

use crate::time::Timestamp;

/// How far Brasília's clock is ahead of UTC, in seconds; no clock there has moved since 2019.
pub const UTC_OFFSET_SECONDS: i32 = -3 * 60 * 60;
const OFFSET: Offset = Offset::constant(-3);
/// When trading begins on Ash Wednesday.
pub const ASH_WEDNESDAY_OPENS: Time = time(13, 0, 0, 0);
/// Why there is no session on Saturdays and Sundays.
pub const WEEKEND: &str = "the weekend";
/// The longest that B3 was ever without a session is far below this.
const CLOSED_IN_A_ROW_MAX: usize = 40;

/// A year about which B3's own calendar has been read.
struct Year {
    year: i16,
    source: &'static str,
    /// Days without a session that no rule knows: month, day, why.
    closed: &'static [(i8, i8, &'static str)],
}

const YEARS: &[Year] = &[
    Year {
        year: 2022,
        source: "B3 Circular Letter 150/2020-PRE",
        closed: &[],
    },
    Year {
        year: 2023,
        source: "B3's calendar of 2023, as the press reported it in December 2022",
        closed: &[],
    },
    Year {
        year: 2024,
        source: "B3 Circular Letter 215/2023-PRE of 22 December 2023",
        closed: &[],
    },
    Year {
        year: 2025,
        source: "exchange_calendars 4.13.2, a third party's copy of B3's calendar",
        closed: &[],
    },
    Year {
        year: 2026,
        source: "B3's calendar of 2026, as the press reported it on 30 December 2025",
        closed: &[],
    },
];

/// The trading days, with the closed days that the configuration adds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Calendar {
    /// Days without a session beyond those that are known here.
    pub closed: BTreeSet<Date>,
}

impl Calendar {
    /// Why there is no session on a day; `None` where there is one.
    #[must_use]
    pub fn closed(&self, day: Date) -> Option<&'static str> {
        if matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) {
            return Some(WEEKEND);
        }
        if self.closed.contains(&day) {
            return Some("closed by the configuration");
        }
        holiday(day)
    }

    /// Whether there is a session on a day, be it a short one.
    #[must_use]
    pub fn is_session(&self, day: Date) -> bool {
        self.closed(day).is_none()
    }

    /// The first day with a session at or after a day.
    #[must_use]
    pub fn session_from(&self, day: Date) -> Date {
        self.first_session(day, 1)
    }

    /// The first day with a session after a day.
    #[must_use]
    pub fn session_after(&self, day: Date) -> Date {
        self.session_from(plus(day, 1))
    }

    /// The last day with a session at or before a day.
    #[must_use]
    pub fn session_until(&self, day: Date) -> Date {
        self.first_session(day, -1)
    }

    /// The last day with a session before a day.
    #[must_use]
    pub fn session_before(&self, day: Date) -> Date {
        self.session_until(plus(day, -1))
    }

    /// The session that lies `sessions` sessions before a day.
    #[must_use]
    pub fn sessions_before(&self, day: Date, sessions: u32) -> Date {
        (0..sessions).fold(day, |day, _| self.session_before(day))
    }

    fn first_session(&self, from: Date, step: i32) -> Date {
        std::iter::successors(Some(from), |day| Some(plus(*day, step)))
            .take(CLOSED_IN_A_ROW_MAX)
            .find(|day| self.is_session(*day))
            .unwrap_or(from)
    }
}

/// The days of a year, Monday to Friday, on which B3 has no session, with their names.
#[must_use]
pub fn holidays(year: i16) -> Vec<(Date, &'static str)> {
    let first = Date::new(year, 1, 1).unwrap_or(Date::ZERO);
    std::iter::successors(Some(first), |day| Some(plus(*day, 1)))
        .take_while(|day| day.year() == year)
        .take(366)
        .filter(|day| !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday))
        .filter_map(|day| holiday(day).map(|name| (day, name)))
        .collect()
}

/// The word about a year of which only the rules are known: whoever trades then should look at
/// B3's calendar. `None` for the years whose calendar has been read.
#[must_use]
pub fn warning(year: i16) -> Option<String> {
    if source(year).is_some() {
        return None;
    }
    Some(format!(
        "year {year} is computed only: compare it with B3's calendar, and add what differs to closed_days"
    ))
}

/// Where a year's calendar was read.
#[must_use]
pub fn source(year: i16) -> Option<&'static str> {
    YEARS
        .iter()
        .find(|known| known.year == year)
        .map(|known| known.source)
}

/// Whether trading begins late on a day: on Ash Wednesday.
#[must_use]
pub fn opens_late(day: Date) -> bool {
    since_easter(day) == -46
}

/// The moment in Brasília's time.
#[must_use]
pub fn local(at: Timestamp) -> DateTime {
    let at = jiff::Timestamp::from_microsecond(at.0);
    OFFSET.to_datetime(at.unwrap_or(jiff::Timestamp::MAX))
}

/// The moment at which Brasília's clocks show this.
#[must_use]
pub fn moment(local: DateTime) -> Timestamp {
    OFFSET
        .to_timestamp(local)
        .map_or(Timestamp(i64::MAX), |at| Timestamp(at.as_microsecond()))
}

/// A day as sentences name it: `Wed 16 Dec 2026`.
#[must_use]
pub fn named(day: Date) -> String {
    day.strftime("%a %-d %b %Y").to_string()
}

/// Reads a day as the configuration and the command line write it (`2026-12-16`).
#[must_use]
pub fn parse_day(text: &str) -> Option<Date> {
    let is_date = text.len() == 10 && text.bytes().filter(|byte| *byte == b'-').count() == 2;
    is_date.then(|| text.parse().ok()).flatten()
}

/// Reads a time of the day as the configuration writes it (`17:30`).
#[must_use]
pub fn parse_time(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    if hour.len() != 2 || minute.len() != 2 {
        return None;
    }
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

pub(super) fn plus(day: Date, days: i32) -> Date {
    day.saturating_add(Span::new().days(days))
}

fn holiday(day: Date) -> Option<&'static str> {
    let by_easter = match since_easter(day) {
        -48 | -47 => Some("Carnival"),
        -2 => Some("Good Friday"),
        60 => Some("Corpus Christi"),
        _ => None,
    };
    let by_date = || {
        Some(match (day.month(), day.day()) {
            (1, 1) => "New Year's Day",
            (4, 21) => "Tiradentes",
            (5, 1) => "Labour Day",
            (9, 7) => "Independence Day",
            (10, 12) => "Our Lady of Aparecida",
            (11, 2) => "All Souls' Day",
            (11, 15) => "Republic Day",
            (11, 20) if day.year() >= 2024 => "Black Awareness Day",
            (12, 24) => "Christmas Eve",
            (12, 25) => "Christmas",
            (12, 29..=31) if is_last_weekday_of_year(day) => "the last day of the year",
            _ => return None,
        })
    };
    let by_data = || {
        let year = YEARS.iter().find(|known| known.year == day.year())?;
        let closed = year.closed.iter();
        closed
            .filter(|(month, number, _)| (*month, *number) == (day.month(), day.day()))
            .map(|(_, _, why)| *why)
            .next()
    };
    by_easter.or_else(by_date).or_else(by_data)
}

/// Banks are open on it and B3 is not: 31 December, or the Friday before where that is a weekend.
fn is_last_weekday_of_year(day: Date) -> bool {
    match day.day() {
        31 => true,
        29 | 30 => day.weekday() == Weekday::Friday && day.day() >= 29 && weekend_ends_year(day),
        _ => false,
    }
}

fn weekend_ends_year(friday: Date) -> bool {
    plus(friday, 3).year() != friday.year()
}

/// How many days after its year's Easter Sunday a day is.
fn since_easter(day: Date) -> i32 {
    let easter = easter(day.year());
    i32::from(day.day_of_year()) - i32::from(easter.day_of_year())
}

/// Easter Sunday in the Gregorian calendar (the method of Meeus, Jones and Butcher).
fn easter(year: i16) -> Date {
    let y = i32::from(year);
    let a = y.rem_euclid(19);
    let (b, c) = (y.div_euclid(100), y.rem_euclid(100));
    let (d, e) = (b / 4, b % 4);
    let g = (8 * b + 13) / 25;
    let h = (19 * a + b - d - g + 15) % 30;
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k) % 7;
    let m = (a + 11 * h + 19 * l) / 433;
    let month = (h + l - 7 * m + 90) / 25;
    let day = (h + l - 7 * m + 33 * month + 19) % 32;
    let part = |number: i32| i8::try_from(number).unwrap_or(1);
    Date::new(year, part(month), part(day)).unwrap_or(Date::ZERO)
}
