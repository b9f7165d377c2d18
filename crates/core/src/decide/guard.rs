//! The naked-position guard: what is done when a stop does not rest, or does not rest any more.
//!
//! A stop that the broker takes away is placed again. One that can't be placed, does not come to rest in time, or is
//! taken away as soon as it rests, leaves the position naked: it is closed at the market, or the
//! owner is told, as the account's policy says.

use std::collections::BTreeSet;

use rust_decimal::Decimal;

use super::exchange::{self, Market};
use super::exits::{self, ExitOrigin, Holding, Standing, holding_of};
use super::protection::{child_id, held};
use super::{Context, Decision};
use crate::id::ClientOrderId;
use crate::message::Event;
use crate::number::Quantity;
use crate::order::{Order, OrderClass, OrderKind, OrderPlan, OrderStatus, Origin};
use crate::policy::{EXIT_LIFE, Guard, Unprotected};
use crate::retry;
use crate::state::AccountState;

/// When a stop turned out not to be there. Each happens once to an order.
#[derive(Clone, Copy)]
enum Bare {
    /// It had not come to rest in time.
    Late,
    /// It rested, and the broker has not said for too long whether it still does.
    Unsure,
    /// It ended.
    Over,
}

impl Bare {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Late => "late",
            Self::Unsure => "unsure",
            Self::Over => "naked",
        }
    }
}

/// An order that never came to rest, or was refused after it did. `traded` is what the same word of
/// the broker's adds.
pub(super) fn not_placed(
    context: Context<'_>,
    order: &Order,
    traded: Decimal,
    reason: &str,
) -> Decision {
    match order.plan.class {
        OrderClass::Entry => Decision::default(),
        OrderClass::Exit => exit_not_placed(context, order, traded, reason),
        OrderClass::Protection if order.plan.kind.is_stop() => {
            naked(context, order, traded, Bare::Over, reason)
        }
        OrderClass::Protection => {
            let mut decision = Decision::default();
            if !uncovered(context, order, traded).is_zero() {
                decision.alarm(
                    format!(
                        "target {} of {} in {} does not rest: {reason}; the position has no target there",
                        order.plan.id, order.plan.symbol, order.plan.account
                    ),
                    Some(order.plan.id),
                );
            }
            decision
        }
    }
}

fn exit_not_placed(context: Context<'_>, order: &Order, traded: Decimal, reason: &str) -> Decision {
    let mut decision = Decision::default();
    let held = held(context, order) + order.plan.side.signed(traded);
    if held.is_zero() {
        return decision;
    }
    decision.alarm(
        format!(
            "exit {} of {} in {} was not executed: {reason}; {held} is still held",
            order.plan.id, order.plan.symbol, order.plan.account
        ),
        Some(order.plan.id),
    );
    decision.join(made_way_again(context, order, traded));
    decision
}

/// An order that the broker has refused.
pub(super) fn refused(
    context: Context<'_>,
    order: &Order,
    traded: Decimal,
    reason: &str,
) -> Decision {
    let mut decision = not_placed(context, order, traded, reason);
    if order.plan.class == OrderClass::Exit && traded.is_zero() {
        decision.join(of_what_is_left(context, order));
    }
    decision
}

/// An exit was refused that asked for more than there is by now: a stop that fired or another exit was
/// faster. What is left goes then, each time less than was asked for before. What has made way for an
/// exit comes back instead.
fn of_what_is_left(context: Context<'_>, exit: &Order) -> Decision {
    let is_all = held(context, exit).abs() >= exit.remaining();
    if exit.plan.kind.rests() || !exit.plan.instead_of.is_empty() || is_all {
        return Decision::default();
    }
    let holding = holding_of(&exit.plan);
    let standing = exits::standing_without(context, holding, Some(exit.plan.id));
    if exits::closing_side(standing.held) != exit.plan.side {
        return Decision::default();
    }
    let left = match &exit.plan.origin {
        Origin::Protects(_) => bare_of(context, holding, standing),
        Origin::Alert(_) | Origin::Operator(_) => standing.free(),
    };
    if left.is_zero() {
        return Decision::default();
    }
    let id = |step: &str| child_id(exit, &format!("left {step}"), left);
    let how = ExitOrigin {
        origin: exit.plan.origin.clone(),
        kind: exit.plan.kind,
        reason: "taken back for an exit that goes now",
        id: &id,
        over: Some(exit.plan.id),
    };
    exits::exit(context, holding, Some(left), &how).into_decision()
}

