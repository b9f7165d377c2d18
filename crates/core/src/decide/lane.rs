//! What a lane still owes: protection of the right size, and the release of what waited.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use super::exchange::Market;
use super::exits::{self, Holding, holding_of};
use super::protection::child_id;
use super::{
    Context, Decision, cancel, cut_off, daily_loss, exchange, guard, levels, outside, rules,
};
use crate::id::{ClientOrderId, StrategyName};
use crate::message::{Command, Event, OrderEnd};
use crate::number::Quantity;
use crate::order::{Lane, Order, OrderClass, OrderKind, OrderPlan, OrderStatus, Origin};
use crate::policy::EXIT_LIFE;
use crate::state::{AccountState, State};
use crate::time::Timestamp;

/// Why an exit that waits for a price ends where it could only rest in the stop's place.
const WOULD_BARE: &str =
    "it waits for a price and would have to rest in the place of the position's stop";

/// The lanes in which an order waits.
pub(super) fn with_waiting_orders(state: &State) -> BTreeSet<Lane> {
    state
        .unsettled_orders()
        .filter(|order| order.status == OrderStatus::Waiting)
        .map(|order| order.plan.lane())
        .collect()
}

/// Time has passed: brokers are asked again about orders whose fate is unknown.
pub(super) fn tick(context: Context<'_>) -> Decision {
    let mut decision = Decision::default();
    let due = |order: &&Order| order.wake_at.is_some_and(|at| at <= context.now());
    for order in context.state.unsettled_orders().filter(due) {
        if order.status == OrderStatus::Unknown {
            let id = order.plan.id;
            decision.push(Event::OrderQuestioned { id });
            decision.command(Command::Find(Box::new(order.plan.clone())));
        }
    }
    decision.join(guard::late_protection(context));
    decision.join(guard::late_exits(context));
    // Each looks at the same facts: what one leaves the next must not leave again, and has its turn
    // with the next tick.
    for leaves in [cut_off::tick, daily_loss::tick] {
        let is_leaving = |event: &Event| matches!(event, Event::OrderPlanned { .. });
        if !decision.events.iter().any(is_leaving) {
            decision.join(leaves(context));
        }
    }
    decision
}

/// Brings a lane up to date with the facts.
pub(super) fn settle(context: Context<'_>, lane: &Lane) -> Decision {
    let Some(account) = context.state.account(&lane.account) else {
        return Decision::default();
    };
    let mut decision = outside::settle(context, account, lane);
    // What is smaller now has the lane brought up to date anew.
    if !decision.events.is_empty() {
        return decision;
    }
    decision.join(fit_protection(context, account, lane));
    decision.join(fit_exits(context, account, lane));
    let changed: BTreeSet<_> = decision.events.iter().filter_map(changed_order).collect();
    decision.join(release(context, account, lane, &changed));
    decision
}

/// The order that fitting has just decided about: it is not let go on the ground of what was before.
fn changed_order(event: &Event) -> Option<ClientOrderId> {
    match event {
        Event::OrderPlanned { plan, .. } => plan.replaces,
        Event::CancelRequested { id, .. } | Event::OrderEnded { id, .. } => Some(*id),
        Event::ProtectionLate { .. }
        | Event::Started { .. }
        | Event::RequestRefused(_)
        | Event::AlertDecided(_)
        | Event::OperatorActed { .. }
        | Event::SourceSwitched(_)
        | Event::Alarm { .. }
        | Event::OrderReleased { .. }
        | Event::OrderAcknowledged { .. }
        | Event::OrderFilled { .. }
        | Event::OrderNotSent { .. }
        | Event::OrderUnknown { .. }
        | Event::OrderQuestioned { .. }
        | Event::AccountRead { .. }
        | Event::HaltSet(_)
        | Event::HaltLifted { .. }
        | Event::FlattenRequested { .. }
        | Event::CutOffReached(_)
        | Event::DailyLossReached { .. }
        | Event::PositionReducedOutside(_) => None,
    }
}

