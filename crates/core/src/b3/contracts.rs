//! B3's futures: which contracts there are, when each trades for the last time, and which is meant.
//!
//! Sources: B3, contract specifications of the Ibovespa futures (the Wednesday nearest to the 15th
//! of the even months; the next session where there is none on it), of the U.S. dollar futures (the
//! first session of every month; the last trading day is the session before) and of the Bitcoin
//! future (the last Friday of every month; the session before where there is none on it). The rule
//! for Bitcoin knows also holidays of London and the United States; a last Friday that is one in
//! both and not at B3 does not occur.

use std::fmt;

use jiff::civil::{Date, Weekday};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::calendar::{Calendar, plus};
use crate::id::Symbol;

/// The months' letters, January first.
const MONTHS: [char; 12] = ['F', 'G', 'H', 'J', 'K', 'M', 'N', 'Q', 'U', 'V', 'X', 'Z'];
/// No contract is looked for further ahead, in months.
const AHEAD_MAX: i16 = 36;

/// The futures whose contracts are known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Root {
    /// The future on the Ibovespa.
    Ind,
    /// Its mini contract.
    Win,
    /// The future on the U.S. dollar.
    Dol,
    /// Its mini contract.
    Wdo,
    /// The future on Bitcoin.
    Bit,
}

impl Root {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Win, Self::Wdo, Self::Ind, Self::Dol, Self::Bit];

    /// The three letters in front of every contract.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ind => "IND",
            Self::Win => "WIN",
            Self::Dol => "DOL",
            Self::Wdo => "WDO",
            Self::Bit => "BIT",
        }
    }

    /// The future of these three letters.
    #[must_use]
    pub fn of(letters: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|root| root.as_str().eq_ignore_ascii_case(letters))
    }

    /// Whether there is a contract of this month (1 to 12).
    #[must_use]
    pub const fn has_month(self, month: i8) -> bool {
        match self {
            Self::Ind | Self::Win => month % 2 == 0,
            Self::Dol | Self::Wdo | Self::Bit => true,
        }
    }

    /// What B3's specification says of its prices.
    #[must_use]
    pub const fn nominal(self) -> Nominal {
        let (tick, point_value) = match self {
            Self::Ind => (Decimal::from_parts(5, 0, 0, false, 0), Decimal::ONE),
            Self::Win => (
                Decimal::from_parts(5, 0, 0, false, 0),
                Decimal::from_parts(20, 0, 0, false, 2),
            ),
            Self::Dol => (
                Decimal::from_parts(5, 0, 0, false, 1),
                Decimal::from_parts(50, 0, 0, false, 0),
            ),
            Self::Wdo => (Decimal::from_parts(5, 0, 0, false, 1), Decimal::TEN),
            Self::Bit => (
                Decimal::from_parts(20, 0, 0, false, 0),
                Decimal::from_parts(1, 0, 0, false, 2),
            ),
        };
        Nominal {
            tick,
            point_value,
            lot: Some(Decimal::ONE),
        }
    }
}

impl fmt::Display for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What B3's specifications say of an instrument, to hold a terminal's list against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nominal {
    /// The smallest difference of two prices.
    pub tick: Decimal,
    /// What a move of 1 in the price of one contract or share is worth, in BRL.
    pub point_value: Decimal,
    /// The smallest quantity, and the step of quantities; absent where it differs from name to name.
    pub lot: Option<Decimal>,
}

/// One contract of a future.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contract {
    root: Root,
    year: i16,
    month: i8,
}

impl Contract {
    /// The contract of a month; `None` where the future has none then.
    #[must_use]
    pub fn new(root: Root, year: i16, month: i8) -> Option<Self> {
        let is_real = (1..=12).contains(&month) && (2000..2100).contains(&year);
        (is_real && root.has_month(month)).then_some(Self { root, year, month })
    }

    /// The future.
    #[must_use]
    pub const fn root(self) -> Root {
        self.root
    }

