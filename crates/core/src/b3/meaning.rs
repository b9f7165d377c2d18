//! Which of the broker's symbols an alert's symbol means, and why.

use super::calendar::named;
use super::contracts::{Continuous, Contract, Name, parse};
use super::{Date, Root, Rules};
use crate::id::Symbol;

/// What a symbol of an alert means in an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meant {
    /// The broker's symbol.
    pub symbol: Symbol,
    /// The other contracts that it means: against the rule, the strategy is in several.
    pub others: Vec<Symbol>,
    /// Which contract was meant and why, where that isn't plain.
    pub note: Option<String>,
    /// Why nothing may be opened in it, with the cure.
    pub no_opening: Option<String>,
}

impl Meant {
    /// A symbol that stands for itself.
    #[must_use]
    pub const fn plainly(symbol: Symbol) -> Self {
        Self {
            symbol,
            others: Vec::new(),
            note: None,
            no_opening: None,
        }
    }
}

impl Rules {
    /// What a symbol means on a day, for a strategy that holds, or has orders open in, the symbols
    /// `in_hand`. A continuous symbol means the contract in hand while there is one; else the one
    /// that is meant by the roll. What `only_enters` does not mean contracts that have expired.
    #[must_use]
    pub fn meant(
        &self,
        symbol: &Symbol,
        day: Date,
        in_hand: &[Symbol],
        only_enters: bool,
    ) -> Meant {
        match parse(symbol) {
            Name::Continuous(continuous) => {
                self.continuous(symbol, &continuous, day, in_hand, only_enters)
            }
            Name::Contract(contract) => self.dated(symbol, contract, day),
            Name::NoContract(root) => Meant {
                no_opening: Some(format!(
                    "there is no {symbol}, {root} has contracts {}; the current one is {}",
                    months(root),
                    self.nth(root, 1, day)
                )),
                ..Meant::plainly(symbol.clone())
            },
            Name::Renamed(renamed) => Meant::plainly(renamed),
            Name::Stock { .. } | Name::Other => Meant::plainly(symbol.clone()),
        }
    }

    /// The contract that a continuous symbol means on a day and the one after it; any other symbol
    /// itself.
    #[must_use]
    pub fn watched(&self, symbol: &Symbol, day: Date) -> Vec<Symbol> {
        let meant = self.meant(symbol, day, &[], true).symbol;
        let next = match (parse(symbol), parse(&meant)) {
            (Name::Continuous(_), Name::Contract(contract)) => contract.next().symbol(),
            _ => None,
        };
        std::iter::once(meant).chain(next).collect()
    }

    fn dated(&self, symbol: &Symbol, contract: Contract, day: Date) -> Meant {
        let last = contract.last_session(&self.calendar);
        let no_opening = (day > last).then(|| {
            format!(
                "{contract} expired, its last session was {}; the current contract is {}",
                named(last),
                self.nth(contract.root(), 1, day)
            )
        });
        Meant {
            no_opening,
            ..Meant::plainly(contract.symbol().unwrap_or_else(|| symbol.clone()))
        }
    }

    fn continuous(
        &self,
        symbol: &Symbol,
        continuous: &Continuous,
        day: Date,
        in_hand: &[Symbol],
        only_enters: bool,
    ) -> Meant {
        let root = Root::of(&continuous.letters);
        let mut contracts: Vec<_> = in_hand.iter().filter(|held| continuous.has(held)).collect();
        let alive = |held: &&Symbol| !self.has_expired(held, day);
        if only_enters || contracts.iter().any(alive) {
            contracts.retain(alive);
        }
        let wanted = root
            .filter(|_| (1..=2).contains(&continuous.nth))
            .map(|root| self.nth(root, continuous.nth, day));
        let mut meant = match (contracts.as_slice(), wanted) {
            ([], Some(wanted)) => self.by_the_roll(symbol, wanted, day),
            ([], None) => Meant::plainly(symbol.clone()),
            ([held], wanted) => self.in_hand(symbol, held, wanted, day),
            ([first, others @ ..], _) => several(symbol, first, others),
        };
        let unusable = unusable(symbol, continuous, wanted);
        meant.no_opening = unusable.or(meant.no_opening);
        meant
    }

