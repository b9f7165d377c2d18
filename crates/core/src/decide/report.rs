//! What a broker's word, or its silence, makes of an order.

use rust_decimal::Decimal;

use super::guard::{ended_unasked, not_placed, refused};
use super::protection::{after_entry, after_exit};
use super::{Context, Decision, levels};
use crate::id::{AccountName, ClientOrderId};
use crate::message::{
    CancelAnswer, Command, Event, Fate, FindAnswer, NotSent, OrderEnd, OrderReport, ReportedStatus,
};
use crate::order::{Order, OrderClass, OrderStatus};
use crate::retry;
use crate::signal::Side;
use crate::time::Timestamp;

/// After so many attempts an entry is given up, even while it is young.
const ENTRY_ATTEMPTS_MAX: u32 = 8;

/// After so many questions about an order that is being taken back, a cancellation that is denied is
/// followed by a wait.
const DENIALS_MAX: u32 = 2;

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
            let mut decision = adopt(context, order, &report, Some(sent_at), answered_at);
            decision.join(progress(context, order, &report));
            decision
        }
        Fate::Rejected { reason } => match order.status {
            OrderStatus::Submitting | OrderStatus::Unknown => {
                let mut decision = Decision::event(ended(OrderEnd::Rejected, reason.clone()));
                decision.join(refused(context, order, Decimal::ZERO, &reason));
                decision
            }
            // The broker has said before that it has the order: it is asked which is true.
            OrderStatus::Working => question(order),
            OrderStatus::Waiting
            | OrderStatus::Filled
            | OrderStatus::Cancelled
            | OrderStatus::Rejected
            | OrderStatus::Expired
            | OrderStatus::Abandoned => Decision::default(),
        },
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
            decision.command(Command::Find(Box::new(order.plan.clone())));
            decision.command(Command::Notify(format!(
                "nobody knows yet whether {} took order {id}: {why}; it is being asked",
                order.plan.account
            )));
            decision
        }
        // The order's fate became known on another way before this answer came.
        Fate::NotSent { .. } | Fate::Unknown { .. } => Decision::default(),
    }
}

/// The answer to a question about an order.
pub(super) fn found(context: Context<'_>, id: ClientOrderId, answer: FindAnswer) -> Decision {
    let Some(order) = context.state.order(&id) else {
        return unknown_order(id);
    };
    match answer {
        FindAnswer::Found(report) => {
            let mut decision = adopt(context, order, &report, None, context.now());
            decision.join(progress(context, order, &report));
            let asked_again = order.status == OrderStatus::Working
                && order.cancel_requested
                && report.status == ReportedStatus::Working;
            if asked_again {
                decision.command(Command::Cancel(Box::new(order.plan.clone())));
            }
            decision
        }
        FindAnswer::Absent => absent(context, order),
        FindAnswer::Unanswered(why) if is_asked_about(order) => {
            Decision::event(Event::OrderUnknown {
                id,
                why,
                ask_at: Some(
                    context
                        .now()
                        .after(retry::question_after(order.questions + 1)),
                ),
                sent_at: None,
            })
        }
        FindAnswer::Unanswered(_) => Decision::default(),
    }
}

/// Whether a question about the order can still be open. An order that is being sent (again) has
/// an answer of its own to come, which an older one must not disturb.
const fn is_asked_about(order: &Order) -> bool {
    matches!(order.status, OrderStatus::Unknown | OrderStatus::Working)
}

