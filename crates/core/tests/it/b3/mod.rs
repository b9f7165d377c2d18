//! B3: trading days, contracts, hours and what symbols mean.

// `allow-unwrap-in-tests` does not reach the helpers of a test.
#![allow(clippy::unwrap_used)]

mod calendar;
mod contracts;
mod docs;
mod meaning;
mod sessions;

use ponte_core::b3::{Contract, Date, Root, calendar::parse_day};
use ponte_core::id::Symbol;

fn day(text: &str) -> Date {
    parse_day(text).unwrap_or_else(|| panic!("{text:?} is no day"))
}

fn symbol(text: &str) -> Symbol {
    Symbol::new(text).unwrap()
}

fn contract(root: Root, year: i16, month: i8) -> Contract {
    Contract::new(root, year, month).unwrap()
}