    fn has_expired(&self, symbol: &Symbol, day: Date) -> bool {
        match parse(symbol) {
            Name::Contract(contract) => contract.last_session(&self.calendar) < day,
            Name::Continuous(_)
            | Name::NoContract(_)
            | Name::Renamed(_)
            | Name::Stock { .. }
            | Name::Other => false,
        }
    }

    fn by_the_roll(&self, symbol: &Symbol, wanted: Contract, day: Date) -> Meant {
        // The second contract moves up when the first one rolls.
        let first = self.nth(wanted.root(), 1, day);
        let rolls = first.roll_day(&self.calendar, self.roll_days(wanted.root()));
        let note = format!(
            "{symbol} is {wanted}; from {} on it is {}, the last session of {first} is {}",
            named(rolls),
            wanted.next(),
            named(first.last_session(&self.calendar)),
        );
        Meant {
            note: Some(note),
            ..Meant::plainly(wanted.symbol().unwrap_or_else(|| symbol.clone()))
        }
    }

    fn in_hand(
        &self,
        symbol: &Symbol,
        held: &Symbol,
        wanted: Option<Contract>,
        day: Date,
    ) -> Meant {
        let ours = match parse(held) {
            Name::Contract(contract) => Some(contract),
            Name::Continuous(_)
            | Name::NoContract(_)
            | Name::Renamed(_)
            | Name::Stock { .. }
            | Name::Other => None,
        };
        let mut meant = Meant::plainly(held.clone());
        let (Some(ours), Some(wanted)) = (ours, wanted) else {
            meant.note = Some(format!("{symbol} is {held}, in which the strategy is"));
            return meant;
        };
        let last = ours.last_session(&self.calendar);
        if ours == wanted {
            let rolls = ours.roll_day(&self.calendar, self.roll_days(ours.root()));
            meant.note = Some(format!(
                "{symbol} is {ours}, in which the strategy is; new positions are opened in {} \
                 from {} on",
                ours.next(),
                named(rolls)
            ));
            return meant;
        }
        meant.note = Some(format!(
            "{symbol} is {ours}, in which the strategy is; for new positions it is {wanted}"
        ));
        if last < wanted.last_session(&self.calendar) {
            let last = named(last);
            meant.no_opening = Some(if self.has_expired(held, day) {
                format!(
                    "{symbol} is {wanted} for new positions, and by these books the strategy is still in \
                     {ours}, whose last session was {last}; look at the account, and send {wanted} by \
                     its own name meanwhile"
                )
            } else {
                format!(
                    "{symbol} is {wanted} for new positions (the last session of {ours} is {last}), and \
                     the strategy still has a position or orders in {ours}; close it and take back what \
                     waits, then send the entry again"
                )
            });
        }
        meant
    }
}

fn several(symbol: &Symbol, first: &Symbol, others: &[&Symbol]) -> Meant {
    let names: Vec<_> = std::iter::once(&first)
        .chain(others)
        .map(|held| held.as_str())
        .collect();
    let names = names.join(" and ");
    Meant {
        symbol: (*first).clone(),
        others: others.iter().map(|held| (*held).clone()).collect(),
        note: Some(format!("{symbol} is {names}: the strategy is in each")),
        no_opening: Some(format!(
            "the strategy is in {names}, and {symbol} can open in one only; close all but one, or \
             send the contract's own name"
        )),
    }
}

/// Why nothing can be opened by this name at all.
fn unusable(symbol: &Symbol, continuous: &Continuous, wanted: Option<Contract>) -> Option<String> {
    let letters = &continuous.letters;
    match wanted {
        Some(wanted) if continuous.is_series => Some(format!(
            "{symbol} is MetaTrader's series for charts and can't be traded; send {letters}1! or {wanted}"
        )),
        Some(_) => None,
        None if Root::of(letters).is_some() => Some(format!(
            "{symbol} is too far ahead; {letters}1! and {letters}2! are known here, or send the \
             contract's own name"
        )),
        None => Some(format!(
            "which contract {symbol} is is not known here (known: WIN, WDO, IND, DOL, BIT); send the \
             contract's own name, such as syminfo.current_contract in Pine"
        )),
    }
}

const fn months(root: Root) -> &'static str {
    match root {
        Root::Ind | Root::Win => "of the even months only",
        Root::Dol | Root::Wdo | Root::Bit => "of every month",
    }
}