/// Asks the broker where the order stands.
fn question(order: &Order) -> Decision {
    let id = order.plan.id;
    let mut decision = Decision::event(Event::OrderQuestioned { id });
    decision.command(Command::Find(Box::new(order.plan.clone())));
    decision
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
        CancelAnswer::NotOpen | CancelAnswer::Unanswered(_) if !is_asked_about(order) => {
            Decision::default()
        }
        // It may have traded in between: the broker is asked before anything is believed. One that
        // finds the order resting and denies it in turn is asked less and less often.
        CancelAnswer::NotOpen if order.questions >= DENIALS_MAX => {
            Decision::event(Event::OrderUnknown {
                id,
                why: "the broker shows it resting, and says that it can't be taken back".to_owned(),
                ask_at: Some(context.now().after(retry::question_after(order.questions))),
                sent_at: None,
            })
        }
        CancelAnswer::NotOpen => question(order),
        CancelAnswer::Unanswered(why) => Decision::event(Event::OrderUnknown {
            id,
            why: format!("no answer to the cancellation: {why}"),
            ask_at: Some(
                context
                    .now()
                    .after(retry::question_after(order.questions + 1)),
            ),
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
    let mut decision = adopt(context, order, report, None, context.now());
    decision.join(progress(context, order, report));
    // A report can be old: it proves that the broker has the order, not where that stands now.
    if order.status == OrderStatus::Unknown && report.status == ReportedStatus::Working {
        decision.join(question(order));
    }
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
        decision.command(Command::Find(Box::new(order.plan.clone())));
    }
    decision
}

/// Something may have happened that nobody told: the broker is asked about all that it may have.
pub(super) fn missed(context: Context<'_>, account: &AccountName) -> Decision {
    let mut decision = Decision::default();
    let Some(account) = context.state.account(account) else {
        return decision;
    };
    for order in account
        .orders
        .values()
        .filter(|order| is_asked_about(order))
    {
        decision.join(question(order));
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

/// A report of an order makes it one that the broker has, whatever was thought of it before.
fn adopt(
    context: Context<'_>,
    order: &Order,
    report: &OrderReport,
    sent_at: Option<Timestamp>,
    answered_at: Timestamp,
) -> Decision {
    match order.status {
        OrderStatus::Waiting | OrderStatus::Submitting | OrderStatus::Unknown => {
            acknowledge(context, order, report, sent_at, answered_at)
        }
        // It was given up because the broker did not have it, and there it rests.
        OrderStatus::Rejected | OrderStatus::Expired | OrderStatus::Abandoned
            if report.status == ReportedStatus::Working =>
        {
            let mut decision = Decision::default();
            decision.alarm(
                format!(
                    "{} has order {}, which was {} here; it is taken back",
                    order.plan.account,
                    order.plan.id,
                    order.status.as_str()
                ),
                Some(order.plan.id),
            );
            decision.command(Command::Cancel(Box::new(order.plan.clone())));
            decision
        }
        OrderStatus::Working
        | OrderStatus::Filled
        | OrderStatus::Cancelled
        | OrderStatus::Rejected
        | OrderStatus::Expired
        | OrderStatus::Abandoned => Decision::default(),
    }
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
    match report.status {
        ReportedStatus::Working if order.cancel_requested => {
            decision.command(Command::Cancel(Box::new(order.plan.clone())));
        }
        // One that has traded already has done the work of what it replaces.
        ReportedStatus::Working | ReportedStatus::Filled => {}
        ReportedStatus::Cancelled { .. } | ReportedStatus::Rejected { .. } => return decision,
    }
    // The new protection rests: only now may the old one go, and what that was to replace.
    for old in context.state.replaced_by(order) {
        let reason = if old.plan.kind == order.plan.kind {
            "replaced by protection of the right size"
        } else {
            "replaced by protection at the new levels"
        };
        decision.join(super::cancel::request(old, reason));
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
        OrderEnd::Rejected => {
            decision.join(refused(context, order, traded.max(Decimal::ZERO), &reason))
        }
        OrderEnd::Cancelled if !order.cancel_requested => {
            decision.join(ended_unasked(context, order, traded, &reason));
        }
        OrderEnd::Filled | OrderEnd::Cancelled | OrderEnd::Expired | OrderEnd::Abandoned => {}
    }
    decision
}

/// How much more of what was bought the broker has kept.
pub(super) fn withheld(order: &Order, report: &OrderReport) -> Decimal {
    match order.plan.side {
        Side::Buy => (report.withheld - order.withheld)
            .max(Decimal::ZERO)
            .normalize(),
        Side::Sell => Decimal::ZERO,
    }
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
        withheld: withheld(order, report),
        total: report.filled.normalize(),
        at: report.at,
    });
    let is_too_much = report.filled > order.plan.quantity.get();
    if is_too_much && !levels::closes_position(context, order) {
        decision.alarm(
            format!(
                "order {id} traded {} and was for {}; look at account {}",
                report.filled, order.plan.quantity, order.plan.account
            ),
            Some(id),
        );
    }
    decision.join(match order.plan.class {
        OrderClass::Entry => after_entry(context, order, traded, report),
        OrderClass::Exit | OrderClass::Protection => after_exit(context, order, traded),
    });
    decision
}

fn not_sent(context: Context<'_>, order: &Order, why: NotSent) -> Decision {
    let id = order.plan.id;
    let now = context.now();
    let given_up = order.plan.class == OrderClass::Entry && order.attempts >= ENTRY_ATTEMPTS_MAX;
    let end = match &why {
        NotSent::Halted | NotSent::TakenBack => Some(OrderEnd::Abandoned),
        NotSent::Expired => Some(OrderEnd::Expired),
        NotSent::LaneFrozen | NotSent::Unreachable(_) | NotSent::NeverArrived => {
            let over = now >= order.plan.expires_at || given_up;
            over.then_some(OrderEnd::Expired)
        }
    };
    if order.cancel_requested && levels::closes_position(context, order) {
        return levels::asked_unsent(order);
    }
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
        decision.join(not_placed(context, order, Decimal::ZERO, &reason));
        return decision;
    }
    let retry_at = match &why {
        // The lane's thaw releases it; the timer is only the second path.
        NotSent::LaneFrozen => now.after(retry::wait_after(4)),
        NotSent::Unreachable(_)
        | NotSent::Halted
        | NotSent::Expired
        | NotSent::TakenBack
        | NotSent::NeverArrived => now.after(retry::wait_after(order.attempts)),
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
        OrderStatus::Unknown if order.broker_order_id.is_none() => {}
        OrderStatus::Unknown | OrderStatus::Working => {
            let mut decision = ended(OrderEnd::Cancelled, "the broker no longer knows it");
            decision.alarm(
                format!(
                    "{} no longer knows order {id}, which it had taken; look at the account",
                    plan.account
                ),
                Some(id),
            );
            let reason = "the broker no longer knows it";
            decision.join(match plan.class {
                OrderClass::Protection => ended_unasked(context, order, Decimal::ZERO, reason),
                OrderClass::Entry | OrderClass::Exit => {
                    not_placed(context, order, Decimal::ZERO, reason)
                }
            });
            return decision;
        }
        // An order that is being sent again has another answer to come; this one is about the past.
        OrderStatus::Submitting
        | OrderStatus::Waiting
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
        decision.join(not_placed(context, order, Decimal::ZERO, reason));
        return decision;
    }
    // The lane lets it go again at once, if there is still as much to do as there was.
    Decision::event(Event::OrderNotSent {
        id,
        why: NotSent::NeverArrived,
        retry_at: now,
    })
}
