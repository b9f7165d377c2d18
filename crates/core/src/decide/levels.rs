//! One stop and one target for all that a strategy holds of a symbol, where the broker keeps them at
//! the position itself: what an entry adds to inherits them, and the newest entry's win.

use rust_decimal::Decimal;

use super::exits::{self, Holding, holding_of};
use super::{Context, Decision, cancel, sizing};
use crate::id::{AccountName, ClientOrderId};
use crate::message::{Command, Event};
use crate::number::{Price, Quantity};
use crate::order::{Order, OrderClass, OrderKind, OrderPlan, OrderStatus, Origin};
use crate::policy::{Brackets, EXIT_LIFE};
use crate::signal::{Protection, Side, Terms};
use crate::state::AccountState;
use crate::verdict::{Rule, Ruling, Verdict};

/// Where a position is given up, and where its gain is taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Levels {
    stop: Option<Price>,
    target: Option<Price>,
}

impl Levels {
    fn of_kind(kind: OrderKind) -> Self {
        let (stop, target) = match kind {
            OrderKind::Single { terms } => match terms {
                Terms::Stop { trigger } | Terms::StopLimit { trigger, .. } => (Some(trigger), None),
                Terms::Limit { price } => (None, Some(price)),
                Terms::Market => (None, None),
            },
            OrderKind::OneCancelsOther { stop, target } => (Some(stop), Some(target)),
            OrderKind::TrailingStop { .. } => (None, None),
        };
        Self { stop, target }
    }

    fn of_protection(protection: &Protection) -> Self {
        Self {
            stop: protection.stop,
            target: protection.targets.first().copied(),
        }
    }

    /// These, and the other ones' where these say nothing.
    fn or(self, other: Self) -> Self {
        Self {
            stop: self.stop.or(other.stop),
            target: self.target.or(other.target),
        }
    }

    /// What is asked, with these where nothing is asked.
    fn complete(self, asked: &Protection) -> Protection {
        if asked.trail_percent.is_some() {
            return asked.clone();
        }
        let mut whole = asked.clone();
        whole.stop = whole.stop.or(self.stop);
        if whole.targets.is_empty() {
            whole.targets.extend(self.target);
        }
        whole
    }
}

/// Whether the account's broker keeps stop and target at the position.
pub(super) fn are_at_position(context: Context<'_>, account: &AccountName) -> bool {
    context
        .policy
        .accounts
        .get(account)
        .is_some_and(|policy| policy.capabilities.brackets == Brackets::OnPosition)
}

/// The protection of an entry with what it inherits from the position that it adds to, and a word
/// about what becomes of the position's levels. Elsewhere each entry's protection is its own.
pub(super) fn inherited(
    context: Context<'_>,
    holding: Holding<'_>,
    side: Side,
    asked: &Protection,
) -> (Protection, Option<Verdict>) {
    let account = context.state.account(holding.account);
    let Some(account) = account.filter(|_| are_at_position(context, holding.account)) else {
        return (asked.clone(), None);
    };
    let now = coming(account, holding, side).or(resting(context, account, holding, side));
    (now.complete(asked), note(now, asked, holding))
}

fn note(now: Levels, asked: &Protection, holding: Holding<'_>) -> Option<Verdict> {
    let asked = Levels::of_protection(asked);
    let words = [
        ("stop", now.stop, asked.stop),
        ("target", now.target, asked.target),
    ];
    let said: Vec<_> = words
        .into_iter()
        .filter_map(|(what, now, asked)| match (now?, asked) {
            (now, None) => Some(format!("its {what} {now} holds for what is added")),
            (now, Some(asked)) if now == asked => None,
            (now, Some(asked)) => Some(format!("its {what} moves from {now} to {asked}")),
        })
        .collect();
    (!said.is_empty()).then(|| Verdict {
        ruling: Ruling::Note,
        ..sizing::refuse(
            Rule::Protection,
            format!(
                "the position in {} has one stop and one target: {}",
                holding.symbol,
                said.join(", ")
            ),
        )
    })
}

/// What protects a holding on this side, the newest first. Nothing while all of it is being left.
fn resting(
    context: Context<'_>,
    account: &AccountState,
    holding: Holding<'_>,
    side: Side,
) -> Levels {
    let standing = exits::standing(context, holding);
    if standing.staying().is_zero() || exits::closing_side(standing.held) == side {
        return Levels::default();
    }
    let mut orders = live(account, holding, side.opposite());
    orders.sort_by_key(|order| (order.planned_at, order.plan.id));
    orders.iter().fold(Levels::default(), |levels, order| {
        Levels::of_kind(order.plan.kind).or(levels)
    })
}

/// What entries at the market bring that are on their way.
fn coming(account: &AccountState, holding: Holding<'_>, side: Side) -> Levels {
    let mut entries: Vec<_> = account
        .orders_in(holding.symbol)
        .filter(|order| {
            holding.is_of(order)
                && order.plan.class == OrderClass::Entry
                && order.plan.side == side
                && !order.plan.kind.rests()
                && !order.cancel_requested
        })
        .collect();
    entries.sort_by_key(|order| (order.planned_at, order.plan.id));
    entries.iter().fold(Levels::default(), |levels, order| {
        Levels::of_protection(&order.plan.protection).or(levels)
    })
}

