//! What an intent asks of one account: leave so much, then enter so much.

use rust_decimal::Decimal;

use super::exits::Standing;
use super::sizing::{Sized, Sizer};
use crate::number::Quantity;
use crate::order::OrderKind;
use crate::signal::{ExitAmount, Intent, PositionSide, Side, Terms};
use crate::verdict::{Rule, Ruling, Verdict};

/// What an intent asks of one account, in the order of doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Moves {
    /// Something is traded.
    Trade {
        exit: Option<Leave>,
        entry: Option<Enter>,
        notes: Vec<Verdict>,
    },
    /// Nothing has to be done; the sentence says why.
    Nothing(String),
    /// Working entries are taken back.
    CancelEntries,
    /// The source may not do it; the verdict on that is with the others.
    OutOfScope(String),
    /// The signal makes no sense for this position.
    Refused(Verdict),
}

/// How much of the position is left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Leave {
    /// `None` is all of it, with what entries on their way still bring.
    pub(super) amount: Option<Decimal>,
    /// At which terms.
    pub(super) kind: OrderKind,
}

/// What is entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Enter {
    pub(super) side: Side,
    pub(super) quantity: Quantity,
    pub(super) terms: Terms,
}

/// Works out the moves of an intent against where the strategy stands.
pub(super) fn moves(intent: &Intent, standing: Standing, sizer: &Sizer<'_>) -> Moves {
    match intent {
        Intent::Trade {
            side,
            quantity,
            terms,
        } => trade(*side, *quantity, *terms, standing, sizer),
        Intent::Enter {
            side,
            quantity,
            terms,
        } => enter(*side, *quantity, *terms, standing, sizer),
        Intent::Exit { side, amount } => exit(*side, *amount, standing, sizer),
        Intent::Reverse { quantity } => reverse(*quantity, standing, sizer),
        Intent::Target { position } => target(*position, standing, sizer),
        Intent::Cancel => Moves::CancelEntries,
        Intent::Heartbeat => Moves::Nothing("heartbeat: nothing to trade".to_owned()),
    }
}

const fn leave_all() -> Leave {
    Leave {
        amount: None,
        kind: OrderKind::MARKET,
    }
}

fn refused(rule: Rule, detail: String) -> Moves {
    Moves::Refused(Verdict {
        rule,
        ruling: Ruling::Refuse,
        measured: None,
        limit: None,
        detail,
    })
}

fn entry_only(side: Side, sized: Sized, terms: Terms) -> Moves {
    Moves::Trade {
        exit: None,
        entry: Some(Enter {
            side,
            quantity: sized.quantity,
            terms,
        }),
        notes: sized.notes,
    }
}

fn against(side: Side, position: Decimal) -> bool {
    match side {
        Side::Buy => position < Decimal::ZERO,
        Side::Sell => position > Decimal::ZERO,
    }
}

fn entry_side(side: PositionSide) -> Side {
    match side {
        PositionSide::Short => Side::Sell,
        PositionSide::Long | PositionSide::Flat => Side::Buy,
    }
}

fn trade(
    side: Side,
    quantity: Option<Quantity>,
    terms: Terms,
    standing: Standing,
    sizer: &Sizer<'_>,
) -> Moves {
    let expected = standing.expected();
    if !against(side, expected) {
        return match sizer.entry(quantity) {
            Ok(sized) => entry_only(side, sized, terms),
            Err(verdict) => Moves::Refused(verdict),
        };
    }
    // A route with a size of its own can't tell a close from a reversal by the alert's quantity:
    // it closes, which is the move that can't hurt.
    if sizer.is_own_size() {
        return Moves::Trade {
            exit: Some(leave_all()),
            entry: None,
            notes: Vec::new(),
        };
    }
    let sized = match sizer.entry(quantity) {
        Ok(sized) => sized,
        Err(verdict) => return Moves::Refused(verdict),
    };
    let kind = OrderKind::Single { terms };
    let wanted = sized.quantity.get();
    let there = expected.abs();
    match (wanted - there).try_into() {
        Ok(rest) if terms == Terms::Market => Moves::Trade {
            exit: Some(leave_all()),
            entry: Some(Enter {
                side,
                quantity: rest,
                terms,
            }),
            notes: sized.notes,
        },
        Ok(_) => refused(
            Rule::PreviousPosition,
            format!(
                "a resting {} of {wanted} would close the {} of {there} and open the rest at \
                 another time; use reverse, or two alerts",
                side.as_str(),
                PositionSide::of(expected).as_str()
            ),
        ),
        Err(_) if wanted == there && terms == Terms::Market => Moves::Trade {
            exit: Some(leave_all()),
            entry: None,
            notes: sized.notes,
        },
        Err(_) => Moves::Trade {
            exit: Some(Leave {
                amount: Some(wanted),
                kind,
            }),
            entry: None,
            notes: sized.notes,
        },
    }
}