    /// The contract's symbol at B3 (`WINZ26`).
    #[must_use]
    pub fn name(self) -> String {
        let letter = usize::try_from(self.month - 1).ok();
        let letter = letter.and_then(|index| MONTHS.get(index)).unwrap_or(&'?');
        format!("{}{letter}{:02}", self.root, self.year % 100)
    }

    /// The same as a symbol.
    #[must_use]
    pub fn symbol(self) -> Option<Symbol> {
        Symbol::new(&self.name()).ok()
    }

    /// The day on which the contract is settled.
    #[must_use]
    pub fn expiry(self, calendar: &Calendar) -> Date {
        let first = Date::new(self.year, self.month, 1).unwrap_or(Date::ZERO);
        match self.root {
            Root::Ind | Root::Win => {
                let middle = plus(first, 14);
                let after = i32::from(middle.weekday().since(Weekday::Wednesday));
                let nearest = if after <= 3 { -after } else { 7 - after };
                calendar.session_from(plus(middle, nearest))
            }
            Root::Dol | Root::Wdo => calendar.session_from(first),
            Root::Bit => {
                let last = first.last_of_month();
                let after = i32::from(last.weekday().since(Weekday::Friday));
                calendar.session_until(plus(last, -after))
            }
        }
    }

    /// The last day on which the contract trades.
    #[must_use]
    pub fn last_session(self, calendar: &Calendar) -> Date {
        let expiry = self.expiry(calendar);
        match self.root {
            Root::Ind | Root::Win | Root::Bit => expiry,
            Root::Dol | Root::Wdo => calendar.session_before(expiry),
        }
    }

    /// The day from whose start on the next contract is meant: so many sessions before the last one.
    #[must_use]
    pub fn roll_day(self, calendar: &Calendar, roll_days_before: u32) -> Date {
        calendar.sessions_before(self.last_session(calendar), roll_days_before)
    }

    /// The contract after it.
    #[must_use]
    pub fn next(self) -> Self {
        (1..=AHEAD_MAX)
            .find_map(|ahead| self.ahead(ahead))
            .unwrap_or(self)
    }

    fn ahead(self, months: i16) -> Option<Self> {
        let index = self.year * 12 + i16::from(self.month) - 1 + months;
        let month = i8::try_from(index.rem_euclid(12) + 1).ok()?;
        Self::new(self.root, index.div_euclid(12), month)
    }
}

impl fmt::Display for Contract {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.name())
    }
}

/// The contract that is meant on a day: the first whose roll day is still to come.
#[must_use]
pub fn front(calendar: &Calendar, root: Root, day: Date, roll_days_before: u32) -> Contract {
    let start = Contract {
        root,
        year: day.year(),
        month: day.month(),
    };
    let ahead = (0..=AHEAD_MAX).filter_map(|months| start.ahead(months));
    ahead
        .into_iter()
        .find(|contract| day < contract.roll_day(calendar, roll_days_before))
        .unwrap_or(start)
}

/// What a symbol of an alert is by its form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name {
    /// A chart of contracts one behind the other.
    Continuous(Continuous),
    /// A contract of a future that is known here.
    Contract(Contract),
    /// A month in which the future of this name has no contract (`WINX26`).
    NoContract(Root),
    /// Another contract with four digits of a year, and its name at B3.
    Renamed(Symbol),
    /// A share, a unit, a fund or a receipt.
    Stock {
        /// Whether it is the fractional market's.
        fractional: bool,
    },
    /// Anything else.
    Other,
}

/// A chart of contracts one behind the other: `TradingView`'s `WIN1!`, `MetaTrader`'s `WIN$N`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Continuous {
    /// The three letters in front of its contracts.
    pub letters: String,
    /// 1 is the front contract, 2 the one after it.
    pub nth: u32,
    /// Whether it is `MetaTrader`'s, which is for charts only.
    pub is_series: bool,
}

