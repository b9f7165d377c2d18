//! What a broker's word, or its silence, makes of an order.

use rust_decimal::Decimal;

use super::exits::{self, Holding};
use super::{Context, Decision};
use crate::halt::HaltLevel;
use crate::id::{AccountName, ClientOrderId};
use crate::message::{
    CancelAnswer, Command, Event, Fate, FindAnswer, NotSent, OrderEnd, OrderReport, ReportedStatus,
};
use crate::number::{Price, Quantity};
use crate::order::{Order, OrderClass, OrderKind, OrderPlan, OrderStatus, Origin};
use crate::policy::EXIT_LIFE;
use crate::retry;
use crate::signal::{Protection, Terms};
use crate::time::Timestamp;

/// After so many attempts an entry is given up, even while it is young.
const ENTRY_ATTEMPTS_MAX: u32 = 8;

/// The answer to a submission.
pub(super) fn submitted(
    context: Context<'_>,
    id: ClientOrderId,
    fate: Fate,
    sent_at: Timestamp,
    answered_at: Timestamp,
) -> Decision {
    let Some(order) = context.state.order(&id) else {
        return unknown_order(id);
    };
    let ended = |end, reason: String| Event::OrderEnded {
        id,
        end,
        reason,
        sent_at: Some(sent_at),
    };
    match fate {
        Fate::Acknowledged { report } => {
            let mut decision = Decision::default();
            if let OrderStatus::Submitting | OrderStatus::Unknown = order.status {
                decision = acknowledge(context, order, &report, Some(sent_at), answered_at);
            }
            decision.join(progress(context, order, &report));
            decision
        }
        Fate::Rejected { reason } if !order.status.is_final() => {
            let mut decision = Decision::event(ended(OrderEnd::Rejected, reason.clone()));
            decision.join(not_placed(context, order, &reason));
            decision
        }
        Fate::NotSent { why } if order.status == OrderStatus::Submitting => {
            not_sent(context, order, why)
        }
        Fate::Unknown { why } if order.status == OrderStatus::Submitting => {
            let mut decision = Decision::event(Event::OrderUnknown {
                id,
                why: why.clone(),
                ask_at: None,
                sent_at: Some(sent_at),
            });
            decision.command(Command::Find {
                lane: order.plan.lane(),
                id,
            });
            decision.command(Command::Notify(format!(
                "nobody knows yet whether {} took order {id}: {why}; it is being asked",
                order.plan.account
            )));
            decision
        }
        // The order's fate became known on another way before this answer came.
        Fate::Rejected { .. } | Fate::NotSent { .. } | Fate::Unknown { .. } => Decision::default(),
    }
}

/// The answer to a question about an order.
pub(super) fn found(context: Context<'_>, id: ClientOrderId, answer: FindAnswer) -> Decision {
    let Some(order) = context.state.order(&id) else {
        return unknown_order(id);
    };
    match answer {
        FindAnswer::Found(report) => {
            let mut decision = Decision::default();
            let adopted = matches!(order.status, OrderStatus::Submitting | OrderStatus::Unknown);
            if adopted {
                decision = acknowledge(context, order, &report, None, context.now());
            }
            decision.join(progress(context, order, &report));
            let asked_again = order.status == OrderStatus::Working
                && order.cancel_requested
                && report.status == ReportedStatus::Working;
            if asked_again {
                decision.command(Command::Cancel {
                    lane: order.plan.lane(),
                    id,
                });
            }
            decision
        }
        FindAnswer::Absent => absent(context, order),
        FindAnswer::Unanswered(why) if !order.status.is_final() => {
            Decision::event(Event::OrderUnknown {
                id,
                why,
                ask_at: Some(context.now().after(retry::wait_after(order.questions + 1))),
                sent_at: None,
            })
        }
        FindAnswer::Unanswered(_) => Decision::default(),
    }
}

