//! What an entry's fill must be protected by, and what is done where protection or an exit goes wrong.

use rust_decimal::Decimal;

use super::exits::{self, ExitOrigin, holding_of};
use super::{Context, Decision};
use crate::halt::HaltLevel;
use crate::id::ClientOrderId;
use crate::message::OrderReport;
use crate::number::{Price, Quantity};
use crate::order::{Order, OrderClass, OrderKind, OrderPlan, Origin};
use crate::policy::EXIT_LIFE;
use crate::signal::{Protection, Terms};

/// What an entry's fill asks for: protection, or its end where positions may only shrink.
pub(super) fn after_entry(
    context: Context<'_>,
    order: &Order,
    traded: Decimal,
    report: &OrderReport,
) -> Decision {
    let plan = &order.plan;
    let may_only_shrink = context
        .state
        .halts_on(&plan.account, &plan.strategy, &plan.symbol)
        .first()
        .is_some_and(|halt| halt.level >= HaltLevel::ReduceOnly);
    let mut decision = Decision::default();
    if may_only_shrink {
        let reason = "filled while only exits are allowed";
        let opened = plan.side.signed(held(context, order)) + traded;
        decision.join(close_again(context, order, traded.min(opened), reason));
    } else {
        for piece in protection_of(context, order, traded, report.filled) {
            exits::plan_order(&mut decision, piece);
        }
    }
    decision
}

/// Trades back what an exit, or a stop, has traded past the position: an exit and a stop may both
/// execute before either is known, and together they open what nobody asked for.
pub(super) fn after_exit(context: Context<'_>, order: &Order, traded: Decimal) -> Decision {
    let plan = &order.plan;
    let held = held(context, order);
    let closable = plan.side.opposite().signed(held).max(Decimal::ZERO);
    let reason = format!("{} had {held} left to close", plan.strategy);
    close_again(context, order, traded - closable, &reason)
}

/// What the order's strategy holds, as far as it is known.
fn held(context: Context<'_>, order: &Order) -> Decimal {
    context
        .state
        .account(&order.plan.account)
        .map_or(Decimal::ZERO, |account| {
            account.held(&order.plan.strategy, &order.plan.symbol)
        })
}

/// An exit at the market of what an order has traded.
fn close_again(context: Context<'_>, order: &Order, quantity: Decimal, reason: &str) -> Decision {
    let plan = &order.plan;
    let mut decision = Decision::default();
    let Ok(quantity) = Quantity::new(quantity) else {
        return decision;
    };
    decision.alarm(
        format!(
            "{quantity} {} of order {} in {} is traded back at the market: {reason}",
            plan.symbol, plan.id, plan.account
        ),
        Some(plan.id),
    );
    let id = child_id(order, "close", quantity.get());
    let exit = OrderPlan {
        id,
        side: plan.side.opposite(),
        quantity,
        kind: OrderKind::MARKET,
        class: OrderClass::Exit,
        origin: Origin::Protects(plan.id),
        reduce_only: exits::is_alone(context, holding_of(plan)),
        ..child_plan(context, order)
    };
    exits::plan_order(&mut decision, exit);
    decision
}

fn child_id(order: &Order, what: &str, amount: Decimal) -> ClientOrderId {
    order.plan.id.child(&[
        b"child",
        what.as_bytes(),
        order.filled.normalize().to_string().as_bytes(),
        amount.normalize().to_string().as_bytes(),
    ])
}

fn child_plan(context: Context<'_>, order: &Order) -> OrderPlan {
    OrderPlan {
        protection: Protection::default(),
        reference_price: None,
        expires_at: context.now().after(EXIT_LIFE),
        after: Vec::new(),
        replaces: None,
        instead_of: Vec::new(),
        reduce_only: false,
        ..order.plan.clone()
    }
}