/// Protection that had made way for an exit is needed again when that is over.
fn made_way_again(context: Context<'_>, exit: &Order, traded: Decimal) -> Decision {
    let mut decision = Decision::default();
    let given_back = exit.remaining() - traded;
    // What this word brings back is not among the facts yet.
    let (mut stops, mut targets) = (Decimal::ZERO, Decimal::ZERO);
    for id in &exit.plan.instead_of {
        let gone = context.state.order(id);
        let Some(gone) = gone.filter(|gone| gone.status.is_final()) else {
            continue;
        };
        let back = if gone.plan.kind.is_stop() {
            &mut stops
        } else {
            &mut targets
        };
        let missing = bare(context, gone, Decimal::ZERO, given_back) - *back;
        let missing = missing.min(gone.remaining()).max(Decimal::ZERO);
        *back += missing;
        decision.join(again(context, gone, missing));
    }
    decision
}

/// A stop that isn't there: what it was for is closed or told, unless an older one still rests in
/// its place.
fn naked(
    context: Context<'_>,
    order: &Order,
    traded: Decimal,
    when: Bare,
    reason: &str,
) -> Decision {
    if let Some(decision) = old_one_stays(context, order, reason) {
        return decision;
    }
    let holding = holding_of(&order.plan);
    let mut standing = exits::standing(context, holding);
    standing.held += order.plan.side.signed(traded);
    // Protection of a position that is gone, or is being closed, has nothing left to protect.
    // Nor has what another stop stands for.
    let quantity = uncovered(context, order, traded).min(standing.staying());
    if quantity.is_zero() || exits::closing_side(standing.held) != order.plan.side {
        return Decision::default();
    }
    let otherwise = match when {
        // It most likely rests. To close for a question without an answer would be to leave with
        // each cut of the line.
        Bare::Unsure => Unprotected::Tell,
        Bare::Late | Bare::Over => guard_of(context, order).otherwise,
    };
    let what = match (otherwise, when) {
        (Unprotected::Close, _) => "the position is closed at the market",
        (Unprotected::Tell, Bare::Unsure) => "it rested, and nobody knows whether it still does",
        (Unprotected::Tell, Bare::Late | Bare::Over) => "the position has no stop: look at it now",
    };
    let mut decision = Decision::default();
    let does_not_rest = match when {
        Bare::Unsure => "is out of sight",
        Bare::Late | Bare::Over => "does not rest",
    };
    decision.alarm(
        format!(
            "protection {} of {quantity} {} in {} {does_not_rest}: {reason}; {what}",
            order.plan.id, order.plan.symbol, order.plan.account
        ),
        Some(order.plan.id),
    );
    if otherwise == Unprotected::Close {
        let id = |step: &str| child_id(order, &format!("{} {step}", when.as_str()), quantity);
        let how = ExitOrigin {
            origin: Origin::Protects(order.plan.id),
            kind: OrderKind::MARKET,
            reason: "taken back to close a position without protection",
            id: &id,
            over: match when {
                Bare::Late | Bare::Unsure => None,
                Bare::Over => Some(order.plan.id),
            },
        };
        decision.join(exits::exit(context, holding, Some(quantity), &how).into_decision());
    }
    decision
}

/// Where protection that was to take the place of another one is not there, and that one still is.
fn old_one_stays(context: Context<'_>, order: &Order, reason: &str) -> Option<Decision> {
    let replaced = context.state.replaced_by(order).next();
    // Once the new one has rested the old one goes, and stands for nothing any more.
    let old = replaced.filter(|old| !old.cancel_requested)?;
    let mut decision = Decision::default();
    let what = if old.plan.kind == order.plan.kind {
        "resized"
    } else {
        "moved to the new levels"
    };
    decision.alarm(
        format!(
            "protection {} of {} in {} could not be {what}: {reason}; the old one stays",
            order.plan.id, order.plan.symbol, order.plan.account
        ),
        Some(order.plan.id),
    );
    Some(decision)
}

fn guard_of(context: Context<'_>, order: &Order) -> Guard {
    let policy = context.policy.accounts.get(&order.plan.account);
    policy.map_or_else(Guard::default, |policy| policy.guard)
}