/// The answer to a cancellation.
pub(super) fn cancel_answered(
    context: Context<'_>,
    id: ClientOrderId,
    answer: CancelAnswer,
) -> Decision {
    let Some(order) = context.state.order(&id) else {
        return unknown_order(id);
    };
    match answer {
        CancelAnswer::Done(report) => progress(context, order, &report),
        CancelAnswer::NotOpen | CancelAnswer::Unanswered(_) if order.status.is_final() => {
            Decision::default()
        }
        // It may have traded in between: the broker is asked before anything is believed.
        CancelAnswer::NotOpen => {
            let mut decision = Decision::event(Event::OrderQuestioned { id });
            decision.command(Command::Find {
                lane: order.plan.lane(),
                id,
            });
            decision
        }
        CancelAnswer::Unanswered(why) => Decision::event(Event::OrderUnknown {
            id,
            why: format!("no answer to the cancellation: {why}"),
            ask_at: Some(context.now().after(retry::wait_after(order.questions + 1))),
            sent_at: None,
        }),
    }
}

/// A report that came by itself.
pub(super) fn reported(
    context: Context<'_>,
    account: &AccountName,
    report: &OrderReport,
) -> Decision {
    let order = context
        .state
        .order(&report.id)
        .filter(|order| order.plan.account == *account);
    let Some(order) = order else {
        return unknown_order(report.id);
    };
    let mut decision = Decision::default();
    if let OrderStatus::Submitting | OrderStatus::Unknown = order.status {
        decision = acknowledge(context, order, report, None, context.now());
    }
    decision.join(progress(context, order, report));
    decision
}

/// The process is new: whatever was in flight has an unknown fate, and what rests may have moved.
pub(super) fn started(context: Context<'_>, version: String) -> Decision {
    let mut decision = Decision::event(Event::Started { version });
    for order in context.state.open_orders() {
        let id = order.plan.id;
        match order.status {
            OrderStatus::Submitting => decision.push(Event::OrderUnknown {
                id,
                why: "the process ended before the broker's answer".to_owned(),
                ask_at: None,
                sent_at: None,
            }),
            OrderStatus::Unknown | OrderStatus::Working => {
                decision.push(Event::OrderQuestioned { id });
            }
            OrderStatus::Waiting
            | OrderStatus::Filled
            | OrderStatus::Cancelled
            | OrderStatus::Rejected
            | OrderStatus::Expired
            | OrderStatus::Abandoned => continue,
        }
        decision.command(Command::Find {
            lane: order.plan.lane(),
            id,
        });
    }
    decision
}

fn unknown_order(id: ClientOrderId) -> Decision {
    let mut decision = Decision::default();
    decision.alarm(
        format!(
            "a broker speaks of order {id}, which is not among the open or the last orders here"
        ),
        Some(id),
    );
    decision
}

fn acknowledge(
    context: Context<'_>,
    order: &Order,
    report: &OrderReport,
    sent_at: Option<Timestamp>,
    answered_at: Timestamp,
) -> Decision {
    let id = order.plan.id;
    let mut decision = Decision::event(Event::OrderAcknowledged {
        id,
        broker_order_id: report.broker_order_id.clone(),
        sent_at,
        answered_at,
    });
    if report.status != ReportedStatus::Working {
        return decision;
    }
    if order.cancel_requested {
        decision.command(Command::Cancel {
            lane: order.plan.lane(),
            id,
        });
    }
    // The new protection rests: only now may the old one go.
    let replaced = order
        .plan
        .replaces
        .and_then(|old| context.state.open_order(&old));
    if let Some(old) = replaced {
        decision.join(super::cancel::request(
            old,
            "replaced by protection of the right size",
        ));
    }
    decision
}

/// What a report adds to what is known. Totals that are not above the known ones add nothing.
fn progress(context: Context<'_>, order: &Order, report: &OrderReport) -> Decision {
    let mut decision = Decision::default();
    let id = order.plan.id;
    let traded = report.filled - order.filled;
    if traded > Decimal::ZERO {
        decision.join(fill(context, order, report, traded));
    }
    if order.status.is_final() {
        return decision;
    }
    let (end, reason) = match &report.status {
        ReportedStatus::Working => return decision,
        ReportedStatus::Filled => (OrderEnd::Filled, String::new()),
        ReportedStatus::Cancelled { reason } => (OrderEnd::Cancelled, reason.clone()),
        ReportedStatus::Rejected { reason } => (OrderEnd::Rejected, reason.clone()),
    };
    decision.push(Event::OrderEnded {
        id,
        end,
        reason: reason.clone(),
        sent_at: None,
    });
    match end {
        OrderEnd::Rejected => decision.join(not_placed(context, order, &reason)),
        OrderEnd::Cancelled if !order.cancel_requested => {
            decision.join(ended_unasked(context, order, traded, &reason));
        }
        OrderEnd::Filled | OrderEnd::Cancelled | OrderEnd::Expired | OrderEnd::Abandoned => {}
    }
    decision
}