impl Continuous {
    /// Reads `WIN1!`, `WDO2!`, `WIN$`, `WIN@N`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (letters, rest) = text.split_at_checked(3)?;
        if !is_letters(letters) {
            return None;
        }
        let is_series = ["$", "@"].iter().any(|mark| {
            rest.strip_prefix(mark)
                .is_some_and(|kind| matches!(kind, "" | "N" | "D"))
        });
        let nth = if is_series {
            1
        } else {
            rest.strip_suffix('!')?.parse().ok()?
        };
        Some(Self {
            letters: letters.to_owned(),
            nth,
            is_series,
        })
    }

    /// Whether a symbol is one of its contracts, by its form.
    #[must_use]
    pub fn has(&self, symbol: &Symbol) -> bool {
        symbol
            .as_str()
            .strip_prefix(self.letters.as_str())
            .is_some_and(|rest| {
                let mut rest = rest.chars();
                rest.next().is_some_and(|month| MONTHS.contains(&month))
                    && matches!(rest.as_str().len(), 2 | 4)
                    && rest.as_str().bytes().all(|byte| byte.is_ascii_digit())
            })
    }
}

/// Whether a name that people write for a symbol stands for it: its own name, `WIN1!` for each
/// contract of the future, or the contract with four digits of the year.
#[must_use]
pub fn stands_for(name: &Symbol, symbol: &Symbol) -> bool {
    name == symbol
        || match parse(name) {
            Name::Continuous(continuous) => continuous.has(symbol),
            Name::Contract(contract) => contract.name() == symbol.as_str(),
            Name::Renamed(renamed) => renamed == *symbol,
            Name::NoContract(_) | Name::Stock { .. } | Name::Other => false,
        }
}

/// What a symbol is, by its form.
#[must_use]
pub fn parse(symbol: &Symbol) -> Name {
    let text = symbol.as_str();
    if let Some(continuous) = Continuous::parse(text) {
        return Name::Continuous(continuous);
    }
    if let Some((letters, month, year)) = dated(text) {
        let short = year < 100;
        let full = if short { year + 2000 } else { year };
        match Root::of(letters) {
            Some(root) => {
                return Contract::new(root, full, month)
                    .map_or(Name::NoContract(root), Name::Contract);
            }
            None if !short => {
                let letter = &text[3..4];
                let renamed = Symbol::new(&format!("{letters}{letter}{:02}", full % 100));
                return renamed.map_or(Name::Other, Name::Renamed);
            }
            // ABCH11 is a unit far more often than a contract of 2011.
            None => {}
        }
    }
    let (body, fractional) = match text.strip_suffix('F') {
        Some(body) => (body, true),
        None => (text, false),
    };
    if is_stock(body) {
        return Name::Stock { fractional };
    }
    Name::Other
}

/// Three letters, a month's letter and the year in two digits or as 20…
fn dated(text: &str) -> Option<(&str, i8, i16)> {
    let (letters, rest) = text.split_at_checked(3)?;
    let mut rest_of = rest.chars();
    let letter = rest_of.next()?;
    let index = MONTHS.iter().position(|known| *known == letter)?;
    let digits = rest_of.as_str();
    let is_year = matches!(digits.len(), 2 | 4) && digits.bytes().all(|b| b.is_ascii_digit());
    let year: i16 = digits.parse().ok()?;
    let is_ours =
        is_letters(letters) && is_year && (digits.len() == 2 || (2000..2100).contains(&year));
    is_ours.then_some((letters, i8::try_from(index + 1).ok()?, year))
}

fn is_letters(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_uppercase())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// Four letters or digits, of which the third is a letter (`B3SA3`, `A1AP34`), and the kind of share:
/// one digit, a unit's or a fund's 11, a receipt's 31 to 39. `DI1F27` is a contract.
fn is_stock(text: &str) -> bool {
    let Some((company, kind)) = text.split_at_checked(4) else {
        return false;
    };
    let third = company.as_bytes().get(2);
    let is_company = is_letters(company) && third.is_some_and(u8::is_ascii_uppercase);
    let kind = kind.parse().ok().filter(|_| !kind.starts_with(['0', '+']));
    is_company && kind.is_some_and(|kind: u8| matches!(kind, 1..=15 | 31..=39))
}