fn enter(
    side: PositionSide,
    quantity: Option<Quantity>,
    terms: Terms,
    standing: Standing,
    sizer: &Sizer<'_>,
) -> Moves {
    let order_side = entry_side(side);
    let expected = standing.expected();
    if against(order_side, expected) {
        return refused(
            Rule::PreviousPosition,
            format!(
                "can't enter {} while the strategy holds {} {}; close it first, or use reverse",
                side.as_str(),
                PositionSide::of(expected).as_str(),
                expected.abs()
            ),
        );
    }
    match sizer.entry(quantity) {
        Ok(sized) => entry_only(order_side, sized, terms),
        Err(verdict) => Moves::Refused(verdict),
    }
}

fn exit(
    side: Option<PositionSide>,
    amount: ExitAmount,
    standing: Standing,
    sizer: &Sizer<'_>,
) -> Moves {
    let expected = standing.expected();
    let there = PositionSide::of(if expected.is_zero() {
        standing.held
    } else {
        expected
    });
    if standing.is_flat() {
        return Moves::Nothing("already flat: nothing to close".to_owned());
    }
    if let Some(side) = side
        && there != PositionSide::Flat
        && there != side
    {
        return Moves::Nothing(format!(
            "the strategy holds {}, not {}: nothing to close",
            there.as_str(),
            side.as_str()
        ));
    }
    // A part is a part of what there will be: an entry on its way counts as much as one that is here.
    let whole = if expected.is_zero() {
        standing.held.abs()
    } else {
        expected.abs()
    };
    let mut notes = Vec::new();
    let amount = match amount {
        ExitAmount::All => None,
        ExitAmount::Quantity(quantity) => match sizer.scaled(quantity) {
            Ok(sized) => {
                notes = sized.notes;
                Some(sized.quantity.get())
            }
            Err(verdict) => return Moves::Refused(verdict),
        },
        ExitAmount::Percent(percent) if percent >= Decimal::ONE_HUNDRED => None,
        ExitAmount::Percent(percent) => match sizer.share(percent, whole) {
            Ok(sized) => {
                notes = sized.notes;
                Some(sized.quantity.get())
            }
            Err(verdict) => return Moves::Refused(verdict),
        },
    };
    // Leaving at least what is there is leaving all of it, and takes pending entries along.
    let there = whole.max(standing.held.abs());
    let amount = amount.filter(|amount| *amount < there);
    Moves::Trade {
        exit: Some(Leave {
            amount,
            kind: OrderKind::MARKET,
        }),
        entry: None,
        notes,
    }
}

fn reverse(quantity: Option<Quantity>, standing: Standing, sizer: &Sizer<'_>) -> Moves {
    let expected = standing.expected();
    let side = match PositionSide::of(expected) {
        PositionSide::Long => Side::Sell,
        PositionSide::Short => Side::Buy,
        PositionSide::Flat => {
            return refused(
                Rule::PreviousPosition,
                "the strategy is flat: there is nothing to reverse; send buy or sell".to_owned(),
            );
        }
    };
    let same_size = Quantity::new(expected.abs()).ok();
    let sized = if quantity.is_none() && !sizer.is_own_size() {
        same_size.map(|quantity| Sized {
            quantity,
            notes: Vec::new(),
        })
    } else {
        match sizer.entry(quantity) {
            Ok(sized) => Some(sized),
            Err(verdict) => return Moves::Refused(verdict),
        }
    };
    let Some(sized) = sized else {
        return Moves::Nothing("already flat: nothing to reverse".to_owned());
    };
    Moves::Trade {
        exit: Some(leave_all()),
        entry: Some(Enter {
            side,
            quantity: sized.quantity,
            terms: Terms::Market,
        }),
        notes: sized.notes,
    }
}

fn target(position: Decimal, standing: Standing, sizer: &Sizer<'_>) -> Moves {
    let expected = standing.expected();
    if position.is_zero() {
        if expected.is_zero() && standing.is_flat() {
            return Moves::Nothing("already flat".to_owned());
        }
        return Moves::Trade {
            exit: Some(leave_all()),
            entry: None,
            notes: Vec::new(),
        };
    }
    let side = if position.is_sign_positive() {
        Side::Buy
    } else {
        Side::Sell
    };
    let opposite = against(side, expected);
    if sizer.is_own_size() && !opposite && !expected.is_zero() {
        return Moves::Nothing(format!(
            "already {} {}; the route sets its own size and does not change it",
            PositionSide::of(expected).as_str(),
            expected.abs()
        ));
    }
    let sized = match sizer.entry(Quantity::new(position.abs()).ok()) {
        Ok(sized) => sized,
        Err(verdict) => return Moves::Refused(verdict),
    };
    let Sized { quantity, notes } = sized;
    let market = Terms::Market;
    if opposite {
        let entry = Enter {
            side,
            quantity,
            terms: market,
        };
        return Moves::Trade {
            exit: Some(leave_all()),
            entry: Some(entry),
            notes,
        };
    }
    let there = expected.abs();
    if let Ok(missing) = Quantity::new(quantity.get() - there) {
        return entry_only(
            side,
            Sized {
                quantity: missing,
                notes,
            },
            market,
        );
    }
    if quantity.get() == there {
        return Moves::Nothing(format!(
            "already {} {there}",
            PositionSide::of(expected).as_str()
        ));
    }
    let leave = Leave {
        amount: Some(there - quantity.get()),
        kind: OrderKind::MARKET,
    };
    Moves::Trade {
        exit: Some(leave),
        entry: None,
        notes,
    }
}