/// The protective orders for what an entry has just traded: each target has an equal share of the
/// whole entry, in whole steps, and a fill protects the shares that it lies in.
fn protection_of(
    context: Context<'_>,
    order: &Order,
    traded: Decimal,
    total: Decimal,
) -> Vec<OrderPlan> {
    let plan = &order.plan;
    let Protection { stop, targets, .. } = &plan.protection;
    let step = context
        .policy
        .accounts
        .get(&plan.account)
        .and_then(|account| account.instruments.get(&plan.symbol))
        .map_or(Decimal::ZERO, |instrument| instrument.quantity_step);
    let shares = Decimal::from(targets.len().max(1));
    let share = plan.quantity.get() / shares;
    let share = crate::number::floor_to_step(share, step).unwrap_or(share);
    let start = total - traded;
    let mut pieces = Vec::new();
    for index in 0..targets.len().max(1) {
        let target = targets.get(index).copied();
        let from = share * Decimal::from(index);
        let last = index + 1 >= targets.len();
        let until = if last { Decimal::MAX } else { from + share };
        let overlap = total.min(until) - start.max(from);
        let (Ok(quantity), Some(kind)) = (Quantity::new(overlap), protective_kind(*stop, target))
        else {
            continue;
        };
        pieces.push(OrderPlan {
            id: child_id(order, &format!("protection {index}"), quantity.get()),
            side: plan.side.opposite(),
            quantity,
            kind,
            class: OrderClass::Protection,
            origin: Origin::Protects(plan.id),
            ..child_plan(context, order)
        });
    }
    pieces
}

fn protective_kind(stop: Option<Price>, target: Option<Price>) -> Option<OrderKind> {
    match (stop, target) {
        (Some(stop), Some(target)) => Some(OrderKind::OneCancelsOther { stop, target }),
        (Some(trigger), None) => Some(OrderKind::Single {
            terms: Terms::Stop { trigger },
        }),
        (None, Some(price)) => Some(OrderKind::Single {
            terms: Terms::Limit { price },
        }),
        (None, None) => None,
    }
}

/// An order that never came to rest: protection that failed leaves the position naked, so it is closed.
pub(super) fn not_placed(context: Context<'_>, order: &Order, reason: &str) -> Decision {
    match order.plan.class {
        OrderClass::Entry => Decision::default(),
        OrderClass::Exit => {
            let mut decision = Decision::default();
            let held = held(context, order);
            if !held.is_zero() {
                decision.alarm(
                    format!(
                        "exit {} of {} in {} was not executed: {reason}; {held} is still held",
                        order.plan.id, order.plan.symbol, order.plan.account
                    ),
                    Some(order.plan.id),
                );
            }
            decision
        }
        OrderClass::Protection => naked(context, order, reason),
    }
}

/// Protection that isn't there: close what it was for, unless an older one still rests in its place.
fn naked(context: Context<'_>, order: &Order, reason: &str) -> Decision {
    let replaced = order
        .plan
        .replaces
        .and_then(|old| context.state.open_order(&old));
    if replaced.is_some() {
        let mut decision = Decision::default();
        decision.alarm(
            format!(
                "protection {} could not be resized: {reason}; the old one stays",
                order.plan.id
            ),
            Some(order.plan.id),
        );
        return decision;
    }
    let holding = holding_of(&order.plan);
    let standing = exits::standing(context.state.account(&order.plan.account), holding);
    // Protection of a position that is gone, or is being closed, has nothing left to protect.
    let quantity = order.remaining().min(standing.staying());
    if quantity.is_zero() || exits::closing_side(standing.held) != order.plan.side {
        return Decision::default();
    }
    let mut decision = Decision::default();
    decision.alarm(
        format!(
            "protection {} of {quantity} {} in {} does not rest: {reason}; the position is closed at the market",
            order.plan.id, order.plan.symbol, order.plan.account
        ),
        Some(order.plan.id),
    );
    let id = |step: &str| child_id(order, &format!("naked {step}"), quantity);
    let how = ExitOrigin {
        origin: Origin::Protects(order.plan.id),
        kind: OrderKind::MARKET,
        reason: "taken back to close a position without protection",
        id: &id,
    };
    decision.join(exits::exit(context, holding, Some(quantity), &how).into_decision());
    decision
}

/// The broker ended an order that nobody here took back.
pub(super) fn ended_unasked(
    context: Context<'_>,
    order: &Order,
    traded: Decimal,
    reason: &str,
) -> Decision {
    let mut decision = Decision::default();
    let plan = &order.plan;
    let still = held(context, order) + plan.side.signed(traded.max(Decimal::ZERO));
    if still.is_zero() || exits::closing_side(still) != plan.side {
        return decision;
    }
    let message = match plan.class {
        OrderClass::Entry => return decision,
        OrderClass::Exit => format!(
            "exit {} of {} in {} was ended by the broker ({reason}); {still} is still held",
            plan.id, plan.symbol, plan.account
        ),
        OrderClass::Protection => format!(
            "protection {} of {} in {} was taken away at the broker ({reason}); {still} is held without it",
            plan.id, plan.symbol, plan.account
        ),
    };
    decision.alarm(message, Some(plan.id));
    decision
}
