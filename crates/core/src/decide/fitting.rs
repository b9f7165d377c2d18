//! Numbers that don't fit the broker's steps: fitted by the account's policy, and always said.

use rust_decimal::Decimal;

use super::moves::Enter;
use crate::instrument::Instrument;
use crate::number::{Price, Quantity, floor_to_step, is_multiple_of};
use crate::order::OrderKind;
use crate::policy::Fitting;
use crate::signal::{Protection, Side, Terms};
use crate::verdict::{Rule, Ruling, Verdict};

/// To which side a price is brought.
#[derive(Clone, Copy)]
enum Towards {
    Lower,
    Higher,
}

/// Whether the policy lets a number become another one.
pub(super) fn allows(fitting: Fitting, from: Decimal, to: Decimal) -> bool {
    match fitting {
        Fitting::RoundDown => true,
        Fitting::Refuse { tolerance_percent } => change_percent(from, to) <= tolerance_percent,
    }
}

/// How large a change is, in percent of what is changed.
fn change_percent(from: Decimal, to: Decimal) -> Decimal {
    (from - to)
        .abs()
        .saturating_mul(Decimal::ONE_HUNDRED)
        .checked_div(from)
        .unwrap_or(Decimal::MAX)
}

/// Why the policy doesn't let it, for the end of a sentence.
pub(super) fn why_not(fitting: Fitting, from: Decimal, to: Decimal) -> String {
    match fitting {
        Fitting::RoundDown => String::new(),
        Fitting::Refuse { tolerance_percent } => format!(
            "; the nearest is {}, {}% away, and fitting_tolerance is {tolerance_percent}%",
            to.normalize(),
            change_percent(from, to)
                .round_sf(2)
                .unwrap_or_default()
                .normalize()
        ),
    }
}

/// A quantity in whole steps, if the policy lets it become so; with what was said about it.
///
/// # Errors
/// The whole steps that are nearest below, which the policy doesn't let it become.
pub(super) fn quantity(
    fitting: Fitting,
    quantity: Quantity,
    step: Decimal,
) -> Result<(Quantity, Option<Verdict>), Decimal> {
    if is_multiple_of(quantity.get(), step) {
        return Ok((quantity, None));
    }
    let below = floor_to_step(quantity.get(), step).unwrap_or_default();
    match Quantity::new(below) {
        Ok(fitted) if allows(fitting, quantity.get(), below) => {
            let note = Verdict {
                rule: Rule::QuantityStep,
                ruling: Ruling::Note,
                measured: Some(quantity.get()),
                limit: Some(step),
                detail: format!("quantity {quantity} is fitted to {fitted}, whole steps of {step}"),
            };
            Ok((fitted, Some(note)))
        }
        Ok(_) | Err(_) => Err(below),
    }
}

/// Brings an entry's prices to whole ticks, where the policy lets it: a limit never to a worse
/// price, a trigger never to an earlier one, a protective stop never to a larger loss. What the
/// policy doesn't let stays as it is, and the rule of ticks refuses it.
pub(super) fn entry(
    fitting: Fitting,
    instrument: &Instrument,
    enter: &Enter,
    protection: &Protection,
) -> (Enter, Protection, Vec<Verdict>) {
    let mut fit = Fit {
        fitting,
        tick: instrument.price_tick,
        notes: Vec::new(),
    };
    let enter = Enter {
        terms: fit.terms(enter.side, enter.terms),
        ..enter.clone()
    };
    // What leaves a long position is a sell.
    let (nearer, further) = match enter.side {
        Side::Buy => (Towards::Higher, Towards::Higher),
        Side::Sell => (Towards::Lower, Towards::Lower),
    };
    let protection = Protection {
        stop: protection.stop.map(|stop| fit.price("stop", stop, nearer)),
        targets: protection
            .targets
            .iter()
            .map(|target| fit.price("target", *target, further))
            .collect(),
        trail_percent: protection.trail_percent,
    };
    (enter, protection, fit.notes)
}

/// The terms of an exit in whole ticks: an exit is never refused for its price.
pub(super) fn exit(
    instrument: &Instrument,
    side: Side,
    kind: OrderKind,
) -> (OrderKind, Vec<Verdict>) {
    let mut fit = Fit {
        fitting: Fitting::RoundDown,
        tick: instrument.price_tick,
        notes: Vec::new(),
    };
    let kind = match kind {
        OrderKind::Single { terms } => OrderKind::Single {
            terms: fit.terms(side, terms),
        },
        OrderKind::OneCancelsOther { .. } | OrderKind::TrailingStop { .. } => kind,
    };
    (kind, fit.notes)
}

struct Fit {
    fitting: Fitting,
    tick: Decimal,
    notes: Vec<Verdict>,
}

impl Fit {
    fn terms(&mut self, side: Side, terms: Terms) -> Terms {
        let (limit, trigger) = match side {
            Side::Buy => (Towards::Lower, Towards::Higher),
            Side::Sell => (Towards::Higher, Towards::Lower),
        };
        match terms {
            Terms::Market => terms,
            Terms::Limit { price } => Terms::Limit {
                price: self.price("price", price, limit),
            },
            Terms::Stop { trigger: at } => Terms::Stop {
                trigger: self.price("trigger", at, trigger),
            },
            Terms::StopLimit { trigger: at, price } => Terms::StopLimit {
                trigger: self.price("trigger", at, trigger),
                price: self.price("price", price, limit),
            },
        }
    }

    fn price(&mut self, what: &str, price: Price, towards: Towards) -> Price {
        if is_multiple_of(price.get(), self.tick) {
            return price;
        }
        let Some(fitted) = to_tick(price, self.tick, towards) else {
            return price;
        };
        if !allows(self.fitting, price.get(), fitted.get()) {
            return price;
        }
        self.notes.push(Verdict {
            rule: Rule::PriceTick,
            ruling: Ruling::Note,
            measured: Some(price.get()),
            limit: Some(self.tick),
            detail: format!(
                "{what} {price} is fitted to {fitted}, whole ticks of {}",
                self.tick
            ),
        });
        fitted
    }
}

fn to_tick(price: Price, tick: Decimal, towards: Towards) -> Option<Price> {
    let lower = floor_to_step(price.get(), tick)?;
    let fitted = match towards {
        Towards::Lower => lower,
        Towards::Higher => lower.checked_add(tick)?,
    };
    Price::new(fitted).ok()
}

/// The whole tick that is nearest to a price, for messages.
pub(super) fn nearest_tick(price: Price, tick: Decimal) -> Decimal {
    let lower = floor_to_step(price.get(), tick).unwrap_or_default();
    let higher = lower.saturating_add(tick);
    if price.get() - lower < higher - price.get() && lower > Decimal::ZERO {
        lower
    } else {
        higher
    }
}