/// Stops that have not come to rest in time, counted from their planning or from the start of this
/// process: what was planned before it is being asked about; or from the opening, where the market was
/// closed. One that has rested is late when the
/// broker has not said for as long where it stands. One of a holding at a time, since what follows
/// from one decides how much is left for the next.
pub(super) fn late_protection(context: Context<'_>) -> Decision {
    let mut decision = Decision::default();
    for (name, account) in &context.state.accounts {
        let Some(policy) = context.policy.accounts.get(name) else {
            continue;
        };
        let mut seen = BTreeSet::new();
        for order in account.protection_orders() {
            let rested = order.broker_order_id.is_some();
            let since = order.unknown_since.filter(|_| rested);
            let since = since.unwrap_or(order.planned_at);
            let since = since.max(context.state.started_at);
            let since = match exchange::market(context, name, &order.plan.symbol) {
                Market::Open { .. } | Market::Closed { .. } if rested => since,
                // It is tried on, and has its time once the market takes it: closing at the opening
                // what only waited for the opening would be to leave at the gap.
                Market::Open { since: opened } if since < opened => {
                    opened.after(retry::wait_after(u32::MAX))
                }
                Market::Open { .. } => since,
                Market::Closed { .. } => continue,
            };
            let is_late = order.plan.kind.is_stop()
                && !order.late
                && !order.cancel_requested
                && order.status != OrderStatus::Working
                && context.now().since(since) >= policy.guard.within;
            if !is_late || !seen.insert((&order.plan.strategy, &order.plan.symbol)) {
                continue;
            }
            decision.push(Event::ProtectionLate { id: order.plan.id });
            let reason = format!(
                "{} for {} s",
                order.status.as_str(),
                context.now().since(since).as_secs()
            );
            let when = if rested { Bare::Unsure } else { Bare::Late };
            decision.join(naked(context, order, Decimal::ZERO, when, &reason));
        }
    }
    decision
}

/// Exits that have not gone in time: one that has displaced a stop and can't be sent, or can't be
/// seen to have been, and one that waits for entries of which nobody knows whether they trade. The
/// owner is told; the exit is tried on.
pub(super) fn late_exits(context: Context<'_>) -> Decision {
    let mut decision = Decision::default();
    let exits = context
        .state
        .unsettled_orders()
        .filter(|order| order.plan.class == OrderClass::Exit && !order.late);
    for order in exits {
        let Some(what) = lateness(context, order) else {
            continue;
        };
        let plan = &order.plan;
        decision.push(Event::ProtectionLate { id: plan.id });
        decision.alarm(
            format!(
                "exit {} of {} {} in {} is late: {what}",
                plan.id,
                order.remaining(),
                plan.symbol,
                plan.account
            ),
            Some(plan.id),
        );
    }
    decision
}

fn lateness(context: Context<'_>, order: &Order) -> Option<String> {
    let plan = &order.plan;
    let is_gone = |id| {
        let stop = context.state.order(id);
        stop.is_some_and(|stop| stop.plan.kind.is_stop() && stop.status.is_final())
    };
    let since = order.planned_at.max(context.state.started_at);
    let is_slow = context.now().since(since) >= guard_of(context, order).within;
    if order.attempts > 0 && is_slow && plan.instead_of.iter().any(is_gone) {
        let why = order.reason.as_deref().unwrap_or(order.status.as_str());
        return Some(format!(
            "the stop that it took the place of is gone, and it is not executed ({why}); it is \
             tried on, look at the account"
        ));
    }
    let open = plan
        .after
        .iter()
        .find(|id| context.state.open_order(id).is_some())?;
    (order.attempts == 0 && context.now() >= plan.expires_at).then(|| {
        format!("it waits for order {open}, whose fate is not known; it goes when that is")
    })
}

/// The broker ended an order that nobody here took back. `traded` is what the same report adds.
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
    let missing = uncovered(context, order, traded);
    match plan.class {
        OrderClass::Entry => {}
        OrderClass::Exit => {
            decision.alarm(
                format!(
                    "exit {} of {} in {} was ended by the broker ({reason}); {still} is still held",
                    plan.id, plan.symbol, plan.account
                ),
                Some(plan.id),
            );
            let traded = traded.max(Decimal::ZERO);
            decision.join(made_way_again(context, order, traded));
        }
        OrderClass::Protection if has_made_way(context, order) => {
            decision.join(again(context, order, missing));
        }
        OrderClass::Protection if missing.is_zero() => {
            let old = old_one_stays(context, order, reason);
            decision.join(old.unwrap_or_default());
        }
        OrderClass::Protection if is_young_copy(context, order) => {
            let reason = format!("the broker takes it away each time ({reason})");
            decision.join(not_placed(context, order, traded, &reason));
        }
        OrderClass::Protection => {
            decision.alarm(
                format!(
                    "protection {} of {} in {} was taken away at the broker ({reason}); it is placed again",
                    plan.id, plan.symbol, plan.account
                ),
                Some(plan.id),
            );
            decision.join(again(context, order, missing));
        }
    }
    decision
}