/// Holds the protection of each strategy to the size of its position. Too much of it would open a
/// position the other way; what is too large is replaced by the right size before it goes.
fn fit_protection(context: Context<'_>, account: &AccountState, lane: &Lane) -> Decision {
    let mut decision = Decision::default();
    let replaced = account.replaced();
    let mut by_strategy: BTreeMap<&StrategyName, Vec<&Order>> = BTreeMap::new();
    for order in account.protection_in(lane) {
        if !order.cancel_requested {
            by_strategy
                .entry(&order.plan.strategy)
                .or_default()
                .push(order);
        }
    }
    for (strategy, mut orders) in by_strategy {
        let holding = Holding {
            account: &lane.account,
            strategy,
            symbol: &lane.symbol,
        };
        let held = exits::held(context, holding);
        let closes =
            |order: &Order| !held.is_zero() && exits::closing_side(held) == order.plan.side;
        for order in orders.iter().filter(|order| !closes(order)) {
            let reason = "the position that it protected is gone";
            decision.join(levels::taken_back(context, order, reason));
        }
        // What is being replaced rests until its replacement does, and counts no more.
        orders.retain(|order| closes(order) && !replaced.contains(&order.plan.id));
        orders.sort_by_key(|order| std::cmp::Reverse((order.planned_at, order.plan.id)));
        for (order, wanted) in fitted(&orders, held.abs()) {
            let Ok(quantity) = Quantity::new(wanted) else {
                let reason = "the position is smaller now";
                decision.join(cancel::request(order, reason));
                // What it was to move would come back at levels that hold no more.
                let moved = |old: &&Order| old.plan.kind != order.plan.kind;
                for old in context.state.replaced_by(order).filter(moved) {
                    decision.join(cancel::request(old, reason));
                }
                continue;
            };
            if let Some(plan) = smaller(context, account, order, quantity) {
                exits::plan_order(&mut decision, plan);
            }
        }
    }
    decision
}

/// Holds the exits that wait at the broker for a price to the size of their strategy's position. Once
/// a stop has closed it, what is left of them would open a position the other way.
fn fit_exits(context: Context<'_>, account: &AccountState, lane: &Lane) -> Decision {
    let mut decision = Decision::default();
    let mut resting: Vec<_> = account
        .orders_in(&lane.symbol)
        .filter(|order| {
            order.plan.class == OrderClass::Exit
                && order.plan.kind.rests()
                && order.status.may_be_at_broker()
                && !order.cancel_requested
        })
        .collect();
    resting.sort_by_key(|order| (order.planned_at, order.plan.id));
    let mut taken: BTreeMap<&StrategyName, Decimal> = BTreeMap::new();
    for order in resting {
        let holding = holding_of(&order.plan);
        let held = exits::held(context, holding);
        let taken = taken.entry(&order.plan.strategy).or_default();
        let closes = !held.is_zero() && exits::closing_side(held) == order.plan.side;
        let room = if closes {
            held.abs() - *taken
        } else {
            Decimal::ZERO
        };
        let fits = order.remaining().min(room.max(Decimal::ZERO));
        *taken += fits;
        if fits == order.remaining() {
            continue;
        }
        let reason = if fits.is_zero() {
            "the position that it was to close is gone"
        } else {
            "the position that it was to close is smaller now"
        };
        decision.join(cancel::request(order, reason));
        let Ok(quantity) = Quantity::new(fits) else {
            continue;
        };
        exits::plan_order(
            &mut decision,
            OrderPlan {
                id: child_id(order, "fitting", fits),
                quantity,
                expires_at: context.now().after(EXIT_LIFE),
                after: vec![order.plan.id],
                instead_of: Vec::new(),
                ..order.plan.clone()
            },
        );
    }
    decision
}

/// The orders that must shrink, youngest first, and to what: stops and targets each may be as large
/// as the position together, and an order that is both counts as both.
fn fitted<'a>(orders: &[&'a Order], held: Decimal) -> Vec<(&'a Order, Decimal)> {
    let mut sizes: Vec<_> = orders
        .iter()
        .map(|order| (*order, order.remaining()))
        .collect();
    // Once the stops fit, so does what is a stop as well as a target: what is too much then are the
    // mere targets, and no stop is given up for one.
    type IsSo = fn(OrderKind) -> bool;
    let roles: [(IsSo, IsSo); 2] = [
        (OrderKind::is_stop, OrderKind::is_stop),
        (OrderKind::is_target, |kind| {
            kind.is_target() && !kind.is_stop()
        }),
    ];
    for (has_role, gives_way) in roles {
        let total = sizes
            .iter()
            .filter(|(order, _)| has_role(order.plan.kind))
            .fold(Decimal::ZERO, |sum, (_, size)| sum + size);
        let mut excess = total - held;
        for (_, size) in sizes
            .iter_mut()
            .filter(|(order, _)| gives_way(order.plan.kind))
        {
            let less = excess.clamp(Decimal::ZERO, *size);
            *size -= less;
            excess -= less;
        }
    }
    sizes.retain(|(order, size)| *size < order.remaining());
    sizes
}