fn fill(context: Context<'_>, order: &Order, report: &OrderReport, traded: Decimal) -> Decision {
    let id = order.plan.id;
    let cost_after = report.filled.saturating_mul(report.average_price);
    let cost_before = order.filled.saturating_mul(order.average_price);
    let price = cost_after
        .saturating_sub(cost_before)
        .checked_div(traded)
        .unwrap_or(report.average_price)
        .normalize();
    let mut decision = Decision::event(Event::OrderFilled {
        id,
        quantity: traded.normalize(),
        price,
        fee: (report.fees - order.fees).normalize(),
        total: report.filled.normalize(),
        at: report.at,
    });
    if report.filled > order.plan.quantity.get() {
        decision.alarm(
            format!(
                "order {id} traded {} and was for {}; look at account {}",
                report.filled, order.plan.quantity, order.plan.account
            ),
            Some(id),
        );
    }
    if order.plan.class == OrderClass::Entry {
        decision.join(after_entry(context, order, traded, report));
    }
    decision
}

/// What an entry's fill asks for: protection, or its end where positions may only shrink.
fn after_entry(
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
        let reason = "filled while only exits are allowed".to_owned();
        decision.join(close_again(context, order, traded, &reason));
    } else {
        for piece in protection_of(context, order, traded, report.filled) {
            exits::plan_order(&mut decision, piece);
        }
    }
    decision
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
            "{} {} of {} is closed at the market: {reason}",
            quantity, plan.symbol, plan.account
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
        ..child_plan(context, order)
    };
    exits::plan_order(&mut decision, exit);
    decision
}

