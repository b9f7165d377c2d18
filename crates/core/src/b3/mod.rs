//! B3, the Brazilian exchange: which contract a symbol means, when it trades, when positions must go.
//!
//! Pure tables and rules. Days and times are Brasília's, which is UTC−3 all year.

pub mod calendar;
pub mod contracts;
mod meaning;
pub mod sessions;

use std::collections::BTreeMap;
use std::time::Duration;

pub use jiff::civil::{Date, DateTime, Time};

pub use calendar::{Calendar, UTC_OFFSET_SECONDS};
pub use contracts::{Contract, Nominal, Root, stands_for};
pub use meaning::Meant;
pub use sessions::{Hours, OwnHours, Phase, Product, nominal};

use crate::id::Symbol;
use contracts::Name;

/// How long before a product's close positions are flattened where the time that was set for it
/// comes too late that day.
pub const FLATTEN_MARGIN: Duration = Duration::from_secs(10 * 60);

/// What an account at B3 goes by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// The trading days.
    pub calendar: Calendar,
    /// So many sessions before its last one a contract hands over to the next; without an entry 0:
    /// on the day of its last session the next one is meant.
    ///
    /// Whoever opens a position on that day wants one that lives longer than it, and that is where
    /// the market is by then.
    pub roll_days_before: BTreeMap<Root, u32>,
    /// Hours that differ from those known here.
    pub hours: BTreeMap<Product, OwnHours>,
    /// Whether entries go in auctions.
    pub auctions: Auctions,
    /// What is done with entries while the calendar known here says that the market is closed.
    pub out_of_session: OutOfSession,
    /// When entries end for the day.
    pub no_entries: CutOff,
    /// When positions are closed for the day.
    pub flatten: CutOff,
}

/// What is done with entries while orders are gathered for an auction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Auctions {
    /// They are refused.
    #[default]
    Refuse,
    /// They go.
    Allow,
}

/// What is done with entries while the calendar known here says that the market is closed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OutOfSession {
    /// They are refused.
    #[default]
    Refuse,
    /// They go with a note, and the broker decides: the way out when B3 has changed its days or
    /// hours and this calendar does not know it yet.
    Send,
}

/// A time of the day, by the clock or by the close; the earlier one where both are set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CutOff {
    /// By the clock.
    pub at: Option<Time>,
    /// So long before the end of continuous trading.
    pub before_close: Option<Duration>,
}

impl CutOff {
    /// Whether there is none.
    #[must_use]
    pub const fn is_none(self) -> bool {
        self.at.is_none() && self.before_close.is_none()
    }

    fn time(self, closes: Time) -> Option<Time> {
        let relative = self.before_close.map(|span| before(closes, span));
        [self.at, relative].into_iter().flatten().min()
    }
}

impl Rules {
    /// By how many sessions the next contract comes before the last session of this one.
    #[must_use]
    pub fn roll_days(&self, root: Root) -> u32 {
        self.roll_days_before.get(&root).copied().unwrap_or(0)
    }

    /// The contract that the `nth` continuous symbol means on a day (1 is the front one).
    #[must_use]
    pub fn nth(&self, root: Root, nth: u32, day: Date) -> Contract {
        let front = contracts::front(&self.calendar, root, day, self.roll_days(root));
        (1..nth.min(12)).fold(front, |contract, _| contract.next())
    }

    /// The hours of a symbol on a day; `None` where there is no session, or none is known of it.
    #[must_use]
    pub fn hours(&self, symbol: &Symbol, day: Date) -> Option<Hours> {
        if !self.calendar.is_session(day) {
            return None;
        }
        let product = Product::of(symbol)?;
        let own = self.hours.get(&product).copied().unwrap_or_default();
        Some(match contracts::parse(symbol) {
            Name::Contract(contract) => sessions::of_contract(contract, day, own, &self.calendar),
            Name::Continuous(_)
            | Name::NoContract(_)
            | Name::Renamed(_)
            | Name::Stock { .. }
            | Name::Other => sessions::on(product, day, own),
        })
    }

    /// When continuous trading of a symbol begins next, after a moment. A symbol whose hours are not
    /// known opens with the day.
    #[must_use]
    pub fn opens_next(&self, symbol: &Symbol, after: DateTime) -> DateTime {
        let opens = |day: Date| {
            let hours = self.hours(symbol, day);
            DateTime::from_parts(day, hours.map_or(Time::MIN, |hours| hours.opens))
        };
        let today = opens(after.date());
        if self.calendar.is_session(after.date()) && today > after {
            return today;
        }
        opens(self.calendar.session_after(after.date()))
    }

    /// When the positions in a symbol are closed on a day with a session, if they are. Where the
    /// time that was set is not before the close, [`FLATTEN_MARGIN`] before it. What is not known to
    /// have other hours has the cash market's.
    #[must_use]
    pub fn flattens_at(&self, symbol: &Symbol, day: Date) -> Option<Time> {
        let closes = self.cut_off_hours(symbol, day)?.closes;
        let wanted = self.flatten.time(closes)?;
        Some(if wanted < closes {
            wanted
        } else {
            before(closes, FLATTEN_MARGIN)
        })
    }

    /// When entries in a symbol end on a day with a session, if they do: at the latest when
    /// positions are closed.
    #[must_use]
    pub fn entries_end_at(&self, symbol: &Symbol, day: Date) -> Option<Time> {
        let closes = self.cut_off_hours(symbol, day)?.closes;
        let own = self.no_entries.time(closes);
        let flatten = self.flattens_at(symbol, day);
        [own, flatten].into_iter().flatten().min()
    }

    /// The hours that cut-offs go by.
    #[must_use]
    pub fn cut_off_hours(&self, symbol: &Symbol, day: Date) -> Option<Hours> {
        if !self.calendar.is_session(day) {
            return None;
        }
        let known = self.hours(symbol, day);
        Some(known.unwrap_or_else(|| sessions::published(Product::Stocks, day)))
    }
}

/// So long before a time, not before midnight.
fn before(at: Time, span: Duration) -> Time {
    at.saturating_sub(span)
}