/// The same protection for less. `None` where the broker has refused just that before: it is not
/// asked again, and the larger one stays.
fn smaller(
    context: Context<'_>,
    account: &AccountState,
    order: &Order,
    quantity: Quantity,
) -> Option<OrderPlan> {
    let mut attempt = 0u32;
    let id = loop {
        let id = order.plan.id.child(&[
            b"smaller",
            quantity.to_string().as_bytes(),
            &attempt.to_le_bytes(),
        ]);
        match account.closed.get(&id) {
            None => break id,
            Some(earlier) if earlier.status == OrderStatus::Rejected => return None,
            // Taken back, because the position had gone on changing.
            Some(_) => attempt += 1,
        }
    };
    Some(OrderPlan {
        id,
        quantity,
        origin: Origin::Protects(order.plan.id),
        expires_at: context.now().after(EXIT_LIFE),
        replaces: Some(order.plan.id),
        instead_of: exits::in_its_way(context, holding_of(&order.plan), quantity.get(), None),
        reduce_only: exits::rests_reducing(context, holding_of(&order.plan)),
        ..order.plan.clone()
    })
}

/// Lets go what waited and may go: exits first.
fn release(
    context: Context<'_>,
    account: &AccountState,
    lane: &Lane,
    changed: &BTreeSet<ClientOrderId>,
) -> Decision {
    let mut decision = Decision::default();
    let mut waiting: Vec<_> = account
        .unsettled_orders()
        .filter(|order| {
            order.status == OrderStatus::Waiting
                && order.plan.symbol == lane.symbol
                && !changed.contains(&order.plan.id)
        })
        .collect();
    waiting.sort_by_key(|order| (order.plan.class, order.planned_at, order.plan.id));
    // What this pass has already let go takes its share before the next one looks.
    let mut claimed: BTreeMap<&StrategyName, Decimal> = BTreeMap::new();
    // What follows from giving one up decides how much is left for the next, which has its turn when
    // that is true.
    let mut given_up: BTreeSet<&StrategyName> = BTreeSet::new();
    // Asked once: hundreds may wait in a frozen lane, and nothing here thaws it.
    let frozen = rules::is_lane_frozen(context, lane);
    for order in waiting {
        let plan = &order.plan;
        if given_up.contains(&plan.strategy) {
            continue;
        }
        let step = next_step(
            context,
            account,
            order,
            claimed.get(&plan.strategy).copied(),
            frozen,
        );
        let id = plan.id;
        match step {
            Step::Wait => {}
            Step::End(end, reason) => {
                let has_consequences = end == OrderEnd::Expired || reason == WOULD_BARE;
                if has_consequences && plan.class != OrderClass::Entry {
                    if claimed.contains_key(&plan.strategy) {
                        continue;
                    }
                    given_up.insert(&plan.strategy);
                }
                decision.push(Event::OrderEnded {
                    id,
                    end,
                    reason: reason.to_owned(),
                    sent_at: None,
                });
                if has_consequences {
                    decision.join(guard::not_placed(context, order, Decimal::ZERO, reason));
                }
            }
            Step::Go(quantity) => {
                if plan.class == OrderClass::Exit {
                    *claimed.entry(&plan.strategy).or_default() += quantity.get();
                }
                let instead_of = instead_of(context, order, quantity);
                let renewed = renewed(context, order);
                decision.push(Event::OrderReleased {
                    id,
                    quantity: quantity.get(),
                    instead_of: instead_of.clone(),
                    expires_at: renewed,
                });
                decision.command(Command::Submit(Box::new(OrderPlan {
                    quantity,
                    // Another strategy may have come while it waited.
                    reduce_only: plan.reduce_only && exits::is_alone(context, holding_of(plan)),
                    instead_of,
                    expires_at: renewed.unwrap_or(plan.expires_at),
                    ..plan.clone()
                })));
            }
        }
    }
    decision
}