/// Whether it was placed in the stead of one that the broker had taken away, a moment ago.
fn is_young_copy(context: Context<'_>, order: &Order) -> bool {
    let is_copy = match &order.plan.origin {
        Origin::Protects(parent) => context
            .state
            .order(parent)
            .is_some_and(|parent| parent.plan.class == OrderClass::Protection),
        Origin::Alert(_) | Origin::Operator(_) => false,
    };
    is_copy && context.now().since(order.planned_at) < guard_of(context, order).within
}

/// Whether an exit has asked for its place.
fn has_made_way(context: Context<'_>, order: &Order) -> bool {
    let Some(account) = context.state.account(&order.plan.account) else {
        return false;
    };
    let asks = |other: &Order| other.plan.instead_of.contains(&order.plan.id);
    account.orders_in(&order.plan.symbol).any(asks) || account.closed.values().any(asks)
}

/// How much of what this order was for is without an order of its role, were it over now and had it
/// traded so much more.
fn uncovered(context: Context<'_>, order: &Order, traded: Decimal) -> Decimal {
    let missing = bare(context, order, traded, Decimal::ZERO);
    missing.min(order.remaining() - traded).max(Decimal::ZERO)
}

/// How much of the position would be without an order of this one's role, were it over now, had it
/// traded so much more, and did an exit give back its claim. Below zero where there is too much.
fn bare(context: Context<'_>, order: &Order, traded: Decimal, given_back: Decimal) -> Decimal {
    let plan = &order.plan;
    let holding = holding_of(plan);
    let Some(account) = context.state.account(&plan.account) else {
        return Decimal::ZERO;
    };
    let mut standing = exits::standing(context, holding);
    standing.held += plan.side.signed(traded);
    if standing.held.is_zero() || exits::closing_side(standing.held) != plan.side {
        return Decimal::ZERO;
    }
    let covered = covering(account, holding, plan.kind.is_stop(), Some(plan.id));
    let staying = (standing.staying() + given_back).min(standing.held.abs());
    staying - covered
}

/// How much of a position that was asked to have a stop has none, resting or on its way, and is not
/// being left either.
pub(super) fn left_bare(context: Context<'_>, holding: Holding<'_>) -> Decimal {
    bare_of(context, holding, exits::standing(context, holding))
}

fn bare_of(context: Context<'_>, holding: Holding<'_>, standing: Standing) -> Decimal {
    let Some(account) = context.state.account(holding.account) else {
        return Decimal::ZERO;
    };
    let position = account.positions.get(holding.strategy);
    let guarded = position
        .and_then(|symbols| symbols.get(holding.symbol))
        .map_or(Decimal::ZERO, |position| position.guarded);
    let bare = guarded.min(standing.staying()) - covering(account, holding, true, None);
    bare.max(Decimal::ZERO)
}

/// What stops, or else targets, cover, those that are being replaced not counted twice.
fn covering(
    account: &AccountState,
    holding: Holding<'_>,
    is_stop: bool,
    except: Option<ClientOrderId>,
) -> Decimal {
    let others: Vec<_> = account
        .orders_in(holding.symbol)
        .filter(|other| {
            holding.is_of(other)
                && other.plan.class == OrderClass::Protection
                && except != Some(other.plan.id)
                && !other.cancel_requested
                && if is_stop {
                    other.plan.kind.is_stop()
                } else {
                    other.plan.kind.is_target()
                }
        })
        .collect();
    let replaced: BTreeSet<_> = others
        .iter()
        .flat_map(|other| account.replaced_by(other))
        .collect();
    others
        .iter()
        .filter(|other| !replaced.contains(&other.plan.id))
        .fold(Decimal::ZERO, |sum, other| sum + other.remaining())
}

/// The same protection anew, for what is without it.
fn again(context: Context<'_>, order: &Order, missing: Decimal) -> Decision {
    let mut decision = Decision::default();
    let holding = holding_of(&order.plan);
    let missing = exits::in_steps(context, holding.account, holding.symbol, missing);
    let Ok(quantity) = Quantity::new(missing) else {
        return decision;
    };
    let state = context.state;
    let copy = |number: u32| match number {
        0 => child_id(order, "again", missing),
        _ => child_id(order, &format!("again {number}"), missing),
    };
    // One that is over by now may have made way itself.
    let id = (0..)
        .map(copy)
        .find(|id| state.open_order(id).is_some() || state.order(id).is_none());
    let Some(id) = id.filter(|id| state.open_order(id).is_none()) else {
        return decision;
    };
    exits::plan_order(
        &mut decision,
        OrderPlan {
            id,
            quantity,
            origin: Origin::Protects(order.plan.id),
            expires_at: context.now().after(EXIT_LIFE),
            replaces: None,
            instead_of: Vec::new(),
            reduce_only: exits::rests_reducing(context, holding),
            ..order.plan.clone()
        },
    );
    decision
}
