//! What an entry's fill must be protected by, and what is done where an exit has traded too much.

use rust_decimal::Decimal;

use super::exits::{self, holding_of};
use super::{Context, Decision, levels};
use crate::halt::HaltLevel;
use crate::id::ClientOrderId;
use crate::message::OrderReport;
use crate::number::{Quantity, floor_to_step};
use crate::order::{Order, OrderClass, OrderKind, OrderPlan, Origin};
use crate::policy::{Brackets, EXIT_LIFE};
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
        let protection = levels::at_fill(context, order);
        let plans = protection_of(context, order, &protection, traded, report);
        let kind = plans.first().map(|plan| plan.kind);
        for piece in plans {
            exits::plan_order(&mut decision, piece);
        }
        if let Some(kind) = kind {
            decision.join(levels::moved(context, order, kind));
        }
    }
    decision
}

/// Trades back what an exit, or a stop, has traded past the position: an exit and a stop may both
/// execute before either is known, and together they open what nobody asked for.
pub(super) fn after_exit(context: Context<'_>, order: &Order, traded: Decimal) -> Decision {
    let plan = &order.plan;
    let held = held(context, order);
    let known = plan.side.opposite().signed(held).max(Decimal::ZERO);
    let closable = known.saturating_add(levels::untold(context, order));
    let reason = format!("{} had {held} left to close", plan.strategy);
    close_again(context, order, traded - closable, &reason)
}

/// What the order's strategy holds, as far as it is known.
pub(super) fn held(context: Context<'_>, order: &Order) -> Decimal {
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

pub(super) fn child_id(order: &Order, what: &str, amount: Decimal) -> ClientOrderId {
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

/// One protective order that is wanted.
struct Piece {
    /// Its number among the entry's protection.
    index: usize,
    /// Which shares of the entry it is for: all of them, or the one of a target.
    share: Option<usize>,
    kind: OrderKind,
}

/// The protective orders for what an entry has just traded: each target has an equal share of the
/// whole entry, in whole steps, and a fill protects the shares that it lies in. What the broker has
/// kept as its fee is not there to be protected.
fn protection_of(
    context: Context<'_>,
    order: &Order,
    protection: &Protection,
    traded: Decimal,
    report: &OrderReport,
) -> Vec<OrderPlan> {
    let plan = &order.plan;
    let policy = context.policy.accounts.get(&plan.account);
    let step = policy
        .and_then(|account| account.instruments.get(&plan.symbol))
        .map_or(Decimal::ZERO, |instrument| instrument.quantity_step);
    let whole = |quantity: Decimal| floor_to_step(quantity, step).unwrap_or(quantity);
    let total = order.filled + traded;
    let withheld = order.withheld + super::report::withheld(order, report);
    let (start, end) = (order.filled - order.withheld, total - withheld);
    // Shares are of what is held in the end: the fee makes all of them smaller alike.
    let shares = Decimal::from(protection.targets.len().max(1));
    let size = whole(plan.quantity.get() / shares);
    let kept = end.checked_div(total).unwrap_or(Decimal::ONE);
    let bound = |number: usize| whole(size * Decimal::from(number) * kept);
    let brackets = policy.map_or(Brackets::OneOrder, |policy| policy.capabilities.brackets);
    // A level at the position may have closed what this fill brought before the fill was told.
    let open = match brackets {
        Brackets::OnPosition => {
            plan.side.signed(held(context, order)) + traded - (withheld - order.withheld)
        }
        Brackets::None | Brackets::OneOrder | Brackets::TwoOrders => Decimal::MAX,
    };
    let mut plans = Vec::new();
    let mut made_up = made_up(context, order);
    for piece in pieces(protection, brackets) {
        let (from, until) = match piece.share {
            None => (Decimal::ZERO, Decimal::MAX),
            Some(number) if Decimal::from(number + 1) >= shares => (bound(number), Decimal::MAX),
            Some(number) => (bound(number), bound(number + 1)),
        };
        let overlap = whole(end).min(until) - whole(start).max(from);
        if overlap <= Decimal::ZERO {
            continue;
        }
        let more = if piece.kind.is_stop() {
            std::mem::take(&mut made_up)
        } else {
            Decimal::ZERO
        };
        let size = (overlap + whole(more)).min(open);
        let Ok(quantity) = Quantity::new(size) else {
            continue;
        };
        plans.push(OrderPlan {
            id: child_id(
                order,
                &format!("protection {}", piece.index),
                quantity.get(),
            ),
            side: plan.side.opposite(),
            quantity,
            kind: piece.kind,
            class: OrderClass::Protection,
            origin: Origin::Protects(plan.id),
            reduce_only: exits::rests_reducing(context, holding_of(plan)),
            ..child_plan(context, order)
        });
    }
    plans
}

/// What earlier fills of an entry have brought and no stop protects: too little for the broker by
/// itself, it is protected with what comes next.
fn made_up(context: Context<'_>, order: &Order) -> Decimal {
    if held(context, order).is_zero()
        || exits::closing_side(held(context, order)) == order.plan.side
    {
        return Decimal::ZERO;
    }
    let brought = order.filled - order.withheld;
    super::guard::left_bare(context, holding_of(&order.plan)).min(brought)
}

/// What must rest for an entry. Where a broker ends the other side itself, a stop and a target are
/// one order for each share; elsewhere one stop is for everything, and each target for its share.
fn pieces(protection: &Protection, brackets: Brackets) -> Vec<Piece> {
    let stop = match (protection.stop, protection.trail_percent) {
        (Some(trigger), _) => Some(OrderKind::Single {
            terms: Terms::Stop { trigger },
        }),
        (None, Some(distance_percent)) => Some(OrderKind::TrailingStop { distance_percent }),
        (None, None) => None,
    };
    let targets = || protection.targets.iter().copied().enumerate();
    let limit = |price| OrderKind::Single {
        terms: Terms::Limit { price },
    };
    match (brackets, protection.stop) {
        (Brackets::OneOrder | Brackets::OnPosition | Brackets::None, Some(stop))
            if !protection.targets.is_empty() =>
        {
            targets()
                .map(|(index, target)| Piece {
                    index,
                    share: Some(index),
                    kind: OrderKind::OneCancelsOther { stop, target },
                })
                .collect()
        }
        (Brackets::OneOrder | Brackets::OnPosition | Brackets::None | Brackets::TwoOrders, _) => {
            let first = usize::from(stop.is_some());
            let stop = stop.map(|kind| Piece {
                index: 0,
                share: None,
                kind,
            });
            let targets = targets().map(|(number, price)| Piece {
                index: first + number,
                share: Some(number),
                kind: limit(price),
            });
            stop.into_iter().chain(targets).collect()
        }
    }
}