/// When the time of an order that goes now is over instead: that of an exit which waited for entries
/// begins now, that of protection which meets a closed market when it opens.
fn renewed(context: Context<'_>, order: &Order) -> Option<Timestamp> {
    let plan = &order.plan;
    if waits_for_entries(order) {
        return Some(context.now().after(EXIT_LIFE));
    }
    if plan.class != OrderClass::Protection {
        return None;
    }
    match exchange::market(context, &plan.account, &plan.symbol) {
        Market::Open { .. } => None,
        Market::Closed { until } => Some(until.after(EXIT_LIFE)),
    }
}

/// What an order takes the place of at the moment at which it goes: what was in its way when it was
/// planned may be over, and other protection may have come.
fn instead_of(context: Context<'_>, order: &Order, quantity: Quantity) -> Vec<ClientOrderId> {
    let plan = &order.plan;
    match plan.class {
        OrderClass::Entry => Vec::new(),
        OrderClass::Exit => exits::in_its_way(context, holding_of(plan), quantity.get(), None),
        OrderClass::Protection => {
            let mut ids = exits::in_its_way(context, holding_of(plan), quantity.get(), None);
            ids.retain(|id| plan.replaces == Some(*id));
            ids
        }
    }
}

/// What becomes of an order that waits.
enum Step {
    Wait,
    End(OrderEnd, &'static str),
    Go(Quantity),
}

fn next_step(
    context: Context<'_>,
    account: &AccountState,
    order: &Order,
    claimed: Option<Decimal>,
    frozen: bool,
) -> Step {
    let plan = &order.plan;
    let now = context.now();
    let others_open = plan.after.iter().any(|id| account.orders.contains_key(id));
    if waits_for_entries(order) {
        // What they bring has to be left, however long their fate stays open: its own time begins
        // when it can go.
        if others_open {
            return Step::Wait;
        }
    } else if now >= plan.expires_at {
        return Step::End(
            OrderEnd::Expired,
            "its time was over before it could be sent",
        );
    }
    let timer_runs = order.wake_at.is_some_and(|at| at > now);
    if timer_runs || others_open {
        return Step::Wait;
    }
    let holding = holding_of(plan);
    let held = exits::held(context, holding);
    let gone = held.is_zero() || exits::closing_side(held) != plan.side;
    match plan.class {
        OrderClass::Exit | OrderClass::Protection if gone => {
            Step::End(OrderEnd::Abandoned, "nothing is left to close")
        }
        OrderClass::Exit => {
            // Of those that wait as this one does, the first takes what is there.
            let taken = exits::at_broker(account, holding) + claimed.unwrap_or_default();
            let free = (held.abs() - taken).max(Decimal::ZERO);
            match Quantity::new(free.min(plan.quantity.get())) {
                Ok(quantity)
                    if plan.kind.rests()
                        && !exits::in_its_way(context, holding, quantity.get(), None)
                            .is_empty() =>
                {
                    Step::End(OrderEnd::Abandoned, WOULD_BARE)
                }
                Ok(quantity) => Step::Go(quantity),
                Err(_) => Step::End(OrderEnd::Abandoned, "nothing is left to close"),
            }
        }
        // What takes its place goes in its stead.
        OrderClass::Protection if account.replaced().contains(&plan.id) => Step::Wait,
        OrderClass::Protection => Step::Go(plan.quantity),
        OrderClass::Entry => entry_step(context, order, held, frozen),
    }
}

/// Whether it is an exit that has not been sent because it comes after other orders.
fn waits_for_entries(order: &Order) -> bool {
    order.plan.class == OrderClass::Exit && order.attempts == 0 && !order.plan.after.is_empty()
}

fn entry_step(context: Context<'_>, order: &Order, held: Decimal, frozen: bool) -> Step {
    let plan = &order.plan;
    if !context
        .state
        .halts_on(&plan.account, &plan.strategy, &plan.symbol)
        .is_empty()
    {
        return Step::End(OrderEnd::Abandoned, "a halt is in force");
    }
    if daily_loss::forbids_entries(context, &plan.account) {
        return Step::End(OrderEnd::Abandoned, "max_daily_loss is reached");
    }
    if exchange::entries_have_ended(context, plan) {
        return Step::End(OrderEnd::Abandoned, "the day's entries have ended");
    }
    let against = !held.is_zero() && exits::closing_side(held) == plan.side;
    if against {
        let reason = if plan.after.is_empty() {
            "the position lies on the other side now"
        } else {
            "the close before it did not complete"
        };
        return Step::End(OrderEnd::Abandoned, reason);
    }
    if frozen {
        return Step::Wait;
    }
    Step::Go(plan.quantity)
}