fn child_id(order: &Order, what: &str, amount: Decimal) -> ClientOrderId {
    ClientOrderId::derive(&[
        b"child",
        order.plan.id.as_bytes(),
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
        reduce_only: exits::is_alone(
            context,
            Holding {
                account: &order.plan.account,
                strategy: &order.plan.strategy,
                symbol: &order.plan.symbol,
            },
        ),
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
    let Protection { stop, targets } = &plan.protection;
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
fn not_placed(context: Context<'_>, order: &Order, reason: &str) -> Decision {
    match order.plan.class {
        OrderClass::Entry => Decision::default(),
        OrderClass::Exit => {
            let mut decision = Decision::default();
            let held = exits::standing(
                context.state.account(&order.plan.account),
                Holding {
                    account: &order.plan.account,
                    strategy: &order.plan.strategy,
                    symbol: &order.plan.symbol,
                },
            )
            .held;
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
    let held = context
        .state
        .account(&order.plan.account)
        .map_or(Decimal::ZERO, |account| {
            account.held(&order.plan.strategy, &order.plan.symbol)
        });
    // Protection of a position that is gone has nothing left to protect.
    if held.is_zero() || exits::closing_side(held) != order.plan.side {
        return Decision::default();
    }
    let quantity = order.remaining().min(held.abs());
    let id = child_id(order, "naked", quantity);
    let mut decision = Decision::default();
    decision.alarm(
        format!(
            "protection {} of {quantity} {} in {} does not rest: {reason}; the position is closed at the market",
            order.plan.id, order.plan.symbol, order.plan.account
        ),
        Some(order.plan.id),
    );
    if let Ok(quantity) = Quantity::new(quantity) {
        let exit = OrderPlan {
            id,
            quantity,
            kind: OrderKind::MARKET,
            class: OrderClass::Exit,
            origin: Origin::Protects(order.plan.id),
            ..child_plan(context, order)
        };
        exits::plan_order(&mut decision, exit);
    }
    decision
}

/// The broker ended an order that nobody here took back.
fn ended_unasked(context: Context<'_>, order: &Order, traded: Decimal, reason: &str) -> Decision {
    let mut decision = Decision::default();
    if order.plan.class != OrderClass::Protection {
        return decision;
    }
    let held = context
        .state
        .account(&order.plan.account)
        .map_or(Decimal::ZERO, |account| {
            account.held(&order.plan.strategy, &order.plan.symbol)
        });
    let still = held + order.plan.side.signed(traded.max(Decimal::ZERO));
    if !still.is_zero() && exits::closing_side(still) == order.plan.side {
        decision.alarm(
            format!(
                "protection {} of {} in {} was taken away at the broker ({reason}); {still} is held without it",
                order.plan.id, order.plan.symbol, order.plan.account
            ),
            Some(order.plan.id),
        );
    }
    decision
}

fn not_sent(context: Context<'_>, order: &Order, why: NotSent) -> Decision {
    let id = order.plan.id;
    let now = context.now();
    let given_up = order.plan.class == OrderClass::Entry && order.attempts >= ENTRY_ATTEMPTS_MAX;
    let end = match &why {
        NotSent::Halted => Some(OrderEnd::Abandoned),
        NotSent::Expired => Some(OrderEnd::Expired),
        NotSent::LaneFrozen | NotSent::Unreachable(_) => {
            let over = now >= order.plan.expires_at || given_up;
            over.then_some(OrderEnd::Expired)
        }
    };
    if order.cancel_requested {
        return Decision::event(Event::OrderEnded {
            id,
            end: OrderEnd::Abandoned,
            reason: "taken back before it was sent".to_owned(),
            sent_at: None,
        });
    }
    if let Some(end) = end {
        let reason = why.to_string();
        let mut decision = Decision::event(Event::OrderEnded {
            id,
            end,
            reason: reason.clone(),
            sent_at: None,
        });
        decision.join(not_placed(context, order, &reason));
        return decision;
    }
    let retry_at = match &why {
        // The lane's thaw releases it; the timer is only the second path.
        NotSent::LaneFrozen => now.after(retry::wait_after(4)),
        NotSent::Unreachable(_) | NotSent::Halted | NotSent::Expired => {
            now.after(retry::wait_after(order.attempts))
        }
    };
    Decision::event(Event::OrderNotSent { id, why, retry_at })
}

/// The broker is certain, after the time fence, that it has no such order.
fn absent(context: Context<'_>, order: &Order) -> Decision {
    let plan = &order.plan;
    let id = plan.id;
    let now = context.now();
    let ended = |end, reason: &str| {
        Decision::event(Event::OrderEnded {
            id,
            end,
            reason: reason.to_owned(),
            sent_at: None,
        })
    };
    match order.status {
        OrderStatus::Unknown | OrderStatus::Submitting if order.broker_order_id.is_none() => {}
        OrderStatus::Unknown | OrderStatus::Submitting | OrderStatus::Working => {
            let mut decision = ended(OrderEnd::Cancelled, "the broker no longer knows it");
            decision.alarm(
                format!(
                    "{} no longer knows order {id}, which it had taken; look at the account",
                    plan.account
                ),
                Some(id),
            );
            decision.join(not_placed(context, order, "the broker no longer knows it"));
            return decision;
        }
        OrderStatus::Waiting
        | OrderStatus::Filled
        | OrderStatus::Cancelled
        | OrderStatus::Rejected
        | OrderStatus::Expired
        | OrderStatus::Abandoned => return Decision::default(),
    }
    if order.cancel_requested {
        return ended(OrderEnd::Abandoned, "taken back; the broker never had it");
    }
    let halted = plan.class == OrderClass::Entry
        && !context
            .state
            .halts_on(&plan.account, &plan.strategy, &plan.symbol)
            .is_empty();
    let given_up = plan.class == OrderClass::Entry && order.attempts >= ENTRY_ATTEMPTS_MAX;
    if halted {
        return ended(
            OrderEnd::Abandoned,
            "a halt is in force, and the broker never had it",
        );
    }
    if now >= plan.expires_at || given_up {
        let reason = "its time was over when the broker said that it never had it";
        let mut decision = ended(OrderEnd::Expired, reason);
        decision.join(not_placed(context, order, reason));
        return decision;
    }
    let mut decision = Decision::event(Event::OrderReleased {
        id,
        quantity: plan.quantity.get(),
    });
    decision.command(Command::Submit(Box::new(plan.clone())));
    decision
}