/// The protection of a holding on this side that is neither going nor being replaced.
fn live<'a>(account: &'a AccountState, holding: Holding<'_>, side: Side) -> Vec<&'a Order> {
    let of_holding = |order: &&Order| holding.is_of(order) && order.plan.side == side;
    let replaced = account.replaced();
    account
        .protection_orders()
        .filter(of_holding)
        .filter(|order| !order.cancel_requested && !replaced.contains(&order.plan.id))
        .collect()
}

/// What a fill of an entry must be protected by now. The levels may have come, or moved, since it
/// was decided.
pub(super) fn at_fill(context: Context<'_>, order: &Order) -> Protection {
    let plan = &order.plan;
    let account = context.state.account(&plan.account);
    let Some(account) = account.filter(|_| are_at_position(context, &plan.account)) else {
        return plan.protection.clone();
    };
    resting(context, account, holding_of(plan), plan.side).complete(&plan.protection)
}

/// Moves the holding's older protection to the levels that an entry's fill has brought. The old one
/// goes once the new one rests.
pub(super) fn moved(context: Context<'_>, entry: &Order, kind: OrderKind) -> Decision {
    let mut decision = Decision::default();
    let plan = &entry.plan;
    let account = context.state.account(&plan.account);
    let Some(account) = account.filter(|_| are_at_position(context, &plan.account)) else {
        return decision;
    };
    for old in live(account, holding_of(plan), plan.side.opposite()) {
        let Ok(quantity) = Quantity::new(old.remaining()) else {
            continue;
        };
        if old.plan.kind == kind {
            continue;
        }
        let id = move_id(context, old, kind);
        exits::plan_order(
            &mut decision,
            OrderPlan {
                id,
                quantity,
                kind,
                origin: Origin::Protects(old.plan.id),
                expires_at: context.now().after(EXIT_LIFE),
                replaces: Some(old.plan.id),
                instead_of: Vec::new(),
                ..old.plan.clone()
            },
        );
    }
    decision
}

/// The identity of the first move of this order to these levels that has not been tried.
fn move_id(context: Context<'_>, old: &Order, kind: OrderKind) -> ClientOrderId {
    let Levels { stop, target } = Levels::of_kind(kind);
    let text = |level: Option<Price>| level.map_or_else(String::new, |price| price.to_string());
    let numbered = |attempt: u32| {
        old.plan.id.child(&[
            b"moved",
            text(stop).as_bytes(),
            text(target).as_bytes(),
            &attempt.to_le_bytes(),
        ])
    };
    let is_new = |id: &ClientOrderId| context.state.order(id).is_none();
    (0..)
        .map(numbered)
        .find(is_new)
        .unwrap_or_else(|| numbered(0))
}

/// What may have come to a position without being told yet, when an order that stands for its level
/// trades: the level closes all that the account holds, also what a fill brought a moment ago.
/// Nothing for any other order.
pub(super) fn untold(context: Context<'_>, order: &Order) -> Decimal {
    if !closes_position(context, order) {
        return Decimal::ZERO;
    }
    let plan = &order.plan;
    let holding = holding_of(plan);
    let opens = plan.side.opposite();
    let account = context.state.account(&plan.account);
    account.map_or(Decimal::ZERO, |account| {
        account
            .orders_in(&plan.symbol)
            .filter(|other| {
                holding.is_of(other)
                    && other.plan.class == OrderClass::Entry
                    && other.plan.side == opens
                    && other.status.may_be_at_broker()
            })
            .fold(Decimal::ZERO, |sum, other| {
                sum.saturating_add(other.remaining())
            })
    })
}

/// Whether the order stands for a level of the position.
pub(super) fn closes_position(context: Context<'_>, order: &Order) -> bool {
    order.plan.class == OrderClass::Protection && are_at_position(context, &order.plan.account)
}

/// Takes protection back whose position is gone. Its level may have come to the broker with the entry,
/// before anything was sent for it, and may have fired: of one that was not sent that is asked first.
pub(super) fn taken_back(context: Context<'_>, order: &Order, reason: &str) -> Decision {
    if order.status != OrderStatus::Waiting || !closes_position(context, order) {
        return cancel::request(order, reason);
    }
    let mut decision = Decision::event(Event::CancelRequested {
        id: order.plan.id,
        reason: reason.to_owned(),
    });
    decision.join(asked_unsent(order));
    decision
}

/// Asks what has become of the level of an order that was not sent and won't be.
pub(super) fn asked_unsent(order: &Order) -> Decision {
    let mut decision = Decision::event(Event::OrderUnknown {
        id: order.plan.id,
        why: "it was not sent, and its level may have come with the entry".to_owned(),
        ask_at: None,
        sent_at: None,
    });
    decision.command(Command::Find(Box::new(order.plan.clone())));
    decision
}
