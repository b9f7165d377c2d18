//! Signals and orders in words.

use std::fmt::Write as _;

use ponte_core::message::OrderEnd;
use ponte_core::number::Quantity;
use ponte_core::order::{OrderKind, OrderPlan, Origin};
use ponte_core::signal::{ExitAmount, Intent, PositionSide, Protection, Signal, Terms};

/// What an alert wants, in one line.
pub(super) fn signal(signal: &Signal) -> String {
    let symbol = signal.symbol.as_ref().map_or("", |symbol| symbol.as_str());
    let mut text = match &signal.intent {
        Intent::Trade {
            side,
            quantity,
            terms,
        } => format!(
            "{} {}{symbol} {}",
            side.as_str(),
            size(*quantity),
            at(*terms)
        ),
        Intent::Enter {
            side,
            quantity,
            terms,
        } => format!(
            "enter {} {}{symbol} {}",
            side.as_str(),
            size(*quantity),
            at(*terms)
        ),
        Intent::Exit { side, amount } => {
            let side = match side {
                Some(side @ (PositionSide::Long | PositionSide::Short)) => {
                    format!("{} ", side.as_str())
                }
                Some(PositionSide::Flat) | None => String::new(),
            };
            let amount = match amount {
                ExitAmount::All => "all".to_owned(),
                ExitAmount::Percent(share) => format!("{share}%"),
                ExitAmount::Quantity(quantity) => quantity.to_string(),
            };
            format!("close {amount} of the {side}position in {symbol}")
        }
        Intent::Reverse { quantity } => match quantity {
            Some(quantity) => format!("reverse the position in {symbol} to {quantity}"),
            None => format!("reverse the position in {symbol}"),
        },
        Intent::Target { position } if position.is_zero() => format!("be flat in {symbol}"),
        Intent::Target { position } => format!(
            "hold {} {} {symbol}",
            position.abs(),
            PositionSide::of(*position).as_str()
        ),
        Intent::Cancel => format!("take back working entries in {symbol}"),
        Intent::Heartbeat => "heartbeat: nothing to trade".to_owned(),
    };
    push_protection(&mut text, &signal.protection);
    text
}

fn size(quantity: Option<Quantity>) -> String {
    quantity.map_or_else(String::new, |quantity| format!("{quantity} "))
}

fn at(terms: Terms) -> String {
    match terms {
        Terms::Market => "at the market".to_owned(),
        Terms::Limit { price } => format!("at {price} or better"),
        Terms::Stop { trigger } => format!("at the market from {trigger}"),
        Terms::StopLimit { trigger, price } => format!("at {price} or better from {trigger}"),
    }
}

fn push_protection(text: &mut String, protection: &Protection) {
    if let Some(stop) = protection.stop {
        let _ = write!(text, ", stop {stop}");
    }
    if let Some(percent) = protection.trail_percent {
        let _ = write!(text, ", trailing stop {percent}% behind");
    }
    if !protection.targets.is_empty() {
        let targets: Vec<_> = protection.targets.iter().map(ToString::to_string).collect();
        let word = if targets.len() == 1 {
            "target"
        } else {
            "targets"
        };
        let _ = write!(text, ", {word} {}", targets.join(", "));
    }
}

/// An order as it was planned, in one line.
pub(super) fn plan(plan: &OrderPlan) -> String {
    let terms = match plan.kind {
        OrderKind::Single { terms } => at(terms),
        OrderKind::OneCancelsOther { stop, target } => {
            format!("at the stop {stop} or the target {target}, whichever comes first")
        }
        OrderKind::TrailingStop { distance_percent } => {
            format!("at the market once the price has come back {distance_percent}%")
        }
    };
    let mut text = format!(
        "{}: {} {} {} {terms} in {}",
        plan.class.as_str(),
        plan.side.as_str(),
        plan.quantity,
        plan.symbol,
        plan.account
    );
    push_protection(&mut text, &plan.protection);
    if let Origin::Operator(who) = &plan.origin {
        let _ = write!(text, ", asked for by {who}");
    }
    text
}

/// How an order ended, in one word.
pub(super) const fn end(end: OrderEnd) -> &'static str {
    match end {
        OrderEnd::Filled => "filled",
        OrderEnd::Cancelled => "cancelled",
        OrderEnd::Rejected => "rejected",
        OrderEnd::Expired => "expired",
        OrderEnd::Abandoned => "abandoned",
    }
}
