//! When B3 trades what: the hours of each product by the day, with their source and their first day.
//!
//! B3 changes hours by circular, and the cash market's twice a year with New York's clocks. What
//! stands here is what B3's pages "Trading hours" (derivatives: indices; equities) and the press
//! said until November 2026; an account's configuration can put its own hours in their place.

use jiff::civil::{Date, DateTime, Time, Weekday, date, time};

use super::calendar::{self, ASH_WEDNESDAY_OPENS, Calendar, plus};
use super::contracts::{Contract, Name, Nominal, Root};
use crate::id::Symbol;

/// What has hours of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Product {
    /// The contracts of a future.
    Future(Root),
    /// The cash market: round lots and the fractional market.
    Stocks,
}

impl Product {
    /// All of them, with the names that the configuration has for them.
    pub const ALL: [(&'static str, Self); 6] = [
        ("WIN", Self::Future(Root::Win)),
        ("WDO", Self::Future(Root::Wdo)),
        ("IND", Self::Future(Root::Ind)),
        ("DOL", Self::Future(Root::Dol)),
        ("BIT", Self::Future(Root::Bit)),
        ("stocks", Self::Stocks),
    ];

    /// The product of a symbol at B3; `None` where its hours are not known here.
    #[must_use]
    pub fn of(symbol: &Symbol) -> Option<Self> {
        match super::contracts::parse(symbol) {
            Name::Contract(contract) => Some(Self::Future(contract.root())),
            Name::NoContract(root) => Some(Self::Future(root)),
            Name::Continuous(continuous) => Root::of(&continuous.letters).map(Self::Future),
            Name::Stock { .. } => Some(Self::Stocks),
            Name::Renamed(_) | Name::Other => None,
        }
    }
}

/// What B3's specifications say of a symbol, to hold a terminal's list against; `None` for what is
/// not known here. Shares of the fractional market come one by one.
#[must_use]
pub fn nominal(symbol: &Symbol) -> Option<Nominal> {
    match super::contracts::parse(symbol) {
        Name::Contract(contract) => Some(contract.root().nominal()),
        Name::Continuous(continuous) => Root::of(&continuous.letters).map(Root::nominal),
        Name::Stock { fractional } => Some(Nominal {
            tick: rust_decimal::Decimal::from_parts(1, 0, 0, false, 2),
            point_value: rust_decimal::Decimal::ONE,
            lot: if fractional {
                Some(rust_decimal::Decimal::ONE)
            } else {
                // Common and preferred shares; units, funds and receipts have lots of their own.
                let is_share = symbol.as_str().len() == 5
                    && symbol.as_str().ends_with(['3', '4', '5', '6', '7', '8']);
                is_share.then_some(rust_decimal::Decimal::ONE_HUNDRED)
            },
        }),
        Name::NoContract(_) | Name::Renamed(_) | Name::Other => None,
    }
}

/// The hours of one product on one day, in Brasília's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hours {
    /// When orders are gathered for the opening.
    pub gathers: Time,
    /// When continuous trading begins.
    pub opens: Time,
    /// When continuous trading ends.
    pub closes: Time,
    /// When the closing auction has ended; the same where there is none.
    pub ends: Time,
}

/// Hours that the configuration puts in the place of B3's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OwnHours {
    /// When continuous trading begins.
    pub opens: Option<Time>,
    /// When continuous trading ends.
    pub closes: Option<Time>,
}

/// Hours from a day on.
struct Grid {
    from: Date,
    hours: Hours,
}

const fn hours(gathers: (i8, i8), opens: (i8, i8), closes: (i8, i8), ends: (i8, i8)) -> Hours {
    Hours {
        gathers: time(gathers.0, gathers.1, 0, 0),
        opens: time(opens.0, opens.1, 0, 0),
        closes: time(closes.0, closes.1, 0, 0),
        ends: time(ends.0, ends.1, 0, 0),
    }
}

/// IND and WIN: 18:25 all year since November 2023, then an electronic call whose end B3 does not
/// publish, taken for five minutes. B3, "Trading hours, derivatives, indices"; Seu Dinheiro,
/// 11 March 2024. Before that the hours went with New York's clocks. Certain but for the call's end.
const INDEX: &[Grid] = &[Grid {
    from: date(2023, 11, 6),
    hours: hours((8, 55), (9, 0), (18, 25), (18, 30)),
}];
/// DOL and WDO: 18:30 all year since November 2023. Seu Dinheiro, 11 March 2024; Exame, 9 March 2026.
/// Exame of 18 February 2025 said 18:00 for the months of New York's summer: likely, not certain.
const DOLLAR: &[Grid] = &[Grid {
    from: date(2023, 11, 6),
    hours: hours((8, 55), (9, 0), (18, 30), (18, 30)),
}];
/// BIT. Investidor10, 17 April 2024; InfoMoney, on the two steps of 2026. Certain.
const BITCOIN: &[Grid] = &[
    Grid {
        from: date(2024, 4, 17),
        hours: hours((8, 55), (9, 0), (18, 30), (18, 30)),
    },
    Grid {
        from: date(2026, 3, 9),
        hours: hours((7, 55), (8, 0), (18, 30), (18, 30)),
    },
    Grid {
        from: date(2026, 4, 20),
        hours: hours((7, 55), (8, 0), (20, 0), (20, 0)),
    },
];
/// The cash market while New York is on standard time, and while it is on daylight time. B3,
/// "Trading hours, equities"; every change since 2020 was so. Certain. The after-market of summer is
/// not counted as a session.
const CASH: Hours = hours((9, 45), (10, 0), (17, 55), (18, 0));
const CASH_IN_SUMMER: Hours = hours((9, 45), (10, 0), (16, 55), (17, 0));

/// The hours of a product on a day, by B3, whether or not there is a session.
#[must_use]
pub fn published(product: Product, day: Date) -> Hours {
    let grid = match product {
        Product::Future(Root::Ind | Root::Win) => INDEX,
        Product::Future(Root::Dol | Root::Wdo) => DOLLAR,
        Product::Future(Root::Bit) => BITCOIN,
        Product::Stocks if new_york_is_ahead(day) => return CASH_IN_SUMMER,
        Product::Stocks => return CASH,
    };
    let known = grid.iter().rev().find(|grid| grid.from <= day);
    known.or(grid.first()).map_or(CASH, |grid| grid.hours)
}

/// Where New York keeps daylight time: from the second Sunday of March to the first of November.
fn new_york_is_ahead(day: Date) -> bool {
    let sunday = |month, nth| {
        let first = Date::new(day.year(), month, 1).unwrap_or(Date::ZERO);
        let until = i32::from(Weekday::Sunday.since(first.weekday()));
        plus(first, until + 7 * (nth - 1))
    };
    (sunday(3, 2)..sunday(11, 1)).contains(&day)
}

/// The hours of a product on a day with a session: B3's or the account's own, late on Ash Wednesday.
#[must_use]
pub fn on(product: Product, day: Date, own: OwnHours) -> Hours {
    let published = published(product, day);
    let mut hours = published;
    if let Some(closes) = own.closes {
        hours.closes = closes;
        hours.ends = later(closes, published.closes, published.ends);
    }
    if let Some(opens) = own.opens {
        hours.opens = opens;
        hours.gathers = earlier(opens, published.gathers, published.opens);
    }
    if calendar::opens_late(day) && hours.opens < ASH_WEDNESDAY_OPENS {
        hours.gathers = earlier(ASH_WEDNESDAY_OPENS, hours.gathers, hours.opens);
        hours.opens = ASH_WEDNESDAY_OPENS;
    }
    hours
}

/// The hours of a contract on a day: the index's last session ends with the cash market's.
///
/// ADVFN Brasil, 15 October 2025, on WINV25; likely, not certain.
#[must_use]
pub fn of_contract(contract: Contract, day: Date, own: OwnHours, calendar: &Calendar) -> Hours {
    let mut hours = on(Product::Future(contract.root()), day, own);
    match contract.root() {
        Root::Ind | Root::Win if contract.last_session(calendar) == day => {
            let cash = published(Product::Stocks, day);
            hours.closes = hours.closes.min(cash.ends);
            hours.ends = hours.ends.min(cash.ends);
        }
        Root::Ind | Root::Win | Root::Dol | Root::Wdo | Root::Bit => {}
    }
    hours
}

/// As long after `moment` as `end` is after `start`.
fn later(moment: Time, start: Time, end: Time) -> Time {
    moment.saturating_add(end.duration_since(start))
}

/// As long before `moment` as `start` is before `end`.
fn earlier(moment: Time, start: Time, end: Time) -> Time {
    moment.saturating_sub(end.duration_since(start))
}

/// Where a product is in its day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Nothing trades.
    Closed,
    /// Orders are gathered for the opening.
    OpeningAuction,
    /// Orders meet as they come.
    Continuous,
    /// Orders are gathered for the last price of the day.
    ClosingAuction,
}

impl Hours {
    /// Where the day is at a time.
    #[must_use]
    pub fn phase(self, at: Time) -> Phase {
        if at < self.gathers || at >= self.ends {
            Phase::Closed
        } else if at < self.opens {
            Phase::OpeningAuction
        } else if at < self.closes {
            Phase::Continuous
        } else {
            Phase::ClosingAuction
        }
    }
}

/// A moment as sentences name it: `Mon 23 Nov 2026 at 09:00`.
#[must_use]
pub fn named(at: DateTime) -> String {
    format!("{} at {}", calendar::named(at.date()), clock(at.time()))
}

/// A time as sentences name it: `09:00`.
#[must_use]
pub fn clock(at: Time) -> String {
    at.strftime("%H:%M").to_string()
}
